"""Access: what a vendor holds once a person approved, or a partner once a vendor delegated, and how it reads.

Spec: specs/http.md
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Final, Literal, TypeVar
from urllib.parse import quote

from freehold_protocol import form
from freehold_protocol.canonical import jcs
from freehold_protocol.capability import Action, Capability, delegate
from freehold_protocol.caveat import Caveat
from freehold_protocol.checkpoint import Checkpoint
from freehold_protocol.encoding import Document, Json
from freehold_protocol.entry import Admitted
from freehold_protocol.grant import read_origin
from freehold_protocol.keys import PublicKey
from freehold_protocol.permission import Permission, Scalar
from freehold_protocol.receipt import Receipt
from freehold_protocol.restored import Restored

from .delegation import Delegation
from .errors import (
    ActionError,
    ControllerError,
    NotSharedError,
    ReleaseError,
    RolledBackError,
    UnreachableError,
)
from .events import Event, Listening
from .held import HeldDelegation, HeldRequest, granted, settled, with_status
from .holder import Holder
from .ledger import FollowedLedger
from .release import Head, Release, Selection, Sent, check_entry, open_head, open_release, sent_with
from .shown import check_once, is_granted
from .standing import Standing
from .told import check_restored, gone_on, handed_over
from .transport import Answer

Verify = Literal["always", "sample", "never"]
"""Whether a read checks the ledger before it returns: each, one in ten at random, or only when asked to."""
_SAMPLE_OF_256: Final = 26
_Came = TypeVar("_Came", Release, Head)


class Access:
    """Reads from one person's node under one grant; made by ``Vendor``, never by hand."""

    def __init__(self, holder: Holder, *, verify: Verify) -> None:
        self._holder, self._verify = holder, verify
        held = holder.held
        self._ledger = FollowedLedger(
            origin=held.log,
            keys=lambda: holder.held.serving_keys,
            note=held.checkpoint,
            fetch=self._fetch_ledger,
            keep=self._keep_checkpoint,
            learn=holder.look,
        )

    # What is known without asking

    @property
    def grant(self) -> str:
        """The URL of the grant."""
        return self._holder.held.address.root

    @property
    def is_partner(self) -> bool:
        """Whether this came by a vendor's delegation, not from the person."""
        return isinstance(self._holder.held, HeldDelegation)

    @property
    def standing(self) -> Standing | None:
        """How the grant stood when it was last looked at; None for a partner that never did: ``refresh``."""
        return self._holder.held.standing

    @property
    def receipt(self) -> Receipt | None:
        """The request and every version of the grant seen so far, verified; None for a partner."""
        held = self._holder.held
        return held.receipt if isinstance(held, HeldRequest) else None

    @property
    def checkpoint(self) -> Checkpoint | None:
        """The highest head of the ledger that was seen."""
        return self._ledger.checkpoint

    @property
    def restored(self) -> Restored | None:
        """The person's word that the node was restored from a backup, while it explains why its ledger went back.

        See ``accept_restored``. None where nothing was said, or where the ledger went on all the same.
        """
        held = self._holder.held
        return held.restored if isinstance(held, HeldRequest) else None

    @property
    def capability(self) -> Capability | None:
        """The capability held; None where the node issued none, because the grant was not live."""
        return self._holder.held.capability

    # Reading

    async def read(
        self,
        permission: str,
        alias: str | None = None,
        *,
        fields: Sequence[str] | None = None,
        where: Mapping[str, Scalar] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Release:
        """Return one record, or a page of those that a permission shows.

        Args:
            permission: Its name.
            alias: Of one record: its id, or the last part of it.
            fields: Paths to be released, among those shared; None: all.
            where: Paths and the values that records must have there; pages only.
            limit: Records of a page, 1 to 100; the node's default is 50.
            cursor: ``next`` of the page before.

        Raises:
            FreeholdError: See ``errors`` for the classes, and what to do about each.
            VendorError: Likewise.

        Spec: specs/http.md#reading
        """
        selection = Selection.of(permission, alias, fields=fields, where=where, limit=limit, cursor=cursor)
        answer, sent, key = await self._send_read("GET", selection)
        return await self._checked(await self._open(answer, sent, key))

    async def read_if_changed(self, known: Release) -> Release | None:
        """Read what was read before again; None if it is still the same. A read like any other.

        Raises:
            FreeholdError: As read.
            VendorError: As read.
        """
        answer, sent, key = await self._send_read("GET", known.sent.selection, {"If-None-Match": known.etag})
        if answer.status == 304:
            head = open_head(answer, sent, self._prove, known=known.document)
            await self._check_granted(known.document, sent)
            await self._checked(head)
            return None
        return await self._checked(await self._open(answer, sent, key))

    async def head(
        self, permission: str, alias: str | None = None, *, fields: Sequence[str] | None = None
    ) -> Head:
        """Return what names the present content, without the content. A read like any other.

        Raises:
            FreeholdError: As read.
            VendorError: As read.
        """
        answer, sent, _ = await self._send_read("HEAD", Selection.of(permission, alias, fields=fields))
        return await self._checked(open_head(answer, sent, self._prove))

    async def list(
        self,
        permission: str,
        *,
        fields: Sequence[str] | None = None,
        where: Mapping[str, Scalar] | None = None,
        page_size: int = 50,
    ) -> AsyncIterator[Document]:
        """Yield every record that a permission shows, page by page; each page is a read.

        Raises:
            CursorError: The grant changed between two pages; whether to begin again is the caller's question.
            FreeholdError: Others, as read.
            VendorError: As read.
        """
        cursor: str | None = None
        cursors: set[str] = set()
        seen: set[Json] = set()
        while True:
            page = await self.read(permission, fields=fields, where=where, limit=page_size, cursor=cursor)
            check_once(page.records, seen)
            for record in page.records:
                yield record
            cursor = page.next
            if cursor is None:
                return
            if cursor in cursors or (not page.records and where is None):
                raise ReleaseError("the pages go in a circle")
            cursors.add(cursor)

    async def _send_read(
        self, method: str, selection: Selection, headers: Mapping[str, str] | None = None
    ) -> tuple[Answer, Sent, PublicKey]:
        """Return the answer, what it answers, and the key that issued the capability and so signs the answer."""
        known = self.standing
        answer, ready = await self._holder.invoke(method, selection.path, headers)
        sent = sent_with(
            answer,
            selection,
            method=method,
            who=self._holder.outside.identity.key.did,
            chain=ready.chain,
            version=known.version if known is not None else 0,
        )
        return answer, sent, ready.serving_key

    async def _open(self, answer: Answer, sent: Sent, key: PublicKey) -> Release:
        release = open_release(answer, sent, self._prove, key=key)
        await self._check_granted(release.document, sent)
        return release

    async def _check_granted(self, document: Document, sent: Sent) -> None:
        """Refuse what was not granted, or not asked for. Raises ReleaseError, and others as refresh."""
        if self._is_granted(document, sent):
            return
        await self.refresh()  # the person may have added to it, and nobody told us
        if not self._is_granted(document, sent):
            raise ReleaseError("the node shows more than was granted, or asked for")

    def _is_granted(self, document: Document, sent: Sent) -> bool:
        held, name = self._holder.held, sent.selection.permission
        given: list[Permission | None]
        if isinstance(held, HeldRequest):
            since = [one for one in held.versions if one.version >= sent.version]
            given = [Standing.of_grant(one).permission(name) for one in since or held.versions[-1:]]
        else:
            given = [held.standing.permission(name)] if held.standing is not None else []
        return is_granted(document, given, sent.selection.fields)

    async def _checked(self, came: _Came) -> _Came:
        draw = self._holder.outside.ambient.random_bytes(1)[0] if self._verify == "sample" else 0
        if self._verify == "always" or (self._verify == "sample" and draw < _SAMPLE_OF_256):
            await came.verify()
        return came

    # The ledger

    async def _prove(self, number: int, sent: Sent, status: int, content: Document | None) -> Admitted:
        shown = await self._ledger.prove(number)
        return check_entry(shown, sent, status=status, content=content)

    async def _fetch_ledger(self, path: str) -> Document:
        """Get a part of the ledger: the vendor by its DID, which works in every state of the grant."""
        held = self._holder.held
        if isinstance(held, HeldDelegation):
            path = f"/{held.delegation.permission}/ledger{path}"
            return (await self._holder.invoke("GET", path))[0].document()
        return (await self._holder.invoke_as_did("GET", f"/ledger{path}")).document()

    async def _keep_checkpoint(self, note: str) -> None:
        await self._holder.keep(lambda held: held.with_checkpoint(note))

    # What changes

    async def events(self, permission: str | None = None) -> AsyncGenerator[Event]:
        """Yield when to read again; connects again by itself, and ends when the grant is no longer live.

        Reading is left to the caller: at once after ``ready``, and after every event. Why it ended, ``standing``
        says. While the node cannot be reached it is tried again, ever more slowly.

        Args:
            permission: Listen to one permission alone; None: to the whole grant or, for a partner, to what was
                delegated to it.

        Raises:
            NotSharedError: The permission is not shared, or not any more.
            ExpiredError: A partner's capability is past; it needs a new delegation from the vendor.
            RevokedError: The capability was revoked.
            ConflictError: We have too many streams open already.
            MalformedError: And its subclasses: what answered is not a node.
            FreeholdError: Others, as read.
            VendorError: As read, but for an unreachable node.

        Spec: specs/http.md#events
        """
        held = self._holder.held
        if permission is None and isinstance(held, HeldDelegation):
            permission = held.delegation.permission
        if permission is not None:
            form.short_name(permission, "a permission's name")
        async with aclosing(Listening(self._holder, permission, self.refresh).events()) as events:
            async for event in events:
                yield event

    # How the grant stands

    async def refresh(self, *, at: str | None = None) -> Standing:
        """Ask how the grant stands, keep the new versions of the receipt, and follow the ledger.

        Works in every state of the grant.

        Args:
            at: An origin such as ``https://node.example``, where the grant is said to be reached now: only there, and
                from then on, if the person's signed word is found there. Vendors only.

        Raises:
            ReceiptError: The receipt does not hold, or does not continue the one that is held; or the person has not
                said that the grant is reached there.
            ReleaseError: A partner's status is not of now, or older than the one that is held.
            RolledBackError: The ledger does not continue what was seen before; see ``restored``.
            SignatureError: A statement is not the person's.
            FreeholdError: Others, as read.
            VendorError: As read.
        """
        held = self._holder.held
        if isinstance(held, HeldDelegation):
            if at is not None:
                raise TypeError(
                    "a partner's access is for one origin; it needs a new delegation from the vendor"
                )
            standing = await self._refresh_status(held)
            await self._ledger.catch_up()
            return standing
        await self._holder.look(at=None if at is None else read_origin(at))
        await self._ledger.catch_up()
        await self._holder.keep(settled)
        return granted(self._holder.held).standing

    # Moves and restores

    async def moved(self, document: Json) -> Standing:
        """Follow the grant to where the person says that it is reached now, by a statement that came another way.

        For a vendor whose old way to the node is dead. The statement is verified and kept, then the node is asked at
        the origins that it adds; a capability for there is fetched when it is next needed.

        Args:
            document: The signed statement, or the file that ``freehold origins export`` wrote.

        Raises:
            SignatureError: The statement is not the person's, or about another grant.
            ReceiptError: The receipt beside it does not continue the one that is held.
            MalformedError: And its subclasses: it does not have the form.
            UnreachableError: The node does not answer there either; the statement is kept.
            TypeError: This is a partner's access.
            FreeholdError: Others, as refresh.
        """
        before = granted(self._holder.held)
        await self._holder.keep(lambda held: handed_over(granted(held), document))
        added = [origin for origin in granted(self._holder.held).origins if origin not in before.origins]
        for origin in added[:-1]:
            try:
                return await self.refresh(at=origin)
            except UnreachableError:
                continue
        return await self.refresh(at=added[-1] if added else None)

    async def accept_restored(self) -> Standing:
        """Go on with a node whose ledger went back, by the person's signed word that it was restored from a backup.

        What is held, the earlier checkpoint above all, is set aside beside the statement: together they show what the
        node lost. What a vendor read stays under the permissions of then. A person who had ended the relationship, or
        whose grant had expired, has not opened it again by a restore: that is refused here.

        Raises:
            RolledBackError: The person has not signed that, or not about what is held; a word counts once.
            EndedError: The relationship had ended before the restore.
            GrantExpiredError: The grant's time was over before the restore.
            TypeError: This is a partner's access; it needs a new delegation from the vendor.
            FreeholdError: Others, as refresh.
            VendorError: As refresh.

        Spec: specs/restoring.md#on-the-vendor
        """
        granted(self._holder.held)
        try:
            return await self.refresh()
        except RolledBackError as error:
            refused = error
        held, told = granted(self._holder.held), await self._holder.tell()
        check_restored(held, told, refused)
        restored = told.restored
        if restored is None:
            raise refused
        note = await self._ledger.restart(restored.checkpoint, key=told.versions[-1].serving_key)
        await self._holder.keep(lambda held: gone_on(granted(held), told, restored, note))
        self._ledger.note = note
        return granted(self._holder.held).standing

    # A partner's view

    async def _refresh_status(self, held: HeldDelegation) -> Standing:
        delegation = held.delegation
        answer, _ = await self._holder.invoke("GET", f"/{delegation.permission}")
        status: Json = answer.document().get("status")
        now_s = self._holder.outside.ambient.now_s()
        standing = Standing.of_status(
            status, grant=held.address.grant, key=delegation.serving_key, now_s=now_s
        )
        if held.standing is not None and standing.version < held.standing.version:
            raise ReleaseError("the status is older than one that was seen")
        await self._holder.keep(lambda held: with_status(held, status))
        return standing

    # Capabilities

    async def renew(self) -> None:
        """Get a fresh capability now; reading does so by itself when it is due. Vendors only.

        Raises:
            PausedError: The grant is paused.
            EndedError: The relationship has ended.
            GrantExpiredError: The grant's time is over.
            TypeError: This is a partner's access; it needs a new delegation from the vendor.
            FreeholdError: Others, as read.
            VendorError: As read.
        """
        await self._holder.renew()

    # Partners

    async def delegate(
        self,
        partner: str,
        permission: str,
        *,
        key: str | None = None,
        expires_s: int | None = None,
        actions: tuple[Action, ...] = ("read",),
        caveats: Sequence[Caveat] = (),
    ) -> Delegation:
        """Return what a partner needs to read one permission: hand it over as ``to_dict`` gives it.

        The person sees to whom it was passed on and what is read under it, and can cut it off alone.

        Args:
            partner: Its DID; among the recipients of the permission, as last seen.
            permission: Its name.
            key: For a partner that is no did:key: the did:key of the key it reads with, which the node looks for in
                the partner's DID document.
            expires_s: Unix seconds; None: as our capability, which lives some days.
            actions: Among ours.
            caveats: What the partner is limited to besides: purposes, hours, reads in all or in a time. The
                node enforces them, for whomever the partner passes it on to as well.

        Raises:
            NotSharedError: The permission is not shared, as far as we know: ``refresh``.
            ControllerError: The partner is not among its recipients, as far as we know: ``refresh``.
            ActionError: An action is not among ours.
            UnsupportedError: The partner is no did:key, and its key was not given.
            FreeholdError: Others, as read, where our capability has to be renewed first.
            VendorError: As read.
        """
        self._check_recipient(partner, permission)
        reads = PublicKey.from_did(partner if key is None else key)
        if partner.startswith("did:key:") and reads.did != partner:
            raise ControllerError("the key is another than the partner's")
        holder = self._holder
        capability, held = (await holder.ready()).capability, holder.held
        if not set(actions) <= set(capability.actions):
            raise ActionError("nobody can delegate an action that is not among their own")
        made = delegate(
            holder.outside.identity.key,
            capability_id=holder.outside.ambient.new_uuid(),
            controller=reads,
            target=f"{held.address.root}/{permission}",
            actions=actions,
            created_s=max(holder.outside.ambient.now_s(), capability.created_s),
            expires_s=capability.expires_s if expires_s is None else min(expires_s, capability.expires_s),
            parent=capability,
            caveats=caveats,
        )
        return Delegation(permission=permission, capability=made, serving_key=held.serving_key, log=held.log)

    def _check_recipient(self, partner: str, permission: str) -> None:
        standing = self.standing
        if standing is None:
            return  # a partner that never looked: the node decides
        given = standing.permission(permission)
        if given is None:
            raise NotSharedError("this permission is not shared, as far as is known here: refresh")
        if partner not in given.recipients:
            raise ControllerError("the partner is not among the permission's recipients: refresh, or ask")

    async def revoke(self, delegation: Delegation) -> None:
        """Take back what was delegated, and whatever was delegated on; it binds every later read.

        Raises:
            NotFoundError: It is not under this grant, or we are not in its chain.
            FreeholdError: Others, as read.
            VendorError: As read.
        """
        await self._revoke(delegation.capability)

    async def renounce(self) -> None:
        """Give the access up: our capability is revoked, with whatever was delegated from it.

        A vendor that changes its mind can ``renew`` while the grant is live. Raises as revoke.
        """
        capability = self._holder.held.capability
        if capability is not None:
            await self._revoke(capability)
        await self._holder.keep(lambda held: replace(held, renounced=True))

    async def _revoke(self, capability: Capability) -> None:
        path = "/zcaps/revocations/" + quote(capability.id, safe="")
        await self._holder.invoke_as_did("POST", path, jcs(capability.document))
