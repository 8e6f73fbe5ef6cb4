"""No byte of a response leaves before its entry is durable: the order of insert, sync and first byte."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
import pytest
from disk import Disk
from freehold_node.store.sqlite_file import SqliteFile
from freehold_protocol.invocation import TAG_OWNER, sign_message
from harness import ADA, Held, House, Reply, open_house, permission
from order_of_sends import Watch, exchange, violations

READERS = 32
HELD_S = 0.2
"""How long a response is waited for that must not come; one that does come takes a hundredth of it."""


@dataclass(slots=True)
class Watched:
    disk: Disk
    house: House
    shop: Held
    pool: ThreadPoolExecutor

    @property
    def path(self) -> str:
        return f"/g/{self.shop.grant}/delivery/records"

    def send(
        self, method: str = "GET", path: str | None = None, etag: str | None = None, entry: int = -1
    ) -> asyncio.Future[Reply]:
        """As vendor, read; a response that names no entry is that of the one given."""
        target = path or self.path
        headers = self.shop.headers(method, target) | ({"If-None-Match": etag} if etag else {})
        return self._exchange(method, target, headers, (self.shop.grant, entry))

    async def change(self, entry: int, **draft: Any) -> Reply:
        """As owner, change the grant, which makes an entry of this number."""
        drawn = await self.house.own("POST", f"/grants/{self.shop.grant}/draft", draft)
        target = f"/owner/grants/{self.shop.grant}/change"
        body = json.dumps({"digest": drawn["digest"]}).encode()
        headers = sign_message(
            self.house.node.session_key, tag=TAG_OWNER, method="POST", target_uri=self.house.base + target,
            created_s=self.house.now_s(), nonce=self.house.nonce(), body=body,
        )  # fmt: skip
        return await self._exchange("POST", target, headers, (self.shop.grant, entry), body)

    def _exchange(self, *sent: Any) -> asyncio.Future[Reply]:
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self.pool, exchange, self.disk, self.house.base, *sent)

    def bytes_seen(self) -> int:
        return sum(event.action == "byte" for event in self.disk.timeline)


@asynccontextmanager
async def watched(folder: Path) -> AsyncIterator[Watched]:
    disk = Disk()
    with ThreadPoolExecutor(READERS) as pool:
        async with open_house(folder, vfs=disk.name) as house:
            await house.import_file(ADA, me="Ada Example")
            shop = await house.relate([permission("delivery", ["name", "address.postalCode"])])
            Watch(disk, house.node.store)
            disk.timeline.clear()
            yield Watched(disk, house, shop, pool)


@pytest.fixture
def weaken(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Open databases with another ``synchronous`` than the store asks for."""

    def weaken(mode: str) -> None:
        strong = SqliteFile.connect

        def connect(self: SqliteFile) -> apsw.Connection:
            connection = strong(self)
            connection.pragma("synchronous", mode)
            return connection

        monkeypatch.setattr(SqliteFile, "connect", connect)

    return weaken


async def take_turns(node: Watched) -> int:
    """Every kind of read that is an admission, a refusal and changes of the grant, in turn; return how many."""
    page = await node.send()
    alias = page.json["items"][0]["id"].removeprefix("urn:freehold:")
    replies = [
        await node.send("HEAD"),
        await node.send(etag=page.headers["ETag"]),
        await node.send(path=f"{node.path}/{alias}"),
        await node.send(path=node.path + "?fields=name"),
        await node.change(page.entry + 5, change="narrow", permissions=[permission("delivery", ["name"])]),
        await node.send(),
        await node.send(path=node.path + "?fields=address.postalCode", entry=page.entry + 7),
        await node.change(page.entry + 8, change="pause"),
    ]
    assert [reply.status for reply in replies] == [200, 304, 200, 200, 200, 200, 403, 200]
    return 1 + len(replies)


@pytest.mark.requirement("HTTP-37", "LED-3")
@pytest.mark.asyncio
async def test_one_after_the_other_it_is_insert_sync_first_byte(tmp_path: Path) -> None:
    async with watched(tmp_path / "node") as node:
        count = await take_turns(node)
        assert node.bytes_seen() == count
        assert violations(node.disk.timeline) == []
        assert node.disk.count("sync", "wal") >= count  # nobody shares, so each has its own


@pytest.mark.asyncio
async def test_all_at_once_each_byte_comes_after_the_sync_of_its_own_group(tmp_path: Path) -> None:
    async with watched(tmp_path / "node") as node:
        entries: set[int] = set()
        for _ in range(3):
            results = await asyncio.gather(*(node.send() for _ in range(READERS)))
            assert {reply.status for reply in results} == {200}
            entries |= {reply.entry for reply in results}
        assert node.bytes_seen() == 3 * READERS
        assert len(entries) == 3 * READERS
        assert violations(node.disk.timeline) == []


@pytest.mark.requirement("HTTP-37")
@pytest.mark.asyncio
async def test_while_a_sync_stands_still_no_response_begins(tmp_path: Path) -> None:
    async with watched(tmp_path / "node") as node:
        node.disk.hold()
        first = node.send()
        await asyncio.to_thread(node.disk.held.wait, 20)
        others = [node.send() for _ in range(READERS - 1)]
        await asyncio.sleep(HELD_S)
        assert node.bytes_seen() == 0
        synced = node.disk.count("sync", "wal")
        node.disk.release()
        results = await asyncio.gather(first, *others)
        assert {reply.status for reply in results} == {200}
        assert violations(node.disk.timeline) == []
        # All that waited went into a commit together, or a few; the tail of them may have been on their way.
        assert node.disk.count("sync", "wal") - synced < READERS / 2


@pytest.mark.parametrize("mode", ["off", "normal"])
@pytest.mark.asyncio
async def test_the_check_bites_where_commits_are_not_synced(
    tmp_path: Path, mode: str, weaken: Callable[[str], None]
) -> None:
    weaken(mode)
    async with watched(tmp_path / "node") as node:
        assert node.house.node.store._writer.pragma("synchronous") == {"off": 0, "normal": 1}[mode]
        await node.send()
        await asyncio.gather(*(node.send() for _ in range(READERS)))
        assert len(violations(node.disk.timeline)) == 1 + READERS
        node.disk.hold()
        async with asyncio.timeout(20):
            assert (await node.send()).status == 200  # comes though no sync has returned
        node.disk.release()
        wrong = len(violations(node.disk.timeline))
        count = await take_turns(node)
        assert len(violations(node.disk.timeline)) == wrong + count
