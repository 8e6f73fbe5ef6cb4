"""The library's answers about proofs, terms, records, requests and grants."""

from __future__ import annotations

from freehold_protocol import purpose
from freehold_protocol.canonical import document_cid
from freehold_protocol.contexts import BUNDLED, Contexts, check_terms
from freehold_protocol.encoding import Document, Json
from freehold_protocol.errors import UndefinedTermError
from freehold_protocol.proof import CAPABILITY_SUITES, DOCUMENT_SUITES, verify_document, verify_proofs
from freehold_protocol.rdf import canonical_rdf


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


OPERATIONS = {
    "verify-document": verify_one,
    "verify-proofs": verify_several,
    "canonical-rdf": rdf,
    "check-terms": terms,
    "purpose-covers": purpose_covers,
}
