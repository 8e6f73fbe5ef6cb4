"""Who sees which entries of a ledger, and the bundle of it that verifies offline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from ..cast import book
from ..cast.book import Book
from ..cast.holder import Holder
from ..cast.stage import Stage, permission
from ..check import Topic, expect, expect_equal, expect_problem, expect_status
from ..hands.capability import CONTEXTS
from ..hands.encoding import Document, cid, jcs
from ..hands.keys import Key
from ..hands.ledger import judge
from .ledger_admitted import chain_of

topic = Topic()

EVERYONE: Final = ("vendor", "first", "second", "below", "lost")


@dataclass(frozen=True, slots=True)
class Sight:
    """A ledger that many had a part in, as each of them sees it.

    Attributes:
        whole: As the owner sees it.
        books: By who looks.
        meant: By number: what the entry is about, and who is to see its body.
    """

    grant: str
    holders: Mapping[str, Holder]
    whole: Book
    books: Mapping[str, Book]
    meant: Mapping[int, tuple[str, frozenset[str]]]


async def _make(stage: Stage) -> Sight:
    """Let the vendor, two partners, one's own partner and one that is cut off read and be refused.

    ``lost`` holds two capabilities; one is revoked, and with the other it goes on looking.
    """
    shown = await stage.person(name="Ada", email="ada@example.com")
    keys = {name: Key.fresh() for name in ("first", "second", "below", "lost")}
    everyone = [key.did for key in keys.values()]
    given = [
        shown.permission("delivery", ["name"], recipients=everyone),
        permission("news", ["name"], about="any", where={"jobTitle": shown.tag}),
    ]
    vendor = await stage.relate(given)
    holders = {name: vendor.delegate("/delivery", key=keys[name]) for name in ("first", "second", "lost")}
    holders |= {"vendor": vendor, "below": holders["first"].delegate("/delivery", key=keys["below"])}
    gone = vendor.delegate("/delivery", key=keys["lost"])
    chains = {
        "first": {"first"},
        "second": {"second"},
        "lost": {"lost"},
        "below": {"first", "below"},
        "vendor": set(),
    }
    meant: list[tuple[str, frozenset[str]]] = [("approve", frozenset({"vendor"}))]

    def mean(what: str, *who: str) -> None:
        meant.append((what, frozenset({"vendor", *who})))

    for name, holder in holders.items():
        await holder.read("delivery")
        mean(f"a read of {name}", *chains[name])
        expect_problem(await holder.get("/delivery/records?fields=email"), 403, "not-shared")
        mean(f"a refusal of {name}", *chains[name])
    await gone.read("delivery")
    mean("a read of lost", "lost")
    expect_status(await vendor.renounce(gone.capability), 204)
    mean("a revocation of lost's", "lost")
    second = vendor.delegate("/delivery", key=keys["second"])
    await second.read("delivery")
    mean("a read of second", "second")
    await stage.owner.revoke(vendor.grant, capability=chain_of(second.capability)[-1])
    mean("a revocation of second's", "second")
    await stage.owner.change(vendor.grant, "narrow", permissions=given[:1])
    mean("a narrowing")
    await vendor.get("/delivery/records", method="HEAD")
    mean("a read of vendor")
    await stage.owner.change(vendor.grant, "pause")
    mean("a pause")
    standing = (await stage.owner.grant(vendor.grant))["document"]
    key, log = standing["servingKey"], standing["log"]
    books = {
        name: await book.of_holder(holder, "/delivery", serving=key, log=log)
        for name, holder in holders.items()
    }
    for name, by_did in (("vendor at the grant", False), ("vendor by DID", True)):
        books[name] = await book.of_holder(vendor, serving=key, log=log, by_did=by_did)
    whole = await book.of_owner(stage.owner, vendor.grant)
    return Sight(vendor.grant, holders, whole, books, dict(enumerate(meant)))


async def _sight(stage: Stage) -> Sight:
    return await stage.once("a ledger that many look at", lambda: _make(stage))


@topic.check(
    "LED-12", "HTTP-28", cases={name: name for name in (*EVERYONE, "vendor at the grant", "vendor by DID")}
)
async def each_sees_what_it_had_a_part_in(stage: Stage, name: str) -> None:
    """A holder sees the bodies about its own chain, the vendor those about all; of the others the leaf alone."""
    sight = await _sight(stage)
    found, role = sight.books[name], name.partition(" ")[0]
    expect_equal(sight.whole.size, len(sight.meant), "entries of the ledger")
    expect(found.leaves == sight.whole.leaves, "other leaves than the owner sees")
    expect(found.checkpoint.root == sight.whole.checkpoint.root, "another root than the owner sees")
    for number, (what, who) in sight.meant.items():
        expect((number in found.seen) == (role in who), f"{what}: seen {number in found.seen}")
        if number in found.seen:
            expect(
                found.items[number] == sight.whole.items[number], f"{what}: another body than the owner sees"
            )


@topic.check("LED-12", "HTTP-28")
async def the_owner_sees_every_entry(stage: Stage) -> None:
    """The owner sees the body and salt of every entry, in the order in which it happened."""
    sight = await _sight(stage)
    expect_equal(sight.whole.seen, set(sight.meant), "entries whose bodies the owner sees")
    kinds = [entry["kind"] for entry in sight.whole.entries]
    words = {"a read": "admitted", "a refusal": "refused"}
    wanted = [next((kind for word, kind in words.items() if what.startswith(word)), "changed")
              for what, _ in sight.meant.values()]  # fmt: skip
    expect_equal(kinds, wanted, "kinds of the entries")


@topic.check("LED-12", "HTTP-28", cases={name: name for name in EVERYONE})
async def one_entry_is_shown_as_the_list_shows_it(stage: Stage, name: str) -> None:
    """Asked for by its number, an entry has body and salt for the same holders, and never a salt alone."""
    sight = await _sight(stage)
    told = await book.all_of(
        book.told(sight.holders[name], f"/delivery/ledger/entries/{number}") for number in sight.meant
    )
    for number, found in enumerate(told):
        bare = {member: found[member] for member in found if member not in ("size", "proof", "checkpoint")}
        expect(
            bare == sight.books[name].items[number],
            f"{sight.meant[number][0]}: another item than in the list",
        )


@topic.check("LED-12", "HTTP-11")
async def strangers_see_no_ledger(stage: Stage) -> None:
    """Who has no part in a grant finds nothing where its ledger is, whatever is asked."""
    sight = await _sight(stage)
    vendor, stranger = sight.holders["vendor"], Key.fresh()
    other = await stage.relate([(await stage.person(name="Ada")).permission("delivery", ["name"])])
    for below in ("/ledger/entries", "/ledger/entries/0", "/ledger/checkpoint", "/ledger/checkpoint?from=1"):
        expect_status(await vendor.by_did("GET", vendor.path(below)), 200)
        expect_problem(await vendor.by_did("GET", vendor.path(below), key=stranger), 404, "not-found")
        expect_problem(await vendor.by_did("GET", vendor.path(below), key=other.key), 404, "not-found")
        partner = sight.holders["first"].key
        expect_problem(await vendor.by_did("GET", vendor.path(below), key=partner), 404, "not-found")
        forger = replace(vendor, key=other.key, capability=other.capability)
        expect_problem(await forger.get(below), 404, "not-found")
        answer = await stage.wire.send("GET", vendor.path(below))
        expect_problem(answer, 400, "malformed")


@topic.check("LED-12", "CAP-8")
async def a_partner_s_ledger_is_below_its_permission(stage: Stage) -> None:
    """A partner reaches the ledger below its permission, and neither the grant's nor another permission's."""
    key, shown = Key.fresh(), await stage.person(name="Ada")
    given = [shown.permission(name, ["name"], recipients=[key.did]) for name in ("delivery", "news")]
    partner = (await stage.relate(given)).delegate("/delivery", key=key)
    for below in ("/ledger/checkpoint", "/ledger/entries", "/ledger/entries/0"):
        expect_status(await partner.get(f"/delivery{below}"), 200)
        expect_problem(await partner.get(below), 403, "wrong-target")
        expect_problem(await partner.get(f"/news{below}"), 403, "wrong-target")


# In every state


_STATES: Final = {
    "live": (), "narrowed": ("narrow",), "paused": ("pause",), "resumed": ("pause", "resume"), "ended": ("end",),
    "ended-while-paused": ("pause", "end"),
}  # fmt: skip


@topic.check("HTTP-22", "HTTP-29", cases=_STATES)
async def a_grant_explains_itself_in_every_state(stage: Stage, changes: tuple[str, ...]) -> None:
    """However a grant stands, the vendor gets receipt and ledger and a partner its status, and no entry comes of it."""
    shown = await stage.person(name="Ada", email="ada@example.com")
    key = Key.fresh()
    vendor = await stage.relate([shown.permission("delivery", ["name", "email"], recipients=[key.did])])
    partner = vendor.delegate("/delivery", key=key)
    await vendor.read("delivery")
    less = {"permissions": [shown.permission("delivery", ["name"], recipients=[key.did])]}
    for change in changes:
        await stage.owner.change(vendor.grant, change, **(less if change == "narrow" else {}))
    standing = (await stage.owner.grant(vendor.grant))["document"]
    size = (await book.of_owner(stage.owner, vendor.grant)).size
    for by_did in (False, True):
        told = await book.told(vendor, "", by_did=by_did)
        expect_equal(
            sorted(told), ["checkpoint", "receipt", "statements"], "members of what is told of the grant"
        )
        expect_equal(told["receipt"]["versions"][-1], standing, "last version of the receipt")
        expect_equal(len(told["receipt"]["versions"]), 1 + len(changes), "versions")
        later = await book.told(vendor, "?from=1", by_did=by_did)
        expect_equal(later["versions"], told["receipt"]["versions"][1:], "versions after the first")
        seen = await book.of_holder(
            vendor, serving=standing["servingKey"], log=standing["log"], by_did=by_did
        )
        expect_equal(seen.seen, set(range(size)), "entries that the vendor sees")
        for below in (f"/ledger/entries/{size - 1}", f"/ledger/checkpoint?from={size}"):
            await book.told(vendor, below, by_did=by_did)
    status = await book.told(partner, "/delivery")
    expect_equal(status["status"]["state"], standing["state"], "state that the partner is told")
    await book.of_holder(partner, "/delivery", serving=standing["servingKey"], log=standing["log"])
    expect_equal(
        (await book.of_owner(stage.owner, vendor.grant)).size, size, "entries after it was looked at"
    )
    expect_status(await vendor.renounce(partner.capability), 204)
    ledger = await book.of_owner(stage.owner, vendor.grant)
    expect_equal([one.get("change") for one in ledger.after(size)], ["revoke"], "entries of a revocation")


# Bundles


@topic.check("LED-18", "LED-12")
async def a_bundle_is_the_whole_ledger(stage: Stage) -> None:
    """The owner's bundle has every entry with its salt, the receipt, and nothing that is not of its form."""
    sight = await _sight(stage)
    bundle = await stage.owner.do("GET", f"/grants/{sight.grant}/ledger/bundle")
    grant = await stage.owner.grant(sight.grant)
    members = ["checkpoint", "entries", "origin", "receipt", "servingKey", "type"]
    expect_equal(sorted(bundle), members, "members of the bundle")
    expect_equal(bundle["type"], "LedgerBundle", "type")
    expect_equal(bundle["origin"], grant["document"]["log"], "origin")
    expect_equal(bundle["servingKey"], grant["document"]["servingKey"], "serving key")
    expect(bundle["receipt"] == grant["receipt"], "another receipt than the grant's")
    items = [{name: item[name] for name in ("entry", "salt", "leaf")} for item in sight.whole.items]
    expect(bundle["entries"] == items, "other entries than the ledger's")


@topic.check("LED-18", "LED-8")
async def a_bundle_is_judged_as_intact(stage: Stage) -> None:
    """By own hands, the bundle of a ledger that many had a part in is intact, also after every change and all keys."""
    sight = await _sight(stage)
    shown = await stage.person(name="Ada")
    vendor = await stage.relate([shown.permission("delivery", ["name"])])
    await vendor.read("delivery")
    early = (await book.of_owner(stage.owner, vendor.grant)).checkpoint
    for change in ("rotate", "pause", "resume", "end"):
        await stage.owner.change(vendor.grant, change)
    for grant, earlier in ((sight.grant, sight.whole.checkpoint), (vendor.grant, early)):
        bundle = await stage.owner.do("GET", f"/grants/{grant}/ledger/bundle")
        verdict = judge(bundle, earlier)
        expect(verdict.is_intact, f"the bundle is judged {verdict.whole or sorted(set(verdict.entries))}")
        named = {
            entry["entry"]["grant"] for entry in bundle["entries"] if entry["entry"]["kind"] == "changed"
        }
        expect_equal(
            named, {cid(version) for version in bundle["receipt"]["versions"]}, "versions in the ledger"
        )


@topic.check("LED-12", "HTTP-23", "PRV-5")
async def nothing_of_others_reaches_a_partner(stage: Stage) -> None:
    """In all that a partner is told of the ledger no other's key, chain or permission stands."""
    sight = await _sight(stage)
    text = jcs([dict(item) for item in sight.books["second"].items]).decode()
    for name in ("vendor", "first", "below", "lost"):
        expect(sight.holders[name].key.did not in text, f"the key of {name} reaches another partner")
        if name != "vendor":
            digest: Document | str = chain_of(sight.holders[name].capability)[-1]
            expect(str(digest) not in text, f"the capability of {name} reaches another partner")
    expect("news" not in text and CONTEXTS[0] not in text, "another permission reaches a partner")
