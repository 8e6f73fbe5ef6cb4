"""The walk with the Tab key finds what is planted in a small page."""

from __future__ import annotations

import pytest
from browsing import Visit
from by_keyboard import by_keyboard, reach
from small_page import Stage, open_page

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.parametrize(
    ("body", "style", "script", "faults"),
    [
        ("<div class='b'>Buy</div>", ".b { cursor: pointer }", "", ['div "Buy" is for the pointer alone']),
        (
            "<div class='b'>Buy</div>",
            "",
            "document.querySelector('.b').addEventListener('click', () => {})",
            ['div "Buy" is for the pointer alone'],
        ),
        (
            "<div class='b' role='button'>Buy</div>",
            "",
            "",
            ['div[role=button] "Buy" is not reached by Tab'],
        ),
        (
            "<div role='button' tabindex='0'>Buy</div>",
            "",
            "",
            [f'div[role=button] "Buy" does nothing on {key}' for key in ("Enter", "Space")],
        ),
        (
            "<div role='button' tabindex='0'>Buy</div>",
            "",
            "document.querySelector('div').addEventListener('keydown', e => { e.target.click() })",
            [],
        ),
        ("<button tabindex='-1'>Buy</button>", "", "", ['button "Buy" is not reached by Tab']),
        (
            "<button>Buy</button>",
            "button:focus-visible { outline: none }",
            "",
            ['button "Buy" shows no focus: neither outline nor shadow changes'],
        ),
        (
            "<button>Buy</button>",
            "button:focus-visible { outline-color: transparent }",
            "",
            ['button "Buy" shows no focus: neither outline nor shadow changes'],
        ),
        (
            "<button>Buy</button>",
            "button:focus-visible { outline-color: #ddd }",
            "",
            ['button "Buy" has a focus ring of contrast 1.4, less than 3'],
        ),
        ("<button>Buy</button>", "button:focus-visible { outline: none; box-shadow: 0 0 0 3px }", "", []),
        ("<a href='/x'>One</a> <a href='/y'>Two</a>", "a:focus-visible { outline: revert }", "", []),
        (
            "<label><input type='checkbox'> Yes</label>",
            "input { opacity: 0; outline: none !important } label:has(:focus-visible) { outline: 2px solid }",
            "",
            [],
        ),
        (
            "<button>Buy</button><p>Covered</p>",
            "p { position: fixed; inset: 0; margin: 0; background: white }",
            "",
            ['button "Buy" is covered by something else when it has the focus'],
        ),
        (
            "<button>Buy</button>",
            "button { position: absolute; left: -999px }",
            "",
            ['button "Buy" is nowhere to be seen when it has the focus'],
        ),
        (
            "<a href='/x'>One</a> <a href='/y' tabindex='1'>Two</a>",
            "",
            "",
            ['a "Two" has a tabindex above 0'],
        ),
        (
            "<main><p><a href='/x'>One</a></p><p><a href='/y'>Two</a></p></main>",
            "main { display: flex; flex-direction: column-reverse }",
            "",
            ['the focus goes from a "One" up to a "Two"'],
        ),
        (
            "<a href='/x'>One</a> <button>Buy</button>",
            "",
            "document.querySelector('button').addEventListener('keydown', e => e.preventDefault())",
            [
                'button "Buy" does nothing on Enter',
                'button "Buy" does nothing on Space',
                'button "Buy" does not let the focus go',
            ],
        ),
    ],
)
async def test_the_keyboard_finds_what_is_planted(
    stage: Stage, visit: Visit, body: str, style: str, script: str, faults: list[str]
) -> None:
    stage.body, stage.style, stage.script = body, style, script
    page = await open_page(visit, stage)
    assert sorted(await by_keyboard(page)) == sorted(faults)
    assert page.url == stage.base + "/"


async def test_what_is_not_reached_is_said(stage: Stage, visit: Visit) -> None:
    page = await open_page(visit, stage)
    with pytest.raises(AssertionError, match="is not reached"):
        await reach(page, page.get_by_text("Only a script"), most=20)
