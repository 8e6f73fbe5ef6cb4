"""What is asked at every door, in the transaction that decides.

A memory of chains and of views tells what can never change. Here is what can: the grant, the clock, revocations, and
whether the very message came before.

Spec: specs/http.md#admission
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from freehold_protocol import limits
from freehold_protocol.did_document import is_web
from freehold_protocol.errors import (
    ControllerError,
    EndedError,
    FreeholdError,
    GrantExpiredError,
    NotFoundError,
    NotSharedError,
    NotYetError,
    PausedError,
    ReplayedError,
    RevokedError,
    StaleSignatureError,
    UnavailableError,
)
from freehold_protocol.grant import Grant
from freehold_protocol.invocation import Invocation, SignedMessage
from freehold_protocol.keys import PublicKey
from freehold_protocol.permission import Permission

from .ambient import Ambient
from .changes import expire
from .holder import Holder
from .known_keys import check_vendor, known_as, no_recipients
from .ledger import note_refusal
from .person_keys import PersonKeys
from .reach import origins_of
from .store.rows import Standing
from .store.store import Reader, Store, Transactor
from .versions import Versions

_US: Final = 1_000_000
_MOST_NOTED: Final = 4096
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """A signed message that was used up.

    ``is_nameless`` says that it has no nonce, so that the same bytes may come again; ``outcome`` is then what the
    first of them led to: the number of its entry, or the status of a write.
    """

    digest: bytes
    is_nameless: bool
    outcome: int | None


class Threshold:
    """What the doors of ``Gate`` have in common."""

    def __init__(
        self, store: Store, keys: PersonKeys, ambient: Ambient, *, owner_key: PublicKey, restored_s: int
    ) -> None:
        """Stand at a store; the arguments are those of ``Gate``."""
        self._store, self._keys, self._ambient = store, keys, ambient
        self._owner_key, self._restored_s = owner_key, restored_s
        self._versions = Versions()
        self._noted: OrderedDict[tuple[str, str, str | None], None] = OrderedDict()

    async def _decided(self, work: Callable[[Transactor], T | FreeholdError]) -> T:
        """Run a decision in the writer; a refusal is an outcome that is committed, then raised."""
        outcome = await self._store.write(work)
        if isinstance(outcome, FreeholdError):
            raise outcome
        return outcome

    def _stands(self, tx: Transactor, holder: Holder) -> tuple[Standing, Grant]:
        standing = tx.standing(holder.owner, holder.grant)
        if standing is None:
            raise NotFoundError("nothing here")
        version = self._versions.standing(tx, standing, committed=False)
        if holder.origin not in origins_of(standing, version):
            raise NotFoundError("nothing here")
        return standing, version

    def _check_holder(self, reader: Reader, standing: Standing, holder: Holder) -> None:
        """Check what no memory of a chain can tell but the clock's part of it.

        That is this request's target and action, the person's keys, the node's generation, and revocation.
        """
        chain, invocation = holder.chain, holder.invocation
        chain.leaf.check_use(target_uri=holder.target_uri, action=invocation.action)
        if holder.root_key != self._keys.of(standing.relationship, standing.key_epoch).serving.public:
            raise RevokedError("the capability was issued under keys that were given up")
        if chain.generation != self._keys.generation_tag(standing.relationship, standing.key_epoch):
            raise RevokedError("the capability is of an earlier generation of this node")
        check_vendor(standing, chain.controllers)
        if standing.revocations:
            revoked = reader.revoked(standing.owner, standing.grant)
            if not revoked.isdisjoint((*chain.digests, *chain.ids, *holder.controllers)):
                raise RevokedError("the capability was revoked")
            if any(map(is_web, revoked)) and revoked & known_as(reader, standing, chain.controllers):
                raise RevokedError("the partner was cut off")

    def _check_as_seen(self, reader: Reader, standing: Standing, holder: Holder, now_us: int) -> None:
        """Check, in a snapshot, all that may have changed about a holder and its grant; commits no expiry."""
        self._check_holder(reader, standing, holder)
        check_live(standing, now_us)
        holder.chain.check_now(now_us // _US)

    def _refuse(
        self,
        tx: Transactor,
        holder: Holder,
        version: Grant,
        refusal: FreeholdError,
        permission: str | None,
        now_us: int,
    ) -> None:
        self._forget(holder, permission)
        # Read again: an expiry may have been committed on the way here.
        standing = tx.standing(holder.owner, holder.grant)
        if standing is not None:
            note_refusal(
                tx,
                standing,
                who=holder.did,
                chain=holder.chain.digests,
                controllers=holder.seen_by,
                known=_is_known(tx, standing, version, holder),
                code=refusal.code,
                permission=permission if permission and version.permission(permission) else None,
                now_us=now_us,
                random_bytes=self._ambient.random_bytes,
            )

    def _use_up(
        self, tx: Transactor, owner: str, message: SignedMessage | Invocation, *, until_least_s: int = 0
    ) -> Spent:
        """Use up a signed message.

        Raises:
            ReplayedError: One with its key and nonce came before. A profile without nonces has none to repeat:
                two honest requests of one second are the same bytes, so the first one's outcome is returned.
            StaleSignatureError: It is past by now.
        """
        if message.nonce is None:
            digest = hashlib.sha256(b"\0" + message.signature_digest).digest()[:16]
        else:
            digest = hashlib.sha256(message.keyid.encode() + b"\0" + message.nonce.encode()).digest()[:16]
        expires_us = max(message.expires_s + limits.CLOCK_SKEW_S, until_least_s) * _US
        # Its nonce may be forgotten by now, if the message was long on its way from being parsed to here.
        if self._ambient.clock.now_us() >= expires_us:
            raise StaleSignatureError("the signature is past")
        fresh = tx.use_nonce(owner, digest, expires_us=expires_us)
        if not fresh and message.nonce is not None:
            raise ReplayedError("this signed request came before")
        self._check_since_restore(message)
        outcome = None if fresh else tx.outcome(owner, digest)
        return Spent(digest=digest, is_nameless=message.nonce is None, outcome=outcome)

    def _check_since_restore(self, message: SignedMessage | Invocation) -> None:
        """Refuse what was signed before a restore: that it came before, the database has forgotten.

        The owner's messages are by a key of this start.
        """
        created_s = message.signature.created or 0
        if created_s <= self._restored_s + limits.CLOCK_SKEW_S and message.keyid != self._owner_key.method:
            raise UnavailableError("the node was restored from a backup: ask again, signed anew, in a minute")

    def _check_state(self, tx: Transactor, standing: Standing, now_us: int) -> None:
        """Refuse unless the grant is live now; an expiry that is due is committed here and now."""
        if standing.state in ("live", "paused") and now_us >= standing.expires_us:
            expire(tx, standing, keys=self._keys, now_us=now_us, ambient=self._ambient)
        check_live(standing, now_us)

    # A partner is looked up, and its links are written down, when a chain is first used for a permission. Whoever is
    # remembered here was admitted, and nothing was refused since.

    def _is_noted(self, holder: Holder, permission: str | None) -> bool:
        return holder.is_vendor or (holder.grant, holder.chain.digests[-1], permission) in self._noted

    def _forget(self, holder: Holder, permission: str | None) -> None:
        self._noted.pop((holder.grant, holder.chain.digests[-1], permission), None)

    def _note(self, holder: Holder, permission: str) -> None:
        if not self._is_noted(holder, permission):
            self._noted[holder.grant, holder.chain.digests[-1], permission] = None
            if len(self._noted) > _MOST_NOTED:
                self._noted.popitem(last=False)


def check_live(standing: Standing, now_us: int) -> None:
    """Refuse unless the grant is live now."""
    if standing.state == "ended":
        raise EndedError("the relationship has ended")
    if standing.state == "expired" or now_us >= standing.expires_us:
        raise GrantExpiredError("the grant's time is over")
    if standing.state == "paused":
        raise PausedError("the grant is paused")
    if now_us < standing.not_before_us:
        raise NotYetError("the grant's time has not begun")


def check_permission(
    reader: Reader, standing: Standing, version: Grant, holder: Holder, name: str
) -> Permission:
    """Return the permission, if the grant gives it and everyone in the chain may have it."""
    permission = version.permission(name)
    if permission is None:
        raise NotSharedError("this permission is not shared")
    if no_recipients(reader, standing, permission.recipients, holder.partners):
        raise ControllerError("a link's controller is not among the permission's recipients")
    return permission


def _is_known(reader: Reader, standing: Standing, version: Grant, holder: Holder) -> bool:
    """Whether a holder is the vendor, or among the recipients of some permission."""
    recipients = {one for given in version.permissions for one in given.recipients}
    return holder.is_vendor or not no_recipients(reader, standing, recipients, holder.partners[-1:])
