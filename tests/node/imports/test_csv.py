"""Tables and their mappings: what a row becomes, and what is said of the rest."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from freehold_node.imports import Preview, read_file
from freehold_protocol.contexts import check_terms
from freehold_protocol.errors import MalformedError, TooLargeError
from freehold_protocol.record import check_content
from hypothesis import given, settings
from hypothesis import strategies as st

ORDERS = """
source = "orders of shop.example"
ignore = ["Internal"]

[formats]
date = "DD.MM.YYYY"
decimal = ","

[[record]]
type = "Order"
key = ["No"]

[record.columns]
"No" = "orderNumber"
"Date" = { to = "orderDate", as = "date" }
"Total" = { to = "acceptedOffer.price", as = "decimal" }
"Item" = "orderedItem.name"

[record.constants]
"acceptedOffer.priceCurrency" = "EUR"
"seller.name" = "Example Shop"
"""
HEADER = "No;Date;Total;Item;Internal\n"


def read(text: str | bytes, mapping: str | None = ORDERS) -> Preview:
    return read_file(text.encode() if isinstance(text, str) else text, name="orders.csv", mapping=mapping)


def contents(preview: Preview) -> list[Any]:
    """Return what was found, each sound, without its context."""
    for found in preview.found:
        check_terms(found.document)
        check_content({name: value for name, value in found.document.items() if name != "@context"})
    return [{k: v for k, v in found.document.items() if k != "@context"} for found in preview.found]


def said(preview: Preview) -> dict[str, str]:
    return {one.where: one.reason for one in preview.skipped}


def simple(columns: str, *, kind: str = "Person", more: str = "") -> str:
    return f'[[record]]\ntype = "{kind}"\n{more}\n[record.columns]\n{columns}\n'


def test_a_row_becomes_a_record() -> None:
    preview = read(HEADER + '17;03.05.2026;"1.024,50";Kettle;x\n')
    assert preview.format == "CSV"
    assert contents(preview) == [
        {
            "type": "Order",
            "orderNumber": "17",
            "orderDate": "2026-05-03",
            "acceptedOffer": {"type": "Offer", "price": "1024.50", "priceCurrency": "EUR"},
            "orderedItem": {"type": "Product", "name": "Kettle"},
            "seller": {"type": "Organization", "name": "Example Shop"},
        }
    ]
    assert preview.skipped == ()
    (found,) = preview.found
    assert (found.where, found.label) == ("line 2", "17")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_separator_line_ends_and_character_set_are_found_out(
    separator: str, newline: str, codec: str
) -> None:
    mapping = simple('"Name" = "name"\n"Größe" = "description"')
    rows = ["Größe" + separator + "Name", "1,5;x", "zwölf" + separator + "Ada"]
    rows[1] = '"1,5;x|\t"' + separator + "Bö"
    data = (newline.join(rows) + newline).encode(codec)
    preview = read_file(data, mapping=mapping)
    assert [(one["name"], one["description"]) for one in contents(preview)] == [
        ("Bö", "1,5;x|"),
        ("Ada", "zwölf"),
    ]
    assert ("Windows-1252" in str(preview.skipped)) == (codec == "cp1252")


@pytest.mark.parametrize(
    ("layout", "text"),
    [
        ('encoding = "utf-16-le"', "name;email\nAda;a@b.example\n".encode("utf-16-le")),
        ('encoding = "windows-1251"', "name;email\nАда;a@b.example\n".encode("cp1251")),
        (
            'encoding = "ISO-8859-1"',
            b"\xef\xbb\xbf" + "name;email\nAdé;a@b.example\n".encode(),
        ),  # the mark wins
        ('separator = ":"', b"name:email\nAda:a@b.example\n"),
        ("skip = 2", b"Exported\non Monday\nname;email\nAda;a@b.example\n"),
        ('header = ["name", "email"]', b"Ada;a@b.example\n"),
        ('header = ["name", "email"]\nskip = 1', b"Name;Name\nAda;a@b.example\n"),
        ("", b"sep=;\r\nname;email\r\nAda;a@b.example\r\n"),
        ("", b'"name"; "email"\n"Ada"; "a@b.example"\n'),
        ("", b"\n\n  name ;email\n\nAda; a@b.example \n;\n"),
    ],
)
def test_a_layout_that_is_said(layout: str, text: bytes) -> None:
    preview = read_file(text, mapping=f"[file]\n{layout}\n" + simple('"name" = "name"\n"email" = "email"'))
    (found,) = contents(preview)
    assert found["email"] == "a@b.example"
    assert found["name"][0] in "AА"


def test_values_are_texts_and_stay_so() -> None:
    cells = [
        "=1+1",
        "+44 1632 960001",
        "-",
        "00123",
        "1e5",
        "TRUE",
        '"quoted"',
        "two\nlines",
        "a, b; c",
        "'x",
    ]
    made = io.StringIO()
    csv.writer(made).writerows([["v"], *([cell] for cell in cells)])
    preview = read(made.getvalue(), simple('"v" = "description"'))
    assert [one["description"] for one in contents(preview)] == cells


def test_paths_numbers_and_several_values() -> None:
    mapping = simple(
        '"Mail {n}" = "email"\n"Tags" = { to = "keywords", split = ";" }\n'
        '"City {n}" = "address.{n}.addressLocality"\n"Zip {n}" = "address.{n}.postalCode"\n'
        '"Boss" = "worksFor.department.name"',
        more='[record.joined]\nname = { columns = ["First", "Last"], with = " " }',
    )
    header = "First,Last,Mail 1,Mail 2,City 2,Zip 1,Zip 2,Tags,Boss\n"
    preview = read(
        header + "Ada,Example,a@b.example,a@b.example,Ex,1,2,x; y ;;x,B\n,Ben,,c@d.example,,,,,\n", mapping
    )
    assert contents(preview) == [
        {
            "type": "Person", "name": "Ada Example", "email": "a@b.example", "keywords": ["x", "y"],
            "address": [
                {"type": "PostalAddress", "postalCode": "1"},
                {"type": "PostalAddress", "addressLocality": "Ex", "postalCode": "2"},
            ],
            "worksFor": {"type": "Organization", "department": {"type": "Organization", "name": "B"}},
        },
        {"type": "Person", "name": "Ben", "email": "c@d.example"},
    ]  # fmt: skip


def test_a_row_becomes_several_records() -> None:
    mapping = (
        'source = "x"\n'
        + simple(
            '"Order" = "orderNumber"\n"Thing" = "orderedItem.name"', kind="Order", more='key = ["Order"]'
        )
        + simple(
            '"Thing" = "name"\n"SKU" = { to = "sku", optional = true }',
            kind="Product",
            more='key = ["Thing"]',
        )
    )
    preview = read("Order,Thing\n1,Lamp\n2,Lamp\n3,\n", mapping)
    assert [(one["type"], one.get("name")) for one in contents(preview)] == [
        ("Order", None), ("Product", "Lamp"), ("Order", None), ("Order", None),
    ]  # fmt: skip
    assert said(preview) == {"line 3": "the same as line 2"}


def test_the_rows_of_one_order_are_collected() -> None:
    mapping = 'source = "x"\n' + simple(
        '"Order" = "orderNumber"\n"Thing" = "orderedItem.name"\n"N" = "orderedItem.sku"\n"State" = "orderStatus"',
        kind="Order",
        more='key = ["Order"]\ncollect = "orderedItem"',
    )
    text = "Order,Thing,N,State\n1,Lamp,a,ok\n2,Cup,b,ok\n1,Chair,c,ok\n1,Desk,d,lost\n"
    preview = read(text, mapping)
    assert [(found.where, found.document["orderedItem"]) for found in preview.found] == [
        (
            "lines 2-5",
            [
                {"type": "Product", "name": "Lamp", "sku": "a"},
                {"type": "Product", "name": "Chair", "sku": "c"},
                {"type": "Product", "name": "Desk", "sku": "d"},
            ],
        ),
        ("line 3", {"type": "Product", "name": "Cup", "sku": "b"}),
    ]
    assert [(where, reason[:14]) for where, reason in said(preview).items()] == [("line 5", "says something")]


# What is left out is named


def test_columns_that_no_one_asked_for_are_named() -> None:
    preview = read("No;Date;Total;Item;Internal;Gift;Colour\n17;03.05.2026;1;Kettle;x;y;z\n")
    assert said(preview) == {"columns Gift, Colour": "the mapping says nothing of it"}


def test_a_column_that_is_missing_is_an_error_that_lists_those_there_are() -> None:
    with pytest.raises(
        MalformedError, match=r"no column Date, Total, which .* columns are: No, Datum, Summe, Item"
    ):
        read("No;Datum;Summe;Item\n17;03.05.2026;1;SECRET\n")
    with pytest.raises(MalformedError) as caught:
        read("No;Datum\n17;SECRET\n")
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("total", ["1.5", "abc", "12,3.4"])
def test_a_cell_that_cannot_be_read_is_named_and_the_row_is_kept(total: str) -> None:
    preview = read(HEADER + f"17;31.02.2026;{total};Kettle;\n18;01.02.2026;1,5;Cup;\n")
    assert [set(one) & {"orderDate", "acceptedOffer"} for one in contents(preview)] == [
        {"acceptedOffer"},  # its currency is a constant
        {"orderDate", "acceptedOffer"},
    ]
    assert said(preview) == {
        "line 2: Date": "no such date or time",
        "line 2: Total": "not a number with ',' as its decimal sign",
    }
    assert total not in str(preview.skipped)


def test_a_changed_layout_is_never_nothing() -> None:
    preview = read(HEADER + "17;2026-05-03;;Kettle;\n18;2026-05-04;;Cup;\n")
    assert len(preview.found) == 2
    reasons = said(preview)
    assert "has the layout of the table changed?" in reasons["column Date"]
    assert "empty in every row; has the layout" in reasons["column Total"]
    assert reasons["lines 2-3: Date"] == "not a date of the form DD.MM.YYYY"


@pytest.mark.parametrize("text", [HEADER, HEADER + ";;;;\n", HEADER + ";;;;internal only\n", "\n"])
def test_a_table_in_which_nothing_is_found_is_refused(text: str) -> None:
    with pytest.raises(MalformedError, match=r"nothing in the CSV file|no header row"):
        read(text)


def test_a_row_that_says_nothing_is_named() -> None:
    preview = read("No;Date;Total;Item;Gift\n17;;;;\n;;;;for Ben\n")
    assert said(preview)["line 3"] == "nothing in it can be kept"


def test_ragged_rows() -> None:
    preview = read(HEADER + "17\n18;01.02.2026;1;a;b;c\n19;01.02.2026;1;a;b;;;\n20;01.02.2026;1;a\n")
    assert [one["orderNumber"] for one in contents(preview)] == ["17", "19", "20"]
    reasons = said(preview)
    assert reasons["line 3"].startswith("more cells than there are columns")
    assert reasons["lines 2, 5"].startswith("fewer cells")


def test_names_may_be_given_anew_where_the_table_has_one_twice() -> None:
    mapping = simple('"a" = "name"')
    with pytest.raises(MalformedError, match="more than one column a"):
        read("a,a\n1,2\n", mapping)
    assert contents(read("b,b,a\n1,2,3\n", mapping))[0]["name"] == "3"
    renamed = '[file]\nskip = 1\nheader = ["a", "b"]\n' + mapping
    assert contents(read("a,a\n1,2\n", renamed))[0]["name"] == "1"


# The same again


def keys(preview: Preview) -> list[str]:
    return [found.key for found in preview.found]


def test_a_row_is_known_again_by_its_key() -> None:
    one = read(HEADER + "17;03.05.2026;1;Kettle;\n18;03.05.2026;1;Cup;\n")
    later = read(HEADER + "19;03.05.2026;1;Bowl;\n18;04.05.2026;2;Cup;\n17;03.05.2026;1;Kettle;\n")
    assert keys(one) == keys(later)[:0:-1]
    assert len(set(keys(one))) == 2


def test_another_source_has_other_keys() -> None:
    text = HEADER + "17;03.05.2026;1;Kettle;\n"
    other = ORDERS.replace("shop.example", "other.example")
    assert keys(read(text)) != keys(read(text, other))


def test_rows_of_one_key_that_differ_are_all_kept_and_none_is_known_by_the_key() -> None:
    preview = read(HEADER + "17;03.05.2026;1;Kettle;\n17;03.05.2026;2;Kettle;\n")
    assert len(set(keys(preview))) == 2
    assert keys(read(HEADER + "17;03.05.2026;1;Kettle;\n"))[0] not in keys(preview)
    assert said(preview) == {"line 3": "says it is line 2, but differs from it"}


def test_without_a_key_the_content_is_the_key_and_the_same_row_twice_is_two() -> None:
    mapping = simple('"Date" = "orderDate"\n"What" = "orderedItem.name"', kind="Order")
    text = "Date,What\n1,Coffee\n1,Coffee\n2,Tea\n"
    preview = read(text, mapping)
    assert len(set(keys(preview))) == 3
    assert keys(read(text, mapping)) == keys(preview)
    assert set(keys(read("Date,What\n1,Coffee\n", mapping))) <= set(keys(preview))


def test_an_empty_key_is_said() -> None:
    preview = read(HEADER + ";03.05.2026;1;Kettle;\n")
    assert "known again by its whole content only" in said(preview)["line 2"]


# Round trip


# Blanks at the edges are not kept, and control characters are no text.
CELL = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")) | st.sampled_from("\n\t,;\"'|=+-"),
    max_size=20,
).map(str.strip)


@given(
    st.lists(st.lists(CELL, min_size=3, max_size=3).filter(any), min_size=1, max_size=8),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8-sig", "utf-16"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
@settings(max_examples=150, deadline=None)
def test_what_goes_in_comes_out(rows: list[list[str]], separator: str, codec: str, quoting: Any) -> None:
    made = io.StringIO()
    csv.writer(made, delimiter=separator, quoting=quoting).writerows([["a", "b", "c"], *rows])
    mapping = f"[file]\nseparator = {'TAB' if separator == chr(9) else repr(separator)}\n".replace(
        "TAB", '"\\t"'
    )
    mapping += simple('"a" = "name"\n"b" = "description"\n"c" = "address.streetAddress"')
    preview = read_file(made.getvalue().encode(codec), mapping=mapping)
    found = [
        [one.get("name", ""), one.get("description", ""), one.get("address", {}).get("streetAddress", "")]
        for one in contents(preview)
    ]
    assert found == rows
    assert len(set(keys(preview))) == len(rows)


# Bounds


def test_a_table_with_too_much_in_it_is_refused() -> None:
    mapping = simple('"a" = "name"')
    with pytest.raises(TooLargeError, match="20000 records"):
        read("a,b\n" + "".join(f"{n},1\n" for n in range(20_001)), mapping)
    with pytest.raises(TooLargeError, match="100000 rows"):
        read("a,b\n" + "\n" * 100_001, mapping)
    with pytest.raises(TooLargeError, match="1000 columns"):
        read(",".join(f"c{n}" for n in range(1_001)) + "\n1\n", mapping)


def test_more_records_from_one_row_than_a_file_may_become_are_refused() -> None:
    mapping = simple('"a" = "name"') + simple('"a" = "name"', kind="Product")
    with pytest.raises(TooLargeError, match="20000 records"):
        read("a,b\n" + "".join(f"{n},1\n" for n in range(10_001)), mapping)


@pytest.mark.parametrize(
    "row",
    ["x" * (10 * 1024 * 1024 - 100), '"' + "x" * 300_000 + '"', "17" + ";" * 400_000],
    ids=["one-line", "one-cell", "many-cells"],
)
def test_a_huge_row_costs_only_itself(row: str) -> None:
    before, after = HEADER + "16;03.05.2026;1;Kettle;\n", "\n18;03.05.2026;1;Cup;\n"
    preview = read((before + row)[: 10 * 1024 * 1024 - len(after)] + after)
    assert [one["orderNumber"] for one in contents(preview)] == ["16", "18"]
    assert "too long" in said(preview)["line 3"]


@pytest.mark.parametrize(
    "broken", ['"17;03.05.2026;1;Kettle;', '17;"03.05.2026"x;1;Kettle;', '17;"03.05.2026;1;Kettle;\n']
)
def test_a_quotation_mark_out_of_place_costs_only_its_line(broken: str) -> None:
    preview = read(HEADER + "16;03.05.2026;1;a;\n" + broken + '\n18;03.05.2026;1;"b";\n19;03.05.2026;1;c;\n')
    assert [one["orderNumber"] for one in contents(preview)] == ["16", "18", "19"]
    assert said(preview)["line 3"].startswith("a quotation mark")


def test_a_thousand_of_them_are_given_up_on_in_time() -> None:
    preview = read(HEADER + "16;03.05.2026;1;a;\n" + '"x\n' * 60_000)
    assert len(preview.found) == 1


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("a,b\n1,2\n".encode("utf-16-le"), "UTF-16 without its mark"),
        (b"a,b\n\x81\xff,2\n", "neither UTF-8 nor Windows-1252"),
        (b"\xff\xfea", "UTF-16"),
        (b"BEGIN:VCARD\nEND:VCARD\n", "vCard, which needs no mapping"),
        (b"BEGIN:VCALENDAR\nEND:VCALENDAR\n", "iCalendar, which needs no mapping"),
        (b"OFXHEADER:100\n<OFX></OFX>", "OFX, which needs no mapping"),
        (b'{"a": 1}', "JSON, which needs no mapping"),
    ],
)
def test_what_is_no_table_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(MalformedError, match=words):
        read_file(data, mapping=simple('"a" = "name"'))


def test_a_table_that_begins_like_json_is_a_table() -> None:
    preview = read("[ID],{x}\n1,2\n", simple('"[ID]" = "name"'))
    assert contents(preview) == [{"type": "Person", "name": "1"}]


def test_control_characters_in_cells_are_left_out() -> None:
    preview = read(b"name,note\nAda,a\0b\nBen,\x1b[2J\n", simple('"name" = "name"\n"note" = "description"'))
    assert [set(one) for one in contents(preview)] == [{"type", "name"}] * 2
    assert said(preview)["lines 2-3: note"] == "holds control characters"


def test_more_than_a_field_or_a_record_holds_is_named() -> None:
    mapping = simple('"tags" = { to = "keywords", split = "|" }\n"name" = "name"')
    preview = read("name;tags\nAda;" + "|".join(map(str, range(150))) + "\n", mapping)
    assert len(contents(preview)[0]["keywords"]) == 100
    assert said(preview) == {"line 2: tags": "more values than a field holds"}
    columns = "\n".join(f'"c{n}" = "description"' for n in range(5))
    header = ";".join(f"c{n}" for n in range(5))
    long = ";".join(str(n) + "x" * 51_000 for n in range(5))
    preview = read(f"{header}\n{long}\n1;2;3;4;5\n", simple(columns))
    assert [len(one["description"]) for one in contents(preview)] == [5]
    assert said(preview) == {"line 2": "more text than one record holds"}


def test_several_columns_that_make_no_sound_text_are_named() -> None:
    mapping = simple('"b" = "email"', more='[record.joined]\nname = ["a", "b"]')
    preview = read(b"a;b\nx\x07;y\n", mapping)
    assert contents(preview) == [{"type": "Person", "email": "y"}]
    assert said(preview) == {"line 2: a": "holds control characters"}


def test_an_encoding_that_nobody_knows_is_a_mistake() -> None:
    for name in ("klingon", "zip", "utf-7", "idna", ""):
        mapping = f'[file]\nencoding = "{name}"\n' + simple('"a" = "name"')
        if name:
            with pytest.raises(MalformedError, match="encoding that is not known"):
                read("a;b\n1;2\n", mapping)
        else:
            assert contents(read("a;b\n1;2\n", mapping))


@pytest.mark.parametrize("first", ['sep="', "sep= ", "sep=\r", "sep=a", "sep=", "sep=;;"])
def test_a_first_line_that_names_no_separator_is_a_header(first: str) -> None:
    with pytest.raises(MalformedError, match=r"no column a|nothing in the CSV file"):
        read(first + "\na,b\n1,2\n", simple('"a" = "name"'))


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_random_bytes_are_read_or_refused(data: bytes) -> None:
    mapping = '[file]\nheader = ["a", "b"]\n' + simple(
        '"a" = "name"\n"b" = { to = "birthDate", as = "date" }'
    )
    try:
        preview = read_file(data, mapping=mapping)
    except MalformedError:
        return
    contents(preview)
