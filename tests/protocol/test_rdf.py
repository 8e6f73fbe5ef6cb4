"""From documents to canonical RDF: each trap of the libraries that do it, and that nothing leaves the machine."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import pytest
from freehold_protocol.canonical import jcs
from freehold_protocol.contexts import BUNDLED, FREEHOLD, Contexts, check_terms
from freehold_protocol.encoding import Document, parse_document
from freehold_protocol.errors import (
    DuplicateKeyError,
    FreeholdError,
    MalformedError,
    TooLargeError,
    UndefinedTermError,
    UnsupportedError,
)
from freehold_protocol.proof import RDFC, sign_document, verify_document
from freehold_protocol.rdf import canonical_rdf, canonicalize, quads_of, read_nquads
from hypothesis import given, settings
from hypothesis import strategies as st
from poison import twin_stars_document
from published import CREDENTIALS, EXAMPLES, published
from pyld import jsonld
from signed_documents import VENDOR, json_values, spoiled
from work import counted

DATA_INTEGRITY = "https://w3id.org/security/data-integrity/v2"
P = "https://example.org/p"
XSD = "http://www.w3.org/2001/XMLSchema#"


def about(value: Any, **members: Any) -> Document:
    """A document that says one thing."""
    return {"@context": FREEHOLD, "id": "urn:x:1", P: value, **members}


def lines(document: Document, contexts: Contexts = BUNDLED) -> list[str]:
    return canonical_rdf(document, contexts=contexts).decode().removesuffix("\n").split("\n")


def value_of(value: Any) -> str:
    """What stands as the object of the one statement."""
    (line,) = lines(about(value))
    return line.removeprefix(f"<urn:x:1> <{P}> ").removesuffix(" .")


# The traps, in the order of the notes they come from

INJECTED = 'en .\n<http://c> <http://q> "2"@en'


def test_pyld_s_own_text_has_two_documents_in_one_form() -> None:
    """If this fails, PyLD was mended; what follows holds anyway."""
    one = {"@id": "http://a", "http://p": {"@value": "1", "@language": INJECTED}}
    two = [
        {"@id": "http://a", "http://p": {"@value": "1", "@language": "en"}},
        {"@id": "http://c", "http://q": {"@value": "2", "@language": "en"}},
    ]
    options = {"format": "application/n-quads", "documentLoader": BUNDLED.load}
    assert jsonld.normalize(one, options) == jsonld.normalize(two, options)


@pytest.mark.parametrize(
    "language",
    [
        INJECTED,
        "en\n",
        " en",
        "en us",
        "",
        "en_US",
        "1",
        "en-",
        "-en",
        "toolonglanguage",
        "en\u2028",
        None,
        1,
        ["en"],
    ],
)
def test_a_language_tag_carries_nothing_else(language: Any) -> None:
    with pytest.raises(MalformedError):
        canonical_rdf(about({"@value": "1", "@language": language}))


def test_a_language_is_written_in_small_letters() -> None:
    assert value_of({"@value": "1", "@language": "en-GB"}) == '"1"@en-gb'


@pytest.mark.parametrize(
    "language", ["a-b-c-d-e-f-g-h", "x-1", "en-GB-oed", "i-klingon", "abcdefgh-12345678"]
)
def test_what_one_takes_for_a_language_and_the_other_not_ends_in_an_error_or_a_line(language: str) -> None:
    with suppress(MalformedError):
        assert value_of({"@value": "1", "@language": language}) == f'"1"@{language.lower()}'


@pytest.mark.parametrize(
    ("character", "written"),
    [
        ("\0", "\\u0000"),
        ("\x07", "\\u0007"),
        ("\b", "\\b"),
        ("\t", "\\t"),
        ("\n", "\\n"),
        ("\x0b", "\\u000B"),
        ("\f", "\\f"),
        ("\r", "\\r"),
        ("\x1f", "\\u001F"),
        (" ", " "),
        ('"', '\\"'),
        ("\\", "\\\\"),
        ("\x7f", "\\u007F"),
        ("\x80", "\x80"),
        ("\u2028", "\u2028"),
        ("é", "é"),
        ("\ufffe", "\\uFFFE"),
        ("\U0001f600", "\U0001f600"),
    ],
)
def test_characters_are_escaped_as_rdfc_1_0_says(character: str, written: str) -> None:
    assert value_of(f"a{character}b") == f'"a{written}b"'


LOST: dict[str, tuple[Document, type[FreeholdError]]] = {
    "a key that no context defines": (about("x", nmae="A"), UndefinedTermError),
    "a type that no context defines": (about("x", type="Persn"), UndefinedTermError),
    "an unknown prefix": (about("x", **{"foo:bar": "A"}), UndefinedTermError),
    "a null": (about(None), MalformedError),
    "a null in an array": (about(["x", None]), MalformedError),
    "an id with a space": (about("x", id="urn:x: 1"), MalformedError),
    "an id with a line feed": (about("x", id="urn:x:1\n"), MalformedError),
    "an id with a quote": (about("x", id='urn:x:"1'), MalformedError),
    "an id with a bracket": (about("x", id="urn:x:<1>"), MalformedError),
    "a relative id": (about("x", id="1"), MalformedError),
    "an empty id": (about("x", id=""), MalformedError),
    "a blank node's id": (about("x", id="_:b0"), MalformedError),
    "a reference with a space": (about({"id": "urn:x: 2"}), MalformedError),
    "a relative reference": (about({"id": "2"}), MalformedError),
    "nothing at all": ({"@context": FREEHOLD}, MalformedError),
    "an id and nothing else": ({"@context": FREEHOLD, "id": "urn:x:1"}, MalformedError),
    "an array without items": (about([]), MalformedError),
    "an array in an array": (about([["x"]]), MalformedError),
    "an unknown keyword": (about("x", **{"@foo": "A"}), MalformedError),
    "a base": (about("x", **{"@base": "https://example.org/"}), MalformedError),
    "an index": (about({"@value": "x", "@index": "lost"}), MalformedError),
    "a direction": (about({"@value": "x", "@direction": "rtl"}), MalformedError),
    "another context": (about("x", **{"@context": "https://example.org/v1"}), UnsupportedError),
    "an inline context": (about("x", **{"@context": {"p": P}}), MalformedError),
    "no context": ({"id": "urn:x:1", P: "x"}, MalformedError),
    "digits beyond a double's": (about(0.12345678901234567), MalformedError),
    "an integer beyond 2^53": (about(2**53), MalformedError),
    "not a number": (about(float("nan")), MalformedError),
    "infinity": (about(float("inf")), MalformedError),
    "half a surrogate pair": (about("\ud800"), MalformedError),
    "a number written as a text": (about({"@value": "1_0", "@type": XSD + "double"}), MalformedError),
}


@pytest.mark.parametrize("name", LOST)
def test_what_would_be_lost_or_read_in_two_ways_is_refused(name: str) -> None:
    document, error = LOST[name]
    with pytest.raises(FreeholdError) as raised:
        canonical_rdf(document)
    assert type(raised.value) is error


@pytest.mark.parametrize("text", ["1_0", "10.00", " 10", "1e1", "nan", "Infinity"])
def test_no_text_is_read_as_a_double(text: str) -> None:
    """PyLD reads them with Python's float, so that two texts would be under one signature."""
    with pytest.raises(MalformedError, match="a number, not a text"):
        canonical_rdf(about({"@value": text, "@type": XSD + "double"}))
    assert value_of({"@value": text, "@type": XSD + "decimal"}) == f'"{text}"^^<{XSD}decimal>'


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1, f'"1"^^<{XSD}integer>'),
        (1.0, f'"1"^^<{XSD}integer>'),
        (-0.0, f'"0"^^<{XSD}integer>'),
        (1e20, f'"100000000000000000000"^^<{XSD}integer>'),
        (1e21, f'"1.0E21"^^<{XSD}double>'),
        (1.5, f'"1.5E0"^^<{XSD}double>'),
        (5e-324, f'"4.940656458412465E-324"^^<{XSD}double>'),
        (True, f'"true"^^<{XSD}boolean>'),
        (False, f'"false"^^<{XSD}boolean>'),
        ("", '""'),
        ({"@value": 7, "@type": XSD + "byte"}, f'"7"^^<{XSD}byte>'),
    ],
)
def test_numbers_are_written_as_json_ld_says(value: Any, written: str) -> None:
    assert value_of(value) == written


def test_a_json_literal_is_written_by_jcs() -> None:
    where = {"b": [1.0, 1e21, 0.1, -0.0], "a": {"é": "\u2028", "": None}, "@context": FREEHOLD}
    document: Document = {"@context": FREEHOLD, "type": "AccessRequest", "where": where}
    check_terms(document)
    (literal,) = [value for _, _, value, _ in quads_of(document) if value.endswith("#JSON>")]
    text = literal[1 : literal.rindex('"')].replace('\\"', '"').replace("\\\\", "\\")
    assert text.encode() == jcs(where)


# Poison


def test_a_poisonous_document_is_refused_soon() -> None:
    document = twin_stars_document(FREEHOLD)
    check_terms(document)
    with counted() as work, pytest.raises(TooLargeError, match="too alike"):
        canonical_rdf(document)
    assert work.calls < 150_000
    with pytest.raises(TooLargeError):
        canonical_rdf(twin_stars_document(FREEHOLD, arms=3), max_steps=100)
    assert canonical_rdf(twin_stars_document(FREEHOLD, arms=3))


def test_depth_needs_no_recursion() -> None:
    value: Any = "x"
    for _ in range(3000):
        value = {P: value}
    with pytest.raises(TooLargeError, match="distance"):  # the nodes in the middle are alike
        canonical_rdf(about(value))
    assert len(quads_of(about(value))) == 3001


@pytest.mark.parametrize(
    "value",
    [
        [str(number) for number in range(19_000)],
        [{"id": f"urn:x:{number}", "name": "A"} for number in range(6000)],
        [{"name": str(number)} for number in range(6000)],
        [{"id": "urn:x:1", P: str(number)} for number in range(6000)],
    ],
    ids=["texts", "nodes", "nodes without ids", "one node again and again"],
)
def test_the_largest_documents_take_no_longer_than_their_size(value: Any) -> None:
    """PyLD takes 10 s to 3 min for these."""
    with counted() as work:
        size = len(canonical_rdf(about(value)))
    assert size > 100_000
    assert work.calls < 5 * size


# Entries


def test_a_dataset_that_says_nothing_has_no_canonical_form() -> None:
    with pytest.raises(MalformedError, match="says nothing"):
        canonicalize(set())
    assert read_nquads(b"") == set()


@pytest.mark.parametrize(
    "data", [b"x", b"<urn:a> <urn:b> .", b"\xff", b'<a> <urn:b> "x" .', b"_:a _:b _:c ."]
)
def test_what_is_no_n_quads_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedError):
        read_nquads(data)


def test_a_statement_about_a_statement_is_refused() -> None:
    data = b"<urn:a> <urn:b> <<( <urn:a> <urn:b> <urn:c> )>> ."
    with pytest.raises(MalformedError):
        read_nquads(data)


def test_json_that_means_two_things_never_gets_here() -> None:
    with pytest.raises(DuplicateKeyError):
        parse_document(b'{"@context": "x", "@context": "y"}')
    with pytest.raises(MalformedError):
        parse_document(b'{"name": NaN}')


def test_lines_are_sorted_by_code_point_and_said_once() -> None:
    document = about(["b", "a", "a", "\U0001f600", "\uffee"])
    assert [line.split('"')[1] for line in lines(document)] == ["a", "b", "\uffee", "\U0001f600"]


# Nothing leaves the machine


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        pytest.fail("a connection was tried")

    for name in ("socket", "create_connection", "getaddrinfo", "socketpair"):
        monkeypatch.setattr(socket, name, refuse)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080/c", "https://schema.org", "//example.org/c", "c.jsonld"]
)
def test_foreign_contexts_are_refused_without_a_connection(no_sockets: None, url: str) -> None:
    for context in (url, [FREEHOLD, url], [url, FREEHOLD]):
        with pytest.raises(UnsupportedError):
            canonical_rdf(about("x", **{"@context": context}))
    with pytest.raises(MalformedError):
        canonical_rdf(about({"@context": url, P: "x"}))
    signed = sign_document(about("x"), VENDOR)  # a proof of canonical JSON verifies under any context
    with pytest.raises(UnsupportedError):
        verify_document(
            {**signed, "@context": url, "proof": {**signed["proof"], "cryptosuite": RDFC, "@context": url}}
        )


def test_what_is_canonicalized_needs_no_connection(no_sockets: None) -> None:
    assert len(lines(about("x", **{"@context": [FREEHOLD, DATA_INTEGRITY]}))) == 1


def test_no_library_is_loaded_before_it_is_needed() -> None:
    """PyLD is only where some of the bundled contexts come from: documents of ours and capabilities need none."""
    code = (
        "import sys; import freehold_protocol.proof, freehold_protocol.rdf, freehold_protocol.contexts as c;"
        "assert not {'pyld', 'pyoxigraph'} & set(sys.modules);"
        f"document = {about('x')!r};"
        "freehold_protocol.rdf.canonical_rdf(document);"
        "document['@context'] = ['https://w3id.org/zcap/v1', 'https://w3id.org/security/suites/ed25519-2020/v1'];"
        "freehold_protocol.rdf.canonical_rdf(document);"
        "assert 'pyoxigraph' in sys.modules and 'pyld' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


# Whatever comes, it ends in one of our errors


SAMPLE: Document = {
    "@context": FREEHOLD,
    "id": "urn:x:1",
    "type": "Person",
    "name": ["Ada", {"@value": "Ada", "@language": "en"}],
    "address": {"type": "PostalAddress", "postalCode": "1"},
    "created": "2026-11-23T12:00:00Z",
    "where": {"a": 1},
    "items": [{"name": "x"}, "y"],
    "servingKey": "did:key:z6Mk",
}


@settings(max_examples=150, deadline=None)
@given(spoiled(SAMPLE))
def test_a_spoiled_document_ends_in_a_freehold_error(document: Document) -> None:
    for process in (canonical_rdf, quads_of):
        try:
            process(document)
        except FreeholdError:
            continue


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["id", "type", "@graph", "@list", "@set", "name", P, "@value"]), json_values
    )
)
def test_any_json_ends_in_a_freehold_error(members: dict[str, Any]) -> None:
    for process in (canonical_rdf, quads_of):
        try:
            process({"@context": FREEHOLD, **members})
        except FreeholdError:
            continue


# Contexts that somebody added


@pytest.mark.vectors
def test_a_vocabulary_gives_unknown_terms_their_meaning(vectors: Path) -> None:
    contexts = Contexts(published(vectors, EXAMPLES))
    document = {"@context": [CREDENTIALS, EXAMPLES], "id": "urn:x:1", "alumniOf": "X", "type": "Nmae"}
    kind, alumni = lines(document, contexts)
    assert kind.endswith("#type> <https://www.w3.org/ns/credentials/examples#Nmae> .")
    assert alumni == '<urn:x:1> <https://www.w3.org/ns/credentials/examples#alumniOf> "X" .'
    with pytest.raises(UndefinedTermError):
        canonical_rdf({**document, "alumni of": "X"}, contexts=contexts)
    assert json.loads(contexts.added[EXAMPLES])["@context"].keys() == {"@vocab"}
