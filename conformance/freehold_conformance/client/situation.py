"""What a situation is: requirements, and an async function that raises ``Failed`` if a client does not meet them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..check import Failed, Profile
from .adapter import Adapter
from .node import PretendNode
from .play import MARGIN_S, PATIENCE_S, Play

Act = Callable[..., Awaitable[None]]


class Stand:
    """Adapters of one command, one for each situation that is under way."""

    def __init__(
        self, command: Sequence[str], *, patience_s: float = PATIENCE_S, margin_s: float = MARGIN_S
    ) -> None:
        self._command, self._idle = tuple(command), list[Adapter]()
        self._patience_s, self._margin_s = patience_s, margin_s

    @asynccontextmanager
    async def play(self) -> AsyncIterator[Play]:
        """Give a fresh client, by an adapter that nobody else uses meanwhile, and a fresh node."""
        adapter = self._idle.pop() if self._idle else Adapter(self._command)
        play = Play(node=PretendNode(), adapter=adapter, patience_s=self._patience_s, margin_s=self._margin_s)
        try:
            await play.node.start()
            await play.begin()
            yield play
            play.judge_wire()
        except Failed as failed:
            if (mistake := play.node.failure) is not None:
                raise RuntimeError(f"the suite's own mistake: {mistake!r}") from failed
            raise
        finally:
            self._idle.append(adapter)
            await play.end()

    async def close(self) -> None:
        """End every adapter."""
        for adapter in self._idle:
            with contextlib.suppress(OSError):
                await adapter.stop()


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A situation, and what the client must do in it.

    Attributes:
        name: ``CLT-2 redirect``, and the case in brackets where it has some.
        title: A sentence for people.
        requirements: The first is the one that it is about.
    """

    name: str
    title: str
    requirements: tuple[str, ...]
    run: Callable[[Stand], Awaitable[None]]
    profile: Profile = Profile.CORE
    slow: bool = False
    alone: bool = False


@dataclass(slots=True)
class Scenes:
    """The situations of one module, in the order in which it defines them."""

    profile: Profile = Profile.CORE
    situations: list[Situation] = field(default_factory=list)

    def situation(
        self,
        *requirements: str,
        cases: Mapping[str, Any] | None = None,
        profile: Profile | None = None,
        slow: bool = False,
    ) -> Callable[[Act], Act]:
        """Make a situation of a function; with ``cases``, one for each, which gets its value as second argument.

        The function's name and docstring are the situation's name and title.
        """

        def add(act: Act) -> Act:
            name = f"{requirements[0]} {act.__name__.replace('_', '-')}"
            named: Mapping[str, tuple[Any, ...]] = (
                {name: ()}
                if cases is None
                else {f"{name}[{case}]": (value,) for case, value in cases.items()}
            )
            for made, arguments in named.items():
                self.situations.append(
                    Situation(
                        name=made,
                        title=(act.__doc__ or "").strip().splitlines()[0],
                        requirements=requirements,
                        run=partial(_run, act, arguments),
                        profile=profile or self.profile,
                        slow=slow,
                    )
                )
            return act

        return add


async def _run(act: Act, arguments: tuple[Any, ...], stand: Stand) -> None:
    async with stand.play() as play:
        await act(play, *arguments)
