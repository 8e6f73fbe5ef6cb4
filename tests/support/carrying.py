"""Connect as tests play it: requests that a browser carries, and what it brings back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from freehold_protocol.connect import CHALLENGE, CODE, REQUEST, Connect
from freehold_protocol.encoding import Document, base64url_encode
from freehold_protocol.keys import SigningKey
from freehold_protocol.permission import Permission
from freehold_protocol.request import Request, sign_request
from harness import PASSPHRASE, House, Reply

RETURN_TO = "https://shop.example/returned?cart=7"


def carried(
    house: House,
    key: SigningKey,
    permissions: Iterable[Document],
    *,
    return_to: str | None = RETURN_TO,
    name: str = "Test Shop",
    created_s: int | None = None,
    method: str | None = None,
) -> Request:
    """Return a signed request for a browser to carry; with return_to None, one for an invitation."""
    challenge = base64url_encode(house.rng.randbytes(24))
    created_s = house.now_s() if created_s is None else created_s
    return sign_request(
        key,
        request_id="urn:uuid:" + house.uuid(),
        nonce=base64url_encode(house.rng.randbytes(32)),
        name=name,
        permissions=tuple(map(Permission.from_dict, permissions)),
        created_s=created_s,
        expires_s=created_s + 30 * 86_400,
        connect=None if return_to is None else Connect(return_to=return_to, challenge=challenge),
        method=method,
    )


async def take_in(house: House, request: Request) -> Any:
    """Let the person take the request in; return what they are told of it."""
    return await house.own("POST", "/requests", {"request": request.document})


async def approve(house: House, request_id: str, permissions: Iterable[Document]) -> Any:
    """Let the person approve; return what they are told, ``returnTo`` in it."""
    draft = await house.own("POST", f"/requests/{request_id}/draft", {"permissions": list(permissions)})
    sent = {"digest": draft["digest"], "passphrase": PASSPHRASE}
    return await house.own("POST", f"/requests/{request_id}/approve", sent)


def brought(url: str) -> dict[str, str]:
    """Return what the node added to the page's query."""
    found = dict(parse_qsl(urlsplit(url).query, strict_parsing=True))
    return {name: found[name] for name in (REQUEST, CHALLENGE, CODE) if name in found}


async def poll(house: House, key: SigningKey, where: str, code: str | None = None, **more: Any) -> Reply:
    """Follow a request as the vendor whose key this is; where is the URL that the browser brought."""
    path = where.removeprefix(house.base) + ("" if code is None else f"?code={code}")
    return await house.signed(key, "GET", path, **more)
