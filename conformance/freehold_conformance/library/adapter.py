"""An implementer's adapter, as a process that is asked line by line: bounded in time and in what it says."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, Self

MAX_LINE: Final = 4 * 2**20
_CHUNK: Final = 65_536


class AdapterError(Exception):
    """The adapter did not answer as it has to; the text says how. It is started anew for the next question."""


class Adapter:
    """A command that is started once, and again after it died or had to be killed."""

    def __init__(self, command: Sequence[str], *, seconds: float) -> None:
        """Take up the command; it starts with the first question, for which it has ten times as long."""
        self._command, self._seconds = list(command), seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop(kindly=True)

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """Return the answer, an object.

        Raises:
            AdapterError: It died, said nothing in time, or said something else.
            OSError: It cannot be started.
        """
        is_first = self._process is None
        deadline = time.monotonic() + self._seconds * (10 if is_first else 1)
        try:
            process = self._process or self._start()
            line = self._exchange(process, json.dumps(question).encode("ascii") + b"\n", deadline)
            answer = json.loads(line)
        except AdapterError:
            self.stop()
            raise
        except ValueError:
            self.stop()
            raise AdapterError("its line is not JSON") from None
        if not isinstance(answer, dict):
            self.stop()
            raise AdapterError("its answer is not an object")
        return answer

    def _start(self) -> subprocess.Popen[bytes]:
        self._rest = b""
        self._process = subprocess.Popen(  # noqa: S603 - the command of whoever runs the suite
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        assert self._process.stdin is not None  # noqa: S101
        os.set_blocking(self._process.stdin.fileno(), False)
        return self._process

    def _exchange(self, process: subprocess.Popen[bytes], question: bytes, deadline: float) -> bytes:
        """Write the question and read one line; both as far as the other side takes part."""
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None and stdout is not None  # noqa: S101, PT018
        said, asked = self._rest, memoryview(question)
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            selector.register(stdin, selectors.EVENT_WRITE)
            while b"\n" not in said:
                ready = selector.select(max(0.0, deadline - time.monotonic()))
                if not ready:
                    raise AdapterError("it said nothing in time")
                for key, _ in ready:
                    if key.fileobj is stdin:
                        asked = self._write(stdin.fileno(), asked)
                        if not asked:
                            selector.unregister(stdin)
                    else:
                        chunk = os.read(stdout.fileno(), _CHUNK)
                        if not chunk:
                            raise AdapterError("it ended")
                        said += chunk
                if len(said) > MAX_LINE:
                    raise AdapterError(f"its line has more than {MAX_LINE} bytes")
        line, _, self._rest = said.partition(b"\n")
        if self._rest or asked:
            raise AdapterError("it said more than one line, or answered before it was asked")
        return line

    @staticmethod
    def _write(fileno: int, data: memoryview) -> memoryview:
        try:
            return data[os.write(fileno, data) :]
        except BrokenPipeError:
            raise AdapterError("it ended") from None
        except BlockingIOError:
            return data

    def stop(self, *, kindly: bool = False) -> None:
        """End the process, if one runs; kindly, it may first see that its input has ended."""
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            process.wait(timeout=1 if kindly else 0)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
