"""Documents of strangers' making: their canonical RDF is worked out in a process of its own, which can be killed.

What canonicalizing costs is bounded by the protocol, but it is up to a third of a second, during which the node would
answer nobody. One process is enough: it is started when it is first needed, used for one document after the other,
and ended when nothing came for a while. It is given documents and gives back 64 bytes; keys and signatures stay here.

Spec: specs/security.md#attacks
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from typing import Any, Final, Self

from freehold_protocol import limits
from freehold_protocol.contexts import BUNDLED, Contexts
from freehold_protocol.encoding import Document
from freehold_protocol.errors import BY_CODE, MalformedError, TooLargeError, UnavailableError
from freehold_protocol.keys import PublicKey
from freehold_protocol.proof import (
    DOCUMENT_SUITES,
    JCS,
    Claim,
    KeyOf,
    Purpose,
    Suite,
    Verified,
    read_claim,
    read_claims,
)

from .foreign_worker import LENGTH, pack_message

_WORKER: Final = "freehold_node.foreign_worker"
PASSED_ON: Final = (
    "PATH",
    "PYTHONPATH",
    "PYTHONHOME",
    "SYSTEMROOT",
    "LD_LIBRARY_PATH",
    "TEMP",
    "TMP",
    "TMPDIR",
)
"""Of the environment: nothing that could hold a passphrase."""
JOB_S: Final = 1.0
START_S: Final = 20.0
IDLE_S: Final = 60.0
MAX_WAITING: Final = 16
_MAX_JOB_BYTES: Final = 3 * limits.MAX_DOCUMENT_BYTES
"""A document, its options, and what escaping adds."""


class Foreign:
    """Verifies documents that strangers made, under the contexts of one node."""

    def __init__(self, contexts: Contexts = BUNDLED, *, job_s: float = JOB_S, idle_s: float = IDLE_S) -> None:
        """Prepare; no process is started before there is a document for it.

        Args:
            contexts: Those that documents may name.
            job_s: After this many seconds on one document the process is killed.
            idle_s: After this many seconds without a document it is ended.
        """
        self._contexts, self._job_s, self._idle_s = contexts, job_s, idle_s
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._worker: Process | None = None
        self._ending: asyncio.Task[None] | None = None
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def process_id(self) -> int | None:
        """Of the process, while there is one."""
        return None if self._worker is None else self._worker.pid

    async def verify(
        self,
        document: Document,
        *,
        purpose: Purpose = "assertionMethod",
        suites: tuple[Suite, ...] = DOCUMENT_SUITES,
        key_of: KeyOf = PublicKey.from_method,
    ) -> Verified:
        """Return what the document's one proof says; raises as ``proof.verify_document`` and ``verify_all``."""
        claim = read_claim(document, purpose=purpose, suites=suites)
        return await self._verified(claim, key_of)

    async def verify_all(
        self,
        document: Document,
        *,
        purpose: Purpose = "assertionMethod",
        suites: tuple[Suite, ...] = DOCUMENT_SUITES,
        key_of: KeyOf = PublicKey.from_method,
    ) -> tuple[Verified, ...]:
        """Return what each proof says; raises as ``proof.verify_proofs``, and two errors more.

        Raises:
            TooLargeError: Working it out took too much time or memory.
            UnavailableError: Too many documents wait, the process cannot be started, or the node stops.
        """
        claims = read_claims(document, purpose=purpose, suites=suites)
        return tuple([await self._verified(claim, key_of) for claim in claims])

    async def _verified(self, claim: Claim, key_of: KeyOf) -> Verified:
        key = key_of(claim.method)  # before the work: who refuses the key spares it
        if claim.suite == JCS:
            return claim.verify(claim.hash_to_sign(), key)
        job = pack_message({"unsigned": claim.unsigned, "options": claim.options, "suite": claim.suite})
        if len(job) > _MAX_JOB_BYTES:
            raise TooLargeError("the document is too large to be worked out")
        return claim.verify(await self._signed_bytes(job), key)

    async def _signed_bytes(self, job: bytes) -> bytes:
        if self._waiting >= MAX_WAITING:
            raise UnavailableError("too many documents wait to be worked out")
        self._waiting += 1
        try:
            async with self._turn:
                answer = await self._ask(job)
        finally:
            self._waiting -= 1
        if "error" in answer:
            raise BY_CODE.get(answer["error"], MalformedError)(answer["text"])
        return bytes.fromhex(answer["signed"])

    # One at a time from here on

    async def _ask(self, job: bytes) -> Any:  # noqa: ANN401 - it is JSON
        self._stay()
        self._check_open()
        if self._worker is not None and self._worker.returncode is not None:  # it died while it waited
            await self._kill()
        worker = self._worker or await self._start()
        try:
            async with asyncio.timeout(self._job_s):
                answer = await exchange(worker, job)
        except (TimeoutError, OSError, EOFError):
            await self._kill()
            self._check_open()
            raise TooLargeError("working it out took more time or memory than allowed") from None
        except BaseException:  # cancelled in the middle: what comes next would be the answer to this
            await self._kill()
            raise
        self._ending = asyncio.create_task(self._end_when_idle())
        return answer

    async def _start(self) -> Process:
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        added = {url: json.loads(text) for url, text in self._contexts.added.items()}
        try:
            self._worker = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", _WORKER, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=environment
            )
            async with asyncio.timeout(START_S):
                await exchange(self._worker, pack_message(added))
            self._check_open()
        except (TimeoutError, OSError, EOFError):
            await self._kill()
            self._check_open()
            raise UnavailableError("the process for strangers' documents does not start") from None
        except BaseException:
            await self._kill()
            raise
        return self._worker

    async def _kill(self) -> None:
        worker, self._worker = self._worker, None
        if worker is None:
            return
        if worker.returncode is None:
            worker.kill()
        if worker.stdin is not None:
            worker.stdin.close()
        await asyncio.shield(worker.wait())

    def _stay(self) -> None:
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None

    async def _end_when_idle(self) -> None:
        await asyncio.sleep(self._idle_s)
        async with self._turn:
            self._ending = None
            await self._kill()

    def _check_open(self) -> None:
        if self._closed:
            raise UnavailableError("the node stops")

    async def close(self) -> None:
        """End the process, whatever it does, and start no other."""
        self._closed = True
        ending, self._ending = self._ending, None
        if ending is not None:
            ending.cancel()
            await asyncio.wait([ending])
        await self._kill()
        async with self._turn:  # whoever was starting a process has ended it by now
            await self._kill()


async def exchange(worker: Process, message: bytes) -> Any:  # noqa: ANN401 - it is JSON
    """Send a message and return the answer; raises EOFError or OSError if the process is gone."""
    if worker.stdin is None or worker.stdout is None:
        raise EOFError
    worker.stdin.write(message)
    await worker.stdin.drain()
    (length,) = LENGTH.unpack(await worker.stdout.readexactly(LENGTH.size))
    return json.loads(await worker.stdout.readexactly(length))
