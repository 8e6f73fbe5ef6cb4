"""Vectors of specs/http-signatures.md: what of RFC 9421 and RFC 9530 is read, and how strictly."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

from cases import Case, Json, Operation, refused, valid
from craft import Document, b64, sha256
from craft_http import AT, Pairs, base, digest_of, message, parameters, signature_headers
from scene import ORIGIN, STRANGER, VENDOR

_PARAMS: Final[Document] = {"created": AT, "keyid": VENDOR.method, "alg": "ed25519"}
_TARGET: Final = "/g/a/b?limit=50&name=Ada+L%C3%B6velace"


def _text(components: list[str], params: Document | None = None) -> str:
    return f"({' '.join(components)}){parameters(_PARAMS | (params or {}))}"


def _case(code: str, requirements: str, name: str, text: str, output: Json = None, **given: Json) -> Case:
    given = {"message": text, "origin": ORIGIN, "key": VENDOR.did} | given
    return (
        valid(requirements, name, output, **given)
        if code == "valid"
        else refused(code, requirements, name, **given)
    )


def _request(
    values: Pairs,
    headers: Pairs = (),
    *,
    target: str = _TARGET,
    params: Document | None = None,
    text: str | None = None,
    label: str = "sig",
    first: str | None = None,
) -> str:
    """Return a request whose components and their values are given, so signed."""
    written = text if text is not None else _text([name for name, _ in values], params)
    signed = signature_headers(VENDOR, values, written, label=label)
    return message(first or f"GET {target} HTTP/1.1", [("Host", "x.example"), *headers, *signed])


_METHOD: Final = ('"@method"', "GET")


def _components() -> Iterator[Case]:
    authority = ORIGIN.partition("://")[2]
    values: list[tuple[str, str]] = [
        _METHOD, ('"@target-uri"', ORIGIN + _TARGET), ('"@authority"', authority), ('"@scheme"', "https"),
        ('"@request-target"', _TARGET), ('"@path"', "/g/a/b"),
        ('"@query"', "?limit=50&name=Ada+L%C3%B6velace"),
        ('"@query-param";name="limit"', "50"), ('"@query-param";name="name"', "Ada%20L%C3%B6velace"),
        ('"x-dict";key="b"', "(1 2);q"), ('"x-dict"', "a=1, b=(1 2);q"),
    ]  # fmt: skip
    headers = [("X-Dict", "a=1, b=(1 2);q")]
    yield _case(
        "valid",
        "SIG-7 SIG-8 SIG-15",
        "every kind of component",
        _request(values, headers),
        {"base": base(values, _text([name for name, _ in values]))},
    )
    for value in values:
        yield _case(
            "valid",
            "SIG-7 SIG-15",
            f"{value[0]} alone",
            _request([value], headers),
            {"base": base([value], _text([value[0]]))},
        )
    plain = [('"@authority"', "p3kx9.example.org:8443")]
    yield _case(
        "valid",
        "SIG-8",
        "a port that is not the usual one",
        _request(plain),
        origin="https://p3kx9.example.org:8443",
    )
    yield _case(
        "signature-invalid", "SIG-8 INV-2", "@authority by Host", _request([('"@authority"', "x.example")])
    )
    yield _case(
        "valid", "SIG-8", "no query", _request([('"@query"', "?"), ('"@path"', "/g/a/b")], target="/g/a/b")
    )
    yield _case(
        "valid",
        "SIG-8",
        "the path as sent, escapes and all",
        _request([('"@path"', "/g/%61/B")], target="/g/%61/B"),
    )
    yield _case(
        "signature-invalid", "SIG-8", "the path decoded", _request([('"@path"', "/g/a/B")], target="/g/%61/B")
    )
    response = [('"@status"', "200"), ('"content-type"', "application/json")]
    signed = signature_headers(VENDOR, response, _text([name for name, _ in response]))
    yield _case(
        "valid",
        "SIG-7",
        "a response",
        message("HTTP/1.1 200 OK", [("Content-Type", "application/json"), *signed]),
        {"base": base(response, _text([name for name, _ in response]))},
    )
    yield _case(
        "signature-invalid",
        "SIG-7",
        "a response of another status",
        message("HTTP/1.1 403 Forbidden", [("Content-Type", "application/json"), *signed]),
    )
    unsupported: tuple[tuple[str, str], ...] = (
        ('"@signature-params"', "x"), ('"@status"', "200"), ('"@query-params"', "x"), ('"@client-ip"', "x"),
        ('"x-dict";sf', "a=1, b=(1 2);q"), ('"x-dict";bs', ":YQ==:"), ('"x-dict";tr', "a=1"),
        ('"@method";req', "GET"), ('"@path";key="a"', "x"),
    )  # fmt: skip
    for name, one in unsupported:
        yield _case("unsupported", "SIG-7", f"the component {name}", _request([(name, one)], headers))
    methods = message("HTTP/1.1 200 OK", signature_headers(VENDOR, [_METHOD], _text(['"@method"'])))
    yield _case("unsupported", "SIG-7", "@method in a response", methods)
    for name in ('"x-none"', '"x-dict";key="c"', '"@query-param";name="other"'):
        yield _case(
            "signature-invalid", "SIG-10", f"{name}, which is not there", _request([(name, "x")], headers)
        )
    yield _case(
        "duplicate-key",
        "SIG-9",
        "a query parameter that comes twice",
        _request([('"@query-param";name="a"', "1")], target="/a?a=1&a=2"),
    )
    yield _case(
        "duplicate-key",
        "SIG-9",
        "twice, once escaped",
        _request([('"@query-param";name="a"', "1")], target="/a?a=1&%61=2"),
    )
    yield _case(
        "malformed",
        "SIG-9",
        "a broken escape in the query",
        _request([('"@query-param";name="a"', "1")], target="/a?a=1&b=%2"),
    )
    yield _case(
        "malformed",
        "SIG-9",
        "a query that is not UTF-8",
        _request([('"@query-param";name="a"', "1")], target="/a?a=1&b=%FF"),
    )
    long = "/a?a=1&b=" + "c" * 4_090
    yield _case(
        "valid",
        "SIG-9",
        "a query of 4,096 characters",
        _request([('"@query-param";name="a"', "1")], target=long),
    )
    yield _case(
        "too-large",
        "SIG-9 LIM-1",
        "a query of one more",
        _request([('"@query-param";name="a"', "1")], target=long + "c"),
    )


def _values() -> Iterator[Case]:
    for name, headers, value in (
        ("spaces and tabs around it", [("X-A", " \t b \t")], "b"),
        ("two lines of one name", [("X-A", "b"), ("x-a", "c")], "b, c"),
        ("a folded line", [("X-A", "b\r\n \t c")], "b c"), ("an empty value", [("X-A", "")], ""),
        ("an empty line beside", [("X-A", ""), ("X-A", "b")], ", b"),
        ("spaces within", [("X-A", "b  c")], "b  c"),
    ):  # fmt: skip
        yield _case(
            "valid",
            "SIG-5",
            name,
            _request([('"x-a"', value)], headers),
            {"base": base([('"x-a"', value)], _text(['"x-a"']))},
        )
    yield _case(
        "signature-invalid",
        "SIG-5",
        "lines joined without a space",
        _request([('"x-a"', "b,c")], [("X-A", "b"), ("X-A", "c")]),
    )
    yield _case("malformed", "SIG-6", "a letter beyond ASCII", _request([('"x-a"', "ä")], [("X-A", "ä")]))
    yield _case("malformed", "SIG-6", "a NUL", _request([('"x-a"', "a\0b")], [("X-A", "a\0b")]))
    yield _case(
        "malformed", "SIG-6", "a bare carriage return", _request([('"x-a"', "a\rb")], [("X-A", "a\rb")])
    )
    yield _case("malformed", "SIG-6", "a bare line feed", _request([('"x-a"', "a\nb")], [("X-A", "a\nb")]))
    yield _case("malformed", "SIG-6", "a name that is no token", _request([_METHOD], [("X A", "b")]))
    yield _case(
        "valid", "SIG-6", "16,384 characters", _request([('"x-a"', "b" * 16_384)], [("X-A", "b" * 16_384)])
    )


def _parsing() -> Iterator[Case]:
    values = [_METHOD, ('"@target-uri"', ORIGIN + _TARGET)]
    two = signature_headers(VENDOR, values, _text(['"@method"', '"@target-uri"'], {"tag": "zcap"}), label="a")
    three = signature_headers(
        STRANGER, values, _text(['"@method"', '"@target-uri"'], {"tag": "other"}), label="b"
    )
    beside = message(
        f"GET {_TARGET} HTTP/1.1",
        [(one[0], f"{one[1]}, {other[1]}") for one, other in zip(two, three, strict=True)],
    )
    yield _case("valid", "SIG-11", "one with the tag, and one of another beside", beside, tag="zcap")
    yield _case("malformed", "SIG-11", "two, and no tag is asked for", beside)
    yield _case("malformed", "SIG-11", "none with the tag", beside, tag="third")
    same = signature_headers(
        VENDOR, values, _text(['"@method"', '"@target-uri"'], {"tag": "zcap"}), label="b"
    )
    twice = message(
        f"GET {_TARGET} HTTP/1.1",
        [(one[0], f"{one[1]}, {other[1]}") for one, other in zip(two, same, strict=True)],
    )
    yield _case("malformed", "SIG-11", "two with the tag", twice, tag="zcap")
    yield _case(
        "malformed",
        "SIG-11",
        "labels that differ",
        _request(values).replace("Signature: sig=", "Signature: gis="),
    )
    yield _case(
        "malformed",
        "SIG-11",
        "a label more in one header",
        _request(values).replace("Signature: sig=", "Signature: x=:AA==:, sig="),
    )
    yield _case("valid", "SIG-11", "another label, which says nothing", _request(values, label="whatever"))
    for header in ("Signature", "Signature-Input"):
        yield _case(
            "malformed",
            "SIG-11",
            f"no {header}",
            _request(values).replace(f"\r\n{header}: ", "\r\nX-Gone: ", 1),
        )
    yield _case(
        "duplicate-key",
        "SIG-2",
        "a label twice",
        message(f"GET {_TARGET} HTTP/1.1", [*two, *two]),
        tag="zcap",
    )
    params = parameters(_PARAMS)
    pair = '("@method" "@target-uri")'
    for name, code, requirements, text in (
        ("two spaces between components", "malformed", "SIG-12", f'("@method"  "@target-uri"){params}'),
        ("a space inside the list", "malformed", "SIG-12", f'( "@method" "@target-uri"){params}'),
        ("a space after a semicolon", "malformed", "SIG-12", pair + params.replace(";keyid", "; keyid")),
        ("a leading zero", "malformed", "SIG-12", pair + params.replace("created=", "created=0")),
        ("a parameter twice", "duplicate-key", "SIG-2 SIG-13", pair + params + ";created=1"),
        ("another parameter", "unsupported", "SIG-13", pair + params + ';context="x"'),
        (
            "created as text",
            "malformed",
            "SIG-13",
            pair + params.replace(str(AT), chr(34) + str(AT) + chr(34)),
        ),
        ("created below nought", "malformed", "SIG-13", pair + params.replace("created=", "created=-")),
        (
            "created with a fraction",
            "malformed",
            "SIG-13",
            f'("@method" "@target-uri"){params.replace(f"{AT}", f"{AT}.5")}',
        ),
        ("created as a date", "unsupported", "SIG-4", pair + params.replace("created=", "created=@")),
        (
            "alg as a token",
            "malformed",
            "SIG-13",
            pair + params.replace(chr(34) + "ed25519" + chr(34), "ed25519"),
        ),
        ("a display string", "unsupported", "SIG-4", pair + params + ';tag=%"x"'),
        ("a component twice", "duplicate-key", "SIG-14", f'("@method" "@method"){params}'),
        ("a component that is no text", "malformed", "SIG-12", f"(method){params}"),
        ("no list", "malformed", "SIG-11", f'"@method"{params}'),
        ("a list that is not closed", "malformed", "SIG-12", f'("@method" "@target-uri"{params}'),
        ("a header's name in capitals", "malformed", "SIG-12", f'("@method" "X-A"){params}'),
    ):
        yield _case(code, requirements, name, _request(values, text=text))
    yield _case(
        "valid",
        "SIG-13",
        "parameters in another order",
        _request(
            values, text=f'("@method" "@target-uri");alg="ed25519";keyid="{VENDOR.method}";created={AT}'
        ),
    )
    yield _case("valid", "SIG-16", "no alg", _request(values, params={"alg": None}))
    for alg in ("hmac-sha256", "rsa-pss-sha512", "Ed25519", ""):
        yield _case("unsupported", "SIG-16", f"alg {alg!r}", _request(values, params={"alg": alg}))
    many = [(f'"x-{n}"', str(n)) for n in range(33)]
    headers = [(f"X-{n}", str(n)) for n in range(33)]
    yield _case("valid", "SIG-14", "32 components", _request(many[:32], headers))
    yield _case("too-large", "SIG-14 LIM-1", "33 components", _request(many, headers))
    yield _case(
        "too-large",
        "SIG-14 LIM-1",
        "257 spaces",
        _request(values).replace("Signature-Input: sig=(", "Signature-Input: sig=(" + " " * 257),
    )
    yield _case(
        "too-large",
        "SIG-1 LIM-1",
        "a header of more than 8,192 characters",
        _request(values, params={"nonce": "a" * 8_200}),
    )


def _verifying() -> Iterator[Case]:
    values = [_METHOD, ('"@target-uri"', ORIGIN + _TARGET)]
    good = _request(values)
    line = next(one for one in good.split("\r\n") if one.startswith("Signature: "))
    made = line.removeprefix("Signature: sig=:").removesuffix(":")
    wrong = "signature-invalid"
    yield _case(wrong, "SIG-15", "another key", good, key=STRANGER.did)
    yield _case(wrong, "SIG-15", "another method", good.replace("GET ", "HEAD ", 1))
    yield _case(wrong, "SIG-15 SIG-8", "another query", good.replace("limit=50", "limit=51", 1))
    yield _case(wrong, "SIG-15", "another time", good.replace(f"created={AT}", f"created={AT + 1}"))
    yield _case(wrong, "SIG-15 SIG-8", "at another origin", good, origin="https://elsewhere.example")
    lines = base(values, _text([name for name, _ in values]))
    for name, data in (
        ("a line feed at the end", lines + "\n"),
        ("carriage returns", lines.replace("\n", "\r\n")),
        ("names without quotes", lines.replace('"@method": ', "@method: ", 1)),
        ("no space after the colon", lines.replace(": ", ":")),
        ("the parameters with the label", lines.replace('params": ', 'params": sig=')),
    ):
        other = b64(VENDOR.sign(data.encode()))
        yield _case(wrong, "SIG-15", f"a base with {name}", good.replace(made, other))
    for name, text in (
        ("without padding", made.rstrip("=")),
        ("with bits left over", made[:-3] + ("R" if made[-3] != "R" else "B") + "=="),
        ("in base64url", made.replace("+", "-").replace("/", "_").replace("A", "-", 1)),
    ):
        yield _case("malformed", "SIG-3 ENC-3", f"a signature {name}", good.replace(made, text))
    yield _case(wrong, "SIG-16 PRF-14", "a signature of 63 bytes", good.replace(made, b64(bytes(63))))
    yield _case("malformed", "SIG-11", "a signature that is a text", good.replace(f":{made}:", f'"{made}"'))


def _digests() -> Iterator[Case]:
    body = '{"text":"Hello."}'
    long = f"sha-512=:{b64(hashlib.sha512(body.encode()).digest())}:"
    right = digest_of(body.encode())

    def case(code: str, requirements: str, name: str, value: str) -> Case:
        given = {"value": value, "body": body}
        return (
            valid(requirements, name, **given)
            if code == "valid"
            else refused(code, requirements, name, **given)
        )

    yield case("valid", "SIG-19 SIG-20", "sha-256", right)
    yield case("valid", "SIG-20", "sha-512", long)
    yield case("valid", "SIG-20", "both", f"{right}, {long}")
    yield case("valid", "SIG-20", "another beside", f"{right}, md5=:AAAA:")
    yield case("signature-invalid", "SIG-20", "of another body", digest_of(b"x"))
    yield case(
        "signature-invalid",
        "SIG-20",
        "both, and one is of another body",
        f"{right}, {long.replace(long[12], 'B' if long[12] != 'B' else 'C', 1)}",
    )
    yield case("signature-invalid", "SIG-20", "cut short", f"sha-256=:{b64(sha256(body.encode())[:16])}:")
    yield case("unsupported", "SIG-20", "another only", "md5=:AAAA:")
    yield case("unsupported", "SIG-20", "nothing", "")
    yield case("unsupported", "SIG-20", "the name in capitals is another", right.replace("sha-256", "sha-1"))
    yield case("malformed", "SIG-1 SIG-20", "a text", f'sha-256="{b64(sha256(body.encode()))}"')
    yield case(
        "malformed",
        "SIG-3 SIG-20",
        "without padding",
        "sha-256=:" + b64(sha256(body.encode())).rstrip("=") + ":",
    )
    yield case("malformed", "SIG-20", "with a parameter", right + ";q=1")
    yield case("duplicate-key", "SIG-2 SIG-20", "twice", f"{right}, {digest_of(b'x')}")
    yield case("too-large", "SIG-1 LIM-1", "more than 8,192 characters", f"{right}, x=:{'A' * 8_192}:")


OPERATIONS = (
    Operation(
        name="verify-signature",
        description="Verify the signature of a whole `message`, a request that came at `origin` or "
        "a response, by `key` (DID), and by its `tag` where one is asked for. "
        "Whether it covers enough, and its times, are not asked. Output: the signature `base`.",
        cases=(*_components(), *_values(), *_parsing(), *_verifying()),
    ),
    Operation(
        name="content-digest",
        description="Compare the `value` of a Content-Digest with a `body` (text, in UTF-8).",
        cases=tuple(_digests()),
    ),
)
