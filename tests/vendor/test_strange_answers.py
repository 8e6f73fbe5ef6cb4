"""Whatever stands anywhere in an answer, it ends in a registered error or in what was meant; never otherwise."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from freehold_protocol.encoding import Document, Json
from freehold_protocol.entry import Admitted
from freehold_protocol.errors import FreeholdError, LedgerError, MalformedError, ReleaseError
from freehold_vendor import VendorIdentity
from freehold_vendor.delegation import Delegation
from freehold_vendor.held import read_held
from freehold_vendor.holder import with_capability
from freehold_vendor.ledger import FollowedLedger
from freehold_vendor.pending import _approved, _status_url
from freehold_vendor.release import Selection, check_entry, open_head, open_release
from freehold_vendor.standing import Standing
from freehold_vendor.transport import Answer
from hypothesis import given, settings
from hypothesis import strategies as st
from vendor_documents import (
    BASE,
    GRANT,
    LOG,
    NOW_S,
    SERVING,
    SHOP,
    capability,
    delegated,
    delegation,
    granted,
    read,
    request,
    status,
    versions,
)

VALUES: st.SearchStrategy[Json] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["", "z", "did:key:z", "urn:uuid:", "A" * 43, "2026-13-99T99:99:99Z", "\ud800", "²"]),
    st.just([]),
    st.just({}),
    st.just([[]]),
    st.just({"": None}),
)


def places(value: Json, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    steps = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [path] + [place for step in steps for place in places(value[step], (*path, step))]


@st.composite
def altered(draw: st.DrawFn, document: Json) -> Json:
    """The document with something else, or nothing, at one place."""
    made = copy.deepcopy(document)
    path = draw(st.sampled_from(places(made)))
    if not path:
        return draw(VALUES)
    holder = made
    for step in path[:-1]:
        holder = holder[step]
    if draw(st.booleans()):
        holder[path[-1]] = draw(VALUES)
    else:
        del holder[path[-1]]
    return made


async def prove(*_: object) -> Admitted:
    raise AssertionError("nothing is proven here")


def answer(document: Json) -> Answer:
    body = json.dumps(document).encode("utf-8", "replace")
    return Answer(status=200, headers={"freehold-entry": "1"}, body=body, signature=b"")


def approval() -> Document:
    told: Document = {
        "status": "approved",
        "grant": f"{BASE}/g/{GRANT}",
        "receipt": {"type": "Receipt", "request": request().document, "versions": [versions()[0].document]},
        "capability": capability().document,
        "checkpoint": read().note,
    }
    return told


async def prove_entry(shown: Json) -> object:
    """Follow a ledger that shows this as its entry."""

    async def fetch(_: str) -> Document:
        if not isinstance(shown, dict):
            raise MalformedError("not a JSON object")
        return shown

    async def keep(_: str) -> None:
        pass

    async def learn() -> None:
        pass

    ledger = FollowedLedger(
        origin=LOG, keys=lambda: [SERVING.public], note=None, fetch=fetch, keep=keep, learn=learn
    )
    return await ledger.prove(1)


def run(coroutine: Any) -> object:
    """Run what waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waited")


PENDING = replace(granted(), versions=(), capability=None, checkpoint=None)
IDENTITY = VendorIdentity(SHOP, "Shop")
DOORS: dict[str, tuple[Document, Callable[[Any], object]]] = {
    "page": (
        read().page,
        lambda one: open_release(answer(one), read().sent, prove, key=SERVING.public).records,
    ),
    "entry": (read().shown, lambda one: run(prove_entry(one))),
    "approval": (approval(), lambda one: _approved(PENDING, one, IDENTITY)),
    "capability": (capability().document, lambda one: with_capability(granted(), one, IDENTITY)),
    "delegation": (delegation().to_dict(), Delegation.from_dict),
    "status": (status(), lambda one: Standing.of_status(one, grant=GRANT, key=SERVING.public, now_s=NOW_S)),
    "held request": (granted(versions=2).to_dict(), read_held),
    "held delegation": (delegated().to_dict(), read_held),
}


@pytest.mark.parametrize("door", DOORS)
def test_what_is_as_it_was_meant_comes_in(door: str) -> None:
    document, enter = DOORS[door]
    enter(copy.deepcopy(document))


@pytest.mark.parametrize("door", DOORS)
@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_what_is_altered_ends_in_a_registered_error(door: str, data: st.DataObject) -> None:
    document, enter = DOORS[door]
    strange = data.draw(altered(document))
    if door == "approval" and not isinstance(strange, dict):
        return  # the transport has refused it
    with suppress(FreeholdError):
        enter(strange)


@settings(max_examples=150, deadline=None)
@given(shown=altered(read().shown))
def test_an_altered_entry_is_never_taken_for_ours(shown: Json) -> None:
    if not isinstance(shown, dict) or not {"number", "leaf"} <= shown.keys():
        return  # the ledger has refused it
    bare = {name: value for name, value in read().page.items() if name != "proof"}
    told = ("number", "leaf", "entry", "salt")
    try:
        check_entry(shown, read().sent, status=200, content=bare)
    except FreeholdError:
        return
    assert all(shown[name] == read().shown[name] for name in told)


# What an entry must say, where it is a true entry of the ledger, and of another read


@pytest.mark.requirement("REL-16")
@pytest.mark.parametrize(
    "other",
    [
        {"method": "HEAD"},
        {"who": SERVING.did},
        {"chain": ("A" * 43,)},
        {"chain": ()},
        {"signature": "A" * 43},
        {"selection": Selection(permission="marketing", limit=5)},
        {"selection": Selection(permission="delivery", limit=6)},
        {"selection": Selection(permission="delivery")},
        {"selection": Selection(permission="delivery", fields=("email",), limit=5)},
    ],
)
def test_an_entry_of_another_read(other: dict[str, Any]) -> None:
    with pytest.raises(ReleaseError):
        check_entry(read().shown, replace(read().sent, **other), status=200, content=None)


@pytest.mark.requirement("REL-16")
def test_an_entry_of_another_status_or_content() -> None:
    with pytest.raises(ReleaseError):
        check_entry(read().shown, read().sent, status=304, content=None)
    with pytest.raises(ReleaseError):
        check_entry(read().shown, read().sent, status=200, content={"type": "Person"})
    with pytest.raises(LedgerError):
        check_entry({**read().shown, "number": 2}, read().sent, status=200, content=None)


@pytest.mark.parametrize("known", [None, {"type": "Person"}])
def test_unchanged_is_an_answer_only_to_whoever_asked(known: Document | None) -> None:
    for status_, good in ((200, known is None), (304, known is not None), (204, False)):
        came = Answer(status=status_, headers={"freehold-entry": "1"}, body=b"", signature=b"")
        if good:
            assert open_head(came, read().sent, prove, known=known).entry == 1
        else:
            with pytest.raises(ReleaseError):
                open_head(came, read().sent, prove, known=known)


@settings(max_examples=60, deadline=None)
@given(
    value=VALUES | st.text(alphabet="/.@:?#%abcdehnopqrstuvwxyz", max_size=30).map(lambda text: BASE + text)
)
def test_a_request_is_followed_at_the_same_node_or_not_at_all(value: Json) -> None:
    try:
        url = _status_url(value, f"{BASE}/i/x")
    except MalformedError:
        return
    assert url.startswith(f"{BASE}/requests/")
