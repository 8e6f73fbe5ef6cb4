"""Which records a permission shows: of which type, about whom, known since when, and under which conditions."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from ..cast.holder import Holder
from ..cast.stage import Stage, permission
from ..check import Topic, expect, expect_equal, expect_problem, expect_status
from ..hands.encoding import Document, Json
from .released import alias_of, content

topic = Topic()


async def names_of(vendor: Holder, name: str = "delivery") -> list[str]:
    """Return the ``name`` of every document that a permission shows, in order, from all its pages."""
    found, query = [], "?limit=100"
    while True:
        page = await vendor.read(name, query)
        found += [item.get("name", "") for item in page["items"]]
        if "next" not in page:
            return found
        query = f"?limit=100&cursor={page['next']}"


@dataclass(frozen=True, slots=True)
class Circle:
    """Records that belong together by a text in ``worksFor`` that no others have."""

    stage: Stage
    tag: str

    @classmethod
    def draw(cls, stage: Stage) -> Circle:
        return cls(stage, secrets.token_hex(8))

    async def add(self, name: str, **more: Json) -> str:
        return await self.stage.owner.add({"type": "Person", "name": name, "worksFor": self.tag, **more})

    def item(
        self, fields: list[str] | None = None, *, where: Document | None = None, **more: Json
    ) -> Document:
        """Return an item on these records."""
        of = {
            "type": "Person",
            "fields": fields or ["name"],
            "about": "any",
            "where": {"worksFor": self.tag, **(where or {})},
        }
        return of | more

    def permission(self, *items: Document, name: str = "delivery") -> Document:
        """Return a permission of these items, or of the one that shows all names."""
        return {**permission(name, ["name"]), "items": list(items or (self.item(),))}

    async def edit(self, record: str, **more: Json) -> None:
        kept = (await self.stage.owner.show(record))["content"]
        await self.stage.owner.edit(record, {**kept, **more})


# What an item selects


@topic.check("HTTP-32", "REQ-7", "REC-11")
async def a_contact_never_leaves_under_an_item_about_the_person(stage: Stage) -> None:
    """An item about the person shows the person's own record and no other, whatever else is of its type."""
    own = await stage.self_record()
    contact = await stage.person(name="Bea", email="bea@example.com")
    given = [
        permission("implied", ["name"]), permission("said", ["name"], about="self"),
        permission("growing", ["name"], about="self", newRecords=True),
        permission("of-contact", ["name"], about="self", where={"jobTitle": contact.tag}),
        permission("of-person", ["name"], about="self", where={"jobTitle": own.tag}),
    ]  # fmt: skip
    vendor = await stage.relate(given)
    later = await stage.person(name="Cyd")
    for name in ("implied", "said", "growing", "of-person"):
        expect_equal(await names_of(vendor, name), ["Ada Example"], f"names under {name}")
    expect_equal(
        await names_of(vendor, "of-contact"), [], "names under a condition that only a contact meets"
    )
    shown = await stage.relate([contact.permission("all", ["name"]), later.permission("later", ["name"])])
    for name in ("all", "later"):
        alias = alias_of((await shown.read(name))["items"][0])
        expect_problem(await vendor.get(f"/implied/records/{alias}"), 404, "not-found")


@topic.check("HTTP-32", "REQ-4")
async def the_type_is_exactly_that_of_the_item(stage: Stage) -> None:
    """Records of another type are not shown, whatever they have in common."""
    circle = Circle.draw(stage)
    for kind in ("Person", "Organization", "Order", "Place"):
        await circle.add(f"a {kind}", type=kind)
    vendor = await stage.relate([circle.permission(circle.item(type=kind), name=name) for name, kind in (
        ("people", "Person"), ("firms", "Organization"), ("orders", "Order"))])  # fmt: skip
    for name, kind in (("people", "Person"), ("firms", "Organization"), ("orders", "Order")):
        expect_equal(await names_of(vendor, name), [f"a {kind}"], f"names under {name}")


@topic.check("HTTP-32", "REQ-9", "GRA-14", cases={"not-included": False, "included": True})
async def new_records_are_shown_if_the_item_says_so(stage: Stage, included: bool) -> None:
    """Records that come after the approval are shown only where the item includes them; new versions always are."""
    circle = Circle.draw(stage)
    first = await circle.add("Bea")
    vendor = await stage.relate([circle.permission(circle.item(newRecords=included))])
    expect_equal(await names_of(vendor), ["Bea"], "names at first")
    await circle.add("Cyd")
    await circle.edit(first, name="Bea B")
    expect_equal(await names_of(vendor), ["Bea B", "Cyd"] if included else ["Bea B"], "names later")


@topic.check("HTTP-32", "GRA-14", "REQ-8", cases={"not-included": False, "included": True})
async def a_record_enters_and_leaves_by_what_it_says(stage: Stage, included: bool) -> None:
    """A record that matches no more is gone; one that begins to match comes only where new ones are included."""
    circle = Circle.draw(stage)
    first, second = await circle.add("Bea", gender="f"), await circle.add("Cyd", gender="x")
    vendor = await stage.relate([circle.permission(circle.item(where={"gender": "f"}, newRecords=included))])
    expect_equal(await names_of(vendor), ["Bea"], "names at first")
    await circle.edit(second, gender="f")
    expect_equal(
        await names_of(vendor), ["Bea", "Cyd"] if included else ["Bea"], "names once another matches"
    )
    await circle.edit(first, gender="x")
    expect_equal(await names_of(vendor), ["Cyd"] if included else [], "names once the first matches no more")
    await circle.edit(first, gender="f")
    expect_equal(
        await names_of(vendor), ["Bea", "Cyd"] if included else ["Bea"], "names once the first matches again"
    )


@topic.check("HTTP-32", "HTTP-38", "REC-9")
async def a_deleted_record_is_gone(stage: Stage) -> None:
    """After a deletion was answered, neither page nor alias shows the record, and the others are as before."""
    circle = Circle.draw(stage)
    ids = [await circle.add(name) for name in ("Bea", "Cyd", "Dot")]
    vendor = await stage.relate([circle.permission()])
    items = (await vendor.read("delivery"))["items"]
    await stage.owner.delete(ids[1])
    expect_equal(await names_of(vendor), ["Bea", "Dot"], "names after the deletion")
    expect_problem(await vendor.get(f"/delivery/records/{alias_of(items[1])}"), 404, "not-found")
    expect_status(await vendor.get(f"/delivery/records/{alias_of(items[2])}"), 200)


@topic.check("GRA-14", "HTTP-32")
async def a_narrowing_lets_in_no_record(stage: Stage) -> None:
    """What came after the approval stays out when the grant is narrowed, and is selected when it is widened."""
    circle = Circle.draw(stage)
    await circle.add("Bea", email="bea@example.com")
    given, less = (
        [circle.permission(circle.item(["name", "email"]))],
        [circle.permission(circle.item(["name"]))],
    )
    vendor = await stage.relate(given)
    await circle.add("Cyd", email="cyd@example.com")
    await stage.owner.change(vendor.grant, "narrow", permissions=less)
    expect_equal(await names_of(vendor), ["Bea"], "names after a narrowing")
    await stage.owner.change(vendor.grant, "widen", permissions=given)
    expect_equal(await names_of(vendor), ["Bea", "Cyd"], "names after a widening")


@topic.check("HTTP-32", "REL-1")
async def items_that_select_one_record_are_combined(stage: Stage) -> None:
    """Of each record the fields of exactly those items are shown that select it."""
    circle = Circle.draw(stage)
    await circle.add("Bea", gender="f", email="bea@example.com", telephone="1", nationality="de")
    await circle.add("Cyd", gender="x", email="cyd@example.com", telephone="2", nationality="de")
    await circle.add("Dot", gender="x", email="dot@example.com", telephone="3", nationality="fr")
    items = [
        circle.item(["name"]), circle.item(["email", "name"], where={"gender": "f"}),
        circle.item(["telephone"], where={"nationality": "de"}),
        circle.item(["nationality"], where={"gender": "f", "nationality": "fr"}),
    ]  # fmt: skip
    vendor = await stage.relate([circle.permission(*items)])
    shown = [content(item) for item in (await vendor.read("delivery"))["items"]]
    wanted = [
        {"type": "Person", "name": "Bea", "email": "bea@example.com", "telephone": "1"},
        {"type": "Person", "name": "Cyd", "telephone": "2"},
        {"type": "Person", "name": "Dot"},
    ]  # fmt: skip
    expect_equal(shown, wanted, "what the documents show")
    page = await vendor.read("delivery", "?fields=email,telephone")
    asked = [{name: item[name] for name in ("type", "email", "telephone") if name in item} for item in wanted]
    expect_equal([content(item) for item in page["items"]], asked, "what they show of two fields")


@topic.check("HTTP-32", "HTTP-30", "SEC-2")
async def permissions_are_kept_apart(stage: Stage) -> None:
    """What one permission shows says nothing of what another of the same grant does."""
    circle = Circle.draw(stage)
    await circle.add("Bea", email="bea@example.com", gender="f")
    await circle.add("Cyd", email="cyd@example.com", gender="x")
    given = [
        circle.permission(circle.item(["name"], where={"gender": "f"}), name="names"),
        circle.permission(circle.item(["email"], where={"gender": "x"}), name="mails"),
    ]
    vendor = await stage.relate(given)
    names, mails = [(await vendor.read(name))["items"] for name in ("names", "mails")]
    expect_equal(
        [content(item) for item in names], [{"type": "Person", "name": "Bea"}], "what is shown for names"
    )
    expect_equal(
        [content(item) for item in mails], [{"type": "Person", "email": "cyd@example.com"}], "and for mails"
    )
    expect_problem(await vendor.get("/names/records?fields=email"), 403, "not-shared")
    expect_problem(await vendor.get(f"/names/records/{alias_of(mails[0])}"), 404, "not-found")
    expect_problem(await vendor.get(f"/mails/records/{alias_of(names[0])}"), 404, "not-found")


_CONTENT: Final[Document] = {
    "alternateName": ["Countess", "Ada L."], "height": 3, "weight": 3.5, "nationality": True, "gender": "1",
    "knows": [{"type": "Person", "name": "Cyd"}, {"type": "Person", "name": "Dot"}],
}  # fmt: skip
_CONDITIONS: Final[Mapping[str, tuple[Document, bool]]] = {
    "text": ({"alternateName": "Countess"}, True),
    "another-of-an-array": ({"alternateName": "Ada L."}, True),
    "other-case": ({"alternateName": "countess"}, False),
    "part-of-a-text": ({"alternateName": "Count"}, False),
    "longer-text": ({"alternateName": "Countess "}, False),
    "number": ({"height": 3}, True),
    "number-with-a-point": ({"height": 3.0}, True),
    "fraction": ({"weight": 3.5}, True),
    "other-number": ({"weight": 3}, False),
    "number-as-text": ({"height": "3"}, False),
    "text-as-number": ({"gender": 1}, False),
    "true": ({"nationality": True}, True),
    "true-as-number": ({"nationality": 1}, False),
    "true-as-text": ({"nationality": "true"}, False),
    "false": ({"nationality": False}, False),
    "number-as-true": ({"height": True}, False),
    "below": ({"knows.name": "Dot"}, True),
    "a-node": ({"knows": "Dot"}, False),
    "not-there": ({"telephone": "1"}, False),
    "both": ({"height": 3, "knows.name": "Cyd"}, True),
    "one-of-two": ({"height": 3, "knows.name": "Bea"}, False),
    "two-leaves-of-other-nodes": ({"knows.name": "Cyd", "alternateName": "Countess"}, True),
}


@topic.check("REL-6", "REQ-8", "HTTP-32", cases=_CONDITIONS)
async def an_item_s_condition_matches_by_value(stage: Stage, case: tuple[Document, bool]) -> None:
    """An item's condition holds if some leaf at its path is the same value of the same kind, for every path in it."""
    where, matches = case
    circle = Circle.draw(stage)
    await circle.add("Ada", **_CONTENT)
    given = [circle.permission(circle.item(where=where, newRecords=True)), circle.permission(name="all")]
    vendor = await stage.relate(given)
    expect_equal(await names_of(vendor, "all"), ["Ada"], "names without the condition")
    expect_equal(await names_of(vendor), ["Ada"] if matches else [], "names under the condition")


async def _found(stage: Stage) -> Holder:
    circle = Circle.draw(stage)
    await circle.add("Ada", email="ada@example.com", **_CONTENT)
    await circle.add("Bea", telephone="1", height=4)
    fields = ["name", "alternateName", "height", "weight", "nationality", "gender", "knows.name", "telephone"]
    return await stage.relate([circle.permission(circle.item(fields))])


def query_of(where: Document) -> str:
    """Return a query's ``where``."""
    return "where=" + quote(json.dumps(where), safe="")


@topic.check(
    "HTTP-35", "REL-6", cases={name: case for name, case in _CONDITIONS.items() if name != "not-there"}
)
async def a_query_s_condition_matches_by_value(stage: Stage, case: tuple[Document, bool]) -> None:
    """A condition of the query finds the records that have its values among what is shown."""
    where, matches = case
    vendor = await stage.once("records to be found", lambda: _found(stage))
    found = [item["name"] for item in (await vendor.read("delivery", f"?{query_of(where)}"))["items"]]
    expect_equal(found, ["Ada"] if matches else [], "names found")


_FINDS: Final[Mapping[str, tuple[Callable[[Any], Document], bool]]] = {
    "shown": (lambda _: {"name": "Ada"}, True),
    "not-shown": (lambda _: {"email": "ada@example.com"}, False),
    "of-the-item": (lambda circle: {"worksFor": circle.tag}, False),
    "not-shown-beside-shown": (lambda _: {"name": "Ada", "email": "ada@example.com"}, False),
    "not-shown-below": (lambda _: {"knows.email": "cyd@example.com"}, False),
    "shown-below": (lambda _: {"knows.name": "Cyd"}, True),
}


@topic.check("HTTP-35", "SEC-2", "HTTP-33", cases=_FINDS)
async def a_query_finds_nothing_by_what_is_not_shown(
    stage: Stage, case: tuple[Callable[[Any], Document], bool]
) -> None:
    """A condition looks at what is shown and at nothing else, not even at what the permission itself selects by."""
    where, finds = case
    circle = Circle.draw(stage)
    knows = [{"type": "Person", "name": "Cyd", "email": "cyd@example.com"}]
    record = await circle.add("Ada", email="ada@example.com", knows=knows)
    vendor = await stage.relate([circle.permission(circle.item(["name", "knows.name"]))])
    page = await vendor.read("delivery", f"?{query_of(where(circle))}")
    expect_equal([item["name"] for item in page["items"]], ["Ada"] if finds else [], "names found")
    expect(record not in str(page), "the record's id in the page")


@topic.check("HTTP-35", "REL-5")
async def a_query_knows_ids_by_their_aliases_only(stage: Stage) -> None:
    """A condition finds a reference by the alias that is shown, and not by the id that the owner knows."""
    circle = Circle.draw(stage)
    friend = await circle.add("Bea")
    await circle.add("Ada", knows=friend)
    vendor = await stage.relate([circle.permission(circle.item(["name", "knows"]))])
    shown = (await vendor.read("delivery"))["items"]
    alias = shown[1]["knows"]
    expect_equal(alias, alias_of(shown[0]), "alias of the reference")
    for value, finds in ((alias, ["Ada"]), (friend, [])):
        page = await vendor.read("delivery", f"?{query_of({'knows': value})}")
        expect_equal([item["name"] for item in page["items"]], finds, "names found")


@topic.check("HTTP-35", "HTTP-33")
async def a_query_by_fields_finds_by_what_it_does_not_ask_for(stage: Stage) -> None:
    """``fields`` chooses what comes, not by what is found: a condition may be on a field that is not asked for."""
    circle = Circle.draw(stage)
    await circle.add("Ada", gender="f")
    await circle.add("Bea", gender="x")
    vendor = await stage.relate([circle.permission(circle.item(["name", "gender"]))])
    page = await vendor.read("delivery", f"?fields=name&{query_of({'gender': 'x'})}")
    expect_equal(
        [content(item) for item in page["items"]], [{"type": "Person", "name": "Bea"}], "what is shown"
    )
