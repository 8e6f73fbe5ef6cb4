"""A real terminal: what is typed is asked for on it, passphrases are not shown, and answers are not output."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from freehold_node.keystore import check_passphrase

if sys.platform == "win32":
    pytest.skip("no pseudo-terminals", allow_module_level=True)

import pty


class Typist:
    """Someone at a terminal: reads until a text comes, types a line."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self.seen = ""

    def sees(self, text: str) -> None:
        start = len(self.seen)
        while text not in self.seen[start:]:
            try:
                data = os.read(self._terminal, 4096)
            except OSError:  # the other end is closed
                data = b""
            assert data, f"{text!r} did not come: {self.seen!r}"
            self.seen += data.decode()

    def types(self, line: str) -> None:
        os.write(self._terminal, line.encode() + b"\n")


@contextmanager
def at_terminal(folder: Path, *arguments: str) -> Iterator[tuple[Typist, subprocess.Popen[bytes]]]:
    ours, theirs = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FREEHOLD_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "freehold_node", "--data-dir", str(folder), *arguments],
        env={**environment, "TERM": "xterm", "NO_COLOR": "1"},
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    try:
        yield Typist(ours), process
    finally:
        process.kill()
        process.wait()
        os.close(ours)


@pytest.mark.filterwarnings("ignore")  # what the child says goes to its terminal
def test_a_person_makes_a_node_and_adds_and_deletes_a_record(tmp_path: Path) -> None:
    folder = tmp_path / "node"
    with at_terminal(folder, "init") as (person, process):
        for question in ("New passphrase:", "The same again:"):
            person.sees(question)
            person.types("open sesame")
        person.sees("FREEHOLD RECOVERY SHEET")
        person.sees("freehold serve")
        assert process.wait(30) == 0
        assert "open sesame" not in person.seen
    check_passphrase(folder, "open sesame")
    with at_terminal(folder, "records", "add", "name=Ada Example") as (person, process):
        person.sees("Passphrase:")
        person.types("open sesame")
        person.sees("Added ")
        assert process.wait(30) == 0
        record = person.seen.partition("Added ")[2][:8]
    with at_terminal(folder, "records", "delete", record) as (person, process):
        person.sees("Passphrase:")
        person.types("open sesame")
        person.sees("Delete Ada Example with all versions? [y/N]")
        person.types("n")
        person.sees("nothing was changed")
        assert process.wait(30) == 1


def test_ctrl_c_at_a_question_ends_the_command(tmp_path: Path) -> None:
    with at_terminal(tmp_path / "node", "init") as (person, process):
        person.sees("New passphrase:")
        process.send_signal(2)
        assert process.wait(30) == 130
    assert not (tmp_path / "node").exists()
