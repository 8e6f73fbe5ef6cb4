"""Vectors of specs/encoding.md and of canonical JSON: bytes, JSON, times, texts, short forms."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from cases import Case, Json, Operation, refused, valid
from craft import b64u, cid_of, sha256
from scene import NOON, SHOP, VENDOR

_MAX_BYTES: Final = 262_144


def _read_json() -> Iterator[Case]:
    good = "ENC-5 ENC-7"
    yield valid("ENC-5", "an object", {"canonical": '{"a":1,"b":[]}'}, text=' {"b" : [ ], "a":1}\n')
    yield valid("ENC-5", "a text with every kind of escape", {"canonical": '"é\\n\\u001f/\\"😀"'},
                text='"\\u00e9\\n\\u001F\\/\\"\\ud83d\\ude00"')  # fmt: skip
    yield refused("malformed", "ENC-5", "a byte order mark", text='\ufeff{"a":1}')
    yield refused("malformed", "ENC-5", "bytes that are not UTF-8", base64=b64u(b'{"a":"\xff"}'))
    yield refused("malformed", "ENC-5", "an overlong form of UTF-8", base64=b64u(b'{"a":"\xc0\xaf"}'))
    yield refused("malformed", "ENC-5", "a surrogate as UTF-8", base64=b64u(b'{"a":"\xed\xa0\x80"}'))
    yield refused("malformed", "ENC-5", "UTF-16", base64=b64u('{"a":1}'.encode("utf-16-be")))
    yield refused("malformed", "ENC-5", "no text at all", text="")
    yield refused("malformed", "ENC-5", "two values", text="{} {}")
    yield refused("malformed", "ENC-5", "a comma too many", text='{"a":1,}')
    yield refused("malformed", "ENC-5", "a number with a leading zero", text='{"a":01}')
    yield refused("malformed", "ENC-5", "a control character in a text", text='{"a":"\t"}')
    yield refused("malformed", "ENC-5", "a comment", text='{"a":1 /* one */}')
    yield refused("duplicate-key", "ENC-5", "a key twice", text='{"a":1,"a":1}')
    yield refused("duplicate-key", "ENC-5", "a key twice, once with an escape", text='{"a":1,"\\u0061":2}')
    yield refused("duplicate-key", "ENC-5", "a key twice, deep inside", text='[[{"b":{"a":1,"c":2,"a":3}}]]')
    yield valid("ENC-5", "keys that differ in case", {"canonical": '{"A":2,"a":1}'}, text='{"a":1,"A":2}')
    for number in ("NaN", "Infinity", "-Infinity", "1e400", "-1e400"):
        yield refused("malformed", "ENC-6", f"the number {number}", text=f"[{number}]")
    yield valid("ENC-6 PRF-1", "the largest double", {"canonical": "[1.7976931348623157e+308]"},
                text="[1.7976931348623157e308]")  # fmt: skip
    yield refused("malformed", "ENC-6", "half a surrogate pair in a value", text='["\\ud800"]')
    yield refused("malformed", "ENC-6", "half a surrogate pair in a key", text='{"\\udfff":1}')
    yield refused("malformed", "ENC-6", "a surrogate pair the wrong way round", text='["\\ude00\\ud83d"]')
    yield valid(good, "as deep as may be", parts=[["[", 64], ["]", 64]])
    yield refused("too-deep", "ENC-7 LIM-1", "one array deeper, and empty", parts=[["[", 65], ["]", 65]])
    yield refused(
        "too-deep", "ENC-7 LIM-1", "objects one deeper", parts=[['{"a":', 64], ["{}", 1], ["}", 64]]
    )
    yield refused(
        "too-deep", "ENC-7 LIM-1", "a hundred thousand deep", parts=[["[", 100_000], ["]", 100_000]]
    )
    yield valid(good, "as many items as may be", parts=[["[", 1], ["1,", 19_999], ["1]", 1]])
    yield refused("too-large", "ENC-7 LIM-1", "one item more", parts=[["[", 1], ["1,", 20_000], ["1]", 1]])
    yield refused(
        "too-large",
        "ENC-7 LIM-1",
        "items and members together",
        parts=[["[", 1], ['{"a":1},', 10_000], ["1]", 1]],
    )
    yield valid(good, "as many bytes as may be", parts=[['"', 1], ["a", _MAX_BYTES - 2], ['"', 1]])
    yield refused(
        "too-large", "ENC-7 LIM-1", "one byte more", parts=[['"', 1], ["a", _MAX_BYTES - 1], ['"', 1]]
    )
    yield refused("too-large", "ENC-7 LIM-1", "white space counts", parts=[["1", 1], [" ", _MAX_BYTES]])
    yield refused(
        "too-large",
        "ENC-7",
        "bytes are counted, not characters",
        parts=[['"', 1], ["é", _MAX_BYTES // 2], ['"', 1]],
    )
    yield refused("too-large", "ENC-7", "too many bytes that are no JSON", parts=[["{", _MAX_BYTES + 1]])


def _canonicalize() -> Iterator[Case]:
    def made(requirements: str, name: str, text: str, canonical: str) -> Case:
        data = canonical.encode()
        output = {"canonical": canonical, "sha256": sha256(data).hex(), "cid": cid_of(data)}
        return valid(requirements, name, output, text=text)

    yield made(
        "PRF-1 PRF-4 ENC-4", "members are sorted", '{"b":1,"a":{"d":2,"c":3}}', '{"a":{"c":3,"d":2},"b":1}'
    )
    yield made(
        "PRF-1",
        "by UTF-16 and not by code point",
        '{"\\ufb33":1,"\\ud83d\\ude00":2}',
        '{"\U0001f600":2,"\ufb33":1}',
    )
    yield made("PRF-1", "arrays keep their order", "[3,1,2]", "[3,1,2]")
    yield made("PRF-1", "control characters", '"\\u0000\\u0008\\u0009\\u000a\\u000c\\u000d\\u001f\\u007f"',
               '"\\u0000\\b\\t\\n\\f\\r\\u001f\u007f"')  # fmt: skip
    yield made("PRF-1", "nothing is normalised", '"e\\u0301\\u00e9"', '"e\u0301\u00e9"')
    for text, canonical in (
        ("1.0", "1"), ("-0", "0"), ("-0.0", "0"), ("1e3", "1000"), ("0.000001", "0.000001"),
        ("0.0000001", "1e-7"),
        ("1e21", "1e+21"), ("123456789012345680000", "123456789012345680000"), ("5e-324", "5e-324"),
        ("0.1", "0.1"), ("333333333.33333329", "333333333.3333333"), ("9007199254740991", "9007199254740991"),
        ("1E+2", "100"), ("4.50", "4.5"),
    ):  # fmt: skip
        yield made("PRF-1 PRF-2", f"the number {text}", text, canonical)
    yield made(
        "PRF-2",
        "an integer beyond 2^53 that is its own double",
        "100000000000000000000",
        "100000000000000000000",
    )
    yield refused("malformed", "PRF-2", "2^53+1", text="9007199254740993")
    yield refused("malformed", "PRF-2", "-(2^53+1)", text="-9007199254740993")
    yield refused("malformed", "PRF-2", "an integer that no double is", text="[100000000000000000001]")
    yield made("PRF-3", "canonical already", '{"a":[1,1e+21,"é"]}', '{"a":[1,1e+21,"é"]}')


def _decode_bytes() -> Iterator[Case]:
    two = {"hex": "00ff"}
    yield valid("ENC-1", "multibase", two, form="multibase", text="z15Q")
    yield valid("ENC-1", "multibase of nothing", {"hex": ""}, form="multibase", text="z")
    yield valid(
        "ENC-1",
        "multibase of the most characters",
        {"hex": "00" * 256},
        form="multibase",
        text="z" + "1" * 256,
    )
    for name, text in (
        ("base64 with its prefix", "mAP8"), ("base64url with its prefix", "uAP8"),
        ("hexadecimal with its prefix", "f00ff"),
        ("no prefix", "15Q"), ("a prefix in upper case", "Z15Q"), ("a digit that base58 has not", "z10Q"),
        ("white space", "z15Q "), ("a line break", "z15Q\n"), ("nothing", ""),
    ):  # fmt: skip
        yield refused("malformed", "ENC-1", f"multibase: {name}", form="multibase", text=text)
    yield refused(
        "malformed", "ENC-1 LIM-1", "multibase: one character more", form="multibase", text="z" + "1" * 257
    )
    yield refused(
        "malformed",
        "ENC-1 LIM-1",
        "multibase: unread, whatever it says",
        form="multibase",
        text="z" + "0" * 257,
    )
    yield valid("ENC-2", "base64url", two, form="base64url", text="AP8")
    yield valid(
        "ENC-2", "base64url, the two characters of its own", {"hex": "fbff"}, form="base64url", text="-_8"
    )
    for name, text in (
        ("with padding", "AP8="), ("with bits left over", "AP9"), ("the alphabet of base64", "+/8"),
        ("one character too few", "A"), ("five characters", "AAAAA"), ("white space", "AP 8"),
        ("a line break", "AP8\n"),
    ):  # fmt: skip
        yield refused("malformed", "ENC-2", f"base64url: {name}", form="base64url", text=text)
    yield valid("ENC-3 SIG-3", "base64", two, form="base64", text="AP8=")
    for name, text in (
        ("without padding", "AP8"), ("with bits left over", "AP9="), ("the alphabet of base64url", "-_8="),
        ("padding in the middle", "AA==AA=="), ("too much padding", "AP8=="), ("white space", "AP8= "),
        ("a line break", "AP8=\n"),
    ):  # fmt: skip
        yield refused("malformed", "ENC-3 SIG-3", f"base64: {name}", form="base64", text=text)
    empty = cid_of(b"")
    yield valid(
        "ENC-4",
        "the CID of no bytes",
        {"hex": "01800412 20".replace(" ", "") + sha256(b"").hex()},
        form="cid",
        text=empty,
    )
    for name, text in (
        ("upper case", empty.upper()), ("with bits left over", empty[:-1] + "r"),
        ("base58", "zQmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG"),
        ("version 0", "QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH"), ("one character short", empty[:-1]),
        ("one character more", empty + "a"),
        ("codec raw", "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"),
        ("codec dag-json", "baguqeerahdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"),
        ("padding", empty + "==="),
    ):  # fmt: skip
        yield refused("malformed", "ENC-4", f"CID: {name}", form="cid", text=text)


def _times() -> Iterator[Case]:
    yield valid("ENC-8", "noon", {"seconds": 1_795_435_200}, form="time", value=NOON)
    yield valid("ENC-8", "before 1970", {"seconds": -1}, form="time", value="1969-12-31T23:59:59Z")
    yield valid("ENC-8", "a leap day", {"seconds": 1_709_164_800}, form="time", value="2024-02-29T00:00:00Z")
    yield valid(
        "ENC-8", "the first year", {"seconds": -62_135_596_800}, form="time", value="0001-01-01T00:00:00Z"
    )
    yield valid(
        "ENC-8", "the last second", {"seconds": 253_402_300_799}, form="time", value="9999-12-31T23:59:59Z"
    )
    for name, value in (
        ("an offset", "2026-11-23T13:00:00+01:00"), ("the offset of UTC", "2026-11-23T12:00:00+00:00"),
        ("a fraction", "2026-11-23T12:00:00.000Z"), ("lower case", "2026-11-23t12:00:00z"),
        ("no zone", "2026-11-23T12:00:00"),
        ("a leap second", "2016-12-31T23:59:60Z"), ("the hour 24", "2026-11-23T24:00:00Z"),
        ("a day that no year has", "2026-02-30T12:00:00Z"),
        ("a leap day of another year", "2026-02-29T12:00:00Z"), ("the year 0", "0000-01-01T00:00:00Z"),
        ("five digits", "12026-11-23T12:00:00Z"),
        ("a space for the T", "2026-11-23 12:00:00Z"), ("no seconds", "2026-11-23T12:00Z"),
        ("a date", "2026-11-23"), ("a line break", NOON + "\n"),
        ("digits of another script", "２026-11-23T12:00:00Z"), ("a number", 1_795_435_200), ("nothing", None),
    ):  # fmt: skip
        yield refused("malformed", "ENC-8", f"time: {name}", form="time", value=value)
    for value, seconds in (
        ("P1D", 86_400), ("P9999D", 863_913_600), ("P2W", 1_209_600), ("P6M", 15_552_000),
        ("P1Y", 31_536_000),
        ("PT1H", 3_600), ("PT60M", 3_600), ("P01D", 86_400),
    ):  # fmt: skip
        yield valid("ENC-9", f"the duration {value}", {"seconds": seconds}, form="duration", value=value)
    for value in (
        "PT60M0S", "PT3600S", "P0DT1H", "P1DT1H", "P1Y6M", "P0D", "PT0M", "P10000D", "P1000W", "P100Y",
        "P1.5D", "-P1D", "+P1D", "P", "PT",
        "1D", "p1d", "P1D ", "P1D\n", "P１D", "P1H", "PT1D", "", 86_400,
    ):  # fmt: skip
        yield refused("malformed", "ENC-9", f"the duration {value!r}", form="duration", value=value)


def _texts() -> Iterator[Case]:
    def right(name: str, value: str, form: str = "text") -> Case:
        return valid("ENC-10", f"text: {name}", form=form, value=value)

    yield right("plain", "Example Shop")
    yield right("another script", "متجر 例 दुकान")
    yield right("a family by joiners", "\U0001f468\u200d\U0001f469\u200d\U0001f467")
    yield right("a joiner that Persian needs", "می\u200cخواهم")
    for name, char in (
        ("an override of direction", "\u202e"), ("a mark of direction", "\u200f"), ("an isolate", "\u2066"),
        ("a zero-width space", "\u200b"),
        ("a byte order mark", "\ufeff"), ("a soft hyphen", "\u00ad"), ("a tag", "\U000e0041"),
        ("a filler letter", "\u3164"),
        ("a filler letter of Jamo", "\u115f"), ("a private character", "\ue000"),
        ("an unassigned character", "\u0378"),
        ("a line separator", "\u2028"), ("a paragraph separator", "\u2029"), ("a tabulator", "\t"),
        ("a NUL", "\0"), ("a C1 control", "\u0085"),
        ("an escape", "\x1b"),
    ):  # fmt: skip
        yield refused("malformed", "ENC-10", f"text: {name}", form="text", value=f"Example{char} Shop")
    for name, value in (
        ("nothing", ""),
        ("spaces only", "   "),
        ("a joiner alone", "\u200d"),
        ("a mark alone", "\u0301"),
        ("a Braille blank alone", "\u2800"),
    ):
        yield refused("malformed", "ENC-10", f"text: {name}", form="text", value=value)
    yield refused("malformed", "ENC-15", "text: a number", form="text", value=7)
    yield refused("malformed", "ENC-11", "text: a line break", form="text", value="Example\nShop")
    yield valid("ENC-11", "lines: a line break", form="lines", value="Example\nShop")
    yield refused("malformed", "ENC-11", "lines: a carriage return", form="lines", value="Example\r\nShop")
    yield refused("malformed", "ENC-11", "lines: nothing but lines", form="lines", value="\n\n")
    yield valid("ENC-12", "text: as long as may be", form="text", value="a" * 2_000)
    yield refused("too-large", "ENC-12 LIM-1", "text: one character more", form="text", value="a" * 2_001)
    yield valid(
        "ENC-12", "text: measured in characters and not in bytes", form="text", value="\U00020000" * 2_000
    )
    yield refused(
        "too-large", "ENC-12", "text: too long before it is looked at", form="text", value="\u202e" * 2_001
    )


def _forms() -> Iterator[Case]:
    def cases(form: str, good: tuple[Json, ...], bad: tuple[Json, ...]) -> Iterator[Case]:
        for value in good:
            yield valid("ENC-17", f"{form}: {json.dumps(value)[:60]}", form=form, value=value)
        for value in bad:
            yield refused(
                "malformed", "ENC-17", f"{form}: not {json.dumps(value)[:60]}", form=form, value=value
            )

    uuid = "urn:uuid:5d1f0c7e-91aa-4d0c-8a43-7c2b9be5f610"
    yield from cases(
        "short-name", ("a", "age-check", "a1-2b", "a" * 40),
        ("", "1a", "Age", "age--check", "-age", "age-", "age_check", "a.b", "a" * 41, "ä", "a\n", 1),
    )  # fmt: skip
    yield from cases(
        "id",
        (uuid,),
        (
            uuid.upper(),
            uuid[9:],
            uuid.replace("uuid", "oid"),
            uuid[:-1],
            uuid + "0",
            uuid.replace("-", ""),
            uuid + "#a",
            None,
        ),
    )
    yield from cases(
        "did",
        (VENDOR.did, SHOP, "did:example:a.b_c-d:%3A"),
        (
            VENDOR.method,
            SHOP + "/a",
            SHOP + "?a=b",
            "did:Web:shop.example",
            "did:web:",
            "did::a",
            "shop.example",
            "did:web:a b",
            "did:x:" + "a" * 513,
        ),
    )
    yield from cases(
        "nonce", ("pQ3vT0mZrK5sXy8uWb2cNw", "a" * 64, "-_" * 11),
        ("a" * 21, "a" * 65, "a" * 21 + "+", "a" * 22 + "\n", "a" * 21 + "=", 0),
    )  # fmt: skip


OPERATIONS = (
    Operation(
        name="read-json",
        description="Read JSON text: `text`, or its bytes as `base64` (base64url), or `parts`, "
        "each a text and how often it comes "
        "again, joined. Output, where given: the value as canonical JSON.",
        cases=tuple(_read_json()),
    ),
    Operation(
        name="canonicalize",
        description="Read JSON text and give its canonical bytes as text, their SHA-256 in "
        "hexadecimal, and their CID.",
        cases=tuple(_canonicalize()),
    ),
    Operation(
        name="decode-bytes",
        description="Decode `text`, written in `form`: `multibase` (base58btc), `base64url`, "
        "`base64` or `cid` (whose bytes are those "
        "under the base). Output: the bytes in hexadecimal.",
        cases=tuple(_decode_bytes()),
    ),
    Operation(
        name="read-value",
        description="Judge one JSON `value` of a `form`: `time`, `duration` (output: seconds), "
        "`text` (for people, of one line), `lines` (for "
        "people, may have lines), `short-name`, `id`, `did`, `nonce` (of a document).",
        cases=(*_times(), *_texts(), *_forms()),
    ),
)
