"""The suite's own server for clients: when it stops, no connection stays open, however far it had come."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from freehold_conformance.client.server import Came, Reply, Server


async def answers(_: Came) -> Reply:
    return Reply(status=204)


@pytest.mark.asyncio
@pytest.mark.parametrize("when", ["before it is read from", "once all is over"])
async def test_a_connection_that_comes_while_it_stops_is_closed(
    when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system takes a connection first, and the server hears of it later: that is when the others stop."""
    came: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Future()
    server = Server(answers)
    begin = server._begin  # the moment is what matters, and nothing outside can choose it

    def begin_late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if when == "before it is read from":
            stopping.append(asyncio.ensure_future(server.stop()))  # its first step comes before the reader's
            begin(reader, writer)
        came.set_result((reader, writer))

    stopping: list[asyncio.Future[None]] = []
    monkeypatch.setattr(server, "_begin", begin_late)
    await server.start()
    address = urlsplit(server.origin)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    theirs = await came
    if when == "once all is over":
        await server.stop()
        begin(*theirs)
    await asyncio.gather(*stopping)
    assert theirs[1].transport.is_closing()
    with suppress(ConnectionResetError):
        assert await reader.read() == b""
    writer.close()
