"""The contexts at hand: those that come with this software, and those that somebody added; and what is in force where.

Spec: specs/vocabulary.md#contexts
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

from . import limits
from .active_context import EMPTY, ActiveContext, Term, extend, extend_for_type, is_iri
from .encoding import Document, Json, bound_members
from .errors import MalformedError, TooLargeError, UnsupportedError

FREEHOLD: Final = "https://w3id.org/freehold/v1"
_OURS: Final = {
    FREEHOLD: "freehold-v1.jsonld",
    "https://w3id.org/zcap/v1": "zcap-v1.jsonld",
    "https://w3id.org/security/data-integrity/v2": "data-integrity-v2.jsonld",
    "https://w3id.org/security/multikey/v1": "multikey-v1.jsonld",
    "https://w3id.org/security/suites/ed25519-2020/v1": "ed25519-2020-v1.jsonld",
}
_BUNDLED_WITH_PYLD: Final = frozenset(
    {
        "https://www.w3.org/2018/credentials/v1",
        "https://www.w3.org/ns/activitystreams",
        "https://www.w3.org/ns/credentials/v2",
        "https://www.w3.org/ns/did/v1",
        "https://w3id.org/security/suites/jws-2020/v1",
        "https://w3id.org/security/v1",
        "https://w3id.org/security/v2",
    }
)
OF_CAPABILITIES: Final = (
    ["https://w3id.org/zcap/v1", "https://w3id.org/security/data-integrity/v2"],
    ["https://w3id.org/zcap/v1", "https://w3id.org/security/suites/ed25519-2020/v1"],
)
"""Of the suites in which the links of a chain are signed; one that embeds another may be of another suite."""
SCHEMES: Final = ("https:", "http:", "urn:", "did:")
"""Of IRIs that are terms; of other schemes, nearly all would be prefixes that no context defines."""


@cache
def _bundled_json(url: str) -> str:
    if url in _OURS:
        return files(__package__).joinpath("contexts", _OURS[url]).read_text(encoding="utf-8")
    if url not in _BUNDLED_WITH_PYLD:
        raise UnsupportedError("only contexts that are at hand are read; nothing is fetched")
    from pyld import FrozenDocumentLoader

    return json.dumps(FrozenDocumentLoader()(url, {})["document"])


def _bundled(url: str) -> Json:
    return json.loads(_bundled_json(url))["@context"]


class Contexts:
    """The contexts that documents may name: those that come with this software, and those somebody added to them.

    Never changes once made. Equal only to itself, because what is worked out under it is remembered.
    """

    __slots__ = ("_added",)

    def __init__(self, added: Mapping[str, Json] | None = None) -> None:
        """Check the added contexts, so that none fails later, and keep copies of them.

        Args:
            added: URL to the JSON document that belongs there. It may name bundled contexts, no others.

        Raises:
            TooLargeError: Too many of them, or one is over ``limits.MAX_CONTEXT_BYTES``.
            UnsupportedError: One uses a feature of JSON-LD that is not known here, or names another context.
            MalformedError: And its subclasses: one is no context, or its URL is none or belongs to a bundled one.

        Spec: specs/vocabulary.md#added-contexts
        """
        added = added or {}
        if len(added) > limits.MAX_ADDED_CONTEXTS:
            raise TooLargeError(f"more than {limits.MAX_ADDED_CONTEXTS} contexts are added")
        self._added = {url: _checked_context(url, document) for url, document in added.items()}

    @property
    def known(self) -> frozenset[str]:
        """The URL of every context that can be loaded."""
        return _BUNDLED_WITH_PYLD | _OURS.keys() | self._added.keys()

    @property
    def added(self) -> Mapping[str, str]:
        """URL to the JSON text of each added context."""
        return dict(self._added)

    def load(self, url: str, _options: object = None) -> Document:
        """Return a context as the remote document that a JSON-LD processor's loader gives; never fetches.

        Each call returns a new document, because some processors change what they are given.

        Raises:
            UnsupportedError: A URL that is not among the known contexts.

        Spec: specs/vocabulary.md#contexts
        """
        text = self._added.get(url) or _bundled_json(url)
        document = json.loads(text)
        return {
            "contentType": "application/ld+json",
            "contextUrl": None,
            "documentUrl": url,
            "document": document,
        }

    def definitions(self, url: str) -> Json:
        """Return the value of a context's ``@context``; raises as ``load``."""
        return json.loads(self._added[url])["@context"] if url in self._added else _bundled(url)


def _checked_context(url: str, document: Json) -> str:
    """Return the JSON text of an added context, without anything but the context."""
    if url in _OURS or url in _BUNDLED_WITH_PYLD:
        raise MalformedError(f"{url[:80]} comes with this software and is not replaced")
    if not is_iri(url) or not url.startswith(SCHEMES):
        raise MalformedError("a context is added under an absolute URL")
    if not isinstance(document, dict) or "@context" not in document:
        raise MalformedError("a context is a JSON object with the member @context")
    bound_members(document)
    try:
        text = json.dumps({"@context": document["@context"]}, allow_nan=False)
    except (ValueError, TypeError):
        raise MalformedError("a context is JSON") from None
    if len(text) > limits.MAX_CONTEXT_BYTES:
        raise TooLargeError(f"a context is over {limits.MAX_CONTEXT_BYTES} bytes")
    _check_inside(extend(EMPTY, document["@context"], _bundled), document["@context"])
    return text


def _check_inside(active: ActiveContext, local: Json) -> None:
    """Work out the contexts of a context's terms, so that one which is not understood shows at once."""
    for part in local if isinstance(local, list) else [local]:
        for definition in part.values() if isinstance(part, dict) else ():
            if isinstance(definition, dict) and "@context" in definition:
                scope = definition["@context"]
                _check_inside(extend(active, scope, _bundled, over_protected=True), scope)


BUNDLED: Final = Contexts()
"""Only what comes with this software."""


@lru_cache(maxsize=32)
def top_context(urls: tuple[str, ...], contexts: Contexts = BUNDLED) -> ActiveContext:
    """Return what is in force at the top of a document that names these contexts.

    Raises:
        UnsupportedError: One is not at hand.
        MalformedError: They disagree about a protected term.
    """
    return extend(EMPTY, list(urls), contexts.definitions)


@lru_cache(maxsize=32)
def _beside(active: ActiveContext, urls: tuple[str, ...]) -> ActiveContext:
    return extend(active, list(urls), _bundled)


@lru_cache(maxsize=256)
def _inside_property(active: ActiveContext, term: Term) -> ActiveContext:
    return extend(active, term.scope[0], _bundled, over_protected=True)


@lru_cache(maxsize=256)
def _inside_type(active: ActiveContext, term: Term) -> ActiveContext:
    return extend_for_type(active, term.scope[0], _bundled)


def inside_property(active: ActiveContext, term: Term | None) -> ActiveContext:
    """Return what is in force for the values of a property."""
    return active if term is None or not term.scope else _inside_property(active, term)


def at_node(node: Document, term: Term | None, active: ActiveContext) -> ActiveContext:
    """Return what is in force at a node, found under a term, before its own types are looked at.

    What types brought in around it has ended, but for a node that is nothing but a reference. A capability that
    another one embeds brings the contexts of its own suite.
    """
    is_reference = len(node) == 1 and active.expand(next(iter(node)), as_term=True) == "@id"
    active = inside_property(active if is_reference else active.previous or active, term)
    named = node.get("@context")
    return _beside(active, tuple(named)) if named in OF_CAPABILITIES else active


def inside_types(active: ActiveContext, types: list[str]) -> ActiveContext:
    """Return what is in force among the members of a node of these types."""
    for name in sorted(types):
        definition = active.terms.get(name)
        if definition is not None and definition.scope:
            active = _inside_type(active, definition)
    return active
