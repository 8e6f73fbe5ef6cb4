"""My data: what is held, one record in plain words, writing by hand, deleting, taking along."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from browse import Browser, Seen
from freehold_node.dashboard.once import Once
from harness import ADA, PASSPHRASE, House, permission
from shop import contacts

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>\u202egnp.exe ' + "x" * 3000


async def add(house: House, **content: Any) -> str:
    made = await house.own("POST", "/records", {"content": {"type": "Person", **content}})
    return str(made["id"]).removeprefix("urn:uuid:")


async def content_of(house: House, record: str) -> Any:
    return (await house.own("GET", f"/records/{record}"))["content"]


async def edit(house: House, record: str, **fields: Any) -> None:
    """Change a record beside the page, as another window would."""
    shown = await house.own("GET", f"/records/{record}")
    changed = {name: value for name, value in {**shown["content"], **fields}.items() if value is not None}
    await house.own("PUT", f"/records/{record}", {"content": changed, "previous": shown["cid"]})


def form_of(page: Seen, record: str) -> Any:
    return page.form(f"/my/data/records/{record}/edit")


# What is held


@pytest.mark.requirement("DSH-43")
@pytest.mark.asyncio
async def test_an_empty_node_says_what_to_do(browser: Browser) -> None:
    page = await browser.get("/my/data")
    assert page.status == 200
    assert "There is nothing here yet" in page.text
    assert {"/my/data/import", "/my/data/add", "/my/data/export"} <= set(page.links.values())


@pytest.mark.requirement("DSH-43")
@pytest.mark.asyncio
async def test_every_record_is_reached_by_kind_in_pages_of_fifty(house: House, browser: Browser) -> None:
    await house.import_file(contacts(1, 120))
    await house.import_file(ADA, me="Ada Example")
    page = await browser.get("/my/data")
    assert "121" in page.text
    assert page.links["Ada Example"].startswith("/my/data/records/")
    seen: set[str] = set()
    page, pages = await browser.get("/my/data/kind/Person"), 1
    while True:
        found = {href for href in page.links.values() if href.startswith("/my/data/records/")}
        assert len(found) <= 50
        assert not seen & found
        seen |= found
        if "Next" not in page.links:
            break
        page, pages = await browser.get("/my/data/kind/Person" + page.links["Next"]), pages + 1
    assert (len(seen), pages) == (121, 3)


@pytest.mark.requirement("DSH-43")
@pytest.mark.asyncio
async def test_records_are_found_by_name(house: House, browser: Browser) -> None:
    await add(house, name="Zoë Müller & Söhne")
    await add(house, name="Somebody Else")
    for path in ("/my/data", "/my/data/kind/Person"):
        page = await browser.submit((await browser.get(path)).form(path), {"q": "müller &"})
        assert "Zoë Müller & Söhne" in page.links
        if path != "/my/data":
            assert "Somebody Else" not in page.links
    assert "nothing by that name" in (await browser.get("/my/data?q=nobody")).text


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/my/data/kind/Nothing", 200),
        ("/my/data/kind/Person?after=x", 400),
        ("/my/data/kind/-", 404),
        ("/my/data/records/00000000-0000-4000-8000-000000000000", 404),
        ("/my/data/records/00000000-0000-4000-8000-000000000000/edit", 404),
        ("/my/data/add/Attestation", 404),
        ("/my/data/add/Nothing", 404),
    ],
)
async def test_what_is_not_there_is_a_page_that_says_so(browser: Browser, path: str, status: int) -> None:
    page = await browser.get(path)
    assert page.status == status
    assert any(form.action == "/my/sign-out" for form in page.forms)


# One record


@pytest.mark.requirement("DSH-44")
@pytest.mark.asyncio
async def test_a_record_says_what_it_says_and_where_from(house: House, browser: Browser) -> None:
    await house.import_file(ADA, me="Ada Example")
    record = (await house.own("GET", "/status"))["self"]["id"].removeprefix("urn:uuid:")
    page = await browser.get(f"/my/data/records/{record}")
    assert "1 Analytical Row, EX1 2AB Exampleton, United Kingdom" in page.text
    assert "10 December 1985" in page.text
    assert "From the file “book.vcf”, brought in on 23 November 2026." in page.text
    assert "Nobody." in page.text
    await edit(house, record, telephone="+44 20 7946 0000", birthDate=None, gender="female")
    page = await browser.get(f"/my/data/records/{record}")
    assert "You wrote it, on 23 November 2026." in page.text
    assert "+44 1632 960001 became +44 20 7946 0000" in page.text
    assert "female was added" in page.text
    assert "10 December 1985 was taken away" in page.text


@pytest.mark.requirement("DSH-44")
@pytest.mark.asyncio
async def test_who_may_read_is_what_the_grants_show_now(house: House, browser: Browser) -> None:
    await house.import_file(ADA, me="Ada Example")
    await house.import_file(contacts(1, 3))
    record = (await house.own("GET", "/status"))["self"]["id"].removeprefix("urn:uuid:")
    held = await house.relate([permission("delivery", ["name", "email"])], name="Corner Shop")

    async def shown(which: str) -> str:
        page = await browser.get(f"/my/data/records/{which}")
        return page.text.partition("Who may read it now")[2].partition("What happened to it")[0]

    assert "Corner Shop" in await shown(record)
    assert (await house.own("GET", f"/records/{record}"))["readers"][0]["fields"] == ["name", "email"]
    records = (await house.own("GET", "/records"))["records"]
    other = next(one["id"] for one in records if not one["self"]).removeprefix("urn:uuid:")
    assert "Nobody." in await shown(other)
    await house.change(held.grant, "pause")
    assert "Nobody." in await shown(record)
    await house.change(held.grant, "resume")
    await house.change(held.grant, "narrow", [permission("delivery", ["name"])])
    assert (await house.own("GET", f"/records/{record}"))["readers"][0]["fields"] == ["name"]
    assert house.clock
    house.clock.advance(40 * 86_400)  # it has run out, whether or not anything has noticed
    assert (await house.own("GET", f"/records/{record}"))["readers"] == []


@pytest.mark.requirement("DSH-44")
@pytest.mark.asyncio
async def test_the_document_is_downloaded_as_it_is_kept(house: House, browser: Browser) -> None:
    record = await add(house, name="Ada")
    got = await browser.get(f"/my/data/records/{record}/download")
    assert got.headers["Content-Disposition"].startswith("attachment;")
    assert got.headers["Content-Type"].startswith("application/json")
    assert json.loads(got.html) == (await house.own("GET", f"/records/{record}"))["record"]


@pytest.mark.requirement("DSH-15", "DSH-44")
@pytest.mark.asyncio
async def test_hostile_values_are_shown_as_text_and_do_not_grow_the_page(
    house: House, browser: Browser
) -> None:
    record = await add(
        house, name=HOSTILE, email=[HOSTILE] * 15, address={"type": "PostalAddress", "streetAddress": HOSTILE},
        description="y" * 60_000, keywords=[f"{n}{HOSTILE[:40]}" for n in range(900)],
    )  # fmt: skip
    paths = (
        f"records/{record}",
        f"records/{record}/edit",
        f"records/{record}/delete",
        "kind/Person",
        "?q=script",
        "",
    )
    for path in paths:
        page = await browser.get(f"/my/data/{path}".replace("/?", "?").rstrip("/"))
        assert page.status == 200, path
        assert len(page.html) < 200_000, path
        assert "<img src=x" not in page.html
        assert "<script>alert" not in page.html
        assert all(tag != "script" or "src" in given for tag, given in page.tags)
    await edit(house, record, name="plain", email=None)
    assert "<img src=x" not in (await browser.get(f"/my/data/records/{record}")).html


@pytest.mark.asyncio
async def test_this_is_me(house: House, browser: Browser) -> None:
    record = await add(house, name="Ada")
    page = await browser.get(f"/my/data/records/{record}")
    page = await browser.submit(page.form(f"/my/data/records/{record}/self"))
    assert "this is you" in page.text
    assert (await house.own("GET", "/status"))["self"]["label"] == "Ada"
    assert not any(form.action.endswith("/self") for form in page.forms)


# Deleting


@pytest.mark.requirement("DSH-45")
@pytest.mark.asyncio
async def test_deleting_says_what_it_does_and_does_it(house: House, browser: Browser) -> None:
    record = await add(house, name="Ada")
    await edit(house, record, name="Ada Example")
    page = await browser.get(f"/my/data/records/{record}/delete")
    for said in ("all its 2 versions", "Backups", "no software can take back", "Nobody may read it now"):
        assert said in page.text
    page = await browser.submit(page.form(f"/my/data/records/{record}/delete"))
    assert "gone from your node" in page.text
    assert (await house.owner("GET", f"/records/{record}")).status == 404


@pytest.mark.requirement("DSH-45")
@pytest.mark.asyncio
async def test_what_was_changed_meanwhile_is_not_deleted(house: House, browser: Browser) -> None:
    record = await add(house, name="Ada")
    form = (await browser.get(f"/my/data/records/{record}/delete")).form(f"/my/data/records/{record}/delete")
    await edit(house, record, name="Grace")
    assert (await browser.submit(form)).status == 412
    assert (await content_of(house, record))["name"] == "Grace"
    assert (await browser.submit(form, {"seen": ""})).status == 400
    assert (await content_of(house, record))["name"] == "Grace"


# Writing


@pytest.mark.requirement("DSH-47")
@pytest.mark.asyncio
async def test_a_field_is_changed_and_nothing_else(house: House, browser: Browser) -> None:
    await house.import_file(ADA, me="Ada Example")
    record = (await house.own("GET", "/status"))["self"]["id"].removeprefix("urn:uuid:")
    before = await content_of(house, record)
    form = form_of(await browser.get(f"/my/data/records/{record}/edit"), record)
    assert form.fields["f.address.1.postalCode.1"] == "EX1 2AB"
    same = await browser.submit(form)
    assert "changed nothing" in same.text
    page = await browser.submit(form, {"f.address.1.postalCode.1": "EX9 9ZZ", "f.gender.1": " female "})
    assert "saved" in page.text
    after = {**before, "gender": "female", "address": {**before["address"], "postalCode": "EX9 9ZZ"}}
    assert await content_of(house, record) == after
    again = await browser.submit(form, {"f.address.1.postalCode.1": "EX9 9ZZ", "f.gender.1": "female"})
    assert again.status == 200
    assert len((await house.own("GET", f"/records/{record}"))["history"]) == 1


@pytest.mark.requirement("DSH-48")
@pytest.mark.asyncio
async def test_a_day_that_no_calendar_has_stays_and_none_is_added(house: House, browser: Browser) -> None:
    record = await add(house, name="Ada", birthDate="1985-02-31")
    assert "1985-02-31" in (await browser.get(f"/my/data/records/{record}")).text
    page = await browser.get(f"/my/data/records/{record}/edit")
    form = form_of(page, record)
    assert form.fields["f.birthDate.1"] == "1985-02-31"
    assert (await browser.submit(form, {"f.birthDate.1": "1985-02-30"})).status == 400
    assert (await browser.submit(form, {"f.name.1": "Ada L."})).status == 200
    assert (await content_of(house, record))["birthDate"] == "1985-02-31"


@pytest.mark.requirement("DSH-48")
@pytest.mark.asyncio
async def test_what_has_no_box_stays(house: House, browser: Browser) -> None:
    content = {
        "name": "Ada",
        "parent": {"name": "Anne", "id": "https://example.com/anne", "birthDate": "1960-01-02"},
        "height": 1.7,
        "identifier": ["a", 1, True],
        "amount": {"value": 3, "currency": "EUR"},
        "areaServed": "Exampleton",
        "address": [
            {
                "type": "PostalAddress",
                "postalCode": "1",
                "areaServed": "hidden one",
                "id": "https://example.com/1",
            },
            {"type": "PostalAddress", "postalCode": "2", "areaServed": "hidden two"},
        ],
        "description": " two\nlines ",
    }
    record = await add(house, **content)
    page = await browser.get(f"/my/data/records/{record}/edit")
    assert "Stays as it is" in page.text
    form = form_of(page, record)
    assert not any("areaServed" in name or name.startswith("f.height") for name in form.fields)
    await browser.submit(form, {"f.name.1": "Ada Example"})
    assert await content_of(house, record) == {"type": "Person", **content, "name": "Ada Example"}
    page = await browser.submit(
        form_of(await browser.get(f"/my/data/records/{record}/edit"), record), button="do=remove:address.1"
    )
    assert len((await content_of(house, record))["address"]) == 2  # only the form has changed
    await browser.submit(form_of(page, record), {"f.address.1.postalCode.1": "22"})
    expected = {"type": "PostalAddress", "postalCode": "22", "areaServed": "hidden two"}
    assert (await content_of(house, record))["address"] == expected


@pytest.mark.requirement("DSH-48")
@pytest.mark.asyncio
async def test_entries_are_added_and_taken_away_without_scripts(house: House, browser: Browser) -> None:
    record = await add(house, name="Ada", email="a@example.com")
    page = await browser.get(f"/my/data/records/{record}/edit")
    page = await browser.submit(form_of(page, record), {"f.name.1": "Typed"}, button="do=add:email")
    form = form_of(page, record)
    assert (form.fields["f.name.1"], form.fields["f.email.2"]) == ("Typed", "")
    page = await browser.submit(form, {"f.email.2": "b@example.com"}, button="do=add:worksFor")
    page = await browser.submit(
        form_of(page, record), {"f.worksFor.1.name.1": "Example Ltd"}, button="do=save"
    )
    assert await content_of(house, record) == {
        "type": "Person",
        "name": "Typed",
        "email": ["a@example.com", "b@example.com"],
        "worksFor": {"type": "Organization", "name": "Example Ltd"},
    }
    page = await browser.get(f"/my/data/records/{record}/edit")
    page = await browser.submit(form_of(page, record), button="do=remove:email.1")
    await browser.submit(form_of(page, record), {"f.worksFor.1.name.1": ""}, button="do=save")
    assert await content_of(house, record) == {"type": "Person", "name": "Typed", "email": "b@example.com"}


@pytest.mark.requirement("DSH-47")
@pytest.mark.asyncio
async def test_two_windows_lose_nothing(house: House, browser: Browser) -> None:
    record = await add(house, name="Ada", email="a@example.com", gender="f")
    form = form_of(await browser.get(f"/my/data/records/{record}/edit"), record)
    await edit(house, record, email="other@example.com", telephone="+44 1")
    typed = {"f.name.1": "Ada Example", "f.email.1": "mine@example.com"}
    page = await browser.submit(form, typed)
    assert page.status == 409
    assert (await content_of(house, record))["name"] == "Ada"
    again = form_of(page, record)
    assert again.fields["f.name.1"] == "Ada Example"
    assert again.fields["f.email.1"] == "mine@example.com"
    assert again.fields["f.telephone.1"] == "+44 1"
    assert "other@example.com" in page.text
    await browser.submit(again)
    assert await content_of(house, record) == {
        "type": "Person", "name": "Ada Example", "email": "mine@example.com", "gender": "f", "telephone": "+44 1",
    }  # fmt: skip


@pytest.mark.requirement("DSH-47")
@pytest.mark.asyncio
async def test_what_was_typed_is_there_again_after_signing_in(house: House, browser: Browser) -> None:
    record = await add(house, name="Ada")
    form = form_of(await browser.get(f"/my/data/records/{record}/edit"), record)
    await house.node.devices.sign_out_everywhere()
    page = await browser.submit(form, {"f.name.1": "Ada Example"})
    assert page.status == 401
    await edit(house, record, gender="f")
    page = await browser.submit(page.form("/my/enter"), {"passphrase": PASSPHRASE})
    back = form_of(page, record)
    assert back.fields["f.name.1"] == "Ada Example"
    assert back.fields["f.gender.1"] == "f"
    assert await content_of(house, record) == {"type": "Person", "name": "Ada", "gender": "f"}


@pytest.mark.requirement("DSH-49")
@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("f.birthDate.1", "next year", "Write a day"),
        ("f.birthDate.1", "2026-02-31x", "Write a day"),
        ("f.email.1", "nobody", "no e-mail address"),
        ("f.url.1", "javascript:alert(1)", "begins with https"),
        ("f.name.1", "a\x00b", "cannot be shown"),
        ("f.name.1", "x" * 5001, "longer than 5,000"),
    ],
)
async def test_what_cannot_be_is_said_beside_its_field(
    house: House, browser: Browser, name: str, value: str, said: str
) -> None:
    record = await add(house, name="Ada")
    form = form_of(await browser.get(f"/my/data/records/{record}/edit"), record)
    page = await browser.submit(form, {"f.gender.1": "kept", name: value})
    assert page.status == 400
    assert said in page.text
    assert form_of(page, record).fields["f.gender.1"] == "kept"
    assert any(given.get("aria-invalid") == "true" for _, given in page.tags)
    assert await content_of(house, record) == {"type": "Person", "name": "Ada"}


@pytest.mark.requirement("DSH-49")
@pytest.mark.asyncio
async def test_what_stood_there_before_may_stay(house: House, browser: Browser) -> None:
    record = await add(house, name="Ada", birthDate="spring 1985", email="not an address", url="ftp://x")
    form = form_of(await browser.get(f"/my/data/records/{record}/edit"), record)
    assert form.fields["f.birthDate.1"] == "spring 1985"
    await browser.submit(form, {"f.name.1": "Ada Example"})
    assert (await content_of(house, record))["name"] == "Ada Example"


@pytest.mark.requirement("DSH-48")
@pytest.mark.asyncio
@pytest.mark.parametrize(
    "extra",
    [
        {"f.type.1": "Organization"},
        {"f.proof.1": "x"},
        {"f.source.1": "x"},
        {"f.id.1": "urn:x"},
        {"f.name.0": "x"},
        {"f.address.1.id.1": "https://evil.example"},
        {"f.address.1._": "99"},
        {"f.address.1._": "-1"},
        {"f.name": "x"},
        {"f." + "address.1." * 30 + "name.1": "x"},
        {"do": "remove:" + "x." * 80},
        {"do": "add:proof"},
        {"do": "remove:name.0"},
    ],
)
async def test_names_that_no_form_of_ours_has_do_nothing(
    house: House, browser: Browser, extra: dict[str, str]
) -> None:
    record = await add(house, name="Ada")
    form = form_of(await browser.get(f"/my/data/records/{record}/edit"), record)
    page = await browser.post(form.action, {**form.fields, **extra})
    assert page.status in (200, 400)
    assert await content_of(house, record) == {"type": "Person", "name": "Ada"}


@pytest.mark.requirement("DSH-50")
@pytest.mark.asyncio
async def test_a_record_is_added_once_however_often_the_form_is_sent(house: House, browser: Browser) -> None:
    kinds = await browser.get("/my/data/add")
    page = await browser.get(kinds.links["A person"])
    form = page.form("/my/data/add/Person")
    typed = {"f.name.1": "Ada", "f.address.1.postalCode.1": "EX1", "f.birthDate.1": "1985-12-10"}
    first = await browser.submit(form, typed)
    second = await browser.submit(form, typed)
    assert first.url == second.url
    assert "was added" in second.text
    listed = (await house.own("GET", "/records"))["records"]
    assert len(listed) == 1
    assert await content_of(house, listed[0]["id"].removeprefix("urn:uuid:")) == {
        "type": "Person", "name": "Ada", "birthDate": "1985-12-10",
        "address": {"type": "PostalAddress", "postalCode": "EX1"},
    }  # fmt: skip
    other = (await browser.get("/my/data/add/Person")).form("/my/data/add/Person")
    await browser.submit(other, typed)
    assert len((await house.own("GET", "/records"))["records"]) == 2
    assert (await browser.submit(form, {**typed, "once": ""})).status == 400


@pytest.mark.requirement("DSH-50")
@pytest.mark.asyncio
async def test_once_waits_forgets_what_failed_and_is_bounded(house: House) -> None:
    once, done = Once(house.node.ambient), []

    async def work() -> str:
        done.append(1)
        return "/my/data"

    async def fail() -> str:
        raise KeyError

    with pytest.raises(KeyError):
        await once.do("session", "key", fail)
    for _ in range(3):
        assert await once.do("session", "key", work) == "/my/data"
    assert len(done) == 1
    await once.do("another", "key", work)
    assert len(done) == 2
    for number in range(500):
        await once.do("session", f"key {number}", work)
    await once.do("session", "key", work)  # long ago
    assert len(done) == 503


@pytest.mark.requirement("DSH-50")
@pytest.mark.asyncio
async def test_an_empty_form_adds_nothing(house: House, browser: Browser) -> None:
    for kind in ("Person", "Organization", "Place", "Event", "Order", "Product", "ProgramMembership"):
        form = (await browser.get(f"/my/data/add/{kind}")).form(f"/my/data/add/{kind}")
        page = await browser.submit(form)
        assert page.status == 400
        assert "nothing to keep yet" in page.text
    assert (await house.own("GET", "/records"))["records"] == []


# Taking along


@pytest.mark.requirement("DSH-59")
@pytest.mark.asyncio
@pytest.mark.parametrize("what", ["export", "backup"])
async def test_taking_along_takes_the_passphrase(house: House, browser: Browser, what: str) -> None:
    await house.import_file(ADA, me="Ada Example")
    form = (await browser.get("/my/data/export")).form(f"/my/data/{what}")
    wrong = await browser.submit(form, {"passphrase": "wrong"})
    assert wrong.status == 403
    assert "not your passphrase" in wrong.text
    url = f"{browser.base}{form.action}"
    fields = {**form.fields, "passphrase": PASSPHRASE}
    async with browser.session.post(url, data=fields, headers={"Origin": browser.base}) as answer:
        data = await answer.read()
        assert answer.status == 200
        assert answer.headers["Content-Disposition"].startswith(
            f'attachment; filename="freehold-{what}-2026-11-23'
        )
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    if what == "export":
        assert "index.json" in zipfile.ZipFile(io.BytesIO(data)).namelist()
    else:
        assert data.startswith(b"freehold backup 1\n")
    fresh = (await browser.get("/my/data/export")).form(f"/my/data/{what}")
    assert "passphrase" not in fresh.fields
