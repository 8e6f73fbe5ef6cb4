"""The persons, keys and documents of every vector and every worked example: one story, always the same bytes."""

from __future__ import annotations

from typing import Any, Final

from craft import GONE, JCS, Document, Json, Key, b64u, bare, but, cid, hkdf, jcs, mark, sha256, sign

CONTEXT: Final = "https://w3id.org/freehold/v1"
TERM: Final = CONTEXT + "#"
DPV: Final = "https://w3id.org/dpv#"
SEED: Final = bytes(range(32))
RELATIONSHIP: Final = "9b2f6c1e-0d3a-4c53-8a71-5e0f4d2c7b60"


def relationship_key(label: str, epoch: int = 0) -> bytes:
    """Return the 32 bytes of one of the relationship's keys."""
    return hkdf(SEED, f"freehold/v1/{label}/{RELATIONSHIP}/{epoch}")


RECORD_KEY: Final = Key(hkdf(SEED, "freehold/v1/records"))
DECISION: Final = Key(relationship_key("decision"))
SERVING: Final = Key(relationship_key("serving"))
DECISION_1: Final = Key(relationship_key("decision", 1))
SERVING_1: Final = Key(relationship_key("serving", 1))
ALIAS: Final = relationship_key("alias")
VENDOR: Final = Key(bytes([2]) * 32)
PARTNER: Final = Key(bytes([3]) * 32)
SUBPARTNER: Final = Key(bytes([4]) * 32)
STRANGER: Final = Key(bytes([9]) * 32)
PERSON_2: Final = Key(bytes([8]) * 32)
SHOP: Final = "did:web:shop.example"

NOON: Final = "2026-11-23T12:00:00Z"
DAY: Final = "2026-11-23"
GRANT_UUID: Final = "0e8d6f0b-3b7e-4a55-b0f1-6d2f5a9c4e18"
ORIGIN: Final = "https://p3kx9.example.org"
ROOT_TARGET: Final = f"{ORIGIN}/g/{GRANT_UUID}"
LOG: Final = "freehold/ledger/7Yk2hVZ0m5Jd1oYFh6pWqA"
RECORD_ID: Final = "urn:uuid:2c1a7f34-6b0e-4f7e-9d55-0a6d1b8f3e21"
ZCAP: Final = "https://w3id.org/zcap/v1"
INTEGRITY: Final = "https://w3id.org/security/data-integrity/v2"
SUITE_2020: Final = "https://w3id.org/security/suites/ed25519-2020/v1"
GENERATION: Final = TERM + "generation"


def root_id(target: str) -> str:
    """Return the id of a target's root capability."""
    plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~!*'()"
    return "urn:zcap:root:" + "".join(one if one in plain else f"%{ord(one):02X}" for one in target)


DELIVERY: Final[Document] = {
    "name": "delivery",
    "items": [{"type": "Person", "about": "self", "fields": ["name", "address.postalCode", "telephone"]}],
    "purpose": ["dpv:DeliveryOfGoods"],
    "retention": "P30D",
    "required": True,
    "recipients": [PARTNER.did],
    "limits": {"rate": {"reads": 10, "per": "P1D"}},
}
NEWS: Final[Document] = {
    "name": "news",
    "items": [{"type": "Person", "about": "self", "fields": ["email"]}],
    "purpose": ["dpv:DirectMarketing"],
    "retention": "P6M",
    "required": False,
}


def request(changes: Document | None = None, *, key: Key = VENDOR, **how: Any) -> Document:
    """Return the vendor's request, or one that says something else."""
    document = but(
        {
            "@context": CONTEXT,
            "type": "AccessRequest",
            "id": "urn:uuid:5d1f0c7e-91aa-4d0c-8a43-7c2b9be5f610",
            "nonce": "pQ3vT0mZrK5sXy8uWb2cNw",
            "created": NOON,
            "expires": "2027-02-21T12:00:00Z",
            "assignee": {"id": VENDOR.did, "type": "Organization", "name": "Example Shop"},
            "permission": [DELIVERY, NEWS],
            "benefit": "Free delivery for 90 days.",
        },
        changes or {},
    )
    return sign(document, key, **({"created": document.get("created", NOON)} | how))


REQUEST: Final = request()
GIVEN: Final[Document] = {
    **DELIVERY,
    "items": [{"type": "Person", "about": "self", "fields": ["name", "address.postalCode"]}],
}


def grant(changes: Document | None = None, *, key: Key = DECISION, **how: Any) -> Document:
    """Return the grant's first version, or another that says something else."""
    document = but(
        {
            "@context": CONTEXT,
            "type": "AccessGrant",
            "id": f"urn:uuid:{GRANT_UUID}",
            "nonce": "aB4dE6fG8hJ0kL2mN4pQ6r",
            "version": 1,
            "state": "live",
            "created": "2026-11-23T12:10:00Z",
            "request": cid(REQUEST),
            "assigner": DECISION.did,
            "servingKey": SERVING.did,
            "assignee": VENDOR.did,
            "origins": [ORIGIN],
            "log": LOG,
            "notBefore": "2026-11-23T12:10:00Z",
            "expires": "2026-12-23T12:00:00Z",
            "permission": [GIVEN],
        },
        changes or {},
    )
    return sign(document, key, **({"created": document["created"]} | how))


GRANT: Final = grant()


def after(version: Document, changes: Document, *, key: Key, **how: Any) -> Document:
    """Return a version that follows on another."""
    document = but(
        bare(version),
        {
            "version": version["version"] + 1,
            "nonce": "cD5eF7gH9iK1lM3nP5qR7s",
            "created": "2026-11-24T12:00:00Z",
            "previous": cid(version),
            **changes,
        },
    )
    return sign(document, key, **({"created": document["created"]} | how))


PAUSED: Final = after(GRANT, {"state": "paused"}, key=SERVING)


def rotated(
    version: Document, changes: Document | None = None, *, keys: tuple[Key, ...] | None = None
) -> Document:
    """Return a change of keys: a set of proofs, by the old decision key and by the new one unless told."""
    names = {"assigner": DECISION_1.did, "servingKey": SERVING_1.did, **(changes or {})}
    first, *others = keys if keys is not None else (DECISION, DECISION_1)
    document = after(version, names, key=first)
    proofs = [
        document["proof"],
        *(sign(document, key, created=document["created"])["proof"] for key in others),
    ]
    return {**document, "proof": proofs}


CAPABILITY_ID: Final = "urn:uuid:b7c9e2d4-52f6-4a0b-9c1d-3e8f7a6b5c40"


def capability(
    changes: Document | None = None,
    *,
    key: Key = SERVING,
    parent: Document | None = None,
    suite: str = JCS,
    chain: Json = None,
    created: str = "2026-11-23T12:11:00Z",
    **how: Any,
) -> Document:
    """Return the vendor's capability, or with ``parent`` one delegated from it to the carrier."""
    root = root_id(ROOT_TARGET)
    document: Document = {
        "@context": [ZCAP, SUITE_2020 if suite == "Ed25519Signature2020" else INTEGRITY],
        "id": CAPABILITY_ID,
        "parentCapability": root,
        "controller": VENDOR.did,
        "invocationTarget": ROOT_TARGET,
        "allowedAction": ["read"],
        "expires": "2026-11-30T12:11:00Z",
        GENERATION: mark(relationship_key("generation"), "1"),
    }
    if parent is not None:
        document |= {
            "id": "urn:uuid:3f0c2b1a-7e6d-4c5b-8a9f-1e2d3c4b5a60",
            "parentCapability": parent["id"],
            "controller": PARTNER.did,
            "invocationTarget": f"{ROOT_TARGET}/delivery",
            "expires": "2026-11-24T12:11:00Z",
        }
        del document[GENERATION]
    if chain is None:
        above = [] if parent is None else parent["proof"]["capabilityChain"]
        ids = [one if isinstance(one, str) else one["id"] for one in above]
        chain = [root] if parent is None else [*ids, parent]
    members = {"capabilityChain": chain, **how.pop("members", {})}
    return sign(
        but(document, changes or {}), key, purpose="capabilityDelegation", created=created, suite=suite,
        members=members, **how,
    )  # fmt: skip


CAPABILITY: Final = capability()
DELEGATED: Final = capability(key=VENDOR, parent=CAPABILITY)


def revocation_key(document: Document, key: Key) -> str:
    """Return what names a capability for revoking, of one in canonical JSON."""
    proof = but(document["proof"], {"proofValue": GONE})
    signed = sha256(jcs(proof)) + sha256(jcs(bare(document)))
    return b64u(sha256(signed + key.raw))
