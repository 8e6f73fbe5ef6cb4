"""Attacks that only a browser shows: pages of another port or site, what is put into a page, frames, the way back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from browsing import Enter, Visitor, address_of
from harness import ADA, PASSPHRASE, House, free_port, open_house, permission
from playwright.async_api import Response, Route, expect

pytestmark = pytest.mark.asyncio(loop_scope="session")
CARD = permission("delivery", ["name", "email"], required=True)
MORE = permission("more", ["telephone"], purpose="dpv:Marketing")
PORTS = ("localhost", "127.0.0.1")
"""A page of another port is of the same site as the dashboard by the first name, of another site by the second."""


@pytest_asyncio.fixture(loop_scope="session")
async def home(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path / "node") as made:
        await made.import_file(ADA, me="ada@example.com")
        yield made


@asynccontextmanager
async def open_evil(text: str, name: str) -> AsyncIterator[str]:
    """Serve a page of somebody else's at a port of its own; gives its address."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=f"<!doctype html><html lang=en>{text}", content_type="text/html")

    app, port = web.Application(), free_port()
    app.router.add_get("/{any:.*}", page)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"http://{name}:{port}"
    finally:
        await runner.cleanup()


async def still_in(person: Visitor) -> None:
    await person.go("/my/today")
    await expect(person.page.get_by_role("button", name="Sign out")).to_be_visible()


@pytest.mark.parametrize("name", PORTS)
@pytest.mark.parametrize("way", ["form", "sandbox", "data", "fetch"])
async def test_a_form_of_another_page_does_nothing(
    home: House, enter: Enter, caplog: pytest.LogCaptureFixture, name: str, way: str
) -> None:
    person = await enter(home)
    target = f"{address_of(home)}/my/settings/devices/sign-out"
    form = f"<form method=post action='{target}'><input name=csrf value=x><button>Win</button></form>"
    going = "<script>document.forms[0].submit()</script>"
    text = {
        "form": form + going,
        "sandbox": f'<iframe sandbox="allow-forms allow-scripts" srcdoc="{form}{going}"></iframe>',
        "data": f'<iframe src="data:text/html,{form.replace("#", "")}{going}"></iframe>',
        "fetch": f"<script>fetch('{target}', {{method: 'POST', mode: 'no-cors', credentials: 'include',"
        " headers: {'Content-Type': 'application/x-www-form-urlencoded'}, body: 'csrf=x'})</script>",
    }[way]
    person.allow(".*")
    with caplog.at_level(logging.INFO, "freehold_node.dashboard.door"):
        async with open_evil(text, name) as evil:
            await person.page.goto(evil)
            async with asyncio.timeout(15):
                while "401 foreign-form POST" not in caplog.messages:  # it came, and was refused
                    await asyncio.sleep(0.02)
    await still_in(person)
    assert len(await home.node.devices.listed()) == 1


@pytest.mark.parametrize("name", PORTS)
async def test_a_page_of_another_port_frames_nothing_and_draws_nothing_in(
    home: House, enter: Enter, name: str
) -> None:
    person = await enter(home)
    base = address_of(home)
    text = (
        f"<iframe src='{base}/my/today'></iframe><img src='{base}/my/data'>"
        f"<script src='{base}/my/requests'></script>"
        f"<script>new EventSource('{base}/my/live', {{withCredentials: true}});"
        f"fetch('{base}/my/ledger', {{credentials: 'include'}}).catch(() => 0)</script>"
    )
    person.allow(".*")
    seen: list[Response] = []
    person.page.on("response", lambda one: seen.append(one))
    async with open_evil(text, name) as evil:
        await person.page.goto(evil, wait_until="networkidle")
        drawn = {one.url: one.status for one in seen if await site_of(one) in ("same-site", "cross-site")}
        drawn.pop(f"{evil}/", None)
        assert name != "localhost" or drawn  # by this name the cookie came along, and is not enough
        assert set(drawn.values()) <= {303, 401}, drawn
        frame = next(one for one in person.page.frames if one != person.page.main_frame)
        assert "Today" not in await frame.content()
    await still_in(person)


# What was held back before is told when the browser comes to it, so also after this began to listen.
AWAY = """() => new Promise((done) => {
    document.addEventListener("securitypolicyviolation", (one) => {
        if (one.effectiveDirective === "form-action") done(one.blockedURI);
    });
    document.getElementById("away").submit();
})"""


async def site_of(response: Response) -> str | None:
    return (await response.request.all_headers()).get("sec-fetch-site")


INJECTED = """
<script>document.title = 'HIT'</script><img src=x onerror="document.title = 'HIT'">
<a id=run href="javascript:document.title='HIT'">run</a><base href="https://evil.example/">
<style>h1 { color: rgb(1, 2, 3) }</style><p id=styled style="color: rgb(1, 2, 3)">x</p>
<script src="https://evil.example/x.js"></script><iframe src="/my/today"></iframe>
<form id=away method=post action="http://127.0.0.1:9/"><button>away</button></form></main>
"""


async def test_what_is_put_into_a_page_does_not_run(home: House, enter: Enter) -> None:
    person = await enter(home)
    page = person.page

    async def inject(route: Route) -> None:
        answer = await route.fetch()
        text = (await answer.text()).replace("</main>", INJECTED)
        await route.fulfill(response=answer, body=text)

    person.allow(".*")
    await page.route("**/my/data", inject)
    await person.go("/my/data")
    await page.locator("#run").click()
    await expect(page.locator("#styled")).not_to_have_css("color", "rgb(1, 2, 3)")
    await expect(page.locator("h1")).not_to_have_css("color", "rgb(1, 2, 3)")
    assert (await page.evaluate(AWAY)).startswith("http://127.0.0.1:9")
    assert await page.title() != "HIT"
    assert page.url == f"{address_of(home)}/my/data"
    assert await page.evaluate("document.baseURI") == page.url
    assert not [one for one in page.frames if one != page.main_frame and "Today" in await one.content()]


@pytest.mark.parametrize("name", PORTS)
async def test_a_link_of_another_page_ticks_nothing(home: House, enter: Enter, name: str) -> None:
    person = await enter(home)
    path, _ = await home.ask(home.key(), [CARD, MORE])
    link = f"{address_of(home)}/my{path}?seen=1&give.1.1.1=1&give.2.1.1=1&said=approved"
    async with open_evil(f"<a href='{link}'>look</a>", name) as evil:
        await person.page.goto(evil)
        await person.page.get_by_text("look").click()
        await person.page.wait_for_url(f"**/my{path}")
    await expect(person.page.locator("[name='give.2.1.1']")).not_to_be_checked()
    await expect(person.page.locator(".notice-success")).to_have_count(0)


async def test_a_link_in_a_letter_ticks_nothing_even_by_another_language(home: House, enter: Enter) -> None:
    person = await enter(home)
    path, _ = await home.ask(home.key(), [CARD, MORE])
    await person.go(f"/my{path}?seen=1&give.1.1.1=1&give.2.1.1=1&said=approved")
    for _ in range(2):
        await expect(person.page.locator("[name='give.2.1.1']")).not_to_be_checked()
        await expect(person.page.locator(".notice-success")).to_have_count(0)
        await person.page.locator("button[name='language']").click()


async def test_what_was_ticked_comes_back_after_a_session_was_lost(home: House, enter: Enter) -> None:
    """The other side of it: where a page of ours leads, what the person had ticked is kept."""
    person = await enter(home)
    path, _ = await home.ask(home.key(), [CARD, MORE])
    await person.go(f"/my{path}")
    await person.page.locator("label[for^='give.2.1.1']").first.click()
    await home.node.devices.sign_out_everywhere()
    person.allow("401")
    await person.page.locator(f"form[action='/my{path}/review'] button.primary").first.click()
    await person.page.get_by_label("Passphrase").fill(PASSPHRASE)
    await person.page.locator("main form button.primary").first.click()
    await expect(person.page.locator("[name='give.2.1.1']")).to_be_checked()


async def test_going_back_after_signing_out_shows_nothing(home: House, enter: Enter) -> None:
    person = await enter(home)
    await person.go("/my/data")
    await expect(person.page.locator("main")).to_contain_text("Ada")
    await person.page.get_by_role("button", name="Sign out").click()
    await person.page.wait_for_url("**/my/enter*")
    await person.page.go_back()
    await expect(person.page.get_by_label("Passphrase")).to_be_visible()
    await expect(person.page.locator("body")).not_to_contain_text("Ada")


async def test_a_record_is_saved_and_not_opened(home: House, enter: Enter) -> None:
    person = await enter(home)
    record = (await home.own("GET", "/records"))["records"][0]["id"].removeprefix("urn:uuid:")
    await person.go(f"/my/data/records/{record}")
    async with person.page.expect_download() as download:
        await person.page.evaluate("path => { location.href = path }", f"/my/data/records/{record}/download")
    assert (await download.value).suggested_filename == f"record-{record[:8]}.json"
    assert person.page.url.endswith(record)


async def test_the_session_stays_with_its_name_and_its_scripts_do_not_see_it(
    home: House, enter: Enter
) -> None:
    person = await enter(home)
    assert await person.page.evaluate("document.cookie") == ""
    await person.page.goto(f"{home.base}/my/today")
    await expect(person.page.get_by_label("Passphrase")).to_be_visible()
    await still_in(person)
