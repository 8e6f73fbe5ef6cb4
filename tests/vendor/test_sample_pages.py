"""The pages of the sample shop and its courier, over HTTP as a browser would ask, at a real node."""

from __future__ import annotations

import asyncio
import html
import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from freehold_node.keystore import Keys
from freehold_protocol.encoding import Document
from freehold_vendor import VendorIdentity
from freehold_vendor.sample import page as sample_page
from freehold_vendor.sample.visit import Visit, Visits
from freehold_vendor.sample.wanted import WANTED
from harness import ADA, PASSPHRASE, House, open_house
from sample_process import Browser, Page, Sample, browser, running

pytestmark = pytest.mark.asyncio
ALL = WANTED[0].fields
HOME = "https://ada.example/my/today#first-steps"
MARKUP = "<script>alert(1)</script>"
HOSTILE = ADA.replace(b"FN:Ada Example", f"FN:{MARKUP}\u202egnp.exe".encode()).replace(
    b"1 Analytical Row", b"x" * 5000
)


@dataclass(slots=True)
class Stage:
    """A person's node, the shop, its courier, and a browser at the shop's page."""

    house: House
    shop: Sample
    courier: Sample
    browser: Browser
    grant: str = ""

    def permission(self, *without: str, partner: bool = True) -> Document:
        """Return the delivery as asked, without some fields, or without the courier."""
        made = WANTED[0].to_permission(self.courier.did if partner else None)
        made["items"][0]["fields"] = [path for path in ALL if path not in without]
        return made

    async def ask(self, browser: Browser | None = None) -> tuple[Page, str]:
        """Ask by invitation; return the page that came and the path of the request."""
        seen = browser or self.browser
        invitation = (await self.house.own("POST", "/invitations", {"label": "Shop"}))["url"]
        await seen.get(self.shop.url + "/shop")
        page = await seen.post(self.shop.url + "/shop/ask", {"invitation": f" {invitation} "})
        [request] = (await self.house.own("GET", "/requests?status=waiting"))["requests"]
        assert request["code"] in page.text
        return page, "/requests/" + str(request["id"])

    async def relate(self, *without: str) -> Page:
        _, path = await self.ask()
        self.grant = await self.house.approve(path, [self.permission(*without)])
        return await until(self.browser, self.shop.url + "/shop/order", "Your order")

    async def read(self) -> Page:
        return await self.browser.post(self.shop.url + "/shop/read")

    async def hand_over(self) -> Page:
        page = await self.browser.post(self.shop.url + "/shop/delegate")
        assert "as parcel 1" in page.text
        return page


async def until(browser: Browser, url: str, title: str) -> Page:
    """Look until the page of that title comes; each look waits for the decision."""
    async with asyncio.timeout(20):
        while (page := await browser.get(url)).title != title:
            assert page.status == 200, page.text
    return page


@pytest.fixture
def card() -> bytes:
    return ADA


@pytest_asyncio.fixture
async def stage(node_folder: Path, key_store: tuple[Path, Keys], card: bytes) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(open_house(node_folder, keys=key_store[1], real_time=True))
        await house.import_file(card, me="1")
        courier = await stack.enter_async_context(running("courier", "--name", "Fast Wheels", "--home", HOME))
        arguments = ("--name", "Corner Shop", "--courier", courier.url, "--node", house.base, "--home", HOME)
        shop = await stack.enter_async_context(running("shop", *arguments))
        yield Stage(house, shop, courier, await stack.enter_async_context(browser()))


async def test_from_the_first_look_to_the_end(stage: Stage) -> None:
    front = await stage.browser.get(stage.shop.url + "/")
    assert front.url == stage.shop.url + "/shop"
    assert "Corner Shop is invented and runs on this computer only" in front.text
    waiting, path = await stage.ask()
    assert (waiting.title, waiting.url) == ("Waiting for you", stage.shop.url + "/shop/order")
    stage.grant = await stage.house.approve(path, [stage.permission("birthDate")])

    order = await until(stage.browser, stage.shop.url + "/shop/order", "Your order")
    delivery = order.rows("of-delivery")
    assert (delivery["Name"], delivery["Town"]) == ("Ada Example", "Exampleton")
    assert delivery["Date of birth"] == "not shared"
    assert set(order.rows("of-marketing").values()) == {"not shared"}
    entries = await stage.house.own("GET", f"/grants/{stage.grant}/ledger")
    admitted = [one["entry"] for one in entries["entries"] if one["entry"]["kind"] == "admitted"]
    assert f"Line {admitted[-1]['number']} in your node's ledger" in order.text
    assert {one["permission"] for one in admitted} == {"delivery"}

    mistaken = await stage.browser.post(stage.shop.url + "/shop/ask", {"invitation": "nothing"})
    assert "You have an order here already" in mistaken.text
    assert "Nothing has changed" in (await stage.read()).text
    await stage.house.change(stage.grant, "narrow", [stage.permission("birthDate", "email")])
    narrowed = await stage.read()
    assert narrowed.rows("of-delivery")["E-mail"] == "no longer shared"
    assert "No longer shared: E-mail." in narrowed.text
    assert "your node refused: this is not shared" in narrowed.text
    assert "ada@example.com" not in narrowed.source
    again = await stage.read()
    assert "Nothing has changed" in again.text
    assert "your node refused: this is not shared" in again.text

    await stage.house.change(stage.grant, "end")
    ended = await stage.read()
    assert ended.title == "It has ended"
    assert "your node answered: the relationship has ended." in ended.text.lower().replace("what ", "")
    assert "still has of you: nothing" in ended.text
    assert "Ada Example" not in ended.source
    left = await stage.browser.post(stage.shop.url + "/shop/leave")
    assert left.title == "The storm lantern"
    assert "You have an order here" not in left.text


@pytest.mark.requirement("DSH-71")
async def test_every_page_leads_back_to_the_node_and_says_what_comes_next(stage: Stage) -> None:
    def leads(page: Page, next_: str) -> None:
        assert f'<a href="{HOME}" id="to-node">' in page.source
        assert next_ in page.text

    shop, driver = stage.shop.url, stage.browser
    leads(await driver.get(shop + "/shop"), "Next: press “Connect your data”")
    leads(await driver.post(shop + "/shop/connect", {"node": stage.house.base}), "Next: compare the code")
    leads(await driver.get(shop + "/shop/nowhere"), "There is no such page here")
    leads(await driver.get(stage.courier.url + "/courier"), "Next: hand the delivery over")
    waiting, path = await stage.ask()
    leads(waiting, "Next: decide at your node")
    stage.grant = await stage.house.approve(path, [stage.permission("birthDate")])
    leads(await until(driver, shop + "/shop/order", "Your order"), "Now untick your address")
    leads(await driver.get(shop + "/shop"), "Next: go to your order")
    await stage.house.change(stage.grant, "narrow", [stage.permission("birthDate", *ALL[1:5])])
    leads(await stage.read(), "Next: press “Hand the delivery to the courier”")
    leads(await stage.hand_over(), "Next: see the courier's page")
    leads(desk := await driver.get(stage.courier.url + "/courier"), "Next: press “Look up where it goes”")
    looked = {"form": desk.token, "parcel": "1"}
    leads(await driver.post(stage.courier.url + "/courier/read", looked), "Next: end the relationship")
    await stage.house.change(stage.grant, "pause")
    leads(await driver.get(shop + "/shop/order"), "Next: let it go on at your node")
    await stage.house.change(stage.grant, "end")
    leads(await stage.read(), "Next: remove the sample")


async def test_without_a_node_to_lead_back_to_there_is_no_such_link() -> None:
    async with running("shop") as shop, browser() as driver:
        page = await driver.get(shop.url + "/shop")
        assert page.title == "The storm lantern"
        assert "to-node" not in page.source


async def test_the_courier_reads_what_is_handed_to_it_until_the_person_says_no(stage: Stage) -> None:
    await stage.relate("birthDate", "email")
    async with browser() as driver:
        desk = await driver.get(stage.courier.url + "/")
        assert "Nothing was handed over yet" in desk.text
        order = await stage.hand_over()
        assert f'href="{stage.courier.url}/courier"' in order.source
        await driver.get(stage.courier.url + "/courier")

        async def look() -> Page:
            return await driver.post(stage.courier.url + "/courier/read", {"parcel": "1"})

        looked = await look()
        assert looked.rows()["Name"] == "Ada Example"
        assert "E-mail" not in looked.rows()
        await stage.house.change(stage.grant, "narrow", [stage.permission("birthDate", "email", "name")])
        assert (await look()).rows()["Name"] == "no longer shared"
        alone = stage.permission("birthDate", "email", "name", partner=False)
        await stage.house.change(stage.grant, "narrow", [alone])
        taken = await look()
        assert "refused" in taken.text
        assert taken.rows() == {}
        assert (await stage.read()).rows("of-delivery")["Town"] == "Exampleton"
        await stage.house.change(stage.grant, "end")
        ended = await look()
        assert "the relationship has ended" in ended.text
        assert "has kept nothing" in ended.text
        assert (await driver.post(stage.courier.url + "/courier/read", {"parcel": "2"})).status == 404


async def test_a_pause_is_shown_and_passes(stage: Stage) -> None:
    await stage.relate()
    await stage.house.change(stage.grant, "pause")
    paused = await stage.read()
    assert (paused.title, paused.rows()) == ("You have paused it", {})
    assert "access is paused" in paused.text
    await stage.house.change(stage.grant, "resume")
    assert (await stage.read()).rows("of-delivery")["Name"] == "Ada Example"


async def test_a_no_is_shown_with_its_words_and_is_the_end_of_it(stage: Stage) -> None:
    _, path = await stage.ask()
    await stage.house.own("POST", f"{path}/refuse", {"reason": f"No. {MARKUP}"})
    page = await until(stage.browser, stage.shop.url + "/shop/order", "You said no")
    assert f"No. {MARKUP}" in page.text
    assert MARKUP not in page.source


@pytest.mark.parametrize("card", [HOSTILE], ids=["hostile"])
async def test_hostile_values_are_text_of_bounded_length(stage: Stage) -> None:
    page = await stage.relate()
    assert MARKUP in page.rows("of-delivery")["Name"]
    assert MARKUP not in page.source
    assert "\u202e" not in page.source
    assert "x" * 200 + "…" in page.rows("of-delivery")["Street and number"]
    assert "x" * 201 not in page.source


async def test_a_page_hears_of_a_change_and_two_people_do_not_meet(stage: Stage) -> None:
    await stage.relate()
    async with browser() as other:
        for path in ("/shop/order", "/shop/read"):
            assert (await other.get(stage.shop.url + path)).title == "The storm lantern"
        assert (await other.get(stage.shop.url + "/shop/live")).status == 404
        asked, second = await stage.ask(other)
        assert asked.title == "Waiting for you"
        assert "Ada Example" not in asked.source
        await stage.house.own("POST", f"{second}/refuse", {})
        await until(other, stage.shop.url + "/shop/order", "You said no")
    assert (await stage.read()).title == "Your order"
    since = (await stage.read()).source.partition('data-since="')[2].partition('"')[0]
    async with stage.browser.session.get(f"{stage.shop.url}/shop/live?since={since}") as live:
        assert (live.status, live.content_type) == (200, "text/event-stream")
        await stage.house.change(stage.grant, "narrow", [stage.permission("birthDate")])
        async with asyncio.timeout(20):
            assert await heard(live) == "look"
        await stage.house.change(stage.grant, "end")
        async with asyncio.timeout(20):
            while (said := await heard(live)) == "look":
                pass
        assert said == "over"


async def heard(live: aiohttp.ClientResponse) -> str:
    """Return the kind of the next event, which carries no data."""
    while line := (await live.content.readline()).decode().strip("\n"):
        if line.startswith("event: "):
            assert await live.content.readline() == b"data:\n"
            await live.content.readline()
            return line.removeprefix("event: ")
        await live.content.readline()
    return "end"


async def carry(stage: Stage, page: Page) -> str:
    """Do what the node does with the form that a browser brings; return the path of the request."""
    value = re.search(r'name="request" value="([^"]*)"', page.source)
    assert value is not None
    request = json.loads(html.unescape(value[1]))
    taken = await stage.house.own("POST", "/requests", {"request": request})
    [one] = (await stage.house.own("GET", "/requests?status=waiting"))["requests"]
    assert one["code"] in page.text, taken
    return "/requests/" + str(one["id"])


async def test_a_browser_carries_the_request_and_comes_back(stage: Stage) -> None:
    url = stage.shop.url + "/shop"
    front = await stage.browser.get(url)
    assert f'value="{stage.house.base}"' in front.source
    page = await stage.browser.post(url + "/connect", {"node": stage.house.base})
    assert page.title == "On to your node"
    assert f'<form method="post" action="{stage.house.base}/connect"' in page.source
    port = stage.house.base.rpartition(":")[2]
    policy = page.headers["Content-Security-Policy"]
    assert policy.endswith(f"form-action 'self' http://127.0.0.1:{port} http://localhost:{port}")
    path = await carry(stage, page)
    assert (await stage.browser.get(url + "/order")).title == "Waiting for you"

    draft = await stage.house.own("POST", f"{path}/draft", {"permissions": [stage.permission()]})
    approval = {"digest": draft["digest"], "passphrase": PASSPHRASE}
    back = (await stage.house.own("POST", f"{path}/approve", approval))["returnTo"]
    assert back.startswith(url + "/return?")
    async with browser() as other:
        for visit in ("none", "one of its own"):
            led = await other.get(back)
            assert "this browser was not given" in led.text, visit
            assert "Ada Example" not in led.source
            await other.get(url)
            await other.post(url + "/connect", {"node": stage.house.base})
    cross = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    order = await stage.browser.get(back, **cross)
    assert (order.title, order.url) == ("Your order", url + "/order")
    assert order.rows("of-delivery")["Name"] == "Ada Example"
    assert (await stage.browser.get(back + "&freehold-code=x")).status == 400
    assert (await stage.browser.get(back)).title == "Your order"


async def test_a_way_back_that_is_too_old_can_be_gone_again(stage: Stage) -> None:
    url = stage.shop.url + "/shop"
    await stage.browser.get(url)
    path = await carry(stage, await stage.browser.post(url + "/connect", {"node": stage.house.base}))
    draft = await stage.house.own("POST", f"{path}/draft", {"permissions": [stage.permission()]})
    approval = {"digest": draft["digest"], "passphrase": PASSPHRASE}
    first = (await stage.house.own("POST", f"{path}/approve", approval))["returnTo"]
    second = (await stage.house.own("POST", f"{path}/return", {}))["returnTo"]
    await stage.browser.get(first)
    late = await until(stage.browser, url + "/order", "The request came to nothing")
    assert "used already, or took too long" in late.text
    await stage.browser.get(second)
    assert (await until(stage.browser, url + "/order", "Your order")).rows("of-delivery")[
        "Name"
    ] == "Ada Example"


async def test_a_no_is_brought_back_too(stage: Stage) -> None:
    url = stage.shop.url + "/shop"
    await stage.browser.get(url)
    home = stage.house.base.replace("http://127.0.0.1", "localhost")
    page = await stage.browser.post(url + "/connect", {"node": home})
    assert f'action="http://{home}/connect"' in page.source
    path = await carry(stage, page)
    await stage.house.own("POST", f"{path}/refuse", {})
    await stage.browser.get((await stage.house.own("POST", f"{path}/return", {}))["returnTo"])
    assert (await until(stage.browser, url + "/order", "You said no")).rows() == {}


async def test_a_shop_that_cannot_ask_says_what_to_do(stage: Stage) -> None:
    url = stage.shop.url + "/shop"
    await stage.browser.get(url)
    for invitation, reason in (
        ("http://127.0.0.1:1/i/nobody", "there was no answer"),
        (stage.house.base + "/i/nobody", "there is nothing here"),
        ("not an address", "not an address of that kind"),
        (MARKUP, "not an address of that kind"),
    ):
        page = await stage.browser.post(url + "/ask", {"invitation": invitation})
        assert (page.status, page.title) == (422, "The storm lantern")
        assert reason in page.text
        assert MARKUP not in page.source
        assert "You have an order here" not in page.text
    for node in (
        "",
        "http://node.example",
        "ftp://127.0.0.1",
        "https://a;script-src *",
        "http://127.0.0.1:1 *",
        MARKUP,
    ):
        page = await stage.browser.post(url + "/connect", {"node": node})
        assert (page.status, page.title) == (422, "The storm lantern"), node
        assert MARKUP not in page.source
    assert (await stage.browser.get(url + "/order")).url == url


SEND = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Origin": "http://evil.example"}, "form={form}", 403),
        ({"Origin": "null"}, "form={form}", 403),
        ({"Origin": "http://127.0.0.1:1"}, "form={form}", 403),
        ({}, "form={form}", 403),
        ({"Sec-Fetch-Site": "same-site"}, "form={form}", 403),
        ({"Sec-Fetch-Site": "same-origin", "Host": "evil.example"}, "form={form}", 403),
        ({"Sec-Fetch-Site": "same-origin", "Host": "127.0.0.1"}, "form={form}", 403),
        ({"Sec-Fetch-Site": "same-origin"}, "form=AAAA", 403),
        ({"Sec-Fetch-Site": "same-origin"}, "", 403),
        ({"Sec-Fetch-Site": "same-origin"}, "form={form}&form={form}", 400),
        ({"Sec-Fetch-Site": "same-origin"}, "&".join("abcdefghijk"), 400),
        ({"Sec-Fetch-Site": "same-origin"}, "form=%ff", 400),
        ({"Sec-Fetch-Site": "same-origin"}, "form=" + "A" * 5000, 413),
        ({"Sec-Fetch-Site": "same-origin", "Content-Type": "text/plain"}, "form={form}", 400),
        ({"Sec-Fetch-Site": "same-origin"}, "form={form}", 303),
    ],
)
async def test_a_form_that_was_not_sent_from_its_own_page_does_nothing(
    headers: dict[str, str], body: str, status: int
) -> None:
    async with running("shop") as shop, browser() as seen:
        page = await seen.get(shop.url + "/shop")
        data = body.replace("{form}", page.token)
        async with seen.session.post(
            shop.url + "/shop/leave", data=data, headers=SEND | headers, allow_redirects=False
        ) as answer:
            assert answer.status == status, await answer.text()


async def test_a_form_of_one_visitor_is_no_form_of_another() -> None:
    async with running("shop") as shop, browser() as one, browser() as other:
        await one.get(shop.url + "/shop")
        await other.get(shop.url + "/shop")
        page = await other.post(shop.url + "/shop/leave", {"form": one.page.token})
        assert (page.status, page.title) == (403, "This did not work")


@pytest.mark.parametrize("name", ["shop", "courier"])
async def test_what_every_page_tells_the_browser(name: str) -> None:
    async with running(name) as sample, browser() as seen:
        for path, status in {f"/{name}": 200, f"/{name}/nowhere": 404, "/static/sample.css": 200}.items():
            page = await seen.get(sample.url + path)
            assert page.status == status
            policy = page.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self'")
            assert "unsafe" not in policy
            assert "frame-ancestors 'none'" in policy
            assert page.headers["X-Content-Type-Options"] == "nosniff"
            assert page.headers["Referrer-Policy"] == "same-origin"
        cookie = (await seen.session.get(sample.url + f"/{name}?lang=de")).headers.getall("Set-Cookie")
        assert all("HttpOnly" in one and "SameSite=Lax" in one for one in cookie)
        assert not any(word in seen.page.source for word in (" style=", " onclick", "<script>", "<style"))


async def test_who_may_look_at_a_page() -> None:
    async with running("shop") as shop, browser() as seen:
        for headers, status in (
            ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, 200),
            ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
            ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}, 403),
            ({"Host": "evil.example"}, 403),
            ({"Origin": "http://evil.example"}, 403),
        ):
            assert (await seen.get(shop.url + "/shop", **headers)).status == status, headers
        port = shop.url.rpartition(":")[2]
        host = {"Host": f"localhost:{port}"}
        async with seen.session.get(
            shop.url + "/shop?lang=de", headers=host, allow_redirects=False
        ) as answer:
            assert (answer.status, answer.headers["Location"]) == (307, shop.url + "/shop?lang=de")
        async with seen.session.get(shop.url + "/", headers={"Accept": "*/*"}) as answer:
            assert (await answer.json())["name"] == "Sample Shop"
        for path in ("/static/base.html", "/static/..%2Fdoor.py"):
            assert (await seen.get(shop.url + path)).status == 404


@pytest.mark.parametrize(
    ("wish", "language"),
    [
        ("", "en"), ("de", "de"), ("de-AT,en;q=0.5", "de"), ("fr, de;q=0.3, en;q=0.9", "en"), ("x" * 9000, "en"),
        ("de;q=nan", "en"), (",".join(["fr"] * 50) + ",de", "en"),
    ],
)  # fmt: skip
async def test_the_language_is_what_the_browser_asks_for_until_it_is_switched(
    wish: str, language: str
) -> None:
    async with running("courier") as courier, browser() as seen:
        url = courier.url + "/courier"
        wished = {"Accept-Language": wish[:4000]}
        assert (await seen.get(url, **wished)).headers["Content-Language"] == language
        other = {"en": "de", "de": "en"}[language]
        assert (await seen.get(f"{url}?lang={other}")).headers["Content-Language"] == other
        assert (await seen.get(url, **wished)).headers["Content-Language"] == other


async def test_visits_are_bounded_and_what_is_forgotten_is_told_so() -> None:
    visits = Visits(VendorIdentity.generate("Shop"), most=2)

    async def begin(visitor: str) -> Visit:
        visit = await visits.open()
        await visits.put(visitor, visit)
        return visit

    first, second = await begin("a"), await begin("b")
    assert visits.find("a") is first
    waiting = asyncio.create_task(second.news.since(second.news.count))
    await asyncio.sleep(0)
    await begin("c")
    await waiting
    assert (visits.find("b"), second.is_over, visits.find("a")) == (None, True, first)
    again = await begin("a")
    assert (first.is_over, visits.find("a")) == (True, again)
    await visits.close()
    assert visits.find("a") is None


async def test_both_languages_say_the_same() -> None:
    english, german = sample_page.texts("en"), sample_page.texts("de")
    assert english.keys() == german.keys()

    def filled(text: str) -> set[Any]:
        return {part.partition("}")[0] for part in text.split("{")[1:]}

    assert {key for key in english if filled(english[key]) != filled(german[key])} == set()
    assert {f"field.{path}" for one in WANTED for path in one.fields} <= english.keys()
    assert json.dumps(dict(german)).count("{") == json.dumps(dict(english)).count("{")
