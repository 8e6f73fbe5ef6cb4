"""One person's side of one relationship: keys, grant, capabilities, records and ledger, all made by hand.

Spec: specs/grants.md
"""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ..hands import capability as cap
from ..hands import grant as grants
from ..hands import released
from ..hands.encoding import Document, base64url, cid, jcs, sha256, xsd_time
from ..hands.keys import Key
from ..hands.log import Log
from ..hands.merkle import digest_under

DAY_S: Final = 86_400
GENERATION: Final = "https://w3id.org/freehold/v1#generation"
DELIVERY: Final = "delivery"
CIRCLE: Final = "circle"


def asked_permissions(partner: str) -> list[Document]:
    """Return what the client is told to ask for: something about the person, and a list of people."""
    return [
        {
            "name": DELIVERY,
            "items": [
                {"type": "Person", "about": "self", "fields": ["name", "address.postalCode", "telephone"]}
            ],
            "purpose": ["dpv:DeliveryOfGoods"],
            "retention": "P30D",
            "recipients": [partner],
            "limits": {"rate": {"reads": 1000, "per": "P1D"}},
        },
        {
            "name": CIRCLE,
            "items": [{"type": "Person", "about": "any", "fields": ["name"], "newRecords": True}],
            "purpose": ["dpv:CustomerCare"],
            "retention": "P30D",
        },
    ]


def given_permissions(
    asked: Sequence[Document], *, fields: Sequence[str] = ("name", "address.postalCode")
) -> Any:
    """Return the same with these fields only in the first of them."""
    first, *others = asked
    item = {**first["items"][0], "fields": list(fields)}
    return [{**first, "items": [item]}, *others]


def made_up_person() -> Document:
    """Return a record that nobody can guess: a client that names its values has read them."""
    word = secrets.token_hex(4)
    return {
        "type": "Person",
        "name": f"Ada {word}",
        "telephone": f"+44 20 7946 {secrets.randbelow(10_000):04d}",
        "address": {"type": "PostalAddress", "postalCode": f"EX{secrets.randbelow(90) + 10} 2AB"},
    }


def drawn_mark() -> str:
    """Return a mark of a generation that no other has: ``z`` and 40 letters and digits of base58btc."""
    return "z" + secrets.token_hex(20).replace("0", "1")


@dataclass(slots=True)
class Relation:
    """What the node of one person holds of one vendor."""

    request: Document
    origin: str
    decision: Key = field(default_factory=Key.fresh)
    serving: Key = field(default_factory=Key.fresh)
    alias_key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    log: Log = field(default_factory=Log)
    versions: list[Document] = field(default_factory=list)
    statements: list[Document] = field(default_factory=list)
    issued: list[Document] = field(default_factory=list)
    revoked: set[str] = field(default_factory=set)
    records: dict[str, Document] = field(default_factory=dict)
    epoch: int = 0
    mark: str = field(default_factory=drawn_mark)

    def __post_init__(self) -> None:
        for _ in range(4):
            self.records[f"urn:uuid:{uuid.uuid4()}"] = made_up_person()

    # What is decided

    @property
    def vendor(self) -> str:
        did: str = self.request["assignee"]["id"]
        return did

    @property
    def standing(self) -> Document:
        return self.versions[-1]

    @property
    def state(self) -> str:
        return str(self.standing["state"]) if self.versions else "waiting"

    @property
    def path(self) -> str:
        """Of the grant: ``/g/`` and its UUID."""
        return "/g/" + str(self.standing["id"]).removeprefix("urn:uuid:")

    def first_draft(self, **members: Any) -> Document:
        """Return the first version as an honest person gives it, not signed."""
        now_s = time.time()
        told = {
            "origins": [self.origin],
            "permissions": given_permissions(self.request["permission"]),
            "created_s": now_s,
            "expires_s": now_s + 20 * DAY_S,
        } | members
        return grants.first_version(
            self.request, decision=self.decision, serving=self.serving, log=self.log.origin, **told
        )

    def approve(self, draft: Document | None = None, *keys: Key) -> None:
        """Give the grant: the honest first version, or this one, signed by these keys."""
        draft = draft or self.first_draft()
        self.add(grants.signed(draft, *(keys or (self.decision,))), "approve")

    def change(self, change: str, *keys: Key, **members: Any) -> Document:
        """Make the next version, signed by these keys (the decision key if none is given), with its entry."""
        draft = grants.next_version(self.standing, created_s=time.time(), **members)
        self.epoch += 1
        return self.add(grants.signed(draft, *(keys or (self.decision,))), change)

    def narrow(self) -> Document:
        """Take the postal code away."""
        permissions = given_permissions(self.request["permission"], fields=["name"])
        return self.change("narrow", self.serving, permission=permissions)

    def rotate(self) -> Document:
        """Go on under two new keys.

        Spec: specs/rotation.md#version
        """
        before, self.decision, self.serving = self.decision, Key.fresh(), Key.fresh()
        made = self.change(
            "rotate", before, self.decision, assigner=self.decision.did, servingKey=self.serving.did
        )
        self.statements = [
            grants.moved(made, self.decision, one["origins"], created_s=time.time())
            for one in self.statements
            if one["type"] == "Moved"
        ]
        return made

    def add(self, version: Document, change: str) -> Document:
        """Append a version and the entry of the change."""
        self.versions.append(version)
        self._log_change(change)
        return version

    def move(self, origin: str) -> Document:
        """State that the grant is reached at this origin too."""
        made = grants.moved(self.standing, self.decision, [origin], created_s=time.time())
        self.statements.append(made)
        self._log_change("move", statement=cid(made))
        return made

    def _log_change(self, change: str, **members: str) -> None:
        standing = self.standing
        told = {"grant": cid(standing), "version": standing["version"], "epoch": self.epoch}
        self.log.append("changed", time.time(), change=change, **told, **members)

    # What is issued

    def issue(
        self,
        *,
        key: Key | None = None,
        lives_s: float = 7 * DAY_S,
        origin: str | None = None,
        path: str | None = None,
        known: bool = True,
        **members: Any,
    ) -> Document:
        """Return a capability for the vendor; ``members`` take the place of those of an honest one.

        Args:
            key: Who signs, if not the serving key.
            lives_s: Seconds until it ends.
            origin: Where it is good, if not at the node's own.
            path: Of the grant that it is for, if not this one's.
            known: Whether the node will let it pass.
            members: Of the capability.
        """
        now_s = time.time()
        target = (origin or self.origin) + (path or self.path)
        made = cap.delegate(
            key or self.serving,
            {"id": cap.root_id(target), "invocationTarget": target, "allowedAction": ["read"]},
            members.pop("controller", self.vendor),
            created_s=now_s,
            expires_s=now_s + lives_s,
            chain=[cap.root_id(target)],
            **{GENERATION: self.mark} | members,
        )
        if known:
            self.issued.append(made)
        return made

    # What is released

    def permission(self, name: str) -> Document | None:
        """Return the permission that is given under a name."""
        return next((one for one in self.standing["permission"] if one["name"] == name), None)

    def alias(self, record: str) -> str:
        return released.alias(self.alias_key, record)

    def shown(self, permission: str, fields: Sequence[str] | None = None) -> list[Document]:
        """Return what a permission shows, each record released and signed."""
        given = self.permission(permission)
        if given is None:
            return []
        item = given["items"][0]
        records = list(self.records.items())
        return [
            released.document(
                content,
                alias=self.alias(record),
                fields=item["fields"] if fields is None else fields,
                key=self.serving,
            )
            for record, content in (records if item.get("about") == "any" else records[:1])
        ]

    def admit(self, document: Document, **told: Any) -> int:
        """Append the entry that binds what was released, a signed document, and return its number.

        ``told`` are the members of the entry that the request decides; ``raw_query`` is the query as sent.
        """
        salt = self.log.next_salt()
        query = told.pop("raw_query", "")
        if query:
            told["query"] = digest_under(salt, query.encode())
        bound = jcs(released.unsigned(document))
        items = document["items"] if document.get("type") == "ReleasedPage" else [document]
        members = {
            "action": "read",
            "count": len(items),
            "version": self.standing["version"],
            "released": digest_under(salt, bound),
            "status": 200,
        } | told
        return self.log.append("admitted", time.time(), salt, **members)

    # What is told

    def told(self) -> Document:
        """Return what the vendor is told of the grant."""
        return {
            "receipt": grants.receipt(self.request, self.versions),
            "checkpoint": self.log.note(self.serving),
            "statements": list(self.statements),
        }

    def approval(self) -> Document:
        """Return the answer to a vendor whose request was approved."""
        made = {"status": "approved", "grant": self.origin + self.path, **self.told()}
        if self.state == "live":
            return made | {"capability": self.issue()}
        return made | {"code": f"grant-{self.state}"}


def signature_digest(signature: bytes) -> str:
    """Return what an entry says of the signature of an invocation."""
    return base64url(sha256(signature))


def until_s(days: float) -> str:
    """Return the time in so many days."""
    return xsd_time(time.time() + days * DAY_S)
