"""Every part of a scope in every state: what each lets through, and what it keeps back, by every action.

A scope is what a grant gives and a link passes on: the permission by name, its type, fields, whom it is about, its
condition, new records, recipients and limits; the times of both; a link's actions, target and caveats.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from ..cast.stage import Stage
from ..cast.trace import expect_admitted, send
from ..check import Profile, Topic, expect, expect_equal, expect_problem, expect_status, object_of
from ..hands.encoding import Document, jcs
from ..hands.released import projected
from .matrix import expect_refused_by, scene_in
from .matrix_rules import (
    ACTION,
    NO_RECIPIENT,
    NOT_SHARED,
    NOT_SHOWN,
    OUTSIDE,
    PURPOSE,
    STATES,
    TARGET,
    USED_UP,
    Rule,
    chain_of,
    first,
)
from .matrix_scene import WHOLE, Scene, bare

topic = Topic()

_STATES: Final = (
    "live", "narrowed", "widened-again", "paused", "resumed", "ended", "expired", "not-begun",
    "vendor-s-link-revoked", "partner-s-link-revoked", "partner-cut-off", "vendor-renounced", "permission-revoked",
    "partner-dropped", "partner-s-link-past",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of a scope, as a request that is within it, or as one that it keeps back.

    Attributes:
        rule: What stands against the request; None where it is within.
        fields: That are shown of each record.
        people: Which of the people are shown, by number; all of them and the late one, if it is their turn, for None.
        signing: How the request is signed besides.
        answers: Whether it is a read that a stream does not share the limit of.
    """

    permission: str = "whole"
    party: str = "vendor"
    query: str = ""
    rule: Rule | None = None
    fields: tuple[str, ...] = ("name",)
    people: tuple[int, ...] | None = None
    signing: tuple[tuple[str, Any], ...] = ()


def _condition(**members: object) -> str:
    return "where=" + quote(jcs(members), safe="")


def _leaf(path: str) -> Part:
    return Part(query=f"fields={path}", fields=(path,), rule=None if path in WHOLE else NOT_SHOWN)


_LEAVES: Final = (
    *WHOLE, "telephone", "jobTitle", "address", "address.streetAddress", "address.addressLocality", "familyName",
)  # fmt: skip

PARTS: Final = {
    "a-permission-that-is-not-given": Part(permission="nothing", rule=NOT_SHARED),
    "type": Part(permission="orders", fields=("orderNumber", "seller.name")),
    **{f"field-{path}": _leaf(path) for path in _LEAVES},
    "fields-of-which-one-is-not-shown": Part(query="fields=name,telephone", rule=NOT_SHOWN),
    "all-fields": Part(fields=WHOLE),
    "condition-on-what-is-not-shown": Part(query=_condition(telephone="+44"), fields=WHOLE, people=()),
    "about": Part(permission="mine"),
    "where": Part(permission="ada", people=(0,)),
    "new-records": Part(permission="coming", people=(0, 1, 2)),
    "recipients-none": Part(permission="other", party="partner", rule=NO_RECIPIENT),
    "recipients-others": Part(party="stranger", rule=NO_RECIPIENT),
    "reads": Part(permission="few", rule=USED_UP),
    "reads-by-a-partner": Part(permission="few", party="partner", rule=USED_UP),
    "rate": Part(permission="rated", rule=USED_UP),
    "rate-by-a-partner": Part(permission="rated", party="further", rule=USED_UP),
    "hours": Part(permission="never", rule=OUTSIDE),
    "action-write": Part(rule=ACTION, signing=(("action", "write"),)),
    "action-answer": Part(rule=ACTION, signing=(("action", "answer"),)),
    "target": Part(party="aimed", rule=TARGET),
    "target-within": Part(permission="orders", party="aimed", fields=("orderNumber", "seller.name")),
    "purpose-caveat": Part(party="purposed", rule=PURPOSE),
    "hours-caveat": Part(party="timed", rule=OUTSIDE),
    "count-caveat": Part(party="counted", rule=USED_UP),
    "rate-caveat": Part(party="slowed", rule=USED_UP),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One part of the scope in one state."""

    part: Part
    state: str

    def rule(self) -> Rule | None:
        """Return the refusal that everything here must be answered with, None if it must pass."""
        part, stands = self.part, STATES[self.state]
        # What the state does to ``whole`` it does to no other permission.
        against = stands.against(chain_of(part.party), whole=part.permission == "whole")
        if part.permission == "whole" and not set(part.fields) <= {*stands.fields, *_hidden(part)}:
            against = (*against, *([NOT_SHOWN] if part.query else []))
        return first((*against, *([part.rule] if part.rule else [])))

    @property
    def shows(self) -> tuple[str, ...]:
        """The fields that are shown here."""
        given = STATES[self.state].fields if self.part.permission == "whole" else self.part.fields
        return tuple(path for path in self.part.fields if path in given)

    def wanted(self, scene: Scene) -> list[Document]:
        """Return the records that a page shows here."""
        if self.part.permission == "orders":
            return [projected(scene.order, self.shows)]
        everyone = [*scene.people, scene.late]
        late = STATES[self.state].late
        people = self.part.people if self.part.people is not None else (0, 1, 2) if late else (0, 1)
        return [projected(everyone[one], self.shows) for one in people]


def _hidden(part: Part) -> tuple[str, ...]:
    """Return the fields of a part that is not asked for by name: narrower is then only less."""
    return WHOLE if not part.query.startswith("fields=") else ()


def _cells() -> dict[str, Cell]:
    def made() -> Iterator[tuple[str, Cell]]:
        for state in _STATES:
            for name, part in PARTS.items():
                yield f"{name}, {state}", Cell(part=part, state=state)

    return dict(made())


@topic.check("HTTP-32", "HTTP-33", "REQ-11", "HTTP-40", "HTTP-63", "SEC-3", cases=_cells())
async def a_scope_holds_in_every_state(stage: Stage, cell: Cell) -> None:
    """What is within a part of the scope comes, exactly; what is beyond is refused, by every way of reading."""
    scene = await scene_in(stage, cell.state)
    holder, part, rule = scene.holders[cell.part.party], cell.part, cell.rule()
    page = f"/{part.permission}/records" + (f"?{part.query}" if part.query else "")
    asked: list[tuple[str, str, dict[str, str]]] = [("GET", page, {}), ("HEAD", page, {})]
    # Where the state decides, that all ways of reading are refused is seen in the cells of the matrix itself.
    if rule is None or rule is part.rule:
        asked.append(("GET", page, {"if-none-match": scene.etag or '"none"'}))
    if rule is not None and rule is part.rule and rule.step < NOT_SHOWN.step and not part.query:
        asked.append(("GET", f"/{part.permission}/records/{scene.alias or 'zUnknown'}", {}))
        asked.append(("GET", f"{page}?fields=name", {}))
    sents = [
        await send(holder, below, method=method, headers=headers, **dict(part.signing))
        for method, below, headers in asked
    ]
    if rule is not None:
        for sent in sents:
            await expect_refused_by(scene, sent, rule, known=part.party != "stranger")
        return
    found = object_of(expect_status(sents[0].answer, 200))
    if part.permission == "mine":
        expect_equal(len(found["items"]), 1, "records about the person")
        expect(scene.tag.encode() not in sents[0].answer.body, "a contact under an item about the person")
    else:
        expect(
            [bare(one) for one in found["items"]] == cell.wanted(scene),
            "the page is not what the scope shows",
        )
    ledger = await scene.ledger()
    for sent in sents:
        is_unchanged = (
            bool(scene.etag) and sent is sents[-1] and sents[0].answer.headers["etag"] == scene.etag
        )
        expect_admitted(
            ledger, sent, fields=cell.shows, count=len(found["items"]), version=STATES[cell.state].version,
            page=found, status=304 if is_unchanged else 200,
        )  # fmt: skip


_UNBOUND: Final = ("reads", "rate", "hours", "hours-caveat", "count-caveat", "rate-caveat")


@topic.check("HTTP-46", profile=Profile.EVENTS, cases={name: PARTS[name] for name in _UNBOUND})
async def limits_of_reads_do_not_bind_streams(stage: Stage, part: Part) -> None:
    """A stream opens where a read is refused for its hour or its number, and where it opens it is no read."""
    scene = await scene_in(stage, "live", ", listened to")
    async with scene.holders[part.party].listen(f"/{part.permission}") as stream:
        expect_status(stream.answer, 200)
        event = await stream.next(10)
        expect(event is not None and event.name == "ready", "a stream that does not begin with ready")


_BOUND: Final = (
    "a-permission-that-is-not-given", "recipients-none", "recipients-others", "target", "purpose-caveat",
)  # fmt: skip


@topic.check("HTTP-46", "CAP-10", profile=Profile.EVENTS, cases={name: PARTS[name] for name in _BOUND})
async def other_limits_bind_streams(stage: Stage, part: Part) -> None:
    """A stream does not open for whom the permission is not, nor for another purpose; and that is counted."""
    scene = await scene_in(stage, "live", ", listened to")
    holder = scene.holders[part.party]
    async with holder.listen(f"/{part.permission}") as stream:
        expect(part.rule is not None, "no rule")
        if part.rule is not None:
            expect_problem(stream.answer, part.rule.status, part.rule.code)
