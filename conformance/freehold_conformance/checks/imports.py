"""Imports: what a file becomes, that a preview writes nothing, and that the same file again changes nothing."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ..cast.stage import Stage
from ..check import Profile, Topic, expect, expect_equal, expect_problem, expect_refusal, expect_status
from ..hands.encoding import Document, base64url, jcs

topic = Topic(profile=Profile.IMPORTS)

_MAPPING: Final = """
source = "orders of shop.example"
[[record]]
type = "Order"
key = ["No"]
[record.columns]
"No" = "orderNumber"
"What" = "description"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A format of files.

    Attributes:
        file: From a tag to a file that holds two records, the second of which says the tag.
        edited: The same with the first record's text changed.
        shown: The field that says the tag, and the type of the record.
    """

    name: str
    format: str
    file: Callable[[str], bytes]
    edited: Callable[[str], bytes]
    shown: tuple[str, str]
    mapping: str | None = None
    known: bool = True


def _cards(tag: str, name: str = "Ada") -> bytes:
    cards = [
        f"BEGIN:VCARD\r\nVERSION:4.0\r\nUID:urn:x:{tag}-{number}\r\nFN:{one}\r\nEMAIL:{tag}@example.com\r\n"
        f"TITLE:{tag}\r\nEND:VCARD\r\n"
        for number, one in enumerate((name, tag))
    ]
    return "".join(cards).encode()


def _jsonld(tag: str, name: str = "Ada") -> bytes:
    people: list[Document] = [
        {"@type": "Person", "@id": f"https://elsewhere.example/{tag}/{number}", "name": one, "jobTitle": tag}
        for number, one in enumerate((name, tag))
    ]
    return jcs({"@context": "https://schema.org", "@graph": people})


def _table(tag: str, what: str = "Tea") -> bytes:
    return f"No;What\r\n{tag}-1;{what}\r\n{tag}-2;{tag}\r\n".encode()


_KINDS: Final = {
    "vcard": Kind(
        name="book.vcf",
        format="vCard",
        file=_cards,
        edited=lambda tag: _cards(tag, "Grace"),
        shown=("name", "Person"),
    ),
    "json-ld": Kind(
        name="people.jsonld",
        format="JSON-LD",
        file=_jsonld,
        edited=lambda tag: _jsonld(tag, "Grace"),
        shown=("name", "Person"),
    ),
    "csv": Kind(
        name="orders.csv",
        format="CSV",
        file=_table,
        edited=lambda tag: _table(tag, "Coffee"),
        shown=("description", "Order"),
        mapping=_MAPPING,
    ),
}


def _sent(kind: Kind, data: bytes, **more: Any) -> Document:
    body: Document = {"name": kind.name, "data": base64url(data)}
    if kind.mapping is not None:
        body["mapping"] = kind.mapping
    return body | more


async def _records(stage: Stage, tag: str) -> list[Document]:
    """Return what is kept of the records of one file, by its tag in their labels or contents."""
    found: list[Document] = []
    after = ""
    while True:
        page = await stage.owner.do("GET", f"/records?limit=1000{after}")
        found += [one for one in page["records"] if tag in str(one["source"]) or tag in str(one["label"])]
        if "next" not in page:
            return found
        after = f"&after={page['next']}"


@topic.check("IMP-3", "IMP-1", cases=_KINDS)
async def a_preview_shows_and_writes_nothing(stage: Stage, kind: Kind) -> None:
    """A preview says what an import would find, of each record its state, and writes nothing."""
    tag = secrets.token_hex(8)
    body = _sent(kind, kind.file(tag), name=f"{tag}-{kind.name}")
    preview = await stage.owner.do("POST", "/import/preview", body)
    expect_equal(sorted(preview), ["format", "found", "skipped"], "members of a preview")
    expect(kind.format.lower() in preview["format"].lower(), f"the format {preview['format']!r}")
    expect_equal([one["state"] for one in preview["found"]], ["new", "new"], "states")
    for one in preview["found"]:
        members = {"number", "where", "label", "type", "fields", "state", "skipped", "content"}
        expect_equal(set(one) - {"emails", "self", "fills"}, members, "members of what was found")
        expect_equal(one["type"], kind.shown[1], "type")
        expect_equal(one["fields"], sorted(one["content"].keys() - {"type"}), "fields")
    expect_equal(preview["found"][1]["content"][kind.shown[0]], tag, "what the second says")
    expect_equal(await _records(stage, tag), [], "records after a preview")
    again = await stage.owner.do("POST", "/import/preview", body)
    expect_equal(again, preview, "the same preview again")


@topic.check("IMP-4", "IMP-3", cases=_KINDS)
async def the_same_file_again_changes_nothing(stage: Stage, kind: Kind) -> None:
    """A file is imported once; again it is the same, and edited it makes a new version of what it changed."""
    tag = secrets.token_hex(8)
    body = _sent(kind, kind.file(tag), name=f"{tag}-{kind.name}")
    first = await stage.owner.do("POST", "/import", body)
    expect_equal(sorted(first), ["added", "changed", "same", "self", "skipped"], "members")
    expect_equal((first["added"], first["changed"], first["same"]), (2, 0, 0), "what was imported")
    kept = await _records(stage, tag)
    expect_equal(len(kept), 2, "records")
    again = await stage.owner.do("POST", "/import", body)
    expect_equal((again["added"], again["changed"], again["same"]), (0, 0, 2), "what was imported again")
    expect_equal(await _records(stage, tag), kept, "records after the same again")
    preview = await stage.owner.do("POST", "/import/preview", body)
    expect_equal([one["state"] for one in preview["found"]], ["same", "same"], "states")
    edited = _sent(kind, kind.edited(tag), name=f"{tag}-{kind.name}")
    preview = await stage.owner.do("POST", "/import/preview", edited)
    expect_equal([one["state"] for one in preview["found"]], ["changed", "same"], "states of an edited file")
    third = await stage.owner.do("POST", "/import", edited)
    expect_equal((third["added"], third["changed"], third["same"]), (0, 1, 1), "what an edited file changed")
    after = await _records(stage, tag)
    expect_equal(sorted(one["id"] for one in after), sorted(one["id"] for one in kept), "ids")
    changed = [one["id"] for one in after if one not in kept]
    expect_equal(len(changed), 1, "records that changed")
    shown = await stage.owner.show(changed[0])
    expect_equal(len(shown["history"]), 1, "earlier versions")


@topic.check("IMP-3", cases=_KINDS)
async def a_record_says_where_it_came_from(stage: Stage, kind: Kind) -> None:
    """An imported record has the file's format, name and digest as its source, and shows none of it to a vendor."""
    tag = secrets.token_hex(8)
    name = f"{tag}-{kind.name}"
    await stage.owner.do("POST", "/import", _sent(kind, kind.file(tag), name=name))
    (one, _) = await _records(stage, tag)
    record = (await stage.owner.show(one["id"]))["record"]
    source = record["source"]
    expect_equal(source.get("file"), name, "the file's name")
    expect(kind.format.lower() in str(source.get("format", "")).lower(), "the file's format")
    expect("digest" in source, "a source without a digest")


@topic.check("IMP-6")
async def who_is_me_is_said_at_an_import(stage: Stage) -> None:
    """Somebody whom several cards match is a conflict and nobody not-found; neither imports anything."""
    await stage.self_record()
    tag = secrets.token_hex(8)
    two = (
        f"BEGIN:VCARD\r\nVERSION:4.0\r\nUID:a-{tag}\r\nFN:{tag}\r\nEND:VCARD\r\n"
        f"BEGIN:VCARD\r\nVERSION:4.0\r\nUID:b-{tag}\r\nFN:{tag}\r\nEMAIL:x@example.com\r\nEND:VCARD\r\n"
    ).encode()
    body: Document = {"name": f"{tag}.vcf", "data": base64url(two)}
    expect_problem(await stage.owner.send("POST", "/import", body | {"me": tag}), 409, "conflict")
    expect_problem(await stage.owner.send("POST", "/import", body | {"me": "nobody"}), 404, "not-found")
    expect_equal(await _records(stage, tag), [], "records of an import that was refused")
    expect_equal((await stage.owner.do("POST", "/import", body))["added"], 2, "what was imported")


_BROKEN: Final[dict[str, bytes]] = {
    "nothing": b"",
    "white-space": b" \r\n ",
    "zeros": bytes(1_000),
    "words": b"these are no records\r\n",
    "a-picture": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
    "an-archive": b"PK\x03\x04" + bytes(range(256)),
    "json-that-is-none": b'{"@context": "https://schema.org", "@type": "Person"',
    "a-card-cut-off": b"BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Ada\r\n",
    "a-table-without-a-mapping": b"No;What\r\n1;Tea\r\n",
    "an-entity": b'OFXHEADER:100\r\n\r\n<!DOCTYPE OFX [<!ENTITY x "y">]><OFX></OFX>',
}


@topic.check("IMP-1", "IMP-2", cases=_BROKEN)
async def a_broken_file_is_refused_whole(stage: Stage, data: bytes) -> None:
    """A file of no format, or in which nothing can be kept, is refused and writes nothing."""
    tag = secrets.token_hex(8)
    body: Document = {"name": f"{tag}.vcf", "data": base64url(data)}
    for path in ("/import/preview", "/import"):
        expect_problem(await stage.owner.send("POST", path, body), 400, "malformed", "undefined-term")
    expect_equal(await _records(stage, tag), [], "records of a file that was refused")
    good = await stage.owner.do("POST", "/import/preview", body | {"data": base64url(_cards(tag))})
    expect_equal(len(good["found"]), 2, "what is found in a good file of this name")


@topic.check("IMP-2", "IMP-12")
async def what_is_left_out_is_named(stage: Stage) -> None:
    """What cannot be kept is named with its place and a reason, and what can be is kept; no value is repeated."""
    tag = secrets.token_hex(8)
    secret = f"canary {tag}"
    file = (
        f"BEGIN:VCARD\r\nVERSION:4.0\r\nUID:c-{tag}\r\nFN:{tag}\r\nKEY:{secret}\r\nTZ:{secret}\r\nEND:VCARD\r\n"
        f"BEGIN:VCARD\r\nVERSION:9.9\r\nFN:{secret}\r\nEND:VCARD\r\n"
    ).encode()
    preview = await stage.owner.do("POST", "/import/preview", {"name": "a.vcf", "data": base64url(file)})
    expect_equal(len(preview["found"]), 1, "cards that are kept")
    skipped = [*preview["skipped"], *preview["found"][0]["skipped"]]
    expect(len(skipped) >= 3, f"{len(skipped)} things that are named as left out")
    for one in skipped:
        expect_equal(sorted(one), ["reason", "where"], "members of what was left out")
        expect(secret not in str(one), "a value among the reasons")
    fields = preview["found"][0]["content"]
    expect(secret not in str(fields), "what was left out is shown")


@topic.check("IMP-12", "IMP-13")
async def a_node_is_imported_whole_or_not_at_all(stage: Stage) -> None:
    """Of a JSON-LD file each node is kept with an id of the node's own, or left out where it cannot be kept whole."""
    tag = secrets.token_hex(8)
    people: list[Document] = [
        {"@type": "Person", "@id": f"https://elsewhere.example/{tag}", "name": tag},
        {"@type": "Person", "name": tag, "noSuchTermAtAll": "x"},
        {"@type": "Person", "name": tag, "proof": {"type": "x"}},
        {"@type": "Person", "name": f"a\u0007{tag}"},
    ]
    file = jcs({"@context": "https://schema.org", "@graph": people})
    done = await stage.owner.do("POST", "/import", {"name": f"{tag}.jsonld", "data": base64url(file)})
    expect_equal(done["added"], 1, "nodes that were imported")
    expect_equal(len(done["skipped"]), 3, "nodes that were left out")
    (kept,) = await _records(stage, tag)
    expect(kept["id"].startswith("urn:uuid:"), "an id that is not of the node's own")
    shown = await stage.owner.show(kept["id"])
    expect("elsewhere.example" not in str(shown), "the id of the file is kept")


@topic.check("IMP-20")
async def values_are_texts_and_stay_so(stage: Stage) -> None:
    """What a spreadsheet would run or round is kept sign for sign."""
    tag = secrets.token_hex(8)
    values = ['=HYPERLINK("http://elsewhere.example")', "+49 30 1", "-1", "@sum(1)", "007", "1e5", "1.10"]
    rows = [f'{tag}-{number};"{value.replace(chr(34), chr(34) * 2)}"' for number, value in enumerate(values)]
    file = "\r\n".join(["No;What", *rows, ""]).encode()
    body: Document = {"name": f"{tag}.csv", "data": base64url(file), "mapping": _MAPPING}
    preview = await stage.owner.do("POST", "/import/preview", body)
    expect_equal([one["content"]["description"] for one in preview["found"]], values, "values")


@topic.check("IMP-17", "IMP-21")
async def a_mapping_is_suggested_and_works(stage: Stage) -> None:
    """The mapping that is suggested for a table names its columns, and can be imported with as it stands."""
    tag = secrets.token_hex(8)
    body: Document = {"name": f"{tag}.csv", "data": base64url(_table(tag))}
    suggested = await stage.owner.do("POST", "/import/mapping", body)
    expect_equal(sorted(suggested), ["mapping"], "members")
    expect('"No"' in suggested["mapping"] and '"What"' in suggested["mapping"], "a column that is not named")
    for wrong in ("nonsense", "[[record]]", f'{_MAPPING}\nother = "x"', _MAPPING.replace('"No" =', '"Nr" =')):
        answer = await stage.owner.send("POST", "/import", body | {"mapping": wrong})
        expect_problem(answer, 400, "malformed", "undefined-term")
    expect_equal(await _records(stage, tag), [], "records")


@topic.check("LIM-1", "IMP-1")
async def a_file_has_a_size(stage: Stage) -> None:
    """A name of 256 characters, a mapping over 64 KiB and a file over 10 MiB are refused."""
    tag = secrets.token_hex(8)
    body: Document = {"name": "a" * 255, "data": base64url(_cards(tag))}
    expect_status(await stage.owner.send("POST", "/import/preview", body), 200)
    expect_problem(
        await stage.owner.send("POST", "/import/preview", body | {"name": "a" * 256}), 413, "too-large"
    )
    long = body | {"data": base64url(_table(tag)), "mapping": _MAPPING + "#" * 65_536}
    answer = await stage.owner.send("POST", "/import/preview", long)
    expect(expect_refusal(answer) in ("malformed", "too-large"), "the code of a long mapping")
    large = body | {"data": base64url(_cards(tag) + b"\r\n" * (5 * 2**20))}
    answer = await stage.owner.send("POST", "/import/preview", large)
    expect(expect_refusal(answer) in ("malformed", "too-large"), "the code of a large file")
    for wrong in ("AP9", "AP8=", "A P8", "\u00e9"):
        answer = await stage.owner.send("POST", "/import/preview", body | {"data": wrong})
        expect_problem(answer, 400, "malformed")
