"""The one place that says yes.

A read passes here in this order: who holds what (``Prover.holder``), what it would show (``_look``), and the
durable decision that it may (``_decide``). Until ``_decide`` has committed, no byte of a view leaves; after it,
nothing is asked again.

Spec: specs/http.md#admission
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final

from freehold_protocol import limits
from freehold_protocol.did_document import DidKeys
from freehold_protocol.encoding import base64url_encode
from freehold_protocol.entry import Admitted
from freehold_protocol.errors import (
    ActionError,
    CapabilityError,
    ClockSuspectError,
    ConflictError,
    FreeholdError,
    GrantError,
    NotAuthenticatedError,
    NotFoundError,
    NotSharedError,
)
from freehold_protocol.grant import Grant
from freehold_protocol.invocation import TAG_DID, TAG_OWNER
from freehold_protocol.keys import PublicKey
from freehold_protocol.ledger import query_digest, released_digest

from .allowance import check_caveats, check_limits, check_purposes, count_read, note_links
from .ambient import Ambient
from .holder import Call, Holder, Prover, Signer
from .ledger import entry_time_us, prepare
from .partners import Partners, Unmet, unmet
from .person_keys import PersonKeys
from .reach import origins_of
from .selection import Selection
from .store.rows import Standing
from .store.store import Reader, Store, Transactor
from .threshold import Spent, Threshold, check_permission
from .view import View, Views, make_view

_US: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """A read that may pass, durably: the number of its entry, and the grant and the view that stood then."""

    number: int
    version: Grant
    view: View
    unchanged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One read on its way: who asks, for what, by which route; ``known_etag`` is its ``If-None-Match``."""

    holder: Holder
    selection: Selection
    route: str
    known_etag: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A holder that was let listen, and until when at most; ``permission`` None: to the whole grant."""

    holder: Holder
    permission: str | None
    until_us: int


class Gate(Threshold):
    """Decides on every request that is not open to everyone."""

    def __init__(
        self,
        store: Store,
        keys: PersonKeys,
        ambient: Ambient,
        *,
        origins: tuple[str, ...],
        owner_key: PublicKey,
        views: Views,
        partners: Partners,
        restored_s: int = 0,
    ) -> None:
        """Stand at a store.

        Args:
            store: Holds the grants.
            keys: The person's.
            ambient: Clock and randomness.
            origins: The node's own, at which it can be reached.
            owner_key: The session key by which the owner's own tools sign.
            views: Remembers what was shown; whoever deletes a record empties it.
            partners: Looks up those with a DID document, at first sight.
            restored_s: When the store was taken up after a restore, Unix seconds; 0 if it never was.
        """
        super().__init__(store, keys, ambient, owner_key=owner_key, restored_s=restored_s)
        self._partners, self._views = partners, views
        self._prover = Prover(store, self._versions, ambient.clock, origins=origins, keys=keys)

    # A read

    async def admit(
        self, call: Call, *, grant: str, selection: Selection, route: str, known_etag: str | None = None
    ) -> Admission:
        """Admit one read, or refuse it; either is in the ledger when this returns or raises.

        Args:
            call: The request.
            grant: The id in its path.
            selection: What it asks for.
            route: The template of its path, for the ledger.
            known_etag: ``If-None-Match``.

        Raises:
            MalformedError: And its subclasses.
            SignatureError: And its subclasses.
            CapabilityError: And its subclasses.
            GrantError: And its subclasses.
            NotFoundError: The caller is a stranger here, or no such record is shown.
            UnavailableError: And its subclasses: the decision could not be made durable.
        """
        holder = await self._prover.holder(call, grant=grant)
        if not self._is_noted(holder, selection.permission):
            await self.meet(holder, selection.permission)
        read = Read(holder=holder, selection=selection, route=route, known_etag=known_etag)
        seen = await self._look(read)
        admission = await self._decided(lambda tx: self._decide(tx, read, seen))
        self._views.keep(grant, selection, admission.view)
        self._versions.keep(admission.version)
        self._note(holder, selection.permission)
        return admission

    async def meet(self, holder: Holder, name: str) -> None:
        """Look up, at first sight, partners with a DID document whom a holder's keys may be, for a permission.

        Only a holder that would be let in otherwise is worth it. Nothing is decided here.
        """
        if not holder.is_vendor and (
            who := await self._store.read(partial(self._unmet, holder=holder, name=name))
        ):
            await self._partners.meet(who)

    def _unmet(self, reader: Reader, *, holder: Holder, name: str) -> Unmet | None:
        now_us = self._ambient.clock.now_us()
        standing = reader.standing(holder.owner, holder.grant)
        if standing is None:
            return None
        permission = self._versions.standing(reader, standing, committed=True).permission(name)
        try:
            self._check_as_seen(reader, standing, holder, now_us)
        except (GrantError, CapabilityError):
            return None
        return None if permission is None else unmet(reader, standing, permission, holder.partners)

    async def _look(self, read: Read) -> View | None:
        """Return the view as of some snapshot; None where the decision has to find out why there is none.

        One that was made before is good enough if it is quick to make again: the decision compares it with
        what stands, and makes it anew if it must. A long one is compared here first, beside the writer.
        """
        holder, selection = read.holder, read.selection
        known = self._views.known(holder.grant, selection)
        if known is not None and not known.long:
            return known

        def look(reader: Reader, *, long: bool) -> View | None:
            now_us = self._ambient.clock.now_us()
            standing = reader.standing(holder.owner, holder.grant)
            if standing is None or (known is not None and known.stands(standing)):
                return known
            version = self._versions.standing(reader, standing, committed=True)
            # Who will be refused anyway costs no look at the records.
            self._check_as_seen(reader, standing, holder, now_us)
            permission = check_permission(reader, standing, version, holder, selection.permission)
            if long or not any(item.about == "any" for item in permission.items):
                return self._show(reader, standing, version, selection)
            raise _LongLookError

        try:
            try:
                return await self._store.read(partial(look, long=False))
            except _LongLookError:
                return await self._store.read(partial(look, long=True), long=True)
        except (GrantError, CapabilityError, NotFoundError):
            return None

    def _show(self, reader: Reader, standing: Standing, version: Grant, selection: Selection) -> View:
        keys = self._keys.of(standing.relationship, standing.key_epoch)
        return make_view(reader, standing, version, selection, keys)

    def _decide(self, tx: Transactor, read: Read, seen: View | None) -> Admission | FreeholdError:
        """Decide within the writer's transaction: admit with an entry, or count a refusal."""
        if self._ambient.clock.suspect:
            raise ClockSuspectError("the node's clock jumped; its owner has to confirm it")
        now_us = self._ambient.clock.now_us()
        holder, selection = read.holder, read.selection
        standing, version = self._stands(tx, holder)
        spent = self._use_up(tx, holder.owner, holder.invocation)
        try:
            self._check_holder(tx, standing, holder)
            # A capability ends with its grant at the latest: the grant's end is the reason, and is committed.
            self._check_state(tx, standing, now_us)
            holder.chain.check_now(now_us // _US)
            permission = check_permission(tx, standing, version, holder, selection.permission)
            check_limits(tx, standing, permission, now_us)
            check_caveats(tx, standing, holder.chain, permission, now_us)
            # What was seen may have been narrowed or edited since: then look again, where nothing can change.
            view = seen if seen and seen.stands(standing) else self._show(tx, standing, version, selection)
            if not self._is_noted(holder, selection.permission):
                note_links(tx, standing, holder.chain, now_us)
        except (GrantError, CapabilityError, NotFoundError) as refusal:
            self._refuse(tx, holder, version, refusal, selection.permission, now_us)
            return refusal
        number = self._write_down(tx, standing, read, view, now_us, repeat_of=spent.outcome)
        count_read(tx, standing, holder.chain, permission, n=number, now_us=now_us)
        if spent.is_nameless and spent.outcome is None:
            tx.set_outcome(holder.owner, spent.digest, number)
        unchanged = view.etag == read.known_etag
        return Admission(number=number, version=version, view=view, unchanged=unchanged)

    def _write_down(
        self,
        tx: Transactor,
        standing: Standing,
        read: Read,
        view: View,
        now_us: int,
        *,
        repeat_of: int | None,
    ) -> int:
        """Append the admitted entry under the one conditional update that orders reads and revocations."""
        salt = self._ambient.random_bytes(limits.SALT_BYTES)
        time_us = entry_time_us(standing, now_us)
        holder, selection = read.holder, read.selection
        entry = Admitted(
            number=standing.log_size,
            time_s=time_us // _US,
            who=holder.did,
            chain=holder.chain.digests,
            action=holder.invocation.action,
            permission=selection.permission,
            route=read.route,
            method=holder.invocation.method,
            fields=view.released.fields,
            query=query_digest(salt, selection.query) if selection.query else None,
            count=view.released.count,
            version=standing.version,
            signature=base64url_encode(holder.invocation.signature_digest),
            released=released_digest(salt, view.released.canonical),
            status=304 if view.etag == read.known_etag else 200,
            repeat_of=repeat_of,
        )
        made = prepare(
            standing, entry, salt=salt, time_us=time_us,
            seen_by=holder.seen_by, permission=selection.permission,
        )  # fmt: skip
        if not tx.admit(standing, made.head, now_us=now_us):
            raise ConflictError("the grant changed while this read was decided")
        tx.add_entry(standing.owner, standing.grant, made.row, made.nodes)
        return standing.log_size

    # Listening

    async def listen(self, call: Call, *, grant: str, permission: str | None) -> Listener:
        """Let a holder listen to what changes, or refuse it; it is no admission, and a refusal is written down.

        Args:
            call: The request.
            grant: The id in its path.
            permission: The one in its path; None: the whole grant, for its vendor alone.

        Raises:
            MalformedError: And its subclasses.
            SignatureError: And its subclasses.
            CapabilityError: And its subclasses.
            GrantError: And its subclasses.
            NotFoundError: The caller is a stranger here.
            UnavailableError: And its subclasses: the decision could not be made durable.

        Spec: specs/http.md#events
        """
        holder = await self._prover.holder(call, grant=grant)
        if permission is not None:
            await self.meet(holder, permission)

        def decide(tx: Transactor) -> Listener | FreeholdError:
            if self._ambient.clock.suspect:
                raise ClockSuspectError("the node's clock jumped; its owner has to confirm it")
            now_us = self._ambient.clock.now_us()
            standing, version = self._stands(tx, holder)
            self._use_up(tx, holder.owner, holder.invocation)
            until_us = min(holder.chain.expires_s, now_us // _US + limits.EVENT_STREAM_S) * _US
            listener = Listener(holder=holder, permission=permission, until_us=until_us)
            try:
                self._check_holder(tx, standing, holder)
                self._check_state(tx, standing, now_us)
                holder.chain.check_now(now_us // _US)
                _check_heard(tx, standing, version, listener)
                if not self._is_noted(holder, permission):
                    note_links(tx, standing, holder.chain, now_us)
                if holder.invocation.action != "read":
                    raise ActionError("to listen is to read")
            except (GrantError, CapabilityError) as refusal:
                self._refuse(tx, holder, version, refusal, permission, now_us)
                return refusal
            return listener

        return await self._decided(decide)

    def still_listens(self, reader: Reader, listener: Listener) -> tuple[Standing, Grant] | None:
        """Return how the grant stands in a snapshot, if by it a holder may go on listening; else None."""
        holder, clock = listener.holder, self._ambient.clock
        now_us = clock.now_us()
        standing = reader.standing(holder.owner, holder.grant)
        if standing is None or clock.suspect or now_us >= listener.until_us:
            return None
        version = self._versions.standing(reader, standing, committed=True)
        if holder.origin not in origins_of(standing, version):
            return None
        try:
            self._check_as_seen(reader, standing, holder, now_us)
            _check_heard(reader, standing, version, listener)
        except (GrantError, CapabilityError):
            return None
        return standing, version

    # The other doors

    async def enter(self, call: Call, *, grant: str) -> Holder:
        """Let in the holder of a capability, in whatever state the grant is, for what is no admission.

        Raises:
            MalformedError: And its subclasses.
            SignatureError: And its subclasses.
            CapabilityError: And its subclasses: the chain does not hold, expired or was revoked.
            NotFoundError: There is no such grant for this caller.
        """
        holder = await self._prover.holder(call, grant=grant)

        def check(tx: Transactor) -> Holder | FreeholdError:
            now_us = self._ambient.clock.now_us()
            standing, version = self._stands(tx, holder)
            self._use_up(tx, holder.owner, holder.invocation)
            try:
                self._check_holder(tx, standing, holder)
                holder.chain.check_now(now_us // _US)
            except CapabilityError as refusal:
                self._refuse(tx, holder, version, refusal, None, now_us)
                return refusal
            return holder

        return await self._decided(check)

    def signer(self, call: Call, *, keys: DidKeys | None = None) -> Signer:
        """Return who signed a request under no capability; keys are those of the did:web that may have.

        Whoever finds that this signer has a say here spends the message before doing as it asks: a stranger's is
        not written down.

        Raises:
            MalformedError: And its subclasses.
            SignatureError: And its subclasses.
            NotFoundError: It says to be a did:web, and none of its keys that are known signed it.
        """
        return self._prover.signer(call, tag=TAG_DID, keys=keys)

    def renouncer(self, call: Call, *, keys: DidKeys | None = None) -> Signer:
        """Return who signed a request to revoke something; as signer, in either profile.

        Raises:
            MalformedError: And its subclasses.
            SignatureError: And its subclasses.
            CapabilityError: And its subclasses: it invokes something else.
            NotFoundError: As signer.
        """
        return self._prover.renouncer(call, keys=keys)

    def names(self, call: Call, did: str) -> bool:
        """Whether a request says to be signed by this DID, before it is known to be so.

        Raises:
            MalformedError: And its subclasses.
            SignatureError: And its subclasses, of its form and its times.
        """
        return self._prover.names(call, did)

    async def spend(self, signer: Signer, *, owner: str) -> Spent:
        """Use up a signer's message with this owner.

        Raises:
            ReplayedError: The message came before.
        """
        return await self._store.write(lambda tx: self._use_up(tx, owner, signer.message))

    async def conclude(self, spent: Spent, status: int, *, owner: str) -> None:
        """Keep what a write was answered with, for the same bytes if they come again."""
        if spent.is_nameless:
            await self._store.write(lambda tx: tx.set_outcome(owner, spent.digest, status))

    def names_owner(self, signature_input: str) -> bool:
        """Whether a message says that the owner's own tools signed it, before it is known to be so."""
        return self._owner_key.method in signature_input

    async def owner(self, call: Call, *, owner: str) -> None:
        """Check that the owner's own tools signed a request.

        Raises:
            NotAuthenticatedError: They did not.
            ReplayedError: The request came before.
        """
        try:
            signer = self._prover.signer(call, tag=TAG_OWNER)
        except FreeholdError as error:
            raise NotAuthenticatedError(f"not signed by the owner's session key ({error.code})") from error
        if signer.key != self._owner_key:
            raise NotAuthenticatedError("not signed by the owner's session key")
        message = signer.message
        # Its times are the wall clock's. Should that stand behind the node's, the nonce is kept no shorter.
        least_s = self._ambient.clock.now_s() + limits.MAX_SIGNATURE_LIFETIME_S + 2 * limits.CLOCK_SKEW_S
        await self._store.write(lambda tx: self._use_up(tx, owner, message, until_least_s=least_s))


class _LongLookError(Exception):
    """A view takes time with the number of records, so it is made beside the event loop."""


def _check_heard(reader: Reader, standing: Standing, version: Grant, listener: Listener) -> None:
    """Refuse a permission that a read would be refused, and a partner the whole grant."""
    if listener.permission is not None:
        permission = check_permission(reader, standing, version, listener.holder, listener.permission)
        check_purposes(listener.holder.chain, permission)
    elif not listener.holder.is_vendor:
        raise NotSharedError("a partner listens to its permission, not to the grant")
