"""Records by the owner's routes: what content is taken, its versions, and which record is about the person."""

from __future__ import annotations

import asyncio
import re
from typing import Any, Final

from ..cast.stage import Stage
from ..check import Failed, Topic, expect, expect_equal, expect_problem, expect_status, object_of
from ..hands import proof
from ..hands.encoding import Document, Json, cid, from_xsd_time, jcs
from ..wire import Answer

topic = Topic()

_KEEPING: Final = ("@context", "id", "created", "source", "previous", "proof")
_UNKNOWN: Final = "00000000-0000-4000-8000-000000000000"
_ADDRESS: Final = {"type": "PostalAddress", "streetAddress": "1 Analytical Row", "postalCode": "EX1 2AB"}
_GOOD: Final[dict[str, Document]] = {
    "a-person": {"type": "Person", "name": "Ada", "email": ["a@example.com", "b@example.com"], "address": _ADDRESS},
    "only-a-type": {"type": "Person"},
    "another-type": {"type": "Order", "orderNumber": "A-1", "orderedItem": [{"type": "Product", "name": "Lamp",
        "sku": "1"}]},
    "numbers": {"type": "Product", "name": "Lamp", "weight": 1.5, "height": -3, "price": 0, "sku": 9007199254740991},
    "true-and-false": {"type": "Person", "gender": True, "description": False},
    "scripts": {"type": "Person", "name": "张伟 👩‍🚀 Zoë e\u0301", "description": "line\nline\ttab"},
    "nodes-in-nodes": {"type": "Person", "worksFor": {"type": "Organization", "department": {"type": "Organization",
        "address": _ADDRESS}}},
    "a-node-with-an-id": {"type": "Person", "knows": {"type": "Person",
        "id": "urn:uuid:00000000-0000-4000-8000-000000000001", "name": "Bob"}},
    "a-node-without-a-type": {"type": "Person", "address": {"postalCode": "EX1 2AB"}},
    "with-the-context": {"@context": "https://w3id.org/freehold/v1", "type": "Person", "name": "Ada"},
    "deep": {"type": "Person", "knows": {"type": "Person", "knows": {"type": "Person", "knows": {"type": "Person",
        "name": "Far"}}}},
    "long": {"type": "Person", "description": "x" * 200_000},
}  # fmt: skip
_KEPT: Final = tuple(f"VOC-{number}" for number in range(6, 14))
"""What is asked of every document, so that nothing of its meaning is lost."""
_UNDEFINED: Final = ("undefined-term", "malformed")
_NO_IDS: Final[list[Json]] = [
    7, [], "relative", "a b", "", "urn:a\nb", "urn:<x>", "urn:x|y", "urn:%zz", "urn:a#b#c",
]  # fmt: skip
_REFUSED: Final[dict[str, tuple[list[Document], tuple[str, ...]]]] = {
    "no-type": ([{}, {"name": "Ada"}, {"type": None}, {"type": ""}, {"type": []}, {"type": 7}, {"type": {}}],
        ("malformed",)),
    "two-types": ([{"type": ["Person"]}, {"type": ["Person", "Organization"]}], ("malformed",)),
    "types-of-another-spelling": ([{"type": one} for one in ("schema:Person", "https://schema.org/Person", "a b",
        "_:b", "1Person", "Per-son", "x" * 65)], ("malformed",)),
    "undefined-type": ([{"type": "NoSuchType"}, {"type": "person"}], ("undefined-term",)),
    "undefined-member": ([{"type": "Person", "noSuchTerm": "x"}, {"type": "Person", "address": {**_ADDRESS,
        "noSuchTerm": 1}}, {"type": "Person", "Name": "x"}], ("undefined-term",)),
    "undefined-type-below": ([{"type": "Person", "address": {"type": "NoSuchType", "postalCode": "x"}}],
        ("undefined-term",)),
    "keywords": ([{"type": "Person", one: "x"} for one in ("@id", "@type", "@value", "@graph", "@language",
        "@reverse", "@index", "@nest", "@included", "@foo")], ("malformed",)),
    "keywords-below": ([{"type": "Person", "address": {"postalCode": "x", one: "y"}} for one in ("@id", "@type",
        "@context", "@graph", "@set", "@list")], ("malformed",)),
    "literals": ([{"type": "Person", "name": {"@value": "Ada"}}, {"type": "Person", "name": {"@value": "Ada",
        "@language": "en"}}], ("malformed",)),
    "names-of-another-spelling": ([{"type": "Person", one: "x"} for one in ("schema:name",
        "https://schema.org/name", "first name", "", "1name", "na-me", "n" * 65, "nämé")], _UNDEFINED),
    "keeping": ([{"type": "Person", one: "urn:uuid:" + _UNKNOWN} for one in ("id", "created", "previous",
        "proof")] + [{"type": "Person", "source": {"type": "Person"}}], ("malformed",)),
    "another-context": ([{"@context": one, "type": "Person"} for one in ("https://schema.org",
        "https://w3id.org/freehold/v2", ["https://w3id.org/freehold/v1"], {}, None,
        {"name": "https://schema.org/name"})], ("malformed", "unsupported")),
    "proof-below": ([{"type": "Person", "knows": {"type": "Person", "proof": {}}}], ("malformed",)),
    "nulls": ([{"type": "Person", "name": None}, {"type": "Person", "address": {"postalCode": None}},
        {"type": "Person", "email": ["a", None]}], ("malformed",)),
    "arrays-in-arrays": ([{"type": "Person", "email": [["a"]]}, {"type": "Person", "email": [[]]}], ("malformed",)),
    "empty-arrays": ([{"type": "Person", "email": []}], ("malformed",)),
    "blank-nodes": ([{"type": "Person", "knows": {"type": "Person", "id": "_:b0"}}, {"type": "Person",
        "knows": {"id": "_:x", "name": "x"}}], ("malformed",)),
    "ids-that-are-none": (
        [{"type": "Person", "knows": {"type": "Person", "id": one}} for one in _NO_IDS], ("malformed",)
    ),
    "two-types-below": ([{"type": "Person", "knows": {"type": ["Person", "Organization"], "name": "x"}}],
        ("malformed",)),
    "an-attestation": ([{"type": "Attestation", "attestedBy": "did:key:z6Mk"}], ("malformed", "undefined-term")),
    "references-that-are-none": ([{"type": "Person", "attestedBy": "a b"}], _UNDEFINED),
    "numbers-that-are-lost": ([{"type": "Person", "height": 0.12345678901234568}], ("malformed",)),
}  # fmt: skip


async def _post(stage: Stage, content: Json, **more: Json) -> Answer:
    return await stage.owner.send("POST", "/records", {"content": content, **more})


async def _put(stage: Stage, record: str, content: Json, previous: Json) -> Answer:
    body = {"content": content, "previous": previous}
    return await stage.owner.send("PUT", f"/records/{record.removeprefix('urn:uuid:')}", body)


def _is_record(document: Document, content: Document) -> None:
    """Check the form of a record as it is kept."""
    plain = {name: value for name, value in content.items() if name != "@context"}
    said = {name: value for name, value in document.items() if name not in _KEEPING}
    expect_equal(jcs(said), jcs(plain), "what the record says")
    expect_equal(document["@context"], proof.CONTEXT, "@context")
    form = re.fullmatch(r"urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", document["id"])
    expect(form is not None, "an id of another form")
    expect_equal(document["source"], {"type": "Person"}, "source")
    key = document["proof"]["verificationMethod"].partition("#")[0]
    expect(proof.is_proven(document, key), "the record's proof does not verify")
    expect_equal(document["proof"].get("created"), document["created"], "time of the proof")
    from_xsd_time(document["created"])


# Content


@topic.check("REC-1", "REC-6", "REC-10", cases=_GOOD)
async def content_of_the_form_is_kept(stage: Stage, content: Document) -> None:
    """What the person writes is kept as it is, signed, under an id drawn at random, and comes back the same."""
    answer = expect_status(await _post(stage, content), 201)
    made = object_of(answer)
    expect_equal(sorted(made), ["cid", "id"], "members of the answer")
    shown = await stage.owner.show(made["id"])
    expect_equal(
        sorted(shown),
        ["cid", "content", "history", "readers", "record", "self"],
        "members of the record's answer",
    )
    _is_record(shown["record"], content)
    expect("previous" not in shown["record"], "a first version that follows one")
    plain = {name: value for name, value in content.items() if name != "@context"}
    expect_equal(jcs(shown["content"]), jcs(plain), "content")
    expect_equal((shown["cid"], shown["history"]), (cid(shown["record"]), []), "CID and history")
    expect_equal((made["cid"], made["id"]), (shown["cid"], shown["record"]["id"]), "what was said of it")
    await stage.owner.delete(made["id"])


@topic.check("REC-3", "REC-4", "REC-5", "REC-6", *_KEPT,
    cases=_REFUSED)  # fmt: skip
async def content_of_another_form_is_refused(
    stage: Stage, case: tuple[list[Document], tuple[str, ...]]
) -> None:
    """Content that could not be shown field by field, or of which something would be lost, is written by no route."""
    contents, codes = case
    record = await stage.once("a record that is not changed", lambda: stage.person(name="Ada"))
    before = await stage.owner.show(record.id)
    for content in contents:
        for answer in (await _post(stage, content), await _put(stage, record.id, content, before["cid"])):
            if answer.status not in (400, 422) or answer.headers.get("freehold-code") not in codes:
                told = answer.headers.get("freehold-code", "no code")
                raise Failed(
                    f"{str(content)[:120]}: {answer.status} ({told}) instead of {' or '.join(codes)}"
                )
            expect_problem(answer, answer.status, *codes)
    expect_equal(await stage.owner.show(record.id), before, "the record afterwards")


_BODIES: Final[dict[str, Json]] = {
    "nothing": {}, "no-object": {"content": "Ada"}, "an-array": {"content": [{"type": "Person"}]},
        "null": {"content": None},
    "an-unknown-member": {"content": {"type": "Person"}, "id": "urn:uuid:" + _UNKNOWN},
}  # fmt: skip


@topic.check("REC-5", "HTTP-68", cases=_BODIES)
async def a_record_is_written_by_its_content_alone(stage: Stage, body: Json) -> None:
    """The owner sends content and nothing of its keeping."""
    expect_problem(await stage.owner.send("POST", "/records", body), 400, "malformed")
    expect_status(await _post(stage, {"type": "Person", "name": "Ada"}), 201)


@topic.check("REC-2", "LIM-1", "LIM-2", cases={
    "bytes": ({"type": "Person", "description": "x" * 262_144}, 413, "too-large"),
    "bytes-of-letters": ({"type": "Person", "description": "é" * 131_073}, 413, "too-large"),
    "members": ({"type": "Person", "email": ["x"] * 20_001}, 413, "too-large"),
})  # fmt: skip
async def a_record_that_is_too_much_is_refused(stage: Stage, case: tuple[Document, int, str]) -> None:
    """What is over the bounds of a record is refused: a node signs nothing that it could not read back."""
    content, status, code = case
    expect_problem(await _post(stage, content), status, code)


@topic.check("REC-2", "ENC-7")
async def a_record_that_is_too_deep_is_refused(stage: Stage) -> None:
    """Content deeper than the bound is too-deep; as deep as it may be, it is kept."""

    def nested(depth: int) -> Document:
        made: Document = {"type": "Person", "name": "Ada"}
        for _ in range(depth - 1):
            made = {"type": "Person", "knows": made}
        return made

    for depth in (64, 65, 200):
        expect_problem(await _post(stage, nested(depth)), 400, "too-deep")
    made = object_of(expect_status(await _post(stage, nested(60)), 201))
    await stage.owner.show(made["id"])
    await stage.owner.delete(made["id"])


@topic.check("REC-2", "LIM-2")
async def a_record_of_any_size_is_refused_or_read_back(stage: Stage) -> None:
    """Around the bound a record is either too-large or can be read back, whole."""
    for size in (261_000, 261_400, 261_700, 261_900, 262_100):
        content = {"type": "Person", "description": "x" * size}
        answer = await _post(stage, content)
        if answer.status != 201:
            expect_problem(answer, 413, "too-large")
            continue
        made = object_of(answer)
        shown = await stage.owner.show(made["id"])
        expect(len(jcs(shown["record"])) <= 262_144, "a record over the bound")
        await stage.owner.delete(made["id"])


@topic.check("VOC-6", "VOC-1")
async def terms_of_the_vocabulary_are_defined(stage: Stage) -> None:
    """Terms of the vocabulary are taken; those of other letters, prefixes or vocabularies are not."""
    defined = (
        "knowsLanguage",
        "honorificPrefix",
        "taxID",
        "vatID",
        "orderStatus",
        "eventSchedule",
        "priceSpecification",
    )
    for term in defined:
        made = object_of(expect_status(await _post(stage, {"type": "Person", term: "x"}), 201))
        await stage.owner.delete(made["id"])
    for term in ("knowslanguage", "knowsLanguages", "schemaName", "foafName", "Vcard", "dpvPurpose"):
        expect_problem(await _post(stage, {"type": "Person", term: "x"}), 400, "undefined-term")


# Versions


@topic.check("REC-7", "REC-1", "REC-10")
async def an_edit_makes_the_next_version(stage: Stage) -> None:
    """An edit names the version that was seen, makes one that names it as previous, and keeps the earlier ones."""
    contents = [{"type": "Person", "name": f"Ada {number}"} for number in range(3)]
    record = await stage.owner.add(contents[0])
    seen = [await stage.owner.show(record)]
    for content in contents[1:]:
        done = object_of(expect_status(await _put(stage, record, content, seen[-1]["cid"]), 200))
        seen.append(await stage.owner.show(record))
        expect_equal(done, {"id": record, "cid": seen[-1]["cid"]}, "what is said of it")
    for number, shown in enumerate(seen):
        _is_record(shown["record"], contents[number])
        expect_equal(shown["record"]["id"], record, "id")
        expect_equal(shown["record"].get("previous"), seen[number - 1]["cid"] if number else None, "previous")
        expect_equal(
            shown["history"], [one["record"] for one in seen[:number][::-1]], "the history, newest first"
        )
    keys = {one["record"]["proof"]["verificationMethod"] for one in seen}
    expect_equal(len(keys), 1, "record keys")


@topic.check("REC-7")
async def an_edit_of_a_version_that_is_past_is_a_conflict(stage: Stage) -> None:
    """An edit that names another version than the one that stands is a conflict, and changes nothing."""
    first = await stage.owner.show(record := await stage.owner.add({"type": "Person", "name": "Ada"}))
    await stage.owner.edit(record, {"type": "Person", "name": "Bob"})
    stands = await stage.owner.show(record)
    other = await stage.owner.show(await stage.owner.add({"type": "Person", "name": "Cid"}))
    for previous in (first["cid"], other["cid"], stands["cid"].upper(), stands["cid"][:-1], "x"):
        answer = await _put(stage, record, {"type": "Person", "name": "Eve"}, previous)
        expect_status(answer, 409, 400)
        expect_problem(answer, answer.status, "conflict" if answer.status == 409 else "malformed")
    expect_problem(await _put(stage, record, {"type": "Person"}, first["cid"]), 409, "conflict")
    for previous in (None, 7, "", []):
        expect_problem(await _put(stage, record, {"type": "Person"}, previous), 400, "malformed")
    bare = await stage.owner.send(
        "PUT", f"/records/{record.removeprefix('urn:uuid:')}", {"content": {"type": "Person"}}
    )
    expect_problem(bare, 400, "malformed")
    expect_equal(await stage.owner.show(record), stands, "the record afterwards")


@topic.check("REC-7")
async def of_edits_at_once_one_is_made(stage: Stage) -> None:
    """Of several edits of one version that come at once, exactly one is made; the others are conflicts."""
    record = await stage.owner.add({"type": "Person", "name": "Ada"})
    seen = (await stage.owner.show(record))["cid"]
    edits = [_put(stage, record, {"type": "Person", "name": f"Ada {number}"}, seen) for number in range(6)]
    answers = await asyncio.gather(*edits)
    expect_equal(sorted(answer.status for answer in answers), [200, 409, 409, 409, 409, 409], "statuses")
    for answer in answers:
        if answer.status == 409:
            expect_problem(answer, 409, "conflict")
    expect_equal(len((await stage.owner.show(record))["history"]), 1, "earlier versions")


@topic.check("REC-9")
async def a_deleted_record_is_gone(stage: Stage) -> None:
    """A deleted record is gone with all its versions: not shown, not listed, not edited, not deleted again."""
    record = await stage.owner.add({"type": "Person", "name": (tag := "to-be-deleted")})
    await stage.owner.edit(record, {"type": "Person", "name": tag, "email": "a@example.com"})
    seen = await stage.owner.show(record)
    path = f"/records/{record.removeprefix('urn:uuid:')}"
    answer = expect_status(await stage.owner.send("DELETE", path), 204)
    expect_equal(answer.body, b"", "body of the answer")
    expect_problem(await stage.owner.send("GET", path), 404, "not-found")
    expect_problem(await stage.owner.send("DELETE", path), 404, "not-found")
    expect_problem(await _put(stage, record, {"type": "Person"}, seen["cid"]), 404, "not-found")
    listed: list[Document] = (await stage.owner.do("GET", "/records?limit=1000"))["records"]
    expect(record not in [one["id"] for one in listed], "a deleted record is listed")


@topic.check("REC-9", "REC-7", cases={"GET": "GET", "DELETE": "DELETE", "PUT": "PUT"})
async def a_record_that_there_is_not_is_not_found(stage: Stage, method: str) -> None:
    """A record that there is not is not-found; an id of another form names none."""
    body: Any = {"content": {"type": "Person"}, "previous": "b" + "a" * 60} if method == "PUT" else None
    expect_problem(await stage.owner.send(method, f"/records/{_UNKNOWN}", body), 404, "not-found")
    for other in ("x", _UNKNOWN[:-1], _UNKNOWN.replace("4", "G")):
        answer = await stage.owner.send(method, f"/records/{other}", body)
        expect_status(answer, 400, 404)
        expect_problem(answer, answer.status, "malformed", "not-found")


@topic.check("HTTP-68")
async def records_are_listed_in_pages(stage: Stage) -> None:
    """The owner's list has every record once, in pages of the size that was asked for."""
    made = {await stage.owner.add({"type": "Product", "name": f"Lamp {number}"}) for number in range(7)}
    found: list[str] = []
    after = 0
    while True:
        page = await stage.owner.do("GET", f"/records?limit=50&after={after}")
        expect(len(page["records"]) <= 50, "a page of more than was asked for")
        for one in page["records"]:
            expect_equal(sorted(one), ["changed", "id", "label", "self", "source", "type"], "members")
        found += [one["id"] for one in page["records"]]
        if "next" not in page:
            break
        after = page["next"]
    expect_equal(len(set(found)), len(found), "different records in the list")
    expect(made <= set(found), "records that are not listed")
    for record in made:
        await stage.owner.delete(record)


# The person's own record


@topic.check("REC-11", "REQ-7", "HTTP-32", alone=True)
async def an_item_about_the_person_shows_one_record(stage: Stage) -> None:
    """A permission about the person shows the record that they named, and no contact, whatever it says."""
    ada = await stage.person(name="Ada", email="ada@example.com")
    bob = await stage.owner.add({**ada.content, "name": "Bob"})
    own = {**ada.permission("own", ["name"]), "name": "own"}
    own["items"] = [{"type": "Person", "about": "self", "fields": ["name"]}]
    await stage.owner.choose_self(ada.id)
    vendor = await stage.relate([own, ada.permission("all", ["name"], newRecords=True)])

    async def names(permission: str) -> list[str]:
        return sorted(item["name"] for item in (await vendor.read(permission))["items"])

    expect_equal(await names("own"), ["Ada"], "names about the person")
    expect_equal(await names("all"), ["Ada", "Bob"], "names about anyone")
    listed = (await stage.owner.show(ada.id))["self"], (await stage.owner.show(bob))["self"]
    expect_equal(listed, (True, False), "which one is the person's own")
    status = await stage.owner.do("GET", "/status")
    expect_equal(status["self"]["id"], ada.id, "the person's own, in the status")
    await stage.owner.choose_self(bob)
    expect(await names("own") in ([], ["Bob"]), "a record that is no more the person's own is shown")
    expect_equal((await stage.owner.show(ada.id))["self"], False, "two own records")
    await stage.owner.choose_self(ada.id)
    expect_equal(await names("own"), ["Ada"], "names about the person again")


@topic.check("REC-11", cases={
    "unknown": ({"record": "urn:uuid:" + _UNKNOWN}, 404), "no-urn": ({"record": _UNKNOWN}, 400), "nothing": ({}, 400),
    "null": ({"record": None}, 400), "more": ({"record": "urn:uuid:" + _UNKNOWN, "label": "x"}, 400),
})  # fmt: skip
async def only_a_record_is_the_persons_own(stage: Stage, case: tuple[Document, int]) -> None:
    """What is no record is not made the person's own, and the one that is stays it."""
    own = await stage.self_record()
    answer = await stage.owner.send("PUT", "/self", case[0])
    expect_problem(answer, case[1], "not-found" if case[1] == 404 else "malformed")
    expect_equal((await stage.owner.do("GET", "/status"))["self"] is None, False, "whether there is one")
    expect(own.id.startswith("urn:uuid:"), "an id of another form")


@topic.check("REC-10")
async def the_node_checks_its_records(stage: Stage) -> None:
    """The node checks all its records, and none is damaged."""
    await stage.person(name="Ada")
    found = await stage.owner.do("POST", "/verify", {})
    expect_equal((found["intact"], found["records"]["damaged"]), (True, []), "what is damaged")
    expect(found["records"]["checked"] >= 1, "no record was checked")
