"""The suite's own judging of entries and bundles, and its search for what two parties received in common."""

from __future__ import annotations

import base64
import copy
import gzip
import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from freehold_conformance.hands.encoding import base64url, cid
from freehold_conformance.hands.keys import Key
from freehold_conformance.hands.ledger import judge, misformed, out_of_order
from freehold_conformance.hands.log import Log
from freehold_conformance.hands.merkle import open_checkpoint
from freehold_conformance.hands.tokens import tokens_of, tokens_of_address, tokens_of_words

KEY, READER = Key(b"\1" * 32), Key(b"\2" * 32)
DIGEST = base64url(bytes(32))
START_S = 1_795_435_200


def versions(log: Log) -> list[dict[str, Any]]:
    return [{"version": n, "log": log.origin, "servingKey": KEY.did, "state": "live"} for n in (1, 2, 3)]


def admitted(**more: Any) -> dict[str, Any]:
    return {
        "who": READER.did, "chain": [DIGEST], "action": "read", "permission": "delivery", "version": 1,
        "route": "/g/{grant}/{permission}/records", "method": "GET", "fields": ["name", "address.postalCode"],
        "count": 1, "signature": DIGEST, "released": DIGEST, "status": 200, **more,
    }  # fmt: skip


def refused(**more: Any) -> dict[str, Any]:
    told = {
        "who": READER.did,
        "chain": [DIGEST],
        "code": "not-shared",
        "hour": "2026-11-23T12:00:00Z",
        "count": 1,
    }
    return told | more


def changed(log: Log, change: str, version: int) -> dict[str, Any]:
    return {"change": change, "grant": cid(versions(log)[version - 1]), "version": version, "epoch": version}


def life() -> Log:
    log = Log()
    log.append("changed", START_S, **changed(log, "approve", 1))
    log.append("admitted", START_S + 1, **admitted())
    log.append("changed", START_S + 2, **changed(log, "pause", 2))
    log.append("refused", START_S + 3, **refused(permission="delivery"))
    log.append("changed", START_S + 4, **changed(log, "resume", 3))
    log.append("admitted", START_S + 5, **admitted(version=3, query=DIGEST, repeatOf=1))
    return log


def bundle_of(log: Log) -> dict[str, Any]:
    return {
        "type": "LedgerBundle", "origin": log.origin, "servingKey": KEY.did, "checkpoint": log.note(KEY),
        "receipt": {"type": "Receipt", "versions": versions(log)},
        "entries": [
            {"entry": entry, "salt": salt, "leaf": base64url(leaf)}
            for entry, salt, leaf in zip(log.entries, log.salts, log.leaves, strict=True)
        ],
    }  # fmt: skip


def test_a_good_bundle_is_intact() -> None:
    log = life()
    assert judge(bundle_of(log), open_checkpoint(log.note(KEY, 3), KEY.did)).is_intact


def of_entry(at: int, /, **more: Any) -> Callable[[Log], None]:
    def change(log: Log) -> None:
        log.set(at, {**log.entries[at], **more})

    return change


DAMAGES: dict[str, tuple[Callable[[Log], None], str]] = {
    "a member that is not of the form": (of_entry(1, name="Ada"), "damaged: form"),
    "another version": (of_entry(2, grant="bagaaiera" + "a" * 52), "damaged: version"),
    "an admission while paused": (
        lambda log: log.set(3, {**log.entries[1], "number": 3, "time": log.entries[3]["time"], "version": 2}),
        "order: entry 3 is admitted while the grant was stopped",
    ),
    "a version that does not stand": (of_entry(5, version=2), "order: entry 5 names version 2 while 3 stood"),
    "a gap": (of_entry(5, number=6), "order: entry 5 says that it is 6"),
    "a time that goes back": (of_entry(4, time="2026-11-22T00:00:00Z"), "order: entry 4 is before the one before it"),
}  # fmt: skip


@pytest.mark.parametrize(("damage", "said"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_ledger(damage: Callable[[Log], None], said: str) -> None:
    log = life()
    damage(log)
    assert said in judge(bundle_of(log)).whole


def change_in(*path: Any, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(bundle: dict[str, Any]) -> None:
        inner: Any = bundle
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = to

    return change


def without_body(bundle: dict[str, Any]) -> None:
    bundle["entries"][1] |= {"entry": None, "salt": None}


ALTERED: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "an entry": (change_in("entries", 1, "entry", "count", to=2), "damaged: leaf"),
    "a leaf": (change_in("entries", 1, "leaf", to=DIGEST), "root"),
    "the last entry left out": (lambda bundle: bundle["entries"].pop(), "root"),
    "an entry more": (lambda bundle: bundle["entries"].append(bundle["entries"][0]), "damaged: uncovered"),
    "no body and no notice": (without_body, "damaged: no-notice"),
    "another name": (change_in("origin", to="freehold/ledger/" + "A" * 32), "signature"),
    "another key": (change_in("servingKey", to=READER.did), "signature"),
    "another receipt": (change_in("receipt", "versions", 2, "log", to="freehold/ledger/x"), "receipt"),
}


@pytest.mark.parametrize(("alter", "said"), ALTERED.values(), ids=ALTERED)
def test_an_altered_bundle(alter: Callable[[dict[str, Any]], Any], said: str) -> None:
    bundle = copy.deepcopy(bundle_of(life()))
    alter(bundle)
    assert said in judge(bundle).whole


def test_a_ledger_that_was_rolled_back() -> None:
    log = life()
    kept = open_checkpoint(log.note(KEY, 3), KEY.did)
    of_entry(1, count=2)(log)
    assert judge(bundle_of(log)).is_intact
    assert judge(bundle_of(log), kept).whole == ("rolled-back",)


FORMS = {
    "no kind": {"kind": "read"}, "a boolean for a number": {"count": True}, "a long digest": {"signature": "A" * 44},
    "a method of a DID": {"who": READER.method}, "no fields": {"fields": "name"}, "a fraction": {"count": 1.5},
    "a time with an offset": {"time": "2026-11-23T12:00:00+00:00"}, "an empty chain": {"chain": []},
    "a route with an id": {"route": "/g/0e8d6f0b/delivery/records"}, "another status": {"status": 206},
    "a later repetition": {"repeatOf": 9},
}  # fmt: skip


@pytest.mark.parametrize("more", FORMS.values(), ids=FORMS)
def test_what_is_no_entry(more: dict[str, Any]) -> None:
    entry = {"number": 1, "time": "2026-11-23T12:00:00Z", "kind": "admitted", **admitted()}
    assert misformed(entry) == ""
    assert misformed(entry | more) != ""


def test_a_ledger_begins_with_the_approval() -> None:
    assert list(out_of_order(life().entries)) == []
    assert list(out_of_order(life().entries[2:3])) != []


# What two parties received in common


def hidden(secret: bytes) -> dict[str, tuple[bytes, bytes]]:
    """Return pairs of texts in which a secret stands twice, written in two ways."""
    key = Key(secret)
    did, raw = key.did.encode(), key.public
    return {
        "as it is": (b'{"a": "' + did + b'"}', b"X-Key: " + did),
        "percent-escaped": (b"a%3A%2F%2F" + did + b"%3B", b" " + did),
        "in base58 and in base64": (did, base64.b64encode(b"abc" + raw + b"d")),
        "in base64url and in hex": (base64.urlsafe_b64encode(raw), raw.hex().encode()),
        "in base32 and in base64url": (base64.b32encode(raw).lower(), base64.urlsafe_b64encode(b"zz" + raw)),
        "in JSON in base64url": (did, base64.urlsafe_b64encode(b'{"x": ["' + did + b'"]}')),
        "in gzip": (did, base64.urlsafe_b64encode(gzip.compress(b'{"x": "' + did + b'"}'))),
        "in JSON in a JSON text": (json.dumps(json.dumps({"k": did.decode()})).encode(), did),
        "in an event": (b"event: a\nid: " + did + b"\ndata: {}\n\n", did),
    }


@pytest.mark.parametrize("name", hidden(bytes(32)))
def test_a_key_is_found_wherever_it_hides(name: str) -> None:
    one, other = hidden(random.Random(7).randbytes(32))[name]
    assert tokens_of([one]) & tokens_of([other])
    unlike = hidden(random.Random(8).randbytes(32))[name][1]
    assert tokens_of([one]) & tokens_of([unlike]) <= tokens_of([b"X-Key did:key event"])


def names_of(first: str, rest: str) -> dict[str, bytes]:
    """A ledger's name as a node writes it: bare, as a member, and in a note."""
    name = f"freehold/ledger/{first}{rest}"
    return {
        "bare": name.encode(),
        "as a member": json.dumps({"log": name}).encode(),
        "in a note": json.dumps({"checkpoint": f"{name}\n3\nroot\n"}).encode(),
    }


@pytest.mark.parametrize("where", names_of("", ""))
def test_two_ledgers_whose_names_begin_alike_are_not_linked_by_it(where: str) -> None:
    one, other, far = (names_of("Q", f"{number:08}" * 3)[where] for number in (11223344, 55667788, 11223344))
    assert not {shared for shared in tokens_of([one]) & tokens_of([other]) if isinstance(shared, bytes)}
    assert {shared for shared in tokens_of([one]) & tokens_of([far]) if isinstance(shared, bytes)}


def test_times_words_and_the_address_are_known() -> None:
    assert tokens_of([b"2026-11-23T12:00:00Z"]) == set()
    assert {"AccessGrant", "postalCode", "proofPurpose"} <= tokens_of_words()
    assert {"127", "40123"} & tokens_of_address("http://127.0.0.1:40123") == set()
    assert tokens_of([b"http%3A%2F%2Fnode7.example"]) <= tokens_of_address("http://node7.example")


def test_no_word_looks_drawn_at_random() -> None:
    words = [one for one in tokens_of_words() if isinstance(one, str)]
    assert not [one for one in words if one.startswith(("z6Mk", "bagaaiera")) and one != "bagaaiera"]
