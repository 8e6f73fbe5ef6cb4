"""``freehold-conformance client -- COMMAND...``: judge a vendor's or partner's client by its adapter.

Spec: specs/clients.md
"""

from __future__ import annotations

import argparse
import importlib.metadata
import secrets
import shlex
import sys
import time
from collections.abc import Sequence

from ..check import Failed
from ..options import CANNOT_RUN, WRONG_USE, add_choice_options, add_report_options, choose, teller, write
from ..report import Report
from ..runner import run_checks
from . import SITUATIONS
from .play import PATIENCE_S
from .situation import Stand


def client_parser() -> argparse.ArgumentParser:
    """Return the parser of the command that judges a client."""
    parser = argparse.ArgumentParser(
        prog="freehold-conformance client",
        usage="%(prog)s [options] -- COMMAND [ARGUMENT ...]",
        description="Play a person's node, honest and hostile, before a client. COMMAND starts an adapter around the "
        "client library, which is told by lines of JSON what to do; specs/client-adapter.md says how to write one. "
        "All traffic is on loopback.",
        epilog="Exit status: 0 conforms, 1 a required situation failed, 2 wrong use, 3 the adapter does not begin, "
        "4 only optional situations failed.",
    )
    chosen = add_choice_options(parser, "situations")
    chosen.add_argument(
        "--patience",
        type=float,
        default=PATIENCE_S,
        metavar="SECONDS",
        help="for one answer, asked of the client",
    )
    add_report_options(parser)
    return parser


async def judge_client(argv: Sequence[str]) -> int:
    """Judge a client; return the exit status."""
    options, command = _divided(argv)
    given = client_parser().parse_args(options)
    situations = choose(SITUATIONS, given)
    if given.list:
        print("\n".join(situation.name for situation in situations))
        return 0
    if not command:
        print("freehold-conformance: no adapter is named; see --help", file=sys.stderr)
        return WRONG_USE
    stand = Stand(command, patience_s=given.patience)
    try:
        missing = await _why_not(stand)
        if missing:
            print(f"freehold-conformance: {missing}", file=sys.stderr)
            return CANNOT_RUN
        seed = given.seed if given.seed is not None else secrets.randbelow(2**32) if given.random else None
        began = time.time()
        results = await run_checks(situations, stand, seed=seed, jobs=max(1, given.jobs), tell=teller(given))
    finally:
        await stand.close()
    report = Report(
        subject=shlex.join(command),
        kind="client",
        version=importlib.metadata.version("freehold"),
        began_s=began,
        seconds=time.time() - began,
        seed=seed,
        results=results,
        askable=frozenset(one for situation in SITUATIONS for one in situation.requirements),
    )
    return write(report, given)


def _divided(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return what stands before ``--`` and what stands after it."""
    given = list(argv)
    at = given.index("--") if "--" in given else len(given)
    return given[:at], given[at + 1 :]


async def _why_not(stand: Stand) -> str | None:
    """Return why no situation can be played, if so."""
    try:
        async with stand.play():
            return None
    except (Failed, OSError) as error:
        return f"the adapter does not begin: {error}"
