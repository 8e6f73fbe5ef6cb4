"""The holes that deployed ZCAP software leaves open, and every rule about it: one request of our own for each.

Each is made as whoever has the keys could make it, and goes the whole way that a node's requests go.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from foreign_links import make_link
from freehold_protocol.canonical import jcs
from freehold_protocol.capability import CONTEXTS, Capability, revocation_target, root_id, to_wire
from freehold_protocol.encoding import Document, base64url_encode
from freehold_protocol.errors import (
    ActionError,
    AttenuationError,
    CapabilityError,
    ControllerError,
    DuplicateKeyError,
    ExpiredError,
    FreeholdError,
    MalformedError,
    SignatureError,
    StaleSignatureError,
    TargetError,
    TooDeepError,
    TooLargeError,
    UnsupportedError,
)
from freehold_protocol.ezcap import sign_ezcap
from freehold_protocol.invocation import HEADER, sign_invocation
from freehold_protocol.keys import SigningKey
from freehold_protocol.proof import JCS, RDFC
from signed_documents import (
    DAY_S,
    NOW_S,
    ORIGIN,
    PARTNER,
    SERVING,
    STRANGER,
    TARGET,
    VENDOR,
    make_capability,
    re_signed,
    uuid_urn,
)
from zcap_judge import Asked, Judge

NODE = Judge(root_target=TARGET, root_key=SERVING.public, now_s=NOW_S)
PATH = TARGET.removeprefix(ORIGIN)
RECORDS = f"{TARGET}/delivery/records"
FIRST = make_capability(actions=("read", "write"))
CHILD = make_capability(VENDOR, number=2, controller=PARTNER, parent=FIRST, target=f"{RECORDS}/7")
BODY = b'{"a":1}'
Profile = Callable[..., Asked]


def ezcap(capability: Capability | str, url: str, *, key: SigningKey = VENDOR, **members: Any) -> Asked:
    given: dict[str, Any] = {"method": "GET", "action": "read", "created_s": NOW_S}
    headers = sign_ezcap(key, capability, target_uri=url, **(given | members))
    return _asked(url, headers, given | members)


def rfc9421(capability: Capability | str, url: str, *, key: SigningKey = VENDOR, **members: Any) -> Asked:
    given: dict[str, Any] = {"method": "GET", "action": "read", "created_s": NOW_S, "nonce": "n" * 22}
    headers = sign_invocation(key, capability, target_uri=url, **(given | members))
    return _asked(url, headers, given | members)


def _asked(url: str, headers: dict[str, str], given: dict[str, Any]) -> Asked:
    return Asked(
        method=given["method"], target=url.removeprefix(ORIGIN), headers=headers, body=given.get("body")
    )


BOTH = pytest.mark.parametrize("profile", [ezcap, rfc9421])


def wired(data: bytes | Document) -> str:
    return base64url_encode(gzip.compress(data if isinstance(data, bytes) else jcs(data), mtime=0))


def refused(asked: Asked, error: type[FreeholdError], *, judge: Judge = NODE, revokes: bool = False) -> None:
    with pytest.raises(FreeholdError) as raised:
        judge.judge(asked, revokes=revokes)
    assert type(raised.value) is error, raised.value


@BOTH
def test_the_honest_ones_pass(profile: Profile) -> None:
    NODE.judge(profile(FIRST, TARGET))
    NODE.judge(profile(FIRST, f"{RECORDS}?limit=2"))
    NODE.judge(profile(FIRST, RECORDS, method="POST", action="write", body=BODY))
    NODE.judge(profile(CHILD, f"{RECORDS}/7", key=PARTNER))
    NODE.judge(profile(root_id(TARGET), TARGET, key=SERVING) if profile is ezcap else profile(FIRST, TARGET))


# The numbered holes


@BOTH
@pytest.mark.parametrize(
    "tail",
    [
        "/../9",
        "/./",
        "/..",
        "/%2e%2e/9",
        "/%2E%2E/9",
        "/.%2e/9",
        "/a%2f..%2f9",
        "/..%5c9",
        "//9",
        "/",
        "/\\..\\9",
    ],
)
def test_hole_1_dot_segments(profile: Profile, tail: str) -> None:
    """A capability for record 7, and a path that begins with it and could lead to record 9."""
    refused(profile(CHILD, f"{RECORDS}/7{tail}", key=PARTNER), TargetError)


@BOTH
@pytest.mark.parametrize("target", [f"{TARGET}/../x", f"{TARGET}/%2e%2e/x", f"{TARGET}//x", f"{TARGET}/x#y"])
def test_hole_1_in_what_is_delegated(profile: Profile, target: str) -> None:
    document = {**FIRST.document, "invocationTarget": target}
    made = re_signed(document, SERVING, purpose="capabilityDelegation", chain=[root_id(TARGET)])
    refused(profile(wired(made), TARGET), MalformedError)


@BOTH
@pytest.mark.parametrize("more", ["&a=2", "&b=1&b=2", "&%61=2", "&b+c=1&b%20c=2", "&a"])
def test_hole_2_a_key_of_a_query_twice(profile: Profile, more: str) -> None:
    child = make_capability(VENDOR, number=2, controller=PARTNER, parent=FIRST, target=f"{RECORDS}?a=1")
    NODE.judge(profile(child, f"{RECORDS}?a=1&limit=2", key=PARTNER))
    refused(profile(child, f"{RECORDS}?a=1{more}", key=PARTNER), TargetError)
    refused(profile(child, RECORDS, key=PARTNER), TargetError)
    refused(profile(child, f"{RECORDS}?limit=2&a=1", key=PARTNER), TargetError)
    refused(profile(child, f"{RECORDS}/7?a=1", key=PARTNER), TargetError)


def test_hole_3_replay_is_told_and_bounded() -> None:
    """The bytes do not tell; so the digest names them, and no signature outlives ten minutes."""
    one, again = NODE.judge(ezcap(FIRST, RECORDS)), NODE.judge(ezcap(FIRST, RECORDS))
    assert one.nonce is None
    assert one.signature_digest == again.signature_digest
    refused(ezcap(FIRST, RECORDS, lifetime_s=601), StaleSignatureError)
    refused(ezcap(FIRST, RECORDS, lifetime_s=300 * DAY_S), StaleSignatureError)
    refused(ezcap(FIRST, RECORDS), StaleSignatureError, judge=replace(NODE, now_s=NOW_S + 660))


@BOTH
def test_hole_4_a_body_whose_digest_is_not_signed(profile: Profile) -> None:
    read = profile(FIRST, RECORDS, method="POST", action="write")
    written = profile(FIRST, RECORDS, method="POST", action="write", body=BODY)
    refused(replace(read, body=BODY), SignatureError)
    refused(replace(read, body=BODY, headers={**written.headers, **read.headers}), SignatureError)
    refused(replace(written, body=b'{"a":2}'), SignatureError)
    refused(replace(written, body=None), SignatureError)


@BOTH
@pytest.mark.parametrize(
    ("wire", "error"),
    [
        (lambda: wired(bytes(5_000_000)), TooLargeError),
        (lambda: wired(b" " * 65_537), TooLargeError),
        (lambda: "A" * 8_193, TooLargeError),
        (lambda: wired(b"[" * 60_000), TooDeepError),
        (lambda: wired(b'{"a":' * 100 + b"1" + b"}" * 100), TooDeepError),
        (lambda: wired(jcs(FIRST.document)[:-1] + b',"id":"urn:uuid:x"}'), DuplicateKeyError),
        (
            lambda: wired(jcs(FIRST.document).replace(b'"proof":{', b'"proof":{"created":"x",')),
            DuplicateKeyError,
        ),
        (lambda: wired(jcs(FIRST.document)[:-1] + b',"x":NaN}'), MalformedError),
        (lambda: wired(jcs(FIRST.document)[:-1] + b',"x":1e999}'), MalformedError),
        (lambda: wired(b"[" + b"1," * 20_001 + b"1]"), TooLargeError),
        (lambda: wired(jcs(FIRST.document) + b"{}"), MalformedError),
        (lambda: wired(b"\xff"), MalformedError),
        (lambda: wired(b""), MalformedError),
        (lambda: base64url_encode(gzip.compress(jcs(FIRST.document), mtime=0) * 2), MalformedError),
        (lambda: base64url_encode(gzip.compress(jcs(FIRST.document), mtime=0)[:-1]), MalformedError),
        (lambda: base64url_encode(gzip.compress(jcs(FIRST.document), mtime=0) + b"x"), MalformedError),
        (lambda: base64url_encode(jcs(FIRST.document)), MalformedError),
        (lambda: to_wire(FIRST) + "A", MalformedError),
        (lambda: to_wire(FIRST)[:-2] + "_-", MalformedError),
    ],
)
def test_hole_5_what_a_header_unpacks_to(
    profile: Profile, wire: Callable[[], str], error: type[FreeholdError]
) -> None:
    refused(profile(wire(), RECORDS), error)


@BOTH
@pytest.mark.parametrize(
    "caveat",
    [
        [{"type": "urn:pds:caveat:RateLimit", "max": 10, "period": "PT1M"}],
        [{"type": "https://w3id.org/freehold/v1#Unheard", "https://w3id.org/freehold/v1#reads": 1}],
        ["https://caveats.example/expires-soon"],
    ],
)
def test_hole_6_a_caveat_that_nobody_knows(profile: Profile, caveat: Any) -> None:
    """Where a verifier does not know a limit, ignoring it is letting in."""
    chain: list[str | Document] = [root_id(TARGET)]
    first = re_signed(
        {**FIRST.document, "caveat": caveat}, SERVING, purpose="capabilityDelegation", chain=chain
    )
    refused(profile(wired(first), RECORDS), UnsupportedError)
    # Nor in a parent.
    child = {**CHILD.document, "controller": VENDOR.did}
    second = re_signed(child, VENDOR, purpose="capabilityDelegation", chain=[root_id(TARGET), first])
    refused(profile(wired(second), f"{RECORDS}/7"), UnsupportedError)


def revocation(
    leaf: Capability, *, key: SigningKey, url: str | None = None, profile: Profile = ezcap
) -> Asked:
    at = revocation_target(TARGET, leaf.id)
    return profile(
        root_id(url or at), at, key=key, method="POST", action="write", body=jcs(leaf.document)
    )  # fmt: skip


@pytest.mark.parametrize("key", [SERVING, VENDOR, PARTNER], ids=["person", "delegator", "leaf"])
def test_whoever_is_in_a_chain_may_revoke_it(key: SigningKey) -> None:
    NODE.judge(revocation(CHILD, key=key), revokes=True)


def test_hole_7_a_chain_is_verified_before_it_says_who_may_revoke() -> None:
    refused(revocation(CHILD, key=STRANGER), ControllerError, revokes=True)
    refused(revocation(FIRST, key=PARTNER), ControllerError, revokes=True)  # a child cannot revoke its parent
    # A stranger who makes itself a controller, with the victim's id or under the victim's parent.
    invented = make_capability(STRANGER, number=2, controller=STRANGER)
    refused(revocation(invented, key=STRANGER), ControllerError, revokes=True)
    under = make_capability(STRANGER, number=3, controller=STRANGER, parent=CHILD, target=f"{RECORDS}/7")
    refused(revocation(under, key=STRANGER), ControllerError, revokes=True)
    # A holder who takes a victim's id: it may revoke, and revokes what it made itself.
    thief = make_capability(VENDOR, number=2, controller=STRANGER, parent=FIRST, target=f"{RECORDS}/7")
    NODE.judge(revocation(thief, key=STRANGER), revokes=True)
    assert thief.id == CHILD.id
    assert thief.verify()[1] != CHILD.verify()[1]
    # Another root than that of this very URL.
    for url in (TARGET, revocation_target(TARGET, FIRST.id), revocation_target(ORIGIN, CHILD.id)):
        refused(revocation(CHILD, key=PARTNER, url=url), CapabilityError, revokes=True)


# The other rules


@BOTH
def test_headers_beside_say_nothing(profile: Profile) -> None:
    asked = profile(FIRST, RECORDS)
    more = {"host": "evil.example", "date": "x", "x-purpose": "marketing", "x-http-method-override": "DELETE"}
    assert NODE.judge(replace(asked, headers={**more, **asked.headers})).action == "read"


@BOTH
def test_a_root_is_never_sent(profile: Profile) -> None:
    root = {
        "@context": CONTEXTS[0], "id": root_id(TARGET), "controller": VENDOR.did, "invocationTarget": TARGET,
    }  # fmt: skip
    refused(profile(wired(root), RECORDS), MalformedError)
    child = re_signed(
        {**FIRST.document, "parentCapability": root_id(TARGET)},
        VENDOR,
        purpose="capabilityDelegation",
        chain=[root],
    )
    refused(profile(wired(child), RECORDS), CapabilityError)
    refused(profile(wired(FIRST.document | {"id": root_id(TARGET)}), RECORDS), MalformedError)


@BOTH
def test_a_root_is_its_controller_s(profile: Profile) -> None:
    if profile is rfc9421:
        return  # this client invokes no roots
    refused(ezcap(root_id(TARGET), TARGET), ControllerError)
    refused(ezcap(root_id(f"{TARGET}0"), TARGET, key=SERVING), CapabilityError)
    refused(ezcap(root_id(TARGET).lower(), TARGET, key=SERVING), MalformedError)
    for other in ("urn:zcap:root:", root_id(TARGET) + "%2F..", root_id(TARGET) + "%00", root_id("x")):
        refused(ezcap(other, TARGET, key=SERVING), MalformedError)


@BOTH
def test_times(profile: Profile) -> None:
    short = make_capability(expires_s=NOW_S + 10)
    later = [replace(NODE, now_s=NOW_S + seconds) for seconds in (9, 10, 11)]
    later[0].judge(profile(short, RECORDS))
    for judge in later[1:]:  # not a second longer
        refused(profile(short, RECORDS), ExpiredError, judge=judge)
    refused(profile(make_capability(expires_s=NOW_S + 90 * DAY_S + 1), RECORDS), AttenuationError)
    refused(profile(make_capability(created_s=NOW_S + 61), RECORDS), CapabilityError)
    outlives = make_capability(
        VENDOR, number=2, controller=PARTNER, parent=short, target=RECORDS, expires_s=NOW_S + 11
    )
    refused(profile(outlives, RECORDS, key=PARTNER), AttenuationError)
    refused(profile(FIRST, RECORDS, created_s=NOW_S + 61), StaleSignatureError)
    refused(profile(FIRST, RECORDS, created_s=NOW_S - 660, lifetime_s=600), StaleSignatureError)


def _links(count: int) -> tuple[str, SigningKey]:
    """Return the header of a chain of so many delegated links, and who holds it."""
    leaf, key = FIRST, VENDOR
    for number in range(2, min(count, 9) + 1):
        leaf = make_capability(key, number=number, controller=VENDOR, parent=leaf)
    document = leaf.document
    for number in range(10, count + 1):
        chain = [*document["proof"]["capabilityChain"][:-1], document["id"], document]
        unsigned = {**document, "id": uuid_urn(number), "parentCapability": document["id"]}
        document = re_signed(unsigned, VENDOR, purpose="capabilityDelegation", chain=chain)
    return wired(document), key


@BOTH
def test_chains(profile: Profile) -> None:
    NODE.judge(profile(_links(9)[0], RECORDS))
    for count in (10, 12):
        refused(profile(_links(count)[0], RECORDS), CapabilityError)
    circle = {**CHILD.document, "id": FIRST.id, "controller": VENDOR.did}
    chain: list[str | Document] = [root_id(TARGET), FIRST.document]
    refused(
        profile(wired(re_signed(circle, VENDOR, purpose="capabilityDelegation", chain=chain)), RECORDS),
        CapabilityError,
    )
    skipped = re_signed(
        {**CHILD.document, "controller": VENDOR.did, "parentCapability": FIRST.id},
        VENDOR,
        purpose="capabilityDelegation",
        chain=[root_id(TARGET), CHILD.id, FIRST.document],
    )
    refused(profile(wired(skipped), RECORDS), CapabilityError)


def _made(change: Callable[[Document], Document]) -> Callable[[], str]:
    """Return what makes the header of a first link that the node itself would have signed so."""

    def make() -> str:
        document = change(dict(FIRST.document))
        chain: list[str | Document] = [root_id(TARGET)]
        return wired(re_signed(document, SERVING, purpose="capabilityDelegation", chain=chain))

    return make


def _without(name: str) -> Callable[[], str]:
    return _made(lambda document: {key: value for key, value in document.items() if key != name})


@BOTH
@pytest.mark.parametrize(
    ("wire", "error"),
    [
        (_without("allowedAction"), MalformedError),  # elsewhere: everything
        (_without("expires"), MalformedError),  # elsewhere, of a child: as its parent
        (_without("controller"), MalformedError),
        (_made(lambda document: document | {"allowedAction": "read"}), MalformedError),
        (_made(lambda document: document | {"allowedAction": []}), MalformedError),
        (_made(lambda document: document | {"controller": [VENDOR.did]}), MalformedError),
        (_made(lambda document: document | {"controller": VENDOR.method}), MalformedError),
        (_made(lambda document: document | {"expires": "2026-11-24T14:00:00+02:00"}), MalformedError),
        (_made(lambda document: document | {"expires": "2026-11-24T12:00:00.5Z"}), MalformedError),
        (_made(lambda document: document | {"expires": "Tue, 24 Nov 2026 12:00:00 GMT"}), MalformedError),
        (_made(lambda document: document | {"invoker": VENDOR.did}), MalformedError),
        (_made(lambda document: document | {"@context": [*CONTEXTS, {"x": "urn:x"}]}), MalformedError),
        (
            _made(lambda document: document | {"@context": [*CONTEXTS, "http://127.0.0.1:1/c"]}),
            MalformedError,
        ),
        (lambda: wired({**FIRST.document, "proof": [FIRST.document["proof"]] * 2}), MalformedError),
        (lambda: wired({**FIRST.document, "proof": [FIRST.document["proof"]]}), MalformedError),
        (lambda: wired([FIRST.document]), MalformedError),  # type: ignore[arg-type]
    ],
)
def test_forms_that_others_take(
    profile: Profile, wire: Callable[[], str], error: type[FreeholdError]
) -> None:
    refused(profile(wire(), RECORDS), error)


@BOTH
def test_who_and_what(profile: Profile) -> None:
    refused(profile(FIRST, RECORDS, key=STRANGER), ControllerError)
    refused(
        profile(CHILD, f"{RECORDS}/7", key=VENDOR), ControllerError
    )  # the parent's holder is not the child's
    refused(profile(CHILD, f"{RECORDS}/8", key=PARTNER), TargetError)
    refused(profile(CHILD, f"{RECORDS}/70", key=PARTNER), TargetError)
    refused(profile(CHILD, f"{RECORDS}/7", key=PARTNER, action="write"), ActionError)
    refused(profile(make_capability(STRANGER), RECORDS), ControllerError)
    refused(profile(make_link(RDFC, STRANGER), RECORDS), ControllerError)
    elsewhere = make_link(JCS, target=f"{ORIGIN}/g/other", root_target=f"{ORIGIN}/g/other")
    refused(profile(elsewhere, f"{ORIGIN}/g/other"), CapabilityError)
    other = replace(NODE, root_key=STRANGER.public)
    refused(profile(FIRST, RECORDS), ControllerError, judge=other)


def test_signatures_over_less() -> None:
    """What wallet.storage's client signs, and any other subset, could be taken to another host or capability."""
    asked = ezcap(FIRST, RECORDS)
    lines = {
        "(created)": str(NOW_S),
        "(expires)": str(NOW_S + 600),
        "(key-id)": VENDOR.method,
        "(request-target)": f"get {PATH}/delivery/records",
        "host": ORIGIN.removeprefix("https://"),
        "capability-invocation": asked.headers[HEADER],
    }
    for names in (
        ["(created)", "(expires)", "(key-id)", "(request-target)"],
        ["(key-id)", "(created)", "(expires)", "(request-target)", "capability-invocation"],
        ["(key-id)", "(created)", "(expires)", "(request-target)", "host"],
    ):
        text = "\n".join(f"{name}: {lines[name]}" for name in names)
        signature = base64.b64encode(VENDOR.sign(text.encode())).decode()
        authorization = (
            f'Signature keyId="{VENDOR.method}",headers="{" ".join(names)}",signature="{signature}"'
            f',created="{NOW_S}",expires="{NOW_S + 600}"'
        )
        refused(replace(asked, headers={**asked.headers, "authorization": authorization}), SignatureError)


def test_one_way_of_signing_and_one_thing_invoked() -> None:
    one, other = ezcap(FIRST, RECORDS), rfc9421(FIRST, RECORDS)
    refused(replace(one, headers={**one.headers, **other.headers}), MalformedError)
    both = f'zcap id="{root_id(TARGET)}",capability="{to_wire(FIRST)}",action="read"'
    for asked in (one, other):
        refused(replace(asked, headers={**asked.headers, HEADER: both}), MalformedError)
        nothing = {name: value for name, value in asked.headers.items() if name != HEADER}
        refused(replace(asked, headers=nothing), MalformedError)


def test_a_revocation_s_body_is_signed() -> None:
    asked = revocation(CHILD, key=PARTNER)
    swapped = replace(asked, body=jcs({**json.loads(asked.body or b""), "id": uuid_urn(9)}))
    refused(swapped, SignatureError, revokes=True)
