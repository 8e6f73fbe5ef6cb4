"""``vendor-keys``: the keys that a domain lists for a vendor or partner, and whether new ones may take their place.

Spec: specs/node/cli.md#grants
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final

import typer
from freehold_protocol.encoding import Document
from freehold_protocol.errors import TransitionError

from . import lookup, wording
from .commands_grants import GrantId
from .failure import REFUSED, Failure
from .frame import framed
from .render import Screen
from .run import Run

_USES: Final = {
    "assertionMethod": "asks",
    "authentication": "speaks for it",
    "capabilityInvocation": "reads",
    "capabilityDelegation": "passes on",
}


@framed
def vendor_keys(
    run: Run,
    grant: GrantId,
    accept: Annotated[
        bool, typer.Option("--accept", help="Let the new keys take the place of the old ones.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; the keys are still shown.")] = False,
) -> None:
    """Show the keys of a vendor, or partner, with a domain; accept new ones."""
    with run.owner() as owner:
        standing = lookup.grant(owner, grant)
        path = f"/grants/{standing['id']}/keys"
        found = owner.get(path)
        if not accept:
            run.tell(found, lambda screen: _show(screen, standing, found["keys"]))
            return
        offered = [one for one in found["keys"] if "offered" in one]
        if not offered:
            raise Failure(REFUSED, TransitionError.code, "there are no new keys to accept")
        if not run.is_json:
            _show(run.screen, standing, offered)
        run.confirm("Is it still them, and may these keys take the place of the old ones?", yes=yes)
        passphrase = run.passphrase_again()
        done = [
            owner.post(path, {"digest": one["digest"], "passphrase": passphrase})["accepted"]
            for one in offered
        ]
        after = owner.get(f"/grants/{standing['id']}")
    run.tell({"accepted": done}, lambda screen: _show_accepted(screen, after, done))


def _show(screen: Screen, standing: Document, keys: Iterable[Document]) -> None:
    listed = list(keys)
    if not listed:
        screen.line(f"{standing['vendor']['name']} is known by its key alone, which never changes.")
        return
    for one in listed:
        screen.title(wording.short_key(one["id"]))
        screen.facts(_lines(one["keys"]))
        if "offered" in one:
            screen.line("now lists, and that waits for your word:")
            screen.facts(_lines(one["offered"]))
            if one["offered"] == one["keys"]:
                screen.line("These are the same keys under other names.")
            screen.facts([("digest", one["digest"])])
    if any("offered" in one for one in listed):
        screen.line()
        screen.line(
            "A vendor changes its keys now and then; somebody who took its domain does too. If in doubt, ask it in "
            f"another way first. Accept with: freehold vendor-keys {wording.short_id(standing['id'])} --accept"
        )


def _lines(keys: Iterable[Document]) -> list[tuple[str, str]]:
    return [
        (wording.short_key(one["id"]), ", ".join(_USES.get(use, use) for use in one["uses"])) for one in keys
    ]


def _show_accepted(screen: Screen, after: Document, done: Iterable[str]) -> None:
    screen.title(f"Accepted: {', '.join(map(wording.short_key, done))}. Other keys than these read nothing.")
    if after["state"] == "paused":
        screen.line(
            f"The grant is paused; let reading go on with: freehold resume {wording.short_id(after['id'])}"
        )
