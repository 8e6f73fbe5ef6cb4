"""The checks of a node, one module for each topic, one function for each thing that must hold."""

from __future__ import annotations

from ..check import Check
from . import (
    events,
    events_when,
    ledger_admitted,
    ledger_changed,
    ledger_refused,
    ledger_sight,
    ledger_tree,
    paging,
    pairwise,
    reading,
    released,
    selected,
    stranger,
)

_TOPICS = (
    stranger,
    reading,
    ledger_tree,
    ledger_admitted,
    ledger_refused,
    ledger_changed,
    ledger_sight,
    released,
    selected,
    paging,
    pairwise,
    events,
    events_when,
)

CHECKS: tuple[Check, ...] = tuple(check for topic in _TOPICS for check in topic.topic.checks)
"""All checks, in the order of their topics."""
