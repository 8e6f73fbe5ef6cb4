"""What the OpenAPI description says of each operation: who asks, what is sent and answered, which codes refuse it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

Codes = tuple[str, ...]
Answer = tuple[int, str, str, tuple[str, ...]]
"""Status, what it says, the schema of its body (or a media type, or nothing), its own headers."""

# Every refusal of one kind of caller. What stands with an operation comes on top.
_ANY: Final[Codes] = ("malformed", "duplicate-key", "too-large", "error")
_STORED: Final[Codes] = ("unavailable", "storage-full")
_SIGNED: Final[Codes] = (
    *_ANY, *_STORED, "unsupported", "signature-invalid", "signature-stale", "replayed", "not-found", "clock-suspect",
)  # fmt: skip
_CHAIN: Final[Codes] = (
    "too-deep", "undefined-term", "capability-invalid", "capability-expired", "capability-widened", "wrong-target",
    "wrong-controller", "wrong-action", "revoked", "not-shared",
)  # fmt: skip
_STOPPED: Final[Codes] = ("grant-paused", "grant-ended", "grant-expired")
_ADMISSION: Final[Codes] = (
    *_STOPPED, "grant-not-yet", "outside-hours", "limit-reached", "wrong-purpose", "cursor-stale", "conflict",
)  # fmt: skip
CODES_OF: Final[dict[str, Codes]] = {
    "": _ANY,
    "did": _SIGNED,
    "zcap": (*_SIGNED, *_CHAIN),
    "owner": (*_ANY, *_STORED, "not-authenticated", "replayed", "precondition-failed"),
}
_CONTENT: Final[Codes] = ("too-deep", "undefined-term", "unsupported")
_ASKED: Final[Codes] = (*_CONTENT, "request-incomplete", "widened", "not-found", "not-in-this-state")
TITLES: Final = {
    "open": "Open to everyone",
    "asking": "Asking: a vendor without a grant",
    "reading": "Reading: under a capability",
    "holding": "Holding: how a grant stands, its ledger, renewal and revocation",
    "records": "The owner: records",
    "decisions": "The owner: requests and grants",
    "node": "The owner: the node",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation.

    Attributes:
        signs: Who asks: ``""`` anyone, ``did``, ``zcap`` or ``owner``; several where either will do.
        name: Its id.
        says: In one sentence, what it does.
        more: What else a reader has to know.
        query: Names of parameters beside those of the path.
        sends: Schema of the body.
        answers: Those that are no refusal.
        codes: Of refusals, beside those of everyone who asks so.
        pages: Whether what is sent is a browser's form, and what is answered, refusals too, a page for people.
    """

    method: str
    path: str
    tag: str
    signs: tuple[str, ...]
    name: str
    says: str
    more: str = ""
    query: tuple[str, ...] = ()
    sends: str = ""
    answers: tuple[Answer, ...]
    codes: Codes = ()
    pages: bool = False

    @property
    def refusals(self) -> frozenset[str]:
        """Every code that may refuse it."""
        return frozenset(self.codes).union(*(CODES_OF[one] for one in self.signs or ("",)))


def _ok(schema: str, says: str, *headers: str, status: int = 200) -> tuple[Answer, ...]:
    return ((status, says, schema, headers),)


def _done(says: str, *headers: str) -> tuple[Answer, ...]:
    return ((204, says, "", headers),)


_OPEN: Final = (
    Operation(
        method="GET", path="/.well-known/freehold", tag="open", signs=(), name="discover",
        says="Say which protocol this is and where things are.",
        more="The same bytes for every node of a release.", answers=_ok("discovery", "The versions and templates."),
    ),
    Operation(
        method="GET", path="/healthz", tag="open", signs=(), name="health", says="Say that the node answers.",
        answers=_ok("health", "It does."),
    ),
)  # fmt: skip

_ASKING: Final = (
    Operation(
        method="POST", path="/i/{invitation}", tag="asking", signs=(), name="ask",
        says="Ask for access, at an invitation that the person handed out.",
        more="The body is signed, the message is not. The same request again gets the same answer.",
        sends="access-request", answers=_ok("request-accepted", "It waits for the person.", "Location", status=202),
        codes=("not-found", "too-deep", "undefined-term", "request-incomplete", "unsupported", "signature-invalid",
               "signature-stale", "conflict", "did-unavailable", *_STORED),
    ),
    Operation(
        method="GET", path="/requests/{request}", tag="asking", signs=("did",), name="followRequest",
        says="Tell the vendor who asked how its request stands.",
        more="With an approval come the receipt and a capability. Of a request that a browser carried it is told to "
        "who brings the code.",
        query=("code", "Prefer"),
        answers=_ok("request-status", "How it stands."),
    ),
    Operation(
        method="POST", path="/connect", tag="asking", signs=(), name="connect", pages=True,
        says="Have the person's browser carry a request to their node.",
        more="A vendor's page makes the browser send this. Nothing is written down and nothing fetched before the "
        "person, signed in, goes on from the page that comes.",
        answers=((200, "A page for the person.", "text/html", ()),
                 (307, "The page is at another of the node's addresses; the form goes along.", "", ("Location",))),
        codes=("too-deep", "undefined-term", "unsupported", "request-incomplete", "signature-stale"),
    ),
)  # fmt: skip


def _reading() -> tuple[Operation, ...]:
    made = []
    page = (
        "/g/{grant}/{permission}/records", "Records", "a page of what the permission shows",
        ("fields", "where", "limit", "cursor"), "released-page",
    )  # fmt: skip
    one = (
        "/g/{grant}/{permission}/records/{alias}", "Record", "one record as the permission shows it",
        ("fields",), "released-document",
    )  # fmt: skip
    for path, name, what, query, schema in (page, one):
        for method, verb in (("GET", "read"), ("HEAD", "check")):
            told = (200, f"Signed, {what}.", schema if method == "GET" else "", ("ETag", "Freehold-Entry"))
            same = (304, "It is still what the tag names.", "", ("ETag", "Freehold-Entry"))
            made.append(
                Operation(
                    method=method, path=path, tag="reading", signs=("zcap",), name=verb + name,
                    says=f"Return {what}." if method == "GET" else f"Say whether there is {what}, without it.",
                    more="Every answer with 200 or 304 is an admission: its entry is in the ledger first.",
                    query=(*query, "If-None-Match"), answers=(told, same), codes=_ADMISSION,
                )
            )  # fmt: skip
    return tuple(made)


def _events() -> tuple[Operation, ...]:
    return tuple(
        Operation(
            method="GET", path=path, tag="reading", signs=("zcap",), name=name,
            says="Say when to read again, in server-sent events that hold no data.",
            more="The answer does not end by itself before an hour has passed.", query=("Last-Event-ID",),
            answers=_ok("text/event-stream", "Events: `ready`, `changed`, `grant`, `reset`."), codes=_ADMISSION,
        )
        for path, name in (
            ("/g/{grant}/events", "listenToGrant"), ("/g/{grant}/{permission}/events", "listenToPermission"),
        )
    )  # fmt: skip


_HOLDING: Final = (
    Operation(
        method="GET", path="/g/{grant}", tag="holding", signs=("zcap", "did"), name="showGrant",
        says="Show the vendor its grant, in every state of it.",
        more="The receipt or, with `from`, the versions after that one. No admission.", query=("from",),
        answers=_ok("grant-shown", "The receipt, or what continues it."),
    ),
    Operation(
        method="GET", path="/g/{grant}/{permission}", tag="holding", signs=("zcap",), name="showPermission",
        says="Show a holder how the grant stands for one permission.", answers=_ok("permission-standing", "Signed."),
    ),
    Operation(
        method="POST", path="/g/{grant}/renew", tag="holding", signs=("did",), name="renew",
        says="Give the vendor a fresh capability, from the grant as it stands.",
        answers=_ok("renewal", "The capability."), codes=(*_STOPPED, "did-unavailable"),
    ),
    Operation(
        method="POST", path="/g/{grant}/zcaps/revocations/{capability}", tag="holding", signs=("did", "zcap"),
        name="revokeCapability", says="Revoke or renounce a capability.",
        more="Any controller in its chain may. A ZCAP client invokes the root capability of this URL.",
        sends="capability", answers=_done("It is revoked, for every later read."),
        codes=(*_CHAIN, "conflict"),
    ),
)  # fmt: skip


def _ledger() -> tuple[Operation, ...]:
    made = []
    for base, signs, name in (
        ("/g/{grant}/ledger", ("zcap", "did"), "Grant"),
        ("/g/{grant}/{permission}/ledger", ("zcap",), "Permission"),
    ):
        parts = (
            ("/entries", "listEntriesOf", "List the ledger; of what others did come only leaf hashes.",
             ("first", "limitOfLedger"), "ledger-entries", "A page of entries."),
            ("/entries/{number}", "showEntryOf", "Show one entry with the proof that it is in the ledger.",
             (), "ledger-inclusion", "The entry and its proof."),
            ("/checkpoint", "showCheckpointOf", "Show the signed head of the ledger.",
             ("fromSize",), "checkpoint", "The checkpoint and, with `from`, the proof of consistency."),
        )  # fmt: skip
        for path, verb, says, query, schema, told in parts:
            made.append(
                Operation(
                    method="GET", path=base + path, tag="holding", signs=signs, name=verb + name, says=says,
                    more="Reading the ledger does not grow it.", query=query, answers=_ok(schema, told),
                )
            )  # fmt: skip
    return tuple(made)


def _own(
    method: str, path: str, tag: str, name: str, says: str, answers: tuple[Answer, ...], *codes: str,
    sends: str = "", query: tuple[str, ...] = (), more: str = "",
) -> Operation:  # fmt: skip
    return Operation(
        method=method, path=f"/owner{path}", tag=tag, signs=("owner",), name=name, says=says, more=more,
        query=(*query, "If-Match"), sends=f"owner-send-{sends}" if sends else "", answers=answers, codes=codes,
    )  # fmt: skip


def _told(schema: str, says: str, *headers: str, status: int = 200) -> tuple[Answer, ...]:
    return _ok(f"owner-told-{schema}", says, *headers, status=status)


_RECORDS: Final = (
    _own("POST", "/import/preview", "records", "previewImport", "Show what a file holds; nothing is written.",
         _told("preview", "What was found."), *_CONTENT, "conflict", "not-found", sends="import-preview",
         more="With `me`, whether importing it so takes the passphrase."),
    _own("POST", "/import/mapping", "records", "suggestMapping", "Write a mapping for a table to begin with.",
         _told("mapping", "The mapping."), *_CONTENT, sends="table"),
    _own("POST", "/import", "records", "importFile", "Import what is sound in a file.",
         _told("imported", "What was done."), *_CONTENT, "conflict", "not-found", "passphrase-wrong", sends="import",
         more="It takes the passphrase only where `me` makes another record that of the person, and a live grant would "
         "show more by that."),
    _own("GET", "/records", "records", "listRecords", "List the records.", _told("records", "A page of them."),
         query=("ofType", "q", "order", "afterRecord", "limitOfRecords")),
    _own("GET", "/records/types", "records", "listRecordTypes", "Count the records of each type.",
         _told("record-types", "The types.")),
    _own("POST", "/records", "records", "addRecord", "Add a record that the person wrote.",
         _told("record-written", "The record.", "ETag", status=201), *_CONTENT, sends="record-new"),
    _own("GET", "/records/{record}", "records", "showRecord", "Show a record, its versions, and who may read it.",
         _told("record-shown", "The record.", "ETag"), "not-found"),
    _own("PUT", "/records/{record}", "records", "editRecord", "Write the next version of a record.",
         _told("record-written", "The version that stands now.", "ETag"), *_CONTENT, "not-found", "conflict",
         sends="record-edit"),
    _own("DELETE", "/records/{record}", "records", "deleteRecord", "Delete a record with all its versions.",
         _done("It is gone, also from the file."), "not-found"),
    _own("PUT", "/self", "records", "chooseSelf", "Say which record is about the person.",
         _done("It is this one.", "ETag"), "not-found", "passphrase-wrong", sends="self",
         more="Only where a live grant would show more by it, it takes the passphrase."),
)  # fmt: skip

_DECISIONS: Final = (
    _own("POST", "/invitations", "decisions", "invite", "Make an invitation to hand out.",
         _told("invited", "The invitation.", status=201), sends="invitation"),
    _own("GET", "/requests", "decisions", "listRequests", "List the requests.", _told("requests", "The requests."),
         query=("status", "q", "afterListed", "limitOfList"), more="Without a text, a place and a limit: all of them."),
    _own("POST", "/requests", "decisions", "takeInRequest", "Take in a request that the person's browser carried.",
         _ok("owner-request", "The request; the same again is the same."), *_CONTENT, "request-incomplete",
         "signature-invalid", "signature-stale", "conflict", "did-unavailable", sends="taken-request"),
    _own("GET", "/requests/{request}", "decisions", "showRequest", "Show one request.",
         _ok("owner-request", "The request."), "not-found"),
    _own("POST", "/requests/{request}/draft", "decisions", "draftApproval",
         "Draw up what approving a request would grant.", _told("approval-drafted", "The draft."), *_ASKED,
         sends="approval-draft"),
    _own("POST", "/requests/{request}/approve", "decisions", "approve", "Grant exactly the draft that was shown.",
         _told("approved", "The grant.", "ETag"), "not-found", "not-in-this-state", "draft-changed",
         "passphrase-wrong", sends="approval"),
    _own("POST", "/requests/{request}/refuse", "decisions", "refuse", "Refuse a request.",
         _done("It is refused."), "not-found", "not-in-this-state", sends="refusal"),
    _own("POST", "/requests/{request}/return", "decisions", "sendBack",
         "Say where the browser that carried a request goes with the decision.",
         _told("way-back", "The address, with a new code if it is an approval."), "not-found", "not-in-this-state",
         sends="nothing", more="A code is good for ten minutes, once; a new one takes the place of the one before."),
    _own("GET", "/grants", "decisions", "listGrants", "List the grants.", _told("grants", "The grants."),
         query=("state", "q", "afterListed", "limitOfList"),
         more="Without any parameter: every one whole. With one: a page of them in a line each."),
    _own("GET", "/grants/{grant}", "decisions", "showOwnGrant", "Show one grant with all that belongs to it.",
         _ok("owner-grant-shown", "The grant.", "ETag"), "not-found"),
    _own("POST", "/grants/{grant}/draft", "decisions", "draftChange", "Draw up the next version of a grant.",
         _told("change-drafted", "The draft.", "ETag"), *_ASKED, "conflict", sends="change-draft"),
    _own("POST", "/grants/{grant}/change", "decisions", "changeGrant", "Carry out exactly the draft that was shown.",
         _told("grant-standing", "The version that stands now.", "ETag"), "not-found", "not-in-this-state",
         "draft-changed", "conflict", "passphrase-wrong", sends="change",
         more="Only what adds takes the passphrase. When it is answered, it binds every later read."),
    _own("POST", "/grants/{grant}/revocations", "decisions", "takeBack",
         "Take something back within a grant: from a partner, one capability, or one permission.",
         _told("revoked", "Whether it was taken back now."), "not-found", "not-shared", "not-in-this-state",
         sends="revocation"),
    _own("GET", "/grants/{grant}/keys", "decisions", "showKeys", "Show whose keys are pinned under a grant.",
         _told("keys", "The keys."), "not-found"),
    _own("POST", "/grants/{grant}/keys", "decisions", "acceptKeys", "Pin exactly the keys that were shown.",
         _told("keys-accepted", "Whose they are."), "not-found", "not-in-this-state", "draft-changed",
         "passphrase-wrong", sends="keys-acceptance"),
    _own("GET", "/grants/{grant}/readers", "decisions", "showReaders", "Show who read under a grant, and how often.",
         _told("readers", "The readers."), "not-found"),
    _own("GET", "/grants/{grant}/ledger", "decisions", "listOwnEntries",
         "List a grant's ledger, every entry with its body.", _ok("ledger-entries", "A page of entries."), "not-found",
         query=("first", "limitOfLedger")),
    _own("GET", "/grants/{grant}/ledger/{number}", "decisions", "showOwnEntry",
         "Show one entry with the proof that it is in the ledger.",
         _ok("ledger-inclusion", "The entry and its proof."), "not-found"),
    _own("GET", "/grants/{grant}/ledger/bundle", "decisions", "showBundle",
         "Give a grant's whole ledger, to be verified offline.", _ok("ledger-bundle", "The ledger."), "not-found"),
    _own("POST", "/revocations", "decisions", "withdraw", "End every grant of one vendor, or every grant there is.",
         _told("ended", "The grants that ended."), "not-found", sends="withdrawal"),
)  # fmt: skip

_SOUGHT: Final = ("since", "until", "vendor", "ofGrant", "ofPermission", "field", "outcome")
_NODE: Final = (
    _own("GET", "/status", "node", "showStatus", "Show how the node stands.", _told("status", "How it stands.")),
    _own("GET", "/today", "node", "showToday", "Show what waits, what is due, and who read in the last days.",
         _told("today", "Today.")),
    _own("GET", "/activity", "node", "listActivity", "List what happened under all grants, newest first.",
         _told("activity", "A page of entries."), "not-found", query=(*_SOUGHT, "afterEntry", "limitOfList")),
    _own("GET", "/activity/timeline", "node", "showTimeline", "Count what happened under all grants over a time.",
         _told("timeline", "The counts."), "not-found", query=(*_SOUGHT, "buckets")),
    _own("GET", "/activity/choices", "node", "showChoices", "Show by what entries can be sought.",
         _told("choices", "The choices.")),
    _own("POST", "/export", "node", "exportAll", "Give everything that the node holds about the person, but keys.",
         _ok("application/zip", "The export."), "passphrase-wrong", sends="passphrase"),
    _own("GET", "/sample", "node", "showSample", "Show what there is of the sample.",
         _told("sample", "The sample.")),
    _own("POST", "/sample/remove", "node", "removeSample", "Erase the sample, and nothing else.",
         _told("sample-removed", "What was erased."), "not-found", sends="nothing"),
    _own("GET", "/origins", "node", "listOrigins", "List where each grant is reached.",
         _told("origins", "The origins.")),
    _own("POST", "/origins", "node", "addOrigin", "State that grants are reached at an origin too.",
         _told("origin-added", "For which grants it was stated."), "not-found", "conflict", "passphrase-wrong",
         sends="origin"),
    _own("GET", "/devices", "node", "listDevices", "List where the person is signed in, and their passkeys.",
         _told("devices", "The sessions and passkeys.")),
    _own("DELETE", "/devices/sessions/{session}", "node", "signOut", "End one session.", _done("It is over."),
         "not-found"),
    _own("POST", "/devices/sign-out", "node", "signOutEverywhere", "End every session.",
         _told("signed-out", "How many there were."), sends="nothing",
         more="One-time links that nobody followed open nothing any more either."),
    _own("DELETE", "/devices/passkeys/{passkey}", "node", "forgetPasskey", "Take a passkey no more.",
         _told("signed-out", "How many sessions it had opened; they are over."), "not-found",
         more="What was proved a moment ago counts in no session any more."),
    _own("POST", "/passphrase", "node", "changePassphrase", "Encrypt the keys under another passphrase.",
         _told("signed-out", "How many sessions it ended."), "passphrase-wrong", sends="new-passphrase"),
    _own("POST", "/recovery-sheet", "node", "printSheet", "Give the recovery sheet once more.",
         _told("recovery-sheet", "The sheet."), "passphrase-wrong", sends="passphrase"),
    _own("POST", "/backup", "node", "makeBackup", "Give a backup of the whole node.",
         _ok("application/octet-stream", "The backup.", "Freehold-Holds"), "conflict", "passphrase-wrong",
         sends="passphrase"),
    _own("POST", "/links", "node", "makeLink", "Make a one-time link into the dashboard.",
         _told("link", "The link.", status=201), sends="nothing"),
    _own("POST", "/verify", "node", "verifyAll", "Check every ledger, receipt and record.",
         _told("verified", "What was found."), sends="nothing"),
    _own("POST", "/clock/confirm", "node", "confirmClock", "Trust the clock as it stands.",
         _told("clock", "The time."), "passphrase-wrong", sends="passphrase"),
)  # fmt: skip

OPERATIONS: Final = (
    *_OPEN,
    *_ASKING,
    *_reading(),
    *_events(),
    *_HOLDING,
    *_ledger(),
    *_RECORDS,
    *_DECISIONS,
    *_NODE,
)
