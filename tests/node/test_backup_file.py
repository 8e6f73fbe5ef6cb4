"""The form of a backup: what was written is read back, and nothing else is taken for one."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from freehold_node.backup_file import (
    DATABASE,
    GENERATION,
    KEYSTORE,
    NAMES,
    Header,
    Part,
    check_parts,
    describe,
    read_header,
    read_part,
)
from freehold_protocol.encoding import Document
from freehold_protocol.errors import FreeholdError, MalformedError, UnsupportedError
from hypothesis import given, settings
from hypothesis import strategies as st

SEED = bytes(range(32))
CONTENTS = {KEYSTORE: b"{the keys}", GENERATION: b"7\n", DATABASE: bytes(range(256)) * 20}
PARTS = tuple(describe(name, io.BytesIO(data)) for name, data in CONTENTS.items())
HEADER = Header(created_s=1_795_435_200, version="0.1.0", schema=2, generation=7, parts=PARTS).signed(SEED)
WHOLE = HEADER.to_bytes() + b"".join(CONTENTS.values())


def read(data: bytes, seed: bytes = SEED) -> Header:
    """Read a file as a restore does."""
    file = io.BytesIO(data)
    header = read_header(file)
    check_parts(file, header)
    header.check(seed)
    return header


def test_it_is_read_as_it_was_written() -> None:
    assert read(WHOLE) == HEADER
    assert HEADER.size == len(WHOLE)
    file = io.BytesIO(WHOLE)
    header = read_header(file)
    assert {part.name: b"".join(read_part(file, part)) for part in header.parts} == CONTENTS
    assert tuple(part.name for part in header.parts) == NAMES


def with_contexts(*names: str, size: int = 3) -> bytes:
    parts = tuple(describe(f"contexts/{name}", io.BytesIO(b"{}\n")) for name in names)
    parts = tuple(replace(part, size=size) for part in parts)
    return (
        replace(HEADER, parts=(*PARTS, *parts)).signed(SEED).to_bytes()
        + WHOLE[len(HEADER.to_bytes()) :]
        + b"{}\n" * len(parts)
    )


def test_contexts_follow_in_the_order_of_their_names() -> None:
    header = read(with_contexts("a.jsonld", "b-1.jsonld", "index.json"))
    assert [part.name for part in header.parts[3:]] == [
        "contexts/a.jsonld",
        "contexts/b-1.jsonld",
        "contexts/index.json",
    ]
    wrong = [
        with_contexts("b", "a"), with_contexts("a", "a"), with_contexts("a", size=2), with_contexts("a", size=4),
        with_contexts("a", size=2**20), with_contexts(*(f"{n:03}" for n in range(201))),
    ]  # fmt: skip
    for data in wrong:
        with pytest.raises(FreeholdError):
            read(data)
    assert len(read(with_contexts(*(f"{n:03}" for n in range(200)))).parts) == 203


def test_its_header_tells_nothing_that_is_in_it() -> None:
    told = json.loads(WHOLE.split(b"\n")[1])
    assert told.keys() == {"created", "version", "schema", "generation", "parts", "mac"}
    assert WHOLE.startswith(b"freehold backup 1\n")


def test_every_flipped_bit_is_noticed() -> None:
    """In the header each bit, in the parts one of each byte of the small ones, and a sample of the database's."""
    body = len(HEADER.to_bytes())
    places = [*range(body + 20), *range(body + 20, len(WHOLE), 97)]
    for place in places:
        for bit in range(8) if place < body else (place % 8,):
            flipped = bytearray(WHOLE)
            flipped[place] ^= 1 << bit
            with pytest.raises(FreeholdError):
                read(bytes(flipped))


def test_every_length_but_the_whole_is_noticed() -> None:
    for length in [*range(len(HEADER.to_bytes()) + 20), *range(900, len(WHOLE), 111), len(WHOLE) - 1]:
        with pytest.raises(MalformedError):
            read(WHOLE[:length])
    for more in (b"\0", WHOLE):
        with pytest.raises(MalformedError, match="follows its end"):
            read(WHOLE + more)


def test_whose_it_is() -> None:
    with pytest.raises(MalformedError, match="altered"):
        read(WHOLE, bytes(32))


def rewritten(edit: Callable[[Document], Any], *, sign: bool = False) -> bytes:
    """Return the file with a header that is edited by somebody, who may even have the seed."""
    first, line, rest = WHOLE.split(b"\n", 2)
    document = json.loads(line)
    edit(document)
    if sign:
        parts = tuple(
            Part(name=part["name"], size=part["size"], sha256=PARTS[place].sha256)
            for place, part in enumerate(document["parts"])
        )
        return HEADER.__class__(
            created_s=HEADER.created_s, version="0.1.0", schema=document["schema"],
            generation=document["generation"], parts=parts,
        ).signed(SEED).to_bytes() + rest  # fmt: skip
    return first + b"\n" + json.dumps(document).encode() + b"\n" + rest


@pytest.mark.parametrize(
    "name",
    [
        "../keystore.json", "/etc/passwd", "..", ".", "", "C:\\node.db", "..\\node.db", "node.db\0.txt", "NODE.DB",
        "node.db/", "./node.db", "keystore.json\n", "~/node.db", "session.json", "lock", "contexts/../x",
        "contexts/", "contexts/.hidden", "contexts/a/b", "contexts", "contexts/..", "contexts//a", "contexts\\a",
        "contexts/" + "a" * 101, "Contexts/a", "node.db-wal",
        None, 7, ["node.db"],
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_part_never_says_where_it_goes(name: Any, place: int) -> None:
    def edit(document: Document) -> None:
        document["parts"][place]["name"] = name

    with pytest.raises(MalformedError):
        read(rewritten(edit))
    if isinstance(name, str):  # nor if who wrote it has the person's seed
        with pytest.raises(MalformedError):
            read(rewritten(edit, sign=True))


@pytest.mark.parametrize(
    "edit",
    [
        lambda one: one["parts"].pop(),
        lambda one: one["parts"].reverse(),
        lambda one: one["parts"].append(one["parts"][0]),
        lambda one: one["parts"].insert(0, one["parts"][2]),
        lambda one: one.update(parts=[]),
        lambda one: one.update(parts={}),
        lambda one: one.pop("mac"),
        lambda one: one.update(mac="AA"),
        lambda one: one.update(mac=7),
        lambda one: one.update(more=1),
        lambda one: one.update(generation=0),
        lambda one: one.update(generation=10**18),
        lambda one: one.update(generation="7"),
        lambda one: one.update(schema=0),
        lambda one: one.update(created="yesterday"),
        lambda one: one["parts"][0].update(size=-1),
        lambda one: one["parts"][0].update(size=5000),
        lambda one: one["parts"][1].update(size=33),
        lambda one: one["parts"][2].update(size=2**41),
        lambda one: one["parts"][2].update(size=2**40),
        lambda one: one["parts"][2].update(size=True),
        lambda one: one["parts"][2].update(sha256="x"),
        lambda one: one["parts"][2].update(mode="0777"),
        lambda one: one["parts"].__setitem__(0, "keystore.json"),
    ],
)
def test_what_is_no_header(edit: Callable[[Document], Any]) -> None:
    with pytest.raises(MalformedError):
        read(rewritten(edit))


@pytest.mark.parametrize("generation", [1, 8, 10**17])
def test_the_generation_above_the_parts_is_under_the_code(generation: int) -> None:
    with pytest.raises(MalformedError, match="altered"):
        read(rewritten(lambda one: one.update(generation=generation)))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "something else"),
        (b"\n", "something else"),
        (b"SQLite format 3\0" + bytes(100), "not encrypted"),
        (b"PK\x03\x04rest", "ZIP"),
        (b"\x1f\x8brest", "compressed"),
        (b'{"type": "LedgerBundle"}', "document"),
        (b"freehold", "something else"),
        (b"\xff" * 100_000, "something else"),
        (b"x" * 100_000 + b"\n", "something else"),
    ],
)
def test_what_people_take_for_one(data: bytes, said: str) -> None:
    with pytest.raises(MalformedError, match=said):
        read(data)


@pytest.mark.parametrize(
    "first",
    [b"freehold backup 2\n", b"freehold backup 0\n", b"freehold backup 10\n", b"freehold backup 1 \n"],
)
def test_another_version_is_said_to_be_one(first: bytes) -> None:
    with pytest.raises(UnsupportedError, match="another version"):
        read(first + WHOLE.split(b"\n", 1)[1])


@pytest.mark.parametrize(
    "line", [b"", b"x" * 70_000, b"{}", b"[]", b"\xff", b"{" * 300, b'{"a":1,"a":2}', b"null"]
)
def test_a_header_that_is_none(line: bytes) -> None:
    with pytest.raises(MalformedError, match="damaged"):
        read(b"freehold backup 1\n" + line + b"\n")


@settings(max_examples=150)
@given(st.integers(0, len(WHOLE) - 1), st.binary(max_size=40))
def test_anything_written_over_it_is_noticed(place: int, data: bytes) -> None:
    changed = WHOLE[:place] + data + WHOLE[place + len(data) :]
    if changed == WHOLE:
        read(changed)
        return
    with pytest.raises(FreeholdError):
        read(changed)


def test_the_code_is_over_all_of_the_header() -> None:
    for member in ("created_s", "version", "schema", "generation", "parts"):
        other: Any = {"version": "0.2.0", "parts": PARTS[::-1]}.get(member, 9)
        with pytest.raises(MalformedError):
            replace(HEADER, **{member: other}).check(SEED)
    HEADER.check(SEED)
    assert hashlib.sha256(CONTENTS[GENERATION]).digest() == PARTS[1].sha256
