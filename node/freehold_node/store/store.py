"""The store: what the rest of the node may ask of a database.

Work is handed in as a plain function of a reader or a transactor, and runs where the store sees fit: so an
embedded database with one writer and a hosted one with many connections serve the same code. A read sees one
snapshot. A write is all or nothing, and when ``write`` returns it is durable.

``Reader`` has no method that writes, so code that is given one cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, TypeVar

from .looking import Looking
from .rows import (
    DraftRow,
    EntryRow,
    EventRow,
    InvitationRow,
    KeysRow,
    LinkRow,
    LogHead,
    OwnerRow,
    PasskeyRow,
    RecordRow,
    RefusalRow,
    RelationshipRow,
    RequestRow,
    SessionRow,
    Standing,
    VersionRow,
)
from .sought import StoreSize

T = TypeVar("T")
Pins = Mapping[tuple[str, int], frozenset[str]]
"""(permission name, index of the item in it) to the ids of the records it shows."""


class Reader(Looking, Protocol):
    """One snapshot. Everything but routes and node settings belongs to an owner, named first."""

    def setting(self, name: str) -> str | None:
        """Return a setting of the whole node."""

    def owners(self) -> list[str]:
        """Return every owner."""

    def owner_of(self, kind: str, id_: str) -> str | None:
        """Return whose grant, request or invitation this is; never changes, so it may be cached."""

    def owner(self, owner: str) -> OwnerRow | None:
        """Return the owner's row."""

    def standing(self, owner: str, grant: str) -> Standing | None:
        """Return a grant as it stands."""

    def standings(self, owner: str) -> list[Standing]:
        """Return every grant of the owner, newest first."""

    def due(self, owner: str, now_us: int) -> list[Standing]:
        """Return the live and paused grants whose expiry is not after now."""

    def versions(self, owner: str, grant: str, *, after: int = 0) -> list[VersionRow]:
        """Return every version of a grant after one of them, oldest first."""

    def version(self, owner: str, grant: str, version: int) -> VersionRow | None:
        """Return one version of a grant."""

    def pins(self, owner: str, grant: str) -> Pins:
        """Return the records that each item without new records shows."""

    def revoked(self, owner: str, grant: str) -> frozenset[str]:
        """Return every revocation key and controller DID revoked under a grant."""

    def reads(self, owner: str, grant: str, permission: str, since_us: int) -> tuple[int, int]:
        """Return how many reads were admitted under a permission: ever, and since a time."""

    def link(self, owner: str, grant: str, digest: str) -> LinkRow | None:
        """Return a link to a partner."""

    def links(self, owner: str, grant: str) -> list[LinkRow]:
        """Return the links to partners that were used under a grant, in the order they were first seen."""

    def link_count(self, owner: str, grant: str, branch: str, *, now_us: int) -> int:
        """Return how many links that have not expired one of the vendor's own partners leads to."""

    def reads_under(self, owner: str, grant: str, link: str, since_us: int) -> int:
        """Return how many reads ``time_under`` counted after a time."""

    def outcome(self, owner: str, digest: bytes) -> int | None:
        """Return what a message of that nonce led to; None if nothing is known of it."""

    def record(self, owner: str, id_: str) -> RecordRow | None:
        """Return a record's current version."""

    def record_by_source(self, owner: str, source_key: str) -> RecordRow | None:
        """Return the record that came from this part of a source."""

    def record_filled_from(self, owner: str, source_key: str) -> RecordRow | None:
        """Return the record into which this part of a source was put."""

    def is_filled(self, owner: str, id_: str) -> bool:
        """Whether a part of another source was put into a record."""

    def records(
        self, owner: str, *, after: int = 0, limit: int, types: Iterable[str] = ()
    ) -> list[RecordRow]:
        """Return records in order of first appearance.

        Args:
            owner: Whose.
            after: Only those with a greater ``n``.
            limit: How many at most.
            types: Only of these; empty: of all.
        """

    def record_count(self, owner: str) -> int:
        """Return how many records there are."""

    def record_history(self, owner: str, id_: str) -> list[bytes]:
        """Return the earlier versions of a record, newest first."""

    def invitation(self, owner: str, id_: str) -> InvitationRow | None:
        """Return an invitation."""

    def relationship(self, owner: str, id_: str) -> RelationshipRow | None:
        """Return a relationship."""

    def vendor_keys(self, owner: str, relationship: str) -> KeysRow | None:
        """Return the keys of a relationship's vendor; both texts are empty for a did:key."""

    def partner_keys(self, owner: str, grant: str) -> list[KeysRow]:
        """Return the keys of each partner with a DID document that was seen under a grant, by DID."""

    def request(self, owner: str, id_: str) -> RequestRow | None:
        """Return a request."""

    def requests(self, owner: str, *, status: str | None = None) -> list[RequestRow]:
        """Return the requests, of one status or all, newest first."""

    def carried_request(self, owner: str, cid: str) -> RequestRow | None:
        """Return the request of this CID that the person's browser carried."""

    def draft(self, owner: str, digest: str) -> DraftRow | None:
        """Return a draft."""

    def entry(self, owner: str, grant: str, n: int) -> EntryRow | None:
        """Return one ledger entry."""

    def entries(self, owner: str, grant: str, *, first: int = 0, limit: int) -> list[EntryRow]:
        """Return ledger entries in order."""

    def hashes(self, owner: str, grant: str, level: int, first: int, count: int) -> list[bytes]:
        """Return hashes of complete subtrees of a ledger, at level 0 or another multiple of 4."""

    def refusals(self, owner: str, before_us: int) -> list[RefusalRow]:
        """Return the counts of refusals in hours that began before a time."""

    def events(self, owner: str, grant: str) -> list[EventRow]:
        """Return the events kept of a grant, in order: a few of each permission at most."""

    def pinned(self, owner: str, record: str) -> Mapping[str, Pins]:
        """Return, by grant, the items that show this record among others without new records."""

    def statements(self, owner: str, grant: str) -> list[bytes]:
        """Return what the person signed about a grant beside its versions, oldest first."""

    def waiting(self, owner: str) -> int:
        """Return how many requests wait for a decision."""

    def session(self, owner: str, digest: bytes) -> SessionRow | None:
        """Return the session whose cookie has this SHA-256."""

    def sessions(self, owner: str) -> list[SessionRow]:
        """Return every session, the one seen last first."""

    def passkeys(self, owner: str) -> list[PasskeyRow]:
        """Return every passkey, oldest first."""


class Transactor(Reader, Protocol):
    """A unit of work in the writer's transaction."""

    def set_setting(self, name: str, value: str) -> None:
        """Write a setting of the whole node."""

    def add_owner(self, owner: str, *, created_us: int) -> None:
        """Add a person."""

    def set_self(self, owner: str, record: str) -> None:
        """Say which record is about the person; counts as a write to the records."""

    def put_record(self, owner: str, row: RecordRow) -> None:
        """Write a new record, or a new version and keep the one before; ``n`` is given by the store if 0."""

    def set_filled_from(self, owner: str, source_key: str, record: str) -> None:
        """Note into which record a part of a source was put; deleting the record forgets it."""

    def name_record(self, owner: str, id_: str, sought: str) -> None:
        """Fill in what a record is found by; nothing that anyone reads changes."""

    def delete_record(self, owner: str, id_: str) -> None:
        """Delete a record, its earlier versions, and whatever traces of them the store can reach."""

    def add_invitation(self, owner: str, row: InvitationRow) -> None:
        """Add an invitation and its route."""

    def use_invitation(self, owner: str, id_: str, request: str) -> bool:
        """Bind an invitation to the request it was used for; False if it is bound to another."""

    def close_invitations(self, owner: str, *, now_us: int) -> None:
        """Let every invitation that was not used expire."""

    def erase_relationship(self, owner: str, relationship: str) -> list[str]:
        """Erase a relationship, its requests and grants, and all that hangs on them; return the grants there were.

        Their routes go too: whoever held anything is a stranger from then on.
        """

    def add_relationship(self, owner: str, row: RelationshipRow, *, created_us: int) -> None:
        """Add a relationship."""

    def pin_vendor_keys(self, owner: str, relationship: str, keys: str) -> None:
        """Say which keys of a relationship's vendor count; none are offered any more."""

    def offer_vendor_keys(self, owner: str, relationship: str, keys: str) -> None:
        """Keep what the vendor's document lists now, for the person to accept; nothing if empty."""

    def pin_partner_keys(self, owner: str, grant: str, did: str, keys: str, *, seen_us: int) -> None:
        """Say which keys of a partner count under a grant; none are offered any more."""

    def offer_partner_keys(self, owner: str, grant: str, did: str, keys: str) -> None:
        """Keep what a partner's document lists now; as offer_vendor_keys."""

    def add_request(self, owner: str, row: RequestRow) -> None:
        """Add a request and its route."""

    def decide_request(
        self, owner: str, id_: str, *, status: str, decided_us: int, grant: str | None, reason: str | None
    ) -> bool:
        """Record the decision on a waiting request; False if it is not waiting any more."""

    def set_code(self, owner: str, id_: str, digest: bytes, *, until_us: int) -> bool:
        """Say by which code an approval is claimed, in place of the one before; False if there is none to claim."""

    def claim(self, owner: str, id_: str, *, now_us: int) -> bool:
        """Write down that an approval was claimed, and forget its code; False if it was before."""

    def add_draft(self, owner: str, row: DraftRow) -> None:
        """Keep a draft."""

    def drop_drafts(self, owner: str, *, subject: str | None = None, before_us: int | None = None) -> None:
        """Forget the drafts about a subject, or those made before a time."""

    def add_grant(self, standing: Standing, document: bytes) -> None:
        """Add a grant with its first version, and its route."""

    def change_grant(self, standing: Standing, *, change: str, document: bytes) -> None:
        """Write a new version: version, epoch, state, expiry and key epoch are the standing's."""

    def bump_epoch(self, owner: str, grant: str) -> None:
        """Make every view made before this stale."""

    def replace_pins(self, owner: str, grant: str, pins: Pins) -> None:
        """Say anew which records the items of a grant show."""

    def revoke(self, owner: str, grant: str, revoked: str, *, now_us: int) -> bool:
        """Add a revocation key or a controller DID, and bump the epoch; False if it was revoked before."""

    def count_read(self, owner: str, grant: str, permission: str) -> None:
        """Count one admitted read."""

    def use_nonce(self, owner: str, digest: bytes, *, expires_us: int) -> bool:
        """Remember a nonce; False if it was used before."""

    def set_outcome(self, owner: str, digest: bytes, outcome: int) -> None:
        """Write down what the message of a nonce led to: the number of its entry, or the status of a write."""

    def purge_nonces(self, owner: str, *, now_us: int) -> int:
        """Forget nonces that have expired; returns how many."""

    def add_link(self, owner: str, grant: str, row: LinkRow) -> None:
        """Write down a link that is used; nothing if it is known, with its count of reads."""

    def drop_links(self, owner: str, *, before_us: int) -> None:
        """Forget the links that expired before a time, and what was counted under them."""

    def count_under(self, owner: str, grant: str, link: str) -> None:
        """Count one read in the number of those under a link."""

    def time_under(self, owner: str, grant: str, link: str, *, n: int, time_us: int, since_us: int) -> None:
        """Count the read of entry n in the rate of those under a link, and forget those up to since_us."""

    def admit(self, standing: Standing, head: LogHead, *, now_us: int) -> bool:
        """Move the ledger's head if the grant still is what standing says, live and unexpired.

        The one conditional update on which reads and revocations are ordered.
        """

    def move_head(self, standing: Standing, head: LogHead) -> bool:
        """Move the ledger's head, whatever the grant's state; for entries that release nothing."""

    def add_entry(
        self, owner: str, grant: str, row: EntryRow, nodes: Iterable[tuple[int, int, bytes]]
    ) -> None:
        """Write a ledger entry and the (level, index, hash) of subtrees that it completed."""

    def count_refusal(self, owner: str, row: RefusalRow) -> bool:
        """Count a refusal; True if it is the first of its capability, code and hour."""

    def drop_refusal(self, owner: str, row: RefusalRow) -> None:
        """Forget a count that has become an entry."""

    def add_event(self, owner: str, grant: str, *, permission: str | None, due_us: int) -> None:
        """Add an event; its ``n`` is greater than that of every event there has been under the grant."""

    def drop_events(self, owner: str, grant: str, numbers: Iterable[int]) -> None:
        """Forget the events of these numbers."""

    def set_key_epoch(self, owner: str, relationship: str, key_epoch: int) -> None:
        """Say with which keys a relationship goes on; each grant says itself which its version names."""

    def add_statement(self, owner: str, grant: str, document: bytes) -> None:
        """Keep what the person signed about a grant."""

    def add_moved(self, owner: str, grant: str, origins: Iterable[str], document: bytes) -> None:
        """Keep the statement that a grant is invoked at these origins too, and act by it from now on."""

    def replace_moved(
        self, owner: str, grant: str, origins: Iterable[str], statements: Iterable[bytes]
    ) -> None:
        """Say anew at which further origins a grant is invoked, and keep these statements in place of all before."""

    def add_session(self, owner: str, row: SessionRow) -> None:
        """Begin a session."""

    def touch_session(self, owner: str, id_: str, *, seen_us: int, proved_us: int | None = None) -> None:
        """Say when a session was seen last, and when the person last proved in it who they are, if they did now."""

    def drop_proofs(self, owner: str) -> None:
        """Have nothing count as proved in any session."""

    def drop_session(self, owner: str, id_: str) -> None:
        """End a session; nothing if there is none."""

    def drop_sessions(self, owner: str, *, unseen_since_us: int | None = None) -> None:
        """End every session, or those not seen since a time."""

    def put_passkey(self, owner: str, row: PasskeyRow) -> None:
        """Add a passkey, or say what its use made of it."""

    def drop_passkey(self, owner: str, id_: str) -> None:
        """Forget a passkey; nothing if there is none."""

    def log_action(self, owner: str, *, time_us: int, action: str, subject: str) -> None:
        """Write down what the owner did."""


class Store(Protocol):
    """A database with the node's tables, of the newest schema."""

    async def read(self, work: Callable[[Reader], T], *, long: bool = False) -> T:
        """Run work on one snapshot.

        Args:
            work: Must not keep the reader.
            long: Whether it takes time with the number of rows; it then runs beside the event loop.
        """

    async def write(self, work: Callable[[Transactor], T]) -> T:
        """Run work in a transaction, durable when this returns.

        An exception from work undoes the whole unit and is raised here.

        Raises:
            ConflictError: Work added what is there already.
            UnavailableError: The commit failed, or its outcome is not known.
            StorageFullError: There is no room.
        """

    def on_commit(self, tell: Callable[[frozenset[str]], None]) -> None:
        """Have one more function told of commits, and of the grants that each may have touched; often of none.

        Touched is a grant with a new version, epoch, revocation or event. It is told on the event loop of those
        who wrote, before any ``write`` of the same commit returns; of commits that failed too, since nobody knows
        what became of them. It must not raise.
        """

    async def size(self) -> StoreSize:
        """Return what the store takes on the disk."""

    async def close(self) -> None:
        """Finish what was begun, and let go of the database."""
