"""What belongs to no page: the way in, files, the language, what is new, and what is not there."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from urllib.parse import parse_qsl, unquote, urlencode

from aiohttp import web
from freehold_protocol.errors import NotFoundError

from ..door import check_form_key
from ..live import LIVE
from ..page import HEADERS, STATIC_TYPES, static_file, static_names
from ..switching import FILLED, FILLED_IN
from ..visit import START, Visit, is_ours
from . import connecting, entering

_PULSE_S = 20


async def begin(visit: Visit) -> web.Response:
    """Lead to the first page."""
    return visit.go(START)


async def static(visit: Visit) -> web.Response:
    """Give a stylesheet, a script or a picture."""
    name = visit.params["name"]
    if name not in static_names():
        raise NotFoundError("nothing here")
    kind = STATIC_TYPES[name.rpartition(".")[2]]
    return web.Response(body=static_file(name), content_type=kind, charset="utf-8", headers=HEADERS)


async def language(visit: Visit) -> web.Response:
    """Choose the language of the pages in this browser, and show the page again with what was filled in there."""
    form = visit.form
    if "then" in form:  # somebody is signing in, and what they wanted to do comes along
        return entering.ask_again(visit, form.text("then", most=8000))
    if connecting.FIELD in form:
        return connecting.show_again(visit)
    back = form.get("back") or form.get("here", "")
    path, _, query = (back if is_ours(back) else START).partition("?")
    pairs = {name: value for name, value in parse_qsl(query, keep_blank_values=True) if name != FILLED}
    if "here" in form and visit.session is not None:
        check_form_key(visit, form.get("csrf", ""))
        pairs[FILLED] = visit.request.app[FILLED_IN].keep(visit.session.id, unquote(path), form.kept())
    return visit.go(path + (f"?{urlencode(pairs)}" if pairs else ""))


async def live(visit: Visit) -> web.StreamResponse:
    """Say that something is new, without saying what: the page then looks again. Ends when the session does."""
    with visit.request.app[LIVE].listener(lambda: _is_left(visit.request)) as listener:
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        with suppress(ConnectionError):  # the page was left, perhaps before it was answered
            await response.prepare(visit.request)
            await response.write(b"retry: 3000\nevent: ready\ndata: {}\n\n")
            while not listener.closed:
                changed = await listener.wait(_PULSE_S)
                cookie_holds = await visit.devices.stands(visit.signed_in.id)
                if listener.closed or not cookie_holds:
                    break
                await response.write(b"event: changed\ndata: {}\n\n" if changed else b": still here\n\n")
                await asyncio.sleep(0)
        return response


def _is_left(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


async def nothing(_: Visit) -> web.Response:
    """Say that there is no such page."""
    raise NotFoundError("nothing here")
