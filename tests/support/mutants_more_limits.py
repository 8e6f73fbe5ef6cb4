"""Faults in when and how often a read is allowed: ends, hours, numbers of reads, and the caveats of links."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

from freehold_node import allowance, threshold
from freehold_node.store import sql
from freehold_node.store.sql import SqlReader, SqlTransactor
from freehold_protocol import limits, permission, purpose
from freehold_protocol.caveat import CountCaveat, HoursCaveat, PurposeCaveat, RateCaveat
from freehold_protocol.errors import NotSharedError
from mutant import Mutants, edit, wrap

mutants = Mutants()
_MINUTE_US = 60_000_000


# The time of a grant


@mutants("GRA-20", "lets a grant live a minute longer, as signatures do")
def skew_for_grants() -> None:
    edit(
        threshold,
        "check_live",
        ("now_us >= standing.expires_us", "now_us - 60_000_000 >= standing.expires_us"),
    )
    edit(threshold.Threshold, "_check_state", ("now_us >= standing.expires_us", "False"))
    wrap(SqlReader, "due", lambda old, self, owner, now_us: old(self, owner, now_us - _MINUTE_US))

    def admit(old: Any, tx: Any, standing: Any, head: Any, *, now_us: int) -> Any:
        return old(tx, standing, head, now_us=min(now_us, standing.expires_us - 1))

    wrap(SqlTransactor, "admit", admit)


@mutants("GRA-20", "refuses what has expired, and leaves it to a timer to say so")
def expiry_is_not_committed_by_a_read() -> None:
    edit(threshold.Threshold, "_check_state", ("now_us >= standing.expires_us", "False"))


@mutants("HTTP-63", "lets a grant be read before it begins")
def grants_begin_at_once() -> None:
    def add(old: Any, tx: Any, standing: Any, document: bytes) -> None:
        old(tx, standing._replace(not_before_us=0), document)

    wrap(SqlTransactor, "add_grant", add)


# Days and hours


@mutants("REQ-10", "takes hours to be those of UTC")
def hours_in_utc() -> None:
    edit(allowance, "_check_hours", (".astimezone(zone)", ""))


@mutants("REQ-10", "counts the last minute in")
def hours_end_a_minute_late() -> None:
    edit(permission.Hours, "contain", ("minute < self.to_minute", "minute <= self.to_minute"))


@mutants("REQ-10", "begins hours a minute late")
def hours_begin_a_minute_late() -> None:
    edit(permission.Hours, "contain", ("self.from_minute <= minute", "self.from_minute < minute"))


@mutants("REQ-10", "begins the week on Sunday")
def weeks_begin_on_sunday() -> None:
    edit(permission.Hours, "contain", ("DAYS[weekday]", "DAYS[(weekday + 1) % 7]"))


@mutants("REQ-10", "looks at the hours and not at the days")
def any_day() -> None:
    edit(permission.Hours, "contain", ("DAYS[weekday] in self.days and ", ""))


@mutants("REQ-10", "looks at the days and not at the hours")
def any_hour() -> None:
    edit(permission.Hours, "contain", (" and self.from_minute <= minute < self.to_minute", ""))


@mutants("REQ-10", "takes midnight for the beginning of the day, also as an end")
def no_hours_until_midnight() -> None:
    edit(permission.Hours, "from_dict", (" or _DAY_MINUTES", ""))


# Numbers of reads


def _reads(counts: Callable[[dict[str, Any]], bool]) -> None:
    """Count as reads those admitted entries only of which this is true."""

    def reads(_: Any, self: Any, owner: str, grant: str, name: str, since_us: int) -> tuple[int, int]:
        rows = self.entries(owner, grant, limit=2**31)
        found = [
            row
            for row in rows
            if (row.kind, row.permission) == ("admitted", name) and counts(json.loads(row.body))
        ]
        return len(found), sum(row.time_us >= since_us for row in found)

    wrap(SqlReader, "reads", reads)


@mutants("REQ-10", "counts the reads of each holder by itself")
def reads_of_each_holder() -> None:
    asking: list[str] = []

    def check(old: Any, reader: Any, standing: Any, version: Any, holder: Any, name: str) -> Any:
        asking[:] = [holder.did]
        return old(reader, standing, version, holder, name)

    wrap(threshold, "check_permission", check)
    _reads(lambda entry: entry["who"] in asking)


@mutants("REQ-10", "takes a read by HEAD for none")
def head_is_no_read() -> None:
    _reads(lambda entry: entry["method"] != "HEAD")


@mutants("REQ-10", "takes a read of what has not changed for none")
def unchanged_is_no_read() -> None:
    _reads(lambda entry: entry["status"] != 304)


@mutants("REQ-10", "takes a read of one record for none")
def one_record_is_no_read() -> None:
    _reads(lambda entry: not entry["route"].endswith("{alias}"))


@mutants("REQ-10", "counts the reads of all permissions together")
def reads_of_all_permissions() -> None:
    sql._ADMITTED = sql._ADMITTED.replace("permission = ?", "? != ''")


@mutants("REQ-10", "allows one read more than was agreed")
def one_read_more() -> None:
    edit(allowance, "check_limits", ("ever >= limit.reads", "ever > limit.reads"))


@mutants("REQ-10", "forgets the rate where there is a number of reads too")
def number_or_rate() -> None:
    edit(allowance, "check_limits", ("limit.rate is not None and lately", "limit.reads is None and lately"))


@mutants("REQ-10", "counts anew whenever the grant changes")
def changes_forget_reads() -> None:
    found: list[int] = []

    def check(old: Any, reader: Any, standing: Any, given: Any, now_us: int) -> None:
        found[:] = [standing.version]
        old(reader, standing, given, now_us)

    wrap(allowance, "check_limits", check)
    _reads(lambda entry: entry["version"] in found)


# Caveats


def _without(kind: type) -> None:
    """Check no caveat of a kind."""

    def check(old: Any, reader: Any, standing: Any, chain: Any, given: Any, now_us: int) -> None:
        kept = tuple(one for one in chain.caveats if not isinstance(one[1], kind))
        old(reader, standing, dataclasses.replace(chain, caveats=kept), given, now_us)

    wrap(allowance, "check_caveats", check)


@mutants("CAP-10", "does not enforce purposes of links")
def no_purpose_caveats() -> None:
    _without(PurposeCaveat)
    PurposeCaveat.allows = lambda *_: True


@mutants("CAP-10", "does not enforce hours of links")
def no_hours_caveats() -> None:
    _without(HoursCaveat)


@mutants("CAP-31", "does not enforce numbers of reads of links")
def no_count_caveats() -> None:
    _without(CountCaveat)


@mutants("CAP-31", "does not enforce rates of links")
def no_rate_caveats() -> None:
    _without(RateCaveat)


@mutants("CAP-11", "takes a purpose of a link to cover those below it")
def purposes_cover_those_below() -> None:
    def allows(self: Any, given: Any) -> bool:
        return all(any(purpose.covers(one, asked) for one in self.purposes) for asked in given.purposes)

    PurposeCaveat.allows = allows


@mutants("CAP-15", "allows one read more than a link does")
def one_read_more_under_a_link() -> None:
    edit(allowance, "check_caveats", ("known.reads >= caveat.reads", "known.reads > caveat.reads"))


@mutants("CAP-14", "lets the first link that has caveats speak for those below it")
def caveats_of_the_first_that_has_some() -> None:
    edit(
        allowance,
        "check_caveats",
        (
            "for link, caveat in chain.caveats:",
            "for link, caveat in [one for one in chain.caveats if one[0] == chain.caveats[0][0]]:",
        ),
    )


@mutants("CAP-15", "counts together what the links below one partner's allow")
def counted_under_the_partner() -> None:
    _counted_under(1)


def _counted_under(place: int) -> None:
    def moved(chain: Any) -> Any:
        link = chain.digests[min(place, len(chain.digests) - 1)]
        return dataclasses.replace(chain, caveats=tuple((link, one) for _, one in chain.caveats))

    def check(old: Any, reader: Any, standing: Any, chain: Any, given: Any, now_us: int) -> None:
        old(reader, standing, moved(chain), given, now_us)

    def count(old: Any, tx: Any, standing: Any, chain: Any, given: Any, **more: int) -> None:
        old(tx, standing, moved(chain), given, **more)

    wrap(allowance, "check_caveats", check)
    wrap(allowance, "count_read", count)


@mutants("CAP-31", "lets a time zone that it does not know be any time")
def unknown_zones_are_ignored() -> None:
    edit(
        allowance,
        "_check_hours",
        (
            'raise CapabilityError("a link is limited by a time zone that does not exist here") from None',
            "return",
        ),
    )


@mutants("CAP-31", "says of a link's other purpose that nothing is shared")
def another_code_for_purposes() -> None:
    allowance.PurposeError = NotSharedError


@mutants("HTTP-63", "lets a partner lead as many links here as it likes")
def links_without_number() -> None:
    limits.MAX_LINKS_OF_A_PARTNER = 10**9


@mutants("CAP-23", "remembers who was a recipient")
def recipients_are_remembered() -> None:
    known: set[Any] = set()

    def check(old: Any, reader: Any, standing: Any, recipients: Any, partners: Any) -> Any:
        if (standing.grant, tuple(partners)) in known:
            return ()
        found = old(reader, standing, recipients, partners)
        if not found:
            known.add((standing.grant, tuple(partners)))
        return found

    wrap(threshold, "no_recipients", check)


@mutants("CAP-23", "takes a recipient of one permission for one of all")
def recipients_of_any_permission() -> None:
    edit(
        threshold,
        "check_permission",
        ("permission.recipients", "{one for given in version.permissions for one in given.recipients}"),
    )
