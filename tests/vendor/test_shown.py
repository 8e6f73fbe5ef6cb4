"""What was granted, compared with what is shown: types, fields at any depth, one person, nothing twice."""

from __future__ import annotations

from typing import Any

import pytest
from freehold_protocol.errors import ReleaseError
from freehold_protocol.permission import Permission
from freehold_vendor.shown import check_once, is_granted
from harness import permission

GIVEN = Permission.from_dict(permission("delivery", ["name", "address.postalCode"]))
ANYONE = Permission.from_dict(permission("circle", ["name"], about="any"))


def shown(**members: Any) -> dict[str, Any]:
    kept = {"@context": "c", "id": "urn:freehold:z1", "type": "Person", "issuer": "i", "version": "v"}
    return kept | members


def page(*records: dict[str, Any]) -> dict[str, Any]:
    return {"type": "ReleasedPage", "items": list(records), "issuer": "i"}


ADDRESS = {"type": "PostalAddress", "postalCode": "EX1"}


@pytest.mark.parametrize(
    ("document", "fields"),
    [
        (shown(), None),
        (shown(name="Ada"), None),
        (shown(name=["Ada", "A."], address=ADDRESS), None),
        (shown(address=[ADDRESS, [ADDRESS]]), None),
        (shown(name="Ada"), ("name",)),
        (page(), None),
        (page(shown(name="Ada")), ("name", "email")),
    ],
)
def test_what_was_granted(document: dict[str, Any], fields: tuple[str, ...] | None) -> None:
    assert is_granted(document, [None, GIVEN], fields)


@pytest.mark.parametrize(
    ("document", "fields"),
    [
        (shown(telephone="1"), None),
        (shown(name="Ada", telephone=["1"]), None),
        (shown(name={"type": "Thing", "name": "Ada"}), None),
        (shown(address="EX1"), None),
        (shown(address={**ADDRESS, "streetAddress": "1"}), None),
        (shown(address={**ADDRESS, "id": "urn:uuid:1"}), None),
        (shown(address={"type": "PostalAddress"}), None),
        (shown(address={}), None),
        (shown(address=[]), None),
        (shown(name=None), None),
        (shown(name=[]), None),
        (shown(name=["Ada", None]), None),
        (shown(name=["Ada", []]), None),
        (shown(address={**ADDRESS, "postalCode": [[]]}), None),
        (shown(address={"type": "PostalAddress", "postalCode": {"type": "Thing"}}), None),
        (shown(address=ADDRESS), ("name",)),
        (shown(type="Organization", name="Ada Ltd"), None),
        (shown(type=["Person"], name="Ada"), None),
        (page(shown(name="Ada"), shown(name="Ben")), None),
    ],
)
def test_what_was_not(document: dict[str, Any], fields: tuple[str, ...] | None) -> None:
    assert not is_granted(document, [None, GIVEN], fields)


def test_many_people_where_anyone_was_granted() -> None:
    assert is_granted(page(shown(name="Ada"), shown(name="Ben")), [ANYONE], None)


def test_nothing_was_granted() -> None:
    assert not is_granted(shown(), [None], None)
    assert not is_granted(shown(), [], None)


def test_a_record_comes_once() -> None:
    seen: set[Any] = set()
    check_once([shown(), shown(id="urn:freehold:z2")], seen)
    with pytest.raises(ReleaseError):
        check_once([shown()], seen)
