from __future__ import annotations

import io
import json
import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from freehold_node.cli.render import Screen, printable
from freehold_node.cli.terminal import Terminal
from hypothesis import given, settings
from hypothesis import strategies as st


class Tty(io.StringIO):
    """A terminal, of a width that rich takes from the environment it is given."""

    def isatty(self) -> bool:
        return True


def screen(*, tty: bool = False, **environment: str) -> tuple[Screen, io.StringIO]:
    out = Tty() if tty else io.StringIO()
    return Screen(Terminal(out=out, err=io.StringIO(), environment=environment)), out


ROWS = [("1", "Ada Example", "a" * 200), ("22", "Ben", "")]


def test_a_file_gets_plain_columns_and_whole_lines() -> None:
    made, out = screen()
    made.table(("no.", "name", "fields"), ROWS, numbers=("no.",))
    lines = out.getvalue().splitlines()
    assert lines[0] == "no.  name         fields"
    assert lines[1] == "  1  Ada Example  " + "a" * 200
    assert lines[2] == " 22  Ben"
    assert "\x1b" not in out.getvalue()


@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_terminal_gets_no_line_longer_than_it_is_wide(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    made, out = screen(tty=True, NO_COLOR="1")
    made.table(("no.", "name", "fields"), ROWS, numbers=("no.",))
    made.facts([("label", "word " * 60)])
    assert max(map(len, out.getvalue().splitlines())) <= width
    assert "a" * 20 in out.getvalue()


def test_colours_are_for_terminals_that_want_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for environment, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        made, out = screen(tty=True, **environment)
        made.title("Title")
        made.table(("a",), [("b",)])
        assert ("\x1b[" in out.getvalue()) == coloured


EVIL = [
    "\x1b[2J\x1b[31mred",
    "a\nb",
    "a\r\nEnforced by your node",
    "\u202egnp.exe",
    "a\tb",
    "\x07",
    "\x9b31m",
    "\u2066x",
]


@pytest.mark.parametrize("text", EVIL)
def test_nothing_that_is_shown_can_move_the_cursor_or_turn_the_text(text: str) -> None:
    shows: tuple[Callable[[Screen], None], ...] = (
        lambda made: made.table(("x",), [(text,)]),
        lambda made: made.facts([(text, text)]),
        lambda made: made.values([(text, text)]),
        lambda made: made.title(text),
    )
    for show in shows:
        made, out = screen()
        show(made)
        shown = out.getvalue()
        assert not set("\x1b\r\t\x07\x9b\u202e\u2066") & set(shown)
        assert shown.count("\n") <= 2


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_what_is_printable_is_one_line_of_characters_that_show(text: str) -> None:
    made = printable(text)
    assert "\n" not in made
    assert all(unicodedata.category(one) not in {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"} for one in made)
    assert printable(made) == made


@pytest.mark.parametrize(
    "text", ["Ada Example", "Ewa Przykład", "Chloé", "नमस्ते", "👩\u200d🌾", "[bold]x[/bold]", ":smile:"]
)
def test_names_are_shown_as_they_are(text: str) -> None:
    made, out = screen()
    made.facts([("name", text)])
    assert text in out.getvalue()


@pytest.mark.parametrize(("encoding", "plain"), [("utf-8", False), ("ascii", True), ("latin-1", True)])
def test_json_is_whole_in_any_encoding(encoding: str, plain: bool) -> None:
    data = io.BytesIO()
    out = io.TextIOWrapper(data, encoding=encoding, errors="replace")
    document: dict[str, Any] = {"name": "Ewa Przykład 👩"}
    Screen(Terminal(out=out, err=io.StringIO())).print_json(document)
    assert json.loads(data.getvalue()) == document
    assert ("\\u" in data.getvalue().decode(encoding)) == plain
