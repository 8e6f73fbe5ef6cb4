"""Cards written here in each version, with folds, groups and line ends of every kind, say what they said."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from freehold_node.imports import read_file
from hypothesis import given, settings
from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy[Any]], Any]

TEXT = (
    st.text(
        st.sampled_from("ab Z09\\;,:\"=^'.@éßж漢😀") | st.characters(categories=["L", "N", "P", "S"]),
        max_size=40,
    )
    .map(str.strip)
    .filter(bool)
)
LINES = st.lists(TEXT, min_size=1, max_size=3).map("\n".join)
NAME_FIELDS = ["familyName", "givenName", "additionalName", "honorificPrefix", "honorificSuffix"]
ADDRESS_FIELDS = ["postOfficeBoxNumber", "extendedAddress", "streetAddress", "addressLocality",
                  "addressRegion", "postalCode", "addressCountry"]  # fmt: skip


@st.composite
def people(draw: Draw) -> dict[str, Any]:
    """Draw a person as lists of values by field."""

    def some(values: st.SearchStrategy[Any], most: int = 3) -> Any:
        return draw(st.lists(values, max_size=most, unique_by=str))

    return {
        "name": draw(LINES),
        "parts": draw(st.lists(LINES | st.just(""), min_size=5, max_size=5)),
        "birthDate": draw(st.none() | st.dates(dt.date(1, 1, 1))),
        "alternateName": some(TEXT),
        "email": some(TEXT),
        # An importer takes the scheme of a tel: address off.
        "telephone": some(TEXT.filter(lambda text: not text.lower().startswith("tel:"))),
        "address": some(st.lists(LINES | st.just(""), min_size=7, max_size=7).filter(any), 2),
        "jobTitle": some(LINES),
        "roleName": some(LINES),
        "worksFor": some(st.lists(LINES, min_size=1, max_size=3), 2),
        "url": some(
            st.sampled_from(["https://a.example/?q=1;2,3", "http://b.example/%C3%A9", "https://é.example"])
        ),
        "description": some(LINES),
        "knowsLanguage": some(st.sampled_from(["en", "de-AT", "zh-Hant"])),
        "sameAs": some(st.sampled_from(["xmpp:a@b.example", "https://s.example/@a"])),
        "keywords": some(TEXT),
    }


def expected(person: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "@context": "https://w3id.org/freehold/v1",
        "type": "Person",
        "name": person["name"],
    }
    made |= {name: value for name, value in zip(NAME_FIELDS, person["parts"], strict=True) if value}
    if person["birthDate"] is not None:
        made["birthDate"] = person["birthDate"].isoformat()
    lists = {name: value for name, value in person.items() if isinstance(value, list) and name != "parts"}
    lists["address"] = [
        {
            "type": "PostalAddress",
            **{name: part for name, part in zip(ADDRESS_FIELDS, one, strict=True) if part},
        }
        for one in person["address"]
    ]
    lists["worksFor"] = [organization(names) for names in person["worksFor"]]
    for name, values in lists.items():
        if values:
            made[name] = values[0] if len(values) == 1 else values
    return made


def organization(names: list[str]) -> dict[str, Any]:
    inner = {"department": organization(names[1:])} if len(names) > 1 else {}
    return {"type": "Organization", "name": names[0], **inner}


def escaped(text: str, version: str, *, listed: bool = False) -> str:
    text = text.replace("\\", "\\\\").replace(";", "\\;")
    if version == "2.1":  # line breaks stand in quoted-printable, commas are text but for lists
        return text.replace(",", "\\,") if listed else text
    return text.replace(",", "\\,").replace("\n", "\\n")


def properties(person: dict[str, Any], version: str) -> list[tuple[str, str]]:
    def structured(parts: list[str]) -> str:
        return ";".join(escaped(part, version) for part in parts)

    made = [("FN", escaped(person["name"], version)), ("N", structured(person["parts"]))]
    if not any(person["parts"]):
        made.pop()
    if person["birthDate"] is not None:
        made.append(("BDAY", person["birthDate"].isoformat()))
    made += [("ADR", structured(one)) for one in person["address"]]
    made += [("ORG", structured(one)) for one in person["worksFor"]]
    made += [(name, value) for name, field in (("URL", "url"), ("IMPP", "sameAs")) for value in person[field]]
    for name, to in (("EMAIL", "email"), ("TEL", "telephone"), ("TITLE", "jobTitle"), ("ROLE", "roleName"),
                     ("NOTE", "description"), ("LANG", "knowsLanguage")):  # fmt: skip
        made += [(name, escaped(value, version)) for value in person[to]]
    for name, to in (("NICKNAME", "alternateName"), ("CATEGORIES", "keywords")):
        if person[to]:
            made.append((name, ",".join(escaped(value, version, listed=True) for value in person[to])))
    return made


def quoted_printable(value: bytes, draw: Draw) -> bytes:
    width = draw(st.integers(1, 20))
    codes = [bytes([one]) if chr(one).isalnum() and one < 128 else b"=%02X" % one for one in value]
    rows = [b"".join(codes[start : start + width]) for start in range(0, len(codes), width)]
    return b"=\r\n".join(rows)


def folded(line: bytes, start: int, draw: Draw) -> bytes:
    """Fold a line at any bytes of its value, also inside a character."""
    width = draw(st.integers(1, 75))
    value = line[start:]
    return line[:start] + b"\r\n ".join(value[at : at + width] for at in range(0, len(value), width))


def written(person: dict[str, Any], version: str, draw: Draw) -> bytes:
    lines = [b"BEGIN:VCARD", b"VERSION:" + version.encode()]
    for name, value in properties(person, version):
        name = draw(st.sampled_from([name, name.lower(), f"item{len(lines)}.{name}"]))
        param = draw(st.sampled_from(["", ";X-A=b", ';X-A="a:b;c,d"', ";TYPE=INTERNET", ";Type=x,y"]))
        header, data = f"{name}{param}".encode(), value.encode()
        if version == "2.1" and (not value.isascii() or "\n" in value or draw(st.booleans())):
            lines.append(header + b";CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:" + quoted_printable(data, draw))
        elif version == "2.1":
            lines.append(header + b":" + data)
        else:
            lines.append(folded(header + b":" + data, len(header) + 1, draw))
    file = b"\r\n".join([*lines, b"END:VCARD", b""])
    return file.replace(b"\r\n", draw(st.sampled_from([b"\r\n", b"\n", b"\r", b"\r\r\n"])))


@pytest.mark.parametrize("version", ["2.1", "3.0", "4.0"])
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_what_is_written_is_read(version: str, data: st.DataObject) -> None:
    person = data.draw(people())
    preview = read_file(written(person, version, data.draw))
    assert preview.skipped == ()
    (found,) = preview.found
    assert found.skipped == ()
    assert found.document == expected(person)
