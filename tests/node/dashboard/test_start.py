"""The first start in the browser, over real HTTP: one browser, nothing half-made, and the node takes over."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from browse import Browser, Seen, read_page
from freehold_node.app import Node, open_node
from freehold_node.config import Config
from freehold_node.dashboard.page import HEADERS
from freehold_node.data_dir import make_data_dir, read_generation
from freehold_node.first_start import FirstStart, bind
from freehold_node.keystore import open_keystore
from freehold_node.recovery_sheet import seed_to_code
from freehold_node.setting_up import UPLOAD
from harness import ADA, PASSPHRASE, free_port, open_house

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and modes")
WORDS = {"new_passphrase": "four words that hold", "again": "four words that hold"}


class Start:
    """A first start that runs, and what came of it."""

    def __init__(self, folder: Path, start: FirstStart) -> None:
        self.folder, self.start = folder, start
        self.base = start.link.partition("/my/")[0]
        self.node: Node | None = None
        self.handed_over = asyncio.Event()

    async def take_over(self) -> None:
        keys = await self.start.keys()
        async with open_node(self.start._config, keys) as node:
            await self.start.hand_over(node)
            self.node = node
            self.handed_over.set()
            await asyncio.Event().wait()


@asynccontextmanager
async def starting(folder: Path) -> AsyncIterator[Start]:
    """Give a first start at a free port, whose node takes over when it may."""
    listening = bind("127.0.0.1", 0)
    port = listening.getsockname()[1]
    config = Config(data_dir=folder, port=port, origins=(f"http://127.0.0.1:{port}",))
    async with FirstStart(config, at=listening) as start:
        made = Start(folder, start)
        taking = asyncio.create_task(made.take_over())
        try:
            yield made
        finally:
            taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)


@asynccontextmanager
async def browser_at(base: str) -> AsyncIterator[Browser]:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar, headers={"Accept-Language": "en"}) as session:
        nobody: Any = None
        yield Browser(nobody, session, base)


async def begun(browser: Browser, link: str, way: str = "new") -> Seen:
    page = await browser.get(link)
    return await browser.submit(page.form("/my/start"), button=f"way={way}")


async def at_the_sheet(browser: Browser, link: str) -> Seen:
    page = await begun(browser, link)
    return await browser.submit(page.form("/my/start/passphrase"), WORDS)


def code_on(page: Seen) -> str:
    lines = re.findall(r"<li><code>([0-9A-Z ]+)</code></li>", page.html)
    assert len(lines) == 3
    return "\n".join(lines)


def left_in(folder: Path) -> set[str]:
    return {one.name for one in folder.iterdir()} if folder.is_dir() else set()


@pytest.mark.requirement("DSH-62")
@pytest.mark.requirement("DSH-63")
@pytest.mark.requirement("DSH-65")
@pytest.mark.asyncio
async def test_from_the_link_to_the_first_data(tmp_path: Path) -> None:
    async with starting(tmp_path / "node") as it, browser_at(it.base) as browser:
        page = await at_the_sheet(browser, it.start.link)
        code = code_on(page)
        assert "does not bring back" in page.text
        page = await browser.submit(page.form("/my/start/sheet"))  # without the box
        assert (page.status, code_on(page)) == (422, code)
        assert left_in(tmp_path) == set()
        page = await browser.submit(page.form("/my/start/sheet"), {"kept": "yes"})
        assert page.url.endswith("/my/data/first")
        assert page.status == 200
        seed = open_keystore(it.folder, WORDS["again"]).seed
        assert seed_to_code(seed) == code
        assert it.node is not None
        (session,) = await it.node.devices.listed()
        assert session.proved_us
        page = await browser.submit(
            page.form("/my/data/first"),
            {"name": "Ada Lovelace", "email": "ada@example.com", "address.postalCode": "EX1 2AB"},
        )
        assert "This is you from now on" in page.text
        page = await browser.get("/my/data/first")
        assert "Ada Lovelace" in page.text
        assert code not in (await browser.get("/my/start/sheet")).html


@pytest.mark.requirement("DSH-68")
@pytest.mark.asyncio
async def test_these_pages_are_gone_afterwards(tmp_path: Path) -> None:
    async with starting(tmp_path / "node") as it, browser_at(it.base) as browser:
        page = await at_the_sheet(browser, it.start.link)
        await browser.submit(page.form("/my/start/sheet"), {"kept": "yes"})
        async with browser_at(it.base) as other:
            for path in ("/my/start", "/my/start/sheet", it.start.link):
                page = await other.get(path)
                assert "/my/enter" in page.url
            assert (await other.post("/my/start", {"way": "new", "link": it.start.set_up.link})).status == 404


@pytest.mark.requirement("DSH-60")
@pytest.mark.asyncio
async def test_the_link_is_used_up_by_one_browser(tmp_path: Path) -> None:
    async with (
        starting(tmp_path / "node") as it,
        browser_at(it.base) as browser,
        browser_at(it.base) as other,
    ):
        looked = await other.get(it.start.link)  # looking alone does not use it up
        await begun(browser, it.start.link)
        for page in (
            await other.submit(looked.form("/my/start"), button="way=new"),
            await other.get(it.start.link),
            await other.get("/my/start/sheet"),
            await other.get("/my/today"),
        ):
            assert (page.status, "another browser" in page.text) == (403, True)
        assert (await browser.get(it.start.link)).url.endswith("/my/start")
        assert (await browser.get("/my/today")).url.endswith("/my/start")


@pytest.mark.asyncio
async def test_another_link_begins_nothing(tmp_path: Path) -> None:
    async with starting(tmp_path / "node") as it, browser_at(it.base) as browser:
        page = await browser.get("/my/start/" + "x" * 43)
        assert (page.status, "not the link" in page.text) == (403, True)
        assert (await browser.post("/my/start", {"way": "new", "link": "x" * 43})).status == 403
        assert not it.start.set_up.is_begun


@pytest.mark.requirement("DSH-61")
@pytest.mark.asyncio
async def test_the_door_is_that_of_the_dashboard(tmp_path: Path) -> None:
    async with starting(tmp_path / "node") as it, browser_at(it.base) as browser:
        page = await browser.get(it.start.link)
        assert {name: page.headers[name] for name in HEADERS} == HEADERS
        assert (await browser.get(it.start.link, headers={"Host": "evil.example"})).status == 421
        form = page.form("/my/start").fields | {"way": "new"}
        for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            assert (await browser.post("/my/start", form, headers=headers)).status == 401
        assert not it.start.set_up.is_begun
        page = await at_the_sheet(browser, it.start.link)
        fields = page.form("/my/start/sheet").fields | {"kept": "yes"}
        assert (await browser.post("/my/start/sheet", fields | {"csrf": "x"})).status == 401
        assert left_in(tmp_path) == set()


@pytest.mark.requirement("DSH-64")
@pytest.mark.parametrize(
    ("typed", "again", "said"),
    [
        ("", "", "no passphrase yet"),
        ("first try", "second try", "not the same"),
        ("ü" * 513, "ü" * 513, "longer than 1,024"),
        (" first try", "first try ", "not the same"),
    ],
)
@pytest.mark.asyncio
async def test_a_passphrase_that_is_not_taken(tmp_path: Path, typed: str, again: str, said: str) -> None:
    async with starting(tmp_path / "node") as it, browser_at(it.base) as browser:
        page = await begun(browser, it.start.link)
        page = await browser.submit(
            page.form("/my/start/passphrase"), {"new_passphrase": typed, "again": again}
        )
        assert (page.status, said in page.text) == (422, True)
        assert typed == "" or typed not in page.html
        assert (await browser.get("/my/start/sheet")).url.endswith("/my/start/passphrase")


@pytest.mark.requirement("DSH-65")
@pytest.mark.asyncio
async def test_a_form_sent_twice_makes_one_node(tmp_path: Path) -> None:
    async with starting(tmp_path / "node") as it, browser_at(it.base) as browser:
        page = await at_the_sheet(browser, it.start.link)
        fields = page.form("/my/start/sheet").fields | {"kept": "yes"}
        answers = await asyncio.gather(
            *(browser.post("/my/start/sheet", fields, follow=False) for _ in range(2)), return_exceptions=True
        )
        await it.handed_over.wait()
        led = [one.headers["Location"] for one in answers if isinstance(one, Seen) and one.status == 303]
        assert "/my/data/first" in led
        assert it.node is not None
        assert len(await it.node.devices.listed()) == 1
        assert (await browser.get("/my/data/first")).status == 200


@pytest.mark.requirement("DSH-66")
@pytest.mark.asyncio
async def test_a_recovery_sheet_makes_the_same_keys_again(tmp_path: Path) -> None:
    seed = bytes(range(32))
    async with starting(tmp_path / "node") as it, browser_at(it.base) as browser:
        page = await begun(browser, it.start.link, "sheet")
        code = seed_to_code(seed)
        wrong = code.replace(code[6], "Z" if code[6] != "Z" else "Y", 1)
        page = await browser.submit(page.form("/my/start/recover"), {"code": wrong, **WORDS})
        assert (page.status, "group" in page.text, wrong in page.html) == (422, True, False)
        page = await browser.submit(page.form("/my/start/recover"), {"code": code.lower(), **WORDS})
        assert (page.status, "Your keys are back" in page.text) == (200, True)
        assert open_keystore(it.folder, WORDS["again"]).seed == seed
        assert read_generation(it.folder) > 1_000_000_000


@pytest.mark.requirement("DSH-66")
@pytest.mark.asyncio
async def test_data_without_keys_takes_the_right_sheet(tmp_path: Path) -> None:
    folder = tmp_path / "node"
    async with open_house(folder) as house:
        await house.import_file(ADA, me="Ada Example")
    seed = open_keystore(folder, PASSPHRASE).seed
    (folder / "keystore.json").unlink()
    before = left_in(folder)
    async with starting(folder) as it, browser_at(it.base) as browser:
        page = await browser.get(it.start.link)
        assert 'value="new"' not in page.html
        page = await browser.submit(page.form("/my/start"), button="way=sheet")
        page = await browser.submit(
            page.form("/my/start/recover"), {"code": seed_to_code(bytes(32)), **WORDS}
        )
        assert page.status == 409
        assert left_in(folder) == before
        page = await browser.get("/my/start/recover")
        page = await browser.submit(page.form("/my/start/recover"), {"code": seed_to_code(seed), **WORDS})
        assert (page.status, "Ada Example" in page.text) == (200, True)


async def backup_of(folder: Path) -> bytes:
    async with open_house(folder) as house:
        await house.import_file(ADA, me="Ada Example")
        reply = await house.owner("POST", "/backup", {"passphrase": PASSPHRASE})
        assert reply.status == 200
        return reply.body


async def upload(browser: Browser, page: Seen, passphrase: str, data: bytes | None, *, key: str = "") -> Seen:
    """Send the form of the backup as a browser does."""
    form = page.form("/my/start/backup")
    with aiohttp.MultipartWriter("form-data") as parts:
        fields = form.fields | {"passphrase": passphrase} | ({"csrf": key} if key else {})
        for name, value in fields.items():
            parts.append(value).set_content_disposition("form-data", name=name)
        file = parts.append(data or b"", {"Content-Type": "application/octet-stream"})
        file.set_content_disposition("form-data", name="file", filename="ada.backup" if data else "")
        sent = {"Origin": browser.base, "Sec-Fetch-Site": "same-origin"}
        url = f"{browser.base}/my/start/backup"
        async with browser.session.post(url, data=parts, headers=sent, allow_redirects=False) as answer:
            html = (await answer.read()).decode()
            if answer.status == 303:
                return await browser.get(answer.headers["Location"])
            return read_page(url, answer.status, answer.headers, html)


@pytest.mark.requirement("DSH-67")
@pytest.mark.asyncio
async def test_a_backup_comes_back_and_a_wrong_passphrase_can_be_tried_again(tmp_path: Path) -> None:
    data = await backup_of(tmp_path / "then")
    folder = tmp_path / "node"
    async with starting(folder) as it, browser_at(it.base) as browser:
        page = await begun(browser, it.start.link, "backup")
        page = await upload(browser, page, "wrong", None)
        assert (page.status, "No file was chosen" in page.text) == (422, True)
        for passphrase, file in (("wrong", data), ("wrong again", None)):
            page = await upload(browser, page, passphrase, file)
            assert (page.status, "does not open" in page.text) == (403, True)
            assert left_in(folder) == {UPLOAD}
            if os.name == "posix":
                assert (folder / UPLOAD).stat().st_mode & 0o777 == 0o600
        page = await upload(browser, page, PASSPHRASE, None)
        assert "Your backup is in place" in page.html or page.url.split("?")[0].endswith("/my/relationships")
        assert it.node is not None
        assert (await it.node.inspection.status_of_node())["records"] == 1
        assert UPLOAD not in left_in(folder)


@pytest.mark.requirement("DSH-67")
@pytest.mark.asyncio
async def test_a_broken_backup_leaves_nothing(tmp_path: Path) -> None:
    data = await backup_of(tmp_path / "then")
    folder = tmp_path / "node"
    async with starting(folder) as it, browser_at(it.base) as browser:
        page = await begun(browser, it.start.link, "backup")
        middle = len(data) // 2
        for broken in (
            b"PK\x03\x04" + b"x" * 5000,
            data[:-100],
            data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
        ):
            page = await upload(browser, page, PASSPHRASE, broken)
            assert (page.status, "damaged" in page.text) == (422, True)
            assert left_in(folder) == set()
        answer = await upload(browser, page, PASSPHRASE, data, key="x")
        assert answer.status == 401  # of another start: not a byte of the file is taken
        assert left_in(folder) == set()


@pytest.mark.asyncio
async def test_an_upload_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "node"
    async with starting(folder) as it, browser_at(it.base) as browser:
        page = await begun(browser, it.start.link, "backup")
        key = page.form("/my/start/backup").fields["csrf"]
        cookie = "; ".join(f"{one.key}={one.value}" for one in browser.session.cookie_jar)
        head = (
            f'--b\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n{key}\r\n--b\r\n'
            'Content-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
        ).encode()
        host, _, port = it.base.removeprefix("http://").partition(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(
            (
                f"POST /my/start/backup HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: {it.base}\r\n"
                f"Cookie: {cookie}\r\nContent-Type: multipart/form-data; boundary=b\r\n"
                "Content-Length: 9999999\r\n\r\n"
            ).encode()
            + head
            + b"x" * 600_000
        )
        await writer.drain()
        async with asyncio.timeout(20):
            while not left_in(folder):
                await asyncio.sleep(0.01)
            writer.close()
            while left_in(folder):
                await asyncio.sleep(0.01)
        assert it.start.set_up.uploaded is None


# The command


@asynccontextmanager
async def command(*arguments: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """Run freehold until the context ends, and give the link that it prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "freehold_node", *arguments, "--no-browser",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        link = None
        async with asyncio.timeout(60):
            while link is None:
                line = (await process.stdout.readline()).decode()
                assert line, "it ended"
                link = re.search(r"http://localhost:\d+/my/\S+", line)
        yield process, link[0]
    finally:
        if process.returncode is None:
            process.terminate()  # so that a demonstration removes its folder
        await process.communicate()


@POSIX
@pytest.mark.requirement("DSH-62")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.asyncio
async def test_stopped_in_the_middle_the_next_start_begins_again(
    tmp_path: Path, number: signal.Signals
) -> None:
    folder, port = tmp_path / "node", str(free_port())
    serve = ("serve", "--data-dir", str(folder), "--port", port)
    async with command(*serve) as (process, link), browser_at(link.partition("/my/")[0]) as browser:
        first = code_on(await at_the_sheet(browser, link))
        process.send_signal(number)
        await process.wait()
    assert not folder.exists()
    async with command(*serve) as (process, link), browser_at(link.partition("/my/")[0]) as browser:
        page = await at_the_sheet(browser, link)
        assert code_on(page) != first
        page = await browser.submit(page.form("/my/start/sheet"), {"kept": "yes"})
        assert page.url.endswith("/my/data/first")
        process.send_signal(signal.SIGTERM)
        out, _ = await process.communicate()
        assert process.returncode == 0
        assert out.decode().endswith("Stopped.\n")


@POSIX
@pytest.mark.asyncio
async def test_an_upload_of_a_start_that_was_killed_is_removed_by_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "node"
    make_data_dir(folder)
    (folder / UPLOAD).write_bytes(b"x")
    async with starting(folder):
        assert left_in(folder) == set()


@POSIX
@pytest.mark.requirement("DSH-73")
@pytest.mark.parametrize("keeps", [False, True])
@pytest.mark.asyncio
async def test_the_demonstration_says_what_it_removes_and_does_it(tmp_path: Path, keeps: bool) -> None:
    folder = tmp_path / "kept"
    more = ["--folder", str(folder)] if keeps else []
    async with (
        command("demo", "--port", "0", *more) as (process, link),
        browser_at(link.partition("/my/")[0]) as browser,
    ):
        page = await browser.get(link)
        assert ("all of it is deleted" in page.text) is not keeps
        assert "Sample" in page.text
        page = await at_the_sheet(browser, link)
        await browser.submit(page.form("/my/start/sheet"), {"kept": "yes"})
        process.send_signal(signal.SIGINT)
        out = (await process.communicate())[0].decode()
        assert process.returncode == 0
    if keeps:
        assert f"FREEHOLD_DATA={folder / 'node'}" in out
        assert open_keystore(folder / "node", WORDS["again"])
    else:
        (told,) = re.findall(r"what you type: (\S+)", out)
        assert not Path(told).exists()
        assert "nothing of it is left" in out


@POSIX
@pytest.mark.requirement("DSH-69")
@pytest.mark.requirement("DSH-72")
@pytest.mark.requirement("DSH-74")
@pytest.mark.requirement("DSH-70")
@pytest.mark.requirement("DSH-71")
@pytest.mark.asyncio
async def test_the_sample_is_marked_and_its_processes_end_when_it_is_removed(tmp_path: Path) -> None:
    async with (
        command("demo", "--port", "0") as (process, link),
        browser_at(link.partition("/my/")[0]) as browser,
    ):
        page = await at_the_sheet(browser, link)
        page = await browser.submit(page.form("/my/start/sheet"), {"kept": "yes"})
        page = await browser.submit(page.form("/my/data/first/invented"))
        assert 'aria-current="step"' in page.html
        shop = page.links["To the sample shop (opens in a new window)"]
        async with browser.session.get(shop) as answer:
            assert "Sample" in await answer.text()
            assert (
                f'href="{browser.base.replace("127.0.0.1", "localhost")}/my/today#first-steps"'
                in await answer.text()
            )
        assert "/my/sample/remove" not in page.html
        page = await browser.get("/my/settings/sample")
        assert "both programs end" in page.text
        assert "The sample is gone" in (await browser.submit(page.form("/my/sample/remove"))).text
        page = await browser.submit(page.form("/my/sample/remove"))
        assert "The sample is gone" in page.text
        assert "Nobody can read anything now" in page.text
        assert process.stdout is not None
        async with asyncio.timeout(30):
            while "are gone" not in (await process.stdout.readline()).decode():
                pass
        with pytest.raises(aiohttp.ClientConnectionError):
            await browser.session.get(shop)
        assert (await browser.get("/my/data/first")).form("/my/data/first").fields["name"] == ""
