"""Write everything that is generated, or say with ``--check`` what differs; run as ``python specs/tools/make.py``."""

from __future__ import annotations

import sys
from pathlib import Path

import requirements
import table

ROOT = Path(__file__).resolve().parents[2]
GENERATORS = (requirements, table)


def main(arguments: list[str]) -> int:
    """Return 1 if something differs and only looking was asked for, else 0."""
    differing = 0
    for generator in GENERATORS:
        for name, content in generator.files(ROOT).items():
            path = ROOT / name
            if path.is_file() and path.read_bytes() == content:
                continue
            differing += 1
            print(name)
            if "--check" not in arguments:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
    return int(bool(differing) and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
