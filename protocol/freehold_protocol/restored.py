"""Restored: the person's word that a ledger goes on from a backup, and what came after it is lost.

A ledger that goes back is what a vendor must never let pass, and what an honest restore cannot avoid. The statement
does not undo the loss: it says whose word stands for it, from where the ledger goes on, and leaves the vendor with the
earlier checkpoint and the statement, which together show what happened.

Spec: specs/restoring.md#statement
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from . import form
from .canonical import document_cid
from .checkpoint import Checkpoint
from .encoding import Document, Json, base64url_encode, format_time, parse_cid, parse_time
from .errors import SignatureError
from .grant import Grant
from .keys import SigningKey
from .merkle import parse_hash
from .proof import sign_document, verify_signed_by

TYPE: Final = "Restored"
_MEMBERS: Final = (
    "@context",
    "type",
    "grant",
    "log",
    "count",
    "root",
    "previous",
    "nonce",
    "created",
    "proof",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A parsed statement; ``document`` is what was signed.

    Attributes:
        document: As received.
        grant: The part of the grant's address after ``/g/``.
        checkpoint: The ledger's head in the backup: what stands before this is what it was.
        previous: CID of the version of the grant that stood in the backup.
        created_s: Unix seconds.
    """

    document: Document
    grant: str
    checkpoint: Checkpoint
    previous: str
    created_s: int

    @classmethod
    def from_dict(cls, document: Json) -> Restored:
        """Parse a statement without verifying anything.

        Raises:
            MalformedError: And its subclasses: it does not have the form.

        Spec: specs/restoring.md#statement
        """
        found = form.check_members(document, required=_MEMBERS)
        form.constant(found["@context"], form.CONTEXT, "@context")
        form.constant(found["type"], TYPE, "type")
        form.nonce(found["nonce"])
        return cls(
            document=found,
            grant=form.urn_uuid(found["grant"], "grant").removeprefix("urn:uuid:"),
            checkpoint=Checkpoint(
                origin=form.text(found["log"], "log", most=100),
                size=form.count(found["count"], "count"),
                root=parse_hash(found["root"]),
            ),
            previous=parse_cid(found["previous"]),
            created_s=parse_time(found["created"]),
        )

    @property
    def cid(self) -> str:
        """The content identifier of this statement."""
        return document_cid(self.document)


def sign_restored(
    grant: Grant, key: SigningKey, *, checkpoint: Checkpoint, nonce: str, created_s: int
) -> Restored:
    """Return the statement that a grant's ledger goes on from this head.

    Args:
        grant: The version that stood in the backup.
        key: Its decision key.
        checkpoint: The head of its ledger in the backup.
        nonce: 22 to 64 characters of base64url, random.
        created_s: Unix seconds, now.

    Raises:
        SignatureError: The key is another, or the checkpoint another ledger's.

    Spec: specs/restoring.md#statement
    """
    document: Document = {
        "@context": form.CONTEXT,
        "type": TYPE,
        "grant": f"urn:uuid:{grant.id}",
        "log": checkpoint.origin,
        "count": checkpoint.size,
        "root": base64url_encode(checkpoint.root),
        "previous": grant.cid,
        "nonce": nonce,
        "created": format_time(created_s),
    }
    made = Restored.from_dict(sign_document(document, key, created_s=created_s))
    verify_restored(made, versions=(grant,))
    return made


def verify_restored(restored: Restored, *, versions: Sequence[Grant]) -> int:
    """Return the place, among verified versions of a grant, of the one that stood in the backup.

    Raises:
        SignatureError: It is about none of them, or its decision key did not sign it.
        MalformedError: It carries no proof of the right form.
        UnsupportedError: A proof of another suite.

    Spec: specs/restoring.md#verification
    """
    known = [version.cid for version in versions]
    if restored.previous not in known:
        raise SignatureError("the statement is about no version of the grant that is known")
    place = known.index(restored.previous)
    version = versions[place]
    if (restored.grant, restored.checkpoint.origin) != (version.id, version.log):
        raise SignatureError("the statement is about another grant or ledger")
    verify_signed_by(restored.document, version.decision_key)
    return place
