"""Files that a browser sends: read within bounds, and kept in memory until they are imported or given up.

Spec: specs/node/dashboard.md#files
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Literal

from aiohttp import web
from freehold_protocol import form
from freehold_protocol.encoding import Document
from freehold_protocol.errors import FreeholdError, MalformedError, TooLargeError

from ..ambient import Ambient
from ..api.messages import read_body
from ..imports import MAX_FILE_BYTES
from .forms import Form

MAX_UPLOAD_BYTES: Final = MAX_FILE_BYTES + 1024 * 1024
"""The largest file that is imported, with what a form puts around it."""
UPLOAD_S: Final = 120
"""A file that takes longer is not waited for."""
KEPT_US: Final = 15 * 60 * 1_000_000
_MOST_KEPT: Final = 3
_MOST_PARTS: Final = 20
_MOST_HEADER_BYTES: Final = 64 * 1024
_MOST_FIELD_BYTES: Final = 64 * 1024
_NAME_CHARS: Final = 150
_BOUNDARY: Final = re.compile(r'boundary=(?:"([!-~]{1,70})"|([!#-+\--:<-~]{1,70}))(?:\s*;|\s*\Z)')
_DISPOSITION: Final = re.compile(
    rb'content-disposition:[ \t]*form-data;[ \t]*name="([^"\r\n]{1,200})"(?:;[ \t]*filename="([^"\r\n]*)")?[ \t]*\Z',
    re.IGNORECASE,
)
_ENCODED: Final = re.compile(rb"content-transfer-encoding:", re.IGNORECASE)

Reason = Literal["type", "large", "slow", "broken", "several", "none", "empty"]


class UploadError(MalformedError):
    """A file that did not come as it should; ``reason`` says in one word what was wrong."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(f"the file did not come as it should: {reason}")
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file with the fields that came beside it; the name is one line that shows what it holds."""

    form: Form
    name: str
    data: bytes


async def read_upload(request: web.Request) -> Upload:
    """Return the one file in a form of several parts (RFC 7578). Raises UploadError; nothing is kept then."""
    boundary = _boundary_of(request)
    try:
        body = await read_body(request, most=MAX_UPLOAD_BYTES, seconds=UPLOAD_S)
    except TooLargeError:
        raise UploadError("large") from None
    except MalformedError as error:
        raise UploadError("slow" if isinstance(error.__context__, TimeoutError) else "broken") from None
    files: list[tuple[str, bytes]] = []
    fields: list[tuple[str, str]] = []
    for name, file_name, content in _parts(body, boundary):
        if file_name is not None:
            files.append((file_name, content))
        elif len(content) <= _MOST_FIELD_BYTES:
            fields.append((name, content.decode("utf-8", "replace")))
        else:
            raise UploadError("broken")
    return _only_file(files, Form(fields))


def _only_file(files: list[tuple[str, bytes]], fields: Form) -> Upload:
    if len(files) > 1:
        raise UploadError("several")
    if not files or files[0] == ("", b""):
        raise UploadError("none")
    (name, data), *_ = files
    if not data:
        raise UploadError("empty")
    if len(data) > MAX_FILE_BYTES:
        raise UploadError("large")
    return Upload(form=fields, name=plain_name(name), data=data)


def _boundary_of(request: web.Request) -> bytes:
    match = _BOUNDARY.search(request.headers.get("Content-Type", "")[:1000])
    if request.content_type != "multipart/form-data" or match is None:
        raise UploadError("type")
    return (match[1] or match[2]).encode()


def _parts(body: bytes, boundary: bytes) -> list[tuple[str, str | None, bytes]]:
    """Return name, file name and content of each part. Raises UploadError: it is cut off, or is no such form."""
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary, _MOST_PARTS + 2)
    first, *parts, last = pieces if len(pieces) > 1 else [b"-", b""]
    if first or not last.startswith(b"--") or len(parts) > _MOST_PARTS:
        raise UploadError("broken")
    return [_part(part) for part in parts]


def _part(part: bytes) -> tuple[str, str | None, bytes]:
    end = part.find(b"\r\n\r\n", 0, _MOST_HEADER_BYTES)
    if not part.startswith(b"\r\n") or end < 0:
        raise UploadError("broken")
    lines = part[2:end].split(b"\r\n")
    found = [match for line in lines if (match := _DISPOSITION.match(line))]
    if len(found) != 1 or any(_ENCODED.match(line) for line in lines):
        raise UploadError("broken")
    name, file_name = found[0].groups()
    named = None if file_name is None else file_name.decode("utf-8", "replace")
    return name.decode("utf-8", "replace"), named, part[end + 4 :]


def plain_name(name: str) -> str:
    """Return a file's name without folders and without what does not show, shortened in the middle."""
    shown = "".join(char if char.isprintable() else " " for char in re.split(r"[/\\]", name)[-1])
    plain = " ".join(shown.split())
    if len(plain) > _NAME_CHARS:
        plain = f"{plain[: _NAME_CHARS - 31]}…{plain[-30:]}"
    try:
        return form.text(plain, "name", most=255)
    except FreeholdError:
        return "file"


@dataclass(slots=True, kw_only=True)
class Job:
    """An import that runs beside the pages: how far it is, and at its end what it did or why it did not."""

    done: int = 0
    total: int = 0
    result: Document | None = None
    error: FreeholdError | None = None
    task: asyncio.Task[None] | None = None

    @property
    def is_over(self) -> bool:
        return self.result is not None or self.error is not None

    def told(self, done: int, total: int) -> None:
        """Be told how far it is."""
        self.done, self.total = done, total

    async def run(self, work: Callable[[], Awaitable[Document]]) -> None:
        """Do the work, and note what came of it."""
        try:
            self.result = await work()
        except FreeholdError as error:
            self.error = error
        except asyncio.CancelledError:
            raise
        except Exception:  # noqa: BLE001 - whatever it was, the person sees that it is over
            self.error = FreeholdError("the node failed; its log says more")


@dataclass(slots=True, kw_only=True)
class Held:
    """A file that waits to be imported, what was found in it, and the import once it began."""

    name: str
    data: bytes
    until_us: int
    mapping: str | None = None
    preview: Document = field(default_factory=dict)
    job: Job | None = None

    @property
    def is_running(self) -> bool:
        return self.job is not None and not self.job.is_over


class Uploads:
    """The files that wait, one for each session; for 15 minutes, and never on the disk."""

    def __init__(self, ambient: Ambient) -> None:
        self._ambient = ambient
        self._held: dict[str, Held] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def keep(self, session: str, upload: Upload) -> Held:
        """Keep a file for a session, in place of the one before."""
        self.drop(session)
        now_us = self._ambient.clock.now_us()
        held = Held(name=upload.name, data=upload.data, until_us=now_us + KEPT_US)
        waiting = [one for one, other in self._held.items() if not other.is_running]
        for oldest in waiting[: max(0, len(waiting) - _MOST_KEPT + 1)]:
            self.drop(oldest)
        self._held[session] = held
        loop = asyncio.get_running_loop()
        self._timers[session] = loop.call_later(KEPT_US / 1_000_000, self._drop_old, session, held)
        return held

    def of(self, session: str) -> Held | None:
        """Return what a session has here; None if there is nothing any more."""
        held = self._held.get(session)
        if held is not None and not held.is_running and self._ambient.clock.now_us() >= held.until_us:
            self.drop(session)
            return None
        return held

    def _drop_old(self, session: str, held: Held) -> None:
        if self._held.get(session) is held and not held.is_running:
            self.drop(session)

    def drop(self, session: str | None) -> None:
        """Forget what a session has here, of all sessions for None; an import that runs goes on to its end."""
        for one in list(self._held) if session is None else [session]:
            self._held.pop(one, None)
            if timer := self._timers.pop(one, None):
                timer.cancel()

    def start(
        self, held: Held, job: Job, work: Callable[[], Awaitable[Document]], *, when_over: Callable[[], None]
    ) -> None:
        """Begin to import a file; at the end of that the file is forgotten, and what came of it is kept."""
        held.job = job

        async def run() -> None:
            try:
                await job.run(work)
            finally:
                held.data, held.preview = b"", {}
                held.until_us = self._ambient.clock.now_us() + KEPT_US
                when_over()

        job.task = asyncio.get_running_loop().create_task(run())
        self._running.add(job.task)
        job.task.add_done_callback(self._running.discard)

    async def close(self) -> None:
        """Break off what runs: what is written stays, and the same file again goes on from there."""
        self.drop(None)
        for task in list(self._running):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


UPLOADS: web.AppKey[Uploads] = web.AppKey("uploads", Uploads)
