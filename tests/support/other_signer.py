"""Messages signed by ``http-message-signatures``, another implementation of RFC 9421, and what it thinks of ours.

Its messages have the shape of those of ``requests``: a method, a whole URL, headers.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ed25519
from freehold_protocol.capability import to_wire
from freehold_protocol.errors import FreeholdError
from freehold_protocol.http_signature import combine_headers
from freehold_protocol.invocation import (
    HEADER,
    TAG_CAPABILITY,
    TAG_DID,
    TAG_OWNER,
    parse_invocation,
    parse_signed,
    sign_invocation,
    sign_message,
)
from freehold_protocol.keys import PublicKey, SigningKey
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    InvalidSignature,
    MappingKeyResolver,
)
from http_message_signatures.algorithms import ED25519
from multidict import CIMultiDict
from signed_documents import PARTNER, TARGET, VENDOR, make_capability

URI: Final = f"{TARGET}/delivery/records?limit=50"
WIRE: Final = to_wire(make_capability())
INVOKES: Final = f'zcap capability="{WIRE}",action="read"'
BODY: Final = b'{"a": 1}'
NONCE: Final = "abcdefghijklmnop"
TAGS: Final = (TAG_CAPABILITY, TAG_DID, TAG_OWNER)


@dataclass(slots=True)
class Message:
    """A message as ``requests`` prepares it; ``body`` is None where there is none."""

    method: str
    url: str
    headers: CIMultiDict[str]
    body: bytes | None


def covered(tag: str) -> tuple[str, ...]:
    return ("@method", "@target-uri", HEADER) if tag == TAG_CAPABILITY else ("@method", "@target-uri")


def keys_of(*keys: SigningKey) -> MappingKeyResolver:
    return MappingKeyResolver(
        public_keys={key.method: ed25519.Ed25519PublicKey.from_public_bytes(key.public.raw) for key in keys},
        private_keys={key.method: ed25519.Ed25519PrivateKey.from_private_bytes(key.seed) for key in keys},
    )


# Signing


def by_us(tag: str, body: bytes | None = None) -> Message:
    """Return a message as our clients sign it."""
    method = "GET" if body is None else "POST"
    given_: dict[str, Any] = {
        "method": method, "target_uri": URI, "created_s": int(time.time()), "nonce": NONCE, "body": body,
    }  # fmt: skip
    if tag == TAG_CAPABILITY:
        headers = sign_invocation(VENDOR, WIRE, action="read", **given_)
    else:
        headers = sign_message(VENDOR, tag=tag, **given_)
    return Message(method, URI, CIMultiDict(headers or {}), body)


def by_them(
    tag: str,
    body: bytes | None = None,
    *,
    key: SigningKey = VENDOR,
    method: str | None = None,
    url: str = URI,
    headers: Mapping[str, str] | None = None,
    lifetime_s: int | None = 120,
    created_s: int | None = None,
    leave_out: tuple[str, ...] = (),
    more: tuple[str, ...] = (),
    **parameters: Any,
) -> Message:
    """Return a message that the other implementation signed; a parameter of None is left out."""
    message = Message(method or ("GET" if body is None else "POST"), url, CIMultiDict(headers or {}), body)
    components = covered(tag)
    if tag == TAG_CAPABILITY:
        message.headers.setdefault(HEADER, INVOKES)
    if body is not None:
        message.headers.setdefault("content-type", "application/json")
        components = (*components, "content-type")
    created = dt.datetime.fromtimestamp(created_s or int(time.time()), tz=dt.UTC)
    HTTPMessageSigner(signature_algorithm=ED25519, key_resolver=keys_of(key)).sign(
        message,
        key_id=key.method,
        created=created,
        expires=None if lifetime_s is None else created + dt.timedelta(seconds=lifetime_s),
        covered_component_ids=tuple(name for name in (*components, *more) if name not in leave_out),
        body=None if "content-digest" in leave_out else body,
        use_existing_digest="content-digest" in message.headers,
        **({"nonce": NONCE, "tag": tag} | parameters),
    )
    return message


# Verifying


def we_refuse(message: Message, tag: str) -> type[FreeholdError] | None:
    """Return why our verifier refuses a message; None where it does not."""
    try:
        headers = combine_headers(message.headers.items())
        now_s = int(time.time())
        signed = (
            parse_invocation(message.method, headers, body=message.body, now_s=now_s)
            if tag == TAG_CAPABILITY
            else parse_signed(message.method, headers, body=message.body, tag=tag, now_s=now_s)
        )
        signed.verify(signed.key, target_uri=message.url)
    except FreeholdError as error:
        return type(error)
    return None


def they_refuse(message: Message, tag: str) -> bool:
    """Whether the other verifier refuses a message, told to demand what a node demands to be covered."""
    verifier = HTTPMessageVerifier(signature_algorithm=ED25519, key_resolver=keys_of(VENDOR, PARTNER))
    needed = covered(tag) if message.body is None else (*covered(tag), "content-type", "content-digest")
    try:
        found, *_ = verifier.verify(message, expect_tag=tag, require_components=needed, body=message.body)
    except (InvalidSignature, ValueError):
        return True
    return PublicKey.from_method(str(found.parameters["keyid"])) != VENDOR.public
