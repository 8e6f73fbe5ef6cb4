"""Restoring a backup never un-revokes.

The generation stands in a file beside the key store and in the database. If they differ, the database is not
the one that was last in use here: every grant is paused, and every capability issued before is dead.

Spec: specs/grants.md#restore
"""

from __future__ import annotations

from typing import Final

from freehold_protocol.grant import Grant

from .ambient import Ambient
from .changes import commit_change, standing_grant
from .person_keys import PersonKeys
from .store.store import Transactor

SETTING: Final = "generation"


def take_up_generation(tx: Transactor, *, owner: str, keys: PersonKeys, ambient: Ambient) -> int:
    """Pause every live grant if the database is of another generation than the keys; return how many."""
    known = tx.setting(SETTING)
    tx.set_setting(SETTING, str(keys.generation))
    if known is None or int(known) == keys.generation:
        return 0
    now_us = ambient.clock.now_us()
    live = [standing for standing in tx.standings(owner) if standing.state == "live"]
    for standing in live:
        draft = _pause(standing_grant(tx, standing), ambient, now_us)
        commit_change(tx, standing, draft, change="pause", keys=keys, now_us=now_us, ambient=ambient)
    tx.log_action(owner, time_us=now_us, action="restored", subject=str(keys.generation))
    return len(live)


def _pause(grant: Grant, ambient: Ambient, now_us: int) -> Grant:
    return grant.changed("pause", nonce=ambient.new_token(), created_s=now_us // 1_000_000)
