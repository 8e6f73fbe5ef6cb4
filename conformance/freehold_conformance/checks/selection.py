"""Which records a grant shows: those of the moment in which the person decided, and what becomes of them."""

from __future__ import annotations

from dataclasses import dataclass

from ..cast.holder import Holder
from ..cast.stage import Shown, Stage
from ..check import Topic, expect, expect_equal, expect_problem
from ..hands.encoding import Document, Json

topic = Topic()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Selected:
    """A vendor that is shown the records of one ``jobTitle``, at first one of the name Ada."""

    stage: Stage
    vendor: Holder
    shown: Shown

    @classmethod
    async def begin(
        cls, stage: Stage, *, given: tuple[str, ...] = ("name", "email"), **item: Json
    ) -> _Selected:
        shown = await stage.person(name="Ada", email="ada@example.com")
        asked = shown.permission("delivery", ["name", "email", "telephone"], **item)
        vendor = await stage.relate([asked], given=[shown.permission("delivery", given, **item)])
        return cls(stage=stage, vendor=vendor, shown=shown)

    async def add(self, name: str, **content: Json) -> str:
        """Add a record that matches, or not, if it has another ``jobTitle``."""
        return await self.stage.owner.add(
            {"type": "Person", "jobTitle": self.shown.tag, "name": name, **content}
        )

    async def change(self, change: str, *fields: str, **item: Json) -> None:
        given: list[Document] = [self.shown.permission("delivery", fields, **item)]
        await self.stage.owner.change(self.vendor.grant, change, permissions=given)

    async def names(self) -> list[str]:
        """Return the names that a read shows, in alphabetical order."""
        return sorted(item["name"] for item in (await self.vendor.read("delivery"))["items"])


@topic.check("GRA-14", "REQ-9", "HTTP-32")
async def a_record_of_later_is_not_shown(stage: Stage) -> None:
    """Without new records, a record that is added after the approval is not shown, though it matches."""
    selected = await _Selected.begin(stage)
    expect_equal(await selected.names(), ["Ada"], "names at first")
    await selected.add("Bob")
    expect_equal(await selected.names(), ["Ada"], "names after a record was added")


@topic.check("REQ-9", "HTTP-32")
async def a_record_of_later_is_shown_where_new_records_are(stage: Stage) -> None:
    """With new records, one that is added after the approval is shown at once."""
    selected = await _Selected.begin(stage, newRecords=True)
    await selected.add("Bob")
    expect_equal(await selected.names(), ["Ada", "Bob"], "names")
    await stage.owner.add({"type": "Person", "jobTitle": "another", "name": "Eve"})
    expect_equal(await selected.names(), ["Ada", "Bob"], "names after a record that does not match")


@topic.check("REQ-9", "GRA-14")
async def a_new_version_of_a_shown_record_is_shown(stage: Stage) -> None:
    """A record that is shown is shown as it stands, whether new records are included or not."""
    selected = await _Selected.begin(stage)
    await stage.owner.edit(selected.shown.id, {**selected.shown.content, "name": "Ada Lovelace"})
    expect_equal(await selected.names(), ["Ada Lovelace"], "names")
    await stage.owner.edit(selected.shown.id, {**selected.shown.content, "jobTitle": "another"})
    expect_equal(await selected.names(), [], "names, when it matches no more")
    await stage.owner.edit(selected.shown.id, selected.shown.content)
    expect_equal(await selected.names(), ["Ada"], "names, when it matches again")


@topic.check("GRA-14", "HTTP-32")
async def a_record_that_matches_only_later_is_not_shown(stage: Stage) -> None:
    """A record that was there at the approval, and did not match, is not shown when it comes to match."""
    shown = await stage.person(name="Ada")
    other = await stage.person(name="Bob")
    vendor = await stage.relate([shown.permission("delivery", ["name"])])
    await stage.owner.edit(other.id, {**other.content, "jobTitle": shown.tag})
    [item] = (await vendor.read("delivery"))["items"]
    expect_equal(item["name"], "Ada", "the only name")


@topic.check("GRA-14", "HTTP-32", cases={"a-field": ("name",), "nothing": ("name", "email")})
async def a_narrowing_lets_no_record_in(stage: Stage, fields: tuple[str, ...]) -> None:
    """A narrowing leaves out what came after the approval, also one that takes nothing away."""
    selected = await _Selected.begin(stage)
    await selected.add("Bob")
    await selected.change("narrow", *fields)
    expect_equal(await selected.names(), ["Ada"], "names after the narrowing")
    await stage.owner.change(selected.vendor.grant, "pause")
    await stage.owner.change(selected.vendor.grant, "resume")
    expect_equal(await selected.names(), ["Ada"], "names after a pause")


@topic.check("GRA-14", "HTTP-32")
async def a_narrowing_to_no_new_records_keeps_what_is_shown(stage: Stage) -> None:
    """Where new records are no longer included, those that came before stay, and no further one is let in."""
    selected = await _Selected.begin(stage, newRecords=True)
    await selected.add("Bob")
    await selected.change("narrow", "name", "email")
    await selected.add("Cid")
    expect_equal(await selected.names(), ["Ada", "Bob"], "names")


@topic.check("GRA-14", "HTTP-32")
async def a_widening_selects_anew(stage: Stage) -> None:
    """Which records an item selects is fixed anew when the person widens it: those that match then."""
    selected = await _Selected.begin(stage, given=("name",))
    await selected.add("Bob")
    expect_equal(await selected.names(), ["Ada"], "names before")
    await selected.change("widen", "name", "email")
    expect_equal(await selected.names(), ["Ada", "Bob"], "names after the widening")
    await selected.add("Cid")
    expect_equal(await selected.names(), ["Ada", "Bob"], "names after another record")


@topic.check("REC-9", "GRA-13", "HTTP-38")
async def a_deleted_record_is_gone_from_the_view(stage: Stage) -> None:
    """The next read after a record was deleted does not show it, the epoch has moved, and the ledger says so."""
    selected = await _Selected.begin(stage, newRecords=True)
    bob = await selected.add("Bob")
    items = {item["name"]: item["id"] for item in (await selected.vendor.read("delivery"))["items"]}
    before = await stage.owner.grant(selected.vendor.grant)
    await stage.owner.delete(bob)
    expect_equal(await selected.names(), ["Ada"], "names")
    alias = items["Bob"].removeprefix("urn:freehold:")
    expect_problem(await selected.vendor.get(f"/delivery/records/{alias}"), 404, "not-found")
    after = await stage.owner.grant(selected.vendor.grant)
    expect(after["epoch"] > before["epoch"], "the epoch stayed")
    expect_equal(after["version"], before["version"], "version of the grant")
    changes = [one["entry"].get("change") for one in await stage.owner.ledger(selected.vendor.grant)]
    expect("record-deleted" in changes, "no entry of the deletion")


@topic.check("GRA-13", "REC-9", "IDN-9")
async def a_deletion_elsewhere_is_not_told(stage: Stage) -> None:
    """The deletion of a record that a grant never showed leaves no entry in its ledger, and its epoch as it was."""
    selected = await _Selected.begin(stage)
    late = await selected.add("Bob")
    other = await stage.owner.add({"type": "Person", "jobTitle": "another", "name": "Eve"})
    before = await stage.owner.grant(selected.vendor.grant)
    for record in (late, other):
        await stage.owner.delete(record)
    expect_equal(await stage.owner.grant(selected.vendor.grant), before, "the grant afterwards")
    expect_equal(await selected.names(), ["Ada"], "names")
