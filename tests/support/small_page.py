"""A server of one small page, sound as it is, whose parts a test sets: what the browser's harness is tried on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web
from browsing import NARROW, Visit
from playwright.async_api import Page

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'"
STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1b; --paper: #fff; --ring: #0b57d0; }
@media (prefers-color-scheme: dark) { :root { --ink: #eee; --paper: #151515; --ring: #8ab4f8; } }
body { color: var(--ink); background: var(--paper); font: 1rem/1.5 sans-serif; }
a { color: inherit }
a, button, input, select, summary { min-height: 1.5rem }
:focus-visible { outline: 3px solid var(--ring); outline-offset: 2px }
"""
SOUND = """
<a href="#main">Skip to the content</a>
<main id="main"><h1>A page</h1>
<p>It says what it is for. <a href="/elsewhere">Elsewhere</a></p>
<form method="post" action="/"><label>Name <input name="name"></label>
<label>Day <input type="date" name="day"></label>
<label><input type="checkbox" name="agreed"> Agreed</label>
<fieldset><legend>Which</legend><label><input type="radio" name="one" value="1" checked> One</label>
<label><input type="radio" name="one" value="2"> Two</label></fieldset>
<label>Until <select name="until"><option>May</option><option>June</option></select></label>
<details><summary>More</summary><p>There is <a href="/more">more</a>.</p></details>
<button>Save</button> <button disabled>Not yet</button></form>
<p tabindex="-1">Only a script puts the focus here.</p></main>
"""


@dataclass(slots=True)
class Stage:
    """A server of one page, whose parts a test sets; what was posted is counted."""

    base: str = ""
    body: str = SOUND
    style: str = ""
    script: str = ""
    posted: int = 0

    def page(self) -> str:
        return (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>A page</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<link rel="icon" href="/icon"><link rel="stylesheet" href="/style">'
            f'<script src="/script" defer></script></head><body>{self.body}</body></html>'
        )

    async def answer(self, request: web.Request) -> web.Response:
        path = request.path
        if path == "/style":
            return web.Response(text=STYLE + self.style, content_type="text/css")
        if path == "/script":
            return web.Response(text=self.script, content_type="text/javascript")
        if path == "/icon":
            return web.Response(
                text="<svg xmlns='http://www.w3.org/2000/svg'/>", content_type="image/svg+xml"
            )
        if path.startswith("/status/"):
            return web.Response(status=int(path.rpartition("/")[2]), text="no")
        self.posted += request.method == "POST"
        return web.Response(
            text=self.page(), content_type="text/html", headers={"Content-Security-Policy": POLICY}
        )


@asynccontextmanager
async def open_stage() -> AsyncIterator[Stage]:
    made = Stage()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.base = f"http://localhost:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


async def open_page(visit: Visit, stage: Stage) -> Page:
    visitor = await visit(stage.base, look=NARROW)
    await visitor.go("/")
    page: Page = visitor.page
    return page
