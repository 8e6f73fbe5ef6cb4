"""Released documents: what is projected, under which ids, with which proof; and what never leaves."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from ..cast import book
from ..cast.holder import Holder
from ..cast.stage import Shown, Stage
from ..check import Failed, Topic, expect, expect_equal, expect_status, object_of
from ..hands import proof
from ..hands.encoding import Document, base64url, jcs, multibase, sha256, strict_json
from ..hands.keys import Key
from ..hands.ledger import is_alias

topic = Topic()

CARRIED: Final = frozenset({"@context", "id", "issuer", "version", "proof"})
_PROOF: Final = ["@context", "cryptosuite", "proofPurpose", "proofValue", "type", "verificationMethod"]


def content(document: Document) -> Document:
    """Return what a released document shows, without what every one carries."""
    return {name: value for name, value in document.items() if name not in CARRIED}


def alias_of(document: Document) -> str:
    """Return the alias under which a document goes, or raise Failed if it has none."""
    alias = str(document["id"]).removeprefix("urn:freehold:")
    if not is_alias(alias) or document["id"] == alias:
        raise Failed(f"the id {document['id']!r} is no alias")
    return alias


async def only_item(vendor: Holder, name: str = "delivery", query: str = "") -> Document:
    """Return the one document on a page."""
    page = await vendor.read(name, query)
    if len(page["items"]) != 1:
        raise Failed(f"{len(page['items'])} documents on the page instead of one")
    item: Document = page["items"][0]
    return item


def expect_shown(item: Document, wanted: Document) -> None:
    """Check what a released Person shows; as JSON, in which 1 is not true."""
    if jcs(content(item)) != jcs({"type": "Person", **wanted}):
        raise Failed(f"the document shows {content(item)!r} instead of {wanted!r}")


# Projection

_HOME: Final = {
    "type": "PostalAddress", "streetAddress": "1 Row", "postalCode": "EX1", "addressLocality": "Exampleton",
}  # fmt: skip
_WORK: Final = {"type": "PostalAddress", "postalCode": "EX2"}
_BARE: Final = {"type": "PostalAddress", "streetAddress": "3 Row"}
_FRIEND: Final = {"type": "Person", "name": "Cyd", "email": "cyd@example.com", "address": [_HOME, _BARE]}
_PRICE: Final = {"price": 12.5, "priceCurrency": "EUR", "type": "Offer"}
_RICH: Final[Document] = {
    "name": "Ada", "alternateName": ["Countess", "Ada L."], "height": 0, "weight": 61.5, "gender": False,
    "description": "", "nationality": True, "email": "ada@example.com",
    "address": [_HOME, _WORK, _BARE], "knows": ["Bea", _FRIEND, {"name": "Dot"}, {"type": "Person", "email": "e@e.ee"}],
    "owns": {"type": "OwnershipInfo", "typeOfGood": {"type": "Product", "name": "Engine", "sku": "AE-1"}},
    "acceptedOffer": _PRICE, "worksFor": {"type": "Organization", "name": "Engines Ltd", "url": "https://e.example"},
}  # fmt: skip
_SHOWN: Final[Mapping[str, tuple[list[str], Document]]] = {
    "a-text": (["name"], {"name": "Ada"}),
    "nothing-there": (["telephone"], {}),
    "an-array": (["alternateName"], {"alternateName": ["Countess", "Ada L."]}),
    "zero": (["height"], {"height": 0}),
    "a-number": (["weight"], {"weight": 61.5}),
    "false": (["gender"], {"gender": False}),
    "true": (["nationality"], {"nationality": True}),
    "an-empty-text": (["description"], {"description": ""}),
    "a-part-of-a-node": (["worksFor.name"], {"worksFor": {"type": "Organization", "name": "Engines Ltd"}}),
    "a-node-itself": (["worksFor"], {}),
    "a-node-and-its-part": (
        ["worksFor", "worksFor.url"], {"worksFor": {"type": "Organization", "url": "https://e.example"}},
    ),
    "nodes-in-an-array": (
        ["address.postalCode"],
        {"address": [{"type": "PostalAddress", "postalCode": "EX1"}, {"type": "PostalAddress", "postalCode": "EX2"}]},
    ),
    "no-such-part": (["address.telephone"], {}),
    "a-part-of-a-text": (["name.email"], {}),
    "texts-among-nodes": (["knows"], {"knows": ["Bea"]}),
    "parts-among-texts": (["knows.name"], {"knows": [{"type": "Person", "name": "Cyd"}, {"name": "Dot"}]}),
    "texts-and-parts": (
        ["knows", "knows.name"], {"knows": ["Bea", {"type": "Person", "name": "Cyd"}, {"name": "Dot"}]},
    ),
    "deep": (
        ["knows.address.streetAddress"],
        {"knows": [{"type": "Person", "address": [
            {"type": "PostalAddress", "streetAddress": "1 Row"},
            {"type": "PostalAddress", "streetAddress": "3 Row"}]}]},
    ),
    "node-in-node": (
        ["owns.typeOfGood.name"],
        {"owns": {"type": "OwnershipInfo", "typeOfGood": {"type": "Product", "name": "Engine"}}},
    ),
    "half-a-way": (["owns.typeOfGood"], {}),
    "a-name-that-begins-another": (["acceptedOffer.price"], {"acceptedOffer": {"type": "Offer", "price": 12.5}}),
    "several": (
        ["name", "address.addressLocality", "worksFor.name"],
        {"name": "Ada", "worksFor": {"type": "Organization", "name": "Engines Ltd"},
         "address": [{"type": "PostalAddress", "addressLocality": "Exampleton"}]},
    ),
}  # fmt: skip


@topic.check("REL-1", "REL-2", "REL-4", "HTTP-32", cases=_SHOWN)
async def only_the_leaves_of_the_paths_are_shown(stage: Stage, case: tuple[list[str], Document]) -> None:
    """A document shows the leaves at the paths, the types on the way to them, and nothing else of the record."""
    fields, wanted = case
    shown = await stage.person(**_RICH)
    vendor = await stage.relate([shown.permission("delivery", fields)])
    item = await only_item(vendor)
    expect_shown(item, wanted)
    answer = await vendor.get(f"/delivery/records/{alias_of(item)}")
    expect_equal(object_of(expect_status(answer, 200)), item, "the document by itself")


async def _rich(stage: Stage) -> Holder:
    shown = await stage.person(**_RICH)
    fields = dict.fromkeys(path for paths, _ in _SHOWN.values() for path in paths)
    return await stage.relate([shown.permission("delivery", fields)])


@topic.check("REL-3", "REL-1", "HTTP-35", cases=_SHOWN)
async def fewer_paths_show_what_they_would_alone(stage: Stage, case: tuple[list[str], Document]) -> None:
    """Of many paths that are shown, those that a read names show what they would show if no others were."""
    fields, wanted = case
    vendor = await stage.once("a rich document", lambda: _rich(stage))
    item = await only_item(vendor, query=f"?fields={','.join(fields)}")
    expect_shown(item, wanted)
    backwards = await only_item(vendor, query=f"?fields={','.join(reversed(fields))}")
    expect_equal(content(backwards), content(item), "what the same paths show in another order")


# Ids

_OTHER: Final = "urn:uuid:5d1f0c7e-91aa-4d0c-8a43-7c2b9be5f610"


@topic.check("REL-5", "IDN-10")
async def ids_of_the_owner_s_are_replaced_at_any_depth(stage: Stage) -> None:
    """A text that is an id of the owner's namespace comes as its alias, wherever it stands; others come as they are."""
    target = await stage.person(name="Bea")
    kept = [
        "urn:uuidx:1",
        "urn:isbn:0451450523",
        "see urn:uuid:x",
        "URN:UUID:x",
        "urn:freeholder:1",
        "https://urn.example",
    ]
    owned = [
        target.id,
        _OTHER,
        "urn:freehold:anything",
        "urn:uuid:",
        "urn:uuid:not a uuid",
        "urn:freehold:z6Mk",
    ]
    shown = await stage.person(
        identifier=[*owned, *kept], worksFor=target.id,
        knows=[{"type": "Person", "identifier": _OTHER,
                "memberOf": {"type": "Organization", "identifier": [target.id]}}],
    )  # fmt: skip
    fields = ["identifier", "worksFor", "knows.identifier", "knows.memberOf.identifier"]
    vendor = await stage.relate([shown.permission("delivery", fields), target.permission("friend", ["name"])])
    item = await only_item(vendor)
    aliases, rest = item["identifier"][: len(owned)], item["identifier"][len(owned) :]
    expect_equal(rest, kept, "texts that are no ids of the owner's")
    expect(all(map(is_alias, aliases)), "an id of the owner's namespace is no alias")
    expect_equal(len(set(aliases)), len(owned), "different aliases")
    friend = alias_of(await only_item(vendor, "friend"))
    found = [aliases[0], item["worksFor"], item["knows"][0]["memberOf"]["identifier"][0]]
    expect_equal(found, [friend] * 3, "aliases of one record, as value and as id")
    expect_equal(item["knows"][0]["identifier"], aliases[1], "alias of another id, deeper")
    expect(alias_of(item) not in aliases, "two ids of one alias")


@topic.check("IDN-7", "ROT-1", "REL-8")
async def aliases_outlive_changes_of_keys(stage: Stage) -> None:
    """A vendor knows a record by the same id after an edit, a new version of the grant and a change of keys."""
    shown = await stage.person(name="Ada", worksFor=_OTHER)
    given = [shown.permission("delivery", ["name", "worksFor"])]
    vendor = await stage.relate(given)
    first = await only_item(vendor)
    await stage.owner.edit(shown.id, {**shown.content, "name": "Bea"})
    edited = await only_item(vendor)
    await stage.owner.change(vendor.grant, "narrow", permissions=given)
    narrowed = await only_item(vendor)
    await stage.owner.change(vendor.grant, "rotate")
    answer = expect_status(await vendor.by_did("POST", vendor.path("/renew")), 200)
    vendor = replace(vendor, capability=object_of(answer)["capability"])
    rotated = await only_item(vendor)
    for item in (edited, narrowed, rotated):
        expect_equal((item["id"], item["worksFor"]), (first["id"], first["worksFor"]), "ids")
    expect(first["version"] != edited["version"], "one version of two contents")
    expect_equal(edited, narrowed, "the document under a new version of the grant")
    expect(rotated["issuer"] != first["issuer"], "the issuer after a change of keys")


@topic.check("REL-9", "HTTP-34", "IDN-9", "IDN-10", cases={"two-vendors": False, "one-vendor-twice": True})
async def nothing_of_two_relationships_is_the_same(stage: Stage, is_one: bool) -> None:
    """Of the same record under the same permission, two relationships get other ids, versions, tags and signatures."""
    shown = await stage.person(name="Ada", worksFor=_OTHER)
    key = Key.fresh()
    given = [shown.permission("delivery", ["name", "worksFor"])]
    answers = []
    for vendor in [await stage.relate(given, key=key if is_one else Key.fresh()) for _ in range(2)]:
        page = expect_status(await vendor.get("/delivery/records"), 200)
        item = object_of(page)["items"][0]
        alone = expect_status(await vendor.get(f"/delivery/records/{alias_of(item)}"), 200)
        answers.append((page, item, alone))
    (page, item, alone), (other_page, other, other_alone) = answers
    expect_equal(item["name"], other["name"], "the value that both are shown")
    for member in ("id", "issuer", "version", "worksFor", "proof"):
        expect(item[member] != other[member], f"the {member} of both is the same")
    expect(page.headers["etag"] != other_page.headers["etag"], "the tag of both pages is the same")
    expect(alone.headers["etag"] != other_alone.headers["etag"], "the tag of both documents is the same")


# Form


async def _pages(stage: Stage) -> tuple[Holder, str, list[Document]]:
    tag = (await stage.person()).tag
    for number in range(3):
        await stage.owner.add({"type": "Person", "name": f"Bea {number}", "worksFor": tag})
    given = Shown(id="", tag=tag, content={}).permission("delivery", ["name"])
    given["items"][0]["where"] = {"worksFor": tag}
    vendor = await stage.relate([given])
    first = await vendor.read("delivery", "?limit=2")
    last = await vendor.read("delivery", f"?limit=2&cursor={first['next']}")
    none = await vendor.read("delivery", "?where=%7B%22name%22%3A%22Nobody%22%7D")
    serving = (await stage.owner.grant(vendor.grant))["document"]["servingKey"]
    return vendor, serving, [first, last, none]


@topic.check("REL-7", "REL-8")
async def a_document_is_of_its_form(stage: Stage) -> None:
    """A document has exactly its members, the digest of them as version, and the serving key's proof without a time."""
    vendor, serving, (first, last, _) = await _pages(stage)
    for item in (*first["items"], *last["items"]):
        expect_equal(set(item), CARRIED | {"type", "name"}, "members of a document")
        expect_equal(item["@context"], proof.CONTEXT, "context")
        expect_equal(item["issuer"], serving, "issuer")
        alias_of(item)
        body = {name: value for name, value in item.items() if name not in ("version", "proof")}
        expect_equal(item["version"], base64url(sha256(jcs(body))), "version")
        expect_equal(sorted(item["proof"]), _PROOF, "members of the proof")
        expect(proof.is_proven(item, serving), "the proof of a document does not verify")
        alone = expect_status(await vendor.get(f"/delivery/records/{alias_of(item)}"), 200)
        expect(alone.body == jcs(item), "the document by itself has other bytes than on the page")


@topic.check("REL-11", "REL-8")
async def a_page_is_of_its_form(stage: Stage) -> None:
    """A page has exactly its members, ``next`` only where more follow, and the serving key's proof without a time."""
    _, serving, pages = await _pages(stage)
    for page, count in zip(pages, (2, 1, 0), strict=True):
        more = {"next"} if count == 2 else set()
        expect_equal(set(page), {"@context", "type", "issuer", "items", "proof"} | more, "members of a page")
        told = (page["@context"], page["type"], page["issuer"], len(page["items"]))
        expect_equal(told, (proof.CONTEXT, "ReleasedPage", serving, count), "what the page says of itself")
        expect_equal(sorted(page["proof"]), _PROOF, "members of the proof")
        expect(proof.is_proven(page, serving), "the proof of a page does not verify")


@topic.check("HTTP-5", "HTTP-6", "HTTP-31")
async def an_answer_has_these_headers_and_no_others(stage: Stage) -> None:
    """Data comes as canonical JSON that nobody keeps, with its tag and entry, and with nothing about the node."""
    vendor, _, (page, *_) = await _pages(stage)
    frame = {"connection", "content-length", "transfer-encoding", "keep-alive"}
    for below in ("/records", "/records?limit=1", f"/records/{alias_of(page['items'][0])}"):
        answer = expect_status(await vendor.get(f"/delivery{below}"), 200)
        wanted = {"cache-control", "content-type", "etag", "freehold-entry"}
        expect_equal(set(answer.headers) - frame, wanted, "headers")
        expect_equal(answer.headers["cache-control"], "no-store", "Cache-Control")
        expect_equal(answer.headers["content-type"], "application/json", "Content-Type")
        expect(answer.body == jcs(strict_json(answer.body)), "the body is not in canonical form")
        names = [name for name, _ in answer.raw_headers]
        expect_equal(len(names), len(set(names)), "headers that come once")


@topic.check("REL-8")
async def the_same_content_has_the_same_bytes(stage: Stage) -> None:
    """Whoever of a relationship reads the same, whenever, gets the same bytes: no time and no number is in them."""
    shown = await stage.person(name="Ada", email="ada@example.com")
    key = Key.fresh()
    vendor = await stage.relate([shown.permission("delivery", ["name"], recipients=[key.did])])
    partner = vendor.delegate("/delivery", key=key)
    first = expect_status(await vendor.get("/delivery/records"), 200)
    await stage.owner.edit(shown.id, {**shown.content, "email": "other@example.com"})
    await stage.owner.edit(shown.id, {**shown.content, "name": "Bea"})
    other = expect_status(await vendor.get("/delivery/records"), 200)
    await stage.owner.edit(shown.id, shown.content)
    answers = [await vendor.get("/delivery/records"), await partner.get("/delivery/records")]
    answers += await book.all_of(vendor.get("/delivery/records") for _ in range(10))
    for answer in answers:
        expect((answer.status, answer.body) == (200, first.body), "the same content came as other bytes")
        expect_equal(answer.headers["etag"], first.headers["etag"], "tag of the same content")
    expect(
        other.body != first.body and other.headers["etag"] != first.headers["etag"], "two contents are one"
    )


# What never leaves


@topic.check("REL-10", "IDN-4", "SEC-2")
async def what_a_record_is_kept_by_never_leaves(stage: Stage) -> None:
    """In nothing that a vendor receives is a record's id, CID, digest, signature or key, however encoded."""
    friend = await stage.person(name="Bea")
    shown = await stage.person(
        name="Ada", email="a@example.com", knows=friend.id, telephone="+44 1632 960199"
    )
    seen = [await stage.owner.show(shown.id)]
    await stage.owner.edit(shown.id, {**shown.content, "email": "b@example.com"})
    seen += [await stage.owner.show(shown.id), await stage.owner.show(friend.id)]
    vendor = await stage.relate([shown.permission("delivery", ["name", "knows"])])
    received = bytearray()
    alias = alias_of(await only_item(vendor))
    for below in (
        "", "?from=0", "/delivery", "/delivery/records", f"/delivery/records/{alias}", "/ledger/entries",
        "/ledger/checkpoint?from=1", "/delivery/records?fields=telephone", f"/delivery/records/{alias[:-3]}abc",
        "/delivery/records?where=%7B%22email%22%3A%22b@example.com%22%7D",
    ):  # fmt: skip
        for method in ("GET", "HEAD"):
            answer = await vendor.get(below, method=method)
            received += answer.body + jcs([list(pair) for pair in answer.raw_headers])
    await stage.owner.delete(shown.id)
    for below in ("/ledger/entries", f"/delivery/records/{alias}", ""):
        received += (await vendor.get(below)).body
    text = received.decode("utf-8")
    secrets = list(_told_by(seen))
    expect(len(secrets) > 20 and alias in text, "nothing was compared")
    for secret in secrets:
        expect(secret not in text, f"{secret[:60]!r} leaves the node")


def _told_by(seen: list[Document]) -> set[str]:
    """Return what names, signs or encodes records as the owner sees them, and values that are not shown."""
    found = {"+44 1632 960199", '"source"'}
    for shown in seen:
        record: Document = shown["record"]
        raw = bytes.fromhex(record["id"].removeprefix("urn:uuid:").replace("-", ""))
        digest = base64.b32decode(shown["cid"][1:].upper() + "====")[-32:]
        found |= {record["id"], record["id"].removeprefix("urn:uuid:"), shown["cid"]}
        for data in (raw, digest, sha256(jcs(shown["content"])), sha256(jcs(record))):
            found |= {
                data.hex(),
                base64url(data),
                base64.b64encode(data).decode(),
                base64.b32encode(data).decode(),
            }
        found |= {record["proof"]["proofValue"], record["proof"]["verificationMethod"].partition("#")[0]}
    return found


@topic.check("REL-10", "REL-5")
async def an_alias_is_not_made_of_the_id_alone(stage: Stage) -> None:
    """An alias is no digest of the id that somebody who knows the id could make."""
    shown = await stage.person(name="Ada")
    vendor = await stage.relate([shown.permission("delivery", ["name"])])
    alias = alias_of(await only_item(vendor))
    known = [shown.id, shown.id.removeprefix("urn:uuid:")]
    known += [salt + one for one in known for salt in (vendor.grant, vendor.key.did, "freehold")]
    expect(
        alias not in {multibase(sha256(text.encode())) for text in known},
        "the alias is a digest of what is known",
    )
