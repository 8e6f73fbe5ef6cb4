"""How often, when and for what: the limits of a grant, and those that links to partners add.

A grant's limits count on its rows, whoever reads. A link's caveats count under the link that carries them, so that
delegating it again multiplies nothing. Both are asked in the writer's transaction, and counted in it.

Spec: specs/http.md#admission
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from freehold_protocol import limits
from freehold_protocol.canonical import jcs
from freehold_protocol.capability import Capability
from freehold_protocol.caveat import CountCaveat, HoursCaveat, PurposeCaveat, RateCaveat, write_caveats
from freehold_protocol.delegation import Chain
from freehold_protocol.encoding import Document, format_time
from freehold_protocol.errors import (
    CapabilityError,
    LimitReachedError,
    OutsideHoursError,
    PurposeError,
)
from freehold_protocol.permission import Hours, Permission

from .store.rows import LinkRow, Standing
from .store.store import Reader, Transactor

_US: Final = 1_000_000


def check_limits(reader: Reader, standing: Standing, permission: Permission, now_us: int) -> None:
    """Check what the grant itself allows.

    Raises:
        OutsideHoursError: It is another day or hour.
        LimitReachedError: The number of reads, in all or for this time, is used up.
    """
    limit = permission.limits
    if limit.hours is not None:
        _check_hours(limit.hours, now_us)
    if limit.reads is None and limit.rate is None:
        return
    most, seconds = limit.rate or (0, 0)
    ever, lately = reader.reads(standing.owner, standing.grant, permission.name, now_us - seconds * _US)
    if limit.reads is not None and ever >= limit.reads:
        raise LimitReachedError("the agreed number of reads is used up")
    if limit.rate is not None and lately >= most:
        raise LimitReachedError("the agreed number of reads for this time is used up")


def check_caveats(
    reader: Reader, standing: Standing, chain: Chain, permission: Permission, now_us: int
) -> None:
    """Check what every link of the chain allows, each by itself: a link can only add to them.

    Raises:
        PurposeError: The permission is for another purpose than a link allows.
        OutsideHoursError: It is another day or hour than a link allows.
        LimitReachedError: The reads that a link allows are used up.
    """
    if not chain.caveats:
        return
    check_purposes(chain, permission)
    owner, grant = standing.owner, standing.grant
    for link, caveat in chain.caveats:
        match caveat:
            case HoursCaveat():
                _check_hours(caveat.hours, now_us)
            case CountCaveat():
                known = reader.link(owner, grant, link)
                if known is not None and known.reads >= caveat.reads:
                    raise LimitReachedError("the reads that the capability allows are used up")
            case RateCaveat():
                since_us = now_us - caveat.seconds * _US
                if reader.reads_under(owner, grant, link, since_us) >= caveat.reads:
                    raise LimitReachedError("the reads that the capability allows for this time are used up")


def check_purposes(chain: Chain, permission: Permission) -> None:
    """Check that the permission is for nothing but what every link allows. Raises PurposeError."""
    for _, caveat in chain.caveats:
        if isinstance(caveat, PurposeCaveat) and not caveat.allows(permission):
            raise PurposeError("the capability is not for this permission's purpose")


def count_read(
    tx: Transactor, standing: Standing, chain: Chain, permission: Permission, *, n: int, now_us: int
) -> None:
    """Count the read of entry n wherever something limits its number."""
    owner, grant = standing.owner, standing.grant
    if permission.limits.reads is not None or permission.limits.rate is not None:
        tx.count_read(owner, grant, permission.name)
    if not chain.caveats:
        return
    for link in {link for link, caveat in chain.caveats if isinstance(caveat, CountCaveat)}:
        tx.count_under(owner, grant, link)
    windows: dict[str, int] = {}
    for link, caveat in chain.caveats:
        if isinstance(caveat, RateCaveat):
            windows[link] = max(windows.get(link, 0), caveat.seconds)
    for link, seconds in windows.items():
        tx.time_under(owner, grant, link, n=n, time_us=now_us, since_us=now_us - seconds * _US)


def note_links(tx: Transactor, standing: Standing, chain: Chain, now_us: int) -> None:
    """Write down the links to partners, for the person to see and for their reads to be counted.

    Raises:
        CapabilityError: The partner whom the vendor chose led to too many links that are still good.
    """
    owner, grant, links = standing.owner, standing.grant, chain.leaf.links
    branch = chain.controllers[1].did
    room = limits.MAX_LINKS_OF_A_PARTNER - tx.link_count(owner, grant, branch, now_us=now_us)
    for link, digest, parent in zip(links[1:], chain.digests[1:], chain.digests, strict=False):
        if tx.link(owner, grant, digest) is not None:
            continue
        if room <= 0:
            raise CapabilityError("this partner passed access on too often")
        room -= 1
        row = LinkRow(
            digest=digest, branch=branch, parent=parent, expires_us=link.expires_s * _US, seen_us=now_us,
            reads=0, document=jcs(_shown(link, standing.grant)),
        )  # fmt: skip
        tx.add_link(owner, grant, row)


def _shown(link: Capability, grant: str) -> Document:
    """Return what the person is shown of a link."""
    return {
        "id": link.id,
        "controller": link.controller.did,
        "permission": link.target.partition(f"/g/{grant}")[2].strip("/"),
        "actions": list(link.actions),
        "created": format_time(link.created_s),
        "expires": format_time(link.expires_s),
        "caveats": write_caveats(link.caveats),
    }


def _check_hours(hours: Hours, now_us: int) -> None:
    try:
        zone = ZoneInfo(hours.time_zone)
    except (ValueError, OSError, KeyError):  # of a caveat: a grant's is known to exist
        raise CapabilityError("a link is limited by a time zone that does not exist here") from None
    local = datetime.fromtimestamp(now_us // _US, UTC).astimezone(zone)
    if not hours.contain(weekday=local.weekday(), minute=local.hour * 60 + local.minute):
        raise OutsideHoursError("reads are allowed at other days or hours")
