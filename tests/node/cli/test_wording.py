from __future__ import annotations

from typing import Any

import pytest
from freehold_node.cli import lookup, wording
from freehold_node.cli.failure import Failure, failure_of
from freehold_protocol.entry import CHANGES
from freehold_protocol.errors import NotFoundError, PassphraseError
from freehold_protocol.permission import Permission
from harness import permission

SHOP = {"id": "did:key:z6MkShopShopShop", "name": "Corner Shop"}
PARTNER = "did:key:z6MkPartnerPartner"


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def row(kind: str, **body: Any) -> tuple[str, ...]:
    chain = ["first"] if body.get("who") == SHOP["id"] else ["first", "second"]
    entry = {"kind": kind, "number": 3, "time": "2026-11-23T12:00:00Z", "chain": chain, **body}
    return wording.entry_row({"number": 3, "entry": entry}, wording.names(SHOP))


READ: dict[str, Any] = {"permission": "delivery", "fields": ["name", "email"], "count": 1, "status": 200}


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        (row("admitted", who=SHOP["id"], **READ), ("Corner Shop", "read delivery", "name, email", "sent 1 record")),
        (row("admitted", who=PARTNER, **{**READ, "count": 2}),
         ("partner key z6MkPart", "read delivery", "name, email", "sent 2 records")),
        (row("admitted", who=SHOP["id"], **{**READ, "status": 304}),
         ("Corner Shop", "read delivery", "name, email", "nothing new to send")),
        (row("admitted", who=SHOP["id"], repeatOf=1, **READ),
         ("Corner Shop", "read delivery", "name, email", "sent 1 record, again as entry 1")),
        (row("changed", change="approve", version=1), ("you", "you approved", "", "version 1")),
        (row("changed", change="expire", version=2), ("the clock", "the time ran out", "", "version 2")),
        (row("changed", change="revoke", version=2, revoked=PARTNER),
         ("you", "cut off partner key z6MkPart", "", "version 2")),
        (row("changed", change="revoke", version=2, revoked="x" * 43),
         ("you", "cut off a passed-on access", "", "version 2")),
        (row("refused", who=SHOP["id"], code="not-shared", count=1, permission="delivery"),
         ("Corner Shop", "tried to read delivery", "", "refused: not shared")),
        (row("refused", who=PARTNER, code="malformed", count=4),
         ("partner key z6MkPart", "tried to read something not given", "", "refused: malformed, 4 times")),
        (row("received", who=SHOP["id"], acknowledges=1), ("Corner Shop", "confirmed", "", "entry 1 came")),
        (row("erased", erases=1), ("you", "erased", "", "entry 1 is erased, with notice")),
    ],
)  # fmt: skip
def test_an_entry_is_told_in_words(shown: tuple[str, ...], told: tuple[str, ...]) -> None:
    assert shown == ("3", "2026-11-23 12:00", *told)


def test_who_has_a_domain_is_told_by_it() -> None:
    shop = {"id": "did:web:shop.example", "name": "Corner Shop"}
    carrier = {"id": "did:web:carrier.example", "domain": "carrier.example", "keys": [PARTNER]}
    name_of = wording.names(shop, [carrier])

    def told(kind: str, *chain: str, **body: Any) -> str:
        entry = {"kind": kind, "time": "2026-11-23T12:00:00Z", "chain": chain, **READ, **body}
        return wording.entry_row({"number": 3, "entry": entry}, name_of)[2]

    # The vendor by the place in the chain: its keys change, what it did with them does not.
    assert told("admitted", "first", who="did:key:z6MkOfTheShop") == "Corner Shop"
    assert told("refused", "first", who="did:key:z6MkOfTheShop", code="revoked", count=1) == "Corner Shop"
    assert told("admitted", "first", "second", who=PARTNER) == "partner carrier.example"
    assert told("admitted", "first", "second", who="did:key:z6MkStranger") == "partner key z6MkStra"
    assert name_of("did:web:carrier.example") == "partner carrier.example"
    assert name_of("did:web:shop.example") == "Corner Shop"


@pytest.mark.requirement("IDN-3")
@pytest.mark.parametrize(
    ("vendor", "said"),
    [
        (SHOP, "nobody vouches for the name, only key z6MkShop is certain"),
        (
            {**SHOP, "id": "did:web:shop.example", "vouched": True, "domain": "shop.example"},
            "shop.example; its keys",
        ),
        (
            {**SHOP, "id": "did:web:127.0.0.1%3A1", "vouched": False, "domain": "127.0.0.1:1"},
            "only 127.0.0.1:1 is",
        ),
    ],
)
def test_who_stands_behind_a_name(vendor: dict[str, Any], said: str) -> None:
    facts = list(wording.who(vendor))
    assert facts[0] == ("who", "Corner Shop")
    assert said in facts[1][1]


@pytest.mark.requirement("IDN-3")
def test_no_name_looks_like_a_domain_that_vouches() -> None:
    liar = {"vendor": {"id": SHOP["id"], "name": "shop.example", "vouched": False}}
    shop = {
        "vendor": {"id": "did:web:shop.example", "name": "Shop", "vouched": True, "domain": "shop.example"}
    }
    assert not wording.some_are_vouched([liar])
    assert wording.some_are_vouched([liar, shop])
    assert wording.vouching(liar["vendor"], shown=True) == ("nobody",)
    assert wording.vouching(shop["vendor"], shown=True) == ("shop.example",)
    assert wording.vouching(shop["vendor"], shown=False) == ()


def test_an_erased_body_is_told_too() -> None:
    assert wording.entry_row({"number": 7, "leaf": "x"}, wording.names(SHOP))[0] == "7"
    assert wording.entry_row({"number": 7, "leaf": "x"}, wording.names(SHOP))[-1] == "erased with notice"


def test_every_change_has_words() -> None:
    for change in CHANGES:
        told = row("changed", change=change, version=1)
        assert told[3] != change


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1, "1 second"),
        (60, "1 minute"),
        (7200, "2 hours"),
        (86_400, "1 day"),
        (30 * 86_400, "30 days"),
        (90, "90 seconds"),
    ],
)
def test_durations(seconds: int, text: str) -> None:
    assert wording.duration(seconds) == text


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("name", "Ada"),
        ("email", "a; b; c (and 1 more)"),
        ("address.postalCode", "1; 2"),
        ("address", "(nothing)"),
        ("nope", "(nothing)"),
        ("nope.nope", "(nothing)"),
        ("description", "d" * 57 + "..."),
        ("height", "0"),
    ],
)
def test_values_stand_beside_their_fields(path: str, text: str) -> None:
    content = {
        "name": "Ada",
        "email": ["a", "b", "c", "d"],
        "address": [{"postalCode": "1"}, {"postalCode": "2"}],
        "description": "d" * 100,
        "height": 0,
    }
    assert wording.value_text(content, path) == text


def test_limits_in_words() -> None:
    hours = {"days": ["Mo", "Su"], "from": "08:00", "to": "00:00", "timeZone": "Europe/Berlin"}
    limits = {"reads": 1, "rate": {"reads": 2, "per": "PT1H"}, "hours": hours}
    made = Permission.from_dict(permission("x", ["name"], limits=limits))
    assert wording.limits(made) == (
        "at most 1 read in all; at most 2 reads in 1 hour; Mon, Sun 08:00-24:00 (Europe/Berlin)"
    )
    assert wording.limits(Permission.from_dict(permission("x", ["name"]))) == ""


@pytest.mark.parametrize(
    ("identity", "text"),
    [
        ("did:web:shop.example", "shop.example"),
        ("did:web:shop.example%3A8443:a", "shop.example:8443/a"),  # at a host of many, the host says nothing
        (PARTNER, "key z6MkPart"),
    ],
)
def test_a_key_is_shown_by_its_beginning(identity: str, text: str) -> None:
    assert wording.short_key(identity) == text


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-12-01", "2026-12-01T23:59:59Z"),
        ("2026-12-31", "2026-12-31T18:00:00Z"),  # the day on which it ends anyway
        ("2027-01-01", "2027-01-01T23:59:59Z"),  # refused by the node, not here
        ("2026-12-01T10:00:00Z", "2026-12-01T10:00:00Z"),
        ("2026-12-01T10:00:00+01:00", "2026-12-01T09:00:00Z"),
        ("2026-12-31T20:00:00Z", "2026-12-31T20:00:00Z"),
    ],
)
def test_a_day_ends_at_its_end(text: str, time: str) -> None:
    assert lookup.end_time(text, most="2026-12-31T18:00:00Z") == time


@pytest.mark.parametrize(
    "text", ["", "x", "2026-13-01", "2026-12-01T10:00:00", "2026-12-01 10:00", "12:00", "1"]
)
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(Failure):
        lookup.end_time(text, most="2026-12-31T18:00:00Z")


def test_abbreviations_are_unique() -> None:
    ids = ["urn:uuid:aaaaaaaa-1", "urn:uuid:aaaaaaaa-2", "urn:uuid:bbbbbbbb-1"]
    assert lookup.abbreviated(ids) == ["aaaaaaaa-1", "aaaaaaaa-2", "bbbbbbbb"]
    assert lookup.abbreviated([]) == []


def test_a_partner_is_one_of_the_grant() -> None:
    grant = {"receipt": {"versions": [{"permission": [{"recipients": [PARTNER, "did:key:z6MkOther"]}, {}]}]}}
    for text in ("z6MkP", "key z6MkP", "did:key:z6MkP", PARTNER):
        assert lookup.partner(grant, text) == PARTNER


def test_a_partner_is_named_as_a_screen_shows_it() -> None:
    whole = "did:web:carrier.example%3A8443:parcels"
    grant = {"receipt": {"versions": [{"permission": [{"recipients": [PARTNER, whole]}]}]}}
    for text in (
        "carrier.example:8443/parcels",
        "carrier",
        "carrier.example%3A8443",
        "did:web:carrier",
        whole,
    ):
        assert lookup.partner(grant, text) == whole
    with pytest.raises(NotFoundError, match=r"carrier\.example:8443/parcels"):
        lookup.partner(grant, "other.example")


@pytest.mark.parametrize("several", ["z6Mk", "did:key:z6Mk", "did:key:", "did:"])
def test_several_partners_are_none(several: str) -> None:
    grant = {"receipt": {"versions": [{"permission": [{"recipients": [PARTNER, "did:key:z6MkOther"]}, {}]}]}}
    with pytest.raises(Failure, match="several partners"):
        lookup.partner(grant, several)


@pytest.mark.parametrize(
    "text", ["", "key ", "did:key:zAnyone", "zAnyone", PARTNER + "x", "did:web:z6MkPart"]
)
def test_whoever_is_no_recipient_is_no_partner(text: str) -> None:
    grant = {"receipt": {"versions": [{"permission": [{"recipients": [PARTNER]}]}]}}
    with pytest.raises(NotFoundError, match="no partner"):
        lookup.partner(grant, text)


@pytest.mark.parametrize(
    ("url", "is_local"),
    [
        ("http://127.0.0.1:8420/i/x", True),
        ("http://127.8.0.1", True),
        ("http://localhost:8420", True),
        ("http://[::1]:8420", True),
        ("https://node.example/i/x", False),
        ("https://localhost.example", False),
        ("http://192.168.0.2:8420", False),
    ],
)
def test_says_where_only_this_computer_reaches_it(url: str, is_local: bool) -> None:
    assert wording.is_loopback(url) is is_local


@pytest.mark.parametrize(
    ("said", "has_hint"), [("the passphrase is wrong", True), ("no passphrase was typed", False)]
)
def test_only_a_wrong_passphrase_is_to_be_checked(said: str, has_hint: bool) -> None:
    failure = failure_of(PassphraseError(said))
    assert failure.exit_code == 4
    assert ("check it" in failure.detail) is has_hint
