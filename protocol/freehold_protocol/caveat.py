"""Caveats: what a link of a chain allows only for some purposes, at some hours, or so many times.

They are members of a capability in full IRIs, because the contexts of a capability define none of our terms: so
any suite can sign a capability that embeds one. Each is one flat object, so that none can make the
canonicalization of a graph expensive.

Spec: specs/capabilities.md#caveats
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from . import form, limits, purpose
from .canonical import jcs
from .encoding import Document, Json
from .errors import MalformedError, UndefinedTermError, UnsupportedError
from .permission import Hours, Permission, format_duration

MEMBER: Final = "caveat"
_OURS: Final = "https://w3id.org/freehold/v1#"
_DPV: Final = "https://w3id.org/dpv#"
_PURPOSE: Final = _OURS + "purpose"
_READS: Final = _OURS + "reads"
_PER: Final = _OURS + "per"
_HOURS: Final = ("days", "from", "to", "timeZone")
_MAX_PURPOSES: Final = 8  # as many as a permission has


@dataclass(frozen=True, slots=True, kw_only=True)
class PurposeCaveat:
    """Only permissions all of whose purposes are among these; each is a ``dpv:`` term."""

    purposes: frozenset[str]

    @classmethod
    def from_dict(cls, value: Document) -> PurposeCaveat:
        """Parse the caveat. Raises MalformedError and its subclasses."""
        found = form.check_members(value, required=("type", _PURPOSE))
        return cls(
            purposes=frozenset(form.array(found[_PURPOSE], "purpose", _purpose, least=1, most=_MAX_PURPOSES))
        )

    def to_dict(self) -> Document:
        """Return the caveat's one JSON spelling."""
        iris = sorted(_DPV + term.removeprefix("dpv:") for term in self.purposes)
        return {"type": _OURS + "PurposeLimit", _PURPOSE: iris}

    def allows(self, permission: Permission) -> bool:
        """Whether the permission is for nothing else: the very purposes, as where a grant is narrowed."""
        return self.purposes.issuperset(permission.purposes)


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursCaveat:
    """Only on these days at these hours."""

    hours: Hours

    @classmethod
    def from_dict(cls, value: Document) -> HoursCaveat:
        """Parse the caveat. Raises MalformedError and its subclasses."""
        found = form.check_members(value, required=("type", *(_OURS + name for name in _HOURS)))
        return cls(hours=Hours.from_dict({name: found[_OURS + name] for name in _HOURS}))

    def to_dict(self) -> Document:
        """Return the caveat's one JSON spelling."""
        members = {_OURS + name: value for name, value in self.hours.to_dict().items()}
        return {"type": _OURS + "HoursLimit", **members}


@dataclass(frozen=True, slots=True, kw_only=True)
class CountCaveat:
    """Only so many reads in all, whoever makes them under the link that says so."""

    reads: int

    @classmethod
    def from_dict(cls, value: Document) -> CountCaveat:
        """Parse the caveat. Raises MalformedError."""
        found = form.check_members(value, required=("type", _READS))
        return cls(reads=form.count(found[_READS], "reads"))

    def to_dict(self) -> Document:
        """Return the caveat's one JSON spelling."""
        return {"type": _OURS + "CountLimit", _READS: self.reads}


@dataclass(frozen=True, slots=True, kw_only=True)
class RateCaveat:
    """Only so many reads in any window of so many seconds, whoever makes them under the link that says so."""

    reads: int
    seconds: int

    @classmethod
    def from_dict(cls, value: Document) -> RateCaveat:
        """Parse the caveat. Raises MalformedError."""
        found = form.check_members(value, required=("type", _READS, _PER))
        return cls(reads=form.count(found[_READS], "reads"), seconds=form.duration_s(found[_PER], "per"))

    def to_dict(self) -> Document:
        """Return the caveat's one JSON spelling.

        Raises:
            ValueError: No duration of the form says these seconds.
        """
        return {"type": _OURS + "RateLimit", _READS: self.reads, _PER: format_duration(self.seconds)}


Caveat = PurposeCaveat | HoursCaveat | CountCaveat | RateCaveat
_KINDS: Final[dict[str, type[Caveat]]] = {
    _OURS + "PurposeLimit": PurposeCaveat,
    _OURS + "HoursLimit": HoursCaveat,
    _OURS + "CountLimit": CountCaveat,
    _OURS + "RateLimit": RateCaveat,
}


def read_caveats(value: Json) -> tuple[Caveat, ...]:
    """Parse the ``caveat`` of one link: 1 to ``limits.MAX_CAVEATS``, in the one order and spelling there is.

    Raises:
        UnsupportedError: A caveat of another kind: what is not enforced must not be accepted.
        MalformedError: Another form, order or spelling.
        TooLargeError: Too many.

    Spec: specs/capabilities.md#caveats
    """
    found = form.array(value, MEMBER, _read, least=1, most=limits.MAX_CAVEATS)
    # RDF keeps neither the order of an array nor what is in it twice, so a signature would not either.
    if write_caveats(found) != value:
        raise MalformedError("caveats are not in their one spelling and order")
    return found


def write_caveats(caveats: Sequence[Caveat]) -> list[Document]:
    """Return the value of ``caveat``: each caveat once, in the order of their canonical bytes."""
    documents = {jcs(document): document for document in (caveat.to_dict() for caveat in caveats)}
    return [documents[data] for data in sorted(documents)]


def _read(value: Json) -> Caveat:
    kind = value.get("type") if isinstance(value, dict) else value
    if not isinstance(kind, str):
        raise MalformedError("a caveat is an object that says its type")
    if kind not in _KINDS or not isinstance(value, dict):
        raise UnsupportedError("a caveat of a kind that is not enforced here")
    return _KINDS[kind].from_dict(value)


def _purpose(value: Json) -> str:
    term = "dpv:" + value.removeprefix(_DPV) if isinstance(value, str) and value.startswith(_DPV) else ""
    if not purpose.is_known(term):
        raise UndefinedTermError(f"a purpose of a caveat is an IRI of DPV, such as '{_DPV}DeliveryOfGoods'")
    return term
