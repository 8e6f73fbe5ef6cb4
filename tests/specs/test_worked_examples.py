"""The worked examples hold: our library says so of the files, and the pages show what the files say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import library_adapter
import pytest
import scene
import worked_examples

SPECS = Path(__file__).resolve().parents[2] / "specs"
NOW = "2026-11-23T12:12:00Z"
ROOT_OF_GRANT = {"rootTarget": scene.ROOT_TARGET, "rootKey": scene.SERVING.did}


def document(name: str) -> Any:
    return json.loads((SPECS / "examples" / f"{name}.json").read_text("utf-8"))


def text(name: str) -> str:
    return (SPECS / "examples" / name).read_bytes().decode()


def asked(operation: str, **given: Any) -> dict[str, Any]:
    return library_adapter.answer(operation, given)


def test_the_documents_hold() -> None:
    grant, paused = document("grant"), document("grant-paused")
    serving = scene.SERVING.did
    answers = [
        asked("verify-document", document=document("proof"), purpose="assertionMethod"),
        asked("verify-record", document=document("record"), key=scene.RECORD_KEY.did),
        asked("verify-request", document=document("request"), now=scene.NOON),
        asked("verify-grant", request=document("request"), version=grant),
        asked("verify-grant", request=document("request"), version=paused, previous=grant),
        asked("verify-grant", request=document("request"), version=document("grant-rotated"), previous=grant),
        asked("verify-receipt", receipt=document("receipt")),
        asked("verify-receipt", receipt=document("approved")["receipt"]),
        asked("verify-chain", capability=document("approved")["capability"], now=NOW, **ROOT_OF_GRANT),
        asked("open-checkpoint", note=document("approved")["checkpoint"], log=scene.LOG, key=serving),
        asked("verify-moved", grant=grant, statements=[document("moved")]),
        asked("verify-restored", versions=[grant, paused], statement=document("restored")),
        asked("verify-chain", capability=document("capability"), now=NOW, **ROOT_OF_GRANT),
        asked("verify-chain", capability=document("capability-delegated"), now=NOW, **ROOT_OF_GRANT),
        asked("verify-released", document=document("released"), key=serving),
        asked("verify-released", document=document("released-page"), key=serving),
        asked("verify-bundle", bundle=document("bundle"), earlier=[]),
        asked("read-did-document", did=scene.SHOP, document=json.dumps(document("did-document"))),
    ]
    assert [one["outcome"] for one in answers] == ["valid"] * len(answers)


@pytest.mark.parametrize("name", ["read.http", "read-ezcap.http", "read-partner.http"])
def test_the_requests_are_signed(name: str) -> None:
    answer = asked("verify-invocation", message=text(name), origin=scene.ORIGIN, now=NOW, **ROOT_OF_GRANT)
    assert answer["outcome"] == "valid"


@pytest.mark.parametrize("name", ["read", "follow"])
def test_what_is_signed_is_the_signature_base(name: str) -> None:
    given = {"message": text(f"{name}.http"), "origin": scene.ORIGIN, "key": scene.VENDOR.did}
    assert asked("verify-signature", **given)["output"] == {"base": text(f"{name}-signature-base.txt")}


def test_the_refusal_is_a_problem() -> None:
    head, _, body = text("problem.http").partition("\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
    assert headers["Content-Length"] == str(len(body))
    answer = asked("read-problem", status=403, headers=headers, body=body)
    assert answer["outcome"] == "outside-hours"


def test_the_pages_show_the_examples() -> None:
    shown = {
        name: block
        for path in SPECS.glob("*.md")
        for name, block in re.findall(
            r"^<!-- example: ([a-z.-]+) -->\n```[a-z]+\n(.*?)^```$",
            path.read_text("utf-8"),
            re.MULTILINE | re.DOTALL,
        )
    }
    assert len(shown) >= 12
    for name, block in shown.items():
        if name in worked_examples.documents():
            assert json.loads(block) == document(name)
        else:
            assert block.split() == text(name).split()
        assert "…" not in block


def test_the_cids_are_those_of_the_files() -> None:
    named = document("cids")
    for name, cid in named.items():
        assert asked("canonicalize", text=json.dumps(document(name)))["output"]["cid"] == cid
    receipts = (SPECS / "receipts.md").read_text("utf-8")
    assert all(named[name] in receipts for name in ("request", "grant", "grant-paused"))
