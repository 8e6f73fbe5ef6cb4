"""Settings: what the person can set, one page for each, and how the node stands.

Spec: specs/node/dashboard.md#settings
"""

from __future__ import annotations

from typing import Final

from aiohttp import web
from freehold_protocol.encoding import Document
from freehold_protocol.errors import ConflictError, MalformedError, PassphraseError

from ...api.open_routes import VERSIONS
from ...api.owner import devices, keeping, moving, tending
from ...config import LICENCE
from ...devices import TooManyAttemptsError
from ..bounds import bounds
from ..reasons import NOTHING, Said, why
from ..sample import SAMPLE
from ..texts import LANGUAGES
from ..visit import Visit
from .taking import sent

PLACE: Final = "/my/settings"
_ACTIVE: Final = "settings"
_MAX_ORIGIN_CHARS: Final = 300


async def show(visit: Visit) -> web.Response:
    """Show every section, with the way to its page."""
    return await _show(visit)


async def _show(visit: Visit, *, status: int = 200, wrong: bool = False, wait_s: int = 0) -> web.Response:
    node = (await visit.does(tending.show_status)).told
    there = (await visit.does(devices.list_devices)).told
    sample = (await visit.does(keeping.show_sample)).told["sample"]
    return visit.page(
        "settings.html", active=_ACTIVE, status=status, wrong=wrong, wait_s=wait_s, node=node,
        sessions=len(there["sessions"]), passkeys=len(there["passkeys"]), sample=sample, used=_used(node),
        protocol=", ".join(VERSIONS), licence=LICENCE, languages=LANGUAGES,
    )  # fmt: skip


def _used(node: Document) -> int:
    return int(node["storage"]["database"] + node["storage"]["log"])


# The clock


async def confirm_clock(visit: Visit) -> web.Response:
    """Trust the clock as it stands."""
    try:
        await visit.does(tending.confirm_clock)
    except TooManyAttemptsError as error:
        return await _show(visit, status=429, wait_s=error.wait_s)
    except PassphraseError:
        return await _show(visit, status=403, wrong=True)
    return visit.go(PLACE, said="clock_confirmed")


# Backup and restore


async def show_backup(visit: Visit) -> web.Response:
    """Say what a backup is, and how it comes back."""
    return _show_backup(visit)


def _show_backup(visit: Visit, *, status: int = 200, wrong: bool = False, wait_s: int = 0) -> web.Response:
    return visit.page("backup.html", active=_ACTIVE, status=status, wrong=wrong, wait_s=wait_s)


async def backup(visit: Visit) -> web.StreamResponse:
    """Send a backup."""
    try:
        return await sent(visit, moving.make_backup, "backup", "freehold")
    except TooManyAttemptsError as error:
        return _show_backup(visit, status=429, wait_s=error.wait_s)
    except PassphraseError:
        return _show_backup(visit, status=403, wrong=True)


# Addresses


async def show_addresses(visit: Visit) -> web.Response:
    """List where the node is reached, and who would be cut off."""
    return await _show_addresses(visit)


async def _show_addresses(
    visit: Visit,
    *,
    status: int = 200,
    wrong: bool = False,
    wait_s: int = 0,
    refused: str = "",
    because: Said = NOTHING,
) -> web.Response:
    told = (await visit.does(moving.list_origins)).told
    cut_off = [one for one in told["grants"] if not one["reached"]]
    added = sorted({origin for one in told["grants"] for origin in one["moved"]})
    return visit.page(
        "addresses.html", active=_ACTIVE, status=status, wrong=wrong, wait_s=wait_s, refused=refused, why=because,
        origins=told["origins"], grants=len(told["grants"]), cut_off=cut_off, added=added,
        origin=visit.form.get("origin") or visit.preset.get("origin", ""), most=_MAX_ORIGIN_CHARS,
    )  # fmt: skip


async def add_address(visit: Visit) -> web.Response:
    """State that vendors reach the node at one more address."""
    origin = visit.form.text("origin", most=2000)
    try:
        await visit.does(moving.add_origin, body={"origin": origin})
    except TooManyAttemptsError as error:
        return await _show_addresses(visit, status=429, wait_s=error.wait_s)
    except PassphraseError:
        return await _show_addresses(visit, status=403, wrong=True)
    except ConflictError:
        return await _show_addresses(visit, status=409, refused="many")
    except MalformedError as error:
        return await _show_addresses(visit, status=422, refused="form", because=why(visit.t, error))
    return visit.go(f"{PLACE}/addresses", said="address_added")


# Limits


async def show_limits(visit: Visit) -> web.Response:
    """Say in plain words what the node bounds."""
    return visit.page("limits.html", active=_ACTIVE, groups=bounds(visit.words))


# The sample


async def ask_sample(visit: Visit) -> web.Response:
    """Say what removing the sample means, before it is done."""
    sample = (await visit.does(keeping.show_sample)).told["sample"]
    came_from = "today" if visit.preset.get("from") == "today" else _ACTIVE
    return visit.page(
        "sample_remove.html", active=came_from, sample=sample, came_from=came_from,
        runs=SAMPLE in visit.request.app,
    )  # fmt: skip
