"""One vendor with two permissions, of which only the first names partners, and who else might come along."""

from __future__ import annotations

from typing import Any

from freehold_protocol.encoding import Document
from freehold_protocol.keys import RelationshipKeys, SigningKey
from harness import ADA, Held, House, permission

COURIER = SigningKey(b"\x07" * 32)
DRIVER = SigningKey(b"\x08" * 32)
OUTSIDER = SigningKey(b"\x09" * 32)
PARTNERS = (COURIER.did, DRIVER.did)
DAY_S = 86_400

MARKETING = permission("marketing", ["email"], purpose="dpv:Marketing")
EVE = b"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:eve\r\nFN:Eve Other\r\nEMAIL:eve@example.com\r\nEND:VCARD\r\n"
"""A card of somebody who is not the person."""
NAME_ONLY = permission("delivery", ["name"], recipients=PARTNERS)


def about_me(*fields: str) -> Document:
    """Return a permission on whatever record is the person's own, also another one later."""
    return permission("me", fields, newRecords=True)


def delivery(**limits: Any) -> Document:
    made = permission("delivery", ["name", "address.postalCode"], recipients=PARTNERS)
    return made | ({"limits": limits} if limits else {})


async def shop(house: House, *, days: int = 30, **limits: Any) -> Held:
    """Import a person, and approve all that a vendor asks; limits are those of its first permission."""
    await house.import_file(ADA, me="Ada Example")
    return await house.relate([delivery(**limits), MARKETING], days=days)


async def keys_of(house: House, grant: str) -> RelationshipKeys:
    """Return the keys that only the node has."""
    standing = await house.node.store.read(lambda reader: reader.standing(house.node.owner, grant))
    assert standing is not None
    return house.node.inspection._keys.of(standing.relationship, standing.key_epoch)


async def alias_of_self(house: House, grant: str) -> str:
    record: str = (await house.own("GET", "/status"))["self"]["id"]
    return (await keys_of(house, grant)).alias_of(record)


async def kinds(house: House, grant: str) -> list[str]:
    """Return the kind of each entry in a ledger, with what a change changed and what a refusal refused."""
    listed = await house.own("GET", f"/grants/{grant}/ledger")
    entries = [one["entry"] for one in listed["entries"]]
    return [
        " ".join([one["kind"], *(one[more] for more in ("change", "code") if more in one)]) for one in entries
    ]


def contacts(first: int, count: int) -> bytes:
    """Return cards of fictional people, numbered from first."""
    return b"".join(
        b"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:contact-%d\r\nFN:Contact %d\r\nNOTE:version 1\r\nEND:VCARD\r\n"
        % (n, n)
        for n in range(first, first + count)
    )
