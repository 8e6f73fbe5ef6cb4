"""Signed requests: HTTP Message Signatures as this protocol uses them, and the older form of ZCAP clients.

Spec: specs/invocation.md
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from .capability import to_header
from .encoding import Document, sha256
from .keys import Key

Headers = dict[str, str]

ZCAP = "zcap"
DID = "freehold-did"
OWNER = "freehold-owner"


def nonce() -> str:
    """Return a fresh nonce of 24 characters."""
    return secrets.token_urlsafe(18)


def content_digest(body: bytes) -> str:
    """Return the value of ``Content-Digest`` for a body as sent."""
    return f"sha-256=:{base64.b64encode(sha256(body)).decode()}:"


def invoking(capability: Document | str, action: str) -> str:
    """Return the value of ``Capability-Invocation``: of a capability, or of a root by its id."""
    held = f'id="{capability}"' if isinstance(capability, str) else f'capability="{to_header(capability)}"'
    return f'zcap {held},action="{action}"'


def sign(
    key: Key,
    tag: str,
    method: str,
    uri: str,
    *,
    created_s: float,
    expires_s: float | None = None,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    nonce_: str | None = None,
    keyid: str | None = None,
    alg: str = "ed25519",
    covered: Sequence[str] | None = None,
    content_type: str = "application/json",
) -> Headers:
    """Return the headers of a request signed by RFC 9421: those given, those of the body, and the signature's.

    ``covered`` takes the place of the components that the request has to cover; ``uri`` is what is signed.
    ``expires_s`` is 120 s after ``created_s`` if not given.

    Spec: specs/http-signatures.md#signing
    """
    sent = {name.lower(): value for name, value in (headers or {}).items()}
    if body is not None:
        sent |= {"content-type": content_type, "content-digest": content_digest(body)}
    names = list(covered) if covered is not None else _components(sent)
    created = int(created_s)
    parameters = (
        f"({' '.join(chr(34) + name + chr(34) for name in names)});created={created}"
        f";expires={int(expires_s if expires_s is not None else created + 120)}"
        f';keyid="{keyid or key.method}";alg="{alg}";nonce="{nonce_ or nonce()}";tag="{tag}"'
    )
    values = {"@method": method, "@target-uri": uri, **sent}
    base = [f'"{name}": {values.get(name, "")}' for name in names]
    base.append(f'"@signature-params": {parameters}')
    signature = base64.b64encode(key.sign("\n".join(base).encode())).decode()
    return {**sent, "signature-input": f"sig={parameters}", "signature": f"sig=:{signature}:"}


def _components(sent: Mapping[str, str]) -> list[str]:
    wanted = ("capability-invocation", "content-type", "content-digest")
    return ["@method", "@target-uri", *(name for name in wanted if name in sent)]


def invoke(
    key: Key,
    capability: Document | str,
    method: str,
    uri: str,
    *,
    created_s: float,
    action: str = "read",
    body: bytes | None = None,
    invocation: str | None = None,
    **more: object,
) -> Headers:
    """Return the headers of a request under a capability; ``more`` as for sign.

    ``invocation`` is the value of the header, if it is not the honest one.
    """
    headers = {"capability-invocation": invocation or invoking(capability, action)}
    return sign(key, ZCAP, method, uri, created_s=created_s, body=body, headers=headers, **more)  # type: ignore[arg-type]


def invoke_ezcap(
    key: Key,
    capability: Document | str,
    method: str,
    uri: str,
    *,
    created_s: float,
    expires_s: float | None = None,
    action: str = "read",
    body: bytes | None = None,
    host: str | None = None,
    names: Sequence[str] | None = None,
) -> Headers:
    """Return the headers of the same in the form of ZCAP clients; 600 s if no end is given.

    Spec: specs/invocation.md#ezcap
    """
    created = int(created_s)
    expires = int(expires_s if expires_s is not None else created + 600)
    parts = urlsplit(uri)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    values: Headers = {
        "(key-id)": key.method,
        "(created)": str(created),
        "(expires)": str(expires),
        "(request-target)": f"{method.lower()} {target}",
        "host": host if host is not None else parts.netloc,
        "capability-invocation": invoking(capability, action),
    }
    sent = {"capability-invocation": values["capability-invocation"]}
    if body is not None:
        # A multihash: SHA-256, 32 bytes, and the digest.
        digest = base64.urlsafe_b64encode(b"\x12\x20" + sha256(body)).rstrip(b"=").decode()
        sent |= {"content-type": "application/json", "digest": f"mh=u{digest}"}
        values |= {"content-type": sent["content-type"], "digest": sent["digest"]}
    chosen = list(names) if names is not None else list(values)
    base = "\n".join(f"{name}: {values.get(name, '')}" for name in chosen)
    signature = base64.b64encode(key.sign(base.encode())).decode()
    sent["authorization"] = (
        f'Signature keyId="{key.method}",headers="{" ".join(chosen)}",signature="{signature}",'
        f'created="{created}",expires="{expires}"'
    )
    return sent
