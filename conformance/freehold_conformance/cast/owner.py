"""The owner's tools: what a person does with their node, by the routes of the specification.

Spec: specs/http.md#owner
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..check import Failed, object_of
from ..hands import message
from ..hands.encoding import Document, Json, from_multibase, jcs, strict_json
from ..hands.keys import Key
from ..wire import Answer, Wire

_SECRET_KEY = b"\x80\x26"
"""A Multikey's prefix of an Ed25519 seed."""


@dataclass(frozen=True, slots=True)
class Session:
    """The key by which a node knows its owner, and the origin that the owner's signatures name."""

    key: Key
    origin: str

    @classmethod
    def read(cls, path: Path, origin: str) -> Session:
        """Read a ``session.json``, or a file that holds a secret Multikey alone.

        Raises:
            ValueError: It is neither.
            OSError: It cannot be read.
        """
        data = path.read_bytes()
        if data.lstrip().startswith(b"{"):
            found = strict_json(data)
            text, origin = found.get("key", ""), found.get("origin", origin)
        else:
            text = data.decode("ascii").strip()
        secret = from_multibase(text)
        if len(secret) != 34 or not secret.startswith(_SECRET_KEY):
            raise ValueError("no secret Multikey of Ed25519")
        return cls(Key(secret[2:]), origin)


class Owner:
    """Signs as the owner. Every method raises Failed where the node does not do what it is asked."""

    def __init__(self, wire: Wire, session: Session, passphrase: str) -> None:
        self.wire = wire
        self.session = session
        self.passphrase = passphrase

    async def send(
        self,
        method: str,
        path: str,
        body: Json = None,
        *,
        headers: Mapping[str, str] | None = None,
        key: Key | None = None,
        data: bytes | None = None,
        **signing: Any,
    ) -> Answer:
        """Send a signed request to a path below ``/owner``; ``data`` in place of a body's own bytes."""
        sent = jcs(body) if body is not None and data is None else data
        signed = message.sign(
            key or self.session.key,
            signing.pop("tag", message.OWNER),
            method,
            f"{self.session.origin}/owner{path}",
            created_s=signing.pop("created_s", time.time()),
            body=sent,
            **signing,
        )
        return await self.wire.send(method, f"/owner{path}", signed | dict(headers or {}), sent)

    async def do(self, method: str, path: str, body: Json = None, **more: Any) -> Any:
        """Send, and return the JSON of an answer that must be good; None where it has no body."""
        answer = await self.send(method, path, body, **more)
        if answer.status >= 300:
            code = answer.headers.get("freehold-code", "no code")
            raise Failed(
                f"the owner's {method} {path.partition('?')[0]} was answered {answer.status} ({code})"
            )
        return object_of(answer) if answer.body else None

    # Records

    async def add(self, content: Document) -> str:
        """Add a record; return its id, ``urn:uuid:...``."""
        made = await self.do("POST", "/records", {"content": content})
        return str(made["id"])

    async def show(self, record: str) -> Document:
        found: Document = await self.do("GET", f"/records/{_uuid(record)}")
        return found

    async def edit(self, record: str, content: Document) -> None:
        """Put this in the place of the record's standing content."""
        cid = (await self.show(record))["cid"]
        await self.do("PUT", f"/records/{_uuid(record)}", {"content": content, "previous": cid})

    async def delete(self, record: str) -> None:
        await self.do("DELETE", f"/records/{_uuid(record)}")

    async def choose_self(self, record: str) -> None:
        """Say that a record is about the person, by the passphrase, which it takes where a grant shows more by it."""
        await self.do("PUT", "/self", {"record": record, "passphrase": self.passphrase})

    # Requests

    async def invite(self, label: str = "conformance") -> str:
        """Make an invitation; return its path."""
        made = await self.do("POST", "/invitations", {"label": label})
        return str(made["url"]).removeprefix(self.session.origin)

    async def draft(self, request: str, permissions: Iterable[Document], **more: Json) -> Document:
        """Draw up an approval of a request, by its id."""
        body = {"permissions": list(permissions), **more}
        drawn: Document = await self.do("POST", f"/requests/{request}/draft", body)
        return drawn

    async def approve(self, request: str, permissions: Iterable[Document], **more: Json) -> str:
        """Approve a request with these permissions; return the id of the grant."""
        drawn = await self.draft(request, permissions, **more)
        sent = {"digest": drawn["digest"], "passphrase": self.passphrase}
        return str((await self.do("POST", f"/requests/{request}/approve", sent))["grant"])

    async def refuse(self, request: str, **more: Json) -> None:
        await self.do("POST", f"/requests/{request}/refuse", more)

    # Grants

    async def draw(self, grant: str, change: str, **more: Json) -> Document:
        """Draw up a change of a grant: ``narrow``, ``pause``, ``end`` ..."""
        drawn: Document = await self.do("POST", f"/grants/{grant}/draft", {"change": change, **more})
        return drawn

    async def carry_out(self, grant: str, digest: str, **passphrase: Json) -> Answer:
        """Send the digest of a draft, and the passphrase if one is given."""
        return await self.send("POST", f"/grants/{grant}/change", {"digest": digest, **passphrase})

    async def change(self, grant: str, change: str, **more: Json) -> Document:
        """Carry out a change; return what is said of it."""
        drawn = await self.draw(grant, change, **more)
        sent = {"digest": drawn["digest"]}
        if drawn["passphrase"]:
            sent["passphrase"] = self.passphrase
        done: Document = await self.do("POST", f"/grants/{grant}/change", sent)
        return done

    async def grant(self, grant: str) -> Document:
        """Return the grant as the owner sees it."""
        found: Document = await self.do("GET", f"/grants/{grant}")
        return found

    async def revoke(self, grant: str, **what: Json) -> Document:
        """Cut off a partner, a capability or a permission."""
        done: Document = await self.do("POST", f"/grants/{grant}/revocations", what)
        return done

    async def ledger(self, grant: str) -> list[Document]:
        """Return all entries of a grant's ledger, with their numbers, leaves, bodies and salts."""
        found: list[Document] = []
        while True:
            page = await self.do("GET", f"/grants/{grant}/ledger?first={len(found)}&limit=500")
            found += page["entries"]
            if len(found) >= page["size"] or not page["entries"]:
                return found


def _uuid(record: str) -> str:
    return record.removeprefix("urn:uuid:")
