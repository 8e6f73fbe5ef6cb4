"""Restoring a backup never un-revokes.

The generation stands in a file beside the key store and in the database. If they differ, the database is not
the one that was last in use here: every grant is paused, every capability issued before is dead, and the person says,
signed, from where each ledger goes on.

Spec: specs/grants.md#restore
"""

from __future__ import annotations

import logging
from typing import Final

from freehold_protocol.canonical import jcs
from freehold_protocol.checkpoint import Checkpoint
from freehold_protocol.errors import FreeholdError
from freehold_protocol.grant import Grant
from freehold_protocol.merkle import CompactRange
from freehold_protocol.restored import sign_restored

from .ambient import Ambient
from .changes import commit_change, standing_grant
from .ledger import append_changed
from .person_keys import PersonKeys
from .store.rows import Standing
from .store.store import Reader, Transactor

_log = logging.getLogger(__name__)
SETTING: Final = "generation"
_WHEN: Final = "restored_us"


def take_up_generation(tx: Transactor, *, owner: str, keys: PersonKeys, ambient: Ambient) -> int:
    """Pause every live grant if the database is of another generation than the keys; return how many."""
    known = tx.setting(SETTING)
    tx.set_setting(SETTING, str(keys.generation))
    if known is None or int(known) == keys.generation:
        return 0
    now_us = ambient.clock.now_us()
    tx.set_setting(_WHEN, str(now_us))
    tx.drop_sessions(owner)  # whoever was signed in when the backup was made signs in anew
    for passkey in tx.passkeys(owner):  # of a device that was lost since, the backup knows nothing
        tx.drop_passkey(owner, passkey.id)
    paused = 0
    for standing in tx.standings(owner):
        try:
            _say(tx, standing, keys, ambient, now_us)
        except FreeholdError as error:
            # One that is damaged keeps no other from being paused; it could be read no more than before.
            _log.error("a grant could not be taken up after the restore: %s", type(error).__name__)
            if standing.state == "live":
                raise
            continue
        paused += _pause(tx, standing, keys, ambient, now_us)
    tx.log_action(owner, time_us=now_us, action="restored", subject=str(keys.generation))
    return paused


def restored_s(reader: Reader) -> int:
    """Return when this database was taken up after a restore, Unix seconds; 0 if it never was."""
    return int(reader.setting(_WHEN) or 0) // 1_000_000


def _say(tx: Transactor, standing: Standing, keys: PersonKeys, ambient: Ambient, now_us: int) -> None:
    """Sign from where the ledger goes on, and write it there; whatever state the grant is in."""
    grant = standing_grant(tx, standing)
    root = CompactRange.from_bytes(standing.log_size, standing.log_range).root()
    statement = sign_restored(
        grant,
        keys.of(standing.relationship, standing.key_epoch).decision,
        checkpoint=Checkpoint(origin=grant.log, size=standing.log_size, root=root),
        nonce=ambient.new_token(),
        created_s=now_us // 1_000_000,
    )
    tx.add_statement(standing.owner, standing.grant, jcs(statement.document))
    append_changed(
        tx, standing.owner, grant, change="restore", now_us=now_us,
        random_bytes=ambient.random_bytes, statement=statement.cid,
    )  # fmt: skip


def _pause(tx: Transactor, standing: Standing, keys: PersonKeys, ambient: Ambient, now_us: int) -> bool:
    if standing.state != "live":
        return False
    grant: Grant = standing_grant(tx, standing)
    draft = grant.changed("pause", nonce=ambient.new_token(), created_s=now_us // 1_000_000)
    commit_change(tx, standing, draft, change="pause", keys=keys, now_us=now_us, ambient=ambient)
    return True
