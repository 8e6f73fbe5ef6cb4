"""``backup`` and ``restore``: the whole node as one file, and back.

Spec: specs/node/cli.md#moving
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Final

import typer
from freehold_protocol.encoding import Document, format_time
from freehold_protocol.errors import ConflictError
from freehold_protocol.grant import STATES

from . import lookup, wording
from .commands_moving import check_new
from .commands_requests import Yes
from .failure import unreachable, usage
from .frame import framed
from .render import Screen
from .run import Run

if TYPE_CHECKING:
    from ..restoring import Examined

_HOLDS_NOT: Final = (
    ("your passphrase", "it opens with the one of now, also after you change it"),
    ("the recovery sheet", "keep it elsewhere: with both, whoever has them is you"),
    ("addresses and ports", "what you start the node with"),
    ("files you made from it", "exported ledgers and statements"),
    ("what comes after", "records, grants, reads and withdrawals from this moment on"),
)


@framed
def backup(
    run: Run,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file, not in the data directory.")],
) -> None:
    """Write all of the node to one encrypted file; also while it runs."""
    from ..data_dir import written_durably

    check_new(file)
    folder = run.config().data_dir
    if folder in file.absolute().parents:
        raise usage("a backup in the data directory is lost with it; choose another place")
    with run.owner() as owner, written_durably(file, overwrite=False) as made:
        passphrase = run.passphrase_again()
        holds = owner.download("/backup", {"passphrase": passphrase}, made)
        told = _check(made, passphrase) | holds | {"file": str(file)}
    run.tell(told, lambda screen: _show_made(screen, told))


def _check(file: BinaryIO, passphrase: str) -> Document:
    """Read what was written from end to end, as a restore would, before it gets its name."""
    from ..backup_file import check_parts, read_header, read_part
    from ..keystore import open_keys

    file.flush()
    file.seek(0)
    header = read_header(file)
    keystore = b"".join(read_part(file, header.parts[0]))
    file.seek(len(header.to_bytes()))
    check_parts(file, header)
    header.check(open_keys(keystore, passphrase).seed)
    return {
        "created": format_time(header.created_s),
        "size": header.size,
        "generation": header.generation,
        "parts": [{"name": part.name, "size": part.size} for part in header.parts],
    }


def _counted(grants: Mapping[str, int]) -> str:
    return ", ".join(f"{grants[state]} {state}" for state in STATES if grants.get(state)) or "none"


def _show_made(screen: Screen, told: Document) -> None:
    screen.title(f"Wrote {told['file']} and read it back: {wording.size(told['size'])}.")
    screen.line("It holds, encrypted:")
    screen.facts(
        [
            ("records", str(told["records"])),
            ("grants", f"{_counted(told['grants'])}; each with its receipts and its ledger"),
            ("keys", "under your passphrase"),
        ]
    )
    screen.line("It does not hold:")
    screen.facts(_HOLDS_NOT)
    screen.note("Bring it back with: freehold restore FILE. Then every grant is paused until you resume it.")


@framed
def restore(
    run: Run,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="What freehold backup wrote.")
    ],
    keep: Annotated[
        bool,
        typer.Option("--keep", help="Leave what is replaced in a folder beside it, instead of deleting it."),
    ] = False,
    yes: Yes = False,
) -> None:
    """Make the data directory what a backup holds: an empty one, or that of a node that is stopped."""
    from ..ambient import Ambient
    from ..data_dir import DataDirLock
    from ..restoring import examine, put_in_place, settle

    folder = run.config().data_dir
    try:
        if folder.is_dir():
            settle(folder)
            with DataDirLock(folder):  # before anybody is asked for anything
                pass
    except ConflictError as error:
        raise unreachable(error) from error
    passphrase = run.passphrase()
    examined = examine(file, folder, passphrase)
    _ask(run, examined, folder, keep=keep, yes=yes)
    held = put_in_place(examined, folder, now_s=Ambient().clock.now_s(), keep=keep)
    run.remember(passphrase)
    with run.owner() as owner:
        grants = owner.get("/grants")["grants"]
        generation = owner.get("/status")["generation"]
    told: Document = {
        "dataDirectory": str(folder),
        "created": format_time(examined.header.created_s),
        "records": held.records,
        "generation": generation,
        "grants": [
            {"grant": one["id"], "vendor": one["vendor"]["name"], "state": one["state"]} for one in grants
        ],
    }
    run.tell(told, lambda screen: _show_restored(screen, told))


def _ask(run: Run, examined: Examined, folder: Path, *, keep: bool, yes: bool) -> None:
    """Say what would be lost, where something would be."""
    made = wording.local_time(format_time(examined.header.created_s))
    if not examined.replaces:
        return
    if not run.is_json:
        run.screen.line(f"There is a node in {folder}. It would become what it was on {made}.")
        run.screen.line(
            "Records, grants, reads and withdrawals since then are lost with it, unless you add --keep."
        )
    run.confirm(f"Replace it with the backup of {made}?", yes=yes or keep)


def _show_restored(screen: Screen, told: Document) -> None:
    made, count = wording.local_time(told["created"]), wording.plural(told["records"], "record")
    screen.title(f"Restored in {told['dataDirectory']}: {count}, as of {made}.")
    paused = [one for one in told["grants"] if one["state"] == "paused"]
    if not paused:
        screen.line("No grant is waiting for you.")
        return
    screen.line("Nobody reads anything yet. What you withdrew after the backup was made, it does not know:")
    screen.line("look at each of these, and resume only those you still want.")
    screen.table(
        ("grant", "who"),
        [
            (short, one["vendor"])
            for short, one in zip(lookup.abbreviated(one["grant"] for one in paused), paused, strict=True)
        ],
        whole=("grant",),
    )
    screen.note("freehold grants show GRANT, then freehold resume GRANT or freehold end GRANT")
    screen.note("If the node is reached at another address from now on, see: freehold origins")
