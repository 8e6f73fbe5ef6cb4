"""Follow a grant's ledger: every answer must continue the highest checkpoint that was ever seen.

What is held only ever moves forward. A node that shows less, or something else, changes nothing here: the
checkpoint that convicts it stays.

Spec: specs/ledger.md#checkpoints
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from freehold_protocol import form
from freehold_protocol.checkpoint import Checkpoint, open_checkpoint
from freehold_protocol.encoding import Document, Json
from freehold_protocol.keys import PublicKey
from freehold_protocol.merkle import parse_hash, parse_proof, verify_consistency, verify_inclusion

from .errors import (
    LedgerError,
    MalformedError,
    NotFoundError,
    RolledBackError,
    UnavailableError,
    problem_of,
)

Fetch = Callable[[str], Awaitable[Document]]
"""Gets the JSON at a path under the ledger's URL."""
Keep = Callable[[str], Awaitable[None]]
"""Keeps a checkpoint, a signed note, for good."""
_TRIES: Final = 8
"""Between asking for an entry and for the head, others may read; so often in a row is no accident."""


@dataclass(slots=True, kw_only=True)
class FollowedLedger:
    """One grant's ledger, as its holder knows it.

    Attributes:
        origin: The ledger's, as the grant names it.
        key: The grant's serving key.
        note: The highest checkpoint seen, as it was signed; None before the first.
    """

    origin: str
    key: PublicKey
    note: str | None
    fetch: Fetch
    keep: Keep
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def checkpoint(self) -> Checkpoint | None:
        """What the highest checkpoint seen says."""
        return None if self.note is None else self._open(self.note)

    async def prove(self, number: int) -> Document:
        """Return entry ``number`` as the node shows it, proven to be in the ledger that is followed.

        Raises:
            LedgerError: The entry is missing or its proof does not hold.
            RolledBackError: The ledger does not continue what was seen before.
            SignatureError: A checkpoint is not signed by the grant's serving key.
            MalformedError: An answer does not have its form.
            UnavailableError: The ledger grew too fast to be pinned down.
        """
        async with self._one_at_a_time:
            for _ in range(_TRIES):
                found = await self._entry(number)
                if await self._continues(found["checkpoint"]):
                    return found
        raise UnavailableError("the ledger grew whenever it was looked at; try again")

    async def catch_up(self) -> Checkpoint:
        """Return the ledger's head, if it continues what was seen before, and hold it. Raises as prove."""
        async with self._one_at_a_time:
            return await self._catch_up()

    async def _entry(self, number: int) -> Document:
        try:
            found = await self.fetch(f"/entries/{number}")
        except NotFoundError as error:
            raise LedgerError("the node does not have the entry that it announced") from error
        form.check_members(
            found,
            required=("number", "leaf", "size", "proof", "checkpoint"),
            optional=("entry", "salt"),
        )
        if found["number"] != number:
            raise LedgerError("the node shows another entry than the one asked for")
        head = self._open(found["checkpoint"])
        if found["size"] != head.size:
            raise LedgerError("the proof is for another size than the checkpoint")
        verify_inclusion(
            leaf=parse_hash(found["leaf"]),
            index=number,
            size=head.size,
            proof=parse_proof(found["proof"]),
            root=head.root,
        )
        return found

    async def _continues(self, note: str) -> bool:
        """Whether a checkpoint was shown to stand in one line with the one held; False: the head moved on."""
        seen, held = self._open(note), self.checkpoint
        if held is None:
            await self._take(note)
            return True
        if seen.size > held.size:
            held = await self._catch_up()
            if held.size > seen.size:
                return False
        verify_consistency(old_size=held.size, old_root=held.root, size=seen.size, root=seen.root, proof=())
        return True

    async def _catch_up(self) -> Checkpoint:
        held = self.checkpoint
        if held is None:
            found = await self.fetch("/checkpoint")
            await self._take(found.get("checkpoint"))
            return self._open(found.get("checkpoint"))
        try:
            found = await self.fetch(f"/checkpoint?from={held.size}")
        except MalformedError as error:
            if problem_of(error) is None:
                raise
            raise RolledBackError("the node says that its ledger never had the size it signed") from error
        head = self._open(found.get("checkpoint"))
        verify_consistency(
            old_size=held.size,
            old_root=held.root,
            size=head.size,
            root=head.root,
            proof=parse_proof(found.get("consistency")),
        )
        if head.size > held.size:
            await self._take(found["checkpoint"])
        return head

    async def _take(self, note: Json) -> None:
        self._open(note)
        await self.keep(note)
        self.note = note

    def _open(self, note: Json) -> Checkpoint:
        if not isinstance(note, str):
            raise MalformedError("a checkpoint is a text")
        return open_checkpoint(note, origin=self.origin, key=self.key)
