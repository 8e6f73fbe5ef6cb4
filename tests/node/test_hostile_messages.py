"""Signatures and bodies that are not of the one form there is: refused by what they say, before anything else."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from crafted import COVERED, altered, crafted, left_out, repeated
from freehold_protocol.http_message import Message, content_digest
from freehold_protocol.http_signature import sign
from freehold_protocol.invocation import TAG_DID, TAG_OWNER
from harness import Reply
from raw_http import reply_to, request_bytes
from shop import OUTSIDER
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
    "the name of another key": (
        {"change": altered(r';keyid="[^"]*"', f';keyid="{OUTSIDER.method}"')}, (403, "wrong-controller"),
    ),
    "no algorithm": ({"change": altered(r';alg="ed25519"', "")}, INVALID),
    "another algorithm": ({"change": altered(r';alg="ed25519"', ';alg="hmac-sha256"')}, UNSUPPORTED),
    "a stronger algorithm": ({"change": altered(r';alg="ed25519"', ';alg="rsa-v1_5-sha256"')}, UNSUPPORTED),
    "no such algorithm": ({"change": altered(r';alg="ed25519"', ';alg="none"')}, UNSUPPORTED),
    "an algorithm in capitals": ({"change": altered(r';alg="ed25519"', ';alg="ED25519"')}, UNSUPPORTED),
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
    "more than that": ({"components": (*COVERED, "@authority")}, INVALID),
    "a body that is not there": (
        {"components": (*COVERED, "content-type", "content-digest"),
         "extra": {"content-type": "application/json", "content-digest": content_digest(b"")}}, INVALID,
    ),
    "a component of no name": ({"change": altered('"@method"', '"@client-ip"')}, INVALID),
    "a component twice": ({"change": altered('"@method"', '"@method" "@method"')}, (400, "duplicate-key")),
    "a component with a parameter": ({"change": altered('"@method"', '"@method";req')}, INVALID),
    "a part of a header": ({"change": altered('(y-invocation)"', r'\1";key="a"')}, INVALID),
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
    node: Watched, signed: bytes, *, digest: str | None = None, kind: str = "application/json", **more: Any
) -> Reply:
    """Send the vendor's revocation with a body, every part of it signed; what the digest says may be wrong."""
    extra = {"content-type": kind, "content-digest": content_digest(signed) if digest is None else digest}
    given: dict[str, Any] = {"components": BODY, "extra": extra, "body": signed} | more
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
    "left out": ({"change": left_out("content-digest")}, INVALID),
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
    node: Watched, body: bytes, kind: str = "application/json", *, chunked: bool = False, encoding: str = ""
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
    if encoding:
        sent["Content-Encoding"] = encoding
    data = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n" if chunked else body
    return await reply_to(node.house.base, request_bytes(target, method="POST", headers=sent, body=data))


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
            reply = await owned(node, body, encoding=encoding)
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
