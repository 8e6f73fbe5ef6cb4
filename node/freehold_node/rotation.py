"""Other keys for a relationship: every grant of it that is not over goes on under them, in one transaction.

Spec: specs/rotation.md
"""

from __future__ import annotations

from typing import Final

from freehold_protocol.canonical import jcs
from freehold_protocol.encoding import parse_document
from freehold_protocol.errors import ConflictError
from freehold_protocol.grant import Grant
from freehold_protocol.moved import TYPE as MOVED
from freehold_protocol.moved import sign_moved

from .ambient import Ambient
from .changes import STORED_BYTES, commit_change, standing_grant
from .person_keys import PersonKeys
from .store.rows import Standing
from .store.store import Transactor

_MOST: Final = 1000
"""Each asks whoever comes with an old capability for one more comparison."""


def draft_rotation(standing: Standing, grant: Grant, *, keys: PersonKeys, nonce: str, now_us: int) -> Grant:
    """Return the draft of a grant's next version, under the relationship's next keys.

    Raises:
        TransitionError: The grant is over.
        ConflictError: The relationship has had too many keys.
    """
    if standing.key_epoch >= _MOST:
        raise ConflictError("the keys of this relationship were changed too often; begin it afresh")
    coming = keys.of(standing.relationship, standing.key_epoch + 1)
    return grant.changed(
        "rotate",
        nonce=nonce,
        created_s=now_us // 1_000_000,
        keys=(coming.decision.public, coming.serving.public),
    )


def commit_rotation(
    tx: Transactor, standing: Standing, draft: Grant, *, keys: PersonKeys, now_us: int, ambient: Ambient
) -> tuple[Grant, list[str]]:
    """Give a relationship its next keys: the grant by the draft that was seen, every other one beside it.

    Returns the grant's version and the ids of all grants that changed.

    Raises:
        ConflictError: The grant changed since the draft was made.
    """
    relationship = standing.relationship
    others = [
        one
        for one in tx.standings(standing.owner)
        if one.relationship == relationship
        and one.grant != standing.grant
        and one.state in ("live", "paused")
    ]
    grant = _commit(tx, standing, draft, keys=keys, now_us=now_us, ambient=ambient)
    for one in others:
        made = draft_rotation(
            one, standing_grant(tx, one), keys=keys, nonce=ambient.new_token(), now_us=now_us
        )
        _commit(tx, one, made, keys=keys, now_us=now_us, ambient=ambient)
    tx.set_key_epoch(standing.owner, relationship, standing.key_epoch + 1)
    return grant, [grant.id, *(one.grant for one in others)]


def _commit(
    tx: Transactor, standing: Standing, draft: Grant, *, keys: PersonKeys, now_us: int, ambient: Ambient
) -> Grant:
    grant = commit_change(tx, standing, draft, change="rotate", keys=keys, now_us=now_us, ambient=ambient)
    _say_again(tx, standing, grant, keys=keys, now_us=now_us, ambient=ambient)
    return grant


def _say_again(
    tx: Transactor, standing: Standing, grant: Grant, *, keys: PersonKeys, now_us: int, ambient: Ambient
) -> None:
    """Sign anew, in one statement, which origins were added: the old key's word counts no more."""
    origins = standing.moved.split()
    if not origins:
        return
    others = [
        document
        for document in tx.statements(standing.owner, standing.grant)
        if parse_document(document, max_bytes=STORED_BYTES)["type"] != MOVED
    ]
    moved = sign_moved(
        grant,
        keys.of(standing.relationship, standing.key_epoch + 1).decision,
        origins=origins,
        nonce=ambient.new_token(),
        created_s=now_us // 1_000_000,
    )
    tx.replace_moved(standing.owner, standing.grant, origins, [*others, jcs(moved.document)])
