"""Proofs over a graph: what a capability means, as PyLD reads it and writes it canonically.

PyLD writes URDNA2015, which is RDFC-1.0 for texts without control characters; no others are in what is made here.
pyoxigraph does not do: from the third link of a chain on it names blank nodes in proof graphs otherwise than RDFC-1.0.

Spec: specs/proofs.md#canonical-rdf
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Final

from pyld import ContextResolver, jsonld

from .encoding import Document, multibase, sha256
from .keys import Key

_ZCAP: Final = "https://w3id.org/zcap/v1"
_CONTEXTS: Final = {
    _ZCAP: "zcap-v1",
    "https://w3id.org/security/data-integrity/v2": "data-integrity-v2",
    "https://w3id.org/security/suites/ed25519-2020/v1": "ed25519-2020-v1",
}
_PLACES: Final = (Path(__file__).parent.parent / "contexts", Path(__file__).parents[3] / "specs" / "contexts")
"""In what is installed, and in a checkout."""


def contexts_of(suite: str) -> list[str]:
    """Return the ``@context`` of a capability that is signed in a suite."""
    names = list(_CONTEXTS)
    return [_ZCAP, names[2] if suite == "Ed25519Signature2020" else names[1]]


@cache
def _context(url: str) -> Document:
    name = f"{_CONTEXTS[url]}.jsonld"
    found = next(place / name for place in _PLACES if (place / name).is_file())
    made: Document = json.loads(found.read_text("utf-8"))
    return made


def _load(url: str, _: object = None) -> Document:
    """Return a published context as PyLD wants it. Raises KeyError for every other: nothing is fetched."""
    return {
        "contextUrl": None, "documentUrl": url, "contentType": "application/ld+json", "document": _context(url),
    }  # fmt: skip


def canonical(document: Document) -> bytes:
    """Return the canonical N-Quads of a document."""
    options = {
        "documentLoader": _load, "contextResolver": ContextResolver({}, _load),
        "algorithm": "URDNA2015", "format": "application/n-quads",
    }  # fmt: skip
    made: str = jsonld.normalize(document, options)
    return made.encode()


def signed_under(document: Document) -> bytes:
    """Return the 64 bytes under the signature of a capability: of the proof's options, then of the rest."""
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    options = {name: value for name, value in document["proof"].items() if name != "proofValue"}
    return signed_bytes(unsigned, options)


def signed_bytes(unsigned: Document, options: Document) -> bytes:
    """Return the 64 bytes that are signed."""
    return sha256(canonical({**options, "@context": unsigned["@context"]})) + sha256(canonical(unsigned))


def resign(document: Document, key: Key, suite: str) -> Document:
    """Return a capability with a proof of this suite in place of its own."""
    unsigned = {name: value for name, value in document.items() if name != "proof"} | {
        "@context": contexts_of(suite)
    }
    options = {
        name: value
        for name, value in document["proof"].items()
        if name not in ("@context", "cryptosuite", "proofValue", "type")
    }
    kind = (
        {"type": suite}
        if suite == "Ed25519Signature2020"
        else {"type": "DataIntegrityProof", "cryptosuite": suite}
    )
    options |= kind
    value = multibase(key.sign(signed_bytes(unsigned, options)))
    return {**unsigned, "proof": {**options, "proofValue": value}}
