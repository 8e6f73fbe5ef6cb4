"""JSON Schemas of what is signed and kept: records, requests, grants, receipts, statements."""

from __future__ import annotations

from typing import Final

from forms import (
    BOOLEAN,
    DAYS,
    LIMITS,
    NEVER_A_RECORD,
    RESERVED,
    STATES,
    Schema,
    array,
    closed,
    const,
    number,
    one_of,
    pattern,
    ref,
    text,
)

_MAX_WHERE_CHARS: Final = 200
MAX_PURPOSES: Final = 8


def proof() -> Schema:
    """Return the proof of every document but a capability."""
    members = {
        "type": const("DataIntegrityProof"),
        "cryptosuite": one_of(["eddsa-jcs-2022", "eddsa-rdfc-2022"]),
        "verificationMethod": ref("#method"),
        "proofPurpose": const("assertionMethod"),
        "proofValue": ref("#proofValue"),
    }
    made = closed(members, {"created": ref("#time"), "@context": ref("#context")})
    jcs = {"properties": {"cryptosuite": const("eddsa-jcs-2022")}}
    # Where the suite signs JSON, the context is signed only if it is in the proof (PRF-6).
    return {**made, "if": jcs, "then": {"required": ["@context"]}}


# Records and what is shown of them


def content() -> Schema:
    """Return what a record says: one type, and members that are plain terms, at every depth."""
    keeping = ("id", "created", "source", "previous")
    return {
        "type": "object",
        "properties": {"type": ref("#term"), **dict.fromkeys(keeping, False)},
        "required": ["type"],
        "propertyNames": ref("#term"),
        "additionalProperties": {"$ref": "#/$defs/value"},
        "$defs": {
            "value": {
                "anyOf": [
                    {"type": ["string", "number", "boolean", "null"]},
                    array({"$ref": "#/$defs/value"}),
                    {"$ref": "#/$defs/node"},
                ]
            },
            "node": {
                "type": "object",
                "properties": {"type": ref("#term"), "id": {"type": "string", "not": {"pattern": "^_:"}}},
                "propertyNames": ref("#term"),
                "additionalProperties": {"$ref": "#/$defs/value"},
            },
        },
    }


def _open(keeping: dict[str, Schema], optional: dict[str, Schema | bool], value: Schema) -> Schema:
    """Return a document whose further members are what a record says."""
    return {
        "type": "object",
        "properties": {**keeping, **optional},
        "required": list(keeping),
        "propertyNames": {"anyOf": [const("@context"), ref("#term")]},
        "additionalProperties": value,
    }


def record() -> Schema:
    """Return a record as the node keeps it."""
    keeping = {
        "@context": ref("#context"),
        "id": ref("#urn"),
        "type": ref("#term"),
        "created": ref("#time"),
        "source": {"type": "object", "description": "Where the content came from."},
        "proof": ref("proof"),
    }
    return _open(keeping, {"previous": ref("#cid")}, {"$ref": "record-content.schema.json#/$defs/value"})


def released_document() -> Schema:
    """Return what leaves the node of one record."""
    carried = {
        "@context": ref("#context"),
        "id": pattern("^urn:freehold:z[1-9A-HJ-NP-Za-km-z]{1,60}$", "The alias of the record."),
        "type": {**ref("#term"), "not": const("ReleasedPage")},
        "issuer": ref("#didKey"),
        "version": ref("#digest"),
        "proof": {**ref("proof"), "not": {"required": ["created"]}},
    }
    kept: dict[str, Schema | bool] = dict.fromkeys(("source", "previous", "created"), False)
    return _open(carried, kept, {"$ref": "record-content.schema.json#/$defs/value"})


def released_page() -> Schema:
    """Return a page of released documents."""
    return closed(
        {
            "@context": ref("#context"),
            "type": const("ReleasedPage"),
            "issuer": ref("#didKey"),
            "items": array(ref("released-document"), most=LIMITS["MAX_PAGE"]),
            "proof": {**ref("proof"), "not": {"required": ["created"]}},
        },
        {"next": {"type": "string", "minLength": 1, "maxLength": LIMITS["MAX_QUERY_CHARS"]}},
    )


# Requests and grants


def hours(prefix: str = "") -> dict[str, Schema]:
    """Return the members of days and hours, their names after a prefix."""
    return {
        prefix + "days": array(one_of(DAYS), least=1, most=7, distinct=True),
        prefix + "from": ref("#clock"),
        prefix + "to": ref("#clock"),
        prefix + "timeZone": ref("#timeZone"),
    }


def item() -> Schema:
    """Return one item of a permission: which records, and which fields of them."""
    where: Schema = {
        "type": "object",
        "propertyNames": ref("#field"),
        "maxProperties": LIMITS["MAX_FIELDS"],
        "additionalProperties": {
            "anyOf": [{"type": ["number", "boolean"]}, text(_MAX_WHERE_CHARS)],
        },
    }
    return closed(
        {
            "type": {**ref("#term"), "not": {"enum": list(NEVER_A_RECORD)}},
            "fields": array(ref("#field"), least=1, most=LIMITS["MAX_FIELDS"], distinct=True),
        },
        {"about": one_of(["self", "any"]), "where": where, "newRecords": BOOLEAN},
    )


def permission() -> Schema:
    """Return what is asked or given under one short name."""
    rate = closed({"reads": ref("#count"), "per": ref("#duration")})
    limits = closed({}, {"reads": ref("#count"), "rate": rate, "hours": closed(hours())})
    return closed(
        {
            "name": {**ref("#name"), "not": {"enum": list(RESERVED)}},
            "items": array({"$ref": "#/$defs/item"}, least=1, most=LIMITS["MAX_ITEMS"]),
            "purpose": array(ref("#purpose"), least=1, most=MAX_PURPOSES, distinct=True),
            "retention": ref("#duration"),
        },
        {
            "recipients": array(ref("#did"), most=LIMITS["MAX_RECIPIENTS"], distinct=True),
            "limits": limits,
            "required": BOOLEAN,
        },
        **{"$defs": {"item": item()}},
    )


def permissions() -> Schema:
    """Return the permissions of a request or grant."""
    return array(ref("permission"), least=1, most=LIMITS["MAX_PERMISSIONS"])


def access_request() -> Schema:
    """Return a vendor's signed ask."""
    assignee = closed({"id": ref("#did"), "type": const("Organization"), "name": text(120)})
    return closed(
        {
            "@context": ref("#context"),
            "type": const("AccessRequest"),
            "id": ref("#urn"),
            "nonce": ref("#nonce"),
            "created": ref("#time"),
            "expires": ref("#time"),
            "assignee": assignee,
            "permission": permissions(),
            "proof": ref("proof"),
        },
        {
            "benefit": {**ref("#lines"), "maxLength": LIMITS["MAX_TEXT"]},
            "terms": text(300),
            "contact": text(300),
            "connect": connect(),
        },
    )


def connect() -> Schema:
    """Return how a request comes that the person's browser carries."""
    page = pattern(
        r"^(https://([a-z0-9.-]+|\[[0-9a-f:]{2,39}\])|http://(127(\.[0-9]{1,3}){3}|\[::1\]))(:[1-9][0-9]{0,4})?/[!-~]*$",
        "A page of the vendor's to which the browser is sent back (REQ-21).",
        maxLength=LIMITS["MAX_RETURN_CHARS"],
        **{"not": {"pattern": "#"}},
    )
    return closed({"returnTo": page, "challenge": ref("#nonce")})


def _grant_members() -> dict[str, Schema]:
    return {
        "@context": ref("#context"),
        "type": const("AccessGrant"),
        "id": ref("#urn"),
        "nonce": ref("#nonce"),
        "version": ref("#count"),
        "state": ref("#state"),
        "created": ref("#time"),
        "request": ref("#cid"),
        "assigner": ref("#didKey"),
        "servingKey": ref("#didKey"),
        "assignee": ref("#did"),
        "origins": array(ref("#origin"), least=1, most=LIMITS["MAX_ORIGINS"], distinct=True),
        "log": ref("#log"),
        "notBefore": ref("#time"),
        "expires": ref("#time"),
        "permission": permissions(),
    }


_OF_A_GRANT: Final[Schema] = {
    "allOf": [
        {  # every version but the first names the one before
            "if": {"properties": {"version": const(1)}},
            "then": {"not": {"required": ["previous"]}},
            "else": {"required": ["previous"]},
        },
        {  # the key of a vendor that is not known by its key
            "if": {"properties": {"assignee": {"pattern": "^did:key:"}}},
            "then": {"not": {"required": ["assigneeKey"]}},
            "else": {"required": ["assigneeKey"]},
        },
    ]
}


def grant() -> Schema:
    """Return one version of a grant; two proofs are those of a change of keys."""
    proofs = {"anyOf": [ref("proof"), array(ref("proof"), least=2, most=2)]}
    optional = {"assigneeKey": ref("#didKey"), "previous": ref("#cid")}
    return closed({**_grant_members(), "proof": proofs}, optional, **_OF_A_GRANT)


def grant_draft() -> Schema:
    """Return what a person is shown before deciding: a version without its proof."""
    return closed(_grant_members(), {"assigneeKey": ref("#didKey"), "previous": ref("#cid")}, **_OF_A_GRANT)


def receipt() -> Schema:
    """Return what both sides keep."""
    versions = array(ref("grant"), least=1)
    return closed({"type": const("Receipt"), "request": ref("access-request"), "versions": versions})


# Statements


def grant_status() -> Schema:
    """Return how a grant stands for one permission, as a partner is told."""
    return closed(
        {
            "@context": ref("#context"),
            "type": const("GrantStatus"),
            "grant": ref("#urn"),
            "version": ref("#count"),
            "state": one_of(STATES),
            "expires": ref("#time"),
            "proof": ref("proof"),
        },
        {"permission": array(ref("permission"), least=1, most=1)},
    )


def _statement(kind: str, members: dict[str, Schema]) -> Schema:
    head = {"@context": ref("#context"), "type": const(kind), "grant": ref("#urn")}
    return closed({**head, **members, "nonce": ref("#nonce"), "created": ref("#time"), "proof": ref("proof")})


def moved() -> Schema:
    """Return the person's word that a grant is reached at further origins."""
    origins = array(ref("#origin"), least=1, most=LIMITS["MAX_ORIGINS"] - 1, distinct=True)
    return _statement("Moved", {"origins": origins})


def restored() -> Schema:
    """Return the person's word that a ledger goes on from a backup."""
    head = {"log": ref("#log"), "count": number(1), "root": ref("#digest"), "previous": ref("#cid")}
    return _statement("Restored", head)


DOCUMENTS: Final = {
    "proof": proof,
    "record-content": content,
    "record": record,
    "permission": permission,
    "access-request": access_request,
    "grant": grant,
    "grant-draft": grant_draft,
    "receipt": receipt,
    "released-document": released_document,
    "released-page": released_page,
    "grant-status": grant_status,
    "moved": moved,
    "restored": restored,
}
