"""``freehold-conformance URL``: judge a node; ``client`` and ``library`` judge what is not a node.

Spec: specs/conformance.md#running
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.metadata
import os
import secrets
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from .cast.owner import Owner, Session
from .cast.stage import Stage
from .check import Check, Failed, Profile
from .checks import CHECKS
from .client.command import judge_client
from .library import main as judge_library
from .options import CANNOT_RUN, WRONG_USE, add_choice_options, add_report_options, choose, teller, write
from .report import Report
from .runner import run_checks
from .wire import Wire


def main(argv: Sequence[str] | None = None) -> None:
    """Run the suite and exit as the specification says."""
    given = list(sys.argv[1:] if argv is None else argv)
    if given[:1] == ["client"]:
        sys.exit(asyncio.run(judge_client(given[1:])))
    if given[:1] == ["library"]:
        sys.exit(judge_library(given[1:]))
    sys.exit(asyncio.run(judge_node(given)))


def node_parser() -> argparse.ArgumentParser:
    """Return the parser of the command that judges a node."""
    parser = argparse.ArgumentParser(
        prog="freehold-conformance",
        description="Judge a node by its URL. It adds and deletes records, chooses another self record and makes "
        "grants: give it a node of its own, that nobody needs.",
        epilog="Other commands: 'freehold-conformance client --help' judges a vendor's client, "
        "'freehold-conformance library --help' a library by test vectors. Exit status: 0 conforms, 1 a required "
        "check failed, 2 wrong use, 3 could not be run, 4 only optional checks failed.",
    )
    parser.add_argument("url", help="where the node is reached, such as http://127.0.0.1:8420")
    parser.add_argument(
        "--owner-key",
        type=Path,
        metavar="FILE",
        help="the node's session.json, or a file with the owner's key",
    )
    parser.add_argument(
        "--passphrase-file",
        type=Path,
        metavar="FILE",
        default=os.environ.get("FREEHOLD_PASSPHRASE_FILE"),
        help="the owner's passphrase, for what takes it anew; else FREEHOLD_PASSPHRASE_FILE names the file",
    )
    chosen = add_choice_options(parser, "checks")
    chosen.add_argument(
        "--restart", metavar="COMMAND", help="kills the node and starts it anew, for 'durable'"
    )
    add_report_options(parser)
    return parser


async def judge_node(argv: Sequence[str]) -> int:
    """Judge a node; return the exit status."""
    parser = node_parser()
    given = parser.parse_args(argv)
    asked = [check for check in CHECKS if check.unless not in claimed(given)]
    checks = choose(asked, given)
    if given.list:
        print("\n".join(check.name for check in checks))
        return 0
    try:
        stage = open_stage(given)
    except (ValueError, OSError) as error:
        print(f"freehold-conformance: {error}", file=sys.stderr)
        return WRONG_USE
    missing = await why_not(stage)
    if missing:
        print(f"freehold-conformance: {missing}", file=sys.stderr)
        return CANNOT_RUN
    seed = given.seed if given.seed is not None else secrets.randbelow(2**32) if given.random else None
    stage.seed = seed or stage.seed
    began = time.time()
    results = await run_checks(checks, stage, seed=seed, jobs=max(1, given.jobs), tell=teller(given))
    report = Report(
        subject=stage.wire.origin,
        kind="node",
        version=importlib.metadata.version("freehold"),
        began_s=began,
        seconds=time.time() - began,
        seed=seed,
        results=results,
        askable=frozenset(one for check in CHECKS for one in check.requirements),
        unasked=sum(is_required(check) for check in asked) - sum(is_required(check) for check in checks),
    )
    return write(report, given)


def claimed(given: argparse.Namespace) -> frozenset[Profile]:
    """Return the profiles that the node is said to have."""
    return frozenset(map(Profile, given.profile or Profile)) - frozenset(map(Profile, given.without))


def open_stage(given: argparse.Namespace) -> Stage:
    """Return the stage for a node. Raises ValueError or OSError for options that cannot be used."""
    wire = Wire(given.url)
    if given.owner_key is None or given.passphrase_file is None:
        raise ValueError("a node is judged with --owner-key and --passphrase-file; see --help")
    passphrase = Path(given.passphrase_file).read_text("utf-8").strip("\r\n")
    stage = Stage(wire=wire, owner=Owner(wire, Session.read(given.owner_key, wire.origin), passphrase))
    if given.restart:
        stage.restart = lambda: restart(stage, given.restart, given.owner_key)
    return stage


async def restart(stage: Stage, command: str, owner_key: Path) -> None:
    """Run the command that kills the node and starts it anew, and take up its new session key."""
    process = await asyncio.create_subprocess_shell(command)
    if await process.wait() != 0:
        raise Failed(f"the command for a restart ended with {process.returncode}")
    stage.owner.session = Session.read(owner_key, stage.wire.origin)


def is_required(check: Check) -> bool:
    """Whether no run may leave a check out that is to state conformance."""
    return check.profile is Profile.CORE and not check.slow


async def why_not(stage: Stage) -> str | None:
    """Return why nothing can be judged here, if so."""
    try:
        await stage.wire.send("GET", "/.well-known/freehold")
        answer = await stage.owner.send("GET", "/status")
    except (OSError, ValueError) as error:
        return f"{stage.wire.origin} cannot be reached: {error}"
    if answer.status != 200:
        return f"the owner's key was not accepted: {answer.status} {answer.headers.get('freehold-code', '')}"
    return None


if __name__ == "__main__":
    main()
