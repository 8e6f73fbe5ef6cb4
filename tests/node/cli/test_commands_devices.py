"""``devices`` and ``recovery-sheet``: where the person is signed in, beside a node that runs and without one."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from browse import open_browser
from freehold_node.keystore import check_passphrase, open_keystore
from freehold_node.recovery_sheet import code_to_seed
from harness import PASSPHRASE, House
from shell import Beside, Shell
from software_key import SoftwareKey


@pytest.mark.asyncio
async def test_lists_and_ends_sessions(beside: Beside, house: House) -> None:
    assert "Nobody is signed in." in (await beside("devices")).out
    async with open_browser(house) as browser, open_browser(house) as other:
        await browser.sign_in()
        await other.sign_in()
        listed = await beside.ok("devices")
        ids = [one["id"] for one in listed["sessions"]]
        assert len(ids) == 2
        shown = (await beside("devices")).out
        assert all(one[:8] in shown for one in ids)
        assert "There is no passkey." in shown
        assert await beside.ok("devices", "sign-out", ids[0][:8]) == {"ended": 1, "session": ids[0]}
        assert (await beside("devices", "sign-out", ids[0])).code == 1
        for arguments in ((), (ids[1], "--everywhere")):
            assert (await beside("devices", "sign-out", *arguments)).code == 2
        assert await beside.ok("devices", "sign-out", "--everywhere") == {"ended": 1}
        assert (await browser.get("/my/settings")).form("/my/enter")


@pytest.mark.asyncio
async def test_forgets_a_passkey(beside: Beside, house: House) -> None:
    origin = f"http://localhost:{house.node.config.port}"
    begun = await house.node.passkeys.begin_adding(origin, "a session")
    answer = SoftwareKey(origin).make(begun.options)
    await house.node.passkeys.add(origin, "a session", begun.ticket, answer, name="My phone")
    (told,) = (await beside.ok("devices"))["passkeys"]
    assert (told["name"], told["host"], "used" in told) == ("My phone", "localhost", False)
    assert "My phone" in (await beside("devices")).out
    ran = await beside("devices", "forget-passkey", told["id"][:8])
    assert (ran.code, "My phone opens nothing any more" in ran.out) == (0, True)
    assert (await beside.ok("devices"))["passkeys"] == []
    assert (await beside("devices", "forget-passkey", told["id"])).code == 1


@pytest.mark.requirement("SHEET-8")
@pytest.mark.asyncio
async def test_prints_the_sheet_again_beside_a_node(beside: Beside, house: House, tmp_path: Path) -> None:
    assert (await beside("recovery-sheet", passphrase="wrong")).code == 4
    file = tmp_path / "sheet.txt"
    assert await beside.ok("recovery-sheet", "--sheet", file) == {"sheet": str(file)}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    page = file.read_text()
    assert "Printed again: " in page
    lines = [line for line in page.splitlines() if line.strip().startswith("line ")]
    assert code_to_seed("\n".join(lines)) == open_keystore(house.node.config.data_dir, PASSPHRASE).seed
    assert (await beside("recovery-sheet", "--sheet", file)).code == 1
    assert (await beside("recovery-sheet")).out.strip() == page.strip()


def test_prints_the_sheet_again_without_a_node_that_runs(shell: Shell) -> None:
    page = shell.ok("recovery-sheet")["recoverySheet"]
    lines = [line for line in page.splitlines() if line.strip().startswith("line ")]
    assert code_to_seed("\n".join(lines)) == open_keystore(shell.folder, PASSPHRASE).seed
    assert shell("recovery-sheet", passphrase="wrong").code == 4


@pytest.mark.asyncio
async def test_changes_the_passphrase_of_a_node_that_runs(
    beside: Beside, house: House, tmp_path: Path
) -> None:
    file = tmp_path / "new"
    file.write_text("another\n")
    file.chmod(0o600)
    async with open_browser(house) as browser:
        await browser.sign_in()
        done = await beside.ok("change-passphrase", "--new-passphrase-file", file)
        assert done == {"changed": True, "ended": 1}
        assert (await browser.get("/my/settings")).form("/my/enter")
        assert (await browser.post("/my/enter", {"passphrase": PASSPHRASE})).status == 403
        assert (await browser.post("/my/enter", {"passphrase": "another"})).status == 200
    check_passphrase(house.node.config.data_dir, "another")
