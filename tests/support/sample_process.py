"""The sample shop and courier as processes, and a browser without a screen that looks at their pages."""

from __future__ import annotations

import asyncio
import html
import json
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp


@dataclass(slots=True)
class Sample:
    process: asyncio.subprocess.Process
    session: aiohttp.ClientSession
    url: str
    did: str

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        async with self.session.request(method, self.url + path, json=body, **more) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()


@asynccontextmanager
async def running(name: str, *arguments: str) -> AsyncIterator[Sample]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"freehold_vendor.sample.{name}", "--port", "0", *arguments,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        told = json.loads(await asyncio.wait_for(process.stdout.readline(), 30))
        async with aiohttp.ClientSession() as session:
            yield Sample(process, session, told["url"], told["did"])
    finally:
        process.stdin.close()
        await asyncio.wait_for(process.wait(), 10)


@dataclass(slots=True)
class Page:
    """A page as it came: its address, status, headers and source."""

    url: str
    status: int
    headers: Mapping[str, str]
    source: str

    @property
    def text(self) -> str:
        """What a person reads, spaces made one."""
        plain = re.sub(r"<(script|style).*?</\1>|<[^>]*>", " ", self.source, flags=re.DOTALL)
        return " ".join(html.unescape(plain).split())

    @property
    def title(self) -> str:
        match = re.search(r"<h1>(.*?)</h1>", self.source)
        return html.unescape(match[1]) if match else ""

    @property
    def token(self) -> str:
        match = re.search(r'name="form" value="([^"]+)"', self.source)
        return match[1] if match else ""

    def rows(self, section: str | None = None) -> dict[str, str]:
        """Return the lines of the tables, or of the table of one section."""
        source = self.source if section is None else self.source.partition(f'id="{section}"')[2]
        source = source.partition("</table>")[0] if section is not None else source
        found = re.findall(r'<th scope="row">(.*?)</th>\s*<td>(.*?)</td>', source, flags=re.DOTALL)
        return {html.unescape(name): Page("", 0, {}, cell).text for name, cell in found}


@dataclass(slots=True)
class Browser:
    """Cookies, and the headers that a browser sends of itself; follows redirects."""

    session: aiohttp.ClientSession
    headers: dict[str, str] = field(default_factory=lambda: {"Accept-Language": "en"})
    page: Page = field(default_factory=lambda: Page("", 0, {}, ""))

    async def get(self, url: str, **headers: str) -> Page:
        return await self._send("GET", url, headers={"Accept": "text/html", **headers})

    async def post(self, url: str, fields: Mapping[str, str] | None = None, **headers: str) -> Page:
        """Send a form of the page that is open, with its token."""
        origin = "/".join(url.split("/", 3)[:3])
        data = {"form": self.page.token, **(fields or {})}
        return await self._send("POST", url, headers={"Origin": origin, **headers}, data=data)

    async def _send(self, method: str, url: str, headers: dict[str, str], **more: Any) -> Page:
        async with self.session.request(method, url, headers=self.headers | headers, **more) as answer:
            self.page = Page(str(answer.url), answer.status, answer.headers, await answer.text())
        return self.page


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield Browser(session)
