"""Capabilities in every spelling but the one there is: refused by what they say, at no cost, and for everybody."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from crafted import crafted
from freehold_protocol.canonical import jcs
from freehold_protocol.capability import from_wire, to_wire
from freehold_protocol.encoding import base64url_encode
from freehold_protocol.errors import FreeholdError
from raw_http import reply_to, request_bytes
from shop import COURIER, OUTSIDER
from watch import SECRET, Watched, before, check_problem, check_untouched, watched

pytestmark = pytest.mark.asyncio(loop_scope="module")

MALFORMED = (400, "malformed")
TOO_LARGE = (413, "too-large")
UNSUPPORTED = (422, "unsupported")
Outcome = tuple[int, str]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def node(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watched]:
    async with watched(Path(tmp_path_factory.mktemp("capabilities"))) as found:
        yield found


def wired(data: bytes) -> str:
    return base64url_encode(gzip.compress(data, mtime=0))


# The capability in its header


def packed(node: Watched) -> bytes:
    return gzip.compress(jcs(node.held.capability.document), mtime=0)


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
    "two members": (lambda node: base64url_encode(packed(node) * 2), MALFORMED),
    "an empty second member": (lambda node: base64url_encode(packed(node) + gzip.compress(b"")), MALFORMED),
    "something behind it": (lambda node: base64url_encode(packed(node) + SECRET.encode()), MALFORMED),
    "cut off": (lambda node: base64url_encode(packed(node)[:-1]), MALFORMED),
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
    "a key twice inside": (text_of(lambda text: text.replace('f":{', 'f":{"type":"x",')), (400, "duplicate-key")),
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
    "a target with a key twice": (member(invocationTarget="http://127.0.0.1/g/x?a=1&a=2"), (400, "duplicate-key")),
    "a target with dots": (member(invocationTarget="http://127.0.0.1/g/../g/x"), MALFORMED),
    "a target with an escape": (member(invocationTarget="http://127.0.0.1/g/x%2e"), MALFORMED),
    "an id that is no uuid": (member(id="urn:uuid:" + SECRET), MALFORMED),
    "a chain of nothing": (proof(capabilityChain=[]), (403, "capability-invalid")),
    "a chain of numbers": (proof(capabilityChain=[1]), (403, "capability-invalid")),
    "a chain of objects": (proof(capabilityChain=[{}, {}]), MALFORMED),
    "a chain of another root": (proof(capabilityChain=["urn:zcap:root:http%3A%2F%2Fx"]), (403, "capability-invalid")),
    "too many links": (links, (403, "capability-invalid")),
    "a suite that is not its own": (proof(cryptosuite="eddsa-rdfc-2022"), MALFORMED),
    "another suite": (proof(cryptosuite="ecdsa-jcs-2019"), UNSUPPORTED),
    "another proof": (proof(type="Ed25519Signature2018"), UNSUPPORTED),
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
    "an id": (lambda _: 'zcap id="urn:zcap:root:http%3A%2F%2F127.0.0.1",action="read"', (404, "not-found")),
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
    await check_untouched(node, earlier, caplog, reply.body, counted=code == "wrong-action")
