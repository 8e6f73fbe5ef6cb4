"""Bringing in a file through the pages: bad uploads, the preview, the import beside them, what is forgotten when."""

from __future__ import annotations

import asyncio
import gzip
import io
import zipfile
from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import pytest
from browse import Browser, Seen, open_browser, read_page
from freehold_node.dashboard.files import to_import
from freehold_node.dashboard.files.to_import import MAX_UPLOAD_BYTES, plain_name
from freehold_node.imports import MAX_FILE_BYTES
from harness import ADA, PASSPHRASE, House
from shop import EVE, about_me, contacts
from yarl import URL

HOME = "/my/data/import"
ORDERS = (
    b"Order ID;Order Date;Product Name;Total;Mystery\n1;2026-01-02;Shoes;12.00;x\n2;2026-01-03;Hat;13.00;y\n"
)


async def records(house: House) -> list[Any]:
    found: list[Any] = (await house.own("GET", "/records?limit=1000"))["records"]
    return found


def parts(*named: tuple[str, str | None, bytes], boundary: str = "b0undary", end: bool = True) -> bytes:
    """Return a form of parts as a browser writes it: name, file name or None, content."""
    made = b""
    for name, file_name, content in named:
        also = "" if file_name is None else f'; filename="{file_name}"'
        made += f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{also}\r\n'.encode()
        made += (
            (b"" if file_name is None else b"Content-Type: application/octet-stream\r\n")
            + b"\r\n"
            + content
            + b"\r\n"
        )
    return made + (f"--{boundary}--\r\n".encode() if end else b"")


async def post(
    browser: Browser, body: Any, headers: Mapping[str, str] | None = None, *, boundary: str = "b0undary"
) -> Seen:
    """Send a body to where files go, as it is, and follow where that leads."""
    sent = {
        "Origin": browser.base,
        "Content-Type": f"multipart/form-data; boundary={boundary}",
        **(headers or {}),
    }
    url = URL(browser.base + HOME)
    data = io.BytesIO(body) if isinstance(body, bytes) else body
    async with browser.session.post(url, data=data, headers=sent, allow_redirects=False) as answer:
        if answer.status == 303:
            return await browser.get(answer.headers["Location"])
        return read_page(str(url), answer.status, answer.headers, await answer.text())


async def key(browser: Browser) -> str:
    return (await browser.get("/my/data/export")).form("/my/data/export").fields["csrf"]


async def upload(browser: Browser, data: bytes, name: str = "book.vcf") -> Seen:
    return await post(browser, parts(("csrf", None, (await key(browser)).encode()), ("file", name, data)))


async def finished(browser: Browser) -> Seen:
    """Return the page of an import once it is over."""
    (held,) = browser.house.node.uploads._held.values()
    assert held.job is not None
    assert held.job.task is not None
    await held.job.task
    return await browser.get(f"{HOME}/progress")


def nothing_is_held(house: House) -> bool:
    return not house.node.uploads._held


# Bad uploads


def bomb() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("book.vcf", b"\0" * 50_000_000)
    return made.getvalue()


BAD: Mapping[str, tuple[bytes, str]] = {
    "a picture": (b"\x89PNG\r\n\x1a\n" + b"\0" * 500, "could not find anything"),
    "a ZIP bomb": (bomb(), "could not find anything"),
    "a gzip bomb": (gzip.compress(b"BEGIN:VCARD\r\n" + b"\0" * 30_000_000), "could not find anything"),
    "a spreadsheet": (b"PK\x03\x04" + b"x" * 100, "could not find anything"),
    "entities within entities": (
        b'OFXHEADER:100\r\n\r\n<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]><OFX>&c;</OFX>',
        "could not find anything",
    ),
    "JSON too deep": (b"[" * 100_000 + b"]" * 100_000, ""),
    "JSON cut off": (b'{"@context": "https://schema.org", "@type": "Per', "could not find anything"),
    "a card cut off": (ADA[:60], "could not find anything"),
    "nothing in it": (b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n", "could not find anything"),
    "an empty file": (b"", "This file is empty"),
    "one byte too many": (b"x" * (MAX_FILE_BYTES + 1), "too large"),
}


@pytest.mark.requirement("DSH-51")
@pytest.mark.asyncio
@pytest.mark.parametrize("name", BAD)
async def test_what_cannot_be_read_is_not_kept(house: House, browser: Browser, name: str) -> None:
    data, said = BAD[name]
    page = await upload(browser, data, f"{name}.bin")
    assert page.status in (400, 413)
    assert said in page.text
    assert "Nothing of it was kept." in page.text
    assert page.form(HOME).enctype == "multipart/form-data"
    assert nothing_is_held(house)
    assert await records(house) == []


FORMS: Mapping[str, tuple[bytes, dict[str, str], str]] = {
    "no form of parts": (b"file=x", {"Content-Type": "application/x-www-form-urlencoded"}, "did not send this"),
    "another type": (ADA, {"Content-Type": "text/vcard"}, "did not send this"),
    "no boundary": (b"", {"Content-Type": "multipart/form-data"}, "did not send this"),
    "a boundary that is none": (b"", {"Content-Type": "multipart/form-data; boundary=a b"}, "did not send this"),
    "no parts": (b"", {}, "did not arrive whole"),
    "another boundary": (parts(("file", "a", ADA), boundary="other"), {}, "did not arrive whole"),
    "no end": (parts(("file", "a", ADA), end=False), {}, "did not arrive whole"),
    "cut off in the middle": (parts(("file", "a", ADA))[:150], {}, "did not arrive whole"),
    "cut off in a header": (parts(("file", "a", ADA))[:40], {}, "did not arrive whole"),
    "something before it": (b"x" + parts(("file", "a", ADA)), {}, "did not arrive whole"),
    "a part without a name": (
        b"--b0undary\r\nContent-Type: text/plain\r\n\r\nx\r\n--b0undary--\r\n", {}, "did not arrive whole",
    ),
    "a part in another coding": (
        parts(("file", "a", b"x")).replace(b"Type: application/octet-stream", b"Transfer-Encoding: base64"),
        {}, "did not arrive whole",
    ),
    "a hundred parts": (parts(*[("x", None, b"y")] * 100), {}, "did not arrive whole"),
    "a field as large as a file": (parts(("csrf", None, b"x" * 100_000)), {}, "did not arrive whole"),
    "two files": (parts(("file", "a", ADA), ("file", "b", ADA)), {}, "More than one file"),
    "two files of other names": (parts(("file", "a", ADA), ("more", "b", ADA)), {}, "More than one file"),
    "no file": (parts(("csrf", None, b"x")), {}, "No file was chosen"),
    "no file chosen": (parts(("file", "", b"")), {}, "No file was chosen"),
}  # fmt: skip


@pytest.mark.requirement("DSH-51")
@pytest.mark.asyncio
@pytest.mark.parametrize("name", FORMS)
async def test_a_form_that_is_not_whole_is_told_so(house: House, browser: Browser, name: str) -> None:
    body, headers, said = FORMS[name]
    page = await post(browser, body, headers)
    assert page.status == 400
    assert said in page.text
    assert nothing_is_held(house)


@pytest.mark.requirement("DSH-51")
@pytest.mark.asyncio
async def test_too_much_is_refused_by_what_it_says_and_by_what_comes(house: House, browser: Browser) -> None:
    said = await post(browser, b"x" * (MAX_UPLOAD_BYTES + 1))
    assert said.status == 413

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(12):
            yield b"x" * 2**20

    came = await post(browser, pieces())
    assert came.status == 413
    assert "too large" in came.text
    assert nothing_is_held(house)


@pytest.mark.requirement("DSH-51")
@pytest.mark.asyncio
async def test_what_breaks_off_or_takes_too_long_is_not_kept(
    house: House, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = parts(("csrf", None, (await key(browser)).encode()), ("file", "a.vcf", ADA))

    async def broken() -> AsyncIterator[bytes]:
        yield whole[:200]
        raise ConnectionResetError

    with pytest.raises((aiohttp.ClientError, ConnectionError)):
        await post(browser, broken())
    assert nothing_is_held(house)
    monkeypatch.setattr(to_import, "UPLOAD_S", 0.05)
    ends = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield whole[:200]
        await ends.wait()

    page = await post(browser, slow())
    ends.set()
    assert page.status == 400
    assert "took too long" in page.text
    assert nothing_is_held(house)


@pytest.mark.requirement("DSH-2", "DSH-51")
@pytest.mark.asyncio
async def test_a_file_comes_from_a_page_of_this_session(house: House, browser: Browser) -> None:
    whole = parts(("csrf", None, (await key(browser)).encode()), ("file", "a.vcf", ADA))
    assert (await post(browser, whole, {"Origin": "https://evil.example"})).status in (401, 403)
    assert (await post(browser, parts(("csrf", None, b"x" * 43), ("file", "a.vcf", ADA)))).status in (
        401,
        403,
    )
    assert (await post(browser, parts(("file", "a.vcf", ADA)))).status in (401, 403)
    assert nothing_is_held(house)
    async with open_browser(house) as stranger:
        page = await post(stranger, whole)
        assert page.status == 401
        assert page.form("/my/enter").fields["then"] == HOME
    assert nothing_is_held(house)


NAMES: Mapping[str, str] = {
    "book.vcf": "book.vcf",
    "/etc/passwd": "passwd",
    "C:\\Users\\ada\\book.vcf": "book.vcf",
    "../../x": "x",
    "a\u202egpj.exe": "a gpj.exe",
    "a\nb\tc": "a b c",
    "\u3164": "file",
    "": "file",
    "..": "..",
    "<script>alert(1)</script>": "script>",
}


@pytest.mark.requirement("DSH-53")
@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_what_it_shows(name: str) -> None:
    assert plain_name(name) == NAMES[name]


@pytest.mark.requirement("DSH-53", "DSH-15")
@pytest.mark.asyncio
@pytest.mark.parametrize("name", ["<img src=x onerror=alert(1)>.vcf", "n" * 10_000 + ".vcf", "ä" * 10_000])
async def test_a_hostile_name_is_shown_as_text(house: House, browser: Browser, name: str) -> None:
    page = await upload(browser, ADA, name)
    assert page.url.endswith(f"{HOME}/preview")
    assert "<img src=x" not in page.html
    (held,) = house.node.uploads._held.values()
    assert len(held.name) <= 150
    await browser.submit(page.form(f"{HOME}/start"))
    assert (await finished(browser)).text.count("was brought in") == 1


# What was found


@pytest.mark.requirement("DSH-54")
@pytest.mark.asyncio
async def test_the_preview_shows_all_and_writes_nothing(house: House, browser: Browser) -> None:
    await house.import_file(contacts(1, 10))
    page = await upload(browser, contacts(1, 120) + ADA.replace(b"END:", b"PHOTO;ENCODING=b:AAAA\r\nEND:"))
    assert page.url.endswith(f"{HOME}/preview")
    assert "111 New" in page.text
    assert "10 Already there" in page.text
    assert "Page 1 of 3" in page.text
    assert "an embedded picture" in page.text
    assert "Contact 50" in page.text
    assert "Contact 51" not in page.text
    assert "Contact 51" in (await browser.get(f"{HOME}/preview?page=2")).text
    for number in ("0", "-1", "x", "99999", "9" * 30):
        assert (await browser.get(f"{HOME}/preview?page={number}")).status == 200
    assert len(await records(house)) == 10


@pytest.mark.requirement("DSH-54", "DSH-56")
@pytest.mark.asyncio
async def test_who_is_the_person_is_found_by_address_and_imported(house: House, browser: Browser) -> None:
    await upload(browser, contacts(1, 120) + ADA)
    page = await browser.submit(
        (await browser.get(f"{HOME}/preview")).form(f"{HOME}/preview"), {"who": "ADA@example"}
    )
    assert "Ada Example" in page.text
    form = page.form(f"{HOME}/start")
    number = next(given["value"] for tag, given in page.tags if given.get("name") == "me" and given["value"])
    wrong = await browser.submit(form, {"me": "100000"})
    assert wrong.status == 400
    assert await records(house) == []
    await browser.submit(wrong.form(f"{HOME}/start"), {"me": number})
    done = await finished(browser)
    assert "121 New" in done.text
    assert "You are Ada Example." in done.text
    (held,) = house.node.uploads._held.values()
    assert (held.data, held.preview) == (b"", {})
    assert len(await records(house)) == 121


@pytest.mark.requirement("DSH-56")
@pytest.mark.asyncio
async def test_nothing_is_imported_but_what_was_on_the_page(house: House, browser: Browser) -> None:
    """Of two tabs, the second brings another file, in which the first entry is somebody else."""
    first = await upload(browser, ADA)
    await upload(browser, contacts(1, 3))
    page = await browser.submit(first.form(f"{HOME}/start"), {"me": "1"})
    assert page.status == 409
    assert "Another file came meanwhile" in page.text
    assert await records(house) == []
    form = page.form(f"{HOME}/start")
    assert form.fields["me"] == ""
    stale = await browser.submit(page.form(having="language"), {"me": "1"}, button="language=de")
    assert stale.form(f"{HOME}/start").fields["me"] == "1"
    await upload(browser, ADA)
    assert (await browser.get(stale.url)).form(f"{HOME}/start").fields["me"] == ""
    page = await browser.get(f"{HOME}/preview")
    await browser.submit(page.form(f"{HOME}/start"), {"me": "1"})
    assert "Du bist Ada Example." in (await finished(browser)).text


@pytest.mark.requirement("DSH-46", "HTTP-44")
@pytest.mark.asyncio
async def test_who_becomes_the_person_under_a_live_relationship_takes_a_proof(
    house: House, browser: Browser
) -> None:
    """Sixty people come before the one who is chosen: the choice is on the page that comes again all the same."""
    await house.import_file(ADA, me="Ada Example")
    held = await house.relate([about_me("name")])
    await upload(browser, contacts(1, 60) + EVE)
    page = await browser.submit(
        (await browser.get(f"{HOME}/preview")).form(f"{HOME}/preview"), {"who": "Eve"}
    )
    number = next(given["value"] for tag, given in page.tags if given.get("name") == "me" and given["value"])
    asked = await browser.submit(page.form(f"{HOME}/start"), {"me": number, "into": "switch"})
    assert (asked.status, "Nothing was brought in yet" in asked.text) == (403, True)
    form = asked.form(f"{HOME}/start")
    assert (form.fields["me"], form.fields["into"]) == (number, "switch")
    wrong = await browser.submit(form, {"passphrase": "not it"})
    assert (wrong.status, "This is not your passphrase" in wrong.text) == (403, True)
    assert wrong.form(f"{HOME}/start").fields["me"] == number
    assert len(await records(house)) == 1
    await browser.submit(wrong.form(f"{HOME}/start"), {"passphrase": PASSPHRASE})
    assert "You are Eve Other." in (await finished(browser)).text
    assert [one["name"] for one in await held.contents("me")] == ["Eve Other"]


@pytest.mark.requirement("DSH-46")
@pytest.mark.asyncio
async def test_who_stays_the_person_proves_nothing(house: House, browser: Browser) -> None:
    await house.import_file(ADA, me="Ada Example")
    await house.relate([about_me("name")])
    for me in (
        "",
        "1",
        "2",
    ):  # nobody new, the one it is already, and a card that is put into that one's record
        page = await upload(browser, ADA + EVE)
        await browser.submit(page.form(f"{HOME}/start"), {"me": me})
        assert "You are Ada Example." in (await finished(browser)).text


@pytest.mark.requirement("DSH-55")
@pytest.mark.asyncio
@pytest.mark.parametrize("into", ["fill", "switch"])
async def test_whom_the_node_knows_stays_one_entry_unless_they_say_otherwise(
    house: House, browser: Browser, into: str
) -> None:
    content = {"type": "Person", "name": "Ada E."}
    typed = (await house.own("POST", "/records", {"content": content}))["id"]
    await house.own("PUT", "/self", {"record": typed})
    page = await upload(browser, ADA)
    assert "Leave it as it is: you are Ada E." in page.text
    assert "If this is you, your own entry gets: " in page.text
    assert "It keeps its own: Name." in page.text
    form = page.form(f"{HOME}/start")
    assert (form.fields["me"], form.fields["into"]) == ("", "fill")
    wrong = await browser.submit(form, {"me": "7", "into": into})
    assert wrong.form(f"{HOME}/start").fields["into"] == into
    await browser.submit(form, {"me": "1", "into": into})
    done = await finished(browser)
    assert ("Your own entry got: " in done.text) is (into == "fill")
    assert f"You are {'Ada E.' if into == 'fill' else 'Ada Example'}." in done.text
    assert {one["id"]: one["self"] for one in await records(house)}[typed] is (into == "fill")
    assert len(await records(house)) == (1 if into == "fill" else 2)
    page = await upload(browser, ADA)
    assert "This is your own entry already." in page.text
    assert "into" not in page.form(f"{HOME}/start").fields


@pytest.mark.requirement("DSH-56")
@pytest.mark.asyncio
async def test_the_same_file_twice_brings_nothing_new(house: House, browser: Browser) -> None:
    for said in ("was brought in", "There was nothing new in book.vcf"):
        page = await upload(browser, contacts(1, 5))
        await browser.submit(page.form(f"{HOME}/start"))
        assert said in (await finished(browser)).text
    assert "nothing new in this file" in (await upload(browser, contacts(1, 5))).text
    assert len(await records(house)) == 5


@pytest.mark.requirement("DSH-56")
@pytest.mark.asyncio
async def test_an_import_says_how_far_it_is_and_runs_once(
    house: House, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = (await upload(browser, contacts(1, 250))).form(f"{HOME}/start")
    parts_written, go = 0, asyncio.Event()
    write = house.node.records._write_part

    async def held_up(*given: Any, **more: Any) -> Any:
        nonlocal parts_written
        if parts_written:
            await go.wait()
        parts_written += 1
        return await write(*given, **more)

    monkeypatch.setattr(house.node.records, "_write_part", held_up)
    page = await browser.submit(form)
    while not parts_written or "100 of 250 (40 %)" not in page.text:
        page = await browser.get(f"{HOME}/progress")
    assert page.headers["Refresh"] == "3"
    assert "Choose the same file again" in page.text
    assert (await browser.submit(form)).url.endswith(f"{HOME}/progress")
    assert (await browser.get(HOME)).url.endswith(f"{HOME}/progress")
    assert (await upload(browser, ADA)).url.endswith(f"{HOME}/progress")
    assert (await browser.post(f"{HOME}/cancel", form.fields)).url.endswith(f"{HOME}/progress")
    go.set()
    page = await finished(browser)
    assert "250 New" in page.text
    assert "Refresh" not in page.headers
    assert parts_written == 3


@pytest.mark.requirement("DSH-56")
@pytest.mark.asyncio
async def test_what_was_broken_off_goes_on_with_the_same_file(
    house: House, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = (await upload(browser, contacts(1, 250))).form(f"{HOME}/start")
    write = house.node.records._write_part
    written = 0

    async def fails(*given: Any, **more: Any) -> Any:
        nonlocal written
        if written == 2:
            raise OSError("secret of the machine room")
        written += 1
        return await write(*given, **more)

    monkeypatch.setattr(house.node.records, "_write_part", fails)
    await browser.submit(form)
    page = await finished(browser)
    assert "It was broken off" in page.text
    assert "Choose the same file again" in page.text
    assert "machine room" not in page.html
    assert len(await records(house)) == 200
    monkeypatch.setattr(house.node.records, "_write_part", write)
    page = await upload(browser, contacts(1, 250))
    assert "50 New" in page.text
    await browser.submit(page.form(f"{HOME}/start"))
    assert "50 New" in (await finished(browser)).text
    assert len(await records(house)) == 250


@pytest.mark.requirement("DSH-56")
@pytest.mark.asyncio
async def test_after_a_restart_the_page_says_what_to_do(browser: Browser) -> None:
    page = await browser.get(f"{HOME}/progress")
    assert page.status == 200
    assert "what was brought in by then stays" in page.text


# Tables


@pytest.mark.requirement("DSH-57")
@pytest.mark.asyncio
async def test_a_table_is_read_as_the_person_says(house: House, browser: Browser) -> None:
    page = await upload(browser, ORDERS, "orders.csv")
    assert page.url.endswith(f"{HOME}/columns")
    assert "Each row becomes: Order" in page.text
    assert "One column is left out: Mystery" in page.text
    assert (await browser.get(f"{HOME}/preview")).url.endswith(f"{HOME}/columns")
    form = page.form(f"{HOME}/columns")
    wrong = await browser.submit(form, {"mapping": "what = [ is this"})
    assert wrong.status == 400
    assert wrong.form(f"{HOME}/columns").fields["mapping"].strip() == "what = [ is this"
    assert await records(house) == []
    page = await browser.submit(form)
    assert "2 New" in page.text
    await browser.submit(page.form(f"{HOME}/start"))
    assert "2 New" in (await finished(browser)).text
    assert {one["type"] for one in await records(house)} == {"Order"}


@pytest.mark.requirement("DSH-54")
@pytest.mark.asyncio
async def test_a_changed_layout_is_named(house: House, browser: Browser) -> None:
    form = (await upload(browser, ORDERS, "orders.csv")).form(f"{HOME}/columns")
    mapping = form.fields["mapping"]
    other = ORDERS.replace(b"2026-01-02", b"02/01/26").replace(b"2026-01-03", b"tomorrow")
    page = await upload(browser, other, "orders.csv")
    page = await browser.submit(page.form(f"{HOME}/columns"), {"mapping": mapping})
    assert "looks different from what its description says" in page.text
    assert "Order Date" in page.text
    page = await upload(browser, ORDERS.replace(b"Product Name", b"Ware"), "orders.csv")
    page = await browser.submit(page.form(f"{HOME}/columns"), {"mapping": mapping})
    assert page.status == 400
    assert "Product Name" in page.text
    assert await records(house) == []


# What is forgotten when


@pytest.mark.requirement("DSH-52")
@pytest.mark.asyncio
@pytest.mark.parametrize("how", ["cancel", "sign out", "everywhere", "time", "another", "stop"])
async def test_a_file_is_forgotten(house: House, browser: Browser, how: str) -> None:
    page = await upload(browser, ADA)
    form = page.form(f"{HOME}/start")
    assert not nothing_is_held(house)
    if how == "cancel":
        page = await browser.submit(page.form(f"{HOME}/cancel"))
        assert "The file was forgotten" in page.text
    elif how == "sign out":
        await browser.submit(page.form("/my/sign-out"))
    elif how == "everywhere":
        await house.node.devices.sign_out_everywhere()
    elif how == "time":
        assert house.clock
        house.clock.advance(15 * 60)
        page = await browser.submit(form)
        assert "no file waiting" in page.text
    elif how == "another":
        await upload(browser, b"\x89PNG")
    else:
        await house.node.uploads.close()
    assert nothing_is_held(house)
    assert await records(house) == []


@pytest.mark.requirement("DSH-52")
@pytest.mark.asyncio
async def test_files_are_of_one_session_and_few(house: House, browser: Browser) -> None:
    await upload(browser, ADA)
    for _ in range(3):
        async with open_browser(house) as other:
            await other.sign_in()
            assert "no file waiting" in (await other.get(f"{HOME}/preview")).text
            await upload(other, ADA)
    assert len(house.node.uploads._held) == 3
    assert "no file waiting" in (await browser.get(f"{HOME}/preview")).text
