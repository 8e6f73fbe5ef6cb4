"""The numbers of the protocol: at each bound that can be reached what fits passes, and one more does not."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from ..cast.holder import Holder
from ..cast.stage import DAY_S, Stage, permission
from ..check import Profile, Topic, expect, expect_equal, expect_problem, expect_status, object_of
from ..hands import message
from ..hands.encoding import Document, base64url, from_xsd_time, jcs, xsd_time
from ..hands.keys import Key
from ..wire import Answer

topic = Topic()

_TOO_LARGE: Final = (413, "too-large")
_MALFORMED: Final = (400, "malformed")
_AMONG: Final = ("", "address.", "worksFor.", "worksFor.address.", "location.")
_LEAVES: Final = (
    "name",
    "email",
    "telephone",
    "postalCode",
    "streetAddress",
    "addressLocality",
    "addressRegion",
    "addressCountry",
    "jobTitle",
    "birthDate",
    "gender",
    "url",
    "description",
)
_PATHS: Final = [above + leaf for above, leaf in product(_AMONG, _LEAVES)]
"""65 paths."""
_PURPOSES: Final = [
    f"dpv:{name}"
    for name in (
        "DeliveryOfGoods",
        "DirectMarketing",
        "Marketing",
        "Advertising",
        "Personalisation",
        "PaymentManagement",
        "CustomerCare",
        "FraudPreventionAndDetection",
        "AccountManagement",
    )
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A member of a request of which there can be too much.

    Attributes:
        members: The request's members with so much of it.
        most: As much as there may be; one more is refused with ``refusal``.
    """

    members: Callable[[Key, int], Document]
    most: int
    refusal: tuple[int, str] = _TOO_LARGE


def _given(**members: Any) -> Document:
    return {"permission": [permission("delivery", members.pop("fields", ["name"]), about="any", **members)]}


def _named(count: int) -> list[Document]:
    return [permission(f"part-{number}", ["name"], about="any") for number in range(count)]


def _items(count: int) -> Document:
    whole = permission("delivery", ["name"], about="any")
    return {
        "permission": [
            whole
            | {
                "items": whole["items"] * 1
                + [
                    {"type": "Person", "fields": ["name"], "about": "any", "where": {"jobTitle": str(number)}}
                    for number in range(count - 1)
                ]
            }
        ]
    }


_REQUESTS: Final = {
    "permissions": Bound(most=16, members=lambda _, n: {"permission": _named(n)}),
    "items": Bound(most=16, members=lambda _, n: _items(n)),
    "fields": Bound(most=64, members=lambda _, n: _given(fields=_PATHS[:n])),
    "conditions": Bound(most=64, members=lambda _, n: _given(where=dict.fromkeys(_PATHS[:n], "x"))),
    "text-of-a-condition": Bound(most=200, members=lambda _, n: _given(where={"jobTitle": "x" * n})),
    "recipients": Bound(
        most=32, members=lambda _, n: _given(recipients=[Key(bytes([n, one] * 16)).did for one in range(n)])
    ),
    "purposes": Bound(
        most=8,
        members=lambda _, n: {
            "permission": [permission("delivery", ["name"], about="any") | {"purpose": _PURPOSES[:n]}]
        },
    ),
    "terms-of-a-path": Bound(
        most=6,
        refusal=_MALFORMED,
        members=lambda _, n: _given(fields=[".".join(["worksFor", *["department"] * (n - 2), "name"])]),
    ),
    "short-name": Bound(
        most=40,
        refusal=_MALFORMED,
        members=lambda _, n: {"permission": [permission("a" * n, ["name"], about="any")]},
    ),
    "name": Bound(
        most=120,
        members=lambda key, n: {"assignee": {"id": key.did, "type": "Organization", "name": "a" * n}},
    ),
    "benefit": Bound(most=2_000, members=lambda _, n: {"benefit": "a" * n}),
    "terms": Bound(most=300, members=lambda _, n: {"terms": "a" * n}),
    "contact": Bound(most=300, members=lambda _, n: {"contact": "a" * n}),
    "nonce": Bound(most=64, refusal=_MALFORMED, members=lambda _, n: {"nonce": "a" * n}),
    "retention": Bound(most=9_999, refusal=_MALFORMED, members=lambda _, n: _given(retention=f"P{n}D")),
    "did": Bound(
        most=512, refusal=_MALFORMED, members=lambda _, n: _given(recipients=["did:example:" + "a" * n])
    ),
}


async def _asked(stage: Stage, key: Key, members: Document) -> Answer:
    """Ask, and decide on what was taken, so that nothing is left waiting."""
    wanted = [permission("delivery", ["name"], about="any")]
    request = stage.request(key, members.pop("permission", wanted), **members)
    answer = await stage.post_request(await stage.owner.invite(), request)
    if answer.status == 202:
        await stage.owner.refuse(object_of(answer)["request"].rpartition("/")[2])
    return answer


@topic.check("LIM-1", "ENC-16", "ENC-12", cases=_REQUESTS)
async def a_request_keeps_within_its_bounds(stage: Stage, bound: Bound) -> None:
    """Of each part of a request as much as fits is taken, and one more is refused with its code."""
    key = Key.fresh()
    expect_status(await _asked(stage, key, bound.members(key, bound.most)), 202)
    expect_problem(await _asked(stage, key, bound.members(key, bound.most + 1)), *bound.refusal)


@topic.check("LIM-1", "REQ-14")
async def a_grant_ends_within_ten_years(stage: Stage) -> None:
    """A request for 3,660 days is taken, and one for a second more is request-incomplete."""
    now, key = int(stage.now()), Key.fresh()
    made = {"created": xsd_time(now)}
    longest = now + 3_660 * DAY_S
    expect_status(await _asked(stage, key, made | {"expires": xsd_time(longest)}), 202)
    answer = await _asked(stage, key, made | {"expires": xsd_time(longest + 1)})
    expect_problem(answer, 400, "request-incomplete")


@topic.check("LIM-1", "ENC-16")
async def an_array_is_measured_before_it_is_read(stage: Stage) -> None:
    """An array that is too long is too-large, though the first of its items is wrong already."""
    wrong: list[Any] = [None] * 17
    for members in (
        {"permission": wrong},
        {"permission": [permission("delivery", ["name"]) | {"items": wrong}]},
        {"permission": [permission("delivery", [None] * 65)]},  # type: ignore[list-item]
        {"permission": [permission("delivery", ["name"], recipients=[None] * 33)]},
    ):
        expect_problem(await _asked(stage, Key.fresh(), members), *_TOO_LARGE)
    expect_status(await _asked(stage, Key.fresh(), {}), 202)


@topic.check("REC-2", "LIM-1")
async def a_record_has_a_size(stage: Stage) -> None:
    """A record of nearly 256 KiB is taken and comes back whole; a larger one, or a deeper one, is refused."""
    fitting = "a" * 250_000
    shown = await stage.person(description=fitting)
    found = (await stage.owner.show(shown.id))["content"]
    expect_equal(found["description"] == fitting, True, "whether what was written comes back")
    large = {"content": {"type": "Person", "description": "a" * 262_144}}
    expect_problem(await stage.owner.send("POST", "/records", large), *_TOO_LARGE)
    parts = {"content": {"type": "Person", "description": ["a" * 100_000] * 3}}
    expect_problem(await stage.owner.send("POST", "/records", parts), *_TOO_LARGE)
    many = {"content": {"type": "Person", "description": ["a"] * 20_001}}
    expect_problem(await stage.owner.send("POST", "/records", many), *_TOO_LARGE)
    cid = (await stage.owner.show(shown.id))["cid"]
    path = "/records/" + shown.id.removeprefix("urn:uuid:")
    answer = await stage.owner.send("PUT", path, large | {"previous": cid})
    expect_problem(answer, *_TOO_LARGE)
    expect_equal((await stage.owner.show(shown.id))["cid"], cid, "the version")
    await stage.owner.delete(shown.id)


# Capabilities


async def _vendor(stage: Stage) -> tuple[Holder, Key]:
    """Return a vendor, and a partner who may read too."""

    async def make() -> tuple[Holder, Key]:
        shown, partner = await stage.person(name="Ada"), Key.fresh()
        wanted = [shown.permission("delivery", ["name"], recipients=[partner.did])]
        return await stage.relate(wanted), partner

    return await stage.once("vendor of limits", make)


@topic.check("CAP-17", "LIM-1")
async def a_chain_has_ten_links(stage: Stage) -> None:
    """A chain of ten links, root and leaf included, reads; one of eleven is capability-invalid."""
    vendor, partner = await _vendor(stage)
    holder = vendor.delegate("/delivery", key=partner)
    for _ in range(7):  # the root, the vendor's, the partner's and seven of its own
        holder = holder.delegate("/delivery", key=partner)
    expect_status(await holder.get("/delivery/records"), 200)
    expect_problem(
        await holder.delegate("/delivery", key=partner).get("/delivery/records"), 403, "capability-invalid"
    )


@topic.check("CAP-30", "LIM-1")
async def a_capability_in_a_header_has_a_size(stage: Stage) -> None:
    """8,192 characters of a capability are looked at and 8,193 are too-large; so are more than 64 KiB inflated."""
    vendor, _ = await _vendor(stage)

    async def sent(wire: str) -> Answer:
        target = vendor.path("/delivery/records")
        headers = {"capability-invocation": f'zcap capability="{wire}",action="read"'}
        uri, now = vendor.origin + target, stage.now()
        signed = message.sign(vendor.key, message.ZCAP, "GET", uri, created_s=now, headers=headers)
        return await stage.wire.send("GET", target, signed)

    expect_problem(await sent("A" * 8_192), *_MALFORMED)
    expect_problem(await sent("A" * 8_193), *_TOO_LARGE)
    whole = jcs(vendor.capability)
    expect_status(await sent(base64url(gzip.compress(whole))), 200)
    for size, refusal in ((65_536, _MALFORMED), (65_537, _TOO_LARGE), (2**20, _TOO_LARGE)):
        padded = b"x" * (size - len(whole)) + whole
        expect_problem(await sent(base64url(gzip.compress(padded))), *refusal)


@topic.check("CAP-7", "LIM-1")
async def a_target_of_a_capability_has_a_length(stage: Stage) -> None:
    """A link whose target has 1,000 characters is of the form, and one with 1,001 is too-large."""
    vendor, partner = await _vendor(stage)
    start = f"{vendor.origin}{vendor.path('/delivery/')}"
    longest = start + "a" * (1_000 - len(start))
    held = vendor.delegate(key=partner, target=longest)
    expect_problem(await held.get("/delivery/records"), 403, "wrong-target")
    held = vendor.delegate(key=partner, target=longest + "a")
    expect_problem(await held.get("/delivery/records"), *_TOO_LARGE)


@topic.check("CAP-10", "LIM-1")
async def a_link_has_eight_caveats(stage: Stage) -> None:
    """A link with eight caveats reads, and one with nine is too-large."""
    vendor, partner = await _vendor(stage)
    iri = "https://w3id.org/freehold/v1#"
    caveats = [{"type": f"{iri}CountLimit", f"{iri}reads": 100 + number} for number in range(9)]
    caveats.sort(key=jcs)
    fits = vendor.delegate("/delivery", key=partner, caveats=caveats[:8])
    expect_status(await fits.get("/delivery/records"), 200)
    over = vendor.delegate("/delivery", key=partner, caveats=caveats)
    expect_problem(await over.get("/delivery/records"), *_TOO_LARGE)


@topic.check("HTTP-24", "CAP-24")
async def a_capability_lives_seven_days(stage: Stage) -> None:
    """What a node issues ends in seven days, or with the grant if that is sooner."""
    shown = await stage.person(name="Ada")
    vendor = await stage.relate([shown.permission("delivery", ["name"])])
    left = from_xsd_time(vendor.capability["expires"]) - stage.now()
    expect(7 * DAY_S - 120 < left <= 7 * DAY_S, f"a capability that lives {left:.0f} s")
    short = await stage.relate([shown.permission("delivery", ["name"])], expires_s=stage.now() + DAY_S)
    ends = (await stage.owner.grant(short.grant))["expires"]
    expect_equal(short.capability["expires"], ends, "the end of a capability of a short grant")


@topic.check("LIM-1", "HTTP-37")
async def a_partner_has_two_hundred_links(stage: Stage) -> None:
    """200 links in use lead through one partner; the next is capability-invalid, and those in use go on."""
    shown, partner = await stage.person(name="Ada"), Key.fresh()
    wanted = [shown.permission("delivery", ["name"], recipients=[partner.did])]
    vendor = await stage.relate(wanted)
    first = vendor.delegate("/delivery", key=partner)
    expect_status(await first.get("/delivery/records"), 200)
    for _ in range(199):
        expect_status(await vendor.delegate("/delivery", key=partner).get("/delivery/records"), 200)
    refused = await vendor.delegate("/delivery", key=partner).get("/delivery/records")
    expect_problem(refused, 403, "capability-invalid")
    expect_status(await first.get("/delivery/records"), 200)
    expect_status(await vendor.get("/delivery/records"), 200)


# Messages


@topic.check("INV-8", "LIM-1", cases={"by-capability": "zcap", "by-did": "did", "by-owner": "owner"})
async def a_nonce_has_16_to_64_characters(stage: Stage, kind: str) -> None:
    """Nonces of 16 and of 64 characters are taken; those of 15 and 65 are not of the form."""
    vendor, _ = await _vendor(stage)

    async def sent(length: int) -> Answer:
        nonce = (message.nonce() * 3)[:length]
        if kind == "owner":
            return await stage.owner.send("GET", "/status", nonce_=nonce)
        if kind == "did":
            return await vendor.by_did("GET", vendor.path(), nonce_=nonce)
        return await vendor.get("/delivery/records", nonce_=nonce)

    refusal = (401, "not-authenticated") if kind == "owner" else _MALFORMED
    for length, good in ((16, True), (64, True), (15, False), (65, False)):
        if good:
            expect_status(await sent(length), 200)
        else:
            expect_problem(await sent(length), *refusal)


@topic.check("INV-14", "LIM-1", profile=Profile.EZCAP)
async def an_authorization_has_a_length(stage: Stage) -> None:
    """An Authorization of 1,025 characters is too-large, and one of 1,024 is looked at."""
    vendor, _ = await _vendor(stage)
    target = vendor.path("/delivery/records")
    signed = message.invoke_ezcap(
        vendor.key, vendor.capability, "GET", vendor.origin + target, created_s=stage.now()
    )
    value = signed["authorization"]
    expect_status(await stage.wire.send("GET", target, signed), 200)
    for length, refusal in ((1_024, _MALFORMED), (1_025, _TOO_LARGE)):
        longer = value + "," + "x" * (length - len(value) - 1)
        answer = await stage.wire.send("GET", target, signed | {"authorization": longer})
        expect_problem(answer, *refusal)


@topic.check("HTTP-35", "LIM-1")
async def a_read_keeps_within_its_bounds(stage: Stage) -> None:
    """Pages of 1 to 100 records, 64 fields and 4,096 characters of query pass; one more is refused with its code."""
    vendor, _ = await _vendor(stage)
    for limit, good in (
        ("1", True),
        ("100", True),
        ("0", False),
        ("101", False),
        ("-1", False),
        ("1.5", False),
        ("", False),
    ):
        answer = await vendor.get(f"/delivery/records?limit={limit}")
        if good:
            expect_status(answer, 200)
        else:
            expect_problem(answer, *_MALFORMED)
    many = ",".join(_PATHS[:64])
    expect_problem(await vendor.get(f"/delivery/records?fields={many}"), 403, "not-shared")
    expect_problem(await vendor.get(f"/delivery/records?fields={many},{_PATHS[64]}"), *_TOO_LARGE)
    start = "where=%7B%22name%22%3A%22Ada%22%7D"
    spaces = "%20" * ((4_096 - len(start)) // 3)
    fits = start + spaces
    expect_status(await vendor.get(f"/delivery/records?{fits}"), 200)
    over = fits + "%20" * 2
    expect_problem(await vendor.get(f"/delivery/records?{over}"), *_TOO_LARGE)


@topic.check("HTTP-28", "LIM-1")
async def a_page_of_the_ledger_has_500_entries_at_most(stage: Stage) -> None:
    """A limit over 500 counts as 500, and what is no whole number is malformed."""
    vendor, _ = await _vendor(stage)
    for limit in ("500", "501", "100000", "1"):
        page = object_of(expect_status(await vendor.get(f"/ledger/entries?limit={limit}"), 200))
        expect(0 < len(page["entries"]) <= min(int(limit), 500), f"{len(page['entries'])} entries")
    for wrong in ("x", "-1", "1e3", "%31"):
        answer = await vendor.get(f"/ledger/entries?limit={wrong}")
        expect(wrong == "%31" or answer.status == 400, f"status {answer.status} for the limit {wrong}")
        if wrong != "%31":
            expect_problem(answer, *_MALFORMED)


@topic.check("MOV-5", "LIM-1", profile=Profile.MOVING)
async def a_grant_has_four_origins(stage: Stage) -> None:
    """Three origins are added to the one that a grant has, and the next is a conflict."""
    shown = await stage.person(name="Ada")
    vendor = await stage.relate([shown.permission("delivery", ["name"])])
    body = {"grants": [vendor.grant], "passphrase": stage.owner.passphrase}
    for number in range(3):
        done = await stage.owner.do("POST", "/origins", body | {"origin": f"https://new{number}.example"})
        expect_equal(done["added"], [vendor.grant], "what was added")
    again = await stage.owner.do("POST", "/origins", body | {"origin": "https://new0.example"})
    expect_equal((again["added"], again["had"]), ([], [vendor.grant]), "what was added again")
    over = await stage.owner.send("POST", "/origins", body | {"origin": "https://new3.example"})
    expect_problem(over, 409, "conflict")
    expect_equal(len((await stage.owner.grant(vendor.grant))["statements"]), 3, "statements")


@topic.check("HTTP-54", "LIM-1", profile=Profile.EVENTS)
async def streams_have_their_number(stage: Stage) -> None:
    """A holder has four open streams and a grant sixteen; the next is a conflict, until one is closed."""
    shown = await stage.person(name="Ada")
    partners = [Key.fresh() for _ in range(4)]
    wanted = [shown.permission("delivery", ["name"], recipients=[one.did for one in partners])]
    vendor = await stage.relate(wanted)
    async with AsyncExitStack() as opened:
        for _ in range(4):
            stream = await opened.enter_async_context(vendor.listen("/delivery"))
            expect_equal(stream.answer.status, 200, "status of a stream")
        async with vendor.listen("/delivery") as fifth:
            expect_problem(fifth.answer, 409, "conflict")
        async with AsyncExitStack() as others:
            for one in partners[:3]:
                courier = vendor.delegate("/delivery", key=one)
                for _ in range(4):
                    stream = await others.enter_async_context(courier.listen("/delivery"))
                    expect_equal(stream.answer.status, 200, "status of a partner's stream")
            late = vendor.delegate("/delivery", key=partners[3])
            async with late.listen("/delivery") as over:
                expect_problem(over.answer, 409, "conflict")
        for _ in range(100):
            if (await stage.owner.grant(vendor.grant))["listening"] <= 4:
                break
            await asyncio.sleep(0.1)
        async with late.listen("/delivery") as again:
            expect_equal(again.answer.status, 200, "status after streams were closed")


@topic.check("HTTP-20", "LIM-1", slow=True)
async def nobody_waits_longer_than_30_s(stage: Stage) -> None:
    """Whoever prefers to wait for an hour is answered after 30 s, and whoever prefers 1 s after that."""
    asked = await stage.ask(Key.fresh(), [permission("delivery", ["name"], about="any")])
    for prefer, least_s, most_s in (("wait=1", 0.9, 5), ("wait=3600", 28, 40)):
        began = stage.now()
        expect_status(await asked.follow(headers={"prefer": prefer}), 200)
        took_s = stage.now() - began
        expect(least_s < took_s < most_s, f"an answer after {took_s:.0f} s")
    await stage.owner.refuse(asked.id)


@topic.check("HTTP-18", "LIM-1", slow=True)
async def a_thousand_requests_wait(stage: Stage) -> None:
    """When 1,000 requests wait the next is a conflict, its invitation stays good, and room is made by deciding."""
    key, wanted = Key.fresh(), [permission("delivery", ["name"], about="any")]
    taken: list[str] = []
    invitation = await stage.owner.invite()
    try:
        for _ in range(1_001):
            answer = await stage.post_request(await stage.owner.invite(), stage.request(key, wanted))
            if answer.status != 202:
                break
            taken.append(object_of(answer)["request"].rpartition("/")[2])
        expect_problem(answer, 409, "conflict")
        waiting = (await stage.owner.do("GET", "/status"))["requests"]["waiting"]
        expect_equal(waiting, 1_000, "requests that wait")
        last = stage.request(key, wanted)
        expect_problem(await stage.post_request(invitation, last), 409, "conflict")
        await stage.owner.refuse(taken.pop())
        told = object_of(expect_status(await stage.post_request(invitation, last), 202))
        taken.append(told["request"].rpartition("/")[2])
    finally:
        await stage.owner.do("POST", "/revocations", {"vendor": key.did})
    expect_equal((await stage.owner.do("GET", f"/requests/{taken[0]}"))["status"], "refused", "status")


@topic.check("HTTP-27", "LIM-1", slow=True)
async def a_grant_has_a_thousand_revocations(stage: Stage) -> None:
    """After 1,000 revocations under a grant the next one of a holder's is a conflict; those before hold."""
    shown, partner = await stage.person(name="Ada"), Key.fresh()
    wanted = [shown.permission("delivery", ["name"], recipients=[partner.did])]
    vendor = await stage.relate(wanted)
    last = None
    for _ in range(1_000):
        last = vendor.delegate("/delivery", key=partner)
        expect_status(await vendor.renounce(last.capability), 204)
    over = vendor.delegate("/delivery", key=partner)
    expect_problem(await vendor.renounce(over.capability), 409, "conflict")
    if last is not None:
        expect_problem(await last.get("/delivery/records"), 403, "revoked")
    expect_equal(
        (await stage.owner.revoke(vendor.grant, partner=partner.did))["revoked"], True, "the person's word"
    )
    expect_problem(await over.get("/delivery/records"), 403, "revoked")
