"""Where the person is signed in to the dashboard: one-time links, sessions, and a bound on guessing.

A session is what a cookie opens: 32 random bytes, of which only the digest is kept. It lets the person look, pause,
narrow and end. What gives something takes a fresh proof: the passphrase, or a passkey, within the last minutes.

Spec: specs/node/dashboard.md#signing-in
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final

from freehold_protocol.encoding import base64url_encode
from freehold_protocol.errors import NotAuthenticatedError, NotFoundError, PassphraseError

from .ambient import Ambient
from .challenges import PasskeyError
from .store.rows import SessionRow
from .store.store import Store, Transactor

_US: Final = 1_000_000
IDLE_US: Final = 12 * 3600 * _US
"""A session that was not seen for so long is over."""
LONGEST_US: Final = 14 * 86_400 * _US
"""No session is longer, however often it is seen."""
FRESH_US: Final = 5 * 60 * _US
"""For how long a proof of the person counts as fresh."""
LINK_US: Final = 15 * 60 * _US
"""A one-time link that was not followed by then opens nothing."""
_NOTE_US: Final = 5 * 60 * _US
"""How exactly it is written down when a session was seen."""
_MOST_LINKS: Final = 20
_MOST_SESSIONS: Final = 100
_DEVICE_CHARS: Final = 80
_FREE_TRIES: Final = 5
_LONGEST_PAUSE_US: Final = 15 * 60 * _US


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session that stands: its id, what forms in it carry, and until when the last proof is fresh."""

    id: str
    form_key: str
    fresh_until_us: int


class Attempts:
    """A bound on guessing the passphrase: the more wrong ones there were, the longer the wait.

    It counts for all addresses together, since whoever guesses has as many as they like. A passkey and a one-time link
    are not guessed, so they still let the person in.
    """

    def __init__(self, ambient: Ambient) -> None:
        self._ambient = ambient
        self._wrong, self._not_before_us, self._checking = 0, 0, False

    async def check(self, passphrase: str, check: Callable[[str], Awaitable[None]]) -> None:
        """Check a passphrase, one at a time.

        Raises:
            PassphraseError: It is wrong.
            TooManyAttemptsError: Too many were wrong, or another is being checked.
        """
        now_us = self._ambient.clock.now_us()
        if now_us < self._not_before_us:
            wait_s = -(-(self._not_before_us - now_us) // _US)
            raise TooManyAttemptsError(wait_s)
        if self._checking:
            raise TooManyAttemptsError(1)
        self._checking = True
        try:
            await check(passphrase)
        except PassphraseError:
            self._wrong += 1
            if self._wrong >= _FREE_TRIES:
                pause_us = min(5 * _US << (self._wrong - _FREE_TRIES), _LONGEST_PAUSE_US)
                self._not_before_us = self._ambient.clock.now_us() + pause_us
            raise
        finally:
            self._checking = False
        self._wrong = 0


class TooManyAttemptsError(Exception):
    """Too many wrong passphrases came; ``wait_s`` is how long the next one has to wait. No answer of the protocol's."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(f"too many wrong passphrases: wait {wait_s} s")
        self.wait_s = wait_s


class Devices:
    """The sessions of one owner, and what leads into one."""

    def __init__(
        self,
        store: Store,
        ambient: Ambient,
        *,
        owner: str,
        check_passphrase: Callable[[str], Awaitable[None]],
    ) -> None:
        """Keep sessions at a store; check_passphrase raises PassphraseError."""
        self._store, self._ambient, self._owner = store, ambient, owner
        self._check, self.attempts = check_passphrase, Attempts(ambient)
        # Counted apart: else a stranger who guesses at the door keeps the person, who is in, from deciding anything.
        self.proofs = Attempts(ambient)
        self._links: dict[bytes, int] = {}
        self._told_gone: list[Callable[[str | None], None]] = []

    def on_gone(self, told: Callable[[str | None], None]) -> None:
        """Have a function told of each session that is signed out, by its id; None: of all."""
        self._told_gone.append(told)

    def _gone(self, session: str | None) -> None:
        for told in self._told_gone:
            told(session)

    # Ways in

    def new_link(self) -> str:
        """Return the secret of a new one-time link, 43 characters; it opens one session, within 15 minutes."""
        now_us, secret = self._ambient.clock.now_us(), self._ambient.new_token()
        self._links = {digest: until for digest, until in self._links.items() if until > now_us}
        while len(self._links) >= _MOST_LINKS:
            self._links.pop(next(iter(self._links)))
        self._links[_digest(secret)] = now_us + LINK_US
        return secret

    async def enter_by_link(self, secret: str, device: str) -> str:
        """Return the cookie of a new session, in which nothing is proved. Raises NotAuthenticatedError."""
        until_us = self._links.pop(_digest(secret), 0)
        if self._ambient.clock.now_us() >= until_us:
            raise NotAuthenticatedError("this link was used already, or is too old")
        return await self.begin(device, proved=False)

    async def enter_by_passphrase(self, passphrase: str, device: str) -> str:
        """Return the cookie of a new session. Raises PassphraseError or TooManyAttemptsError."""
        await self.attempts.check(passphrase, self._check)
        return await self.begin(device, proved=True)

    async def begin(self, device: str, *, proved: bool, passkey: str | None = None) -> str:
        """Return the cookie of a new session for a person who has been made sure of.

        Args:
            device: What the browser calls itself.
            proved: Whether that is a fresh proof.
            passkey: The one that opens it, by its id.

        Raises:
            PasskeyError: That one is taken no more.
        """
        now_us, secret = self._ambient.clock.now_us(), self._ambient.new_token()
        row = SessionRow(
            id=self._ambient.new_uuid(), digest=_digest(secret), device=device[:_DEVICE_CHARS],
            created_us=now_us, seen_us=now_us, proved_us=now_us if proved else 0,
            passkey=passkey,
        )  # fmt: skip

        def write(tx: Transactor) -> None:
            self._check_taken(tx, passkey)
            tx.drop_sessions(self._owner, unseen_since_us=now_us - IDLE_US)
            for old in tx.sessions(self._owner)[_MOST_SESSIONS - 1 :]:
                tx.drop_session(self._owner, old.id)
            tx.add_session(self._owner, row)
            tx.log_action(self._owner, time_us=now_us, action="sign-in", subject=row.id)

        await self._store.write(write)
        return secret

    # Sessions

    async def session(self, cookie: str) -> Session | None:
        """Return the session that a cookie opens, None if it opens none; notes that it was seen."""
        digest = _digest(cookie)
        row = await self._store.read(lambda reader: reader.session(self._owner, digest))
        now_us = self._ambient.clock.now_us()
        if row is None or now_us >= min(row.seen_us + IDLE_US, row.created_us + LONGEST_US):
            return None
        if now_us - row.seen_us > _NOTE_US:
            await self._touch(row.id, now_us)
        return Session(
            id=row.id,
            form_key=base64url_encode(hashlib.sha256(b"form\0" + cookie.encode()).digest()),
            fresh_until_us=row.proved_us + FRESH_US if row.proved_us else 0,
        )

    async def stands(self, session: str) -> bool:
        """Whether a session, by its id, is still there and not over."""
        return any(row.id == session for row in await self.listed())

    def is_fresh(self, session: Session) -> bool:
        """Whether the person proved who they are in this session within the last minutes."""
        return self._ambient.clock.now_us() < session.fresh_until_us

    async def prove(self, session: Session, passphrase: str) -> Session:
        """Take the passphrase as a fresh proof in a session, and return it. Raises as enter_by_passphrase."""
        await self.proofs.check(passphrase, self._check)
        return await self.proved(session)

    async def proved(self, session: Session, *, passkey: str | None = None) -> Session:
        """Note that the person has just proved who they are; return the session as it is from now on.

        Raises:
            PasskeyError: The passkey they did it with is taken no more.
        """
        now_us = self._ambient.clock.now_us()

        def write(tx: Transactor) -> None:
            self._check_taken(tx, passkey)
            tx.touch_session(self._owner, session.id, seen_us=now_us, proved_us=now_us)

        await self._store.write(write)
        return replace(session, fresh_until_us=now_us + FRESH_US)

    def _check_taken(self, tx: Transactor, passkey: str | None) -> None:
        """Check that a passkey is still one of this node's: it may have been removed since it was checked."""
        if passkey is not None and all(row.id != passkey for row in tx.passkeys(self._owner)):
            raise PasskeyError("unknown")

    async def _touch(self, session: str, seen_us: int) -> None:
        def write(tx: Transactor) -> None:
            tx.touch_session(self._owner, session, seen_us=seen_us)

        await self._store.write(write)

    async def listed(self) -> list[SessionRow]:
        """Return the sessions that stand, the one seen last first."""
        now_us = self._ambient.clock.now_us()
        rows = await self._store.read(lambda reader: reader.sessions(self._owner))
        return [row for row in rows if now_us < min(row.seen_us + IDLE_US, row.created_us + LONGEST_US)]

    async def sign_out(self, session: str) -> None:
        """End one session. Raises NotFoundError."""

        def write(tx: Transactor) -> None:
            if all(row.id != session for row in tx.sessions(self._owner)):
                raise NotFoundError("no such session")
            tx.drop_session(self._owner, session)
            now_us = self._ambient.clock.now_us()
            tx.log_action(self._owner, time_us=now_us, action="sign-out", subject=session)

        await self._store.write(write)
        self._gone(session)

    async def forget_passkey(self, passkey: str) -> int:
        """Take a passkey no more, end every session that it opened, and have nothing count as proved; return how many.

        All in one commit. Proofs, since it may have been this passkey that gave them.

        Raises:
            NotFoundError: There is no such passkey.
        """

        def write(tx: Transactor) -> list[str]:
            if all(row.id != passkey for row in tx.passkeys(self._owner)):
                raise NotFoundError("no such passkey")
            tx.drop_passkey(self._owner, passkey)
            tx.drop_proofs(self._owner)
            opened = [row.id for row in tx.sessions(self._owner) if row.passkey == passkey]
            for one in opened:
                tx.drop_session(self._owner, one)
            now_us = self._ambient.clock.now_us()
            tx.log_action(self._owner, time_us=now_us, action="forget-passkey", subject=passkey)
            return opened

        ended = await self._store.write(write)
        for one in ended:
            self._gone(one)
        return len(ended)

    async def sign_out_others(self, session: str | None) -> int:
        """End every session but one, and every link that was not followed; return how many ended."""
        self._links.clear()

        def write(tx: Transactor) -> list[str]:
            ended = [row.id for row in tx.sessions(self._owner) if row.id != session]
            for one in ended:
                tx.drop_session(self._owner, one)
            now_us = self._ambient.clock.now_us()
            tx.log_action(self._owner, time_us=now_us, action="sign-out-others", subject=session or "")
            return ended

        ended = await self._store.write(write)
        for one in ended:
            self._gone(one)
        return len(ended)

    async def sign_out_everywhere(self) -> int:
        """End every session, and every link that was not followed; return how many sessions there were."""
        self._links.clear()

        def write(tx: Transactor) -> int:
            count = len(tx.sessions(self._owner))
            tx.drop_sessions(self._owner)
            now_us = self._ambient.clock.now_us()
            tx.log_action(self._owner, time_us=now_us, action="sign-out-everywhere", subject="")
            return count

        ended = await self._store.write(write)
        self._gone(None)
        return ended


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
