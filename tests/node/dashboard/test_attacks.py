"""Attacks on the dashboard's door: by other sites, by other ports, by a stolen session, by who guesses."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from typing import Final

import aiohttp
import pytest
from browse import Browser, Seen, is_in, open_browser
from freehold_node.dashboard.door import cookie_name
from freehold_node.dashboard.page import HEADERS
from freehold_node.dashboard.routes import PAGES
from harness import PASSPHRASE, Held, House, permission
from yarl import URL

pytestmark = [pytest.mark.asyncio, pytest.mark.with_ada, pytest.mark.signed_out]
CARD = permission("delivery", ["name", "email"], required=True)
MORE = permission("more", ["telephone"], purpose="dpv:Marketing")
GRANT, RECORD = "0" * 8 + "-0000-4000-8000-" + "0" * 12, "0" * 36


def filled(path: str) -> str:
    """Return a path of a route with something in the place of each variable part."""
    path = path.replace("{name:", "{0:").replace("number:0|[1-9][0-9]{0,17}", "number:x")
    found = re.sub(r"\{rest:.*", "x", path)
    for what in ("grant", "record", "session", "passkey"):
        found = found.replace(f"{{{what}:[0-9a-f-]{{36}}}}", GRANT)
    found = found.replace("{request:[A-Za-z0-9-]{1,64}}", "r1").replace("{number:x}", "0")
    return re.sub(r"\{(?:type|link|0):[^/]*\}", "Person", found)


POSTS: Final = tuple(dict.fromkeys(filled(one.path) for one in PAGES if one.method == "POST"))
GETS: Final = tuple(
    dict.fromkeys(
        filled(one.path) for one in PAGES if one.method == "GET" and one.handler.__name__ != "static"
    )
)


# Other sites


FOREIGN: Final[tuple[Mapping[str, str | None], ...]] = (
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "null", "Sec-Fetch-Site": "cross-site"},  # a sandboxed frame, data:, file:, a redirect
    {"Origin": "null"},
    {"Origin": None},
    {"Origin": None, "Referer": "https://evil.example/my/today"},
    {"Origin": None, "Referer": "http://[localhost"},
    {"Origin": "http://localhost:1", "Sec-Fetch-Site": "same-site"},
    {"Origin": "http://127.0.0.1:{port}", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "http://localhost:{port}.evil.example"},
    {"Origin": "http://localhost:{port}", "Sec-Fetch-Site": "same-site"},
    {"Origin": "http://localhost:{port}", "Sec-Fetch-Site": "cross-site"},
    {"Origin": "http://localhost:{port}", "Sec-Fetch-Site": "none"},
)


HOSTS: Final = (
    "evil.example", "evil.localhost:{port}", "localhost", "localhost.:{port}", "127.0.0.1.nip.io:{port}",
    "[::1]:{port}", "0.0.0.0:{port}", "@localhost:{port}",
)  # fmt: skip
THENS: Final = (
    "/my/requests/r1?seen=1&give.1.1.1=1", "https://evil.example", "//evil.example/my/", "/my/\\evil.example",
    "/my/today\r\nSet-Cookie: a=b", "javascript:alert(1)",
)  # fmt: skip


async def raw(
    browser: Browser, method: str, path: str, body: bytes, headers: Mapping[str, str | None]
) -> Seen:
    """Send exactly these headers, with the browser's cookies."""
    port = str(browser.house.node.config.port)
    sent = {name: value.replace("{port}", port) for name, value in headers.items() if value is not None}
    sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
    url = browser.base + path
    async with browser.session.request(method, url, data=body, headers=sent, allow_redirects=False) as answer:
        return Seen(url, answer.status, answer.headers, await answer.text(), [], {}, [], "")


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
async def test_a_form_from_elsewhere_does_nothing(
    house: House, browser: Browser, headers: Mapping[str, str | None]
) -> None:
    csrf = (await browser.sign_in()).form("/my/sign-out").fields["csrf"]
    for path in POSTS:
        if path != "/connect":
            seen = await raw(browser, "POST", path, f"csrf={csrf}&passphrase={PASSPHRASE}".encode(), headers)
            assert seen.status == 401, path
    assert is_in(await browser.get("/my/today"))


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", "application/json", ""])
async def test_no_other_kind_of_body_is_a_form(browser: Browser, kind: str) -> None:
    csrf = (await browser.sign_in()).form("/my/sign-out").fields["csrf"]
    headers = {"Origin": browser.base, "Content-Type": kind or "x"}
    seen = await raw(browser, "POST", "/my/sign-out", f"csrf={csrf}".encode(), headers)
    assert seen.status == 400
    assert is_in(await browser.get("/my/today"))


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"])
async def test_nothing_is_done_but_by_post(house: House, browser: Browser, method: str) -> None:
    csrf = (await browser.sign_in()).form("/my/sign-out").fields["csrf"]
    override = {"X-HTTP-Method-Override": "POST", "X-Method-Override": "POST", "Origin": browser.base}
    for path in POSTS:
        body = f"csrf={csrf}&_method=POST".encode() if method != "GET" else b""
        if method == "TRACE":  # no client sends it with a body
            body = b""
        await raw(browser, method, f"{path}?_method=POST&csrf={csrf}", body, override)
    assert is_in(await browser.get("/my/today"))
    assert (await house.own("GET", "/requests"))["requests"] == []


@pytest.mark.requirement("DSH-6")
@pytest.mark.parametrize("dest", ["image", "script", "empty", "iframe", "embed", "style"])
@pytest.mark.parametrize("site", ["same-site", "cross-site"])
async def test_a_page_of_another_port_draws_nothing_in(browser: Browser, dest: str, site: str) -> None:
    await browser.sign_in()
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": dest}
    if dest == "iframe":
        headers["Sec-Fetch-Mode"] = "navigate"
    for path in ("/my/today", "/my/live", "/my/data/export", "/my/data"):
        assert (await browser.get(path, headers=headers)).status == 401, path
    opened = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert is_in(await browser.get("/my/today", headers=opened))


@pytest.mark.parametrize("host", HOSTS)
async def test_a_name_of_somebody_elses_shows_nothing(browser: Browser, host: str) -> None:
    await browser.sign_in()
    port = str(browser.house.node.config.port)
    sent = {"Host": host.replace("{port}", port), "X-Forwarded-Host": f"localhost:{port}"}
    for path in ("/", "/my/enter", "/my/today", "/my/static/freehold.css", "/my/nothing"):
        seen = await raw(browser, "GET", path, b"", sent)
        assert (seen.status, "Ada Example" in seen.html, "Set-Cookie" in seen.headers) == (421, False, False)
        assert "Location" not in seen.headers


@pytest.mark.parametrize(
    "target", ["http://localhost/my/today", "//my/today", "/my/../my/today", "/my/%74oday", "/my/today\\x"]
)
async def test_a_path_means_one_thing(house: House, target: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", house.node.config.port)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: localhost:{house.node.config.port}\r\n\r\n".encode())
    line = await reader.readline()
    writer.close()
    assert line.split()[1] in (b"400", b"404")


# What a link can say


@pytest.mark.requirement("DSH-5")
@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
async def test_a_link_ticks_nothing_and_says_nothing(house: House, browser: Browser, site: str) -> None:
    await browser.sign_in()
    path, _ = await house.ask(house.key(), [CARD, MORE])
    request = path.rpartition("/")[2]
    held = await house.relate([CARD, MORE], given=[CARD])
    led = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    ticks = "seen=1&give.1.1.1=1&give.2.1.1=1&until=2026-11-30&reason_text=You+were+robbed"
    card = await browser.get(f"/my/requests/{request}?{ticks}", headers=led)
    plain = await browser.get(f"/my/requests/{request}")
    assert card.form(having="give.2.1.1").boxes == plain.form(having="give.2.1.1").boxes
    assert "You were robbed" not in card.html
    boxes = await browser.get(
        f"/my/relationships/{held.grant}?boxes=1&give.more.1.telephone=yes", headers=led
    )
    assert not boxes.form(having="give.more.1.telephone").boxes["give.more.1.telephone"]
    said = await browser.get("/my/relationships?said=everything_ended", headers=led)
    assert "notice-success" not in said.html
    origin = await browser.get("/my/settings/addresses?origin=https://evil.example", headers=led)
    assert "evil.example" not in origin.html


@pytest.mark.parametrize("then", THENS)
async def test_signing_in_after_a_link_leads_to_a_page_as_it_is(browser: Browser, then: str) -> None:
    led = {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    page = await browser.get(str(URL(f"{browser.base}/my/enter").with_query(then=then)), headers=led)
    assert page.form("/my/enter").fields["then"] in ("/my/today", "/my/requests/r1")


@pytest.mark.parametrize("field", ["then", "here", "back", "returnTo"])
@pytest.mark.parametrize(
    "address", ["https://evil.example/", "//evil.example", "/\\evil", "/my/x\r\nSet-Cookie: a=b"]
)
async def test_no_field_leads_away(browser: Browser, field: str, address: str) -> None:
    csrf = (await browser.sign_in()).form("/my/sign-out").fields["csrf"]
    sent = {field: address, "csrf": csrf, "language": "de", "passphrase": PASSPHRASE}
    for path in ("/my/language", "/my/sign-out", "/my/enter"):
        seen = await browser.post(path, sent, follow=False)
        leads = seen.headers.get("Location") or seen.form("/my/enter").fields["then"]
        assert leads.startswith("/my/")
        assert "evil" not in leads
        assert "a=b" not in str(seen.headers.get("Set-Cookie"))


# Sessions


async def test_a_session_cannot_be_planted(house: House, browser: Browser) -> None:
    planted = {"Cookie": f"{cookie_name(browser.base)}=chosen-by-somebody-else"}
    async with open_browser(house) as attacker:
        assert not is_in(await attacker.get("/my/today", headers=planted))
        sent = await browser.post("/my/enter", {"passphrase": PASSPHRASE}, follow=False, headers=planted)
        assert "chosen-by" not in sent.headers["Set-Cookie"]
        assert not is_in(await attacker.get("/my/today", headers=planted))


@pytest.mark.requirement("DSH-11")
async def test_signing_in_again_ends_the_session_whose_cookie_is_replaced(
    house: House, browser: Browser
) -> None:
    await browser.sign_in()
    (stolen,) = [f"{cookie.key}={cookie.value}" for cookie in browser.session.cookie_jar if cookie.value]
    again = await browser.post("/my/enter", {"passphrase": PASSPHRASE})
    await browser.submit(again.form("/my/sign-out"))
    assert await house.node.devices.listed() == []
    assert not is_in(await browser.get("/my/today", headers={"Cookie": stolen}))


async def drip(
    house: House, cookie: str, path: str, body: bytes, meanwhile: asyncio.Event, sent: asyncio.Event
) -> int:
    """Send a form of which the last byte comes only when something has happened; return the status."""
    port = house.node.config.port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost:{port}\r\nOrigin: http://localhost:{port}\r\nCookie: {cookie}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
        "Expect: 100-continue\r\n\r\n"
    )
    writer.write(head.encode() + body[:-1])
    await reader.readuntil(b"\r\n\r\n")  # by then the node has looked who it is, or is about to
    await asyncio.sleep(0.1)
    sent.set()
    await meanwhile.wait()
    writer.write(body[-1:])
    status = int((await reader.readline()).split()[1])
    writer.close()
    return status


@pytest.mark.requirement("DSH-4")
async def test_a_form_that_takes_its_time_does_nothing_after_signing_out(
    house: House, browser: Browser
) -> None:
    page = await browser.post("/my/enter", {"passphrase": PASSPHRASE})
    csrf = page.form("/my/sign-out").fields["csrf"]
    path, _ = await house.ask(house.key(), [CARD])
    draft = await house.own("POST", f"{path}/draft", {"permissions": [CARD]})
    (cookie,) = [f"{one.key}={one.value}" for one in browser.session.cookie_jar if one.value]
    body = f"csrf={csrf}&digest={draft['digest']}&end=1".encode()
    out, sent = asyncio.Event(), asyncio.Event()
    form = asyncio.create_task(drip(house, cookie, f"/my{path}/approve", body, out, sent))
    await sent.wait()
    await house.node.devices.sign_out_everywhere()
    out.set()
    assert await form == 401
    assert (await house.own("GET", path))["status"] == "waiting"


async def test_a_proof_is_of_its_session_alone(house: House, browser: Browser) -> None:
    await browser.post("/my/enter", {"passphrase": PASSPHRASE})
    async with open_browser(house) as thief:
        await thief.sign_in()
        assert (
            "passphrase"
            in (await thief.get("/my/settings/recovery")).form("/my/settings/recovery/sheet").fields
        )
        form = (await thief.get("/my/settings/recovery")).form("/my/settings/recovery/sheet")
        assert (await thief.submit(form)).status == 403
    assert house.clock is not None
    house.clock.advance(301)
    form = (await browser.get("/my/settings/recovery")).form("/my/settings/recovery/sheet")
    assert (await browser.submit(form)).status == 403


# What takes a proof


PROOF: Final = {
    "/my/requests/r1/approve", f"/my/relationships/{GRANT}/review", f"/my/relationships/{GRANT}/keys",
    "/my/data/export", "/my/data/backup", "/my/today/clock", "/my/settings/clock", "/my/settings/backup",
    "/my/settings/addresses", "/my/settings/recovery/sheet", "/my/settings/recovery/passphrase",
    "/my/settings/devices/add", "/my/settings/devices/passkeys", "/my/settings/devices/passkeys/begin",
}  # fmt: skip
"""What gives something, or would let somebody else act as the person."""
NO_PROOF: Final = {
    # Leads to signing in, or is how one proves.
    "/my/language", "/my/enter", "/my/enter/link", "/my/enter/passkey", "/my/enter/passkey/begin", "/my/sign-out",
    "/my/passkeys/begin", "/my/passkeys/prove",
    # Gives nobody anything: asks, shows, prepares.
    "/connect", "/my/connect", "/my/requests/invite", "/my/requests/r1/review", "/my/requests/r1/return",
    f"/my/relationships/{GRANT}/resume", f"/my/relationships/{GRANT}/rotate", "/my/ledger/check",
    # Takes away.
    "/my/requests/r1/refuse", f"/my/relationships/{GRANT}/boxes", f"/my/relationships/{GRANT}/until",
    f"/my/relationships/{GRANT}/limits",
    f"/my/relationships/{GRANT}/pause", f"/my/relationships/{GRANT}/end", f"/my/relationships/{GRANT}/end-all",
    f"/my/relationships/{GRANT}/cut-off", "/my/relationships/end-everything", "/my/settings/devices/sign-out",
    f"/my/settings/devices/sessions/{GRANT}/sign-out", f"/my/settings/devices/passkeys/{GRANT}",
    "/my/sample/remove",
    # The person's own records.
    "/my/data/add/Person", "/my/data/import", "/my/data/import/columns", "/my/data/import/cancel",
    f"/my/data/records/{GRANT}/edit", f"/my/data/records/{GRANT}/delete",
}  # fmt: skip
WHERE_IT_GIVES: Final = {
    f"/my/data/records/{GRANT}/self", "/my/data/import/start", "/my/data/first", "/my/data/first/invented",
}  # fmt: skip
"""What makes another record the one about the person: test_about_me.py and test_imports_page.py."""


async def test_of_every_form_it_is_decided_what_it_takes() -> None:
    assert set(POSTS) - PROOF - NO_PROOF - WHERE_IT_GIVES == set(), "decide what these take"
    assert set(POSTS) >= PROOF | WHERE_IT_GIVES
    assert not PROOF & NO_PROOF
    assert not WHERE_IT_GIVES & (PROOF | NO_PROOF)


@pytest.mark.requirement("DSH-8")
async def test_a_link_alone_gives_nothing(house: House, browser: Browser) -> None:
    held, request, fields = await _all_that_gives(house, browser)
    for path in sorted(PROOF):
        real = path.replace(GRANT, held.grant).replace("r1", request)
        for more in ({}, {"passphrase": ""}, {"passphrase": "not it"}):
            seen = await browser.post(real, {**fields.get(path, {}), **more}, follow=False)
            assert seen.status in (403, 429), (real, seen.status, seen.text)
            assert "attachment" not in seen.headers.get("Content-Disposition", "")
    assert (await house.own("GET", f"/grants/{held.grant}"))["state"] == "paused"
    assert (await house.own("GET", f"/requests/{request}"))["status"] == "waiting"


async def _all_that_gives(house: House, browser: Browser) -> tuple[Held, str, dict[str, dict[str, str]]]:
    """Return a paused grant, a request that waits, and what each form that gives would carry."""
    csrf = (await browser.sign_in()).form("/my/sign-out").fields["csrf"]
    held = await house.relate([CARD])
    await house.change(held.grant, "pause")
    request = (await house.ask(house.key(), [CARD]))[0].rpartition("/")[2]
    card = (await browser.get(f"/my/requests/{request}")).form(
        f"/my/requests/{request}/review", having="give.1.1.1"
    )
    approval = (await browser.submit(card)).form(f"/my/requests/{request}/approve")
    page = await browser.get(f"/my/relationships/{held.grant}")
    review = await browser.submit(page.form(f"/my/relationships/{held.grant}/resume"))
    fields: dict[str, dict[str, str]] = {path: {"csrf": csrf} for path in PROOF}
    fields["/my/requests/r1/approve"] = dict(approval.fields)
    fields[f"/my/relationships/{GRANT}/review"] = dict(review.form(having="digest").fields)
    fields[f"/my/relationships/{GRANT}/keys"] |= {"digest": "x", "version": "x"}
    fields["/my/settings/addresses"]["origin"] = "https://node.example"
    fields["/my/settings/recovery/passphrase"] |= {"new_passphrase": "mine now", "again": "mine now"}
    return held, request, fields


# Guessing


@pytest.mark.requirement("DSH-9")
async def test_who_guesses_at_the_door_does_not_keep_the_person_from_deciding(
    house: House, browser: Browser
) -> None:
    async with open_browser(house) as stranger:
        for _ in range(6):
            await stranger.post("/my/enter", {"passphrase": "guess"})
        assert (await stranger.post("/my/enter", {"passphrase": PASSPHRASE})).status == 429
    await browser.sign_in()
    form = (await browser.get("/my/settings/recovery")).form("/my/settings/recovery/sheet")
    assert (await browser.submit(form, {"passphrase": PASSPHRASE})).status == 200


async def test_several_sessions_guess_no_more_than_one(house: House, browser: Browser) -> None:
    statuses = []
    for _ in range(3):
        async with open_browser(house) as thief:
            await thief.sign_in()
            form = (await thief.get("/my/settings/recovery")).form("/my/settings/recovery/sheet")
            seen = await asyncio.gather(*(thief.submit(form, {"passphrase": "guess"}) for _ in range(4)))
            statuses += [one.status for one in seen]
    assert statuses.count(403) <= 5
    assert set(statuses) == {403, 429}


# What a stranger learns, and what is left behind


async def test_nothing_is_kept_by_a_browser_or_a_proxy(house: House, browser: Browser) -> None:
    await browser.sign_in()
    for path in GETS:
        if path == "/my/live":
            continue
        seen = await raw(browser, "GET", path, b"", {})
        assert seen.headers["Cache-Control"] == "no-store", path
        assert {name: seen.headers.get(name) for name in HEADERS} == HEADERS, path
    record = (await house.own("GET", "/records"))["records"][0]["id"].removeprefix("urn:uuid:")
    file = await raw(browser, "GET", f"/my/data/records/{record}/download", b"", {})
    assert file.headers["Content-Disposition"].startswith("attachment; filename=")
    assert (file.headers["Cache-Control"], file.headers["X-Content-Type-Options"]) == ("no-store", "nosniff")


async def test_the_log_holds_no_link_no_passphrase_and_no_value(
    house: House, browser: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        link = house.node.devices.new_link()
        await browser.get(f"/my/enter/{link}")
        await browser.post("/my/enter/link", {"link": link + "x"})
        await browser.post("/my/enter", {"passphrase": "a-guess-of-mine"})
        csrf = (
            (await browser.post("/my/enter", {"passphrase": PASSPHRASE})).form("/my/sign-out").fields["csrf"]
        )
        await browser.post(
            "/my/data/add/Person", {"csrf": csrf, "f.name.1": "Canary", "f.email.1": "no mail"}
        )
        await browser.get("/my/data?q=Canary")
        await browser.post("/my/requests/r1/approve", {"csrf": csrf, "digest": "Canary"})
        await browser.post("/my/sign-out", {"csrf": "Canary"})
    logged = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("freehold"))
    assert not any(
        secret in logged for secret in (link, "a-guess-of-mine", PASSPHRASE, "Canary", csrf, "Ada Example")
    )


async def test_a_one_time_link_is_not_passed_on(house: House, browser: Browser) -> None:
    link = house.node.devices.new_link()
    seen = await browser.get(f"/my/enter/{link}")
    assert seen.headers["Referrer-Policy"] == "same-origin"
    addresses = [given.get("src", given.get("href", "")) for _, given in seen.tags]
    assert all(one.startswith(("/", "#")) or not one for one in addresses)
    for _ in range(3):  # a mail program, a prefetch, the person
        assert (await browser.get(f"/my/enter/{link}")).status == 200
    assert is_in(await browser.post("/my/enter/link", {"link": link}))
    async with open_browser(house) as thief:
        assert (await thief.post("/my/enter/link", {"link": link})).status == 403


@pytest.mark.parametrize(
    ("origin", "name"),
    [
        ("http://localhost", "freehold-80"),
        ("http://localhost:8717", "freehold-8717"),
        ("http://[::1]:8717", "freehold-8717"),
        ("https://node.example", "__Host-freehold"),
        ("https://node.example:8443", "__Host-freehold"),
    ],
)
async def test_nodes_side_by_side_have_cookies_of_their_own(origin: str, name: str) -> None:
    assert cookie_name(origin) == name
    aiohttp.CookieJar().update_cookies({name: "x"})


async def test_a_session_that_is_over_hears_nothing_more(house: House, browser: Browser) -> None:
    assert house.clock is not None
    await browser.sign_in()
    (session,) = await house.node.devices.listed()
    house.clock.advance(12 * 3600)
    assert not await house.node.devices.stands(session.id)
