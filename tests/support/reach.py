"""What a page of the dashboard, and a command, really reach of the owner's operations: read from their source.

A page reaches an operation that it hands to a call, or that a function of the dashboard does which it names; a command
reaches what it asks the owner's client for, or a function of the command line does which it names. So this may find
more than happens, never less than is written.
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any, Final

import typer
from aiohttp import web
from freehold_node.api.operation import Operation
from freehold_node.api.routes import ROUTES
from freehold_node.cli.entry import app
from freehold_node.cli.owner_client import OwnerClient
from freehold_node.dashboard.routes import FIRST_PAGES, PAGES, PageRoute

Path = tuple[str, ...]
_DASHBOARD: Final = "freehold_node.dashboard"
_CLI: Final = "freehold_node.cli"
_METHODS: Final = {"get": "GET", "post": "POST", "download": "POST"}
_ANY: Final = "*"


def canonical(path: str) -> str:
    """Return the path of a route without the patterns of its variable parts: ``/g/{grant}``."""

    async def never(_: web.Request) -> web.Response:
        raise NotImplementedError

    resource = web.UrlDispatcher().add_route("GET", path, never).resource
    assert resource is not None
    return resource.canonical


def _operations() -> dict[str, Operation]:
    found = {}
    for route in ROUTES:
        owner = getattr(route.handler, "__self__", None)
        if isinstance(owner, Operation):
            found[f"{route.method} {canonical(route.path)}"] = owner
    return found


OPERATIONS: Final = _operations()
"""Every operation of the owner's, by method and path."""
_PLACE: Final = {id(operation): place for place, operation in OPERATIONS.items()}


def pages() -> dict[str, PageRoute]:
    """Return every page by method and path, but those for what there is not."""
    return {
        f"{page.method} {canonical(page.path)}": page
        for page in (*FIRST_PAGES, *PAGES)
        if page.method != "*"
    }  # fmt: skip


# From functions to what they name


def page_reaches(page: PageRoute) -> frozenset[str]:
    """Return the operations that a page reaches, by method and path."""
    return reached_by(inspect.unwrap(page.handler))


def reached_by(function: Any) -> frozenset[str]:
    """Return the operations that a function of the dashboard reaches."""
    return _closure(function, _of_dashboard)


def command_reaches(path: Path) -> frozenset[str]:
    """Return the operations that a command reaches, by method and path."""
    command: Any = typer.main.get_command(app)
    for name in path:
        command = command.commands[name]
    if command.callback is None:  # a group that is nothing by itself
        return frozenset()
    callback = inspect.unwrap(command.callback)
    framed = inspect.getclosurevars(callback).nonlocals
    while "function" not in framed:  # typer's own wrapper stands before ours
        callback = inspect.unwrap(framed["callback"])
        framed = inspect.getclosurevars(callback).nonlocals
    return asked_by(framed["function"])


def asked_by(function: Any) -> frozenset[str]:
    """Return the operations that a function of the command line asks for."""
    return _closure(function, _of_cli)


Look = Callable[[FunctionType], tuple[frozenset[str], frozenset[FunctionType]]]


def _closure(first: Any, look: Look) -> frozenset[str]:
    """Return what a function and all those it names reach."""
    seen: set[FunctionType] = set()
    waiting = [first]
    reached: set[str] = set()
    while waiting:
        function = waiting.pop()
        if function in seen:
            continue
        seen.add(function)
        here, named = look(function)
        reached |= here
        waiting += named
    return frozenset(reached)


@functools.cache
def _of_dashboard(function: FunctionType) -> tuple[frozenset[str], frozenset[FunctionType]]:
    names = _Names(function)
    reached = {
        _PLACE[id(given)]
        for call in ast.walk(names.tree)
        if isinstance(call, ast.Call)
        for argument in call.args
        if isinstance(given := names.meant(argument), Operation)
    }
    return frozenset(reached), frozenset(names.functions(_DASHBOARD))


@functools.cache
def _of_cli(function: FunctionType) -> tuple[frozenset[str], frozenset[FunctionType]]:
    names = _Names(function)
    paths = _Paths(names.tree)
    reached: set[str] = set()
    also: set[FunctionType] = set()
    for call in ast.walk(names.tree):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)):
            continue
        if isinstance(call.func.value, ast.Name) and call.func.value.id == "owner":
            method = getattr(OwnerClient, call.func.attr, None)
            if call.func.attr not in (*_METHODS, "call") and isinstance(method, FunctionType):
                also.add(method)
        reached |= set(_asked(call, call.func.attr, paths))
    return frozenset(reached), frozenset(names.functions(_CLI)) | also


def _asked(call: ast.Call, name: str, paths: _Paths) -> Iterator[str]:
    """Yield the operations that a call of the owner's client asks for."""
    arguments = list(call.args)
    if name == "call" and arguments and isinstance(said := arguments.pop(0), ast.Constant):
        method = str(said.value)
    elif name in _METHODS:
        method = _METHODS[name]
    else:
        return
    wanted = paths.read(arguments[0]) if arguments else None
    if wanted is None or not wanted.startswith("/"):
        return
    parts = ("/owner" + wanted.partition("?")[0]).split("/")
    for place in OPERATIONS:
        its_method, _, path = place.partition(" ")
        if its_method == method and _fits(parts, path.split("/")):
            yield place


def _fits(parts: list[str], template: list[str]) -> bool:
    return len(parts) == len(template) and all(
        mine == its or (mine == _ANY and its.startswith("{"))
        for mine, its in zip(parts, template, strict=True)
    )


class _Names:
    """The source of a function, and what the names in it mean in its module."""

    def __init__(self, function: FunctionType) -> None:
        self.tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        module = importlib.import_module(function.__module__)
        self._known: dict[str, Any] = dict(vars(module))
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom):
                self._known |= _imported(node, module)

    def meant(self, node: ast.AST) -> Any:
        """Return what a name, or a name of a name, means; None if the source alone does not say it."""
        if isinstance(node, ast.Name):
            return self._known.get(node.id)
        if isinstance(node, ast.Attribute):
            return getattr(self.meant(node.value), node.attr, None)
        return None

    def functions(self, package: str) -> Iterator[FunctionType]:
        """Yield every function of the package that is named."""
        for node in ast.walk(self.tree):
            found = inspect.unwrap(named) if callable(named := self.meant(node)) else None
            found = getattr(found, "__func__", found)
            if isinstance(found, FunctionType) and found.__module__.startswith(package):
                yield found


def _imported(node: ast.ImportFrom, module: ModuleType) -> Mapping[str, Any]:
    name = "." * node.level + (node.module or "")
    source = importlib.import_module(name, module.__package__)
    found = {}
    for one in node.names:
        value = getattr(source, one.name, None)
        found[one.asname or one.name] = (
            importlib.import_module(f"{source.__name__}.{one.name}") if value is None else value
        )
    return found


class _Paths:
    """The texts that a function makes paths of; what varies in them is ``*``."""

    def __init__(self, tree: ast.AST) -> None:
        self._texts: dict[str, ast.expr] = {
            target.id: node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name) and isinstance(node.value, ast.Constant | ast.JoinedStr)
        }

    def read(self, node: ast.expr) -> str | None:
        """Return the path that an expression makes; None if it makes none."""
        if isinstance(node, ast.Constant):
            return str(node.value)
        if isinstance(node, ast.Name):
            return self.read(self._texts[node.id]) if node.id in self._texts else None
        if isinstance(node, ast.BinOp):  # what is added to a path is its query
            return self.read(node.left)
        if isinstance(node, ast.Call) and node.args:  # query_of("/activity", ...)
            return self.read(node.args[0])
        if isinstance(node, ast.JoinedStr):
            return "".join(self._part(one) for one in node.values)
        return None

    def _part(self, node: ast.expr) -> str:
        if isinstance(node, ast.FormattedValue):
            return (self.read(node.value) if isinstance(node.value, ast.Name) else None) or _ANY
        return str(node.value) if isinstance(node, ast.Constant) else _ANY
