"""The signature of ZCAP clients in the field: its one form, what it covers, and the holes that others leave open."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from freehold_protocol import limits
from freehold_protocol.capability import root_id, to_wire
from freehold_protocol.encoding import base64url_encode
from freehold_protocol.errors import (
    FreeholdError,
    MalformedError,
    SignatureError,
    StaleSignatureError,
    TooLargeError,
    UnsupportedError,
)
from freehold_protocol.ezcap import sign_ezcap
from freehold_protocol.invocation import (
    HEADER,
    TAG_DID,
    Invocation,
    parse_invocation,
    parse_signed,
    sign_invocation,
)
from freehold_protocol.keys import SigningKey
from hypothesis import given, settings
from hypothesis import strategies as st
from signed_documents import NOW_S, ORIGIN, PARTNER, STRANGER, TARGET, VENDOR, make_capability

URL = f"{TARGET}/delivery/records?limit=50"
CAPABILITY = make_capability(actions=("read", "write"))
WIRE = to_wire(CAPABILITY)
ROOT = root_id(TARGET)
BODY = b'{"a":1}'
Headers = dict[str, str]


def signed(**members: Any) -> Headers:
    given_: dict[str, Any] = {"method": "GET", "target_uri": URL, "action": "read", "created_s": NOW_S}
    return sign_ezcap(members.pop("key", VENDOR), members.pop("capability", CAPABILITY), **(given_ | members))


def with_body(body: bytes = BODY, **members: Any) -> Headers:
    return signed(method="POST", action="write", body=body, **members)


def parsed(
    headers: Mapping[str, str], *, body: bytes | None = None, now_s: int = NOW_S, method: str = "GET"
) -> Invocation:
    return parse_invocation(method, headers, body=body, now_s=now_s)


def by_hand(
    lines: list[str], covered: str, *, key: SigningKey = VENDOR, created_s: int = NOW_S, lifetime_s: int = 600
) -> str:
    """Return an Authorization over any lines, whatever it says to cover."""
    signature = base64.b64encode(key.sign("\n".join(lines).encode())).decode()
    return (
        f'Signature keyId="{key.method}",headers="{covered}",signature="{signature}"'
        f',created="{created_s}",expires="{created_s + lifetime_s}"'
    )


# What such a client sends and a node accepts


def test_a_read() -> None:
    headers = signed()
    assert headers.keys() == {HEADER, "authorization"}
    found = parsed(headers)
    assert found.profile == "ezcap"
    assert found.nonce is None
    assert found.wire == WIRE
    assert found.wire_digest == hashlib.sha256(WIRE.encode()).digest()
    assert found.root is None
    assert found.action == "read"
    assert found.keyid == VENDOR.method
    assert found.key == VENDOR.public
    assert found.expires_s == NOW_S + 600
    assert found.signature_digest == hashlib.sha256(found.signature.signature).digest()
    found.verify(VENDOR.public, target_uri=URL)
    assert signed(capability=WIRE) == headers


def test_the_same_invocation_in_the_other_profile_says_the_same() -> None:
    other = parsed(
        sign_invocation(
            VENDOR, CAPABILITY, method="GET", target_uri=URL, action="read", created_s=NOW_S, nonce="n" * 22
        )
    )
    found = parsed(signed())
    assert other.profile == "rfc9421"
    assert other.nonce == "n" * 22
    for name in ("method", "keyid", "wire", "wire_digest", "root", "action", "key"):
        assert getattr(found, name) == getattr(other, name)


def test_the_bytes_under_a_signature() -> None:
    headers = with_body(content_type="application/ld+json")
    multihash = base64url_encode(b"\x12\x20" + hashlib.sha256(BODY).digest())
    assert headers["digest"] == "mh=u" + multihash
    lines = [
        f"(key-id): {VENDOR.method}",
        f"(created): {NOW_S}",
        f"(expires): {NOW_S + 600}",
        "(request-target): post " + URL.removeprefix(ORIGIN),
        "host: p3kx9.example.org",
        f'capability-invocation: zcap capability="{WIRE}",action="write"',
        "content-type: application/ld+json",
        "digest: mh=u" + multihash,
    ]
    covered = "(key-id) (created) (expires) (request-target) host capability-invocation content-type digest"
    assert headers["authorization"] == by_hand(lines, covered)
    found = parsed(headers, body=BODY, method="POST")
    found.verify(VENDOR.public, target_uri=URL)


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8420", "https://[::1]:8443", "https://a.example:8443"])
def test_the_host_is_the_target_s_with_its_port(origin: str) -> None:
    headers = signed(target_uri=f"{origin}/g/1")
    parsed(headers).verify(VENDOR.public, target_uri=f"{origin}/g/1")
    for other in ("https://p3kx9.example.org/g/1", origin.rsplit(":", 1)[0] + "/g/1"):
        with pytest.raises(SignatureError):
            parsed(headers).verify(VENDOR.public, target_uri=other)


def test_the_scheme_is_not_signed_and_the_capability_s_target_has_it() -> None:
    """What this form leaves open the chain closes: its target names the scheme, and is compared as text."""
    found = parsed(signed(target_uri="https://127.0.0.1:8420/g/1"))
    found.verify(VENDOR.public, target_uri="http://127.0.0.1:8420/g/1")


@pytest.mark.parametrize("body", [b"", b"\0\xff", BODY])
def test_a_body_s_raw_bytes(body: bytes) -> None:
    headers = with_body(body)
    parsed(headers, body=body, method="POST").verify(VENDOR.public, target_uri=URL)
    for other in (body + b" ", b'{"a": 1}', None):
        with pytest.raises(SignatureError):
            parsed(headers, body=other, method="POST")


def _resigned(digest: str, *, body: bytes = BODY) -> Headers:
    """Return the headers of a write with another digest, properly signed."""
    headers = with_body(body) | {"digest": digest}
    covered = re.search(r'headers="([^"]+)"', headers["authorization"])
    assert covered is not None
    lines = [
        f"(key-id): {VENDOR.method}",
        f"(created): {NOW_S}",
        f"(expires): {NOW_S + 600}",
        "(request-target): post " + URL.removeprefix(ORIGIN),
        "host: p3kx9.example.org",
        f"{HEADER}: {headers[HEADER]}",
        f"content-type: {headers['content-type']}",
        f"digest: {digest}",
    ]
    return headers | {"authorization": by_hand(lines, covered[1])}


SHA256 = base64.b64encode(hashlib.sha256(BODY).digest()).decode()


@pytest.mark.parametrize("digest", [f"SHA-256={SHA256}", f"SHA-256=:{SHA256}:", with_body()["digest"]])
def test_the_three_forms_of_a_digest(digest: str) -> None:
    parsed(_resigned(digest), body=BODY, method="POST").verify(VENDOR.public, target_uri=URL)


_MH = base64url_encode(b"\x12\x20" + hashlib.sha256(BODY).digest())


@pytest.mark.parametrize(
    ("digest", "error"),
    [
        ("", UnsupportedError),
        ("mh=", MalformedError),
        ("mh=u", UnsupportedError),
        (f"mh={_MH}", MalformedError),
        (f"mh=z{_MH}", MalformedError),
        (f"mh=u{_MH}=", MalformedError),
        (f"mh=u{_MH} ", MalformedError),
        (f"MH=u{_MH}", UnsupportedError),
        (f"mh=u{_MH},mh=u{_MH}", MalformedError),
        (f"mh=u{_MH}, SHA-256={SHA256}", MalformedError),
        ("mh=u" + base64url_encode(b"\x13\x40" + hashlib.sha512(BODY).digest()), UnsupportedError),
        ("mh=u" + base64url_encode(b"\x12\x20" + hashlib.sha256(BODY).digest()[:-1]), UnsupportedError),
        ("mh=u" + base64url_encode(b"\x12\x20" + hashlib.sha256(BODY).digest() + b"\0"), UnsupportedError),
        ("mh=u" + base64url_encode(b"\x12\x20" + hashlib.sha256(b"{}").digest()), SignatureError),
        (f"SHA-256={SHA256[:-1]}", MalformedError),
        (f"SHA-256={SHA256[:-2]}", MalformedError),
        (f"SHA-256=:{SHA256}", MalformedError),
        (f"SHA-256={SHA256}:", MalformedError),
        ("SHA-256=:", MalformedError),
        ("SHA-256=::", SignatureError),
        ("SHA-256=", SignatureError),
        (f"sha-256=:{SHA256}:", UnsupportedError),
        (f"SHA-512={SHA256}", UnsupportedError),
        (f"MD5={SHA256}", UnsupportedError),
        ("SHA-256=" + base64.b64encode(hashlib.sha256(b"{}").digest()).decode(), SignatureError),
    ],
)
def test_what_is_not_the_body_s_digest(digest: str, error: type[FreeholdError]) -> None:
    with pytest.raises(FreeholdError) as raised:
        parsed(_resigned(digest), body=BODY, method="POST")
    assert type(raised.value) is error


# Roots


def test_a_root_is_invoked_by_its_id() -> None:
    headers = signed(capability=ROOT, target_uri=TARGET)
    assert headers[HEADER] == f'zcap id="{ROOT}",action="read"'
    found = parsed(headers)
    assert found.root == ROOT
    assert found.wire == ""
    found.verify(VENDOR.public, target_uri=TARGET)
    other = parsed(
        sign_invocation(
            VENDOR, CAPABILITY, method="GET", target_uri=URL, action="read", created_s=NOW_S, nonce="n" * 22
        )
        | {HEADER: headers[HEADER]}
    )
    assert (other.root, other.wire) == (ROOT, "")
    with pytest.raises(SignatureError):
        other.verify(VENDOR.public, target_uri=URL)


@pytest.mark.parametrize(
    "value",
    [
        f'zcap id="{ROOT}",capability="{WIRE}",action="read"',
        f'zcap capability="{WIRE}",id="{ROOT}",action="read"',
        f'zcap id="{ROOT}"',
        f'zcap id="{ROOT}",action="read",id="{ROOT}"',
        f'zcap id="{ROOT}", action="read"',
        f'zcap action="read",id="{ROOT}"',
        f"zcap id={ROOT},action=read",
        'zcap id="",action="read"',
        f'zcap id="{CAPABILITY.id}",action="read"',  # only a root goes by its id
        f'zcap id="{TARGET}",action="read"',
        f'zcap id="urn:zcap:root:{TARGET}",action="read"',
        'zcap id="urn:zcap:root:",action="read"',
        f'zcap id="urn:zcap:delegated:{WIRE[:20]}",action="read"',
        f'zcap id="{ROOT}\\"",action="read"',
        "zcap",
        "",
        'zcap capability="",action="read"',
    ],
)
def test_what_invokes_nothing(value: str) -> None:
    """Others let the id win where both are given; here that is refused."""
    for headers in (
        signed(),
        sign_invocation(
            VENDOR, CAPABILITY, method="GET", target_uri=URL, action="read", created_s=NOW_S, nonce="n" * 22
        ),
    ):
        with pytest.raises(MalformedError):
            parsed(headers | {HEADER: value})


# The one spelling of the header


AUTHORIZATION = signed()["authorization"]
_PARTS = re.split(r",(?=[a-zA-Z]+=)", AUTHORIZATION.removeprefix("Signature "))
_COVERED = "(key-id) (created) (expires) (request-target) host capability-invocation"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "Signature",
        "Signature ",
        "Bearer abc",
        "Basic c2lnbmF0dXJlOg==",
        AUTHORIZATION.replace("Signature", "signature"),
        AUTHORIZATION.replace("Signature ", "Signature  "),
        AUTHORIZATION.replace("Signature ", ""),
        " " + AUTHORIZATION,
        AUTHORIZATION + " ",
        AUTHORIZATION + ",",
        AUTHORIZATION + "\n",
        AUTHORIZATION.replace(",", ", "),
        AUTHORIZATION.replace('"', ""),
        AUTHORIZATION.replace('"', "'"),
        AUTHORIZATION.replace("=", " = "),
        AUTHORIZATION + ',algorithm="hs2019"',
        AUTHORIZATION.replace(",headers", ',algorithm="hs2019",headers'),
        AUTHORIZATION + "," + _PARTS[0],
        AUTHORIZATION + f", Signature {','.join(_PARTS)}",
        f"Basic YTpi, {AUTHORIZATION}",
        *("Signature " + ",".join(_PARTS[:n] + _PARTS[n + 1 :]) for n in range(5)),
        *("Signature " + ",".join([*_PARTS[n:], *_PARTS[:n]]) for n in range(1, 5)),
        AUTHORIZATION.replace("keyId", "keyid"),
        AUTHORIZATION.replace("keyId", "KeyId"),
        AUTHORIZATION.replace(VENDOR.method, ""),
        AUTHORIZATION.replace(VENDOR.method, VENDOR.method + '\\"'),
        AUTHORIZATION.replace(f'"{NOW_S}"', str(NOW_S)),  # numbers are quoted
        AUTHORIZATION.replace(str(NOW_S), "0" + str(NOW_S)),
        AUTHORIZATION.replace(str(NOW_S), "+" + str(NOW_S)),
        AUTHORIZATION.replace(str(NOW_S), str(NOW_S) + ".0"),
        AUTHORIZATION.replace(str(NOW_S), "-1"),
        AUTHORIZATION.replace(str(NOW_S), ""),
        AUTHORIZATION.replace(str(NOW_S), "NaN"),
        AUTHORIZATION.replace(str(NOW_S), "1" * 16),
        AUTHORIZATION.replace(str(NOW_S), "".join(chr(0x0660 + int(c)) for c in str(NOW_S))),
        re.sub(r'signature="[^"]*"', 'signature=""', AUTHORIZATION),
        re.sub(r'signature="([^"]*)=="', r'signature="\1"', AUTHORIZATION),  # no padding
        re.sub(r'signature="([^"]*)=="', r'signature="\1="', AUTHORIZATION),
        re.sub(r'signature="([^"]*)"', r'signature=":\1:"', AUTHORIZATION),
        re.sub(r'signature="([^"]{10})', r'signature="\1 ', AUTHORIZATION),
        re.sub(r'signature="([^"]{10})[^"]', r'signature="\1-', AUTHORIZATION),  # base64url
        re.sub(r'signature="([^"]*)[AQgw]=="', r'signature="\1B=="', AUTHORIZATION),  # bits that say nothing
        re.sub(r'signature="[^"]*"', f'signature="{"A" * 88}"', AUTHORIZATION),
    ],
)
def test_the_header_has_one_spelling(value: str) -> None:
    assert value != AUTHORIZATION
    with pytest.raises(MalformedError):
        parsed({**signed(), "authorization": value})


@pytest.mark.parametrize(
    "covered",
    [
        "(created) (expires) (key-id) (request-target)",  # what wallet.storage's client signs
        _COVERED.replace(" host", ""),
        _COVERED.replace(" capability-invocation", ""),
        _COVERED.replace(" (request-target)", ""),
        _COVERED.replace("(key-id) ", ""),
        _COVERED.replace(" (created)", ""),
        _COVERED.replace(" (expires)", ""),
        _COVERED + " date",
        _COVERED + " content-type",
        _COVERED + " digest",
        _COVERED + " content-type digest",
        _COVERED + " host",
        _COVERED.replace("(key-id) (created)", "(created) (key-id)"),
        _COVERED.replace(" ", "  "),
        _COVERED + " ",
        " " + _COVERED,
        "host",
        "-",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_is_covered_is_exact(covered: str, method: str) -> None:
    """A signature over less could be taken to another host, another capability or another body."""
    body = BODY if method == "POST" else None
    if method == "POST" and covered == _COVERED + " content-type digest":
        covered = _COVERED + " digest content-type"
    values = {
        "(key-id)": VENDOR.method,
        "(created)": str(NOW_S),
        "(expires)": str(NOW_S + 600),
        "(request-target)": f"{method.lower()} " + URL.removeprefix(ORIGIN),
        "host": "p3kx9.example.org",
        "date": "Mon, 23 Nov 2026 12:00:00 GMT",
    } | with_body()
    lines = [f"{name}: {values.get(name, '')}" for name in covered.split()]
    headers = {**with_body(), "date": values["date"], "authorization": by_hand(lines, covered)}
    with pytest.raises(SignatureError, match="no more and no less"):
        parsed(headers, body=body, method=method)


@pytest.mark.parametrize("covered", ["", "Host", _COVERED.upper(), _COVERED + ",date", 'a"b'])
def test_names_of_another_form(covered: str) -> None:
    with pytest.raises(MalformedError):
        parsed({**signed(), "authorization": AUTHORIZATION.replace(_COVERED, covered)})


def test_a_body_s_digest_is_signed() -> None:
    """Others ask that only where a content type is signed, so that a body without one can be swapped."""
    for name in ("digest", "content-type"):
        headers = with_body()
        del headers[name]
        with pytest.raises(SignatureError):
            parsed(headers, body=BODY, method="POST").verify(VENDOR.public, target_uri=URL)
    with pytest.raises(SignatureError):  # signed as a read, sent with a body
        parsed({**signed(method="POST"), "digest": with_body()["digest"]}, body=BODY, method="POST")
    with pytest.raises(SignatureError):
        parsed(signed(method="POST"), body=b"", method="POST")


@pytest.mark.parametrize("method", ["get", "Get", "gET", "", "GET ", "GE\nT", "G\xcbT"])
def test_a_method_is_upper_case(method: str) -> None:
    """It is signed in lower case, so ``get`` would have the signature of ``GET``."""
    with pytest.raises(MalformedError):
        parsed(signed(), method=method)
    with pytest.raises(ValueError, match="upper case"):
        signed(method=method)


def test_headers_are_bounded_before_they_are_read() -> None:
    assert len(AUTHORIZATION) < limits.MAX_AUTHORIZATION_CHARS / 2
    for length in (limits.MAX_AUTHORIZATION_CHARS + 1, 10_000_000):
        with pytest.raises(TooLargeError):
            parsed({**signed(), "authorization": "Signature " + "," * (length - 10)})
    with pytest.raises(TooLargeError):
        parsed({**signed(), HEADER: f'zcap id="{"urn:zcap:root:" + "a" * 9_000}",action="read"'})


# Two profiles in one message


def test_a_message_is_signed_in_one_way() -> None:
    both = signed() | sign_invocation(
        VENDOR, CAPABILITY, method="GET", target_uri=URL, action="read", created_s=NOW_S, nonce="n" * 22
    )
    halves = [
        {name: value for name, value in both.items() if name != one}
        for one in ("signature", "signature-input")
    ]
    for headers in (both, *halves):
        with pytest.raises(MalformedError):
            parsed(headers)
    assert parsed({name: value for name, value in both.items() if name != "authorization"}).nonce
    # Whatever else a proxy puts there says nothing beside a signature of the other form.
    for other in ("Basic YTpi", "Bearer signature", "AWS4-HMAC-SHA256 Credential=a, Signature=b", ""):
        assert parsed({**both, "authorization": other}).profile == "rfc9421"
    for same in ("signature x", "SIGNATURE", f"Basic YTpi,\tsignature {AUTHORIZATION}"):
        with pytest.raises(MalformedError):
            parsed({**both, "authorization": same})
    with pytest.raises(MalformedError):
        parsed({**both, "authorization": f"Basic YTpi, {AUTHORIZATION}"})


def test_it_is_no_message_under_no_capability() -> None:
    with pytest.raises(MalformedError):
        parse_signed("GET", signed(), body=None, tag=TAG_DID, now_s=NOW_S)
    with pytest.raises(MalformedError):
        parsed({"authorization": AUTHORIZATION})


# What is under the signature


def test_the_signature_is_over_this_very_request() -> None:
    found = parsed(signed())
    for url in (
        URL + "0",
        URL.replace("50", "51"),
        URL.replace("?", "/?"),
        URL.replace(".org", ".org:443"),
        URL.replace("p3kx9", "P3KX9"),
        URL.replace("delivery", "marketing"),
        URL.replace("delivery", "%64elivery"),
        TARGET,
    ):
        with pytest.raises(SignatureError):
            found.verify(VENDOR.public, target_uri=url)
    with pytest.raises(SignatureError):
        found.verify(STRANGER.public, target_uri=URL)
    with pytest.raises(SignatureError):
        parsed(signed(), method="HEAD").verify(VENDOR.public, target_uri=URL)
    for url in (
        "",
        "/g/1",
        ORIGIN,
        "ftp://p3kx9.example.org/g/1",
        "https://user@p3kx9.example.org/g/1",
        URL + "#a",
    ):
        with pytest.raises(MalformedError):
            found.verify(VENDOR.public, target_uri=url)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda headers: {**headers, HEADER: headers[HEADER].replace('"write"', '"read"')},
        lambda headers: {**headers, HEADER: headers[HEADER].replace(WIRE, to_wire(make_capability(number=2)))},
        lambda headers: {**headers, HEADER: f'zcap id="{ROOT}",action="write"'},
        lambda headers: {**headers, "content-type": "text/plain"},
        lambda headers: {**headers, "digest": f"SHA-256={SHA256}"},
        lambda headers: {
            **headers, "authorization": headers["authorization"].replace(str(NOW_S), str(NOW_S - 1)),
        },
        lambda headers: {
            **headers, "authorization": headers["authorization"].replace(str(NOW_S + 600), str(NOW_S + 599)),
        },
        lambda headers: {
            **headers, "authorization": headers["authorization"].replace(VENDOR.method, PARTNER.method),
        },
    ],
)  # fmt: skip
def test_a_header_that_was_changed(spoil: Callable[[Headers], Headers]) -> None:
    headers = with_body()
    parsed(headers, body=BODY, method="POST").verify(VENDOR.public, target_uri=URL)
    with pytest.raises(SignatureError):
        parsed(spoil(headers), body=BODY, method="POST").verify(VENDOR.public, target_uri=URL)


def test_what_is_not_covered_says_nothing() -> None:
    """Extra headers are sent by such clients and not signed, whatever their documentation says."""
    more = {
        "host": "evil.example",
        "x-forwarded-host": "evil.example",
        "date": "Thu, 01 Jan 1970 00:00:00 GMT",
        "purpose": "marketing",
        "content-type": "text/plain",
        "digest": "mh=u",
        "content-digest": "sha-256=:AA==:",
        "@method": "DELETE",
        "(request-target)": "delete /",
    }
    plain, decorated = parsed(signed()), parsed(more | signed())
    decorated.verify(VENDOR.public, target_uri=URL)
    assert plain.signature == decorated.signature
    assert plain.signature_digest == decorated.signature_digest


def test_the_host_header_does_not_name_the_host() -> None:
    """A signature for another host stays one for that host, whatever Host says."""
    elsewhere = signed(target_uri=URL.replace("p3kx9", "other"))
    with pytest.raises(SignatureError):
        parsed({**elsewhere, "host": "p3kx9.example.org"}).verify(VENDOR.public, target_uri=URL)


def test_the_key_that_is_named() -> None:
    assert parsed(signed(key=PARTNER)).key == PARTNER.public
    for keyid, error in (
        (VENDOR.did, MalformedError),
        ("did:web:shop.example#key-1", UnsupportedError),
        ("key-1", MalformedError),
    ):
        with pytest.raises(error):
            _ = parsed({**signed(), "authorization": AUTHORIZATION.replace(VENDOR.method, keyid)}).key


def test_two_honest_requests_of_a_second_are_one() -> None:
    """There is no nonce, and Ed25519 is deterministic: the node is told, and decides."""
    one, again, later = parsed(signed()), parsed(signed()), parsed(signed(created_s=NOW_S + 1))
    assert one.nonce is None
    assert one.signature_digest == again.signature_digest
    assert one.signature_digest != later.signature_digest


# Times


@pytest.mark.parametrize(
    ("created_s", "lifetime_s", "now_s", "good"),
    [
        (NOW_S, 1, NOW_S, True),
        (NOW_S, 600, NOW_S, True),
        (NOW_S, 601, NOW_S, False),
        (NOW_S, 300 * 86_400, NOW_S, False),
        (NOW_S, 0, NOW_S, False),
        (NOW_S, -1, NOW_S, False),
        (NOW_S, 600, NOW_S + 659, True),
        (NOW_S, 600, NOW_S + 660, False),
        (NOW_S + 60, 600, NOW_S, True),
        (NOW_S + 61, 600, NOW_S, False),
        (0, 600, NOW_S, False),
    ],
)
def test_times(created_s: int, lifetime_s: int, now_s: int, good: bool) -> None:
    headers = signed(created_s=created_s, lifetime_s=lifetime_s)
    if good:
        parsed(headers, now_s=now_s).verify(VENDOR.public, target_uri=URL)
    else:
        with pytest.raises(StaleSignatureError):
            parsed(headers, now_s=now_s)


# Anything


@settings(max_examples=150)
@given(
    method=st.sampled_from(["GET", "HEAD", "POST", "DELETE"]),
    body=st.none() | st.binary(max_size=40),
    created_s=st.integers(NOW_S - 600, NOW_S + 60),
    path=st.text(alphabet="abc/=&?.-_~%", max_size=20),
    action=st.sampled_from(["read", "answer", "write"]),
    invoked=st.sampled_from([WIRE, ROOT]),
)
def test_what_is_signed_is_read_back(
    method: str, body: bytes | None, created_s: int, path: str, action: str, invoked: str
) -> None:
    url = f"{ORIGIN}/{path}"
    headers = sign_ezcap(
        VENDOR, invoked, method=method, target_uri=url, action=action, created_s=created_s, body=body
    )
    found = parsed(headers, body=body, method=method, now_s=NOW_S)
    found.verify(VENDOR.public, target_uri=url)
    assert (found.wire or found.root, found.action) == (invoked, action)
    assert found.expires_s == created_s + 600


@settings(max_examples=200)
@given(
    st.dictionaries(
        st.sampled_from([HEADER, "authorization", "digest", "content-type", "signature", "signature-input"]),
        st.text(alphabet='Signature keyId="(),=-AB1', max_size=60)
        | st.sampled_from([*signed().values(), *with_body().values(), f'zcap id="{ROOT}",action="read"']),
    ),
    st.sampled_from([None, b"", BODY]),
    st.sampled_from(["GET", "POST", "get"]),
)
def test_any_headers_are_an_invocation_or_a_freehold_error(
    headers: Headers, body: bytes | None, method: str
) -> None:
    try:
        parsed(headers, body=body, method=method).verify(VENDOR.public, target_uri=URL)
    except FreeholdError:
        return
    honest = signed() if body is None else with_body()
    assert headers.items() >= honest.items()
    assert method == ("GET" if body is None else "POST")
