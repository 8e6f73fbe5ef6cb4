"""Reading field by field: what comes at this moment, what is not shared, and how the node refuses the rest.

Nothing of what is read is kept: a reading lives as long as it takes to make the page that shows it. What is kept
is which fields were shared before, by name, so that the next reading can say which of them are gone.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from freehold_protocol.encoding import Document
from freehold_protocol.released import leaves

from ..access import Access
from ..errors import (
    FreeholdError,
    OtherBrowserError,
    ProblemError,
    RefusedError,
    UnreachableError,
    VendorError,
)

_MAX_PAGES: Final = 10
_MAX_VALUES: Final = 5
_MAX_CHARS: Final = 200
_STEERING: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of the text around them."""
_WORDS: Final = {
    RefusedError: "refused",
    UnreachableError: "unreachable",
    OtherBrowserError: "other-browser",
}
Shared = Literal["shared", "empty", "not-shared", "gone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One field: its path, whether it came, and its values as they may be shown."""

    path: str
    state: Shared
    values: tuple[str, ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The fields of one permission.

    Attributes:
        name: The permission's.
        rows: In the order in which they were asked for.
        entry: The number of the ledger entry that tells of this read; None if nothing was read.
        refusal: The code with which the node refused, all of it or the fields that are gone.
    """

    name: str
    rows: tuple[Row, ...]
    entry: int | None = None
    refusal: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one look gave.

    Attributes:
        state: As the grant's, or ``unknown`` where the node could not be asked.
        groups: Empty where the node refuses everything.
        refusal: The code of what went wrong with all of it.
        gone: Paths that were shared at the reading before, and are no longer.
        came: Paths that are shared since.
    """

    state: str
    groups: tuple[Group, ...] = ()
    refusal: str | None = None
    gone: tuple[str, ...] = ()
    came: tuple[str, ...] = ()


@dataclass(slots=True)
class Before:
    """Which fields were shared, ``permission`` and path: at the last reading, and ever."""

    last: set[tuple[str, str]] | None = None
    ever: set[tuple[str, str]] = field(default_factory=set)


async def read_wanted(access: Access, wanted: Mapping[str, Sequence[str]], before: Before) -> Reading:
    """Read what is shared of the wanted fields by permission, and let the node refuse what is shared no longer."""
    try:
        standing = await access.refresh()
    except (FreeholdError, VendorError) as error:
        return Reading(state="unknown", refusal=code_of(error))
    shared = {
        (name, path)
        for name, paths in wanted.items()
        if (given := standing.permission(name)) is not None
        for path in given.fields
        if path in paths
    }
    if standing.state != "live":
        refusal = await _refusal_of(access, next(iter(wanted)))
        return Reading(state=standing.state, refusal=refusal, gone=_news(before, set())[0])
    groups = [await _read_group(access, name, paths, shared, before.ever) for name, paths in wanted.items()]
    gone, came = _news(before, shared)
    return Reading(state=standing.state, groups=tuple(groups), gone=gone, came=came)


def _news(before: Before, shared: set[tuple[str, str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return which fields went and came since the last reading, and remember this one."""
    last = before.last
    before.last, before.ever = shared, before.ever | shared
    if last is None:
        return (), ()
    return _paths(last - shared), _paths(shared - last)


def _paths(fields: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(sorted({path for _, path in fields}))


async def _read_group(
    access: Access,
    name: str,
    paths: Sequence[str],
    shared: set[tuple[str, str]],
    ever: set[tuple[str, str]],
) -> Group:
    given = [path for path in paths if (name, path) in shared]
    gone = [path for path in paths if (name, path) in ever and path not in given]
    # What was never given is not asked for: that would only fill the person's ledger with refusals.
    refusal = await _refusal_of(access, name, gone if given else None) if gone else None
    try:
        read = await read_all(access, name) if given else {"records": [], "entries": []}
    except (FreeholdError, VendorError) as error:
        lost = tuple(Row(path=path, state="gone" if path in given else "not-shared") for path in paths)
        return Group(name=name, rows=lost, refusal=code_of(error))
    rows = [
        _row(path, read["records"])
        if path in given
        else Row(path=path, state="gone" if path in gone else "not-shared")
        for path in paths
    ]
    entries = read["entries"]
    return Group(name=name, rows=tuple(rows), entry=entries[-1] if entries else None, refusal=refusal)


async def _refusal_of(access: Access, name: str, fields: Sequence[str] | None = None) -> str | None:
    """Ask for what should be refused; return the code, or None if it was not refused after all."""
    try:
        await access.read(name, fields=fields)
    except (FreeholdError, VendorError) as error:
        return code_of(error)
    return None


def _row(path: str, records: Sequence[Document]) -> Row:
    found = [value for record in records for value in leaves(record, path)]
    values = tuple(shown(str(value)) for value in found[:_MAX_VALUES])
    return Row(path=path, state="shared" if values else "empty", values=values, more=len(found) - len(values))


def shown(text: str) -> str:
    """Return a text of a stranger's as it may stand in a page: short, and without what steers a screen."""
    cut = text[:_MAX_CHARS] + ("…" if len(text) > _MAX_CHARS else "")
    return "".join(
        "\ufffd" if letter in _STEERING or unicodedata.category(letter) == "Cc" else letter for letter in cut
    )


async def read_all(access: Access, permission: str, fields: list[str] | None = None) -> Document:
    """Return the records of the first pages, and the numbers of the entries in the ledger, all verified."""
    records: list[Document] = []
    entries: list[int] = []
    cursor: str | None = None
    for _ in range(_MAX_PAGES):
        page = await access.read(permission, fields=fields, cursor=cursor)
        records.extend(page.records)
        entries.append(page.entry)
        cursor = page.next
        if cursor is None:
            break
    return {"records": records, "entries": entries}


def code_of(error: FreeholdError | VendorError) -> str:
    """Return the protocol's code of an error, or a word for what only the library can find."""
    if isinstance(error, FreeholdError | ProblemError):
        return error.code
    return _WORDS.get(type(error), "error")
