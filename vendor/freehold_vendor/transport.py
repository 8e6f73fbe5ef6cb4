"""One HTTP session: what is sent is what was signed, and what comes back is bounded in time and size.

No redirect is followed, ever: a signature is for one target, and an answer from elsewhere is no answer. Every
attempt is signed anew, because a node takes a nonce once.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Protocol, Self

import aiohttp
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse
from freehold_protocol import limits
from freehold_protocol.encoding import Document, parse_document
from freehold_protocol.http_signature import parse_signature
from yarl import URL

from .address import PublicResolver, check_literal
from .ambient import Ambient
from .errors import (
    BY_CODE,
    FreeholdError,
    MalformedError,
    ProblemError,
    TooLargeError,
    UnavailableError,
    UnreachableError,
)

Sign = Callable[[], Mapping[str, str]]
"""Gives the signature's headers; called anew for each attempt."""

MAX_ANSWER_BYTES: Final = 4 * 2**20
"""A page of 100 records of 40 KiB; ask for smaller pages if yours are larger."""
MAX_ANSWER_MEMBERS: Final = 10 * limits.MAX_MEMBERS
"""A page holds many documents, each of which is within the bound of one."""
_MAX_PROBLEM_BYTES: Final = 64 * 1024
_CHUNK_BYTES: Final = 64 * 1024
_REPEATS_S: Final = (0.2, 1.0)
"""What to wait before the second and the third attempt."""
_SECONDS = re.compile(r"[0-9]{1,6}\Z", re.ASCII)
_CODE = re.compile(r"[a-z0-9-]{1,64}\Z", re.ASCII)
_GATEWAY_DOWN: Final = frozenset({502, 503, 504})
_MAX_DETAIL_CHARS: Final = 300
_EVENTS: Final = "text/event-stream"


class _DroppedError(aiohttp.ClientError):
    """A connection broke while a request was under way."""


async def _send_once(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Keep aiohttp from sending the same signed bytes again by itself when a kept connection turns out dead."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _DroppedError("the connection broke") from error


_BROKEN: Final = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, _DroppedError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: ``headers`` by lower-case name, and the signature of the attempt it answers, if any."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    signature: bytes | None = field(repr=False)

    def document(self) -> Document:
        """Return the JSON object in the body. Raises MalformedError and its subclasses."""
        return parse_document(self.body, max_bytes=MAX_ANSWER_BYTES, max_members=MAX_ANSWER_MEMBERS)


def signature_of(signed: Mapping[str, str]) -> bytes | None:
    """Return the signature in the headers that ``Sign`` gave for an attempt; None if there are none."""
    return parse_signature(signed).signature if signed else None


def checked(answer: Answer) -> Answer:
    """Return the answer if the node did what was asked; raise what it said instead.

    Raises:
        FreeholdError: The class of the code that the node answered with.
        ProblemError: The node answered with a code that is not known here.
        MalformedError: What answered is not a node; among others, a redirect.
    """
    _check_status(answer)
    return answer


class Sends(Protocol):
    """What a vendor needs to reach nodes: ``Transport``, one of ``testing``, or your own.

    It is opened and closed with the vendor, as an asynchronous context manager.
    """

    async def __aenter__(self) -> object: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    async def send(
        self,
        method: str,
        url: str,
        *,
        sign: Sign | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        wait_s: int = 0,
        repeat: bool | None = None,
    ) -> Answer:
        """Return the answer to one request, ``checked``; see Transport.send.

        Each attempt is signed anew, and the answer carries ``signature_of`` the attempt that it answers.
        """
        ...

    def stream(
        self, url: str, *, sign: Sign, headers: Mapping[str, str], idle_s: float
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Give the pieces of an answer that goes on, as they come; see Transport.stream.

        Once it is left, the answer is given up.
        """
        ...


class Transport:
    """An HTTP session, as an asynchronous context manager."""

    def __init__(
        self,
        ambient: Ambient,
        *,
        allow_private_addresses: bool = False,
        total_s: float = 30.0,
        read_s: float = 15.0,
    ) -> None:
        """Prepare a session; nothing is opened before ``async with``.

        Args:
            ambient: Waits between attempts.
            allow_private_addresses: Also go to loopback and to private networks.
            total_s: For a whole answer, on top of what a request asks the node to wait.
            read_s: Between two pieces of it, likewise.
        """
        self._ambient, self._private = ambient, allow_private_addresses
        self._total_s, self._read_s = total_s, read_s
        self._session: aiohttp.ClientSession | None = None
        self._resolver: PublicResolver | None = None

    async def __aenter__(self) -> Self:
        """Open the session."""
        self._resolver = None if self._private else PublicResolver()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=self._resolver),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"Accept-Encoding": "identity", "User-Agent": "freehold-vendor"},
            auto_decompress=False,
            middlewares=(_send_once,),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()
            self._session = None
        if self._resolver is not None:
            await self._resolver.close()
            self._resolver = None

    async def send(
        self,
        method: str,
        url: str,
        *,
        sign: Sign | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        wait_s: int = 0,
        repeat: bool | None = None,
    ) -> Answer:
        """Return the answer to one request: 200, 202, 204 or 304.

        Args:
            method: Upper case.
            url: Sent exactly as it stands, and signed so.
            sign: Gives the signature's headers.
            headers: Others, unsigned.
            body: None where there is none.
            wait_s: How long the request asks the node to wait before it answers.
            repeat: Whether to try again, a few times, when the connection fails; None: only what reads.

        Raises:
            FreeholdError: The class of the code that the node answered with.
            ProblemError: The node answered with a code that is not known here.
            UnreachableError: No whole answer came.
            MalformedError: What answered is not a node; among others, a redirect.
            TooLargeError: The answer is over its bound.
        """
        if not self._private:
            check_literal(url)
        repeats = _REPEATS_S if (method in ("GET", "HEAD") if repeat is None else repeat) else ()
        for delay_s in repeats:
            try:
                return await self._attempt(method, url, sign, headers, body, wait_s)
            except UnreachableError as error:
                if isinstance(error.__cause__, TimeoutError):
                    raise
            await self._ambient.sleep(delay_s)
        return await self._attempt(method, url, sign, headers, body, wait_s)

    async def _attempt(
        self,
        method: str,
        url: str,
        sign: Sign | None,
        headers: Mapping[str, str] | None,
        body: bytes | None,
        wait_s: int,
    ) -> Answer:
        signed = dict(sign()) if sign is not None else {}
        timeout = aiohttp.ClientTimeout(
            total=self._total_s + wait_s, sock_connect=self._read_s, sock_read=self._read_s + wait_s
        )
        with _as_ours():
            async with self._opened().request(
                method,
                URL(url, encoded=True),
                headers={**(headers or {}), **signed},
                data=body,
                allow_redirects=False,
                timeout=timeout,
            ) as response:
                data = await _read_bounded(response)
        answer = _answer_of(response, data, signed)
        _check_status(answer)
        return answer

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the vendor is used outside its 'async with'")
        return self._session

    @asynccontextmanager
    async def stream(
        self, url: str, *, sign: Sign, headers: Mapping[str, str], idle_s: float
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open an answer that goes on, once and without trying again; give its pieces as they come.

        Args:
            url: As in send.
            sign: As in send.
            headers: Others, unsigned.
            idle_s: How long may pass between two pieces.

        Raises:
            FreeholdError: The class of the code that the node answered with.
            ProblemError: The node answered with a code that is not known here.
            UnreachableError: No answer came, or, from the pieces, the stream broke.
            MalformedError: What answered is not a stream of events.
        """
        if not self._private:
            check_literal(url)
        signed = dict(sign())
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=self._read_s, sock_read=idle_s)
        with _as_ours():
            async with asyncio.timeout(self._total_s):
                response = await self._opened().request(
                    "GET",
                    URL(url, encoded=True),
                    headers={"Accept": _EVENTS, **headers, **signed},
                    allow_redirects=False,
                    timeout=timeout,
                )
        try:
            if response.status != 200 or response.content_type != _EVENTS:
                await self._refuse(response, signed)
            async with aclosing(_pieces_of(response)) as pieces:
                yield pieces
        finally:
            response.close()

    async def _refuse(self, response: ClientResponse, signed: Mapping[str, str]) -> None:
        """Raise what was said instead of a stream."""
        with _as_ours():
            async with asyncio.timeout(self._total_s):
                data = await _read_bounded(response)
        _check_status(_answer_of(response, data, signed))
        raise MalformedError("what answered does not send events")


@contextmanager
def _as_ours() -> Iterator[None]:
    """Raise what the HTTP client raises as errors of this library."""
    try:
        yield
    except TimeoutError as error:
        raise UnreachableError("no answer came in time") from error
    except _BROKEN as error:
        raise UnreachableError("the node cannot be reached, or the connection broke") from error
    except aiohttp.ClientError as error:
        raise MalformedError("what answered does not speak HTTP as a node does") from error


def _answer_of(response: ClientResponse, data: bytes, signed: Mapping[str, str]) -> Answer:
    return Answer(
        status=response.status,
        headers={name.lower(): value for name, value in response.headers.items()},
        body=data,
        signature=signature_of(signed),
    )


async def _pieces_of(response: ClientResponse) -> AsyncGenerator[bytes, None]:
    """Yield a body as it comes; one that is compressed is not read."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise MalformedError("the answer is compressed, which was not asked for")
    while True:
        with _as_ours():
            piece = await response.content.readany()
        if not piece:
            return
        yield piece


async def _read_bounded(response: ClientResponse) -> bytes:
    """Return the body; one that is compressed or too large is not read on."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        response.close()
        raise MalformedError("the answer is compressed, which was not asked for")
    data = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        data += chunk
        if len(data) > MAX_ANSWER_BYTES:
            response.close()
            raise TooLargeError(f"the answer has more than {MAX_ANSWER_BYTES} bytes")
    return bytes(data)


def _check_status(answer: Answer) -> None:
    """Return if the node did what was asked; raise what it said instead."""
    if answer.status in (200, 202, 204, 304):
        return
    if answer.headers.get("content-type", "").split(";")[0].strip() == "application/problem+json":
        raise _error_of(_read_problem(answer))
    if answer.status in _GATEWAY_DOWN:
        raise UnavailableError("a gateway says that the node does not answer") from ProblemError(
            status=answer.status, code="unavailable", detail="a gateway's answer",
            retry_after_s=_retry_after(answer),
        )  # fmt: skip
    raise MalformedError(f"what answered with {answer.status} is not a node")


def _error_of(problem: ProblemError) -> Exception:
    kind = BY_CODE.get(problem.code)
    if kind is None or kind is FreeholdError:
        return problem
    error = kind(problem.detail)
    error.__cause__ = problem
    return error


def _read_problem(answer: Answer) -> ProblemError:
    """Return a problem document; its texts are a stranger's, so they are cut and freed of what is unseen."""
    if answer.body:
        found = parse_document(answer.body, max_bytes=_MAX_PROBLEM_BYTES)
    else:  # to HEAD
        found = {"code": answer.headers.get("freehold-code")}
    code, detail = found.get("code"), found.get("detail")
    if not isinstance(code, str) or not _CODE.match(code):
        raise MalformedError("a problem without a code")
    text = detail if isinstance(detail, str) else ""
    shown = "".join(char if char.isprintable() else " " for char in text[:_MAX_DETAIL_CHARS])
    return ProblemError(
        status=answer.status, code=code, detail=shown or code, retry_after_s=_retry_after(answer)
    )


def _retry_after(answer: Answer) -> int | None:
    text = answer.headers.get("retry-after", "")
    return int(text) if _SECONDS.match(text) else None
