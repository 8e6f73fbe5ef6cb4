"""A node as it is after years: built once, for benchmarks of what is asked of it.

    python benchmarks/big_node.py FOLDER      build one there, under the passphrase "bench"

The records, requests, grants and ledgers are what the node itself would have made: every record is signed, every
request came to an invitation and was approved, every entry is in its ledger's tree. Only the reads did not happen:
their entries are written in large transactions, with random bytes for the digests of what nobody was sent.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import sys
import time
import uuid
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

from freehold_node.ambient import Ambient, Clock
from freehold_node.app import Node, open_node
from freehold_node.config import Config
from freehold_node.data_dir import make_data_dir
from freehold_node.drafts import Choice
from freehold_node.keystore import Keys, create_keystore
from freehold_node.ledger import prepare
from freehold_node.store.rows import LogHead, Standing
from freehold_node.store.store import Transactor
from freehold_protocol.encoding import Document, base64url_encode
from freehold_protocol.entry import Admitted, Entry, Refused
from freehold_protocol.keys import SigningKey
from freehold_protocol.permission import Permission
from freehold_protocol.request import sign_request

PASSPHRASE = "bench"
RECORDS, GRANTS, ENTRIES, WAITING = 10_000, 200, 100_000, 12
DAYS = 180
_US = 1_000_000
_GROUP = 5_000
_FIELDS = (
    "name",
    "email",
    "telephone",
    "address.streetAddress",
    "address.postalCode",
    "address.addressLocality",
)
_TOWNS = ("Exampleton", "Sampleford", "Testbury", "Mockham", "Ästhetikstadt")


class _Past:
    """A clock that starts days ago and goes where it is set, never back."""

    def __init__(self, days: int) -> None:
        self.now_us = time.time_ns() // 1000 - days * 86_400 * _US
        self.end_us = self.now_us + days * 86_400 * _US

    def clock(self) -> Clock:
        return Clock(wall=lambda: self.now_us, boot=lambda: self.now_us)


async def build(
    folder: Path, *, records: int = RECORDS, grants: int = GRANTS, entries: int = ENTRIES, seed: int = 1
) -> Keys:
    """Build a node in a folder that is not there yet; return its keys."""
    rng, past = random.Random(seed), _Past(DAYS)
    make_data_dir(folder)
    keys = create_keystore(folder, PASSPHRASE, random=secrets.token_bytes)
    config = Config(data_dir=folder)
    async with open_node(config, keys, ambient=Ambient(clock=past.clock())) as node:
        await _keep_records(node, records, rng)
        standings = [await _relate(node, number, rng) for number in range(grants)]
        for number in range(WAITING):
            await _ask(node, f"Asking Company {number}", rng)
        await _write_reads(node, standings, entries, past, rng)
        await _change_some(node, standings)
    return keys


async def _keep_records(node: Node, count: int, rng: random.Random) -> None:
    """Import an address book, a table of orders, and events, as a person's own."""
    for start in range(0, count * 6 // 10, 1000):
        cards = "".join(_card(number, rng) for number in range(start, min(start + 1000, count * 6 // 10)))
        await node.records.import_file(cards.encode(), f"contacts-{start}.vcf", me="1" if not start else None)
    for start in range(0, count * 4 // 10, 1000):
        many = range(start, min(start + 1000, count * 4 // 10))
        await node.records.import_file(_calendar(many), f"calendar-{start}.ics", me=None)


def _card(number: int, rng: random.Random) -> str:
    town = rng.choice(_TOWNS)
    return (
        f"BEGIN:VCARD\r\nVERSION:4.0\r\nUID:card-{number}\r\nFN:Person {number} of {town}\r\n"
        f"N:of {town};Person {number};;;\r\nEMAIL:person{number}@example.com\r\nTEL:+44163296{number:05}\r\n"
        f"BDAY:19850101\r\nADR:;;{number} Row;{town};;EX1 2AB;UK\r\nNOTE:Met in {town}.\r\nEND:VCARD\r\n"
    )


def _calendar(numbers: range) -> bytes:
    events = "".join(
        f"BEGIN:VEVENT\r\nUID:event-{n}\r\nDTSTAMP:20260101T090000Z\r\nDTSTART:2026{1 + n % 12:02}{1 + n % 28:02}"
        f"T090000Z\r\nDTEND:2026{1 + n % 12:02}{1 + n % 28:02}T100000Z\r\nSUMMARY:Meeting {n}\r\nEND:VEVENT\r\n"
        for n in numbers
    )
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//x//EN\r\n{events}END:VCALENDAR\r\n".encode()


async def _ask(node: Node, name: str, rng: random.Random) -> tuple[str, tuple[Permission, ...]]:
    courier = SigningKey(rng.randbytes(32)).did
    permissions = tuple(
        Permission.from_dict(
            {
                "name": short,
                "items": [{"type": "Person", "about": "self", "fields": list(fields)}],
                "purpose": [purpose],
                "retention": "P30D",
                "recipients": [courier],
            }
        )
        for short, fields, purpose in (
            ("delivery", _FIELDS, "dpv:DeliveryOfGoods"),
            ("contact", _FIELDS[:3], "dpv:CommunicationForCustomerCare"),
        )
    )
    now_s = node.ambient.clock.now_s()
    request = sign_request(
        SigningKey(rng.randbytes(32)),
        request_id=f"urn:uuid:{uuid.uuid4()}",
        nonce=base64url_encode(secrets.token_bytes(32)),
        name=name,
        permissions=permissions,
        created_s=now_s,
        expires_s=now_s + (DAYS + rng.randrange(5, 180)) * 86_400,
    )
    invitation = await node.inbox.invite("bench")
    row = await node.inbox.receive(invitation.id, request.document)
    return row.id, permissions


async def _relate(node: Node, number: int, rng: random.Random) -> Standing:
    request, permissions = await _ask(node, f"Vendor {number} of {rng.choice(_TOWNS)}", rng)
    draft = await node.inbox.draft_approval(request, Choice(permissions=permissions))
    grant = await node.inbox.approve(request, draft.digest)
    found = await node.store.read(lambda reader: reader.standing(node.owner, grant.id))
    assert found is not None
    return found


async def _write_reads(
    node: Node, standings: list[Standing], count: int, past: _Past, rng: random.Random
) -> None:
    """Write entries of all grants in the order of time, a few vendors reading most of it."""
    now = {standing.grant: standing for standing in standings}
    weights = list(accumulate(1 / (1 + place) for place in range(len(standings))))
    step = (past.end_us - past.now_us) // (count + 1)
    left = count - sum(standing.log_size for standing in standings)

    def write(tx: Transactor, times: range) -> None:
        for time_us in times:
            past.now_us = time_us
            grant = rng.choices(standings, cum_weights=weights)[0].grant
            now[grant] = _write_one(tx, now[grant], time_us, rng)

    for times in _parts(past.now_us + step, step, left):
        await node.store.write(lambda tx, times=times: write(tx, times))  # type: ignore[misc]
    past.now_us = past.end_us


def _parts(first_us: int, step: int, count: int) -> Iterator[range]:
    for start in range(0, count, _GROUP):
        end = min(start + _GROUP, count)
        yield range(first_us + start * step, first_us + end * step, step)


def _write_one(tx: Transactor, standing: Standing, time_us: int, rng: random.Random) -> Standing:
    partner = SigningKey(standing.grant.encode()[:32]).did if rng.random() < 0.3 else None
    who = partner or standing.vendor
    permission = rng.choice(("delivery", "delivery", "contact"))
    entry = _entry(standing, time_us // _US, who, permission, rng)
    made = prepare(
        standing, entry, salt=rng.randbytes(32), time_us=time_us, permission=permission,
        seen_by=(standing.vendor, *([partner] if partner else [])),
    )  # fmt: skip
    head: LogHead = made.head
    admitted = isinstance(entry, Admitted)
    assert tx.admit(standing, head, now_us=time_us) if admitted else tx.move_head(standing, head)
    tx.add_entry(standing.owner, standing.grant, made.row, made.nodes)
    return standing._replace(
        log_size=head.size,
        log_range=head.range,
        log_time_us=time_us,
        read_us=time_us if admitted else standing.read_us,
    )


def _entry(standing: Standing, time_s: int, who: str, permission: str, rng: random.Random) -> Entry:
    chain = tuple(_digest(rng) for _ in range(1 if who == standing.vendor else 2))
    if rng.random() < 0.03:
        return Refused(
            number=standing.log_size, time_s=time_s, who=who, chain=chain, code="not-shared",
            hour_s=time_s - time_s % 3600, count=rng.randrange(1, 5), permission=permission,
        )  # fmt: skip
    given = _FIELDS if permission == "delivery" else _FIELDS[:3]
    fields = given if rng.random() < 0.7 else tuple(sorted(rng.sample(given, 2)))
    return Admitted(
        number=standing.log_size, time_s=time_s, who=who, chain=chain, action="read", permission=permission,
        route="/g/{grant}/{permission}/records", method="GET", fields=fields, count=1, version=1,
        signature=_digest(rng), released=_digest(rng),
    )  # fmt: skip


def _digest(rng: random.Random) -> str:
    return base64url_encode(rng.randbytes(32))


async def _change_some(node: Node, standings: list[Standing]) -> None:
    """Pause and end a few, so that not all are alike."""
    for place, standing in enumerate(standings):
        change: Document = {3: "pause", 7: "end"}.get(place % 20)  # type: ignore[assignment]
        if change is not None:
            draft = await node.relations.draft_change(standing.grant, change, None)  # type: ignore[arg-type]
            await node.relations.change(standing.grant, draft.digest)


if __name__ == "__main__":
    began = time.perf_counter()
    asyncio.run(build(Path(sys.argv[1])))
    print(f"built in {time.perf_counter() - began:.0f} s")
