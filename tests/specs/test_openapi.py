"""The OpenAPI description has every route and no other, and all that it refers to is there."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from freehold_node.api.problems import status_of
from freehold_node.api.routes import ROUTES
from freehold_node.dashboard.routes import PAGES
from freehold_protocol.errors import BY_CODE
from schemas_read import SCHEMAS, bundled

ROOT = Path(__file__).resolve().parents[2]
DESCRIPTION = json.loads((ROOT / "specs" / "openapi.json").read_text("utf-8"))
SHARED = DESCRIPTION["components"]["responses"]


def resolved(operation: Any) -> Any:
    """Return an operation with its shared responses in their places."""
    told = {
        status: SHARED[answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer
        for status, answer in operation["responses"].items()
    }
    return {**operation, "responses": told}


EVERY = {
    (method.upper(), path): resolved(operation)
    for path, methods in DESCRIPTION["paths"].items()
    for method, operation in methods.items()
}
NEVER_SENT = {"grant-invalid", "receipt-invalid", "release-invalid", "ledger-damaged", "ledger-rolled-back"}
"""What a verifier finds; a node sends them only when its own storage is damaged."""


def template(path: str) -> str:
    return re.sub(r"\{(\w+)(?::(?:[^{}]|\{[^{}]*\})*)?\}", r"{\1}", path)


def inside(value: Any) -> Iterator[Any]:
    yield value
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from inside(one)


def test_the_description_has_every_route_and_no_other() -> None:
    served = {(route.method, template(route.path)) for route in ROUTES}
    served |= {("HEAD", template(route.path)) for route in ROUTES if route.spec == "reading"}
    pages = {(route.method, template(route.path)) for route in PAGES}
    served |= {
        (method, path) for method, path in pages if path not in ("/", "/my") and not path.startswith("/my/")
    }
    assert set(EVERY) == served
    assert set(EVERY) & pages == {("POST", "/connect")}


def test_every_operation_has_a_name_of_its_own_and_says_what_it_does() -> None:
    names = Counter(operation["operationId"] for operation in EVERY.values())
    assert names.most_common(1)[0][1] == 1
    tags = {tag["name"] for tag in DESCRIPTION["tags"]}
    for operation in EVERY.values():
        assert operation["summary"].endswith(".")
        assert set(operation["tags"]) <= tags
    assert tags == {tag for operation in EVERY.values() for tag in operation["tags"]}


@pytest.mark.parametrize("route", EVERY, ids=" ".join)
def test_the_parts_of_a_path_are_its_parameters(route: tuple[str, str]) -> None:
    known = DESCRIPTION["components"]["parameters"]
    given = [known[one["$ref"].rpartition("/")[2]] for one in EVERY[route]["parameters"]]
    parts = [one["name"] for one in given if one["in"] == "path"]
    assert parts == re.findall(r"\{(\w+)\}", route[1])
    assert all(one["required"] for one in given if one["in"] == "path")


def codes(operation: Any) -> Iterator[tuple[str, str, Any]]:
    for status, answer in operation["responses"].items():
        for content in answer.get("content", {}).values():
            for part in content["schema"].get("allOf", ()):
                for code in part.get("properties", {}).get("code", {}).get("enum", ()):
                    yield status, code, answer


def test_every_refusal_has_the_status_of_its_code() -> None:
    said = set()
    for operation in EVERY.values():
        for status, code, answer in codes(operation):
            said.add(code)
            assert int(status) == status_of(BY_CODE[code])
            assert f"`{code}`" in answer["description"]
            assert ("Retry-After" in answer["headers"]) == (status == "503")
            assert {"Freehold-Code", "Cache-Control"} <= set(answer["headers"])
    assert said == set(BY_CODE) - NEVER_SENT


def test_every_shared_response_is_used_and_named_for_its_status() -> None:
    used = {
        (status, answer["$ref"].rpartition("/")[2])
        for methods in DESCRIPTION["paths"].values()
        for operation in methods.values()
        for status, answer in operation["responses"].items()
        if "$ref" in answer
    }
    assert {name for _, name in used} == set(SHARED)
    assert all(name.startswith(f"refused-{status}") for status, name in used)


def test_signatures_of_a_did_and_of_the_owner_are_told_apart() -> None:
    schemes = DESCRIPTION["components"]["securitySchemes"]
    tags = [scheme["x-tag"] for scheme in schemes.values() if "x-tag" in scheme]
    assert sorted(tags) == ["freehold-did", "freehold-owner", "zcap"]
    assert all(scheme["x-tag"] in scheme["description"] for scheme in schemes.values() if "x-tag" in scheme)


def test_everything_that_is_answered_is_kept_by_nobody() -> None:
    for operation in EVERY.values():
        for answer in operation["responses"].values():
            assert "Cache-Control" in answer["headers"]


def test_who_may_ask_is_said() -> None:
    schemes = DESCRIPTION["components"]["securitySchemes"]
    used = {name for operation in EVERY.values() for one in operation["security"] for name in one}
    assert used == set(schemes)
    for (_, path), operation in EVERY.items():
        named = {name for one in operation["security"] for name in one}
        if path.startswith("/owner"):
            assert named == {"owner"}
        elif path.startswith("/g/"):
            assert named
            assert named <= {"zcap", "ezcap", "did"}
            assert ("zcap" in named) == ("ezcap" in named)
        assert bool(named) == (
            path not in ("/healthz", "/.well-known/freehold", "/i/{invitation}", "/connect")
        )


def test_everything_that_is_referred_to_is_there() -> None:
    whole = bundled(DESCRIPTION)
    for part in inside(whole):
        if isinstance(part, dict) and isinstance(part.get("$ref"), str):
            found: Any = whole
            assert part["$ref"].startswith("#/"), part
            for name in part["$ref"][2:].split("/"):
                found = found[name]


def test_every_schema_is_used() -> None:
    used = {
        found[1]
        for document in (DESCRIPTION, *SCHEMAS.values())
        for part in inside(document)
        if isinstance(part, dict)
        and isinstance(part.get("$ref"), str)
        and (found := re.search(r"([\w-]+)\.schema\.json", part["$ref"]))
    }
    assert set(SCHEMAS) - used == {"event"}  # the data of a stream, which is text to OpenAPI
    assert all(name in SCHEMAS for name in used)
