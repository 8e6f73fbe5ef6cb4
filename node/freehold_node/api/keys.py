"""What handlers find in the application, by typed keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from ..activity import Activity
from ..audit import Audit
from ..backup import Backups
from ..custody import Custody
from ..devices import Devices
from ..export import Exports
from ..gate import Gate
from ..inbox import Inbox
from ..inspection import Inspection
from ..lists import Lists
from ..origins import Origins
from ..passkeys import Passkeys
from ..records import Records
from ..relations import Relations
from ..revocations import Revocations
from ..sample_removal import Samples
from ..streams import Streams
from ..today import Today
from ..vendor_keys import VendorKeys

GATE = web.AppKey("gate", Gate)
INBOX = web.AppKey("inbox", Inbox)
RELATIONS = web.AppKey("relations", Relations)
REVOCATIONS = web.AppKey("revocations", Revocations)
RECORDS = web.AppKey("records", Records)
AUDIT = web.AppKey("audit", Audit)
INSPECTION = web.AppKey("inspection", Inspection)
VENDOR_KEYS = web.AppKey("vendor_keys", VendorKeys)
STREAMS = web.AppKey("streams", Streams)
BACKUPS = web.AppKey("backups", Backups)
ORIGINS = web.AppKey("origins", Origins)
LISTS = web.AppKey("lists", Lists)
ACTIVITY = web.AppKey("activity", Activity)
TODAY = web.AppKey("today", Today)
EXPORTS = web.AppKey("exports", Exports)
SAMPLES = web.AppKey("samples", Samples)
DEVICES = web.AppKey("devices", Devices)
PASSKEYS = web.AppKey("passkeys", Passkeys)
CUSTODY = web.AppKey("custody", Custody)
OWNER = web.AppKey("owner", str)
MakeLink = Callable[[], tuple[str, int]]
"""Makes a one-time link; returns its URL, and when it was made in microseconds since 1970."""
LINKS: web.AppKey[MakeLink] = web.AppKey("links")
CheckPassphrase = Callable[[str], Awaitable[None]]
CHECK_PASSPHRASE: web.AppKey[CheckPassphrase] = web.AppKey("check_passphrase")

WhenLost = Callable[[], None]
WHEN_LOST: web.RequestKey[WhenLost] = web.RequestKey("when_lost")
"""In a request whose handler wants to be told that its connection is gone: what to call then."""
