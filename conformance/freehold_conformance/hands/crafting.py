"""Signed requests whose every part can be another than it should be, and which are signed all the same.

Spec: specs/http-signatures.md
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from .keys import Key

Headers = dict[str, str]
ORDER: Final = 2**252 + 27742317777372353535851937790883648493
"""Of the group of Ed25519."""


def quoted(text: str) -> str:
    """Return a structured field's string."""
    return f'"{text}"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Crafted:
    """A request that is yet to be signed.

    Attributes:
        headers: Those that are sent besides the signature's.
        components: As written in the signature's input, with their quotes and parameters.
        parameters: As written, in order.
        label: Of the signature.
        spelled: Turns the text of the input into what is sent and signed.
        sent_as: Turns it into what is sent, while the text itself is signed.
        signature: Turns the signature's bytes into others.
        finished: Turns the finished headers into others.
    """

    key: Key
    method: str
    uri: str
    headers: Mapping[str, str]
    components: tuple[str, ...]
    parameters: Mapping[str, str]
    label: str = "sig"
    spelled: Callable[[str], str] = str
    sent_as: Callable[[str], str] = str
    signature: Callable[[bytes], bytes] = bytes
    finished: Callable[[Headers], Headers] = dict
    values: Mapping[str, str] = field(default_factory=dict)

    def but(self, **members: Any) -> Crafted:
        """Return the same with these parts in the place of its own."""
        return replace(self, **members)

    def with_parameters(self, **parameters: str | None) -> Crafted:
        """Return the same with these parameters put in place or at the end; None leaves one out."""
        made = {**self.parameters, **parameters}
        return self.but(parameters={name: text for name, text in made.items() if text is not None})

    def base(self, text: str) -> bytes:
        """Return what is signed."""
        known = {"@method": self.method, "@target-uri": self.uri, **self.headers, **self.values}
        lines = [f"{one}: {known.get(one.split(chr(34))[1], '')}" for one in self.components]
        return "\n".join([*lines, f'"@signature-params": {text}']).encode("latin-1", "replace")

    def sign(self) -> Headers:
        """Return the headers of the request."""
        parameters = "".join(
            f";{name}={value}" if value else f";{name}" for name, value in self.parameters.items()
        )
        text = self.spelled(f"({' '.join(self.components)}){parameters}")
        made = self.signature(self.key.sign(self.base(text)))
        signed = {
            "signature-input": f"{self.label}={self.sent_as(text)}",
            "signature": f"{self.label}=:{base64.b64encode(made).decode()}:",
        }
        return self.finished({**self.headers, **signed})


def malleable(signature: bytes) -> bytes:
    """Return the same signature with its S moved by the group's order, which careless verifiers take."""
    moved = int.from_bytes(signature[32:], "little") + ORDER
    return signature[:32] + moved.to_bytes(32, "little")
