"""What every store promises, as tests: a class to derive from for each store there is.

pytest rewrites the assertions in here only if it is told to before the import: see tests/node/store/conftest.py.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from operator import methodcaller as call
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from freehold_node.store.store import Reader, Store, Transactor
from freehold_protocol.errors import ConflictError, NotFoundError, UnavailableError
from store_contract_devices import DevicesContract
from store_contract_events import EventsContract
from store_contract_grants import GrantsContract
from store_contract_keys import KeysContract
from store_contract_links import LinksContract
from store_contract_looking import LookingContract
from store_contract_moving import MovingContract
from store_contract_rows import RowsContract
from store_rows import OTHER, OWNER, T0, record

WAIT_S = 60


class Failure(Exception):  # noqa: N818
    """What a unit of work raises of its own."""


def fails_by(error: BaseException) -> Callable[[Transactor], None]:
    def work(tx: Transactor) -> None:
        tx.set_setting("half", "done")
        raise error

    return work


def fails_by_conflict(tx: Transactor) -> None:
    tx.set_setting("half", "done")
    tx.add_owner(OWNER, created_us=T0)


def fails_by_a_value_no_column_takes(tx: Transactor) -> None:
    tx.set_setting("half", object())  # type: ignore[arg-type]


def add_one(tx: Transactor) -> int:
    n = int(tx.setting("n") or 0) + 1
    tx.set_setting("n", str(n))
    return n


async def together(store: Store, works: Iterable[Callable[[Transactor], Any]]) -> list[Any]:
    """Write all of them at once, while the writer is kept busy; return what each returned or raised."""
    go = threading.Event()
    first = asyncio.create_task(store.write(lambda _: go.wait(WAIT_S)))
    others = [asyncio.create_task(store.write(work)) for work in works]
    await asyncio.sleep(0)
    go.set()
    async with asyncio.timeout(WAIT_S):
        assert await first
        return await asyncio.gather(*others, return_exceptions=True)


class StoreContract(
    RowsContract,
    GrantsContract,
    LinksContract,
    EventsContract,
    KeysContract,
    LookingContract,
    MovingContract,
    DevicesContract,
):
    """Derive from this, say how the store is opened and how its commits are counted, and it is tested."""

    async def open_store(self, folder: Path) -> Store:
        """Open the store of this name anew, empty if it never was."""
        raise NotImplementedError

    def commits(self, store: Store) -> int:
        """Return how many transactions the store has committed since it was opened."""
        raise NotImplementedError

    @pytest_asyncio.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[Store]:
        store = await self.open_store(tmp_path)

        def write(tx: Transactor) -> None:
            for owner in (OWNER, OTHER):
                tx.add_owner(owner, created_us=T0)

        await store.write(write)
        yield store
        await store.close()

    # A unit of work

    @pytest.mark.asyncio
    async def test_a_unit_returns_its_result_and_sees_what_it_wrote(self, store: Store) -> None:
        def work(tx: Transactor) -> tuple[str | None, str | None]:
            before = tx.setting("n")
            tx.set_setting("n", "1")
            return before, tx.setting("n")

        assert await store.write(work) == (None, "1")

    @pytest.mark.parametrize(
        ("work", "raised"),
        [
            (fails_by(Failure()), Failure),
            (fails_by(NotFoundError("nothing here")), NotFoundError),
            (fails_by(UnavailableError("one of its own")), UnavailableError),
            (fails_by(StopIteration()), RuntimeError),  # no coroutine can raise it
            (fails_by(asyncio.CancelledError()), asyncio.CancelledError),
            (fails_by_conflict, ConflictError),
            (fails_by_a_value_no_column_takes, TypeError),
        ],
    )
    @pytest.mark.asyncio
    async def test_a_failing_unit_is_undone_and_its_neighbours_are_not(
        self, store: Store, work: Callable[[Transactor], None], raised: type[BaseException]
    ) -> None:
        results = await together(store, [add_one, work, add_one, work, add_one])
        assert results[::2] == [1, 2, 3]
        assert [type(error) for error in results[1::2]] == [raised, raised]
        assert await store.read(call("setting", "n")) == "3"
        assert await store.read(call("setting", "half")) is None
        assert await store.write(add_one) == 4

    @pytest.mark.asyncio
    async def test_the_error_raised_is_the_units_own(self, store: Store) -> None:
        error = Failure("of this unit")
        with pytest.raises(Failure) as caught:
            await store.write(fails_by(error))
        assert caught.value is error

    @pytest.mark.asyncio
    async def test_units_run_one_after_the_other(self, store: Store) -> None:
        results = await together(store, [add_one] * 700)
        assert sorted(results) == list(range(1, 701))

    @pytest.mark.asyncio
    async def test_writes_that_wait_together_share_a_commit(self, store: Store) -> None:
        before = self.commits(store)
        await together(store, [add_one] * 100)
        assert self.commits(store) - before <= 3

    @pytest.mark.asyncio
    async def test_what_was_written_is_there_when_opened_again(self, store: Store, tmp_path: Path) -> None:
        await store.write(add_one)
        await store.close()
        again = await self.open_store(tmp_path)
        try:
            assert await again.write(add_one) == 2
        finally:
            await again.close()

    @pytest.mark.asyncio
    async def test_opening_an_empty_store_twice_leaves_it_empty(self, tmp_path: Path) -> None:
        for _ in range(2):
            store = await self.open_store(tmp_path)
            assert await store.read(call("owners")) == []
            await store.close()

    # Reading

    @pytest.mark.parametrize("long", [False, True])
    @pytest.mark.asyncio
    async def test_a_read_returns_or_raises_what_its_work_does(self, store: Store, long: bool) -> None:
        def work(_: Reader) -> None:
            raise Failure

        with pytest.raises(Failure):
            await store.read(work, long=long)
        assert await store.read(call("owners"), long=long) == [OWNER, OTHER]

    @pytest.mark.asyncio
    async def test_a_reader_cannot_write(self, store: Store) -> None:
        writing = {name for name in vars(Transactor) if not name.startswith("_")}
        assert {"admit", "put_record", "set_setting"} <= writing
        assert await store.read(lambda reader: {name for name in writing if hasattr(reader, name)}) == set()

    @pytest.mark.asyncio
    async def test_a_read_is_one_snapshot_whatever_is_written_meanwhile(self, store: Store) -> None:
        await store.write(call("put_record", OWNER, record("r1")))
        looked, go = threading.Event(), threading.Event()

        def look(reader: Reader) -> list[list[str]]:
            seen = [[row.id for row in reader.records(OWNER, limit=9)]]
            looked.set()
            assert go.wait(WAIT_S)
            seen.append([row.id for row in reader.records(OWNER, limit=9)])
            return seen

        reading = asyncio.create_task(store.read(look, long=True))
        await asyncio.to_thread(looked.wait, WAIT_S)
        await store.write(call("put_record", OWNER, record("r2")))
        assert await store.read(call("record_count", OWNER)) == 2
        go.set()
        assert await reading == [["r1"], ["r1"]]

    @pytest.mark.parametrize("long", [False, True])
    @pytest.mark.asyncio
    async def test_nobody_sees_a_unit_under_way_or_waits_for_it(self, store: Store, long: bool) -> None:
        wrote, go = threading.Event(), threading.Event()

        def work(tx: Transactor) -> None:
            tx.set_setting("n", "1")
            wrote.set()
            assert go.wait(WAIT_S)

        writing = asyncio.create_task(store.write(work))
        await asyncio.to_thread(wrote.wait, WAIT_S)
        assert await store.read(call("setting", "n"), long=long) is None
        go.set()
        await writing
        assert await store.read(call("setting", "n"), long=long) == "1"

    # Waiting and closing

    @pytest.mark.asyncio
    async def test_who_no_longer_waits_keeps_nobody_from_their_result(self, store: Store) -> None:
        go = threading.Event()
        first = asyncio.create_task(store.write(lambda _: go.wait(WAIT_S)))
        waiting = [asyncio.create_task(store.write(add_one)) for _ in range(6)]
        failing = asyncio.create_task(store.write(fails_by(Failure())))
        await asyncio.sleep(0)
        for task in (*waiting[::2], failing):
            task.cancel()
        go.set()
        async with asyncio.timeout(WAIT_S):
            assert await first
            results = await asyncio.gather(*waiting, return_exceptions=True)
            assert [type(result) for result in results] == [asyncio.CancelledError, int] * 3
            # What was handed in is carried out: nobody can know that it was not.
            assert await store.write(add_one) == 7

    @pytest.mark.asyncio
    async def test_closing_leaves_nobody_waiting(self, store: Store, tmp_path: Path) -> None:
        go = threading.Event()
        first = asyncio.create_task(store.write(lambda _: go.wait(WAIT_S)))
        waiting = [asyncio.create_task(store.write(add_one)) for _ in range(300)]
        await asyncio.sleep(0)
        closing = asyncio.create_task(store.close())
        late = [asyncio.create_task(store.write(add_one)) for _ in range(3)]
        await asyncio.sleep(0)
        go.set()
        async with asyncio.timeout(WAIT_S):
            await closing
            assert await first
            results = await asyncio.gather(*waiting, *late, return_exceptions=True)
        done = [result for result in results if isinstance(result, int)]
        refused = [result for result in results if isinstance(result, UnavailableError)]
        assert len(done) + len(refused) == 303
        assert len(refused) >= 3
        again = await self.open_store(tmp_path)
        try:
            assert await again.read(call("setting", "n")) == (str(len(done)) if done else None)
        finally:
            await again.close()

    @pytest.mark.asyncio
    async def test_closing_lets_a_long_read_finish(self, store: Store) -> None:
        looked, go = threading.Event(), threading.Event()

        def look(reader: Reader) -> list[str]:
            looked.set()
            assert go.wait(WAIT_S)
            return reader.owners()

        reading = asyncio.create_task(store.read(look, long=True))
        await asyncio.to_thread(looked.wait, WAIT_S)
        closing = asyncio.create_task(store.close())
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(go.set)  # closing must not stop the loop
        async with asyncio.timeout(WAIT_S):
            assert await reading == [OWNER, OTHER]
            await closing

    @pytest.mark.asyncio
    async def test_a_closed_store_says_so(self, store: Store) -> None:
        await store.close()
        await store.close()
        for attempt in (
            store.read(call("owners")),
            store.read(call("owners"), long=True),
            store.write(add_one),
        ):
            with pytest.raises(UnavailableError):
                await attempt

    @pytest.mark.asyncio
    async def test_a_loop_that_ended_with_a_write_under_way_holds_nobody_up(self, store: Store) -> None:
        def end_at_once() -> None:
            loop = asyncio.new_event_loop()
            task = loop.create_task(store.write(add_one))
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            loop.call_soon(loop.stop)
            loop.run_forever()
            loop.close()

        await asyncio.to_thread(end_at_once)
        async with asyncio.timeout(WAIT_S):
            assert await store.write(add_one) in (1, 2)
            await store.close()

    @pytest.mark.asyncio
    async def test_writers_on_other_threads_are_answered_too(self, store: Store) -> None:
        """Each thread has an event loop of its own, and writes until it is told that the store is closed."""
        counts: list[int] = []

        async def write_until_closed() -> None:
            done = 0
            try:
                while True:
                    await asyncio.wait_for(store.write(add_one), WAIT_S)
                    done += 1
            except UnavailableError:
                counts.append(done)

        threads = [threading.Thread(target=asyncio.run, args=(write_until_closed(),)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in range(20):
            await store.write(add_one)
        await store.close()
        for thread in threads:
            await asyncio.to_thread(thread.join, WAIT_S)
        assert len(counts) == 4
