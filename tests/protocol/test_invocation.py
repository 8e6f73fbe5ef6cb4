"""Invocations: exactly what is covered, the body's digest, the times and the nonce, for all three tags."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from freehold_protocol.capability import to_wire
from freehold_protocol.encoding import base64url_encode
from freehold_protocol.errors import (
    DuplicateKeyError,
    FreeholdError,
    MalformedError,
    SignatureError,
    StaleSignatureError,
    TooLargeError,
    UnsupportedError,
)
from freehold_protocol.http_signature import Message, content_digest, sign
from freehold_protocol.invocation import (
    HEADER,
    TAG_CAPABILITY,
    TAG_DID,
    TAG_OWNER,
    Invocation,
    SignedMessage,
    parse_invocation,
    parse_signed,
    sign_invocation,
    sign_message,
)
from freehold_protocol.keys import SigningKey
from hypothesis import given, settings
from hypothesis import strategies as st
from signed_documents import NOW_S, PARTNER, STRANGER, TARGET, VENDOR, make_capability

URL = f"{TARGET}/delivery/records?limit=50"
CAPABILITY = make_capability()
WIRE = to_wire(CAPABILITY)
INVOKES = f'zcap capability="{WIRE}",action="read"'
NONCE = "abcdefghijklmnop"
BODY = b'{"a":1}'
Headers = dict[str, str]


def invoked(**members: Any) -> Headers:
    given_: dict[str, Any] = {
        "method": "GET", "target_uri": URL, "action": "read", "created_s": NOW_S, "nonce": NONCE,
    }  # fmt: skip
    return sign_invocation(
        members.pop("key", VENDOR), members.pop("capability", CAPABILITY), **(given_ | members)
    )


def parsed(
    headers: Headers, *, body: bytes | None = None, now_s: int = NOW_S, method: str = "GET"
) -> Invocation:
    return parse_invocation(method, headers, body=body, now_s=now_s)


def signed_over(components: Sequence[str], *, key: SigningKey = VENDOR, **members: Any) -> Headers:
    """Return the headers of a GET with a capability and a body, signed over just these components."""
    headers = {HEADER: INVOKES, "content-type": "application/json", "content-digest": content_digest(BODY)}
    given_: dict[str, Any] = {
        "created_s": NOW_S, "expires_s": NOW_S + 60, "nonce": NONCE, "tag": TAG_CAPABILITY,
    }  # fmt: skip
    message = Message(method="GET", target_uri=URL, headers=headers)
    return headers | sign(message, components=components, key=key, **(given_ | members))


# What a client sends and a node accepts


def test_an_invocation() -> None:
    headers = invoked()
    assert headers.keys() == {HEADER, "signature-input", "signature"}
    found = parsed(headers)
    assert found.wire == WIRE
    assert found.wire_digest == hashlib.sha256(WIRE.encode()).digest()
    assert found.action == "read"
    assert found.nonce == NONCE
    assert found.keyid == VENDOR.method
    assert found.key == VENDOR.public
    assert found.expires_s == NOW_S + 120
    assert found.signature_digest == hashlib.sha256(found.signature.signature).digest()
    found.verify(VENDOR.public, target_uri=URL)
    assert invoked(capability=WIRE) == headers


def test_an_invocation_with_a_body() -> None:
    headers = invoked(method="POST", action="write", body=BODY, content_type="application/ld+json")
    assert headers["content-type"] == "application/ld+json"
    assert headers["content-digest"] == content_digest(BODY)
    found = parsed(headers, body=BODY, method="POST")
    found.verify(VENDOR.public, target_uri=URL)
    with pytest.raises(SignatureError):
        parsed(headers, body=b'{"a":2}', method="POST")
    with pytest.raises(SignatureError):
        parsed(headers, body=None, method="POST")


@pytest.mark.parametrize("tag", [TAG_DID, TAG_OWNER])
@pytest.mark.parametrize("body", [None, b"", BODY])
def test_a_message_under_no_capability(tag: str, body: bytes | None) -> None:
    headers = sign_message(
        VENDOR,
        tag=tag,
        method="POST",
        target_uri=URL,
        created_s=NOW_S,
        nonce=NONCE,
        body=body,
        lifetime_s=600,
    )
    assert (HEADER in headers) is False
    found = parse_signed("POST", headers, body=body, tag=tag, now_s=NOW_S)
    assert type(found) is SignedMessage
    assert found.expires_s == NOW_S + 600
    assert found.key == VENDOR.public
    found.verify(VENDOR.public, target_uri=URL)
    other = TAG_OWNER if tag == TAG_DID else TAG_DID
    for wrong in (other, TAG_CAPABILITY):
        with pytest.raises(MalformedError):
            parse_signed("POST", headers, body=body, tag=wrong, now_s=NOW_S)


def test_an_invocation_is_no_message_of_a_did_and_the_other_way_round() -> None:
    with pytest.raises(MalformedError):
        parse_signed("GET", invoked(), body=None, tag=TAG_DID, now_s=NOW_S)
    message = sign_message(VENDOR, tag=TAG_DID, method="GET", target_uri=URL, created_s=NOW_S, nonce=NONCE)
    with pytest.raises(MalformedError):
        parsed({HEADER: INVOKES, **message})
    # Even under the right tag: what a capability's header says is not covered.
    bare = sign_message(
        VENDOR, tag=TAG_CAPABILITY, method="GET", target_uri=URL, created_s=NOW_S, nonce=NONCE
    )
    with pytest.raises(SignatureError):
        parsed({HEADER: INVOKES, **bare})


# What must be covered


COVERED = ("@method", "@target-uri", HEADER, "content-type", "content-digest")


def test_every_order_of_what_is_covered_is_good() -> None:
    for components in (COVERED, COVERED[::-1], (*COVERED[2:], *COVERED[:2])):
        parsed(signed_over(components), body=BODY).verify(VENDOR.public, target_uri=URL)
    parsed(signed_over(COVERED[:3])).verify(VENDOR.public, target_uri=URL)


@pytest.mark.parametrize("missing", COVERED)
def test_nothing_may_be_left_uncovered(missing: str) -> None:
    components = tuple(one for one in COVERED if one != missing)
    with pytest.raises(SignatureError, match="no more and no less"):
        parsed(signed_over(components), body=BODY)


@pytest.mark.parametrize("more", ["@authority", "@path", "@query", "@scheme", "@request-target"])
def test_nothing_more_is_covered(more: str) -> None:
    with pytest.raises(SignatureError, match="no more and no less"):
        parsed(signed_over((*COVERED, more)), body=BODY)
    with pytest.raises(SignatureError, match="no more and no less"):  # nor one in the place of another
        parsed(signed_over((*COVERED[1:], more)), body=BODY)


def test_a_body_s_digest_is_not_covered_where_there_is_none() -> None:
    with pytest.raises(SignatureError):
        parsed(signed_over(COVERED), body=None)
    with pytest.raises(SignatureError):
        parsed(signed_over(COVERED[:3]), body=BODY)
    with pytest.raises(SignatureError):
        parsed(signed_over(COVERED[:3]), body=b"")


def test_a_component_comes_once() -> None:
    headers = signed_over(COVERED[:3])
    doubled = headers["signature-input"].replace('("@method"', '("@method" "@method"')
    with pytest.raises(DuplicateKeyError):
        parsed({**headers, "signature-input": doubled})


# What is under the signature


def test_the_signature_is_over_this_very_request() -> None:
    found = parsed(invoked())
    for url in (
        URL + "0",
        URL.replace("50", "51"),
        URL.replace("?", "/?"),
        URL.replace("https", "http"),
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
        parsed(invoked(), method="HEAD").verify(VENDOR.public, target_uri=URL)
    with pytest.raises(SignatureError):
        parsed(invoked(), method="get").verify(VENDOR.public, target_uri=URL)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda headers: {**headers, HEADER: headers[HEADER].replace('"read"', '"write"')},
        lambda headers: {**headers, HEADER: INVOKES.replace(WIRE, to_wire(make_capability(number=2)))},
        lambda headers: {**headers, "content-type": "text/plain"},
        lambda headers: {**headers, "signature-input": headers["signature-input"].replace(NONCE, NONCE[::-1])},
        lambda headers: {
            **headers, "signature-input": headers["signature-input"].replace(str(NOW_S), str(NOW_S - 1)),
        },
        lambda headers: {
            **headers, "signature-input": headers["signature-input"].replace(VENDOR.method, PARTNER.method),
        },
        lambda headers: {**headers, "signature": invoked(nonce=NONCE[::-1])["signature"]},
    ],
)  # fmt: skip
def test_a_header_that_was_changed(spoil: Callable[[Headers], Headers]) -> None:
    headers = invoked(body=BODY)
    parsed(headers, body=BODY).verify(VENDOR.public, target_uri=URL)
    with pytest.raises(SignatureError):
        parsed(spoil(headers), body=BODY).verify(VENDOR.public, target_uri=URL)


def test_the_key_that_is_named() -> None:
    assert parsed(invoked(key=PARTNER)).key == PARTNER.public
    headers = invoked()
    for keyid, error in (
        (VENDOR.did, MalformedError),
        ("did:web:shop.example#key-1", UnsupportedError),
        ("key-1", MalformedError),
        ("", MalformedError),
    ):
        named = headers["signature-input"].replace(VENDOR.method, keyid)
        with pytest.raises(error):
            _ = parsed({**headers, "signature-input": named}).key


def test_a_key_by_the_name_that_a_did_document_gives_it() -> None:
    headers = sign_message(
        VENDOR, tag=TAG_DID, method="POST", target_uri=URL, created_s=NOW_S, nonce="n" * 16,
        keyid="did:web:shop.example#key-1",
    )  # fmt: skip
    message = parse_signed("POST", headers, body=None, tag=TAG_DID, now_s=NOW_S)
    assert message.keyid == "did:web:shop.example#key-1"
    message.verify(VENDOR.public, target_uri=URL)
    with pytest.raises(SignatureError):
        message.verify(STRANGER.public, target_uri=URL)


# The header of a capability


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "zcap",
        WIRE,
        f'zcap capability="{WIRE}"',
        f'zcap capability="{WIRE}", action="read"',
        f'zcap action="read",capability="{WIRE}"',
        f'ZCAP capability="{WIRE}",action="read"',
        f"zcap capability={WIRE},action=read",
        f'zcap capability="{WIRE}",action="Read"',
        f'zcap capability="{WIRE}",action=""',
        f'zcap capability="{WIRE}",action="read",action="write"',
        f'zcap capability="{WIRE}",action="read" ',
        f'zcap capability="{WIRE}",action="read"\n',
        'zcap capability="",action="read"',
        f'zcap capability="{WIRE}=",action="read"',
        'zcap id="urn:uuid:x",action="read"',
        f'zcap id="urn:zcap:root:x",capability="{WIRE}",action="read"',
        f"{INVOKES}, {INVOKES}",
    ],
)
def test_what_is_no_capability_invocation(value: str | None) -> None:
    headers = invoked() | ({} if value is None else {HEADER: value})
    if value is None:
        del headers[HEADER]
    with pytest.raises(MalformedError):
        parsed(headers)


def test_a_header_is_bounded_before_it_is_read() -> None:
    headers = invoked()
    with pytest.raises(TooLargeError):
        parsed({**headers, HEADER: f'zcap capability="{"A" * 9000}",action="read"'})
    with pytest.raises(TooLargeError):
        parsed({**headers, HEADER: '"' * 10_000_000})


# Times


@pytest.mark.parametrize(
    ("created_s", "lifetime_s", "now_s", "good"),
    [
        (NOW_S, 1, NOW_S, True),
        (NOW_S, 600, NOW_S, True),
        (NOW_S, 601, NOW_S, False),
        (NOW_S, 0, NOW_S, False),
        (NOW_S, -1, NOW_S, False),
        (NOW_S, 10**9, NOW_S, False),
        (NOW_S, 60, NOW_S + 119, True),
        (NOW_S, 60, NOW_S + 120, False),
        (NOW_S + 60, 60, NOW_S, True),
        (NOW_S + 61, 60, NOW_S, False),
        (0, 600, NOW_S, False),
    ],
)
def test_times(created_s: int, lifetime_s: int, now_s: int, good: bool) -> None:
    headers = invoked(created_s=created_s, lifetime_s=lifetime_s) if created_s + lifetime_s >= 0 else {}
    if good:
        parsed(headers, now_s=now_s)
    else:
        with pytest.raises(StaleSignatureError):
            parsed(headers, now_s=now_s)


@pytest.mark.parametrize(
    ("parameter", "error"),
    [
        (f";created={NOW_S}", StaleSignatureError),
        (f";expires={NOW_S + 120}", StaleSignatureError),
        (f';keyid="{VENDOR.method}"', SignatureError),
        (';alg="ed25519"', SignatureError),
        (f';nonce="{NONCE}"', MalformedError),
        (f';tag="{TAG_CAPABILITY}"', MalformedError),
    ],
)
def test_parameters_that_are_needed(parameter: str, error: type[FreeholdError]) -> None:
    headers = invoked()
    assert parameter in headers["signature-input"]
    with pytest.raises(FreeholdError) as raised:
        parsed({**headers, "signature-input": headers["signature-input"].replace(parameter, "")})
    assert type(raised.value) is error


@pytest.mark.parametrize("alg", ["rsa-pss-sha512", "hmac-sha256", "Ed25519", ""])
def test_another_algorithm(alg: str) -> None:
    headers = invoked()
    named = headers["signature-input"].replace('alg="ed25519"', f'alg="{alg}"')
    with pytest.raises(UnsupportedError):
        parsed({**headers, "signature-input": named})


@pytest.mark.parametrize("nonce", ["a" * 15, "a" * 65, "", "a" * 15 + " ", "a" * 15 + "+", "a" * 16 + "="])
def test_what_is_no_nonce(nonce: str) -> None:
    with pytest.raises(MalformedError):
        parsed(invoked(nonce=nonce))


@pytest.mark.parametrize("nonce", ["a" * 16, "-_" * 32])
def test_nonces(nonce: str) -> None:
    assert parsed(invoked(nonce=nonce)).nonce == nonce


# Digests of bodies


@pytest.mark.parametrize(
    ("digest", "error"),
    [
        (None, SignatureError),
        ("", FreeholdError),
        (content_digest(b"{}"), SignatureError),
        (content_digest(BODY).replace("sha-256", "md5"), UnsupportedError),
        (content_digest(BODY).replace("sha-256", "sha-512"), SignatureError),
        (f"{content_digest(BODY)}, {content_digest(BODY)}", DuplicateKeyError),
        ("sha-256=:AA==:", SignatureError),
    ],
)
def test_what_is_not_the_body_s_digest(digest: str | None, error: type[FreeholdError]) -> None:
    headers = invoked(body=BODY)
    if digest is None:
        del headers["content-digest"]
    else:
        headers["content-digest"] = digest
    with pytest.raises(error):
        parsed(headers, body=BODY).verify(VENDOR.public, target_uri=URL)


@settings(max_examples=100)
@given(
    st.dictionaries(
        st.sampled_from([HEADER, "signature-input", "signature", "content-type", "content-digest"]),
        st.text(alphabet='zcap="(),;:@-AB1 ', max_size=40) | st.sampled_from([INVOKES, *invoked().values()]),
    ),
    st.sampled_from([None, b"", BODY]),
)
def test_any_headers_are_an_invocation_or_a_freehold_error(headers: Headers, body: bytes | None) -> None:
    try:
        parsed(headers, body=body).verify(VENDOR.public, target_uri=URL)
    except FreeholdError:
        return
    assert headers.items() >= invoked().items()


def test_a_nonce_names_the_message_and_the_signature_its_bytes() -> None:
    one, other = parsed(invoked()), parsed(invoked(nonce="q" * 16))
    assert one.signature_digest != other.signature_digest
    assert one.wire_digest == other.wire_digest
    assert len(base64url_encode(one.signature_digest)) == 43
