"""Attacks on the door by what stands in the head of a request: cookies, methods, ranges, addresses that lead on."""

from __future__ import annotations

import asyncio
import re
from http.cookies import SimpleCookie
from typing import Final
from urllib.parse import quote

import pytest
from browse import Browser, is_in, open_browser
from freehold_node.dashboard.door import cookie_name
from freehold_node.dashboard.routes import PAGES
from harness import PASSPHRASE, House
from passkey_pages import begun, csrf_of
from raw_http import exchange
from shop import about_me

pytestmark = [pytest.mark.asyncio, pytest.mark.with_ada, pytest.mark.signed_out]
AWAY: Final = "https://node.example"


def cookie_of(browser: Browser) -> str:
    name = cookie_name(browser.base)
    return next(one.value for one in browser.session.cookie_jar if one.key == name)


# Cookies


async def said(browser: Browser, path: str, fields: dict[str, str], origin: str) -> SimpleCookie:
    """Return the cookies that a form is answered with, at one of the node's origins."""
    headers = {"Host": origin.partition("//")[2], "Origin": origin, "Sec-Fetch-Site": "same-origin"}
    seen = await browser.post(path, fields, follow=False, headers=headers)
    assert seen.status in (200, 303), (path, seen.status)
    return SimpleCookie("\r\n".join(seen.headers.getall("Set-Cookie")))  # type: ignore[attr-defined]


@pytest.mark.requirement("DSH-11", "DSH-10")
@pytest.mark.parametrize("is_secure", [False, True])
async def test_every_cookie_is_kept_from_scripts_other_sites_and_other_hosts(
    house: House, browser: Browser, is_secure: bool
) -> None:
    house.node.addresses.add(AWAY)
    origin = AWAY if is_secure else browser.base
    port = house.node.config.port
    entering = await said(browser, "/my/enter", {"passphrase": PASSPHRASE}, origin)
    ticket = await said(browser, "/my/enter/passkey/begin", {}, origin)
    language = await said(browser, "/my/language", {"language": "de"}, origin)
    wanted = (
        (entering, "__Host-freehold" if is_secure else f"freehold-{port}", "Lax", "/"),
        (ticket, "__Host-freehold-passkey" if is_secure else f"freehold-passkey-{port}", "Strict", "/"),
        (language, "freehold-language", "Lax", "/my"),
    )
    for jar, name, same_site, path in wanted:
        assert list(jar) == [name]
        found = jar[name]
        assert (found["httponly"], found["samesite"], found["path"]) == (True, same_site, path), name
        assert (bool(found["secure"]), found["domain"]) == (is_secure, ""), name


async def test_signing_out_takes_the_cookie_back_as_it_was_given(browser: Browser) -> None:
    csrf = (await browser.sign_in()).form("/my/sign-out").fields["csrf"]
    jar = await said(browser, "/my/sign-out", {"csrf": csrf}, browser.base)
    (found,) = jar.values()
    assert (found.key, found.value, found["max-age"]) == (cookie_name(browser.base), "", "0")
    assert (found["path"], found["domain"], found["httponly"]) == ("/", "", True)


@pytest.mark.requirement("DSH-10")
@pytest.mark.parametrize("order", ["{other}; {own}", "{own}; {other}", "{other}; {other}; {own}; {other}"])
@pytest.mark.parametrize("value", ["planted", "", "a" * 3000, '"', "%00", "\u00e9", "a=b=c"])
async def test_a_second_cookie_of_the_name_neither_lets_in_nor_keeps_out(
    browser: Browser, order: str, value: str
) -> None:
    """What else listens at this computer can set one for another path, and the browser then sends both."""
    await browser.sign_in()
    name = cookie_name(browser.base)
    own, other = f"{name}={cookie_of(browser)}", f"{name}={value}"
    browser.session.cookie_jar.clear()
    assert not is_in(
        await browser.get("/my/settings", headers={"Cookie": order.format(own=other, other=other)})
    )
    assert is_in(await browser.get("/my/settings", headers={"Cookie": order.format(own=own, other=other)}))


@pytest.mark.parametrize("cookies", [
    "x=" + "a" * 11_000, "; ".join(f"c{n}=1" for n in range(1000)), "=; ;;=;", "freehold", ";" * 5000, "$Version=1; x",
])  # fmt: skip
async def test_cookies_of_others_change_nothing(browser: Browser, cookies: str) -> None:
    await browser.sign_in()
    own = f"{cookie_name(browser.base)}={cookie_of(browser)}"
    browser.session.cookie_jar.clear()
    assert (await browser.get("/my/enter", headers={"Cookie": cookies})).status == 200
    if len(cookies) < 11_500:
        assert is_in(await browser.get("/my/settings", headers={"Cookie": f"{cookies}; {own}"}))


async def test_a_cookie_that_is_far_too_long_is_refused_and_the_node_goes_on(
    house: House, browser: Browser
) -> None:
    port = house.node.config.port
    head = f"GET /my/today HTTP/1.1\r\nHost: localhost:{port}\r\nCookie: x={'a' * 200_000}\r\n\r\n"
    answer = await exchange(house.base, head.encode(), cut_off=True)
    assert answer.split(b" ")[1] in (b"400", b"413")
    assert is_in(await browser.sign_in())


# Methods, ranges, conditions


ODD: Final = ("HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "PROPFIND", "TRACE", "CONNECT", "get", "GETX")


@pytest.mark.requirement("DSH-10")
@pytest.mark.parametrize("method", ODD)
async def test_an_odd_method_shows_nothing_and_does_nothing(
    house: House, browser: Browser, method: str
) -> None:
    await browser.sign_in()
    record = (await house.own("GET", "/records"))["records"][0]["id"].removeprefix("urn:uuid:")
    port = house.node.config.port
    for path in (
        "/",
        "/my/today",
        "/my/live",
        "/my/data",
        f"/my/data/records/{record}/download",
        "/my/enter",
    ):
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n"
            f"Cookie: {cookie_name(browser.base)}={cookie_of(browser)}\r\n\r\n"
        )
        answer = await exchange(house.base, head.encode())
        assert answer.split(b" ")[1] in (b"400", b"404", b"405", b"501"), (path, answer[:80])
        assert b"Ada Example" not in answer
        assert b"set-cookie" not in answer.lower()
        assert b"access-control" not in answer.lower()
        assert cookie_of(browser).encode() not in answer
    assert is_in(await browser.get("/my/today"))


@pytest.mark.requirement("DSH-10")
async def test_a_file_comes_whole_or_not_at_all(house: House, browser: Browser) -> None:
    """No part of it by a range, and nothing by a condition: else a store in between could keep and mix them."""
    await browser.post("/my/enter", {"passphrase": PASSPHRASE})
    held = await house.relate([about_me("name")])
    record = (await house.own("GET", "/records"))["records"][0]["id"].removeprefix("urn:uuid:")
    csrf = await csrf_of(browser)
    parts = {
        "Range": "bytes=0-9",
        "If-Range": '"x"',
        "If-None-Match": "*",
        "If-Modified-Since": "Tue, 24 Nov 2026 00:00:00 GMT",
    }
    for method, path in (
        ("GET", f"/my/data/records/{record}/download"),
        ("GET", f"/my/relationships/{held.grant}/receipt"),
        ("GET", f"/my/ledger/{held.grant}/download"),
        ("POST", "/my/data/export"),
        ("POST", "/my/settings/backup"),
    ):
        if method == "GET":
            seen = await browser.get(path, headers=parts)
        else:
            seen = await browser.post(path, {"csrf": csrf}, headers=parts)
        assert (seen.status, seen.headers["Cache-Control"]) == (200, "no-store"), path
        assert len(seen.html) > 10
        assert not {"content-range", "accept-ranges", "etag", "last-modified"} & {
            one.lower() for one in seen.headers
        }
        assert seen.headers["Content-Disposition"].startswith("attachment; filename="), path
        assert seen.headers["X-Content-Type-Options"] == "nosniff"


# Addresses that lead on


INJECTED: Final = "\r\nSet-Cookie: planted=1\r\nX-Planted: 1\r\n\r\n<p>planted"


@pytest.mark.requirement("DSH-10")
async def test_nothing_in_an_address_writes_a_header(house: House, browser: Browser) -> None:
    """Of every page, with and without a session: what leads on to signing in has the whole address in its own."""
    await browser.sign_in()
    port = house.node.config.port
    pages = sorted({one.path for one in PAGES if one.method == "GET" and "{" not in one.path} - {"/my/live"})
    names = ("then", "here", "next", "back", "after", "said", "page", "q", "vendor", "path", "self", "filled")
    query = "&".join(f"{name}={quote(INJECTED)}" for name in names)
    for cookie in ("", f"Cookie: {cookie_name(browser.base)}={cookie_of(browser)}\r\n"):
        for path in pages:
            head = (
                f"GET {path}?{query} HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n{cookie}\r\n"
            )
            answer = await exchange(house.base, head.encode())
            sent, _, body = answer.partition(b"\r\n\r\n")
            assert answer.split(b" ")[1] != b"500", path
            assert not re.search(rb"(?im)^(set-cookie|x-planted):.*(planted|1)", sent), path
            assert b"<p>planted" not in body, path


@pytest.mark.parametrize("name", ["said", "path", "self", "query", "filled"])
async def test_changing_the_language_takes_any_query_along(browser: Browser, name: str) -> None:
    csrf = (await browser.sign_in()).form("/my/sign-out").fields["csrf"]
    fields = {"language": "en", "back": f"/my/today?{name}=x", "here": "/my/today", "csrf": csrf}
    for sent in (fields, {one: each for one, each in fields.items() if one != "here"}):
        seen = await browser.post("/my/language", sent, follow=False)
        assert (seen.status, seen.headers["Location"].partition("?")[0]) == (303, "/my/today")


@pytest.mark.parametrize(
    "address",
    ["/my/..//evil.example", "/my/%2e%2e//evil.example", "/my//evil.example", "/my/x:80@evil.example"],
)
async def test_an_address_below_ours_stays_at_this_host(browser: Browser, address: str) -> None:
    seen = await browser.post("/my/enter", {"passphrase": PASSPHRASE, "then": address}, follow=False)
    assert seen.status == 303
    assert seen.headers["Location"].startswith("/my/")


# What is open


@pytest.mark.requirement("DSH-11", "HTTP-89")
async def test_a_stream_ends_with_its_session_whatever_ends_that(house: House, browser: Browser) -> None:
    """By signing out everywhere, by ending that one, by another passphrase: and nothing is said on it meanwhile."""
    for path, body, method in (
        ("/devices/sign-out", {}, "POST"),
        ("/devices/sessions/{session}", None, "DELETE"),
        ("/passphrase", {"passphrase": PASSPHRASE, "new": PASSPHRASE}, "POST"),
    ):
        await browser.sign_in()
        session = (await house.own("GET", "/devices"))["sessions"][0]["id"]
        async with browser.session.get(browser.base + "/my/live") as stream, asyncio.timeout(15):
            assert b"ready" in await stream.content.readuntil(b"\n\n")
            await house.own(method, path.format(session=session), body)
            await house.own("POST", "/records", {"content": {"type": "Person", "name": "Grace"}})
            assert b"changed" not in await stream.content.read()


async def test_a_ticket_of_one_browser_is_of_no_use_in_another(browser: Browser, house: House) -> None:
    """The ticket for signing in by a passkey is no session, and stands in no other browser."""
    await begun(browser, "/my/enter/passkey/begin")
    ticket = next(one.value for one in browser.session.cookie_jar if "passkey" in one.key)
    async with open_browser(house) as thief:
        sent = {"Cookie": f"{cookie_name(browser.base)}={ticket}"}
        assert not is_in(await thief.get("/my/today", headers=sent))
