"""Every page of the dashboard: method, path, handler. ``GET`` shows and changes nothing; what changes is a form.

Spec: specs/node/dashboard.md#pages
"""

from __future__ import annotations

from typing import Final, NamedTuple

from aiohttp import web

from .door import Handler, for_the_person, open_to_all
from .pages import connecting, entering, frame, requests, today


class PageRoute(NamedTuple):
    """One row."""

    method: str
    path: str
    handler: Handler


_REQUEST: Final = r"{request:[A-Za-z0-9-]{1,64}}"

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
    PageRoute("POST", "/connect", open_to_all(connecting.offer, own_forms=False, reads_body=False)),
    PageRoute("POST", "/my/connect", open_to_all(connecting.take_in)),
    PageRoute("GET", "/my/requests", for_the_person(requests.show_list)),
    PageRoute("POST", "/my/requests/invite", for_the_person(requests.invite)),
    PageRoute("GET", f"/my/requests/{_REQUEST}", for_the_person(requests.show)),
    PageRoute("GET", f"/my/requests/{_REQUEST}/review", for_the_person(requests.show_again)),
    PageRoute("POST", f"/my/requests/{_REQUEST}/review", for_the_person(requests.review)),
    PageRoute("POST", f"/my/requests/{_REQUEST}/approve", for_the_person(requests.approve)),
    PageRoute("POST", f"/my/requests/{_REQUEST}/refuse", for_the_person(requests.refuse)),
    PageRoute("POST", f"/my/requests/{_REQUEST}/return", for_the_person(requests.go_back)),
    # What no page has, so that a person who follows an old link sees a page.
    PageRoute("*", "/my/{rest:.*}", open_to_all(frame.nothing, own_forms=False, reads_body=False)),
    PageRoute("*", "/my", open_to_all(frame.nothing, own_forms=False, reads_body=False)),
)


def add_pages(app: web.Application) -> None:
    """Add every page to the application."""
    for route in PAGES:
        app.router.add_route(route.method, route.path, route.handler)
