"""The library's answers about keys, what a seed gives, and did:web."""

from __future__ import annotations

from freehold_protocol import limits
from freehold_protocol.did_document import USES, DidDocument, did_web_url, domain_of, is_vouched
from freehold_protocol.encoding import Document, Json, parse_document
from freehold_protocol.keys import PublicKey, RelationshipKeys, SigningKey, hkdf_sha256, record_key


def read_key(given: Document) -> Json:
    text = given["text"]
    if given["form"] == "secret":
        key = SigningKey.from_multikey(text)
        return {"seed": key.seed.hex(), "publicKey": key.public.raw.hex()}
    read = {"multikey": PublicKey.from_multikey, "did": PublicKey.from_did, "method": PublicKey.from_method}
    return {"publicKey": read[given["form"]](text).raw.hex()}


def derive_keys(given: Document) -> Json:
    seed = bytes.fromhex(given["seed"])
    if "relationship" not in given:
        database = hkdf_sha256(seed, info=b"freehold/v1/database")
        return {"recordKey": record_key(seed).did, "databaseKey": database.hex()}
    keys = RelationshipKeys.derive(seed, given["relationship"], key_epoch=given["keyEpoch"])
    if "ids" in given:
        return {"aliases": {one: keys.alias_of(one) for one in given["ids"]}}
    if "generations" in given:
        return {"marks": {str(one): keys.generation_tag(one) for one in given["generations"]}}
    others = {label: getattr(keys, label).hex() for label in ("alias", "cursor", "generation")}
    return {"keys": {"decision": keys.decision.did, "serving": keys.serving.did, **others}}


def read_did_web(given: Document) -> Json:
    did = given["did"]
    return {"url": did_web_url(did), "domain": domain_of(did), "vouched": is_vouched(did)}


def did_document(given: Document) -> DidDocument:
    text = given["document"].encode()
    return DidDocument.from_dict(parse_document(text, max_bytes=limits.MAX_DID_DOCUMENT_BYTES), given["did"])


def read_did_document(given: Document) -> Json:
    uses = did_document(given).keys.uses
    return {use: {name: key.multikey for name, key in uses[use].items()} for use in USES}


OPERATIONS = {
    "read-key": read_key,
    "derive-keys": derive_keys,
    "read-did-web": read_did_web,
    "read-did-document": read_did_document,
}
