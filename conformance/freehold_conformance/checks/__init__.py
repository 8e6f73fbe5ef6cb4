"""The checks, one function for each requirement they test."""

from __future__ import annotations

from ..check import Check
from . import stranger

CHECKS: tuple[Check, ...] = stranger.CHECKS
