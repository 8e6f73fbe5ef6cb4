"""The keys of the person whose node this is, derived once and kept while the node is unlocked."""

from __future__ import annotations

from functools import lru_cache

from freehold_protocol.keys import RelationshipKeys, SigningKey, record_key


class PersonKeys:
    """Derives what a seed gives; the seed itself is in nothing that is logged or shown."""

    def __init__(self, seed: bytes, *, generation: int) -> None:
        """Take up the seed of 32 bytes and the generation that stands beside the key store."""
        self._seed = seed
        self.generation = generation
        self.records: SigningKey = record_key(seed)
        self._of = lru_cache(maxsize=4096)(self._derive)
        self._tag = lru_cache(maxsize=4096)(self._derive_tag)

    def of(self, relationship: str, key_epoch: int) -> RelationshipKeys:
        """Return the keys of a relationship at a key epoch."""
        return self._of(relationship, key_epoch)

    def _derive(self, relationship: str, key_epoch: int) -> RelationshipKeys:
        return RelationshipKeys.derive(self._seed, relationship, key_epoch=key_epoch)

    def generation_tag(self, relationship: str, key_epoch: int) -> str:
        """Return the mark that every capability of this generation carries on its first link."""
        return self._tag(relationship, key_epoch)

    def _derive_tag(self, relationship: str, key_epoch: int) -> str:
        return self.of(relationship, key_epoch).generation_tag(self.generation)
