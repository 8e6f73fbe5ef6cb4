"""Capabilities in the three suites: each in its one form, in any mixture, re-spelled by nobody, at a bounded cost."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import foreign_links
import pytest
from foreign_links import SAME_GRAPH, SUITES, Respell, make_link, signed_2020
from freehold_protocol import capability as capability_module
from freehold_protocol import limits
from freehold_protocol.canonical import jcs
from freehold_protocol.capability import (
    CONTEXTS,
    CONTEXTS_2020,
    Capability,
    contexts_of,
    delegate,
    from_wire,
    root_id,
    to_wire,
)
from freehold_protocol.caveat import Caveat, CountCaveat, HoursCaveat, PurposeCaveat, RateCaveat
from freehold_protocol.delegation import Chain, revokers, verify_chain
from freehold_protocol.encoding import Document, base64url_encode, parse_document
from freehold_protocol.errors import (
    AttenuationError,
    CapabilityError,
    ControllerError,
    FreeholdError,
    MalformedError,
    SignatureError,
    UnsupportedError,
)
from freehold_protocol.keys import SigningKey
from freehold_protocol.permission import Hours
from freehold_protocol.proof import CAPABILITY_SUITES, ED25519_2020, JCS, RDFC, Suite, verify_document
from hypothesis import given, settings
from hypothesis import strategies as st
from signed_documents import (
    NOW_S,
    PARTNER,
    SERVING,
    STRANGER,
    TARGET,
    VENDOR,
    re_signed,
    survivors,
    uuid_urn,
    with_member,
    without_member,
)

CAVEATS = (
    HoursCaveat(hours=Hours(days=("Mo", "Tu"), from_minute=480, to_minute=1080, time_zone="Europe/Berlin")),
    RateCaveat(reads=10, seconds=3600),
    PurposeCaveat(purposes=frozenset({"dpv:CustomerCare", "dpv:DeliveryOfGoods"})),
    CountCaveat(reads=100),
)
OF_GRAPHS = (RDFC, ED25519_2020)
FIRST = {
    suite: make_link(suite, actions=("answer", "read"), caveats=CAVEATS, generation="zMark")
    for suite in SUITES
}


def verify(leaf: Capability) -> Chain:
    return verify_chain(leaf, root_target=TARGET, root_key=SERVING.public)


def under(parent: Capability, suite: Suite, key: SigningKey = VENDOR, **members: Any) -> Capability:
    given: dict[str, Any] = {
        "number": len(parent.links) + 1, "controller": PARTNER, "parent": parent, "target": f"{TARGET}/delivery",
    }  # fmt: skip
    return make_link(suite, key, **(given | members))


# Each form


@pytest.mark.parametrize("suite", SUITES)
def test_the_form_of_each(suite: Suite) -> None:
    document = FIRST[suite].document
    proof = document["proof"]
    assert (
        document["@context"] == contexts_of(suite) == (CONTEXTS_2020 if suite == ED25519_2020 else CONTEXTS)
    )
    assert proof["type"] == (ED25519_2020 if suite == ED25519_2020 else "DataIntegrityProof")
    assert proof.get("cryptosuite") == (None if suite == ED25519_2020 else suite)
    assert proof.get("@context") == (CONTEXTS if suite == JCS else None)
    assert document["allowedAction"] == ["answer", "read"]
    chain = verify(FIRST[suite])
    assert chain.caveats == tuple((chain.digests[0], caveat) for caveat in CAVEATS)
    assert chain.ids == (uuid_urn(1),)
    assert chain.generation == "zMark"


@pytest.mark.parametrize("suite", SUITES)
def test_what_is_delegated_comes_back_by_the_header(suite: Suite) -> None:
    leaf = under(FIRST[suite], suite)
    assert from_wire(to_wire(leaf)) == leaf
    assert Capability.from_dict(parse_document(jcs(leaf.document))) == leaf


def test_a_suite_for_verifying_only_is_never_issued() -> None:
    with pytest.raises(ValueError, match="never issued"):
        delegate(
            SERVING, capability_id=uuid_urn(1), controller=VENDOR.public, target=TARGET, actions=("read",),
            created_s=NOW_S, expires_s=NOW_S + 1, suite=ED25519_2020,
        )  # fmt: skip


def _proof(**changes: Any) -> Respell:
    return lambda document: {**document, "proof": {**document["proof"], **changes}}


_NO_CRYPTOSUITES: list[Any] = [
    "eddsa-2022", "ecdsa-rdfc-2019", "Eddsa-rdfc-2022", ED25519_2020, "", None, [RDFC], {},
]  # fmt: skip
WRONG: list[tuple[Suite, Respell, type[FreeholdError]]] = [
    (JCS, lambda document: without_member(document, "proof.@context"), MalformedError),
    (JCS, _proof(**{"@context": CONTEXTS[::-1]}), SignatureError),
    (JCS, lambda document: {**document, "@context": CONTEXTS_2020}, MalformedError),
    (RDFC, lambda document: {**document, "@context": CONTEXTS_2020}, MalformedError),
    (ED25519_2020, lambda document: {**document, "@context": CONTEXTS}, MalformedError),
    (RDFC, _proof(**{"@context": CONTEXTS}), MalformedError),
    (RDFC, _proof(**{"@context": None}), MalformedError),
    (RDFC, _proof(cryptosuite=JCS), MalformedError),
    (JCS, _proof(cryptosuite=RDFC), MalformedError),
    (ED25519_2020, _proof(cryptosuite=RDFC), UnsupportedError),
    (ED25519_2020, _proof(cryptosuite=None), MalformedError),
    (ED25519_2020, _proof(type="DataIntegrityProof"), UnsupportedError),
    (ED25519_2020, _proof(type=["Ed25519Signature2020"]), UnsupportedError),
    (RDFC, _proof(type=ED25519_2020), UnsupportedError),
    (JCS, _proof(type=JCS), UnsupportedError),
    *((RDFC, _proof(cryptosuite=name), UnsupportedError) for name in _NO_CRYPTOSUITES),
    *(
        (suite, _proof(**more), MalformedError)
        for suite in SUITES
        for more in (
            {"nonce": "x"}, {"domain": "x"}, {"challenge": "x"}, {"id": uuid_urn(3)}, {"jws": "x"},
            {"expires": "2027-01-01T00:00:00Z"}, {"previousProof": uuid_urn(3)}, {"created": None},
            {"verificationMethod": None}, {"verificationMethod": [SERVING.method]}, {"proofValue": None},
            {"proofValue": 1}, {"proofPurpose": None},
        )
    ),
    *((suite, _proof(proofPurpose="assertionMethod"), SignatureError) for suite in SUITES),
    *((suite, _proof(proofPurpose="capabilityInvocation"), SignatureError) for suite in SUITES),
    *((suite, _proof(verificationMethod=STRANGER.method), ControllerError) for suite in SUITES),
    *((suite, _proof(verificationMethod=SERVING.did), MalformedError) for suite in SUITES),
    *((suite, _proof(verificationMethod="did:web:a.example#k"), UnsupportedError) for suite in SUITES),
    *((suite, _proof(proofValue="u" + "A" * 86), MalformedError) for suite in SUITES),
    *((suite, _proof(proofValue="z1"), SignatureError) for suite in SUITES),
    *((suite, lambda document: {**document, "proof": [document["proof"]] * 2}, MalformedError) for suite in SUITES),
    *((suite, lambda document: {**document, "proof": [document["proof"]]}, MalformedError) for suite in SUITES),
]  # fmt: skip


@pytest.mark.parametrize(("suite", "spoil", "error"), WRONG)
def test_other_forms(suite: Suite, spoil: Respell, error: type[FreeholdError]) -> None:
    with pytest.raises(FreeholdError) as raised:
        verify(Capability.from_dict(spoil(FIRST[suite].document)))
    assert type(raised.value) is error, raised.value


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("signed_as", SUITES)
def test_a_proof_is_of_its_own_suite(suite: Suite, signed_as: Suite) -> None:
    """The same key and content, signed in one suite and presented as another."""
    if suite == signed_as:
        return
    value = FIRST[signed_as].document["proof"]["proofValue"]
    with pytest.raises(SignatureError):
        verify(Capability.from_dict(with_member(FIRST[suite].document, "proof.proofValue", value)))


@pytest.mark.parametrize("suite", OF_GRAPHS)
def test_no_mutation_verifies(suite: Suite) -> None:
    leaf = under(FIRST[suite], suite)
    assert (
        survivors(leaf.document, lambda document: verify(Capability.from_dict(document)), at_least=80) == []
    )


# Mixtures


@pytest.mark.parametrize("suites", list(itertools.product(SUITES, repeat=3)))
def test_every_mixture_of_three(suites: tuple[Suite, Suite, Suite]) -> None:
    """What the node issues with a mark, and with caveats of every kind, can be delegated in any suite."""
    second = under(FIRST[suites[0]], suites[1], actions=("read",), caveats=CAVEATS[1:2])
    third = under(second, suites[2], PARTNER, controller=STRANGER, target=f"{TARGET}/delivery/records?a=b")
    chain = verify(from_wire(to_wire(third)))
    assert chain.controllers == (VENDOR.public, PARTNER.public, STRANGER.public)
    assert chain.ids == (uuid_urn(1), uuid_urn(2), uuid_urn(3))
    assert len(set(chain.digests)) == 3
    assert chain.caveats == (
        *((chain.digests[0], caveat) for caveat in CAVEATS),
        (chain.digests[1], CAVEATS[1]),
    )
    assert [link.document["@context"] for link in chain.leaf.links] == [
        contexts_of(suite) for suite in suites
    ]


OF_EZCAP: dict[str, str] = json.loads(
    (Path(foreign_links.__file__).with_name("ezcap_links.json")).read_text()
)["links"]


@pytest.mark.parametrize("name", OF_EZCAP)
def test_what_another_implementation_delegated_under_ours(name: str) -> None:
    """Two links that an unmodified client made under the first one above, with its caveats and its mark."""
    suites = name.split(" then ")
    chain = verify(from_wire(OF_EZCAP[name]))
    assert [link.suite for link in chain.leaf.links] == [JCS, *suites]
    assert chain.leaf.links[0].document == FIRST[JCS].document
    assert chain.controllers == (VENDOR.public, PARTNER.public, STRANGER.public)
    assert [caveat for _, caveat in chain.caveats] == list(CAVEATS)
    assert chain.generation == "zMark"
    chain.leaf.check_use(target_uri=f"{TARGET}/delivery/records?a=b&limit=1", action="read")


def test_the_longest_mixture() -> None:
    leaf, key = FIRST[JCS], VENDOR
    for number in range(2, limits.MAX_CHAIN_LINKS):
        holder = SigningKey(bytes([50 + number]) * 32)
        leaf = under(leaf, SUITES[number % 3], key, controller=holder, target=TARGET)
        key = holder
    chain = verify(from_wire(to_wire(leaf)))
    assert len(chain.digests) == len(set(chain.digests)) == len(set(chain.ids)) == 9


def test_the_largest_chain_has_a_canonical_form() -> None:
    """As many links and caveats as there may be, all alike: no bound on the work of a graph is reached."""
    terms = [f"dpv:{name}" for name in ("Marketing", "Advertising", "CustomerCare", "DeliveryOfGoods",
             "AccountManagement", "LegalCompliance", "ServiceProvision", "PaymentManagement")]  # fmt: skip
    caveats = [
        PurposeCaveat(purposes=frozenset(terms[n:] + terms[: n // 2])) for n in range(limits.MAX_CAVEATS)
    ]
    leaf = make_link(RDFC, controller=VENDOR, caveats=caveats)
    for number in range(2, limits.MAX_CHAIN_LINKS):
        leaf = under(leaf, RDFC, number=number, controller=VENDOR, target=TARGET, caveats=caveats)
    assert len(verify(from_wire(to_wire(leaf))).caveats) == 9 * limits.MAX_CAVEATS


def test_a_caveat_cannot_be_dropped_and_need_not_be_repeated() -> None:
    for suite in SUITES:
        first = FIRST[suite]
        child = under(first, suite)
        assert "caveat" not in child.document
        assert len(verify(child).caveats) == len(CAVEATS)
        without = {name: value for name, value in first.document.items() if name != "caveat"}
        with pytest.raises(SignatureError):
            verify(Capability.from_dict(with_member(child.document, "proof.capabilityChain.1", without)))


def test_what_counts_is_counted_under_the_link_that_says_so() -> None:
    """Whoever delegates further, by however many links, has the same counter."""
    first = FIRST[JCS]
    children = [under(first, suite, number=10 + n) for n, suite in enumerate(SUITES)]
    counters = {verify(child).caveats[0][0] for child in children}
    assert counters == {verify(first).digests[0]}


_SEGMENTS = st.lists(st.text(alphabet="abz09.-_~:@!$", min_size=1, max_size=6), max_size=3).map(
    lambda segments: "".join("/" + one for one in segments if set(one) != {"."})
)
_CAVEATS = st.lists(
    st.sampled_from([*CAVEATS, CountCaveat(reads=1), RateCaveat(reads=1, seconds=60)]), max_size=4
)


@settings(max_examples=60)
@given(
    suite=st.sampled_from(SUITES),
    actions=st.lists(st.sampled_from(["read", "answer", "write"]), min_size=1, unique=True),
    path=_SEGMENTS,
    query=st.sampled_from(["", "?a=b", "?a=b&c=%2F", "?purpose=research"]),
    caveats=_CAVEATS,
    seconds=st.tuples(st.integers(0, 10**6), st.integers(1, 90 * 86_400)),
    generation=st.none() | st.text(min_size=1, max_size=64),
)
def test_whatever_is_delegated_is_read_back_and_verifies(
    suite: Suite,
    actions: list[str],
    path: str,
    query: str,
    caveats: list[Caveat],
    seconds: tuple[int, int],
    generation: str | None,
) -> None:
    target = f"{TARGET}{path}{query}"
    made = make_link(
        suite, actions=tuple(actions), target=target, caveats=tuple(caveats), generation=generation,
        created_s=NOW_S + seconds[0], expires_s=NOW_S + sum(seconds),
    )  # fmt: skip
    leaf = from_wire(to_wire(made))
    assert leaf == made
    assert (leaf.target, set(leaf.actions), set(leaf.caveats)) == (target, set(actions), set(caveats))
    assert (leaf.suite, leaf.generation, leaf.signer) == (suite, generation, SERVING.public)
    chain = verify(leaf)
    chain.check_now(NOW_S + seconds[0])
    leaf.check_use(target_uri=target, action=actions[0])


# Spellings


@pytest.mark.parametrize("suite", OF_GRAPHS)
@pytest.mark.parametrize("name", SAME_GRAPH)
def test_a_graph_has_one_spelling(suite: Suite, name: str) -> None:
    """The signature holds for every spelling of the graph; only one of them is a capability."""
    respelled = SAME_GRAPH[name](FIRST[suite].document)
    with pytest.raises((MalformedError, CapabilityError)):
        Capability.from_dict(respelled)
    parent = under(FIRST[suite], JCS).document
    with pytest.raises((MalformedError, CapabilityError)):  # nor embedded
        Capability.from_dict(with_member(parent, "proof.capabilityChain.1", respelled))


_ORDERS = ("actions in another order", "an action twice", "caveats in another order", "days in another order")


@pytest.mark.parametrize("suite", OF_GRAPHS)
@pytest.mark.parametrize("name", _ORDERS)
def test_another_spelling_would_be_revoked_along(suite: Suite, name: str) -> None:
    """Even if it were accepted: what names it is what was signed."""
    respelled = SAME_GRAPH[name](FIRST[suite].document)
    assert respelled != FIRST[suite].document
    verified = verify_document(respelled, purpose="capabilityDelegation", suites=CAPABILITY_SUITES)
    digest = hashlib.sha256(verified.signed + verified.key.raw).digest()
    assert base64url_encode(digest) == FIRST[suite].verify()[1]


@pytest.mark.parametrize("suite", SUITES)
def test_the_order_of_members_and_white_space_change_no_name(suite: Suite) -> None:
    document = FIRST[suite].document
    shuffled = dict(reversed(document.items())) | {"proof": dict(reversed(document["proof"].items()))}
    assert Capability.from_dict(shuffled).verify() == FIRST[suite].verify()


def test_actions_have_an_order_where_the_suite_signs_it() -> None:
    unsigned = {**FIRST[JCS].document, "allowedAction": ["read", "answer"]}
    signed = re_signed(unsigned, SERVING, purpose="capabilityDelegation", chain=[root_id(TARGET)])
    link = Capability.from_dict(signed)
    assert link.actions == ("read", "answer")
    assert verify(link).leaf == link
    for suite in SUITES:
        assert make_link(suite, actions=("read", "answer")).actions == ("answer", "read")


# Whose it is


@pytest.mark.parametrize("suite", SUITES)
def test_an_id_that_was_taken_from_someone_revokes_nothing(suite: Suite) -> None:
    """A holder makes a child with a victim's id: it has another name for revoking, and revokes itself alone."""
    victim = under(FIRST[suite], suite, number=7, controller=PARTNER)
    thief = under(FIRST[suite], suite, number=7, controller=STRANGER)
    elsewhere = make_link(suite, STRANGER, number=7, controller=STRANGER)
    assert victim.id == thief.id == elsewhere.id
    names = {victim.verify()[1], thief.verify()[1], elsewhere.verify()[1]}
    assert len(names) == 3
    chain = verify(thief)
    assert PARTNER.public not in revokers(chain, root_key=SERVING.public)
    assert revokers(chain, root_key=SERVING.public) == {SERVING.public, VENDOR.public, STRANGER.public}


def test_one_content_in_two_suites_is_two_capabilities() -> None:
    assert len({link.verify()[1] for link in FIRST.values()}) == 3


# What it costs a verifier


@pytest.fixture
def proofs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The id of every link whose proof was worked on, in order."""
    seen: list[str] = []

    def watched(document: Document, **options: Any) -> Any:
        seen.append(document["id"])
        return verify_document(document, **options)

    monkeypatch.setattr(capability_module, "verify_document", watched)
    return seen


def _spoil_proof(document: Document) -> Document:
    """Return the document with a proof of another one."""
    return with_member(document, "proof.proofValue", FIRST[JCS].document["proof"]["proofValue"])


@pytest.mark.requirement("CAP-19")
@pytest.mark.parametrize("suite", OF_GRAPHS)
def test_a_graph_is_worked_on_only_after_the_link_before_it_verified(suite: Suite, proofs: list[str]) -> None:
    forged = Capability.from_dict(_spoil_proof(FIRST[suite].document))
    leaf = under(under(forged, suite), suite, PARTNER, controller=STRANGER)
    with pytest.raises(SignatureError):
        verify(leaf)
    assert proofs == [uuid_urn(1)]
    proofs.clear()
    forged = Capability.from_dict(_spoil_proof(under(FIRST[suite], suite).document))
    leaf = under(forged, suite, PARTNER, controller=STRANGER)
    with pytest.raises(SignatureError):
        verify(leaf)
    assert proofs == [uuid_urn(1), uuid_urn(2)]


@pytest.mark.parametrize(
    ("made", "error"),
    [
        (lambda: make_link(RDFC, STRANGER), ControllerError),
        (lambda: under(make_link(RDFC, STRANGER, controller=STRANGER), RDFC, STRANGER), ControllerError),
        (lambda: under(FIRST[RDFC], RDFC, STRANGER), ControllerError),
        (lambda: under(FIRST[RDFC], RDFC, actions=("write",)), AttenuationError),
        (lambda: under(FIRST[RDFC], RDFC, target=f"{TARGET}0"), AttenuationError),
    ],
)
def test_what_the_links_say_is_looked_at_before_any_proof(
    made: Callable[[], Capability], error: type[FreeholdError], proofs: list[str]
) -> None:
    leaf = made()
    with pytest.raises(error):
        verify(leaf)
    assert proofs == []


def test_a_good_chain_costs_a_proof_each(proofs: list[str]) -> None:
    verify(under(FIRST[RDFC], ED25519_2020))
    assert proofs == [uuid_urn(1), uuid_urn(2)]


def test_links_that_are_remembered_are_not_worked_on_again(proofs: list[str]) -> None:
    """Who holds the end of a long chain could otherwise make a node verify all of it for each new child."""
    memory: dict[bytes, str] = {}
    second = under(FIRST[RDFC], ED25519_2020)

    def child(number: int) -> Capability:
        return under(second, RDFC, PARTNER, number=number, controller=STRANGER)

    def verified(leaf: Capability) -> Chain:
        return verify_chain(leaf, root_target=TARGET, root_key=SERVING.public, memory=memory)

    assert verified(child(3)) == verify(child(3))
    proofs.clear()
    assert verified(child(4)).digests == verify(child(4)).digests
    assert proofs == [uuid_urn(4), uuid_urn(1), uuid_urn(2), uuid_urn(4)]
    assert len(memory) == 4
    proofs.clear()
    for spoil in (_spoil_proof, lambda document: with_member(document, "expires", "2026-11-24T12:00:00Z")):
        with pytest.raises(SignatureError):
            verified(Capability.from_dict(spoil(child(4).document)))
    with pytest.raises(ControllerError):  # known, and no good under another key
        verify_chain(child(4), root_target=TARGET, root_key=STRANGER.public, memory=memory)
    assert len(memory) == 4


def test_a_foreign_proof_of_2020_over_our_own_form() -> None:
    """A client may sign what it likes; the form is asked first."""
    for change in (
        {"allowedAction": "read"},
        {"expires": "2026-11-30T13:00:00+01:00"},
        {"controller": [VENDOR.did]},
    ):
        with pytest.raises(MalformedError):
            Capability.from_dict(signed_2020({**FIRST[RDFC].document, **change}, SERVING))
