"""HTTP Message Signatures (RFC 9421): what a request's signature covers, made and checked.

Times, nonces, tags and which components must be covered are the caller's rules; here a signature only is or
is not right for the message.

Spec: specs/http-signatures.md
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from .encoding import base64_decode
from .errors import DuplicateKeyError, MalformedError, TooLargeError, UnsupportedError
from .http_message import (
    COMPONENT_NAME,
    Components,
    Message,
    check_content_digest,
    checked,
    combine_headers,
    component_of,
    content_digest,
    identifier_of,
    text_of,
)
from .keys import PublicKey, SigningKey
from .structured_field import (
    MAX_FIELD_CHARS,
    BareItem,
    InnerList,
    Item,
    parse_dictionary,
    serialize_dictionary,
    serialize_member,
    serialize_parameters,
)

__all__ = [
    "Message",
    "SignatureInput",
    "check_content_digest",
    "combine_headers",
    "content_digest",
    "parse_signature",
    "sign",
    "signature_base",
    "verify",
]

MAX_COMPONENTS: Final = 32
"""An honest client covers fewer than ten."""
MAX_SEPARATORS: Final = 256
"""Spaces, semicolons and commas in one signature header: its cost is bounded by more than characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureInput:
    """One signature of a message and what it says about itself; nothing of it is verified yet.

    Args:
        label: Its key in both headers.
        components: Identifiers of what is covered, in order: ``@method``, ``content-type``, or with
            parameters ``@query-param;name="Pet"``.
        created: Unix seconds.
        expires: Unix seconds.
        params_text: What follows ``label=``, exactly as it came: the value of ``@signature-params``.
    """

    label: str
    components: tuple[str, ...]
    created: int | None
    expires: int | None
    keyid: str | None
    alg: str | None
    nonce: str | None
    tag: str | None
    params_text: str
    signature: bytes


# The spelling our own clients write, read at an eighth of the general parser's cost; the rest goes there.
_OWN_INPUT = re.compile(
    r"(?P<label>[a-z*][a-z0-9_.*-]*)=(?P<params>"
    rf'\("(?P<components>{COMPONENT_NAME}(?:" "{COMPONENT_NAME})*)"\)'
    r";created=(?P<created>0|[1-9][0-9]{0,14});expires=(?P<expires>0|[1-9][0-9]{0,14})"
    r';keyid="(?P<keyid>[ !#-\[\]-~]*)";alg="(?P<alg>ed25519)"'
    r';nonce="(?P<nonce>[ !#-\[\]-~]*)";tag="(?P<tag>[ !#-\[\]-~]*)")'
)
_OWN_SIGNATURE = re.compile(r"(?P<label>[a-z*][a-z0-9_.*-]*)=:(?P<signature>[A-Za-z0-9+/]{86}==):")


def parse_signature(headers: Mapping[str, str], *, tag: str | None = None) -> SignatureInput:
    """Return the one signature of a message, or the one with this tag; it is not verified.

    Args:
        headers: As ``combine_headers`` returns them.
        tag: The signature must have it; signatures with other tags may stand beside.

    Raises:
        MalformedError: None, several, headers that do not belong together, or another spelling of
            Signature-Input than the canonical one.
        DuplicateKeyError: A label, a parameter or a component comes twice.
        TooLargeError: A header of more than 8 KB, more than MAX_COMPONENTS components or MAX_SEPARATORS.
        UnsupportedError: A parameter that RFC 9421 does not define.

    Spec: specs/http-signatures.md#parsing
    """
    try:
        written, signed = headers["signature-input"], headers["signature"]
    except KeyError:
        raise MalformedError("a signed message has one Signature-Input and one Signature") from None
    if len(written) > MAX_FIELD_CHARS or len(signed) > MAX_FIELD_CHARS:
        raise TooLargeError(f"a signature header has more than {MAX_FIELD_CHARS} characters")
    parsed = _parse_own(written, signed) or _parse_any(written, signed, tag)
    if tag is not None and parsed.tag != tag:
        raise MalformedError("no signature has the tag asked for")
    return parsed


def _parse_own(written: str, signed: str) -> SignatureInput | None:
    """Return the signature if both headers are as ``sign`` writes them, else None: ask _parse_any."""
    match, signature = _OWN_INPUT.fullmatch(written), _OWN_SIGNATURE.fullmatch(signed)
    if match is None or signature is None:
        return None
    label, params_text, components, created, expires, keyid, alg, nonce, tag = match.groups()
    if signature[1] != label:
        return None
    made = base64_decode(signature[2])  # first, as the other parser does: of two faults both name the same
    return SignatureInput(
        label=label,
        components=_bounded(tuple(components.split('" "'))),
        created=int(created),
        expires=int(expires),
        keyid=keyid,
        alg=alg,
        nonce=nonce,
        tag=tag,
        params_text=params_text,
        signature=made,
    )


def _parse_any(written: str, signed: str, tag: str | None) -> SignatureInput:
    if any(sum(map(text.count, " ;,")) > MAX_SEPARATORS for text in (written, signed)):
        raise TooLargeError(f"a signature header has more than {MAX_SEPARATORS} separators")
    inputs, signatures = parse_dictionary(written), parse_dictionary(signed)
    if inputs.keys() != signatures.keys():
        raise MalformedError("Signature-Input and Signature name different labels")
    chosen = [label for label, member in inputs.items() if tag in (None, member.parameters.get("tag"))]
    if len(chosen) != 1:
        raise MalformedError("not exactly one signature to verify")
    label = chosen[0]
    covered, signature = inputs[label], signatures[label]
    if not isinstance(covered, InnerList):
        raise MalformedError("Signature-Input holds lists of components")
    if not isinstance(signature, Item) or not isinstance(signature.value, bytes) or signature.parameters:
        raise MalformedError("Signature holds bytes without parameters")
    known = dict(covered.parameters)
    parsed = SignatureInput(
        label=label,
        components=_bounded(tuple(map(component_of, covered.items))),
        created=_time(known.pop("created", None)),
        expires=_time(known.pop("expires", None)),
        keyid=text_of(known.pop("keyid", None)),
        alg=text_of(known.pop("alg", None)),
        nonce=text_of(known.pop("nonce", None)),
        tag=text_of(known.pop("tag", None)),
        params_text=serialize_member(covered),
        signature=signature.value,
    )
    if known:
        raise UnsupportedError("a signature has a parameter that is not defined")
    if serialize_dictionary(inputs) != written:
        raise MalformedError("Signature-Input is not in its canonical spelling")
    return parsed


def _bounded(components: tuple[str, ...]) -> tuple[str, ...]:
    if len(components) > MAX_COMPONENTS:
        raise TooLargeError(f"a signature covers more than {MAX_COMPONENTS} components")
    if len(set(components)) != len(components):
        raise DuplicateKeyError("a signature covers the same component twice")
    return components


def _time(value: BareItem | None) -> int | None:
    if value is None or (type(value) is int and value >= 0):
        return value
    raise MalformedError("created and expires are whole seconds")


def signature_base(message: Message, components: Sequence[str], params_text: str) -> bytes:
    """Return the bytes under a signature.

    Args:
        message: What is signed.
        components: Identifiers, as in SignatureInput.
        params_text: Begins with these components; the value of ``@signature-params``.

    Raises:
        SignatureError: The message lacks a component.
        UnsupportedError: A component or a parameter of one that is not supported.
        MalformedError: A component's identifier or value does not have its form.
        TooLargeError: A value of more than MAX_VALUE_CHARS.
        DuplicateKeyError: A named query parameter or dictionary member comes twice.
        ValueError: The components are not those of params_text.

    Spec: specs/http-signatures.md#signature-base
    """
    identifiers = [identifier_of(component) for component in components]
    if not params_text.startswith(f"({' '.join(identifiers)})"):
        raise ValueError("the components are not those of the signature's parameters")
    values = Components(message)
    lines = [
        f"{identifier}: {checked(values.value(component))}"
        for identifier, component in zip(identifiers, components, strict=True)
    ]
    lines.append(f'"@signature-params": {checked(params_text)}')
    return "\n".join(lines).encode("ascii")


def verify(message: Message, parsed: SignatureInput, key: PublicKey) -> None:
    """Check that the key signed this message; that it may, and when, is the caller's question.

    Raises:
        SignatureError: The signature does not verify, or the message lacks a component.
        UnsupportedError: An algorithm other than ed25519, or a component that is not supported.
        MalformedError: As signature_base.

    Spec: specs/http-signatures.md#verification
    """
    if parsed.alg is not None and parsed.alg != "ed25519":
        raise UnsupportedError("only ed25519 signatures are supported")
    key.verify(parsed.signature, signature_base(message, parsed.components, parsed.params_text))


def sign(
    message: Message,
    *,
    components: Sequence[str],
    key: SigningKey,
    created_s: int,
    expires_s: int,
    nonce: str,
    tag: str,
    label: str = "sig",
    keyid: str | None = None,
) -> dict[str, str]:
    """Return the headers ``signature-input`` and ``signature``, to be added to the message.

    Args:
        message: Holds every component already.
        components: Identifiers, as in SignatureInput.
        key: Signs.
        created_s: Unix seconds.
        expires_s: Unix seconds.
        nonce: Printable ASCII.
        tag: Printable ASCII.
        label: A key of a structured field.
        keyid: The verification method by which the key is known; None: that of its did:key.

    Raises:
        SignatureError: The message lacks a component.
        FreeholdError: Others as signature_base.
        ValueError: A nonce, tag or label of another form, or a component that comes twice.

    Spec: specs/http-signatures.md#signing
    """
    if len(set(components)) != len(components) or len(components) > MAX_COMPONENTS:
        raise ValueError(f"a signature covers at most {MAX_COMPONENTS} components, each once")
    parameters: dict[str, BareItem] = {
        "created": created_s,
        "expires": expires_s,
        "keyid": key.method if keyid is None else keyid,
        "alg": "ed25519",
        "nonce": nonce,
        "tag": tag,
    }
    params_text = f"({' '.join(map(identifier_of, components))}){serialize_parameters(parameters)}"
    signature = key.sign(signature_base(message, components, params_text))
    signed = serialize_dictionary({label: Item(value=signature)})  # refuses a label that is no key
    return {"signature-input": f"{label}={params_text}", "signature": signed}
