"""What each kind of read writes into the ledger: one entry, whose every member follows from what was sent and came."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from ..cast import book
from ..cast.holder import Holder
from ..cast.stage import Shown, Stage, permission
from ..check import Failed, Profile, Topic, expect, expect_equal, expect_status
from ..hands import capability as capabilities
from ..hands.encoding import Document, base64url, from_xsd_time, jcs, sha256, strict_json
from ..hands.keys import Key, public_of
from ..hands.ledger import misformed
from ..hands.merkle import digest_under
from ..hands.released import unsigned
from ..wire import Answer

topic = Topic()

_FIELDS: Final = ["name", "email", "address.postalCode"]
_AT_ONCE: Final = 24
_SIGNATURE: Final = re.compile(r'(?:sig=:|signature=")([A-Za-z0-9+/=]+)')


@dataclass(frozen=True, slots=True)
class Shop:
    """A vendor with two records to read, a partner of it, and the partner's own partner."""

    holders: Mapping[str, Holder]
    shown: tuple[Shown, ...]
    records: str
    record: str

    @property
    def grant(self) -> str:
        return self.holders["vendor"].grant


async def make_shop(stage: Stage) -> Shop:
    """Make a relationship of its own; the holders are ``vendor``, ``partner``, ``sub-partner`` and ``ezcap``."""
    tag = (await stage.person(name="Ada", email="ada@example.com")).tag
    shown = [
        Shown(id=await stage.owner.add(content), tag=tag, content=content)
        for number in (1, 2, 3)
        for content in [{
            "type": "Person", "name": f"Bea {number}", "email": f"bea{number}@example.com", "worksFor": tag,
            "address": {"type": "PostalAddress", "postalCode": f"EX{number} 2AB", "streetAddress": "1 Row"},
        }]
    ]  # fmt: skip
    partner, below = Key.fresh(), Key.fresh()
    given = permission(
        "delivery", _FIELDS, about="any", where={"worksFor": tag}, recipients=[partner.did, below.did]
    )
    vendor = await stage.relate(
        [given, permission("empty", ["name"], about="any", where={"worksFor": "no " + tag})]
    )
    told = vendor.delegate("/delivery", key=partner)
    holders = {
        "vendor": vendor, "partner": told, "sub-partner": told.delegate("/delivery", key=below),
        "ezcap": replace(vendor, ezcap=True),
    }  # fmt: skip
    routes = strict_json((await stage.wire.send("GET", "/.well-known/freehold")).body)["routes"]
    return Shop(holders, tuple(shown), routes["records"], routes["record"])


async def _shop(stage: Stage) -> Shop:
    return await stage.once("a shop to read from", lambda: make_shop(stage))


@dataclass(frozen=True, slots=True)
class Read:
    """One read: by whom, of what, and what its entry says beside what follows from the answer.

    Attributes:
        below: A path below the permission, without the query; ``*`` is the alias of a record.
        unchanged: Whether it is sent with the tag that it got before.
        follow: Whether it is of the page after the one that the query gives.
    """

    below: str = "/records"
    query: str = ""
    by: str = "vendor"
    permission: str = "delivery"
    method: str = "GET"
    fields: tuple[str, ...] = tuple(_FIELDS)
    count: int = 3
    unchanged: bool = False
    follow: bool = False


_TWO: Final = {"fields": ("name", "email"), "query": "fields=email,name"}
_WHERE: Final = "where=%7B%22name%22%3A%22Bea%202%22%7D"
_ONE: Final[dict[str, Any]] = {"below": "/records/*", "count": 1}
_PARTS: Final[Mapping[str, dict[str, Any]]] = {
    "page": {}, "page-of-fields": _TWO, "page-by-where": {"query": _WHERE, "count": 1},
    "first-page": {"query": "limit=2", "count": 2}, "next-page": {"query": "limit=2", "count": 1, "follow": True},
    "page-that-finds-nothing": {"query": "where=%7B%22name%22%3A%22Cyd%22%7D", "count": 0},
    "page-of-no-record": {"permission": "empty", "fields": ("name",), "count": 0},
    "record": _ONE, "record-of-fields": {**_ONE, **_TWO},
}  # fmt: skip
_WAYS: Final[Mapping[str, dict[str, Any]]] = {
    "": {}, "-head": {"method": "HEAD"}, "-304": {"unchanged": True},
    "-head-304": {"method": "HEAD", "unchanged": True},
}  # fmt: skip
_READS: Final = {
    part + way: Read(**{**of, **how}) for part, of in _PARTS.items() for way, how in _WAYS.items()
}
_READS_OF_OTHERS: Final = {
    f"{by}-{part}{way}": Read(**{**_PARTS[part], **how}, by=by)
    for by in ("partner", "sub-partner") for part in ("page-of-fields", "record")
    for way, how in _WAYS.items() if way in ("", "-head-304")
}  # fmt: skip
_READS_OF_EZCAP: Final = {
    f"ezcap-{part}{way}": Read(**{**_PARTS[part], **how}, by="ezcap")
    for part in ("page", "page-by-where", "record") for way, how in _WAYS.items() if way in ("", "-head-304")
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Made:
    """A read that was made, and its entry."""

    answer: Answer
    body: Document
    signed: Mapping[str, str]
    entry: Document
    salt: str
    query: str


async def make(stage: Stage, shop: Shop, read: Read) -> Made:
    """Read once to learn what is there, then make the read, and find its entry."""
    holder = shop.holders[read.by]
    below = read.below
    if "*" in below:
        page = await shop.holders["vendor"].read(read.permission)
        below = below.replace("*", page["items"][1]["id"].removeprefix("urn:freehold:"))
    query = read.query
    if read.follow:
        cursor = (await holder.read(read.permission, f"?{query}"))["next"]
        query = f"{query}&cursor={cursor}"
    target = holder.path(f"/{read.permission}{below}" + (f"?{query}" if query else ""))
    whole = await holder.wire.send("GET", target, holder.signed("GET", target))
    body = strict_json(expect_status(whole, 200).body)
    # ezcap has no nonce: of another second, so that it is no repetition of the read before.
    signed = holder.signed(read.method, target, **({"expires_s": stage.now() + 77} if holder.ezcap else {}))
    more = {"if-none-match": whole.headers["etag"]} if read.unchanged else {}
    answer = expect_status(
        await holder.wire.send(read.method, target, signed | more), 304 if read.unchanged else 200
    )
    if answer.body:
        expect(answer.body == whole.body, "the same read came as other bytes")
    number = entry_of(answer)
    item = book.expect_item(await owners_item(stage, shop.grant, number), number)
    return Made(answer, body, signed, item["entry"], item["salt"], query)


def entry_of(answer: Answer) -> int:
    """Return the number that an answer gives its entry."""
    text = answer.headers.get("freehold-entry", "")
    if not re.fullmatch(r"0|[1-9][0-9]{0,17}", text):
        raise Failed(f"Freehold-Entry is {text!r}")
    return int(text)


async def owners_item(stage: Stage, grant: str, number: int) -> Document:
    """Return one entry as the owner sees it."""
    page = await stage.owner.do("GET", f"/grants/{grant}/ledger?first={number}&limit=1")
    if len(page["entries"]) != 1:
        raise Failed(f"the answer names the entry {number}, which is not there")
    item: Document = page["entries"][0]
    return item


def signature_digest(signed: Mapping[str, str]) -> str:
    """Return what the entry of a request says of its signature, by its headers."""
    found = _SIGNATURE.search(signed.get("authorization") or signed["signature"])
    if found is None:
        raise ValueError("no signature")
    return base64url(sha256(base64.b64decode(found[1])))


def chain_of(capability: Document) -> list[str]:
    """Return the digests of a capability's links, the one that the node issued first."""
    parent = capability["proof"]["capabilityChain"][-1]
    above = chain_of(parent) if isinstance(parent, dict) else []
    return [*above, capabilities.digest(capability, public_of(capability["proof"]["verificationMethod"]))]


def expected(shop: Shop, read: Read, made: Made) -> Document:
    """Return the entry of a read, but for its number and time, and the order of its fields."""
    holder = shop.holders[read.by]
    entry: Document = {
        "kind": "admitted", "who": holder.key.did, "chain": chain_of(holder.capability), "action": "read",
        "permission": read.permission, "route": shop.record if "*" in read.below else shop.records,
        "method": read.method, "fields": sorted(read.fields), "count": read.count, "version": 1,
        "signature": signature_digest(made.signed), "status": made.answer.status,
        "released": digest_under(made.salt, jcs(unsigned(made.body))),
    }  # fmt: skip
    if made.query:
        entry["query"] = digest_under(made.salt, made.query.encode())
    return entry


async def _is_written_down(stage: Stage, read: Read) -> None:
    shop = await _shop(stage)
    made = await make(stage, shop, read)
    expect_equal(misformed(made.entry), "", "form of the entry")
    wanted = expected(shop, read, made)
    found = {name: value for name, value in made.entry.items() if name not in ("number", "time")}
    found["fields"] = sorted(found["fields"])
    for name in sorted(wanted.keys() | found.keys()):
        expect_equal(found.get(name), wanted.get(name), f"{name} of the entry")
    expect(
        abs(from_xsd_time(made.entry["time"]) - stage.now()) < 90, "the entry's time is not that of the read"
    )


@topic.check("LED-5", "LED-4", "LED-6", "LED-7", "HTTP-31", "REL-12", cases=_READS)
async def a_read_writes_its_entry(stage: Stage, read: Read) -> None:
    """A read's entry says who read what by which chain, and binds the bytes that came, the query and the signature."""
    await _is_written_down(stage, read)


@topic.check("LED-5", "LED-4", cases=_READS_OF_OTHERS)
async def a_read_of_a_partner_writes_its_entry(stage: Stage, read: Read) -> None:
    """An entry names the one who read, and every link of the chain, the one that the node issued first."""
    await _is_written_down(stage, read)


@topic.check("LED-5", "LED-4", "LED-7", cases=_READS_OF_EZCAP, profile=Profile.EZCAP)
async def a_read_of_a_zcap_client_writes_its_entry(stage: Stage, read: Read) -> None:
    """Signed as ZCAP clients do, a read has the same entry."""
    await _is_written_down(stage, read)


@topic.check("LED-5", "INV-19", profile=Profile.EZCAP, cases={"get": "GET", "head": "HEAD"})
async def a_repetition_names_the_first(stage: Stage, method: str) -> None:
    """Bytes that were admitted before are admitted again, by entries that name the first of them."""
    vendor = replace(await _vendor(stage), ezcap=True)
    target = vendor.path("/delivery/records")
    signed = vendor.signed(method, target)
    numbers = [entry_of(expect_status(await vendor.wire.send(method, target, signed), 200)) for _ in range(3)]
    other = vendor.signed(method, target, expires_s=stage.now() + 99)
    numbers.append(entry_of(expect_status(await vendor.wire.send(method, target, other), 200)))
    ledger = await book.of_owner(stage.owner, vendor.grant)
    expect_equal(ledger.size, 5, "entries")
    repeats = [ledger.entries[number].get("repeatOf") for number in numbers]
    expect_equal(repeats, [None, numbers[0], numbers[0], None], "what the entries repeat")
    expect_equal(
        len({ledger.entries[number]["signature"] for number in numbers[:3]}), 1, "signatures of one message"
    )
    expect_equal(
        len({ledger.entries[number]["released"] for number in numbers}), 4, "digests under salts of their own"
    )


async def _vendor(stage: Stage, **more: Any) -> Holder:
    shown = await stage.person(name="Ada", email="ada@example.com")
    return await stage.relate([shown.permission("delivery", ["name", "email"], **more)])


# One entry for one admission, and none for anything else


@topic.check("LED-5", "LED-4", "HTTP-31")
async def many_reads_at_once_have_an_entry_each(stage: Stage) -> None:
    """Of many reads at the same time each has an entry of its own, which is its own, and there are no others."""
    vendor = await _vendor(stage)
    targets = [vendor.path(f"/delivery/records?limit={1 + number}") for number in range(60)]
    sent = [(target, vendor.signed("GET", target)) for target in targets]
    answers = await asyncio.gather(*(stage.wire.send("GET", target, signed) for target, signed in sent))
    ledger = await book.of_owner(stage.owner, vendor.grant)
    expect_equal(ledger.size, 1 + len(sent), "entries")
    expect_equal(sorted(map(entry_of, answers)), list(range(1, 1 + len(sent))), "numbers of the entries")
    for (target, signed), answer in zip(sent, answers, strict=True):
        item = ledger.items[entry_of(expect_status(answer, 200))]
        expect_equal(
            item["entry"]["signature"], signature_digest(signed), "signature in the entry of an answer"
        )
        query = digest_under(item["salt"], target.partition("?")[2].encode())
        expect_equal(item["entry"]["query"], query, "query in the entry of an answer")
        body = digest_under(item["salt"], jcs(unsigned(strict_json(answer.body))))
        expect_equal(item["entry"]["released"], body, "released digest in the entry of an answer")


@topic.check("LED-3", "LED-5", "HTTP-31")
async def the_entry_is_there_with_the_first_byte(stage: Stage) -> None:
    """Whoever has the first byte of an answer finds the entry in the ledger, under its signed head."""
    vendor = await _vendor(stage)
    for number in range(1, 9):
        target = vendor.path("/delivery/records")
        async with stage.wire.connect() as line:
            await line.write(stage.wire.request("GET", target, vendor.signed("GET", target)))
            await line.reader.readexactly(1)
            ledger = await book.of_owner(stage.owner, vendor.grant)
        expect_equal(ledger.size, 1 + number, "entries when the first byte had come")


@topic.check("LED-3", "LED-5")
async def the_entry_is_there_though_nobody_waits(stage: Stage) -> None:
    """Of readers who hang up some were admitted; each of those has one entry, and the ledger holds together."""
    vendor = await _vendor(stage)
    target = vendor.path("/delivery/records")
    signatures = set()
    for _ in range(20):
        signed = vendor.signed("GET", target)
        signatures.add(signature_digest(signed))
        async with stage.wire.connect() as line:
            await line.write(stage.wire.request("GET", target, signed))
    await vendor.read("delivery")
    ledger = await book.of_owner(stage.owner, vendor.grant)
    found = [entry["signature"] for entry in ledger.of("admitted")]
    expect_equal(len(set(found)), len(found), "entries of different reads")
    expect_equal(len(set(found) - signatures), 1, "entries of no read that was sent")


_NO_READS: Final = {
    "grant": "", "grant-from": "?from=1", "status": "/delivery", "entries": "/ledger/entries",
    "entry": "/ledger/entries/0", "checkpoint": "/ledger/checkpoint", "consistency": "/ledger/checkpoint?from=1",
    "entries-below": "/delivery/ledger/entries", "checkpoint-below": "/delivery/ledger/checkpoint",
}  # fmt: skip


@topic.check("HTTP-29", "HTTP-22", cases=_NO_READS)
async def looking_leaves_no_entry(stage: Stage, below: str) -> None:
    """To look at the grant or its ledger is no admission: the ledger stays as it was, by capability and by DID."""
    vendor = await _vendor(stage)
    for by_did in (False, True):
        if below.startswith("/delivery") and by_did:
            continue
        for _ in range(3):
            await book.told(vendor, below, by_did=by_did)
    await stage.owner.do("GET", f"/grants/{vendor.grant}/ledger/bundle")
    expect_equal((await book.of_owner(stage.owner, vendor.grant)).size, 1, "entries after nothing was read")
    await vendor.read("delivery")
    expect_equal((await book.of_owner(stage.owner, vendor.grant)).size, 2, "entries after a read")


@topic.check("LED-5", "HTTP-24")
async def renewing_leaves_no_entry(stage: Stage) -> None:
    """To renew is no admission, and a read by the fresh capability names that one in its entry."""
    vendor = await _vendor(stage)
    answer = await vendor.by_did("POST", vendor.path("/renew"))
    fresh = replace(vendor, capability=strict_json(expect_status(answer, 200).body)["capability"])
    await fresh.read("delivery")
    ledger = await book.of_owner(stage.owner, vendor.grant)
    expect_equal(ledger.size, 2, "entries")
    expect_equal(ledger.entries[1]["chain"], chain_of(fresh.capability), "chain in the entry")


@topic.check("LED-7", "LED-2")
async def no_value_stands_in_the_ledger(stage: Stage) -> None:
    """Neither a value of a record nor one of a query is in the ledger, as it is or as a digest without salt."""
    shown = await stage.person(name="Zwetschgenknoedel", email="ledger-canary@example.com")
    vendor = await stage.relate([shown.permission("delivery", ["name", "email"])])
    asked = "where=%7B%22name%22%3A%22Zwetschgenknoedel%22%7D"
    page = await vendor.read("delivery", f"?{asked}")
    expect_equal(len(page["items"]), 1, "records found")
    alias = page["items"][0]["id"].removeprefix("urn:freehold:")
    for below in (f"/records/{alias}", "/records?where=%7B%22name%22%3A%22Quittenbrot%22%7D"):
        expect_status(await vendor.get(f"/delivery{below}"), 200)
    await vendor.get(f"/delivery/records/{alias[:-4]}zzzz")
    await vendor.get("/delivery/records?fields=telephone")
    await vendor.get("/nosuchpermission/records")
    ledger = await book.of_owner(stage.owner, vendor.grant)
    expect(ledger.size >= 6, "too few entries to look into")
    values = [
        "Zwetschgenknoedel",
        "ledger-canary",
        "Quittenbrot",
        alias,
        shown.id,
        shown.tag,
        "telephone",
        "nosuch",
    ]
    values.append(shown.id.removeprefix("urn:uuid:"))
    bodies = [page["items"][0], page]
    made = [asked.encode(), b"Zwetschgenknoedel", shown.id.encode(), alias.encode(), *map(jcs, bodies)]
    made += [jcs(unsigned(body)) for body in bodies]
    values += [text for data in made for text in (base64url(sha256(data)), sha256(data).hex())]
    text = jcs(ledger.entries).decode()
    for value in values:
        expect(value not in text, f"{value} stands in the ledger")
