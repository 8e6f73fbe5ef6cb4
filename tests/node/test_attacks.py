"""Attacks on capabilities that need a node to be tried: who steals an id, who spells a revoked link anew."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from freehold_protocol.capability import delegate
from freehold_protocol.encoding import Document, base64url_encode
from freehold_protocol.proof import JCS, RDFC, Suite
from harness import Held, Reply, open_house
from shop import COURIER, DRIVER, shop

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def held(tmp_path: Path) -> AsyncIterator[Held]:
    async with open_house(tmp_path / "node") as house:
        yield await shop(house)


def wire_of(document: Document) -> str:
    return base64url_encode(gzip.compress(json.dumps(document).encode()))


def backwards(value: Any) -> Any:
    """Return the same JSON with the members of every object in the opposite order."""
    if isinstance(value, dict):
        return {name: backwards(value[name]) for name in reversed(value)}
    return [backwards(item) for item in value] if isinstance(value, list) else value


async def read(held: Held, document: Document) -> Reply:
    return await held.get("/delivery/records", capability=wire_of(document))


async def renounce(holder: Held, held: Held) -> Reply:
    path = f"/g/{held.grant}/zcaps/revocations/{held.capability.id.replace(':', '%3A')}"
    return await holder.house.signed(holder.key, "POST", path, held.capability.document)


@pytest.mark.requirement("GRA-25")
@pytest.mark.parametrize("suite", [JCS, RDFC])
async def test_a_stolen_id_revokes_only_the_thief_s_own(held: Held, suite: Suite) -> None:
    """The driver gives a link of its own the id of the courier's, and revokes it by that id."""
    courier = held.delegate(COURIER, path="/delivery", suite=suite)
    driver = held.delegate(DRIVER, path="/delivery")
    stolen = delegate(
        DRIVER, capability_id=courier.capability.id, controller=DRIVER.public, target=driver.capability.target,
        actions=("read",), created_s=held.house.now_s(), expires_s=driver.capability.expires_s,
        parent=driver.capability, suite=suite,
    )  # fmt: skip
    thief = Held(house=held.house, key=DRIVER, grant=held.grant, capability=stolen)
    assert [(await one.get("/delivery/records")).status for one in (courier, thief)] == [200, 200]
    assert (await renounce(thief, thief)).status == 204
    assert [(await one.get("/delivery/records")).code for one in (thief, courier, driver)] == [
        "revoked",
        None,
        None,
    ]
    assert (await renounce(thief, courier)).code == "not-found", (
        "and the courier's own link is not the thief's"
    )


SPELLINGS: dict[str, tuple[Callable[[Document], Document], str]] = {
    "in another order": (backwards, "revoked"),
    "one action as a text": (lambda link: {**link, "allowedAction": "read"}, "malformed"),
    "an array of one controller": (lambda link: {**link, "controller": [link["controller"]]}, "malformed"),
    "an array of one parent": (
        lambda link: {**link, "parentCapability": [link["parentCapability"]]},
        "malformed",
    ),
    "a typed end": (
        lambda link: {
            **link,
            "expires": {"@type": "http://www.w3.org/2001/XMLSchema#dateTime", "@value": link["expires"]},
        },
        "malformed",
    ),
    "under full IRIs": (
        lambda link: {
            ("https://w3id.org/security#controller" if name == "controller" else name): value
            for name, value in link.items()
        },
        "malformed",
    ),
    "with the proof in an array": (lambda link: {**link, "proof": [link["proof"]]}, "malformed"),
    "with another context that says the same": (
        lambda link: {**link, "@context": [*link["@context"], "https://w3id.org/security/v2"]},
        "malformed",
    ),
}


@pytest.mark.parametrize("name", SPELLINGS)
@pytest.mark.parametrize("suite", [JCS, RDFC])
async def test_another_spelling_of_a_revoked_link_opens_nothing(held: Held, suite: Suite, name: str) -> None:
    courier = held.delegate(COURIER, path="/delivery", suite=suite)
    assert (await courier.get("/delivery/records")).status == 200
    assert (await renounce(held, courier)).status == 204
    respell, code = SPELLINGS[name]
    respelled = respell(courier.capability.document)
    assert wire_of(respelled) != wire_of(courier.capability.document)
    assert (await read(courier, respelled)).code == code
