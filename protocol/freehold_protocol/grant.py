"""Grant: the person's signed decision on a request, and how it may change.

The life of a grant is a table, ``TRANSITIONS``: which change is possible in which state, where it leads, and
which key may sign it. Everything that reads or writes grants asks this table.

Spec: specs/grants.md
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from . import form, limits
from .canonical import document_cid, jcs_digest, without_proof
from .encoding import Document, Json, base64url_encode, format_time, parse_cid, parse_time
from .errors import MalformedError, SignatureError, TransitionError, WidenedError
from .keys import PublicKey, SigningKey
from .permission import Permission, all_within, read_permissions
from .proof import add_proof, sign_document, verify_document, verify_proofs
from .request import Request

State = Literal["live", "paused", "ended", "expired"]
Change = Literal["approve", "narrow", "widen", "pause", "resume", "rotate", "end", "expire"]
Signer = Literal["decision", "serving", "both"]
STATES: Final[tuple[State, ...]] = get_args(State)
CHANGES: Final[tuple[Change, ...]] = get_args(Change)
TYPE: Final = "AccessGrant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One change in the life of a grant.

    Attributes:
        before: The states in which it is possible; empty for the first version.
        after: The state it leads to; None: stays as it is.
        signer: The least key that may sign it. The decision key may sign everything but what takes ``both``: the
            decision key of the version before and the one it names, in a set of two proofs.
        fresh: Whether the person has to prove the passphrase again.
        narrows: Whether it may only take away.
        event: The DPV consent state that its receipt records.
    """

    before: tuple[State, ...]
    after: State | None
    signer: Signer
    fresh: bool
    narrows: bool
    event: str


TRANSITIONS: Final[dict[Change, Transition]] = {
    "approve": Transition(
        before=(), after="live", signer="decision", fresh=True, narrows=False, event="dpv:ConsentGiven"
    ),
    "narrow": Transition(
        before=("live", "paused"), after=None, signer="serving", fresh=False, narrows=True,
        event="dpv:ConsentWithdrawn",
    ),
    "widen": Transition(
        before=("live", "paused"), after=None, signer="decision", fresh=True, narrows=False,
        event="dpv:RenewedConsentGiven",
    ),
    "pause": Transition(
        before=("live",), after="paused", signer="serving", fresh=False, narrows=True,
        event="dpv:ConsentWithdrawn",
    ),
    "resume": Transition(
        before=("paused",), after="live", signer="decision", fresh=True, narrows=False,
        event="dpv:RenewedConsentGiven",
    ),
    "rotate": Transition(
        before=("live", "paused"), after=None, signer="both", fresh=True, narrows=False,
        event="dpv:ConsentGiven",
    ),
    "end": Transition(
        before=("live", "paused"), after="ended", signer="serving", fresh=False, narrows=True,
        event="dpv:ConsentWithdrawn",
    ),
    "expire": Transition(
        before=("live", "paused"), after="expired", signer="serving", fresh=False, narrows=True,
        event="dpv:ConsentExpired",
    ),
}  # fmt: skip
"""Every change makes a new version and a new epoch, so that one comparison decides whether a read is still allowed."""

_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ORIGIN = re.compile(
    rf"(?P<scheme>https?)://(?P<host>{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:]{{2,39}}\])(?::(?P<port>[1-9][0-9]{{0,4}}))?\Z"
)
_MAX_ORIGIN: Final = 8 + 253 + 6
_LOOPBACK = re.compile(r"127(?:\.(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}\Z|\[::1\]\Z")
_IMPLIED_PORT: Final = {
    "https": "443",
    "http": "80",
}  # left out by clients, so it would never match what they sign
_LOG = re.compile(r"freehold/ledger/[A-Za-z0-9_-]{22,64}\Z")
_REQUIRED: Final = (
    "@context", "type", "id", "nonce", "version", "state", "created", "request", "assigner", "servingKey",
    "assignee", "origins", "log", "notBefore", "expires", "permission",
)  # fmt: skip


def read_origin(value: Json) -> str:
    """Return an origin with its scheme; http only for loopback literals.

    Raises:
        MalformedError: Anything else; a path, upper case, userinfo and a port that goes without saying included.

    Spec: specs/grants.md#origins
    """
    match = _ORIGIN.match(value) if isinstance(value, str) and len(value) <= _MAX_ORIGIN else None
    if match is None or not _is_origin(match["scheme"], match["host"], match["port"]):
        raise MalformedError("an origin is https://host or, on loopback, http://127.0.0.1:port")
    return match[0]


def is_loopback(origin: str) -> bool:
    """Whether an origin, as read_origin returns it, is at a loopback address: the reader's own machine."""
    match = _ORIGIN.match(origin)
    return match is not None and (match["host"] == "localhost" or _LOOPBACK.match(match["host"]) is not None)


def _is_origin(scheme: str, host: str, port: str | None) -> bool:
    if port is not None and (int(port) > 65_535 or port == _IMPLIED_PORT[scheme]):
        return False
    return scheme == "https" or _LOOPBACK.match(host) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A parsed version of a grant, or the draft of one; ``document`` is what was, or will be, signed.

    ``id`` is the part of its address after ``/g/``; times are Unix seconds; ``previous`` is the CID of the
    version before, None for the first. ``vendor_key`` is the key by which a vendor that is no did:key signed its
    request, as its DID document listed it then.
    """

    document: Document
    id: str
    version: int
    state: State
    created_s: int
    request: str
    decision_key: PublicKey
    serving_key: PublicKey
    vendor: str
    vendor_key: PublicKey | None
    origins: tuple[str, ...]
    log: str
    not_before_s: int
    expires_s: int
    permissions: tuple[Permission, ...]
    previous: str | None

    @classmethod
    def from_dict(cls, document: Json) -> Grant:
        """Parse a grant or a draft without verifying anything.

        Raises:
            MalformedError: And its subclasses: it does not have a grant's form.
            UnsupportedError: A key of the person's that is no did:key.

        Spec: specs/grants.md#form
        """
        found = form.check_members(
            document, required=_REQUIRED, optional=("assigneeKey", "previous", "proof")
        )
        form.constant(found["@context"], form.CONTEXT, "@context")
        form.constant(found["type"], TYPE, "type")
        form.nonce(found["nonce"])
        if found["state"] not in STATES:
            raise MalformedError("a grant is " + ", ".join(STATES))
        version = form.count(found["version"], "version")
        previous = parse_cid(found["previous"]) if "previous" in found else None
        if (version == 1) != (previous is None):
            raise MalformedError("every version but the first names the one before")
        if not isinstance(found["log"], str) or not _LOG.match(found["log"]):
            raise MalformedError("log is the origin of the grant's ledger")
        vendor = form.did(found["assignee"], "assignee")
        origins = form.array(found["origins"], "origins", read_origin, least=1, most=limits.MAX_ORIGINS)
        return cls(
            document=found,
            id=form.urn_uuid(found["id"], "id").removeprefix("urn:uuid:"),
            version=version,
            state=found["state"],
            created_s=parse_time(found["created"]),
            request=parse_cid(found["request"]),
            decision_key=PublicKey.from_did(form.did(found["assigner"], "assigner")),
            serving_key=PublicKey.from_did(form.did(found["servingKey"], "servingKey")),
            vendor=vendor,
            vendor_key=_vendor_key(vendor, found),
            origins=form.distinct(origins, "origins"),
            log=found["log"],
            not_before_s=parse_time(found["notBefore"]),
            expires_s=parse_time(found["expires"]),
            permissions=read_permissions(found["permission"]),
            previous=previous,
        )

    @property
    def cid(self) -> str:
        """The content identifier of this version."""
        return document_cid(self.document)

    @property
    def digest(self) -> str:
        """What a person approves: the digest of everything in this version but its proof."""
        return base64url_encode(jcs_digest(without_proof(self.document)))

    def permission(self, name: str) -> Permission | None:
        """Return the permission of that name, if this version gives it."""
        return next((one for one in self.permissions if one.name == name), None)

    def changed(
        self,
        change: Change,
        *,
        nonce: str,
        created_s: int,
        permissions: tuple[Permission, ...] | None = None,
        expires_s: int | None = None,
        keys: tuple[PublicKey, PublicKey] | None = None,
    ) -> Grant:
        """Return the draft of the next version.

        Args:
            change: One that is possible in this state.
            nonce: 22 to 64 characters of base64url, random.
            created_s: Unix seconds, now.
            permissions: For narrow and widen: all that is given from then on.
            expires_s: For narrow and widen: the new end.
            keys: For rotate: the new decision key and the new serving key.

        Raises:
            TransitionError: The table does not allow this change in this state.
            WidenedError: The change may only take away, and would add; or the keys are none that are new.

        Spec: specs/grants.md#changes
        """
        rule = TRANSITIONS[change]
        if (change == "rotate") != (keys is not None):
            raise TypeError("rotate takes two keys, and no other change takes any")
        if self.state not in rule.before:
            raise TransitionError(f"a grant that is {self.state} cannot be changed by {change!r}")
        document = {
            **without_proof(self.document),
            "nonce": nonce,
            "version": self.version + 1,
            "state": rule.after or self.state,
            "created": format_time(created_s),
            "previous": self.cid,
        }
        if permissions is not None:
            document["permission"] = [one.to_dict() for one in permissions]
        if expires_s is not None:
            document["expires"] = format_time(expires_s)
        if keys is not None:
            document["assigner"], document["servingKey"] = (key.did for key in keys)
        draft = Grant.from_dict(document)
        if rule.narrows and not narrows(draft, self):
            raise WidenedError(f"{change!r} may only take away")
        if keys is not None:
            _check_rotated(draft, self)
        return draft

    def signed(self, key: SigningKey, *further: SigningKey) -> Grant:
        """Return this draft signed by the decision or the serving key; a rotation: by the old decision key and the new.

        Spec: specs/rotation.md#version
        """
        document = sign_document(self.document, key, created_s=self.created_s)
        for one in further:
            document = add_proof(document, one, created_s=self.created_s)
        return replace(self, document=document)


def _vendor_key(vendor: str, found: Document) -> PublicKey | None:
    """Return the key by which the vendor signed; a did:key says it itself, any other needs it said."""
    if ("assigneeKey" in found) == vendor.startswith("did:key:"):
        raise MalformedError(
            "a grant names the key of a vendor that is not known by its key, and of no other"
        )
    return (
        PublicKey.from_did(form.did(found["assigneeKey"], "assigneeKey")) if "assigneeKey" in found else None
    )


def draft_grant(
    request: Request,
    *,
    grant_id: str,
    nonce: str,
    decision_key: PublicKey,
    serving_key: PublicKey,
    origins: tuple[str, ...],
    log: str,
    created_s: int,
    not_before_s: int,
    expires_s: int,
    permissions: tuple[Permission, ...],
    vendor_key: PublicKey | None = None,
) -> Grant:
    """Return the draft of a first version.

    ``vendor_key`` is what the request was verified by, where the vendor is no did:key.

    Raises:
        WidenedError: It would give more, or for longer, than was asked.
        MalformedError: A value is not of the form.

    Spec: specs/grants.md#first-version
    """
    document: Document = {
        "@context": form.CONTEXT,
        "type": TYPE,
        "id": f"urn:uuid:{grant_id}",
        "nonce": nonce,
        "version": 1,
        "state": "live",
        "created": format_time(created_s),
        "request": request.cid,
        "assigner": decision_key.did,
        "servingKey": serving_key.did,
        "assignee": request.vendor,
        "origins": list(origins),
        "log": log,
        "notBefore": format_time(not_before_s),
        "expires": format_time(expires_s),
        "permission": [permission.to_dict() for permission in permissions],
    }
    if vendor_key is not None:
        document["assigneeKey"] = vendor_key.did
    draft = Grant.from_dict(document)
    check_asked(draft, request)
    return draft


def check_asked(grant: Grant, request: Request) -> None:
    """Check that a version gives no more than the request asked.

    Raises:
        WidenedError: It gives more, gives it longer, or to another vendor.

    Spec: specs/grants.md#no-more-than-asked
    """
    if grant.request != request.cid or grant.vendor != request.vendor:
        raise WidenedError("the grant answers another request")
    if not all_within(grant.permissions, request.permissions):
        raise WidenedError("the grant gives more than was asked")
    if grant.expires_s > request.expires_s or grant.not_before_s >= grant.expires_s:
        raise WidenedError("the grant ends later than was asked, or before it begins")


_KEYS: Final = ("assigner", "servingKey")
_FIXED: Final = ("id", "request", *_KEYS, "assignee", "assigneeKey", "origins", "log", "notBefore")
_OF_EVERY_VERSION: Final = {"nonce", "version", "created", "previous", "proof"}


def narrows(later: Grant, earlier: Grant) -> bool:
    """Whether the later version allows nothing that the earlier did not.

    Spec: specs/grants.md#narrowing
    """
    alive = later.state == earlier.state or later.state != "live"
    return (
        alive
        and all(later.document.get(name) == earlier.document.get(name) for name in _FIXED)
        and later.expires_s <= earlier.expires_s
        and all_within(later.permissions, earlier.permissions)
    )


def verify_grant(grant: Grant, *, request: Request, previous: Grant | None = None) -> None:
    """Check one version: who signed it, what it follows, and that it gives no more than was asked.

    Args:
        grant: The version to check.
        request: The request it answers, verified or kept since it was.
        previous: The version before, already checked; None for the first.

    Raises:
        SignatureError: Signed by a key that may not sign this change.
        WidenedError: More than asked, or a narrowing that adds.
        TransitionError: It does not follow on the version given, or on its state.
        MalformedError: It carries no proof, or no set of proofs, of the right form.

    Spec: specs/grants.md#verification
    """
    check_asked(grant, request)
    if previous is not None and rotates(grant, previous):
        _verify_rotation(grant, previous)
        return
    key = verify_document(grant.document).key
    if previous is None:
        if grant.version != 1 or grant.state != "live":
            raise TransitionError("a grant's first version is live and follows none")
        may_sign = {grant.decision_key}
    else:
        may_sign = _signers(grant, previous)
    if key not in may_sign:
        raise SignatureError("this change of a grant needs the person's decision key")


def _signers(grant: Grant, previous: Grant) -> set[PublicKey]:
    """Return the keys that may sign grant as the version after previous."""
    _check_follows(grant, previous)
    if any(grant.document.get(name) != previous.document.get(name) for name in _FIXED):
        raise WidenedError("a version changes what is fixed for the life of a grant")
    if narrows(grant, previous):
        return {previous.decision_key, previous.serving_key}
    return {previous.decision_key}


def _check_follows(grant: Grant, previous: Grant) -> None:
    if grant.previous != previous.cid or grant.version != previous.version + 1:
        raise TransitionError("the version does not follow on the one before")
    if previous.state in ("ended", "expired"):
        raise TransitionError(f"a grant that is {previous.state} has no further version")


def rotates(grant: Grant, previous: Grant) -> bool:
    """Whether a version names another key of the person's than the one before.

    Spec: specs/rotation.md#version
    """
    return any(grant.document[name] != previous.document[name] for name in _KEYS)


def _verify_rotation(grant: Grant, previous: Grant) -> None:
    """Check a version that names new keys: the old decision key hands over, and the new one takes it up."""
    signers = [verified.key for verified in verify_proofs(grant.document)]
    _check_follows(grant, previous)
    _check_rotated(grant, previous)
    if signers != [previous.decision_key, grant.decision_key]:
        raise SignatureError("new keys need a proof by the old decision key and one by the new, and no other")


def _check_rotated(grant: Grant, previous: Grant) -> None:
    """Refuse a rotation that changes anything else, or that names a key of the version before."""
    names = grant.document.keys() | previous.document.keys()
    same = names - _OF_EVERY_VERSION - set(_KEYS)
    if any(grant.document.get(name) != previous.document.get(name) for name in same):
        raise WidenedError("a version that names new keys changes nothing else")
    new = {grant.decision_key, grant.serving_key}
    if len(new) != 2 or not new.isdisjoint({previous.decision_key, previous.serving_key}):
        raise WidenedError("a rotation names two keys, and both are new")
