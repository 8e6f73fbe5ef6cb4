"""Our protocol library behind the questions of the test vectors: ``answer`` in process, or a line for a line.

It is to ``freehold-conformance library`` what any implementer's adapter is, and an example of one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import library_capabilities
import library_documents
import library_encoding
import library_grants
import library_http
import library_identity
import library_ledger
from freehold_protocol.encoding import Document, Json
from freehold_protocol.errors import FreeholdError

OPERATIONS: dict[str, Callable[[Document], Json]] = {
    **library_encoding.OPERATIONS,
    **library_identity.OPERATIONS,
    **library_documents.OPERATIONS,
    **library_grants.OPERATIONS,
    **library_capabilities.OPERATIONS,
    **library_http.OPERATIONS,
    **library_ledger.OPERATIONS,
}


def answer(operation: str, given: Document) -> Document:
    """Return ``{"outcome", "output"?}``; what is no FreeholdError is a fault of the library, and is let through."""
    ask = OPERATIONS.get(operation)
    if ask is None:
        return {"outcome": "not-implemented"}
    try:
        output = ask(given)
    except FreeholdError as error:
        return {"outcome": error.code}
    outcome, output = output if isinstance(output, tuple) else ("valid", output)
    return {"outcome": outcome} if output is None else {"outcome": outcome, "output": output}


def main() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(answer(asked["operation"], asked["input"])), flush=True)


if __name__ == "__main__":
    main()
