"""The character sets that address books are written in.

A codec's name comes from the file, and Python has codecs that are no character sets: so only those listed
here.
"""

from __future__ import annotations

import codecs
from typing import Final

_CODECS: Final = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    # As browsers read them: Windows-1252 has text where Latin-1 has control characters.
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "ansi": "cp1252",
    **{f"iso-8859-{part}": f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16)},
    **{f"windows-{page}": f"cp{page}" for page in (874, *range(1250, 1259))},
    **{f"cp{page}": f"cp{page}" for page in range(1250, 1259)},
    "tis-620": "cp874",
    "koi8-r": "koi8_r",
    "koi8-u": "koi8_u",
    "macintosh": "mac_roman",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "euc-jp": "euc_jp",
    "iso-2022-jp": "iso2022_jp",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb18030": "gb18030",
    "big5": "big5",
    "euc-kr": "cp949",
}
_UNNAMED: Final = {"", "us-ascii", "ascii"}
_FALLBACK: Final = "cp1252"
_MARKS: Final = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def decode(data: bytes, charset: str) -> tuple[str, bool]:
    """Return the text, and whether its character set was guessed.

    Args:
        data: One value.
        charset: Its name in lower case; empty if the file names none: then UTF-8, or else Windows-1252.

    Raises:
        LookupError: A character set that is not listed.
        UnicodeDecodeError: The bytes are not text in it.
    """
    if charset not in _UNNAMED:
        return data.decode(_CODECS[charset]), False
    try:
        return data.decode("utf-8"), False
    except UnicodeDecodeError:
        return data.decode(_FALLBACK), True


def as_utf8(data: bytes) -> bytes:
    """Return a file without byte order mark, recoded from UTF-16 if it has that mark.

    Raises:
        UnicodeDecodeError: The mark says UTF-16, the rest is not.
    """
    for mark, codec in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(codec).encode("utf-8")
    return data.removeprefix(codecs.BOM_UTF8)
