"""Settings: what they say is so, and what they change takes the proof it should."""

from __future__ import annotations

import pytest
from browse import Browser, open_browser
from freehold_node import devices
from freehold_node.dashboard.bounds import bounds
from freehold_node.dashboard.words import Words
from freehold_node.passkeys import MAX_PASSKEYS
from freehold_protocol import limits
from harness import PASSPHRASE, House
from shop import shop

PAGES = ("", "/recovery", "/devices", "/devices/add", "/backup", "/addresses", "/limits", "/sample")


@pytest.mark.requirement("DSH-113")
@pytest.mark.asyncio
@pytest.mark.parametrize("language", ["en", "de"])
async def test_every_page_says_what_it_is_for(house: House, language: str) -> None:
    async with open_browser(house, language=language) as browser:
        await browser.sign_in()
        leads = set()
        for path in PAGES:
            seen = await browser.get(f"/my/settings{path}")
            assert seen.status == 200, path
            lead = seen.html.partition('<p class="lead">')[2].partition("</p>")[0].strip()
            assert lead, path
            leads.add(lead)
        assert len(leads) == len(PAGES)


@pytest.mark.requirement("DSH-113")
@pytest.mark.asyncio
async def test_the_first_page_leads_to_the_others(house: House, browser: Browser) -> None:
    seen = await browser.get("/my/settings")
    for path in ("recovery", "devices", "backup", "addresses", "limits"):
        assert f"/my/settings/{path}" in seen.links.values(), path
    assert "/my/relationships/end-everything" in seen.links.values()
    status = await house.own("GET", "/status")
    assert status["version"] in seen.text
    assert "Apache-2.0" in seen.text
    assert "/my/settings/sample" not in seen.links.values()


@pytest.mark.requirement("DSH-113")
@pytest.mark.parametrize("language", ["en", "de"])
def test_the_limits_are_those_that_are_enforced(language: str) -> None:
    words = Words(language)
    said = " ".join(sentence for group in bounds(words) for sentence in group.sentences)
    for number in (
        limits.MAX_PERMISSIONS,
        limits.MAX_FIELDS,
        limits.MAX_RECIPIENTS,
        limits.MAX_PAGE,
        MAX_PASSKEYS,
    ):
        assert words.number(number) in said
    assert words.number(limits.MAX_TEXT) in said
    assert words.size(limits.MAX_DOCUMENT_BYTES) in said
    assert words.span(f"PT{devices.IDLE_US // 3_600_000_000}H") in said
    assert words.span(f"P{limits.CAPABILITY_DAYS}D") in said


@pytest.mark.parametrize(
    ("language", "size", "said"),
    [
        ("en", 0, "0 bytes"), ("en", 1, "one byte"), ("en", 1234, "1.2 kB"), ("en", 2_200_000, "2.2 MB"),
        ("de", 1, "ein Byte"), ("de", 2_200_000, "2,2 MB"), ("de", 3_456_000_000_000, "3.456,0 GB"),
    ],
)  # fmt: skip
def test_sizes_are_written_as_the_language_does(language: str, size: int, said: str) -> None:
    assert Words(language).size(size) == said


@pytest.mark.requirement("DSH-114")
@pytest.mark.asyncio
async def test_a_clock_that_is_doubted_is_confirmed_with_a_proof(house: House, browser: Browser) -> None:
    assert house.clock
    assert not [
        form for form in (await browser.get("/my/settings")).forms if form.action == "/my/settings/clock"
    ]
    house.clock.step_wall(3600)
    assert (await house.own("GET", "/status"))["clock"]["suspect"]
    page = await browser.get("/my/settings")
    assert page.html.index('id="clock"') < page.html.index("/my/settings/recovery")
    form = page.form("/my/settings/clock")
    wrong = await browser.submit(form, {"passphrase": "not it"})
    assert (wrong.status, "not your passphrase" in wrong.text) == (403, True)
    assert (await house.own("GET", "/status"))["clock"]["suspect"]
    assert (await browser.submit(form, {"passphrase": PASSPHRASE})).status == 200
    assert not (await house.own("GET", "/status"))["clock"]["suspect"]


@pytest.mark.requirement("DSH-119")
@pytest.mark.asyncio
async def test_a_backup_comes_as_a_file_after_a_proof(browser: Browser) -> None:
    form = (await browser.get("/my/settings/backup")).form("/my/settings/backup")
    wrong = await browser.submit(form, {"passphrase": "not it"})
    assert (wrong.status, "Nothing was sent" in wrong.text) == (403, True)
    sent = await browser.submit(form, {"passphrase": PASSPHRASE})
    assert sent.headers["Content-Type"] == "application/octet-stream"
    assert sent.headers["Content-Disposition"].startswith('attachment; filename="freehold-backup-')
    assert sent.headers["Content-Disposition"].endswith('.freehold"')
    assert int(sent.headers["Content-Length"]) > 1000


@pytest.mark.requirement("DSH-120")
@pytest.mark.asyncio
async def test_another_address_is_stated_with_a_proof(house: House, browser: Browser) -> None:
    place = "/my/settings/addresses"
    page = await browser.get(place)
    assert house.node.config.origins[0] in page.text
    assert "nobody has to be told" in page.text
    held = await shop(house)
    form = (await browser.get(place)).form(place)
    good = "https://node.example"
    wrong = await browser.submit(form, {"origin": good, "passphrase": "not it"})
    assert (wrong.status, wrong.form(place).fields["origin"]) == (403, good)
    for origin in ("ftp://node.example", "https://node.example/a", "x", "http://node.example"):
        refused = await browser.submit(form, {"origin": origin, "passphrase": PASSPHRASE})
        assert (refused.status, refused.form(place).fields["origin"]) == (422, origin), origin
    fresh = (await browser.get(place)).form(place)
    done = await browser.submit(fresh, {"origin": good})
    assert "They learn of the address" in done.text
    assert good in done.text
    listed = (await house.own("GET", "/origins"))["grants"]
    assert [one["moved"] for one in listed if one["grant"] == held.grant] == [[good]]
