"""What one read asked, what came, and whether the ledger says the same.

No input or output here: documents in, documents or errors out.

Spec: specs/released.md#verification
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import quote, urlencode

from freehold_protocol import form, limits
from freehold_protocol.canonical import jcs, without_proof
from freehold_protocol.encoding import Document
from freehold_protocol.entry import Admitted, Entry
from freehold_protocol.keys import PublicKey
from freehold_protocol.ledger import entry_leaf, query_digest, released_digest, signature_digest
from freehold_protocol.merkle import parse_hash
from freehold_protocol.permission import Scalar, field_path
from freehold_protocol.released import PAGE_TYPE, alias_urn, verify_released

from .errors import LedgerError, MalformedError, ReleaseError
from .shown import check_once, records_of
from .transport import Answer

_ALIAS = re.compile(r"z[A-Za-z0-9]{1,60}\Z", re.ASCII)
_ENTRY_HEADER: Final = "freehold-entry"
_MAX_ETAG_CHARS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What one read asks for: the record of an alias, or a page of a permission's records."""

    permission: str
    alias: str | None = None
    fields: tuple[str, ...] | None = None
    where: Mapping[str, Scalar] | None = None
    limit: int | None = None
    cursor: str | None = None

    def __post_init__(self) -> None:
        form.short_name(self.permission, "a permission's name")
        if self.alias is not None and not _ALIAS.match(self.alias):
            raise ValueError("an alias is the last part of a released record's id, z...")
        if self.alias is not None and (self.where or self.limit or self.cursor):
            raise ValueError("where, limit and cursor are for pages, not for one record")
        if self.limit is not None and not 1 <= self.limit <= limits.MAX_PAGE:
            raise ValueError(f"a page has 1 to {limits.MAX_PAGE} records")

    @classmethod
    def of(
        cls,
        permission: str,
        alias: str | None = None,
        *,
        fields: Sequence[str] | None = None,
        where: Mapping[str, Scalar] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Self:
        """Return a selection from what a caller gives; a record's whole id will do for its alias."""
        if isinstance(fields, str):
            raise TypeError("fields is a sequence of paths, not one text")
        return cls(
            permission=permission,
            alias=None if alias is None else alias.removeprefix(alias_urn("")),
            fields=None if fields is None else tuple(fields),
            where=where,
            limit=limit,
            cursor=cursor,
        )

    @property
    def query(self) -> str:
        """The query, percent-encoded as it is signed and sent; empty where all is asked for."""
        asked: dict[str, str] = {}
        if self.fields is not None:
            asked["fields"] = ",".join(map(field_path, self.fields))
        if self.where:
            asked["where"] = json.dumps(dict(self.where), separators=(",", ":"))
        if self.limit is not None:
            asked["limit"] = str(self.limit)
        if self.cursor is not None:
            asked["cursor"] = self.cursor
        return urlencode(asked, quote_via=quote, safe="")

    @property
    def path(self) -> str:
        """The path and query after the grant's URL."""
        path = f"/{self.permission}/records"
        if self.alias is not None:
            path += f"/{self.alias}"
        return f"{path}?{self.query}" if self.query else path


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One read as it was signed: what its ledger entry must say.

    ``who`` is the DID that signed, ``chain`` the digests of its capabilities, ``signature`` the signature's, and
    ``version`` the grant's as it was known: it was read as of no earlier one.
    """

    selection: Selection
    method: str
    who: str
    chain: tuple[str, ...]
    signature: str
    version: int = 0


Prove = Callable[[int, Sent, int, Document | None], Awaitable[Admitted]]
"""Proves the entry of that number: of that read, answered with that status, binding that content if it is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """An answer without content: its ``etag``, and the number of its entry in the ledger.

    ``content`` is what the entry must bind, if that is known: what an unchanged answer says we have already.
    """

    sent: Sent
    entry: int
    etag: str
    status: int
    content: Document | None = field(repr=False)
    _prove: Prove = field(repr=False)

    async def verify(self) -> Admitted:
        """Return the ledger's entry of this answer, proven to be there. Raises as Release.verify."""
        return await self._prove(self.entry, self.sent, self.status, self.content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What a read gave, signed by the grant's serving key.

    Attributes:
        sent: The read it answers.
        document: The released document or page, without its proof.
        signed: The same as it came, to be kept as evidence.
        entry: The number of its entry in the ledger.
        etag: Names this content: ``read_if_changed`` compares it.
    """

    sent: Sent
    document: Document = field(repr=False)
    signed: Document = field(repr=False)
    entry: int
    etag: str
    _prove: Prove = field(repr=False)

    @property
    def records(self) -> tuple[Document, ...]:
        """The released documents without their proofs: those of the page, or the one."""
        return tuple(map(without_proof, records_of(self.document)))

    @property
    def next(self) -> str | None:
        """The cursor of the page after this one; None after the last."""
        cursor: str | None = self.document.get("next")
        return cursor

    async def verify(self) -> Admitted:
        """Return the ledger's entry of this release, proven to be there and to bind what came.

        Raises:
            ReleaseError: The entry is of another read, or binds another content.
            LedgerError: The entry is missing, altered, or its proof does not hold.
            RolledBackError: The ledger does not continue what was seen before.
            FreeholdError: Others, as every request.
        """
        return await self._prove(self.entry, self.sent, 200, self.document)


def open_head(answer: Answer, sent: Sent, prove: Prove, *, known: Document | None = None) -> Head:
    """Return an answer without content: to HEAD, or one that says that what is known is unchanged.

    Raises:
        ReleaseError: It does not name its entry, or is no answer to what was asked.
    """
    if answer.status != (200 if known is None else 304):
        raise ReleaseError(f"{answer.status} is no answer to this read")
    return Head(
        sent=sent,
        entry=_entry_number(answer),
        etag=_etag(answer),
        status=answer.status,
        content=known,
        _prove=prove,
    )


def open_release(answer: Answer, sent: Sent, prove: Prove, *, key: PublicKey) -> Release:
    """Return what came, if the grant's serving key signed it and it is of the kind asked for.

    Raises:
        ReleaseError: It is another document, shows a record twice, or does not name its entry.
        SignatureError: Another key signed it, or it was altered.
        MalformedError: And its subclasses: it does not have the form.
    """
    if answer.status != 200:
        raise ReleaseError(f"a read is answered with 200, not {answer.status}")
    signed, selection = answer.document(), sent.selection
    items = signed.get("items")
    if isinstance(items, list) and len(items) > (selection.limit or limits.MAX_PAGE):  # each takes work
        raise ReleaseError("the page holds more records than were asked for")
    document = verify_released(signed, key=key)
    if (document.get("type") == PAGE_TYPE) != (selection.alias is None):
        raise ReleaseError("what came is not of the kind that was asked for")
    if selection.alias is None:
        if not isinstance(document.get("next", ""), str):
            raise MalformedError("a cursor is a text")
    elif document.get("id") != alias_urn(selection.alias):
        raise ReleaseError("what came is another record than the one asked for")
    check_once(records_of(document), set())
    return Release(
        sent=sent,
        document=document,
        signed=signed,
        entry=_entry_number(answer),
        etag=_etag(answer),
        _prove=prove,
    )


def _entry_number(answer: Answer) -> int:
    try:
        return form.decimal(answer.headers.get(_ENTRY_HEADER, ""), "the number of an entry")
    except MalformedError:
        raise ReleaseError("the answer does not name its entry in the ledger") from None


def _etag(answer: Answer) -> str:
    return answer.headers.get("etag", "")[:_MAX_ETAG_CHARS]


def check_entry(shown: Document, sent: Sent, *, status: int, content: Document | None) -> Admitted:
    """Return the entry a node shows, if its leaf is right and it tells of this very read.

    Args:
        shown: ``leaf``, ``entry`` and ``salt``, whose leaf is proven to be in the ledger already.
        sent: The read.
        status: That of the answer.
        content: What the entry must bind, without its proof; None: unknown here.

    Raises:
        LedgerError: The entry is not the leaf's.
        ReleaseError: It tells of another read, or binds another content.
        MalformedError: It does not have the form.

    Spec: specs/ledger.md#entries
    """
    if "entry" not in shown or "salt" not in shown:
        raise ReleaseError("the entry that was named is not of a read of ours")
    salt = parse_hash(shown["salt"])
    if entry_leaf(shown["entry"], salt) != parse_hash(shown["leaf"]):
        raise LedgerError("the entry is not the one that is in the ledger")
    entry = Entry.from_dict(shown["entry"])
    if not isinstance(entry, Admitted):
        raise ReleaseError("the entry that was named is of no read")
    if entry.number != shown["number"]:
        raise LedgerError("the entry has another number than its place")
    if entry.signature != sent.signature:
        raise ReleaseError("the entry is of another request than the one that was sent")
    _check_told(entry, sent, salt, status)
    if content is not None:
        if entry.released != released_digest(salt, jcs(content)):
            raise ReleaseError("the entry binds another content than what came")
        if entry.count != len(content["items"] if content.get("type") == PAGE_TYPE else (content,)):
            raise ReleaseError("the entry counts other records than what came")
    return entry


def _check_told(entry: Admitted, sent: Sent, salt: bytes, status: int) -> None:
    """Refuse an entry that says of our request what the request does not say."""
    selection = sent.selection
    told = (entry.who, entry.chain, entry.action, entry.permission, entry.method, entry.status)
    if told != (sent.who, sent.chain, "read", selection.permission, sent.method, status):
        raise ReleaseError("the entry tells something else of the request than was sent")
    if entry.query != (query_digest(salt, selection.query) if selection.query else None):
        raise ReleaseError("the entry tells of another query than was sent")
    if entry.version < sent.version:
        raise ReleaseError("the entry tells of a version that was over when the request was sent")
    if selection.fields is not None and not set(entry.fields) <= set(selection.fields):
        raise ReleaseError("the entry tells of fields that were not asked for")


def sent_with(
    answer: Answer, selection: Selection, *, method: str, who: str, chain: tuple[str, ...], version: int
) -> Sent:
    """Return the read that an answer answers, by the signature of the attempt that it answers."""
    if answer.signature is None:
        raise ValueError("a read is signed")
    return Sent(
        selection=selection,
        method=method,
        who=who,
        chain=chain,
        signature=signature_digest(answer.signature),
        version=version,
    )
