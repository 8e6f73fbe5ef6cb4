"""Receipt: the pair of documents that both sides keep, each signed by one of them.

The second names the CID of the first, so either side can show what was agreed, and neither can change it.

Spec: specs/receipts.md
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from . import form
from .encoding import Document, Json
from .errors import FreeholdError, MalformedError, ReceiptError, SignatureError
from .grant import Grant, rotates, verify_grant
from .keys import PublicKey
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
            self.request.verify(now_s=self.request.created_s)
            previous: Grant | None = None
            retired: set[PublicKey] = set()
            for version in self.versions:
                verify_grant(version, request=self.request, previous=previous)
                if previous is not None and rotates(version, previous):
                    retired |= {previous.decision_key, previous.serving_key}
                if not retired.isdisjoint({version.decision_key, version.serving_key}):
                    raise SignatureError("a key that was given up comes back")
                previous = version
        except FreeholdError as error:
            raise ReceiptError(f"the receipt does not hold: {error}") from error
        return self.versions[-1]
