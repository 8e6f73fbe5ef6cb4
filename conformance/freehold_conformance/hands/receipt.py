"""Receipts, judged by one's own hands: who signed what, and that no version gives more than was asked.

Spec: specs/receipts.md#verification
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from . import proof
from .encoding import Document, base64url, cid, from_multibase, from_xsd_time, jcs, sha256
from .keys import is_signed
from .permission import are_within

_MEMBERS: Final = {
    "@context", "type", "id", "nonce", "version", "state", "created", "request", "assigner", "servingKey",
    "assignee", "origins", "log", "notBefore", "expires", "permission", "proof",
}  # fmt: skip
_KEYS: Final = ("assigner", "servingKey")
FIXED: Final = ("id", "request", "assignee", "assigneeKey", "origins", "log", "notBefore")
"""What is the same in all versions, but for the two keys, which a change of keys may change."""
_OF_EVERY_VERSION: Final = {"nonce", "version", "created", "previous", "proof", *_KEYS}
DECISION: Final = "decision"
SERVING: Final = "serving"
BOTH: Final = "both"


class Unsound(Exception):  # noqa: N818 - what is found, not an error of the suite
    """A receipt does not hold; the text says why."""


def digest(draft: Document) -> str:
    """Return the digest by which a draft is approved.

    Spec: specs/grants.md#first-version
    """
    return base64url(sha256(jcs({name: value for name, value in draft.items() if name != "proof"})))


def signers(receipt: Document, *, vendor_key: str | None = None) -> list[str]:
    """Return of each version by which key it is signed: DECISION, SERVING or BOTH.

    Args:
        receipt: With all its versions.
        vendor_key: The did:key of a vendor whose DID is none; else its DID is the key.

    Raises:
        Unsound: The receipt does not hold.

    Spec: specs/receipts.md#verification
    """
    _require(set(receipt) == {"type", "request", "versions"}, "members of the receipt")
    _require(receipt["type"] == "Receipt" and bool(receipt["versions"]), "no receipt with a version")
    request, first = receipt["request"], receipt["versions"][0]
    vendor = request["assignee"]["id"]
    by_key = vendor.startswith("did:key:")
    _require(("assigneeKey" in first) != by_key, "assigneeKey is for a vendor that is no did:key")
    _check_request(request, vendor if by_key else first["assigneeKey"])
    if not by_key:
        _require(vendor_key is None or first["assigneeKey"] == vendor_key, "another key asked")
    return continued([], receipt["versions"], request)


def _check_request(request: Document, key: str) -> None:
    method = request["proof"]["verificationMethod"]
    _require(method.partition("#")[0] == request["assignee"]["id"], "the request's proof is by another DID")
    signature = from_multibase(request["proof"]["proofValue"])
    signed = is_signed(key, signature, proof.signed_under(request))
    _require(signed, "the request is not signed by the vendor")
    _require(request["proof"].get("created") == request["created"], "the time of the request's proof")


def continued(held: Sequence[Document], coming: Sequence[Document], request: Document) -> list[str]:
    """Return by which key each coming version is signed, after those that are held.

    Raises:
        Unsound: One does not follow.

    Spec: specs/receipts.md#continuing
    """
    before = held[-1] if held else None
    given_up = {was[name] for was, now in pairwise(held) for name in _KEYS if _rotates(now, was)}
    found = []
    for version in coming:
        _check_form(version, request)
        _require(not given_up & {version[name] for name in _KEYS}, "a key that was given up comes back")
        found.append(_first(version) if before is None else _later(version, before))
        if before is not None and _rotates(version, before):
            given_up |= {before[name] for name in _KEYS}
        before = version
    return found


def _check_form(version: Document, request: Document) -> None:
    members = set(version) - {"assigneeKey", "previous"}
    _require(members == _MEMBERS, f"members of a version: {sorted(members ^ _MEMBERS)}")
    _require((version["@context"], version["type"]) == (proof.CONTEXT, "AccessGrant"), "not a grant")
    _require(version["state"] in ("live", "paused", "ended", "expired"), "a state that is none")
    _require(version["request"] == cid(request), "it answers another request")
    _require(version["assignee"] == request["assignee"]["id"], "it is for another vendor")
    _require(22 <= len(version["nonce"]) <= 64, "a nonce of another length")
    _require(1 <= len(version["origins"]) <= 4, "origins")
    _require(are_within(version["permission"], request["permission"]), "it gives more than was asked")
    begin, end = from_xsd_time(version["notBefore"]), from_xsd_time(version["expires"])
    _require(
        begin < end <= from_xsd_time(request["expires"]), "it ends later than asked, or before it begins"
    )


def _first(version: Document) -> str:
    _require(version["version"] == 1 and "previous" not in version, "the first version follows one")
    _require(version["state"] == "live", "the first version is not live")
    _require(_is_by(version, version["assigner"]), "the first version is not signed by the decision key")
    return DECISION


def _later(version: Document, before: Document) -> str:
    _require(version["version"] == before["version"] + 1, "a number is left out")
    _require(version.get("previous") == cid(before), "previous is not the CID of the version before")
    _require(before["state"] not in ("ended", "expired"), "a version after the last")
    _require(version["nonce"] != before["nonce"], "a nonce that is not fresh")
    if _rotates(version, before):
        return _rotation(version, before)
    for name in FIXED:
        _require(version.get(name) == before.get(name), f"{name} is fixed")
    if _is_by(version, before["assigner"]):
        return DECISION
    _require(_is_by(version, before["servingKey"]), "signed by neither key of the version before")
    _require(narrows(version, before), "the serving key signed what adds")
    return SERVING


def narrows(version: Document, before: Document) -> bool:
    """Tell whether a version only takes away.

    Spec: specs/grants.md#narrowing
    """
    return (
        (version["state"] == before["state"] or version["state"] != "live")
        and all(version.get(name) == before.get(name) for name in (*FIXED, *_KEYS))
        and from_xsd_time(version["expires"]) <= from_xsd_time(before["expires"])
        and are_within(version["permission"], before["permission"])
    )


def _rotates(version: Document, before: Document) -> bool:
    return any(version[name] != before[name] for name in _KEYS)


def _rotation(version: Document, before: Document) -> str:
    names = (version.keys() | before.keys()) - _OF_EVERY_VERSION
    _require(all(version.get(name) == before.get(name) for name in names), "a change of keys changes more")
    new = {version[name] for name in _KEYS}
    _require(len(new) == 2 and not new & {before[name] for name in _KEYS}, "keys that are not both new")
    proofs = version["proof"]
    _require(isinstance(proofs, list) and len(proofs) == 2, "not two proofs")
    for one, key in zip(proofs, (before["assigner"], version["assigner"]), strict=True):
        _require(_is_by({**version, "proof": one}, key), "a change of keys that one of the two did not sign")
    return BOTH


def _is_by(version: Document, key: str) -> bool:
    found = isinstance(version["proof"], dict) and proof.is_proven(version, key)
    return found and version["proof"].get("created") == version["created"]


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise Unsound(what)
