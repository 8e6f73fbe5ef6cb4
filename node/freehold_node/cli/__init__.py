"""The command line: arguments in, calls of the owner's API, words or JSON out.

Spec: specs/cli.md
"""

from .entry import main

__all__ = ["main"]
