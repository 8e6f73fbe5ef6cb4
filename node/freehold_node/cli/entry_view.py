"""One entry of a ledger on the screen, with the proof that it stands in what the node signed.

Spec: specs/node/cli.md#freehold-ledger
"""

from __future__ import annotations

from collections.abc import Iterator

import typer
from freehold_protocol.checkpoint import open_checkpoint, parse_checkpoint
from freehold_protocol.encoding import Document
from freehold_protocol.errors import FreeholdError
from freehold_protocol.keys import PublicKey

from ..proven import is_proven
from . import wording
from .render import Screen
from .run import Run


def tell(run: Run, standing: Document, proven: Document) -> None:
    """Tell of an entry as the node proves it; exits with 1 where the proof does not hold."""
    holds = _holds(standing, proven)
    run.tell({**proven, "holds": holds}, lambda screen: _show(screen, standing, proven, holds=holds))
    if not holds:
        raise typer.Exit(1)


def _holds(standing: Document, proven: Document) -> bool:
    """Whether the entry stands in what the grant's key signed."""
    try:
        checkpoint = parse_checkpoint(proven["checkpoint"])
        key = PublicKey.from_did(standing["document"]["servingKey"])
        open_checkpoint(proven["checkpoint"], origin=checkpoint.origin, key=key)
    except FreeholdError:
        return False
    return is_proven(proven)


def _show(screen: Screen, standing: Document, proven: Document, *, holds: bool) -> None:
    screen.title(f"{standing['vendor']['name']}, grant {wording.short_id(standing['id'])}")
    screen.facts(list(_about(standing, proven)), indent=0)
    screen.line()
    if not holds:
        screen.title("It is NOT what the node signed: the ledger is damaged.")
        return
    screen.line("It is in the ledger that the node signed, at this place, and says what it said then:")
    screen.verbatim(proven["checkpoint"].rstrip("\n"))


def _about(standing: Document, proven: Document) -> Iterator[tuple[str, str]]:
    name_of = wording.names(standing["vendor"], standing.get("partners", ()))
    number, time, who, what, fields, outcome = wording.entry_row(proven, name_of)
    yield "entry", f"{number} of {proven['size']}, counted from 0"
    named = (("time", time), ("who", who), ("what", what), ("fields", fields), ("outcome", outcome))
    yield from ((label, text) for label, text in named if text)
    yield "leaf", proven["leaf"]
