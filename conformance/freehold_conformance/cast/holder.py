"""Who holds a capability: the vendor whose request was approved, and partners to whom it delegates."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Any

from ..check import expect_status, object_of
from ..hands import capability as capabilities
from ..hands import message
from ..hands.encoding import Document, from_xsd_time, jcs
from ..hands.keys import Key
from ..wire import Answer, Stream, Wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A key and the capability that it controls.

    Attributes:
        origin: At which the grant is invoked; what is signed begins with it.
        grant: The grant's id, as in its paths.
        ezcap: Whether to sign as ZCAP clients do.
    """

    wire: Wire
    key: Key
    capability: Document
    origin: str
    grant: str
    ezcap: bool = False

    def path(self, below: str = "") -> str:
        """Return the request target of a path below the grant, such as ``/delivery/records``."""
        return f"/g/{self.grant}{below}"

    def signed(self, method: str, target: str, **signing: Any) -> dict[str, str]:
        """Return the headers for a request target; ``signing`` as for message.invoke, and ``uri`` what is signed."""
        given: dict[str, Any] = {"created_s": time.time(), "uri": self.origin + target}
        given |= {"capability": self.capability, "key": self.key} | signing
        key, capability, uri = given.pop("key"), given.pop("capability"), given.pop("uri")
        sign = message.invoke_ezcap if self.ezcap else message.invoke
        return sign(key, capability, method, uri, **given)

    async def get(
        self,
        below: str = "",
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        **signing: Any,
    ) -> Answer:
        """Send a signed request to a path below the grant; with ``body`` (bytes) as it stands."""
        target = self.path(below)
        signed = self.signed(method, target, **signing)
        return await self.wire.send(method, target, signed | dict(headers or {}), signing.get("body"))

    async def read(self, permission: str, query: str = "") -> Document:
        """Return a page of a permission's records, which must be given."""
        return object_of(expect_status(await self.get(f"/{permission}/records{query}"), 200))

    async def told(self) -> Document:
        """Return how the grant stands, as the vendor is told by its DID: receipt, checkpoint, statements."""
        return object_of(expect_status(await self.by_did("GET", self.path()), 200))

    async def renew(self, **signing: Any) -> Answer:
        """Ask for a fresh capability, by the vendor's DID."""
        return await self.by_did("POST", self.path("/renew"), **signing)

    def listen(self, below: str = "", **headers: str) -> AbstractAsyncContextManager[Stream]:
        """Open an event stream at ``/events`` below this path; headers with ``_`` for ``-``."""
        target = self.path(f"{below}/events")
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.wire.listen(target, self.signed("GET", target) | more)

    def delegate(self, below: str = "", *, key: Key | None = None, **link: Any) -> Holder:
        """Return who holds a fresh link below this one's, on a path below the grant; ``link`` as for delegate."""
        partner = key or Key.fresh()
        now = time.time()
        given: dict[str, Any] = {
            "created_s": now,
            "expires_s": from_xsd_time(self.capability["expires"]),
            "target": f"{self.origin}{self.path(below)}",
        } | link
        controller = given.pop("controller", partner.did)
        made = capabilities.delegate(self.key, self.capability, controller, **given)
        return replace(self, key=partner, capability=made)

    async def renounce(self, capability: Document | None = None, *, key: Key | None = None) -> Answer:
        """Revoke a capability, this holder's own if none is given, by the DID of this holder or of key."""
        gone = capability or self.capability
        target = self.path(f"/zcaps/revocations/{capabilities.encoded(gone['id'])}")
        return await self.by_did("POST", target, key=key, body=jcs(gone))

    async def by_did(
        self,
        method: str,
        target: str,
        *,
        key: Key | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        **signing: Any,
    ) -> Answer:
        """Send a request to a whole request target, signed by a DID without a capability."""
        given: dict[str, Any] = {"created_s": time.time()} | signing
        uri = given.pop("uri", self.origin + target)
        signed = message.sign(key or self.key, given.pop("tag", message.DID), method, uri, body=body, **given)
        return await self.wire.send(method, target, signed | dict(headers or {}), body)
