"""A node on the machine's own time, a vendor of it and its partners, who all use the ZCAP client ``ezcap``."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ezcap import OLD, Answer, Client, Pipe, Transcript
from freehold_node.ambient import Clock
from freehold_protocol.encoding import Document
from freehold_protocol.keys import SigningKey
from harness import Held, House, TestClock
from shop import COURIER, DRIVER, OUTSIDER


class RunningClock(TestClock):
    """The machine's time, by which the clients sign, and what it was advanced by."""

    def __init__(self) -> None:
        super().__init__(0)

    @property
    def now_s(self) -> int:
        return (time.time_ns() // 1000 + self.wall_us) // 1_000_000

    def clock(self) -> Clock:
        return Clock(
            wall=lambda: time.time_ns() // 1000 + self.wall_us,
            boot=lambda: time.monotonic_ns() // 1000 + self.boot_us,
        )


@dataclass(slots=True)
class Scene:
    """A node, and a vendor of it and its partners who all use ezcap."""

    house: House
    pipe: Pipe
    transcript: Transcript
    held: Held

    @property
    def issued(self) -> Document:
        """The vendor's capability, as the node issued it."""
        return self.held.capability.document

    def url(self, below: str = "/delivery/records") -> str:
        return f"{self.house.base}/g/{self.held.grant}{below}"

    def client(self, name: str, key: SigningKey, suite: str = OLD) -> Client:
        return Client(pipe=self.pipe, transcript=self.transcript, name=name, key=key, suite=suite)

    def vendor(self, suite: str = OLD) -> Client:
        return self.client("vendor", self.held.key, suite)

    def courier(self, suite: str = OLD) -> Client:
        return self.client("courier", COURIER, suite)

    def driver(self, suite: str = OLD) -> Client:
        return self.client("driver", DRIVER, suite)

    def outsider(self) -> Client:
        return self.client("outsider", OUTSIDER)

    async def passed_on(self, suite: str = OLD, **more: Any) -> Document:
        """Return what the courier holds: the permission ``delivery``."""
        return await self.vendor(suite).delegate(self.issued, COURIER, target=self.url("/delivery"), **more)

    async def person(self, change: str, *permissions: Document) -> None:
        """Have the person change the grant."""
        self.transcript.note(f"the person: {change}")
        await self.house.change(self.held.grant, change, permissions or None)

    async def person_revokes(self, partner: SigningKey) -> None:
        """Have the person cut off a partner."""
        self.transcript.note(f"the person: revoke partner {partner.did[:16]}…")
        await self.house.own("POST", f"/grants/{self.held.grant}/revocations", {"partner": partner.did})

    async def entry(self, number: int) -> Document:
        listed = await self.house.own("GET", f"/grants/{self.held.grant}/ledger?first={number}&limit=1")
        found: Document = listed["entries"][0]["entry"]
        return found

    def revocation_url(self, capability: Document) -> str:
        return self.url(f"/zcaps/revocations/{quote(capability['id'], safe='')}")

    async def revoke(self, by: Client, capability: Document, **more: Any) -> Answer:
        """Revoke as these clients do: under the root capability of the revocation's own URL."""
        url = self.revocation_url(capability)
        return await by.request(url, method="post", action="write", json=capability, **more)
