"""The library's answers about grants, receipts and what the person states beside them."""

from __future__ import annotations

from freehold_protocol.encoding import Document, Json
from freehold_protocol.errors import DraftChangedError, TransitionError, WidenedError
from freehold_protocol.grant import TRANSITIONS, Grant, read_origin, verify_grant
from freehold_protocol.moved import Moved, effective_origins, verify_moved
from freehold_protocol.permission import Permission
from freehold_protocol.receipt import Receipt
from freehold_protocol.request import Request
from freehold_protocol.restored import Restored, verify_restored


def permission_within(given: Document) -> Json:
    if not Permission.from_dict(given["narrower"]).within(Permission.from_dict(given["wider"])):
        raise WidenedError("it allows more")


def verify_version(given: Document) -> Json:
    previous = Grant.from_dict(given["previous"]) if "previous" in given else None
    version = Grant.from_dict(given["version"])
    verify_grant(version, request=Request.from_dict(given["request"]), previous=previous)
    return {"cid": version.cid, "digest": version.digest}


def grant_change(given: Document) -> Json:
    rule = TRANSITIONS[given["change"]]
    if given["state"] not in rule.before:
        raise TransitionError("not in this state")
    return {"state": rule.after or given["state"], "key": rule.signer}


def approve_draft(given: Document) -> Json:
    if Grant.from_dict(given["draft"]).digest != given["digest"]:
        raise DraftChangedError("another draft")


def origin(given: Document) -> Json:
    read_origin(given["origin"])


def _standing(version: Grant) -> Json:
    return {"cid": version.cid, "version": version.version, "state": version.state}


def verify_receipt(given: Document) -> Json:
    return _standing(Receipt.from_dict(given["receipt"]).verify())


def continue_receipt(given: Document) -> Json:
    held = Receipt.from_dict(given["receipt"])
    return _standing(held.continued_by(map(Grant.from_dict, given["versions"])).versions[-1])


def moved(given: Document) -> Json:
    grant = Grant.from_dict(given["grant"])
    statements = [Moved.from_dict(one) for one in given["statements"] if one["type"] == "Moved"]
    for one in statements:
        verify_moved(one, grant=grant)
    return {"origins": list(effective_origins(grant, statements))}


def restored(given: Document) -> Json:
    versions = [Grant.from_dict(one) for one in given["versions"]]
    return {"version": verify_restored(Restored.from_dict(given["statement"]), versions=versions) + 1}


OPERATIONS = {
    "permission-within": permission_within,
    "verify-grant": verify_version,
    "grant-change": grant_change,
    "approve-draft": approve_draft,
    "read-origin": origin,
    "verify-receipt": verify_receipt,
    "continue-receipt": continue_receipt,
    "verify-moved": moved,
    "verify-restored": restored,
}
