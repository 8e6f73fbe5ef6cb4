"""The form of a request: what is refused at the door, with which code, and what is taken."""

from __future__ import annotations

from typing import Any, Final

from ..cast.stage import Asked, Stage
from ..check import Failed, Topic, expect, expect_equal, expect_problem, expect_status, object_of
from ..hands import proof
from ..hands.edit import ABSENT, edited
from ..hands.encoding import Document, Json, xsd_time
from ..hands.keys import Key
from ..hands.permission import are_within
from ..wire import Answer

topic = Topic()

_P: Final = "permission.0"
_I: Final = "permission.0.items.0"
_L: Final = "permission.0.limits"
_MALFORMED: Final = ("malformed",)
_INCOMPLETE: Final = ("request-incomplete", "malformed")
"""Where a member is there and says nothing, it is as good as missing."""
_UNDEFINED: Final = ("undefined-term", "malformed")
_STATUS: Final = {"too-large": 413, "unsupported": 422, "signature-invalid": 401, "signature-stale": 401}
_PARTNER: Final = Key(bytes(31) + b"\x61").did


def request_of(stage: Stage, key: Key) -> Document:
    """Return a request, not signed, that says everything a request can say."""
    now = stage.now()
    signed = stage.request(
        key, [_permission()], benefit="Free delivery.\nFor 90 days.", terms="Ours", contact="a@example.com"
    )
    return {name: value for name, value in signed.items() if name != "proof"} | {"created": xsd_time(now)}


def _permission() -> Document:
    return {
        "name": "delivery",
        "items": [
            {
                "type": "Person",
                "fields": ["name", "address.postalCode"],
                "about": "any",
                "where": {"jobTitle": "no such title"},
                "newRecords": True,
            }
        ],
        "purpose": ["dpv:DeliveryOfGoods"],
        "retention": "P30D",
        "recipients": [_PARTNER],
        "limits": {
            "reads": 100,
            "rate": {"reads": 10, "per": "P1D"},
            "hours": {"days": ["Mo", "Tu"], "from": "08:30", "to": "17:00", "timeZone": "Europe/Berlin"},
        },
        "required": True,
    }


async def post(stage: Stage, invitation: str, key: Key, unsigned: Document) -> Answer:
    """Sign a request as it is, and send it."""
    created = unsigned.get("created")
    made = proof.sign(unsigned, key, created=created if isinstance(created, str) else None)
    return await stage.post_request(invitation, made)


async def refuse_all(stage: Stage, made: dict[str, Document], key: Key, *codes: str) -> None:
    """Send requests to one invitation, which are all refused; the honest one is then taken there."""
    invitation = await stage.owner.invite()
    status = _STATUS.get(codes[0], 400)
    for name, unsigned in made.items():
        answer = await post(stage, invitation, key, unsigned)
        if answer.status != status or answer.headers.get("freehold-code") not in codes:
            code = answer.headers.get("freehold-code", "no code")
            raise Failed(f"{name}: {answer.status} ({code}) instead of {status} ({' or '.join(codes)})")
        expect_problem(answer, status, *codes)
    await take(stage, invitation, key, request_of(stage, key))


async def take(stage: Stage, invitation: str, key: Key, unsigned: Document) -> Document:
    """Send a request that is taken; return it as the owner is shown it. It is refused then, so that none pile up."""
    answer = await post(stage, invitation, key, unsigned)
    told = object_of(expect_status(answer, 202))
    asked = Asked(stage=stage, key=key, request=unsigned, told=told)
    shown: Document = await stage.owner.do("GET", f"/requests/{asked.id}")
    await stage.owner.refuse(asked.id)
    return shown


# Members

_REQUIRED: Final = {
    "@context": _MALFORMED, "type": _MALFORMED, "id": _MALFORMED, "nonce": _MALFORMED, "created": _MALFORMED,
    "expires": _INCOMPLETE[:1], "assignee": _MALFORMED, "assignee.id": _MALFORMED, "assignee.type": _MALFORMED,
    "assignee.name": _MALFORMED, "permission": _MALFORMED, f"{_P}.name": _MALFORMED, f"{_P}.items": _MALFORMED,
    f"{_P}.purpose": _INCOMPLETE[:1], f"{_P}.retention": _INCOMPLETE[:1], f"{_I}.type": _MALFORMED,
    f"{_I}.fields": _MALFORMED, f"{_L}.rate.reads": _MALFORMED, f"{_L}.rate.per": _MALFORMED,
    f"{_L}.hours.days": _MALFORMED, f"{_L}.hours.from": _MALFORMED, f"{_L}.hours.to": _MALFORMED,
    f"{_L}.hours.timeZone": _MALFORMED,
}  # fmt: skip
_OPTIONAL: Final = (
    "benefit", "terms", "contact", f"{_P}.recipients", f"{_P}.limits", f"{_P}.required", f"{_I}.about", f"{_I}.where",
    f"{_I}.newRecords", f"{_L}.reads", f"{_L}.rate", f"{_L}.hours",
)  # fmt: skip
_OBJECTS: Final = ("", "assignee", _P, _I, _L, f"{_L}.rate", f"{_L}.hours")


@topic.check(
    "REQ-1", "REQ-2", "REQ-3", "REQ-4", cases={path: (path, codes) for path, codes in _REQUIRED.items()}
)
async def a_member_that_is_missing_is_refused(stage: Stage, case: tuple[str, tuple[str, ...]]) -> None:
    """A request without a member that it must have is refused; what nobody could decide on is incomplete."""
    path, codes = case
    key = Key.fresh()
    await refuse_all(stage, {path: edited(request_of(stage, key), path, ABSENT)}, key, *codes)


@topic.check("REQ-1", "REQ-2", "REQ-4", "REQ-10", cases={path: path for path in _OPTIONAL})
async def a_member_that_may_be_absent_may(stage: Stage, path: str) -> None:
    """A request without a member that may be absent is taken."""
    key = Key.fresh()
    unsigned = edited(request_of(stage, key), path, ABSENT)
    shown = await take(stage, await stage.owner.invite(), key, unsigned)
    _expect_shown(shown, unsigned)


def _expect_shown(shown: Document, asked: Document) -> None:
    """Check that the owner is shown what was asked."""
    both = shown["permissions"], asked["permission"]
    expect(are_within(*both) and are_within(*both[::-1]), "other permissions than were asked")
    for name in ("benefit", "contact"):
        expect_equal(shown.get(name), asked.get(name), name)
    expect_equal(shown["expires"], asked["expires"], "expires")
    vendor = shown["vendor"]["id"], shown["vendor"]["name"]
    expect_equal(vendor, (asked["assignee"]["id"], asked["assignee"]["name"]), "the vendor")


@topic.check(
    "ENC-13",
    "REQ-1",
    "REQ-2",
    "REQ-4",
    "REQ-10",
    "VER-6",
    cases={path or "request": path for path in _OBJECTS},
)
async def a_member_that_nobody_knows_is_refused(stage: Stage, path: str) -> None:
    """A member that is no part of the form is refused at every depth, whatever it says."""
    key = Key.fresh()
    honest = request_of(stage, key)
    below = f"{path}." if path else ""
    made = {
        name: edited(honest, f"{below}{name}", value)
        for name, value in (
            ("note", "x"),
            ("previous", None),
            ("@id", "urn:x"),
            ("TYPE", "Person"),
            (" ", "x"),
            ("version", 1),
        )
    }
    await refuse_all(stage, made, key, "malformed")


_KINDS: Final[dict[str, Json]] = {
    "null": None, "true": True, "false": False, "zero": 0, "number": 7, "point": 1.5, "text": "x", "empty": "",
    "array": [], "array-of-null": [None], "array-of-arrays": [[]], "object": {}, "object-of-null": {"a": None},
}  # fmt: skip
_RIGHT: Final = {
    f"{_P}.recipients": {"array"}, f"{_P}.limits": {"object"}, f"{_P}.required": {"true", "false"},
    f"{_I}.where": {"object"}, f"{_I}.newRecords": {"true", "false"}, f"{_L}.reads": {"number"},
    f"{_L}.rate.reads": {"number"}, "benefit": {"text"}, "terms": {"text"}, "contact": {"text"},
    "assignee.name": {"text"}, f"{_P}.name": {"text"},
}  # fmt: skip
_OF_TERMS: Final = {
    f"{_P}.purpose": ("malformed", "request-incomplete", "undefined-term"),
    f"{_P}.retention": _INCOMPLETE,
    f"{_I}.type": _UNDEFINED,
    f"{_I}.where": _UNDEFINED,
    f"{_I}.fields": _UNDEFINED,
    "permission": _INCOMPLETE,
    _P: _INCOMPLETE,
}
_EVERY: Final = (*_REQUIRED, *_OPTIONAL, _P, _I, "")


@topic.check("ENC-15", "REQ-1", "REQ-2", "ENC-14", cases={path or "request": path for path in _EVERY})
async def a_value_of_another_kind_is_refused(stage: Stage, path: str) -> None:
    """A value of another JSON kind is refused, in every place: 1 is not true, "1" is not 1, null is nothing."""
    key = Key.fresh()
    honest = request_of(stage, key)
    if not path:
        invitation = await stage.owner.invite()
        for body in (b"null", b"[]", b"7", b'"x"', b"", b"{}", b"[{}]", b"{", b"\xff"):
            expect_problem(await send(stage, invitation, body), 400, "malformed", "request-incomplete")
        await take(stage, invitation, key, honest)
        return
    made = {
        f"{path}: {name}": edited(honest, path, value)
        for name, value in _KINDS.items()
        if name not in _RIGHT.get(path, ())
    }
    await refuse_all(stage, made, key, *_OF_TERMS.get(path, _MALFORMED))


async def send(stage: Stage, invitation: str, body: bytes) -> Answer:
    """Send these bytes to an invitation, declared to be JSON."""
    return await stage.wire.send("POST", invitation, {"content-type": "application/json"}, body)


# Values

_NO_DIDS: Final = (
    "did:key",
    "did:",
    "DID:key:z6Mk",
    "did:Key:x",
    "urn:x",
    f"{_PARTNER}#x",
    f"{_PARTNER}/a",
    f"{_PARTNER}?a",
    f" {_PARTNER}",
)
_WRONG: Final[dict[str, tuple[str, list[Any], tuple[str, ...]]]] = {
    "context": ("@context", ["https://w3id.org/freehold/v2", "http://w3id.org/freehold/v1",
        ["https://w3id.org/freehold/v1"]], ("malformed", "unsupported")),
    "type": ("type", ["AccessGrant", "accessrequest", ["AccessRequest"]], _MALFORMED),
    "id": ("id", ["urn:uuid:x", "00000000-0000-4000-8000-000000000000",
        "urn:uuid:0000000A-0000-4000-8000-00000000000A", "https://a.example/1"], _MALFORMED),
    "nonce": ("nonce", ["A" * 21, "A" * 65, "A" * 21 + "+", "A" * 21 + "=", "A" * 22 + "\n"], _MALFORMED),
    "created": ("created", ["2026-11-23", "2026-11-23T12:00:00", "2026-11-23T12:00:00+00:00",
        "2026-11-23t12:00:00z", "2026-11-23T12:00:00.0Z", "2026-02-30T12:00:00Z", "2026-11-23T24:00:00Z",
        "2026-11-23T12:00:60Z", "20261123T120000Z", "-0001-11-23T12:00:00Z"], _MALFORMED),
    "expires": ("expires", ["never", "2030-11-23", "2030-11-23T12:00:00+01:00", "2030-13-01T00:00:00Z"], _MALFORMED),
    "assignee-type": ("assignee.type", ["Person", "organization"], _MALFORMED),
    "name-unseen": ("assignee.name", ["A\nB", "A\tB", "A\u202eB", "A\u200bB", "A\u2066B", "A\u0000B", "A\u2028B",
        "A\ue000B", "A\U000e0041B", "A\u3164B", " ", "\u200d"], _MALFORMED),
    "benefit-unseen": ("benefit", ["A\u202eB", "A\rB", "\n", "A\u0007"], _MALFORMED),
    "terms-lines": ("terms", ["A\nB", " "], _MALFORMED),
    "contact-lines": ("contact", ["A\nB", "A\u202eB"], _MALFORMED),
    "name-long": ("assignee.name", ["x" * 121], ("too-large",)),
    "benefit-long": ("benefit", ["x" * 2001], ("too-large",)),
    "terms-long": ("terms", ["x" * 301], ("too-large",)),
    "contact-long": ("contact", ["x" * 301], ("too-large",)),
    "permission-name": (f"{_P}.name", ["Delivery", "a b", "a/b", "a--b", "-a", "a-", "1a", "a.b", "é", "a" * 41,
        "a\n"], _MALFORMED),
    "reserved-name": (f"{_P}.name", ["answers", "events", "ledger", "messages", "offers", "records", "renew",
        "statements", "zcaps"], _MALFORMED),
    "retention": (f"{_P}.retention", ["30 days", "P0D", "P", "PT0H", "P30", "-P30D", "P1DT1H", "PT60S", "P1.5D",
        "P10000D", "P1000W", "P1000M", "P100Y", "p30d", "P30D ", "PT1D"], _MALFORMED),
    "item-type": (f"{_I}.type", ["NoSuchType", "person", "schema:NoSuch", "https://schema.org/Person", "*", ""],
        _UNDEFINED),
    "item-type-of-the-protocol": (f"{_I}.type", ["AccessRequest", "AccessGrant", "ReleasedPage", "Receipt",
        "LedgerBundle", "Moved", "Restored", "DataIntegrityProof"], _MALFORMED),
    "undefined-field": (f"{_I}.fields", [["noSuchTerm"], ["address.noSuchTerm"], ["noSuchTerm.name"], ["Name"]],
        ("undefined-term",)),
    "no-path": (f"{_I}.fields", [["*"], ["address.*"], ["**"], ["address.."], [".name"], ["name."],
        ["address..postalCode"], ["name "], ["address/postalCode"], ["$.name"], ["address[0]"], [""],
        ["a.b.c.d.e.f.g"], ["@id"], ["schema:name"]], _UNDEFINED),
    "kept-member": (f"{_I}.fields", [["id"], ["type"], ["proof"], ["source"], ["previous"], ["created"], ["issuer"],
        ["version"], ["credential"], ["address.id"], ["worksFor.type"], ["name", "proof.proofValue"],
        ["source.file"]], _MALFORMED),
    "fields-twice": (f"{_I}.fields", [["name", "name"], ["name", "email", "name"]], _MALFORMED),
    "about": (f"{_I}.about", ["anyone", "Self", "*", _PARTNER], _MALFORMED),
    "where-values": (f"{_I}.where", [{"name": None}, {"name": []}, {"name": {}}, {"name": ["Ada"]},
        {"name": "A\u202e"}, {"name": " "}], _MALFORMED),
    "where-long": (f"{_I}.where", [{"name": "x" * 201}], ("too-large",)),
    "where-paths": (f"{_I}.where", [{"*": 1}, {"id": "x"}, {"proof.created": "x"}, {"noSuchTerm": 1}, {"": 1}],
        _UNDEFINED),
    "purpose": (f"{_P}.purpose", [["dpv:Purpose"], ["dpv:NoSuchPurpose"], ["DeliveryOfGoods"],
        ["https://w3id.org/dpv#DeliveryOfGoods"], ["dpv:deliveryofgoods"], ["dpv:DeliveryOfGoods", "x"], ["*"],
        ["dpv:Purposes"], ["dpv:"]], ("undefined-term",)),
    "purpose-twice": (f"{_P}.purpose", [["dpv:DeliveryOfGoods", "dpv:DeliveryOfGoods"]], _MALFORMED),
    "no-recipient": (f"{_P}.recipients", [[one] for one in _NO_DIDS], _MALFORMED),
    "recipient-of-a-domain": (f"{_P}.recipients", [["did:web:Shop.example"], ["did:web:shop.example%3A443"],
        ["did:web:10.0.0.1"], ["did:web:shop.example%2Fa"], ["did:web:shop.example."], ["did:web:"],
        ["did:web:shop.example:..:a"]], _MALFORMED),
    "recipient-twice": (f"{_P}.recipients", [[_PARTNER, _PARTNER]], _MALFORMED),
    "number-of-reads": (f"{_L}.reads", [0, -1, 1.5, "10", True], _MALFORMED),
    "reads-of-a-rate": (f"{_L}.rate.reads", [0, -1, 0.5, "10", True], _MALFORMED),
    "window-of-a-rate": (f"{_L}.rate.per", ["PT0M", "P0D", "hour", "PT1S", "PT1H30M", ""], _MALFORMED),
    "days": (f"{_L}.hours.days", [["Mon"], ["mo"], ["Mo", "Mo"], [], ["Mo", "Xx"], [1], [["Mo"]], ["Mo-Fr"]],
        _MALFORMED),
    "from": (f"{_L}.hours.from", ["8:30", "24:00", "08:60", "08:30:00", "0830", "17:00", "17:01", "25:00"], _MALFORMED),
    "to": (f"{_L}.hours.to", ["08:30", "08:29", "24:00", "17", "17:0", "5pm"], _MALFORMED),
    "time-zone": (f"{_L}.hours.timeZone", ["Europe/Nowhere", "Berlin", "+01:00", "../../etc/passwd",
        "/etc/localtime", "europe berlin", "Europe/", "MEZ"], _MALFORMED),
}  # fmt: skip


@topic.check("REQ-1", "REQ-2", "REQ-5", "REQ-6", "REQ-7", "REQ-8", "REQ-10", "REQ-15", "ENC-8", "ENC-9", "ENC-10",
    "ENC-11", "ENC-12", "VOC-19", "VER-7", cases=_WRONG)  # fmt: skip
async def a_value_of_another_form_is_refused(
    stage: Stage, case: tuple[str, list[Any], tuple[str, ...]]
) -> None:
    """A value that is not of the form of its member is refused with the code that says why."""
    path, values, codes = case
    key = Key.fresh()
    honest = request_of(stage, key)
    await refuse_all(
        stage, {f"{path} {value!r:.60}": edited(honest, path, value) for value in values}, key, *codes
    )


_NAMES: Final = (
    "name", "email", "telephone", "jobTitle", "birthDate", "gender", "url", "image", "faxNumber", "description",
    "keywords", "height", "weight", "givenName", "familyName", "additionalName",
)  # fmt: skip
_NAMES_64: Final = [
    *_NAMES,
    *(f"{above}.{name}" for above in ("parent", "children", "spouse") for name in _NAMES),
]
_PURPOSES: Final = [
    "dpv:DeliveryOfGoods", "dpv:Marketing", "dpv:DirectMarketing", "dpv:ServiceProvision", "dpv:Advertising",
    "dpv:TargetedAdvertising", "dpv:Personalisation", "dpv:PaymentManagement", "dpv:CustomerManagement",
]  # fmt: skip


def _many(number: int) -> list[Document]:
    return [{**_permission(), "name": f"part-{each}"} for each in range(number)]


_BOUNDS: Final[dict[str, tuple[str, Any, Any]]] = {
    "permissions": ("permission", _many(16), _many(17)),
    "items": (f"{_P}.items", _permission()["items"] * 16, _permission()["items"] * 17),
    "fields": (f"{_I}.fields", _NAMES_64, [*_NAMES_64, "knows.name"]),
    "conditions": (f"{_I}.where", dict.fromkeys(_NAMES_64, "x"), dict.fromkeys([*_NAMES_64, "knows.name"], "x")),
    "purposes": (f"{_P}.purpose", _PURPOSES[:8], _PURPOSES),
    "recipients": (f"{_P}.recipients", [Key(bytes(31) + bytes([n])).did for n in range(32)],
        [Key(bytes(31) + bytes([n])).did for n in range(33)]),
    "name": ("assignee.name", "x" * 120, "x" * 121),
    "benefit": ("benefit", "x\n" * 999 + "xx", "x" * 2001),
    "terms": ("terms", "é" * 300, "é" * 301),
    "contact": ("contact", "x" * 300, "x" * 301),
    "text-of-a-condition": (f"{_I}.where", {"name": "x" * 200}, {"name": "x" * 201}),
}  # fmt: skip


@topic.check("LIM-1", "REQ-1", "REQ-2", "REQ-6", "REQ-8", "ENC-16", cases=_BOUNDS)
async def what_is_over_a_bound_is_too_large(stage: Stage, case: tuple[str, Any, Any]) -> None:
    """As many as the bound are taken; one more is too-large."""
    path, most, more = case
    key = Key.fresh()
    honest = request_of(stage, key)
    shown = await take(stage, await stage.owner.invite(), key, edited(honest, path, most))
    _expect_shown(shown, edited(honest, path, most))
    await refuse_all(stage, {path: edited(honest, path, more)}, key, "too-large")


_GOOD: Final[dict[str, list[tuple[str, Any]]]] = {
    "names-of-many-scripts": [("assignee.name", one) for one in ("Café Zoë", "店", "متجر", "Σ & Co. 1/2",
        "👩‍🚀 Space", "क्‍ष")],
    "short-names": [(f"{_P}.name", one) for one in ("a", "a1", "age-check", "a" * 40, "record", "z-1-2")],
    "durations": [(f"{_P}.retention", one) for one in ("P1D", "P9999D", "P1W", "P999W", "P6M", "P999M", "P99Y",
        "PT1H", "PT9999M", "P030D")],
    "nonces": [("nonce", one) for one in ("A" * 22, "_-" * 32)],
    "one-field": [(f"{_I}.fields", [one]) for one in ("name", "address.postalCode",
        "worksFor.department.address.postalCode.name.email")],
    "types": [(f"{_I}.type", one) for one in ("Person", "Organization", "Order", "Event", "Product", "Place")],
    "conditions": [(f"{_I}.where", one) for one in ({}, {"name": "Ada"}, {"height": 1.5}, {"height": -1},
        {"gender": True}, {"gender": False}, {"address.postalCode": "EX1", "name": "x"})],
    "about": [(f"{_I}.about", one) for one in ("self", "any")],
    "purposes": [(f"{_P}.purpose", [one]) for one in _PURPOSES],
    "recipients-of-domains": [(f"{_P}.recipients", [one]) for one in ("did:web:shop.example",
        "did:web:shop.example%3A8443", "did:web:a.b-c.example:dir:sub_dir", "did:example:123")],
    "limits": [(_L, one) for one in ({}, {"reads": 1}, {"reads": 2**53 - 1}, {"rate": {"reads": 1, "per": "PT1M"}})],
    "hours": [(f"{_L}.hours", {"days": days, "from": start, "to": end, "timeZone": zone}) for days, start, end,
        zone in ((["Su"], "00:00", "00:00", "UTC"), (["Tu", "Mo"], "00:00", "00:01",
        "America/Argentina/Buenos_Aires"), (["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"], "23:59", "00:00",
        "Asia/Kolkata"))],
    "benefit": [("benefit", one) for one in ("One\nTwo\n\nThree", "1")],
}  # fmt: skip


@topic.check("REQ-1", "REQ-2", "REQ-5", "REQ-6", "REQ-7", "REQ-8", "REQ-10", "VOC-19", cases=_GOOD)
async def a_value_of_the_form_is_taken(stage: Stage, values: list[tuple[str, Any]]) -> None:
    """A value of the form is taken, and shown to the person as it was asked."""
    key = Key.fresh()
    for path, value in values:
        unsigned = edited(request_of(stage, key), path, value)
        try:
            shown = await take(stage, await stage.owner.invite(), key, unsigned)
            _expect_shown(shown, unsigned)
        except Failed as failed:
            raise Failed(f"{path} {value!r:.60}: {failed}") from failed


@topic.check("REQ-2", "REQ-1")
async def two_permissions_have_two_names(stage: Stage) -> None:
    """Two permissions of one name are refused, of different names taken."""
    key = Key.fresh()
    honest = request_of(stage, key)
    twice = edited(honest, "permission", [_permission(), _permission()])
    await refuse_all(stage, {"twice": twice}, key, "malformed")
    await take(stage, await stage.owner.invite(), key, edited(honest, "permission", _many(2)))


@topic.check("REQ-3", cases={"of-a-permission": f"{_P}.questions", "and-no-purpose": "purpose"})
async def questions_are_for_later(stage: Stage, path: str) -> None:
    """A permission with questions is unsupported."""
    key = Key.fresh()
    honest = edited(request_of(stage, key), f"{_P}.questions", ["isAdult"])
    if path == "purpose":
        honest = edited(honest, f"{_P}.items", ABSENT)
    await refuse_all(stage, {"questions": honest}, key, "unsupported")
