"""Faults in the ledger: what is hashed, what is written down, and who is shown it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from freehold_node import gate, holder, ledger, revocations, threshold
from freehold_node.api import holding
from freehold_node.gate import Gate
from freehold_node.inspection import Inspection
from freehold_node.store.sql import SqlTransactor
from freehold_protocol import bundle, limits, merkle
from freehold_protocol import checkpoint as checkpoints
from freehold_protocol import ledger as entries
from freehold_protocol.encoding import base64url_encode
from freehold_protocol.entry import Admitted, Changed, Refused
from mutant import Mutants, everywhere, wrap

mutants = Mutants()


# The tree


@mutants("LED-1", "hashes leaves without the byte that tells them from nodes")
def leaves_like_nodes() -> None:
    everywhere(merkle.leaf_hash, lambda data: hashlib.sha256(data).digest())


@mutants("LED-1", "hashes nodes without the byte that tells them from leaves")
def nodes_like_leaves() -> None:
    everywhere(merkle.node_hash, lambda left, right: hashlib.sha256(left + right).digest())


@mutants("LED-1", "puts the salt behind the entry")
def salt_behind() -> None:
    everywhere(entries.canonical_leaf, lambda body, salt: merkle.leaf_hash(body + salt))


@mutants("LED-2", "makes the salt of the entry's number, the same in every ledger")
def salt_of_the_number() -> None:
    def salted(old: Any, standing: Any, entry: Any, *, salt: bytes, **more: Any) -> Any:
        return old(standing, entry, salt=hashlib.sha256(b"%d" % standing.log_size).digest(), **more)

    wrap(ledger, "prepare", salted)


@mutants("LED-2", "draws one salt for each ledger")
def one_salt_a_ledger() -> None:
    def salted(old: Any, standing: Any, entry: Any, *, salt: bytes, **more: Any) -> Any:
        return old(standing, entry, salt=hashlib.sha256(standing.grant.encode()).digest(), **more)

    wrap(ledger, "prepare", salted)


@mutants("LED-2", "draws salts of 16 random bytes and fills them up")
def short_salts() -> None:
    def salted(old: Any, standing: Any, entry: Any, *, salt: bytes, **more: Any) -> Any:
        return old(standing, entry, salt=salt[:16] * 2, **more)

    wrap(ledger, "prepare", salted)


@mutants("LED-16", "leaves out the last hash of a proof in a tree of more than 256 entries")
def short_proofs_in_long_ledgers() -> None:
    def prove(old: Any, number: int, size: int, node: Any) -> Any:
        proof = old(number, size, node)
        return proof[:-1] if size > 256 else proof

    wrap(merkle, "inclusion_proof", prove)


@mutants("LED-16", "gives the hashes of a proof from the root down")
def proofs_upside_down() -> None:
    wrap(merkle, "inclusion_proof", lambda old, *given: old(*given)[::-1])


@mutants("LED-14", "proves consistency with a full tree as if it were not full")
def consistency_of_full_trees() -> None:
    def prove(old: Any, size: int, new: int, node: Any) -> Any:
        proof = old(size, new, node)
        return [proof[0], *proof] if proof and size & (size - 1) == 0 else proof

    wrap(merkle, "consistency_proof", prove)


@mutants("HTTP-28", "proves consistency with a size that the ledger has not had")
def any_size_is_consistent() -> None:
    def prove(old: Any, reader: Any, standing: Any, size: int) -> Any:
        return old(reader, standing, min(max(size, 1), standing.log_size))

    wrap(ledger, "prove_consistency", prove)


@mutants("LED-13", "signs checkpoints with the decision key")
def decision_signs() -> None:
    def note(self: Any, standing: Any, grant: Any) -> str:
        return ledger.checkpoint(
            standing, grant, self._keys.of(standing.relationship, standing.key_epoch).decision
        )

    Inspection._note = note  # type: ignore[method-assign]


@mutants("ROT-12", "goes on signing checkpoints with the key that was given up")
def old_key_signs() -> None:
    def note(self: Any, standing: Any, grant: Any) -> str:
        return ledger.checkpoint(standing, grant, self._keys.of(standing.relationship, 0).serving)

    Inspection._note = note  # type: ignore[method-assign]


@mutants("LED-13", "signs another root than the tree's")
def checkpoint_of_another_root() -> None:
    def sign(old: Any, checkpoint: Any, key: Any) -> str:
        signed: str = old(replace(checkpoint, root=hashlib.sha256(checkpoint.root).digest()), key)
        return signed

    wrap(checkpoints, "sign_checkpoint", sign)


# Pages


@mutants("HTTP-28", "gives as many entries as are asked for")
def pages_without_bound() -> None:
    limits.MAX_LEDGER_PAGE = 10**9  # type: ignore[misc]


@mutants("HTTP-28", "gives 50 entries where nothing is said")
def other_default() -> None:
    def number(old: Any, text: Any, name: str, *, default: int, most: int) -> Any:
        return old(text, name, default=50 if name == "limit" else default, most=most)

    wrap(holding, "number_of", number)


# What a read writes


def entry_with(**made: Any) -> None:
    """Have admitted entries say something else: each value is a function of the entry."""

    def admitted(**given: Any) -> Admitted:
        whole = Admitted(**given)
        return replace(whole, **{name: make(whole) for name, make in made.items()})

    gate.Admitted = admitted  # type: ignore[attr-defined]


@mutants("LED-5", "says that every answer was a 200")
def always_200() -> None:
    entry_with(status=lambda _: 200)


@mutants("LED-5", "says that every read was a GET")
def always_get() -> None:
    entry_with(method=lambda _: "GET")


@mutants("LED-5", "writes no entry for what was not sent again")
def nothing_for_304() -> None:
    def write(
        old: Any, self: Any, tx: Any, standing: Any, read: Any, view: Any, *rest: Any, **more: Any
    ) -> Any:
        if view.etag == read.known_etag:
            return standing.log_size - 1
        return old(self, tx, standing, read, view, *rest, **more)

    wrap(Gate, "_write_down", write)


@mutants("LED-5", "writes no entry for HEAD")
def nothing_for_head() -> None:
    def write(old: Any, self: Any, tx: Any, standing: Any, read: Any, *rest: Any, **more: Any) -> Any:
        if read.holder.invocation.method == "HEAD":
            return standing.log_size - 1
        return old(self, tx, standing, read, *rest, **more)

    wrap(Gate, "_write_down", write)


@mutants("LED-5", "does not say that bytes came before")
def repetitions_untold() -> None:
    entry_with(repeat_of=lambda _: None)


@mutants("LED-5", "says of a repetition that it repeats the last")
def repeats_the_last() -> None:
    entry_with(repeat_of=lambda entry: entry.repeat_of and entry.number - 1)


@mutants("LED-5", "names the vendor whoever read")
def vendor_read_it() -> None:
    holder.Holder.did = property(lambda self: self.vendor)  # type: ignore[method-assign, assignment]


@mutants("LED-4", "gives the chain leaf first")
def chain_backwards() -> None:
    entry_with(chain=lambda entry: entry.chain[::-1])


@mutants("LED-4", "counts the records of the whole view, 50 at most")
def counts_something_else() -> None:
    entry_with(count=lambda _: 50)


@mutants("LED-4", "names all fields of the permission, whatever was asked for")
def all_fields_named() -> None:
    entry_with(fields=lambda _: ("name", "email", "address.postalCode"))


@mutants("LED-4", "writes a version that no longer stands")
def version_one() -> None:
    entry_with(version=lambda _: 1)


@mutants("LED-6", "binds what came without the salt")
def released_unsalted() -> None:
    everywhere(entries.released_digest, lambda _, data: base64url_encode(hashlib.sha256(data).digest()))


@mutants("LED-6", "binds the document with its proof")
def released_signed() -> None:
    wrap(Gate, "_write_down", lambda call, self, tx, standing, read, view, *rest, **more: call(
        self, tx, standing, read, replace_released(view), *rest, **more))  # fmt: skip


def replace_released(view: Any) -> Any:
    """Return a view whose canonical bytes are those that are sent."""
    made = replace(view, released=replace(view.released, canonical=view.body))
    made.etag = view.etag
    return made


@mutants("LED-7", "keeps the query as a digest without salt")
def query_unsalted() -> None:
    everywhere(
        entries.query_digest, lambda _, query: base64url_encode(hashlib.sha256(query.encode()).digest())
    )


@mutants("LED-7", "writes the target into the entry, ids and all")
def route_with_ids() -> None:
    wrap(Gate, "_write_down", lambda old, self, tx, standing, read, *rest, **more: old(
        self, tx, standing, replace(read, route=read.holder.target_uri.partition("?")[0]), *rest, **more))  # fmt: skip


@mutants("LED-7", "names the path of the query's condition among the fields")
def fields_of_the_condition() -> None:
    def write(
        old: Any, self: Any, tx: Any, standing: Any, read: Any, view: Any, *rest: Any, **more: Any
    ) -> Any:
        told = (*view.released.fields, *(str(value) for _, value in read.selection.where))
        made = replace(view, released=replace(view.released, fields=told))
        return old(self, tx, standing, read, made, *rest, **more)

    wrap(Gate, "_write_down", write)


# Changes


def without_change(change: str) -> None:
    """Write no entry for a change of this kind."""

    def append(old: Any, *given: Any, **more: Any) -> None:
        if more["change"] != change:
            old(*given, **more)

    wrap(ledger, "append_changed", append)


@mutants("LED-8", "writes no entry when a record is deleted")
def deletion_unwritten() -> None:
    without_change("record-deleted")


@mutants("LED-8", "writes no entry when a capability or a partner is revoked")
def revocation_unwritten() -> None:
    without_change("revoke")


@mutants("LED-8", "writes no entry for a change of keys")
def rotation_unwritten() -> None:
    without_change("rotate")


@mutants("LED-8", "writes no entry for an expiry")
def expiry_unwritten() -> None:
    without_change("expire")


@mutants("LED-8", "begins the ledger without the approval")
def approval_unwritten() -> None:
    without_change("approve")


@mutants("LED-8", "names the number of the version before")
def another_cid() -> None:
    def changed(**given: Any) -> Changed:
        return Changed(**{**given, "version": max(1, given["version"] - 1)})

    ledger.Changed = changed  # type: ignore[attr-defined]


@mutants("LED-8", "admits while the grant is paused")
def reads_while_paused() -> None:
    def check(old: Any, standing: Any, now_us: int) -> None:
        old(replace(standing, state="live") if standing.state == "paused" else standing, now_us)

    wrap(threshold, "check_live", check)


# Refusals


@mutants("LED-9", "writes an entry for every refusal")
def every_refusal_written() -> None:
    def count(old: Any, self: Any, owner: str, row: Any) -> bool:
        old(self, owner, row)
        return True

    wrap(SqlTransactor, "count_refusal", count)


@mutants("LED-9", "counts each key that a holder delegates to by itself")
def strangers_counted_apart() -> None:
    everywhere(threshold._is_known, lambda *_: True)


@mutants("LED-9", "counts refusals of all permissions together")
def permissions_counted_together() -> None:
    wrap(ledger, "note_refusal", lambda old, *given, **more: old(*given, **{**more, "permission": None}))


@mutants("HTTP-40", "does not write down that something is not shared")
def not_shared_unwritten() -> None:
    def note(old: Any, *given: Any, **more: Any) -> None:
        if more["code"] != "not-shared":
            old(*given, **more)

    wrap(ledger, "note_refusal", note)


@mutants("LED-9", "gives the time of a refusal for its hour")
def hour_of_the_minute() -> None:
    def refused(**given: Any) -> Refused:
        return Refused(**{**given, "hour_s": given["time_s"] // 60 * 60})

    ledger.Refused = refused  # type: ignore[attr-defined]


@mutants("HTTP-40", "does not count refusals where nothing is read")
def quiet_doors() -> None:
    def note(old: Any, *given: Any, **more: Any) -> None:
        if more["permission"] is not None or more["code"] == "not-shared":
            old(*given, **more)

    wrap(ledger, "note_refusal", note)


# Sight


@mutants("LED-12", "shows every entry to every holder")
def all_see_all() -> None:
    wrap(ledger, "show_entry", lambda old, row, *, holder: old(row, holder=None))


@mutants("LED-12", "gives the salt of an entry whose body is not for the holder")
def salts_for_all() -> None:
    def show(old: Any, row: Any, *, holder: str | None) -> Any:
        return {"salt": base64url_encode(row.salt), **old(row, holder=holder)}

    wrap(ledger, "show_entry", show)


@mutants("LED-12", "hides from the vendor what its partners read")
def own_entries_only() -> None:
    holder.Holder.seen_by = property(lambda self: (self.did,))  # type: ignore[method-assign, assignment]


@mutants("LED-12", "shows partners the changes of the grant")
def changes_for_all() -> None:
    def show(old: Any, row: Any, *, holder: str | None) -> Any:
        return old(row, holder=None if row.kind == "changed" else holder)

    wrap(ledger, "show_entry", show)


@mutants("LED-12", "does not show a revocation to whom it cuts off")
def revocations_hidden() -> None:
    wrap(
        revocations, "append_changed", lambda old, *given, **more: old(*given, **{**more, "also_seen_by": ()})
    )


@mutants("LED-12", "shows by its number what the list hides")
def single_entries_for_all() -> None:
    wrap(ledger, "prove_entry", lambda old, *given, holder: old(*given, holder=None))


@mutants("HTTP-22", "does not explain a grant that has ended")
def ended_is_silent() -> None:
    def enter(old: Any, self: Any, call: Any, *, grant: str) -> Any:
        return _live_only(old, self, call, grant)

    wrap(Gate, "enter", enter)


async def _live_only(old: Any, self: Any, call: Any, grant: str) -> Any:
    found = await old(self, call, grant=grant)

    def check(reader: Any) -> None:
        threshold.check_live(reader.standing(found.owner, grant), self._ambient.clock.now_us())

    await self._store.read(check)
    return found


@mutants("LED-18", "leaves the receipt out of the owner's bundle")
def bundle_without_receipt() -> None:
    wrap(
        bundle,
        "make_bundle",
        lambda old, **given: old(**{**given, "receipt": None, "holder": "did:key:z6Mk"}),
    )


@mutants("LED-18", "leaves refusals out of the bundle")
def bundle_without_refusals() -> None:
    def make(old: Any, **given: Any) -> Any:
        kept = [item for item in given["items"] if not item.entry or item.entry["kind"] != "refused"]
        return old(**{**given, "items": kept})

    wrap(bundle, "make_bundle", make)
