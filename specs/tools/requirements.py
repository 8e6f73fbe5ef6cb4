"""The numbered requirements of the pages, as a list for the suite: ``freehold_conformance/requirements.json``."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LIST = "conformance/freehold_conformance/requirements.json"
LEVELS = ("MUST", "SHOULD", "MAY")  # the strongest first
MAX_TEXT = 240  # characters of a second sentence and the first, if both are to be shown

_ITEM = re.compile(r"^- \*\*(?P<id>[A-Z]{3,5}-\d+)\*\* (?P<text>.*)$")
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_WORD = re.compile(rf"\b({'|'.join(LEVELS)})\b")
_SENTENCE = re.compile(r"(?<=[.:])\s+(?=[A-Z`(])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One requirement: ``body`` is all of its item in Markdown, ``anchor`` the heading under which it stands."""

    id: str
    page: str
    anchor: str
    body: str

    @property
    def implementation(self) -> bool:
        """Whether it is about the node of this repository only."""
        return self.page.startswith("node/")

    @property
    def words(self) -> frozenset[str]:
        """The words of RFC 2119 in it."""
        return frozenset(_WORD.findall(self.body))

    @property
    def level(self) -> str:
        """The strongest of these words."""
        return next((level for level in LEVELS if level in self.words), LEVELS[0])

    @property
    def text(self) -> str:
        """Its first sentence, or two that are short, without markup."""
        plain = _LINK.sub(r"\1", self.body).replace("**", "").replace("`", "")
        sentences = _SENTENCE.split(" ".join(plain.split()))
        both = " ".join(sentences[:2])
        return both if len(both) <= MAX_TEXT else sentences[0]

    @property
    def order(self) -> tuple[str, int]:
        """What to sort by: the page's letters, then the number."""
        prefix, _, number = self.id.partition("-")
        return prefix, int(number)


def slug_of(heading: str) -> str:
    """Return the anchor that GitHub makes of a heading."""
    plain = _LINK.sub(r"\1", heading).replace("`", "").replace("*", "")
    return re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-")


def _pages(root: Path) -> list[Path]:
    specs = root / "specs"
    return [*sorted(specs.glob("*.md")), *sorted((specs / "node").glob("*.md"))]


def of_page(page: str, text: str) -> Iterator[Requirement]:
    """Yield the requirements of a page in the order in which they stand."""
    seen: Counter[str] = Counter()
    anchor, fenced = "", False
    lines = iter([*text.splitlines(), ""])
    name, body = "", [""]
    for line in lines:
        fenced ^= line.lstrip().startswith("```")
        goes_on = name and line.startswith("  ")
        if name and not goes_on:
            yield Requirement(id=name, page=page, anchor=anchor, body="\n".join(body))
            name = ""
        if goes_on:
            body.append(line.strip())
        elif not fenced and (item := _ITEM.match(line)):
            name, body = item["id"], [item["text"]]
        elif not fenced and (heading := _HEADING.match(line)):
            slug = slug_of(heading[1])
            anchor = f"{slug}-{seen[slug]}" if seen[slug] else slug
            seen[slug] += 1


def read(root: Path) -> list[Requirement]:
    """Return every requirement, those of the protocol first, each page's by number."""
    found = [
        requirement
        for path in _pages(root)
        for requirement in of_page(path.relative_to(root / "specs").as_posix(), path.read_text("utf-8"))
    ]
    return sorted(found, key=lambda one: (one.implementation, one.order))


def files(root: Path) -> dict[str, bytes]:
    """Return the list as a file."""
    rows = [
        {
            "id": one.id,
            "page": one.page,
            "anchor": one.anchor,
            "level": one.level,
            "text": one.text,
            "implementation": one.implementation,
        }
        for one in read(root)
    ]
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    return {LIST: f"[\n{lines}\n]\n".encode()}
