"""Our vendor library with one check left out: ``python client_mutants.py NAME`` is the adapter of such a client.

Each mutant says by which situation it has to be caught. Nothing of this is reachable in the product: a mutant is
patched in from here.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import aiohttp
import client_adapter
from freehold_protocol.canonical import without_proof
from freehold_protocol.checkpoint import parse_checkpoint
from freehold_protocol.receipt import Receipt
from freehold_vendor.errors import UnavailableError

# As objects of any kind: what a module imports is no part of what it offers, and is what a mutant replaces.
invocation: Any = import_module("freehold_protocol.invocation")
protocol_released: Any = import_module("freehold_protocol.released")
access: Any = import_module("freehold_vendor.access")
client: Any = import_module("freehold_vendor.client")
connecting: Any = import_module("freehold_vendor.connecting")
delegation: Any = import_module("freehold_vendor.delegation")
events: Any = import_module("freehold_vendor.events")
holder: Any = import_module("freehold_vendor.holder")
ledger: Any = import_module("freehold_vendor.ledger")
pending: Any = import_module("freehold_vendor.pending")
release: Any = import_module("freehold_vendor.release")
shown: Any = import_module("freehold_vendor.shown")
standing: Any = import_module("freehold_vendor.standing")
told: Any = import_module("freehold_vendor.told")
transport: Any = import_module("freehold_vendor.transport")


def nothing(*_: Any, **__: Any) -> None:
    """Check nothing."""


def set_to(module: Any, name: str, value: Any) -> None:
    mock.patch.object(module, name, value).start()


@dataclass(frozen=True)
class Mutant:
    """A fault, and the function of the situations that must find it, each in some case."""

    patch: Callable[[], None]
    caught_by: str


MUTANTS: dict[str, Mutant] = {}


def mutant(caught_by: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    def add(patch: Callable[[], None]) -> Callable[[], None]:
        MUTANTS[patch.__name__.replace("_", "-")] = Mutant(patch, caught_by)
        return patch

    return add


# What a browser brings


def _any_session(query: Any, *, challenge: str | None) -> Any:
    """Take whatever a browser brings for what was given to it."""
    del challenge
    return connecting.read_returned(query, challenge=query.get("freehold-challenge", ""))


@mutant("another-browser")
def takes_codes_of_other_browsers() -> None:
    set_to(client, "read_returned", _any_session)


@mutant("another-browser")
def keeps_what_another_browser_had() -> None:
    async def nobody(*_: Any) -> None:
        return None

    real = client.Vendor._carried

    async def carried(vendor: Any, challenge: str | None) -> Any:
        return await (nobody if sys.exc_info()[0] is not None else real)(vendor, challenge)

    set_to(client.Vendor, "_carried", carried)


@mutant("a-challenge-for-each")
def one_challenge() -> None:
    real = client.Connect
    set_to(client, "Connect", lambda *, return_to, challenge: real(return_to=return_to, challenge="A" * 32))


@mutant("a-strange-place")
def follows_a_browser_anywhere() -> None:
    set_to(connecting, "origin_of_status", lambda url: "/".join(url.split("/")[:3]))


@mutant("a-code-that-opens-nothing")
def presents_no_code() -> None:
    real = client.read_returned
    set_to(
        client,
        "read_returned",
        lambda query, *, challenge: replace(real(query, challenge=challenge), code=None),
    )


# What is read


@mutant("altered-page")
def accepts_any_proof() -> None:
    set_to(protocol_released, "verify_signed_by", nothing)


@mutant("altered-page")
def looks_at_no_item() -> None:
    def page_only(document: Any, *, key: Any) -> Any:
        protocol_released.verify_signed_by(document, key)
        return without_proof(document)

    set_to(release, "verify_released", page_only)


@mutant("another-record")
def takes_any_record() -> None:
    set_to(release, "alias_urn", lambda alias: AnyText())


class AnyText(str):
    """Is equal to everything."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = str.__hash__


@mutant("more-than-was-granted")
def does_not_look_at_the_grant() -> None:
    set_to(access, "is_granted", lambda *_: True)


def _leaves(value: Any, path: str) -> Any:
    """Yield the paths of what is there, and nothing for what shows nothing."""
    if isinstance(value, list):
        for one in value:
            yield from _leaves(one, path)
    elif isinstance(value, dict):
        for term in value.keys() - {"type"}:
            yield from _leaves(value[term], f"{path}.{term}")
    else:
        yield path


@mutant("nothing-where-a-value-is-granted")
def passes_over_nulls_and_empty_arrays() -> None:
    set_to(shown, "_below", _leaves)


@mutant("a-node-that-shows-nothing")
def passes_over_empty_nodes() -> None:
    set_to(shown, "_below", _leaves)


@mutant("more-than-was-asked-for")
def does_not_look_at_what_was_asked() -> None:
    whole = access.is_granted
    set_to(access, "is_granted", lambda document, given, _: whole(document, given, None))


@mutant("as-before-the-narrowing")
def goes_by_any_version() -> None:
    whole = access.sent_with
    set_to(access, "sent_with", lambda *a, **how: replace(whole(*a, **how), version=1))


@mutant("of-an-earlier-version")
def minds_no_version_in_entries() -> None:
    whole = release._check_told

    def check(entry: Any, sent: Any, *rest: Any) -> None:
        whole(entry, replace(sent, version=0), *rest)

    set_to(release, "_check_told", check)


@mutant("a-record-twice")
def takes_a_record_twice_on_a_page() -> None:
    set_to(release, "check_once", nothing)


@mutant("a-record-on-two-pages")
def lists_for_ever() -> None:
    set_to(access, "check_once", nothing)


@mutant("tells-of-another-read")
def takes_any_entry() -> None:
    set_to(release, "_check_told", nothing)


@mutant("not-what-the-entry-binds")
def binds_no_content() -> None:
    whole = access.check_entry
    set_to(access, "check_entry", lambda shown, sent, *, status, content: whole(
        shown, sent, status=status, content=None
    ))  # fmt: skip


@mutant("called-unchanged")
def believes_every_304() -> None:
    whole = access.open_head

    def open_unbound(answer: Any, sent: Any, prove: Any, *, known: Any = None) -> Any:
        return replace(whole(answer, sent, prove, known=known), content=None)

    set_to(access, "open_head", open_unbound)


@mutant("altered-page")
def lets_the_version_be() -> None:
    set_to(protocol_released, "jcs_digest", lambda _: b"")
    set_to(protocol_released, "base64url_encode", lambda _: AnyText())


# The ledger


@mutant("rolled-back")
def forgets_checkpoints() -> None:
    set_to(ledger, "verify_consistency", nothing)


@mutant("forked")
def follows_a_fork() -> None:
    set_to(ledger, "verify_consistency", nothing)


@mutant("not-proven")
def asks_for_no_inclusion() -> None:
    set_to(ledger, "verify_inclusion", nothing)


@mutant("not-the-leafs")
def takes_any_body_for_a_leaf() -> None:
    set_to(release, "entry_leaf", lambda *_: AnyBytes())


class AnyBytes(bytes):
    """Is equal to everything."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = bytes.__hash__


@mutant("another-checkpoint")
def checks_no_checkpoint() -> None:
    set_to(ledger, "open_checkpoint", lambda note, **_: parse_checkpoint(note))


@mutant("another-checkpoint")
def takes_the_checkpoint_of_any_ledger() -> None:
    whole = ledger.open_checkpoint
    set_to(ledger, "open_checkpoint", lambda note, *, origin, key: whole(
        note, origin=note.partition("\n")[0], key=key
    ))  # fmt: skip


@mutant("by-a-key-given-up")
def takes_checkpoints_by_old_keys() -> None:
    def open_by_any(self: Any, note: str) -> Any:
        for key in self.keys():
            try:
                return ledger.open_checkpoint(note, origin=self.origin, key=key)
            except ledger.SignatureError as error:
                refused = error
        raise refused

    set_to(ledger.FollowedLedger, "_open", open_by_any)


# Approvals and capabilities


@mutant("a-first-version-that-does-not-hold")
def verifies_no_receipt() -> None:
    set_to(Receipt, "verify", nothing)


@mutant("told-of-a-version-that-does-not-hold")
def takes_any_later_version() -> None:
    set_to(Receipt, "continued_by", lambda self, later: replace(self, versions=(*self.versions, *later)))


@mutant("of-an-earlier-request")
def takes_an_approval_of_anything() -> None:
    whole = told.read_told

    def read(found: Any, *, request: Any) -> Any:
        return whole(found, request=Receipt.from_dict(found["receipt"]).request)

    set_to(pending, "read_told", read)


@mutant("a-first-version-that-does-not-hold")
def takes_an_approval_of_another_node() -> None:
    set_to(pending, "effective_origins", lambda *_: AnyContainer())


class AnyContainer:
    """Holds everything."""

    def __contains__(self, _: object) -> bool:
        return True


@mutant("issued-wrongly")
def takes_any_capability() -> None:
    set_to(holder, "check_capability", lambda capability, **_: capability)


@mutant("issued-wrongly")
def takes_a_wider_capability() -> None:
    set_to(holder, "AttenuationError", type("Unraised", (Exception,), {"__new__": None}))
    whole = holder.with_capability

    def take(held: Any, document: Any, identity: Any) -> Any:
        try:
            return whole(held, document, identity)
        except TypeError:
            return replace(held, capability=holder.Capability.from_dict(document))

    set_to(holder, "with_capability", take)


@mutant("delegated-wrongly")
def takes_any_delegation() -> None:
    set_to(delegation, "check_capability", lambda capability, **_: capability)


@mutant("delegates-to-recipients-only")
def delegates_to_anyone() -> None:
    set_to(access.Access, "_check_recipient", nothing)


@mutant("delegates")
def delegates_everything() -> None:
    whole = access.delegate

    def wide(key: Any, **how: Any) -> Any:
        return whole(key, **how | {"target": how["target"].rpartition("/")[0]})

    set_to(access, "delegate", wide)


@mutant("told-wrongly")
def takes_any_status() -> None:
    set_to(standing, "verify_signed_by", lambda document, *_: mock.Mock(created_s=client.Ambient().now_s()))


@mutant("another-code")
def repeats_the_code_it_was_told() -> None:
    send = transport.Transport.send
    said: list[str] = []

    async def listen(self: Any, method: str, url: str, **how: Any) -> Any:
        answer = await send(self, method, url, **how)
        if "/i/" in url:
            said.append(answer.document()["code"])
        return answer

    set_to(transport.Transport, "send", listen)
    set_to(pending.PendingRequest, "code", property(lambda _: said[-1]))


# Where it goes


def _allowing_redirects(whole: Any) -> Any:
    def request(self: Any, *a: Any, **how: Any) -> Any:
        return whole(self, *a, **how | {"allow_redirects": True})

    return request


@mutant("redirected")
def follows_redirects() -> None:
    set_to(aiohttp.ClientSession, "request", _allowing_redirects(aiohttp.ClientSession.request))


@mutant("redirected-on-the-same-node")
def follows_redirects_at_home() -> None:
    follows_redirects()


@mutant("followed-elsewhere")
def follows_its_request_anywhere() -> None:
    set_to(pending, "_status_url", lambda value, _: str(value))


@mutant("strange-invitation")
def goes_to_any_invitation() -> None:
    def origin_of(invitation: str) -> str:
        parts = urlsplit(invitation)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    set_to(client, "origin_of", origin_of)
    set_to(pending, "origin_of", origin_of)


@mutant("given-cookies")
def keeps_cookies() -> None:
    set_to(aiohttp, "DummyCookieJar", lambda: aiohttp.CookieJar(unsafe=True))


@mutant("stated-wrongly")
def follows_any_statement() -> None:
    set_to(told, "verify_moved", nothing)


@mutant("restored-wrongly")
def goes_on_by_any_word() -> None:
    set_to(told, "verify_restored", nothing)


# HTTP


@mutant("endless")
def bounds_no_body() -> None:
    async def read(response: aiohttp.ClientResponse) -> bytes:
        return await response.read()

    set_to(transport, "_read_bounded", read)
    set_to(transport.aiohttp, "ClientTimeout", lambda **_: aiohttp.client.DEFAULT_TIMEOUT)


@mutant("compressed")
def inflates() -> None:
    whole = aiohttp.ClientSession.__init__

    def init(self: Any, *a: Any, **how: Any) -> None:
        whole(self, *a, **how | {"auto_decompress": True})

    set_to(aiohttp.ClientSession, "__init__", init)

    async def read(response: aiohttp.ClientResponse) -> bytes:
        return await response.read()

    set_to(transport, "_read_bounded", read)


@mutant("too-slow[nothing-comes]")
def waits_for_ever() -> None:
    whole = aiohttp.ClientTimeout
    set_to(transport.aiohttp, "ClientTimeout", lambda **_: whole(total=None))


@mutant("unavailable")
def tries_for_ever() -> None:
    whole = transport.Transport._attempt

    async def again(self: Any, *a: Any) -> Any:
        for _ in range(30):
            try:
                return await whole(self, *a)
            except UnavailableError as error:
                refused = error
        raise refused

    set_to(transport.Transport, "_attempt", again)


@mutant("dropped-once")
def signs_once_for_all_attempts() -> None:
    whole = transport.Transport.send

    async def send(self: Any, *a: Any, sign: Any = None, **how: Any) -> Any:
        signed = sign() if sign is not None else None
        return await whole(self, *a, sign=None if signed is None else lambda: signed, **how)

    set_to(transport.Transport, "send", send)


@mutant("signs-as-nodes-read")
def signs_for_an_hour() -> None:
    whole = invocation.sign_invocation

    def sign(*a: Any, created_s: int, **how: Any) -> Any:
        with mock.patch("freehold_protocol.limits.MAX_SIGNATURE_LIFETIME_S", 7200):
            return whole(*a, created_s=created_s, **how | {"lifetime_s": 3600})

    set_to(holder, "sign_invocation", sign)


@mutant("signs-as-nodes-read")
def uses_one_nonce() -> None:
    set_to(client.Ambient, "new_nonce", lambda _: "A" * 24)


@mutant("no-json")
def parses_as_python_does() -> None:
    set_to(transport, "parse_document", lambda data, **_: json.loads(data))


@mutant("a-page-that-reads-two-ways")
def lets_the_last_member_win() -> None:
    set_to(transport, "parse_document", lambda data, **_: json.loads(data))


@mutant("answered-otherwise")
def takes_any_success() -> None:
    set_to(transport, "_check_status", nothing)
    whole = release.open_release

    def lenient(answer: Any, *a: Any, **how: Any) -> Any:
        return whole(replace(answer, status=200), *a, **how)

    set_to(access, "open_release", lenient)


# Events


@mutant("strange-event")
def passes_on_any_event() -> None:
    def event_of(block: bytes) -> Any:
        lines = [line.partition(": ") for line in block.decode("latin-1").split("\n")]
        fields = {name: value for name, _, value in lines}
        return events.Event(kind=fields.get("event", "changed"), id="a")

    set_to(events, "_event_of", event_of)


@mutant("endless-event")
def bounds_no_event() -> None:
    set_to(events.limits, "MAX_EVENT_BYTES", 2**40)


@mutant("does-not-hammer")
def hammers() -> None:
    set_to(events.Listening, "_delay_s", lambda _: 0.0)


@mutant("stops-when-the-grant-does")
def never_stops_listening() -> None:
    async def is_over(_: Any) -> bool:
        return False

    set_to(events.Listening, "_is_over", is_over)
    set_to(events, "_STOPPED", ())
    set_to(events, "_PASSING", (*events._PASSING, events.PausedError, events.EndedError))


@mutant("no-stream")
def takes_any_stream() -> None:
    async def refuse(*_: Any) -> None:
        """Go on reading, whatever it is."""

    set_to(transport.Transport, "_refuse", refuse)


if __name__ == "__main__":
    MUTANTS[sys.argv[1]].patch()
    asyncio.run(client_adapter.main())
