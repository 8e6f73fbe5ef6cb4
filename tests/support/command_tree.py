"""Every command of ``freehold``, found by asking typer: path to its options and arguments."""

from __future__ import annotations

from typing import Any

import typer
from freehold_node.cli.entry import app

Path = tuple[str, ...]


def _walk(command: Any, path: Path) -> dict[Path, list[str]]:
    names = [
        name
        if kind.param_type_name == "option"
        else str(kind.metavar or kind.human_readable_name).strip("[]")
        for kind in command.params
        for name in (kind.opts if kind.param_type_name == "option" else [""])
    ]
    found = {path: names}
    for name, below in getattr(command, "commands", {}).items():
        found |= _walk(below, (*path, name))
    return found


COMMANDS = _walk(typer.main.get_command(app), ())
"""Path to options (``--json``) and arguments (``GRANT``); the empty path is ``freehold`` itself."""
