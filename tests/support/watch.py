"""One open node for a whole file of hostile requests, and what must hold after each of them."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from freehold_protocol.capability import to_wire
from freehold_protocol.errors import BY_CODE
from harness import Held, House, Reply, open_house
from shop import shop
from tables import Tables, differing, tables

SECRET = "CANARY-d41d8cd98f"
"""Stands in hostile requests wherever a text can stand; it never comes back, and is never written down."""
_ENTRY = {"entry", "access_grant", "log_node"}
_VALUES = ("Ada Example", "EX1 2AB", "ada@example.com")


@dataclass(slots=True)
class Watched:
    """A node, a vendor of it, and everything that may not be found outside of a good response."""

    house: House
    held: Held

    def secrets(self) -> tuple[str, ...]:
        keys = (self.house.node.session_key.multikey, self.held.key.multikey)
        return (SECRET, *_VALUES, *keys, to_wire(self.held.capability))


@asynccontextmanager
async def watched(folder: Path) -> AsyncIterator[Watched]:
    async with open_house(folder / "node") as house:
        yield Watched(house=house, held=await shop(house))


async def before(node: Watched, caplog: pytest.LogCaptureFixture) -> Tables:
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    return await tables(node.house.node)


def check_problem(reply: Reply, status: int, code: str) -> None:
    """Check the one shape of errors: RFC 9457 with a registered code, and nothing that tells of the node."""
    assert reply.status == status, (reply.status, reply.body)
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert reply.headers["Cache-Control"] == "no-store"
    assert not {"Date", "Server", "ETag", "Freehold-Entry", "Set-Cookie"} & set(reply.headers)
    found = json.loads(reply.body)
    assert list(found) == ["type", "title", "status", "code", "detail"]
    assert found["code"] == code, found
    assert code in BY_CODE
    assert found["type"] == f"https://w3id.org/freehold/v1/errors#{code}"
    assert found["status"] == status
    assert found["title"] != "Failed" or status == 500
    assert 0 < len(found["detail"]) < 200


async def check_untouched(
    node: Watched,
    earlier: Tables,
    caplog: pytest.LogCaptureFixture,
    *received: bytes,
    spent: set[str] | None = None,
    counted: bool = False,
) -> None:
    """Check that nothing changed but what is spent, and that no secret came back or is in a log.

    A proven holder's refusal is counted; the first of its kind in an hour is an entry too.
    """
    changed = differing(earlier, await tables(node.house.node))
    assert changed - (_ENTRY if counted else set()) == ({"nonce", "refusal"} if counted else spent or set())
    said = caplog.text.encode() + b"".join(received)
    assert b"Traceback" not in said, caplog.text
    for secret in node.secrets():
        assert secret.encode() not in said, secret
