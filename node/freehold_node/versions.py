"""Remember the parsed versions of grants: what is committed never changes."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from freehold_protocol.grant import Grant

from .changes import standing_grant
from .store.rows import Standing
from .store.store import Reader

_MOST: Final = 4096


class Versions:
    """Grants by id and version."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, int], Grant] = OrderedDict()

    def standing(self, reader: Reader, standing: Standing, *, committed: bool) -> Grant:
        """Return the standing version.

        Args:
            reader: What standing was read with.
            standing: The grant's row.
            committed: Whether it was read in a snapshot. What is still in the writer's transaction may yet be
                undone, so it is not remembered.

        Raises:
            NotFoundError: There is no such version.
        """
        key = (standing.grant, standing.version)
        grant = self._known.get(key)
        if grant is None:
            grant = standing_grant(reader, standing)
            if committed:
                self.keep(grant)
        return grant

    def keep(self, grant: Grant) -> None:
        """Remember a version that is committed, and forget the one remembered longest beyond the bound."""
        self._known[grant.id, grant.version] = grant
        if len(self._known) > _MOST:
            self._known.popitem(last=False)
