"""The approval: a receipt that holds, for the very request that was sent, at the very node that was asked.

Spec: specs/receipts.md#verification
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from ...check import expect
from ...hands import grant as grants
from ...hands.encoding import Document, xsd_time
from ...hands.keys import Key
from ..play import Play, took
from ..relation import DAY_S, Relation, given_permissions, until_s
from ..server import Came, Reply
from ..situation import Scenes
from ..told import problem

SCENES = Scenes()
STATUS: Final = r"GET /requests/"
OTHER: Final = Key.fresh()
STRANGE_CID: Final = "bagaaierairfuf7j3yd3lnjoov6rckclfg43xbqcn2jzdzwjsfgvtowqwpjya"
"""Of a document that nobody here has: the request in the specification's example."""
Approve = Callable[[Relation], Any]


def _first(*keys: str, **members: Any) -> Approve:
    """Approve by a first version with other members, signed by these keys (``decision`` if none is named)."""

    def approve(person: Relation) -> None:
        told = {name: value(person) if callable(value) else value for name, value in members.items()}
        by = [getattr(person, key) if key != "other" else OTHER for key in keys]
        person.approve(person.first_draft() | told, *by)

    return approve


def _given(change: Callable[[Document], Document]) -> Callable[[Relation], list[Document]]:
    """Give the permissions with the first of them altered."""

    def give(person: Relation) -> list[Document]:
        first, *others = given_permissions(person.request["permission"])
        return [change(first), *others]

    return give


def _with_field(permission: Document, field: str) -> Document:
    item = permission["items"][0]
    return {**permission, "items": [{**item, "fields": [*item["fields"], field]}]}


def _with_rate(permission: Document, reads: int, per: str) -> Document:
    return {**permission, "limits": {"rate": {"reads": reads, "per": per}}}


def _with_item(permission: Document, **members: Any) -> Document:
    return {**permission, "items": [{**permission["items"][0], **members}]}


def _paused_elsewhere(person: Relation) -> None:
    """Without a capability, which would be for another origin too."""
    person.approve(person.first_draft(origins=["https://node.example"]))
    person.change("pause", person.serving, state="paused")


FIRST: dict[str, Approve] = {
    "signed-by-the-serving-key": _first("serving"),
    "signed-by-another": _first("other"),
    "signed-by-two": _first("decision", "other"),
    "naming-another-decision-key": _first(assigner=OTHER.did),
    "a-number-that-is-not-1": _first(version=2),
    "with-a-previous": _first(previous="bagaaiera" + "a" * 52),
    "paused-at-once": _first(state="paused"),
    "of-another-vendor": _first(assignee=OTHER.did),
    "of-another-request": _first(request=STRANGE_CID),
    "at-another-node": _first(origins=["https://node.example"]),
    "at-another-node-and-paused": _paused_elsewhere,
    "at-no-origin": _first(origins=[]),
    "at-five-origins": _first(
        origins=lambda person: [person.origin, *(f"https://n{one}.example" for one in range(4))]
    ),
    "at-an-origin-with-a-path": _first(origins=lambda person: [person.origin, "https://node.example/"]),
    "later-than-asked": _first(expires=until_s(90)),
    "ending-before-it-begins": _first(notBefore=until_s(30)),
    "without-an-end": _first(expires=None),
    "a-field-not-asked-for": _first(permission=_given(lambda one: _with_field(one, "email"))),
    "a-purpose-not-asked-for": _first(
        permission=_given(lambda one: {**one, "purpose": [*one["purpose"], "dpv:DirectMarketing"]})
    ),
    "a-recipient-not-asked-for": _first(
        permission=_given(lambda one: {**one, "recipients": [*one["recipients"], OTHER.did]})
    ),
    "a-longer-retention": _first(permission=_given(lambda one: {**one, "retention": "P1Y"})),
    "without-the-limits-asked-for": _first(permission=_given(lambda one: {**one, "limits": {"reads": 5000}})),
    "more-reads-than-asked-for": _first(permission=_given(lambda one: _with_rate(one, 1001, "P1D"))),
    "in-a-shorter-time-than-asked-for": _first(permission=_given(lambda one: _with_rate(one, 1000, "PT12H"))),
    "about-anyone": _first(permission=_given(lambda one: _with_item(one, about="any"))),
    "new-records-not-asked-for": _first(permission=_given(lambda one: _with_item(one, newRecords=True))),
    "of-another-type": _first(permission=_given(lambda one: _with_item(one, type="Organization"))),
    "a-permission-not-asked-for": _first(permission=_given(lambda one: {**one, "name": "marketing"})),
    "with-an-unknown-member": _first(note="x"),
    "a-serving-key-that-is-no-key": _first(servingKey="did:web:node.example"),
    "a-log-of-another-form": _first(log="freehold/ledger/short"),
}


@SCENES.situation("RCP-3", "GRA-16", "GRA-5", cases=FIRST)
async def a_first_version_that_does_not_hold(play: Play, approve: Approve) -> None:
    """An approval whose first version is not one that the person could have signed so."""
    await _approved_wrongly(play, approve)


async def _approved_wrongly(play: Play, approve: Approve) -> None:
    """Have a request approved wrongly, and another one rightly by the same client."""
    play.node.on_request = approve
    await play.asked()
    await play.refuses(play.decision(), "an approval that does not hold")
    await play.refuses_read("a read under an approval that does not hold")
    expect(not play.node.requests("GET .*/records"), "a read was sent under an approval that does not hold")
    play.node.on_request = lambda relation: relation.approve()
    play.honest()
    await play.relate(invitation=play.node.new_invitation())


def _then(*changes: Callable[[Relation], Any]) -> Approve:
    """Approve rightly, and then do this."""

    def approve(person: Relation) -> None:
        person.approve()
        for change in changes:
            change(person)

    return approve


def _widened(person: Relation) -> None:
    asked = person.request["permission"]
    fields = ["name", "address.postalCode", "telephone"]
    person.change("widen", person.serving, permission=given_permissions(asked, fields=fields))


def _left_out(person: Relation) -> None:
    person.narrow()
    person.change("pause", person.serving, state="paused")
    del person.versions[1]


def _two_of_one_number(person: Relation) -> None:
    person.narrow()
    again = grants.next_version(person.versions[0], created_s=time.time(), state="paused")
    person.add(grants.signed(again, person.serving), "pause")


def _resumed_by_serving(person: Relation) -> None:
    person.change("pause", person.serving, state="paused")
    person.change("resume", person.serving, state="live")


def _after_the_end(person: Relation) -> None:
    person.change("end", person.serving, state="ended")
    person.change("resume", state="live")


def _rotated(*keys: str, **members: Any) -> Callable[[Relation], Any]:
    """Change the keys, signed by these of ``old``, ``new`` and ``serving``."""

    def rotate(person: Relation) -> None:
        new = {"old": person.decision, "new": Key.fresh(), "serving": person.serving}
        serving = person.serving if "servingKey" in members else Key.fresh()
        told = {"assigner": new["new"].did, "servingKey": serving.did}
        told |= {name: value(person) for name, value in members.items()}
        person.change("rotate", *(new[key] for key in keys), **told)
        person.decision, person.serving = new["new"], serving  # so that the version is all that is wrong

    return rotate


def _under_another_key(person: Relation) -> None:
    person.change("narrow", servingKey=OTHER.did)
    person.serving = OTHER


def _a_key_comes_back(person: Relation) -> None:
    first = person.serving
    person.rotate()
    old, person.decision, person.serving = person.decision, Key.fresh(), first
    person.change("rotate", old, person.decision, assigner=person.decision.did, servingKey=first.did)


LATER: dict[str, Callable[[Relation], Any]] = {
    "widened-by-the-serving-key": _widened,
    "resumed-by-the-serving-key": _resumed_by_serving,
    "signed-by-another": lambda person: person.change("narrow", OTHER),
    "with-one-left-out": _left_out,
    "two-of-one-number": _two_of_one_number,
    "after-another-version": lambda person: person.change(
        "pause", person.serving, state="paused", previous=STRANGE_CID
    ),
    "a-number-skipped": lambda person: person.change(
        "pause", person.serving, state="paused", version=person.standing["version"] + 2
    ),
    "after-the-end": _after_the_end,
    "later-than-asked": lambda person: person.change("widen", expires=until_s(90)),
    "of-another-log": lambda person: person.change("narrow", log="freehold/ledger/" + "A" * 32),
    "at-another-origin": lambda person: person.change("narrow", origins=["https://node.example"]),
    "of-another-id": lambda person: person.change(
        "narrow", id="urn:uuid:5d1f0c7e-91aa-4d0c-8a43-7c2b9be5f610"
    ),
    "under-another-serving-key": _under_another_key,
    "rotated-by-the-old-key-alone": _rotated("old"),
    "rotated-by-the-new-key-alone": _rotated("new"),
    "rotated-in-the-wrong-order": _rotated("new", "old"),
    "rotated-by-the-serving-key": _rotated("serving", "new"),
    "rotated-and-widened": _rotated(
        "old", "new", permission=lambda person: given_permissions(person.request["permission"], fields=["name"])
    ),
    "rotated-to-the-same-serving-key": _rotated("old", "new", servingKey=lambda person: person.serving.did),
    "a-key-that-comes-back": _a_key_comes_back,
}  # fmt: skip


@SCENES.situation("GRA-16", "GRA-8", "ROT-3", "ROT-4", "RCP-3", cases=LATER)
async def approved_with_a_version_that_does_not_hold(play: Play, change: Callable[[Relation], Any]) -> None:
    """An approval whose later version no node could have made so."""
    await _approved_wrongly(play, _then(change))


@SCENES.situation("RCP-9", "GRA-16", "GRA-8", "ROT-3", "ROT-4", cases=LATER)
async def told_of_a_version_that_does_not_hold(play: Play, change: Callable[[Relation], Any]) -> None:
    """A later version, told to a client that holds the ones before: what it holds stands."""
    await play.relate()
    person = play.node.person
    kept = (person.decision, person.serving, person.versions.copy(), person.log.copy(), person.epoch)
    person.change("widen", expires=until_s(25))
    kept_version = person.standing
    took(await play.look(), "an honest version 2")
    kept = (person.decision, person.serving, person.versions.copy(), person.log.copy(), person.epoch)
    if change is _two_of_one_number:
        person.versions[-1] = grants.signed(
            grants.next_version(person.versions[0], created_s=time.time(), state="paused"), person.serving
        )
        play.node.lie(
            r"GET /g/[a-f0-9-]+(\?from=\d+)?$",
            lambda _, reply: reply.saying(
                {
                    **reply.document,
                    **({"versions": person.versions[-1:]} if "versions" in reply.document else {}),
                }
            ),
        )
    else:
        change(person)
    await play.refuses(play.look(), "a version that does not hold")
    person.decision, person.serving, person.versions, person.log, person.epoch = kept
    expect(person.standing == kept_version, "the suite lost its place")
    play.honest()
    said = took(await play.look(), "the honest versions again")
    expect(
        (said.get("state"), said.get("version")) == ("live", 2), "the client does not stand where it stood"
    )
    await play.reads()


TOLD: dict[str, Callable[[Play, Document], Any]] = {
    "nothing": lambda *_: {"status": "approved"},
    "an-unknown-status": lambda _, told: {**told, "status": "granted"},
    "no-receipt": lambda _, told: {**told, "receipt": None},
    "a-receipt-without-versions": lambda _, told: _receipt(told, versions=[]),
    "a-request-that-was-altered": lambda _, told: _receipt(
        told, request={**told["receipt"]["request"], "benefit": "Nothing."}
    ),
    "no-checkpoint": lambda _, told: {**told, "checkpoint": None},
    "a-checkpoint-by-another-key": lambda play, told: {
        **told,
        "checkpoint": play.node.person.log.note(OTHER),
    },
    "a-version-altered": lambda _, told: _receipt(
        told, versions=[{**told["receipt"]["versions"][0], "created": xsd_time(time.time() - DAY_S)}]
    ),
    "a-version-twice": lambda _, told: _receipt(told, versions=told["receipt"]["versions"] * 2),
    "a-thousand-versions": lambda _, told: _receipt(told, versions=told["receipt"]["versions"] * 1000),
    "statements-that-are-none": lambda _, told: {**told, "statements": [7]},
}


def _receipt(told: Document, **members: Any) -> Document:
    return {**told, "receipt": {**told["receipt"], **members}}


@SCENES.situation("CLT-8", "HTTP-65", "RCP-1", "RCP-3", "REQ-17", cases=TOLD)
async def an_altered_answer(play: Play, alter: Callable[[Play, Document], Any]) -> None:
    """An honest approval, altered on its way."""
    await play.asked()
    play.node.lie(STATUS, lambda _, reply: reply.saying(alter(play, reply.document)))
    await play.refuses(play.decision(), "an approval that was altered")
    play.honest()
    took(await play.decision(), "the honest approval")
    await play.reads()


@SCENES.situation("CLT-8", "HTTP-65", "RCP-3")
async def of_an_earlier_request(play: Play) -> None:
    """The approval of an earlier request of the same client, for a later one."""
    await play.relate()
    earlier = play.node.person.approval()
    await play.asked(invitation=play.node.new_invitation())
    play.node.lie(STATUS, lambda _, reply: reply.saying(earlier))
    await play.refuses(play.decision(), "the approval of another request")
    play.honest()
    took(await play.decision(), "the honest approval")
    await play.reads()


PLACES: dict[str, Callable[[str, str], str]] = {
    "at-another-host": lambda _, there: f"{there}/requests/1",
    "as-a-user": lambda here, there: f"{here}@{there.removeprefix('http://')}/requests/1",
    "with-a-user": lambda here, _: here.replace("http://", "http://user:word@") + "/requests/1",
    "by-name": lambda here, _: here.replace("127.0.0.1", "localhost") + "/requests/1",
    "on-the-same-node-elsewhere": lambda here, _: f"{here}/owner/status",
    "by-a-dot-segment": lambda here, _: f"{here}/requests/../owner/status",
    "relative": lambda _, __: "/requests/1",
    "with-a-fragment": lambda here, _: f"{here}/requests/1#2",
}


@SCENES.situation("CLT-2", "HTTP-65", "HTTP-17", "SEC-12", cases=PLACES)
async def followed_elsewhere(play: Play, place: Callable[[str, str], str]) -> None:
    """An answer to a request that sends the client elsewhere to follow it."""
    other = await play.elsewhere_at()
    url = place(play.node.origin, other.origin)
    play.node.lie(
        "POST /i/", lambda _, reply: reply.saying({**reply.document, "request": url}).headed(location=url)
    )
    said = await play.ask()
    if said.refused is None:
        await play.refuses(play.decision(), "a status at another address")
    expect(not other.came, "the client went to another address")
    expect(not play.node.requests("GET /owner"), "the client went to another path")
    play.honest()
    await play.relate(invitation=play.node.new_invitation())


@SCENES.situation("REQ-16", "CLT-8")
async def another_code(play: Play) -> None:
    """Another matching code in the answer than the request's: what is shown is worked out, not repeated."""
    play.node.lie("POST /i/", lambda _, reply: reply.saying({**reply.document, "code": "0000-0000"}))
    said = await play.ask()
    expect(said.took.get("code") != "0000-0000", "the client shows a code that it was told")
    play.honest()
    await play.relate(invitation=play.node.new_invitation())


@SCENES.situation("RCP-9", "LED-8")
async def a_version_denied(play: Play) -> None:
    """A node that says the grant never had the version that it signed."""
    await play.relate()
    play.node.person.narrow()
    took(await play.look(), "an honest version 2")

    def deny(came: Came, reply: Reply) -> Reply:
        if "from=" in came.target:
            return problem("malformed", 400)
        told = reply.document
        told["receipt"]["versions"] = told["receipt"]["versions"][:1]
        return reply.saying(told)

    play.node.lie(r"GET /g/[a-f0-9-]+(\?from=\d+)?$", deny)
    await play.refuses(play.look(), "a receipt that has lost a version")
    play.honest()
    took(await play.look(), "the honest versions again")
    await play.reads()


@SCENES.situation("RCP-9")
async def held_versions_come_again(play: Play) -> None:
    """Versions that are held already may come again, as they are."""
    await play.relate()
    play.node.person.narrow()
    took(await play.look(), "an honest version 2")
    play.node.person.change("pause", play.node.person.serving, state="paused")

    def whole(_: Came, reply: Reply) -> Reply:
        return reply.saying({**reply.document, "versions": play.node.person.versions})

    play.node.lie(r"GET /g/[a-f0-9-]+\?from=\d+$", whole)
    said = took(await play.look(), "the held versions and one more")
    expect((said.get("state"), said.get("version")) == ("paused", 3), "the new version was not taken up")


@SCENES.situation("CLT-7", "HTTP-22", cases={"none": False, "the-same": True})
async def more_for_ever(play: Play, is_same: bool) -> None:
    """A node that says there are more versions, and shows none, or the same ones, for ever."""
    await play.relate()
    play.node.person.narrow()

    def more(_: Came, reply: Reply) -> Reply:
        found = {name: value for name, value in reply.document.items() if name != "statements"}
        versions = play.node.person.versions[1:] if is_same else []
        return reply.saying({**found, "versions": versions, "more": True})

    play.node.lie(r"GET /g/[a-f0-9-]+\?from=\d+$", more)
    asked = len(play.node.seen)
    await play.refuses(play.look(), "versions without an end")
    expect(len(play.node.seen) - asked <= 12, "the client asks again and again")
    play.honest()
    took(await play.look(), "the honest versions")
    await play.reads()
