"""The checks of a node, one module for each topic, one function for each thing that must hold."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from ..check import Check, Topic


def _topics() -> list[Topic]:
    """Return the topic of every module here that has one, in the order of their names."""
    modules = (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__))
    return [module.topic for module in modules if hasattr(module, "topic")]


CHECKS: tuple[Check, ...] = tuple(check for topic in _topics() for check in topic.checks)
"""All checks, in the order of their topics."""
