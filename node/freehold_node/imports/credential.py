"""Verifiable credentials: what somebody else signed about the person, kept whole, with the issuer's proof."""

from __future__ import annotations

from typing import Final

from freehold_protocol import limits
from freehold_protocol.canonical import jcs
from freehold_protocol.encoding import Document, Json
from freehold_protocol.errors import MalformedError
from freehold_protocol.form import CONTEXT
from freehold_protocol.reason import Reason

from .preview import KEEPING_BYTES, Found, key_of
from .reasons import why

ATTESTATION: Final = "Attestation"
"""The type of the record that a credential becomes."""
_CREDENTIAL: Final = "VerifiableCredential"
_MAX_TEXT: Final = 200
_TIMES: Final = {
    "validFrom": "validFrom",
    "issuanceDate": "validFrom",
    "validUntil": "validThrough",
    "expirationDate": "validThrough",
}
"""Members of a credential, of versions 2 and 1, and the terms they become."""


def is_credential(item: Document) -> bool:
    """Whether an item of a file is a credential with a proof."""
    return "proof" in item and _CREDENTIAL in _texts(item.get("type", item.get("@type")))


def read(item: Document, where: Reason) -> Found:
    """Return a credential as found, before its proof was looked at.

    Raises:
        MalformedError: It is too large for a record, or says nothing that a person would know it by.
    """
    text = jcs(item).decode("utf-8")
    if len(text.encode()) > limits.MAX_DOCUMENT_BYTES // 2 - KEEPING_BYTES:
        raise MalformedError(why("long-credential"))
    document: Document = {"@context": CONTEXT, "type": ATTESTATION, "name": _name(item), "credential": text}
    for member, term in _TIMES.items():
        value = item.get(member)
        if isinstance(value, str) and len(value) <= _MAX_TEXT:
            document.setdefault(term, value)
    identity = item.get("id", item.get("@id"))
    return Found(
        document=document,
        key=key_of("id", identity) if isinstance(identity, str) else key_of("content", item),
        label=document["name"],
        where=where,
        credential=item,
    )


def issuer_of(credential: Document) -> str | None:
    """Return who a credential says issued it, if it says so in one of the two ways."""
    issuer = credential.get("issuer")
    named = issuer.get("id") if isinstance(issuer, dict) else issuer
    return named if isinstance(named, str) else None


def _name(item: Document) -> str:
    kinds = [kind for kind in _texts(item.get("type", item.get("@type"))) if kind != _CREDENTIAL]
    for text in (item.get("name"), *kinds):
        if isinstance(text, str) and text.strip() and text.isprintable():
            return " ".join(text.split())[:_MAX_TEXT]
    return "Credential"


def _texts(value: Json) -> list[str]:
    return [text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)]
