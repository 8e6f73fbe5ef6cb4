from __future__ import annotations

import json
from importlib.resources import files

import pytest
from freehold_node.imports import MAX_FILE_BYTES, Preview, read_file
from freehold_protocol.canonical import jcs
from freehold_protocol.errors import FreeholdError, MalformedError, TooLargeError
from freehold_protocol.record import check_content
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

CARD = "BEGIN:VCARD\nVERSION:3.0\nFN:Ada Exämple\nEND:VCARD\n"
ITEM = {"@context": "https://schema.org", "type": "Person", "name": "Ada"}


@pytest.mark.parametrize(
    ("data", "format_name"),
    [
        (CARD.encode(), "vCard"),
        (b"\xef\xbb\xbf" + CARD.encode(), "vCard"),
        (b"\xff\xfe" + CARD.encode("utf-16-le"), "vCard"),
        (b"\xfe\xff" + CARD.encode("utf-16-be"), "vCard"),
        (b"\n\nexported by a program\n" + CARD.encode(), "vCard"),
        (CARD.lower().encode(), "vCard"),
        (json.dumps(ITEM).encode(), "JSON-LD"),
        (b"\xef\xbb\xbf \n " + json.dumps([ITEM]).encode(), "JSON-LD"),
        (json.dumps({**ITEM, "name": CARD}).encode(), "JSON-LD"),
    ],
)
def test_the_format_is_known_by_the_content(data: bytes, format_name: str) -> None:
    preview = read_file(data)
    assert preview.format == format_name
    assert len(preview.found) == 1


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b"", "", "neither vCard, iCalendar, OFX, JSON-LD nor a table"),
        (b"\0\1\2", "x", "neither vCard, iCalendar, OFX, JSON-LD nor a table"),
        (b"name,email\nAda,ada@example.com\n", "contacts.CSV", "table"),
        (b"BEGIN:VCALENDAR\nEND:VCALENDAR\n", "x.ics", "nothing in the iCalendar file"),
        (b"<OFX></OFX>", "x.ofx", "nothing in the OFX file"),
        (b"one\ntwo\n", "x.xlsx", "save the table as CSV"),
        (b"PK\3\4", "takeout.zip", "unpack"),
        (b"<vcards/>", "a.xml", "export"),
        (b"say BEGIN:VCARD here", "", "neither"),
        (b"\xff\xfeB", "", "UTF-16"),
        (b"\xff\xfe\x00\xd8\x00\x00", "", "UTF-16"),
        (
            b"BEGIN:VCARD\nEND:VCARD\n",
            "",
            "nothing in the vCard file.*card 1, line 1: nothing in it can be kept",
        ),
        (b"BEGIN:VCARD\nFN:Ada\n", "", "nothing in the vCard file.*cut off"),
        (b"[]", "", "nothing in the JSON-LD file"),
        (b"[1,2,3,4,5]", "", r"item 1: .*item 2: .*item 3: [^;]*\)\Z"),
        (b"{", "", "not JSON"),
    ],
)
def test_a_file_without_anything_sound_is_refused_in_words(data: bytes, name: str, words: str) -> None:
    with pytest.raises(MalformedError, match=words) as caught:
        read_file(data, name=name)
    assert "Ada" not in str(caught.value)


def test_a_huge_file_is_refused_before_it_is_read() -> None:
    with pytest.raises(TooLargeError):
        read_file(b"\n" * (MAX_FILE_BYTES + 1))


def test_the_bundled_address_book_holds_one_ada() -> None:
    preview = read_file(files("freehold_node").joinpath("sample", "address-book.vcf").read_bytes())
    assert len(preview.found) == 6
    assert preview.skipped == ()
    ada = preview.person("ada@example.com")
    assert ada is preview.person("Ada Example") is preview.person("1")
    assert ada.document["birthDate"] == "1990-05-17"
    assert ada.document["address"]["addressCountry"] == "United Kingdom"
    assert {one.document["type"] for one in preview.found} == {"Person", "Organization"}


def test_the_same_file_twice_has_the_same_keys() -> None:
    data = files("freehold_node").joinpath("sample", "address-book.vcf").read_bytes()
    once, twice = read_file(data), read_file(data + data)
    assert {one.key for one in once.found} == {one.key for one in twice.found}
    assert len(twice.skipped) == len(once.found)


def check_sound(preview: Preview) -> None:
    assert preview.found
    assert len({one.key for one in preview.found}) == len(preview.found)
    for one in preview.found:
        assert not one.document.keys() & {"id", "created", "source", "proof", "previous"}
        check_content({name: value for name, value in one.document.items() if name != "@context"})
        jcs(one.document)


def read_or_refuse(data: bytes) -> None:
    try:
        preview = read_file(data)
    except FreeholdError:
        return
    check_sound(preview)


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_random_bytes_are_read_or_refused(data: bytes) -> None:
    read_or_refuse(data)


PIECES = [
    b"BEGIN:VCARD", b"END:VCARD", b"begin:vcard", b"VERSION:2.1", b"VERSION:3.0", b"VERSION:4.0",
    b"VERSION:9", b"FN", b"N", b"EMAIL", b"TEL", b"ADR", b"ORG", b"BDAY", b"GENDER", b"URL", b"PHOTO",
    b"AGENT", b"UID", b"KIND", b"X-ABLabel", b"item1.", b":", b";", b",", b"=", b"=\n", b"\\", b'"',
    b"\n", b"\r\n", b"\r", b"\r\r\n", b" ", b"\t", b";ENCODING=QUOTED-PRINTABLE", b";ENCODING=B",
    b";BASE64", b";CHARSET=SHIFT_JIS", b";CHARSET=zip", b";TYPE=", b"=C3=B1", b"=ZZ", b"\xc3\xb1",
    b"\xff", b"\x81", b"\0", b"data:image/png;base64,AA==", b"Ada", b"19900517", b"org",
    b"http://example.com", b"javascript:1", b"\\n", b"\xe2\x80\xae", b"\xef\xbb\xbf",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=60), st.booleans())
@example([b"FN:\\", b"\n"], True)
@example([b"AGENT:BEGIN:VCARD", b"\n", b"AGENT:", b"\n", b"BEGIN:VCARD", b"\n"], True)
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_torn_cards_are_read_or_refused(pieces: list[bytes], framed: bool) -> None:
    body = b"".join(pieces)
    read_or_refuse(b"BEGIN:VCARD\n" + body + b"\nEND:VCARD\n" if framed else body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["@id", "id", "@type", "type", "name", "address", "@value", "@context", "proof", "@graph"]
            )
            | st.text(max_size=4),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(JSON)
@settings(max_examples=150, deadline=None)
def test_any_json_is_read_or_refused(value: object) -> None:
    read_or_refuse(json.dumps(value).encode())
    read_or_refuse(json.dumps({"@context": "https://schema.org", "type": "Person", "name": value}).encode())
