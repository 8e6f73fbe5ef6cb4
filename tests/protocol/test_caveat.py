"""Caveats: four kinds in one spelling each, and nothing of them lost or costly in any suite."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from freehold_protocol import limits
from freehold_protocol.canonical import jcs
from freehold_protocol.capability import CONTEXTS, CONTEXTS_2020, Capability
from freehold_protocol.caveat import (
    Caveat,
    CountCaveat,
    HoursCaveat,
    PurposeCaveat,
    RateCaveat,
    read_caveats,
    write_caveats,
)
from freehold_protocol.contexts import check_terms, load_context
from freehold_protocol.encoding import Document, Json, parse_document, parse_json
from freehold_protocol.errors import (
    FreeholdError,
    MalformedError,
    TooLargeError,
    UndefinedTermError,
    UnsupportedError,
)
from freehold_protocol.permission import DAYS, Hours
from hypothesis import given, settings
from hypothesis import strategies as st
from pyld import jsonld
from pyld.context_resolver import ContextResolver
from signed_documents import (
    PARTNER,
    TARGET,
    VENDOR,
    json_values,
    make_capability,
    permission,
    spoiled,
    with_member,
)

OURS = "https://w3id.org/freehold/v1#"
DPV = "https://w3id.org/dpv#"
HOURS = Hours(days=("Mo", "Tu"), from_minute=480, to_minute=1080, time_zone="Europe/Berlin")
PURPOSE = PurposeCaveat(purposes=frozenset({"dpv:DeliveryOfGoods", "dpv:CustomerCare"}))
EVERY: tuple[Caveat, ...] = (
    HoursCaveat(hours=HOURS),
    RateCaveat(reads=10, seconds=3600),
    PURPOSE,
    CountCaveat(reads=100),
)
DOCUMENTS: list[Document] = [
    {
        "type": OURS + "HoursLimit",
        OURS + "days": ["Mo", "Tu"],
        OURS + "from": "08:00",
        OURS + "to": "18:00",
        OURS + "timeZone": "Europe/Berlin",
    },
    {"type": OURS + "RateLimit", OURS + "reads": 10, OURS + "per": "PT1H"},
    {"type": OURS + "PurposeLimit", OURS + "purpose": [DPV + "CustomerCare", DPV + "DeliveryOfGoods"]},
    {"type": OURS + "CountLimit", OURS + "reads": 100},
]


# Form


def test_the_four_kinds() -> None:
    assert write_caveats(EVERY) == DOCUMENTS
    assert read_caveats(DOCUMENTS) == EVERY
    assert read_caveats(parse_json(jcs(DOCUMENTS))) == EVERY
    assert write_caveats(EVERY[::-1]) == DOCUMENTS
    assert write_caveats((*EVERY, *EVERY)) == DOCUMENTS


@pytest.mark.parametrize("caveat", EVERY, ids=lambda caveat: type(caveat).__name__)
def test_each_alone(caveat: Caveat) -> None:
    assert read_caveats([caveat.to_dict()]) == (caveat,)


def test_two_of_a_kind() -> None:
    both = (RateCaveat(reads=10, seconds=3600), RateCaveat(reads=50, seconds=86_400))
    assert set(read_caveats(write_caveats(both))) == set(both)
    assert len(write_caveats(both)) == 2


HOURLY, RATE, FOR, COUNT = DOCUMENTS


@pytest.mark.parametrize(
    ("value", "error"),
    [
        # No array of caveats
        (None, MalformedError),
        ([], MalformedError),
        ({}, MalformedError),
        (COUNT, MalformedError),
        ("urn:x", MalformedError),
        ([None], MalformedError),
        ([1], MalformedError),
        ([[COUNT]], MalformedError),
        ([{}], MalformedError),
        ([{"type": None}], MalformedError),
        ([{"type": [OURS + "CountLimit"], OURS + "reads": 1}], MalformedError),
        ([{"type": {}}], MalformedError),
        ([COUNT] * (limits.MAX_CAVEATS + 1), TooLargeError),
        # Of another kind
        ([{"type": "urn:pds:caveat:RateLimit", "max": 10, "period": "PT1M"}], UnsupportedError),
        ([{"type": OURS + "Limit"}], UnsupportedError),
        ([{"type": OURS + "countLimit", OURS + "reads": 1}], UnsupportedError),
        ([{"type": "CountLimit", OURS + "reads": 1}], UnsupportedError),
        ([{"type": "https://w3id.org/freehold/v2#CountLimit", OURS + "reads": 1}], UnsupportedError),
        ([{"type": ""}], UnsupportedError),
        (["urn:x:caveat"], UnsupportedError),
        ([OURS + "CountLimit"], UnsupportedError),
        ([COUNT, {"type": "urn:x"}], UnsupportedError),
        # Not in the one order, or the same twice
        (DOCUMENTS[::-1], MalformedError),
        ([COUNT, COUNT], MalformedError),
        # Members
        ([{**COUNT, "id": "urn:uuid:1"}], MalformedError),
        ([{**COUNT, "@id": "_:b0"}], MalformedError),
        ([{**COUNT, "@context": {}}], MalformedError),
        ([{**COUNT, "note": "x"}], MalformedError),
        ([{**COUNT, OURS + "per": "PT1H"}], MalformedError),
        ([{**COUNT, OURS + "Reads": 1}], MalformedError),
        ([{"@type": OURS + "CountLimit", OURS + "reads": 1}], MalformedError),
        ([{"type": OURS + "CountLimit"}], MalformedError),
        ([{"type": OURS + "CountLimit", "reads": 1}], MalformedError),
        ([{"type": OURS + "CountLimit", "freehold:reads": 1}], MalformedError),
        # Numbers
        *(
            ([{**COUNT, OURS + "reads": reads}], MalformedError)
            for reads in (0, -1, 1.0, 1.5, True, "1", None, [1], {"@value": 1}, 2**53, 10**21)
        ),
        ([{**RATE, OURS + "reads": 0}], MalformedError),
        # Durations: one spelling for each
        *(
            ([{**RATE, OURS + "per": per}], MalformedError)
            for per in ("PT60M", "P1W", "P1M", "P30D ", "PT0H", "P0D", "P1DT1H", "1 hour", "", 3600, None, ["PT1H"])
        ),
        # Hours
        ([{**HOURLY, OURS + "days": ["Tu", "Mo"]}], MalformedError),
        ([{**HOURLY, OURS + "days": ["Mo", "Mo"]}], MalformedError),
        ([{**HOURLY, OURS + "days": []}], MalformedError),
        ([{**HOURLY, OURS + "days": "Mo"}], MalformedError),
        ([{**HOURLY, OURS + "days": ["Monday"]}], MalformedError),
        ([{**HOURLY, OURS + "from": "24:00"}], MalformedError),
        ([{**HOURLY, OURS + "from": "8:00"}], MalformedError),
        ([{**HOURLY, OURS + "from": "18:00"}], MalformedError),
        ([{**HOURLY, OURS + "timeZone": "Europe Berlin"}], MalformedError),
        ([{**HOURLY, OURS + "timeZone": "../../etc/passwd"}], MalformedError),
        ([{"type": OURS + "HoursLimit", OURS + "hours": HOURS.to_dict()}], MalformedError),
        # Purposes
        ([{**FOR, OURS + "purpose": []}], MalformedError),
        ([{**FOR, OURS + "purpose": DPV + "Marketing"}], MalformedError),
        ([{**FOR, OURS + "purpose": [DPV + "Marketing", DPV + "Marketing"]}], MalformedError),
        ([{**FOR, OURS + "purpose": [DPV + "Marketing", DPV + "CustomerCare"]}], MalformedError),
        ([{**FOR, OURS + "purpose": ["dpv:Marketing"]}], UndefinedTermError),
        ([{**FOR, OURS + "purpose": [DPV + "Purpose"]}], UndefinedTermError),
        ([{**FOR, OURS + "purpose": [DPV + "Anything"]}], UndefinedTermError),
        ([{**FOR, OURS + "purpose": [DPV]}], UndefinedTermError),
        ([{**FOR, OURS + "purpose": [{"id": DPV + "Marketing"}]}], UndefinedTermError),
        ([{**FOR, OURS + "purpose": [None]}], UndefinedTermError),
        ([{**FOR, OURS + "purpose": [DPV + "Marketing"] * 9}], TooLargeError),
    ],
)  # fmt: skip
def test_what_is_no_caveat(value: Json, error: type[FreeholdError]) -> None:
    with pytest.raises(FreeholdError) as raised:
        read_caveats(value)
    assert type(raised.value) is error
    with pytest.raises(FreeholdError) as raised:
        Capability.from_dict({**make_capability().document, "caveat": value})
    assert type(raised.value) is error


def test_a_full_set_is_the_most_there_may_be() -> None:
    most = tuple(CountCaveat(reads=n) for n in range(1, limits.MAX_CAVEATS + 1))
    assert set(read_caveats(write_caveats(most))) == set(most)


def test_a_rate_that_no_duration_says_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="no duration"):
        write_caveats([RateCaveat(reads=1, seconds=61)])


_durations = st.sampled_from([60, 90 * 60, 3_600, 86_400, 7 * 86_400, 30 * 86_400, 365 * 86_400])
_reads = st.integers(1, 2**53 - 1)
_hours = st.builds(
    lambda days, start, length, zone: Hours(
        days=tuple(sorted(days, key=DAYS.index)),
        from_minute=start,
        to_minute=min(start + length, 1440),
        time_zone=zone,
    ),
    st.sets(st.sampled_from(DAYS), min_size=1),
    st.integers(0, 1439),
    st.integers(1, 1440),
    st.sampled_from(["Europe/Berlin", "UTC", "Etc/GMT+1"]),
)
caveats = st.one_of(
    st.builds(PurposeCaveat, purposes=st.frozensets(
        st.sampled_from(["dpv:DeliveryOfGoods", "dpv:Marketing", "dpv:CustomerCare"]), min_size=1)),
    st.builds(HoursCaveat, hours=_hours),
    st.builds(CountCaveat, reads=_reads),
    st.builds(RateCaveat, reads=_reads, seconds=_durations),
)  # fmt: skip


@settings(max_examples=200)
@given(st.lists(caveats, min_size=1, max_size=limits.MAX_CAVEATS))
def test_caveats_come_back(made: list[Caveat]) -> None:
    written = write_caveats(made)
    assert set(read_caveats(parse_json(jcs(written)))) == set(made)
    assert write_caveats(read_caveats(written)) == written


@settings(max_examples=300)
@given(json_values | spoiled({"caveat": DOCUMENTS}).map(lambda document: document.get("caveat")))
def test_any_value_is_caveats_in_one_spelling_or_a_freehold_error(value: Any) -> None:
    try:
        found = read_caveats(value)
    except FreeholdError:
        return
    assert jcs(write_caveats(found)) == jcs(value)


def test_the_example_of_the_page() -> None:
    page = (Path(__file__).resolve().parents[2] / "specs" / "capabilities.md").read_text("utf-8")
    block = page.rpartition("```json\n")[2].partition("```")[0]
    assert read_caveats(json.loads(block)) == (
        RateCaveat(reads=20, seconds=86_400),
        PurposeCaveat(purposes=frozenset({"dpv:DeliveryOfGoods"})),
    )


# Meaning


@pytest.mark.parametrize(
    ("purposes", "allowed"),
    [
        (["dpv:DeliveryOfGoods"], True),
        (["dpv:CustomerCare", "dpv:DeliveryOfGoods"], True),
        (["dpv:DeliveryOfGoods", "dpv:Marketing"], False),
        (["dpv:Marketing"], False),
        (["dpv:CustomerManagement"], False),  # the broader
        (["dpv:CommunicationForCustomerCare"], False),  # the narrower: the very purposes are meant
    ],
)
def test_a_purpose_caveat_allows_the_permissions_that_are_for_nothing_else(
    purposes: list[str], allowed: bool
) -> None:
    assert PURPOSE.allows(permission(purpose=purposes)) is allowed


# In every suite: nothing is lost, and no graph is hard


def quads_of(document: Document, loader: Any) -> list[Document]:
    options = {"documentLoader": loader, "contextResolver": ContextResolver({}, loader)}
    found = jsonld.to_rdf(document, options)
    return [quad for graph in found.values() for quad in graph]


def with_every_caveat(contexts: list[str]) -> Document:
    """Return a capability with every caveat and our mark, its proof's contexts set as for another suite."""
    first = make_capability(generation="zMark", caveats=EVERY)
    leaf = make_capability(
        VENDOR, number=2, controller=PARTNER, parent=first, target=f"{TARGET}/a?b=c", caveats=EVERY
    )
    return with_member(leaf.document, "@context", contexts)


@pytest.mark.parametrize("contexts", [CONTEXTS, CONTEXTS_2020], ids=["data-integrity", "2020"])
def test_no_member_is_lost_on_the_way_to_rdf(contexts: list[str]) -> None:
    document = with_every_caveat(contexts)
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    check_terms(unsigned)
    check_terms({**unsigned, "https://w3id.org/freehold/v1#generation": "zMark"})
    values = {quad["object"]["value"] for quad in quads_of(unsigned, load_context)}
    for caveat in DOCUMENTS:
        for value in caveat.values():
            for one in value if isinstance(value, list) else [value]:
                assert str(one) in values
    with pytest.raises(UndefinedTermError):  # what the published ones would drop without a word
        check_terms({**unsigned, "caveat": [{"type": "urn:x", "max": 10}]})


@pytest.mark.vectors
@pytest.mark.parametrize("contexts", [CONTEXTS, CONTEXTS_2020], ids=["data-integrity", "2020"])
def test_the_published_contexts_give_the_same_graph(vectors: Path, contexts: list[str]) -> None:
    files = {
        entry["url"]: entry["file"] for entry in json.loads((vectors / "contexts/index.json").read_text())
    }

    def published(url: str, _options: object = None) -> Document:
        text = (vectors / "contexts" / files[url]).read_text("utf-8")
        return {**load_context(url), "document": json.loads(text)}

    document = with_every_caveat(contexts)
    whole = {name: value for name, value in document.items() if name != "proof"}
    # As a re-delegation in another suite signs it: the parent, with its own proof and contexts, in the proof.
    options = {"@context": contexts, **{k: v for k, v in document["proof"].items() if k != "proofValue"}}
    for one in (whole, options):
        ours, theirs = quads_of(one, load_context), quads_of(one, published)
        assert ours == theirs
        assert ours


def test_every_blank_node_says_something_of_its_own() -> None:
    """Graphs are hard where blank nodes look alike: those of caveats differ within a link by what they say."""
    document = with_every_caveat(CONTEXTS)
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    said: dict[str, set[tuple[str, str]]] = {}
    for quad in quads_of(unsigned, load_context):
        subject, found = quad["subject"], quad["object"]
        assert not (subject["type"] == found["type"] == "blank node")  # flat
        if subject["type"] == "blank node":
            said.setdefault(subject["value"], set()).add((quad["predicate"]["value"], found["value"]))
    assert len(said) == len(EVERY)
    assert len({frozenset(one) for one in said.values()}) == len(said)


def test_a_caveat_is_under_the_signature_of_its_link() -> None:
    first = make_capability(caveats=EVERY)
    assert first.caveats == EVERY
    again = Capability.from_dict(parse_document(jcs(first.document)))
    assert again == first
    again.verify()
    for change in ({}, {"caveat": DOCUMENTS[:3]}):
        spoiled_document = {
            name: value for name, value in first.document.items() if name != "caveat"
        } | change
        with pytest.raises(FreeholdError):
            Capability.from_dict(spoiled_document).verify()
