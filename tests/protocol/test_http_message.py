"""Components of a message: the RFC's lines, header values, queries, and what no signature may cover."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from freehold_protocol.errors import (
    DuplicateKeyError,
    FreeholdError,
    MalformedError,
    SignatureError,
    TooLargeError,
    UnsupportedError,
)
from freehold_protocol.http_message import (
    MAX_VALUE_CHARS,
    Components,
    Message,
    check_content_digest,
    combine_headers,
    content_digest,
)
from freehold_protocol.http_signature import signature_base

ROOT = Path(__file__).resolve().parents[2]
VECTORS = Path(os.environ.get("FREEHOLD_VECTORS", ROOT.parent / "shared" / "vectors")) / "rfc9421"

REFUSED = {'"example-dict";sf', '"example-header";bs'}
"""The only identifiers among the RFC's lines that are unsupported: ``sf`` needs a list of every field's type,
and ``bs`` the header lines before they are combined."""
LINE = re.compile(r'("[^"]+"(?:;[a-z]+(?:="[^"]*")?)*): (.*)')


@pytest.mark.vectors
def test_component_lines_of_the_rfc(count_vectors: Callable[..., None]) -> None:
    path = VECTORS / "rfc9421.json"
    if not path.exists():
        pytest.skip("no rfc9421.json: set FREEHOLD_VECTORS")
    cases: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["component_cases"]
    refused, made = set(), 0
    for case in cases:
        message = Message(
            method=case.get("method", "GET"),
            target_uri=case.get("url", "https://www.example.com/"),
            headers=combine_headers((name, value) for name, value in case.get("headers", [])),
            status=case.get("status"),
        )
        for line in case["lines"]:
            match = LINE.fullmatch(line)
            assert match is not None, line
            identifier = match[1]
            component = identifier.replace('"', "", 2)
            if identifier in REFUSED:
                with pytest.raises(UnsupportedError):
                    signature_base(message, [component], f"({identifier})")
                refused.add(identifier)
                continue
            base = signature_base(message, [component], f"({identifier})").decode()
            assert base == f'{line}\n"@signature-params": ({identifier})'
            made += 1
    assert refused == REFUSED
    count_vectors("rfc9421", made, others=31 - made)
    assert made == 28  # of 31 lines; one of the two refused identifiers stands in two of them


def message_at(url: str, **headers: str) -> Message:
    return Message(
        method="GET", target_uri=url, headers={key.replace("_", "-"): headers[key] for key in headers}
    )


@pytest.mark.parametrize(
    ("pairs", "combined"),
    [
        ([], {}),
        ([("A", " \t x \t ")], {"a": "x"}),
        ([("A", "x"), ("B", "y"), ("a", " z ")], {"a": "x, z", "b": "y"}),
        ([("A", ""), ("A", "")], {"a": ", "}),
        ([("A", "x \t\r\n \t y")], {"a": "x y"}),
        ([("A", "\r\n x")], {"a": "x"}),
        ([("A", "x\ty")], {"a": "x\ty"}),
    ],
)
def test_header_values_are_trimmed_unfolded_and_joined(
    pairs: list[tuple[str, str]], combined: dict[str, str]
) -> None:
    assert combine_headers(pairs) == combined


@pytest.mark.parametrize(
    "pair",
    [
        ("a", "x\ny"),
        ("a", "x\ry"),
        ("a", "x\0y"),
        ("a", "x\r\ny"),
        ("a", "x\r\n"),
        ("a", 'x\r\n"@method": POST'),
        ("a", "x\r\n \n y"),
        ("a", "x\r\r\n y"),
        ("a", "caf\u00e9"),
        ("a", "\udce9"),
        ("", "x"),
        ("a b", "x"),
        ("a\n", "x"),
        ("@method", "x"),
        ("caf\u00e9", "x"),
        ("\u212aey", "x"),  # a Kelvin sign, which lower() would turn into k
        ('"a"', "x"),
    ],
)
def test_headers_that_are_refused(pair: tuple[str, str]) -> None:
    with pytest.raises(MalformedError):
        combine_headers([pair])


def test_combined_values_are_bounded() -> None:
    half = "x" * (MAX_VALUE_CHARS // 2)
    assert len(combine_headers([("a", half), ("b", half)])) == 2
    with pytest.raises(TooLargeError):
        combine_headers([("a", half), ("a", half)])


@pytest.mark.parametrize(
    ("url", "component", "value"),
    [
        ("https://EXAMPLE.org", "@authority", "example.org"),
        ("https://example.org:443/x", "@authority", "example.org"),
        ("http://example.org:443/x", "@authority", "example.org:443"),
        ("http://127.0.0.1:8420/x", "@authority", "127.0.0.1:8420"),
        ("http://[::1]:80/", "@authority", "[::1]"),
        ("http://example.org", "@scheme", "http"),
        ("https://example.org", "@path", "/"),
        ("https://example.org?", "@path", "/"),
        ("https://example.org/a/../b//%2e", "@path", "/a/../b//%2e"),
        ("https://example.org", "@request-target", "/"),
        ("https://example.org/a?b?c/d", "@request-target", "/a?b?c/d"),
        ("https://example.org/a", "@query", "?"),
        ("https://example.org/a?", "@query", "?"),
        ("HTTPS://Example.org:443/%7e#x", "@target-uri", "HTTPS://Example.org:443/%7e#x"),  # only text
        ("https://a/?n=1&m=2", '@query-param;name="m"', "2"),
        ("https://a/?n", '@query-param;name="n"', ""),
        ("https://a/?&&n=a=b&", '@query-param;name="n"', "a%3Db"),
        ("https://a/?n=+%2b", '@query-param;name="n"', "%20%2B"),
        ("https://a/?%6e=~*-._", '@query-param;name="n"', "%7E*-._"),
        ("https://a/?=x", '@query-param;name=""', "x"),
        ("https://a/?n=%25%0A", '@query-param;name="n"', "%25%0A"),
    ],
)
def test_derived_components(url: str, component: str, value: str) -> None:
    assert Components(message_at(url)).value(component) == value


@pytest.mark.parametrize(
    ("url", "component", "error"),
    [
        ("example.org/", "@authority", MalformedError),
        ("ftp://example.org/", "@path", MalformedError),
        ("https://user@example.org/", "@authority", MalformedError),
        ("https://example.org/#x", "@path", MalformedError),
        ("https://example.org/a b", "@path", MalformedError),
        ("https:///x", "@path", MalformedError),
        ("https://a/\n", "@path", MalformedError),
        ("https://a/" + "x" * MAX_VALUE_CHARS, "@path", TooLargeError),
        ("https://a/", "@status", UnsupportedError),
        ("https://a/", "@signature-params", UnsupportedError),
        ("https://a/", "@nonsense", UnsupportedError),
        ("https://a/?n=1", "@query-param", UnsupportedError),
        ("https://a/?n=1", '@query-param;name="m"', SignatureError),
        ("https://a/?n=1&n=1", '@query-param;name="n"', DuplicateKeyError),
        ("https://a/?n=1&%6E=2", '@query-param;name="n"', DuplicateKeyError),
        ("https://a/?n=%", '@query-param;name="n"', MalformedError),
        ("https://a/?n=%4", '@query-param;name="n"', MalformedError),
        ("https://a/?n=%+1", '@query-param;name="n"', MalformedError),
        ("https://a/?n=%ff", '@query-param;name="n"', MalformedError),
        ("https://a/?n=" + "x" * 5000, '@query-param;name="n"', TooLargeError),
        ("https://a/?n=1", "@query-param;name", MalformedError),
        ("https://a/?n=1", "@query-param;name=n", MalformedError),
        ("https://a/?n=1", '@query-param;name="n";req', UnsupportedError),
        ("https://a/", "@method;req", UnsupportedError),
        ("https://a/", '@method;key="a"', UnsupportedError),
        ("https://a/", "absent", SignatureError),
        ("https://a/", 'absent;key="a"', SignatureError),
        ("https://a/", 'd;key="z"', SignatureError),
        ("https://a/", 'd;key="a";req', UnsupportedError),
        ("https://a/", "d;key=a", MalformedError),
        ("https://a/", "d;sf", UnsupportedError),
        ("https://a/", "d;bs", UnsupportedError),
        ("https://a/", "d;tr", UnsupportedError),
        ("https://a/", "d;req", UnsupportedError),
        ("https://a/", "d;", MalformedError),
        ("https://a/", 'd; key="a"', MalformedError),
        ("https://a/", 'd;key="a" ', MalformedError),
        ("https://a/", 'd;key="a"\n', MalformedError),
        ("https://a/", 'e;key="a"', DuplicateKeyError),
    ],
)
def test_components_that_are_refused(url: str, component: str, error: type[FreeholdError]) -> None:
    with pytest.raises(error) as raised:
        Components(message_at(url, d="a=1", e="a=1, a=2")).value(component)
    assert raised.type is error


def test_a_response_has_a_status_and_nothing_of_its_request() -> None:
    response = Message(method="GET", target_uri="https://a/", headers={"x": "1"}, status=204)
    assert Components(response).value("@status") == "204"
    assert Components(response).value("x") == "1"
    for component in ("@method", "@target-uri", "@path"):
        with pytest.raises(UnsupportedError):
            Components(response).value(component)


SHA_256 = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"
SHA_512 = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"
BODY = b'{"hello": "world"}'  # with its digests, from RFC 9530


def test_content_digest_is_the_bodys() -> None:
    assert content_digest(BODY) == SHA_256
    assert content_digest(b"") == "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"


@pytest.mark.parametrize(
    "value", [SHA_256, SHA_512, f"{SHA_512}, {SHA_256}", f"{SHA_256},md5=:AAAA:", f"unixsum=1, {SHA_256}"]
)
def test_digests_that_hold(value: str) -> None:
    check_content_digest(value, BODY)


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("", UnsupportedError),
        ("md5=:AAAA:", UnsupportedError),
        ("sha-256=:AAAA:", SignatureError),
        ("sha-256=::", SignatureError),
        (f"{SHA_256}, sha-512=:AAAA:", SignatureError),
        (f"{SHA_512}, sha-256=:AAAA:", SignatureError),
        (f"{SHA_256}, {SHA_256}", DuplicateKeyError),
        (f"sha-256=:AAAA:, {SHA_256}", DuplicateKeyError),
        (f"{SHA_256};q=1", MalformedError),
        ("sha-256", MalformedError),
        ("sha-256=(:AAAA:)", MalformedError),
        ('sha-256="X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE="', MalformedError),
        ("SHA-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:", MalformedError),
        ("sha-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=", MalformedError),
        (f"{SHA_256},", MalformedError),
        (SHA_256 + "x" * 9000, TooLargeError),
    ],
)
def test_digests_that_are_refused(value: str, error: type[FreeholdError]) -> None:
    with pytest.raises(error) as raised:
        check_content_digest(value, BODY)
    assert raised.type is error


def test_a_changed_body_is_refused() -> None:
    with pytest.raises(SignatureError):
        check_content_digest(SHA_256, BODY + b"\n")
