"""Faults in what comes before and around reading: requests, decisions, changes, keys, moves and records."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from freehold_node import (
    changes,
    drafts,
    inbox,
    inspection,
    known_keys,
    ledger,
    origins,
    records,
    relations,
    resolver,
    revocations,
    rotation,
    vendor_keys,
)
from freehold_node.api import asking, operation
from freehold_node.person_keys import PersonKeys
from freehold_node.store.sql import SqlReader, SqlTransactor
from freehold_protocol import (
    contexts,
    did_document,
    form,
    grant,
    limits,
    permission,
    purpose,
    record,
    request,
)
from freehold_protocol.errors import ConflictError, PreconditionError
from mutant import Mutants, everywhere, nothing, wrap

mutants = Mutants()


async def nothing_async(*_: Any, **__: Any) -> None:
    """Check nothing."""


# Requests


@mutants("REQ-6", "takes fields that no context defines")
def undefined_fields() -> None:
    permission.is_term = lambda _: True  # type: ignore[assignment]


@mutants("REQ-6", "takes wildcards for fields")
def wildcard_fields() -> None:
    old = permission.field_path
    everywhere(old, lambda value: value if value == "*" else old(value))


@mutants("REQ-2", "takes names of permissions that stand in paths already")
def reserved_names() -> None:
    permission.RESERVED = frozenset()  # type: ignore[misc]


@mutants("REQ-3", "takes a month where a permission says no retention")
def retention_by_default() -> None:
    def read(old: Any, value: Any) -> Any:
        if isinstance(value, dict) and "retention" not in value:
            value = {**value, "retention": "P30D"}
        return old(value)

    old = permission.Permission.from_dict
    permission.Permission.from_dict = lambda value: read(old, value)  # type: ignore[method-assign,assignment]


@mutants("REQ-13", "takes a request of any age")
def old_requests() -> None:
    def check(old: Any, asked: Any, *, now_s: int) -> None:
        old(dataclasses.replace(asked, created_s=now_s), now_s=now_s)

    wrap(request.Request, "check_times", check)


@mutants("REQ-14", "lets a grant be asked for for a hundred years")
def endless_requests() -> None:
    limits.MAX_GRANT_DAYS = 36_600  # type: ignore[misc]


@mutants("REQ-15", "takes time zones that it does not know")
def unknown_zones() -> None:
    everywhere(drafts.check_zones, nothing)


@mutants("REQ-12", "takes a proof by whatever key it names")
def proof_by_anybody() -> None:
    request.Request._own = lambda _, method: method  # type: ignore[method-assign]


@mutants("REQ-16", "shows a code of the request's id")
def code_of_the_id() -> None:
    wrap(request, "matching_code", lambda old, cid: old(cid[:20]))


@mutants("REQ-5", "takes a request for records of the protocol's own types")
def records_of_the_protocol() -> None:
    permission._NEVER_A_RECORD = frozenset()  # type: ignore[misc]


@mutants("REQ-8", "takes a condition for a number where it is a text of digits")
def conditions_as_texts() -> None:
    old = permission.read_where

    def read(value: Any) -> Any:
        return tuple(
            (path, str(wanted) if isinstance(wanted, int) else wanted) for path, wanted in old(value)
        )

    everywhere(old, read)


@mutants("ENC-13", "passes over members that it does not know")
def members_passed_over() -> None:
    def check(old: Any, document: Any, *, required: Any, optional: Any = ()) -> Any:
        if isinstance(document, dict):
            known = {name: value for name, value in document.items() if name in (*required, *optional)}
            old(known, required=required, optional=optional)
            return known
        return old(document, required=required, optional=optional)

    wrap(form, "check_members", check)


@mutants("ENC-10", "takes texts with characters that cannot be seen")
def unseen_characters() -> None:
    form._is_unseen = lambda _: False  # type: ignore[assignment]


@mutants("ENC-15", "takes one for true")
def one_for_true() -> None:
    old = form.boolean
    everywhere(old, lambda value, what: bool(value) if value in (0, 1) else old(value, what))


@mutants("LIM-1", "takes 100 permissions")
def many_permissions() -> None:
    limits.MAX_PERMISSIONS = 100  # type: ignore[misc]


@mutants("VOC-19", "takes every name with the prefix of DPV for a purpose")
def any_purpose() -> None:
    everywhere(purpose.is_known, lambda text: text.startswith("dpv:"))


# Asking


@mutants("HTTP-15", "lets an invitation be used again")
def invitations_without_end() -> None:
    def look(old: Any, reader: Any, owner: str, id_: str) -> Any:
        found = old(reader, owner, id_)
        return found and dataclasses.replace(found, request=None)

    wrap(SqlReader, "invitation", look)
    wrap(SqlTransactor, "use_invitation", lambda old, *args: old(*args) or True)


@mutants("HTTP-15", "tells a broken request at a used invitation that it is broken")
def used_invitations_talk() -> None:
    async def receive(old: Any, box: Any, invitation: str, document: Any) -> Any:
        request.Request.from_dict(document)
        return await old(box, invitation, document)

    wrap(inbox.Inbox, "receive", receive)


@mutants("HTTP-20", "tells everybody how a request stands")
def requests_for_everybody() -> None:
    inbox.Inbox.check_asked = nothing_async  # type: ignore[method-assign]


@mutants("HTTP-20", "lets who waits for the decision wait until the end")
def nobody_is_woken() -> None:
    inbox.Inbox.wake = nothing  # type: ignore[method-assign]


@mutants("HTTP-20", "does not wait")
def no_waiting() -> None:
    async def follow(old: Any, box: Any, request_id: str, *, wait_s: float, **more: Any) -> Any:
        return await old(box, request_id, wait_s=0, **more)

    wrap(inbox.Inbox, "follow", follow)


@mutants("HTTP-19", "has the same keys in all relationships")
def one_pair_of_keys() -> None:
    unknown = "00000000-0000-4000-8000-000000000000"
    wrap(PersonKeys, "of", lambda old, keys, _, key_epoch: old(keys, unknown, key_epoch))


@mutants("HTTP-20", "keeps the person's reason to itself")
def reasons_are_kept() -> None:
    async def told(old: Any, call: Any, row: Any, signer: Any) -> Any:
        return await old(call, dataclasses.replace(row, reason=None), signer)

    wrap(asking, "_told", told)


# What is given


@mutants("GRA-5", "grants what was not asked")
def more_than_asked() -> None:
    everywhere(grant.check_asked, nothing)


def _within(replaced: Callable[[Any, Any], dict[str, Any]], of: Any) -> None:
    wrap(of, "within", lambda old, one, other: old(dataclasses.replace(one, **replaced(one, other)), other))


@mutants("GRA-10", "does not compare recipients")
def recipients_widened() -> None:
    _within(lambda one, _: {"recipients": ()}, permission.Permission)


@mutants("GRA-10", "does not compare how long is kept")
def retention_widened() -> None:
    _within(lambda one, other: {"retention": other.retention}, permission.Permission)


@mutants("GRA-10", "takes a purpose below one that was asked for as asked")
def purposes_by_vocabulary() -> None:
    def purposes(one: Any, other: Any) -> dict[str, Any]:
        kept = [
            each for each in one.purposes if not any(purpose.covers(wide, each) for wide in other.purposes)
        ]
        return {"purposes": tuple(kept)}

    _within(purposes, permission.Permission)


@mutants("GRA-10", "does not compare conditions")
def conditions_widened() -> None:
    _within(lambda one, other: {"where": other.where}, permission.Item)


@mutants("GRA-10", "does not tell true from 1 in conditions")
def one_within_true() -> None:
    everywhere(permission._conditions, lambda where: set(where))


@mutants("GRA-10", "does not compare whether new records are included")
def new_records_widened() -> None:
    _within(lambda one, _: {"new_records": False}, permission.Item)


@mutants("GRA-10", "does not compare whom an item is about")
def about_widened() -> None:
    _within(lambda one, other: {"about": other.about}, permission.Item)


@mutants("GRA-10", "puts the fields of all items of a permission together")
def fields_of_all_items() -> None:
    def within(old: Any, one: Any, other: Any) -> bool:
        fields = tuple(path for item in other.items for path in item.fields)
        wide = tuple(dataclasses.replace(item, fields=fields) for item in other.items)
        return bool(old(one, dataclasses.replace(other, items=wide)))

    wrap(permission.Permission, "within", within)


@mutants("GRA-10", "compares the reads of a rate and not its window")
def rates_without_windows() -> None:
    everywhere(permission._slower, lambda rate, other: rate[0] <= other[0])


@mutants("GRA-10", "takes more reads over a longer window for fewer")
def rates_on_average() -> None:
    everywhere(permission._slower, lambda rate, other: rate[0] * other[1] <= other[0] * rate[1])


@mutants("GRA-10", "does not compare time zones")
def zones_widened() -> None:
    _within(lambda one, other: {"time_zone": other.time_zone}, permission.Hours)


@mutants("GRA-10", "does not compare when hours end")
def later_hours() -> None:
    _within(lambda one, other: {"to_minute": min(one.to_minute, other.to_minute)}, permission.Hours)


@mutants("GRA-10", "takes no number of reads for a smaller one")
def reads_widened() -> None:
    def reads(one: Any, other: Any) -> dict[str, Any]:
        return {"reads": other.reads if one.reads is None else one.reads}

    _within(reads, permission.Limits)


@mutants("GRA-9", "lets a narrowing end later")
def a_later_end() -> None:
    old = grant.narrows

    def narrows(later: Any, earlier: Any) -> bool:
        return bool(
            old(dataclasses.replace(later, expires_s=min(later.expires_s, earlier.expires_s)), earlier)
        )

    everywhere(old, narrows)


@mutants("GRA-14", "selects the records anew at every change")
def pins_at_every_change() -> None:
    old = changes._pins
    everywhere(old, lambda tx, owner, version, *, before: old(tx, owner, version, before=None))


# Life


def _rule(change: str, **members: Any) -> None:
    grant.TRANSITIONS[change] = dataclasses.replace(grant.TRANSITIONS[change], **members)  # type: ignore[index]


@mutants("GRA-7", "resumes what has ended")
def the_end_is_not_final() -> None:
    _rule("resume", before=("paused", "ended"))


@mutants("GRA-6", "cannot narrow what is paused")
def paused_is_not_narrowed() -> None:
    _rule("narrow", before=("live",))


@mutants("GRA-6", "makes a grant live by widening it")
def widening_resumes() -> None:
    _rule("widen", after="live")


@mutants("GRA-8", "signs a widening by the serving key")
def the_server_widens() -> None:
    _rule("widen", signer="serving")


@mutants("GRA-8", "signs a resumption by the serving key")
def the_server_resumes() -> None:
    _rule("resume", signer="serving")


@mutants("HTTP-44", "resumes without the passphrase")
def resumed_without_a_word() -> None:
    _rule("resume", fresh=False)


@mutants("HTTP-44", "asks for the passphrase before it takes away")
def a_passphrase_to_end() -> None:
    _rule("end", fresh=True)


@mutants("HTTP-44", "takes any passphrase where one is given")
def any_passphrase() -> None:
    everywhere(operation.check_passphrase, nothing_async)


@mutants("GRA-12", "uses one nonce for all versions")
def one_nonce() -> None:
    wrap(
        grant.Grant,
        "changed",
        lambda old, one, change, **more: old(one, change, **(more | {"nonce": one.document["nonce"]})),
    )


@mutants("GRA-13", "leaves the epoch as it is when the grant changes")
def the_epoch_stays() -> None:
    def change(old: Any, tx: Any, standing: Any, **more: Any) -> None:
        old(tx, standing._replace(epoch=standing.epoch - 1), **more)

    wrap(SqlTransactor, "change_grant", change)


@mutants("GRA-12", "writes no entry of a narrowing")
def narrowings_without_entries() -> None:
    def append(old: Any, *args: Any, **more: Any) -> Any:
        return None if more.get("change") == "narrow" else old(*args, **more)

    wrap(ledger, "append_changed", append)


@mutants("GRA-3", "signs another document than was seen")
def another_document() -> None:
    def sign(old: Any, draft: Any, *keys: Any) -> Any:
        other = {**draft.document, "nonce": draft.document["nonce"][::-1]}
        return old(dataclasses.replace(draft, document=other), *keys)

    wrap(grant.Grant, "signed", sign)


@mutants("HTTP-43", "carries out a draft on a version that is past")
def drafts_of_before() -> None:
    def commit(old: Any, tx: Any, standing: Any, draft: Any, **more: Any) -> Any:
        before = changes.standing_grant(tx, standing)
        now: dict[str, Any] = {"version": before.version + 1, "previous": before.cid}
        again = dataclasses.replace(draft, document={**draft.document, **now}, **now)
        return old(tx, standing, again, **more)

    wrap(changes, "commit_change", commit)


@mutants("HTTP-43", "does not look whose draft it is")
def drafts_of_others() -> None:
    def seen(old: Any, tx: Any, owner: str, *, subject: str, digest: str, now_us: int) -> Any:
        row = tx.draft(owner, digest)
        return old(tx, owner, subject=row.subject if row else subject, digest=digest, now_us=now_us)

    wrap(drafts, "seen_draft", seen)


@mutants("GRA-20", "shows what is over as it was, until somebody reads")
def nothing_expires_by_itself() -> None:
    async def tick(_: Any) -> int:
        return 0

    relations.Relations.tick = tick  # type: ignore[method-assign]


# Taking back


@mutants("GRA-24", "leaves requests waiting when everything of a vendor is taken back")
def waiting_goes_on() -> None:
    revocations.Revocations._refuse_waiting = lambda *_, **__: ()  # type: ignore[method-assign]


@mutants("GRA-24", "leaves invitations open when everything is taken back")
def invitations_stay() -> None:
    SqlTransactor.close_invitations = nothing  # type: ignore[method-assign]


@mutants("GRA-24", "leaves what is paused when everything is taken back")
def paused_is_left() -> None:
    revocations._STANDING = ("live",)  # type: ignore[misc]


@mutants("HTTP-27", "revokes by the id of a capability")
def renounced_by_id() -> None:
    async def renounce(_: Any, ledgers: Any, grant_id: str, chain: Any) -> Any:
        return await ledgers.capability(grant_id, chain.ids[-1])

    wrap(revocations.Revocations, "renounce", renounce)


@mutants("GRA-23", "ends the grant when one permission of several is taken back")
def one_for_all() -> None:
    async def permission_(old: Any, held: Any, grant_id: str, name: str, **more: Any) -> Any:
        def write(tx: Any) -> str:
            return str(held._take_back(tx, held._standing(tx, grant_id), "end"))

        return await held._store.write(write)

    wrap(revocations.Revocations, "permission", permission_)


# Holders


@mutants("HTTP-22", "gives the version that is held already once more")
def versions_again() -> None:
    async def receipt(old: Any, shown: Any, grant_id: str, *, after: int = 0) -> Any:
        return await old(shown, grant_id, after=max(0, after - 1))

    wrap(inspection.Inspection, "receipt", receipt)


@mutants("HTTP-22", "never says that more versions follow, and gives them all")
def everything_at_once() -> None:
    async def receipt(old: Any, shown: Any, grant_id: str, *, after: int = 0) -> Any:
        part, _ = await old(shown, grant_id, after=after)
        return dataclasses.replace(part, versions=part.versions[-1:]), False

    wrap(inspection.Inspection, "receipt", receipt)


@mutants("HTTP-24", "issues capabilities for a month")
def a_month() -> None:
    limits.CAPABILITY_DAYS = 30  # type: ignore[misc]


# Keys


@mutants("ROT-2", "signs a change of keys by the old key alone")
def one_proof() -> None:
    old = changes._signers
    everywhere(old, lambda standing, change, keys: old(standing, change, keys)[:1])


@mutants("ROT-1", "keeps the serving key when keys are changed")
def the_serving_key_stays() -> None:
    def draft(old: Any, standing: Any, version: Any, *, keys: Any, nonce: str, now_us: int) -> Any:
        coming = keys.of(standing.relationship, standing.key_epoch + 1)
        both = coming.decision.public, version.serving_key
        return version.changed("rotate", nonce=nonce, created_s=now_us // 1_000_000, keys=both)

    wrap(rotation, "draft_rotation", draft)
    everywhere(grant._check_rotated, nothing)


@mutants("ROT-8", "leaves statements by the old key when keys are changed")
def statements_of_before() -> None:
    everywhere(rotation._say_again, nothing)


@mutants("ROT-6", "changes keys without the passphrase")
def rotated_without_a_word() -> None:
    _rule("rotate", fresh=False)


# Moving


@mutants("MOV-5", "gives a grant as many origins as are stated")
def many_origins() -> None:
    origins.MAX_ORIGINS = 100  # type: ignore[misc]


@mutants("MOV-9", "writes no entry of a move")
def moves_without_entries() -> None:
    origins.append_changed = nothing  # type: ignore[assignment]


@mutants("MOV-9", "states again what a grant has already")
def stated_again() -> None:
    origins.origins_of = lambda standing, version: tuple(standing.moved.split()[1:])  # type: ignore[assignment]


# Domains


@mutants("IDN-19", "takes any status of a document for a good one")
def any_status() -> None:
    async def read(old: Any, response: Any) -> bytes:
        return bytes(await response.content.read(limits.MAX_DID_DOCUMENT_BYTES))

    wrap(resolver, "_read", read)


@mutants("IDN-20", "asks a host again that has just failed")
def no_pause() -> None:
    resolver.Resolver._pause = nothing  # type: ignore[method-assign]


@mutants("IDN-20", "answers at once where a document cannot be had")
def failures_in_their_own_time() -> None:
    class Hurried:
        def __getattr__(self, name: str) -> Any:
            import asyncio

            return nothing_async if name == "sleep" else getattr(asyncio, name)

    resolver.asyncio = Hurried()  # type: ignore[assignment]


@mutants("IDN-15", "does not look whose document it is")
def documents_of_others() -> None:
    old = did_document.DidDocument.from_dict

    def read(document: Any, did: str) -> Any:
        return old({**document, "id": did} if isinstance(document, dict) else document, did)

    did_document.DidDocument.from_dict = read  # type: ignore[method-assign,assignment]


@mutants("IDN-18", "takes a key for whatever it is used for")
def keys_for_everything() -> None:
    def key(old: Any, keys: Any, method: str, *, use: Any) -> Any:
        for one in did_document.USES:
            if "#" + method.partition("#")[2] in keys.uses[one]:
                return old(keys, method, use=one)
        return old(keys, method, use=use)

    wrap(did_document.DidKeys, "key", key)


@mutants("IDN-23", "does not ask the person about other keys")
def other_keys_are_taken() -> None:
    vendor_keys.VendorKeys.compare = nothing_async  # type: ignore[method-assign]


@mutants("GRA-27", "resumes a grant whose vendor has keys that were not accepted")
def resumed_with_other_keys() -> None:
    everywhere(known_keys.check_accepted, nothing)


@mutants("IDN-24", "accepts whatever keys are offered by now")
def whatever_is_offered() -> None:
    offered: list[str] = []

    def digest(old: Any, text: str) -> str:
        offered.append(str(old(text)))
        return offered[0]

    wrap(vendor_keys, "_digest", digest)


# Records


@mutants("REC-5", "drops what content says of its keeping")
def keeping_is_dropped() -> None:
    records.KEEPING = frozenset()  # type: ignore[misc]


@mutants("VOC-6", "keeps terms that no context defines")
def undefined_terms() -> None:
    everywhere(contexts.check_terms, nothing)


@mutants("REC-7", "writes an edit over what was written meanwhile")
def last_edit_wins() -> None:
    async def edit(old: Any, kept: Any, record_id: str, content: Any, *, previous: str, **more: Any) -> Any:
        while True:  # however the edits fall: one that lost the race goes again
            row = await kept._store.read(lambda reader: reader.record(kept._owner, record_id))
            try:
                return await old(kept, record_id, content, previous=row.cid if row else previous, **more)
            except PreconditionError:
                raise
            except ConflictError:
                continue

    wrap(records.Records, "edit", edit)


@mutants("REC-1", "begins every version of a record anew")
def no_previous() -> None:
    wrap(record, "sign_record", lambda old, *args, **more: old(*args, **(more | {"previous": None})))


@mutants("REC-9", "leaves views as they are when a record is deleted")
def deletions_untold() -> None:
    relations.Relations.record_goes = nothing  # type: ignore[method-assign]


@mutants("REC-2", "signs records of any size")
def records_of_any_size() -> None:
    limits.MAX_DOCUMENT_BYTES = 2**22  # type: ignore[misc]
