"""``demo``: play the demonstration, and keep its node up until the person has looked around.

Spec: specs/cli.md#demo
"""

from __future__ import annotations

from .frame import framed
from .run import Run


@framed
def demo(run: Run) -> None:
    """Play it."""
