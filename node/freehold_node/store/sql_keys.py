"""The keys of vendors and partners with a DID document, in plain SQL."""

from __future__ import annotations

from .rows import KeysRow
from .statement import Execute


class KeysReader:
    """See ``Reader``."""

    _execute: Execute

    def vendor_keys(self, owner: str, relationship: str) -> KeysRow | None:
        rows = self._execute(
            "SELECT vendor, vendor_keys, offered_keys FROM relationship WHERE owner = ? AND id = ?",
            (owner, relationship),
        )
        return KeysRow._make(rows[0]) if rows else None

    def partner_keys(self, owner: str, grant: str) -> list[KeysRow]:
        rows = self._execute(
            "SELECT did, keys, offered FROM partner_key WHERE owner = ? AND grant_id = ? ORDER BY did",
            (owner, grant),
        )
        return [KeysRow._make(row) for row in rows]


class KeysTransactor(KeysReader):
    """See ``Transactor``."""

    def pin_vendor_keys(self, owner: str, relationship: str, keys: str) -> None:
        self._execute(
            "UPDATE relationship SET vendor_keys = ?, offered_keys = '' WHERE owner = ? AND id = ?",
            (keys, owner, relationship),
        )

    def offer_vendor_keys(self, owner: str, relationship: str, keys: str) -> None:
        self._execute(
            "UPDATE relationship SET offered_keys = ? WHERE owner = ? AND id = ?", (keys, owner, relationship)
        )

    def pin_partner_keys(self, owner: str, grant: str, did: str, keys: str, *, seen_us: int) -> None:
        self._execute(
            "INSERT INTO partner_key (owner, grant_id, did, keys, seen_us) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (owner, grant_id, did) DO UPDATE SET"
            " keys = excluded.keys, offered = '', seen_us = excluded.seen_us",
            (owner, grant, did, keys, seen_us),
        )

    def offer_partner_keys(self, owner: str, grant: str, did: str, keys: str) -> None:
        self._execute(
            "UPDATE partner_key SET offered = ? WHERE owner = ? AND grant_id = ? AND did = ?",
            (keys, owner, grant, did),
        )
