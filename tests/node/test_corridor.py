"""The straight way of a read, end to end: ask five fields, approve three, narrow to two, end."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import ADA, open_house, permission

ASKED = [
    permission("delivery", ["name", "address.postalCode", "telephone"]),
    permission("marketing", ["email", "birthDate"], purpose="dpv:Marketing"),
]
GIVEN = [
    permission("delivery", ["name", "address.postalCode"]),
    permission("marketing", ["email"], purpose="dpv:Marketing"),
]


@pytest.mark.asyncio
async def test_reads_what_was_approved_until_it_is_narrowed_and_ended(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        await house.import_file(ADA, me="Ada Example")
        shop = await house.relate(ASKED, given=GIVEN)
        assert await shop.contents("delivery") == [
            {
                "type": "Person",
                "name": "Ada Example",
                "address": {"type": "PostalAddress", "postalCode": "EX1 2AB"},
            }
        ]
        assert await shop.contents("marketing") == [{"type": "Person", "email": "ada@example.com"}]

        await house.change(shop.grant, "narrow", [permission("delivery", ["name"]), GIVEN[1]])
        assert await shop.contents("delivery") == [{"type": "Person", "name": "Ada Example"}]
        asked_by_name = await shop.get("/delivery/records?fields=address.postalCode")
        assert (asked_by_name.status, asked_by_name.code) == (403, "not-shared")

        await house.change(shop.grant, "end")
        refused = await shop.get("/delivery/records")
        assert (refused.status, refused.code) == (403, "grant-ended")

        verdict = await house.own("POST", "/verify", {})
        assert verdict["intact"]
        kinds = [
            entry["entry"]["kind"]
            for entry in (await house.own("GET", f"/grants/{shop.grant}/ledger"))["entries"]
        ]
        assert kinds == [
            "changed", "admitted", "admitted", "changed", "admitted", "refused", "changed", "refused",
        ]  # fmt: skip
