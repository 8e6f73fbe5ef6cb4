"""The person's keys while the node is unlocked: another passphrase for them, and the recovery sheet once more.

Spec: specs/node/key-store.md
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from freehold_protocol.errors import MalformedError

from .ambient import Ambient
from .devices import Devices
from .keystore import MAX_PASSPHRASE_BYTES, Keys, change_passphrase, check_passphrase
from .recovery_sheet import recovery_sheet, seed_to_code
from .store.store import Store, Transactor

_US: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A recovery sheet: the three lines of its code, the day it was printed (ISO 8601), and the page whole."""

    lines: tuple[str, ...]
    day: str
    text: str


class Custody:
    """The keys of one owner, in memory and in the key store."""

    def __init__(
        self, store: Store, ambient: Ambient, devices: Devices, *, owner: str, data_dir: Path, keys: Keys
    ) -> None:
        self._store, self._ambient, self._devices, self._owner = store, ambient, devices, owner
        self._data_dir, self._keys = data_dir, keys
        self._changing = asyncio.Lock()

    async def change_passphrase(self, old: str, new: str, *, session: str | None) -> int:
        """Encrypt the keys under another passphrase, and sign out everywhere but in one session; return how many.

        Raises:
            PassphraseError: The old one is wrong.
            MalformedError: The new one is empty, too long, or no text.
        """
        _check_new(new)
        async with self._changing:
            await asyncio.to_thread(check_passphrase, self._data_dir, old)
            # First: whoever knew the old one is out, whatever comes of the rest.
            ended = await self._devices.sign_out_others(session)
            await asyncio.to_thread(
                change_passphrase, self._data_dir, old, new, random=self._ambient.random_bytes
            )
        await self._log("change-passphrase")
        return ended

    async def print_sheet(self) -> Sheet:
        """Return the recovery sheet; that it was printed is written down first."""
        await self._log("recovery-sheet")
        code = seed_to_code(self._keys.seed)
        day = datetime.fromtimestamp(self._ambient.clock.now_s(), UTC).strftime("%Y-%m-%d")
        return Sheet(lines=tuple(code.splitlines()), day=day, text=recovery_sheet(code, day, again=True))

    async def _log(self, action: str) -> None:
        now_us = self._ambient.clock.now_us()

        def write(tx: Transactor) -> None:
            tx.log_action(self._owner, time_us=now_us, action=action, subject="")

        await self._store.write(write)


def _check_new(passphrase: str) -> None:
    try:
        size = len(passphrase.encode("utf-8"))
    except UnicodeEncodeError:
        raise MalformedError("the new passphrase is not text") from None
    if not 1 <= size <= MAX_PASSPHRASE_BYTES:
        raise MalformedError(f"the new passphrase has 1 to {MAX_PASSPHRASE_BYTES} bytes")
