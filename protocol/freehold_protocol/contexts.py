"""That nothing of a document is lost under its JSON-LD contexts, which are at hand and never off the network.

A JSON-LD processor drops what it cannot map and says nothing: a term no context defines, a null, an id with a
space in it. What is dropped is under no RDF signature and means nothing to the next reader. ``check_terms``
therefore walks a document beside its active context, as expansion would, and refuses whatever expansion or
the step to RDF would lose. It needs no JSON-LD library, which would more than double the memory of an idle
node; the tests hold it against one.

Spec: specs/vocabulary.md
"""

from __future__ import annotations

import re
from math import isfinite
from typing import Final

from .active_context import ActiveContext, Term, is_iri
from .context_set import (
    BUNDLED,
    FREEHOLD,
    OF_CAPABILITIES,
    SCHEMES,
    Contexts,
    at_node,
    inside_property,
    inside_types,
    top_context,
)
from .encoding import Document, Json
from .errors import MalformedError, UndefinedTermError

__all__ = ["BUNDLED", "FREEHOLD", "Contexts", "check_terms", "is_term", "known_contexts", "load_context"]

_MAX_CONTEXTS: Final = 4  # of one document; each list of them costs work once
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*\Z")
_UNCOERCED: Final = Term(iri=None)
_MAX_INTEGER: Final = 2**53 - 1
_DOUBLE: Final = "http://www.w3.org/2001/XMLSchema#double"


def known_contexts() -> frozenset[str]:
    """Return the URL of every bundled context."""
    return BUNDLED.known


def load_context(url: str, _options: object = None) -> Document:
    """Return a bundled context; as ``Contexts.load``."""
    return BUNDLED.load(url)


def is_term(name: str) -> bool:
    """Whether our own context gives a class or a property this name; prefixes and keywords are neither."""
    term = top_context((FREEHOLD,)).terms.get(name)
    return term is not None and not term.is_prefix and term.iri is not None and term.iri[0] != "@"


def check_terms(document: Document, contexts: Contexts = BUNDLED) -> None:
    """Refuse a document of which a JSON-LD processor would drop or change anything.

    Takes time in proportion to the document, whose size ``parse_json`` bounds.

    Args:
        document: As received.
        contexts: Those it may name.

    Raises:
        UndefinedTermError: No context defines a key, a type or a value that must be a term.
        UnsupportedError: It names a context that is not among them.
        MalformedError: Anything else that would be lost or read in two ways: a null, an id that is relative,
            no IRI or a blank node's, a context inline or below the top, a keyword but ``@id``, ``@type`` and
            those of a literal, an array in an array, a number with too many digits, an array or a node that
            says nothing.

    Spec: specs/vocabulary.md#nothing-is-lost
    """
    if not isinstance(document, dict):
        raise MalformedError("not a JSON object")
    _Walk(document, contexts).run()


def read_urls(named: Json) -> tuple[str, ...]:
    """Return the URLs of a document's ``@context``. Raises MalformedError."""
    urls = [named] if isinstance(named, str) else named
    if not isinstance(urls, list) or not 1 <= len(urls) <= _MAX_CONTEXTS:
        raise MalformedError(f"a document names one to {_MAX_CONTEXTS} contexts")
    if not all(isinstance(url, str) for url in urls):
        raise MalformedError("contexts are named by URL, never written inline")
    if len(set(urls)) != len(urls):
        raise MalformedError("a document names a context twice")
    return tuple(urls)


class _Walk:
    """One document beside its active context; a node waits with the term and context it was found under."""

    def __init__(self, document: Document, contexts: Contexts) -> None:
        self._named = document.get("@context")
        self._top = top_context(read_urls(self._named), contexts)
        self._waiting: list[tuple[Document, Term | None, ActiveContext]] = [(document, None, self._top)]

    def run(self) -> None:
        while self._waiting:
            node, term, active = self._waiting.pop()
            if any(active.expand(key, as_term=True) == "@value" for key in node):
                _check_literal(node, term, inside_property(active, term))
            else:
                self._check_node(node, term, active)

    def _check_node(self, node: Document, term: Term | None, active: ActiveContext) -> None:
        active = at_node(node, term, active)
        if "@context" in node and not self._may_name(node["@context"], active):
            raise MalformedError("a context below the top may only repeat the document's own")
        types = _read_types(node, active)
        inner = inside_types(active, types)
        says_something = self._check_members(node, inner) or bool(types)
        # A named graph keeps only what its nodes say, and so does a document.
        if not says_something and (term is None or "@graph" in term.container):
            raise MalformedError("a node says nothing")

    def _may_name(self, named: Json, active: ActiveContext) -> bool:
        """Whether a node may name these contexts: the document's own, or in a capability another suite's."""
        if named == self._named and active is self._top:
            return True
        return named in OF_CAPABILITIES and self._named in OF_CAPABILITIES

    def _check_members(self, node: Document, active: ActiveContext) -> bool:
        """Return whether the node has a property."""
        has_id = has_property = False
        for key, value in node.items():
            iri = active.expand(key, as_term=True)
            if key == "@context" or iri == "@type":
                continue
            if iri == "@id":
                if has_id:
                    raise MalformedError("a node has one id")
                _check_reference(value, active)
                has_id = True
            elif iri is not None and iri.startswith("@"):
                raise MalformedError("a keyword that a node does not use, or that does not exist")
            else:
                _check_is_term(iri, repr(key))
                self._check_value(value, active.terms.get(key, _UNCOERCED), active)
                has_property = True
        return has_property

    def _check_value(self, value: Json, term: Term, active: ActiveContext) -> None:
        if term.type == "@json":
            return  # kept whole, as one literal
        if "@language" in term.container and isinstance(value, dict):
            for language, texts in value.items():
                _check_language(language, texts)
            return
        items = value if isinstance(value, list) else [value]
        if not items and "@list" not in term.container:
            raise MalformedError("an array without items says nothing")
        for item in items:
            if isinstance(item, dict):
                self._waiting.append((item, term, active))
            else:
                _check_scalar(item, term, active)


def _read_types(node: Document, active: ActiveContext) -> list[str]:
    values = [value for key, value in node.items() if active.expand(key, as_term=True) == "@type"]
    if not values:
        return []
    types = values[0] if isinstance(values[0], list) else [values[0]]
    if len(values) > 1 or not types or not all(isinstance(name, str) for name in types):
        raise MalformedError("a node's type is a term or an array of terms, given once")
    for name in types:
        _check_is_term(active.expand(name, as_term=True), repr(name))
    return types


def _check_is_term(iri: str | None, what: str) -> None:
    # Of other schemes, nearly all would be prefixes that no context defines.
    if iri is None or not iri.startswith(SCHEMES) or not is_iri(iri):
        raise UndefinedTermError(f"no context defines {what[:80]}")


def _check_scalar(value: Json, term: Term, active: ActiveContext) -> None:
    _check_kept(value)
    _check_double(value, term.type)
    if "@graph" in term.container:
        raise MalformedError("a reference where a node must speak for itself")
    if term.type == "@id":
        _check_reference(value, inside_property(active, term))
    elif term.type == "@vocab":
        if not isinstance(value, str):
            raise MalformedError("a number where a term must be")
        _check_is_term(
            inside_property(active, term).expand(value, as_term=True),
            "the value of a member that takes terms",
        )


def _check_reference(value: Json, active: ActiveContext) -> None:
    iri = active.expand(value, as_term=False) if isinstance(value, str) else None
    if iri is None or not is_iri(iri):
        raise MalformedError("an id is an absolute IRI: not relative, no blank node's, without spaces")


def _check_kept(value: Json) -> None:
    """Refuse a scalar that RDF does not keep digit for digit."""
    if isinstance(value, str):
        return
    if not isinstance(value, int | float):
        raise MalformedError("a null, or an array in an array")
    # RDF's canonical double has 16 digits; canonical JSON has no integer over 2^53-1.
    if isinstance(value, int):
        is_kept = abs(value) <= _MAX_INTEGER
    else:
        is_kept = isfinite(value) and float(f"{value:.15E}") == value
    if not is_kept:
        raise MalformedError("a number has more digits than can be kept")


def _check_double(value: Json, datatype: str | None) -> None:
    # A processor reads such a text as a number and writes that: "1_0" and "10.00" would be one.
    if datatype == _DOUBLE and isinstance(value, str):
        raise MalformedError("a double is a number, not a text")


def _check_literal(node: Document, term: Term | None, active: ActiveContext) -> None:
    """Check an object with ``@value``: with ``@type`` or ``@language``, and nothing else."""
    found = {active.expand(key, as_term=True): value for key, value in node.items()}
    if len(found) != len(node) or not found.keys() <= {"@value", "@type", "@language"} or len(found) > 2:
        raise MalformedError("a literal has a value and at most its type or its language")
    if term is None or "@graph" in term.container:
        raise MalformedError("a literal where a node must be")
    _check_kept(found.get("@value"))
    if "@type" in found:
        name = found["@type"]
        if not isinstance(name, str):
            raise MalformedError("a literal has one type")
        datatype = active.expand(name, as_term=True)
        _check_is_term(datatype, repr(name))
        _check_double(found["@value"], datatype)
    if "@language" in found:
        _check_language(found["@language"], found["@value"])


def _check_language(language: Json, texts: Json) -> None:
    if not isinstance(language, str) or not _LANGUAGE.match(language):
        raise MalformedError("not a language tag")
    items = texts if isinstance(texts, list) else [texts]
    if not items or not all(isinstance(item, str) for item in items):
        raise MalformedError("only texts have a language")
