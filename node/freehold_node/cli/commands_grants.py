"""``grants`` and every change of one: narrow, widen, pause, resume, end, and cutting off a partner.

Spec: specs/node/cli.md#grants
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from freehold_protocol.encoding import Document
from freehold_protocol.grant import STATES

from . import choice, choice_limits, lookup, wording
from .commands_requests import Expires, Give, Limit, NoLater, NoPartner, Yes, narrower
from .draft_view import OwnRecords, left_out_of, show_draft, show_grant
from .failure import usage
from .frame import framed
from .owner_client import OwnerClient
from .render import Screen
from .run import Run

GrantId = Annotated[str, typer.Argument(metavar="GRANT", help="Its id, or the beginning of it.")]

grants = typer.Typer(help="List the grants, or show one.")


@grants.callback(invoke_without_command=True)
@framed
def list_grants(
    run: Run,
    state: Annotated[
        str | None,
        typer.Option("--state", metavar="STATE", help="Only those: live, paused, ended or expired."),
    ] = None,
    search: Annotated[
        str | None, typer.Option("--search", metavar="WHO", help="Only those with this in the vendor's name.")
    ] = None,
) -> None:
    """List the grants, or show one."""
    if state not in (None, *STATES):
        raise usage("--state is live, paused, ended or expired")
    with run.owner() as owner:
        found = owner.get("/grants")
    wanted = [
        one
        for one in found["grants"]
        if state in (None, one["state"]) and wording.is_called(one["vendor"], search)
    ]
    run.tell({"grants": wanted}, lambda screen: _show_list(screen, wanted))


def _show_list(screen: Screen, found: list[Document]) -> None:
    if not found:
        screen.line("No grants: nobody may read anything.")
        return
    vouched = wording.some_are_vouched(found)
    rows = [
        (
            short,
            one["vendor"]["name"],
            *wording.vouching(one["vendor"], shown=vouched),
            one["state"] + (", new keys" if one.get("newKeys") else ""),
            wording.local_time(one["expires"])[:10],
            wording.local_time(one["lastRead"]) if "lastRead" in one else "never",
            ", ".join(permission["name"] for permission in one["permissions"]),
        )
        for short, one in zip(lookup.abbreviated(one["id"] for one in found), found, strict=True)
    ]
    screen.table(
        ("id", "who", *wording.VOUCHED[:vouched], "state", "until", "last read", "may read"),
        rows,
        whole=("id", "until", "state", "last read"),
    )
    for one in found:
        if one.get("newKeys"):
            short = wording.short_id(one["id"])
            screen.line(f"{short} has new keys that wait for your word; see: freehold vendor-keys {short}")


@grants.command("show")
@framed
def show_one(
    run: Run,
    grant: GrantId,
    raw: Annotated[bool, typer.Option("--raw", help="Show the signed document itself.")] = False,
) -> None:
    """Show a grant: what may be read, with your values, and how it stands."""
    with run.owner() as owner:
        found = lookup.grant(owner, grant)
        own = OwnRecords.load(owner, found["permissions"])
    if raw and not run.is_json:
        run.screen.print_json(found["document"])
        return
    run.tell(found, lambda screen: show_grant(screen, found, own))


@framed
def narrow(
    run: Run,
    grant: GrantId,
    keep: Annotated[
        list[str] | None,
        typer.Option(
            "--keep",
            metavar="PICK",
            help="Keep only these: delivery, or delivery=name,address.postalCode. May be repeated.",
        ),
    ] = None,
    drop: Annotated[
        list[str] | None,
        typer.Option(
            "--drop",
            metavar="FIELD",
            help="Take these away: marketing, or delivery.address.postalCode. May be repeated.",
        ),
    ] = None,
    expires: Expires = None,
    limit: Limit = None,
    no_partner: NoPartner = None,
    no_later: NoLater = None,
) -> None:
    """Take something away, or end it earlier; binds from the next read on."""
    if keep and drop:
        raise usage("say what to keep or what to drop, not both")
    if not (keep or drop or expires or limit or no_partner or no_later):
        raise usage("say what to take away: --drop, --keep, --limit, --no-partner, --no-later or --expires")
    with run.owner() as owner:
        standing = lookup.grant(owner, grant)
        given = standing["permissions"]
        if keep:
            given = choice.only(given, choice.parse_picks(keep))
        if drop:
            given = choice.without(given, choice.parse_drops(drop))
        given = narrower(given, limit, no_partner, no_later)
        _change(run, owner, standing, "narrow", given, expires=expires, most=standing["expires"])


@framed
def widen(
    run: Run,
    grant: GrantId,
    give: Give = None,
    expires: Expires = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(
            "--limit",
            metavar="LIMIT",
            help="More often, or at more times, up to what was asked: delivery=100, delivery=10/day, "
            "delivery='Mon-Fri 08:00-18:00', or delivery=asked. May be repeated.",
        ),
    ] = None,
    yes: Yes = False,
) -> None:
    """Give more of what was asked, beside what is given already, or more often, or for longer."""
    if not (give or expires or limit):
        raise usage("say what to give besides: --give, --limit or --expires")
    with run.owner() as owner:
        standing = lookup.grant(owner, grant)
        request = standing["receipt"]["request"]
        given = choice.together(
            request["permission"], standing["permissions"], choice.parse_picks(give or ())
        )
        given = choice_limits.limited(given, limit or (), asked=request["permission"])
        _change(run, owner, standing, "widen", given, expires=expires, most=request["expires"], yes=yes)


@framed
def pause(run: Run, grant: GrantId) -> None:
    """Stop all reading for now; nothing is taken away for good."""
    with run.owner() as owner:
        _change(run, owner, lookup.grant(owner, grant), "pause")


@framed
def resume(run: Run, grant: GrantId, yes: Yes = False) -> None:
    """Let reading go on after a pause."""
    with run.owner() as owner:
        _change(run, owner, lookup.grant(owner, grant), "resume", yes=yes)


@framed
def rotate(run: Run, grant: GrantId, yes: Yes = False) -> None:
    """Give the relationship new keys; what may be read stays the same, what was issued before is dead."""
    with run.owner() as owner:
        standing = lookup.grant(owner, grant)
        made = owner.post(f"/grants/{standing['id']}/draft", {"change": "rotate"})
        if not run.is_json:
            _show_rotation(run.screen, standing, made)
        run.confirm("Change the keys?", yes=yes)
        sent = {"digest": made["digest"], "passphrase": run.passphrase_again()}
        done = owner.post(f"/grants/{standing['id']}/change", sent)
    run.tell({**done, **made}, lambda screen: screen.title("The keys are changed."))


def _show_rotation(screen: Screen, standing: Document, made: Document) -> None:
    name = standing["vendor"]["name"]
    before, after = standing["document"], made["draft"]
    screen.title(f"New keys for the relationship with {name}")
    screen.facts(
        [
            ("decides", f"{wording.short_key(before['assigner'])} -> {wording.short_key(after['assigner'])}"),
            (
                "serves",
                f"{wording.short_key(before['servingKey'])} -> {wording.short_key(after['servingKey'])}",
            ),
            ("digest", made["digest"]),
        ]
    )
    screen.line(
        f"What {name} may read stays as it is. It fetches a new capability by itself; partners to whom it passed "
        "access on need it passed on anew."
    )


@framed
def end(
    run: Run, grant: GrantId, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False
) -> None:
    """End the relationship for good; whoever reads under it is refused from the next read on."""
    with run.owner() as owner:
        standing = lookup.grant(owner, grant)
        run.confirm(f"End the relationship with {standing['vendor']['name']} for good?", yes=yes)
        _change(run, owner, standing, "end")


def _change(
    run: Run,
    owner: OwnerClient,
    standing: Document,
    change: str,
    permissions: Sequence[Document] | None = None,
    *,
    expires: str | None = None,
    most: str = "",
    yes: bool = False,
) -> None:
    """Draw up a change, show it where it gives more, carry out exactly that draft, and show how it stands."""
    path = f"/grants/{standing['id']}"
    body: Document = {"change": change}
    if permissions is not None:
        body["permissions"] = list(permissions)
    if expires is not None:
        body["expires"] = lookup.end_time(expires, most=most)
    made = owner.post(f"{path}/draft", body)
    sent = {"digest": made["digest"]}
    if made["passphrase"]:
        _show_before(run, owner, standing, made)
        run.confirm("Grant exactly this?", yes=yes)
        sent["passphrase"] = run.passphrase_again()
    done = owner.post(f"{path}/change", sent)
    after = owner.get(path)
    run.tell({**done, **made}, lambda screen: _show_after(screen, standing, after))


def _show_before(run: Run, owner: OwnerClient, standing: Document, made: Document) -> None:
    if run.is_json:
        return
    given = made["draft"]["permission"]
    show_draft(
        run.screen,
        made["draft"],
        made["digest"],
        heading=f"From then on, {standing['vendor']['name']} may read",
        vendor=standing["vendor"],
        left_out=left_out_of(standing["receipt"]["request"]["permission"], given),
        own=OwnRecords.load(owner, given),
    )


def _show_after(screen: Screen, before: Document, after: Document) -> None:
    name = after["vendor"]["name"]
    if after["state"] != "live":
        said = {"paused": "Paused", "ended": "Ended"}.get(after["state"], after["state"])
        screen.title(f"{said}: {name} reads nothing.")
        return
    screen.title(f"From now on, {name} may read, until {wording.local_time(after['expires'])}:")
    screen.facts([("-", wording.field_list(one)) for one in after["permissions"]])
    if gone := left_out_of(before["permissions"], after["permissions"]):
        screen.title("No longer:")
        screen.facts([("-", line) for line in gone])


@framed
def revoke(
    run: Run,
    grant: Annotated[
        str | None,
        typer.Argument(
            metavar="GRANT", help="Its id, or the beginning of it; for all but --vendor and --everything."
        ),
    ] = None,
    partner: Annotated[
        str | None,
        typer.Option(
            "--partner", metavar="PARTNER", help="Whom: the domain or key that `freehold grants show` names."
        ),
    ] = None,
    permission: Annotated[
        str | None,
        typer.Option("--permission", metavar="NAME", help="What is not shared any more: delivery."),
    ] = None,
    access: Annotated[
        str | None,
        typer.Option(
            "--access",
            metavar="ACCESS",
            help="One passed-on access, as `freehold grants show` names it, or by its urn:uuid.",
        ),
    ] = None,
    vendor: Annotated[
        str | None,
        typer.Option("--vendor", metavar="VENDOR", help="End everything with one vendor, by its name."),
    ] = None,
    everything: Annotated[
        bool, typer.Option("--everything", help="End every grant, refuse what waits, close every invitation.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Take access back: from a partner, of one permission, from a vendor, or from everyone."""
    within = {"partner": partner, "permission": permission, "access": access}
    given = within | {"vendor": vendor, "everything": everything or None}
    said = [name for name, value in given.items() if value is not None]
    if len(said) != 1:
        raise usage("say one of --partner, --permission, --access, --vendor and --everything")
    if (grant is None) == (said[0] in within):
        raise usage("name the grant" if grant is None else f"--{said[0]} is not about one grant")
    with run.owner() as owner:
        if vendor is not None:
            _revoke_vendor(run, owner, vendor, yes=yes)
        elif grant is None:
            run.confirm("End every relationship for good?", yes=yes)
            _tell_ended(run, owner.post("/revocations", {"everything": True}), "Every relationship has ended")
        else:
            _revoke_within(run, owner, lookup.grant(owner, grant), within)


def _revoke_vendor(run: Run, owner: OwnerClient, text: str, *, yes: bool) -> None:
    vendor = lookup.vendor(owner, text)
    run.confirm(f"End every relationship with {vendor['name']} for good?", yes=yes)
    done = owner.post("/revocations", {"vendor": vendor["id"]})
    _tell_ended(run, done, f"Nothing is shared with {vendor['name']} any more")


def _tell_ended(run: Run, done: Document, said: str) -> None:
    count = wording.plural(len(done["ended"]), "grant", "grants")
    run.tell(done, lambda screen: screen.title(f"{said}: {count} ended."))


def _revoke_within(run: Run, owner: OwnerClient, standing: Document, within: dict[str, str | None]) -> None:
    path = f"/grants/{standing['id']}/revocations"
    if (partner := within["partner"]) is not None:
        whom = lookup.partner(standing, partner)
        body, what = {"partner": whom}, f"Partner {wording.short_key(whom)}"
    elif (name := within["permission"]) is not None:
        body, what = {"permission": name}, f"Permission {name}"
    else:
        found = lookup.link(standing, within["access"] or "")
        body, what = {"capability": found}, f"The access {wording.short_id(found)}"
    done = owner.post(path, body)
    said = "is cut off" if done["revoked"] else "was cut off before"
    run.tell({**done, **body, "grant": standing["id"]}, lambda screen: screen.title(f"{what} {said}."))
