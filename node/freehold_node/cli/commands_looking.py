"""``today``, ``activity``, ``export`` and ``sample``: over all grants at once, and over all that there is.

Spec: specs/node/cli.md#ledgers
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from os import SEEK_END
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import quote, urlencode

import typer
from freehold_protocol.encoding import Document

from . import lookup, wording
from .commands_grants import GrantId, grants
from .commands_moving import check_new
from .commands_requests import Yes
from .failure import usage
from .frame import framed
from .owner_client import OwnerClient
from .render import Screen
from .run import Run

_PAGE: Final = 200
_BAR: Final = 40
_PARTS: Final = 30

sample = typer.Typer(help="What freehold demo brought; remove it.")


def query_of(path: str, wanted: dict[str, str | None]) -> str:
    """Return a path with a query of what is wanted."""
    given = {name: value for name, value in wanted.items() if value}
    return path + ("?" + urlencode(given, quote_via=quote) if given else "")


@framed
def today(run: Run) -> None:
    """Show what waits for you, what ends soon, and who read in the last days."""
    with run.owner() as owner:
        found = owner.get("/today")
    run.tell(found, lambda screen: _show_today(screen, found))


def _show_today(screen: Screen, found: Document) -> None:
    waiting = found["requests"]["waiting"]
    if waiting:
        screen.line(f"{wording.plural(waiting, 'request')} waiting; see: freehold requests")
    if found["clock"]["suspect"]:
        screen.line(
            "The node doubts its clock; nothing is released until you confirm: freehold clock confirm"
        )
    said = {
        "restored": "was paused when you restored a backup; go on with: freehold resume {id}",
        "newKeys": "has new keys that wait for your word; see: freehold vendor-keys {id}",
        "ending": "ends on {day}",
    }
    for kind, words in said.items():
        for one in found[kind]["grants"]:
            told = words.format(
                id=wording.short_id(one["grant"]), day=wording.local_time(one["expires"])[:10]
            )
            screen.line(f"{one['vendor']['name']} {told}")
    if not found["reads"]:
        screen.line("Nobody has read anything in the last 7 days.")
        return
    screen.table(
        ("who", "reads in 7 days", "refused", "last"),
        [
            (one["vendor"]["name"], str(one["reads"]), str(one["refused"]), wording.local_time(one["last"]))
            for one in found["reads"]
        ],
        numbers=("reads in 7 days", "refused"),
        whole=("last",),
    )


@framed
def activity(
    run: Run,
    vendor: Annotated[
        str | None,
        typer.Option(
            "--vendor", metavar="WHO", help="Only of this vendor: a part of its name, or its whole id."
        ),
    ] = None,
    field: Annotated[
        str | None,
        typer.Option("--field", metavar="FIELD", help="Only what gave this field: address.postalCode."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="Only from this day (2026-12-31) or time on."),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="TIME", help="Only up to the end of this day, or this time."),
    ] = None,
    refused: Annotated[bool, typer.Option("--refused", help="Only what was refused.")] = False,
    count: Annotated[
        int, typer.Option("--count", metavar="N", min=1, help="At most so many, the newest.")
    ] = 50,
    timeline: Annotated[bool, typer.Option("--timeline", help="Show how much, not what.")] = False,
    choices: Annotated[
        bool, typer.Option("--choices", help="Show the vendors and fields that can be sought.")
    ] = False,
) -> None:
    """Show what was read, refused and changed under all grants, newest first."""
    wanted = {
        "vendor": vendor,
        "field": field,
        "since": lookup.start_time(since) if since else None,
        "until": lookup.end_time(until, most="9999-12-31T00:00:00Z") if until else None,
        "outcome": "refused" if refused else None,
    }
    with run.owner() as owner:
        if choices:
            there = owner.get("/activity/choices")
            run.tell(there, lambda screen: _show_choices(screen, there))
            return
        if timeline:
            counts = owner.get(query_of("/activity/timeline", {**wanted, "buckets": str(_PARTS)}))
            run.tell(counts, lambda screen: _show_timeline(screen, counts))
            return
        entries, looked = _entries(owner, wanted, count)
    told: Document = {"entries": entries}
    run.tell(
        told if looked is None else {**told, "looked": looked},
        lambda screen: _show_activity(screen, entries, looked),
    )


def _entries(
    owner: OwnerClient, wanted: dict[str, str | None], count: int
) -> tuple[list[Document], int | None]:
    """Return the newest entries, and how many were looked through for them, if the node says so."""
    found: list[Document] = []
    looked: int | None = None
    after: str | None = None
    while len(found) < count:
        limit = str(min(_PAGE, count - len(found)))
        page = owner.get(query_of("/activity", {**wanted, "limit": limit, "after": after}))
        found += page["entries"]
        if "looked" in page:
            looked = (looked or 0) + page["looked"]
        after = page.get("next")
        if after is None:
            break
    return found, looked


def _show_activity(screen: Screen, entries: list[Document], looked: int | None) -> None:
    if not entries:
        screen.line("Nothing of that kind happened.")
    else:
        rows = [
            (time, vendor, who, ": ".join(filter(None, (what, fields))), outcome)
            for vendor, (_, time, who, what, fields, outcome) in _told(entries)
        ]
        screen.table(("time", "grant of", "who", "what", "outcome"), rows, whole=("time",))
    if looked is not None:
        screen.note(f"Looked through {wording.plural(looked, 'read')} for it, the newest first.")


def _told(entries: list[Document]) -> Iterator[tuple[str, tuple[str, str, str, str, str, str]]]:
    for one in entries:
        number, time, *rest = wording.entry_row(one, _name_of(one))
        yield one["vendor"]["name"], (number, time or wording.local_time(one["time"]), *rest)  # type: ignore[misc]


def _name_of(entry: Document) -> Callable[[str], str]:
    who = entry.get("who", {})
    partners = [{"domain": who["domain"], "keys": [who["id"]]}] if "domain" in who else []
    return wording.names(entry["vendor"], partners)


def _show_choices(screen: Screen, found: Document) -> None:
    vendors = dict.fromkeys(one["vendor"]["name"] for one in found["grants"])
    fields = ", ".join(found["fields"])
    screen.facts([("vendors", ", ".join(vendors) or "none"), ("fields", fields or "none")], indent=0)


def _show_timeline(screen: Screen, found: Document) -> None:
    most = max(sum(one[kind] for kind in _KINDS) for one in found["buckets"])
    rows = []
    for one in found["buckets"]:
        count = sum(one[kind] for kind in _KINDS)
        bar = "#" * -(-count * _BAR // most) if most else ""
        rows.append((wording.local_time(one["from"]), str(one["admitted"]), str(one["refused"]), bar))
    screen.table(("from", "reads", "refused", ""), rows, numbers=("reads", "refused"), whole=("from",))
    for one in found["busiest"]:
        reads = wording.plural(one["admitted"], "read")
        screen.line(f"{one['vendor']['name']}: {reads}, last {wording.local_time(one['last'])}")


_KINDS: Final = ("admitted", "refused", "changed", "other")


@grants.command("readers")
@framed
def readers(run: Run, grant: GrantId) -> None:
    """Show who read under a grant: the vendor and each partner, how often and when last."""
    with run.owner() as owner:
        standing = lookup.grant(owner, grant)
        found = owner.get(f"/grants/{standing['id']}/readers")
    run.tell(found, lambda screen: _show_readers(screen, standing, found))


def _show_readers(screen: Screen, standing: Document, found: Document) -> None:
    if not found["readers"]:
        screen.line(f"{standing['vendor']['name']} has not read anything.")
        return
    name_of = wording.names(standing["vendor"], standing.get("partners", ()))
    rows = [
        (name_of(one["id"]), str(one["reads"]), wording.local_time(one["last"])) for one in found["readers"]
    ]
    screen.table(("who", "reads", "last"), rows, numbers=("reads",), whole=("last",))
    if not found["complete"]:
        screen.note(f"Of the newest {found['looked']} entries.")


@framed
def export(
    run: Run,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file; a ZIP of JSON documents.")],
) -> None:
    """Write everything the node holds about you to one file, to keep or to take elsewhere; not encrypted."""
    from ..data_dir import written_durably

    check_new(file)
    with run.owner() as owner, written_durably(file, overwrite=False) as made:
        owner.download("/export", {"passphrase": run.passphrase_again()}, made)
        made.flush()
        with zipfile.ZipFile(made) as read_back:
            names = read_back.namelist()
            if read_back.testzip() is not None:
                raise usage("what was written is damaged; try again")
        size = made.seek(0, SEEK_END)
    told = {
        "file": str(file),
        "size": size,
        "records": sum(name.count("/") == 1 and name.startswith("records/") for name in names),
        "requests": sum(name.startswith("requests/") for name in names),
        "grants": sum(name.endswith("/ledger.json") for name in names),
    }
    run.tell(told, lambda screen: _show_export(screen, told))


def _show_export(screen: Screen, told: Document) -> None:
    held = ", ".join(
        wording.plural(told[name], name.removesuffix("s")) for name in ("records", "requests", "grants")
    )
    screen.title(f"Wrote {told['file']} and read it back: {held}.")
    screen.line(
        "It is not encrypted: whoever has it reads it. Your keys are not in it; for those: freehold backup"
    )


@sample.callback(invoke_without_command=True)
@framed
def show_sample(run: Run) -> None:
    """Show what there is of the sample."""
    with run.owner() as owner:
        found = owner.get("/sample")
    run.tell(found, lambda screen: _show_sample(screen, found["sample"]))


def _show_sample(screen: Screen, found: Document | None) -> None:
    if found is None:
        screen.line("There is no sample here.")
        return
    names = ", ".join(one["name"] or wording.short_key(one["id"]) for one in found["vendors"])
    screen.facts(
        [
            ("vendors", names or "none"),
            ("grants", str(len(found["grants"]))),
            ("records", str(found["records"])),
        ],
        indent=0,
    )
    screen.note("Remove all of it with: freehold sample remove")


@sample.command("remove")
@framed
def remove_sample(run: Run, yes: Yes = False) -> None:
    """Erase the sample, and nothing that is yours."""
    with run.owner() as owner:
        run.confirm("Erase the sample's vendors, their ledgers, and its records?", yes=yes)
        done = owner.post("/sample/remove")
    run.tell(done, lambda screen: _show_removed(screen, done))


def _show_removed(screen: Screen, done: Document) -> None:
    grant = wording.plural(len(done["grants"]), "grant")
    screen.title(f"The sample is gone: {grant} and {wording.plural(done['records'], 'record')}.")
