"""The contexts of the third-party vectors, as somebody would add them."""

from __future__ import annotations

import json
from pathlib import Path

from freehold_protocol.contexts import Contexts
from freehold_protocol.encoding import Document

EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
CITIZENSHIP = "https://w3id.org/citizenship/v4rc1"
CREDENTIALS = "https://www.w3.org/ns/credentials/v2"


def published(vectors: Path, *urls: str) -> dict[str, Document]:
    """Return URL to document of published contexts; of all if none is named."""
    folder = vectors / "contexts"
    index = json.loads((folder / "index.json").read_text("utf-8"))
    return {
        entry["url"]: json.loads((folder / entry["file"]).read_text("utf-8"))
        for entry in index
        if not urls or entry["url"] in urls
    }


def contexts_of_examples(vectors: Path) -> Contexts:
    """Return the bundled contexts and the two that the examples of vc-di-eddsa need."""
    return Contexts(published(vectors, EXAMPLES, CITIZENSHIP))
