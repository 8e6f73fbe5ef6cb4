"""``python specs/tools/make.py``: write everything in the repository that is generated from the specification.

``--check`` writes nothing: it names what differs, and then exits with 1. Each generator is a module of this folder with

    def files(root: Path) -> dict[str, bytes]

which maps paths, relative to the repository's root, to what has to be there. It reads files below the root and nothing
else: no clock, no random numbers, no network. ``FOLDERS`` of a module, where it has them, are folders that hold
generated files only: what stands there and is not generated any more is taken away.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

import contexts
import openapi
import parity
import purposes
import requirements
import schemas
import table
import vectors
import words
import worked_examples

ROOT = Path(__file__).resolve().parents[2]
GENERATORS: tuple[ModuleType, ...] = (
    vectors,
    contexts,
    worked_examples,
    schemas,
    openapi,
    parity,
    purposes,
    requirements,
    words,
    table,
)


def wanted(root: Path) -> dict[str, bytes]:
    """Return every generated file. Raises ValueError if two generators make the same one."""
    made: dict[str, bytes] = {}
    for generator in GENERATORS:
        for path, data in generator.files(root).items():
            if path in made:
                raise ValueError(f"two generators make {path}")
            made[path] = data
    return made


def leftovers(root: Path, made: dict[str, bytes]) -> Iterator[Path]:
    """Yield what stands in folders of generated files and is none."""
    for folder in (folder for generator in GENERATORS for folder in getattr(generator, "FOLDERS", ())):
        for path in sorted((root / folder).rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.is_file() and path.name != "README.md" and name not in made:
                yield path


def differences(root: Path) -> list[str]:
    """Return the path of every file that is not as it would be written now."""
    made = wanted(root)
    changed = [
        path
        for path, data in made.items()
        if not (root / path).is_file() or (root / path).read_bytes() != data
    ]
    return sorted([*changed, *(path.relative_to(root).as_posix() for path in leftovers(root, made))])


def write(root: Path) -> None:
    """Write what differs, and take away what is not generated any more."""
    for path in leftovers(root, wanted(root)):
        path.unlink()
    for generator in GENERATORS:  # in order: the last read what the first have written
        for name, data in generator.files(root).items():
            path = root / name
            if not path.is_file() or path.read_bytes() != data:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)


def main(argv: Sequence[str] | None = None) -> int:
    """Return 0, or with ``--check`` 1 where something differs."""
    parser = argparse.ArgumentParser(description="Write what is generated from the specification.")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 if something differs"
    )
    if not parser.parse_args(argv).check:
        write(ROOT)
        return 0
    changed = differences(ROOT)
    for path in changed:
        print(f"not as generated: {path}; run python specs/tools/make.py", file=sys.stderr)
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(main())
