"""My data: what the node holds, by kind; one record with all that is to be said of it; deleting it.

Spec: specs/node/dashboard.md#my-data
"""

from __future__ import annotations

import json

from aiohttp import web
from freehold_protocol.encoding import Document
from freehold_protocol.errors import MalformedError, PassphraseError

from ...api.owner import recording, tending
from ...condition import Condition
from ...devices import TooManyAttemptsError
from ...imports import ATTESTATION
from ..page import HEADERS
from ..record.as_words import Telling
from ..visit import Visit

_PAGE = 50
_NEWEST = 8
_MOST_SHOWN_JSON = 20_000
_VERSIONS = 10


async def show(visit: Visit) -> web.Response:
    """Show what there is: the person's own record, the kinds, and what is new; or what is looked for."""
    sought = " ".join(visit.query.get("q", "").split())[:100]
    types = (await visit.does(recording.list_record_types)).told
    status = (await visit.does(tending.show_status)).told
    found = await _page(visit, {"order": "name", "q": sought}) if sought else None
    newest = (await visit.does(recording.list_records, query={"order": "newest", "limit": str(_NEWEST)})).told
    return visit.page(
        "data.html", active="data", types=types["types"], count=types["count"], me=status["self"], sought=sought,
        found=found, newest=_rows(visit, newest), bare=bare_id,
    )  # fmt: skip


async def show_kind(visit: Visit) -> web.Response:
    """Show the records of one kind, by name."""
    kind, sought = visit.params["type"], " ".join(visit.query.get("q", "").split())[:100]
    types = (await visit.does(recording.list_record_types)).told["types"]
    count = next((one["count"] for one in types if one["type"] == kind), 0)
    asked = {"order": "name", "type": kind, **({"q": sought} if sought else {})}
    found = await _page(visit, asked)
    return visit.page("data_kind.html", active="data", kind=kind, count=count, sought=sought, found=found)


async def _page(visit: Visit, asked: dict[str, str]) -> dict[str, object]:
    after = visit.query.get("after")
    query = {**asked, "limit": str(_PAGE), **({"after": after} if after else {})}
    told = (await visit.does(recording.list_records, query=query)).told
    return {"rows": _rows(visit, told), "next": told.get("next"), "is_first": not after}


def _rows(visit: Visit, told: Document) -> list[Document]:
    return [{**one, "id": bare_id(one["id"]), "label": label(visit, one)} for one in told["records"]]


def bare_id(urn: str) -> str:
    """Return the id of a record as it stands in addresses."""
    return urn.removeprefix("urn:uuid:")


def label(visit: Visit, record: Document) -> str:
    """Return what a record is called; one without a name by its kind, in the page's language."""
    called, kind = str(record["label"]), str(record["type"])
    return visit.words.one(kind) + called.removeprefix(kind) if called.startswith(kind) else called


async def show_record(visit: Visit) -> web.Response:
    """Show one record: what it says, where from, who may read it, how it changed."""
    told = (await visit.does(recording.show_record, {"record": visit.params["record"]})).told
    telling = Telling(visit.words)
    lines, left = telling.lines(told["content"])
    chain = [told["record"], *told["history"]]
    wanted = len(chain) if visit.query.get("versions") == "all" else _VERSIONS
    versions = [telling.version(one, before) for one, before in zip(chain, [*chain[1:], None], strict=True)][
        : min(wanted, 200)
    ]
    whole = json.dumps(told["record"], indent=1, ensure_ascii=False)
    return visit.page(
        "record.html", active="data", record=visit.params["record"], kind=told["content"]["type"],
        label=name_of(visit, told["content"]), is_self=told["self"], lines=lines, left=left,
        source=telling.source(told["record"]), attested=telling.attested(told["content"]),
        gives="asSelf" in told, readers=_readers(told["readers"]), versions=versions,
        earlier=len(chain) - len(versions), kept=whole if len(whole) <= _MOST_SHOWN_JSON else "",
        cid=told["cid"], is_own=is_editable(told["content"]),
    )  # fmt: skip


def name_of(visit: Visit, content: Document) -> str:
    """Return what a record is called by what it says."""
    name = content.get("name")
    number = next(
        (content[term] for term in ("orderNumber", "identifier") if isinstance(content.get(term), str)), ""
    )
    return name if isinstance(name, str) and name else f"{visit.words.one(content['type'])} {number}".strip()


def is_editable(content: Document) -> bool:
    """Whether the person writes such a record: what others attest is kept as they signed it."""
    return bool(content["type"] != ATTESTATION)


def _readers(readers: list[Document]) -> list[Document]:
    """Return who may read, each vendor's relationship once, with all fields that it is shown."""
    by_grant: dict[str, Document] = {}
    for one in readers:
        known = by_grant.setdefault(one["grant"], {**one, "fields": []})
        known["fields"] += [path for path in one["fields"] if path not in known["fields"]]
    return list(by_grant.values())


async def download(visit: Visit) -> web.Response:
    """Give a record as it is kept."""
    told = (await visit.does(recording.show_record, {"record": visit.params["record"]})).told
    name = f'attachment; filename="record-{visit.params["record"][:8]}.json"'
    body = json.dumps(told["record"], indent=1, ensure_ascii=False).encode()
    return web.Response(
        body=body, content_type="application/json", headers={**HEADERS, "Content-Disposition": name}
    )


async def ask_self(visit: Visit) -> web.Response:
    """Say who reads a record once it is the one about the person, before it is."""
    return await _ask_self(visit)


async def _ask_self(visit: Visit, *, status: int = 200, wrong: bool = False, wait_s: int = 0) -> web.Response:
    told = (await visit.does(recording.show_record, {"record": visit.params["record"]})).told
    me = (await visit.does(tending.show_status)).told["self"]
    if told["self"]:
        return visit.go(f"/my/data/records/{visit.params['record']}")
    return visit.page(
        "record_self.html", active="data", status=status, wrong=wrong, wait_s=wait_s, record=visit.params["record"],
        label=name_of(visit, told["content"]), me=me, readers=_readers(told.get("asSelf", [])),
    )  # fmt: skip


async def choose_self(visit: Visit) -> web.Response:
    """Note that this record is about the person; where somebody reads more by that, with a fresh proof."""
    try:
        await visit.does(recording.choose_self, body={"record": "urn:uuid:" + visit.params["record"]})
    except TooManyAttemptsError as error:
        return await _ask_self(visit, status=429, wait_s=error.wait_s)
    except PassphraseError:
        return await _ask_self(visit, status=403, wrong=bool(visit.form.get("passphrase")))
    return visit.go(f"/my/data/records/{visit.params['record']}", said="chosen_self")


async def ask_delete(visit: Visit) -> web.Response:
    """Say what deleting means, before it is done."""
    told = (await visit.does(recording.show_record, {"record": visit.params["record"]})).told
    return visit.page(
        "record_delete.html", active="data", record=visit.params["record"], cid=told["cid"],
        label=name_of(visit, told["content"]), versions=len(told["history"]) + 1, is_self=told["self"],
        readers=_readers(told["readers"]),
    )  # fmt: skip


async def delete(visit: Visit) -> web.Response:
    """Delete a record as it was seen."""
    seen = visit.form.text("seen", most=100)
    if not seen:
        raise MalformedError("the form is not whole")
    condition = Condition(frozenset({seen}))
    await visit.does(recording.delete_record, {"record": visit.params["record"]}, condition=condition)
    return visit.go("/my/data", said="record_deleted")
