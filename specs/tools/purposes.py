"""The purposes that a permission may have, as a table for whoever has no copy of DPV: ``specs/purposes.json``."""

from __future__ import annotations

import json
from pathlib import Path

from freehold_protocol.purpose import BROADER


def files(_root: Path) -> dict[str, bytes]:
    """Return the table: each purpose with those right above it."""
    table = {f"dpv:{name}": [f"dpv:{one}" for one in BROADER[name]] for name in sorted(BROADER)}
    return {"specs/purposes.json": (json.dumps(table, indent=1) + "\n").encode("ascii")}
