"""What happened under all grants: one order over all ledgers, what is sought, the counts over time, and today."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..cast.holder import Holder
from ..cast.stage import DAY_S, Stage
from ..check import Topic, expect, expect_equal, expect_problem, expect_status
from ..hands import merkle
from ..hands.encoding import Document, from_base64url, from_xsd_time, xsd_time
from ..hands.keys import Key
from .owner_lists import pages, query_of

topic = Topic()

_KINDS: Final = ("admitted", "refused", "changed", "other")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Doings:
    """Two grants of one vendor, in which a read of one stands between those of the other, and one of another vendor."""

    name: str
    vendor: Key
    partner: Key
    first: Holder
    second: Holder
    others: Holder

    @property
    def grants(self) -> list[str]:
        return [self.first.grant, self.second.grant]


async def _do(stage: Stage) -> _Doings:
    """Read, be refused, read as a partner, narrow and pause, over some three seconds."""
    vendor, partner = Key.fresh(), Key.fresh()
    shown = await stage.person(name="Ada", email="ada@example.com", givenName="Ada")
    name = f"Doings {shown.tag}"
    wanted = [
        shown.permission("delivery", ["name", "email", "givenName"], recipients=[partner.did]),
        shown.permission("news", ["email"]),
    ]
    named: Document = {"id": vendor.did, "type": "Organization", "name": name}
    first = await stage.relate(wanted, key=vendor, assignee=named)
    second = await stage.relate(wanted, key=vendor, assignee=named)
    others = await stage.relate(wanted)
    part = "?fields=name,email"  # no read is of all fields, and most are under the first
    for holder, below, query in (
        (first, "delivery", part), (second, "news", ""), (first, "news", ""), (others, "news", ""),
        (second, "delivery", part), (first, "delivery", part), (first, "news", ""), (first, "news", ""),
    ):  # fmt: skip
        await holder.read(below, query)
    await asyncio.sleep(1.1)
    await first.read("delivery", "?fields=name")
    expect_problem(await second.get("/other/records"), 403, "not-shared")
    expect_status(
        await first.delegate("/delivery", key=partner).get("/delivery/records?fields=name,email"), 200
    )
    await asyncio.sleep(1.1)
    await stage.owner.change(second.grant, "narrow", permissions=wanted[:1])
    await second.read("delivery", "?fields=givenName")
    await stage.owner.change(first.grant, "pause")
    return _Doings(name=name, vendor=vendor, partner=partner, first=first, second=second, others=others)


async def _doings(stage: Stage) -> _Doings:
    return await stage.once("doings", lambda: _do(stage))


Entry = Mapping[str, Any]


async def _entries(stage: Stage, grants: Iterable[str]) -> list[Document]:
    """Return the entries of these ledgers as activity has them, but for the vendor and who."""
    found = []
    for grant in grants:
        for one in await stage.owner.ledger(grant):
            body = one["entry"]
            found.append({"grant": grant, "time": body["time"], "kind": body["kind"], **one})
    return found


def _places(entries: Iterable[Entry]) -> list[tuple[str, int]]:
    return [(one["grant"], one["number"]) for one in entries]


async def _listed(stage: Stage, query: Mapping[str, str], *, limit: int = 200) -> list[Document]:
    """Return activity page by page; where a field is sought, a page may have fewer than its limit."""
    if "field" not in query:
        return await pages(stage, "/activity", "entries", query, limit=limit)
    found: list[Document] = []
    after: dict[str, str] = {}
    while True:
        page = await stage.owner.do("GET", f"/activity?{query_of({**query, 'limit': str(limit), **after})}")
        expect(
            type(page.get("looked")) is int and page["looked"] >= len(page["entries"]),
            "how many were looked through",
        )
        expect(len(page["entries"]) <= limit, "a page over its limit")
        found += page["entries"]
        if "next" not in page:
            return found
        after = {"after": str(page["next"])}


@topic.check("HTTP-78", cases={str(limit): limit for limit in (1, 2, 3, 200)})
async def every_entry_of_every_ledger_comes_once(stage: Stage, limit: int) -> None:
    """Followed to its end, activity has each entry of the ledgers once, as it stands there, the latest first."""
    doings = await _doings(stage)
    found = await _listed(stage, {"vendor": doings.vendor.did}, limit=limit)
    ledgers = {(one["grant"], one["number"]): one for one in await _entries(stage, doings.grants)}
    expect_equal(sorted(_places(found)), sorted(ledgers), "entries")
    for one in found:
        kept = ledgers[one["grant"], one["number"]]
        expect_equal({name: one.get(name) for name in kept}, kept, "an entry")
        expect_equal(set(one) - set(kept) - {"who"}, {"vendor"}, "its members besides")
        expect_equal(
            (one["vendor"]["id"], one["vendor"]["name"]), (doings.vendor.did, doings.name), "its vendor"
        )
    times = [from_xsd_time(one["time"]) for one in found]
    expect_equal(times, sorted(times, reverse=True), "the order of times")
    for grant in doings.grants:
        numbers = [one["number"] for one in found if one["grant"] == grant]
        expect_equal(numbers, sorted(numbers, reverse=True), "the order within a ledger")
    expect(len({one["grant"] for one in found[:5]}) == 2, "one ledger after the other")


@topic.check("HTTP-78")
async def who_did_it_is_told(stage: Stage) -> None:
    """An entry that names a holder says who that is, and whether the vendor or a partner; another says of nobody."""
    doings = await _doings(stage)
    for one in await _listed(stage, {"vendor": doings.vendor.did}):
        by = one["entry"].get("who")
        is_ = "partner" if by == doings.partner.did else "vendor"
        expect_equal(
            one.get("who"), None if by is None else {"id": by, "is": is_}, f"who of a {one['kind']} entry"
        )


@topic.check("HTTP-78")
async def what_comes_meanwhile_stands_before(stage: Stage) -> None:
    """Pages that follow the first are what they would have been, whatever happened since under the same grants."""
    shown = await stage.person(name="Ada")
    vendor = await stage.relate([shown.permission("delivery", ["name"])])
    for _ in range(4):
        await vendor.read("delivery")
    query = {"vendor": vendor.key.did, "limit": "2"}
    first = await stage.owner.do("GET", f"/activity?{query_of(query)}")
    for _ in range(3):
        await vendor.read("delivery")
    found, after = [one["number"] for one in first["entries"]], first.get("next")
    while after is not None:
        page = await stage.owner.do("GET", f"/activity?{query_of({**query, 'after': str(after)})}")
        found += [one["number"] for one in page["entries"]]
        after = page.get("next")
    expect_equal(found, [4, 3, 2, 1, 0], "numbers")


# What is sought


def _time_of(one: Entry) -> int:
    return from_xsd_time(one["time"])


async def _narrows(
    stage: Stage, query: Mapping[str, str], keeps: Callable[[Entry], bool], *, some: bool = True
) -> None:
    """Check that a query beside the vendor's DID leaves exactly the entries that are kept, page by page."""
    doings = await _doings(stage)
    every = await _entries(stage, doings.grants)
    wanted = sorted(_places(one for one in every if keeps(one)))
    expect(bool(wanted) == some and len(wanted) < len(every), "entries of which nothing can be told")
    for limit in (2, 200):
        found = await _listed(stage, {"vendor": doings.vendor.did, **query}, limit=limit)
        expect_equal(sorted(_places(found)), wanted, f"entries with {sorted(query)}")


@topic.check("HTTP-79", cases={
    "permission": ({"permission": "news"}, lambda one: one["entry"].get("permission") == "news", True),
    "no-permission": ({"permission": "new"}, lambda _: False, False),
    "admitted": ({"outcome": "admitted"}, lambda one: one["kind"] == "admitted", True),
    "refused": ({"outcome": "refused"}, lambda one: one["kind"] == "refused", True),
    "changed": ({"outcome": "changed"}, lambda one: one["kind"] == "changed", True),
    "erased": ({"outcome": "erased"}, lambda _: False, False),
    "two": ({"outcome": "admitted", "permission": "delivery"},
            lambda one: one["kind"] == "admitted" and one["entry"]["permission"] == "delivery", True),
    "empty-ones": ({"outcome": "changed", "permission": "", "grant": "", "since": "", "until": "", "after": ""},
                   lambda one: one["kind"] == "changed", True),
})  # fmt: skip
async def a_parameter_narrows(
    stage: Stage, case: tuple[dict[str, str], Callable[[Entry], bool], bool]
) -> None:
    """A kind and a permission leave their entries and no others."""
    query, keeps, some = case
    await _narrows(stage, query, keeps, some=some)


@topic.check(
    "HTTP-79",
    "HTTP-80",
    cases={path: path for path in ("name", "email", "givenName", "nam", "given", "delivery")},
)
async def a_field_leaves_the_reads_that_name_it(stage: Stage, path: str) -> None:
    """A field path leaves the admitted entries that name just this path, and says how many were looked through."""
    wanted = path in ("name", "email", "givenName")
    await _narrows(stage, {"field": path}, lambda one: path in one["entry"].get("fields", ()), some=wanted)


@topic.check("HTTP-79")
async def a_time_is_within_from_its_beginning_to_before_its_end(stage: Stage) -> None:
    """Of since the second itself is within, of until it is not."""
    doings = await _doings(stage)
    times = sorted({_time_of(one) for one in await _entries(stage, doings.grants)})
    expect(len(times) > 2, "entries of one moment")
    middle = times[len(times) // 2]
    await _narrows(stage, {"since": xsd_time(middle)}, lambda one: _time_of(one) >= middle)
    await _narrows(stage, {"until": xsd_time(middle)}, lambda one: _time_of(one) < middle)
    both = {"since": xsd_time(middle), "until": xsd_time(middle + 1)}
    await _narrows(stage, both, lambda one: _time_of(one) == middle)


@topic.check("HTTP-79")
async def a_grant_and_a_vendor_narrow(stage: Stage) -> None:
    """A grant leaves its own entries, a vendor's DID or a part of its name those of all its grants."""
    doings = await _doings(stage)
    await _narrows(stage, {"grant": doings.second.grant}, lambda one: one["grant"] == doings.second.grant)
    every = sorted(_places(await _entries(stage, doings.grants)))
    for text, there in (
        (doings.name, True), (doings.name[3:].upper(), True), (doings.vendor.did[:-1], False),
        (doings.vendor.did[9:], False), (doings.partner.did, False), (doings.name.replace(" ", "_"), False),
    ):  # fmt: skip
        found = sorted(_places(await _listed(stage, {"vendor": text})))
        expect_equal(found, every if there else [], "entries of a vendor's name or DID")
    other = {"vendor": doings.vendor.did, "grant": doings.others.grant}
    expect_equal(await _listed(stage, other), [], "entries of another vendor's grant")
    nobodys = await stage.owner.send("GET", "/activity?grant=00000000-0000-4000-8000-000000000000")
    expect_problem(nobodys, 404, "not-found")


@topic.check("HTTP-80")
async def the_readers_of_a_grant_are_told(stage: Stage) -> None:
    """Who read under a grant, how often and when last: the vendor and each partner, the latest first."""
    doings = await _doings(stage)
    told = await stage.owner.do("GET", f"/grants/{doings.first.grant}/readers")
    expect_equal(sorted(told), ["complete", "looked", "readers"], "members")
    ledger = [one["entry"] for one in await stage.owner.ledger(doings.first.grant)]
    reads = [one for one in ledger if one["kind"] == "admitted"]
    wanted = [
        {"id": did, "is": is_, "reads": sum(one["who"] == did for one in reads),
         "last": max(one["time"] for one in reads if one["who"] == did)}
        for did, is_ in ((doings.partner.did, "partner"), (doings.vendor.did, "vendor"))
    ]  # fmt: skip
    expect_equal(told["readers"], wanted, "readers")
    expect_equal((told["looked"], told["complete"]), (len(ledger), True), "what was looked through")


@topic.check("LED-16", "HTTP-68")
async def the_owner_is_shown_each_entry_with_its_proof(stage: Stage) -> None:
    """Each entry comes to the owner by its number with its body and the proof that it is in the ledger."""
    doings = await _doings(stage)
    grant = doings.first.grant
    key = (await stage.owner.grant(grant))["document"]["servingKey"]
    for one in await stage.owner.ledger(grant):
        shown = await stage.owner.do("GET", f"/grants/{grant}/ledger/{one['number']}")
        expect_equal(set(shown) - set(one), {"size", "proof", "checkpoint"}, "members besides")
        expect_equal({name: shown[name] for name in one}, one, "the entry")
        head = merkle.open_checkpoint(shown["checkpoint"], key)
        steps = [from_base64url(step) for step in shown["proof"]]
        leaf = merkle.leaf_hash(shown["entry"], shown["salt"])
        expect_equal(head.size, shown["size"], "the size of the checkpoint")
        expect(
            merkle.root_from_inclusion(leaf, one["number"], head.size, steps) == head.root,
            "a proof that does not hold",
        )
    for number in ("999999", "01", "-1", "x"):
        expect_problem(await stage.owner.send("GET", f"/grants/{grant}/ledger/{number}"), 404, "not-found")


# Counts over time


def _counted(entries: Iterable[Entry]) -> dict[str, int]:
    found = Counter(one["kind"] if one["kind"] in _KINDS else "other" for one in entries)
    return {kind: found[kind] for kind in _KINDS}


def _numbers(counts: Mapping[str, Any]) -> dict[str, int]:
    return {kind: counts[kind] for kind in _KINDS}


async def _timeline(stage: Stage, query: Mapping[str, str]) -> Document:
    told: Document = await stage.owner.do("GET", f"/activity/timeline?{query_of(query)}")
    after, before, width = from_xsd_time(told["after"]), from_xsd_time(told["before"]), told["width"]
    starts = [from_xsd_time(one["from"]) for one in told["buckets"]]
    expect_equal(starts, [after + width * place for place in range(len(starts))], "where the buckets begin")
    expect(starts[-1] < before <= starts[-1] + width, "buckets that do not cover the time")
    return told


@topic.check("HTTP-81", cases={"second": 1, "a-minute": 60})
async def each_entry_is_counted_in_one_bucket(stage: Stage, width: int) -> None:
    """Each bucket counts the entries of its time by kind, and all entries of the whole time are counted."""
    doings = await _doings(stage)
    entries = await _entries(stage, doings.grants)
    times = [_time_of(one) for one in entries]
    first, end = min(times), max(times)  # not within: what is of the last second is beyond the end
    number = -((first - end) // width)
    query = {
        "vendor": doings.vendor.did,
        "since": xsd_time(first),
        "until": xsd_time(end),
        "buckets": str(number),
    }
    told = await _timeline(stage, query)
    expect_equal((told["after"], told["before"]), (xsd_time(first), xsd_time(end)), "the time")
    expect(len(told["buckets"]) <= number, "more buckets than were asked for")
    within = [one for one in entries if _time_of(one) < end]
    for bucket in told["buckets"]:
        start = from_xsd_time(bucket["from"])
        there = [one for one in within if start <= _time_of(one) < start + told["width"]]
        expect_equal(_numbers(bucket), _counted(there), "a bucket")
    for one in told["busiest"]:
        own = [each for each in within if each["grant"] == one["grant"]]
        expect_equal(_numbers(one), _counted(own), "what is counted of a grant")
        expect_equal(one["last"], max(each["time"] for each in own), "its last")
        spread = [0] * len(told["buckets"])
        for part in one["buckets"]:
            spread[part["bucket"]] += sum(_numbers(part).values())
        places = [(_time_of(each) - first) // told["width"] for each in own]
        expect_equal(spread, [places.count(place) for place in range(len(spread))], "its buckets")
        expect(
            all(sum(_numbers(part).values()) for part in one["buckets"]),
            "a bucket of a grant in which it has none",
        )
    most = Counter(one["grant"] for one in within).most_common()
    expect_equal(
        sorted(one["grant"] for one in told["busiest"]), sorted(grant for grant, _ in most), "the busiest"
    )
    sums = [sum(_numbers(one).values()) for one in told["busiest"]]
    expect_equal(sums, sorted(sums, reverse=True), "the order of the busiest")


@topic.check("HTTP-81", "HTTP-80")
async def a_timeline_has_its_bounds(stage: Stage) -> None:
    """Without a time it is of the 30 days until now; without a number it has 60 buckets, and 120 at most."""
    doings = await _doings(stage)
    mine = {"vendor": doings.vendor.did}
    whole = await _timeline(stage, mine)
    after, before = from_xsd_time(whole["after"]), from_xsd_time(whole["before"])
    expect_equal((before - after, len(whole["buckets"])), (30 * DAY_S, 60), "days and buckets")
    expect(abs(before - stage.now()) < 300, "an end that is not now")
    every = await _entries(stage, doings.grants)
    total = _counted(every)
    counted = {kind: sum(one[kind] for one in whole["buckets"]) for kind in _KINDS}
    expect_equal(counted, total, "what is counted")
    expect(from_xsd_time(whole["first"]) <= min(map(_time_of, every)), "a first entry that is not the first")
    expect(not {"looked", "complete"} & set(whole), "what was looked through, where nothing had to be")
    for number, has in (("0", 1), ("1", 1), ("7", 7), ("120", 120), ("121", 120), ("999999", 120), ("", 60)):
        told = await _timeline(stage, mine | {"buckets": number})
        expect_equal(len(told["buckets"]), has, f"buckets where {number!r} are asked for")
    reads = [one for one in every if "email" in one["entry"].get("fields", ())]
    told = await _timeline(stage, mine | {"field": "email", "permission": "delivery"})
    of_delivery = _counted(one for one in reads if one["entry"]["permission"] == "delivery")
    expect_equal(
        {kind: sum(one[kind] for one in told["buckets"]) for kind in _KINDS}, of_delivery, "reads of a field"
    )
    expect_equal((type(told["looked"]), told["complete"]), (int, True), "what was looked through")


@topic.check("HTTP-85")
async def the_choices_are_all_there_ever_was(stage: Stage) -> None:
    """The choices name each relationship, newest first, and each field that was ever given, in order."""
    doings = await _doings(stage)
    shown = await stage.person(name="Ada", faxNumber="+44 1632 960002")
    vendor = await stage.relate([shown.permission("delivery", ["name", "faxNumber"])])
    less = [shown.permission("delivery", ["name"])]
    await stage.owner.change(vendor.grant, "narrow", permissions=less)
    asked_only = await stage.person(name="Ada")
    wanted = [asked_only.permission("delivery", ["name", "honorificSuffix"])]
    await stage.relate(wanted, given=[asked_only.permission("delivery", ["name"])])
    told = await stage.owner.do("GET", "/activity/choices")
    expect_equal(set(told), {"now", "grants", "fields", "first"}, "members")
    expect(abs(from_xsd_time(told["now"]) - stage.now()) < 300, "another time than now")
    fields = told["fields"]
    expect_equal(fields, sorted(set(fields)), "the order of fields")
    expect(
        len(fields) == 500 or {"name", "email", "faxNumber"} <= set(fields),
        "a field that was given is missing",
    )
    ids = [one["grant"] for one in told["grants"]]
    expect(
        vendor.grant in ids and ids.index(vendor.grant) < min(map(ids.index, doings.grants), default=0),
        "their order",
    )
    (here,) = (one for one in told["grants"] if one["grant"] == vendor.grant)
    expect_equal(here["vendor"]["id"], vendor.key.did, "the vendor")
    expect_equal(here["state"], "live", "the state")
    timeline = await stage.owner.do("GET", "/activity/timeline")
    expect_equal(told["first"], timeline["first"], "the time of the first entry")


# Today


@topic.check("HTTP-82", "HTTP-86")
async def today_tells_who_read(stage: Stage) -> None:
    """A vendor stands once, with all its grants, how often it read and was refused, its partners' reads among them."""
    doings = await _do(stage)  # the latest of all
    told = await stage.owner.do("GET", "/today")
    entries = [one for one in await _entries(stage, doings.grants) if one["kind"] in ("admitted", "refused")]
    reads = [one for one in entries if one["kind"] == "admitted"]
    mine = [one for one in told["reads"] if one["vendor"]["id"] == doings.vendor.did]
    expect_equal(len(mine), 1, "times that a vendor is told of")
    expect_equal(
        (sorted(mine[0]["grants"]), mine[0]["reads"], mine[0]["refused"], mine[0]["last"]),
        (sorted(doings.grants), len(reads), len(entries) - len(reads), max(one["time"] for one in entries)),
        "grants, reads, refusals and the last of them",
    )
    last = [one["last"] for one in told["reads"]]
    expect(len(last) <= 50 and last == sorted(last, reverse=True), "the order of vendors")
    expect(
        abs(from_xsd_time(told["since"]) - (stage.now() - 7 * DAY_S)) < 300, "another time than 7 days ago"
    )
    days = [day["day"] for day in told["days"]]
    expect(len(days) <= 7 and days == sorted(set(days), reverse=True), "the order of days")
    for day in told["days"]:
        expect(len(day["reads"]) == min(day["vendors"], 50), "the number of vendors of a day")
    lines = [one for day in told["days"] for one in day["reads"] if one["vendor"]["id"] == doings.vendor.did]
    expect(1 <= len(lines) <= 2, "days of what happened in some seconds")  # two, at midnight
    by_partner = sum(one["entry"]["who"] == doings.partner.did for one in reads)
    fields = {path for one in reads for path in one["entry"]["fields"]}
    expect_equal(
        (sum(one["reads"] for one in lines), sum(one["byPartners"] for one in lines),
         {path for one in lines for path in one["fields"]}, max(one["last"] for one in lines),
         {grant for one in lines for grant in one["grants"]}),
        (len(reads), by_partner, fields, max(one["time"] for one in reads), set(doings.grants)),
        "what is told of the day",
    )  # fmt: skip
    expect(all(len(one["fields"]) == len(set(one["fields"])) for one in lines), "a field twice")
    always = set.intersection(*(set(one["entry"]["fields"]) for one in reads))
    expect(all(always <= set(one["always"]) <= set(one["fields"]) for one in lines), "fields of every read")
    expect(len(lines) == 2 or set(lines[0]["always"]) == always, "fields that not every read had")
    expect(type(told["complete"]) is bool, "whether that is all")


@topic.check("HTTP-68", alone=True)
async def today_tells_what_is_due(stage: Stage) -> None:
    """Today counts the requests that wait and the grants that end within 14 days and are not over, the next first."""
    shown = await stage.person(name="Ada")
    wanted = [shown.permission("delivery", ["name"])]
    before = await stage.owner.do("GET", "/today")
    names = ("clock", "since", "requests", "ending", "newKeys", "restored", "reads", "days", "complete")
    expect_equal(sorted(before), sorted(names), "members")
    expect_equal(
        before["requests"], (await stage.owner.do("GET", "/status"))["requests"], "requests that wait"
    )
    ends = {hours: stage.now() + hours * 3600 for hours in (2, 1, 13 * 24, 15 * 24)}
    grants = {hours: (await stage.relate(wanted, expires_s=end)).grant for hours, end in ends.items()}
    over = (await stage.relate(wanted, expires_s=ends[1])).grant
    await stage.owner.change(over, "end")
    await stage.owner.change(grants[2], "pause")
    await stage.ask(Key.fresh(), wanted)
    told = await stage.owner.do("GET", "/today")
    expect_equal(told["requests"]["waiting"], before["requests"]["waiting"] + 1, "requests that wait")
    expect_equal(told["ending"]["count"], before["ending"]["count"] + 3, "grants that end soon")
    listed = told["ending"]["grants"]
    expect_equal(len(listed), min(told["ending"]["count"], 50), "grants that are told of")
    times = [one["expires"] for one in listed]
    expect_equal(times, sorted(times), "their order")
    for one in listed:
        expect_equal(sorted(one), ["expires", "grant", "state", "vendor"], "members of a grant that ends")
    ids = [one["grant"] for one in listed]
    expect(not {grants[15 * 24], over} & set(ids), "a grant that does not end soon")
    states = {one["grant"]: one["state"] for one in listed}
    whole = told["ending"]["count"] <= 50
    expect(not whole or states.get(grants[2]) == "paused", "a paused grant that ends soon")
    expect(not whole or states.get(grants[13 * 24]) == "live", "a live grant that ends soon")
