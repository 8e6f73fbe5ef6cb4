"""What README.md says to do can be done as it stands there."""

from __future__ import annotations

import asyncio
import re
import shlex
import sys
from pathlib import Path

import pytest
from freehold_node.cli.entry import run
from freehold_node.cli.terminal import Terminal
from harness import ADA, open_house, permission

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL)
COMMANDS = [
    line.partition("#")[0].strip()
    for language, block in BLOCKS
    for line in block.splitlines()
    if not language and line.startswith("freehold ")
]

GROUPS = {"requests", "records", "grants", "clock", "origins"}
"""Commands that have commands of their own."""


@pytest.mark.parametrize("line", COMMANDS)
def test_each_command_and_option_exists(
    line: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    _, first, *words = shlex.split(line)
    below = [word for word in words[:1] if first in GROUPS and word.isalpha()]
    assert run([first, *below, "--help"], Terminal.of_this_process()) == 0
    told = capsys.readouterr().out
    for option in (word for word in words if word.startswith("--")):
        assert option in told, line


def test_the_block_of_commands_was_found() -> None:
    assert len(COMMANDS) > 10


@pytest.mark.asyncio
async def test_the_vendor_of_the_readme_reads_a_node(tmp_path: Path) -> None:
    source, _ = [block for language, block in BLOCKS if language == "python"]
    async with open_house(tmp_path / "node", real_time=True) as house:
        await house.import_file(ADA, me="Ada Example")
        invitation = (await house.own("POST", "/invitations", {"label": "a shop"}))["url"]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", source,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        reading = asyncio.create_task(process.communicate(f"{invitation}\n".encode()))
        asked: list[dict[str, str]] = []
        async with asyncio.timeout(60):
            while not asked and not reading.done():
                asked = (await house.own("GET", "/requests?status=waiting"))["requests"]
                await asyncio.sleep(0.05)
            assert asked, (await reading)[1].decode()
            await house.approve(
                f"/requests/{asked[0]['id']}", [permission("delivery", ["name", "address.postalCode"])]
            )
            out, errors = await reading
    assert process.returncode == 0, errors.decode()
    assert f"Their screen shows {asked[0]['code']}" in out.decode()
    assert "Ada Example" in out.decode()


def test_the_pretended_person_of_the_readme(capsys: pytest.CaptureFixture[str]) -> None:
    _, source = [block for language, block in BLOCKS if language == "python"]
    exec(compile(source, "README.md", "exec"), {})
    told = capsys.readouterr().out
    assert "ada@example.com" in told
    assert "Ada Example" not in told


def test_each_link_leads_somewhere() -> None:
    for page in (ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "specs").rglob("*.md"))):
        for link in re.findall(r"\]\((?!https?:)([^)#\s]+)", page.read_text("utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
