"""A browser without a screen and without scripts: it follows links, fills in forms, keeps cookies.

What a page needs JavaScript for, it cannot do; so what these tests do works without.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin

import aiohttp
from harness import House
from yarl import URL

_VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta"}


@dataclass(slots=True)
class FormSeen:
    """A form as it stands on a page: ``fields`` are those that a browser would send, ``boxes`` all boxes by name."""

    action: str
    method: str
    id: str
    enctype: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    boxes: dict[str, bool] = field(default_factory=dict)
    disabled: set[str] = field(default_factory=set)
    buttons: list[dict[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[FormSeen] = []
        self.links: dict[str, str] = {}
        self.text: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self._form: FormSeen | None = None
        self._link: tuple[str, list[str]] | None = None
        self._area: str | None = None
        self._select: tuple[FormSeen, str] | None = None
        self._before: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append((tag, given))
        if tag == "form":
            self._form = FormSeen(
                given.get("action", ""),
                given.get("method", "get"),
                given.get("id", ""),
                given.get("enctype", ""),
            )
            self.forms.append(self._form)
        elif tag == "a" and "href" in given:
            self._link = (given["href"], [])
        elif tag == "option":
            self._option(given)
        elif tag in ("input", "textarea", "select", "button"):
            form = self._form
            if "form" in given:
                form = next((one for one in self.forms if one.id == given["form"]), None)
                if form is None and tag == "button":  # of a form that is yet to come
                    self._before.append(given)
            if form is not None:
                self._control(form, tag, given)

    def _control(self, form: FormSeen, tag: str, given: dict[str, str]) -> None:
        name, is_box = given.get("name", ""), given.get("type") in ("checkbox", "radio")
        if is_box:
            form.boxes[name] = form.boxes.get(name, False) or "checked" in given
        if tag == "button" or given.get("type") == "submit":
            form.buttons.append(given)
        elif "disabled" in given:
            form.disabled.add(name)
        elif is_box:
            if "checked" in given:
                form.fields[name] = given.get("value", "on")
        elif name and given.get("type") not in ("button", "file"):
            form.fields[name] = given.get("value", "")
            self._area = name if tag == "textarea" else None
            self._select = (form, name) if tag == "select" else None

    def _option(self, given: dict[str, str]) -> None:
        if self._select is not None:
            form, name = self._select
            if "selected" in given or not form.fields[name]:
                form.fields[name] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "a" and self._link is not None:
            self.links.setdefault(" ".join("".join(self._link[1]).split()), self._link[0])
            self._link = None
        elif tag == "textarea":
            self._area = None
        elif tag == "select":
            self._select = None

    def close(self) -> None:
        super().close()
        for given in self._before:
            for form in self.forms:
                if form.id == given["form"]:
                    form.buttons.append(given)

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self._link is not None:
            self._link[1].append(data)
        if self._area is not None and self._form is not None:
            self._form.fields[self._area] += data


@dataclass(slots=True)
class Seen:
    """A page that came: its status and headers, what it says, its forms and links."""

    url: str
    status: int
    headers: Mapping[str, str]
    html: str
    forms: list[FormSeen]
    links: dict[str, str]
    tags: list[tuple[str, dict[str, str]]]
    text: str

    def form(self, action: str = "", *, having: str = "") -> FormSeen:
        """Return the form with this action, or that has this field or button."""
        for one in self.forms:
            named = {*one.fields, *one.boxes, *(button.get("name", "") for button in one.buttons)}
            if (not action or one.action.split("?")[0] == action) and (not having or having in named):
                return one
        raise AssertionError(
            f"{self.url} has no form {action or having!r}: {[one.action for one in self.forms]}"
        )


def read_page(url: str, status: int, headers: Mapping[str, str], html: str) -> Seen:
    """Return what a page says."""
    reader = _Reader()
    if headers.get("Content-Type", "text/html").startswith(
        "text/html"
    ):  # a file may begin like markup and be none
        reader.feed(html)
    reader.close()
    return Seen(
        url,
        status,
        headers,
        html,
        reader.forms,
        reader.links,
        reader.tags,
        " ".join("".join(reader.text).split()),
    )


@dataclass(slots=True)
class Browser:
    """One browser at a house; ``host`` is the name under which it opens the dashboard."""

    house: House
    session: aiohttp.ClientSession
    base: str
    seen: Seen | None = None

    async def get(self, path: str, *, follow: bool = True, headers: Mapping[str, str] | None = None) -> Seen:
        """Open a page, and follow where it leads."""
        return await self._open("GET", urljoin(self.base, path), None, follow, headers)

    async def post(
        self,
        path: str,
        fields: Mapping[str, str],
        *,
        follow: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> Seen:
        """Send fields as a form of this origin would be sent."""
        sent = {"Origin": self.base, "Sec-Fetch-Site": "same-origin", **(headers or {})}
        body = urlencode(fields).encode()
        return await self._open("POST", urljoin(self.base, path), body, follow, sent)

    async def submit(
        self,
        form: FormSeen,
        changed: Mapping[str, str | None] | None = None,
        *,
        button: str | None = None,
        follow: bool = True,
    ) -> Seen:
        """Send a form with some fields changed; None unticks a box. ``button`` is the name of the one pressed."""
        fields, action = {**form.fields}, form.action
        for name, value in (changed or {}).items():
            assert name in form.fields or name in form.boxes, f"the form has no field {name!r}"
            assert name not in form.disabled, f"{name!r} cannot be changed"
            if value is None:
                fields.pop(name, None)
            else:
                fields[name] = value
        if button is not None:
            pressed = next(one for one in form.buttons if one.get("name") == button.partition("=")[0])
            fields[button.partition("=")[0]] = button.partition("=")[2] or pressed.get("value", "")
            action = pressed.get("formaction", action)
        if form.method.lower() == "get":
            return await self.get(f"{action}?{urlencode(fields)}", follow=follow)
        return await self.post(action, fields, follow=follow)

    async def _open(
        self, method: str, url: str, body: bytes | None, follow: bool, headers: Mapping[str, str] | None
    ) -> Seen:
        for _ in range(6):
            sent = dict(headers or {})
            if body is not None:
                sent["Content-Type"] = "application/x-www-form-urlencoded"
            async with self.session.request(
                method, URL(url, encoded=True), data=body, headers=sent, allow_redirects=False
            ) as answer:
                html = (await answer.read()).decode("utf-8", "replace")
                if not (follow and answer.status == 303):
                    self.seen = read_page(url, answer.status, answer.headers, html)
                    return self.seen
                method, body, headers = "GET", None, None
                url = urljoin(url, answer.headers["Location"])
        raise AssertionError("it leads on and on")

    async def sign_in(self) -> Seen:
        """Sign in by a one-time link, as after the start of a node; nothing is proved by that."""
        page = await self.get(f"/my/enter/{self.house.node.devices.new_link()}")
        return await self.submit(page.form("/my/enter/link"))


def is_in(seen: Seen) -> bool:
    """Whether a page is one of somebody who is signed in."""
    return "Sign out" in seen.text


@asynccontextmanager
async def open_browser(house: House, *, language: str = "en") -> AsyncIterator[Browser]:
    """Give a browser that is not signed in."""
    jar = aiohttp.CookieJar(unsafe=True)
    base = f"http://localhost:{house.node.config.port}"
    async with aiohttp.ClientSession(cookie_jar=jar, headers={"Accept-Language": language}) as session:
        yield Browser(house, session, base)
