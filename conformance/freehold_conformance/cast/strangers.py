"""Who has no say at a grant, and what such a one can send: the same to a grant that exists and to one that does not.

Spec: specs/http.md#what-a-stranger-learns
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ..hands import capability as capabilities
from ..hands import message
from ..hands.encoding import Document
from ..hands.keys import Key
from .holder import Holder
from .stage import DAY_S

GENERATION: Final = "https://w3id.org/freehold/v1#generation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What a stranger's message is about.

    Attributes:
        held: A capability of this grant: the real one, or one of a grant that does not exist, of the same form.
    """

    origin: str
    grant: str
    held: Document

    @property
    def root(self) -> str:
        """The target of the grant's root capability."""
        return f"{self.origin}/g/{self.grant}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranger:
    """A key that nobody knows, and one that holds a capability of another grant of the same node."""

    key: Key
    other: Holder


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a stranger is about to send.

    Attributes:
        uri: What is signed, and where it is sent.
    """

    who: Stranger
    aim: Aim
    method: str
    uri: str
    body: bytes | None = None

    def signed(self, **signing: Any) -> message.Headers:
        """Return the headers by a DID, the stranger's own if no key is given."""
        given: dict[str, Any] = {"created_s": time.time(), "key": self.who.key, "tag": message.DID} | signing
        key, tag = given.pop("key"), given.pop("tag")
        return message.sign(key, tag, self.method, self.uri, body=self.body, **given)

    def invoking(self, capability: Document | str, **signing: Any) -> message.Headers:
        """Return the headers under a capability, signed by the stranger's key if no other is given."""
        given: dict[str, Any] = {"created_s": time.time(), "key": self.who.key} | signing
        invoke = message.invoke_ezcap if given.pop("ezcap", False) else message.invoke
        return invoke(given.pop("key"), capability, self.method, self.uri, body=self.body, **given)

    def forged(self, **link: Any) -> Document:
        """Return a capability of the grant that the stranger signed itself."""
        return first_link(self.who.key, self.who.key.did, self.aim.root, **link)

    def passed_on(self, held: Document) -> Document:
        """Return a link below a capability that another holds, for the stranger's key and signed by it."""
        now = time.time()
        return capabilities.delegate(
            self.who.key, held, self.who.key.did, created_s=now, expires_s=now + 3_600
        )


def first_link(key: Key, controller: str, root: str, **link: Any) -> Document:
    """Return a capability that looks as if a node had issued it at this root, signed by key."""
    parent: Document = {
        "id": capabilities.root_id(root),
        "invocationTarget": root,
        "allowedAction": ["read"],
    }
    now = time.time()
    given: dict[str, Any] = {"created_s": now, "expires_s": now + 7 * DAY_S, "chain": [parent["id"]]} | link
    return capabilities.delegate(key, parent, controller, **given)


def look_alike(real: Document, root: str) -> Document:
    """Return a capability of the same form as a real one, at a root that no node has."""
    return first_link(Key.fresh(), Key.fresh().did, root, **{GENERATION: real.get(GENERATION)})


Knock = Callable[[Letter], message.Headers]
"""From what is about to be sent to the headers that it is sent with."""


def _spoiled(headers: message.Headers) -> message.Headers:
    wrong = base64.b64encode(b"\x01" * 64).decode()
    return headers | {"signature": f"sig=:{wrong}:"}


BY_DID: Final[dict[str, Knock]] = {
    "unknown-did": lambda one: one.signed(),
    "vendor-of-another-grant": lambda one: one.signed(key=one.who.other.key),
}
"""Well signed by a DID that has no say: ``not-found`` wherever a DID may sign."""

BY_CAPABILITY: Final[dict[str, Knock]] = {
    "forged": lambda one: one.invoking(one.forged()),
    "forged-for-all-actions": lambda one: one.invoking(one.forged(actions=["answer", "read", "write"])),
    "forged-with-the-mark": lambda one: one.invoking(
        one.forged(**{GENERATION: one.aim.held.get(GENERATION)})
    ),
    "forged-by-ezcap": lambda one: one.invoking(one.forged(), ezcap=True),
    "forged-and-expired": lambda one: one.invoking(
        one.forged(created_s=time.time() - 7200, expires_s=time.time() - 3600)
    ),
    "forged-for-another-target": lambda one: one.invoking(one.forged(target=f"{one.aim.root}/elsewhere")),
    "forged-and-passed-on": lambda one: one.invoking(one.passed_on(one.forged())),
    "passed-on-by-a-thief": lambda one: one.invoking(one.passed_on(one.aim.held)),
    "altered": lambda one: one.invoking(one.aim.held | {"controller": one.who.key.did}),
    "of-another-grant": lambda one: one.invoking(one.who.other.capability, key=one.who.other.key),
    "root-by-its-id": lambda one: one.invoking(capabilities.root_id(one.aim.root)),
}
"""Under a capability that the node did not issue, or not for this: ``not-found``."""

STOLEN: Final[dict[str, Knock]] = {
    "stolen": lambda one: one.invoking(one.aim.held),
    "stolen-by-another-vendor": lambda one: one.invoking(one.aim.held, key=one.who.other.key),
    "stolen-by-ezcap": lambda one: one.invoking(one.aim.held, ezcap=True),
}
"""Under a capability of somebody else: ``wrong-controller``."""

UNPROVEN: Final[dict[str, Knock]] = {
    "unsigned": lambda _: {},
    "unsigned-capability": lambda one: {"capability-invocation": message.invoking(one.aim.held, "read")},
    "spoiled": lambda one: _spoiled(one.signed()),
    "spoiled-forgery": lambda one: _spoiled(one.invoking(one.forged())),
    "past": lambda one: one.signed(created_s=time.time() - 3600),
    "past-forgery": lambda one: one.invoking(one.forged(), created_s=time.time() - 3600),
    "without-a-nonce": lambda one: one.signed(nonce_="x"),
    "of-another-tag": lambda one: one.signed(tag=message.OWNER),
    "of-no-tag": lambda one: one.signed(tag="other"),
    "in-the-name-of-a-domain": lambda one: one.signed(keyid="did:web:vendor.example#key-1"),
    "of-another-algorithm": lambda one: one.signed(alg="rsa-v1_5-sha256"),
    "no-capability": lambda one: (
        {"capability-invocation": 'zcap capability="AAAA",action="read"'} | one.signed(tag=message.ZCAP)
    ),
}
"""What is refused for what it is, whatever it is sent to."""
