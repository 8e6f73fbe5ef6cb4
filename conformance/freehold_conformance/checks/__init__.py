"""The checks of a node, one module for each topic, one function for each thing that must hold."""

from __future__ import annotations

from ..check import Check
from . import (
    answering,
    conditional,
    framing,
    hostile,
    limits,
    owner_answers,
    owner_bodies,
    owner_door,
    reading,
    stranger,
    target,
)

_TOPICS = (
    stranger,
    target,
    framing,
    answering,
    owner_door,
    owner_bodies,
    owner_answers,
    conditional,
    limits,
    hostile,
    reading,
)

CHECKS: tuple[Check, ...] = tuple(check for topic in _TOPICS for check in topic.topic.checks)
"""All checks, in the order of their topics."""
