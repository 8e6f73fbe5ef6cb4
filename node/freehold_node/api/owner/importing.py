"""The owner's operations about files: what one holds, and importing it.

Spec: specs/http.md#owner
"""

from __future__ import annotations

import asyncio
from typing import Final

from freehold_protocol import form
from freehold_protocol.encoding import Document, base64url_decode
from freehold_protocol.errors import MalformedError
from freehold_protocol.record import content_of

from ...filling import Filling
from ...imports import MAX_MAPPING_BYTES, Skipped, suggest_mapping
from ..keys import INSPECTION, RECORDS
from ..operation import Answer, Asked, owned

_SHOWN: Final = 20
"""Records of a preview that are shown with what they say."""
_MAX_FILE_CHARS: Final = 15 * 2**20


@owned
async def preview_import(asked: Asked) -> Answer:
    """Show what a file holds, without importing anything; with ``me``, whether the import takes a fresh proof."""
    data, name = _file(asked.body, "mapping", "me", "switch")
    records, (me, switch) = asked.app[RECORDS], _person(asked.body)
    preview, looked = await records.preview(data, name, _mapping(asked.body))
    proof = {"passphrase": await records.takes_proof(preview, me, switch=switch)} if me is not None else {}
    found = [
        {
            "number": number,
            "where": one.where,
            "label": one.label,
            "type": one.document["type"],
            "fields": sorted(one.document.keys() - {"@context", "type"}),
            "state": would.state,
            "skipped": _skipped(one.skipped),
            **({"self": True} if would.is_self else {}),
            **({"fills": _filling(would.filling)} if would.filling is not None else {}),
            **({"content": content_of(one.document)} if number <= _SHOWN else {}),
            **({"emails": emails} if (emails := _emails(one.document)) else {}),
        }
        for number, (one, would) in enumerate(zip(preview.found, looked, strict=True), start=1)
    ]
    skipped = _skipped(preview.skipped)
    return Answer(document={"format": preview.format, "found": found, "skipped": skipped, **proof})


@owned
async def suggest_import_mapping(asked: Asked) -> Answer:
    """Write a mapping for a table to begin with."""
    data, name = _file(asked.body)
    return Answer(document={"mapping": await asyncio.to_thread(suggest_mapping, data, name=name)})


@owned
async def import_file(asked: Asked) -> Answer:
    """Import what is sound in a file; who the person is from then on may take a fresh proof, as in choose_self."""
    data, name = _file(asked.body, "mapping", "me", "switch", "passphrase")
    me, switch = _person(asked.body)
    done = await asked.app[RECORDS].import_file(
        data, name, me=me, switch=switch, mapping=_mapping(asked.body), told=asked.told, prove=asked.prove
    )
    return Answer(
        document={
            "added": done.added,
            "changed": done.changed,
            "same": done.same,
            "self": await asked.app[INSPECTION].self_record(),
            "skipped": _skipped(done.skipped),
            **({"fills": _filling(done.filling)} if done.filling is not None else {}),
        }
    )


def _filling(filling: Filling) -> Document:
    return {"adds": list(filling.adds), "keeps": list(filling.keeps)}


def _file(body: Document, *optional: str) -> tuple[bytes, str]:
    found = form.check_members(body, required=("name", "data"), optional=optional)
    data = found["data"]
    if not isinstance(data, str) or len(data) > _MAX_FILE_CHARS:
        raise MalformedError("data is the file in base64url")
    return base64url_decode(data), form.text(found["name"], "name", most=255)


def _person(body: Document) -> tuple[str | None, bool]:
    """Return which card is the person, if one is, and whether it takes the place of the record that is there."""
    me = form.text(body["me"], "me", most=300) if "me" in body else None
    return me, "switch" in body and form.boolean(body["switch"], "switch")


def _mapping(body: Document) -> str | None:
    mapping = body.get("mapping")
    if mapping is not None and (not isinstance(mapping, str) or len(mapping) > MAX_MAPPING_BYTES):
        raise MalformedError(f"mapping is a text of at most {MAX_MAPPING_BYTES // 1024} KiB")
    return mapping


def _emails(document: Document) -> list[str]:
    """Return by which addresses a person in a file can be chosen."""
    if document["type"] != "Person":
        return []
    values = document.get("email", [])
    return [one for one in (values if isinstance(values, list) else [values]) if isinstance(one, str)]


def _skipped(skipped: tuple[Skipped, ...]) -> list[Document]:
    return [{"where": one.where, "reason": one.reason} for one in skipped]
