"""Who a vendor, or a partner, is: a signing key and a name.

Spec: specs/identity.md
"""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from freehold_protocol import form
from freehold_protocol.encoding import parse_document
from freehold_protocol.keys import SEED_BYTES, SigningKey

from .ambient import Ambient

_TYPE: Final = "VendorIdentity"
_MAX_FILE_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class VendorIdentity:
    """A signing key, and the name that a person reads when asked; 1 to 120 characters."""

    key: SigningKey
    name: str

    def __post_init__(self) -> None:
        form.text(self.name, "a vendor's name", most=120)

    @property
    def did(self) -> str:
        """The did:key by which persons' nodes know the vendor."""
        return self.key.did

    @classmethod
    def generate(cls, name: str, *, ambient: Ambient | None = None) -> Self:
        """Return a new identity. Save it: whoever loses the key loses every grant made to it."""
        return cls(SigningKey((ambient or Ambient()).random_bytes(SEED_BYTES)), name)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the identity in a file that save wrote.

        Raises:
            FileNotFoundError: There is no such file.
            PermissionError: Others may read the file, so the key is no secret.
            MalformedError: The file holds something else.
            UnsupportedError: Another kind of key.
        """
        with path.open("rb") as file:
            if os.name == "posix" and stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise PermissionError(f"{path} holds a private key and can be read by others: chmod 600 it")
            data = file.read(_MAX_FILE_BYTES + 1)
        found = form.check_members(
            parse_document(data, max_bytes=_MAX_FILE_BYTES), required=("type", "name", "key")
        )
        form.constant(found["type"], _TYPE, "type")
        return cls(SigningKey.from_multikey(form.text(found["key"], "key", most=100)), found["name"])

    def save(self, path: Path) -> None:
        """Write the identity to a new file that only its owner may read.

        Raises:
            FileExistsError: There is such a file; a key is never overwritten.
        """
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump({"type": _TYPE, "name": self.name, "key": self.key.multikey}, file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(handle)

    @classmethod
    def load_or_generate(cls, path: Path, name: str, *, ambient: Ambient | None = None) -> Self:
        """Return the identity in the file, or a new one, saved there. Raises as load."""
        try:
            return cls.load(path)
        except FileNotFoundError:
            made = cls.generate(name, ambient=ambient)
            made.save(path)
            return made
