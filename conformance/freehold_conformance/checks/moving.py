"""Moving: the person's signed word that a grant is reached at another origin too, and what it does not change."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Final

from ..cast.holder import Holder
from ..cast.life import Life
from ..cast.stage import Stage
from ..check import Profile, Topic, expect, expect_equal, expect_problem, expect_status, object_of
from ..hands import proof, receipt
from ..hands.encoding import Document, Json, cid, from_xsd_time
from ..hands.keys import Key
from ..wire import Answer

topic = Topic(profile=Profile.MOVING)

_UNKNOWN: Final = "00000000-0000-4000-8000-000000000000"
_MEMBERS: Final = ["@context", "created", "grant", "nonce", "origins", "proof", "type"]


def _elsewhere() -> str:
    """Return an origin that nobody has named before."""
    return f"https://{secrets.token_hex(8)}.example"


async def _add(stage: Stage, origin: Json, *grants: str, **more: Json) -> Answer:
    """State that grants are reached at an origin too."""
    body = {"origin": origin, "grants": list(grants), "passphrase": stage.owner.passphrase, **more}
    return await stage.owner.send(
        "POST", "/origins", {name: one for name, one in body.items() if one is not None}
    )


async def _added(stage: Stage, origin: str, *grants: str) -> Document:
    return object_of(expect_status(await _add(stage, origin, *grants), 200))


async def _statements(life: Life) -> list[Document]:
    """Return the statements as the vendor is told them, each verified."""
    told = await life.vendor.told()
    version = told["receipt"]["versions"][-1]
    found: list[Document] = told["statements"]
    for one in found:
        expect_equal(sorted(one), _MEMBERS, "members of a statement")
        expect_equal((one["@context"], one["type"]), (proof.CONTEXT, "Moved"), "context and type")
        expect_equal(one["grant"], version["id"], "the grant it is about")
        expect(proof.is_proven(one, version["assigner"]), "not signed by the decision key that stands")
        expect_equal(one["proof"].get("created"), one["created"], "time of the proof")
        expect(re.fullmatch(r"[A-Za-z0-9_-]{22,64}", one["nonce"]) is not None, "a nonce of another form")
        from_xsd_time(one["created"])
    return found


@topic.check("MOV-1", "MOV-9", "MOV-10", "MOV-3", "HTTP-61")
async def a_statement_adds_an_origin(stage: Stage) -> None:
    """The statement names the grant and the origin, is signed by the decision key, and goes to the vendor."""
    life, origin = await Life.begin(stage), _elsewhere()
    done = await _added(stage, origin, life.grant)
    expect_equal(done, {"origin": origin, "added": [life.grant], "had": []}, "what is said of it")
    [stated] = await _statements(life)
    expect_equal(stated["origins"], [origin], "the origins that it adds")
    expect_equal((await life.standing())["statements"], [stated], "the statements, as the owner sees them")
    by_capability = object_of(expect_status(await life.vendor.get(), 200))
    expect_equal(by_capability["statements"], [stated], "the statements under the capability")
    later = await life.vendor.by_did("GET", life.vendor.path("?from=1"))
    expect_equal(object_of(later)["statements"], [stated], "the statements beside later versions")


@topic.check("MOV-9", "LED-4")
async def a_statement_has_its_entry(stage: Stage) -> None:
    """For each statement the ledger has an entry that names its CID, and the version that stands."""
    life = await Life.begin(stage)
    for _ in range(2):
        await _added(stage, _elsewhere(), life.grant)
    stated = await _statements(life)
    entries = [one for one in await life.entries() if one["kind"] == "changed"][1:]
    expect_equal([one["change"] for one in entries], ["move", "move"], "changes in the ledger")
    expect_equal(
        [one["statement"] for one in entries], [cid(one) for one in stated], "statements in the entries"
    )
    version = (await life.versions())[-1]
    expect_equal(
        {(one["grant"], one["version"]) for one in entries}, {(cid(version), 1)}, "the version that stands"
    )


@topic.check("MOV-2")
async def a_statement_changes_nothing_else(stage: Stage) -> None:
    """A statement is no version; the capability that is held reads on, and shows the same."""
    life = await Life.begin(stage)
    versions, page = await life.versions(), await life.vendor.read("delivery")
    await _added(stage, _elsewhere(), life.grant)
    expect_equal(await life.versions(), versions, "the versions")
    expect_equal(await life.vendor.read("delivery"), page, "the page")
    expect_equal((await life.standing())["state"], "live", "state")


@topic.check("MOV-9")
async def what_a_grant_has_is_not_stated(stage: Stage) -> None:
    """Where a grant has the origin, by itself or by a statement, nothing is stated."""
    life, origin = await Life.begin(stage), _elsewhere()
    own = await _added(stage, stage.origin, life.grant)
    expect_equal(own, {"origin": stage.origin, "added": [], "had": [life.grant]}, "of the grant's own origin")
    await _added(stage, origin, life.grant)
    again = await _added(stage, origin, life.grant)
    expect_equal(again, {"origin": origin, "added": [], "had": [life.grant]}, "of one that was added")
    expect_equal(len(await _statements(life)), 1, "statements")
    expect_equal(len([one for one in await life.entries() if one.get("change") == "move"]), 1, "entries")


@topic.check("MOV-5", "MOV-9")
async def a_grant_has_four_origins_at_most(stage: Stage) -> None:
    """A fifth origin is a conflict, for all the grants that are named: none of them gets it."""
    full, other = await Life.begin(stage), await Life.begin(stage)
    have = len((await full.versions())[0]["origins"])
    for _ in range(4 - have):
        await _added(stage, _elsewhere(), full.grant)
    before = await full.standing(), await other.standing()
    expect_problem(await _add(stage, _elsewhere(), full.grant, other.grant), 409, "conflict")
    expect_problem(await _add(stage, _elsewhere(), other.grant, full.grant), 409, "conflict")
    expect_equal((await full.standing(), await other.standing()), before, "the grants afterwards")
    await _added(stage, _elsewhere(), other.grant)


@topic.check("MOV-9", "HTTP-44")
async def a_statement_takes_the_passphrase(stage: Stage) -> None:
    """Without the passphrase, or with a wrong one, nothing is stated."""
    life, origin = await Life.begin(stage), _elsewhere()
    before = await life.standing()
    right = stage.owner.passphrase
    for wrong in (None, "", right + "x", 7):
        expect_problem(await _add(stage, origin, life.grant, passphrase=wrong), 403, "passphrase-wrong")
    expect_equal(await life.standing(), before, "the grant afterwards")
    await _added(stage, origin, life.grant)


_NO_ORIGINS: Final = {
    "no-scheme": "shop.example", "another-scheme": "ftp://shop.example", "a-path": "https://shop.example/a",
    "closing-slash": "https://shop.example/", "a-user": "https://a@shop.example",
    "the-port-that-goes-without-saying": "https://shop.example:443", "port-zero": "https://shop.example:0",
    "port-too-high": "https://shop.example:65536", "leading-zero": "https://shop.example:0443",
    "http-with-a-name": "http://shop.example", "http-with-localhost": "http://localhost:8420",
    "http-in-a-network": "http://10.0.0.1:8420", "a-query": "https://shop.example?a",
        "a-fragment": "https://shop.example#a",
    "space": "https://shop.example ", "empty": "", "no-host": "https://", "dots": "https://..",
        "underscore": "https://a_b.example",
    "http-loopback-of-three": "http://127.1:8420", "http-loopback-port-80": "http://127.0.0.1:80",
    "percent": "https://shop%2eexample", "ideograph": "https://例.example", "array": ["https://shop.example"],
        "null": None, "number": 7,
}  # fmt: skip


@topic.check("GRA-2", "MOV-1", cases=_NO_ORIGINS)
async def what_is_no_origin_is_not_stated(stage: Stage, origin: Json) -> None:
    """An origin has one spelling, and any other is malformed."""
    life = await stage.once("a grant that does not move", lambda: Life.begin(stage))
    expect_problem(await _add(stage, origin, life.grant), 400, "malformed")
    expect_equal(await _statements(life), [], "statements")
    done = await _added(stage, stage.origin, life.grant)
    expect_equal(done["had"], [life.grant], "what is said of an origin of the form")


_ORIGINS: Final = {
    "a-name": "https://{}.example", "a-port": "https://{}.example:8443", "loopback": "http://127.0.0.2:18420",
    "ipv6": "https://[2001:db8::1]", "an-address": "https://192.0.2.7",
}  # fmt: skip


@topic.check("GRA-2", "MOV-4", "MOV-10", cases=_ORIGINS)
async def an_origin_of_the_form_is_stated(stage: Stage, origin: str) -> None:
    """An origin need not be the node's yet; one at loopback only where the grant is at one already."""
    life = await Life.begin(stage)
    named = origin.format(secrets.token_hex(6))
    at_loopback = stage.origin.startswith(("http://", "https://127.", "https://[::1]", "https://localhost"))
    if "127." in origin and not at_loopback:
        expect_problem(await _add(stage, named, life.grant), 400, "malformed")
        return
    await _added(stage, named, life.grant)
    [stated] = await _statements(life)
    expect_equal(stated["origins"], [named], "the origins that it adds")


@topic.check("GRA-2", "MOV-1")
async def what_is_stated_is_in_one_spelling(stage: Stage) -> None:
    """An origin in capital letters is refused, or stated in the spelling in which it is compared."""
    life, name = await Life.begin(stage), secrets.token_hex(8)
    answer = await _add(stage, f"HTTPS://{name}.Example:8443", life.grant)
    stated = [origin for one in await _statements(life) for origin in one["origins"]]
    if answer.status == 200:
        expect_equal(object_of(answer)["origin"], f"https://{name}.example:8443", "what is said of it")
        expect_equal(stated, [f"https://{name}.example:8443"], "the origins that were added")
    else:
        expect_problem(answer, 400, "malformed")
        expect_equal(stated, [], "the origins that were added")


@topic.check("MOV-9", cases={"unknown": "unknown", "ended": "ended", "expired": "expired"})
async def what_is_over_does_not_move(stage: Stage, state: str) -> None:
    """A grant that is over or that there is not is not-found, and with it no other grant moves."""
    other = await Life.begin(stage)
    grant = _UNKNOWN if state == "unknown" else (await Life.in_state(stage, state)).grant
    expect_problem(await _add(stage, _elsewhere(), other.grant, grant), 404, "not-found")
    expect_equal(await _statements(other), [], "statements")


@topic.check("MOV-9", "MOV-2")
async def a_paused_grant_moves_and_stays_paused(stage: Stage) -> None:
    """A grant that is paused moves too, and is no more readable than before."""
    life, origin = await Life.in_state(stage, "paused"), _elsewhere()
    await _added(stage, origin, life.grant)
    [stated] = await _statements(life)
    expect_equal(stated["origins"], [origin], "the origins that it adds")
    expect_problem(await life.vendor.get("/delivery/records"), 403, "grant-paused")


@topic.check("MOV-10", "RCP-7")
async def a_partner_is_not_told_of_a_move(stage: Stage) -> None:
    """Statements go to the vendor; a partner and a stranger are not told."""
    partner = Key.fresh()
    shown = await stage.person(name="Ada")
    vendor = await stage.relate([shown.permission("delivery", ["name"], recipients=[partner.did])])
    origin = _elsewhere()
    await _added(stage, origin, vendor.grant)
    held = vendor.delegate("/delivery", key=partner)
    told = expect_status(await held.get("/delivery"), 200)
    expect(origin.encode() not in told.body, "the partner is told the origin")
    expect("statements" not in object_of(told), "the partner is told statements")
    expect_problem(await vendor.delegate(key=partner).get(), 403, "not-shared")
    for key in (partner, Key.fresh()):
        expect_problem(await vendor.by_did("GET", vendor.path(), key=key), 404, "not-found")
    ledger = object_of(expect_status(await held.get("/delivery/ledger/entries"), 200))["entries"]
    expect(all(one.get("entry", {}).get("change") != "move" for one in ledger), "the partner sees the entry")


@topic.check("MOV-6", "MOV-7", "MOV-14")
async def a_capability_is_good_at_its_own_origin(stage: Stage) -> None:
    """What was issued for one origin is good there alone; a new one is for the node's own origin."""
    life, origin = await Life.begin(stage), _elsewhere()
    for step in ("before", "after"):
        moved = await life.vendor.get(
            "/delivery/records", uri=f"{origin}{life.vendor.path('/delivery/records')}"
        )
        expect_problem(moved, 401, "signature-invalid")
        link = life.vendor.delegate(target=f"{origin}/g/{life.grant}", key=life.vendor.key)
        elsewhere = Holder(
            wire=stage.wire, key=link.key, capability=link.capability, origin=origin, grant=life.grant
        )
        expect_problem(
            await elsewhere.get("/delivery/records"), 403, "capability-widened", "capability-invalid"
        )
        await life.vendor.read("delivery")
        if step == "before":
            await _added(stage, origin, life.grant)
    fresh = object_of(expect_status(await life.vendor.renew(), 200))["capability"]
    expect_equal(fresh["invocationTarget"], f"{stage.origin}/g/{life.grant}", "target of a new capability")


@topic.check("ROT-8", "MOV-3")
async def new_keys_state_anew_what_was_stated(stage: Stage) -> None:
    """After a change of keys one statement, by the new decision key, names all origins that were added, in order."""
    life = await Life.begin(stage)
    origins = [_elsewhere() for _ in range(2)]
    for origin in origins:
        await _added(stage, origin, life.grant)
    before = await _statements(life)
    expect_equal(
        [one["origins"] for one in before], [[origin] for origin in origins], "origins in the statements"
    )
    await stage.owner.change(life.grant, "rotate")
    [stated] = await _statements(life)
    expect_equal(stated["origins"], origins, "origins in the one statement")
    expect(stated["nonce"] not in {one["nonce"] for one in before}, "a nonce that came before")
    third = _elsewhere()
    await _added(stage, third, life.grant)
    expect_equal(
        [one["origins"] for one in await _statements(life)], [origins, [third]], "origins after another"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    grant: Document
    own: list[str]


async def _listed(stage: Stage, grant: str) -> _Listed:
    """Return what the owner is shown of where a grant is reached; nothing of one that is over."""
    told = await stage.owner.do("GET", "/origins")
    expect_equal(sorted(told), ["grants", "origins"], "members of the answer")
    found = [one for one in told["grants"] if one["grant"] == grant]
    return _Listed(grant=found[0] if found else {}, own=told["origins"])


@topic.check("MOV-5", "MOV-9")
async def the_owner_sees_where_each_grant_is_reached(stage: Stage) -> None:
    """The owner is shown of each grant that goes on its effective origins, the added ones, and the node's own."""
    life, origin = await Life.begin(stage), _elsewhere()
    await _added(stage, origin, life.grant)
    listed = await _listed(stage, life.grant)
    expect(bool(listed.grant), "the grant is not listed")
    own = (await life.versions())[0]["origins"]
    wanted = {
        "grant": life.grant, "vendor": listed.grant["vendor"], "state": "live", "origins": [*own, origin],
        "moved": [origin], "reached": [one for one in listed.own if one in own],
    }  # fmt: skip
    expect_equal(listed.grant, wanted, "what is said of the grant")
    await stage.owner.change(life.grant, "end")
    expect_equal((await _listed(stage, life.grant)).grant, {}, "a grant that has ended")


@topic.check("MOV-9", "MOV-5", alone=True)
async def all_grants_move_at_once(stage: Stage) -> None:
    """Where no grants are named, all that are live or paused move, in one transaction; if one cannot, none does."""
    stage.forget()
    await stage.owner.do("POST", "/revocations", {"everything": True})
    lives = [await Life.begin(stage), await Life.in_state(stage, "paused")]
    ended = await Life.in_state(stage, "ended")
    done = object_of(expect_status(await _add_to_all(stage, origin := _elsewhere()), 200))
    expect_equal(
        (set(done["added"]), done["had"]), ({life.grant for life in lives}, []), "the grants that moved"
    )
    for life in lives:
        [stated] = await _statements(life)
        expect_equal(stated["origins"], [origin], "the origins that it adds")
    expect_equal(await _statements(ended), [], "statements of a grant that is over")
    for _ in range(3 - len((await lives[0].versions())[0]["origins"])):
        await _added(stage, _elsewhere(), lives[0].grant)
    before = await lives[1].standing()
    expect_problem(await _add_to_all(stage, _elsewhere()), 409, "conflict")
    expect_equal(await lives[1].standing(), before, "the grant that had room")


async def _add_to_all(stage: Stage, origin: str) -> Answer:
    body = {"origin": origin, "passphrase": stage.owner.passphrase}
    return await stage.owner.send("POST", "/origins", body)


@topic.check("MOV-1", "IDN-9")
async def two_relationships_move_by_two_statements(stage: Stage) -> None:
    """Two grants that move together have statements of their own, with nothing in common but the origin."""
    one, other = await Life.begin(stage), await Life.begin(stage)
    await _added(stage, _elsewhere(), one.grant, other.grant)
    [first], [second] = await _statements(one), await _statements(other)
    for name in ("grant", "nonce"):
        expect(first[name] != second[name], f"two statements with one {name}")
    expect(
        first["proof"]["verificationMethod"] != second["proof"]["verificationMethod"],
        "two statements by one key",
    )
    receipt.signers((await one.vendor.told())["receipt"])
