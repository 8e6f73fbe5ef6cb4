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

    def signed(self, method: str, uri: str, body: bytes | None = None, **signing: Any) -> message.Headers:
        """Return the headers of a message by a DID, this one's own if no key is given."""
        given: dict[str, Any] = {"created_s": time.time(), "key": self.key, "tag": message.DID} | signing
        return message.sign(given.pop("key"), given.pop("tag"), method, uri, body=body, **given)

    def invoking(
        self, capability: Document | str, method: str, uri: str, body: bytes | None = None, **signing: Any
    ) -> message.Headers:
        """Return the headers of a message under a capability, signed by this one's key if no other is given."""
        given: dict[str, Any] = {"created_s": time.time(), "key": self.key} | signing
        invoke = message.invoke_ezcap if given.pop("ezcap", False) else message.invoke
        return invoke(given.pop("key"), capability, method, uri, body=body, **given)

    def passed_on(self, held: Document, **link: Any) -> Document:
        """Return a link below a capability that another holds, for this one's key and signed by it."""
        given: dict[str, Any] = {"created_s": time.time(), "expires_s": time.time() + 3_600} | link
        return capabilities.delegate(self.key, held, self.key.did, **given)


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


Knock = Callable[[Stranger, Aim, str, str, bytes | None], message.Headers]
"""From who knocks, at what, with which method, URI and body, to the headers that are sent."""


def _spoiled(headers: message.Headers) -> message.Headers:
    wrong = base64.b64encode(b"\x01" * 64).decode()
    return headers | {"signature": f"sig=:{wrong}:"}


def _forged(who: Stranger, aim: Aim, **link: Any) -> Document:
    return first_link(who.key, who.key.did, aim.root, **link)


def _altered(who: Stranger, aim: Aim) -> Document:
    return aim.held | {"controller": who.key.did}


BY_DID: Final[dict[str, Knock]] = {
    "unknown-did": lambda who, aim, method, uri, body: who.signed(method, uri, body),
    "vendor-of-another-grant": lambda who, aim, method, uri, body: who.signed(
        method, uri, body, key=who.other.key
    ),
}
"""Well signed by a DID that has no say: ``not-found`` wherever a DID may sign."""

BY_CAPABILITY: Final[dict[str, Knock]] = {
    "forged": lambda who, aim, method, uri, body: who.invoking(_forged(who, aim), method, uri, body),
    "forged-for-all-actions": lambda who, aim, method, uri, body: who.invoking(
        _forged(who, aim, actions=["answer", "read", "write"]), method, uri, body
    ),
    "forged-with-the-mark": lambda who, aim, method, uri, body: who.invoking(
        _forged(who, aim, **{GENERATION: aim.held.get(GENERATION)}), method, uri, body
    ),
    "forged-by-ezcap": lambda who, aim, method, uri, body: who.invoking(
        _forged(who, aim), method, uri, body, ezcap=True
    ),
    "forged-and-expired": lambda who, aim, method, uri, body: who.invoking(
        _forged(who, aim, created_s=time.time() - 7200, expires_s=time.time() - 3600), method, uri, body
    ),
    "forged-for-another-target": lambda who, aim, method, uri, body: who.invoking(
        _forged(who, aim, target=f"{aim.root}/elsewhere"), method, uri, body
    ),
    "forged-and-passed-on": lambda who, aim, method, uri, body: who.invoking(
        who.passed_on(_forged(who, aim)), method, uri, body
    ),
    "passed-on-by-a-thief": lambda who, aim, method, uri, body: who.invoking(
        who.passed_on(aim.held), method, uri, body
    ),
    "altered": lambda who, aim, method, uri, body: who.invoking(_altered(who, aim), method, uri, body),
    "of-another-grant": lambda who, aim, method, uri, body: who.invoking(
        who.other.capability, method, uri, body, key=who.other.key
    ),
    "root-by-its-id": lambda who, aim, method, uri, body: who.invoking(
        capabilities.root_id(aim.root), method, uri, body
    ),
}
"""Under a capability that the node did not issue, or not for this: ``not-found``."""

STOLEN: Final[dict[str, Knock]] = {
    "stolen": lambda who, aim, method, uri, body: who.invoking(aim.held, method, uri, body),
    "stolen-by-another-vendor": lambda who, aim, method, uri, body: who.invoking(
        aim.held, method, uri, body, key=who.other.key
    ),
    "stolen-by-ezcap": lambda who, aim, method, uri, body: who.invoking(
        aim.held, method, uri, body, ezcap=True
    ),
}
"""Under a capability of somebody else: ``wrong-controller``."""

UNPROVEN: Final[dict[str, Knock]] = {
    "unsigned": lambda who, aim, method, uri, body: {},
    "unsigned-capability": lambda who, aim, method, uri, body: {
        "capability-invocation": message.invoking(aim.held, "read")
    },
    "spoiled": lambda who, aim, method, uri, body: _spoiled(who.signed(method, uri, body)),
    "spoiled-forgery": lambda who, aim, method, uri, body: _spoiled(
        who.invoking(_forged(who, aim), method, uri, body)
    ),
    "past": lambda who, aim, method, uri, body: who.signed(method, uri, body, created_s=time.time() - 3600),
    "past-forgery": lambda who, aim, method, uri, body: who.invoking(
        _forged(who, aim), method, uri, body, created_s=time.time() - 3600
    ),
    "without-a-nonce": lambda who, aim, method, uri, body: who.signed(method, uri, body, nonce_="x"),
    "of-another-tag": lambda who, aim, method, uri, body: who.signed(method, uri, body, tag=message.OWNER),
    "of-no-tag": lambda who, aim, method, uri, body: who.signed(method, uri, body, tag="other"),
    "in-the-name-of-a-domain": lambda who, aim, method, uri, body: who.signed(
        method, uri, body, keyid="did:web:vendor.example#key-1"
    ),
    "of-another-algorithm": lambda who, aim, method, uri, body: who.signed(
        method, uri, body, alg="rsa-v1_5-sha256"
    ),
    "no-capability": lambda who, aim, method, uri, body: (
        {"capability-invocation": 'zcap capability="AAAA",action="read"'}
        | who.signed(method, uri, body, tag=message.ZCAP)
    ),
}
"""What is refused for what it is, whatever it is sent to."""
