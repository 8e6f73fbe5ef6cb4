"""The owner's lists, a page at a time: order, places, what is sought, and the numbers beside a page."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from ..cast.doors import NOBODYS
from ..cast.stage import Asked, Stage
from ..check import Topic, expect, expect_equal, expect_problem
from ..hands.encoding import Document
from ..hands.keys import Key

topic = Topic()


async def pages(stage: Stage, path: str, name: str, query: Mapping[str, str], *, limit: int) -> list[Any]:
    """Return what a list has, page by page, each of which has to be full but the last."""
    found: list[Any] = []
    after: dict[str, str] = {}
    while True:
        page = await stage.owner.do("GET", f"{path}?{query_of({**query, 'limit': str(limit), **after})}")
        more = "next" in page
        expect(len(page[name]) <= limit, f"{len(page[name])} on a page of {limit}")
        expect(
            len(page[name]) == limit or not more, f"{len(page[name])} on a page of {limit}, and more follow"
        )
        found += page[name]
        if not more:
            expect(not found or bool(page[name]), "a page that was announced has nothing")
            return found
        after = {"after": str(page["next"])}


def query_of(values: Mapping[str, str]) -> str:
    """Return a query with everything escaped that can be."""
    return "&".join(f"{name}={quote(value, safe='')}" for name, value in values.items())


# Records

_NAMES: Final = ("delta", "alpha", "echo", "bravo", "golf", "charlie", "foxtrot")
_ORDERS: Final = {
    "first": list(_NAMES), "newest": list(_NAMES[::-1]), "name": sorted(_NAMES),
}  # fmt: skip


async def _named(stage: Stage) -> tuple[str, dict[str, str]]:
    """Return a text that these records alone are called by, and the id of each by the rest of its name."""
    tag = "list" + secrets.token_hex(8)
    ids = {}
    for name in _NAMES:
        ids[name] = await stage.owner.add({"type": "Person", "name": f"{tag} {name}"})
    return tag, ids


def _rest(records: list[Document]) -> list[str]:
    return [str(one["label"]).rpartition(" ")[2] for one in records]


@topic.check(
    "HTTP-75", cases={f"{order}-by-{limit}": (order, limit) for order in _ORDERS for limit in (1, 3, 7, 8)}
)
async def records_come_in_their_order_page_by_page(stage: Stage, case: tuple[str, int]) -> None:
    """Pages of each size have all records once, in the order that was asked for, and say whether more follow."""
    order, limit = case
    tag, _ = await stage.once("named records", lambda: _named(stage))
    found = await pages(stage, "/records", "records", {"q": tag, "order": order}, limit=limit)
    expect_equal(_rest(found), _ORDERS[order], f"records by {order}")


@topic.check("HTTP-75")
async def without_an_order_the_first_come_first(stage: Stage) -> None:
    """Records come in the order in which they first appeared, also those that were edited since."""
    tag, ids = await _named(stage)
    await stage.owner.edit(ids["alpha"], {"type": "Person", "name": f"{tag} alpha", "email": "a@example.com"})
    for more in ({}, {"order": ""}, {"order": "first"}):
        found = await pages(stage, "/records", "records", {"q": tag, **more}, limit=3)
        expect_equal(_rest(found), list(_NAMES), "records")
    newest = await pages(stage, "/records", "records", {"q": tag, "order": "newest"}, limit=3)
    expect_equal(_rest(newest), list(_NAMES[::-1]), "the newest records")


@topic.check("HTTP-75", cases={order: order for order in _ORDERS})
async def a_page_goes_on_whatever_changes_meanwhile(stage: Stage, order: str) -> None:
    """The next page begins after the last record of the page before, also if that was deleted and others were added."""
    tag, ids = await _named(stage)
    query = {"q": tag, "order": order, "limit": "3"}
    first = await stage.owner.do("GET", f"/records?{query_of(query)}")
    seen = _rest(first["records"])
    expect_equal(seen, _ORDERS[order][:3], "the first page")
    for gone in (seen[0], seen[2]):
        await stage.owner.delete(ids[gone])
    edited = _ORDERS[order][4]
    await stage.owner.edit(
        ids[edited], {"type": "Person", "name": f"{tag} {edited}", "email": "a@example.com"}
    )
    for name in ("aaaa", "zzzz"):
        await stage.owner.add({"type": "Person", "name": f"{tag} {name}"})
    new = {"first": ["aaaa", "zzzz"], "newest": [], "name": ["zzzz"]}[order]
    wanted, found = [*_ORDERS[order][3:], *new], list[str]()
    after = str(first["next"])
    while after:
        page = await stage.owner.do("GET", f"/records?{query_of({**query, 'after': after})}")
        found += _rest(page["records"])
        after = str(page.get("next", ""))
    expect_equal(found, wanted, "the pages after that")


_CALLED: Final = "{tag} 50% of A_b \u00c4rger"
_FINDS: Final = {
    "begins": ("{tag}", True), "middle": ("50% of", True), "ends": ("\u00c4rger", True), "lower": ("a_B", True),
    "accent-in-small": ("\u00e4RGER", True), "sign": ("0%", True), "any-letters": ("5%f", False),
    "any-letter": ("A__", False), "star": ("50*", False), "point": ("A.b", False), "two-parts": ("50% A_b", False),
    "longer": ("\u00c4rgern", False),
}  # fmt: skip


@topic.check("HTTP-76", cases=_FINDS)
async def a_record_is_found_by_any_part_of_its_label(stage: Stage, case: tuple[str, bool]) -> None:
    """A text finds the records in whose label it stands as it is, without regard to case, and no others."""
    part, found = case
    tag = secrets.token_hex(8)
    record = await stage.owner.add({"type": "Person", "name": _CALLED.format(tag=tag)})
    other = await stage.owner.add({"type": "Person", "name": secrets.token_hex(8)})
    listed = await pages(stage, "/records", "records", {"q": part.format(tag=tag)}, limit=1000)
    expect_equal(record in [one["id"] for one in listed], found, f"whether {part!r} finds the record")
    expect(other not in [one["id"] for one in listed], f"{part!r} finds another record")
    await stage.owner.delete(record)


@topic.check("HTTP-76")
async def records_are_of_the_type_that_is_sought(stage: Stage) -> None:
    """A type narrows to its records, together with a text; and what is empty is as if it were not there."""
    tag = secrets.token_hex(8)
    person = await stage.owner.add({"type": "Person", "name": f"{tag} one"})
    order = await stage.owner.add({"type": "Order", "orderNumber": tag})
    for query, wanted in (
        ({"q": tag}, [person, order]), ({"q": tag, "type": "Person"}, [person]), ({"q": tag, "type": "Order"}, [order]),
        ({"q": tag, "type": ""}, [person, order]), ({"q": tag, "type": "", "order": "", "after": ""}, [person, order]),
        ({"q": tag + "x", "type": "Person"}, []),
    ):  # fmt: skip
        found = await pages(stage, "/records", "records", query, limit=5)
        expect_equal([one["id"] for one in found], wanted, "what is found")
    whole = await pages(stage, "/records", "records", {"q": "", "type": "Order"}, limit=1000)
    expect(order in [one["id"] for one in whole], "an empty text finds nothing")
    expect(all(one["type"] == "Order" for one in whole), "a record of another type")


@topic.check("HTTP-68", alone=True)
async def records_are_counted_by_their_type(stage: Stage) -> None:
    """The types are told with their numbers, the most first, and every record is counted once."""

    async def counted() -> dict[str, int]:
        told = await stage.owner.do("GET", "/records/types")
        expect_equal(sorted(told), ["count", "types"], "members")
        counts = [one["count"] for one in told["types"]]
        expect_equal(
            (sum(counts), sorted(counts, reverse=True)), (told["count"], counts), "the sum and the order"
        )
        status = await stage.owner.do("GET", "/status")
        expect_equal(told["count"], status["records"], "the number of records")
        return {one["type"]: one["count"] for one in told["types"]}

    await stage.person(name="Ada")
    before = await counted()
    order = await stage.owner.add({"type": "Order", "orderNumber": secrets.token_hex(8)})
    with_order = await counted()
    expect_equal(with_order, before | {"Order": before.get("Order", 0) + 1}, "numbers with an order more")
    await stage.owner.delete(order)
    expect_equal(await counted(), before, "numbers without it")


# Requests and grants

_SHOPS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shops:
    """Vendors by one name, each of which asked once; ``tag`` is in the name of these alone."""

    tag: str
    asked: tuple[Asked, ...]

    @property
    def ids(self) -> list[str]:
        """The requests, newest first."""
        return [one.id for one in reversed(self.asked)]


async def _shops(stage: Stage) -> _Shops:
    tag = secrets.token_hex(8)
    shown = await stage.person(name="Ada", email="ada@example.com")
    asked = []
    for number in range(_SHOPS):
        key = Key.fresh()
        named: Document = {"id": key.did, "type": "Organization", "name": f"Caf\u00e9 {tag} N_{number}"}
        wanted = [shown.permission("delivery", ["name", "email"]), shown.permission("news", ["email"])]
        asked.append(await stage.ask(key, wanted, assignee=named))
    return _Shops(tag=tag, asked=tuple(asked))


async def _requests(stage: Stage, query: Mapping[str, str], *, limit: int = 2) -> list[str]:
    return [one["id"] for one in await pages(stage, "/requests", "requests", query, limit=limit)]


@topic.check("HTTP-75", "HTTP-76", cases={str(limit): limit for limit in (1, 2, 6, 7)})
async def requests_come_newest_first_page_by_page(stage: Stage, limit: int) -> None:
    """Pages of each size have all requests once, the newest first."""
    shops = await stage.once("shops of lists", lambda: _shops(stage))
    expect_equal(await _requests(stage, {"q": shops.tag}, limit=limit), shops.ids, "requests")


def _texts(name: str, key: Key) -> Mapping[str, tuple[str, bool]]:
    return {
        "the whole name": (name, True), "a part in capitals": (name[2:].upper(), True), "its DID": (key.did, True),
        "a part of its DID": (key.did[9:30], False), "the beginning of its DID": (key.did[:-1], False),
        "any letters": (f"{name[:4]}%", False), "any letter": (name.replace("N_", "N__"), False),
    }  # fmt: skip


@topic.check("HTTP-76")
async def requests_and_grants_are_found_by_their_vendor(stage: Stage) -> None:
    """A request and a grant are found by any part of the vendor's name and by its whole DID, and by nothing else."""
    shops = await _shops(stage)
    one = shops.asked[0]
    grant = await stage.owner.approve(one.id, one.request["permission"])
    for what, (text, found) in _texts(one.request["assignee"]["name"], one.key).items():
        expect_equal(
            one.id in await _requests(stage, {"q": text}, limit=200), found, f"whether {what} finds a request"
        )
        grants = await pages(stage, "/grants", "grants", {"q": text}, limit=200)
        expect_equal(grant in [each["id"] for each in grants], found, f"whether {what} finds a grant")


@topic.check("HTTP-75", "HTTP-76")
async def requests_are_of_the_status_that_is_sought(stage: Stage) -> None:
    """A status narrows; a page goes on after a request that was decided meanwhile; what is empty is not there."""
    shops = await _shops(stage)
    newest = shops.ids
    await stage.owner.refuse(newest[1])
    await stage.owner.approve(newest[4], shops.asked[1].request["permission"])
    for status, wanted in (
        ("waiting", [newest[0], newest[2], newest[3], newest[5]]), ("refused", [newest[1]]), ("approved", [newest[4]]),
        ("", newest),
    ):  # fmt: skip
        found = await _requests(stage, {"status": status, "q": shops.tag, "after": ""})
        expect_equal(found, wanted, f"requests of status {status!r}")
    query = {"status": "waiting", "q": shops.tag, "limit": "2"}
    first = await stage.owner.do("GET", f"/requests?{query_of(query)}")
    await stage.owner.refuse(newest[2])  # the one at which the page ended
    rest = await stage.owner.do("GET", f"/requests?{query_of({**query, 'after': first['next']})}")
    expect_equal([one["id"] for one in rest["requests"]], [newest[3], newest[5]], "the next page")
    expect("next" not in rest, "more than there is")


@topic.check("HTTP-68", "HTTP-75", "HTTP-76")
async def grants_are_listed_in_a_line_each(stage: Stage) -> None:
    """A page of grants tells of each how it stands, newest first, by state; also after one was paused meanwhile."""
    shops = await _shops(stage)
    ids: list[str] = []
    for one in shops.asked[:5]:
        ids.insert(0, await stage.owner.approve(one.id, one.request["permission"]))
    holder = await shops.asked[4].holder()
    await holder.read("delivery")
    less = [dict(shops.asked[3].request["permission"][0])]
    await stage.owner.change(ids[1], "narrow", permissions=less)
    await stage.owner.change(ids[2], "end")
    listed = await pages(stage, "/grants", "grants", {"q": shops.tag}, limit=2)
    expect_equal([one["id"] for one in listed], ids, "grants")
    both = [
        {"permission": "delivery", "fields": ["name", "email"]},
        {"permission": "news", "fields": ["email"]},
    ]
    for line in listed:
        whole = await stage.owner.grant(line["id"])
        same = ("id", "vendor", "state", "version", "expires", "entries")
        expect_equal({name: line[name] for name in same}, {name: whole[name] for name in same}, "a line")
        expect_equal(line.get("lastRead"), whole.get("lastRead"), "lastRead")
        expect_equal(set(line) - {*same, "gives", "lastRead"}, set(), "members besides")
    gives = {one["id"]: one["gives"] for one in listed}
    expect_equal((gives[ids[0]], gives[ids[1]]), (both, both[:1]), "what is given, as it stands")
    expect(listed[0].get("lastRead") is not None, "a read that does not show")
    for state, wanted in (
        ("live", [ids[0], ids[1], ids[3], ids[4]]),
        ("ended", [ids[2]]),
        ("expired", []),
        ("", ids),
    ):
        found = await pages(
            stage, "/grants", "grants", {"state": state, "q": shops.tag, "after": ""}, limit=3
        )
        expect_equal([one["id"] for one in found], wanted, f"grants that are {state!r}")
    query = {"state": "live", "q": shops.tag, "limit": "2"}
    first = await stage.owner.do("GET", f"/grants?{query_of(query)}")
    await stage.owner.change(ids[1], "pause")
    rest = await stage.owner.do("GET", f"/grants?{query_of({**query, 'after': first['next']})}")
    expect_equal([one["id"] for one in rest["grants"]], ids[3:], "the next page")
    expect("next" not in rest, "more than there is")


@topic.check("HTTP-77", alone=True)
async def the_numbers_are_of_all(stage: Stage) -> None:
    """The numbers beside a page are those of all requests and grants, whatever the page is of."""
    shops = await _shops(stage)
    await stage.owner.refuse(shops.asked[0].id)
    grant = await stage.owner.approve(shops.asked[1].id, shops.asked[1].request["permission"])
    await stage.owner.change(grant, "pause")
    for path, name, kind, kinds in (
        ("/requests", "requests", "status", ("waiting", "approved", "refused")),
        ("/grants", "grants", "state", ("live", "paused", "ended", "expired")),
    ):
        whole = (await stage.owner.do("GET", path))[name]
        wanted = {one: sum(each[kind] == one for each in whole) for one in kinds}
        for query in ({"limit": "1"}, {"limit": "2", kind: kinds[1]}, {"q": shops.tag}, {"q": NOBODYS}):
            page = await stage.owner.do("GET", f"{path}?{query_of(query)}")
            expect_equal(page["counts"], wanted, f"the numbers beside {name}")


# Bounds

_BAD: Final[Mapping[str, tuple[str, ...]]] = {
    "/records": ("order=last", "order=NAME", "after=x", "after=-1", "limit=x", "limit=-1", "limit=01", "q=%00",
                 "q=" + "a" * 101, "after=1.5"),
    "/requests": ("status=lost", "status=Waiting", "limit=1.0", "limit=2&after=x", f"after={NOBODYS}", "q=%00",
                  "q=" + "a" * 301),
    "/grants": ("state=lost", "state=Live", "limit=%2B1", "limit=2&after=x", f"after={NOBODYS}", "q=%00",
                "q=" + "a" * 301),
    "/activity": ("outcome=lost", "since=yesterday", "since=2026-11-23", "until=1", "permission=A%20b", "limit=x",
                  "limit=1e1", "after=x", "after=1.2", "vendor=%00", "field=" + "a" * 513),
    "/activity/timeline": ("outcome=lost", "since=yesterday", "buckets=x", "buckets=-1", "buckets=1.5", "vendor=%00",
                           "since=2026-11-23T00:00:00Z&until=2026-11-22T00:00:00Z"),
}  # fmt: skip


@topic.check("HTTP-76", "HTTP-75", "HTTP-69", cases={path: path for path in _BAD})
async def a_parameter_that_is_not_of_its_form_is_refused(stage: Stage, path: str) -> None:
    """A parameter that is not of its form, and a place that the list does not have, are malformed."""
    await stage.owner.do("GET", path)
    for query in _BAD[path]:
        answer = await stage.owner.send("GET", f"{path}?{query}")
        try:
            expect_problem(answer, *((413, "too-large") if len(query) > 100 else (400, "malformed")))
        except Exception as error:
            raise type(error)(f"{query[:40]}: {error}") from error


_LISTS: Final = {
    "records": ("/records", 1000), "requests": ("/requests", 200), "grants": ("/grants", 200),
    "entries": ("/activity", 200),
}  # fmt: skip


@topic.check("HTTP-75", cases={name: name for name in _LISTS})
async def a_page_has_one_at_least_and_no_more_than_the_most(stage: Stage, name: str) -> None:
    """A limit of 0 counts as 1, and one beyond the most as the most; there is a next page if more follow."""
    path, most = _LISTS[name]
    for _ in range(2):  # two of everything
        await stage.relate([(await stage.person(name="Ada")).permission("delivery", ["name"])])
    least = await stage.owner.do("GET", f"{path}?limit=0")
    expect_equal((len(least[name]), "next" in least), (1, True), "on a page of 0, and whether more follow")
    for limit in (most, most + 1, 10**18 - 1):
        page = await stage.owner.do("GET", f"{path}?limit={limit}")
        expect(1 < len(page[name]) <= most, f"{len(page[name])} with a limit of {limit}")
        expect(
            len(page[name]) == most or "next" not in page,
            f"{len(page[name])} with a limit of {limit}, and more",
        )
