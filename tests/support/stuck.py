"""A process in the place of the one for strangers' documents, which does as it is told with its first document."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from freehold_node import foreign

FOR_EVER = "while True: time.sleep(60)"
_SOURCE = """\
import os, sys, time
from freehold_node.foreign_worker import pack_message, read_message
source, sink = sys.stdin.buffer, sys.stdout.buffer
read_message(source)
sink.write(pack_message({"ready": "yes"}))
sink.flush()
job = read_message(source)
"""


def put_stuck_worker(monkeypatch: pytest.MonkeyPatch, folder: Path, deed: str = FOR_EVER) -> None:
    """Start this from now on, until the monkeypatch is undone; deed is Python."""
    (folder / "stuck_worker.py").write_text(f"{_SOURCE}{deed}\n")
    monkeypatch.setattr(foreign, "_WORKER", "stuck_worker")
    before = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [before, str(folder)])))
