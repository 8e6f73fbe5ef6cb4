"""Capabilities: each member's wrong forms, the shapes of a chain, the header form, and what names one for revoking."""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from typing import Any
from urllib.parse import quote

import pytest
from freehold_protocol import limits
from freehold_protocol.canonical import jcs
from freehold_protocol.capability import (
    CONTEXTS,
    GENERATION,
    Capability,
    delegate,
    from_wire,
    revocation_target,
    root_id,
    target_of_root,
    to_wire,
)
from freehold_protocol.encoding import Document, Json, base64url_encode, parse_document
from freehold_protocol.errors import (
    ActionError,
    CapabilityError,
    DuplicateKeyError,
    FreeholdError,
    MalformedError,
    SignatureError,
    TargetError,
    TooLargeError,
    UnsupportedError,
)
from freehold_protocol.keys import SigningKey
from hypothesis import given, settings
from hypothesis import strategies as st
from signed_documents import (
    DAY_S,
    GRANT_ID,
    NOW_S,
    ORIGIN,
    PARTNER,
    SERVING,
    STRANGER,
    TARGET,
    VENDOR,
    json_values,
    make_capability,
    re_signed,
    spoiled,
    survivors,
    uuid_urn,
    with_member,
    without_member,
)

FIRST = make_capability(generation="zGeneration")
SECOND = make_capability(VENDOR, number=2, controller=PARTNER, parent=FIRST, target=f"{TARGET}/delivery")
ROOT = root_id(TARGET)


def chain_of(length: int) -> Capability:
    """Return the leaf of a chain with this many delegated links; everyone delegates to themselves."""
    leaf = make_capability()
    for number in range(2, length + 1):
        leaf = make_capability(VENDOR, number=number, parent=leaf)
    return leaf


def packed(data: bytes) -> str:
    return base64url_encode(gzip.compress(data, mtime=0))


# The root


@pytest.mark.parametrize(
    "target", [TARGET, "http://127.0.0.1:8420/g/1", "https://a.example:8443/g/a-b_c.d~e"]
)
def test_the_root_s_id_is_that_of_every_other_implementation(target: str) -> None:
    assert root_id(target) == "urn:zcap:root:" + quote(target, safe="-_.~")
    assert root_id(TARGET) == f"urn:zcap:root:https%3A%2F%2Fp3kx9.example.org%2Fg%2F{GRANT_ID}"


ROOTS_OF_NONE = [
    "",
    "urn:zcap:root:",
    "urn:zcap:delegated:x",
    "urn:uuid:" + "0" * 32,
    TARGET,
    "urn:zcap:root:" + TARGET,
    ROOT + "/",
    ROOT + "%2F",
    ROOT + "%2F..",
    ROOT + "%00",
    ROOT + "%C3%A9",
    ROOT + "%",
    ROOT + "%2",
    ROOT + "%zz",
    ROOT + "\n",
    ROOT.replace("%3A", "%3a", 1),
    ROOT.replace("%2F", "%2f", 1),
    ROOT.replace("https", "ftp"),
    ROOT.replace("p3kx9", "%70" + "3kx9"),
    "URN:zcap:root:" + ROOT.removeprefix("urn:zcap:root:"),
    ROOT + "a" * 5_000,
]


def test_the_target_of_a_root() -> None:
    revoking = f"{TARGET}/zcaps/revocations/urn%3Auuid%3A1"
    for target in (TARGET, "http://127.0.0.1:8420/g/1", revoking, f"{TARGET}?a=b%2F"):
        assert target_of_root(root_id(target)) == target


@pytest.mark.parametrize("root", ROOTS_OF_NONE)
def test_what_is_no_root(root: str) -> None:
    with pytest.raises(MalformedError):
        target_of_root(root)


def test_where_a_capability_is_revoked() -> None:
    at = revocation_target(TARGET, FIRST.id)
    assert at == f"{TARGET}/zcaps/revocations/{quote(FIRST.id, safe='')}"
    assert target_of_root(root_id(at)) == at


# Form


def test_a_capability() -> None:
    assert FIRST.id == uuid_urn(1)
    assert FIRST.controller == VENDOR.public
    assert FIRST.target == TARGET
    assert FIRST.actions == ("read",)
    assert FIRST.created_s == NOW_S
    assert FIRST.expires_s == NOW_S + 7 * DAY_S
    assert FIRST.generation == "zGeneration"
    assert FIRST.chain == (ROOT,)
    assert FIRST.parent is None
    assert FIRST.links == (FIRST,)
    assert FIRST.verify()[0] == SERVING.public


def test_a_capability_under_another() -> None:
    assert SECOND.parent == FIRST
    assert SECOND.chain == (ROOT, FIRST.id)
    assert SECOND.links == (FIRST, SECOND)
    assert SECOND.generation is None
    assert SECOND.document["proof"]["capabilityChain"] == [ROOT, FIRST.document]
    assert SECOND.document["parentCapability"] == FIRST.id
    assert SECOND.verify()[0] == VENDOR.public
    again = Capability.from_dict(parse_document(jcs(SECOND.document)))
    assert again == SECOND


def test_the_first_link_may_be_under_its_root() -> None:
    part = make_capability(target=f"{TARGET}/delivery")
    assert part.chain == (ROOT,)
    whole = delegate(
        SERVING, capability_id=uuid_urn(1), controller=VENDOR.public, target=TARGET, actions=("read",),
        created_s=NOW_S, expires_s=NOW_S + 1,
    )  # fmt: skip
    assert whole.chain == (ROOT,)
    assert GENERATION not in whole.document


@pytest.mark.parametrize("leaf", [FIRST, SECOND], ids=["first", "second"])
def test_no_mutation_verifies(leaf: Capability) -> None:
    """Of any part: a parent's members and its proof are under the child's signature."""

    signers = [link.verify()[0] for link in leaf.links]

    def check(document: Document) -> None:
        if [link.verify()[0] for link in Capability.from_dict(document).links] != signers:
            raise SignatureError("signed by others")

    assert survivors(leaf.document, check, at_least=50) == []


@settings(max_examples=200)
@given(json_values | spoiled(SECOND.document))
def test_any_json_value_is_a_capability_or_a_freehold_error(value: Any) -> None:
    try:
        Capability.from_dict(value).verify()
    except FreeholdError:
        return
    assert jcs(value) == jcs(SECOND.document)


@pytest.mark.parametrize(
    "name",
    [
        "@context",
        "id",
        "parentCapability",
        "controller",
        "invocationTarget",
        "allowedAction",
        "expires",
        "proof",
    ],
)
def test_members_that_are_needed(name: str) -> None:
    with pytest.raises(MalformedError):
        Capability.from_dict(without_member(SECOND.document, name))


_DID = VENDOR.did


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        ("@context", CONTEXTS[0], MalformedError),
        ("@context", CONTEXTS[:1], MalformedError),
        ("@context", CONTEXTS[::-1], MalformedError),
        ("@context", [*CONTEXTS, "https://w3id.org/freehold/v1"], MalformedError),
        ("@context", [*CONTEXTS, {"a": "urn:a"}], MalformedError),
        ("@context", {"0": CONTEXTS[0]}, MalformedError),
        ("id", uuid_urn(1).upper(), MalformedError),
        ("id", "urn:zcap:delegated:z1", MalformedError),
        ("id", ROOT, MalformedError),
        ("id", None, MalformedError),
        ("parentCapability", "urn:zcap:root:other", CapabilityError),
        ("parentCapability", uuid_urn(9), CapabilityError),
        ("parentCapability", [ROOT], MalformedError),
        ("parentCapability", None, MalformedError),
        ("controller", [_DID], MalformedError),
        ("controller", VENDOR.method, MalformedError),
        ("controller", "did:web:shop.example", UnsupportedError),
        ("controller", {"id": _DID}, MalformedError),
        ("controller", "", MalformedError),
        ("invocationTarget", "p3kx9.example.org/g/1", MalformedError),
        ("invocationTarget", "ftp://p3kx9.example.org/g/1", MalformedError),
        ("invocationTarget", "HTTPS://p3kx9.example.org/g/1", MalformedError),
        ("invocationTarget", TARGET + "?", MalformedError),
        ("invocationTarget", TARGET + "?a=b&a=c", DuplicateKeyError),
        ("invocationTarget", TARGET + "/", MalformedError),
        ("invocationTarget", TARGET + "//a", MalformedError),
        ("invocationTarget", TARGET + "/../a", MalformedError),
        ("invocationTarget", TARGET + "#a", MalformedError),
        ("invocationTarget", TARGET + "/%2e%2e", MalformedError),
        ("invocationTarget", TARGET + "\\..", MalformedError),
        ("invocationTarget", TARGET + " ", MalformedError),
        ("invocationTarget", TARGET + "\n", MalformedError),
        ("invocationTarget", TARGET + "/\x00", MalformedError),
        ("invocationTarget", TARGET + "/\x7f", MalformedError),
        ("invocationTarget", TARGET + "/é", MalformedError),
        ("invocationTarget", TARGET + "/\u2028", MalformedError),
        ("invocationTarget", "https://" + "a" * 1001, TooLargeError),
        ("invocationTarget", "https://", MalformedError),
        ("invocationTarget", {"id": TARGET}, MalformedError),
        ("invocationTarget", None, MalformedError),
        ("allowedAction", "read", MalformedError),
        ("allowedAction", [], MalformedError),
        ("allowedAction", ["read", "read"], MalformedError),
        ("allowedAction", ["Read"], MalformedError),
        ("allowedAction", ["delete"], MalformedError),
        ("allowedAction", ["*"], MalformedError),
        ("allowedAction", [["read"]], MalformedError),
        ("allowedAction", [None], MalformedError),
        ("allowedAction", ["read", "answer", "write", "read"], TooLargeError),
        ("allowedAction", None, MalformedError),
        ("expires", "2026-11-30T12:00:00+02:00", MalformedError),
        ("expires", "2026-11-30T12:00:00.000Z", MalformedError),
        ("expires", NOW_S, MalformedError),
        ("expires", None, MalformedError),
        (GENERATION, None, MalformedError),
        (GENERATION, 1, MalformedError),
        (GENERATION, "", MalformedError),
        (GENERATION, "z" * 65, MalformedError),
        ("generation", "z", MalformedError),
        ("caveat", [], MalformedError),
        ("caveat", None, MalformedError),
        ("caveat", [{"type": "urn:x:Limit"}], UnsupportedError),
        ("Caveat", [], MalformedError),
        ("invoker", _DID, MalformedError),
        ("proof", None, MalformedError),
        ("proof", [], MalformedError),
        ("proof.created", None, MalformedError),
        ("proof.created", "2026-11-23", MalformedError),
    ],
)
def test_wrong_members(path: str, value: Json, error: type[FreeholdError]) -> None:
    def set_member(document: Document) -> Document:
        return {**document, path: value} if path == GENERATION else with_member(document, path, value)

    for document in (FIRST.document, SECOND.document):
        with pytest.raises(FreeholdError) as raised:
            Capability.from_dict(set_member(document))
        assert type(raised.value) is error
    # A parent is held to the same form as a leaf.
    with pytest.raises(FreeholdError) as raised:
        Capability.from_dict(
            with_member(SECOND.document, "proof.capabilityChain.1", set_member(FIRST.document))
        )
    assert type(raised.value) is error


def test_a_proof_says_when_it_was_made() -> None:
    with pytest.raises(MalformedError):
        Capability.from_dict(without_member(FIRST.document, "proof.created"))


@pytest.mark.parametrize("actions", [["read", "answer", "write"], ["write"], ["answer", "read"]])
def test_actions_are_written_in_the_order_that_every_suite_takes(actions: list[str]) -> None:
    assert make_capability(actions=tuple(actions)).document["allowedAction"] == sorted(actions)


# Chains


@pytest.mark.parametrize(
    "chain",
    [
        None,
        {},
        ROOT,
        [],
        [FIRST.document],  # the root itself, embedded
        [{"id": ROOT}],
        [None],
        [1],
        ["urn:uuid:1"],  # begins at no root
        [TARGET],
        [ROOT] * 10,
    ],
)
def test_shapes_of_a_first_link_s_chain(chain: Json) -> None:
    for document in (FIRST.document, SECOND.document):
        with pytest.raises(CapabilityError):
            Capability.from_dict(with_member(document, "proof.capabilityChain", chain))


THIRD = make_capability(PARTNER, number=3, parent=SECOND, target=f"{TARGET}/delivery/records")


@pytest.mark.parametrize(
    ("chain", "error"),
    [
        ([ROOT], CapabilityError),  # leaves out every parent
        ([ROOT, FIRST.id], MalformedError),  # the last is not embedded
        ([ROOT, FIRST.id, SECOND.id], MalformedError),
        ([ROOT, SECOND.document], CapabilityError),  # leaves out the one between
        ([ROOT, FIRST.document, SECOND.document], CapabilityError),  # embeds more than the last
        ([ROOT, FIRST.id, FIRST.id, SECOND.document], CapabilityError),
        ([ROOT, uuid_urn(9), SECOND.document], CapabilityError),  # names another between
        ([FIRST.id, SECOND.document], CapabilityError),  # begins at no root
        ([ROOT, ROOT, SECOND.document], CapabilityError),
        (["urn:zcap:root:other", FIRST.id, SECOND.document], CapabilityError),
        ([ROOT, FIRST.id, FIRST.document], CapabilityError),  # another parent than it says
        ([ROOT, 1, SECOND.document], CapabilityError),
        ([ROOT, None, SECOND.document], CapabilityError),
        ([ROOT, FIRST.id, [SECOND.document]], MalformedError),
        ([ROOT, FIRST.id, None], MalformedError),
        ([ROOT, FIRST.id, {**SECOND.document, "id": FIRST.id}], CapabilityError),  # in a circle
        ([ROOT, FIRST.id, {**SECOND.document, "id": uuid_urn(9)}], CapabilityError),
        ([SECOND.document, FIRST.id, ROOT], MalformedError),
    ],
)
def test_shapes_of_a_longer_chain(chain: Json, error: type[FreeholdError]) -> None:
    with pytest.raises(FreeholdError) as raised:
        Capability.from_dict(with_member(THIRD.document, "proof.capabilityChain", chain))
    assert type(raised.value) is error


def test_a_chain_that_names_itself() -> None:
    with pytest.raises(CapabilityError, match="circle"):
        make_capability(VENDOR, number=1, parent=FIRST)  # with its parent's id
    with pytest.raises(CapabilityError, match="circle"):
        make_capability(PARTNER, number=1, parent=SECOND)
    endless: Document = json.loads(json.dumps(SECOND.document))
    endless["proof"]["capabilityChain"][1] = endless
    with pytest.raises(CapabilityError, match="at most 10"):
        Capability.from_dict(endless)


def test_a_chain_has_nine_delegations_at_most() -> None:
    longest = chain_of(limits.MAX_CHAIN_LINKS - 1)
    assert len(longest.links) == 9
    assert len(longest.chain) == 9
    assert (
        Capability.from_dict(parse_document(jcs(longest.document), max_bytes=limits.MAX_CAPABILITY_BYTES))
        == longest
    )
    with pytest.raises(CapabilityError):
        make_capability(VENDOR, number=10, parent=longest)


# Use


@pytest.mark.parametrize(
    ("uri", "good"),
    [
        (TARGET, True),
        (TARGET + "/delivery/records", True),
        (TARGET + "?a=b", True),
        (TARGET + "/", False),
        (TARGET + "/a/../b", False),
        (TARGET + "/%2e%2e", False),
        (TARGET + "?a=b&a=c", False),
        (TARGET + "?a=b&%61=c", False),
        (TARGET + "x", False),
        (TARGET + "x/records", False),
        (TARGET + "&a=b", False),
        (TARGET + "#a", False),
        (TARGET[:-1], False),
        (ORIGIN + "/g/", False),
        (TARGET.replace("https", "http"), False),
        (TARGET.replace("p3kx9", "P3KX9"), False),
        (TARGET.replace(".org", ".org:443"), False),
        ("https://evil.example/" + TARGET, False),
        ("", False),
    ],
)
def test_targets(uri: str, good: bool) -> None:
    if good:
        FIRST.check_use(target_uri=uri, action="read")
    else:
        with pytest.raises(TargetError):
            FIRST.check_use(target_uri=uri, action="read")


@pytest.mark.parametrize("action", ["write", "answer", "Read", "", "read,write"])
def test_actions(action: str) -> None:
    with pytest.raises(ActionError):
        FIRST.check_use(target_uri=TARGET, action=action)


# What names one for revoking


def test_a_revocation_s_key_is_of_what_was_signed() -> None:
    _, key = FIRST.verify()
    assert len(key) == 43
    respelled = parse_document(json.dumps(dict(reversed(FIRST.document.items())), indent=3).encode())
    assert Capability.from_dict(respelled).verify() == (SERVING.public, key)
    assert SECOND.verify()[1] != key
    assert SECOND.links[0].verify()[1] == key


def test_an_id_that_was_taken_from_someone_revokes_nothing() -> None:
    """A delegator chooses ids; whoever takes a victim's revokes its own capability and no other."""
    victim = make_capability(number=5)
    thief = make_capability(STRANGER, number=5)
    assert thief.id == victim.id
    assert thief.document["invocationTarget"] == victim.document["invocationTarget"]
    assert thief.verify()[1] != victim.verify()[1]
    same_key = make_capability(number=5, expires_s=NOW_S + DAY_S)
    assert same_key.id == victim.id
    assert same_key.verify()[1] != victim.verify()[1]
    assert make_capability(number=5).verify()[1] == victim.verify()[1]


def test_a_capability_s_proof_is_for_delegating() -> None:
    for made in (
        re_signed(FIRST.document, SERVING, chain=[ROOT]),
        re_signed(FIRST.document, SERVING, chain=[ROOT], purpose="authentication"),
    ):
        with pytest.raises(SignatureError):
            Capability.from_dict(made).verify()
    moved = with_member(FIRST.document, "proof.verificationMethod", STRANGER.method)
    with pytest.raises(SignatureError):
        Capability.from_dict(moved).verify()


# The header


def test_the_header_form_comes_back() -> None:
    for leaf in (FIRST, SECOND, THIRD, chain_of(9)):
        wire = to_wire(leaf)
        assert from_wire(wire) == leaf
        assert to_wire(leaf) == wire
        assert len(wire) <= limits.MAX_CAPABILITY_WIRE_BYTES
        assert "=" not in wire


def _tall(length: int) -> Capability:
    """A chain whose links barely compress."""
    key, leaf = SERVING, None
    for number in range(1, length + 1):
        controller = SigningKey(bytes([100 + number]) * 32)
        more: dict[str, Any] = {} if leaf is None else {"parent": leaf}
        path = "".join(SigningKey(bytes([number, n] * 16)).public.multikey for n in range(20))
        target = f"{TARGET}/{path}"[:1000]
        leaf = make_capability(key, number=number, controller=controller, target=target, **more)
        key = controller
    assert leaf is not None
    return leaf


@pytest.mark.requirement("LIM-2")
def test_a_capability_that_is_too_large_for_a_header() -> None:
    huge = _tall(9)
    with pytest.raises(TooLargeError):
        to_wire(huge)


def test_bounds_of_the_header_form() -> None:
    with pytest.raises(TooLargeError, match="for a header"):
        from_wire("A" * (limits.MAX_CAPABILITY_WIRE_BYTES + 1))
    with pytest.raises(TooLargeError, match="inflates"):
        from_wire(packed(b" " * (limits.MAX_CAPABILITY_BYTES + 1)))
    with pytest.raises(TooLargeError, match="inflates"):
        from_wire(packed(bytes(5_000_000)))
    with pytest.raises(MalformedError, match="not JSON"):
        from_wire(packed(b" " * limits.MAX_CAPABILITY_BYTES))
    padded = jcs(FIRST.document)
    padded += b" " * (limits.MAX_CAPABILITY_BYTES - len(padded))
    assert from_wire(packed(padded)) == FIRST


DATA = jcs(FIRST.document)
ZIPPED = gzip.compress(DATA, mtime=0)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        DATA,  # not compressed
        zlib.compress(DATA),  # no gzip
        ZIPPED[:-1],
        ZIPPED[:-8],
        ZIPPED[:20],
        ZIPPED[:10],
        ZIPPED + b"\0",
        ZIPPED + b"x",
        ZIPPED + ZIPPED,  # two members
        gzip.compress(DATA[:50], mtime=0) + gzip.compress(DATA[50:]),
        ZIPPED + gzip.compress(b"", mtime=0),
        ZIPPED[:-8] + bytes(4) + ZIPPED[-4:],  # a wrong checksum
        ZIPPED[:-4] + bytes(4),  # a wrong length
        b"\x1f\x8b\x07" + ZIPPED[3:],
        gzip.compress(b"", mtime=0),
        gzip.compress(b"[]", mtime=0),
        gzip.compress(b'"x"', mtime=0),
        gzip.compress(DATA + b"{}", mtime=0),
        gzip.compress(b"\xff" + DATA, mtime=0),
        gzip.compress(
            DATA.replace(b'"controller"', b'"id":"urn:uuid:x","controller"'), mtime=0
        ),  # a key twice
        gzip.compress(b'{"a":' * 5000, mtime=0),
    ],
)
def test_what_is_no_header_form(data: bytes) -> None:
    with pytest.raises(MalformedError):
        from_wire(base64url_encode(data))


@pytest.mark.parametrize(
    "text", ["", "=", "A", "AA==", base64.b64encode(ZIPPED).decode() + "=", packed(DATA) + "\n", "é", "A A"]
)
def test_what_is_not_base64url(text: str) -> None:
    with pytest.raises(MalformedError):
        from_wire(text)


@settings(max_examples=150)
@given(st.binary(max_size=80) | st.tuples(st.integers(0, len(ZIPPED) - 1), st.integers(1, 255)))
def test_any_header_is_a_capability_or_a_freehold_error(spoil: Any) -> None:
    data = bytearray(ZIPPED)
    if isinstance(spoil, bytes):
        data = bytearray(spoil)
    else:
        data[spoil[0]] ^= spoil[1]
    try:
        found = from_wire(base64url_encode(bytes(data)))
    except FreeholdError:
        return
    assert found == FIRST  # a byte of the gzip header that says nothing
