"""What each term means at one place of a document: the active context of JSON-LD 1.1.

Only the features that the contexts we ship use are known here. One that uses another is unsupported, not half
understood. ``@vocab`` gives a meaning to every misspelt term; none that we ship has one, but one that a person adds
may, because credentials are signed under it.

Spec: specs/vocabulary.md#contexts
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from .encoding import Document, Json
from .errors import MalformedError, UnsupportedError

# Stricter than RFC 3987 asks: whatever a processor or an RDF parser could drop or read in two ways.
_IRI_CHAR: Final = r"(?:[^\s\x00-\x20\x7f-\x9f<>\"{}|\\^`%#\ue000-\uf8ff\ufffe\uffff]|%[0-9A-Fa-f]{2})"
_IRI = re.compile(rf"[A-Za-z][A-Za-z0-9+.-]*:{_IRI_CHAR}+(?:#{_IRI_CHAR}*)?\Z")
_DEFINES: Final = frozenset({"@id", "@type", "@container", "@context", "@prefix", "@protected"})
_CONTAINERS: Final = frozenset({"@set", "@list", "@graph", "@language"})
_DELIMITERS: Final = (":", "/", "?", "#", "[", "]", "@")

Load = Callable[[str], Json]
"""Maps the URL of a known context to the value of its ``@context``."""


def is_iri(text: str) -> bool:
    """Whether a text is an absolute IRI that no processor drops or changes."""
    return _IRI.match(text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A term's definition.

    ``iri`` is an absolute IRI, a keyword, or None where a context takes the term's meaning away. ``scope``
    holds the term's own context, if it has one; that context may be None.
    """

    iri: str | None
    type: str | None = None
    container: frozenset[str] = frozenset()
    is_prefix: bool = False
    scope: tuple[Json, ...] = field(default=(), hash=False)
    is_protected: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class ActiveContext:
    """The terms in force; ``previous`` are those that return at the next node if a type brought these in.

    ``vocab`` is what an unknown term is appended to; None, and it means nothing.
    """

    terms: Mapping[str, Term]
    previous: ActiveContext | None = None
    vocab: str | None = None

    def expand(self, text: str, *, as_term: bool) -> str | None:
        """Return the keyword or the IRI that a text stands for, well formed or not; None for neither.

        Whatever begins with ``@`` counts as a keyword: JSON-LD reserves it, and processors drop it.

        Args:
            text: A key, a type, or an identifier.
            as_term: Whether terms apply, as they do to keys and types but not to identifiers.
        """
        if as_term:
            if (term := self.terms.get(text)) is not None:
                return term.iri
            if text.startswith("@"):
                return text
        prefix, colon, suffix = text.partition(":")
        if not colon:
            return f"{self.vocab}{text}" if as_term and self.vocab and text else None
        holder = self.terms.get(prefix)
        if holder is not None and holder.is_prefix and not suffix.startswith("//"):
            return f"{holder.iri}{suffix}"
        return text


EMPTY: Final = ActiveContext({})


def extend(active: ActiveContext, local: Json, load: Load, *, over_protected: bool = False) -> ActiveContext:
    """Return the active context after a local one.

    Args:
        active: What was in force.
        local: A context's URL, object, list of these, or None, which clears all.
        load: Gives what a URL names.
        over_protected: Whether protected terms may be redefined, as a property's own context may.

    Raises:
        UnsupportedError: An unknown URL, or a feature that no context of ours uses.
        MalformedError: It redefines a protected term.
    """
    if local is None:
        return EMPTY
    if isinstance(local, str):
        return extend(active, load(local), load, over_protected=over_protected)
    if isinstance(local, list):
        for part in local:
            active = extend(active, part, load, over_protected=over_protected)
        return active
    if not isinstance(local, dict):
        raise UnsupportedError("a context is a URL, an object or a list of these")
    made = _Definitions(active, local, over_protected=over_protected).made()
    is_same = made.vocab == active.vocab and made.terms == active.terms
    return active if is_same else made


def extend_for_type(active: ActiveContext, local: Json, load: Load) -> ActiveContext:
    """Return the active context inside a node whose type has its own: it ends at the next node."""
    made = extend(active, local, load)
    return ActiveContext(made.terms, active.previous or active, made.vocab)


class _Definitions:
    """The terms of one context object while they are being defined, each after those it builds on."""

    def __init__(self, active: ActiveContext, local: Document, *, over_protected: bool) -> None:
        if local.get("@version", 1.1) != 1.1 or not isinstance(local.get("@protected", False), bool):
            raise UnsupportedError("the context is of another version")
        self._active, self._before = active, active.terms
        self._terms = dict(active.terms)
        self._vocab = _read_vocab(local["@vocab"]) if "@vocab" in local else active.vocab
        self._local = local
        self._names = [name for name in local if name not in {"@version", "@protected", "@vocab"}]
        self._begun: set[str] = set()
        self._over_protected = over_protected

    def made(self) -> ActiveContext:
        for name in self._names:
            self._define(name)
        return ActiveContext(self._terms, self._active.previous, self._vocab)

    def _define(self, name: str) -> None:
        if name in self._begun:
            if name not in self._terms:
                raise UnsupportedError("a context defines a term by itself")
            return
        self._begun.add(name)
        self._terms.pop(name, None)
        raw = self._local[name]
        if name.startswith("@") or not name:
            raise UnsupportedError(f"contexts that set {name!r} are not supported")
        definition = raw if isinstance(raw, dict) else {"@id": raw}
        if definition.keys() - _DEFINES:
            raise UnsupportedError("a context defines a term in a way that is not supported")
        term = self._term(name, definition, is_simple=isinstance(raw, str))
        self._terms[name] = self._protect(name, term)

    def _term(self, name: str, definition: Document, *, is_simple: bool) -> Term:
        kind = definition.get("@type")
        if kind is not None and kind not in {"@id", "@vocab", "@json"}:
            kind = self._iri(kind)
        container = definition.get("@container", [])
        containers = frozenset([container] if isinstance(container, str) else container)
        if not containers <= _CONTAINERS:
            raise UnsupportedError("a context uses a container that is not supported")
        target = definition.get("@id", name)
        iri = None if target is None else self._iri(target, defining=name)
        ends_open = is_simple and ":" not in name and (iri or "").endswith(_DELIMITERS)
        return Term(
            iri=iri,
            type=kind,
            container=containers,
            is_prefix=definition.get("@prefix", ends_open) is True,
            scope=(definition["@context"],) if "@context" in definition else (),
            is_protected=definition.get("@protected", self._local.get("@protected", False)) is True,
        )

    def _iri(self, text: Json, *, defining: str | None = None) -> str:
        if not isinstance(text, str):
            raise UnsupportedError("a context names something that is no IRI")
        prefix, colon, _ = text.partition(":")
        for name in (text, prefix if colon else text):
            if name in self._local and name != defining:
                self._define(name)
        iri = ActiveContext(self._terms, vocab=self._vocab).expand(text, as_term=True)
        if iri is None or not (iri.startswith("@") or is_iri(iri)):
            raise UnsupportedError("a context names something that is no IRI")
        return iri

    def _protect(self, name: str, term: Term) -> Term:
        before = self._before.get(name)
        if before is None or not before.is_protected or self._over_protected:
            return term
        if before != replace(term, is_protected=True):
            raise MalformedError(f"the contexts disagree about {name!r}")
        return before


def _read_vocab(text: Json) -> str | None:
    """Return what unknown terms are appended to; a blank node's prefix makes predicates that RDF drops."""
    if text is None or text == "_:":
        return None
    if not isinstance(text, str) or not is_iri(text):
        raise UnsupportedError("@vocab is an absolute IRI")
    return text
