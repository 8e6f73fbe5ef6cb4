"""The stylesheet, the frame and the components of the dashboard: harmless, readable and the same in both languages."""

from __future__ import annotations

import re
import string
import tomllib
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from dashboard_specimen import DASHBOARD, HOSTILE, SpecimenPage, render

LANGUAGES = ("en", "de")
TEMPLATES = sorted((DASHBOARD / "templates").rglob("*.html"))
STYLESHEET = DASHBOARD / "static" / "freehold.css"

PAIRS = [  # what is written in the first is read on the second
    *(
        (ink, ground)
        for ink in ("ink", "soft", "accent", "bad", "warn")
        for ground in ("ground", "paper", "sunk")
    ),
    *((ink, f"{tone}-soft") for tone in ("accent", "good", "warn", "bad", "info") for ink in ("ink", tone)),
    ("soft", "accent-soft"),
    ("accent", "warn-soft"),
    ("accent", "info-soft"),
    ("accent-strong", "accent-soft"),
    ("accent-strong", "sunk"),
    ("info", "paper"),
    ("good", "paper"),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("on-bad", "bad"),
]
SHAPES = [("edge", "paper"), ("edge", "ground"), ("focus", "ground"), ("focus", "paper"), ("bad", "bad-soft")]


class Seen(HTMLParser):
    """Every tag of a page with its attributes, and the ids that are named."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))


def seen(language: str = "en") -> Seen:
    return Seen(render("dashboard_specimen.html", language=language, hostile=HOSTILE))


def said(source: str, **given: Any) -> str:
    """What one call of a macro renders."""
    frame = '{% import "macros.html" as m with context %}'
    return render("one.html", extra={"one.html": frame + source}, **given)


def colours(text: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", text))


def themes() -> list[tuple[str, dict[str, str]]]:
    text = STYLESHEET.read_text(encoding="utf-8")
    light, dark = re.split(r"@media \(prefers-color-scheme: dark\)", text.split("/* ----", 1)[0])
    return [("light", colours(light)), ("dark", colours(light) | colours(dark))]


def luminance(colour: str) -> float:
    """Relative luminance of WCAG 2.2."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(("theme", "colour"), themes(), ids=["light", "dark"])
def test_what_is_written_can_be_read(theme: str, colour: dict[str, str]) -> None:
    poor = {pair: contrast(colour[pair[0]], colour[pair[1]]) for pair in PAIRS}
    assert not {pair: round(value, 2) for pair, value in poor.items() if value < 4.5}, theme
    faint = {pair: contrast(colour[pair[0]], colour[pair[1]]) for pair in SHAPES}
    assert not {pair: round(value, 2) for pair, value in faint.items() if value < 3}, theme


def test_the_stylesheet_is_small_and_fetches_nothing() -> None:
    text = STYLESHEET.read_text(encoding="utf-8")
    assert len(text.encode()) < 36 * 1024
    assert not re.search(r"@import|url\(|http", text)
    assert text.count("{") == text.count("}")


def test_every_colour_that_is_used_is_named_in_both_themes() -> None:
    text = STYLESHEET.read_text(encoding="utf-8")
    light, dark = (colour for _, colour in themes())
    used = set(re.findall(r"var\(--([a-z-]+)\)", text)) - {"shadow", "round", "small-round"}
    assert used <= set(light)
    assert set(light) == set(dark)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_needs_what_the_policy_forbids(template: Path) -> None:
    text = re.sub(r"\{#.*?#\}", "", template.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert not re.search(r"\sstyle\s*=", text)
    assert not re.search(r"<[^>{]*\son[a-z]+\s*=", text)
    assert not re.search(r"<style|javascript:|\|\s*safe\b|autoescape\s+false", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))
    assert not re.search(r"""(?:src|href|action)=["']https?:""", text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_specimen_is_harmless_whatever_a_vendor_is_called(language: str) -> None:
    page = seen(language)
    scripts = [given for tag, given in page.tags if tag == "script"]
    assert [given["src"].partition("?")[0].rpartition("/")[2] for given in scripts] == [
        "freehold.js",
        "passkey.js",
    ]
    assert not [
        (tag, given)
        for tag, given in page.tags
        if any(name.startswith("on") or name == "style" for name in given)
    ]


def test_every_field_has_a_label_and_every_id_stands_once() -> None:
    page = seen()
    ids = [given["id"] for _, given in page.tags if "id" in given]
    assert len(ids) == len(set(ids))
    labelled = {given["for"] for tag, given in page.tags if tag == "label"}
    fields = [given for tag, given in page.tags if tag in {"input", "select", "textarea", "progress"}]
    assert {given["id"] for given in fields if given.get("type") != "hidden"} <= labelled
    named = {
        name
        for _, given in page.tags
        for key in ("aria-describedby", "aria-labelledby")
        for name in given.get(key, "").split()
    }
    assert named <= set(ids)


def test_every_post_form_carries_its_csrf_token() -> None:
    page = seen()
    forms = [given for tag, given in page.tags if tag == "form" and given["method"] == "post"]
    tokens = [given for tag, given in page.tags if tag == "input" and given.get("name") == "csrf"]
    assert forms
    assert [given["value"] for given in tokens] == [SpecimenPage().csrf] * len(forms)


@pytest.mark.parametrize(
    "source",
    [
        "{{ m.who(bad) }}",
        "{{ m.who(bad) ~ ' read your name.' }}",
        "{{ m.badge(bad) }}",
        "{{ m.button(bad, name=bad, value=bad) }}",
        "{{ m.link_button(bad, '/my/' ~ bad) }}",
        "{{ m.text_field('a', bad, bad, hint=bad, error=bad, placeholder=bad) }}",
        "{{ m.area_field('a', bad, bad) }}",
        "{{ m.select_field('a', bad, [(bad, bad)], bad) }}",
        "{{ m.check(bad, bad, bad, own=bad, hint=bad) }}",
        "{{ m.check('a', bad, bad, needed=true) }}",
        "{{ m.notice('error', bad, bad, bad, bad) }}",
        "{{ m.promised(bad, bad) }}",
        "{{ m.enforced(bad) }}",
        "{{ m.vouching(false, bad) }}",
        "{{ m.relationship(bad, bad, true, bad, 'live', bad, note=bad) }}",
        "{{ m.list_row(bad, bad, bad) }}",
        "{{ m.event(bad, m.who(bad), 'read', bad, bad, bad) }}",
        "{{ m.table_row([bad, bad], [bad, bad]) }}",
        "{{ m.import_row('new', bad, bad) }}",
        "{{ m.words([bad]) }}",
        "{{ m.code(bad) }}",
        "{{ m.fact(bad, bad) }}",
        "{{ m.tile(1, bad, bad) }}",
        "{{ m.empty(bad, bad, bad, bad) }}",
        "{{ m.steps([bad, bad], 1) }}",
        "{% call m.permission(bad, bad, bad) %}{{ bad }}{% endcall %}",
        "{% call m.card(bad) %}{% endcall %}",
        "{% call m.details(bad) %}{% endcall %}",
        "{% call m.chart(bad, bad, 10, 10) %}{% endcall %}",
        "{% call m.form(bad) %}{% endcall %}",
    ],
)
def test_a_macro_escapes_all_it_is_given(source: str) -> None:
    text = said(source, bad=HOSTILE)
    tags = Seen(text).tags
    assert "<script" not in text
    assert not [given for _, given in tags if any(name.startswith("on") for name in given)]
    assert text.count("<bdi") == text.count("</bdi>")


def test_what_is_needed_is_posted_though_it_cannot_be_unticked() -> None:
    fixed = Seen(said("{{ m.check('delivery', 'name', 'Your name', needed=true) }}")).tags
    boxes = [given for tag, given in fixed if tag == "input"]
    assert [("disabled" in given, given.get("name"), given.get("value")) for given in boxes] == [
        (True, None, None),
        (False, "delivery", "name"),
    ]
    free = Seen(said("{{ m.check('delivery', 'name', 'Your name', required=true) }}")).tags
    assert "checked" not in dict(free)["input"]


def test_a_passphrase_is_never_sent_back() -> None:
    assert "value=" not in said("{{ m.password_field('passphrase', 'Passphrase', hint='Yours') }}")


def test_enforced_and_promised_differ_in_sign_and_words() -> None:
    enforced, promised = said("{{ m.enforced('x') }}"), said("{{ m.promised('Shop', 'x') }}")
    assert ("icon-shield" in enforced, "Your node enforces this" in enforced) == (True, True)
    assert ("icon-speech" in promised, "Shop</bdi> promises this" in promised) == (True, True)


@pytest.mark.parametrize("page", sorted(path.name for path in (DASHBOARD / "texts" / "en").glob("*.toml")))
def test_both_languages_say_the_same_things(page: str) -> None:
    def holes(language: str) -> dict[str, list[str]]:
        with (DASHBOARD / "texts" / language / page).open("rb") as file:
            told = tomllib.load(file)
        return {
            key: sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)
            for key, text in told.items()
        }

    assert holes("en") == holes("de")


def test_every_text_of_the_frame_and_the_components_exists() -> None:
    with (DASHBOARD / "texts" / "en" / "base.toml").open("rb") as file:
        told = set(tomllib.load(file))
    sources = "".join(
        (DASHBOARD / "templates" / name).read_text(encoding="utf-8") for name in ("base.html", "macros.html")
    )
    named = set(re.findall(r"[\"']base\.([a-z_]+)[\"']", sources))
    assert {name for name in named if not name.endswith("_")} <= told


def test_without_a_session_there_is_no_menu_and_no_way_out() -> None:
    page = SpecimenPage(signed_in=False, banners=(), language="de")
    text = render("dashboard_specimen.html", language="de", hostile="Laden", page=page)
    assert '<nav class="side"' not in text
    assert "/my/sign-out" not in text
    assert '<html lang="de">' in text
