"""What the suite knows of routes and codes is what this node serves and the registry has."""

from __future__ import annotations

import re

from freehold_conformance import codes
from freehold_conformance.cast import doors, owned
from freehold_node.api.problems import status_of
from freehold_node.api.routes import ROUTES
from freehold_protocol.errors import BY_CODE

_PART = re.compile(r"\{(\w+):(?:[^{}]|\{[^}]*\})*\}")


def test_the_codes_are_those_of_the_registry() -> None:
    assert {code: status_of(error) for code, error in BY_CODE.items()} == codes.STATUS


def test_the_doors_are_all_routes() -> None:
    served = {(route.method, _PART.sub(r"{\1}", route.path)) for route in ROUTES}
    served |= {
        ("HEAD", path) for method, path in served if method == "GET" and "/records" in path and "/g/" in path
    }
    served.add(("POST", "/connect"))  # a page
    assert {(door.method, door.path) for door in (*doors.DOORS, *doors.IMPORTS)} == served


def test_every_route_that_takes_a_body_has_its_form() -> None:
    forms = {form.name for form in (*owned.FORMS, *owned.IMPORT_FORMS)}
    assert forms == {door.name for door in (*doors.OWNER, *doors.IMPORTS) if door.takes}
