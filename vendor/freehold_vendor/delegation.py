"""Delegation: what a vendor hands to a partner, as one JSON document.

It is no secret: its capability is bound to the partner's key. Beside the capability it carries what the
partner needs to check what it reads: the key that signs, and the name of the ledger.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Self

from freehold_protocol import form
from freehold_protocol.capability import Capability
from freehold_protocol.checkpoint import ORIGIN_PREFIX
from freehold_protocol.delegation import verify_chain
from freehold_protocol.encoding import Document, Json
from freehold_protocol.grant import read_origin
from freehold_protocol.keys import PublicKey

from .errors import ControllerError, MalformedError, TargetError

_TYPE: Final = "Delegation"
_GRANT = re.compile(r"(?P<origin>.+)/g/(?P<grant>[a-z0-9-]{1,64})(/(?P<permission>[a-z0-9-]{1,40}))?\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a capability leads: ``origin``, ``grant`` and, for a partner's, ``permission``."""

    origin: str
    grant: str
    permission: str | None

    @classmethod
    def of(cls, target: str) -> Self:
        """Parse a capability's target.

        Raises:
            TargetError: It is neither a grant's nor a permission's.
            MalformedError: Its origin is none of a node.
        """
        match = _GRANT.match(target)
        if match is None:
            raise TargetError("the capability's target is neither a grant nor a permission of one")
        return cls(origin=read_origin(match["origin"]), grant=match["grant"], permission=match["permission"])

    @property
    def root(self) -> str:
        """The URL of the grant."""
        return f"{self.origin}/g/{self.grant}"


def check_capability(
    capability: Capability, *, root: str, serving_key: PublicKey, holder: PublicKey
) -> Capability:
    """Return a capability that came, if it leads from the grant's key to the holder's.

    Raises:
        SignatureError: A proof in its chain does not verify.
        CapabilityError: And its subclasses: the chain does not hold, or ends at another holder.
        UnsupportedError: A proof of another suite.
    """
    verify_chain(capability, root_target=root, root_key=serving_key)
    if capability.controller != holder:
        raise ControllerError("the capability is for another key")
    return capability


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """A partner's capability for one permission, and how to check what it opens."""

    permission: str
    capability: Capability
    serving_key: PublicKey
    log: str

    @classmethod
    def from_dict(cls, document: Json) -> Self:
        """Parse and verify a delegation as a vendor handed it over.

        Raises:
            SignatureError: A proof in its chain does not verify.
            CapabilityError: And its subclasses: its chain does not hold.
            MalformedError: And its subclasses: it does not have the form.
            UnsupportedError: Another kind of key or proof.
        """
        found = form.check_members(
            document, required=("type", "permission", "capability", "servingKey", "log")
        )
        form.constant(found["type"], _TYPE, "type")
        made = cls(
            permission=form.short_name(found["permission"], "permission"),
            capability=Capability.from_dict(found["capability"]),
            serving_key=PublicKey.from_did(form.did(found["servingKey"], "servingKey")),
            log=form.text(found["log"], "log", most=100),
        )
        if not made.log.startswith(ORIGIN_PREFIX):
            raise MalformedError("log is the origin of the grant's ledger")
        if made.address.permission != made.permission:
            raise TargetError("the capability is for another permission")
        capability = made.capability
        check_capability(
            capability, root=made.address.root, serving_key=made.serving_key, holder=capability.controller
        )
        return made

    def to_dict(self) -> Document:
        """Return the JSON document to hand over."""
        return {
            "type": _TYPE,
            "permission": self.permission,
            "capability": self.capability.document,
            "servingKey": self.serving_key.did,
            "log": self.log,
        }

    @property
    def address(self) -> Address:
        """Where the capability leads."""
        return Address.of(self.capability.target)
