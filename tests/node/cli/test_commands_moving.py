"""``rotate`` and ``origins``: what is shown, what is asked, what a vendor is handed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from freehold_protocol.moved import Moved, verify_moved
from freehold_protocol.receipt import Receipt
from harness import PASSPHRASE, Held, House
from shell import Beside, Shell

pytestmark = pytest.mark.asyncio


async def test_rotates_after_a_question(beside: Beside, held: Held) -> None:
    ran = await beside("rotate", held.grant[:8], answers=["y"])
    assert ran.code == 0, ran
    for text in (
        "New keys for the relationship with Corner Shop",
        "decides",
        "serves",
        "The keys are changed.",
    ):
        assert text in ran.out
    shown = await beside.ok("grants", "show", held.grant)
    assert shown["version"] == 2
    assert (await held.get("/delivery/records")).code == "revoked"
    assert "you changed the keys" in (await beside("ledger", held.grant)).out
    assert (await beside("verify")).code == 0


async def test_rotates_without_one_for_programs(beside: Beside, held: Held) -> None:
    assert (await beside("rotate", held.grant, "--json")).code == 2
    done = await beside.ok("rotate", held.grant, "--yes")
    assert (done["version"], done["state"]) == (2, "live")
    assert done["draft"]["assigner"].startswith("did:key:")


@pytest.mark.parametrize(
    ("answers", "passphrase", "code"), [(["n"], PASSPHRASE, 1), (["y"], "wrong", 4), (["y"], None, 4)]
)
async def test_does_not_rotate(
    beside: Beside, held: Held, answers: list[str], passphrase: str | None, code: int
) -> None:
    ran = await beside("rotate", held.grant, answers=answers, passphrase=passphrase)
    assert ran.code == code
    assert (await beside.ok("grants", "show", held.grant, passphrase=None))["version"] == 1
    await beside("end", held.grant, "--yes")
    assert (await beside("rotate", held.grant, "--yes")).code == 1


async def test_a_ledger_exported_across_a_change_of_keys_verifies(
    beside: Beside, held: Held, tmp_path: Path
) -> None:
    await beside.ok("ledger", held.grant, "--export", tmp_path / "before.json")
    await beside.ok("rotate", held.grant, "--yes")
    await beside.ok("ledger", held.grant, "--export", tmp_path / "after.json")
    told = await beside.ok("verify", tmp_path / "after.json", "--checkpoint", tmp_path / "before.json")
    assert (told["status"], told["receipt"]) == ("intact", True)
    assert "the grant names, by the receipt in it" in (await beside("verify", tmp_path / "after.json")).out
    bundle = json.loads((tmp_path / "after.json").read_text())
    del bundle["receipt"]
    (tmp_path / "bare.json").write_text(json.dumps(bundle))
    assert "compare it with your receipt" in (await beside("verify", tmp_path / "bare.json")).out
    ran = await beside("verify", tmp_path / "bare.json", "--checkpoint", tmp_path / "before.json")
    assert ran.code == 1


async def test_lists_where_grants_are_reached(beside: Beside, held: Held, house: House) -> None:
    shown = (await beside("origins")).out
    assert f"This node is reached at {house.base}\n" in shown
    assert held.grant[:8] in shown
    assert f"Without {house.base}, cut off: Corner Shop." in shown
    await beside.ok("origins", "add", "https://ada.example", "--yes")
    shown = (await beside("origins")).out
    assert f"{house.base}, https://ada.example" in shown
    house.node.origins._own = ("https://elsewhere.example",)
    shown = (await beside("origins")).out
    assert "cut off" in shown
    assert "freehold origins add" in shown
    await beside("end", held.grant, "--yes")
    assert "nobody reads anything anywhere" in (await beside("origins")).out


async def test_adds_an_address_after_a_question(beside: Beside, held: Held) -> None:
    ran = await beside("origins", "add", "https://ada.example", answers=["y"])
    assert ran.code == 0, ran
    assert "Stated for 1 grant: reached at https://ada.example too." in ran.out
    assert beside.shell.asked == [
        "State that all of your grants can be reached at https://ada.example too? It cannot be taken back. [y/N] "
    ]
    ran = await beside("origins", "add", "https://ada.example", "--yes")
    assert "Stated for 0 grants" in ran.out
    assert "1 grant had this address already." in ran.out
    assert "you added an address" in (await beside("ledger", held.grant)).out


@pytest.mark.parametrize(
    ("arguments", "answers", "passphrase", "code"),
    [
        (["https://ada.example"], ["n"], PASSPHRASE, 1),
        (["https://ada.example"], None, PASSPHRASE, 2),
        (["https://ada.example", "--json"], ["y"], PASSPHRASE, 2),
        (["https://ada.example", "--yes"], None, "wrong", 4),
        (["https://ada.example", "--yes"], None, None, 4),
        (["http://ada.example", "--yes"], None, PASSPHRASE, 1),
        (["ada.example", "--yes"], None, PASSPHRASE, 1),
        (["https://ada.example", "--yes", "--grant", "zzz"], None, PASSPHRASE, 1),
        ([], None, PASSPHRASE, 2),
    ],
)
async def test_adds_nothing(
    beside: Beside,
    held: Held,
    arguments: list[str],
    answers: list[str] | None,
    passphrase: str | None,
    code: int,
) -> None:
    ran = await beside("origins", "add", *arguments, answers=answers, passphrase=passphrase)
    assert ran.code == code, ran
    assert (await beside.ok("origins"))["grants"][0]["moved"] == []


async def test_adds_it_to_some_only(beside: Beside, held: Held, house: House) -> None:
    other = await house.relate(
        [{**(await house.own("GET", f"/grants/{held.grant}"))["permissions"][0]}], name="Other Shop"
    )
    done = await beside.ok("origins", "add", "https://ada.example", "--grant", other.grant[:8], "--yes")
    assert done["added"] == [other.grant]
    assert {one["grant"]: one["moved"] for one in (await beside.ok("origins"))["grants"]} == {
        other.grant: ["https://ada.example"], held.grant: [],
    }  # fmt: skip


async def test_writes_what_a_vendor_is_handed(beside: Beside, held: Held, tmp_path: Path) -> None:
    await beside.ok("origins", "add", "https://ada.example", "--yes")
    file = tmp_path / "for-the-shop.json"
    ran = await beside("origins", "export", held.grant[:8], file)
    assert "hand it to Corner Shop" in ran.out
    assert file.stat().st_mode & 0o777 == 0o600
    handed = json.loads(file.read_text())
    grant = Receipt.from_dict(handed["receipt"]).verify()
    [statement] = handed["statements"]
    verify_moved(Moved.from_dict(statement), grant=grant)
    for place, code in ((file, 1), (tmp_path / "none" / "file", 2)):
        assert (await beside("origins", "export", held.grant, place)).code == code
    assert json.loads(file.read_text()) == handed


async def test_works_where_no_node_runs(shell: Shell) -> None:
    assert shell.ok("origins")["grants"] == []
    assert shell.ok("origins", "add", "https://ada.example", "--yes")["added"] == []
