"""Two vendors of one person do the same things, turn by turn, and all that they receive is kept.

The script is meant to make a node say everything it can say to a vendor. It is run for several people, so that
what two vendors of one person have in common can be told from what any two vendors have in common.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from freehold_node.data_dir import bump_generation
from freehold_protocol.capability import Capability
from freehold_protocol.encoding import Document, base64url_encode, format_time
from freehold_protocol.invocation import TAG_DID, sign_message
from freehold_protocol.limits import EVENT_JITTER_S
from freehold_protocol.permission import Permission
from freehold_protocol.released import leaves
from freehold_protocol.request import sign_request
from harness import PASSPHRASE, Held
from lives import COURIER, DAY_S, HOUR_S, STRANGER, Life, Person, Visitor, living
from overheard import Asked, documents_of

Step = Callable[[Person, Visitor], Awaitable[None]]


async def _expect(made: Awaitable[Any], status: int, code: str | None = None) -> Any:
    reply = await made
    assert (reply.status, reply.code) == (status, code), (reply.status, reply.body)
    return reply


async def knock(_: Person, vendor: Visitor) -> None:
    """Say what needs no proof, or is nothing at all."""
    wire = vendor.wire
    for path, status in {
        "/.well-known/freehold": 200, "/healthz": 200, "/nowhere": 404, "/g/nobody": 400, "/a/../b": 400,
        "/owner/status": 401, "/i/none": 405, "/requests/none": 400,
    }.items():  # fmt: skip
        reply = await wire.send("GET", path, {})
        assert reply.status == status, (path, reply.body)
    await wire.send("DELETE", "/healthz", {})
    await wire.send("POST", "/i/none", {"content-type": "application/json"}, b"{}")
    for raw in (
        b"no such protocol\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nExpect: a-miracle\r\nConnection: close\r\n\r\n",
        b"POST /i/none HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ):
        await wire.exchange(raw)  # fmt: skip


async def ask(person: Person, vendor: Visitor) -> None:
    wire, house = vendor.wire, person.house
    url = (await house.own("POST", "/invitations", {"label": vendor.asks.vendor}))["url"]
    path, json_type = url.removeprefix(house.base), {"content-type": "application/json"}

    def signed(name: str) -> bytes:
        made = sign_request(
            vendor.key, request_id="urn:uuid:" + wire.uuid(), name=name,
            nonce=base64url_encode(wire.rng.randbytes(32)), created_s=wire.now_s(),
            expires_s=wire.now_s() + 30 * DAY_S,
            permissions=tuple(map(Permission.from_dict, vendor.asks.permissions())),
        )  # fmt: skip
        return json.dumps(made.document).encode()

    data = signed(vendor.asks.vendor)
    broken = json.loads(data) | {"nonce": "A" * 30}
    incomplete = {name: value for name, value in broken.items() if name != "expires"}
    await _expect(wire.send("POST", path, json_type, b"{"), 400, "malformed")
    await _expect(wire.send("POST", path, json_type, json.dumps(broken).encode()), 401, "signature-invalid")
    await _expect(
        wire.send("POST", path, json_type, json.dumps(incomplete).encode()), 400, "request-incomplete"
    )
    told = await _expect(wire.send("POST", path, json_type, data), 202)
    again = await _expect(wire.send("POST", path, json_type, data), 202)
    assert told.body == again.body
    await _expect(wire.send("POST", path, json_type, signed("Another")), 404, "not-found")
    vendor.request_path = told.json["request"].removeprefix(house.base)


async def follow(_: Person, vendor: Visitor) -> None:
    wire, path = vendor.wire, vendor.request_path
    assert (await wire.signed(vendor.key, "GET", path)).json == {"status": "waiting"}
    await _expect(wire.signed(STRANGER, "GET", path), 404, "not-found")
    await _expect(wire.send("GET", path, {}), 400, "malformed")
    headers = vendor_headers(vendor, path)
    assert (await wire.send("GET", path, headers)).status == 200
    await _expect(wire.send("GET", path, headers), 409, "replayed")
    old = vendor_headers(vendor, path, created_s=wire.now_s() - 2000)
    await _expect(wire.send("GET", path, old), 401, "signature-stale")


def vendor_headers(vendor: Visitor, path: str, **more: Any) -> dict[str, str]:
    wire = vendor.wire
    given: dict[str, Any] = {"created_s": wire.now_s(), "nonce": wire.nonce()} | more
    return sign_message(vendor.key, tag=TAG_DID, method="GET", target_uri=wire.base + path, **given)


async def be_approved(person: Person, vendor: Visitor) -> None:
    """Wait for the decision while it is made."""
    wire = vendor.wire
    waiting = asyncio.create_task(
        wire.signed(vendor.key, "GET", vendor.request_path, headers={"Prefer": "wait=20"})
    )
    await asyncio.sleep(0)
    grant = await person.house.approve(vendor.request_path, vendor.given())
    told = (await waiting).json
    if told["status"] == "waiting":  # it asked too early to be woken, and too late to see
        told = (await wire.signed(vendor.key, "GET", vendor.request_path)).json
    capability = Capability.from_dict(told["capability"])
    vendor.held = Held(house=wire, key=vendor.key, grant=grant, capability=capability)


async def look(_: Person, vendor: Visitor) -> None:
    """Everything a holder may ask in every state."""
    wire, held, base = vendor.wire, vendor.held, f"/g/{vendor.held.grant}"
    await _expect(held.get(""), 200)
    await _expect(wire.signed(vendor.key, "GET", base), 200)
    await _expect(wire.signed(STRANGER, "GET", base), 404, "not-found")
    for below in ("", f"/{vendor.asks.about_self}"):
        listed = (await _expect(held.get(below + "/ledger/entries"), 200)).json
        await _expect(held.get(below + f"/ledger/entries/{listed['size'] - 1}"), 200)
        await _expect(held.get(below + "/ledger/checkpoint"), 200)
        await _expect(held.get(below + "/ledger/checkpoint?from=1"), 200)
    await _expect(held.get("/ledger/entries?first=1&limit=2"), 200)
    await _expect(held.get("/ledger/entries/99999"), 404, "not-found")
    await _expect(held.get("/ledger/checkpoint?from=99999"), 400, "malformed")
    await _expect(held.get(f"/{vendor.asks.about_self}"), 200)


async def read(_: Person, vendor: Visitor) -> None:
    held, asks = vendor.held, vendor.asks
    page = await _expect(held.get(f"/{asks.about_self}/records"), 200)
    alias = page.json["items"][0]["id"].removeprefix("urn:freehold:")
    one = await _expect(held.get(f"/{asks.about_self}/records/{alias}"), 200)
    same = {"If-None-Match": one.headers["ETag"]}
    await _expect(held.get(f"/{asks.about_self}/records/{alias}", headers=same), 304)
    await _expect(held.get(f"/{asks.about_self}/records", method="HEAD"), 200)
    # The same of the same record for both vendors: equal content must not show.
    await _expect(held.get(f"/{asks.about_self}/records?fields=name"), 200)
    await _expect(held.get(f"/{asks.about_any}/records?fields=name&limit=100"), 200)
    await _expect(held.get(f"/{asks.orders}/records"), 200)
    path, query = f"/{asks.about_any}/records", "?fields=name&limit=2"
    while query:
        shown = (await _expect(held.get(path + query), 200)).json
        query = f"?fields=name&limit=2&cursor={shown['next']}" if "next" in shown else ""
    name = shown["items"][0]["name"]
    found = await held.get(f"{path}?where={quote(json.dumps({'name': name}))}")
    assert len(found.json["items"]) == 1
    await _expect(held.get(f"{path}/{alias}"), 200)


async def hear(person: Person, vendor: Visitor) -> None:
    """Listen while the person changes what this vendor alone sees; come back with an id that is none."""
    wire, held = vendor.wire, vendor.held

    async def change(number: int) -> None:
        record, seen = await _own_record(person)
        content = seen["content"]
        if vendor.number:
            content["birthDate"] = f"19{person.life.number % 90 + 10}-01-{number}"
        else:
            content["address"]["postalCode"] = f"{person.life.place[:2]}{number}"
        await person.house.own("PUT", record, {"content": content, "previous": seen["cid"]})
        person.clockwork.clock.advance(EVENT_JITTER_S)
        person.house.node.streams.stir()

    for number, below in enumerate(("", f"/{vendor.asks.about_self}"), start=2 * vendor.number + 11):
        path = f"/g/{held.grant}{below}/events"
        changed = b'{"permission":"%b"}\n\n' % vendor.asks.about_self.encode()
        await wire.hear(
            path, held.headers("GET", path), first=b"data: {}\n\n", act=change(number), then=changed
        )
        headers = held.headers("GET", path) | {"Last-Event-ID": "A" * 64}
        nothing = asyncio.sleep(0)
        await wire.hear(path, headers, first=b"event: reset", act=nothing, then=b"data: {}\n\n")


async def _own_record(person: Person) -> tuple[str, Document]:
    """Return the path and what there is of the record about the person."""
    listed = (await person.house.own("GET", "/records"))["records"]
    path = "/records/" + next(one["id"] for one in listed if one["self"]).removeprefix("urn:uuid:")
    return path, await person.house.own("GET", path)


async def be_refused(_: Person, vendor: Visitor) -> None:
    held, asks, wire = vendor.held, vendor.asks, vendor.wire
    own = f"/{asks.about_self}/records"
    for path, status, code in (
        (own + "?fields=telephone", 403, "not-shared"),
        (own + "?fields=telephone&fields=name", 400, "duplicate-key"),
        (own + "?sort=name", 400, "malformed"),
        (own + "?cursor=" + "A" * 60, 409, "cursor-stale"),
        (own + "?fields=" + "a" * 5000, 413, "too-large"),
        (own + "?fields=noSuchTerm", 400, "undefined-term"),
        (own + "/z" + "2" * 40, 404, "not-found"),
    ):
        await _expect(held.get(path), status, code)
    await _expect(held.get(own, action="write"), 403, "wrong-action")
    await _expect(held.get(own, created_s=wire.now_s() + 5000), 401, "signature-stale")
    await _expect(held.get(own, target_uri=wire.base + "/elsewhere"), 401, "signature-invalid")
    thief = Held(house=wire, key=STRANGER, grant=held.grant, capability=held.capability)
    await _expect(thief.get(own), 403, "wrong-controller")
    await _expect(wire.send("GET", f"/g/{held.grant}{own}", {}), 400, "malformed")
    wide = held.delegate(COURIER, expires_s=held.capability.expires_s + DAY_S)
    await _expect(wide.get(own), 403, "capability-widened")
    elsewhere = Held(house=wire, key=vendor.key, grant=wire.uuid(), capability=held.capability)
    await _expect(elsewhere.get(own), 404, "not-found")


async def renew(_: Person, vendor: Visitor) -> None:
    wire, held = vendor.wire, vendor.held
    path = f"/g/{held.grant}/renew"
    fresh = await _expect(wire.signed(vendor.key, "POST", path), 200)
    held.capability = Capability.from_dict(fresh.json["capability"])
    await _expect(wire.signed(COURIER, "POST", path), 404, "not-found")


async def share(_: Person, vendor: Visitor) -> None:
    """Delegate to a partner; what the partner receives is kept with the vendor's."""
    asks, held = vendor.asks, vendor.held
    vendor.partner = held.delegate(COURIER, path=f"/{asks.about_self}")
    await partner_reads(_, vendor)
    stranger = held.delegate(STRANGER, path=f"/{asks.about_self}")
    await _expect(stranger.get(f"/{asks.about_self}/records"), 403, "wrong-controller")
    other = held.delegate(COURIER, path=f"/{asks.orders}")
    await _expect(other.get(f"/{asks.orders}/records"), 403, "wrong-controller")
    await _expect(vendor.partner.get(f"/{asks.orders}/records"), 403, "wrong-target")


async def partner_reads(_: Person, vendor: Visitor) -> None:
    below = f"/{vendor.asks.about_self}"
    for path in ("/records", "/records?fields=name", "", "/ledger/entries", "/ledger/checkpoint?from=2"):
        await _expect(vendor.partner.get(below + path), 200)


async def unshare(_: Person, vendor: Visitor) -> None:
    """Revoke the partner's capability, as the vendor may."""
    wire, partner = vendor.wire, vendor.partner
    document = partner.capability.document
    path = f"/g/{partner.grant}/zcaps/revocations/"
    own = path + quote(partner.capability.id, safe="")
    await _expect(wire.signed(STRANGER, "POST", own, document), 404, "not-found")
    await _expect(wire.signed(vendor.key, "POST", path + "urn%3Auuid%3Ano", document), 400, "malformed")
    assert (await wire.signed(vendor.key, "POST", own, document)).status == 204
    await _expect(partner.get(f"/{vendor.asks.about_self}/records"), 403, "revoked")


async def be_narrowed(person: Person, vendor: Visitor) -> None:
    asks, held = vendor.asks, vendor.held
    first = (await _expect(held.get(f"/{asks.about_any}/records?limit=2"), 200)).json
    await person.house.change(held.grant, "narrow", vendor.given(without=("email",)))
    stale = f"/{asks.about_any}/records?limit=2&cursor={first['next']}"
    await _expect(held.get(stale), 409, "cursor-stale")
    await _expect(held.get(f"/{asks.about_self}/records?fields=email"), 403, "not-shared")
    await _expect(held.get(f"/{asks.about_self}/records"), 200)


async def be_widened(person: Person, vendor: Visitor) -> None:
    await person.house.change(vendor.held.grant, "widen", vendor.given())
    await _expect(vendor.held.get(f"/{vendor.asks.about_self}/records?fields=email"), 200)


async def see_news(person: Person, vendor: Visitor) -> None:
    """The person moves house and makes a friend, once; each vendor sees it when it reads."""
    if vendor.number == 0:
        house, life = person.house, person.life
        record, shown = await _own_record(person)
        content = shown["content"] | {"address": {
            "type": "PostalAddress", "streetAddress": f"{life.number} Upper {life.place} Lane",
            "addressLocality": f"Upper{life.place}", "addressCountry": f"Upper{life.place}land",
        }}  # fmt: skip
        edit = {"content": content, "previous": shown["cid"]}
        await house.own("PUT", record, edit)
        friend = {"type": "Person", "name": f"Newcomer {life.name}", "email": f"new@{life.place}.example"}
        await house.own("POST", "/records", {"content": friend})
    await read(person, vendor)


async def use_up(_: Person, vendor: Visitor) -> None:
    path = f"/{vendor.asks.few}/records"
    await _expect(vendor.held.get(path), 200)
    await _expect(vendor.held.get(path), 200)
    await _expect(vendor.held.get(path), 403, "limit-reached")


async def be_paused(person: Person, vendor: Visitor) -> None:
    wire, held, path = vendor.wire, vendor.held, f"/{vendor.asks.about_self}/records"
    await person.house.change(held.grant, "pause")
    await _expect(held.get(path), 403, "grant-paused")
    await _expect(wire.signed(vendor.key, "POST", f"/g/{held.grant}/renew"), 403, "grant-paused")
    await _expect(held.get(""), 200)
    assert (await wire.signed(vendor.key, "GET", vendor.request_path)).json["code"] == "grant-paused"


async def be_given_new_keys(person: Person, vendor: Visitor) -> None:
    """What the vendor holds is dead, and it renews; ids are those it knows."""
    about_self = f"/{vendor.asks.about_self}/records"
    before = (await _expect(vendor.held.get(about_self), 200)).json["items"][0]["id"]
    await person.house.change(vendor.held.grant, "rotate")
    await _expect(vendor.held.get(about_self), 403, "revoked")
    await renew(person, vendor)
    assert (await _expect(vendor.held.get(about_self), 200)).json["items"][0]["id"] == before


async def be_told_of_a_move(person: Person, vendor: Visitor) -> None:
    """The person states for all grants at once that they are reached at another address too.

    The address itself links, as a node's address does: so it is one that everybody's node has.
    """
    if vendor.number == 0:
        body = {"origin": "https://moved.example", "passphrase": PASSPHRASE}
        await person.house.own("POST", "/origins", body)
    await look(person, vendor)


async def be_resumed(person: Person, vendor: Visitor) -> None:
    await person.house.change(vendor.held.grant, "resume")
    await _expect(vendor.held.get(f"/{vendor.asks.about_self}/records"), 200)


async def be_turned_down(person: Person, vendor: Visitor) -> None:
    """A second request is refused."""
    wire, house, few = vendor.wire, person.house, vendor.asks.permissions()[3:]
    path = await wire_ask(person, vendor, few)
    request = path.rpartition("/")[2]
    await house.own("POST", f"/requests/{request}/refuse", {"reason": "No, thank you."})
    told = await wire.signed(vendor.key, "GET", path)
    assert told.json["status"] == "refused"


async def wire_ask(person: Person, vendor: Visitor, permissions: list[Document]) -> str:
    """Ask over the vendor's wire, at an invitation minted over the owner's."""
    wire = vendor.wire
    invitation = await person.house.own("POST", "/invitations", {"label": "again"})
    made = sign_request(
        vendor.key, request_id="urn:uuid:" + wire.uuid(), name=vendor.asks.vendor,
        nonce=base64url_encode(wire.rng.randbytes(32)), created_s=wire.now_s(),
        expires_s=wire.now_s() + 40 * DAY_S, permissions=tuple(map(Permission.from_dict, permissions)),
    )  # fmt: skip
    path = invitation["url"].removeprefix(wire.base)
    body = json.dumps(made.document).encode()
    told = await _expect(wire.send("POST", path, {"content-type": "application/json"}, body), 202)
    path = told.json["request"]
    return str(path).removeprefix(wire.base)


async def wait_for_a_beginning(person: Person, vendor: Visitor) -> None:
    """A grant that begins in a month has not begun."""
    path = await wire_ask(person, vendor, vendor.asks.permissions()[3:])
    begins = format_time(vendor.wire.now_s() + 30 * DAY_S)
    grant = await person.house.approve(path, vendor.asks.permissions()[3:], notBefore=begins)
    told = (await vendor.wire.signed(vendor.key, "GET", path)).json
    capability = Capability.from_dict(told["capability"])
    later = Held(house=vendor.wire, key=vendor.key, grant=grant, capability=capability)
    await _expect(later.get(f"/{vendor.asks.few}/records"), 403, "grant-not-yet")


async def let_it_lapse(person: Person, vendor: Visitor) -> None:
    """After eight days the capability has expired, and the vendor renews it."""
    if vendor.number == 0:
        person.clockwork.clock.advance(8 * DAY_S)
    await _expect(vendor.held.get(f"/{vendor.asks.about_self}/records"), 403, "capability-expired")
    await renew(person, vendor)
    await share(person, vendor)


async def lose_the_partner(person: Person, vendor: Visitor) -> None:
    """The person cuts off the partner."""
    body = {"partner": COURIER.did}
    await person.house.own("POST", f"/grants/{vendor.held.grant}/revocations", body)
    await _expect(vendor.partner.get(f"/{vendor.asks.about_self}/records"), 403, "revoked")


async def meet_a_doubtful_clock(person: Person, vendor: Visitor) -> None:
    clock = person.clockwork.clock
    honest = vendor.wire.now_s()
    clock.step_wall(HOUR_S)
    path = f"/{vendor.asks.about_self}/records"
    await _expect(vendor.held.get(path, created_s=honest), 503, "clock-suspect")
    clock.step_wall(-HOUR_S)
    await person.house.own("POST", "/clock/confirm", {"passphrase": PASSPHRASE})


async def expire(person: Person, vendor: Visitor) -> None:
    """The person sets a nearer end than the capability has; the read that finds it past commits the expiry."""
    asked = vendor.asks.permissions()[:1]
    path = await wire_ask(person, vendor, asked)
    grant = await person.house.approve(path, asked)
    told = (await vendor.wire.signed(vendor.key, "GET", path)).json
    capability = Capability.from_dict(told["capability"])
    short = Held(house=vendor.wire, key=vendor.key, grant=grant, capability=capability)
    ends = format_time(vendor.wire.now_s() + 60)
    await person.house.change(grant, "narrow", asked, expires=ends)
    await _expect(short.get(f"/{vendor.asks.about_self}/records"), 200)
    person.clockwork.clock.advance(60)
    await _expect(short.get(f"/{vendor.asks.about_self}/records"), 403, "grant-expired")
    await _expect(short.get(""), 200)
    renewed = vendor.wire.signed(vendor.key, "POST", f"/g/{grant}/renew")
    await _expect(renewed, 403, "grant-expired")
    told = (await vendor.wire.signed(vendor.key, "GET", path)).json
    assert (told["status"], told["code"]) == ("approved", "grant-expired")


async def be_ended(person: Person, vendor: Visitor) -> None:
    wire, held = vendor.wire, vendor.held
    await person.house.change(held.grant, "end")
    await _expect(held.get(f"/{vendor.asks.about_self}/records"), 403, "grant-ended")
    await _expect(wire.signed(vendor.key, "POST", f"/g/{held.grant}/renew"), 403, "grant-ended")
    await look(person, vendor)


async def _restart(person: Person, vendor: Visitor) -> None:
    if vendor.number == 0:
        await person.restart()


SCRIPT: tuple[Step, ...] = (
    knock, ask, follow, be_approved, look, read, hear, be_refused, renew, share, look, unshare, be_narrowed, look,
    _restart, read, be_widened, see_news, use_up, be_paused, look, _restart, be_resumed, be_turned_down,
    wait_for_a_beginning, let_it_lapse, be_given_new_keys, lose_the_partner, look,
    meet_a_doubtful_clock, expire, be_ended,
)  # fmt: skip


# What happens to all of a person's relationships at once


async def forget_a_friend(person: Person, vendor: Visitor) -> None:
    """A record is deleted that both vendors see; each ledger says so."""
    if vendor.number == 0:
        listed = (await person.house.own("GET", "/records"))["records"]
        friend = next(one for one in listed if one["type"] == "Person" and not one["self"])
        await person.house.own("DELETE", "/records/" + friend["id"].removeprefix("urn:uuid:"))
    await read(person, vendor)


async def insist(_: Person, vendor: Visitor) -> None:
    """Be refused again and again: the node counts, and writes the count down when the hour is over."""
    for _number in range(3):
        await _expect(
            vendor.held.get(f"/{vendor.asks.about_self}/records?fields=telephone"), 403, "not-shared"
        )


async def be_restored(person: Person, vendor: Visitor) -> None:
    """The node starts on a database older than its generation: it pauses every grant."""
    if vendor.number == 0:
        await person.stack.aclose()
        bump_generation(person.folder)
        await person.start()
        person.clockwork.clock.advance(61)  # what was signed before could be a replay
    told = (await vendor.wire.signed(vendor.key, "GET", vendor.request_path)).json
    assert told["code"] == "grant-paused"
    await _expect(vendor.held.get(f"/{vendor.asks.about_self}/records"), 403, "revoked")
    await person.house.change(vendor.held.grant, "resume")
    await renew(person, vendor)
    await look(person, vendor)


EVERYONE_AT_ONCE: tuple[Step, ...] = (
    ask, be_approved, read, insist, _restart, forget_a_friend, be_told_of_a_move, be_restored,
)  # fmt: skip


@dataclass(frozen=True)
class Overheard:
    """What came of a run of the script: what each vendor received, where, and what it was given."""

    base: str
    received: tuple[list[bytes], list[bytes]]
    disclosed: tuple[set[str], set[str]]
    asked: list[Asked]

    @property
    def by_everyone(self) -> list[bytes]:
        return [*self.received[0], *self.received[1]]


Said = dict[str, tuple[bool, list[Document]]]
"""A record's id to whether it is about the person, and all that it ever said."""


async def _said(person: Person) -> Said:
    house, said = person.house, Said()
    for listed in (await house.own("GET", "/records"))["records"]:
        shown = await house.own("GET", "/records/" + listed["id"].removeprefix("urn:uuid:"))
        said[listed["id"]] = (listed["self"], [shown["content"], *shown["history"]])
    return said


def _disclosed(said: Said, vendor: Visitor) -> set[str]:
    """Return, as JSON, every value at a granted path of a record the grant is about, in any version."""
    items = [
        item
        for document in documents_of(vendor.received) if document.get("type") == "AccessGrant"
        for given in document["permission"] for item in given["items"]
    ]  # fmt: skip
    values = {
        json.dumps(leaf)
        for about_self, contents in said.values() for content in contents
        for item in items if item["type"] == content["type"] and (about_self or item["about"] == "any")
        for path in item["fields"] for leaf in leaves(content, path)
    }  # fmt: skip
    # The owner's ids are nobody's values: they never leave, so sharing one is what is looked for.
    return {value for value in values if not value.startswith('"urn:uuid:')}


async def run_script(
    life: Life, folder: Path, *, script: tuple[Step, ...] = SCRIPT, together: bool = False
) -> Overheard:
    """Let both vendors go through the script, turn by turn."""
    async with living(life, folder, together=together) as person:
        at_first = await _said(person)
        for step in script:
            for vendor in person.vendors:
                person.clockwork.turn(vendor.number)
                await step(person, vendor)
        said = at_first | await _said(person)
        shop, paper = person.vendors
        return Overheard(
            base=person.house.base,
            received=(shop.received, paper.received),
            disclosed=(_disclosed(said, shop), _disclosed(said, paper)),
            asked=shop.asked + paper.asked,
        )
