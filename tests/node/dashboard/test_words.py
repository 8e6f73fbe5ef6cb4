"""Plain words: every term that a record or a request of ours can have is called something, in each language."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from freehold_node.dashboard.record.as_words import Telling
from freehold_node.dashboard.texts import LANGUAGES, catalog
from freehold_node.dashboard.words import Words
from freehold_protocol.purpose import BROADER

CONTEXT = Path(__file__).parents[3] / "specs" / "contexts" / "freehold-v1.jsonld"


def schema_terms() -> list[str]:
    terms = json.loads(CONTEXT.read_text("utf-8"))["@context"]
    found = {name: one["@id"] if isinstance(one, dict) else one for name, one in terms.items()}
    return [name for name, meaning in found.items() if str(meaning).startswith("schema:")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_term_has_a_word(language: str) -> None:
    texts = catalog(language)
    for term in schema_terms():
        table = "kinds" if term[0].isupper() else "fields"
        assert f"{table}.{term}" in texts, term
    for purpose in BROADER:
        assert f"purposes.{purpose}" in texts, purpose


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("address.postalCode", "Postcode"),
        ("worksFor.name", "Employer"),
        ("worksFor.address.postalCode", "Employer: Postcode"),
        ("customer.address.postalCode", "Customer: Postcode"),
        ("madeUp.name", "Made up: Name"),
        ("madeUp", "Made up"),
    ],
)
def test_a_field_of_somebody_else_is_not_called_as_the_persons_own(path: str, word: str) -> None:
    assert Words("en").field(path) == word


@pytest.fixture(params=["UTC", "Asia/Tokyo", "America/New_York"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with monkeypatch.context() as patched:
        patched.setenv("TZ", request.param)
        time.tzset()
        yield request.param
    time.tzset()


@pytest.mark.parametrize(
    "text",
    [
        "1985-02-31", "0000-01-01", "1985-12-10T25:00", "1985-02-31T10:00:00Z", "12 May", "", "1985-13-01",
        "٣١٩٨-01-01",
    ],
)  # fmt: skip
def test_what_is_no_day_of_the_calendar_is_shown_as_it_is(text: str) -> None:
    assert Telling(Words("en")).text("birthDate", text) == text


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("1985-12-10", "10 December 1985"), ("0001-01-01", "1 January 1"), ("9999-12-31", "31 December 9999"),
        ("1815-12-10", "10 December 1815"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("zone")
def test_a_day_is_the_same_everywhere(text: str, day: str) -> None:
    assert Telling(Words("en")).text("birthDate", text) == day


@pytest.mark.parametrize(
    "text", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"]
)
@pytest.mark.usefixtures("zone")
def test_a_time_at_either_end_of_the_calendar_is_shown(text: str) -> None:
    assert Words("en").moment(text).partition(",")[0] in ("31 December 9999", "1 January 1")
