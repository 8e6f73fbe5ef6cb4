"""Where the passphrase comes from: a file or a variable for services, the system's keyring, or the person.

Spec: specs/node/key-store.md#unlocking
"""

from __future__ import annotations

import getpass
import importlib
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from freehold_protocol.errors import PassphraseError

from .keystore import MAX_PASSPHRASE_BYTES

KEYRING_SERVICE: Final = "freehold"
FILE_VARIABLE: Final = "FREEHOLD_PASSPHRASE_FILE"
VARIABLE: Final = "FREEHOLD_PASSPHRASE"


@dataclass(frozen=True, slots=True, kw_only=True)
class PassphraseSources:
    """Everything a passphrase may come from.

    ``file`` is the explicit option; ``prompt`` asks the person and is None where nobody can answer.
    """

    data_dir: Path
    file: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    prompt: Callable[[str], str] | None = None

    @classmethod
    def of_this_process(cls, data_dir: Path, *, file: Path | None = None) -> Self:
        """Take the process's environment, and its terminal if it has one."""
        on_terminal = sys.stdin is not None and sys.stdin.isatty()
        prompt = getpass.getpass if on_terminal else None
        return cls(data_dir=data_dir, file=file, environment=os.environ, prompt=prompt)


def passphrase_from(sources: PassphraseSources) -> str:
    """Return the passphrase from the first source that is set; one that is set and fails ends the search.

    Order: the file option, FREEHOLD_PASSPHRASE_FILE, FREEHOLD_PASSPHRASE, the system's keyring, the terminal.
    A variable that is set to nothing counts as not set.

    Raises:
        PassphraseError: A source is unusable, or there is none; the text says what to do.
    """
    if sources.file is not None:
        return _read_file(sources.file)
    if named := sources.environment.get(FILE_VARIABLE):
        return _read_file(Path(named))
    if given := sources.environment.get(VARIABLE):
        return given
    if kept := _from_keyring(sources.data_dir):
        return kept
    if sources.prompt is not None:
        return _ask(sources.prompt)
    raise PassphraseError(
        f"no passphrase: set {FILE_VARIABLE} to a file that only you can read, or {VARIABLE}, "
        f"or store it in the system's keyring (service {KEYRING_SERVICE}, user {sources.data_dir}), "
        "or run this in a terminal"
    )


def _read_file(path: Path) -> str:
    """Return the file's text without its one closing line end."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if os.name == "posix" and mode & 0o077:
                raise PassphraseError(f"others may read the passphrase file {path}; run: chmod 600 {path}")
            data = file.read(MAX_PASSPHRASE_BYTES + 3)
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        reason = error.strerror if isinstance(error, OSError) else "no such path"
        raise PassphraseError(f"the passphrase file {path} cannot be read: {reason}") from None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise PassphraseError(f"the passphrase file {path} is not UTF-8 text") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text or len(data) > MAX_PASSPHRASE_BYTES + 2:
        raise PassphraseError(f"the passphrase file {path} is empty or too long")
    return text


def _from_keyring(data_dir: Path) -> str | None:
    """Return what the optional keyring package has; None without it, without an entry, or while locked."""
    try:
        keyring = importlib.import_module("keyring")
        errors = importlib.import_module("keyring.errors")
    except ImportError:
        return None
    try:
        kept = keyring.get_password(KEYRING_SERVICE, str(data_dir))
    except (errors.KeyringError, OSError, RuntimeError):  # no keyring on this system, or nobody to unlock it
        return None
    return kept if isinstance(kept, str) else None


def _ask(prompt: Callable[[str], str]) -> str:
    try:
        text = prompt("Passphrase: ")
    except (EOFError, OSError):
        raise PassphraseError("no passphrase was typed") from None
    if not text:
        raise PassphraseError("no passphrase was typed")
    return text
