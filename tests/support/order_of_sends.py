"""Who was first: the entry, the sync that makes it durable, or the first byte of the response.

``Watch`` puts on a disk's timeline when the writer inserts an entry and when it commits; clients put there when
the first byte of a response reached them; ``violations`` says of which responses the order was wrong.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import apsw
from disk import Disk, Event
from freehold_node.store.sqlite import SqliteStore
from harness import Reply
from raw_http import replies_in, request_bytes

_WAL_HEADER = 32
Entry = tuple[str, int]
"""Grant and number."""


class Watch:
    """Notes ``insert`` of an entry and ``commit`` as the writer's connection is about to run them."""

    def __init__(self, disk: Disk, store: SqliteStore) -> None:
        self._disk = disk
        store._writer.exec_trace = self._trace

    def _trace(self, _: apsw.Cursor, statement: str, values: Any) -> bool:
        if statement.startswith("INSERT INTO entry "):
            self._disk.note("insert", (values[1], values[2]))
        elif statement == "COMMIT":
            self._disk.note("commit")
        return True


def exchange(
    disk: Disk,
    base: str,
    method: str,
    target: str,
    headers: Mapping[str, str],
    entry: Entry,
    body: bytes = b"",
) -> Reply:
    """Send a request over a connection of its own, from a thread.

    The first byte goes on the timeline with the entry: that of the response's own header if it has one, else
    the one that the caller says the request will make.
    """
    address = urlsplit(base)
    sent = {**headers, "Content-Length": str(len(body))} if body else headers
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall(request_bytes(target, method=method, headers=sent, body=body))
        received = bytearray(connection.recv(1))
        told: list[Entry] = []
        disk.note("byte", told)
        while data := connection.recv(65536):
            received += data
    head, blank, _ = bytes(received).partition(b"\r\n\r\n")
    (reply,) = replies_in(head + b"\r\nContent-Length: 0" + blank if method == "HEAD" else bytes(received))
    told.append((entry[0], reply.entry) if "Freehold-Entry" in reply.headers else entry)
    return reply


def violations(timeline: Iterable[Event]) -> list[Entry]:
    """Return the entries whose response began before a sync that covers them had returned.

    A sync covers the entries of a commit if pages of that commit were written to the log before it.
    """
    inserted: set[Entry] = set()
    committing: set[Entry] = set()
    written = False
    durable: set[Entry] = set()
    wrong: list[Entry] = []
    for event in timeline:
        detail: Any = event.detail
        if event.action == "insert":
            inserted.add(detail)
        elif event.action == "commit":
            committing, inserted, written = committing | inserted, set(), False
        elif (event.action, event.kind) == ("write", "wal"):
            written = written or detail >= _WAL_HEADER
        elif (event.action, event.kind) == ("sync", "wal") and written:
            durable |= committing
            committing = set()
        elif event.action == "byte":
            wrong += [entry for entry in detail if entry not in durable]
    return wrong
