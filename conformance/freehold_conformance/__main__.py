"""``python -m freehold_conformance``: the suite."""

from __future__ import annotations

from .cli import main

if __name__ == "__main__":
    main()
