"""Everything in what somebody received that could be the same as in what another did, however it is written.

Text is cut into its runs of letters and digits; a run that may be an encoding is decoded, and what is inside is cut
too. Decoded bytes are compared by windows, so that one key is found at any place of two blobs.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

from .encoding import from_base58

Token = str | bytes

LEAST: Final = 6
"""Characters of a token. What a node makes to name something has more; words, counts and parts of dates have fewer."""
_WINDOW: Final = 12
_ENCODED: Final = 16
_DEEPEST: Final = 4
_LONGEST_BASE58: Final = 256
# What is the same for everybody: times in whole seconds, and the words before a ledger's name. With the first letter
# of the name, drawn at random, those words would make a window of bytes that two ledgers now and then have in common.
_KNOWN: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|\bfreehold/ledger/")
# Words; base64url; and base64, whose slashes would make one run of an address and the path after it.
_RUNS: Final = (re.compile(r"\w+"), re.compile(r"[\w-]+"), re.compile(r"(?<![\w:/.%])[A-Za-z0-9+/]+={0,2}"))
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_BASE58: Final = re.compile(r"[1-9A-HJ-NP-Za-km-z]+")
_BASE32: Final = re.compile(r"[a-z2-7]+|[A-Z2-7]+")
_HEX: Final = re.compile(r"(?:[0-9a-fA-F]{2})+")


def tokens_of(received: Iterable[bytes]) -> set[Token]:
    """Return all tokens of some bytes, what is the same for everybody left out."""
    found: set[Token] = set()
    for raw in received:
        for text in _texts_of(raw):
            found |= _tokens_in(text)
    return found


def tokens_of_words() -> set[Token]:
    """Return the tokens of what the protocol itself writes, whoever it is about."""
    listed = files(__package__.rpartition(".")[0]).joinpath("words.txt").read_text("utf-8")
    return tokens_of(line.encode() for line in listed.splitlines())


def tokens_of_address(origin: str) -> set[Token]:
    """Return the tokens of a node's address, in the ways a URL writes it."""
    return tokens_of([origin.encode(), quote(origin, safe="").encode(), urlsplit(origin).netloc.encode()])


def _texts_of(raw: bytes) -> set[str]:
    """Return the whole, and every text in a JSON body behind a head or in a line of an event."""
    whole = raw.decode("utf-8", "replace")
    texts = {whole, unquote(whole)}
    for part in (whole, *whole.split("\r\n"), *re.findall(r"(?m)^data: (.*)$", whole)):
        texts |= _values_in(part)
    return texts


def _values_in(text: str) -> set[str]:
    if text[:1] not in ("{", "[", '"'):
        return set()
    try:
        waiting: list[Any] = [json.loads(text)]
    except (ValueError, RecursionError):
        return set()
    values: set[str] = set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            values |= value.keys()
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, str):
            values.add(value)
    return values


@lru_cache(maxsize=20_000)
def _tokens_in(text: str, depth: int = 0) -> frozenset[Token]:
    own = _KNOWN.sub(" ", text)
    runs = {run for pattern in _RUNS for run in pattern.findall(own)}
    found: set[Token] = {run for run in runs if len(run) >= LEAST}
    if depth < _DEEPEST:
        values = {_KNOWN.sub("", value) for value in _values_in(text) if value != text}
        for run in runs | values:
            found |= _inside(run, depth + 1)
    return frozenset(found)


@lru_cache(maxsize=100_000)
def _inside(run: str, depth: int) -> frozenset[Token]:
    """Return the tokens of the bytes that a run of characters may stand for."""
    found: set[Token] = set()
    for data in _decoded(run):
        found |= {data[start : start + _WINDOW] for start in range(len(data) - _WINDOW + 1)}
        plain = _inflated(data) or data
        if plain is not data:
            found |= {plain[start : start + _WINDOW] for start in range(len(plain) - _WINDOW + 1)}
        with suppress(UnicodeDecodeError):
            text = plain.decode("utf-8")
            if text.isprintable():
                found |= _tokens_in(text, depth)
    return frozenset(found)


def _decoded(run: str) -> Iterator[bytes]:
    """Yield what a run means in each encoding that has its characters, with and without a multibase letter."""
    for text in {run, run[1:]}:
        if len(text) < _ENCODED:
            continue
        if _BASE64.fullmatch(text):
            # A rest of one character says nothing; without it the others still do.
            bare = text.rstrip("=").translate({ord("-"): "+", ord("_"): "/"})
            bare = bare[:-1] if len(bare) % 4 == 1 else bare
            yield base64.b64decode(bare + "=" * (-len(bare) % 4))
        if _HEX.fullmatch(text):
            yield bytes.fromhex(text)
        if _BASE32.fullmatch(text):
            with suppress(binascii.Error):
                yield base64.b32decode(text.upper() + "=" * (-len(text) % 8))
        if len(text) <= _LONGEST_BASE58 and _BASE58.fullmatch(text):
            yield from_base58(text)


def _inflated(data: bytes) -> bytes | None:
    try:
        return zlib.decompressobj(wbits=47).decompress(data, 2**20)  # gzip or zlib
    except zlib.error:
        return None
