"""Bundle: a whole ledger as a file, and its check offline.

A bundle holds every leaf hash, the entries its holder may see with their salts, the checkpoint that signs them and,
for its owner, the receipt that says whose key that is. Each entry is *intact*, *erased* with notice, *hidden* from
this holder, or *damaged*; the check says which, by number.

Spec: specs/ledger.md#bundles
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from . import form
from .checkpoint import Checkpoint, parse_checkpoint
from .encoding import Document, Json, base64url_encode
from .entry import OPENING, STOPPING, Admitted, Changed, Entry, Erased
from .errors import LedgerError, MalformedError, ReceiptError, RolledBackError, SignatureError
from .keys import PublicKey
from .ledger import entry_leaf
from .merkle import EMPTY, parse_hash
from .receipt import Receipt
from .succession import Succession

TYPE: Final = "LedgerBundle"


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleItem:
    """One leaf, with its entry and salt, or with neither where it was erased or is not for this holder.

    A salt without its entry would let the holder guess what it may not see.
    """

    leaf: bytes
    entry: Document | None = None
    salt: bytes | None = None

    def __post_init__(self) -> None:
        if (self.entry is None) != (self.salt is None):
            raise ValueError("an entry and its salt go together")

    def to_dict(self) -> Document:
        """Return the item as it stands in a bundle."""
        salt = None if self.salt is None else base64url_encode(self.salt)
        return {"entry": self.entry, "salt": salt, "leaf": base64url_encode(self.leaf)}


def make_bundle(
    *,
    origin: str,
    serving: PublicKey,
    checkpoint: str,
    items: Iterable[BundleItem],
    holder: str | None = None,
    receipt: Receipt | None = None,
) -> Document:
    """Return a ledger as a document.

    Args:
        origin: The ledger's.
        serving: The key that signed the checkpoint.
        checkpoint: The note that signs exactly these items.
        items: In the order of their numbers.
        holder: DID of the controller it is made for; None: for the owner, from whom nothing is hidden.
        receipt: The grant's, whose versions name the keys that signed earlier checkpoints.

    Spec: specs/ledger.md#bundles
    """
    bundle: Document = {
        "type": TYPE,
        "origin": origin,
        "servingKey": serving.did,
        "checkpoint": checkpoint,
        "entries": [item.to_dict() for item in items],
    }
    if holder is not None:
        bundle["holder"] = holder
    if receipt is not None:
        bundle["receipt"] = receipt.to_dict()
    return bundle


# Verdicts

Status = Literal["intact", "erased", "hidden", "damaged"]
Damage = Literal[
    "form",  # the item, the entry or the salt is not of its form
    "leaf",  # entry and salt do not give the leaf hash
    "missing",  # no entry of this number is there
    "number",  # the number was there before, or is out of order
    "time",  # before the time of the entry before it
    "order",  # admitted while the grant was not live
    "no-notice",  # the body is gone, and no erased entry says so
    "version",  # it names another version of the grant than the receipt has
    "uncovered",  # after the last entry that the checkpoint signs
]
Fault = Literal[
    "receipt",  # the receipt does not hold, or is not of the grant whose ledger this is
    "key",  # the bundle names another serving key than the one demanded
    "signature",  # the checkpoint is not signed by the serving key, or is another ledger's
    "root",  # the leaves do not give the root that is signed
    "rolled-back",  # an earlier checkpoint is not of a beginning of this ledger
]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryVerdict:
    """What the check found of one entry; ``missing`` stands for all numbers up to and including ``last``."""

    number: int
    status: Status
    damage: Damage | None = None
    last: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleVerdict:
    """What the check found, entry by entry, and of the ledger as a whole.

    ``checkpoint`` is what the bundle's note says: proven only if no fault is found. Whose key ``serving`` is,
    the grant says; ``holder`` is the bundle's own word.
    """

    checkpoint: Checkpoint
    serving: PublicKey
    holder: str | None
    entries: tuple[EntryVerdict, ...]
    faults: tuple[Fault, ...]

    @property
    def status(self) -> Literal["intact", "erased", "damaged"]:
        """The ledger's: damaged by one damage or fault, else erased by one erasure with notice."""
        if self.faults or self.damaged:
            return "damaged"
        return "erased" if any(entry.status == "erased" for entry in self.entries) else "intact"

    @property
    def damaged(self) -> tuple[EntryVerdict, ...]:
        """The entries that are damaged."""
        return tuple(entry for entry in self.entries if entry.status == "damaged")


def verify_bundle(
    bundle: Document,
    *,
    earlier: Sequence[str] = (),
    key: PublicKey | None = None,
    receipt: Receipt | None = None,
) -> BundleVerdict:
    """Return what is intact, erased, hidden and damaged in a bundle.

    Args:
        bundle: As parsed from the file.
        earlier: Checkpoints of this ledger that the verifier kept, as notes.
        key: The serving key that the grant names; None: the one that the receipt names.
        receipt: The verifier's own; None: the one in the bundle. Without any, the bundle's key is taken at its word,
            for every size.

    Raises:
        MalformedError: The bundle or a checkpoint has no such form; damage inside an entry is a verdict.
        UnsupportedError: The bundle names another kind of key.

    Spec: specs/ledger.md#bundles
    """
    form.check_members(
        bundle,
        required=("type", "origin", "servingKey", "checkpoint", "entries"),
        optional=("holder", "receipt"),
    )
    form.constant(bundle["type"], TYPE, "type")
    if not isinstance(bundle["entries"], list):
        raise MalformedError("entries is not an array")
    holder = form.did(bundle["holder"], "holder") if "holder" in bundle else None
    serving = PublicKey.from_did(form.did(bundle["servingKey"], "servingKey"))
    if receipt is None and "receipt" in bundle:
        receipt = Receipt.from_dict(bundle["receipt"])
    head = parse_checkpoint(_note(bundle["checkpoint"]))
    found = [_read_item(item) for item in bundle["entries"]]

    faults: list[Fault] = []
    if receipt is not None and not _holds(receipt, bundle["origin"]):
        faults, receipt = ["receipt"], None
    succession = _succession(receipt, serving, found, is_whole=holder is None)
    if (key is not None and key != serving) or serving not in succession.signers(head.size):
        faults.append("key")
    if not _opens(bundle["checkpoint"], bundle["origin"], Succession(keys=(serving,))):
        faults.append("signature")
    faults.extend(_compare(found, head, earlier, succession))
    return BundleVerdict(
        checkpoint=head,
        serving=serving,
        holder=holder,
        entries=tuple(_judge(found, size=head.size, hides=holder is not None, receipt=receipt)),
        faults=tuple(faults),
    )


def _holds(receipt: Receipt, origin: Json) -> bool:
    try:
        log = receipt.verify().log
    except ReceiptError:
        return False
    return bool(log == origin)


def _succession(
    receipt: Receipt | None, serving: PublicKey, found: Sequence[_Found], *, is_whole: bool
) -> Succession:
    if receipt is None:
        return Succession(keys=(serving,))
    entries = [item.entry for item in found if item.entry is not None]
    return Succession.of(receipt.serving_keys, entries, is_whole=is_whole)


def require_intact(
    bundle: Document,
    *,
    earlier: Sequence[str] = (),
    key: PublicKey | None = None,
    receipt: Receipt | None = None,
) -> BundleVerdict:
    """Return the verdict on a bundle, if nothing in it is damaged; erasures with notice are no damage.

    Raises:
        RolledBackError: All of it holds together, but it does not continue an earlier checkpoint.
        LedgerError: Anything else is damaged; the text names the first entry.
        MalformedError: As verify_bundle.
        UnsupportedError: As verify_bundle.
    """
    verdict = verify_bundle(bundle, earlier=earlier, key=key, receipt=receipt)
    for entry in verdict.damaged:
        raise LedgerError(f"entry {entry.number} is damaged: {entry.damage}")
    if verdict.faults == ("rolled-back",):
        raise RolledBackError("the ledger does not continue an earlier checkpoint")
    if verdict.faults:
        raise LedgerError("the ledger is damaged: " + ", ".join(verdict.faults))
    return verdict


# How a bundle is judged


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """One item as read: ``entry`` only where its leaf is right; ``damage`` is what reading showed already."""

    leaf: bytes | None
    entry: Entry | None = None
    damage: Damage | None = None


def _read_item(item: Json) -> _Found:
    leaf: bytes | None = None
    try:
        form.check_members(item, required=("entry", "salt", "leaf"))
        leaf = parse_hash(item["leaf"])
        if item["entry"] is None and item["salt"] is None:
            return _Found(leaf=leaf)
        if entry_leaf(item["entry"], parse_hash(item["salt"])) != leaf:
            return _Found(leaf=leaf, damage="leaf")
        return _Found(leaf=leaf, entry=Entry.from_dict(item["entry"]))
    except MalformedError:
        return _Found(leaf=leaf, damage="form")


def _judge(
    found: Sequence[_Found], *, size: int, hides: bool, receipt: Receipt | None
) -> Iterator[EntryVerdict]:
    """Yield the verdict on each item in turn, and on each gap between them."""
    notices = {item.entry.erases: item.entry.leaf for item in found if isinstance(item.entry, Erased)}
    number, before_s = 0, 0
    live: bool | None = False  # None: unknown, because what stands before cannot be read
    for item in found:
        entry = item.entry
        if entry is not None and entry.number > number:
            yield EntryVerdict(number=number, status="damaged", damage="missing", last=entry.number - 1)
            number, live = entry.number, None
        if entry is not None and entry.number < number:
            yield EntryVerdict(number=entry.number, status="damaged", damage="number")
            continue
        status: Status = "intact"
        damage = item.damage
        if damage is None and number >= size:
            damage = "uncovered"
        elif entry is not None:
            damage = _out_of_order(entry, before_s=before_s, live=live) or _misnamed(entry, receipt)
        elif damage is None:
            status, damage = _bodiless(item, notices.get(number), hides=hides)
        yield EntryVerdict(number=number, status="damaged" if damage else status, damage=damage)
        before_s = before_s if entry is None else entry.time_s
        live = _live_after(entry, status, live)
        number += 1
    if number < size:
        yield EntryVerdict(number=number, status="damaged", damage="missing", last=size - 1)


def _out_of_order(entry: Entry, *, before_s: int, live: bool | None) -> Damage | None:
    if entry.time_s < before_s:
        return "time"
    if isinstance(entry, Admitted) and live is False:
        return "order"
    return None


def _misnamed(entry: Entry, receipt: Receipt | None) -> Damage | None:
    """Return the damage of a change that names another version than the receipt; a later one it cannot have."""
    if not isinstance(entry, Changed) or receipt is None or entry.version > len(receipt.versions):
        return None
    return None if receipt.versions[entry.version - 1].cid == entry.grant else "version"


def _bodiless(item: _Found, notice: str | None, *, hides: bool) -> tuple[Status, Damage | None]:
    """Return what a leaf without entry is, given what an erased entry says its leaf is, if one does."""
    if notice is not None and item.leaf is not None and notice == base64url_encode(item.leaf):
        return "erased", None
    if hides and notice is None:
        return "hidden", None
    return "damaged", "no-notice"


def _live_after(entry: Entry | None, status: Status, live: bool | None) -> bool | None:
    """Return whether reads may be admitted after an entry; erasing never takes a change away."""
    if entry is None:
        return live if status == "erased" else None
    if isinstance(entry, Changed):
        if entry.change in OPENING:
            return True
        if entry.change in STOPPING:
            return False
    return live


def _compare(
    found: Sequence[_Found], head: Checkpoint, earlier: Sequence[str], succession: Succession
) -> Iterator[Fault]:
    """Yield what is wrong between the leaves and the roots that were signed."""
    kept = [parse_checkpoint(_note(note)) for note in earlier]
    roots = _prefix_roots(found, {head.size, *(checkpoint.size for checkpoint in kept)})
    if roots.get(head.size) != head.root:
        yield "root"
    if not all(
        checkpoint.size <= head.size
        and roots.get(checkpoint.size) == checkpoint.root
        and _opens(note, head.origin, succession)
        for note, checkpoint in zip(earlier, kept, strict=True)
    ):
        yield "rolled-back"


def _prefix_roots(found: Sequence[_Found], sizes: set[int]) -> dict[int, bytes]:
    """Return the root at each of the sizes that the readable leaves reach."""
    tree = EMPTY
    roots = {0: tree.root()}
    for item in found:
        if item.leaf is None:
            break
        tree, _ = tree.append(item.leaf)
        if tree.size in sizes:
            roots[tree.size] = tree.root()
    return roots


def _note(value: Json) -> str:
    if not isinstance(value, str):
        raise MalformedError("a checkpoint is a text")
    return value


def _opens(note: str, origin: Json, succession: Succession) -> bool:
    try:
        succession.verify(note, origin=origin)
    except (LedgerError, SignatureError):
        return False
    return True
