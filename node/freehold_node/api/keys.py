"""What handlers find in the application, by typed keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from ..backup import Backups
from ..gate import Gate
from ..inbox import Inbox
from ..inspection import Inspection
from ..origins import Origins
from ..records import Records
from ..relations import Relations

GATE = web.AppKey("gate", Gate)
INBOX = web.AppKey("inbox", Inbox)
RELATIONS = web.AppKey("relations", Relations)
RECORDS = web.AppKey("records", Records)
INSPECTION = web.AppKey("inspection", Inspection)
BACKUPS = web.AppKey("backups", Backups)
ORIGINS = web.AppKey("origins", Origins)
OWNER = web.AppKey("owner", str)
CheckPassphrase = Callable[[str], Awaitable[None]]
CHECK_PASSPHRASE: web.AppKey[CheckPassphrase] = web.AppKey("check_passphrase")
