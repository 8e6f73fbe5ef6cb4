"""A ledger as one of those sees it who may: all its entries, proven to be those that its checkpoint signs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ..check import Failed, expect, expect_equal, expect_status, object_of
from ..hands.encoding import Document, Json, from_base64url
from ..hands.merkle import Checkpoint, leaf_hash, open_checkpoint, root_hash
from ..wire import Answer
from .holder import Holder
from .owner import Owner

_Got = TypeVar("_Got")
_AT_ONCE = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """All entries of a ledger, and its checkpoint.

    Attributes:
        items: The entries as they were told: ``number``, ``leaf``, and ``entry`` and ``salt`` where they are seen.
        checkpoint: By the serving key that stands, over exactly these.
    """

    items: tuple[Document, ...]
    checkpoint: Checkpoint

    @property
    def size(self) -> int:
        return len(self.items)

    @property
    def leaves(self) -> list[bytes]:
        return [from_base64url(item["leaf"]) for item in self.items]

    @property
    def entries(self) -> list[Document]:
        """The bodies that are seen, in order."""
        return [item["entry"] for item in self.items if "entry" in item]

    @property
    def seen(self) -> set[int]:
        """The numbers of the entries whose bodies are seen."""
        return {item["number"] for item in self.items if "entry" in item}

    def of(self, kind: str) -> list[Document]:
        return [entry for entry in self.entries if entry["kind"] == kind]

    def after(self, size: int) -> list[Document]:
        """Return the bodies of the entries that came after the first ``size``; all of them must be seen."""
        return [item["entry"] for item in self.items[size:]]


def expect_item(item: Json, number: int) -> Document:
    """Check one entry as it is told: its members, its number, and that body and salt give its leaf."""
    if not isinstance(item, dict):
        raise Failed("an entry that is no object")
    members = set(item) - {"size", "proof", "checkpoint"}
    expect(
        members in ({"number", "leaf"}, {"number", "leaf", "entry", "salt"}),
        f"entry {number} has the members {sorted(members)}",
    )
    expect_equal(item["number"], number, "number of an entry")
    leaf = from_base64url(item["leaf"])
    expect_equal(len(leaf), 32, "bytes of a leaf")
    if "entry" in item:
        expect_equal(item["entry"].get("number"), number, "number in the body of an entry")
        expect(
            leaf_hash(item["entry"], item["salt"]) == leaf, f"the leaf of entry {number} is not of its entry"
        )
    return item


def bound(pages: Iterable[Document], serving: str, log: str) -> Book:
    """Return the book that pages make up, or raise Failed: the last of them tells its size and checkpoint."""
    items: list[Document] = []
    page: Document = {}
    for page in pages:
        expect_equal(sorted(page), ["checkpoint", "entries", "size"], "members of a page of the ledger")
        items += [expect_item(item, len(items) + at) for at, item in enumerate(page["entries"])]
    expect_equal(len(items), page["size"], "entries on the pages of the ledger")
    signed = checked(page["checkpoint"], serving, log)
    expect_equal(signed.size, len(items), "size in the checkpoint")
    book = Book(items=tuple(items), checkpoint=signed)
    expect(root_hash(book.leaves) == signed.root, "the checkpoint's root is not that of the leaves")
    return book


def checked(note: str, serving: str, log: str) -> Checkpoint:
    """Return a checkpoint that is signed by this serving key for this ledger, or raise Failed."""
    try:
        signed = open_checkpoint(note, serving)
    except ValueError as error:
        raise Failed(f"the checkpoint is {error}") from error
    expect_equal(signed.origin, log, "origin of the checkpoint")
    return signed


async def of_owner(owner: Owner, grant: str, *, limit: int = 500) -> Book:
    """Return a ledger as the owner sees it; it must not grow meanwhile, but at its end."""
    standing = (await owner.grant(grant))["document"]
    pages: list[Document] = []
    while not pages or sum(len(page["entries"]) for page in pages) < pages[-1]["size"]:
        first = sum(len(page["entries"]) for page in pages)
        page = await owner.do("GET", f"/grants/{grant}/ledger?first={first}&limit={limit}")
        expect(bool(page["entries"]), "a page of the ledger without entries, before its end")
        pages.append(page)
    return bound(pages, standing["servingKey"], standing["log"])


async def of_holder(holder: Holder, below: str = "", *, serving: str, log: str, by_did: bool = False) -> Book:
    """Return a ledger as a holder sees it at a path below the grant, by its capability or its DID."""
    pages: list[Document] = []
    while not pages or sum(len(page["entries"]) for page in pages) < pages[-1]["size"]:
        first = sum(len(page["entries"]) for page in pages)
        page = await told(holder, f"{below}/ledger/entries?first={first}&limit=500", by_did=by_did)
        expect(bool(page["entries"]), "a page of the ledger without entries, before its end")
        pages.append(page)
    return bound(pages, serving, log)


async def ask(holder: Holder, below: str, *, by_did: bool = False, method: str = "GET") -> Answer:
    """Send a request to a path below the grant, by the holder's capability or its DID."""
    if by_did:
        return await holder.by_did(method, holder.path(below))
    return await holder.get(below, method=method)


async def told(holder: Holder, below: str, *, by_did: bool = False) -> Document:
    """Return the JSON of a good answer."""
    return object_of(expect_status(await ask(holder, below, by_did=by_did), 200))


async def all_of(waited: Iterable[Awaitable[_Got]]) -> Sequence[_Got]:
    """Await many things, a few at a time; return what came of them, in order."""
    turn = asyncio.Semaphore(_AT_ONCE)

    async def one(thing: Awaitable[_Got]) -> _Got:
        async with turn:
            return await thing

    return await asyncio.gather(*(one(thing) for thing in waited))
