"""One unfolded line of a vCard: its name, its parameters and its decoded value.

Forgiving about how a line is written, strict about what it then says: a line is read whole, or it is a fault.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Final

from freehold_protocol.reason import Reason

from .charset import decode
from .reasons import why

MAX_VALUE_BYTES: Final = 64 * 1024
"""For anything but an embedded picture, sound or key."""
_MAX_HEADER_BYTES: Final = 8 * 1024  # name and parameters
_MAX_PARAMS: Final = 64
_MAX_NAME: Final = 128

_HEADER = re.compile(rb'(?:([\w-]+)\.)?([\w-]+)((?:;(?:[^":;]++|"[^"]*+")*+)*+):')
_LOOSE_HEADER = re.compile(rb"(?:([\w-]+)\.)?([\w-]+)(;[^:]*+)?:")  # a quote that is never closed
_PARAM = re.compile(r';((?:[^";]++|"[^"]*+"|")*+)')
_ENCODED = re.compile(rb';(?:ENCODING=)?[ "]*(?:QUOTED-PRINTABLE|BASE64|B)[ "]*[;:]', re.IGNORECASE)
_DATA_URI = re.compile(rb"[ \t]*data:[\w.+/-]*[;,]", re.IGNORECASE)
_CONTROLS = re.compile(r"[\0-\x08\x0b-\x1f\x7f-\x9f]")
_EMBEDDED: Final = {"PHOTO", "LOGO", "SOUND", "KEY"}
_STRUCTURED: Final = {"N", "ADR", "ORG", "GENDER"}
_ENCODINGS: Final = {"", "quoted-printable", "base64", "8bit", "7bit"}
_BARE_ENCODINGS: Final = {*_ENCODINGS, "b"}
_GUESS_NOTE: Final = why("guessed-characters")
_LABEL_NOTE: Final = why("label-without-quotes")
_BARE_VALUES: Final = {"url", "uri", "inline", "cid", "content-id"}
_TOKENS = re.compile(r"\\.|[;,]|[^\\;,]+|\\", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_PLAIN_OLD: Final = {char: char for char in "\\;,:"}  # 2.1 writes line breaks in quoted-printable
_PLAIN: Final = {**_PLAIN_OLD, '"': '"', "n": "\n", "N": "\n"}
# Blanks, and the direction marks that phones put around numbers.
_EDGES: Final = " \t\n\u00a0\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One unfolded, decoded line of a card.

    Attributes:
        number: Of its first physical line in the file, from 1.
        group: ``item1`` of ``item1.EMAIL``, in lower case.
        name: In upper case.
        params: Names in upper case; values in lower case, split at commas.
        value: Text with its escapes; of something embedded only a SHA-256.
        size_bytes: Of something embedded, decoded; None for text.
        old: The card is version 2.1.
        note: What a person should know of a line that was read all the same.
    """

    number: int
    group: str
    name: str
    params: dict[str, tuple[str, ...]]
    value: str
    size_bytes: int | None = None
    old: bool = False
    note: Reason | None = None

    @property
    def types(self) -> tuple[str, ...]:
        """The values of TYPE."""
        return self.params.get("TYPE", ())

    def is_empty(self) -> bool:
        """Whether the value says nothing; in a structured one: whether nothing stands between separators."""
        return not self.value.strip(_EDGES + ";," if self.name in _STRUCTURED else _EDGES)

    def text(self) -> str:
        """Return the whole value without escapes."""
        return self._plain(self.value)

    def values(self) -> list[str]:
        """Return the parts between commas."""
        return [self._plain(part) for part in _split(self.value, ",")]

    def components(self) -> list[str]:
        """Return the parts between semicolons; commas are text."""
        return [self._plain(part) for part in _split(self.value, ";")]

    def structure(self) -> list[list[str]]:
        """Return the parts between semicolons, each split at commas, which are text in version 2.1."""
        if self.old:
            return [[part] for part in self.components()]
        return [[self._plain(one) for one in _split(part, ",")] for part in _split(self.value, ";")]

    def _plain(self, text: str) -> str:
        plain = _PLAIN_OLD if self.old else _PLAIN
        if "\\" in text:
            text = _ESCAPED.sub(lambda found: plain.get(found[1], found[0]), text)
        return text.strip(_EDGES)


def _split(value: str, separator: str) -> list[str]:
    parts: list[list[str]] = [[]]
    for token in _TOKENS.findall(value):
        if token == separator:
            parts.append([])
        else:
            parts[-1].append(token)
    return ["".join(part) for part in parts]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Physical lines first to last, which could not be read; name is empty if they have none."""

    first: int
    last: int
    name: str
    reason: Reason


class _UnreadableError(Exception):
    """A value cannot be read; the reason says why, without the value."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def parse_line(raw: bytes, *, first: int, last: int, old: bool) -> Line | Fault:
    """Return the line, or why it cannot be read.

    Args:
        raw: Unfolded, in the character set it names.
        first: Number of its first physical line.
        last: Number of its last one.
        old: The card is version 2.1.
    """

    def fault(reason: Reason, name: str = "") -> Fault:
        return Fault(first=first, last=last, name=name, reason=reason)

    header = _header(raw)
    if header is None or len(header[2]) > _MAX_NAME:
        return fault(why("no-property"))
    name = header[2].decode("ascii").upper()
    group = (header[1] or b"").decode("ascii").lower()
    params = _params(header)
    if params is None:
        return fault(why("many-parameters", most=_MAX_PARAMS), name)
    note: Reason | None = None
    body = raw[header.end() :]
    cut = body.partition(b";")[0].rfind(b":") + 1
    if name == "ADR" and "LABEL" in params and b'"' not in header[0] and cut:
        body, note = body[cut:], _LABEL_NOTE
    if name in _EMBEDDED and (_encoding(params) == "base64" or _DATA_URI.match(body)):
        value, size_bytes = _digest(body)
        return Line(
            number=first, group=group, name=name, params=params, value=value, size_bytes=size_bytes, old=old
        )
    try:
        text, guessed = _decoded(body, params)
    except _UnreadableError as error:
        return fault(error.reason, name)
    note = _GUESS_NOTE if guessed else note
    return Line(number=first, group=group, name=name, params=params, value=text, old=old, note=note)


def _decoded(body: bytes, params: dict[str, tuple[str, ...]]) -> tuple[str, bool]:
    """Return a value as text, and whether its character set was guessed."""
    if len(body) > MAX_VALUE_BYTES:
        raise _UnreadableError(why("long-value", most=MAX_VALUE_BYTES))
    encoding = _encoding(params)
    if encoding not in _ENCODINGS:
        raise _UnreadableError(why("unknown-encoding"))
    try:
        if encoding == "base64":
            body = binascii.a2b_base64(body)
        elif encoding == "quoted-printable":
            body = binascii.a2b_qp(body)
        text, guessed = decode(body, params.get("CHARSET", ("",))[0])
    except LookupError:
        raise _UnreadableError(why("unknown-character-set")) from None
    except ValueError:  # binascii.Error and UnicodeDecodeError are ValueErrors
        raise _UnreadableError(why("not-its-encoding")) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _CONTROLS.search(text):
        raise _UnreadableError(why("control-characters"))
    return text, guessed


def encoding_of(line: bytes) -> str:
    """Return the encoding a line's beginning names: ``quoted-printable``, ``base64``, another, or none."""
    header = _header(line) if _ENCODED.search(line, 0, _MAX_HEADER_BYTES) else None
    params = _params(header) if header else None
    return _encoding(params) if params else ""


def _header(line: bytes) -> re.Match[bytes] | None:
    start = line[:_MAX_HEADER_BYTES]
    return _HEADER.match(start) or _LOOSE_HEADER.match(start)


def _encoding(params: dict[str, tuple[str, ...]]) -> str:
    named = params.get("ENCODING", ("",))[0]
    return "base64" if named == "b" else named


def _params(header: re.Match[bytes]) -> dict[str, tuple[str, ...]] | None:
    """Return the parameters; None if they are too many."""
    params: dict[str, tuple[str, ...]] = {}
    parts = _PARAM.findall((header[3] or b"").decode("utf-8", "replace"))
    if len(parts) > _MAX_PARAMS:
        return None
    for part in parts:
        name, equals, value = part.partition("=")
        if not equals:  # vCard 2.1: the value alone
            bare = part.strip().lower()
            name = "ENCODING" if bare in _BARE_ENCODINGS else "VALUE" if bare in _BARE_VALUES else "TYPE"
            value = part
        values = (one.strip().lower() for one in value.replace('"', "").split(","))
        name = name.strip().upper()
        params[name] = (*params.get(name, ()), *(one for one in values if one))
    return {name: values for name, values in params.items() if values}


def _digest(body: bytes) -> tuple[str, int]:
    """Return the SHA-256 of what is embedded, as it is encoded but without blanks, and its decoded size."""
    encoded = b"".join(body.split())
    content = encoded.partition(b",")[2] if _DATA_URI.match(encoded) else encoded
    return hashlib.sha256(encoded).hexdigest(), len(content.rstrip(b"=")) * 3 // 4
