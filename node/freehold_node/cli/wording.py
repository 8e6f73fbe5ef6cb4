"""The words for what documents say: who, until when, what for, what happened. Pure text, for every screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from freehold_protocol import purpose
from freehold_protocol.did_document import domain_of, is_web
from freehold_protocol.encoding import Document, Json
from freehold_protocol.permission import DAYS, Permission
from freehold_protocol.released import leaves

ID_CHARS: Final = 8
_KEY_CHARS: Final = 8
_MAX_VALUES: Final = 3
_MAX_VALUE_CHARS: Final = 60
_UNITS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
_DAY_NAMES: Final = dict(zip(DAYS, ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True))

THE_VENDOR: Final = ""
"""Stands for the vendor where something names a key."""
ONLY_HERE: Final = "Only programs on this computer reach it; see --origin."
_REFUSALS: Final = {
    "not-shared": "not shared",
    "grant-paused": "paused",
    "grant-ended": "the relationship has ended",
    "grant-expired": "the time is over",
    "grant-not-yet": "the time has not begun",
    "outside-hours": "outside the agreed hours",
    "limit-reached": "the agreed number of reads is used up",
    "revoked": "cut off",
    "wrong-target": "not theirs to read",
    "wrong-controller": "no partner that was agreed on",
    "wrong-action": "not an action that was agreed on",
    "capability-expired": "their key's time is over",
    "cursor-stale": "what is shared changed between two pages",
    "not-found": "there is no such thing to read",
    "capability-widened": "more than was passed on to them",
}
_CHANGES: Final = {
    "approve": "you approved",
    "narrow": "you narrowed",
    "widen": "you widened",
    "pause": "you paused",
    "resume": "you resumed",
    "rotate": "you changed the keys",
    "end": "you ended it",
    "expire": "the time ran out",
    "revoke": "cut off",
    "record-deleted": "you deleted a record",
    "vendor-keys": "you accepted new keys",
    "move": "you added an address",
    "restore": "you restored a backup",
}


def short_id(identifier: str) -> str:
    """Return the beginning of an id, which is enough to name it by as long as no other begins so."""
    return identifier.removeprefix("urn:uuid:")[:ID_CHARS]


def local_time(text: str) -> str:
    """Return a dateTime of a document as the clock on the wall has it, to the minute."""
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M")


def plural(count: int, one: str, many: str = "") -> str:
    """Return ``1 record``, ``2 records``."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def size(count_bytes: int) -> str:
    """Return a number of bytes in the unit that suits it."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count_bytes < 10 * 1024 or unit == "GiB":
            break
        count_bytes //= 1024
    return f"{count_bytes} {unit}"


def duration(seconds: int) -> str:
    """Return a duration in the largest unit that divides it."""
    size, name = next((size, name) for size, name in _UNITS if seconds % size == 0)
    return plural(seconds // size, name)


def is_loopback(url: str) -> bool:
    """Whether only programs on this computer reach this URL."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def short_key(identity: str) -> str:
    """Return what a person can tell a partner or vendor by: its domain, or the beginning of its key."""
    if is_web(identity):
        return domain_of(identity)
    return "key " + identity.removeprefix("did:key:")[:_KEY_CHARS]


def who(vendor: Document) -> Iterator[tuple[str, str]]:
    """Yield facts: the vendor's name, and who says that the name is its own."""
    yield "who", vendor["name"]
    if vendor.get("vouched"):
        yield "domain", f"{vendor['domain']}; its keys were found there, the name is its own word"
    else:
        yield "", f"calls itself so; nobody vouches for the name, only {short_key(vendor['id'])} is certain"


def is_called(vendor: Document, text: str | None) -> bool:
    """Whether a vendor has a text in its name or domain, or it as its DID; any, where there is none."""
    said = (vendor["name"], vendor.get("domain", ""))
    return text is None or vendor["id"] == text or any(text.casefold() in one.casefold() for one in said)


def return_text(request: Document) -> str:
    """Return where the browser goes after the decision, and who stands behind that place."""
    page = urlsplit(request["connect"]["returnTo"])
    where = f"your browser goes back to {page.scheme}://{page.netloc}"
    if request["vendor"].get("vouched"):
        return f"{where}, which belongs to {request['vendor']['domain']}"
    return f"{where}; nobody vouches that this is theirs"


VOUCHED: Final = ("vouched by",)
"""The column that says who stands behind a name: of its own, since a name may look like any domain."""


def some_are_vouched(listed: Iterable[Document]) -> bool:
    """Whether a list needs that column."""
    return any(one["vendor"].get("vouched") for one in listed)


def vouching(vendor: Document, *, shown: bool) -> tuple[str, ...]:
    """Return what stands in that column; nothing where it is not shown."""
    return (str(vendor["domain"]) if vendor.get("vouched") else "nobody",) if shown else ()


def partners(permission: Permission) -> str:
    """Return to whom the vendor may pass it on."""
    return ", ".join(map(short_key, permission.recipients)) or "nobody else"


def purposes(permission: Permission) -> str:
    """Return what for."""
    return "; ".join(map(purpose.label, permission.purposes))


def limits(permission: Permission) -> str:
    """Return how often and when; empty if whenever they like."""
    limit = permission.limits
    said = []
    if limit.reads is not None:
        said.append(f"at most {plural(limit.reads, 'read')} in all")
    if limit.rate is not None:
        said.append(f"at most {plural(limit.rate[0], 'read')} in {duration(limit.rate[1])}")
    if limit.hours is not None:
        hours = limit.hours
        days = ", ".join(_DAY_NAMES[day] for day in hours.days)
        said.append(f"{days} {_clock(hours.from_minute)}-{_clock(hours.to_minute)} ({hours.time_zone})")
    return "; ".join(said)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def field_list(permission: Document) -> str:
    """Return ``delivery: name, address.postalCode`` of a permission document."""
    paths = dict.fromkeys(path for item in permission["items"] for path in item["fields"])
    return f"{permission['name']}: {', '.join(paths)}"


def value_text(content: Json, path: str) -> str:
    """Return what a record says at a path; several values one beside the other."""
    found = [str(value) for value in leaves(content, path)]
    if not found:
        return "(nothing)"
    shown = [_shortened(value) for value in found[:_MAX_VALUES]]
    more = len(found) - len(shown)
    return "; ".join(shown) + (f" (and {more} more)" if more else "")


def _shortened(text: str) -> str:
    return text if len(text) <= _MAX_VALUE_CHARS else text[: _MAX_VALUE_CHARS - 3] + "..."


# Ledgers


def entry_row(entry: Document, name_of: Callable[[str], str]) -> tuple[str, str, str, str, str, str]:
    """Return number, time, who, what, fields and outcome of one entry.

    Args:
        entry: As the owner's list has it: ``number``, and ``entry`` unless its body was erased.
        name_of: What the person calls the holder of a key.
    """
    body: Document | None = entry.get("entry")
    number = str(entry["number"])
    if body is None:
        return number, "", "", "(erased)", "", "erased with notice"
    who, what, fields, outcome = _TOLD[body["kind"]](body, name_of)
    return number, local_time(body["time"]), who, what, fields, outcome


_Told = tuple[str, str, str, str]


def _admitted(body: Document, name_of: Callable[[str], str]) -> _Told:
    sent = "nothing new to send" if body["status"] == 304 else "sent " + plural(body["count"], "record")
    outcome = sent + (f", again as entry {body['repeatOf']}" if "repeatOf" in body else "")
    return _actor(body, name_of), f"read {body['permission']}", ", ".join(body["fields"]), outcome


def _changed(body: Document, name_of: Callable[[str], str]) -> _Told:
    change = body["change"]
    who = "the clock" if change == "expire" else "you"
    what = str(_CHANGES.get(change, change))
    revoked = body.get("revoked")
    if revoked is not None:
        what = f"cut off {name_of(revoked)}" if revoked.startswith("did:") else "cut off a passed-on access"
    return who, what, "", f"version {body['version']}"


def _refused(body: Document, name_of: Callable[[str], str]) -> _Told:
    times = "" if body["count"] == 1 else f", {body['count']} times"
    asked = body.get("permission")
    what = f"tried to read {asked}" if asked else "tried to read something not given"
    outcome = f"refused: {_REFUSALS.get(body['code'], body['code'])}{times}"
    return _actor(body, name_of), what, "", outcome


def _actor(body: Document, name_of: Callable[[str], str]) -> str:
    # The first link of a chain is the vendor's, whatever key it had then.
    return name_of(THE_VENDOR if len(body["chain"]) == 1 else body["who"])


def _received(body: Document, name_of: Callable[[str], str]) -> _Told:
    return name_of(body["who"]), "confirmed", "", f"entry {body['acknowledges']} came"


def _erased(body: Document, _: Callable[[str], str]) -> _Told:
    return "you", "erased", "", f"entry {body['erases']} is erased, with notice"


_TOLD: Final[dict[str, Callable[[Document, Callable[[str], str]], _Told]]] = {
    "admitted": _admitted,
    "changed": _changed,
    "refused": _refused,
    "received": _received,
    "erased": _erased,
}


def domains(partners: Iterable[Document]) -> dict[str, str]:
    """Return the domain of each key, a did:key, of partners that have one."""
    return {key: partner["domain"] for partner in partners for key in partner["keys"]}


def names(vendor: Document, partners: Iterable[Document] = ()) -> Callable[[str], str]:
    """Return what to call the holder of a key in a ledger: the vendor by its name, a partner by its domain or key.

    Args:
        vendor: ``id`` and ``name``.
        partners: With a DID document: ``domain`` and ``keys``, each a did:key.
    """
    known = domains(partners)

    def name_of(identity: str) -> str:
        if identity in (THE_VENDOR, vendor["id"]):
            return str(vendor["name"])
        return f"partner {known.get(identity) or short_key(identity)}"

    return name_of
