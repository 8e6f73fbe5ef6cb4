"""Requests: the inbox, the consent card, a second look, and the decision.

Spec: specs/node/dashboard.md#requests
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from aiohttp import web
from freehold_protocol.encoding import Document, parse_time
from freehold_protocol.errors import (
    DraftChangedError,
    MalformedError,
    PassphraseError,
    TooLargeError,
    TransitionError,
)
from freehold_protocol.permission import Permission, read_permissions

from ...api.owner import connecting, deciding, granting
from ...devices import TooManyAttemptsError
from ..consent.card import card_of, is_reviewable, parts_of, serving, unserving
from ..consent.choices import SEEN, Choices, local_day, packed, read_choices, wanted
from ..consent.hours import zone_choices, zone_here
from ..consent.lookalike import Suspicion, suspicions
from ..consent.own import own_of
from ..consent.partners import Acquaintances
from ..consent.problem import Problem
from ..consent.second_look import reviewed
from ..sample import SAMPLE
from ..visit import Visit

_DECIDED_SHOWN: Final = 10
_PAGE: Final = "20"
_MOST_CHARS: Final = 100
STATES: Final = ("waiting", "approved", "refused")
REASONS: Final = ("not_now", "too_much", "unknown", "purpose", "other_way")


# The inbox


async def show_list(visit: Visit) -> web.Response:
    """Show what waits, and what was decided."""
    state = visit.query.get("state", "")
    if state in STATES:
        return await _show_state(visit, state)
    waiting = await _listed(visit, "waiting")
    decided = [await _listed(visit, one) for one in ("approved", "refused")]
    newest = sorted(
        (one for page in decided for one in page["requests"]), key=lambda one: one["received"], reverse=True
    )
    return visit.page(
        "requests.html", active="requests", waiting=waiting["requests"], decided=newest[:_DECIDED_SHOWN],
        counts=waiting["counts"], more="next" in waiting, label=visit.preset.get("label", "")[:120], error="",
    )  # fmt: skip


async def _listed(visit: Visit, state: str, after: str = "", name: str = "") -> Document:
    given = {"status": state, "limit": _PAGE, "after": after, "q": name}
    query = {key: value for key, value in given.items() if value}
    return (await visit.does(deciding.list_requests, query=query)).told


async def _show_state(visit: Visit, state: str) -> web.Response:
    name = visit.query.get("q", "").strip()[:_MOST_CHARS]
    page = await _listed(visit, state, visit.query.get("after", ""), name)
    here = "/my/requests?" + urlencode({"state": state, **({"q": name} if name else {})}, quote_via=quote)
    onward = f"{here}&after={page['next']}" if "next" in page else ""
    return visit.page(
        "requests_of.html", active="requests", state=state, requests=page["requests"], counts=page["counts"],
        name=name, onward=onward, first=here if "after" in visit.query else "",
    )  # fmt: skip


async def invite(visit: Visit) -> web.Response:
    """Make an invitation, and show the link to hand over."""
    try:
        label = visit.form.text("label", most=120)
        made = (await visit.does(deciding.invite, body={"label": label})).told
    except (MalformedError, TooLargeError):
        waiting = await _listed(visit, "waiting")
        return visit.page(
            "requests.html", active="requests", status=400, waiting=waiting["requests"], decided=[],
            counts=waiting["counts"], more="next" in waiting, label=visit.form.get("label", "")[:120],
            error=visit.t("requests.bad_label"),
        )  # fmt: skip
    return visit.page("invited.html", active="requests", made=made)


# The consent card


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A request, with its permissions as the protocol reads them."""

    told: Document
    permissions: tuple[Permission, ...]

    @property
    def id(self) -> str:
        return str(self.told["id"])

    @property
    def path(self) -> str:
        return f"/my/requests/{self.id}"


async def _asked(visit: Visit) -> _Asked:
    told = (await visit.does(deciding.show_request, {"request": visit.params["request"]})).told
    return _Asked(told=told, permissions=read_permissions(told["permissions"]))


async def _dealt_with(visit: Visit) -> list[Document]:
    """Return the vendors that the person has a relationship with, or had; the newest 200."""
    grants = (await visit.does(granting.list_grants, query={"limit": "200"})).told["grants"]
    return [one["vendor"] for one in grants]


def _suspicious(asked: _Asked, vendors: Sequence[Document], known: Acquaintances) -> tuple[Suspicion, ...]:
    """Return what is suspicious about the names of who asks and of the partners, of whom the asker may be a twin."""
    vendor = asked.told["vendor"]
    found = list(suspicions(vendor["name"], vendor.get("domain"), _names_but(vendors, vendor["id"])))
    for did in dict.fromkeys(did for one in asked.permissions for did in one.recipients):
        one = known.partner(did)
        domain = one.name if one.kind == "domain" else None
        found += suspicions(one.name, domain, _names_but([*vendors, vendor], did))
    return tuple(dict.fromkeys(found))


def _names_but(vendors: Sequence[Document], did: str) -> list[str]:
    """Return the names and domains of all vendors but one."""
    others = (one for one in vendors if one["id"] != did)
    return list(dict.fromkeys(name for one in others for name in (one["name"], one.get("domain")) if name))


def _known(visit: Visit, vendors: Sequence[Document]) -> Acquaintances:
    sample = visit.request.app.get(SAMPLE)
    names = {one["id"]: one["name"] for one in reversed(vendors)}
    return Acquaintances(names=names, sample=sample.courier_did if sample else "")


async def show(visit: Visit) -> web.Response:
    """Show the consent card, or what was decided."""
    asked = await _asked(visit)
    if asked.told["status"] != "waiting":
        return _decided(visit, asked)
    part = _number(visit.preset.get("part", ""))
    return await _card(visit, asked, read_choices(visit.preset, asked.permissions), part=part)


async def _card(
    visit: Visit,
    asked: _Asked,
    choices: Choices,
    *,
    problems: Sequence[Problem] = (),
    part: int = 0,
    status: int = 200,
) -> web.Response:
    own, standing = await own_of(visit, asked.permissions)
    parts = parts_of(asked.permissions)
    part = min(part, len(parts) - 1)
    vendors = await _dealt_with(visit)
    known = _known(visit, vendors)
    cards = card_of(asked.permissions, choices, own, parts[part], known)
    texts = {key: choices.text(key) for key in ("until", "begin")}
    on_page = {box for card in cards for box in card.boxes}
    shown = {f"{what}.{card.number}" for card in cards for what in ("reads", "rate", "from", "to", "days")}
    asks_zone = any(not card.when.zone for card in cards)
    if asks_zone:
        shown.add("zone")
    carried = packed(choices, beside=on_page) | {
        name: text for name, text in choices.texts.items() if name not in shown | texts.keys()
    }
    return visit.page(
        "request.html", active="requests", status=status, asked=asked.told, path=asked.path, cards=cards,
        carried=carried, texts=texts, choices=choices, problems={one.field: one.text for one in problems}, own=own,
        errors={one.field: visit.t(f"requests.problem_{one.text}") for one in problems},
        suspicions=_suspicious(asked, vendors, known), part=part, parts=len(parts),
        last_day=local_day(parse_time(asked.told["expires"])).isoformat(),
        today=local_day(parse_time(standing["clock"]["now"])).isoformat(), reasons=REASONS,
        fields=sum(len(item.fields) for one in asked.permissions for item in one.items),
        reason={key: visit.form.get(key, visit.preset.get(key, ""))[:300] for key in ("reason", "reason_text")},
        back_at=_host(asked.told), zone=choices.text("zone") or zone_here(), zones=zone_choices() if asks_zone else [],
    )  # fmt: skip


def _host(told: Document) -> str:
    """Return where the browser goes back to after the decision; "" if it did not bring the request."""
    return urlsplit(told["connect"]["returnTo"]).netloc if "connect" in told else ""


def _decided(visit: Visit, asked: _Asked, *, twice: bool = False) -> web.Response:
    told = asked.told
    goes_back = "connect" in told and not told["connect"]["claimed"]
    return visit.page(
        "request_decided.html", active="requests", status=409 if twice else 200, asked=told, path=asked.path,
        twice=twice, goes_back=goes_back, back_at=_host(told),
    )  # fmt: skip


# A second look


async def review(visit: Visit) -> web.Response:
    """Show exactly what would be granted; or the card again, with fewer ticks, another part of it, or what is wrong."""
    asked = await _asked(visit)
    if asked.told["status"] != "waiting":
        return _decided(visit, asked, twice=True)
    choices = read_choices({**visit.form, SEEN: "1"}, asked.permissions)
    part, (do, _, number) = _number(visit.form.get("part", "")), visit.form.text("do", most=20).partition(".")
    if do == "part":
        return await _card(visit, asked, choices, part=_number(number))
    if do == "serve":
        return await _card(
            visit, asked, await _only_serving(visit, asked, choices, _number(number), part), part=part
        )
    if do == "change":
        return await _card(visit, asked, choices)
    return await _review(visit, asked, choices, part=part)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0


async def _only_serving(visit: Visit, asked: _Asked, choices: Choices, number: int, part: int) -> Choices:
    """Tick of a permission, as far as it is on this part of the card, what serves its purpose, and nothing else."""
    own, _ = await own_of(visit, asked.permissions)
    parts = parts_of(asked.permissions)
    places = parts[min(part, len(parts) - 1)]
    for card in card_of(asked.permissions, choices, own, places, Acquaintances()):
        if card.number == number:
            return choices.without(unserving(card)).and_also(serving(card))
    return choices


async def _review(
    visit: Visit,
    asked: _Asked,
    choices: Choices,
    *,
    part: int = 0,
    status: int = 200,
    wrong: bool = False,
    wait_s: int = 0,
    changed: bool = False,
) -> web.Response:
    own, standing = await own_of(visit, asked.permissions)
    now_s, expires_s = parse_time(standing["clock"]["now"]), parse_time(asked.told["expires"])
    found = wanted(choices, asked.permissions, expires_s=expires_s, now_s=now_s)
    problems = found.problems
    if not problems and not is_reviewable(read_permissions(found.body["permissions"])):
        problems = (Problem("give", "too_many"),)
    if problems:
        return await _card(visit, asked, choices, problems=problems, part=part, status=400)
    vendors = await _dealt_with(visit)
    known = _known(visit, vendors)
    drawn = (await visit.does(deciding.draft_approval, {"request": asked.id}, body=found.body)).told
    return visit.page(
        "request_review.html", active="requests", status=status, asked=asked.told, path=asked.path,
        digest=drawn["digest"], draft=drawn["draft"],
        review=reviewed(drawn["draft"], asked.permissions, choices, own, known),
        carried={SEEN: "1", **packed(choices), **choices.texts}, wrong=wrong, wait_s=wait_s, changed=changed,
        suspicions=_suspicious(asked, vendors, known), begins_later="notBefore" in found.body,
        back_at=_host(asked.told),
    )  # fmt: skip


# The decision


async def approve(visit: Visit) -> web.Response:
    """Grant exactly the draft that was on the screen."""
    asked = await _asked(visit)
    digest = visit.form.text("digest", most=100)
    try:
        done = (await visit.does(deciding.approve, {"request": asked.id}, body={"digest": digest})).told
    except TransitionError:
        return _decided(visit, await _asked(visit), twice=True)
    except TooManyAttemptsError as error:
        return await _looked_at_again(visit, status=429, wait_s=error.wait_s)
    except PassphraseError:
        return await _looked_at_again(visit, status=403, wrong=bool(visit.form.get("passphrase")))
    except DraftChangedError:
        return await _looked_at_again(visit, status=409, changed=True)
    if "returnTo" in done:
        return _way_back(visit, asked, done["returnTo"], grant=done["grant"])
    return visit.go(f"/my/relationships/{done['grant']}", said="approved")


async def _looked_at_again(
    visit: Visit, *, status: int, wrong: bool = False, wait_s: int = 0, changed: bool = False
) -> web.Response:
    """Show the review again: what it shows is drawn up anew, and so is what a yes would name."""
    asked = await _asked(visit)
    if asked.told["status"] != "waiting":
        return _decided(visit, asked, twice=True)
    choices = read_choices({**visit.form, SEEN: "1"}, asked.permissions)
    return await _review(visit, asked, choices, status=status, wrong=wrong, wait_s=wait_s, changed=changed)


async def refuse(visit: Visit) -> web.Response:
    """Refuse, with a reason if the person gives one."""
    asked = await _asked(visit)
    reason = visit.form.text("reason_text", most=300)
    chosen = visit.form.get("reason", "")
    if not reason and chosen in REASONS:
        reason = str(visit.t(f"requests.reason_{chosen}"))
    try:
        await visit.does(deciding.refuse, {"request": asked.id}, body={"reason": reason} if reason else {})
    except TransitionError:
        return _decided(visit, await _asked(visit), twice=True)
    except MalformedError:
        choices = read_choices(visit.form, asked.permissions)
        problem = Problem("reason_text", "bad_reason")
        return await _card(visit, asked, choices, problems=[problem], status=400)
    if "connect" in asked.told:
        return await go_back(visit)
    return visit.go(asked.path, said="refused")


async def go_back(visit: Visit) -> web.Response:
    """Show the link that takes the browser back to the vendor's page, with the decision."""
    asked = await _asked(visit)
    try:
        told = (await visit.does(connecting.send_back, {"request": asked.id}, body={})).told
    except TransitionError:
        return _decided(visit, asked)
    return _way_back(visit, asked, told["returnTo"], grant=asked.told.get("grant", ""))


def _way_back(visit: Visit, asked: _Asked, address: str, *, grant: str) -> web.Response:
    return visit.page(
        "request_back.html", active="requests", asked=asked.told, path=asked.path, address=address, grant=grant,
        back_at=_host(asked.told),
    )  # fmt: skip
