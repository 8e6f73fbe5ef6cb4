"""What an import puts into a record that is there already: fields that it lacks, and nothing in place of another.

So whoever imports an entry about themselves has one record about them afterwards, and what they wrote stands.

Spec: specs/node/imports.md#me
"""

from __future__ import annotations

import json
from collections.abc import Container
from dataclasses import dataclass
from typing import Final

from freehold_protocol.encoding import Document, Json
from freehold_protocol.record import content_of

from .imports import room_beside, size_of
from .store.rows import RecordRow
from .store.store import Reader

_SAMPLE: Final = "sample"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """A record with what it lacked.

    Attributes:
        content: What it says from then on.
        adds: The fields that come.
        keeps: The fields of which the other says something else, or for which there is no room, and which stay as
            they are.
    """

    content: Document
    adds: tuple[str, ...]
    keeps: tuple[str, ...]


class Fillable:
    """A record that can be filled, read once for however many of a file are looked at."""

    def __init__(self, own: Document) -> None:
        self._mine = content_of(own)
        self._room_bytes, self._room_members = room_beside(self._mine)

    def filled(self, found: Document) -> Filling:
        """Put into it what it lacks, by whole fields: half of one address never goes with half of another."""
        mine, theirs = self._mine, content_of(found)
        room_bytes, room_members = self._room_bytes, self._room_members
        adds: dict[str, Json] = {}
        keeps = {name for name in theirs.keys() & mine.keys() if theirs[name] != mine[name]}
        for name in sorted(theirs.keys() - mine.keys()):
            size_bytes, members = size_of({name: theirs[name]})
            if size_bytes > room_bytes or members > room_members:
                keeps.add(name)
                continue
            room_bytes, room_members = room_bytes - size_bytes, room_members - members
            adds[name] = theirs[name]
        return Filling(content={**mine, **adds}, adds=tuple(adds), keeps=tuple(sorted(keeps)))


def own_to_fill(reader: Reader, owner: str) -> RecordRow | None:
    """Return the record about the person, if there is one that can be filled: a person's, and not the sample's."""
    row = reader.owner(owner)
    own = reader.record(owner, row.self_record) if row is not None and row.self_record is not None else None
    if own is None or own.type != "Person" or is_of_files(reader, owner, own, sample_files(reader)):
        return None
    return own


def sample_files(reader: Reader) -> frozenset[str]:
    """Return the digests of the files that were marked as the sample's."""
    text = reader.setting(_SAMPLE)
    return frozenset(json.loads(text)["files"]) if text else frozenset()


def is_of_files(reader: Reader, owner: str, row: RecordRow, files: Container[str]) -> bool:
    """Whether all that a record ever said came from files of these digests."""
    documents = (row.document, *reader.record_history(owner, row.id))
    return all(json.loads(document)["source"].get("digest") in files for document in documents)
