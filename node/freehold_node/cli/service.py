"""The daemon: the node in the foreground, until a signal tells it to stop.

Spec: specs/node/cli.md#freehold-serve
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TypeVar

from freehold_protocol.encoding import Document

from ..app import Node, open_node
from ..config import Config
from ..first_start import FirstStart
from ..keystore import open_keystore
from . import wording
from .render import Screen
from .run import Run

T = TypeVar("T")
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(Exception):  # noqa: N818 - not an error: the person wants to stop
    """The person stopped the node before it was set up."""


async def serve(
    run: Run, config: Config, *, opens: bool = False, is_first: bool = False, shows: bool = True
) -> None:
    """Run the node; returns when it has stopped in order.

    Args:
        run: Of the command.
        config: Of the node.
        opens: Open its first page in the browser.
        is_first: There is no node yet: it is set up in the browser first.
        shows: Whether a page may be opened at all.

    Raises:
        FreeholdError: It cannot be opened, or the address is in use.
    """
    log_to(run)
    with stop_signals() as stop:
        try:
            async with _opened(run, config, stop, is_first=is_first, shows=shows) as (node, url):
                await _stay(run, config, node, url, opens=opens and shows and not is_first)
                await stop.wait()
        except Stopped:
            pass
    if not run.is_json:
        run.screen.line("Stopped.")


def log_to(run: Run) -> None:
    """Have warnings written where a person, or who runs the service, sees them."""
    logging.basicConfig(
        stream=run.terminal.err, level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s"
    )


@asynccontextmanager
async def _opened(
    run: Run, config: Config, stop: asyncio.Event, *, is_first: bool, shows: bool
) -> AsyncIterator[tuple[Node, str]]:
    """Give the node once it listens, and its URL."""
    if not is_first:
        async with open_node(config, open_keystore(config.data_dir, run.passphrase())) as node:
            yield node, await node.listen()
        return
    async with FirstStart(config) as start:
        _show_first(run, start.link, config)
        if shows:
            await show_page(run, start.link)
        keys = await unless_stopped(start.keys(), stop)
        async with open_node(config, keys) as node:
            yield node, await start.hand_over(node)


def _show_first(run: Run, link: str, config: Config) -> None:
    screen = run.screen
    screen.line(
        "There is no node here yet. Set it up in a browser on this computer, with this link:", style="bold"
    )
    screen.line()
    screen.verbatim(f"  {link}\n")
    screen.line()
    screen.line(
        f"It works once. Until you have made your node there, nothing is written to {config.data_dir}."
    )
    screen.note("Stop it with Ctrl-C. Or make a node here: freehold init")
    run.terminal.out.flush()


async def show_page(run: Run, link: str) -> None:
    """Open a page in the person's browser, where there is one; never for a program."""
    if run.terminal.browse is not None and not run.is_json:
        await asyncio.to_thread(run.terminal.browse, link)


async def unless_stopped(awaited: Awaitable[T], stop: asyncio.Event) -> T:
    """Return what comes of something. Raises Stopped where the person stops first."""
    waiting = asyncio.ensure_future(awaited)
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({waiting, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            raise Stopped
        return waiting.result()
    finally:
        waiting.cancel()
        stopped.cancel()


async def _stay(run: Run, config: Config, node: Node, url: str, *, opens: bool) -> None:
    """Say that it runs, and how to get in."""
    link = link_into(node)
    told: Document = {
        "url": url, "origins": list(config.origins), "cutOff": await cut_off_grants(node), "link": link,
    }  # fmt: skip
    run.tell(told, lambda screen: _show_start(screen, told, private=config.allow_private_hosts))
    run.terminal.out.flush()
    if opens:
        await show_page(run, link)


def link_into(node: Node) -> str:
    """Return a new one-time link to the dashboard of an open node."""
    return node.link()[0]


@contextmanager
def stop_signals() -> Iterator[asyncio.Event]:
    """Give an event that SIGINT and SIGTERM set, instead of ending the process in the middle of something."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    if sys.platform == "win32":  # whose loops have no signal handlers, and notice a set event only when woken
        before = [signal.signal(one, lambda *_: loop.call_soon_threadsafe(stop.set)) for one in _SIGNALS]
        try:
            yield stop
        finally:
            for one, handler in zip(_SIGNALS, before, strict=True):
                signal.signal(one, handler)
        return
    for one in _SIGNALS:
        with suppress(ValueError, RuntimeError):  # not in the main thread, which gets the signals
            loop.add_signal_handler(one, stop.set)
    try:
        yield stop
    finally:
        for one in _SIGNALS:
            with suppress(ValueError, RuntimeError):
                loop.remove_signal_handler(one)


async def cut_off_grants(node: Node) -> list[Document]:
    """Return the grants that can still be read, but at origins of which this node has none."""
    listed = (await node.origins.reached())["grants"]
    return [
        {"grant": one["grant"], "vendor": one["vendor"], "origins": one["origins"]}
        for one in listed
        if not one["reached"]
    ]


def _show_start(screen: Screen, told: Document, *, private: bool) -> None:
    screen.line(f"Your node listens at {told['url']}", style="bold")
    if told["origins"] != [told["url"]]:
        screen.line(f"Vendors reach it at {', '.join(told['origins'])}")
    if wording.is_loopback(told["origins"][0]):
        screen.line(wording.ONLY_HERE)
    if private:
        screen.line("Vendors are looked up in private networks too: only for trying things out.")
    if told["cutOff"]:
        screen.line("These grants name other addresses and cannot be read until the node has one of them:")
        screen.table(
            ("grant", "who", "reached at"),
            [
                (wording.short_id(one["grant"]), one["vendor"], ", ".join(one["origins"]))
                for one in told["cutOff"]
            ],
        )
        screen.line(
            "Start it with --origin and one of these addresses, or say where they are reached now: freehold origins add"
        )
    screen.line("Your pages, with a link that works once, within 15 minutes (a new one: freehold dashboard):")
    screen.verbatim(f"  {told['link']}\n")
    screen.note("Stop it with Ctrl-C.")
