"""The query of a read, its pages and cursors, tags, and reads without a body."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from ..cast import book
from ..cast.holder import Holder
from ..cast.stage import Stage
from ..check import Topic, expect, expect_equal, expect_problem, expect_status, object_of
from ..hands.encoding import base64url, from_base64url
from ..wire import Answer
from .ledger_admitted import entry_of
from .released import alias_of
from .selected import Circle, names_of, query_of

topic = Topic()

_NAMES: Final = [f"Bea {number:03}" for number in range(107)]


async def _make(stage: Stage) -> tuple[Circle, Holder]:
    circle = Circle.draw(stage)
    for number, name in enumerate(_NAMES):
        await circle.add(name, email=f"{name[-3:]}@example.com", gender="f" if number % 2 else "x")
    fields = ["name", "email", "gender"]
    given = [circle.permission(circle.item(fields), name=name) for name in ("delivery", "news")]
    return circle, await stage.relate(given)


async def _many(stage: Stage) -> Holder:
    return (await stage.once("many records", lambda: _make(stage)))[1]


# Form

_FAR: Final = "%2C".join(["name"] * 65)
_BAD: Final[Mapping[str, tuple[str, int, tuple[str, ...]]]] = {
    name: (query, 400, ("malformed",))
    for name, query in {
        "unknown-key": "page=2", "unknown-key-beside": "limit=2&sort=name", "other-case": "Limit=2",
        "key-alone": "fields", "no-key": "=2", "empty-part": "limit=2&", "semicolon": "limit=2;fields=name",
        "limit-zero": "limit=0", "limit-over": "limit=101", "limit-negative": "limit=-1", "limit-word": "limit=all",
        "limit-point": "limit=1.0", "limit-plus": "limit=%2B5", "limit-empty": "limit=", "limit-blank": "limit=1%20",
        "limit-far": "limit=99999999999", "limit-other-digits": "limit=%D9%A1",
        "fields-empty": "fields=", "fields-comma": "fields=name,", "fields-star": "fields=*",
        "fields-of-keeping": "fields=id", "fields-of-proof": "fields=proof.created", "fields-dot": "fields=name.",
        "not-utf-8": "fields=%FF", "nine-keys": "&".join(f"k{number}=1" for number in range(9)),
        "where-no-json": "where=name", "where-empty": "where=", "where-array": "where=%5B%5D",
        "where-text": "where=%22name%22", "where-of-null": query_of({"name": None}),
        "where-of-object": query_of({"name": {}}), "where-of-array": query_of({"name": ["a"]}),
        "where-of-infinity": "where=%7B%22height%22%3A1e999%7D", "where-of-nan": "where=%7B%22height%22%3ANaN%7D",
        "where-of-keeping": query_of({"id": "x"}),
    }.items()
} | {
    "limit-twice": ("limit=2&limit=2", 400, ("duplicate-key",)),
    "fields-twice": ("fields=name&limit=2&fields=name", 400, ("duplicate-key",)),
    "escaped-twice": ("limit=2&%6Cimit=2", 400, ("duplicate-key",)),
    "where-names-twice": ("where=%7B%22name%22%3A%22a%22%2C%22name%22%3A%22b%22%7D", 400, ("duplicate-key",)),
    "no-such-term": ("fields=shoeSize", 400, ("undefined-term",)),
    "no-such-term-beside": ("fields=name,address.shoeSize", 400, ("undefined-term",)),
    "where-no-such-term": (query_of({"shoeSize": 42}), 400, ("undefined-term",)),
    "too-long": (query_of({"name": "a" * 4100}), 413, ("too-large",)),
    "too-many-fields": (f"fields={_FAR}", 413, ("too-large",)),
    "not-shown": ("fields=telephone", 403, ("not-shared",)),
    "not-shown-beside": ("fields=name,telephone", 403, ("not-shared",)),
    "not-shown-below": ("fields=name,address.postalCode", 403, ("not-shared",)),
}  # fmt: skip


@topic.check("HTTP-35", "HTTP-33", cases=_BAD)
async def a_query_of_another_form_is_refused(stage: Stage, case: tuple[str, int, tuple[str, ...]]) -> None:
    """A query that is not of its form is refused with the code that says why, by HEAD too."""
    query, status, codes = case
    vendor = await _many(stage)
    expect_problem(await vendor.get(f"/delivery/records?{query}"), status, *codes)
    answer = await vendor.get(f"/delivery/records?{query}", method="HEAD")
    expect(
        (answer.status, answer.headers.get("freehold-code")) == (status, codes[0]),
        "HEAD is refused otherwise",
    )
    expect_status(await vendor.get("/delivery/records?limit=2&fields=name"), 200)


@topic.check(
    "HTTP-35",
    cases={"limit": "limit=1", "where": query_of({"name": "Bea"}), "cursor": "cursor=a", "unknown": "page=1"},
)
async def one_record_is_asked_for_by_fields_only(stage: Stage, query: str) -> None:
    """With an alias the query may name fields, and nothing else."""
    vendor = await _many(stage)
    alias = alias_of((await vendor.read("delivery", "?limit=1"))["items"][0])
    expect_problem(await vendor.get(f"/delivery/records/{alias}?{query}"), 400, "malformed")
    answer = expect_status(await vendor.get(f"/delivery/records/{alias}?fields=name"), 200)
    expect("email" not in object_of(answer), "a field came that was not asked for")
    expect_problem(await vendor.get(f"/delivery/records/{alias}?fields=telephone"), 403, "not-shared")


@topic.check(
    "HTTP-33",
    "HTTP-30",
    cases={"no-alias": "Bea", "other": "z" + "5" * 43, "urn": "urn%3Afreehold%3A", "short": "z1"},
)
async def an_unknown_alias_is_not_found(stage: Stage, alias: str) -> None:
    """What names no record of the view is not-found for whoever may read it."""
    vendor = await _many(stage)
    known = alias_of((await vendor.read("delivery", "?limit=1"))["items"][0])
    expect_status(await vendor.get(f"/delivery/records/{known}"), 200)
    asked = alias + known if alias.startswith("urn") else alias
    expect_problem(await vendor.get(f"/delivery/records/{asked}"), 404, "not-found")


# Pages

_WALKS: Final[Mapping[str, tuple[str, int, int]]] = {
    "default": ("", 50, 107), "one": ("limit=1", 1, 5), "seven": ("limit=7", 7, 107), "most": ("limit=100", 100, 107),
    "exactly": (f"limit=27&{query_of({'gender': 'x'})}", 27, 54), "of-fields": ("limit=40&fields=name", 40, 107),
    "by-where": (f"limit=10&{query_of({'gender': 'f'})}", 10, 53),
}  # fmt: skip


@topic.check("HTTP-36", "HTTP-35", cases=_WALKS)
async def pages_follow_each_other_without_gap(stage: Stage, case: tuple[str, int, int]) -> None:
    """From ``next`` to ``next`` every record comes once, in the order in which the node knew them, to the last page."""
    query, limit, most = case
    vendor = await _many(stage)
    names = [
        name
        for number, name in enumerate(_NAMES)
        if "gender" not in query or (number % 2 == 1) == ("%22f%22" in query)
    ]
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None and len(found) < most:
        asked = "&".join(part for part in (query, f"cursor={cursor}" if cursor else "") if part)
        page = await vendor.read("delivery", f"?{asked}" if asked else "")
        expect(1 <= len(page["items"]) <= limit, f"{len(page['items'])} records on a page of {limit}")
        found += [item["name"] for item in page["items"]]
        cursor = page.get("next")
        expect((cursor is not None) == (len(found) < len(names)), "next, or its absence, at the wrong place")
    expect_equal(found, names[: len(found)], "names on all pages")
    expect(len(found) >= most, "too few records came")


@topic.check("HTTP-36")
async def a_page_may_be_of_another_length_than_the_one_before(stage: Stage) -> None:
    """A cursor holds for what it was given for, and the length of a page is no part of that."""
    vendor = await _many(stage)
    first = await vendor.read("delivery", "?limit=3")
    second = await vendor.read("delivery", f"?limit=5&cursor={first['next']}")
    expect_equal([item["name"] for item in second["items"]], _NAMES[3:8], "names on the second page")


@topic.check("HTTP-36", "GRA-13")
async def pages_go_on_while_records_come_and_change(stage: Stage) -> None:
    """A record that comes, or is edited, between two pages neither breaks the list nor moves another in it."""
    circle = Circle.draw(stage)
    ids = [await circle.add(name) for name in ("Bea", "Cyd", "Dot", "Eve")]
    vendor = await stage.relate([circle.permission(circle.item(newRecords=True))])
    first = await vendor.read("delivery", "?limit=2")
    await circle.edit(ids[0], name="Bea B")
    await circle.edit(ids[2], name="Dot D")
    await circle.add("Fay")
    second = await vendor.read("delivery", f"?limit=3&cursor={first['next']}")
    expect_equal(
        [item["name"] for item in second["items"]], ["Dot D", "Eve", "Fay"], "names on the second page"
    )
    expect_equal(await names_of(vendor), ["Bea B", "Cyd", "Dot D", "Eve", "Fay"], "all names")


# Cursors


@topic.check("HTTP-36")
async def a_cursor_says_nothing(stage: Stage) -> None:
    """Cursors of other positions are of one length, have next to nothing in common, and hold no number, name or id."""
    vendor = await _many(stage)
    cursors = [(await vendor.read("delivery", f"?limit={limit}"))["next"] for limit in (1, 2, 3, 60, 100)]
    again = (await vendor.read("delivery", "?limit=3"))["next"]
    expect_equal(again, cursors[2], "the cursor of the same page")
    raw = [from_base64url(cursor) for cursor in cursors]
    expect_equal(len({len(data) for data in raw}), 1, "lengths of the cursors")
    expect(len(raw[0]) >= 24, "a cursor too short to be sealed")
    for one in raw:
        for other in raw:
            same = sum(a == b for a, b in zip(one, other, strict=True))
            expect(one is other or same <= len(one) // 4, "two cursors have bytes in common")


Bend = Callable[[str], str]


def _flipped(at: int) -> Bend:
    def bend(cursor: str) -> str:
        data = bytearray(from_base64url(cursor))
        data[at] ^= 1
        return base64url(bytes(data))

    return bend


_BENT: Final[dict[str, Bend]] = {
    "first-bit": _flipped(0), "middle-bit": _flipped(20), "last-bit": _flipped(-1), "shorter": lambda text: text[:-4],
    "longer": lambda text: text + "AAAA", "twice": lambda text: text + text, "empty": lambda _: "",
    "padded": lambda text: text + "%3D", "garbage": lambda _: "abc", "not-base64": lambda _: "%C3%A4%20%22",
    "zeros": lambda text: base64url(bytes(len(from_base64url(text)))), "number": lambda _: "3",
    "other-case": str.swapcase,
}  # fmt: skip


@topic.check("HTTP-36", cases=_BENT)
async def a_cursor_that_was_altered_is_stale(stage: Stage, bend: Bend) -> None:
    """A cursor that the node did not give is cursor-stale, and the one that it gave still holds."""
    vendor = await _many(stage)
    cursor = (await vendor.read("delivery", "?limit=3"))["next"]
    expect_problem(await vendor.get(f"/delivery/records?cursor={bend(cursor)}"), 409, "cursor-stale")
    expect_status(await vendor.get(f"/delivery/records?cursor={cursor}"), 200)


_OTHERS: Final[Mapping[str, tuple[str, str]]] = {
    "permission": ("limit=3", "/news/records?limit=3"),
    "fields": ("limit=3", "/delivery/records?limit=3&fields=name"),
    "all-fields": ("limit=3&fields=name", "/delivery/records?limit=3"),
    "other-fields": ("limit=3&fields=name", "/delivery/records?limit=3&fields=name,email"),
    "condition": ("limit=3", f"/delivery/records?limit=3&{query_of({'gender': 'f'})}"),
    "no-condition": (f"limit=3&{query_of({'gender': 'f'})}", "/delivery/records?limit=3"),
    "other-condition": (
        f"limit=3&{query_of({'gender': 'f'})}", f"/delivery/records?limit=3&{query_of({'gender': 'x'})}",
    ),
}  # fmt: skip


@topic.check("HTTP-36", cases=_OTHERS)
async def a_cursor_holds_for_what_it_was_given_for(stage: Stage, case: tuple[str, str]) -> None:
    """With another permission, other fields or another condition than it was given for, a cursor is stale."""
    query, other = case
    vendor = await _many(stage)
    cursor = (await vendor.read("delivery", f"?{query}"))["next"]
    expect_status(await vendor.get(f"/delivery/records?{query}&cursor={cursor}"), 200)
    expect_problem(await vendor.get(f"{other}&cursor={cursor}"), 409, "cursor-stale")


@topic.check("HTTP-36", "HTTP-34", "IDN-9")
async def a_cursor_is_of_one_relationship(stage: Stage) -> None:
    """Two vendors who are shown the same have other cursors, and neither can use the other's."""
    circle, vendor = await stage.once("many records", lambda: _make(stage))
    given = [circle.permission(circle.item(["name", "email", "gender"]))]
    other, twin = await stage.relate(given), await stage.relate(given, key=vendor.key)
    cursors = [(await one.read("delivery", "?limit=3"))["next"] for one in (vendor, other, twin)]
    expect_equal(len(set(cursors)), 3, "different cursors")
    for one in (other, twin):
        expect_problem(await one.get(f"/delivery/records?limit=3&cursor={cursors[0]}"), 409, "cursor-stale")


Act = Callable[[Stage, Circle, Holder], Awaitable[None]]


async def _narrow(stage: Stage, circle: Circle, vendor: Holder) -> None:
    await stage.owner.change(vendor.grant, "narrow", permissions=[circle.permission()])


async def _pause(stage: Stage, _: Circle, vendor: Holder) -> None:
    await stage.owner.change(vendor.grant, "pause")
    await stage.owner.change(vendor.grant, "resume")


async def _revoke(stage: Stage, _: Circle, vendor: Holder) -> None:
    await stage.owner.revoke(vendor.grant, partner=vendor.delegate("/delivery").key.did)


@topic.check(
    "HTTP-36",
    "GRA-13",
    cases={"narrowed": _narrow, "paused-and-resumed": _pause, "revoked-a-partner": _revoke},
)
async def a_cursor_ends_with_the_epoch(stage: Stage, act: Act) -> None:
    """Whatever moves the grant's epoch makes the cursors of before stale."""
    circle = Circle.draw(stage)
    for name in ("Bea", "Cyd", "Dot"):
        await circle.add(name)
    vendor = await stage.relate([circle.permission(circle.item(["name", "email"]))])
    cursor = (await vendor.read("delivery", "?limit=1"))["next"]
    expect_status(await vendor.get(f"/delivery/records?limit=1&cursor={cursor}"), 200)
    await act(stage, circle, vendor)
    expect_problem(await vendor.get(f"/delivery/records?limit=1&cursor={cursor}"), 409, "cursor-stale")
    fresh = (await vendor.read("delivery", "?limit=1"))["next"]
    expect_status(await vendor.get(f"/delivery/records?limit=1&cursor={fresh}"), 200)


# Tags and reads without a body

_READS: Final = {
    "page": "/delivery/records", "of-fields": "/delivery/records?fields=name",
    "first-page": "/delivery/records?limit=3",
    "found": f"/delivery/records?{query_of({'name': 'Bea 005'})}",
    "nothing": f"/delivery/records?{query_of({'name': ''})}",
    "record": "/delivery/records/*", "record-of-fields": "/delivery/records/*?fields=name",
}  # fmt: skip


async def _asked(vendor: Holder, below: str) -> str:
    if "*" not in below:
        return below
    return below.replace("*", alias_of((await vendor.read("delivery", "?limit=1"))["items"][0]))


@topic.check("HTTP-31", "HTTP-5", cases=_READS)
async def head_is_get_without_a_body(stage: Stage, below: str) -> None:
    """HEAD is answered as GET is, headers and all, with an entry of its own and no body."""
    vendor = await _many(stage)
    below = await _asked(vendor, below)
    whole, bare = [await vendor.get(below, method=method) for method in ("GET", "HEAD")]
    expect_equal((whole.status, bare.status), (200, 200), "statuses")
    told = [
        {name: answer.headers.get(name) for name in ("etag", "content-type", "cache-control")}
        for answer in (whole, bare)
    ]
    expect_equal(told[1], told[0], "headers of HEAD")
    length = bare.headers.get("content-length")
    expect(length in (None, str(len(whole.body))), f"Content-Length {length} of HEAD")
    expect(entry_of(bare) > entry_of(whole), "HEAD has no entry of its own")
    async with stage.wire.connect() as line:
        target = vendor.path(below)
        await line.write(
            stage.wire.request("HEAD", target, {"connection": "close", **vendor.signed("HEAD", target)})
        )
        expect_equal((await line.read_all()).partition(b"\r\n\r\n")[2], b"", "body of HEAD")


@topic.check("HTTP-31", cases=_READS)
async def the_same_tag_is_not_modified(stage: Stage, below: str) -> None:
    """With exactly the tag of what is there the answer is 304, without a body, with tag and entry; also by HEAD."""
    vendor = await _many(stage)
    below = await _asked(vendor, below)
    whole = expect_status(await vendor.get(below), 200)
    tag, last = whole.headers["etag"], entry_of(whole)
    expect(tag.startswith('"') and tag.endswith('"') and len(tag) >= 24, f"{tag} is no strong tag")
    for method in ("GET", "HEAD", "GET"):
        answer = expect_status(await vendor.get(below, method=method, headers={"if-none-match": tag}), 304)
        expect(
            answer.headers["etag"] == tag and entry_of(answer) > last,
            "304 with another tag, or no entry of its own",
        )
        expect_equal(answer.headers.get("cache-control"), "no-store", "Cache-Control of 304")
        last = entry_of(answer)
    async with stage.wire.connect() as line:
        target = vendor.path(below)
        headers = {"connection": "close", "if-none-match": tag, **vendor.signed("GET", target)}
        await line.write(stage.wire.request("GET", target, headers))
        expect_equal((await line.read_all()).partition(b"\r\n\r\n")[2], b"", "body of 304")


_TAGS: Final[dict[str, Callable[[str], str]]] = {
    "weak": lambda tag: f"W/{tag}", "any": lambda _: "*", "list": lambda tag: f'{tag}, "x"',
    "list-behind": lambda tag: f'"x", {tag}', "unquoted": lambda tag: tag[1:-1], "other": lambda _: '"x"',
    "other-case": lambda tag: tag.swapcase(), "shorter": lambda tag: tag[:-2] + '"', "empty": lambda _: '""',
}  # fmt: skip


@topic.check("HTTP-31", cases=_TAGS)
async def another_tag_gets_the_whole(stage: Stage, bend: Callable[[str], str]) -> None:
    """Only exactly the one tag gives 304: anything else in If-None-Match gets the data."""
    vendor = await _many(stage)
    whole = expect_status(await vendor.get("/delivery/records?limit=2"), 200)
    headers = {"if-none-match": bend(whole.headers["etag"])}
    answer = expect_status(await vendor.get("/delivery/records?limit=2", headers=headers), 200)
    expect(answer.body == whole.body, "the data came as other bytes")


@topic.check("HTTP-31", "HTTP-38")
async def a_tag_is_of_the_content(stage: Stage) -> None:
    """A tag changes with what is shown and with nothing else, and is no other read's."""
    circle = Circle.draw(stage)
    record = await circle.add("Bea", email="bea@example.com", telephone="1")
    given = [circle.permission(circle.item(["name", "email"]), name=name) for name in ("delivery", "news")]
    vendor = await stage.relate(given)

    async def read(below: str, tag: str = "") -> Answer:
        return await vendor.get(below, headers={"if-none-match": tag} if tag else {})

    tag = (await read("/delivery/records")).headers["etag"]
    await circle.edit(record, telephone="2")
    expect_status(await read("/delivery/records", tag), 304)
    await circle.edit(record, name="Bea B")
    changed = expect_status(await read("/delivery/records", tag), 200)
    expect(changed.headers["etag"] != tag, "one tag for two contents")
    expect_status(await read("/delivery/records", changed.headers["etag"]), 304)
    for below in ("/delivery/records?fields=name", f"/delivery/records?{query_of({'name': 'Cyd'})}"):
        expect_status(await read(below, changed.headers["etag"]), 200)
    less = [circle.permission(circle.item(["name"]), name=name) for name in ("delivery", "news")]
    await stage.owner.change(vendor.grant, "narrow", permissions=less)
    narrowed = expect_status(await read("/delivery/records", changed.headers["etag"]), 200)
    expect("email" not in object_of(narrowed)["items"][0], "a field came after its withdrawal")


@topic.check("HTTP-31", "LED-3", "REQ-10")
async def reads_without_data_count_as_reads(stage: Stage) -> None:
    """HEAD and 304 use up the number of reads as any page does, and refusals do not."""
    circle = Circle.draw(stage)
    await circle.add("Bea")
    given = {**circle.permission(), "limits": {"reads": 3}}
    vendor = await stage.relate([given])
    expect_problem(await vendor.get("/delivery/records?fields=email"), 403, "not-shared")
    tag = expect_status(await vendor.get("/delivery/records"), 200).headers["etag"]
    expect_status(await vendor.get("/delivery/records", method="HEAD"), 200)
    expect_status(await vendor.get("/delivery/records", headers={"if-none-match": tag}), 304)
    for method in ("GET", "HEAD"):
        answer = expect_status(await vendor.get("/delivery/records", method=method), 403)
        expect_equal(answer.headers.get("freehold-code"), "limit-reached", "code")
    ledger = await book.of_owner(stage.owner, vendor.grant)
    expect_equal(
        [entry["status"] for entry in ledger.of("admitted")], [200, 200, 304], "statuses of the entries"
    )


@topic.check("HTTP-36", "HTTP-35")
async def a_query_may_be_written_with_escapes(stage: Stage) -> None:
    """What is form-encoded is decoded: the same query in other spellings finds the same, and signs what was sent."""
    vendor = await _many(stage)
    wanted = await vendor.read("delivery", f"?{query_of({'name': 'Bea 007'})}&fields=name")
    for query in (
        "fields=n%61me&where=%7b%22name%22:%22Bea+007%22%7d",
        "where=%7B%0A%22name%22%3A%20%22Bea%20007%22%7D&fields=name",
    ):
        page = await vendor.read("delivery", f"?{query}")
        expect_equal([item["name"] for item in page["items"]], ["Bea 007"], "names found")
        expect_equal(page["items"], wanted["items"], "documents found")
