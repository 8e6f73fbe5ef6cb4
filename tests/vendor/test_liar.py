"""Somebody between vendor and node alters what comes back: over real HTTP, every lie is found."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from freehold_protocol.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint, sign_checkpoint
from freehold_protocol.encoding import Document
from freehold_protocol.errors import (
    CapabilityError,
    ControllerError,
    FreeholdError,
    LedgerError,
    MalformedError,
    NotFoundError,
    ReceiptError,
    ReleaseError,
    RolledBackError,
    SignatureError,
    TooLargeError,
    WidenedError,
)
from freehold_protocol.keys import SigningKey
from freehold_protocol.proof import sign_document
from freehold_vendor import Access, RefusedError, Vendor
from harness import House
from vendor_scene import COURIER, GIVEN, Liar, Passing, ambient_of, identity

pytestmark = pytest.mark.asyncio
OTHER = SigningKey(bytes([99]) * 32)
Edit = Callable[[Any], Any]


def rewriting(path: str, edit: Edit) -> Callable[[Passing], None]:
    """A lie that edits the JSON of answers at paths that match, in place or by what the edit returns."""

    def lie(passing: Passing) -> None:
        if re.search(path, passing.path) and passing.status == 200:
            document = json.loads(passing.body)
            edited = edit(document)
            passing.body = json.dumps(document if edited is None else edited).encode()

    return lie


async def warm(liar: Liar) -> Access:
    """An access that has read a few times, so that there is a checkpoint with something behind it."""
    access = await liar.relate()
    for _ in range(3):
        await access.read("delivery")
    return access


async def caught(
    liar: Liar, access: Access, lie: Callable[[Passing], None], *errors: type[Exception]
) -> None:
    """A read under the lie fails, its checkpoint does not go back, and the next honest read is good."""
    before = access.checkpoint
    liar.between.lie = lie
    with pytest.raises(errors):
        await access.read("delivery")
    liar.between.lie = None
    assert before is not None
    assert access.checkpoint is not None
    assert access.checkpoint.size >= before.size
    assert (await access.read("delivery")).records[0]["name"] == "Ada Example"


@contextmanager
def case(name: object) -> Iterator[None]:
    """Say which case of a table failed."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"case: {name}")
        raise


async def test_an_honest_one_between_changes_nothing(liar: Liar) -> None:
    access = await warm(liar)
    assert (await access.read("delivery")).records


# What is released

PAGE = r"/delivery/records$"


def set_member(*path: Any, value: Any) -> Edit:
    def edit(document: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = value

    return edit


def drop_member(*path: Any) -> Edit:
    def edit(document: Any) -> None:
        for step in path[:-1]:
            document = document[step]
        del document[path[-1]]

    return edit


def signed_by_another(document: Document) -> Document:
    del document["proof"]
    return sign_document(document, OTHER)


def issued_by_another(document: Document) -> Document:
    del document["proof"]
    return sign_document({**document, "issuer": OTHER.did}, OTHER)


RELEASES: list[tuple[Edit, tuple[type[Exception], ...]]] = [
    (set_member("items", 0, "name", value="Eve Example"), (SignatureError,)),
    (set_member("items", value=[]), (SignatureError,)),
    (lambda page: page["items"].append(page["items"][0]), (SignatureError,)),
    (set_member("next", value="more"), (SignatureError,)),
    (drop_member("proof"), (MalformedError,)),
    (set_member("proof", "proofValue", value="z" + "1" * 64), (SignatureError,)),
    (set_member("proof", "proofPurpose", value="authentication"), (SignatureError,)),
    (signed_by_another, (SignatureError,)),
    (issued_by_another, (SignatureError,)),
    (lambda page: page["items"][0], (ReleaseError,)),  # signed by the right key, and not what was asked for
    (lambda page: [page], (MalformedError,)),
    (lambda _: {}, (MalformedError,)),
]


@pytest.mark.requirement("REL-13")
async def test_an_altered_release(liar: Liar) -> None:
    access = await warm(liar)
    for number, (edit, errors) in enumerate(RELEASES):
        with case(number):
            await caught(liar, access, rewriting(PAGE, edit), *errors)


async def test_a_body_that_is_no_document(liar: Liar) -> None:
    access = await warm(liar)
    for body in (b"", b"{", b"null", b"\xff", b'{"a":1,"a":2}', b"[" * 5000, b"<html>"):

        def lie(passing: Passing, body: bytes = body) -> None:
            if re.search(PAGE, passing.path):
                passing.body = body

        with case(body[:20]):
            await caught(liar, access, lie, MalformedError)


async def test_one_record_in_place_of_another(liar: Liar) -> None:
    await liar.house.import_file(b"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:x\r\nFN:Ben\r\nEND:VCARD\r\n")
    access = await liar.relate()
    ada, ben = (await access.read("circle")).records
    seen = await access.read("circle", ben["id"])
    liar.between.lie = rewriting(r"/records/z", lambda _: seen.signed)
    with pytest.raises(ReleaseError):
        await access.read("circle", ada["id"])


def with_header(name: str, value: str | None) -> Callable[[Passing], None]:
    def lie(passing: Passing) -> None:
        if re.search(PAGE, passing.path):
            passing.headers.pop(name, None)
            if value is not None:
                passing.headers[name] = value

    return lie


NUMBERS: list[tuple[str | None, type[FreeholdError]]] = [
    (None, ReleaseError),
    ("", ReleaseError),
    ("-1", ReleaseError),
    ("1e3", ReleaseError),
    ("\u00b2", ReleaseError),
    ("9" * 30, ReleaseError),
    ("0", ReleaseError),  # the approval: an entry of no read
    ("1", ReleaseError),  # our own, of another request
    ("999", LedgerError),
]


async def test_another_entry_is_named(liar: Liar) -> None:
    access = await warm(liar)
    for number, error in NUMBERS:
        with case(number):
            await caught(liar, access, with_header("Freehold-Entry", number), error)


async def test_an_old_answer_replayed(liar: Liar) -> None:
    access = await warm(liar)
    old = next(one for one in reversed(liar.between.log) if re.search(PAGE, one.path))

    def lie(passing: Passing) -> None:
        if re.search(PAGE, passing.path):
            passing.body, passing.headers = old.body, dict(old.headers)

    await caught(liar, access, lie, ReleaseError)


async def test_an_old_content_under_a_new_entry(liar: Liar) -> None:
    access = await warm(liar)
    old = next(one for one in reversed(liar.between.log) if re.search(PAGE, one.path))
    await liar.edit(telephone="+44 1632 960009", name="Ada Changed")
    liar.between.lie = rewriting(PAGE, lambda _: json.loads(old.body))
    with pytest.raises(ReleaseError, match="another content"):
        await access.read("delivery")


async def test_unchanged_is_said_of_what_changed(liar: Liar) -> None:
    access = await liar.relate()
    first = await access.read("delivery")
    await liar.edit(name="Ada Changed")

    def lie(passing: Passing) -> None:
        if re.search(PAGE, passing.path):
            passing.status, passing.body = 304, b""

    liar.between.lie = lie
    with pytest.raises(ReleaseError):
        await access.read_if_changed(first)
    with pytest.raises(ReleaseError):
        await access.read("delivery")  # and where nobody asked whether it changed


# The ledger

ENTRY = r"/ledger/entries/\d+$"
HEAD = r"/ledger/checkpoint\?from="


def another_root(document: Document) -> None:
    head = parse_checkpoint(document["checkpoint"])
    forged = Checkpoint(origin=head.origin, size=head.size, root=bytes(32))
    document["checkpoint"] = sign_checkpoint(forged, OTHER)


def another_ledger(document: Document) -> None:
    origin = "freehold/ledger/" + "A" * 43
    document["checkpoint"] = sign_checkpoint(Checkpoint(origin=origin, size=3, root=bytes(32)), OTHER)


def spoilt_root(document: Document) -> None:
    lines = document["checkpoint"].split("\n")
    lines[2] = "A" * 43 + "="
    document["checkpoint"] = "\n".join(lines)


ENTRIES: list[tuple[Edit, tuple[type[Exception], ...]]] = [
    (set_member("entry", "count", value=2), (LedgerError,)),
    (set_member("entry", "permission", value="marketing"), (LedgerError,)),
    (set_member("entry", "fields", value=[]), (LedgerError,)),
    (set_member("entry", "time", value="2026-11-23T13:00:00Z"), (LedgerError,)),
    (set_member("entry", value=None), (LedgerError, MalformedError)),
    (drop_member("entry"), (ReleaseError,)),
    (drop_member("salt"), (ReleaseError,)),
    (set_member("salt", value="A" * 43), (LedgerError,)),
    (set_member("salt", value="short"), (MalformedError,)),
    (set_member("leaf", value="A" * 43), (LedgerError,)),
    (set_member("leaf", value=7), (MalformedError,)),
    (set_member("number", value=1), (LedgerError,)),
    (set_member("size", value=2), (LedgerError,)),
    (set_member("proof", value=[]), (LedgerError,)),
    (set_member("proof", value=["A" * 43] * 2), (LedgerError,)),
    (set_member("proof", value=["A" * 43] * 65), (MalformedError,)),
    (set_member("proof", value=None), (MalformedError,)),
    (drop_member("proof"), (MalformedError,)),
    (set_member("checkpoint", value=""), (MalformedError,)),
    (set_member("checkpoint", value=[]), (MalformedError,)),
    (drop_member("checkpoint"), (MalformedError,)),
    (another_root, (SignatureError,)),
    (spoilt_root, (SignatureError,)),
    (another_ledger, (LedgerError,)),
    (lambda _: {"number": 1}, (MalformedError,)),
]


@pytest.mark.requirement("REL-14", "REL-16")
async def test_an_altered_entry(liar: Liar) -> None:
    access = await warm(liar)
    for number, (edit, errors) in enumerate(ENTRIES):
        with case(number):
            await caught(liar, access, rewriting(ENTRY, edit), *errors)


HEADS: list[tuple[Edit, tuple[type[Exception], ...]]] = [
    (set_member("consistency", value=[]), (RolledBackError,)),
    (set_member("consistency", value=["A" * 43]), (RolledBackError,)),
    (set_member("consistency", value="A" * 43), (MalformedError,)),
    (drop_member("consistency"), (MalformedError,)),
    (another_root, (SignatureError,)),
    (spoilt_root, (SignatureError,)),
    (another_ledger, (LedgerError,)),
    (drop_member("checkpoint"), (MalformedError,)),
]


async def test_an_altered_head(liar: Liar) -> None:
    access = await warm(liar)
    for number, (edit, errors) in enumerate(HEADS):
        with case(number):
            await caught(liar, access, rewriting(HEAD, edit), *errors)


async def test_the_entry_is_denied(liar: Liar) -> None:
    def lie(passing: Passing) -> None:
        if re.search(ENTRY, passing.path):
            problem = {"code": "not-found", "detail": "nothing here"}
            passing.status, passing.body = 404, json.dumps(problem).encode()
            passing.headers["Content-Type"] = "application/problem+json"

    await caught(liar, await warm(liar), lie, LedgerError)


async def test_an_old_head_replayed(liar: Liar) -> None:
    access = await warm(liar)
    heads = [one for one in liar.between.log if re.search(HEAD, one.path)]

    def lie(passing: Passing) -> None:
        if re.search(HEAD, passing.path):
            passing.body = heads[0].body

    await caught(liar, access, lie, RolledBackError)


# A ledger that was rolled back for good: the node runs on from an earlier copy of its data


async def forked(liar: Liar) -> tuple[Access, str]:
    """An access whose checkpoint is ahead of a second node with the same keys."""
    access = await liar.relate()
    await access.read("delivery")
    fork = await liar.fork()
    for _ in range(3):
        await access.read("delivery")
    return access, fork


@pytest.mark.requirement("LED-17")
async def test_a_shorter_ledger_is_found_and_what_is_held_stays(liar: Liar) -> None:
    access, fork = await forked(liar)
    before, honest = access.checkpoint, liar.between.upstream
    liar.between.upstream = fork
    for look in (access.refresh, lambda: access.read("delivery")):
        with pytest.raises(RolledBackError):
            await look()
        assert access.checkpoint == before
    liar.between.upstream = honest
    assert (await access.read("delivery")).records


async def test_another_ledger_of_the_same_or_a_greater_length_is_found(liar: Liar) -> None:
    access, fork = await forked(liar)
    before = access.checkpoint
    assert before is not None
    liar.between.upstream = fork
    for _ in range(4):  # the fork grows past what is held, by reads that are refused for it
        with pytest.raises(RolledBackError):
            await access.read("delivery")
        assert access.checkpoint == before
    head = await ledger_size(liar, access)
    assert head >= before.size


async def ledger_size(liar: Liar, access: Access) -> int:
    note = await access._fetch_ledger("/checkpoint")
    held = access._holder.held
    return open_checkpoint(note["checkpoint"], origin=held.log, key=held.serving_key).size


async def test_a_partner_finds_it_too(liar: Liar) -> None:
    shop = await liar.relate()
    async with Vendor(
        COURIER, allow_private_addresses=True, ambient=ambient_of(liar.clock, seed=8)
    ) as courier:
        partner = await courier.accept((await shop.delegate(COURIER.did, "delivery")).to_dict())
        await partner.read("delivery")
        fork = await liar.fork()
        await partner.read("delivery")
        await partner.read("delivery")
        before, liar.between.upstream = partner.checkpoint, fork
        with pytest.raises(RolledBackError):
            await partner.read("delivery")
        assert partner.checkpoint == before


# The decision

STATUS = r"/requests/"


async def another_receipt(liar: Liar) -> Document:
    """What an honest node answers to another request of the same vendor."""
    await liar.relate()
    found = next(one for one in reversed(liar.between.log) if re.search(STATUS, one.path))
    made: Document = json.loads(found.body)
    return made


APPROVALS: list[tuple[Edit, tuple[type[Exception], ...]]] = [
    (lambda _: {"status": "approved"}, (MalformedError,)),
    (lambda _: {"status": "granted"}, (MalformedError,)),
    (lambda _: {}, (MalformedError,)),
    (drop_member("receipt"), (MalformedError,)),
    (set_member("receipt", "versions", value=[]), (ReceiptError,)),
    (set_member("receipt", "versions", 0, "expires", value="2027-11-23T12:00:00Z"), (ReceiptError,)),
    (set_member("receipt", "versions", 0, "servingKey", value=OTHER.did), (ReceiptError,)),
    (set_member("receipt", "versions", 0, "origins", value=["https://evil.example"]), (ReceiptError,)),
    (set_member("receipt", "request", "benefit", value="Nothing"), (ReceiptError,)),
    (lambda told: told["receipt"]["versions"].append(told["receipt"]["versions"][0]), (ReceiptError,)),
    (lambda told: told["receipt"]["versions"].extend(told["receipt"]["versions"] * 200), (TooLargeError,)),
    (drop_member("checkpoint"), (MalformedError,)),
    (another_root, (SignatureError,)),
    (set_member("capability", value=None), (MalformedError,)),
    (set_member("capability", "controller", value=OTHER.did), (SignatureError,)),
    (set_member("capability", "expires", value="2027-11-23T12:00:00Z"), (CapabilityError, SignatureError)),
    (set_member("capability", "invocationTarget", value="http://127.0.0.1:1/g/x"), (ReceiptError,)),
]


async def test_an_altered_approval_is_not_taken_up(liar: Liar) -> None:
    pending = await liar.ask()
    await liar.approve(pending, GIVEN)
    for number, (edit, errors) in enumerate(APPROVALS):
        liar.between.lie = rewriting(STATUS, edit)
        with case(number), pytest.raises(errors):
            await pending.decision(timeout_s=0)
    assert await liar.vendor.accesses() == ()
    liar.between.lie = None
    assert (await (await pending.decision(timeout_s=0)).read("delivery")).records


@pytest.mark.requirement("HTTP-65", "REQ-17")
async def test_an_approval_of_another_request_is_not_taken_up(liar: Liar) -> None:
    other = await another_receipt(liar)
    pending = await liar.ask()
    liar.between.lie = rewriting(STATUS, lambda _: other)
    with pytest.raises(ReceiptError, match="another request"):
        await pending.decision(timeout_s=0)


@pytest.mark.requirement("HTTP-65")
async def test_an_approval_passed_on_from_another_node_is_not_taken_up(liar: Liar) -> None:
    """Who stands between may have the request approved elsewhere; then the grant names that place."""
    pending = await liar.ask()
    await liar.approve(pending, GIVEN)
    held = pending._held
    assert held.invitation is not None
    object.__setattr__(held, "invitation", held.invitation.replace("127.0.0.1", "127.0.0.3"))
    with pytest.raises(ReceiptError, match="another node"):
        await pending.decision(timeout_s=0)


@pytest.mark.requirement("HTTP-65", "SEC-12")
@pytest.mark.parametrize(
    "where",
    [None, 7, "", "https://evil.example/requests/x", "{base}@evil.example/requests/x", "{base}/owner/status",
     "{base}/requests/../owner/status", "{base}/requests/a?b=c"],
)  # fmt: skip
async def test_a_request_is_followed_only_at_the_node_that_was_asked(liar: Liar, where: Any) -> None:
    def lie(passing: Passing) -> None:
        if "/i/" in passing.path:
            target = where.format(base=liar.between.base) if isinstance(where, str) else where
            passing.body = json.dumps({"status": "waiting", "request": target}).encode()

    liar.between.lie = lie
    with pytest.raises(MalformedError):
        await liar.ask()
    assert all(STATUS not in one.path for one in liar.between.log)


async def test_a_refusal_that_is_made_up_opens_nothing(liar: Liar) -> None:
    pending = await liar.ask()
    liar.between.lie = rewriting(STATUS, lambda _: {"status": "refused", "reason": ["x"]})
    with pytest.raises(RefusedError) as caught:
        await pending.decision(timeout_s=0)
    assert caught.value.reason is None


# How the grant stands, and renewal

GRANT = r"/g/[0-9a-f-]+\?from="


def widened(told: Document) -> None:
    told["versions"][-1]["permission"].append(told["versions"][-1]["permission"][0])


@pytest.mark.requirement("RCP-9")
@pytest.mark.parametrize(
    "edit",
    [
        drop_member("versions", 0),
        set_member("versions", -1, "state", value="live"),
        set_member("versions", 0, "version", value=1),
        widened,
        lambda told: told["versions"].reverse(),
        lambda told: {**told, "versions": told["versions"][1:] * 2},
        set_member("versions", value={}),
        set_member("versions", value=[None]),
        drop_member("versions"),
        lambda _: {"versions": [], "more": True},
    ],
)
async def test_a_receipt_only_continues(liar: Liar, edit: Edit) -> None:
    access = await liar.relate()
    await liar.change(access, "pause")
    await access.refresh()
    held = access.receipt
    await liar.change(access, "resume")
    await liar.change(access, "end")
    liar.between.lie = rewriting(GRANT, edit)
    with pytest.raises((ReceiptError, WidenedError, MalformedError)):
        await access.refresh()
    assert access.receipt == held
    assert access.standing is not None
    assert access.standing.state == "paused"
    liar.between.lie = None
    assert (await access.refresh()).state == "ended"


async def test_the_versions_of_another_grant_are_not_ours(liar: Liar) -> None:
    access, other = await liar.relate(), await liar.relate()
    await liar.change(other, "pause")
    await other.refresh()
    assert other.receipt is not None
    versions = other.receipt.to_dict()["versions"]
    for shown in (versions, versions[1:]):
        liar.between.lie = rewriting(GRANT, set_member("versions", value=shown))
        with pytest.raises(ReceiptError):
            await access.refresh()


def always(document: Document) -> Edit:
    return lambda _: document


async def test_versions_that_are_held_already_set_nothing_back(liar: Liar) -> None:
    access = await liar.relate()
    await liar.change(access, "pause")
    await access.refresh()
    assert access.receipt is not None
    held = access.receipt.to_dict()["versions"]
    for shown in (held[:1], held, held[1:]):
        liar.between.lie = rewriting(GRANT, set_member("versions", value=shown))
        assert (await access.refresh()).state == "paused"
        liar.between.lie = rewriting(GRANT, always({"versions": shown, "more": True}))
        with pytest.raises(ReceiptError):
            await access.refresh()


async def test_a_grant_that_lost_its_versions_is_found(liar: Liar) -> None:
    access = await liar.relate()
    fork = await liar.fork()
    await liar.change(access, "pause")
    await access.refresh()
    held, liar.between.upstream = access.receipt, fork
    with pytest.raises(ReceiptError):
        await access.refresh()
    assert access.receipt == held


@pytest.mark.parametrize(
    ("edit", "errors"),
    [
        (lambda _: {}, (MalformedError,)),
        (set_member("capability", "controller", value=OTHER.did), (SignatureError,)),
        (set_member("capability", "invocationTarget", value="http://127.0.0.1:1/g/x"), (ReceiptError,)),
        (set_member("capability", "allowedAction", value=["read", "write"]), (SignatureError,)),
    ],
)
async def test_an_altered_renewal_is_not_taken_up(
    liar: Liar, edit: Edit, errors: tuple[type[Exception], ...]
) -> None:
    access = await liar.relate()
    before = access.capability
    liar.between.lie = rewriting(r"/renew$", edit)
    with pytest.raises(errors):
        await access.renew()
    assert access.capability is before


@pytest.mark.requirement("HTTP-66")
async def test_another_capability_of_the_same_node_is_not_taken_up(liar: Liar) -> None:
    access = await liar.relate()
    async with Vendor(
        identity(2), allow_private_addresses=True, ambient=ambient_of(liar.clock, seed=8)
    ) as two:
        other = await liar.relate(vendor=two)
        assert other.capability is not None
        document = other.capability.document
        liar.between.lie = rewriting(r"/renew$", lambda _: {"capability": document})
        with pytest.raises((ReceiptError, ControllerError)):
            await access.renew()


@pytest.mark.requirement("HTTP-67")
@pytest.mark.parametrize(
    ("edit", "errors"),
    [
        (set_member("status", "state", value="live"), (SignatureError,)),
        (set_member("status", value=None), (MalformedError,)),
        (set_member("status", value=[]), (MalformedError,)),
        (drop_member("status"), (MalformedError,)),
        (drop_member("status", "proof"), (MalformedError,)),
        (lambda told: told.update(status=sign_document(_unsigned(told["status"]), OTHER)), (SignatureError,)),
    ],
)
async def test_an_altered_status_for_a_partner(
    liar: Liar, edit: Edit, errors: tuple[type[Exception], ...]
) -> None:
    shop = await liar.relate()
    async with Vendor(
        COURIER, allow_private_addresses=True, ambient=ambient_of(liar.clock, seed=8)
    ) as courier:
        partner = await courier.accept((await shop.delegate(COURIER.did, "delivery")).to_dict())
        await liar.change(shop, "pause")
        liar.between.lie = rewriting(r"/delivery$", edit)
        with pytest.raises(errors):
            await partner.refresh()
        assert partner.standing is None


@pytest.mark.requirement("HTTP-67")
async def test_an_old_status_is_not_of_now(liar: Liar) -> None:
    shop = await liar.relate()
    async with Vendor(
        COURIER, allow_private_addresses=True, ambient=ambient_of(liar.clock, seed=8)
    ) as courier:
        partner = await courier.accept((await shop.delegate(COURIER.did, "delivery")).to_dict())
        await partner.refresh()
        old = next(one for one in reversed(liar.between.log) if one.path.endswith("/delivery"))
        await liar.change(shop, "pause")
        assert (await partner.refresh()).state == "paused"
        liar.between.lie = rewriting(r"/delivery$", lambda _: json.loads(old.body))
        with pytest.raises(ReleaseError, match="older"):
            await partner.refresh()
        liar.clock.advance(3600)
        with pytest.raises(ReleaseError, match="not made now"):
            await partner.refresh()
        assert partner.standing is not None
        assert partner.standing.state == "paused"


def _unsigned(document: Document) -> Document:
    return {name: value for name, value in document.items() if name != "proof"}


async def test_the_wrong_grant_tells_nothing(liar: Liar) -> None:
    """A vendor that is sent to another's grant finds nothing there."""
    access = await liar.relate()
    async with Vendor(
        identity(2), allow_private_addresses=True, ambient=ambient_of(liar.clock, seed=8)
    ) as two:
        other = await liar.relate(vendor=two)
        house: House = liar.house
        path = access.grant.removeprefix(house.base)
        with pytest.raises(NotFoundError):
            await two._transport.send(
                "GET", house.base + path, sign=two._outside.signing_as_did("GET", house.base + path)
            )
        assert (await other.read("delivery")).records
