"""The vendor of read_a_node.py for a program without asyncio, such as a WSGI application: ask, wait, read, print.

    .venv/bin/python examples/read_without_asyncio.py INVITATION

One ``SyncVendor`` serves all threads of a process. Open it when a worker has started, not before.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from freehold_protocol.errors import FreeholdError
from freehold_vendor import RefusedError, VendorError, VendorIdentity
from freehold_vendor.sync import SyncVendor

WANTED = {
    "name": "delivery",
    "items": [{"type": "Person", "fields": ["name", "address.streetAddress", "address.postalCode"]}],
    "purpose": ["dpv:DeliveryOfGoods"],
    "retention": "P30D",
}
DAY_S = 86_400


def main(invitation: str) -> None:
    """Ask at the invitation, and print what the person lets this vendor read, from several threads."""
    identity = VendorIdentity.generate("Example Shop")
    with SyncVendor(identity, allow_private_addresses=True) as vendor:
        pending = vendor.ask(invitation, [WANTED], int(time.time()) + 90 * DAY_S, benefit="Free delivery")
        print(f"The person's screen should show {pending.code}. Waiting for their decision ...", flush=True)
        try:
            access = pending.decision(timeout_s=600)
        except RefusedError as refused:
            print(f"They said no. {refused.reason or ''}")
            return
        except TimeoutError:
            print("They have not decided. No answer is a no.")
            return
        with ThreadPoolExecutor(2) as workers:
            for release in workers.map(access.read, ["delivery", "delivery"]):
                for person in release.records:
                    print(person.get("name"), person.get("address"), "by entry", release.entry)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Ask at an invitation, and read what is approved.")
    parser.add_argument("invitation", help="URL that the person made on their node")
    try:
        main(parser.parse_args().invitation)
    except (FreeholdError, VendorError) as error:
        sys.exit(f"It did not work: {error}")
