"""What a vendor says it keeps to, and who its partners are, on the consent card and the second look."""

from __future__ import annotations

import pytest
from browse import Browser, Seen
from freehold_node.dashboard.consent.partners import Acquaintances
from freehold_protocol.keys import SigningKey
from harness import PASSPHRASE, House, permission

pytestmark = pytest.mark.with_ada

COURIER = SigningKey(b"\x07" * 32).public.did
TERMS = "https://evil.example/my/requests <a href='/my/today'>yes</a> \u05d0\u05d1"


def squeezed(page: Seen) -> str:
    return page.text.replace(" ", "")


async def both(
    house: House, browser: Browser, partners: list[str], terms: str | None = None
) -> tuple[Seen, Seen]:
    """Return the card and the second look of a request that waits."""
    wish = permission("delivery", ["name"], recipients=partners, required=True)
    path, _ = await house.ask(house.key(), [wish], terms=terms)
    card = await browser.get(f"/my{path}")
    return card, await browser.submit(card.form(f"/my{path}/review"))


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-27")
async def test_terms_are_a_promise_in_words_and_no_link(house: House, browser: Browser) -> None:
    for page in await both(house, browser, [], terms=TERMS):
        (block,) = [one for one in page.html.split('<div class="rule ') if "evil.example" in one]
        assert block.startswith("rule-promised")
        assert "Test Shop promises this" in page.text
        assert "https://evil.example/my/requests <a href='/my/today'>yes</a>" in page.text
        assert not any("evil" in given.get("href", "") for _, given in page.tags)
        assert "yes" not in page.links
        assert '<bdi class="who">https://evil' in block


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-27")
async def test_without_terms_nothing_is_said_of_them(house: House, browser: Browser) -> None:
    for page in await both(house, browser, []):
        assert "keep to these terms" not in page.text


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-28")
async def test_a_partner_without_a_name_is_said_to_have_none(house: House, browser: Browser) -> None:
    for page in await both(house, browser, [COURIER, "did:web:courier.example"]):
        assert f"A partner without a name (…{COURIER[-6:]})" in page.text
        assert "They give no name for it, and nobody vouches for it" in page.text
        assert "courier.example This web address stands behind it".replace(" ", "") in squeezed(page)
        shown, _, details = page.html.partition("Who the partners are, exactly")
        assert COURIER not in shown
        assert COURIER in details


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-28")
async def test_a_partner_the_person_dealt_with_is_called_what_it_called_itself(
    house: House, browser: Browser
) -> None:
    path, _ = await house.ask(
        SigningKey(b"\x07" * 32), [permission("post", ["name"], required=True)], name="<b>Fleet"
    )
    card = await browser.get(f"/my{path}")
    look = await browser.submit(card.form(f"/my{path}/review"))
    await browser.submit(look.form(f"/my{path}/approve"), {"passphrase": PASSPHRASE})
    for page in await both(house, browser, [COURIER]):
        assert "<b>Fleet It calls itself so; you have dealt with it".replace(" ", "") in squeezed(page)
        assert f"Its own code ends in {COURIER[-6:]}." in page.text
        assert "<b>" not in page.html


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-28")
async def test_behind_a_port_of_this_computer_nobody_stands(house: House, browser: Browser) -> None:
    for page in await both(house, browser, ["did:web:127.0.0.1%3A4444"]):
        assert "This web address stands behind it" not in page.text
        assert page.text.count("A partner without a name") == 2


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-28")
@pytest.mark.requirement("DSH-22")
@pytest.mark.parametrize(
    ("known", "partner"),
    [
        ("courier.example", "did:web:c0urier.example"),
        ("courier.example", "did:web:courler.example"),
        ("Test Shop", "did:web:test.shop"),
    ],
)
async def test_a_partner_that_looks_like_somebody_known_is_looked_at_twice(
    house: House, browser: Browser, known: str, partner: str
) -> None:
    if known != "Test Shop":
        await house.relate([permission("post", ["name"])], name=known)
    for page in await both(house, browser, [partner]):
        name = partner.removeprefix("did:web:")
        assert f"“{name}” looks like “{known}”, but is somebody else" in page.text
        assert "Look twice" in page.text


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-28")
async def test_a_known_partner_that_calls_itself_an_address_is_looked_at_twice(
    house: House, browser: Browser
) -> None:
    await house.relate([permission("post", ["name"])], name="fleet.example", key=SigningKey(b"\x07" * 32))
    for page in await both(house, browser, [COURIER]):
        assert "“fleet.example” looks like a web address, but nobody has checked" in page.text


@pytest.mark.requirement("DSH-28")
@pytest.mark.parametrize(
    ("did", "kind", "name"),
    [
        ("did:web:fleet.example", "domain", "fleet.example"),
        (COURIER, "known", "Fleet"),
        ("did:key:z6MkSample", "sample", ""),
        ("did:key:z6MkNobody", "unnamed", ""),
    ],
)
def test_who_says_the_name(did: str, kind: str, name: str) -> None:
    known = Acquaintances(
        names={COURIER: "Fleet", "did:web:fleet.example": "Bank"}, sample="did:key:z6MkSample"
    )
    found = known.partner(did)
    assert (found.kind, found.name) == (kind, name)
