"""Faults of signed requests: what careless verifiers of HTTP signatures take."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from freehold_node import gate, holder, threshold
from freehold_node.api import messages
from freehold_node.store.sql import SqlTransactor
from freehold_protocol import (
    ezcap,
    http_message,
    http_signature,
    invocation,
    keys,
)
from freehold_protocol.errors import (
    FreeholdError,
    ReplayedError,
)
from mutant import Mutants, everywhere, nothing, wrap

mutants = Mutants()


# Signed requests


@mutants("INV-1", "takes a signature over more than it must cover")
def more_is_covered() -> None:
    def parse(old: Any, headers: Any, body: Any, *, tag: str, covered: Any, now_s: int) -> Any:
        parsed = http_signature.parse_signature(headers, tag=tag)
        names = set(parsed.components)
        extra = tuple(one for one in parsed.components if one not in covered)
        if extra and names >= set(covered) and body is None:
            return old(headers, body, tag=tag, covered=parsed.components, now_s=now_s)
        return old(headers, body, tag=tag, covered=covered, now_s=now_s)

    wrap(invocation, "_parse", parse)


@mutants("INV-3", "believes what a digest says of a body")
def digests_are_believed() -> None:
    everywhere(http_message.check_content_digest, nothing)


@mutants("SIG-20", "is content if one of two digests is the body's")
def one_digest_will_do() -> None:
    def check(old: Any, value: str, body: bytes) -> None:
        found: FreeholdError | None = None
        for part in value.split(", "):
            try:
                old(part, body)
            except FreeholdError as error:
                found = error
                continue
            return
        if found is not None:
            raise found

    wrap(http_message, "check_content_digest", check)


@mutants("INV-8", "knows a message by its nonce alone, so that others' are used up")
def nonces_of_everybody() -> None:
    def use(old: Any, self: Any, tx: Any, owner: str, message: Any, **more: Any) -> Any:
        if message.nonce is None:
            return old(self, tx, owner, message, **more)
        digest = hashlib.sha256(message.nonce.encode()).digest()[:16]
        if not tx.use_nonce(owner, digest, expires_us=(message.expires_s + 60) * 1_000_000):
            raise ReplayedError("this signed request came before")
        return threshold.Spent(digest=digest, is_nameless=False, outcome=None)

    wrap(threshold.Threshold, "_use_up", use)


@mutants("INV-8", "knows a message by nonce and path, so that a nonce serves twice")
def nonces_of_a_path() -> None:
    def use(old: Any, self: Any, tx: Any, owner: str, message: Any, **more: Any) -> Any:
        if message.nonce is None:
            return old(self, tx, owner, message, **more)
        named = message.nonce + hashlib.sha256(message.signature.signature).hexdigest()
        return old(self, tx, owner, _Renamed(message, named), **more)

    wrap(threshold.Threshold, "_use_up", use)


class _Renamed:
    """A message under another nonce."""

    def __init__(self, message: Any, nonce: str) -> None:
        self._message, self.nonce = message, nonce

    def __getattr__(self, name: str) -> Any:
        return getattr(self._message, name)


@mutants("INV-8", "uses a nonce up before it knows who signed")
def nonces_are_spoiled() -> None:
    spent: set[str] = set()

    async def find(old: Any, self: Any, call: Any, *, grant: str) -> Any:
        found = re.search(r'nonce="([^"]*)"', call.headers.get("signature-input", ""))
        if found and found[1] in spent:
            raise ReplayedError("this signed request came before")
        if found:
            spent.add(found[1])
        return await old(self, call, grant=grant)

    wrap(holder.Prover, "holder", find)


@mutants("INV-9", "uses a nonce up only if the read is admitted")
def refusals_leave_the_nonce() -> None:
    def use(old: Any, self: Any, tx: Any, who: Any, version: Any, refusal: Any, *more: Any) -> None:
        old(self, tx, who, version, refusal, *more)
        message = who.invocation
        if message.nonce is not None:
            digest = hashlib.sha256(message.keyid.encode() + b"\0" + message.nonce.encode()).digest()[:16]
            tx._execute("DELETE FROM nonce WHERE digest = ?", (digest,))

    wrap(threshold.Threshold, "_refuse", use)


@mutants("INV-5", "does not look at the tag")
def any_tag() -> None:
    wrap(
        http_signature, "parse_signature",
        lambda old, headers, tag=None: old(headers, tag=_tag_of(headers) or tag),
    )  # fmt: skip


def _tag_of(headers: Any) -> str | None:
    found = re.search(r';tag="([^"]*)"', headers.get("signature-input", ""))
    return found[1] if found else None


@mutants("INV-2", "takes its origin from the Host header")
def origin_from_host() -> None:
    def check(old: Any, call: Any, invoked: Any, leaf: Any, grant: str) -> Any:
        host = call.headers.get("host")
        try:
            return old(call, invoked, leaf, grant)
        except FreeholdError:
            if host is None or invoked.key != leaf.controller:
                raise
            for scheme in ("http", "https"):
                try:
                    invoked.verify(invoked.key, target_uri=f"{scheme}://{host}{call.target}")
                except FreeholdError:
                    continue
                return leaf.target.partition("/g/")[0]
            raise

    wrap(holder, "_check_invoked", check)
    messages._SIGNED = (*messages._SIGNED, "host")


@mutants("PRF-14", "takes signatures whose S is not below the group's order")
def malleable_signatures() -> None:
    order = 2**252 + 27742317777372353535851937790883648493

    def verify(old: Any, self: Any, signature: bytes, data: bytes) -> Any:
        number = int.from_bytes(signature[32:], "little")
        if len(signature) == 64 and order <= number < 2**256:
            signature = signature[:32] + (number - order).to_bytes(32, "little")
        return old(self, signature, data)

    wrap(keys.PublicKey, "verify", verify)


@mutants("SIG-2", "lets the last of two parameters win, as RFC 9651 does")
def the_last_parameter_wins() -> None:
    def parse(old: Any, headers: Any, tag: str | None = None) -> Any:
        text = headers.get("signature-input", "")
        for name in ("created", "expires", "keyid", "alg", "nonce", "tag"):
            found = re.findall(rf";{name}=(?:\"[^\"]*\"|[0-9]+)", text)
            for extra in found[:-1]:
                text = text.replace(extra, "", 1)
        return old({**headers, "signature-input": text}, tag=tag)

    wrap(http_signature, "parse_signature", parse)


@mutants("SIG-12", "puts another spelling of a signature's input right")
def spellings_are_put_right() -> None:
    def parse(old: Any, headers: Any, tag: str | None = None) -> Any:
        text = headers.get("signature-input", "")
        right = re.sub(r" *; *", ";", re.sub(r" +", " ", text)).replace("( ", "(").replace(" )", ")")
        return old({**headers, "signature-input": right}, tag=tag)

    wrap(http_signature, "parse_signature", parse)


@mutants("SIG-3", "takes base64 without its padding")
def base64_without_padding() -> None:
    def parse(old: Any, headers: Any, tag: str | None = None) -> Any:
        text = headers.get("signature", "")
        found = re.search(r":([A-Za-z0-9+/]+)(=*):", text)
        if found:
            padded = found[1] + "=" * (-len(found[1]) % 4)
            text = text.replace(found[0], f":{padded}:")
        return old({**headers, "signature": text}, tag=tag)

    wrap(http_signature, "parse_signature", parse)


# The form of ZCAP clients


@mutants("INV-19", "does not say that a read repeats another")
def repetitions_are_not_told() -> None:
    def write(old: Any, self: Any, *args: Any, repeat_of: Any) -> Any:
        return old(self, *args, repeat_of=None)

    wrap(gate.Gate, "_write_down", write)


@mutants("INV-19", "says of a repetition that it repeats the one before it, and not the first")
def repeats_the_one_before() -> None:
    wrap(SqlTransactor, "outcome", _last_outcome)
    wrap(gate.Gate, "_write_down", _remembering)


_LAST: dict[int, int] = {}


def _last_outcome(old: Any, self: Any, owner: str, digest: bytes) -> Any:
    found = old(self, owner, digest)
    return _LAST.get(found, found) if found is not None else None


def _remembering(old: Any, self: Any, *args: Any, repeat_of: Any) -> Any:
    number = old(self, *args, repeat_of=repeat_of)
    if repeat_of is not None:
        _LAST[next((first for first, last in _LAST.items() if last == repeat_of), repeat_of)] = number
    return number


@mutants("INV-15", "takes the host that a ZCAP client signs from what Host says")
def ezcap_host_from_header() -> None:
    def verify(old: Any, signature: Any, key: Any, *, method: str, target_uri: str, headers: Any) -> Any:
        try:
            return old(signature, key, method=method, target_uri=target_uri, headers=headers)
        except FreeholdError:
            scheme, _, rest = target_uri.partition("://")
            other = f"{scheme}://evil.example/{rest.partition('/')[2]}"
            return old(signature, key, method=method, target_uri=other, headers=headers)

    wrap(ezcap, "verify_ezcap", verify)


@mutants("INV-18", "looks at one form of signature where both are there")
def both_forms_at_once() -> None:
    wrap(
        invocation, "_parse",
        lambda old, headers, body, **more: old(
            {name: value for name, value in headers.items() if name != "authorization"}, body, **more
        ),
    )  # fmt: skip
