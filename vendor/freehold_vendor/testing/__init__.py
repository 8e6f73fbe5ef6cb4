"""For a vendor's own tests: persons who are only pretended, each with a node in memory that speaks the protocol.

::

    person = PretendPerson({"Person": {"name": "Ada Example", "email": "ada@example.com"}})
    async with Vendor(identity, transport=person.transport, ambient=person.ambient) as vendor:
        pending = await vendor.ask(person.invite(), [WANTED], expires_s)
        person.approve(pending.code, {"delivery": ["name"]})
        access = await pending.decision()
        release = await access.read("delivery")
        person.pause()
        with pytest.raises(PausedError):
            await access.read("delivery")

Everything a vendor sees is real: grants, receipts, capabilities, released documents and ledgers are signed and
checked as ever, and what a node refuses is refused with the same codes; the tests of this library play one script
against a real node and against this. Only the person, the network, the disk, the clock and the randomness are
pretended: no socket is opened, nothing is written, no time is lost, and every run is the same.

A vendor's clock is ``person.ambient``. Code that reads the clock of the machine gets a person whose clock begins there:
``PretendPerson(..., clock=PretendClock(int(time.time())))``. Time passes when the test says so, and when the vendor
waits for something that does not come: then at once. A decision may come from another thread, and from
``PretendPerson.when_asked`` where code asks and waits in one step. ``SyncVendor`` takes the same arguments.

Where your page sends the person's browser to their node (``Vendor.connect``), the person is the browser too::

    made = await vendor.connect(person.origin, [WANTED], expires_s, return_to="https://shop.example/returned")
    person.approve(person.carry(made))
    query = dict(parse_qsl(urlsplit(person.send_back(made.code)).query))
    access = await (await vendor.returned(query, challenge=made.challenge)).decision()

Who listens to ``Access.events`` is told of a change of the records after up to 300 s of the clock, as by any node
(``freehold_protocol.limits.EVENT_JITTER_S``). On a stream no time passes but what the test lets pass::

    person.edit(name="Ada Changed")
    person.pass_time(limits.EVENT_JITTER_S)
    event = await anext(events)                             # changed: delivery

What goes wrong on the way is in ``faults``.
"""

from __future__ import annotations

from . import faults
from .clock import PretendClock
from .faults import Fault
from .given import Given
from .person import PretendPerson, transport_to
from .records import Records
from .transport import PretendTransport

__all__ = [
    "Fault",
    "Given",
    "PretendClock",
    "PretendPerson",
    "PretendTransport",
    "Records",
    "faults",
    "transport_to",
]
