"""What every store does with grants: how they stand, their ledger, what is counted under them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from operator import methodcaller as call
from typing import Any

import pytest
from freehold_node.store.store import Reader, Store, Transactor
from store_rows import HOUR_US, OTHER, OWNER, T0, add_grant, entry, head, leaf, record, refusal, standing

Changing = Callable[[Transactor], Any]


class GrantsContract:
    """Tests of single methods; ``store`` has the owners OWNER and OTHER and nothing else."""

    # Grants

    @pytest.mark.asyncio
    async def test_a_grant_stands_as_it_was_added_and_changed(self, store: Store) -> None:
        added = await store.write(add_grant)
        assert added == standing()

        def change(tx: Transactor) -> None:
            tx.put_record(OWNER, record())
            tx.set_self(OWNER, "r1")
            tx.change_grant(
                added._replace(version=2, epoch=5, state="paused", expires_us=T0 + 7),
                change="pause",
                document=b"version 2",
            )

        await store.write(change)
        found = await store.read(call("standing", OWNER, "g1"))
        assert found == standing(
            version=2, epoch=5, state="paused", expires_us=T0 + 7, records_version=2, self_record="r1"
        )
        versions = await store.read(call("versions", OWNER, "g1"))
        assert [(row.version, row.change, row.document) for row in versions] == [
            (1, "approve", b"version 1"),
            (2, "pause", b"version 2"),
        ]
        assert await store.read(call("versions", OWNER, "g1", after=1)) == versions[1:]
        assert await store.read(call("versions", OWNER, "g1", after=len(versions))) == []
        assert await store.read(call("version", OWNER, "g1", 2)) == versions[1]
        assert await store.read(call("version", OWNER, "g1", 3)) is None
        assert await store.read(call("standing", OWNER, "g2")) is None

    @pytest.mark.asyncio
    async def test_grants_come_newest_first(self, store: Store) -> None:
        def write(tx: Transactor) -> None:
            for grant, created_us in (("b", T0 + 1), ("c", T0), ("a", T0 + 1)):
                add_grant(tx, grant, created_us=created_us)

        await store.write(write)
        rows = await store.read(call("standings", OWNER))
        assert [row.grant for row in rows] == ["a", "b", "c"]

    @pytest.mark.asyncio
    async def test_due_are_live_and_paused_grants_whose_time_is_over(self, store: Store) -> None:
        def write(tx: Transactor) -> None:
            for state in ("live", "paused", "ended", "expired"):
                for expires_us in (T0 - 1, T0, T0 + 1):
                    add_grant(tx, f"{state}{expires_us - T0}", state=state, expires_us=expires_us)

        await store.write(write)
        rows = await store.read(call("due", OWNER, T0))
        assert {row.grant for row in rows} == {"live-1", "live0", "paused-1", "paused0"}

    @pytest.mark.asyncio
    async def test_pins_are_replaced_as_a_whole(self, store: Store) -> None:
        await store.write(add_grant)
        first = {
            ("delivery", 0): frozenset({"r1", "r2"}),
            ("delivery", 1): frozenset({"r1"}),
            ("age", 0): frozenset({"r3"}),
        }
        for pins in (first, {("age", 2): frozenset({"r1"})}, {("age", 2): frozenset[str]()}, {}):
            await store.write(call("replace_pins", OWNER, "g1", pins))
            kept = {place: records for place, records in pins.items() if records}
            assert await store.read(call("pins", OWNER, "g1")) == kept

    @pytest.mark.asyncio
    async def test_a_revocation_counts_once_and_bumps_the_epoch_once(self, store: Store) -> None:
        def write(tx: Transactor) -> None:
            add_grant(tx)
            add_grant(tx, "g2")

        await store.write(write)
        for revoked, new, (epoch, revocations) in (
            ("did:key:zA", True, (2, 1)),
            ("did:key:zA", False, (2, 1)),
            ("digest", True, (3, 2)),
        ):
            assert await store.write(call("revoke", OWNER, "g1", revoked, now_us=T0)) is new
            found = await store.read(call("standing", OWNER, "g1"))
            assert found is not None
            assert (found.epoch, found.revocations) == (epoch, revocations)
        assert await store.read(call("revoked", OWNER, "g1")) == {"did:key:zA", "digest"}
        assert await store.read(call("revoked", OWNER, "g2")) == set()
        assert await store.write(call("revoke", OWNER, "g2", "digest", now_us=T0))

    @pytest.mark.asyncio
    async def test_a_nonce_is_used_once_until_it_is_purged(self, store: Store) -> None:
        def use(owner: str, digest: bytes, expires_us: int = T0) -> Callable[[Transactor], bool]:
            return call("use_nonce", owner, digest, expires_us=expires_us)

        assert await store.write(use(OWNER, b"one"))
        assert not await store.write(use(OWNER, b"one"))
        assert not await store.write(use(OWNER, b"one", T0 + 9))
        assert await store.write(use(OTHER, b"one"))
        assert await store.write(use(OWNER, b"two", T0 + 1))
        assert await store.write(call("purge_nonces", OWNER, now_us=T0)) == 0
        assert not await store.write(use(OWNER, b"one"))
        assert await store.write(call("purge_nonces", OWNER, now_us=T0 + 1)) == 1
        assert await store.write(use(OWNER, b"one"))
        assert not await store.write(use(OWNER, b"two"))
        assert not await store.write(use(OTHER, b"one"))

    # Admission and ledger

    @pytest.mark.parametrize(
        ("between", "now_us", "admitted"),
        [
            (None, T0, True),
            (None, T0 + 24 * HOUR_US - 1, True),
            (None, T0 + 24 * HOUR_US, False),
            (None, T0 - 1, False),
            (call("bump_epoch", OWNER, "g1"), T0, False),
            (call("revoke", OWNER, "g1", "digest", now_us=T0), T0, False),
            (call("change_grant", standing(version=2, epoch=2), change="narrow", document=b""), T0, False),
            *(
                (
                    lambda tx, state=state: tx.change_grant(
                        standing(version=2, state=state), change="end", document=b""
                    ),
                    T0,
                    False,
                )
                for state in ("paused", "ended", "expired")
            ),
            (
                call("change_grant", standing(version=2, expires_us=T0), change="narrow", document=b""),
                T0,
                False,
            ),
            (call("move_head", standing(), head(1)), T0, False),
            (call("admit", standing(), head(1), now_us=T0), T0, False),
            (call("put_record", OWNER, record()), T0, True),  # compared by who admits, not here
            (lambda tx: add_grant(tx, "g2"), T0, True),
        ],
    )
    @pytest.mark.asyncio
    async def test_admission_is_one_conditional_update(
        self, store: Store, between: Changing | None, now_us: int, admitted: bool
    ) -> None:
        seen = await store.write(add_grant)
        if between is not None:
            await store.write(between)
        before = await store.read(call("standing", OWNER, "g1"))
        assert before is not None
        moved = head(1, time_us=T0 + 5)
        assert await store.write(call("admit", seen, moved, now_us=now_us)) is admitted
        after = await store.read(call("standing", OWNER, "g1"))
        expected = before._replace(
            log_size=1, log_range=moved.range, log_time_us=moved.time_us, read_us=now_us
        )
        assert after == (expected if admitted else before)

    @pytest.mark.parametrize("state", ["live", "paused", "ended", "expired"])
    @pytest.mark.asyncio
    async def test_the_head_moves_in_every_state_but_only_from_where_it_was(
        self, store: Store, state: str
    ) -> None:
        seen = await store.write(lambda tx: add_grant(tx, state=state, epoch=3))
        await store.write(call("bump_epoch", OWNER, "g1"))
        assert await store.write(call("move_head", seen, head(1)))
        assert not await store.write(call("move_head", seen, head(1)))
        assert not await store.write(call("move_head", standing("g9"), head(1)))
        after = await store.read(call("standing", OWNER, "g1"))
        assert after == seen._replace(epoch=4, log_size=1, log_range=b"range 1", log_time_us=T0)

    @pytest.mark.asyncio
    async def test_entries_are_given_as_they_were_written(self, store: Store) -> None:
        rows = [
            entry(0),
            entry(1, kind="changed", permission=None, seen_by=()),
            entry(2, seen_by=("did:key:zA", "did:key:zB"), body=None),
            entry(3, time_us=T0 + 2**50),
        ]

        def write(tx: Transactor) -> None:
            add_grant(tx)
            for row in rows:
                tx.add_entry(OWNER, "g1", row, ())
            tx.add_entry(OWNER, "g2", entry(0, leaf=b"other"), ())

        await store.write(write)
        for first, limit in ((0, 9), (1, 2), (2, 1), (3, 9), (4, 9), (0, 0)):
            found = await store.read(call("entries", OWNER, "g1", first=first, limit=limit))
            assert found == rows[first : first + limit]
        assert await store.read(call("entry", OWNER, "g1", 2)) == rows[2]
        assert await store.read(call("entry", OWNER, "g1", 4)) is None

    @pytest.mark.asyncio
    async def test_hashes_are_kept_of_leaves_and_every_fourth_level(self, store: Store) -> None:
        nodes = [(level, i, b"%d/%d" % (level, i)) for level in (1, 2, 3, 4, 5, 8) for i in range(3)]

        def write(tx: Transactor) -> None:
            for n in range(5):
                tx.add_entry(OWNER, "g1", entry(n), nodes if n == 4 else ())

        await store.write(write)
        for level, first, count, hashes in (
            (0, 0, 16, [leaf(n) for n in range(5)]),
            (0, 2, 2, [leaf(2), leaf(3)]),
            (0, 5, 16, []),
            (4, 0, 16, [b"4/0", b"4/1", b"4/2"]),
            (4, 1, 1, [b"4/1"]),
            (8, 2, 9, [b"8/2"]),
        ):
            assert await store.read(call("hashes", OWNER, "g1", level, first, count)) == hashes

    # Counting

    @pytest.mark.asyncio
    async def test_reads_are_counted_ever_and_since(self, store: Store) -> None:
        def write(tx: Transactor) -> None:
            add_grant(tx)
            for n in range(4):
                tx.add_entry(OWNER, "g1", entry(n), ())
            tx.add_entry(OWNER, "g1", entry(4, kind="refused"), ())
            tx.add_entry(OWNER, "g1", entry(5, permission="age"), ())
            tx.add_entry(OWNER, "g1", entry(6), ())

        await store.write(write)
        for permission, since_us, counts in (
            ("delivery", 0, (5, 5)),
            ("delivery", T0, (5, 5)),
            ("delivery", T0 + 2, (5, 3)),  # the one of that very instant is in
            ("delivery", T0 + 4, (5, 1)),
            ("delivery", T0 + 7, (5, 0)),
            ("age", T0 + 5, (1, 1)),
            ("nothing", 0, (0, 0)),
        ):
            assert await store.read(call("reads", OWNER, "g1", permission, since_us)) == counts

    @pytest.mark.asyncio
    async def test_a_count_goes_on_from_the_ledger_and_begins_anew_at_a_change(self, store: Store) -> None:
        def read(n: int) -> Callable[[Transactor], tuple[int, int]]:
            def admit(tx: Transactor) -> tuple[int, int]:
                tx.add_entry(OWNER, "g1", entry(n), ())
                tx.count_read(OWNER, "g1", "delivery")
                return tx.reads(OWNER, "g1", "delivery", 2**62)

            return admit

        def uncounted(tx: Transactor) -> None:
            add_grant(tx)
            for n in range(3):  # without a limit nobody counted
                tx.add_entry(OWNER, "g1", entry(n), ())

        await store.write(uncounted)
        assert await store.write(read(3)) == (4, 0)
        assert await store.write(read(4)) == (5, 0)
        await store.write(call("add_entry", OWNER, "g1", entry(5), ()))  # not counted: the count stands
        assert (await store.write(read(6)))[0] == 6
        await store.write(call("change_grant", standing(version=2), change="narrow", document=b""))
        assert await store.read(call("reads", OWNER, "g1", "delivery", 0)) == (7, 7)
        assert await store.write(read(7)) == (8, 0)
        assert await store.read(call("reads", OWNER, "g1", "age", 0)) == (0, 0)

    @pytest.mark.asyncio
    async def test_refusals_are_counted_apart_by_capability_code_and_hour(self, store: Store) -> None:
        rows = [
            refusal(),
            refusal(capability="zOther"),
            refusal(code="grant-paused"),
            refusal(hour_us=T0 + HOUR_US),
            refusal(grant="g2"),
        ]
        for row in rows:
            assert await store.write(call("count_refusal", OWNER, row))
        for _ in range(2):
            assert not await store.write(call("count_refusal", OWNER, replace(rows[0], body=b"late")))
        counted = [replace(rows[0], count=2), *rows[1:]]

        def before(time_us: int) -> Callable[[Reader], list[Any]]:
            return lambda reader: sorted(reader.refusals(OWNER, time_us), key=repr)

        early = sorted((row for row in counted if row.hour_us == T0), key=repr)
        assert await store.read(before(T0)) == []
        assert await store.read(before(T0 + 1)) == early
        assert await store.read(before(T0 + HOUR_US)) == early
        assert await store.read(before(T0 + HOUR_US + 1)) == sorted(counted, key=repr)
        await store.write(call("drop_refusal", OWNER, counted[0]))
        assert await store.read(before(T0 + 1)) == sorted(set(early) - {counted[0]}, key=repr)
        assert await store.write(call("count_refusal", OWNER, rows[0]))  # the first of its hour again

    @pytest.mark.asyncio
    async def test_what_the_owner_did_is_written_down(self, store: Store) -> None:
        def write(tx: Transactor) -> None:
            for owner in (OWNER, OTHER, OWNER):
                tx.log_action(owner, time_us=T0, action="invite", subject="i1")

        await store.write(write)  # two of one instant, and of two owners, are no conflict
        await store.write(write)
