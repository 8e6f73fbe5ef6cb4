"""The origins at which grants are reached, and the person's word that adds one, so that a move kills nothing.

Spec: specs/moving.md
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from freehold_protocol.canonical import jcs
from freehold_protocol.encoding import Document
from freehold_protocol.errors import ConflictError, FreeholdError, NotFoundError
from freehold_protocol.grant import Grant
from freehold_protocol.limits import MAX_ORIGINS
from freehold_protocol.moved import sign_moved

from .ambient import Ambient
from .changes import standing_grant
from .config import parse_origin
from .ledger import append_changed
from .person_keys import PersonKeys
from .reach import origins_of
from .store.rows import Standing
from .store.store import Reader, Store, Transactor

_SHOWN: Final = 5
_US: Final = 1_000_000


class Origins:
    """Where the grants of one owner are reached."""

    def __init__(
        self, store: Store, keys: PersonKeys, ambient: Ambient, *, owner: str, origins: tuple[str, ...]
    ) -> None:
        """Act for an owner at a store; origins are the node's own, the first preferred."""
        self._store, self._keys, self._ambient = store, keys, ambient
        self._owner, self._own = owner, origins

    async def reached(self) -> Document:
        """Return the node's own origins, and of each grant that is not over where it can be reached.

        ``reached`` are those of a grant's origins that the node has: with none the grant is cut off, and with one
        it would be if the node had that no longer.
        """

        def look(reader: Reader) -> list[Document]:
            return [
                self._told(standing, standing_grant(reader, standing)) for standing in self._alive(reader)
            ]

        return {"origins": list(self._own), "grants": await self._store.read(look, long=True)}

    def _told(self, standing: Standing, grant: Grant) -> Document:
        origins = origins_of(standing, grant)
        return {
            "grant": standing.grant,
            "vendor": standing.name,
            "state": standing.state,
            "origins": list(origins),
            "moved": standing.moved.split(),
            "reached": [origin for origin in self._own if origin in origins],
        }

    def _alive(self, reader: Reader) -> list[Standing]:
        return [one for one in reader.standings(self._owner) if one.state in ("live", "paused")]

    async def add(self, origin: str, *, only: Collection[str] | None = None) -> Document:
        """State of every grant that is not over that it is reached at an origin too, all at once or not at all.

        Args:
            origin: As in the configuration; the node need not have it yet.
            only: Ids of the grants; None: all.

        Returns:
            ``added`` and ``had``: ids of the grants for which it was stated now, and of those that list it already.

        Raises:
            MalformedError: It is no origin, or a grant that is reached over the network would move to loopback.
            NotFoundError: There is no such grant, or it is over.
            ConflictError: A grant has as many origins as it may.
        """
        origin = parse_origin(origin)
        now_us = self._ambient.clock.now_us()

        def write(tx: Transactor) -> Document:
            chosen = self._chosen(tx, only)
            had = [one.grant for one in chosen if origin in origins_of(one, standing_grant(tx, one))]
            others = [one for one in chosen if one.grant not in had]
            self._check_room(tx, others)
            for standing in others:
                self._state(tx, standing, origin, now_us)
            tx.log_action(self._owner, time_us=now_us, action="add-origin", subject=origin)
            return {"origin": origin, "added": [one.grant for one in others], "had": had}

        return await self._store.write(write)

    def _chosen(self, tx: Transactor, only: Collection[str] | None) -> list[Standing]:
        alive = self._alive(tx)
        if only is None:
            return alive
        if unknown := set(only) - {one.grant for one in alive}:
            raise NotFoundError(f"there is no grant {min(unknown)} that is live or paused")
        return [one for one in alive if one.grant in only]

    def _check_room(self, tx: Transactor, standings: list[Standing]) -> None:
        full = [
            one.grant for one in standings if len(origins_of(one, standing_grant(tx, one))) >= MAX_ORIGINS
        ]
        if full:
            raise ConflictError(
                f"these grants have {MAX_ORIGINS} origins already, which is as many as there can be: "
                + ", ".join(full[:_SHOWN])
            )

    def _state(self, tx: Transactor, standing: Standing, origin: str, now_us: int) -> None:
        """Sign and keep the statement for one grant, with its entry."""
        grant = standing_grant(tx, standing)
        key = self._keys.of(standing.relationship, standing.key_epoch).decision
        try:
            moved = sign_moved(
                grant, key, origins=(origin,), nonce=self._ambient.new_token(), created_s=now_us // _US
            )
        except FreeholdError as error:
            raise type(error)(f"grant {standing.grant}: {error}") from None
        tx.add_moved(self._owner, standing.grant, (origin,), jcs(moved.document))
        append_changed(
            tx, self._owner, grant, change="move", now_us=now_us,
            random_bytes=self._ambient.random_bytes, statement=moved.cid,
        )  # fmt: skip
