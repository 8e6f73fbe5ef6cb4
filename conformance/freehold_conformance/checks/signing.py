"""What a signature covers, who made it and when, and that nothing is taken twice."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from typing import Final

from ..cast.stage import Stage
from ..check import Topic, expect, expect_equal, expect_problem, expect_status
from ..hands import capability as capabilities
from ..hands import message
from ..hands.crafting import Crafted, malleable, quoted
from ..hands.encoding import jcs
from ..hands.keys import Key
from .capability_scene import READ, Lent, lend, lent, of_header
from .signing_scene import (
    CONTROLLER,
    INVALID,
    MALFORMED,
    NOTHING,
    STALE,
    TWICE,
    UNSUPPORTED,
    Change,
    Outcome,
    by_did,
    expect_outcome,
    expect_refused_for,
    expect_taken,
    post,
    read,
    sent,
)

topic = Topic()


def _components(*names: str) -> Change:
    return lambda made: made.but(components=tuple(map(quoted, names)))


def _written(*components: str) -> Change:
    """Cover components as they are written here, with parameters."""
    return lambda made: made.but(components=components)


def _parameters(**parameters: str | None) -> Change:
    return lambda made: made.with_parameters(**parameters)


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
    "nothing": _components(),
    "no-method": _components("@target-uri", "capability-invocation"),
    "no-target": _components("@method", "capability-invocation"),
    "no-capability": _components("@method", "@target-uri"),
    "path-for-target": lambda made: _components("@method", "@path", "capability-invocation")(made).but(
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
    "one-twice": (_components("@method", "@method", *_ALL[1:]), (TWICE,)),
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
    await expect_taken(scene, _components(*names)(read(scene)))


_X25519: Final = "z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc"
_STRANGER: Final = Key(b"a stranger to every node's owner")


def _flipped(signature: bytes) -> bytes:
    return bytes([signature[0] ^ 1]) + signature[1:]


def _by_another(made: Crafted) -> Crafted:
    return made.but(key=_STRANGER).with_parameters(keyid=quoted(_STRANGER.method))


SIGNED: Final[Mapping[str, tuple[Change, tuple[Outcome, ...]]]] = {
    "no-key": (_parameters(keyid=None), (INVALID, MALFORMED)),
    "a-did-for-a-key": (lambda made: made.with_parameters(keyid=quoted(made.key.did)), (MALFORMED,)),
    "a-fragment-alone": (lambda made: made.with_parameters(keyid=quoted("#" + made.key.did[8:])), (MALFORMED,)),
    "another-fragment": (lambda made: made.with_parameters(keyid=quoted(made.key.did + "#key-1")), (MALFORMED,)),
    "a-multikey": (lambda made: made.with_parameters(keyid=quoted(made.key.did[8:])), (MALFORMED,)),
    "an-empty-key": (_parameters(keyid='""'), (MALFORMED,)),
    "a-key-at-an-address": (_parameters(keyid=quoted("https://vendor.example/key")), (MALFORMED,)),
    "a-key-of-a-domain": (_parameters(keyid=quoted("did:web:vendor.example#key-1")), (UNSUPPORTED, CONTROLLER)),
    "another-kind-of-key": (_parameters(keyid=quoted(f"did:key:{_X25519}#{_X25519}")), (UNSUPPORTED,)),
    "another-s-key": (_by_another, (CONTROLLER,)),
    "another-s-name": (_parameters(keyid=quoted(_STRANGER.method)), (CONTROLLER, INVALID)),
    "another-s-signature": (lambda made: made.but(key=_STRANGER), (INVALID,)),
    "no-algorithm": (_parameters(alg=None), (INVALID, UNSUPPORTED)),
    "hmac": (_parameters(alg=quoted("hmac-sha256")), (UNSUPPORTED,)),
    "rsa": (_parameters(alg=quoted("rsa-v1_5-sha256")), (UNSUPPORTED,)),
    "no-such-algorithm": (_parameters(alg=quoted("none")), (UNSUPPORTED,)),
    "algorithm-in-capitals": (_parameters(alg=quoted("ED25519")), (UNSUPPORTED,)),
    "algorithm-empty": (_parameters(alg='""'), (UNSUPPORTED,)),
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
    "none": _parameters(tag=None),
    "empty": _parameters(tag='""'),
    "of-a-did": _parameters(tag=quoted("freehold-did")),
    "of-the-owner": _parameters(tag=quoted("freehold-owner")),
    "in-capitals": _parameters(tag=quoted("ZCAP")),
    "longer": _parameters(tag=quoted("zcap2")),
    "unknown": _parameters(tag=quoted("web-bot-auth")),
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


# Times: a few seconds are left at each bound for the way there and for clocks that differ.
_Times = tuple[int, int]

GOOD_TIMES: Final[Mapping[str, _Times]] = {
    "now": (0, 120),
    "a-second": (0, 1),
    "as-long-as-may-be": (0, 600),
    "nearly-a-minute-ahead": (55, 60),
    "past-but-for-nearly-a-minute": (-100, -55),
    "long-ago-and-long": (-595, 5),
    "long-ago-and-past": (-650, -55),
}
BAD_TIMES: Final[Mapping[str, _Times]] = {
    "too-long": (0, 601),
    "too-long-by-the-past": (-590, 11),
    "far-too-long": (0, 86_400),
    "ends-when-made": (0, 0),
    "ends-before-made": (10, 5),
    "more-than-a-minute-ahead": (65, 120),
    "an-hour-ahead": (3_600, 3_700),
    "past-for-a-minute": (-120, -60),
    "past-for-an-hour": (-3_720, -3_600),
    "the-beginning-of-time": (-int(1.7e9), -int(1.7e9) + 100),
}


def _timed(made: Crafted, times: _Times) -> Crafted:
    now = int(time.time())
    return made.with_parameters(created=str(now + times[0]), expires=str(now + times[1]))


@topic.check("INV-6", cases=GOOD_TIMES)
async def a_signature_is_good_for_its_time_and_a_minute(stage: Stage, times: _Times) -> None:
    """From a minute before it was made until a minute after it ended, and for ten minutes at most."""
    scene = await lent(stage)
    await expect_taken(scene, _timed(read(scene), times))
    target = scene.vendor.path()
    expect_status(await sent(scene, _timed(by_did(scene, target), times)), 200)


@topic.check("INV-6", "INV-7", cases=BAD_TIMES)
async def a_signature_of_another_time_is_stale(stage: Stage, times: _Times) -> None:
    """A signature of before or after, or for too long, is refused under a capability, by a DID and of the owner."""
    scene = await lent(stage)
    await expect_refused_for(scene, lambda made: _timed(made, times), STALE)
    expect_outcome(await sent(scene, _timed(by_did(scene, scene.vendor.path()), times)), STALE)
    now = time.time()
    owner = await stage.owner.send("GET", "/status", created_s=now + times[0], expires_s=now + times[1])
    expect_problem(owner, 401, "not-authenticated")


TIMES: Final[Mapping[str, tuple[Change, tuple[Outcome, ...]]]] = {
    "no-beginning": (_parameters(created=None), (STALE, INVALID, MALFORMED)),
    "no-end": (_parameters(expires=None), (STALE, INVALID, MALFORMED)),
    "a-text": (lambda made: made.with_parameters(created=quoted(made.parameters["created"])), (MALFORMED,)),
    "a-decimal": (lambda made: made.with_parameters(created=made.parameters["created"] + ".0"), (MALFORMED,)),
    "negative": (_parameters(created="-1"), (MALFORMED,)),
    "a-leading-zero": (
        lambda made: made.with_parameters(created="0" + made.parameters["created"]),
        (MALFORMED,),
    ),
    "a-plus": (lambda made: made.with_parameters(created="+" + made.parameters["created"]), (MALFORMED,)),
    "in-words": (_parameters(created="now"), (MALFORMED,)),
    "true": (_parameters(created=""), (MALFORMED,)),
    "sixteen-digits": (_parameters(created="1" * 16), (MALFORMED,)),
    "milliseconds": (lambda made: made.with_parameters(created=made.parameters["created"] + "000"), (STALE,)),
}


@topic.check("INV-6", "SIG-13", "SIG-12", cases=TIMES)
async def times_are_whole_seconds(stage: Stage, case: tuple[Change, tuple[Outcome, ...]]) -> None:
    """A time that is missing, or written otherwise than as a whole number, is refused."""
    change, outcomes = case
    await expect_refused_for(await lent(stage), change, *outcomes)


NONCES: Final[Mapping[str, str | None]] = {
    "none": None,
    "empty": '""',
    "fifteen": quoted("a" * 15),
    "sixty-five": quoted("a" * 65),
    "standard-base64": quoted("a+/aaaaaaaaaaaaaaa"),
    "padded": quoted("aaaaaaaaaaaaaaaaaa=="),
    "with-a-dot": quoted("aaaaaaaa.aaaaaaaaa"),
    "with-a-space": quoted("aaaaaaaa aaaaaaaaa"),
    "with-a-line-break": quoted("aaaaaaaaaaaaaaaa\\n"),
    "a-token": "aaaaaaaaaaaaaaaaaa",
    "a-number": "1234567890",
    "bytes": ":YWFhYWFhYWFhYWFhYWFhYQ==:",
}


@topic.check("INV-8", cases=NONCES)
async def a_nonce_is_of_its_form(stage: Stage, nonce: str | None) -> None:
    """A nonce has 16 to 64 characters of base64url."""
    scene = await lent(stage)
    await expect_refused_for(scene, _parameters(nonce=nonce), MALFORMED)


@topic.check("INV-8", cases={"sixteen": 16, "sixty-four": 64})
async def a_nonce_has_sixteen_to_sixty_four_characters(stage: Stage, length: int) -> None:
    """Both bounds are within, and every character of the alphabet counts."""
    scene = await lent(stage)
    text = (message.nonce() * 3)[: length - 2] + "-_"
    await expect_taken(scene, read(scene, nonce=quoted(text)))
    other = text[:-1] + "A"
    await expect_taken(scene, read(scene, nonce=quoted(other)))
    expect_outcome(await sent(scene, read(scene, nonce=quoted(text))), (409, "replayed"))


_Again = Callable[[Lent, str], Crafted]

AGAIN: Final[Mapping[str, _Again]] = {
    "the-same-read": lambda scene, nonce: read(scene, nonce=nonce),
    "another-path": lambda scene, nonce: read(scene, "/news/records", nonce=nonce),
    "another-query": lambda scene, nonce: read(scene, READ + "?limit=1", nonce=nonce),
    "another-method": lambda scene, nonce: read(scene, method="HEAD", nonce=nonce),
    "the-status": lambda scene, nonce: read(scene, "/delivery", nonce=nonce),
    "another-time": lambda scene, nonce: _timed(read(scene, nonce=nonce), (-30, 90)),
    "by-its-did": lambda scene, nonce: by_did(scene, scene.vendor.path()).with_parameters(nonce=nonce),
    "another-capability": lambda scene, nonce: read(scene, nonce=nonce).but(
        headers={"capability-invocation": _respelled(scene)}
    ),
}


def _respelled(scene: Lent) -> str:
    """Return the header of the vendor's capability in another spelling of its JSON."""
    return of_header(capabilities.packed(json.dumps(scene.vendor.capability, indent=1).encode()))


@topic.check("INV-8", "HTTP-9", cases=AGAIN)
async def a_nonce_is_good_for_one_message_of_a_key(stage: Stage, again: _Again) -> None:
    """Whatever the second message of one key and nonce asks for, it is refused; another key's is not."""
    scene = await lent(stage)
    nonce = quoted(message.nonce())
    await expect_taken(scene, read(scene, nonce=nonce))
    answer = await sent(scene, again(scene, nonce))
    expect_status(answer, 409)
    expect_equal(answer.headers.get("freehold-code"), "replayed", "code")
    partner = scene.link()
    expect_status(await partner.get(READ, nonce_=nonce.strip('"')), 200)


@topic.check("INV-8", "HTTP-9")
async def a_nonce_counts_for_all_grants_of_a_key(stage: Stage) -> None:
    """One vendor's nonce is used up for all that it does at a node."""
    scene = await lent(stage)
    shown = await stage.person(name="Ada")
    other = await stage.relate([shown.permission("delivery", ["name"])], key=scene.vendor.key)
    nonce = message.nonce()
    expect_status(await other.get(READ, nonce_=nonce), 200)
    expect_problem(await scene.vendor.get(READ, nonce_=nonce), 409, "replayed")


@topic.check(
    "INV-9", "INV-8", cases={"not-shared": "?fields=email", "not-there": "/zUnknown", "stale": "?cursor=x"}
)
async def a_refusal_of_a_holder_uses_its_nonce_up(stage: Stage, tail: str) -> None:
    """What was decided is decided: also a refusal spends the nonce, in the transaction of the decision."""
    scene = await lent(stage)
    nonce = quoted(message.nonce())
    refused = await sent(scene, read(scene, READ + tail, nonce=nonce))
    expect(refused.status in (403, 404, 409), f"status {refused.status}")
    expect(refused.headers.get("freehold-code") != "replayed", "the first one is refused as replayed")
    expect_outcome(await sent(scene, read(scene, nonce=nonce)), (409, "replayed"))


_Spoiler = Callable[[Lent, str], Crafted]


def _forged(scene: Lent, nonce: str) -> Crafted:
    return read(scene, nonce=nonce).but(key=Key.fresh())


def _of_a_stranger(scene: Lent, nonce: str) -> Crafted:
    key = Key.fresh()
    return read(scene, nonce=nonce).but(key=key).with_parameters(keyid=quoted(key.method))


def _at_no_grant(scene: Lent, nonce: str) -> Crafted:
    made = read(scene, nonce=nonce)
    return made.but(uri=made.uri.replace(scene.vendor.grant, "00000000-0000-4000-8000-000000000000"))


SPOILERS: Final[Mapping[str, _Spoiler]] = {
    "forged": _forged,
    "by-a-stranger": _of_a_stranger,
    "at-no-grant": _at_no_grant,
    "stale": lambda scene, nonce: _timed(read(scene, nonce=nonce), (-3_720, -3_600)),
    "of-another-tag": lambda scene, nonce: read(scene, nonce=nonce).with_parameters(tag=quoted("other")),
    "query-of-no-form": lambda scene, nonce: read(scene, READ + "?colour=red", nonce=nonce),
    "owner-s": lambda scene, nonce: by_did(scene, "/owner/status").with_parameters(nonce=nonce),
}


@topic.check("INV-8", "HTTP-9", cases=SPOILERS)
async def nobody_spoils_a_nonce(stage: Stage, spoil: _Spoiler) -> None:
    """A message that is refused before its signer has a say uses up nothing of the honest one's."""
    scene = await lent(stage)
    nonce = quoted(message.nonce())
    spoiled = await sent(scene, spoil(scene, nonce))
    expect(spoiled.status >= 400, f"status {spoiled.status}")
    await expect_taken(scene, read(scene, nonce=nonce))


@topic.check("INV-9", "HTTP-9", "LED-5", cases={"two": 2, "eight": 8})
async def of_the_same_messages_at_once_one_passes(stage: Stage, number: int) -> None:
    """Of one message sent many times at once exactly one is admitted, with one entry."""
    scene = await lend(stage)
    target = scene.vendor.path(READ)
    before = len(await stage.owner.ledger(scene.vendor.grant))
    signed = scene.vendor.signed("GET", target)
    answers = await asyncio.gather(*(stage.wire.send("GET", target, signed) for _ in range(number)))
    codes = sorted(answer.headers.get("freehold-code", "") for answer in answers)
    expect_equal([one.status for one in answers].count(200), 1, "answers of 200")
    expect_equal(codes, [""] + ["replayed"] * (number - 1), "codes")
    expect_equal(len(await stage.owner.ledger(scene.vendor.grant)), before + 1, "entries")


# Where it goes, and what is said of that

HOSTS: Final[Mapping[str, dict[str, str]]] = {
    "host": {"host": "evil.example"},
    "host-and-port": {"host": "evil.example:443"},
    "forwarded": {"forwarded": "for=1.2.3.4;host=evil.example;proto=https"},
    "x-forwarded": {
        "x-forwarded-host": "evil.example",
        "x-forwarded-proto": "https",
        "x-forwarded-for": "1.2.3.4",
    },
    "override": {"x-original-url": "/owner/status", "x-rewrite-url": "/owner/status"},
    "method-override": {"x-http-method-override": "DELETE"},
}


@topic.check("INV-2", "HTTP-2", "SIG-8", cases=HOSTS)
async def a_node_does_not_learn_where_it_is_from_a_request(stage: Stage, headers: dict[str, str]) -> None:
    """Neither Host nor a forwarded header decides what was signed: they change nothing, and make nothing good."""
    scene = await lent(stage)
    target = scene.vendor.path(READ)
    honest = read(scene).sign()
    answer = await stage.wire.send("GET", target, {**honest, **headers})
    expect_status(answer, 200)
    for origin in ("https://evil.example", "http://evil.example:443"):
        wrong = read(scene).but(uri=origin + target).sign()
        expect_outcome(await stage.wire.send("GET", target, {**wrong, **headers}), INVALID)


def _another_scheme(made: Crafted) -> Crafted:
    scheme, _, rest = made.uri.partition("://")
    return made.but(uri=f"{'http' if scheme == 'https' else 'https'}://{rest}")


def _bare_digest(name: str, digest: bytes) -> str:
    return f"{name}=:{base64.b64encode(digest).decode()}:"


def _not_padded(body: bytes) -> str:
    return _digest("sha-256", body).removesuffix("=:") + ":"


ELSEWHERE: Final[Mapping[str, Change]] = {
    "another-scheme": _another_scheme,
    "another-query": lambda made: made.but(uri=made.uri + "?limit=1"),
    "another-permission": lambda made: made.but(uri=made.uri.replace("/delivery/", "/news/")),
    "a-path-alone": lambda made: made.but(uri="/" + made.uri.split("/", 3)[3]),
    "host-in-capitals": lambda made: made.but(uri=made.uri.replace("http", "HTTP", 1)),
    "a-closing-slash": lambda made: made.but(uri=made.uri + "/"),
    "a-fragment": lambda made: made.but(uri=made.uri + "#a"),
    "an-escape": lambda made: made.but(uri=made.uri.replace("records", "%72ecords")),
}  # fmt: skip


@topic.check("INV-2", "SIG-8", "INV-13", cases=ELSEWHERE)
async def what_is_signed_is_the_target_letter_by_letter(stage: Stage, change: Change) -> None:
    """A signature over another spelling or another target than the one on the wire does not verify."""
    scene = await lent(stage)
    honest = read(scene)
    target = scene.vendor.path(READ)
    expect_outcome(await sent(scene, change(honest), to=target), INVALID, hidden=scene.shown.tag)
    await expect_taken(scene, honest)


@topic.check("INV-1", "SIG-15", cases={"get-as-head": ("GET", "HEAD"), "head-as-get": ("HEAD", "GET")})
async def the_method_is_signed(stage: Stage, methods: tuple[str, str]) -> None:
    """What was signed for one method is no message of another."""
    scene = await lent(stage)
    signed, wire = methods
    target = scene.vendor.path(READ)
    answer = await stage.wire.send(wire, target, read(scene, method=signed).sign())
    expect_equal(answer.headers.get("freehold-code"), "signature-invalid", "code")
    expect_status(answer, 401)


@topic.check("INV-1", "INV-10")
async def the_capability_is_signed(stage: Stage) -> None:
    """Another capability, or another action, than the one that was signed does not verify."""
    scene = await lent(stage)
    honest = read(scene)
    other = _respelled(scene)
    action = message.invoking(scene.vendor.capability, "write")
    for value in (other, action):
        wrong = honest.but(finished=lambda made, value=value: made | {"capability-invocation": value})
        expect_outcome(await sent(scene, wrong), INVALID)
    await expect_taken(scene, honest)


@topic.check("INV-1", "HTTP-31")
async def headers_beside_say_nothing(stage: Stage) -> None:
    """What a caller adds is not signed, and nothing but the conditional header is looked at."""
    scene = await lent(stage)
    beside = {
        "authorization": "Bearer abc", "cookie": "session=1", "date": "Thu, 01 Jan 1970 00:00:00 GMT",
        "range": "bytes=0-10", "accept-encoding": "gzip", "x-permission": "news",
        "if-modified-since": "Thu, 01 Jan 2099 00:00:00 GMT", "if-match": '"x"', "prefer": "return=minimal",
    }  # fmt: skip
    plain = await sent(scene, read(scene))
    for name, value in beside.items():
        made = read(scene).but(finished=lambda headers, name=name, value=value: headers | {name: value})
        answer = await sent(scene, made)
        expect_equal((answer.status, answer.body), (200, plain.body), f"the answer to one with {name}")


# Bodies


def _digest(name: str, body: bytes) -> str:
    made = hashlib.new(name.replace("-", ""), body).digest()
    return f"{name}=:{base64.b64encode(made).decode()}:"


_Digest = Callable[[bytes], str | None]
_BOTH: Final = ("sha-256", "sha-512")

GOOD_DIGESTS: Final[Mapping[str, _Digest]] = {
    "sha-256": lambda body: _digest("sha-256", body),
    "sha-512": lambda body: _digest("sha-512", body),
    "both": lambda body: ", ".join(_digest(name, body) for name in _BOTH),
    "an-unknown-beside": lambda body: f"md5=:{'A' * 22}==:, {_digest('sha-256', body)}",
}
BAD_DIGESTS: Final[Mapping[str, tuple[_Digest, tuple[Outcome, ...]]]] = {
    "of-another-body": (lambda body: _digest("sha-256", body + b" "), (INVALID,)),
    "of-no-body": (lambda _: _digest("sha-256", b""), (INVALID,)),
    "one-of-two-wrong": (lambda body: f"{_digest('sha-256', body)}, {_digest('sha-512', b'')}", (INVALID,)),
    "the-other-of-two-wrong": (lambda body: f"{_digest('sha-256', b'')}, {_digest('sha-512', body)}", (INVALID,)),
    "unknown-alone": (lambda body: _bare_digest("md5", hashlib.md5(body).digest()), (UNSUPPORTED,)),  # noqa: S324
    "sha-1-alone": (lambda body: _bare_digest("sha", hashlib.sha1(body).digest()), (UNSUPPORTED,)),  # noqa: S324
    "one-twice": (lambda body: f"{_digest('sha-256', b'')}, {_digest('sha-256', body)}", (TWICE,)),
    "a-text": (lambda body: _digest("sha-256", body).replace(":", '"'), (MALFORMED, INVALID)),
    "cut": (lambda body: _bare_digest("sha-256", hashlib.sha256(body).digest()[:16]), (INVALID, MALFORMED)),
    "not-padded": (_not_padded, (MALFORMED,)),
    "empty": (lambda _: "", (INVALID, MALFORMED, UNSUPPORTED)),
}  # fmt: skip


def _revocation(scene: Lent) -> tuple[str, bytes]:
    """Return the target and body of a request that has a body: a link's revocation."""
    link = scene.link().capability
    target = scene.vendor.path(f"/zcaps/revocations/{capabilities.encoded(link['id'])}")
    return target, jcs(link)


@topic.check("INV-3", "SIG-20", "SIG-19", cases=GOOD_DIGESTS)
async def a_body_has_a_digest_that_is_known(stage: Stage, digest: _Digest) -> None:
    """A digest by sha-256 or sha-512 will do, and another may stand beside it."""
    scene = await lent(stage)
    target, body = _revocation(scene)
    headers = {"content-type": "application/json", "content-digest": digest(body) or ""}
    expect_status(await sent(scene, post(scene, target, body).but(headers=headers), body=body), 204)


@topic.check("INV-3", "SIG-20", cases=BAD_DIGESTS)
async def a_wrong_digest_is_refused_though_it_is_signed(
    stage: Stage, case: tuple[_Digest, tuple[Outcome, ...]]
) -> None:
    """What the digest says is held against the very bytes that came."""
    digest, outcomes = case
    scene = await lent(stage)
    target, body = _revocation(scene)
    headers = {"content-type": "application/json", "content-digest": digest(body) or ""}
    expect_outcome(await sent(scene, post(scene, target, body).but(headers=headers), body=body), *outcomes)
    expect_status(await sent(scene, post(scene, target, body), body=body), 204)


_BODY_NAMES: Final = ("content-type", "content-digest")


@topic.check(
    "INV-1", "INV-3", cases={"neither": (), "type": ("content-type",), "digest": ("content-digest",)}
)
async def a_body_s_headers_are_covered(stage: Stage, names: tuple[str, ...]) -> None:
    """With a body, its type and digest are covered, both."""
    scene = await lent(stage)
    target, body = _revocation(scene)
    made = post(scene, target, body)
    wrong = _components("@method", "@target-uri", *names)(made)
    expect_outcome(await sent(scene, wrong, body=body), INVALID)
    expect_status(await sent(scene, made, body=body), 204)


@topic.check("INV-3", "HTTP-3", cases={"another": b'{"a":1}', "a-space": b" ", "cut": b"{"})
async def a_body_that_was_swapped_is_refused(stage: Stage, put: bytes) -> None:
    """Other bytes than those that were signed are refused, also where JSON would read the same."""
    scene = await lent(stage)
    target, body = _revocation(scene)
    made = post(scene, target, body)
    swapped = body + b" " if put == b" " else body[:-1] if put == b"{" else put
    expect_outcome(await sent(scene, made, body=swapped), INVALID)
    expect_status(await sent(scene, made, body=body), 204)


@topic.check("INV-3", cases={"an-object": b"{}", "a-space": b" ", "a-read-of-more": b'{"fields":["email"]}'})
async def a_read_with_a_body_that_is_not_signed_is_refused(stage: Stage, body: bytes) -> None:
    """A body without a digest is refused wherever it comes."""
    scene = await lent(stage)
    honest = read(scene)
    expect_outcome(await sent(scene, honest, body=body), INVALID)
    await expect_taken(scene, honest)


@topic.check("INV-3", "INV-1")
async def a_digest_without_a_body_is_refused(stage: Stage) -> None:
    """A digest is of a body; covered or not, without one it makes the message another."""
    scene = await lent(stage)
    target, body = _revocation(scene)
    expect_outcome(await sent(scene, post(scene, target, body)), INVALID, MALFORMED)
    expect_outcome(await sent(scene, post(scene, target, b"")), INVALID, MALFORMED)


@topic.check("INV-20", "HTTP-20", "HTTP-11")
async def only_the_vendor_s_did_follows_and_renews(stage: Stage) -> None:
    """Another DID than the vendor's finds nothing; nor does the vendor's name over another's signature."""
    scene = await lent(stage)
    vendor, stranger = scene.vendor, Key.fresh()
    for target, method in ((vendor.path(), "GET"), (vendor.path("/renew"), "POST")):
        for key in (stranger, scene.partner):
            expect_problem(await vendor.by_did(method, target, key=key), 404, "not-found")
        forged = await vendor.by_did(method, target, key=stranger, keyid=vendor.key.method)
        expect_problem(forged, 401, "signature-invalid")
        expect_status(await vendor.by_did(method, target), 200)


@topic.check("INV-21", "HTTP-41")
async def the_session_key_is_the_owner(stage: Stage) -> None:
    """The owner's routes take the session key alone: not a vendor's, not a fresh one's under its name."""
    scene = await lent(stage)
    owner = stage.owner
    for key in (scene.vendor.key, Key.fresh()):
        expect_problem(await owner.send("GET", "/status", key=key), 401, "not-authenticated")
        named = await owner.send("GET", "/status", key=key, keyid=owner.session.key.method)
        expect_problem(named, 401, "not-authenticated")
    expect_status(await owner.send("GET", "/status"), 200)


@topic.check("INV-8", "HTTP-9", cases={"did": "did", "owner": "owner"})
async def no_other_message_is_taken_twice(stage: Stage, kind: str) -> None:
    """What a DID or the owner signed is refused a second time too."""
    scene = await lent(stage)
    nonce = message.nonce()

    async def send() -> tuple[int, str | None]:
        if kind == "did":
            answer = await scene.vendor.by_did("GET", scene.vendor.path(), nonce_=nonce)
        else:
            answer = await stage.owner.send("GET", "/status", nonce_=nonce)
        return answer.status, answer.headers.get("freehold-code")

    expect_equal(await send(), (200, None), "the first")
    expect_equal(await send(), (409, "replayed"), "the second")


@topic.check("HTTP-11", "HTTP-12", "INV-12")
async def to_a_stranger_no_grant_differs_from_none(stage: Stage) -> None:
    """A stranger with a good signature and a capability of its own making learns nothing of whether a grant exists."""
    scene = await lent(stage)
    found = []
    for grant in (scene.vendor.grant, "00000000-0000-4000-8000-000000000000"):
        key, now = Key.fresh(), time.time()
        target = f"{scene.vendor.origin}/g/{grant}"
        made = capabilities.first_link(key, key.did, target, created_s=now, expires_s=now + 3_600)
        for below in (READ, "/delivery", "/ledger/checkpoint", "/delivery/events", "/nothing/records"):
            signed = message.invoke(key, made, "GET", target + below, created_s=now)
            answer = await stage.wire.send("GET", f"/g/{grant}{below}", signed)
            expect_outcome(answer, NOTHING)
            found.append((answer.status, answer.body, sorted(answer.headers.items())))
    expect(found[:5] == found[5:], "a grant that exists is answered otherwise than one that does not")
