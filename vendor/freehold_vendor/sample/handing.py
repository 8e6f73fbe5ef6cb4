"""How a shop hands a permission on to its courier, over HTTP on this computer."""

from __future__ import annotations

from typing import Final

import aiohttp
from freehold_protocol import form
from freehold_protocol.encoding import Document, Json, parse_document
from freehold_protocol.grant import read_origin

from ..access import Access
from ..errors import MalformedError, UnreachableError
from .door import HOST

_COURIER_S: Final = 30
_MAX_BYTES: Final = 2**20


def courier_at(url: Json) -> str:
    """Return the origin of a courier on this machine. Raises MalformedError if it is on another."""
    origin = read_origin(url)
    if not origin.startswith(f"http://{HOST}:"):
        raise MalformedError("the sample delegates only to couriers on this machine")
    return origin


async def did_of(courier: str) -> str:
    """Ask a courier who it is. Raises UnreachableError, MalformedError."""
    async with _session() as session:
        return form.did((await _talk(session, "GET", courier + "/")).get("did"), "did")


async def hand_over(access: Access, permission: str, courier: str) -> tuple[str, Document]:
    """Delegate a permission to the courier there; return its DID and what it answered.

    Raises:
        UnreachableError: The courier does not answer.
        FreeholdError: As Access.delegate.
    """
    async with _session() as session:
        partner = form.did((await _talk(session, "GET", courier + "/")).get("did"), "did")
        delegation = await access.delegate(partner, permission)
        return partner, await _talk(session, "POST", courier + "/capability", delegation.to_dict())


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_COURIER_S))


async def _talk(
    session: aiohttp.ClientSession, method: str, url: str, body: Document | None = None
) -> Document:
    try:
        async with session.request(method, url, json=body, allow_redirects=False) as answer:
            return parse_document(await answer.content.read(_MAX_BYTES))
    except (aiohttp.ClientError, TimeoutError) as error:
        raise UnreachableError("the courier does not answer") from error
