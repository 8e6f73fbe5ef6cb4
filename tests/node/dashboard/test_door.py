"""What stands before every page: names, sessions, forms, headers."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from urllib.parse import urlencode

import pytest
from browse import Browser, Seen, open_browser
from freehold_node.dashboard.page import HEADERS
from freehold_node.dashboard.routes import PAGES, PageRoute
from freehold_node.inspection import Inspection
from freehold_node.keystore import open_keystore
from harness import PASSPHRASE, House, free_port, open_house

pytestmark = pytest.mark.signed_out


def plain(path: str) -> str:
    """Return a path of this template that leads to nothing."""
    for part in ("{link:[A-Za-z0-9_-]{20,60}}", "{rest:.*}"):
        path = path.replace(part, "x" * 30)
    while "{" in path:
        head, _, rest = path.partition("{")
        depth, index = 1, 0
        while depth:
            depth += {"{": 1, "}": -1}.get(rest[index], 0)
            index += 1
        path = head + "none.css" * ("static" in head) + "0" * ("static" not in head) + rest[index:]
    return path


@pytest.mark.requirement("DSH-12", "DSH-17", "HTTP-5", "HTTP-6", "HTTP-8")
@pytest.mark.asyncio
@pytest.mark.parametrize("route", PAGES, ids=lambda route: f"{route.method} {route.path}")
async def test_every_answer_has_the_headers_and_a_stranger_sees_nothing(
    house: House, browser: Browser, route: PageRoute
) -> None:
    path = plain(route.path)
    if route.method == "POST":
        seen = await browser.post(path, {}, follow=False)
    else:
        seen = await browser.get(path, follow=False)
    assert not {"Date", "Server"} & set(seen.headers)
    assert seen.headers["Cache-Control"] == "no-store"
    if seen.status == 303:
        assert seen.headers["Location"].startswith("/my/")
        return
    assert {name: seen.headers.get(name) for name in HEADERS} == HEADERS
    assert not seen.headers.get("Set-Cookie", "").startswith(f"freehold-{house.node.config.port}=")
    assert house.node.owner not in seen.html


def who_is_in(seen: Seen) -> bool:
    """Whether a page is one that only the person sees."""
    return seen.status == 200 and any(form.action == "/my/sign-out" for form in seen.forms)


@pytest.mark.requirement("DSH-7")
@pytest.mark.asyncio
async def test_a_person_enters_by_a_link_once(browser: Browser) -> None:
    page = await browser.get(f"/my/enter/{browser.house.node.devices.new_link()}")
    form = page.form("/my/enter/link")
    await browser.get(page.url)  # looking at it does not use it up
    assert who_is_in(await browser.submit(form))
    async with open_browser(browser.house) as other:
        again = await other.submit(form)
        assert again.status == 403
        assert not who_is_in(await other.get("/my/today"))


@pytest.mark.requirement("DSH-7")
@pytest.mark.asyncio
async def test_a_link_is_good_for_a_quarter_of_an_hour(house: House, browser: Browser) -> None:
    assert house.clock
    late, good = house.node.devices.new_link(), house.node.devices.new_link()
    house.clock.advance(15 * 60 - 1)
    assert who_is_in(await browser.post("/my/enter/link", {"link": good}))
    house.clock.advance(1)
    assert (await browser.post("/my/enter/link", {"link": late})).status == 403


@pytest.mark.requirement("DSH-7", "DSH-8")
@pytest.mark.asyncio
async def test_nothing_is_proved_by_a_link(house: House, browser: Browser) -> None:
    await browser.sign_in()
    assert (await house.node.store.read(lambda reader: reader.sessions(house.node.owner)))[0].proved_us == 0


@pytest.mark.requirement("DSH-1")
@pytest.mark.asyncio
@pytest.mark.parametrize(
    "host", ["evil.example", "localhost", "localhost:1", "127.0.0.1", "127.0.0.2:{port}", "x@{host}"]
)
async def test_under_another_name_nothing_is_shown(browser: Browser, host: str) -> None:
    await browser.sign_in()
    port = browser.house.node.config.port
    for path in ("/", "/my/today", "/my/enter", "/my/static/freehold.css"):
        seen = await browser.get(
            path, headers={"Host": host.format(port=port, host=f"localhost:{port}")}, follow=False
        )
        assert seen.status == 421, (host, path)


@pytest.mark.requirement("DSH-1")
@pytest.mark.asyncio
async def test_it_answers_where_it_listens_and_as_localhost(browser: Browser) -> None:
    port = browser.house.node.config.port
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"LOCALHOST:{port}"):
        assert (await browser.get("/my/enter", headers={"Host": host})).status == 200


FOREIGN: dict[str, dict[str, str]] = {
    "another site": {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    "another port of this computer": {"Origin": "http://localhost:1", "Sec-Fetch-Site": "same-site"},
    "the node under its other name": {"Origin": "http://127.0.0.1:{port}", "Sec-Fetch-Site": "cross-site"},
    "a page without an origin": {"Origin": "null"},
    "a form that a browser calls foreign": {"Sec-Fetch-Site": "cross-site"},
    "a link that a person typed": {"Sec-Fetch-Site": "none"},
    "a longer name": {"Origin": "http://localhost:{port}.evil.example"},
    "https in place of http": {"Origin": "https://localhost:{port}"},
}


@pytest.mark.requirement("DSH-2")
@pytest.mark.asyncio
@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
async def test_a_form_from_elsewhere_does_nothing(browser: Browser, headers: dict[str, str]) -> None:
    today = await browser.sign_in()
    form = today.form("/my/sign-out")
    port = browser.house.node.config.port
    sent = {name: value.format(port=port) for name, value in headers.items()}
    refused = await browser.post(form.action, form.fields, headers=sent, follow=False)
    assert refused.status == 401
    assert who_is_in(await browser.get("/my/today"))


@pytest.mark.requirement("DSH-2")
@pytest.mark.asyncio
async def test_a_browser_that_sends_no_origin_is_known_by_the_page_it_came_from(browser: Browser) -> None:
    today = await browser.sign_in()
    form = today.form("/my/sign-out")
    body = urlencode(form.fields)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    for referer, status in (
        ("https://evil.example/my/today", 401),
        (None, 401),
        (browser.base + "/my/today", 303),
    ):
        headers = kind | ({"Referer": referer} if referer else {})
        async with browser.session.post(
            browser.base + form.action, data=body, headers=headers, allow_redirects=False
        ) as answer:
            assert answer.status == status, referer


@pytest.mark.requirement("DSH-2")
@pytest.mark.asyncio
@pytest.mark.parametrize("csrf", ["", "x", "of another session"])
async def test_a_form_of_no_or_another_session_does_nothing(
    house: House, browser: Browser, csrf: str
) -> None:
    await browser.sign_in()
    if csrf == "of another session":
        async with open_browser(house) as other:
            csrf = (await other.sign_in()).form("/my/sign-out").fields["csrf"]
    assert (await browser.post("/my/sign-out", {"csrf": csrf})).status == 401
    assert who_is_in(await browser.get("/my/today"))


@pytest.mark.requirement("DSH-3")
@pytest.mark.asyncio
async def test_a_form_is_bounded(browser: Browser) -> None:
    await browser.sign_in()
    assert (await browser.post("/my/sign-out", {"x": "y" * 300_000})).status == 413
    assert (await browser.post("/my/sign-out", {f"x{n}": "" for n in range(3000)})).status == 400
    other = {"Origin": browser.base, "Content-Type": "application/json"}
    async with browser.session.post(browser.base + "/my/sign-out", data="{}", headers=other) as answer:
        assert answer.status == 400
    assert who_is_in(await browser.get("/my/today"))


@pytest.mark.requirement("DSH-4")
@pytest.mark.asyncio
async def test_what_was_filled_in_comes_back_after_signing_in(browser: Browser) -> None:
    sent = {
        "here": "/my/requests/1?a=b",
        "csrf": "old",
        "passphrase": "secret words",
        "give.delivery.name": "on",
    }
    asked = await browser.post("/my/sign-out", sent)
    assert asked.status == 401
    assert "secret words" not in asked.html
    form = asked.form("/my/enter")
    assert form.fields["then"] == "/my/requests/1?give.delivery.name=on"
    answer = await browser.submit(form, {"passphrase": PASSPHRASE}, follow=False)
    assert answer.headers["Location"] == form.fields["then"]


@pytest.mark.requirement("DSH-4")
@pytest.mark.asyncio
@pytest.mark.parametrize(
    "then",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/my/\\evil",
        "/my/x\ny",
        "",
        "/owner/status",
    ],
)
async def test_signing_in_leads_nowhere_else(browser: Browser, then: str) -> None:
    answer = await browser.post("/my/enter", {"passphrase": PASSPHRASE, "then": then}, follow=False)
    assert answer.status == 303
    assert answer.headers["Location"] in ("/my/today", "/my/%0A")


@pytest.mark.requirement("DSH-8")
@pytest.mark.asyncio
async def test_the_passphrase_lets_the_person_in(browser: Browser) -> None:
    form = (await browser.get("/my/today")).form("/my/enter")
    assert (await browser.submit(form, {"passphrase": "not it"})).status == 403
    assert who_is_in(await browser.submit(form, {"passphrase": PASSPHRASE}))


@pytest.mark.requirement("DSH-9")
@pytest.mark.asyncio
async def test_who_guesses_waits(house: House, browser: Browser) -> None:
    assert house.clock
    for _ in range(5):
        assert (await browser.post("/my/enter", {"passphrase": "guess"})).status == 403
    for wait_s in (5, 10, 20):
        assert (await browser.post("/my/enter", {"passphrase": PASSPHRASE})).status == 429
        house.clock.advance(wait_s - 1)
        assert (await browser.post("/my/enter", {"passphrase": PASSPHRASE})).status == 429
        house.clock.advance(1)
        assert (await browser.post("/my/enter", {"passphrase": "guess"})).status == 403
    async with open_browser(house) as other:
        assert who_is_in(await other.sign_in())
    house.clock.advance(40)
    assert who_is_in(await browser.post("/my/enter", {"passphrase": PASSPHRASE}))
    assert (await browser.post("/my/enter", {"passphrase": "guess"})).status == 403


@pytest.mark.requirement("DSH-9")
@pytest.mark.asyncio
async def test_guesses_are_checked_one_at_a_time(browser: Browser) -> None:
    seen = await asyncio.gather(*(browser.post("/my/enter", {"passphrase": "guess"}) for _ in range(4)))
    assert sorted(one.status for one in seen) == [403, 429, 429, 429]


@pytest.mark.requirement("DSH-11")
@pytest.mark.asyncio
async def test_a_session_ends(house: House, browser: Browser) -> None:
    assert house.clock
    await browser.sign_in()
    house.clock.advance(12 * 3600 - 1)
    assert who_is_in(await browser.get("/my/today"))
    house.clock.advance(12 * 3600)
    assert not who_is_in(await browser.get("/my/today"))
    await browser.sign_in()
    for _ in range(28):
        assert who_is_in(await browser.get("/my/today"))
        house.clock.advance(12 * 3600 - 1)
    house.clock.advance(28)
    assert not who_is_in(await browser.get("/my/today"))


@pytest.mark.requirement("DSH-11")
@pytest.mark.asyncio
async def test_who_signs_out_is_out_there_and_everywhere(house: House, browser: Browser) -> None:
    today = await browser.sign_in()
    cookies = [cookie.value for cookie in browser.session.cookie_jar if cookie.value]
    await browser.submit(today.form("/my/sign-out"))
    stolen = {"Cookie": f"freehold-{house.node.config.port}={cookies[0]}"}
    assert not who_is_in(await browser.get("/my/today", headers=stolen))
    async with open_browser(house) as other:
        await other.sign_in()
        await browser.sign_in()
        assert await house.node.devices.sign_out_everywhere() == 2
        for one in (browser, other):
            assert not who_is_in(await one.get("/my/today"))


@pytest.mark.requirement("DSH-11")
@pytest.mark.asyncio
async def test_a_session_outlives_a_restart_and_its_secret_is_not_kept(tmp_path: Path) -> None:
    folder, port = tmp_path / "node", free_port()
    async with open_house(folder, port=port) as house, open_browser(house) as browser:
        await browser.sign_in()
        (cookie,) = list(browser.session.cookie_jar)
        flags = {name: cookie[name] for name in ("httponly", "samesite", "path")}
        assert flags == {"httponly": True, "samesite": "Lax", "path": "/"}
        digest = (await house.node.store.read(lambda reader: reader.sessions(house.node.owner)))[0].digest
        assert digest == hashlib.sha256(cookie.value.encode()).digest()
    keys = open_keystore(folder, PASSPHRASE)
    async with open_house(folder, keys=keys, port=port, seed=2) as house, open_browser(house) as browser:
        sent = {"Cookie": f"{cookie.key}={cookie.value}"}
        assert who_is_in(await browser.get("/my/today", headers=sent))


@pytest.mark.requirement("DSH-12")
def test_nothing_runs_or_is_loaded_but_what_is_the_dashboards_own() -> None:
    policy = dict(part.strip().split(" ", 1) for part in HEADERS["Content-Security-Policy"].split(";"))
    assert policy == {
        "default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "img-src": "'self' data:",
        "connect-src": "'self'", "form-action": "'self'", "frame-ancestors": "'none'", "base-uri": "'none'",
    }  # fmt: skip


@pytest.mark.requirement("DSH-13")
@pytest.mark.asyncio
async def test_a_page_hears_that_something_is_new_until_it_is_signed_out(
    house: House, browser: Browser
) -> None:
    await browser.sign_in()
    async with browser.session.get(browser.base + "/my/live") as stream, asyncio.timeout(20):
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert "ready" in (await stream.content.readuntil(b"\n\n")).decode()
        await house.own("POST", "/invitations", {"label": "Shop"})
        said = (await stream.content.readuntil(b"\n\n")).decode()
        assert said == "event: changed\ndata: {}\n\n"
        await house.node.devices.sign_out_everywhere()
        assert await stream.content.read() == b""


@pytest.mark.requirement("DSH-13")
@pytest.mark.asyncio
async def test_pages_that_were_left_keep_no_other_from_hearing(browser: Browser) -> None:
    """Who leafs quickly opens more pages than may be open at once, one after the other."""
    await browser.sign_in()
    for _ in range(60):
        stream = await browser.session.get(browser.base + "/my/live")
        assert stream.status == 200
        await stream.content.readuntil(b"\n\n")
        stream.close()
    left = [await browser.session.get(browser.base + "/my/live") for _ in range(50)]
    assert [one.status for one in left] == [200] * 50
    assert (await browser.session.get(browser.base + "/my/live")).status == 503
    for one in left:
        one.close()


@pytest.mark.requirement("DSH-12")
@pytest.mark.asyncio
async def test_what_fails_is_a_page_too(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(_: object) -> None:
        raise RuntimeError("a value of a record")

    await browser.sign_in()
    monkeypatch.setattr(Inspection, "waiting", fail)
    seen = await browser.get("/my/today")
    assert seen.status == 500
    assert "a value of a record" not in seen.html
    assert {name: seen.headers.get(name) for name in HEADERS} == HEADERS


@pytest.mark.asyncio
async def test_a_page_that_is_not_there_is_a_page(browser: Browser) -> None:
    for path in ("/my/nothing", "/my/today/more", "/my"):
        seen = await browser.get(path)
        assert seen.status == 404
        assert "nothing here" in seen.text


def test_every_page_stands_in_the_table_once() -> None:
    assert len({(route.method, route.path) for route in PAGES}) == len(PAGES)
