"""The active context, held against PyLD for every context that can be loaded."""

from __future__ import annotations

from typing import Any

import pytest
from freehold_protocol.active_context import EMPTY, ActiveContext, extend, extend_for_type, is_iri
from freehold_protocol.contexts import known_contexts, load_context
from freehold_protocol.errors import MalformedError, UnsupportedError
from pyld.context_resolver import ContextResolver
from pyld.jsonld import JsonLdError, JsonLdProcessor


def load(url: str) -> Any:
    return load_context(url)["document"]["@context"]


def table_of_ours(active: ActiveContext) -> dict[str, Any]:
    return {
        name: (term.iri, term.type, term.container, term.is_prefix, term.is_protected)
        for name, term in active.terms.items()
    }


def table_of_pyld(active: Any) -> dict[str, Any]:
    return {
        name: (
            term["@id"],
            term.get("@type"),
            frozenset(term.get("@container", ())),
            term["_prefix"],
            term["protected"],
        )
        for name, term in active["mappings"].items()
    }


class TestSameAsPyld:
    def options(self) -> dict[str, Any]:
        return {
            "contextResolver": ContextResolver({}, load_context),
            "documentLoader": load_context,
            "processingMode": "json-ld-1.1",
            "base": "",
        }

    @pytest.mark.parametrize("url", sorted(known_contexts()))
    def test_every_term_and_every_scoped_context_of(self, url: str) -> None:
        processor, options = JsonLdProcessor(), self.options()
        theirs = processor.process_context(processor._get_initial_context(options), url, options)
        self.compare(extend(EMPTY, url, load), theirs, options, depth=3)

    def compare(self, ours: ActiveContext, theirs: Any, options: Any, *, depth: int) -> None:
        assert table_of_ours(ours) == table_of_pyld(theirs)
        scoped = {name: term.scope[0] for name, term in ours.terms.items() if term.scope}
        assert scoped == {
            name: term["@context"] or None for name, term in theirs["mappings"].items() if "@context" in term
        }
        processor = JsonLdProcessor()
        for local in scoped.values() if depth else ():
            in_property = processor._process_context(theirs, local, options, override_protected=True)
            self.compare(
                extend(ours, local, load, over_protected=True), in_property, options, depth=depth - 1
            )
            if local is None:
                continue
            try:
                in_type = processor._process_context(theirs, local, options, propagate=False)
            except JsonLdError:  # it would redefine a protected term, as only a property's own context may
                with pytest.raises(MalformedError):
                    extend_for_type(ours, local, load)
            else:
                assert table_of_ours(extend_for_type(ours, local, load)) == table_of_pyld(in_type)


@pytest.mark.parametrize(
    "text",
    [
        "https://example.org/a#b",
        "urn:uuid:3f2b",
        "did:key:z6Mk#z6Mk",
        "http://[::1]:8743/g/x",
        "https://example.org/%20",
        "https://example.org/ü",
        "mailto:a@example.org",
    ],
)
def test_is_iri(text: str) -> None:
    assert is_iri(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "/a",
        "//example.org",
        "#a",
        "?a",
        ":a",
        "a:",
        "1a:b",
        "_:b0",
        "@id",
        "https://example.org/a b",
        "https://example.org/a\n",
        "https://example.org/\t",
        "https://example.org/\x00",
        "https://example.org/\u00a0",
        "https://example.org/\u2028",
        "https://example.org/\u3000",
        "https://example.org/\ufffe",
        'https://example.org/"',
        "https://example.org/<a>",
        "https://example.org/{a}",
        "https://example.org/a|b",
        "https://example.org/a\\b",
        "https://example.org/a^b",
        "https://example.org/a`b",
        "https://example.org/%2",
        "https://example.org/%zz",
        "https://example.org/#a#b",
        " https://example.org/",
    ],
)
def test_is_no_iri(text: str) -> None:
    assert not is_iri(text)


A = "https://a.example/"
ACTIVITY = "https://www.w3.org/ns/activitystreams"


@pytest.mark.parametrize(
    "local",
    [
        {"@version": 1.0},
        {"@protected": "yes"},
        {"@base": A},
        {"@language": "en"},
        {"@import": A},
        {"@propagate": False},
        {"@direction": "rtl"},
        {"": A},
        {"a": 1},
        {"a": [A]},
        {"a": {"@id": 1}},
        {"a": {"@reverse": A}},
        {"a": {"@id": A, "@nest": "b"}},
        {"a": {"@id": A, "@index": "b"}},
        {"a": {"@id": A, "@language": "en"}},
        {"a": {"@id": A, "@container": "@index"}},
        {"a": {"@id": A, "@container": ["@graph", "@id"]}},
        {"a": {"@id": A, "@container": "@type"}},
        {"a": {"@id": A, "@type": "nowhere"}},
        {"a": {"@type": "@id"}},
        {"a": "b"},
        {"a": "_:b"},
        {"a": "b", "b": "a"},
        {"a": "a"},
        {"a": "b:c", "b": "a:c"},
        {"@vocab": "relative"},
        {"@vocab": ""},
        {"@vocab": "_:b"},
        {"@vocab": 1},
        {"p": A, "@vocab": "p:x y"},
        7,
        True,
    ],
)
def test_refuses_what_it_does_not_know(local: Any) -> None:
    with pytest.raises(UnsupportedError):
        extend(EMPTY, local, load)


class TestExtend:
    def test_terms_build_on_each_other_in_any_order(self) -> None:
        made = extend(EMPTY, {"a": "p:x", "b": {"@id": "a", "@type": "p:t"}, "p": A}, load)
        assert made.expand("a", as_term=True) == A + "x"
        assert made.expand("b", as_term=True) == A + "x"
        assert made.terms["b"].type == A + "t"

    def test_a_term_with_a_colon_is_its_own_iri(self) -> None:
        made = extend(EMPTY, {"p": A, "p:x": {"@type": "@id"}}, load)
        assert made.expand("p:x", as_term=True) == A + "x"
        assert made.terms["p:x"].type == "@id"

    def test_only_a_prefix_makes_compact_iris(self) -> None:
        made = extend(
            EMPTY,
            {"p": A, "q": "https://a.example/q", "r": {"@id": A}, "s": {"@id": A, "@prefix": True}},
            load,
        )
        assert made.expand("p:x", as_term=False) == A + "x"
        assert made.expand("q:x", as_term=False) == "q:x"
        assert made.expand("r:x", as_term=False) == "r:x"
        assert made.expand("s:x", as_term=False) == A + "x"
        assert made.expand("p://x", as_term=True) == "p://x"
        assert made.expand("p", as_term=False) is None

    def test_a_term_can_lose_its_meaning(self) -> None:
        made = extend(EMPTY, [{"a": A}, {"a": None}], load)
        assert made.expand("a", as_term=True) is None

    def test_vocab_gives_a_meaning_to_terms_that_have_none(self) -> None:
        made = extend(EMPTY, {"@vocab": A, "a": A, "c": None, "d": {"@type": "@id"}}, load)
        assert made.expand("a", as_term=True) == A
        assert made.expand("b", as_term=True) == A + "b"
        assert made.expand("c", as_term=True) is None
        assert made.expand("d", as_term=True) == A + "d"
        assert made.expand("@b", as_term=True) == "@b"
        assert made.expand("x:b", as_term=True) == "x:b"
        assert made.expand("", as_term=True) is None
        assert made.expand("b", as_term=False) is None, "an identifier is no term"

    @pytest.mark.parametrize("ending", [{"@vocab": None}, {"@vocab": "_:"}, ACTIVITY, None])
    def test_vocab_ends_where_a_later_context_says_so(self, ending: Any) -> None:
        made = extend(EMPTY, [{"@vocab": A}, ending], load)
        assert made.vocab is None
        assert made.expand("b", as_term=True) is None
        assert extend(EMPTY, [{"@vocab": A}, {"a": A}], load).expand("b", as_term=True) == A + "b"

    def test_vocab_alone_is_a_change(self) -> None:
        made = extend(EMPTY, {"@vocab": A}, load)
        assert made is not EMPTY
        assert extend(made, {"@vocab": A}, load) is made

    def test_a_type_s_vocab_ends_with_its_node(self) -> None:
        inside = extend_for_type(extend(EMPTY, {"a": A}, load), {"@vocab": A}, load)
        assert inside.expand("b", as_term=True) == A + "b"
        assert inside.previous is not None
        assert inside.previous.expand("b", as_term=True) is None

    def test_null_clears_all(self) -> None:
        assert extend(extend(EMPTY, {"a": A}, load), None, load) is EMPTY

    def test_the_same_again_is_the_same_object(self) -> None:
        local = {"@protected": True, "a": A, "b": {"@id": A, "@context": {"c": A}}}
        made = extend(EMPTY, local, load)
        assert extend(made, [local, local], load) is made

    def test_protection_alone_is_a_change(self) -> None:
        made = extend(EMPTY, [{"a": A}, {"@protected": True, "a": A}], load)
        with pytest.raises(MalformedError):
            extend(made, {"a": A + "x"}, load)

    def test_a_protected_term_keeps_its_meaning(self) -> None:
        made = extend(EMPTY, {"@protected": True, "a": A}, load)
        for other in (A + "x", {"@id": A, "@type": "@id"}, {"@id": A, "@context": {}}, None):
            with pytest.raises(MalformedError):
                extend(made, {"a": other}, load)
            with pytest.raises(MalformedError):
                extend_for_type(made, {"a": other}, load)
        assert extend(made, {"a": A}, load) is made
        assert extend(made, {"a": A + "x"}, load, over_protected=True).expand("a", as_term=True) == A + "x"

    def test_one_term_can_be_left_open(self) -> None:
        made = extend(EMPTY, {"@protected": True, "a": {"@id": A, "@protected": False}}, load)
        assert extend(made, {"a": A + "x"}, load).expand("a", as_term=True) == A + "x"

    def test_a_type_s_context_remembers_the_one_before_all_types(self) -> None:
        top = extend(EMPTY, {"a": A}, load)
        once = extend_for_type(top, {"b": A}, load)
        twice = extend_for_type(once, {"c": A}, load)
        assert once.previous is top
        assert twice.previous is top
        assert set(twice.terms) == {"a", "b", "c"}

    def test_an_unknown_url_is_refused(self) -> None:
        with pytest.raises(UnsupportedError):
            extend(EMPTY, [{"a": A}, A], load)
