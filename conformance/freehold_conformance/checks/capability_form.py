"""The one form of a capability and of the header that carries it: every other is refused before it is looked into."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..cast.holder import Holder
from ..cast.stage import DAY_S, Stage
from ..check import Topic
from ..hands import capability as capabilities
from ..hands.encoding import Document, base64url, jcs, xsd_time
from ..hands.keys import Key
from .capability_scene import Lent, Made, expect_takes, expect_turns_away, lent, of_header

topic = Topic()

_ZCAP: Final = "https://w3id.org/zcap/v1"
_SUITE: Final = "https://w3id.org/security/data-integrity/v2"
_MEMBERS: Final = (
    "@context", "id", "parentCapability", "controller", "invocationTarget", "allowedAction", "expires",
)  # fmt: skip
_OF_PROOF: Final = ("type", "cryptosuite", "verificationMethod", "proofPurpose", "@context")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """How a form is broken, and what is said of it."""

    make: Made
    status: int = 400
    codes: tuple[str, ...] = ("malformed",)


def _member(name: str, value: Any, status: int = 400, code: str = "malformed") -> Bad:
    """Return a link that was signed with this member; None leaves it out."""
    return Bad(make=lambda scene: scene.link(**{name: value}), status=status, codes=(code,))


def _remade(name: str, change: Callable[[Any], Any], status: int = 400, code: str = "malformed") -> Bad:
    """Return a link that was signed with this member changed."""

    def make(scene: Lent) -> Any:
        return scene.link(**{name: change(scene.link().capability[name])})

    return Bad(make=make, status=status, codes=(code,))


def _proof(status: int = 400, code: str = "malformed", **members: Any) -> Bad:
    """Return a link whose proof was made with these members."""
    return Bad(make=lambda scene: scene.link(signing=dict(members)), status=status, codes=(code,))


def _after(change: Callable[[Document], object], status: int = 400, *codes: str) -> Bad:
    """Return a link that was changed after it was signed."""
    return Bad(make=lambda scene: scene.changed(change), status=status, codes=codes or ("malformed",))


def _text(change: Callable[[str], str], status: int = 400, code: str = "malformed") -> Bad:
    """Return a link whose JSON is changed as text."""
    return Bad(make=lambda scene: scene.as_text(change), status=status, codes=(code,))


def _respelled(document: Document, name: str, other: str) -> None:
    document[other] = document.pop(name)


_WEB: Final = "did:web:vendor.example"
_X25519: Final = "did:key:z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc"

FORMS: Final[Mapping[str, Bad]] = {
    **{f"without-{name}": _member(name, None) for name in _MEMBERS},
    **{f"number-as-{name}": _member(name, 7) for name in _MEMBERS},
    **{f"object-as-{name}": _member(name, {"id": "x"}) for name in _MEMBERS},
    **{f"null-as-{name}": _after(lambda made, name=name: made.update({name: None})) for name in _MEMBERS},  # type: ignore[misc]
    **{
        f"array-as-{name}": _remade(name, lambda value: [value])
        for name in ("id", "parentCapability", "controller", "invocationTarget", "expires")
    },
    "without-a-proof": _after(lambda made: made.pop("proof")),
    "another-member": _member("name", "delivery"),
    "a-type": _member("type", "Zcap"),
    "invoker": _member("invoker", "did:key:z6Mk"),
    "id-as-@id": _after(lambda made: _respelled(made, "id", "@id")),
    "controller-as-iri": _after(
        lambda made: _respelled(made, "controller", "https://w3id.org/security#controller")
    ),
    "context-as-text": _member("@context", _ZCAP),
    "context-alone": _member("@context", [_ZCAP]),
    "contexts-turned-round": _member("@context", [_SUITE, _ZCAP]),
    "context-more": _member("@context", [_ZCAP, _SUITE, "https://schema.org"]),
    "context-inline": _member("@context", [_ZCAP, _SUITE, {"x": "https://x.example#"}]),
    "context-of-another-suite": _member(
        "@context", [_ZCAP, "https://w3id.org/security/suites/ed25519-2020/v1"]
    ),
    "context-other-spelling": _member("@context", [_ZCAP + "/", _SUITE]),
    "id-no-uuid": _member("id", "urn:example:1"),
    "id-in-capitals": _remade("id", str.upper),
    "id-with-capital-digits": _member("id", "urn:uuid:ABCDEF00-0000-4000-8000-000000000000"),
    "id-a-url": _member("id", "https://vendor.example/1"),
    "id-empty": _member("id", ""),
    "controller-a-method": _remade("controller", lambda did: f"{did}#{did[8:]}"),
    "controller-no-did": _member("controller", "https://vendor.example/"),
    "controller-of-a-domain": _member("controller", _WEB, 422, "unsupported"),
    "controller-of-another-kind-of-key": _member("controller", _X25519, 422, "unsupported"),
    "controllers-two": _remade("controller", lambda did: [did, Key.fresh().did]),
    "action-as-text": _member("allowedAction", "read"),
    "action-none": _member("allowedAction", []),
    "action-twice": _member("allowedAction", ["read", "read"]),
    "action-unknown": _member("allowedAction", ["delete"]),
    "action-capital": _member("allowedAction", ["Read"]),
    "action-number": _member("allowedAction", [1]),
    "actions-four": _member("allowedAction", ["answer", "read", "write", "read"], 413, "too-large"),
    "expires-with-offset": _remade("expires", lambda at: at[:-1] + "+00:00"),
    "expires-with-fraction": _remade("expires", lambda at: at[:-1] + ".0Z"),
    "expires-in-small-letters": _remade("expires", str.lower),
    "expires-without-zone": _remade("expires", lambda at: at[:-1]),
    "expires-a-date": _remade("expires", lambda at: at[:10]),
    "expires-with-space": _remade("expires", lambda at: at.replace("T", " ")),
    "expires-with-leap-second": _remade("expires", lambda at: at[:17] + "60Z"),
    "expires-no-such-day": _member("expires", "2027-02-30T00:00:00Z"),
    "expires-year-of-five-digits": _member("expires", "12027-01-01T00:00:00Z"),
    "caveat-as-object": _member("caveat", {"type": "https://w3id.org/freehold/v1#CountLimit"}),
    "caveat-none": _member("caveat", []),
    "mark-a-number": _member("https://w3id.org/freehold/v1#generation", 1),
    "mark-too-long": _member("https://w3id.org/freehold/v1#generation", "z" * 65),
    "mark-empty": _member("https://w3id.org/freehold/v1#generation", ""),
}


def _by_id_alone(scene: Lent) -> Holder:
    chain = capabilities.chain_below(scene.vendor.capability)
    return scene.link(signing={"chain": [*chain[:-1], scene.vendor.capability["id"]]})


PROOFS: Final[Mapping[str, Bad]] = {
    **{f"without-{name}": _after(lambda made, name=name: made["proof"].pop(name)) for name in (  # type: ignore[misc]
        "created", "verificationMethod", "proofPurpose", "capabilityChain", "proofValue", "@context",
    )},
    **{
        f"number-as-{name}": _after(lambda made, name=name: made["proof"].update({name: 7}))  # type: ignore[misc]
        for name in ("created", "verificationMethod", "proofPurpose", "proofValue")
    },
    "parent-not-embedded": Bad(make=_by_id_alone),
    "in-an-array": _after(lambda made: made.update(proof=[made["proof"]])),
    "two": _after(lambda made: made.update(proof=[made["proof"], made["proof"]])),
    "as-text": _after(lambda made: made.update(proof="z")),
    "another-member": _proof(domain="vendor.example"),
    "an-id": _proof(id="urn:uuid:00000000-0000-4000-8000-000000000000"),
    "expires": _proof(expires="2099-01-01T00:00:00Z"),
    "suite-unknown": _proof(422, "unsupported", cryptosuite="ecdsa-jcs-2019"),
    "suite-without-name": _proof(422, "unsupported", cryptosuite=None),
    "suite-of-2018": _proof(422, "unsupported", type="Ed25519Signature2018", cryptosuite=None),
    "type-unknown": _proof(422, "unsupported", type="Proof"),
    "created-with-offset": _after(
        lambda made: made["proof"].update(created=made["proof"]["created"][:-1] + "+00:00")
    ),
    "method-a-did": _after(
        lambda made: made["proof"].update(verificationMethod=made["proof"]["verificationMethod"].partition("#")[0])
    ),
    "method-of-another-fragment": _after(
        lambda made: made["proof"].update(
            verificationMethod=made["proof"]["verificationMethod"].partition("#")[0] + "#key-1"
        )
    ),
    "method-of-a-domain": _after(
        lambda made: made["proof"].update(verificationMethod=f"{_WEB}#key-1"), 422, "unsupported"
    ),
}  # fmt: skip


@topic.check("CAP-3", "CAP-2", cases=FORMS)
async def a_capability_has_one_form(stage: Stage, bad: Bad) -> None:
    """A member that is missing, too much, of another kind or spelled otherwise is refused, though it was signed so."""
    await _expect_turned_away(stage, bad)


@topic.check("CAP-4", cases=PROOFS)
async def a_proof_has_one_form(stage: Stage, bad: Bad) -> None:
    """A proof lacks nothing, has nothing more, and is of a suite that is known."""
    await _expect_turned_away(stage, bad)


async def _expect_turned_away(stage: Stage, bad: Bad) -> None:
    scene = await lent(stage)
    made = bad.make(scene)
    if isinstance(made, str):
        await expect_turns_away(scene, scene.link(), bad.status, *bad.codes, invocation=made)
    else:
        await expect_turns_away(scene, made, bad.status, *bad.codes)


@topic.check("CAP-3", cases={name: bad for name, bad in FORMS.items() if name in (
    "without-expires", "another-member", "context-as-text", "array-as-controller", "action-as-text",
    "expires-with-offset", "id-as-@id",
)})  # fmt: skip
async def an_embedded_parent_has_one_form(stage: Stage, bad: Bad) -> None:
    """What is refused of a link is refused of every link above it."""
    scene = await lent(stage)
    made = bad.make(scene)
    if not isinstance(made, str):
        parent = {"id": "urn:uuid:00000000-0000-4000-8000-000000000001"} | made.capability
        below = scene.link(parentCapability=parent["id"], signing={"chain": capabilities.chain_below(parent)})
        await expect_turns_away(scene, below, bad.status, *bad.codes)


JSON: Final[Mapping[str, Bad]] = {
    "key-twice": _text(lambda text: text[:-1] + ',"id":"urn:uuid:x"}', 400, "duplicate-key"),
    "key-twice-by-an-escape": _text(lambda text: text[:-1] + ',"i\\u0064":"urn:uuid:x"}', 400, "duplicate-key"),
    "key-twice-in-the-proof": _text(
        lambda text: text.replace('"proofPurpose"', '"created":"2026-01-01T00:00:00Z","proofPurpose"'),
        400, "duplicate-key",
    ),
    "byte-order-mark": _text(lambda text: "\ufeff" + text),
    "not-a-number": _text(lambda text: text[:-1] + ',"x":NaN}'),
    "half-a-pair": _text(lambda text: text[:-1] + ',"x":"\\ud800"}'),
    "something-after": _text(lambda text: text + "{}"),
    "in-an-array": _text(lambda text: f"[{text}]"),
    "a-text": _text(lambda _: '"zcap"'),
    "nothing": _text(lambda _: ""),
    "single-quotes": _text(lambda text: text.replace('"', "'")),
    "too-deep": _text(lambda text: text[:-1] + ',"x":' + "[" * 70 + "]" * 70 + "}", 400, "too-deep"),
    "far-too-deep": _text(lambda text: text[:-1] + ',"x":' + "[" * 30_000 + "]" * 30_000 + "}", 400, "too-deep"),
}  # fmt: skip


@topic.check("ENC-5", "CAP-3", "ENC-7", cases=JSON)
async def a_capability_is_strict_json(stage: Stage, bad: Bad) -> None:
    """What two parsers would read in two ways is refused."""
    await _expect_turned_away(stage, bad)


def _good(scene: Lent) -> bytes:
    return jcs(scene.link().capability)


def _header(change: Callable[[bytes], str], status: int = 400, code: str = "malformed") -> Bad:
    """Return a header made of the JSON of a good link."""
    return Bad(make=lambda scene: of_header(change(_good(scene))), status=status, codes=(code,))


def _gzip(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def _unlike(data: bytes) -> bytes:
    """Return this JSON with another member of bytes that do not compress."""
    import secrets

    return data[:-1] + b',"x":"' + secrets.token_hex(8_192).encode() + b'"}'


def _bits(text: str) -> str:
    """Return the same bytes in base64url whose trailing bits are not zero."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + letters[letters.index(text[-1]) ^ 1]


def _two_over(data: bytes) -> bytes:
    """Return gzip of this JSON whose length leaves trailing bits, by spaces that JSON allows."""
    while len(packed := _gzip(data)) % 3 == 0:
        data += b" "
    return packed


HEADERS: Final[Mapping[str, Bad]] = {
    "not-gzip": _header(base64url),
    "zlib": _header(lambda data: base64url(zlib.compress(data))),
    "cut-off": _header(lambda data: base64url(_gzip(data)[:-9])),
    "wrong-checksum": _header(lambda data: base64url(_gzip(data)[:-8] + b"\0" * 8)),
    "bytes-after": _header(lambda data: base64url(_gzip(data) + b"\0")),
    "two-members": _header(lambda data: base64url(_gzip(data) + _gzip(b" "))),
    "two-halves": _header(lambda data: base64url(_gzip(data[:9]) + _gzip(data[9:]))),
    "padded": _header(lambda data: base64url(_two_over(data)) + "="),
    "trailing-bits": _header(lambda data: _bits(base64url(_two_over(data)))),
    "standard-base64": _header(lambda data: base64url(_gzip(data)) + "+/"),
    "with-a-space": _header(lambda data: base64url(_gzip(data)) + " "),
    "empty": _header(lambda _: ""),
    "too-long": _header(lambda data: base64url(_gzip(_unlike(data))), 413, "too-large"),
    "a-bomb": _header(lambda data: base64url(_gzip(data + b" " * 5_000_000)), 413, "too-large"),
    "a-byte-too-much": _header(lambda data: base64url(_gzip(data.ljust(65_537))), 413, "too-large"),
    "without-a-capability": Bad(make=lambda _: 'zcap action="read"'),
    "without-an-action": Bad(
        make=lambda scene: of_header(capabilities.packed(_good(scene))).partition(",")[0]
    ),
    "action-first": Bad(
        make=lambda scene: f'zcap action="read",capability="{capabilities.packed(_good(scene))}"'
    ),
    "a-space-after-the-comma": Bad(
        make=lambda scene: of_header(capabilities.packed(_good(scene))).replace(",", ", ")
    ),
    "not-quoted": Bad(make=lambda scene: f"zcap capability={capabilities.packed(_good(scene))},action=read"),
    "capital": Bad(make=lambda scene: of_header(capabilities.packed(_good(scene))).replace("zcap", "Zcap")),
    "action-capital": Bad(
        make=lambda scene: of_header(capabilities.packed(_good(scene))).replace('"read"', '"Read"')
    ),
    "action-empty": Bad(
        make=lambda scene: of_header(capabilities.packed(_good(scene))).replace('"read"', '""')
    ),
    "action-twice": Bad(make=lambda scene: of_header(capabilities.packed(_good(scene))) + ',action="read"'),
    "something-after": Bad(make=lambda scene: of_header(capabilities.packed(_good(scene))) + ",x"),
    "id-and-capability": Bad(
        make=lambda scene: of_header(capabilities.packed(_good(scene))).replace(
            "zcap ", f'zcap id="{capabilities.root_id(scene.root)}",'
        )
    ),
    "capability-and-id": Bad(
        make=lambda scene: (
            of_header(capabilities.packed(_good(scene))) + f',id="{capabilities.root_id(scene.root)}"'
        )
    ),
    "the-id-of-a-link": Bad(make=lambda scene: f'zcap id="{scene.link().capability["id"]}",action="read"'),
}


@topic.check("CAP-30", "INV-10", "INV-11", cases=HEADERS)
async def a_header_carries_a_capability_in_one_spelling(stage: Stage, bad: Bad) -> None:
    """What is not base64url of one whole gzip member within its bounds is refused."""
    await _expect_turned_away(stage, bad)


@topic.check("CAP-30", cases={"any-order-of-members": 0, "with-white-space": 1, "as-large-as-may-be": 2})
async def any_json_text_of_the_one_form_is_taken(stage: Stage, which: int) -> None:
    """Clients write members in any order and with white space; up to the last byte of the bound."""
    import json

    scene = await lent(stage)
    holder = scene.link()
    turned = dict(reversed(holder.capability.items()))
    texts = (
        json.dumps(turned, separators=(",", ":")).encode(),
        json.dumps(holder.capability, indent=1).encode(),
        jcs(holder.capability).ljust(65_536),
    )
    await expect_takes(holder, invocation=of_header(capabilities.packed(texts[which])))


@topic.check("INV-11", "HTTP-11", cases={"read": "read", "write": "write"})
async def a_root_cannot_be_invoked_to_read(stage: Stage, action: str) -> None:
    """The root of a grant is nobody's but the node's: a vendor that invokes it by its id finds nothing."""
    scene = await lent(stage)
    root = f'zcap id="{capabilities.root_id(scene.root)}",action="{action}"'
    await expect_turns_away(scene, scene.vendor, 404, "not-found", invocation=root)


@topic.check("CAP-1", "CAP-18", "HTTP-12")
async def a_root_that_is_sent_is_refused(stage: Stage) -> None:
    """A root capability is never sent: one in the header is no capability of the form."""
    scene = await lent(stage)
    root = {
        "@context": _ZCAP, "id": capabilities.root_id(scene.root), "controller": scene.vendor.key.did,
        "invocationTarget": scene.root,
    }  # fmt: skip
    header = of_header(capabilities.packed(jcs(root)))
    await expect_turns_away(scene, scene.vendor, 400, "malformed", invocation=header)


@topic.check("CAP-1", "CAP-24")
async def what_is_issued_is_of_the_form(stage: Stage) -> None:
    """A node's own capability: the root's id, the whole grant, one action, seven days, a mark and no caveats."""
    from ..check import expect, expect_equal
    from ..hands import proof
    from ..hands.encoding import from_xsd_time

    scene = await lent(stage)
    made = scene.vendor.capability
    mark = "https://w3id.org/freehold/v1#generation"
    expect_equal(set(made), {*_MEMBERS, "proof", mark}, "members")
    root = capabilities.root_id(scene.root)
    expect_equal((made["parentCapability"], made["invocationTarget"]), (root, scene.root), "root and target")
    expect_equal(
        (made["allowedAction"], made["controller"]), (["read"], scene.vendor.key.did), "action, controller"
    )
    expect_equal(made["proof"]["capabilityChain"], [root], "capabilityChain")
    page = await scene.vendor.read("delivery")
    signed = proof.is_proven(made, page["issuer"], purpose="capabilityDelegation")
    expect(signed, "the proof is not by the serving key")
    lives_s = from_xsd_time(made["expires"]) - from_xsd_time(made["proof"]["created"])
    expect_equal(lives_s, 7 * DAY_S, "seconds it lives")
    expect(made[mark].startswith("z") and len(made[mark]) <= 64, "the mark is no multibase text")
    expect(xsd_time(from_xsd_time(made["expires"])) == made["expires"], "expires is not of the one spelling")
