"""Publish the hand-written contexts: ``specs/contexts`` holds copies of those that the software brings along."""

from __future__ import annotations

from pathlib import Path

FOLDERS = ("specs/contexts",)
_SOURCE = "protocol/freehold_protocol/contexts"


def files(root: Path) -> dict[str, bytes]:
    """Return a copy of each."""
    found = sorted((root / _SOURCE).glob("*.jsonld"))
    return {f"specs/contexts/{path.name}": path.read_bytes() for path in found}
