"""Receipt: the pair of documents that both sides keep, each signed by one of them.

The second names the CID of the first, so either side can show what was agreed, and neither can change it.

Spec: specs/receipts.md
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from . import form
from .encoding import Document, Json
from .errors import FreeholdError, MalformedError, ReceiptError, SignatureError
from .grant import Grant, rotates, verify_grant
from .keys import PublicKey
from .proof import KeyOf
from .request import Request

TYPE: Final = "Receipt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A request and every version of the grant that answered it, oldest first."""

    request: Request
    versions: tuple[Grant, ...]

    @classmethod
    def from_dict(cls, document: Json) -> Receipt:
        """Parse a receipt as either side wrote it down.

        Raises:
            MalformedError: And its subclasses: a part does not have its form.
            UnsupportedError: A part is of a kind that this version does not know.

        Spec: specs/receipts.md#form
        """
        found = form.check_members(document, required=("type", "request", "versions"))
        form.constant(found["type"], TYPE, "type")
        if not isinstance(found["versions"], list):
            raise MalformedError("a receipt holds every version of a grant")
        return cls(
            request=Request.from_dict(found["request"]),
            versions=tuple(map(Grant.from_dict, found["versions"])),
        )

    def to_dict(self) -> Document:
        """Return the receipt as JSON: the documents as they were signed."""
        return {
            "type": TYPE,
            "request": self.request.document,
            "versions": [version.document for version in self.versions],
        }

    @property
    def serving_keys(self) -> tuple[PublicKey, ...]:
        """The serving keys that the versions name, each once, the oldest first; the last one stands.

        Spec: specs/rotation.md#ledger
        """
        return tuple(dict.fromkeys(version.serving_key for version in self.versions))

    def verify(self) -> Grant:
        """Return the newest version if both signatures, the CIDs and every change hold.

        Needs nothing but the receipt, at any time: the clock plays no part.

        Raises:
            ReceiptError: A part does not hold or does not belong to the others.

        Spec: specs/receipts.md#verification
        """
        if not self.versions:
            raise ReceiptError("the receipt holds no grant")
        try:
            self.request.verify(now_s=self.request.created_s, key_of=_key_of(self.versions[0]))
        except FreeholdError as error:
            raise ReceiptError(f"the receipt does not hold: {error}") from error
        return _verified((), self.versions, self.request)[-1]

    def continued_by(self, versions: Iterable[Grant]) -> Receipt:
        """Return this receipt, which holds already, with the versions that came after it.

        One that is here already may come again, as it is.

        Raises:
            ReceiptError: A version does not follow on the one before, or is another than the one that is here.

        Spec: specs/receipts.md#continuing
        """
        here = {version.version: version.cid for version in self.versions}
        later: list[Grant] = []
        for version in versions:
            if version.version not in here:
                later.append(version)
            elif version.cid != here[version.version]:
                raise ReceiptError("the receipt does not continue the one that is held")
        return replace(self, versions=_verified(self.versions, later, self.request))


def _verified(known: tuple[Grant, ...], later: Iterable[Grant], request: Request) -> tuple[Grant, ...]:
    """Return all versions; the known ones hold, and each later one is verified after the one before."""
    versions = list(known)
    given_up = _given_up(known)
    for version in later:
        previous = versions[-1] if versions else None
        try:
            verify_grant(version, request=request, previous=previous)
            if previous is not None and rotates(version, previous):
                given_up |= _keys_of(previous)
            if not given_up.isdisjoint(_keys_of(version)):
                raise SignatureError("a key that was given up comes back")
        except FreeholdError as error:
            raise ReceiptError(f"the receipt does not hold: {error}") from error
        versions.append(version)
    return tuple(versions)


def _keys_of(version: Grant) -> set[PublicKey]:
    return {version.decision_key, version.serving_key}


def _given_up(versions: tuple[Grant, ...]) -> set[PublicKey]:
    """Return the person's keys that none but earlier versions name."""
    return {key for version in versions for key in _keys_of(version)} - (
        _keys_of(versions[-1]) if versions else set()
    )


def _key_of(first: Grant) -> KeyOf:
    """Return how the vendor's key is found: in its did:key or, of another DID, in what the person signed."""
    key = first.vendor_key
    return PublicKey.from_method if key is None else lambda _: key
