"""Making, recovering and re-encrypting the keys: what ``init`` and ``change-passphrase`` do.

Spec: specs/node/cli.md#the-node
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from freehold_protocol.errors import FreeholdError, MalformedError
from freehold_protocol.keys import SEED_BYTES

from ..ambient import Ambient
from ..backup_file import DATABASE
from ..data_dir import make_data_dir, read_generation, write_durably
from ..keystore import KEYSTORE_NAME, open_keystore, recreate_keystore
from ..recovering import check_recoverable, recover_keys
from ..recovery_sheet import code_to_seed, recovery_sheet, seed_to_code
from .failure import REFUSED, Failure, usage
from .render import Screen
from .run import Run
from .wording import plural


def make(run: Run, sheet: Path | None) -> None:
    """Make new keys; the sheet is on paper or screen only once they are safe."""
    folder, ambient = run.config().data_dir, Ambient()
    _check_new(folder)
    if (folder / DATABASE).exists():
        raise Failure(
            REFUSED, "conflict", f"there is data in {folder}, which new keys do not open; see --recover"
        )
    if sheet is not None:
        _check_sheet(sheet)
    passphrase = run.new_passphrase(run.settings.passphrase_file)
    seed = ambient.random_bytes(SEED_BYTES)
    created = datetime.fromtimestamp(ambient.clock.now_s(), UTC).strftime("%Y-%m-%d")
    page = recovery_sheet(seed_to_code(seed), created)
    if sheet is not None:  # before the keys: keys without a sheet are worse than a sheet without keys
        write_durably(sheet, page.encode(), overwrite=False)
    try:
        make_data_dir(folder)
        recreate_keystore(folder, passphrase, seed, random=ambient.random_bytes)
    except FreeholdError:
        if sheet is not None:
            sheet.unlink(missing_ok=True)
        raise
    told = {"dataDirectory": str(folder), "generation": read_generation(folder)}
    told |= {"sheet": str(sheet)} if sheet is not None else {"recoverySheet": page}
    run.tell(told, lambda screen: _show_made(screen, folder, page, sheet))


def _check_new(folder: Path) -> None:
    if (folder / KEYSTORE_NAME).exists():
        raise Failure(
            REFUSED,
            "conflict",
            f"there is a node in {folder} already; its keys are never overwritten. "
            "If its passphrase is forgotten, see --recover",
        )


def _check_sheet(sheet: Path) -> None:
    if sheet.exists():
        raise usage(f"{sheet} exists already and is never overwritten")
    if not sheet.parent.is_dir():
        raise usage(f"there is no folder {sheet.parent}")


def _show_made(screen: Screen, folder: Path, page: str, sheet: Path | None) -> None:
    if sheet is None:
        screen.verbatim(page)
        screen.line("Print this page or copy the code by hand now; it is not shown again.", style="bold")
    else:
        screen.line(f"The recovery sheet is in {sheet}: print it, then delete the file.", style="bold")
    screen.line()
    screen.line(f"Your node is in {folder}. Next:")
    screen.facts(
        [
            ("freehold import FILE", "bring your address book"),
            ("freehold serve", "run the node, so that vendors can ask and read"),
            ("freehold invite LABEL", "let a vendor ask"),
        ]
    )


def recover(run: Run) -> None:
    """Make the keys of a recovery sheet again, under a new passphrase; in place of a key store of the same keys."""
    folder = run.config().data_dir
    seed = _read_code(run)
    check_recoverable(folder, seed)  # so that another sheet is said before a passphrase is thought of
    had_data = (folder / DATABASE).exists()
    passphrase = run.new_passphrase(run.settings.passphrase_file)
    recover_keys(folder, passphrase, seed, ambient=Ambient())
    told = {"dataDirectory": str(folder), "generation": read_generation(folder), "recovered": True}
    run.tell(told, lambda screen: _show_recovered(screen, folder, had_data))


def _show_recovered(screen: Screen, folder: Path, had_data: bool) -> None:
    screen.line(f"Your keys are back, in {folder}.", style="bold")
    if had_data:
        screen.line(
            "What you keep there is still there. Every relationship is paused until you resume it, every device is "
            "signed out, and passkeys are set up anew. Go on with: freehold serve"
        )
        return
    screen.line(
        "Your records, relationships and receipts are not on the sheet: restore them: freehold restore FILE"
    )


def _read_code(run: Run) -> bytes:
    """Return the seed of a code that is typed line by line, or piped in as a whole."""
    if run.terminal.ask is None:
        return code_to_seed(run.terminal.read())
    lines: list[str] = []
    while len(lines) < 3 and (line := run.ask(f"Recovery code, line {len(lines) + 1} of 3: ")):
        lines.append(line)
    try:
        return code_to_seed("\n".join(lines))
    except MalformedError as error:
        raise usage(f"{error}") from error


def change_passphrase(run: Run, new_file: Path | None) -> None:
    """Encrypt the keys under another passphrase, and sign out everywhere."""
    old = run.passphrase()
    open_keystore(run.config().data_dir, old)  # so that a wrong one is said before a new one is thought of
    new = run.new_passphrase(new_file, anew=True)
    run.remember(old)
    with run.owner() as owner:
        ended = owner.post("/passphrase", {"passphrase": old, "new": new})["ended"]
    run.tell({"changed": True, "ended": ended}, lambda screen: _show_changed(screen, ended))


def _show_changed(screen: Screen, ended: int) -> None:
    screen.line(
        "The passphrase is changed. Files, variables and keyrings that hold the old one need the new one."
    )
    if ended:
        screen.line(f"Signed out: {plural(ended, 'session')}.")
