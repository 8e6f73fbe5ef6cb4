"""Who may import whom: between the packages, inside the protocol, and inside the node.

The rules are tables and a pure function over a module's name and text, so that the test at the end can show
with planted breaches that each rule bites.
"""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

MAY_IMPORT: Mapping[str, set[str]] = {
    "freehold_protocol": set(),
    "freehold_node": {"freehold_protocol"},
    "freehold_vendor": {"freehold_protocol"},
    "freehold_conformance": {"freehold_protocol"},
}
"""Our packages, and which other ones of ours each may import."""

PROTOCOL_ORDER = (
    *("errors", "reason", "limits", "encoding", "form", "active_context", "context_set", "contexts"),
    *("purpose", "canonical", "keys", "did_document"),
    *("structured_field", "blank_node", "rdf", "proof", "record", "permission"),
    *("target", "connect", "request", "grant", "caveat"),
    *("capability", "delegation", "http_message", "http_signature", "ezcap", "invocation"),
    *("merkle", "entry", "checkpoint", "ledger", "receipt", "succession", "bundle"),
    *("moved", "restored", "released"),
)
"""A file of the protocol imports only files before it; a new file is given its place here first."""

NODE_TIERS: tuple[set[str], ...] = (
    {
        "ambient",
        "condition",
        "config",
        "data_dir",
        "imports",
        "keystore",
        "person_keys",
        "proven",
        "recovery_sheet",
        "sealing",
        "visitors",
    }
    | {"public_address", "resolver", "unlock"},
    {"attestation", "backup_file", "challenges", "context_files", "foreign", "foreign_worker"}
    | {"audit_worker"},
    {"store"},
    {"backup", "counts", "events", "filling", "known_keys", "ledger", "recovering", "restoring"}
    | {"setting_up"},
    {"labels", "selection", "shown", "view"},
    {"changes"},
    {"allowance", "connecting", "drafts", "news", "reach", "rotation", "versions"},
    {"grant_told", "holder", "readers"},
    {"threshold"},
    {"gate", "inbox", "inspection", "origins", "records", "relations", "restored", "revocations"}
    | {"devices", "partners", "passkeys", "vendor_keys"},
    {"activity", "audit", "custody", "export", "lists", "sample_removal", "streams", "today"},
    {"api", "dashboard"},
    {"app"},
    {"first_start"},
    {"cli", "demo", "sample", "__main__"},
)
"""A file or folder of the node imports its own tier and those before it."""

DASHBOARD_SUBJECTS: Mapping[str, set[str]] = {
    "consent": {"record"},
    "relationship": {"consent"},
    "ledger": set(),
    "record": set(),
    "files": set(),
}
"""What pages show, by subject, and which other subject each may import: a card says what records hold as they do.

The files of the dashboard that every request passes import none of them, and only ``routes`` imports ``pages``.
"""

CLOSED = {"imports"}
"""Folders of the node that import nothing else of the node: what they read comes from strangers."""

INPUT_AND_OUTPUT = {
    *("aiohttp", "apsw", "asyncio", "concurrent", "ctypes", "fcntl", "ftplib", "getpass", "glob", "http"),
    *("httpx", "logging", "mmap", "multiprocessing", "os", "pathlib", "platformdirs", "requests", "select"),
    *("selectors", "shutil", "signal", "smtplib", "socket", "socketserver", "sqlite3", "ssl", "subprocess"),
    *("sys", "tempfile", "threading", "urllib", "webbrowser"),
}
CLOCK_AND_RANDOMNESS = {"random", "secrets", "time", "uuid"}
SIDE_DOORS = {
    *("__import__", "breakpoint", "eval", "exec", "import_module", "input", "now", "open", "print"),
    *("randombytes", "today", "urandom", "utcnow"),
}
"""Names by which a file reaches a clock, randomness, a file or a module without importing the above."""


@dataclass(frozen=True)
class Module:
    """A source file under its dotted name; a package's is its ``__init__``."""

    name: str
    source: str
    is_package: bool = False

    @property
    def package(self) -> str:
        return self.name.partition(".")[0]

    @property
    def part(self) -> str:
        """The file or folder of the package it belongs to; empty for the package's own ``__init__``."""
        return self.name.partition(".")[2].partition(".")[0]


def our_modules() -> Iterator[Module]:
    for package in MAY_IMPORT:
        folder = ROOT / package.removeprefix("freehold_")
        for path in sorted((folder / package).rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            is_package = parts[-1] == "__init__"
            name = ".".join(parts[:-1] if is_package else parts)
            yield Module(name, path.read_text("utf-8"), is_package)


OURS = tuple(our_modules())
KNOWN = frozenset(module.name for module in OURS) | {f"freehold_protocol.{name}" for name in PROTOCOL_ORDER}


def imported(module: Module, known: Collection[str] = KNOWN) -> Iterator[str]:
    """Yield the dotted name of everything imported, at any depth; relative names made absolute."""
    for node in ast.walk(ast.parse(module.source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = origin_of(node, module)
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                yield whole if whole in known else base


def origin_of(node: ast.ImportFrom, module: Module) -> str:
    """Return the absolute name of the X in ``from X import ...``."""
    if not node.level:
        return node.module or ""
    parts = module.name.split(".")
    parts = parts[: len(parts) - node.level + module.is_package]
    return ".".join([*parts, node.module] if node.module else parts)


def breaches(module: Module, known: Collection[str] = KNOWN) -> list[str]:
    """Return what the module must not do and does, in words."""
    names = sorted(set(imported(module, known)))
    return [
        *across_packages(module, names),
        *in_protocol(module, names),
        *in_node(module, names),
        *in_dashboard(module, names),
    ]


def across_packages(module: Module, names: list[str]) -> Iterator[str]:
    allowed = MAY_IMPORT[module.package] | {module.package}
    for name in names:
        top = name.partition(".")[0]
        if top.startswith("freehold") and top not in allowed:
            yield f"{module.package} imports {top}"
        elif top in {"tests", "conftest", "pytest", "hypothesis"}:
            yield f"{module.name} imports {top}, which only tests may"


def in_protocol(module: Module, names: list[str]) -> Iterator[str]:
    if module.package != "freehold_protocol":
        return
    banned = INPUT_AND_OUTPUT | CLOCK_AND_RANDOMNESS
    yield from (f"the protocol imports {name}" for name in names if name.partition(".")[0] in banned)
    yield from (f"the protocol uses {name}" for name in sorted(used(module) & SIDE_DOORS))
    if not module.part:
        return
    if module.part not in PROTOCOL_ORDER:
        yield f"{module.part} has no place in PROTOCOL_ORDER"
        return
    earlier = PROTOCOL_ORDER[: PROTOCOL_ORDER.index(module.part)]
    for name in names:
        package, _, rest = name.partition(".")
        if package == "freehold_protocol" and rest.partition(".")[0] not in {*earlier, module.part}:
            yield f"{module.part} imports {rest or 'the package itself'}, which does not come before it"


def used(module: Module) -> set[str]:
    """Return every name that is loaded, as a variable, an attribute or an import."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.source)):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.ImportFrom):
            found.update(alias.name for alias in node.names)
    return found


def in_node(module: Module, names: list[str]) -> Iterator[str]:
    if module.package != "freehold_node":
        return
    if module.part != "ambient":
        outside = CLOCK_AND_RANDOMNESS & {name.partition(".")[0] for name in names}
        yield from (
            f"{module.name} imports {name}; only ambient reads clock and randomness" for name in outside
        )
    tier = tier_of(module.part)
    if tier is None and module.part:
        yield f"{module.part} has no tier in NODE_TIERS"
    for name in names:
        package, _, rest = name.partition(".")
        part = rest.partition(".")[0]
        if package != "freehold_node" or part == module.part:
            continue
        other = tier_of(part)
        if tier is None or other is None or other > tier:
            yield f"{module.part} imports {part or 'the package itself'}, which does not stand below it"
        elif module.part in CLOSED:
            yield f"{module.part} imports {part}, and may import only the protocol"


def in_dashboard(module: Module, names: list[str]) -> Iterator[str]:
    here, place = _place_in_dashboard(module.name)
    if not here:
        return
    for name in names:
        there, other = _place_in_dashboard(name)
        if not there or other == place:
            continue
        if other == "pages" and place != "routes":
            yield f"{place} imports pages, which only routes may"
        elif place in DASHBOARD_SUBJECTS and other in DASHBOARD_SUBJECTS.keys() - DASHBOARD_SUBJECTS[place]:
            yield f"{place} imports {other}, which is another subject"
        elif place not in {*DASHBOARD_SUBJECTS, "pages", "routes"} and other in DASHBOARD_SUBJECTS:
            yield f"{place} imports {other}, and every request passes it"


def _place_in_dashboard(name: str) -> tuple[bool, str]:
    """Return whether a module is of the dashboard, and the file or folder of it."""
    parts = name.split(".")
    return parts[:2] == ["freehold_node", "dashboard"], parts[2] if len(parts) > 2 else ""


def tier_of(part: str) -> int | None:
    return next((index for index, tier in enumerate(NODE_TIERS) if part in tier), None)


def cycle_among(modules: Collection[Module]) -> list[str]:
    """Return the modules of one import cycle, or nothing."""
    known = {module.name for module in modules}
    graph = {module.name: set(imported(module, known)) & known - {module.name} for module in modules}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return [str(name) for name in error.args[1]]
    return []


@pytest.mark.requirement("SEC-10")
@pytest.mark.parametrize("module", OURS, ids=lambda module: module.name)
def test_a_module_imports_only_what_its_layer_may(module: Module) -> None:
    assert breaches(module) == []


def test_no_imports_go_round() -> None:
    assert cycle_among(OURS) == []


def test_every_package_was_looked_at() -> None:
    assert {module.package for module in OURS} == MAY_IMPORT.keys()
    assert {"freehold_protocol.errors", "freehold_node.keystore"} <= KNOWN


@pytest.mark.parametrize(
    ("name", "source", "said"),
    [
        ("freehold_protocol.keys", "import asyncio", "imports asyncio"),
        ("freehold_protocol.keys", "import os.path", "imports os.path"),
        ("freehold_protocol.keys", "from urllib.parse import quote", "imports urllib.parse"),
        ("freehold_protocol.keys", "def f():\n    import time", "imports time"),
        ("freehold_protocol.keys", "if TYPE_CHECKING:\n    from pathlib import Path", "imports pathlib"),
        ("freehold_protocol.keys", "open('x')", "uses open"),
        ("freehold_protocol.keys", "datetime.now(UTC)", "uses now"),
        ("freehold_protocol.keys", "from nacl.bindings import randombytes", "uses randombytes"),
        ("freehold_protocol.keys", "sodium.randombytes(32)", "uses randombytes"),
        ("freehold_protocol.keys", "importlib.import_module('o' + 's')", "uses import_module"),
        ("freehold_protocol.keys", "import freehold_node.store", "imports freehold_node"),
        ("freehold_protocol.keys", "from .proof import sign_document", "keys imports proof"),
        ("freehold_protocol.keys", "from . import proof", "keys imports proof"),
        ("freehold_protocol.keys", "import freehold_protocol.proof", "keys imports proof"),
        ("freehold_protocol.keys", "from freehold_protocol import proof", "keys imports proof"),
        ("freehold_protocol.keys", "from . import something", "imports the package itself"),
        ("freehold_protocol.errors", "from . import limits", "errors imports limits"),
        ("freehold_protocol.helpers", "", "helpers has no place in PROTOCOL_ORDER"),
        ("freehold_vendor.client", "from freehold_node.store import Store", "imports freehold_node"),
        ("freehold_conformance.runner", "import freehold_vendor", "imports freehold_vendor"),
        ("freehold_node.demo", "from freehold_vendor import client", "imports freehold_vendor"),
        ("freehold_node.gate", "from freehold_conformance.runner import run", "imports freehold_conformance"),
        ("freehold_node.gate", "import pytest", "only tests may"),
        ("freehold_node.gate", "import secrets", "only ambient"),
        ("freehold_node.gate", "def f():\n    from time import time", "only ambient"),
        ("freehold_node.store.sqlite", "from ..gate import Gate", "store imports gate"),
        ("freehold_node.store.sqlite", "from .. import api", "store imports api"),
        ("freehold_node.store.sqlite", "from freehold_node.api.routes import ROUTES", "store imports api"),
        (
            "freehold_node.store.sqlite",
            "from freehold_node.dashboard import pages",
            "store imports dashboard",
        ),
        ("freehold_node.store.sqlite", "def f():\n    from ..cli import main", "store imports cli"),
        ("freehold_node.dashboard.door", "from .pages import today", "door imports pages"),
        ("freehold_node.dashboard.visit", "from .consent.card import card_of", "visit imports consent"),
        ("freehold_node.dashboard.record.as_form", "from ..ledger import spans", "record imports ledger"),
        (
            "freehold_node.dashboard.consent.card",
            "from ..pages.requests import show",
            "consent imports pages",
        ),
        ("freehold_node.dashboard.consent.card", "from ..ledger import spans", "consent imports ledger"),
        ("freehold_node.store.sqlite", "from ..view import View", "store imports view"),
        ("freehold_node.view", "from .relations import end", "view imports relations"),
        ("freehold_node.gate", "from .api.problems import STATUS", "gate imports api"),
        ("freehold_node.api.routes", "from ..app import build", "api imports app"),
        ("freehold_node.app", "from .cli import main", "app imports cli"),
        ("freehold_node.keystore", "from .store import Store", "keystore imports store"),
        ("freehold_node.imports.vcard", "from ..store import Store", "imports imports store"),
        ("freehold_node.imports.vcard", "from ..config import Config", "may import only the protocol"),
        ("freehold_node.imports.vcard", "from .. import utils", "the package itself"),
        ("freehold_node.utils", "", "utils has no tier"),
    ],
)
def test_a_planted_breach_is_seen(name: str, source: str, said: str) -> None:
    known = KNOWN | {"freehold_node.api", "freehold_node.dashboard.pages"}
    found = breaches(Module(name, source), known)
    assert len(found) >= 1
    assert said in " / ".join(found)


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("freehold_protocol.proof", "from .keys import SigningKey\nfrom . import limits\nimport hashlib"),
        ("freehold_protocol.keys", "import datetime\nimport nacl.bindings"),
        ("freehold_vendor.client", "from freehold_protocol.request import Request\nimport time"),
        ("freehold_node.ambient", "import time\nimport secrets"),
        ("freehold_node.keystore", "from .data_dir import write_durably"),
        ("freehold_node.store.sqlite", "from .store import Store\nfrom ..config import Config\nimport os"),
        ("freehold_node.gate", "from .relations import Relations\nfrom .view import View"),
        (
            "freehold_node.dashboard.relationship.scene",
            "from ..consent.own import Own\nfrom ..visit import Visit",
        ),
        ("freehold_node.dashboard.consent.own", "from ..record.as_words import Telling"),
        ("freehold_node.dashboard.routes", "from .pages import today\nfrom .ledger import checking"),
        ("freehold_node.app", "from .api import routes\nfrom .store.sqlite import SqliteStore"),
        ("freehold_node.cli", "from . import app, demo, keystore\nfrom .imports import vcard"),
        ("freehold_node.imports.vcard", "from .lines import unfold\nfrom freehold_protocol import limits"),
    ],
)
def test_what_is_allowed_is_not_called_a_breach(name: str, source: str) -> None:
    known = KNOWN | {"freehold_node.app", "freehold_node.demo"}
    assert breaches(Module(name, source), known) == []


def test_a_planted_cycle_is_seen() -> None:
    planted = [
        Module("freehold_vendor", "", is_package=True),
        Module("freehold_vendor.client", "from .held import Held"),
        Module("freehold_vendor.held", "def later():\n    from . import transport"),
        Module("freehold_vendor.transport", "import freehold_vendor.client"),
    ]
    assert {"freehold_vendor.client", "freehold_vendor.held", "freehold_vendor.transport"} == set(
        cycle_among(planted)
    )
    assert cycle_among(planted[:3]) == []


def test_relative_names_are_resolved_from_where_they_stand() -> None:
    source = "from . import a\nfrom .b import c\nfrom .. import d\nfrom ..e.f import g"
    known = {"p.q.a", "p.q.b.c", "p.d"}
    assert list(imported(Module("p.q.r", source), known)) == ["p.q.a", "p.q.b.c", "p.d", "p.e.f"]
    assert list(imported(Module("p.q", source, is_package=True), known)) == [
        "p.q.a",
        "p.q.b.c",
        "p.d",
        "p.e.f",
    ]
