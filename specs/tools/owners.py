"""JSON Schemas of what the owner's own tools send, and of what they are answered."""

from __future__ import annotations

from typing import Final

from forms import BOOLEAN, LIMITS, STATES, Schema, array, closed, const, number, one_of, ref, text

MAX_FILE_CHARS: Final = 15 * 2**20
MAX_MAPPING_CHARS: Final = 64 * 2**10
_DATA: Final[Schema] = {
    "type": "string",
    "pattern": "^[A-Za-z0-9_-]*$",
    "maxLength": MAX_FILE_CHARS,
    "description": "The file in base64url.",
}
_PASSPHRASE: Final[Schema] = {"type": "string", "description": "The passphrase of the key store, given anew."}
_SKIPPED: Final = array(closed({"where": {"type": "string"}, "reason": {"type": "string"}}))
_FILLS: Final = closed({"adds": array(ref("#term")), "keeps": array(ref("#term"))})
_LABEL: Final[Schema] = {"type": "string"}
_SELF: Final[Schema] = {"anyOf": [{"type": "null"}, closed({"id": ref("#urn"), "label": _LABEL})]}
_IDS: Final = array(ref("#uuid"), distinct=True)
_WAY_BACK: Final[Schema] = {
    "type": "string",
    "format": "uri",
    "maxLength": LIMITS["MAX_RETURN_CHARS"] + 2 * LIMITS["MAX_TARGET_CHARS"],
    "description": "The page of the request, with what the node adds to its query (HTTP-72).",
}
_USES: Final = ("assertionMethod", "authentication", "capabilityInvocation", "capabilityDelegation")


def _file(*optional: str) -> Schema:
    known: dict[str, Schema] = {
        "mapping": {"type": "string", "maxLength": MAX_MAPPING_CHARS},
        "me": text(300),
        "switch": {"type": "boolean"},
        "passphrase": _PASSPHRASE,
    }
    return closed({"name": text(255), "data": _DATA}, {name: known[name] for name in optional})


def _choice(*times: str) -> Schema:
    permissions = array(ref("permission"), least=1, most=LIMITS["MAX_PERMISSIONS"])
    return closed({"permissions": permissions}, {name: ref("#time") for name in times})


def _change() -> Schema:
    permissions = array(ref("permission"), least=1, most=LIMITS["MAX_PERMISSIONS"])
    says = {"change": one_of(["narrow", "widen"]), "permissions": permissions}
    return {
        "oneOf": [
            closed(says, {"expires": ref("#time")}),
            closed({"change": one_of(["pause", "resume", "rotate", "end"])}),
        ]
    }


def _revocation() -> Schema:
    capability = {"anyOf": [ref("#digest"), ref("#urn")], "description": "Its digest or its id."}
    ways: tuple[dict[str, Schema], ...] = (
        {"partner": ref("#did")},
        {"capability": capability},
        {"permission": ref("#name")},
    )
    return {"oneOf": [closed(way) for way in ways]}


BODIES: Final[dict[str, tuple[str, Schema]]] = {
    "import": (
        "A file to import; `me` says which card is the person, `switch` that it takes the place of the self record.",
        _file("mapping", "me", "switch", "passphrase"),
    ),
    "import-preview": (
        "A file to look into; `me` and `switch` as for the import that is thought of.",
        _file("mapping", "me", "switch"),
    ),
    "table": ("A table for which a mapping is wanted.", _file()),
    "record-new": ("What a new record says.", closed({"content": ref("record-content")})),
    "record-edit": (
        "What a record says from now on, and the CID of the version that was seen.",
        closed({"content": ref("record-content"), "previous": ref("#cid")}),
    ),
    "self": (
        "The record that is about the person.",
        closed({"record": ref("#urn")}, {"passphrase": _PASSPHRASE}),
    ),
    "invitation": ("What the person calls the invitation.", closed({"label": text(120)})),
    "taken-request": ("A request that a browser carried.", closed({"request": ref("access-request")})),
    "approval-draft": ("What the person ticks on a request.", _choice("expires", "notBefore")),
    "approval": (
        "The digest of exactly the draft that was on the screen.",
        closed({"digest": ref("#digest"), "passphrase": _PASSPHRASE}),
    ),
    "refusal": ("Why, if the person says so.", closed({}, {"reason": text(LIMITS["MAX_TEXT"])})),
    "change-draft": ("A change of a grant to draw up.", _change()),
    "change": (
        "The digest of exactly the draft that was on the screen.",
        closed({"digest": ref("#digest")}, {"passphrase": _PASSPHRASE}),
    ),
    "revocation": ("What to take back within a grant.", _revocation()),
    "keys-acceptance": (
        "The digest of exactly the keys that were on the screen.",
        closed({"digest": ref("#digest"), "passphrase": _PASSPHRASE}),
    ),
    "withdrawal": (
        "All grants of one vendor, or everything.",
        {"oneOf": [closed({"vendor": ref("#did")}), closed({"everything": const(True)})]},
    ),
    "origin": (
        "An origin at which grants are reached too; without `grants`, all of them.",
        closed(
            {"origin": ref("#origin"), "passphrase": _PASSPHRASE},
            {"grants": array(ref("#uuid"), least=1, most=1000)},
        ),
    ),
    "passphrase": ("The passphrase and nothing else.", closed({"passphrase": _PASSPHRASE})),
    "new-passphrase": (
        "The passphrase of the key store, and the one that takes its place.",
        closed({"passphrase": _PASSPHRASE, "new": {"type": "string", "minLength": 1, "maxLength": 1024}}),
    ),
    "nothing": ("An object with no members.", closed({})),
}


def _found() -> Schema:
    one = closed(
        {
            "number": ref("#count"),
            "where": {"type": "string"},
            "label": _LABEL,
            "type": ref("#term"),
            "fields": array({"type": "string"}, distinct=True),
            "state": one_of(["new", "changed", "same"]),
            "skipped": _SKIPPED,
        },
        {
            "self": {"const": True},
            "fills": _FILLS,
            "content": ref("record-content"),
            "emails": array({"type": "string"}, least=1),
        },
    )
    return array(one)


def _verified() -> Schema:
    damage = closed({"reason": {"type": "string"}}, {"number": ref("#number")})
    one = closed(
        {
            "grant": ref("#uuid"),
            "vendor": text(120),
            "status": one_of(["intact", "erased", "damaged"]),
            "entries": ref("#number"),
            "damaged": array(damage),
        }
    )
    records = closed({"checked": ref("#number"), "damaged": array(ref("#urn"))})
    return closed({"intact": BOOLEAN, "grants": array(one), "records": records})


def _status() -> Schema:
    clock = closed({"now": ref("#time"), "suspect": BOOLEAN, "wall": ref("#time")})
    return closed(
        {
            "version": {"type": "string"},
            "origins": array(ref("#origin"), least=1),
            "generation": ref("#number"),
            "clock": clock,
            "records": ref("#number"),
            "self": _SELF,
            "requests": closed({"waiting": ref("#number")}),
            "newKeys": ref("#number"),
            "grants": _counts(*STATES),
            "entries": ref("#number"),
            "storage": _counts("database", "free", "log"),
        }
    )


def _counts(*names: str) -> Schema:
    return closed(dict.fromkeys(names, ref("#number")))


def _records() -> Schema:
    one = closed(
        {
            "id": ref("#urn"),
            "type": ref("#term"),
            "label": _LABEL,
            "self": BOOLEAN,
            "changed": ref("#time"),
            "source": {"type": "object"},
        }
    )
    by_name = {"type": "string", "pattern": r"^[0-9]+\.[A-Za-z0-9_-]*$"}
    return closed({"records": array(one, most=1000)}, {"next": {"anyOf": [ref("#count"), by_name]}})


def _paged(name: str, one: Schema, *counted: str) -> Schema:
    return closed({name: array(one, most=200), "counts": _counts(*counted)}, {"next": ref("#uuid")})


def _requests() -> Schema:
    one = ref("owner-request")
    return {
        "oneOf": [closed({"requests": array(one)}), _paged("requests", one, "waiting", "approved", "refused")]
    }


def _grants() -> Schema:
    gives = closed({"permission": ref("#name"), "fields": array({"type": "string"}, distinct=True)})
    line = closed(
        {
            "id": ref("#uuid"),
            "vendor": ref("shown-vendor"),
            "state": ref("#state"),
            "version": ref("#count"),
            "expires": ref("#time"),
            "gives": array(gives),
            "entries": ref("#number"),
        },
        {"lastRead": ref("#time"), "newKeys": const(True)},
    )
    whole = closed({"grants": array(ref("owner-grant"))})
    return {"oneOf": [whole, _paged("grants", line, *STATES)]}


_WHO: Final[dict[str, Schema]] = {"id": ref("#did"), "is": one_of(["vendor", "partner"])}
_DOMAIN: Final[dict[str, Schema]] = {"domain": {"type": "string"}}
_KINDS: Final = ("admitted", "refused", "changed", "received", "erased")
_COUNTED: Final[dict[str, Schema]] = dict.fromkeys(
    ("admitted", "refused", "changed", "other"), ref("#number")
)


def _activity() -> Schema:
    one = closed(
        {
            "grant": ref("#uuid"),
            "number": ref("#number"),
            "vendor": ref("shown-vendor"),
            "time": ref("#time"),
            "kind": one_of(_KINDS),
            "leaf": ref("#digest"),
        },
        {"who": closed(_WHO, _DOMAIN), "entry": ref("ledger-entry"), "salt": ref("#digest")},
    )
    place = {"type": "string", "pattern": r"^[0-9]+\.[0-9]+\.[0-9a-f-]{36}$"}
    return closed({"entries": array(one, most=200)}, {"next": place, "looked": ref("#number")})


def _timeline() -> Schema:
    bucket = closed({"from": ref("#time"), **_COUNTED})
    filled = closed({"bucket": ref("#number"), **_COUNTED})
    busy = closed(
        {
            "grant": ref("#uuid"),
            "vendor": ref("shown-vendor"),
            "last": ref("#time"),
            "buckets": array(filled, least=1, most=120),
            **_COUNTED,
        }
    )
    return closed(
        {
            "after": ref("#time"),
            "before": ref("#time"),
            "width": ref("#count"),
            "buckets": array(bucket, least=1, most=120),
            "busiest": array(busy, most=10),
        },
        {"first": ref("#time"), "looked": ref("#number"), "complete": BOOLEAN},
    )


def _choices() -> Schema:
    grant = closed({"grant": ref("#uuid"), "vendor": ref("shown-vendor"), "state": ref("#state")})
    fields = array({"type": "string"}, most=500, distinct=True)
    return closed(
        {"now": ref("#time"), "grants": array(grant, most=500), "fields": fields}, {"first": ref("#time")}
    )


def _readers() -> Schema:
    one = closed({**_WHO, "reads": ref("#count"), "last": ref("#time")}, _DOMAIN)
    return closed({"readers": array(one), "looked": ref("#number"), "complete": BOOLEAN})


def _today() -> Schema:
    grant = closed(
        {
            "grant": ref("#uuid"),
            "vendor": ref("shown-vendor"),
            "state": one_of(["live", "paused"]),
            "expires": ref("#time"),
        }
    )
    listed = closed({"count": ref("#number"), "grants": array(grant, most=50)})
    reads = closed(
        {
            "vendor": ref("shown-vendor"),
            "grants": _IDS,
            "reads": ref("#number"),
            "refused": ref("#number"),
            "last": ref("#time"),
        }
    )
    of_day = closed(
        {
            "vendor": ref("shown-vendor"),
            "grants": _IDS,
            "fields": array({"type": "string"}, distinct=True),
            "always": array({"type": "string"}, distinct=True),
            "reads": ref("#count"),
            "byPartners": ref("#number"),
            "last": ref("#time"),
        }
    )
    day = closed(
        {
            "day": {"type": "string", "format": "date"},
            "vendors": ref("#count"),
            "reads": array(of_day, least=1, most=50),
        }
    )
    return closed(
        {
            "clock": closed({"now": ref("#time"), "suspect": BOOLEAN, "wall": ref("#time")}),
            "since": ref("#time"),
            "requests": _counts("waiting"),
            **dict.fromkeys(("ending", "newKeys", "restored"), listed),
            "reads": array(reads, most=50),
            "days": array(day, most=7),
            "complete": BOOLEAN,
        }
    )


def _sample() -> Schema:
    there = closed(
        {
            "vendors": array(ref("shown-vendor")),
            "relationships": ref("#number"),
            "grants": _IDS,
            "records": ref("#number"),
        }
    )
    return closed({"sample": {"anyOf": [{"type": "null"}, there]}})


def _keys() -> Schema:
    listed = array(closed({"id": ref("#didKey"), "uses": array(one_of(_USES), distinct=True)}))
    one = closed(
        {"id": ref("#did"), "keys": listed},
        {"offered": listed, "digest": ref("#digest")},
        dependentRequired={"offered": ["digest"], "digest": ["offered"]},
    )
    return closed({"keys": array(one)})


def _origins() -> Schema:
    own = array(ref("#origin"), distinct=True)
    one = closed(
        {
            "grant": ref("#uuid"),
            "vendor": text(120),
            "state": one_of(["live", "paused"]),
            "origins": own,
            "moved": own,
            "reached": own,
        }
    )
    return closed({"origins": own, "grants": array(one)})


def _devices() -> Schema:
    session = closed(
        {
            "id": ref("#uuid"),
            "device": {"type": "string"},
            "since": ref("#time"),
            "seen": ref("#time"),
            "this": BOOLEAN,
        },
        {"passkey": ref("#uuid")},
    )
    passkey = closed(
        {"id": ref("#uuid"), "name": text(60), "host": {"type": "string"}, "since": ref("#time")},
        {"used": ref("#time")},
    )
    return closed({"sessions": array(session, most=100), "passkeys": array(passkey, most=20)})


def _sheet() -> Schema:
    line = {"type": "string", "pattern": "^[0-9A-HJKMNP-TV-Z]{4}( [0-9A-HJKMNP-TV-Z]{4}){4}$"}
    day = {"type": "string", "format": "date"}
    return closed({"lines": array(line, least=3, most=3), "day": day, "sheet": {"type": "string"}})


_READERS: Final = array(
    closed(
        {
            "grant": ref("#uuid"),
            "vendor": ref("shown-vendor"),
            "permission": ref("#name"),
            "fields": array(ref("#field"), least=1),
        }
    )
)
_DRAFT: Final[dict[str, Schema]] = {"digest": ref("#digest"), "draft": ref("grant-draft")}
TOLD: Final[dict[str, tuple[str, Schema]]] = {
    "status": ("How the node stands.", _status()),
    "preview": (
        "What a file holds; nothing was written.",
        closed(
            {"format": {"type": "string"}, "found": _found(), "skipped": _SKIPPED}, {"passphrase": BOOLEAN}
        ),
    ),
    "mapping": ("A mapping to begin with.", closed({"mapping": {"type": "string"}})),
    "imported": (
        "What an import did.",
        closed(
            {
                **dict.fromkeys(("added", "changed", "same"), ref("#number")),
                "self": _SELF,
                "skipped": _SKIPPED,
            },
            {"fills": _FILLS},
        ),
    ),
    "records": ("A page of the list of records.", _records()),
    "record-types": (
        "How many records there are of each type, the most first.",
        closed(
            {
                "types": array(closed({"type": ref("#term"), "count": ref("#count")})),
                "count": ref("#number"),
            }
        ),
    ),
    "today": ("What waits, what is due, and who read in the last days.", _today()),
    "activity": ("Entries of all ledgers, the newest first.", _activity()),
    "timeline": ("How much happened in each part of a time.", _timeline()),
    "choices": ("By what entries can be sought.", _choices()),
    "readers": ("Who read under a grant, the latest first.", _readers()),
    "link": (
        "A link into the dashboard that works once.",
        closed({"url": {"type": "string", "format": "uri", "maxLength": 400}, "expires": ref("#time")}),
    ),
    "sample": ("What there is of the sample.", _sample()),
    "devices": ("Where the person is signed in, the one seen last first, and their passkeys.", _devices()),
    "signed-out": ("How many sessions were ended.", closed({"ended": ref("#number")})),
    "recovery-sheet": ("The three lines of the code, the day, and the page to print.", _sheet()),
    "sample-removed": (
        "What was erased with the sample.",
        closed({"grants": _IDS, "relationships": ref("#number"), "records": ref("#number")}),
    ),
    "record-written": (
        "A version of a record that now stands.",
        closed({"id": ref("#urn"), "cid": ref("#cid")}),
    ),
    "record-shown": (
        "A record with its earlier versions, the newest first, and who may read it now.",
        closed(
            {
                "record": ref("record"),
                "content": ref("record-content"),
                "cid": ref("#cid"),
                "self": BOOLEAN,
                "history": array(ref("record")),
                "readers": _READERS,
            },
            {"asSelf": _READERS},
        ),
    ),
    "invited": (
        "An invitation to hand out.",
        closed({"url": ref("#url"), "label": text(120), "expires": ref("#time")}),
    ),
    "requests": ("The requests, the newest first; all of them, or a page.", _requests()),
    "approval-drafted": ("What approving would grant.", closed(_DRAFT)),
    "change-drafted": (
        "The version that would come next, and whether that takes the passphrase.",
        closed({**_DRAFT, "passphrase": BOOLEAN}),
    ),
    "grant-standing": (
        "The version that stands now.",
        closed({"grant": ref("#uuid"), "version": ref("#count"), "state": ref("#state")}),
    ),
    "approved": (
        "The grant and, where a browser carried the request, where that goes back to.",
        closed(
            {"grant": ref("#uuid"), "version": ref("#count"), "state": ref("#state")}, {"returnTo": _WAY_BACK}
        ),
    ),
    "way-back": ("Where the browser goes with the decision.", closed({"returnTo": _WAY_BACK})),
    "grants": ("The grants, the newest first; all of them, or a page of them in a line each.", _grants()),
    "revoked": (
        "Whether something was taken back now; with a permission also the state of the grant.",
        closed({"revoked": BOOLEAN}, {"state": ref("#state")}),
    ),
    "ended": ("The grants that ended.", closed({"ended": _IDS})),
    "keys": ("Whose keys are pinned.", _keys()),
    "keys-accepted": ("Whose keys were accepted.", closed({"accepted": ref("#did")})),
    "origins": ("Where each grant is reached.", _origins()),
    "origin-added": (
        "For which grants it was stated now, and which had it already.",
        closed({"origin": ref("#origin"), "added": _IDS, "had": _IDS}),
    ),
    "verified": ("What a check of everything found.", _verified()),
    "clock": ("The time that is trusted from now on.", closed({"now": ref("#time")})),
    "backup-holds": (
        "What a backup's database holds: the header `Freehold-Holds`.",
        closed({"records": ref("#number"), "grants": {"type": "object", "additionalProperties": number()}}),
    ),
}


def owners() -> dict[str, Schema]:
    """Return the schema of each message between the owner's tools and the node, by its name."""
    sent = {f"owner-send-{name}": {"description": said, **schema} for name, (said, schema) in BODIES.items()}
    told = {f"owner-told-{name}": {"description": said, **schema} for name, (said, schema) in TOLD.items()}
    return {**sent, **told}
