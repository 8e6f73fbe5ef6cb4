"""The pages of relationships: the list, one of them, and what a person changes there."""

from __future__ import annotations

import json
from typing import Any

import pytest
from browse import Browser, Seen
from freehold_node.dashboard.texts import LANGUAGES, Texts
from freehold_protocol import errors
from freehold_protocol.entry import CHANGES
from freehold_protocol.receipt import Receipt
from harness import PASSPHRASE, Held, House, permission

pytestmark = pytest.mark.with_ada

GIVEN = ("givenName", "address.postalCode")
FIELDS = (*GIVEN, "birthDate")


async def shop(house: House, **more: Any) -> Held:
    """Return a shop that asked for three fields for delivery, and e-mail for news; two fields were given."""
    asked = [
        permission("delivery", FIELDS, **more),
        permission("news", ["email"], purpose="dpv:DirectMarketing"),
    ]
    return await house.relate(asked, given=[permission("delivery", GIVEN, **more)])


def page_of(held: Held) -> str:
    return f"/my/relationships/{held.grant}"


def box(path: str, name: str = "delivery") -> str:
    return f"give.{name}.1.{path}"


async def standing(house: House, held: Held) -> Any:
    return await house.own("GET", f"/grants/{held.grant}")


async def given(house: House, held: Held) -> dict[str, set[str]]:
    found = (await standing(house, held))["permissions"]
    return {one["name"]: {path for item in one["items"] for path in item["fields"]} for one in found}


async def save(browser: Browser, held: Held, **boxes: str | None) -> Seen:
    page = await browser.get(page_of(held))
    return await browser.submit(page.form(f"{page_of(held)}/boxes"), boxes)


# The list


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-90")
async def test_nobody_leads_to_inviting(browser: Browser) -> None:
    page = await browser.get("/my/relationships")
    assert "Nobody may read anything" in page.text
    assert page.links["Invite somebody"] == "/my/requests"


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-90")
async def test_the_list_shows_who_how_and_until_when(house: House, browser: Browser) -> None:
    await shop(house)
    paused = await house.relate([permission("delivery", GIVEN)], name="Quiet Shop")
    await house.change(paused.grant, "pause")
    over = await house.relate([permission("delivery", GIVEN)], name="Former Shop")
    await house.change(over.grant, "end")
    page = await browser.get("/my/relationships")
    for text in (
        "Test Shop",
        "Quiet Shop",
        "Former Shop",
        "Nobody vouches for this name",
        "until 23 December 2026",
    ):
        assert text in page.text, text
    assert page.text.index("Active") < page.text.index("Test Shop") < page.text.index("Quiet Shop")
    only = await browser.get("/my/relationships?state=paused&q=")
    assert "Quiet Shop" in only.text
    assert "Test Shop" not in only.text
    named = await browser.get("/my/relationships?state=&q=FORMER")
    assert "Former Shop" in named.text
    assert "Quiet Shop" not in named.text
    assert "Nobody like that" in (await browser.get("/my/relationships?q=zzz")).text
    assert (await browser.get("/my/relationships?state=strange")).status == 400


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-90")
async def test_the_list_goes_on_after_fifty(house: House, browser: Browser) -> None:
    for number in range(52):
        await house.relate([permission("delivery", ["givenName"])], name=f"Shop {number:02}")
    page = await browser.get("/my/relationships")
    assert page.html.count('class="person"') == 50
    rest = await browser.get(page.links["Next"])
    assert rest.html.count('class="person"') == 2
    assert all(f"Shop {number:02}" in page.text + rest.text for number in range(52))


# One relationship


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-91")
async def test_every_field_that_was_asked_has_a_box_ticked_where_it_is_given(
    house: House, browser: Browser
) -> None:
    held = await shop(house)
    form = (await browser.get(page_of(held))).form(f"{page_of(held)}/boxes")
    assert form.boxes == {
        box("givenName"): True,
        box("address.postalCode"): True,
        box("birthDate"): False,
        box("email", "news"): False,
    }
    page = await browser.get(page_of(held))
    for text in ("EX1 2AB", "ada@example.com", "10 December 1985", "Test Shop promises this"):
        assert text in page.text, text


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-92")
async def test_unticking_counts_at_once_and_says_from_when(house: House, browser: Browser) -> None:
    held = await shop(house)
    page = await save(browser, held, **{box("address.postalCode"): None})
    assert await given(house, held) == {"delivery": {"givenName"}}
    found = await standing(house, held)
    entries = (await house.own("GET", f"/grants/{held.grant}/ledger"))["entries"]
    last = next(
        one for one in entries if one["entry"]["kind"] == "changed" and one["entry"]["change"] == "narrow"
    )
    assert last["entry"]["grant"]
    assert f"entry {last['number']} of the ledger" in page.text
    assert found["version"] == 2
    assert [set(one) for one in await held.contents("delivery")] == [{"type", "givenName"}]
    named = await held.get("/delivery/records?fields=address.postalCode")
    assert named.code == "not-shared"


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-92")
async def test_a_whole_permission_can_be_unticked(house: House, browser: Browser) -> None:
    asked = [permission("delivery", GIVEN), permission("news", ["email"], purpose="dpv:DirectMarketing")]
    held = await house.relate(asked)
    await save(browser, held, **{box("email", "news"): None})
    assert await given(house, held) == {"delivery": set(GIVEN)}


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-93")
async def test_ticking_more_takes_a_look_and_a_proof(house: House, browser: Browser) -> None:
    held = await shop(house)
    review = await save(browser, held, **{box("birthDate"): "yes", box("email", "news"): "yes"})
    assert await given(house, held) == {"delivery": set(GIVEN)}
    form = review.form(f"{page_of(held)}/review")
    wrong = await browser.submit(form, {"passphrase": "wrong"})
    assert wrong.status == 403
    assert "This is not your passphrase" in wrong.text
    assert await given(house, held) == {"delivery": set(GIVEN)}
    again = wrong.form(f"{page_of(held)}/review")
    assert again.fields[box("birthDate")] == "yes"
    done = await browser.submit(again, {"passphrase": PASSPHRASE})
    assert "May be read besides" in done.text
    assert await given(house, held) == {"delivery": set(FIELDS), "news": {"email"}}
    assert (await browser.submit(again, {"passphrase": PASSPHRASE})).url.endswith("said=stands_already")
    paused = await browser.submit(done.form(f"{page_of(held)}/pause"))
    shown = await browser.submit(paused.form(f"{page_of(held)}/resume"))
    assert "passphrase" not in shown.form(f"{page_of(held)}/review").fields, "it was proved a moment ago"
    await browser.submit(shown.form(f"{page_of(held)}/review"))
    assert (await standing(house, held))["state"] == "live"


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-93")
async def test_what_is_unticked_beside_a_new_tick_goes_at_once(house: House, browser: Browser) -> None:
    held = await shop(house)
    review = await save(browser, held, **{box("givenName"): None, box("birthDate"): "yes"})
    assert "What you unticked is gone already" in review.text
    assert await given(house, held) == {"delivery": {"address.postalCode"}}
    await browser.submit(review.form(f"{page_of(held)}/review"), {"passphrase": PASSPHRASE})
    assert await given(house, held) == {"delivery": {"address.postalCode", "birthDate"}}


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-93")
async def test_another_choice_altogether_counts_together(house: House, browser: Browser) -> None:
    held = await shop(house)
    changed = {box(path): None for path in GIVEN} | {box("email", "news"): "yes"}
    review = await save(browser, held, **changed)
    assert "Nothing was taken away yet" in review.text
    assert await given(house, held) == {"delivery": set(GIVEN)}
    await browser.submit(review.form(f"{page_of(held)}/review"), {"passphrase": PASSPHRASE})
    assert await given(house, held) == {"news": {"email"}}


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-93")
async def test_what_else_was_narrower_stays_so(house: House, browser: Browser) -> None:
    asked = permission("delivery", FIELDS, limits={"reads": 9})
    held = await house.relate([asked], given=[permission("delivery", ["givenName"], limits={"reads": 4})])
    review = await save(browser, held, **{box("birthDate"): "yes"})
    assert "At most 4 reads in all" in review.text
    await browser.submit(review.form(f"{page_of(held)}/review"), {"passphrase": PASSPHRASE})
    assert (await standing(house, held))["permissions"][0]["limits"] == {"reads": 4}
    assert await given(house, held) == {"delivery": {"givenName", "birthDate"}}


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-94")
async def test_a_second_window_is_told_and_keeps_its_ticks(house: House, browser: Browser) -> None:
    held = await shop(house)
    first = (await browser.get(page_of(held))).form(f"{page_of(held)}/boxes")
    await save(browser, held, **{box("givenName"): None})
    late = await browser.submit(first, {box("address.postalCode"): None})
    assert late.status == 412
    assert "changed in the meantime" in late.text
    assert await given(house, held) == {"delivery": {"address.postalCode"}}
    kept = late.form(f"{page_of(held)}/boxes")
    assert kept.boxes[box("givenName")]
    assert not kept.boxes[box("address.postalCode")]
    assert kept.fields["version"] != first.fields["version"]


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-94")
async def test_a_review_of_an_earlier_version_gives_nothing(house: House, browser: Browser) -> None:
    held = await shop(house)
    review = (await save(browser, held, **{box("birthDate"): "yes"})).form(f"{page_of(held)}/review")
    await house.change(held.grant, "narrow", [permission("delivery", ["givenName"])])
    late = await browser.submit(review, {"passphrase": PASSPHRASE})
    assert late.status == 412
    assert await given(house, held) == {"delivery": {"givenName"}}


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-94")
async def test_a_digest_that_was_not_shown_gives_nothing(house: House, browser: Browser) -> None:
    held = await shop(house)
    review = (await save(browser, held, **{box("birthDate"): "yes"})).form(f"{page_of(held)}/review")
    late = await browser.submit(review, {"passphrase": PASSPHRASE, "digest": "x" * 43})
    assert late.status == 409
    assert "Please look again" in late.text
    assert await given(house, held) == {"delivery": set(GIVEN)}
    await browser.submit(late.form(f"{page_of(held)}/review"), {"passphrase": PASSPHRASE})
    assert await given(house, held) == {"delivery": set(FIELDS)}


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-94")
async def test_a_form_sent_twice_counts_once(house: House, browser: Browser) -> None:
    held = await shop(house)
    page = await browser.get(page_of(held))
    form = page.form(f"{page_of(held)}/boxes")
    await browser.submit(form, {box("givenName"): None})
    twice = await browser.submit(form, {box("givenName"): None})
    assert "It stands like this already" in twice.text
    assert (await standing(house, held))["version"] == 2
    for _ in range(2):
        await browser.submit(page.form(f"{page_of(held)}/pause"))
    assert (await standing(house, held))["version"] == 3


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-95")
@pytest.mark.parametrize(
    "more",
    [
        {box("email"): "yes"},
        {"give.delivery.2.givenName": "yes"},
        {"give.other.1.givenName": "yes"},
        {"share.delivery.1": "yes"},
        {box("birthDate"): "on"},
        {"expires": "2030-01-01"},
        {"passphrase": PASSPHRASE},
    ],
)
async def test_a_field_that_the_page_does_not_have_is_refused(
    house: House, browser: Browser, more: dict[str, str]
) -> None:
    held = await shop(house)
    form = (await browser.get(page_of(held))).form(f"{page_of(held)}/boxes")
    fields = {name: value for name, value in form.fields.items() if name != box("givenName")} | more
    refused = await browser.post(form.action, fields)
    assert refused.status == 400
    assert await given(house, held) == {"delivery": set(GIVEN)}


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-95")
async def test_nothing_left_is_a_pause_or_an_end(house: House, browser: Browser) -> None:
    held = await shop(house)
    page = await save(browser, held, **{box(path): None for path in GIVEN})
    assert page.status == 422
    assert "Pause it or end it" in page.text
    assert await given(house, held) == {"delivery": set(GIVEN)}
    assert not any(page.form(f"{page_of(held)}/boxes").boxes.values())


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-95")
@pytest.mark.parametrize("change", ["end", "expire"])
async def test_a_relationship_that_is_over_meanwhile_is_not_changed(
    house: House, browser: Browser, change: str
) -> None:
    held = await shop(house)
    page = await browser.get(page_of(held))
    review = await browser.submit(page.form(f"{page_of(held)}/boxes"), {box("birthDate"): "yes"})
    if change == "end":
        await house.change(held.grant, "end")
    else:
        assert house.clock
        house.clock.advance(31 * 86_400)
        await house.own("POST", "/clock/confirm", {"passphrase": PASSPHRASE})
        await house.node.relations.tick()
        await browser.sign_in()
        fresh = await browser.get("/my/today")
        key = fresh.form("/my/sign-out").fields["csrf"]
        for form in (*page.forms, *review.forms):
            form.fields["csrf"] = key
    before = (await standing(house, held))["version"]
    forms = [
        (page.form(f"{page_of(held)}/boxes"), {box("givenName"): None}),
        (page.form(f"{page_of(held)}/until"), {}),
    ]
    for form, changed in forms:
        form.fields["until"] = form.fields.get("until", "") and "2026-12-01"
        sent = {name: value for name, value in form.fields.items() if value and name not in changed}
        late = await browser.post(form.action, sent)
        assert late.status == 409, form.action
        assert "over already" in late.text
    late = await browser.submit(review.form(f"{page_of(held)}/review"), {"passphrase": PASSPHRASE})
    assert late.status == 409
    assert (await standing(house, held))["version"] == before
    shown = await browser.get(page_of(held))
    assert "The receipt and the ledger stay with you" in shown.text
    assert not shown.form(f"{page_of(held)}/boxes").fields.keys() & {box("givenName")}


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-95")
async def test_somebody_elses_relationship_is_not_there(browser: Browser) -> None:
    other = "/my/relationships/00000000-0000-4000-8000-000000000000"
    assert (await browser.get(other)).status == 404
    today = await browser.get("/my/today")
    key = today.form("/my/sign-out").fields["csrf"]
    for path in (
        "boxes",
        "review",
        "until",
        "pause",
        "resume",
        "rotate",
        "end",
        "cut-off",
        "keys",
        "end-all",
    ):
        sent = {
            "csrf": key,
            "here": other,
            "version": "x",
            "partner": "did:key:x",
            "change": "widen",
            "digest": "x",
        }
        assert (await browser.post(f"{other}/{path}", sent)).status in (400, 404), path


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-95")
async def test_a_session_lost_keeps_the_ticks_and_does_nothing(house: House, browser: Browser) -> None:
    held = await shop(house)
    form = (await browser.get(page_of(held))).form(f"{page_of(held)}/boxes")
    await house.node.devices.sign_out_everywhere()
    asked = await browser.submit(form, {box("givenName"): None})
    assert asked.status == 401
    back = await browser.submit(asked.form("/my/enter"), {"passphrase": PASSPHRASE})
    assert back.status == 200
    assert "Not saved yet" in back.text
    boxes = back.form(f"{page_of(held)}/boxes").boxes
    assert not boxes[box("givenName")]
    assert boxes[box("address.postalCode")]
    assert await given(house, held) == {"delivery": set(GIVEN)}


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-91")
async def test_very_many_boxes_stand_on_several_pages(house: House, browser: Browser) -> None:
    leaves = (
        "name",
        "email",
        "telephone",
        "givenName",
        "familyName",
        "birthDate",
        "postalCode",
        "streetAddress",
    )
    terms = ["address." * depth + leaf for depth in range(5) for leaf in leaves]
    asked = [permission(f"part-{number}", terms) for number in range(8)]
    held = await house.relate(asked, given=[permission("part-0", terms), permission("part-7", terms)])
    page = await browser.get(page_of(held))
    assert len(page.form(f"{page_of(held)}/boxes").boxes) == 120
    assert len(page.html) < 200_000
    last = await browser.get(f"{page_of(held)}?part=3")
    form = last.form(f"{page_of(held)}/boxes")
    assert len(form.boxes) == 80
    saved = await browser.submit(form, {f"give.part-7.1.{terms[0]}": None})
    assert saved.status == 200
    now = await given(house, held)
    assert now == {"part-0": set(terms), "part-7": set(terms[1:])}
    again = (await browser.get(f"{page_of(held)}?part=3")).form(f"{page_of(held)}/boxes")
    review = await browser.submit(
        again, {f"give.part-7.1.{terms[0]}": "yes", f"give.part-6.1.{terms[0]}": "yes"}
    )
    await browser.submit(review.form(f"{page_of(held)}/review"), {"passphrase": PASSPHRASE})
    now = await given(house, held)
    assert now == {"part-0": set(terms), "part-6": {terms[0]}, "part-7": set(terms)}
    assert (await browser.get(f"{page_of(held)}?part=4")).status == 400


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-93")
async def test_the_look_shows_every_condition(house: House, browser: Browser) -> None:
    more: dict[str, Any] = {"about": "any", "where": {"givenName": "<b>Ada</b>"}, "newRecords": True}
    asked = permission("delivery", FIELDS, **more)
    held = await house.relate([asked], given=[permission("delivery", GIVEN, **more)])
    review = await save(browser, held, **{box("birthDate"): "yes"})
    for page in (review, await browser.get(page_of(held))):
        assert "only where First name is <b>Ada</b>" in page.text
        assert "<b>Ada" not in page.html
        assert "those that you add later too" in page.text


# Until when


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-96")
async def test_an_earlier_day_counts_at_once_and_a_later_one_after_a_look(
    house: House, browser: Browser
) -> None:
    held = await shop(house)
    page = await browser.get(page_of(held))
    asked_until = (await standing(house, held))["expires"]
    early = await browser.submit(page.form(f"{page_of(held)}/until"), {"until": "2026-12-01"})
    assert "of the ledger" in early.text
    assert (await standing(house, held))["expires"] < "2026-12-03"
    for day, text in (
        ("2027-01-01", "later than they asked"),
        ("2020-01-01", "This day is over"),
        ("x", "no day"),
        ("2026-02-31", "no day"),
        ("20261201", "no day"),
        ("2999-12-31", "later than they asked"),
    ):
        wrong = await browser.submit(early.form(f"{page_of(held)}/until"), {"until": day})
        assert wrong.status == 422
        assert text in wrong.text
    review = await browser.submit(early.form(f"{page_of(held)}/until"), {"until": "2026-12-23"})
    assert (await standing(house, held))["expires"] < "2026-12-03"
    await browser.submit(review.form(f"{page_of(held)}/review"), {"passphrase": PASSPHRASE})
    assert (await standing(house, held))["expires"] == asked_until


# Pause, end


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-97")
async def test_pause_and_resume(house: House, browser: Browser) -> None:
    held = await shop(house)
    page = await browser.get(page_of(held))
    paused = await browser.submit(page.form(f"{page_of(held)}/pause"))
    assert "It was paused" in paused.text
    assert (await held.get("/delivery/records")).code == "grant-paused"
    review = await browser.submit(paused.form(f"{page_of(held)}/resume"))
    assert (await standing(house, held))["state"] == "paused"
    await browser.submit(review.form(f"{page_of(held)}/review"), {"passphrase": PASSPHRASE})
    assert (await held.get("/delivery/records")).status == 200


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-97")
async def test_the_end_is_told_before_it_comes(house: House, browser: Browser) -> None:
    held = await shop(house)
    page = await browser.get(f"{page_of(held)}/end")
    assert "What was read before may have been kept" in page.text
    assert (await standing(house, held))["state"] == "live"
    over = await browser.submit(page.form(f"{page_of(held)}/end"))
    assert "You ended it" in over.text
    assert (await held.get("/delivery/records")).code == "grant-ended"
    left = [form for form in over.forms if form.action.startswith(page_of(held))]
    assert not [
        one for form in left for one in form.buttons if "hidden" not in one and one.get("name") != "language"
    ]
    again = await browser.submit(page.form(f"{page_of(held)}/end"))
    assert "It stands like this already" in again.text


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-98")
async def test_everything_and_everything_with_one(house: House, browser: Browser) -> None:
    key = house.key()
    twice = [await house.relate([permission("delivery", GIVEN)], key=key, name="Twice") for _ in range(2)]
    other = await shop(house)
    page = await browser.get("/my/relationships")
    assert "End all with Twice" in page.links
    told = await browser.get(page.links["End all with Twice"])
    assert "This ends 2 relationships" in told.text
    await browser.submit(told.form(having="sure"))
    assert [(await standing(house, one))["state"] for one in (*twice, other)] == ["ended", "ended", "live"]
    told = await browser.get("/my/relationships/end-everything")
    assert "This ends one relationship" in told.text
    done = await browser.submit(told.form(having="sure"))
    assert "Everything has ended" in done.text
    assert (await standing(house, other))["state"] == "ended"


# Partners


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-99")
async def test_partners_are_shown_with_what_they_read_and_can_be_cut_off(
    house: House, browser: Browser
) -> None:
    courier = house.key()
    did = courier.public.did
    held = await shop(house, recipients=[did])
    partner = held.delegate(courier, path="/delivery")
    page = await browser.get(page_of(held))
    assert f"Partner without a name (…{did[-6:]})" in page.text
    assert "Has read nothing so far" in page.text
    assert did not in page.html.partition("<details")[0].replace("?partner=", "")
    assert (await partner.get("/delivery/records")).status == 200
    page = await browser.get(page_of(held))
    assert "Read once" in page.text
    told = await browser.get(page.links["Cut off this partner"])
    done = await browser.submit(told.form(f"{page_of(held)}/cut-off"))
    assert "Cut off for good" in done.text
    assert (await partner.get("/delivery/records")).code == "revoked"
    assert (await held.get("/delivery/records")).status == 200
    # Its box is gone; what is saved from then on leaves the rest as it is.
    await save(browser, held, **{box("givenName"): None})
    assert await given(house, held) == {"delivery": {"address.postalCode"}}
    stranger = await browser.get(f"{page_of(held)}/cut-off?partner=did:key:zNobody")
    assert stranger.status == 404


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-99")
async def test_a_partner_can_be_unticked_and_ticked_again(house: House, browser: Browser) -> None:
    courier = house.key()
    held = await shop(house, recipients=[courier.public.did])
    partner = held.delegate(courier, path="/delivery")
    assert (await partner.get("/delivery/records")).status == 200
    await save(browser, held, **{"share.delivery.1": None})
    assert "recipients" not in (await standing(house, held))["permissions"][0]
    assert (await partner.get("/delivery/records")).status == 403
    review = await save(browser, held, **{"share.delivery.1": "yes"})
    await browser.submit(review.form(f"{page_of(held)}/review"), {"passphrase": PASSPHRASE})
    assert (await partner.get("/delivery/records")).status == 200


# Keys and the receipt


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-100")
async def test_changing_keys_takes_a_look_and_a_proof(house: House, browser: Browser) -> None:
    held = await shop(house)
    before = (await standing(house, held))["document"]["servingKey"]
    page = await browser.get(page_of(held))
    review = await browser.submit(page.form(f"{page_of(held)}/rotate"))
    assert (await standing(house, held))["document"]["servingKey"] == before
    done = await browser.submit(review.form(f"{page_of(held)}/review"), {"passphrase": PASSPHRASE})
    assert "You changed the keys" in done.text
    assert (await standing(house, held))["document"]["servingKey"] != before


@pytest.mark.asyncio
@pytest.mark.requirement("DSH-101")
async def test_the_receipt_is_what_both_signed(house: House, browser: Browser) -> None:
    held = await shop(house)
    await save(browser, held, **{box("givenName"): None})
    seen = await browser.get(f"{page_of(held)}/receipt")
    assert seen.headers["Content-Disposition"].startswith("attachment;")
    document = json.loads(seen.html)
    receipt = Receipt.from_dict(document)
    receipt.verify()
    assert len(receipt.versions) == 2
    assert document == (await standing(house, held))["receipt"]


# Words


def test_every_change_and_every_refusal_has_a_text() -> None:
    refused = [
        error.code
        for error in errors.BY_CODE.values()
        if issubclass(error, errors.GrantError | errors.CapabilityError | errors.NotFoundError)
    ]
    for language in LANGUAGES:
        texts = Texts(language)
        missing = [one for one in CHANGES if f"changes.{one.replace('-', '_')}" not in texts]
        missing += [one for one in (*refused, "other") if f"refusals.{one.replace('-', '_')}" not in texts]
        assert not missing, language
