"""Entries and bundles of a ledger: what is of the form, and whether a whole ledger holds together.

Spec: specs/ledger.md
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from .encoding import Document, Json, cid, from_base64url, from_multibase, from_xsd_time
from .keys import public_of
from .merkle import Checkpoint, leaf_hash, open_checkpoint, root_hash

CHANGES: Final = (
    "approve", "narrow", "widen", "pause", "resume", "rotate", "end", "expire", "revoke", "record-deleted",
    "vendor-keys", "move", "restore",
)  # fmt: skip
_STOPS: Final = ("pause", "end", "expire")
_URN: Final = re.compile(r"urn:uuid:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_PATH: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:\.[A-Za-z][A-Za-z0-9]*)*")
_ROUTE: Final = re.compile(r"(?:/(?:[a-z]+|\{[a-z]+\}))+")
_CID: Final = re.compile(r"bagaaiera[a-z2-7]{52}")
_DID: Final = re.compile(r"did:[a-z0-9]+:[A-Za-z0-9._:%-]{1,512}")

Is = Callable[[Json], bool]


def _number(value: Json) -> bool:
    return type(value) is int and value >= 0


def _positive(value: Json) -> bool:
    return _number(value) and value > 0


def _digest(value: Json) -> bool:
    try:
        return isinstance(value, str) and len(from_base64url(value)) == 32
    except ValueError:
        return False


def _time(value: Json) -> bool:
    try:
        return isinstance(value, str) and from_xsd_time(value) is not None
    except ValueError:
        return False


def _hour(value: Json) -> bool:
    return _time(value) and from_xsd_time(value) % 3600 == 0


def _key(value: Json) -> bool:
    try:
        return isinstance(value, str) and "#" not in value and len(public_of(value)) == 32
    except ValueError:
        return False


def _matching(pattern: re.Pattern[str]) -> Is:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _among(*values: Json) -> Is:
    return lambda value: any(value == one and type(value) is type(one) for one in values)


def _several(of: Is, *, least: int, most: int) -> Is:
    return lambda value: isinstance(value, list) and least <= len(value) <= most and all(map(of, value))


def _revoked(value: Json) -> bool:
    return _digest(value) or _matching(_URN)(value) or _matching(_DID)(value)


_CHAIN: Final = _several(_digest, least=1, most=10)
_ALL: Final[Mapping[str, Is]] = {"number": _number, "time": _time}
_MUST: Final[Mapping[str, Mapping[str, Is]]] = {
    "admitted": {
        "who": _key, "chain": _CHAIN, "action": _among("read", "answer", "write"),
        "permission": _matching(_NAME), "route": _matching(_ROUTE), "method": _among("GET", "HEAD", "POST"),
        "fields": _several(_matching(_PATH), least=0, most=1024), "count": _number, "version": _positive,
        "signature": _digest, "released": _digest, "status": _among(200, 304),
    },
    "changed": {
        "change": _among(*CHANGES), "grant": _matching(_CID), "version": _positive, "epoch": _number,
    },
    "refused": {
        "who": _key, "chain": _CHAIN, "code": _matching(_NAME), "hour": _hour, "count": _positive,
    },
    "received": {"who": _key, "acknowledges": _number, "signature": _digest},
    "erased": {"erases": _number, "leaf": _digest},
}  # fmt: skip
_MAY: Final[Mapping[str, Mapping[str, Is]]] = {
    "admitted": {"query": _digest, "repeatOf": _number},
    "refused": {"permission": _matching(_NAME)},
}


def misformed(entry: Json) -> str:
    """Return what is wrong with the form of an entry; nothing if it is of the form of its kind.

    Spec: specs/ledger.md#entries
    """
    if not isinstance(entry, dict):
        return "an entry that is no object"
    kind = str(entry.get("kind"))
    if kind not in _MUST:
        return f"the kind {kind!r}"
    must = {**_ALL, "kind": _among(kind), **_MUST[kind], **_of_change(entry)}
    may = _MAY.get(kind, {})
    if missing := sorted(must.keys() - entry.keys()):
        return f"{kind} without {missing[0]}"
    if strange := sorted(entry.keys() - must.keys() - may.keys()):
        return f"{kind} with {strange[0]}"
    for name, is_of_form in {**may, **must}.items():
        if name in entry and not is_of_form(entry[name]):
            return f"{name} of {kind} is not of its form"
    earlier = [entry[name] for name in ("repeatOf", "acknowledges", "erases") if name in entry]
    return (
        "" if all(one < entry["number"] for one in earlier) else f"{kind} names an entry that is not earlier"
    )


def _of_change(entry: Document) -> Mapping[str, Is]:
    change = entry.get("change") if entry["kind"] == "changed" else None
    if change == "revoke":
        return {"revoked": _revoked}
    return {"statement": _matching(_CID)} if change in ("move", "restore") else {}


def out_of_order(entries: Sequence[Document]) -> Iterator[str]:
    """Yield what is wrong with the order of the bodies of a whole ledger, in words.

    Spec: specs/ledger.md#entries
    """
    stopped, time, version = False, 0, 0
    for number, entry in enumerate(entries):
        if entry["number"] != number:
            yield f"entry {number} says that it is {entry['number']}"
        if from_xsd_time(entry["time"]) < time:
            yield f"entry {number} is before the one before it"
        time = max(time, from_xsd_time(entry["time"]))
        if entry["kind"] == "changed":
            version = entry["version"]
            stopped = entry["change"] in _STOPS or (stopped and entry["change"] != "resume")
        elif entry["kind"] == "admitted":
            if stopped:
                yield f"entry {number} is admitted while the grant was stopped"
            if entry["version"] != version:
                yield f"entry {number} names version {entry['version']} while {version} stood"
    if entries and (entries[0]["kind"], entries[0].get("change")) != ("changed", "approve"):
        yield "the first entry is not that of the approval"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a bundle is: the verdict on each entry, and on the whole."""

    entries: tuple[str, ...]
    whole: tuple[str, ...]

    @property
    def is_intact(self) -> bool:
        return not self.whole and set(self.entries) <= {"intact"}


def judge(bundle: Document, earlier: Checkpoint | None = None) -> Verdict:
    """Judge a bundle; ``earlier`` is a checkpoint that was kept of this ledger.

    Keys that changed are looked up in the receipt, by the entries of their changes.

    Raises:
        ValueError: It is no bundle at all.
        KeyError: Likewise.

    Spec: specs/ledger.md#bundles
    """
    items = bundle["entries"]
    leaves = [from_base64url(item["leaf"]) for item in items]
    whole = []
    try:
        signed = open_checkpoint(bundle["checkpoint"], bundle["servingKey"])
    except ValueError:
        return Verdict(tuple("intact" for _ in items), ("signature",))
    if signed.origin != bundle["origin"]:
        whole.append("signature")
    covered = signed.size
    if covered > len(leaves) or root_hash(leaves[:covered]) != signed.root:
        whole.append("root")
    versions = bundle["receipt"]["versions"] if "receipt" in bundle else []
    if versions and versions[-1]["log"] != bundle["origin"]:
        whole.append("receipt")
    if versions and versions[-1]["servingKey"] != bundle["servingKey"]:
        whole.append("key")
    if earlier and (earlier.size > len(leaves) or root_hash(leaves[: earlier.size]) != earlier.root):
        whole.append("rolled-back")
    cids = {version["version"]: cid(version) for version in versions}
    notices = {
        item["entry"]["erases"]: item["entry"]["leaf"]
        for item in items if item["entry"] and item["entry"].get("kind") == "erased" and _is_of_leaf(item)
    }  # fmt: skip
    verdicts = [
        _verdict(number, item, notices, cids, hidden="holder" in bundle, covered=covered)
        for number, item in enumerate(items)
    ]
    bodies = [item["entry"] for item in items]
    if all(bodies) and (wrong := list(out_of_order(bodies))):
        whole.append("order: " + wrong[0])
    whole += [verdict for verdict in verdicts if verdict.startswith("damaged")]
    return Verdict(tuple(verdicts), tuple(whole))


def _verdict(
    number: int,
    item: Document,
    notices: Mapping[int, str],
    cids: Mapping[int, str],
    *,
    hidden: bool,
    covered: int,
) -> str:
    entry = item["entry"]
    if number >= covered:
        return "damaged: uncovered"
    if entry is None:
        if notices.get(number) == item["leaf"]:
            return "erased"
        return "hidden" if hidden else "damaged: no-notice"
    if misformed(entry):
        return "damaged: form"
    if not _is_of_leaf(item):
        return "damaged: leaf"
    if cids and entry["kind"] == "changed" and cids.get(entry["version"]) != entry["grant"]:
        return "damaged: version"
    return "intact"


def _is_of_leaf(item: Document) -> bool:
    try:
        return leaf_hash(item["entry"], item["salt"]) == from_base64url(item["leaf"])
    except (ValueError, TypeError):
        return False


def is_alias(text: Json) -> bool:
    """Tell whether a text is of the form of an alias: the multibase of 32 bytes.

    Spec: specs/identity.md#aliases
    """
    try:
        return isinstance(text, str) and len(from_multibase(text)) == 32
    except ValueError:
        return False
