"""The OpenAPI description: ``specs/openapi.json``, made of the operations, the schemas and the table of codes."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from string import ascii_lowercase
from typing import Any, Final

from forms import CODES, LIMITS, Schema, pattern
from operations import OPERATIONS, TITLES, Operation

PATH: Final = "specs/openapi.json"
_INFO: Final = """\
Every operation of a Freehold node. A person's node holds their signed records; a vendor asks for access, the person \
decides, and the vendor reads from the node under a capability.

The pages beside this file say what everything means: begin with README.md, then http.md. Where they and this file \
differ, the pages win. What is signed has a form that no schema can say in full: a body that fits its schema may still \
be refused.

Every answer carries `Cache-Control: no-store`, and none carries `Date` or `Server`. Every refusal, but on a page for \
people, is a problem document (RFC 9457); its code stands in `Freehold-Code` too. A method that a path does not \
have is 405, and an expectation other than `100-continue` 417, both with the code `malformed`. A path \
that nothing has is 404.

Answers that are not signed may get further members, and refusals further codes, in later releases: clients pass over \
the first, and go by the status of the second (versioning.md, VER-3 to VER-5)."""
_SCHEMES: Final[dict[str, Schema]] = {
    "zcap": {
        "type": "apiKey", "in": "header", "name": "Capability-Invocation",
        "description": (
            "A capability, invoked by its controller. `Capability-Invocation: zcap capability=\"…\",action=\"read\"` "
            "carries the capability (base64url of the gzip of its JSON). The request is signed with HTTP Message "
            "Signatures (RFC 9421): `Signature-Input` with the tag `zcap` covers `@method`, `@target-uri`, "
            "`capability-invocation` and, with a body, `content-type` and `content-digest`; `Signature` has the 64 "
            "bytes. See invocation.md."
        ),
        "x-tag": "zcap",
    },
    "ezcap": {
        "type": "http", "scheme": "Signature",
        "description": (
            "The same capability, signed as deployed ZCAP clients do: `Authorization: Signature keyId=…`, over "
            "`(key-id) (created) (expires) (request-target) host capability-invocation` and, with a body, "
            "`content-type digest`. See invocation.md, ezcap."
        ),
    },
    "did": {
        "type": "apiKey", "in": "header", "name": "Signature-Input",
        "description": (
            "The vendor's DID. `Signature-Input: sig=(\"@method\" \"@target-uri\");created=…;expires=…;keyid=\"…\";"
            "alg=\"ed25519\";nonce=\"…\";tag=\"freehold-did\"` and, beside it, `Signature: sig=:…:` (RFC 9421). With a "
            "body it covers `content-type` and `content-digest` too. The tag tells it from the owner's: one is never "
            "taken for the other. See invocation.md."
        ),
        "x-tag": "freehold-did",
    },
    "owner": {
        "type": "apiKey", "in": "header", "name": "Signature-Input",
        "description": (
            "The owner's own tools, by the session key that the node makes at each start. `Signature-Input` and "
            "`Signature` (RFC 9421) as a DID's, over the same, but with `tag=\"freehold-owner\"`. See invocation.md."
        ),
        "x-tag": "freehold-owner",
    },
}  # fmt: skip
_ALLOWED: Final = {"zcap": ("zcap", "ezcap"), "did": ("did",), "owner": ("owner",)}


def _value(name: str) -> Schema:
    return {"$ref": f"schemas/common.schema.json#/$defs/{name}"}


def _parameter(where: str, name: str, schema: Schema, says: str) -> Schema:
    made = {"name": name, "in": where, "schema": schema, "description": says}
    return {**made, "required": True} if where == "path" else made


def _whole(most: int, default: int | None = None) -> Schema:
    made: Schema = {"type": "integer", "minimum": 0, "maximum": most}
    return made if default is None else {**made, "default": default}


PARAMETERS: Final[dict[str, Schema]] = {
    "invitation": _parameter(
        "path", "invitation", pattern("^[A-Za-z0-9_-]{1,64}$", "Random; of 32 characters in this release."),
        "As in the URL that was handed out.",
    ),
    "request": _parameter("path", "request", _value("uuid"), "Named in the answer to the asking."),
    "grant": _parameter("path", "grant", _value("uuid"), "The UUID of the grant's id."),
    "permission": _parameter("path", "permission", _value("name"), "For which permission, and so for which purpose."),
    "alias": _parameter(
        "path", "alias", pattern("^z[A-Za-z0-9]{1,60}$", "An alias."),
        "The part of a document's id after `urn:freehold:`.",
    ),
    "number": _parameter("path", "number", _whole(10**18 - 1), "The number of the entry, from 0; no zeros before it."),
    "capability": _parameter(
        "path", "capability", _value("urn"), "The id of the capability in the body; its colons are written `%3A`."
    ),
    "session": _parameter("path", "session", _value("uuid"), "As in the list of devices."),
    "passkey": _parameter("path", "passkey", _value("uuid"), "As in the list of devices."),
    "record": _parameter("path", "record", _value("uuid"), "The UUID of the record's id."),
    "fields": _parameter(
        "query", "fields", pattern("^[A-Za-z0-9.,]+$", "Paths."),
        "Field paths with commas between them: only these are shown.",
    ),
    "where": _parameter(
        "query", "where", {"type": "string", "minLength": 2, "maxLength": LIMITS["MAX_QUERY_CHARS"]},
        "A JSON object of field paths and scalars, all of which a record must have.",
    ),
    "limit": _parameter(
        "query", "limit",
        {"type": "integer", "minimum": 1, "maximum": LIMITS["MAX_PAGE"], "default": LIMITS["DEFAULT_PAGE"]},
        "Records on the page.",
    ),
    "cursor": _parameter(
        "query", "cursor", {"type": "string", "minLength": 1, "maxLength": LIMITS["MAX_QUERY_CHARS"]},
        "`next` of the page before.",
    ),
    "from": _parameter("query", "from", _whole(10**18 - 1), "The last version that the vendor holds; 0 for all."),
    "fromSize": _parameter(
        "query", "from", {"type": "integer", "minimum": 1, "maximum": 2**53 - 1}, "A size that the ledger has had."
    ),
    "first": _parameter("query", "first", _whole(10**18 - 1, 0), "The number of the first entry."),
    "limitOfLedger": _parameter(
        "query", "limit", _whole(10**18 - 1, 100),
        f"Entries on the page; more than {LIMITS['MAX_LEDGER_PAGE']} counts as that.",
    ),
    "afterRecord": _parameter(
        "query", "after", pattern(r"^[0-9]{1,18}(\.[A-Za-z0-9_-]*)?$", "A place."), "`next` of the page before."
    ),
    "afterListed": _parameter("query", "after", _value("uuid"), "`next` of the page before."),
    "afterEntry": _parameter(
        "query", "after", pattern(r"^[0-9]+\.[0-9]+\.[0-9a-f-]{36}$", "A place."), "`next` of the page before."
    ),
    "limitOfList": _parameter(
        "query", "limit", _whole(10**18 - 1, 50), "How many on the page; more than 200 counts as that."
    ),
    "ofType": _parameter("query", "type", {"type": "string", "maxLength": 100}, "Only those of this type."),
    "q": _parameter("query", "q", {"type": "string", "maxLength": 300}, "Only those with this in their name."),
    "order": _parameter("query", "order", {"enum": ["first", "newest", "name"], "default": "first"}, "In which order."),
    "state": _parameter("query", "state", _value("state"), "Only those in this state."),
    "since": _parameter("query", "since", _value("time"), "Only from this time on."),
    "until": _parameter("query", "until", _value("time"), "Only before this time."),
    "vendor": _parameter(
        "query", "vendor", {"type": "string", "maxLength": 300}, "Only of this vendor: its DID, or a part of its name."
    ),
    "ofGrant": _parameter("query", "grant", _value("uuid"), "Only of this grant."),
    "ofPermission": _parameter("query", "permission", _value("name"), "Only under permissions of this name."),
    "field": _parameter("query", "field", {"type": "string", "maxLength": 512}, "Only what names this field path."),
    "outcome": _parameter(
        "query", "outcome", {"enum": ["admitted", "refused", "changed", "received", "erased"]}, "Only of this kind."
    ),
    "buckets": _parameter("query", "buckets", _whole(10**18 - 1, 60), "How many parts; more than 120 counts as that."),
    "limitOfRecords": _parameter(
        "query", "limit", _whole(10**18 - 1, 100), "Records on the page; more than 1,000 counts as that."
    ),
    "status": _parameter("query", "status", {"enum": ["waiting", "approved", "refused"]}, "Only those of this status."),
    "code": _parameter(
        "query", "code", pattern("^[A-Za-z0-9_-]{22,64}$", "As it came."),
        "What the person's browser brought back (HTTP-74).",
    ),
    "Prefer": _parameter(
        "header", "Prefer", pattern("^wait=[0-9]{1,2}$", "Seconds."), "Seconds to wait for the decision, 30 at most."
    ),
    "If-None-Match": _parameter(
        "header", "If-None-Match", pattern('^"[!#-~]*"$', "A tag."), "The tag of what is known already."
    ),
    "If-Match": _parameter(
        "header", "If-Match", pattern('^(\\*|(W/)?"[!#-~]*"(, (W/)?"[!#-~]*")*)$', "A condition."),
        "Do it only if one of these tags stands. What has no tag here matches none.",
    ),
    "Last-Event-ID": _parameter(
        "header", "Last-Event-ID", pattern("^[!-~]{1,512}$", "An id."), "The id of the last event that came."
    ),
}  # fmt: skip
_TAG: Final = pattern('^"[A-Za-z0-9:_-]+"$', "A strong entity tag.")
HEADERS: Final[dict[str, Schema]] = {
    "Cache-Control": {"description": "Nobody may keep it.", "required": True, "schema": {"const": "no-store"}},
    "Freehold-Code": {
        "description": "The code of the refusal; an answer to HEAD has no body that could say it.",
        "required": True, "schema": {"type": "string", "enum": list(CODES)},
    },
    "Retry-After": {
        "description": "Seconds.", "required": True, "schema": {"type": "integer", "enum": [5, LIMITS["DID_PAUSE_S"]]},
    },
    "ETag": {"description": "Names this version.", "required": True, "schema": _TAG},
    "Freehold-Entry": {
        "description": "The number of the entry in the ledger.", "required": True,
        "schema": {"type": "integer", "minimum": 0},
    },
    "Location": {
        "description": "Where the request is followed; where the page is.", "required": True, "schema": _value("url"),
    },
    "Freehold-Holds": {
        "description": "What the backup's database holds.", "required": True,
        "content": {"application/json": {"schema": {"$ref": "schemas/owner-told-backup-holds.schema.json"}}},
    },
}  # fmt: skip


def _headers(names: Iterable[str]) -> Schema:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in ("Cache-Control", *names)}


def _answer(says: str, body: str, headers: Iterable[str]) -> Schema:
    made: Schema = {"description": says, "headers": _headers(headers)}
    if "/" in body:
        made["content"] = {body: {"schema": {"type": "string"} if body.startswith("text/") else {}}}
    elif body:
        made["content"] = {"application/json": {"schema": {"$ref": f"schemas/{body}.schema.json"}}}
    return made


_FORM: Final[Schema] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["request"],
    "properties": {
        "request": {
            "type": "string",
            "contentMediaType": "application/json",
            "maxLength": LIMITS["MAX_DOCUMENT_BYTES"],
            "description": "The JSON text of a signed request that has `connect` (requests.md, HTTP-70).",
        }
    },
}


def _refusal_page(codes: list[str]) -> Schema:
    return {
        "description": "Refused, as a page for people: " + ", ".join(f"`{code}`" for code in codes) + ".",
        "headers": _headers(()),
        "content": {"text/html": {"schema": {"type": "string"}}},
    }


def _refusal(status: int, codes: list[str], *, body: bool) -> Schema:
    made: Schema = {
        "description": "Refused: " + ", ".join(f"`{code}`" for code in codes) + ".",
        "headers": _headers(("Freehold-Code", *(("Retry-After",) if status == 503 else ()))),
    }
    if body:
        only = {"properties": {"code": {"enum": codes}, "status": {"const": status}}}
        schema = {"allOf": [{"$ref": "schemas/problem.schema.json"}, only]}
        made["content"] = {"application/problem+json": {"schema": schema}}
    return made


@dataclass(frozen=True, slots=True)
class Refused:
    """Refusals of one status, as several operations have them."""

    status: int
    codes: tuple[str, ...]
    body: bool
    page: bool = False

    @property
    def whole(self) -> Schema:
        """The response."""
        if self.page:
            return _refusal_page(list(self.codes))
        return _refusal(self.status, list(self.codes), body=self.body)


def _refused(one: Operation) -> list[Refused]:
    """Return the refusals of an operation, one for each status."""
    by_status: dict[int, list[str]] = defaultdict(list)
    for code in CODES:
        if code in one.refusals:
            by_status[CODES[code]].append(code)
    return [
        Refused(status, tuple(codes), one.method != "HEAD", one.pages)
        for status, codes in sorted(by_status.items())
    ]


def _named() -> dict[Refused, str]:
    """Return the name of each shared response: its status, a letter where one status has several, and ``head``."""
    every = dict.fromkeys(refused for one in OPERATIONS for refused in _refused(one))
    kinds: dict[int, list[tuple[str, ...]]] = defaultdict(list)
    for codes, status in sorted(
        {(one.codes, one.status) for one in every}, key=lambda pair: (len(pair[0]), pair)
    ):
        kinds[status].append(codes)
    names = {}
    for one in every:
        several = len(kinds[one.status]) > 1
        letter = ascii_lowercase[kinds[one.status].index(one.codes)] if several else ""
        names[one] = f"refused-{one.status}{letter}{'' if one.body else '-head'}{'-page' if one.page else ''}"
    return dict(sorted(names.items(), key=lambda pair: pair[1]))


RESPONSES: Final = _named()


def _responses(one: Operation) -> Schema:
    made = {str(status): _answer(says, body, headers) for status, says, body, headers in one.answers}
    refused = {
        str(refused.status): {"$ref": f"#/components/responses/{RESPONSES[refused]}"}
        for refused in _refused(one)
    }
    return made | refused


def _named_in(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def _operation(one: Operation) -> Schema:
    made: Schema = {
        "operationId": one.name,
        "tags": [one.tag],
        "summary": one.says,
        "parameters": [
            {"$ref": f"#/components/parameters/{name}"} for name in (*_named_in(one.path), *one.query)
        ],
        "responses": _responses(one),
        "security": [{scheme: []} for who in one.signs for scheme in _ALLOWED[who]],
    }
    if one.more:
        made["description"] = one.more
    if one.pages:
        made["requestBody"] = {
            "required": True,
            "content": {"application/x-www-form-urlencoded": {"schema": _FORM}},
        }
    elif one.sends:
        schema = {"schema": {"$ref": f"schemas/{one.sends}.schema.json"}}
        made["requestBody"] = {
            "required": True, "content": {"application/json": schema, "application/ld+json": schema},
        }  # fmt: skip
    return made


def description() -> dict[str, Any]:
    """Return the whole description."""
    paths: dict[str, Schema] = {}
    for one in OPERATIONS:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Freehold node",
            "version": "freehold/1",
            "summary": "The person's node over HTTP",
            "description": _INFO,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "An origin of the node."}],
        "tags": [{"name": name, "description": title} for name, title in TITLES.items()],
        "paths": paths,
        "components": {
            "parameters": PARAMETERS,
            "headers": HEADERS,
            "responses": {name: refused.whole for refused, name in RESPONSES.items()},
            "securitySchemes": _SCHEMES,
        },
    }


def files(_root: Path) -> dict[str, bytes]:
    """Return the file."""
    return {PATH: (json.dumps(description(), indent=1, ensure_ascii=True) + "\n").encode()}
