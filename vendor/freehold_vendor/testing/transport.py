"""From a vendor to the nodes of pretended persons, without a network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterable, Mapping
from contextlib import aclosing, asynccontextmanager
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

from ..errors import MalformedError, UnreachableError
from ..transport import Answer, Sign, checked, signature_of
from .faults import Fault, Situation, no_answer
from .messages import Call, Reply, wait_of
from .node import Asked, PretendNode
from .routes import answer, told_of

_LOOKS: Final = 10
"""How often a decision is looked for, before the time that was asked for passes on the clock."""
_LOOK_S: Final = 0.005
"""How long in real time until it is looked again: for a decision, or for what a stream has to say."""


class PretendTransport:
    """Sends what a vendor signs to the nodes of pretended persons; made by ``PretendPerson``."""

    def __init__(self, reached: Iterable[tuple[PretendNode, list[Fault]]]) -> None:
        """Reach these nodes, each at its origin and with the faults that wait for it, and no others."""
        self._reached = {node.origin: (node, faults) for node, faults in reached}
        self._open = False

    async def __aenter__(self) -> Self:
        """Begin to send."""
        self._open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Send no more."""
        self._open = False

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
        """Return the answer to one request; as Transport.send, whose repeats are over when a fault is seen."""
        del wait_s, repeat
        _, came, signed = await self._sent(method, url, sign, headers, body)
        return checked(_answer_of(came, signed))

    @asynccontextmanager
    async def stream(
        self, url: str, *, sign: Sign, headers: Mapping[str, str], idle_s: float
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Open an answer that goes on; as Transport.stream, and nothing of it is ever lost on the way."""
        del idle_s
        node, came, signed = await self._sent("GET", url, sign, headers, None)
        checked(_answer_of(came, signed))
        if came.more is None:
            raise MalformedError("what answered does not send events")
        async with aclosing(self._pieces(node, came.more)) as pieces:
            yield pieces

    async def _pieces(
        self, node: PretendNode, more: Generator[bytes, None, None]
    ) -> AsyncGenerator[bytes, None]:
        """Yield what there is to say whenever there is something.

        By looking, as for a decision: the test may move the clock, or act for the person, in another thread.
        """
        try:
            while self._open:
                with node.lock:
                    piece = next(more, None)
                if piece is None:
                    return
                if piece:
                    yield piece
                else:
                    await asyncio.sleep(_LOOK_S)
            raise UnreachableError(no_answer)
        finally:
            with node.lock:
                more.close()

    async def _sent(
        self, method: str, url: str, sign: Sign | None, headers: Mapping[str, str] | None, body: bytes | None
    ) -> tuple[PretendNode, Reply, Mapping[str, str]]:
        """Return who was asked, what came back, and the signature's headers."""
        if not self._open:
            raise RuntimeError("the vendor is used outside its 'async with'")
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self._reached:
            raise UnreachableError(no_answer)
        node, faults = self._reached[origin]
        signed = dict(sign()) if sign is not None else {}
        given = {name.lower(): value for name, value in {**(headers or {}), **signed}.items()}
        call = Call(method=method, target=url[len(origin) :], headers=given, body=body)
        return node, await respond(node, call, faults), signed


def _answer_of(came: Reply, signed: Mapping[str, str]) -> Answer:
    return Answer(status=came.status, headers=came.headers, body=came.body, signature=signature_of(signed))


async def respond(node: PretendNode, call: Call, faults: list[Fault]) -> Reply:
    """Return what comes back: the node's answer, or what the first fault that can be about it makes of it."""
    with node.lock:
        request = f"{call.method} {call.target}"
        fault = next((one for one in faults if one.about.match(request)), None)
        if fault is not None:
            faults.remove(fault)
    if fault is None:
        return await _honest(node, call)
    return await fault.happen(Situation(node=node, call=call, honest=lambda: _honest(node, call)))


async def _honest(node: PretendNode, call: Call) -> Reply:
    with node.lock:
        made = answer(node, call)
        asked = _waited_for(node, call, made)
    if asked is None:
        return made
    await _decided(node, asked, wait_of(call))
    with node.lock:
        return told_of(node, asked)


def _waited_for(node: PretendNode, call: Call, made: Reply) -> Asked | None:
    """Return the request whose decision is waited for, if there is none yet."""
    asked = node.asked.get(call.path.removeprefix("/requests/")) if wait_of(call) else None
    return asked if asked is not None and made.status == 200 and asked.status == "waiting" else None


async def _decided(node: PretendNode, asked: Asked, wait_s: int) -> None:
    """Return when the person has decided; if that does not come at once, the time passes on the clock alone.

    By looking, and not by an event: the test may decide in another thread than the vendor waits in.
    """
    for _ in range(_LOOKS):
        if asked.status != "waiting":
            return
        await asyncio.sleep(_LOOK_S)
    with node.lock:
        node.clock.advance(wait_s)
