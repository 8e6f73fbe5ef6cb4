"""A walk over a page with the Tab key: what cannot be reached, is not seen to have the focus, or does nothing.

The walk clicks nothing: what Enter and Space would bring about is caught before the page hears of it.
"""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from browsing import NARROW
from playwright.async_api import CDPSession, JSHandle, Locator, Page

_SOURCE: Final = re.sub(r"^//.*\n", "", Path(__file__).with_suffix(".js").read_text("utf-8"))
_MOST: Final = 600
"""Stops on a page after which a walk gives up."""
_INNER: Final = 8
"""Stops that one element may have within itself, as a date has for day, month and year."""
_POINTER: Final = frozenset(
    {"click", "dblclick", "mousedown", "mouseup", "pointerdown", "pointerup", "touchstart", "touchend"}
)
_MARK: Final = "function () { this[Symbol.for('freehold.test.heard')] = true; }"
Stop = dict[str, Any]


async def by_keyboard(page: Page) -> list[str]:
    """Return what is wrong for someone who has a keyboard and no mouse; nothing, if all is well.

    Judged are elements that are shown and enabled; fold out what is to be judged before. The page's focus is lost.
    """
    await _mark_listeners(page)
    seen = await page.evaluate_handle(_SOURCE)
    found = [f"{name} is for the pointer alone" for name in await seen.evaluate("s => s.heardOnly()")]
    wanted: list[Stop] = await seen.evaluate("s => s.wanted()")
    stops, faults = await _walk(page, seen)
    await seen.evaluate("s => s.leave()")
    return found + faults + _missed(wanted, stops) + _disordered(page, stops)


async def reach(page: Page, target: Locator, *, most: int = 200) -> None:
    """Press Tab until the target has the focus.

    Raises:
        AssertionError: It never has.
    """
    for _ in range(most):
        if await target.evaluate("e => e === document.activeElement"):
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"{target} is not reached with {most} presses of Tab")


async def press(page: Page, target: Locator, key: str = "Enter") -> None:
    """Reach the target by Tab, and press a key on it."""
    await reach(page, target)
    await page.keyboard.press(key)


async def _walk(page: Page, seen: JSHandle) -> tuple[list[Stop], list[str]]:
    """Press Tab until the focus has been everywhere; return where it was, and what was wrong there."""
    stops: list[Stop] = []
    faults: list[str] = []
    outside = inner = 0
    for _ in range(_MOST):
        await page.keyboard.press("Tab")
        stop: Stop | None = await seen.evaluate("s => s.at()")
        if stop is None:
            outside += 1
            if outside > 1:
                return stops, faults
            continue
        if stops and stop["number"] == stops[-1]["number"]:
            inner += 1
            if inner > _INNER:
                kept = [f"{stop['name']} does not let the focus go"] if len(stops) > 1 else []
                return stops, faults + kept
            continue
        if any(stop["number"] == other["number"] for other in stops):
            return stops, faults
        inner = 0
        stops.append(stop)
        faults += [f"{stop['name']} {fault}" for fault in stop["faults"]]
        if stop["positive"]:
            faults.append(f"{stop['name']} has a tabindex above 0")
        faults += [
            f"{stop['name']} does nothing on {key}"
            for key in stop["keys"]
            if not await _clicks(page, seen, key)
        ]
    return stops, [*faults, f"the page has more than {_MOST} stops"]


async def _clicks(page: Page, seen: JSHandle, key: str) -> bool:
    await page.keyboard.press(key)
    return bool(await seen.evaluate("s => s.wasClicked()"))


def _missed(wanted: list[Stop], stops: list[Stop]) -> list[str]:
    """Return what Tab did not reach; of radio buttons of one name, it is to reach one."""
    reached = {stop["number"] for stop in stops}
    groups = {each["group"] for each in wanted if each["number"] in reached and each["group"]}
    return [
        f"{each['name']} is not reached by Tab"
        for each in wanted
        if each["number"] not in reached and each["group"] not in groups
    ]


def _disordered(page: Page, stops: list[Stop]) -> list[str]:
    """Return where the focus goes back up on a narrow page, on which everything stands in one column."""
    if not page.viewport_size or page.viewport_size["width"] > NARROW.width:
        return []
    return [
        f"the focus goes from {one['name']} up to {other['name']}"
        for one, other in pairwise(stop for stop in stops if not stop["floats"])
        if other["bottom"] <= one["top"]
    ]


async def _mark_listeners(page: Page) -> None:
    """Mark every element on which a script of the page listens for the pointer."""
    session = await page.context.new_cdp_session(page)
    told = await session.send("Runtime.evaluate", {"expression": "document"})
    whole = {"objectId": told["result"]["objectId"], "depth": -1}
    for listener in (await session.send("DOMDebugger.getEventListeners", whole))["listeners"]:
        if listener["type"] in _POINTER and "backendNodeId" in listener:
            await _mark(session, listener["backendNodeId"])
    await session.detach()


async def _mark(session: CDPSession, node: int) -> None:
    told = await session.send("DOM.resolveNode", {"backendNodeId": node})
    asked = {"objectId": told["object"]["objectId"], "functionDeclaration": _MARK}
    await session.send("Runtime.callFunctionOn", asked)
