"""The checks of a node, one module for each topic, one function for each thing that must hold."""

from __future__ import annotations

from ..check import Check
from . import (
    capability_caveat,
    capability_chain,
    capability_form,
    capability_revoking,
    capability_target,
    matrix,
    matrix_next,
    matrix_scope,
    matrix_streams,
    reading,
    stranger,
)

_TOPICS = (
    stranger,
    reading,
    capability_form,
    capability_target,
    matrix,
    matrix_scope,
    matrix_next,
    matrix_streams,
    capability_chain,
    capability_caveat,
    capability_revoking,
)

CHECKS: tuple[Check, ...] = tuple(check for topic in _TOPICS for check in topic.topic.checks)
"""All checks, in the order of their topics."""
