"""A stream of events under a pretended grant, from its first word to its end.

Spec: specs/http.md#events
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator

from freehold_protocol import limits
from freehold_protocol.canonical import jcs
from freehold_protocol.errors import ConflictError

from .events import News
from .gate import Listener, PretendGate


def check_room(listener: Listener) -> None:
    """Refuse one stream too many. Raises ConflictError."""
    among = listener.holder.grant.events.listening
    if len(among) >= limits.MAX_GRANT_STREAMS:
        raise ConflictError("too many streams are open under this grant")
    if Counter(among)[listener.holder.did] >= limits.MAX_HOLDER_STREAMS:
        raise ConflictError("this holder has too many streams open under this grant")


def said(gate: PretendGate, listener: Listener, last_id: str | None) -> Generator[bytes, None, None]:
    """Yield what there is to say by now, which may be nothing; ends when the holder may not listen any more.

    The stream is open from the first of it, until this ends or is closed.
    """
    events, scope = listener.holder.grant.events, listener.permission
    events.listening.append(listener.holder.did)
    try:
        position: int | None = None
        while gate.still_listens(listener):
            due = [one for one in events.due(gate.now_us) if _is_heard(one, listener)]
            newest, told = due[-1].n if due else 0, b""
            if position is None and last_id is not None:
                position = events.position_of(scope, last_id)
            if position is None:
                position = newest
                told = _event("ready" if last_id is None else "reset", events.id_of(scope, newest))
            news = {
                one.permission: one for one in due if one.n > position
            }  # of one view, the last says it all
            for one in sorted(news.values(), key=lambda one: one.n):
                told += _event(
                    "grant" if one.permission is None else "changed", events.id_of(scope, one.n), one
                )
            position = max(position, newest)
            yield told
    finally:
        events.listening.remove(listener.holder.did)


def _is_heard(news: News, listener: Listener) -> bool:
    if news.permission is None or listener.permission is not None:
        return news.permission in (None, listener.permission)
    return listener.holder.grant.newest.permission(news.permission) is not None


def _event(kind: str, id_: str, news: News | None = None) -> bytes:
    data = {"permission": news.permission} if news is not None and news.permission is not None else {}
    return b"event: %b\nid: %b\ndata: %b\n\n" % (kind.encode(), id_.encode(), jcs(data))
