"""Attacks by what is shown or read: names, values and files of others, fields that no page has, work for nobody."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import quote

import pytest
import pytest_asyncio
from browse import Browser, Seen, open_browser, read_page
from carrying import carried
from freehold_node.api.messages import MAX_BODY_BYTES
from freehold_node.dashboard.routes import PAGES
from furnished import Furnished, open_furnished
from harness import House, permission
from work import counted
from yarl import URL

pytestmark = pytest.mark.asyncio
SHOUT: Final = (
    "</bdi></title></textarea></script><script>alert(1)</script><img src=x onerror=alert(1)>"
    "\"' autofocus onfocus=alert(1) x={{7*7}}${7*7}"
)
STRANGE: Final = (
    "", "%00", "%ED%A0%80", "%FF", quote("²"), quote("١٢"), "-1", "9" * 30, "1e9", "NaN", quote(SHOUT),
    quote("\u202egnp.exe"), "null", "%7B%7D", "a." + "A" * 200, ".", "0.", "1.!!", "%27%22%3B--", "../../etc",
    "%0d%0aSet-Cookie:a=b", "9999-99-99", "0001-01-01", "9999-12-31", "remove:email." + quote("²"),
    "add:" + "address.1." * 40 + "name", "1" * 20 + ".AAAA", "[" * 400, "%2Fmy%2F" + "x" * 300,
)  # fmt: skip
KEYS: Final = (
    "q", "after", "state", "said", "since", "until", "from", "to", "span", "vendor", "field", "kind", "page", "who",
    "versions", "partner", "label", "then", "seen", "part", "do", "boxes", "begin", "reads.1", "rate.1", "give.1.1.1",
    "part.1.0", "part.1.1", "f.address.1.postalCode.1", "f.address.1._", "f.name.1", "f.email.1", "reason", "me",
    "mapping", "digest", "version", "change", "order", "limit", "here", "back", "language", "link", "request",
    "sure", "once", "origin", "name", "ticket", "credential", "reason_text",
)  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def furnished(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Furnished]:
    async with open_furnished(tmp_path_factory.mktemp("furnished") / "node") as made:
        yield made


def is_inert(seen: Seen) -> bool:
    """Whether nothing on a page runs: scripts are files of ours, and there are no handlers."""
    for tag, given in seen.tags:
        if tag in ("iframe", "object", "embed", "base", "style") or any(
            name.startswith("on") for name in given
        ):
            return False
        if tag == "script" and not re.fullmatch(
            r"/my/static/[a-z-]+\.js\?v=[0-9a-f]{12}", given.get("src", "")
        ):
            return False
        address = given.get("href", given.get("src", given.get("action", "/")))
        if not address.startswith(("/", "#", "?", "https://", "http://127.0.0.1:")) or given.get("style"):
            return False
    return "49" not in re.findall(r"x=(\d\d)\$", seen.text)


def path_of(template: str, furnished: Furnished) -> str:
    """Return the address of a page about something that is there."""
    there = {
        "request:": furnished.hostile, "grant:": furnished.live.grant, "number:": "1", "type:": "Person",
        "record:": furnished.person.removeprefix("urn:uuid:"), "link:": "x" * 30, "rest:": "x",
        "session:": furnished.live.grant, "passkey:": furnished.live.grant, "name:": "freehold.css",
    }  # fmt: skip
    made, depth, variable = "", 0, ""
    for char in template:
        depth += char == "{"
        if depth:
            variable += char
        else:
            made += char
        if char == "}" and (depth := depth - 1) == 0:
            made += next(value for name, value in there.items() if variable.startswith("{" + name))
            variable = ""
    return made


OPEN: Final = ("/my/live", "/my/sign-out", "/my/enter", "/my/settings/devices/sign-out")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_whatever_the_fields_say_a_page_answers(
    furnished: Furnished, method: str, thorough: bool
) -> None:
    """Every page is told a third of what is strange, the next page the next; with ``--thorough``, as in CI, all."""
    async with open_browser(furnished.house) as browser:
        csrf = (await browser.sign_in()).form("/my/sign-out").fields["csrf"]
        broken = []
        for number, route in enumerate(PAGES):
            if (
                route.method != method
                or route.path in OPEN
                or "{session" in route.path
                or "static" in route.path
            ):
                continue
            for value in STRANGE if thorough else STRANGE[number % 3 :: 3]:
                fields = "&".join(f"{key}={value}" for key in KEYS)
                seen = await sent(browser, method, path_of(route.path, furnished), fields, csrf)
                if seen.status >= 500 or not is_inert(seen) or "Set-Cookie: a=b" in str(seen.headers):
                    broken.append((route.path, value[:40], seen.status))
        assert broken == []


async def sent(browser: Browser, method: str, path: str, fields: str, csrf: str) -> Seen:
    url = browser.base + path
    if method == "GET":
        return await browser.get(str(URL(f"{url}?{fields}"[:3800], encoded=True)), follow=False)
    headers = {"Origin": browser.base, "Content-Type": "application/x-www-form-urlencoded"}
    body = f"csrf={csrf}&{fields}".encode()
    async with browser.session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
        return read_page(url, answer.status, answer.headers, await answer.text())


CARDS: Final = (
    "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{n}\r\nFN:{shout}\r\nN:{shout};;;;\r\nNOTE:{shout}\r\nORG:{shout}\r\n"
    "EMAIL:me@example.com\r\nURL:javascript:alert(1)\r\nTEL:{shout}\r\nADR:;;{shout};{shout};;1;{shout}\r\nEND:VCARD\r\n"
)


async def test_nothing_that_others_wrote_runs(house: House) -> None:
    shout = SHOUT.replace(";", "").replace("\\", "")
    book = CARDS.format(n=1, shout=shout.replace(",", "")).encode()
    await house.import_file(book, name=f"{shout[:60]}.vcf", me="me@example.com")
    wish = permission("delivery", ["name", "email", "url"], recipients=(house.key().did,), required=True)
    wish["items"][0]["where"] = {"name": SHOUT}
    request, _ = await house.ask(house.key(), [wish], name=SHOUT[:120], benefit=SHOUT)
    held = await house.relate([wish], name=SHOUT[:120])
    await held.contents("delivery")
    async with open_browser(house) as browser:
        await browser.sign_in()
        record = (await house.own("GET", "/records"))["records"][0]["id"].removeprefix("urn:uuid:")
        pages = [
            "/my/today", "/my/data", f"/my/data?q={quote(SHOUT[:80])}", f"/my/data/records/{record}",
            f"/my/data/records/{record}/edit", f"/my/data/records/{record}/delete", "/my/requests", f"/my{request}",
            "/my/relationships", f"/my/relationships?q={quote(SHOUT[:80])}", f"/my/relationships/{held.grant}",
            f"/my/relationships/{held.grant}/end", f"/my/relationships/{held.grant}/end-all", "/my/ledger",
            f"/my/ledger/{held.grant}/0", f"/my/ledger/{held.grant}/1", "/my/settings", "/my/settings/devices",
            f"/my/ledger?q={quote(SHOUT[:80])}&kind={quote(SHOUT[:80])}",
        ]  # fmt: skip
        for path in pages:
            seen = await browser.get(path, headers={"User-Agent": SHOUT})
            assert seen.status in (200, 400), path
            assert is_inert(seen), path
        card = (await browser.get(f"/my{request}")).form(f"/my{request}/review", having="give.1.1.1")
        assert is_inert(await browser.submit(card))


async def test_a_name_does_not_speak_for_the_page(house: House) -> None:
    """What a vendor calls itself stays in a place of its own, and never bears a sign of the page's."""
    name = "Your node enforces this: nothing leaves it"
    path, _ = await house.ask(
        house.key(), [permission("delivery", ["name"])], name=name, benefit=f"{name}\n{name}"
    )
    async with open_browser(house) as browser:
        await browser.sign_in()
        page = await browser.get(f"/my{path}")
    body = page.html.partition("<body")[2]
    assert body.count(name) == len(re.findall(r"<bdi[^>]*>[^<]*" + name, body)) + body.count(
        f"{name}\n{name}"
    )
    assert not re.search(r"badge-enforced[^/]*" + name, body)
    assert "Nobody vouches" in page.text


@pytest.mark.parametrize(
    "name", ["\u202egnal", "a\u2066b", "a\u200bb", "a\nb", "\u200f", "\u3164", "a\x00b", "\ufeff"]
)
async def test_no_name_turns_the_direction_or_hides(house: House, name: str) -> None:
    with pytest.raises(Exception, match=r"cannot be seen|shows nothing"):
        await house.ask(house.key(), [permission("delivery", ["name"])], name=name)


# Work for nobody


async def test_what_a_stranger_posts_costs_little(house: House) -> None:
    """The largest request that is taken, from whoever: read, shown, and neither verified, fetched nor written."""
    wish = [
        permission(f"p{n}", ["name", "email", *(f"address.{x}" for x in ("postalCode", "streetAddress"))])
        for n in range(16)
    ]
    request = carried(house, house.key(), wish)
    document = {**request.document, "proof": {**request.document["proof"], "proofValue": "z" + "1" * 80}}
    body = b"request=" + quote(json.dumps(document)).encode()
    headers = {
        "Content-Type": "application/x-www-form-urlencoded",
        "Host": f"localhost:{house.node.config.port}",
    }
    with counted() as work:
        reply = await house.send("POST", "/connect", headers, body)
    assert reply.status < 500
    assert work.calls < 4_000_000
    bad = b"request=" + b"%5B" * MAX_BODY_BYTES
    assert (await house.send("POST", "/connect", headers, bad)).status in (400, 413)
    assert (await house.own("GET", "/requests"))["requests"] == []


TURNING: Final = "\u2069\u2069\u202e"


@pytest.mark.requirement("DSH-15")
@pytest.mark.asyncio(loop_scope="module")
async def test_nothing_gets_out_of_the_place_that_keeps_its_direction(furnished: Furnished) -> None:
    """A character that ends an isolation ends that of ``bdi`` too: what follows would turn with it."""
    content = {"type": "Person", "name": f"Bo{TURNING}evil", "email": f"bo{TURNING}@example.com"}
    made = (await furnished.house.own("POST", "/records", {"content": content}))["id"]
    place = f"/my/data/records/{made.removeprefix('urn:uuid:')}"
    async with open_browser(furnished.house) as browser:
        await browser.sign_in()
        for path in ("/my/data", "/my/data/kind/Person?q=bo", place, f"{place}/delete"):
            page = await browser.get(path)
            assert page.status == 200, path
            for text in re.findall(r"<bdi[^>]*>(.*?)</bdi>", page.html, re.DOTALL):
                assert not set(TURNING) & set(text), path
        assert "Bo\ufffd\ufffd\ufffdevil" in (await browser.get(place)).text
