"""A grant that was changed hundreds of times: the vendor takes up what it does not hold yet, and no more."""

from __future__ import annotations

import asyncio
import json
import re

import pytest
from freehold_node.drafts import Choice
from freehold_node.inspection import _PART_BYTES
from freehold_protocol.encoding import Document
from freehold_protocol.errors import TooLargeError
from freehold_protocol.permission import Permission
from freehold_vendor import Access, PendingRequest
from vendor_scene import GIVEN, Liar, Passing, Scene, grant_id

pytestmark = pytest.mark.asyncio
GIVEN_PERMISSIONS = tuple(map(Permission.from_dict, GIVEN))


async def narrow(scene: Scene, grant: str, *, times: int) -> None:
    """Let the person shorten a grant by a second, so many times; it is what the dashboard would do."""
    relations = scene.house.node.relations
    ends_s = (await scene.house.node.inspection.standing(grant)).expires_s
    for sooner in range(1, times + 1):
        choice = Choice(permissions=GIVEN_PERMISSIONS, expires_s=ends_s - sooner)
        draft = await relations.draft_change(grant, "narrow", choice)
        await relations.change(grant, draft.digest)


def asked_for(liar: Liar) -> list[int]:
    """The versions after which the vendor asked, and that no answer was over its size."""
    found = [(re.search(r"/g/[0-9a-f-]+\?from=(\d+)$", one.path), one) for one in liar.between.log]
    for match, one in found:
        if match:
            versions = json.loads(one.body)["versions"]
            assert sum(len(json.dumps(version)) for version in versions[:-1]) <= _PART_BYTES * 1.1
    return [int(match[1]) for match, _ in found if match]


@pytest.mark.requirement("HTTP-60")
async def test_four_hundred_versions(liar: Liar) -> None:
    access = await liar.relate()
    assert await asked(access) == 1
    await narrow(liar, grant_id(access), times=399)
    assert await asked(access) == 400
    first, *later = asked_for(liar)[1:]
    assert first == 1
    assert later == sorted(set(later))
    assert 2 <= len(later) < 20  # in parts, since they do not fit into one answer
    liar.between.log.clear()
    await narrow(liar, grant_id(access), times=1)
    assert await asked(access) == 401
    assert asked_for(liar) == [400]
    assert (await access.read("delivery")).records

    pending = PendingRequest(liar.vendor._outside, liar.vendor._taken, access._holder.held)  # type: ignore[arg-type]
    assert await pending.decision() is access


async def asked(access: Access) -> int:
    standing = await access.refresh()
    assert access.receipt is not None
    assert access.receipt.verify().version == standing.version == len(access.receipt.versions)
    return standing.version


async def test_a_vendor_that_looks_late_takes_up_all_of_them(liar: Liar) -> None:
    pending = await liar.ask()
    grant = await liar.approve(pending, GIVEN)
    await narrow(liar, grant, times=149)
    access = await pending.decision()
    assert access.standing is not None
    assert access.standing.version == 150
    assert asked_for(liar) != []
    assert (await access.read("delivery")).records


async def test_several_look_at_once(liar: Liar) -> None:
    access = await liar.relate()
    await narrow(liar, grant_id(access), times=120)
    standings = await asyncio.gather(*(access.refresh() for _ in range(3)))
    assert {standing.version for standing in standings} == {121}
    assert await asked(access) == 121


async def test_a_look_that_is_overtaken_sets_nothing_back(liar: Liar) -> None:
    access = await liar.relate()
    asked_first, may_go_on = asyncio.Event(), asyncio.Event()
    ask, waits = access._holder._ask, iter([True])

    async def slow(query: str, *, at: str | None) -> Document:
        found = await ask(query, at=at)
        if next(waits, False):
            asked_first.set()
            await may_go_on.wait()
        return found

    access._holder._ask = slow  # type: ignore[method-assign]
    await narrow(liar, grant_id(access), times=1)
    first = asyncio.create_task(access.refresh())
    await asked_first.wait()
    await narrow(liar, grant_id(access), times=2)
    assert (await access.refresh()).version == 4
    may_go_on.set()
    assert (await first).version == 4


async def test_more_versions_than_any_answer_has_are_not_looked_at(liar: Liar) -> None:
    access = await liar.relate()

    def lie(passing: Passing) -> None:
        told = json.loads(passing.body)
        if "versions" in told:
            passing.body = json.dumps({**told, "versions": [{}] * 201}).encode()

    liar.between.lie = lie
    with pytest.raises(TooLargeError):
        await access.refresh()


async def test_what_the_node_is_asked_for(scene: Scene) -> None:
    access = await scene.relate()
    await narrow(scene, grant_id(access), times=2)
    path = f"/g/{grant_id(access)}"
    key = scene.vendor.identity.key

    async def look(query: str) -> tuple[int, list[int] | str | None]:
        reply = await scene.house.signed(key, "GET", path + query)
        if reply.status != 200:
            return reply.status, reply.code
        told = reply.json
        assert told.keys() == {"receipt" if not query else "versions", "checkpoint", "statements"}
        versions = told["receipt"]["versions"] if not query else told["versions"]
        return reply.status, [version["version"] for version in versions]

    assert await look("") == (200, [1, 2, 3])
    assert await look("?from=0") == (200, [1, 2, 3])
    assert await look("?from=1") == (200, [2, 3])
    assert await look("?from=3") == (200, [])
    for query in ("?from=4", "?from=-1", "?from=x", "?from=", "?from=1e1", "?from=99999999999999999999"):
        assert await look(query) == (400, "malformed"), query
    stranger = await scene.house.signed(scene.house.key(), "GET", path + "?from=x")
    assert stranger.code == "not-found"
