"""The same library for those who use no asyncio: each method waits, and returns what the asynchronous one would.

::

    with SyncVendor(identity) as vendor:
        pending = vendor.ask(invitation, permissions, expires_s)
        access = pending.decision(timeout_s=600)
        release = access.read("delivery")

Everything is done in one thread in the background, so one ``SyncVendor`` serves all threads of a process, such as
the workers of a WSGI server. It is opened once, after the process was forked, and refuses use when it is closed.
In a thread in which an event loop runs it refuses too, because waiting would stop the loop: use ``Vendor`` there.

Arguments, results and errors are those of ``Vendor`` and what it gives. Threads that share one generator, such as
``SyncAccess.list`` gives, have to take turns. ``SyncAccess.events`` waits for as long as nothing happens: give it a
thread of its own. Whoever has heard enough leaves the loop, and the stream is closed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Generic, Self, TypeVar

from freehold_protocol.capability import Action, Capability
from freehold_protocol.caveat import Caveat
from freehold_protocol.checkpoint import Checkpoint
from freehold_protocol.encoding import Document, Json
from freehold_protocol.entry import Admitted
from freehold_protocol.permission import Permission, Scalar
from freehold_protocol.receipt import Receipt
from freehold_protocol.request import Request
from freehold_protocol.restored import Restored

from .access import Access, Verify
from .ambient import Ambient
from .background import Background
from .client import Vendor
from .connecting import ConnectRequest
from .delegation import Delegation
from .events import Event
from .held import Keeping
from .identity import VendorIdentity
from .pending import PendingRequest
from .release import Head, Release, Sent
from .standing import Standing
from .transport import Sends

_Made = TypeVar("_Made", bound=Callable[..., object])
_Of = TypeVar("_Of")


def _as(original: object) -> Callable[[_Made], _Made]:
    """Give a method the words of the one that it stands for."""

    def take(made: _Made) -> _Made:
        made.__doc__ = original.__doc__
        return made

    return take


class SyncVendor:
    """One vendor, or one partner, for programs without asyncio; a context manager.

    Where no ``with`` fits, ``contextlib.ExitStack`` opens it, and closes it at the end of the program.
    """

    @_as(Vendor.__init__)
    def __init__(
        self,
        identity: VendorIdentity,
        *,
        keeping: Keeping | None = None,
        verify: Verify = "always",
        allow_private_addresses: bool = False,
        ambient: Ambient | None = None,
        transport: Sends | None = None,
    ) -> None:
        self._vendor = Vendor(
            identity,
            keeping=keeping,
            verify=verify,
            allow_private_addresses=allow_private_addresses,
            ambient=ambient,
            transport=transport,
        )
        self._background = Background(self._vendor)

    @property
    @_as(Vendor.identity)
    def identity(self) -> VendorIdentity:
        return self._vendor.identity

    def __enter__(self) -> Self:
        """Open the session. Raises RuntimeError if it was opened before, or an event loop runs here."""
        self._background.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the session; what other threads wait for ends with a RuntimeError."""
        self._background.stop()

    @_as(Vendor.ask)
    def ask(
        self,
        invitation: str,
        permissions: Sequence[Permission | Document],
        expires_s: int,
        *,
        benefit: str | None = None,
        terms: str | None = None,
        contact: str | None = None,
    ) -> SyncPendingRequest:
        asking = self._vendor.ask(
            invitation, permissions, expires_s, benefit=benefit, terms=terms, contact=contact
        )
        return SyncPendingRequest(self._background.run(asking), self._background)

    @_as(Vendor.connect)
    def connect(
        self,
        node: str,
        permissions: Sequence[Permission | Document],
        expires_s: int,
        *,
        return_to: str,
        benefit: str | None = None,
        terms: str | None = None,
        contact: str | None = None,
    ) -> ConnectRequest:
        making = self._vendor.connect(
            node, permissions, expires_s, return_to=return_to, benefit=benefit, terms=terms, contact=contact
        )
        return self._background.run(making)

    @_as(Vendor.returned)
    def returned(self, query: Mapping[str, str], *, challenge: str | None) -> SyncPendingRequest:
        taking = self._vendor.returned(query, challenge=challenge)
        return SyncPendingRequest(self._background.run(taking), self._background)

    @_as(Vendor.accept)
    def accept(self, document: Json) -> SyncAccess:
        return SyncAccess(self._background.run(self._vendor.accept(document)), self._background)

    @_as(Vendor.moved)
    def moved(self, document: Json) -> SyncAccess:
        return SyncAccess(self._background.run(self._vendor.moved(document)), self._background)

    @_as(Vendor.waiting)
    def waiting(self) -> tuple[SyncPendingRequest, ...]:
        found = self._background.run(self._vendor.waiting())
        return tuple(SyncPendingRequest(one, self._background) for one in found)

    @_as(Vendor.accesses)
    def accesses(self) -> tuple[SyncAccess, ...]:
        found = self._background.run(self._vendor.accesses())
        return tuple(SyncAccess(one, self._background) for one in found)


class _Facade(Generic[_Of]):
    """Stands for something asynchronous; two that stand for the same are equal."""

    __slots__ = ("_background", "_of")

    def __init__(self, of: _Of, background: Background) -> None:
        self._of, self._background = of, background

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Facade) and other._of is self._of

    def __hash__(self) -> int:
        return id(self._of)


class SyncPendingRequest(_Facade[PendingRequest]):
    """A request that was sent, until the person decides; made by ``SyncVendor``."""

    __slots__ = ()

    @property
    @_as(PendingRequest.request)
    def request(self) -> Request:
        return self._of.request

    @property
    @_as(PendingRequest.code)
    def code(self) -> str:
        return self._of.code

    @_as(PendingRequest.send)
    def send(self) -> None:
        self._background.run(self._of.send())

    @_as(PendingRequest.forget)
    def forget(self) -> None:
        self._background.run(self._of.forget())

    @_as(PendingRequest.decision)
    def decision(self, *, timeout_s: float | None = None) -> SyncAccess:
        return SyncAccess(self._background.run(self._of.decision(timeout_s=timeout_s)), self._background)


class SyncHead(_Facade[Head]):
    """An answer without content, as ``Head``; ``content`` is what an unchanged answer says we have already."""

    __slots__ = ()

    @property
    def sent(self) -> Sent:
        """The read it answers."""
        return self._of.sent

    @property
    def entry(self) -> int:
        """The number of its entry in the ledger."""
        return self._of.entry

    @property
    def etag(self) -> str:
        """Names the content."""
        return self._of.etag

    @property
    def status(self) -> int:
        """200 or 304."""
        return self._of.status

    @property
    def content(self) -> Document | None:
        """What the entry must bind, if that is known."""
        return self._of.content

    @_as(Head.verify)
    def verify(self) -> Admitted:
        return self._background.run(self._of.verify())


class SyncRelease(_Facade[Release]):
    """What a read gave, signed by the grant's serving key; as ``Release``."""

    __slots__ = ()

    @property
    def sent(self) -> Sent:
        """The read it answers."""
        return self._of.sent

    @property
    def document(self) -> Document:
        """The released document or page, without its proof."""
        return self._of.document

    @property
    def signed(self) -> Document:
        """The same as it came, to be kept as evidence."""
        return self._of.signed

    @property
    def entry(self) -> int:
        """The number of its entry in the ledger."""
        return self._of.entry

    @property
    def etag(self) -> str:
        """Names this content: ``read_if_changed`` compares it."""
        return self._of.etag

    @property
    @_as(Release.records)
    def records(self) -> tuple[Document, ...]:
        return self._of.records

    @property
    @_as(Release.next)
    def next(self) -> str | None:
        return self._of.next

    @_as(Release.verify)
    def verify(self) -> Admitted:
        return self._background.run(self._of.verify())


class SyncAccess(_Facade[Access]):
    """Reads from one person's node under one grant; made by ``SyncVendor``, never by hand."""

    __slots__ = ()

    @property
    @_as(Access.grant)
    def grant(self) -> str:
        return self._of.grant

    @property
    @_as(Access.is_partner)
    def is_partner(self) -> bool:
        return self._of.is_partner

    @property
    @_as(Access.standing)
    def standing(self) -> Standing | None:
        return self._of.standing

    @property
    @_as(Access.receipt)
    def receipt(self) -> Receipt | None:
        return self._of.receipt

    @property
    @_as(Access.checkpoint)
    def checkpoint(self) -> Checkpoint | None:
        return self._of.checkpoint

    @property
    @_as(Access.restored)
    def restored(self) -> Restored | None:
        return self._of.restored

    @property
    @_as(Access.capability)
    def capability(self) -> Capability | None:
        return self._of.capability

    @_as(Access.read)
    def read(
        self,
        permission: str,
        alias: str | None = None,
        *,
        fields: Sequence[str] | None = None,
        where: Mapping[str, Scalar] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> SyncRelease:
        reading = self._of.read(permission, alias, fields=fields, where=where, limit=limit, cursor=cursor)
        return SyncRelease(self._background.run(reading), self._background)

    @_as(Access.read_if_changed)
    def read_if_changed(self, known: SyncRelease) -> SyncRelease | None:
        reading = self._of.read_if_changed(known._of)  # noqa: SLF001 - one of ours
        found = self._background.run(reading)
        return None if found is None else SyncRelease(found, self._background)

    @_as(Access.head)
    def head(
        self, permission: str, alias: str | None = None, *, fields: Sequence[str] | None = None
    ) -> SyncHead:
        found = self._background.run(self._of.head(permission, alias, fields=fields))
        return SyncHead(found, self._background)

    @_as(Access.list)
    def list(
        self,
        permission: str,
        *,
        fields: Sequence[str] | None = None,
        where: Mapping[str, Scalar] | None = None,
        page_size: int = 50,
    ) -> Iterator[Document]:
        return self._background.each(
            self._of.list(permission, fields=fields, where=where, page_size=page_size)
        )

    @_as(Access.events)
    def events(self, permission: str | None = None) -> Generator[Event]:
        return self._background.each(self._of.events(permission))

    @_as(Access.refresh)
    def refresh(self, *, at: str | None = None) -> Standing:
        return self._background.run(self._of.refresh(at=at))

    @_as(Access.moved)
    def moved(self, document: Json) -> Standing:
        return self._background.run(self._of.moved(document))

    @_as(Access.accept_restored)
    def accept_restored(self) -> Standing:
        return self._background.run(self._of.accept_restored())

    @_as(Access.renew)
    def renew(self) -> None:
        self._background.run(self._of.renew())

    @_as(Access.delegate)
    def delegate(
        self,
        partner: str,
        permission: str,
        *,
        key: str | None = None,
        expires_s: int | None = None,
        actions: tuple[Action, ...] = ("read",),
        caveats: Sequence[Caveat] = (),
    ) -> Delegation:
        delegating = self._of.delegate(
            partner, permission, key=key, expires_s=expires_s, actions=actions, caveats=caveats
        )
        return self._background.run(delegating)

    @_as(Access.revoke)
    def revoke(self, delegation: Delegation) -> None:
        self._background.run(self._of.revoke(delegation))

    @_as(Access.renounce)
    def renounce(self) -> None:
        self._background.run(self._of.renounce())
