"""The JSON Schemas: ``specs/schemas``, one file for each message, and one with the forms of single values."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

from answers import ANSWERS
from chains import CHAINS
from documents import DOCUMENTS
from forms import BASE, DIALECT, Schema, common
from owners import owners

FOLDERS = ("specs/schemas",)


_OPEN: Final = (
    "What a node of this release sends. The answer is not signed: a client passes over other members, types of "
    "statements and codes (VER-3 to VER-5)."
)
_EXACT: Final = frozenset({"ledger-inclusion", "owner-link", "shown-vendor", "event"})
"""What stands among the answers and is exact, or is part of one."""


def _answered(name: str, schema: Schema) -> Schema:
    return schema if name in _EXACT else {"$comment": _OPEN, **schema}


def _described(make: Callable[[], Schema]) -> Schema:
    said = (make.__doc__ or "").removeprefix("Return ")
    return {"description": said[:1].upper() + said[1:], **make()}


def schemas() -> dict[str, Schema]:
    """Return every schema by its name, each whole: with its dialect and its id."""
    parts = {
        "common": {"description": "Forms of single values.", "$defs": common()},
        **{name: _described(make) for name, make in {**DOCUMENTS, **CHAINS}.items()},
        **{name: _answered(name, _described(make)) for name, make in ANSWERS.items()},
        **owners(),
    }
    return {
        name: {
            "$schema": DIALECT,
            "$id": f"{BASE}{name}.schema.json",
            "title": name.replace("-", " "),
            **schema,
        }
        for name, schema in parts.items()
    }


def files(_root: Path) -> dict[str, bytes]:
    """Return the file of each schema."""
    return {
        f"specs/schemas/{name}.schema.json": (json.dumps(schema, indent=1, ensure_ascii=True) + "\n").encode()
        for name, schema in schemas().items()
    }
