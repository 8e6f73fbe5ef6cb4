"""One of the owner's operations, however it is asked for: signed over HTTP, or in process for a signed-in person.

An operation knows neither; it is given what is ``Asked`` and returns an ``Answer``. So what the command line can do
and what the dashboard can do are the same functions.

Spec: specs/http.md#owner
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web
from freehold_protocol.encoding import Document
from freehold_protocol.errors import PassphraseError

from ..condition import NO_CONDITION, Condition, etag, parse_if_match
from ..holder import Call
from .keys import CHECK_PASSPHRASE, GATE, OWNER
from .messages import MAX_BODY_BYTES, MAX_OWNER_BODY_BYTES, read_call, read_document, reply

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Prove = Callable[[Document], Awaitable[None]]
Progress = Callable[[int, int], None]
"""What is told how far a long operation is: how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the owner asks for.

    ``params`` are the variable parts of the path, ``body`` the JSON object that came, {} for none; ``fresh`` checks a
    fresh proof of the person, given the body; ``told`` is called as a long operation goes on; ``session`` is the id of
    the one in which it is asked, None for the owner's own tools.
    """

    app: web.Application
    params: Mapping[str, str]
    query: Mapping[str, str]
    body: Document
    condition: Condition = NO_CONDITION
    fresh: Prove
    told: Progress | None = None
    session: str | None = None

    async def prove(self) -> None:
        """Check that the person proved anew who they are. Raises PassphraseError."""
        await self.fresh(self.body)


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A file that is sent piece by piece; ``size`` in bytes, None where it is not known beforehand."""

    content_type: str
    size: int | None
    pieces: AsyncIterator[bytes]
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What comes of it; without a document and a download there is nothing to say but that it is done.

    ``tag`` is what an update of the same thing can be made to depend on; ``download`` is entered when it is sent.
    """

    document: Document | None = None
    status: int = 200
    tag: str | None = None
    download: AbstractAsyncContextManager[Download] | None = None

    @property
    def told(self) -> Document:
        """The document of an operation that always has one."""
        if self.document is None:
            raise ValueError("this operation says nothing")
        return self.document


Work = Callable[[Asked], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation; ``conditional``: it compares the condition with what it is about itself, where it writes."""

    name: str
    work: Work
    conditional: bool

    async def perform(self, asked: Asked) -> Answer:
        """Carry it out; who asks has been made sure of. Raises what the operation raises."""
        if not self.conditional and asked.condition.tags is not None:
            asked.condition.check(
                None
            )  # what it is about has no tag, so a condition that names one cannot hold
        return await self.work(asked)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Carry it out for a request that the owner's own tools signed."""
        call = await read_owned(request)
        lines = request.headers.getall("If-Match", None)
        condition = parse_if_match(None if lines is None else ", ".join(lines))

        async def fresh(body: Document) -> None:
            await check_passphrase(request, body)

        answer = await self.perform(
            Asked(
                app=request.app,
                params=request.match_info,
                query=request.query,
                body=read_document(call) if call.body is not None else {},
                condition=condition,
                fresh=fresh,
            )
        )
        return respond(answer) if answer.download is None else await send(request, answer.download)


def owned(work: Work) -> Operation:
    """Make an operation that is about nothing an update could be made to depend on."""
    return Operation(work.__name__, work, conditional=False)


def conditional(work: Work) -> Operation:
    """Make an operation that compares the condition with what it is about, itself."""
    return Operation(work.__name__, work, conditional=True)


_NO_STORE: Final = {"Cache-Control": "no-store"}


def respond(answer: Answer) -> web.Response:
    """Return an answer as HTTP has it."""
    tagged = {"ETag": etag(answer.tag)} if answer.tag is not None else {}
    if answer.document is None:
        return web.Response(status=204, headers=_NO_STORE | tagged)
    return reply(answer.document, status=answer.status, headers=tagged)


async def send(
    request: web.Request,
    download: AbstractAsyncContextManager[Download],
    headers: Mapping[str, str] = _NO_STORE,
) -> web.StreamResponse:
    """Send a file as it comes."""
    async with download as file:
        response = web.StreamResponse(headers={**headers, **file.headers})
        response.content_type, response.content_length = file.content_type, file.size
        await response.prepare(request)
        async for piece in file.pieces:
            await response.write(piece)
        await response.write_eof()
    return response


async def read_owned(request: web.Request) -> Call:
    """Return a request that the owner's own tools signed.

    Raises:
        NotAuthenticatedError: They did not.
        ReplayedError: It came before.
        TooLargeError: Its body is.
        MalformedError: Its body did not come, or not whole.
    """
    gate = request.app[GATE]
    # Whole files are let in only from who knows the session's key; it stands in no other place.
    trusted = gate.names_owner(request.headers.get("Signature-Input", ""))
    call = await read_call(request, most=MAX_OWNER_BODY_BYTES if trusted else MAX_BODY_BYTES)
    await gate.owner(call, owner=request.app[OWNER])
    return call


@web.middleware
async def hide_owners_paths(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tell nobody but the owner which of the owner's paths and methods there are."""
    try:
        return await handler(request)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed):
        if request.raw_path.startswith("/owner/"):
            await read_owned(request)
        raise


async def check_passphrase(request: web.Request, body: Document) -> None:
    """Check the passphrase in a body, given anew. Raises PassphraseError."""
    passphrase = body.get("passphrase")
    if not isinstance(passphrase, str):
        raise PassphraseError("this takes the passphrase, anew")
    await request.app[CHECK_PASSPHRASE](passphrase)
