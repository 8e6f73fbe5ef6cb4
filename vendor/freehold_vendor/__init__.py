"""The vendor's client library: ask a person for access, read from their node, check what came, delegate.

Begin with ``Vendor``; ``errors`` says what each error means and what to do about it. ``sync`` is the same without
asyncio, and ``testing`` has persons who are only pretended, for your own tests.
"""

from __future__ import annotations

from freehold_protocol.caveat import CountCaveat, HoursCaveat, PurposeCaveat, RateCaveat
from freehold_protocol.permission import Permission

from . import errors
from .access import Access, Verify
from .ambient import Ambient
from .client import Vendor
from .connecting import ConnectRequest, read_node_address
from .delegation import Delegation
from .errors import OtherBrowserError, ProblemError, RefusedError, UnreachableError, VendorError, problem_of
from .events import Event
from .held import Keeping, KeptInFolder, KeptInMemory
from .identity import VendorIdentity
from .pending import PendingRequest
from .release import Head, Release
from .standing import Standing
from .transport import Sends

__all__ = [
    "Access",
    "Ambient",
    "ConnectRequest",
    "CountCaveat",
    "Delegation",
    "Event",
    "Head",
    "HoursCaveat",
    "Keeping",
    "KeptInFolder",
    "KeptInMemory",
    "OtherBrowserError",
    "PendingRequest",
    "Permission",
    "ProblemError",
    "PurposeCaveat",
    "RateCaveat",
    "RefusedError",
    "Release",
    "Sends",
    "Standing",
    "UnreachableError",
    "Vendor",
    "VendorError",
    "VendorIdentity",
    "Verify",
    "errors",
    "problem_of",
    "read_node_address",
]
