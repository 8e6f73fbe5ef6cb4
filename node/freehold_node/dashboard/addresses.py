"""By which addresses the dashboard is opened.

A page of somebody else's can make a name of its own point at this computer; then its scripts would be of the same
origin as the dashboard. So only names that are the node's own are answered.

Spec: specs/node/dashboard.md#addresses
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

_NAME: Final = "localhost"


class Addresses:
    """The origins of ours, by the ``Host`` under which each is asked for."""

    def __init__(self, origins: tuple[str, ...]) -> None:
        self._by_host: dict[str, str] = {}
        for origin in origins:
            self.add(origin)

    def add(self, origin: str) -> None:
        """Answer at one more origin; a loopback address is answered as ``localhost`` too.

        Browsers let a page use passkeys only under a name, and do not send the cookie of ``localhost`` to what else
        listens at 127.0.0.1, such as a sample shop.
        """
        parts = urlsplit(origin)
        self._by_host[parts.netloc] = origin
        if parts.scheme == "http":
            name = _NAME if parts.port is None else f"{_NAME}:{parts.port}"
            self._by_host[name] = f"http://{name}"

    @staticmethod
    def named(origin: str) -> str:
        """Return an origin of ours as the person opens it: on loopback by its name, where their session is."""
        parts = urlsplit(origin)
        if parts.scheme != "http":
            return origin
        return f"http://{_NAME}" if parts.port is None else f"http://{_NAME}:{parts.port}"

    @property
    def preferred(self) -> str:
        """Where links lead: the first origin, on loopback under its name."""
        first = next(iter(self._by_host.values()))
        if first.startswith("https:"):
            return first
        return next(one for one in self._by_host.values() if one.startswith(f"http://{_NAME}"))

    def at(self, host: str) -> str | None:
        """Return the origin that a ``Host`` header names; None if it is not ours."""
        return self._by_host.get(host.lower())
