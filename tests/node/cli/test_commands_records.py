from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from harness import ADA, House
from shell import Beside, Shell
from shop import EVE, about_me

BEN = (
    b"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:ben-1\r\nFN:Ben [bold]Sample[/bold]\r\n"
    b"EMAIL:ben@example.org\r\nX-ODD:1\r\nEND:VCARD\r\n"
)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "book.vcf"
    path.write_bytes(ADA + BEN)
    return path


@pytest.fixture
def ada(shell: Shell, book: Path) -> str:
    """The id of Ada's record, who is the person."""
    identifier: str = shell.ok("import", book, "--me", "1", "--yes")["self"]["id"]
    return identifier.removeprefix("urn:uuid:")


def content(shell: Shell, record: str) -> Any:
    return shell.ok("records", "show", record)["content"]


def test_a_preview_says_what_is_found_and_left_out_and_imports_nothing(shell: Shell, book: Path) -> None:
    ran = shell("import", book, "--preview")
    assert ran.code == 0
    assert "2 cards found (vCard)" in ran.out
    assert "Ben [bold]Sample[/bold]" in ran.out  # what a card says is never markup
    assert "Left out: 1 part" in ran.out
    assert "X-ODD" in ran.out
    assert shell.ok("import", book, "--preview")["found"][0]["label"] == "Ada Example"
    assert shell.ok("records")["records"] == []


@pytest.mark.parametrize("me", ["ada@example.com", "ADA EXAMPLE", "1"])
def test_imports_and_knows_the_person(shell: Shell, book: Path, me: str) -> None:
    told = shell.ok("import", book, "--me", me, "--yes")
    assert (told["added"], told["changed"], told["same"]) == (2, 0, 0)
    assert told["self"]["label"] == "Ada Example"
    again = shell.ok("import", book, "--yes")  # the person is known by now
    assert (again["added"], again["changed"], again["same"]) == (0, 0, 2)


def test_puts_the_persons_card_into_the_record_there_is_unless_told_to_switch(
    shell: Shell, book: Path
) -> None:
    own = shell.ok("records", "add", "--type", "Person", "name=Ada E.")["id"]
    shell.ok("records", "self", own)
    ran = shell("import", book, "--me", "ada@example.com", answers=["no"])
    assert "nothing in it is overwritten" in ran.out
    assert "This is added to it: " in ran.out
    assert "This stays as it is: name." in ran.out
    assert len(shell.ok("records")["records"]) == 1
    ran = shell("import", book, "--me", "ada@example.com", "--yes")
    assert "Added to it: " in ran.out
    assert "You are Ada E." in ran.out
    assert shell("import", book, "--switch", "--yes").code == 2
    told = shell.ok("import", book, "--me", "ada@example.com", "--switch", "--yes")
    assert (told["added"], told["self"]["label"]) == (1, "Ada Example")
    assert "fills" not in told
    assert len(shell.ok("records")["records"]) == 3


def test_says_what_to_do_where_nobody_can_be_asked_who_they_are(shell: Shell, book: Path) -> None:
    ran = shell("import", book, "--yes")
    assert ran.code == 2
    assert "--me" in ran.err
    assert shell.ok("records")["records"] == []
    told = shell.ok("import", book, "--me", "none", "--yes")
    assert (told["added"], told["self"]) == (2, None)


def test_asks_who_the_person_is_and_whether_to_import(shell: Shell, book: Path) -> None:
    assert shell("import", book, answers=["ben@example.org", "no"]).code == 1
    assert shell("import", book, answers=["nobody of that name", "y"]).code == 1
    assert shell.ok("records")["records"] == []
    ran = shell("import", book, answers=["ben@example.org", "y"])
    assert ran.code == 0
    assert "You are Ben" in ran.out
    assert len(shell.asked) == 6
    assert shell("import", book, answers=["y"]).code == 0  # the person is known


def test_an_empty_answer_is_nobody(shell: Shell, book: Path) -> None:
    assert shell("import", book, answers=["", "y"]).code == 0
    assert shell.ok("status")["self"] is None


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_never_imports_without_a_yes(shell: Shell, book: Path, options: list[str]) -> None:
    ran = shell("import", book, "--me", "1", *options)
    assert ran.code == 2
    assert "--yes" in ran.err
    assert shell.ok("records")["records"] == []


@pytest.mark.parametrize(("data", "code"), [(b"", 1), (b"a,b\n1,2\n", 1), (b"BEGIN:VCARD\r\n", 1)])
def test_a_file_that_holds_nothing_is_refused(shell: Shell, tmp_path: Path, data: bytes, code: int) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(data)
    assert shell("import", path, "--me", "1", "--yes").code == code
    assert shell("import", tmp_path / "nowhere.vcf").code == 2
    assert shell("import", tmp_path).code == 2


def test_lists_and_shows(shell: Shell, ada: str) -> None:
    listed = shell("records").out
    assert "Ada Example (you)" in listed
    assert ada[:8] in listed
    shown = shell("records", "show", ada[:8]).out
    assert "address.postalCode" in shown
    assert "EX1 2AB" in shown
    raw = json.loads(shell("records", "show", ada, "--raw").out)
    assert raw["proof"]["cryptosuite"] == "eddsa-jcs-2022"
    assert shell.ok("records", "show", ada, "--raw")["record"] == raw


def test_every_path_that_is_shown_can_be_set(shell: Shell, ada: str) -> None:
    shell.ok("records", "set", ada, "email.2=second@example.com", "address.2.postalCode=EX9 9ZZ")
    grid = shell("records", "show", ada).out.partition("\n\n")[2]
    paths = [line.split()[0] for line in grid.splitlines()]
    assert {"email.1", "email.2", "address.2.postalCode"} <= set(paths)
    for path in paths:
        shell.ok("records", "set", ada, f"{path}=2000-01-01")
    grid = shell("records", "show", ada).out.partition("\n\n")[2]
    assert {line.split()[1] for line in grid.splitlines()} == {"2000-01-01"}


def test_sets_adds_deletes_and_chooses(shell: Shell, ada: str) -> None:
    shell.ok("records", "set", ada, "name=Ada Lovelace", "birthDate=")
    assert content(shell, ada)["name"] == "Ada Lovelace"
    assert "birthDate" not in content(shell, ada)
    made = shell.ok("records", "add", "name=Corner Shop", "--type", "Organization")["id"]
    short = made.removeprefix("urn:uuid:")[:8]
    assert content(shell, short) == {"type": "Organization", "name": "Corner Shop"}
    assert shell.ok("records", "self", short)["self"]["label"] == "Corner Shop"
    assert shell("records", "delete", short).code == 2
    assert shell("records", "delete", short, answers=["n"]).code == 1
    assert shell("records", "delete", short, answers=["yes"]).code == 0
    assert shell.ok("status")["self"] is None


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["show", "00000000-0000-4000-8000-000000000000"], 1),
        (["show", "zzz"], 1),
        (["show", ""], 1),
        (["show", "../status"], 1),
        (["show", "a/../../status?x=1\r\n"], 1),
        (["delete", "zzz", "--yes"], 1),
        (["self", "zzz"], 1),
        (["set", "zzz", "name=x"], 1),
        (["set"], 2),
        (["add"], 2),
        (["add", "name"], 2),
        (["add", "nosuchterm=1"], 1),
        (["add", "name=x", "--type", "NoSuchType"], 1),
    ],
)
def test_refuses(shell: Shell, arguments: list[str], code: int) -> None:
    shell.ok("records", "add", "name=x")
    ran = shell("records", *arguments, "--json")
    assert (ran.code, ran.out) == (code, "")
    assert ran.error["detail"]


@pytest.mark.asyncio
async def test_an_abbreviation_that_two_share_is_no_name(house: House, beside: Beside) -> None:
    made = [
        await house.own("POST", "/records", {"content": {"type": "Person", "name": "x"}}) for _ in range(17)
    ]
    first = [one["id"].removeprefix("urn:uuid:")[0] for one in made]
    shared = next(one for one in first if first.count(one) > 1)
    ran = await beside("records", "show", shared)
    assert ran.code == 2
    assert "write more of the id" in ran.err


EVIL = "Eve \x1b[2J\u202e[red]x"


def test_a_name_is_only_text_wherever_it_is_said(shell: Shell) -> None:
    record = shell.ok("records", "add", f"name={EVIL}")["id"]
    commands = (["records"], ["records", "show", record], ["status"], ["records", "self", record])
    said = [shell(*command) for command in commands]
    said.append(shell("records", "delete", record, answers=["y"]))
    for text in [*shell.asked, *(ran.out + ran.err for ran in said)]:
        assert "\x1b" not in text
        assert "\u202e" not in text


@pytest.mark.requirement("HTTP-44")
@pytest.mark.asyncio
async def test_another_person_under_a_live_grant_takes_the_passphrase(
    house: House, beside: Beside, tmp_path: Path
) -> None:
    """By ``records self`` and by ``import --me`` alike; and it is said who reads what by it."""
    await house.import_file(ADA, me="Ada Example")
    await house.relate([about_me("name", "email")], name="Lamp Shop")
    file = tmp_path / "eve.vcf"
    file.write_bytes(EVE)
    refused = await beside("import", file, "--me", "Eve Other", "--switch", "--yes", passphrase=None)
    assert (refused.code, "passphrase" in refused.err) == (4, True)
    assert (await house.own("GET", "/records/types"))["count"] == 1
    await beside.ok("import", file, "--me", "none", "--yes", passphrase=None)
    eve = (await house.own("GET", "/records?q=eve"))["records"][0]["id"].removeprefix("urn:uuid:")
    refused = await beside("records", "self", eve, passphrase="not it")
    assert (refused.code, "Lamp Shop (name, email)" in refused.out) == (4, True)
    assert (await house.own("GET", "/status"))["self"]["label"] == "Ada Example"
    await beside.ok("records", "self", eve)
    assert (await house.own("GET", "/status"))["self"]["label"] == "Eve Other"
    file.write_bytes(ADA)
    told = await beside.ok("import", file, "--me", "1", "--switch", "--yes")
    assert told["self"]["label"] == "Ada Example"
