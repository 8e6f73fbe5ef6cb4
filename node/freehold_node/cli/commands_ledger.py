"""``ledger``, ``verify``, ``status`` and ``clock``: what happened, whether it holds, and how the node stands.

Spec: specs/node/cli.md#ledgers
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from freehold_protocol.bundle import BundleVerdict, verify_bundle
from freehold_protocol.encoding import Document, parse_document
from freehold_protocol.errors import MalformedError
from freehold_protocol.grant import STATES

from . import entry_view, lookup, wording
from .commands_grants import GrantId
from .commands_moving import write_new
from .failure import usage
from .frame import framed
from .render import Screen
from .run import Run

MAX_BUNDLE_BYTES: Final = 256 * 2**20
MAX_BUNDLE_MEMBERS: Final = 5_000_000
"""A file that the person names may be as large as their ledger has become: some 200,000 entries."""
_MAX_NOTE_BYTES: Final = 4096
_DAMAGE: Final = {
    "form": "it is not of the form of an entry",
    "leaf": "it is not what was written",
    "missing": "it is missing",
    "number": "its number was there before, or is out of order",
    "time": "it is older than the entry before it",
    "order": "it lets a read pass while none was allowed",
    "no-notice": "its content is gone, and no notice says that it was erased",
    "uncovered": "it was added after the checkpoint was signed",
    "version": "it names another version of the grant than the receipt has",
}
_FAULTS: Final = {
    "receipt": "the receipt in it does not hold, or is another grant's",
    "statement": "a statement about it does not hold",
    "key": "the checkpoint is not by the key that signs at its size",
    "signature": "the checkpoint is not signed by the grant's key",
    "root": "the entries do not add up to what the checkpoint signs",
    "rolled-back": "it does not continue an earlier checkpoint",
}
_OF_THE_NODE: Final = {
    "standing": "the node goes by something else than what was signed",
    "versions": "a version of the grant is missing",
}

clock = typer.Typer(help="The node's clock.", no_args_is_help=True)


@framed
def ledger(
    run: Run,
    grant: GrantId,
    export: Annotated[
        Path | None,
        typer.Option("--export", metavar="FILE", help="Write all of it to a file that verifies offline."),
    ] = None,
    entry: Annotated[
        int | None,
        typer.Option(
            "--entry", metavar="NUMBER", min=0, help="Show one entry, with its proof, checked here."
        ),
    ] = None,
) -> None:
    """Show who read what under a grant, and what was refused."""
    if export is not None and entry is not None:
        raise usage("--export writes all of it, --entry shows one: say one of the two")
    with run.owner() as owner:
        standing = lookup.grant(owner, grant)
        if entry is not None:
            proven = owner.get(f"/grants/{standing['id']}/ledger/{entry}")
            entry_view.tell(run, standing, proven)
            return
        if export is not None:
            bundle = owner.get(f"/grants/{standing['id']}/ledger/bundle")
            write_new(export, json.dumps(bundle, indent=1).encode() + b"\n")
            told = {
                "file": str(export),
                "entries": len(bundle["entries"]),
                "checkpoint": bundle["checkpoint"],
            }
            run.tell(told, lambda screen: _show_exported(screen, export, told["entries"]))
            return
        entries = list(owner.entries(standing["id"]))
    run.tell(
        {"entries": entries, "size": len(entries)}, lambda screen: _show_entries(screen, standing, entries)
    )


def _show_exported(screen: Screen, path: Path, count: int) -> None:
    screen.line(f"Wrote {wording.plural(count, 'entry', 'entries')} to {path}.")
    screen.line(f"Anyone can check it, without your node: freehold verify {path}")


def _show_entries(screen: Screen, standing: Document, entries: Sequence[Document]) -> None:
    name_of = wording.names(standing["vendor"], standing.get("partners", ()))
    screen.title(f"{standing['vendor']['name']}, grant {wording.short_id(standing['id'])}")
    columns: tuple[str, ...] = ("no.", "time", "who", "what", "fields", "outcome")
    rows: list[tuple[str, ...]] = [wording.entry_row(entry, name_of) for entry in entries]
    if screen.is_narrow:
        columns = ("no.", "time", "who", "what", "outcome")
        rows = [(*row[:3], ": ".join(filter(None, row[3:5])), row[5]) for row in rows]
    screen.table(columns, rows, numbers=("no.",), whole=("time",))


@framed
def verify(
    run: Run,
    bundle: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            exists=True,
            dir_okay=False,
            show_default=False,
            help="An exported ledger; else all of the node.",
        ),
    ] = None,
    checkpoint: Annotated[
        list[Path] | None,
        typer.Option(
            "--checkpoint",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="A checkpoint kept earlier, or an earlier export: the ledger must continue it. May be repeated.",
        ),
    ] = None,
) -> None:
    """Check that nothing was altered: the whole node, or an exported ledger without any node."""
    if bundle is not None:
        _verify_file(run, bundle, checkpoint or [])
        return
    if checkpoint:
        raise usage(
            "--checkpoint needs the exported ledger that continues it: freehold verify FILE --checkpoint ..."
        )
    with run.owner() as owner:
        found = owner.post("/verify")
    run.tell(found, lambda screen: _show_node(screen, found))
    if not found["intact"]:
        raise typer.Exit(1)


def _verify_file(run: Run, path: Path, checkpoints: Sequence[Path]) -> None:
    document = parse_document(
        _read(path, MAX_BUNDLE_BYTES), max_bytes=MAX_BUNDLE_BYTES, max_members=MAX_BUNDLE_MEMBERS
    )
    verdict = verify_bundle(document, earlier=[_note(checkpoint) for checkpoint in checkpoints])
    proven = "receipt" in document and "receipt" not in verdict.faults
    told = _verdict(verdict) | {"receipt": proven}
    run.tell(told, lambda screen: _show_verdict(screen, path, verdict, proven=proven))
    if verdict.status == "damaged":
        raise typer.Exit(1)


def _read(path: Path, max_bytes: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(max_bytes + 1)
    except OSError as error:
        raise usage(f"{path} cannot be read: {error.strerror}") from None


def _note(path: Path) -> str:
    """Return the checkpoint in a file: a note as it is, or that of an exported ledger."""
    data = _read(path, MAX_BUNDLE_BYTES)
    if data.lstrip().startswith(b"{"):
        bundle = parse_document(data, max_bytes=MAX_BUNDLE_BYTES, max_members=MAX_BUNDLE_MEMBERS)
        return str(bundle.get("checkpoint", ""))
    if len(data) > _MAX_NOTE_BYTES:
        raise MalformedError(f"{path} is too long for a checkpoint")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedError(f"{path} is not a checkpoint") from None


def _verdict(verdict: BundleVerdict) -> Document:
    damaged = [
        {"number": one.number, "reason": one.damage, **({} if one.last is None else {"last": one.last})}
        for one in verdict.damaged
    ]
    return {
        "intact": verdict.status != "damaged",
        "status": verdict.status,
        "entries": verdict.checkpoint.size,
        "origin": verdict.checkpoint.origin,
        "servingKey": verdict.serving.did,
        "damaged": damaged,
        "faults": list(verdict.faults),
    }


def _show_verdict(screen: Screen, path: Path, verdict: BundleVerdict, *, proven: bool) -> None:
    count = wording.plural(verdict.checkpoint.size, "entry", "entries")
    if verdict.status != "damaged":
        erased = sum(one.status == "erased" for one in verdict.entries)
        also = f", {wording.plural(erased, 'entry', 'entries')} erased with notice" if erased else ""
        screen.title(f"{path}: intact, {count}{also}")
        named = (
            "the grant names, by the receipt in it"
            if proven
            else "the file names; compare it with your receipt"
        )
        screen.note(f"Signed by the key that {named}: {wording.short_key(verdict.serving.did)}")
        return
    screen.title(f"{path}: damaged")
    for one in verdict.damaged:
        screen.line(f"{_entries(one.number, one.last)}: {_DAMAGE[str(one.damage)]}")
    for fault in verdict.faults:
        screen.line(f"the ledger: {_FAULTS[fault]}")


def _entries(first: int, last: int | None) -> str:
    return f"entry {first}" if last is None or last == first else f"entries {first} to {last}"


def _show_node(screen: Screen, found: Document) -> None:
    rows = [
        (wording.short_id(one["grant"]), one["vendor"], one["status"], str(one["entries"]))
        for one in found["grants"]
    ]
    screen.title("Everything is intact." if found["intact"] else "Something is damaged.")
    screen.line(
        f"{wording.plural(found['records']['checked'], 'record')} checked, {len(found['records']['damaged'])} damaged."
    )
    if rows:
        screen.table(("grant", "with", "state of the ledger", "entries"), rows, numbers=("entries",))
    said = _DAMAGE | _FAULTS | _OF_THE_NODE
    for one in found["grants"]:
        for damage in one["damaged"]:
            where = f"entry {damage['number']}" if "number" in damage else "the grant"
            screen.line(
                f"{wording.short_id(one['grant'])}: {where}: {said.get(damage['reason'], damage['reason'])}"
            )
    for record in found["records"]["damaged"]:
        screen.line(f"record {wording.short_id(record)}: it is not what was written")


@framed
def status(run: Run) -> None:
    """Show how the node stands."""
    config = run.config()
    with run.owner() as owner:
        found = {**owner.get("/status"), "running": owner.has_daemon, "dataDirectory": str(config.data_dir)}
    run.tell(found, lambda screen: _show_status(screen, found))


def _show_status(screen: Screen, found: Document) -> None:
    grants, now = found["grants"], found["clock"]
    running = "running" if found["running"] else "not running; start it with: freehold serve"
    clock_says = wording.local_time(now["now"])
    if now["suspect"]:
        clock_says = (
            f"the node stands at {clock_says}, this computer at {wording.local_time(now['wall'])}; nothing is "
            "released until you confirm: freehold clock confirm"
        )
    screen.facts(
        [
            ("node", running),
            ("reached at", ", ".join(found["origins"])),
            ("lives in", found["dataDirectory"]),
            ("you", found["self"]["label"] if found["self"] else "not chosen; see: freehold records self"),
            ("records", str(found["records"])),
            ("entries", f"{found['entries']} in the ledgers; see: freehold activity"),
            ("on the disk", _storage(found["storage"])),
            ("requests", f"{found['requests']['waiting']} waiting"),
            ("grants", ", ".join(f"{grants[state]} {state}" for state in STATES if grants[state]) or "none"),
            *(
                [("new keys", f"{found['newKeys']} waiting; see: freehold grants")]
                if found["newKeys"]
                else []
            ),
            ("clock", clock_says),
            ("version", found["version"]),
        ],
        indent=0,
    )


def _storage(storage: Document) -> str:
    free = f", {wording.size(storage['free'])} of it free" if storage["free"] else ""
    return f"{wording.size(storage['database'])}{free}; and {wording.size(storage['log'])} of log"


@clock.command("confirm")
@framed
def confirm_clock(
    run: Run, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False
) -> None:
    """Trust the clock of this computer as it stands, after it jumped."""
    with run.owner() as owner:
        now = owner.get("/status")["clock"]
        run.confirm(f"Is it {wording.local_time(now['wall'])}?", yes=yes)
        done = owner.post("/clock/confirm", {"passphrase": run.passphrase_again()})
    run.tell(
        done, lambda screen: screen.title(f"The node's clock stands at {wording.local_time(done['now'])}.")
    )
