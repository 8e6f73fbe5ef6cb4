"""Show 5: a node that is killed at any moment, again and again, starts again and has kept every promise it made.

It is killed 6 times; with ``--thorough``, as in CI, 20 times.
Everything that was acknowledged before a kill is written down here as it is acknowledged, and looked for after.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import aiohttp
import pytest
from crash_node import CrashNode
from freehold_protocol.canonical import jcs
from freehold_protocol.checkpoint import Checkpoint, open_checkpoint
from freehold_protocol.encoding import Document, base64url_decode
from freehold_protocol.grant import Grant
from freehold_protocol.ledger import released_digest
from freehold_protocol.merkle import parse_proof, verify_consistency
from freehold_protocol.receipt import Receipt
from harness import NODE_FILES, Held, House, Reply, free_port, make_keys, permission

KILLS, ALL_KILLS = 6, 20
"""By default, and with ``--thorough``."""
READERS = 3
LEAST = {"read": (4, 16), "edit": (2, 6), "change": (1, 4)}
"""How much of each is acknowledged before a kill, from and to."""
MOMENT_S = 0.02
"""The kill falls at some moment of this time after that: with whatever is on its way then."""
WIDE = [permission("delivery", ["name", "address.postalCode"])]
NARROW = [permission("delivery", ["name"])]
PATH = "/delivery/records"
GONE = (aiohttp.ClientError, ConnectionError)
"""What a client meets whose node is killed."""


@dataclass(slots=True)
class Kept:
    """One vendor: what it was served, and the last checkpoint it holds."""

    held: Held
    held_grant: Grant
    served: dict[int, Document] = field(default_factory=dict)
    replay: Mapping[str, str] | None = None
    checkpoint: Checkpoint | None = None
    checked: int = 0
    """Entries below this were compared with what was served."""


@dataclass(slots=True)
class Promises:
    """What the owner was told is done, and what is on its way; versions and edits are counted."""

    record: str
    edit_acked: int = 0
    edit_sent: int = 0
    cid: str = ""
    version_acked: int = 1
    version_sent: int = 1
    shown: Literal["wide", "narrow", "changing"] = "wide"
    """What the first vendor's grant shows for certain; while a change is on its way, either."""
    acked: Mapping[str, asyncio.Semaphore] = field(default_factory=dict)
    """Counts what was acknowledged in this life of the node, by kind."""

    async def load(self, rng: random.Random) -> None:
        """Return after a number of acknowledgements of each kind."""
        for kind, (least, most) in LEAST.items():
            for _ in range(rng.randint(least, most)):
                await self.acked[kind].acquire()


# Under load


async def read_on(house: House, kept: Kept, promises: Promises, *, changes: bool) -> None:
    """Read until the node is gone; nothing served may be older or wider than what was acknowledged before."""
    held = kept.held
    target = f"/g/{held.grant}{PATH}"
    while True:
        edited, shown, version = promises.edit_acked, promises.shown, promises.version_sent
        headers = held.headers("GET", target)
        try:
            reply = await house.send("GET", target, headers)
        except GONE:
            return
        assert reply.status == 200, reply.body
        assert reply.entry not in kept.served
        kept.served[reply.entry] = reply.json
        kept.replay = headers
        promises.acked["read"].release()
        (item,) = reply.json["items"]
        assert edited <= int(item["name"].split()[-1]) <= promises.edit_sent
        if not changes:
            assert "address" in item
        elif version == promises.version_sent and shown != "changing":  # nothing was sent meanwhile
            assert ("address" in item) == (shown == "wide")


async def edit_on(house: House, promises: Promises) -> None:
    """Edit the record until the node is gone."""
    while True:
        promises.edit_sent += 1
        body = {"content": content(promises.edit_sent), "previous": promises.cid}
        reply = await tried(house, "PUT", f"/records/{promises.record}", body)
        if reply is None:
            return
        promises.cid, promises.edit_acked = reply.json["cid"], promises.edit_sent
        promises.acked["edit"].release()


async def change_on(house: House, promises: Promises, grant: str) -> None:
    """Narrow and widen the grant in turn until the node is gone."""
    while True:
        narrow = promises.shown != "narrow"
        body: Document = {
            "change": "narrow" if narrow else "widen",
            "permissions": NARROW if narrow else WIDE,
        }
        drawn = await tried(house, "POST", f"/grants/{grant}/draft", body)
        if drawn is None:
            return
        promises.version_sent, promises.shown = promises.version_acked + 1, "changing"
        sent = {"digest": drawn.json["digest"], "passphrase": "not asked here"}
        reply = await tried(house, "POST", f"/grants/{grant}/change", sent)
        if reply is None:
            return
        assert reply.json["version"] == promises.version_sent
        promises.version_acked, promises.shown = promises.version_sent, "narrow" if narrow else "wide"
        promises.acked["change"].release()
        await asyncio.sleep(0)


async def tried(house: House, method: str, path: str, body: Document) -> Reply | None:
    """As owner; None if the node is gone."""
    try:
        reply = await house.owner(method, path, body)
    except GONE:
        return None
    assert reply.status < 300, reply.body
    return reply


def content(edit: int) -> Document:
    return {
        "type": "Person",
        "name": f"Ada {edit}",
        "address": {"type": "PostalAddress", "postalCode": f"EX1 {edit}"},
    }


# After a kill


async def check_owner(house: House, promises: Promises, grant: str) -> None:
    """Compare record and grant with what was acknowledged; what was on its way is there whole or not at all."""
    shown = await house.own("GET", f"/records/{promises.record}")
    edit = int(shown["content"]["name"].split()[-1])
    assert promises.edit_acked <= edit <= promises.edit_sent
    assert shown["content"] == content(edit)
    history = [int(one["name"].split()[-1]) for one in shown["history"]]
    assert history == list(range(edit - 1, -1, -1))
    promises.edit_acked = promises.edit_sent = edit
    promises.cid = shown["cid"]

    stands = await house.own("GET", f"/grants/{grant}")
    assert promises.version_acked <= stands["version"] <= promises.version_sent
    fields = stands["permissions"][0]["items"][0]["fields"]
    wide = fields == WIDE[0]["items"][0]["fields"]
    assert wide or fields == NARROW[0]["items"][0]["fields"]
    if promises.shown != "changing" or stands["version"] == promises.version_acked:
        assert wide == (stands["version"] % 2 == 1)
    promises.version_acked = promises.version_sent = stands["version"]
    promises.shown = "wide" if wide else "narrow"

    verdict = await house.own("POST", "/verify", {})
    assert verdict["intact"], verdict
    assert verdict["records"] == {"checked": 1, "damaged": []}


async def check_vendor(house: House, kept: Kept) -> None:
    """Find each response's entry, binding what came, in a ledger without gaps that goes on from the one known."""
    held = kept.held
    numbers: list[int] = []
    admitted: dict[int, Document] = {}
    start = kept.checked
    while True:
        path = f"/g/{held.grant}/ledger/entries?first={start + len(numbers)}&limit=500"
        page = (await house.send("GET", path, held.headers("GET", path))).json
        numbers += [entry["number"] for entry in page["entries"]]
        for entry in page["entries"]:
            if entry["entry"]["kind"] == "admitted":
                admitted[entry["number"]] = entry
        if not page["entries"] or len(numbers) + start >= page["size"]:
            break
    assert numbers == list(range(start, page["size"]))
    for number, served in kept.served.items():
        entry = admitted.pop(number)
        unsigned = {name: value for name, value in served.items() if name != "proof"}
        salt = base64url_decode(entry["salt"])
        assert entry["entry"]["released"] == released_digest(salt, jcs(unsigned))
    # Admitted and never received: at most what each reader had on its way.
    assert len(admitted) <= READERS
    kept.checked, kept.served = page["size"], {}
    await check_checkpoint(house, kept)
    if kept.replay is not None:
        again = await house.send("GET", f"/g/{held.grant}{PATH}", kept.replay)
        assert (again.status, again.code) == (409, "replayed")


async def check_checkpoint(house: House, kept: Kept) -> None:
    known, held = kept.checkpoint, kept.held
    path = f"/g/{held.grant}/ledger/checkpoint" + (f"?from={known.size}" if known else "")
    told = (await house.send("GET", path, held.headers("GET", path))).json
    grant = kept.held_grant
    kept.checkpoint = open_checkpoint(told["checkpoint"], origin=grant.log, key=grant.serving_key)
    if known:
        verify_consistency(
            old_size=known.size, old_root=known.root, size=kept.checkpoint.size, root=kept.checkpoint.root,
            proof=parse_proof(told["consistency"]),
        )  # fmt: skip


async def settle(house: House) -> tuple[list[Kept], Promises]:
    """Bring in the record and two vendors."""
    added = await house.own("POST", "/records", {"content": content(0)})
    await house.own("PUT", "/self", {"record": added["id"]})
    promises = Promises(record=added["id"].removeprefix("urn:uuid:"), cid=added["cid"])
    kept = []
    for name in ("First Shop", "Second Shop"):
        held = await house.relate(WIDE, name=name)
        path = f"/g/{held.grant}"
        told = (await house.send("GET", path, held.headers("GET", path))).json
        kept.append(Kept(held, Receipt.from_dict(told["receipt"]).versions[0]))
    return kept, promises


@pytest.mark.requirement("HTTP-37", "GRA-24", "LED-3", "SEC-4", "SEC-5")
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.asyncio
async def test_a_node_killed_at_any_moment_keeps_every_promise(tmp_path: Path, thorough: bool) -> None:
    kills = ALL_KILLS if thorough else KILLS
    rng = random.Random(5)
    folder = tmp_path / "node"
    node = CrashNode(folder, free_port(), make_keys(folder, rng))
    house = node.house()
    kept: list[Kept] = []
    served = 0
    for kill in range(kills + 1):
        async with node.life(house) as process:
            if kill == 0:
                kept, promises = await settle(house)
            else:
                await check_owner(house, promises, kept[0].held.grant)
                served += sum(len(one.served) for one in kept)
                await asyncio.gather(*(check_vendor(house, one) for one in kept))
            if kill == kills:
                break
            promises.acked = {kind: asyncio.Semaphore(0) for kind in LEAST}
            load = [
                edit_on(house, promises),
                change_on(house, promises, kept[0].held.grant),
                *(read_on(house, one, promises, changes=one is kept[0]) for one in kept * READERS),
            ]
            async with asyncio.TaskGroup() as running:
                for work in load:
                    running.create_task(work)
                await promises.load(rng)
                await asyncio.sleep(rng.uniform(0, MOMENT_S))
                process.kill()
    assert served >= LEAST["read"][0] * kills
    assert promises.edit_acked >= LEAST["edit"][0] * kills
    assert promises.version_acked > LEAST["change"][0] * kills
    left = {path.name for path in folder.iterdir()}
    assert left <= NODE_FILES
    assert "Traceback" not in folder.with_suffix(".log").read_text()
    assert json.loads((folder / "session.json").read_text())["pid"]
