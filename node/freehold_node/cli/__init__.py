"""The command line: arguments in, calls of the owner's API, words or JSON out.

Spec: specs/node/cli.md
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line of this process, and exit."""
    try:
        from .entry import main_of_process
    except KeyboardInterrupt:  # before there is anything that could say so
        sys.exit(130)
    main_of_process()
