"""What is kept survives, whole or not at all, and what was altered is not taken up again."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from freehold_protocol.encoding import Document
from freehold_protocol.errors import FreeholdError, MalformedError, ReceiptError
from freehold_vendor import KeptInFolder, KeptInMemory
from freehold_vendor.held import Held, HeldRequest, read_held
from vendor_documents import delegated, granted

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("held", [granted(), granted(versions=2), delegated()], ids=lambda one: one.key)
async def test_it_reads_what_it_writes(held: Held, tmp_path: Path) -> None:
    assert read_held(json.loads(json.dumps(held.to_dict()))) == held
    for keeping in (KeptInMemory(), KeptInFolder(tmp_path / "not" / "there")):
        assert await keeping.load() == ()
        await keeping.save(held)
        await keeping.save(held.with_checkpoint("newer"))
        assert await keeping.load() == (held.with_checkpoint("newer"),)
        await keeping.forget(held.key)
        await keeping.forget(held.key)
        assert await keeping.load() == ()


async def test_a_request_without_an_answer_is_kept_too(tmp_path: Path) -> None:
    whole = granted()
    bare = HeldRequest(request=whole.request, invitation=whole.invitation)
    await KeptInFolder(tmp_path).save(bare)
    assert await KeptInFolder(tmp_path).load() == (bare,)


async def test_several_things_are_kept_apart(tmp_path: Path) -> None:
    keeping = KeptInFolder(tmp_path)
    for held in (granted(), delegated()):
        await keeping.save(held)
    assert {type(held).__name__ for held in await keeping.load()} == {"HeldRequest", "HeldDelegation"}


@pytest.mark.skipif(os.name != "posix", reason="POSIX modes")
async def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    await KeptInFolder(tmp_path / "held").save(granted())
    [path] = (tmp_path / "held").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "held").stat().st_mode & 0o777 == 0o700


async def test_what_a_crash_left_half_written_is_not_read(tmp_path: Path) -> None:
    await KeptInFolder(tmp_path).save(granted())
    (tmp_path / ".request-x.json").write_text("{")
    assert len(await KeptInFolder(tmp_path).load()) == 1


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b'{"type":"HeldRequest"}', b"[]"])
async def test_a_damaged_file_is_said_to_be_damaged(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "request-x.json").write_bytes(data)
    with pytest.raises(MalformedError):
        await KeptInFolder(tmp_path).load()


Spoil = Callable[[Document], Any]


@pytest.mark.parametrize(
    ("spoil", "error"),
    [
        (lambda one: one.update(type="Held"), MalformedError),
        (lambda one: one.update(more=1), MalformedError),
        (lambda one: one.pop("receipt"), MalformedError),
        (lambda one: one.update(renounced="no"), MalformedError),
        (lambda one: one["receipt"]["versions"].pop(0), ReceiptError),
        (lambda one: one["receipt"]["versions"][0].update(expires="2026-12-01T00:00:00Z"), ReceiptError),
        (lambda one: one["receipt"]["request"].update(benefit="More"), ReceiptError),
    ],
)
async def test_what_was_altered_is_refused(spoil: Spoil, error: type[FreeholdError]) -> None:
    document = copy.deepcopy(granted(versions=2).to_dict())
    spoil(document)
    with pytest.raises(error):
        read_held(document)
