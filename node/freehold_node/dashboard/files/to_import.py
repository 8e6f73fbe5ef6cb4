"""A file to import, as a browser sends it: whole into memory, within bounds, and what is wrong with it in one word.

A backup, which may be larger than memory, comes through ``to_restore``.

Spec: specs/node/dashboard.md#files
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from aiohttp import web
from freehold_protocol import form
from freehold_protocol.errors import FreeholdError, MalformedError, TooLargeError

from ...api.messages import read_body
from ...imports import MAX_FILE_BYTES
from ..forms import Form

MAX_UPLOAD_BYTES: Final = MAX_FILE_BYTES + 1024 * 1024
"""The largest file that is imported, with what a form puts around it."""
UPLOAD_S: Final = 120
"""A file that takes longer is not waited for."""
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


class UploadError(Exception):
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
