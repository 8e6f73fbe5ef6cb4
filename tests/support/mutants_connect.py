"""Faults in connect: in what a browser carried, in the way back, and in who is told of the decision."""

from __future__ import annotations

from typing import Any

from freehold_node import connecting, inbox
from freehold_node.store.rows import RequestRow
from freehold_node.store.sql import SqlReader
from freehold_protocol import connect
from mutant import Mutants, edit, everywhere, nothing, wrap

mutants = Mutants()


@mutants("REQ-22", "takes at an invitation what is for a browser to carry")
def carried_at_an_invitation() -> None:
    everywhere(connecting.check_not_carried, nothing)


@mutants("REQ-22", "takes from a browser what is for an invitation")
def invited_by_a_browser() -> None:
    edit(inbox.Inbox, "receive_connect", ("carried(request)", "pass"))


@mutants("REQ-21", "returns to pages without TLS")
def returns_in_the_clear() -> None:
    edit(
        connect,
        "_is_vendors",
        ('page["scheme"] == "https" or _LOOPBACK.match(page["host"]) is not None', "True"),
    )


@mutants("REQ-21", "returns to pages that name a code already")
def returns_with_another_code() -> None:
    edit(connect, "read_return_to", ("{*RETURNED}.isdisjoint", "set().isdisjoint"))


@mutants("HTTP-71", "takes the same carried request in twice")
def carried_twice() -> None:
    wrap(SqlReader, "carried_request", nothing)


@mutants("HTTP-74", "tells of an approval without its code")
def told_without_a_code() -> None:
    RequestRow.is_told = property(lambda row: row.status != "waiting")  # type: ignore[method-assign, assignment]


@mutants("HTTP-74", "takes any code for the right one")
def any_code() -> None:
    edit(connecting, "opens", ("hmac.compare_digest(kept, given)", "bool(kept)"))


@mutants("HTTP-74", "answers a wrong code at once")
def wrong_codes_wait_for_nothing() -> None:
    async def follow(old: Any, kept: Any, request_id: str, *, wait_s: float, code: str | None = None) -> Any:
        return await old(kept, request_id, wait_s=0 if code else wait_s, code=code)

    wrap(inbox.Inbox, "follow", follow)


@mutants("HTTP-74", "asks for the code each time")
def a_code_each_time() -> None:
    edit(inbox.Inbox, "_claimed", ("tx.claim(self._owner, request_id, now_us=now_us)", "pass"))


@mutants("HTTP-73", "gives the same code to everyone")
def one_code() -> None:
    everywhere(connecting.new_code, lambda _: "A" * 32)


@mutants("HTTP-73", "draws short codes")
def short_codes() -> None:
    connecting._CODE_BYTES = 17  # type: ignore[misc]


@mutants("HTTP-72", "goes back with another challenge")
def another_challenge() -> None:
    edit(connecting, "way_back", ("CHALLENGE: connect.challenge", "CHALLENGE: connect.challenge[::-1]"))


@mutants("HTTP-72", "goes back without the rest of the page's query")
def another_page() -> None:
    edit(
        connecting, "way_back", ("return connect.return_to +", 'return connect.return_to.partition("?")[0] +')
    )
