"""A vendor, whole: ask a person for their name and address, wait for the answer, read, print.

    .venv/bin/python examples/read_a_node.py INVITATION

``.venv`` is there after any command of run.py. A project of your own gets the library with
``pip install PATH-OR-URL-OF-THIS-REPOSITORY``.

The person makes the invitation on their node, and sees there who asks for what, and why.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time

from freehold_protocol.errors import FreeholdError
from freehold_vendor import RefusedError, Vendor, VendorError, VendorIdentity

WANTED = {
    "name": "delivery",
    "items": [{"type": "Person", "fields": ["name", "address.streetAddress", "address.postalCode"]}],
    "purpose": ["dpv:DeliveryOfGoods"],
    "retention": "P30D",  # a promise; the node shows it to the person as one
}
DAY_S = 86_400


async def main(invitation: str) -> None:
    """Ask at the invitation, and print what the person lets this vendor read."""
    identity = VendorIdentity.generate("Example Shop")  # a real shop saves it, and loads it ever after
    async with Vendor(identity, allow_private_addresses=True) as vendor:
        pending = await vendor.ask(
            invitation, [WANTED], int(time.time()) + 90 * DAY_S, benefit="Free delivery"
        )
        print(f"The person's screen should show {pending.code}. Waiting for their decision ...", flush=True)
        try:
            access = await pending.decision(timeout_s=600)
        except RefusedError as refused:
            print(f"They said no. {refused.reason or ''}")
            return
        except TimeoutError:
            print("They have not decided. No answer is a no.")
            return
        release = await access.read("delivery")  # checked: signatures, and the person's ledger
        for person in release.records:
            print(person.get("name"), person.get("address"))
        print(f"Entry {release.entry} of the ledger tells the person of this read.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Ask at an invitation, and read what is approved.")
    parser.add_argument("invitation", help="URL that the person made on their node")
    try:
        asyncio.run(main(parser.parse_args().invitation))
    except (FreeholdError, VendorError) as error:
        sys.exit(f"It did not work: {error}")
