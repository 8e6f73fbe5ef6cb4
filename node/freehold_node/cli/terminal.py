"""Where a command reads and writes: the streams, the environment, and the person, if one can answer."""

from __future__ import annotations

import getpass
import io
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self, TextIO

from .browsing import Browse, browser_of_this_computer

Ask = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """What one run of a command is connected to.

    ``ask`` and ``ask_secret`` put a question to the person; they are None where nobody can answer. ``read``
    returns all of the standard input. ``browse`` opens a page, and is None where there is no screen for it.
    """

    out: TextIO
    err: TextIO
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    read: Callable[[], str] = lambda: ""
    ask: Ask | None = None
    ask_secret: Ask | None = None
    browse: Browse | None = None

    @classmethod
    def of_this_process(cls) -> Self:
        """Take the process's streams and environment, and its person if it runs in a terminal."""
        answers = sys.stdin is not None and sys.stdin.isatty()
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):  # a name in another script must not end the command
                stream.reconfigure(errors="replace")
        return cls(
            out=sys.stdout,
            err=sys.stderr,
            environment=os.environ,
            read=_read_stdin,
            ask=_ask if answers else None,
            ask_secret=getpass.getpass if answers else None,
            browse=browser_of_this_computer(),
        )


def _read_stdin() -> str:
    return sys.stdin.read() if sys.stdin is not None else ""


def _ask(question: str) -> str:
    # Not input(question): it writes to the standard output, which may be a file.
    sys.stderr.write(question)
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.rstrip("\r\n")
