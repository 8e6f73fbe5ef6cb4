"""``import`` and ``records``: what the node holds about the person.

Spec: specs/node/cli.md#records
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer
from freehold_protocol.encoding import Document, base64url_encode
from freehold_protocol.errors import PassphraseError

from . import wording
from .assignment import assigned, leaves_of
from .failure import usage
from .frame import framed
from .import_view import show_filling, show_fillings, show_preview
from .lookup import abbreviated, record_id
from .owner_client import OwnerClient
from .render import Screen
from .run import Run

NOBODY: Final = "none"
"""What ``--me`` says where the person is not in the file."""

RecordId = Annotated[str, typer.Argument(metavar="RECORD", help="Its id, or the beginning of it.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

records = typer.Typer(help="List the records, or show, add, change and delete one.")


@framed
def import_file(
    run: Run,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="An address book (.vcf), a calendar (.ics), a bank's file (.ofx, .qfx), a table (.csv), or"
            " linked data (.json).",
        ),
    ],
    me: Annotated[
        str | None,
        typer.Option(
            "--me",
            metavar="WHO",
            help="Which card is you: e-mail address, full name or number; none if you are not in it.",
        ),
    ] = None,
    switch: Annotated[
        bool,
        typer.Option(
            "--switch", help="Make that card the record about you, instead of adding what your record lacks."
        ),
    ] = False,
    mapping: Annotated[
        Path | None,
        typer.Option(
            "--mapping", metavar="FILE", exists=True, dir_okay=False, help="What the columns of a table mean."
        ),
    ] = None,
    suggest_mapping: Annotated[
        bool,
        typer.Option("--suggest-mapping", help="Only print a mapping for a table, to edit and use."),
    ] = False,
    preview: Annotated[bool, typer.Option("--preview", help="Only show what the file holds.")] = False,
    show_all: Annotated[bool, typer.Option("--all", help="Show all of it, however much it is.")] = False,
    yes: Yes = False,
) -> None:
    """Import an address book, a calendar, a bank's file or a table; shows first what is found and left out."""
    sent: Document = {"name": file.name, "data": base64url_encode(file.read_bytes())}
    with run.owner() as owner:
        if suggest_mapping:
            made = owner.post("/import/mapping", sent)
            run.tell(made, lambda screen: screen.verbatim(made["mapping"]))
            return
        if mapping is not None:
            sent["mapping"] = _text_of(mapping)
        found = owner.post("/import/preview", sent)
        if preview:
            run.tell(found, lambda screen: show_preview(screen, found, whole=show_all))
            return
        if not run.is_json:
            show_preview(run.screen, found, whole=show_all)
        me = me if me is not None else _choose_self(run, owner, found)
        me = None if me == NOBODY else me
        if switch and me is None:
            raise usage("--switch goes with --me: which of these cards is you from now on")
        if me is not None and not switch and not run.is_json:
            show_fillings(run.screen, found, me)
        named = {} if me is None else {"me": me, "switch": switch}
        run.confirm("Import this?", yes=yes)
        done = _import(run, owner, {**sent, **named})
        run.tell(done, lambda screen: _show_imported(screen, done, people=_people(found)))


def _import(run: Run, owner: OwnerClient, sent: Document) -> Document:
    """Import a file; where another record becomes the person's and a vendor may read more by it, by passphrase."""
    try:
        done: Document = owner.post("/import", sent)
    except PassphraseError:
        if not run.is_json:
            run.screen.note("A vendor may read what is about you, and would read this card from then on.")
        done = owner.post("/import", {**sent, "passphrase": run.passphrase_again()})
    return done


def _text_of(mapping: Path) -> str:
    try:
        return mapping.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise usage("the mapping is not a text in UTF-8") from None


def _choose_self(run: Run, owner: OwnerClient, found: Document) -> str | None:
    """Return which card is the person, where that has to be known and is not."""
    if not _people(found) or owner.get("/status")["self"] is not None:
        return None
    if run.is_json or run.terminal.ask is None:
        raise usage(
            "say which of these cards is you, with --me and your e-mail address, full name or number there; "
            f"--me {NOBODY} if you are not in the file"
        )
    answer = run.ask("Which of these is you? (number, name or e-mail; empty if none) ").strip()
    return answer or NOBODY


def _people(found: Document) -> bool:
    return any(one["type"] == "Person" for one in found["found"])


def _show_imported(screen: Screen, done: Document, *, people: bool) -> None:
    screen.line()
    counts = [
        f"{done[state]} {word}"
        for state, word in (("added", "added"), ("changed", "changed"), ("same", "unchanged"))
    ]
    screen.line(f"Imported: {', '.join(counts)}.")
    if not people:
        return
    if "fills" in done:
        show_filling(screen, done["fills"], is_done=True)
    if done["self"] is not None:
        screen.line(f"You are {done['self']['label']} ({wording.short_id(done['self']['id'])}).")
    else:
        screen.line("No record is marked as yours yet; choose one with: freehold records self ID")


@records.callback(invoke_without_command=True)
@framed
def list_records(
    run: Run,
    type_: Annotated[
        str | None, typer.Option("--type", metavar="TYPE", help="Only of this type, such as Person.")
    ] = None,
    search: Annotated[
        str | None, typer.Option("--search", metavar="TEXT", help="Only those with this in their name.")
    ] = None,
    order: Annotated[
        str, typer.Option("--order", metavar="ORDER", help="first (the oldest first), newest or name.")
    ] = "first",
    types: Annotated[bool, typer.Option("--types", help="Only count those of each type.")] = False,
) -> None:
    """List the records, or show, add, change and delete one."""
    with run.owner() as owner:
        if types:
            counts = owner.get("/records/types")
            run.tell(counts, lambda screen: _show_types(screen, counts))
            return
        found = list(owner.records(type=type_, q=search, order=order))
    run.tell({"records": found}, lambda screen: _show_list(screen, found))


def _show_types(screen: Screen, counts: Document) -> None:
    rows = [(one["type"], str(one["count"])) for one in counts["types"]]
    screen.table(("type", "records"), rows, numbers=("records",))


def _show_list(screen: Screen, found: list[Document]) -> None:
    if not found:
        screen.line("No records yet. Bring some with: freehold import FILE")
        return
    rows = [
        (
            short,
            one["type"],
            one["label"] + (" (you)" if one["self"] else ""),
            wording.local_time(one["changed"]),
            _source(one),
        )
        for short, one in zip(abbreviated(one["id"] for one in found), found, strict=True)
    ]
    screen.table(("id", "type", "name", "changed", "from"), rows, whole=("id", "changed"))


def _source(record: Document) -> str:
    source = record["source"]
    return str(source.get("file", "you")) if source["type"] != "Person" else "you"


@records.command("show")
@framed
def show_record(
    run: Run,
    record: RecordId,
    raw: Annotated[bool, typer.Option("--raw", help="Show the signed document itself.")] = False,
) -> None:
    """Show a record, field by field."""
    with run.owner() as owner:
        identifier = record_id(owner, record)
        found = owner.get(f"/records/{identifier}")
    if raw and not run.is_json:
        run.screen.print_json(found["record"])
        return
    run.tell(found, lambda screen: _show_record(screen, found))


def _show_record(screen: Screen, found: Document) -> None:
    document, content = found["record"], found["content"]
    screen.title(f"{content.get('name', content['type'])}" + (" (you)" if found["self"] else ""))
    screen.facts(
        [
            ("id", wording.short_id(document["id"])),
            ("type", content["type"]),
            ("changed", wording.local_time(document["created"])),
            ("from", _source(document)),
            ("versions", str(len(found["history"]) + 1)),
            ("read by", _readers(found["readers"])),
        ]
    )
    screen.line()
    screen.values(leaves_of(content), indent=2)


def _readers(readers: list[Document]) -> str:
    """Return who may read a record now, and which of its fields."""
    named = (f"{one['vendor']['name']} ({', '.join(one['fields'])})" for one in readers)
    return "; ".join(named) or "nobody"


Fields = Annotated[
    list[str],
    typer.Argument(
        metavar="FIELD=VALUE...",
        help="Such as name='Ada Example', address.postalCode='EX1 2AB', email.2=..., or gender= to remove it.",
    ),
]


@records.command("set")
@framed
def set_record(run: Run, record: RecordId, fields: Fields) -> None:
    """Change fields of a record; vendors who may read them see it at their next read."""
    with run.owner() as owner:
        identifier = record_id(owner, record)
        found = owner.get(f"/records/{identifier}")
        body = {"content": assigned(found["content"], fields), "previous": found["cid"]}
        done = owner.call("PUT", f"/records/{identifier}", body)
    run.tell(done, lambda screen: screen.line(f"Changed {wording.short_id(done['id'])}."))


@records.command("add")
@framed
def add_record(
    run: Run,
    fields: Fields,
    kind: Annotated[str, typer.Option("--type", metavar="TYPE", help="What it is about.")] = "Person",
) -> None:
    """Add a record."""
    with run.owner() as owner:
        done = owner.post("/records", {"content": assigned({"type": kind}, fields)})
    run.tell(done, lambda screen: screen.line(f"Added {wording.short_id(done['id'])}."))


@records.command("delete")
@framed
def delete_record(run: Run, record: RecordId, yes: Yes = False) -> None:
    """Delete a record with all its versions; it cannot be brought back."""
    with run.owner() as owner:
        identifier = record_id(owner, record)
        found = owner.get(f"/records/{identifier}")
        name = found["content"].get("name", found["content"]["type"])
        run.confirm(f"Delete {name} with all versions?", yes=yes)
        owner.call("DELETE", f"/records/{identifier}")
    run.tell({"deleted": found["record"]["id"]}, lambda screen: screen.line(f"Deleted {identifier[:8]}."))


@records.command("self")
@framed
def choose_self(run: Run, record: RecordId) -> None:
    """Say which record is about you; permissions about you show this one and no other."""
    with run.owner() as owner:
        identifier = record_id(owner, record)
        more = owner.get(f"/records/{identifier}").get("asSelf", [])
        if more and not run.is_json:
            run.screen.line(f"This lets it be read from then on: {_readers(more)}.")
        proof = {"passphrase": run.passphrase_again()} if more else {}
        owner.call("PUT", "/self", {"record": f"urn:uuid:{identifier}", **proof})
        done = owner.get("/status")["self"]
    run.tell({"self": done}, lambda screen: screen.line(f"You are {done['label']}."))
