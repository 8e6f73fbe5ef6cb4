"""Lists a page at a time: what is sought and nothing else, on pages that miss nothing and repeat nothing."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from freehold_node.app import DATABASE, open_node
from freehold_node.labels import sought_form
from freehold_protocol.encoding import Document
from harness import PASSPHRASE, House, open_house, permission
from shop import MARKETING, shop

CONTACT = permission("contact", ["name", "email"], purpose="dpv:Marketing")
NAMES = ("Zoe Example", "ÄRZTEHAUS Nord", "ada Lovelace", "Straße 7", "Ada Example", "Łukasz")


async def pages(house: House, path: str, name: str, *, limit: int = 2) -> list[Document]:
    found: list[Document] = []
    after, sign = "", "&" if "?" in path else "?"
    while True:
        page = await house.own("GET", f"{path}{sign}limit={limit}{after}")
        assert len(page[name]) <= limit
        found += page[name]
        if "next" not in page:
            return found
        after = "&after=" + quote(str(page["next"]))


@pytest.mark.requirement("HTTP-75", "HTTP-76")
@pytest.mark.asyncio
async def test_records_by_type_and_by_what_they_are_called(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        for name in NAMES:
            await house.own("POST", "/records", {"content": {"type": "Person", "name": name}})
        await house.own("POST", "/records", {"content": {"type": "Order", "orderNumber": "ada-17"}})
        ada, order = ["ada Lovelace", "Ada Example"], "Order ada-17"
        by_name = ["Ada Example", "ada Lovelace", "Straße 7", "Zoe Example", "ÄRZTEHAUS Nord", "Łukasz"]
        table: list[tuple[str, list[str]]] = [
            ("", [*NAMES, order]),
            ("order=newest", [order, *reversed(NAMES)]),
            ("order=name&type=Person", by_name),
            ("type=Order", [order]),
            ("q=ADA", [*ada, order]),
            ("q=ada&type=Person&order=newest", [*reversed(ada)]),
            ("q=ada&type=&order=name", ["Ada Example", "ada Lovelace", order]),
            ("q=" + quote("ärzte"), ["ÄRZTEHAUS Nord"]),
            ("q=STRASSE", ["Straße 7"]),
            ("q=%25", []),
            ("type=Nothing", []),
        ]
        for query, expected in table:
            found = await pages(house, f"/records?{query}", "records")
            assert [one["label"] for one in found] == expected, query
        types = await house.own("GET", "/records/types")
        assert types == {"types": [{"type": "Person", "count": 6}, {"type": "Order", "count": 1}], "count": 7}
        fewest = await house.own("GET", "/records?limit=0&type=&q=&after=&order=")
        assert [one["label"] for one in fewest["records"]] == [NAMES[0]]
        assert fewest["next"] == 1
        for query in ("order=oldest", "after=x", "order=name&after=1.%2B", "order=name&after=1._w", "q=%00"):
            assert (await house.owner("GET", f"/records?{query}")).status == 400, query


@pytest.mark.requirement("HTTP-75")
@pytest.mark.asyncio
async def test_what_changes_between_two_pages_is_neither_missed_nor_repeated(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        ids = []
        for name in ("Ada", "Bob", "Cid", "Dot"):
            made = await house.own("POST", "/records", {"content": {"type": "Person", "name": name}})
            ids.append(made["id"].removeprefix("urn:uuid:"))
        for order in ("name", "newest"):
            first = await house.own("GET", f"/records?order={order}&limit=2")
            gone = first["records"][-1]["id"].removeprefix("urn:uuid:")
            await house.own("DELETE", f"/records/{gone}")  # the very one that the page ended with
            new = await house.own("POST", "/records", {"content": {"type": "Person", "name": "Aaron"}})
            rest = await house.own("GET", f"/records?order={order}&after={quote(str(first['next']))}")
            seen = [one["label"] for one in first["records"] + rest["records"]]
            assert len(seen) == len(set(seen))
            assert "Aaron" not in seen
            await house.own("DELETE", "/records/" + new["id"].removeprefix("urn:uuid:"))
        known = {one["label"] for one in (await house.own("GET", "/records"))["records"]}
        assert known == {"Ada", "Dot"}


@pytest.mark.asyncio
async def test_the_list_says_where_a_record_came_from(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        await shop(house)
        [record] = (await house.own("GET", "/records"))["records"]
        source = {name: record["source"][name] for name in ("type", "file", "format")}
        assert source == {"type": "SourceFile", "file": "book.vcf", "format": "vCard"}
        shown = await house.own("GET", "/records/" + record["id"].removeprefix("urn:uuid:"))
        assert shown["record"]["source"] == record["source"]
        assert shown["record"]["created"] == record["changed"]


@pytest.mark.asyncio
async def test_records_from_before_are_named_when_the_node_opens(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        await house.own("POST", "/records", {"content": {"type": "Person", "name": "ÄRZTEHAUS"}})
        node = house.node
        await node.store.write(
            lambda tx: tx._execute("UPDATE record SET sought = NULL")  # type: ignore[attr-defined]
        )
        assert await pages(house, "/records?q=" + quote("ärzte"), "records") == []
        version = (await node.store.read(lambda reader: reader.owner(node.owner))).records_version  # type: ignore[union-attr]
        config, keys = node.config, node._keys
    async with open_node(config, keys) as again:
        rows = await again.store.read(lambda reader: reader.records_at(again.owner, [1]))
        assert rows[0].sought == sought_form("Ärztehaus")
        owner = await again.store.read(lambda reader: reader.owner(again.owner))
        assert owner is not None
        assert owner.records_version == version


@pytest.mark.requirement("HTTP-75", "HTTP-76", "HTTP-77")
@pytest.mark.asyncio
async def test_requests_and_grants_by_state_and_vendor(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        first = await shop(house)
        await first.get("/delivery/records")
        names = ["Book Shop", "BÜCHER am Markt", "Cheese Shop"]
        grants = [(await house.relate([CONTACT], name=name)).grant for name in names]
        await house.change(grants[0], "pause")
        await house.ask(house.key(), [MARKETING], name="Asking Shop")
        whole = (await house.own("GET", "/grants"))["grants"]
        order = [one["id"] for one in whole]
        table: list[tuple[str, list[str]]] = [
            ("q=", order),
            ("state=live", [one for one in order if one != grants[0]]),
            ("state=paused", [grants[0]]),
            ("state=ended", []),
            ("q=shop", [one for one in order if one != grants[1]]),
            ("q=" + quote("bücher"), [grants[1]]),
            ("q=shop&state=paused", [grants[0]]),
            ("q=" + quote(first.key.did), [first.grant]),
            ("q=did:key:z6Mk", []),
        ]
        for query, expected in table:
            found = await pages(house, f"/grants?{query}", "grants", limit=1)
            assert [one["id"] for one in found] == expected, query
        page = await house.own("GET", "/grants?q=shop&state=ended")
        assert page["counts"] == {"live": 3, "paused": 1, "ended": 0, "expired": 0}
        [line] = (await house.own("GET", "/grants?q=test"))["grants"]
        [full] = [one for one in whole if one["id"] == first.grant]
        assert line["gives"] == [
            {"permission": "delivery", "fields": ["name", "address.postalCode"]},
            {"permission": "marketing", "fields": ["email"]},
        ]
        assert {name: full[name] for name in line if name != "gives"} == {
            name: line[name] for name in line if name != "gives"
        }
        for query, count in (
            ("limit=2", 5),
            ("q=asking", 1),
            ("status=approved&q=shop", 3),
            ("status=refused", 0),
        ):
            found = await pages(house, f"/requests?{query}".replace("limit=2", "q="), "requests")
            assert len(found) == count, query
        page = await house.own("GET", "/requests?limit=1")
        assert page["counts"] == {"waiting": 1, "approved": 4, "refused": 0}
        assert set(await house.own("GET", "/requests")) == {"requests"}
        for path in ("/grants?state=dead", "/grants?after=x", "/requests?after=x", "/grants?limit=-1"):
            assert (await house.owner("GET", path)).status == 400, path


@pytest.mark.asyncio
async def test_the_status_says_what_the_node_takes(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        await shop(house)
        status = await house.own("GET", "/status")
        size = (tmp_path / "node" / DATABASE).stat().st_size
        assert status["entries"] == 1
        assert status["storage"]["database"] >= size > 0
        assert status["storage"]["log"] > 0
        assert PASSPHRASE not in str(status)
