"""The HTTP signature that ZCAP clients in the field send (``Authorization: Signature``), read and made strictly.

It is a profile of the expired draft draft-cavage-http-signatures: which names are covered, in which order and
spelling, is fixed here, because deployed clients write no other. It has no nonce: two honest requests of one
second are the same bytes, and telling them from a replay is the node's question.

Spec: specs/invocation.md#ezcap
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from . import limits
from .capability import Capability, to_wire
from .encoding import base64_decode, base64url_decode, base64url_encode
from .errors import MalformedError, SignatureError, TooLargeError, UnsupportedError
from .keys import PublicKey, SigningKey

_COVERED: Final = "(key-id) (created) (expires) (request-target) host capability-invocation"
_BODY: Final = " content-type digest"
_SCHEME = re.compile(r"(?:\A|,)[ \t]*signature(?:[ \t]|\Z)", re.ASCII | re.IGNORECASE)
_AUTHORIZATION = re.compile(
    r'Signature keyId="(?P<keyid>[!#-\[\]-~]+)",headers="(?P<covered>[a-z() -]+)"'
    r',signature="(?P<signature>[A-Za-z0-9+/]{86}==)"'
    r',created="(?P<created>0|[1-9][0-9]{0,14})",expires="(?P<expires>0|[1-9][0-9]{0,14})"\Z',
    re.ASCII,
)
_METHOD = re.compile(r"[A-Z]{1,16}\Z", re.ASCII)
_URL = re.compile(r"https?://(?P<authority>[^/?#\s@]+)(?P<target>/[^#\s]*)\Z", re.ASCII)
_MULTIHASH_SHA256: Final = bytes([0x12, 0x20])


@dataclass(frozen=True, slots=True, kw_only=True)
class EzcapSignature:
    """What the header says of the signature; nothing of it is verified yet. Times are Unix seconds."""

    keyid: str
    created: int
    expires: int
    has_body: bool
    signature: bytes


def is_ezcap(headers: Mapping[str, str]) -> bool:
    """Whether a message says that it is signed in this way, be it beside other credentials."""
    authorization = headers.get("authorization")
    return authorization is not None and _SCHEME.search(authorization) is not None


def parse_authorization(method: str, headers: Mapping[str, str], *, body: bytes | None) -> EzcapSignature:
    """Return the signature of a message, the digest of its body checked, before any other cryptography.

    Args:
        method: As sent.
        headers: Lower-case names and combined values.
        body: None where there is none.

    Raises:
        MalformedError: The method, the header or the digest is not exactly as deployed clients write it, or the message
            has a Signature (RFC 9421) too.
        TooLargeError: The header has more than ``limits.MAX_AUTHORIZATION_CHARS``.
        SignatureError: It covers more, less or in another order; or the digest is not the body's.
        UnsupportedError: The digest is of another hash.

    Spec: specs/invocation.md#ezcap
    """
    written = headers.get("authorization", "")
    if len(written) > limits.MAX_AUTHORIZATION_CHARS:
        raise TooLargeError(f"Authorization has more than {limits.MAX_AUTHORIZATION_CHARS} characters")
    match = _AUTHORIZATION.match(written)
    if match is None or "signature" in headers:
        raise MalformedError("Authorization is not in the form that ZCAP clients write")
    if not _METHOD.match(method):  # signed in lower case, so one spelling of it may be sent
        raise MalformedError("a method is upper case")
    expected = _COVERED if body is None else _COVERED + _BODY
    if match["covered"] != expected:
        raise SignatureError(f"the signature covers {expected}, no more and no less")
    if body is not None:
        _check_digest(headers.get("digest"), body)
    return EzcapSignature(
        keyid=match["keyid"],
        created=int(match["created"]),
        expires=int(match["expires"]),
        has_body=body is not None,
        signature=base64_decode(match["signature"]),
    )


def _check_digest(value: str | None, body: bytes) -> None:
    """Check a ``Digest``: a multihash (``mh=``), or SHA-256 in base64, bare or between colons."""
    if value is None:
        raise SignatureError("the body's digest is missing")
    algorithm, _, written = value.partition("=")
    if algorithm == "mh":
        made = _multihash(written)
    elif algorithm == "SHA-256":
        colons = len(written) > 1 and written[0] == written[-1] == ":"
        made = base64_decode(written[1:-1] if colons else written)
    else:
        raise UnsupportedError("a Digest is mh= or SHA-256=")
    if made != hashlib.sha256(body).digest():
        raise SignatureError("the body is not the one its digest names")


def _multihash(written: str) -> bytes:
    if not written.startswith("u"):
        raise MalformedError("a multihash is written in base64url multibase")
    data = base64url_decode(written[1:])
    if not data.startswith(_MULTIHASH_SHA256) or len(data) != len(_MULTIHASH_SHA256) + 32:
        raise UnsupportedError("a multihash is of SHA-256")
    return data[len(_MULTIHASH_SHA256) :]


def verify_ezcap(
    signed: EzcapSignature, key: PublicKey, *, method: str, target_uri: str, headers: Mapping[str, str]
) -> None:
    """Check that the key signed this message at this URL; that it may, and when, is the caller's question.

    Args:
        signed: As parse_authorization returned it for these headers.
        key: Must have signed.
        method: As given to parse_authorization.
        target_uri: An origin of the node's own and the raw request target. ``host`` is this origin's authority,
            whatever the message says in ``Host``.
        headers: As given to parse_authorization.

    Raises:
        SignatureError: The key did not sign this, or a covered header is missing.
        MalformedError: The target is no URL with a path.
    """
    key.verify(signed.signature, _signing_string(signed, method, target_uri, headers))


def _signing_string(
    signed: EzcapSignature, method: str, target_uri: str, headers: Mapping[str, str]
) -> bytes:
    url = _URL.match(target_uri)
    if url is None:
        raise MalformedError("the target is no URL with a path")
    lines = [
        f"(key-id): {signed.keyid}",
        f"(created): {signed.created}",
        f"(expires): {signed.expires}",
        f"(request-target): {method.lower()} {url['target']}",
        f"host: {url['authority']}",
    ]
    for name in ("capability-invocation", "content-type", "digest")[: 3 if signed.has_body else 1]:
        if name not in headers:
            raise SignatureError(f"the message lacks {name}, which the signature covers")
        lines.append(f"{name}: {headers[name]}")
    return "\n".join(lines).encode("utf-8")


def sign_ezcap(
    key: SigningKey,
    capability: Capability | str,
    *,
    method: str,
    target_uri: str,
    action: str,
    created_s: int,
    body: bytes | None = None,
    content_type: str = "application/json",
    lifetime_s: int = limits.MAX_SIGNATURE_LIFETIME_S,
) -> dict[str, str]:
    """Return the headers of a request as such a client sends them.

    Args:
        key: Controls the capability.
        capability: Or its header form, or the id of a root capability.
        method: Upper case.
        target_uri: The whole URL, exactly as it will be sent.
        action: ``read``, ``answer`` or ``write``.
        created_s: Unix seconds, now.
        body: None where there is none.
        content_type: Of the body.
        lifetime_s: Such clients sign for 600.

    Raises:
        ValueError: The method is not upper case.

    Spec: specs/invocation.md#ezcap
    """
    if not _METHOD.match(method):
        raise ValueError("a method is upper case")
    invoked = capability if isinstance(capability, str) else to_wire(capability)
    named = "id" if invoked.startswith("urn:") else "capability"
    headers = {"capability-invocation": f'zcap {named}="{invoked}",action="{action}"'}
    if body is not None:
        multihash = _MULTIHASH_SHA256 + hashlib.sha256(body).digest()
        headers |= {"content-type": content_type, "digest": f"mh=u{base64url_encode(multihash)}"}
    unsigned = EzcapSignature(
        keyid=key.method,
        created=created_s,
        expires=created_s + lifetime_s,
        has_body=body is not None,
        signature=b"",
    )
    signature = base64.b64encode(key.sign(_signing_string(unsigned, method, target_uri, headers))).decode()
    covered = _COVERED if body is None else _COVERED + _BODY
    headers["authorization"] = (
        f'Signature keyId="{key.method}",headers="{covered}",signature="{signature}"'
        f',created="{created_s}",expires="{created_s + lifetime_s}"'
    )
    return headers
