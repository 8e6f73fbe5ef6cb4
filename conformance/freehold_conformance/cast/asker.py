"""A vendor that asks for one record which all checks of asking share: what it sends, and what becomes of it."""

from __future__ import annotations

from typing import Any

from ..check import expect_problem, expect_status, object_of
from ..hands.encoding import Document
from ..hands.keys import Key
from .life import GIVEN
from .stage import Asked, Stage


async def wanted(stage: Stage, *fields: str) -> list[Document]:
    """Return permissions to ask for, on a record that all checks here share."""
    shown = await stage.once(
        "a record that is asked for", lambda: stage.person(name="Ada", email="ada@example.com")
    )
    return [shown.permission("delivery", fields or GIVEN)]


async def request_of(stage: Stage, key: Key, **members: Any) -> Document:
    """Return a signed request; members as for ``Stage.request``."""
    return stage.request(key, await wanted(stage), **members)


async def take(stage: Stage, invitation: str, key: Key, request: Document) -> Asked:
    """Send a request that must be taken."""
    told = object_of(expect_status(await stage.post_request(invitation, request), 202))
    return Asked(stage=stage, key=key, request=request, told=told)


async def refused_then_taken(stage: Stage, key: Key, request: Document, status: int, *codes: str) -> None:
    """Check that a request is refused, shows nowhere, and that the honest one is taken at the same invitation."""
    invitation = await stage.owner.invite()
    expect_problem(await stage.post_request(invitation, request), status, *codes)
    asked = await take(stage, invitation, key, await request_of(stage, key))
    await stage.owner.refuse(asked.id)
