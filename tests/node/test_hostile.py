"""Bytes that no honest client sends: each gets the one answer the protocol has for it, and changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
import pytest_asyncio
from freehold_node.api import messages, server
from freehold_node.inspection import Inspection
from freehold_protocol.keys import SigningKey
from harness import Reply
from raw_http import connect, exchange, read_one, replies_in, reply_to, request_bytes
from shop import COURIER
from watch import SECRET, Watched, before, check_problem, check_untouched, watched

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def node(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watched]:
    async with watched(Path(tmp_path_factory.mktemp("hostile"))) as found:
        yield found


# Targets

MALFORMED = (400, "malformed")
TOO_LARGE = (413, "too-large")

TARGETS: dict[str, tuple[str, tuple[int, str]]] = {
    "dot segments": ("/delivery/../marketing/records", MALFORMED),
    "a dot segment": ("/./delivery/records", MALFORMED),
    "dots at the end": ("/delivery/records/..", MALFORMED),
    "escaped dots": ("/delivery/%2e%2e/marketing/records", MALFORMED),
    "dots escaped in capitals": ("/delivery/%2E%2E/marketing/records", MALFORMED),
    "half escaped dots": ("/delivery/.%2e/marketing/records", MALFORMED),
    "an escaped slash": ("/delivery%2frecords", MALFORMED),
    "an escaped slash in dots": ("/delivery/..%2fmarketing/records", MALFORMED),
    "an escaped backslash": ("/delivery%5c..%5cmarketing/records", MALFORMED),
    "a backslash": ("/delivery\\records", MALFORMED),
    "an escaped letter": ("/%64elivery/records", MALFORMED),
    "an escape twice": ("/delivery%252frecords", MALFORMED),
    "an escaped nul": ("/delivery/records%00", MALFORMED),
    "a broken escape": ("/delivery/records%", MALFORMED),
    "a small escape": ("/zcaps/revocations/urn%3auuid", MALFORMED),
    "an empty segment": ("//delivery/records", MALFORMED),
    "an empty segment inside": ("/delivery//records", MALFORMED),
    "a slash at the end": ("/delivery/records/", MALFORMED),
    "a parameter": ("/delivery/records;v=1", MALFORMED),
    "a fragment": ("/delivery/records#items", MALFORMED),
    "a fragment after a query": ("/delivery/records?limit=1#items", MALFORMED),
    "a backslash in the query": ("/delivery/records?fields=\\", MALFORMED),
    "a key twice": ("/delivery/records?limit=1&limit=2", (400, "duplicate-key")),
    "a key twice, once escaped": ("/delivery/records?limit=1&%6cimit=2", (400, "duplicate-key")),
    "a key twice at the ledger": ("/ledger/entries?first=0&first=9", (400, "duplicate-key")),
    "no key twice": ("/ledger/entries?&", (400, "duplicate-key")),
    "an empty query": ("/delivery/records?", (401, "signature-invalid")),
    "a plus in the path": ("/delivery/rec+ords", MALFORMED),
    "too long": ("/delivery/records?where=" + "a" * 5100, TOO_LARGE),
    "longer than a line": ("/delivery/records?where=" + "a" * 9000, TOO_LARGE),
    "a long path": ("/" + "a" * 5200, TOO_LARGE),
}  # fmt: skip


@pytest.mark.parametrize("name", TARGETS)
async def test_a_target_means_one_thing(node: Watched, caplog: pytest.LogCaptureFixture, name: str) -> None:
    """Each is signed as it stands, by who may read everything: what is refused is the spelling."""
    below, (status, code) = TARGETS[name]
    target = f"/g/{node.held.grant}{below}"
    # An empty query is signed as if it were none: what was signed is not what came.
    headers = node.held.headers("GET", target.removesuffix("?"))
    earlier = await before(node, caplog)
    reply = await reply_to(node.house.base, request_bytes(target, headers=headers))
    check_problem(reply, status, code)
    await check_untouched(node, earlier, caplog, reply.body)


@pytest.mark.parametrize(
    "form", ["http://{host}{target}", "https://{host}{target}", "//{host}{target}", "{target} x"]
)
async def test_only_the_origin_form_is_a_target(
    node: Watched, caplog: pytest.LogCaptureFixture, form: str
) -> None:
    target = f"/g/{node.held.grant}/delivery/records"
    headers = node.held.headers("GET", target)
    earlier = await before(node, caplog)
    sent = form.format(host=node.house.base.partition("//")[2], target=target)
    reply = await reply_to(node.house.base, request_bytes(sent, headers=headers))
    check_problem(reply, *MALFORMED)
    await check_untouched(node, earlier, caplog, reply.body)


async def test_a_permissions_capability_reaches_no_other(
    node: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    courier = node.held.delegate(COURIER, path="/delivery")
    for below, status, code in (
        ("/marketing/records", 403, "wrong-target"),
        ("/deliveryx/records", 403, "wrong-target"),
        ("/delivery-x/records", 403, "wrong-target"),
        ("/ledger/entries", 403, "wrong-target"),
        ("", 403, "wrong-target"),
        ("/delivery/../marketing/records", 400, "malformed"),
    ):
        target = f"/g/{node.held.grant}{below}"
        earlier = await before(node, caplog)
        reply = await reply_to(node.house.base, request_bytes(target, headers=courier.headers("GET", target)))
        check_problem(reply, status, code)
        counted = code == "wrong-target"
        await check_untouched(node, earlier, caplog, reply.body, counted=counted)


# What is no HTTP, or two kinds of it at once

_CHUNKED = {"Transfer-Encoding": "chunked"}
_LAST = b"0\r\n\r\n"


def posted(headers: dict[str, str], body: bytes = b"") -> bytes:
    return request_bytes("/g/x/renew", method="POST", headers=headers, body=body)


WRONG: dict[str, tuple[bytes, tuple[int, str]]] = {
    "authority form": (request_bytes("127.0.0.1:80"), MALFORMED),
    "authority form of CONNECT": (request_bytes("127.0.0.1:80", method="CONNECT"), MALFORMED),
    "asterisk form": (request_bytes("*", method="OPTIONS"), MALFORMED),
    "asterisk form of GET": (request_bytes("*"), MALFORMED),
    "a broken authority": (request_bytes(f"http://[::1{SECRET}/x"), MALFORMED),
    "another scheme": (request_bytes(f"file:///{SECRET}"), MALFORMED),
    "a space in the target": (request_bytes(f"/heal {SECRET}"), MALFORMED),
    "an unknown method": (request_bytes("/healthz", method=SECRET), MALFORMED),
    "another method": (request_bytes("/healthz", method="DELETE"), (405, "malformed")),
    "TRACE": (request_bytes("/healthz", method="TRACE", headers={"X": SECRET}), (405, "malformed")),
    "no Host": (b"GET /healthz HTTP/1.1\r\n\r\n", MALFORMED),
    "two Hosts": (request_bytes("/healthz", headers={"host": SECRET}), MALFORMED),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", MALFORMED),
    "HTTP/3.7": (b"GET /healthz HTTP/3.7\r\nHost: x\r\n\r\n", MALFORMED),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + SECRET.encode(), MALFORMED),
    "nothing that is known": (SECRET.encode() * 3 + b"\r\n\r\n", MALFORMED),
    "bare line feeds": (f"GET /healthz HTTP/1.1\nHost: {SECRET}\n\n".encode(), MALFORMED),
    "bytes in the target": (b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n", MALFORMED),
    "a nul in a header": (request_bytes("/healthz", headers={"X": SECRET + "\0"}), MALFORMED),
    "a header without a colon": (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX " + SECRET.encode() + b"\r\n\r\n", MALFORMED),
    "a space before the colon": (request_bytes("/healthz", headers={"X ": SECRET}), MALFORMED),
    "a folded header": (request_bytes("/healthz", headers={"X": f"a\r\n {SECRET}"}), MALFORMED),
    "a header of no name": (request_bytes("/healthz", headers={"": SECRET}), MALFORMED),
    "a carriage return in a header": (request_bytes("/healthz", headers={"X": f"a\rSet-Cookie: {SECRET}"}), MALFORMED),
    "a long header": (request_bytes("/healthz", headers={"X": SECRET + "a" * 20_000}), TOO_LARGE),
    "a long name of a header": (request_bytes("/healthz", headers={SECRET + "a" * 20_000: "x"}), TOO_LARGE),
    "many headers": (request_bytes("/healthz", headers={f"X-{n}": SECRET for n in range(200)}), MALFORMED),
    "both lengths": (posted({**_CHUNKED, "Content-Length": "3"}, _LAST), MALFORMED),
    "both lengths, the other way": (posted({"Content-Length": "3", **_CHUNKED}, _LAST), MALFORMED),
    "two lengths": (posted({"Content-Length": "4", "content-length": "3"}, b"abcd"), MALFORMED),
    "a length in words": (posted({"Content-Length": "four"}, b"abcd"), MALFORMED),
    "a negative length": (posted({"Content-Length": "-1"}), MALFORMED),
    "a length with a sign": (posted({"Content-Length": "+4"}, b"abcd"), MALFORMED),
    "a huge length": (posted({"Content-Length": "9" * 30}), MALFORMED),
    "another encoding": (posted({"Transfer-Encoding": "xchunked"}, _LAST), MALFORMED),
    "chunked and more": (posted({"Transfer-Encoding": "chunked, gzip"}, _LAST), MALFORMED),
    "chunked twice": (posted({"Transfer-Encoding": "chunked", "transfer-encoding": "chunked"}, _LAST), MALFORMED),
    "chunks without a size": (posted(_CHUNKED, f"zz\r\n{SECRET}\r\n".encode() + _LAST), MALFORMED),
    "chunks of another size": (posted(_CHUNKED, f"3\r\n{SECRET}\r\n".encode() + _LAST), MALFORMED),
    "a body that is too long by its word": (posted({"Content-Length": "262145"}), TOO_LARGE),
    "another expectation": (request_bytes("/healthz", headers={"Expect": SECRET}), (417, "malformed")),
    "another expectation nowhere": (request_bytes("/nope", headers={"Expect": SECRET}), (417, "malformed")),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
async def test_what_is_no_request_of_ours(node: Watched, caplog: pytest.LogCaptureFixture, name: str) -> None:
    data, (status, code) = WRONG[name]
    earlier = await before(node, caplog)
    reply = await reply_to(node.house.base, data)
    check_problem(reply, status, code)
    told = [f"{name}: {value}" for name, value in reply.headers.items()]
    await check_untouched(node, earlier, caplog, reply.body, "\n".join(told).encode())
    assert (await reply_to(node.house.base, request_bytes("/healthz"))).status == 200


@pytest.mark.parametrize(
    "data",
    [
        posted({"Content-Length": "50"}, SECRET.encode()),
        posted(_CHUNKED, b"50\r\n" + SECRET.encode()),
        b"GET /healthz HTT",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + SECRET.encode(),
    ],
)
async def test_what_breaks_off_is_no_failure(
    node: Watched, caplog: pytest.LogCaptureFixture, data: bytes
) -> None:
    earlier = await before(node, caplog)
    received = await exchange(node.house.base, data, cut_off=True)
    assert received == b""
    await check_untouched(node, earlier, caplog)
    assert not [record for record in caplog.records if record.levelname in ("ERROR", "CRITICAL")]


async def test_more_than_a_body_may_have_is_not_read(node: Watched, caplog: pytest.LogCaptureFixture) -> None:
    """Strangers do not get to send the owner's files, whatever they say of themselves."""
    chunk = b"10000\r\n" + b"a" * 0x10000 + b"\r\n"
    owner = f'sig=("@method");keyid="{node.house.node.session_key.method}"'
    for path, headers, chunks in (
        ("/i/x", {}, 5),
        ("/owner/import", {}, 5),
        ("/owner/import", {"Signature-Input": f'sig=("@method");keyid="{SigningKey(bytes(32)).method}"'}, 5),
        ("/owner/import", {"Signature-Input": owner}, 257),
    ):
        earlier = await before(node, caplog)
        data = request_bytes(
            path, method="POST", headers={**_CHUNKED, **headers}, body=chunk * chunks + _LAST
        )
        received = await exchange(node.house.base, data)
        check_problem(replies_in(received)[0], *TOO_LARGE)
        await check_untouched(node, earlier, caplog)


async def test_the_owner_may_send_a_whole_file(node: Watched) -> None:
    body = {"name": "book.vcf", "data": "A" * 400_000}
    reply = await node.house.owner("POST", "/import/preview", body)
    assert (reply.status, reply.code) == (400, "malformed")  # it is no address book, and was read as one


# A failure of the node itself


@pytest.mark.requirement("SEC-9", "ERR-2")
async def test_a_failure_tells_nobody_what_it_was_about(
    node: Watched, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise KeyError(SECRET)

    monkeypatch.setattr(Inspection, "status_of_node", fail)
    earlier = await before(node, caplog)
    reply = await node.house.owner("GET", "/status")
    assert (reply.status, reply.code) == (500, "error")
    await check_untouched(node, earlier, caplog, reply.body, spent={"nonce"})
    assert "KeyError at test_hostile.py:" in caplog.text


@pytest.mark.requirement("SEC-9")
async def test_what_goes_well_is_not_written_down_either(
    node: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    await before(node, caplog)
    capability = (await node.house.signed(node.held.key, "POST", f"/g/{node.held.grant}/renew")).body
    assert (await node.held.get("/delivery/records?fields=name")).status == 200
    assert (await node.held.get("/delivery/records?fields=email")).status == 403
    assert (await node.house.owner("POST", "/verify", {})).status == 200
    for secret in (*node.secrets(), node.held.grant, capability.decode(), "email"):
        assert secret not in caplog.text


# Slowness


async def drip(base: str, data: bytes, *, first: bytes = b"") -> tuple[bytes, float]:
    """Send a byte at a time until the node has had enough; return what came and how long it took."""
    reader, writer = await connect(base)
    loop = asyncio.get_running_loop()
    writer.write(first)
    received = b""
    if first:
        received = await read_one(reader)
    begun = loop.time()
    try:
        for index in range(10_000):
            writer.write(data[index % len(data) : index % len(data) + 1])
            with suppress(TimeoutError):  # the pace: what is waited for is the end, and it comes
                async with asyncio.timeout(0.02):
                    more = await reader.read(4096)
                    received += more
                    if not more:
                        break
    except ConnectionError:
        pass
    finally:
        writer.close()
    return received, loop.time() - begun


_ENDLESS = b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 1000


async def test_a_head_has_a_deadline_however_it_drips(
    node: Watched, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HEAD_S", 0.3)
    good = request_bytes("/healthz", close=False)
    earlier = await before(node, caplog)
    for first in (b"", good):
        received, took_s = await drip(node.house.base, _ENDLESS, first=first)
        assert [reply.status for reply in replies_in(received)] == ([200] if first else [])
        assert 0.2 < took_s < 3
    # A second head that begins in one piece with the first.
    received, took_s = await drip(node.house.base, b"X-A: b\r\n", first=good + b"GET /healthz HTTP/1.1\r\n")
    assert [reply.status for reply in replies_in(received)] == [200]
    assert took_s < 3
    await check_untouched(node, earlier, caplog)


async def test_a_body_has_a_deadline_however_it_drips(
    node: Watched, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "BODY_S", 0.3)
    for headers, body in (({"Content-Length": "1000"}, b"a"), (_CHUNKED, b"1\r\na\r\n")):
        earlier = await before(node, caplog)
        reader, writer = await connect(node.house.base)
        writer.write(posted(headers, body))
        received = await read_one(reader)
        writer.close()
        (reply,) = replies_in(received)
        check_problem(reply, *MALFORMED)
        await check_untouched(node, earlier, caplog, reply.body)


async def test_idle_connections_keep_nobody_out(
    node: Watched, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HEAD_S", 1.0)
    earlier = await before(node, caplog)
    idle = [await connect(node.house.base) for _ in range(200)]
    for _, writer in idle[::2]:
        writer.write(b"GET /healthz HT")
    async with asyncio.timeout(15):
        assert (await node.held.get("/delivery/records")).status == 200
        assert await asyncio.gather(*(reader.read() for reader, _ in idle)) == [b""] * 200
    for _, writer in idle:
        writer.close()
    await check_untouched(node, earlier, caplog, spent={"access_grant", "entry", "nonce"})


# One connection, many requests


async def test_pipelined_requests_are_answered_in_order(
    node: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    target = f"/g/{node.held.grant}/delivery/records"
    signed = node.held.headers("GET", target)
    parts = [
        request_bytes("/healthz", close=False),
        request_bytes(target, headers=signed, close=False),
        request_bytes(target, headers=signed, close=False),
        request_bytes("/nope", close=False),
        *[request_bytes("/healthz", close=False)] * 60,
        request_bytes("/g/../x", close=False),
        request_bytes(target, headers=node.held.headers("GET", target)),
    ]
    earlier = await before(node, caplog)
    replies: list[Reply] = replies_in(await exchange(node.house.base, b"".join(parts)))
    assert [reply.status for reply in replies] == [200, 200, 409, 404, *[200] * 60, 400, 200]
    await check_untouched(node, earlier, caplog, spent={"access_grant", "entry", "nonce"})


async def test_what_follows_an_upgrade_is_no_other_protocol(
    node: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    headers = {"Upgrade": "websocket", "Connection": "Upgrade"}
    data = request_bytes("/healthz", headers=headers, close=False) + request_bytes("/nope")
    earlier = await before(node, caplog)
    replies = replies_in(await exchange(node.house.base, data))
    assert [reply.status for reply in replies] == [200, 404]
    await check_untouched(node, earlier, caplog)
