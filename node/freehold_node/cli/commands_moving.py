"""``origins``: where vendors reach the node, and how they hear of another address.

Spec: specs/node/cli.md#moving
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Final

import typer
from freehold_protocol.encoding import Document
from freehold_protocol.errors import ConflictError

from . import lookup, wording
from .commands_grants import GrantId
from .commands_requests import Yes
from .failure import REFUSED, Failure, usage
from .frame import framed
from .render import Screen
from .run import Run

_CUT_OFF: Final = "cut off"

origins = typer.Typer(help="Where vendors reach each grant; add an address, so that a move kills nothing.")


@origins.callback(invoke_without_command=True)
@framed
def list_origins(run: Run) -> None:
    """List where vendors reach each grant, and which ones a change of address would cut off."""
    with run.owner() as owner:
        found = owner.get("/origins")
    run.tell(found, lambda screen: _show_origins(screen, found))


def _show_origins(screen: Screen, found: Document) -> None:
    screen.line(f"This node is reached at {', '.join(found['origins'])}")
    grants = found["grants"]
    if not grants:
        screen.line("No grant is live or paused: nobody reads anything anywhere.")
        return
    rows = [
        (short, one["vendor"], one["state"], ", ".join(one["origins"]), "" if one["reached"] else _CUT_OFF)
        for short, one in zip(lookup.abbreviated(one["grant"] for one in grants), grants, strict=True)
    ]
    screen.table(("grant", "who", "state", "reached at", ""), rows, whole=("grant", "state"))
    for origin in found["origins"]:
        if only := [one["vendor"] for one in grants if one["reached"] == [origin]]:
            screen.line(f"Without {origin}, cut off: {', '.join(only)}.")
    if any(not one["reached"] for one in grants):
        screen.note("What is cut off comes back with one of its addresses, or with: freehold origins add")


@origins.command("add")
@framed
def add_origin(
    run: Run,
    origin: Annotated[str, typer.Argument(metavar="ORIGIN", help="Such as https://node.example")],
    grant: Annotated[
        list[str] | None,
        typer.Option("--grant", metavar="GRANT", help="Only for this grant. May be repeated."),
    ] = None,
    yes: Yes = False,
) -> None:
    """Tell vendors, signed, that the node is reached at this address too; for every grant that is live or paused."""
    with run.owner() as owner:
        body: Document = {"origin": origin}
        if grant:
            body["grants"] = [lookup.grant(owner, one)["id"] for one in grant]
        whom = f"{len(grant)} of your grants" if grant else "all of your grants"
        run.confirm(f"State that {whom} can be reached at {origin} too? It cannot be taken back.", yes=yes)
        done = owner.post("/origins", body | {"passphrase": run.passphrase_again()})
    run.tell(done, lambda screen: _show_added(screen, done))


def _show_added(screen: Screen, done: Document) -> None:
    count = wording.plural(len(done["added"]), "grant")
    screen.title(f"Stated for {count}: reached at {done['origin']} too.")
    if done["had"]:
        screen.line(f"{wording.plural(len(done['had']), 'grant')} had this address already.")
    screen.line(
        "Vendors learn it when they next look at their grant. One that can no longer reach the old address"
    )
    screen.line("needs the statement from you: freehold origins export GRANT FILE")


@origins.command("export")
@framed
def export_statement(
    run: Run,
    grant: GrantId,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file.")],
) -> None:
    """Write what a vendor needs to follow its grant to another address, to be handed over by mail or otherwise."""
    with run.owner() as owner:
        found = lookup.grant(owner, grant)
    handed = {"receipt": found["receipt"], "statements": found["statements"]}
    write_new(file, json.dumps(handed, indent=1).encode() + b"\n")
    told = {"file": str(file), "grant": found["id"], "statements": len(found["statements"])}
    run.tell(told, lambda screen: _show_handed(screen, found, file))


def _show_handed(screen: Screen, found: Document, file: Path) -> None:
    screen.line(f"Wrote {file}: hand it to {found['vendor']['name']}, however you reach them.")
    screen.line(
        "It holds what they have already, the grant and its versions, and your signed word where it is reached."
    )


def write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet, readable by its owner only. Raises Failure."""
    from ..data_dir import write_durably

    check_new(path)
    write_durably(path, data, overwrite=False)


def check_new(path: Path) -> None:
    """Refuse a place where a file is, or where none can be. Raises Failure."""
    if not path.parent.is_dir():
        raise usage(f"there is no folder {path.parent}")
    if path.exists():
        raise Failure(REFUSED, ConflictError.code, f"{path} exists already; choose another name")
