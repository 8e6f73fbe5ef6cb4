"""The ledger: a picture of who read when, every entry as a sentence, and each entry with its proof.

Spec: specs/node/dashboard.md#ledger
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web
from freehold_protocol.checkpoint import parse_checkpoint
from freehold_protocol.encoding import Document, format_time, parse_time
from freehold_protocol.errors import MalformedError

from ...api.owner import accounting, granting, looking
from ...proven import is_proven
from ..ledger.chart import SIZE, draw
from ..ledger.sentences import Sentences, short_name
from ..ledger.spans import SPANS, SpanError, Window, day_texts, local, query_of, ways, window_of
from ..page import HEADERS
from ..visit import Visit

PLACE: Final = "ledger"
PATH: Final = "/my/ledger"
KINDS: Final = {"read": "admitted", "refused": "refused", "changed": "changed"}
_PAGE: Final = 50
_FILTERS: Final = ("vendor", "field", "kind")
_ASKED: Final = (*_FILTERS, "span", "from", "to")
_MOST_CHARS: Final = 600
_MOST_RAW: Final = 20_000
"""Of an entry as it is kept, which may name a thousand fields; the file has all of it."""


@dataclass(slots=True, kw_only=True)
class Sought:
    """What a page of the ledger is asked for; ``errors`` says by field what of it cannot be."""

    query: dict[str, str]
    window: Window
    choices: Document
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def now_s(self) -> int:
        return parse_time(self.choices["now"])

    @property
    def first_s(self) -> int:
        return parse_time(self.choices.get("first", self.choices["now"]))

    @property
    def filters(self) -> dict[str, str]:
        """Those of the query that are no times."""
        return {name: self.query[name] for name in _FILTERS if self.query.get(name)}

    def link(self, **times: str) -> str:
        """Return a link to the same entries at other times."""
        return _link({**self.filters, **times})

    @property
    def asked(self) -> dict[str, str]:
        """What the operations are asked for."""
        told = dict(self.window.asked)
        if "vendor" in self.filters:
            told["grant"] = self.filters["vendor"]
        if "field" in self.filters:
            told["field"] = self.filters["field"]
        if "kind" in self.filters:
            told["outcome"] = KINDS[self.filters["kind"]]
        return told

    @property
    def seal(self) -> str:
        """A short digest of what is asked for: a place in a list is one of this list alone."""
        asked = {name: self.query.get(name, "") for name in _ASKED}
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:8]


def _link(query: dict[str, str]) -> str:
    return PATH + ("?" + urlencode(query) if query else "")


async def show(visit: Visit) -> web.Response:
    """Show the picture and the entries."""
    sought = await _sought(visit)
    status = 400 if sought.errors else 200
    after = visit.query.get("after", "")
    if sought.errors:
        return _render(visit, sought, status=status)
    listed = await _listed(visit, sought, after)
    if listed is None:
        sought.errors["after"] = str(visit.t("ledger.error_after"))
        return _render(visit, sought, status=400)
    asked = {**sought.asked, "buckets": str(sought.window.count)}
    timeline = (await visit.does(looking.show_timeline, query=asked)).told
    return _render(visit, sought, listed=listed, timeline=timeline, is_first=not after)


async def _listed(visit: Visit, sought: Sought, after: str) -> Document | None:
    """Return a page of entries; None if the place it is to go on from is none of this list."""
    asked = {**sought.asked, "limit": str(_PAGE)}
    if after:
        cursor, _, seal = after.rpartition(".")
        if seal != sought.seal:
            return None
        asked["after"] = cursor
    try:
        return (await visit.does(looking.list_activity, query=asked)).told
    except MalformedError:
        return None


async def _sought(visit: Visit) -> Sought:
    choices = (await visit.does(looking.show_choices)).told
    query = {name: visit.query[name].strip()[:_MOST_CHARS] for name in _ASKED if visit.query.get(name)}
    errors: dict[str, str] = {}
    now_s = parse_time(choices["now"])
    first_s = parse_time(choices.get("first", choices["now"]))
    try:
        window = window_of(query, now_s=now_s, first_s=first_s)
    except SpanError as error:
        errors[error.field] = str(visit.t(f"ledger.error_{error.key}"))
        window = window_of({}, now_s=now_s, first_s=first_s)
    allowed = {
        "vendor": {one["grant"] for one in choices["grants"]}, "field": set(choices["fields"]), "kind": set(KINDS),
    }  # fmt: skip
    for name in _FILTERS:
        if name in query and query[name] not in allowed[name]:
            errors[name] = str(visit.t(f"ledger.error_{name}"))
    return Sought(query=query, window=window, choices=choices, errors=errors)


def _render(
    visit: Visit,
    sought: Sought,
    *,
    status: int = 200,
    listed: Document | None = None,
    timeline: Document | None = None,
    is_first: bool = True,
) -> web.Response:
    window, entries = sought.window, (listed or {}).get("entries", [])
    chosen = next(
        (one for one in sought.choices["grants"] if one["grant"] == sought.filters.get("vendor")), None
    )
    following = (listed or {}).get("next")
    return visit.page(
        "ledger.html",
        active=PLACE,
        status=status,
        sought=sought,
        is_new="first" not in sought.choices,
        errors=sought.errors,
        spans=[(name, sought.link(span=name)) for name in (*SPANS, "all")],
        span=window.span,
        is_narrowed=bool(sought.errors or sought.query.keys() - {"span"}),
        days=_days_kept(sought),
        vendors=_vendor_choices(sought.choices["grants"]),
        fields=_field_choices(visit, sought.choices["fields"]),
        kinds=[(name, str(visit.t(f"ledger.kind_{name}"))) for name in KINDS],
        chosen=chosen,
        chart=draw(timeline, window, visit.words) if timeline is not None else None,
        partial=timeline is not None and not timeline.get("complete", True),
        short=short_name,
        size=SIZE,
        tally=lambda counts: tally(visit, counts),
        stretch=lambda after_s, before_s: stretch(visit, after_s, before_s),
        zoom=lambda bar: sought.link(**query_of(bar.after_s, bar.before_s)) if window.width_s > 60 else "",
        only=lambda grant: _link({**sought.query, "vendor": grant}),
        without=lambda name: _link({key: text for key, text in sought.query.items() if key != name}),
        ways=ways(window, now_s=sought.now_s, first_s=sought.first_s),
        groups=grouped(visit, entries),
        count=len(entries),
        looked=(listed or {}).get("looked", 0),
        first_page="" if is_first else _link(sought.query),
        next_page=_link({**sought.query, "after": f"{following}.{sought.seal}"}) if following else "",
    )


def _days_kept(sought: Sought) -> dict[str, str]:
    """Return what stands in the boxes of the days: what was asked for, also where it is none."""
    first, last = day_texts(sought.window)
    is_span = not (sought.query.get("from") or sought.query.get("to"))
    wrong = sought.errors.keys() & {"from", "to"}
    if is_span and not wrong:
        return {"from": "", "to": ""}
    if wrong:
        return {name: sought.query.get(name, "")[:10] for name in ("from", "to")}
    return {"from": first, "to": last}


def _vendor_choices(grants: list[Document]) -> list[tuple[str, str]]:
    """Return relationships by name, those with the same name told apart by a number."""
    names: dict[str, int] = {}
    made = []
    for one in reversed(grants):  # the oldest first, so that a number stays
        name = short_name(one["vendor"]["name"], 44)
        names[name] = names.get(name, 0) + 1
        made.append((one["grant"], name if names[name] == 1 else f"{name} ({names[name]})"))
    return sorted(made, key=lambda pair: pair[1].casefold())


def _field_choices(visit: Visit, paths: list[str]) -> list[tuple[str, str]]:
    """Return fields by what they are called; where two are called the same, the path stands beside it."""
    names = [(path, short_name(visit.words.field(path), 60)) for path in paths]
    called = [name for _, name in names]
    told = [(path, name if called.count(name) == 1 else f"{name} ({path})") for path, name in names]
    return sorted(told, key=lambda pair: pair[1].casefold())


def stretch(visit: Visit, after_s: int, before_s: int) -> str:
    """Return a stretch of time in words: a day, days, or a time of a day."""
    after, last, before = local(after_s), local(before_s - 1), local(before_s)
    first_day, last_day = visit.words.day(format_time(after_s)), visit.words.day(format_time(before_s - 1))
    whole = (after.hour, after.minute, before.hour, before.minute) == (0, 0, 0, 0)
    if whole and first_day == last_day:
        return first_day
    if whole:
        return str(visit.t("ledger.stretch", first=first_day, last=last_day))
    begin, end = after.strftime("%H:%M"), before.strftime("%H:%M")
    end = "24:00" if end == "00:00" else end  # of the day that ends there, not the beginning of the next
    if after.date() == last.date():
        return str(visit.t("ledger.stretch_of_day", day=first_day, begin=begin, end=end))
    first = visit.t("times.moment", day=first_day, clock=begin)
    return str(visit.t("ledger.stretch", first=first, last=visit.t("times.moment", day=last_day, clock=end)))


def tally(visit: Visit, counts: dict[str, int]) -> str:
    """Return how much there was of each kind, in words."""
    told = [
        str(visit.t(f"ledger.count_{kind}", count=figure(visit, counts[kind])))
        for kind in KINDS
        if counts[kind]
    ]
    return ", ".join(told) or str(visit.t("ledger.count_nothing"))


def figure(visit: Visit, number: int) -> int | str:
    """Return a number as it is written; 1 stays one, for which texts have a form of their own."""
    return f"{number:,}".replace(",", str(visit.t("ledger.thousands"))) if number >= 1000 else number


def grouped(visit: Visit, entries: list[Document]) -> list[tuple[str, list[Any]]]:
    """Return entries by day, each with its sentence."""
    sentences = Sentences.of(visit)
    days: dict[str, list[Any]] = {}
    for one in entries:
        days.setdefault(visit.words.day(one["time"]), []).append((one, sentences.entry(one)))
    return list(days.items())


# One entry


async def show_entry(visit: Visit) -> web.Response:
    """Show one entry: what it says, where it stands, and how one sees that it was not altered."""
    grant, number = visit.params["grant"], visit.params["number"]
    proven = (await visit.does(accounting.show_entry, {"grant": grant, "number": number})).told
    shown = (await visit.does(granting.show_grant, {"grant": grant})).told
    entry = proven.get("entry")
    told, sentences = _as_activity(shown, proven), Sentences.of(visit)
    return visit.page(
        "ledger_entry.html",
        active=PLACE,
        grant=grant,
        told=told,
        entry=entry,
        proven=proven,
        size=proven["size"],
        vendor=shown["vendor"],
        domain=shown["vendor"].get("domain", ""),
        says=sentences.entry(told),
        sentences=sentences,
        permission=_permission_of(shown, entry or {}),
        holds=is_proven(proven),
        root=parse_checkpoint(proven["checkpoint"]).root.hex(),
        raw=json.dumps(entry, indent=1, ensure_ascii=False)[:_MOST_RAW] if entry else "",
        before=int(number) - 1 if int(number) else None,
        after=int(number) + 1 if int(number) + 1 < proven["size"] else None,
    )


def _as_activity(shown: Document, proven: Document) -> Document:
    """Return an entry as the lists have it: with who it was, the vendor or a partner of it."""
    told = {"grant": shown["id"], "number": proven["number"], "vendor": shown["vendor"], "kind": "erased"}
    entry = proven.get("entry")
    if entry is None:
        return told
    told |= {"kind": entry["kind"], "time": entry["time"], "entry": entry}
    if "who" not in entry:
        return told
    # The first link of a chain is the vendor's, whatever key it had then.
    is_vendor = len(entry["chain"]) == 1 if "chain" in entry else entry["who"] == shown["vendor"]["id"]
    who = {"id": entry["who"], "is": "vendor" if is_vendor else "partner"}
    for partner in () if is_vendor else shown.get("partners", ()):
        if entry["who"] in partner["keys"]:
            who["domain"] = partner["domain"]
    return {**told, "who": who}


def _permission_of(shown: Document, entry: Document) -> Document | None:
    """Return the permission that an entry was under, as it stood in that version of the grant or does now."""
    name = entry.get("permission")
    versions: dict[int, Document] = {one["version"]: one for one in shown["receipt"].get("versions", ())}
    grant: Document = versions.get(entry.get("version", 0)) or shown["document"]
    return next((one for one in grant.get("permission", ()) if one["name"] == name), None)


async def download(visit: Visit) -> web.Response:
    """Give a relationship's whole ledger as a file that anybody can check."""
    grant = visit.params["grant"]
    bundle = (await visit.does(accounting.show_bundle, {"grant": grant})).told
    body = await asyncio.to_thread(lambda: json.dumps(bundle, indent=1).encode() + b"\n")
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="ledger-{grant[:8]}.json"'}
    return web.Response(body=body, content_type="application/json", headers=headers)
