"""The table of specs/conformance.md: what tests each requirement, from a node's outside, a client's, or ours."""

from __future__ import annotations

import ast
import importlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requirements

PAGE = "specs/conformance.md"
MARK = "requirement"
_GENERATED = re.compile(r"(?<=<!-- generated: requirements -->\n).*?(?=<!-- end -->)", re.DOTALL)
KINDS = ("node", "client", "vectors", "tests")
MAX_NAMED = 6  # of one kind in one row; a longer row is not read

Found = dict[str, dict[str, list[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Per kind and requirement the names of what tests it, each once, in order."""

    by_kind: Found = field(default_factory=lambda: {kind: {} for kind in KINDS})

    def of(self, requirement: str) -> dict[str, list[str]]:
        """Return kind to names for one requirement; a kind with none is left out."""
        return {kind: found[requirement] for kind, found in self.by_kind.items() if requirement in found}

    def named(self) -> set[str]:
        """Return the number of every requirement that something says it tests."""
        return {number for found in self.by_kind.values() for number in found}


def _gather(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for number, name in pairs:
        found[number].add(name)
    return {number: sorted(names) for number, names in found.items()}


def _imported(module: str, attribute: str) -> Iterator[tuple[str, str]]:
    try:
        listed: Iterable[Any] = getattr(importlib.import_module(module), attribute)
    except (ModuleNotFoundError, AttributeError):
        return  # that part of the suite is not there
    for one in listed:
        for number in getattr(one, "requirements", ()):
            yield number, one.name.partition("[")[0].strip()  # a check may have many cases


def _vectors(root: Path) -> Iterator[tuple[str, str]]:
    for path in sorted((root / "specs" / "vectors").glob("*.json")):
        for case in json.loads(path.read_text("utf-8")).get("cases", ()):
            for number in case.get("requirements", ()):
                yield number, path.stem


def _marks(expression: ast.expr) -> Iterator[str]:
    """Yield the requirements of ``pytest.mark.requirement("HTTP-37", ...)``, alone or in a list."""
    for node in ast.walk(expression):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == MARK:
            yield from (
                one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)
            )


def _marked(nodes: Iterable[ast.stmt]) -> Iterator[tuple[str, str]]:
    """Yield requirement and the name that is marked; a module's own mark has no name."""
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for decorator in node.decorator_list:
                yield from ((number, node.name) for number in _marks(decorator))
            if isinstance(node, ast.ClassDef):
                yield from _marked(node.body)
        elif isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets
        ):
            yield from ((number, "") for number in _marks(node.value))


def _tests(root: Path) -> Iterator[tuple[str, str]]:
    for path in sorted((root / "tests").rglob("test_*.py")):
        for number, name in _marked(ast.parse(path.read_text("utf-8")).body):
            file = path.relative_to(root / "tests").as_posix().removesuffix(".py")
            yield number, f"{file}::{name}" if name else file


def coverage(root: Path) -> Coverage:
    """Return what tests which requirement, as far as it says so."""
    return Coverage(
        by_kind={
            "node": _gather(_imported("freehold_conformance.checks", "CHECKS")),
            "client": _gather(_imported("freehold_conformance.client", "SITUATIONS")),
            "vectors": _gather(_vectors(root)),
            "tests": _gather(_tests(root)),
        }
    )


def _cell(names: list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:MAX_NAMED])
    return shown + (f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else "")


def rows(root: Path) -> str:
    """Return the tables in Markdown: one for each page."""
    found = coverage(root)
    parts: dict[str, list[str]] = {}
    for one in requirements.read(root):
        if one.implementation:
            continue
        heading = f"### {one.page}\n\n| | level | {' | '.join(KINDS)} |\n|---|---|{'---|' * len(KINDS)}"
        lines = parts.setdefault(one.page, [heading])
        by_kind = found.of(one.id)
        cells = " | ".join(_cell(by_kind.get(kind, [])) for kind in KINDS)
        lines.append(f"| [{one.id}]({one.page}#{one.anchor}) | {one.level} | {cells} |")
    return "\n\n".join("\n".join(lines) for lines in parts.values())


def files(root: Path) -> dict[str, bytes]:
    """Return the page with its generated part as it should be."""
    text = (root / PAGE).read_text("utf-8")
    made = f"\n{rows(root)}\n\n"
    return {PAGE: _GENERATED.sub(lambda _: made, text).encode()}
