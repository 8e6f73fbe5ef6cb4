"""A passkey that is removed takes with it every session that it opened, and every proof, in one commit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from browse import Browser, open_browser
from freehold_node.dashboard.files.to_import import Upload
from freehold_node.dashboard.forms import Form
from harness import PASSPHRASE, House
from passkey_pages import DEVICES, begun, csrf_of, enter, with_key
from software_key import SoftwareKey


@pytest_asyncio.fixture
async def person(house: House) -> AsyncIterator[Browser]:
    """Who is signed in by a link, and has proved by passphrase who they are."""
    async with open_browser(house) as made:
        yield made


@pytest_asyncio.fixture
async def lost(house: House) -> AsyncIterator[Browser]:
    """The browser on the device that is lost."""
    async with open_browser(house) as made:
        yield made


async def goes_in(browser: Browser) -> bool:
    seen = await browser.get("/my/settings")
    return any(form.action == "/my/sign-out" for form in seen.forms)


async def id_of(house: House, name: str = "My phone") -> str:
    found: str = next(
        one["id"] for one in (await house.own("GET", "/devices"))["passkeys"] if one["name"] == name
    )
    return found


@pytest.mark.requirement("HTTP-88", "DSH-117")
@pytest.mark.asyncio
async def test_the_sessions_that_it_opened_end_and_no_others(
    house: House, person: Browser, lost: Browser
) -> None:
    key, passkey = await with_key(person), await id_of(house)
    async with open_browser(house) as second, open_browser(house) as by_passphrase:
        await enter(lost, key)
        await enter(second, key)
        await by_passphrase.post("/my/enter", {"passphrase": PASSPHRASE})
        told = (await house.own("GET", "/devices"))["sessions"]
        assert sorted(one.get("passkey", "") for one in told) == ["", "", passkey, passkey]
        page = await person.get(f"{DEVICES}/passkeys/{passkey}")
        assert "2 sessions now" in page.text
        assert "You too" not in page.text
        assert "You too" in (await lost.get(f"{DEVICES}/passkeys/{passkey}")).text
        await person.submit(page.form(f"{DEVICES}/passkeys/{passkey}"))
        assert [await goes_in(one) for one in (lost, second, person, by_passphrase)] == [
            False,
            False,
            True,
            True,
        ]
        assert (await house.owner("DELETE", f"/devices/passkeys/{passkey}")).status == 404


@pytest.mark.requirement("HTTP-88")
@pytest.mark.asyncio
async def test_the_owners_tools_are_told_how_many(house: House, person: Browser, lost: Browser) -> None:
    key, passkey = await with_key(person), await id_of(house)
    await enter(lost, key)
    assert await house.own("DELETE", f"/devices/passkeys/{passkey}") == {"ended": 1}
    assert not await goes_in(lost)


@pytest.mark.requirement("DSH-117")
@pytest.mark.asyncio
async def test_who_removes_the_one_they_came_in_with_is_out(
    house: House, person: Browser, lost: Browser
) -> None:
    key, passkey = await with_key(person), await id_of(house)
    await enter(lost, key)
    form = (await lost.get(f"{DEVICES}/passkeys/{passkey}")).form(f"{DEVICES}/passkeys/{passkey}")
    seen = await lost.submit(form)
    assert seen.form("/my/enter")
    assert not [one for one in lost.session.cookie_jar if one.key.startswith("freehold-") and one.value]


@pytest.mark.requirement("HTTP-88", "DSH-117")
@pytest.mark.asyncio
async def test_what_is_open_there_ends_at_once(house: House, person: Browser, lost: Browser) -> None:
    """An open stream says nothing more, also not of what is written right after; a file that waits is forgotten."""
    key, passkey = await with_key(person), await id_of(house)
    await enter(lost, key)
    session = next(one["id"] for one in (await house.own("GET", "/devices"))["sessions"] if "passkey" in one)
    house.node.uploads.keep(session, Upload(name="book.vcf", data=b"x", form=Form([])))
    async with lost.session.get(lost.base + "/my/live") as stream, asyncio.timeout(15):
        assert b"ready" in await stream.content.readuntil(b"\n\n")
        await house.own("DELETE", f"/devices/passkeys/{passkey}")
        await house.own("POST", "/records", {"content": {"type": "Person", "name": "Ada"}})
        assert b"changed" not in await stream.content.read()
    assert house.node.uploads.of(session) is None


@pytest.mark.requirement("HTTP-88")
@pytest.mark.asyncio
async def test_a_proof_that_it_gave_is_none_any_more(house: House, person: Browser, lost: Browser) -> None:
    """Of a session that was opened otherwise, and proved with the passkey a moment ago."""
    key, passkey = await with_key(person), await id_of(house)
    await lost.sign_in()
    csrf = await csrf_of(lost)
    asked = await begun(lost, "/my/passkeys/begin", csrf=csrf)
    sent = {"csrf": csrf, "ticket": asked["ticket"], "credential": key.use(asked["options"])}
    assert (await lost.post("/my/passkeys/prove", sent)).status == 200
    assert "passphrase" not in (await lost.get("/my/settings/backup")).form("/my/settings/backup").fields
    await house.own("DELETE", f"/devices/passkeys/{passkey}")
    assert await goes_in(lost)
    for one in (lost, person):
        assert "passphrase" in (await one.get("/my/settings/backup")).form("/my/settings/backup").fields


async def removed_between(house: House, name: str, passkey: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the passkey removed after its answer was found true, and before what it is for is written."""
    devices = house.node.devices
    do = getattr(devices, name)

    async def late(*given: Any, **more: Any) -> Any:
        monkeypatch.setattr(devices, name, do)
        await house.own("DELETE", f"/devices/passkeys/{passkey}")
        return await do(*given, **more)

    monkeypatch.setattr(devices, name, late)


@pytest.mark.requirement("HTTP-88")
@pytest.mark.asyncio
async def test_a_session_that_it_is_opening_does_not_come_to_be(
    house: House, person: Browser, lost: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, passkey = await with_key(person), await id_of(house)
    await removed_between(house, "begin", passkey, monkeypatch)
    seen = await enter(lost, key)
    assert (seen.status, "does not know that passkey" in seen.text) == (403, True)
    assert not await goes_in(lost)
    assert len((await house.own("GET", "/devices"))["sessions"]) == 1


@pytest.mark.requirement("HTTP-88")
@pytest.mark.asyncio
async def test_a_proof_that_it_is_giving_is_none(
    house: House, person: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert house.clock
    key, passkey = await with_key(person), await id_of(house)
    house.clock.advance(5 * 60)
    csrf = await csrf_of(person)
    asked = await begun(person, "/my/passkeys/begin", csrf=csrf)
    await removed_between(house, "proved", passkey, monkeypatch)
    sent = {"csrf": csrf, "ticket": asked["ticket"], "credential": key.use(asked["options"])}
    assert (await person.post("/my/passkeys/prove", sent)).status == 403
    assert "passphrase" in (await person.get("/my/settings/backup")).form("/my/settings/backup").fields


@pytest.mark.requirement("HTTP-88")
@pytest.mark.asyncio
async def test_noting_that_a_session_was_seen_brings_no_proof_back(
    house: House, person: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session is read, the passkey is removed, and then it is written down that the session was seen."""
    assert house.clock
    await with_key(person)
    passkey, devices = await id_of(house), house.node.devices
    house.clock.advance(60 * 4)
    await person.post("/my/enter", {"passphrase": PASSPHRASE})
    cookie = next(one.value for one in person.session.cookie_jar if one.key.startswith("freehold-"))
    read = devices._store.read

    async def late(work: Any, **more: Any) -> Any:
        found = await read(work, **more)
        monkeypatch.setattr(devices._store, "read", read)
        await house.own("DELETE", f"/devices/passkeys/{passkey}")
        return found

    monkeypatch.setattr("freehold_node.devices._NOTE_US", -1)
    monkeypatch.setattr(devices._store, "read", late)
    await devices.session(cookie)
    session = await devices.session(cookie)
    assert session is not None
    assert not devices.is_fresh(session)


@pytest.mark.asyncio
async def test_another_passkey_goes_on(house: House, person: Browser, lost: Browser) -> None:
    key, passkey = await with_key(person), await id_of(house)
    assert isinstance(key, SoftwareKey)
    csrf = await csrf_of(person)
    other = SoftwareKey(person.base)
    asked = await begun(person, f"{DEVICES}/passkeys/begin", csrf=csrf)
    fields = {
        "csrf": csrf,
        "ticket": asked["ticket"],
        "credential": other.make(asked["options"]),
        "name": "Other",
    }
    await person.post(f"{DEVICES}/passkeys", fields)
    await enter(lost, other)
    assert await house.own("DELETE", f"/devices/passkeys/{passkey}") == {"ended": 0}
    assert await goes_in(lost)
