"""A vendor's page sends the browser with a request: nothing happens by itself, and signing in does not lose it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from browse import Browser, Seen
from carrying import RETURN_TO, brought, carried, poll
from freehold_node.dashboard.pages.connecting import pack, unpack
from freehold_protocol.errors import FreeholdError
from freehold_protocol.keys import SigningKey
from freehold_protocol.request import Request, matching_code
from harness import PASSPHRASE, House, permission

pytestmark = [pytest.mark.asyncio, pytest.mark.with_ada, pytest.mark.signed_out]
ELSEWHERE = {"Origin": "https://shop.example", "Sec-Fetch-Site": "cross-site"}


def asked(house: House, key: SigningKey | None = None, **more: Any) -> Request:
    wish = permission("delivery", ["name", "email"], required=True)
    return carried(house, key or house.key(), [wish], **more)


async def sent(browser: Browser, request: Request) -> Seen:
    """Let a vendor's page send the browser; a browser leaves its cookies at home then."""
    body = {"request": json.dumps(request.document)}
    jar = browser.session.cookie_jar
    kept = [(cookie.key, cookie.value) for cookie in jar]
    jar.clear()
    seen = await browser.post("/connect", body, headers=ELSEWHERE)
    jar.update_cookies(dict(kept))
    return seen


async def waiting(house: House) -> int:
    return len((await house.own("GET", "/requests"))["requests"])


@pytest.mark.requirement("DSH-38")
async def test_the_page_shows_who_asks_and_writes_nothing(house: House, browser: Browser) -> None:
    request = asked(house, name="Corner <b>Shop")
    page = await sent(browser, request)
    assert page.status == 200
    for words in (
        "Corner <b>Shop wants to connect",
        "Nobody vouches",
        matching_code(request.cid),
        "shop.example",
    ):
        assert words in page.text, words
    assert "Ada Example" not in page.html
    assert "Set-Cookie" not in page.headers
    assert await waiting(house) == 0
    assert not any(RETURN_TO in link for link in page.links.values())


@pytest.mark.requirement("DSH-38")
async def test_at_a_literal_address_the_browser_is_led_to_where_the_person_signs_in(house: House) -> None:
    body = urlencode({"request": json.dumps(asked(house).document)}).encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded", **ELSEWHERE}
    reply = await house.send("POST", "/connect", headers, body)
    assert reply.status == 307
    assert reply.headers["Location"] == house.base.replace("127.0.0.1", "localhost") + "/connect"


@pytest.mark.requirement("DSH-39")
async def test_who_is_signed_in_goes_on_to_the_card_and_back(house: House, browser: Browser) -> None:
    await browser.sign_in()
    key = house.key()
    request = asked(house, key)
    page = await sent(browser, request)
    card = await browser.submit(page.form("/my/connect"))
    path = card.url.removeprefix(browser.base)
    assert "Afterwards you go back toshop.example" in card.text
    assert await waiting(house) == 1
    # The same again is the same.
    assert (await browser.submit(page.form("/my/connect"))).url == card.url
    review = await browser.submit(card.form(f"{path}/review"))
    done = await browser.submit(review.form(f"{path}/approve"), {"passphrase": PASSPHRASE})
    assert "This link leads to shop.example" in done.text
    link = done.links["Back to Test Shop"]
    assert link.startswith(RETURN_TO)
    told = brought(link)
    reply = await poll(house, key, told["freehold-request"], told["freehold-code"])
    assert reply.json["status"] == "approved"


@pytest.mark.requirement("DSH-41")
async def test_the_way_back_is_made_anew_as_long_as_it_was_not_gone(house: House, browser: Browser) -> None:
    await browser.sign_in()
    key = house.key()
    page = await sent(browser, asked(house, key))
    card = await browser.submit(page.form("/my/connect"))
    path = card.url.removeprefix(browser.base)
    review = await browser.submit(card.form(f"{path}/review"))
    first = await browser.submit(review.form(f"{path}/approve"), {"passphrase": PASSPHRASE})
    again = await browser.submit(review.form(f"{path}/approve"))
    assert again.status == 409
    second = await browser.submit(again.form(f"{path}/return"))
    codes = [brought(one.links["Back to Test Shop"])["freehold-code"] for one in (first, second)]
    assert codes[0] != codes[1]
    told = brought(second.links["Back to Test Shop"])
    await poll(house, key, told["freehold-request"], told["freehold-code"])
    over = await browser.submit(again.form(f"{path}/return"))
    assert over.status == 200
    assert not any(form.action == f"{path}/return" for form in over.forms)


async def test_a_refusal_goes_back_too(house: House, browser: Browser) -> None:
    await browser.sign_in()
    page = await sent(browser, asked(house))
    card = await browser.submit(page.form("/my/connect"))
    path = card.url.removeprefix(browser.base)
    done = await browser.submit(card.form(f"{path}/refuse"))
    assert "freehold-code" not in brought(done.links["Back to Test Shop"])


@pytest.mark.requirement("DSH-40")
async def test_who_is_not_signed_in_signs_in_and_the_request_is_still_there(
    house: House, browser: Browser
) -> None:
    page = await sent(browser, asked(house))
    sign_in = await browser.submit(page.form("/my/connect"))
    assert sign_in.status == 401
    assert await waiting(house) == 0
    wrong = await browser.submit(sign_in.form("/my/enter"), {"passphrase": "wrong"})
    assert wrong.status == 403
    assert await waiting(house) == 0
    led = await browser.submit(wrong.form("/my/enter"), {"passphrase": PASSPHRASE})
    # The test's browser does not send a form on by itself; a real one does.
    assert (led.status, led.headers["Location"]) == (307, "/my/connect")
    card = await browser.submit(page.form("/my/connect"))
    assert "Test Shop asks you" in card.text
    assert await waiting(house) == 1


@pytest.mark.requirement("DSH-39")
async def test_only_a_form_of_ours_takes_a_request_in(house: House, browser: Browser) -> None:
    await browser.sign_in()
    packed = pack(asked(house).document)
    for headers in (ELSEWHERE, {"Origin": "null"}, {"Sec-Fetch-Site": "same-site"}):
        seen = await browser.post("/my/connect", {"request": packed}, headers=headers)
        assert seen.status in (401, 403), headers
    assert await waiting(house) == 0


@pytest.mark.requirement("DSH-38")
async def test_what_is_no_request_is_a_clear_page(house: House, browser: Browser) -> None:
    stale = asked(house, created_s=house.now_s() - 2 * 86_400)
    invited = carried(house, house.key(), [permission("x", ["name"])], return_to=None)
    for request, words in ((stale, "too old"), (invited, "cannot make sense of this")):
        page = await sent(browser, request)
        assert 400 <= page.status < 500
        assert words in page.text
    for body in (
        {},
        {"request": "{"},
        {"request": "[]"},
        {"request": "1", "csrf": "2"},
        {"request": "x" * 800_000},
    ):
        page = await browser.post("/connect", body, headers=ELSEWHERE)
        assert 400 <= page.status < 500, list(body)
        assert page.status != 404


@pytest.mark.requirement("DSH-40")
async def test_what_a_hidden_field_carries_is_bounded(house: House, browser: Browser) -> None:
    document = asked(house).document
    assert unpack(pack(document)) == document
    bomb = pack({"x": "a" * 2_000_000})
    for text in ("", "x", "!", bomb, pack(document)[:-8], "A" * 300):
        with pytest.raises(FreeholdError):
            unpack(text)
    await browser.sign_in()
    for text in ("", "x", bomb):
        assert 400 <= (await browser.post("/my/connect", {"request": text})).status < 500
