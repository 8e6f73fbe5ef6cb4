"""``freehold-conformance URL``: run every check against a node and say which requirements it does not meet."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from dataclasses import asdict, dataclass

from .check import Failed
from .checks import CHECKS
from .wire import Wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One check's outcome; ``failure`` is None where the requirement is met."""

    name: str
    spec: str
    failure: str | None


async def run_checks(wire: Wire) -> list[Result]:
    """Run every check against a node, one after the other."""
    results = []
    for check in CHECKS:
        failure = None
        try:
            await check.run(wire)
        except Failed as found:
            failure = str(found)
        except (OSError, ValueError) as error:
            failure = f"no answer that can be read: {error}"
        results.append(Result(name=check.name, spec=check.spec, failure=failure))
    return results


def main() -> None:
    """Run the suite: exit status 0 if all requirements are met, 1 if not, 2 for wrong arguments."""
    parser = argparse.ArgumentParser(description="Check a Freehold node, as a stranger, by its URL.")
    parser.add_argument("url", help="where the node is reached, such as http://127.0.0.1:8420")
    parser.add_argument("--json", action="store_true", help="print the results as one JSON document")
    given = parser.parse_args()
    try:
        wire = Wire(given.url)
    except ValueError as error:
        parser.error(str(error))
    results = asyncio.run(run_checks(wire))
    failed = [result for result in results if result.failure is not None]
    if given.json:
        print(json.dumps({"results": [asdict(result) for result in results]}, indent=2))
    else:
        for result in results:
            mark = "ok    " if result.failure is None else "FAILED"
            print(f"{mark} {result.name:40} {result.spec}")
            if result.failure:
                print(f"       {result.failure}")
        print(f"{len(results) - len(failed)} of {len(results)} checks passed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
