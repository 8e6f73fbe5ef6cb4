"""Which addresses a vendor's server may be sent to.

An invitation is a URL that a stranger gives to a vendor. If the vendor's server went to any address it names,
strangers could reach through it what only that server can: its neighbours, its cloud's metadata, itself.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from .errors import UnreachableError


def is_public(host: str) -> bool:
    """Whether an IP address, written as text, is one of the public internet."""
    address = ipaddress.ip_address(host)
    if isinstance(address, ipaddress.IPv6Address) and address.sixtofour is not None:
        return address.sixtofour.is_global
    return address.is_global and not address.is_multicast


def check_literal(url: str) -> None:
    """Refuse a URL whose host is written as an IP address that is not public.

    Raises:
        UnreachableError: It is one.
    """
    host = urlsplit(url).hostname or ""
    try:
        public = is_public(host)
    except ValueError:
        return  # a name: what it stands for is decided by PublicResolver, where the connection is made
    if not public:
        raise UnreachableError("the address is not public; see Vendor's allow_private_addresses")


class PublicResolver(AbstractResolver):
    """Resolves names, and forgets every address that is not public."""

    def __init__(self) -> None:
        self._resolver = aiohttp.DefaultResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the public addresses of a name. Raises OSError if there are none."""
        found = await self._resolver.resolve(host, port, family)
        public = [one for one in found if is_public(one["host"])]
        if not public:
            raise OSError("the name stands for no public address")
        return public

    async def close(self) -> None:
        """Release what the resolver holds."""
        await self._resolver.close()
