"""The Merkle log: leaves, roots, proofs, checkpoints and pages, every hash of them made again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from ..cast import book
from ..cast.book import Book
from ..cast.holder import Holder
from ..cast.stage import Stage
from ..check import Failed, Topic, expect, expect_equal, expect_problem, expect_status, object_of
from ..hands.encoding import Document, from_base64url
from ..hands.keys import Key
from ..hands.merkle import Checkpoint, is_consistent, open_checkpoint, root_from_inclusion, root_hash

topic = Topic()

_SIZES: Final = (*range(1, 19), 31, 32, 33, 40)
_LONG: Final = 515


@dataclass(frozen=True, slots=True)
class Grown:
    """A ledger that was looked at from all sides at each of some sizes, while it grew.

    Attributes:
        proofs: By size: every entry with its proof, as it was told then.
        continued: By size: by each smaller one and itself, the proof of consistency and its checkpoint.
    """

    vendor: Holder
    serving: str
    log: str
    proofs: Mapping[int, list[Document]]
    continued: Mapping[int, Mapping[int, Document]]
    last: Book

    def at(self, size: int) -> Checkpoint:
        """Return the checkpoint that signs a size."""
        return book.checked(self.proofs[size][0]["checkpoint"], self.serving, self.log)


@dataclass(frozen=True, slots=True)
class Long:
    """A ledger of more entries than one page has."""

    vendor: Holder
    serving: str
    log: str
    whole: Book


async def _keys_of(stage: Stage, vendor: Holder) -> tuple[str, str]:
    standing = (await stage.owner.grant(vendor.grant))["document"]
    return standing["servingKey"], standing["log"]


async def _grow(stage: Stage) -> Grown:
    shown = await stage.person(name="Ada")
    vendor = await stage.relate([shown.permission("delivery", ["name"])])
    serving, log = await _keys_of(stage, vendor)
    proofs: dict[int, list[Document]] = {}
    continued: dict[int, dict[int, Document]] = {}
    for size in range(1, max(_SIZES) + 1):
        if size in _SIZES:
            proofs[size] = list(
                await book.all_of(book.told(vendor, f"/ledger/entries/{n}") for n in range(size))
            )
            olds = range(1, size + 1)
            told = await book.all_of(book.told(vendor, f"/ledger/checkpoint?from={old}") for old in olds)
            continued[size] = dict(zip(olds, told, strict=True))
        if size < max(_SIZES):
            await vendor.read("delivery")
    last = await book.of_owner(stage.owner, vendor.grant)
    return Grown(vendor, serving, log, proofs, continued, last)


async def _lengthen(stage: Stage) -> Long:
    shown = await stage.person(name="Ada")
    vendor = await stage.relate([shown.permission("delivery", ["name"])])
    serving, log = await _keys_of(stage, vendor)
    for answer in await book.all_of(vendor.get("/delivery/records", method="HEAD") for _ in range(_LONG - 1)):
        expect_status(answer, 200)
    return Long(vendor, serving, log, await book.of_owner(stage.owner, vendor.grant))


async def _grown(stage: Stage) -> Grown:
    return await stage.once("a ledger that grew", lambda: _grow(stage))


async def _long(stage: Stage) -> Long:
    return await stage.once("a long ledger", lambda: _lengthen(stage))


def _steps(told: Document, name: str) -> list[bytes]:
    steps = [from_base64url(step) for step in told[name]]
    expect(len(steps) <= 64 and all(len(step) == 32 for step in steps), f"{name} is not of hashes")
    return steps


# Leaves and roots


@topic.check("LED-1", "LED-2")
async def every_leaf_is_of_its_salt_and_entry(stage: Stage) -> None:
    """Each leaf is the hash of its salt and the canonical bytes of its entry, and the root is over them all."""
    long = await _long(stage)
    expect_equal(long.whole.seen, set(range(_LONG)), "entries whose bodies the owner sees")
    expect_equal(long.whole.size, _LONG, "entries after so many reads")


@topic.check("LED-1", cases={f"{size}": size for size in _SIZES})
async def root_is_over_the_leaves_at_every_size(stage: Stage, size: int) -> None:
    """At this size the checkpoint signs the root of the leaves up to it, and of no others."""
    grown = await _grown(stage)
    leaves = grown.last.leaves
    signed = grown.at(size)
    expect_equal(signed.size, size, "size in the checkpoint")
    expect(signed.root == root_hash(leaves[:size]), "another root than that of the first leaves")


@topic.check("LED-2")
async def salts_are_of_each_entry_alone(stage: Stage) -> None:
    """A salt has 32 bytes that no other entry's has, in any ledger, and stays the same when it is told again."""
    grown, long = await _grown(stage), await _long(stage)
    items = [*grown.last.items, *long.whole.items]
    salts = [from_base64url(item["salt"]) for item in items]
    expect_equal({len(salt) for salt in salts}, {32}, "bytes of the salts")
    expect_equal(len(set(salts)), len(salts), "different salts")
    halves = {half for salt in salts for half in (salt[:16], salt[16:])}
    expect_equal(len(halves), 2 * len(salts), "different halves of salts")
    bits = sum(byte.bit_count() for salt in salts for byte in salt) / (256 * len(salts))
    expect(0.47 < bits < 0.53, "the salts' bits are not drawn evenly")
    again = await book.of_owner(stage.owner, grown.vendor.grant)
    expect(again.items[: grown.last.size] == grown.last.items, "entries, salts or leaves changed since")


# Proofs


@topic.check("LED-16", "LED-1", cases={f"{size}": size for size in _SIZES})
async def every_entry_is_proven_at_every_size(stage: Stage, size: int) -> None:
    """At this size, the proof of every entry leads from its leaf to the checkpoint's root."""
    grown = await _grown(stage)
    expect_equal(len(grown.proofs[size]), size, "entries that were proven")
    for number, told in enumerate(grown.proofs[size]):
        book.expect_item(told, number)
        expect_equal(told["size"], size, "size of the proof")
        signed = book.checked(told["checkpoint"], grown.serving, grown.log)
        expect_equal(signed.size, size, "size of the checkpoint beside the proof")
        leaf = from_base64url(told["leaf"])
        expect(leaf == grown.last.leaves[number], f"the leaf of entry {number} changed when the ledger grew")
        try:
            root = root_from_inclusion(leaf, number, size, _steps(told, "proof"))
        except ValueError as error:
            raise Failed(f"entry {number} has {error}") from error
        expect(root == signed.root, f"the proof of entry {number} leads to another root")


@topic.check("LED-14", "LED-16", cases={f"{size}": size for size in _SIZES})
async def every_checkpoint_continues_all_before_it(stage: Stage, size: int) -> None:
    """From each size that the ledger has had, a proof of consistency leads to this one."""
    grown = await _grown(stage)
    leaves = grown.last.leaves
    for old, told in grown.continued[size].items():
        expect_equal(sorted(told), ["checkpoint", "consistency"], "members")
        signed = book.checked(told["checkpoint"], grown.serving, grown.log)
        expect_equal(signed.size, size, "size of the checkpoint")
        is_good = is_consistent(old, root_hash(leaves[:old]), size, signed.root, _steps(told, "consistency"))
        expect(is_good, f"the checkpoint of {size} is not proven to continue that of {old}")


@topic.check("LED-14")
async def all_checkpoints_of_a_ledger_are_of_one_tree(stage: Stage) -> None:
    """Of all checkpoints that were collected, those of one size have one root, and each lies in the last tree."""
    grown = await _grown(stage)
    notes = [told["checkpoint"] for size in _SIZES for told in grown.proofs[size]]
    notes += [told["checkpoint"] for size in _SIZES for told in grown.continued[size].values()]
    signed = {book.checked(note, grown.serving, grown.log) for note in notes}
    roots = {one.size: one.root for one in signed}
    expect(all(roots[one.size] == one.root for one in signed), "two roots of one size")
    expect_equal(sorted(roots), sorted(_SIZES), "sizes that were signed")
    expect(len(set(roots.values())) == len(roots), "one root for two sizes")
    for old, new in combinations(sorted(roots), 2):
        told = grown.continued[new].get(old)
        expect(told is not None, f"no proof from {old} to {new}")


@topic.check("LED-16", cases={f"part-{part}": part for part in range(4)})
async def proofs_of_a_long_ledger_hold(stage: Stage, part: int) -> None:
    """In a ledger of hundreds of entries each has its proof, and each earlier size its continuation."""
    long = await _long(stage)
    numbers = range(part, _LONG, 4)
    root, leaves = long.whole.checkpoint.root, long.whole.leaves
    entries = await book.all_of(book.told(long.vendor, f"/ledger/entries/{n}") for n in numbers)
    for number, told in zip(numbers, entries, strict=True):
        found = root_from_inclusion(leaves[number], number, _LONG, _steps(told, "proof"))
        expect(found == root, f"the proof of entry {number} leads to another root")
    links = await book.all_of(book.told(long.vendor, f"/ledger/checkpoint?from={n + 1}") for n in numbers)
    for number, told in zip(numbers, links, strict=True):
        old = number + 1
        is_good = is_consistent(old, root_hash(leaves[:old]), _LONG, root, _steps(told, "consistency"))
        expect(is_good, f"the ledger is not proven to continue its first {old} entries")


@topic.check(
    "HTTP-28",
    cases={
        "nothing": "0",
        "more": f"{_LONG + 1}",
        "far-more": "9" * 17,
        "negative": "-1",
        "word": "all",
        "empty": "",
    },
)
async def a_size_that_was_not_is_malformed(stage: Stage, size: str) -> None:
    """Consistency with a size that the ledger has not had is malformed; with one that it has had, proven."""
    long = await _long(stage)
    await book.told(long.vendor, f"/ledger/checkpoint?from={_LONG}")
    expect_problem(await long.vendor.get(f"/ledger/checkpoint?from={size}"), 400, "malformed")


@topic.check("HTTP-28", cases={"next": f"{_LONG}", "far": "9" * 17, "word": "first", "negative": "-1"})
async def an_entry_that_is_not_there_is_not_found(stage: Stage, number: str) -> None:
    """A number that no entry has is not-found, also for the vendor."""
    long = await _long(stage)
    await book.told(long.vendor, f"/ledger/entries/{_LONG - 1}")
    expect_problem(await long.vendor.get(f"/ledger/entries/{number}"), 404, "not-found")


# Checkpoints


@topic.check("LED-13", "HTTP-28")
async def every_route_tells_the_same_checkpoint(stage: Stage) -> None:
    """The checkpoint is the serving key's over this ledger, whichever route or signature asks for it."""
    long = await _long(stage)
    vendor = long.vendor
    owner = await stage.owner.do("GET", f"/grants/{vendor.grant}/ledger?limit=1")
    bundle = await stage.owner.do("GET", f"/grants/{vendor.grant}/ledger/bundle")
    notes = {"owner's page": owner["checkpoint"], "bundle": bundle["checkpoint"]}
    for by_did in (False, True):
        for below in (
            "",
            "/ledger/checkpoint",
            "/ledger/entries",
            "/ledger/entries/0",
            "/ledger/checkpoint?from=1",
        ):
            notes[f"{below} {by_did}"] = (await book.told(vendor, below, by_did=by_did))["checkpoint"]
    for below in ("/delivery", "/delivery/ledger/checkpoint", "/delivery/ledger/entries/0"):
        notes[below] = (await book.told(vendor, below))["checkpoint"]
    for where, note in notes.items():
        signed = book.checked(note, long.serving, long.log)
        expect(
            (signed.size, signed.root) == (_LONG, long.whole.checkpoint.root), f"{where} tells another head"
        )


@topic.check("LED-13")
async def another_key_does_not_sign_a_checkpoint(stage: Stage) -> None:
    """Neither the decision key nor a stranger's has signed it, and its text is three lines."""
    grown = await _grown(stage)
    note = grown.at(40).note
    expect_equal(note.partition("\n\n")[0].count("\n"), 2, "breaks between the lines of the text")
    decision = (await stage.owner.grant(grown.vendor.grant))["document"]["assigner"]
    for did in (decision, Key.fresh().did):
        try:
            open_checkpoint(note, did)
        except ValueError:
            continue
        expect(False, "the checkpoint is signed by a key that is not the serving key")


@topic.check("LED-13", "ROT-12")
async def a_checkpoint_is_by_the_key_that_stands(stage: Stage) -> None:
    """After a change of keys the new serving key signs, the ledger keeps its name, and the tree goes on."""
    shown = await stage.person(name="Ada")
    vendor = await stage.relate([shown.permission("delivery", ["name"])])
    await vendor.read("delivery")
    serving, log = await _keys_of(stage, vendor)
    before = await book.of_owner(stage.owner, vendor.grant)
    await stage.owner.change(vendor.grant, "rotate")
    fresh, same = await _keys_of(stage, vendor)
    expect(fresh != serving and same == log, "the change of keys changed no key, or the ledger's name")
    told = object_of(expect_status(await vendor.by_did("GET", vendor.path("/ledger/checkpoint?from=2")), 200))
    signed = book.checked(told["checkpoint"], fresh, log)
    is_good = is_consistent(2, before.checkpoint.root, signed.size, signed.root, _steps(told, "consistency"))
    expect(is_good and signed.size == 3, "the ledger does not go on after the change of keys")


@topic.check("LED-1", "LED-13")
async def every_grant_has_a_ledger_of_its_own(stage: Stage) -> None:
    """Two grants have ledgers of other names, keys and sizes, also if they are the same vendor's."""
    key, shown = Key.fresh(), await stage.person(name="Ada")
    one, other = [await stage.relate([shown.permission("delivery", ["name"])], key=key) for _ in range(2)]
    await one.read("delivery")
    first, second = [await book.of_owner(stage.owner, vendor.grant) for vendor in (one, other)]
    expect_equal((first.size, second.size), (2, 1), "entries of the two ledgers")
    expect(first.checkpoint.origin != second.checkpoint.origin, "two ledgers of one name")
    expect(not set(first.leaves) & set(second.leaves), "one leaf in two ledgers")


# Pages

_PAGES: Final[Mapping[str, tuple[str, int, int]]] = {
    "default": ("", 0, 100),
    "first": ("?first=7", 7, 100),
    "limit": ("?limit=3", 0, 3),
    "one": ("?first=0&limit=1", 0, 1),
    "most": ("?limit=500", 0, 500),
    "more-than-most": ("?limit=501", 0, 500),
    "far-more": ("?limit=99999999", 0, 500),
    "last": (f"?first={_LONG - 1}", _LONG - 1, 1),
    "end": (f"?first={_LONG - 2}&limit=50", _LONG - 2, 2),
    "past-the-end": (f"?first={_LONG}", _LONG, 0),
    "far-past-the-end": ("?first=99999999", _LONG, 0),
    "unknown-key": ("?limit=2&page=3", 0, 2),
}


@topic.check("HTTP-28", cases=_PAGES)
async def a_page_begins_and_ends_where_it_is_told(stage: Stage, case: tuple[str, int, int]) -> None:
    """A page has the entries from ``first`` on, ``limit`` of them: 100 if not said, and never more than 500."""
    long = await _long(stage)
    query, first, count = case
    vendor = await book.told(long.vendor, f"/ledger/entries{query}")
    owner = await stage.owner.do("GET", f"/grants/{long.vendor.grant}/ledger{query}")
    for page in (vendor, owner):
        expect_equal(sorted(page), ["checkpoint", "entries", "size"], "members of a page")
        expect_equal(page["size"], _LONG, "size")
        expect_equal(len(page["entries"]), count, "entries on the page")
        expect(page["entries"] == list(long.whole.items[first : first + count]), "other entries than these")


@topic.check(
    "HTTP-28",
    cases={
        name: f"?{name}" for name in ("first=-1", "first=x", "limit=-1", "limit=1.5", "first=", "limit=%20")
    },
)
async def a_page_of_no_numbers_is_malformed(stage: Stage, query: str) -> None:
    """What is no number cannot be where a page begins or how long it is."""
    long = await _long(stage)
    await book.told(long.vendor, "/ledger/entries?first=0&limit=1")
    expect_problem(await long.vendor.get(f"/ledger/entries{query}"), 400, "malformed")
