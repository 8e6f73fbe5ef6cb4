"""One spelling where it counts, and none where it does not: numbers in targets, and members that may be absent.

Spec: specs/http.md#messages
"""

from __future__ import annotations

from typing import Final

from ..cast.holder import Holder
from ..cast.stage import Stage
from ..check import Topic, expect, expect_equal, expect_problem, expect_status, object_of
from ..hands import merkle, receipt
from ..hands.encoding import Document, from_base64url
from ..hands.keys import Key

topic = Topic()

_NO_NUMBERS: Final = {
    "a-zero-before-it": "0{}", "two-zeros-before-it": "00{}", "a-plus": "%2B{}", "a-minus": "-{}", "a-point": "{}.0",
    "an-exponent": "{}e0", "in-hexadecimal": "0x{}", "grouped": "1_{}", "of-nineteen-digits": "1{:0>18}", "empty": "",
    "a-word": "x{}", "a-space-after-it": "{}%20", "of-another-script": "%D9%A1",
}  # fmt: skip
_NO_NUMBERS_OF_PATHS: Final = {
    name: form for name, form in _NO_NUMBERS.items() if "%" not in form and form not in ("", "{}")
}
_PLACES: Final = ("/ledger/entries/{}", "/ledger/entries?first={}", "/ledger/entries?limit={}",
                  "/ledger/checkpoint?from={}", "?from={}", "/delivery/records?limit={}")  # fmt: skip


async def _vendor(stage: Stage) -> Holder:
    async def make() -> Holder:
        shown = await stage.person(name="Ada")
        return await stage.relate([shown.permission("delivery", ["name"])])

    return await stage.once("a ledger whose numbers are spelled", make)


@topic.check("HTTP-69", "HTTP-28", cases={place: place for place in _PLACES})
async def a_number_has_one_spelling(stage: Stage, place: str) -> None:
    """A number is in decimal without zeros before it; else a query is malformed, and a path is nobody's."""
    vendor = await _vendor(stage)
    in_query = "?" in place
    expect_status(await vendor.get(place.format(1 if in_query else 0)), 200)
    for name, form in (_NO_NUMBERS if in_query else _NO_NUMBERS_OF_PATHS).items():
        answer = await vendor.get(place.format(form.format(1 if in_query else 0)))
        status, code = (400, "malformed") if in_query else (404, "not-found")
        expect(answer.status == status, f"{name}: status {answer.status} instead of {status}")
        expect_problem(answer, status, code)


@topic.check("HTTP-28", "HTTP-69")
async def beyond_the_end_there_are_no_entries(stage: Stage) -> None:
    """What begins at the end or beyond it, or asks for none, gets none, with the checkpoint all the same."""
    vendor = await _vendor(stage)
    whole = object_of(expect_status(await vendor.get("/ledger/entries"), 200))
    size = whole["size"]
    expect(size >= 1, "a ledger without the entry of its approval")
    queries = (f"first={size}", f"first={size + 1}", "first=999999999999999999", "limit=0", "first=0&limit=0")
    for query in queries:
        told = object_of(expect_status(await vendor.get(f"/ledger/entries?{query}"), 200))
        expect_equal(sorted(told), ["checkpoint", "entries", "size"], f"members with {query}")
        expect_equal(told["entries"], [], f"entries with {query}")
        expect(told["size"] >= size, f"the size with {query}")
    for below in (f"/ledger/entries/{size + 1000}", "/ledger", "/ledger/"):
        status, code = (400, "malformed") if below.endswith("/") else (404, "not-found")
        expect_problem(await vendor.get(below), status, code)


@topic.check("LED-16", "LED-17", "LED-22")
async def checkpoints_of_every_size_are_put_in_line(stage: Stage) -> None:
    """From the present size nothing is proven, and what an entry came with continues into what is newest."""
    vendor = await _own(stage)
    await vendor.read("delivery")
    key = (await vendor.told())["receipt"]["versions"][-1]["servingKey"]
    proven = object_of(expect_status(await vendor.get("/ledger/entries/0"), 200))
    expect_equal(
        sorted(proven),
        ["checkpoint", "entry", "leaf", "number", "proof", "salt", "size"],
        "members of an entry",
    )
    first = merkle.open_checkpoint(proven["checkpoint"], key)
    same = object_of(expect_status(await vendor.get(f"/ledger/checkpoint?from={first.size}"), 200))
    expect_equal(same["consistency"], [], "the proof between equal sizes")
    expect_equal(merkle.open_checkpoint(same["checkpoint"], key), first, "the checkpoint of the present size")
    for _ in range(3):
        await vendor.read("delivery")
    later = object_of(expect_status(await vendor.get(f"/ledger/checkpoint?from={first.size}"), 200))
    head = merkle.open_checkpoint(later["checkpoint"], key)
    expect_equal(head.size, first.size + 3, "the size after three reads")
    steps = [from_base64url(step) for step in later["consistency"]]
    continues = merkle.is_consistent(first.size, first.root, head.size, head.root, steps)
    expect(continues, "the proof that the newest checkpoint continues the one that came with the entry")
    expect_problem(await vendor.get("/ledger/checkpoint?from=0"), 400, "malformed")
    expect_problem(await vendor.get(f"/ledger/checkpoint?from={head.size + 1}"), 400, "malformed")


async def _own(stage: Stage) -> Holder:
    shown = await stage.person(name="Ada")
    return await stage.relate([shown.permission("delivery", ["name"])])


_WRITTEN_OUT: Final[Document] = {"required": False, "recipients": [], "limits": {}}
_ITEM_WRITTEN_OUT: Final[Document] = {"about": "self", "newRecords": False, "where": {}}


@topic.check("REQ-19", "GRA-10", "GRA-5", cases={"asked-bare": True, "asked-written-out": False})
async def a_default_says_the_same_written_out_or_not(stage: Stage, asked_bare: bool) -> None:
    """Members that may be absent are compared by what they mean: in the approval, and in every later version."""
    await stage.self_record()
    item: Document = {"type": "Person", "fields": ["name", "email"]}
    bare: Document = {
        "name": "delivery",
        "items": [item],
        "purpose": ["dpv:DeliveryOfGoods"],
        "retention": "P30D",
    }
    written = {**bare, **_WRITTEN_OUT, "items": [{**item, **_ITEM_WRITTEN_OUT}]}
    wanted, given = (bare, written) if asked_bare else (written, bare)
    asked = await stage.ask(Key.fresh(), [wanted])
    grant = await stage.owner.approve(asked.id, [given])
    vendor = await asked.holder()
    await vendor.read("delivery")
    less = {**wanted, "items": [{**wanted["items"][0], "fields": ["name"]}]}
    await stage.owner.change(grant, "narrow", permissions=[less])
    await stage.owner.change(grant, "widen", permissions=[given])
    told = (await vendor.told())["receipt"]
    receipt.signers(told)  # each version lies within what was asked, whichever way it is written
    expect_equal([one["version"] for one in told["versions"]], [1, 2, 3], "versions")
    page = await vendor.read("delivery")
    expect(all("telephone" not in one for one in page["items"]), "a field that nobody gave")


@topic.check("GRA-1", "GRA-12", cases={"first": None, "paused": "pause", "ended": "end"})
async def a_version_is_signed_when_it_was_made(stage: Stage, change: str | None) -> None:
    """The proof of a version has created, the same as the version's own."""
    vendor = await _own(stage)
    if change is not None:
        await stage.owner.change(vendor.grant, change)
    for version in (await vendor.told())["receipt"]["versions"]:
        expect_equal(version["proof"].get("created"), version["created"], "created of the proof")
