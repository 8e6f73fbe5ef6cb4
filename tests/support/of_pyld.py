"""What PyLD makes of a document, term by term: another opinion on ``rdf.quads_of``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pyoxigraph as ox
from freehold_protocol.blank_node import Quad, is_blank
from freehold_protocol.canonical import jcs
from freehold_protocol.contexts import BUNDLED, Contexts
from freehold_protocol.encoding import Document, Json
from freehold_protocol.errors import TooLargeError
from freehold_protocol.rdf import canonicalize, quads_of
from pyld import ContextResolver, jsonld

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"


def quads_of_pyld(document: Document, contexts: Contexts = BUNDLED) -> set[Quad]:
    """Return the statements that PyLD reads from a document."""
    options = {"documentLoader": contexts.load, "contextResolver": ContextResolver({}, contexts.load)}
    dataset = jsonld.to_rdf(with_whole_numbers(document), options)
    return set(_quads(dataset))


def assert_read_as_by_pyld(document: Document, contexts: Contexts = BUNDLED) -> None:
    """Compare the canonical forms; where those take too long, what is left without the blank nodes' names."""
    ours, theirs = quads_of(document, contexts), quads_of_pyld(document, contexts)
    try:
        assert canonicalize(ours) == canonicalize(theirs)
    except TooLargeError:
        assert sorted(map(_unnamed, ours)) == sorted(map(_unnamed, theirs))


def _unnamed(quad: Quad) -> list[str]:
    return ["_:" if is_blank(term) else term for term in quad]


def with_whole_numbers(value: Json) -> Json:
    """Return a copy in which numbers without a fraction are integers, as JSON-LD has them and PyLD has not."""
    if isinstance(value, dict):
        return {name: with_whole_numbers(item) for name, item in value.items()}
    if isinstance(value, list):
        return [with_whole_numbers(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return int(value)
    return value


def _quads(dataset: dict[str, Any]) -> Iterator[Quad]:
    for name, statements in dataset.items():
        graph = "" if name == "@default" else str(_node(name))
        for one in statements:
            subject, predicate = _node(one["subject"]["value"]), ox.NamedNode(one["predicate"]["value"])
            yield str(subject), str(predicate), str(_object(one["object"])), graph


def _node(text: str) -> ox.NamedNode | ox.BlankNode:
    return ox.BlankNode(text[2:]) if text.startswith("_:") else ox.NamedNode(text)


def _object(value: dict[str, Any]) -> ox.NamedNode | ox.BlankNode | ox.Literal:
    if value["type"] != "literal":
        return _node(value["value"])
    if value["datatype"] == _RDF + "langString":
        return ox.Literal(value["value"], language=value["language"])
    text = value["value"]
    if value["datatype"] == _RDF + "JSON":
        text = jcs(json.loads(text)).decode("utf-8")
    return ox.Literal(text, datatype=ox.NamedNode(value["datatype"]))
