"""The owner's client: every command talks to the node through it, whether a daemon runs or not.

Spec: specs/http.md#owner
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self
from urllib.parse import quote, urlencode, urlsplit

from freehold_protocol.encoding import Document, Json, parse_document
from freehold_protocol.errors import (
    BY_CODE,
    ConflictError,
    FreeholdError,
    NotAuthenticatedError,
    NotFoundError,
    PassphraseError,
    UnavailableError,
)
from freehold_protocol.invocation import TAG_OWNER, sign_message
from freehold_protocol.keys import SigningKey

from ..ambient import Ambient
from ..data_dir import read_bounded
from ..visitors import visiting
from .failure import Failure, unreachable

SESSION: Final = "session.json"
TIMEOUT_S: Final = 300
"""Checking every ledger of a large node takes a while; a person who waits can still press Ctrl-C."""
_MAX_SESSION_BYTES: Final = 4096
_TRIES: Final = 50
_PAUSE_S: Final = 0.1
_PAGE: Final = 500
_ERRORS: Final = 400
_PIECE_BYTES: Final = 2**20
_MAX_PROBLEM_BYTES: Final = 64 * 1024
_HOLDS: Final = "Freehold-Holds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Where a node that runs can be reached by its owner, and the key it knows them by.

    What is signed names ``origin``; what is connected to is ``host`` and ``port``.
    """

    origin: str
    host: str
    port: int
    key: SigningKey

    @classmethod
    def load(cls, data_dir: Path) -> Session | None:
        """Return what the running node wrote down; None if there is nothing to go by."""
        try:
            found = parse_document(read_bounded(data_dir / SESSION, _MAX_SESSION_BYTES))
            connect = urlsplit(str(found["connect"]))
            if connect.hostname is None or connect.port is None:
                return None
            return cls(
                origin=str(found["origin"]),
                host=connect.hostname,
                port=connect.port,
                key=SigningKey.from_multikey(str(found["key"])),
            )
        except (FreeholdError, KeyError, ValueError, OSError):
            return None


class OwnerClient:
    """A context in which the owner's calls can be made; it connects when the first one is.

    Where no daemon answers it starts ``inner``: the same node, in this process, until the context ends.
    """

    def __init__(
        self, data_dir: Path, inner: Callable[[], AbstractContextManager[object]], *, ambient: Ambient
    ) -> None:
        """Prepare a client.

        Args:
            data_dir: Of the node.
            inner: Opens the node in this process, for as long as its context; it raises ConflictError where
                another process has the data directory.
            ambient: For the times and nonces of signatures.
        """
        self._data_dir, self._start_inner, self._ambient = data_dir, inner, ambient
        self._stack = ExitStack()
        self._session: Session | None = None
        self._proven = False
        self.has_daemon = True
        """Whether the node that answers is a daemon; known after the first call."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    # Calls

    def get(self, path: str) -> Json:
        """Return what is there; path begins after ``/owner``."""
        return self.call("GET", path)

    def post(self, path: str, body: Document | None = None) -> Json:
        """Return the answer."""
        return self.call("POST", path, {} if body is None else body)

    def call(self, method: str, path: str, body: Document | None = None) -> Json:
        """Return the answer's JSON; None if it has none.

        Raises:
            FreeholdError: The node refused; of the class that its code names.
            Failure: It cannot be reached.
        """
        try:
            with self._reached() as session:
                answer = self._send(session, method, path, body)
        except (NotAuthenticatedError, Failure) as error:
            if self._proven or isinstance(error, PassphraseError):
                raise
            # The session file is a dead node's, and something else listens at its port now.
            answer = self._send(self._instead(error), method, path, body)
        self._proven = True
        return answer

    def download(self, path: str, body: Document, file: BinaryIO) -> Document:
        """Write the bytes of an answer to a file, and return what its header says of them.

        Raises:
            FreeholdError: The node refused; of the class that its code names.
            Failure: It cannot be reached, or broke off.
        """
        if not self._proven:
            self.get("/status")  # so that it is clear who answers
        with self._reached() as session:
            connection, response = self._open(session, "POST", path, body)
            try:
                if response.status >= _ERRORS:
                    _answer(response.status, response.read(_MAX_PROBLEM_BYTES))
                while piece := response.read(_PIECE_BYTES):
                    file.write(piece)
                if response.length:
                    raise http.client.IncompleteRead(b"")
                told: Document = json.loads(response.headers.get(_HOLDS, "{}"))
            except (http.client.HTTPException, ConnectionError, TimeoutError):
                raise _broken_off() from None
            finally:
                connection.close()
        return told

    def entries(self, grant: str) -> Iterator[Document]:
        """Yield a grant's whole ledger, page by page."""
        first = 0
        while page := self.get(f"/grants/{grant}/ledger?first={first}&limit={_PAGE}")["entries"]:
            yield from page
            first = page[-1]["number"] + 1

    def records(self, **wanted: str | None) -> Iterator[Document]:
        """Yield every record that is wanted as the list has it, page by page."""
        given = {name: value for name, value in wanted.items() if value} | {"limit": str(_PAGE)}
        after: dict[str, str] | None = {}
        while after is not None:
            page = self.get("/records?" + urlencode({**given, **after}, quote_via=quote))
            yield from page["records"]
            after = {"after": str(page["next"])} if "next" in page else None

    def _send(self, session: Session, method: str, path: str, body: Document | None) -> Json:
        connection, response = self._open(session, method, path, body)
        try:
            return _answer(response.status, response.read())
        except (OSError, http.client.HTTPException):
            raise _broken_off() from None
        finally:
            connection.close()

    def _open(
        self, session: Session, method: str, path: str, body: Document | None
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        """Send a request, and return the answer before its body is read."""
        target = "/owner" + path
        data = None if body is None else json.dumps(body).encode()
        headers = sign_message(
            session.key,
            tag=TAG_OWNER,
            method=method,
            target_uri=session.origin + target,
            created_s=self._ambient.clock.now_s(),
            nonce=self._ambient.new_token(),
            body=data,
        )
        connection = _connection(session)
        try:
            connection.request(method, target, body=data, headers=headers)
            return connection, connection.getresponse()
        except (OSError, http.client.HTTPException):
            connection.close()
            raise _broken_off() from None

    # Connecting

    @contextmanager
    def _reached(self) -> Iterator[Session]:
        """Give the node that answers, which does not stop while the context lasts: be it the daemon, or this process.

        What answered last may have ended since, most of all where it was another command. While it is not clear
        that nobody is in between, this waits.
        """
        with ExitStack() as visit:
            yield self._session if self._session and not self.has_daemon else self._find(visit)

    def _find(self, visit: ExitStack) -> Session:
        for _ in range(_TRIES):
            with ExitStack() as tried:
                if tried.enter_context(visiting(self._data_dir)):
                    session = Session.load(self._data_dir)
                    if session is not None and (session == self._session or _answers(session)):
                        visit.push(tried.pop_all())
                        self._session = session
                        return session
            try:
                return self._open_inner()
            except Failure as failure:
                if failure.code != ConflictError.code:
                    raise
                refused = failure
            # A node that is starting or stopping: it holds the lock and does not listen.
            threading.Event().wait(_PAUSE_S)
        raise refused

    def _instead(self, error: NotAuthenticatedError | Failure) -> Session:
        """Be the node, unless one that runs gave this error."""
        try:
            return self._open_inner()
        except Failure as failure:
            raise (error if failure.code == ConflictError.code else failure) from error

    def _open_inner(self) -> Session:
        try:
            self._stack.enter_context(self._start_inner())
        except (ConflictError, UnavailableError, NotFoundError) as error:
            raise unreachable(error) from error
        session = Session.load(self._data_dir)
        if session is None:
            raise unreachable(UnavailableError("the node did not start"))
        self._session, self.has_daemon = session, False
        return session


def _connection(session: Session) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(session.host, session.port, timeout=TIMEOUT_S)


def _answers(session: Session) -> bool:
    connection = _connection(session)
    try:
        connection.connect()
    except OSError:
        return False
    finally:
        connection.close()
    return True


def _broken_off() -> Failure:
    return unreachable(
        UnavailableError("the node stopped while it worked; look at `freehold status`, then repeat this")
    )


def _answer(status: int, data: bytes) -> Json:
    try:
        answer = json.loads(data) if data else None
    except ValueError:
        answer = None
    if status < 300:
        return answer
    if not isinstance(answer, dict) or "code" not in answer:
        raise NotAuthenticatedError("what answers at the node's address is not the node")
    raise BY_CODE.get(answer["code"], FreeholdError)(answer.get("detail", ""))
