"""The recovery sheet: the seed as a code that a person can copy by hand, and the page it is printed on.

The code is 60 characters of Crockford's base32 in three lines of five groups of four. Each line ends in two
check characters of a Reed-Solomon code over GF(32), which begins with the line's unwritten number: any one or
two wrong characters in a line, any two that changed places and any lines in another order are noticed for
certain, and where one character is wrong the group is known. Fourteen bits of a hash of the seed catch nearly
all the rest.

Spec: specs/node/recovery-sheet.md
"""

from __future__ import annotations

import hashlib
import re
import textwrap
from collections.abc import Sequence
from typing import Final

from freehold_protocol.errors import MalformedError
from freehold_protocol.keys import SEED_BYTES
from freehold_protocol.reason import Reason

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUE: Final = {char: value for value, char in enumerate(_ALPHABET)} | {"O": 0, "I": 1, "L": 1}
_LINES: Final = 3
_LINE_CHARS: Final = 20
_GROUP_CHARS: Final = 4
_GROUPS_A_LINE: Final = _LINE_CHARS // _GROUP_CHARS
_CHECK_CHARS: Final = 2
_CODE_CHARS: Final = _LINES * _LINE_CHARS
_HASH_BITS: Final = _LINES * (_LINE_CHARS - _CHECK_CHARS) * 5 - SEED_BYTES * 8
_MAX_TEXT: Final = 1_000
_SEPARATORS = re.compile(r"[\s.,:;_\u2010-\u2015-]+")
_LINE_LABEL = re.compile(r"^\s*line +[123]\b", re.ASCII | re.IGNORECASE | re.MULTILINE)


REASONS: Final = {
    "code-several": "more than one group of the recovery code is wrong; compare it with the sheet",
    "code-long": "the text is too long for a recovery code",
    "code-character": "{place} has a character that no recovery code has",
    "code-count": "a recovery code has {most} characters and this has {count}",
    "code-count-odd": "a recovery code has {most} characters and this has {count}; {place} has not {size}",
    "code-order": "line {line} of the recovery code looks like another of its lines: are they in order?",
    "code-line": "line {line} of the recovery code looks wrong in more than one character",
    "code-group": "{place} of the recovery code looks wrong",
    "code-place": "group {group} of line {line}",
}
"""Why a text is no recovery code: the line or group that looks wrong, never what it holds."""


def _why(code: str, **told: int | Reason) -> Reason:
    return Reason.made(code, REASONS[code], told)


def _powers() -> list[int]:
    """Return the powers of the generator 2 in GF(32) modulo x^5 + x^2 + 1, twice round."""
    powers = [1]
    while len(powers) < 62:
        doubled = powers[-1] << 1
        powers.append(doubled ^ 0b100101 if doubled & 32 else doubled)
    return powers


_EXP: Final = _powers()
_LOG: Final = {value: power for power, value in enumerate(_EXP[:31])}


def _times(a: int, b: int) -> int:
    return _EXP[_LOG[a] + _LOG[b]] if a and b else 0


def _syndromes(word: Sequence[int]) -> tuple[int, int]:
    """Return the polynomial of the word, highest power first, at 2 and at 4: both 0 if no error shows."""
    at_2 = at_4 = 0
    for value in word:
        at_2 = _times(at_2, 2) ^ value
        at_4 = _times(at_4, 4) ^ value
    return at_2, at_4


def _checks(number: int, values: Sequence[int]) -> list[int]:
    """Return the two check characters that make both syndromes of a line 0."""
    at_2, at_4 = _syndromes([number, *values, 0, 0])
    # Solve 2x + y = at_2 and 4x + y = at_4; 2 + 4 = 6, whose inverse is a power of 2 as everything is.
    x = _times(at_2 ^ at_4, _EXP[31 - _LOG[6]])
    return [x, at_2 ^ _times(x, 2)]


def _hash_of(seed: bytes) -> int:
    digest = hashlib.sha256(b"freehold/v1/recovery-sheet" + seed).digest()
    return int.from_bytes(digest, "big") >> (256 - _HASH_BITS)


def seed_to_code(seed: bytes) -> str:
    """Return the code of a seed of 32 bytes: three lines of ``XXXX XXXX XXXX XXXX XXXX``.

    Spec: specs/node/recovery-sheet.md#code
    """
    if len(seed) != SEED_BYTES:
        raise ValueError("a seed has 32 bytes")
    number = int.from_bytes(seed, "big") << _HASH_BITS | _hash_of(seed)
    data_chars = _LINE_CHARS - _CHECK_CHARS
    total = _LINES * data_chars
    values = [number >> 5 * (total - 1 - place) & 31 for place in range(total)]
    lines = [values[start : start + data_chars] for start in range(0, total, data_chars)]
    return "\n".join(_written([*line, *_checks(index + 1, line)]) for index, line in enumerate(lines))


def _written(values: Sequence[int]) -> str:
    chars = "".join(_ALPHABET[value] for value in values)
    return " ".join(textwrap.wrap(chars, _GROUP_CHARS))


def code_to_seed(text: str) -> bytes:
    """Return the seed (32 bytes) of a code as a person typed it.

    Case, spaces, line breaks, dashes and the sheet's "line 1" do not matter; O is read as 0, I and L as 1.

    Raises:
        MalformedError: Not a code; the text names the line or group that looks wrong, never what it holds.

    Spec: specs/node/recovery-sheet.md#reading
    """
    values = _values(text)
    number = 0
    for index in range(_LINES):
        line = values[index * _LINE_CHARS : (index + 1) * _LINE_CHARS]
        _check_line(index, line)
        for value in line[:-_CHECK_CHARS]:
            number = number << 5 | value
    seed = (number >> _HASH_BITS).to_bytes(SEED_BYTES, "big")
    if number & (1 << _HASH_BITS) - 1 != _hash_of(seed):
        raise MalformedError(_why("code-several"))
    return seed


def _values(text: str) -> list[int]:
    """Return the 60 values of the code's characters."""
    if len(text) > _MAX_TEXT:
        raise MalformedError(_why("code-long"))
    groups = [group for group in _SEPARATORS.split(_LINE_LABEL.sub("", text)) if group]
    values: list[int] = []
    for group in groups:
        for char in group:
            # Not upper() alone: it makes ASCII of letters such as the long s.
            value = _VALUE.get(char.upper()) if char.isascii() else None
            if value is None:
                raise MalformedError(_why("code-character", place=_place(len(values))))
            values.append(value)
    if len(values) != _CODE_CHARS:
        raise MalformedError(_miscounted(groups, len(values)))
    return values


def _miscounted(groups: list[str], count: int) -> Reason:
    """Name the group that has not four characters, where the person kept the groups apart."""
    odd = [index for index, group in enumerate(groups) if len(group) != _GROUP_CHARS]
    if len(groups) != _CODE_CHARS // _GROUP_CHARS or len(odd) != 1:
        return _why("code-count", most=_CODE_CHARS, count=count)
    place = _place(odd[0] * _GROUP_CHARS)
    return _why("code-count-odd", most=_CODE_CHARS, count=count, place=place, size=_GROUP_CHARS)


def _place(char_index: int) -> Reason:
    line, rest = divmod(char_index, _LINE_CHARS)
    return _why("code-place", group=rest // _GROUP_CHARS + 1, line=line + 1)


def _check_line(index: int, line: Sequence[int]) -> None:
    at_2, at_4 = _syndromes([index + 1, *line])
    if at_2 == at_4 == 0:
        return
    # One wrong character of value e at power p gives e * 2^p and e * 4^p: their quotient is 2^p.
    power = (_LOG[at_4] - _LOG[at_2]) % 31 if at_2 and at_4 else _LINE_CHARS + 1
    place = _LINE_CHARS - 1 - power
    if place == -1:
        raise MalformedError(_why("code-order", line=index + 1))
    if place < 0:
        raise MalformedError(_why("code-line", line=index + 1))
    raise MalformedError(_why("code-group", place=_place(index * _LINE_CHARS + place)))


_PAGE: Final = """\
FREEHOLD RECOVERY SHEET
=======================

{what}: {created}

{code}

What this code brings back
    Your keys. Every key your node signs with is made from this code, so
    a new node can act as yours again when the old one, or its
    passphrase, is lost. You choose a new passphrase then.

What it does not bring back
    Your records, your relationships with vendors, your grants and your
    receipts. They come from a backup, and so do the random ids of your
    relationships, without which their keys cannot be made again.
    To recover everything you need both: this sheet and a backup.

Where to keep it
    On paper, where you keep what must neither get lost nor be read by
    others: a safe, a lawyer, a person you trust. Not beside the
    computer that holds your node, and not together with the backup.
    Whoever reads this code can sign as you: take no photo of it, send
    it to nobody, and store it in no mailbox and no note on a phone.

How to use it
    Type the code, all three lines, when Freehold asks for the recovery
    code. Capital or small letters, spaces and dashes do not matter.
    There is no letter O, I, L or U in it: what looks like O is a zero,
    what looks like I or L is a one. If you copied one character wrong,
    Freehold says in which group to look.
"""


def recovery_sheet(code: str, created_text: str, *, again: bool = False) -> str:
    """Return the page to print: plain text, 72 columns.

    Args:
        code: As seed_to_code returns it.
        created_text: The date the keys were made, as it is to be printed; one line.
        again: The date is that of today, and the keys are older.

    Spec: specs/node/recovery-sheet.md#page
    """
    if not created_text.isprintable() or len(created_text) > 40:
        raise ValueError("the date is one line of at most 40 characters")
    lines = [f"    line {number}    {line}" for number, line in enumerate(code.splitlines(), 1)]
    what = "Printed again" if again else "Keys made"
    return _PAGE.format(what=what, created=created_text, code="\n".join(lines))
