"""What a check is: requirements, and an async function that raises ``Failed`` if a node does not meet them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any, Final

from . import codes
from .hands.encoding import Document, strict_json
from .wire import Answer

PROBLEM_TYPE: Final = "https://w3id.org/freehold/v1/errors#"


class Failed(Exception):  # noqa: N818 - not an error of the suite, but its finding
    """What is judged does not meet a requirement; the text says what came instead."""


class Skipped(Exception):  # noqa: N818 - not an error either
    """A check cannot be made here; the text says what it lacks."""


class Profile(StrEnum):
    """Which nodes a check is for: ``core`` is required of all, the others of those that claim them.

    Spec: specs/conformance.md#profiles
    """

    CORE = "core"
    EVENTS = "events"
    EZCAP = "ezcap"
    RDF = "rdf"
    DID_WEB = "did-web"
    IMPORTS = "imports"
    MOVING = "moving"
    DURABLE = "durable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A check of requirements, the first being the one that it is about.

    Attributes:
        name: ``HTTP-22 ended-grant-explains-itself``, and the case in brackets where it has some.
        title: A sentence for people.
        slow: Whether it needs minutes.
        alone: Whether it touches what other checks use too, so that it runs after all of them and beside none.
        unless: A profile of which the nodes that claim it are not asked this.
    """

    name: str
    title: str
    requirements: tuple[str, ...]
    profile: Profile
    slow: bool
    alone: bool
    unless: Profile | None
    run: Callable[[Any], Awaitable[None]]


@dataclass(slots=True)
class Topic:
    """The checks of one module, in the order in which it defines them."""

    profile: Profile = Profile.CORE
    checks: list[Check] = field(default_factory=list)

    def check(
        self,
        *requirements: str,
        cases: Mapping[str, Any] | None = None,
        profile: Profile | None = None,
        slow: bool = False,
        alone: bool = False,
        unless: Profile | None = None,
    ) -> Callable[[Callable[..., Awaitable[None]]], Callable[..., Awaitable[None]]]:
        """Make a check of a function; with ``cases``, one for each, which gets its value as second argument.

        The function's name and docstring are the check's name and title.
        """

        def add(run: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
            name = f"{requirements[0]} {run.__name__.replace('_', '-')}"
            title = (run.__doc__ or "").strip().splitlines()[0]
            named: Mapping[str, Callable[[Any], Awaitable[None]]] = (
                {name: run}
                if cases is None
                else {f"{name}[{case}]": _of_case(run, value) for case, value in cases.items()}
            )
            for made, one in named.items():
                self.checks.append(
                    Check(
                        name=made,
                        title=title,
                        requirements=requirements,
                        profile=profile or self.profile,
                        slow=slow,
                        alone=alone,
                        unless=unless,
                        run=one,
                    )
                )
            return run

        return add


def _of_case(run: Callable[..., Awaitable[None]], value: object) -> Callable[[Any], Awaitable[None]]:
    return partial(_run_case, run, value)


async def _run_case(run: Callable[..., Awaitable[None]], value: object, stage: object) -> None:
    await run(stage, value)


def expect(holds: bool, what: str) -> None:
    """Raise Failed with what is the matter, unless it holds."""
    if not holds:
        raise Failed(what)


def expect_equal(found: object, wanted: object, what: str) -> None:
    """Raise Failed unless the two are equal; ``what`` names the thing, and neither value may be a secret."""
    if found != wanted:
        raise Failed(f"{what}: {found!r} instead of {wanted!r}")


def expect_status(answer: Answer, *statuses: int) -> Answer:
    """Check the status; what a refusal says of itself is told. Return the answer."""
    if answer.status not in statuses:
        code = answer.headers.get("freehold-code", "no code")
        raise Failed(f"status {answer.status} ({code}) instead of {' or '.join(map(str, statuses))}")
    return answer


def expect_problem(answer: Answer, status: int, *wanted: str) -> Document:
    """Check that an answer is a problem document of this status and one of these codes; return it.

    Spec: specs/http.md#messages
    """
    expect_status(answer, status)
    problem = expect_sound_problem(answer)
    if wanted:
        code = problem["code"]
        expect(code in wanted, f"the code {code!r} instead of {' or '.join(wanted)}")
    return problem


def expect_sound_problem(answer: Answer) -> Document:
    """Check that an answer is a problem document of the one form there is, with a registered code; return it.

    Spec: specs/http.md#messages
    """
    kind = answer.headers.get("content-type", "")
    expect(kind.partition(";")[0] == "application/problem+json", f"content type {kind!r} of a problem")
    problem = object_of(answer)
    expect_equal(sorted(problem), ["code", "detail", "status", "title", "type"], "members of the problem")
    code = problem["code"]
    expect(isinstance(code, str) and code in codes.STATUS, f"a code {code!r} that is not registered")
    statuses = (codes.STATUS[code], *codes.ALSO.get(code, ()))
    expect(answer.status in statuses, f"status {answer.status} with the code {code!r}")
    expect(
        problem["status"] == answer.status and type(problem["status"]) is int,
        f"status {problem['status']!r} in a problem that came with {answer.status}",
    )
    expect_equal(problem["type"], f"{PROBLEM_TYPE}{code}", "type of the problem")
    for member in ("title", "detail"):
        text = problem[member]
        expect(isinstance(text, str) and text != "", f"the problem's {member} is no text")
    expect_equal(
        [value for name, value in answer.raw_headers if name == "freehold-code"], [code], "Freehold-Code"
    )
    if answer.status == 503:
        wanted = codes.RETRY_AFTER.get(code, "5")
        expect_equal(answer.headers.get("retry-after"), wanted, f"Retry-After with {code}")
    return problem


def expect_refusal(answer: Answer, method: str = "GET") -> str:
    """Check that an answer is a refusal of the one form, also to HEAD, which has no body; return its code.

    Spec: specs/http.md#messages
    """
    expect(400 <= answer.status < 500, f"status {answer.status} instead of a refusal")
    if method != "HEAD":
        return str(expect_sound_problem(answer)["code"])
    code = answer.headers.get("freehold-code")
    expect(code is not None, "a refusal of HEAD without a code")
    statuses = (codes.STATUS.get(str(code)), *codes.ALSO.get(str(code), ()))
    expect(answer.status in statuses, f"status {answer.status} with the code {code!r}")
    return str(code)


def object_of(answer: Answer) -> Document:
    """Return an answer's body as a JSON object, or raise Failed."""
    try:
        found = strict_json(answer.body)
    except (ValueError, RecursionError) as error:
        raise Failed(f"a body that is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise Failed("a body that is no JSON object")
    return found
