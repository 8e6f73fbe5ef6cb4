"""Make a backup of a node that runs.

Spec: specs/node/backup.md#making
"""

from __future__ import annotations

import asyncio
import io
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from freehold_protocol import limits
from freehold_protocol.errors import ConflictError

from .ambient import Ambient
from .backup_file import (
    CHUNK_BYTES,
    CONTEXTS,
    DATABASE,
    GENERATION,
    KEYSTORE,
    MAX_CONTEXTS,
    Header,
    describe,
    is_part,
)
from .config import VERSION
from .data_dir import read_bounded, read_generation
from .keystore import Keys
from .store.sqlite import SqliteStore
from .store.sqlite_file import SCHEMA, Held, check_copy

_PREFIX: Final = ".backup-"
_MAX_KEYSTORE_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that is ready to be read: its header, what its database holds, and its parts."""

    header: Header
    held: Held
    _parts: tuple[BinaryIO, ...]

    def pieces(self) -> Iterator[bytes]:
        """Yield the whole file, piece by piece."""
        yield self.header.to_bytes()
        for part in self._parts:
            while piece := part.read(CHUNK_BYTES):
                yield piece


class Backups:
    """Makes backups of one data directory, whose store is open."""

    def __init__(self, store: SqliteStore, folder: Path, keys: Keys, ambient: Ambient) -> None:
        """Take up a store and the directory that it lies in."""
        self._store, self._folder, self._keys, self._ambient = store, folder, keys, ambient

    @asynccontextmanager
    async def made(self) -> AsyncIterator[Made]:
        """Give a backup of everything as it stands now; the node goes on meanwhile.

        The copy lies in the data directory, encrypted, as long as the context; so there must be room for it.

        Raises:
            StorageFullError: There is no room.
            UnavailableError: It could not be made.
            ConflictError: The database is damaged: a backup of it would be none.
        """
        with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=self._folder) as made, ExitStack() as stack:
            path = Path(made) / DATABASE
            await self._store.copy_to(path)
            yield await asyncio.to_thread(self._describe, path, stack)

    def _describe(self, path: Path, stack: ExitStack) -> Made:
        """Check the copy, and say what the backup is made of."""
        held = check_copy(path, self._keys.database_key)
        generation = read_generation(self._folder)
        files: dict[str, BinaryIO] = {
            KEYSTORE: io.BytesIO(read_bounded(self._folder / KEYSTORE, _MAX_KEYSTORE_BYTES)),
            GENERATION: io.BytesIO(f"{generation}\n".encode()),
            DATABASE: stack.enter_context(path.open("rb")),
            **{
                f"{CONTEXTS}/{one.name}": io.BytesIO(read_bounded(one, limits.MAX_CONTEXT_BYTES))
                for one in self._contexts()
            },
        }
        header = Header(
            created_s=self._ambient.clock.now_s(),
            version=VERSION,
            schema=SCHEMA,
            generation=generation,
            parts=tuple(describe(name, file) for name, file in files.items()),
        )
        return Made(header.signed(self._keys.seed), held, tuple(files.values()))

    def _contexts(self) -> list[Path]:
        """Return the contexts that the person added, as far as the node can read them."""
        folder = self._folder / CONTEXTS
        files = sorted(folder.iterdir(), key=lambda file: file.name) if folder.is_dir() else []
        found = [
            file
            for file in files
            if is_part(f"{CONTEXTS}/{file.name}")
            and file.is_file()
            and file.stat().st_size <= limits.MAX_CONTEXT_BYTES
        ]
        if len(found) > MAX_CONTEXTS:
            raise ConflictError(f"there are more than {MAX_CONTEXTS} files in {CONTEXTS}/: take some away")
        return found


def clear_copies(folder: Path) -> None:
    """Remove what a node that was killed while it made a backup has left; whoever calls this holds the lock."""
    for path in folder.glob(f"{_PREFIX}*"):
        shutil.rmtree(path, ignore_errors=True)
