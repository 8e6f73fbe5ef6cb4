"""What every store does with links to partners, the reads counted under them, and the outcomes of messages."""

from __future__ import annotations

from collections.abc import Callable
from operator import methodcaller as call

import pytest
from freehold_node.store.rows import LinkRow
from freehold_node.store.store import Store, Transactor
from store_rows import OTHER, OWNER, T0


def link(
    digest: str = "d1", *, branch: str = "did:key:zCourier", seen_us: int = T0, end_us: int = T0 + 9
) -> LinkRow:
    return LinkRow(
        digest=digest, branch=branch, parent="d0", expires_us=end_us, seen_us=seen_us, reads=0, document=b"{}"
    )


def count(*links: str) -> Callable[[Transactor], None]:
    def work(tx: Transactor) -> None:
        for one in links:
            tx.count_under(OWNER, "g1", one)

    return work


class LinksContract:
    """Tests of single methods; ``store`` has the owners OWNER and OTHER and nothing else."""

    @pytest.mark.asyncio
    async def test_a_link_is_kept_once_with_its_count(self, store: Store) -> None:
        await store.write(call("add_link", OWNER, "g1", link()))
        await store.write(count("d1", "d1", "unknown"))
        await store.write(call("add_link", OWNER, "g1", link(seen_us=T0 + 5)))
        found = await store.read(call("link", OWNER, "g1", "d1"))
        assert (found.seen_us, found.reads) == (T0, 2)
        for elsewhere in ((OTHER, "g1", "d1"), (OWNER, "g2", "d1"), (OWNER, "g1", "d2")):
            assert await store.read(call("link", *elsewhere)) is None

    @pytest.mark.asyncio
    async def test_links_come_in_the_order_they_were_seen_and_are_counted_by_branch(
        self, store: Store
    ) -> None:
        for one in (link("b", seen_us=T0 + 2), link("c"), link("a", branch="did:key:zOther", seen_us=T0 + 1)):
            await store.write(call("add_link", OWNER, "g1", one))
        assert [row.digest for row in await store.read(call("links", OWNER, "g1"))] == ["c", "a", "b"]
        assert await store.read(call("link_count", OWNER, "g1", "did:key:zCourier", now_us=T0)) == 2
        assert await store.read(call("link_count", OWNER, "g1", "did:key:zCourier", now_us=T0 + 9)) == 0
        assert await store.read(call("link_count", OWNER, "g2", "did:key:zCourier", now_us=T0)) == 0

    @pytest.mark.asyncio
    async def test_a_rate_counts_what_is_not_too_old_and_forgets_the_rest(self, store: Store) -> None:
        await store.write(call("add_link", OWNER, "g1", link()))
        for n in range(4):
            timed = call("time_under", OWNER, "g1", "d1", n=n, time_us=T0 + n, since_us=T0 + n - 2)
            await store.write(timed)
        assert await store.read(call("reads_under", OWNER, "g1", "d1", T0 + 1)) == 2
        assert await store.read(call("reads_under", OWNER, "g1", "d1", 0)) == 2, "the older are forgotten"
        assert await store.read(call("reads_under", OWNER, "g1", "d2", 0)) == 0

    @pytest.mark.asyncio
    async def test_what_expired_is_forgotten_with_its_counts(self, store: Store) -> None:
        for one in (link("old", end_us=T0), link("new", end_us=T0 + 1)):
            await store.write(call("add_link", OWNER, "g1", one))
            await store.write(call("time_under", OWNER, "g1", one.digest, n=1, time_us=T0, since_us=0))
        await store.write(call("drop_links", OTHER, before_us=T0 + 9))
        await store.write(call("drop_links", OWNER, before_us=T0 + 1))
        assert [row.digest for row in await store.read(call("links", OWNER, "g1"))] == ["new"]
        assert await store.read(call("reads_under", OWNER, "g1", "old", 0)) == 0
        assert await store.read(call("reads_under", OWNER, "g1", "new", 0)) == 1

    @pytest.mark.asyncio
    async def test_a_message_has_an_outcome_once_there_is_one(self, store: Store) -> None:
        digest = bytes(16)
        assert await store.read(call("outcome", OWNER, digest)) is None
        assert await store.write(call("use_nonce", OWNER, digest, expires_us=T0))
        assert await store.read(call("outcome", OWNER, digest)) is None
        await store.write(call("set_outcome", OWNER, digest, 7))
        assert await store.read(call("outcome", OWNER, digest)) == 7
        assert await store.read(call("outcome", OTHER, digest)) is None
        await store.write(call("purge_nonces", OWNER, now_us=T0 + 1))
        assert await store.read(call("outcome", OWNER, digest)) is None
