"""``init``, ``serve``, ``change-passphrase`` and ``demo``: the node itself.

Spec: specs/node/cli.md#the-node
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from freehold_protocol.errors import ConflictError, NotFoundError

from .failure import unreachable, usage
from .frame import framed
from .run import Run, check_initialised, is_initialised


@framed
def init(
    run: Run,
    sheet: Annotated[
        Path | None,
        typer.Option(
            "--sheet", metavar="FILE", help="Write the recovery sheet to this file instead of the screen."
        ),
    ] = None,
    recover: Annotated[
        bool, typer.Option("--recover", help="Make the keys of a recovery sheet again; reads its code.")
    ] = False,
) -> None:
    """Make a node: its keys, and the recovery sheet that brings them back."""
    from . import keys

    if recover and sheet is not None:
        raise usage("a recovered node has its sheet already; leave out --sheet")
    if recover:
        keys.recover(run)
    else:
        keys.make(run, sheet)


@framed
def serve(
    run: Run,
    port: Annotated[
        int | None,
        typer.Option("--port", metavar="PORT", help="Where to listen; else FREEHOLD_PORT, else 8420."),
    ] = None,
    host: Annotated[
        str | None,
        typer.Option("--host", metavar="ADDRESS", help="The address to listen at; else 127.0.0.1."),
    ] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option(
            "--origin",
            metavar="URL",
            help="Where vendors reach it, such as https://node.example; else FREEHOLD_ORIGIN. May be repeated.",
        ),
    ] = None,
    allow_private_hosts: Annotated[
        bool,
        typer.Option(
            "--allow-private-hosts",
            help="Look up vendors in your own network too, for trying things out; "
            "else FREEHOLD_ALLOW_PRIVATE_HOSTS=1.",
        ),
    ] = False,
    open_pages: Annotated[
        bool, typer.Option("--open", help="Open your pages in the browser; the first start does anyway.")
    ] = False,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Open nothing, only print the link.")
    ] = False,
) -> None:
    """Run the node until it is told to stop; vendors read only while it runs.

    Where there is no node yet it is set up in the browser first.
    """
    import asyncio

    from . import service

    config = run.config(host=host, port=port, origins=origin or (), allow_private_hosts=allow_private_hosts)
    is_first = not is_initialised(config.data_dir)
    if is_first and run.is_json:
        check_initialised(config.data_dir)  # a program has nobody who would go to a page
    try:
        asyncio.run(service.serve(run, config, opens=open_pages, is_first=is_first, shows=not no_browser))
    except (ConflictError, NotFoundError) as error:
        raise unreachable(error) from error


@framed
def dashboard(
    run: Run,
    open_pages: Annotated[bool, typer.Option("--open", help="Open it in the browser too.")] = False,
) -> None:
    """Print a link to your pages that works once, within 15 minutes; the node has to run."""
    check_runs(run)
    with run.owner() as owner:
        told = owner.post("/links")
    run.tell(told, lambda screen: screen.verbatim(told["url"]))
    if open_pages and run.terminal.browse is not None and not run.is_json:
        run.terminal.browse(told["url"])


def check_runs(run: Run) -> None:
    """Raise Failure where no daemon runs: a link into a node that is gone a moment later leads nowhere."""
    from ..data_dir import DataDirLock

    folder = run.config().data_dir
    check_initialised(folder)
    try:
        with DataDirLock(folder):
            pass
    except ConflictError:
        return
    raise unreachable(NotFoundError("your node does not run; start it with: freehold serve"))


@framed
def change_passphrase(
    run: Run,
    new_passphrase_file: Annotated[
        Path | None,
        typer.Option("--new-passphrase-file", metavar="FILE", help="Read the new passphrase from this file."),
    ] = None,
) -> None:
    """Change the passphrase; a backup made before still opens with the old one."""
    from . import keys

    check_initialised(run.config().data_dir)
    keys.change_passphrase(run, new_passphrase_file)
