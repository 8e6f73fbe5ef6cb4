"""What a file holds, before anything of it is kept: what was found, and what was left out and why.

Nothing here carries a value from the file except the found documents and their labels: ``where`` and
``reason`` may be shown, logged and stored.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from freehold_protocol.canonical import jcs
from freehold_protocol.encoding import Document, Json
from freehold_protocol.errors import ConflictError, NotFoundError
from freehold_protocol.reason import Reason

from .reasons import why

MAX_FOUND: Final = 20_000
"""Records that one file may become."""
_MAX_NAMED: Final = 3
KEEPING_BYTES: Final = 16 * 1024
"""Left free under ``limits.MAX_DOCUMENT_BYTES`` for the id, the source and the proof of the record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """One part of the file that was left out, or that needs a look: ``card 3, line 41: PHOTO``."""

    where: Reason
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One card, entry, row or document that can become a record.

    Attributes:
        document: With ``@context`` and ``type``; without ``id``, ``created``, ``source`` and ``proof``.
        key: The same for the same thing in another version of the file; a digest, which shows nothing of it.
        label: What a person reads in the preview.
        where: Its place in the file, ``card 3``.
        skipped: Parts of this one that were left out.
        credential: What the document was made of, if somebody else signed it: nothing is known of it before its
            proof was verified.
    """

    document: Document
    key: str
    label: str
    where: Reason
    skipped: tuple[Skipped, ...] = ()
    credential: Document | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Everything in one file.

    Attributes:
        format: ``vCard``, ``JSON-LD``, ``CSV``, ``iCalendar`` or ``OFX``.
        found: In the order of the file; no two have the same key.
        skipped: Whole items that were left out, and warnings about the file.
    """

    format: str
    found: tuple[Found, ...]
    skipped: tuple[Skipped, ...]

    def person(self, me: str) -> Found:
        """Return the one card that is the person.

        Args:
            me: An e-mail address or full name on the card, or its number in ``found``, counted from 1.

        Raises:
            NotFoundError: No person's card matches.
            ConflictError: Several do.
        """
        wanted = _folded(me)
        if wanted.isascii() and wanted.isdigit() and len(wanted) < 10:
            matches = [(number, one) for number, one in enumerate(self.found, 1) if number == int(wanted)]
        else:
            matches = [(number, one) for number, one in enumerate(self.found, 1) if wanted in _names(one)]
        matches = [(number, one) for number, one in matches if one.document["type"] == "Person"]
        if not matches:
            raise NotFoundError(why("nobody"))
        if len(matches) > 1:
            numbers = ", ".join(str(number) for number, _ in matches[:10])
            raise ConflictError(why("several", numbers=numbers))
        return matches[0][1]


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def _names(found: Found) -> set[str]:
    values = [found.document.get(name, []) for name in ("name", "email")]
    texts = [text for value in values for text in (value if isinstance(value, list) else [value])]
    return {_folded(text) for text in texts if isinstance(text, str)} - {""}


def key_of(kind: str, value: Json) -> str:
    """Return a key: the kind and 64 hexadecimal digits, so that no key shows what it was made from."""
    return f"{kind}:{hashlib.sha256(jcs(value)).hexdigest()}"


def without_duplicates(found: Iterable[Found]) -> tuple[tuple[Found, ...], tuple[Skipped, ...]]:
    """Leave out what says the same as an earlier one; give other keys to what only calls itself the same.

    A file in which several different cards share one UID is broken, but none of the cards is. Which of them
    the UID meant cannot be told, and a wrong guess would make somebody else of a record that vendors read: so
    none of them is known by the UID, and all are known by UID and content together.
    """
    every = list(found)
    said: dict[str, dict[bytes, Found]] = {}
    for one in every:
        said.setdefault(one.key, {}).setdefault(jcs(one.document), one)
    kept: list[Found] = []
    skipped: list[Skipped] = []
    for one in every:
        alike = said[one.key]
        same, first = alike[jcs(one.document)], next(iter(alike.values()))
        if same is not one:
            skipped.append(Skipped(where=one.where, reason=why("same-as", place=same.where)))
            continue
        if first is not one:
            skipped.append(Skipped(where=one.where, reason=why("says-it-is", place=first.where)))
        key = one.key if len(alike) == 1 else key_of("differing", [one.key, one.document])
        kept.append(replace(one, key=key))
    return tuple(kept), tuple(skipped)


def nothing_in(form: str, skipped: Sequence[Skipped]) -> Reason:
    """Return why nothing in a file of a format can be imported: the first reasons of what was left out."""
    parts = tuple(why("part", place=one.where, reason=one.reason) for one in skipped[:_MAX_NAMED])
    return why("nothing-in-named", format=form, parts=parts) if parts else why("nothing-in", format=form)
