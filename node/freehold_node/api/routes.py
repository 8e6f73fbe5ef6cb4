"""Every route: method, path, handler, and the section of the specification that says what it does.

Fixed segments stand before ``{permission}``; a permission cannot have one of their names.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from aiohttp import web
from freehold_protocol.permission import RESERVED

from . import asking, holding, listening, open_routes, reading
from .owner import (
    accounting,
    connecting,
    custody,
    deciding,
    devices,
    entering,
    granting,
    importing,
    keeping,
    looking,
    moving,
    recording,
    revoking,
    tending,
)

_ID = r"[A-Za-z0-9-]{1,64}"
_NUMBER = r"0|[1-9][0-9]{0,17}"
# No record is called so: else what is done with a record would be a method of /owner/records/types too.
_RECORD = rf"/owner/records/{{record:(?!types(?![A-Za-z0-9-])){_ID}}}"
# What stands in paths already is no permission's name: else /renew would have the methods of a permission too.
_NAME = rf"(?!(?:{'|'.join(sorted(RESERVED))})(?![a-z0-9-]))[a-z0-9-]{{1,40}}"
GRANT: Final = f"/g/{{grant:{_ID}}}"
PERMISSION: Final = f"{GRANT}/{{permission:{_NAME}}}"


class Route(NamedTuple):
    """One row; ``spec`` is an anchor in specs/http.md."""

    method: str
    path: str
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    spec: str


ROUTES: Final = (
    # The first that matches is taken, so what is asked for most stands first.
    Route("GET", f"{PERMISSION}/records", reading.read_records, "reading"),
    Route("GET", f"{PERMISSION}/records/{{alias:z[A-Za-z0-9]{{1,60}}}}", reading.read_records, "reading"),
    Route("GET", "/.well-known/freehold", open_routes.discover, "discovery"),
    Route("GET", "/healthz", open_routes.health, "health"),
    Route("POST", r"/i/{invitation:[A-Za-z0-9_-]{1,64}}", asking.ask, "asking"),
    Route("GET", f"/requests/{{request:{_ID}}}", asking.follow, "asking"),
    Route("GET", GRANT, holding.show_grant, "holders"),
    Route("POST", f"{GRANT}/renew", holding.renew, "renewal"),
    Route(
        "POST",
        f"{GRANT}/zcaps/revocations/{{capability:[A-Za-z0-9%:-]{{1,100}}}}",
        holding.revoke,
        "revocation",
    ),
    *(
        Route("GET", base + path, handler, "ledger")
        for base in (GRANT, PERMISSION)
        for path, handler in (
            ("/ledger/entries", holding.list_entries),
            (f"/ledger/entries/{{number:{_NUMBER}}}", holding.show_entry),
            ("/ledger/checkpoint", holding.show_checkpoint),
        )
    ),
    Route("GET", f"{GRANT}/events", listening.listen, "events"),
    Route("GET", f"{PERMISSION}/events", listening.listen, "events"),
    Route("GET", PERMISSION, holding.show_permission, "holders"),
    Route("GET", "/owner/status", tending.show_status.handle, "owner"),
    Route("POST", "/owner/import/preview", importing.preview_import.handle, "owner"),
    Route("POST", "/owner/import/mapping", importing.suggest_import_mapping.handle, "owner"),
    Route("POST", "/owner/import", importing.import_file.handle, "owner"),
    Route("GET", "/owner/today", looking.show_today.handle, "owner"),
    Route("GET", "/owner/activity", looking.list_activity.handle, "owner"),
    Route("GET", "/owner/activity/timeline", looking.show_timeline.handle, "owner"),
    Route("GET", "/owner/activity/choices", looking.show_choices.handle, "owner"),
    Route("GET", "/owner/records/types", recording.list_record_types.handle, "owner"),
    Route("GET", "/owner/records", recording.list_records.handle, "owner"),
    Route("POST", "/owner/records", recording.add_record.handle, "owner"),
    Route("GET", _RECORD, recording.show_record.handle, "owner"),
    Route("PUT", _RECORD, recording.edit_record.handle, "owner"),
    Route("DELETE", _RECORD, recording.delete_record.handle, "owner"),
    Route("PUT", "/owner/self", recording.choose_self.handle, "owner"),
    Route("POST", "/owner/invitations", deciding.invite.handle, "owner"),
    Route("GET", "/owner/requests", deciding.list_requests.handle, "owner"),
    Route("POST", "/owner/requests", connecting.take_in.handle, "owner"),
    Route("GET", f"/owner/requests/{{request:{_ID}}}", deciding.show_request.handle, "owner"),
    Route("POST", f"/owner/requests/{{request:{_ID}}}/draft", deciding.draft_approval.handle, "owner"),
    Route("POST", f"/owner/requests/{{request:{_ID}}}/approve", deciding.approve.handle, "owner"),
    Route("POST", f"/owner/requests/{{request:{_ID}}}/refuse", deciding.refuse.handle, "owner"),
    Route("POST", f"/owner/requests/{{request:{_ID}}}/return", connecting.send_back.handle, "owner"),
    Route("GET", "/owner/grants", granting.list_grants.handle, "owner"),
    Route("GET", f"/owner/grants/{{grant:{_ID}}}", granting.show_grant.handle, "owner"),
    Route("POST", f"/owner/grants/{{grant:{_ID}}}/draft", granting.draft_change.handle, "owner"),
    Route("POST", f"/owner/grants/{{grant:{_ID}}}/change", granting.change_grant.handle, "owner"),
    Route("POST", f"/owner/grants/{{grant:{_ID}}}/revocations", revoking.revoke.handle, "owner"),
    Route("GET", f"/owner/grants/{{grant:{_ID}}}/keys", granting.show_keys.handle, "owner"),
    Route("POST", f"/owner/grants/{{grant:{_ID}}}/keys", granting.accept_keys.handle, "owner"),
    Route("GET", f"/owner/grants/{{grant:{_ID}}}/readers", looking.show_readers.handle, "owner"),
    Route("GET", f"/owner/grants/{{grant:{_ID}}}/ledger", accounting.list_entries.handle, "owner"),
    Route("GET", f"/owner/grants/{{grant:{_ID}}}/ledger/bundle", accounting.show_bundle.handle, "owner"),
    Route(
        "GET",
        rf"/owner/grants/{{grant:{_ID}}}/ledger/{{number:{_NUMBER}}}",
        accounting.show_entry.handle,
        "owner",
    ),
    Route("POST", "/owner/revocations", revoking.revoke_all.handle, "owner"),
    Route("GET", "/owner/origins", moving.list_origins.handle, "owner"),
    Route("POST", "/owner/origins", moving.add_origin.handle, "owner"),
    Route("GET", "/owner/devices", devices.list_devices.handle, "owner"),
    Route("DELETE", f"/owner/devices/sessions/{{session:{_ID}}}", devices.sign_out.handle, "owner"),
    Route("POST", "/owner/devices/sign-out", devices.sign_out_everywhere.handle, "owner"),
    Route("DELETE", f"/owner/devices/passkeys/{{passkey:{_ID}}}", devices.forget_passkey.handle, "owner"),
    Route("POST", "/owner/passphrase", custody.change_passphrase.handle, "owner"),
    Route("POST", "/owner/recovery-sheet", custody.print_sheet.handle, "owner"),
    Route("POST", "/owner/backup", moving.make_backup.handle, "owner"),
    Route("POST", "/owner/export", keeping.export_all.handle, "owner"),
    Route("GET", "/owner/sample", keeping.show_sample.handle, "owner"),
    Route("POST", "/owner/sample/remove", keeping.remove_sample.handle, "owner"),
    Route("POST", "/owner/links", entering.make_link.handle, "owner"),
    Route("POST", "/owner/verify", tending.verify_all.handle, "owner"),
    Route("POST", "/owner/clock/confirm", tending.confirm_clock.handle, "owner"),
)
