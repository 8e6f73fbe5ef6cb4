"""Vendors who compare all that they received find nothing of one person in common but what was shown to both.

Each goes through a whole life with the person. Every token of what each received is compared with every other's, also
inside base64, base58, hex, gzip and JSON. Exempt are, by rule and not by hand: the values that were shown to both, the
words of the protocol, the node's address, times in whole seconds, and the plain words of problems and of HTTP.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from itertools import combinations
from typing import Any, Final

from ..cast.holder import Holder
from ..cast.overheard import Overheard
from ..cast.stage import Stage, permission
from ..check import Topic, expect, expect_equal, expect_problem, expect_status, object_of
from ..hands.encoding import Document, jcs
from ..hands.keys import Key
from ..hands.tokens import Token, tokens_of, tokens_of_address, tokens_of_words
from ..wire import Answer
from .ledger_admitted import chain_of
from .released import alias_of
from .selected import query_of

topic = Topic()

_HTTP: Final = [
    "HTTP/1.1 Connection: close keep-alive Content-Length Content-Type Cache-Control Transfer-Encoding chunked ETag",
    "application/json application/problem+json text/event-stream charset=utf-8 utf-8 no-store Location Allow",
    "X-Content-Type-Options nosniff Referrer-Policy no-referrer Freehold-Entry Freehold-Code Retry-After Vary",
    *(status.phrase for status in HTTPStatus),
]
_PROBLEM: Final = re.compile(rb'"(?:title|detail)": ?"((?:[^"\\]|\\.)*)"')
_PLAIN: Final = re.compile(r"[A-Za-z]{1,24}")


@dataclass(slots=True)
class Plan:
    """What one vendor asks, under names and purposes that no other has."""

    shop: str
    person: str
    people: str
    few: str
    purpose: str
    retention: str
    key: Key
    partner: Key

    def permissions(self, tag: str, *, without: str = "") -> list[Document]:
        """Return what is asked for, or given: all but one field."""
        more: dict[str, Any] = {
            "purpose": self.purpose,
            "retention": self.retention,
            "recipients": [self.partner.did],
        }
        fields = ["name", "email", "knows", "address.postalCode"]
        kept = [field for field in fields if field != without]
        self_fields = [field for field in ("name", "email", "telephone") if field != without]
        return [
            permission(self.person, self_fields, about="self", **more),
            permission(self.people, kept, about="any", where={"worksFor": tag}, newRecords=True, **more),
            permission(self.few, ["name"], about="any", where={"worksFor": tag}, limits={"reads": 1}, **more),
        ]


_PLANS: Final = (
    ("Corner Shop", "delivery", "neighbours", "trial", "dpv:DeliveryOfGoods", "P30D"),
    ("Some Newspaper", "subscription", "readers", "sample", "dpv:Marketing", "P3M"),
    ("A Library", "lending", "borrowers", "glimpse", "dpv:Personalisation", "P2W"),
)


@dataclass(frozen=True, slots=True)
class Compared:
    """What several vendors received, cut into tokens, and what of it is exempt."""

    received: tuple[list[bytes], ...]
    exempt: frozenset[Token]

    def shared(self) -> set[Token]:
        """Return what at least two received that is not exempt."""
        cut = [tokens_of(received) for received in self.received]
        plain = [_plain_words(received) for received in self.received]
        found: set[Token] = set()
        for (one, words), (other, more) in combinations(zip(cut, plain, strict=True), 2):
            found |= {
                token for token in (one & other) - self.exempt if not (token in words and token in more)
            }
        return found


def _plain_words(received: list[bytes]) -> set[Token]:
    """Return the words of letters that stand in what problems say to people."""
    texts = (told.decode("utf-8", "replace") for raw in received for told in _PROBLEM.findall(raw))
    return {word for text in texts for word in re.findall(r"[\w-]+|\w+", text) if _PLAIN.fullmatch(word)}


class _Life:
    """One vendor's life with the person, over a wire that keeps what comes."""

    def __init__(self, stage: Stage, plan: Plan, tag: str) -> None:
        self.wire = Overheard(stage.wire.origin)
        self.stage = Stage(wire=self.wire, owner=stage.owner)
        self.plan, self.tag = plan, tag

    async def live(self) -> None:
        """Go through everything that a vendor and its partner can do."""
        plan, stage = self.plan, self.stage
        await self.wire.send("GET", "/.well-known/freehold")
        assignee = {"id": plan.key.did, "type": "Organization", "name": plan.shop}
        asked = await stage.ask(plan.key, plan.permissions(self.tag), assignee=assignee)
        expect_status(await asked.follow(), 200)
        expect_problem(await asked.follow(key=Key.fresh()), 404, "not-found")
        await stage.owner.approve(asked.id, plan.permissions(self.tag))
        self.vendor = await asked.holder()
        await self.look()
        await self.read()
        await self.be_refused()
        await self.share()
        await self.hear_of_a_narrowing()
        await self.look()
        await stage.owner.change(self.vendor.grant, "widen", permissions=plan.permissions(self.tag))
        await self.read()
        await stage.owner.change(self.vendor.grant, "pause")
        expect_problem(await self.vendor.get(f"/{plan.person}/records"), 403, "grant-paused")
        expect_status(await asked.follow(), 200)
        await stage.owner.change(self.vendor.grant, "resume")
        await self.be_given_new_keys()
        await self.read()
        await self.lose_the_partner()
        await self.be_turned_down()
        await stage.owner.change(self.vendor.grant, "end")
        expect_problem(await self.vendor.get(f"/{plan.person}/records"), 403, "grant-ended")
        await self.look()
        expect_status(await asked.follow(), 200)

    async def _get(self, below: str, *codes: int, method: str = "GET") -> Answer:
        return expect_status(await self.vendor.get(below, method=method), *(codes or (200,)))

    async def look(self) -> None:
        """Look at all that is told of the grant and its ledger, by capability and by DID."""
        for below in (
            "",
            "?from=1",
            "/ledger/entries",
            "/ledger/entries/0",
            "/ledger/checkpoint",
            "/ledger/checkpoint?from=1",
        ):
            await self._get(below)
            expect_status(await self.vendor.by_did("GET", self.vendor.path(below)), 200)
        for below in ("", "/ledger/entries", "/ledger/checkpoint?from=1"):
            await self._get(f"/{self.plan.person}{below}")

    async def read(self) -> None:
        """Read pages and records, in every way."""
        plan = self.plan
        people = f"/{plan.people}/records"
        for below in (
            f"/{plan.person}/records",
            people,
            f"{people}?fields=name",
            f"{people}?{query_of({'name': 'Bea Example'})}",
        ):
            answer = await self._get(below)
            tag = {"if-none-match": answer.headers["etag"]}
            expect_status(await self.vendor.get(below, headers=tag), 304)
            await self._get(below, method="HEAD")
            for item in object_of(answer)["items"]:
                await self._get(f"{below.partition('?')[0]}/{alias_of(item)}")
        first = object_of(await self._get(f"{people}?limit=1"))
        await self._get(f"{people}?limit=1&cursor={first['next']}")

    async def be_refused(self) -> None:
        """Hear every kind of refusal that can be had without the owner."""
        vendor, plan = self.vendor, self.plan
        people = f"/{plan.people}/records"
        await self._get(f"/{plan.few}/records")
        for below in (
            f"/{plan.few}/records", f"{people}?fields=telephone", f"{people}?cursor=abc", f"{people}?page=1",
            f"{people}/z{'5' * 43}", "/other/records", "/ledger/entries/9999", "/ledger/checkpoint?from=9999",
        ):  # fmt: skip
            expect((await vendor.get(below)).status >= 400, "a refusal was none")
        stranger = Key.fresh()
        for answer in (
            await vendor.get(people, key=stranger), await vendor.get(people, action="write"),
            await vendor.get(people, created_s=1_000_000_000), await vendor.get(people, uri=vendor.origin + "/other"),
            await vendor.by_did("GET", vendor.path(), key=stranger),
            await vendor.delegate(f"/{plan.people}").get(people),
            await vendor.by_did("POST", vendor.path("/renew"), key=stranger),
        ):  # fmt: skip
            expect(answer.status >= 400, "a refusal was none")

    async def share(self) -> None:
        """Delegate to the partner; what it receives is the vendor's too."""
        plan = self.plan
        self.partner = self.vendor.delegate(f"/{plan.people}", key=plan.partner)
        for below in ("/records", "", "/ledger/entries", "/ledger/checkpoint?from=1"):
            expect_status(await self.partner.get(f"/{plan.people}{below}"), 200)
        expect_problem(await self.partner.get(f"/{plan.person}/records"), 403, "wrong-target")

    async def hear_of_a_narrowing(self) -> None:
        """Listen, be narrowed, and go on listening after that."""
        less = self.plan.permissions(self.tag, without="email")
        async with self.vendor.listen() as whole, self.vendor.listen(f"/{self.plan.people}") as part:
            heard = [await stream.next(20) for stream in (whole, part)]
            await self.stage.owner.change(self.vendor.grant, "narrow", permissions=less)
            heard += [await stream.next(20) for stream in (whole, part)]
        names = [event.name if event else "closed" for event in heard]
        expect_equal(names, ["ready", "ready", "grant", "grant"], "events")
        async with self.vendor.listen(Last_Event_ID="garbage") as again:
            event = await again.next(20)
            expect(event is not None and event.name == "reset", "no reset after a strange id")

    async def be_given_new_keys(self) -> None:
        """Go on under new keys, with a fresh capability."""
        await self.stage.owner.change(self.vendor.grant, "rotate")
        expect_problem(await self.vendor.get(f"/{self.plan.person}/records"), 403, "revoked")
        answer = await self.vendor.by_did("POST", self.vendor.path("/renew"))
        self.vendor = replace(self.vendor, capability=object_of(expect_status(answer, 200))["capability"])

    async def lose_the_partner(self) -> None:
        """Pass on again, take it back, and have the person cut the partner off."""
        given: Holder = self.vendor.delegate(f"/{self.plan.people}", key=self.plan.partner)
        expect_status(await given.get(f"/{self.plan.people}/records"), 200)
        expect_status(await self.vendor.renounce(given.capability), 204)
        expect_problem(await given.get(f"/{self.plan.people}/records"), 403, "revoked")
        await self.stage.owner.revoke(self.vendor.grant, partner=self.plan.partner.did)
        await self.stage.owner.revoke(self.vendor.grant, capability=chain_of(given.capability)[-1])
        await self.look()

    async def be_turned_down(self) -> None:
        """Ask again, wrongly and rightly, and be refused."""
        plan = self.plan
        again = permission(plan.few, ["name"], purpose=plan.purpose, retention=plan.retention)
        assignee = {"id": plan.key.did, "type": "Organization", "name": plan.shop}
        asked = await self.stage.ask(plan.key, [again], assignee=assignee)
        await self.stage.owner.refuse(asked.id, reason=f"Sorry {plan.shop}")
        expect_status(await asked.follow(), 200)
        wrong = self.stage.request(plan.key, [again], assignee=assignee, permission=None)
        expect((await self.stage.post_request(await self.stage.owner.invite(), wrong)).status >= 400, "taken")


_VALUES: Final[Mapping[str, Document]] = {
    "Bea": {"name": "Bea Example", "email": "bea@example.com", "address": [
        {"type": "PostalAddress", "postalCode": "EX12 3AB", "streetAddress": "2 Hidden Lane"}]},
    "Cyd": {"name": "Cyd Example", "email": ["cyd@example.com", "cyd2@example.com"], "telephone": "+44 1632 960777"},
}  # fmt: skip


async def _make(stage: Stage) -> Compared:
    own = await stage.self_record()
    tag = (await stage.person()).tag
    for values in _VALUES.values():
        friend = {"type": "Person", "worksFor": tag, "knows": own.id, **values}
        await stage.owner.add(friend)
    plans = [Plan(*names, key=Key.fresh(), partner=Key.fresh()) for names in _PLANS]
    lives = [_Life(stage, plan, tag) for plan in plans]
    await asyncio.gather(*(life.live() for life in lives))
    shown = [own.content, *_VALUES.values()]
    exempt = tokens_of([*map(jcs, shown), *(text.encode() for text in _HTTP)])
    exempt |= tokens_of_words() | tokens_of_address(stage.origin) | tokens_of_address(stage.wire.origin)
    exempt |= tokens_of([b"worksFor " + tag.encode()])  # what each of them asked by
    received = tuple([bytes(one) for one in life.wire.received] for life in lives)
    return Compared(received, frozenset(exempt))


async def _compared(stage: Stage) -> Compared:
    return await stage.once("vendors who compare", lambda: _make(stage))


@topic.check("PRV-1", "IDN-9", "HTTP-34", "SEC-9", "IDN-10", "IDN-11", "REL-9", "HTTP-51", "PRV-2")
async def vendors_who_compare_find_nothing_in_common(stage: Stage) -> None:
    """In all that three vendors received in a whole life each, nothing is the same but what is exempt by rule."""
    compared = await _compared(stage)
    shared = compared.shared()
    words = sorted(token if isinstance(token, str) else token.hex() for token in shared)
    expect(not shared, f"{len(words)} things that two vendors received: {' '.join(words)[:600]}")


@topic.check("PRV-1", "IDN-9", "SEC-2")
async def what_is_compared_is_a_whole_life(stage: Stage) -> None:
    """Each received the values that it was shown, documents, ledgers and events, so there was something to compare."""
    compared = await _compared(stage)
    for received in compared.received:
        whole = b"".join(received)
        for text in (
            b"Bea Example",
            b"cyd2@example.com",
            b"ReleasedPage",
            b"freehold/ledger/",
            b"event: grant",
            b"Receipt",
        ):
            expect(text in whole, f"{text!r} was not among what a vendor received")
        expect(
            b"Hidden Lane" not in whole and b"1632 960777" not in whole,
            "a vendor received what was not shown",
        )
        expect(len(tokens_of(received)) > 5_000, "too little to compare")


@topic.check("HTTP-6", "PRV-1", "IDN-9", "PRV-3")
async def no_header_is_the_node_s_own(stage: Stage) -> None:
    """In no response of a whole life is a header that tells the node's clock, its software or a thing of its own."""
    compared = await _compared(stage)
    told = {
        line.partition(b":")[0].lower().decode("latin-1")
        for received in compared.received for raw in received
        for line in raw.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
    }  # fmt: skip
    expect(len(told) > 5, "no headers were received")
    strange = told & {
        "date",
        "server",
        "x-powered-by",
        "via",
        "set-cookie",
        "last-modified",
        "age",
        "expires",
        "report-to",
    }
    expect(not strange, f"headers {sorted(strange)}")
