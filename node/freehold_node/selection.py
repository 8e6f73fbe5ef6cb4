"""What one read asks for: which permission, which of its records and fields, from where on.

Spec: specs/http.md#query
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl

from freehold_protocol import form, limits
from freehold_protocol.encoding import parse_json
from freehold_protocol.errors import DuplicateKeyError, MalformedError, TooLargeError
from freehold_protocol.permission import Scalar, field_path, read_where


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What one read asks for: a permission's record of an alias, or a page of its records.

    ``fields`` None means all that are shown; ``query`` is the raw query text.
    """

    permission: str
    alias: str | None = None
    fields: tuple[str, ...] | None = None
    where: tuple[tuple[str, Scalar], ...] = ()
    limit: int = limits.DEFAULT_PAGE
    cursor: str | None = None
    query: str = ""


@lru_cache(maxsize=1024)
def parse_selection(permission: str, alias: str | None, query: str) -> Selection:
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
    return Selection(
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
