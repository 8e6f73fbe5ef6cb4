"""Whether anything that is kept was altered: every grant's receipt, ledger and statements, and every record.

What is kept is read here and checked in a process of its own, which works for as long as there is much of it: pages
and vendors' reads go on beside it. The process is given copies and gives back what it found; keys stay here.

Spec: specs/node/dashboard.md#verify
"""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import suppress
from functools import partial
from typing import Any, Final

from freehold_protocol.encoding import Document
from freehold_protocol.errors import FreeholdError, UnavailableError

from . import ledger
from .audit_worker import Kept
from .changes import standing_grant
from .foreign import PASSED_ON, START_S, exchange
from .foreign_worker import pack_message
from .person_keys import PersonKeys
from .store.rows import EntryRow, RecordRow, Standing
from .store.store import Reader, Store

_WORKER: Final = "freehold_node.audit_worker"
_PART: Final = 64
"""Entries or records of one message: it is made in less than a millisecond, and nobody waits for longer than that."""


class Audit:
    """Checks everything of one owner, once at a time."""

    def __init__(self, store: Store, keys: PersonKeys, *, owner: str) -> None:
        """Look into an owner's part of a store; the keys sign what each ledger is checked against."""
        self._store, self._keys, self._owner = store, keys, owner
        self._turn = asyncio.Lock()
        self._worker: Process | None = None
        self._closed = False

    @property
    def process_id(self) -> int | None:
        """Of the process, while a check runs."""
        return None if self._worker is None else self._worker.pid

    async def check(self) -> Document:
        """Return what is intact and what is damaged.

        Raises:
            UnavailableError: The process cannot be started or died, or the node stops.

        Spec: specs/http.md#owner
        """
        async with self._turn:
            try:
                worker = await self._start()
                grants = await self._grants(worker)
                checked, damaged = await self._records(worker)
            except (TimeoutError, OSError, EOFError):
                raise UnavailableError("the process that checks everything did not come to its end") from None
            finally:
                await self._end()
        intact = not damaged and all(one["status"] != "damaged" for one in grants)
        return {
            "intact": intact,
            "grants": grants,
            "records": {"checked": checked, "damaged": damaged},
        }

    async def close(self) -> None:
        """End a check that runs, and begin no other."""
        self._closed = True
        await self._end()

    # The process

    async def _start(self) -> Process:
        self._check_open()
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        self._worker = worker = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", _WORKER, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment
        )
        self._check_open()  # it may have been closed while the process was made
        async with asyncio.timeout(START_S):
            await exchange(worker, pack_message({"records": [], "key": self._keys.records.public.did}))
        return worker

    def _check_open(self) -> None:
        if self._closed:
            raise UnavailableError("the node stops")

    async def _end(self) -> None:
        worker, self._worker = self._worker, None
        if worker is None:
            return
        if worker.returncode is None:
            worker.kill()
        if worker.stdin is not None:
            worker.stdin.close()
        await asyncio.shield(worker.wait())

    # What is checked: of each grant what stood at one moment

    async def _grants(self, worker: Process) -> list[Document]:
        standings = await self._store.read(lambda reader: reader.standings(self._owner), long=True)
        told: list[Document] = []
        for grant in [one.grant for one in standings]:
            found = await self._store.read(partial(self._kept, grant=grant), long=True)
            if found is None:  # removed meanwhile, as a sample is
                continue
            standing, kept, rows = found
            for first in range(0, len(rows), _PART):
                await _send(worker, {"entries": list(map(_sent, rows[first : first + _PART]))})
            judged = await exchange(worker, pack_message({"grant": kept}))
            told.append(
                {
                    "grant": standing.grant,
                    "vendor": standing.name,
                    "entries": standing.log_size,
                    **judged,
                }
            )
        return told

    def _kept(self, reader: Reader, grant: str) -> tuple[Standing, Kept, list[EntryRow]] | None:
        standing = reader.standing(self._owner, grant)
        if standing is None:
            return None
        request = reader.request(self._owner, standing.request)
        keys = self._keys.of(standing.relationship, standing.key_epoch)
        kept: Kept = {
            "request": None if request is None else _text(request.document),
            "versions": [_text(row.document) for row in reader.versions(self._owner, grant)],
            "version": standing.version,
            "acts_by": {
                "vendor": standing.vendor,
                "serving": keys.serving.public.did,
                "decision": keys.decision.public.did,
                "state": standing.state,
                "not_before_us": standing.not_before_us,
                "expires_us": standing.expires_us,
            },
            "statements": [_text(document) for document in reader.statements(self._owner, grant)],
            "moved": standing.moved,
            "checkpoint": "",
        }
        # A version that cannot be read, or that is no bytes at all: that is for the process to find.
        with suppress(FreeholdError, AttributeError, TypeError, ValueError):
            grant_now = standing_grant(reader, standing)
            kept["checkpoint"] = ledger.checkpoint(standing, grant_now, keys.serving)
        # In one look, however many: an entry that is erased later has its notice behind this checkpoint.
        return standing, kept, reader.entries(self._owner, grant, limit=standing.log_size)

    async def _records(self, worker: Process) -> tuple[int, list[str]]:
        """Return how many records there are, and the ids of those whose signature or form does not hold."""
        key, after, checked = self._keys.records.public.did, 0, 0
        damaged: list[str] = []
        while rows := await self._store.read(partial(self._some_records, after=after), long=True):
            after, checked = rows[-1].n, checked + len(rows)
            sent = [[_text(row.document), row.cid, row.id] for row in rows]
            damaged += (await exchange(worker, pack_message({"records": sent, "key": key})))["damaged"]
        return checked, damaged

    def _some_records(self, reader: Reader, after: int) -> list[RecordRow]:
        return reader.records(self._owner, after=after, limit=_PART)


def _sent(row: EntryRow) -> list[str | None]:
    body = None if row.body is None else _text(row.body)
    return [_bytes(row.leaf).hex(), body, None if body is None else _bytes(row.salt).hex()]


def _text(data: bytes) -> str:
    """Return bytes, whatever they are, as a text of as many characters: JSON has no bytes."""
    return _bytes(data).decode("latin-1")


def _bytes(stored: object) -> bytes:
    """Return what the node stored; nothing of what it cannot have: whoever alters a database may leave a text in it."""
    return stored if isinstance(stored, bytes) else b""


async def _send(worker: Process, message: Any) -> None:  # noqa: ANN401 - it is JSON
    if worker.stdin is None:
        raise EOFError
    worker.stdin.write(pack_message(message))
    await worker.stdin.drain()
