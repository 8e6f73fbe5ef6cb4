"""What the node is told at start, from arguments and environment: read once, checked, then never changed.

Spec: specs/node/configuration.md
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import platformdirs
from freehold_protocol import limits
from freehold_protocol.errors import MalformedError

VERSION: Final = "0.1.0"
LICENCE: Final = "Apache-2.0"
DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8420
"""Fixed, because it is part of the origin that grants name; another port cuts them off."""

_ORIGIN = re.compile(
    r"(?P<scheme>[a-z]+)://(?P<host>\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::(?P<port>[1-9][0-9]{0,4}))?\Z", re.ASCII
)
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\Z", re.ASCII)
_PORT = re.compile(r"[0-9]{1,5}\Z", re.ASCII)
_MAX_HOST_CHARS: Final = 253
_MAX_PORT: Final = 65_535
_IMPLIED_PORT: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The node's settings; ``read_config`` checks them, this only carries them.

    ``origins`` are the node's own, each as parse_origin returns it, the first one preferred.
    ``allow_private_hosts`` lets DID documents be fetched from loopback and private networks.
    """

    data_dir: Path
    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    origins: tuple[str, ...] = (f"http://{DEFAULT_HOST}:{DEFAULT_PORT}",)
    allow_private_hosts: bool = False


def read_config(
    environment: Mapping[str, str],
    *,
    data_dir: Path | None = None,
    host: str | None = None,
    port: int | None = None,
    origins: Sequence[str] = (),
    allow_private_hosts: bool = False,
) -> Config:
    """Return the settings; an argument wins over its variable, and a variable set to nothing is not set.

    Args:
        environment: FREEHOLD_DATA, FREEHOLD_PORT, FREEHOLD_ORIGIN (separated by commas) and
            FREEHOLD_ALLOW_PRIVATE_HOSTS (1 or 0) are read.
        data_dir: Default: the platform's folder for a user's data.
        host: The address to listen at.
        port: 1 to 65535.
        origins: Where the node is reached; default: the loopback address it listens at.
        allow_private_hosts: Fetch DID documents from loopback and private networks too.

    Raises:
        MalformedError: A value cannot be used; the text says which and why.

    Spec: specs/node/configuration.md#settings
    """
    listening = DEFAULT_HOST if host is None else host
    at_port = _port(environment.get("FREEHOLD_PORT", "")) if port is None else _checked_port(port)
    given = list(origins) or _listed(environment.get("FREEHOLD_ORIGIN", ""))
    own = tuple(dict.fromkeys(map(parse_origin, given))) or (_own_origin(listening, at_port),)
    if len(own) > limits.MAX_ORIGINS:
        raise MalformedError(f"a node has at most {limits.MAX_ORIGINS} origins")
    return Config(
        data_dir=_data_dir(data_dir, environment), host=listening, port=at_port, origins=own,
        allow_private_hosts=allow_private_hosts or _switch(environment, "FREEHOLD_ALLOW_PRIVATE_HOSTS"),
    )  # fmt: skip


def parse_origin(text: str) -> str:
    """Return the origin in its one spelling: scheme, host in lower case, and the port where one was written.

    ``https`` with any host, ``http`` only with a literal loopback address: what a name such as ``localhost``
    stands for is decided elsewhere.

    Raises:
        MalformedError: Anything else; the text says what is wrong.

    Spec: specs/node/configuration.md#origins
    """
    match = _ORIGIN.match(text.lower()) if text.isascii() else None
    if match is None:
        raise MalformedError(f"{_shown(text)} is not an origin; {_what_is_wrong(text)}")
    scheme, host, port = match["scheme"], _host(match["host"], text), match["port"]
    if scheme not in _IMPLIED_PORT:
        raise MalformedError(f"{_shown(text)}: an origin begins with https://, or http:// for loopback")
    if scheme == "http" and not _is_loopback(host):
        raise MalformedError(
            f"{_shown(text)}: http is only for loopback addresses such as 127.0.0.1; use https"
        )
    if port is None:
        return f"{scheme}://{host}"
    if int(port) == _IMPLIED_PORT[scheme]:  # clients leave it out, so it would never match what they sign
        raise MalformedError(f"{_shown(text)}: leave out :{port}, which {scheme} implies")
    return f"{scheme}://{host}:{_checked_port(int(port))}"


def _shown(text: str) -> str:
    """Return the text for a message, unless it may hold a password."""
    return "the text with an @" if "@" in text else repr(text[:100])


def _what_is_wrong(text: str) -> str:
    if not text.isascii():
        return "write the host in ASCII, as in https://xn--bcher-kva.example"
    if "@" in text:
        return "it must not name a user"
    if "://" not in text:
        return "write it with its scheme, as in https://node.example"
    if re.search(r"[/?#]", text.partition("://")[2]):
        return "it has no path and no closing slash, as in https://node.example"
    return "write it as in https://node.example or http://127.0.0.1:8420"


def _host(host: str, text: str) -> str:
    """Return a host name, or an address in its one spelling."""
    try:
        if host.startswith("["):
            return f"[{ipaddress.IPv6Address(host[1:-1]).compressed}]"
        if host.rpartition(".")[
            2
        ].isdigit():  # browsers take such a name for an IPv4 address, in any spelling
            return str(ipaddress.IPv4Address(host))
    except ValueError:
        raise MalformedError(f"{_shown(text)}: the address cannot be read") from None
    if len(host) > _MAX_HOST_CHARS or not all(map(_LABEL.match, host.split("."))):
        raise MalformedError(f"{_shown(text)}: no host has that name")
    return host


def _is_loopback(host: str) -> bool:
    """Whether the host is 127.0.0.0/8 or [::1], written as an address."""
    if host.startswith("["):
        return host == "[::1]"
    try:
        return ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        return False


def _own_origin(host: str, port: int) -> str:
    """Return the loopback origin of a node that listens at host; listening everywhere includes it."""
    literal = f"[{host}]" if ":" in host else host
    return f"http://{literal if _is_loopback(literal) else DEFAULT_HOST}:{port}"


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")] if text.strip() else []


def _switch(environment: Mapping[str, str], name: str) -> bool:
    value = environment.get(name, "")
    if value not in ("", "0", "1"):
        raise MalformedError(f"{name} is 1 or 0")
    return value == "1"


def _port(text: str) -> int:
    if not text:
        return DEFAULT_PORT
    if not _PORT.match(text):
        raise MalformedError("FREEHOLD_PORT is not a number from 1 to 65535")
    return _checked_port(int(text))


def _checked_port(port: int) -> int:
    if not 1 <= port <= _MAX_PORT:
        raise MalformedError(f"a port is a number from 1 to {_MAX_PORT}")
    return port


def _data_dir(given: Path | None, environment: Mapping[str, str]) -> Path:
    path = given or Path(environment.get("FREEHOLD_DATA") or platformdirs.user_data_dir("freehold"))
    try:
        if "\0" in str(path):
            raise MalformedError("the data directory's path holds a null character")
        return path.expanduser().absolute()
    except RuntimeError:
        raise MalformedError(f"there is no home folder for {path}") from None
