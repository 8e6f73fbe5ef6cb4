from __future__ import annotations

from typing import Any

import pytest
from ears import listening
from harness import PASSPHRASE, Held, House, permission
from shell import COURIER, Beside

pytestmark = pytest.mark.asyncio
ALL = ["name", "address.streetAddress", "address.postalCode"]


def given(draft: dict[str, Any]) -> dict[str, list[str]]:
    return {one["name"]: one["items"][0]["fields"] for one in draft["permission"]}


async def test_lists_and_shows(beside: Beside, held: Held) -> None:
    listed = (await beside("grants")).out
    assert held.grant[:8] in listed
    assert "never" in listed
    await held.contents("delivery")
    assert "never" not in (await beside("grants")).out
    shown = (await beside("grants", "show", held.grant[:8])).out
    for text in ("Corner Shop", "live, version 1", "Ada Example", "passed on to  key z6MkhaXg", "last read"):
        assert text in shown
    raw = await beside("grants", "show", held.grant, "--raw")
    assert '"AccessGrant"' in raw.out
    assert (await beside("grants", "show", "zzz")).code == 1


async def test_shows_how_many_listen(beside: Beside, held: Held) -> None:
    assert "listening" not in (await beside("grants", "show", held.grant)).out
    async with listening(held) as ear:
        await ear.told("ready")
        assert "1 open stream" in (await beside("grants", "show", held.grant)).out


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (["--drop", "marketing"], {"delivery": ALL}),
        (["--drop", "delivery.address.postalCode", "--drop", "marketing.email"],
         {"delivery": ALL[:2], "marketing": ["birthDate"]}),
        (["--keep", "delivery=name,address"], {"delivery": ALL}),
        (["--keep", "delivery=name", "--keep", "marketing"],
         {"delivery": ["name"], "marketing": ["email", "birthDate"]}),
    ],
)  # fmt: skip
async def test_narrows_from_the_next_read_on(
    beside: Beside, held: Held, options: list[str], left: dict[str, list[str]]
) -> None:
    done = await beside.ok("narrow", held.grant[:8], *options, passphrase=None)
    assert given(done["draft"]) == left
    assert (done["version"], done["state"]) == (2, "live")
    for name in ("delivery", "marketing"):
        reply = await held.get(f"/{name}/records")
        assert reply.status == (200 if name in left else 403)


async def test_says_what_is_left_and_what_is_gone(beside: Beside, held: Held) -> None:
    ran = await beside("narrow", held.grant, "--drop", "delivery.address.postalCode")
    assert "delivery: name, address.streetAddress\n" in ran.out
    assert "No longer:\n  -  delivery: address.postalCode" in ran.out


async def test_ends_it_earlier(beside: Beside, held: Held) -> None:
    before = (await beside.ok("grants"))["grants"][0]["expires"]
    done = await beside.ok("narrow", held.grant, "--expires", before[:10])
    assert done["draft"]["expires"] == before  # that day ends with the grant
    assert (await beside("narrow", held.grant, "--expires", "2199-01-01")).code == 1


@pytest.mark.parametrize(
    ("command", "options", "code"),
    [
        ("narrow", [], 2),
        ("narrow", ["--drop", "marketing", "--keep", "delivery"], 2),
        ("narrow", ["--drop", "nope"], 2),
        ("narrow", ["--drop", "delivery", "--drop", "marketing"], 2),
        ("narrow", ["--keep", "delivery=email"], 2),
        ("widen", ["--yes"], 2),
        ("widen", ["--yes", "--give", "nope"], 2),
        ("widen", ["--yes", "--give", "delivery"], 1),  # given already
        ("widen", ["--yes", "--expires", "2199-01-01"], 1),
        ("resume", ["--yes"], 1),
        ("end", [], 2),
        ("end", ["--json"], 2),
        ("revoke", ["--partner", "z6MkNobody"], 1),
        ("revoke", ["--partner", ""], 1),
        ("revoke", ["--partner", "did:nope"], 1),
        ("revoke", [], 2),
    ],
)
async def test_changes_nothing_otherwise(
    beside: Beside, held: Held, command: str, options: list[str], code: int
) -> None:
    ran = await beside(command, held.grant, *options)
    assert ran.code == code, ran
    [grant] = (await beside.ok("grants"))["grants"]
    assert (grant["version"], grant["state"], grant["revoked"]) == (1, "live", [])


async def test_widens_what_was_narrowed_but_only_with_the_passphrase(beside: Beside, held: Held) -> None:
    await beside.ok("narrow", held.grant, "--keep", "delivery=name")
    wider = ("widen", held.grant, "--give", "marketing=email")
    assert (await beside(*wider, "--yes", passphrase=None)).code == 4
    assert (await beside(*wider)).code == 2
    ran = await beside(*wider, answers=["n"])
    assert ran.code == 1
    assert "From then on, Corner Shop may read" in ran.out
    assert "ada@example.com" in ran.out
    assert (await held.get("/marketing/records")).status == 403
    done = await beside.ok(*wider, "--yes")
    assert given(done["draft"]) == {"delivery": ["name"], "marketing": ["email"]}
    assert await held.contents("marketing") == [{"type": "Person", "email": "ada@example.com"}]


async def test_pauses_without_and_resumes_with_the_passphrase(beside: Beside, held: Held) -> None:
    assert (await beside("pause", held.grant, passphrase=None)).out == "Paused: Corner Shop reads nothing.\n"
    assert (await held.get("/delivery/records")).code == "grant-paused"
    assert (await beside("resume", held.grant, "--yes", passphrase=None)).code == 4
    ran = await beside("resume", held.grant, answers=["y"], passphrase=None, secrets=[PASSPHRASE])
    assert ran.code == 0
    assert (await held.get("/delivery/records")).status == 200


async def test_ends_for_good(beside: Beside, held: Held) -> None:
    assert (await beside("end", held.grant, answers=["n"])).code == 1
    assert (await held.get("/delivery/records")).status == 200
    assert (await beside.ok("end", held.grant, "--yes", passphrase=None))["state"] == "ended"
    assert (await held.get("/delivery/records")).code == "grant-ended"
    for command in (
        ("resume", "--yes"),
        ("pause",),
        ("end", "--yes"),
        ("widen", "--give", "delivery", "--yes"),
    ):
        assert (await beside(command[0], held.grant, *command[1:])).code == 1


@pytest.mark.parametrize("named", [COURIER, "z6MkhaXg", "key z6MkhaXg"])
async def test_cuts_off_a_partner_as_the_screen_names_it(beside: Beside, held: Held, named: str) -> None:
    done = await beside.ok("revoke", held.grant, "--partner", named)
    assert (done["revoked"], done["partner"]) == (True, COURIER)
    assert (await held.get("/delivery/records")).status == 200
    assert not (await beside.ok("revoke", held.grant, "--partner", named))["revoked"]
    assert "cut off    key z6MkhaXg" in (await beside("grants", "show", held.grant)).out


async def test_what_others_show_is_counted_not_shown(house: House, beside: Beside) -> None:
    await beside.ok("records", "add", "name=Ben Sample", "email=ben@example.org")
    friends = permission(
        "friends", ["name"], about="any", purpose="dpv:SellDataToThirdParties", newRecords=True
    )
    path, _ = await house.ask(house.key(), [friends])
    shown = (await beside("requests", "show", path.rpartition("/")[2])).out
    assert "of up to 2 records of type Person, later ones too" in shown
    assert "Sell your data to others" in shown
