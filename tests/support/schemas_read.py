"""The published JSON Schemas, read from their files: what a document must be to pass, and what is wrong with one."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

FOLDER = Path(__file__).resolve().parents[2] / "specs" / "schemas"
SCHEMAS: dict[str, Any] = {
    path.name.removesuffix(".schema.json"): json.loads(path.read_text("utf-8"))
    for path in sorted(FOLDER.glob("*.schema.json"))
}
_REGISTRY: Registry[Any] = Registry().with_resources(
    (schema["$id"], Resource.from_contents(schema, default_specification=DRAFT202012))
    for schema in SCHEMAS.values()
)


@cache
def validator(name: str) -> Draft202012Validator:
    """Return what judges a message; a form of a single value is named ``#time``."""
    schema = SCHEMAS["common"]["$defs"][name[1:]] if name.startswith("#") else SCHEMAS[name]
    return Draft202012Validator(schema, registry=_REGISTRY)


def faults(name: str, document: Any) -> list[str]:
    """Return what is wrong with a document; nothing, if it passes."""
    return [f"{error.json_path}: {error.message}"[:300] for error in validator(name).iter_errors(document)]


def bundled(document: Any) -> Any:
    """Return a document that refers to schema files as one that refers to its own ``components/schemas``.

    So that a tool which knows one document only, and fetches nothing, has all of it.
    """
    made = _referring(document, "")
    made.setdefault("components", {})["schemas"] = {
        name: _referring({key: value for key, value in schema.items() if key not in ("$id", "$schema")}, name)
        for name, schema in SCHEMAS.items()
    }
    return made


def _referring(value: Any, inside: str) -> Any:
    if isinstance(value, list):
        return [_referring(one, inside) for one in value]
    if not isinstance(value, dict):
        return value
    made = {key: _referring(one, inside) for key, one in value.items()}
    if isinstance(target := value.get("$ref"), str):
        made["$ref"] = re.sub(
            r"^(?:(?:schemas/)?([\w-]+)\.schema\.json)?#?(.*)$",
            lambda found: (
                target if not (found[1] or inside) else f"#/components/schemas/{found[1] or inside}{found[2]}"
            ),
            target,
        )
    return made
