"""HTTP message signatures: the RFC's cases, every kind of tampering, hostile headers, and both parsers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from collections.abc import Callable
from dataclasses import replace
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
from freehold_protocol.http_signature import (
    MAX_COMPONENTS,
    Message,
    SignatureInput,
    _parse_any,
    _parse_own,
    combine_headers,
    parse_signature,
    sign,
    signature_base,
    verify,
)
from freehold_protocol.keys import PublicKey, SigningKey
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
VECTORS = Path(os.environ.get("FREEHOLD_VECTORS", ROOT.parent / "shared" / "vectors")) / "rfc9421"

KEY = SigningKey(bytes(range(32)))
URL = "https://p3kx9.example.org/g/AbCd/delivery/records?limit=50"
COMPONENTS = ("@method", "@target-uri", "capability-invocation")
INVOCATION = 'zcap capability="H4sIAAAAAAAA_wMAAAAAAAAAAAA",action="read"'
SIGNATURE = base64.b64encode(bytes(64)).decode()


@pytest.fixture(scope="module")
def rfc() -> dict[str, Any]:
    path = VECTORS / "rfc9421.json"
    if not path.exists():
        pytest.skip("no rfc9421.json: set FREEHOLD_VECTORS")
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def from_wire(message: dict[str, Any]) -> Message:
    headers = combine_headers((name, value) for name, value in message["headers"])
    method, target, protocol = message["start_line"].split(" ", 2)
    if method.startswith("HTTP/"):
        return Message(method="", target_uri="", headers=headers, status=int(target))
    assert protocol == "HTTP/1.1"
    return Message(method=method, target_uri=f"https://{headers['host']}{target}", headers=headers)


def rfc_key(rfc: dict[str, Any]) -> SigningKey:
    jwk = rfc["keys"]["test-key-ed25519"]["jwk"]
    key = SigningKey(base64.urlsafe_b64decode(jwk["d"] + "="))
    assert key.public.raw == base64.urlsafe_b64decode(jwk["x"] + "=")
    return key


@pytest.mark.vectors
def test_signature_cases_of_the_rfc(rfc: dict[str, Any], count_vectors: Callable[..., None]) -> None:
    algorithms = []
    for case in rfc["signature_cases"]:
        message = from_wire(rfc["messages"][case["message"]])
        headers = {"signature-input": case["signature_input"], "signature": case["signature"]}
        parsed = parse_signature(headers)
        base = signature_base(message, parsed.components, parsed.params_text)
        assert base.decode() == case["signature_base"]
        assert parsed.label == case["label"]
        assert f"{parsed.label}={parsed.params_text}" == case["signature_input"]
        assert f"{parsed.label}=:{base64.b64encode(parsed.signature).decode()}:" == case["signature"]
        if case["alg"] == "ed25519":
            key = rfc_key(rfc)
            verify(message, parsed, key.public)
            assert key.sign(base) == parsed.signature
        if case["alg"] == "hmac-sha256":
            secret = base64.b64decode(rfc["keys"]["test-shared-secret"]["base64"])
            assert hmac.digest(secret, base, hashlib.sha256) == parsed.signature
        algorithms.append(case["alg"])
    assert len(algorithms) == 6
    assert algorithms.count("ed25519") == 1
    count_vectors("rfc9421", len(algorithms))


@pytest.mark.vectors
def test_transform_cases_of_the_rfc(rfc: dict[str, Any], count_vectors: Callable[..., None]) -> None:
    key = rfc_key(rfc).public
    verdicts = []
    for case in rfc["transform_cases"]:
        message = from_wire(case["message"])
        parsed = parse_signature(message.headers)
        verdicts.append(case["valid"])
        if case["valid"]:
            verify(message, parsed, key)
            base = signature_base(message, parsed.components, parsed.params_text)
            assert base.decode() == case["signature_base_if_valid"]
        else:
            with pytest.raises(SignatureError):
                verify(message, parsed, key)
    assert (verdicts.count(True), verdicts.count(False)) == (4, 2)
    count_vectors("rfc9421", len(verdicts))


def signed(**changes: Any) -> Message:
    """A message signed as the vendor library signs it."""
    message = Message(method="GET", target_uri=URL, headers={"capability-invocation": INVOCATION})
    arguments: dict[str, Any] = {
        "components": COMPONENTS,
        "key": KEY,
        "created_s": 1795000000,
        "expires_s": 1795000600,
        "nonce": "abcdefghijklmnopqrstuv",
        "tag": "zcap",
    }
    return replace(message, headers={**message.headers, **sign(message, **{**arguments, **changes})})


def own_input(**changes: str) -> str:
    """A Signature-Input of our profile with some parts replaced by other text."""
    parts = {
        "label": "sig",
        "components": '("@method" "@target-uri" "capability-invocation")',
        "created": ";created=1795000000",
        "expires": ";expires=1795000600",
        "keyid": ';keyid="did:key:z6Mk"',
        "alg": ';alg="ed25519"',
        "nonce": ';nonce="abcdefghijklmnopqrstuv"',
        "tag": ';tag="zcap"',
    }
    label, *rest = (changes.get(name, text) for name, text in parts.items())
    return f"{label}={''.join(rest)}"


def headers_of(written: str, signature: str = f"sig=:{SIGNATURE}:") -> dict[str, str]:
    return {"signature-input": written, "signature": signature}


def test_what_is_signed_verifies_and_says_what_was_asked() -> None:
    message = signed()
    parsed = parse_signature(message.headers, tag="zcap")
    verify(message, parsed, KEY.public)
    assert parsed == SignatureInput(
        label="sig",
        components=COMPONENTS,
        created=1795000000,
        expires=1795000600,
        keyid=KEY.method,
        alg="ed25519",
        nonce="abcdefghijklmnopqrstuv",
        tag="zcap",
        params_text=message.headers["signature-input"].removeprefix("sig="),
        signature=parsed.signature,
    )
    assert _parse_own(message.headers["signature-input"], message.headers["signature"]) == parsed


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "POST"},
        {"method": "get"},
        {"target_uri": URL + "0"},
        {"target_uri": URL.replace("https:", "http:")},
        {"target_uri": URL.replace("delivery", "Delivery")},
        {"target_uri": URL.replace("delivery", "%64elivery")},
        {"headers": {"capability-invocation": INVOCATION + " "}},
        {"headers": {"capability-invocation": INVOCATION.replace("read", "write")}},
        {"headers": {}},
    ],
)
def test_a_changed_message_does_not_verify(changes: dict[str, Any]) -> None:
    message = signed()
    parsed = parse_signature(message.headers)
    with pytest.raises(SignatureError):
        verify(replace(message, **changes), parsed, KEY.public)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("sig=", "gis="),
        ("created=1795000000", "created=1795000001"),
        ("expires=1795000600", "expires=1795000601"),
        ("abcdefghijklmnopqrstuv", "bbcdefghijklmnopqrstuv"),
        ('tag="zcap"', 'tag="freehold-did"'),
        ("#z6Mk", "#z6Ml"),
        (';alg="ed25519"', ""),
        ('"@method" "@target-uri"', '"@target-uri" "@method"'),
        (' "capability-invocation"', ""),
        ('"@target-uri"', '"@path"'),
    ],
)
def test_changed_parameters_do_not_verify(old: str, new: str) -> None:
    message = signed()
    assert old in message.headers["signature-input"]
    headers = {name: value.replace(old, new) for name, value in message.headers.items()}
    changed = replace(message, headers=headers)
    if old == "sig=":  # the label is the one part that is not signed
        verify(changed, parse_signature(headers), KEY.public)
    else:
        with pytest.raises(SignatureError):
            verify(changed, parse_signature(headers), KEY.public)


def test_another_key_or_another_signature_does_not_verify() -> None:
    message = signed()
    parsed = parse_signature(message.headers)
    flipped = bytes([parsed.signature[0] ^ 1]) + parsed.signature[1:]
    for wrong, key in [
        (parsed, SigningKey(bytes(32)).public),
        (replace(parsed, signature=flipped), KEY.public),
        (replace(parsed, signature=parsed.signature[:63]), KEY.public),
        (replace(parsed, signature=b""), KEY.public),
    ]:
        with pytest.raises(SignatureError):
            verify(message, wrong, key)


@pytest.mark.parametrize("alg", ["rsa-pss-sha512", "hmac-sha256", "Ed25519", ""])
def test_other_algorithms_are_refused(alg: str) -> None:
    parsed = parse_signature(headers_of(own_input(alg=f';alg="{alg}"')))
    with pytest.raises(UnsupportedError):
        verify(signed(), parsed, KEY.public)


@pytest.mark.parametrize(
    ("written", "error"),
    [
        ("", MalformedError),
        ("sig", MalformedError),
        ("sig=1", MalformedError),
        ("sig=(", MalformedError),
        (own_input(label="other"), MalformedError),
        (own_input(label="SIG"), MalformedError),
        (own_input() + ", b=()", MalformedError),
        (own_input() + ", " + own_input(), DuplicateKeyError),
        (own_input() + ",", MalformedError),
        (own_input() + " ", MalformedError),
        (own_input() + "\n", MalformedError),
        (" " + own_input(), MalformedError),
        (own_input(components="()").replace("()", "( )"), MalformedError),
        (own_input(components='("@method"  "@target-uri")'), MalformedError),
        (own_input(components='("@method" "@target-uri" )'), MalformedError),
        (own_input(components='("@method""@target-uri")'), MalformedError),
        (own_input(components='("@method" "@method")'), DuplicateKeyError),
        (own_input(components='("a";key="b" "a";key="b")'), DuplicateKeyError),
        (own_input(components='("A")'), MalformedError),
        (own_input(components='("@")'), MalformedError),
        (own_input(components='("")'), MalformedError),
        (own_input(components='("a b")'), MalformedError),
        (own_input(components='("a\\"")'), MalformedError),
        (own_input(components='("a;sf")'), MalformedError),
        (own_input(components="(a)"), MalformedError),
        (own_input(components="(1)"), MalformedError),
        (own_input(components="(:YQ==:)"), MalformedError),
        (own_input(components=f"({' '.join(f'{chr(34)}x{n}{chr(34)}' for n in range(33))})"), TooLargeError),
        (own_input(components=f"({' '.join(['1'] * 300)})"), TooLargeError),
        (own_input(created="; created=1"), MalformedError),
        (own_input(created=";created=01"), MalformedError),
        (own_input(created=";created=-1"), MalformedError),
        (own_input(created=";created=-0"), MalformedError),
        (own_input(created=";created=1.0"), MalformedError),
        (own_input(created=";created=1000000000000000"), MalformedError),
        (own_input(created=';created="1"'), MalformedError),
        (own_input(created=";created"), MalformedError),
        (own_input(created=";created=?1"), MalformedError),
        (own_input(created=";created=@1"), UnsupportedError),
        (own_input(created=";created=1;created=2"), DuplicateKeyError),
        (own_input(created=";created=\u0661"), MalformedError),
        (own_input(keyid=";keyid=abc"), MalformedError),
        (own_input(keyid=";keyid=:YQ==:"), MalformedError),
        (own_input(keyid=";keyid"), MalformedError),
        (own_input(keyid=';keyid="caf\u00e9"'), MalformedError),
        (own_input(keyid=';keyid="a\nb"'), MalformedError),
        (own_input(alg=";alg=ed25519"), MalformedError),
        (own_input(tag=";tag=zcap"), MalformedError),
        (own_input(tag=';tag="zcap";other=1'), UnsupportedError),
        (own_input(tag=';tag="zcap";Tag="zcap"'), MalformedError),
        (own_input(nonce=f';nonce="{"x" * 8192}"'), TooLargeError),
    ],
)
def test_signature_inputs_that_are_refused(written: str, error: type[FreeholdError]) -> None:
    with pytest.raises(error) as raised:
        parse_signature(headers_of(written))
    assert raised.type is error


@pytest.mark.parametrize(
    ("signature", "error"),
    [
        ("", MalformedError),
        ("sig", MalformedError),
        ("sig=", MalformedError),
        ("sig=::;a", MalformedError),
        (f"sig=:{SIGNATURE}", MalformedError),
        (f"sig=:{SIGNATURE[:-2]}:", MalformedError),
        (f"sig=:{SIGNATURE[:-3]}B==:", MalformedError),
        (f"sig=:{SIGNATURE[:-4]}-_==:", MalformedError),
        (f"sig={SIGNATURE}", MalformedError),
        (f'sig="{SIGNATURE}"', MalformedError),
        (f"sig=(:{SIGNATURE}:)", MalformedError),
        (f"other=:{SIGNATURE}:", MalformedError),
        (f"sig=:{SIGNATURE}:, other=:{SIGNATURE}:", MalformedError),
        (f"sig=:{SIGNATURE}:, sig=:{SIGNATURE}:", DuplicateKeyError),
        (f"sig=:{SIGNATURE}:;x=1", MalformedError),
        (f"sig=:{'A' * 9000}:", TooLargeError),
        ("," * 300, TooLargeError),
    ],
)
def test_signatures_that_are_refused(signature: str, error: type[FreeholdError]) -> None:
    with pytest.raises(error) as raised:
        parse_signature(headers_of(own_input(), signature))
    assert raised.type is error


@pytest.mark.parametrize("missing", ["signature", "signature-input"])
def test_both_headers_are_needed(missing: str) -> None:
    headers = headers_of(own_input())
    del headers[missing]
    with pytest.raises(MalformedError):
        parse_signature(headers)


def test_a_tag_selects_one_signature_among_several() -> None:
    ours, proxys = own_input(), 'proxy=("@authority");created=1;tag="proxy"'
    headers = headers_of(f"{proxys}, {ours}", f"proxy=:AAAA:, sig=:{SIGNATURE}:")
    parsed = parse_signature(headers, tag="zcap")
    assert parsed.params_text == ours.removeprefix("sig=")
    assert parsed.signature == bytes(64)
    assert parse_signature(headers, tag="proxy").components == ("@authority",)
    for tag in (None, "other"):
        with pytest.raises(MalformedError):
            parse_signature(headers, tag=tag)


@pytest.mark.parametrize("tag", ["other", "", "zca", "zcap "])
def test_the_only_signature_must_have_the_tag(tag: str) -> None:
    with pytest.raises(MalformedError):
        parse_signature(headers_of(own_input()), tag=tag)
    with pytest.raises(MalformedError):
        parse_signature(headers_of(own_input(tag="")), tag=tag)


def test_two_signatures_of_one_tag_are_refused() -> None:
    headers = headers_of(f"{own_input()}, {own_input(label='b')}", f"sig=:{SIGNATURE}:, b=:{SIGNATURE}:")
    with pytest.raises(MalformedError):
        parse_signature(headers, tag="zcap")


def test_the_parameters_keep_the_order_in_which_they_came() -> None:
    written = 'x=("@method");tag="t";nonce="n";alg="ed25519";created=5'
    parsed = parse_signature(headers_of(written, "x=:AAAA:"))
    assert parsed.params_text == '("@method");tag="t";nonce="n";alg="ed25519";created=5'
    assert (parsed.created, parsed.expires, parsed.keyid) == (5, None, None)


def test_components_with_parameters_are_parsed_and_refused_when_they_are_used() -> None:
    parsed = parse_signature(headers_of(own_input(components='("accept";sf "date";req;tr)')))
    assert parsed.components == ("accept;sf", "date;req;tr")
    message = Message(method="GET", target_uri=URL, headers={"accept": "a", "date": "b"})
    with pytest.raises(UnsupportedError):
        verify(message, parsed, KEY.public)


@pytest.mark.parametrize("value", ['x\n"@method": POST', "x\ry", "x\0y", "caf\u00e9"])
def test_no_value_can_add_a_line(value: str) -> None:
    for message in (
        Message(method="GET", target_uri=URL, headers={"x": value}),
        Message(method=value, target_uri=URL, headers={}),
        Message(method="GET", target_uri=value, headers={}),
    ):
        component = "x" if message.headers else "@method" if message.method != "GET" else "@target-uri"
        with pytest.raises(MalformedError):
            signature_base(message, [component], f'("{component}")')


@pytest.mark.parametrize("component", ['x"\n"y', "X", "", ";a", "@", "a b", 'a"', "caf\u00e9"])
def test_components_by_hand_have_the_form_too(component: str) -> None:
    message = Message(method="GET", target_uri=URL, headers={component: "1"})
    with pytest.raises(MalformedError):
        signature_base(message, [component], f'("{component}")')


@pytest.mark.parametrize(
    ("components", "params_text"),
    [
        (["@method"], "()"),
        (["@method"], '("@method" "@path")'),
        ([], '("@method")'),
        (["@method", "@path"], '("@path" "@method")'),
        (["@method"], 'x("@method")'),
    ],
)
def test_the_parameters_must_name_the_components(components: list[str], params_text: str) -> None:
    with pytest.raises(ValueError, match="not those"):
        signature_base(Message(method="GET", target_uri=URL, headers={}), components, params_text)


def test_the_parameters_cannot_add_a_line() -> None:
    with pytest.raises(MalformedError):
        signature_base(Message(method="GET", target_uri=URL, headers={}), [], '()\n"@method": GET')


@pytest.mark.parametrize(
    "changes",
    [
        {"components": ("@method", "@method")},
        {"components": tuple(f"x{n}" for n in range(MAX_COMPONENTS + 1))},
        {"nonce": "caf\u00e9"},
        {"nonce": "a\nb"},
        {"tag": "\x7f"},
        {"label": "Sig"},
        {"label": "a=b"},
        {"label": ""},
        {"expires_s": 10**15},
    ],
)
def test_what_cannot_be_signed(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"structured field|components"):
        signed(**changes)


def test_a_missing_component_cannot_be_signed() -> None:
    with pytest.raises(SignatureError):
        signed(components=("@method", "content-digest"))


PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=12)


@settings(max_examples=60, derandomize=True, deadline=None)
@given(PRINTABLE, PRINTABLE, st.integers(0, 10**15 - 1), st.integers(0, 10**15 - 1))
def test_whatever_is_signed_verifies_through_both_parsers(
    nonce: str, tag: str, created: int, expires: int
) -> None:
    message = signed(nonce=nonce, tag=tag, created_s=created, expires_s=expires)
    parsed = parse_signature(message.headers, tag=tag)
    assert (parsed.nonce, parsed.tag, parsed.created, parsed.expires) == (nonce, tag, created, expires)
    assert parsed == _parse_any(message.headers["signature-input"], message.headers["signature"], tag)
    verify(message, parsed, KEY.public)


ODD = [
    '"',
    "\\",
    "\\\\",
    '\\"',
    " ",
    "  ",
    ";",
    "=",
    ":",
    ",",
    "(",
    ")",
    "A",
    "\n",
    "\0",
    "\u0661",
    "0",
    "-",
    "ed25519",
]


ODD_TEXTS = ["", " ", "a\\\\", '\\"', "a\\b", "~", "\t", "\x7f", "\u00e9", "\n"]
ODD_PARTS = {
    "label": ["S", "1", "", "*", "s-1._*"],
    "components": [
        *("()", '("a")', '("A")', '("a" "a")', '("@")', '("a b")', '("a"  "b")', '("*a~" "@b")', '("a";x)'),
        f"({' '.join(f'{chr(34)}x{number}{chr(34)}' for number in range(33))})",
    ],
    "created": [
        f";created={text}" for text in ("0", "01", "-1", "-0", "1.0", "9" * 15, "9" * 16, "\u0661", "")
    ],
    "expires": [f";expires={text}" for text in ("0", "00", "-1", "1.5", "9" * 15, "9" * 16, "\u0661", '"1"')],
    **{name: [f';{name}="{text}"' for text in ODD_TEXTS] for name in ("keyid", "nonce", "tag")},
}
ODD_SIGNATURES = [
    SIGNATURE[:-3] + "B==",
    SIGNATURE[:-3] + "Q==",
    SIGNATURE[:-2],
    "AAAA",
    "",
    "_" + SIGNATURE[1:],
]


@st.composite
def nearly_ours(draw: st.DrawFn) -> tuple[str, str]:
    """Both headers as our clients write them, with at most two parts or characters exchanged."""
    names = draw(st.lists(st.sampled_from(sorted(ODD_PARTS)), max_size=2, unique=True))
    changes = {name: draw(st.sampled_from(ODD_PARTS[name])) for name in names}
    written = own_input(**changes)
    if draw(st.booleans()):
        at = draw(st.integers(0, len(written)))
        written = written[:at] + draw(st.sampled_from(ODD)) + written[at + draw(st.integers(0, 1)) :]
    signature = draw(st.sampled_from(ODD_SIGNATURES)) if draw(st.integers(0, 4)) == 0 else SIGNATURE
    label = draw(st.sampled_from(["other", "SIG"])) if draw(st.integers(0, 9)) == 0 else None
    return written, f"{label or changes.get('label', 'sig')}=:{signature}:"


def outcome_of(written: str, signature: str) -> SignatureInput | type[FreeholdError]:
    try:
        return _parse_any(written, signature, None)
    except FreeholdError as error:
        return type(error)


@settings(max_examples=1000, derandomize=True, deadline=None)
@given(nearly_ours())
def test_both_parsers_agree(headers: tuple[str, str]) -> None:
    try:
        own: SignatureInput | type[FreeholdError] | None = _parse_own(*headers)
    except FreeholdError as error:
        own = type(error)
    assert own is None or outcome_of(*headers) == own


def test_the_agreement_is_not_an_empty_one() -> None:
    """The quick parser takes the profiles it is for, with and without a body, and leaves the rest alone."""
    body = ("@method", "@target-uri", "capability-invocation", "content-type", "content-digest")
    for components in (COMPONENTS, body, ("@method",)):
        text = " ".join(f'"{name}"' for name in components)
        assert _parse_own(own_input(components=f"({text})"), f"sig=:{SIGNATURE}:") is not None
    for other in (own_input(components="()"), own_input(nonce=""), own_input(components='("a";req)')):
        assert _parse_own(other, f"sig=:{SIGNATURE}:") is None


FRAGMENTS = [
    "sig",
    "=",
    "(",
    ")",
    '"@method"',
    '"x"',
    '"x";key="a"',
    " ",
    ";",
    ",",
    ", ",
    "created",
    "1",
    '"a"',
    ":AA==:",
]
HOSTILE = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from([*FRAGMENTS, *ODD]), max_size=24).map("".join),
    st.binary(max_size=60).map(lambda data: data.decode("latin-1")),
    st.binary(max_size=60).map(lambda data: data.decode("utf-8", "surrogateescape")),
)


@settings(max_examples=400, derandomize=True, deadline=None)
@given(HOSTILE, HOSTILE, st.sampled_from([None, "zcap"]))
def test_any_headers_end_in_an_error_of_ours(written: str, signature: str, tag: str | None) -> None:
    for value in (signature, f"sig=:{SIGNATURE}:"):
        try:
            headers = combine_headers([("Signature-Input", written), ("Signature", value)])
            parsed = parse_signature(headers, tag=tag)
            verify(Message(method="GET", target_uri=URL, headers=headers), parsed, KEY.public)
        except FreeholdError:
            continue
        pytest.fail("a made-up signature verified")


@settings(max_examples=400, derandomize=True, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                "@method",
                "@authority",
                "@path",
                "@query",
                '@query-param;name="a"',
                'x;key="a"',
                "x;sf",
                "x",
                "y",
            ]
        ),
        unique=True,
    ),
    HOSTILE,
    HOSTILE,
)
def test_any_message_has_a_base_of_one_line_each_or_is_refused(
    components: list[str], target: str, value: str
) -> None:
    message = Message(method="GET", target_uri=f"https://a/?{target}", headers={"x": value})
    identifiers = [
        f'"{name}"{semicolon}{rest}' for name, semicolon, rest in (text.partition(";") for text in components)
    ]
    try:
        base = signature_base(message, components, f"({' '.join(identifiers)})")
    except FreeholdError:
        return
    assert len(base.split(b"\n")) == len(components) + 1


def test_the_public_key_alone_verifies() -> None:
    message = signed()
    parsed = parse_signature(message.headers)
    assert parsed.keyid is not None
    verify(message, parsed, PublicKey.from_method(parsed.keyid))
