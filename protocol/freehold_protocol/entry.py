"""Entry: what one line of a grant's ledger says.

An entry holds names, numbers and digests; never a value from a record or a query.

Spec: specs/ledger.md#entries
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final

from . import form, limits
from .capability import ACTIONS
from .encoding import Document, Json, format_time, parse_cid, parse_time
from .errors import MalformedError
from .merkle import parse_hash

CHANGES: Final = (
    "approve", "narrow", "widen", "pause", "resume", "rotate", "end", "expire", "revoke", "record-deleted",
    "vendor-keys", "move", "restore",
)  # fmt: skip
STATED: Final = frozenset({"move", "restore"})
"""Changes that a statement of the person's makes."""
OPENING: Final = frozenset({"approve", "resume"})
"""Changes after which reads may be admitted."""
STOPPING: Final = frozenset({"pause", "end", "expire"})
"""Changes after which none may, until one that opens."""
STATUSES: Final = (200, 304)
MAX_ENTRY_FIELDS: Final = limits.MAX_ITEMS * limits.MAX_FIELDS
"""All fields that one permission can name."""
_MAX_FIELD_CHARS: Final = 512
_HOUR_S: Final = 3_600
_COMMON: Final = ("number", "time", "kind")
_METHOD = re.compile(r"[A-Z]{3,7}\Z")
_ROUTE = re.compile(r"/[A-Za-z0-9/{}._-]{0,199}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(ABC):
    """What all entries say: their number, from 0, and their time in Unix seconds, never decreasing.

    What a node makes itself is not checked again here: an append is on the way of every read.
    """

    kind: ClassVar[str]
    number: int
    time_s: int

    @staticmethod
    def from_dict(document: Json) -> Entry:
        """Return the entry that a document says, as the class of its kind.

        Raises:
            MalformedError: An unknown kind, a member missing or unknown, or one of another form.

        Spec: specs/ledger.md#entries
        """
        kind = document.get("kind") if isinstance(document, dict) else None
        read = _READ_BY_KIND.get(kind) if isinstance(kind, str) else None
        if read is None:
            raise MalformedError("an entry has one of the kinds " + ", ".join(_READ_BY_KIND))
        number = form.count(document.get("number"), "number", least=0)
        return read(document, number, parse_time(document.get("time")))

    def to_dict(self) -> Document:
        """Return the document that is hashed into the leaf."""
        return {"number": self.number, "time": format_time(self.time_s), "kind": self.kind, **self._told()}

    @abstractmethod
    def _told(self) -> Document:
        """Return the members that only this kind has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted(Entry):
    """One invocation may pass: its data was released, or is about to be.

    Attributes:
        who: DID of the controller of the chain's leaf, who signed the invocation.
        chain: Digests of the capabilities, root-most first.
        route: The template of the target, never an id or a value of it.
        fields: Paths of the fields in what was released.
        query: As ledger.query_digest gives it, if there was a query.
        count: Records in what was released.
        version: Of the grant, as it stood.
        signature: As ledger.signature_digest gives it, of the invocation.
        released: As ledger.released_digest gives it, also of what a 304 did not send again.
        repeat_of: Number of the entry that admitted the same signed bytes first.

    Spec: specs/ledger.md#entries
    """

    kind: ClassVar[str] = "admitted"
    who: str
    chain: tuple[str, ...]
    action: str
    permission: str
    route: str
    method: str
    fields: tuple[str, ...]
    query: str | None = None
    count: int
    version: int
    signature: str
    released: str
    status: int = 200
    repeat_of: int | None = None

    def _told(self) -> Document:
        told: Document = {
            "who": self.who,
            "chain": list(self.chain),
            "action": self.action,
            "permission": self.permission,
            "route": self.route,
            "method": self.method,
            "fields": list(self.fields),
            "count": self.count,
            "version": self.version,
            "signature": self.signature,
            "released": self.released,
            "status": self.status,
        }
        if self.query is not None:
            told["query"] = self.query
        if self.repeat_of is not None:
            told["repeatOf"] = self.repeat_of
        return told


def _read_admitted(document: Document, number: int, time_s: int) -> Admitted:
    form.check_members(
        document,
        required=(
            *_COMMON, "who", "chain", "action", "permission", "route", "method", "fields", "count",
            "version", "signature", "released", "status",
        ),
        optional=("query", "repeatOf"),
    )  # fmt: skip
    status = form.count(document["status"], "status")
    if status not in STATUSES:
        raise MalformedError("an admitted invocation is answered with 200 or 304")
    fields = form.array(document["fields"], "fields", _field, most=MAX_ENTRY_FIELDS)
    repeats = "repeatOf" in document
    return Admitted(
        number=number,
        time_s=time_s,
        who=form.did(document["who"], "who"),
        chain=_chain(document["chain"]),
        action=_one_of(ACTIONS, document["action"], "action"),
        permission=form.short_name(document["permission"], "permission"),
        route=_match(_ROUTE, document["route"], "route"),
        method=_match(_METHOD, document["method"], "method"),
        fields=form.distinct(fields, "fields"),
        query=_digest(document["query"]) if "query" in document else None,
        count=form.count(document["count"], "count", least=0),
        version=form.count(document["version"], "version"),
        signature=_digest(document["signature"]),
        released=_digest(document["released"]),
        status=status,
        repeat_of=_earlier(document["repeatOf"], "repeatOf", number) if repeats else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed(Entry):
    """The grant changed, or something that narrows what it shows.

    Attributes:
        change: One of CHANGES.
        grant: CID of the grant's version that stands after the change.
        version: Its number, from 1.
        epoch: The grant's, after the change.
        revoked: With ``revoke`` only: the digest of the capability, its id, or the DID of the controller.
        statement: With ``move`` and ``restore`` only: CID of the person's statement.

    Spec: specs/ledger.md#entries
    """

    kind: ClassVar[str] = "changed"
    change: str
    grant: str
    version: int
    epoch: int
    revoked: str | None = None
    statement: str | None = None

    def _told(self) -> Document:
        told: Document = {
            "change": self.change,
            "grant": self.grant,
            "version": self.version,
            "epoch": self.epoch,
        }
        if self.revoked is not None:
            told["revoked"] = self.revoked
        if self.statement is not None:
            told["statement"] = self.statement
        return told


def _read_changed(document: Document, number: int, time_s: int) -> Changed:
    change = _one_of(CHANGES, document.get("change"), "change")
    revokes, stated = change == "revoke", change in STATED
    also = [*(["revoked"] if revokes else []), *(["statement"] if stated else [])]
    form.check_members(document, required=(*_COMMON, "change", "grant", "version", "epoch", *also))
    return Changed(
        number=number,
        time_s=time_s,
        change=change,
        grant=parse_cid(document["grant"]),
        version=form.count(document["version"], "version"),
        epoch=form.count(document["epoch"], "epoch", least=0),
        revoked=_revoked(document["revoked"]) if revokes else None,
        statement=parse_cid(document["statement"]) if stated else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused(Entry):
    """What a proven holder was refused in one hour, counted.

    Attributes:
        code: Of an error: one of errors.BY_CODE, or of a later version.
        hour_s: Unix seconds at which the hour began.
        count: Refusals of this holder, chain, permission and code in that hour.

    Spec: specs/ledger.md#entries
    """

    kind: ClassVar[str] = "refused"
    who: str
    chain: tuple[str, ...]
    code: str
    hour_s: int
    count: int
    permission: str | None = None

    def _told(self) -> Document:
        told: Document = {
            "who": self.who,
            "chain": list(self.chain),
            "code": self.code,
            "hour": format_time(self.hour_s),
            "count": self.count,
        }
        if self.permission is not None:
            told["permission"] = self.permission
        return told


def _read_refused(document: Document, number: int, time_s: int) -> Refused:
    form.check_members(
        document, required=(*_COMMON, "who", "chain", "code", "hour", "count"), optional=("permission",)
    )
    hour_s = parse_time(document["hour"])
    if hour_s % _HOUR_S or hour_s > time_s:
        raise MalformedError("hour is the beginning of an hour that is not to come")
    named = "permission" in document
    return Refused(
        number=number,
        time_s=time_s,
        who=form.did(document["who"], "who"),
        chain=_chain(document["chain"]),
        code=form.short_name(document["code"], "code"),  # a later version may have others than this one
        hour_s=hour_s,
        count=form.count(document["count"], "count"),
        permission=form.short_name(document["permission"], "permission") if named else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Received(Entry):
    """A holder acknowledged, by a signed message, that what was admitted came.

    Attributes:
        who: DID of the controller who acknowledged.
        acknowledges: Number of the ``admitted`` entry.
        signature: As ledger.signature_digest gives it, of the message.

    Spec: specs/ledger.md#entries
    """

    kind: ClassVar[str] = "received"
    who: str
    acknowledges: int
    signature: str

    def _told(self) -> Document:
        return {"who": self.who, "acknowledges": self.acknowledges, "signature": self.signature}


def _read_received(document: Document, number: int, time_s: int) -> Received:
    form.check_members(document, required=(*_COMMON, "who", "acknowledges", "signature"))
    return Received(
        number=number,
        time_s=time_s,
        who=form.did(document["who"], "who"),
        acknowledges=_earlier(document["acknowledges"], "acknowledges", number),
        signature=_digest(document["signature"]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased(Entry):
    """Notice that an earlier entry's body and salt are no longer kept.

    Attributes:
        erases: Number of that entry.
        leaf: Its leaf hash, which stays in the tree; base64url.

    Spec: specs/ledger.md#entries
    """

    kind: ClassVar[str] = "erased"
    erases: int
    leaf: str

    def _told(self) -> Document:
        return {"erases": self.erases, "leaf": self.leaf}


def _read_erased(document: Document, number: int, time_s: int) -> Erased:
    form.check_members(document, required=(*_COMMON, "erases", "leaf"))
    return Erased(
        number=number,
        time_s=time_s,
        erases=_earlier(document["erases"], "erases", number),
        leaf=_digest(document["leaf"]),
    )


_READ_BY_KIND: Final[dict[str, Callable[[Document, int, int], Entry]]] = {
    "admitted": _read_admitted,
    "changed": _read_changed,
    "refused": _read_refused,
    "received": _read_received,
    "erased": _read_erased,
}


def _digest(value: Json) -> str:
    parse_hash(value)
    return str(value)


def _chain(value: Json) -> tuple[str, ...]:
    return form.array(value, "chain", _digest, least=1, most=limits.MAX_CHAIN_LINKS)


def _field(value: Json) -> str:
    return form.text(value, "a field", most=_MAX_FIELD_CHARS)


def _match(pattern: re.Pattern[str], value: Json, what: str) -> str:
    if not isinstance(value, str) or not pattern.match(value):
        raise MalformedError(f"{what} has another form")
    return value


def _one_of(values: tuple[str, ...], value: Json, what: str) -> str:
    if value not in values:
        raise MalformedError(f"{what} is one of " + ", ".join(values))
    return str(value)


def _earlier(value: Json, what: str, number: int) -> int:
    if number == 0:
        raise MalformedError(f"{what} names an entry before the first")
    return form.count(value, what, least=0, most=number - 1)


def _revoked(value: Json) -> str:
    if isinstance(value, str) and value.startswith("did:"):
        return form.did(value, "revoked")
    if isinstance(value, str) and value.startswith("urn:"):
        return form.urn_uuid(value, "revoked")
    return _digest(value)
