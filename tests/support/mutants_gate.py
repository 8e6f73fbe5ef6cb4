"""Faults on the way of a read: who asks, under what, whether it still stands, and what is written down."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

from freehold_node import allowance, gate, holder, streams, threshold, view
from freehold_node.api import messages
from freehold_node.store.sql import SqlTransactor
from freehold_protocol import capability, delegation, http_signature, invocation, limits, target
from freehold_protocol.errors import CapabilityError, FreeholdError, GrantError, NotSharedError
from mutant import Mutants, everywhere, nothing, wrap

mutants = Mutants()


# Time


@mutants("INV-6", "takes the caller's time for now")
def trusts_the_callers_clock() -> None:
    everywhere(invocation._check_times, nothing)


@mutants("INV-6", "allows a signature to be good for a day")
def long_signatures() -> None:
    limits.MAX_SIGNATURE_LIFETIME_S = 86_400


@mutants("INV-6", "allows an hour between the clocks")
def wide_skew() -> None:
    limits.CLOCK_SKEW_S = 3600


@mutants("CAP-26", "lets a capability live a minute longer, as signatures do")
def skew_for_capabilities() -> None:
    wrap(delegation.Chain, "check_now", lambda old, chain, now_s: old(chain, now_s - 60))


@mutants("GRA-20", "does not look at the end of a grant when it is read, only a timer does")
def expiry_by_timer_only() -> None:
    def check(old: Any, standing: Any, now_us: int) -> None:
        old(standing, min(now_us, standing.expires_us - 1))

    wrap(threshold, "check_live", check)

    def admit(old: Any, tx: Any, standing: Any, head: Any, *, now_us: int) -> bool:
        return bool(old(tx, standing, head, now_us=min(now_us, standing.expires_us - 1)))

    wrap(SqlTransactor, "admit", admit)

    def state(self: Any, tx: Any, standing: Any, now_us: int) -> None:
        threshold.check_live(standing, now_us)

    gate.Gate._check_state = state


# Liveness


@mutants("HTTP-39", "remembers for a minute that a grant is live")
def liveness_is_cached() -> None:
    seen: dict[str, float] = {}

    def check(old: Any, self: Any, tx: Any, standing: Any, now_us: int) -> None:
        if time.monotonic() - seen.get(standing.grant, -60.0) < 60:
            return
        old(self, tx, standing, now_us)
        seen[standing.grant] = time.monotonic()

    wrap(threshold.Threshold, "_check_state", check)
    wrap(SqlTransactor, "admit", _admit_anyway)


def _admit_anyway(old: Any, tx: Any, standing: Any, head: Any, *, now_us: int) -> bool:
    return bool(old(tx, standing, head, now_us=now_us) or tx.move_head(standing, head))


@mutants("HTTP-38", "shows the view that it remembers, whatever the person took away since")
def stale_views() -> None:
    view.View.stands = lambda *_: True


@mutants("HTTP-38", "looks whether the grant changed, and not whether the records did")
def stale_records() -> None:
    def stands(self: view.View, standing: Any) -> bool:
        return bool(self.epoch == standing.epoch)

    view.View.stands = stands


@mutants("CAP-29", "forgets revocations, as if there were none")
def revocations_are_not_looked_at() -> None:
    def check(old: Any, self: Any, reader: Any, standing: Any, who: Any) -> None:
        old(self, reader, standing._replace(revocations=0), who)

    wrap(threshold.Threshold, "_check_holder", check)


@mutants("CAP-29", "looks whether the leaf was revoked, and not the links above it")
def only_the_leaf_is_revoked() -> None:
    def check(old: Any, self: Any, reader: Any, standing: Any, who: Any) -> None:
        chain = who.chain
        short = dataclasses.replace(chain, digests=chain.digests[-1:], ids=chain.ids[-1:])
        old(self, reader, standing, dataclasses.replace(who, chain=short))

    wrap(threshold.Threshold, "_check_holder", check)


@mutants("CAP-29", "remembers for a minute that a capability was not revoked")
def revocation_is_cached() -> None:
    seen: dict[str, float] = {}

    def check(old: Any, self: Any, reader: Any, standing: Any, who: Any) -> None:
        key = who.chain.digests[-1]
        if time.monotonic() - seen.get(key, -60.0) < 60:
            standing = standing._replace(revocations=0)
        old(self, reader, standing, who)
        seen[key] = time.monotonic()

    wrap(threshold.Threshold, "_check_holder", check)


@mutants("CAP-23", "asks who is a recipient of the last link alone")
def only_the_last_partner() -> None:
    def check(old: Any, reader: Any, standing: Any, recipients: Any, partners: Any) -> Any:
        return old(reader, standing, recipients, partners[-1:])

    wrap(threshold, "no_recipients", check)


@mutants("CAP-23", "does not ask who is a recipient")
def anyone_is_a_recipient() -> None:
    everywhere(threshold.no_recipients, lambda *_: frozenset())


@mutants("CAP-14", "forgets limits that delegated links carry")
def caveats_are_not_checked() -> None:
    everywhere(allowance.check_caveats, nothing)


@mutants("CAP-14", "checks the limits of the leaf alone")
def caveats_of_the_leaf_alone() -> None:
    def check(old: Any, reader: Any, standing: Any, chain: Any, permission: Any, now_us: int) -> None:
        kept = tuple(one for one in chain.caveats if one[0] == chain.digests[-1])
        old(reader, standing, dataclasses.replace(chain, caveats=kept), permission, now_us)

    wrap(allowance, "check_caveats", check)


@mutants("REQ-10", "does not count reads")
def limits_are_not_checked() -> None:
    everywhere(allowance.check_limits, nothing)


# Who asks


@mutants("INV-8", "takes the same message twice")
def nonces_are_not_kept() -> None:
    wrap(SqlTransactor, "use_nonce", lambda old, *a, **k: old(*a, **k) or True)


@mutants("CAP-8", "compares targets by their beginning, so that /delivery2 lies under /delivery")
def targets_by_prefix() -> None:
    everywhere(target.lies_within, lambda one, before: one.startswith(before))


@mutants("CAP-9", "does not look whether the target is the capability's")
def any_target() -> None:
    def check(old: Any, self: Any, *, target_uri: str, action: str) -> None:
        old(self, target_uri=self.target, action=action)

    wrap(capability.Capability, "check_use", check)


@mutants("INV-12", "does not look at the action")
def any_action() -> None:
    def check(old: Any, self: Any, *, target_uri: str, action: str) -> None:
        old(self, target_uri=target_uri, action=self.actions[0])

    wrap(capability.Capability, "check_use", check)


@mutants("INV-12", "lets whoever has the bytes of a capability use it")
def bearer_capabilities() -> None:
    def check(old: Any, call: Any, invoked: Any, leaf: Any, grant: str) -> Any:
        return old(call, dataclasses.replace(invoked, keyid=leaf.controller.method), leaf, grant)

    wrap(holder, "_check_invoked", check)
    invocation.Invocation.verify = nothing


@mutants("INV-1", "does not ask what a signature covers")
def anything_covered() -> None:
    def parse(old: Any, headers: Any, body: Any, *, tag: str, covered: Any, now_s: int) -> Any:
        parsed = http_signature.parse_signature(headers, tag=tag)
        invocation._check_times(parsed, now_s)
        return parsed

    wrap(invocation, "_parse", parse)


@mutants("CAP-18", "does not verify links that are not its own")
def only_the_first_proof() -> None:
    def verify(old: Any, link: Any, memory: Any) -> Any:
        if link.parent is None:
            return old(link, memory)
        try:
            return old(link, memory)
        except FreeholdError:
            return "A" * 43

    wrap(delegation, "_verify", verify)


@mutants("CAP-18", "does not look who signed a link")
def signed_by_anyone() -> None:
    everywhere(delegation._check_signers, nothing)


def _loosened(**wider: Callable[[Any], Any]) -> None:
    """Have the check of one link against its parent see another value of the link's."""

    def check(old: Any, link: Any, before: Any) -> None:
        old(dataclasses.replace(link, **{name: of(before) for name, of in wider.items()}), before)

    wrap(delegation, "_check_narrows", check)


@mutants("CAP-21", "lets a link have a wider target than its parent")
def wider_targets() -> None:
    _loosened(target=lambda before: before.target)


@mutants("CAP-21", "lets a link allow more actions than its parent")
def wider_actions() -> None:
    _loosened(actions=lambda before: before.actions)


@mutants("CAP-21", "lets a link outlive its parent")
def longer_links() -> None:
    _loosened(expires_s=lambda before: before.expires_s)


@mutants("CAP-22", "lets a link live for years")
def links_for_years() -> None:
    limits.MAX_CAPABILITY_DAYS = 3650


@mutants("CAP-27", "knows a revoked capability by its id, which another may have too")
def revoked_by_id() -> None:
    wrap(capability.Capability, "verify", lambda old, self: (old(self)[0], self.id))


# What is shown and written


@mutants("HTTP-1", "resolves dot segments in the place of refusing them")
def dot_segments() -> None:
    everywhere(messages.check_target, nothing)


@mutants("HTTP-33", "leaves out a field that was asked for and is not shared, without a word")
def silent_fields() -> None:
    def make(old: Any, reader: Any, standing: Any, grant: Any, selection: Any, keys: Any) -> Any:
        try:
            return old(reader, standing, grant, selection, keys)
        except NotSharedError:
            given = grant.permission(selection.permission)
            if given is None or not selection.fields:
                raise
            kept = tuple(one for one in selection.fields if one in given.fields) or given.fields[:1]
            return old(reader, standing, grant, dataclasses.replace(selection, fields=kept), keys)

    wrap(view, "make_view", make)


@mutants("HTTP-53", "leaves streams open when the grant stops")
def streams_stay_open() -> None:
    def still(old: Any, self: Any, reader: Any, listener: Any) -> Any:
        found = old(self, reader, listener)
        if found is None:
            standing = reader.standing(listener.holder.owner, listener.holder.grant)
            return standing, self._versions.standing(reader, standing, committed=True)
        return found

    wrap(gate.Gate, "still_listens", still)


@mutants("HTTP-53", "does not look again whether a holder was revoked while it listens")
def listeners_are_not_revoked() -> None:
    def still(old: Any, self: Any, reader: Any, listener: Any) -> Any:
        found = reader.standing(listener.holder.owner, listener.holder.grant)
        version = self._versions.standing(reader, found, committed=True)
        try:
            threshold.check_live(found, self._ambient.clock.now_us())
        except (GrantError, CapabilityError):
            return None
        return found, version

    wrap(gate.Gate, "still_listens", still)


@mutants("HTTP-50", "tells of a change of the grant only when something else happens")
def streams_are_not_stirred() -> None:
    streams.Streams._touched = nothing


@mutants("HTTP-40", "writes down no refusal")
def refusals_are_not_written() -> None:
    threshold.Threshold._refuse = nothing


@mutants("LED-6", "writes the digest of something else than what was sent")
def another_digest() -> None:
    wrap(gate, "released_digest", lambda old, salt, data: old(salt, data + b" "))


@mutants("LED-5", "writes no entry for a read by HEAD")
def head_leaves_no_entry() -> None:
    def decide(old: Any, self: Any, tx: Any, read: Any, seen: Any) -> Any:
        if read.holder.invocation.method == "HEAD":
            seen = seen or self._look(read)
            standing, version = self._stands(tx, read.holder)
            shown = self._show(tx, standing, version, read.selection)
            return gate.Admission(number=standing.log_size, version=version, view=shown, unchanged=False)
        return old(self, tx, read, seen)

    wrap(gate.Gate, "_decide", decide)
