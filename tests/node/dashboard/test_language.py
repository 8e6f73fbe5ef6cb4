"""Changing the language on a page with a form: what was filled in stays, and nothing of it is done."""

from __future__ import annotations

import json
import re

import pytest
from browse import Browser, Seen, open_browser
from carrying import carried
from freehold_node.dashboard.switching import KEPT_US, Forms
from harness import PASSPHRASE, House, permission

pytestmark = pytest.mark.with_ada

ASKED = [
    permission("delivery", ["name", "address.postalCode"], required=True),
    permission("news", ["email"], purpose="dpv:DirectMarketing"),
]


async def card(house: House) -> str:
    path, _ = await house.ask(house.key(), ASKED)
    return f"/my{path}"


async def switched(browser: Browser, page: Seen, changed: dict[str, str | None], to: str = "de") -> Seen:
    """Fill in the form that the switch belongs to, and press the switch."""
    return await browser.submit(page.form(having="language"), changed, button=f"language={to}")


def is_german(page: Seen) -> bool:
    return 'lang="de"' in page.html.partition("<head>")[0]


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-18")
async def test_ticks_of_the_card_stay(house: House, browser: Browser) -> None:
    path = await card(house)
    changed = {"give.1.1.1": None, "give.2.1.1": "1", "reads.2": "7", "until": "2026-12-01"}
    page = await switched(browser, await browser.get(path), changed)
    form = page.form(f"{path}/review")
    assert is_german(page)
    assert (form.boxes["give.1.1.1"], form.boxes["give.1.1.2"], form.boxes["give.2.1.1"]) == (
        False,
        True,
        True,
    )
    assert (form.fields["reads.2"], form.fields["until"]) == ("7", "2026-12-01")
    back = await switched(browser, page, {"give.1.1.2": None}, to="en")
    assert not is_german(back)
    form = back.form(f"{path}/review")
    assert {name for name, ticked in form.boxes.items() if ticked and name[:3] != "day"} == {"give.2.1.1"}
    assert (await house.own("GET", path.removeprefix("/my")))["status"] == "waiting"


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-18")
async def test_the_second_look_stays_the_second_look(house: House, browser: Browser) -> None:
    path = await card(house)
    page = await browser.get(path)
    look = await browser.submit(page.form(f"{path}/review"), {"give.1.1.1": None, "give.2.1.1": "1"})
    page = await switched(browser, look, {"passphrase": PASSPHRASE})
    assert is_german(page)
    assert PASSPHRASE not in page.html
    assert await house.own("GET", "/grants") == {"grants": []}
    await browser.submit(page.form(f"{path}/approve"), {"passphrase": PASSPHRASE})
    (grant,) = (await house.own("GET", "/grants"))["grants"]
    fields = [one["items"][0]["fields"] for one in grant["permissions"]]
    assert fields == [["address.postalCode"], ["email"]]


PLACES: dict[str, tuple[str, dict[str, str | None]]] = {
    "/my/requests": ("/my/requests/invite", {"label": "The bakery"}),
    "/my/data/add/Person": ("/my/data/add/Person", {"name.1": "Grace"}),
    "/my/settings/addresses": ("/my/settings/addresses", {"origin": "https://ada.example"}),
    "/my/relationships/GRANT": ("/my/relationships/GRANT/boxes", {"give.delivery.1.name": None}),
    "/my/relationships/GRANT/limits": (
        "/my/relationships/GRANT/limits",
        {"reads.1": "55555", "day.1.Mo": None, "from.1": "08:00"},
    ),
    "/my/data/records/SELF/edit": ("/my/data/records/SELF/edit", {"name.1": "Ada of the Hill"}),
}


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-18")
@pytest.mark.requirement("DSH-19")
@pytest.mark.parametrize("place", PLACES)
async def test_what_was_filled_in_stays(house: House, browser: Browser, place: str) -> None:
    held = await house.relate(ASKED[:1])
    me = (await house.own("GET", "/status"))["self"]["id"].removeprefix("urn:uuid:")
    action, wanted = PLACES[place]
    real = {"GRANT": held.grant, "SELF": me}
    for name, value in real.items():
        place, action = place.replace(name, value), action.replace(name, value)
    page = await browser.get(place)
    form = page.form(action)
    names = {
        next((one for one in {*form.fields, *form.boxes} if one.endswith(name)), name): value
        for name, value in wanted.items()
    }
    page = await switched(browser, page, names)
    assert is_german(page)
    form = page.form(action)
    for name, value in names.items():
        assert form.fields.get(name) == value, name
        assert value is None or value not in page.url
    assert re.fullmatch(r".*\?filled=[A-Za-z0-9_-]{20,64}", page.url)


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-18")
async def test_the_other_form_of_a_page_says_that_it_is_lost(house: House, browser: Browser) -> None:
    held = await house.relate(ASKED[:1])
    page = await browser.get(f"/my/relationships/{held.grant}")
    assert page.html.count("<noscript>") == 1
    until = page.html[page.html.index(f'action="/my/relationships/{held.grant}/until"') :]
    assert "what you filled in here is lost" in until.partition("</form>")[0]


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-18")
async def test_whoever_is_not_signed_in_keeps_what_they_came_with(house: House, browser: Browser) -> None:
    path = await card(house)
    form = (await browser.get(path)).form(f"{path}/review")
    await house.node.devices.sign_out_everywhere()
    lost = await browser.submit(form, {"give.2.1.1": "1"})
    page = await switched(browser, lost, {})
    assert is_german(page)
    page = await browser.submit(page.form("/my/enter"), {"passphrase": PASSPHRASE})
    assert page.form(f"{path}/review").boxes["give.2.1.1"]


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-18")
async def test_a_request_that_is_carried_stays(house: House, browser: Browser) -> None:
    request = carried(house, house.key(), ASKED)
    body = {"request": json.dumps(request.document)}
    page = await switched(browser, await browser.post("/connect", body), {})
    assert is_german(page)
    assert request.vendor_name in page.text
    page = await browser.submit(page.form("/my/connect"))
    assert "/my/requests/" in page.url


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-19")
async def test_it_is_kept_for_this_session_and_for_a_while(house: House, browser: Browser) -> None:
    path = await card(house)
    page = await switched(browser, await browser.get(path), {"give.2.1.1": "1"})
    address = page.url.removeprefix(browser.base)

    async def is_ticked(who: Browser, headers: dict[str, str] | None = None) -> bool:
        return (await who.get(address, headers=headers)).form(f"{path}/review").boxes["give.2.1.1"]

    assert await is_ticked(browser)
    assert not await is_ticked(browser, {"Sec-Fetch-Site": "none"})
    async with open_browser(house) as other:
        await other.sign_in()
        assert not await is_ticked(other)
    assert "ist nicht mehr da" not in (await browser.get(address)).text
    assert house.clock is not None
    house.clock.advance(KEPT_US // 1_000_000)
    assert not await is_ticked(browser)
    assert "ist nicht mehr da" in (await browser.get(address)).text


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-19")
async def test_what_was_ticked_on_one_page_ticks_nothing_on_another(house: House, browser: Browser) -> None:
    path, other = await card(house), await card(house)
    page = await switched(browser, await browser.get(path), {"give.2.1.1": "1"})
    _, _, key = page.url.partition("?filled=")
    assert (await browser.get(f"{path}?filled={key}")).form(f"{path}/review").boxes["give.2.1.1"]
    assert not (await browser.get(f"{other}?filled={key}")).form(f"{other}/review").boxes["give.2.1.1"]


@pytest.mark.asyncio
async def test_no_query_of_a_page_is_in_the_way(house: House, browser: Browser) -> None:
    page = await browser.get("/my/requests?path=/evil&self=x&said=approved&status=9&label=L%26M")
    page = await switched(browser, page, {})
    assert (page.status, page.form("/my/requests/invite").fields["label"]) == (200, "L&M")
    assert page.url.startswith(f"{browser.base}/my/requests?path=%2Fevil&self=x")


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-19")
async def test_it_is_forgotten_with_the_session_and_when_there_is_more(
    house: House, browser: Browser
) -> None:
    path = await card(house)
    page = await browser.get(path)
    for _ in range(25):
        await switched(browser, page, {"give.2.1.1": "1"})
    assert len(house.node.filled._kept) == 20
    await browser.submit(page.form("/my/sign-out"))
    assert not house.node.filled._kept


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-19")
async def test_a_secret_is_not_kept(house: House, browser: Browser) -> None:
    await house.relate(ASKED[:1])
    page = await browser.get("/my/settings/addresses")
    await switched(browser, page, {"origin": "https://a.example", "passphrase": PASSPHRASE})
    (held,) = house.node.filled._kept.values()
    assert PASSPHRASE not in str(held)
    assert page.form("/my/sign-out").fields["csrf"] not in str(held)


@pytest.mark.asyncio
async def test_a_form_of_another_session_is_not_kept(house: House, browser: Browser) -> None:
    page = await browser.get(await card(house))
    fields = {**page.form(having="language").fields, "csrf": "another", "language": "de"}
    seen = await browser.post("/my/language", fields)
    assert seen.status == 401
    assert not house.node.filled._kept


@pytest.mark.requirement("DSH-19")
@pytest.mark.parametrize(
    ("inside", "default"),
    [
        ('<input id="a" name="a"><button class="button primary">Save</button>', ""),
        ('<button class="x" name="do" value="save">S</button><input id="a">', ' name="do" value="save"'),
        ('<select></select><button form="cancel">C</button><button type="button">B</button>', ""),
    ],
)
def test_the_enter_key_presses_what_it_did(inside: str, default: str) -> None:
    forms = Forms()
    assert forms.place(inside).id == "filled-in"
    assert forms.default == default


@pytest.mark.parametrize(
    "inside",
    [
        '<input type="hidden" name="a" value="b">',
        '<input id="p" type="password">',
        '<input type="file">',
        "<button>",
    ],
)
def test_a_form_without_anything_to_keep_is_not_the_one(inside: str) -> None:
    forms = Forms()
    assert not forms.place(inside, "here").is_other
    assert forms.first == ""
