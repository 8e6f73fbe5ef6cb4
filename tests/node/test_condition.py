"""What ``If-Match`` states, as RFC 9110 (8.8.3, 13.1.1) writes it."""

from __future__ import annotations

import pytest
from freehold_node.condition import NO_CONDITION, Condition, etag, parse_if_match
from freehold_protocol.errors import MalformedError, PreconditionError

GOOD: list[tuple[str, set[str]]] = [
    ('"a"', {"a"}),
    (' \t"a"\t ', {"a"}),
    ('"a", "b"', {"a", "b"}),
    ('"a","b"', {"a", "b"}),
    ('"a" \t,\t "b"', {"a", "b"}),
    (', "a",, ,"b",', {"a", "b"}),
    ('"a", "a"', {"a"}),
    ('W/"a"', set()),
    ('W/"a", "b"', {"b"}),
    ('""', {""}),
    ('"a,b"', {"a,b"}),
    ('"*"', {"*"}),
    ('"W/"', {"W/"}),
    ('"a\\"', {"a\\"}),  # a backslash escapes nothing in an entity tag
    ('"ä\udcff"', {"ä\udcff"}),
    ("", set()),
    (",", set()),
    (" , ", set()),
]
BAD = [
    "a", '"a', 'a"', "'a'", '"a" "b"', '"a""b"', '"a"b', 'w/"a"', 'W/ "a"', 'W"a"', "W/a", "W/*", "*, *", '*, "a"',
    '"a", *', "**", '"a b"', '"a\tb"', '"a\x7f"', '"a";q=1', '"a"; "b"', '"a"\n, "b"',
]  # fmt: skip


@pytest.mark.parametrize(("value", "tags"), GOOD)
def test_a_list_of_tags(value: str, tags: set[str]) -> None:
    assert parse_if_match(value) == Condition(frozenset(tags))


@pytest.mark.parametrize("value", ["*", " * ", "\t*"])
def test_anything_at_all(value: str) -> None:
    condition = parse_if_match(value)
    condition.check("a")
    with pytest.raises(PreconditionError):
        condition.check(None)


@pytest.mark.parametrize("value", BAD)
def test_what_is_no_condition(value: str) -> None:
    with pytest.raises(MalformedError):
        parse_if_match(value)


def test_tags_are_compared_as_texts() -> None:
    condition = parse_if_match('"one", W/"two", "Three"')
    condition.check("one")
    condition.check("Three")
    for standing in ("two", 'W/"two', "three", "One", "on", "one ", "", "*", None):
        with pytest.raises(PreconditionError):
            condition.check(standing)


def test_without_a_header_everything_may_be_done() -> None:
    assert parse_if_match(None) == NO_CONDITION
    NO_CONDITION.check(None)
    NO_CONDITION.check("a")


def test_a_tag_is_written_so_that_it_is_read_again() -> None:
    assert parse_if_match(etag("zAbc")) == Condition(frozenset({"zAbc"}))


def test_a_long_list_is_read_in_time_that_grows_with_it() -> None:
    assert parse_if_match(", ".join(["\t" * 50 + '"a"' + " " * 50] * 1000)) == Condition(frozenset({"a"}))
    with pytest.raises(MalformedError):
        parse_if_match("," * 100_000 + "x")
