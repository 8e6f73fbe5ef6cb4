"""Streams of events that are open: who listens, what each is told, and when it is over.

A stream is authorised anew whenever it is about to say anything, in the snapshot in which it looks for what to say;
and if a commit comes between that look and the saying, it looks again. The store tells of a commit before whoever
wrote it knows that it is done: so a withdrawal that has been answered is followed by no event.

Spec: specs/http.md#events
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

from freehold_protocol import limits
from freehold_protocol.canonical import jcs
from freehold_protocol.errors import ConflictError, UnavailableError
from freehold_protocol.grant import Grant

from .ambient import Ambient
from .events import due_in_order
from .gate import Gate, Listener
from .person_keys import PersonKeys
from .sealing import NONCE_BYTES, open_sealed, seal
from .store.rows import EventRow, Standing
from .store.store import Reader, Store

_US: Final = 1_000_000
_MOST: Final = 1000
"""Streams open at the same time, whoever listens: each takes a socket and a few kilobytes."""
_POSITION_BYTES: Final = 8
Kind = Literal["ready", "changed", "grant", "reset"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What is said on a stream; ``permission`` is the one whose view changed, where that is what is said.

    ``id`` names a position to go on from, to the node alone: two ids of one position have nothing in common.
    """

    kind: Kind
    id: str
    permission: str | None = None


@dataclass(frozen=True, slots=True)
class _Look:
    """What one look into the store found: what to say, where that leads, and when to look again."""

    said: tuple[Event, ...]
    position: int
    again_us: int


class Stream:
    """One holder who listens. ``stir`` has it look again, ``close`` ends it."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self._stirred = asyncio.Event()
        self.closed = False

    def stir(self) -> None:
        """Have the stream look again, now."""
        self._stirred.set()

    def close(self) -> None:
        """Have the stream end, now."""
        self.closed = True
        self._stirred.set()

    def settle(self) -> None:
        """Be about to look: from here on, being stirred counts anew."""
        self._stirred.clear()

    @property
    def stirred(self) -> bool:
        """Whether something may have changed since ``settle``."""
        return self._stirred.is_set()

    async def rest(self, seconds: float) -> None:
        """Wait until stirred, at most so long."""
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await self._stirred.wait()
        except TimeoutError:
            return


class Streams:
    """The streams that are open at a node."""

    def __init__(
        self, store: Store, gate: Gate, keys: PersonKeys, ambient: Ambient, *, most: int = _MOST
    ) -> None:
        """Begin with none; the store is asked to tell of its commits."""
        self._store, self._gate, self._keys, self._ambient = store, gate, keys, ambient
        self._most, self._stopped = most, False
        self._open: dict[str, list[Stream]] = {}
        self._count = 0
        store.on_commit(self._touched)

    # Who listens

    @contextmanager
    def open(self, listener: Listener) -> Iterator[Stream]:
        """Give a stream to one who was let listen, and forget it at the end.

        Raises:
            ConflictError: Too many are open of this holder, or of its grant.
            UnavailableError: Too many are open at all, or the node is stopping.
        """
        grant = listener.holder.grant
        among = self._open.get(grant, [])
        if self._stopped or self._count >= self._most:
            raise UnavailableError("no more streams can be opened now")
        if len(among) >= limits.MAX_GRANT_STREAMS:
            raise ConflictError("too many streams are open under this grant")
        if (
            Counter(one.listener.holder.did for one in among)[listener.holder.did]
            >= limits.MAX_HOLDER_STREAMS
        ):
            raise ConflictError("this holder has too many streams open under this grant")
        stream = Stream(listener)
        self._open.setdefault(grant, []).append(stream)
        self._count += 1
        try:
            yield stream
        finally:
            self._count -= 1
            self._open[grant].remove(stream)
            if not self._open[grant]:
                del self._open[grant]

    def listening(self, grant: str) -> int:
        """Return how many streams are open under a grant."""
        return len(self._open.get(grant, ()))

    def _touched(self, grants: frozenset[str]) -> None:
        for grant in grants & self._open.keys():
            for stream in self._open[grant]:
                stream.stir()

    def stir(self) -> None:
        """Have every stream look again: for what no commit tells, such as a clock that is in doubt."""
        self._touched(frozenset(self._open))

    def close(self) -> None:
        """End every stream, and open no more: the node is stopping."""
        self._stopped = True
        for streams in self._open.values():
            for stream in streams:
                stream.close()

    # What is said

    async def said(self, stream: Stream, last_id: str | None) -> AsyncGenerator[tuple[Event, ...], None]:
        """Yield what there is to say, as soon as it may be said; nothing, where only that the stream is alive.

        What is yielded has to be sent before anything is awaited. Ends when the holder may not listen any more.

        Args:
            stream: Of ``open``.
            last_id: Of the event to go on after, as its holder says; None: from now on.
        """
        loop, position = asyncio.get_running_loop(), None
        quiet_s = loop.time()
        while not stream.closed:
            stream.settle()
            look = await self._look(stream.listener, position, last_id)
            if stream.stirred:
                continue
            if look is None:
                return
            position = look.position
            if look.said or loop.time() >= quiet_s:
                yield look.said
                quiet_s = loop.time() + limits.EVENT_KEEPALIVE_S
            wait_s = (look.again_us - self._ambient.clock.now_us()) / _US
            await stream.rest(min(wait_s, quiet_s - loop.time()))

    async def _look(self, listener: Listener, position: int | None, last_id: str | None) -> _Look | None:
        try:
            return await self._store.read(
                partial(self._look_in, listener=listener, position=position, last_id=last_id)
            )
        except UnavailableError:
            return None

    def _look_in(
        self, reader: Reader, *, listener: Listener, position: int | None, last_id: str | None
    ) -> _Look | None:
        """Look for what to say in one snapshot; None if the holder may not listen any more."""
        stands = self._gate.still_listens(reader, listener)
        if stands is None:
            return None
        standing, version = stands
        rows = reader.events(standing.owner, standing.grant)
        due, waiting = due_in_order(
            (row for row in rows if _is_heard(row, listener, version)), self._ambient.clock.now_us()
        )
        sealing = _Sealing(self._keys, self._ambient, standing, listener.permission)
        said: list[Event] = []
        if position is None:
            newest = rows[-1].n if rows else 0
            position = None if last_id is None else sealing.open(last_id, newest=newest)
            if position is None:
                # Not from what is waiting on: nobody may learn before its time that something is.
                position = due[-1].n if due else 0
                said.append(Event(kind="ready" if last_id is None else "reset", id=sealing.seal(position)))
        news = {row.permission: row for row in due if row.n > position}  # of one view, the last says it all
        for row in sorted(news.values()):
            kind: Kind = "grant" if row.permission is None else "changed"
            said.append(Event(kind=kind, id=sealing.seal(row.n), permission=row.permission))
        again_us = min(
            listener.until_us, standing.expires_us, waiting.due_us if waiting else listener.until_us
        )
        return _Look(tuple(said), max(position, due[-1].n if due else 0), again_us)


def _is_heard(row: EventRow, listener: Listener, version: Grant) -> bool:
    if row.permission is None or listener.permission is not None:
        return row.permission in (None, listener.permission)
    return version.permission(row.permission) is not None


class _Sealing:
    """Makes and opens the ids of one grant's events, for one scope, in one generation of the node."""

    def __init__(
        self, keys: PersonKeys, ambient: Ambient, standing: Standing, permission: str | None
    ) -> None:
        self._key = keys.of(standing.relationship, standing.key_epoch).cursor
        self._random_bytes = ambient.random_bytes
        generation = keys.generation_tag(standing.relationship, standing.key_epoch)
        self._bound = jcs(["events", standing.grant, permission, generation])

    def seal(self, position: int) -> str:
        plain = position.to_bytes(_POSITION_BYTES, "big")
        return seal(self._key, plain, bound=self._bound, nonce=self._random_bytes(NONCE_BYTES))

    def open(self, text: str, *, newest: int) -> int | None:
        """Return the position, if it is one that there has been."""
        plain = open_sealed(self._key, text, bound=self._bound)
        position = int.from_bytes(plain, "big") if plain is not None else None
        return position if position is not None and position <= newest else None
