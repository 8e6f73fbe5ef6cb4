"""What a vendor keeps of each relationship: what was agreed, and the highest checkpoint seen. Never a value read.

One process at a time keeps things in a folder: two would overwrite each other's checkpoints.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Protocol, Self

from freehold_protocol import form
from freehold_protocol.canonical import document_cid
from freehold_protocol.capability import Capability
from freehold_protocol.encoding import Document, Json, parse_cid
from freehold_protocol.grant import Grant
from freehold_protocol.keys import PublicKey
from freehold_protocol.moved import Moved, effective_origins, verify_moved
from freehold_protocol.receipt import Receipt
from freehold_protocol.request import Request
from freehold_protocol.restored import Restored, verify_restored

from .delegation import Address, Delegation
from .errors import MalformedError
from .standing import Standing

_SUFFIX: Final = ".json"
_LATER: Final = ("moved", "restored", "heard", "setAside")
"""Members of a grant's file that came with later versions of this library."""
_MOST: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRequest:
    """A request of ours and, once it is granted, its grant.

    Attributes:
        request: As it was signed.
        invitation: The URL it was sent to; None if a browser carries it.
        status_url: Where to follow it; None if no answer came to it yet.
        code: As a browser brought it; None if none did.
        versions: Every version of the grant that was seen and verified; empty until it is granted.
        origin: Where the grant is invoked; empty until it is granted.
        capability: The newest one issued to us; None if none was.
        checkpoint: The highest seen, as a signed note.
        renounced: Whether we gave the access up.
        moved: The person's statements that the grant is reached at further origins, verified.
        restored: The person's statement that the node was restored from a backup, verified, while the ledger was not
            seen to continue what is held.
        heard: CIDs of such statements that have had their effect: none counts twice.
        set_aside: What was held before each restore that was gone on with, and the statement: evidence.
    """

    request: Request
    invitation: str | None
    status_url: str | None = None
    code: str | None = None
    versions: tuple[Grant, ...] = ()
    origin: str = ""
    capability: Capability | None = None
    checkpoint: str | None = None
    renounced: bool = False
    moved: tuple[Moved, ...] = ()
    restored: Restored | None = None
    heard: tuple[str, ...] = ()
    set_aside: tuple[Document, ...] = ()

    @property
    def key(self) -> str:
        """The name under which it is kept."""
        return "request-" + self.request.id.removeprefix("urn:uuid:")

    @property
    def address(self) -> Address:
        """Where the grant is."""
        return Address(origin=self.origin, grant=self.versions[-1].id, permission=None)

    @property
    def origins(self) -> tuple[str, ...]:
        """Where the grant is invoked: first where it was last, then the others, the one added last first."""
        others = reversed(effective_origins(self.versions[-1], self.moved))
        return tuple(dict.fromkeys((self.origin, *others)))

    @property
    def serving_key(self) -> PublicKey:
        """The key that signs what is released."""
        return self.versions[-1].serving_key

    @property
    def serving_keys(self) -> tuple[PublicKey, ...]:
        """The keys that ever did, in their order."""
        return self.receipt.serving_keys

    @property
    def log(self) -> str:
        """The ledger's origin."""
        return self.versions[-1].log

    @property
    def standing(self) -> Standing:
        """How the grant stood when it was last looked at."""
        return Standing.of_grant(self.versions[-1])

    @property
    def receipt(self) -> Receipt:
        """What both sides keep."""
        return Receipt(request=self.request, versions=self.versions)

    def with_checkpoint(self, note: str) -> Self:
        """Return a copy that holds another checkpoint, which continues the one before."""
        return replace(self, checkpoint=note).settled()

    def settled(self) -> Self:
        """Return a copy for which the ledger was seen to continue: what was said of a restore explains no other."""
        if self.restored is None:
            return self
        return replace(self, restored=None, heard=(*self.heard, self.restored.cid))

    def to_dict(self) -> Document:
        """Return the JSON that from_dict reads."""
        return _without_none(
            {
                "type": "HeldRequest",
                "invitation": self.invitation,
                "statusUrl": self.status_url,
                "code": self.code,
                "receipt": self.receipt.to_dict(),
                "origin": self.origin,
                "capability": self.capability and self.capability.document,
                "checkpoint": self.checkpoint,
                "renounced": self.renounced,
                "moved": [one.document for one in self.moved] or None,
                "restored": self.restored and self.restored.document,
                "heard": list(self.heard) or None,
                "setAside": list(self.set_aside) or None,
            }
        )

    @classmethod
    def from_dict(cls, found: Document) -> Self:
        """Parse what to_dict wrote. Raises FreeholdError."""
        form.check_members(
            found,
            required=("type", "receipt", "origin", "renounced"),
            optional=("invitation", "statusUrl", "code", "capability", "checkpoint", *_LATER),
        )
        receipt = Receipt.from_dict(found["receipt"])
        if ("invitation" in found) == (receipt.request.connect is not None):
            raise MalformedError("a request is sent to an invitation, or carried by a browser")
        if receipt.versions:
            receipt.verify()
        elif not found.keys().isdisjoint(_LATER):
            raise MalformedError("statements are about a grant")
        return cls(
            request=receipt.request,
            invitation=found.get("invitation"),
            status_url=found.get("statusUrl"),
            code=found.get("code"),
            versions=receipt.versions,
            origin=found["origin"],
            capability=_capability(found),
            checkpoint=found.get("checkpoint"),
            renounced=form.boolean(found["renounced"], "renounced"),
            moved=_moved(found, receipt),
            restored=_restored(found, receipt),
            heard=form.array(found.get("heard", []), "heard", parse_cid, most=_MOST),
            set_aside=form.array(found.get("setAside", []), "setAside", _evidence, most=_MOST),
        )


def _moved(found: Document, receipt: Receipt) -> tuple[Moved, ...]:
    moved = form.array(found.get("moved", []), "moved", Moved.from_dict, most=_MOST)
    for one in moved:
        verify_moved(one, grant=receipt.versions[-1])
    return moved


def _restored(found: Document, receipt: Receipt) -> Restored | None:
    if "restored" not in found:
        return None
    restored = Restored.from_dict(found["restored"])
    verify_restored(restored, versions=receipt.versions)
    return restored


def _evidence(value: Json) -> Document:
    return form.check_members(value, required=("receipt", "statement"), optional=("checkpoint",))


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldDelegation:
    """A delegation that a vendor handed to us.

    Attributes:
        delegation: As it came, verified.
        status: The newest signed status of the grant; None before the first.
        checkpoint: The highest seen, as a signed note.
        renounced: Whether we gave the access up.
    """

    delegation: Delegation
    status: Document | None = None
    checkpoint: str | None = None
    renounced: bool = False

    @property
    def key(self) -> str:
        """The name under which it is kept."""
        # Not by its id, which whoever delegated chose, and may have taken from another's.
        return "delegation-" + document_cid(self.delegation.capability.document)

    @property
    def capability(self) -> Capability:
        """The one handed over."""
        return self.delegation.capability

    @property
    def address(self) -> Address:
        """Where the permission is."""
        return self.delegation.address

    @property
    def origins(self) -> tuple[str, ...]:
        """Where it is invoked: what is delegated is for one origin."""
        return (self.address.origin,)

    @property
    def serving_key(self) -> PublicKey:
        """The key that signs what is released."""
        return self.delegation.serving_key

    @property
    def serving_keys(self) -> tuple[PublicKey, ...]:
        """The same: what is delegated dies with its key."""
        return (self.serving_key,)

    @property
    def log(self) -> str:
        """The ledger's origin."""
        return self.delegation.log

    @property
    def standing(self) -> Standing | None:
        """How the grant stood when it was last looked at; None if it never was."""
        if self.status is None:
            return None
        grant = self.address.grant
        return Standing.of_status(self.status, grant=grant, key=self.serving_key, now_s=None)

    def with_checkpoint(self, note: str) -> Self:
        """Return a copy that holds another checkpoint."""
        return replace(self, checkpoint=note)

    def to_dict(self) -> Document:
        """Return the JSON that from_dict reads."""
        return _without_none(
            {
                "type": "HeldDelegation",
                "delegation": self.delegation.to_dict(),
                "status": self.status,
                "checkpoint": self.checkpoint,
                "renounced": self.renounced,
            }
        )

    @classmethod
    def from_dict(cls, found: Document) -> Self:
        """Parse what to_dict wrote. Raises FreeholdError."""
        form.check_members(
            found, required=("type", "delegation", "renounced"), optional=("status", "checkpoint")
        )
        return cls(
            delegation=Delegation.from_dict(found["delegation"]),
            status=found.get("status"),
            checkpoint=found.get("checkpoint"),
            renounced=form.boolean(found["renounced"], "renounced"),
        )


Held = HeldRequest | HeldDelegation


def granted(held: Held) -> HeldRequest:
    """Return what a vendor holds. Raises TypeError for what a partner holds."""
    if isinstance(held, HeldDelegation):
        raise TypeError("this is for vendors; a partner is handed a new delegation")
    return held


def settled(held: Held) -> Held:
    """Return what is held, now that the ledger was seen to continue."""
    return held.settled() if isinstance(held, HeldRequest) else held


def with_status(held: Held, status: Document) -> Held:
    """Return what is held with a newer status."""
    return replace(held, status=status) if isinstance(held, HeldDelegation) else held


def _without_none(document: Document) -> Document:
    return {name: value for name, value in document.items() if value is not None}


def _capability(found: Document) -> Capability | None:
    return Capability.from_dict(found["capability"]) if "capability" in found else None


def read_held(document: Json) -> Held:
    """Parse what to_dict of either kind wrote.

    Raises:
        MalformedError: And its subclasses: it does not have the form.
        ReceiptError: The receipt in it does not hold.
        FreeholdError: Others, where a capability in it does not hold.
    """
    kind = document.get("type") if isinstance(document, dict) else None
    if kind == "HeldRequest":
        return HeldRequest.from_dict(document)
    if kind == "HeldDelegation":
        return HeldDelegation.from_dict(document)
    raise MalformedError("this is not something a vendor holds")


class Keeping(Protocol):
    """Where a vendor keeps what it holds."""

    async def save(self, held: Held) -> None:
        """Keep one thing, in place of what was kept under its key; for good, once this returns."""

    async def forget(self, key: str) -> None:
        """Keep nothing under this key any more."""

    async def load(self) -> tuple[Held, ...]:
        """Return everything that is kept."""


@dataclass(frozen=True, slots=True)
class KeptInMemory:
    """Keeps everything as long as the process lives."""

    _held: dict[str, Held] = field(default_factory=dict, repr=False)

    async def save(self, held: Held) -> None:
        """Keep one thing."""
        self._held[held.key] = held

    async def forget(self, key: str) -> None:
        """Keep nothing under this key any more."""
        self._held.pop(key, None)

    async def load(self) -> tuple[Held, ...]:
        """Return everything that is kept."""
        return tuple(self._held.values())


@dataclass(frozen=True, slots=True)
class KeptInFolder:
    """Keeps each thing in a file of a folder, mode 0600, replaced whole; the folder is made if need be."""

    folder: Path

    async def save(self, held: Held) -> None:
        """Keep one thing, durably."""
        data = json.dumps(held.to_dict(), ensure_ascii=False, indent=1).encode()
        await asyncio.to_thread(_replace, self._path(held.key), data)

    async def forget(self, key: str) -> None:
        """Keep nothing under this key any more."""
        await asyncio.to_thread(self._path(key).unlink, missing_ok=True)

    async def load(self) -> tuple[Held, ...]:
        """Return everything that is kept. Raises as read_held."""
        return await asyncio.to_thread(self._load)

    def _load(self) -> tuple[Held, ...]:
        paths = sorted(self.folder.glob(f"*-*{_SUFFIX}")) if self.folder.is_dir() else []
        return tuple(_read(path) for path in paths if not path.name.startswith("."))

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}{_SUFFIX}"


def _read(path: Path) -> Held:
    try:
        return read_held(json.loads(path.read_bytes()))
    except ValueError:
        raise MalformedError(f"{path.name} is damaged") from None


def _replace(path: Path, data: bytes) -> None:
    """Write a file so that a crash leaves the old one or the new one, whole."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(handle)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
