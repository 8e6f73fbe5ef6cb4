"""Where our RFC 9421 agrees with another implementation's, in both directions, and which of the two is stricter."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pytest
from freehold_protocol import http_signature
from freehold_protocol.errors import (
    DuplicateKeyError,
    FreeholdError,
    MalformedError,
    SignatureError,
    StaleSignatureError,
)
from freehold_protocol.http_signature import combine_headers, content_digest
from freehold_protocol.invocation import HEADER, TAG_CAPABILITY
from freehold_protocol.keys import SigningKey
from http_message_signatures import HTTPMessageSigner
from http_message_signatures.algorithms import ED25519
from hypothesis import given, settings
from hypothesis import strategies as st
from other_signer import (
    BODY,
    INVOKES,
    NONCE,
    TAGS,
    URI,
    WIRE,
    Message,
    by_them,
    by_us,
    covered,
    keys_of,
    they_refuse,
    we_refuse,
)
from signed_documents import PARTNER, VENDOR

SHA_512: Final = f"sha-512=:{base64.b64encode(hashlib.sha512(BODY).digest()).decode()}:"
NOW_S: Final = int(time.time())


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("body", [None, b"", BODY])
def test_each_accepts_what_the_other_signs(tag: str, body: bytes | None) -> None:
    for message in (by_us(tag, body), by_them(tag, body)):
        assert we_refuse(message, tag) is None
        assert not they_refuse(message, tag)


# What is altered on the way: refused by both


def set_header(name: str, value: str) -> Callable[[Message], None]:
    return lambda message: message.headers.__setitem__(name, value)


def in_header(name: str, old: str, new: str) -> Callable[[Message], None]:
    def alter(message: Message) -> None:
        assert old in message.headers[name]
        message.headers[name] = message.headers[name].replace(old, new, 1)

    return alter


def set_member(name: str, value: Any) -> Callable[[Message], None]:
    return lambda message: setattr(message, name, value)


def without(name: str) -> Callable[[Message], None]:
    return lambda message: message.headers.__delitem__(name)


def flip_signature(message: Message) -> None:
    label, equals, value = message.headers["signature"].partition("=:")
    other = "A" if value[5] != "A" else "B"
    message.headers["signature"] = label + equals + value[:5] + other + value[6:]


def another_body_and_digest(message: Message) -> None:
    message.body = b"{}"
    message.headers["content-digest"] = content_digest(b"{}")


ALTERED: dict[str, Callable[[Message], None]] = {
    "another method": set_member("method", "PUT"),
    "another host": set_member("url", URI.replace("://", "://x.", 1)),
    "another scheme": set_member("url", URI.replace("https:", "http:", 1)),
    "another permission": set_member("url", URI.replace("/delivery/", "/marketing/")),
    "another query": set_member("url", URI.replace("limit=50", "limit=51")),
    "no query": set_member("url", URI.partition("?")[0]),
    "a longer path": set_member("url", URI.replace("/records", "/records/z1")),
    "a bit of the signature": flip_signature,
    "no signature": without("signature"),
    "no signature input": without("signature-input"),
    "another label in one header": in_header("signature", "=", "x="),
    "another key": in_header("signature-input", VENDOR.method, PARTNER.method),
    "an unknown key": in_header("signature-input", VENDOR.method, SigningKey(b"\x5a" * 32).method),
    "another nonce": in_header("signature-input", NONCE, NONCE.upper()),
    "a later end": in_header("signature-input", "expires=1", "expires=2"),
    "another algorithm": in_header("signature-input", '"ed25519"', '"hmac-sha256"'),
    "another tag": in_header("signature-input", 'tag="', 'tag="x'),
    "less covered": in_header("signature-input", ' "@target-uri"', ""),
    "another component": in_header("signature-input", "@target-uri", "@authority"),
    "an unknown component": in_header("signature-input", "@target-uri", "@purpose"),
    "a component twice": in_header("signature-input", '"@method"', '"@method" "@method"'),
    "no list": in_header("signature-input", "(", ""),
    "an unknown parameter": in_header("signature-input", ";created", ";purpose=1;created"),
    "a time that is no number": in_header("signature-input", "created=", 'created="x";was='),
    "base64 that is none": in_header("signature", "=:", "=:!"),
}
ALTERED_CAPABILITY: dict[str, Callable[[Message], None]] = {
    "another action": in_header(HEADER, '"read"', '"write"'),
    "another capability": in_header(HEADER, WIRE[40:50], WIRE[40:50].swapcase()),
    "no capability": without(HEADER),
}
ALTERED_BODY: dict[str, Callable[[Message], None]] = {
    "another body": set_member("body", b'{"a": 2}'),
    "another body and its digest": another_body_and_digest,
    "no body": set_member("body", b""),
    "another digest": set_header("content-digest", content_digest(b"{}")),
    "no digest": without("content-digest"),
    "a digest that is none": set_header("content-digest", "sha-256=:AAAA:"),
    "another type": set_header("content-type", "application/ld+json"),
    "no type": without("content-type"),
}


EVERYWHERE = [
    (name, alter, tag, body) for name, alter in ALTERED.items() for tag in TAGS for body in (None, BODY)
]
UNDER_A_CAPABILITY = [
    (name, alter, TAG_CAPABILITY, body) for name, alter in ALTERED_CAPABILITY.items() for body in (None, BODY)
]
WITH_A_BODY = [(name, alter, tag, BODY) for name, alter in ALTERED_BODY.items() for tag in TAGS]


@pytest.mark.parametrize("signer", [by_us, by_them])
@pytest.mark.parametrize(
    ("alter", "tag", "body"),
    [
        pytest.param(alter, tag, body, id=f"{name}-{tag}-{'body' if body else 'bare'}")
        for name, alter, tag, body in (*EVERYWHERE, *UNDER_A_CAPABILITY, *WITH_A_BODY)
    ],
)
def test_what_is_altered_on_the_way_is_refused_by_both(
    alter: Callable[[Message], None],
    tag: str,
    body: bytes | None,
    signer: Callable[[str, bytes | None], Message],
) -> None:
    message = signer(tag, body)
    alter(message)
    assert we_refuse(message, tag) is not None
    assert they_refuse(message, tag)


def test_a_message_of_one_kind_is_none_of_another() -> None:
    for tag in TAGS:
        for other in set(TAGS) - {tag}:
            for signer in (by_us, by_them):
                message = signer(tag)
                message.headers.setdefault(HEADER, INVOKES)
                assert we_refuse(message, other) is MalformedError
                assert they_refuse(message, other)


# Rightly signed: where the two differ


@dataclass(frozen=True, kw_only=True)
class Case:
    """A message that is rightly signed, and who of the two refuses it all the same."""

    make: Callable[[str], Message]
    we: type[FreeholdError] | None = None
    they: bool = False


def theirs(body: bytes | None = None, **more: Any) -> Callable[[str], Message]:
    return lambda tag: by_them(tag, body, **more)


def respelled(old: str, new: str) -> Callable[[str], Message]:
    """Sign, then write Signature-Input in another way, which a tolerant parser reads as the same."""

    def make(tag: str) -> Message:
        message = by_them(tag)
        in_header("signature-input", old, new)(message)
        return message

    return make


def with_another(*, tag: str | None) -> Callable[[str], Message]:
    """Sign twice, the second time with a tag, or with the same."""

    def make(first: str) -> Message:
        message = by_them(first)
        HTTPMessageSigner(signature_algorithm=ED25519, key_resolver=keys_of(VENDOR)).sign(
            message, key_id=VENDOR.method, tag=tag or first, label="second", nonce=NONCE[::-1],
            expires=dt.datetime.now(tz=dt.UTC) + dt.timedelta(seconds=60),
            covered_component_ids=covered(first), append_if_signature_exists=True,
        )  # fmt: skip
        return message

    return make


def get_with_a_digest(tag: str) -> Message:
    """Sign a GET as the other's middleware does: over the digest of the body that there is not."""
    message = by_them(tag, b"", method="GET", leave_out=("content-type",))
    del message.headers["content-type"]
    message.body = None
    return message


def digest_with_md5(tag: str) -> Message:
    """Sign over a Content-Digest that has a hash nobody should use beside SHA-256."""
    message = by_us(tag, BODY)
    message.headers["content-digest"] += ", md5=:AAAAAAAAAAAAAAAAAAAAAA==:"
    now_s = int(time.time())
    signed = http_signature.sign(
        http_signature.Message(method="POST", target_uri=URI, headers=combine_headers(message.headers.items())),
        components=(*covered(tag), "content-type", "content-digest"),
        key=VENDOR, created_s=now_s, expires_s=now_s + 60, nonce=NONCE, tag=tag,
    )  # fmt: skip
    message.headers.update(signed)
    return message


STRICTER_HERE: dict[str, Case] = {
    "no nonce": Case(make=theirs(nonce=None), we=MalformedError),
    "a short nonce": Case(make=theirs(nonce="abc"), we=MalformedError),
    "a nonce of other characters": Case(make=theirs(nonce="abcdefghijklmno+"), we=MalformedError),
    "no end": Case(make=theirs(lifetime_s=None), we=StaleSignatureError),
    "good for too long": Case(make=theirs(lifetime_s=601), we=StaleSignatureError),
    "no algorithm": Case(make=theirs(include_alg=False), we=SignatureError),
    "a header covered too": Case(make=theirs(headers={"date": "x"}, more=("date",)), we=SignatureError),
    "a part of the target covered too": Case(make=theirs(more=("@authority",)), we=SignatureError),
    "a digest without a body": Case(make=get_with_a_digest, we=SignatureError),
    "two spaces in the list": Case(make=respelled('" "', '"  "'), we=MalformedError),
    "a space before a parameter": Case(make=respelled(";created", "; created"), we=MalformedError),
    "a parameter twice": Case(make=respelled(";created", ";created=1;created"), we=DuplicateKeyError),
    "two signatures of one tag": Case(make=with_another(tag=None), we=MalformedError),
}
STRICTER_THERE: dict[str, Case] = {
    "an unknown hash beside a known one": Case(make=digest_with_md5, they=True),
}
BOTH: dict[str, Case] = {
    "past": Case(make=theirs(created_s=NOW_S - 1000), we=StaleSignatureError, they=True),
    "of the future": Case(make=theirs(created_s=NOW_S + 100_000), we=StaleSignatureError, they=True),
    "no method covered": Case(make=theirs(leave_out=("@method",)), we=SignatureError, they=True),
    "no target covered": Case(make=theirs(leave_out=("@target-uri",)), we=SignatureError, they=True),
    "no type covered": Case(make=theirs(BODY, leave_out=("content-type",)), we=SignatureError, they=True),
    "no digest covered": Case(make=theirs(BODY, leave_out=("content-digest",)), we=SignatureError, they=True),
    "another's key": Case(make=lambda tag: signed_by_another(tag), we=SignatureError, they=True),
}
NEITHER: dict[str, Case] = {
    "another signature beside it": Case(make=with_another(tag="elsewhere")),
    "another label": Case(make=theirs(label="a-label")),
    "SHA-512": Case(make=theirs(BODY, headers={"content-digest": SHA_512})),
    "another type": Case(make=theirs(BODY, headers={"content-type": "application/ld+json"})),
    "the longest life": Case(make=theirs(lifetime_s=600)),
    "the longest nonce": Case(make=theirs(nonce="n" * 64)),
}


def signed_by_another(tag: str) -> Message:
    """Sign with one key and name another."""
    message = by_them(tag, key=PARTNER)
    in_header("signature-input", PARTNER.method, VENDOR.method)(message)
    return message


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("name", [*STRICTER_HERE, *STRICTER_THERE, *BOTH, *NEITHER])
def test_where_the_two_differ(name: str, tag: str) -> None:
    case = (STRICTER_HERE | STRICTER_THERE | BOTH | NEITHER)[name]
    message = case.make(tag)
    assert we_refuse(message, tag) is case.we
    assert they_refuse(message, tag) == case.they


PLACES: Final = ("signature-input", "signature", HEADER, "content-type", "content-digest", "url", "method")


@settings(max_examples=400, deadline=None)
@given(
    tag=st.sampled_from(TAGS),
    place=st.sampled_from(PLACES),
    where=st.floats(0, 1, exclude_max=True),
    length=st.integers(0, 3),
    new=st.text(st.sampled_from('abcAZ09 =:;"(),%/?@-_\t'), max_size=3),
)
def test_what_is_accepted_here_after_any_edit_is_accepted_there(
    tag: str, place: str, where: float, length: int, new: str
) -> None:
    """Nothing passes here that the other refuses: no second reading of the same bytes."""
    message = by_us(tag, BODY)
    old = str(getattr(message, place) if place in ("url", "method") else message.headers.get(place, ""))
    at = int(where * len(old))
    edited = old[:at] + new + old[at + length :]
    if place in ("url", "method"):
        setattr(message, place, edited)
    elif place in message.headers:
        message.headers[place] = edited
    if we_refuse(message, tag) is None:
        assert not they_refuse(message, tag)
