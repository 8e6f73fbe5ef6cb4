"""Drafts: what a person decides is always something they have seen.

A draft is drawn up, kept under its digest and shown; only a decision that names that digest is carried out.

Spec: specs/grants.md#changes
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from freehold_protocol.canonical import jcs
from freehold_protocol.encoding import parse_document
from freehold_protocol.errors import DraftChangedError, MalformedError
from freehold_protocol.grant import TRANSITIONS, Change, Grant
from freehold_protocol.permission import Permission

from .changes import STORED_BYTES
from .store.rows import DraftRow
from .store.store import Transactor

DRAFT_US: Final = 3_600 * 1_000_000
"""What was on a screen an hour ago is looked at again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a person ticks on a request, or leaves of a grant.

    Attributes:
        permissions: As the person would have them, each within what was asked.
        expires_s: The end; None: as asked, or as it stands.
        not_before_s: The beginning; None: at once. Only for a request.
    """

    permissions: tuple[Permission, ...]
    expires_s: int | None = None
    not_before_s: int | None = None


def keep_draft(
    tx: Transactor, owner: str, draft: Grant, *, subject: str, change: Change, now_us: int
) -> None:
    """Keep a draft for the person to decide on; subject is the request or grant that it is about."""
    tx.drop_drafts(owner, before_us=now_us - DRAFT_US)
    row = DraftRow(
        digest=draft.digest, subject=subject, change=change, created_us=now_us, document=jcs(draft.document)
    )
    tx.add_draft(owner, row)


def seen_draft(tx: Transactor, owner: str, *, subject: str, digest: str, now_us: int) -> tuple[Grant, Change]:
    """Return the draft of that digest, and the change it would make.

    Raises:
        DraftChangedError: No such draft about this subject was shown in the last hour.
    """
    row = tx.draft(owner, digest)
    if row is None or row.subject != subject or row.created_us < now_us - DRAFT_US:
        raise DraftChangedError("what was approved is not what would be granted: look at it again")
    draft = Grant.from_dict(parse_document(row.document, max_bytes=STORED_BYTES))
    if draft.digest != digest:
        raise DraftChangedError("the draft kept under this digest is another")
    return draft, next(change for change in TRANSITIONS if change == row.change)


def check_zones(permissions: Iterable[Permission]) -> None:
    """Refuse hours in a time zone that does not exist here. Raises MalformedError."""
    for permission in permissions:
        if permission.limits.hours is not None:
            try:
                ZoneInfo(permission.limits.hours.time_zone)
            except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
                raise MalformedError("no such time zone") from None
