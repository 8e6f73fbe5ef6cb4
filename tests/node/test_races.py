"""Reads that race what takes away their right: the view that is sent is the one that stood at admission.

Every kind of change is raced in 24 rounds; with ``--thorough``, as in CI, in 52.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from pathlib import Path
from typing import Any, cast

import pytest
from freehold_protocol.bundle import verify_bundle
from freehold_protocol.canonical import jcs, without_proof
from freehold_protocol.encoding import Document, base64url_decode
from freehold_protocol.keys import PublicKey
from freehold_protocol.ledger import query_digest, released_digest
from freehold_protocol.released import verify_released
from harness import open_house
from race import COURIER, FIELDS, READERS, Book, Changed, Kind, Read, Round

ROUNDS, ALL_ROUNDS = 12, 26
"""In each of two halves: by default, and with ``--thorough``."""
_NUMBER = re.compile(r"[a-z]+-(\d+)\Z")
REFUSALS = {"grant-paused", "grant-ended", "revoked", "not-shared", "wrong-controller", "cursor-stale"}


class Judge:
    """Holds all that a round's callers saw against the ledger of its grant."""

    def __init__(self, race: Round, versions: dict[int, Document], bundle: Document) -> None:
        self.race, self.book, self.versions, self.bundle = race, race.book, versions, bundle
        self.items: list[Document] = bundle["entries"]
        self.entries: list[Document] = [item["entry"] for item in self.items]
        self.key = PublicKey.from_did(bundle["servingKey"])
        self.data = [read for read in race.reads if read.status in (200, 304)]
        self.by_alias = {
            "urn:freehold:" + race.alias_of(edit.record): edit.record for edit in self.book.edits
        }

    def judge(self) -> None:
        verdict = verify_bundle(self.bundle, key=PublicKey.from_did(self.versions[1]["servingKey"]))
        assert (verdict.status, verdict.faults) == ("intact", ())
        self.each_answer_has_its_entry()
        self.no_entry_after_what_stopped_it()
        for read in self.data:
            self.bound(read)
            self.in_the_view_at_admission(read)
            self.not_after_an_acknowledgement(read)
        self.values_in_order()
        self.refusals_have_a_reason()

    def entry(self, read: Read) -> Document:
        assert read.entry is not None
        return self.entries[read.entry]

    def each_answer_has_its_entry(self) -> None:
        named = [read.entry for read in self.data]
        assert len(set(named)) == len(named)
        admitted = [entry["number"] for entry in self.entries if entry["kind"] == "admitted"]
        assert (
            sorted(cast("list[int]", named)) == admitted
        )  # no connection was dropped: the reverse holds too
        assert all(read.entry is None for read in self.race.reads if read.status not in (200, 304))

    def no_entry_after_what_stopped_it(self) -> None:
        version, live, revoked = 0, False, set[str]()
        for entry in self.entries:
            if entry["kind"] == "changed":
                version = entry["version"]
                live = self.versions[version]["state"] == "live"
                if entry["change"] == "revoke":
                    revoked.add(COURIER.did)
            elif entry["kind"] == "admitted":
                assert live
                assert entry["version"] == version
                assert entry["who"] not in revoked

    def bound(self, read: Read) -> None:
        """The entry says of this read what its caller knows, and binds the very bytes that came."""
        entry, item = self.entry(read), self.items[cast("int", read.entry)]
        salt = base64url_decode(item["salt"])
        assert (entry["who"], entry["method"], entry["permission"]) == (
            read.who,
            read.method,
            read.permission,
        )
        assert (entry["route"], entry["status"], entry["action"]) == (read.route, read.status, "read")
        assert entry.get("query") == (query_digest(salt, read.query) if read.query else None)
        came = (
            [read.document] if read.document else [one.document for one in self.data if one.etag == read.etag]
        )
        for document in came:
            if document is not None:
                assert entry["released"] == released_digest(salt, jcs(without_proof(document)))
        if read.document is not None:
            verify_released(read.document, key=self.key)
            assert entry["count"] == len(read.document.get("items", [read.document]))

    def in_the_view_at_admission(self, read: Read) -> None:
        entry = self.entry(read)
        version = self.versions[entry["version"]]
        (permission,) = [one for one in version["permission"] if one["name"] == read.permission]
        if read.who == COURIER.did:
            assert COURIER.did in permission.get("recipients", [])
        shown = set(permission["items"][0]["fields"])
        asked = (
            set(read.query.removeprefix("fields=").split(",")) if read.query.startswith("fields=") else shown
        )
        assert asked <= shown
        assert set(entry["fields"]) == asked
        for document in documents_of(read):
            assert document.keys() & set(FIELDS) == asked
            assert not set(FIELDS) - asked & set(re.findall(r'"(name|email|telephone)"', read.body.decode()))
        if read.permission == "delivery":
            assert {self.by_alias[one["id"]] for one in documents_of(read)} <= {self.book.me}

    def not_after_an_acknowledgement(self, read: Read) -> None:
        entry = self.entry(read)
        for change in self.race.changes:
            if read.begun > change.acknowledged:
                self.obeyed(change, read, entry)
            if read.ended < change.begun and change.version:
                assert entry["version"] < change.version

    def obeyed(self, change: Changed, read: Read, entry: Document) -> None:
        assert change.what not in ("pause", "end")
        assert entry["version"] >= change.version
        assert change.what != "revoke" or read.who != COURIER.did
        shown = [self.by_alias[one["id"]] for one in documents_of(read)]
        assert change.record not in shown

    def values_in_order(self) -> None:
        """Each answer is the state after some edit: acknowledged before it began at the earliest, in ledger order."""
        at = 0
        for read in sorted(self.data, key=lambda read: cast("int", read.entry)):
            if read.document is None:
                continue
            least, most = self.states_of(read)
            begun = max((one.number for one in self.book.edits if one.acknowledged < read.begun), default=0)
            to_come = {one.number for one in self.book.edits if one.begun > read.ended}
            assert most >= begun, "older than an edit that was acknowledged before"
            assert least not in to_come, "from the future"
            at = max(at, least, begun)
            assert at <= most, "the ledger's order is not that of what was read"

    def states_of(self, read: Read) -> tuple[int, int]:
        """Return the first and the last edit after which the records were as they came."""
        least, most = 0, 2**62
        for document in documents_of(read):
            found = {
                int(cast("re.Match[str]", _NUMBER.match(document[name]))[1])
                for name in FIELDS
                if name in document
            }
            assert len(found) == 1, "two versions of a record in one document"
            (number,) = found
            record = self.by_alias[document["id"]]
            later = [one.number for one in self.book.edits if one.record == record and one.number > number]
            least, most = max(least, number), min([most, *(one - 1 for one in later)])
        return least, most

    def refusals_have_a_reason(self) -> None:
        first = min(change.begun for change in self.race.changes)
        for read in self.race.reads:
            if read.status in (200, 304):
                continue
            assert read.status in (403, 409), read
            assert read.ended > first, "refused before anything was changed"
            assert read.method == "HEAD" or read.code in REFUSALS, read.code


def documents_of(read: Read) -> list[Document]:
    if read.document is None:
        return []
    found: list[Document] = read.document.get("items", [read.document])
    return found


@pytest.mark.requirement("HTTP-38", "HTTP-39", "GRA-13", "SEC-4")
@pytest.mark.asyncio
@pytest.mark.parametrize("half", [0, 1])
@pytest.mark.parametrize("kind", ["narrow", "pause", "end", "revoke", "delete"])
async def test_no_read_outruns_a_change(tmp_path: Path, kind: Kind, half: int, thorough: bool) -> None:
    rng = random.Random(f"{kind} {half}")
    seen: Counter[Any] = Counter()
    async with open_house(tmp_path / "node", seed=half + 1) as house:
        book = Book(house)
        await book.fill()
        rounds = ALL_ROUNDS if thorough else ROUNDS
        for _ in range(rounds if kind != "delete" else rounds // 3):
            race = Round(book, random.Random(rng.random()), kind)
            await race.run()
            Judge(race, *await race.told()).judge()
            seen.update(read.status for read in race.reads)
            seen["racing"] += sum(
                read.begun < change.acknowledged and read.ended > change.begun
                for read in race.reads
                for change in race.changes
            )
            if kind == "delete":
                await book.add()
        assert seen["racing"] > READERS, "nothing was raced"
        assert seen[200] > READERS * rounds or kind == "delete"
        assert (await house.own("POST", "/verify", {}))["intact"]
