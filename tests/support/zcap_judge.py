"""What a node asks of a request under a capability, as far as it needs no node: for cases of others, and our own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from freehold_protocol.capability import Capability, from_wire, revocation_target, root_id, target_of_root
from freehold_protocol.delegation import check_links, revokers, verify_chain
from freehold_protocol.encoding import parse_document
from freehold_protocol.errors import CapabilityError, ControllerError
from freehold_protocol.invocation import Invocation, parse_invocation
from freehold_protocol.keys import PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it comes, its target raw."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """Controls one root, and judges at one time."""

    root_target: str
    root_key: PublicKey
    now_s: int

    def judge(self, asked: Asked, *, revokes: bool = False) -> Invocation:
        """Return the invocation that may be; raises the refusal."""
        invocation = parse_invocation(asked.method, asked.headers, body=asked.body, now_s=self.now_s)
        if revokes:
            self._revocation(invocation, asked)
        elif invocation.root is not None:
            self._root(invocation, asked)
        else:
            self._delegated(invocation, asked)
        return invocation

    def _delegated(self, invocation: Invocation, asked: Asked) -> None:
        leaf = from_wire(invocation.wire)
        target_uri = origin_of(leaf.target) + asked.target
        if invocation.key != leaf.controller:
            raise ControllerError("signed by another key than the capability's controller")
        invocation.verify(invocation.key, target_uri=target_uri)
        check_links(leaf, root_target=self.root_target)
        chain = verify_chain(leaf, root_target=self.root_target, root_key=self.root_key)
        chain.check_now(self.now_s)
        leaf.check_use(target_uri=target_uri, action=invocation.action)

    def _root(self, invocation: Invocation, asked: Asked) -> None:
        target = target_of_root(invocation.root or "")
        if target != self.root_target:
            raise CapabilityError("another root")
        if invocation.key != self.root_key:
            raise ControllerError("signed by another key than the root's")
        invocation.verify(self.root_key, target_uri=origin_of(target) + asked.target)

    def _revocation(self, invocation: Invocation, asked: Asked) -> None:
        """Judge as where a capability is revoked: every controller of its chain controls the root there."""
        leaf = Capability.from_dict(parse_document(asked.body or b""))
        chain = verify_chain(leaf, root_target=self.root_target, root_key=self.root_key)
        target = revocation_target(self.root_target, leaf.id)
        if invocation.root != root_id(target) or origin_of(self.root_target) + asked.target != target:
            raise CapabilityError("another root")
        if invocation.key not in revokers(chain, root_key=self.root_key):
            raise ControllerError("no controller of the chain")
        invocation.verify(invocation.key, target_uri=target)
        chain.check_now(self.now_s)


def origin_of(target: str) -> str:
    """Return the scheme, host and port of a URL."""
    return "/".join(target.split("/")[:3])
