"""Capabilities, signatures and bodies that are not of the one form there is: refused by what they say, for free."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from freehold_protocol.canonical import jcs
from freehold_protocol.capability import from_wire, to_wire
from freehold_protocol.encoding import Document, base64url_encode
from freehold_protocol.errors import FreeholdError
from freehold_protocol.http_message import Message, content_digest
from freehold_protocol.http_signature import sign
from freehold_protocol.invocation import TAG_DID, TAG_OWNER
from harness import Reply
from raw_http import reply_to, request_bytes
from shop import COURIER, OUTSIDER
from watch import SECRET, Watched, before, check_problem, check_untouched, watched

pytestmark = pytest.mark.asyncio(loop_scope="module")

MALFORMED = (400, "malformed")
TOO_LARGE = (413, "too-large")
INVALID = (401, "signature-invalid")
UNSUPPORTED = (422, "unsupported")
Outcome = tuple[int, str]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def node(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watched]:
    async with watched(Path(tmp_path_factory.mktemp("messages"))) as found:
        yield found


def wired(data: bytes) -> str:
    return base64url_encode(gzip.compress(data, mtime=0))


# The capability in its header

Document_ = Callable[[Document], Any]


def text_of(change: Callable[[str], str]) -> Callable[[Watched], str]:
    """Return the capability's header form after a change of its JSON text."""
    return lambda node: wired(change(jcs(node.held.capability.document).decode()).encode())


def member(**changes: Any) -> Callable[[Watched], str]:
    return lambda node: wired(jcs({**node.held.capability.document, **changes}))


def without(name: str) -> Callable[[Watched], str]:
    return lambda node: wired(
        jcs({key: value for key, value in node.held.capability.document.items() if key != name})
    )


def proof(**changes: Any) -> Callable[[Watched], str]:
    def make(node: Watched) -> str:
        document = node.held.capability.document
        return wired(jcs({**document, "proof": {**document["proof"], **changes}}))

    return make


def links(node: Watched) -> str:
    """Return a chain of one link more than there may be."""
    held = node.held
    for _ in range(8):
        held = held.delegate(held.key)
    document = dict(held.capability.document)
    chain = [*document["proof"]["capabilityChain"][:-1], document["id"], document]
    more = {
        **document,
        "id": "urn:uuid:00000000-0000-4000-8000-000000000000",
        "parentCapability": document["id"],
    }
    return wired(jcs({**more, "proof": {**document["proof"], "capabilityChain": chain}}))


CAPABILITIES: dict[str, tuple[Callable[[Watched], str], Outcome]] = {
    "a bomb": (lambda _: wired(bytes(5 * 2**20)), TOO_LARGE),
    "a bomb of spaces around it": (text_of(lambda text: text + " " * 70_000), TOO_LARGE),
    "just too much": (lambda _: wired(b" " * 65_537), TOO_LARGE),
    "two members": (lambda node: base64url_encode(gzip.compress(jcs(node.held.capability.document)) * 2), MALFORMED),
    "an empty second member": (
        lambda node: base64url_encode(gzip.compress(jcs(node.held.capability.document)) + gzip.compress(b"")), MALFORMED,
    ),
    "something behind it": (
        lambda node: base64url_encode(gzip.compress(jcs(node.held.capability.document)) + SECRET.encode()), MALFORMED,
    ),
    "cut off": (lambda node: base64url_encode(gzip.compress(jcs(node.held.capability.document))[:-1]), MALFORMED),
    "no gzip": (lambda node: base64url_encode(jcs(node.held.capability.document)), MALFORMED),
    "zlib": (lambda node: base64url_encode(zlib.compress(jcs(node.held.capability.document))), MALFORMED),
    "another base64": (lambda node: to_wire(node.held.capability)[:-1] + "B" * 4, MALFORMED),
    "nothing": (lambda _: wired(b""), MALFORMED),
    "deep": (lambda _: wired(b"[" * 30_000 + b"]" * 30_000), (400, "too-deep")),
    "deep enough": (lambda _: wired(b"[" * 65 + b"1" + b"]" * 65), (400, "too-deep")),
    "many members": (lambda _: wired(b"[" + b"1," * 20_001 + b"1]"), TOO_LARGE),
    "an array": (lambda node: wired(jcs([node.held.capability.document])), MALFORMED),
    "no JSON": (lambda _: wired(SECRET.encode()), MALFORMED),
    "NaN": (text_of(lambda text: text[:-1] + ',"x":NaN}'), MALFORMED),
    "Infinity": (text_of(lambda text: text[:-1] + ',"x":-Infinity}'), MALFORMED),
    "half a surrogate pair": (text_of(lambda text: text[:-1] + ',"x":"\\ud800"}'), MALFORMED),
    "no UTF-8": (lambda _: wired(b'{"x":"\xff\xfe"}'), MALFORMED),
    "another encoding": (lambda node: wired(jcs(node.held.capability.document).decode().encode("utf-16")), MALFORMED),
    "a mark before it": (lambda node: wired(b"\xef\xbb\xbf" + jcs(node.held.capability.document)), MALFORMED),
    "a key twice": (text_of(lambda text: text[:-1] + ',"id":"urn:uuid:x"}'), (400, "duplicate-key")),
    "a key twice inside": (text_of(lambda text: text.replace('"proof":{', '"proof":{"type":"x",')), (400, "duplicate-key")),
    "another member": (member(note=SECRET), MALFORMED),
    "a caveat": (member(caveat=[{"type": "urn:x:Limit"}]), UNSUPPORTED),
    "no expiry": (without("expires"), MALFORMED),
    "no actions": (without("allowedAction"), MALFORMED),
    "another context": (member(**{"@context": ["https://w3id.org/zcap/v1"]}), MALFORMED),
    "a context of its own": (member(**{"@context": "https://example.org/" + SECRET}), MALFORMED),
    "a time with an offset": (member(expires="2026-11-30T12:00:00+00:00"), MALFORMED),
    "a day that does not exist": (member(expires="2026-11-31T12:00:00Z"), MALFORMED),
    "two controllers": (member(controller=[COURIER.did, OUTSIDER.did]), MALFORMED),
    "another kind of DID": (member(controller="did:web:example.org"), UNSUPPORTED),
    "an action of its own": (member(allowedAction=["read", "erase"]), MALFORMED),
    "the same action twice": (member(allowedAction=["read", "read"]), MALFORMED),
    "a target with a query": (member(invocationTarget="http://127.0.0.1/g/x?a=1"), MALFORMED),
    "a target with an escape": (member(invocationTarget="http://127.0.0.1/g/x%2e"), MALFORMED),
    "an id that is no uuid": (member(id="urn:uuid:" + SECRET), MALFORMED),
    "a chain of nothing": (proof(capabilityChain=[]), (403, "capability-invalid")),
    "a chain of numbers": (proof(capabilityChain=[1]), (403, "capability-invalid")),
    "a chain of objects": (proof(capabilityChain=[{}, {}]), MALFORMED),
    "a chain of another root": (proof(capabilityChain=["urn:zcap:root:http%3A%2F%2Fx"]), (403, "capability-invalid")),
    "too many links": (links, (403, "capability-invalid")),
    "another suite": (proof(cryptosuite="eddsa-rdfc-2022"), (404, "not-found")),
    "another proof": (proof(type="Ed25519Signature2020"), (404, "not-found")),
    "two proofs": (member(proof=[{}, {}]), MALFORMED),
}  # fmt: skip


@pytest.mark.parametrize("name", CAPABILITIES)
async def test_a_capability_has_one_spelling(
    node: Watched, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """The request itself is signed as it must be, by the holder's own key: only the capability is wrong."""
    make, (status, code) = CAPABILITIES[name]
    target = f"/g/{node.held.grant}/delivery/records"
    headers = node.held.headers("GET", target, capability=make(node))
    earlier = await before(node, caplog)
    reply = await reply_to(node.house.base, request_bytes(target, headers=headers))
    check_problem(reply, status, code)
    await check_untouched(node, earlier, caplog, reply.body)


async def test_a_bomb_takes_no_memory() -> None:
    bomb = wired(bytes(5 * 2**20))
    assert len(bomb) < 8 * 1024
    tracemalloc.start()
    with pytest.raises(FreeholdError, match="inflates to too much"):
        from_wire(bomb)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20


HEADERS: dict[str, tuple[Callable[[str], str], Outcome]] = {
    "too long": (lambda wire: f'zcap capability="{wire + "A" * 8192}",action="read"', TOO_LARGE),
    "longer than a header": (lambda wire: f'zcap capability="{wire + "A" * 13_000}",action="read"', TOO_LARGE),
    "another order": (lambda wire: f'zcap action="read",capability="{wire}"', MALFORMED),
    "a space": (lambda wire: f'zcap capability="{wire}", action="read"', MALFORMED),
    "twice": (lambda wire: f'zcap capability="{wire}",capability="{wire}",action="read"', MALFORMED),
    "an id": (lambda _: 'zcap id="urn:zcap:root:http%3A%2F%2F127.0.0.1",action="read"', MALFORMED),
    "an id beside it": (lambda wire: f'zcap id="x",capability="{wire}",action="read"', MALFORMED),
    "no action": (lambda wire: f'zcap capability="{wire}"', MALFORMED),
    "an action in capitals": (lambda wire: f'zcap capability="{wire}",action="READ"', MALFORMED),
    "an action not allowed": (lambda wire: f'zcap capability="{wire}",action="write"', (403, "wrong-action")),
    "an action nobody has": (lambda wire: f'zcap capability="{wire}",action="erase"', (403, "wrong-action")),
    "another scheme": (lambda wire: f'bearer capability="{wire}",action="read"', MALFORMED),
    "padding": (lambda wire: f'zcap capability="{wire}==",action="read"', MALFORMED),
    "nothing": (lambda _: "", MALFORMED),
}  # fmt: skip


@pytest.mark.parametrize("name", HEADERS)
async def test_a_capabilitys_header_has_one_spelling(
    node: Watched, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    change, (status, code) = HEADERS[name]
    value = change(to_wire(node.held.capability))
    earlier = await before(node, caplog)
    reply = await crafted(node, extra={"capability-invocation": value})
    check_problem(reply, status, code)
    await check_untouched(node, earlier, caplog, reply.body)


# Signatures


async def crafted(
    node: Watched,
    *,
    method: str = "GET",
    below: str = "/delivery/records",
    components: tuple[str, ...] = ("@method", "@target-uri", "capability-invocation"),
    tag: str = "zcap",
    extra: dict[str, str] | None = None,
    body: bytes | None = None,
    change: Callable[[dict[str, str]], dict[str, str]] = dict,
    key: Any = None,
    **signed: Any,
) -> Reply:
    """Send a request whose parts are right but for what is given; change may alter the finished headers."""
    target = f"/g/{node.held.grant}{below}"
    headers = {"capability-invocation": f'zcap capability="{to_wire(node.held.capability)}",action="read"'}
    if tag != "zcap":
        headers = {}
    headers |= extra or {}
    message = Message(method=method, target_uri=node.house.base + target, headers=headers)
    given: dict[str, Any] = {"created_s": node.house.now_s(), "nonce": node.house.nonce()} | signed
    given.setdefault("expires_s", given["created_s"] + 120)
    # A header that is too long to be signed is sent all the same.
    covered = tuple(name for name in components if len(headers.get(name, "")) < 16_000)
    made = headers | sign(message, components=covered, key=key or node.held.key, tag=tag, **given)
    length = {} if body is None else {"Content-Length": str(len(body))}
    data = request_bytes(target, method=method, headers=change(made) | length, body=body or b"")
    return await reply_to(node.house.base, data)


def altered(
    pattern: str, by: str, header: str = "signature-input"
) -> Callable[[dict[str, str]], dict[str, str]]:
    def change(headers: dict[str, str]) -> dict[str, str]:
        text, count = re.subn(pattern, by, headers[header])
        assert count == 1, headers[header]
        return headers | {header: text}

    return change


def left_out(*names: str) -> Callable[[dict[str, str]], dict[str, str]]:
    return lambda headers: {name: value for name, value in headers.items() if name not in names}


def repeated(headers: dict[str, str]) -> dict[str, str]:
    """Return a message with a second signature of the same tag, under another label."""
    return headers | {
        name: f"{headers[name]}, {headers[name].replace('sig=', 'two=', 1)}"
        for name in ("signature-input", "signature")
    }


ALL = ("@method", "@target-uri", "capability-invocation")
SIGNATURES: dict[str, tuple[dict[str, Any], Outcome]] = {
    "no nonce": ({"change": altered(r';nonce="[^"]*"', "")}, MALFORMED),
    "an empty nonce": ({"nonce": ""}, MALFORMED),
    "a short nonce": ({"nonce": "a" * 15}, MALFORMED),
    "a long nonce": ({"nonce": "a" * 65}, MALFORMED),
    "a nonce of other characters": ({"nonce": SECRET + "+/" * 8}, MALFORMED),
    "two nonces": ({"change": altered(r'(;nonce="[^"]*")', r"\1\1")}, (400, "duplicate-key")),
    "no time": ({"change": altered(r";created=\d+", "")}, (401, "signature-stale")),
    "no end": ({"change": altered(r";expires=\d+", "")}, (401, "signature-stale")),
    "a time in words": ({"change": altered(r";created=\d+", ';created="now"')}, MALFORMED),
    "a negative time": ({"change": altered(r";created=\d+", ";created=-1")}, MALFORMED),
    "no key": ({"change": altered(r';keyid="[^"]*"', "")}, INVALID),
    "a key without its fragment": ({"change": altered(r'(;keyid="[^#]*)#[^"]*', r"\1")}, MALFORMED),
    "a key of another fragment": ({"change": altered(r'(;keyid="[^#]*)#[^"]*', r"\1#z6Mkx")}, MALFORMED),
    "a key of another method": ({"change": altered(r';keyid="[^"]*"', ';keyid="did:web:example.org#k"')}, UNSUPPORTED),
    "a key at an address": ({"change": altered(r';keyid="[^"]*"', f';keyid="https://{SECRET}.example/k"')}, MALFORMED),
    "another key": ({"key": OUTSIDER}, (403, "wrong-controller")),
    "the name of another key": ({"change": altered(r';keyid="[^"]*"', f';keyid="{OUTSIDER.method}"')}, (403, "wrong-controller")),
    "no algorithm": ({"change": altered(r';alg="ed25519"', "")}, INVALID),
    "another algorithm": ({"change": altered(r';alg="ed25519"', ';alg="hmac-sha256"')}, INVALID),
    "a stronger algorithm": ({"change": altered(r';alg="ed25519"', ';alg="rsa-v1_5-sha256"')}, INVALID),
    "no such algorithm": ({"change": altered(r';alg="ed25519"', ';alg="none"')}, INVALID),
    "an algorithm in capitals": ({"change": altered(r';alg="ed25519"', ';alg="ED25519"')}, INVALID),
    "an algorithm that is a token": ({"change": altered(r';alg="ed25519"', ";alg=ed25519")}, MALFORMED),
    "no tag": ({"change": altered(r';tag="[^"]*"', "")}, MALFORMED),
    "another tag": ({"change": altered(r';tag="[^"]*"', ';tag="other"')}, MALFORMED),
    "a vendor's tag": ({"change": altered(r';tag="[^"]*"', f';tag="{TAG_DID}"')}, MALFORMED),
    "an unknown parameter": ({"change": altered(r'(;tag="zcap")', r'\1;note="x"')}, UNSUPPORTED),
    "two signatures": ({"change": repeated}, MALFORMED),
    "no signature": ({"change": left_out("signature")}, MALFORMED),
    "no input": ({"change": left_out("signature-input")}, MALFORMED),
    "neither": ({"change": left_out("signature-input", "signature")}, MALFORMED),
    "no capability": ({"change": left_out("capability-invocation")}, MALFORMED),
    "another label": ({"change": altered("^sig=", "two=")}, MALFORMED),
    "a signature of nothing": ({"change": altered(":.*:", f":{'A' * 86}==:", "signature")}, INVALID),
    "a short signature": ({"change": altered(":.*:", ":AAAA:", "signature")}, INVALID),
    "a signature that is no bytes": ({"change": altered(":.*:", '"AAAA"', "signature")}, MALFORMED),
    "another spelling": ({"change": altered(r"^sig=\(", "sig=( ")}, MALFORMED),
    "many parameters": ({"change": altered(r'(;tag="zcap")', r"\1" + ";a" * 300)}, TOO_LARGE),
    "nothing covered": ({"components": ()}, INVALID),
    "no method": ({"components": ("@target-uri", "capability-invocation")}, INVALID),
    "no target": ({"components": ("@method", "capability-invocation")}, INVALID),
    "only the path": ({"components": ("@method", "@path", "capability-invocation")}, INVALID),
    "no capability covered": ({"components": ("@method", "@target-uri")}, INVALID),
    "more than that": ({"components": (*ALL, "@authority")}, INVALID),
    "a body that is not there": (
        {"components": (*ALL, "content-type", "content-digest"),
         "extra": {"content-type": "application/json", "content-digest": content_digest(b"")}}, INVALID,
    ),
    "a component of no name": ({"change": altered('"@method"', '"@client-ip"')}, INVALID),
    "a component twice": ({"change": altered('"@method"', '"@method" "@method"')}, (400, "duplicate-key")),
    "a component with a parameter": ({"change": altered('"@method"', '"@method";req')}, INVALID),
    "a header in another key": ({"change": altered('"capability-invocation"', '"capability-invocation";key="a"')}, INVALID),
    "an unsigned body": ({"body": b"{}"}, INVALID),
    "an unsigned body of nothing that counts": ({"body": b" "}, INVALID),
    "the future": ({"created_s": 4_000_000_000}, (401, "signature-stale")),
}  # fmt: skip


@pytest.mark.parametrize("name", SIGNATURES)
async def test_a_signature_says_all_it_must(
    node: Watched, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    given, (status, code) = SIGNATURES[name]
    earlier = await before(node, caplog)
    reply = await crafted(node, **given)
    check_problem(reply, status, code)
    await check_untouched(node, earlier, caplog, reply.body)


async def test_what_is_crafted_is_else_a_good_request(node: Watched) -> None:
    assert (await crafted(node)).status == 200
    reordered = ("capability-invocation", "@target-uri", "@method")
    assert (await crafted(node, components=reordered)).status == 200


# Bodies

BODY = ("@method", "@target-uri", "content-type", "content-digest")


async def posted(
    node: Watched, body: bytes, *, digest: str | None = None, kind: str = "application/json", **more: Any
) -> Reply:
    """Send the vendor's revocation with a body, every part of it signed; what the digest says may be wrong."""
    extra = {"content-type": kind, "content-digest": content_digest(body) if digest is None else digest}
    given: dict[str, Any] = {"components": BODY, "extra": extra, "body": body} | more
    return await crafted(node, method="POST", below=f"/zcaps/revocations/{PATH_ID}", tag=TAG_DID, **given)


PATH_ID = "urn%3Auuid%3A00000000-0000-4000-8000-000000000000"


def sha512(body: bytes) -> str:
    return f"sha-512=:{base64.b64encode(hashlib.sha512(body).digest()).decode()}:"


DIGESTS: dict[str, tuple[dict[str, Any], Outcome]] = {
    "of another body": ({"digest": content_digest(b"[]")}, INVALID),
    "one right and one wrong": ({"digest": f"{sha512(b'{}')}, {content_digest(b'[]')}"}, INVALID),
    "unknown": ({"digest": "md5=:AAAA:"}, UNSUPPORTED),
    "empty": ({"digest": ""}, UNSUPPORTED),
    "no bytes": ({"digest": 'sha-256="AAAA"'}, MALFORMED),
    "another spelling": ({"digest": "SHA-256=AAAA"}, MALFORMED),
    "twice": ({"digest": f"{content_digest(b'{}')}, {content_digest(b'{}')}"}, (400, "duplicate-key")),
    "not covered": ({"components": ("@method", "@target-uri", "content-type")}, INVALID),
    "kind not covered": ({"components": ("@method", "@target-uri", "content-digest")}, INVALID),
    "left out": ({"change": left_out("content-digest")}, UNSUPPORTED),
    "another body sent": ({"body": b'{"a":1}'}, INVALID),
    "no body sent": ({"body": None}, INVALID),
    "an empty body sent": ({"body": b""}, INVALID),
}  # fmt: skip


@pytest.mark.parametrize("name", DIGESTS)
async def test_a_digest_binds_the_body(node: Watched, caplog: pytest.LogCaptureFixture, name: str) -> None:
    given, (status, code) = DIGESTS[name]
    earlier = await before(node, caplog)
    reply = await posted(node, b"{}", **given)
    check_problem(reply, status, code)
    await check_untouched(node, earlier, caplog, reply.body)


BODIES: dict[str, tuple[bytes, Outcome]] = {
    "nothing": (b" ", MALFORMED),
    "no JSON": (SECRET.encode(), MALFORMED),
    "two documents": (b"{}{}", MALFORMED),
    "an array": (b"[]", MALFORMED),
    "a text": (b'"' + SECRET.encode() + b'"', MALFORMED),
    "deep": (b"[" * 100_000, (400, "too-deep")),
    "deep and whole": (b'{"a":' * 70 + b"1" + b"}" * 70, (400, "too-deep")),
    "a key twice": (b'{"label":"a","label":"b"}', (400, "duplicate-key")),
    "a key twice, once escaped": (b'{"label":"a","l\\u0061bel":"b"}', (400, "duplicate-key")),
    "NaN": (b'{"label":NaN}', MALFORMED),
    "Infinity": (b'{"label":Infinity}', MALFORMED),
    "half a surrogate pair": (b'{"label":"\\udc00"}', MALFORMED),
    "half a surrogate pair in a key": (b'{"\\ud83d":"a"}', MALFORMED),
    "no UTF-8": (b'{"label":"\xc3\x28"}', MALFORMED),
    "an overlong character": (b'{"label":"\xc0\x80"}', MALFORMED),
    "UTF-16": ('{"label":"a"}'.encode("utf-16"), MALFORMED),
    "a long number": (b'{"label":' + b"9" * 5000 + b"}", MALFORMED),
    "a comment": (b'{"label":"a"} // ' + SECRET.encode(), MALFORMED),
    "a comma too many": (b'{"label":"a",}', MALFORMED),
    "other quotes": (b"{'label':'a'}", MALFORMED),
    "many members": (b"[" + b"1," * 20_001 + b"1]", TOO_LARGE),
    "a member too many": (b'{"label":"a","note":"b"}', MALFORMED),
    "a member too few": (b"{}", MALFORMED),
    "a nul": (b'{"label":"a\\u0000"}', MALFORMED),
    "too long a text": (b'{"label":"' + b"a" * 121 + b'"}', TOO_LARGE),
    "nothing but a joiner": (b'{"label":"\\u200d"}', MALFORMED),
    "a direction": (b'{"label":"a\\u202eb"}', MALFORMED),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
async def test_a_body_is_one_json_object(node: Watched, caplog: pytest.LogCaptureFixture, name: str) -> None:
    """Each is sent by its owner, so that nothing is wrong with it but what it says."""
    body, (status, code) = BODIES[name]
    earlier = await before(node, caplog)
    reply = await owned(node, body)
    check_problem(reply, status, code)
    await check_untouched(node, earlier, caplog, reply.body, spent={"nonce"})


async def owned(
    node: Watched, body: bytes, kind: str = "application/json", *, chunked: bool = False, **headers: str
) -> Reply:
    target = "/owner/invitations"
    extra = {"content-type": kind, "content-digest": content_digest(body)}
    message = Message(method="POST", target_uri=node.house.base + target, headers=extra)
    now_s = node.house.now_s()
    made = sign(
        message, components=BODY, key=node.house.node.session_key, tag=TAG_OWNER, created_s=now_s,
        expires_s=now_s + 60, nonce=node.house.nonce(),
    )  # fmt: skip
    sent = (
        extra | made | ({"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(len(body))})
    )
    data = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n" if chunked else body
    return await reply_to(
        node.house.base, request_bytes(target, method="POST", headers=sent | headers, body=data)
    )


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "text/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
     "application/jsonp", "application/json,text/plain", "", "json", "application/octet-stream"],
)  # fmt: skip
async def test_a_body_is_declared_to_be_json(
    node: Watched, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    earlier = await before(node, caplog)
    reply = await owned(node, b'{"label":"a"}', kind)
    check_problem(reply, *MALFORMED)
    await check_untouched(node, earlier, caplog, reply.body, spent={"nonce"})


async def test_a_compressed_body_is_what_it_is_and_not_what_it_holds(
    node: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    for body in (gzip.compress(b'{"label":"a"}'), gzip.compress(bytes(2**20))):
        for encoding in ("gzip", "deflate", "br", "gzip, gzip"):
            earlier = await before(node, caplog)
            reply = await owned(node, body, **{"Content-Encoding": encoding})
            check_problem(reply, *MALFORMED)
            await check_untouched(node, earlier, caplog, reply.body, spent={"nonce"})


async def test_a_body_may_come_in_pieces(node: Watched) -> None:
    assert (await owned(node, b'{"label":"a"}', chunked=True)).status == 201
    assert (await owned(node, b'{"label":"a"}', "application/json; charset=utf-8")).status == 201


async def test_a_revocation_is_of_the_capability_it_names(
    node: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    body = json.dumps(node.held.capability.document).encode()
    earlier = await before(node, caplog)
    reply = await posted(node, body)
    check_problem(reply, *MALFORMED)
    await check_untouched(node, earlier, caplog, reply.body)
