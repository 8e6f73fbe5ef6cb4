"""Taking everything along: an export to look at and to take elsewhere, a backup to restore from.

Spec: specs/node/dashboard.md#taking-along
"""

from __future__ import annotations

from aiohttp import web
from freehold_protocol.errors import PassphraseError

from ...api.operation import Operation, send
from ...api.owner import keeping, moving, tending
from ...devices import TooManyAttemptsError
from ..page import HEADERS
from ..visit import Visit


async def show(visit: Visit) -> web.Response:
    """Say what each of the two is good for."""
    return await _show(visit)


async def _show(visit: Visit, *, status: int = 200, wrong: str = "", wait_s: int = 0) -> web.Response:
    node = (await visit.does(tending.show_status)).told
    return visit.page(
        "taking.html", active="data", status=status, wrong=wrong, wait_s=wait_s, records=node["records"],
        grants=sum(node["grants"].values()), entries=node["entries"],
    )  # fmt: skip


async def export(visit: Visit) -> web.StreamResponse:
    """Send everything as one file."""
    return await _send(visit, keeping.export_all, "export", "zip")


async def backup(visit: Visit) -> web.StreamResponse:
    """Send a backup."""
    return await _send(visit, moving.make_backup, "backup", "freehold")


async def _send(visit: Visit, operation: Operation, what: str, ending: str) -> web.StreamResponse:
    try:
        return await sent(visit, operation, what, ending)
    except TooManyAttemptsError as error:
        return await _show(visit, status=429, wait_s=error.wait_s)
    except PassphraseError:
        return await _show(visit, status=403, wrong=what)


async def sent(visit: Visit, operation: Operation, what: str, ending: str) -> web.StreamResponse:
    """Send what an operation gives as a file. Raises as Visit.does, before anything is sent."""
    answer = await visit.does(operation)
    if answer.download is None:
        raise TypeError("a file was expected")
    day = (await visit.does(tending.show_status)).told["clock"]["now"][:10]
    name = f'attachment; filename="freehold-{what}-{day}.{ending}"'
    return await send(visit.request, answer.download, {**HEADERS, "Content-Disposition": name})
