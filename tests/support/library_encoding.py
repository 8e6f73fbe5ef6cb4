"""The library's answers about bytes, JSON, times and texts."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from freehold_protocol import form
from freehold_protocol.canonical import jcs
from freehold_protocol.encoding import (
    Document,
    Json,
    base64_decode,
    base64url_decode,
    cid_of,
    multibase_decode,
    parse_cid,
    parse_json,
    parse_time,
)


def bytes_of(given: Document) -> bytes:
    if "parts" in given:
        return "".join(text * times for text, times in given["parts"]).encode()
    return base64url_decode(given["base64"]) if "base64" in given else given["text"].encode()


def read_json(given: Document) -> Json:
    value = parse_json(bytes_of(given))
    return {"canonical": jcs(value).decode()}


def canonicalize(given: Document) -> Json:
    data = jcs(parse_json(bytes_of(given)))
    return {"canonical": data.decode(), "sha256": hashlib.sha256(data).hexdigest(), "cid": cid_of(data)}


def decode_bytes(given: Document) -> Json:
    text = given["text"]
    if given["form"] == "cid":
        return {"hex": base64.b32decode(parse_cid(text)[1:].upper() + "===="[: -len(text[1:]) % 8]).hex()}
    decode = {"multibase": multibase_decode, "base64url": base64url_decode, "base64": base64_decode}
    return {"hex": decode[given["form"]](text).hex()}


def read_value(given: Document) -> Json:
    kind, value = given["form"], given["value"]
    if kind == "time":
        return {"seconds": parse_time(value)}
    if kind == "duration":
        return {"seconds": form.duration_s(value, "it")}
    read: dict[str, Any] = {
        "text": lambda: form.text(value, "it"),
        "lines": lambda: form.text(value, "it", lines=True),
        "short-name": lambda: form.short_name(value, "it"),
        "id": lambda: form.urn_uuid(value, "it"),
        "did": lambda: form.did(value, "it"),
        "nonce": lambda: form.nonce(value),
    }
    read[kind]()
    return None


OPERATIONS = {
    "read-json": read_json,
    "canonicalize": canonicalize,
    "decode-bytes": decode_bytes,
    "read-value": read_value,
}
