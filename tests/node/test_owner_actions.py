"""What the owner does is written down: what it was and what it was about, and no value."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import House, open_house
from shop import MARKETING, shop
from tables import tables


async def actions(house: House) -> str:
    return "\n".join((await tables(house.node))["owner_action"])


@pytest.mark.requirement("HTTP-45")
@pytest.mark.asyncio
async def test_what_the_owner_does_is_written_down_without_values(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        held = await shop(house)
        await house.own("POST", f"/grants/{held.grant}/revocations", {"permission": MARKETING["name"]})
        await house.change(held.grant, "pause")
        written = await actions(house)
        for action in ("invite", "approve", "narrow", "pause"):
            assert f"'{action}'" in written, action
        assert held.grant in written
        for value in ("Ada Example", "EX1 2AB", "did:key:", "z6Mk"):
            assert value not in written
