"""The worker's own side: messages in, messages out."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from typing import Any

from freehold_node.foreign_worker import LENGTH, do, pack_message, read_message
from freehold_protocol.contexts import FREEHOLD, Contexts
from freehold_protocol.encoding import Document
from freehold_protocol.proof import JCS, RDFC, hash_to_sign

UNSIGNED: Document = {"@context": FREEHOLD, "type": "Person", "name": "Ada"}
OPTIONS: Document = {"@context": FREEHOLD, "type": "DataIntegrityProof"}
JOB: dict[str, Any] = {"unsigned": UNSIGNED, "options": OPTIONS, "suite": RDFC}


def test_a_job_is_answered_with_the_bytes_that_were_signed() -> None:
    for suite in (JCS, RDFC):
        signed = hash_to_sign(UNSIGNED, OPTIONS, suite=suite)
        assert do({**JOB, "suite": suite}, Contexts()) == {"signed": signed.hex()}


def test_or_with_the_code_of_an_error() -> None:
    for unsigned, code in (({"@context": FREEHOLD}, "malformed"), ({**UNSIGNED, "x": 1}, "undefined-term")):
        answer = do({**JOB, "unsigned": unsigned}, Contexts())
        assert answer["error"] == code
        assert "Ada" not in answer["text"]


def test_messages_come_back_as_they_went() -> None:
    for message in (JOB, {}, {"text": "\u2028é"}):
        assert read_message(io.BytesIO(pack_message(message))) == message
    assert read_message(io.BytesIO(b"")) is None
    assert read_message(io.BytesIO(b"\0\0")) is None


def test_it_says_it_is_ready_works_and_ends_with_its_input() -> None:
    added = {"https://example.org/v1": {"@context": {"a": "urn:x:a"}}}
    job = {**JOB, "unsigned": {"@context": "https://example.org/v1", "a": "x"}}
    ran = subprocess.run(
        [sys.executable, "-P", "-m", "freehold_node.foreign_worker"],
        input=pack_message(added) + pack_message(job),
        capture_output=True,
        check=True,
        timeout=60,
        env=os.environ,
    )
    answers = io.BytesIO(ran.stdout)
    assert read_message(answers) == {"ready": "yes"}
    expected = hash_to_sign(job["unsigned"], OPTIONS, suite=RDFC, contexts=Contexts(added))
    assert read_message(answers) == {"signed": expected.hex()}
    assert read_message(answers) is None
    assert LENGTH.size == 4
    assert ran.stderr == b""
