"""Faults in asking and deciding: requests, drafts, versions of a grant, and who signs them."""

from __future__ import annotations

from typing import Any

from freehold_node import changes, drafts, inbox
from freehold_node.api.owner import deciding, tending
from freehold_node.inbox import Inbox
from freehold_node.relations import Relations
from freehold_node.store.sql import SqlTransactor
from freehold_protocol import form, grant, permission, purpose, request
from freehold_protocol.grant import TRANSITIONS, Grant
from freehold_protocol.keys import RelationshipKeys
from freehold_protocol.permission import Hours, Item, Limits, Permission
from mutant import Mutants, edit, wrap

mutants = Mutants()


# Requests


def _lax_members(owner: Any, name: str, text: str) -> None:
    edit(owner, name, (text, text.replace("check_members(", "check_lax(")))


def _check_lax(document: Any, *, required: Any, optional: Any = ()) -> Any:
    if isinstance(document, dict):
        document = {name: value for name, value in document.items() if name in (*required, *optional)}
    return form.check_members(document, required=required, optional=optional)


@mutants("REQ-1", "passes over members of a request that it does not know")
def unknown_members_of_requests() -> None:
    form.check_lax = _check_lax
    _lax_members(request.Request, "from_dict", "form.check_members(document,")


@mutants("REQ-1", "passes over members of who asks that it does not know")
def unknown_members_of_vendors() -> None:
    form.check_lax = _check_lax
    _lax_members(request.Request, "from_dict", 'form.check_members(found["assignee"],')


@mutants("REQ-2", "passes over members of a permission that it does not know")
def unknown_members_of_permissions() -> None:
    form.check_lax = _check_lax
    _lax_members(Permission, "from_dict", "form.check_members(")


@mutants("REQ-4", "passes over members of an item that it does not know")
def unknown_members_of_items() -> None:
    form.check_lax = _check_lax
    _lax_members(Item, "from_dict", "form.check_members(")


@mutants("REQ-10", "passes over limits that it does not know")
def unknown_limits() -> None:
    form.check_lax = _check_lax
    edit(Limits, "from_dict", ("form.check_members(value", "form.check_lax(value"))


@mutants("REQ-1", "takes two permissions of one name")
def names_come_twice() -> None:
    edit(
        permission,
        "read_permissions",
        ('form.distinct(tuple(permission.name for permission in found), "permission names")', "pass"),
    )


@mutants("VOC-19", "takes the purpose above all for a purpose")
def the_purpose_above_all() -> None:
    wrap(purpose, "is_known", lambda old, text: text == "dpv:Purpose" or old(text))


@mutants("REQ-6", "lets a vendor ask where records came from, and when")
def keeping_may_be_asked() -> None:
    permission._NEVER_A_FIELD = permission._NEVER_A_FIELD - {"source", "created", "previous"}


@mutants("REQ-6", "takes a field twice")
def fields_come_twice() -> None:
    edit(Item, "from_dict", ('form.distinct(fields, "fields")', "tuple(dict.fromkeys(fields))"))


@mutants("REQ-12", "does not compare the proof's time with the request's")
def proofs_of_another_time() -> None:
    edit(request.Request, "check_signed", ("verified.created_s != self.created_s", "False"))


@mutants("REQ-13", "takes requests from the future")
def future_requests() -> None:
    edit(request.Request, "check_times", ("now_s + limits.CLOCK_SKEW_S", "now_s + _DAY_S"))


@mutants("REQ-14", "takes a request for an end that is past")
def requests_for_the_past() -> None:
    edit(
        request.Request,
        "check_times",
        ("max(now_s, self.created_s) < self.expires_s", "self.created_s < self.expires_s"),
    )


@mutants("REQ-16", "makes the matching code of eight bytes")
def code_of_eight_bytes() -> None:
    edit(request, "matching_code", ("digest[:16]", "digest[:8]"))


@mutants("REQ-16", "shows the person another code than the vendor")
def two_codes() -> None:
    edit(deciding, "request_told", ("matching_code(row.cid)", "matching_code(row.cid.upper())"))


@mutants("ENC-11", "lets a name have lines")
def names_with_lines() -> None:
    edit(form, "text", ('lines and char == "\\n"', 'char == "\\n"'))


@mutants("ENC-9", "takes durations of several parts")
def any_duration() -> None:
    old = form.duration_s

    def read(value: Any, what: str) -> int:
        if isinstance(value, str) and value == "P1DT1H":
            return 90_000
        return old(value, what)

    from mutant import everywhere

    everywhere(old, read)
    form.duration_s = read


@mutants("HTTP-17", "takes the same request again for another")
def the_same_again_is_new() -> None:
    edit(Inbox, "_take_in", ("known is not None and known.cid == request.cid", "False"))


@mutants("HTTP-19", "knows a vendor that asked before under the keys of then")
def one_relationship() -> None:
    edit(
        Inbox, "_add",
        ("id=self._ambient.new_uuid(), vendor=request.vendor", "id=next((one.relationship for one in tx.requests(self._owner) if tx.relationship(self._owner, one.relationship).vendor == request.vendor), self._ambient.new_uuid()), vendor=request.vendor"),
        ("tx.add_relationship(self._owner, relationship, created_us=now_us)", "tx.relationship(self._owner, relationship.id) or tx.add_relationship(self._owner, relationship, created_us=now_us)"),
    )  # fmt: skip


@mutants("HTTP-20", "tells another DID that the request is not its own")
def followers_learn() -> None:
    from freehold_protocol.errors import ControllerError

    inbox.ControllerError = ControllerError
    edit(Inbox, "check_asked", ('raise NotFoundError("nothing here")', 'raise ControllerError("not yours")'))


@mutants("HTTP-20", "hands out a capability with an approval, however the grant stands")
def capabilities_of_stopped_grants() -> None:
    edit(Relations, "issue", ('standing.state == "paused"', "False"), ('standing.state == "ended"', "False"))


# Drafts


@mutants("HTTP-43", "approves the draft that was drawn up last, whichever was seen")
def last_draft() -> None:
    edit(
        drafts, "seen_draft",
        ("row = tx.draft(owner, digest)", "found = tx._execute('SELECT digest FROM draft WHERE owner = ? AND subject = ? ORDER BY created_us DESC LIMIT 1', (owner, subject))\n    digest = found[0][0] if found else digest\n    row = tx.draft(owner, digest)"),
    )  # fmt: skip


@mutants("GRA-3", "makes the digest of a draft without what it permits")
def digests_without_permissions() -> None:
    edit(
        Grant,
        "digest",
        ("without_proof(self.document)", '{**without_proof(self.document), "permission": []}'),
    )


def _fresh(change: str, needed: bool) -> None:
    from dataclasses import replace

    TRANSITIONS[change] = replace(TRANSITIONS[change], fresh=needed)  # type: ignore[index]


@mutants("HTTP-44", "widens without the passphrase")
def widens_without_passphrase() -> None:
    _fresh("widen", needed=False)


@mutants("HTTP-44", "asks for the passphrase to narrow")
def narrows_with_passphrase() -> None:
    _fresh("narrow", needed=True)


@mutants("HTTP-44", "trusts the clock without the passphrase")
def clock_without_passphrase() -> None:
    edit(tending, "confirm_clock", ("await asked.prove()", "pass"))


# What is given


@mutants("GRA-5", "gives for longer than was asked")
def longer_than_asked() -> None:
    edit(grant, "check_asked", ("grant.expires_s > request.expires_s or ", ""))


@mutants("GRA-5", "gives what ends before it begins")
def ends_before_it_begins() -> None:
    edit(grant, "check_asked", (" or grant.not_before_s >= grant.expires_s", ""))


@mutants("GRA-9", "lets a narrowing give a permission more")
def narrowing_gives_permissions() -> None:
    edit(
        permission,
        "all_within",
        (
            "permission.name in by_name and permission.within(by_name[permission.name])",
            "permission.name not in by_name or permission.within(by_name[permission.name])",
        ),
    )


def _within(owner: Any, name: str, before: str, after: str, what: str) -> None:
    """Add a mutant that forgets one part of GRA-10."""

    def apply() -> None:
        edit(owner, "within", (before, after))

    apply.__name__ = name
    mutants("GRA-10", what)(apply)


_within(Item, "narrowing_of_types", "self.type == other.type", "True", "does not compare the types of items")
_within(
    Item, "narrowing_of_fields", "set(self.fields) <= set(other.fields)", "True", "does not compare fields"
)
_within(
    Item, "narrowing_of_field_paths", "set(self.fields) <= set(other.fields)",
    "{path.split('.')[0] for path in self.fields} <= {path.split('.')[0] for path in other.fields}",
    "compares the first terms of paths",
)  # fmt: skip
_within(
    Item, "narrowing_of_conditions_turned", "_conditions(self.where) >= _conditions(other.where)",
    "_conditions(self.where) <= _conditions(other.where)", "takes fewer conditions for a narrowing",
)  # fmt: skip
_within(
    Item, "narrowing_of_conditions_by_path", "_conditions(self.where) >= _conditions(other.where)",
    "{p for p, _ in self.where} >= {p for p, _ in other.where}", "compares the paths of conditions alone",
)  # fmt: skip
_within(
    Permission,
    "narrowing_of_purposes",
    "set(self.purposes) <= set(other.purposes)",
    "True",
    "does not compare purposes",
)
_within(
    Permission, "narrowing_of_retention_as_text", "self.retention_s <= other.retention_s",
    "self.retention <= other.retention", "compares retentions as texts",
)  # fmt: skip
_within(
    Permission, "narrowing_of_one_item", "all(any(item.within(wider)", "any(any(item.within(wider)",
    "is content with one item that narrows",
)  # fmt: skip
_within(
    Limits, "narrowing_of_reads", "self.reads is not None and self.reads <= other.reads", "self.reads is not None",
    "does not compare numbers of reads",
)  # fmt: skip
_within(
    Limits, "narrowing_of_no_rate", "self.rate is not None and _slower", "self.rate is None or _slower",
    "takes no rate for a slower one",
)  # fmt: skip
_within(
    Limits, "narrowing_of_no_hours", "self.hours is not None and self.hours.within",
    "self.hours is None or self.hours.within", "takes no hours for fewer",
)  # fmt: skip
_within(Hours, "narrowing_of_days", "set(self.days) <= set(other.days)", "True", "does not compare days")
_within(
    Hours,
    "narrowing_of_first_hours",
    "other.from_minute <= self.from_minute",
    "True",
    "lets hours begin earlier",
)


@mutants("GRA-10", "compares rates by what they allow in a day")
def narrowing_of_rates_by_day() -> None:
    edit(
        permission,
        "_slower",
        ("rate[0] <= other[0] and rate[1] >= other[1]", "rate[0] / rate[1] <= other[0] / other[1]"),
    )


# Life


def _also_from(change: str, *states: str) -> None:
    from dataclasses import replace

    rule = TRANSITIONS[change]  # type: ignore[index]
    TRANSITIONS[change] = replace(rule, before=(*rule.before, *states))  # type: ignore[index,arg-type]


@mutants("GRA-7", "ends what has ended once more")
def ended_grants_end() -> None:
    _also_from("end", "ended", "expired")


@mutants("GRA-7", "narrows what has ended")
def ended_grants_are_narrowed() -> None:
    _also_from("narrow", "ended", "expired")


@mutants("GRA-7", "widens what has ended")
def ended_grants_are_widened() -> None:
    _also_from("widen", "ended", "expired")


@mutants("GRA-6", "pauses what is paused")
def paused_grants_are_paused() -> None:
    _also_from("pause", "paused")


@mutants("GRA-6", "resumes what is live")
def live_grants_resume() -> None:
    _also_from("resume", "live")


@mutants("GRA-6", "lets a paused grant live when it is narrowed")
def narrowing_resumes() -> None:
    from dataclasses import replace

    TRANSITIONS["narrow"] = replace(TRANSITIONS["narrow"], after="live")
    edit(grant, "narrows", ('alive = later.state == earlier.state or later.state != "live"', "alive = True"))


@mutants("GRA-6", "does not let a paused grant end")
def paused_grants_do_not_end() -> None:
    from dataclasses import replace

    TRANSITIONS["end"] = replace(TRANSITIONS["end"], before=("live",))


def _signed_by(change: str, signer: str) -> None:
    from dataclasses import replace

    TRANSITIONS[change] = replace(TRANSITIONS[change], signer=signer)  # type: ignore[index,arg-type]


@mutants("GRA-4", "approves by the serving key")
def approved_by_the_serving_key() -> None:
    edit(Inbox, "approve", ("relationship.key_epoch).decision", "relationship.key_epoch).serving"))


@mutants("GRA-12", "leaves out a number now and then")
def numbers_are_left_out() -> None:
    edit(Grant, "changed", ("self.version + 1", "self.version + 2"))


@mutants("GRA-12", "names as the version before the request")
def previous_is_the_request() -> None:
    edit(Grant, "changed", ('"previous": self.cid', '"previous": self.request'))
    edit(changes, "commit_change", ("draft.previous != before.cid", "False"))


@mutants("GRA-12", "makes the CID of the version before without its proof")
def previous_without_proof() -> None:
    grant.cid_without_proof = lambda document: grant.document_cid(grant.without_proof(document))
    edit(Grant, "changed", ('"previous": self.cid', '"previous": cid_without_proof(self.document)'))
    edit(changes, "commit_change", ("draft.previous != before.cid", "False"))


@mutants("GRA-1", "begins a grant when it changes")
def beginnings_move() -> None:
    edit(
        Grant,
        "changed",
        (
            '"created": format_time(created_s),',
            '"created": format_time(created_s), "notBefore": format_time(created_s),',
        ),
    )
    grant._FIXED = tuple(name for name in grant._FIXED if name != "notBefore")


@mutants("GRA-6", "leaves the state as it is when a grant ends")
def states_lag() -> None:
    edit(
        SqlTransactor,
        "change_grant",
        ("(s.version, s.epoch, s.state,", "(s.version, s.epoch, 'live' if s.state == 'paused' else s.state,"),
    )


# Changes of keys


@mutants("ROT-2", "changes keys by the new decision key first")
def rotated_in_another_order() -> None:
    edit(
        changes,
        "_signers",
        (
            "return own.decision, keys.of(standing.relationship, standing.key_epoch + 1).decision",
            "return keys.of(standing.relationship, standing.key_epoch + 1).decision, own.decision",
        ),
    )


@mutants("IDN-7", "knows records by other ids when the keys have changed")
def aliases_change() -> None:
    edit(RelationshipKeys, "derive", ('of("alias", 0)', 'of("alias")'))


@mutants("ROT-9", "goes on taking capabilities of keys that were given up")
def old_capabilities() -> None:
    from freehold_node.threshold import Threshold

    edit(
        Threshold, "_check_holder",
        ("holder.root_key != self._keys.of(standing.relationship, standing.key_epoch).serving.public", "False"),
        ("chain.generation != self._keys.generation_tag(standing.relationship, standing.key_epoch)", "chain.generation not in [self._keys.generation_tag(standing.relationship, epoch) for epoch in range(standing.key_epoch + 1)]"),
    )  # fmt: skip


@mutants("ROT-9", "tells a holder of before nothing")
def old_holders_are_strangers() -> None:
    from freehold_node import reach
    from mutant import everywhere

    everywhere(reach.root_key_of, lambda leaf, standing, version, keys: version.serving_key)


@mutants("ROT-15", "goes on signing what is shown with the first serving key")
def old_serving_key() -> None:
    from freehold_node.gate import Gate

    edit(Gate, "_show", ("standing.key_epoch", "0"))
