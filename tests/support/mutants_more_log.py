"""Faults in the ledger and its proofs, and in streams of events."""

from __future__ import annotations

from typing import Any

from freehold_node import gate, ledger, streams, threshold
from freehold_node.api import holding
from freehold_node.gate import Gate
from freehold_node.inspection import Inspection
from freehold_node.relations import Relations
from freehold_protocol import checkpoint, limits
from freehold_protocol.encoding import base64url_encode
from mutant import Mutants, edit, wrap

mutants = Mutants()


# Entries of reads


def _entry(before: str, after: str) -> None:
    edit(Gate, "_write_down", (before, after))


@mutants("LED-4", "writes the last link of a chain only")
def last_links_only() -> None:
    _entry("chain=holder.chain.digests", "chain=holder.chain.digests[-1:]")


@mutants("LED-4", "writes the time that the reader named")
def times_of_readers() -> None:
    _entry("time_s=time_us // _US", "time_s=holder.invocation.signature.created")


@mutants("LED-4", "writes how many records a page may have")
def counts_of_pages() -> None:
    _entry("count=view.released.count", "count=selection.limit")


@mutants("LED-7", "writes the fields that were asked for by name only")
def fields_of_queries() -> None:
    _entry("fields=view.released.fields", "fields=selection.fields or ()")


@mutants("LED-7", "writes the digest of an empty query")
def empty_queries() -> None:
    _entry(" if selection.query else None", "")


@mutants("LED-7", "writes the digest of a signature's text")
def signatures_as_text() -> None:
    import base64
    import hashlib

    gate._of_text = lambda made: base64url_encode(hashlib.sha256(base64.b64encode(made)).digest())
    _entry(
        "base64url_encode(holder.invocation.signature_digest)",
        "_of_text(holder.invocation.signature.signature)",
    )


@mutants("LED-5", "writes no entry for pages after the first")
def next_pages_leave_no_entry() -> None:
    def decide(old: Any, self: Any, tx: Any, read: Any, seen: Any) -> Any:
        if read.selection.cursor is not None:
            standing, version = self._stands(tx, read.holder)
            self._check_as_seen(tx, standing, read.holder, self._ambient.clock.now_us())
            shown = self._show(tx, standing, version, read.selection)
            return gate.Admission(number=standing.log_size - 1, version=version, view=shown, unchanged=False)
        return old(self, tx, read, seen)

    wrap(Gate, "_decide", decide)


@mutants("HTTP-31", "names the entry after the one that it wrote")
def entries_off_by_one() -> None:
    edit(Gate, "_decide", ("Admission(number=number,", "Admission(number=number + 1,"))


@mutants("HTTP-31", "takes any of several tags")
def several_tags() -> None:
    edit(Gate, "_decide", ("view.etag == read.known_etag", "view.etag in (read.known_etag or '')"))


@mutants("HTTP-31", "takes a star for a tag")
def stars_for_tags() -> None:
    edit(Gate, "_decide", ("view.etag == read.known_etag", 'read.known_etag in ("*", view.etag)'))


# Leaves and sight


@mutants("LED-2", "takes the same salt for every entry")
def one_salt() -> None:
    edit(Gate, "_write_down", ("self._ambient.random_bytes(limits.SALT_BYTES)", "bytes(32)"))


@mutants("LED-12", "shows partners what was refused")
def refusals_for_everyone() -> None:
    edit(ledger, "show_entry", ("holder in row.seen_by", "holder in row.seen_by or row.kind == 'refused'"))


@mutants("LED-12", "shows an entry to who read, and to nobody above")
def entries_of_readers_alone() -> None:
    edit(Gate, "_write_down", ("seen_by=holder.seen_by", "seen_by=(holder.vendor, holder.did)"))


@mutants("LED-12", "hides from the person what partners read")
def entries_hidden_from_the_person() -> None:
    edit(ledger, "show_entry", ("holder is None or ", "(holder is None and len(row.seen_by) < 2) or "))


# Changes and refusals


@mutants("PRV-6", "writes an entry for a deleted record, whether it was shown or not")
def deletions_for_everyone() -> None:
    edit(Relations, "record_goes", ("in_view(tx, standing, grant, row)", "True"))


@mutants("LED-4", "names in an entry the epoch of before the change")
def epochs_of_before() -> None:
    edit(ledger, "append_changed", ("epoch=standing.epoch", "epoch=standing.epoch - 1"))


@mutants("LED-4", "names in an entry the version without its proof")
def versions_without_proof() -> None:
    edit(ledger, "append_changed", ("grant=grant.cid", "grant=_bare(grant)"))
    from freehold_protocol.canonical import document_cid, without_proof

    ledger._bare = lambda grant: document_cid(without_proof(grant.document))


@mutants("LED-4", "calls every change a narrowing")
def every_change_narrows() -> None:
    edit(
        ledger,
        "append_changed",
        ("change=change, grant", "change='narrow' if change in ('pause', 'end') else change, grant"),
    )


@mutants("LED-9", "counts refusals of all codes together")
def refusals_of_any_code() -> None:
    edit(
        ledger,
        "note_refusal",
        (
            "{permission or '-'}\"",
            "{permission or '-'}\"\n    first = not tx._execute('SELECT 1 FROM refusal WHERE owner = ? AND capability = ?', (standing.owner, counted))",
        ),
        ("if tx.count_refusal(standing.owner, row):", "if tx.count_refusal(standing.owner, row) and first:"),
    )


@mutants("LED-9", "counts the refusals of all holders together")
def refusals_of_any_holder() -> None:
    edit(ledger, "note_refusal", (" {who if known else '-'}", ""))


@mutants("LED-21", "writes down what strangers try")
def strangers_are_written_down() -> None:
    async def holder(old: Any, self: Any, call: Any, *, grant: str) -> Any:
        try:
            return await old(self, call, grant=grant)
        except Exception as error:
            code = getattr(error, "code", "error")

            def note(tx: Any) -> None:
                owner = tx.owner_of("grant", grant)
                standing = tx.standing(owner, grant) if owner else None
                if standing is not None:
                    ledger.note_refusal(
                        tx, standing, who="did:key:z6MkmtWtY63GQVBrpMyRJWEzsnxfsGkemu6CtMDwGTv4RYj2",
                        chain=("A" * 43,), controllers=(), known=False, code=code, permission=None,
                        now_us=self._clock.now_us(), random_bytes=lambda n: bytes(n),
                    )  # fmt: skip

            await self._store.write(note)
            raise

    from freehold_node.holder import Prover

    wrap(Prover, "holder", holder)


@mutants("HTTP-33", "does not count who asked for a record that is not there")
def missing_records_are_not_counted() -> None:
    edit(
        Gate,
        "_decide",
        (
            "self._refuse(tx, holder, version, refusal",
            "if not isinstance(refusal, NotFoundError):\n                self._refuse(tx, holder, version, refusal",
        ),
    )


@mutants("HTTP-40", "writes refusals for the grant's state, and no others")
def refusals_of_states_alone() -> None:
    edit(
        threshold.Threshold,
        "_refuse",
        ("if standing is not None:", "if standing is not None and refusal.code.startswith('grant-'):"),
    )


@mutants("HTTP-40", "writes refusals of the vendor, and not of partners")
def refusals_of_vendors_alone() -> None:
    edit(
        threshold.Threshold,
        "_refuse",
        ("if standing is not None:", "if standing is not None and holder.is_vendor:"),
    )


@mutants("LED-9", "names the vendor where a partner was refused")
def refusals_name_the_vendor() -> None:
    edit(threshold.Threshold, "_refuse", ("who=holder.did", "who=holder.controllers[0]"))


@mutants("HTTP-29", "writes down who reads the ledger")
def reading_the_ledger_is_written() -> None:

    def note(tx: Any, owner: str, standing: Any, version: Any, now_us: int, random_bytes: Any) -> None:
        ledger.append_changed(
            tx, owner, version, change="revoke", revoked="A" * 43, now_us=now_us, random_bytes=random_bytes
        )

    gate._note_look = note
    edit(
        Gate,
        "enter",
        (
            "        return holder\n",
            "        _note_look(tx, holder.owner, standing, version, now_us, self._ambient.random_bytes)\n        return holder\n",
        ),
    )


# Checkpoints and proofs


@mutants("LED-13", "makes the id of a key without its kind")
def key_ids() -> None:
    edit(checkpoint, "key_id", ('b"\\n" + _ED25519 + key.raw', 'b"\\n" + key.raw'))


@mutants("LED-13", "ends a line of a checkpoint with a space")
def another_note() -> None:
    edit(checkpoint.Checkpoint, "to_text", ("{self.size}\\n", "{self.size} \\n"))


@mutants("LED-13", "signs a checkpoint once in a while")
def stale_checkpoints() -> None:
    known: dict[str, str] = {}

    async def note(old: Any, self: Any, grant_id: str) -> str:
        if grant_id not in known:
            known[grant_id] = await old(self, grant_id)
        return known[grant_id]

    wrap(Inspection, "checkpoint", note)


@mutants("LED-16", "proves an entry for the ledger as it was a read ago")
def proofs_of_before() -> None:
    edit(
        ledger,
        "prove_entry",
        (
            "inclusion_proof(number, standing.log_size,",
            "inclusion_proof(number, max(number + 1, standing.log_size - 1),",
        ),
    )


@mutants("HTTP-28", "proves that a ledger continues the one without entries")
def the_empty_ledger() -> None:
    edit(
        ledger,
        "prove_consistency",
        (
            "if not 0 < old_size <= standing.log_size:",
            "if old_size == 0:\n        return []\n    if old_size > standing.log_size:",
        ),
    )


@mutants("HTTP-28", "counts entries from one")
def entries_from_one() -> None:
    edit(holding, "list_entries", ("first=first, limit", "first=max(0, first - 1), limit"))


@mutants("HTTP-28", "says in a page of entries how many there are on it")
def sizes_of_pages() -> None:
    edit(Inspection, "entries", ('"size": standing.log_size', '"size": len(rows)'))


@mutants("LED-1", "hashes a leaf as it hashes a node")
def leaves_as_nodes() -> None:
    from freehold_protocol import merkle

    edit(merkle, "leaf_hash", ('b"\\x00"', 'b"\\x01"'))


@mutants("LED-18", "puts the first entries only into a bundle")
def short_bundles() -> None:
    edit(ledger, "export", ("limit=standing.log_size", "limit=max(1, standing.log_size - 1)"))


# Streams


@mutants("HTTP-46", "lets a holder listen to a grant that is paused")
def paused_grants_are_heard() -> None:
    edit(Gate, "listen", ("self._check_state(tx, standing, now_us)", "pass"))


@mutants("HTTP-46", "does not hold listeners to the purposes of their links")
def purposes_of_listeners() -> None:
    edit(gate, "_check_heard", ("check_purposes(listener.holder.chain, permission)", "pass"))


@mutants("HTTP-46", "counts a stream as a read")
def streams_use_up_reads() -> None:
    from freehold_node.allowance import check_limits

    gate.check_limits = check_limits
    edit(
        gate,
        "_check_heard",
        (
            "check_purposes(listener.holder.chain, permission)",
            "check_limits(reader, standing, permission, 2**50)",
        ),
    )


@mutants("HTTP-46", "does not count who was refused to listen")
def refused_listeners() -> None:
    edit(Gate, "listen", ("self._refuse(tx, holder, version, refusal, permission, now_us)", "pass"))


@mutants("HTTP-47", "writes events without the space")
def events_without_space() -> None:
    from freehold_node.api import listening

    edit(listening, "to_wire", ("event: %b", "event:%b"))


@mutants("HTTP-51", "makes ids that can be read")
def open_ids() -> None:
    edit(
        streams._Sealing,
        "seal",
        (
            "seal(self._key, plain, bound=self._bound, nonce=self._random_bytes(NONCE_BYTES))",
            "position_text(position)",
        ),
    )
    edit(
        streams._Sealing,
        "open",
        ("plain = open_sealed(self._key, text, bound=self._bound)", "plain = position_of(text)"),
    )
    streams.position_text = lambda position: base64url_encode(position.to_bytes(8, "big"))

    def position_of(text: str) -> bytes | None:
        import base64

        try:
            data = base64.urlsafe_b64decode(text + "=")
        except ValueError:
            return None
        return data if len(data) == 8 else None

    streams.position_of = position_of


@mutants("HTTP-51", "gives two events of one position the same id")
def same_ids() -> None:
    edit(streams._Sealing, "seal", (", nonce=self._random_bytes(NONCE_BYTES)", ""))


@mutants("HTTP-51", "begins every stream anew")
def streams_begin_anew() -> None:
    edit(
        streams.Streams,
        "_look_in",
        ("None if last_id is None else sealing.open(last_id, newest=newest)", "None"),
    )


@mutants("HTTP-52", "says nothing when a stream opens")
def streams_open_silently() -> None:
    edit(
        streams.Streams,
        "_look_in",
        (
            'said.append(Event(kind="ready" if last_id is None else "reset", id=sealing.seal(position)))',
            "pass",
        ),
    )


@mutants("HTTP-54", "counts the streams of all holders of a grant together")
def four_streams_for_all() -> None:
    limits.MAX_GRANT_STREAMS = 4


@mutants("HTTP-64", "lets a stream go on when the capability has expired")
def streams_outlive_capabilities() -> None:
    edit(
        Gate,
        "listen",
        (
            "min(holder.chain.expires_s, now_us // _US + limits.EVENT_STREAM_S)",
            "(now_us // _US + limits.EVENT_STREAM_S)",
        ),
    )
    edit(threshold.Threshold, "_check_as_seen", ("holder.chain.check_now(now_us // _US)", "pass"))


@mutants("HTTP-64", "lets a partner go on listening to a permission that is its no more")
def partners_go_on_listening() -> None:
    edit(Gate, "still_listens", ("_check_heard(reader, standing, version, listener)", "pass"))
