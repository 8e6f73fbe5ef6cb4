"""Grants: their form, the table of their life state by state, and that a verifier enforces it."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from freehold_protocol.canonical import document_cid, jcs, jcs_digest, without_proof
from freehold_protocol.encoding import Document, Json, base64url_encode, format_time, parse_document
from freehold_protocol.errors import (
    FreeholdError,
    MalformedError,
    SignatureError,
    TooLargeError,
    TransitionError,
    UnsupportedError,
    WidenedError,
)
from freehold_protocol.grant import (
    CHANGES,
    STATES,
    TRANSITIONS,
    Change,
    Grant,
    State,
    check_asked,
    draft_grant,
    narrows,
    read_origin,
    verify_grant,
)
from freehold_protocol.keys import PublicKey, SigningKey
from freehold_protocol.permission import Permission
from freehold_protocol.request import Request
from hypothesis import given, settings
from signed_documents import (
    DAY_S,
    DECISION,
    NONCE,
    NOW_S,
    ORIGIN,
    SERVING,
    STRANGER,
    VENDOR,
    json_values,
    make_draft,
    make_grant,
    make_request,
    permission,
    re_signed,
    spoiled,
    survivors,
    uuid_urn,
    with_member,
    without_member,
)

REQUEST = make_request()
FIRST = make_grant(REQUEST)
LATER_S = NOW_S + DAY_S
LESS = (REQUEST.permissions[0],)
KEYS = {"decision": DECISION, "serving": SERVING, "vendor": VENDOR, "stranger": STRANGER}
OTHER_NONCE = "m" * 22
NEW_DECISION, NEW_SERVING = SigningKey(bytes([12]) * 32), SigningKey(bytes([13]) * 32)


def changed(grant: Grant, change: Change, signer: SigningKey = DECISION, **members: Any) -> Grant:
    draft = grant.changed(change, nonce=OTHER_NONCE, created_s=LATER_S, **members)
    return draft.signed(signer)


def in_state(state: State) -> Grant:
    """Return a grant that came into a state by the table's own ways; narrowed once, so that it can widen."""
    narrowed = changed(FIRST, "narrow", permissions=LESS)
    ways: dict[State, Change] = {"paused": "pause", "ended": "end", "expired": "expire"}
    return narrowed if state == "live" else changed(narrowed, ways[state])


def options(change: Change) -> dict[str, Any]:
    """Return what a change is given to do, on a grant that gives LESS."""
    if change == "narrow":
        return {"permissions": (permission("delivery", retention="P1D", limits=LESS[0].limits.to_dict()),)}
    if change == "rotate":
        return {"keys": (NEW_DECISION.public, NEW_SERVING.public)}
    return {"permissions": REQUEST.permissions} if change == "widen" else {}


# The table


def test_the_table_says_what_the_specification_says() -> None:
    assert TRANSITIONS.keys() == set(CHANGES)
    facts = {
        change: (rule.before, rule.after, rule.signer, rule.fresh, rule.narrows)
        for change, rule in TRANSITIONS.items()
    }
    both = ("live", "paused")
    assert facts == {
        "approve": ((), "live", "decision", True, False),
        "narrow": (both, None, "serving", False, True),
        "widen": (both, None, "decision", True, False),
        "pause": (("live",), "paused", "serving", False, True),
        "resume": (("paused",), "live", "decision", True, False),
        "rotate": (both, None, "both", True, False),
        "end": (both, "ended", "serving", False, True),
        "expire": (both, "expired", "serving", False, True),
    }


def test_the_table_is_sound() -> None:
    for change, rule in TRANSITIONS.items():
        # The serving key can only take away, and what it may do needs no passphrase; the decision key the rest.
        assert rule.narrows == (rule.signer == "serving") == (not rule.fresh), change
        assert not {"ended", "expired"} & set(rule.before), change
        assert rule.event.startswith("dpv:Consent") or rule.event == "dpv:RenewedConsentGiven"
        assert rule.after in (None, *STATES)
        assert set(rule.before) <= set(STATES)
    assert {rule.after for rule in TRANSITIONS.values()} - {None} == set(STATES)


@pytest.mark.parametrize("signer", KEYS)
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("state", STATES)
def test_every_state_change_and_signer(state: State, change: Change, signer: str) -> None:
    """The draft is made where the table allows it, and verifies where the table's signer made it."""
    before, rule, key = in_state(state), TRANSITIONS[change], KEYS[signer]
    if state not in rule.before:
        with pytest.raises(TransitionError):
            changed(before, change, key, **options(change))
        return
    after = changed(before, change, key, **options(change))
    assert after.state == (rule.after or state)
    assert after.version == before.version + 1
    assert after.previous == before.cid
    may = {"decision", rule.signer} if rule.signer != "both" else set()  # one key is never enough for that
    if signer in may:
        verify_grant(after, request=REQUEST, previous=before)
    else:
        with pytest.raises(SignatureError):
            verify_grant(after, request=REQUEST, previous=before)


@pytest.mark.parametrize("signer", KEYS)
@pytest.mark.parametrize("after", STATES)
@pytest.mark.parametrize("before", STATES)
def test_a_version_made_by_hand_is_held_to_the_table(before: State, after: State, signer: str) -> None:
    """Whoever writes a version without ``changed`` gets no further than the table: every pair of states."""
    standing = in_state(before)
    version = by_hand(standing, KEYS[signer], state=after)
    allowed = {
        "decision": any(
            before in rule.before and (rule.after or before) == after for rule in TRANSITIONS.values()
        ),
        "serving": any(
            before in rule.before and (rule.after or before) == after and rule.signer == "serving"
            for rule in TRANSITIONS.values()
        ),
    }
    if allowed.get(signer):
        verify_grant(version, request=REQUEST, previous=standing)
    else:
        with pytest.raises((TransitionError, SignatureError)):
            verify_grant(version, request=REQUEST, previous=standing)


def by_hand(before: Grant, key: SigningKey, **members: Json) -> Grant:
    """Return a next version whose members are these, signed without asking ``changed``."""
    document = {
        **without_proof(before.document),
        "version": before.version + 1,
        "previous": before.cid,
        "created": format_time(LATER_S),
        **members,
    }
    return Grant.from_dict(re_signed(document, key, created_s=LATER_S))


# The first version


def test_a_first_version() -> None:
    assert FIRST.version == 1
    assert FIRST.state == "live"
    assert FIRST.previous is None
    assert FIRST.request == REQUEST.cid
    assert FIRST.vendor == VENDOR.did
    assert FIRST.permission("age-check") == REQUEST.permissions[1]
    assert FIRST.permission("ledger") is None
    verify_grant(FIRST, request=REQUEST)
    again = Grant.from_dict(parse_document(jcs(FIRST.document)))
    assert again == FIRST
    assert again.cid == document_cid(FIRST.document)


def test_what_is_approved_is_everything_but_the_proof() -> None:
    draft = make_draft(REQUEST)
    assert "proof" not in draft.document
    assert draft.digest == FIRST.digest == base64url_encode(jcs_digest(without_proof(FIRST.document)))
    assert draft.cid != FIRST.cid
    assert make_draft(REQUEST, nonce=OTHER_NONCE).digest != draft.digest


@pytest.mark.parametrize("key", [SERVING, VENDOR, STRANGER])
def test_only_the_decision_key_signs_the_first_version(key: SigningKey) -> None:
    with pytest.raises(SignatureError):
        verify_grant(make_draft(REQUEST).signed(key), request=REQUEST)


@pytest.mark.parametrize("state", ["paused", "ended", "expired"])
def test_the_first_version_is_live(state: State) -> None:
    document = re_signed({**FIRST.document, "state": state}, DECISION)
    with pytest.raises(TransitionError):
        verify_grant(Grant.from_dict(document), request=REQUEST)


def test_a_later_version_is_not_taken_for_a_first() -> None:
    with pytest.raises(TransitionError):
        verify_grant(changed(FIRST, "pause"), request=REQUEST)
    with pytest.raises(TransitionError):
        verify_grant(FIRST, request=REQUEST, previous=FIRST)


@pytest.mark.parametrize(
    "members",
    [
        {"permissions": (*REQUEST.permissions, permission("more"))},
        {"permissions": (permission("delivery", limits={}, recipients=[STRANGER.did]),)},
        {"permissions": (permission("age-check", purpose=["dpv:Marketing"]),)},
        {"expires_s": REQUEST.expires_s + 1},
        {"not_before_s": REQUEST.expires_s},
        {"not_before_s": REQUEST.expires_s + 1},
    ],
)
def test_no_more_than_was_asked(members: dict[str, Any]) -> None:
    with pytest.raises(WidenedError):
        make_draft(REQUEST, **members)


def test_another_request_is_not_what_was_answered() -> None:
    for request in (make_request(nonce=OTHER_NONCE), make_request(STRANGER)):
        with pytest.raises(WidenedError):
            check_asked(FIRST, request)
    for_another = Grant.from_dict({**without_proof(FIRST.document), "assignee": STRANGER.did})
    with pytest.raises(WidenedError):
        check_asked(for_another, REQUEST)


def test_more_than_asked_is_refused_whoever_signed_it() -> None:
    document = {**FIRST.document, "expires": format_time(REQUEST.expires_s + 1)}
    with pytest.raises(WidenedError):
        verify_grant(Grant.from_dict(re_signed(document, DECISION)), request=REQUEST)
    wide = by_hand(
        changed(FIRST, "narrow", permissions=LESS),
        DECISION,
        permission=[*FIRST.document["permission"], permission("more").to_dict()],
    )
    with pytest.raises(WidenedError):
        verify_grant(wide, request=REQUEST, previous=changed(FIRST, "narrow", permissions=LESS))


# Form


def test_no_mutation_verifies() -> None:
    second = changed(FIRST, "narrow", SERVING, permissions=LESS)

    def check(document: Document) -> None:
        verify_grant(Grant.from_dict(document), request=REQUEST, previous=FIRST)

    assert survivors(second.document, check, at_least=100) == []


@settings(max_examples=200)
@given(json_values | spoiled(FIRST.document))
def test_any_json_value_is_a_grant_or_a_freehold_error(value: Any) -> None:
    try:
        grant = Grant.from_dict(value)
        verify_grant(grant, request=REQUEST)
    except FreeholdError:
        return
    assert jcs(value) == jcs(FIRST.document)


@pytest.mark.parametrize("name", sorted(without_proof(FIRST.document)))
def test_members_that_are_needed(name: str) -> None:
    with pytest.raises(MalformedError):
        Grant.from_dict(without_member(FIRST.document, name))


@pytest.mark.parametrize(
    ("path", "value", "error"),
    [
        ("@context", "https://schema.org", MalformedError),
        ("type", "AccessRequest", MalformedError),
        ("id", FIRST.id, MalformedError),
        ("nonce", "x", MalformedError),
        ("version", 0, MalformedError),
        ("version", 1.0, MalformedError),
        ("version", True, MalformedError),
        ("version", 2, MalformedError),  # without previous
        ("previous", FIRST.cid, MalformedError),  # with version 1
        ("previous", None, MalformedError),
        ("state", "open", MalformedError),
        ("state", ["live"], MalformedError),
        ("state", None, MalformedError),
        ("created", NOW_S, MalformedError),
        ("request", "b", MalformedError),
        ("request", REQUEST.cid + "a", MalformedError),
        ("assigner", "Ada", MalformedError),
        ("assigner", "did:web:node.example", UnsupportedError),
        ("servingKey", SERVING.method, MalformedError),
        ("servingKey", "did:web:node.example", UnsupportedError),
        ("assignee", "shop.example", MalformedError),
        ("origins", [], MalformedError),
        ("origins", [ORIGIN, ORIGIN], MalformedError),
        ("origins", [f"https://n{n}.example" for n in range(5)], TooLargeError),
        ("origins.0", ORIGIN + "/", MalformedError),
        ("log", "freehold/ledger/short", MalformedError),
        ("log", "ledger/" + "l" * 22, MalformedError),
        ("log", "freehold/ledger/" + "l" * 65, MalformedError),
        ("log", "freehold/ledger/" + "l" * 22 + "\n", MalformedError),
        ("log", None, MalformedError),
        ("notBefore", "", MalformedError),
        ("expires", None, MalformedError),
        ("permission", [], MalformedError),
        ("permission.0.name", "age-check", MalformedError),
        ("epoch", 1, MalformedError),
        ("assigneeKey", VENDOR.did, MalformedError),  # a did:key says its key itself
        ("assigneeKey", None, MalformedError),
        ("assignee", "did:web:shop.example", MalformedError),  # and this one does not
    ],
)
def test_wrong_members(path: str, value: Json, error: type[FreeholdError]) -> None:
    with pytest.raises(FreeholdError) as raised:
        Grant.from_dict(with_member(FIRST.document, path, value))
    assert type(raised.value) is error


@pytest.mark.parametrize(
    "origin",
    [
        "https://a",
        "https://node.example",
        "https://xn--bcher-kva.example:8443",
        "https://203.0.113.7",
        "https://[2001:db8::1]:8443",
        "http://127.0.0.1",
        "http://127.0.0.1:8420",
        "http://127.200.3.1:1",
        "http://[::1]:65535",
    ],
)
def test_origins(origin: str) -> None:
    assert read_origin(origin) == origin


@pytest.mark.parametrize(
    "origin",
    [
        "node.example", "https://", "https:///", "https://node.example/", "https://node.example/g",
        "https://node.example?a", "https://node.example#a", "https://Node.example", "HTTPS://node.example",
        "https://ada@node.example", "https://node.example:", "https://node.example:٣٣", "https://node.example:123456",
        "https://node.example:0", "https://node.example:080", "https://node.example:65536",
        "https://node.example:443", "http://127.0.0.1:80", "https://node..example",
        "https://-node.example", "https://node.example.", "https://node.example\n", " https://node.example",
        "https://nöde.example", "https://node example", "https://[::1", "https://[node]", "https://[::1%25eth0]",
        "http://node.example", "http://localhost", "http://localhost:8420", "http://126.0.0.1", "http://128.0.0.1",
        "http://127.0.0.256", "http://127.0.0", "http://127.1", "http://[::2]", "http://[::ffff:127.0.0.1]",
        "http://0.0.0.0", "ftp://node.example", "javascript:alert(1)", "https://" + "a" * 300, "", None, 1, [],
    ],
)  # fmt: skip
def test_what_is_no_origin(origin: Any) -> None:
    with pytest.raises(MalformedError):
        read_origin(origin)


# What follows what


@pytest.mark.parametrize("key", [DECISION, SERVING])
@pytest.mark.parametrize(
    ("members", "error"),
    [
        ({"previous": REQUEST.cid}, TransitionError),
        ({"previous": make_draft(REQUEST).cid}, TransitionError),  # the draft is not the version
        ({"version": 3}, TransitionError),
        ({"version": 2**53 - 1}, TransitionError),
        ({"id": uuid_urn(9)}, WidenedError),
        ({"assigner": STRANGER.did}, WidenedError),
        ({"servingKey": STRANGER.did}, WidenedError),
        ({"origins": [ORIGIN, "https://other.example"]}, WidenedError),
        ({"origins": ["https://other.example"]}, WidenedError),
        ({"log": "freehold/ledger/" + "m" * 22}, WidenedError),
        ({"notBefore": format_time(NOW_S)}, WidenedError),
        ({"notBefore": format_time(LATER_S)}, WidenedError),
        ({"request": make_request(nonce=OTHER_NONCE).cid}, WidenedError),
        ({"assignee": STRANGER.did}, WidenedError),
    ],
)
def test_what_no_version_may_change(key: SigningKey, members: Document, error: type[FreeholdError]) -> None:
    with pytest.raises(error):
        verify_grant(by_hand(FIRST, key, **members), request=REQUEST, previous=FIRST)


def test_a_version_cannot_be_left_out_or_come_twice() -> None:
    second = changed(FIRST, "pause", SERVING)
    third = changed(second, "resume")
    verify_grant(third, request=REQUEST, previous=second)
    for version, previous in ((third, FIRST), (second, second), (FIRST, second), (third, third)):
        with pytest.raises(TransitionError):
            verify_grant(version, request=REQUEST, previous=previous)


def test_two_versions_of_one_number_do_not_mix() -> None:
    paused, ended = changed(FIRST, "pause"), changed(FIRST, "end")
    with pytest.raises(TransitionError):
        verify_grant(changed(paused, "resume"), request=REQUEST, previous=ended)


@pytest.mark.parametrize("state", ["ended", "expired"])
@pytest.mark.parametrize("after", STATES)
@pytest.mark.parametrize("key", [DECISION, SERVING])
def test_what_is_over_is_over(state: State, after: State, key: SigningKey) -> None:
    over = in_state(state)
    with pytest.raises(TransitionError, match="no further version"):
        verify_grant(by_hand(over, key, state=after), request=REQUEST, previous=over)


@pytest.mark.parametrize(
    "wider",
    [
        {"permissions": REQUEST.permissions},
        {
            "permissions": (
                permission("delivery", limits=LESS[0].limits.to_dict(), recipients=list(LESS[0].recipients)),
            )
        },
    ],
)
def test_the_serving_key_cannot_widen(wider: dict[str, Any]) -> None:
    narrow = changed(
        FIRST,
        "narrow",
        permissions=(permission("delivery", retention="P1D", limits=LESS[0].limits.to_dict()),),
    )
    for key, good in ((DECISION, True), (SERVING, False)):
        widened = changed(narrow, "widen", key, **wider)
        if good:
            verify_grant(widened, request=REQUEST, previous=narrow)
        else:
            with pytest.raises(SignatureError):
                verify_grant(widened, request=REQUEST, previous=narrow)


def test_the_serving_key_cannot_widen_while_it_ends_or_pauses() -> None:
    """Each part of a version must be narrower, not only its state."""
    narrow = changed(FIRST, "narrow", permissions=LESS)
    for state in ("paused", "ended", "expired"):
        asked = [one.to_dict() for one in REQUEST.permissions]
        widened = by_hand(narrow, SERVING, state=state, permission=asked)
        with pytest.raises(SignatureError):
            verify_grant(widened, request=REQUEST, previous=narrow)
        verify_grant(
            by_hand(narrow, DECISION, state=state, permission=asked), request=REQUEST, previous=narrow
        )


def test_the_serving_key_cannot_make_it_last_longer() -> None:
    shorter = changed(FIRST, "narrow", permissions=LESS, expires_s=REQUEST.expires_s - DAY_S)
    longer = changed(shorter, "widen", SERVING, expires_s=REQUEST.expires_s)
    with pytest.raises(SignatureError):
        verify_grant(longer, request=REQUEST, previous=shorter)
    verify_grant(changed(shorter, "widen", expires_s=REQUEST.expires_s), request=REQUEST, previous=shorter)


def test_the_keys_of_the_version_before_count() -> None:
    """A version that names other keys is not signed by itself."""
    usurped = by_hand(FIRST, STRANGER, assigner=STRANGER.did, servingKey=STRANGER.did)
    with pytest.raises(WidenedError):
        verify_grant(usurped, request=REQUEST, previous=FIRST)


# Changing


@pytest.mark.parametrize(
    ("change", "members"),
    [
        ("narrow", {"permissions": (*REQUEST.permissions, permission("more"))}),
        ("narrow", {"permissions": LESS, "expires_s": REQUEST.expires_s + 1}),
        ("narrow", {"expires_s": REQUEST.expires_s + 1}),
        ("pause", {"permissions": (*REQUEST.permissions, permission("more"))}),
        ("end", {"expires_s": REQUEST.expires_s + 1}),
        ("expire", {"expires_s": REQUEST.expires_s + 1}),
    ],
)
def test_what_only_takes_away_cannot_add(change: Change, members: dict[str, Any]) -> None:
    with pytest.raises(WidenedError):
        FIRST.changed(change, nonce=OTHER_NONCE, created_s=LATER_S, **members)


def test_a_draft_leaves_the_version_as_it_was() -> None:
    before = jcs(FIRST.document)
    draft = FIRST.changed("narrow", nonce=OTHER_NONCE, created_s=LATER_S, permissions=LESS)
    assert jcs(FIRST.document) == before
    assert "proof" not in draft.document
    assert draft.permissions == LESS
    assert draft.created_s == LATER_S
    assert draft.expires_s == FIRST.expires_s
    assert draft.document["nonce"] == OTHER_NONCE
    with pytest.raises(MalformedError):
        verify_grant(draft, request=REQUEST, previous=FIRST)


def test_a_draft_of_the_wrong_form_is_refused() -> None:
    with pytest.raises(MalformedError):
        FIRST.changed("narrow", nonce="short", created_s=LATER_S)
    with pytest.raises(MalformedError):
        FIRST.changed("narrow", nonce=OTHER_NONCE, created_s=LATER_S, permissions=())
    with pytest.raises(MalformedError):
        draft_grant(
            REQUEST, grant_id="1", nonce=NONCE, decision_key=DECISION.public, serving_key=SERVING.public,
            origins=(ORIGIN,), log=FIRST.log, created_s=NOW_S, not_before_s=NOW_S, expires_s=REQUEST.expires_s,
            permissions=REQUEST.permissions,
        )  # fmt: skip


# Narrowing as an order


def _random_grant(rng: random.Random, request: Request) -> Grant:
    permissions: list[Permission] = []
    for one in rng.sample(request.permissions, rng.randint(1, len(request.permissions))):
        days = rng.choice(["P1D", "P7D", one.retention])
        permissions.append(replace(one, retention=days, recipients=one.recipients[: rng.randint(0, 1)]))
    document: Document = {
        **without_proof(FIRST.document),
        "state": rng.choice(STATES),
        "expires": format_time(request.expires_s - rng.randint(0, 2) * DAY_S),
        "permission": [one.to_dict() for one in permissions],
    }
    return Grant.from_dict(document)


def test_narrowing_is_an_order() -> None:
    rng = random.Random(3)
    chains = refused = 0
    for _ in range(2000):
        a, b, c = (_random_grant(rng, REQUEST) for _ in range(3))
        if rng.random() < 0.5:  # grants that are more often within one another
            b, c = (Grant.from_dict(one.document | {"state": a.state}) for one in (b, c))
        assert narrows(a, a)
        refused += not narrows(b, a)
        if narrows(b, a) and narrows(c, b):
            chains += 1
            # ended, then paused, is not live; the table keeps what is over from going on.
            assert narrows(c, a)
        if narrows(b, a) and b.state == "live":
            assert a.state == "live"
    assert chains > 20
    assert refused > 500


# A vendor that is no did:key

WEB = "did:web:shop.example"
WEB_REQUEST = make_request(method=f"{WEB}#key-1")


def test_a_grant_to_a_did_web_says_which_key_asked() -> None:
    draft = make_draft(WEB_REQUEST, vendor_key=VENDOR.public)
    assert draft.document["assigneeKey"] == VENDOR.did
    assert (draft.vendor, draft.vendor_key) == (WEB, VENDOR.public)
    later = draft.signed(DECISION).changed("pause", nonce="m" * 22, created_s=NOW_S).signed(SERVING)
    assert later.vendor_key == VENDOR.public
    verify_grant(later, request=WEB_REQUEST, previous=draft.signed(DECISION))
    assert FIRST.vendor_key is None


@pytest.mark.parametrize(
    ("request_", "key"), [(WEB_REQUEST, None), (REQUEST, VENDOR.public), (REQUEST, STRANGER.public)]
)
def test_a_grant_says_the_key_of_a_did_web_and_of_no_other(request_: Request, key: PublicKey | None) -> None:
    with pytest.raises(MalformedError):
        make_draft(request_, vendor_key=key)


@pytest.mark.parametrize(
    "value", ["z6Mk", WEB, f"{WEB}#key-1", VENDOR.method, VENDOR.public.multikey, 7, None, []]
)
def test_the_key_that_asked_is_a_did_key(value: Json) -> None:
    document = make_draft(WEB_REQUEST, vendor_key=VENDOR.public).document
    with pytest.raises(FreeholdError):
        Grant.from_dict(with_member(document, "assigneeKey", value))


@pytest.mark.parametrize("key", [DECISION, SERVING])
def test_no_version_changes_the_key_that_asked(key: SigningKey) -> None:
    first = make_draft(WEB_REQUEST, vendor_key=VENDOR.public).signed(DECISION)
    later = first.changed("pause", nonce="m" * 22, created_s=NOW_S).document
    changed = Grant.from_dict(re_signed({**later, "assigneeKey": STRANGER.did}, key))
    with pytest.raises((WidenedError, SignatureError)):
        verify_grant(changed, request=WEB_REQUEST, previous=first)
