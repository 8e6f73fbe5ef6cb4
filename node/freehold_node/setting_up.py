"""Setting a node up: from nothing to keys, by one browser, with nothing written before all of it is decided.

Until the person has said that they keep the recovery sheet, the new keys are in memory only. So whoever stops in the
middle finds, the next time, what they found the first time.

Spec: specs/node/dashboard.md#first-start
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final, Literal

from freehold_protocol.encoding import base64url_encode
from freehold_protocol.errors import (
    ConflictError,
    FreeholdError,
    NotAuthenticatedError,
    NotFoundError,
    PassphraseError,
)
from freehold_protocol.keys import SEED_BYTES

from .ambient import Ambient
from .data_dir import DataDirLock, make_data_dir
from .keystore import KEYSTORE_NAME, MAX_PASSPHRASE_BYTES, Keys, recreate_keystore
from .recovering import recover_keys
from .recovery_sheet import code_to_seed, seed_to_code
from .restoring import examine, put_in_place

DATABASE: Final = "node.db"
UPLOAD: Final = "uploaded.backup"
"""Where a backup that comes in through the browser lies until it is in place, or given up."""
Kind = Literal["own", "sample", "kept-sample"]
"""Whose node it will be: the person's own, or a sample that goes away at the end, or one that stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A recovery sheet that nobody has confirmed yet: the code in three lines, and the day of the keys."""

    lines: tuple[str, ...]
    day: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploaded:
    """A backup that came in: what the person calls it, and its size in bytes."""

    name: str
    size: int


class SetUp:
    """One setting up: who does it, how far they are, and what comes of it."""

    def __init__(self, folder: Path, ambient: Ambient, *, kind: Kind = "own") -> None:
        """Begin.

        Args:
            folder: The data directory, which need not exist.
            ambient: Clock and randomness.
            kind: Whose node it will be.
        """
        self.folder, self.kind, self._ambient = folder, kind, ambient
        self.link = ambient.new_token()
        self._cookie: str | None = None
        self._passphrase: str | None = None
        self._seed: bytes | None = None
        self.uploaded: Uploaded | None = None
        self._working = asyncio.Lock()
        self._made: asyncio.Future[tuple[Keys, str]] = asyncio.get_running_loop().create_future()
        self._secret: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.clear()

    def clear(self) -> None:
        """Remove what an upload left behind."""
        self.uploaded = None
        (self.folder / UPLOAD).unlink(missing_ok=True)

    # Who does it

    def begin(self, link: str) -> str:
        """Use the link up, and return the cookie of the one browser that goes on from here.

        Raises:
            NotAuthenticatedError: It is not the link, or was used already.
        """
        if self._cookie is not None or not hmac.compare_digest(_digest(link), _digest(self.link)):
            raise NotAuthenticatedError("this link was used already, or is not the one that was printed last")
        self._cookie = self._ambient.new_token()
        return self._cookie

    @property
    def is_begun(self) -> bool:
        """Whether the link is used up."""
        return self._cookie is not None

    def is_by(self, cookie: str) -> bool:
        """Whether a cookie is that of the one browser."""
        return self._cookie is not None and hmac.compare_digest(_digest(cookie), _digest(self._cookie))

    @property
    def form_key(self) -> str:
        """What each form of this setting up carries; empty before it is begun."""
        return base64url_encode(_digest("form\0" + self._cookie)) if self._cookie else ""

    # How far it is

    @property
    def has_database(self) -> bool:
        """Whether there is a database whose keys are lost: then new keys would open nothing."""
        return (self.folder / DATABASE).exists()

    @property
    def sheet(self) -> Sheet | None:
        """The recovery sheet of the keys that are to be made; None before a passphrase is chosen."""
        if self._seed is None:
            return None
        day = datetime.fromtimestamp(self._ambient.clock.now_s(), UTC).strftime("%Y-%m-%d")
        return Sheet(lines=tuple(seed_to_code(self._seed).splitlines()), day=day)

    def choose(self, passphrase: str) -> None:
        """Take the passphrase of a new node; its keys are thought of, and not yet written.

        Raises:
            PassphraseError: No key store takes it.
            ConflictError: There is a database here already.
        """
        check_new_passphrase(passphrase)
        if self.has_database:
            raise ConflictError("there is a database here, and new keys do not open it")
        self._passphrase = passphrase
        self._seed = self._seed or self._ambient.random_bytes(SEED_BYTES)

    # What comes of it

    async def make(self, device: str) -> str:
        """Make the new keys, and return the session's secret once the node is open.

        Raises:
            NotFoundError: No passphrase was chosen yet.
            FreeholdError: As recreate_keystore, or the node did not open.
        """
        passphrase, seed = self._passphrase, self._seed
        if passphrase is None or seed is None:
            raise NotFoundError("no passphrase was chosen yet")
        return await self._once(device, lambda: self._create(passphrase, seed))

    async def recover(self, code: str, passphrase: str, device: str) -> str:
        """Make the keys of a recovery sheet again, and return the session's secret once the node is open.

        Raises:
            MalformedError: It is no recovery code; the text says where to look.
            PassphraseError: No key store takes the passphrase.
            ConflictError: The database that is here was made with other keys.
            FreeholdError: As recreate_keystore, or the node did not open.
        """
        seed = code_to_seed(code)
        check_new_passphrase(passphrase)
        return await self._once(
            device, lambda: recover_keys(self.folder, passphrase, seed, ambient=self._ambient)
        )

    def _create(self, passphrase: str, seed: bytes) -> Keys:
        make_data_dir(self.folder)
        with DataDirLock(self.folder):
            if self.has_database:
                raise ConflictError("there is a database here, and new keys do not open it")
            return recreate_keystore(self.folder, passphrase, seed, random=self._ambient.random_bytes)

    @asynccontextmanager
    async def upload(self, name: str) -> AsyncIterator[BinaryIO]:
        """Give a file to write a backup into; it is gone again if that fails.

        Args:
            name: What the person calls it.
        """
        async with self._working:
            self.clear()
            make_data_dir(self.folder)
            path = self.folder / UPLOAD
            path.touch(mode=0o600, exist_ok=False)
            try:
                with path.open("wb") as file:
                    yield file
                self.uploaded = Uploaded(name=name, size=path.stat().st_size)
            except BaseException:
                self.clear()
                raise

    async def restore(self, passphrase: str, device: str) -> str:
        """Put the uploaded backup in place, and return the session's secret once the node is open.

        Raises:
            NotFoundError: None was uploaded.
            PassphraseError: It does not open; it stays, so that another one can be tried.
            FreeholdError: It is no backup, is damaged, or of another version; it is removed.
        """
        if self.uploaded is None:
            raise NotFoundError("no backup came yet")
        try:
            return await self._once(device, lambda: self._restore(passphrase))
        except PassphraseError:
            raise
        except FreeholdError:
            self.clear()
            raise

    def _restore(self, passphrase: str) -> Keys:
        examined = examine(self.folder / UPLOAD, self.folder, passphrase)
        now_s = self._ambient.clock.now_s()
        # What was here has no keys, and may be all there is of something: it is put aside, never deleted.
        put_in_place(examined, self.folder, now_s=now_s, keep=examined.replaces)
        self.clear()
        return examined.keys

    async def _once(self, device: str, work: Callable[[], Keys]) -> str:
        """Do the work unless it is done already, as by a form that was sent twice; wait for the node."""
        async with self._working:
            if not self._made.done():
                if (self.folder / KEYSTORE_NAME).exists():
                    raise ConflictError("meanwhile there are keys here, which are never overwritten")
                keys = await asyncio.to_thread(work)
                self._passphrase = self._seed = None
                self._made.set_result((keys, device))
        return await asyncio.shield(self._secret)

    # The node's side

    async def made(self) -> tuple[Keys, str]:
        """Return the keys and the name of the browser, once there are any."""
        return await asyncio.shield(self._made)

    def let_in(self, secret: str) -> None:
        """Give the browser its session: the node is open."""
        self._secret.set_result(secret)

    def give_up(self) -> None:
        """Tell the browser, should it wait, that the node is not opened."""
        if not self._secret.done():
            self._secret.set_exception(FreeholdError("the node was stopped, or did not open"))
            with suppress(FreeholdError):
                self._secret.exception()  # whether or not anybody waits
        with suppress(OSError):
            self.clear()


def check_new_passphrase(passphrase: str) -> None:
    """Check that a key store takes a passphrase. Raises PassphraseError.

    Spec: specs/node/key-store.md#creation
    """
    try:
        size = len(passphrase.encode("utf-8"))
    except UnicodeEncodeError:
        raise PassphraseError("the passphrase is not text") from None
    if not size:
        raise PassphraseError("the passphrase is empty")
    if size > MAX_PASSPHRASE_BYTES:
        raise PassphraseError(f"the passphrase is longer than {MAX_PASSPHRASE_BYTES} bytes")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
