"""JSON Schemas of what a node answers to vendors, partners and strangers, and of every refusal."""

from __future__ import annotations

from typing import Final

from forms import (
    BOOLEAN,
    CODES,
    LIMITS,
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

_TEMPLATES: Final = (
    "ask", "connect", "request", "grant", "records", "record", "events", "ledger", "renew", "revoke",
)  # fmt: skip
_STATEMENTS: Final = array({"anyOf": [ref("moved"), ref("restored")]})
_STOPPED: Final = ("grant-paused", "grant-ended", "grant-expired")
_SEEN: Final[dict[str, Schema]] = {"entry": ref("ledger-entry"), "salt": ref("#digest")}
_TOGETHER: Final[Schema] = {"dependentRequired": {"entry": ["salt"], "salt": ["entry"]}}
_PROOF: Final = array(ref("#digest"), most=64)


def discovery() -> Schema:
    """Return what anyone may know."""
    template = pattern("^/[a-z{}./-]+$", "A path with names in braces.")
    routes = closed(dict.fromkeys(_TEMPLATES, template))
    return closed({"protocol": array(pattern("^freehold/[0-9]+$", "A version."), least=1), "routes": routes})


def health() -> Schema:
    """Return that the node answers."""
    return closed({"status": const("ok")})


def problem() -> Schema:
    """Return a refusal or failure (RFC 9457): `code` is the contract, `detail` is for people."""
    return closed(
        {
            "type": pattern("^https://w3id.org/freehold/v1/errors#[a-z-]+$", "The code as an IRI."),
            "title": {"type": "string", "minLength": 1},
            "status": one_of(sorted({*CODES.values(), 405, 417})),
            "code": one_of(list(CODES)),
            "detail": {"type": "string", "minLength": 1, "maxLength": LIMITS["MAX_TEXT"]},
        }
    )


def request_accepted() -> Schema:
    """Return where a vendor follows its request, and the code that both screens show."""
    return closed({"status": const("waiting"), "request": ref("#url"), "code": ref("#matchingCode")})


def request_status() -> Schema:
    """Return how a request stands."""
    approved = {
        "status": const("approved"),
        "grant": ref("#url"),
        "receipt": ref("receipt"),
        "checkpoint": ref("#checkpoint"),
        "statements": _STATEMENTS,
    }
    # At most one of the two: of a stopped grant there is no capability.
    optional = {"more": const(True), "capability": ref("capability"), "code": one_of(_STOPPED)}
    return {
        "oneOf": [
            closed({"status": const("waiting")}),
            closed(
                {"status": const("refused")}, {"reason": {**ref("#lines"), "maxLength": LIMITS["MAX_TEXT"]}}
            ),
            closed(approved, optional, **{"not": {"required": ["capability", "code"]}}),
        ]
    }


def grant_shown() -> Schema:
    """Return a grant as its vendor sees it: the receipt, or the versions that continue one."""
    told = {"checkpoint": ref("#checkpoint"), "statements": _STATEMENTS}
    return {
        "oneOf": [
            closed({"receipt": ref("receipt"), **told}, {"more": const(True)}),
            closed({"versions": array(ref("grant")), **told}, {"more": const(True)}),
        ]
    }


def permission_standing() -> Schema:
    """Return how a grant stands for one permission, signed, and the head of its ledger."""
    return closed(
        {
            "status": ref("grant-status"),
            "servingKey": ref("#didKey"),
            "log": ref("#log"),
            "checkpoint": ref("#checkpoint"),
        }
    )


def renewal() -> Schema:
    """Return a fresh capability."""
    return closed({"capability": ref("capability")})


def ledger_item() -> Schema:
    """Return an entry as its reader may see it; without its body it is a leaf of the tree."""
    return closed({"number": ref("#number"), "leaf": ref("#digest")}, _SEEN, **_TOGETHER)


def ledger_entries() -> Schema:
    """Return a page of a ledger."""
    items = array(ref("ledger-item"), most=LIMITS["MAX_LEDGER_PAGE"])
    return closed({"entries": items, "size": ref("#size"), "checkpoint": ref("#checkpoint")})


def ledger_inclusion() -> Schema:
    """Return an entry with the proof that it is in the ledger of this size."""
    proven = {"size": ref("#count"), "proof": _PROOF, "checkpoint": ref("#checkpoint")}
    return closed({"number": ref("#number"), "leaf": ref("#digest"), **proven}, _SEEN, **_TOGETHER)


def checkpoint() -> Schema:
    """Return the signed head of a ledger, and the proof that it continues an earlier one."""
    return closed({"checkpoint": ref("#checkpoint")}, {"consistency": _PROOF})


def event() -> Schema:
    """Return the data of an event: which permission shows something else, or nothing."""
    return closed({}, {"permission": ref("#name")})


# What the owner is told


def shown_vendor() -> Schema:
    """Return how a vendor is shown; `vouched` is false where nobody but itself says its name."""
    told = {"id": ref("#did"), "name": text(120), "vouched": {"type": "boolean"}}
    return closed(told, {"domain": {"type": "string", "minLength": 1, "maxLength": 600}})


def owner_request() -> Schema:
    """Return a request as the owner sees it."""
    return closed(
        {
            "id": ref("#uuid"),
            "status": one_of(["waiting", "approved", "refused"]),
            "received": ref("#time"),
            "code": ref("#matchingCode"),
            "vendor": ref("shown-vendor"),
            "expires": ref("#time"),
            "permissions": array(ref("permission"), least=1, most=LIMITS["MAX_PERMISSIONS"]),
        },
        {
            "benefit": {**ref("#lines"), "maxLength": LIMITS["MAX_TEXT"]},
            "terms": text(300),
            "contact": text(300),
            "connect": closed({"returnTo": {"type": "string", "format": "uri"}, "claimed": BOOLEAN}),
            "grant": ref("#uuid"),
            "reason": text(LIMITS["MAX_TEXT"]),
        },
    )


def _grant_told() -> tuple[dict[str, Schema], dict[str, Schema]]:
    partner = closed(
        {
            "id": ref("#did"),
            "domain": {"type": "string", "minLength": 1},
            "keys": array(ref("#didKey"), most=LIMITS["MAX_DID_KEYS"], distinct=True),
        }
    )
    revoked = {"anyOf": [ref("#did"), ref("#urn"), ref("#digest")]}
    required = {
        "id": ref("#uuid"),
        "vendor": ref("shown-vendor"),
        "state": one_of(STATES),
        "version": ref("#count"),
        "epoch": ref("#count"),
        "created": ref("#time"),
        "notBefore": ref("#time"),
        "expires": ref("#time"),
        "permissions": array(ref("permission"), least=1, most=LIMITS["MAX_PERMISSIONS"]),
        "entries": ref("#count"),
        "root": ref("#digest"),
        "revoked": array(revoked, distinct=True),
    }
    optional = {"partners": array(partner, least=1), "newKeys": const(True), "lastRead": ref("#time")}
    return required, optional


def owner_grant() -> Schema:
    """Return a grant in the owner's list."""
    return closed(*_grant_told())


def owner_link() -> Schema:
    """Return a link to a partner under which something was read: a capability without proof, and what became of it."""
    return closed(
        {
            "digest": ref("#digest"),
            "parent": ref("#digest"),
            "id": ref("#urn"),
            "controller": ref("#didKey"),
            "permission": {"type": "string", "description": "The part of its target after the grant."},
            "actions": array(one_of(["read", "answer", "write"]), least=1, most=3, distinct=True),
            "created": ref("#time"),
            "expires": ref("#time"),
            "caveats": array(ref("caveat"), most=LIMITS["MAX_CAVEATS"]),
            "seen": ref("#time"),
            "revoked": {"type": "boolean"},
        }
    )


def owner_grant_shown() -> Schema:
    """Return one grant with all that belongs to it."""
    required, optional = _grant_told()
    further = {
        "document": ref("grant"),
        "receipt": ref("receipt"),
        "statements": _STATEMENTS,
        "links": array(ref("owner-link")),
        "listening": number(0, LIMITS["MAX_GRANT_STREAMS"]),
    }
    return closed({**required, **further}, optional)


ANSWERS: Final = {
    "discovery": discovery,
    "health": health,
    "problem": problem,
    "request-accepted": request_accepted,
    "request-status": request_status,
    "grant-shown": grant_shown,
    "permission-standing": permission_standing,
    "renewal": renewal,
    "ledger-item": ledger_item,
    "ledger-entries": ledger_entries,
    "ledger-inclusion": ledger_inclusion,
    "checkpoint": checkpoint,
    "event": event,
    "shown-vendor": shown_vendor,
    "owner-request": owner_request,
    "owner-grant": owner_grant,
    "owner-link": owner_link,
    "owner-grant-shown": owner_grant_shown,
}
