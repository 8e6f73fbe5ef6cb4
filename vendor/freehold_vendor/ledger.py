"""Follow a grant's ledger: every answer must continue the highest checkpoint that was ever seen.

What is held only ever moves forward. A node that shows less, or something else, changes nothing here: the
checkpoint that convicts it stays.

Spec: specs/ledger.md#checkpoints
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from freehold_protocol import form
from freehold_protocol.checkpoint import Checkpoint, open_checkpoint
from freehold_protocol.encoding import Document, Json
from freehold_protocol.keys import PublicKey
from freehold_protocol.merkle import parse_hash, parse_proof, verify_consistency, verify_inclusion
from freehold_protocol.succession import Succession

from .errors import (
    LedgerError,
    MalformedError,
    NotFoundError,
    RolledBackError,
    SignatureError,
    UnavailableError,
    problem_of,
)

Fetch = Callable[[str], Awaitable[Document]]
"""Gets the JSON at a path under the ledger's URL."""
Keep = Callable[[str], Awaitable[None]]
"""Keeps a checkpoint, a signed note, for good."""
Keys = Callable[[], Sequence[PublicKey]]
"""Gives the serving keys of the grant's verified versions, in their order: the last is the one that stands."""
Learn = Callable[[], Awaitable[object]]
"""Asks whether the keys have changed."""
_TRIES: Final = 8
"""Between asking for an entry and for the head, others may read; so often in a row is no accident."""


@dataclass(slots=True, kw_only=True)
class FollowedLedger:
    """One grant's ledger, as its holder knows it.

    Attributes:
        origin: The ledger's, as the grant names it.
        keys: Those that have signed it, in their order.
        note: The highest checkpoint seen, as it was signed; None before the first.
    """

    origin: str
    keys: Keys
    note: str | None
    fetch: Fetch
    keep: Keep
    learn: Learn
    _one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def checkpoint(self) -> Checkpoint | None:
        """What the highest checkpoint seen says."""
        if self.note is None:
            return None
        # It was signed by the key that stood when it was seen, and by none before the one of the checkpoint before.
        return Succession(keys=tuple(self.keys()), is_whole=False).verify(self.note, origin=self.origin)

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
                found, head = await self._entry(number)
                if await self._continues(found["checkpoint"], head):
                    return found
        raise UnavailableError("the ledger grew whenever it was looked at; try again")

    async def catch_up(self) -> Checkpoint:
        """Return the ledger's head, if it continues what was seen before, and hold it. Raises as prove."""
        async with self._one_at_a_time:
            return await self._catch_up()

    async def restart(self, held: Checkpoint, *, key: PublicKey) -> str:
        """Return the signed head of the ledger, if it continues a head that the person signed; holds nothing yet.

        Args:
            held: The head to go on from.
            key: The serving key that stands.

        Raises:
            RolledBackError: It does not continue that head.
            SignatureError: Another key signed it.
            FreeholdError: As prove.
        """
        found = await self.fetch(f"/checkpoint?from={held.size}")
        note = _note(found)
        _check_continues(found, held, open_checkpoint(note, origin=self.origin, key=key))
        return note

    async def _fetch(self, path: str) -> tuple[Document, Checkpoint]:
        """Return an answer and its checkpoint, which the key signed that stands, as far as that can be learnt."""
        found = await self.fetch(path)
        try:
            return found, self._open(_note(found))
        except SignatureError:
            # The keys changed unheard of, or while the answer was on its way.
            await self.learn()
        found = await self.fetch(path)
        return found, self._open(_note(found))

    async def _entry(self, number: int) -> tuple[Document, Checkpoint]:
        try:
            found, head = await self._fetch(f"/entries/{number}")
        except NotFoundError as error:
            raise LedgerError("the node does not have the entry that it announced") from error
        form.check_members(
            found,
            required=("number", "leaf", "size", "proof", "checkpoint"),
            optional=("entry", "salt"),
        )
        if found["number"] != number:
            raise LedgerError("the node shows another entry than the one asked for")
        if found["size"] != head.size:
            raise LedgerError("the proof is for another size than the checkpoint")
        verify_inclusion(
            leaf=parse_hash(found["leaf"]),
            index=number,
            size=head.size,
            proof=parse_proof(found["proof"]),
            root=head.root,
        )
        return found, head

    async def _continues(self, note: str, seen: Checkpoint) -> bool:
        """Whether a checkpoint was shown to stand in one line with the one held; False: the head moved on."""
        held = self.checkpoint
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
            found, head = await self._fetch("/checkpoint")
            await self._take(found["checkpoint"])
            return head
        try:
            found, head = await self._fetch(f"/checkpoint?from={held.size}")
        except MalformedError as error:
            if problem_of(error) is None:
                raise
            raise RolledBackError("the node says that its ledger never had the size it signed") from error
        _check_continues(found, held, head)
        if head.size > held.size:
            await self._take(found["checkpoint"])
        return head

    async def _take(self, note: str) -> None:
        await self.keep(note)
        self.note = note

    def _open(self, note: str) -> Checkpoint:
        """Return what a note says that was signed just now: only by the key that stands."""
        return open_checkpoint(note, origin=self.origin, key=self.keys()[-1])


def _note(found: Document) -> str:
    note: Json = found.get("checkpoint")
    if not isinstance(note, str):
        raise MalformedError("a checkpoint is a text")
    return note


def _check_continues(found: Document, held: Checkpoint, head: Checkpoint) -> None:
    verify_consistency(
        old_size=held.size,
        old_root=held.root,
        size=head.size,
        root=head.root,
        proof=parse_proof(found.get("consistency")),
    )
