"""Request: a vendor's signed ask, a list of permissions wanted.

Spec: specs/requests.md
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from . import form, limits
from .canonical import document_cid
from .connect import Connect
from .did_document import did_of, is_web, read_did
from .encoding import Document, Json, format_time, parse_time
from .errors import IncompleteRequestError, MalformedError, SignatureError, StaleSignatureError
from .keys import PublicKey, SigningKey
from .permission import Permission, read_permissions
from .proof import KeyOf, Verified, sign_document, verify_document

TYPE: Final = "AccessRequest"
_DAY_S: Final = 86_400
_REQUIRED: Final = ("@context", "type", "id", "nonce", "created", "assignee", "permission", "proof")
_OPTIONAL: Final = ("expires", "benefit", "terms", "contact", "connect")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A parsed request; ``document`` is what was signed, as it came.

    ``cid`` is the content identifier by which a grant names it, made once because every version is compared
    with it; ``expires_s`` is the end of the access asked for; ``benefit`` what the vendor offers in return;
    ``connect`` how the person's browser carries it, None where it is posted to an invitation.
    """

    document: Document
    cid: str
    id: str
    created_s: int
    expires_s: int
    vendor: str
    vendor_name: str
    permissions: tuple[Permission, ...]
    benefit: str | None
    terms: str | None
    contact: str | None
    connect: Connect | None = None

    @classmethod
    def from_dict(cls, document: Json) -> Request:
        """Parse a request without verifying its proof.

        Raises:
            IncompleteRequestError: No purpose, expiry or retention.
            MalformedError: And its other subclasses: it does not have a request's form.
            UnsupportedError: It asks for something this version does not know.

        Spec: specs/requests.md#form
        """
        if isinstance(document, dict) and "expires" not in document:
            raise IncompleteRequestError("a request says when the access it asks for ends")
        found = form.check_members(document, required=_REQUIRED, optional=_OPTIONAL)
        form.constant(found["@context"], form.CONTEXT, "@context")
        form.constant(found["type"], TYPE, "type")
        form.nonce(found["nonce"])
        vendor = form.check_members(found["assignee"], required=("id", "type", "name"))
        form.constant(vendor["type"], "Organization", "assignee.type")
        did = read_did(vendor["id"], "assignee.id")
        return cls(
            document=found,
            cid=document_cid(found),
            id=form.urn_uuid(found["id"], "id"),
            created_s=parse_time(found["created"]),
            expires_s=parse_time(found["expires"]),
            vendor=did,
            vendor_name=form.text(vendor["name"], "assignee.name", most=120),
            permissions=read_permissions(found["permission"]),
            benefit=form.text(found["benefit"], "benefit", lines=True) if "benefit" in found else None,
            terms=form.text(found["terms"], "terms", most=300) if "terms" in found else None,
            contact=form.text(found["contact"], "contact", most=300) if "contact" in found else None,
            connect=Connect.from_dict(found["connect"], vendor=did) if "connect" in found else None,
        )

    @property
    def method(self) -> str:
        """The verification method that its proof names, which is of the vendor's DID.

        Raises:
            SignatureError: It is another's.
            MalformedError: The proof names none.
        """
        proof = self.document["proof"]
        method = proof.get("verificationMethod") if isinstance(proof, dict) else None
        if not isinstance(method, str):
            raise MalformedError("a document carries exactly one proof")
        return self._own(method)

    def _own(self, method: str) -> str:
        if did_of(method) != self.vendor:
            raise SignatureError("the proof is by another key")
        return method

    def verify(self, *, now_s: int, key_of: KeyOf = PublicKey.from_method) -> None:
        """Check that the vendor signed it, now, for a time that can be granted.

        Args:
            now_s: The node's clock, Unix seconds.
            key_of: Gives the key of the vendor's verification method, or raises: for a did:web, as its document
                lists it for ``assertionMethod``, or as it was pinned.

        Raises:
            SignatureError: The proof is not by the vendor's key.
            StaleSignatureError: Made more than a day ago, or in the future.
            IncompleteRequestError: Its expiry is past or too far off to be an end.
            UnsupportedError: The vendor's DID is of a method whose keys are not known here.

        Spec: specs/requests.md#verification
        """
        self.check_signed(verify_document(self.document, key_of=self.own(key_of)), now_s=now_s)

    def own(self, key_of: KeyOf) -> KeyOf:
        """Return key_of for the verification methods of this vendor's DID alone.

        Raises:
            UnsupportedError: As verify. What it returns raises SignatureError for a method of another DID.
        """
        if not is_web(self.vendor):
            PublicKey.from_did(self.vendor)  # refuses other methods, and other kinds of key
        return lambda method: key_of(self._own(method))

    def check_signed(self, verified: Verified, *, now_s: int) -> None:
        """Check what its proof says, for who verified that elsewhere, with ``own``; raises as ``verify``."""
        if verified.created_s != self.created_s:
            raise SignatureError("the proof was not made when the request says")
        self.check_times(now_s=now_s)

    def check_times(self, *, now_s: int) -> None:
        """Check that it was made now and for a time that can be granted, which needs no key.

        Raises:
            StaleSignatureError: As verify.
            IncompleteRequestError: As verify.
        """
        if not now_s - _DAY_S <= self.created_s <= now_s + limits.CLOCK_SKEW_S:
            raise StaleSignatureError("the request was not made now")
        # Measured from when it was made, so that it is as good in a receipt, years later, as at the door.
        longest_s = limits.MAX_GRANT_DAYS * _DAY_S
        if not max(now_s, self.created_s) < self.expires_s <= self.created_s + longest_s:
            raise IncompleteRequestError("the access asked for ends in the past, or hardly ever")


def sign_request(
    key: SigningKey,
    *,
    request_id: str,
    nonce: str,
    name: str,
    permissions: tuple[Permission, ...],
    created_s: int,
    expires_s: int,
    benefit: str | None = None,
    terms: str | None = None,
    contact: str | None = None,
    connect: Connect | None = None,
    method: str | None = None,
) -> Request:
    """Return a request signed by the vendor.

    Args:
        key: The vendor's.
        request_id: ``urn:uuid:...``.
        nonce: 22 to 64 characters of base64url, random.
        name: The vendor's name as the person will read it.
        permissions: What is asked.
        created_s: Unix seconds, now.
        expires_s: When the access asked for ends.
        benefit: What the person gets in return.
        terms: The terms that the vendor accepts, in a line.
        contact: Where a person can ask back.
        connect: Where the person's browser returns to, if it carries the request.
        method: The verification method by which the vendor's DID document lists the key; the DID of it is the one
            who asks. None: the key's did:key.

    Raises:
        MalformedError: And its subclasses, as Request.from_dict.
    """
    method = key.method if method is None else method
    unsigned: Document = {
        "@context": form.CONTEXT,
        "type": TYPE,
        "id": request_id,
        "nonce": nonce,
        "created": format_time(created_s),
        "expires": format_time(expires_s),
        "assignee": {"id": did_of(method), "type": "Organization", "name": name},
        "permission": [permission.to_dict() for permission in permissions],
    }
    if benefit is not None:
        unsigned["benefit"] = benefit
    if terms is not None:
        unsigned["terms"] = terms
    if contact is not None:
        unsigned["contact"] = contact
    if connect is not None:
        unsigned["connect"] = connect.to_dict()
    return Request.from_dict(sign_document(unsigned, key, created_s=created_s, method=method))


def matching_code(request_cid: str) -> str:
    """Return the short code that the vendor's and the person's screens both show.

    Eight digits of a digest of the request's CID, so that a request which was swapped on its way would show. Not
    more than that: whoever saw the vendor's request and has the time can look for one of the same code.

    Spec: specs/requests.md#matching-code
    """
    digest = hashlib.sha256(request_cid.encode()).digest()
    number = int.from_bytes(digest[:16], "big") % 10**8
    return f"{number // 10**4:04}-{number % 10**4:04}"
