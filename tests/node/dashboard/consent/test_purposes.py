"""Which fields serve which purpose."""

from __future__ import annotations

import pytest
from freehold_node.dashboard.consent.purposes import SERVING, serves
from freehold_protocol.permission import field_path
from freehold_protocol.purpose import is_known

DELIVERY, MARKETING, RESEARCH = "dpv:DeliveryOfGoods", "dpv:DirectMarketing", "dpv:AcademicResearch"
CASES = [
    ([DELIVERY], "Person", "address.postalCode", True),
    ([DELIVERY], "Person", "telephone", True),
    ([DELIVERY], "Person", "birthDate", False),
    ([DELIVERY], "Person", "worksFor.address.postalCode", False),
    ([MARKETING], "Person", "email", True),
    ([MARKETING], "Person", "birthDate", False),
    ([DELIVERY, MARKETING], "Person", "email", True),
    ([DELIVERY, MARKETING], "Person", "birthDate", False),
    ([RESEARCH], "Person", "birthDate", None),
    ([DELIVERY, RESEARCH], "Person", "birthDate", None),
    ([DELIVERY, RESEARCH], "Person", "name", True),
    ([DELIVERY], "Event", "startDate", None),
]


@pytest.mark.requirement("DSH-29")
@pytest.mark.parametrize(("purposes", "type_", "path", "expected"), CASES)
def test_what_serves(purposes: list[str], type_: str, path: str, expected: bool | None) -> None:
    assert serves(purposes, type_, path) is expected


def test_the_table_names_real_purposes_and_fields() -> None:
    for purpose, types in SERVING.items():
        assert is_known(purpose), purpose
        for paths in types.values():
            assert [field_path(path) for path in paths] == list(paths)
