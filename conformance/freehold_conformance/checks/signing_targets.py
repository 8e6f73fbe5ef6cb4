"""Where a signed message goes, and the body that it has."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, Mapping
from typing import Final

from ..cast.stage import Stage
from ..check import Topic, expect, expect_equal, expect_problem, expect_status
from ..hands import capability as capabilities
from ..hands import message
from ..hands.crafting import Crafted
from ..hands.encoding import jcs
from ..hands.keys import Key
from .capability_scene import READ, Lent, lent
from .signing_scene import (
    INVALID,
    MALFORMED,
    NOTHING,
    TWICE,
    UNSUPPORTED,
    Change,
    Outcome,
    components,
    expect_outcome,
    expect_taken,
    post,
    read,
    respelled,
    sent,
)

topic = Topic()


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
    other = respelled(scene)
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
    wrong = components("@method", "@target-uri", *names)(made)
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
