"""The command ``freehold``: its commands, and what becomes of an error.

Spec: specs/node/cli.md
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import Annotated, Final

import typer
from freehold_protocol.encoding import Json
from freehold_protocol.errors import FreeholdError

from ..config import VERSION
from . import (
    commands_backup,
    commands_devices,
    commands_grants,
    commands_ledger,
    commands_looking,
    commands_moving,
    commands_node,
    commands_records,
    commands_requests,
    commands_vendor_keys,
    demonstration,
)
from .failure import EXIT_CODES, INTERRUPTED, REFUSED, Failure, failure_of, usage
from .frame import Frame, framed
from .render import printable
from .run import Run
from .terminal import Terminal

_CommandLineError: Final[type[Exception]] = typer.BadParameter.__mro__[2]
"""What typer raises for a command line it cannot read; it has no public name."""
_EPILOG: Final = "Exit codes: " + "; ".join(f"{code} {said}" for code, said in EXIT_CODES.items()) + "."

app = typer.Typer(
    name="freehold",
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
@framed
def freehold(
    run: Run,
    ctx: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Keep your own data, and let others read what you decide."""
    if version:
        run.tell({"version": VERSION}, lambda screen: screen.line(f"freehold {VERSION}"))
    elif text := ctx.get_help():  # with rich it is printed already
        typer.echo(text)


_NODE: Final = "Your node"
_DATA: Final = "What you hold"
_VENDORS: Final = "Who may read it"
_PROOF: Final = "What happened"

for _panel, _name, _function in (
    (_NODE, "init", commands_node.init),
    (_NODE, "serve", commands_node.serve),
    (_NODE, "dashboard", commands_node.dashboard),
    (_NODE, "demo", demonstration.demo),
    (_NODE, "status", commands_ledger.status),
    (_NODE, "change-passphrase", commands_node.change_passphrase),
    (_NODE, "recovery-sheet", commands_devices.recovery_sheet),
    (_NODE, "backup", commands_backup.backup),
    (_NODE, "restore", commands_backup.restore),
    (_NODE, "today", commands_looking.today),
    (_DATA, "import", commands_records.import_file),
    (_DATA, "export", commands_looking.export),
    (_VENDORS, "invite", commands_requests.invite),
    (_VENDORS, "approve", commands_requests.approve),
    (_VENDORS, "refuse", commands_requests.refuse),
    (_VENDORS, "narrow", commands_grants.narrow),
    (_VENDORS, "widen", commands_grants.widen),
    (_VENDORS, "pause", commands_grants.pause),
    (_VENDORS, "resume", commands_grants.resume),
    (_VENDORS, "rotate", commands_grants.rotate),
    (_VENDORS, "end", commands_grants.end),
    (_VENDORS, "revoke", commands_grants.revoke),
    (_VENDORS, "vendor-keys", commands_vendor_keys.vendor_keys),
    (_PROOF, "activity", commands_looking.activity),
    (_PROOF, "ledger", commands_ledger.ledger),
    (_PROOF, "verify", commands_ledger.verify),
):
    app.command(_name, rich_help_panel=_panel)(_function)
for _panel, _name, _group in (
    (_NODE, "devices", commands_devices.devices),
    (_NODE, "clock", commands_ledger.clock),
    (_NODE, "sample", commands_looking.sample),
    (_DATA, "records", commands_records.records),
    (_VENDORS, "requests", commands_requests.requests),
    (_VENDORS, "grants", commands_grants.grants),
    (_VENDORS, "origins", commands_moving.origins),
):
    app.add_typer(_group, name=_name, rich_help_panel=_panel)


def run(arguments: Sequence[str], terminal: Terminal) -> int:
    """Run one command; errors are told on the terminal. Returns the exit code."""
    try:
        code = app(
            args=list(arguments),
            prog_name="freehold",
            standalone_mode=False,
            obj=Frame(terminal=terminal, command=run),
        )
    except Failure as failure:
        return _tell(failure, arguments, terminal)
    except FreeholdError as error:
        return _tell(failure_of(error), arguments, terminal)
    except _CommandLineError as error:
        return _tell(usage(_command_line(error)), arguments, terminal)
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise
        where = f"{error.filename}: " if error.filename else ""
        return _tell(Failure(REFUSED, "system", f"{where}{error.strerror or error}"), arguments, terminal)
    except (KeyboardInterrupt, typer.Abort):
        return _tell(Failure(INTERRUPTED, "interrupted", "interrupted"), arguments, terminal)
    return code if isinstance(code, int) else 0


def _command_line(error: Json) -> str:
    said = str(error.format_message()).rstrip(".")
    ctx = getattr(error, "ctx", None)
    return f"{said}; see: {ctx.command_path if ctx is not None else 'freehold'} --help"


def _tell(failure: Failure, arguments: Sequence[str], terminal: Terminal) -> int:
    if "--json" in arguments:
        document = {"error": {"code": failure.code, "detail": failure.detail}}
        terminal.err.write(json.dumps(document) + "\n")
    else:
        told = f"freehold: {printable(failure.detail)} [{failure.code}]"
        width = shutil.get_terminal_size().columns if terminal.err.isatty() else len(told)
        terminal.err.write(textwrap.fill(told, max(width, 20), break_on_hyphens=False) + "\n")
    return failure.exit_code


def main_of_process() -> None:
    """Run the command line of this process, and exit."""
    try:
        code = run(sys.argv[1:], Terminal.of_this_process())
        sys.stdout.flush()
    except BrokenPipeError:  # as when the output goes to head; nothing more can be written
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = REFUSED
    sys.exit(code)
