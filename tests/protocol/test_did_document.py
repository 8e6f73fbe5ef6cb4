"""DID documents: one spelling of a did:web, and no key that its document does not list for that use."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from freehold_protocol import limits
from freehold_protocol.canonical import jcs
from freehold_protocol.did_document import (
    USES,
    DidDocument,
    DidKeys,
    Use,
    did_of,
    did_web_url,
    domain_of,
    is_vouched,
    is_web,
    make_did_document,
    method_of,
    read_did,
)
from freehold_protocol.encoding import Document, Json, multibase_encode
from freehold_protocol.errors import (
    DuplicateKeyError,
    FreeholdError,
    MalformedError,
    SignatureError,
    TooLargeError,
    UnsupportedError,
)
from freehold_protocol.keys import SigningKey
from hypothesis import given, settings
from hypothesis import strategies as st
from signed_documents import json_values, spoiled, with_member, without_member

DID = "did:web:shop.example"
ONE, TWO, THREE = (SigningKey(bytes([number]) * 32) for number in (1, 2, 3))
P256 = "zDnaeWgbpcUat3VPa1GqrsLFyMk6BVLEpYXyFTsT8LAFkZJC8"


# The identifier


@pytest.mark.parametrize(
    ("did", "url", "domain"),
    [
        ("did:web:shop.example", "https://shop.example/.well-known/did.json", "shop.example"),
        ("did:web:shop.example%3A8443", "https://shop.example:8443/.well-known/did.json", "shop.example:8443"),
        ("did:web:shop.example%3A80", "https://shop.example:80/.well-known/did.json", "shop.example:80"),
        ("did:web:host.example:alice", "https://host.example/alice/did.json", "host.example/alice"),
        (
            "did:web:host.example%3A3000:user:Alice_2.x-y",
            "https://host.example:3000/user/Alice_2.x-y/did.json",
            "host.example:3000/user/Alice_2.x-y",
        ),
        ("did:web:xn--9ca.example", "https://xn--9ca.example/.well-known/did.json", "xn--9ca.example"),
        ("did:web:1and1.example", "https://1and1.example/.well-known/did.json", "1and1.example"),
        ("did:web:shop", "https://shop/.well-known/did.json", "shop"),
        ("did:web:127.0.0.1%3A8001", "http://127.0.0.1:8001/.well-known/did.json", "127.0.0.1:8001"),
        ("did:web:127.0.0.1%3A443:a", "http://127.0.0.1:443/a/did.json", "127.0.0.1:443/a"),
        (f"did:web:{'a' * 63}.example", f"https://{'a' * 63}.example/.well-known/did.json", f"{'a' * 63}.example"),
    ],
)  # fmt: skip
def test_where_a_document_stands(did: str, url: str, domain: str) -> None:
    assert did_web_url(did) == url
    assert domain_of(did) == domain
    assert read_did(did, "id") == did
    assert is_web(did)
    assert is_vouched(did) == ("127." not in did)


NO_DID_WEB = [
    "did:web:",
    "did:web:Shop.example",
    "did:web:SHOP.EXAMPLE",
    "did:web:shop.example.",
    "did:web:.shop.example",
    "did:web:shop..example",
    "did:web:-shop.example",
    "did:web:shop-.example",
    "did:web:shop_1.example",
    f"did:web:{'a' * 64}.example",
    "did:web:" + "a." * 150 + "example",
    "did:web:bücher.example",
    # Addresses, in whatever spelling somebody might take for one
    "did:web:10.0.0.1",
    "did:web:8.8.8.8",
    "did:web:169.254.169.254",
    "did:web:0.0.0.0",
    "did:web:127.1",
    "did:web:127.0.0.01",
    "did:web:127.0.0.256",
    "did:web:0127.0.0.1",
    "did:web:2130706433",
    "did:web:0x7f000001",
    "did:web:0x7f.1",
    "did:web:shop.0x7f",
    "did:web:1.shop.7",
    "did:web:[::1]",
    "did:web:%5B%3A%3A1%5D",
    "did:web:::1",
    # Ports
    "did:web:shop.example%3A",
    "did:web:shop.example%3A0",
    "did:web:shop.example%3A080",
    "did:web:shop.example%3A443",
    "did:web:shop.example%3A65536",
    "did:web:shop.example%3a8443",
    "did:web:shop.example%3A8443%3A1",
    "did:web:shop.example:8443%3A1",
    "did:web:127.0.0.1%3A80",
    # Users, paths, queries, fragments, escapes
    "did:web:me@shop.example",
    "did:web:me%40shop.example",
    "did:web:shop.example/did.json",
    "did:web:shop.example%2Fa",
    "did:web:shop.example?a",
    "did:web:shop.example#key-1",
    "did:web:shop.example:",
    "did:web:shop.example::a",
    "did:web:shop.example:a:",
    "did:web:shop.example:.",
    "did:web:shop.example:..",
    "did:web:shop.example:..:a",
    "did:web:shop.example:.well-known",
    "did:web:shop.example:%2e%2e",
    "did:web:shop.example:a b",
    "did:web:shop.example:a%20b",
    "did:web:shop.example\n",
    "did:web:shop.example:a\n",
    "did:web: shop.example",
    "did:web:shop.example\x00",
    "did:web:" + "a" * 600,
]


@pytest.mark.parametrize("did", NO_DID_WEB)
def test_no_other_spelling_is_a_did_web(did: str) -> None:
    for read in (did_web_url, domain_of, lambda did: read_did(did, "id")):
        with pytest.raises(MalformedError):
            read(did)


@pytest.mark.parametrize(
    "did",
    [
        "did:key:" + ONE.public.multikey,
        "did:webvh:shop.example",
        "did:WEB:shop.example",
        "https://shop.example",
        "",
    ],
)
def test_other_methods_have_no_document(did: str) -> None:
    for read in (did_web_url, domain_of):
        with pytest.raises(UnsupportedError):
            read(did)
    assert not is_web(did)
    assert not is_vouched(did)


def test_a_did_of_another_method_is_read_as_it_is() -> None:
    assert read_did("did:example:x", "id") == "did:example:x"
    for value in (None, 7, "shop.example", ["did:web:shop.example"]):
        with pytest.raises(MalformedError):
            read_did(value, "id")


@settings(max_examples=300)
@given(st.text(alphabet="a1.:%3A-@/#?[]_Z~\\ ", max_size=40))
def test_whatever_is_a_did_web_leads_to_its_own_host(text: str) -> None:
    did = "did:web:" + text
    try:
        url = did_web_url(did)
    except MalformedError:
        return
    host = text.partition(":")[0].replace("%3A", ":")
    assert url.startswith((f"https://{host}/", f"http://{host}/"))
    assert not set("@?#%\\ ") & set(url)
    assert "/../" not in url
    assert did_of(did + "#key-1") == did


# The document


def method(fragment: str = "#key-1", key: SigningKey = ONE, **more: Json) -> Document:
    made: Document = {
        "id": DID + fragment,
        "type": "Multikey",
        "controller": DID,
        "publicKeyMultibase": key.public.multikey,
    }
    return {name: value for name, value in (made | more).items() if value is not None}


def document(*methods: Json, **more: Json) -> Document:
    return {"id": DID, "verificationMethod": list(methods), **more}


def keys_of(found: Document) -> DidKeys:
    return DidDocument.from_dict(found, DID).keys


def listed(found: Document, use: Use = "assertionMethod") -> dict[str, str]:
    return {name: key.did for name, key in keys_of(found).uses[use].items()}


GOOD = document(
    method(), method("#key-2", TWO),
    assertionMethod=[f"{DID}#key-1"], authentication=["#key-1", f"{DID}#key-2"],
    capabilityInvocation=["#key-2"], capabilityDelegation=[method("#key-3", THREE)],
    **{"@context": ["https://www.w3.org/ns/did/v1"], "service": [{"id": "#x", "type": "Y", "serviceEndpoint": "z:"}]},
)  # fmt: skip


def test_keys_are_listed_by_what_they_are_for() -> None:
    keys = keys_of(GOOD)
    assert {use: sorted(keys.uses[use]) for use in USES} == {
        "assertionMethod": ["#key-1"],
        "authentication": ["#key-1", "#key-2"],
        "capabilityInvocation": ["#key-2"],
        "capabilityDelegation": ["#key-3"],
    }
    assert keys.key(f"{DID}#key-2", use="authentication") == TWO.public
    for method_, use in (
        (f"{DID}#key-2", "assertionMethod"),
        (f"{DID}#key-3", "authentication"),
        (f"{DID}#key-4", "authentication"),
        ("#key-1", "authentication"),
        (f"{DID}", "authentication"),
        (f"{DID}:a#key-1", "authentication"),
        (ONE.method, "authentication"),
        ("", "authentication"),
    ):
        with pytest.raises(SignatureError):
            keys.key(method_, use=use)  # type: ignore[arg-type]
    assert keys.controllers == (TWO.public,)
    assert keys.controls(TWO.public)
    assert not keys.controls(TWO.public, delegating=True)
    assert not keys.controls(ONE.public)
    assert not keys.controls(THREE.public, delegating=True)  # may delegate, but holds nothing
    assert set(keys.all) == {ONE.public, TWO.public, THREE.public}


def test_what_was_read_is_not_changed() -> None:
    before = copy.deepcopy(GOOD)
    assert DidDocument.from_dict(GOOD, DID).document == before == GOOD


def test_keys_are_kept_as_one_text() -> None:
    keys = keys_of(GOOD)
    assert DidKeys.from_text(keys.text) == keys
    assert DidKeys.from_text(keys.text).text == keys.text
    turned = copy.deepcopy(GOOD)
    turned["verificationMethod"].reverse()
    turned["authentication"].reverse()
    turned["service"] = []
    assert keys_of(turned).text == keys.text
    assert jcs(json.loads(keys.text)).decode() == keys.text


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"id":"did:web:shop.example"}', "x"])
def test_a_text_that_holds_no_keys(text: str) -> None:
    with pytest.raises(FreeholdError):
        DidKeys.from_text(text)


@pytest.mark.parametrize(
    ("made", "same"),
    [
        (document(method(), method("#key-2", TWO), assertionMethod=["#key-1", "#key-2"]), True),
        (document(method("#key-2", TWO), method(), assertionMethod=["#key-2", "#key-1"]), True),
        (document(method(), assertionMethod=["#key-1"]), False),
        (document(method(), method("#key-2", THREE), assertionMethod=["#key-1", "#key-2"]), False),
        (document(method(), method("#key-3", TWO), assertionMethod=["#key-1", "#key-3"]), False),
        (document(method(), method("#key-2", TWO), authentication=["#key-1", "#key-2"]), False),
    ],
)
def test_when_two_documents_list_the_same_keys(made: Document, same: bool) -> None:
    before = document(method(), method("#key-2", TWO), assertionMethod=["#key-1", "#key-2"])
    assert (keys_of(made).text == keys_of(before).text) == same


@pytest.mark.parametrize(
    "other",
    [
        {"id": f"{DID}#p256", "type": "Multikey", "controller": DID, "publicKeyMultibase": P256},
        {"id": f"{DID}#pq", "type": "Multikey", "controller": DID, "publicKeyMultibase": "u" + "A" * 5000},
        {"id": f"{DID}#jwk", "type": "JsonWebKey2020", "controller": DID, "publicKeyJwk": {"kty": "EC"}},
        {"id": f"{DID}#jwk", "type": "JsonWebKey", "controller": "did:web:other.example"},
        {"id": f"{DID}#old", "type": "Ed25519VerificationKey2018", "controller": DID, "publicKeyBase58": "x"},
        {"id": f"{DID}#ended", **method("#ended", TWO, revoked="2026-01-01T00:00:00Z")},
        {"id": f"{DID}#ends", **method("#ends", TWO, expires="2036-01-01T00:00:00Z")},
        {"id": 7, "type": "Something"},
        {"type": "Something"},
        {},
    ],
)
def test_other_kinds_of_keys_are_left_out(other: Document) -> None:
    name = other["id"] if isinstance(other.get("id"), str) else "#key-1"
    found = document(method(), other, assertionMethod=["#key-1", name, other])
    assert listed(found) == {"#key-1": ONE.did}


@pytest.mark.parametrize("type_", ["Multikey", "Ed25519VerificationKey2020"])
@pytest.mark.parametrize("fragment", ["#key-1", "#" + ONE.public.multikey, "#K_1.x-y", "#" + "k" * 100])
def test_methods_may_be_named_and_embedded_as_the_publisher_likes(type_: str, fragment: str) -> None:
    for id_ in (fragment, DID + fragment):
        one = method(fragment, type=type_, id=id_)
        for found in (
            document(one, assertionMethod=[fragment]),
            document(one, assertionMethod=[DID + fragment]),
            document(assertionMethod=[one]),
            {"id": DID, "assertionMethod": [one], "authentication": [one]},
        ):
            assert listed(found) == {fragment: ONE.did}


def test_what_another_did_is_referred_to_for_is_left_out() -> None:
    found = document(method(), assertionMethod=["#key-1", "did:web:other.example#key-1", ONE.method])
    assert listed(found) == {"#key-1": ONE.did}


Spoil = Callable[[Document], Any]
BAD: dict[str, tuple[Json, type[FreeholdError]]] = {
    "no object": ([], MalformedError),
    "a text": (DID, MalformedError),
    "nothing": ({}, MalformedError),
    "no id": ({name: value for name, value in GOOD.items() if name != "id"}, MalformedError),
    "another's": ({**GOOD, "id": "did:web:other.example"}, MalformedError),
    "a path of it": ({**GOOD, "id": f"{DID}:a"}, MalformedError),
    "in capitals": ({**GOOD, "id": "did:web:SHOP.example"}, MalformedError),
    "an id that is no text": ({**GOOD, "id": [DID]}, MalformedError),
    "no keys": (document(), UnsupportedError),
    "keys for nothing": (document(method()), UnsupportedError),
    "keys of other kinds alone": (
        document({**method(), "publicKeyMultibase": P256}, assertionMethod=["#key-1"]), UnsupportedError,
    ),
    "methods that are no array": ({**GOOD, "verificationMethod": method()}, MalformedError),
    "a method that is a text": (document("#key-1", assertionMethod=[method()]), MalformedError),
    "a relationship that is no array": (document(method(), assertionMethod="#key-1"), MalformedError),
    "a relationship of numbers": (document(method(), assertionMethod=[7]), MalformedError),
    "a reference to nothing": (document(method(), assertionMethod=["#key-2"]), MalformedError),
    "a reference to what is embedded elsewhere": (
        document(assertionMethod=[method()], authentication=["#key-1"]), MalformedError,
    ),
    "somebody else's method": (
        document(method(controller="did:web:other.example"), assertionMethod=["#key-1"]), MalformedError,
    ),
    "nobody's method": (document(method(controller=None), assertionMethod=["#key-1"]), MalformedError),
    "several controllers": (document(method(controller=[DID]), assertionMethod=["#key-1"]), MalformedError),
    "a method without a name": (document(method(id=None), assertionMethod=["#key-1"]), MalformedError),
    "a method named by another": (
        document(method(id="did:web:other.example#key-1"), assertionMethod=["#key-1"]), MalformedError,
    ),
    "a method whose name has no fragment": (document(method(id=DID), assertionMethod=[DID]), MalformedError),
    "a name of other characters": (document(method("#key 1"), assertionMethod=["#key 1"]), MalformedError),
    "a long name": (document(method("#" + "k" * 101), assertionMethod=["#" + "k" * 101]), MalformedError),
    "one name for two keys": (
        document(method(), method(key=TWO), assertionMethod=["#key-1"]), DuplicateKeyError,
    ),
    "one name for two keys, one embedded": (
        document(method(), assertionMethod=["#key-1"], authentication=[method(key=TWO)]), DuplicateKeyError,
    ),
    "one name for two kinds": (
        document(method(), {"id": "#key-1", "type": "JsonWebKey"}, assertionMethod=["#key-1"]), DuplicateKeyError,
    ),
    "no key": (document(method(publicKeyMultibase=None), assertionMethod=["#key-1"]), MalformedError),
    "a key that is no text": (document(method(publicKeyMultibase=7), assertionMethod=["#key-1"]), MalformedError),
    "a key that is none": (document(method(publicKeyMultibase="z6Mk0OIl"), assertionMethod=["#key-1"]), MalformedError),
    "a key cut short": (
        document(method(publicKeyMultibase=multibase_encode(b"\xed\x01" + ONE.public.raw[:31]).replace("z6", "z6", 1)),
                 assertionMethod=["#key-1"]), FreeholdError,
    ),
    "a long key": (document(method(publicKeyMultibase="z6Mk" + "1" * 500), assertionMethod=["#key-1"]), TooLargeError),
    "another kind of key as Ed25519": (
        document(method(type="Ed25519VerificationKey2020", publicKeyMultibase=P256), assertionMethod=["#key-1"]),
        UnsupportedError,
    ),
    "the private key beside it": (
        document(method(secretKeyMultibase=ONE.multikey), assertionMethod=["#key-1"]), MalformedError,
    ),
    "the private key by its older name": (
        document(method(type="Ed25519VerificationKey2020", privateKeyMultibase=ONE.multikey),
                 assertionMethod=["#key-1"]), MalformedError,
    ),
    "many methods": (
        document(*(method(f"#key-{number}") for number in range(limits.MAX_DID_METHODS + 1)),
                 assertionMethod=["#key-1"]), TooLargeError,
    ),
    "many references": (
        document(method(), assertionMethod=["#key-1"] * (limits.MAX_DID_METHODS + 1)), TooLargeError,
    ),
    "many embedded methods": (
        document(**{use: [method(f"#{use}-{number}") for number in range(40)] for use in USES}), TooLargeError,
    ),
    "many keys": (
        document(*(method(f"#key-{number}", SigningKey(bytes([number]) * 32)) for number in range(40)),
                 **{use: [f"#key-{number}" for number in range(40)] for use in USES}), TooLargeError,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_document_that_does_not_count(name: str) -> None:
    found, error = BAD[name]
    with pytest.raises(error):
        DidDocument.from_dict(found, DID)


@settings(max_examples=200)
@given(json_values | spoiled(GOOD))
def test_any_json_value_is_a_document_or_a_freehold_error(value: Any) -> None:
    try:
        keys = DidDocument.from_dict(value, DID).keys
    except FreeholdError:
        return
    assert value["id"] == DID
    assert set(keys.all) <= {ONE.public, TWO.public, THREE.public}
    assert DidKeys.from_text(keys.text) == keys


# Publishing


def test_what_is_published_can_be_read() -> None:
    names = {method_of(DID, ONE.public): ONE.public, f"{DID}#key-2": TWO.public}
    made = make_did_document(DID, names)
    keys = keys_of(made)
    for use in USES:
        assert {DID + name: key for name, key in keys.uses[use].items()} == names
    assert set(keys.controllers) == {ONE.public, TWO.public}
    assert keys.controls(ONE.public, delegating=True)
    assert "secret" not in json.dumps(made)
    json.dumps(made)


@pytest.mark.parametrize(
    ("did", "keys"),
    [
        (DID, {}),
        (ONE.did, {ONE.method: ONE.public}),
        (DID, {"key-1": ONE.public}),
        (DID, {"#key-1": ONE.public}),
        (DID, {DID: ONE.public}),
        (DID, {"did:web:other.example#key-1": ONE.public}),
        ("did:web:10.0.0.1", {"did:web:10.0.0.1#key-1": ONE.public}),
    ],
)
def test_what_cannot_be_published(did: str, keys: Any) -> None:
    with pytest.raises(FreeholdError):
        make_did_document(did, keys)


def test_members_that_count_are_needed() -> None:
    assert listed(without_member(GOOD, "authentication")) == {"#key-1": ONE.did}
    assert listed(with_member(GOOD, "authentication", [])) == {"#key-1": ONE.did}
