"""Connect: what a vendor's page makes the browser post, before the person has done anything."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

from ..cast import asker
from ..cast.domain import Shop, domain
from ..cast.stage import DAY_S, Stage
from ..check import Profile, Topic, expect, expect_equal
from ..hands.edit import ABSENT, edited
from ..hands.encoding import Document, jcs, xsd_time
from ..hands.keys import Key
from ..wire import Answer

topic = Topic()

_FORM: Final = "application/x-www-form-urlencoded"
_MOST: Final = 786_440
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


async def _carried(stage: Stage, key: Key, **members: Any) -> Document:
    """Return a signed request for a browser to carry; members as for ``Stage.request``."""
    connect = {"returnTo": "https://shop.example/returned?cart=7", "challenge": secrets.token_urlsafe(24)}
    return await asker.request_of(stage, key, connect=connect, **members)


async def _post(stage: Stage, body: bytes, *, kind: str = _FORM, path: str = "/connect") -> Answer:
    """Post as a browser does from another site, without cookies, and go where the node leads with the form."""
    headers = {
        "content-type": kind, "origin": "https://shop.example", "sec-fetch-site": "cross-site",
        "sec-fetch-mode": "navigate", "accept": "text/html",
    }  # fmt: skip
    answer = await stage.wire.send("POST", path, headers, body)
    if answer.status in (307, 308):
        _sound(answer)
        where = urlsplit(answer.headers.get("location", ""))
        _own(stage, where.geturl())
        answer = await stage.wire.send("POST", where.path, headers | {"host": where.netloc}, body)
    return answer


def _own(stage: Stage, url: str) -> None:
    """Check that an address is the node's own: a path, its origin, or on one's own machine another name of that."""
    here, there = urlsplit(stage.wire.origin), urlsplit(url)
    local = there.hostname in _LOOPBACK and here.hostname in _LOOPBACK and there.port == here.port
    same = not there.netloc or (there.scheme == here.scheme and (there.netloc == here.netloc or local))
    expect(same and there.path.startswith("/"), "the browser is sent elsewhere")


def _sound(answer: Answer) -> None:
    expect_equal(answer.headers.get("cache-control"), "no-store", "Cache-Control")
    expect_equal({"date", "server", "refresh"} & set(answer.headers), set(), "headers that no answer has")


def _page(answer: Answer, status: int) -> str:
    """Check that an answer is a page of this status; return its text."""
    expect_equal(answer.status, status, "status")
    expect_equal(answer.headers.get("content-type", "").partition(";")[0], "text/html", "content type")
    expect("location" not in answer.headers, "a page that leads on")
    _sound(answer)
    return answer.body.decode()


def _form(request: Document) -> bytes:
    return b"request=" + quote(jcs(request).decode(), safe="").encode()


async def _known(stage: Stage, key: Key) -> list[str]:
    every = (await stage.owner.do("GET", "/requests"))["requests"]
    return [one["id"] for one in every if one["vendor"]["id"] == key.did]


@topic.check("HTTP-70", "HTTP-91", "HTTP-5", "HTTP-6")
async def a_form_alone_does_nothing(stage: Stage) -> None:
    """A page comes, for people; nothing is written down, however often, and the browser is sent nowhere else."""
    key = Key.fresh()
    request = await _carried(stage, key)
    for _ in range(2):
        text = _page(await _post(stage, _form(request)), 200)
        expect("<html" in text.lower(), "a page that is none")
        expect('http-equiv="refresh"' not in text.lower(), "a page that leads on")
        expect(
            f'href="{request["connect"]["returnTo"]}' not in text,
            "a page that leads to where the vendor says",
        )
    expect_equal(await _known(stage, key), [], "requests that were taken in")
    taken = await stage.owner.do("POST", "/requests", {"request": request})
    _page(await _post(stage, _form(request)), 200)
    expect_equal(await _known(stage, key), [taken["id"]], "requests, once it was taken in")


@topic.check("HTTP-70", "HTTP-91")
async def the_page_is_of_the_form_alone(stage: Stage) -> None:
    """What comes does not depend on whether the request was taken in before, nor on how it was decided."""
    key = Key.fresh()
    request = await _carried(stage, key)
    before = _page(await _post(stage, _form(request)), 200)
    taken = await stage.owner.do("POST", "/requests", {"request": request})
    waiting = _page(await _post(stage, _form(request)), 200)
    await stage.owner.refuse(taken["id"])
    refused = _page(await _post(stage, _form(request)), 200)
    expect_equal((waiting == before, refused == before), (True, True), "whether the pages are the same")


@topic.check("HTTP-91", "HTTP-71")
async def nothing_is_verified_before_the_person_goes_on(stage: Stage) -> None:
    """A request whose proof does not hold has its page too, and is refused when it is taken in."""
    key = Key.fresh()
    spoilt = edited(await _carried(stage, key), "nonce", "A" * 32)
    _page(await _post(stage, _form(spoilt)), 200)
    answer = await stage.owner.send("POST", "/requests", {"request": spoilt})
    expect_equal(answer.headers.get("freehold-code"), "signature-invalid", "the code when it is taken in")
    expect_equal(await _known(stage, key), [], "requests that were taken in")


Spoils = Callable[[Document], tuple[bytes, int]]


def _of(status: int, spoil: Callable[[bytes], bytes]) -> Spoils:
    return lambda request: (spoil(_form(request)), status)


def _requesting(path: str, value: object, status: int = 400) -> Spoils:
    return lambda request: (_form(edited(request, path, value)), status)


_BAD: Final[Mapping[str, Spoils]] = {
    "nothing": _of(400, lambda _: b""), "no-value": _of(400, lambda _: b"request="),
    "twice": _of(400, lambda form: form + b"&" + form), "field-more": _of(400, lambda form: form + b"&code=x"),
    "field-before": _of(400, lambda form: b"a=b&" + form), "semicolon": _of(400, lambda form: form + b";a=b"),
    "another-field": _of(400, lambda form: b"Request" + form[7:]), "no-field": _of(400, lambda form: form[8:]),
    "not-utf-8": _of(400, lambda _: b"request=%FF"), "raw-bytes": _of(400, lambda form: form + b"\xff"),
    "no-json": _of(400, lambda _: b"request=hello"), "an-array": _of(400, lambda _: b"request=%5B%5D"),
    "key-twice": _of(400, lambda _: b"request=%7B%22a%22%3A1%2C%22a%22%3A2%7D"),
    "too-deep": _of(400, lambda _: b"request=" + b"%5B" * 100 + b"%5D" * 100),
    "too-long-a-form": _of(413, lambda _: b"request=".ljust(_MOST + 1, b"%")),
    "too-long-a-document": _of(413, lambda _: b"request=%22".ljust(262_160, b"a") + b"%22"),
    "no-connect": _requesting("connect", ABSENT), "no-proof": _requesting("proof", ABSENT),
    "no-permission": _requesting("permission", []), "member-more": _requesting("state", "x"),
    "returns-in-the-clear": _requesting("connect.returnTo", "http://shop.example/"),
    "returns-to-a-script": _requesting("connect.returnTo", "javascript:alert(1)"),
    "no-challenge": _requesting("connect.challenge", ABSENT),
}  # fmt: skip


@topic.check("HTTP-91", "HTTP-70", cases=_BAD)
async def what_is_no_such_form_is_refused(stage: Stage, spoil: Spoils) -> None:
    """What is no form of one request that a browser carries is refused, on a page, with the status of its code."""
    key = Key.fresh()
    body, status = spoil(await _carried(stage, key))
    _page(await _post(stage, body), status)
    expect_equal(await _known(stage, key), [], "requests that were taken in")


@topic.check("HTTP-91", cases={"json": "application/json", "ld": "application/ld+json", "plain": "text/plain",
                               "parts": "multipart/form-data; boundary=x", "none": ""})  # fmt: skip
async def only_a_form_is_taken(stage: Stage, kind: str) -> None:
    """A body of another media type is refused, which scripts of other pages could send without being asked."""
    request = await _carried(stage, Key.fresh())
    for body in (_form(request), jcs(request)):
        _page(await _post(stage, body, kind=kind), 400)
    _page(await _post(stage, _form(request), kind=f"{_FORM}; charset=utf-8"), 200)


@topic.check("HTTP-91", "REQ-13")
async def a_form_is_of_the_last_day(stage: Stage) -> None:
    """A request that was made more than a day ago is refused with the status of a stale signature."""
    made, ends = stage.now() - DAY_S - 600, stage.now() + DAY_S
    old = await _carried(stage, Key.fresh(), created=xsd_time(made), expires=xsd_time(ends))
    _page(await _post(stage, _form(old)), 401)


_HOSTILE: Final = "Shop <script>alert(1)</script><img src=x onerror=alert(2)>\"'&"


@topic.check("HTTP-91")
async def what_the_vendor_says_is_text(stage: Stage) -> None:
    """Markup in a name or anywhere else in the request stands on the page as text."""
    key = Key.fresh()
    named: Document = {"id": key.did, "type": "Organization", "name": _HOSTILE}
    more = {"assignee": named, "benefit": _HOSTILE, "contact": _HOSTILE}
    text = _page(await _post(stage, _form(await _carried(stage, key, **more))), 200)
    for tag in ("<script>alert", "<img src=x"):
        expect(tag not in text.lower(), "markup of the vendor's on the page")


@topic.check("HTTP-91", alone=True)
async def the_page_tells_nothing_of_the_person(stage: Stage) -> None:
    """Nothing of the person's stands on the page that whoever posts a form is shown."""
    shown = await stage.person(name="Ada Nobody", email="ada-nobody@example.com")
    key = Key.fresh()
    request = await _carried(stage, key, permission=[shown.permission("delivery", ["name", "email"])])
    text = _page(await _post(stage, _form(request)), 200)
    expect("Ada Nobody" not in text and "ada-nobody" not in text, "a value of a record's on the page")
    for path in ("/connect/", "/connect/x", "/connect?x=%zz%00\\"):
        expect((await _post(stage, _form(request), path=path)).status in (400, 404), f"a form at {path}")


@topic.check("HTTP-70", "HTTP-39", profile=Profile.DID_WEB)
async def nobody_is_looked_up_for_a_form(stage: Stage) -> None:
    """A form in the name of a domain makes the node fetch nothing there; the person's going on does."""
    async with domain() as at:
        shop = Shop.at(stage, at)
        connect = {"returnTo": f"http://{at.host}:{at.port}/back", "challenge": secrets.token_urlsafe(24)}
        request = shop.request(await asker.wanted(stage), connect=connect)
        _page(await _post(stage, _form(request)), 200)
        await asyncio.sleep(0.2)
        expect_equal(at.connections, 0, "look-ups for a form")
        taken = await stage.owner.do("POST", "/requests", {"request": request})
        expect_equal((at.connections, taken["vendor"]["id"]), (1, shop.did), "look-ups when it was taken in")
