"""Where a node keeps everything: one interface, and what implements it."""

from .store import Reader, Store, Transactor

__all__ = ["Reader", "Store", "Transactor"]
