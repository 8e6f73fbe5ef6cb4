"""The records of a pretended person, in the order in which the node came to know them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from freehold_protocol import form, limits
from freehold_protocol.canonical import jcs
from freehold_protocol.contexts import check_terms
from freehold_protocol.encoding import Document, bound_members
from freehold_protocol.errors import FreeholdError
from freehold_protocol.permission import Item
from freehold_protocol.record import KEEPING, check_content
from freehold_protocol.released import matches

Records = Mapping[str, Document | Sequence[Document]]
"""By type: what one record says, or what several say; the first Person is the person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PretendRecord:
    """One record: the ``n``-th that the node came to know, and what it says."""

    id: str
    n: int
    content: Document

    @property
    def type(self) -> str:
        """Its one type."""
        kind: str = self.content["type"]
        return kind


class PretendRecords:
    """What a person's node holds."""

    def __init__(self, given: Records, new_id: Callable[[], str]) -> None:
        """Take up what a test gives.

        Args:
            given: See ``Records``; nodes within have their ``type``, as in JSON-LD.
            new_id: Gives ``urn:uuid:...``, another each time.

        Raises:
            ValueError: No node could hold such a record.
        """
        self._new_id = new_id
        self._known: dict[str, PretendRecord] = {}
        self._last = 0
        self.own: str | None = None
        """The id of the record about the person."""
        for kind, contents in given.items():
            for content in [contents] if isinstance(contents, Mapping) else contents:
                self.add(kind, content)

    def __iter__(self) -> Iterator[PretendRecord]:
        """Yield them in order."""
        return iter(sorted(self._known.values(), key=lambda record: record.n))

    def add(self, kind: str, content: Mapping[str, object]) -> PretendRecord:
        """Add one. Raises ValueError if no node could hold it."""
        self._last += 1
        record = PretendRecord(id=self._new_id(), n=self._last, content=_sound({**content, "type": kind}))
        self._known[record.id] = record
        if kind == "Person" and self.own is None:
            self.own = record.id
        return record

    def find(self, record_id: str | None) -> PretendRecord:
        """Return one by its id; None: the one about the person. Raises ValueError if it is not there."""
        found = self._known.get(record_id or self.own or "")
        if found is None:
            raise ValueError("there is no such record")
        return found

    def edit(self, record_id: str | None, members: Mapping[str, object]) -> None:
        """Set members of one; those that are None are taken out. Raises as find and add."""
        record = self.find(record_id)
        content = {name: value for name, value in {**record.content, **members}.items() if value is not None}
        self._known[record.id] = replace(record, content=_sound(content))

    def remove(self, record_id: str) -> None:
        """Take one out. Raises as find."""
        del self._known[self.find(record_id).id]
        if self.own == record_id:
            self.own = None

    def matching(self, item: Item) -> Iterator[PretendRecord]:
        """Yield the records that an item selects, were it approved now."""
        return (record for record in self if self.selects(item, record))

    def selects(self, item: Item, record: PretendRecord) -> bool:
        """Whether an item selects a record, new or not."""
        return (
            item.type == record.type
            and (item.about == "any" or record.id == self.own)
            and matches(record.content, item.where)
        )


def _sound(given: Document) -> Document:
    """Return content as the node keeps it: the test's own dictionary can be changed without it."""
    content: Document = copy.deepcopy(given)
    if KEEPING & content.keys():
        raise ValueError("a record's content does not speak of its keeping: " + ", ".join(sorted(KEEPING)))
    try:
        check_content(content)
        check_terms({"@context": form.CONTEXT, **content})
        bound_members(content)
        size = len(jcs(content))
    except FreeholdError as error:
        raise ValueError(f"no node holds such a record: {error}") from error
    if size > limits.MAX_DOCUMENT_BYTES:
        raise ValueError(f"no node holds a record of {size} bytes")
    return content
