"""``devices`` and ``recovery-sheet``: where the person is signed in, and the sheet that brings their keys back.

Spec: specs/node/cli.md#the-node
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from freehold_protocol.encoding import Document

from . import lookup, wording
from .commands_moving import write_new
from .failure import usage
from .frame import framed
from .render import Screen
from .run import Run

devices = typer.Typer(help="Where you are signed in to your pages, and the passkeys that open them.")


@devices.callback(invoke_without_command=True)
@framed
def list_devices(run: Run) -> None:
    """List where you are signed in, and your passkeys."""
    with run.owner() as owner:
        found = owner.get("/devices")
    run.tell(found, lambda screen: _show(screen, found))


def _show(screen: Screen, found: Document) -> None:
    _table(screen, found["sessions"], "Nobody is signed in.", ("device", "since", "seen"))
    _table(screen, found["passkeys"], "There is no passkey.", ("name", "host", "since", "used"))
    screen.note("freehold devices sign-out SESSION, or freehold devices forget-passkey PASSKEY")


def _table(screen: Screen, rows: list[Document], none: str, columns: tuple[str, ...]) -> None:
    if not rows:
        screen.line(none)
        return
    what = "session" if "device" in columns else "passkey"
    screen.table(
        (what, *columns),
        [
            (short, *(_cell(one, column) for column in columns))
            for short, one in zip(lookup.abbreviated(one["id"] for one in rows), rows, strict=True)
        ],
        whole=(what,),
    )


def _cell(row: Document, column: str) -> str:
    value = row.get(column)
    if column in ("since", "seen", "used"):
        return wording.local_time(value) if value else "never"
    return str(value)


@devices.command("sign-out")
@framed
def sign_out(
    run: Run,
    session: Annotated[
        str | None, typer.Argument(metavar="[SESSION]", help="Its id, or the beginning of it.")
    ] = None,
    everywhere: Annotated[bool, typer.Option("--everywhere", help="End every session.")] = False,
) -> None:
    """End one session, or all of them."""
    if (session is None) == (not everywhere):
        raise usage("name one session, or give --everywhere")
    with run.owner() as owner:
        if session is None:
            told = owner.post("/devices/sign-out")
        else:
            found = lookup.session(owner, session)
            owner.call("DELETE", f"/devices/sessions/{found['id']}")
            told = {"ended": 1, "session": found["id"]}
    count = wording.plural(told["ended"], "session")
    run.tell(told, lambda screen: screen.line(f"Signed out: {count}."))


@devices.command("forget-passkey")
@framed
def forget_passkey(
    run: Run,
    passkey: Annotated[str, typer.Argument(metavar="PASSKEY", help="Its id, or the beginning of it.")],
) -> None:
    """Take a passkey no more; who signed in with it is signed out."""
    with run.owner() as owner:
        found = lookup.passkey(owner, passkey)
        told = owner.call("DELETE", f"/devices/passkeys/{found['id']}")
    count = wording.plural(told["ended"], "session")
    run.tell(
        {"forgotten": found["id"], "ended": told["ended"]},
        lambda screen: screen.line(
            f"The passkey {found['name']} opens nothing any more. Signed out: {count}."
        ),
    )


@framed
def recovery_sheet(
    run: Run,
    sheet: Annotated[
        Path | None,
        typer.Option("--sheet", metavar="FILE", help="Write the sheet to this file instead of the screen."),
    ] = None,
) -> None:
    """Print the recovery sheet once more; it has the same code as the one you have."""
    with run.owner() as owner:
        owner.get("/status")  # so that the passphrase is asked for once, where this opens the node itself
        told = owner.post("/recovery-sheet", {"passphrase": run.passphrase_again()})
    page = str(told["sheet"])
    if sheet is None:
        run.tell({"recoverySheet": page}, lambda screen: screen.verbatim(page))
        return
    write_new(sheet, page.encode())
    run.tell(
        {"sheet": str(sheet)},
        lambda screen: screen.line(
            f"The recovery sheet is in {sheet}: print it, then delete the file.", style="bold"
        ),
    )
