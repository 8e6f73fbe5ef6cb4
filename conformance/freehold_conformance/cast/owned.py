"""What the owner's routes take and answer, as their table says.

Spec: specs/http.md#owner
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from ..hands.encoding import Document, Json
from ..hands.keys import Key
from .stage import Asked, Shown, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """A record, a request that waits and a grant that is live: things of the owner's that one check may spoil.

    ``carried`` is a request that a browser carried, and the person refused.
    """

    record: Shown
    cid: str
    asked: Asked
    grant: str
    expires: str
    vendor: Key
    digest: str
    carried: Document

    @property
    def ids(self) -> Mapping[str, str]:
        """Return what stands in the paths of the owner's routes."""
        record = self.record.id.removeprefix("urn:uuid:")
        return {"record": record, "request": self.asked.id, "grant": self.grant}

    @property
    def permissions(self) -> list[Document]:
        """Return what was asked for."""
        found: list[Document] = self.asked.request["permission"]
        return found


async def make_estate(stage: Stage) -> Estate:
    """Make one of each kind, and a draft that would end the grant."""
    record = await stage.person(name="Ada", email="ada@example.com")
    wanted = [record.permission("delivery", ["name", "email"])]
    vendor = await stage.relate(wanted)
    asked = await stage.ask(Key.fresh(), wanted)
    connect = {"returnTo": "https://shop.example/", "challenge": secrets.token_urlsafe(24)}
    carried = stage.request(Key.fresh(), wanted, connect=connect)
    await stage.owner.refuse((await stage.owner.do("POST", "/requests", {"request": carried}))["id"])
    return Estate(
        record=record,
        cid=(await stage.owner.show(record.id))["cid"],
        asked=asked,
        grant=vendor.grant,
        expires=(await stage.owner.grant(vendor.grant))["expires"],
        vendor=vendor.key,
        digest=(await stage.owner.draw(vendor.grant, "end"))["digest"],
        carried=carried,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A body: its members as they may be, ``?`` after the name of one that may be absent."""

    method: str
    path: str
    members: Callable[[Estate, str], Document]
    optional: frozenset[str] = frozenset()
    one_of: bool = False

    @property
    def name(self) -> str:
        return f"{self.method} /owner{self.path}"

    def at(self, estate: Estate) -> str:
        """Return the path below ``/owner``."""
        return self.path.format(**estate.ids)


def _form(
    route: str, members: Callable[[Estate, str], Document], *optional: str, one_of: bool = False
) -> Form:
    method, _, path = route.partition(" /owner")
    return Form(method=method, path=path, members=members, optional=frozenset(optional), one_of=one_of)


def _card(_: Estate, __: str) -> Json:
    tag = secrets.token_hex(8)
    card = f"BEGIN:VCARD\r\nVERSION:4.0\r\nUID:urn:x:{tag}\r\nFN:{tag}\r\nEND:VCARD\r\n"
    return {"name": "card.vcf", "data": base64.urlsafe_b64encode(card.encode()).rstrip(b"=").decode()}


_SOON: Final = "2035-01-01T00:00:00Z"
_NO_DIGEST: Final = "A" * 43

FORMS: Final = (
    _form("POST /owner/records", lambda one, _: {"content": one.record.content}),
    _form("PUT /owner/records/{record}", lambda one, _: {"content": one.record.content, "previous": one.cid}),
    _form("PUT /owner/self", lambda one, _: {"record": one.record.id}),
    _form("POST /owner/invitations", lambda *_: {"label": "conformance"}),
    _form("POST /owner/requests", lambda one, _: {"request": one.carried}),
    _form(
        "POST /owner/requests/{request}/draft",
        lambda one, _: {
            "permissions": one.permissions,
            "expires": one.asked.request["expires"],
            "notBefore": one.asked.request["created"],
        },
        "expires",
        "notBefore",
    ),
    _form(
        "POST /owner/requests/{request}/approve",
        lambda _, secret: {"digest": _NO_DIGEST, "passphrase": secret},
    ),
    _form("POST /owner/requests/{request}/refuse", lambda *_: {"reason": "not now"}, "reason"),
    _form("POST /owner/requests/{request}/return", lambda *_: {}),
    _form(
        "POST /owner/grants/{grant}/draft",
        lambda one, _: {
            "change": "narrow",
            "permissions": one.permissions,
            "expires": one.expires,
        },
        "expires",
    ),
    _form("POST /owner/grants/{grant}/change", lambda one, _: {"digest": one.digest}),
    _form(
        "POST /owner/grants/{grant}/revocations",
        lambda one, _: {"partner": one.asked.key.did, "capability": _NO_DIGEST, "permission": "delivery"},
        one_of=True,
    ),
    _form("POST /owner/grants/{grant}/keys", lambda _, secret: {"digest": _NO_DIGEST, "passphrase": secret}),
    _form(
        "POST /owner/revocations", lambda one, _: {"vendor": one.vendor.did, "everything": True}, one_of=True
    ),
    _form(
        "POST /owner/origins",
        lambda one, secret: {"origin": "https://new.example", "grants": [one.grant], "passphrase": secret},
        "grants",
    ),
    _form("POST /owner/backup", lambda _, secret: {"passphrase": secret}),
    _form("POST /owner/export", lambda _, secret: {"passphrase": secret}),
    _form("POST /owner/sample/remove", lambda *_: {}),
    _form("POST /owner/links", lambda *_: {}),
    _form("POST /owner/devices/sign-out", lambda *_: {}),
    _form("POST /owner/passphrase", lambda _, secret: {"passphrase": secret, "new": secret}),
    _form("POST /owner/recovery-sheet", lambda _, secret: {"passphrase": secret}),
    _form("POST /owner/verify", lambda *_: {}),
    _form("POST /owner/clock/confirm", lambda _, secret: {"passphrase": secret}),
)
"""Of every route that takes a body."""

IMPORT_FORMS: Final = (
    _form(
        "POST /owner/import",
        lambda *given: _card(*given) | {"mapping": "", "me": "1", "switch": True},
        *("mapping", "me", "switch"),
    ),
    _form(
        "POST /owner/import/preview",
        lambda *given: _card(*given) | {"mapping": "", "me": "1", "switch": True},
        *("mapping", "me", "switch"),
    ),
    _form("POST /owner/import/mapping", _card),
)
