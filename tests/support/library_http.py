"""The library's answers about HTTP messages: signatures, digests, invocations, limits."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from freehold_protocol.capability import Capability, from_wire, revocation_target, target_of_root
from freehold_protocol.caveat import CountCaveat, HoursCaveat, PurposeCaveat, RateCaveat, read_caveats
from freehold_protocol.delegation import check_links, revokers, verify_chain
from freehold_protocol.encoding import Document, Json, parse_document, parse_time
from freehold_protocol.errors import (
    ActionError,
    CapabilityError,
    ControllerError,
    FreeholdError,
    LimitReachedError,
    MalformedError,
    NotAuthenticatedError,
    NotFoundError,
    OutsideHoursError,
    PurposeError,
    ReplayedError,
    SignatureError,
    TargetError,
)
from freehold_protocol.http_message import check_content_digest, combine_headers
from freehold_protocol.http_signature import Message, parse_signature, signature_base, verify
from freehold_protocol.invocation import Invocation, parse_invocation, parse_signed
from freehold_protocol.keys import PublicKey
from freehold_protocol.permission import Hours, Limits
from library_identity import did_document


class Read:
    """A whole message as it came."""

    def __init__(self, text: str) -> None:
        head, _, body = text.partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        self.words = first.split(" ")
        pairs: list[tuple[str, str]] = []
        for line in lines:
            if line[:1] in (" ", "\t"):
                pairs[-1] = (pairs[-1][0], f"{pairs[-1][1]}\r\n{line}")
            else:
                name, _, value = line.partition(":")
                pairs.append((name, value))
        self.headers = combine_headers(pairs)
        self.body = body.encode() if "content-length" in self.headers else None

    def message(self, origin: str) -> Message:
        if self.words[0].startswith("HTTP/"):
            return Message(method="", target_uri=origin, headers=self.headers, status=int(self.words[1]))
        return Message(method=self.words[0], target_uri=origin + self.words[1], headers=self.headers)


def verify_signature(given: Document) -> Json:
    read = Read(given["message"])
    parsed = parse_signature(read.headers, tag=given.get("tag"))
    message = read.message(given["origin"])
    verify(message, parsed, PublicKey.from_did(given["key"]))
    base = signature_base(message, parsed.components, parsed.params_text)
    return {"base": base.decode()}


def content_digest(given: Document) -> Json:
    check_content_digest(given["value"], given["body"].encode())


def _invocation(given: Document) -> tuple[Read, Invocation]:
    read = Read(given["message"])
    now_s = parse_time(given["now"])
    return read, parse_invocation(read.words[0], read.headers, body=read.body, now_s=now_s)


def _check_fresh(given: Document, key: PublicKey, nonce: str | None) -> None:
    if nonce is not None and {"key": key.did, "nonce": nonce} in given.get("seen", []):
        raise ReplayedError("it came before")


def verify_invocation(given: Document) -> Json:
    read, invocation = _invocation(given)
    target_uri = given["origin"] + read.words[1]
    leaf = from_wire(invocation.wire)
    if invocation.key != leaf.controller:
        raise ControllerError("not the controller")
    invocation.verify(leaf.controller, target_uri=target_uri)
    check_links(leaf, root_target=given["rootTarget"])
    chain = verify_chain(leaf, root_target=given["rootTarget"], root_key=PublicKey.from_did(given["rootKey"]))
    _check_fresh(given, invocation.key, invocation.nonce)
    leaf.check_use(target_uri=target_uri, action=invocation.action)
    chain.check_now(parse_time(given["now"]))
    return {
        "action": invocation.action,
        "controllers": [key.did for key in chain.controllers],
        "profile": invocation.profile,
        "nonce": invocation.nonce,
    }


def verify_revocation(given: Document) -> Json:
    read, invocation = _invocation(given)
    target_uri = given["origin"] + read.words[1]
    root_key = PublicKey.from_did(given["rootKey"])
    invocation.verify(invocation.key, target_uri=target_uri)
    capability = Capability.from_dict(parse_document(read.body or b""))
    if target_of_root(invocation.root or "") != target_uri:
        raise TargetError("another root")
    if invocation.action != "write":
        raise ActionError("to revoke is to write")
    if target_uri != revocation_target(given["rootTarget"], capability.id):
        raise MalformedError("another id")
    try:
        chain = verify_chain(capability, root_target=given["rootTarget"], root_key=root_key)
    except FreeholdError:
        raise NotFoundError("nothing here") from None
    if invocation.key not in revokers(chain, root_key=root_key):
        raise NotFoundError("nothing here")
    return {"revoked": capability.id}


def verify_signed_message(given: Document) -> Json:
    read = Read(given["message"])
    signed = parse_signed(
        read.words[0], read.headers, body=read.body, tag=given["tag"], now_s=parse_time(given["now"])
    )
    target_uri = given["origin"] + read.words[1]
    if "didDocument" in given:
        try:
            key = did_document({"did": given["did"], "document": given["didDocument"]}).keys.key(
                signed.keyid, use="authentication"
            )
            signed.verify(key, target_uri=target_uri)
        except SignatureError:
            raise NotFoundError("nothing here") from None
    else:
        key = signed.key
        if key.did != given["did"]:
            raise (NotAuthenticatedError if given["tag"] == "freehold-owner" else NotFoundError)(
                "nothing here"
            )
        signed.verify(key, target_uri=target_uri)
    _check_fresh(given, key, signed.nonce)
    return None


def check_limits(given: Document) -> Json:
    now_s = parse_time(given["now"])
    admitted = [parse_time(one) for one in given["admitted"]]
    if "limits" in given:
        limits = Limits.from_dict(given["limits"])
        _check_hours(limits.hours, now_s)
        if limits.reads is not None:
            _check_count(len(admitted), limits.reads)
        if limits.rate is not None:
            _check_count(sum(one > now_s - limits.rate[1] for one in admitted), limits.rate[0])
    for caveat in read_caveats(given["caveats"]) if "caveats" in given else ():
        match caveat:
            case PurposeCaveat():
                purposes: Any = type("P", (), {"purposes": tuple(given["purposes"])})
                if not caveat.allows(purposes):
                    raise PurposeError("another purpose")
            case HoursCaveat():
                _check_hours(caveat.hours, now_s)
            case CountCaveat():
                _check_count(len(admitted), caveat.reads)
            case RateCaveat():
                _check_count(sum(one > now_s - caveat.seconds for one in admitted), caveat.reads)
    return None


def _check_hours(hours: Hours | None, now_s: int) -> None:
    if hours is None:
        return
    try:
        zone = ZoneInfo(hours.time_zone)
    except (ValueError, OSError, KeyError):
        raise CapabilityError("a zone that does not exist here") from None
    local = datetime.fromtimestamp(now_s, UTC).astimezone(zone)
    if not hours.contain(weekday=local.weekday(), minute=local.hour * 60 + local.minute):
        raise OutsideHoursError("not now")


def _check_count(admitted: int, most: int) -> None:
    if admitted >= most:
        raise LimitReachedError("enough")


OPERATIONS = {
    "verify-signature": verify_signature,
    "content-digest": content_digest,
    "verify-invocation": verify_invocation,
    "verify-revocation": verify_revocation,
    "verify-signed-message": verify_signed_message,
    "check-limits": check_limits,
}
