"""``invite``, ``requests``, ``approve`` and ``refuse``: how a relationship begins, or does not.

Spec: specs/node/cli.md#requests
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from freehold_protocol.encoding import Document, parse_document

from . import choice, choice_limits, lookup, wording
from .draft_view import OwnRecords, about_asking, left_out_of, show_draft, show_request
from .frame import framed
from .render import Screen
from .run import Run

RequestId = Annotated[str, typer.Argument(metavar="REQUEST", help="Its id, or the beginning of it.")]
Give = Annotated[
    list[str] | None,
    typer.Option(
        "--give",
        metavar="PICK",
        help="A permission, or fields of it: delivery, or delivery=name,address.postalCode. May be repeated.",
    ),
]
Expires = Annotated[
    str | None,
    typer.Option("--expires", metavar="DATE", help="When it ends, such as 2026-12-31; else as it stands."),
]
Limit = Annotated[
    list[str] | None,
    typer.Option(
        "--limit",
        metavar="LIMIT",
        help="Less often, or at fewer times: delivery=100, delivery=10/day, delivery='Mon-Fri 08:00-18:00'. "
        "May be repeated.",
    ),
]
NoPartner = Annotated[
    list[str] | None,
    typer.Option(
        "--no-partner",
        metavar="PARTNER",
        help="It may not be passed on to this one; of one permission only: delivery=PARTNER. May be repeated.",
    ),
]
NoLater = Annotated[
    list[str] | None,
    typer.Option(
        "--no-later", metavar="NAME", help="Of this permission, no records that come later. May be repeated."
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; what is granted is still shown.")]

requests = typer.Typer(help="List the requests, or show one.")


@framed
def invite(
    run: Run,
    label: Annotated[str, typer.Argument(metavar="LABEL", help="For whom it is, in your own words.")],
) -> None:
    """Make an invitation: an address at which one vendor can ask, once."""
    with run.owner() as owner:
        made = owner.post("/invitations", {"label": label})
    run.tell(made, lambda screen: _show_invitation(screen, made))


def _show_invitation(screen: Screen, made: Document) -> None:
    screen.line(f"Give this address to {made['label']}, and to nobody else:")
    screen.line()
    screen.verbatim(f"  {made['url']}")
    screen.line()
    if wording.is_loopback(made["url"]):
        screen.line(wording.ONLY_HERE)
    screen.line(
        f"It can be used once, until {wording.local_time(made['expires'])}, while your node runs "
        "(freehold serve). What is asked there waits for you in: freehold requests"
    )


@requests.callback(invoke_without_command=True)
@framed
def list_requests(
    run: Run,
    status: Annotated[
        str | None,
        typer.Option("--status", metavar="STATUS", help="Only those: waiting, approved or refused."),
    ] = None,
    search: Annotated[
        str | None, typer.Option("--search", metavar="WHO", help="Only those with this in the vendor's name.")
    ] = None,
) -> None:
    """List the requests, or show one."""
    with run.owner() as owner:
        found = owner.get("/requests" + (f"?status={_word(status)}" if status else ""))
    wanted = [one for one in found["requests"] if wording.is_called(one["vendor"], search)]
    run.tell({"requests": wanted}, lambda screen: _show_list(screen, wanted))


def _word(text: str) -> str:
    return text if text.isascii() and text.isalpha() else "unknown"


def _show_list(screen: Screen, found: list[Document]) -> None:
    if not found:
        screen.line("No requests. A vendor asks at an invitation; make one with: freehold invite LABEL")
        return
    vouched = wording.some_are_vouched(found)
    rows = [
        (
            short,
            one["vendor"]["name"],
            *wording.vouching(one["vendor"], shown=vouched),
            one["code"],
            one["status"],
            wording.local_time(one["received"]),
            _asked(one),
        )
        for short, one in zip(lookup.abbreviated(one["id"] for one in found), found, strict=True)
    ]
    columns = ("id", "who", *wording.VOUCHED[:vouched], "code", "state", "came", "asks for")
    screen.table(columns, rows, whole=("id", "code", "came"))


def _asked(request: Document) -> str:
    return ", ".join(permission["name"] for permission in request["permissions"])


@requests.command("show")
@framed
def show_one(run: Run, request: RequestId) -> None:
    """Show what a vendor asks: fields with your values, what for, for whom, how long."""
    with run.owner() as owner:
        found = lookup.request(owner, request)
        own = OwnRecords.load(owner, found["permissions"])
    run.tell(found, lambda screen: _show_one(screen, found, own))


@requests.command("take")
@framed
def take_in(
    run: Run,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The signed request as JSON; - for the standard input.")
    ],
) -> None:
    """Take in a request that a vendor's page gave to your browser."""
    text = run.terminal.read().encode() if str(file) == "-" else file.read_bytes()
    with run.owner() as owner:
        found = owner.post("/requests", {"request": parse_document(text)})
        own = OwnRecords.load(owner, found["permissions"])
    run.tell(found, lambda screen: _show_one(screen, found, own))


@requests.command("return")
@framed
def send_back(run: Run, request: RequestId) -> None:
    """Show where your browser goes with the decision, with a new code."""
    with run.owner() as owner:
        asked = lookup.request(owner, request)
        made = owner.post(f"/requests/{asked['id']}/return", {})
    run.tell(made, lambda screen: _show_way_back(screen, made["returnTo"]))


def _show_way_back(screen: Screen, url: str) -> None:
    screen.line()
    screen.line("Open this address within ten minutes, in the browser in which you began at their page:")
    screen.line()
    screen.verbatim(f"  {url}")


def _show_one(screen: Screen, found: Document, own: OwnRecords) -> None:
    show_request(screen, found, own)
    if found["status"] == "waiting":
        short = wording.short_id(found["id"])
        screen.line()
        asked = found["permissions"]
        is_enough = any(permission.get("required") for permission in asked)
        give = "" if is_enough else f" --give {shlex.quote(asked[0]['name'])}"
        screen.line(f"Decide with: freehold approve {short}{give}, or: freehold refuse {short}")


@framed
def approve(
    run: Run,
    request: RequestId,
    give: Give = None,
    expires: Expires = None,
    begins: Annotated[
        str | None,
        typer.Option("--from", metavar="DATE", help="Not before this day, such as 2026-12-31; else at once."),
    ] = None,
    limit: Limit = None,
    no_partner: NoPartner = None,
    no_later: NoLater = None,
    yes: Yes = False,
) -> None:
    """Approve a request, whole or in part.

    Without --give the required permissions are granted whole and the optional ones are left out; with it,
    exactly what it names.
    """
    with run.owner() as owner:
        asked = lookup.request(owner, request)
        wanted = asked["permissions"]
        given = choice.only(wanted, choice.parse_picks(give)) if give else choice.required_only(wanted)
        given = narrower(given, limit, no_partner, no_later)
        body: Document = {"permissions": given}
        if begins is not None:
            body["notBefore"] = lookup.start_time(begins)
        if expires is not None:
            body["expires"] = lookup.end_time(expires, most=asked["expires"])
        made = owner.post(f"/requests/{asked['id']}/draft", body)
        if not run.is_json:
            show_draft(
                run.screen,
                made["draft"],
                made["digest"],
                heading=f"If you approve, {asked['vendor']['name']} may read",
                vendor=asked["vendor"],
                left_out=left_out_of(wanted, given),
                own=OwnRecords.load(owner, given),
                beside=list(about_asking(asked)),
            )
        run.confirm("Grant exactly this?", yes=yes)
        sent = {"digest": made["digest"], "passphrase": run.passphrase_again()}
        done = owner.post(f"/requests/{asked['id']}/approve", sent)
    run.tell({**done, **made}, lambda screen: _show_approved(screen, done))


def narrower(
    given: Sequence[Document],
    limit: Sequence[str] | None,
    no_partner: Sequence[str] | None,
    no_later: Sequence[str] | None,
) -> list[Document]:
    """Return permissions with fewer reads, partners and records. Raises Failure."""
    made = choice_limits.limited(given, limit or ())
    made = choice_limits.without_partners(made, no_partner or ())
    return choice_limits.without_later(made, no_later or ())


def _show_approved(screen: Screen, done: Document) -> None:
    screen.line()
    screen.line(f"Granted. It is grant {wording.short_id(done['grant'])}; see: freehold grants")
    if "returnTo" in done:
        _show_way_back(screen, done["returnTo"])


@framed
def refuse(
    run: Run,
    request: RequestId,
    reason: Annotated[
        str | None, typer.Option("--reason", metavar="TEXT", help="What the vendor is told.")
    ] = None,
) -> None:
    """Refuse a request."""
    with run.owner() as owner:
        asked = lookup.request(owner, request)
        owner.post(f"/requests/{asked['id']}/refuse", {"reason": reason} if reason else {})
    run.tell(
        {"request": asked["id"], "status": "refused"},
        lambda screen: _show_refused(screen, asked),
    )


def _show_refused(screen: Screen, asked: Document) -> None:
    screen.title(f"Refused. {asked['vendor']['name']} reads nothing.")
    if "connect" in asked:
        screen.line(f"To go back to their page: freehold requests return {wording.short_id(asked['id'])}")
