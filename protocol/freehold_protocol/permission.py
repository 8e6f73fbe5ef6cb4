"""Permission: items, purposes, recipients, retention and limits that belong together.

A request asks for permissions and a grant gives them, in one shape, so that "no more than was asked" and
"only narrower than before" are one comparison.

Spec: specs/requests.md#permissions
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from . import form, limits, purpose
from .canonical import jcs
from .contexts import is_term
from .did_document import read_did
from .encoding import Document, Json
from .errors import (
    IncompleteRequestError,
    MalformedError,
    TooLargeError,
    UndefinedTermError,
    UnsupportedError,
)

About = Literal["self", "any"]
_PATH = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}(\.[A-Za-z][A-Za-z0-9]{0,63}){0,5}\Z")
_NEVER_A_FIELD: Final = frozenset(
    {"id", "type", "proof", "source", "previous", "created", "issuer", "version", "credential"}
)
"""What belongs to the keeping of a record, what a released document says of itself, and what would name the person."""
_NEVER_A_RECORD: Final = frozenset(
    {
        "AccessRequest", "AccessGrant", "ReleasedPage", "Receipt", "LedgerBundle", "DataIntegrityProof", "Moved",
        "Restored",
    }
)  # fmt: skip
"""Documents of this protocol; a record of such a type would be read as one."""
RESERVED: Final = frozenset(
    {"ledger", "renew", "zcaps", "events", "messages", "offers", "statements", "records", "answers"}
)
"""Path segments that follow a grant's id already, so no permission may be called so."""
DAYS: Final = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\Z", re.ASCII)
_DAY_MINUTES: Final = 24 * 60
_MAX_WHERE_TEXT: Final = 200
_ZONE = re.compile(r"[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2}\Z")
Scalar = str | int | float | bool


def field_path(value: Json) -> str:
    """Return a path of terms to one leaf, such as ``address.postalCode``.

    Raises:
        MalformedError: No such path, or a member that never leaves the node.
        UndefinedTermError: A term of it is in no context.
    """
    if not isinstance(value, str) or not _PATH.match(value):
        raise MalformedError("a field is a path of terms such as 'address.postalCode', without wildcards")
    for term in value.split("."):
        if term in _NEVER_A_FIELD:
            raise MalformedError("a field names a member that never leaves a node")
        if not is_term(term):
            raise UndefinedTermError(f"no context defines the field {value!r}")
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Fields of the records of one type.

    ``where`` holds (path, scalar) pairs that must all match; ``new_records`` says whether records that came
    after the approval are included.
    """

    type: str
    about: About
    fields: tuple[str, ...]
    where: tuple[tuple[str, Scalar], ...] = ()
    new_records: bool = False

    @classmethod
    def from_dict(cls, value: Json) -> Item:
        """Parse an item. Raises MalformedError or UndefinedTermError."""
        item = form.check_members(
            value, required=("type", "fields"), optional=("about", "where", "newRecords")
        )
        if not isinstance(item["type"], str) or not is_term(item["type"]):
            raise UndefinedTermError("no context defines the item's type")
        if item["type"] in _NEVER_A_RECORD:
            raise MalformedError("no record has the item's type")
        about = item.get("about", "self")
        if about not in ("self", "any"):
            raise MalformedError("about is 'self' or 'any'")
        fields = form.array(item["fields"], "fields", field_path, least=1, most=limits.MAX_FIELDS)
        return cls(
            type=item["type"],
            about=about,
            fields=form.distinct(fields, "fields"),
            where=_shown_where(item.get("where", {})),
            new_records=form.boolean(item.get("newRecords", False), "newRecords"),
        )

    def to_dict(self) -> Document:
        """Return the item's one JSON spelling."""
        made: Document = {"type": self.type, "about": self.about, "fields": list(self.fields)}
        if self.where:
            made["where"] = dict(self.where)
        if self.new_records:
            made["newRecords"] = True
        return made

    def within(self, other: Item) -> bool:
        """Whether this item never shows more than the other."""
        return (
            self.type == other.type
            and (self.about == other.about or other.about == "any")
            and set(self.fields) <= set(other.fields)
            and _conditions(self.where) >= _conditions(other.where)
            and self.new_records <= other.new_records
        )


def _conditions(where: tuple[tuple[str, Scalar], ...]) -> set[tuple[str, bool, Scalar]]:
    # As ``released.matches`` compares: canonical JSON makes no difference of 1 and 1.0, but of 1 and true.
    return {(path, isinstance(wanted, bool), wanted) for path, wanted in where}


def read_where(value: Json) -> tuple[tuple[str, Scalar], ...]:
    """Return the (path, scalar) pairs of a condition, sorted.

    Raises:
        MalformedError: No object of paths and scalars.
        TooLargeError: More conditions, or a longer text, than there may be.
        UndefinedTermError: A path of a term that no context defines.
    """
    if not isinstance(value, dict):
        raise MalformedError("where maps a few field paths to values")
    if len(value) > limits.MAX_FIELDS:
        raise TooLargeError(f"where has more than {limits.MAX_FIELDS} conditions")
    pairs: list[tuple[str, Scalar]] = []
    for path, wanted in value.items():
        if not isinstance(wanted, str | int | float):
            raise MalformedError("where compares with a text, a number, true or false")
        if isinstance(wanted, str) and len(wanted) > _MAX_WHERE_TEXT:
            raise TooLargeError(f"where compares with a text of at most {_MAX_WHERE_TEXT} characters")
        jcs(wanted)  # refuses a number that no record can hold
        pairs.append((field_path(path), wanted))
    return tuple(sorted(pairs, key=lambda pair: pair[0]))


def _shown_where(value: Json) -> tuple[tuple[str, Scalar], ...]:
    """Return a condition that a person reads before deciding: what it compares with hides nothing."""
    where = read_where(value)
    for _, wanted in where:
        if isinstance(wanted, str):
            form.text(wanted, "what where compares with")
    return where


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """Days of the week and hours of the day, in a named time zone; ``until`` past midnight is refused."""

    days: tuple[str, ...]
    from_minute: int
    to_minute: int
    time_zone: str

    @classmethod
    def from_dict(cls, value: Json) -> Hours:
        """Parse days and hours. Raises MalformedError."""
        hours = form.check_members(value, required=("days", "from", "to", "timeZone"))
        days = form.distinct(form.array(hours["days"], "days", _day, least=1, most=7), "days")
        zone = hours["timeZone"]
        if not isinstance(zone, str) or not _ZONE.match(zone):
            raise MalformedError("timeZone is a name such as 'Europe/Berlin'")
        start, end = _minute(hours["from"]), _minute(hours["to"]) or _DAY_MINUTES
        if start >= end:
            raise MalformedError("hours end after they begin, at 00:00 at the latest")
        return cls(days=tuple(sorted(days, key=DAYS.index)), from_minute=start, to_minute=end, time_zone=zone)

    def to_dict(self) -> Document:
        """Return the one JSON spelling."""
        end = self.to_minute % _DAY_MINUTES
        return {
            "days": list(self.days),
            "from": f"{self.from_minute // 60:02}:{self.from_minute % 60:02}",
            "to": f"{end // 60:02}:{end % 60:02}",
            "timeZone": self.time_zone,
        }

    def contain(self, *, weekday: int, minute: int) -> bool:
        """Whether a local time is inside: weekday 0 (Monday) to 6, minute of the day 0 to 1439."""
        return DAYS[weekday] in self.days and self.from_minute <= minute < self.to_minute

    def within(self, other: Hours) -> bool:
        """Whether these hours never allow a time the others do not."""
        return (
            self.time_zone == other.time_zone
            and set(self.days) <= set(other.days)
            and other.from_minute <= self.from_minute
            and self.to_minute <= other.to_minute
        )


def _day(value: Json) -> str:
    if value not in DAYS:
        raise MalformedError("a day is one of " + ", ".join(DAYS))
    return str(value)


def _minute(value: Json) -> int:
    match = _CLOCK.match(value) if isinstance(value, str) else None
    if match is None:
        raise MalformedError("an hour has the form 08:30")
    return int(match[1]) * 60 + int(match[2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How often, and when: None means no limit of that kind. ``rate`` is (reads, seconds)."""

    reads: int | None = None
    rate: tuple[int, int] | None = None
    hours: Hours | None = None

    @classmethod
    def from_dict(cls, value: Json) -> Limits:
        """Parse limits. Raises MalformedError."""
        found = form.check_members(value, required=(), optional=("reads", "rate", "hours"))
        rate = None
        if "rate" in found:
            per = form.check_members(found["rate"], required=("reads", "per"))
            rate = (form.count(per["reads"], "reads"), form.duration_s(per["per"], "per"))
        return cls(
            reads=form.count(found["reads"], "reads") if "reads" in found else None,
            rate=rate,
            hours=Hours.from_dict(found["hours"]) if "hours" in found else None,
        )

    def to_dict(self) -> Document:
        """Return the one JSON spelling."""
        made: Document = {}
        if self.reads is not None:
            made["reads"] = self.reads
        if self.rate is not None:
            reads, seconds = self.rate
            made["rate"] = {"reads": reads, "per": format_duration(seconds)}
        if self.hours is not None:
            made["hours"] = self.hours.to_dict()
        return made

    def within(self, other: Limits) -> bool:
        """Whether these limits never allow a read the others do not."""
        return (
            (other.reads is None or (self.reads is not None and self.reads <= other.reads))
            and (other.rate is None or (self.rate is not None and _slower(self.rate, other.rate)))
            and (other.hours is None or (self.hours is not None and self.hours.within(other.hours)))
        )


def _slower(rate: tuple[int, int], other: tuple[int, int]) -> bool:
    # The same number over a longer window allows no burst that the shorter window did not.
    return rate[0] <= other[0] and rate[1] >= other[1]


_DURATIONS: Final = (
    ("P{}D", 86_400, 9_999),
    ("PT{}H", 3_600, 9_999),
    ("PT{}M", 60, 9_999),
    ("P{}M", 30 * 86_400, 999),
    ("P{}Y", 365 * 86_400, 99),
)


def format_duration(seconds: int) -> str:
    """Return a duration that ``form.duration_s`` reads as these seconds; in days where they are whole days.

    Raises:
        ValueError: There is none.
    """
    for text, unit_s, most in _DURATIONS:
        number, rest = divmod(seconds, unit_s)
        if rest == 0 and 1 <= number <= most:
            return text.format(number)
    raise ValueError("no duration of the form says this time")


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """What is asked or given under one short name.

    ``purposes`` are ``dpv:`` terms, ``recipients`` DIDs of partners, ``retention_s`` a promise in seconds.
    """

    name: str
    items: tuple[Item, ...]
    purposes: tuple[str, ...]
    recipients: tuple[str, ...]
    retention: str
    limits: Limits
    required: bool

    @classmethod
    def from_dict(cls, value: Json) -> Permission:
        """Parse a permission.

        Raises:
            IncompleteRequestError: No purpose or no retention.
            UnsupportedError: A question, which is a later door.
            MalformedError: Anything else that is not of the form.
        """
        if isinstance(value, dict) and "questions" in value:
            raise UnsupportedError("questions are not supported yet")
        if isinstance(value, dict) and not (value.get("purpose") and value.get("retention")):
            raise IncompleteRequestError("each permission says its purpose and its retention")
        found = form.check_members(
            value,
            required=("name", "items", "purpose", "retention"),
            optional=("recipients", "limits", "required"),
        )
        form.duration_s(found["retention"], "retention")
        purposes = form.array(found["purpose"], "purpose", _purpose, least=1, most=8)
        recipients = form.array(
            found.get("recipients", []),
            "recipients",
            lambda item: read_did(item, "recipient"),
            most=limits.MAX_RECIPIENTS,
        )
        return cls(
            name=_permission_name(found["name"]),
            items=form.array(found["items"], "items", Item.from_dict, least=1, most=limits.MAX_ITEMS),
            purposes=form.distinct(purposes, "purpose"),
            recipients=form.distinct(recipients, "recipients"),
            retention=found["retention"],
            limits=Limits.from_dict(found.get("limits", {})),
            required=form.boolean(found.get("required", False), "required"),
        )

    def to_dict(self) -> Document:
        """Return the permission's one JSON spelling."""
        made: Document = {
            "name": self.name,
            "items": [item.to_dict() for item in self.items],
            "purpose": list(self.purposes),
            "retention": self.retention,
            "required": self.required,
        }
        if self.recipients:
            made["recipients"] = list(self.recipients)
        if limit := self.limits.to_dict():
            made["limits"] = limit
        return made

    @property
    def retention_s(self) -> int:
        """The promised retention in seconds."""
        return form.duration_s(self.retention, "retention")

    @property
    def fields(self) -> tuple[str, ...]:
        """Every field path of every item, in order, without repeats."""
        return tuple(dict.fromkeys(path for item in self.items for path in item.fields))

    def within(self, other: Permission) -> bool:
        """Whether this permission never allows anything the other does not.

        Spec: specs/grants.md#narrowing
        """
        return (
            self.name == other.name
            and all(any(item.within(wider) for wider in other.items) for item in self.items)
            # The very purposes, not narrower ones of the vocabulary: it puts SellDataToThirdParties under
            # ServiceProvision, which nobody who ticked the one has agreed to.
            and set(self.purposes) <= set(other.purposes)
            and set(self.recipients) <= set(other.recipients)
            and self.retention_s <= other.retention_s
            and self.limits.within(other.limits)
        )


def _permission_name(value: Json) -> str:
    name = form.short_name(value, "a permission's name")
    if name in RESERVED:
        raise MalformedError(f"a permission cannot be called {name!r}")
    return name


def _purpose(value: Json) -> str:
    if not isinstance(value, str) or not purpose.is_known(value):
        raise UndefinedTermError("a purpose is a term of DPV, such as 'dpv:DeliveryOfGoods'")
    return value


def read_permissions(value: Json) -> tuple[Permission, ...]:
    """Parse a document's permissions: 1 to 16, with distinct names.

    Raises:
        MalformedError: And its subclasses, as Permission.from_dict.
    """
    found = form.array(value, "permission", Permission.from_dict, least=1, most=limits.MAX_PERMISSIONS)
    form.distinct(tuple(permission.name for permission in found), "permission names")
    return found


def all_within(narrower: tuple[Permission, ...], wider: tuple[Permission, ...]) -> bool:
    """Whether each permission of the first lies within the one of the same name in the second."""
    by_name = {permission.name: permission for permission in wider}
    return all(
        permission.name in by_name and permission.within(by_name[permission.name]) for permission in narrower
    )
