"""What never changes is written down here once more, and what is closed refuses what nobody has heard of."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from freehold_node.api.open_routes import TEMPLATES, VERSIONS
from freehold_node.api.problems import status_of
from freehold_protocol.capability import Capability
from freehold_protocol.caveat import read_caveats
from freehold_protocol.encoding import Document, parse_document
from freehold_protocol.entry import Entry
from freehold_protocol.errors import BY_CODE, FreeholdError
from freehold_protocol.grant import Grant
from freehold_protocol.http_signature import parse_signature
from freehold_protocol.invocation import TAG_CAPABILITY, TAG_DID, TAG_OWNER
from freehold_protocol.moved import Moved
from freehold_protocol.purpose import is_known
from freehold_protocol.rdf import canonical_rdf
from freehold_protocol.receipt import Receipt
from freehold_protocol.request import Request
from freehold_protocol.restored import Restored
from freehold_vendor.events import EventParser
from freehold_vendor.told import told_with

SPECS = Path(__file__).resolve().parents[2] / "specs"
LATER = "https://w3id.org/freehold/v2"
CID = "bagaaiera4oymiquy7qobjgx36tejs35zeqt24qpemsnzgtfeswmrw6csxbkq"


def example(page: str) -> Document:
    """Return the first JSON of a page's worked example."""
    text = (SPECS / page).read_text("utf-8").partition("## Worked example")[2]
    block = re.search(r"^```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert block is not None, page
    return parse_document(block[1].encode())


GRANT = example("grants.md")
STATED = {
    "@context": GRANT["@context"],
    "grant": GRANT["id"],
    "nonce": GRANT["nonce"],
    "created": GRANT["created"],
}
STATED |= {"proof": GRANT["proof"]}
MOVED = {**STATED, "type": "Moved", "origins": ["https://new.example"]}
RESTORED = {**STATED, "type": "Restored", "log": GRANT["log"], "count": 1, "root": "A" * 43, "previous": CID}
FORMS: dict[str, tuple[Callable[[Any], object], Document]] = {
    "request": (Request.from_dict, example("requests.md")),
    "grant": (Grant.from_dict, GRANT),
    "capability": (Capability.from_dict, example("capabilities.md")),
    "moved": (Moved.from_dict, MOVED),
    "restored": (Restored.from_dict, RESTORED),
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.requirement("VER-6", "VER-7", "ENC-13", "ENC-17")
def test_a_document_of_another_version_or_with_a_member_more_is_refused(name: str) -> None:
    read, document = FORMS[name]
    read(document)
    contexts = document["@context"]
    other = LATER if isinstance(contexts, str) else [LATER, *contexts[1:]]
    for wrong in ({**document, "@context": other}, {**document, "extra": "x"}):
        with pytest.raises(FreeholdError) as refused:
            read(wrong)
        assert refused.value.code == "malformed"


@pytest.mark.requirement("VER-7")
def test_where_terms_alone_count_another_context_is_unsupported() -> None:
    with pytest.raises(FreeholdError) as refused:
        canonical_rdf({"@context": LATER, "type": "Person", "name": "Ada"})
    assert refused.value.code == "unsupported"


ENTRY = {"number": 0, "time": "2026-11-23T12:00:00Z", "kind": "changed", "change": "approve", "grant": CID,
         "version": 1, "epoch": 0}  # fmt: skip
OTHER = 'sig=("@method");created=1;expires=2;keyid="k";alg="ed25519";nonce="n";tag="zcap";later="x"'


@pytest.mark.parametrize(
    ("code", "read"),
    [
        ("malformed", lambda: Entry.from_dict({**ENTRY, "kind": "answered"})),
        ("malformed", lambda: Entry.from_dict({**ENTRY, "change": "merge"})),
        ("malformed", lambda: EventParser().feed(b"event: later\nid: a\ndata: {}\n\n")),
        ("unsupported", lambda: read_caveats([{"type": "https://w3id.org/freehold/v1#PlaceLimit"}])),
        ("unsupported", lambda: parse_signature({"signature-input": OTHER, "signature": "sig=:AA==:"}, tag="zcap")),
    ],
)  # fmt: skip
@pytest.mark.requirement("VER-6")
def test_kinds_of_a_later_version_are_refused(code: str, read: Callable[[], object]) -> None:
    Entry.from_dict(ENTRY)
    with pytest.raises(FreeholdError) as refused:
        read()
    assert refused.value.code == code
    assert not is_known("dpv:OfALaterVersion")


@pytest.mark.requirement("VER-4", "VER-5", "HTTP-61")
def test_what_is_open_is_passed_over() -> None:
    receipt = Receipt(request=Request.from_dict(example("requests.md")), versions=(Grant.from_dict(GRANT),))
    told = told_with(receipt, {"statements": [{"type": "Unheard", "of": ["x"]}], "later": 1})
    assert (told.versions, told.moved, told.restored) == (receipt.versions, (), None)


@pytest.mark.parametrize("page", ["requests.md", "grants.md", "records.md", "released.md", "capabilities.md"])
@pytest.mark.requirement("VOC-18")
def test_what_this_protocol_signs_needs_no_added_context(page: str) -> None:
    document = {name: value for name, value in example(page).items() if name != "proof"}
    assert canonical_rdf(document)


@pytest.mark.requirement("VER-1", "VER-2")
def test_the_name_and_the_paths() -> None:
    assert VERSIONS == ("freehold/1",)
    page = (SPECS / "http.md").read_text("utf-8")
    listed = dict(re.findall(r"^\| `(\w+)` \| `(/[^`]*)` \|$", page, re.MULTILINE))
    assert listed == TEMPLATES


@pytest.mark.requirement("VER-8", "VOC-4")
def test_no_term_changes_its_meaning() -> None:
    """A later release may have more terms than the first, and has all of those as they were."""
    context = json.loads((SPECS / "contexts" / "freehold-v1.jsonld").read_bytes())["@context"]
    first = json.loads(Path(__file__).with_name("terms_of_0_1.json").read_bytes())
    assert {name: context.get(name) for name in first} == first


STATUS = {
    400: "malformed too-deep duplicate-key undefined-term request-incomplete receipt-invalid",
    401: "signature-invalid signature-stale not-authenticated",
    403: "capability-invalid capability-expired capability-widened wrong-target wrong-controller wrong-action "
    "wrong-purpose revoked grant-invalid grant-paused grant-ended grant-expired grant-not-yet outside-hours "
    "limit-reached not-shared widened passphrase-wrong",
    404: "not-found",
    409: "replayed not-in-this-state draft-changed cursor-stale conflict",
    412: "precondition-failed",
    413: "too-large",
    422: "unsupported",
    500: "error ledger-damaged ledger-rolled-back release-invalid",
    503: "unavailable clock-suspect did-unavailable",
    507: "storage-full",
}


@pytest.mark.requirement("VER-10", "ERR-3", "ERR-4")
def test_a_code_keeps_its_status() -> None:
    kept = {code: status for status, codes in STATUS.items() for code in codes.split()}
    assert {code: status_of(BY_CODE[code]) for code in kept} == kept


@pytest.mark.requirement("VER-9")
def test_tags_stay() -> None:
    assert (TAG_CAPABILITY, TAG_DID, TAG_OWNER) == ("zcap", "freehold-did", "freehold-owner")
