"""A deliberate fault in a node: one mistake that somebody could make, patched in before the node opens.

Mutants live in ``mutants_<topic>.py``::

    mutants = Mutants()

    @mutants("HTTP-39", "remembers for a second that a grant is live")
    def liveness_cached() -> None:
        everywhere(threshold.check_live, ...)

    @mutants("LED-2", "takes the same salt for every entry")
    def one_salt() -> None:
        edit(Gate, "_write_down", ("self._ambient.random_bytes(limits.SALT_BYTES)", "bytes(32)"))
"""

from __future__ import annotations
import __future__

import ast
import inspect
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Mutant:
    """One fault: the requirement that it breaks, what is wrong, and what patches it into this process."""

    name: str
    requirement: str
    what: str
    apply: Callable[[], None]


@dataclass
class Mutants:
    """The mutants of one module."""

    all: list[Mutant] = field(default_factory=list)

    def __call__(self, requirement: str, what: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
        def add(apply: Callable[[], None]) -> Callable[[], None]:
            name = apply.__name__.replace("_", "-")
            self.all.append(Mutant(name=name, requirement=requirement, what=what, apply=apply))
            return apply

        return add


def nothing(*_: Any, **__: Any) -> None:
    """Check nothing."""


def everywhere(old: Any, new: Any) -> None:
    """Put ``new`` in the place of a function or class, under every name by which a module of ours has it."""
    found = 0
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in ("freehold_node", "freehold_protocol"):
            for attribute, value in list(vars(module).items()):
                if value is old:
                    setattr(module, attribute, new)
                    found += 1
    assert found, f"{old} is nowhere"


def wrap(owner: Any, name: str, around: Callable[..., Any]) -> None:
    """Put ``around(old, *args, **kwargs)`` in the place of a method or a module's function of this name."""
    old = getattr(owner, name)

    def new(*args: Any, **kwargs: Any) -> Any:
        return around(old, *args, **kwargs)

    if isinstance(owner, type):
        setattr(owner, name, new)
    else:
        everywhere(old, new)


def edit(owner: Any, name: str, *changes: tuple[str, str]) -> None:
    """Write a function or method anew: each text, which stands in its source exactly once, becomes another."""
    module = sys.modules[owner.__module__] if isinstance(owner, type) else owner
    source = _source(module, owner.__name__ if isinstance(owner, type) else None, name)
    for before, after in changes:
        assert source.count(before) == 1, f"{before!r} stands {source.count(before)} times in {name}"
        source = source.replace(before, after)
    made: dict[str, Any] = {}
    flags = __future__.annotations.compiler_flag
    exec(compile(source, f"<a fault in {name}>", "exec", flags), vars(module), made)
    if isinstance(owner, type):
        setattr(owner, name, made[name])
    else:
        _replace(vars(owner)[name], made[name])


def _source(module: Any, within: str | None, name: str) -> str:
    """Return the source of a function of a module, or of a class of it, with its decorators."""
    text = inspect.getsource(module)
    body: list[ast.stmt] = ast.parse(text).body
    if within is not None:
        body = next(one.body for one in body if isinstance(one, ast.ClassDef) and one.name == within)
    functions = (one for one in body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))
    found = next(one for one in functions if one.name == name)
    first = min([found.lineno, *(one.lineno for one in found.decorator_list)])
    return textwrap.dedent("\n".join(text.splitlines()[first - 1 : found.end_lineno]))


def _replace(old: Any, new: Any) -> None:
    """Replace a function in its modules, and in the table of routes if it stands there."""
    from freehold_node.api import routes
    from freehold_node.api.operation import Operation

    if isinstance(old, Operation):  # whose handler the table of routes has already
        object.__setattr__(old, "work", new.work)
        return
    everywhere(old, new)
    if any(route.handler is old for route in routes.ROUTES):
        table = (one._replace(handler=new) if one.handler is old else one for one in routes.ROUTES)
        everywhere(routes.ROUTES, tuple(table))
