"""The next request after a withdrawal was answered: refused, on whatever connection and however it was sent."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass

from ..cast.stage import Asked, Stage, permission
from ..cast.trace import expect_no_data, signature_digest
from ..check import Failed, Topic, expect, expect_equal, expect_problem, expect_status, object_of
from ..hands import message
from ..hands.encoding import Document
from ..hands.keys import Key
from ..wire import Answer, Line
from .matrix_rules import Rule
from .matrix_withdrawals import EVERYONE, WITHDRAWALS, Play, Withdrawal, open_play

topic = Topic()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open:
    """A connection that stood before the withdrawal, and what is known of its next request."""

    line: Line
    rest: bytes
    signature: str
    held: bool = False


def _bytes(play: Play, who: str, below: str) -> tuple[bytes, str]:
    """Return a whole request of a holder for a kept connection, and what the ledger would call it."""
    holder = play.holders[who]
    target = holder.path(below)
    headers = holder.signed("GET", target)
    return holder.wire.request("GET", target, headers), signature_digest(headers)


async def _kept(play: Play, stack: AsyncExitStack, who: str, below: str) -> _Open:
    """Return a connection on which a read came already."""
    line = await stack.enter_async_context(play.stage.wire.connect())
    first, _ = _bytes(play, who, below)
    await line.write(first)
    expect_status(await line.read_answer(), 200)
    data, name = _bytes(play, who, below)
    return _Open(line=line, rest=data, signature=name)


async def _begun(play: Play, stack: AsyncExitStack, who: str, below: str) -> _Open:
    """Return a connection on which the head of a request has come but for its end."""
    line = await stack.enter_async_context(play.stage.wire.connect())
    data, name = _bytes(play, who, below)
    await line.write(data[:-2])
    return _Open(line=line, rest=data[-2:], signature=name)


async def _behind(play: Play, stack: AsyncExitStack, who: str, below: str, held: Asked) -> _Open:
    """Return a connection on which a read has come whole, behind a request whose answer is held back."""
    line = await stack.enter_async_context(play.stage.wire.connect())
    asking = message.sign(held.key, message.DID, "GET", held.told["request"], created_s=play.stage.now())
    data, name = _bytes(play, who, below)
    await line.write(play.stage.wire.request("GET", held.path, asking | {"prefer": "wait=20"}) + data)
    return _Open(line=line, rest=b"", signature=name, held=True)


@topic.check("HTTP-38", "GRA-13", "GRA-24", "HTTP-39", cases=WITHDRAWALS)
async def withdrawals_bind_the_next_request(stage: Stage, withdrawal: Withdrawal) -> None:
    """Once a withdrawal was answered, kept, half-sent and pipelined requests are refused as fresh ones are."""
    play = await open_play(stage)
    held = await stage.ask(Key.fresh(), [permission("delivery", ["name"])])
    async with AsyncExitStack() as stack:
        opened: list[tuple[str, _Open]] = []
        for who in EVERYONE:
            opened += [(who, await open_(play, stack, who, withdrawal.below)) for open_ in (_kept, _begun)]
            opened.append((who, await _behind(play, stack, who, withdrawal.below, held)))
        await withdrawal.make(play)
        await stage.owner.refuse(held.id)
        fresh = {who: await play.holders[who].get(withdrawal.below) for who in EVERYONE}
        found = [(who, one, await _next(one)) for who, one in opened]
    ledger = await stage.owner.ledger(play.grant)
    for who, answer in fresh.items():
        _expect(withdrawal, who, answer)
    for who, one, answer in found:
        if one.held and who in withdrawal.stops and answer.status == 200:
            _expect_before(ledger, answer, one.signature)
        else:
            _expect(withdrawal, who, answer)


async def _next(one: _Open) -> Answer:
    """Return the answer to what was under way; what was held back comes first."""
    await one.line.write(one.rest)
    if one.held:
        expect_equal(object_of(await one.line.read_answer())["status"], "refused", "the answer held back")
    return await one.line.read_answer()


def _expect(withdrawal: Withdrawal, who: str, answer: Answer) -> None:
    if who in withdrawal.stops:
        expect_no_data(answer, ["ada@example.com"])
        expect_problem(answer, withdrawal.rule.status, withdrawal.rule.code)
    else:
        expect_status(answer, 200)


def _expect_before(ledger: list[Document], answer: Answer, signature: str) -> None:
    """Check that what was admitted while it stood in line was admitted before the withdrawal.

    A node may work on a request before the one ahead of it is answered.
    """
    numbers = [one["number"] for one in ledger if one["entry"].get("signature") == signature]
    changes = [one["number"] for one in ledger if one["entry"]["kind"] == "changed"]
    expect_equal(
        [str(one) for one in numbers], [answer.headers.get("freehold-entry")], "the entry of a read in line"
    )
    if numbers[0] > changes[-1] and len(changes) > 1:
        raise Failed("a read that stood in line was admitted after the withdrawal")


@topic.check("GRA-13", "REC-9", "HTTP-38")
async def a_deleted_record_is_gone_at_the_next_request(stage: Stage) -> None:
    """Once a deletion was answered, the record is on no page and behind no alias, nor unchanged."""
    play = await open_play(stage)
    vendor = play.holders["vendor"]
    page = await vendor.get("/delivery/records")
    alias = object_of(expect_status(page, 200))["items"][0]["id"].removeprefix("urn:freehold:")
    alone = await vendor.get(f"/delivery/records/{alias}")
    await stage.owner.delete(play.shown.id)
    for who in EVERYONE:
        holder = play.holders[who]
        again = await holder.get("/delivery/records", headers={"if-none-match": page.headers["etag"]})
        expect_equal(object_of(expect_status(again, 200))["items"], [], "records on the page")
        gone = await holder.get(
            f"/delivery/records/{alias}", headers={"if-none-match": alone.headers["etag"]}
        )
        expect_problem(gone, 404, "not-found")


@topic.check("GRA-13", "HTTP-32")
async def an_edited_record_is_as_it_stands_at_the_next_request(stage: Stage) -> None:
    """Once an edit was answered, the old value comes no more; nor does a record that left the view."""
    play = await open_play(stage)
    vendor = play.holders["vendor"]
    before = await vendor.get("/delivery/records")
    await stage.owner.edit(play.shown.id, play.shown.content | {"email": "new@example.com"})
    after = await vendor.get("/delivery/records", headers={"if-none-match": before.headers["etag"]})
    items = object_of(expect_status(after, 200))["items"]
    expect_equal([one["email"] for one in items], ["new@example.com"], "the value that is shown")
    await stage.owner.edit(play.shown.id, play.shown.content | {"jobTitle": "another"})
    left = await vendor.read("delivery")
    expect_equal(left["items"], [], "records that meet the condition")


@topic.check("HTTP-38", "GRA-24", cases={"pause": "pause", "narrow": "narrow", "end": "end"})
async def repeating_conditional_reads_end_with_the_withdrawal(stage: Stage, change: str) -> None:
    """A reader that comes back with the tag of what it saw learns the withdrawal, and is never told 304."""
    play = await open_play(stage)
    vendor = play.holders["vendor"]
    tag = (await vendor.get("/delivery/records")).headers["etag"]
    expect_status(await vendor.get("/delivery/records", headers={"if-none-match": tag}), 304)
    if change == "narrow":
        await WITHDRAWALS["narrow-a-field"].make(play)
        answer = await vendor.get("/delivery/records", headers={"if-none-match": tag})
        items = object_of(expect_status(answer, 200))["items"]
        expect(all("email" not in one for one in items), "a field that was taken back")
        return
    rule: Rule = WITHDRAWALS[change].rule
    await WITHDRAWALS[change].make(play)
    answer = await vendor.get("/delivery/records", headers={"if-none-match": tag})
    expect_problem(answer, rule.status, rule.code)
