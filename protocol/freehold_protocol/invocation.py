"""One signed HTTP request: under a capability, by a DID, or by the owner.

All three are HTTP Message Signatures (RFC 9421) that cover the method, the whole target and the body; they
differ in their tag and in what else they cover. A capability may also be invoked in the form of ``ezcap``; what
comes of it is the same ``Invocation``, and what is decided on it asks the same questions.

Spec: specs/invocation.md
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from . import limits
from .capability import Capability, to_wire
from .errors import MalformedError, SignatureError, StaleSignatureError, TooLargeError, UnsupportedError
from .ezcap import EzcapSignature, is_ezcap, parse_authorization, verify_ezcap
from .http_signature import (
    Message,
    SignatureInput,
    check_content_digest,
    content_digest,
    parse_signature,
    sign,
    verify,
)
from .keys import PublicKey, SigningKey

TAG_CAPABILITY: Final = "zcap"
TAG_DID: Final = "freehold-did"
TAG_OWNER: Final = "freehold-owner"
HEADER: Final = "capability-invocation"
_COVERED: Final = ("@method", "@target-uri")
_INVOKED: Final = (*_COVERED, HEADER)
_BODY: Final = ("content-type", "content-digest")
_INVOCATION = re.compile(
    r'zcap (?:capability="([A-Za-z0-9_-]+)"|id="(urn:zcap:root:[A-Za-z0-9_.!~*\'()%-]+)"),action="([a-z]+)"\Z',
    re.ASCII,
)
_AROUND_WIRE: Final = 100  # characters of the header beside the capability: its names, quotes and action
_NONCE = re.compile(rf"[A-Za-z0-9_-]{{{limits.MIN_NONCE_CHARS},{limits.MAX_NONCE_CHARS}}}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedMessage:
    """A message whose signature has the right form and time, and is yet to be verified.

    ``expires_s`` is when the signature ends; its nonce may be forgotten ``limits.CLOCK_SKEW_S`` later.
    """

    method: str
    headers: Mapping[str, str]
    signature: SignatureInput
    keyid: str
    nonce: str
    expires_s: int

    @property
    def key(self) -> PublicKey:
        """The key the message says it is signed by. Raises as PublicKey.from_method."""
        return PublicKey.from_method(self.keyid)

    def verify(self, key: PublicKey, *, target_uri: str) -> None:
        """Check the signature over this target.

        Args:
            key: Must have signed.
            target_uri: One of the node's own origins and the raw request target: never made of what a
                caller says in ``Host`` or a forwarded header.

        Raises:
            SignatureError: The key did not sign this message at this target.
        """
        message = Message(method=self.method, target_uri=target_uri, headers=self.headers)
        verify(message, self.signature, key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """A signed message under a capability, in either profile, yet to be verified.

    Attributes:
        method: As sent.
        headers: Lower-case names and combined values.
        signature: As it was read; of a type for each profile.
        keyid: Verification method of the key that signed, by the message's own word.
        nonce: None in the profile that has none: there, ``signature_digest`` alone names the message.
        expires_s: When the signature ends; it need not be remembered ``limits.CLOCK_SKEW_S`` later.
        action: What is to be done.
        wire: The capability as it stands in the header; empty where a root is invoked.
        wire_digest: SHA-256 of ``wire``.
        root: The id of the root capability that is invoked by its id, else None.
    """

    method: str
    headers: Mapping[str, str]
    signature: SignatureInput | EzcapSignature
    keyid: str
    nonce: str | None
    expires_s: int
    action: str
    wire: str
    wire_digest: bytes
    root: str | None

    @property
    def profile(self) -> Literal["rfc9421", "ezcap"]:
        """In which of the two ways the message is signed."""
        return "ezcap" if isinstance(self.signature, EzcapSignature) else "rfc9421"

    @property
    def key(self) -> PublicKey:
        """The key the message says it is signed by. Raises as PublicKey.from_method."""
        return PublicKey.from_method(self.keyid)

    @property
    def signature_digest(self) -> bytes:
        """SHA-256 of the signature's bytes: names this very message in a ledger."""
        return hashlib.sha256(self.signature.signature).digest()

    def verify(self, key: PublicKey, *, target_uri: str) -> None:
        """Check the signature over this target; as SignedMessage.verify, in either profile.

        Raises:
            SignatureError: The key did not sign this message at this target.
            MalformedError: The target is no URL with a path.
        """
        if isinstance(self.signature, EzcapSignature):
            verify_ezcap(self.signature, key, method=self.method, target_uri=target_uri, headers=self.headers)
        else:
            message = Message(method=self.method, target_uri=target_uri, headers=self.headers)
            verify(message, self.signature, key)


def parse_invocation(
    method: str, headers: Mapping[str, str], *, body: bytes | None, now_s: int
) -> Invocation:
    """Return the invocation in a message of either profile, its form and times checked.

    No signature is verified yet. A root capability that is invoked by its id is returned as it stands: whether
    there is one, and who controls it, only the node knows.

    Args:
        method: As sent.
        headers: Lower-case names and combined values.
        body: None where there is none.
        now_s: The node's clock, Unix seconds.

    Raises:
        MalformedError: And its subclasses: not of the form, or signed in both profiles.
        SignatureError: Something that must be covered is not, or the digest is not the body's.
        StaleSignatureError: Expired, from the future, or valid for too long.
        UnsupportedError: Another algorithm.

    Spec: specs/invocation.md#capability
    """
    header = headers.get(HEADER)
    if header is None:
        raise MalformedError("no capability is invoked")
    if len(header) > limits.MAX_CAPABILITY_WIRE_BYTES + _AROUND_WIRE:
        raise TooLargeError("the capability is too large for a header")
    match = _INVOCATION.match(header)
    if match is None:
        raise MalformedError('capability-invocation has the form zcap capability="...",action="..."')
    wire, root, action = match.groups("")
    signature: SignatureInput | EzcapSignature
    nonce: str | None = None
    if "signature-input" in headers or not is_ezcap(headers):
        signature = _parse(headers, body, tag=TAG_CAPABILITY, covered=_INVOKED, now_s=now_s)
        nonce = signature.nonce
    else:
        signature = parse_authorization(method, headers, body=body)
        _check_times(signature, now_s)
    return Invocation(
        method=method,
        headers=headers,
        signature=signature,
        keyid=signature.keyid or "",
        nonce=nonce,
        expires_s=signature.expires or 0,
        action=action,
        wire=wire,
        wire_digest=hashlib.sha256(wire.encode()).digest(),
        root=root or None,
    )


def parse_signed(
    method: str, headers: Mapping[str, str], *, body: bytes | None, tag: str, now_s: int
) -> SignedMessage:
    """Return a message signed by a DID (``TAG_DID``) or the owner (``TAG_OWNER``), as parse_invocation does.

    Spec: specs/invocation.md#did
    """
    signature = _parse(headers, body, tag=tag, covered=_COVERED, now_s=now_s)
    return SignedMessage(
        method=method,
        headers=headers,
        signature=signature,
        keyid=signature.keyid or "",
        nonce=signature.nonce or "",
        expires_s=signature.expires or 0,
    )


def _parse(
    headers: Mapping[str, str], body: bytes | None, *, tag: str, covered: tuple[str, ...], now_s: int
) -> SignatureInput:
    if is_ezcap(headers):
        raise MalformedError("a message is signed in one way, not in two")
    signature = parse_signature(headers, tag=tag)
    expected = covered if body is None else (*covered, *_BODY)
    # In this order nearly always, and a component comes once in any.
    if signature.components != expected and sorted(signature.components) != sorted(expected):
        raise SignatureError("the signature covers " + ", ".join(expected) + ", no more and no less")
    if signature.alg not in (None, "ed25519"):
        raise UnsupportedError("only ed25519 signatures are supported")
    if signature.alg is None or signature.keyid is None:
        raise SignatureError("the signature names its key and its algorithm")
    if signature.nonce is None or not _NONCE.match(signature.nonce):
        raise MalformedError(f"the nonce has {limits.MIN_NONCE_CHARS} to {limits.MAX_NONCE_CHARS} characters")
    _check_times(signature, now_s)
    if body is not None:
        if "content-digest" not in headers:
            raise SignatureError("the body's digest is missing")
        check_content_digest(headers["content-digest"], body)
    return signature


def _check_times(signature: SignatureInput | EzcapSignature, now_s: int) -> None:
    created, expires = signature.created, signature.expires
    if created is None or expires is None:
        raise StaleSignatureError("the signature says when it was created and when it expires")
    if not 0 < expires - created <= limits.MAX_SIGNATURE_LIFETIME_S:
        raise StaleSignatureError(f"a signature is valid for at most {limits.MAX_SIGNATURE_LIFETIME_S} s")
    if created > now_s + limits.CLOCK_SKEW_S or now_s >= expires + limits.CLOCK_SKEW_S:
        raise StaleSignatureError("the signature is past or from the future")


def sign_invocation(
    key: SigningKey,
    capability: Capability | str,
    *,
    method: str,
    target_uri: str,
    action: str,
    created_s: int,
    nonce: str,
    body: bytes | None = None,
    content_type: str = "application/json",
    lifetime_s: int = 120,
) -> dict[str, str]:
    """Return the headers of a request under a capability.

    Args:
        key: Controls the capability.
        capability: Or its header form, so that a caller who reads often compresses once.
        method: Upper case.
        target_uri: The whole URL, exactly as it will be sent.
        action: ``read``, ``answer`` or ``write``.
        created_s: Unix seconds, now.
        nonce: 16 to 64 characters of base64url, random, never used before with this key.
        body: None where there is none.
        content_type: Of the body.
        lifetime_s: 1 to 600.

    Spec: specs/invocation.md#capability
    """
    wire = capability if isinstance(capability, str) else to_wire(capability)
    extra = {HEADER: f'zcap capability="{wire}",action="{action}"'}
    return _sign(
        key, extra, tag=TAG_CAPABILITY, method=method, target_uri=target_uri, created_s=created_s,
        nonce=nonce, body=body, content_type=content_type, lifetime_s=lifetime_s,
    )  # fmt: skip


def sign_message(
    key: SigningKey,
    *,
    tag: str,
    method: str,
    target_uri: str,
    created_s: int,
    nonce: str,
    body: bytes | None = None,
    content_type: str = "application/json",
    lifetime_s: int = 120,
    keyid: str | None = None,
) -> dict[str, str]:
    """Return the headers of a request signed by a DID or by the owner; as sign_invocation.

    ``keyid`` is the verification method by which a DID document lists the key; None: the key's did:key.

    Spec: specs/invocation.md#did
    """
    return _sign(
        key, {}, tag=tag, method=method, target_uri=target_uri, created_s=created_s,
        nonce=nonce, body=body, content_type=content_type, lifetime_s=lifetime_s, keyid=keyid,
    )  # fmt: skip


def _sign(
    key: SigningKey,
    extra: Mapping[str, str],
    *,
    tag: str,
    method: str,
    target_uri: str,
    created_s: int,
    nonce: str,
    body: bytes | None,
    content_type: str,
    lifetime_s: int,
    keyid: str | None = None,
) -> dict[str, str]:
    headers = dict(extra)
    components = (*_COVERED, *extra)
    if body is not None:
        headers |= {"content-type": content_type, "content-digest": content_digest(body)}
        components = (*components, *_BODY)
    message = Message(method=method, target_uri=target_uri, headers=headers)
    signed = sign(
        message, components=components, key=key, created_s=created_s, expires_s=created_s + lifetime_s,
        nonce=nonce, tag=tag, keyid=keyid,
    )  # fmt: skip
    return headers | signed
