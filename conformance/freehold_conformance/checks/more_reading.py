"""Reading: aliases and fields from elsewhere, tags and cursors to the letter, and what an entry says of a read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from ..cast import book
from ..cast.holder import Holder
from ..cast.stage import Stage, permission
from ..check import Topic, expect, expect_equal, expect_problem, expect_status, object_of
from ..hands import message
from ..hands.capability import encoded, packed
from ..hands.encoding import Document, Json, base64url, from_xsd_time, jcs, sha256
from ..hands.keys import Key
from .matrix_scene import caveat
from .released import alias_of, content
from .selected import Circle, names_of, query_of

topic = Topic()


async def _alias(holder: Holder, name: str, of: str) -> str:
    """Return the alias by which a permission shows the record of this name."""
    items = (await holder.read(name))["items"]
    return next(alias_of(item) for item in items if item["name"] == of)


# Aliases


@topic.check("HTTP-33", "HTTP-32", "SEC-2")
async def an_alias_of_what_is_not_in_the_view_is_not_found(stage: Stage) -> None:
    """A record that another permission shows, that came later or that the condition no longer meets is not found."""
    circle = Circle.draw(stage)
    here = await circle.add("Here", email="here@example.com")
    left = await circle.add("Left", email="left@example.com")
    await circle.add("Other", email="other@example.com", gender="x")
    given = [
        circle.permission(circle.item(newRecords=True), name="all"),
        circle.permission(circle.item(["name", "email"], where={"email": "here@example.com"}), name="one"),
        circle.permission(circle.item(["name"]), name="pinned"),
        circle.permission(circle.item(["name"], where={"email": "left@example.com"}), name="leaving"),
        {**permission("person", ["name", "email"]), "items": [circle.item() | {"about": "self"}]},
    ]
    vendor = await stage.relate(given)
    await circle.add("Later", email="later@example.com")
    aliases = {name: await _alias(vendor, "all", name) for name in ("Here", "Left", "Other", "Later")}
    expect_status(await vendor.get(f"/leaving/records/{aliases['Left']}"), 200)
    await circle.edit(left, email="moved@example.com")
    shown = {
        "all": {"Here", "Left", "Other", "Later"}, "one": {"Here"}, "pinned": {"Here", "Left", "Other"},
        "leaving": set[str](), "person": set[str](),
    }  # fmt: skip
    for permission_, names in shown.items():
        for name, alias in aliases.items():
            answer = await vendor.get(f"/{permission_}/records/{alias}")
            if name in names:
                expect_equal(
                    object_of(expect_status(answer, 200)).get("name"), name, "name of a record by its alias"
                )
            else:
                expect_problem(answer, 404, "not-found")
    await stage.owner.delete(here)
    expect_problem(await vendor.get(f"/all/records/{aliases['Here']}"), 404, "not-found")


@topic.check("HTTP-33", "IDN-9", "IDN-10")
async def another_vendor_s_alias_names_nothing(stage: Stage) -> None:
    """The alias by which one vendor knows a record names nothing for another, nor for the same under another grant."""
    circle, key = Circle.draw(stage), Key.fresh()
    await circle.add("Bea")
    holders = [await stage.relate([circle.permission()], key=key) for _ in range(2)]
    holders.append(await stage.relate([circle.permission()]))
    aliases = [await _alias(holder, "delivery", "Bea") for holder in holders]
    expect_equal(len(set(aliases)), 3, "aliases of one record under three grants")
    for holder, own in zip(holders, aliases, strict=True):
        for alias in aliases:
            answer = await holder.get(f"/delivery/records/{alias}")
            if alias == own:
                expect_status(answer, 200)
            else:
                expect_problem(answer, 404, "not-found")


@topic.check("HTTP-33", "HTTP-40")
async def who_asks_for_what_is_not_there_is_counted(stage: Stage) -> None:
    """An alias that names nothing, a field and a permission that are not shared are refusals, and in the ledger."""
    shown = await stage.person(name="Ada")
    vendor = await stage.relate([shown.permission("delivery", ["name"])])
    codes = {"/delivery/records/z" + "5" * 43: "not-found", "/delivery/records?fields=email": "not-shared",
             "/news/records": "not-shared"}  # fmt: skip
    for below, code in codes.items():
        expect_equal((await vendor.get(below)).headers.get("freehold-code"), code, "code")
    told = [
        (entry["code"], entry.get("permission"), entry["count"])
        for entry in (await book.of_owner(stage.owner, vendor.grant)).of("refused")
    ]
    wanted = [("not-found", "delivery", 1), ("not-shared", "delivery", 1), ("not-shared", None, 1)]
    expect_equal(told, wanted, "what the ledger tells of refusals")


@topic.check("HTTP-32", "REQ-4", "SEC-2")
async def an_item_selects_its_own_type_only(stage: Stage) -> None:
    """Of two items of other types, each shows its fields of its own records, new ones and the person's included."""
    tag = Circle.draw(stage).tag
    told = {"description": tag, "keywords": "k", "name": "Ada", "identifier": "1"}
    kinds = {"Person": ["name", "description"], "Organization": ["identifier"], "Product": ["keywords"]}
    common = {"about": "any", "where": {"description": tag}, "newRecords": True}
    items: list[Json] = [{"type": kind, "fields": fields, **common} for kind, fields in kinds.items()]
    own = await stage.self_record()
    given: list[Document] = [
        {**permission("delivery", ["name"]), "items": items[:2]},
        {**permission("news", ["name"]), "items": items[:1]},
        permission("own", ["name"], type="Organization", newRecords=True),
    ]
    await stage.owner.add({"type": "Person", **told})
    vendor = await stage.relate(given)
    for kind in (*kinds, "Person"):
        await stage.owner.add({"type": kind, **told})
    page = (await vendor.read("delivery"))["items"]
    expect_equal(
        [item["type"] for item in page], ["Person", "Person", "Organization", "Person"], "types on the page"
    )
    for item in page:
        expect_equal(set(content(item)), {"type", *kinds[item["type"]]}, f"members of a {item['type']}")
    expect_equal(await names_of(vendor, "news"), ["Ada"] * 3, "names of the persons")
    expect_equal(await names_of(vendor, "own"), [], f"what an item of another type shows of {own.tag}")


# Fields

_GIVEN: Final = ["name", "address.postalCode", "worksFor.name"]
_BESIDE: Final = (
    "address", "address.streetAddress", "address.postalCode.name", "name.name", "worksFor", "worksFor.email",
    "worksFor.address.postalCode", "email", "postalCode", "birthDate",
)  # fmt: skip


@topic.check("HTTP-35", "HTTP-33", cases={path: path for path in _BESIDE})
async def a_field_near_what_is_given_is_not_shared(stage: Stage, path: str) -> None:
    """A path above, below or beside one that is given, and one that another permission gives, is not shared."""

    async def make() -> Holder:
        shown = await stage.person(
            name="Ada", email="ada@example.com", birthDate="1985-12-10",
            address={"type": "PostalAddress", "postalCode": "EX1", "streetAddress": "1 Row"},
            worksFor={"type": "Organization", "name": "Engines", "email": "e@example.com",
                      "address": {"type": "PostalAddress", "postalCode": "EX2"}},
        )  # fmt: skip
        news = shown.permission("news", ["email", "address.streetAddress", "worksFor.email", "birthDate"])
        return await stage.relate([shown.permission("delivery", _GIVEN), news])

    vendor = await stage.once("fields beside each other", make)
    alias = await _alias(vendor, "delivery", "Ada")
    for fields in (path, f"name,{path}", f"{path},name", f"{path},{path}"):
        for below in ("", f"/{alias}"):
            answer = await vendor.get(f"/delivery/records{below}?fields={fields}")
            expect_problem(answer, 403, "not-shared")
    for fields in (*_GIVEN, ",".join(_GIVEN)):
        expect_status(await vendor.get(f"/delivery/records?fields={fields}"), 200)
        expect_status(await vendor.get(f"/delivery/records/{alias}?fields={fields}"), 200)


# Tags

_READS: Final[Mapping[str, str]] = {
    "page": "", "first-page": "?limit=1", "next-page": "?limit=1&cursor={cursor}", "fields": "?fields=name",
    "found": "?" + query_of({"name": "Bea"}), "nothing": "?" + query_of({"name": "Nobody"}), "record": "/{alias}",
    "record-of-fields": "/{alias}?fields=name",
}  # fmt: skip


@topic.check("HTTP-31", "REL-12", cases=_READS)
async def a_tag_is_the_digest_of_what_is_shown(stage: Stage, below: str) -> None:
    """A tag is the SHA-256 of the canonical bytes without the outermost proof: of GET, of HEAD and of 304."""

    async def make() -> tuple[Holder, dict[str, str]]:
        circle = Circle.draw(stage)
        for name in ("Ada", "Bea", "Cyd"):
            await circle.add(name, email=f"{name}@example.com")
        vendor = await stage.relate([circle.permission(circle.item(["name", "email"]))])
        page = await vendor.read("delivery", "?limit=1")
        return vendor, {"alias": alias_of(page["items"][0]), "cursor": page["next"]}

    vendor, seen = await stage.once("tags of everything", make)
    path = "/delivery/records" + below.format(**seen)
    answer = expect_status(await vendor.get(path), 200)
    whole = object_of(answer)
    bare = {name: value for name, value in whole.items() if name != "proof"}
    expect("proof" in whole, "a document without a proof")
    tag = f'"{base64url(sha256(jcs(bare)))}"'
    expect_equal(answer.headers.get("etag"), tag, "the tag")
    by_head = expect_status(await vendor.get(path, method="HEAD"), 200)
    unchanged = expect_status(await vendor.get(path, headers={"if-none-match": tag}), 304)
    for other in (by_head, unchanged):
        expect_equal(other.headers.get("etag"), tag, f"the tag with {other.status}")
        expect_equal(other.body, b"", f"the body with {other.status}")


@topic.check("PRV-6", "HTTP-31", "LED-8")
async def what_is_not_shown_has_no_effect(stage: Stage) -> None:
    """Editing what is not shown, and adding and deleting other records, changes no tag, no page and no ledger."""
    circle = Circle.draw(stage)
    record = await circle.add("Bea", email="bea@example.com", telephone="1")
    pinned = circle.permission(name="delivery")
    growing = circle.permission(circle.item(["name"], newRecords=True, where={"gender": "f"}), name="news")
    vendor = await stage.relate([pinned, growing])
    before = {name: await vendor.get(f"/{name}/records") for name in ("delivery", "news")}
    entries = len(await stage.owner.ledger(vendor.grant))
    await circle.edit(record, telephone="2", email="other@example.com")
    other = await circle.add("Cyd")
    await circle.edit(other, name="Dot")
    await stage.owner.delete(other)
    alone = await stage.owner.add({"type": "Person", "name": "Nobody's"})
    await stage.owner.delete(alone)
    expect_equal(
        len(await stage.owner.ledger(vendor.grant)), entries, "entries after changes to what is not shown"
    )
    for name, answer in before.items():
        after = await vendor.get(f"/{name}/records")
        expect_equal(after.body, answer.body, f"the page of {name}")
        expect_equal(after.headers["etag"], answer.headers["etag"], f"the tag of {name}")


# Pages


@topic.check("HTTP-36", "HTTP-32")
async def a_record_that_leaves_hides_none_on_the_next_page(stage: Stage) -> None:
    """A cursor goes on after the last record that was shown, though one before it has left the view since."""
    circle = Circle.draw(stage)
    records = [await circle.add(name, gender="f") for name in ("Ada", "Bea", "Cyd", "Dot")]
    vendor = await stage.relate([circle.permission(circle.item(where={"gender": "f"}))])
    page = await vendor.read("delivery", "?limit=2")
    expect_equal([item["name"] for item in page["items"]], ["Ada", "Bea"], "names on the first page")
    await circle.edit(records[0], gender="m")
    rest = await vendor.get(f"/delivery/records?limit=2&cursor={quote(page['next'])}")
    if rest.status == 200:  # a node may also take the change for a reason to begin anew
        expect_equal(
            [item["name"] for item in object_of(rest)["items"]], ["Cyd", "Dot"], "names on the next page"
        )
    else:
        expect_problem(rest, 409, "cursor-stale")
    expect_equal(await names_of(vendor), ["Bea", "Cyd", "Dot"], "names afterwards")


# Entries


@topic.check("LED-4", "HTTP-39", "INV-7", cases={"past": -50, "future": 50})
async def an_entry_has_the_time_of_the_node(stage: Stage, away_s: int) -> None:
    """The time of an entry is the node's, whenever the reader says that it signed."""
    shown = await stage.person(name="Ada")
    vendor = await stage.relate([shown.permission("delivery", ["name"])])
    began = int(stage.now()) - 1
    answer = await vendor.get("/delivery/records", created_s=stage.now() + away_s)
    expect_status(answer, 200)
    expect_problem(await vendor.get("/news/records", created_s=stage.now() + away_s), 403, "not-shared")
    entries = (await book.of_owner(stage.owner, vendor.grant)).entries
    for entry in entries:
        at_s = from_xsd_time(entry["time"])
        expect(at_s <= stage.now() + 1, f"the {entry['kind']} entry is of the future")
    for entry in entries[-2:]:
        expect(from_xsd_time(entry["time"]) >= began, f"the {entry['kind']} entry is of before the request")


# Decided in order


@topic.check("HTTP-63", "LIM-1")
async def two_hundred_links_lead_through_a_partner(stage: Stage) -> None:
    """More links than 200 that are good through one partner are refused; those that are known, and others', are not."""
    shown, first, other = await stage.person(name="Ada"), Key.fresh(), Key.fresh()
    vendor = await stage.relate([shown.permission("delivery", ["name"], recipients=[first.did, other.did])])
    partner, beside = vendor.delegate("/delivery", key=first), vendor.delegate("/delivery", key=other)
    expect_status(await partner.get("/delivery/records"), 200)
    links = [partner.delegate("/delivery", key=first) for _ in range(199)]
    for link in links:
        expect_status(await link.get("/delivery/records", method="HEAD"), 200)
    more = partner.delegate("/delivery", key=first)
    expect_problem(await more.get("/delivery/records"), 403, "capability-invalid")
    for holder in (vendor, partner, links[0], links[-1], beside, beside.delegate("/delivery", key=other)):
        expect_status(await holder.get("/delivery/records"), 200)


@topic.check("CAP-15", "CAP-14")
async def each_link_counts_by_itself(stage: Stage) -> None:
    """What two links below one partner's allow are two numbers: the reads of one use up nothing of the other."""
    shown, first, second = await stage.person(name="Ada"), Key.fresh(), Key.fresh()
    vendor = await stage.relate([shown.permission("delivery", ["name"], recipients=[first.did, second.did])])
    above = vendor.delegate("/delivery", key=first)
    for limit in (caveat("CountLimit", reads=1), caveat("RateLimit", reads=1, per="P1D")):
        links = [above.delegate("/delivery", key=second, caveats=[limit]) for _ in range(3)]
        for link in links:
            expect_status(await link.get("/delivery/records"), 200)
        for link in links:
            expect_problem(await link.get("/delivery/records"), 403, "limit-reached")
        expect_status(await above.get("/delivery/records"), 200)


# Targets and headers


@topic.check("CAP-8", "CAP-9")
async def targets_are_compared_letter_by_letter(stage: Stage) -> None:
    """A link to one record's alias or to a query is no link to the same in other cases of its letters."""
    shown, key = await stage.person(name="Ada", givenName="Ada"), Key.fresh()
    vendor = await stage.relate([shown.permission("delivery", ["name", "givenName"], recipients=[key.did])])
    alias = await _alias(vendor, "delivery", "Ada")
    targets = {f"/{alias}": f"/{alias[0]}{alias[1:].swapcase()}"}
    targets["?" + query_of({"name": "Ada"})] = "?" + query_of({"name": "ADA"})
    for right, other in targets.items():
        link = vendor.delegate(f"/delivery/records{right}", key=key)
        expect_status(await link.get(f"/delivery/records{right}"), 200)
        expect_problem(await link.get(f"/delivery/records{other}"), 403, "wrong-target")


@topic.check("ENC-2", "CAP-30")
async def base64url_has_one_spelling(stage: Stage) -> None:
    """Bits that are left over, padding and the other alphabet are refused in the header of a capability."""
    shown = await stage.person(name="Ada")
    vendor = await stage.relate([shown.permission("delivery", ["name"])])
    text = next(
        made for spaces in range(40)
        if len(made := packed(jcs(vendor.capability) + b" " * spaces)) % 4 != 0
    )  # fmt: skip

    async def status_of(spelled: str) -> tuple[int, str | None]:
        answer = await vendor.get(
            "/delivery/records", invocation=f'zcap capability="{spelled}",action="read"'
        )
        return answer.status, answer.headers.get("freehold-code")

    expect_equal(await status_of(text), (200, None), "the one spelling")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    slack = text[:-1] + alphabet[alphabet.index(text[-1]) + 1]
    padded = text + "=" * (-len(text) % 4)
    standard = text.replace("-", "+").replace("_", "/")
    for what, spelled in {"bits left over": slack, "padding": padded, "the other alphabet": standard}.items():
        if spelled != text:
            expect_equal(await status_of(spelled), (400, "malformed"), f"base64url with {what}")


# Nonces


@topic.check("INV-9", "HTTP-9", "INV-8")
async def a_nonce_is_kept_for_a_minute_after_the_end(stage: Stage) -> None:
    """A message that is still good in the minute after its end is good once, whatever came in between."""
    shown = await stage.person(name="Ada")
    vendor = await stage.relate([shown.permission("delivery", ["name"])])
    now = int(stage.now())
    target = vendor.path("/delivery/records")
    signed = vendor.signed("GET", target, created_s=now - 40, expires_s=now - 10)
    by_did = await _by_did(vendor, now)
    expect_status(await vendor.wire.send("GET", target, signed), 200)
    expect_status(await vendor.wire.send("GET", vendor.path(), by_did), 200)
    for _ in range(2):
        await vendor.read("delivery")
        await vendor.told()
        expect_problem(await vendor.wire.send("GET", target, signed), 409, "replayed")
        expect_problem(await vendor.wire.send("GET", vendor.path(), by_did), 409, "replayed")


async def _by_did(vendor: Holder, now: int) -> dict[str, str]:
    uri = vendor.origin + vendor.path()
    return message.sign(vendor.key, message.DID, "GET", uri, created_s=now - 40, expires_s=now - 10)


@topic.check("INV-8", "HTTP-11")
async def a_stranger_s_message_is_not_written_down(stage: Stage) -> None:
    """Whoever has no say may send the same message twice and learns the same, at every door of a DID."""
    shown = await stage.person(name="Ada")
    vendor = await stage.relate([shown.permission("delivery", ["name"])])
    asked = await stage.ask(Key.fresh(), [shown.permission("delivery", ["name"])])
    stranger = replace(vendor, key=Key.fresh())
    below = f"/zcaps/revocations/{encoded(vendor.capability['id'])}"
    doors: list[tuple[str, str, bytes | None]] = [
        ("GET", vendor.path(), None), ("GET", vendor.path("/ledger/entries"), None),
        ("GET", vendor.path("/ledger/checkpoint"), None), ("POST", vendor.path("/renew"), None),
        ("POST", vendor.path(below), jcs(vendor.capability)), ("GET", asked.path, None),
    ]  # fmt: skip
    for method, target, body in doors:
        uri = vendor.origin + target
        signed = message.sign(stranger.key, message.DID, method, uri, created_s=stage.now(), body=body)
        answers = [await stage.wire.send(method, target, signed, body) for _ in range(2)]
        for answer in answers:
            expect_problem(answer, 404, "not-found")
        expect_equal(answers[0].body, answers[1].body, "what a stranger is told the second time")


# Versions


@topic.check("GRA-1", "GRA-12")
async def what_is_fixed_stays_through_a_life(stage: Stage) -> None:
    """No change moves a member that is fixed for the life of a grant, its beginning included."""
    shown = await stage.person(name="Ada", email="ada@example.com")
    asked = [shown.permission("delivery", ["name", "email"])]
    vendor = await stage.relate(asked, begins_s=stage.now() - 3600)
    less = [shown.permission("delivery", ["name"])]
    changes: list[tuple[str, Document]] = [
        ("narrow", {"permissions": less}), ("pause", {}), ("resume", {}), ("widen", {"permissions": asked}),
        ("end", {}),
    ]  # fmt: skip
    for change, more in changes:
        await stage.owner.change(vendor.grant, change, **more)
    versions = (await vendor.told())["receipt"]["versions"]
    fixed = (
        "id",
        "request",
        "assigner",
        "servingKey",
        "assignee",
        "assigneeKey",
        "origins",
        "log",
        "notBefore",
    )
    for version in versions:
        for name in fixed:
            expect_equal(version.get(name), versions[0].get(name), f"{name} of version {version['version']}")
    expect_equal([version["version"] for version in versions], list(range(1, 7)), "numbers of versions")
    expect_equal(len({version["nonce"] for version in versions}), 6, "nonces of six versions")
