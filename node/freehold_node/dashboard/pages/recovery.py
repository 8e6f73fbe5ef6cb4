"""Keys and recovery: the recovery sheet once more, and another passphrase.

Spec: specs/node/dashboard.md#keys-and-recovery
"""

from __future__ import annotations

from typing import Final

from aiohttp import web
from freehold_protocol.errors import PassphraseError

from ...api.owner import custody, tending
from ...devices import TooManyAttemptsError
from ...keystore import MAX_PASSPHRASE_BYTES
from ..visit import Visit

PLACE: Final = "/my/settings/recovery"
_ACTIVE: Final = "settings"


async def show(visit: Visit) -> web.Response:
    """Offer both, and say what a restore changes."""
    return await _show(visit)


async def _show(visit: Visit, *, status: int = 200, wrong: str = "", wait_s: int = 0) -> web.Response:
    node = (await visit.does(tending.show_status)).told
    return visit.page(
        "recovery.html",
        active=_ACTIVE,
        status=status,
        wrong=wrong,
        wait_s=wait_s,
        generation=node["generation"],
    )


async def print_sheet(visit: Visit) -> web.Response:
    """Show the recovery sheet, to be printed."""
    try:
        sheet = (await visit.does(custody.print_sheet)).told
    except TooManyAttemptsError as error:
        return await _show(visit, status=429, wait_s=error.wait_s)
    except PassphraseError:
        return await _show(visit, status=403, wrong="sheet")
    return visit.page("recovery_sheet.html", active=_ACTIVE, lines=sheet["lines"], day=sheet["day"])


async def change_passphrase(visit: Visit) -> web.Response:
    """Set another passphrase; it takes the old one itself, typed here, also where the last proof is fresh."""
    old, new = visit.form.get("passphrase", ""), visit.form.get("new_passphrase", "")
    if wrong := _wrong(new, visit.form.get("again", "")):
        return await _show(visit, status=422, wrong=wrong)

    async def change(passphrase: str) -> None:
        await visit.does(custody.change_passphrase, body={"passphrase": passphrase, "new": new})

    try:
        await visit.devices.proofs.check(old, change)  # it is a guess like any other
    except TooManyAttemptsError as error:
        return await _show(visit, status=429, wait_s=error.wait_s)
    except PassphraseError:
        return await _show(visit, status=403, wrong="old")
    return visit.go(PLACE, said="passphrase_changed")


def _wrong(new: str, again: str) -> str:
    """Return what is wrong with a new passphrase, typed twice: the name of a text, or nothing."""
    if not new:
        return "empty"
    if new != again:
        return "differs"
    return "long" if len(new.encode("utf-8", "replace")) > MAX_PASSPHRASE_BYTES else ""
