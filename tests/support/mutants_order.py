"""Faults in the order in which a read is looked at, and in what goes without saying."""

from __future__ import annotations

from typing import Any

from freehold_node import gate, inspection, threshold
from freehold_node.api import messages
from freehold_protocol import form, permission
from freehold_protocol.errors import FreeholdError, MalformedError
from mutant import Mutants, everywhere, wrap

mutants = Mutants()


@mutants("HTTP-63", "looks at the grant's state before the capability's target and action")
def state_before_use() -> None:
    def around(old: Any, self: Any, reader: Any, standing: Any, holder: Any) -> None:
        threshold.check_live(standing, self._ambient.clock.now_us())
        old(self, reader, standing, holder)

    wrap(threshold.Threshold, "_check_holder", around)


@mutants("HTTP-63", "looks at the permission before the grant's state")
def permission_before_state() -> None:
    def around(old: Any, self: Any, tx: Any, read: Any, seen: Any) -> Any:
        standing, version = self._stands(tx, read.holder)
        try:
            threshold.check_permission(tx, standing, version, read.holder, read.selection.permission)
        except FreeholdError as refusal:
            return refusal
        return old(self, tx, read, seen)

    wrap(gate.Gate, "_decide", around)


@mutants("HTTP-63", "makes the view before it looks at the number of reads")
def view_before_limits() -> None:
    def around(old: Any, self: Any, tx: Any, read: Any, seen: Any) -> Any:
        standing, version = self._stands(tx, read.holder)
        if standing.state == "live" and version.permission(read.selection.permission):
            try:
                self._show(tx, standing, version, read.selection)
            except FreeholdError as refusal:
                return refusal
        return old(self, tx, read, seen)

    wrap(gate.Gate, "_decide", around)


@mutants("HTTP-69", "takes zeros before a number of a query")
def zeros_before_numbers() -> None:
    def decimal(value: str, what: str) -> int:
        if not value.isascii() or not value.isdigit():
            raise MalformedError(f"{what} is not a whole number")
        return int(value[:18])

    form.decimal = decimal


@mutants("HTTP-69", "takes a number that is none for the default")
def no_number_is_the_default() -> None:
    old = messages.number_of

    def number_of(text: str | None, what: str, *, default: int, most: int) -> int:
        try:
            return old(text, what, default=default, most=most)
        except FreeholdError:
            return default

    everywhere(old, number_of)


@mutants("REQ-19", "takes an item that does not say about whom it is for one about anybody")
def about_anybody() -> None:
    parsed = permission.Item.from_dict

    def parse(value: Any) -> Any:
        return parsed({"about": "any", **value} if isinstance(value, dict) else value)

    permission.Item.from_dict = parse  # type: ignore[method-assign]


@mutants("HTTP-28", "answers what is beyond the ledger's end with its beginning")
def no_end_of_the_ledger() -> None:
    def around(old: Any, self: Any, grant: str, *, first: int, limit: int, holder: Any) -> Any:
        return old(self, grant, first=first if first < 100 else 0, limit=max(limit, 1), holder=holder)

    wrap(inspection.Inspection, "entries", around)
