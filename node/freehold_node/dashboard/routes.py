"""Every page of the dashboard: method, path, handler. ``GET`` shows and changes nothing; what changes is a form.

Spec: specs/node/dashboard.md#pages
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from aiohttp import web

from .door import Handler, for_the_person, in_chosen_language, open_to_all
from .ledger.checking import CHECKING, Checking
from .pages import (
    connecting,
    data,
    devices,
    editing,
    entering,
    first_data,
    first_steps,
    frame,
    importing,
    ledger,
    ledger_check,
    passkeys,
    recovery,
    relationship,
    relationship_changes,
    relationship_limits,
    relationship_steps,
    relationships,
    requests,
    settings,
    starting,
    taking,
    today,
)

_LEDGER: Final = "/my/ledger/{grant:[0-9a-f-]{36}}"


class PageRoute(NamedTuple):
    """One row."""

    method: str
    path: str
    handler: Handler


_REQUEST: Final = r"/my/requests/{request:[A-Za-z0-9-]{1,64}}"
_RELATIONSHIP: Final = r"/my/relationships/{grant:[0-9a-f-]{36}}"
_RECORD: Final = r"/my/data/records/{record:[0-9a-f-]{36}}"
_SESSION: Final = r"/my/settings/devices/sessions/{session:[0-9a-f-]{36}}"
_PASSKEY: Final = r"/my/settings/devices/passkeys/{passkey:[0-9a-f-]{36}}"

PAGES: Final = (
    PageRoute("GET", "/", open_to_all(frame.begin)),
    PageRoute("GET", r"/my/static/{name:[a-z-]{1,40}\.[a-z]{2,3}}", open_to_all(frame.static)),
    PageRoute("POST", "/my/language", open_to_all(in_chosen_language(frame.language))),
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
    PageRoute("POST", "/connect", open_to_all(connecting.offer, own_forms=False, reads_body=False)),
    PageRoute("POST", "/my/connect", open_to_all(connecting.take_in)),
    PageRoute("GET", "/my/requests", for_the_person(requests.show_list)),
    PageRoute("GET", "/my/requests/invite", for_the_person(requests.show_list)),
    PageRoute("POST", "/my/requests/invite", for_the_person(requests.invite)),
    PageRoute("GET", _REQUEST, for_the_person(requests.show)),
    # Where a form leads, a page that is loaded again or looks for what is new finds the card.
    PageRoute("GET", f"{_REQUEST}/review", for_the_person(requests.show)),
    PageRoute("GET", f"{_REQUEST}/approve", for_the_person(requests.show)),
    PageRoute("GET", f"{_REQUEST}/refuse", for_the_person(requests.show)),
    PageRoute("GET", f"{_REQUEST}/return", for_the_person(requests.show)),
    PageRoute("POST", f"{_REQUEST}/review", for_the_person(in_chosen_language(requests.review))),
    PageRoute("POST", f"{_REQUEST}/approve", for_the_person(requests.approve)),
    PageRoute("POST", f"{_REQUEST}/refuse", for_the_person(requests.refuse)),
    PageRoute("POST", f"{_REQUEST}/return", for_the_person(requests.go_back)),
    PageRoute("GET", "/my/data", for_the_person(data.show)),
    PageRoute("GET", r"/my/data/kind/{type:[A-Za-z][A-Za-z0-9]{0,63}}", for_the_person(data.show_kind)),
    PageRoute("GET", "/my/data/add", for_the_person(editing.choose_kind)),
    PageRoute("GET", "/my/data/add/{type:[A-Za-z]{1,40}}", for_the_person(editing.show_new)),
    PageRoute("POST", "/my/data/add/{type:[A-Za-z]{1,40}}", for_the_person(editing.add)),
    PageRoute("GET", "/my/data/import", for_the_person(importing.show)),
    PageRoute("POST", "/my/data/import", for_the_person(importing.receive, reads_body=False)),
    PageRoute("GET", "/my/data/import/columns", for_the_person(importing.show_columns)),
    PageRoute("POST", "/my/data/import/columns", for_the_person(importing.take_columns)),
    PageRoute("GET", "/my/data/import/preview", for_the_person(importing.show_preview)),
    PageRoute("POST", "/my/data/import/start", for_the_person(importing.start)),
    PageRoute("GET", "/my/data/import/progress", for_the_person(importing.show_progress)),
    PageRoute("POST", "/my/data/import/cancel", for_the_person(importing.cancel)),
    PageRoute("GET", "/my/data/export", for_the_person(taking.show)),
    PageRoute("POST", "/my/data/export", for_the_person(taking.export)),
    PageRoute("POST", "/my/data/backup", for_the_person(taking.backup)),
    PageRoute("GET", _RECORD, for_the_person(data.show_record)),
    PageRoute("GET", f"{_RECORD}/download", for_the_person(data.download)),
    PageRoute("GET", f"{_RECORD}/edit", for_the_person(editing.show_edit)),
    PageRoute("POST", f"{_RECORD}/edit", for_the_person(editing.edit)),
    PageRoute("GET", f"{_RECORD}/self", for_the_person(data.ask_self)),
    PageRoute("POST", f"{_RECORD}/self", for_the_person(data.choose_self)),
    PageRoute("GET", f"{_RECORD}/delete", for_the_person(data.ask_delete)),
    PageRoute("POST", f"{_RECORD}/delete", for_the_person(data.delete)),
    PageRoute("GET", "/my/relationships", for_the_person(relationships.show)),
    PageRoute("GET", "/my/relationships/end-everything", for_the_person(relationships.ask_everything)),
    PageRoute("POST", "/my/relationships/end-everything", for_the_person(relationships.end_everything)),
    PageRoute("GET", _RELATIONSHIP, for_the_person(relationship.show)),
    PageRoute("GET", f"{_RELATIONSHIP}/receipt", for_the_person(relationship.download_receipt)),
    PageRoute("GET", f"{_RELATIONSHIP}/statements", for_the_person(relationship.download_statements)),
    PageRoute("GET", f"{_RELATIONSHIP}/end-all", for_the_person(relationships.ask_vendor)),
    PageRoute("POST", f"{_RELATIONSHIP}/end-all", for_the_person(relationships.end_vendor)),
    PageRoute("POST", f"{_RELATIONSHIP}/boxes", for_the_person(relationship_changes.save)),
    PageRoute("POST", f"{_RELATIONSHIP}/review", for_the_person(relationship_changes.review)),
    PageRoute("POST", f"{_RELATIONSHIP}/until", for_the_person(relationship_changes.until)),
    PageRoute("GET", f"{_RELATIONSHIP}/limits", for_the_person(relationship_limits.show)),
    PageRoute("POST", f"{_RELATIONSHIP}/limits", for_the_person(relationship_limits.save)),
    PageRoute("POST", f"{_RELATIONSHIP}/pause", for_the_person(relationship_steps.pause)),
    PageRoute("POST", f"{_RELATIONSHIP}/resume", for_the_person(relationship_steps.resume)),
    PageRoute("POST", f"{_RELATIONSHIP}/rotate", for_the_person(relationship_steps.rotate)),
    PageRoute("GET", f"{_RELATIONSHIP}/end", for_the_person(relationship_steps.ask_end)),
    PageRoute("POST", f"{_RELATIONSHIP}/end", for_the_person(relationship_steps.end)),
    PageRoute("GET", f"{_RELATIONSHIP}/cut-off", for_the_person(relationship_steps.ask_cut_off)),
    PageRoute("POST", f"{_RELATIONSHIP}/cut-off", for_the_person(relationship_steps.cut_off)),
    PageRoute("POST", f"{_RELATIONSHIP}/keys", for_the_person(relationship_steps.accept_keys)),
    PageRoute("POST", "/my/today/clock", for_the_person(today.confirm_clock)),
    PageRoute("GET", "/my/ledger", for_the_person(ledger.show)),
    PageRoute("GET", "/my/ledger/check", for_the_person(ledger_check.show)),
    PageRoute("POST", "/my/ledger/check", for_the_person(ledger_check.start)),
    PageRoute("GET", f"{_LEDGER}/download", for_the_person(ledger.download)),
    PageRoute("GET", rf"{_LEDGER}/{{number:0|[1-9][0-9]{{0,17}}}}", for_the_person(ledger.show_entry)),
    PageRoute("POST", "/my/enter/passkey/begin", open_to_all(passkeys.begin_entering)),
    PageRoute("POST", "/my/enter/passkey", open_to_all(passkeys.enter)),
    PageRoute("POST", "/my/passkeys/begin", for_the_person(passkeys.begin_proving)),
    PageRoute("POST", "/my/passkeys/prove", for_the_person(passkeys.prove)),
    PageRoute("GET", "/my/settings", for_the_person(settings.show)),
    PageRoute("POST", "/my/settings/clock", for_the_person(settings.confirm_clock)),
    PageRoute("GET", "/my/settings/recovery", for_the_person(recovery.show)),
    PageRoute("POST", "/my/settings/recovery/sheet", for_the_person(recovery.print_sheet)),
    PageRoute("POST", "/my/settings/recovery/passphrase", for_the_person(recovery.change_passphrase)),
    PageRoute("GET", "/my/settings/devices", for_the_person(devices.show)),
    PageRoute("POST", "/my/settings/devices/sign-out", for_the_person(devices.sign_out_everywhere)),
    PageRoute("POST", f"{_SESSION}/sign-out", for_the_person(devices.sign_out)),
    PageRoute("GET", "/my/settings/devices/add", for_the_person(passkeys.show_add)),
    PageRoute("POST", "/my/settings/devices/add", for_the_person(passkeys.prove_to_add)),
    PageRoute("POST", "/my/settings/devices/passkeys", for_the_person(passkeys.add)),
    PageRoute("POST", "/my/settings/devices/passkeys/begin", for_the_person(passkeys.begin_adding)),
    PageRoute("GET", _PASSKEY, for_the_person(devices.ask_forget)),
    PageRoute("POST", _PASSKEY, for_the_person(devices.forget)),
    PageRoute("GET", "/my/settings/backup", for_the_person(settings.show_backup)),
    PageRoute("POST", "/my/settings/backup", for_the_person(settings.backup)),
    PageRoute("GET", "/my/settings/addresses", for_the_person(settings.show_addresses)),
    PageRoute("POST", "/my/settings/addresses", for_the_person(settings.add_address)),
    PageRoute("GET", "/my/settings/limits", for_the_person(settings.show_limits)),
    PageRoute("GET", "/my/settings/sample", for_the_person(settings.ask_sample)),
    # What no page has, so that a person who follows an old link sees a page.
    PageRoute("*", "/my/{rest:.*}", open_to_all(frame.nothing, own_forms=False, reads_body=False)),
    PageRoute("*", "/my", open_to_all(frame.nothing, own_forms=False, reads_body=False)),
)

FIRST_PAGES: Final = (
    PageRoute("GET", r"/my/static/{name:[a-z-]{1,40}\.[a-z]{2,3}}", open_to_all(frame.static)),
    PageRoute("POST", "/my/language", open_to_all(in_chosen_language(frame.language))),
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
    app[CHECKING] = Checking()
    app.on_shutdown.append(app[CHECKING].close)
    for route in pages:
        app.router.add_route(route.method, route.path, route.handler)
