"""What every store does with what the person's own pages ask."""

from __future__ import annotations

from operator import methodcaller as call
from typing import Any

import pytest
from freehold_node.store.rows import EntryRow
from freehold_node.store.sought import EntriesSought, FieldsRead, Place, ReaderRow, RecordsSought, RequestHead
from freehold_node.store.store import Reader, Store, Transactor
from store_rows import OTHER, OWNER, T0, add_grant, draft, entry, invitation, record, relationship, request

FIELDS = (("name",), ("name", "address.postalCode"), ("email",))
STATEMENT = b"statement"


def body(fields: tuple[str, ...], **more: str) -> bytes:
    listed = ",".join(f'"{field}"' for field in fields)
    others = "".join(f',"{name}":"{value}"' for name, value in more.items())
    return f'{{"count":1,"fields":[{listed}],"kind":"admitted"{others}}}'.encode()


def write_entries(tx: Transactor) -> None:
    """Two grants that were read in turn, and one of somebody else: times T0 to T0 + 6."""
    for grant in ("g1", "g2"):
        add_grant(tx, grant)
    add_grant(tx, "g9", owner=OTHER)
    made: list[tuple[str, int, int, dict[str, Any]]] = [
        ("g1", 0, 0, {"kind": "changed", "permission": None, "body": b"{}"}),
        ("g2", 0, 0, {"kind": "changed", "permission": None, "body": b"{}"}),
        ("g1", 1, 2, {"body": body(FIELDS[0])}),
        ("g2", 1, 2, {"body": body(FIELDS[1], permission="email")}),
        ("g2", 2, 3, {"kind": "refused", "body": b"{}"}),
        ("g1", 2, 4, {"body": None}),
        (
            "g1",
            3,
            6,
            {"permission": "age", "body": body(FIELDS[2]), "seen_by": ("did:key:zShop", "did:key:zP")},
        ),
    ]
    for grant, n, after, more in made:
        tx.add_entry(OWNER, grant, entry(n, time_us=T0 + after, **more), ())
    tx.add_entry(OTHER, "g9", entry(0, body=body(FIELDS[0])), ())


ALL = ["g1/3", "g1/2", "g2/2", "g2/1", "g1/1", "g2/0", "g1/0"]
SOUGHT: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ALL),
    ({"after_us": T0 + 2}, ALL[:5]),
    ({"before_us": T0 + 2}, ALL[5:]),
    ({"after_us": T0 + 2, "before_us": T0 + 4}, ALL[2:5]),
    ({"grants": frozenset({"g2"})}, ["g2/2", "g2/1", "g2/0"]),
    ({"grants": frozenset({"g1", "g2"})}, ALL),
    ({"grants": frozenset({"g9"})}, []),
    ({"grants": frozenset()}, []),
    ({"kinds": frozenset({"refused", "changed"})}, ["g2/2", "g2/0", "g1/0"]),
    ({"kinds": frozenset()}, []),
    ({"permission": "age"}, ["g1/3"]),
    ({"permission": "delivery", "kinds": frozenset({"admitted"})}, ["g1/2", "g2/1", "g1/1"]),
    ({"field": b'"name"'}, ["g2/1", "g1/1"]),
    ({"field": b'"address.postalCode"'}, ["g2/1"]),
    ({"field": b'"email"'}, ["g1/3"]),  # not the permission of that name
    ({"field": b'"count"'}, []),
    ({"field": b'"kind"'}, []),
    ({"field": b'"postalCode"'}, []),
    ({"field": b'"name"', "grants": frozenset({"g1"})}, ["g1/1"]),
    ({"field": b'"name"', "kinds": frozenset({"changed"})}, []),
]


def named(found: tuple[tuple[str, EntryRow], ...]) -> list[str]:
    return [f"{grant}/{row.n}" for grant, row in found]


class LookingContract:
    """Tests of single methods; ``store`` has the owners OWNER and OTHER and nothing else."""

    # Entries of all grants

    @pytest.mark.parametrize(("asked", "expected"), SOUGHT)
    @pytest.mark.asyncio
    async def test_entries_come_newest_first_as_they_are_sought(
        self, store: Store, asked: dict[str, Any], expected: list[str]
    ) -> None:
        await store.write(write_entries)
        found = await store.read(call("activity", OWNER, EntriesSought(**asked), limit=9, most=99))
        assert named(found.entries) == expected
        assert found.rest is None

    @pytest.mark.parametrize(("asked", "expected"), SOUGHT)
    @pytest.mark.parametrize("limit", [1, 2, 3])
    @pytest.mark.asyncio
    async def test_pages_go_on_where_the_one_before_ended(
        self, store: Store, asked: dict[str, Any], expected: list[str], limit: int
    ) -> None:
        await store.write(write_entries)
        seen: list[str] = []
        before: Place | None = None
        for n in range(9):
            found = await store.read(
                call("activity", OWNER, EntriesSought(**asked), before=before, limit=limit, most=2)
            )
            seen += named(found.entries)
            before = found.rest
            if before is None:
                break
            late = entry(4 + n, time_us=T0 + 90 + n, body=body(FIELDS[0]))  # comes before what was given
            await store.write(call("add_entry", OWNER, "g1", late, ()))
        assert seen == expected

    @pytest.mark.asyncio
    async def test_a_field_is_sought_in_so_many_entries_and_no_more(self, store: Store) -> None:
        await store.write(write_entries)
        sought = EntriesSought(field=b'"address.postalCode"')
        # Of those that could name one: g1/3, g1/2, g2/1, g1/1.
        for most, expected, looked, rest in (
            (1, [], 1, Place(T0 + 6, "g1", 3)),
            (3, ["g2/1"], 3, Place(T0 + 2, "g2", 1)),
            (4, ["g2/1"], 4, Place(T0 + 2, "g1", 1)),
            (5, ["g2/1"], 4, None),
        ):
            found = await store.read(call("activity", OWNER, sought, limit=9, most=most))
            assert (named(found.entries), found.looked, found.rest) == (expected, looked, rest), most

    @pytest.mark.parametrize(("asked", "expected"), SOUGHT)
    @pytest.mark.asyncio
    async def test_what_is_counted_is_what_is_listed(
        self, store: Store, asked: dict[str, Any], expected: list[str]
    ) -> None:
        await store.write(write_entries)
        sought = EntriesSought(**{"after_us": T0, **asked})
        counts, _ = await store.read(call("activity_counts", OWNER, sought, width_us=2, most=99))
        found = await store.read(call("activity", OWNER, sought, limit=9, most=99))
        assert sum(one.entries for one in counts) == len(expected)
        places = {(row.time_us - sought.after_us) // 2 for _, row in found.entries}
        assert {one.bucket for one in counts} == places
        assert {(one.grant, one.kind) for one in counts} == {
            (grant, row.kind) for grant, row in found.entries
        }
        if counts:
            assert max(one.last_us for one in counts) == found.entries[0][1].time_us

    @pytest.mark.asyncio
    async def test_counts_by_field_are_of_the_newest(self, store: Store) -> None:
        await store.write(write_entries)
        sought = EntriesSought(after_us=T0, field=b'"name"')
        for most, entries, looked in ((2, 0, 2), (3, 1, 3), (9, 2, 4)):
            counts, found = await store.read(call("activity_counts", OWNER, sought, width_us=99, most=most))
            assert (sum(one.entries for one in counts), found) == (entries, looked)

    @pytest.mark.asyncio
    async def test_readers_are_counted_by_who_may_see_what_they_did(self, store: Store) -> None:
        await store.write(write_entries)
        shop, both = ("did:key:zShop",), ("did:key:zShop", "did:key:zP")
        found = await store.read(call("readers", OWNER, "g1", first=0))
        assert sorted(found) == [ReaderRow(shop, 2, T0 + 4), ReaderRow(both, 1, T0 + 6)]
        assert await store.read(call("readers", OWNER, "g1", first=3)) == [ReaderRow(both, 1, T0 + 6)]
        assert await store.read(call("readers", OWNER, "g9", first=0)) == []

    @pytest.mark.asyncio
    async def test_fields_that_were_read_are_counted_by_grant_reader_and_time(self, store: Store) -> None:
        await store.write(write_entries)
        shop, both = ("did:key:zShop",), ("did:key:zShop", "did:key:zP")
        one, two, three = b'["name"]', b'["name","address.postalCode"]', b'["email"]'
        await store.write(call("add_entry", OWNER, "g1", entry(4, time_us=T0 + 7, body=body(FIELDS[2])), ()))
        await store.write(call("add_entry", OWNER, "g1", entry(5, time_us=T0 + 7, body=body(FIELDS[2])), ()))
        everything = [
            FieldsRead(0, "g1", shop, None, 1, T0 + 4),  # erased; no refusal and no change is a read
            FieldsRead(0, "g1", shop, one, 1, T0 + 2),
            FieldsRead(0, "g2", shop, two, 1, T0 + 2),
            FieldsRead(1, "g1", shop, three, 2, T0 + 7),  # the same fields by the same reader are one
            FieldsRead(1, "g1", both, three, 1, T0 + 6),
        ]

        async def read(
            owner: str = OWNER, *, after: int = 0, width: int = 5, most: int = 99
        ) -> list[FieldsRead]:
            look = call("fields_read", owner, after_us=T0 + after, width_us=width, most=most)
            return sorted(await store.read(look), key=lambda row: (row[:3], row.fields or b""))

        assert await read() == everything
        assert await read(after=6, width=99) == [row._replace(bucket=0) for row in everything[3:]]
        assert await read(after=8) == []
        newest = await read(width=99, most=3)
        assert [(row.seen_by, row.fields, row.entries) for row in newest] == [
            (shop, three, 2),
            (both, three, 1),
        ]
        assert await read(OTHER) == [FieldsRead(0, "g9", shop, one, 1, T0)]

    @pytest.mark.asyncio
    async def test_the_first_entry_is_the_first_of_all_grants(self, store: Store) -> None:
        assert await store.read(call("first_entry_us", OWNER)) is None
        await store.write(write_entries)
        assert await store.read(call("first_entry_us", OWNER)) == T0

    # Records

    @pytest.mark.asyncio
    async def test_records_are_found_by_type_and_by_what_they_are_called(self, store: Store) -> None:
        def write(tx: Transactor) -> None:
            for id_, type_, sought in (
                ("r1", "Person", "zoe"), ("r2", "Order", "book 7"), ("r3", "Person", "ärzte"),
                ("r4", "Person", "ada"), ("r5", "Event", "book club"), ("r6", "Person", "ada"),
            ):  # fmt: skip
                tx.put_record(OWNER, record(id_, type=type_, sought=sought))
            tx.put_record(OTHER, record("r1", type="Person", sought="ada"))

        await store.write(write)
        table: list[tuple[dict[str, Any], list[int]]] = [
            ({}, [1, 2, 3, 4, 5, 6]),
            ({"order": "newest"}, [6, 5, 4, 3, 2, 1]),
            ({"order": "name"}, [4, 6, 2, 5, 1, 3]),
            ({"type": "Person", "order": "newest"}, [6, 4, 3, 1]),
            ({"type": "Person", "order": "name"}, [4, 6, 1, 3]),
            ({"text": "book"}, [2, 5]),
            ({"text": "%"}, []),
            ({"text": "ä"}, [3]),
            ({"text": "a", "type": "Person", "order": "name"}, [4, 6]),
            ({"type": "person"}, []),
        ]
        for asked, expected in table:
            whole = await store.read(call("sought_records", OWNER, RecordsSought(**asked), limit=9))
            assert whole == expected, asked
            seen: list[int] = []
            after: dict[str, Any] = {}
            while True:
                sought = RecordsSought(**asked, **after)
                page = await store.read(call("sought_records", OWNER, sought, limit=2))
                if not page:
                    break
                seen += page
                [last] = await store.read(call("records_at", OWNER, page[-1:]))
                after = {"after": last.n, "after_name": last.sought}
            assert seen == expected, asked
        assert await store.read(call("record_types", OWNER)) == [("Event", 1), ("Order", 1), ("Person", 4)]
        rows = await store.read(call("records_at", OWNER, [5, 99, 1]))
        assert [(row.id, row.sought) for row in rows] == [("r5", "book club"), ("r1", "zoe")]
        assert await store.read(call("records_at", OWNER, [])) == []

    @pytest.mark.asyncio
    async def test_what_a_record_is_found_by_is_filled_in_without_a_write_of_records(
        self, store: Store
    ) -> None:
        await store.write(call("put_record", OWNER, record(sought="before")))
        assert await store.read(call("unnamed_records", OWNER, limit=9)) == []
        before = await store.read(call("owner", OWNER))
        await store.write(call("name_record", OWNER, "r1", "after"))
        await store.write(call("name_record", OTHER, "r1", "never"))
        row = await store.read(call("record", OWNER, "r1"))
        assert row is not None
        assert row.sought == "after"
        assert await store.read(call("owner", OWNER)) == before

    @pytest.mark.asyncio
    async def test_records_are_found_by_the_file_they_came_from(self, store: Store) -> None:
        def write(tx: Transactor) -> None:
            tx.put_record(OWNER, record("r1", document=b'{"digest":"abc"}'))
            tx.put_record(OWNER, record("r2", document=b'{"digest":"def"}'))
            tx.put_record(OTHER, record("r3", document=b'{"digest":"abc"}'))

        await store.write(write)
        assert [row.id for row in await store.read(call("from_source", OWNER, "abc"))] == ["r1"]

    # Requests and relationships

    @pytest.mark.asyncio
    async def test_requests_are_listed_without_what_they_ask_for(self, store: Store) -> None:
        def write(tx: Transactor) -> None:
            tx.add_relationship(OWNER, relationship("rel-1", name="One"), created_us=T0)
            tx.add_relationship(
                OWNER, relationship("rel-2", name="Two", vendor="did:key:zTwo"), created_us=T0 + 1
            )
            tx.add_request(OWNER, request("q1", relationship="rel-1"))
            tx.add_request(OWNER, request("q2", relationship="rel-2", received_us=T0 + 1))

        await store.write(write)
        one = RequestHead("q1", "waiting", T0, "did:key:zShop", "One")
        two = RequestHead("q2", "waiting", T0 + 1, "did:key:zTwo", "Two")
        assert await store.read(call("request_heads", OWNER)) == [two, one]
        assert await store.read(call("request_heads", OTHER)) == []
        assert [row.id for row in await store.read(call("relationships", OWNER))] == ["rel-2", "rel-1"]
        assert await store.read(call("relationships", OTHER)) == []

    @pytest.mark.asyncio
    async def test_an_erased_relationship_leaves_nothing_and_takes_nothing_else(self, store: Store) -> None:
        def write(tx: Transactor) -> None:
            for n in ("1", "2"):
                grant, asked = f"g{n}", f"q{n}"
                tx.add_invitation(OWNER, invitation(f"i{n}"))
                tx.add_request(OWNER, request(asked, relationship=f"rel-g{n}"))
                tx.use_invitation(OWNER, f"i{n}", asked)
                add_grant(tx, grant, request=asked)
                tx.add_draft(OWNER, draft(f"d{n}", subject=grant))
                tx.add_draft(OWNER, draft(f"a{n}", subject=asked))
                tx.add_entry(OWNER, grant, entry(), [(4, 0, b"node")])
                tx.add_event(OWNER, grant, permission=None, due_us=T0)
                tx.add_statement(OWNER, grant, STATEMENT)
                tx.replace_pins(OWNER, grant, {("delivery", 0): frozenset({"r1"})})
            tx.add_invitation(OWNER, invitation("i3"))
            tx.add_grant(add_grant(tx, "g0")._replace(grant="g3", relationship="rel-g1"), b"")

        def look(reader: Reader, n: str) -> list[Any]:
            grant = f"g{n}"
            return [
                reader.standing(OWNER, grant), reader.versions(OWNER, grant), reader.entries(OWNER, grant, limit=9),
                reader.events(OWNER, grant), reader.statements(OWNER, grant), dict(reader.pins(OWNER, grant)),
                reader.hashes(OWNER, grant, 4, 0, 9), reader.request(OWNER, f"q{n}"), reader.draft(OWNER, f"d{n}"),
                reader.draft(OWNER, f"a{n}"), reader.invitation(OWNER, f"i{n}"),
                reader.relationship(OWNER, f"rel-g{n}"),
                *(reader.owner_of(kind, id_ + n) for kind, id_ in
                  (("grant", "g"), ("request", "q"), ("invitation", "i"))),
            ]  # fmt: skip

        await store.write(write)
        told: list[frozenset[str]] = []
        store.on_commit(told.append)
        kept = await store.read(lambda reader: look(reader, "2"))
        assert await store.write(call("erase_relationship", OTHER, "rel-g1")) == []
        assert all(await store.read(lambda reader: look(reader, "1")))
        assert sorted(await store.write(call("erase_relationship", OWNER, "rel-g1"))) == ["g1", "g3"]
        assert not any(await store.read(lambda reader: look(reader, "1")))
        assert await store.read(lambda reader: look(reader, "2")) == kept
        assert await store.read(call("owner_of", "invitation", "i3")) == OWNER
        assert await store.read(call("owner_of", "grant", "g3")) is None
        assert [grants for grants in told if grants] == [frozenset({"g1", "g3"})]

    @pytest.mark.asyncio
    async def test_a_store_says_what_it_takes(self, store: Store) -> None:
        before = await store.size()
        await store.write(call("put_record", OWNER, record(document=bytes(300_000))))
        after = await store.size()
        assert after.file - before.file > 250_000
        assert 0 <= after.free <= after.file
        await store.write(call("delete_record", OWNER, "r1"))
        assert (await store.size()).free >= 250_000
