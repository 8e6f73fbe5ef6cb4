"""What the person writes is a record of the form, in terms that mean something, or it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from freehold_protocol.encoding import Document
from harness import open_house

ADA: Document = {"type": "Person", "name": "Ada Example"}
REFUSED: dict[str, tuple[Document, str]] = {
    "a term of nobody's": ({**ADA, "nosuchterm": "x"}, "undefined-term"),
    "one below": ({**ADA, "address": {"type": "PostalAddress", "nosuchterm": "x"}}, "undefined-term"),
    "a type of nobody's": ({**ADA, "type": "Nobody"}, "undefined-term"),
    "nothing for a value": ({**ADA, "email": None}, "malformed"),
    "a blank node": ({**ADA, "knows": {"id": "_:b", "type": "Person"}}, "malformed"),
    "its own keeping": ({**ADA, "source": {"type": "Person"}}, "malformed"),
    "a term in another spelling": ({**ADA, "schema:email": "a@b.example"}, "malformed"),
}


@pytest.mark.requirement("REC-5", "REC-6")
@pytest.mark.asyncio
async def test_what_would_be_lost_or_mean_two_things_is_not_kept(tmp_path: Path) -> None:
    async with open_house(tmp_path / "node") as house:
        for name, (content, code) in REFUSED.items():
            assert (await house.owner("POST", "/records", {"content": content})).code == code, name
        assert (await house.own("GET", "/status"))["records"] == 0
        await house.own("POST", "/records", {"content": ADA})
        assert (await house.own("GET", "/status"))["records"] == 1
