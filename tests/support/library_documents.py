"""The library's answers about proofs, terms, records, requests and grants."""

from __future__ import annotations

import json

from freehold_protocol import purpose
from freehold_protocol.canonical import document_cid
from freehold_protocol.contexts import BUNDLED, Contexts, check_terms
from freehold_protocol.encoding import Document, Json, parse_document, parse_time
from freehold_protocol.errors import UndefinedTermError, UnsupportedError
from freehold_protocol.keys import PublicKey
from freehold_protocol.permission import Permission
from freehold_protocol.proof import CAPABILITY_SUITES, DOCUMENT_SUITES, verify_document, verify_proofs
from freehold_protocol.rdf import canonical_rdf
from freehold_protocol.record import Record, same_content
from freehold_protocol.request import Request, matching_code
from library_identity import did_document


def contexts_of(given: Document) -> Contexts:
    return Contexts(given["contexts"]) if "contexts" in given else BUNDLED


def verify_one(given: Document) -> Json:
    suites = CAPABILITY_SUITES if given["purpose"] == "capabilityDelegation" else DOCUMENT_SUITES
    found = verify_document(
        given["document"], purpose=given["purpose"], suites=suites, contexts=contexts_of(given)
    )
    return {"key": found.key.did, "signed": found.signed.hex(), "cid": document_cid(given["document"])}


def verify_several(given: Document) -> Json:
    found = verify_proofs(given["document"], purpose=given["purpose"])
    return {"keys": [one.key.did for one in found]}


def rdf(given: Document) -> Json:
    return {"nquads": canonical_rdf(given["document"], contexts=contexts_of(given)).decode()}


def terms(given: Document) -> Json:
    check_terms(given["document"], contexts_of(given))
    return None


def purpose_covers(given: Document) -> Json:
    if not (purpose.is_known(given["broader"]) and purpose.is_known(given["narrower"])):
        raise UndefinedTermError("no purpose of DPV")
    return {"covers": purpose.covers(given["broader"], given["narrower"])}


def verify_record(given: Document) -> Json:
    document = parse_document(json.dumps(given["document"]).encode(), max_bytes=2**24)
    record = Record.from_dict(document)
    record.verify(PublicKey.from_did(given["key"]))
    return {"cid": record.cid}


def same(given: Document) -> Json:
    return {"same": same_content(given["one"], given["other"])}


def verify_request(given: Document) -> Json:
    now_s = parse_time(given["now"])
    request = Request.from_dict(given["document"])
    if "didDocument" not in given:
        request.verify(now_s=now_s)
    else:
        request.check_times(now_s=now_s)
        keys = did_document({"did": request.vendor, "document": given["didDocument"]}).keys
        if not (keys.uses["assertionMethod"] and keys.uses["authentication"] and keys.controllers):
            raise UnsupportedError("a vendor that could neither ask, follow its request nor read")
        request.verify(now_s=now_s, key_of=lambda method: keys.key(method, use="assertionMethod"))
    return {"cid": request.cid, "code": matching_code(request.cid), "vendor": request.vendor}


def read_permission(given: Document) -> Json:
    Permission.from_dict(given["permission"])
    return None


OPERATIONS = {
    "verify-document": verify_one,
    "verify-proofs": verify_several,
    "canonical-rdf": rdf,
    "check-terms": terms,
    "verify-record": verify_record,
    "same-content": same,
    "verify-request": verify_request,
    "read-permission": read_permission,
    "purpose-covers": purpose_covers,
}
