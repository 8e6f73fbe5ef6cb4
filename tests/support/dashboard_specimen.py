"""Every macro of the dashboard with sample values, on one page or a few, for looking at and for tests.

    python tests/support/dashboard_specimen.py FOLDER [language]

writes `index.html` and the static files into FOLDER; open it, or take a screenshot of it.
"""

from __future__ import annotations

import shutil
import string
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
import markupsafe
from freehold_node.dashboard import page
from freehold_node.dashboard.switching import Forms

DASHBOARD = Path(__file__).parents[2] / "node" / "freehold_node" / "dashboard"
HERE = Path(__file__).parent / "dashboard_specimen.html"

HOSTILE = "</bdi><script>alert(1)</script>\u202egnp.exe \" onmouseover='x' " + "W" * 400
"""A vendor's name that tries markup, a direction override, a quote and no place to break."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecimenPage:
    """What the dashboard tells base.html about one page."""

    language: str = "en"
    active: str = "requests"
    waiting: int = 2
    signed_in: bool = True
    path: str = "/my/requests"
    csrf: str = "c5rf"
    once: str = "0nce"
    passkeys: bool = True
    forms: Forms = field(default_factory=Forms)
    banners: tuple[dict[str, str], ...] = field(
        default=({"kind": "success", "text": "Saved. It counts from now on."},)
    )


def texts(language: str) -> dict[str, str]:
    """The texts of base.toml in one language."""
    with (DASHBOARD / "texts" / language / "base.toml").open("rb") as file:
        return tomllib.load(file)


def say(language: str) -> Callable[..., markupsafe.Markup]:
    """`t` for the texts of base.toml alone: what is put in is escaped."""
    told = texts(language)

    def t(key: str, **values: object) -> markupsafe.Markup:
        safe = {name: markupsafe.escape(value) for name, value in values.items()}
        return markupsafe.Markup(string.Formatter().vformat(told[key.removeprefix("base.")], (), safe))

    return t


def environment(extra: dict[str, str] | None = None) -> jinja2.Environment:
    """The environment of all pages, with the templates of the dashboard and `extra` ones by name."""
    loader = jinja2.ChoiceLoader(
        [jinja2.DictLoader(extra or {}), jinja2.FileSystemLoader([DASHBOARD / "templates", HERE.parent])]
    )
    return page.environment().overlay(loader=loader)


def render(template: str, *, language: str = "en", extra: dict[str, str] | None = None, **given: Any) -> str:
    """One template with the context that every page has."""
    context: dict[str, Any] = {
        "t": say(language),
        "page": SpecimenPage(language=language),
        "static": lambda name: name,
        **given,
    }
    return environment(extra).get_template(template).render(context)


def write(folder: Path, language: str) -> None:
    """The specimen and what it needs, into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.html").write_text(
        render(HERE.name, language=language, hostile=HOSTILE), encoding="utf-8"
    )
    for file in (DASHBOARD / "static").iterdir():
        shutil.copy(file, folder / file.name)


if __name__ == "__main__":
    write(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "en")
