"""Reasons in the person's language: every code has its texts, and what a page says is translated to its last part."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import freehold_node
import pytest
from freehold_node.dashboard.reasons import said, why
from freehold_node.dashboard.texts import LANGUAGES, Texts, catalog, placeholders
from freehold_node.imports import read_file
from freehold_node.imports.reasons import reason_of
from freehold_node.imports.reasons import why as because
from freehold_node.recovery_sheet import code_to_seed
from freehold_protocol.errors import MalformedError
from freehold_protocol.reason import Reason

NODE = Path(freehold_node.__file__).parent
SOURCES = {path: ast.parse(path.read_text("utf-8")) for path in sorted(NODE.rglob("*.py"))}
MAKERS = {"why", "_why"}


def name_of(path: Path) -> str:
    return ".".join(("freehold_node", *path.relative_to(NODE).with_suffix("").parts))


def calls(tree: ast.Module, names: set[str]) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            yield node


def registries() -> dict[str, str]:
    """Return the English of every code: of each module that makes reasons."""
    found: dict[str, str] = {}
    for path, tree in SOURCES.items():
        made = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
        if any(ast.unparse(node) == "Reason.made" for node in made):
            texts = import_module(name_of(path)).REASONS
            assert not found.keys() & texts.keys()
            found |= texts
    return found


REASONS = registries()


def of_text(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def plain(template: str) -> str:
    """Return a text of the command line as the pages write it: quotes and thousands are theirs."""
    return re.sub(r"\{(\w+):,\}", r"{\1}", re.sub(r"\{(\w+)!r\}", r"'{\1}'", template))


@pytest.mark.requirement("DSH-58")
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_a_text_with_the_same_places(language: str) -> None:
    texts = catalog(language)
    keys = {code: f"reasons.{code.replace('-', '_')}" for code in REASONS}
    assert {key for key in texts if key.startswith("reasons.")} == set(keys.values())
    for code, key in keys.items():
        assert placeholders(texts[key]) == of_text(REASONS[code]), code


def test_the_english_is_that_of_the_command_line() -> None:
    texts = catalog("en")
    for code, template in REASONS.items():
        assert texts[f"reasons.{code.replace('-', '_')}"] == plain(template)


def test_every_code_that_the_source_says_is_there_and_filled_in_and_none_is_left_over() -> None:
    used = set()
    for path, tree in SOURCES.items():
        if "dashboard" in path.parts:
            continue
        for call in calls(tree, MAKERS):
            codes = [one.value for one in ast.walk(call.args[0]) if isinstance(one, ast.Constant)]
            given = {keyword.arg for keyword in call.keywords}
            for code in codes:
                if code in REASONS:
                    assert of_text(REASONS[str(code)]) == given, f"{path.name}: {code}"
                    used.add(code)
    # Those whose code is worked out: a word and its plural, one or several.
    assert REASONS.keys() - used == {"line", "lines", "transaction", "transactions"}


@pytest.mark.parametrize(
    "error", ["LeftOutError", "MalformedError", "TooLargeError", "TooDeepError", "ConflictError"]
)
def test_nothing_in_the_readers_is_raised_with_a_bare_sentence(error: str) -> None:
    for path, tree in SOURCES.items():
        if path.parent.name == "imports" or path.stem in ("attestation", "recovery_sheet"):
            for call in calls(tree, {error}):
                bare = [one for one in call.args if isinstance(one, ast.Constant | ast.JoinedStr)]
                assert not bare, f"{path.name}:{call.lineno}"


CARD = (
    b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ada\r\nX-SKYPE:ada\r\nPHOTO;ENCODING=b:" + b"A" * 4000 + b"\r\n"
    b"BDAY:--0412\r\nEND:VCARD\r\nBEGIN:VCARD\r\nVERSION:3.0\r\nKIND:group\r\nFN:All\r\nEND:VCARD\r\n"
)
CALENDAR = (
    b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:A\r\nDTSTART:20260101\r\nATTENDEE:x\r\nDTEND:2025\r\n"
    b"END:VEVENT\r\nBEGIN:VTODO\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
)
ITEMS = b'[{"@context":"https://schema.org","@type":"Person","name":"A"},{"@type":"Person","name":"B"},3]'
BANK = (
    b"OFXHEADER:100\r\n\r\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR<BANKACCTFROM><ACCTID>1</BANKACCTFROM>"
    b"<BANKTRANLIST><STMTTRN><TRNAMT>x<DTPOSTED>20260101</STMTTRN></BANKTRANLIST><LEDGERBAL><BALAMT>1</LEDGERBAL>"
    b"</STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>"
)
SAID = {
    "a card": (
        CARD,
        {
            "Karte 1, Zeile 4: X-SKYPE": "der Name eines Kontos ohne Adresse (URI)",
            "Karte 1, Zeile 5: PHOTO": (
                "ein eingebettetes Bild von 3.000 Bytes; aufbewahrt werden nur Webadressen von Bildern"
            ),
            "Karte 1, Zeile 6: BDAY": "nur ein Teil eines Datums",
            "Karte 2, Zeile 8": "die Karte einer Gruppe, eines Ortes oder einer Sache, nicht eines Menschen",
        },
    ),
    "a calendar": (
        CALENDAR,
        {
            "Zeile 6: ATTENDEE": "handelt von anderen Menschen, die nicht gefragt wurden",
            "Zeile 7: DTEND": "kein Datum und keine Zeit",
            "Zeilen 9-10: VTODO": "eine Aufgabe; aufbewahrt werden nur Termine",
        },
    ),
    "linked data": (
        ITEMS,
        {
            "Eintrag 2": "sein @context ist weder https://w3id.org/freehold/v1 noch https://schema.org",
            "Eintrag 3": "kein JSON-Objekt",
        },
    ),
    "a statement": (
        BANK,
        {
            "Buchung 1": "der Betrag (TRNAMT) fehlt oder ist keine Zahl",
            "Zeile 3: LEDGERBAL": "der Kontostand eines Tages; dafür hat kein Eintrag ein Feld",
        },
    ),
}

NO_FORMAT = "Die Datei ist weder vCard, iCalendar, OFX, JSON-LD noch eine Tabelle (CSV)"
NOTHING = "Aus dieser Datei (vCard) lässt sich nichts einlesen"


@pytest.mark.requirement("DSH-58")
@pytest.mark.parametrize("name", SAID)
def test_what_is_left_out_of_a_file_is_said_in_german(name: str) -> None:
    data, expected = SAID[name]
    t, preview = Texts("de"), read_file(data)
    skipped = [*preview.skipped, *(part for one in preview.found for part in one.skipped)]
    shown = {said(t, one.where).text.striptags(): said(t, one.reason) for one in skipped}
    assert {where: one.text.striptags() for where, one in shown.items()} == expected
    assert {one.language for one in shown.values()} == {""}


@pytest.mark.parametrize(
    ("data", "name", "german"),
    [
        (b"PK\x03\x04", "a.xlsx", NO_FORMAT + ": sie sieht nach"),
        (CARD[CARD.rindex(b"BEGIN") :], "", NOTHING + " (Karte 1, Zeile 1: die Karte"),
    ],
)  # fmt: skip
def test_and_so_is_why_a_whole_file_is_refused(data: bytes, name: str, german: str) -> None:
    with pytest.raises(MalformedError) as raised:
        read_file(data, name=name)
    assert why(Texts("de"), raised.value).text.striptags().startswith(german)


def test_and_what_is_wrong_with_a_recovery_code() -> None:
    with pytest.raises(MalformedError) as raised:
        code_to_seed("0000 000")
    assert why(Texts("de"), raised.value).text == "ein Notfallcode hat 60 Zeichen, dieser hat 7"


@pytest.mark.requirement("DSH-58")
def test_words_of_the_protocol_alone_are_marked_as_english() -> None:
    error = MalformedError("a <date> is not one")
    assert (why(Texts("de"), error).language, why(Texts("en"), error).language) == ("en", "")
    assert why(Texts("de"), error).text == "a &lt;date&gt; is not one"
    within = why(Texts("de"), MalformedError(reason_of(error)))
    assert within.text.startswith("hat nicht die Form eines Eintrags")
    assert "&lt;date&gt;" in within.text


def test_a_name_from_a_file_is_text_and_keeps_its_direction_to_itself() -> None:
    shown = said(Texts("de"), because("column", names="<b>\u202eX")).text
    assert shown == "Spalte <bdi>&lt;b&gt;\ufffdX</bdi>"


def test_a_reason_is_a_text_that_knows_what_it_is_made_of() -> None:
    inner = because("line", numbers="3")
    reason = because("within", outer=because("card", number=1), inner=inner)
    assert (reason, reason.code, reason.told["inner"]) == ("card 1, line 3", "within", inner)
    assert Reason.of(MalformedError(reason)) is reason
    assert Reason.of(MalformedError("a text")) is None
    assert Reason.of(MalformedError()) is None


@pytest.mark.requirement("DSH-58")
@pytest.mark.requirement("DSH-15")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_name_in_a_file_turns_hides_and_runs_nothing(language: str) -> None:
    table = "Name;\u2069\u202elive<b>\u200b;E-mail\na;b;c\nd;e;f\n".encode()
    mapping = '[[record]]\ntype = "Person"\n[record.columns]\n"\u2069\u202eb" = "name"\n'
    with pytest.raises(MalformedError) as refused:
        read_file(table, name="x.csv", mapping=mapping)
    told = why(Texts(language), refused.value).text
    for text in (str(refused.value), str(told)):
        assert not set("\u2069\u202e\u200b") & set(text)
        assert "\ufffd\ufffdb" in text
    assert "<b>" in str(refused.value)
    assert "<b>" not in told


def test_what_a_sentence_is_made_of_is_only_what_shows() -> None:
    inner = because("column", names="a\nb")
    assert inner == "column a\ufffdb"
    assert (
        because("within", outer=inner, inner="x\x1b[2J\u0627\u200c")
        == "column a\ufffdb, x\ufffd[2J\u0627\u200c"
    )
