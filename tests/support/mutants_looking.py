"""Faults in the owner's lists, in activity, its counts and today, and in what a vendor's page makes a browser post."""

from __future__ import annotations

from typing import Any

from freehold_node import activity, connecting, lists, today
from freehold_node.api import messages
from freehold_node.api.owner import keeping, looking, recording
from freehold_node.api.problems import problem
from freehold_node.dashboard import door, page, texts
from freehold_node.dashboard.pages import connecting as connect_page
from freehold_node.store import sql_looking
from mutant import Mutants, edit, everywhere

mutants = Mutants()


# Lists


@mutants("HTTP-75", "announces a page after the last one where that is full")
def a_page_of_nothing() -> None:
    edit(lists.Lists, "records", ("len(places) > limit", "len(places) >= limit"))


@mutants("HTTP-75", "begins a page with the last record of the page before")
def the_last_again() -> None:
    sql_looking._RECORD_ORDER["first"] = ("+n", "n >= ?")


@mutants("HTTP-75", "gives the newest records in the order of the first")
def the_newest_last() -> None:
    sql_looking._RECORD_ORDER["newest"] = sql_looking._RECORD_ORDER["first"]


@mutants("HTTP-75", "loses its place among requests when the one there was decided")
def requests_lose_their_place() -> None:
    edit(
        lists.Lists,
        "requests",
        ("_after(heads, after", "_after([one for one in heads if _is_sought(one, status, text)], after"),
    )


@mutants("HTTP-75", "loses its place among grants when the one there was changed")
def grants_lose_their_place() -> None:
    edit(
        lists.Lists,
        "grants",
        ("_after(standings, after", "_after([one for one in standings if state in (None, one.state)], after"),
    )


@mutants("HTTP-75", "takes a place that a list does not have for its beginning")
def any_place_is_the_beginning() -> None:
    edit(
        lists,
        "_after",
        ('raise MalformedError("after is what the page before gave as next")', "return listed"),
    )


@mutants("HTTP-75", "gives a page of nothing where 0 are asked for")
def a_page_of_none() -> None:
    edit(recording, "list_records", ("limit=max(1, number_of(", "limit=max(0, number_of("))


@mutants("HTTP-76", "takes signs of a text that is sought for patterns")
def patterns_are_sought() -> None:
    edit(
        sql_looking.LookingReader,
        "sought_records",
        ("instr(sought, ?) > 0", "sought LIKE '%' || ? || '%'"),
    )


@mutants("HTTP-76", "finds vendors by names in the case in which they are written")
def names_in_their_case() -> None:
    edit(lists, "_has", ("wanted in sought_form(one)", "text in one"))


@mutants("HTTP-76", "finds vendors by a part of their DID")
def parts_of_dids() -> None:
    edit(lists, "_has", ("return did == text", "return text in did"))


@mutants("HTTP-76", "seeks what an empty parameter says")
def empty_is_sought() -> None:
    everywhere(messages.filled, dict)


@mutants("HTTP-76", "passes over the type of records when a text is sought")
def any_type_by_text() -> None:
    edit(
        sql_looking.LookingReader,
        "sought_records",
        ("if sought.type is not None:", "if sought.type is not None and not sought.text:"),
    )


@mutants("HTTP-77", "counts the requests that were sought")
def counts_of_requests_sought() -> None:
    edit(
        lists.Lists,
        "requests",
        ("counts={one: counts[one]", "counts={one: Counter(head.status for head in found)[one]"),
    )


@mutants("HTTP-77", "counts the grants that were sought")
def counts_of_grants_sought() -> None:
    edit(
        lists.Lists,
        "grants",
        ('"counts": {one: counts[one]', '"counts": {one: Counter(each.state for each in found)[one]'),
    )


@mutants("HTTP-68", "tells of the fields of a grant as they were approved")
def lines_as_approved() -> None:
    edit(lists, "grant_line", ("standing.grant, standing.version)", "standing.grant, 1)"))


@mutants("HTTP-68", "lists types of records in the order of their names")
def types_by_name() -> None:
    edit(lists.Lists, "record_types", ("key=lambda one: (-one[1], one[0])", "key=lambda one: one[0]"))


@mutants("HTTP-68", "does not say of a paused grant that it ends")
def paused_grants_end_unsaid() -> None:
    edit(today, "_ends_by", ('in ("live", "paused")', '== "live"'))


@mutants("HTTP-44", "takes everything out without the passphrase")
def out_without_a_passphrase() -> None:
    edit(keeping, "export_all", ("await asked.prove()", "pass"))


# Activity


@mutants("HTTP-78", "gives one ledger after the other")
def ledger_by_ledger() -> None:
    sql_looking._PLACE = "grant_id DESC, time_us DESC, n DESC"  # type: ignore[misc]


@mutants("HTTP-78", "goes on with the second before")
def the_second_before() -> None:
    edit(
        sql_looking,
        "_conditions",
        (
            '"(time_us, grant_id, n) < (?, ?, ?)"',
            "\"time_us / 1000000 < ? / 1000000 AND ? <> '' AND ? >= 0\"",
        ),
    )


@mutants("HTTP-78", "gives the last entry of a page again")
def the_last_entry_again() -> None:
    edit(sql_looking, "_conditions", ("n) < (?, ?, ?)", "n) <= (?, ?, ?)"))


@mutants("HTTP-78", "leaves out what the person changed")
def changes_are_not_told() -> None:
    edit(
        activity,
        "_sought",
        (
            "kinds=None if wanted.outcome is None",
            'kinds=frozenset({"admitted", "refused"}) if wanted.outcome is None',
        ),
    )


@mutants("HTTP-78", "says that the vendor did what a partner did")
def partners_are_vendors() -> None:
    edit(activity, "_shown", ('len(entry["chain"]) == 1 if', "True if"))


@mutants("HTTP-79", "begins after the second that since names")
def since_is_without() -> None:
    edit(activity, "_sought", ("(after_s or 0) * _US", "((after_s or -1) + 1) * _US"))


@mutants("HTTP-79", "ends with the second that until names")
def until_is_within() -> None:
    edit(activity, "_sought", ("before_s * _US", "(before_s + 1) * _US"))


@mutants("HTTP-79", "finds the name of a field anywhere in an entry")
def fields_anywhere() -> None:
    sql_looking._NAMES_FIELD = (  # type: ignore[misc]
        "instr(body, ?) + 0 * (instr(body, ?) + instr(body, ?) + instr(body, ?) + instr(body, ?)) > 0"
    )


@mutants("HTTP-79", "passes over the permission")
def permissions_do_not_narrow() -> None:
    edit(sql_looking, "_conditions", ("if sought.permission is not None:", "if False:"))


@mutants("HTTP-79", "passes over the kind of entry")
def kinds_do_not_narrow() -> None:
    edit(activity, "_sought", ("kinds=None if wanted.outcome is None", "kinds=None if True"))


@mutants("HTTP-79", "passes over the grant where a vendor is sought too")
def vendors_over_grants() -> None:
    edit(activity, "_sought", ("of_vendor if grants is None else grants & of_vendor", "of_vendor"))


@mutants("HTTP-80", "does not say how many entries it looked through")
def looked_through_unsaid() -> None:
    edit(activity.Activity, "listed", ('told["looked"] = found.looked', "pass"))


@mutants("HTTP-80", "counts the reads of partners as the vendor's")
def partners_read_as_vendors() -> None:
    edit(
        activity, "_reader_of", ("seen_by[-1] if len(seen_by) > own else standing.vendor", "standing.vendor")
    )


@mutants("HTTP-81", "counts entries in the bucket before")
def the_bucket_before() -> None:
    edit(
        sql_looking.LookingReader,
        "activity_counts",
        ("(time_us - ?) / ? AS bucket", "max(0, (time_us - ?) / ? - 1) AS bucket"),
    )


@mutants("HTTP-81", "counts refusals as other things")
def refusals_are_other() -> None:
    activity._COUNTED = ("admitted", "changed")  # type: ignore[misc, assignment]


@mutants("HTTP-81", "makes any number of buckets")
def any_number_of_buckets() -> None:
    looking._MOST_BUCKETS = 100_000  # type: ignore[misc]


@mutants("HTTP-81", "counts a week where no time is given")
def a_week_of_activity() -> None:
    edit(activity.Activity, "timeline", ("30 * 86_400", "7 * 86_400"))


@mutants("HTTP-81", "tells of the grants with the fewest entries first")
def the_busiest_last() -> None:
    edit(activity, "_busiest", ("(-total[grant], grant)", "(total[grant], grant)"))


@mutants("HTTP-81", "counts a grant's entries in the first bucket alone")
def one_bucket_for_a_grant() -> None:
    edit(activity, "_busy", ("setdefault(one.bucket, Counter())", "setdefault(0, Counter())"))


@mutants("HTTP-85", "names the fields of the version that stands alone")
def fields_that_stand() -> None:
    edit(activity.Activity, "_ever_given", ("fields |= {path", "fields = {path"))


@mutants("HTTP-85", "names the oldest relationships first")
def the_oldest_first() -> None:
    edit(activity.Activity, "choices", ("standings[:_CHOICES]", "standings[::-1][:_CHOICES]"))


# Today


@mutants("HTTP-82", "tells of a vendor once for each grant")
def a_line_for_each_grant() -> None:
    edit(
        today.Today,
        "_reads",
        ("of[one.grant].vendor, of[one.grant].name", "of[one.grant].vendor, of[one.grant].name + one.grant"),
    )


@mutants("HTTP-82", "counts refusals as reads")
def refusals_are_reads() -> None:
    edit(today.Today, "_reads", ("Counter())[one.kind]", 'Counter())["admitted"]'))


@mutants("HTTP-86", "does not say how often partners read")
def partners_read_nothing() -> None:
    edit(today._Reading, "add", ("row.entries if len(row.seen_by) > of_vendor else 0", "0"))


@mutants("HTTP-86", "says of every field that every read had it")
def every_read_had_all() -> None:
    edit(today._Reading, "add", ("before if before is fields else", "self.fields if True else"))


# What a vendor's page makes a browser post


def _offer(*changes: tuple[str, str]) -> None:
    """Change the page, which the table of pages has already."""
    known: Any = connect_page.offer
    edit(connect_page, "offer", *changes)
    known.__code__ = connect_page.offer.__code__


_READ = "request = visit.request.app[INBOX].posted(body)"


@mutants("HTTP-70", "takes in what a form brings before the person goes on")
def forms_are_taken_in() -> None:
    _offer((_READ, f"{_READ}; await visit.request.app[INBOX].receive_connect(request.document)"))


@mutants("HTTP-70", "looks up whose request a form brings")
def forms_are_verified() -> None:
    _offer((_READ, f"{_READ}; await visit.request.app[INBOX]._verify(request, request.created_s)"))


@mutants("HTTP-70", "leads the browser back to the vendor where nobody is signed in")
def forms_lead_back() -> None:
    away = 'return web.Response(status=303, headers={"Location": carried(request).return_to})'
    _offer((_READ, f"{_READ}; {away}"))


@mutants("HTTP-91", "takes forms of any media type")
def any_media_type_of_forms() -> None:
    _offer(("visit.request.content_type != CONTENT_TYPE", "False"))


@mutants("HTTP-91", "takes forms of several fields")
def several_fields_of_forms() -> None:
    edit(
        connecting,
        "read_posted",
        ("max_num_fields=1", "max_num_fields=9"),
        ("[name for name, _ in fields] != [FIELD]", "fields[0][0] != FIELD"),
    )


@mutants("HTTP-91", "shows a vendor's text as it came")
def markup_of_vendors() -> None:
    edit(texts.Texts, "__call__", ("escape(values[piece]) if", "Markup(values[piece]) if"))


@mutants("HTTP-91", "refuses a form with a problem document")
def problems_for_people() -> None:
    everywhere(door.told, lambda _, error: problem(error, route="?"))


@mutants("HTTP-91", "takes a form with a request of any age")
def forms_of_any_age() -> None:
    edit(connecting, "read_posted", ("request.check_times(now_s=now_s)", "pass"))


@mutants("HTTP-5", "lets pages be kept")
def pages_are_kept() -> None:
    page.HEADERS["Cache-Control"] = "private"
