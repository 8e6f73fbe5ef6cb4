"""The browser's harness finds what it is there to find: faults planted in a small page, and none in a sound one."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from axe_core import Axe
from browsing import DARK, LOOKS, NARROW, WIDE, Visit, open_chromium, overflowing, screenshot
from by_keyboard import by_keyboard, press, reach
from node_packages import AXE
from passkeys import open_authenticator
from small_page import Stage, open_page

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Nothing is found where nothing is


async def test_a_sound_page_passes_all(stage: Stage, visit: Visit, axe: Axe) -> None:
    page = await open_page(visit, stage)
    assert await by_keyboard(page) == []
    assert await axe(page) == []
    assert await by_keyboard(page) == []  # with its details unfolded, and in another look
    assert await overflowing(page) == []
    assert stage.posted == 0


async def test_it_can_be_used_by_keyboard_and_without_scripts(stage: Stage, visit: Visit) -> None:
    stage.script = "document.title = 'A script ran'"
    for javascript, title in ((True, "A script ran"), (False, "A page")):
        page = (await visit(stage.base, javascript=javascript)).page
        await page.goto(stage.base)
        assert await page.title() == title
        await reach(page, page.get_by_label("Name"))
        await page.keyboard.type("Ada")
        await press(page, page.get_by_label("Agreed"), "Space")
        assert await page.get_by_label("Agreed").is_checked()
        async with page.expect_navigation():
            await press(page, page.get_by_role("button", name="Save"))
    assert stage.posted == 2


# Accessibility


async def test_axe_is_pinned() -> None:
    asked = json.loads((AXE / "package.json").read_text("utf-8"))["dependencies"]
    assert [name for name, version in asked.items() if re.fullmatch(r"\d+\.\d+\.\d+", version)] == [
        "axe-core"
    ]


@pytest.mark.parametrize(
    ("planted", "rule", "looks"),
    [
        ({"body": "<main><h1>A page</h1><img src='/icon'></main>"}, "image-alt", {"narrow", "wide"}),
        ({"body": "<main><h1>A page</h1><input name='x'></main>"}, "label", {"narrow", "wide"}),
        (
            {"style": "@media (prefers-color-scheme: dark) { h1 { color: #444 } }"},
            "color-contrast",
            {"narrow-dark", "dark"},
        ),
        ({"style": "@media (min-width: 60rem) { h1 { color: #ccc } }"}, "color-contrast", {"wide"}),
        ({"style": "details p { color: #999; background: #888 }"}, "color-contrast", None),
    ],
)
async def test_axe_finds_a_grave_fault(
    stage: Stage, visit: Visit, axe: Axe, planted: dict[str, str], rule: str, looks: set[str] | None
) -> None:
    for name, value in planted.items():
        setattr(stage, name, value)
    found = await axe(await open_page(visit, stage), looks=LOOKS)
    assert {each.rule for each in found} == {rule}
    assert looks is None or {each.look for each in found} == looks


# Trouble in the browser


@pytest.mark.parametrize(
    ("body", "script", "trouble"),
    [
        ("<h1 style='color: red'>Loud</h1>", "", "console error: .*Content Security Policy"),
        ("<script>document.title = 'x'</script>", "", "console error: .*Content Security Policy"),
        (
            "<button onclick='x()'>Buy</button>",
            "document.querySelector('button').click()",
            "Content Security",
        ),
        ("<img alt='' src='http://127.0.0.1:9/x'>", "", "Content Security Policy"),
        ("<img alt='' src='/status/404'>", "", r"console error: .*404 .*/status/404"),
        ("<img alt='' src='/status/500'>", "", r"answered 500: GET http://localhost:\d+/status/500"),
        ("", "console.warn('careful')", "console warning: careful"),
        ("", "undefined.x", "script error: .*undefined"),
        ("", "alert('smuggled in')", "dialog: alert smuggled in"),
        ("", "location = 'http://elsewhere.example/'", "request to another machine: GET http://elsewhere"),
    ],
)
async def test_trouble_fails_the_test(
    stage: Stage, visit: Visit, body: str, script: str, trouble: str
) -> None:
    stage.body, stage.script = body, script
    visitor = await visit(stage.base)
    await visitor.go("/")
    for _ in range(100):  # a navigation by script begins after the page has loaded
        if visitor.trouble:
            break
        await asyncio.sleep(0.02)
    with pytest.raises(AssertionError, match=re.compile(f"in the browser:.*{trouble}", re.DOTALL)):
        await visitor.check()
    visitor.allow("")


async def test_what_a_test_brings_about_may_be_allowed(stage: Stage, visit: Visit) -> None:
    visitor = await visit(stage.base)
    visitor.allow("status of 403")
    assert (await visitor.go("/status/403")).status == 403
    await visitor.check()


# Pictures


async def test_pictures_are_taken_narrow_wide_and_dark(
    stage: Stage, visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FREEHOLD_SCREENSHOTS", str(tmp_path / "new"))
    page = await open_page(visit, stage)
    taken = await screenshot(page, "page")
    assert [path.name for path in taken] == ["page.narrow.png", "page.wide.png", "page.dark.png"]
    sizes = [int.from_bytes(path.read_bytes()[16:20]) for path in taken]
    assert sizes == [NARROW.width, WIDE.width, DARK.width]
    assert len({path.read_bytes() for path in taken}) == 3
    assert page.viewport_size == {"width": NARROW.width, "height": NARROW.height}


async def test_what_makes_a_page_scroll_sideways_is_named(stage: Stage, visit: Visit) -> None:
    stage.body = "<p class='wide'>Wide</p>"
    stage.style = ".wide { width: 500px }"
    assert "p.wide" in await overflowing(await open_page(visit, stage))


# Passkeys

REGISTER = """async () => {
    const bytes = n => new Uint8Array(n);
    const made = await navigator.credentials.create({publicKey: {
        rp: {name: 'A page'}, user: {id: bytes(16), name: 'ada', displayName: 'Ada'}, challenge: bytes(32),
        pubKeyCredParams: [-7, -257].map(alg => ({type: 'public-key', alg})),
        authenticatorSelection: {residentKey: 'required', userVerification: 'required'},
    }});
    return made.id;
}"""
SIGN_IN = """async () => {
    const asked = {publicKey: {challenge: new Uint8Array(32), userVerification: 'required'}};
    try { return (await navigator.credentials.get(asked)).id; } catch (error) { return error.name; }
}"""


async def test_a_passkey_is_made_used_and_lost(stage: Stage, visit: Visit) -> None:
    page = await open_page(visit, stage)
    async with open_authenticator(page) as device:
        made = await page.evaluate(REGISTER)
        assert await page.evaluate(SIGN_IN) == made
        assert [each["rpId"] for each in await device.credentials()] == ["localhost"]
        await device.recognise(False)
        assert await page.evaluate(SIGN_IN) == "NotAllowedError"
        await device.recognise(True)
        await device.forget()
        assert await page.evaluate(SIGN_IN) == "NotAllowedError"


# The browser itself


def children() -> set[str]:
    """The processes below this one, by their numbers."""
    seen: dict[str, str] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            name = stat.parent.name
            seen[name] = stat.read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue  # it ended meanwhile
    below = {str(os.getpid())}
    while more := {name for name, parent in seen.items() if parent in below} - below:
        below |= more
    return below


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are listed in /proc")
async def test_no_process_is_left_behind(chromium: str) -> None:
    before = children()
    async with open_chromium() as browser:
        await browser.new_page()
        started = children() - before
        assert len(started) > 2
    for _ in range(100):  # the kernel takes a moment to bury them
        if not started & children():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"still there: {started & children()}")


INNER = """
def test_inner(chromium):
    assert chromium
"""


@pytest.mark.parametrize(("required", "outcome"), [("", "1 skipped"), ("1", "1 error")])
async def test_without_chromium_the_tests_are_skipped_or_fail_as_asked(
    tmp_path: Path, required: str, outcome: str
) -> None:
    (tmp_path / "conftest.py").write_text(Path(__file__).with_name("conftest.py").read_text("utf-8"))
    (tmp_path / "test_inner.py").write_text(INNER)
    environment = os.environ | {
        "FREEHOLD_CHROMIUM": str(tmp_path / "none"),
        "FREEHOLD_REQUIRE_CHROMIUM": required,
        "PYTEST_ADDOPTS": "",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_CURRENT_TEST"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-n0", "-p", "no:cacheprovider", "-c", os.devnull]
    ran = await asyncio.to_thread(
        subprocess.run,
        [*command, "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert outcome in ran.stdout.splitlines()[-1], ran.stdout
    assert "FREEHOLD_CHROMIUM names" in ran.stdout
