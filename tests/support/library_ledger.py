"""The library's answers about ledgers and released documents."""

from __future__ import annotations

import hmac

from freehold_protocol import ledger
from freehold_protocol.bundle import BundleVerdict, EntryVerdict, verify_bundle
from freehold_protocol.canonical import jcs, without_proof
from freehold_protocol.checkpoint import open_checkpoint
from freehold_protocol.encoding import (
    Document,
    Json,
    base64url_decode,
    base64url_encode,
    multibase_encode,
    parse_document,
)
from freehold_protocol.entry import Entry
from freehold_protocol.errors import MalformedError
from freehold_protocol.keys import PublicKey, SigningKey
from freehold_protocol.merkle import parse_hash, parse_proof, root_of, verify_consistency, verify_inclusion
from freehold_protocol.released import Alias, matches, project, release_document, verify_released


def entry(given: Document) -> Json:
    Entry.from_dict(given["entry"])


def leaf(given: Document) -> Json:
    salt = parse_hash(given["salt"])
    return {"leaf": base64url_encode(ledger.entry_leaf(given["entry"], salt))}


def digests(given: Document) -> Json:
    if "signature" in given:
        return {"signature": ledger.signature_digest(base64url_decode(given["signature"]))}
    salt = base64url_decode(given["salt"])
    if "query" in given:
        return {"query": ledger.query_digest(salt, given["query"])}
    return {"released": ledger.released_digest(salt, jcs(without_proof(given["released"])))}


def root(given: Document) -> Json:
    return {"root": base64url_encode(root_of(map(parse_hash, given["leaves"])))}


def included(given: Document) -> Json:
    verify_inclusion(
        leaf=parse_hash(given["leaf"]),
        index=given["index"],
        size=given["size"],
        proof=parse_proof(given["proof"]),
        root=parse_hash(given["root"]),
    )


def consistent(given: Document) -> Json:
    verify_consistency(
        old_size=given["oldSize"],
        old_root=parse_hash(given["oldRoot"]),
        size=given["size"],
        root=parse_hash(given["root"]),
        proof=parse_proof(given["proof"]),
    )


def checkpoint(given: Document) -> Json:
    found = open_checkpoint(given["note"], origin=given["log"], key=PublicKey.from_did(given["key"]))
    return {"size": found.size, "root": base64url_encode(found.root)}


def bundle(given: Document) -> Json:
    if not isinstance(given["bundle"], dict):
        raise MalformedError("a bundle is an object")
    verdict = verify_bundle(given["bundle"], earlier=given["earlier"])
    return _outcome(verdict), {
        "status": verdict.status,
        "entries": [_word(one) for one in verdict.entries],
        "faults": list(verdict.faults),
    }


def _outcome(verdict: BundleVerdict) -> str:
    if not verdict.damaged and verdict.faults == ("rolled-back",):
        return "ledger-rolled-back"
    return "ledger-damaged" if verdict.status == "damaged" else "valid"


def _word(one: EntryVerdict) -> str:
    return f"damaged:{one.damage}" if one.damage else one.status


def _alias(given: Document) -> Alias:
    key = bytes.fromhex(given["aliasKey"])
    return lambda text: multibase_encode(hmac.digest(key, text.encode(), "sha256"))


def projected(given: Document) -> Json:
    return {"shown": project(given["content"], given["fields"], alias=_alias(given))}


def where_matches(given: Document) -> Json:
    return {"matches": matches(given["content"], given["where"].items())}


def release(given: Document) -> Json:
    key = SigningKey(bytes.fromhex(given["servingSeed"]))
    made = release_document(
        given["id"], given["content"], fields=tuple(given["fields"]), key=key, alias=_alias(given)
    )
    return {"document": made.signed(key)}


def verify_release(given: Document) -> Json:
    verify_released(given["document"], key=PublicKey.from_did(given["key"]))


def read_problem(given: Document) -> Json:
    headers = {name.lower(): value for name, value in given["headers"].items()}
    body = given["body"]
    code = headers.get("freehold-code") if body is None else parse_document(body.encode()).get("code")
    if not isinstance(code, str):
        raise MalformedError("a problem without a code")
    return code, None


OPERATIONS = {
    "read-entry": entry,
    "entry-leaf": leaf,
    "entry-digests": digests,
    "tree-root": root,
    "verify-inclusion": included,
    "verify-consistency": consistent,
    "open-checkpoint": checkpoint,
    "verify-bundle": bundle,
    "project": projected,
    "where-matches": where_matches,
    "release": release,
    "verify-released": verify_release,
    "read-problem": read_problem,
}
