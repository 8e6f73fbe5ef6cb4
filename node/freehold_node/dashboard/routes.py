"""Every page of the dashboard: method, path, handler. ``GET`` shows and changes nothing; what changes is a form.

Spec: specs/node/dashboard.md#pages
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from aiohttp import web

from .door import Handler, for_the_person, open_to_all
from .pages import entering, first_data, first_steps, frame, starting, today


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
    # Bringing data for the first time; the pages before it are FIRST_PAGES, and an old link to them leads on.
    PageRoute("GET", "/my/data/first", for_the_person(first_data.show)),
    PageRoute("POST", "/my/data/first", for_the_person(first_data.add)),
    PageRoute("POST", "/my/data/first/invented", for_the_person(first_data.use_invented)),
    PageRoute("POST", "/my/sample/remove", for_the_person(first_steps.remove_sample)),
    PageRoute("GET", "/my/start", open_to_all(frame.begin)),
    PageRoute("GET", "/my/start/{rest:.*}", open_to_all(frame.begin)),
    # What no page has, so that a person who follows an old link sees a page.
    PageRoute("*", "/my/{rest:.*}", open_to_all(frame.nothing, own_forms=False, reads_body=False)),
    PageRoute("*", "/my", open_to_all(frame.nothing, own_forms=False, reads_body=False)),
)

FIRST_PAGES: Final = (
    PageRoute("GET", r"/my/static/{name:[a-z-]{1,40}\.[a-z]{2,3}}", open_to_all(frame.static)),
    PageRoute("POST", "/my/language", open_to_all(frame.language)),
    PageRoute("GET", "/my/start", starting.for_who_began(starting.welcome)),
    PageRoute("POST", "/my/start", open_to_all(starting.choose_way)),
    PageRoute("GET", "/my/start/passphrase", starting.for_who_began(starting.show_passphrase)),
    PageRoute("POST", "/my/start/passphrase", starting.for_who_began(starting.choose_passphrase)),
    PageRoute("GET", "/my/start/sheet", starting.for_who_began(starting.show_sheet)),
    PageRoute("POST", "/my/start/sheet", starting.for_who_began(starting.confirm_sheet)),
    PageRoute("GET", "/my/start/recover", starting.for_who_began(starting.show_recover)),
    PageRoute("POST", "/my/start/recover", starting.for_who_began(starting.recover)),
    PageRoute("GET", "/my/start/backup", starting.for_who_began(starting.show_backup)),
    PageRoute("POST", "/my/start/backup", starting.for_who_began(starting.restore, reads_body=False)),
    PageRoute("GET", r"/my/start/{link:[A-Za-z0-9_-]{40,60}}", open_to_all(starting.show_link)),
    PageRoute("*", "/{rest:.*}", open_to_all(starting.nothing, own_forms=False, reads_body=False)),
)
"""What there is while the node has no keys."""


def add_pages(app: web.Application, pages: Iterable[PageRoute] = PAGES) -> None:
    """Add pages to the application: those of an open node, or others."""
    for route in pages:
        app.router.add_route(route.method, route.path, route.handler)
