"""Events: be told when to read again, instead of asking again and again.

::

    async for event in access.events():
        if event.kind == "grant":
            await access.refresh()                      # what is shared may be less now, or more
        if event.permission in (None, "delivery"):      # ready, grant and reset are of all permissions
            release = await access.read("delivery")

An event holds no data. What is read after ``ready`` and after every event since is never out of date for longer than
the node lets a change wait before it tells: some minutes at random, so that vendors cannot compare the times.

Spec: specs/http.md#events
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final, Literal, cast, get_args

from freehold_protocol import form, limits
from freehold_protocol.encoding import parse_document

from .errors import (
    ConflictError,
    EndedError,
    GrantExpiredError,
    MalformedError,
    PausedError,
    TooLargeError,
    UnavailableError,
    UnreachableError,
    problem_of,
)
from .holder import Holder
from .standing import Standing

EventKind = Literal["ready", "changed", "grant", "reset"]
IDLE_S: Final = 3 * limits.EVENT_KEEPALIVE_S
"""A stream on which nothing comes for so long is given up; a node sends something three times as often."""
_KINDS: Final = get_args(EventKind)
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}\Z", re.ASCII)
_STEADY_S: Final = 60.0
"""A stream that lasted so long was a good one: the next attempt after it waits no longer than after the first."""
_LONGEST_S: Final = 60.0
_LONGEST_ASKED_S: Final = 3600.0
"""A node may ask for more time than that, and gets no more: nobody is put to sleep for days by a header."""
_STOPPED: Final = (PausedError, EndedError, GrantExpiredError)
_PASSING: Final = (UnreachableError, UnavailableError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something to do: read again.

    Attributes:
        kind: ``ready``: the stream is open, read now; ``changed``: what the permission shows has changed;
            ``grant``: the grant has a new version, look at it and read everything again; ``reset``: there is no
            telling what was missed, read everything again.
        permission: The one that changed; None for every other kind.
        id: Where a stream goes on after this event.
    """

    kind: EventKind
    permission: str | None = None
    id: str = field(default="", repr=False)


class EventParser:
    """Makes events of the bytes of a stream; strict, and holds no more than one event's bytes."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that these bytes complete.

        Raises:
            TooLargeError: An event, or a line, does not end where every event does.
            MalformedError: Not an event of the protocol.
        """
        self._rest += data
        *blocks, rest = bytes(self._rest).split(b"\n\n")
        if max(map(len, (*blocks, rest))) > limits.MAX_EVENT_BYTES:
            raise TooLargeError(f"an event has more than {limits.MAX_EVENT_BYTES} bytes")
        self._rest = bytearray(rest)
        return [_event_of(block) for block in blocks if not _is_comment(block)]


def _is_comment(block: bytes) -> bool:
    return bool(block) and all(line.startswith(b":") for line in block.split(b"\n"))


def _event_of(block: bytes) -> Event:
    found: dict[str, str] = {}
    for line in block.split(b"\n"):
        name, colon, value = line.partition(b": ")
        if not colon or not line.isascii() or b"\r" in line or name.decode() in found:
            raise MalformedError("a line of the stream is not a field of an event")
        found[name.decode()] = value.decode()
    if found.keys() != {"event", "id", "data"}:
        raise MalformedError("an event has a kind, an id and data")
    kind, data = found["event"], parse_document(found["data"].encode(), max_bytes=limits.MAX_EVENT_BYTES)
    if kind not in _KINDS or not _ID.match(found["id"]):
        raise MalformedError("an event of no known kind, or without an id")
    if data.keys() != ({"permission"} if kind == "changed" else set()):
        raise MalformedError("an event says which permission changed, and nothing else")
    permission = form.short_name(data["permission"], "permission") if data else None
    return Event(kind=cast("EventKind", kind), permission=permission, id=found["id"])


class Listening:
    """Listens under one access, stream after stream, for as long as its grant is live."""

    def __init__(
        self, holder: Holder, permission: str | None, refresh: Callable[[], Awaitable[Standing]]
    ) -> None:
        """Prepare; ``refresh`` asks how the grant stands."""
        self._holder, self._refresh = holder, refresh
        self._path = "/events" if permission is None else f"/{permission}/events"
        self._last_id: str | None = None
        self._failures = 0

    async def events(self) -> AsyncGenerator[Event, None]:
        """Yield what the node says; ends when the grant is no longer live."""
        ambient = self._holder.outside.ambient
        while True:
            began_s, hint_s = ambient.steady_s(), 0.0
            try:
                async with aclosing(self._one_stream()) as said:
                    async for event in said:
                        yield event
                if await self._is_over():
                    return
            except _STOPPED:
                if await self._is_over():
                    return
            except _PASSING as error:
                told = problem_of(error)
                asked_s = (told.retry_after_s or 0) if told is not None else 0
                hint_s = min(asked_s, _LONGEST_ASKED_S)
            except ConflictError:  # the node may not know yet that the stream before this one is gone
                if self._last_id is None:
                    raise
            self._failures = 1 if ambient.steady_s() - began_s >= _STEADY_S else self._failures + 1
            await ambient.sleep(max(hint_s, self._delay_s()))

    async def _one_stream(self) -> AsyncGenerator[Event, None]:
        parser = EventParser()
        headers = {"Last-Event-ID": self._last_id} if self._last_id is not None else {}
        async with self._holder.listen(self._path, headers, idle_s=IDLE_S) as pieces:
            async for piece in pieces:
                for event in parser.feed(piece):
                    self._last_id = event.id
                    yield event

    async def _is_over(self) -> bool:
        """Whether the grant has stopped; while the node does not say, it has not."""
        try:
            standing = await self._refresh()
        except _PASSING:
            return False
        return standing.state != "live" or standing.expires_s <= self._holder.outside.ambient.now_s()

    def _delay_s(self) -> float:
        """Return how long to wait: twice as long each time, and each client a little differently."""
        longest = min(2.0 ** min(self._failures - 1, 10), _LONGEST_S)
        return longest * (0.5 + self._holder.outside.ambient.random_bytes(1)[0] / 510)
