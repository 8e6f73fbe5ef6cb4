"""Every page of the dashboard, as it looks on a node that is in use: judged by axe-core, by keyboard, and pictured.

A page that is added to the table of routes is walked without a line here. If its path has a part with a new name,
``VALUES`` says what to put there; what stands in ``MORE`` is walked as well.

Every page is judged by everything, in one look of those that there are: the next page in the next look. With
``--thorough``, as in CI, every page in every look. Its words are read in both languages always.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from typing import Final

import pytest
import pytest_asyncio
from axe_core import Axe
from browsing import (
    LOOKS,
    NARROW,
    NARROW_DARK,
    Enter,
    Look,
    Visitor,
    address_of,
    open_visitor,
    overflowing,
    screenshot,
    sign_in,
    take_look,
)
from by_keyboard import by_keyboard
from freehold_node.dashboard.routes import PAGES
from furnished import Furnished
from playwright.async_api import Browser

pytestmark = pytest.mark.asyncio(loop_scope="session")

VALUES: Final[dict[str, Callable[[Furnished], Sequence[str]]]] = {
    "link": lambda node: [node.house.node.devices.new_link()],
    "request": lambda node: [node.waiting, node.hostile, node.refused],
    "grant": lambda node: [node.live.grant, node.paused.grant, node.ended.grant],
    "record": lambda node: [node.person.removeprefix("urn:uuid:")],
    "number": lambda _: ["0", "2"],
    "type": lambda _: ["Person", "Event"],
    "passkey": lambda node: [node.passkey],
}
"""What a part of a path stands for, by its name: the ids of the furnished node for which the page is walked."""
MORE: Final[tuple[str, ...]] = ("/my/ledger?span=all", "/my/ledger?span=day&kind=refused")
"""Addresses beside those of the table, such as a page with a query."""
NO_PAGES: Final = frozenset({"/", "/my", "/my/live", "/my/{rest:.*}", "/my/start", "/my/start/{rest:.*}"})
"""Of the table: what has no page of its own."""
FILES: Final = ("/download", "/receipt")
"""How paths end under which a file comes."""
STRANGERS: Final = ("/my/enter",)
"""How paths begin that are opened by who is not signed in yet."""
MOST_BYTES: Final = 200_000
_PART = re.compile(r"\{(\w+)(?::(?:[^{}]|\{[^{}]*\})*)?\}")
_JARGON = re.compile(
    r"\b(DIDs?|[Cc]apabilit\w*|JSON-LD|[Tt]okens?|[Pp]ods?|ZCAP\S*|[Ee]pochs?|Epochen?|did:\w+:\S*|urn:uuid:\S*)\b"
)
"""What a person never sees unless they unfold the details."""
PATHS: Final = [
    route.path
    for route in PAGES
    if route.method == "GET"
    and route.path not in NO_PAGES
    and not route.path.endswith(FILES)
    and "/static/" not in route.path
]


def addresses(path: str, node: Furnished) -> list[str]:
    """Return the addresses at which a page of the table is walked."""
    made = [path]
    while part := _PART.search(made[0]):
        values = VALUES.get(part[1])
        if values is None:
            pytest.fail(f"{path}: say in VALUES of this file what {{{part[1]}}} is on a furnished node")
        made = [one[: part.start()] + value + one[part.end() :] for one in made for value in values(node)]
    return made


Walk = Callable[..., Awaitable[Visitor]]
"""What the fixture ``walk`` gives: takes a path, a language and whether scripts run."""


@pytest.fixture(params=[*PATHS, *MORE])
def path(request: pytest.FixtureRequest) -> str:
    given: str = request.param
    return given


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def visitors(browser: Browser, furnished: Furnished) -> AsyncIterator[Walk]:
    """Who walks from page to page: somebody signed in and somebody who is not, in each language, made when needed."""
    met: dict[tuple[bool, str, bool], Visitor] = {}
    async with AsyncExitStack() as opened:

        async def walk(path: str, language: str = "en-GB", *, javascript: bool = True) -> Visitor:
            who = (path.startswith(STRANGERS), language, javascript)
            if who not in met:
                made = open_visitor(
                    browser, address_of(furnished.house), language=language, javascript=javascript
                )
                met[who] = await opened.enter_async_context(made)
                if not who[0]:
                    await sign_in(met[who], furnished.house)
            return met[who]

        yield walk


@pytest_asyncio.fixture(loop_scope="session")
async def walk(visitors: Walk) -> AsyncIterator[Walk]:
    """The same, of whom trouble fails the test in which it came up."""
    met: list[Visitor] = []

    async def come(path: str, *given: str, **options: bool) -> Visitor:
        met.append(await visitors(path, *given, **options))
        return met[-1]

    yield come
    for visitor in met:
        try:
            await visitor.check()
        finally:
            visitor.trouble.clear()


async def pages(visitor: Visitor, path: str, node: Furnished) -> AsyncIterator[tuple[int, str]]:
    """Lead the visitor to each address of a path that is a page and no file: its number, and itself.

    Every one must be there, and be of a decent size.
    """
    for number, address in enumerate(addresses(path, node)):
        answer = await visitor.context.request.get(visitor.base + address)
        assert answer.status == 200, (address, answer.status)
        if answer.headers["content-type"].startswith("text/html"):
            assert len(await answer.body()) <= MOST_BYTES, address
            await visitor.go(address)
            yield number, address


def taken(looks: Sequence[Look], path: str, number: int, thorough: bool) -> Iterator[Look]:
    """Give the looks in which an address of a path is judged: by default one, in turn."""
    turn = ([*PATHS, *MORE].index(path) + number) % len(looks)
    yield from looks if thorough else [looks[turn]]


async def test_it_is_accessible(
    path: str, furnished: Furnished, walk: Walk, axe: Axe, thorough: bool
) -> None:
    visitor = await walk(path)
    async for number, address in pages(visitor, path, furnished):
        assert await axe(visitor.page, looks=[*taken(LOOKS, path, number, thorough)]) == [], address


async def test_everything_is_reached_by_keyboard(
    path: str, furnished: Furnished, walk: Walk, thorough: bool
) -> None:
    visitor = await walk(path)
    async for number, address in pages(visitor, path, furnished):
        for look in taken((NARROW, NARROW_DARK), path, number, thorough):
            await take_look(visitor.page, look)
            assert await by_keyboard(visitor.page) == [], (address, look.name)


@pytest.mark.parametrize("language", ["en", "de"])
async def test_it_says_what_it_is_for_in_plain_words_on_every_screen(
    path: str, furnished: Furnished, walk: Walk, language: str
) -> None:
    """Without JavaScript, so that what it shows is there without."""
    visitor = await walk(path, language, javascript=False)
    page = visitor.page
    async for number, address in pages(visitor, path, furnished):
        assert await page.locator("html").get_attribute("lang") == language
        assert len(await page.locator("h1").all_inner_texts()) == 1
        assert (await page.locator("main .lead").inner_text()).strip(), (
            f"{address} does not say what it is for"
        )
        assert _JARGON.findall(await page.locator("body").inner_text()) == [], address
        assert await overflowing(page) == [], address
        await screenshot(page, f"{name_of(path)}{number or ''}.{language}")


async def test_what_is_not_there_is_a_page_too(furnished: Furnished, enter: Enter, axe: Axe) -> None:
    person = await enter(furnished.house)
    person.allow("status of 404")
    assert (await person.go("/my/nothing/of/the/kind")).status == 404
    assert await axe(person.page) == []
    assert await by_keyboard(person.page) == []
    await screenshot(person.page, "not-there.en")


def name_of(path: str) -> str:
    """Return a file's name for a path, ``my-requests-request``."""
    plain = re.sub(r"[^\w]+", "-", _PART.sub(r"\1", path)).strip("-")
    return plain or "begin"
