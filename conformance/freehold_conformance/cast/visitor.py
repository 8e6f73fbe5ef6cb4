"""The person's browser, as far as a node's own pages are judged at all: it follows a one-time link, and has a cookie.

What those pages look like is each node's own matter. So this presses every button of the page that the link leads to,
until the node says that somebody is signed in.

Spec: specs/http.md#devices
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin, urlsplit

from ..check import Skipped
from ..wire import Answer
from .stage import Stage

_FORM = "application/x-www-form-urlencoded"


@dataclass(slots=True)
class _Form:
    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    """The forms of a page that are posted, with what a browser would send of each."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[_Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and given.get("method", "").lower() == "post":
            self.found.append(_Form(given.get("action", "")))
        elif tag in ("input", "button") and given.get("name") and self.found:
            self.found[-1].fields.setdefault(given["name"], given.get("value", ""))


@dataclass(slots=True, kw_only=True)
class Visitor:
    """A browser at a node; ``landed`` is the page to which signing in led, None while nobody is signed in."""

    stage: Stage
    host: str
    cookies: dict[str, str] = field(default_factory=dict)
    landed: str | None = None

    async def send(
        self, method: str, target: str, body: bytes | None = None, *, cookies: bool = True
    ) -> Answer:
        """Send as a browser does from a page of the node's own, and keep the cookies that come."""
        origin = f"{urlsplit(self.stage.wire.origin).scheme}://{self.host}"
        sent = {"host": self.host, "origin": origin, "sec-fetch-site": "same-origin", "accept": "text/html"}
        if body is not None:
            sent["content-type"] = _FORM
        if cookies and self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = await self.stage.wire.send(method, target, sent, body)
        if cookies:
            self.cookies |= dict(_cookies(answer))
        return answer

    async def follow(self, link: str) -> None:
        """Do with a one-time link what a person would: open it, and press what is there."""
        target = urlsplit(link).path
        page = await self.send("GET", target)
        reader = _Forms()
        reader.feed(page.body.decode("utf-8", "replace"))
        before = await sessions(self.stage)
        for one in reader.found:
            answer = await self.send("POST", urljoin(target, one.action), urlencode(one.fields).encode())
            if await sessions(self.stage) - before:
                where = urlsplit(answer.headers.get("location", target))
                self.landed = where.path + (f"?{where.query}" if where.query else "")
                return

    async def is_in(self) -> bool:
        """Whether the page behind signing in is another than the one that a stranger is answered there."""
        if self.landed is None:
            return False
        own = await self.send("GET", self.landed)
        stranger = await self.send("GET", self.landed, cookies=False)
        return (own.status, own.headers.get("location")) != (
            stranger.status,
            stranger.headers.get("location"),
        )


def _cookies(answer: Answer) -> Iterator[tuple[str, str]]:
    for name, value in answer.raw_headers:
        if name.lower() == "set-cookie":
            cookie, _, secret = value.partition(";")[0].partition("=")
            yield cookie.strip(), secret.strip()


async def sessions(stage: Stage) -> set[str]:
    """Return the ids of the sessions that stand."""
    return {one["id"] for one in (await stage.owner.do("GET", "/devices"))["sessions"]}


async def new_link(stage: Stage) -> str:
    """Return the URL of a new one-time link."""
    return str((await stage.owner.do("POST", "/links", {}))["url"])


def stranger(stage: Stage, link: str) -> Visitor:
    """Return a browser that was never here, at the address of a link."""
    return Visitor(stage=stage, host=urlsplit(link).netloc)


async def sign_in(stage: Stage) -> tuple[Visitor, str]:
    """Return a browser in which the person is signed in, and the id of its session.

    Raises:
        Skipped: The node has no pages that a link opens by a button.
    """
    before, link = await sessions(stage), await new_link(stage)
    visitor = stranger(stage, link)
    await visitor.follow(link)
    opened = await sessions(stage) - before
    if len(opened) != 1 or not await visitor.is_in():
        raise Skipped("a one-time link leads to no page on which a button signs in")
    return visitor, opened.pop()
