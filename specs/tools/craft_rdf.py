"""Canonical RDF by other hands than our library's: PyLD reads the document, Oxigraph names the blank nodes."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

import pyoxigraph as ox
from pyld import ContextResolver, FrozenDocumentLoader, jsonld

_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_FOLDER: Final = Path(__file__).resolve().parents[2] / "protocol/freehold_protocol/contexts"
_OURS: Final = {
    "https://w3id.org/freehold/v1": "freehold-v1.jsonld",
    "https://w3id.org/zcap/v1": "zcap-v1.jsonld",
    "https://w3id.org/security/data-integrity/v2": "data-integrity-v2.jsonld",
    "https://w3id.org/security/multikey/v1": "multikey-v1.jsonld",
    "https://w3id.org/security/suites/ed25519-2020/v1": "ed25519-2020-v1.jsonld",
}


@cache
def _text(name: str) -> str:
    return (_FOLDER / name).read_text("utf-8")


def load(url: str, _options: object = None) -> dict[str, Any]:
    """Return a context as PyLD wants it; nothing is fetched."""
    if url not in _OURS:
        return dict(FrozenDocumentLoader()(url, {}))
    document = json.loads(_text(_OURS[url]))
    return {
        "contentType": "application/ld+json", "contextUrl": None, "documentUrl": url, "document": document,
    }  # fmt: skip


def canonical_rdf(document: dict[str, Any], contexts: dict[str, Any] | None = None) -> bytes:
    """Return the canonical N-Quads of a document; ``contexts`` are added ones, by their URL."""
    added = contexts or {}

    def loader(url: str, options: object = None) -> dict[str, Any]:
        if url not in added:
            return load(url, options)
        return {
            "contentType": "application/ld+json", "contextUrl": None, "documentUrl": url,
            "document": added[url],
        }  # fmt: skip

    found = jsonld.to_rdf(
        document, {"documentLoader": loader, "contextResolver": ContextResolver({}, loader)}
    )
    dataset = ox.Dataset(_quad(name, one) for name, graph in found.items() for one in graph)
    dataset.canonicalize(ox.CanonicalizationAlgorithm.RDFC_1_0)
    return b"".join(sorted({ox.serialize([quad], format=ox.RdfFormat.N_QUADS) or b"" for quad in dataset}))


def _quad(graph: str, one: dict[str, Any]) -> ox.Quad:
    subject, predicate = _node(one["subject"]["value"]), ox.NamedNode(one["predicate"]["value"])
    where = ox.DefaultGraph() if graph == "@default" else _node(graph)
    return ox.Quad(subject, predicate, _object(one["object"]), where)


def _node(text: str) -> ox.NamedNode | ox.BlankNode:
    return ox.BlankNode(text[2:]) if text.startswith("_:") else ox.NamedNode(text)


def _object(value: dict[str, Any]) -> ox.NamedNode | ox.BlankNode | ox.Literal:
    if value["type"] != "literal":
        return _node(value["value"])
    if value["datatype"] == _RDF + "langString":
        return ox.Literal(value["value"], language=value["language"])
    return ox.Literal(value["value"], datatype=ox.NamedNode(value["datatype"]))
