"""Run checks, in the order of the specification or at random, some beside each other."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol, TypeVar

from .check import Failed, Profile, Skipped

TIMEOUT_S: Final = 120
SLOW_TIMEOUT_S: Final = 600

_On_contra = TypeVar("_On_contra", contravariant=True)


class Outcome(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Judged(Protocol[_On_contra]):
    """What is run: a check of a node, or a situation for a client."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def requirements(self) -> tuple[str, ...]: ...
    @property
    def profile(self) -> Profile: ...
    @property
    def slow(self) -> bool: ...
    @property
    def alone(self) -> bool: ...
    @property
    def run(self) -> Callable[[_On_contra], Awaitable[None]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One check's outcome; ``detail`` says what came instead, or what it lacked."""

    name: str
    title: str
    requirements: tuple[str, ...]
    profile: Profile
    outcome: Outcome
    detail: str
    seconds: float


async def run_one(check: Judged[_On_contra], subject: _On_contra) -> Result:
    """Run one check. It fails, whatever goes wrong in it: a subject may answer anything."""
    began = time.monotonic()
    outcome, detail = Outcome.PASSED, ""
    limit_s = SLOW_TIMEOUT_S if check.slow else TIMEOUT_S
    try:
        async with asyncio.timeout(limit_s):
            await check.run(subject)
    except Skipped as found:
        outcome, detail = Outcome.SKIPPED, str(found)
    except Failed as found:
        outcome, detail = Outcome.FAILED, str(found)
    except TimeoutError:
        outcome, detail = Outcome.FAILED, "no answer in time"
    except OSError as error:
        outcome, detail = Outcome.FAILED, f"no connection that holds: {error}"
    except Exception as error:  # noqa: BLE001 - what is judged sent something that nobody foresaw
        outcome, detail = Outcome.FAILED, f"an answer of another form: {type(error).__name__} {error}"
    return Result(
        name=check.name,
        title=check.title,
        requirements=check.requirements,
        profile=check.profile,
        outcome=outcome,
        detail=detail,
        seconds=time.monotonic() - began,
    )


async def run_checks(
    checks: Iterable[Judged[_On_contra]],
    subject: _On_contra,
    *,
    seed: int | None = None,
    jobs: int = 1,
    tell: Callable[[Result], None] = lambda _: None,
) -> list[Result]:
    """Run the checks, ``jobs`` at a time; return their results in the order given.

    ``seed`` shuffles the order in which they are run; ``tell`` is told of each result as it comes. Those that are to
    run alone come after all others, one at a time.
    """
    order: Sequence[Judged[_On_contra]] = list(checks)
    waiting = list(order)
    if seed is not None:
        random.Random(seed).shuffle(waiting)  # noqa: S311 - an order, no secret
    results: dict[str, Result] = {}

    async def work(left: list[Judged[_On_contra]]) -> None:
        while left:
            check = left.pop()
            results[check.name] = await run_one(check, subject)
            tell(results[check.name])

    beside = [check for check in reversed(waiting) if not check.alone]
    await asyncio.gather(*(work(beside) for _ in range(jobs)))
    await work([check for check in reversed(waiting) if check.alone])
    return [results[check.name] for check in order]
