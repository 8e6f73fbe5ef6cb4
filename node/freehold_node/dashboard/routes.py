"""Every page of the dashboard: method, path, handler. ``GET`` shows and changes nothing; what changes is a form.

Spec: specs/node/dashboard.md#pages
"""

from __future__ import annotations

from typing import Final, NamedTuple

from aiohttp import web

from .door import Handler, for_the_person, open_to_all
from .pages import entering, frame, relationship, relationship_changes, relationships, today

_RELATIONSHIP: Final = r"/my/relationships/{grant:[0-9a-f-]{36}}"


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
    PageRoute("GET", "/my/relationships", for_the_person(relationships.show)),
    PageRoute("GET", "/my/relationships/end-everything", for_the_person(relationships.ask_everything)),
    PageRoute("POST", "/my/relationships/end-everything", for_the_person(relationships.end_everything)),
    PageRoute("GET", _RELATIONSHIP, for_the_person(relationship.show)),
    PageRoute("GET", f"{_RELATIONSHIP}/receipt", for_the_person(relationship.download_receipt)),
    PageRoute("GET", f"{_RELATIONSHIP}/end-all", for_the_person(relationships.ask_vendor)),
    PageRoute("POST", f"{_RELATIONSHIP}/end-all", for_the_person(relationships.end_vendor)),
    PageRoute("POST", f"{_RELATIONSHIP}/boxes", for_the_person(relationship_changes.save)),
    PageRoute("POST", f"{_RELATIONSHIP}/review", for_the_person(relationship_changes.review)),
    PageRoute("POST", f"{_RELATIONSHIP}/until", for_the_person(relationship_changes.until)),
    PageRoute("POST", f"{_RELATIONSHIP}/pause", for_the_person(relationship_changes.pause)),
    PageRoute("POST", f"{_RELATIONSHIP}/resume", for_the_person(relationship_changes.resume)),
    PageRoute("POST", f"{_RELATIONSHIP}/rotate", for_the_person(relationship_changes.rotate)),
    PageRoute("GET", f"{_RELATIONSHIP}/end", for_the_person(relationship_changes.ask_end)),
    PageRoute("POST", f"{_RELATIONSHIP}/end", for_the_person(relationship_changes.end)),
    PageRoute("GET", f"{_RELATIONSHIP}/cut-off", for_the_person(relationship_changes.ask_cut_off)),
    PageRoute("POST", f"{_RELATIONSHIP}/cut-off", for_the_person(relationship_changes.cut_off)),
    PageRoute("POST", f"{_RELATIONSHIP}/keys", for_the_person(relationship_changes.accept_keys)),
    # What no page has, so that a person who follows an old link sees a page.
    PageRoute("*", "/my/{rest:.*}", open_to_all(frame.nothing, own_forms=False, reads_body=False)),
    PageRoute("*", "/my", open_to_all(frame.nothing, own_forms=False, reads_body=False)),
)


def add_pages(app: web.Application) -> None:
    """Add every page to the application."""
    for route in PAGES:
        app.router.add_route(route.method, route.path, route.handler)
