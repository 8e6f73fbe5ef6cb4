"""Faults in how a message's signature is read: what it covers, by which key, when, and how often."""

from __future__ import annotations

from typing import Any

from freehold_node import holder, threshold
from freehold_node.api import messages
from freehold_node.gate import Gate
from freehold_node.store.sql import SqlTransactor
from freehold_protocol import encoding, ezcap, http_message, http_signature, invocation, limits, structured_field
from freehold_protocol.errors import MalformedError, SignatureError
from freehold_protocol.keys import PublicKey
from mutant import Mutants, edit, everywhere, wrap

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


@mutants("INV-1", "lets a signature cover more than it must")
def more_may_be_covered() -> None:
    edit(invocation, "_parse", ("sorted(signature.components) != sorted(expected)", "not set(expected) <= set(signature.components)"))


@mutants("INV-3", "does not compare a body with its digest")
def bodies_are_not_compared() -> None:
    everywhere(http_message.check_content_digest, lambda *_: None)


@mutants("SIG-20", "is content with one digest of two")
def one_digest_is_enough() -> None:
    edit(http_message, "check_content_digest", ("if digest.value != hash_of(body).digest():", "if not any(one.value == made(body).digest() for one, made in known):"))


@mutants("SIG-20", "looks at the digest by SHA-256 alone")
def only_sha_256() -> None:
    edit(http_message, "check_content_digest", ("for name, hash_of in _DIGESTS.items() if name in digests]", "for name, hash_of in _DIGESTS.items() if name in digests][:1]"))


@mutants("INV-2", "takes its origin from Host if that makes a signature good")
def origin_of_host() -> None:
    _host("host")


@mutants("HTTP-2", "takes its origin from X-Forwarded-Host")
def forwarded_origin() -> None:
    _host("x-forwarded-host")


def _host(name: str) -> None:
    messages._SIGNED = (*messages._SIGNED, name)

    def verify(old: Any, self: Any, key: Any, *, target_uri: str) -> None:
        try:
            old(self, key, target_uri=target_uri)
        except SignatureError:
            if name not in self.headers:
                raise
            place = target_uri.split("/", 3)[3]
            old(self, key, target_uri=f"http://{self.headers[name]}/{place}")

    wrap(invocation.Invocation, "verify", verify)
    wrap(invocation.SignedMessage, "verify", verify)


# Who


@mutants("INV-5", "does not look at the tag")
def any_tag() -> None:
    def parse(old: Any, headers: Any, *, tag: str | None = None) -> Any:
        try:
            return old(headers, tag=tag)
        except MalformedError:
            return old(headers)

    wrap(http_signature, "parse_signature", parse)


@mutants("INV-4", "does not ask for alg")
def no_alg() -> None:
    edit(invocation, "_parse", ("signature.alg is None or ", ""))


@mutants("INV-4", "takes a keyid whose fragment is another key's")
def any_fragment() -> None:
    edit(PublicKey, "from_method", ("fragment != did.removeprefix(_DID_KEY)", "not fragment"))


@mutants("HTTP-41", "takes any key for the owner's")
def any_owner() -> None:
    edit(Gate, "owner", ("signer.key != self._owner_key", "False"))


@mutants("INV-20", "takes a message of any key for one of the vendor's DID")
def any_key_of_a_did() -> None:
    edit(holder.Prover, "signer", ("return Signer(message=message, did=did, key=self._verified(message, message.key, call))", "return Signer(message=message, did=did, key=message.key)"))


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
    edit(invocation, "_check_times", ("<= limits.MAX_SIGNATURE_LIFETIME_S", "<= limits.MAX_SIGNATURE_LIFETIME_S + 1"))


# Once


@mutants("INV-8", "knows a message by its signature and not by its nonce")
def nonces_of_messages() -> None:
    edit(threshold.Threshold, "_use_up", ('message.nonce.encode()).digest()', 'message.signature.signature).digest()'))


@mutants("INV-8", "knows a nonce without whose it is")
def nonces_of_nobody() -> None:
    edit(threshold.Threshold, "_use_up", ('message.keyid.encode() + b"\\0" + ', ""))


@mutants("INV-9", "gives a nonce back with a refusal")
def refusals_free_nonces() -> None:
    def decided(old: Any, self: Any, work: Any) -> Any:
        def undone(tx: Any) -> Any:
            used: list[bytes] = []
            use = tx.use_nonce
            tx.use_nonce = lambda owner, digest, **more: (used.append(digest), use(owner, digest, **more))[1]
            try:
                outcome = work(tx)
            finally:
                del tx.use_nonce
            if isinstance(outcome, Exception):
                for digest in used:
                    tx._execute("DELETE FROM nonce WHERE digest = ?", (digest,))
            return outcome

        return old(self, undone)

    wrap(threshold.Threshold, "_decided", decided)


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


@mutants("HTTP-9", "takes the owner's messages twice")
def owners_may_repeat() -> None:
    edit(Gate, "owner", ("await self._store.write(lambda tx: self._use_up(tx, owner, message, until_least_s=least_s))", "return"))


@mutants("HTTP-9", "takes messages by a DID twice")
def dids_may_repeat() -> None:
    async def spend(_: Any, self: Any, signer: Any, *, owner: str) -> Any:
        return threshold.Spent(digest=b"", is_nameless=False, outcome=None)

    wrap(Gate, "spend", spend)


@mutants("INV-8", "uses up the nonce of a message that is refused for its signer")
def strangers_use_up_nonces() -> None:
    seen: set[tuple[str, str]] = set()

    def parse(old: Any, headers: Any, body: Any, **more: Any) -> Any:
        parsed = old(headers, body, **more)
        if (parsed.keyid, parsed.nonce) in seen:
            from freehold_protocol.errors import ReplayedError

            raise ReplayedError("this message came before")
        seen.add((parsed.keyid, parsed.nonce))
        return parsed

    wrap(invocation, "_parse", parse)


# How it is written


@mutants("SIG-2", "takes the last of two labels that are the same")
def last_label_wins() -> None:
    edit(structured_field, "parse_dictionary", ("if key in members:", "if False:"))


@mutants("SIG-2", "takes the last of two parameters that are the same")
def last_parameter_wins() -> None:
    edit(structured_field, "_parameters", ("if key in parameters:", "if False:"))
    edit(http_signature, "_parse_any", ("serialize_dictionary(inputs) != written", "False"))


@mutants("SIG-11", "takes the first signature, whatever its label")
def first_signature() -> None:
    edit(http_signature, "_parse_any", ("inputs[label], signatures[label]", "inputs[label], next(iter(signatures.values()))"))


@mutants("SIG-11", "takes the first of two signatures with the tag")
def first_of_two() -> None:
    edit(http_signature, "_parse_any", ("len(chosen) != 1", "not chosen"))


@mutants("SIG-11", "takes labels that only one of the headers has")
def labels_without_match() -> None:
    edit(http_signature, "_parse_any", ("inputs.keys() != signatures.keys()", "not inputs.keys() & signatures.keys()"))


@mutants("SIG-12", "takes any spelling of Signature-Input")
def any_spelling() -> None:
    edit(http_signature, "_parse_any", ("serialize_dictionary(inputs) != written", "False"))


@mutants("SIG-13", "passes over parameters that it does not know")
def unknown_parameters() -> None:
    edit(http_signature, "_parse_any", ("    if known:", "    if False:"))


@mutants("SIG-14", "lets a component come twice")
def components_come_twice() -> None:
    edit(http_signature, "_bounded", ("len(set(components)) != len(components)", "False"))
    edit(invocation, "_parse", ("sorted(signature.components) != sorted(expected)", "set(signature.components) != set(expected)"))


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
    edit(ezcap, "parse_authorization", ('match["covered"] != expected', 'sorted(match["covered"].split()) != sorted(expected.split())'))


@mutants("INV-15", "takes a method in small letters")
def small_methods() -> None:
    import re

    ezcap._METHOD = re.compile(r"[A-Za-z]{1,16}\Z")


@mutants("INV-16", "does not compare a body with its Digest")
def ezcap_bodies() -> None:
    ezcap._check_digest = lambda *_: None


@mutants("INV-18", "takes a message that is signed in both forms by one of them")
def both_forms() -> None:
    edit(invocation, "_parse", ("if is_ezcap(headers):", "if False:"))


@mutants("INV-19", "refuses an honest repetition in the form that has no nonce")
def ezcap_repeats_are_refused() -> None:
    edit(threshold.Threshold, "_use_up", ("not fresh and message.nonce is not None", "not fresh"))


@mutants("INV-19", "does not say of which read another is the repetition")
def repeats_are_not_told() -> None:
    edit(Gate, "_decide", ("repeat_of=spent.outcome", "repeat_of=None"))


@mutants("INV-19", "names the last read of the same bytes and not the first")
def last_of_repeats() -> None:
    edit(Gate, "_decide", ("spent.is_nameless and spent.outcome is None", "spent.is_nameless"))


@mutants("INV-17", "takes the form without nonce for longer")
def ezcap_for_an_hour() -> None:
    edit(invocation, "parse_invocation", ("_check_times(signature, now_s)", "pass"))
