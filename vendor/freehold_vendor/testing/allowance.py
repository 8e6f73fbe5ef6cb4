"""How often, when and for what: the limits of a pretended grant, and those that links to partners add.

Spec: specs/http.md#admission
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from freehold_protocol import limits
from freehold_protocol.caveat import CountCaveat, HoursCaveat, PurposeCaveat, RateCaveat
from freehold_protocol.delegation import Chain
from freehold_protocol.errors import CapabilityError, LimitReachedError, OutsideHoursError, PurposeError
from freehold_protocol.permission import Hours, Permission

from .grant import US, PretendGrant, SeenLink


def check_limits(grant: PretendGrant, permission: Permission, now_us: int) -> None:
    """Check what the grant itself allows.

    Raises:
        OutsideHoursError: It is another day or hour.
        LimitReachedError: The number of reads, in all or for this time, is used up.
    """
    limit, reads = permission.limits, grant.reads[permission.name]
    if limit.hours is not None:
        _check_hours(limit.hours, now_us)
    if limit.reads is not None and len(reads) >= limit.reads:
        raise LimitReachedError("the agreed number of reads is used up")
    if limit.rate is not None:
        most, seconds = limit.rate
        if sum(read_us >= now_us - seconds * US for read_us in reads) >= most:
            raise LimitReachedError("the agreed number of reads for this time is used up")


def check_caveats(grant: PretendGrant, chain: Chain, permission: Permission, now_us: int) -> None:
    """Check what every link of the chain allows, each by itself.

    Raises:
        PurposeError: The permission is for another purpose than a link allows.
        OutsideHoursError: It is another day or hour than a link allows.
        LimitReachedError: The reads that a link allows are used up.
        CapabilityError: A link names a time zone that does not exist.
    """
    check_purposes(chain, permission)
    for digest, caveat in chain.caveats:
        reads = grant.links[digest].reads if digest in grant.links else []
        match caveat:
            case HoursCaveat():
                _check_hours(caveat.hours, now_us)
            case CountCaveat() if len(reads) >= caveat.reads:
                raise LimitReachedError("the reads that the capability allows are used up")
            case RateCaveat():
                if sum(read_us > now_us - caveat.seconds * US for read_us in reads) >= caveat.reads:
                    raise LimitReachedError("the reads that the capability allows for this time are used up")


def check_purposes(chain: Chain, permission: Permission) -> None:
    """Check that the permission is for nothing but what every link allows. Raises PurposeError."""
    for _, caveat in chain.caveats:
        if isinstance(caveat, PurposeCaveat) and not caveat.allows(permission):
            raise PurposeError("the capability is not for this permission's purpose")


def note_links(grant: PretendGrant, chain: Chain, now_us: int) -> None:
    """Write down the links to partners, for their reads to be counted.

    Raises:
        CapabilityError: The partner whom the vendor chose led to too many links that are still good.
    """
    for link, digest in zip(chain.leaf.links[1:], chain.digests[1:], strict=True):
        if digest in grant.links:
            continue
        branch = chain.controllers[1].did
        used = sum(one.branch == branch and one.expires_us > now_us for one in grant.links.values())
        if used >= limits.MAX_LINKS_OF_A_PARTNER:
            raise CapabilityError("this partner passed access on too often")
        grant.links[digest] = SeenLink(branch=branch, expires_us=link.expires_s * US)


def count_read(grant: PretendGrant, chain: Chain, permission: str, now_us: int) -> None:
    """Count a read for the grant, and under every link to a partner."""
    grant.reads[permission].append(now_us)
    for digest in chain.digests[1:]:
        grant.links[digest].reads.append(now_us)


def _check_hours(hours: Hours, now_us: int) -> None:
    try:
        zone = ZoneInfo(hours.time_zone)
    except (ValueError, OSError, KeyError):  # of a caveat: a grant's is known to exist
        raise CapabilityError("a link is limited by a time zone that does not exist here") from None
    local = datetime.fromtimestamp(now_us // US, UTC).astimezone(zone)
    if not hours.contain(weekday=local.weekday(), minute=local.hour * 60 + local.minute):
        raise OutsideHoursError("reads are allowed at other days or hours")
