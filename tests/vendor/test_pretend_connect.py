"""A pretended person's browser carries a request, and comes back, as a real one does."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from freehold_protocol import limits
from freehold_protocol.errors import TransitionError
from freehold_vendor import ConnectRequest, OtherBrowserError, RefusedError, Vendor
from freehold_vendor.testing import PretendPerson
from harness import permission
from vendor_scene import identity

pytestmark = pytest.mark.asyncio
ASKED = [permission("delivery", ["name"])]


def person() -> PretendPerson:
    return PretendPerson({"Person": {"name": "Ada Example"}})


async def connect(vendor: Vendor, ada: PretendPerson) -> ConnectRequest:
    ends_s = ada.clock.now_s() + 86_400
    return await vendor.connect(ada.origin, ASKED, ends_s, return_to="https://shop.example/returned?a=b")


def query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


async def test_it_comes_back_with_a_code_and_the_vendor_reads() -> None:
    ada = person()
    async with Vendor(identity(1), transport=ada.transport, ambient=ada.ambient) as vendor:
        made = await connect(vendor, ada)
        assert ada.carry(made) == ada.carry(made) == made.code
        with pytest.raises(TransitionError):
            ada.send_back(made.code)
        ada.approve(made.code)
        old, query = query_of(ada.send_back(made.code)), query_of(ada.send_back(made.code))
        with pytest.raises(TimeoutError):
            await (await vendor.returned(old, challenge=made.challenge)).decision()
        access = await (await vendor.returned(query, challenge=made.challenge)).decision()
        assert [one["name"] for one in (await access.read("delivery")).records] == ["Ada Example"]
        with pytest.raises(TransitionError):
            ada.send_back(made.code)


async def test_a_code_ends_and_another_browser_has_nothing_of_it() -> None:
    ada = person()
    async with Vendor(identity(1), transport=ada.transport, ambient=ada.ambient) as vendor:
        made = await connect(vendor, ada)
        ada.approve(ada.carry(made))
        query = query_of(ada.send_back(made.code))
        ada.pass_time(limits.RETURN_CODE_S)
        with pytest.raises(TimeoutError):
            await (await vendor.returned(query, challenge=made.challenge)).decision()
        with pytest.raises(OtherBrowserError):
            await vendor.returned(query_of(ada.send_back(made.code)), challenge="another")


async def test_a_refusal_comes_back_without_a_code() -> None:
    ada = person()
    async with Vendor(identity(1), transport=ada.transport, ambient=ada.ambient) as vendor:
        made = await connect(vendor, ada)
        ada.refuse(ada.carry(made), "Not today.")
        query = query_of(ada.send_back(made.code))
        assert "freehold-code" not in query
        with pytest.raises(RefusedError, match="Not today"):
            await (await vendor.returned(query, challenge=made.challenge)).decision()
