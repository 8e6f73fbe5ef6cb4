"""Connect: a request that the person's browser carries, the way back, and who is told of the decision."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlsplit

from ..cast import asker
from ..cast.stage import Asked, Stage
from ..check import Topic, expect, expect_equal, expect_problem, object_of
from ..hands.edit import ABSENT, edited
from ..hands.encoding import Document
from ..hands.keys import Key

topic = Topic()

_PAGE: Final = "https://shop.example/returned?cart=7"
_ADDED: Final = ["freehold-request", "freehold-challenge", "freehold-code"]
_WAITING: Final = {"status": "waiting"}


async def _carried(stage: Stage, key: Key, **members: Any) -> Document:
    """Return a signed request for a browser to carry."""
    connect = {"returnTo": _PAGE, "challenge": secrets.token_urlsafe(24), **members}
    return await asker.request_of(stage, key, connect=connect)


async def _taken(stage: Stage, key: Key) -> tuple[Document, Document]:
    """Return a request that was taken in, and what its owner is told of it."""
    request = await _carried(stage, key)
    return request, await stage.owner.do("POST", "/requests", {"request": request})


async def _approved(stage: Stage, key: Key) -> tuple[Asked, str, Document]:
    """Return the vendor's view of a request that was approved, the code, and what the owner was told."""
    request, shown = await _taken(stage, key)
    drawn = await stage.owner.draft(shown["id"], request["permission"])
    sent = {"digest": drawn["digest"], "passphrase": stage.owner.passphrase}
    done = await stage.owner.do("POST", f"/requests/{shown['id']}/approve", sent)
    added = dict(_added(done["returnTo"]))
    asked = Asked(stage=stage, key=key, request=request, told={"request": added["freehold-request"]})
    return asked, added["freehold-code"], done


def _added(url: str) -> Sequence[tuple[str, str]]:
    """Return what the node added to the page's query, in its order."""
    return [one for one in parse_qsl(urlsplit(url).query, strict_parsing=True) if one[0] in _ADDED]


async def _poll(asked: Asked, code: str | None = None, **more: Any) -> Document:
    """Return how the request stands, as it is told with a code."""
    return object_of(await _follow(asked, code, **more))


async def _follow(asked: Asked, code: str | None = None, *, key: Key | None = None, wait_s: int = 0) -> Any:
    query = "" if code is None else f"?code={quote(code)}"
    there = Asked(
        stage=asked.stage, key=key or asked.key, request=asked.request,
        told={"request": asked.told["request"] + query},
    )  # fmt: skip
    return await there.follow(headers={"prefer": f"wait={wait_s}"} if wait_s else {})


# Taking in


@topic.check("HTTP-71")
async def a_carried_request_is_taken_in_once(stage: Stage) -> None:
    """A request that a browser carried waits as any other; the same again is the same, also when it is decided."""
    key = Key.fresh()
    request, first = await _taken(stage, key)
    expect_equal(first["status"], "waiting", "status")
    expect_equal(first.get("connect"), {"returnTo": _PAGE, "claimed": False}, "connect")
    for _ in range(2):
        expect_equal(await stage.owner.do("POST", "/requests", {"request": request}), first, "the answer")
    await stage.owner.refuse(first["id"])
    again = await stage.owner.do("POST", "/requests", {"request": request})
    expect_equal((again["id"], again["status"]), (first["id"], "refused"), "the request afterwards")


@topic.check("REQ-22")
async def each_request_is_for_one_way(stage: Stage) -> None:
    """What a browser carries is not taken at an invitation, and what is for an invitation not from a browser."""
    key = Key.fresh()
    await asker.refused_then_taken(stage, key, await _carried(stage, key), 400, "malformed")
    plain = await asker.request_of(stage, key)
    expect_problem(await stage.owner.send("POST", "/requests", {"request": plain}), 400, "malformed")


@topic.check("HTTP-71", "REQ-12", "REQ-13")
async def what_a_browser_carried_is_verified(stage: Stage) -> None:
    """A carried request is verified as one at an invitation is, with the same codes."""
    key = Key.fresh()
    good = await _carried(stage, key)
    for code, status, request in (
        ("signature-invalid", 401, edited(good, "nonce", "A" * 32)),
        ("signature-invalid", 401, edited(good, "connect.challenge", "A" * 32)),
        ("malformed", 400, edited(good, "proof", ABSENT)),
        ("request-incomplete", 400, edited(good, "expires", ABSENT)),
    ):
        expect_problem(await stage.owner.send("POST", "/requests", {"request": request}), status, code)
    listed = (await stage.owner.do("GET", "/requests?status=waiting"))["requests"]
    expect(key.did not in [one["vendor"]["id"] for one in listed], "a request that was refused waits")


@topic.check("REQ-20", "REQ-21")
async def a_page_to_return_to_is_of_its_form(stage: Stage) -> None:
    """A page that is none, or that names what a node adds, is refused, and so is a challenge that is none."""
    key = Key.fresh()
    for members in (
        {"returnTo": "http://shop.example/returned"},
        {"returnTo": "https://shop.example"},
        {"returnTo": "https://shop.example/#part"},
        {"returnTo": "https://user@shop.example/"},
        {"returnTo": "https://shop.example\\@evil.example/"},
        {"returnTo": "javascript:alert(1)"},
        {"returnTo": "http://localhost:8430/"},
        {"returnTo": "https://shop.example/?freehold-code=x"},
        {"returnTo": "https://shop.example/?freehold%2Drequest=x"},
        {"challenge": "A" * 21},
        {"challenge": "A" * 65},
        {"state": "x"},
    ):
        sent = {"request": await _carried(stage, key, **members)}
        expect_problem(await stage.owner.send("POST", "/requests", sent), 400, "malformed")
    long = {"request": await _carried(stage, key, returnTo="https://shop.example/".ljust(301, "a"))}
    expect_problem(await stage.owner.send("POST", "/requests", long), 413, "too-large")


# The way back


@topic.check("HTTP-72", "HTTP-73")
async def the_browser_is_told_where_to_go(stage: Stage) -> None:
    """The way back is the page as it was asked, with the request's URL, the challenge, and a long random code."""
    codes = []
    for _ in range(3):
        asked, code, done = await _approved(stage, Key.fresh())
        url = done["returnTo"]
        expect(url.startswith(_PAGE + "&"), "the page is not the one that was asked for")
        added = _added(url)
        expect_equal([name for name, _ in added], _ADDED, "what was added")
        expect_equal(url.count("&"), 3, "parts that were added")
        told = dict(added)
        expect_equal(told["freehold-challenge"], asked.request["connect"]["challenge"], "challenge")
        where = urlsplit(told["freehold-request"])
        expect_equal(f"{where.scheme}://{where.netloc}", stage.origin, "origin of the request")
        expect(where.path.startswith("/requests/") and not where.query, "where the request is followed")
        expect(len(code) == 32 and code.replace("-", "").replace("_", "").isalnum(), "form of the code")
        codes.append(code)
    for place in range(8):
        part = {code[place * 4 : place * 4 + 4] for code in codes}
        expect_equal(len(part), len(codes), "codes that have nothing in common")


@topic.check("HTTP-72", "HTTP-74")
async def a_refusal_needs_no_code(stage: Stage) -> None:
    """A refusal goes back without a code, and is told without one."""
    key = Key.fresh()
    request, shown = await _taken(stage, key)
    back = f"/requests/{shown['id']}/return"
    expect_problem(await stage.owner.send("POST", back, {}), 409, "not-in-this-state")
    await stage.owner.refuse(shown["id"], reason="Not now.")
    added = _added((await stage.owner.do("POST", back, {}))["returnTo"])
    expect_equal([name for name, _ in added], _ADDED[:2], "what was added")
    asked = Asked(stage=stage, key=key, request=request, told={"request": added[0][1]})
    expect_equal(await _poll(asked), {"status": "refused", "reason": "Not now."}, "how it stands")


# Who is told


@topic.check("HTTP-74", "HTTP-73")
async def an_approval_is_told_for_its_code(stage: Stage) -> None:
    """Without the code an approval is one that waits; with it the grant comes, and from then on without it too."""
    asked, code, done = await _approved(stage, Key.fresh())
    expect_equal(await _poll(asked), _WAITING, "without a code")
    told = await _poll(asked, code)
    expect_equal(told.get("status"), "approved", "with the code")
    expect("capability" in told and "receipt" in told, "an approval without what belongs to it")
    expect(str(told["grant"]).endswith(done["grant"]), "the grant is another")
    for again in (code, None, "A" * 32):
        expect_equal((await _poll(asked, again)).get("status"), "approved", "when it was claimed")
    shown = await stage.owner.do("GET", f"/requests/{asked.id}")
    expect_equal(shown["connect"]["claimed"], True, "claimed")
    over = await stage.owner.send("POST", f"/requests/{asked.id}/return", {})
    expect_problem(over, 409, "not-in-this-state")


@topic.check("HTTP-74")
async def a_wrong_code_is_as_none(stage: Stage) -> None:
    """Nothing is told for a wrong code, for that of another request, or for part of the right one."""
    key = Key.fresh()
    asked, code, _ = await _approved(stage, key)
    _, others, _ = await _approved(stage, key)
    for wrong in ("", "x", "A" * 32, others, code[:-1], code + "A", code.swapcase()):
        expect_equal(await _poll(asked, wrong), _WAITING, f"with a code of {len(wrong)} characters")
    expect_equal((await _poll(asked, code)).get("status"), "approved", "with the right code")


@topic.check("HTTP-74")
async def a_wrong_code_waits_as_none_does(stage: Stage) -> None:
    """A vendor that prefers to wait waits as long with a wrong code as with none."""
    asked, _, _ = await _approved(stage, Key.fresh())
    for code in (None, "A" * 32):
        began_s = time.monotonic()
        expect_equal(await _poll(asked, code, wait_s=1), _WAITING, "how it stands")
        expect(time.monotonic() - began_s > 0.8, "the answer came at once")


@topic.check("HTTP-73")
async def a_new_code_takes_the_place_of_the_old(stage: Stage) -> None:
    """The person can have another code; the one before tells nothing any more."""
    asked, old, done = await _approved(stage, Key.fresh())
    url = (await stage.owner.do("POST", f"/requests/{asked.id}/return", {}))["returnTo"]
    new = dict(_added(url))["freehold-code"]
    expect_equal(url.replace(new, old), done["returnTo"], "the way back but for the code")
    expect(new != old, "the same code again")
    expect_equal(await _poll(asked, old), _WAITING, "with the old code")
    expect_equal((await _poll(asked, new)).get("status"), "approved", "with the new code")


@topic.check("HTTP-74", "HTTP-20")
async def a_code_is_for_one_vendor(stage: Stage) -> None:
    """Another DID finds nothing there with the right code, before it was used and after, and does not use it up."""
    asked, code, _ = await _approved(stage, Key.fresh())
    thief = Key.fresh()
    expect_problem(await _follow(asked, code, key=thief), 404, "not-found")
    expect_equal((await _poll(asked, code)).get("status"), "approved", "for who asked")
    expect_problem(await _follow(asked, code, key=thief), 404, "not-found")


@topic.check("HTTP-71", "HTTP-19")
async def carried_requests_have_relationships_of_their_own(stage: Stage) -> None:
    """Two carried requests of one vendor lead to grants that share no key."""
    key = Key.fresh()
    grants = []
    for _ in range(2):
        asked, code, _ = await _approved(stage, key)
        grants.append((await _poll(asked, code))["receipt"]["versions"][0])
    for member in ("assigner", "servingKey", "log", "id"):
        expect(grants[0][member] != grants[1][member], f"two grants with one {member}")
