"""Streams of events under pretended grants: who listens, what each is told, and when it is over.

Spec: specs/http.md#events
"""

from __future__ import annotations

from collections.abc import Generator

from freehold_protocol import limits
from freehold_protocol.canonical import jcs
from freehold_protocol.errors import ConflictError

from .events import News
from .gate import Listener, PretendGate


class PretendStream:
    """One holder who listens; ``listener`` says by what right."""

    def __init__(self, gate: PretendGate, listener: Listener, last_id: str | None) -> None:
        """Begin after the event of that id; None: from now on."""
        self.listener = listener
        self._gate, self._last_id = gate, last_id
        self._position: int | None = None
        self._told = bytearray()
        self._ended = False

    def look(self) -> None:
        """Say what may be said by now; or end, if the holder may not listen any more."""
        self._ended = self._ended or not self._gate.still_listens(self.listener)
        if self._ended:
            return
        events, scope = self.listener.holder.grant.events, self.listener.permission
        due = [one for one in events.due(self._gate.now_us) if self._hears(one)]
        newest = due[-1].n if due else 0
        if self._position is None and self._last_id is not None:
            self._position = events.position_of(scope, self._last_id)
        if self._position is None:
            self._position = newest
            self._say("ready" if self._last_id is None else "reset", events.id_of(scope, newest))
        # Of one view, the last says it all.
        news = {one.permission: one for one in due if one.n > self._position}
        for one in sorted(news.values(), key=lambda one: one.n):
            kind = "grant" if one.permission is None else "changed"
            self._say(kind, events.id_of(scope, one.n), one.permission)
        self._position = max(self._position, newest)

    def _hears(self, news: News) -> bool:
        if news.permission is None or self.listener.permission is not None:
            return news.permission in (None, self.listener.permission)
        return self.listener.holder.grant.newest.permission(news.permission) is not None

    def _say(self, kind: str, id_: str, permission: str | None = None) -> None:
        data = jcs({} if permission is None else {"permission": permission})
        self._told += b"event: %b\nid: %b\ndata: %b\n\n" % (kind.encode(), id_.encode(), data)

    def take(self) -> bytes | None:
        """Return what was said since the last time; None after all of it, at the end."""
        told = bytes(self._told)
        self._told.clear()
        return told if told or not self._ended else None


class PretendStreams:
    """The streams that are open at a pretended node."""

    def __init__(self, gate: PretendGate) -> None:
        """Begin with none."""
        self._gate = gate
        self._open: list[PretendStream] = []

    def stir(self) -> None:
        """Have every stream look: what is to be said, and what ends it, is not put off until it is read."""
        for stream in self._open:
            stream.look()

    def open(self, listener: Listener, last_id: str | None) -> Generator[bytes, None, None]:
        """Return a stream: what there is to take by now, each time, which may be nothing.

        It counts as open from the first time until it ends or is closed.

        Raises:
            ConflictError: Too many are open of this holder, or of its grant.
        """
        holder = listener.holder
        among = [one.listener.holder for one in self._open if one.listener.holder.grant is holder.grant]
        if len(among) >= limits.MAX_GRANT_STREAMS:
            raise ConflictError("too many streams are open under this grant")
        if sum(one.did == holder.did for one in among) >= limits.MAX_HOLDER_STREAMS:
            raise ConflictError("this holder has too many streams open under this grant")
        return self._taken(PretendStream(self._gate, listener, last_id))

    def _taken(self, stream: PretendStream) -> Generator[bytes, None, None]:
        self._open.append(stream)
        try:
            stream.look()
            while (told := stream.take()) is not None:
                yield told
                stream.look()  # time may have passed by another's doing
        finally:
            self._open.remove(stream)
