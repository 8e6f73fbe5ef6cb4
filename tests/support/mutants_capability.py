"""Faults of capabilities: what careless verifiers of ZCAP take."""

from __future__ import annotations

import base64
import dataclasses
import gzip
import json
from typing import Any

from freehold_node import allowance, holder, threshold
from freehold_protocol import (
    capability,
    caveat,
    delegation,
    encoding,
    form,
    limits,
    target,
)
from freehold_protocol.errors import (
    ExpiredError,
    FreeholdError,
    MalformedError,
    UnsupportedError,
)
from mutant import Mutants, everywhere, nothing, wrap

mutants = Mutants()


# The form of capabilities


@mutants("CAP-3", "passes over members of a capability that it does not know")
def unknown_members_of_links() -> None:
    def check(old: Any, value: Any, *, required: Any, optional: Any = ()) -> Any:
        if isinstance(value, dict) and "parentCapability" in value:
            known = {name: one for name, one in value.items() if name in (*required, *optional)}
            old(known, required=required, optional=optional)
            return value
        return old(value, required=required, optional=optional)

    wrap(form, "check_members", check)


@mutants("CAP-3", "takes an action that stands alone for an array of it")
def one_action_as_text() -> None:
    wrap(
        capability, "_read_actions",
        lambda old, value, suite: old([value] if isinstance(value, str) else value, suite),
    )  # fmt: skip


@mutants("CAP-3", "takes times with an offset")
def times_with_offset() -> None:
    def parse(old: Any, text: Any) -> Any:
        return old(text.replace("+00:00", "Z") if isinstance(text, str) else text)

    wrap(encoding, "parse_time", parse)


@mutants("CAP-4", "takes proofs with other members than those of its suite")
def more_in_proofs() -> None:
    def read(old: Any, value: Any) -> Any:
        if isinstance(value, dict):
            known = (*capability._PROOF, "cryptosuite", "@context")
            suite, _ = old({name: one for name, one in value.items() if name in known})
            return suite, value
        return old(value)

    wrap(capability, "_read_proof", read)


@mutants("CAP-30", "takes a header of several gzip members, or with bytes behind")
def many_gzip_members() -> None:
    def wire(text: str) -> Any:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        if not data.startswith(b"\x1f\x8b"):
            raise MalformedError("no gzip")
        try:
            inflated = gzip.decompress(data)
        except (OSError, EOFError) as error:
            raise MalformedError("no gzip") from error
        return capability.Capability.from_dict(json.loads(inflated))

    everywhere(capability.from_wire, wire)


@mutants("CAP-7", "takes targets as they come")
def any_spelling_of_targets() -> None:
    everywhere(target.read_target, lambda value: value)


@mutants("CAP-8", "lets a path go on after a query")
def a_path_after_a_query() -> None:
    def within(one: str, before: str) -> bool:
        return one == before or one.startswith((before + "/", before + "?", before + "&"))

    everywhere(target.lies_within, within)


@mutants("CAP-16", "does not compare a chain with that of its parent")
def any_chain() -> None:
    capability.Capability._check_chain = nothing


@mutants("CAP-17", "lets chains be as long as they like")
def long_chains() -> None:
    limits.MAX_CHAIN_LINKS = 30


@mutants("CAP-21", "lets a link carry the node's mark")
def marks_below() -> None:
    wrap(
        delegation, "_check_narrows",
        lambda old, link, before: old(dataclasses.replace(link, generation=None), before),
    )  # fmt: skip


@mutants("CAP-21", "lets a link be older than its parent")
def older_links() -> None:
    wrap(
        delegation, "_check_narrows",
        lambda old, link, before: old(link, dataclasses.replace(before, created_s=0)),
    )  # fmt: skip


@mutants("CAP-21", "compares each link with the first, and not with the one before")
def bounded_by_the_first() -> None:
    def check(old: Any, link: Any, before: Any) -> None:
        old(link, before.links[0])

    wrap(delegation, "_check_narrows", check)


@mutants("CAP-26", "takes links that were made in the future")
def future_links() -> None:
    def check(self: Any, now_s: int) -> None:
        if now_s >= self.expires_s:
            raise ExpiredError("the capability has expired")

    delegation.Chain.check_now = check


@mutants("CAP-18", "remembers a chain by its id, and not by its bytes")
def remembered_by_id() -> None:
    seen: dict[str, Any] = {}

    async def verify(old: Any, self: Any, leaf: Any, origin: str, grant: str) -> Any:
        if leaf.id in seen:
            known = seen[leaf.id]
            chain = dataclasses.replace(known.chain, leaf=leaf, expires_s=leaf.expires_s)
            return dataclasses.replace(known, chain=chain)
        seen[leaf.id] = await old(self, leaf, origin, grant)
        return seen[leaf.id]

    wrap(holder.Prover, "_verify", verify)


# Caveats


@mutants("CAP-13", "passes over caveats of a kind that it does not know")
def unknown_caveats() -> None:
    def read(old: Any, value: Any) -> Any:
        if not isinstance(value, list):
            return old(value)
        kept = [one for one in value if not isinstance(one, dict) or _is_known(old, one)]
        return old(kept) if kept else ()

    wrap(caveat, "read_caveats", read)


def _is_known(old: Any, one: Any) -> bool:
    try:
        old([one])
    except UnsupportedError:
        return False
    except FreeholdError:
        return True
    return True


@mutants("CAP-12", "takes caveats in any order")
def caveats_in_any_order() -> None:
    def read(old: Any, value: Any) -> Any:
        if isinstance(value, list) and all(isinstance(one, dict) for one in value):
            value = sorted(value, key=encoding_of)
        return old(value)

    wrap(caveat, "read_caveats", read)


def encoding_of(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


@mutants("CAP-15", "counts what a caveat limits under the leaf, so that passing it on multiplies it")
def counted_under_the_leaf() -> None:
    def moved(chain: Any) -> Any:
        leaf = chain.digests[-1]
        return dataclasses.replace(chain, caveats=tuple((leaf, one) for _, one in chain.caveats))

    wrap(allowance, "check_caveats", lambda old, r, s, chain, p, now: old(r, s, moved(chain), p, now))
    wrap(allowance, "count_read", lambda old, tx, s, chain, p, **more: old(tx, s, moved(chain), p, **more))


@mutants("CAP-10", "is content if one purpose of the permission is allowed")
def any_purpose_will_do() -> None:
    def check(old: Any, chain: Any, permission: Any) -> None:
        for purpose in permission.purposes:
            try:
                old(chain, dataclasses.replace(permission, purposes=(purpose,)))
            except FreeholdError:
                continue
            return
        old(chain, permission)

    wrap(allowance, "check_purposes", check)


@mutants("REQ-10", "counts only reads of the vendor's against the grant's limits")
def partners_read_for_nothing() -> None:
    def count(old: Any, tx: Any, standing: Any, chain: Any, permission: Any, **more: Any) -> None:
        if len(chain.controllers) == 1:
            old(tx, standing, chain, permission, **more)

    wrap(allowance, "count_read", count)


@mutants("CAP-15", "counts refused reads too")
def refusals_are_counted() -> None:
    def refuse(
        old: Any, self: Any, tx: Any, who: Any, version: Any, refusal: Any, name: Any, now_us: int
    ) -> None:
        old(self, tx, who, version, refusal, name, now_us)
        standing = tx.standing(who.owner, who.grant)
        given = version.permission(name) if name else None
        if given is not None:
            allowance.count_read(
                tx, standing, who.chain, given, n=standing.log_size + 10**6 + now_us, now_us=now_us
            )

    wrap(threshold.Threshold, "_refuse", refuse)
