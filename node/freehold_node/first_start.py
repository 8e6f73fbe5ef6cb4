"""The first start: a small application at the node's address, until there are keys; then the node takes its place.

The socket stays open from the first page to the last, so that a browser that comes between the two waits a moment
instead of finding nobody.

Spec: specs/node/dashboard.md#first-start
"""

from __future__ import annotations

import socket
from types import TracebackType
from typing import Self

from aiohttp import web
from freehold_protocol.errors import ConflictError

from .ambient import Ambient
from .api.server import Runner, make_app, make_runner
from .app import Node, url_of
from .config import Config
from .dashboard.addresses import Addresses
from .dashboard.once import ONCE, Once
from .dashboard.pages.starting import BEGIN, SET_UP
from .dashboard.routes import FIRST_PAGES, add_pages
from .dashboard.visit import ADDRESSES
from .keystore import Keys
from .setting_up import Kind, SetUp


class FirstStart:
    """Listens where the node will, for as long as its context, or until ``hand_over``."""

    def __init__(
        self,
        config: Config,
        *,
        kind: Kind = "own",
        ambient: Ambient | None = None,
        at: socket.socket | None = None,
    ) -> None:
        """Prepare it.

        Args:
            config: Of the node.
            kind: Whose node it will be.
            ambient: Clock and randomness; the real ones if None.
            at: A socket that listens already; None: one as the configuration says.
        """
        self._config, self._kind, self._ambient = config, kind, ambient or Ambient()
        self._socket = at
        self._runner: Runner | None = None

    async def __aenter__(self) -> Self:
        """Listen. Raises ConflictError where the address is in use."""
        if self._socket is None:
            self._socket = bind(self._config.host, self._config.port)
        self.set_up = SetUp(self._config.data_dir, self._ambient, kind=self._kind)
        addresses = Addresses(self._config.origins)
        host, port = self._socket.getsockname()[:2]
        addresses.add(url_of(host, port))
        app = make_app(())
        app[ADDRESSES], app[SET_UP] = addresses, self.set_up
        app[ONCE] = Once(self._ambient)
        add_pages(app, FIRST_PAGES)
        self._runner = make_runner(app)
        await self._runner.setup()
        await web.SockSite(self._runner, self._socket.dup()).start()
        self.link = f"{addresses.preferred}{BEGIN}/{self.set_up.link}"
        return self

    async def keys(self) -> Keys:
        """Return the keys, once there are any."""
        keys, _ = await self.set_up.made()
        return keys

    async def hand_over(self, node: Node) -> str:
        """Let the node, which is open, take over; the browser that set it up is signed in. Returns its URL."""
        if self._runner is None or self._socket is None:
            raise ValueError("it does not listen")
        _, device = await self.set_up.made()
        self.set_up.let_in(await node.devices.begin(device, proved=True))
        await self._runner.cleanup()  # after the last answer; who comes now waits at the socket
        self._runner = None
        listening, self._socket = self._socket, None
        return await node.listen(at=listening)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.set_up.give_up()
        if self._runner is not None:
            await self._runner.cleanup()
        if self._socket is not None:
            self._socket.close()


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens at an address, at any free port for 0. Raises ConflictError."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise ConflictError(f"port {port} cannot be listened at: {error.strerror}") from error
    listening.setblocking(False)
    return listening
