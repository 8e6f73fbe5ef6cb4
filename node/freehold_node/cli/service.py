"""The daemon: the node in the foreground, until a signal tells it to stop.

Spec: specs/node/cli.md#freehold-serve
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from freehold_protocol.encoding import Document

from ..app import Node, open_node
from ..config import Config
from ..keystore import open_keystore
from . import wording
from .render import Screen
from .run import Run

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


async def serve(run: Run, config: Config) -> None:
    """Run the node; returns when it has stopped in order.

    Raises:
        FreeholdError: It cannot be opened, or the address is in use.
    """
    logging.basicConfig(
        stream=run.terminal.err, level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s"
    )
    keys = open_keystore(config.data_dir, run.passphrase())
    with stop_signals() as stop:
        async with open_node(config, keys) as node:
            url = await node.listen()
            cut_off = await cut_off_grants(node)
            told: Document = {"url": url, "origins": list(config.origins), "cutOff": cut_off}
            run.tell(told, lambda screen: _show_start(screen, told, private=config.allow_private_hosts))
            run.terminal.out.flush()
            await stop.wait()
    if not run.is_json:
        run.screen.line("Stopped.")


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
    screen.note("Stop it with Ctrl-C.")
