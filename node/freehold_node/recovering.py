"""Making the keys of a recovery sheet again, in a new data directory or in one whose passphrase is forgotten.

Spec: specs/node/key-store.md#recovery
"""

from __future__ import annotations

from pathlib import Path

from freehold_protocol.errors import ConflictError
from freehold_protocol.keys import hkdf_sha256

from .ambient import Ambient
from .backup_file import DATABASE
from .data_dir import DataDirLock, make_data_dir
from .keystore import KEYSTORE_NAME, Keys, recreate_keystore
from .restoring import settle
from .store.sqlite_file import is_opened_by


def check_recoverable(folder: Path, seed: bytes) -> None:
    """Check that a sheet's seed of 32 bytes belongs to what a data directory holds; an empty one takes any.

    Raises:
        ConflictError: The database was written with other keys; or there is a key store, and no database to show
            that its keys are the same; or a node is running in the folder.
        UnavailableError: The database cannot be read.
    """
    if folder.is_dir():
        settle(folder)
        with DataDirLock(folder):
            _check(folder, seed)


def _check(folder: Path, seed: bytes) -> None:
    if (folder / DATABASE).exists():
        if not is_opened_by(folder / DATABASE, hkdf_sha256(seed, info=b"freehold/v1/database")):
            raise ConflictError(f"the data in {folder} was not written with these keys")
    elif (folder / KEYSTORE_NAME).exists():
        raise ConflictError(
            f"there are keys in {folder} already, and no data to show that they are those of the sheet; "
            f"give {KEYSTORE_NAME} there another name first"
        )


def recover_keys(folder: Path, passphrase: str, seed: bytes, *, ambient: Ambient) -> Keys:
    """Make the keys of a seed again under a new passphrase; what is there of them stays, paused.

    Args:
        folder: The data directory; made, if there is none.
        passphrase: May differ from the one that was forgotten.
        seed: 32 bytes.
        ambient: For the time and the salt.

    Raises:
        ConflictError: As check_recoverable.
        PassphraseError: No key store takes the passphrase.
        UnavailableError: There is too little memory to derive the key, or the database cannot be read.

    Spec: specs/node/key-store.md#recovery
    """
    make_data_dir(folder)
    settle(folder)
    with DataDirLock(folder):
        _check(folder, seed)
        return recreate_keystore(
            folder,
            passphrase,
            seed,
            random=ambient.random_bytes,
            # Unix seconds: more than the lost machine's generation can have reached, whatever it was.
            generation_at_least=ambient.clock.now_s(),
            replace=True,
        )
