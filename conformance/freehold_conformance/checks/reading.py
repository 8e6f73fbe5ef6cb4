"""Reads: what a page holds, and that nothing else comes."""

from __future__ import annotations

from ..cast.stage import Stage
from ..check import Topic, expect, expect_equal, expect_problem, expect_status
from ..hands import proof

topic = Topic()


@topic.check("HTTP-32", "REL-1")
async def only_what_was_given_comes(stage: Stage) -> None:
    """A page shows the fields of the permission, and no other member of the record."""
    shown = await stage.person(name="Ada", email="ada@example.com", telephone="+44 1632 960001")
    vendor = await stage.relate([shown.permission("delivery", ["name", "email"])])
    page = await vendor.read("delivery")
    expect_equal(len(page["items"]), 1, "records on the page")
    members = {"@context", "id", "type", "issuer", "version", "proof", "name", "email"}
    expect_equal(set(page["items"][0]), members, "members of the document")
    expect(proof.is_proven(page, page["issuer"]), "the page's proof does not verify")


@topic.check("GRA-6", "HTTP-38", cases={"pause": "grant-paused", "end": "grant-ended"})
async def next_read_after_a_withdrawal_is_refused(stage: Stage, code: str) -> None:
    """Once a withdrawal was answered, the very next read is refused with its code."""
    shown = await stage.person(name="Ada")
    vendor = await stage.relate([shown.permission("delivery", ["name"])])
    await vendor.read("delivery")
    await stage.owner.change(vendor.grant, "pause" if code == "grant-paused" else "end")
    expect_problem(await vendor.get("/delivery/records"), 403, code)


@topic.check("HTTP-33")
async def a_field_that_is_not_shared_is_named(stage: Stage) -> None:
    """A field asked for by name and not shown is refused as not-shared."""
    shown = await stage.person(name="Ada", email="ada@example.com")
    vendor = await stage.relate([shown.permission("delivery", ["name"])])
    expect_problem(await vendor.get("/delivery/records?fields=email"), 403, "not-shared")
    expect_status(await vendor.get("/delivery/records?fields=name"), 200)
