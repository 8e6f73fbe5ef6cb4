"""A round in which many readers, an editor and a person who changes a grant go at one node at once, written down.

Every event gets a number from one counter when it is begun and when its answer has come, so two events are known
to be one after the other only if a caller could know it too. Every edit writes its own number into what it edits.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from freehold_protocol.capability import Capability
from freehold_protocol.encoding import Document, parse_document
from freehold_protocol.keys import SigningKey
from harness import Held, House, permission

Kind = Literal["narrow", "pause", "end", "revoke", "delete"]
READERS = 32
CONTACTS = 5
FIELDS = ("name", "email", "telephone")
COURIER = SigningKey(b"\x17" * 32)
BOOK = permission("book", ["name"], about="any", purpose="dpv:Marketing", newRecords=True)


def delivery(fields: Iterable[str] = FIELDS, *, partner: bool = True) -> Document:
    return permission("delivery", fields, recipients=[COURIER.did] if partner else [])


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One request for data and what came back; ``document`` is what a GET brought, None where nothing did."""

    who: str
    permission: str
    method: str
    query: str
    route: str
    begun: int
    ended: int
    status: int
    code: str | None
    entry: int | None
    etag: str | None
    document: Document | None
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """One change of the person's: after it, what may be read is less. ``record`` is one that was deleted."""

    what: Kind
    begun: int
    acknowledged: int
    version: int
    record: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    number: int
    record: str
    begun: int
    acknowledged: int


@dataclass(slots=True)
class Book:
    """The records of a house as they are edited, over all rounds; number 0 stands for what was there first."""

    house: House
    clock: itertools.count[int] = field(default_factory=itertools.count)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    edits: list[Edit] = field(default_factory=list)
    me: str = ""
    cids: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def content(number: int) -> Document:
        texts = {name: f"{name}-{number}" for name in FIELDS}
        return {"type": "Person", **texts}

    async def add(self) -> str:
        number, begun = next(self.numbers), next(self.clock)
        made = await self.house.own("POST", "/records", {"content": self.content(number)})
        self.cids[made["id"]] = made["cid"]
        self.edits.append(Edit(number=number, record=made["id"], begun=begun, acknowledged=next(self.clock)))
        found: str = made["id"]
        return found

    async def fill(self) -> None:
        self.me = await self.add()
        await self.house.own("PUT", "/self", {"record": self.me})
        for _ in range(CONTACTS):
            await self.add()

    async def edit(self, record: str) -> None:
        """Edit a record; one that was deleted in the meantime is not edited."""
        number, begun = next(self.numbers), next(self.clock)
        path = "/records/" + record.removeprefix("urn:uuid:")
        body = {"content": self.content(number), "previous": self.cids.get(record, "gone")}
        reply = await self.house.owner("PUT", path, body)
        if reply.status == 404:
            return
        assert reply.status == 200, reply.body
        if record in self.cids:  # else its deletion was sent meanwhile
            self.cids[record] = reply.json["cid"]
        self.edits.append(Edit(number=number, record=record, begun=begun, acknowledged=next(self.clock)))

    async def delete(self, record: str) -> None:
        del self.cids[record]
        reply = await self.house.owner("DELETE", "/records/" + record.removeprefix("urn:uuid:"))
        assert reply.status == 204


class Round:
    """One relationship, raced for."""

    def __init__(self, book: Book, rng: random.Random, kind: Kind) -> None:
        self.book, self.house, self.rng, self.kind = book, book.house, rng, kind
        self.reads: list[Read] = []
        self.changes: list[Changed] = []
        self.over = asyncio.Event()
        self._go = asyncio.Event()
        self._edits = rng.random() < 0.5
        self._after = rng.randrange(0, 2 * READERS)

    async def run(self) -> None:
        self.held = await self._relate()
        self.courier = self.held.delegate(COURIER, path="/delivery")
        self.alias = await self._alias()
        editor = asyncio.create_task(self._edit())
        if not self._after:
            self._go.set()
        await asyncio.gather(
            self._change(),
            self._list(),
            self._read(self.courier),
            *(self._read(self.held) for _ in range(READERS)),
        )
        await editor

    async def _relate(self) -> Held:
        house, key = self.house, self.house.key()
        asked = [delivery(), BOOK]
        path, _ = await house.ask(key, asked)
        drawn = await house.own("POST", path + "/draft", {"permissions": asked})
        # By the node's own function: the passphrase costs a tenth of a second, and is not what is raced for.
        grant = await house.node.inbox.approve(path.rpartition("/")[2], drawn["digest"])
        told = await house.signed(key, "GET", path)
        capability = Capability.from_dict(told.json["capability"])
        return Held(house=house, key=key, grant=grant.id, capability=capability)

    async def _alias(self) -> str:
        standing = await self.house.node.store.read(
            lambda reader: reader.standing(self.house.node.owner, self.held.grant)
        )
        assert standing is not None
        keys = self.house.node.inspection._keys.of(standing.relationship, standing.key_epoch)
        self.alias_of: Callable[[str], str] = keys.alias_of
        return keys.alias_of(self.book.me)

    async def _pause(self) -> None:
        for _ in range(self.rng.randrange(4)):
            await asyncio.sleep(0)

    # Who takes part

    async def _read(self, who: Held) -> None:
        known = None
        for _ in range(2):
            known = await self._one(who, known) or known
        await self.over.wait()
        await self._one(who, known)

    async def _one(self, who: Held, known: str | None) -> str | None:
        await self._pause()
        single = f"/delivery/records/{self.alias}"
        choices: list[tuple[str, str, str, dict[str, str]]] = [
            ("GET", single, "", {}),
            ("GET", "/delivery/records", "", {}),
            ("GET", single, "fields=" + self.rng.choice(FIELDS), {}),
            ("HEAD", single, "", {}),
            ("GET", single, "", {"If-None-Match": known or '"none"'}),
        ]
        method, path, query, headers = self.rng.choice(choices)
        read = await self._send(who, method, path, query, headers)
        return read.etag if path == single and not query else None

    async def _list(self) -> None:
        """Page through the contacts, from the start again where the cursor has become stale."""
        cursor, pages = "", 0
        while pages < 6:
            query = "limit=2" + (f"&cursor={cursor}" if cursor else "")
            read = await self._send(self.held, "GET", "/book/records", query, {})
            cursor = (read.document or {}).get("next", "")
            pages += 1
            await self._pause()
        await self.over.wait()
        await self._send(self.held, "GET", "/book/records", "", {})

    async def _send(self, who: Held, method: str, path: str, query: str, headers: dict[str, str]) -> Read:
        begun = next(self.book.clock)
        target = path + (f"?{query}" if query else "")
        reply = await who.get(target, method=method, headers=headers)
        ended = next(self.book.clock)
        template = "/g/{grant}/{permission}/records" + ("/{alias}" if path.count("/") > 2 else "")
        read = Read(
            who=who.key.did, permission=path.split("/")[1], method=method, query=query, route=template,
            begun=begun, ended=ended, status=reply.status,
            code=None if method == "HEAD" else reply.code,
            entry=int(reply.headers["Freehold-Entry"]) if "Freehold-Entry" in reply.headers else None,
            etag=reply.headers.get("ETag"),
            document=parse_document(reply.body) if reply.status == 200 and reply.body else None,
            body=reply.body,
        )  # fmt: skip
        self.reads.append(read)
        if len(self.reads) >= self._after:
            self._go.set()
        return read

    async def _edit(self) -> None:
        # Without edits in every other round: they make views stale too, and would hide what a change must do.
        while self._edits and not self.over.is_set():
            await self._pause()
            await self.book.edit(self.rng.choice([self.book.me, *self.book.cids]))

    async def _change(self) -> None:
        await self._go.wait()
        acts: dict[Kind, Callable[[], Awaitable[int]]] = {
            "narrow": self._narrow, "pause": self._stop, "end": self._stop, "revoke": self._revoke,
            "delete": self._delete,
        }  # fmt: skip
        kinds: list[Kind] = [self.kind]
        if self.kind != "end" and self.rng.random() < 0.3:
            kinds.append("end")
        for kind in kinds:
            self._doing, self._deleted = kind, ""
            begun = next(self.book.clock)
            version = await acts[kind]()
            self.changes.append(
                Changed(
                    what=kind, begun=begun, acknowledged=next(self.book.clock),
                    version=version, record=self._deleted or None,
                )
            )  # fmt: skip
            await self._pause()
        self.over.set()

    async def _carry_out(self, body: Document) -> int:
        version: int = (await self.house.change(self.held.grant, body.pop("change"), **body))["version"]
        return version

    async def _stop(self) -> int:
        return await self._carry_out({"change": self._doing})

    async def _narrow(self) -> int:
        fewer = self.rng.sample(FIELDS, self.rng.randrange(1, len(FIELDS)))
        left = self.rng.choice(
            [
                [delivery(fewer), BOOK],
                [delivery(fewer), BOOK],
                [delivery()],
                [BOOK],
                [delivery(partner=False), BOOK],
            ]
        )
        return await self._carry_out({"change": "narrow", "permissions": left})

    async def _revoke(self) -> int:
        grant = self.held.grant
        if self.rng.random() < 0.5:
            done = await self.house.own("POST", f"/grants/{grant}/revocations", {"partner": COURIER.did})
            assert done == {"revoked": True}
        else:
            capability = self.courier.capability
            path = f"/g/{grant}/zcaps/revocations/{capability.id.replace(':', '%3A')}"
            signer = self.rng.choice([self.held.key, COURIER])
            reply = await self.house.signed(signer, "POST", path, capability.document)
            assert reply.status == 204, reply.body
        return 0

    async def _delete(self) -> int:
        self._deleted = self.rng.choice(sorted(self.book.cids.keys() - {self.book.me}))
        await self.book.delete(self._deleted)
        return 0

    async def told(self) -> tuple[dict[int, Document], Document]:
        """Return the grant's versions by number, and its ledger as a bundle."""
        seen: Any = await self.house.own("GET", f"/grants/{self.held.grant}")
        versions = {version["version"]: version for version in seen["receipt"]["versions"]}
        bundle = await self.house.own("GET", f"/grants/{self.held.grant}/ledger/bundle")
        return versions, json.loads(json.dumps(bundle))
