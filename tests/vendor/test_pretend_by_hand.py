"""Requests that the vendor library never makes: a real node and a pretended one answer them alike."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from freehold_node.keystore import Keys
from freehold_protocol.canonical import jcs
from freehold_protocol.capability import Capability, delegate, root_id
from freehold_protocol.encoding import base64url_encode
from freehold_protocol.http_signature import Message, content_digest, sign
from freehold_protocol.invocation import HEADER, TAG_CAPABILITY, TAG_DID, sign_invocation, sign_message
from freehold_protocol.keys import SigningKey
from harness import permission
from pretend_stage import ASKED, DRIVER, SHOP, Play, Script, agree, shown
from vendor_scene import COURIER

pytestmark = pytest.mark.asyncio
DAY_S = 86_400
SCRIPTS: list[Script] = []


def script(played: Script) -> Script:
    SCRIPTS.append(played)
    return played


QUERIES = [
    "", "limit=1", "limit=0", "limit=101", "limit=x", "limit=", "limit=%31", "fields=name", "fields=",
    "fields=name,name",
    "fields=nonsense", "fields=email", "fields=*", "fields=proof", "where=%7B%22name%22%3A%22Ada%20Example%22%7D",
    "where=%7B%22name%22%3Anull%7D", "where=x", "where=%7B%7D", "cursor=", "cursor=x", "unknown=1", "limit=1&limit=1",
    "limit=1&", "&", "a", "fields=" + ",".join(["name"] * 65), "x=" + "a" * 4200,
    "x=" + "a" * 5200,
    "where=%7B%22name%22%3A1e999%7D", "where=%ff", "cursor=" + "A" * 200,
]  # fmt: skip
LEDGER = [
    "", "/entries", "/entries?first=1", "/entries?first=1&limit=1", "/entries?limit=0", "/entries?limit=9999",
    "/entries?first=x",
    "/entries?first=99", "/entries?limit=-1", "/entries/0", "/entries/1", "/entries/99", "/entries/x",
    "/entries/00000000000000000001", "/checkpoint", "/checkpoint?from=1", "/checkpoint?from=0", "/checkpoint?from=99",
    "/checkpoint?from=x", "/checkpoint?from=1&from=1", "/checkpoint?other=1",
]  # fmt: skip
TARGETS = [
    "", "/", "/renew", "?from=0", "?from=1", "?from=2", "?from=x", "?other=1",
    "//delivery/records", "/./delivery/records",
    "/delivery/../marketing/records", "/delivery/records/", "/delivery%2Frecords", "/delivery", "/nothing",
    "/delivery/nothing",
    "/DELIVERY/records", "/delivery/records/zA/x", "/delivery/records/a", "/zcaps/revocations/x",
]  # fmt: skip


@dataclass(slots=True)
class Hand:
    """Somebody who signs what they like with a capability, or without one."""

    play: Play
    capability: Capability | None = None
    key: SigningKey = SHOP.key
    created_s: int = 0

    async def send(self, method: str, target: str, body: bytes | None = None, **more: Any) -> None:
        """Send, and note the answer; more replaces what is signed, or what is sent."""
        play = self.play
        headers, sent = more.pop("headers", {}), more.pop("sent", {})
        given: dict[str, Any] = {
            "method": method, "target_uri": play.stage.base + target, "body": body,
            "created_s": play.stage.now_s() + self.created_s, "nonce": base64url_encode(play.rng.randbytes(18)),
        } | more  # fmt: skip
        if self.capability is None:
            signed = sign_message(self.key, **{"tag": TAG_DID, **given})
        else:
            signed = sign_invocation(self.key, self.capability, **{"action": "read", **given})
        signed = {name: value for name, value in {**signed, **headers}.items() if value is not None}
        play.note(
            [
                method,
                target[:80],
                shown(*await play.stage.raw(method, target, signed, sent.get("body", body))),
            ]
        )


@script
async def targets_and_queries(play: Play) -> None:
    access = await play.relate(given=[permission("delivery", ["name"]), *ASKED[1:3]])
    for hand in (Hand(play, access.capability), Hand(play), Hand(play, key=COURIER.key)):
        root = access.grant.removeprefix(play.stage.base)
        for query in QUERIES:
            await hand.send("GET", f"{root}/delivery/records{query and '?'}{query}")
        for path in LEDGER:
            await hand.send("GET", f"{root}/ledger{path}")
            await hand.send("GET", f"{root}/delivery/ledger{path}")
        for path in TARGETS:
            for method in ("GET", "HEAD", "POST", "PUT"):
                await hand.send(method, root + path)
        for path in ("/g/x", "/g/x/delivery/records", "/requests/x", "/i/x", "/x"):
            for method in ("GET", "POST"):
                await hand.send(method, path)
    await play.told_by_ledger(access)


@script
async def signatures_that_are_not_as_they_must_be(play: Play) -> None:
    access = await play.relate()
    root = access.grant.removeprefix(play.stage.base)
    for capability, target in ((access.capability, f"{root}/delivery/records"), (None, root)):
        hand = Hand(play, capability)
        await hand.send("GET", target, created_s=play.stage.now_s() - 700)
        await hand.send("GET", target, created_s=play.stage.now_s() + 61)
        await hand.send("GET", target, lifetime_s=601)
        await hand.send("GET", target, target_uri="https://other.example" + target)
        await hand.send("GET", target, target_uri=play.stage.base + target + "?limit=1")
        await hand.send("GET", target, nonce="short")
        await hand.send("GET", target, nonce="n" * 24)
        await hand.send("GET", target, nonce="n" * 24)
        await hand.send("GET", target, headers={"signature": None})
        await hand.send("GET", target, headers={"signature-input": None})
        await hand.send("GET", target, headers={"signature": "sig=:AAAA:"})
        await hand.send("GET", target, headers={"signature-input": "sig=()"})
        await hand.send("GET", target, body=b"{}")
        await hand.send("GET", target, body=b"{}", sent={"body": b"[]"})
        await hand.send("POST", f"{root}/renew", headers={"capability-invocation": None})
        await hand.send("POST", f"{root}/renew")
        await Hand(play, capability, key=COURIER.key).send("GET", target)
        await play.stage.raw("GET", target, {}, None)
    hand = Hand(play, access.capability)
    await hand.send("GET", f"{root}/delivery/records", action="write")
    for invoked in (
        "zcap",
        'zcap capability="AAAA",action="read"',
        'zcap capability="",action="read"',
        "x" * 9000,
    ):
        await hand.send("GET", f"{root}/delivery/records", headers={"capability-invocation": invoked})
    await hand.send("GET", f"{root}/delivery/records", headers={"if-none-match": '"x"'})
    await play.told_by_ledger(access)


@script
async def capabilities_that_do_not_hold(play: Play) -> None:
    access, other = await play.relate(), await play.relate()
    root, capability = access.grant, access.capability
    assert capability is not None
    given: dict[str, Any] = {
        "capability_id": "urn:uuid:11111111-2222-4333-8444-555555555555", "controller": COURIER.key.public,
        "target": root + "/delivery", "actions": ("read",), "created_s": capability.created_s,
        "expires_s": capability.expires_s, "parent": capability,
    }  # fmt: skip
    changes: list[dict[str, Any]] = [
        {},
        {"target": root},
        {"target": root + "/marketing"},
        {"target": other.grant + "/delivery"},
        {"target": "https://other.example/g/x"},
        {"expires_s": capability.expires_s + 1},
        {"actions": ("read", "write")},
        {"created_s": capability.created_s - 1},
        {"created_s": capability.created_s + 61},
        {"expires_s": capability.created_s + 1},
        {"controller": SigningKey(bytes([9]) * 32).public},
        {"parent": None, "root_target": root},
        {"parent": None, "root_target": root, "generation": "zA"},
        {"generation": "zA"},
    ]
    await play.stage.pass_time(1)
    for change in changes:
        for signer in (SHOP.key, DRIVER.key):
            made = delegate(signer, **{**given, **change})
            for key in (COURIER.key, SigningKey(bytes([9]) * 32)):
                await Hand(play, made, key).send(
                    "GET", root.removeprefix(play.stage.base) + "/delivery/records"
                )
            body = jcs(made.document)
            path = root.removeprefix(play.stage.base) + "/zcaps/revocations/"
            await Hand(play, key=DRIVER.key).send("POST", path + quote(made.id, safe=""), body)
            await Hand(play).send("POST", path + "urn%3Auuid%3Ax", body)
            if change:
                await Hand(play).send("POST", path + quote(made.id, safe=""), body)
    await play.told_by_ledger(access)


def by_root(
    play: Play, method: str, target: str, root: str, action: str, body: bytes | None
) -> dict[str, str]:
    """Sign as one who invokes a root capability by its id."""
    named = {HEADER: f'zcap id="{root}",action="{action}"'}
    components: tuple[str, ...] = ("@method", "@target-uri", HEADER)
    if body is not None:
        named |= {"content-type": "application/json", "content-digest": content_digest(body)}
        components = (*components, "content-type", "content-digest")
    now_s = play.stage.now_s()
    signed = sign(
        Message(method=method, target_uri=play.stage.base + target, headers=named),
        components=components, key=SHOP.key, created_s=now_s, expires_s=now_s + 60,
        nonce=base64url_encode(play.rng.randbytes(18)), tag=TAG_CAPABILITY,
    )  # fmt: skip
    return named | signed


@script
async def roots_that_are_invoked(play: Play) -> None:
    access = await play.relate()
    partner = await play.courier.accept((await access.delegate(COURIER.did, "delivery")).to_dict())
    await partner.read("delivery")
    assert access.capability is not None
    assert partner.capability is not None
    root, body = access.grant.removeprefix(play.stage.base), jcs(partner.capability.document)
    revocation = f"{root}/zcaps/revocations/{quote(partner.capability.id, safe='')}"
    for method, target, invoked, action, sent in (
        ("GET", f"{root}/delivery/records", access.grant, "read", None),
        ("GET", f"{root}/events", access.grant, "read", None),
        ("GET", root, access.grant, "read", None),
        ("POST", revocation, access.grant, "write", body),
        ("POST", revocation, play.stage.base + revocation, "read", body),
        ("POST", revocation, play.stage.base + revocation, "write", jcs(access.capability.document)),
        ("POST", revocation, play.stage.base + revocation, "write", body),
        ("POST", revocation, play.stage.base + revocation, "write", body),
    ):
        signed = by_root(play, method, target, root_id(invoked), action, sent)
        for _ in range(2):
            play.note(shown(*await play.stage.raw(method, target, signed, sent)))
    await play.refused(partner.read("delivery"))
    await play.told_by_ledger(access)


@script
async def those_who_may_not_listen(play: Play) -> None:
    access, other = await play.relate(), await play.relate()
    root = access.grant.removeprefix(play.stage.base)
    for path in ("/events", "/delivery/events", "/nothing/events", "/events/", "/events?x=1"):
        for hand in (Hand(play), Hand(play, access.capability, COURIER.key), Hand(play, other.capability)):
            await hand.send("GET", root + path)
        for method in ("HEAD", "POST"):
            await Hand(play, access.capability).send(method, root + path)
        await Hand(play, access.capability).send("GET", root + path, action="write")
        await Hand(play, access.capability).send("GET", root + path, created_s=play.stage.now_s() - 700)
    await play.stage.change(access.grant, "pause")
    for path in ("/events", "/delivery/events", "/nothing/events"):
        await Hand(play, access.capability).send("GET", root + path)
    await play.stage.pass_time(30 * DAY_S)
    await Hand(play, access.capability).send("GET", root + "/events")
    await play.told_by_ledger(access)


STRANGE = (b'{"a":1,"a":1}', b"[" * 99, b" " * 262_145)


@script
async def what_is_asked_by_hand(play: Play) -> None:
    """Bodies that are no request, at an invitation and elsewhere."""
    kind = {"content-type": "application/json"}
    good = (await play.ask()).request
    for body in (
        None,
        b"",
        b"{}",
        b"[]",
        b"{",
        b"\xff",
        jcs(good.document),
        b'{"a":1,"a":1}',
        b"[" * 99,
        b" " * 262_145,
    ):
        path = (await play.stage.invite()).removeprefix(play.stage.base)
        for headers in (kind, {"content-type": "text/plain"}, {}):
            if body is not None or headers is kind:
                play.note(shown(*await play.stage.raw("POST", path, headers, body)))
        play.note(shown(*await play.stage.raw("GET", path, {}, None)))
        play.note(shown(*await play.stage.raw("POST", "/i/nothing", kind, body)))
    await play.stage.pass_time(2 * DAY_S)
    path = (await play.stage.invite()).removeprefix(play.stage.base)
    play.note(shown(*await play.stage.raw("POST", path, kind, jcs(good.document))))


@pytest.mark.parametrize("played", SCRIPTS, ids=lambda one: one.__name__)
async def test_they_agree(node_folder: Path, key_store: tuple[Path, Keys], played: Script) -> None:
    await agree(node_folder, key_store[1], played)
