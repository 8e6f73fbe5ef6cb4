"""How a vendor tests its own code: with a person who is only pretended, without a node and without a network.

    .venv/bin/python -m pytest -n0 examples/test_a_shop.py

``where_to_send`` is the code under test. What it meets here is signed and checked as by a real node.
"""

from __future__ import annotations

import asyncio

from freehold_vendor import Access, Vendor, VendorIdentity, errors, problem_of
from freehold_vendor.testing import PretendPerson, faults

WANTED = {
    "name": "delivery",
    "items": [{"type": "Person", "fields": ["name", "address.postalCode"]}],
    "purpose": ["dpv:DeliveryOfGoods"],
    "retention": "P30D",
}
ADA = {"name": "Ada Example", "address": {"type": "PostalAddress", "postalCode": "EX1 2AB"}}
DAY_S = 86_400


async def where_to_send(access: Access) -> str:
    """Return what is to stand on the parcel, or what to tell the customer."""
    try:
        [person] = (await access.read("delivery")).records
    except (errors.PausedError, errors.EndedError):
        return "Please let us read your address again."
    except errors.UnavailableError as error:
        problem = problem_of(error)
        return f"We try again in {problem.retry_after_s if problem else 60} s."
    except errors.ReleaseError:
        return "Something is wrong with your node: it told us one thing and wrote down another."
    return f"{person['name']}, {person.get('address', {}).get('postalCode', 'to be collected')}"


async def shop_with(person: PretendPerson) -> None:
    """Meet a person who allows everything at first."""
    identity = VendorIdentity.generate("Example Shop", ambient=person.ambient)
    async with Vendor(identity, transport=person.transport, ambient=person.ambient) as vendor:
        pending = await vendor.ask(person.invite(), [WANTED], person.clock.now_s() + 90 * DAY_S)
        person.approve(pending.code)
        access = await pending.decision()
        assert await where_to_send(access) == "Ada Example, EX1 2AB"

        person.edit(name="Ada Changed")
        assert await where_to_send(access) == "Ada Changed, EX1 2AB"
        person.narrow({"delivery": ["name"]})
        assert await where_to_send(access) == "Ada Changed, to be collected"
        person.pause()
        assert await where_to_send(access) == "Please let us read your address again."
        person.resume()

        person.next_answer(faults.unavailable(retry_after_s=30), faults.swapped_release())
        assert await where_to_send(access) == "We try again in 30 s."
        assert (await where_to_send(access)).startswith("Something is wrong")

        person.pass_time(8 * DAY_S)  # the capability is renewed by itself
        assert await where_to_send(access) == "Ada Changed, to be collected"
        read = [entry for entry in person.ledger() if entry["kind"] == "admitted"]
        assert len(read) == 5  # what the person sees of all this


def test_the_shop() -> None:
    """Play it."""
    asyncio.run(shop_with(PretendPerson({"Person": ADA})))
