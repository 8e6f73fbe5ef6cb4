"""People whose nodes are visited by two vendors, turn by turn: who they are, and how time passes for them."""

from __future__ import annotations

import hashlib
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from freehold_node.keystore import Keys
from freehold_protocol.encoding import Document
from freehold_protocol.keys import SigningKey
from harness import Held, House, TestClock, free_port, make_keys, open_house, permission
from overheard import Asked, Wire

HOUR_S = 3_600
DAY_S = 86_400
COURIER = SigningKey(hashlib.sha256(b"a courier that works for everyone").digest())
STRANGER = SigningKey(hashlib.sha256(b"a stranger").digest())


@dataclass(frozen=True)
class Asks:
    """What one vendor asks of every person: overlapping fields, for other reasons, under other names."""

    vendor: str
    about_self: str
    about_any: str
    orders: str
    few: str
    fields: tuple[str, ...]
    people_fields: tuple[str, ...]
    purpose: str

    @property
    def key(self) -> SigningKey:
        return SigningKey(hashlib.sha256(self.vendor.encode()).digest())

    def permissions(self) -> list[Document]:
        asks, why = self, self.purpose
        orders = ["orderNumber", "customer", "seller.name"]
        return [
            permission(asks.about_self, asks.fields, purpose=why, recipients=[COURIER.did]),
            permission(asks.about_any, asks.people_fields, purpose=why, about="any", newRecords=True),
            permission(asks.orders, orders, purpose=why, about="any", type_="Order"),
            permission(asks.few, ["name"], purpose=why, limits={"reads": 2}),
        ]


SHOP = Asks(
    "A Shop", "delivery", "neighbours", "purchases", "trial",
    ("name", "email", "telephone", "address.streetAddress", "address.addressLocality", "address.postalCode"),
    ("name", "email"), "dpv:DeliveryOfGoods",
)  # fmt: skip
PAPER = Asks(
    "Some Newspaper", "subscription", "readers", "invoices", "sample",
    ("name", "email", "telephone", "birthDate", "address.addressLocality", "address.addressCountry"),
    ("name", "telephone"), "dpv:Marketing",
)  # fmt: skip


@dataclass(frozen=True)
class Life:
    """One person: where the clock starts, and what stands on the cards."""

    name: str
    start_s: int
    given: str
    place: str
    number: int

    def book(self) -> bytes:
        """Return an address book: the person and five others, all of whose values hold this life's words."""
        return "".join(map(self._card, range(6))).encode()

    def _card(self, i: int) -> str:
        n, place = self.number + i, self.place
        return (
            f"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{self.given}-{i}\r\nFN:{self.given}{i} {self.name}\r\n"
            f"N:{self.name};{self.given}{i};;;\r\nEMAIL:{self.given}{i}@{place}.example\r\n"
            f"TEL:+44 {n} {n + 7}\r\nBDAY:19{n % 90 + 10}-0{i + 1}-1{i}\r\nORG:{place} Works {n}\r\n"
            f"ADR:;;{n} {place} Road;{place}ton;;{place[:2]}{n};{place}land\r\nEND:VCARD\r\n"
        )

    def orders(self, person: str) -> Iterator[Document]:
        """Yield what the person bought; ``customer`` is the owner's own id of a record."""
        for i in range(2):
            yield {
                "type": "Order",
                "orderNumber": f"{self.place}-{self.number + i}",
                "customer": person,
                "seller": {"type": "Organization", "name": f"{self.place} Bakery {i}"},
            }


ADA = Life(name="Lovelady", start_s=1_795_435_200, given="Adalind", place="Harbour", number=632_101)
ZOE = Life(name="Wrzesień", start_s=1_804_900_000, given="Zorislava", place="Miedźno", number=481_733)


class Clockwork:
    """Gives each vendor a time of its own for each turn, or both the same second."""

    def __init__(self, start_s: int, *, together: bool) -> None:
        self.clock = TestClock(start_s - start_s % (2 * HOUR_S))
        self._together = together
        self._turns = 0

    def turn(self, number: int) -> None:
        """Move on to the next hour of vendor 0, which has the even hours and seconds, or 1, the odd ones.

        So two vendors never share even the hour or the seconds of a time, and whatever they do share is no
        honest time. Together, only the first of the two moves the clock.
        """
        self._turns += 1
        if self._together and number:
            return
        now = self.clock.now_s
        hour = now // HOUR_S + 1
        hour += (hour + number) % 2
        second = self._turns * 38 % 60 // 2 * 2 + number
        self.clock.advance(hour * HOUR_S + self._turns % 59 * 60 + second - now)


@dataclass
class Person:
    """One person's node, which can be stopped and started again."""

    life: Life
    folder: Path
    keys: Keys
    clockwork: Clockwork
    port: int
    starts: int = 0
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    house: House = field(init=False)
    vendors: list[Visitor] = field(default_factory=list)

    async def start(self) -> None:
        self.starts += 1
        seed = self.life.number + self.starts  # else the node would draw the same random bytes again
        self.house = await self.stack.enter_async_context(
            open_house(self.folder, keys=self.keys, clock=self.clockwork.clock, seed=seed, port=self.port)
        )
        for vendor in self.vendors:
            vendor.meet(self.house)

    async def restart(self) -> None:
        await self.stack.aclose()
        await self.start()


@dataclass
class Visitor:
    """One vendor of one person, and everything it received."""

    asks: Asks
    number: int
    received: list[bytes] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    wire: Wire = field(init=False)
    held: Held = field(init=False)
    partner: Held = field(init=False)
    request_path: str = ""

    @property
    def key(self) -> SigningKey:
        return self.asks.key

    def meet(self, house: House) -> None:
        """Talk to a node from now on."""
        rng = random.Random(f"{self.asks.vendor} {house.clock and house.clock.boot_us} {house.now_s()}")
        self.wire = Wire(
            node=house.node, base=house.base, session=house.session, clock=house.clock, rng=rng,
            received=self.received, asked=self.asked,
        )  # fmt: skip
        for held in (getattr(self, "held", None), getattr(self, "partner", None)):
            if held is not None:
                held.house = self.wire

    def given(self, *, without: tuple[str, ...] = ()) -> list[Document]:
        """Return what the person gives: not the telephone number, and not these fields."""
        asked = self.asks.permissions()
        fields = asked[0]["items"][0]["fields"]
        asked[0]["items"][0]["fields"] = [
            path for path in fields if path != "telephone" and path not in without
        ]
        return asked


@asynccontextmanager
async def living(life: Life, folder: Path, *, together: bool) -> AsyncIterator[Person]:
    """Open the node of a life, with its records and its two vendors."""
    keys = make_keys(folder, random.Random(life.number))
    clockwork = Clockwork(life.start_s, together=together)
    person = Person(life=life, folder=folder, keys=keys, clockwork=clockwork, port=free_port())
    person.vendors = [Visitor(SHOP, 0), Visitor(PAPER, 1)]
    async with person.stack:
        await person.start()
        await person.house.import_file(life.book(), me=f"{life.given}0 {life.name}")
        own = (await person.house.own("GET", "/status"))["self"]["id"]
        for content in life.orders(own):
            await person.house.own("POST", "/records", {"content": content})
        yield person
