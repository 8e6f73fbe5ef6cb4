"""What every store does with events, and whom it tells of commits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from operator import methodcaller as call
from typing import Any

import pytest
from freehold_node.store.rows import EventRow
from freehold_node.store.store import Reader, Store, Transactor
from store_rows import OTHER, OWNER, T0, add_grant, entry, head, record, standing

Work = Callable[[Transactor], Any]
TOUCHING: dict[str, Work] = {
    "version": call("change_grant", standing(version=2, epoch=2), change="narrow", document=b""),
    "epoch": call("bump_epoch", OWNER, "g1"),
    "revocation": call("revoke", OWNER, "g1", "did:key:zPartner", now_us=T0),
    "event": call("add_event", OWNER, "g1", permission="delivery", due_us=T0),
}
NOT_TOUCHING: dict[str, Work] = {
    "admission": call("admit", standing(), head(1), now_us=T0),
    "entry": call("add_entry", OWNER, "g1", entry(), ()),
    "nonce": call("use_nonce", OWNER, b"nonce", expires_us=T0),
    "record": call("put_record", OWNER, record("r9")),
    "setting": call("set_setting", "name", "value"),
}


class EventsContract:
    """Tests of single methods; ``store`` has the owners OWNER and OTHER and nothing else."""

    @pytest.mark.asyncio
    async def test_events_come_in_the_order_of_their_numbers(self, store: Store) -> None:
        def write(tx: Transactor) -> None:
            add_grant(tx)
            add_grant(tx, "g2")
            for permission, due_us in (("delivery", T0 + 9), (None, T0), ("age", T0 + 2**50)):
                tx.add_event(OWNER, "g1", permission=permission, due_us=due_us)
            tx.add_event(OWNER, "g2", permission="delivery", due_us=T0)

        await store.write(write)
        rows = [EventRow(1, "delivery", T0 + 9), EventRow(2, None, T0), EventRow(3, "age", T0 + 2**50)]
        assert await store.read(call("events", OWNER, "g1")) == rows
        assert await store.read(call("events", OWNER, "g2")) == [EventRow(1, "delivery", T0)]
        for owner, grant in ((OTHER, "g1"), (OWNER, "g3")):
            assert await store.read(call("events", owner, grant)) == []

    @pytest.mark.asyncio
    async def test_the_number_of_an_event_that_was_dropped_does_not_come_again(self, store: Store) -> None:
        def write(tx: Transactor) -> list[int]:
            tx.add_event(OWNER, "g1", permission="delivery", due_us=T0)
            return [row.n for row in tx.events(OWNER, "g1")]

        await store.write(add_grant)
        assert [await store.write(write) for _ in range(2)] == [[1], [1, 2]]
        await store.write(call("drop_events", OWNER, "g1", [1]))
        assert await store.write(write) == [2, 3]
        await store.write(call("drop_events", OWNER, "g1", [2, 3, 99]))
        assert await store.write(write) == [4]
        await store.write(call("drop_events", OTHER, "g1", [4]))
        await store.write(call("drop_events", OWNER, "g2", [4]))
        assert [row.n for row in await store.read(call("events", OWNER, "g1"))] == [4]

    @pytest.mark.asyncio
    async def test_an_event_of_no_grant_is_none(self, store: Store) -> None:
        await store.write(call("add_event", OWNER, "g9", permission=None, due_us=T0))
        assert await store.read(call("events", OWNER, "g9")) == []

    @pytest.mark.asyncio
    async def test_the_pins_of_a_record_are_found_in_every_grant(self, store: Store) -> None:
        def write(tx: Transactor) -> None:
            for grant in ("g1", "g2", "g3"):
                add_grant(tx, grant)
            tx.replace_pins(OWNER, "g1", {("a", 0): frozenset({"r1", "r2"}), ("a", 1): frozenset({"r1"})})
            tx.replace_pins(OWNER, "g2", {("b", 2): frozenset({"r1"})})
            tx.replace_pins(OWNER, "g3", {("a", 0): frozenset({"r2"})})

        await store.write(write)
        only = frozenset({"r1"})
        pinned = {"g1": {("a", 0): only, ("a", 1): only}, "g2": {("b", 2): only}}
        assert await store.read(call("pinned", OWNER, "r1")) == pinned
        assert await store.read(call("pinned", OWNER, "r3")) == {}
        assert await store.read(call("pinned", OTHER, "r1")) == {}

    # Who is told

    @pytest.mark.parametrize("work", TOUCHING.values(), ids=TOUCHING)
    @pytest.mark.asyncio
    async def test_a_commit_that_touches_a_grant_is_told_before_its_writer_goes_on(
        self, store: Store, work: Work
    ) -> None:
        await store.write(add_grant)
        told: list[frozenset[str]] = []
        writing: asyncio.Task[Any]

        def tell(grants: frozenset[str]) -> None:
            assert not writing.done()
            assert asyncio.get_running_loop() is writing.get_loop()
            told.append(grants)

        store.on_commit(tell)
        writing = asyncio.create_task(store.write(work))
        await writing
        assert told == [frozenset({"g1"})]

    @pytest.mark.asyncio
    async def test_what_was_written_is_seen_by_whoever_is_told(self, store: Store) -> None:
        seen: list[int] = []

        async def look() -> None:
            seen.append(len(await store.read(call("events", OWNER, "g1"))))

        looking: list[asyncio.Task[None]] = []
        await store.write(add_grant)
        store.on_commit(lambda _: looking.append(asyncio.create_task(look())))
        await store.write(TOUCHING["event"])
        await looking[0]
        assert seen == [1]

    @pytest.mark.parametrize("work", NOT_TOUCHING.values(), ids=NOT_TOUCHING)
    @pytest.mark.asyncio
    async def test_other_commits_are_told_of_no_grant(self, store: Store, work: Work) -> None:
        await store.write(add_grant)
        told: list[frozenset[str]] = []
        store.on_commit(told.append)
        await store.write(work)
        assert told == [frozenset()]

    @pytest.mark.asyncio
    async def test_everyone_who_asked_is_told_also_after_one_who_fails(self, store: Store) -> None:
        def fail(_: frozenset[str]) -> None:
            raise RuntimeError

        told: list[frozenset[str]] = []
        for tell in (fail, told.append, told.append):
            store.on_commit(tell)
        await store.write(add_grant)
        assert len(told) == 2

    @pytest.mark.asyncio
    async def test_grants_touched_together_are_told_together_and_once(self, store: Store) -> None:
        def write(tx: Transactor) -> None:
            for grant in ("g1", "g2"):
                add_grant(tx, grant)
                tx.bump_epoch(OWNER, grant)
                tx.add_event(OWNER, grant, permission=None, due_us=T0)

        told: list[frozenset[str]] = []
        store.on_commit(told.append)
        await store.write(write)
        await store.write(call("bump_epoch", OWNER, "g2"))
        assert told == [frozenset({"g1", "g2"}), frozenset({"g2"})]

    @pytest.mark.asyncio
    async def test_nobody_waits_for_ever_because_who_is_told_fails(self, store: Store) -> None:
        def fail(_: frozenset[str]) -> None:
            raise RuntimeError

        await store.write(add_grant)
        store.on_commit(fail)
        async with asyncio.timeout(20):
            await store.write(TOUCHING["epoch"])

    @pytest.mark.asyncio
    async def test_a_reader_cannot_add_events(self, store: Store) -> None:
        def look(reader: Reader) -> bool:
            return hasattr(reader, "add_event") or hasattr(reader, "drop_events")

        assert await store.read(look) is False
