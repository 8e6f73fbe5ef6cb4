"""A backup to bring back, as a browser sends it: it goes to where it is kept as it comes, never into memory whole.

Spec: specs/node/dashboard.md#forms
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import BinaryIO, Final

from aiohttp import BodyPartReader, web
from aiohttp.http_exceptions import HttpProcessingError
from freehold_protocol.errors import MalformedError, TooLargeError

from ..forms import MAX_FIELDS, Form

_PIECE_BYTES: Final = 256 * 1024
_FIELD_BYTES: Final = 16 * 1024
_STILL_S: Final = 30
"""A browser that sends nothing for so long is not waited for."""
_NAME_CHARS: Final = 200
Place = Callable[[str], AbstractAsyncContextManager[BinaryIO]]
"""Given what the person calls the file, gives where it is written."""


async def stream_upload(
    request: web.Request, *, check: Callable[[Form], None], place: Place, most: int
) -> Form:
    """Return the fields of a form, once its file is where it belongs.

    Args:
        request: Of type multipart/form-data; the file is its last part that is looked at.
        check: Called with the fields before the first byte of the file is taken.
        place: Where the file goes; not asked for a file that is empty, as one that was not chosen is.
        most: Bytes the file may have.

    Raises:
        MalformedError: It is no such form, or is broken off.
        TooLargeError: A field, or the file.
    """
    if request.content_type != "multipart/form-data":
        raise MalformedError("this is not a form with a file")
    pairs: list[tuple[str, str]] = []
    try:
        parts = await request.multipart()
        while (part := await asyncio.wait_for(parts.next(), _STILL_S)) is not None:
            if not isinstance(part, BodyPartReader) or part.name is None or len(pairs) >= MAX_FIELDS:
                raise MalformedError("this is not a form of ours")
            if part.filename is None:
                pairs.append((part.name, await _text(part)))
                continue
            check(Form(pairs))
            await _file(part, place, most)
            return Form(pairs)
    except (ValueError, AssertionError, RuntimeError, LookupError, TimeoutError, ConnectionError):
        raise MalformedError("the file did not come whole") from None
    except (web.RequestPayloadError, HttpProcessingError):
        raise MalformedError("the file did not come whole") from None
    form = Form(pairs)
    check(form)
    return form


async def _text(part: BodyPartReader) -> str:
    found = bytearray()
    while piece := await asyncio.wait_for(part.read_chunk(), _STILL_S):
        found += piece
        if len(found) > _FIELD_BYTES:
            raise TooLargeError("a field of the form is too long")
    return found.decode("utf-8")


async def _file(part: BodyPartReader, place: Place, most: int) -> None:
    first = await asyncio.wait_for(part.read_chunk(_PIECE_BYTES), _STILL_S)
    if not first:
        return
    name = (part.filename or "").replace("\\", "/").rpartition("/")[2][:_NAME_CHARS]
    async with place(name) as file:
        size, piece = 0, first
        while piece:
            size += len(piece)
            if size > most:
                raise TooLargeError("the file is too large")
            await asyncio.to_thread(file.write, piece)
            piece = await asyncio.wait_for(part.read_chunk(_PIECE_BYTES), _STILL_S)
        if not part.at_eof():
            raise MalformedError("the file did not come whole")
