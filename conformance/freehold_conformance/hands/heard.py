"""What a signed request says, and whether it is one that a node takes.

Spec: specs/invocation.md
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .capability import from_header
from .encoding import Document
from .keys import is_signed
from .message import content_digest

_INPUT: Final = re.compile(
    r"(?P<label>[a-z][a-z0-9_.*-]*)=(?P<parameters>\((?P<names>\"[a-z0-9@-]+\"(?: \"[a-z0-9@-]+\")*)\)"
    r"(?P<rest>(?:;[a-z]+=(?:\"[^\"\\]*\"|0|[1-9][0-9]*))*))"
)
_PARAMETER: Final = re.compile(r";([a-z]+)=(?:\"([^\"\\]*)\"|([0-9]+))")
_NONCE: Final = re.compile(r"[A-Za-z0-9_-]{16,64}")
_INVOCATION: Final = re.compile(
    r"zcap (?:capability=\"([A-Za-z0-9_-]+)\"|id=\"([^\"]+)\"),action=\"([a-z]+)\""
)
_LONGEST_S: Final = 600
_SKEW_S: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A signed request, as far as it could be read; ``faults`` are the requirements that it does not meet."""

    tag: str = ""
    keyid: str = ""
    nonce: str = ""
    signature: bytes = b""
    capability: Document | None = None
    root: str = ""
    action: str = ""
    faults: tuple[tuple[str, str], ...] = ()

    @property
    def did(self) -> str:
        """Who signed it."""
        return self.keyid.partition("#")[0]


def hear(method: str, uri: str, headers: Sequence[tuple[str, str]], body: bytes, *, now_s: float) -> Heard:
    """Read a request that has to be signed by RFC 9421.

    Args:
        method: As sent.
        uri: The origin at which it arrived and the raw target.
        headers: Lower-case names and values, in order.
        body: Empty for none.
        now_s: The judge's clock.
    """
    values = {name: ", ".join(value for other, value in headers if other == name) for name, _ in headers}
    found = _INPUT.fullmatch(values.get("signature-input", ""))
    if found is None:
        return Heard(faults=(("SIG-12", "Signature-Input is missing, or not of the one spelling"),))
    names = [name.strip('"') for name in found["names"].split(" ")]
    given = [(name, text or number) for name, text, number in _PARAMETER.findall(found["rest"])]
    told = dict(given)
    faults = [*_of_parameters(given, now_s), *_of_coverage(names, told.get("tag", ""), values, body)]
    signature = _signature(values.get("signature", ""), found["label"])
    if signature is None:
        faults.append(("SIG-11", "Signature does not name the label of Signature-Input"))
    base = "\n".join(
        [f'"{name}": {_value(name, method, uri, values)}' for name in names]
        + [f'"@signature-params": {found["parameters"]}']
    )
    if signature is not None and not is_signed(told.get("keyid", ""), signature, base.encode()):
        faults.append(("SIG-15", "the signature does not verify over the request as it was sent"))
    capability, root, action, more = _invoked(values.get("capability-invocation"))
    return Heard(
        tag=told.get("tag", ""),
        keyid=told.get("keyid", ""),
        nonce=told.get("nonce", ""),
        signature=signature or b"",
        capability=capability,
        root=root,
        action=action,
        faults=(*faults, *more),
    )


def _value(name: str, method: str, uri: str, values: dict[str, str]) -> str:
    return {"@method": method, "@target-uri": uri}.get(name, values.get(name, ""))


def _signature(text: str, label: str) -> bytes | None:
    found = re.fullmatch(re.escape(label) + r"=:([A-Za-z0-9+/]+={0,2}):", text)
    try:
        return base64.b64decode(found[1], validate=True) if found else None
    except binascii.Error:
        return None


def _of_parameters(given: list[tuple[str, str]], now_s: float) -> list[tuple[str, str]]:
    told, faults = dict(given), []
    if [name for name, _ in given] != ["created", "expires", "keyid", "alg", "nonce", "tag"]:
        faults.append(("SIG-18", "the parameters are not those, in that order, that a client writes"))
    created, expires = (
        int(told[name]) if told.get(name, "").isdigit() else 0 for name in ("created", "expires")
    )
    if not 1 <= expires - created <= _LONGEST_S:
        faults.append(("INV-6", f"expires is {expires - created} s after created"))
    if not created - _SKEW_S <= now_s < expires + _SKEW_S:
        faults.append(("INV-6", "the signature is not of now"))
    if told.get("alg") != "ed25519":
        faults.append(("INV-4", "alg is not ed25519"))
    if not _NONCE.fullmatch(told.get("nonce", "")):
        faults.append(("INV-8", "the nonce is not 16 to 64 characters of base64url"))
    return faults


def _of_coverage(names: list[str], tag: str, values: dict[str, str], body: bytes) -> list[tuple[str, str]]:
    wanted, faults = {"@method", "@target-uri"}, []
    if tag == "zcap":
        wanted.add("capability-invocation")
    elif "capability-invocation" in values:
        faults.append(("INV-5", "a capability beside a signature of another kind"))
    if body:
        wanted |= {"content-type", "content-digest"}
        if values.get("content-digest") != content_digest(body):
            faults.append(("INV-3", "Content-Digest is not of the body that came"))
    elif "content-digest" in values:
        faults.append(("INV-3", "a digest without a body"))
    if tag not in ("zcap", "freehold-did"):
        faults.append(("INV-5", f"a tag {tag!r}"))
    if set(names) != wanted or len(names) != len(wanted):
        faults.append(("INV-1", "the signature covers " + " ".join(names)))
    return faults


def _invoked(value: str | None) -> tuple[Document | None, str, str, list[tuple[str, str]]]:
    """Return the capability, the root's id, the action and what is wrong."""
    if value is None:
        return None, "", "", []
    found = _INVOCATION.fullmatch(value)
    if found is None:
        return None, "", "", [("INV-10", "Capability-Invocation is not of its spelling")]
    if found[1] is None:
        return None, found[2], found[3], []
    try:
        return from_header(found[1]), "", found[3], []
    except (ValueError, OSError):
        return None, "", found[3], [("INV-10", "the capability in the header cannot be read")]
