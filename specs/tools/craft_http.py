"""Whole HTTP messages and their signatures, in both profiles, made from the pages on signatures and invocation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from craft import Document, Key, b64, b64u, sha256
from scene import ORIGIN

Pairs = Sequence[tuple[str, str]]
AT: Final = 1_795_435_920
"""2026-11-23T12:12:00Z, when the messages of the examples were signed."""
NONCE: Final = "tU9vW1xY3zA5bC7d"


def digest_of(body: bytes) -> str:
    """Return a Content-Digest."""
    return f"sha-256=:{b64(sha256(body))}:"


def message(first: str, headers: Iterable[tuple[str, str]], body: str | None = None) -> str:
    """Return a whole message; one with a body says its length."""
    lines = [first, *(f"{name}: {value}" for name, value in headers)]
    if body is not None:
        lines.append(f"Content-Length: {len(body.encode())}")
    return "\r\n".join([*lines, "", body or ""])


def parameters(values: Document) -> str:
    """Return the parameters of a signature: texts in quotes, numbers bare; None is left out."""
    parts = ((name, f'"{value}"' if isinstance(value, str) else value) for name, value in values.items())
    return "".join(f";{name}={value}" for name, value in parts if value is not None)


def base(values: Pairs, params: str) -> str:
    """Return a signature base; ``values`` are the components, as they stand in Signature-Input, and their values."""
    return "\n".join([*(f"{name}: {value}" for name, value in values), f'"@signature-params": {params}'])


def signature_headers(key: Key, values: Pairs, params: str, *, label: str = "sig") -> Pairs:
    """Return the two headers of a signature."""
    made = key.sign(base(values, params).encode())
    return [("Signature-Input", f"{label}={params}"), ("Signature", f"{label}=:{b64(made)}:")]


def signed(
    key: Key,
    target: str,
    *,
    tag: str,
    method: str = "GET",
    origin: str = ORIGIN,
    invocation: str | None = None,
    body: str | None = None,
    covered: Sequence[str] | None = None,
    params: Document | None = None,
    params_text: str | None = None,
    headers: Pairs = (),
    sent: Document | None = None,
    label: str = "sig",
) -> str:
    """Return a whole request that is signed by RFC 9421.

    Args:
        key: Signs.
        target: Path and query, as they are sent.
        tag: Of the signature.
        method: As sent and signed.
        origin: Of the target that is signed.
        invocation: Value of Capability-Invocation.
        body: None where there is none.
        covered: Instead of the components that have to be.
        params: Parameters that are other than they have to be; None leaves one out.
        params_text: Instead of the whole text after the label.
        headers: Further ones.
        sent: What is sent in the place of what was signed: ``method``, ``target``, ``body``, or a header by its name.
        label: Of the signature.
    """
    told: Document = {"@method": method, "@target-uri": origin + target}
    if invocation is not None:
        told["capability-invocation"] = invocation
    if body is not None:
        told |= {"content-type": "application/json", "content-digest": digest_of(body.encode())}
    known: Document = {"@authority": origin.partition("://")[2], "@path": target.partition("?")[0]}
    known |= {name.lower(): value for name, value in headers} | told
    names = list(told) if covered is None else covered
    values = {
        "created": AT, "expires": AT + 120, "keyid": key.method, "alg": "ed25519", "nonce": NONCE, "tag": tag,
    } | (params or {})  # fmt: skip
    listed = " ".join(f'"{name}"' for name in names)
    text = params_text if params_text is not None else f"({listed}){parameters(values)}"
    made = signature_headers(
        key, [(f'"{name}"', known[name]) for name in names if name in known], text, label=label
    )
    other = sent or {}
    pairs = [("Host", origin.partition("://")[2])]
    pairs += [(_title(name), value) for name, value in told.items() if not name.startswith("@")]
    pairs = [(name, other.get(name.lower(), value)) for name, value in [*pairs, *headers, *made]]
    pairs = [(name, value) for name, value in pairs if value is not None]
    first = f"{other.get('method', method)} {other.get('target', target)} HTTP/1.1"
    return message(first, pairs, other.get("body", body))


def _title(name: str) -> str:
    return "-".join(part.title() for part in name.split("-"))


_COVERED: Final = "(key-id) (created) (expires) (request-target) host capability-invocation"


def multihash(body: bytes) -> str:
    """Return a Digest as ZCAP clients write it."""
    return "mh=u" + b64u(b"\x12\x20" + sha256(body))


def ezcap(
    key: Key,
    target: str,
    invocation: str,
    *,
    method: str = "GET",
    origin: str = ORIGIN,
    body: str | None = None,
    digest: str | None = None,
    values: Document | None = None,
    covered: str | None = None,
    headers: Pairs = (),
    sent: Document | None = None,
    spelling: str | None = None,
) -> str:
    """Return a whole request as deployed ZCAP clients sign it; the arguments are those of ``signed``.

    ``values`` are other values of keyId, created and expires; ``spelling`` is the header with names in braces.
    """
    told: dict[str, Any] = {"keyid": key.method, "created": AT, "expires": AT + 600} | (values or {})
    names = covered or _COVERED + (" content-type digest" if body is not None else "")
    value_of: Document = {
        "(key-id)": told["keyid"], "(created)": told["created"], "(expires)": told["expires"],
        "(request-target)": f"{method.lower()} {target}", "host": origin.partition("://")[2],
        "capability-invocation": invocation,
    }  # fmt: skip
    pairs = [("Host", value_of["host"]), ("Capability-Invocation", invocation)]
    if body is not None:
        value_of |= {"content-type": "application/json", "digest": digest or multihash(body.encode())}
        pairs += [("Content-Type", value_of["content-type"]), ("Digest", value_of["digest"])]
    text = "\n".join(f"{name}: {value_of[name]}" for name in names.split(" ") if name in value_of)
    form = spelling or (
        'Signature keyId="{keyid}",headers="{names}",signature="{signature}",created="{created}",expires="{expires}"'
    )
    made = form.format(names=names, signature=b64(key.sign(text.encode())), **told)
    other = sent or {}
    pairs = [
        (name, other.get(name.lower(), value)) for name, value in [*pairs, *headers, ("Authorization", made)]
    ]
    pairs = [(name, value) for name, value in pairs if value is not None]
    first = f"{other.get('method', method)} {other.get('target', target)} HTTP/1.1"
    return message(first, pairs, other.get("body", body))
