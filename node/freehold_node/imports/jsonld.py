"""JSON-LD files: one node, an array, a ``@graph`` or a feed of nodes, in our context or schema.org's."""

from __future__ import annotations

import re
from typing import Final

from freehold_protocol.encoding import Document, Json, parse_json
from freehold_protocol.errors import FreeholdError, MalformedError, TooLargeError, UndefinedTermError
from freehold_protocol.form import CONTEXT
from freehold_protocol.reason import Reason
from freehold_protocol.record import check_content

from . import credential
from .jsonld_items import unwrapped
from .preview import MAX_FOUND, Found, Preview, Skipped, key_of, without_duplicates
from .reasons import why
from .texts import fits_a_record

_CONTEXTS: Final = {CONTEXT} | {
    f"{scheme}://schema.org{end}" for scheme in ("http", "https") for end in ("", "/")
}
_ALIASES: Final = {"@type": "type", "@id": "id"}
_FORBIDDEN: Final = ("proof", "created", "source", "previous")
"""What only the node itself says about a record."""
_MAX_MEMBERS: Final = 500_000
"""Of the whole file; each record has the protocol's own bound."""
_BLANK: Final = "_:"
_CONTROLS = re.compile(r"[\0-\x08\x0b-\x1f\x7f-\x9f]")


def read(data: bytes, *, max_bytes: int) -> Preview:
    """Return what a JSON-LD file holds.

    Raises:
        TooLargeError: More bytes, members or items than one file may have.
        MalformedError: Not JSON, or JSON that is no node and holds none.
    """
    found: list[Found] = []
    skipped: list[Skipped] = []
    value = parse_json(data, max_bytes=max_bytes, max_members=_MAX_MEMBERS)
    for count, (where, item) in enumerate(unwrapped(value, skipped)):
        if count >= MAX_FOUND:
            raise TooLargeError(why("many-items", most=MAX_FOUND))
        try:
            found.append(_read_item(item, where))
        except UndefinedTermError as error:
            skipped.append(Skipped(where=where, reason=why("undefined-term", error=str(error))))
        except FreeholdError as error:
            skipped.append(
                Skipped(where=where, reason=Reason.of(error) or why("not-valid", error=str(error)))
            )
    kept, duplicates = without_duplicates(found)
    return Preview(format="JSON-LD", found=kept, skipped=(*skipped, *duplicates))


def _read_item(item: Json, where: Reason) -> Found:
    if not isinstance(item, dict):
        raise MalformedError(why("no-object"))
    if credential.is_credential(item):
        return credential.read(item, where)
    context = item.get("@context")
    if isinstance(context, list) and len(context) == 1:
        context = context[0]
    if not isinstance(context, str) or context not in _CONTEXTS:
        raise MalformedError(why("other-context", context=CONTEXT))
    for name in _FORBIDDEN:
        if name in item:
            raise MalformedError(why("own-to-write", name=name))
    content = _plain({name: value for name, value in item.items() if name != "@context"})
    identity = content.pop("id", None)
    check_content(content)
    document: Document = {"@context": CONTEXT, "type": content["type"], **content}
    if not fits_a_record(document):
        raise MalformedError(why("too-long"))
    _check_terms(document)
    return Found(
        document=document,
        key=_key(identity, document),
        label=_label(document) or where,
        where=where,
    )


def _plain(value: Json) -> Json:
    """Return a JSON value with ``type`` and ``id`` for the keywords they stand for, at every depth."""
    if isinstance(value, dict):
        made = {_ALIASES.get(name, name): _plain(one) for name, one in value.items()}
        if len(made) != len(value):
            raise MalformedError(why("named-twice"))
        kind = made.get("type")
        if isinstance(kind, list) and len(kind) == 1:
            made["type"] = kind[0]
        return made
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, str) and _CONTROLS.search(value):
        raise MalformedError(why("control-characters"))
    return value


def _check_terms(document: Document) -> None:
    from freehold_protocol.contexts import check_terms  # reads the contexts, which an idle node need not

    check_terms(document)


def _key(identity: Json, document: Document) -> str:
    if identity is None or (isinstance(identity, str) and identity.startswith(_BLANK)):
        return key_of("content", document)
    if not isinstance(identity, str) or not identity:
        raise MalformedError(why("id-no-text"))
    return key_of("id", identity)


def _label(document: Document) -> str:
    for name in ("name", "alternateName", "email", "orderNumber"):
        value = document.get(name)
        value = value[0] if isinstance(value, list) and value else value
        if isinstance(value, str) and value.strip():
            return " ".join(value.split())
    return ""
