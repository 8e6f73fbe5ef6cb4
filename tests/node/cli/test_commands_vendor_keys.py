"""``vendor-keys`` and what the other screens say of vendors and partners that a domain vouches for."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from did_server import DidServer, TestNames, did_server, trusting
from freehold_node.keystore import Keys
from freehold_node.resolver import Resolver
from harness import ADA, Held, House, open_house
from shell import ASKED, Beside, Shell
from web_vendor import CARRIER, SECOND, SHOP

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def server() -> AsyncIterator[DidServer]:
    async with did_server() as made:
        yield made


@pytest_asyncio.fixture
async def web_house(shell: Shell, key_store: tuple[Path, Keys], server: DidServer) -> AsyncIterator[House]:
    async with open_house(
        shell.folder,
        keys=key_store[1],
        real_time=True,
        resolving=lambda clock: Resolver(
            clock, allow_private_hosts=True, tls=trusting(), names=TestNames.loopback(), fetch_s=5
        ),
    ) as made:
        await made.import_file(ADA, me="Ada Example")
        yield made


@pytest_asyncio.fixture
async def shop(web_house: House, server: DidServer) -> Held:
    """A vendor of shop.example, whose partner is carrier.example."""
    did, carrier = server.did(), server.did("carrier.example")
    server.publish(did, SHOP.public)
    server.publish(carrier, CARRIER.public)
    asked = [{**ASKED[0], "recipients": [carrier]}, ASKED[1]]
    return await web_house.relate(asked, key=SHOP, name="Corner Shop", method=f"{did}#key-1")


async def changed(shop: Held, server: DidServer) -> None:
    server.publish(server.did(), SECOND.public)
    path = f"/g/{shop.grant}/renew"
    reply = await shop.house.signed(SHOP, "POST", path, keyid=f"{server.did()}#key-1")
    assert reply.code == "grant-paused"


async def test_screens_show_the_domain(beside: Beside, shop: Held, server: DidServer) -> None:
    domain = f"shop.example:{server.port}"
    request = (await beside.ok("requests"))["requests"][0]["id"]
    for arguments in (
        ("requests",),
        ("grants",),
        ("requests", "show", request),
        ("grants", "show", shop.grant),
    ):
        assert domain in (await beside(*arguments)).out, arguments
    shown = (await beside("grants", "show", shop.grant)).out
    assert f"passed on to  carrier.example:{server.port}" in shown
    assert "nobody vouches" not in shown
    await shop.house.relate(ASKED, name=domain)  # a key that calls itself so
    listed = [line for line in (await beside("grants")).out.splitlines() if domain in line]
    assert sorted("nobody" in line for line in listed) == [False, True]


async def test_the_ledger_names_vendor_and_partner(beside: Beside, shop: Held, server: DidServer) -> None:
    await shop.contents("delivery")
    await shop.delegate(CARRIER, path="/delivery").contents("delivery")
    told = (await beside("ledger", shop.grant)).out
    for who in ("you", "Corner Shop", f"partner carrier.example:{server.port}"):
        assert re.search(rf"\d\d:\d\d  {re.escape(who)} ", told), who
    shown = (await beside("grants", "show", shop.grant)).out
    assert f"carrier.example:{server.port}, by key {CARRIER.public.multikey[:8]}" in shown
    assert (
        f"{CARRIER.public.multikey[:8]}  delivery" not in shown
    )  # in the list of what was passed on, by its domain
    cut = await beside("revoke", shop.grant, "--partner", f"carrier.example:{server.port}")
    assert cut.out == f"Partner carrier.example:{server.port} is cut off.\n"
    assert (await shop.delegate(CARRIER, path="/delivery").get("/delivery/records")).code == "revoked"


async def test_shows_the_keys(beside: Beside, shop: Held, server: DidServer) -> None:
    shown = (await beside("vendor-keys", shop.grant)).out
    assert shown.startswith(f"shop.example:{server.port}\n")
    assert f"key {SHOP.public.multikey[:8]}  asks, speaks for it, reads, passes on" in shown
    assert "waits" not in shown
    assert "new keys" not in (await beside("status")).out
    by_key = await shop.house.relate(ASKED, name="Other Shop")
    assert "known by its key alone" in (await beside("vendor-keys", by_key.grant)).out
    refused = await beside("vendor-keys", shop.grant, "--accept", "--yes")
    assert (refused.code, "not-in-this-state" in refused.err) == (1, True)


async def test_new_keys_are_asked_about_and_accepted(beside: Beside, shop: Held, server: DidServer) -> None:
    await changed(shop, server)
    short = shop.grant[:8]
    see = f"freehold vendor-keys {short}"
    assert "1 waiting" in (await beside("status")).out
    listed = (await beside("grants")).out
    assert "paused, new keys" in listed
    assert see in listed
    assert see in (await beside("grants", "show", short)).out
    refused = await beside("resume", short, "--yes")
    assert (refused.code, "keys have changed" in refused.err) == (1, True)
    shown = (await beside("vendor-keys", short)).out
    assert shown.index(SHOP.public.multikey[:8]) < shown.index("waits for your word")
    assert shown.index("waits for your word") < shown.index(SECOND.public.multikey[:8])
    assert f"{see} --accept" in shown
    said_no = await beside("vendor-keys", short, "--accept", answers=["n"])
    assert (said_no.code, "not-confirmed" in said_no.err) == (1, True)
    assert (await beside("vendor-keys", short, "--accept", "--yes", passphrase="wrong")).code == 4
    assert (await beside("vendor-keys", short, "--accept", passphrase=None)).code != 0
    accepted = await beside("vendor-keys", short, "--accept", answers=["y"])
    assert accepted.code == 0
    assert f"Accepted: shop.example:{server.port}." in accepted.out
    assert f"freehold resume {short}" in accepted.out
    assert (await beside("resume", short, "--yes")).code == 0
    assert "you accepted new keys" in (await beside("ledger", short)).out
    assert (await beside("verify")).code == 0


async def test_programs_accept_too(beside: Beside, shop: Held, server: DidServer) -> None:
    await changed(shop, server)
    [found] = (await beside.ok("vendor-keys", shop.grant))["keys"]
    assert [one["id"] for one in found["offered"]] == [SECOND.did]
    assert (await beside("vendor-keys", shop.grant, "--accept", "--json")).code == 2  # nobody can be asked
    assert await beside.ok("vendor-keys", shop.grant, "--accept", "--yes") == {"accepted": [server.did()]}
