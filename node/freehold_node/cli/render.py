"""The screen: tables and lines for a person, plain where the output is no terminal, JSON for programs.

Everything that is shown may have come from a stranger, so nothing in it can move the cursor, turn the text
around, or be taken for markup.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

from freehold_protocol.encoding import Document

from .terminal import Terminal

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

_UNSEEN: Final = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_SEEN_FORMAT: Final = {"\u200c", "\u200d"}  # joiners that some scripts and emoji need
_PLAIN_WIDTH: Final = 1000
"""Where a program or a file reads, no line is broken."""
_NARROW: Final = 110
_MAX_WORD: Final = 24
"""A word up to this long is not broken, as far as there is room."""
_INDENT: Final = 2


def printable(text: str) -> str:
    """Return the text on one line, and harmless."""
    return harmless(" ".join(text.split()))


def harmless(text: str) -> str:
    """Return the text with a mark for each character that would do something instead of showing."""
    return "".join(
        "\ufffd" if unicodedata.category(char) in _UNSEEN and char not in _SEEN_FORMAT else char
        for char in text
    )


def _longest_word(*texts: str) -> int:
    return max((len(word) for text in texts for word in text.split()), default=1)


class Screen:
    """Where a command shows what it found."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._is_terminal = terminal.out.isatty()
        self.is_plain = not self._is_terminal or bool(terminal.environment.get("NO_COLOR"))

    @property
    def is_narrow(self) -> bool:
        """Whether a wide table would be broken into crumbs."""
        return self._console.width < _NARROW

    @cached_property
    def _console(self) -> Console:
        from rich.console import Console

        return Console(
            file=self._terminal.out,
            width=None if self._is_terminal else _PLAIN_WIDTH,
            force_terminal=False if self.is_plain else None,
            no_color=self.is_plain,
            markup=False,
            emoji=False,
            highlight=False,
            soft_wrap=False,
        )

    def _print(self, shown: RenderableType) -> None:
        if not self.is_plain:
            self._console.print(shown)
            return
        with self._console.capture() as captured:
            self._console.print(shown)
        # Cells are padded to their column's width; nobody wants that at the end of a line in a file.
        lines = (line.rstrip() + "\n" for line in captured.get().splitlines())
        self._terminal.out.write("".join(lines))

    def line(self, text: str = "", *, style: str = "") -> None:
        """Show a paragraph of our own words, and maybe a name in it."""
        from rich.text import Text

        self._print(Text(harmless(text), style=style))

    def title(self, text: str) -> None:
        """Show what follows is about."""
        self.line(printable(text), style="bold")

    def shell(self, command: str) -> None:
        """Show something to be typed; never broken, so that it can be copied."""
        from rich.text import Text

        self._console.print(Text(f"  $ {command}", style="cyan"), soft_wrap=True)

    def note(self, text: str) -> None:
        """Show something beside the point."""
        self.line(text, style="dim")

    def verbatim(self, text: str) -> None:
        """Write a text of ours exactly as it is."""
        self._terminal.out.write(text if text.endswith("\n") else text + "\n")
        self._terminal.out.flush()

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[str]],
        *,
        numbers: Sequence[str] = (),
        whole: Sequence[str] = (),
    ) -> None:
        """Show rows under their columns.

        Args:
            columns: The headings.
            rows: A text for each column.
            numbers: Headings of columns that are aligned to the right.
            whole: Headings of columns that are never broken, such as ids.
        """
        from rich import box
        from rich.table import Table

        cells = [tuple(map(printable, row)) for row in rows]
        table = Table(
            box=None if self.is_plain else box.SIMPLE_HEAD,
            show_edge=False,
            pad_edge=False,
            header_style="bold",
            padding=(0, 2, 0, 0) if self.is_plain else (0, 1, 0, 0),
        )
        for place, name in enumerate(columns):
            table.add_column(
                name,
                justify="right" if name in numbers else "left",
                no_wrap=name in whole or name in numbers,
                overflow="fold",
                min_width=min(_MAX_WORD, _longest_word(name, *(row[place] for row in cells))),
            )
        for row in cells:
            table.add_row(*row)
        self._print(table)

    def facts(self, pairs: Iterable[tuple[str, str]], *, indent: int = _INDENT) -> None:
        """Show labels, and beside each what it stands for."""
        self._print(self._grid(pairs, indent=indent, label_style="dim"))

    def values(self, pairs: Iterable[tuple[str, str]], *, indent: int = 2 * _INDENT) -> None:
        """Show fields, and beside each its value."""
        self._print(self._grid(pairs, indent=indent, label_style="cyan"))

    def _grid(self, pairs: Iterable[tuple[str, str]], *, indent: int, label_style: str) -> Table:
        from rich.table import Table

        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(width=max(0, indent - 2))
        grid.add_column(style=label_style, no_wrap=True)
        grid.add_column(overflow="fold")
        for label, value in pairs:
            grid.add_row("", printable(label), printable(value))
        return grid

    def print_json(self, document: Document) -> None:
        """Write the one JSON document of a command."""
        encoding = (self._terminal.out.encoding or "utf-8").lower()
        self.verbatim(json.dumps(document, indent=2, ensure_ascii=not encoding.startswith("utf")))
