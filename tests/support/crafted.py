"""Requests that are right but for one thing: what is signed, what is sent, or what is said of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from freehold_protocol.capability import to_wire
from freehold_protocol.http_message import Message
from freehold_protocol.http_signature import sign
from harness import Reply
from raw_http import reply_to, request_bytes
from watch import Watched

Headers = dict[str, str]
COVERED = ("@method", "@target-uri", "capability-invocation")


async def crafted(
    node: Watched,
    *,
    method: str = "GET",
    below: str = "/delivery/records",
    components: tuple[str, ...] = COVERED,
    tag: str = "zcap",
    extra: dict[str, str] | None = None,
    body: bytes | None = None,
    change: Callable[[Headers], Headers] = dict,
    key: Any = None,
    **signed: Any,
) -> Reply:
    """Send a request whose parts are right but for what is given; change may alter the finished headers."""
    target = f"/g/{node.held.grant}{below}"
    headers = {"capability-invocation": f'zcap capability="{to_wire(node.held.capability)}",action="read"'}
    if tag != "zcap":
        headers = {}
    headers |= extra or {}
    message = Message(method=method, target_uri=node.house.base + target, headers=headers)
    given: dict[str, Any] = {"created_s": node.house.now_s(), "nonce": node.house.nonce()} | signed
    given.setdefault("expires_s", given["created_s"] + 120)
    # A header that is too long to be signed is sent all the same.
    covered = tuple(name for name in components if len(headers.get(name, "")) < 16_000)
    made = headers | sign(message, components=covered, key=key or node.held.key, tag=tag, **given)
    length = {} if body is None else {"Content-Length": str(len(body))}
    data = request_bytes(target, method=method, headers=change(made) | length, body=body or b"")
    return await reply_to(node.house.base, data)


def altered(pattern: str, by: str, header: str = "signature-input") -> Callable[[Headers], Headers]:
    def change(headers: Headers) -> Headers:
        text, count = re.subn(pattern, by, headers[header])
        assert count == 1, headers[header]
        return headers | {header: text}

    return change


def left_out(*names: str) -> Callable[[Headers], Headers]:
    return lambda headers: {name: value for name, value in headers.items() if name not in names}


def repeated(headers: Headers) -> Headers:
    """Return a message with a second signature of the same tag, under another label."""
    return headers | {
        name: f"{headers[name]}, {headers[name].replace('sig=', 'two=', 1)}"
        for name in ("signature-input", "signature")
    }
