"""Record: one signed JSON-LD document about the person, as kept on the node, and its versions.

Spec: specs/records.md
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from . import form, limits
from .canonical import document_cid, jcs
from .encoding import Document, Json, bound_members, format_time, parse_cid, parse_time
from .errors import MalformedError, TooLargeError
from .keys import PublicKey, SigningKey
from .proof import sign_document, verify_signed_by

KEEPING: Final = frozenset({"@context", "id", "created", "source", "previous", "proof"})
"""Members that belong to the keeping of a record, not to what it says. None of them ever leaves the node."""
_TERM = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}\Z")
_BLANK: Final = "_:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A parsed record; ``document`` is what was signed, as it came."""

    document: Document
    id: str
    type: str
    created_s: int
    previous: str | None

    @classmethod
    def from_dict(cls, document: Json) -> Record:
        """Parse a record without verifying its proof.

        Raises:
            MalformedError: It does not have a record's form.
            TooLargeError: It is over ``limits.MAX_DOCUMENT_BYTES`` or ``limits.MAX_MEMBERS``.
            TooDeepError: It is nested deeper than ``limits.MAX_DEPTH``.

        Spec: specs/records.md#form
        """
        if not isinstance(document, dict):
            raise MalformedError("a record is a JSON object")
        bound_members(document)
        for name in ("@context", "id", "type", "created", "source", "proof"):
            if name not in document:
                raise MalformedError(f"member {name!r} is missing")
        form.constant(document["@context"], form.CONTEXT, "@context")
        if not isinstance(document["source"], dict):
            raise MalformedError("source says where the content came from: a JSON object")
        check_content(content_of(document))
        record = cls(
            document=document,
            id=form.urn_uuid(document["id"], "id"),
            type=document["type"],
            created_s=parse_time(document["created"]),
            previous=parse_cid(document["previous"]) if "previous" in document else None,
        )
        if len(jcs(document)) > limits.MAX_DOCUMENT_BYTES:
            raise TooLargeError(f"a record is over {limits.MAX_DOCUMENT_BYTES} bytes")
        return record

    @property
    def cid(self) -> str:
        """The content identifier of this version."""
        return document_cid(self.document)

    def verify(self, key: PublicKey) -> None:
        """Check that the person's record key signed this version.

        Raises:
            SignatureError: It did not.
        """
        verify_signed_by(self.document, key)


def content_of(document: Document) -> Document:
    """Return what a record says, without what belongs to its keeping."""
    return {name: value for name, value in document.items() if name not in KEEPING}


def check_content(content: Document) -> None:
    """Refuse content that could not be projected field by field.

    Raises:
        MalformedError: No type, a name that is no plain term, a blank node, a nested context or proof.

    Spec: specs/records.md#content
    """
    if not _is_term(content.get("type")):
        raise MalformedError("a record has one type, a plain term")
    waiting: list[Json] = [content]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, dict):
            _check_node(value)
            waiting.extend(value.values())


def _check_node(node: Document) -> None:
    for name, value in node.items():
        if name in ("@context", "proof") or not _is_term(name):
            raise MalformedError("a record's members are plain terms of its context")
        if name == "id" and (not isinstance(value, str) or value.startswith(_BLANK)):
            raise MalformedError("a nested id is an IRI, never a blank node")
        if name == "type" and not _is_term(value):
            raise MalformedError("a node has one type, a plain term")


def _is_term(value: Json) -> bool:
    return isinstance(value, str) and _TERM.match(value) is not None


def sign_record(
    content: Document,
    key: SigningKey,
    *,
    record_id: str,
    created_s: int,
    source: Document,
    previous: str | None = None,
) -> Record:
    """Return a new record, or a new version of one.

    Args:
        content: What it says: ``type`` and fields; no member of its keeping.
        key: The person's record key.
        record_id: ``urn:uuid:...``; the same for all versions.
        created_s: When this version was made, Unix seconds.
        source: Where the content came from.
        previous: CID of the version before, None for the first.

    Raises:
        MalformedError: The content does not have a record's form.
        TooLargeError: It is over its bounds: nothing is written that could not be read back.
        TooDeepError: Likewise.

    Spec: specs/records.md#versions
    """
    check_content(content)
    if KEEPING & content.keys():
        raise MalformedError("a record's content does not speak of its keeping")
    unsigned: Document = {
        "@context": form.CONTEXT,
        "id": record_id,
        **content,
        "created": format_time(created_s),
        "source": source,
    }
    if previous is not None:
        unsigned["previous"] = previous
    return Record.from_dict(sign_document(unsigned, key, created_s=created_s))


def same_content(one: Document, other: Document) -> bool:
    """Whether two records, or a record and content, say the same."""
    return jcs(content_of(one)) == jcs(content_of(other))
