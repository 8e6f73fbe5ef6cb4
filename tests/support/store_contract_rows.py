"""What every store does with rows: one test or more for each method of Reader and Transactor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from operator import methodcaller as call
from typing import Any

import pytest
from freehold_node.store.store import Reader, Store, Transactor
from freehold_protocol.errors import ConflictError
from store_rows import (
    OTHER,
    OWNER,
    T0,
    add_grant,
    draft,
    entry,
    head,
    invitation,
    record,
    refusal,
    relationship,
    request,
    standing,
)

Adding = Callable[[Transactor], None]
ADDED_ONCE: dict[str, Adding] = {
    "owner": call("add_owner", OWNER, created_us=T0),
    "invitation": call("add_invitation", OWNER, invitation()),
    "relationship": call("add_relationship", OWNER, relationship(), created_us=T0),
    "request": call("add_request", OWNER, request()),
    "draft": call("add_draft", OWNER, draft()),
    "grant": call("add_grant", standing(), b""),
    "version": call("change_grant", standing(), change="narrow", document=b""),
    "entry": call("add_entry", OWNER, "g1", entry(), ()),
    "node of the log": call("add_entry", OWNER, "g1", entry(1), [(4, 0, b"node")]),
    "source key": call("put_record", OWNER, record("r2", source_key="card 1")),
    "place in order": call("put_record", OWNER, record("r3", n=1)),
}
"""Each fails on what ``fill`` has written, and would change it if it did not."""


def fill(tx: Transactor) -> None:
    """Write one row of everything."""
    tx.set_setting("name", "value")
    tx.put_record(OWNER, record("r1", source_key="card 1"))
    tx.set_self(OWNER, "r1")
    tx.set_filled_from(OWNER, "card 2", "r1")
    tx.add_invitation(OWNER, invitation())
    tx.add_request(OWNER, request())
    tx.add_draft(OWNER, draft())
    add_grant(tx)
    tx.replace_pins(OWNER, "g1", {("delivery", 0): frozenset({"r1"})})
    tx.revoke(OWNER, "g1", "did:key:zPartner", now_us=T0)
    tx.add_entry(OWNER, "g1", entry(), [(4, 0, b"node")])
    tx.count_read(OWNER, "g1", "delivery")
    tx.count_refusal(OWNER, refusal())
    tx.use_nonce(OWNER, b"nonce", expires_us=T0)
    tx.add_event(OWNER, "g1", permission="delivery", due_us=T0)
    tx.add_statement(OWNER, "g1", b"statement")


def everything(reader: Reader, owner: str) -> list[Any]:
    """Whatever can be read of an owner, at least once through every method."""
    return [
        reader.owner(owner),
        reader.standing(owner, "g1"),
        reader.standings(owner),
        reader.due(owner, 2**62),
        reader.versions(owner, "g1"),
        reader.version(owner, "g1", 1),
        reader.pins(owner, "g1"),
        reader.revoked(owner, "g1"),
        reader.reads(owner, "g1", "delivery", 0),
        reader.record(owner, "r1"),
        reader.record_by_source(owner, "card 1"),
        reader.record_filled_from(owner, "card 2"),
        reader.is_filled(owner, "r1"),
        reader.records(owner, limit=9),
        reader.record_count(owner),
        reader.record_history(owner, "r1"),
        reader.invitation(owner, "i1"),
        reader.relationship(owner, "rel-g1"),
        reader.request(owner, "q1"),
        reader.requests(owner),
        reader.draft(owner, "d1"),
        reader.entry(owner, "g1", 0),
        reader.entries(owner, "g1", limit=9),
        reader.hashes(owner, "g1", 0, 0, 9),
        reader.hashes(owner, "g1", 4, 0, 9),
        reader.refusals(owner, 2**62),
        reader.events(owner, "g1"),
        reader.pinned(owner, "r1"),
        reader.statements(owner, "g1"),
    ]


class RowsContract:
    """Tests of single methods; ``store`` has the owners OWNER and OTHER and nothing else."""

    # Node, owners, routes

    @pytest.mark.asyncio
    async def test_a_setting_is_the_one_written_last(self, store: Store) -> None:
        assert await store.read(call("setting", "name")) is None
        for value in ("one", "two"):
            await store.write(call("set_setting", "name", value))
            assert await store.read(call("setting", "name")) == value

    @pytest.mark.asyncio
    async def test_owners_are_listed_and_begin_with_nothing(self, store: Store) -> None:
        assert await store.read(call("owners")) == [OWNER, OTHER]
        row = await store.read(call("owner", OWNER))
        assert row is not None
        assert (row.owner, row.records_version, row.self_record) == (OWNER, 0, None)
        assert await store.read(call("owner", "nobody")) is None

    @pytest.mark.asyncio
    async def test_an_owner_sees_nothing_of_anothers(self, store: Store) -> None:
        nothing = await store.read(lambda reader: everything(reader, OTHER))
        await store.write(fill)
        assert await store.read(lambda reader: everything(reader, OTHER)) == nothing
        filled = await store.read(lambda reader: everything(reader, OWNER))
        assert [one for one in filled if not one] == [[]]  # the record has no history

    @pytest.mark.asyncio
    async def test_what_one_owner_does_leaves_anothers_as_it_is(self, store: Store) -> None:
        await store.write(fill)
        filled = await store.read(lambda reader: everything(reader, OWNER))

        def meddle(tx: Transactor) -> list[bool]:
            tx.set_self(OTHER, "r1")
            tx.delete_record(OTHER, "r1")
            tx.drop_drafts(OTHER, subject="g1", before_us=2**62)
            tx.bump_epoch(OTHER, "g1")
            tx.add_event(OTHER, "g1", permission=None, due_us=T0)
            tx.drop_events(OTHER, "g1", [1])
            tx.replace_pins(OTHER, "g1", {})
            tx.drop_refusal(OTHER, refusal())
            tx.purge_nonces(OTHER, now_us=2**62)
            mine = tx.standing(OWNER, "g1")
            assert mine is not None
            theirs = mine._replace(owner=OTHER)
            return [
                tx.use_invitation(OTHER, "i1", "q2"),
                tx.decide_request(OTHER, "q1", status="refused", decided_us=T0, grant=None, reason=None),
                tx.admit(theirs, head(1), now_us=T0),
                tx.move_head(theirs, head(1)),
                tx.use_nonce(OWNER, b"nonce", expires_us=T0),
            ]

        assert not any(await store.write(meddle))
        assert await store.read(lambda reader: everything(reader, OWNER)) == filled

    @pytest.mark.asyncio
    async def test_routes_lead_to_the_owner(self, store: Store) -> None:
        await store.write(fill)
        for kind, id_ in (("invitation", "i1"), ("request", "q1"), ("grant", "g1")):
            assert await store.read(call("owner_of", kind, id_)) == OWNER
        for kind, id_ in (("invitation", "q1"), ("grant", "i1"), ("grant", ""), ("", "g1")):
            assert await store.read(call("owner_of", kind, id_)) is None

    @pytest.mark.parametrize(
        "add",
        [
            call("add_invitation", OTHER, invitation()),
            call("add_request", OTHER, request()),
            call("add_grant", standing(owner=OTHER), b""),
        ],
        ids=["invitation", "request", "grant"],
    )
    @pytest.mark.asyncio
    async def test_a_route_never_leads_elsewhere(self, store: Store, add: Adding) -> None:
        await store.write(fill)
        with pytest.raises(ConflictError):
            await store.write(add)
        for kind, id_ in (("invitation", "i1"), ("request", "q1"), ("grant", "g1")):
            assert await store.read(call("owner_of", kind, id_)) == OWNER

    @pytest.mark.parametrize("what", ADDED_ONCE)
    @pytest.mark.asyncio
    async def test_what_is_there_is_not_added_again(self, store: Store, what: str) -> None:
        await store.write(fill)
        filled = await store.read(lambda reader: everything(reader, OWNER))
        with pytest.raises(ConflictError) as caught:
            await store.write(ADDED_ONCE[what])
        assert "card 1" not in str(caught.value)
        assert await store.read(lambda reader: everything(reader, OWNER)) == filled

    # Records

    @pytest.mark.asyncio
    async def test_records_keep_the_order_of_first_appearance(self, store: Store) -> None:
        def write(tx: Transactor) -> None:
            for id_, type_ in (("z", "Person"), ("m", "Order"), ("a", "Person"), ("b", "Place")):
                tx.put_record(OWNER, record(id_, type=type_))
            tx.put_record(OTHER, record("y"))
            tx.put_record(OWNER, record("z", cid="cid-z2", changed_us=T0 + 1, document=b"new"))

        await store.write(write)

        table: list[tuple[dict[str, Any], list[str]]] = [
            ({"limit": 9}, ["z", "m", "a", "b"]),
            ({"limit": 2}, ["z", "m"]),
            ({"limit": 0}, []),
            ({"limit": 9, "after": 2}, ["a", "b"]),
            ({"limit": 9, "after": 4}, []),
            ({"limit": 9, "types": ["Person"]}, ["z", "a"]),
            ({"limit": 9, "types": ["Person", "Place"], "after": 1}, ["a", "b"]),
            ({"limit": 1, "types": iter(["Order", "Nothing"])}, ["m"]),
            ({"limit": 9, "types": ["person"]}, []),
        ]
        for asked, ids in table:
            rows = await store.read(call("records", OWNER, **asked))
            assert [row.id for row in rows] == ids, asked
        assert await store.read(call("record_count", OWNER)) == 4
        rows = await store.read(call("records", OWNER, limit=9))
        assert [row.n for row in rows] == [1, 2, 3, 4]
        assert rows[0] == record("z", n=1, cid="cid-z2", changed_us=T0 + 1, document=b"new")

    @pytest.mark.asyncio
    async def test_earlier_versions_come_newest_first_even_of_one_instant(self, store: Store) -> None:
        documents = [b"%d" % n for n in range(9)]
        cids = ["m", "a", "z", "c", "y", "b", "x", "k", "d"]

        def write(tx: Transactor) -> None:
            for cid, document in zip(cids, documents, strict=True):
                tx.put_record(OWNER, record(cid=cid, document=document))
            tx.put_record(OWNER, record("r2"))

        await store.write(write)
        assert await store.read(call("record_history", OWNER, "r1")) == documents[-2::-1]
        assert await store.read(call("record_history", OWNER, "r2")) == []

    @pytest.mark.asyncio
    async def test_a_version_that_comes_back_is_kept_each_time(self, store: Store) -> None:
        def write(tx: Transactor) -> None:
            for cid in ("a", "b", "a", "c"):
                tx.put_record(OWNER, record(cid=cid, document=cid.encode()))

        await store.write(write)
        assert await store.read(call("record_history", OWNER, "r1")) == [b"a", b"b", b"a"]

    @pytest.mark.asyncio
    async def test_a_source_key_is_one_records_at_a_time(self, store: Store) -> None:
        def write(tx: Transactor) -> None:
            tx.put_record(OWNER, record("r1", source_key="card"))
            tx.put_record(OTHER, record("r1", source_key="card"))
            tx.put_record(OWNER, record("r2"))
            tx.put_record(OWNER, record("r3"))  # none, twice, is no conflict

        await store.write(write)
        found = await store.read(call("record_by_source", OWNER, "card"))
        assert found is not None
        assert found.id == "r1"
        assert await store.read(call("record_by_source", OWNER, "other")) is None
        with pytest.raises(ConflictError):
            await store.write(call("put_record", OWNER, record("r2", source_key="card", cid="new")))
        assert await store.read(call("record_history", OWNER, "r2")) == []
        await store.write(call("delete_record", OWNER, "r1"))
        await store.write(call("put_record", OWNER, record("r4", source_key="card")))

    @pytest.mark.asyncio
    async def test_what_was_put_into_a_record_is_known_until_it_is_deleted(self, store: Store) -> None:
        def write(tx: Transactor) -> None:
            for owner in (OWNER, OTHER):
                tx.put_record(owner, record("r1"))
                tx.put_record(owner, record("r2"))
            tx.set_filled_from(OWNER, "card", "r1")
            tx.set_filled_from(OWNER, "moved", "r1")
            tx.set_filled_from(OWNER, "moved", "r2")
            tx.set_filled_from(OTHER, "card", "r2")

        def look(reader: Reader) -> list[Any]:
            rows = [reader.record_filled_from(OWNER, key) for key in ("card", "moved", "other")]
            filled = [reader.is_filled(OWNER, one) for one in ("r1", "r2")]
            return [*(row.id if row else None for row in rows), *filled]

        await store.write(write)
        assert await store.read(look) == ["r1", "r2", None, True, True]
        await store.write(call("delete_record", OWNER, "r1"))
        await store.write(call("put_record", OWNER, record("r1")))
        assert await store.read(look) == [None, "r2", None, False, True]
        assert await store.read(call("is_filled", OTHER, "r2"))

    @pytest.mark.asyncio
    async def test_deletion_takes_every_version_and_every_mention(self, store: Store) -> None:
        def write(tx: Transactor) -> None:
            fill(tx)
            tx.put_record(OWNER, record("r1", cid="new"))
            tx.put_record(OWNER, record("r2"))
            tx.replace_pins(OWNER, "g1", {("delivery", 0): frozenset({"r1", "r2"})})

        await store.write(write)
        await store.write(call("delete_record", OWNER, "r1"))

        def look(reader: Reader) -> list[Any]:
            row = reader.owner(OWNER)
            return [
                reader.record(OWNER, "r1"), reader.record_by_source(OWNER, "card 1"),
                reader.record_history(OWNER, "r1"), row and row.self_record,
                reader.pins(OWNER, "g1"), reader.record_count(OWNER),
            ]  # fmt: skip

        pins = {("delivery", 0): frozenset({"r2"})}
        assert await store.read(look) == [None, None, [], None, pins, 1]

    @pytest.mark.asyncio
    async def test_every_write_of_records_is_counted(self, store: Store) -> None:
        writes: list[Adding] = [
            call("put_record", OWNER, record("r1")),
            call("put_record", OWNER, record("r1", cid="new")),
            call("set_self", OWNER, "r1"),
            call("delete_record", OWNER, "r1"),
        ]
        for n, write in enumerate(writes, start=1):
            await store.write(write)
            row = await store.read(call("owner", OWNER))
            assert row is not None
            assert (row.records_version, row.self_record) == (n, "r1" if n == 3 else None)
        other = await store.read(call("owner", OTHER))
        assert other is not None
        assert other.records_version == 0

    # Invitations, requests, drafts

    @pytest.mark.asyncio
    async def test_an_approval_that_a_browser_carries_is_claimed_once(self, store: Store) -> None:
        await store.write(call("add_request", OWNER, request("q1", carried=True)))
        await store.write(call("add_request", OWNER, request("q2")))
        assert not await store.write(lambda tx: tx.set_code(OWNER, "q1", b"digest", until_us=T0))  # it waits
        for id_ in ("q1", "q2"):
            await store.write(
                call("decide_request", OWNER, id_, status="approved", decided_us=T0, grant="g1", reason=None)
            )
        assert not await store.write(lambda tx: tx.set_code(OWNER, "q2", b"digest", until_us=T0))
        assert await store.write(lambda tx: tx.set_code(OWNER, "q1", b"digest", until_us=T0 + 1))
        found = await store.read(lambda reader: reader.carried_request(OWNER, "cid-q1"))
        assert found is not None
        assert (found.code_digest, found.code_until_us, found.is_told) == (b"digest", T0 + 1, False)
        assert await store.write(lambda tx: tx.claim(OWNER, "q1", now_us=T0 + 2))
        for change in (
            lambda tx: tx.claim(OWNER, "q1", now_us=T0 + 3),
            lambda tx: tx.claim(OWNER, "q2", now_us=T0 + 3),
            lambda tx: tx.set_code(OWNER, "q1", b"other", until_us=T0 + 9),
        ):
            assert not await store.write(change)
        found = await store.read(lambda reader: reader.request(OWNER, "q1"))
        assert found is not None
        assert (found.code_digest, found.claimed_us, found.is_told) == (None, T0 + 2, True)
        assert await store.read(lambda reader: reader.carried_request(OWNER, "cid-q2")) is None
        assert await store.read(lambda reader: reader.carried_request(OTHER, "cid-q1")) is None

    @pytest.mark.asyncio
    async def test_an_invitation_is_bound_to_one_request(self, store: Store) -> None:
        await store.write(call("add_invitation", OWNER, invitation()))
        uses = [("i1", "q1", True), ("i1", "q1", True), ("i1", "q2", False), ("i2", "q1", False)]
        for id_, request_id, bound in uses:
            assert await store.write(call("use_invitation", OWNER, id_, request_id)) is bound
        found = await store.read(call("invitation", OWNER, "i1"))
        assert found == replace(invitation(), request="q1")

    @pytest.mark.asyncio
    async def test_a_request_is_decided_once(self, store: Store) -> None:
        await store.write(call("add_request", OWNER, request()))

        def decide(id_: str, status: str) -> Callable[[Transactor], bool]:
            return call(
                "decide_request", OWNER, id_, status=status, decided_us=T0 + 1, grant="g1", reason="because"
            )

        assert not await store.write(decide("q2", "approved"))
        assert await store.write(decide("q1", "approved"))
        assert not await store.write(decide("q1", "refused"))
        assert not await store.write(decide("q1", "approved"))
        found = await store.read(call("request", OWNER, "q1"))
        assert found == request(status="approved", decided_us=T0 + 1, grant="g1", reason="because")

    @pytest.mark.asyncio
    async def test_requests_come_newest_first_and_by_status(self, store: Store) -> None:
        def write(tx: Transactor) -> None:
            for n, status in enumerate(("waiting", "refused", "waiting")):
                tx.add_request(OWNER, request(f"q{n}", status="waiting", received_us=T0 + n))
                if status != "waiting":
                    tx.decide_request(OWNER, f"q{n}", status=status, decided_us=T0, grant=None, reason=None)

        await store.write(write)
        for status, ids in ((None, ["q2", "q1", "q0"]), ("waiting", ["q2", "q0"]), ("approved", [])):
            rows = await store.read(call("requests", OWNER, status=status))
            assert [row.id for row in rows] == ids

    @pytest.mark.asyncio
    async def test_drafts_go_by_subject_or_by_age(self, store: Store) -> None:
        def write(tx: Transactor) -> None:
            tx.add_draft(OWNER, draft("old", subject="g1", created_us=T0))
            tx.add_draft(OWNER, draft("new", subject="g1", created_us=T0 + 2))
            tx.add_draft(OWNER, draft("other", subject="g2", created_us=T0 + 1))

        def left(reader: Reader) -> list[str]:
            return [name for name in ("old", "new", "other") if reader.draft(OWNER, name)]

        await store.write(write)
        found = await store.read(call("draft", OWNER, "old"))
        assert found == draft("old", subject="g1", created_us=T0)
        drops: list[tuple[dict[str, Any], list[str]]] = [
            ({}, ["old", "new", "other"]),
            ({"before_us": T0}, ["old", "new", "other"]),
            ({"before_us": T0 + 1}, ["new", "other"]),
            ({"subject": "g3"}, ["new", "other"]),
            ({"subject": "g1"}, ["other"]),
        ]
        for asked, rest in drops:
            await store.write(call("drop_drafts", OWNER, **asked))
            assert await store.read(left) == rest, asked
