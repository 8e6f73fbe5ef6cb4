"""Vectors of specs/identity.md: keys, what a seed gives, did:web and its documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from cases import Case, Json, Operation, refused, valid
from craft import GONE, Document, Key, b58, but, hkdf, mark, put, z
from scene import (
    DECISION,
    PARTNER,
    RECORD_ID,
    RECORD_KEY,
    RELATIONSHIP,
    SEED,
    SERVING_1,
    SHOP,
    SUBPARTNER,
    VENDOR,
    relationship_key,
)

_P256: Final = "zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169"
_X25519: Final = "z6LShs9GGnqk85isEBzzshkuVWrVKsRp24GnDuHk8QWkARMW"


def _keys() -> Iterator[Case]:
    found = {"publicKey": VENDOR.raw.hex()}
    yield valid("IDN-1", "a public key", found, form="multikey", text=VENDOR.multikey)
    yield valid(
        "IDN-1", "a secret key", {"seed": VENDOR.seed.hex()} | found, form="secret", text=VENDOR.secret
    )
    yield valid("IDN-2", "a did:key", found, form="did", text=VENDOR.did)
    yield valid("IDN-2 PRF-13", "its verification method", found, form="method", text=VENDOR.method)
    for name, text in (("P-256", _P256), ("X25519", _X25519)):
        yield refused("unsupported", "IDN-1", f"a key of {name}", form="multikey", text=text)
        yield refused(
            "unsupported", "IDN-1 IDN-2", f"a did:key of {name}", form="did", text=f"did:key:{text}"
        )
    for name, text in (
        ("in base64url", "u7QGBOXcOqgRzvXzlmTL3jHFByKOXcTjn9ddoM6L9r5TzlA"),
        ("of 31 bytes", z(b"\xed\x01" + VENDOR.raw[:31])),
        ("of 33 bytes", z(b"\xed\x01" + VENDOR.raw + b"\0")),
        ("without its prefix", b58(b"\xed\x01" + VENDOR.raw)),
        ("with a digit that base58 has not", VENDOR.multikey[:-1] + "0"),
        ("with a line break", VENDOR.multikey + "\n"),
    ):
        yield refused("malformed", "IDN-1 ENC-1", f"a key {name}", form="multikey", text=text)
    yield refused(
        "unsupported",
        "IDN-1",
        "a secret key in the place of a public one",
        form="multikey",
        text=VENDOR.secret,
    )
    yield refused(
        "malformed", "IDN-2", "a verification method in the place of a DID", form="did", text=VENDOR.method
    )
    yield refused("malformed", "PRF-13", "a DID in the place of a method", form="method", text=VENDOR.did)
    yield refused(
        "malformed",
        "PRF-13 IDN-2",
        "a method with another key as its fragment",
        form="method",
        text=f"{VENDOR.did}#{PARTNER.multikey}",
    )
    yield refused(
        "malformed", "PRF-13", "a method with another name", form="method", text=f"{VENDOR.did}#key-1"
    )
    yield refused(
        "unsupported",
        "PRF-13 IDN-3",
        "a method of did:web where nothing is pinned",
        form="method",
        text=f"{SHOP}#key-1",
    )
    yield refused("unsupported", "IDN-3", "another method", form="did", text="did:example:123")


def _derived(relationship: str, epoch: int) -> Document:
    """Return what the table of the page gives; the alias key is that of epoch 0 for good."""

    def key(label: str, number: int) -> bytes:
        return hkdf(SEED, f"freehold/v1/{label}/{relationship}/{number}")

    return {
        "decision": Key(key("decision", epoch)).did,
        "serving": Key(key("serving", epoch)).did,
        "alias": key("alias", 0).hex(),
        "cursor": key("cursor", epoch).hex(),
        "generation": key("generation", epoch).hex(),
    }


def _derivation() -> Iterator[Case]:
    given: Document = {"seed": SEED.hex(), "relationship": RELATIONSHIP, "keyEpoch": 0}
    first = _derived(RELATIONSHIP, 0)
    yield valid("IDN-4 IDN-8", "the keys of a relationship", {"keys": first}, **given)
    yield valid(
        "IDN-4",
        "the record key and that of the database",
        {"recordKey": RECORD_KEY.did, "databaseKey": hkdf(SEED, "freehold/v1/database").hex()},
        seed=SEED.hex(),
    )
    yield valid("IDN-7 ROT-5", "at the next key epoch all but the alias key are others",
                {"keys": _derived(RELATIONSHIP, 1)}, **(given | {"keyEpoch": 1}))  # fmt: skip
    yield valid(
        "IDN-7",
        "the key epoch is written in decimal",
        {"keys": _derived(RELATIONSHIP, 12)},
        **(given | {"keyEpoch": 12}),
    )
    other = "1d0e8e0a-6f6b-4f5e-9d1b-2f3a4b5c6d7e"
    yield valid(
        "IDN-6 IDN-9",
        "another relationship shares nothing",
        {"keys": _derived(other, 0)},
        **(given | {"relationship": other}),
    )
    assert first["decision"] == DECISION.did and _derived(RELATIONSHIP, 1)["serving"] == SERVING_1.did  # noqa: S101, PT018
    ids = [RECORD_ID, "urn:uuid:00000000-0000-4000-8000-000000000000", "urn:freehold:zABC"]
    alias = {one: mark(relationship_key("alias"), one) for one in ids}
    yield valid("IDN-10", "aliases", {"aliases": alias}, **given, ids=ids)
    yield valid(
        "IDN-7 IDN-10",
        "aliases stay across a change of keys",
        {"aliases": alias},
        **(given | {"keyEpoch": 1}),
        ids=ids,
    )
    marks = {str(one): mark(relationship_key("generation"), str(one)) for one in (1, 2, 10, 1_795_435_200)}
    yield valid(
        "IDN-11", "marks of generations", {"marks": marks}, **given, generations=[1, 2, 10, 1_795_435_200]
    )
    marks = {"1": mark(relationship_key("generation", 1), "1")}
    yield valid(
        "IDN-7 IDN-11",
        "a mark after a change of keys",
        {"marks": marks},
        **(given | {"keyEpoch": 1}),
        generations=[1],
    )


def _dids() -> Iterator[Case]:
    def right(requirements: str, did: str, url: str, domain: str, vouched: bool = True) -> Case:
        return valid(requirements, did, {"url": url, "domain": domain, "vouched": vouched}, did=did)

    yield right("IDN-3 IDN-12 IDN-13", SHOP, "https://shop.example/.well-known/did.json", "shop.example")
    yield right(
        "IDN-12 IDN-13 IDN-3",
        f"{SHOP}%3A8443",
        "https://shop.example:8443/.well-known/did.json",
        "shop.example:8443",
    )
    yield right(
        "IDN-13 IDN-3", f"{SHOP}:eu:north", "https://shop.example/eu/north/did.json", "shop.example/eu/north"
    )
    yield right("IDN-13", f"{SHOP}%3A8443:a", "https://shop.example:8443/a/did.json", "shop.example:8443/a")
    yield right("IDN-12", f"{SHOP}:A_b.c-1", "https://shop.example/A_b.c-1/did.json", "shop.example/A_b.c-1")
    yield right(
        "IDN-12",
        "did:web:xn--bcher-kva.example",
        "https://xn--bcher-kva.example/.well-known/did.json",
        "xn--bcher-kva.example",
    )
    yield right(
        "IDN-14 IDN-3",
        "did:web:127.0.0.1%3A8080",
        "http://127.0.0.1:8080/.well-known/did.json",
        "127.0.0.1:8080",
        vouched=False,
    )
    yield right("IDN-14", "did:web:127.1.2.3:a", "http://127.1.2.3/a/did.json", "127.1.2.3/a", vouched=False)
    for name, did in (
        ("upper case", "did:web:Shop.example"), ("the port of https", f"{SHOP}%3A443"),
        ("the port of http on loopback", "did:web:127.0.0.1%3A80"),
        ("the port 0", f"{SHOP}%3A0"), ("a port too high", f"{SHOP}%3A65536"),
        ("a port with a leading zero", f"{SHOP}%3A08443"),
        ("the escape in lower case", f"{SHOP}%3a8443"), ("another escape", f"{SHOP}:a%2Fb"),
        ("a closing dot", "did:web:shop.example."),
        ("an address", "did:web:192.0.2.1"), ("a private address", "did:web:10.0.0.1"),
        ("an address of IPv6", "did:web:%5B2001%3Adb8%3A%3A1%5D"),
        ("a label of digits last", "did:web:shop.123"), ("a user", "did:web:user%40shop.example"),
        ("a segment with a dot before", f"{SHOP}:.well-known"),
        ("a segment of two dots", f"{SHOP}:.."), ("an empty segment", f"{SHOP}::a"),
        ("a closing colon", f"{SHOP}:"), ("a path", f"{SHOP}/a"),
        ("a fragment", f"{SHOP}#key-1"), ("nothing", "did:web:"),
        ("a label that begins with a hyphen", "did:web:-shop.example"),
        ("an empty label", "did:web:shop..example"),
    ):  # fmt: skip
        yield refused("malformed", "IDN-12", f"{name}: {did}", did=did)
    yield refused("unsupported", "IDN-3", "another method", did="did:webvh:abc:shop.example")


def shop_document(changes: Document | None = None) -> Document:
    """Return the document of the shop's did:web."""
    method = {
        "id": f"{SHOP}#key-1",
        "type": "Multikey",
        "controller": SHOP,
        "publicKeyMultibase": VENDOR.multikey,
    }
    uses = ("assertionMethod", "authentication", "capabilityInvocation", "capabilityDelegation")
    return but(
        {
            "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
            "id": SHOP,
            "verificationMethod": [method],
            **{use: [f"{SHOP}#key-1"] for use in uses},
        },
        changes or {},
    )


def _documents() -> Iterator[Case]:
    shop = shop_document()
    uses = ("assertionMethod", "authentication", "capabilityInvocation", "capabilityDelegation")
    listed = {use: {"#key-1": VENDOR.multikey} for use in uses}

    def case(code: str, requirements: str, name: str, document: Json, keys: Json = None) -> Case:
        given = {"did": SHOP, "document": document if isinstance(document, str) else json.dumps(document)}
        return (
            valid(requirements, name, keys, **given)
            if code == "valid"
            else refused(code, requirements, name, **given)
        )

    def method(**changes: Json) -> Document:
        return but(shop["verificationMethod"][0], changes)

    def second(**changes: Json) -> Document:
        other = {"id": f"{SHOP}#key-2", "publicKeyMultibase": PARTNER.multikey} | changes
        return but(shop, {"verificationMethod": [method(), method(**other)]})

    yield case("valid", "IDN-15 IDN-16 IDN-18", "a key for everything", shop, listed)
    only = but(shop, {use: GONE for use in uses if use != "authentication"})
    yield case(
        "valid",
        "IDN-18",
        "a key for one use only",
        only,
        {use: {"#key-1": VENDOR.multikey} if use == "authentication" else {} for use in uses},
    )
    relative = put(put(shop, "verificationMethod/0/id", "#key-1"), "authentication", ["#key-1"])
    yield case("valid", "IDN-16", "a method named by its fragment", relative, listed)
    old = put(shop, "verificationMethod/0/type", "Ed25519VerificationKey2020")
    yield case("valid", "IDN-16", "the older type", old, listed)
    embedded = but(
        shop,
        {
            "capabilityDelegation": [
                f"{SHOP}#key-1",
                method(id=f"{SHOP}#key-3", publicKeyMultibase=PARTNER.multikey),
            ]
        },
    )
    yield case("valid", "IDN-16 IDN-18", "a method embedded where it is for counts there only", embedded,
               listed | {"capabilityDelegation": {"#key-1": VENDOR.multikey, "#key-3": PARTNER.multikey}})  # fmt: skip
    yield case(
        "valid",
        "IDN-15",
        "services and other things are not read",
        but(shop, {"service": [{"id": "x", "type": 7}], "alsoKnownAs": None}),
        listed,
    )
    yield case(
        "valid",
        "IDN-15 IDN-16",
        "keys of other kinds are left out",
        second(id=f"{SHOP}#p", type="JsonWebKey2020", publicKeyMultibase=GONE, publicKeyJwk={"kty": "EC"}),
        listed,
    )
    p256 = but(second(publicKeyMultibase=_P256), {"authentication": [f"{SHOP}#key-1", f"{SHOP}#key-2"]})
    yield case("valid", "IDN-16", "a Multikey of P-256 is left out", p256, listed)
    for word in ("revoked", "expires"):
        gone = but(
            second(**{word: "2026-01-01T00:00:00Z"}), {"authentication": [f"{SHOP}#key-1", f"{SHOP}#key-2"]}
        )
        yield case("valid", "IDN-16", f"a key with {word} is left out", gone, listed)
        last = put(shop, "verificationMethod/0", method(**{word: "2099-01-01T00:00:00Z"}))
        yield case("unsupported", "IDN-16 IDN-17", f"the only key has {word}", last)
    yield case("valid", "IDN-18", "a key that no relationship lists is for nothing", second(), listed)
    yield case(
        "valid",
        "IDN-16",
        "a reference to another DID's method is left out",
        but(shop, {"authentication": [f"{SHOP}#key-1", "did:web:other.example#k"]}),
        listed,
    )
    for name, code, document in (
        ("another DID's document", "malformed", put(shop, "id", "did:web:other.example")),
        ("no id", "malformed", put(shop, "id", GONE)),
        ("an array", "malformed", [shop]),
    ):
        yield case(code, "IDN-15", name, document)
    text = json.dumps(shop)
    yield case(
        "duplicate-key",
        "IDN-15 ENC-5",
        "a key of the object twice",
        text.replace('"id"', '"id": "did:web:other.example", "id"', 1),
    )
    yield case("malformed", "IDN-15", "no JSON", text[:-1])
    yield case("valid", "IDN-15", "as large as may be", text + " " * (65_536 - len(text)), listed)
    yield case("too-large", "IDN-15 LIM-1", "one byte more", text + " " * (65_537 - len(text)))
    yield case(
        "malformed",
        "IDN-17",
        "a method of another controller",
        put(shop, "verificationMethod/0/controller", "did:web:other.example"),
    )
    yield case(
        "malformed",
        "IDN-17",
        "a method without a controller",
        put(shop, "verificationMethod/0/controller", GONE),
    )
    yield case(
        "malformed",
        "IDN-17",
        "a method named by another DID",
        put(shop, "verificationMethod/0/id", "did:web:other.example#key-1"),
    )
    yield case(
        "malformed",
        "IDN-17",
        "a method without a key",
        put(shop, "verificationMethod/0/publicKeyMultibase", GONE),
    )
    yield case(
        "malformed",
        "IDN-17 ENC-1",
        "a method whose key is not base58",
        put(shop, "verificationMethod/0/publicKeyMultibase", VENDOR.multikey[:-1] + "0"),
    )
    yield case(
        "malformed",
        "IDN-17",
        "a method with its private key",
        put(shop, "verificationMethod/0/privateKeyMultibase", VENDOR.secret),
    )
    yield case(
        "malformed",
        "IDN-17",
        "a method with its private key under the other name",
        put(shop, "verificationMethod/0/secretKeyMultibase", VENDOR.secret),
    )
    yield case(
        "malformed",
        "IDN-16 IDN-17",
        "a name with a space",
        put(shop, "verificationMethod/0/id", f"{SHOP}#key 1"),
    )
    yield case(
        "malformed",
        "IDN-16 IDN-17",
        "a name of 101 characters",
        put(shop, "verificationMethod/0/id", f"{SHOP}#" + "k" * 101),
    )
    yield case("duplicate-key", "IDN-17", "one name for two methods", second(id=f"{SHOP}#key-1"))
    yield case(
        "malformed",
        "IDN-17",
        "a reference to what is not defined",
        but(shop, {"authentication": [f"{SHOP}#key-9"]}),
    )
    yield case("unsupported", "IDN-17", "no key at all", but(shop, dict.fromkeys(uses, GONE)))
    many = [method(id=f"{SHOP}#k{n}", publicKeyMultibase=SUBPARTNER.multikey) for n in range(65)]
    yield case(
        "valid", "IDN-17", "64 methods", but(shop, {"verificationMethod": [method(), *many[:63]]}), listed
    )
    yield case(
        "too-large", "IDN-17 LIM-1", "65 methods", but(shop, {"verificationMethod": [method(), *many[:64]]})
    )
    refs = [f"{SHOP}#k{n}" for n in range(33)]
    split = but(
        shop,
        {
            "verificationMethod": many[:33],
            "assertionMethod": refs[:33],
            "authentication": refs[:32],
            **dict.fromkeys(uses[2:], GONE),
        },
    )
    yield case("too-large", "IDN-17 LIM-1", "keys for 65 uses", split)
    yield case("valid", "IDN-17", "keys for 64 uses", but(split, {"authentication": refs[:31]}))


OPERATIONS = (
    Operation(
        name="read-key",
        description="Read a key, `text`, of a `form`: `multikey`, `secret` (a secret Multikey), "
        "`did` (a did:key) or `method` (a verification "
        "method, where nothing was pinned). Output: `publicKey`, and of a secret one its `seed`, "
        "in hexadecimal.",
        cases=tuple(_keys()),
    ),
    Operation(
        name="derive-keys",
        description="Derive what a `seed` (hexadecimal) gives: without a `relationship` the record "
        "key and the key of the database; with one, and "
        "a `keyEpoch`, its `keys` (the DIDs of `decision` and `serving`, the others in "
        "hexadecimal), or, for `ids`, their `aliases`, or, for "
        "`generations`, their `marks`.",
        cases=tuple(_derivation()),
    ),
    Operation(
        name="read-did-web",
        description="Read a `did`. Output: the `url` of its document, the `domain` by which a "
        "person is shown it, and whether that is `vouched` for.",
        cases=tuple(_dids()),
    ),
    Operation(
        name="read-did-document",
        description="Read the `document` (JSON text) of a `did`. Output: for each use the keys "
        "that count, by the fragments of their methods.",
        cases=tuple(_documents()),
    ),
)
