"""What is asked at the edges: conditions where nothing has a tag, whole numbers as they are written, when to retry."""

from __future__ import annotations

from typing import Final

from ..cast.stage import Stage, permission
from ..check import Profile, Topic, expect, expect_equal, expect_problem, expect_status
from ..hands.encoding import Document, jcs
from ..hands.keys import Key

topic = Topic()


@topic.check("HTTP-56")
async def what_has_no_tag_matches_no_tag(stage: Stage) -> None:
    """A condition that names a tag holds for nothing that has none, and nothing is done; a star asks for no tag."""
    routes: list[tuple[str, str, Document | None]] = [
        ("GET", "/status", None), ("GET", "/records", None), ("GET", "/requests", None), ("GET", "/grants", None),
        ("POST", "/invitations", {"label": "never"}), ("GET", "/origins", None),
        ("POST", "/records", {"content": {"type": "Person", "name": "Never"}}), ("POST", "/verify", {}),
    ]  # fmt: skip
    for method, path, body in routes:
        for tag in ('"a"', 'W/"a"', '"*"'):
            refused = await stage.owner.send(method, path, body, headers={"if-match": tag})
            expect_problem(refused, 412, "precondition-failed")
    expect_status(await stage.owner.send("GET", "/status", headers={"if-match": "*"}), 200)
    found = (await stage.owner.do("GET", "/records?limit=1000"))["records"]
    expect(
        all(one["label"] != "Never" for one in found), "a record was added though the condition did not hold"
    )


_SPELLINGS: Final = ("2.0", "2e0", "2.00", "0.2e1", "20e-1")


@topic.check("ENC-15", "REQ-10", cases={text: text for text in _SPELLINGS})
async def a_whole_number_is_written_as_one(stage: Stage, text: str) -> None:
    """A whole number with a point or an exponent is refused, though its canonical form is the same."""
    asked = {**permission("delivery", ["name"]), "limits": {"reads": 2}}
    body = jcs(stage.request(Key.fresh(), [asked]))
    invitation = await stage.owner.invite()
    spelled = body.replace(b'"reads":2}', b'"reads":' + text.encode() + b"}")
    expect(spelled != body, "the number is not where it was looked for")
    sent = {"content-type": "application/json"}
    expect_problem(await stage.wire.send("POST", invitation, sent, spelled), 400, "malformed")
    expect_status(await stage.wire.send("POST", invitation, sent, body), 202)


@topic.check("HTTP-7", profile=Profile.DID_WEB)
async def who_cannot_be_had_now_is_told_when_to_ask_again(stage: Stage) -> None:
    """With did-unavailable comes when to ask again: after 120 seconds."""
    key = Key.fresh()
    did = "did:web:127.0.0.1%3A9"
    request = stage.request(
        key, [permission("delivery", ["name"])],
        assignee={"id": did, "type": "Organization", "name": "Nobody"}, signing={"verificationMethod": f"{did}#key-1"},
    )  # fmt: skip
    answer = await stage.post_request(await stage.owner.invite(), request)
    expect_problem(answer, 503, "did-unavailable")
    expect_equal(answer.headers.get("retry-after"), "120", "Retry-After")
