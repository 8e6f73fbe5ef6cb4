from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from carrying import brought, carried, poll
from freehold_protocol.canonical import jcs_digest, without_proof
from freehold_protocol.encoding import base64url_encode
from harness import PASSPHRASE, House
from shell import ASKED, Beside

pytestmark = pytest.mark.asyncio


def given(draft: dict[str, Any]) -> dict[str, list[str]]:
    return {one["name"]: one["items"][0]["fields"] for one in draft["permission"]}


async def test_an_invitation_is_used_once(house: House, beside: Beside) -> None:
    assert "No requests" in (await beside("requests")).out
    made = await beside.ok("invite", "The corner shop")
    assert made["url"].startswith(f"{house.base}/i/")
    shown = await beside("invite", "The corner shop")
    assert f"  {house.base}/i/" in shown.out
    assert (await beside("invite", "")).code == 1
    assert (await beside("invite")).code == 2


@pytest.mark.requirement("REQ-11", "REL-15", "RCP-8")
async def test_lists_and_shows_what_is_asked(beside: Beside, request_id: str) -> None:
    listed = (await beside("requests", "--status", "waiting")).out
    assert request_id[:8] in listed
    assert "delivery, marketing" in listed
    [asked] = (await beside.ok("requests"))["requests"]
    assert asked["code"] in listed
    shown = (await beside("requests", "show", request_id[:8])).out
    for text in (
        "Corner Shop", asked["code"], "nobody vouches for the name", "Required", "Optional",
        "Deliver what you ordered", "Send marketing to you", "Ada Example", "EX1 2AB", "ada@example.com",
        "key z6MkhaXg", "30 days (promised)", f"freehold approve {request_id[:8]}",
    ):  # fmt: skip
        assert text in shown
    assert (
        shown.index("Required") < shown.index("delivery") < shown.index("Optional") < shown.index("marketing")
    )


async def test_without_a_choice_the_required_is_given_and_the_optional_is_not(
    beside: Beside, request_id: str
) -> None:
    done = await beside.ok("approve", request_id, "--yes")
    assert given(done["draft"]) == {"delivery": ASKED[0]["items"][0]["fields"]}
    assert base64url_encode(jcs_digest(without_proof(done["draft"]))) == done["digest"]
    assert (done["state"], done["version"]) == ("live", 1)
    [asked] = (await beside.ok("requests", "--status", "approved"))["requests"]
    assert asked["grant"] == done["grant"]


async def test_gives_exactly_what_is_picked_until_the_day_that_is_named(
    house: House, beside: Beside, request_id: str
) -> None:
    options = ("--give", "delivery=name", "--give", "marketing=email", "--expires", "2026-12-01T00:00:00Z")
    # The day is in the past or in the future as the test runs; the vendor asked for 30 days from now.
    [asked] = (await beside.ok("requests"))["requests"]
    day = asked["expires"][:10]
    options = (*options[:4], "--expires", day)
    done = await beside.ok("approve", request_id, *options, "--yes")
    assert given(done["draft"]) == {"delivery": ["name"], "marketing": ["email"]}
    assert done["draft"]["expires"] <= asked["expires"]


async def test_shows_the_whole_draft_before_it_asks(beside: Beside, request_id: str) -> None:
    ran = await beside("approve", request_id, "--give", "delivery=name,address", answers=["n"])
    assert (ran.code, beside.shell.asked) == (1, ["Grant exactly this? [y/N] "])
    for text in (
        "If you approve, Corner Shop may read", "nobody vouches for the name", "Deliver what you ordered",
        "Ada Example", "1 Analytical Row", "passed on to  key z6MkhaXg", "30 days (promised)", "Not given",
        "marketing: email, birthDate", "Enforced by your node", "Promised, and no software can enforce it",
        "digest", "code",
    ):  # fmt: skip
        assert text in ran.out
    assert "ada@example.com" not in ran.out  # what is not given is not shown as if it were
    assert (await beside.ok("grants"))["grants"] == []
    asked = await beside("approve", request_id, "--give", "delivery=name,address", answers=["y"])
    assert asked.code == 0
    assert [one["vendor"]["name"] for one in (await beside.ok("grants"))["grants"]] == ["Corner Shop"]


@pytest.mark.parametrize(
    ("options", "more", "code"),
    [
        ([], {}, 2),  # nobody can be asked
        (["--json"], {}, 2),
        (["--json"], {"answers": ["y"]}, 2),
        ([], {"answers": []}, 1),
        ([], {"answers": [""]}, 1),
        ([], {"answers": ["yesterday"]}, 1),
        (["--yes"], {"passphrase": "wrong"}, 4),
        (["--yes"], {"passphrase": None}, 4),
        ([], {"answers": ["y"], "passphrase": None, "secrets": ["wrong"]}, 4),
        (["--yes", "--give", "nope"], {}, 2),
        (["--yes", "--give", "delivery=email"], {}, 2),
        (["--yes", "--expires", "tomorrow"], {}, 2),
        (["--yes", "--expires", "2026-12-31T18:00:00"], {}, 2),
        (["--yes", "--expires", "2199-01-01"], {}, 1),
        (["--yes", "--expires", "1999-01-01"], {}, 1),
    ],
)
async def test_grants_nothing_unless_all_is_right(
    beside: Beside, request_id: str, options: list[str], more: dict[str, Any], code: int
) -> None:
    ran = await beside("approve", request_id, *options, **more)
    assert ran.code == code, ran
    assert (await beside.ok("grants"))["grants"] == []


async def test_takes_the_passphrase_again_though_the_node_runs(beside: Beside, request_id: str) -> None:
    ran = await beside("approve", request_id, answers=["y"], passphrase=None, secrets=[PASSPHRASE])
    assert ran.code == 0
    assert beside.shell.asked == ["Grant exactly this? [y/N] ", "Passphrase: "]


async def test_refuses_with_or_without_a_reason(house: House, beside: Beside, request_id: str) -> None:
    assert (await beside.ok("refuse", request_id, "--reason", "Not now."))["status"] == "refused"
    [asked] = (await beside.ok("requests"))["requests"]
    assert (asked["status"], asked["reason"]) == ("refused", "Not now.")
    for command in (("refuse", request_id), ("approve", request_id, "--yes")):
        ran = await beside(*command, "--json")
        assert (ran.code, ran.error["code"]) == (1, "not-in-this-state")
    path, _ = await house.ask(house.key(), ASKED)
    assert (await beside("refuse", path.rpartition("/")[2])).code == 0
    assert "Not now." in (await beside("requests", "show", request_id)).out


async def test_what_a_vendor_says_is_only_text(house: House, beside: Beside) -> None:
    path, _ = await house.ask(house.key(), ASKED, name="[red]Shop[/red] :smile: {x}")
    shown = (await beside("requests", "show", path.rpartition("/")[2])).out
    assert "[red]Shop[/red] :smile: {x}" in shown


async def test_a_status_is_one_of_three(beside: Beside) -> None:
    for status in ("nope", "", "a&b=c", "waiting&x", "é"):
        ran = await beside("requests", "--status", status, "--json")
        assert ran.code in (0, 1) if not status else ran.code == 1


@pytest.mark.requirement("REQ-23")
async def test_a_request_that_a_browser_carried_is_taken_in_and_taken_back(
    house: House, beside: Beside, tmp_path: Path
) -> None:
    key = house.key()
    request = carried(house, key, ASKED, name="Corner Shop")
    file = tmp_path / "request.json"
    file.write_text(json.dumps(request.document))
    taken = await beside.ok("requests", "take", str(file))
    short = taken["id"][:8]
    shown = (await beside("requests", "take", str(file))).out
    for text in ("Corner Shop asks", "https://shop.example; nobody vouches", f"freehold approve {short}"):
        assert text in shown
    too_early = await beside("requests", "return", short)
    assert (too_early.code, "not-in-this-state" in too_early.err) == (1, True)
    approved = await beside("approve", short, "--yes")
    assert "https://shop.example; nobody vouches" in approved.out
    [line] = [line.strip() for line in approved.out.splitlines() if "freehold-code" in line]
    again = brought((await beside.ok("requests", "return", short))["returnTo"])
    where = again["freehold-request"]
    assert brought(line)["freehold-request"] == where
    assert (await poll(house, key, where, brought(line)["freehold-code"])).json["status"] == "waiting"
    assert (await poll(house, key, where, again["freehold-code"])).json["status"] == "approved"


async def test_a_refusal_is_taken_back_too(house: House, beside: Beside) -> None:
    text = json.dumps(carried(house, house.key(), ASKED).document)
    taken = (await beside("--json", "requests", "take", "-", stdin=text)).json
    refused = (await beside("refuse", taken["id"])).out
    assert f"freehold requests return {taken['id'][:8]}" in refused
    assert "freehold-code" not in (await beside("requests", "return", taken["id"])).out
    assert (await beside("requests", "take", "-", stdin="[]")).code == 1
    assert (await beside("requests", "take", "nowhere.json")).code == 1
