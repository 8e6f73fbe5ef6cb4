"""The rows of ``specs/node/parity.md``: what a person can do, by which operations, commands and pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_NO_NODE: Final = "there is no node yet that could be asked"
_BROWSER: Final = (
    "about one browser and who sits at it; a command is let in by a file that only they can read"
)
_SHOWN: Final = "pages are for people; a record, a receipt, a ledger and an export come as files there"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One thing that a person can do.

    Attributes:
        what: In a few words.
        operations: Their ids in specs/openapi.json.
        commands: With the options that matter here: ``freehold revoke --partner``.
        pages: Method and path: ``POST /my/relationships/{grant}/pause``.
        no_operation: Why there is no operation; said only where there is none.
        no_command: Likewise.
        no_page: Likewise.
    """

    what: str
    operations: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    no_operation: str = ""
    no_command: str = ""
    no_page: str = ""


_BEGINNING: Final = (
    Row(
        what="Make a node: its keys, and the recovery sheet that brings them back",
        no_operation=_NO_NODE,
        commands=("freehold init", "freehold init --sheet", "freehold serve"),
        pages=(
            "GET /my/start/{link}", "POST /my/start", "POST /my/start/passphrase", "POST /my/start/sheet",
        ),
    ),
    Row(
        what="Make the keys of a recovery sheet again",
        no_operation=_NO_NODE,
        commands=("freehold init --recover",),
        pages=("POST /my/start/recover",),
    ),
    Row(
        what="Bring a backup back",
        no_operation="the node that it replaces has to stand still",
        commands=("freehold restore",),
        pages=("POST /my/start/backup",),
    ),
    Row(
        what="Bring a backup back over a node that there is, and keep that one beside it",
        no_operation="the node that it replaces has to stand still",
        commands=("freehold restore --keep",),
        no_page="the pages are the node's that is replaced",
    ),
    Row(
        what="Run the node, and say where it is reached",
        no_operation="it starts what carries operations out",
        commands=(
            "freehold serve --port", "freehold serve --host", "freehold serve --origin",
            "freehold serve --allow-private-hosts", "freehold serve --open", "freehold serve --no-browser",
        ),
        no_page="it starts what makes the pages",
    ),
    Row(
        what="Try it all with a sample shop",
        no_operation="it starts a node, and the sample's programs beside it",
        commands=(
            "freehold demo", "freehold demo --no-browser", "freehold demo --folder", "freehold demo --keep",
            "freehold demo --port", "freehold demo --play", "freehold demo --exit", "freehold demo --vcard",
            "freehold demo --me", "freehold demo --ask", "freehold demo --give", "freehold demo --narrow",
            "freehold demo --courier",
        ),
        no_page="it starts what makes the pages",
    ),
    Row(
        what="Make a link into the pages that works once",
        operations=("makeLink",),
        commands=("freehold dashboard", "freehold dashboard --open"),
        no_page="who could see it there is in already",
    ),
    Row(
        what="Sign in with such a link, the passphrase or a passkey",
        no_operation=_BROWSER,
        no_command=_BROWSER,
        pages=(
            "GET /my/enter/{link}", "POST /my/enter/link", "POST /my/enter", "POST /my/enter/passkey/begin",
            "POST /my/enter/passkey",
        ),
    ),
    Row(
        what="Prove again with a passkey who one is",
        no_operation=_BROWSER,
        no_command="a command takes the passphrase each time",
        pages=("POST /my/passkeys/begin", "POST /my/passkeys/prove"),
    ),
    Row(
        what="Sign this browser out",
        no_operation=_BROWSER,
        no_command="every session, this one too, is ended by `freehold devices sign-out`",
        pages=("POST /my/sign-out",),
    ),
    Row(
        what="Choose the language of the pages",
        no_operation=_BROWSER,
        no_command="the command line speaks English only",
        pages=("POST /my/language",),
    ),
    Row(
        what="See by itself what is new",
        no_operation="a page that is open is told to look again",
        no_command="a command shows what is there and ends",
        pages=("GET /my/live",),
    ),
    Row(
        what="Have one JSON document for a program, the version, or help in the shell",
        no_operation="about the command line itself",
        commands=(
            "freehold --json", "freehold --version", "freehold --install-completion", "freehold --show-completion",
        ),
        no_page=_SHOWN,
    ),
)  # fmt: skip

_DATA: Final = (
    Row(
        what="Look through the records: by kind, name or age",
        operations=("listRecords", "listRecordTypes"),
        commands=(
            "freehold records", "freehold records --type", "freehold records --search", "freehold records --order",
            "freehold records --types",
        ),
        pages=("GET /my/data", "GET /my/data/kind/{type}"),
    ),
    Row(
        what="Look at a record: where it came from, its earlier versions, who may read it",
        operations=("showRecord",),
        commands=("freehold records show",),
        pages=("GET /my/data/records/{record}",),
    ),
    Row(
        what="Have a record as it was signed",
        operations=("showRecord",),
        commands=("freehold records show --raw",),
        pages=("GET /my/data/records/{record}/download",),
    ),
    Row(
        what="Add a record",
        operations=("addRecord",),
        commands=("freehold records add", "freehold records add --type"),
        pages=("GET /my/data/add", "POST /my/data/add/{type}", "POST /my/data/first"),
    ),
    Row(
        what="Change a record",
        operations=("editRecord",),
        commands=("freehold records set",),
        pages=("POST /my/data/records/{record}/edit",),
    ),
    Row(
        what="Delete a record with all its versions",
        operations=("deleteRecord",),
        commands=("freehold records delete",),
        pages=("POST /my/data/records/{record}/delete",),
    ),
    Row(
        what="Say which record is about oneself",
        operations=("chooseSelf",),
        commands=("freehold records self",),
        pages=("POST /my/data/records/{record}/self", "POST /my/data/first"),
    ),
    Row(
        what="See what is in a file before it is imported",
        operations=("previewImport",),
        commands=("freehold import --preview", "freehold import --all"),
        pages=("POST /my/data/import", "GET /my/data/import/preview"),
    ),
    Row(
        what="Say which column of a table becomes what",
        operations=("suggestMapping", "previewImport"),
        commands=("freehold import --suggest-mapping", "freehold import --mapping"),
        pages=("GET /my/data/import/columns", "POST /my/data/import/columns"),
    ),
    Row(
        what="Import a file, and say which person in it is oneself",
        operations=("importFile", "previewImport"),
        commands=("freehold import", "freehold import --me", "freehold import --switch"),
        pages=("POST /my/data/import/start", "GET /my/data/import/progress", "POST /my/data/first/invented"),
    ),
    Row(
        what="Drop a file that waits to be imported",
        no_operation="nothing of it is with the node's records yet",
        no_command="a command asks before it imports, and leaves nothing that waits",
        pages=("POST /my/data/import/cancel",),
    ),
    Row(
        what="Take everything along in files that anyone can read",
        operations=("exportAll",),
        commands=("freehold export",),
        pages=("POST /my/data/export",),
    ),
)  # fmt: skip

_REQUESTS: Final = (
    Row(
        what="Make an invitation",
        operations=("invite",),
        commands=("freehold invite",),
        pages=("POST /my/requests/invite",),
    ),
    Row(
        what="Take in a request that a vendor's page gave to the browser",
        operations=("takeInRequest",),
        commands=("freehold requests take",),
        pages=("POST /my/connect",),
    ),
    Row(
        what="See who asks before signing in, when a vendor's page sent the browser",
        no_operation=_BROWSER,
        no_command="a command is given the request as a file",
        pages=("POST /connect",),
    ),
    Row(
        what="List the requests: those that wait, and those that were decided",
        operations=("listRequests",),
        commands=("freehold requests", "freehold requests --status", "freehold requests --search"),
        pages=("GET /my/requests",),
    ),
    Row(
        what="Look at a request: who, what, why, until when, and one's own values",
        operations=("showRequest",),
        commands=("freehold requests show",),
        pages=("GET /my/requests/{request}",),
    ),
    Row(
        what="Approve it, whole or in part, after a look at exactly what is given",
        operations=("draftApproval", "approve"),
        commands=("freehold approve", "freehold approve --give"),
        pages=("POST /my/requests/{request}/review", "POST /my/requests/{request}/approve"),
    ),
    Row(
        what="Approve it narrower: later, shorter, less often, for fewer partners, without later records",
        operations=("draftApproval", "approve"),
        commands=(
            "freehold approve --from", "freehold approve --expires", "freehold approve --limit",
            "freehold approve --no-partner", "freehold approve --no-later",
        ),
        pages=("POST /my/requests/{request}/review", "POST /my/requests/{request}/approve"),
    ),
    Row(
        what="Refuse it, with a reason or without",
        operations=("refuse",),
        commands=("freehold refuse", "freehold refuse --reason"),
        pages=("POST /my/requests/{request}/refuse",),
    ),
    Row(
        what="Go back to the vendor's page with the decision",
        operations=("sendBack",),
        commands=("freehold requests return",),
        pages=("POST /my/requests/{request}/return", "POST /my/requests/{request}/refuse"),
    ),
)  # fmt: skip

_CHANGE: Final = ("draftChange", "changeGrant")
_OF_GRANT: Final = "/my/relationships/{grant}"
_RELATIONSHIPS: Final = (
    Row(
        what="List the relationships, by state or name",
        operations=("listGrants",),
        commands=("freehold grants", "freehold grants --state", "freehold grants --search"),
        pages=("GET /my/relationships",),
    ),
    Row(
        what="Look at one: what may be read, until when, partners",
        operations=("showOwnGrant",),
        commands=("freehold grants show",),
        pages=(f"GET {_OF_GRANT}",),
    ),
    Row(
        what="Have what both sides signed",
        operations=("showOwnGrant",),
        commands=("freehold grants show --raw",),
        pages=(f"GET {_OF_GRANT}/receipt",),
    ),
    Row(
        what="See who read: the vendor and each partner, how often, when last",
        operations=("showReaders",),
        commands=("freehold grants readers",),
        pages=(f"GET {_OF_GRANT}",),
    ),
    Row(
        what="Take fields away",
        operations=_CHANGE,
        commands=("freehold narrow", "freehold narrow --drop", "freehold narrow --keep"),
        pages=(f"POST {_OF_GRANT}/boxes",),
    ),
    Row(
        what="Give more of what was asked",
        operations=_CHANGE,
        commands=("freehold widen", "freehold widen --give"),
        pages=(f"POST {_OF_GRANT}/boxes", f"POST {_OF_GRANT}/review"),
    ),
    Row(
        what="Set how often and when it may be read, and whether later records too",
        operations=_CHANGE,
        commands=("freehold narrow --limit", "freehold narrow --no-later", "freehold widen --limit"),
        pages=(f"POST {_OF_GRANT}/limits", f"POST {_OF_GRANT}/review"),
    ),
    Row(
        what="Say to which partners it may be passed on",
        operations=_CHANGE,
        commands=("freehold narrow --no-partner",),
        pages=(f"POST {_OF_GRANT}/boxes", f"POST {_OF_GRANT}/review"),
    ),
    Row(
        what="End it earlier, or later",
        operations=_CHANGE,
        commands=("freehold narrow --expires", "freehold widen --expires"),
        pages=(f"POST {_OF_GRANT}/until", f"POST {_OF_GRANT}/review"),
    ),
    Row(
        what="Pause a relationship",
        operations=_CHANGE,
        commands=("freehold pause",),
        pages=(f"POST {_OF_GRANT}/pause",),
    ),
    Row(
        what="Let it go on",
        operations=_CHANGE,
        commands=("freehold resume",),
        pages=(f"POST {_OF_GRANT}/resume", f"POST {_OF_GRANT}/review"),
    ),
    Row(
        what="Change its keys",
        operations=_CHANGE,
        commands=("freehold rotate",),
        pages=(f"POST {_OF_GRANT}/rotate", f"POST {_OF_GRANT}/review"),
    ),
    Row(
        what="End it for good",
        operations=_CHANGE,
        commands=("freehold end",),
        pages=(f"POST {_OF_GRANT}/end",),
    ),
    Row(
        what="Cut off a partner, one access that was passed on, or a permission",
        operations=("takeBack",),
        commands=("freehold revoke --partner", "freehold revoke --access", "freehold revoke --permission"),
        pages=(f"POST {_OF_GRANT}/cut-off",),
    ),
    Row(
        what="End everything with one vendor",
        operations=("withdraw",),
        commands=("freehold revoke --vendor",),
        pages=(f"POST {_OF_GRANT}/end-all",),
    ),
    Row(
        what="End everything",
        operations=("withdraw",),
        commands=("freehold revoke --everything",),
        pages=("POST /my/relationships/end-everything",),
    ),
    Row(
        what="See and accept new keys of a vendor or partner",
        operations=("showKeys", "acceptKeys"),
        commands=("freehold vendor-keys", "freehold vendor-keys --accept"),
        pages=(f"GET {_OF_GRANT}", f"POST {_OF_GRANT}/keys"),
    ),
)  # fmt: skip

_HAPPENED: Final = (
    Row(
        what="See what waits, what is due, and who read in the last days",
        operations=("showToday",),
        commands=("freehold today",),
        pages=("GET /my/today",),
    ),
    Row(
        what="Look through what was read, refused and changed: by vendor, field and time",
        operations=("listActivity",),
        commands=(
            "freehold activity", "freehold activity --vendor", "freehold activity --field",
            "freehold activity --since", "freehold activity --until", "freehold activity --refused",
            "freehold activity --count",
        ),
        pages=("GET /my/ledger",),
    ),
    Row(
        what="See by what it can be sought: vendors, and fields that were ever given",
        operations=("showChoices",),
        commands=("freehold activity --choices",),
        pages=("GET /my/ledger",),
    ),
    Row(
        what="See what happened under one relationship",
        operations=("listOwnEntries", "listActivity"),
        commands=("freehold ledger", "freehold activity --vendor"),
        pages=(f"GET {_OF_GRANT}", "GET /my/ledger"),
    ),
    Row(
        what="Look at one entry, with the proof that it is in the ledger",
        operations=("showOwnEntry",),
        commands=("freehold ledger --entry",),
        pages=("GET /my/ledger/{grant}/{number}",),
    ),
    Row(
        what="See how much was read when",
        operations=("showTimeline",),
        commands=("freehold activity --timeline",),
        pages=("GET /my/ledger",),
    ),
    Row(
        what="Have a whole ledger as a file that verifies offline",
        operations=("showBundle",),
        commands=("freehold ledger --export",),
        pages=("GET /my/ledger/{grant}/download",),
    ),
    Row(
        what="Check that nothing was altered",
        operations=("verifyAll",),
        commands=("freehold verify",),
        pages=("POST /my/ledger/check",),
    ),
    Row(
        what="Check a ledger in a file, also against checkpoints that were kept",
        no_operation="it takes no node: whoever was given the file can do it",
        commands=("freehold verify --checkpoint",),
        no_page="a check by the node that wrote the file would prove nothing",
    ),
)  # fmt: skip

_NODE: Final = (
    Row(
        what="See how the node stands: version, storage, clock, what it holds",
        operations=("showStatus",),
        commands=("freehold status",),
        pages=("GET /my/settings", "GET /my/settings/recovery"),
    ),
    Row(
        what="Read what the node bounds",
        no_operation="the same in every node of a version",
        no_command="the specification says it: [limits](../limits.md)",
        pages=("GET /my/settings/limits",),
    ),
    Row(
        what="Trust the clock after it jumped",
        operations=("confirmClock",),
        commands=("freehold clock confirm",),
        pages=("POST /my/settings/clock", "POST /my/today/clock"),
    ),
    Row(
        what="See where one is signed in, and one's passkeys",
        operations=("listDevices",),
        commands=("freehold devices",),
        pages=("GET /my/settings/devices",),
    ),
    Row(
        what="End a session",
        operations=("signOut",),
        commands=("freehold devices sign-out",),
        pages=("POST /my/settings/devices/sessions/{session}/sign-out",),
    ),
    Row(
        what="Sign out everywhere",
        operations=("signOutEverywhere",),
        commands=("freehold devices sign-out --everywhere",),
        pages=("POST /my/settings/devices/sign-out",),
    ),
    Row(
        what="Add a passkey",
        no_operation="the browser makes it, at the page's own address",
        no_command="the browser makes it, at the page's own address",
        pages=(
            "POST /my/settings/devices/add", "POST /my/settings/devices/passkeys",
            "POST /my/settings/devices/passkeys/begin",
        ),
    ),
    Row(
        what="Take a passkey no more",
        operations=("forgetPasskey",),
        commands=("freehold devices forget-passkey",),
        pages=("POST /my/settings/devices/passkeys/{passkey}",),
    ),
    Row(
        what="Change the passphrase",
        operations=("changePassphrase",),
        commands=("freehold change-passphrase", "freehold change-passphrase --new-passphrase-file"),
        pages=("POST /my/settings/recovery/passphrase",),
    ),
    Row(
        what="Print the recovery sheet once more",
        operations=("printSheet",),
        commands=("freehold recovery-sheet", "freehold recovery-sheet --sheet"),
        pages=("POST /my/settings/recovery/sheet",),
    ),
    Row(
        what="Make a backup",
        operations=("makeBackup",),
        commands=("freehold backup",),
        pages=("POST /my/settings/backup", "POST /my/data/backup"),
    ),
    Row(
        what="See where vendors reach the node, and whom a change would cut off",
        operations=("listOrigins",),
        commands=("freehold origins",),
        pages=("GET /my/settings/addresses",),
    ),
    Row(
        what="State one more address",
        operations=("addOrigin",),
        commands=("freehold origins add",),
        pages=("POST /my/settings/addresses",),
    ),
    Row(
        what="State it for one relationship only",
        operations=("addOrigin",),
        commands=("freehold origins add --grant",),
        no_page="a page states it for all, which is what moving takes",
    ),
    Row(
        what="Have a file for a vendor that can no longer reach the old address",
        operations=("showOwnGrant",),
        commands=("freehold origins export",),
        pages=(f"GET {_OF_GRANT}/statements",),
    ),
    Row(
        what="See what there is of the sample, and remove it",
        operations=("showSample", "removeSample"),
        commands=("freehold sample", "freehold sample remove"),
        pages=("GET /my/settings/sample", "POST /my/sample/remove"),
    ),
)  # fmt: skip

PARTS: Final = (
    ("Beginning, and getting in", _BEGINNING),
    ("Your data", _DATA),
    ("Requests", _REQUESTS),
    ("Relationships", _RELATIONSHIPS),
    ("What happened", _HAPPENED),
    ("The node", _NODE),
)
