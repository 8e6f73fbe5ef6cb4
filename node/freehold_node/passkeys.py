"""Passkeys: keys in the person's devices, made for this node alone, by which they sign in and prove who they are.

A passkey belongs to a name (WebAuthn's relying party), so there are none where the dashboard is opened under a bare
address. What a browser brings is checked by the library ``fido2``; what it answers to is an unguessable challenge,
for one purpose, one browser or session, five minutes, and once.

Spec: specs/node/dashboard.md#passkeys
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialParameters,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from freehold_protocol.encoding import Document, base64url_decode, base64url_encode
from freehold_protocol.errors import MalformedError

from .ambient import Ambient
from .challenges import CHALLENGE_US, Challenges, PasskeyError
from .store.rows import PasskeyRow
from .store.store import Store, Transactor

T = TypeVar("T")
MAX_ANSWER_CHARS: Final = 32 * 1024
"""Of what a browser brings; with a certificate of the device's maker it has about 6,000."""
MAX_PASSKEYS: Final = 20
MAX_NAME_CHARS: Final = 60
_MAX_KEY_BYTES: Final = 4096
_ES256, _EDDSA, _RS256 = -7, -8, -257
_ALGORITHMS: Final = (_ES256, _EDDSA, _RS256)
"""As COSE numbers them, the one that is preferred first."""
_BROKEN: Final = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, AssertionError, RecursionError, OverflowError,
    struct.error, InvalidSignature, UnsupportedAlgorithm,
)  # fmt: skip
"""What the library raises for an answer that is not of its form, or not true."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What a browser is asked, as WebAuthn has it in JSON, and the ticket that it gives back with the answer."""

    ticket: str
    options: Document


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """What is kept of a passkey: the name it belongs to, its key, and how often it was used by its own account."""

    host: str
    counter: int
    credential: AttestedCredentialData

    @classmethod
    def from_bytes(cls, data: bytes) -> _Kept:
        found = json.loads(data)
        credential = AttestedCredentialData(base64url_decode(found["credential"]))
        return cls(host=found["host"], counter=found["counter"], credential=credential)

    def to_bytes(self) -> bytes:
        credential = base64url_encode(bytes(self.credential))
        return json.dumps({"host": self.host, "counter": self.counter, "credential": credential}).encode()


def host_of(origin: str) -> str | None:
    """Return the name that passkeys of an origin belong to; None where it is opened under a bare address."""
    host = urlsplit(origin).hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host or None
    return None


def host_of_row(row: PasskeyRow) -> str:
    """Return the name that a passkey belongs to."""
    return _Kept.from_bytes(row.credential).host


class Passkeys:
    """The passkeys of one owner."""

    def __init__(self, store: Store, ambient: Ambient, *, owner: str) -> None:
        self._store, self._ambient, self._owner = store, ambient, owner
        self._challenges = Challenges(ambient)
        self._handle = hashlib.sha256(b"freehold/passkey\0" + owner.encode()).digest()

    async def listed(self) -> list[PasskeyRow]:
        """Return every passkey, the oldest first."""
        return await self._store.read(lambda reader: reader.passkeys(self._owner))

    async def any_of(self, origin: str) -> bool:
        """Return whether there is one that works at this address."""
        return bool(await self._of_host(origin))

    # Adding

    async def begin_adding(self, origin: str, session: str) -> Begun:
        """Return what a browser needs to have a device make a passkey; the devices that have one are left out."""
        name, server = urlsplit(origin).netloc, _server(origin)
        known = [one.credential for one in await self._of_host(origin)]
        ticket, challenge = self._challenges.new("add", session)
        user = PublicKeyCredentialUserEntity(id=self._handle, name=name, display_name=f"Freehold ({name})")
        options, _ = server.register_begin(
            user,
            known,
            resident_key_requirement=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.REQUIRED,
            challenge=challenge,
        )
        return Begun(ticket=ticket, options=_plain(options.public_key))

    async def add(self, origin: str, session: str, ticket: str, answer: str, *, name: str) -> None:
        """Take up the passkey that a device made. Raises PasskeyError."""
        challenge = self._challenges.of(ticket, "add", session)
        made, counter = _checked(answer, lambda found: _made(_server(origin), challenge, found))
        self._challenges.use_up(ticket)
        kept = _Kept(host=host_of(origin) or "", counter=counter, credential=made)
        now_us = self._ambient.clock.now_us()
        row = PasskeyRow(
            id=self._ambient.new_uuid(),
            name=_name(name),
            credential=kept.to_bytes(),
            created_us=now_us,
            used_us=None,
        )

        def write(tx: Transactor) -> None:
            rows = tx.passkeys(self._owner)
            if len(rows) >= MAX_PASSKEYS:
                raise PasskeyError("many")
            if any(_id_of(one) == made.credential_id for one in rows):
                raise PasskeyError("known")
            tx.put_passkey(self._owner, row)
            tx.log_action(self._owner, time_us=now_us, action="add-passkey", subject=row.id)

        await self._store.write(write)

    # Using

    async def begin_using(self, origin: str, session: str | None) -> Begun:
        """Return what a browser needs to have a passkey used; without a session, nothing of which there are."""
        server = _server(origin)
        known = [one.credential for one in await self._of_host(origin)] if session else None
        ticket, challenge = self._challenges.new("prove" if session else "enter", session or "")
        options, _ = server.authenticate_begin(
            known, user_verification=UserVerificationRequirement.REQUIRED, challenge=challenge
        )
        return Begun(ticket=ticket, options=_plain(options.public_key))

    async def use(self, origin: str, session: str | None, ticket: str, answer: str) -> str:
        """Make sure of the person by what a device signed; return by which passkey, its id. Raises PasskeyError."""
        rows = await self.listed()
        known = {row.id: _Kept.from_bytes(row.credential) for row in rows}
        challenge = self._challenges.of(ticket, "prove" if session else "enter", session or "")
        here = {id_: one for id_, one in known.items() if one.host == host_of(origin)}
        used, counter = _checked(answer, lambda found: self._used(_server(origin), challenge, here, found))
        self._challenges.use_up(ticket)
        await self._note(used, counter)
        return used

    def _used(
        self, server: Fido2Server, challenge: bytes, known: dict[str, _Kept], found: Document
    ) -> tuple[str, int]:
        """Return which passkey it was, and the count it gives. Raises PasskeyError or what ``_BROKEN`` names."""
        response = AuthenticationResponse.from_dict(found)
        handle = response.response.user_handle
        by_id = {one.credential.credential_id: id_ for id_, one in known.items()}
        if response.raw_id not in by_id or (handle is not None and bytes(handle) != self._handle):
            raise PasskeyError("unknown")
        if response.response.client_data.cross_origin:
            raise PasskeyError("wrong")
        server.authenticate_complete(_state(challenge), [one.credential for one in known.values()], response)
        return by_id[response.raw_id], response.response.authenticator_data.counter

    async def _note(self, passkey: str, counter: int) -> None:
        now_us = self._ambient.clock.now_us()

        def write(tx: Transactor) -> None:
            row = next((one for one in tx.passkeys(self._owner) if one.id == passkey), None)
            if row is None:
                raise PasskeyError("unknown")
            kept = _Kept.from_bytes(row.credential)
            # A device that counts has two holders of its key if it counts backwards; most passkeys do not count.
            if (counter or kept.counter) and counter <= kept.counter:
                raise PasskeyError("copied")
            kept = _Kept(host=kept.host, counter=counter, credential=kept.credential)
            tx.put_passkey(self._owner, row._replace(credential=kept.to_bytes(), used_us=now_us))

        await self._store.write(write)

    async def _of_host(self, origin: str) -> list[_Kept]:
        kept = [_Kept.from_bytes(row.credential) for row in await self.listed()]
        return [one for one in kept if one.host == host_of(origin)]


def _server(origin: str) -> Fido2Server:
    """Return the library's server for an origin. Raises PasskeyError where that is a bare address."""
    host = host_of(origin)
    if host is None:
        raise PasskeyError("address")
    server = Fido2Server(
        PublicKeyCredentialRpEntity(id=host, name="Freehold"), verify_origin=lambda said: said == origin
    )
    server.timeout = CHALLENGE_US // 1000  # type: ignore[assignment]  # the library says nothing of its type
    server.allowed_algorithms = [
        PublicKeyCredentialParameters(type=PublicKeyCredentialType.PUBLIC_KEY, alg=each)
        for each in _ALGORITHMS
    ]
    return server


def _made(server: Fido2Server, challenge: bytes, found: Document) -> tuple[AttestedCredentialData, int]:
    """Return the passkey that a device made, and the count it begins with. Raises what ``_BROKEN`` names."""
    response = RegistrationResponse.from_dict(found)
    if response.response.client_data.cross_origin:
        raise PasskeyError("wrong")
    told = server.register_complete(_state(challenge), response)
    made = told.credential_data
    if made is None or made.credential_id != response.raw_id or len(bytes(made)) > _MAX_KEY_BYTES:
        raise PasskeyError("wrong")
    if made.public_key.get(3) not in _ALGORITHMS:  # the library takes what was not offered too
        raise PasskeyError("wrong")
    return made, told.counter


def _checked(answer: str, check: Callable[[Document], T]) -> T:
    """Return what a check makes of an answer in JSON. Raises PasskeyError."""
    if len(answer) > MAX_ANSWER_CHARS:
        raise PasskeyError("wrong")
    try:
        found = json.loads(answer)
        if not isinstance(found, dict):
            raise PasskeyError("wrong")
        return check(found)
    except _BROKEN as error:
        raise PasskeyError("wrong") from error


def _state(challenge: bytes) -> dict[str, Any]:
    return {
        "challenge": base64url_encode(challenge),
        "user_verification": UserVerificationRequirement.REQUIRED,
    }


def _plain(options: object) -> Document:
    """Return options of the library as plain JSON."""
    plain: Document = json.loads(json.dumps(options, default=_as_json))
    return plain


def _as_json(value: object) -> object:
    """Return what the library made as JSON has it."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError(f"no JSON: {type(value).__name__}")


def _id_of(row: PasskeyRow) -> bytes:
    return _Kept.from_bytes(row.credential).credential.credential_id


def _name(text: str) -> str:
    """Return what the person calls a passkey. Raises MalformedError."""
    name = text.strip()
    if not name or len(name) > MAX_NAME_CHARS or not name.isprintable():
        raise MalformedError(f"a passkey has a name, in one line of at most {MAX_NAME_CHARS} characters")
    return name
