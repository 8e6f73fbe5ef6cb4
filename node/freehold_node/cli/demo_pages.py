"""``demo`` as it is without options: in the browser, by the person's own hand.

Spec: specs/node/cli.md#freehold-demo
"""

from __future__ import annotations

import asyncio
import shlex
import socket
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from freehold_protocol.errors import ConflictError

from ..app import Node, open_node
from ..config import DEFAULT_HOST, DEFAULT_PORT, Config
from ..demo.at_home import Neighbours, mark_sample, neighbours, until_removed
from ..demo.expectation import DemoFailedError
from ..demo.stage import PAGES_TEXT, sample_folder
from ..first_start import FirstStart, bind
from ..keystore import open_keystore
from ..setting_up import Kind
from .failure import REFUSED, Failure
from .run import Run, is_initialised
from .service import Stopped, link_into, log_to, show_page, stop_signals, unless_stopped

NODE: Final = "node"
"""The data directory in the folder of the demonstration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the command line asks for. ``port`` None: the usual one if it is free; ``shows``: open a browser."""

    folder: Path | None
    keep: bool
    port: int | None
    shows: bool

    @property
    def stays(self) -> bool:
        """Whether the node is there when it is over."""
        return self.keep or self.folder is not None


async def in_browser(run: Run, wanted: Wanted) -> None:
    """Run it until a signal ends it.

    Raises:
        Failure: The shop or the courier did not start.
        FreeholdError: The node cannot be opened, or the port is in use.
    """
    log_to(run)
    try:
        with (
            sample_folder(keep=wanted.keep, at=wanted.folder, text=PAGES_TEXT) as folder,
            stop_signals() as stop,
        ):
            port = await _live(run, wanted, folder, stop)
            _show_end(run, wanted, folder / NODE, port)
    except DemoFailedError as error:
        raise Failure(REFUSED, "demo-failed", f"the demonstration failed: {error}") from error


async def _live(run: Run, wanted: Wanted, folder: Path, stop: asyncio.Event) -> int:
    """Set the node up or open it, run it with its neighbours, and return where it listened once it is over."""
    listening = _bind(wanted.port)
    port = int(listening.getsockname()[1])
    origin = f"http://{DEFAULT_HOST}:{port}"
    config = Config(data_dir=folder / NODE, port=port, origins=(origin,))
    try:
        async with AsyncExitStack() as exits:
            exits.callback(listening.close)
            beside, starting = await exits.enter_async_context(neighbours(folder, origin, stays=wanted.stays))
            if is_initialised(config.data_dir):
                keys = open_keystore(config.data_dir, run.passphrase())
                node = await exits.enter_async_context(open_node(config, keys))
                await mark_sample(node, await unless_stopped(starting, stop))
                await node.listen(at=listening)
                _show_link(run, wanted, folder, link_into(node))
            else:
                kind: Kind = "kept-sample" if wanted.stays else "sample"
                start = await exits.enter_async_context(FirstStart(config, kind=kind, at=listening))
                _show_link(run, wanted, folder, start.link)
                if wanted.shows:
                    await show_page(run, start.link)
                keys = await unless_stopped(start.keys(), stop)
                node = await exits.enter_async_context(open_node(config, keys))
                await mark_sample(node, await unless_stopped(starting, stop))
                await start.hand_over(node)
                _show_running(run)
            await _until_over(run, node, beside, stop)
    except Stopped:
        pass
    return port


def _bind(port: int | None) -> socket.socket:
    if port is not None:
        return bind(DEFAULT_HOST, port)
    try:
        return bind(DEFAULT_HOST, DEFAULT_PORT)
    except ConflictError:  # a node of the person's own, say
        return bind(DEFAULT_HOST, 0)


async def _until_over(run: Run, node: Node, beside: Neighbours, stop: asyncio.Event) -> None:
    await unless_stopped(until_removed(node), stop)
    await beside.stop()
    run.screen.line("The sample shop and its courier are gone; your node goes on.")
    run.terminal.out.flush()
    await stop.wait()


def _show_link(run: Run, wanted: Wanted, folder: Path, link: str) -> None:
    screen = run.screen
    screen.line("A node of your own, a sample shop and its courier, on this computer only.", style="bold")
    screen.line("Open this link in a browser on this computer; it works once:")
    screen.line()
    screen.verbatim(f"  {link}\n")
    screen.line()
    if wanted.stays:
        screen.line(f"Ctrl-C ends it. Your node is kept in {folder / NODE}.")
    else:
        screen.line(f"Ctrl-C ends it and removes all of it, also what you type: {folder}")
        screen.note("To keep it, start it with --keep or --folder DIR.")
    run.terminal.out.flush()


def _show_running(run: Run) -> None:
    run.screen.line("Your node runs. Everything else is in the browser.")
    run.terminal.out.flush()


def _show_end(run: Run, wanted: Wanted, data_dir: Path, port: int) -> None:
    screen = run.screen
    if not wanted.stays:
        screen.line("Stopped. The sample is removed, and nothing of it is left.")
        return
    if not is_initialised(data_dir):
        screen.line("Stopped. No node was made.")
        return
    at = "" if port == DEFAULT_PORT else f" --port {port}"
    screen.line(f"Stopped. Your node is in {data_dir}. Go on with:")
    screen.shell(
        f"FREEHOLD_DATA={shlex.quote(str(data_dir))} {shlex.quote(sys.executable)} -m freehold_node serve{at}"
    )
