"""Listen to what changes: server-sent events that hold no data. No stream is an admission.

Spec: specs/http.md#events
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections.abc import Sequence
from contextlib import aclosing
from typing import Final

from aiohttp import web
from freehold_protocol import limits
from freehold_protocol.canonical import jcs

from ..streams import Event, Stream
from .keys import GATE, STREAMS, WHEN_LOST
from .messages import read_call

DRAIN_S: Final = 10.0
"""Who does not take a few hundred bytes in this time is cut off."""
_SEND_BUFFER_BYTES: Final = 4096
_DROP: Final = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
"""For SO_LINGER: wait no time for what is still to be sent."""
_ALIVE: Final = b":\n\n"


async def listen(request: web.Request) -> web.StreamResponse:
    """Tell the holder when to read again, until it may not listen any more."""
    call = await read_call(request)
    found = request.match_info
    listener = await request.app[GATE].listen(call, grant=found["grant"], permission=found.get("permission"))
    with request.app[STREAMS].open(listener) as stream:
        request[WHEN_LOST] = stream.close
        headers = {"Cache-Control": "no-store", "Content-Type": "text/event-stream"}
        response = web.StreamResponse(headers=headers)
        response.force_close()
        try:
            await response.prepare(request)
            _keep_little(request)
            await _send_all(request, response, stream)
        except ConnectionError:
            _cut_off(request)
        except Exception:
            _cut_off(request)  # else the problem would be sent into the stream
            raise
        return response


async def _send_all(request: web.Request, response: web.StreamResponse, stream: Stream) -> None:
    last_id = request.headers.get("Last-Event-ID")
    async with aclosing(request.app[STREAMS].said(stream, last_id)) as said:
        async for events in said:
            # Reaches the connection before anything else can happen, and is all that it holds.
            await response.write(to_wire(events) if events else _ALIVE)
            try:
                async with asyncio.timeout(DRAIN_S):
                    await request.writer.drain()
            except TimeoutError:
                _cut_off(request)
                return
    if request.transport is not None and request.transport.get_write_buffer_size():
        _cut_off(request)  # what was not taken until the end is not sent after it
    else:
        await response.write_eof()


def to_wire(events: Sequence[Event]) -> bytes:
    """Return events as they are sent.

    Raises:
        ValueError: One is longer than any client has to read.
    """
    lines = bytearray()
    for event in events:
        data = jcs({"permission": event.permission} if event.permission is not None else {})
        made = b"event: %b\nid: %b\ndata: %b\n\n" % (event.kind.encode(), event.id.encode(), data)
        if len(made) > limits.MAX_EVENT_BYTES:
            raise ValueError("an event is too long")
        lines += made
    return bytes(lines)


def _keep_little(request: web.Request) -> None:
    """Have neither this process nor the system keep more for a slow client than a few events."""
    transport = request.transport
    if transport is None:
        raise ConnectionResetError("the client is gone")
    transport.set_write_buffer_limits(high=0)
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER_BYTES)


def _cut_off(request: web.Request) -> None:
    """Close the connection and drop what was not taken, here and in the system."""
    transport = request.transport
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _DROP)
    transport.abort()
