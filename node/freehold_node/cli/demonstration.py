"""``demo``: in the browser, or as a play in the terminal that stays up until the person has looked around.

Spec: specs/node/cli.md#demo
"""

from __future__ import annotations

import io
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer
from freehold_protocol.errors import ConflictError

from .choice import parse_picks
from .failure import REFUSED, Failure, unreachable, usage
from .frame import framed
from .render import Screen
from .run import Run

if TYPE_CHECKING:
    import asyncio

    from ..demo.actor import Actor
    from ..demo.person import Command
    from ..demo.scenario import Scenario
    from ..demo.stage import Stage
    from ..demo.transcript import Step

Picks = list[str] | None
_INTRODUCTION = (
    "A sample, on this computer only. $ is what you would type, ~ went over the network, - came of it."
)


@framed
def demo(
    run: Run,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Open nothing, only print the link.")
    ] = False,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", metavar="DIR", file_okay=False, help="Keep the node in this folder."),
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the sample's folder when it is over.")] = False,
    port: Annotated[
        int | None,
        typer.Option("--port", metavar="PORT", help="Where the node listens; 0 for any free port."),
    ] = None,
    play: Annotated[
        bool, typer.Option("--play", help="Play it here in the terminal; each option below does too.")
    ] = False,
    exit_at_end: Annotated[
        bool, typer.Option("--exit", help="End when the play is over, instead of staying up.")
    ] = False,
    vcard: Annotated[
        Path | None,
        typer.Option(
            "--vcard",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Play it with this address book; needs --me.",
        ),
    ] = None,
    me: Annotated[
        str | None,
        typer.Option("--me", metavar="WHO", help="Which card is you: e-mail address, full name or number."),
    ] = None,
    ask: Annotated[
        Picks,
        typer.Option(
            "--ask", metavar="PICK", help="What the shop asks for: delivery=name,email. May be repeated."
        ),
    ] = None,
    give: Annotated[
        Picks, typer.Option("--give", metavar="PICK", help="What you approve of it. May be repeated.")
    ] = None,
    narrow: Annotated[
        Picks, typer.Option("--narrow", metavar="PICK", help="What you narrow it to. May be repeated.")
    ] = None,
    courier: Annotated[
        str | None,
        typer.Option(
            "--courier", metavar="NAME", help="The permission that the shop passes on; else the first."
        ),
    ] = None,
) -> None:
    """See it all in five minutes, in your browser: a node of your own, a sample shop and its courier.

    Everything happens on this computer and is removed at the end. With --play it plays by itself in the terminal,
    with an invented person, each step checked.
    """
    import asyncio

    chosen = (vcard, me, ask, give, narrow, courier)
    if not (play or exit_at_end or run.is_json or any(one is not None for one in chosen)):
        _in_browser(run, folder=folder, keep=keep, port=port, shows=not no_browser)
        return
    if folder is not None or no_browser:
        raise usage("--folder and --no-browser are for the browser; leave out what plays it in the terminal")
    scenario = _scenario(vcard, me, _Fields(ask, give, narrow, courier))
    try:
        asyncio.run(_play(run, scenario, exit_at_end=exit_at_end, port=port or 0, keep=keep))
    except ConflictError as error:
        raise unreachable(error) from error


def _in_browser(run: Run, *, folder: Path | None, keep: bool, port: int | None, shows: bool) -> None:
    import asyncio

    from .demo_pages import Wanted, in_browser

    try:
        asyncio.run(in_browser(run, Wanted(folder=folder, keep=keep, port=port, shows=shows)))
    except ConflictError as error:
        raise unreachable(error) from error


class _Fields(NamedTuple):
    """The picks of the command line."""

    ask: Picks
    give: Picks
    narrow: Picks
    courier: str | None


def _scenario(vcard: Path | None, me: str | None, fields: _Fields) -> Scenario:
    from ..demo.scenario import Scenario, ask_for

    chosen: dict[str, object] = {}
    if (vcard is None) != (me is None):
        raise usage("--vcard and --me go together: an address book, and which card in it is you")
    if vcard is not None:
        chosen |= {"vcard": vcard.read_bytes(), "file_name": "address-book" + vcard.suffix, "me": me}
    if (fields.give is None) != (fields.narrow is None) or (fields.ask and not fields.give):
        raise usage("--give and --narrow go together, and --ask with both")
    if fields.give and fields.narrow:
        chosen |= {"given": _by_name(fields.give), "kept": _by_name(fields.narrow)}
    if fields.ask:
        asked = _by_name(fields.ask)
        courier = fields.courier or next(iter(asked))
        chosen |= {"asked": ask_for(asked, courier=courier), "courier": courier}
    try:
        return replace(Scenario(), **chosen)  # type: ignore[arg-type]
    except ValueError as error:
        raise usage(f"this cannot be played: {error}") from error


def _by_name(picks: Sequence[str]) -> dict[str, tuple[str, ...]]:
    made = {}
    for pick in parse_picks(picks):
        if pick.fields is None:
            raise usage("in the demonstration a pick names its fields: delivery=name,address.postalCode")
        made[pick.permission] = pick.fields
    return made


async def _play(run: Run, scenario: Scenario, *, exit_at_end: bool, port: int, keep: bool) -> None:
    """Play it; a signal ends it at once while it plays, and in order while it stays up."""
    import asyncio

    from ..demo.expectation import DemoFailedError
    from ..demo.play import run_demo
    from .service import stop_signals

    with stop_signals() as stop:
        shown = _Shown(run, stop)
        playing = asyncio.create_task(
            run_demo(
                scenario,
                command=_command(run),
                tell=shown.step,
                port=port,
                keep=keep,
                stay=shown.stay if not (exit_at_end or run.is_json) else shown.end,
            )
        )
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait({playing, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not shown.has_ended:
            playing.cancel()
        try:
            await playing
        except DemoFailedError as error:
            raise Failure(REFUSED, "demo-failed", f"the demonstration failed: {error}") from error
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


def _command(run: Run) -> Command:
    """Return how the person of the play runs a command: as this one was run, but with screens of its own."""

    def command(arguments: Sequence[str]) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        terminal = replace(run.terminal, out=out, err=err, environment={}, ask=None, ask_secret=None)
        return run.command(arguments, terminal), out.getvalue(), err.getvalue()

    return command


class _Shown:
    """The transcript as it is shown, step by step."""

    def __init__(self, run: Run, stop: asyncio.Event) -> None:
        self._run, self._stop = run, stop
        self._steps: list[Step] = []
        self.has_ended = False

    def step(self, step: Step) -> None:
        """Show a step."""
        self._steps.append(step)
        if self._run.is_json:
            return
        screen = self._run.screen
        if len(self._steps) == 1:
            screen.line(_INTRODUCTION)
        screen.line()
        screen.title(f"{len(self._steps)}. {step.title}")
        for command in step.commands:
            screen.shell(command)
        screen.facts([("~", line) for line in step.wire])
        screen.facts([("-", line) for line in step.results])
        self._run.terminal.out.flush()

    async def end(self, stage: Stage, shop: Actor) -> None:
        """Say how it came out."""
        del stage, shop
        self.has_ended = True
        document = {"passed": True, "steps": [step.to_dict() for step in self._steps]}
        count = len(self._steps)
        self._run.tell(document, lambda screen: _show_end(screen, count))

    async def stay(self, stage: Stage, shop: Actor) -> None:
        """Say how it came out and how to go on by hand, and wait until the person has seen enough."""
        await self.end(stage, shop)
        _show_how_to_go_on(self._run.screen, stage, shop)
        self._run.terminal.out.flush()
        await self._stop.wait()
        self._run.screen.line("The sample is removed.")


def _show_end(screen: Screen, count: int) -> None:
    screen.line()
    screen.line(f"All {count} steps came out as they must; each was checked.", style="bold green")


def _show_how_to_go_on(screen: Screen, stage: Stage, shop: Actor) -> None:
    screen.line()
    screen.line("The node and the shop stay up, and the shop has asked again. In another terminal:")
    freehold = f"{shlex.quote(sys.executable)} -m freehold_node"
    screen.shell(f"export FREEHOLD_DATA={shlex.quote(str(stage.config.data_dir.resolve()))}")
    screen.shell(f"export FREEHOLD_PASSPHRASE_FILE={shlex.quote(str(stage.passphrase_file.resolve()))}")
    screen.shell(f"{freehold} requests")
    screen.shell(f"{freehold} approve ID --give delivery=name")
    screen.shell(f"curl {shop.url}/decision; curl {shop.url}/read/delivery")
    screen.shell(f"{freehold} grants")
    screen.line()
    screen.line("Ctrl-C ends it and removes the sample.")
