"""Where a grant is invoked, and under which of the person's keys.

Spec: specs/moving.md#effective
"""

from __future__ import annotations

from collections.abc import Iterable

from freehold_protocol.capability import Capability
from freehold_protocol.grant import Grant
from freehold_protocol.keys import PublicKey

from .person_keys import PersonKeys
from .store.rows import Standing


def origins_of(standing: Standing, grant: Grant) -> tuple[str, ...]:
    """Return every origin at which a grant may be invoked: its own, then those that statements added."""
    return (*grant.origins, *standing.moved.split())


def first_of(own: Iterable[str], standing: Standing, grant: Grant) -> str:
    """Return the first of the node's own origins at which a grant may be invoked; where there is none, the grant's."""
    origins = origins_of(standing, grant)
    return next((origin for origin in own if origin in origins), origins[0])


def root_key_of(leaf: Capability, standing: Standing, grant: Grant, keys: PersonKeys) -> PublicKey:
    """Return the serving key under which a capability says that it was issued, if it ever was one of this grant.

    One of a key that was given up is dead. But who holds it is no stranger, and learns so much.

    Spec: specs/rotation.md#capabilities
    """
    named = leaf.links[0].document["proof"].get("verificationMethod")
    for key_epoch in range(standing.key_epoch):
        former = keys.of(standing.relationship, key_epoch).serving.public
        if former.method == named:
            return former
    return grant.serving_key
