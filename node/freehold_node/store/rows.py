"""What the store hands out: one frozen value for each kind of row.

Those that every read makes are named tuples, which cost a fifth of a dataclass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from freehold_protocol.grant import State


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerRow:
    """A person; ``records_version`` counts every write to their records."""

    owner: str
    records_version: int
    self_record: str | None


class Standing(NamedTuple):
    """A grant as it stands in one snapshot: all that admission compares, and the head of its ledger.

    ``log_range`` is the ledger's compact range as bytes, ``revocations`` how many there are under the grant;
    times are microseconds; ``key_epoch`` is that of the keys that the version names. ``vendor_keys`` are those a
    did:web vendor is pinned to, as JSON; ``moved`` the origins that moved statements added, separated by spaces.
    """

    owner: str
    grant: str
    relationship: str
    request: str
    version: int
    epoch: int
    state: State
    not_before_us: int
    expires_us: int
    revocations: int
    log_size: int
    log_range: bytes
    log_time_us: int
    read_us: int | None
    vendor: str
    name: str
    key_epoch: int
    records_version: int
    self_record: str | None
    vendor_keys: str = ""
    moved: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRow:
    """A record's current version; ``n`` orders records by first appearance.

    ``sought`` is what it is found and sorted by: what the person calls it, as texts are compared.
    """

    id: str
    n: int
    type: str
    source_key: str | None
    cid: str
    changed_us: int
    document: bytes
    sought: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationRow:
    """An invitation; ``request`` is the one it was used for."""

    id: str
    created_us: int
    expires_us: int
    label: str
    request: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationshipRow:
    """One person and one vendor, under a random id."""

    id: str
    vendor: str
    name: str
    key_epoch: int


class KeysRow(NamedTuple):
    """The keys of a vendor or partner with a DID document, as texts of ``DidKeys``.

    ``pinned`` are those that count, ``offered`` what its document listed since and the person has not accepted;
    empty where there are none. Those of a partner that is offered others count only as far as both list them.
    """

    did: str
    pinned: str
    offered: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestRow:
    """A request in the inbox: ``waiting``, ``approved`` or ``refused``.

    One that the person's browser ``carried`` is told as approved only to who brings the code of this digest, or was
    told already: ``claimed_us``.
    """

    id: str
    relationship: str
    cid: str
    status: str
    received_us: int
    decided_us: int | None
    grant: str | None
    reason: str | None
    document: bytes
    carried: bool = False
    code_digest: bytes | None = None
    code_until_us: int = 0
    claimed_us: int | None = None

    @property
    def is_told(self) -> bool:
        """Whether the vendor is told of the decision by its signature alone."""
        if self.status == "approved":
            return not self.carried or self.claimed_us is not None
        return self.status == "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow:
    """One version of a grant, and the change that made it."""

    version: int
    change: str
    document: bytes


class EntryRow(NamedTuple):
    """One ledger entry; ``seen_by`` lists the DIDs that may see its body, which is None once erased."""

    n: int
    time_us: int
    kind: str
    permission: str | None
    seen_by: tuple[str, ...]
    salt: bytes
    leaf: bytes
    body: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRow:
    """A link to a partner that was used: ``digest`` names it, ``document`` is the capability without its parents.

    ``branch`` is the DID of the partner whom the vendor itself chose; ``reads`` counts those made under the link,
    where a caveat of it limits their number.
    """

    digest: str
    branch: str
    parent: str
    expires_us: int
    seen_us: int
    reads: int
    document: bytes


class LogHead(NamedTuple):
    """The head of a grant's ledger after an append."""

    size: int
    range: bytes
    time_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalRow:
    """Refusals of one capability with one code in one hour, counted since the last entry about them.

    ``capability`` names what is counted by itself: the capability and, after a space, the permission asked for.
    """

    grant: str
    capability: str
    code: str
    hour_us: int
    count: int
    body: bytes


class EventRow(NamedTuple):
    """Something to be told to who listens under a grant, from ``due_us`` on; ``n`` orders a grant's events.

    ``permission`` is the one whose view changed; None: the grant itself has a new version.
    """

    n: int
    permission: str | None
    due_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftRow:
    """Something drawn up for the person to see before deciding; ``subject`` is a request or a grant."""

    digest: str
    subject: str
    change: str
    created_us: int
    document: bytes


class SessionRow(NamedTuple):
    """A browser in which the person is signed in; ``digest`` is the SHA-256 of what its cookie holds.

    ``proved_us`` is when the person last proved who they are with it, 0 for never; ``device`` what it calls itself;
    ``passkey`` the one that opened it, None for another way in.
    """

    id: str
    digest: bytes
    device: str
    created_us: int
    seen_us: int
    proved_us: int
    passkey: str | None


class PasskeyRow(NamedTuple):
    """A passkey: ``name`` is what the person calls it, ``credential`` what is needed to check it."""

    id: str
    name: str
    credential: bytes
    created_us: int
    used_us: int | None
