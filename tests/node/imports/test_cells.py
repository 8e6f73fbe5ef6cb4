from __future__ import annotations

import math
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from freehold_node.imports import cells
from freehold_node.imports.texts import MAX_TEXT_BYTES, LeftOutError
from hypothesis import given, settings
from hypothesis import strategies as st

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("sign", "cell", "amount"),
    [
        (".", "39.90", "39.90"),
        (".", "$1,036.47", "1036.47"),
        (".", "-$57.27", "-57.27"),
        (".", "$-57.27", "-57.27"),
        (".", "($1,000.00)", "-1000.00"),
        (".", "12.50-", "-12.50"),
        (".", "\u22124.10", "-4.10"),
        (".", "+0.5", "0.5"),
        (".", ".5", "0.5"),
        (".", "1.", "1"),
        (".", "007", "7"),
        (".", "-0.00", "0.00"),
        (".", "EUR 5", "5"),
        (".", "5 EUR", "5"),
        (".", "1'000", "1000"),
        (",", "1.234.567,80", "1234567.80"),
        (",", "1\u00a0234,5 €", "1234.5"),
        (",", "-98,76", "-98.76"),
    ],
)
def test_an_amount_is_kept_digit_for_digit(sign: str, cell: str, amount: str) -> None:
    assert cells.decimal(sign)(cell) == amount


@pytest.mark.parametrize(
    ("sign", "cell"),
    [
        (".", ""), (".", "-"), (".", "."), (".", "--1"), (".", "(-"), (".", "abc"), (".", "1e5"), (".", "0x10"),
        (".", "1,00"), (".", "1.2.3"), (".", "12 pcs"), (".", "1 2"), (".", "١٢"), (".", "½"), (".", "²"),
        (".", "=SUM(A1:A9)"), (".", "inf"), (".", "NaN"), (".", "1" * 41), (",", "12.34"), (",", "1,234.5"),
    ],
)  # fmt: skip
def test_what_is_no_amount_is_left_out(sign: str, cell: str) -> None:
    with pytest.raises(LeftOutError) as caught:
        cells.decimal(sign)(cell)
    assert not cell or cell not in str(caught.value) or cell in (".", "-")


def test_an_amount_written_without_its_minus() -> None:
    assert cells.decimal(".", negate=True)("$57.27") == "-57.27"
    assert cells.decimal(".", negate=True)("-57.27") == "57.27"
    assert cells.decimal(".", negate=True)("0.00") == "0.00"


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**12), max_value=10**12))
@settings(max_examples=100, deadline=None)
def test_any_amount_survives_either_way_of_writing_it(amount: Decimal) -> None:
    english, german = f"{amount:,}", f"{amount:,}".translate(str.maketrans(",.", ".,"))
    for sign, written in ((".", english), (",", german)):
        assert Decimal(str(cells.decimal(sign)(written))) == amount


@pytest.mark.parametrize(
    ("cell", "number"), [("5", 5), ("5.0", 5.0), ("-1.25", -1.25), ("123456789012345", 123456789012345)]
)
def test_a_number_is_what_json_keeps_of_it(cell: str, number: float) -> None:
    found = cells.number(".")(cell)
    assert found == number
    assert type(found) is type(number)


@pytest.mark.parametrize("cell", ["1234567890123456", "0.1234567890123456", "x"])
def test_a_number_that_json_would_round_is_left_out(cell: str) -> None:
    with pytest.raises(LeftOutError):
        cells.number(".")(cell)


@pytest.mark.parametrize(
    ("pattern", "cell", "date"),
    [
        (None, "2026-11-23", "2026-11-23"),
        (None, "2026-11-23 09:30", "2026-11-23T09:30:00+01:00"),
        (None, "2026-07-23T09:30:15.25", "2026-07-23T09:30:15+02:00"),
        (None, "2026-11-23T09:30Z", "2026-11-23T09:30:00Z"),
        (None, "2026-11-23T09:30:00+0530", "2026-11-23T09:30:00+05:30"),
        ("DD.MM.YYYY", "3.5.2026", "2026-05-03"),
        ("D.M.YY", "03.05.68", "2068-05-03"),
        ("MM/DD/YY", "2/8/69", "1969-02-08"),
        ("YYYYMMDD", "20260503", "2026-05-03"),
        ("DD-MMM-YY", "23-Jan-15", "2015-01-23"),
        ("DD MMM YYYY", "3   september 2026", "2026-09-03"),
        ("MM/DD/YYYY hh:mm AM", "01/10/2019 06:50 p.m.", "2019-01-10T18:50:00+01:00"),
        ("MM/DD/YYYY hh:mm AM", "01/10/2019 12:05 AM", "2019-01-10T00:05:00+01:00"),
        ("YYYY-MM-DDTHH:mm:ssZ", "2026-02-03T13:12:11-0330", "2026-02-03T13:12:11-03:30"),
        ("DD.MM.YYYY HH:mm", "25.10.2026 02:30", "2026-10-25T02:30:00+02:00"),  # the first of the two
        ("DD.MM.YYYY HH:mm", "29.03.2026 02:30", "2026-03-29T02:30:00+01:00"),  # the hour that is left out
    ],
)
def test_a_date_is_read_by_its_pattern(pattern: str | None, cell: str, date: str) -> None:
    assert cells.date(pattern, BERLIN)(cell) == date


def test_a_time_without_a_zone_claims_none() -> None:
    assert cells.date(None, None)("2026-11-23 09:30") == "2026-11-23T09:30:00"


def test_an_offset_of_long_ago_is_written_in_utc() -> None:
    assert cells.date(None, BERLIN)("1850-01-01 12:00") == "1850-01-01T11:06:32Z"


@pytest.mark.parametrize(
    ("pattern", "cell"),
    [
        (None, "23.11.2026"), (None, "2026-13-01"), (None, "2026-02-30"), (None, "0000-01-01"), (None, ""),
        (None, "2026-11-23 25:00"), (None, "2026-11-23x"), (None, "9999-12-31T23:59-23:59x"),
        ("DD.MM.YYYY", "31.02.2026"), ("DD.MM.YYYY", "2026-11-23"), ("DD.MM.YYYY", "1.1.26"),
        ("DD.MM.YYYY", " 1.1.2026"), ("DD.MM.YYYY", "١.١.٢٠٢٦"), ("DD.MM.YYYY", "1.1.2026\n"),
        ("DD-MMM-YY", "23-Foo-15"), ("YYYYMMDD", "2026111"), ("MM/DD/YYYY hh:mm AM", "01/10/2019 13:00 PM"),
        ("DD.MM.YYYY", "1" * 200),
    ],
)  # fmt: skip
def test_what_is_no_date_is_left_out(pattern: str | None, cell: str) -> None:
    with pytest.raises(LeftOutError):
        cells.date(pattern, BERLIN)(cell)


@pytest.mark.parametrize(
    "pattern",
    ["", "DD.MM", "foo", "TT.MM.JJJJ", "YYYY-YY-MM-DD", "MM/DD/YYYY hh:mm", "DD.MM.YYYY HH hh AM", "DD.DD.MM.YYYY",
     "YYYY-MMM-MM-DD", "%d.%m.%Y"],
)  # fmt: skip
def test_a_pattern_that_is_none_is_a_mistake(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"YYYY|stands for nothing"):
        cells.date(pattern, None)


@given(st.text(max_size=40))
@settings(max_examples=150, deadline=None)
def test_any_text_is_read_or_left_out(cell: str) -> None:
    readers = [
        cells.text,
        cells.decimal("."),
        cells.number(","),
        cells.date(None, BERLIN),
        cells.date("DD.MM.YY", None),
    ]
    for read in readers:
        try:
            value = read(cell)
        except LeftOutError:
            continue
        assert isinstance(value, str) or math.isfinite(value)


def test_a_text_is_kept_as_it_stands_or_not_at_all() -> None:
    assert cells.text('=HYPERLINK("x")\n\ttail') == '=HYPERLINK("x")\n\ttail'
    for broken in ("a\0b", "a\x1b[2J", "a\x85b", "x" * (MAX_TEXT_BYTES + 1)):
        with pytest.raises(LeftOutError):
            cells.text(broken)
