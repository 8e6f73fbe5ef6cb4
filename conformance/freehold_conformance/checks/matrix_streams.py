"""Open event streams: closed by the withdrawal that stops their holder, and by no other."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import AsyncExitStack
from typing import Final

from ..cast.stage import Stage
from ..check import Profile, Topic, expect, expect_equal, expect_problem, expect_status
from ..hands.keys import Key
from ..wire import Stream
from .matrix_rules import EXPIRED, NOT_SHOWN, PAST
from .matrix_withdrawals import EVERYONE, WITHDRAWALS, Play, Withdrawal, open_play

topic = Topic(profile=Profile.EVENTS)

_AT_ONCE_S: Final = 3
"""For what was closed before the answer came to get here."""
_QUIET_S: Final = 0.3


async def _listen(play: Play, stack: AsyncExitStack) -> dict[str, Stream]:
    """Open a stream of ``delivery`` for everyone, and the vendor's of the whole grant and of ``news``."""
    vendor = play.holders["vendor"]
    opened = {who: play.holders[who].listen("/delivery") for who in EVERYONE}
    opened |= {"whole": vendor.listen(), "news": vendor.listen("/news")}
    streams = {name: await stack.enter_async_context(one) for name, one in opened.items()}
    for stream in streams.values():
        await _expect_event(stream, "ready")
    return streams


async def _expect_event(stream: Stream, name: str) -> None:
    expect_status(stream.answer, 200)
    event = await stream.next(10)
    expect_equal(event.name if event else "its end", name, "what a stream says")


async def _expect_open(streams: Iterable[Stream]) -> None:
    """Check that none of these closes or says anything in a moment."""
    quiet = await asyncio.gather(*(_is_quiet(one) for one in streams))
    expect(all(quiet), "a stream that the withdrawal does not touch was closed, or told of it")


async def _is_quiet(stream: Stream) -> bool:
    try:
        await stream.next(_QUIET_S)
    except TimeoutError:
        return True
    return False


@topic.check("HTTP-53", "HTTP-64", "HTTP-50", "HTTP-38", cases=WITHDRAWALS)
async def withdrawals_close_open_streams(stage: Stage, withdrawal: Withdrawal) -> None:
    """Who is stopped has its streams closed without a word when the withdrawal is answered; the others' stay."""
    play, other = await open_play(stage), await open_play(stage)
    closes = withdrawal.stops if withdrawal.closes is None else withdrawal.closes
    async with AsyncExitStack() as stack:
        streams = await _listen(play, stack)
        elsewhere = await _listen(other, stack)
        await withdrawal.make(play)
        stopped = [*closes, *(("whole", "news") if withdrawal.whole else ())]
        for name in stopped:
            expect(
                await streams[name].closes(_AT_ONCE_S),
                f"the stream of {name} was not closed, or said something",
            )
        left = [stream for name, stream in streams.items() if name not in stopped]
        for stream in left if withdrawal.version else ():
            await _expect_event(stream, "grant")
        await _expect_open([*left, *elsewhere.values()])
        for name in closes:
            async with play.holders[name].listen("/delivery") as again:
                if withdrawal.rule is not NOT_SHOWN:
                    expect_problem(again.answer, withdrawal.rule.status, withdrawal.rule.code)


@topic.check("HTTP-64", "HTTP-53", cases={"grant": ("vendor", EXPIRED.code), "link": ("partner", PAST.code)})
async def streams_close_when_time_is_over(stage: Stage, case: tuple[str, str]) -> None:
    """A stream closes, without a word, when its link or its grant ends, and cannot be opened again."""
    who, code = case
    shown, key = await stage.person(name="Ada"), Key.fresh()
    end_s = int(stage.now()) + 4
    asked = [shown.permission("delivery", ["name"], recipients=[key.did])]
    vendor = await stage.relate(asked, expires_s=end_s if who == "vendor" else None)
    holders = {"vendor": vendor, "partner": vendor.delegate("/delivery", key=key, expires_s=end_s)}
    async with AsyncExitStack() as stack:
        streams = {
            name: await stack.enter_async_context(one.listen("/delivery")) for name, one in holders.items()
        }
        for stream in streams.values():
            await _expect_event(stream, "ready")
        stopped = EVERYONE[:2] if who == "vendor" else ("partner",)
        for name in stopped:
            closed = await streams[name].closes(max(0, end_s - stage.now()) + _AT_ONCE_S)
            expect(closed, f"the stream of {name} outlived its end, or said something")
            expect(stage.now() >= end_s - 1, "a stream was closed before its end")
        await _expect_open(stream for name, stream in streams.items() if name not in stopped)
    for name in stopped:
        async with holders[name].listen("/delivery") as again:
            expect_problem(again.answer, 403, code)
