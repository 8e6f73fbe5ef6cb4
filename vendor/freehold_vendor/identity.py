"""Who a vendor, or a partner, is: a signing key, a name and, where a domain vouches for the key, its did:web.

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
from freehold_protocol.did_document import did_web_url, is_web, make_did_document, method_of
from freehold_protocol.encoding import Document, parse_document
from freehold_protocol.keys import SEED_BYTES, PublicKey, SigningKey

from .ambient import Ambient
from .errors import MalformedError, SignatureError

_TYPE: Final = "VendorIdentity"
_MAX_FILE_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class VendorIdentity:
    """A signing key, and the name that a person reads when asked; 1 to 120 characters.

    Attributes:
        key: Signs everything, and holds the capabilities.
        name: The vendor's own word.
        did: By which persons' nodes know the vendor: a ``did:web``, whose domain vouches for the key by publishing
            ``did_document``; or, if not given, the did:key, for which nobody vouches.
        method: The verification method by which the document lists the key, ``did:web:shop.example#key-1``; if not
            given, the key itself is the name after the ``#``.
    """

    key: SigningKey
    name: str
    did: str = ""
    method: str = ""

    def __post_init__(self) -> None:
        form.text(self.name, "a vendor's name", most=120)
        if self.did in ("", self.key.did):
            if self.method not in ("", self.key.method):
                raise MalformedError("the verification method of a did:key is the key itself")
            object.__setattr__(self, "did", self.key.did)
            object.__setattr__(self, "method", self.key.method)
            return
        object.__setattr__(self, "method", self.method or method_of(self.did, self.key.public))
        make_did_document(self.did, {self.method: self.key.public})  # refuses what could not be published

    @property
    def is_web(self) -> bool:
        """Whether a domain vouches for the key."""
        return is_web(self.did)

    def did_document(self) -> Document:
        """Return the DID document to publish at ``did_document_url``, as JSON over https, without a redirect.

        It lists this key alone. A vendor with more keys, or other things to say, adds to it: every node that looks
        at it has to find the key, and asks its person anew when the keys in it change.

        Raises:
            TypeError: The identity is a did:key, which needs no document.

        Spec: specs/identity.md#did-documents
        """
        if not self.is_web:
            raise TypeError("a did:key has no document: it is its key")
        return make_did_document(self.did, {self.method: self.key.public})

    @property
    def did_document_url(self) -> str:
        """Where the document is looked for. Raises TypeError as did_document."""
        if not self.is_web:
            raise TypeError("a did:key has no document: it is its key")
        return did_web_url(self.did)

    def key_of(self, method: str) -> PublicKey:
        """Return the key of a verification method of this identity's. Raises SignatureError for any other."""
        if method != self.method:
            raise SignatureError("the verification method is another's")
        return self.key.public

    @classmethod
    def generate(cls, name: str, *, did: str = "", ambient: Ambient | None = None) -> Self:
        """Return a new identity. Save it: whoever loses the key loses every grant made to it."""
        return cls(SigningKey((ambient or Ambient()).random_bytes(SEED_BYTES)), name, did)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the identity in a file that save wrote.

        Raises:
            FileNotFoundError: There is no such file.
            PermissionError: Others may read the file, so the key is no secret.
            MalformedError: The file holds something else.
            UnsupportedError: Another kind of key, or of DID.
        """
        with path.open("rb") as file:
            if os.name == "posix" and stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise PermissionError(f"{path} holds a private key and can be read by others: chmod 600 it")
            data = file.read(_MAX_FILE_BYTES + 1)
        found = form.check_members(
            parse_document(data, max_bytes=_MAX_FILE_BYTES),
            required=("type", "name", "key"),
            optional=("did", "method"),
        )
        form.constant(found["type"], _TYPE, "type")
        key = SigningKey.from_multikey(form.text(found["key"], "key", most=100))
        did = form.did(found["did"], "did") if "did" in found else ""
        method = form.text(found["method"], "method", most=1000) if "method" in found else ""
        return cls(key, found["name"], did, method)

    def save(self, path: Path) -> None:
        """Write the identity to a new file that only its owner may read.

        Raises:
            FileExistsError: There is such a file; a key is never overwritten.
        """
        told = {"type": _TYPE, "name": self.name, "key": self.key.multikey}
        if self.is_web:
            told |= {"did": self.did, "method": self.method}
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(told, file, indent=2)
            file.write("\n")
            file.flush()
            os.fsync(handle)

    @classmethod
    def load_or_generate(
        cls, path: Path, name: str, *, did: str = "", ambient: Ambient | None = None
    ) -> Self:
        """Return the identity in the file, whatever it says, or a new one, saved there. Raises as load."""
        try:
            return cls.load(path)
        except FileNotFoundError:
            made = cls.generate(name, did=did, ambient=ambient)
            made.save(path)
            return made
