"""Passkeys over real HTTP, with a device that is a program: what is true is taken, and every lie is not."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from browse import Browser, open_browser
from fido2.cose import ES256, ES384, RS256, EdDSA
from freehold_node.data_dir import bump_generation
from freehold_node.keystore import open_keystore
from freehold_node.passkeys import MAX_ANSWER_CHARS, MAX_PASSKEYS
from harness import PASSPHRASE, House, free_port, open_house
from passkey_pages import ADD, DEVICES, added, begun, csrf_of, prove, with_key
from software_key import PRESENT, VERIFIED, SoftwareKey

pytestmark = pytest.mark.signed_out

PROVING = (ADD, "/my/settings/recovery", "/my/settings/backup")


async def entered(house: House, key: SoftwareKey) -> int:
    """Try to sign in with a passkey, in a browser that was never here; return the status."""
    async with open_browser(house) as other:
        asked = await begun(other, "/my/enter/passkey/begin")
        sent = {"credential": key.use(asked["options"]), "then": "/my/data"}
        seen = await other.post("/my/enter/passkey", sent, follow=False)
        if seen.status == 303:
            assert seen.headers["Location"] == "/my/data"
            assert (await other.get("/my/settings")).form("/my/sign-out")
        else:
            assert (await other.get("/my/today")).form("/my/enter"), "nobody is signed in"
        return seen.status


@pytest.mark.requirement("DSH-107", "DSH-108")
@pytest.mark.asyncio
@pytest.mark.parametrize("algorithm", [ES256.ALGORITHM, EdDSA.ALGORITHM, RS256.ALGORITHM])
async def test_a_passkey_lets_the_person_in(house: House, browser: Browser, algorithm: int) -> None:
    key = await with_key(browser, algorithm=algorithm)
    assert await entered(house, key) == 303
    assert await entered(house, key) == 303
    (row,) = await house.node.passkeys.listed()
    assert (row.name, row.used_us is not None) == ("My phone", True)


@pytest.mark.requirement("DSH-105", "DSH-107", "DSH-110")
@pytest.mark.asyncio
async def test_what_a_browser_is_asked(browser: Browser) -> None:
    async with open_browser(browser.house) as stranger:
        before = await begun(stranger, "/my/enter/passkey/begin")
    key = await with_key(browser)
    csrf = await csrf_of(browser)
    asked = (await begun(browser, f"{DEVICES}/passkeys/begin", csrf=csrf))["options"]
    assert asked["rp"]["id"] == "localhost"
    assert [one["alg"] for one in asked["pubKeyCredParams"]] == [-7, -8, -257]
    assert asked["authenticatorSelection"]["residentKey"] == "preferred"
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    assert len(asked["excludeCredentials"]) == 1
    proof = (await begun(browser, "/my/passkeys/begin", csrf=csrf))["options"]
    assert proof["userVerification"] == "required"
    assert proof["allowCredentials"] == asked["excludeCredentials"]
    async with open_browser(browser.house) as stranger:
        after = await begun(stranger, "/my/enter/passkey/begin")
    assert before["options"].keys() == after["options"].keys()
    assert "allowCredentials" not in after["options"]
    assert key.id.hex() not in json.dumps(after)


LIES: dict[str, tuple[dict[str, Any], str]] = {
    "another origin": ({"origin": "https://evil.example"}, "not right for this page"),
    "another port": ({"origin": "http://localhost:1"}, "not right for this page"),
    "another relying party": ({"rp": "evil.example"}, "not right for this page"),
    "another challenge": ({"challenge": "x" * 43}, "not right for this page"),
    "of another kind": ({"type": "webauthn.create"}, "not right for this page"),
    "from within another page": ({"crossOrigin": True}, "not right for this page"),
    "nobody was there": ({"flags": VERIFIED}, "not right for this page"),
    "the person was not verified": ({"flags": PRESENT}, "not right for this page"),
    "an unknown passkey": ({"id": b"x" * 32}, "does not know that passkey"),
    "another person": ({"handle": b"x" * 32}, "does not know that passkey"),
    "a signature that is none": ({"signature": b"x" * 70}, "not right for this page"),
    "no signature": ({"signature": b""}, "not right for this page"),
}


@pytest.mark.requirement("DSH-108")
@pytest.mark.asyncio
async def test_every_lie_is_refused_and_the_page_says_what_is_left(house: House, browser: Browser) -> None:
    key = await with_key(browser)
    for what, (lies, said) in LIES.items():
        key.lies = lies
        async with open_browser(house) as other:
            asked = await begun(other, "/my/enter/passkey/begin")
            seen = await other.post("/my/enter/passkey", {"credential": key.use(asked["options"])})
            assert (seen.status, said in seen.text) == (403, True), what
            assert seen.form("/my/enter")
            assert (await other.get("/my/today")).form("/my/enter"), what
        assert (await house.node.passkeys.listed())[0].used_us is None
    key.lies = {}
    assert await entered(house, key) == 303


@pytest.mark.requirement("DSH-108")
@pytest.mark.asyncio
async def test_a_passkey_of_another_node_at_the_same_name_opens_nothing(
    house: House, browser: Browser, tmp_path: Path
) -> None:
    await with_key(browser)
    async with open_house(tmp_path / "other", seed=2) as neighbour, open_browser(neighbour) as theirs:
        foreign = await with_key(theirs)
        foreign.origin = browser.base
        assert await entered(house, foreign) == 403


_WHOLE = '{"id": "eA", "rawId": "%s", "type": "public-key", "response": %s}'
_CLIENT = '"clientDataJSON": "e30"'
GARBAGE = [
    *("", "x", "[]", "{}", "null", "1", '"x"', '{"id": 1}', "[" * 5000, '{"a":' * 5000),
    _WHOLE % ("eA", "{}"),
    _WHOLE % ("eQ", "{}"),
    _WHOLE
    % ("eA", f'{{{_CLIENT}, "authenticatorData": "e30", "signature": "e30", "attestationObject": "gYGB"}}'),
    _WHOLE % ("eA", f'{{{_CLIENT}, "attestationObject": "{"gYGB" * 4000}"}}'),
]


@pytest.mark.requirement("DSH-108")
@pytest.mark.asyncio
async def test_what_is_no_answer_is_refused(browser: Browser) -> None:
    await with_key(browser)
    csrf = await csrf_of(browser)
    for answer in GARBAGE:
        asked = await begun(browser, f"{DEVICES}/passkeys/begin", csrf=csrf)
        fields = {"csrf": csrf, "ticket": asked["ticket"], "credential": answer, "name": "x"}
        assert (await browser.post(f"{DEVICES}/passkeys", fields)).status == 403, answer[:80]
        async with open_browser(browser.house) as other:
            await begun(other, "/my/enter/passkey/begin")
            assert (await other.post("/my/enter/passkey", {"credential": answer})).status == 403, answer[:80]
    long = {"credential": "x" * (MAX_ANSWER_CHARS + 1)}
    assert (await browser.post("/my/enter/passkey", long)).status == 413
    assert len(await browser.house.node.passkeys.listed()) == 1


@pytest.mark.requirement("DSH-106")
@pytest.mark.asyncio
async def test_an_answer_is_good_once(house: House, browser: Browser) -> None:
    key = await with_key(browser)
    async with open_browser(house) as other:
        asked = await begun(other, "/my/enter/passkey/begin")
        answer = key.use(asked["options"])
        cookies = {one.key: one.value for one in other.session.cookie_jar}
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
        first, second = [
            await other.post("/my/enter/passkey", {"credential": answer}, headers=sent, follow=False)
            for _ in range(2)
        ]
        assert (first.status, second.status) == (303, 403)
    async with open_browser(house) as thief:
        assert (await thief.post("/my/enter/passkey", {"credential": answer})).status == 403


@pytest.mark.requirement("DSH-106")
@pytest.mark.asyncio
async def test_an_answer_sent_twice_at_once_is_taken_once(house: House, browser: Browser) -> None:
    key = await with_key(browser)
    async with open_browser(house) as other:
        asked = await begun(other, "/my/enter/passkey/begin")
        sent = {"credential": key.use(asked["options"])}
        seen = await asyncio.gather(*(other.post("/my/enter/passkey", sent, follow=False) for _ in range(3)))
        assert sorted(one.status for one in seen) == [303, 403, 403]


@pytest.mark.requirement("DSH-106")
@pytest.mark.asyncio
@pytest.mark.parametrize(("seconds", "status"), [(5 * 60 - 1, 303), (5 * 60, 403)])
async def test_a_challenge_is_good_for_five_minutes(
    house: House, browser: Browser, seconds: int, status: int
) -> None:
    assert house.clock
    key = await with_key(browser)
    async with open_browser(house) as other:
        asked = await begun(other, "/my/enter/passkey/begin")
        house.clock.advance(seconds)
        sent = {"credential": key.use(asked["options"])}
        cookies = "; ".join(f"{one.key}={one.value}" for one in other.session.cookie_jar)
        assert (
            await other.post("/my/enter/passkey", sent, headers={"Cookie": cookies}, follow=False)
        ).status == status


@pytest.mark.requirement("DSH-106")
@pytest.mark.asyncio
async def test_a_challenge_is_for_one_purpose_in_one_session(house: House, browser: Browser) -> None:
    key = await with_key(browser)
    csrf = await csrf_of(browser)
    async with open_browser(house) as other:
        await other.sign_in()
        theirs = await csrf_of(other)
        asked = await begun(other, "/my/passkeys/begin", csrf=theirs)
        sent = {"csrf": csrf, "ticket": asked["ticket"], "credential": key.use(asked["options"])}
        assert (await browser.post("/my/passkeys/prove", sent)).status == 403, "of another session"
        assert (await other.post("/my/passkeys/prove", sent | {"csrf": theirs})).status == 200
        entering = await begun(other, "/my/enter/passkey/begin")
        ticket = next(one.value for one in other.session.cookie_jar if "passkey" in one.key)
        wrong = {"csrf": theirs, "ticket": ticket, "credential": key.use(entering["options"])}
        assert (await other.post("/my/passkeys/prove", wrong)).status == 403, "for signing in"
        for odd in ("", "x", "9" * 200, "9999999999999999.x", "²", ticket + "x"):
            assert (await other.post("/my/passkeys/prove", wrong | {"ticket": odd})).status == 403, odd


@pytest.mark.requirement("DSH-106")
@pytest.mark.asyncio
async def test_strangers_who_ask_for_many_push_out_nobody(house: House, browser: Browser) -> None:
    key = await with_key(browser)
    async with open_browser(house) as person, open_browser(house) as stranger:
        asked = await begun(person, "/my/enter/passkey/begin")
        for _ in range(150):
            await begun(stranger, "/my/enter/passkey/begin")
        sent = {"credential": key.use(asked["options"])}
        assert (await person.post("/my/enter/passkey", sent, follow=False)).status == 303


@pytest.mark.requirement("DSH-109")
@pytest.mark.asyncio
async def test_a_count_that_goes_back_is_refused(house: House, browser: Browser) -> None:
    key = await with_key(browser, counter=5)
    assert await entered(house, key) == 303
    for counter in (7, 6, 0):
        key.lies = {"counter": counter}
        async with open_browser(house) as other:
            asked = await begun(other, "/my/enter/passkey/begin")
            seen = await other.post("/my/enter/passkey", {"credential": key.use(asked["options"])})
            assert (seen.status, "may have been copied" in seen.text) == (403, True), counter
    key.lies = {"counter": 8}
    assert await entered(house, key) == 303


@pytest.mark.requirement("DSH-8", "DSH-107")
@pytest.mark.asyncio
async def test_a_passkey_is_a_fresh_proof_and_none_is_added_without_one(
    house: House, browser: Browser
) -> None:
    assert house.clock
    key = await with_key(browser)
    house.clock.advance(5 * 60)
    csrf = await csrf_of(browser)
    refused = await browser.post(f"{DEVICES}/passkeys/begin", {"csrf": csrf})
    assert refused.status == 403
    assert (await browser.get(ADD)).form(ADD), "it asks who it is again"
    asked = await begun(browser, "/my/passkeys/begin", csrf=csrf)
    sent = {"csrf": csrf, "ticket": asked["ticket"], "credential": key.use(asked["options"])}
    assert (await browser.post("/my/passkeys/prove", sent)).status == 200
    other = SoftwareKey(browser.base)
    asked = await begun(browser, f"{DEVICES}/passkeys/begin", csrf=csrf)
    fields = {
        "csrf": csrf,
        "ticket": asked["ticket"],
        "credential": other.make(asked["options"]),
        "name": "x",
    }
    house.clock.advance(5 * 60 - 1)
    assert (await browser.post(f"{DEVICES}/passkeys", fields | {"name": "  "})).status == 422
    house.clock.advance(1)
    assert (await browser.post(f"{DEVICES}/passkeys", fields)).status == 403
    assert len(await house.node.passkeys.listed()) == 1


@pytest.mark.requirement("DSH-107")
@pytest.mark.asyncio
async def test_what_is_not_offered_is_not_added(browser: Browser) -> None:
    await prove(browser)
    for what, key in {
        "an algorithm": SoftwareKey(browser.base, algorithm=ES384.ALGORITHM),
        "nobody verified": SoftwareKey(browser.base, lies={"flags": 0xFF & ~VERIFIED}),
        "another origin": SoftwareKey("https://evil.example"),
        "another relying party": SoftwareKey(browser.base, lies={"rp": "evil.example"}),
        "another challenge": SoftwareKey(browser.base, lies={"challenge": "x" * 43}),
        "another id": SoftwareKey(browser.base, lies={"id": b"x" * 32}),
        "within another page": SoftwareKey(browser.base, lies={"crossOrigin": True}),
        "of another kind": SoftwareKey(browser.base, lies={"type": "webauthn.get"}),
    }.items():
        assert (await added(browser, key)).status == 403, what
    assert await browser.house.node.passkeys.listed() == []
    for name in ("", "x" * 61, "a\nb", "a\u202eb"):
        assert (await added(browser, SoftwareKey(browser.base), name=name)).status == 422, name


@pytest.mark.requirement("DSH-107")
@pytest.mark.asyncio
async def test_there_are_at_most_so_many_and_each_once(house: House, browser: Browser) -> None:
    key = await with_key(browser)
    csrf = await csrf_of(browser)
    asked = await begun(browser, f"{DEVICES}/passkeys/begin", csrf=csrf)
    again = SoftwareKey(browser.base)
    answer = again.make(asked["options"])
    fields = {"csrf": csrf, "ticket": asked["ticket"], "credential": answer, "name": "x"}
    seen = await asyncio.gather(
        *(browser.post(f"{DEVICES}/passkeys", fields, follow=False) for _ in range(2))
    )
    assert sorted(one.status for one in seen) == [303, 403]
    for _ in range(MAX_PASSKEYS - 2):
        assert (await added(browser, SoftwareKey(browser.base))).status == 200
    full = await added(browser, SoftwareKey(browser.base))
    assert (full.status, "Remove one first" in full.text) == (403, True)
    assert len(await house.node.passkeys.listed()) == MAX_PASSKEYS
    assert await entered(house, key) == 303


@pytest.mark.requirement("DSH-105")
@pytest.mark.asyncio
async def test_under_a_bare_address_there_are_none(house: House) -> None:
    async with open_browser(house) as browser:
        browser.base = house.node.config.origins[0]
        assert "127.0.0.1" in browser.base
        seen = await browser.get("/my/enter")
        assert "passkey" not in seen.html
        await browser.sign_in()
        assert f"http://localhost:{house.node.config.port}" in (await browser.get(DEVICES)).text
        assert f"http://localhost:{house.node.config.port}" in (await browser.get(ADD)).text
        csrf = await csrf_of(browser)
        for path in ("/my/enter/passkey/begin", "/my/passkeys/begin"):
            refused = await browser.post(path, {"csrf": csrf})
            assert (refused.status, "need a name" in refused.html) == (403, True)


@pytest.mark.requirement("HTTP-88", "DSH-118")
@pytest.mark.asyncio
async def test_a_forgotten_passkey_is_taken_no_more(house: House, browser: Browser) -> None:
    key = await with_key(browser)
    (told,) = (await house.own("GET", "/devices"))["passkeys"]
    page = await browser.get(f"{DEVICES}/passkeys/{told['id']}")
    csrf = await csrf_of(browser)
    asked = await begun(browser, "/my/passkeys/begin", csrf=csrf)
    seen = await browser.submit(page.form(f"{DEVICES}/passkeys/{told['id']}"))
    assert "The passkey was removed" in seen.text
    assert await entered(house, key) == 403
    sent = {"csrf": csrf, "ticket": asked["ticket"], "credential": key.use(asked["options"])}
    assert (await browser.post("/my/passkeys/prove", sent)).status == 403
    assert (await house.owner("DELETE", f"/devices/passkeys/{told['id']}")).status == 404


@pytest.mark.asyncio
@pytest.mark.parametrize("path", PROVING)
async def test_a_proof_by_passkey_is_offered_only_where_there_is_one(browser: Browser, path: str) -> None:
    async def offers() -> bool:
        async with open_browser(browser.house) as other:
            await other.sign_in()
            page = await other.get(path)
            assert page.form(having="passphrase")
            return "data-passkey" in page.html

    assert not await offers()
    await with_key(browser)
    assert await offers()


@pytest.mark.requirement("DSH-111")
@pytest.mark.asyncio
async def test_without_scripts_no_button_for_a_passkey_is_shown(browser: Browser) -> None:
    await with_key(browser)
    async with open_browser(browser.house) as other:
        enter = await other.get("/my/enter")
        await other.sign_in()
        pages = [enter, *[await other.get(path) for path in PROVING]]
    for page in pages:
        parts = [given for _, given in page.tags if "data-passkey" in given]
        assert parts, page.url
        assert all("hidden" in given for given in parts), page.url
        assert page.form(having="passphrase"), page.url


@pytest.mark.requirement("DSH-110")
@pytest.mark.asyncio
async def test_the_page_to_sign_in_is_the_same_whether_there_is_a_passkey_or_not(browser: Browser) -> None:
    async def seen() -> str:
        async with open_browser(browser.house) as stranger:
            return (await stranger.get("/my/enter")).html

    before = await seen()
    await with_key(browser)
    assert await seen() == before
    assert before.index('id="passphrase"') < before.index("If you set up a passkey")


@pytest.mark.requirement("DSH-112", "DSH-11")
@pytest.mark.asyncio
async def test_after_a_restore_there_are_none(tmp_path: Path) -> None:
    folder, port = tmp_path / "node", free_port()
    async with open_house(folder, port=port) as house, open_browser(house) as browser:
        key = await with_key(browser)
    keys = open_keystore(folder, PASSPHRASE)
    async with open_house(folder, keys=keys, port=port, seed=2) as house:
        assert await entered(house, key) == 303, "a start is no restore"
    bump_generation(folder)
    async with open_house(folder, keys=keys, port=port, seed=3) as house:
        assert await house.own("GET", "/devices") == {"sessions": [], "passkeys": []}
        assert await entered(house, key) == 403
