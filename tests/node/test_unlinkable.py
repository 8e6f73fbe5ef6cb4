"""Two vendors of one person never see the same identifier, key, record id or signature.

What they have in common is compared with what vendors of another person see who do the same at another time:
what is left, when the values disclosed to both and the node's address are taken away too, links the two.
Nothing else is exempt, and nothing of it is written down here by hand.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import hmac
import json
import random
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path
from typing import Any

import aiohttp.web_response
import freehold_node.api.server
import freehold_node.gate
import freehold_node.ledger
import freehold_node.streams
import freehold_node.view
import pytest
from freehold_node.api.routes import ROUTES
from freehold_node.person_keys import PersonKeys
from freehold_protocol.canonical import jcs
from freehold_protocol.checkpoint import Checkpoint, sign_checkpoint
from freehold_protocol.encoding import base64url_encode, multibase_encode
from freehold_protocol.keys import RelationshipKeys, SigningKey, hkdf_sha256
from freehold_protocol.released import Released
from lives import ADA, ZOE, Life
from overheard import Token, mixed_tokens_of, tokens_of, tokens_of_address, tokens_of_values
from two_vendors import EVERYONE_AT_ONCE, Overheard, ask, be_approved, hear, look, read, run_script

Cut = Callable[[Iterable[bytes]], set[Token]]
SHORT = (ask, be_approved, read, hear, look)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d(:\d\d:\d\dZ)?")


def run(folder: Path, life: Any = ADA, **more: Any) -> Overheard:
    return asyncio.run(run_script(life, folder / "node", **more))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Overheard:
    """What two vendors of somebody else receive."""
    return run(tmp_path_factory.mktemp("stranger"), ZOE)


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory) -> Overheard:
    return run(tmp_path_factory.mktemp("person"))


def links(heard: Overheard, stranger: Overheard, cut: Cut = tokens_of) -> set[Token]:
    """Return every token by which the two vendors could know that they deal with one person."""
    shop, paper = map(cut, heard.received)
    both = heard.disclosed[0] & heard.disclosed[1]
    values = tokens_of_values(map(json.loads, both)) | cut(value.encode() for value in both)
    address = tokens_of_address(heard.base)
    return (shop & paper) - values - address - cut(stranger.by_everyone)


# The claim


@pytest.mark.requirement("PRV-1", "PRV-3")
@pytest.mark.parametrize("cut", [tokens_of, mixed_tokens_of])
def test_two_vendors_of_one_person_receive_nothing_that_links_them(
    person: Overheard, stranger: Overheard, cut: Cut
) -> None:
    assert links(person, stranger, cut) == set()


@pytest.mark.requirement("PRV-2")
def test_the_values_that_are_exempt_are_those_that_both_received(person: Overheard) -> None:
    both = person.disclosed[0] & person.disclosed[1]
    assert both
    for received in person.received:
        heard = b"".join(received)
        assert not [value for value in both if json.loads(value).encode() not in heard]


def test_the_script_visits_every_route_of_a_vendor_and_hears_every_kind_of_refusal(person: Overheard) -> None:
    went_well = [(method, path) for method, path, status in person.asked if status < 400]
    for route in ROUTES:
        if route.spec != "owner":
            template = re.sub(r"\{[a-z]+(?::((?:[^{}]|\{[^{}]*\})+))?\}", r"(?:\1)", route.path)
            assert any(
                method == route.method and re.fullmatch(template, path) for method, path in went_well
            ), route.path
    assert {status for *_, status in person.asked} == {
        200, 202, 204, 304, 400, 401, 403, 404, 405, 409, 413, 503,
    }  # fmt: skip
    codes = {
        code.decode()
        for received in person.received for raw in received for code in re.findall(rb'"code": "([a-z-]+)"', raw)
    }  # fmt: skip
    assert codes == {
        "capability-expired", "capability-widened", "clock-suspect", "cursor-stale", "duplicate-key",
        "grant-ended", "grant-expired", "grant-not-yet", "grant-paused", "limit-reached", "malformed",
        "not-authenticated", "not-found", "not-shared", "replayed", "request-incomplete", "revoked",
        "signature-invalid", "signature-stale", "too-large", "undefined-term", "wrong-action",
        "wrong-controller", "wrong-target",
    }  # fmt: skip


# Times: what two vendors share who act in the same second, or whom the same event of the person's meets


def check_only_times_link(heard: Overheard, stranger: Overheard) -> None:
    for cut in (tokens_of, mixed_tokens_of):
        shared = links(heard, stranger, cut)
        assert shared
        assert all(isinstance(token, str) and _TIME.fullmatch(token) for token in shared), shared


@pytest.mark.requirement("PRV-4")
def test_acting_in_the_same_second_links_by_the_time_and_by_nothing_else(
    tmp_path: Path, stranger: Overheard
) -> None:
    check_only_times_link(run(tmp_path, together=True), stranger)


def test_what_happens_to_every_relationship_at_once_links_by_its_time_and_by_nothing_else(
    tmp_path: Path,
) -> None:
    """A deleted record, the timer's work and a restored backup leave one time in every ledger they touch."""
    heard = run(tmp_path / "person", script=EVERYONE_AT_ONCE)
    check_only_times_link(heard, run(tmp_path / "stranger", ZOE, script=EVERYONE_AT_ONCE))


# Whoever breaks it is caught


def _alias_of_the_person(_: RelationshipKeys, identifier: str) -> str:
    return multibase_encode(hmac.digest(b"one key for everyone", identifier.encode(), hashlib.sha256))


def _alias_is_common(patch: pytest.MonkeyPatch, _: Life) -> None:
    patch.setattr(RelationshipKeys, "alias_of", _alias_of_the_person)


def _key_is_common(patch: pytest.MonkeyPatch, name: str) -> None:
    derive: Any = RelationshipKeys.derive

    def derived(seed: bytes, relationship: str, *, key_epoch: int = 0) -> RelationshipKeys:
        key: Any = SigningKey(hkdf_sha256(seed, info=name.encode()))
        made: RelationshipKeys = replace(derive(seed, relationship, key_epoch=key_epoch), **{name: key})
        return made

    patch.setattr(RelationshipKeys, "derive", derived)


def _generation_is_told(patch: pytest.MonkeyPatch, _: Life) -> None:
    def tag(self: PersonKeys, *_relationship: object) -> str:
        return multibase_encode(hkdf_sha256(self._seed, info=b"%d" % self.generation))

    patch.setattr(PersonKeys, "generation_tag", tag)


def _record_is_named(patch: pytest.MonkeyPatch, hide: Callable[[str], str]) -> None:
    """Put the record's own CID, or something made of it, into every released document."""
    showing = freehold_node.view._Showing
    release = showing._release

    def released(self: Any, row: Any, *rest: Any) -> Released:
        made = release(self, row, *rest)
        unsigned = {**made.unsigned, "version": hide(row.cid)}
        return replace(made, unsigned=unsigned, canonical=jcs(unsigned))

    patch.setattr(showing, "_release", released)


def _inside_json_inside_gzip(cid: str) -> str:
    noise = random.SystemRandom().randbytes(5)
    return base64url_encode(gzip.compress(json.dumps({"a": noise.hex(), "b": [cid]}).encode()))


def _etag_is_of_the_content(patch: pytest.MonkeyPatch, _: Life) -> None:
    make = freehold_node.view.make_view

    def made(*given: Any) -> Any:
        view = make(*given)
        body = json.loads(view.released.canonical)
        said = list(body.get("items", [body]))
        content = [
            {k: v for k, v in one.items() if k not in ("id", "issuer", "version", "proof")} for one in said
        ]
        view.etag = f'"{base64url_encode(hashlib.sha256(jcs(content)).digest())}"'
        return view

    patch.setattr(freehold_node.gate, "make_view", made)


def _date_is_told(patch: pytest.MonkeyPatch, life: Life) -> None:
    async def leave(_: object, __: object) -> None:
        """Take nothing out."""

    patch.setattr(freehold_node.api.server, "strip_headers", leave)
    # The header is the machine's clock, not the test's; so that the two people live at different times:
    days = 1 + life.number % 1000
    patch.setattr(
        aiohttp.web_response, "rfc822_formatted_time", lambda: formatdate(time.time() + days * 86_400)
    )


def _ledger_is_the_nodes(patch: pytest.MonkeyPatch, _: Life) -> None:
    def checkpoint(standing: Any, grant: Any, key: SigningKey) -> str:
        origin = "freehold/ledger/" + base64url_encode(hashlib.sha256(standing.owner.encode()).digest())
        return sign_checkpoint(Checkpoint(origin=origin, size=1, root=bytes(range(32))), key)

    patch.setattr(freehold_node.ledger, "checkpoint", checkpoint)


def _events_are_the_nodes(patch: pytest.MonkeyPatch, life: Life) -> None:
    """Name a position in a stream by a number of the node's own and not of the relationship's."""

    def sealed(_key: bytes, plain: bytes, **_more: bytes) -> str:
        return base64url_encode(hashlib.sha256(life.place.encode() + plain).digest())

    patch.setattr(freehold_node.streams, "seal", sealed)


MUTANTS: dict[str, Callable[[pytest.MonkeyPatch, Life], None]] = {
    "aliases without the relationship's key": _alias_is_common,
    "one serving key": lambda patch, _: _key_is_common(patch, "serving"),
    "one decision key": lambda patch, _: _key_is_common(patch, "decision"),
    "one mark of the generation": _generation_is_told,
    "one ledger": _ledger_is_the_nodes,
    "one numbering of events": _events_are_the_nodes,
    "the record's CID": lambda patch, _: _record_is_named(patch, lambda cid: cid),
    "the record's CID, backwards in base64": lambda patch, _: _record_is_named(
        patch, lambda cid: base64.b64encode(cid[::-1].encode()).decode()
    ),
    "the record's CID, packed": lambda patch, _: _record_is_named(patch, _inside_json_inside_gzip),
    "an ETag of the content alone": _etag_is_of_the_content,
    "the Date header": _date_is_told,
}


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_a_node_that_links_is_caught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mutant: Callable[[pytest.MonkeyPatch, Life], None]
) -> None:
    def heard(life: Life) -> Overheard:
        with monkeypatch.context() as patch:
            mutant(patch, life)
            return run(tmp_path / life.place, life, script=SHORT)

    assert links(heard(ADA), heard(ZOE))


def test_a_node_without_a_mutant_is_not(tmp_path: Path) -> None:
    person, stranger = (run(tmp_path / life.place, life, script=SHORT) for life in (ADA, ZOE))
    assert links(person, stranger) == set()


# The tokens themselves


def _hidden(secret: bytes) -> dict[str, tuple[bytes, bytes]]:
    """Return pairs of texts in which a secret stands twice, written in two ways."""
    key = SigningKey(secret).public
    did, raw = key.did.encode(), key.raw
    return {
        "as it is": (b'{"a": "' + did + b'"}', b"X-Key: " + did),
        "percent-escaped": (b"a%3A%2F%2F" + did + b"%3B", b" " + did),
        "in base58 and in base64": (did, base64.b64encode(b"abc" + raw + b"d")),
        "in base64url and in hex": (base64.urlsafe_b64encode(raw), raw.hex().encode()),
        "in base32 and in base64url": (base64.b32encode(raw).lower(), base64.urlsafe_b64encode(b"zz" + raw)),
        "in JSON in base64url": (did, base64.urlsafe_b64encode(b'{"x": ["' + did + b'"]}')),
        "in gzip": (did, base64.urlsafe_b64encode(gzip.compress(b'{"x": "' + did + b'"}'))),
        "in JSON in a JSON text": (json.dumps(json.dumps({"k": did.decode()})).encode(), did),
    }


@pytest.mark.parametrize("name", _hidden(bytes(32)))
def test_a_key_is_found_wherever_it_hides(name: str) -> None:
    one, other = _hidden(random.Random(7).randbytes(32))[name]
    assert tokens_of([one]) & tokens_of([other])
    unlike = _hidden(random.Random(8).randbytes(32))[name][1]
    assert not {
        token for token in tokens_of([one]) & tokens_of([unlike]) if b"z6Mk" not in bytes(str(token), "utf-8")
    }
