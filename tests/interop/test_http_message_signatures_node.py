"""A node that runs, asked in the words of another implementation of RFC 9421."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from freehold_protocol.capability import to_wire
from freehold_protocol.invocation import HEADER, TAG_CAPABILITY, TAG_DID, TAG_OWNER
from freehold_protocol.keys import SigningKey
from harness import Held, House, Reply, open_house
from http_message_signatures.aiohttp import SignatureMiddleware, SignatureMiddlewareMode
from http_message_signatures.algorithms import ED25519
from other_signer import Message, by_them, keys_of
from shop import COURIER, shop

pytestmark = pytest.mark.asyncio


async def send(house: House, message: Message) -> Reply:
    path = message.url.removeprefix(house.base)
    return await house.send(message.method, path, dict(message.headers), message.body)


def at(house: House, tag: str, path: str, *, key: SigningKey, **more: Any) -> Message:
    """Sign for a node with a fresh nonce."""
    given_: dict[str, Any] = {"url": house.base + path, "nonce": house.nonce()}
    return by_them(tag, more.pop("body", None), key=key, **(given_ | more))


def reading(
    held: Held, path: str = "/delivery/records", *, key: SigningKey | None = None, **more: Any
) -> Message:
    headers = {HEADER: f'zcap capability="{to_wire(held.capability)}",action="read"'}
    where = f"/g/{held.grant}{path}"
    return at(held.house, TAG_CAPABILITY, where, key=key or held.key, headers=headers, **more)


async def test_a_node_answers_what_the_other_signs(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node", real_time=True) as house:
        vendor = await shop(house)
        read = await send(house, reading(vendor))
        assert (read.status, read.json["items"][0]["name"]) == (200, "Ada Example")
        courier = vendor.delegate(COURIER, path="/delivery")
        assert (await send(house, reading(courier, "/delivery/records?fields=name"))).status == 200
        ledger = (await send(house, reading(vendor, "/ledger/entries"))).json
        assert ledger["entries"][read.entry]["entry"]["kind"] == "admitted"

        by_did = at(house, TAG_DID, f"/g/{vendor.grant}", key=vendor.key)
        assert (await send(house, by_did)).json["receipt"]["request"]["proof"]
        revoked = courier.capability
        path = f"/g/{vendor.grant}/zcaps/revocations/{revoked.id.replace(':', '%3A')}"
        body = json.dumps(revoked.document).encode()
        assert (await send(house, at(house, TAG_DID, path, key=vendor.key, body=body))).status == 204
        assert (await send(house, reading(courier))).code == "revoked"

        owner = house.node.session_key
        assert (await send(house, at(house, TAG_OWNER, "/owner/status", key=owner))).json["records"] == 1
        invite = at(house, TAG_OWNER, "/owner/invitations", key=owner, body=b'{"label": "A shop"}')
        assert (await send(house, invite)).status == 201


async def test_a_node_refuses_what_was_altered_and_what_comes_twice(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node", real_time=True) as house:
        vendor = await shop(house)

        async def code(message: Message) -> str | None:
            return (await send(house, message)).code

        once = reading(vendor)
        assert [await code(once), await code(once)] == [None, "replayed"]
        elsewhere = reading(vendor)
        elsewhere.url = elsewhere.url.replace("/delivery/", "/marketing/")
        assert await code(elsewhere) == "signature-invalid"
        later = reading(vendor)
        later.headers["signature-input"] = later.headers["signature-input"].replace(
            ";expires=1", ";expires=2"
        )
        assert await code(later) == "signature-stale"
        assert await code(reading(vendor, key=COURIER)) == "wrong-controller"
        assert await code(reading(vendor, nonce=None)) == "malformed"


async def test_its_middleware_for_aiohttp_works_where_there_is_a_body(tmp_path: Path) -> None:
    """Without one it covers a digest of nothing, which is more than may be covered here."""
    async with open_house(tmp_path / "node", real_time=True) as house:
        owner = house.node.session_key

        def session(*components: str) -> aiohttp.ClientSession:
            middleware = SignatureMiddleware(
                SignatureMiddlewareMode.SIGN_REQUEST,
                sign_options={
                    "origin": house.base, "signature_algorithm": ED25519, "key_resolver": keys_of(owner),
                    "key_id": owner.method, "nonce": house.nonce(), "tag": TAG_OWNER,
                    "expires": dt.datetime.now(tz=dt.UTC) + dt.timedelta(minutes=2),
                    "covered_component_ids": ("@method", "@target-uri", *components),
                },
            )  # fmt: skip
            return aiohttp.ClientSession(**middleware.session_kwargs)

        async with session("content-type") as client:
            url = house.base + "/owner/invitations"
            async with client.post(url, json={"label": "A shop"}) as response:
                assert response.status == 201
        async with session() as client, client.get(house.base + "/owner/status") as response:
            told = await response.json(content_type=None)
            assert (response.status, told["code"]) == (401, "not-authenticated")
