"""The vectors: read from the installed package or, in a checkout, from ``specs/vectors``."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

Json = Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """One question, and what has to come of it: ``valid`` or a code of specs/errors.md.

    ``output`` holds the members that an answer's output has to have, with these values; None where the outcome
    says all.
    """

    operation: str
    name: str
    requirements: tuple[str, ...]
    input: Json
    outcome: str
    output: Json


def folder() -> Path:
    """Return where the vectors are.

    Raises:
        FileNotFoundError: Neither installed nor in a checkout.
    """
    installed = Path(str(files(__package__).joinpath("data")))
    checkout = Path(__file__).resolve().parents[3] / "specs" / "vectors"
    for place in (installed, checkout):
        if place.is_dir():
            return place
    raise FileNotFoundError("the vectors are neither in the package nor beside it")


def load_vectors(place: Path | None = None, *, operations: Collection[str] = ()) -> list[Vector]:
    """Return every vector of a folder, in the order of the files' names; of some operations only, if any are named.

    Raises:
        OSError: The folder cannot be read.
        ValueError: A file is not of the form, or there is none of an operation.
    """
    found: list[Vector] = []
    for path in sorted((place or folder()).glob("*.json")):
        if not operations or path.stem in operations:
            found += _read(path)
    if missing := set(operations) - {one.operation for one in found}:
        raise ValueError("no vectors of " + ", ".join(sorted(missing)))
    if not found:
        raise ValueError("there are no vectors")
    return found


def _read(path: Path) -> list[Vector]:
    document = json.loads(path.read_text("utf-8"))
    try:
        return [
            Vector(
                operation=document["operation"],
                name=case["name"],
                requirements=tuple(case["requirements"]),
                input=case["input"],
                outcome=case["outcome"],
                output=case.get("output"),
            )
            for case in document["cases"]
        ]
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path.name} is no file of vectors") from error
