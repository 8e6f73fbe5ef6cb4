"""The accessibility check axe-core, installed from the npm registry for the tests and run on a page as it stands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from browsing import LOOKS, Look, take_look
from node_packages import AXE
from playwright.async_api import Page

GRAVE: Final = frozenset({"serious", "critical"})
_COLOURS: Final = ("color-contrast", "link-in-text-block")
"""The rules that a darker page of the same width may break anew."""
_UNFOLD: Final = """() => {
    const closed = [...document.querySelectorAll('details:not([open])')];
    for (const details of closed) details.open = true;
    return closed.length;
}"""


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule of axe-core that a page breaks in one look, and the first places where it does."""

    rule: str
    impact: str
    look: str
    says: str
    places: tuple[str, ...]


Axe = Callable[..., Awaitable[list[Violation]]]
"""What the fixture ``axe`` gives: the function of that name, once axe-core is installed."""


@cache
def _source() -> str:
    return (AXE / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


async def axe(page: Page, looks: Sequence[Look] = LOOKS) -> list[Violation]:
    """Return the violations of serious or critical impact, in each look, with all details unfolded.

    They stay unfolded. The context must run JavaScript, and ``AXE`` be installed: see the fixture of this name.
    """
    await page.evaluate(_UNFOLD)
    await page.evaluate(_source())
    found: list[Violation] = []
    widths: set[int] = set()
    for look in looks:
        await take_look(page, look)
        options: dict[str, Any] = {"resultTypes": ["violations"]}
        if look.width in widths:
            options["runOnly"] = {"type": "rule", "values": _COLOURS}
        widths.add(look.width)
        ran = await page.evaluate("options => axe.run(document, options)", options)
        found += [_violation(each, look) for each in ran["violations"] if each["impact"] in GRAVE]
    return found


def _violation(told: dict[str, Any], look: Look) -> Violation:
    places = tuple(f"{node['target']}: {node['html'][:120]}" for node in told["nodes"][:5])
    return Violation(rule=told["id"], impact=told["impact"], look=look.name, says=told["help"], places=places)
