"""Moved: the person's word that a grant is reached at further origins, so that a move to another host kills nothing.

It is a document of its own and no version of the grant: it changes nothing of what may be read. It adds origins and
takes none away.

Spec: specs/moving.md
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from . import form, limits
from .canonical import document_cid
from .encoding import Document, Json, format_time, parse_time
from .errors import MalformedError, SignatureError, TooLargeError
from .grant import Grant, is_loopback, read_origin
from .keys import SigningKey
from .proof import sign_document, verify_signed_by

TYPE: Final = "Moved"
_MEMBERS: Final = ("@context", "type", "grant", "origins", "nonce", "created", "proof")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A parsed statement; ``document`` is what was signed.

    ``grant`` is the part of the grant's address after ``/g/``; ``origins`` are those that it adds.
    """

    document: Document
    grant: str
    origins: tuple[str, ...]
    created_s: int

    @classmethod
    def from_dict(cls, document: Json) -> Moved:
        """Parse a statement without verifying anything.

        Raises:
            MalformedError: And its subclasses: it does not have the form; an origin that is none included.

        Spec: specs/moving.md#form
        """
        found = form.check_members(document, required=_MEMBERS)
        form.constant(found["@context"], form.CONTEXT, "@context")
        form.constant(found["type"], TYPE, "type")
        form.nonce(found["nonce"])
        origins = form.array(found["origins"], "origins", read_origin, least=1, most=limits.MAX_ORIGINS - 1)
        return cls(
            document=found,
            grant=form.urn_uuid(found["grant"], "grant").removeprefix("urn:uuid:"),
            origins=form.distinct(origins, "origins"),
            created_s=parse_time(found["created"]),
        )

    @property
    def cid(self) -> str:
        """The content identifier of this statement."""
        return document_cid(self.document)


def sign_moved(grant: Grant, key: SigningKey, *, origins: Iterable[str], nonce: str, created_s: int) -> Moved:
    """Return the statement that a grant is reached at these origins too.

    Args:
        grant: The version that stands.
        key: Its decision key.
        origins: Those that are added.
        nonce: 22 to 64 characters of base64url, random.
        created_s: Unix seconds, now.

    Raises:
        MalformedError: An origin that is none, or cannot be added to this grant.
        SignatureError: The key is another.

    Spec: specs/moving.md#form
    """
    document: Document = {
        "@context": form.CONTEXT,
        "type": TYPE,
        "grant": f"urn:uuid:{grant.id}",
        "origins": list(origins),
        "nonce": nonce,
        "created": format_time(created_s),
    }
    made = Moved.from_dict(sign_document(document, key, created_s=created_s))
    verify_moved(made, grant=grant)
    return made


def verify_moved(moved: Moved, *, grant: Grant) -> None:
    """Check that the person says this, of this grant.

    Args:
        moved: As received.
        grant: The newest version that was verified; its decision key must have signed.

    Raises:
        SignatureError: Another key signed it, or it is about another grant.
        MalformedError: It carries no proof of the right form, or leads from the network to the reader's own machine.
        UnsupportedError: A proof of another suite.

    Spec: specs/moving.md#verification
    """
    if moved.grant != grant.id:
        raise SignatureError("the statement is about another grant")
    verify_signed_by(moved.document, grant.decision_key)
    # What was reached over the network would be asked for at the reader's own machine.
    if any(map(is_loopback, moved.origins)) and not any(map(is_loopback, grant.origins)):
        raise MalformedError("a grant that is reached over the network does not move to a loopback address")


def effective_origins(grant: Grant, moved: Iterable[Moved]) -> tuple[str, ...]:
    """Return every origin at which a grant may be invoked: its own, then those that verified statements add.

    Raises:
        TooLargeError: They are more than a grant may have.

    Spec: specs/moving.md#effective
    """
    origins = dict.fromkeys(grant.origins)
    for one in moved:
        origins |= dict.fromkeys(one.origins)
    if len(origins) > limits.MAX_ORIGINS:
        raise TooLargeError(
            f"a grant has at most {limits.MAX_ORIGINS} origins, those that were added included"
        )
    return tuple(origins)
