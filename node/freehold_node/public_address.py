"""Which addresses belong to the public internet.

What a stranger names is gone to only there: behind any other address stands something that only this machine, or its
network, can reach.

Spec: specs/node/configuration.md#looking-up-vendors
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

# The special-purpose registries of IANA, spelled out: ``is_global`` differs between releases of Python.
_NOT_PUBLIC: Final = tuple(
    ip_network(network)
    for network in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
        "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        # Of the global unicast addresses: protocol assignments (Teredo and ORCHID among them), documentation, 6to4.
        "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
    )
)  # fmt: skip
_GLOBAL_UNICAST: Final = ip_network("2000::/3")
_NAT64: Final = ip_network("64:ff9b::/96")
_ISATAP: Final = frozenset({0x0000_5EFE, 0x0200_5EFE})


def is_public(address: str) -> bool:
    """Whether a text is an IP address of the public internet; one that carries another inside is as that is."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv4Address):
        return not any(found in network for network in _NOT_PUBLIC)
    if found in _NAT64:  # on networks without IPv4 this is how every host without IPv6 is reached
        return is_public(str(IPv4Address(int(found) & 0xFFFF_FFFF)))
    return found.scope_id is None and _is_public_unicast(found)


def _is_public_unicast(address: IPv6Address) -> bool:
    if address not in _GLOBAL_UNICAST or any(address in network for network in _NOT_PUBLIC):
        return False
    return (int(address) >> 32) & 0xFFFF_FFFF not in _ISATAP
