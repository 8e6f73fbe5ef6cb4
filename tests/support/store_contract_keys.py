"""What every store does with the keys of vendors and partners that have a DID document."""

from __future__ import annotations

from operator import methodcaller as call

import pytest
from freehold_node.store.rows import KeysRow
from freehold_node.store.store import Store, Transactor
from store_rows import OTHER, OWNER, T0, add_grant, relationship

WEB = "did:web:shop.example"


class KeysContract:
    """Tests of single methods; ``store`` has the owners OWNER and OTHER and nothing else."""

    @pytest.mark.asyncio
    async def test_keys_of_a_vendor_are_pinned_and_offered(self, store: Store) -> None:
        def write(tx: Transactor) -> None:
            add_grant(tx)
            for owner in (OWNER, OTHER):
                tx.add_relationship(owner, relationship("rel-w", vendor=WEB), created_us=T0)

        await store.write(write)
        look = call("vendor_keys", OWNER, "rel-w")
        assert await store.read(look) == KeysRow(WEB, "", "")
        await store.write(call("pin_vendor_keys", OWNER, "rel-w", "one"))
        assert await store.read(look) == KeysRow(WEB, "one", "")
        await store.write(call("offer_vendor_keys", OWNER, "rel-w", "two"))
        assert await store.read(look) == KeysRow(WEB, "one", "two")
        await store.write(call("offer_vendor_keys", OWNER, "rel-w", ""))
        assert await store.read(look) == KeysRow(WEB, "one", "")
        await store.write(call("offer_vendor_keys", OWNER, "rel-w", "three"))
        await store.write(call("pin_vendor_keys", OWNER, "rel-w", "three"))
        assert await store.read(look) == KeysRow(WEB, "three", "")
        # Nobody else's were touched.
        assert await store.read(call("vendor_keys", OTHER, "rel-w")) == KeysRow(WEB, "", "")
        assert await store.read(call("vendor_keys", OWNER, "rel-g1")) == KeysRow("did:key:zShop", "", "")
        assert await store.read(call("vendor_keys", OWNER, "rel-none")) is None

    @pytest.mark.asyncio
    async def test_a_grant_stands_with_the_keys_that_are_pinned(self, store: Store) -> None:
        def write(tx: Transactor) -> None:
            add_grant(tx)
            tx.pin_vendor_keys(OWNER, "rel-g1", "pinned")
            tx.offer_vendor_keys(OWNER, "rel-g1", "offered")

        await store.write(write)
        found = await store.read(call("standing", OWNER, "g1"))
        assert found.vendor_keys == "pinned"

    @pytest.mark.asyncio
    async def test_keys_of_partners_belong_to_a_grant(self, store: Store) -> None:
        carrier, post = "did:web:carrier.example", "did:web:post.example"

        def write(tx: Transactor) -> None:
            add_grant(tx)
            add_grant(tx, "g2")
            tx.pin_partner_keys(OWNER, "g1", post, "p", seen_us=T0)
            tx.pin_partner_keys(OWNER, "g1", carrier, "c", seen_us=T0)
            tx.pin_partner_keys(OWNER, "g2", carrier, "c2", seen_us=T0)

        await store.write(write)
        look = call("partner_keys", OWNER, "g1")
        assert await store.read(look) == [KeysRow(carrier, "c", ""), KeysRow(post, "p", "")]
        await store.write(call("offer_partner_keys", OWNER, "g1", carrier, "new"))
        await store.write(call("offer_partner_keys", OWNER, "g1", "did:web:nobody.example", "new"))
        assert await store.read(look) == [KeysRow(carrier, "c", "new"), KeysRow(post, "p", "")]
        await store.write(call("pin_partner_keys", OWNER, "g1", carrier, "new", seen_us=T0 + 1))
        assert await store.read(look) == [KeysRow(carrier, "new", ""), KeysRow(post, "p", "")]
        assert await store.read(call("partner_keys", OWNER, "g2")) == [KeysRow(carrier, "c2", "")]
        assert await store.read(call("partner_keys", OTHER, "g1")) == []
