"""Who the controllers of a chain are, where a DID document says so: by the keys that were pinned.

Nothing is fetched here: this is asked at every read, in the transaction that decides.

Spec: specs/identity.md#pinned-keys
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache

from freehold_protocol.did_document import DidKeys, is_web
from freehold_protocol.errors import ControllerError, RevokedError, TransitionError
from freehold_protocol.keys import PublicKey

from .store.rows import KeysRow, Standing
from .store.store import Reader


@lru_cache(maxsize=2048)
def parsed(text: str) -> DidKeys:
    """Return the keys in a text that was pinned or offered."""
    return DidKeys.from_text(text)


def pinned_keys(row: KeysRow | None) -> DidKeys | None:
    """Return the keys that are pinned; None for a did:key, which says its key itself."""
    return parsed(row.pinned) if row is not None and row.pinned else None


# The vendor


def check_vendor(standing: Standing, controllers: Sequence[PublicKey]) -> None:
    """Check that a chain, which the node issued, begins with a key that is the vendor's still.

    Raises:
        RevokedError: The vendor has other keys now.
        ControllerError: The vendor's document does not let this key delegate.
    """
    if not is_web(standing.vendor):
        return
    if not standing.vendor_keys or not parsed(standing.vendor_keys).controls(controllers[0]):
        raise RevokedError("the vendor has other keys than the one this was issued to")
    if len(controllers) > 1 and not parsed(standing.vendor_keys).controls(controllers[0], delegating=True):
        raise ControllerError("the vendor's DID document does not let this key delegate")


def controller_for(standing: Standing, preferred: PublicKey | None) -> PublicKey:
    """Return the key that a capability for the vendor is issued to: the preferred one, if it is among its keys."""
    if not is_web(standing.vendor):
        return PublicKey.from_did(standing.vendor)
    controllers = parsed(standing.vendor_keys).controllers
    return preferred if preferred is not None and preferred in controllers else controllers[0]


def check_accepted(reader: Reader, standing: Standing) -> None:
    """Check that the vendor has no keys that the person has not accepted. Raises TransitionError."""
    row = reader.vendor_keys(standing.owner, standing.relationship)
    if row is not None and row.offered:
        raise TransitionError("the vendor's keys have changed; accept the new ones first, or end the grant")


# Partners


def seen_partners(reader: Reader, standing: Standing) -> list[KeysRow]:
    """Return the partners with a DID document that were seen and not cut off."""
    revoked = reader.revoked(standing.owner, standing.grant) if standing.revocations else frozenset()
    return [row for row in reader.partner_keys(standing.owner, standing.grant) if row.did not in revoked]


def no_recipients(
    reader: Reader, standing: Standing, recipients: Collection[str], partners: Sequence[PublicKey]
) -> tuple[PublicKey, ...]:
    """Return the partners in a chain that are none of the recipients.

    Args:
        reader: What standing was read with.
        standing: The grant's row.
        recipients: DIDs: a did:key stands for itself, a did:web for the keys that are pinned.
        partners: Who control the links after the vendor's; all but the last have delegated on.
    """
    last = len(partners) - 1
    left = [(key, place < last) for place, key in enumerate(partners) if key.did not in recipients]
    if not left or not any(map(is_web, recipients)):
        return tuple(key for key, _ in left)
    known = [row for row in seen_partners(reader, standing) if row.did in recipients]
    return tuple(
        key for key, delegates in left if not any(_controls(row, key, delegates=delegates) for row in known)
    )


def _controls(row: KeysRow, key: PublicKey, *, delegates: bool) -> bool:
    # What the document has lost counts no more, what it has gained not yet.
    texts = filter(None, (row.pinned, row.offered))
    return all(parsed(text).controls(key, delegating=delegates) for text in texts)


def known_as(reader: Reader, standing: Standing, controllers: Collection[PublicKey]) -> frozenset[str]:
    """Return the DIDs, other than their keys, by which controllers of a chain are known, cut off or not."""
    rows = reader.partner_keys(standing.owner, standing.grant)
    keys = set(controllers)
    return frozenset(row.did for row in rows if not keys.isdisjoint(every_key(row)))


def every_key(row: KeysRow) -> tuple[PublicKey, ...]:
    """Return every key that a row tells of, pinned or offered."""
    return tuple(dict.fromkeys(key for text in (row.pinned, row.offered) if text for key in parsed(text).all))
