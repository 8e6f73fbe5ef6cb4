"""Faults of one state of a grant, or of one party in it."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from freehold_node import gate, holder, relations, revocations, threshold, view
from freehold_node.store.sql import SqlTransactor
from freehold_protocol import (
    capability,
)
from freehold_protocol.errors import (
    CapabilityError,
    ControllerError,
    PausedError,
    RevokedError,
)
from mutant import Mutants, wrap

mutants = Mutants()


# States


@mutants("HTTP-22", "lets a paused grant say nothing of itself")
def a_paused_grant_is_mute() -> None:
    def check(old: Any, self: Any, reader: Any, standing: Any, who: Any) -> None:
        old(self, reader, standing, who)
        if standing.state == "paused":
            raise CapabilityError("paused")

    wrap(threshold.Threshold, "_check_holder", check)


@mutants("HTTP-38", "asks whether a grant is live of its vendor alone")
def partners_read_on() -> None:
    def check(old: Any, self: Any, tx: Any, standing: Any, now_us: int) -> None:
        try:
            old(self, tx, standing, now_us)
        except PausedError:
            if not _PARTNER[-1]:
                raise

    def note(old: Any, self: Any, reader: Any, standing: Any, who: Any) -> None:
        _PARTNER.append(not who.is_vendor)
        old(self, reader, standing, who)

    wrap(threshold.Threshold, "_check_state", check)
    wrap(threshold.Threshold, "_check_holder", note)
    wrap(
        SqlTransactor, "admit",
        lambda old, tx, standing, head, *, now_us: old(tx, standing, head, now_us=now_us)
        or (_PARTNER[-1] and tx.move_head(standing, head)),
    )  # fmt: skip


_PARTNER = [False]


@mutants("HTTP-24", "renews a grant that is paused")
def a_paused_grant_renews() -> None:
    async def issue(old: Any, self: Any, grant: str, **more: Any) -> Any:
        def standing(reader: Any, grant: str) -> Any:
            found = found_by(reader, grant)
            return found._replace(state="live") if found.state == "paused" else found

        found_by, self._standing = self._standing, standing
        try:
            return await old(self, grant, **more)
        finally:
            del self._standing

    wrap(relations.Relations, "issue", issue)


@mutants("CAP-29", "lets whoever knows a link revoke it")
def strangers_revoke() -> None:
    def renouncer(old: Any, self: Any, call: Any, *, keys: Any = None) -> Any:
        signer = old(self, call, keys=keys)
        leaf = capability.Capability.from_dict(json.loads(call.body))
        return dataclasses.replace(signer, key=leaf.controller)

    wrap(holder.Prover, "renouncer", renouncer)


@mutants("HTTP-27", "says that a revocation is done, and does nothing")
def revocations_are_forgotten() -> None:
    async def renounce(*_: Any, **__: Any) -> None:
        """Do nothing."""

    revocations.Revocations.renounce = renounce


@mutants("HTTP-31", "answers 304 without deciding")
def unchanged_without_asking() -> None:
    seen: dict[tuple[str, str], Any] = {}

    async def admit(old: Any, self: Any, call: Any, **more: Any) -> Any:
        key = (call.target, more.get("known_etag") or "")
        if key in seen and more.get("known_etag"):
            return dataclasses.replace(seen[key], unchanged=True)
        made = await old(self, call, **more)
        seen[call.target, made.view.etag] = made
        return made

    wrap(gate.Gate, "admit", admit)


@mutants("HTTP-32", "shows all that the permission gives, whichever fields were asked for")
def all_fields_come() -> None:
    def make(old: Any, reader: Any, standing: Any, grant: Any, selection: Any, known: Any) -> Any:
        given = grant.permission(selection.permission)
        if given is not None and selection.fields and set(selection.fields) <= set(given.fields):
            selection = dataclasses.replace(selection, fields=None)
        return old(reader, standing, grant, selection, known)

    wrap(view, "make_view", make)


@mutants("HTTP-46", "opens streams for partners that were dropped")
def dropped_partners_listen() -> None:
    def check(old: Any, *args: Any) -> None:
        try:
            old(*args)
        except ControllerError:
            return

    wrap(gate, "_check_heard", check)


@mutants("HTTP-53", "closes all streams under a grant when one link is revoked")
def all_streams_close() -> None:
    def still(old: Any, self: Any, reader: Any, listener: Any) -> Any:
        standing = reader.standing(listener.holder.owner, listener.holder.grant)
        return None if standing.revocations else old(self, reader, listener)

    wrap(gate.Gate, "still_listens", still)


@mutants("HTTP-40", "tells of a revoked link what is said of one that is nothing")
def revoked_is_not_found() -> None:
    def check(old: Any, self: Any, reader: Any, standing: Any, who: Any) -> None:
        try:
            old(self, reader, standing, who)
        except RevokedError as error:
            raise CapabilityError("the capability does not hold") from error

    wrap(threshold.Threshold, "_check_holder", check)
