"""From a JSON-LD document to its canonical N-Quads, by way of RDF.

The document is read along the same walk that ``check_terms`` makes, so what was checked is what is read, in time that
grows with its size and no faster: PyLD compares each value of an array with every other. The tests hold the two
against each other. pyoxigraph's terms refuse what is no RDF and write each term in its one form;
``blank_node`` gives the names. No text is ever put together from parts that came from outside: a language tag with a
line feed in it would add a line of its maker's choice, so that two documents had one canonical form.

pyoxigraph is imported when it is first needed: an idle node needs none of this.

Spec: specs/proofs.md#canonical-rdf
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Final

from . import limits
from .active_context import ActiveContext, Term
from .blank_node import HashName, Quad, canonical_lines, canonical_names
from .canonical import jcs
from .context_set import at_node, inside_property, inside_types, top_context
from .contexts import BUNDLED, Contexts, check_terms, read_urls
from .encoding import Document, Json
from .errors import MalformedError

if TYPE_CHECKING:
    import pyoxigraph

_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_XSD: Final = "http://www.w3.org/2001/XMLSchema#"
_DOUBLE: Final = _XSD + "double"
_TYPE, _FIRST, _REST, _NIL = (f"<{_RDF}{name}>" for name in ("type", "first", "rest", "nil"))
_FIRST_WITH_EXPONENT: Final = 1e21
_UNCOERCED: Final = Term(iri=None)

Link = tuple[str, str, str] | None
"""Subject, predicate and graph of the statement whose object a value is; None at the top and in a graph of its own."""


def canonical_rdf(
    document: Document, *, contexts: Contexts = BUNDLED, max_steps: int = limits.MAX_CANONICAL_STEPS
) -> bytes:
    """Return the canonical N-Quads of a document: one line for each statement, sorted by code point.

    Args:
        document: As received; its size is bounded where it was parsed.
        contexts: Those it may name. Nothing is fetched.
        max_steps: As in ``blank_node.canonical_names``.

    Raises:
        TooLargeError: Its blank nodes are too alike to be told apart in the time allowed.
        MalformedError: And its other subclasses, and UnsupportedError: as ``quads_of``.

    Spec: specs/proofs.md#canonical-rdf
    """
    return canonicalize(quads_of(document, contexts), max_steps=max_steps)


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


def quads_of(document: Document, contexts: Contexts = BUNDLED) -> set[Quad]:
    """Return the statements of a document, after a check that none is lost.

    Raises:
        UndefinedTermError: A term that no context defines.
        UnsupportedError: A context that is not among them.
        MalformedError: Anything else that would be lost on the way to RDF, or that is no RDF.

    Spec: specs/vocabulary.md#nothing-is-lost
    """
    check_terms(document, contexts)
    try:
        return _Reading(document, contexts).run()
    except (ValueError, UnicodeEncodeError):  # of a term's constructor
        raise MalformedError("it holds a term that is no RDF") from None


class _Reading:
    """One document while its statements are read; a value waits with where it was found."""

    def __init__(self, document: Document, contexts: Contexts) -> None:
        self._quads: set[Quad] = set()
        self._blank_nodes = 0
        top = top_context(read_urls(document.get("@context")), contexts)
        self._waiting: list[tuple[Document, Term | None, ActiveContext, Link, str]] = [
            (document, None, top, None, "")
        ]

    def run(self) -> set[Quad]:
        while self._waiting:
            value, term, active, link, graph = self._waiting.pop()
            if any(active.expand(key, as_term=True) == "@value" for key in value):
                self._say(link, _literal_of(value, inside_property(active, term)))
            else:
                self._read_node(value, at_node(value, term, active), link, graph)
        return self._quads

    def _say(self, link: Link, value: str) -> None:
        if link is not None:
            subject, predicate, graph = link
            self._quads.add((subject, predicate, value, graph))

    def _blank(self) -> str:
        self._blank_nodes += 1
        return f"_:b{self._blank_nodes}"

    def _read_node(self, node: Document, active: ActiveContext, link: Link, graph: str) -> None:
        types, subject = list(_types_of(node, active)), ""
        inner = inside_types(active, types)
        meanings = {key: inner.expand(key, as_term=True) for key in node if key != "@context"}
        for key, iri in meanings.items():
            if iri == "@id":
                subject = _iri(inner.expand(node[key], as_term=False))
        subject = subject or self._blank()
        self._say(link, subject)
        for name in types:
            self._quads.add((subject, _TYPE, _iri(active.expand(name, as_term=True)), graph))
        for key, iri in meanings.items():
            if iri not in ("@id", "@type"):
                term = inner.terms.get(key, _UNCOERCED)
                self._read_property(node[key], term, inner, (subject, _iri(iri), graph))

    def _read_property(
        self, value: Json, term: Term, active: ActiveContext, link: tuple[str, str, str]
    ) -> None:
        if term.type == "@json":
            self._say(link, _literal(jcs(value).decode("utf-8"), _RDF + "JSON"))
        elif "@language" in term.container and isinstance(value, dict):
            for language, texts in value.items():
                for text in texts if isinstance(texts, list) else [texts]:
                    self._say(link, _text_in(text, language))
        elif "@list" in term.container:
            self._read_list(value if isinstance(value, list) else [value], term, active, link)
        else:
            for item in value if isinstance(value, list) else [value]:
                self._read_value(item, term, active, link)

    def _read_list(
        self, items: list[Json], term: Term, active: ActiveContext, link: tuple[str, str, str]
    ) -> None:
        *_, graph = link
        for item in items:
            cell = self._blank()
            self._say(link, cell)
            self._read_value(item, term, active, (cell, _FIRST, graph))
            link = (cell, _REST, graph)
        self._say(link, _NIL)

    def _read_value(self, item: Json, term: Term, active: ActiveContext, link: tuple[str, str, str]) -> None:
        *_, graph = link
        if not isinstance(item, dict):
            self._say(link, _scalar(item, term, inside_property(active, term)))
        elif "@graph" in term.container:
            named = self._blank()
            self._say(link, named)
            self._waiting.append((item, term, active, None, named))
        else:
            self._waiting.append((item, term, active, link, graph))


def _types_of(node: Document, active: ActiveContext) -> Iterator[str]:
    for key, value in node.items():
        if key != "@context" and active.expand(key, as_term=True) == "@type":
            yield from value if isinstance(value, list) else [value]


def _scalar(value: Json, term: Term, active: ActiveContext) -> str:
    """Return the term for a value that stands alone, as the property's type has it."""
    if term.type in ("@id", "@vocab"):
        return _iri(active.expand(value, as_term=term.type == "@vocab"))
    return _native(value, term.type)


def _literal_of(node: Document, active: ActiveContext) -> str:
    """Return the literal of an object with ``@value``."""
    said = {active.expand(key, as_term=True): value for key, value in node.items()}
    if "@language" in said:
        return _text_in(said["@value"], said["@language"])
    kind = said.get("@type")
    return _native(said["@value"], None if kind is None else active.expand(kind, as_term=True))


def _native(value: Json, kind: str | None) -> str:
    """Return the literal of a text, a number or a boolean, of a datatype or of the one it has by itself."""
    datatype = kind if kind is not None and not kind.startswith("@") else None
    if isinstance(value, bool):
        return _literal("true" if value else "false", datatype or _XSD + "boolean")
    if isinstance(value, str):
        return _literal(value, datatype or _XSD + "string")
    # Whole is what has no fraction, as in ECMAScript, whether it was written 1 or 1.0.
    if float(value).is_integer() and abs(value) < _FIRST_WITH_EXPONENT and datatype != _DOUBLE:
        return _literal(str(int(value)), datatype or _XSD + "integer")
    return _literal(_double(float(value)), datatype or _DOUBLE)


def _double(value: float) -> str:
    """Return the canonical form of an xsd:double: ``1.5E0``."""
    mantissa, exponent = f"{value:.15E}".split("E")
    digits = mantissa.rstrip("0")
    return f"{digits}{'0' if digits.endswith('.') else ''}E{int(exponent)}"


def _iri(text: str | None) -> str:
    import pyoxigraph as ox

    return str(ox.NamedNode(text or ""))


def _literal(text: str, datatype: str) -> str:
    import pyoxigraph as ox

    return str(ox.Literal(text, datatype=ox.NamedNode(datatype)))


def _text_in(text: str, language: str) -> str:
    import pyoxigraph as ox

    return str(ox.Literal(text, language=language))
