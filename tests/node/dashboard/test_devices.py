"""Where the person is signed in, by the owner's operations, the command line's calls and the page."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from browse import Browser, Seen, open_browser
from freehold_node.keystore import check_passphrase, open_keystore
from freehold_node.recovery_sheet import code_to_seed
from freehold_protocol.errors import PassphraseError
from harness import PASSPHRASE, House
from tables import tables

DEVICES = "/my/settings/devices"
NEW = "another passphrase altogether"


@pytest_asyncio.fixture
async def other(house: House) -> AsyncIterator[Browser]:
    async with open_browser(house) as made:
        await made.sign_in()
        yield made


def is_in(seen: Seen) -> bool:
    return any(form.action == "/my/sign-out" for form in seen.forms)


async def goes_in(browser: Browser) -> bool:
    return is_in(await browser.get("/my/settings"))


# The owner's operations


@pytest.mark.requirement("HTTP-87")
@pytest.mark.asyncio
async def test_the_owner_lists_and_ends_sessions(house: House, browser: Browser, other: Browser) -> None:
    listed = await house.own("GET", "/devices")
    assert listed["passkeys"] == []
    assert [one["this"] for one in listed["sessions"]] == [False, False]
    assert listed["sessions"][0].keys() == {"id", "device", "since", "seen", "this"}
    first = listed["sessions"][0]["id"]
    assert (await house.owner("DELETE", f"/devices/sessions/{first}")).status == 204
    assert [await goes_in(browser), await goes_in(other)].count(True) == 1
    gone = await house.owner("DELETE", f"/devices/sessions/{first}")
    assert (gone.status, gone.code) == (404, "not-found")


@pytest.mark.requirement("HTTP-87")
@pytest.mark.asyncio
async def test_the_owner_ends_all_sessions_and_links(house: House, browser: Browser, other: Browser) -> None:
    link = house.node.devices.new_link()
    assert await house.own("POST", "/devices/sign-out", {}) == {"ended": 2}
    assert not await goes_in(browser)
    assert not await goes_in(other)
    assert (await other.post("/my/enter/link", {"link": link})).status == 403
    assert await house.own("POST", "/devices/sign-out", {}) == {"ended": 0}


@pytest.mark.requirement("HTTP-89", "KEY-11")
@pytest.mark.asyncio
async def test_the_passphrase_is_changed_by_the_old_one(house: House, browser: Browser) -> None:
    folder = house.node.config.data_dir
    link = house.node.devices.new_link()
    keys = open_keystore(folder, PASSPHRASE)
    for body, code in (
        ({"passphrase": "not it", "new": NEW}, "passphrase-wrong"),
        ({"new": NEW}, "passphrase-wrong"),
        ({"passphrase": 1, "new": NEW}, "passphrase-wrong"),
        ({"passphrase": PASSPHRASE, "new": ""}, "malformed"),
        ({"passphrase": PASSPHRASE, "new": 1}, "malformed"),
        ({"passphrase": PASSPHRASE, "new": "x" * 1025}, "malformed"),
        ({"passphrase": PASSPHRASE, "new": "\ud800"}, "malformed"),
        ({"passphrase": PASSPHRASE}, "malformed"),
        ({"passphrase": PASSPHRASE, "new": NEW, "more": 1}, "malformed"),
    ):
        assert (await house.owner("POST", "/passphrase", body)).code == code, body
    check_passphrase(folder, PASSPHRASE)
    assert await goes_in(browser)
    assert await house.own("POST", "/passphrase", {"passphrase": PASSPHRASE, "new": NEW}) == {"ended": 1}
    assert open_keystore(folder, NEW) == keys
    with pytest.raises(PassphraseError):
        check_passphrase(folder, PASSPHRASE)
    assert not await goes_in(browser)
    assert (await browser.post("/my/enter/link", {"link": link})).status == 403
    backup = await house.owner("POST", "/backup", {"passphrase": PASSPHRASE})
    assert backup.code == "passphrase-wrong"
    assert (await house.owner("POST", "/recovery-sheet", {"passphrase": NEW})).status == 200


@pytest.mark.requirement("HTTP-44", "HTTP-90", "SHEET-8", "HTTP-45")
@pytest.mark.asyncio
async def test_the_sheet_is_printed_again_with_a_proof(house: House) -> None:
    for body in ({}, {"passphrase": "not it"}):
        assert (await house.owner("POST", "/recovery-sheet", body)).code == "passphrase-wrong"
    assert "'recovery-sheet'" not in "\n".join((await tables(house.node))["owner_action"])
    told = await house.own("POST", "/recovery-sheet", {"passphrase": PASSPHRASE})
    seed = open_keystore(house.node.config.data_dir, PASSPHRASE).seed
    assert code_to_seed("\n".join(told["lines"])) == code_to_seed(
        "\n".join(line.strip() for line in told["sheet"].splitlines() if line.strip().startswith("line "))
    )
    assert code_to_seed("\n".join(told["lines"])) == seed
    assert f"Printed again: {told['day']}" in told["sheet"]
    written = "\n".join((await tables(house.node))["owner_action"])
    assert "'recovery-sheet'" in written
    assert told["lines"][0] not in written


# The page


@pytest.mark.requirement("DSH-118")
@pytest.mark.asyncio
async def test_the_page_lists_sessions_and_ends_each(house: House, browser: Browser, other: Browser) -> None:
    page = await browser.get(DEVICES)
    assert page.text.count("Signed in since") == 2
    assert page.text.count("This one") == 1
    (elsewhere,) = [
        form for form in page.forms if form.action.endswith("/sign-out") and "sessions" in form.action
    ]
    seen = await browser.submit(elsewhere)
    assert "Signed out there" in seen.text
    assert (await goes_in(browser), await goes_in(other)) == (True, False)
    again = await browser.submit(elsewhere)
    assert again.status == 404
    told = (await house.own("GET", "/devices"))["sessions"]
    own = {**elsewhere.fields}
    out = await browser.post(f"{DEVICES}/sessions/{told[0]['id']}/sign-out", own)
    assert not is_in(out)
    assert not await goes_in(browser)


@pytest.mark.requirement("DSH-118")
@pytest.mark.asyncio
async def test_the_page_signs_out_everywhere(browser: Browser, other: Browser) -> None:
    page = await browser.get(DEVICES)
    seen = await browser.submit(page.form(f"{DEVICES}/sign-out"))
    assert seen.form("/my/enter")
    assert not await goes_in(other)


# Keys and recovery


@pytest.mark.requirement("DSH-115")
@pytest.mark.asyncio
async def test_the_sheet_is_shown_only_after_a_proof(house: House, browser: Browser) -> None:
    place = "/my/settings/recovery"
    form = (await browser.get(place)).form(f"{place}/sheet")
    lines = (await house.own("POST", "/recovery-sheet", {"passphrase": PASSPHRASE}))["lines"]
    wrong = await browser.submit(form, {"passphrase": "not it"})
    assert (wrong.status, "The sheet was not shown" in wrong.text) == (403, True)
    assert lines[0] not in wrong.text
    shown = await browser.submit(form, {"passphrase": PASSPHRASE})
    assert shown.status == 200
    assert all(line in shown.text for line in lines)
    assert shown.headers["Cache-Control"] == "no-store"
    assert (await browser.get(f"{place}/sheet")).status == 404
    fresh = (await browser.get(place)).form(f"{place}/sheet")
    assert "passphrase" not in fresh.fields
    assert lines[0] in (await browser.submit(fresh)).text


@pytest.mark.requirement("DSH-116", "DSH-9")
@pytest.mark.asyncio
async def test_the_passphrase_is_changed_on_the_page(house: House, browser: Browser, other: Browser) -> None:
    assert house.clock
    place, folder = "/my/settings/recovery", house.node.config.data_dir
    form = (await browser.get(place)).form(f"{place}/passphrase")
    await browser.submit((await browser.get(place)).form(f"{place}/sheet"), {"passphrase": PASSPHRASE})

    async def change(old: str, new: str, again: str) -> Seen:
        return await browser.submit(form, {"passphrase": old, "new_passphrase": new, "again": again})

    for old, new, again, status, said in (
        (PASSPHRASE, "", "", 422, "Type the new passphrase"),
        (PASSPHRASE, NEW, "other", 422, "not the same"),
        (PASSPHRASE, "x" * 1025, "x" * 1025, 422, "too long"),
        ("", NEW, NEW, 403, "not your passphrase"),
        ("not it", NEW, NEW, 403, "not your passphrase"),
    ):
        seen = await change(old, new, again)
        assert (seen.status, said in seen.text) == (status, True), said
        assert NEW not in seen.html
    check_passphrase(folder, PASSPHRASE)
    for _ in range(3):
        await change("not it", NEW, NEW)
    waits = await change(PASSPHRASE, NEW, NEW)
    assert (waits.status, "Wait 5 seconds" in waits.text) == (429, True)
    house.clock.advance(5)
    done = await change(PASSPHRASE, NEW, NEW)
    assert "Your passphrase is changed" in done.text
    check_passphrase(folder, NEW)
    assert (await goes_in(browser), await goes_in(other)) == (True, False)
    assert (await other.post("/my/enter", {"passphrase": PASSPHRASE})).status == 403
    assert is_in(await other.post("/my/enter", {"passphrase": NEW}))
