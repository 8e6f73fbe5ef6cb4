"""Every page of the dashboard: method, path, handler. ``GET`` shows and changes nothing; what changes is a form.

Spec: specs/node/dashboard.md#pages
"""

from __future__ import annotations

from typing import Final, NamedTuple

from aiohttp import web

from .door import Handler, for_the_person, open_to_all
from .checking import CHECKING, Checking
from .pages import entering, frame, ledger, ledger_check, today

_LEDGER: Final = "/my/ledger/{grant:[0-9a-f-]{36}}"


class PageRoute(NamedTuple):
    """One row."""

    method: str
    path: str
    handler: Handler


PAGES: Final = (
    PageRoute("GET", "/", open_to_all(frame.begin)),
    PageRoute("GET", r"/my/static/{name:[a-z-]{1,40}\.[a-z]{2,3}}", open_to_all(frame.static)),
    PageRoute("POST", "/my/language", open_to_all(frame.language)),
    PageRoute("GET", "/my/live", for_the_person(frame.live)),
    PageRoute("GET", "/my/enter", open_to_all(entering.show)),
    PageRoute("POST", "/my/enter", open_to_all(entering.enter)),
    PageRoute("GET", r"/my/enter/{link:[A-Za-z0-9_-]{20,60}}", open_to_all(entering.show_link)),
    PageRoute("POST", "/my/enter/link", open_to_all(entering.follow_link)),
    PageRoute("POST", "/my/sign-out", for_the_person(entering.sign_out)),
    PageRoute("GET", "/my/today", for_the_person(today.show)),
    PageRoute("POST", "/my/today/clock", for_the_person(today.confirm_clock)),
    PageRoute("GET", "/my/ledger", for_the_person(ledger.show)),
    PageRoute("GET", "/my/ledger/check", for_the_person(ledger_check.show)),
    PageRoute("POST", "/my/ledger/check", for_the_person(ledger_check.start)),
    PageRoute("GET", f"{_LEDGER}/file", for_the_person(ledger.download)),
    PageRoute("GET", rf"{_LEDGER}/{{number:0|[1-9][0-9]{{0,17}}}}", for_the_person(ledger.show_entry)),
    # What no page has, so that a person who follows an old link sees a page.
    PageRoute("*", "/my/{rest:.*}", open_to_all(frame.nothing, own_forms=False, reads_body=False)),
    PageRoute("*", "/my", open_to_all(frame.nothing, own_forms=False, reads_body=False)),
)


def add_pages(app: web.Application) -> None:
    """Add every page to the application."""
    app[CHECKING] = Checking()
    app.on_shutdown.append(app[CHECKING].close)
    for route in PAGES:
        app.router.add_route(route.method, route.path, route.handler)
