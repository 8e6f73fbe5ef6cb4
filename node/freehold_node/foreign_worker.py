"""The process that canonicalizes what strangers made: reads jobs, writes the bytes that were signed, does nothing else.

It is started with ``python -m`` by ``foreign.py``, holds no key, opens no file and no connection, and is killed when
it takes too long. Messages are JSON behind their length as four bytes.
"""

from __future__ import annotations

import json
import signal
import struct
import sys
from contextlib import suppress
from typing import Any, BinaryIO, Final

from freehold_protocol.contexts import Contexts
from freehold_protocol.errors import FreeholdError
from freehold_protocol.proof import RDFC, hash_to_sign

if sys.platform != "win32":
    import resource

LENGTH: Final = struct.Struct(">I")
MAX_MESSAGE_BYTES: Final = 64 * 2**20
"""Of what the node itself sends: all added contexts at once, or a document and its proof."""
_MEMORY_BYTES: Final = 512 * 2**20


def read_message(source: BinaryIO) -> Any:  # noqa: ANN401 - it is JSON
    """Return the next message, or None at the end."""
    head = source.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    return json.loads(source.read(min(length, MAX_MESSAGE_BYTES)))


def pack_message(message: Any) -> bytes:  # noqa: ANN401 - it is JSON
    """Return a message behind its length."""
    data = json.dumps(message).encode()
    return LENGTH.pack(len(data)) + data


def do(job: Any, contexts: Contexts) -> dict[str, str]:  # noqa: ANN401 - it is JSON
    """Return the bytes under a proof in hexadecimal, or the code and the text of the error."""
    try:
        signed = hash_to_sign(job["unsigned"], job["options"], suite=job["suite"], contexts=contexts)
    except FreeholdError as error:
        return {"error": error.code, "text": str(error)}
    return {"signed": signed.hex()}


def _limit_memory() -> None:
    if sys.platform != "win32":
        with suppress(ValueError, OSError):  # not on every platform
            resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))


def main() -> None:
    """Read the added contexts, say that all is ready, then do one job after the other."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt at the terminal is for the node
    _limit_memory()
    contexts = Contexts(read_message(source))
    do(
        {"unsigned": _FIRST, "options": _FIRST, "suite": RDFC}, contexts
    )  # so that the first job finds all loaded
    message: Any = {"ready": "yes"}
    while message is not None:
        sink.write(pack_message(message))
        sink.flush()
        job = read_message(source)
        message = None if job is None else do(job, contexts)


_FIRST: Final = {"@context": "https://www.w3.org/ns/credentials/v2", "id": "urn:x:1", "name": "first"}

if __name__ == "__main__":
    main()
