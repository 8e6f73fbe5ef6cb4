"""Plain words: every term that a record or a request of ours can have is called something, in each language."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
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
