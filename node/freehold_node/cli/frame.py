"""What every command has in common: three options, a ``Run``, and a place before or after the command's name."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Final

import typer
from freehold_protocol.encoding import Json

from .run import Command, Run, Settings
from .terminal import Terminal

_PANEL: Final = "For every command"
_OPTIONS: Final = {
    "data_dir": Annotated[
        Path | None,
        typer.Option(
            "--data-dir",
            metavar="DIR",
            show_default=False,
            rich_help_panel=_PANEL,
            help="Where the node lives; else FREEHOLD_DATA, else the folder for your data.",
        ),
    ],
    "passphrase_file": Annotated[
        Path | None,
        typer.Option(
            "--passphrase-file",
            metavar="FILE",
            show_default=False,
            rich_help_panel=_PANEL,
            help="Read the passphrase from this file, which only you may read.",
        ),
    ],
    "json": Annotated[
        bool,
        typer.Option("--json", rich_help_panel=_PANEL, help="Print one JSON document, for programs."),
    ],
}


@dataclass(slots=True)
class Frame:
    """Handed down from ``freehold`` to its commands: typer's context object."""

    terminal: Terminal
    command: Command
    settings: Settings = field(default_factory=Settings)


def framed(function: Callable[..., None]) -> Callable[..., None]:
    """Return the function as typer wants it, with the common options instead of its ``run``.

    The name of the command may be that of a group: then this only takes up the options, unless no command
    of the group follows.
    """

    def wrapper(ctx: typer.Context, **given: Json) -> None:
        frame = ctx.ensure_object(Frame)
        common = {name: value for name in _OPTIONS if (value := given.pop(name))}
        frame.settings = replace(frame.settings, **common)
        if wants_context:
            given["ctx"] = ctx
        if ctx.invoked_subcommand is None:
            function(Run(frame.settings, frame.terminal, frame.command), **given)

    own = inspect.signature(function, eval_str=True).parameters.values()
    wants_context = any(one.name == "ctx" for one in own)
    parameters = [
        inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
        *(one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own if one.name not in ("run", "ctx")),
        *(
            inspect.Parameter(
                one.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=False if one.name == "json" else None,
                annotation=_OPTIONS[one.name],
            )
            for one in fields(Settings)
        ),
    ]
    wrapper.__name__, wrapper.__doc__ = function.__name__, function.__doc__
    wrapper.__annotations__ = {one.name: one.annotation for one in parameters}
    wrapper.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return wrapper
