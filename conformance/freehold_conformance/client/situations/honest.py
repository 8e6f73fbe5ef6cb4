"""What must succeed: a client that refuses everything is of no use to anyone."""

from __future__ import annotations

import time
from functools import partial

from ...check import expect, expect_equal
from ...hands import grant as grants
from ...hands import proof
from ...hands.encoding import Document, from_xsd_time
from ...hands.keys import Key
from ...hands.log import note
from ...hands.merkle import root_hash
from ..play import Play, took
from ..relation import CIRCLE, DAY_S, DELIVERY, Relation, asked_permissions
from ..server import Came, Reply
from ..situation import Scenes

SCENES = Scenes()
_MEMBERS = {"@context", "type", "id", "nonce", "created", "expires", "assignee", "permission", "proof"}
_OPTIONAL = {"benefit", "terms", "contact"}


@SCENES.situation("HTTP-17", "HTTP-20", "HTTP-30", "REQ-16")
async def asks_and_reads(play: Play) -> None:
    """Ask, be approved, and read: a page, one record of it, some fields of it."""
    await play.relate()
    page = await play.reads()
    alias = str(page["records"][0]["id"]).removeprefix("urn:freehold:")
    await play.reads(alias=alias)
    await play.reads(fields=["name"])


@SCENES.situation("REQ-1", "REQ-2", "REQ-12", "REQ-13", "REQ-14")
async def signs_its_request(play: Play) -> None:
    """Send a request of the form, signed by the key that is asked for, about what was to be asked and no more."""
    await play.asked()
    request: Document = play.node.person.request
    expect(set(request) - _OPTIONAL == _MEMBERS, "the request has other members")
    expect_equal(request["assignee"]["id"], play.did, "who asks")
    expect_equal(request["assignee"].get("type"), "Organization", "the type of who asks")
    expect_equal(_asked(request["permission"]), _asked(asked_permissions(play.partner.did)), "what is asked")
    created_s, expires_s = from_xsd_time(request["created"]), from_xsd_time(request["expires"])
    expect(abs(created_s - time.time()) < 60, "the request was not made now")
    expect(0 < expires_s - created_s <= 3_660 * DAY_S, "the end is not ahead, or too far")
    expect_equal(request["proof"].get("created"), request["created"], "the time of the proof")
    expect(22 <= len(request["nonce"]) <= 64, "the nonce is too short or too long")
    expect(proof.is_proven(request, play.did), "the proof does not verify")


def _asked(permissions: list[Document]) -> list[object]:
    """Return what is asked, whatever of it goes without saying."""
    return [
        (
            one["name"],
            sorted(one["purpose"]),
            one["retention"],
            sorted(one.get("recipients", [])),
            one.get("limits"),
            [
                (
                    item["type"],
                    item.get("about", "self"),
                    sorted(item["fields"]),
                    item.get("newRecords", False),
                )
                for item in one["items"]
            ],
        )
        for one in permissions
    ]


@SCENES.situation("HTTP-21", "HTTP-20", "CLT-7")
async def waits_for_the_person(play: Play) -> None:
    """Take no answer for no approval, ask to wait, and take up the approval when it comes."""
    play.node.on_request = lambda _: None
    await play.asked()
    said = took(await play.decision(seconds=1), "a person who thinks it over")
    expect_equal(said.get("status"), "waiting", "the decision")
    expect(len(play.node.requests("GET /requests/")) <= 6, "the client asks again and again without waiting")
    play.node.person.approve()
    play.node.changed.set()
    said = took(await play.decision(seconds=2), "an approval that came later")
    expect_equal(said.get("status"), "approved", "the decision")
    await play.reads()


@SCENES.situation("HTTP-20", "CLT-8")
async def takes_no_for_an_answer(play: Play) -> None:
    """Say that the person refused, and ask no more."""
    play.node.on_request = lambda _: None
    play.node.refused_by_person = True
    await play.asked()
    said = took(await play.decision(), "a refusal by the person")
    expect_equal(said.get("status"), "refused", "the decision")
    await play.refuses_read("a read of what the person refused")
    expect(not play.node.requests("GET /g/"), "a read was sent under no grant")


@SCENES.situation("HTTP-36", "CLT-14")
async def reads_page_by_page(play: Play) -> None:
    """Read a list of several pages, each record once and in order."""
    await play.relate()
    listed = took(await play.list(CIRCLE, limit=3), "an honest list")
    wanted = [one["id"] for one in play.node.person.shown(CIRCLE)]
    expect([one.get("id") for one in listed["records"]] == wanted, "the list is not what the pages held")
    expect(len(play.node.requests("GET .*circle/records")) == 2, "not one read for each page")


@SCENES.situation("HTTP-31", "LED-5")
async def reads_again_if_changed(play: Play) -> None:
    """Believe that nothing has changed where that is so, and take what has."""
    await play.relate()
    said = took(await play.reread(), "an honest 304")
    expect(said.get("unchanged") is True, "what is the same was said to have changed")
    expect(play.node.seen[-1].came.header("cookie") is None, "a cookie")
    person = play.node.person
    next(iter(person.records.values()))["name"] = "Ada Changed"
    said = took(await play.reread(), "what has changed")
    expect([one.get("name") for one in said.get("records", [])] == ["Ada Changed"], "the change was not read")


@SCENES.situation("LED-6", "LED-16", "LED-17")
async def proves_its_reads(play: Play) -> None:
    """Find the entry of a read in the ledger, and follow the ledger to its head."""
    await play.relate()
    proven = took(await play.prove(), "an honest entry")
    expect_equal(proven.get("number"), play.node.person.log.size - 1, "the number of the entry")
    for _ in range(5):
        await play.reads(CIRCLE)
    followed = took(await play.ledger(), "an honest ledger")
    expect_equal(followed.get("size"), play.node.person.log.size, "the size of the ledger")


@SCENES.situation("GRA-16", "GRA-17", "RCP-9")
async def follows_the_grant(play: Play) -> None:
    """See the grant narrowed, widened, paused and resumed, and read what is given each time."""
    await play.relate()
    person = play.node.person
    given = person.standing["permission"]
    person.narrow()
    await _stands(play, "live", 2)
    await play.reads()
    person.change("widen", permission=given)
    await _stands(play, "live", 3)
    await play.reads()
    person.change("pause", person.serving, state="paused")
    await _is_told(play, "grant-paused")
    await _stands(play, "paused", 4)
    person.change("resume", state="live")
    await _stands(play, "live", 5)
    await play.reads()


@SCENES.situation("GRA-6", "GRA-7", "HTTP-22", cases={"ended": "end", "expired": "expire"})
async def learns_that_it_is_over(play: Play, change: str) -> None:
    """Hear that the grant is over, by the code and by the receipt."""
    await play.relate()
    state = f"{change}ed" if change == "end" else f"{change}d"
    play.node.person.change(change, play.node.person.serving, state=state)
    await _is_told(play, f"grant-{state}")
    await _stands(play, state, 2)


async def _stands(play: Play, state: str, version: int) -> None:
    said = took(await play.look(), f"an honest version {version}")
    expect_equal((said.get("state"), said.get("version")), (state, version), "how the grant stands")


async def _is_told(play: Play, code: str) -> None:
    why = await play.refuses_read(f"a read that the node refused with {code}")
    expect_equal(why, code, "the reason that the client gives")


@SCENES.situation("ROT-2", "ROT-14", "HTTP-24")
async def follows_a_change_of_keys(play: Play) -> None:
    """Go on under the person's new keys, with a fresh capability and the same ledger."""
    await play.relate()
    play.node.person.rotate()
    await _stands(play, "live", 2)
    await play.reads()
    took(await play.ledger(), "the ledger under the new key")


@SCENES.situation("HTTP-24", "INV-20")
async def renews(play: Play) -> None:
    """Get a fresh capability when told to, and read under it."""
    await play.relate()
    before = len(play.node.person.issued)
    took(await play.renew(), "an honest renewal")
    expect(len(play.node.person.issued) == before + 1, "no capability was fetched")
    await play.reads()
    used = play.node.requests("GET .*/records")[-1].heard
    expect(used is not None and used.capability == play.node.person.issued[-1], "the old one is used still")


@SCENES.situation("HTTP-24", "CAP-24")
async def renews_before_the_end(play: Play) -> None:
    """Read under a capability that is about to end: it is renewed, before or when the node says so."""

    def short(_: Came, reply: Reply) -> Reply:
        found = reply.document
        found["capability"] = play.node.person.issue(lives_s=2)
        return reply.saying(found)

    play.node.lie("GET /requests/", short)
    await play.asked()
    took(await play.decision(), "a capability of two seconds")
    issued = play.node.person.issued[-1]
    await play.until(lambda: from_xsd_time(issued["expires"]) <= time.time(), seconds=3)
    await play.reads()
    expect(bool(play.node.requests("POST .*/renew")), "it was never renewed")


@SCENES.situation("LED-15")
async def passes_over_witnesses(play: Play) -> None:
    """Accept a checkpoint that sixteen others have signed besides."""
    await play.relate()

    def witnessed(_: Came, reply: Reply) -> Reply:
        found, log = reply.document, play.node.person.log
        for number in range(16):
            line = note(log.origin, log.size, root_hash(log.leaves), Key.fresh(), name=f"witness/{number}")
            found["checkpoint"] += line.split("\n\n")[1]
        return reply.saying(found)

    play.node.lie("GET .*/ledger/", witnessed)
    await play.reads()
    took(await play.ledger(), "a checkpoint with witnesses")


@SCENES.situation("CLT-3", "INV-7")
async def minds_no_other_header(play: Play) -> None:
    """Keep no cookie, and take no other header for anything."""
    headers = {
        "set_cookie": "session=1; Path=/",
        "date": "Thu, 01 Jan 1970 00:00:00 GMT",
        "refresh": "0; url=/elsewhere",
        "link": "</i/other>; rel=canonical",
        "strict_transport_security": "max-age=31536000",
        "x_freehold_state": "ended",
    }
    play.node.lie(".", lambda _, reply: reply.headed(**headers) if reply.raw is None else reply)
    await play.relate()
    await play.reads()
    took(await play.ledger(), "an honest ledger")


@SCENES.situation("RCP-9", "HTTP-22")
async def takes_versions_in_parts(play: Play) -> None:
    """Ask for the versions after those that it has, until no more follow."""
    await play.relate()
    person = play.node.person
    for _ in range(4):
        person.change("pause", person.serving, state="paused")
        person.change("resume", state="live")

    def two(came: Came, reply: Reply) -> Reply:
        found = reply.document
        if "from=" not in came.target:
            part = person.versions[:2]
            told = {
                "receipt": grants.receipt(person.request, part),
                "checkpoint": found["checkpoint"],
                "more": True,
            }
            return reply.saying(told)
        if len(found["versions"]) > 2:
            found["versions"] = found["versions"][:2]
            found["more"] = True
            del found["statements"]
        return reply.saying(found)

    play.node.lie(r"GET /g/[a-f0-9-]+(\?from=\d+)?$", two)
    await _stands(play, "live", 9)
    await play.reads()


@SCENES.situation("HTTP-20", "RCP-9")
async def takes_an_approval_in_parts(play: Play) -> None:
    """Take up an approval that came with the first versions only, and ask for the others."""
    play.node.on_request = partial(_later, play)
    await play.asked()
    said = took(await play.decision(), "an approval with more to come")
    expect_equal(said.get("status"), "approved", "the decision")
    await _stands(play, "live", 4)
    await play.reads()


def _later(play: Play, relation: Relation) -> None:
    relation.approve()
    relation.change("pause", relation.serving, state="paused")
    relation.rotate()
    relation.change("resume", state="live")

    def first(_: Came, reply: Reply) -> Reply:
        found = reply.document
        found["receipt"] = grants.receipt(relation.request, relation.versions[:1])
        del found["statements"]
        return reply.saying({**found, "more": True})

    play.node.lie("GET /requests/", first)


@SCENES.situation("HTTP-33")
async def does_without_what_is_not_shared(play: Play) -> None:
    """Say that a field or a permission is not shared, and read on."""
    await play.relate()
    play.node.person.narrow()
    why = await play.refuses_read("a field that is not shared", fields=["address.postalCode"])
    expect_equal(why, "not-shared", "the reason that the client gives")
    await play.reads()
    expect(DELIVERY in play.node.requests("GET .*/records")[-1].came.path, "another permission was read")
