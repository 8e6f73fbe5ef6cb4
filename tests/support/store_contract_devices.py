"""What every store does with sessions, and with the passkeys that open them."""

from __future__ import annotations

from operator import methodcaller as call
from typing import Any

import pytest
from freehold_node.store.rows import PasskeyRow, SessionRow
from freehold_node.store.store import Store, Transactor
from store_rows import OTHER, OWNER, T0


def session(id_: str, **more: Any) -> SessionRow:
    given: dict[str, Any] = {
        "digest": id_.encode() * 8, "device": "Firefox", "created_us": T0, "seen_us": T0, "proved_us": 0,
        "passkey": None,
    }  # fmt: skip
    return SessionRow(id=id_, **(given | more))


def passkey(id_: str, **more: Any) -> PasskeyRow:
    given: dict[str, Any] = {"name": "Phone", "credential": b"key", "created_us": T0, "used_us": None}
    return PasskeyRow(id=id_, **(given | more))


def write_sessions(tx: Transactor) -> None:
    """Three sessions, of which a passkey opened one, and one of somebody else by the same names."""
    tx.add_session(OWNER, session("s1", seen_us=T0 + 1, proved_us=T0 + 1, passkey="p1"))
    tx.add_session(OWNER, session("s2", seen_us=T0 + 3, proved_us=T0 + 3))
    tx.add_session(OWNER, session("s3", seen_us=T0 + 2))
    tx.add_session(OTHER, session("s1", proved_us=T0))


class DevicesContract:
    """Tests of single methods; ``store`` has the owners OWNER and OTHER and nothing else."""

    @pytest.mark.asyncio
    async def test_sessions_come_by_when_they_were_seen_and_by_their_digest(self, store: Store) -> None:
        await store.write(write_sessions)
        assert [row.id for row in await store.read(call("sessions", OWNER))] == ["s2", "s3", "s1"]
        found = await store.read(call("session", OWNER, b"s1" * 8))
        assert found == session("s1", seen_us=T0 + 1, proved_us=T0 + 1, passkey="p1")
        assert await store.read(call("session", OWNER, b"none")) is None
        assert await store.read(call("session", OTHER, b"s2" * 8)) is None

    @pytest.mark.asyncio
    async def test_a_session_is_seen_with_a_proof_and_without(self, store: Store) -> None:
        await store.write(write_sessions)
        await store.write(call("touch_session", OWNER, "s1", seen_us=T0 + 9))
        await store.write(call("touch_session", OWNER, "s2", seen_us=T0 + 8, proved_us=T0 + 8))
        rows = await store.read(call("sessions", OWNER))
        assert [(row.id, row.seen_us, row.proved_us) for row in rows] == [
            ("s1", T0 + 9, T0 + 1), ("s2", T0 + 8, T0 + 8), ("s3", T0 + 2, 0),
        ]  # fmt: skip
        assert await store.read(call("sessions", OTHER)) == [session("s1", proved_us=T0)]

    @pytest.mark.asyncio
    async def test_proofs_are_dropped_and_sessions_stay(self, store: Store) -> None:
        await store.write(write_sessions)
        await store.write(call("drop_proofs", OWNER))
        rows = await store.read(call("sessions", OWNER))
        assert [(row.id, row.proved_us) for row in rows] == [("s2", 0), ("s3", 0), ("s1", 0)]
        assert await store.read(call("sessions", OTHER)) == [session("s1", proved_us=T0)]

    @pytest.mark.asyncio
    async def test_sessions_end_one_by_one_by_age_and_all_at_once(self, store: Store) -> None:
        await store.write(write_sessions)
        for drop, left in (
            (call("drop_session", OWNER, "none"), ["s2", "s3", "s1"]),
            (call("drop_sessions", OWNER, unseen_since_us=T0 + 2), ["s2", "s3"]),
            (call("drop_session", OWNER, "s2"), ["s3"]),
            (call("drop_sessions", OWNER), []),
        ):
            await store.write(drop)
            assert [row.id for row in await store.read(call("sessions", OWNER))] == left
        assert len(await store.read(call("sessions", OTHER))) == 1

    @pytest.mark.asyncio
    async def test_passkeys_are_kept_used_and_forgotten(self, store: Store) -> None:
        for owner, row in (
            (OWNER, passkey("p2", created_us=T0 + 1)), (OWNER, passkey("p1")), (OTHER, passkey("p1")),
        ):  # fmt: skip
            await store.write(call("put_passkey", owner, row))
        await store.write(call("put_passkey", OWNER, passkey("p1", credential=b"two", used_us=T0 + 5)))
        assert await store.read(call("passkeys", OWNER)) == [
            passkey("p1", credential=b"two", used_us=T0 + 5), passkey("p2", created_us=T0 + 1),
        ]  # fmt: skip
        await store.write(call("drop_passkey", OWNER, "p1"))
        await store.write(call("drop_passkey", OWNER, "none"))
        assert [row.id for row in await store.read(call("passkeys", OWNER))] == ["p2"]
        assert await store.read(call("passkeys", OTHER)) == [passkey("p1")]
