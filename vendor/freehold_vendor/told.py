"""What a node tells of a grant, verified: the receipt, and the person's statements beside it.

Spec: specs/moving.md#following
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from freehold_protocol import form
from freehold_protocol.encoding import Document, Json
from freehold_protocol.grant import Grant
from freehold_protocol.moved import TYPE as MOVED
from freehold_protocol.moved import Moved, effective_origins, verify_moved
from freehold_protocol.receipt import Receipt
from freehold_protocol.request import Request
from freehold_protocol.restored import TYPE as RESTORED
from freehold_protocol.restored import Restored, verify_restored

from .errors import (
    EndedError,
    GrantExpiredError,
    MalformedError,
    ReceiptError,
    RolledBackError,
    SignatureError,
    TooLargeError,
)
from .held import HeldRequest
from .versions import bound_versions

_MOST: Final = 100
"""Statements about one grant; a person moves and restores a few times in a life."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Verified: the versions, the moved statements, and the last restored statement if there is one.

    ``more`` says that there are later versions, of which the statements may be.
    """

    versions: tuple[Grant, ...]
    moved: tuple[Moved, ...]
    restored: Restored | None
    more: bool = False

    def continues(self, versions: Sequence[Grant]) -> bool:
        """Whether these are all among the versions that are told, in their order, from the first."""
        return tuple(one.cid for one in self.versions[: len(versions)]) == tuple(one.cid for one in versions)

    def is_begun_in(self, versions: Sequence[Grant]) -> bool:
        """Whether all that are told are among these, in their order, from the first."""
        return [one.cid for one in versions[: len(self.versions)]] == [one.cid for one in self.versions]


def read_told(found: Document, *, request: Request) -> Told:
    """Return what a document says of the grant that answers a request.

    Args:
        found: With ``receipt``, and ``statements`` if there are any.
        request: The one that was sent.

    Raises:
        ReceiptError: The receipt does not hold, or is for another request.
        SignatureError: A statement is not the person's, or about another grant.
        MalformedError: And its subclasses: something does not have the form.
        UnsupportedError: Another kind of key or proof.
    """
    told = form.check_members(found.get("receipt"), required=("type", "request", "versions"))
    bound_versions(told["versions"])
    receipt = Receipt.from_dict(told)
    receipt.verify()
    if receipt.request.cid != request.cid:
        raise ReceiptError("the receipt is for another request")
    return told_with(receipt, found)


def told_with(receipt: Receipt, found: Document) -> Told:
    """Return what a receipt, verified, and the statements in the answer it ends with say. Raises as read_told."""
    if found.get("more") is True:
        return Told(versions=receipt.versions, moved=(), restored=None, more=True)
    moved, restored = _read_statements(found.get("statements", []), receipt.versions)
    return Told(versions=receipt.versions, moved=moved, restored=restored)


def _read_statements(value: Json, versions: tuple[Grant, ...]) -> tuple[tuple[Moved, ...], Restored | None]:
    moved: list[Moved] = []
    restored: Restored | None = None
    for document in form.array(value, "statements", _document, most=_MOST):
        if document.get("type") == MOVED:
            moved.append(read_moved(document, versions[-1]))
        elif document.get("type") == RESTORED:
            restored = Restored.from_dict(document)
            verify_restored(restored, versions=versions)
    effective_origins(versions[-1], moved)
    return tuple(moved), restored


def _document(value: Json) -> Document:
    if not isinstance(value, dict):
        raise MalformedError("a statement is a JSON object")
    return value


def read_moved(document: Json, grant: Grant) -> Moved:
    """Return a moved statement, if the person signed it about this grant as it is known to stand.

    Raises:
        SignatureError: Another key signed it, or it is about another grant.
        MalformedError: And its subclasses: it does not have the form, or leads to where no grant moves.
        UnsupportedError: A proof of another suite.
    """
    moved = Moved.from_dict(document)
    verify_moved(moved, grant=grant)
    return moved


def with_told(held: HeldRequest, told: Told) -> HeldRequest:
    """Return what is held with what a node told; the same object if there is nothing new in it.

    Raises:
        RolledBackError: It tells another story, and the person signed that it was restored from a backup.
        ReceiptError: It tells another story.
    """
    if not told.continues(held.versions):
        if explains(held, told):
            raise RolledBackError(
                "the node was restored from a backup, as the person signed, and knows nothing of what came after: "
                "see accept_restored"
            )
        raise ReceiptError("the receipt does not continue the one that is held")
    restored = told.restored if told.restored is not None else held.restored
    made = replace(
        held,
        versions=told.versions,
        moved=_together(held.moved, told.moved, told.versions[-1]),
        restored=None if restored is not None and restored.cid in held.heard else restored,
    )
    return held if made == held else made


def explains(held: HeldRequest, told: Told) -> bool:
    """Whether the person signed that the node goes on from a state that is known here; a word counts once."""
    restored = told.restored
    return (
        restored is not None
        and restored.cid not in held.heard
        and restored.previous in [one.cid for one in held.versions]
    )


def handed_over(held: HeldRequest, document: Json) -> HeldRequest:
    """Return what is held with what the person handed over: a moved statement, or a receipt with statements.

    Raises:
        SignatureError: A statement is not the person's, or about another grant.
        ReceiptError: The receipt does not continue the one that is held.
        MalformedError: And its subclasses: it does not have the form.
        TooLargeError: They are more origins than a grant may have.
        UnsupportedError: Another kind of key or proof.
    """
    if isinstance(document, dict) and "receipt" in document:
        form.check_members(document, required=("receipt", "statements"), optional=("checkpoint",))
        told = read_told(document, request=held.request)
        if told.continues(held.versions):
            return with_told(held, told)
        if not told.is_begun_in(held.versions):
            raise ReceiptError("the receipt does not continue the one that is held")
        documents = [one.document for one in told.moved]  # written before the newest version that we know
    else:
        documents = [document]
    moved = [read_moved(one, held.versions[-1]) for one in documents]
    made = replace(held, moved=tuple({one.cid: one for one in (*held.moved, *moved)}.values()))
    effective_origins(made.versions[-1], made.moved)
    return held if made == held else made


def check_restored(held: HeldRequest, told: Told, refused: RolledBackError) -> None:
    """Check that what a node tells may take the place of what is held, by the person's word that it was restored.

    Raises:
        RolledBackError: As refused: there is no such word, or it is about something else.
        EndedError: The relationship had ended, and the node does not know it.
        GrantExpiredError: The grant's time was over, and the node does not know it.
    """
    if not explains(held, told):
        raise refused
    if told.continues(held.versions):
        return
    newest = held.versions[-1].state
    if newest == "ended":
        raise EndedError("the person had ended this before the node was restored; it needs a new request")
    if newest == "expired":
        raise GrantExpiredError(
            "the grant's time was over before the node was restored; it needs a new request"
        )


def gone_on(held: HeldRequest, told: Told, restored: Restored, note: str) -> HeldRequest:
    """Return what is held from a restore on; what was held before is set aside with the statement."""
    evidence: Document = {"receipt": held.receipt.to_dict(), "statement": restored.document}
    if held.checkpoint is not None:
        evidence["checkpoint"] = held.checkpoint
    return replace(
        held,
        versions=told.versions,
        moved=_together(held.moved, told.moved, told.versions[-1]),
        capability=None,
        checkpoint=note,
        restored=None,
        heard=(*held.heard, restored.cid),
        set_aside=(*held.set_aside, evidence),
    )


def _together(known: tuple[Moved, ...], told: tuple[Moved, ...], newest: Grant) -> tuple[Moved, ...]:
    """Return the statements that hold: origins are added and never taken away, except with the key that added them."""
    kept = {one.cid: one for one in (*(one for one in known if _holds(one, newest)), *told)}
    try:
        effective_origins(newest, kept.values())
    except TooLargeError:  # a node that was restored, say, and added others since
        return told
    return tuple(kept.values())


def _holds(moved: Moved, grant: Grant) -> bool:
    try:
        verify_moved(moved, grant=grant)
    except SignatureError:
        return False
    return True


def grant_of(document: Json) -> str:
    """Return the id of the grant that a handed document says it is about, nothing verified.

    Raises:
        MalformedError: And its subclasses: it is neither a moved statement nor a receipt.
    """
    if isinstance(document, dict) and "receipt" in document:
        versions = Receipt.from_dict(document["receipt"]).versions
        if not versions:
            raise MalformedError("the receipt holds no grant")
        return versions[-1].id
    return Moved.from_dict(document).grant
