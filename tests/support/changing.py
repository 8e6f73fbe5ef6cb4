"""Write to a person's records as the owner would, and see what a grant is to be told of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from freehold_node.events import is_due
from freehold_node.sealing import open_sealed
from freehold_node.store.rows import EventRow
from freehold_protocol.canonical import jcs
from freehold_protocol.encoding import Document
from harness import PASSPHRASE, House, TestClock
from shop import keys_of

Write = Callable[[House], Awaitable[Any]]


def clock_of(house: House) -> TestClock:
    assert house.clock is not None
    return house.clock


async def record_of(house: House, label: str) -> tuple[str, Document]:
    listed = (await house.own("GET", "/records?limit=1000"))["records"]
    found = {one["label"]: one["id"].removeprefix("urn:uuid:") for one in listed}[label]
    return found, await house.own("GET", f"/records/{found}")


async def edit(house: House, label: str = "Ada Example", **members: Any) -> None:
    """Edit a record; a member that is None goes."""
    record, seen = await record_of(house, label)
    content = {name: value for name, value in (seen["content"] | members).items() if value is not None}
    await house.own("PUT", f"/records/{record}", {"content": content, "previous": seen["cid"]})


def editing(label: str = "Ada Example", **members: Any) -> Write:
    return lambda house: edit(house, label, **members)


def adding(**content: Any) -> Write:
    return lambda house: house.own("POST", "/records", {"content": content})


def deleting(label: str) -> Write:
    async def delete(house: House) -> None:
        record, _ = await record_of(house, label)
        assert (await house.owner("DELETE", f"/records/{record}")).status == 204

    return delete


def choosing(label: str) -> Write:
    async def choose(house: House) -> None:
        record, _ = await record_of(house, label)
        await house.own("PUT", "/self", {"record": "urn:uuid:" + record, "passphrase": PASSPHRASE})

    return choose


def importing(data: bytes, me: str | None = None, *, switch: bool = False) -> Write:
    return lambda house: house.import_file(data, me=me, switch=switch)


async def rows_of(house: House, grant: str) -> list[EventRow]:
    return await house.node.store.read(lambda reader: reader.events(house.node.owner, grant))


async def waiting_s(house: House, grant: str) -> list[float]:
    """Return in how many seconds each event falls due that is not due yet."""
    now_us = house.node.ambient.clock.now_us()
    return [(row.due_us - now_us) / 1e6 for row in await rows_of(house, grant) if not is_due(row, now_us)]


async def opened(house: House, grant: str, last_id: str | None, scope: str | None) -> int | None:
    """Return the position in an id, which only the node can."""
    keys = await keys_of(house, grant)
    bound = jcs(["events", grant, scope, keys.generation_tag(1)])
    plain = open_sealed(keys.cursor, last_id or "", bound=bound)
    return None if plain is None else int.from_bytes(plain, "big")
