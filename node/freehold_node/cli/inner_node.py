"""The node, run by a command itself where no daemon runs: the same application, in a thread, for a moment."""

from __future__ import annotations

import asyncio
import threading
from types import TracebackType
from typing import Self

from freehold_protocol.errors import FreeholdError

from ..app import open_node
from ..config import Config
from ..keystore import Keys


class InnerNode:
    """A node that lives as long as its context; it listens at any free port of loopback.

    What it signs and checks is under the configured origins, as for the daemon.
    """

    def __init__(self, config: Config, keys: Keys) -> None:
        self._config, self._keys = config, keys
        self._thread = threading.Thread(target=self._run, name="freehold-node", daemon=True)
        self._listening = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._error: BaseException | None = None

    def __enter__(self) -> Self:
        """Return once the node answers.

        Raises:
            FreeholdError: It cannot be opened, as Node says; ConflictError if another process has it.
        """
        self._thread.start()
        self._listening.wait()
        if self._error is not None:
            self._thread.join()
            raise self._error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        except (FreeholdError, OSError) as error:
            self._error = error
        finally:
            self._listening.set()

    async def _live(self) -> None:
        self._stop = asyncio.Event()
        async with open_node(self._config, self._keys) as node:
            await node.listen(port=0)
            self._loop = asyncio.get_running_loop()
            self._listening.set()
            await self._stop.wait()
