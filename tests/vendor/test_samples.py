"""The sample shop and courier as they are run: real processes, a real node."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from freehold_node.keystore import Keys
from freehold_protocol.encoding import Document, format_time
from freehold_protocol.receipt import Receipt
from freehold_vendor import VendorIdentity
from harness import ADA, House, open_house, permission
from sample_process import Sample, running

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def house(node_folder: Path, key_store: tuple[Path, Keys]) -> AsyncIterator[House]:
    async with open_house(node_folder, keys=key_store[1], real_time=True) as made:
        await made.import_file(ADA, me="Ada Example")
        yield made


async def ask(shop: Sample, house: House, permissions: list[Document]) -> str:
    """Let the shop ask; return the path of the request, found by the code both show."""
    invitation = (await house.own("POST", "/invitations", {"label": "Shop"}))["url"]
    body = {
        "invitation": invitation,
        "permissions": permissions,
        "expires": format_time(house.now_s() + 30 * 86_400),
        "benefit": "Free delivery",
    }
    code = (await shop.call("POST", "/ask", body))["code"]
    [request] = (await house.own("GET", "/requests?status=waiting"))["requests"]
    assert request["code"] == code
    return "/requests/" + str(request["id"])


async def test_shop_and_courier_from_asking_to_the_end(house: House) -> None:
    async with running("shop", "--name", "Corner Shop") as shop, running("courier") as courier:
        given = [permission("delivery", ["name"], recipients=[courier.did])]
        assert (await shop.call("GET", "/"))["name"] == "Corner Shop"
        path = await ask(shop, house, given)
        assert await shop.call("GET", "/decision?wait=0") == {"status": "waiting"}
        grant = await house.approve(path, given)
        assert await shop.call("GET", "/decision?wait=5") == {
            "status": "approved",
            "permissions": ["delivery"],
        }

        read = await shop.call("GET", "/read/delivery")
        assert [record["name"] for record in read["records"]] == ["Ada Example"]
        assert len(read["entries"]) == 1
        refused = await shop.call("GET", "/read/delivery?fields=telephone")
        assert refused["error"]["code"] == "not-shared"

        assert (await courier.call("GET", "/read"))["error"]["code"] == "not-found"
        body = {"permission": "delivery", "courier": courier.url}
        assert await shop.call("POST", "/delegate", body) == {"partner": courier.did}
        for where in ("/read", "/read/delivery"):
            assert (await courier.call("GET", where))["records"] == read["records"]

        await house.change(grant, "end")
        for sample in (shop, courier):
            ended = await sample.call("GET", "/read/delivery")
            assert ended["error"]["code"] == "grant-ended"
        receipt = await shop.call("GET", "/receipt")
        assert (receipt["state"], receipt["version"]) == ("ended", 2)
        assert Receipt.from_dict(receipt["receipt"]).verify().state == "ended"


async def test_a_shop_that_is_refused_says_so(house: House) -> None:
    async with running("shop") as shop:
        path = await ask(shop, house, [permission("delivery", ["name"])])
        await house.own("POST", f"{path}/refuse", {"reason": "No."})
        assert await shop.call("GET", "/decision") == {"status": "refused", "reason": "No."}
        assert (await shop.call("GET", "/read/delivery"))["error"]["code"] == "not-found"


async def test_what_the_shop_answers_when_something_is_wrong() -> None:
    async with running("shop") as shop:
        here = shop.url
        for method, path, body, code in (
            ("GET", "/read/delivery", None, "not-found"),
            ("GET", "/receipt", None, "not-found"),
            ("GET", "/decision", None, "not-found"),
            ("POST", "/ask", {}, "malformed"),
            ("POST", "/ask", {"invitation": 7, "permissions": [], "expires": ""}, "malformed"),
            ("POST", "/delegate", {"permission": "delivery", "courier": here}, "not-found"),
            ("POST", "/delegate", {"permission": "delivery", "courier": "https://node.example"}, "malformed"),
        ):
            assert (await shop.call(method, path, body))["error"]["code"] == code, path
        wrong = {"data": b"{}", "headers": {"Content-Type": "text/plain"}}
        assert (await shop.call("POST", "/ask", **wrong))["error"]["code"] == "malformed"


async def test_a_page_of_another_site_reaches_neither(tmp_path: Path) -> None:
    async with running("courier") as courier:
        for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
            async with courier.session.get(courier.url + "/", headers=headers) as answer:
                assert answer.status == 403


@pytest.mark.parametrize("name", ["shop", "courier"])
async def test_it_keeps_its_identity_in_a_file_and_stops_when_told(name: str, tmp_path: Path) -> None:
    key = tmp_path / "key.json"
    async with running(name, "--key", str(key)) as first:
        first.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(first.process.wait(), 10) == 0
    async with running(name, "--key", str(key)) as second:
        assert second.did == first.did == VendorIdentity.load(key).did
        assert second.process.stdin is not None
        second.process.stdin.close()
        assert await asyncio.wait_for(second.process.wait(), 10) == 0
