"""The registry of errors: one code for each class, and the tree that the docstring draws."""

from __future__ import annotations

import inspect
import re

import pytest
from freehold_protocol import errors
from freehold_protocol.errors import BY_CODE, FreeholdError, every_error

OURS = [
    cls
    for _, cls in inspect.getmembers(errors, inspect.isclass)
    if issubclass(cls, FreeholdError) and cls.__module__ == errors.__name__
]
_ROW = re.compile(r"^( *(?:│ {3}| {4})*)[├└]── (\w+) +([a-z-]+)$", re.MULTILINE)


def drawn() -> dict[str, tuple[str, str]]:
    """Return from the docstring's tree each class name with its parent's name and its code."""
    found: dict[str, tuple[str, str]] = {}
    above: list[str] = ["FreeholdError"]
    for indent, name, code in _ROW.findall(errors.__doc__ or ""):
        depth = 1 + len(indent.replace("│", " ")[4:]) // 4
        above = [*above[:depth], name]
        found[name] = (above[depth - 1], code)
    return found


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    assert drawn() == {
        cls.__name__: (cls.__bases__[0].__name__, cls.code) for cls in OURS if cls is not FreeholdError
    }


@pytest.mark.parametrize("cls", OURS, ids=lambda cls: cls.__name__)
def test_a_class_has_a_code_of_its_own_and_says_what_it_means(cls: type[FreeholdError]) -> None:
    assert "code" in vars(cls)
    assert BY_CODE[cls.code] is cls
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", cls.code)
    assert cls.__doc__
    assert cls.__name__.endswith("Error")
    assert len(cls.__bases__) == 1


def test_the_registry_holds_every_class_and_nothing_else() -> None:
    assert sorted(BY_CODE.values(), key=str) == sorted(OURS, key=str)
    assert len({cls.code for cls in OURS}) == len(OURS)


def test_every_error_goes_depth_first() -> None:
    names = [cls.__name__ for cls in every_error()]
    assert names[:4] == ["FreeholdError", "MalformedError", "TooLargeError", "TooDeepError"]
    assert len(names) == len(set(names)) >= len(OURS)


def test_an_error_is_caught_as_its_family() -> None:
    with pytest.raises(errors.MalformedError, match="too much"):
        raise errors.TooLargeError("too much")
    assert issubclass(errors.PassphraseError, errors.NotAuthenticatedError)
    assert not issubclass(errors.ReleaseError, errors.ReceiptError)
