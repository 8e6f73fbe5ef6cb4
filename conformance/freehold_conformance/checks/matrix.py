"""Every action in every state of a grant and of each link, by everyone who holds one.

The cells are made of the tables of ``matrix_rules``: each is a check of its own, and its outcome follows from what
stands first against it. In each cell that is refused, no data comes and no entry says that it was admitted; in each
that is admitted, exactly what the state shows comes, and one entry says so.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ..cast.holder import Holder
from ..cast.stage import Stage
from ..cast.trace import Sent, expect_admitted, expect_counted, expect_not_admitted, expect_refused, send
from ..check import Profile, Topic, expect, expect_equal, expect_problem, expect_status, object_of
from ..hands import proof
from ..hands.encoding import Document, from_xsd_time
from ..hands.keys import Key
from ..hands.released import projected
from .matrix_rules import (
    ACTIONS,
    EXPIRED,
    FAULTS,
    NOT_SHARED,
    NOT_YET,
    PARTIES,
    STALE_CURSOR,
    STATES,
    Action,
    Fault,
    Rule,
    State,
    chain_of,
    first,
    where_ada,
)
from .matrix_scene import Scene, bare, open_scene

topic = Topic()

_BRIEF: Final = ("page", "head-of-page", "listen", "status")
"""What is done in a state that is a variant of another."""
_FAULTY: Final = ("page", "head-of-page", "record", "fields", "listen", "grant", "status", "entries")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Who does what, in which state."""

    action: str
    state: str
    party: str

    @property
    def does(self) -> Action:
        return ACTIONS[self.action]

    @property
    def stands(self) -> State:
        return STATES[self.state]

    @property
    def chain(self) -> tuple[str, ...]:
        return chain_of(self.party)

    @property
    def fields(self) -> tuple[str, ...]:
        """What is shown of each record."""
        return tuple(path for path in self.does.fields if path in self.stands.fields)

    @property
    def shows(self) -> tuple[int, ...]:
        """Which of the people come, by their number."""
        everyone = (0, 1, 2) if self.stands.late else (0, 1)
        return everyone if self.does.shows is None else self.does.shows

    @property
    def is_as_before(self) -> bool:
        """Whether a page shows what it showed before the state came about."""
        return self.stands.fields == self.does.fields and not self.stands.late

    def rule(self) -> Rule | None:
        """Return the refusal that this must be answered with, None if it must pass."""
        does, stands = self.does, self.stands
        found = first(stands.against(self.chain, whole=not does.vendors), does.steps)
        if found is None and does.vendors and self.party != "vendor":
            return NOT_SHARED
        is_stale = does.old and "{cursor}" in does.path and stands.moved
        return STALE_CURSOR if found is None and is_stale else found


def _cells(*kinds: str) -> dict[str, Cell]:
    def made() -> Iterator[Cell]:
        for state, stands in STATES.items():
            for action, does in ACTIONS.items():
                if does.kind in kinds and (not stands.like or action in _BRIEF):
                    yield from (Cell(action=action, state=state, party=party) for party in PARTIES)

    return {f"{one.action} by the {one.party}, {one.state}": one for one in made()}


async def scene_in(stage: Stage, state: str, apart: str = "") -> Scene:
    """Return the scene in a state; one for all cells, none of which changes it, but those that are apart."""
    return await stage.once(f"matrix {state}{apart}", lambda: _make(stage, STATES[state]))


async def _make(stage: Stage, state: State) -> Scene:
    scene = await open_scene(stage, **state.opening)
    await state.make(scene)
    await asyncio.sleep(max(0, scene.opened + state.waits_s - time.monotonic()))
    if state.stops is EXPIRED:  # it is committed by whichever comes first, and shown from then on
        expect_problem(await scene.holders["vendor"].get("/whole/records"), 403, EXPIRED.code)
    return scene


async def _below(scene: Scene, cell: Cell, *, passes: bool) -> str:
    """Return the path and query of a cell; a cursor of now only where there is one to be had."""
    does = cell.does
    cursor = scene.cursor.get(cell.party, "none")
    if "{cursor}" in does.path and passes and not does.old:
        cursor = (await scene.holders[cell.party].read("whole", "?limit=1"))["next"]
    alias = scene.alias or "zUnknown"
    return does.path.format(permission="whole", alias=alias, cursor=cursor, where=where_ada(scene))


@topic.check("HTTP-38", "HTTP-31", "HTTP-32", "HTTP-63", "LED-5", "HTTP-37", "SEC-4", cases=_cells("read"))
async def reading_goes_by_the_state(stage: Stage, cell: Cell) -> None:
    """A read shows exactly what the state shows, with one entry, or is refused with the first rule's code."""
    scene = await scene_in(stage, cell.state)
    holder, does, rule = scene.holders[cell.party], cell.does, cell.rule()
    below = await _below(scene, cell, passes=rule is None)
    headers, etag = {}, scene.etag or '"none"'
    plain = await holder.get(below) if rule is None and (does.conditional or does.method == "HEAD") else None
    if does.conditional:
        etag = plain.headers["etag"] if plain and not does.old else etag
        headers = {"if-none-match": etag}
    sent = await send(holder, below, method=does.method, headers=headers)
    if rule is not None:
        await expect_refused_by(scene, sent, rule)
        return
    unchanged = does.conditional and (not does.old or cell.is_as_before)
    expect_status(sent.answer, 304 if unchanged else 200)
    page = object_of(plain if plain is not None else sent.answer)
    _expect_shown(scene, page, cell)
    expect_admitted(
        await scene.ledger(), sent, fields=cell.fields, count=len(cell.shows), version=cell.stands.version,
        page=page, status=304 if unchanged else 200,
    )  # fmt: skip
    expect("etag" in sent.answer.headers, "no ETag")
    if unchanged or does.method == "HEAD":
        expect_equal(sent.answer.body, b"", "body")


def _expect_shown(scene: Scene, page: Document, cell: Cell) -> None:
    """Check that a page, or one document, is signed and shows just this."""
    people = [*scene.people, scene.late]
    single = "{alias}" in cell.does.path
    items = [page] if single else page["items"]
    wanted = [projected(people[one], cell.fields) for one in cell.shows]
    expect([bare(one) for one in items] == wanted, "the records are not what the state shows")
    for one in (page, *items):
        expect(proof.is_proven(one, page["issuer"]), "a proof does not verify")
    if not single:
        goes_on = "?limit=1" in cell.does.path and cell.shows[-1] < (2 if cell.stands.late else 1)
        members = {"@context", "type", "issuer", "items", "proof"} | ({"next"} if goes_on else set())
        expect_equal(set(page), members, "members of the page")


async def expect_refused_by(scene: Scene, sent: Sent, rule: Rule, *, known: bool = True) -> None:
    """Check a refusal, that nothing came with it, and what the ledger says of it."""
    expect_refused(sent, rule.status, rule.code, hidden=scene.hidden)
    ledger = await scene.ledger()
    expect_not_admitted(ledger, sent)
    if rule.step >= 9:
        expect_counted(ledger, sent, rule.code, known=known)


@topic.check("HTTP-46", "HTTP-53", "HTTP-64", profile=Profile.EVENTS, cases=_cells("listen"))
async def listening_goes_by_the_state(stage: Stage, cell: Cell) -> None:
    """A stream opens, with ``ready``, exactly where a read would come as far."""
    scene = await scene_in(stage, cell.state)
    holder, rule = scene.holders[cell.party], cell.rule()
    async with holder.listen("" if cell.does.vendors else "/whole") as stream:
        if rule is not None:
            expect_problem(stream.answer, rule.status, rule.code)
            return
        expect_status(stream.answer, 200)
        expect_equal(stream.answer.headers.get("content-type"), "text/event-stream", "content type")
        event = await stream.next(10)
        expect(event is not None and event.name == "ready", "a stream that does not begin with ready")


@topic.check("HTTP-22", "HTTP-23", "HTTP-29", cases=_cells("inspect", "follow"))
async def a_grant_explains_itself_in_every_state(stage: Stage, cell: Cell) -> None:
    """How a grant stands, and its ledger, answer in every state, but not under a dead link; and leave no entry."""
    scene = await scene_in(stage, cell.state)
    holder, does, rule = scene.holders[cell.party], cell.does, cell.rule()
    if does.kind == "follow":
        answer = await holder.by_did("GET", holder.path())
        if cell.party == "vendor":
            _expect_receipt(object_of(expect_status(answer, 200)), cell.stands)
        else:
            expect_problem(answer, 404, "not-found")
        return
    sent = await send(holder, does.path.format(permission="whole"))
    expect_not_admitted(await scene.ledger(), sent)
    if rule is not None:
        expect_refused(sent, rule.status, rule.code, hidden=scene.hidden)
        return
    found = object_of(expect_status(sent.answer, 200))
    expect("checkpoint" in found, "no checkpoint")
    if cell.action == "grant":
        _expect_receipt(found, cell.stands)
    elif cell.action == "status":
        _expect_status(found, cell)


def _expect_receipt(found: Document, state: State) -> None:
    versions = found["receipt"]["versions"]
    expect_equal(len(versions), state.version, "versions in the receipt")
    expect_equal(versions[-1]["state"], state.says, "the state that the newest version says")


def _expect_status(found: Document, cell: Cell) -> None:
    status = found["status"]
    expect(proof.is_proven(status, found["servingKey"]), "the status is not proven by the serving key")
    expect_equal((status["state"], status["version"]), (cell.stands.says, cell.stands.version), "the status")
    given = not cell.stands.loses and not set(cell.stands.drops) & set(cell.chain)
    names = [one["name"] for one in status.get("permission", [])]
    expect_equal(names, ["whole"] if given else [], "the permission in the status")


@topic.check("HTTP-24", "HTTP-25", cases=_cells("renew"))
async def only_the_vendor_of_a_live_grant_renews(stage: Stage, cell: Cell) -> None:
    """The vendor gets a capability that reads while the grant is live, a partner never."""
    scene = await scene_in(stage, cell.state)
    holder, stops = scene.holders[cell.party], cell.stands.stops
    answer = await holder.by_did("POST", holder.path("/renew"))
    if cell.party != "vendor":
        expect_problem(answer, 404, "not-found")
    elif stops is not None and stops is not NOT_YET:
        expect_problem(answer, stops.status, stops.code)
    else:
        fresh = object_of(expect_status(answer, 200))["capability"]
        expect_equal(fresh["controller"], holder.key.did, "the controller of the fresh capability")
        expect_equal(fresh["allowedAction"], ["read"], "its actions")
        expect_equal(fresh["invocationTarget"], f"{holder.origin}{holder.path()}", "its target")
        read = await holder.get("/orders/records", capability=fresh)
        if stops is None:
            expect_status(read, 200)
        else:
            expect_problem(read, stops.status, stops.code)


@topic.check("CAP-29", "HTTP-26", "HTTP-27", cases=_cells("renounce"))
async def a_link_can_be_taken_back_in_every_state(stage: Stage, cell: Cell) -> None:
    """Whoever passed a link on takes it back with success in every state; a stranger finds nothing to take."""
    # Each revocation moves the epoch, and with it the cursors of other cells that are tried meanwhile.
    scene = await scene_in(stage, cell.state, ", and taken back")
    holder = scene.holders[cell.party]
    below = _passed_on(holder)
    expect_problem(await holder.renounce(below.capability, key=Key.fresh()), 404, "not-found")
    for _ in range(2):
        expect_status(await holder.renounce(below.capability), 204)
    if (rule := first(cell.stands.against(cell.chain))) is None:
        expect_problem(await below.get("/whole/records"), 403, "revoked")
        expect_status(await holder.get("/whole/records"), 200)
    else:
        expect_problem(await holder.get("/whole/records"), rule.status, rule.code)


def _passed_on(holder: Holder) -> Holder:
    """Return who holds a link below, made before this one's end, also where that is past."""
    end_s = from_xsd_time(holder.capability["expires"])
    return holder.delegate("/whole", created_s=min(time.time(), end_s - 1), expires_s=end_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Faulty:
    """Who does what, wrongly."""

    cell: Cell
    fault: Fault


def _faulty() -> dict[str, Faulty]:
    return {
        f"{action} by the {party}, {name}": Faulty(
            cell=Cell(action=action, state="live", party=party), fault=fault
        )
        for name, fault in FAULTS.items()
        for action in _FAULTY
        for party in PARTIES
    }


@topic.check("INV-12", "HTTP-9", "INV-2", "HTTP-11", "HTTP-63", "SEC-1", cases=_faulty())
async def what_is_not_the_holder_s_own_request_is_refused(stage: Stage, faulty: Faulty) -> None:
    """A request under another's key, for another target or sent again is refused, and leaves no entry."""
    cell, fault = faulty.cell, faulty.fault
    scene = await scene_in(stage, cell.state)
    holder = scene.holders[cell.party]
    below = await _below(scene, cell, passes=True)
    target = holder.path(below)
    signing = fault.signing(scene, cell.party, target)
    if not fault.twice:
        to = fault.to(scene, target) if fault.to else None
        sent = await send(holder, below, method=cell.does.method, to=to, **signing)
        expect_refused(sent, fault.rule.status, fault.rule.code, hidden=scene.hidden)
        expect_not_admitted(await scene.ledger(), sent)
        return
    signed = holder.signed(cell.does.method, target)
    # Whether the first is taken is for other cells to say; here it only must not be refused as a repetition.
    async with holder.wire.connect() as line:
        await line.write(holder.wire.request(cell.does.method, target, signed))
        head = await line.read_head()
        expect(head.headers.get("freehold-code") != fault.rule.code, "the first one is refused as replayed")
    again = await holder.wire.send(cell.does.method, target, signed)
    expect_status(again, fault.rule.status)
    expect_equal(again.headers.get("freehold-code"), fault.rule.code, "code of the repetition")
    expect(
        not {"etag", "freehold-entry"} & again.headers.keys(), "a repetition with the headers of an admission"
    )
