"""Mappings that are not of their form, suggested ones, and those that come with the node."""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from freehold_node.imports import MAX_MAPPING_BYTES, read_file, suggest_mapping
from freehold_node.imports.known_tables import known_mappings
from freehold_node.imports.mapping import parse_mapping
from freehold_node.imports.suggestion import quoted
from freehold_protocol.contexts import check_terms
from freehold_protocol.errors import FreeholdError, MalformedError, TooLargeError
from hypothesis import given, settings
from hypothesis import strategies as st

GOOD = '[[record]]\ntype = "Person"\n[record.columns]\n"a" = "name"\n'


def with_columns(columns: str, more: str = "") -> str:
    return f'source = "x"\n[[record]]\ntype = "Person"\n{more}\n[record.columns]\n{columns}\n'


WRONG: list[tuple[str, str]] = [
    ("", "1 to 8 sections"),
    ("= 1", "not TOML"),
    ("a = " + "[" * 20_000, "not TOML"),
    ("a = {" * 5_000, "not TOML"),
    ("a = " + "9" * 5_000, "not TOML"),
    ("colour = 1\n" + GOOD, "'colour' means nothing"),
    ("source = 1\n" + GOOD, "'source' is a text"),
    ('ignore = "a"\n' + GOOD, "'ignore' is a list"),
    ("ignore = [1]\n" + GOOD, "'ignore' is a list"),
    ("[file]\nseparator = ';;'\n" + GOOD, "one character"),
    ("[file]\nseparator = '\"'\n" + GOOD, "one character"),
    ('[file]\nseparator = "\\n"\n' + GOOD, "one character"),
    ('[file]\nseparator = "\\u0000"\n' + GOOD, "one character"),
    ('[file]\nseparator = "a"\n' + GOOD, "one character"),
    ("[file]\nskip = -1\n" + GOOD, "'skip' is a number"),
    ("[file]\nskip = 1_000_000\n" + GOOD, "'skip' is a number"),
    ("[file]\nskip = true\n" + GOOD, "'skip' is a number"),
    ("[file]\nheader = 1\n" + GOOD, "'header' is a list"),
    ("[file]\nheaders = []\n" + GOOD, "'headers' means nothing"),
    ("[formats]\ndates = 1\n" + GOOD, "'dates' means nothing"),
    ("record = 1", "written as"),
    ("record = [1]", "written as"),
    (GOOD * 9, "1 to 8 sections"),
    ('[[record]]\ntype = "Person"\n', "no column becomes anything"),
    ("[[record]]\n[record.columns]\na = 'name'\n", "'type' is a text|no context defines the item's type"),
    (GOOD.replace("Person", "Wizard"), "no context defines"),
    (GOOD.replace("Person", "AccessGrant"), "no record has"),
    (GOOD.replace('"name"', '"nmae"'), "column 'a': no context defines the field 'nmae'"),
    (GOOD.replace('"name"', '"id"'), "never leaves a node"),
    (GOOD.replace('"name"', '"source.file"'), "never leaves a node"),
    (GOOD.replace('"name"', '"name."'), "a field is a path"),
    (GOOD.replace('"name"', '"1.name"'), "a field is a path"),
    (GOOD.replace('"name"', '"email.0"'), "a field is a path"),
    (GOOD.replace('"name"', '"email.100"'), "a field is a path"),
    (GOOD.replace('"name"', '"' + ".".join(["knows"] * 7) + '"'), "a field is a path"),
    (GOOD.replace('"name"', '""'), "a field is a path"),
    (GOOD.replace('"name"', "1"), "'to' is a text"),
    (GOOD.replace('"name"', "{ as = 'date' }"), "a field is a path"),
    (GOOD.replace('"name"', "{ to = 'name', as = 'money' }"), "'as' is one of"),
    (GOOD.replace('"name"', "{ to = 'name', as = 'date', date = 'foo' }"), "stands for nothing"),
    (GOOD.replace('"name"', "{ to = 'name', as = 'date', zone = 'Mars/Phobos' }"), "name of a time zone"),
    (
        GOOD.replace('"name"', "{ to = 'name', as = 'date', zone = '../../etc/passwd' }"),
        "name of a time zone",
    ),
    (GOOD.replace('"name"', "{ to = 'name', as = 'decimal', decimal = ';' }"), "'decimal' is"),
    (GOOD.replace('"name"', "{ to = 'name', optional = 1 }"), "'optional' is true or false"),
    (GOOD.replace('"name"', "{ to = 'name', form = 1 }"), "'form' means nothing"),
    (GOOD.replace('"name"', "'address.{n}.postalCode'"), "its name has none"),
    (GOOD + '"b" = "name.givenName"\n', "cannot be a value and have fields|say in"),
    (GOOD + '"b" = "spouse.name"\n"c" = "spouse"\n', "'spouse' cannot be a value"),
    (GOOD + '"b" = "owns.typeOfGood.name"\n', "which type 'owns' is"),
    (with_columns("a = 'name'", "types = { address = 'Wizard' }"), "which type its node is"),
    (with_columns("a = 'name'", "types = { address = 1 }"), "which type its node is"),
    (with_columns("a = 'name'", "constants = { nmae = 'x' }"), "no context defines"),
    (with_columns("a = 'name'", "constants = { description = 1.5 }"), "a constant is"),
    (with_columns("a = 'name'", "constants = { description = [] }"), "a constant is"),
    (with_columns("a = 'name'", "constants = { description = '' }"), "a constant is"),
    (with_columns("a = 'name'", 'constants = { description = "\\u0000" }'), "a constant is"),
    (with_columns("a = 'name'", "constants = { height = 9007199254740993 }"), "a constant is"),
    (with_columns("a = 'name'", "joined = { name = 1 }"), "list of column names"),
    (with_columns("a = 'name'", "joined = { nmae = ['a'] }"), "no context defines"),
    (with_columns("a = 'name'", "collect = 'email'\nkey = ['a']"), "no column becomes"),
    (with_columns("a = 'name'", "collect = 'name'"), "name a key"),
    (with_columns("a = 'name'", "key = 'a'"), "list of column names"),
    (GOOD.replace('"Person"', '"Person"\nkey = ["a"]'), "names a key but no source"),
]


@pytest.mark.parametrize(("mapping", "words"), WRONG)
def test_a_mapping_that_is_not_of_the_form_says_where(mapping: str, words: str) -> None:
    with pytest.raises(MalformedError, match=words):
        parse_mapping(mapping)
    with pytest.raises(MalformedError, match=words):
        read_file(b"a,b\nSECRET,1\n", mapping=mapping)


def test_a_mapping_has_bounds() -> None:
    with pytest.raises(TooLargeError):
        parse_mapping(GOOD + "#" * MAX_MAPPING_BYTES)
    many = "".join(f"c{n} = 'name'\n" for n in range(501))
    with pytest.raises(TooLargeError):
        parse_mapping(with_columns(many))


TOML = st.recursive(
    st.text(max_size=8) | st.integers(-9, 9) | st.booleans() | st.just("name"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=10,
)
NAMES = st.sampled_from(
    ["source", "ignore", "file", "formats", "record", "type", "key", "columns", "joined", "constants", "types",
     "collect", "separator", "encoding", "skip", "header", "date", "decimal", "zone", "to", "as", "split", "optional",
     "negate", "known-by", "with"]
)  # fmt: skip


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(name)} = {toml(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return str(value).lower() if isinstance(value, int) else quoted(value)


@given(st.dictionaries(NAMES, st.dictionaries(NAMES, TOML, max_size=4) | TOML, max_size=4),
       st.dictionaries(NAMES, TOML, max_size=6))  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_any_toml_is_a_mapping_or_refused(top: dict[str, Any], record: dict[str, Any]) -> None:
    lines = [f"{quoted(name)} = {toml(value)}" for name, value in top.items() if name != "record"]
    text = "\n".join([*lines, "[[record]]", *(f"{name} = {toml(value)}" for name, value in record.items())])
    try:
        mapping = parse_mapping(text)
    except FreeholdError:
        return
    assert mapping.records


# Suggested


@pytest.mark.vectors
def test_a_suggestion_for_each_sample_is_a_mapping(vectors: Path, count_vectors: Callable[..., None]) -> None:
    samples = sorted((vectors / "personal-data" / "csv2ofx" / "test").glob("*.csv"))
    assert len(samples) >= 10
    read = 0
    for sample in samples:
        data = sample.read_bytes()
        text = suggest_mapping(data, name=sample.name)
        tomllib.loads(text)
        try:
            preview = read_file(data, mapping=text)
        except MalformedError as error:
            assert "no column becomes anything" in str(error), sample.name  # noqa: PT017 - a table without a header
            continue
        read += 1
        for found in preview.found:
            check_terms(found.document)
        count_vectors("personal-data", 1)
    assert read >= len(samples) - 1


def test_a_suggestion_knows_usual_names_dates_and_amounts() -> None:
    rows = b'1,3.05.2026,Lamp,"1.024,50",red\n2,31.05.2026,Cup,"3,00",x\n'
    data = b"Order ID,Order Date,Product Name,Total,Colour\n" + rows
    text = suggest_mapping(data, name="my orders.csv")
    found = tomllib.loads(text)
    assert found["source"] == "my orders"
    assert found["formats"] == {"date": "DD.MM.YYYY", "decimal": ","}
    (record,) = found["record"]
    assert (record["type"], record["key"]) == ("Order", ["Order ID"])
    assert '# "Colour" = ""' in text
    preview = read_file(data, mapping=text)
    assert preview.found[0].document["acceptedOffer"] == {"type": "Offer", "price": "1024.50"}
    assert [one.where for one in preview.skipped] == ["column Colour"]


def test_a_suggestion_says_where_a_date_can_be_read_in_two_ways() -> None:
    assert "or DD/MM/YYYY" in suggest_mapping(b"order date,x\n01/02/2026,1\n", name="x.csv")
    assert "MM/DD/YYYY" not in suggest_mapping(b"order date,x\n31/02/2026,1\n13/01/2026,2\n", name="x.csv")


@given(
    st.lists(st.text(st.characters(codec="utf-8"), max_size=15), min_size=2, max_size=6).filter(
        lambda header: any(map(str.strip, header))  # the first row with anything in it is the header
    ),
    st.text(max_size=10),
)
@settings(max_examples=100, deadline=None)
def test_a_suggestion_names_columns_and_never_a_value(header: list[str], secret: str) -> None:
    made = io.StringIO()
    csv.writer(made).writerows([header, [f"SECRET{secret}"] * len(header)])
    try:
        text = suggest_mapping(made.getvalue().encode(), name="x.csv")
    except MalformedError:
        return
    assert "SECRET" not in text
    assert all(char.isprintable() or char == "\n" for char in text)
    tomllib.loads(text)


def test_nothing_is_suggested_for_a_huge_file() -> None:
    with pytest.raises(TooLargeError):
        suggest_mapping(b"a,b\n" * 3_000_000)


@pytest.mark.parametrize("data", [b"", b"BEGIN:VCARD\nEND:VCARD\n", b"\xff\xfe\x00"])
def test_nothing_is_suggested_for_what_is_no_table(data: bytes) -> None:
    with pytest.raises(MalformedError):
        suggest_mapping(data)


# Known by their header

GOOGLE = (
    "First Name,Middle Name,Last Name,Phonetic First Name,Name Prefix,Name Suffix,Nickname,File As,Organization Name,"
    "Organization Title,Organization Department,Birthday,Notes,Photo,Labels,E-mail 1 - Label,E-mail 1 - Value,"
    "Phone 1 - Label,Phone 1 - Value,Phone 2 - Label,Phone 2 - Value,Address 1 - Label,Address 1 - Formatted,"
    "Address 1 - Street,Address 1 - City,Address 1 - Postal Code,Address 1 - Country,Website 1 - Value\n"
    'Ada,,Example,,Dr.,,Adie,,Works,Analyst,Engines,1985-12-10,"Two\nlines",https://example.com/p,* myContacts ::: VIP,'
    "* Work,ada@example.com ::: a@example.org,Mobile,+44 1632 960001,,,Home,,1 Row,Exampleton,EX1,UK,www.example.com\n"
)
OUTLOOK = (
    "First Name,Middle Name,Last Name,Title,Suffix,E-mail Address,E-mail 2 Address,Home Phone,Business Phone,"
    "Mobile Phone,Business Fax,Company,Job Title,Department,Home Street,Home Street 2,Home City,Home Postal Code,"
    "Home Country/Region,Business Street,Business City,Web Page,Birthday,Categories,Notes\r\n"
    "Ben,,Sample,Mr.,,ben@example.org,b@example.org,1,2,3,4,Works,Smith,Forge,1 Row,Flat 2,Ex,EX1,UK,2 Way,Ey,"
    "http://ben.example,12/28/1969,a;b,hm\r\n"
)  # fmt: skip


def test_a_table_of_google_contacts_needs_no_mapping() -> None:
    preview = read_file(GOOGLE.encode(), name="contacts.csv")
    (found,) = preview.found
    check_terms(found.document)
    assert {name: value for name, value in found.document.items() if name != "@context"} == {
        "type": "Person", "name": "Ada Example", "givenName": "Ada", "familyName": "Example",
        "honorificPrefix": "Dr.", "alternateName": "Adie", "jobTitle": "Analyst", "birthDate": "1985-12-10",
        "description": "Two\nlines", "image": "https://example.com/p", "keywords": ["* myContacts", "VIP"],
        "email": ["ada@example.com", "a@example.org"], "telephone": "+44 1632 960001",
        "url": "http://www.example.com",
        "worksFor": {"type": "Organization", "name": "Works",
                     "department": {"type": "Organization", "name": "Engines"}},
        "address": {"type": "PostalAddress", "streetAddress": "1 Row", "addressLocality": "Exampleton",
                    "postalCode": "EX1", "addressCountry": "UK"},
    }  # fmt: skip
    left_out = " ".join(one.where for one in preview.skipped)
    assert "E-mail 1 - Label" in left_out
    assert "Phonetic First Name" in left_out
    assert preview.person("ada@example.com") is found


def test_a_table_of_outlook_needs_no_mapping() -> None:
    (found,) = read_file(OUTLOOK.encode()).found
    check_terms(found.document)
    document = found.document
    assert document["name"] == "Ben Sample"
    assert document["email"] == ["ben@example.org", "b@example.org"]
    assert document["telephone"] == ["3", "1", "2"]
    assert document["faxNumber"] == "4"
    assert [one["streetAddress"] for one in document["address"]] == [["1 Row", "Flat 2"], "2 Way"]
    assert "birthDate" not in document


def test_what_comes_with_the_node_names_only_columns_that_may_be_missing_or_are_looked_for() -> None:
    for mapping in known_mappings():
        assert mapping.known_by
        for record in mapping.records:
            assert all(column.optional or column.name in mapping.known_by for column in record.columns)
            assert all(set(joined.columns) <= set(mapping.known_by) for joined in record.joined)


@pytest.mark.parametrize("changed", ["First Name", "E-mail 1 - Label"])
def test_a_known_table_of_another_layout_is_never_nothing(changed: str) -> None:
    with pytest.raises(MalformedError, match="not one whose header is known: say in a mapping"):
        read_file(GOOGLE.replace(changed, "Something", 1).encode(), name="contacts.csv")


def test_an_unknown_table_says_what_to_do_and_none_of_its_values() -> None:
    with pytest.raises(MalformedError, match=r"table of 2 columns.*--suggest-mapping") as caught:
        read_file(b"Ada;1815\nBen;1820\n", name="x.txt")
    assert "Ada" not in str(caught.value)


def test_the_mapping_in_the_specification_is_one() -> None:
    page = (Path(__file__).resolve().parents[3] / "specs" / "node" / "imports.md").read_text("utf-8")
    (text,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert parse_mapping(text).records[0].collect == "orderedItem"
    whole = re.sub(r"(?m)^(skip|header|encoding) = .*$", "", text)
    table = "No;Date;Total;Item;Tags;Town 2;First name;Last name;Internal number\n7;3.5.2026;1,50;Cup;a;Ex;Ada;E;x\n"
    (found,) = read_file(table.encode(), mapping=whole).found
    check_terms(found.document)
    assert found.document["customer"] == {
        "type": "Person", "name": "Ada E", "address": {"type": "PostalAddress", "addressLocality": "Ex"},
    }  # fmt: skip
