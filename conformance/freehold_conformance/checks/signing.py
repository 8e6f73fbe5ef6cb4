"""What a signature covers, who made it, and for which kind of message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..cast.stage import Stage
from ..check import Topic, expect_problem, expect_status
from ..hands import message
from ..hands.crafting import Crafted, malleable, quoted
from ..hands.keys import Key
from .capability_scene import READ, lent
from .signing_scene import (
    CONTROLLER,
    INVALID,
    MALFORMED,
    TWICE,
    UNSUPPORTED,
    Change,
    Outcome,
    by_did,
    components,
    expect_refused_for,
    expect_taken,
    parameters,
    read,
)

topic = Topic()


def _written(*components: str) -> Change:
    """Cover components as they are written here, with parameters."""
    return lambda made: made.but(components=components)


_ALL: Final = ("@method", "@target-uri", "capability-invocation")


def _more(name: str, value: str) -> Change:
    """Cover one component more, whose value is right."""

    def change(made: Crafted) -> Crafted:
        sent_too = {} if name.startswith("@") else {name: value}
        return made.but(
            components=(*made.components, quoted(name)),
            values={name: value},
            headers={**made.headers, **sent_too},
        )

    return change


COVERAGE: Final[Mapping[str, Change]] = {
    "nothing": components(),
    "no-method": components("@target-uri", "capability-invocation"),
    "no-target": components("@method", "capability-invocation"),
    "no-capability": components("@method", "@target-uri"),
    "path-for-target": lambda made: components("@method", "@path", "capability-invocation")(made).but(
        values={"@path": "/" + made.uri.split("/", 3)[3]}
    ),
    "accept": _more("accept", "application/json"),
    "if-none-match": _more("if-none-match", '"x"'),
    "content-type-without-a-body": _more("content-type", "application/json"),
    "digest-without-a-body": _more("content-digest", message.content_digest(b"")),
    "a-header-that-is-not-there": _more("x-absent", ""),
}  # fmt: skip


@topic.check("INV-1", cases=COVERAGE)
async def a_signature_covers_just_what_it_must(stage: Stage, change: Change) -> None:
    """A signature over less, or over more, is refused though it verifies."""
    await expect_refused_for(await lent(stage), change, INVALID)


ODD: Final[Mapping[str, tuple[Change, tuple[Outcome, ...]]]] = {
    "authority": (_more("@authority", "node.example"), (INVALID,)),
    "scheme": (_more("@scheme", "http"), (INVALID,)),
    "status": (_more("@status", "200"), (INVALID, UNSUPPORTED)),
    "unknown": (_more("@client-ip", "127.0.0.1"), (INVALID, UNSUPPORTED)),
    "signature-params": (_more("@signature-params", ""), (INVALID, UNSUPPORTED, MALFORMED)),
    "in-capitals": (_written('"@method"', '"@target-uri"', '"Capability-Invocation"'), (INVALID, MALFORMED)),
    "of-the-request": (_written('"@method";req', '"@target-uri"', '"capability-invocation"'), (INVALID, UNSUPPORTED)),
    "strict": (_written('"@method"', '"@target-uri"', '"capability-invocation";sf'), (INVALID, UNSUPPORTED)),
    "as-bytes": (_written('"@method"', '"@target-uri"', '"capability-invocation";bs'), (INVALID, UNSUPPORTED)),
    "a-part": (_written('"@method"', '"@target-uri"', '"capability-invocation";key="a"'), (INVALID, UNSUPPORTED)),
    "trailer": (_written('"@method"', '"@target-uri"', '"capability-invocation";tr'), (INVALID, UNSUPPORTED)),
    "one-twice": (components("@method", "@method", *_ALL[1:]), (TWICE,)),
}  # fmt: skip


@topic.check("INV-1", "SIG-7", "SIG-14", cases=ODD)
async def odd_components_are_refused(stage: Stage, case: tuple[Change, tuple[Outcome, ...]]) -> None:
    """A component of another kind, or with a parameter, is refused in the place of what must be covered."""
    change, outcomes = case
    await expect_refused_for(await lent(stage), change, *outcomes)


@topic.check(
    "INV-1", "SIG-15",
    cases={"turned-round": _ALL[::-1], "capability-first": (_ALL[2], *_ALL[:2]), "as-written": _ALL},
)  # fmt: skip
async def components_may_come_in_any_order(stage: Stage, names: tuple[str, ...]) -> None:
    """The same three components in another order are as good."""
    scene = await lent(stage)
    await expect_taken(scene, components(*names)(read(scene)))


_X25519: Final = "z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc"
_STRANGER: Final = Key(b"a stranger to every node's owner")


def _flipped(signature: bytes) -> bytes:
    return bytes([signature[0] ^ 1]) + signature[1:]


def _by_another(made: Crafted) -> Crafted:
    return made.but(key=_STRANGER).with_parameters(keyid=quoted(_STRANGER.method))


SIGNED: Final[Mapping[str, tuple[Change, tuple[Outcome, ...]]]] = {
    "no-key": (parameters(keyid=None), (INVALID, MALFORMED)),
    "a-did-for-a-key": (lambda made: made.with_parameters(keyid=quoted(made.key.did)), (MALFORMED,)),
    "a-fragment-alone": (lambda made: made.with_parameters(keyid=quoted("#" + made.key.did[8:])), (MALFORMED,)),
    "another-fragment": (lambda made: made.with_parameters(keyid=quoted(made.key.did + "#key-1")), (MALFORMED,)),
    "a-multikey": (lambda made: made.with_parameters(keyid=quoted(made.key.did[8:])), (MALFORMED,)),
    "an-empty-key": (parameters(keyid='""'), (MALFORMED,)),
    "a-key-at-an-address": (parameters(keyid=quoted("https://vendor.example/key")), (MALFORMED,)),
    "a-key-of-a-domain": (parameters(keyid=quoted("did:web:vendor.example#key-1")), (UNSUPPORTED, CONTROLLER)),
    "another-kind-of-key": (parameters(keyid=quoted(f"did:key:{_X25519}#{_X25519}")), (UNSUPPORTED,)),
    "another-s-key": (_by_another, (CONTROLLER,)),
    "another-s-name": (parameters(keyid=quoted(_STRANGER.method)), (CONTROLLER, INVALID)),
    "another-s-signature": (lambda made: made.but(key=_STRANGER), (INVALID,)),
    "no-algorithm": (parameters(alg=None), (INVALID, UNSUPPORTED)),
    "hmac": (parameters(alg=quoted("hmac-sha256")), (UNSUPPORTED,)),
    "rsa": (parameters(alg=quoted("rsa-v1_5-sha256")), (UNSUPPORTED,)),
    "no-such-algorithm": (parameters(alg=quoted("none")), (UNSUPPORTED,)),
    "algorithm-in-capitals": (parameters(alg=quoted("ED25519")), (UNSUPPORTED,)),
    "algorithm-empty": (parameters(alg='""'), (UNSUPPORTED,)),
    "a-bit-flipped": (lambda made: made.but(signature=_flipped), (INVALID,)),
    "moved-by-the-order": (lambda made: made.but(signature=malleable), (INVALID,)),
    "zeros": (lambda made: made.but(signature=lambda _: bytes(64)), (INVALID,)),
    "cut": (lambda made: made.but(signature=lambda given: given[:63]), (INVALID, MALFORMED)),
    "a-byte-more": (lambda made: made.but(signature=lambda given: given + b"\0"), (INVALID, MALFORMED)),
    "empty": (lambda made: made.but(signature=lambda _: b""), (INVALID, MALFORMED)),
}  # fmt: skip


@topic.check("INV-4", "SIG-16", "INV-12", "PRF-14", cases=SIGNED)
async def a_signature_is_by_the_key_it_names(stage: Stage, case: tuple[Change, tuple[Outcome, ...]]) -> None:
    """The key is named in its one form, the algorithm is the one there is, and the signature verifies."""
    change, outcomes = case
    await expect_refused_for(await lent(stage), change, *outcomes)


TAGS: Final[Mapping[str, Change]] = {
    "none": parameters(tag=None),
    "empty": parameters(tag='""'),
    "of-a-did": parameters(tag=quoted("freehold-did")),
    "of-the-owner": parameters(tag=quoted("freehold-owner")),
    "in-capitals": parameters(tag=quoted("ZCAP")),
    "longer": parameters(tag=quoted("zcap2")),
    "unknown": parameters(tag=quoted("web-bot-auth")),
}


@topic.check("INV-5", "SIG-11", cases=TAGS)
async def a_message_of_another_kind_is_no_read(stage: Stage, change: Change) -> None:
    """A route takes messages of its own tag alone."""
    await expect_refused_for(await lent(stage), change, MALFORMED)


@topic.check("INV-5", "HTTP-25")
async def an_invocation_is_no_message_of_a_did(stage: Stage) -> None:
    """Where the vendor's DID is asked for, a message under its capability does not do, and the other way round."""
    scene = await lent(stage)
    vendor = scene.vendor
    renewal = vendor.path("/renew")
    invoked = vendor.signed("POST", renewal)
    expect_problem(await stage.wire.send("POST", renewal, invoked), 400, "malformed")
    owner = await vendor.by_did("POST", renewal, tag=message.OWNER)
    expect_problem(owner, 400, "malformed")
    asked = await vendor.by_did("GET", vendor.path(READ))
    expect_problem(asked, 400, "malformed")
    both = by_did(scene, vendor.path(READ)).sign()
    both["capability-invocation"] = message.invoking(vendor.capability, "read")
    answer = await stage.wire.send("GET", vendor.path(READ), both)
    expect_problem(answer, 400, "malformed")
    expect_status(await vendor.by_did("POST", renewal), 200)


@topic.check("INV-5", "HTTP-41", cases={"zcap": "zcap", "did": message.DID, "none": ""})
async def the_owner_s_routes_ask_for_the_owner_s_tag(stage: Stage, tag: str) -> None:
    """The session key itself gets nowhere under another tag."""
    answer = await stage.owner.send("GET", "/status", tag=tag)
    expect_problem(answer, 401, "not-authenticated")
    expect_status(await stage.owner.send("GET", "/status"), 200)
