"""The process for strangers' documents: what it verifies, and that nothing they hold keeps the node from its work."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from freehold_node import foreign as module
from freehold_node import foreign_worker
from freehold_node.foreign import Foreign
from freehold_protocol.contexts import FREEHOLD
from freehold_protocol.encoding import Document
from freehold_protocol.errors import (
    FreeholdError,
    MalformedError,
    SignatureError,
    TooLargeError,
    UnavailableError,
    UndefinedTermError,
    UnsupportedError,
)
from freehold_protocol.proof import JCS, RDFC, add_proof, sign_document, verify_document, verify_proofs
from poison import twin_stars_document
from published import contexts_of_examples
from signed_documents import NOW_S, PARTNER, STRANGER, VENDOR, with_member
from stuck import FOR_EVER, put_stuck_worker

pytestmark = pytest.mark.asyncio
UNSIGNED: Document = {"@context": FREEHOLD, "type": "Person", "name": "Ada"}
SIGNED = sign_document(UNSIGNED, VENDOR, created_s=NOW_S, suite=RDFC)


def is_running(process_id: int | None) -> bool:
    assert process_id is not None
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    return True


async def test_it_says_what_the_protocol_says() -> None:
    async with Foreign() as foreign:
        assert await foreign.verify(SIGNED) == verify_document(SIGNED)
        both = add_proof(add_proof(UNSIGNED, VENDOR, suite=RDFC), PARTNER, suite=JCS)
        assert await foreign.verify_all(both) == verify_proofs(both)


async def test_one_process_is_started_when_it_is_needed_used_again_and_ended() -> None:
    async with Foreign() as foreign:
        assert foreign.process_id is None
        await foreign.verify(sign_document(UNSIGNED, VENDOR))
        assert foreign.process_id is None, "canonical JSON needs no other process"
        await asyncio.gather(*(foreign.verify(SIGNED) for _ in range(5)))
        first = foreign.process_id
        assert is_running(first)
        await foreign.verify(SIGNED)
        assert foreign.process_id == first
    assert not is_running(first)
    with pytest.raises(UnavailableError, match="stops"):
        await foreign.verify(SIGNED)


async def test_it_ends_after_a_while_without_work_and_starts_anew() -> None:
    async with Foreign(idle_s=0) as foreign:
        await foreign.verify(SIGNED)
        first = foreign.process_id
        ending = foreign._ending
        assert ending is not None
        await ending
        assert foreign.process_id is None
        assert not is_running(first)
        assert await foreign.verify(SIGNED)


async def test_one_that_died_while_it_waited_is_no_fault_of_the_next_document() -> None:
    async with Foreign() as foreign:
        await foreign.verify(SIGNED)
        worker = foreign._worker
        assert worker is not None
        worker.kill()
        await worker.wait()
        assert await foreign.verify(SIGNED)
        assert foreign.process_id != worker.pid


@pytest.mark.parametrize(
    ("document", "error"),
    [
        (with_member(SIGNED, "name", "Eve"), SignatureError),
        (with_member(SIGNED, "proof.verificationMethod", STRANGER.method), SignatureError),
        (with_member(SIGNED, "proof.cryptosuite", "other"), UnsupportedError),
        (with_member(SIGNED, "@context", "https://example.org/v1"), UnsupportedError),
        ({**SIGNED, "nmae": "Ada"}, UndefinedTermError),
        ({**SIGNED, "name": None}, MalformedError),
        ({**UNSIGNED, "proof": None}, MalformedError),
        ({**twin_stars_document(FREEHOLD), "proof": SIGNED["proof"]}, TooLargeError),
    ],
)
async def test_errors_are_those_of_the_protocol(document: Document, error: type[FreeholdError]) -> None:
    with pytest.raises(FreeholdError) as here:
        verify_document(document)
    async with Foreign() as foreign:
        with pytest.raises(FreeholdError) as raised:
            await foreign.verify(document)
        assert type(raised.value) is type(here.value) is error
        assert str(raised.value) == str(here.value)
        assert await foreign.verify(SIGNED), "the next document is none the worse for it"


@pytest.mark.vectors
async def test_credentials_under_added_contexts(vectors: Path) -> None:
    contexts = contexts_of_examples(vectors)
    folder = vectors / "vc-di-eddsa" / "TestVectors"
    async with Foreign(contexts) as foreign:
        for name in ("eddsa-rdfc-2022/employ/signedDataInt", "proof-set-chain/signedProofChain2"):
            document = json.loads((folder / f"{name}.json").read_text("utf-8"))
            assert await foreign.verify_all(document) == verify_proofs(document, contexts=contexts)


# What takes too long


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    return lambda deed: put_stuck_worker(monkeypatch, tmp_path, deed)


@pytest.mark.requirement("PRF-23")
async def test_what_takes_too_long_is_killed_and_the_next_is_served(
    stuck: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck(FOR_EVER)
    async with Foreign(job_s=0.2) as foreign:
        running = asyncio.create_task(foreign.verify(SIGNED))
        while foreign.process_id is None:
            await asyncio.sleep(0)
        first = foreign.process_id
        with pytest.raises(TooLargeError, match="time or memory"):
            await running
        assert foreign.process_id is None
        assert not is_running(first)
        monkeypatch.undo()
        assert await foreign.verify(SIGNED)


@pytest.mark.parametrize(
    "deed",
    [
        "os._exit(1)",
        "os.kill(os.getpid(), 9)",
        "sink.write(b'\\0\\0'); sink.flush(); os._exit(0)",
        "raise MemoryError",
    ],
)
async def test_a_process_that_dies_is_an_error_and_no_more(
    stuck: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, deed: str
) -> None:
    stuck(deed)
    async with Foreign() as foreign:
        with pytest.raises(TooLargeError):
            await foreign.verify(SIGNED)
        monkeypatch.undo()
        assert await foreign.verify(SIGNED)


async def test_a_process_that_does_not_start_is_no_fault_of_the_document(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_WORKER", "no_such_module")
    async with Foreign() as foreign:
        with pytest.raises(UnavailableError, match="does not start"):
            await foreign.verify(SIGNED)
        monkeypatch.setattr(sys, "executable", "/nowhere/python")
        with pytest.raises(UnavailableError, match="does not start"):
            await foreign.verify(SIGNED)


async def test_who_goes_away_leaves_no_answer_for_the_next(stuck: Callable[[str], None]) -> None:
    stuck(FOR_EVER)
    async with Foreign(job_s=30) as foreign:
        gone = asyncio.create_task(foreign.verify(SIGNED))
        while foreign.process_id is None:
            await asyncio.sleep(0)
        first = foreign.process_id
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        assert foreign.process_id is None
        assert not is_running(first)


async def test_closing_ends_what_is_under_way(stuck: Callable[[str], None]) -> None:
    stuck(FOR_EVER)
    foreign = Foreign(job_s=30)
    waiting = [asyncio.create_task(foreign.verify(SIGNED)) for _ in range(3)]
    while foreign.process_id is None:
        await asyncio.sleep(0)
    first = foreign.process_id
    await foreign.close()
    for one in waiting:
        with pytest.raises(UnavailableError, match="stops"):
            await one
    assert not is_running(first)


async def test_no_more_wait_than_can_be_served(stuck: Callable[[str], None]) -> None:
    stuck(FOR_EVER)
    foreign = Foreign(job_s=30)
    waiting = [asyncio.create_task(foreign.verify(SIGNED)) for _ in range(module.MAX_WAITING)]
    while foreign.process_id is None:
        await asyncio.sleep(0)
    with pytest.raises(UnavailableError, match="too many"):
        await foreign.verify(SIGNED)
    await foreign.close()
    await asyncio.gather(*waiting, return_exceptions=True)


async def test_what_is_too_large_is_not_even_sent() -> None:
    document = {**SIGNED, "name": "x" * 4 * 2**18}
    async with Foreign() as foreign:
        with pytest.raises(TooLargeError, match="too large"):
            await foreign.verify(document)
        assert foreign.process_id is None


@pytest.mark.requirement("PRF-23")
async def test_the_process_gets_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FREEHOLD_PASSPHRASE", "correct horse")
    async with Foreign() as foreign:
        await foreign.verify(SIGNED)
        environment = Path(f"/proc/{foreign.process_id}/environ")
        if not environment.exists():
            pytest.skip("this system does not show a process's environment")
        assert b"correct horse" not in environment.read_bytes()


@pytest.mark.requirement("PRF-23")
@pytest.mark.skipif(sys.platform != "linux", reason="the limit is the platform's to keep")
async def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    async with Foreign() as foreign:
        await foreign.verify(SIGNED)
        limits = Path(f"/proc/{foreign.process_id}/limits").read_text("utf-8")
        assert (
            f"{foreign_worker._MEMORY_BYTES}" in limits.partition("Max address space")[2].partition("\n")[0]
        )
