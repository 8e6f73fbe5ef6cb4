"""The worked examples: whole in ``specs/examples``, and where a page says so, in the page itself.

A page marks a block with ``<!-- example: NAME -->`` on the line before its fence; what stands in the fence is then
written here, wrapped for reading and otherwise as in ``specs/examples/NAME.json``, or in the file of that very name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import scene
from craft import Document, cid, sign
from craft_http import AT, NONCE, base, ezcap, parameters, signed
from craft_ledger import checkpoint, leaf_of, root_of
from craft_rdf import canonical_rdf
from scene import CAPABILITY, CONTEXT, DELEGATED, GRANT, NOON, ORIGIN, PAUSED, REQUEST, VENDOR
from vectors_bundles import bundle, item
from vectors_identity import shop_document
from vectors_invocation import READ, TARGET, invoked
from vectors_ledger import ADMITTED, APPROVED, STOPPED
from vectors_moving import moved, restored
from vectors_records import record
from vectors_released import SHOWN, page, problem, released

FOLDERS = ("specs/examples",)
_WIDTH: Final = 118
_FOLLOWED: Final = "/requests/71b3d1c9-0a4e-4f6a-9c0e-2d8b6a5f4e37"
_MARKED = re.compile(r"(^<!-- example: ([a-z.-]+) -->\n```[a-z]+\n).*?(^```$)", re.MULTILINE | re.DOTALL)


def documents() -> dict[str, Document]:
    """Return every example that is one JSON document, by its name."""
    changed = scene.rotated(GRANT)
    restoring = checkpoint(1, root_of([leaf_of(APPROVED, bytes(32))]))
    return {
        "proof": sign({"@context": CONTEXT, "type": "Person", "name": "Ada Example"}, VENDOR, created=NOON),
        "did-document": shop_document(),
        "record": record(),
        "request": REQUEST,
        "grant": GRANT,
        "grant-paused": PAUSED,
        "grant-rotated": changed,
        "receipt": {"type": "Receipt", "request": REQUEST, "versions": [GRANT, PAUSED]},
        "approved": {
            "status": "approved",
            "grant": scene.ROOT_TARGET,
            "receipt": {"type": "Receipt", "request": REQUEST, "versions": [GRANT]},
            "checkpoint": checkpoint(1, root_of([leaf_of(APPROVED, bytes(32))])),
            "statements": [],
            "capability": CAPABILITY,
        },
        "moved": moved(),
        "restored": restored({"count": 1, "root": _root_of(restoring)}),
        "capability": CAPABILITY,
        "capability-delegated": DELEGATED,
        "released": released(SHOWN),
        "released-page": page([released(SHOWN)]),
        "bundle": bundle([item(one, number) for number, one in enumerate((APPROVED, ADMITTED, STOPPED))]),
    }


def _root_of(note: str) -> str:
    """Return the root in a checkpoint as a digest stands in JSON."""
    return note.split("\n")[2].replace("+", "-").replace("/", "_").rstrip("=")


def messages() -> dict[str, str]:
    """Return every example that is a message of HTTP, or what is signed of one, by the name of its file."""
    components = ["@method", "@target-uri", "capability-invocation"]
    values: Document = {"created": AT, "expires": AT + 120, "keyid": VENDOR.method, "alg": "ed25519"}
    values |= {"nonce": NONCE, "tag": "zcap"}
    listed = " ".join(f'"{name}"' for name in components)
    covered = [('"@method"', "GET"), ('"@target-uri"', ORIGIN + TARGET), ('"capability-invocation"', READ)]
    body = problem("outside-hours", 403, {"detail": "the person allows reads at other days or hours"})
    head = "HTTP/1.1 403 Forbidden\r\nContent-Type: application/problem+json\r\nCache-Control: no-store\r\n"
    follow = signed(VENDOR, _FOLLOWED, tag="freehold-did")
    followed = parameters(values | {"tag": "freehold-did"})
    asked = base(
        [('"@method"', "GET"), ('"@target-uri"', ORIGIN + _FOLLOWED)], f'("@method" "@target-uri"){followed}'
    )
    ada = {"@context": CONTEXT, "type": "Person", "name": "Ada Example"}
    return {
        "follow.http": follow,
        "follow-signature-base.txt": asked,
        "person.nq": canonical_rdf(ada).decode(),
        "read.http": signed(VENDOR, TARGET, tag="zcap", invocation=READ),
        "read-signature-base.txt": base(covered, f"({listed}){parameters(values)}"),
        "read-ezcap.http": ezcap(VENDOR, TARGET, READ),
        "read-partner.http": signed(scene.PARTNER, TARGET, tag="zcap", invocation=invoked(DELEGATED)),
        "problem.http": f"{head}Freehold-Code: outside-hours\r\nContent-Length: {len(body)}\r\n\r\n{body}",
    }


def wrapped(value: Any, *, column: int = 0) -> str:
    """Return JSON that fills its lines: what does not fit begins a line, one column further in."""
    text = json.dumps(value, ensure_ascii=False)
    if column + len(text) <= _WIDTH or not isinstance(value, dict | list) or not value:
        return text
    pairs = value.items() if isinstance(value, dict) else ((None, one) for one in value)
    lines, line = [], ""
    for number, (name, one) in enumerate(pairs, start=1):
        key = "" if name is None else json.dumps(name, ensure_ascii=False) + ": "
        comma = "," if number < len(value) else ""
        part = key + json.dumps(one, ensure_ascii=False) + comma
        if line and column + 1 + len(line) + 1 + len(part) > _WIDTH:
            lines.append(line)
            line = ""
        if column + 1 + len(line) + 1 + len(part) > _WIDTH:
            part = key + wrapped(one, column=column + 1 + (len(key) if name is None else 0)) + comma
        line = f"{line} {part}" if line else part
    marks = "{}" if isinstance(value, dict) else "[]"
    return marks[0] + ("\n" + " " * (column + 1)).join([*lines, line]) + marks[1]


def files(root: Path) -> dict[str, bytes]:
    """Return the files of the examples, and the pages that show some of them."""
    found, texts = documents(), messages()
    made = {
        f"specs/examples/{name}.json": json.dumps(one, indent=1).encode() + b"\n"
        for name, one in found.items()
    }
    made |= {f"specs/examples/{name}": text.encode() for name, text in texts.items()}
    made["specs/examples/cids.json"] = _cids(found)

    def shown(match: re.Match[str]) -> str:
        name = match[2]
        block = wrapped(found[name]) if name in found else texts[name].replace("\r\n", "\n").rstrip("\n")
        return f"{match[1]}{block}\n{match[3]}"

    return made | _pages(root, shown)


def _cids(found: dict[str, Document]) -> bytes:
    return json.dumps({name: cid(one) for name, one in found.items()}, indent=1).encode() + b"\n"


def _pages(root: Path, shown: Callable[[re.Match[str]], str]) -> dict[str, bytes]:
    made: dict[str, bytes] = {}
    for path in sorted((root / "specs").glob("*.md")):
        text = path.read_text("utf-8")
        if _MARKED.search(text):
            made[path.relative_to(root).as_posix()] = _MARKED.sub(shown, text).encode()
    return made
