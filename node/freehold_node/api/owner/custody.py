"""The owner's operations about their keys: another passphrase, and the recovery sheet once more.

Spec: specs/http.md#owner
"""

from __future__ import annotations

from typing import Final

from freehold_protocol import form
from freehold_protocol.errors import MalformedError, PassphraseError

from ..keys import CUSTODY
from ..operation import Answer, Asked, owned

_MOST: Final = 4096
"""Characters of a passphrase that are looked at at all."""


@owned
async def change_passphrase(asked: Asked) -> Answer:
    """Encrypt the keys under another passphrase, and sign out everywhere else.

    It takes the old one itself, whatever was proved before; how often it may be guessed is bounded by who asks.
    """
    found = form.check_members(asked.body, required=("new",), optional=("passphrase",))
    old = found.get("passphrase")
    if not isinstance(old, str) or len(old) > _MOST:
        raise PassphraseError("this takes the passphrase, anew")
    new = found["new"]
    if not isinstance(new, str) or len(new) > _MOST:
        raise MalformedError("new is the new passphrase")
    ended = await asked.app[CUSTODY].change_passphrase(old, new, session=asked.session)
    return Answer(document={"ended": ended})


@owned
async def print_sheet(asked: Asked) -> Answer:
    """Give the recovery sheet once more."""
    form.check_members(asked.body, required=(), optional=("passphrase",))
    await asked.prove()
    sheet = await asked.app[CUSTODY].print_sheet()
    return Answer(document={"lines": list(sheet.lines), "day": sheet.day, "sheet": sheet.text})
