"""What a permission shows of a pretended person's records: select, project, rename, in pages.

Spec: specs/http.md#reading
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from freehold_protocol import form, limits
from freehold_protocol.canonical import jcs
from freehold_protocol.encoding import Document, base64url_encode, parse_json
from freehold_protocol.errors import (
    CursorError,
    DuplicateKeyError,
    MalformedError,
    NotFoundError,
    NotSharedError,
    TooLargeError,
)
from freehold_protocol.permission import Permission, Scalar, field_path, read_where
from freehold_protocol.released import Released, matches, project, release_document, release_page

from .grant import PretendGrant
from .records import PretendRecord, PretendRecords

_PAGE_BYTES: Final = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What one read asks for; ``fields`` None means all that are shown, ``query`` is the raw text."""

    permission: str
    alias: str | None
    fields: tuple[str, ...] | None
    where: tuple[tuple[str, Scalar], ...]
    limit: int
    cursor: str | None
    query: str


def read_query(permission: str, alias: str | None, query: str) -> Wanted:
    """Return what a read's raw query asks for.

    Raises:
        DuplicateKeyError: A key stands twice.
        TooLargeError: The query is too long, or asks for too much.
        MalformedError: And its subclasses: an unknown key, or a value that is not of the form.

    Spec: specs/http.md#query
    """
    if len(query) > limits.MAX_QUERY_CHARS:
        raise TooLargeError("the query is too long")
    try:
        pairs = parse_qsl(
            query, keep_blank_values=True, strict_parsing=bool(query), errors="strict", max_num_fields=8
        )
    except ValueError:
        raise MalformedError("the query is not of the form key=value&...") from None
    given = dict(pairs)
    if len(given) != len(pairs):
        raise DuplicateKeyError("the query names a key twice")
    known = {"fields"} if alias is not None else {"fields", "where", "limit", "cursor"}
    if unknown := given.keys() - known:
        raise MalformedError(f"the query has no key {min(unknown)[:40]!r}")
    return Wanted(
        permission=permission,
        alias=alias,
        fields=_fields(given["fields"]) if "fields" in given else None,
        where=read_where(parse_json(given["where"].encode())) if "where" in given else (),
        limit=_limit(given["limit"]) if "limit" in given else limits.DEFAULT_PAGE,
        cursor=given.get("cursor"),
        query=query,
    )


def _fields(text: str) -> tuple[str, ...]:
    paths = text.split(",")
    if len(paths) > limits.MAX_FIELDS:
        raise TooLargeError("the query asks for too many fields")
    return tuple(dict.fromkeys(map(field_path, paths)))


def _limit(text: str) -> int:
    number = form.decimal(text, "limit")
    if not 1 <= number <= limits.MAX_PAGE:
        raise MalformedError(f"limit is a number from 1 to {limits.MAX_PAGE}")
    return number


def show(grant: PretendGrant, records: PretendRecords, wanted: Wanted) -> Released:
    """Return what a read shows now, unsigned.

    Raises:
        NotSharedError: The permission, or a field asked for by name, is not shared.
        NotFoundError: No record of that alias is shown.
        CursorError: The cursor is of another epoch, or none of ours.
    """
    permission = grant.newest.permission(wanted.permission)
    if permission is None:
        raise NotSharedError("this permission is not shared")
    if wanted.fields is not None and not set(wanted.fields) <= set(permission.fields):
        raise NotSharedError("a field asked for is not shared")
    showing = _Showing(grant, records, permission, wanted)
    return showing.page() if wanted.alias is None else showing.document(wanted.alias)


@dataclass(frozen=True, slots=True)
class _Showing:
    """One permission over the records as they stand."""

    grant: PretendGrant
    records: PretendRecords
    permission: Permission
    wanted: Wanted

    def document(self, alias: str) -> Released:
        for record, fields in self._shown(after=0):
            if hmac.compare_digest(self.grant.keys.alias_of(record.id), alias):
                return self._release(record, fields)
        raise NotFoundError("no such record is shown")

    def page(self) -> Released:
        keys, wanted = self.grant.keys, self.wanted
        after = last = 0 if wanted.cursor is None else self._opened(wanted.cursor)
        items: list[Document] = []
        more, size = False, 0
        for record, fields in self._shown(after=after):
            if not matches(project(record.content, fields, alias=keys.alias_of), wanted.where):
                continue
            if len(items) == wanted.limit or size > _PAGE_BYTES:
                more = True
                break
            released = self._release(record, fields)
            items.append(released.signed(keys.serving))
            size += len(released.canonical)
            last = record.n
        return release_page(
            items,
            fields=self._asked(self.permission.fields),
            key=keys.serving,
            next_cursor=self._sealed(last) if more else None,
        )

    def _release(self, record: PretendRecord, fields: tuple[str, ...]) -> Released:
        keys = self.grant.keys
        return release_document(
            record.id, record.content, fields=self._asked(fields), key=keys.serving, alias=keys.alias_of
        )

    def _asked(self, fields: tuple[str, ...]) -> tuple[str, ...]:
        asked = self.wanted.fields
        return fields if asked is None else tuple(path for path in fields if path in asked)

    def _shown(self, *, after: int) -> Iterator[tuple[PretendRecord, tuple[str, ...]]]:
        """Yield each record that an item shows, in order, with the paths shown of it."""
        for record in self.records:
            items = self.grant.items_showing(self.permission, record, self.records)
            if items and record.n > after:
                yield record, tuple(dict.fromkeys(path for item in items for path in item.fields))

    # A cursor says nothing, and is good for the epoch and for what was asked; the grant remembers what it means.

    def _bound(self) -> bytes:
        wanted = self.wanted
        asked = [wanted.permission, list(wanted.fields or ("*",)), dict(wanted.where)]
        return jcs([self.grant.id, self.grant.epoch, *asked])

    def _sealed(self, after: int) -> str:
        bound = self._bound()
        digest = hmac.digest(self.grant.keys.cursor, after.to_bytes(8, "big") + bound, hashlib.sha256)
        cursor = base64url_encode(digest)
        self.grant.cursors[cursor] = (after, bound)
        return cursor

    def _opened(self, cursor: str) -> int:
        after, bound = self.grant.cursors.get(cursor, (0, b""))
        if bound != self._bound():
            raise CursorError("the grant has changed since the cursor was given, or it is not ours")
        return after
