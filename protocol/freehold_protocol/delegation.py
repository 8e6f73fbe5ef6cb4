"""Verify a chain of capabilities: every link signed by the one before it, every link narrower.

What a ``Chain`` holds can never change, so it may be remembered by the hash of the bytes it came in. What can
change (time, revocation, the grant) is asked of it at every use.

Spec: specs/capabilities.md#chains
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Final

from . import limits
from .canonical import jcs_digest
from .capability import Capability, root_id
from .caveat import Caveat
from .errors import (
    AttenuationError,
    CapabilityError,
    ControllerError,
    ExpiredError,
)
from .keys import PublicKey
from .proof import JCS
from .target import lies_within

_DAY_S: Final = 86_400

LinkMemory = MutableMapping[bytes, str]
"""Maps the SHA-256 of a link's canonical bytes, proof included, to its revocation key, if its proof verified.

That never changes. Whoever keeps one bounds it; it tells nothing of whether a link is still good.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A verified chain.

    Attributes:
        leaf: The capability that is invoked.
        controllers: Who controls each delegated link: the vendor first.
        digests: The revocation key of each delegated link, in the same order.
        ids: The id of each delegated link, in the same order; whoever made a link chose it.
        caveats: Every caveat of every link, each with the revocation key of the link that carries it. What a
            caveat counts is counted under that key, so that delegating further multiplies nothing.
        expires_s: When the first of its links expires.
        created_s: When the last was made.
        generation: The node's mark on the first link.
    """

    leaf: Capability
    controllers: tuple[PublicKey, ...]
    digests: tuple[str, ...]
    ids: tuple[str, ...]
    caveats: tuple[tuple[str, Caveat], ...]
    expires_s: int
    created_s: int
    generation: str | None

    def check_now(self, now_s: int) -> None:
        """Check the times, at every use.

        Raises:
            ExpiredError: now_s is at or past a link's expiry. No skew: the node issued it or bounded it.
            CapabilityError: A link was made in the future.
        """
        if now_s >= self.expires_s:
            raise ExpiredError("the capability has expired")
        if self.created_s > now_s + limits.CLOCK_SKEW_S:
            raise CapabilityError("the capability is made in the future")


def check_links(leaf: Capability, *, root_target: str) -> None:
    """Check that every link lies within the one before, by what the links say, without cryptography.

    Needs nothing but the message itself, so its refusals tell nobody anything about a node.

    Raises:
        AttenuationError: A link allows more, or for longer, than its parent.
        CapabilityError: The chain begins at another root.

    Spec: specs/capabilities.md#narrowing
    """
    if leaf.chain[0] != root_id(root_target):
        raise CapabilityError("the chain begins at another root")
    before: Capability | None = None
    for link in leaf.links:
        if before is None:
            _check_first(link, root_target)
        else:
            _check_narrows(link, before)
        before = link


def _check_signers(links: tuple[Capability, ...], root_key: PublicKey) -> None:
    """Check that each link names the controller of the one before as its signer.

    A name costs nothing to look at, and only under the right one is it worth canonicalizing a graph.
    """
    for link, key in zip(links, (root_key, *(before.controller for before in links)), strict=False):
        if link.signer != key:
            raise ControllerError("a link is signed by another key than the one that controls its parent")


def _verify(link: Capability, memory: LinkMemory | None) -> str:
    """Return the revocation key of a link whose proof verifies, or did before."""
    if memory is None or link.suite == JCS:
        return link.verify()[1]
    bytes_digest = jcs_digest(link.document)
    digest = memory.get(bytes_digest) or link.verify()[1]
    memory[bytes_digest] = digest
    return digest


def verify_chain(
    leaf: Capability, *, root_target: str, root_key: PublicKey, memory: LinkMemory | None = None
) -> Chain:
    """Return the chain if every link is signed by the controller before it and narrows it.

    Args:
        leaf: As parsed, with its parents embedded; 1 to ``limits.MAX_CHAIN_LINKS`` - 1 delegated links.
        root_target: The URL of the grant, at one of its origins.
        root_key: Controls the root: the relationship's serving key.
        memory: Links that verified before, and where those of this chain are added: a proof over a graph costs
            far more than looking it up does, and siblings share their parents.

    Raises:
        SignatureError: A proof does not verify.
        ControllerError: A link is signed by another key than its parent's controller.
        AttenuationError: A link allows more, or for longer, than its parent.
        CapabilityError: The chain is not of this root.
        UnsupportedError: A proof's suite is not supported.

    Spec: specs/capabilities.md#chains
    """
    check_links(leaf, root_target=root_target)
    links = leaf.links
    _check_signers(links, root_key)
    # The first first: a stranger, who cannot have had it signed, costs one proof and no more.
    digests = tuple(_verify(link, memory) for link in links)
    return Chain(
        leaf=leaf,
        controllers=tuple(link.controller for link in links),
        digests=digests,
        ids=tuple(link.id for link in links),
        caveats=tuple(
            (digest, one) for digest, link in zip(digests, links, strict=True) for one in link.caveats
        ),
        expires_s=min(link.expires_s for link in links),
        created_s=max(link.created_s for link in links),
        generation=links[0].generation,
    )


def revokers(chain: Chain, *, root_key: PublicKey) -> frozenset[PublicKey]:
    """Return who may revoke the leaf: the controller of every link of its chain, the root's included.

    They also control the root capability of its ``revocation_target``, which is synthesised for them.

    Args:
        chain: Verified, to the very capability that is to be revoked.
        root_key: Controls the chain's root.

    Spec: specs/capabilities.md#revocation
    """
    return frozenset((root_key, *chain.controllers))


def _check_first(link: Capability, root_target: str) -> None:
    if not lies_within(link.target, root_target):
        raise AttenuationError("the first link is not under its root")
    _check_lifetime(link)


def _check_narrows(link: Capability, before: Capability) -> None:
    """Check one link against its parent.

    Spec: specs/capabilities.md#narrowing
    """
    if not lies_within(link.target, before.target):
        raise AttenuationError("a link's target is not under its parent's")
    if not set(link.actions) <= set(before.actions):
        raise AttenuationError("a link allows an action its parent does not")
    if link.expires_s > before.expires_s:
        raise AttenuationError("a link outlives its parent")
    if link.created_s < before.created_s:
        raise AttenuationError("a link is older than its parent")
    if link.generation is not None:
        raise AttenuationError("only the first link carries the node's mark")
    _check_lifetime(link)


def _check_lifetime(link: Capability) -> None:
    if not link.created_s < link.expires_s <= link.created_s + limits.MAX_CAPABILITY_DAYS * _DAY_S:
        raise AttenuationError(f"a link lives {limits.MAX_CAPABILITY_DAYS} days at most")
