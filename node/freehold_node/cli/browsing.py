"""Opening a page in the person's browser, where there is one; nothing depends on it."""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Callable

Browse = Callable[[str], None]
"""Opens an address; whether or not that works, it returns."""


def browser_of_this_computer() -> Browse | None:
    """Return what opens a page on this screen; None where there is no screen to open it on."""
    if sys.platform not in ("win32", "darwin") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return None  # else a browser of the terminal would take it over
    return _open


def _open(url: str) -> None:
    try:
        webbrowser.open(url)
    except (webbrowser.Error, OSError):
        return
