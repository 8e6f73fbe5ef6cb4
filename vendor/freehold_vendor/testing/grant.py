"""One pretended grant: its versions, signed by real keys, and what the node keeps beside them.

Spec: specs/grants.md
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from freehold_protocol import limits
from freehold_protocol.canonical import jcs
from freehold_protocol.capability import Capability, delegate
from freehold_protocol.encoding import base64url_encode
from freehold_protocol.entry import Changed, Refused
from freehold_protocol.errors import (
    EndedError,
    GrantExpiredError,
    MalformedError,
    NotYetError,
    PausedError,
    TransitionError,
)
from freehold_protocol.grant import TRANSITIONS, Change, Grant, check_asked, narrows
from freehold_protocol.keys import PublicKey, RelationshipKeys
from freehold_protocol.permission import Item, Permission
from freehold_protocol.receipt import Receipt
from freehold_protocol.released import project
from freehold_protocol.request import Request

from .events import PretendEvents
from .ledger import PretendLedger
from .records import PretendRecord, PretendRecords

US = 1_000_000
_HOUR_US = 3_600 * US
_DAY_S = 86_400
_GENERATION = 1
Random = Callable[[int], bytes]
Pins = dict[tuple[str, int], frozenset[str]]


@dataclass(slots=True, kw_only=True)
class Counted:
    """Refusals of one kind in one hour, beyond the first, which has an entry already."""

    refused: Refused
    seen_by: tuple[str, ...]
    more: int = 0


@dataclass(slots=True, kw_only=True)
class SeenLink:
    """A link to a partner that was used: through which partner of the vendor's, and when it was read under it."""

    branch: str
    expires_us: int
    reads: list[int] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class PretendGrant:
    """A grant as its node keeps it.

    Attributes:
        request: What was asked.
        keys: The relationship's.
        versions: Every version, oldest first.
        ledger: What was read and changed.
        epoch: Counts what may alter what is read.
        revoked: Digests of capabilities, and DIDs of partners.
        pins: Which records each item without new records shows.
        reads: When each permission was read, in microseconds.
        links: Those to partners that were used, by their digest.
        cursors: What each cursor means.
        counted: Refusals that are not entries yet, by what they are counted by.
        events: What is told to those who listen.
    """

    request: Request
    keys: RelationshipKeys
    versions: list[Grant]
    ledger: PretendLedger
    random_bytes: Random
    epoch: int = 0
    revoked: set[str] = field(default_factory=set)
    pins: Pins = field(default_factory=dict)
    reads: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    links: dict[str, SeenLink] = field(default_factory=dict)
    cursors: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    counted: dict[tuple[str, str, int], Counted] = field(default_factory=dict)
    events: PretendEvents = field(init=False)

    def __post_init__(self) -> None:
        """Begin with nothing to tell."""
        self.events = PretendEvents(random_bytes=self.random_bytes)

    @property
    def newest(self) -> Grant:
        """The version that stands."""
        return self.versions[-1]

    @property
    def id(self) -> str:
        """The part of its address after ``/g/``."""
        return self.newest.id

    @property
    def receipt(self) -> Receipt:
        """The request and every version."""
        return Receipt(request=self.request, versions=tuple(self.versions))

    # Its life

    def approve(self, records: PretendRecords, now_us: int) -> None:
        """Write down the approval of the first version, and fix what it shows."""
        self.epoch, self.pins = 1, self._pins(records, before=None)
        self.note("approve", now_us)

    def change(
        self,
        change: Change,
        records: PretendRecords,
        now_us: int,
        *,
        permissions: tuple[Permission, ...] | None = None,
        expires_s: int | None = None,
    ) -> None:
        """Make, sign and write down the next version.

        Raises:
            TransitionError: The change is not possible in this state.
            WidenedError: More than was asked, or a narrowing that adds.
            MalformedError: A widening that only narrows.
        """
        before = self.newest
        draft = before.changed(
            change,
            nonce=base64url_encode(self.random_bytes(32)),
            created_s=now_us // US,
            permissions=permissions,
            expires_s=expires_s,
        )
        check_asked(draft, self.request)
        if change == "widen" and narrows(draft, before):
            raise MalformedError("this only narrows the grant")
        if change in ("widen", "resume") and draft.expires_s * US <= now_us:
            raise TransitionError("the grant's time is over")
        by_decision = TRANSITIONS[change].signer == "decision"
        self.versions.append(draft.signed(self.keys.decision if by_decision else self.keys.serving))
        self.epoch += 1
        if self.newest.permissions != before.permissions:
            self.pins = self._pins(records, before=before)
        self.events.note_version(now_us)
        self.note(change, now_us)

    def expire_if_due(self, records: PretendRecords, now_us: int) -> None:
        """End the grant if its time is over."""
        if self.newest.state in ("live", "paused") and now_us >= self.newest.expires_s * US:
            self.change("expire", records, now_us)

    def check_live(self, now_us: int) -> None:
        """Refuse unless the grant is live now.

        Raises:
            PausedError: It is paused.
            EndedError: It has ended.
            GrantExpiredError: Its time is over.
            NotYetError: Its time has not begun.
        """
        grant = self.newest
        if grant.state == "ended":
            raise EndedError("the relationship has ended")
        if grant.state == "expired" or now_us >= grant.expires_s * US:
            raise GrantExpiredError("the grant's time is over")
        if grant.state == "paused":
            raise PausedError("the grant is paused")
        if now_us < grant.not_before_s * US:
            raise NotYetError("the grant's time has not begun")

    # What it shows

    def items_showing(
        self, permission: Permission, record: PretendRecord, records: PretendRecords
    ) -> list[Item]:
        """Return the items of a permission that show a record."""
        return [
            item
            for index, item in enumerate(permission.items)
            if records.selects(item, record)
            and (item.new_records or record.id in self.pins.get((permission.name, index), ()))
        ]

    def views(self, records: PretendRecords) -> dict[str, list[tuple[str, bytes]]]:
        """Return by name what each permission shows, ids as the person knows them: to be compared."""
        return {given.name: list(self._view(given, records)) for given in self.newest.permissions}

    def _view(self, permission: Permission, records: PretendRecords) -> Iterator[tuple[str, bytes]]:
        for record in records:
            items = self.items_showing(permission, record, records)
            if items:
                fields = dict.fromkeys(path for item in items for path in item.fields)
                yield record.id, jcs(project(record.content, fields, alias=str))

    def _pins(self, records: PretendRecords, *, before: Grant | None) -> Pins:
        """Return which records each item without new records shows from now on.

        Spec: specs/grants.md#changes
        """
        pins: Pins = {}
        for permission in self.newest.permissions:
            earlier = before.permission(permission.name) if before is not None else None
            for index, item in enumerate(permission.items):
                if item.new_records:
                    continue
                shown = frozenset(record.id for record in records.matching(item))
                wider = [
                    (place, one)
                    for place, one in enumerate(earlier.items if earlier else ())
                    if item.within(one)
                ]
                if wider and not any(one.new_records for _, one in wider):
                    kept = (self.pins.get((permission.name, place), frozenset()) for place, _ in wider)
                    shown &= frozenset().union(*kept)
                pins[permission.name, index] = shown
        return pins

    # Capabilities

    @property
    def mark(self) -> str:
        """What the first link of every capability carries."""
        return self.keys.generation_tag(_GENERATION)

    def issue(self, capability_id: str, now_us: int) -> Capability:
        """Return a fresh capability for the vendor. Raises as check_live, but for a time that has not begun."""
        grant, now_s = self.newest, now_us // US
        self.check_live(max(now_us, grant.not_before_s * US))
        return delegate(
            self.keys.serving,
            capability_id=capability_id,
            controller=PublicKey.from_did(grant.vendor),
            target=f"{grant.origins[0]}/g/{grant.id}",
            actions=("read",),
            created_s=now_s,
            expires_s=min(grant.expires_s, now_s + limits.CAPABILITY_DAYS * _DAY_S),
            generation=self.mark,
        )

    def revoke(self, revoked: str, now_us: int, *, seen_by: tuple[str, ...]) -> None:
        """Cut off a capability, by its digest, or a partner, by its DID; again does nothing."""
        if revoked not in self.revoked:
            self.revoked.add(revoked)
            self.epoch += 1
            self.note("revoke", now_us, revoked=revoked, seen_by=seen_by)

    # Its ledger

    def note(
        self, change: str, now_us: int, *, revoked: str | None = None, seen_by: tuple[str, ...] = ()
    ) -> None:
        """Write down a change that was made."""
        entry = Changed(
            number=self.ledger.size,
            time_s=self.ledger.time_s(now_us),
            change=change,
            grant=self.newest.cid,
            version=self.newest.version,
            epoch=self.epoch,
            revoked=revoked,
        )
        salt = self.random_bytes(limits.SALT_BYTES)
        self.ledger.append(entry, salt, seen_by=(self.newest.vendor, *seen_by))

    def close_hours(self, now_us: int) -> None:
        """Make an entry of the refusals that were counted in hours now over."""
        for key, counted in sorted(self.counted.items(), key=lambda one: one[0]):
            if key[2] + _HOUR_US > now_us:
                continue
            del self.counted[key]
            if counted.more:
                entry = replace(
                    counted.refused,
                    number=self.ledger.size,
                    time_s=self.ledger.time_s(now_us),
                    count=counted.more,
                )
                salt = self.random_bytes(limits.SALT_BYTES)
                self.ledger.append(entry, salt, seen_by=counted.seen_by)
