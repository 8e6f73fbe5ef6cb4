"""The contexts that the person added by hand, read once when the node starts; nothing downloads any.

Spec: specs/node/data-directory.md#contexts
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from freehold_protocol import limits
from freehold_protocol.contexts import Contexts
from freehold_protocol.encoding import Document, parse_document
from freehold_protocol.errors import FreeholdError, MalformedError, NotFoundError

from .data_dir import read_bounded

FOLDER: Final = "contexts"
INDEX: Final = "index.json"
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")


def read_contexts(data_dir: Path) -> Contexts:
    """Return the bundled contexts and those in the data directory's folder of contexts.

    Raises:
        NotFoundError: The index names a file that is not there.
        MalformedError: The index or a file is not what it must be; the text names it.

    Spec: specs/node/data-directory.md#contexts
    """
    folder = data_dir / FOLDER
    if not folder.is_dir():
        return Contexts()
    try:
        index = parse_document(read_bounded(folder / INDEX, limits.MAX_DOCUMENT_BYTES))
    except NotFoundError:
        raise NotFoundError(f"{FOLDER}/{INDEX} is missing: it says which context each file is") from None
    except FreeholdError as error:
        raise MalformedError(f"{FOLDER}/{INDEX}: {error}") from None
    added = {url: _read_file(folder, name) for url, name in index.items()}
    for url, document in added.items():
        try:  # one by one, so that the text can name the file
            Contexts({url: document})
        except FreeholdError as error:
            raise MalformedError(f"{FOLDER}/{index[url]}: {error}") from None
    return Contexts(added)


def _read_file(folder: Path, name: object) -> Document:
    if not isinstance(name, str) or not _FILE_NAME.match(name):
        raise MalformedError(f"{FOLDER}/{INDEX}: a file is named by letters, digits, dots, - and _")
    try:
        data = read_bounded(folder / name, limits.MAX_CONTEXT_BYTES)
        return parse_document(data, max_bytes=limits.MAX_CONTEXT_BYTES)
    except NotFoundError:
        raise NotFoundError(f"{FOLDER}/{name} is missing, but {FOLDER}/{INDEX} names it") from None
    except FreeholdError as error:
        raise MalformedError(f"{FOLDER}/{name}: {error}") from None
