"""What a client may never send, in whatever situation it is.

Spec: specs/clients.md
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from .node import Seen

Fault = tuple[str, str]
"""A requirement, and what was done against it."""


def faults_on_the_wire(sent: Sequence[Seen], *, most: int) -> list[Fault]:
    """Return what is wrong with these requests, the first fault first."""
    faults = [fault for one in sent for fault in _faults_of(one)]
    nonces = Counter((one.heard.keyid, one.heard.nonce) for one in sent if one.heard is not None)
    faults += [("INV-8", "a nonce was used twice") for count in nonces.values() if count > 1]
    if len(sent) > most:
        faults.append(("CLT-7", f"{len(sent)} requests, where {most} are plenty"))
    return faults


def _faults_of(one: Seen) -> list[Fault]:
    came, heard = one.came, one.heard
    faults: list[Fault] = list(heard.faults) if heard is not None else []
    if heard is None and came.path.startswith(("/g/", "/requests/")):
        faults.append(("INV-1", f"{came.method} of a path that takes a signature came without one"))
    if came.header("cookie") is not None:
        faults.append(("CLT-3", "a cookie was sent"))
    if came.header("host") != came.origin.partition("://")[2]:
        faults.append(("CLT-2", "Host is not the address that was asked"))
    if len(came.headers) != len({name for name, _ in came.headers}):
        faults.append(("SIG-5", "a header came twice"))
    if came.body and (came.header("content-type") or "").partition(";")[0] not in (
        "application/json",
        "application/ld+json",
    ):
        faults.append(("HTTP-3", "a body that is not called JSON"))
    capability = heard.capability if heard is not None else None
    if heard is not None and capability is not None and capability.get("controller") != heard.did:
        faults.append(("INV-12", "the signer does not control the capability"))
    if capability is not None and not (came.origin + came.target).startswith(capability["invocationTarget"]):
        faults.append(("CLT-2", "a capability was sent to an address that it is not for"))
    return faults
