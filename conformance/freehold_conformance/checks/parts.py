"""No more than asked, and narrower only: every part of a permission, one at a time, as wide and as narrow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from ..cast.stage import DAY_S, Stage
from ..check import Topic, expect, expect_equal, expect_problem, expect_status, object_of
from ..hands import receipt
from ..hands.edit import ABSENT, edited
from ..hands.encoding import Document, Json, from_xsd_time, xsd_time
from ..hands.keys import Key
from ..hands.permission import are_within
from ..wire import Answer

topic = Topic()

_PARTNERS: Final = (Key(bytes(31) + b"\x51").did, Key(bytes(31) + b"\x52").did)
_HOURS: Final = {"days": ["Mo", "Tu"], "from": "08:00", "to": "18:00", "timeZone": "Europe/Berlin"}
_BASE: Final[Document] = {
    "name": "delivery",
    "items": [{"type": "Person", "about": "self", "fields": ["name", "email"]}],
    "purpose": ["dpv:DeliveryOfGoods"],
    "retention": "P30D",
}
_TWO_ITEMS: Final = [
    {"type": "Person", "about": "self", "fields": ["name"]},
    {"type": "Person", "about": "self", "fields": ["email"], "where": {"name": "Ada"}},
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Two values at one place of a permission: the narrow one lies within the wide one, and not the other way round."""

    path: str
    wide: Any
    narrow: Any

    def permissions(self, value: Any) -> list[Document]:
        """Return what is asked or given with this value."""
        if self.path == "":
            return list(value)
        return [edited(_BASE, self.path, value)]


def _part(path: str, wide: Any, narrow: Any) -> _Part:
    return _Part(path=path, wide=wide, narrow=narrow)


def _hours(**other: Json) -> Document:
    return {"hours": {**_HOURS, **other}}


def _item(**more: Json) -> Document:
    return {**_BASE["items"][0], **more}


_PARTS: Final[dict[str, _Part]] = {
    "a-permission": _part("", [_BASE, {**_BASE, "name": "news"}], [_BASE]),
    "another-permission-alone": _part("", [_BASE, {**_BASE, "name": "news"}], [{**_BASE, "name": "news"}]),
    "an-item": _part("items", [*_BASE["items"], _item(type="Order", fields=["orderNumber"])], _BASE["items"]),
    "an-item-of-another-type": _part(
        "items",
        [*_BASE["items"], _item(type="Organization", fields=["name"])],
        [_item(type="Organization", fields=["name"])],
    ),
    "fields-of-two-items": _part("items", [_item(), _item(fields=["telephone"])], [_item(fields=["telephone"])]),
    "fields-of-one-item-in-two": _part("items", [_item()], _TWO_ITEMS),
    "about-anyone": _part("items.0.about", "any", "self"),
    "a-field": _part("items.0.fields", ["name", "email"], ["name"]),
    "another-field": _part("items.0.fields", ["email", "name"], ["email"]),
    "a-longer-path": _part("items.0.fields", ["name", "address.postalCode", "address.addressCountry"], ["name",
        "address.postalCode"]),
    "a-condition": _part("items.0.where", ABSENT, {"name": "Ada"}),
    "another-condition": _part("items.0.where", {"name": "Ada"}, {"name": "Ada", "jobTitle": "x"}),
    "new-records": _part("items.0.newRecords", True, ABSENT),
    "new-records-said-no": _part("items.0.newRecords", True, False),
    "a-purpose": _part("purpose", ["dpv:DeliveryOfGoods", "dpv:Marketing"], ["dpv:DeliveryOfGoods"]),
    "the-other-purpose": _part("purpose", ["dpv:DeliveryOfGoods", "dpv:Marketing"], ["dpv:Marketing"]),
    "a-recipient": _part("recipients", list(_PARTNERS), [_PARTNERS[0]]),
    "any-recipient": _part("recipients", [_PARTNERS[1]], ABSENT),
    "retention-in-days": _part("retention", "P30D", "P29D"),
    "retention-across-units": _part("retention", "P1M", "P29D"),
    "retention-in-months-and-years": _part("retention", "P1Y", "P12M"),
    "retention-in-hours": _part("retention", "P1D", "PT23H"),
    "retention-in-weeks": _part("retention", "P15D", "P2W"),
    "number-of-reads": _part("limits", {"reads": 10}, {"reads": 9}),
    "no-number-of-reads": _part("limits", ABSENT, {"reads": 1000}),
    "reads-of-a-rate": _part("limits", {"rate": {"reads": 10, "per": "PT1H"}}, {"rate": {"reads": 9, "per": "PT1H"}}),
    "window-of-a-rate": _part("limits", {"rate": {"reads": 10, "per": "PT1H"}}, {"rate": {"reads": 10,
        "per": "PT61M"}}),
    "no-rate": _part("limits", {"reads": 10}, {"reads": 10, "rate": {"reads": 10, "per": "PT1M"}}),
    "a-day": _part("limits", _hours(), _hours(days=["Mo"])),
    "an-earlier-beginning": _part("limits", _hours(), _hours(**{"from": "08:01"})),
    "a-later-end": _part("limits", _hours(), _hours(to="17:59")),
    "the-end-of-the-day": _part("limits", _hours(to="00:00"), _hours(to="23:59")),
    "no-hours": _part("limits", {"reads": 10}, {"reads": 10, **_hours()}),
}  # fmt: skip

_BESIDE: Final[dict[str, _Part]] = {
    "another-type": _part("items.0", _item(type="Person", fields=["name"]), _item(type="Organization",
        fields=["name"])),
    "another-value": _part("items.0.where", {"name": "Ada"}, {"name": "Bob"}),
    "true-for-one": _part("items.0.where", {"sku": 1}, {"sku": True}),
    "false-for-nothing": _part("items.0.where", {"sku": 0}, {"sku": False}),
    "a-text-for-a-number": _part("items.0.where", {"sku": 1}, {"sku": "1"}),
    "another-condition-instead": _part("items.0.where", {"name": "Ada"}, {"email": "Ada"}),
    "a-narrower-purpose": _part("purpose", ["dpv:Marketing"], ["dpv:DirectMarketing"]),
    "a-broader-purpose": _part("purpose", ["dpv:DirectMarketing"], ["dpv:Marketing"]),
    "another-recipient": _part("recipients", [_PARTNERS[0]], [_PARTNERS[1]]),
    "another-zone": _part("limits", _hours(timeZone="Europe/Berlin"), _hours(timeZone="Europe/London")),
    "other-days": _part("limits", _hours(days=["Mo"]), _hours(days=["Tu"])),
    "a-rate-for-a-number": _part("limits", {"reads": 10}, {"rate": {"reads": 1, "per": "P9999D"}}),
    "a-rate-on-average": _part(
        "limits", {"rate": {"reads": 24, "per": "P1D"}}, {"rate": {"reads": 1, "per": "PT1H"}}
    ),
    "another-name": _part("name", "delivery", "news"),
    "a-path-below": _part("items.0.fields", ["address.postalCode"], ["address.streetAddress"]),
    "a-path-above": _part("items.0.fields", ["name", "worksFor.name"], ["name", "worksFor.email"]),
}  # fmt: skip
"""Pairs of which neither lies within the other."""

_BEYOND: Final[dict[str, tuple[_Part, Any, Any]]] = {
    **{name: (part, part.narrow, part.wide) for name, part in _PARTS.items()},
    **{name: (part, part.wide, part.narrow) for name, part in _BESIDE.items()},
    **{f"{name}-the-other-way": (part, part.narrow, part.wide) for name, part in _BESIDE.items()},
}
"""What lies within, and what does not lie within it."""


async def _draft(stage: Stage, request: str, permissions: list[Document], **more: Json) -> Answer:
    body = {"permissions": permissions, **more}
    return await stage.owner.send("POST", f"/requests/{request}/draft", body)


async def _draw(stage: Stage, grant: str, change: str, permissions: list[Document], **more: Json) -> Answer:
    body = {"change": change, "permissions": permissions, **more}
    return await stage.owner.send("POST", f"/grants/{grant}/draft", body)


@topic.check("GRA-5", "GRA-10", "GRA-11", cases=_BEYOND)
async def no_more_is_granted_than_was_asked(stage: Stage, case: tuple[_Part, Any, Any]) -> None:
    """A permission with one part that was not asked for is widened: at the approval, and in a later change."""
    part, asked_for, more = case
    wanted, beyond = part.permissions(asked_for), part.permissions(more)
    asked = await stage.ask(Key.fresh(), wanted)
    expect_problem(await _draft(stage, asked.id, beyond), 403, "widened")
    grant = await stage.owner.approve(asked.id, wanted)
    before = await stage.owner.grant(grant)
    for change in ("widen", "narrow"):
        expect_problem(await _draw(stage, grant, change, beyond), 403, "widened")
    expect_equal(await stage.owner.grant(grant), before, "the grant afterwards")


@topic.check("GRA-9", "GRA-10", "GRA-6", "GRA-16", cases=_PARTS)
async def what_lies_within_is_a_narrowing(stage: Stage, part: _Part) -> None:
    """A version with one part narrower takes no passphrase and verifies; back up to what was asked it is a widening."""
    wide, narrow = part.permissions(part.wide), part.permissions(part.narrow)
    expect(
        are_within(narrow, wide) and not are_within(wide, narrow), "the suite's own judgement of this case"
    )
    asked = await stage.ask(Key.fresh(), wide)
    grant = await stage.owner.approve(asked.id, wide)
    drawn = object_of(expect_status(await _draw(stage, grant, "narrow", narrow), 200))
    expect_equal(drawn["passphrase"], False, "whether the narrowing takes the passphrase")
    expect_status(await stage.owner.carry_out(grant, drawn["digest"]), 200)
    expect_problem(await _draw(stage, grant, "narrow", wide), 403, "widened")
    drawn = object_of(expect_status(await _draw(stage, grant, "widen", wide), 200))
    expect_equal(drawn["passphrase"], True, "whether the widening takes the passphrase")
    expect_problem(await stage.owner.carry_out(grant, drawn["digest"]), 403, "passphrase-wrong")
    expect_status(await stage.owner.carry_out(grant, drawn["digest"], passphrase=stage.owner.passphrase), 200)
    told = object_of(expect_status(await asked.follow(), 200))["receipt"]
    signers = receipt.signers(told)
    expect(
        signers[2] == receipt.DECISION and signers[1] in (receipt.SERVING, receipt.DECISION),
        f"signed by {signers}",
    )
    given = [version["permission"] for version in told["versions"]]
    expect(
        are_within(given[1], narrow) and are_within(narrow, given[1]),
        "the narrowed version gives something else",
    )
    expect(
        are_within(given[2], wide) and are_within(wide, given[2]), "the widened version gives something else"
    )


@topic.check("GRA-10", "GRA-5", cases=_PARTS)
async def what_lies_within_can_be_approved(stage: Stage, part: _Part) -> None:
    """A request is approved with any one part narrower than was asked."""
    asked = await stage.ask(Key.fresh(), part.permissions(part.wide))
    await stage.owner.approve(asked.id, part.permissions(part.narrow))
    told = object_of(expect_status(await asked.follow(), 200))["receipt"]
    receipt.signers(told)
    given, narrow = told["versions"][0]["permission"], part.permissions(part.narrow)
    expect(are_within(given, narrow) and are_within(narrow, given), "the grant gives something else")


_SAME: Final = {
    "numbers": ({"items.0.where": {"sku": 1}}, {"items.0.where": {"sku": 1.0}}),
    "durations": ({"retention": "P30D"}, {"retention": "P1M"}),
    "hours-as-minutes": ({"retention": "PT2H"}, {"retention": "PT120M"}),
    "order": ({"items.0.fields": ["email", "name"]}, {"items.0.fields": ["name", "email"]}),
    "order-of-days": ({"limits": _hours(days=["Tu", "Mo"])}, {"limits": _hours()}),
    "what-goes-without-saying": ({"items.0.newRecords": False}, {"items.0.about": ABSENT}),
    "required": ({"required": True}, {"required": False}),
    "the-same-item-twice": ({"items": [_item(), _item()]}, {"items": [_item()]}),
}


@topic.check("GRA-10", cases=_SAME)
async def what_says_the_same_lies_within(stage: Stage, case: tuple[Document, Document]) -> None:
    """Two spellings of one permission lie within each other."""
    one, other = (_with(places) for places in case)
    for asked_for, given in ((one, other), (other, one)):
        asked = await stage.ask(Key.fresh(), [asked_for])
        await stage.owner.approve(asked.id, [given])
        receipt.signers(object_of(await asked.follow())["receipt"])


def _with(places: Document) -> Document:
    made = _BASE
    for path, value in places.items():
        made = edited(made, path, value)
    return made


# The end


_SPANS: Final[dict[str, tuple[Callable[[float], Document], str]]] = {
    "later-than-asked": (lambda end: {"expires": xsd_time(end + 1)}, "widened"),
    "years-later": (lambda end: {"expires": xsd_time(end + 900 * DAY_S)}, "widened"),
    "before-it-begins": (
        lambda end: {"notBefore": xsd_time(end - 5), "expires": xsd_time(end - 6)},
        "widened",
    ),
    "as-it-begins": (lambda end: {"notBefore": xsd_time(end), "expires": xsd_time(end)}, "widened"),
    "begins-after-what-was-asked": (lambda end: {"notBefore": xsd_time(end + 5)}, "widened"),
    "no-time": (lambda _: {"expires": "tomorrow"}, "malformed"),
    "null": (lambda _: {"expires": None}, "malformed"),
    "an-offset": (lambda end: {"expires": xsd_time(end - 9)[:-1] + "+00:00"}, "malformed"),
}


@topic.check("GRA-5", cases=_SPANS)
async def a_grant_ends_no_later_than_was_asked(
    stage: Stage, case: tuple[Callable[[float], Document], str]
) -> None:
    """An approval for longer than was asked, or that ends before it begins, is refused."""
    span, code = case
    asked = await stage.ask(Key.fresh(), [_BASE])
    end = from_xsd_time(asked.request["expires"])
    answer = await _draft(stage, asked.id, [_BASE], **span(end))
    expect_problem(answer, 403 if code == "widened" else 400, code)
    await stage.owner.approve(asked.id, [_BASE], expires=xsd_time(end))
    receipt.signers(object_of(await asked.follow())["receipt"])


@topic.check("GRA-9", "GRA-5", "GRA-6")
async def the_end_moves_earlier_by_narrowing_and_later_by_widening(stage: Stage) -> None:
    """An earlier end is a narrowing, a later one is not; widening brings it back up to what was asked."""
    asked = await stage.ask(Key.fresh(), [_BASE])
    end = from_xsd_time(asked.request["expires"])
    grant = await stage.owner.approve(asked.id, [_BASE])
    await stage.owner.change(grant, "narrow", permissions=[_BASE], expires=xsd_time(end - DAY_S))
    expect_problem(
        await _draw(stage, grant, "narrow", [_BASE], expires=xsd_time(end - DAY_S + 1)), 403, "widened"
    )
    await stage.owner.change(grant, "narrow", permissions=[_BASE])
    expect_equal(
        (await stage.owner.grant(grant))["expires"], xsd_time(end - DAY_S), "the end, where none is said"
    )
    expect_problem(await _draw(stage, grant, "widen", [_BASE], expires=xsd_time(end + 1)), 403, "widened")
    await stage.owner.change(grant, "widen", permissions=[_BASE], expires=xsd_time(end))
    told = object_of(await asked.follow())["receipt"]
    expect_equal(receipt.signers(told)[-1], receipt.DECISION, "who signed the widening")
    ends = [version["expires"] for version in told["versions"]]
    early = xsd_time(end - DAY_S)
    expect_equal(ends, [xsd_time(end), early, early, xsd_time(end)], "ends of the versions")


# What is given is of the form of what is asked


_NO_PERMISSIONS: Final[dict[str, Json]] = {
    "none": [],
    "no-array": {},
    "null": None,
    "two-of-one-name": [_BASE, _BASE],
    "a-text": ["delivery"],
    "an-unknown-member": [{**_BASE, "note": "x"}],
    "no-purpose": [{**_BASE, "purpose": []}],
    "an-unknown-zone": [{**_BASE, "limits": _hours(timeZone="Europe/Nowhere")}],
    "a-term-that-is-none": [edited(_BASE, "items.0.fields", ["noSuchTerm"])],
    "a-wildcard": [edited(_BASE, "items.0.fields", ["*"])],
}


@topic.check("GRA-1", "GRA-5", cases=_NO_PERMISSIONS)
async def what_is_given_has_the_form_of_what_is_asked(stage: Stage, given: Json) -> None:
    """What is not of the form of permissions is neither approved nor put in the place of what is given."""
    asked = await stage.ask(Key.fresh(), [_BASE])
    codes = ("malformed", "request-incomplete", "undefined-term")
    expect_problem(await _draft(stage, asked.id, given), 400, *codes)
    grant = await stage.owner.approve(asked.id, [_BASE])
    before = await stage.owner.grant(grant)
    for change in ("narrow", "widen"):
        expect_problem(await _draw(stage, grant, change, given), 400, *codes)
    expect_equal(await stage.owner.grant(grant), before, "the grant afterwards")
