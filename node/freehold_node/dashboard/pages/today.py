"""Today: what waits for the person, what is due, and who read what in the last days.

Spec: specs/node/dashboard.md#today
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from aiohttp import web
from freehold_protocol.encoding import Document, format_time, parse_time
from freehold_protocol.errors import PassphraseError
from markupsafe import Markup

from ...api.owner import deciding, looking, tending
from ...devices import TooManyAttemptsError
from ..ledger.sentences import Sentences
from ..ledger.spans import local, midnight_s
from ..visit import Visit
from .first_steps import first_steps

_DAYS: Final = 7
_REQUESTS: Final = 5
_DUE: Final = 5
_LINES: Final = 10
"""Lines of one day; more are in the ledger."""
_ENTRIES: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a day: a sentence, a second one or "", its sign, when it was last so, and where more is."""

    sentence: Markup
    more: str
    outcome: str
    last: str
    href: str


async def show(visit: Visit) -> web.Response:
    """Show the page."""
    return await _show(visit)


async def _show(visit: Visit, *, status: int = 200, wrong: bool = False, wait_s: int = 0) -> web.Response:
    told = (await visit.does(looking.show_today)).told
    asked = {"status": "waiting", "limit": str(_REQUESTS)}
    requests = (await visit.does(deciding.list_requests, query=asked)).told
    now_s = parse_time(told["clock"]["now"])
    days = await _days(visit, told, now_s)
    return visit.page(
        "today.html",
        active="today",
        status=status,
        is_new=not days and not requests["requests"] and await _is_empty(visit),
        clock=told["clock"],
        wrong=wrong,
        wait_s=wait_s,
        requests=requests["requests"],
        further=requests["counts"]["waiting"] - len(requests["requests"]),
        due=_due(visit, told, now_s),
        days=days,
        complete=told["complete"],
        sentences=Sentences.of(visit),
        first_steps=await first_steps(visit),
    )


async def confirm_clock(visit: Visit) -> web.Response:
    """Trust the clock as it stands, at the person's word."""
    try:
        await visit.does(tending.confirm_clock, body={})
    except TooManyAttemptsError as error:
        return await _show(visit, status=429, wait_s=error.wait_s)
    except PassphraseError:
        return await _show(visit, status=403, wrong=bool(visit.form.get("passphrase")))
    return visit.go("/my/today", said="clock_confirmed")


async def _is_empty(visit: Visit) -> bool:
    status = (await visit.does(tending.show_status)).told
    return not status["records"] and not any(status["grants"].values())


# What is due


def _due(visit: Visit, told: Document, now_s: int) -> list[dict[str, Any]]:
    """Return what is due, a line each; of many of a kind it says how many more there are."""
    sentences = Sentences.of(visit)
    lines: list[dict[str, Any]] = []
    for name, key in (("restored", "restored"), ("newKeys", "new_keys"), ("ending", "ends")):
        grants = told[name]["grants"][:_DUE]
        for one in grants:
            vendor = sentences.vendor(one["vendor"])
            text = (
                _ends(visit, vendor, one, now_s) if key == "ends" else visit.t(f"today.{key}", vendor=vendor)
            )
            paused = key == "ends" and one["state"] == "paused"
            lines.append(
                {
                    "title": text,
                    "text": str(visit.t("today.ends_paused")) if paused else "",
                    "href": f"/my/relationships/{one['grant']}",
                    "sign": "clock" if key == "ends" else "warning",
                }
            )
        if more := told[name]["count"] - len(grants):
            text = visit.t(f"today.{key}_more", count=more)
            lines.append({"title": text, "text": "", "href": "/my/relationships", "sign": "relationships"})
    return lines


def _ends(visit: Visit, vendor: Markup, one: Document, now_s: int) -> Markup:
    count = (local(parse_time(one["expires"])).date() - local(now_s).date()).days
    if count <= 1:
        return visit.t("today.ends_tomorrow" if count == 1 else "today.ends_today", vendor=vendor)
    return visit.t("today.ends_in", vendor=vendor, count=count, day=visit.words.day(one["expires"]))


# The last days


async def _days(visit: Visit, told: Document, now_s: int) -> list[tuple[str, list[Line], int, str]]:
    """Return the days on which something happened, the latest first: name, lines, how many more, link to all."""
    lines: dict[date, list[Line]] = {}
    further: dict[date, int] = {}
    for day in told["days"]:
        when = date.fromisoformat(day["day"])
        lines[when] = [_read(visit, one, when) for one in day["reads"]]
        further[when] = day["vendors"] - len(day["reads"])
    since_s = midnight_s(local(now_s).date() - timedelta(_DAYS - 1))
    for outcome in ("refused", "changed"):
        asked = {"since": format_time(since_s), "outcome": outcome, "limit": str(_ENTRIES)}
        listed = (await visit.does(looking.list_activity, query=asked)).told["entries"]
        for when, line in _repeated(visit, listed):
            lines.setdefault(when, []).append(line)
    made = []
    for when in sorted(lines, reverse=True):
        newest = sorted(lines[when], key=lambda line: line.last, reverse=True)
        more = len(newest[_LINES:]) + further.get(when, 0)
        made.append((_day_name(visit, when, now_s), newest[:_LINES], more, _link(when)))
    return made


def _day_name(visit: Visit, when: date, now_s: int) -> str:
    ago = (local(now_s).date() - when).days
    day = visit.words.day(format_time(midnight_s(when) + 43_200))
    return str(visit.t("today.this_day" if ago == 0 else "today.yesterday")) if ago in (0, 1) else day


def _link(when: date, grants: list[str] | None = None, kind: str = "") -> str:
    query = {"from": when.isoformat(), "to": when.isoformat()}
    if grants is not None and len(grants) == 1:
        query["vendor"] = grants[0]
    return "/my/ledger?" + urlencode(query | ({"kind": kind} if kind else {}))


def _read(visit: Visit, one: Document, when: date) -> Line:
    sentences = Sentences.of(visit)
    always = set(one["always"])
    sometimes = [path for path in one["fields"] if path not in always]
    key = "once" if one["reads"] == 1 else "alike" if not sometimes else "partly" if always else "often"
    text = visit.t(
        f"today.read_{key}",
        vendor=sentences.vendor(one["vendor"]),
        fields=sentences.fields(one["fields"] if not always else one["always"]),
        sometimes=sentences.fields(sometimes),
        count=one["reads"],
        clock=visit.words.clock(one["last"]),
    )
    partners, more = one["byPartners"], ""
    if partners:
        key = "all_by_partners" if partners == one["reads"] else "by_partners"
        more = str(visit.t(f"today.{key}", count=partners))
    return Line(
        sentence=text, more=more, outcome="read", last=one["last"], href=_link(when, one["grants"], "read")
    )


def _repeated(visit: Visit, entries: list[Document]) -> list[tuple[date, Line]]:
    """Return refusals and changes, those of one day, vendor and kind in one line; the newest stands for them."""
    sentences = Sentences.of(visit)
    found: dict[tuple[date, str, str], list[Document]] = {}
    for one in entries:
        if (entry := one.get("entry")) is not None:
            what = entry["code"] if one["kind"] == "refused" else entry["change"]
            when = local(parse_time(one["time"])).date()
            found.setdefault((when, one["grant"], what), []).append(one)
    made = []
    for (when, grant, what), same in found.items():
        newest = same[0]
        if newest["kind"] == "refused":
            count = sum(one["entry"]["count"] for one in same)
            key = "refused_once" if count == 1 else "refused_often"
            text, more = (
                visit.t(f"today.{key}", vendor=sentences.who(newest), count=count),
                sentences.why(what),
            )
        else:
            text, more = sentences.change(newest["vendor"], what), ""
            if len(same) > 1:
                text = visit.t("today.changed_often", sentence=text, count=len(same))
        href = (
            f"/my/ledger/{grant}/{newest['number']}"
            if len(same) == 1
            else _link(when, [grant], newest["kind"])
        )
        made.append(
            (when, Line(sentence=text, more=more, outcome=newest["kind"], last=newest["time"], href=href))
        )
    return made
