"""``freehold-conformance library -- COMMAND``: test anybody's protocol library with the vectors of the specification.

The command is a small program around that library, an *adapter*: for each line with an operation and its input it
answers with a line that says the outcome. Nothing of ours is loaded into it, and it may be written in any language.

Spec: specs/vectors/README.md
"""

from __future__ import annotations

from .command import add_arguments, main, run
from .running import Result, run_library
from .vectors import Vector, load_vectors

__all__ = ["Result", "Vector", "add_arguments", "load_vectors", "main", "run", "run_library"]
