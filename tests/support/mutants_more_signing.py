"""Faults in how a message's signature is read: what it covers, by which key, when, and how often."""

from __future__ import annotations

from typing import Any

from freehold_node import holder, threshold
from freehold_node.gate import Gate
from freehold_node.store.sql import SqlTransactor
from freehold_protocol import (
    encoding,
    ezcap,
    http_message,
    http_signature,
    invocation,
    limits,
    structured_field,
)
from freehold_protocol.keys import PublicKey
from mutant import Mutants, edit, wrap

mutants = Mutants()


# What is covered


def _may_lack(name: str) -> None:
    """Take a signature that does not cover one component."""

    def parse(old: Any, headers: Any, body: Any, *, tag: str, covered: Any, now_s: int) -> Any:
        parsed = http_signature.parse_signature(headers, tag=tag)
        known = invocation._BODY
        if name not in parsed.components:
            covered = tuple(one for one in covered if one != name)
            invocation._BODY = tuple(one for one in known if one != name)
        try:
            return old(headers, body, tag=tag, covered=covered, now_s=now_s)
        finally:
            invocation._BODY = known

    wrap(invocation, "_parse", parse)


@mutants("INV-1", "does not ask that the method is signed")
def methods_need_no_signature() -> None:
    _may_lack("@method")


@mutants("INV-1", "does not ask that the target is signed")
def targets_need_no_signature() -> None:
    _may_lack("@target-uri")


@mutants("INV-1", "does not ask that the digest of a body is signed")
def digests_need_no_signature() -> None:
    _may_lack("content-digest")


@mutants("INV-1", "does not ask that the type of a body is signed")
def types_need_no_signature() -> None:
    _may_lack("content-type")


@mutants("SIG-20", "looks at the digest by SHA-256 alone")
def only_sha_256() -> None:
    edit(
        http_message,
        "check_content_digest",
        (
            "for name, hash_of in _DIGESTS.items() if name in digests]",
            "for name, hash_of in _DIGESTS.items() if name in digests][:1]",
        ),
    )


# Who


@mutants("INV-4", "does not ask for alg")
def no_alg() -> None:
    edit(invocation, "_parse", ("signature.alg is None or ", ""))


@mutants("INV-4", "takes a keyid whose fragment is another key's")
def any_fragment() -> None:
    edit(PublicKey, "from_method", ("fragment != did.removeprefix(_DID_KEY)", "not fragment"))


@mutants("INV-20", "takes a message of any key for one of the vendor's DID")
def any_key_of_a_did() -> None:
    edit(
        holder.Prover,
        "signer",
        (
            "return Signer(message=message, did=did, key=self._verified(message, message.key, call))",
            "return Signer(message=message, did=did, key=message.key)",
        ),
    )


# When


@mutants("INV-6", "takes a signature until ten minutes after it was made, whatever it says")
def ends_of_signatures_are_ignored() -> None:
    edit(invocation, "_check_times", ("now_s >= expires + limits.CLOCK_SKEW_S", "now_s >= created + 660"))


@mutants("INV-6", "takes a signature that will be made")
def signatures_from_the_future() -> None:
    edit(invocation, "_check_times", ("created > now_s + limits.CLOCK_SKEW_S", "False"))


@mutants("INV-6", "allows no time between the clocks at the end")
def no_skew_at_the_end() -> None:
    edit(invocation, "_check_times", ("now_s >= expires + limits.CLOCK_SKEW_S", "now_s >= expires"))


@mutants("INV-6", "allows no time between the clocks at the beginning")
def no_skew_at_the_beginning() -> None:
    edit(invocation, "_check_times", ("created > now_s + limits.CLOCK_SKEW_S", "created > now_s + 1"))


@mutants("INV-6", "takes a signature that ends when it begins")
def signatures_for_no_time() -> None:
    edit(invocation, "_check_times", ("0 < expires - created", "0 <= expires - created"))


@mutants("INV-6", "takes a signature for a second more than ten minutes")
def a_second_more() -> None:
    edit(
        invocation,
        "_check_times",
        ("<= limits.MAX_SIGNATURE_LIFETIME_S", "<= limits.MAX_SIGNATURE_LIFETIME_S + 1"),
    )


# Once


@mutants("INV-9", "forgets a nonce when its signature has expired")
def nonces_are_forgotten() -> None:
    def use(old: Any, tx: Any, owner: str, digest: bytes, *, expires_us: int) -> Any:
        ends_us = expires_us - limits.CLOCK_SKEW_S * 1_000_000
        import time

        tx._execute("DELETE FROM nonce WHERE expires_us < ?", (time.time_ns() // 1000,))
        return old(tx, owner, digest, expires_us=ends_us)

    wrap(SqlTransactor, "use_nonce", use)


@mutants("INV-8", "takes a nonce of any length")
def short_nonces() -> None:
    import re

    invocation._NONCE = re.compile(r"[A-Za-z0-9_-]+\Z")


@mutants("HTTP-9", "takes messages by a DID twice")
def dids_may_repeat() -> None:
    async def spend(_: Any, self: Any, signer: Any, *, owner: str) -> Any:
        return threshold.Spent(digest=b"", is_nameless=False, outcome=None)

    wrap(Gate, "spend", spend)


# How it is written


@mutants("SIG-2", "takes the last of two labels that are the same")
def last_label_wins() -> None:
    edit(structured_field, "parse_dictionary", ("if key in members:", "if False:"))


@mutants("SIG-11", "takes the first signature, whatever its label")
def first_signature() -> None:
    edit(
        http_signature,
        "_parse_any",
        ("inputs[label], signatures[label]", "inputs[label], next(iter(signatures.values()))"),
    )


@mutants("SIG-11", "takes the first of two signatures with the tag")
def first_of_two() -> None:
    edit(http_signature, "_parse_any", ("len(chosen) != 1", "not chosen"))


@mutants("SIG-11", "takes labels that only one of the headers has")
def labels_without_match() -> None:
    edit(
        http_signature,
        "_parse_any",
        ("inputs.keys() != signatures.keys()", "not inputs.keys() & signatures.keys()"),
    )


@mutants("SIG-13", "passes over parameters that it does not know")
def unknown_parameters() -> None:
    edit(http_signature, "_parse_any", ("    if known:", "    if False:"))


@mutants("SIG-14", "lets a component come twice")
def components_come_twice() -> None:
    edit(http_signature, "_bounded", ("len(set(components)) != len(components)", "False"))
    edit(
        invocation,
        "_parse",
        ("sorted(signature.components) != sorted(expected)", "set(signature.components) != set(expected)"),
    )


@mutants("SIG-3", "takes base64 with bits that are left over")
def slack_in_base64() -> None:
    edit(encoding, "base64_decode", ("base64.b64encode(data).decode() != text", "False"))


@mutants("ENC-2", "takes base64url with bits that are left over")
def slack_in_base64url() -> None:
    edit(encoding, "base64url_decode", ("base64url_encode(data) != text", "False"))


@mutants("INV-10", "takes the header of a capability in any order and spacing")
def any_order_of_invocation() -> None:
    def parse(old: Any, method: str, headers: Any, **more: Any) -> Any:
        header = headers.get(invocation.HEADER, "")
        parts = sorted(part.strip() for part in header.removeprefix("zcap").split(","))
        if header.startswith("zcap") and len(parts) == 2 and parts[0].startswith("action="):
            tidy = f"zcap {parts[1]},{parts[0]}"
            made = old(method, {**headers, invocation.HEADER: tidy}, **more)
            import dataclasses

            return dataclasses.replace(made, headers=headers)
        return old(method, headers, **more)

    wrap(invocation, "parse_invocation", parse)


# The form of ZCAP clients


@mutants("INV-14", "takes the names that are covered in any order")
def any_order_of_ezcap() -> None:
    edit(
        ezcap,
        "parse_authorization",
        ('match["covered"] != expected', 'sorted(match["covered"].split()) != sorted(expected.split())'),
    )


@mutants("INV-16", "does not compare a body with its Digest")
def ezcap_bodies() -> None:
    ezcap._check_digest = lambda *_: None


@mutants("INV-19", "refuses an honest repetition in the form that has no nonce")
def ezcap_repeats_are_refused() -> None:
    edit(threshold.Threshold, "_use_up", ("not fresh and message.nonce is not None", "not fresh"))


@mutants("INV-17", "takes the form without nonce for longer")
def ezcap_for_an_hour() -> None:
    edit(invocation, "parse_invocation", ("_check_times(signature, now_s)", "pass"))
