"""From a JSON-LD document to its canonical N-Quads, by way of RDF.

PyLD reads the JSON-LD, pyoxigraph's terms refuse what is no RDF and write each term in its one form, ``blank_node``
gives the names. PyLD's own N-Quads text is never used: a language tag with a line feed in it puts a line of its
maker's choice into it, so that two documents have one canonical form. Both libraries are imported when they are
first needed, since an idle node needs neither.

Spec: specs/proofs.md#canonical-rdf
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any, Final

from . import limits
from .blank_node import HashName, Quad, canonical_lines, canonical_names
from .canonical import jcs
from .contexts import BUNDLED, Contexts, check_terms
from .encoding import Document, Json
from .errors import MalformedError, TooDeepError

if TYPE_CHECKING:
    import pyoxigraph

_JSON_LITERAL: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON"
_LANGUAGE_TEXT: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString"
_FIRST_WITH_EXPONENT: Final = 1e21


def canonical_rdf(
    document: Document, *, contexts: Contexts = BUNDLED, max_steps: int = limits.MAX_CANONICAL_STEPS
) -> bytes:
    """Return the canonical N-Quads of a document: one line for each statement, sorted by code point.

    Args:
        document: As received; its size is bounded where it was parsed.
        contexts: Those it may name. Nothing is fetched.
        max_steps: As in ``blank_node.canonical_names``.

    Raises:
        UndefinedTermError: A term that no context defines.
        UnsupportedError: A context that is not among them.
        TooLargeError: Its blank nodes are too alike to be told apart in the time allowed.
        MalformedError: Anything else that would be lost on the way to RDF, or that is no RDF.

    Spec: specs/proofs.md#canonical-rdf
    """
    check_terms(document, contexts)
    return canonicalize(quads_of(document, contexts=contexts), max_steps=max_steps)


def canonicalize(
    quads: Collection[Quad],
    *,
    max_steps: int = limits.MAX_CANONICAL_STEPS,
    hash_name: HashName = "sha256",
) -> bytes:
    """Return the canonical N-Quads of a dataset.

    Raises:
        TooLargeError: Its blank nodes are too alike to be told apart in the time allowed.
        MalformedError: It says nothing: a signature over nothing is good for any such document.
    """
    if not quads:
        raise MalformedError("it says nothing that RDF could hold")
    names = canonical_names(quads, max_steps=max_steps, hash_name=hash_name)
    return "".join(canonical_lines(quads, names)).encode("utf-8")


def read_nquads(data: bytes) -> set[Quad]:
    """Return the dataset of an N-Quads text.

    Raises:
        MalformedError: It is none, or holds a statement about a statement.
    """
    import pyoxigraph as ox

    try:
        quads = list(ox.parse(data, format=ox.RdfFormat.N_QUADS))
    except SyntaxError:
        raise MalformedError("not N-Quads") from None
    if any(isinstance(quad.object, ox.Triple) for quad in quads):
        raise MalformedError("a statement about a statement")
    return {_as_written(quad) for quad in quads}


def _as_written(quad: pyoxigraph.Quad) -> Quad:
    import pyoxigraph as ox

    named = "" if isinstance(quad.graph_name, ox.DefaultGraph) else str(quad.graph_name)
    return str(quad.subject), str(quad.predicate), str(quad.object), named


def quads_of(document: Document, *, contexts: Contexts = BUNDLED) -> set[Quad]:
    """Return the statements of a document that ``check_terms`` let pass.

    Raises:
        MalformedError: It is no JSON-LD, or holds what is no RDF.
        TooDeepError: It is nested too deeply to walk.
    """
    dataset = _to_rdf(document, contexts)
    try:
        return set(_quads_of(dataset))
    except (
        ValueError,
        TypeError,
        KeyError,
    ):  # of a term's constructor, or of a term that PyLD could not make
        raise MalformedError("it holds a term that is no RDF") from None


def _to_rdf(document: Document, contexts: Contexts) -> dict[str, Any]:
    from pyld import ContextResolver, jsonld

    try:
        resolver = contexts.idle_resolvers.pop()  # in one step, since several threads may ask
    except IndexError:
        resolver = ContextResolver({}, contexts.load)
    try:
        # Always with our loader: PyLD's own fetches.
        options = {"documentLoader": contexts.load, "contextResolver": resolver}
        dataset = jsonld.to_rdf(_with_whole_numbers(document), options)
    except RecursionError:
        raise TooDeepError("nested too deeply to read as JSON-LD") from None
    except (jsonld.JsonLdError, ValueError, TypeError, KeyError, AttributeError):
        raise MalformedError("not JSON-LD") from None
    contexts.idle_resolvers.append(resolver)
    return dict(dataset)


def _with_whole_numbers(value: Json) -> Json:
    """Return a copy in which numbers without a fraction are integers, as JSON-LD has them and PyLD has not."""
    if isinstance(value, dict):
        return {name: _with_whole_numbers(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_with_whole_numbers(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < _FIRST_WITH_EXPONENT:
        return int(value)
    return value


def _quads_of(dataset: dict[str, Any]) -> Iterable[Quad]:
    for name, statements in dataset.items():
        graph = "" if name == "@default" else str(_node(name))
        for one in statements:
            subject, predicate, value = one["subject"], one["predicate"], one["object"]
            yield str(_node(subject["value"])), str(_iri(predicate["value"])), str(_object(value)), graph


def _iri(text: str) -> pyoxigraph.NamedNode:
    import pyoxigraph as ox

    return ox.NamedNode(text)


def _node(text: str) -> pyoxigraph.NamedNode | pyoxigraph.BlankNode:
    import pyoxigraph as ox

    return ox.BlankNode(text[2:]) if text.startswith("_:") else ox.NamedNode(text)


def _object(value: dict[str, Any]) -> pyoxigraph.NamedNode | pyoxigraph.BlankNode | pyoxigraph.Literal:
    import pyoxigraph as ox

    if value["type"] != "literal":
        return _node(value["value"])
    if value["datatype"] == _LANGUAGE_TEXT:
        return ox.Literal(value["value"], language=value["language"])
    text = value["value"]
    if value["datatype"] == _JSON_LITERAL:
        text = jcs(json.loads(text)).decode("utf-8")
    return ox.Literal(text, datatype=ox.NamedNode(value["datatype"]))
