"""What a vendor imports, and that the table of errors speaks of what there is."""

from __future__ import annotations

import re
from types import ModuleType

import freehold_vendor
import pytest
from freehold_protocol import errors as protocol
from freehold_vendor import errors

UNTABLED = {  # bases, and what a vendor meets only by its own mistake
    "ActionError", "AttenuationError", "CapabilityError", "ClockSuspectError", "ConflictError", "FreeholdError",
    "GrantError", "IncompleteRequestError", "ProblemError", "ReplayedError", "TargetError", "TooLargeError",
    "UnsupportedError", "VendorError", "WidenedError",
}  # fmt: skip


@pytest.mark.parametrize("module", [freehold_vendor, errors], ids=lambda one: one.__name__)
def test_all_that_is_public_is_there(module: ModuleType) -> None:
    assert len(set(module.__all__)) == len(module.__all__)
    for name in module.__all__:
        assert getattr(module, name) is not None


def test_the_table_says_what_to_do_about_each_error() -> None:
    tabled = set(re.findall(r"^``(\w+)``  ", errors.__doc__ or "", re.MULTILINE))
    classes = {name for name in errors.__all__ if name.endswith("Error")}
    assert tabled == classes - UNTABLED
    assert classes >= UNTABLED


def test_our_own_errors_are_none_of_the_protocols() -> None:
    """Else the protocol's registry of codes would depend on whether this library was imported."""
    assert set(protocol.every_error()) == set(protocol.BY_CODE.values())
    assert not issubclass(errors.VendorError, protocol.FreeholdError)
