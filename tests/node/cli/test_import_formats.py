"""``freehold import`` of tables, calendars and bank files: what a person sees, at the width of their screen."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from freehold_node.cli.import_view import show_preview
from freehold_node.cli.render import Screen
from freehold_node.cli.terminal import Terminal
from freehold_node.imports import suggest_mapping
from shell import Shell

ORDERS = (
    "Order ID;Order Date;Item;Total;Gift\n1001;03.05.2026;Kettle;39,90;\n1002;04.05.2026;Lamp;1.024,50;yes\n"
    "1003;31.06.2026;Scarf;19,00;\n"
)
CALENDAR = (
    "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nUID:1\nDTSTART:20261124T093000Z\nSUMMARY:Dentist [bold]x[/bold]\n"
    "ATTENDEE:mailto:ben@example.org\nEND:VEVENT\nBEGIN:VTODO\nEND:VTODO\nEND:VCALENDAR\n"
)
BANK = (
    "<OFX><STMTRS><CURDEF>EUR<BANKACCTFROM><ACCTID>DE02</BANKACCTFROM><STMTTRN><DTPOSTED>20261102<TRNAMT>-2.50<FITID>1"
    "<NAME>Cafe</STMTTRN></STMTRS></OFX>"
)


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text(ORDERS, "cp1252")
    return path


@pytest.fixture
def mapping(shell: Shell, orders: Path) -> Path:
    """A mapping as it is suggested."""
    ran = shell("import", orders, "--suggest-mapping")
    assert (ran.code, ran.err) == (0, "")
    path = orders.with_suffix(".toml")
    path.write_text(ran.out, "utf-8")
    return path


def test_a_suggested_mapping_can_be_used_as_it_is(shell: Shell, orders: Path, mapping: Path) -> None:
    ran = shell("import", orders, "--mapping", mapping, "--preview")
    assert ran.code == 0
    assert "3 records found (table)" in ran.out
    assert "What line 2 becomes" in ran.out
    assert "acceptedOffer.price  39.90" in ran.out
    assert "column Gift" in ran.out
    assert "line 4: Order Date" in ran.out
    assert shell.ok("records")["records"] == []
    done = shell.ok("import", orders, "--mapping", mapping, "--yes")
    assert (done["added"], done["same"]) == (3, 0)
    assert shell.ok("import", orders, "--mapping", mapping, "--yes")["same"] == 3
    shown = shell("records").out
    assert "Order 1001" in shown
    assert "orders.csv" in shown


def test_programs_get_a_suggestion_in_json(shell: Shell, orders: Path, mapping: Path) -> None:
    assert shell.ok("import", orders, "--suggest-mapping") == {"mapping": mapping.read_text("utf-8")}


def test_a_suggestion_is_not_broken_at_the_width_of_a_screen_and_does_nothing_to_it(
    shell: Shell, tmp_path: Path
) -> None:
    path = tmp_path / "odd.csv"
    name = "a column with a long name, " * 6 + "\x1b[2J\u202e"
    path.write_text(f'"{name}",b\n1,2\n', "utf-8")
    ran = shell("import", path, "--suggest-mapping")
    assert ran.code == 0
    assert "\x1b" not in ran.out
    assert "\u202e" not in ran.out
    assert "\\u001B[2J\\u202E" in ran.out


@pytest.mark.parametrize("text", [CALENDAR, BANK])
def test_files_without_people_ask_for_nobody(shell: Shell, tmp_path: Path, text: str) -> None:
    path = tmp_path / "file"
    path.write_text(text)
    ran = shell("import", path, "--yes")
    assert ran.code == 0
    assert "Imported: " in ran.out
    assert "marked as yours" not in ran.out


def test_what_a_calendar_says_is_only_text(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "file.ics"
    path.write_text(CALENDAR)
    ran = shell("import", path, "--preview")
    assert "1 event found (calendar, iCalendar)" in ran.out
    assert "Dentist [bold]x[/bold], 2026-11-24" in ran.out
    assert "about other people" in ran.out
    assert "a task; only events are kept" in ran.out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["orders.csv"], 1, "--suggest-mapping"),
        (["orders.csv", "--mapping", "nowhere.toml"], 2, "nowhere.toml"),
        (["orders.csv", "--mapping", "latin.toml"], 2, "not a text in UTF-8"),
        (["orders.csv", "--mapping", "wrong.toml"], 1, "Datum"),
        (["orders.csv", "--mapping", "orders.csv"], 1, "not TOML"),
        (["file.ics", "--suggest-mapping"], 1, "needs no mapping"),
        (["file.ics", "--mapping", "wrong.toml"], 1, "needs no mapping"),
    ],
)
def test_refuses_in_words(
    shell: Shell, orders: Path, arguments: list[str], code: int, words: str, tmp_path: Path
) -> None:
    suggested = suggest_mapping(orders.read_bytes(), name="orders.csv")
    (tmp_path / "wrong.toml").write_text(suggested.replace('"Order Date"', '"Datum"'), "utf-8")
    (tmp_path / "latin.toml").write_bytes(b'source = "\xe9"')
    (tmp_path / "file.ics").write_text(CALENDAR)
    named = [str(tmp_path / one) if "." in one else one for one in arguments]
    ran = shell("import", *named, "--yes")
    assert ran.code == code
    assert words in " ".join(ran.err.replace("│", " ").split())
    assert "Kettle" not in ran.err


# Much of it


def entry(n: int) -> Any:
    made = {"number": n, "state": "new" if n % 2 else "same", "type": "Order", "label": f"order {n}"}
    content = {"content": {"type": "Order", "name": "x"}} if n <= 20 else {}
    return {**made, "fields": ["name"], "skipped": [], "where": f"line {n}", **content}


def found(count: int, left_out: int) -> Any:
    skipped = [{"where": f"line {n}: Date", "reason": f"reason {n % 3}"} for n in range(left_out)]
    return {"format": "CSV", "found": [entry(n) for n in range(1, count + 1)], "skipped": skipped}


class Tty(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def shown(preview: Any, *, whole: bool, columns: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(columns))
    out = Tty()
    terminal = Terminal(
        out=out, err=io.StringIO(), environment={"NO_COLOR": "1"}, read=lambda: "", ask=None, ask_secret=None
    )
    show_preview(Screen(terminal), preview, whole=whole)
    return out.getvalue().splitlines()


@pytest.mark.parametrize("columns", [80, 120])
def test_ten_thousand_records_fit_a_screen(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(found(10_000, 400), whole=False, columns=columns, monkeypatch=monkeypatch)
    assert len(lines) < 50
    assert max(map(len, lines)) <= columns
    text = "\n".join(lines)
    assert "10000 records found (table)" in text
    assert "and 9975 more; --all shows them" in text
    assert "In all: 5000 new, 5000 already here." in text
    assert "Left out: 400 parts" in text
    assert "line 0: Date and 133 more" in text


def test_all_of_it_is_shown_to_who_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(found(300, 60), whole=True, columns=100, monkeypatch=monkeypatch)
    assert len(lines) > 360
    assert not any("--all" in line for line in lines)


@pytest.mark.parametrize("columns", [80, 120])
def test_little_of_it_is_shown_in_full(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "\n".join(shown(found(3, 2), whole=False, columns=columns, monkeypatch=monkeypatch))
    assert "order 3" in text
    assert "line 1: Date" in text
    assert "--all" not in text
