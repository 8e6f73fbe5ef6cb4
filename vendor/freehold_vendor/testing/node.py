"""What the node of a pretended person holds, and what the person does with it; ``routes`` is what it answers."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from freehold_protocol import limits
from freehold_protocol.connect import CHALLENGE, CODE, REQUEST
from freehold_protocol.encoding import base64url_encode
from freehold_protocol.errors import DraftChangedError, MalformedError, TransitionError
from freehold_protocol.grant import Change, draft_grant
from freehold_protocol.keys import SEED_BYTES, RelationshipKeys
from freehold_protocol.permission import Permission
from freehold_protocol.request import Request, matching_code

from .clock import PretendClock
from .gate import PretendGate
from .grant import US, PretendGrant, Random
from .ledger import PretendLedger
from .records import PretendRecords, Records
from .streams import PretendStreams

_INVITATION_US: Final = 7 * 86_400 * US


@dataclass(slots=True, kw_only=True)
class Invitation:
    """What a person handed out, until when it is good, and the request that came to it."""

    expires_us: int
    asked: Asked | None = None


@dataclass(slots=True, kw_only=True)
class Asked:
    """A request that came in, and what the person decided."""

    id: str
    request: Request
    keys: RelationshipKeys
    status: str = "waiting"
    reason: str | None = None
    grant: PretendGrant | None = None
    return_code: str = ""
    return_until_us: int = 0
    is_claimed: bool = False

    @property
    def is_told(self) -> bool:
        """Whether an approval is told without a code."""
        return self.request.connect is None or self.is_claimed

    @property
    def code(self) -> str:
        """The code that both screens show."""
        return matching_code(self.request.cid)


class PretendNode:
    """What there is: records, invitations, requests, grants. Whoever uses it holds its ``lock``."""

    def __init__(
        self,
        records: Records,
        clock: PretendClock,
        *,
        origin: str,
        random_bytes: Random,
        asked: Callable[[Asked], None],
    ) -> None:
        """Begin with records and nobody who knows of them; ``asked`` is called with each request that comes."""
        self.clock, self.origin, self.random_bytes, self._on_asked = clock, origin, random_bytes, asked
        self.records = PretendRecords(records, lambda: "urn:uuid:" + self.new_uuid())
        self.lock = threading.RLock()
        self._seed = random_bytes(SEED_BYTES)
        self.invitations: dict[str, Invitation] = {}
        self.asked: dict[str, Asked] = {}
        self.grants: dict[str, PretendGrant] = {}
        self.gate = PretendGate(self.grants, self.records, clock, origin=origin, random_bytes=random_bytes)
        self.streams = PretendStreams(self.gate)

    def new_uuid(self) -> str:
        """Return a random UUID."""
        return str(uuid.UUID(bytes=self.random_bytes(16), version=4))

    def new_token(self) -> str:
        """Return 32 random bytes as base64url."""
        return base64url_encode(self.random_bytes(32))

    @contextmanager
    def acting(self) -> Iterator[None]:
        """Do something for the person, alone; whoever listens is told of it as soon as it is done."""
        with self.lock:
            yield
            self.streams.stir()

    # What the person does

    def invite(self) -> str:
        """Hand out an invitation; return its URL."""
        token = base64url_encode(self.random_bytes(24))
        self.invitations[token] = Invitation(expires_us=self.clock.now_us + _INVITATION_US)
        return f"{self.origin}/i/{token}"

    def take_in(self, request: Request) -> Asked:
        """Keep a request that came; every request makes a new relationship."""
        keys = RelationshipKeys.derive(self._seed, self.new_uuid())
        asked = Asked(id=self.new_uuid(), request=request, keys=keys)
        self.asked[asked.id] = asked
        self._on_asked(asked)
        return asked

    def approve(
        self, asked: Asked, permissions: tuple[Permission, ...], *, expires_s: int, not_before_s: int | None
    ) -> PretendGrant:
        """Grant what the person ticked.

        Raises:
            TransitionError: The request was decided already.
            WidenedError: It is more than was asked.
            MalformedError: It names a time zone that does not exist.
            DraftChangedError: It would end in the past.
        """
        _check_undecided(asked)
        check_zones(permissions)
        now_s = self.clock.now_s()
        draft = draft_grant(
            asked.request,
            grant_id=self.new_uuid(),
            nonce=self.new_token(),
            decision_key=asked.keys.decision.public,
            serving_key=asked.keys.serving.public,
            origins=(self.origin,),
            log="freehold/ledger/" + self.new_token(),
            created_s=now_s,
            not_before_s=now_s if not_before_s is None else not_before_s,
            expires_s=expires_s,
            permissions=permissions,
        )
        if expires_s <= now_s:
            raise DraftChangedError("the end of what would be granted has passed")
        grant = PretendGrant(
            request=asked.request,
            keys=asked.keys,
            versions=[draft.signed(asked.keys.decision)],
            ledger=PretendLedger(draft.log, asked.keys.serving),
            random_bytes=self.random_bytes,
        )
        grant.approve(self.records, self.clock.now_us)
        self.grants[grant.id] = asked.grant = grant
        asked.status = "approved"
        return grant

    def carry(self, request: Request) -> Asked:
        """Take in what a browser carried; the same again is the same.

        Raises:
            MalformedError: It is for an invitation.
            FreeholdError: It does not hold.
        """
        if request.connect is None:
            raise MalformedError("this request is for an invitation, not for a browser to carry")
        for asked in self.asked.values():
            if asked.request.connect is not None and asked.request.cid == request.cid:
                return asked
        request.verify(now_s=self.clock.now_s())
        check_zones(request.permissions)
        return self.take_in(request)

    def send_back(self, asked: Asked) -> str:
        """Return where the browser goes with the decision. Raises TransitionError if there is nothing to go with."""
        connect = asked.request.connect
        if connect is None or asked.status == "waiting" or asked.is_claimed:
            raise TransitionError("there is nothing to go back with")
        back = {REQUEST: f"{self.origin}/requests/{asked.id}", CHALLENGE: connect.challenge}
        if asked.status == "approved":
            back[CODE] = asked.return_code = base64url_encode(self.random_bytes(24))
            asked.return_until_us = self.clock.now_us + limits.RETURN_CODE_S * US
        return connect.return_to + ("&" if "?" in connect.return_to else "?") + urlencode(back)

    def refuse(self, asked: Asked, reason: str | None) -> None:
        """Refuse a request. Raises TransitionError."""
        _check_undecided(asked)
        asked.status, asked.reason = "refused", reason

    def change(
        self,
        grant: PretendGrant,
        change: Change,
        *,
        permissions: tuple[Permission, ...] | None,
        expires_s: int | None,
    ) -> None:
        """Change a grant as the person wants it. Raises as PretendGrant.change, and MalformedError as approve."""
        check_zones(permissions or ())
        now_us = self.clock.now_us
        grant.change(change, self.records, now_us, permissions=permissions, expires_s=expires_s)

    def add_record(self, kind: str, content: Mapping[str, object]) -> str:
        """Add a record; return its id. Raises as PretendRecords.add."""
        with self._telling():
            return self.records.add(kind, content).id

    def edit_record(self, record_id: str | None, members: Mapping[str, object]) -> None:
        """Change members of a record. Raises as PretendRecords.edit."""
        with self._telling():
            self.records.edit(record_id, members)

    def remove_record(self, record_id: str) -> None:
        """Delete a record; the grants that show it tell of it."""
        record = self.records.find(record_id)
        for grant in self._standing():
            if any(grant.items_showing(one, record, self.records) for one in grant.newest.permissions):
                grant.epoch += 1
                grant.note("record-deleted", self.clock.now_us)
        with self._telling():
            self.records.remove(record.id)

    def _standing(self) -> list[PretendGrant]:
        return [one for one in self.grants.values() if one.newest.state in ("live", "paused")]

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Have it told to those who listen which views a change of the records changed."""
        before = [(grant, grant.views(self.records)) for grant in self._standing()]
        yield
        for grant, views in before:
            after = grant.views(self.records)
            if changed := [name for name in sorted(views) if views[name] != after[name]]:
                grant.events.note_views(changed, self.clock.now_us)

    def tick(self) -> None:
        """Do what is due by now: expiries, and the refusals of hours that are over."""
        for grant in self.grants.values():
            grant.close_hours(self.clock.now_us)
            grant.expire_if_due(self.records, self.clock.now_us)


def _check_undecided(asked: Asked) -> None:
    if asked.status != "waiting":
        raise TransitionError(f"the request is {asked.status} already")


def check_zones(permissions: tuple[Permission, ...]) -> None:
    """Refuse hours in a time zone that does not exist. Raises MalformedError."""
    for permission in permissions:
        if permission.limits.hours is not None:
            try:
                ZoneInfo(permission.limits.hours.time_zone)
            except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
                raise MalformedError("no such time zone") from None
