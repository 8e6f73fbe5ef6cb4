"""One script, two stages: a real node over HTTP, and a pretended person; and what a vendor saw, made comparable."""

from __future__ import annotations

import json
import random
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from freehold_node.keystore import Keys
from freehold_protocol.encoding import Document
from freehold_protocol.errors import FreeholdError
from freehold_protocol.keys import SigningKey
from freehold_vendor import Access, Ambient, PendingRequest, Vendor, VendorError, VendorIdentity, problem_of
from freehold_vendor.testing import PretendClock, PretendPerson
from freehold_vendor.testing.messages import Call
from freehold_vendor.testing.transport import respond
from freehold_vendor.transport import Answer, Sends, Sign, Transport
from harness import House, TestClock, open_house, permission
from vendor_scene import COURIER, at_once

DRIVER = VendorIdentity(SigningKey(bytes([8]) * 32), "Test Driver")
SHOP = VendorIdentity(SigningKey(bytes([1]) * 32), "Test Shop")
ASKED = [
    permission(
        "delivery",
        ["name", "address.streetAddress", "address.postalCode", "telephone"],
        recipients=[COURIER.did, DRIVER.did],
    ),
    permission("marketing", ["email", "birthDate"], purpose="dpv:Marketing"),
    permission("circle", ["name"], purpose="dpv:CustomerCare", about="any", newRecords=True),
    permission("friends", ["name", "email"], purpose="dpv:CustomerCare", about="any"),
]
ADA: Document = {
    "name": "Ada Example",
    "email": ["ada@example.com", "ada@work.example"],
    "telephone": "+44 1632 960001",
    "birthDate": "1985-12-10",
    "address": {"type": "PostalAddress", "streetAddress": "1 Analytical Row", "postalCode": "EX1 2AB"},
    "knows": "urn:uuid:00000000-0000-4000-8000-000000000001",
}
FRIENDS: list[Document] = [{"name": f"Friend {n}", "email": f"friend{n}@example.com"} for n in range(4)]
_SHOWN_HEADERS = (
    "cache-control", "content-type", "etag", "freehold-entry", "freehold-code", "location", "retry-after",
)  # fmt: skip
_RANDOM = re.compile(
    r"did:key:z\w+|urn:freehold:z\w+|[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    r"|[A-Za-z0-9_/+-]{22,}={0,2}"
)


class Stage(Protocol):
    """Where the script is played: what the person does, and a way there for vendors."""

    base: str

    def transport(self, ambient: Ambient) -> Sends: ...
    def now_s(self) -> int: ...
    async def invite(self) -> str: ...
    async def approve(self, code: str, given: list[Document], **more: Any) -> str: ...
    async def refuse(self, code: str, reason: str | None = None) -> None: ...
    async def change(self, grant: str, change: str, given: list[Document] | None = None) -> None: ...
    async def revoke(self, grant: str, partner: str) -> None: ...
    async def edit(self, **members: Any) -> None: ...
    async def add(self, content: Document) -> str: ...
    async def remove(self, record: str) -> None: ...
    async def pass_time(self, seconds: float) -> None: ...
    async def ledger(self, grant: str) -> list[Document]: ...
    async def raw(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, Mapping[str, str], bytes]: ...


@dataclass(slots=True)
class RealStage:
    """A real node on loopback."""

    house: House
    base: str = ""

    def __post_init__(self) -> None:
        self.base = self.house.base

    def transport(self, ambient: Ambient) -> Sends:
        return Transport(ambient, allow_private_addresses=True)

    def now_s(self) -> int:
        return self.house.now_s()

    async def invite(self) -> str:
        url: str = (await self.house.own("POST", "/invitations", {"label": "Test"}))["url"]
        return url

    async def _request(self, code: str) -> str:
        inbox = (await self.house.own("GET", "/requests"))["requests"]
        [found] = [one["id"] for one in inbox if one["code"] == code]
        return f"/requests/{found}"

    async def approve(self, code: str, given: list[Document], **more: Any) -> str:
        grant = await self.house.approve(await self._request(code), given, **more)
        return f"{self.base}/g/{grant}"

    async def refuse(self, code: str, reason: str | None = None) -> None:
        body = {"reason": reason} if reason else {}
        await self.house.own("POST", await self._request(code) + "/refuse", body)

    async def change(self, grant: str, change: str, given: list[Document] | None = None) -> None:
        await self.house.change(grant.rpartition("/")[2], change, given)

    async def revoke(self, grant: str, partner: str) -> None:
        await self.house.own("POST", f"/grants/{grant.rpartition('/')[2]}/revocations", {"partner": partner})

    async def edit(self, **members: Any) -> None:
        own = (await self.house.own("GET", "/status"))["self"]["id"].removeprefix("urn:uuid:")
        found = await self.house.own("GET", f"/records/{own}")
        content = {
            name: value for name, value in {**found["content"], **members}.items() if value is not None
        }
        await self.house.own("PUT", f"/records/{own}", {"content": content, "previous": found["cid"]})

    async def add(self, content: Document) -> str:
        made: str = (await self.house.own("POST", "/records", {"content": {"type": "Person", **content}}))[
            "id"
        ]
        return made

    async def remove(self, record: str) -> None:
        await self.house.own("DELETE", "/records/" + record.removeprefix("urn:uuid:"))

    async def pass_time(self, seconds: float) -> None:
        assert self.house.clock is not None
        self.house.clock.advance(seconds)
        await self.house.node.relations.tick()
        self.house.node.streams.stir()

    async def ledger(self, grant: str) -> list[Document]:
        listed = await self.house.own("GET", f"/grants/{grant.rpartition('/')[2]}/ledger")
        return [one["entry"] for one in listed["entries"]]

    async def raw(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        reply = await self.house.send(method, target, headers, body)
        return reply.status, {name.lower(): value for name, value in reply.headers.items()}, reply.body


@dataclass(slots=True)
class PretendedStage:
    """A pretended person."""

    person: PretendPerson
    base: str = ""

    def __post_init__(self) -> None:
        self.base = self.person.origin

    def transport(self, ambient: Ambient) -> Sends:
        return self.person.transport

    def now_s(self) -> int:
        return self.person.clock.now_s()

    async def invite(self) -> str:
        return self.person.invite()

    async def approve(self, code: str, given: list[Document], **more: Any) -> str:
        return self.person.approve(code, given, **more)

    async def refuse(self, code: str, reason: str | None = None) -> None:
        self.person.refuse(code, reason)

    async def change(self, grant: str, change: str, given: list[Document] | None = None) -> None:
        act = getattr(self.person, change)
        act(grant=grant) if given is None else act(given, grant=grant)

    async def revoke(self, grant: str, partner: str) -> None:
        self.person.revoke(partner, grant)

    async def edit(self, **members: Any) -> None:
        self.person.edit(**members)

    async def add(self, content: Document) -> str:
        return self.person.add("Person", content)

    async def remove(self, record: str) -> None:
        self.person.remove(record)

    async def pass_time(self, seconds: float) -> None:
        self.person.pass_time(seconds)

    async def ledger(self, grant: str) -> list[Document]:
        return list(self.person.ledger(grant))

    async def raw(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        named = {name.lower(): value for name, value in headers.items()}
        call = Call(method=method, target=target, headers=named, body=body)
        reply = await respond(self.person._node, call, [])
        return reply.status, reply.headers, reply.body


class Recording:
    """A transport that remembers what came back."""

    def __init__(self, inner: Sends, seen: list[Any]) -> None:
        self._inner, self._seen = inner, seen

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._inner.__aexit__(kind, error, trace)

    async def send(
        self,
        method: str,
        url: str,
        *,
        sign: Sign | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        wait_s: int = 0,
        repeat: bool | None = None,
    ) -> Answer:
        try:
            answer = await self._inner.send(
                method, url, sign=sign, headers=headers, body=body, wait_s=wait_s, repeat=repeat
            )
        except (FreeholdError, VendorError) as error:
            self._seen.append([method, url, told(error)])
            raise
        self._seen.append([method, url, *shown(answer.status, answer.headers, answer.body)])
        return answer

    @asynccontextmanager
    async def stream(
        self, url: str, *, sign: Sign, headers: Mapping[str, str], idle_s: float
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        async with AsyncExitStack() as stack:
            opening = self._inner.stream(url, sign=sign, headers=headers, idle_s=idle_s)
            try:
                pieces = await stack.enter_async_context(opening)
            except (FreeholdError, VendorError) as error:
                self._seen.append(["stream", url, told(error)])
                raise
            self._seen.append(["stream", url, dict(headers)])
            yield await stack.enter_async_context(aclosing(self._events(url, pieces)))

    async def _events(self, url: str, pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
        """Pass on whole events, however they came in pieces, and no comments."""
        rest = b""
        async for piece in pieces:
            *blocks, rest = (rest + piece).split(b"\n\n")
            for block in blocks:
                if not block.startswith(b":"):
                    self._seen.append(["event", url, block.decode().split("\n")])
                    yield block + b"\n\n"
        self._seen.append(["end", url, rest.decode()])


def told(error: BaseException) -> list[Any]:
    """What an error says, but for its words."""
    problem = problem_of(error)
    said = None if problem is None else [problem.status, problem.code, problem.retry_after_s]
    return [type(error).__name__, said]


def shown(status: int, headers: Mapping[str, str], body: bytes) -> list[Any]:
    """An answer, without what only people read."""
    document = json.loads(body) if body else None
    if status >= 400 and document is not None:
        document = {**document, "detail": "..."}
    return [status, {name: headers.get(name) for name in _SHOWN_HEADERS}, document]


@dataclass(slots=True)
class Play:
    """A stage with its vendors; ``seen`` is all that came back to them, and what the script noted."""

    stage: Stage
    shop: Vendor
    courier: Vendor
    driver: Vendor
    seen: list[Any] = field(default_factory=list)
    rng: random.Random = field(default_factory=lambda: random.Random(3))

    def note(self, what: Any) -> None:
        self.seen.append(["note", what])

    async def refused(self, doing: Awaitable[Any]) -> None:
        """Note the error that something ends in; it must end in one."""
        try:
            await doing
        except (FreeholdError, VendorError, TimeoutError) as error:
            self.note(told(error))
        else:
            raise AssertionError("it was not refused")

    async def ask(self, asked: Iterable[Document] = ASKED, *, days: int = 30) -> PendingRequest:
        ends_s = self.stage.now_s() + days * 86_400
        return await self.shop.ask(await self.stage.invite(), list(asked), ends_s, benefit="Free delivery")

    async def relate(
        self,
        asked: list[Document] = ASKED,
        given: list[Document] | None = None,
        *,
        days: int = 30,
        **more: Any,
    ) -> Access:
        pending = await self.ask(asked, days=days)
        await self.stage.approve(pending.code, asked if given is None else given, **more)
        return await pending.decision(timeout_s=0)

    async def read(self, access: Access, permission: str, alias: str | None = None, **more: Any) -> Any:
        """Read, and note what came and what the ledger says of it."""
        release = await access.read(permission, alias, **more)
        entry = await release.verify()
        self.note([release.records, release.next, release.entry, release.etag, entry.to_dict()])
        return release

    async def told_by_ledger(self, access: Access) -> None:
        self.note(await self.stage.ledger(access.grant))


@asynccontextmanager
async def vendors(stage: Stage, clock: Callable[[], int]) -> AsyncIterator[Play]:
    seen: list[Any] = []
    async with AsyncExitStack() as stack:

        async def vendor(identity: VendorIdentity, seed: int) -> Vendor:
            ambient = Ambient(now_s=clock, random_bytes=random.Random(seed).randbytes, sleep=at_once)
            made = Vendor(identity, ambient=ambient, transport=Recording(stage.transport(ambient), seen))
            return await stack.enter_async_context(made)

        yield Play(stage, await vendor(SHOP, 5), await vendor(COURIER, 6), await vendor(DRIVER, 7), seen)


@asynccontextmanager
async def real(folder: Path, keys: Keys) -> AsyncIterator[Play]:
    clock = TestClock()
    async with open_house(folder, keys=keys, clock=clock) as house:
        own = (await house.own("POST", "/records", {"content": {"type": "Person", **ADA}}))["id"]
        await house.own("PUT", "/self", {"record": own})
        for friend in FRIENDS:
            await house.own("POST", "/records", {"content": {"type": "Person", **friend}})
        async with vendors(RealStage(house), lambda: clock.now_s) as play:
            yield play


@asynccontextmanager
async def pretended(base: str) -> AsyncIterator[Play]:
    person = PretendPerson({"Person": [ADA, *FRIENDS]}, origin=base, clock=PretendClock())
    async with vendors(PretendedStage(person), person.clock.now_s) as play:
        yield play


def comparable(seen: list[Any]) -> list[Any]:
    """What was seen, with a name in the place of whatever is drawn at random: the same one for the same value."""
    names: dict[str, str] = {}

    def rename(match: re.Match[str]) -> str:
        return names.setdefault(match[0], f"<{len(names)}>")

    def walk(value: Any) -> Any:
        if isinstance(value, str):
            return _RANDOM.sub(rename, value)
        if isinstance(value, Mapping):
            return {name: walk(value[name]) for name in sorted(value)}
        if isinstance(value, list | tuple):
            return [walk(one) for one in value]
        return value

    return [walk(one) for one in seen]


Script = Callable[[Play], Awaitable[None]]


async def agree(folder: Path, keys: Keys, played: Script) -> None:
    """Play a script on both stages, and fail at the first thing that was seen otherwise."""
    async with real(folder, keys) as play:
        await played(play)
    async with pretended(play.stage.base) as other:
        await played(other)
    seen = zip(comparable(other.seen), comparable(play.seen), strict=True)
    for number, (pretend, honest) in enumerate(seen):
        assert pretend == honest, f"{number}: {pretend}\n\nthe real one:\n\n{honest}"


async def ask(vendor: Vendor, person: PretendPerson) -> PendingRequest:
    """Ask a pretended person for everything."""
    return await vendor.ask(person.invite(), ASKED, person.clock.now_s() + 30 * 86_400)


async def relate(vendor: Vendor, person: PretendPerson) -> Access:
    """Ask a pretended person for everything, and be given it."""
    pending = await ask(vendor, person)
    person.approve(pending.code)
    return await pending.decision()
