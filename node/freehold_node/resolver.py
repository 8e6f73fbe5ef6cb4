"""Fetch the DID documents of ``did:web``: the only thing that a node asks of a host that somebody else names.

Whoever sends a request chooses that host, so nothing of what is found on the way is told back but the keys: every
failure has one code, one text and one duration, and whoever fails is left alone for a while.

Spec: specs/node/configuration.md#looking-up-vendors
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from freehold_protocol import limits
from freehold_protocol.did_document import DidDocument, DidKeys, did_web_url
from freehold_protocol.encoding import parse_document
from freehold_protocol.errors import DidUnavailableError, FreeholdError, MalformedError
from yarl import URL

from .ambient import Clock
from .public_address import is_public

_log = logging.getLogger(__name__)

FETCH_S: Final = 3.0
"""For a whole fetch: name, connection, TLS and body."""
PAUSE_S: Final = limits.DID_PAUSE_S
_AT_ONCE: Final = 4
_LOOKUPS: Final = 48
"""Threads: more than there can be names at once that take a system's half minute to be given up."""
_MOST_PAUSED: Final = 4096
_MOST_ADDRESSES: Final = 16
_US: Final = 1_000_000
_TEXT: Final = "the DID document cannot be had, or does not hold; try again later"
_HEADERS: Final = {
    "Accept": "application/did+json, application/json",
    "Accept-Encoding": "identity",
    "User-Agent": "freehold-node",
}


class _BrokenError(aiohttp.ClientError):
    """A connection broke while a request was under way."""


async def _send_once(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Keep aiohttp from asking again by itself when a host closes the connection instead of answering."""
    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _BrokenError from error


class Names(Protocol):
    """Looks up names."""

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        """Return the addresses of a host. Raises OSError."""


class SystemNames:
    """Looks up names as the system does; on threads of its own, so that a slow answer holds up nothing else."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_LOOKUPS, thread_name_prefix="freehold-names")

    async def addresses(self, host: str, port: int) -> Sequence[str]:
        found = await asyncio.get_running_loop().run_in_executor(self._threads, _look_up, host, port)
        return tuple(dict.fromkeys(found))


def _look_up(host: str, port: int) -> list[str]:
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class _Pinned(AbstractResolver):
    """Knows the addresses of one name, which were looked up and checked; there is no second look."""

    def __init__(self, host: str, addresses: Sequence[str]) -> None:
        self._host, self._addresses = host, addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if host != self._host:
            raise OSError("another name than the one that was looked up")
        return [
            ResolveResult(
                hostname=host, host=address, port=port, proto=0, flags=socket.AI_NUMERICHOST, family=kind
            )
            for address in self._addresses
            for kind in (socket.AF_INET6 if ":" in address else socket.AF_INET,)
            if family in (kind, socket.AF_UNSPEC)
        ]  # fmt: skip

    async def close(self) -> None:
        """Nothing is held."""


class Resolver:
    """Fetches DID documents, a few at a time."""

    def __init__(
        self,
        clock: Clock,
        *,
        allow_private_hosts: bool = False,
        tls: ssl.SSLContext | None = None,
        names: Names | None = None,
        fetch_s: float = FETCH_S,
    ) -> None:
        """Prepare; nothing is opened before the first fetch.

        Args:
            clock: The node's, for pauses.
            allow_private_hosts: Also go to loopback and to private networks: for trying things out.
            tls: Whom to trust; None: whom the system trusts, or ``SSL_CERT_FILE``.
            names: Looks up names; None: as the system does.
            fetch_s: For a whole fetch, and for the wait before it; how long a failed one takes in any case.
        """
        self._clock, self._private, self._tls = clock, allow_private_hosts, tls
        self._names, self._fetch_s = names or SystemNames(), fetch_s
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._paused_us: OrderedDict[str, int] = OrderedDict()

    async def keys(self, did: str) -> DidKeys:
        """Return the keys that the document of a did:web lists now.

        Raises:
            MalformedError: The DID is not in its one spelling.
            UnsupportedError: Another DID method.
            DidUnavailableError: There is no document, or none that counts; nothing tells why.
        """
        url = URL(did_web_url(did), encoded=True)
        host = url.host or ""
        self._check_pause(host)
        try:
            async with asyncio.timeout(self._fetch_s):
                await self._slots.acquire()
        except TimeoutError:  # others kept us waiting, which is no fault of this host
            raise DidUnavailableError(_TEXT) from None
        loop = asyncio.get_running_loop()
        until = loop.time() + self._fetch_s
        try:
            self._check_pause(host)
            async with asyncio.timeout_at(until):
                data = await self._fetch(url, host)
            document = parse_document(data, max_bytes=limits.MAX_DID_DOCUMENT_BYTES)
            return DidDocument.from_dict(document, did).keys
        except (aiohttp.ClientError, OSError, ValueError, FreeholdError) as error:
            failure = error
        finally:
            self._slots.release()
        self._pause(host, failure)
        await asyncio.sleep(until - loop.time())
        raise DidUnavailableError(_TEXT)

    async def _fetch(self, url: URL, host: str) -> bytes:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        connector = aiohttp.TCPConnector(
            resolver=_Pinned(host, await self._addresses(host, url.port or 0)),
            ssl=self._tls, use_dns_cache=False, force_close=True, limit=1,
        )  # fmt: skip
        session = aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), headers=_HEADERS, auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None), trust_env=False, middlewares=(_send_once,),
        )  # fmt: skip
        async with session, session.get(url, allow_redirects=False) as response:
            return await _read(response)

    async def _addresses(self, host: str, port: int) -> Sequence[str]:
        """Return the addresses of a host, each of which may be gone to."""
        is_literal = host.replace(".", "").isdigit()
        found = [host] if is_literal else await self._names.addresses(host, port)
        if not found or len(found) > _MOST_ADDRESSES:
            raise MalformedError("the name stands for no address, or for too many")
        if not self._private and not all(map(is_public, found)):
            raise MalformedError("the name stands for an address that is not public")
        return found

    def _check_pause(self, host: str) -> None:
        if self._clock.now_us() < self._paused_us.get(host, 0):
            raise DidUnavailableError(_TEXT)

    def _pause(self, host: str, failure: Exception) -> None:
        if isinstance(failure, DidUnavailableError):  # it was paused while we waited for our turn
            return
        _log.info("the DID document at %s cannot be had: %s", host, type(failure).__name__)
        self._paused_us[host] = self._clock.now_us() + PAUSE_S * _US
        self._paused_us.move_to_end(host)
        if len(self._paused_us) > _MOST_PAUSED:
            self._paused_us.popitem(last=False)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Return the body of a plain answer; a redirect is none, and what is compressed is not inflated."""
    most = limits.MAX_DID_DOCUMENT_BYTES
    if response.status != 200:
        raise MalformedError("the answer is another than 200")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise MalformedError("the answer is compressed, which was not asked for")
    data = bytearray()
    while len(data) <= most and (response.content_length or 0) <= most:
        if not (chunk := await response.content.readany()):
            return bytes(data)
        data += chunk
    raise MalformedError("the document is too large")
