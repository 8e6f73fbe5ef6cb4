"""What can go wrong on the way, on demand: each makes the vendor library raise what it would raise then.

::

    person.next_answer(faults.unavailable(retry_after_s=30))
    with pytest.raises(UnavailableError):
        await access.read("delivery")

===================  ================================================  ========================================
fault                what happens                                      what the vendor sees
===================  ================================================  ========================================
``unreachable``      no connection; the node has seen nothing          ``UnreachableError``
``lost``             the node did as it was asked, and the connection  ``UnreachableError``; a read has its entry
                     broke
``slow``             the answer takes long                             ``UnreachableError``, if over 15 s
``unavailable``      the node cannot decide now                        ``UnavailableError``; ``problem_of`` says
                                                                       when to come again
``refused``          any refusal by its code                           the error of that code
``not_a_node``       something else answers, such as a hotel's page    ``MalformedError``
``forged_release``   what is released is signed by another             ``SignatureError``
``swapped_release``  what is released is not what the ledger says      ``ReleaseError``
``rolled_back``      the ledger is not the one shown before            ``RolledBackError``
===================  ================================================  ========================================

A fault takes the next answer that it can be about: releases, the ledger, or any. The library's own repeats of
what did not arrive are over by then. What a fault refuses or withholds, the person's ledger does not tell.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from freehold_protocol.canonical import jcs, jcs_digest, without_proof
from freehold_protocol.encoding import Document, base64url_encode
from freehold_protocol.errors import BY_CODE
from freehold_protocol.keys import SigningKey
from freehold_protocol.proof import sign_document
from freehold_protocol.released import PAGE_TYPE

from ..errors import UnreachableError
from .messages import Call, Reply, problem, status_of, wait_of
from .node import PretendNode
from .routes import answer

_PATIENCE_S: Final = 15.0
_ANY: Final = re.compile("")
_RELEASE: Final = re.compile(r"GET .*/records")
_LEDGER: Final = re.compile(r"GET .*/ledger/(?:entries/|checkpoint)")
_STRANGER: Final = SigningKey(b"\x7f" * 32)
_TOLD: Final = frozenset({"@context", "id", "type", "issuer"})
no_answer: Final = "the node cannot be reached, or the connection broke"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """One request on its way to a node; ``honest`` gives the node's own answer."""

    node: PretendNode
    call: Call
    honest: Callable[[], Awaitable[Reply]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that goes wrong with one answer.

    Attributes:
        happen: Gives what comes back, or raises what the vendor's transport would.
        about: Which requests it can be about, as ``GET /g/...``.
    """

    happen: Callable[[Situation], Awaitable[Reply]]
    about: re.Pattern[str] = field(default=_ANY)


def unreachable() -> Fault:
    """No connection: the node has seen nothing."""

    async def happen(_: Situation) -> Reply:
        raise UnreachableError(no_answer)

    return Fault(happen=happen)


def lost() -> Fault:
    """The node does as it is asked, and its answer does not arrive: a read is in the ledger all the same."""

    async def happen(situation: Situation) -> Reply:
        await situation.honest()
        raise UnreachableError(no_answer)

    return Fault(happen=happen)


def slow(seconds: float) -> Fault:
    """The answer takes so many seconds of the clock; 15 and more are too many, on top of a wait asked for."""

    async def happen(situation: Situation) -> Reply:
        made, patience_s = await situation.honest(), _PATIENCE_S + wait_of(situation.call)
        situation.node.clock.advance(min(seconds, patience_s))
        if seconds >= patience_s:
            raise UnreachableError("no answer came in time") from TimeoutError()
        return made

    return Fault(happen=happen)


def refused(code: str, detail: str = "as the test wanted it") -> Fault:
    """The node refuses with this code, see specs/errors.md. Raises KeyError if there is no such code."""
    status = status_of(BY_CODE[code])
    return _instead(problem(status, code, detail))


def unavailable(retry_after_s: int = 5) -> Fault:
    """The node cannot make its decision durable, and says when to come again."""
    return _instead(problem(503, "unavailable", "try again", retry_after_s=retry_after_s))


def not_a_node() -> Fault:
    """Something answers that is no node, as in a hotel's network."""
    page = b"<!doctype html><title>Welcome</title>"
    return _instead(Reply(status=200, headers={"content-type": "text/html"}, body=page))


def forged_release() -> Fault:
    """What is released is signed by another key than the grant's."""

    def forge(document: Document, _: SigningKey) -> Document:
        return sign_document(without_proof(document), _STRANGER)

    return _released(forge)


def swapped_release() -> Fault:
    """What is released is signed as it must be, and is something else than the ledger says."""

    def swap(document: Document, key: SigningKey) -> Document:
        if document["type"] == PAGE_TYPE:
            return sign_document({**without_proof(document), "items": []}, key)
        told = {name: value for name, value in document.items() if name in _TOLD}
        return sign_document({**told, "version": base64url_encode(jcs_digest(told))}, key)

    return _released(swap)


def rolled_back() -> Fault:
    """The ledger that is shown, signed as it must be, is not a continuation of the one shown before."""

    async def happen(situation: Situation) -> Reply:
        node, call = situation.node, situation.call
        with node.lock:
            grant = node.grants.get(call.path.split("/")[2])
            if grant is None:
                return answer(node, call)
            honest, grant.ledger = grant.ledger, grant.ledger.forked()
            try:
                return answer(node, call)
            finally:
                grant.ledger = honest

    return Fault(happen=happen, about=_LEDGER)


def _instead(made: Reply) -> Fault:
    async def happen(_: Situation) -> Reply:
        return made

    return Fault(happen=happen)


def _released(alter: Callable[[Document, SigningKey], Document]) -> Fault:
    """Alter what is released, if anything is; the entry in the ledger stays honest."""

    async def happen(situation: Situation) -> Reply:
        made = await situation.honest()
        if made.status != 200:
            return made
        key = situation.node.grants[situation.call.path.split("/")[2]].keys.serving
        return Reply(status=200, headers=made.headers, body=jcs(alter(made.document(), key)))

    return Fault(happen=happen, about=_RELEASE)
