"""From what a person types to the one thing that is meant: abbreviated ids, partners, dates."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, time
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING, Final

from freehold_protocol.encoding import Document, format_time, parse_time
from freehold_protocol.errors import NotFoundError

from .failure import usage
from .wording import ID_CHARS, short_key

if TYPE_CHECKING:
    from .owner_client import OwnerClient

_URN: Final = "urn:uuid:"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_WHOLE_LINK = re.compile(rf"[A-Za-z0-9_-]{{43}}\Z|urn:uuid:{_UUID.pattern}")
_MAX_SHOWN: Final = 5
_DAY_CHARS: Final = len("2026-12-31")


def request(owner: OwnerClient, text: str) -> Document:
    """Return the request that an id, or its beginning, names. Raises NotFoundError or Failure."""
    listed = owner.get("/requests")["requests"]
    found = _named(text, {one["id"]: one for one in listed}, "request", "freehold requests")
    whole: Document = owner.get(f"/requests/{found['id']}")
    return whole


def grant(owner: OwnerClient, text: str) -> Document:
    """Return the grant, with its document and receipt, as ``request`` does."""
    listed = owner.get("/grants")["grants"]
    found = _named(text, {one["id"]: one for one in listed}, "grant", "freehold grants")
    whole: Document = owner.get(f"/grants/{found['id']}")
    return whole


def session(owner: OwnerClient, text: str) -> Document:
    """Return the session that an id, or its beginning, names, as ``request`` does."""
    listed = owner.get("/devices")["sessions"]
    return _named(text, {one["id"]: one for one in listed}, "session", "freehold devices")


def passkey(owner: OwnerClient, text: str) -> Document:
    """Return the passkey that an id, or its beginning, names, as ``request`` does."""
    listed = owner.get("/devices")["passkeys"]
    return _named(text, {one["id"]: one for one in listed}, "passkey", "freehold devices")


def record_id(owner: OwnerClient, text: str) -> str:
    """Return the id of a record as it stands in a path, as ``request`` does."""
    text = text.removeprefix(_URN)
    if _UUID.match(text):  # a whole one: no need to look through all of them
        return text
    ids = {str(one["id"]).removeprefix(_URN): one for one in owner.records()}
    found = _named(text, ids, "record", "freehold records")
    return str(found["id"]).removeprefix(_URN)


def _named(text: str, known: dict[str, Document], what: str, see: str) -> Document:
    wanted = text.removeprefix(_URN)
    found = [one for identifier, one in known.items() if wanted and identifier.startswith(wanted)]
    if not found:
        raise NotFoundError(f"there is no {what} {text!r}; see: {see}")
    if len(found) > 1:
        listed = ", ".join([one for one in known if one.startswith(wanted)][:_MAX_SHOWN])
        raise usage(f"{len(found)} {what}s begin with {text!r}; write more of the id: {listed}")
    return found[0]


def partner(grant_document: Document, text: str) -> str:
    """Return the identity of a partner, whole or as a screen shows it. Raises NotFoundError or Failure."""
    wanted = text.removeprefix("key ").strip()
    known = list(dict.fromkeys(_recipients(grant_document)))
    if wanted in known:
        return wanted
    found = [one for one in known if wanted and any(name.startswith(wanted) for name in _names(one, wanted))]
    if len(found) == 1:
        return found[0]
    if found:
        raise usage(f"several partners begin with {text!r}; write more of the key")
    listed = ", ".join(map(short_key, known)) or "none"
    raise NotFoundError(f"there is no partner {text!r} in this grant; its partners: {listed}")


def _names(partner: str, wanted: str) -> tuple[str, ...]:
    """Return what a person may call a partner by: as a screen shows it, or as documents have it."""
    return (partner,) if wanted.startswith("did:") else (partner.split(":", 2)[-1], short_key(partner))


def link(grant_document: Document, text: str) -> str:
    """Return what names a passed-on access: its digest, whole or its beginning, or any capability's id.

    Raises:
        NotFoundError: No access that was used begins so; a whole digest or id need not be known.
        Failure: Several do.
    """
    if _WHOLE_LINK.match(text):
        return text
    known: list[str] = [one["digest"] for one in grant_document["links"]]
    found = [one for one in known if text and one.startswith(text)]
    if len(found) == 1:
        return found[0]
    if found:
        raise usage(f"several passed-on accesses begin with {text!r}; write more of it")
    listed = ", ".join(one[:ID_CHARS] for one in known) or "none"
    raise NotFoundError(f"no passed-on access {text!r} was used under this grant; there are: {listed}")


def vendor(owner: OwnerClient, text: str) -> Document:
    """Return the vendor of that name or DID, among those who asked: ``id`` and ``name``.

    Raises:
        NotFoundError: There is none.
        Failure: Several have the name.
    """
    asked = [one["vendor"] for path in ("requests", "grants") for one in owner.get(f"/{path}")[path]]
    found = {one["id"]: one for one in asked if text in (one["id"], one["name"])}
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        raise usage(f"several vendors are called {text!r}; name the one you mean: {', '.join(found)}")
    listed = ", ".join(dict.fromkeys(one["name"] for one in asked)) or "none"
    raise NotFoundError(f"there is no vendor {text!r}; there are: {listed}")


def _recipients(grant_document: Document) -> Iterable[str]:
    for version in grant_document["receipt"]["versions"]:
        for permission in version["permission"]:
            yield from permission.get("recipients", ())


def start_time(text: str) -> str:
    """Return the dateTime of ``--since``: a day's beginning here, or a dateTime with its offset. Raises Failure."""
    given = _given_time(text)
    return format_time(int((given if given.tzinfo is not None else given.astimezone()).timestamp()))


def _given_time(text: str) -> datetime:
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        given = None
    if given is None or (len(text) > _DAY_CHARS and given.tzinfo is None):
        raise usage(f"{text!r} is not of the form 2026-12-31 or 2026-12-31T18:00:00Z")
    return given


def end_time(text: str, *, most: str) -> str:
    """Return the dateTime of ``--expires``.

    Args:
        text: ``2026-12-31`` for the end of that day here, or a dateTime with its offset.
        most: The latest that can be; a day that this falls on ends with it.

    Raises:
        Failure: The text is neither.
    """
    given = _given_time(text)
    if given.tzinfo is not None:
        return format_time(int(given.astimezone(UTC).timestamp()))
    latest = datetime.fromtimestamp(parse_time(most), UTC).astimezone()
    if latest.date() == given.date():
        return most
    return format_time(int(datetime.combine(given.date(), time(23, 59, 59)).astimezone().timestamp()))


def abbreviated(identifiers: Iterable[str]) -> list[str]:
    """Return for each id, in order, the shortest beginning that no other has; 8 characters at least."""
    known = [identifier.removeprefix(_URN) for identifier in identifiers]
    ordered = sorted(set(known))
    needed = dict.fromkeys(ordered, ID_CHARS)
    for one, next_one in pairwise(ordered):
        length = 1 + sum(
            1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, next_one, strict=False))
        )
        needed[one], needed[next_one] = max(needed[one], length), max(needed[next_one], length)
    return [identifier[: needed[identifier]] for identifier in known]
