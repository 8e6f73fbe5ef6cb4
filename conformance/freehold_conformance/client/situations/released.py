"""What is read: only what the serving key signed, what was granted, and what the ledger binds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ...hands import proof, released
from ...hands.encoding import Document, base64url
from ...hands.keys import Key
from ..play import Play
from ..relation import CIRCLE, Relation, made_up_person
from ..server import Came, Reply
from ..situation import Scenes

SCENES = Scenes()
RECORDS: Final = r"GET .*/records"
Edit = Callable[[Relation, Document], Any]


def _resigned(person: Relation, page: Document, **members: Any) -> Document:
    """Return a page with other members, signed by the serving key again."""
    return proof.sign({**released.unsigned(page), **members}, person.serving)


def _item(person: Relation, content: Document) -> Document:
    """Return a released document that shows all of other content, under the id of the first record."""
    alias = person.alias(next(iter(person.records)))
    told = {"@context": proof.CONTEXT, "id": f"urn:freehold:{alias}", "issuer": person.serving.did}
    return released.versioned({**told, **content}, person.serving)


def _spoilt(document: Document, **members: Any) -> Document:
    """Return a document altered under its proof."""
    return {**document, **members}


def _of_proof(document: Document, **members: Any) -> Document:
    """Return a document with other members in its proof; None takes one out."""
    told = {**document["proof"], **members}
    return {**document, "proof": {name: value for name, value in told.items() if value is not None}}


def _without_context(person: Relation, page: Document) -> Document:
    bare = {name: value for name, value in released.unsigned(page).items() if name != "@context"}
    made = proof.sign(bare, person.serving)
    return {**made, "@context": page["@context"]}


OTHER = Key.fresh()
ALTERED: dict[str, Edit] = {
    "a-value": lambda _, page: _spoilt(page, items=[_spoilt(page["items"][0], name="Eve")]),
    "an-item-less": lambda _, page: _spoilt(page, items=[]),
    "a-member-more": lambda _, page: _spoilt(page, note="1"),
    "no-proof": lambda _, page: released.unsigned(page),
    "no-proof-in-an-item": lambda person, page: _resigned(
        person, page, items=[released.unsigned(page["items"][0])]
    ),
    "two-proofs": lambda _, page: _spoilt(page, proof=[page["proof"], page["proof"]]),
    "an-array-of-one-proof": lambda _, page: _spoilt(page, proof=[page["proof"]]),
    "a-proof-for-another-purpose": lambda person, page: proof.sign(
        released.unsigned(page), person.serving, purpose="authentication"
    ),
    "another-suite": lambda _, page: _of_proof(page, cryptosuite="eddsa-jcs-2019"),
    "no-context-in-the-proof": _without_context,
    "another-key": lambda _, page: proof.sign(released.unsigned(page), OTHER),
    "another-key-and-issuer": lambda _, page: proof.sign({**released.unsigned(page), "issuer": OTHER.did}, OTHER),
    "another-issuer": lambda person, page: _resigned(person, page, issuer=OTHER.did),
    "another-key-by-name": lambda person, page: _of_proof(
        proof.sign(released.unsigned(page), OTHER), verificationMethod=person.serving.method
    ),
    "the-decision-key": lambda person, page: proof.sign(released.unsigned(page), person.decision),
    "an-item-of-another-key": lambda person, page: _resigned(
        person, page, items=[proof.sign(released.unsigned(page["items"][0]), OTHER)]
    ),
    "an-item-altered-under-a-good-page": lambda person, page: _resigned(
        person, page, items=[_spoilt(page["items"][0], name="Eve")]
    ),
    "an-item-of-another-version": lambda person, page: _resigned(
        person, page, items=[proof.sign({**released.unsigned(page["items"][0]), "version": "A" * 43}, person.serving)]
    ),
    "a-signature-of-zeros": lambda _, page: _of_proof(page, proofValue="z" + "1" * 64),
}  # fmt: skip


@SCENES.situation("REL-13", "PRF-12", "PRF-7", cases=ALTERED)
async def altered_page(play: Play, edit: Edit) -> None:
    """A page that the serving key did not sign as it came."""
    await play.relate()
    # Before its entry binds it, so that the signature is all that is wrong.
    play.node.twist = lambda page: edit(play.node.person, page)
    await play.refuses_once("a page that is not signed as it must be")


@SCENES.situation("REL-13", "IDN-9")
async def of_another_relationship(play: Play) -> None:
    """A page that the same person's node made for another relationship, good in itself."""
    await play.relate()
    other = Relation(request=play.node.person.request, origin=play.node.origin)
    other.approve()
    page = released.page(other.shown("delivery"), key=other.serving)
    play.node.twist = lambda _: page
    await play.refuses_once("another relationship's page")


@SCENES.situation("REL-13", "HTTP-30")
async def another_record(play: Play) -> None:
    """Another record than the one that was asked for, good in itself and bound by its entry."""
    await play.relate()
    first, second, *_ = (one["id"].removeprefix("urn:freehold:") for one in play.node.person.shown(CIRCLE))
    await play.reads(CIRCLE, alias=first)
    wrong = next(one for one in play.node.person.shown(CIRCLE) if one["id"].endswith(second))
    play.node.twist = lambda _: wrong
    await play.refuses_read("another person's record", CIRCLE, alias=first)
    play.honest()
    await play.reads(CIRCLE, alias=first)


KINDS: dict[str, tuple[bool, Edit]] = {
    "a-document-for-a-page": (False, lambda _, page: page["items"][0]),
    "a-page-for-a-document": (True, lambda person, one: released.page([one], key=person.serving)),
    "a-page-in-a-page": (False, lambda person, page: _resigned(person, page, items=[page])),
    "a-text-for-the-items": (False, lambda person, page: _resigned(person, page, items="none")),
    "a-text-for-an-item": (False, lambda person, page: _resigned(person, page, items=["none"])),
    "a-number-for-the-cursor": (False, lambda person, page: _resigned(person, page, next=7)),
}


@SCENES.situation("REL-13", "REL-11", cases=KINDS)
async def another_kind(play: Play, case: tuple[bool, Edit]) -> None:
    """Something of another kind than was asked for, well signed."""
    is_one, edit = case
    await play.relate()
    alias = play.node.person.shown("delivery")[0]["id"].removeprefix("urn:freehold:")
    how = {"alias": alias} if is_one else {}
    play.node.twist = lambda document: edit(play.node.person, document)
    await play.refuses_once("a document of another kind", **how)


def _with_more(person: Relation, **more: Any) -> Document:
    content = {**next(iter(person.records.values()))}
    shown = {"type": "Person", "name": content["name"], **more}
    return released.page([_item(person, shown)], key=person.serving)


OVER: dict[str, Edit] = {
    "a-field": lambda person, _: _with_more(person, telephone="+44 20 7946 0000"),
    "a-nested-field": lambda person, _: _with_more(
        person, address={"type": "PostalAddress", "streetAddress": "1 Example Street"}
    ),
    "a-field-in-an-array": lambda person, _: _with_more(
        person,
        address=[{"type": "PostalAddress", "postalCode": ["EX1", {"type": "Thing", "name": "x"}]}],
    ),
    "another-type": lambda person, _: released.page(
        [_item(person, {"type": "Organization", "name": "Ada Ltd"})], key=person.serving
    ),
    "a-contact": lambda person, _: released.page(person.shown(CIRCLE)[:2], key=person.serving),
}


@SCENES.situation("CLT-10", "REL-14", cases=OVER)
async def more_than_was_granted(play: Play, edit: Edit) -> None:
    """A page that shows what was not granted, well signed and bound by its entry."""
    await play.relate()
    play.node.twist = lambda page: edit(play.node.person, page)
    await play.refuses_once("what was not granted")


NOTHING: dict[str, Any] = {
    "null": None,
    "no-elements": [],
    "an-array-of-none": [[]],
    "null-in-an-array": ["EX1", None],
    "no-elements-in-an-array": ["EX1", []],
}


@SCENES.situation("CLT-10", "REL-2", cases=NOTHING)
async def nothing_where_a_value_is_granted(play: Play, value: Any) -> None:
    """Null, or an array without anything in it, at a path that was granted: what no node makes."""
    await play.relate()
    person = play.node.person
    play.node.twist = lambda _: _with_more(person, address={"type": "PostalAddress", "postalCode": value})
    await play.refuses_once("a page that shows nothing at a path")


@SCENES.situation("CLT-10", "REL-2", cases={"with-its-type": {"type": "PostalAddress"}, "bare": {}})
async def a_node_that_shows_nothing(play: Play, value: Document) -> None:
    """A node without a leaf, which would tell that there is one."""
    await play.relate()
    person = play.node.person
    play.node.twist = lambda _: _with_more(person, address=value)
    await play.refuses_once("a page with a node that shows nothing")


@SCENES.situation("CLT-10", "REL-14")
async def more_than_was_asked_for(play: Play) -> None:
    """A granted field that this read did not ask for."""
    await play.relate()
    person = play.node.person
    whole = released.page(person.shown("delivery"), key=person.serving)
    play.node.twist = lambda _: whole
    await play.refuses_once("fields that this read did not ask for", fields=["name"])


@SCENES.situation("CLT-10", "HTTP-35")
async def more_records_than_asked_for(play: Play) -> None:
    """A page of more records than its limit."""
    await play.relate()
    person = play.node.person
    whole = released.page(person.shown(CIRCLE), key=person.serving)
    play.node.twist = lambda _: whole
    await play.refuses_read("more records than were asked for", CIRCLE, limit=2)
    play.honest()
    await play.reads(CIRCLE)


@SCENES.situation("CLT-10", "REL-11")
async def a_record_twice(play: Play) -> None:
    """A page with one record twice, bound by its entry."""
    await play.relate()
    shown = play.node.person.shown(CIRCLE)
    twice = released.page([*shown, shown[0]], key=play.node.person.serving)
    play.node.twist = lambda _: twice
    await play.refuses_once("a record twice on one page", CIRCLE)


@SCENES.situation("CLT-10", "GRA-13", "REL-14")
async def as_before_the_narrowing(play: Play) -> None:
    """What was shown before the grant was narrowed, made and bound anew, after the client saw the narrowing."""
    await play.relate()
    person = play.node.person
    before = released.page(person.shown("delivery"), key=person.serving)
    person.narrow()
    await play.look()
    await play.reads()
    play.node.twist = lambda _: before
    await play.refuses_once("a field that was taken away")


BOUND: dict[str, Edit] = {
    "an-item-less": lambda person, page: _resigned(person, page, items=page["items"][1:]),
    "an-item-twice": lambda person, page: _resigned(person, page, items=[*page["items"], page["items"][0]]),
    "in-another-order": lambda person, page: _resigned(person, page, items=page["items"][::-1]),
    "another-value": lambda person, page: _resigned(person, page, items=[_item(person, _with_name("Eve"))]),
    "a-cursor-more": lambda person, page: _resigned(person, page, next=base64url(b"more to come")),
}


def _with_name(name: str) -> Document:
    return {**made_up_person(), "name": name}


@SCENES.situation("LED-6", "CLT-11", "REL-12", cases=BOUND)
async def not_what_the_entry_binds(play: Play, edit: Edit) -> None:
    """A page that the serving key signed, and that is not the one which the entry binds."""
    await play.relate()
    await play.reads(CIRCLE)
    play.node.lie(RECORDS, lambda _, reply: reply.saying(edit(play.node.person, reply.document)))
    await play.refuses_once("a page that its entry does not bind", CIRCLE)


@SCENES.situation("LED-5", "CLT-11")
async def an_old_answer_again(play: Play) -> None:
    """The whole answer to an earlier read, header and all, to a later one."""
    await play.relate()
    kept: list[Reply] = []

    def keep(_: Came, reply: Reply) -> Reply:
        kept.append(reply)
        return reply

    play.node.lie(RECORDS, keep)
    await play.reads()
    play.node.lie(RECORDS, lambda *_: kept[0])
    await play.refuses_once("an answer of before")


@SCENES.situation("CLT-14", "HTTP-36")
async def pages_in_a_circle(play: Play) -> None:
    """A list whose last page leads to its first again."""
    await play.relate()
    person = play.node.person
    shown = person.shown(CIRCLE)
    pages = [
        released.page(shown[:2], key=person.serving, cursor="second"),
        released.page(shown[2:], key=person.serving, cursor="first"),
    ]
    calls: list[Document] = []

    def turn(page: Document) -> Document:
        calls.append(page)
        return pages[(len(calls) - 1) % 2]

    play.node.twist = turn
    play.node.cursors |= {"first": (person.epoch, 0), "second": (person.epoch, 2)}
    play.most_requests = 60
    await play.refuses(play.list(CIRCLE), "a list that never ends")


@SCENES.situation("CLT-14", "HTTP-36")
async def a_record_on_two_pages(play: Play) -> None:
    """A list that shows a record on each of its pages, and never ends, with a fresh cursor every time."""
    await play.relate()
    person = play.node.person
    shown = person.shown(CIRCLE)[:2]

    def again(_: Document) -> Document:
        cursor = base64url(len(play.node.seen).to_bytes(8))
        play.node.cursors[cursor] = (person.epoch, 0)
        return released.page(shown, key=person.serving, cursor=cursor)

    play.node.twist = again
    play.most_requests = 100
    await play.refuses(play.list(CIRCLE), "a list that never ends")


@SCENES.situation("HTTP-31", "CLT-11", cases={"what-has-changed": True, "what-nobody-asked": False})
async def called_unchanged(play: Play, is_asked: bool) -> None:
    """A 304 for what has changed, or for a read that did not ask whether it has."""
    await play.relate()
    if is_asked:
        next(iter(play.node.person.records.values()))["name"] = "Ada Changed"

    def unchanged(_: Came, reply: Reply) -> Reply:
        log, number = play.node.person.log, int(reply.headers["freehold-entry"])
        log.set(number, {**log.entries[number], "status": 304}, log.salts[number])
        return Reply(status=304, headers=reply.headers)

    play.node.lie(RECORDS, unchanged)
    await play.refuses(play.reread() if is_asked else play.read(), "a 304 that is not true")
    play.honest()
    await play.reads()
