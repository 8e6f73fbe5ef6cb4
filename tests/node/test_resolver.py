"""Fetching DID documents: one look at the name, only public addresses, nothing followed, nothing told."""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from did_server import (
    Answer,
    DidServer,
    TestNames,
    answering,
    did_server,
    document_of,
    trusted_file,
    trusting,
)
from freehold_node.resolver import PAUSE_S, Resolver, SystemNames
from freehold_protocol import limits
from freehold_protocol.did_document import USES, did_web_url
from freehold_protocol.errors import DidUnavailableError, MalformedError, UnsupportedError
from freehold_protocol.keys import SigningKey
from harness import TestClock, free_port

KEY = SigningKey(bytes([1]) * 32)
FETCH_S = 0.5


def resolver(names: TestNames | None = None, *, clock: TestClock | None = None, **more: Any) -> Resolver:
    """Return one that trusts the tests' CA and may go to loopback."""
    given: dict[str, Any] = {
        "allow_private_hosts": True, "tls": trusting(), "names": names or TestNames.loopback(), "fetch_s": FETCH_S,
    }  # fmt: skip
    return Resolver((clock or TestClock()).clock(), **(given | more))


async def refused(made: Resolver, did: str) -> float:
    """Return after how many seconds the one refusal came."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(DidUnavailableError) as raised:
        await made.keys(did)
    assert str(raised.value) == "the DID document cannot be had, or does not hold; try again later"
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__ or raised.value.__context__ is None
    return loop.time() - began


@pytest.mark.requirement("IDN-19")
@pytest.mark.asyncio
async def test_a_document_is_fetched_by_one_plain_request() -> None:
    names = TestNames.loopback()
    async with did_server() as server:
        did = server.did(path=":shops:one")
        server.publish(did, KEY.public)
        keys = await resolver(names, fetch_s=5).keys(did)
        assert keys.did == did
        assert keys.key(f"{did}#key-1", use="authentication") == KEY.public
        assert all(keys.uses[use] for use in USES)
        assert names.looked == {"shop.example": 1}
        assert server.connections == 1
        [head] = server.asked
        lines = head.lower().split("\r\n")
        assert lines[0] == "get /shops/one/did.json http/1.1"
        assert f"host: shop.example:{server.port}" in lines
        assert "accept-encoding: identity" in lines
        sent = {line.partition(":")[0] for line in lines[1:] if line}
        assert sent == {"host", "accept", "accept-encoding", "connection", "user-agent"}


@pytest.mark.asyncio
async def test_every_fetch_looks_anew() -> None:
    names = TestNames.loopback()
    async with did_server() as server:
        did = server.did()
        made = resolver(names, fetch_s=5)
        for number in (1, 2):
            key = SigningKey(bytes([number]) * 32).public
            server.publish(did, key)
            assert (await made.keys(did)).controllers == (key,)
        assert (names.looked["shop.example"], server.connections) == (2, 2)


@pytest.mark.asyncio
async def test_a_literal_loopback_address_is_fetched_without_tls_and_only_where_that_is_allowed() -> None:
    names = TestNames()
    async with did_server(tls=False) as server:
        did = server.did("127.0.0.1")
        server.publish(did, KEY.public)
        assert (await resolver(names, fetch_s=5).keys(did)).controllers == (KEY.public,)
        await refused(resolver(names, allow_private_hosts=False), did)
        assert server.connections == 1
        assert not names.looked


@pytest.mark.parametrize(
    ("did", "error"),
    [
        (KEY.did, UnsupportedError),
        ("did:webvh:shop.example", UnsupportedError),
        ("did:web:10.0.0.1", MalformedError),
        ("did:web:Shop.example", MalformedError),
        ("did:web:shop.example:..:a", MalformedError),
    ],
)
@pytest.mark.asyncio
async def test_what_is_no_did_web_is_never_looked_at(did: str, error: type[Exception]) -> None:
    names = TestNames()
    with pytest.raises(error):
        await resolver(names).keys(did)
    assert not names.looked


# What does not hold


async def _drip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
    while True:
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.write(b" ")


async def _endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    while True:
        writer.write(b'{"a":' * 4096)
        await writer.drain()


async def _silent(_: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def _gone(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


def _raw(data: bytes) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(data)

    return answer


def good(did: str, **more: Any) -> bytes:
    return json.dumps(document_of(did, KEY.public, **more)).encode()


def bad_answers(did: str) -> dict[str, Answer]:
    """Return what a host may answer that is no document; most of them hold a good one."""
    document = good(did)
    elsewhere = ["Location: " + did_web_url(did).replace("shop.", "other.")]
    found: dict[str, Answer] = {
        f"a redirect by {status}": answering(document, status=f"{status} See", headers=elsewhere)
        for status in (301, 302, 303, 307, 308)
    }
    found |= {
        f"a status of {status}": answering(document, status=f"{status} x")
        for status in (201, 203, 206, 404, 500)
    }
    packed = gzip.compress(document)
    return found | {
        "an empty answer": answering(b""),
        "204": _raw(b"HTTP/1.1 204 No Content\r\n\r\n"),
        "gzip": answering(packed, headers=["Content-Encoding: gzip"]),
        "gzip that is not said": answering(packed),
        "deflate": answering(document, headers=["Content-Encoding: deflate"]),
        "too much, by its own word": answering(b"{}", length=limits.MAX_DID_DOCUMENT_BYTES + 1),
        "too much": answering(document + b" " * limits.MAX_DID_DOCUMENT_BYTES),
        "one byte too many": answering(document + b" " * (limits.MAX_DID_DOCUMENT_BYTES + 1 - len(document))),
        "too little": answering(document, length=len(document) + 10),
        "without an end": _endless,
        "drop by drop": _drip,
        "nothing": _silent,
        "gone": _gone,
        "no HTTP": _raw(b"SSH-2.0-OpenSSH_9.2\r\n"),
        "a head without end": _raw(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000),
        "many heads": _raw(b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 20_000),
        "a broken chunk": _raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"),
        "a page": answering(b"<html></html>"),
        "an array": answering(b"[" + document + b"]"),
        "two documents": answering(document + document),
        "a key twice": answering(document[:-1] + b',"id":"did:web:shop.example"}'),
        "no UTF-8": answering(document.replace(b"Multikey", b"\xff")),
        "too deep": answering(document[:-1] + b',"x":' + b"[" * 100 + b"]" * 100 + b"}"),
        "deeper than a parser goes": answering(b"[" * 30_000),
        "another's document": answering(good(did, id=did.replace("shop.", "other."))),
        "no keys": answering(json.dumps({"id": did}).encode()),
        "methods for nothing": answering(good(did, **{use: [] for use in USES})),
        "a private key": answering(good(did, verificationMethod=[
            {"id": f"{did}#key-1", "type": "Multikey", "controller": did,
             "publicKeyMultibase": KEY.public.multikey, "secretKeyMultibase": KEY.multikey}])),
    }  # fmt: skip


@pytest.mark.requirement("IDN-20")
@pytest.mark.asyncio
async def test_whatever_does_not_hold_is_one_refusal_that_takes_one_time() -> None:
    async with did_server() as server:
        dids = [server.did(path=f":case:{number}") for number in range(len(bad_answers(server.did())))]
        cases = [list(bad_answers(did).items())[number] for number, did in enumerate(dids)]
        for did, (_, answer) in zip(dids, cases, strict=True):
            server.say(did, answer)
        took_s = await asyncio.gather(*(refused(resolver(fetch_s=1.5), did) for did in dids))
        for (name, _), seconds in zip(cases, took_s, strict=True):
            assert 1.45 <= seconds < 4, (name, seconds)
        assert [server.count(did) for did in dids] == [1] * len(cases)  # once, and nobody else
        assert server.connections == len(cases)


@pytest.mark.asyncio
async def test_what_holds_within_the_bounds() -> None:
    async with did_server() as server:
        did = server.did()
        body = good(did)
        for answer in (body, body + b" " * (limits.MAX_DID_DOCUMENT_BYTES - len(body))):
            server.say(did, answer)
            assert (await resolver(fetch_s=5).keys(did)).controllers == (KEY.public,)


@pytest.mark.asyncio
async def test_tls_is_checked_against_the_name() -> None:
    async with did_server("other.example") as server:
        server.publish(server.did(), KEY.public)
        server.publish(server.did("other.example"), KEY.public)
        await refused(resolver(), server.did())
        assert not server.asked
        assert (await resolver(fetch_s=5).keys(server.did("other.example"))).controllers == (KEY.public,)


@pytest.mark.asyncio
async def test_a_certificate_must_be_trusted() -> None:
    async with did_server() as server:
        server.publish(server.did(), KEY.public)
        for tls in (ssl.create_default_context(), None):
            await refused(resolver(tls=tls), server.did())
        assert not server.asked


@pytest.mark.asyncio
async def test_whom_to_trust_may_be_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted_file(tmp_path)))
    async with did_server() as server:
        server.publish(server.did(), KEY.public)
        assert (await resolver(tls=None, fetch_s=5).keys(server.did())).controllers == (KEY.public,)


@pytest.mark.asyncio
async def test_a_host_without_tls_is_no_host() -> None:
    async with did_server(tls=False) as server:
        server.publish(server.did(), KEY.public)
        await refused(resolver(), server.did())
        assert not server.asked
    await refused(resolver(), f"did:web:shop.example%3A{free_port()}")


# Where it goes


@pytest.mark.requirement("IDN-19")
@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"], ["::1"], ["0.0.0.0"], ["::"], ["::ffff:127.0.0.1"], ["64:ff9b::7f00:1"], ["2002:7f00:1::"],
        ["169.254.169.254"], ["10.0.0.1"], ["fe80::1%lo"], ["8.8.8.8", "127.0.0.1"], ["127.0.0.1", "8.8.8.8"],
        ["not an address"], [], ["8.8.8.8"] * 17,
    ],
)  # fmt: skip
@pytest.mark.asyncio
async def test_a_name_for_anything_private_is_connected_to_nowhere(addresses: list[str]) -> None:
    async with did_server(tls=False) as server:
        names = TestNames({"shop.example": [addresses]})
        await refused(resolver(names, allow_private_hosts=False, fetch_s=0.05), server.did())
        assert names.looked == {"shop.example": 1}
        assert server.connections == 0


@pytest.mark.parametrize("name", ["localhost", "shop", "metadata.internal"])
@pytest.mark.asyncio
async def test_names_of_the_inside_are_as_unknown_as_any(name: str) -> None:
    async with did_server(tls=False) as server:
        for names in (TestNames({name: [["127.0.0.1"]]}), TestNames({}), SystemNames()):
            made = resolver(names, allow_private_hosts=False, fetch_s=0.2)  # type: ignore[arg-type]
            took_s = await refused(made, server.did(name))
            assert took_s >= 0.19
        assert server.connections == 0


@pytest.mark.requirement("IDN-19")
@pytest.mark.asyncio
async def test_a_name_that_turns_to_another_address_is_looked_at_once() -> None:
    """Rebinding: what was checked is what is connected to, whatever the name says a moment later."""
    async with did_server() as right, did_server(address="127.0.0.2") as wrong:
        right.publish(right.did(), KEY.public)
        names = TestNames({"shop.example": [["127.0.0.1"], ["127.0.0.2"]]})
        assert (await resolver(names, fetch_s=5).keys(right.did())).controllers == (KEY.public,)
        assert (names.looked["shop.example"], right.connections, wrong.connections) == (1, 1, 0)


@pytest.mark.asyncio
async def test_a_private_answer_is_not_tried_again_in_the_hope_of_a_public_one() -> None:
    async with did_server(tls=False) as server:
        names = TestNames({"shop.example": [["127.0.0.1"], ["8.8.8.8"]]})
        await refused(resolver(names, allow_private_hosts=False, fetch_s=0.05), server.did())
        assert names.looked == {"shop.example": 1}
        assert server.connections == 0


@pytest.mark.asyncio
async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with did_server() as server, did_server(tls=False) as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        server.publish(server.did(), KEY.public)
        assert (await resolver(fetch_s=5).keys(server.did())).controllers == (KEY.public,)
        assert proxy.connections == 0


# How often


@pytest.mark.requirement("IDN-20")
@pytest.mark.asyncio
async def test_a_host_that_failed_is_left_alone_for_a_while() -> None:
    clock, names = TestClock(), TestNames.loopback()
    async with did_server() as server:
        did = server.did()
        made = resolver(names, clock=clock, fetch_s=1)
        server.publish(server.did("other.example"), KEY.public)
        assert await refused(made, did) >= 0.99
        server.publish(did, KEY.public)
        for other in (did, server.did(path=":a")):
            assert await refused(made, other) < 0.5
        clock.advance(PAUSE_S - 1)
        await refused(made, did)
        assert (await made.keys(server.did("other.example"))).controllers == (KEY.public,)
        assert server.count(did) == 1
        clock.advance(1)
        assert (await made.keys(did)).controllers == (KEY.public,)
        assert names.looked["shop.example"] == 2


@asynccontextmanager
async def holding() -> AsyncIterator[tuple[DidServer, asyncio.Event]]:
    """A server that lets nobody go before it is told to."""
    go = asyncio.Event()
    async with did_server() as server:

        async def hold(writer: asyncio.StreamWriter) -> None:
            await go.wait()
            await answering(good(server.did()))(writer)

        server.say(server.did(), hold)
        try:
            yield server, go
        finally:
            go.set()


@pytest.mark.requirement("IDN-20")
@pytest.mark.asyncio
async def test_only_a_few_are_fetched_at_once() -> None:
    async with holding() as (server, go):
        made = resolver(fetch_s=5)
        fetching = [asyncio.create_task(made.keys(server.did())) for _ in range(10)]
        while server.open_now < 4:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        assert server.open_most == 4
        go.set()
        assert len(await asyncio.gather(*fetching)) == 10
        assert server.open_most == 4


@pytest.mark.asyncio
async def test_who_had_to_wait_for_others_is_not_held_to_have_failed() -> None:
    async with holding() as (server, go):
        made = resolver(fetch_s=0.5)
        server.publish(server.did("other.example"), KEY.public)
        slow = [asyncio.create_task(refused(made, server.did())) for _ in range(4)]
        while server.open_now < 4:
            await asyncio.sleep(0.01)
        made._fetch_s = 0.1
        await refused(made, server.did("other.example"))
        made._fetch_s = 5
        await asyncio.gather(*slow)
        assert (await made.keys(server.did("other.example"))).controllers == (KEY.public,)
        del go


@pytest.mark.asyncio
async def test_hosts_that_failed_are_not_remembered_without_bound() -> None:
    made = resolver(TestNames({}), fetch_s=0.0)
    for number in range(50):
        await refused(made, f"did:web:h{number}.example")
    assert len(made._paused_us) == 50


@pytest.mark.asyncio
async def test_the_system_knows_its_own_name() -> None:
    assert {"127.0.0.1", "::1"} & set(await SystemNames().addresses("localhost", 443))
    with pytest.raises(OSError, match=r".*"):
        await SystemNames().addresses("nothing.invalid", 443)
