"""What a request leaves behind: one entry if it was admitted, a count if it was refused, and nothing else.

Spec: specs/ledger.md#entries
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..check import Failed, expect, expect_equal, expect_problem, expect_status, object_of
from ..hands import capability as capabilities
from ..hands import merkle
from ..hands.encoding import Document, base64url, jcs, sha256
from ..hands.released import unsigned
from ..wire import Answer
from .holder import Holder

_SIGNATURE = re.compile(r'(?:sig=:|signature=")([A-Za-z0-9+/=]+)')
_ROUTE = re.compile(r"/g/\{[a-z]+\}/\{[a-z]+\}/records(/\{[a-z]+\})?")
_OF_DATA = {"etag", "freehold-entry"}
"""Headers that only an admission has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request under a capability, and what was answered.

    Attributes:
        below: The path and query below the grant.
        signature: The SHA-256 of its signature, by which the ledger names it.
    """

    holder: Holder
    method: str
    below: str
    action: str
    signature: str
    answer: Answer

    @property
    def permission(self) -> str:
        return self.below.split("/")[1]


def signature_digest(headers: Mapping[str, str]) -> str:
    """Return what the ledger calls a signed request, of either form, by its headers."""
    found = _SIGNATURE.search(headers.get("signature") or headers.get("authorization", ""))
    if found is None:
        raise ValueError("not signed")
    return base64url(sha256(base64.b64decode(found[1])))


async def send(
    holder: Holder,
    below: str,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
    to: str | None = None,
    **signing: Any,
) -> Sent:
    """Send a request under a holder's capability; ``to`` is the target on the wire, if not the one that is signed."""
    target = holder.path(below)
    signed = holder.signed(method, target, **signing)
    answer = await holder.wire.send(method, to or target, signed | dict(headers or {}), signing.get("body"))
    action = signing.get("action", "read")
    name = signature_digest(signed)
    return Sent(holder=holder, method=method, below=below, action=action, signature=name, answer=answer)


def expect_admitted(
    ledger: Iterable[Document],
    sent: Sent,
    *,
    fields: Iterable[str],
    count: int,
    version: int,
    page: Document | None = None,
    status: int = 200,
) -> Document:
    """Check that a ledger has one entry of this request, and that it says what was read; return the entry.

    Args:
        ledger: As its owner sees it.
        sent: What must have been admitted.
        fields: That are shown.
        count: Of records.
        version: Of the grant.
        page: What was released, where the answer has no body.
        status: 200, or 304 where nothing had changed.
    """
    expect_status(sent.answer, status)
    found = [one for one in ledger if one["entry"].get("signature") == sent.signature]
    expect_equal(len(found), 1, "entries of an admitted request")
    entry: Document = found[0]["entry"]
    salt = found[0]["salt"]
    query = sent.below.partition("?")[2]
    released = page if page is not None else object_of(sent.answer)
    wanted = {
        "kind": "admitted",
        "who": sent.holder.key.did,
        "chain": capabilities.digests(sent.holder.capability),
        "action": sent.action,
        "permission": sent.permission,
        "method": sent.method,
        "count": count,
        "version": version,
        "status": status,
        "query": merkle.digest_under(salt, query.encode()) if query else None,
        "released": merkle.digest_under(salt, jcs(unsigned(released))),
    }
    expect_equal({name: entry.get(name) for name in wanted}, wanted, "the entry of an admitted request")
    expect_equal(sorted(entry["fields"]), sorted(fields), "the entry's fields")
    expect(_ROUTE.fullmatch(entry["route"]) is not None, f"the entry's route {entry['route']!r}")
    named = sent.answer.headers.get("freehold-entry")
    expect_equal(named, str(entry["number"]), "Freehold-Entry")
    return entry


def expect_refused(sent: Sent, status: int, *codes: str, hidden: Iterable[str] = ()) -> None:
    """Check that a request was refused and that nothing came with the refusal; ``hidden`` are values of records."""
    expect_no_data(sent.answer, hidden)
    if sent.method == "HEAD":
        expect_status(sent.answer, status)
        code = sent.answer.headers.get("freehold-code")
        expect(code in codes, f"the code {code!r} instead of {' or '.join(codes)}")
        return
    expect_problem(sent.answer, status, *codes)


def expect_no_data(answer: Answer, hidden: Iterable[str] = ()) -> None:
    """Check that an answer has nothing that only an admission has, and none of these values."""
    expect(answer.status >= 400, f"status {answer.status} in the place of a refusal")
    expect(not _OF_DATA & answer.headers.keys(), "a refusal with the headers of an admission")
    whole = answer.body + repr(answer.raw_headers).encode()
    expect(not any(value.encode() in whole for value in hidden), "a refusal that holds a value of a record")


def expect_not_admitted(ledger: Iterable[Document], sent: Sent) -> None:
    """Check that a ledger has no entry of this request."""
    if any(one["entry"].get("signature") == sent.signature for one in ledger):
        raise Failed("a refused request has an entry that says it was admitted")


def expect_counted(ledger: Iterable[Document], sent: Sent, code: str, *, known: bool = True) -> None:
    """Check that a proven holder's refusal is counted, under the capability that the node issued.

    ``known`` says whether the holder is the vendor or a recipient; all others count as one.

    Spec: specs/ledger.md#entries
    """
    first = capabilities.digests(sent.holder.capability)[0]
    who = sent.holder.key.did
    found = [
        one["entry"]
        for one in ledger
        if one["entry"]["kind"] == "refused"
        and one["entry"]["code"] == code
        and one["entry"]["chain"][0] == first
    ]
    counted = any(one["who"] == who for one in found) if known else bool(found)
    expect(counted, f"the refusal {code} of a proven holder is not in the ledger")
