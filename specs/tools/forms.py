"""Parts of which the JSON Schemas are built: shapes, and the forms of single values that stand in all of them.

What these say is said in words by the pages; the pages win.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

Schema = dict[str, Any]

ROOT: Final = Path(__file__).resolve().parents[2]
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
BASE: Final = "https://w3id.org/freehold/v1/schemas/"
OURS: Final = "https://w3id.org/freehold/v1#"
CONTEXT: Final = "https://w3id.org/freehold/v1"
_LIMIT: Final = re.compile(r"^\| `([A-Z_]+)` \| ([\d,]+) \|", re.MULTILINE)
_CODE: Final = re.compile(r"^\| `([a-z-]+)` \| `\w+` \| (\d{3}) \|", re.MULTILINE)


def limits_of(root: Path) -> dict[str, int]:
    """Return the numbers of specs/limits.md."""
    text = (root / "specs" / "limits.md").read_text("utf-8")
    return {name: int(number.replace(",", "")) for name, number in _LIMIT.findall(text)}


def codes_of(root: Path) -> dict[str, int]:
    """Return the registered codes of specs/errors.md and the status of each."""
    return {
        code: int(status) for code, status in _CODE.findall((root / "specs" / "errors.md").read_text("utf-8"))
    }


LIMITS: Final = limits_of(ROOT)
CODES: Final = codes_of(ROOT)


# Shapes


def ref(name: str) -> Schema:
    """Return a reference to another message, ``grant``, or to a form of a single value, ``#time``."""
    if name.startswith("#"):
        return {"$ref": f"common.schema.json#/$defs/{name[1:]}"}
    return {"$ref": f"{name}.schema.json"}


def closed(
    required: Mapping[str, Schema],
    optional: Mapping[str, Schema] | None = None,
    **more: Schema | dict[str, list[str]] | list[Schema],
) -> Schema:
    """Return an object with exactly these members."""
    members = {**required, **(optional or {})}
    return {
        "type": "object",
        "properties": members,
        "required": list(required),
        "additionalProperties": False,
        **more,
    }


def array(items: Schema, *, least: int = 0, most: int | None = None, distinct: bool = False) -> Schema:
    """Return an array."""
    made: Schema = {"type": "array", "items": items}
    if least:
        made["minItems"] = least
    if most is not None:
        made["maxItems"] = most
    if distinct:
        made["uniqueItems"] = True
    return made


def text(most: int, description: str = "") -> Schema:
    """Return a text for people, in one line."""
    made: Schema = {**ref("#text"), "maxLength": most}
    return {**made, "description": description} if description else made


def pattern(expression: str, description: str, **more: Schema | int) -> Schema:
    """Return a text of a form."""
    return {"type": "string", "pattern": expression, "description": description, **more}


def one_of(values: Sequence[Any]) -> Schema:
    """Return one of a few values."""
    return {"enum": list(values)}


def const(value: Any) -> Schema:  # noqa: ANN401 - any JSON value
    """Return exactly this value."""
    return {"const": value}


def number(least: int = 0, most: int = 2**53 - 1) -> Schema:
    """Return a whole number."""
    return {"type": "integer", "minimum": least, "maximum": most}


BOOLEAN: Final[Schema] = {"type": "boolean"}

# Single values

_B58: Final = "[1-9A-HJ-NP-Za-km-z]"
_TERM: Final = "[A-Za-z][A-Za-z0-9]{0,63}"
_DID: Final = "did:[a-z0-9]{1,32}:[A-Za-z0-9._:%-]{1,512}"
_UUID: Final = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_LOG: Final = "freehold/ledger/[A-Za-z0-9_-]{22,64}"
_UNSEEN: Final = r"\u0000-\u001f\u007f-\u009f\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
NEVER_A_FIELD: Final = (
    "id",
    "type",
    "proof",
    "source",
    "previous",
    "created",
    "issuer",
    "version",
    "credential",
)
NEVER_A_RECORD: Final = (
    "AccessRequest", "AccessGrant", "ReleasedPage", "Receipt", "LedgerBundle", "DataIntegrityProof", "Moved",
    "Restored",
)  # fmt: skip
RESERVED: Final = (
    "answers", "events", "ledger", "messages", "offers", "records", "renew", "statements", "zcaps",
)  # fmt: skip
DAYS: Final = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
STATES: Final = ("live", "paused", "ended", "expired")
ACTIONS: Final = ("read", "answer", "write")
_CLOCK: Final = "^([01][0-9]|2[0-3]):[0-5][0-9]$"


def common() -> Schema:
    """Return the forms of single values, each under its name."""
    no_field = "|".join(NEVER_A_FIELD)
    return {
        "time": pattern(
            "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$",
            "A point in time: UTC, whole seconds (ENC-8). The date has to exist.",
        ),
        "duration": pattern(
            "^P([0-9]{1,4}D|[0-9]{1,3}W|[0-9]{1,3}M|[0-9]{1,2}Y|T[0-9]{1,4}H|T[0-9]{1,4}M)$",
            "A duration with one designator, longer than nothing (ENC-9).",
            **{"not": {"pattern": "^PT?0+[DWMYH]$"}},
        ),
        "text": pattern(
            f"^[^{_UNSEEN}]+$",
            "A text for people, in one line, that shows what it holds (ENC-10).",
            minLength=1,
        ),
        "lines": pattern(
            f"^([^{_UNSEEN}]|\n)+$", "A text for people that may have lines (ENC-11).", minLength=1
        ),
        "uuid": pattern(f"^{_UUID}$", "A UUID in lower case."),
        "urn": pattern(f"^urn:uuid:{_UUID}$", "The id of a document (ENC-17)."),
        "did": pattern(f"^{_DID}$", "A DID without path, query or fragment."),
        "didKey": pattern(f"^did:key:z6Mk{_B58}{{44}}$", "An Ed25519 key as a did:key."),
        "method": pattern(f"^{_DID}#[!-~]{{1,512}}$", "A verification method of a DID."),
        "proofValue": pattern(f"^z{_B58}{{64,88}}$", "64 bytes of an Ed25519 signature, base58btc."),
        "cid": pattern("^bagaaiera[a-z2-7]{52}$", "A content identifier (ENC-4)."),
        "digest": pattern("^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$", "32 bytes in base64url (ENC-2)."),
        "nonce": pattern("^[A-Za-z0-9_-]{22,64}$", "Drawn at random for this document."),
        "name": pattern(
            "^[a-z][a-z0-9]*(-[a-z0-9]+)*$", "A short name, as it stands in paths.", maxLength=40
        ),
        "term": pattern(f"^{_TERM}$", "A plain term of the context."),
        "field": pattern(
            rf"^{_TERM}(\.{_TERM}){{0,5}}$",
            "A path of terms to one leaf, without wildcards (REQ-6).",
            **{"not": {"pattern": rf"(^|\.)({no_field})(\.|$)"}},
        ),
        "purpose": pattern(
            "^dpv:[A-Z][A-Za-z]{1,63}$", "A purpose of DPV, one of those on the page vocabulary."
        ),
        "origin": pattern(
            r"^(https://([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*|\[[0-9a-f:]{2,39}\])"
            r"|http://(127(\.[0-9]{1,3}){3}|\[::1\]))(:[1-9][0-9]{0,4})?$",
            "Where a grant can be invoked (GRA-2).",
            maxLength=267,
        ),
        "url": pattern("^https?://[!-~]+$", "A URL of this node.", maxLength=LIMITS["MAX_TARGET_CHARS"]),
        "target": pattern(
            r"^https?://[a-z0-9.:\[\]-]+(/([A-Za-z0-9._~!$&'()*+,;=:@-]|%3A)+)+(\?[!-~]+)?$",
            "What a capability opens, compared as text (CAP-7).",
            maxLength=LIMITS["MAX_TARGET_CHARS"],
        ),
        "root": pattern(
            "^urn:zcap:root:([A-Za-z0-9_.!~*'()-]|%[0-9A-F]{2})+$", "The id of a root capability (CAP-1)."
        ),
        "log": pattern(f"^{_LOG}$", "The origin line of a ledger (LED-13)."),
        "checkpoint": pattern(
            f"^{_LOG}\n(0|[1-9][0-9]{{0,18}})\n[A-Za-z0-9+/]{{43}}=\n\n(— [^ \n+]+ [A-Za-z0-9+/]+={{0,2}}\n){{1,32}}$",
            "A signed note: origin, size and root of a ledger (LED-13).",
            maxLength=131_072,
        ),
        "clock": pattern(_CLOCK, "An hour of the day."),
        "timeZone": pattern(
            "^[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2}$", "The name of a time zone: Europe/Berlin."
        ),
        "matchingCode": pattern("^[0-9]{4}-[0-9]{4}$", "What both screens show for one request (REQ-16)."),
        "state": one_of(STATES),
        "scalar": {"type": ["string", "number", "boolean"]},
        "context": {"const": CONTEXT},
        "number": number(),
        "count": number(1),
        "size": number(),
    }
