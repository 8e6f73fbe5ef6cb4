"""What every store does with statements, further origins and changes of keys."""

from __future__ import annotations

from operator import methodcaller as call

import pytest
from freehold_node.store.store import Store, Transactor
from store_rows import OTHER, OWNER, add_grant, standing


class MovingContract:
    """Tests of single methods; ``store`` has the owners OWNER and OTHER and nothing else."""

    @pytest.mark.asyncio
    async def test_statements_are_given_in_their_order(self, store: Store) -> None:
        await store.write(add_grant)
        assert await store.read(call("statements", OWNER, "g1")) == []
        for document in (b"one", b"two", b"one"):
            await store.write(call("add_statement", OWNER, "g1", document))
        assert await store.read(call("statements", OWNER, "g1")) == [b"one", b"two", b"one"]
        for owner, grant in ((OTHER, "g1"), (OWNER, "g2")):
            assert await store.read(call("statements", owner, grant)) == []

    @pytest.mark.asyncio
    async def test_origins_are_added_with_their_statement(self, store: Store) -> None:
        seen = await store.write(add_grant)
        await store.write(lambda tx: add_grant(tx, "g2"))
        assert seen.moved == ""
        await store.write(call("add_moved", OWNER, "g1", ["https://a.example"], b"one"))
        await store.write(call("add_moved", OWNER, "g1", ["https://b.example", "https://c.example"], b"two"))
        after = await store.read(call("standing", OWNER, "g1"))
        assert after == seen._replace(moved="https://a.example https://b.example https://c.example")
        assert await store.read(call("statements", OWNER, "g1")) == [b"one", b"two"]
        other = await store.read(call("standing", OWNER, "g2"))
        assert other is not None
        assert other.moved == ""

    @pytest.mark.asyncio
    async def test_origins_and_statements_are_said_anew(self, store: Store) -> None:
        await store.write(add_grant)
        await store.write(call("add_moved", OWNER, "g1", ["https://a.example"], b"one"))
        await store.write(call("replace_moved", OTHER, "g1", [], []))
        assert await store.read(call("statements", OWNER, "g1")) == [b"one"]
        await store.write(call("replace_moved", OWNER, "g1", ["https://b.example"], [b"three", b"two"]))
        after = await store.read(call("standing", OWNER, "g1"))
        assert after is not None
        assert after.moved == "https://b.example"
        assert await store.read(call("statements", OWNER, "g1")) == [b"three", b"two"]
        await store.write(call("add_statement", OWNER, "g1", b"four"))
        assert await store.read(call("statements", OWNER, "g1")) == [b"three", b"two", b"four"]
        await store.write(call("replace_moved", OWNER, "g1", [], []))
        assert await store.read(call("standing", OWNER, "g1")) == after._replace(moved="")

    @pytest.mark.asyncio
    async def test_a_grant_says_itself_which_keys_its_version_names(self, store: Store) -> None:
        seen = await store.write(lambda tx: add_grant(tx, key_epoch=3))
        assert seen == standing(key_epoch=3)

        def rotate(tx: Transactor) -> None:
            tx.change_grant(seen._replace(version=2, epoch=2, key_epoch=4), change="rotate", document=b"")

        await store.write(rotate)
        after = await store.read(call("standing", OWNER, "g1"))
        assert after == seen._replace(version=2, epoch=2, key_epoch=4)
        relationship = await store.read(call("relationship", OWNER, seen.relationship))
        assert relationship is not None
        assert relationship.key_epoch == 3
        await store.write(call("set_key_epoch", OWNER, seen.relationship, 4))
        await store.write(call("set_key_epoch", OTHER, seen.relationship, 9))
        relationship = await store.read(call("relationship", OWNER, seen.relationship))
        assert relationship is not None
        assert relationship.key_epoch == 4
        assert await store.read(call("standing", OWNER, "g1")) == after
