"""Bodies: JSON as strict as it is everywhere, and at each route of the owner's exactly the members of its form."""

from __future__ import annotations

import json
from typing import Final

from ..cast import doors
from ..cast.holder import Holder
from ..cast.owned import FORMS, IMPORT_FORMS, Estate, Form, make_estate
from ..cast.stage import Stage
from ..check import Profile, Topic, expect, expect_equal, expect_problem, expect_status
from ..hands import capability as capabilities
from ..hands.encoding import Document, Json, jcs

topic = Topic()

_LABEL: Final = "conformance"

STRICT: Final[dict[str, tuple[bytes, int, str]]] = {
    "nothing": (b"", 400, "malformed"),
    "white-space": (b" \r\n\t", 400, "malformed"),
    "words": (b"label", 400, "malformed"),
    "array": (b"[]", 400, "malformed"),
    "array-of-objects": (b'[{"label":"a"}]', 400, "malformed"),
    "text": (b'"label"', 400, "malformed"),
    "number": (b"1", 400, "malformed"),
    "null": (b"null", 400, "malformed"),
    "true": (b"true", 400, "malformed"),
    "two-documents": (b"{}{}", 400, "malformed"),
    "something-after-it": (b"{} x", 400, "malformed"),
    "nul-after-it": (b"{}\0", 400, "malformed"),
    "not-closed": (b'{"label":"a"', 400, "malformed"),
    "comma-too-many": (b'{"label":"a",}', 400, "malformed"),
    "comment": (b'{"label":"a"/* b */}', 400, "malformed"),
    "line-comment": (b'{"label":"a"} // b', 400, "malformed"),
    "single-quotes": (b"{'label':'a'}", 400, "malformed"),
    "key-without-quotes": (b'{label:"a"}', 400, "malformed"),
    "key-twice": (b'{"label":"a","label":"a"}', 400, "duplicate-key"),
    "key-twice-in-escapes": (b'{"label":"a","l\\u0061bel":"a"}', 400, "duplicate-key"),
    "key-twice-below": (b'{"label":{"a":1,"b":[{"c":1,"c":2}]}}', 400, "duplicate-key"),
    "empty-key-twice": (b'{"":1,"":1}', 400, "duplicate-key"),
    "nan": (b'{"label":NaN}', 400, "malformed"),
    "infinity": (b'{"label":Infinity}', 400, "malformed"),
    "minus-infinity": (b'{"label":[-Infinity]}', 400, "malformed"),
    "number-that-no-double-holds": (b'{"label":1e400}', 400, "malformed"),
    "negative-number-that-no-double-holds": (b'{"label":[-1e999]}', 400, "malformed"),
    "number-of-5000-digits": (b'{"label":' + b"9" * 5_000 + b"}", 400, "malformed"),
    "number-with-a-zero-before": (b'{"label":01}', 400, "malformed"),
    "number-with-a-plus": (b'{"label":+1}', 400, "malformed"),
    "number-in-hexadecimal": (b'{"label":0x1}', 400, "malformed"),
    "number-without-a-digit": (b'{"label":.5}', 400, "malformed"),
    "half-a-pair": (b'{"label":"\\udc00"}', 400, "malformed"),
    "half-a-pair-in-a-key": (b'{"\\ud83d":"a"}', 400, "malformed"),
    "pair-in-the-wrong-order": (b'{"label":"\\udc00\\ud83d"}', 400, "malformed"),
    "half-a-pair-in-utf-8": (b'{"label":"\xed\xb0\x80"}', 400, "malformed"),
    "control-character": (b'{"label":"a\nb"}', 400, "malformed"),
    "nul": (b'{"label":"a\0b"}', 400, "malformed"),
    "unknown-escape": (b'{"label":"\\x41"}', 400, "malformed"),
    "broken-escape": (b'{"label":"\\u00"}', 400, "malformed"),
    "byte-order-mark": (b'\xef\xbb\xbf{"label":"a"}', 400, "malformed"),
    "utf-16": ('{"label":"a"}'.encode("utf-16"), 400, "malformed"),
    "utf-16-without-a-mark": ('{"label":"a"}'.encode("utf-16-le"), 400, "malformed"),
    "utf-32": ('{"label":"a"}'.encode("utf-32"), 400, "malformed"),
    "latin-1": ('{"label":"\u00e9"}'.encode("latin-1"), 400, "malformed"),
    "overlong": (b'{"label":"\xc0\x80"}', 400, "malformed"),
    "broken-utf-8": (b'{"label":"\xc3\x28"}', 400, "malformed"),
    "beyond-unicode": (b'{"label":"\xf4\x90\x80\x80"}', 400, "malformed"),
    "65-deep": (b'{"label":' + b"[" * 64 + b"]" * 64 + b"}", 400, "too-deep"),
    "65-deep-in-objects": (b'{"label":' * 64 + b"{}" + b"}" * 64, 400, "too-deep"),
    "100000-deep": (b'{"label":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400, "too-deep"),
    "100000-deep-and-open": (b'{"a":' + b"[" * 100_000, 400, "too-deep"),
    "20001-items": (b'{"label":[' + b",".join([b"1"] * 20_000) + b"]}", 413, "too-large"),
    "20001-members": (json.dumps({f"a{n}": 1 for n in range(20_001)}).encode(), 413, "too-large"),
}
"""What is no JSON, or not of the one kind that is taken: with its status and code, at every route alike."""


_NOT_HERE: Final = ("/revocations", "/origins", "/sample/remove", "/devices/sign-out")
"""What is sent to these changes more than the estate of a check."""


async def _estate(stage: Stage) -> Estate:
    return await stage.once("estate of bodies", lambda: make_estate(stage))


async def _vendor(stage: Stage) -> Holder:
    async def make() -> Holder:
        shown = await stage.person(name="Ada")
        return await stage.relate([shown.permission("delivery", ["name"])])

    return await stage.once("vendor of bodies", make)


async def _unchanged(stage: Stage, estate: Estate) -> None:
    expect_equal((await stage.owner.show(estate.record.id))["cid"], estate.cid, "the record's version")
    grant = await stage.owner.grant(estate.grant)
    expect_equal((grant["state"], grant["version"]), ("live", 1), "the grant's state and version")
    asked = await stage.owner.do("GET", f"/requests/{estate.asked.id}")
    expect_equal(asked["status"], "waiting", "the request's status")


@topic.check("ENC-5", "ENC-6", "ENC-7", "HTTP-3", "LIM-1", cases=STRICT)
async def json_is_strict_at_every_route(stage: Stage, case: tuple[bytes, int, str]) -> None:
    """A body that is not one object of strict JSON is refused with its code, at every route that takes a body."""
    body, status, code = case
    estate, vendor = await _estate(stage), await _vendor(stage)
    for form in FORMS:
        answer = await stage.owner.send(form.method, form.at(estate), data=body)
        if body or answer.status != 401:
            expect_problem(answer, status, code)
    if body:
        kind = {"content-type": "application/json"}
        for path in (await stage.once("invitation of bodies", stage.owner.invite), "/i/nobodys"):
            expect_problem(await stage.wire.send("POST", path, kind, body), status, code)
        named = vendor.path(f"/zcaps/revocations/{capabilities.encoded(vendor.capability['id'])}")
        expect_problem(await vendor.by_did("POST", named, body=body), status, code)
    await _unchanged(stage, estate)
    expect_status(await vendor.get("/delivery/records"), 200)


@topic.check("ENC-5", "ENC-6", "ENC-7", "LIM-1")
async def json_within_its_bounds_is_read(stage: Stage) -> None:
    """What is at the bounds of JSON, or only looks as if it were over them, is read as what it is."""
    for body in (
        b'{"label":"conformance"}',
        b' {\r\n\t"label" : "conformance" } ',
        b'{"l\\u0061bel":"conform\\u0061nce"}',
        '{"label":"confor\u00e9\U0001f600mance"}'.encode(),
        b'{"label":"conformance \\ud83d\\ude00"}',
        b'{"label":"a \\"\\\\\\/ b"}',
    ):
        expect_status(await stage.owner.send("POST", "/invitations", data=body), 201)
    deep: Json = 1
    for _ in range(61):
        deep = [deep]
    for within, code in (
        (b'{"label":' + jcs(deep) + b"}", "malformed"),
        (b'{"label":' + b"[" * 63 + b"]" * 63 + b"}", "malformed"),
        (b'{"label":[' + b",".join([b"1"] * 19_999) + b"]}", "malformed"),
        (b'{"label":1e308}', "malformed"),
        (b'{"label":9007199254740993}', "malformed"),
        (b'{"label":"' + b"[{" * 50 + b'"}', None),
    ):
        answer = await stage.owner.send("POST", "/invitations", data=within)
        if code is None:
            expect_status(answer, 201)
        else:
            expect_problem(answer, 400, code)


# Forms

_WRONG_KINDS: Final[dict[str, Json]] = {
    "null": None,
    "true": True,
    "zero": 0,
    "number": 1.5,
    "empty-text": "",
    "text": "\u202etext",
    "array": [],
    "object": {},
    "array-of-null": [None],
    "object-of-null": {"a": None},
}


def _sound(form: Form, estate: Estate, secret: str) -> Document:
    members = form.members(estate, secret)
    if form.one_of:
        return dict([next(iter(members.items()))])
    return members


async def _refused(stage: Stage, form: Form, estate: Estate, body: Json, member: str) -> None:
    answer = await stage.owner.send(form.method, form.at(estate), body)
    what = f"{form.name}, {member}"
    try:
        if member == "passphrase":
            expect_problem(answer, 403, "passphrase-wrong")
        else:
            expect_problem(answer, 400, "malformed", "undefined-term", "request-incomplete")
    except Exception as error:
        raise type(error)(f"{what}: {error}") from error


async def _of_other_kinds(stage: Stage, form: Form, kind: str) -> None:
    estate = await _estate(stage)
    members = form.members(estate, stage.owner.passphrase)
    wrong = _WRONG_KINDS[kind]
    for name, right in members.items():
        if (name == "everything" and wrong is True) or (name == "new" and kind == "text"):
            continue
        if isinstance(wrong, dict) and isinstance(right, dict) and name == "content":
            wrong = {"a": None}
        body = {name: wrong} if form.one_of else members | {name: wrong}
        await _refused(stage, form, estate, body, name)


@topic.check("HTTP-68", "ENC-14", "ENC-15", cases={kind: kind for kind in _WRONG_KINDS})
async def a_member_of_another_kind_is_refused(stage: Stage, kind: str) -> None:
    """A member that is not of its JSON kind, null included, is malformed at every route, and changes nothing."""
    for form in FORMS:
        await _of_other_kinds(stage, form, kind)
    await _unchanged(stage, await _estate(stage))


@topic.check("HTTP-68", profile=Profile.IMPORTS, cases={kind: kind for kind in _WRONG_KINDS})
async def a_member_of_another_kind_is_not_imported(stage: Stage, kind: str) -> None:
    """A member that is not of its JSON kind is malformed at the routes of imports."""
    for form in IMPORT_FORMS:
        if kind == "empty-text":
            continue
        estate = await _estate(stage)
        members = form.members(estate, stage.owner.passphrase)
        for name in members:
            if _WRONG_KINDS[kind] is None and name == "mapping":
                continue
            await _refused(stage, form, estate, members | {name: _WRONG_KINDS[kind]}, name)
    expect_equal((await stage.owner.do("GET", "/status"))["records"] > 0, True, "records")


@topic.check("HTTP-68", "ENC-13", cases={form.name: form for form in FORMS})
async def a_body_has_exactly_its_members(stage: Stage, form: Form) -> None:
    """A member that is missing and one that the form does not name are both malformed, and change nothing."""
    estate = await _estate(stage)
    whole = form.members(estate, stage.owner.passphrase)
    sound = _sound(form, estate, stage.owner.passphrase)
    for more in ("other", "@context", "passphras", "id", ""):
        await _refused(stage, form, estate, sound | {more: "x"}, "a member too many")
    if form.one_of:
        await _refused(stage, form, estate, {}, "none of the members")
        await _refused(stage, form, estate, whole, "all of the members")
    else:
        for name in whole.keys() - form.optional:
            rest = {one: value for one, value in whole.items() if one != name}
            await _refused(stage, form, estate, rest, name)
    await _unchanged(stage, estate)


@topic.check("HTTP-68")
async def sound_bodies_are_taken(stage: Stage) -> None:
    """The bodies that the other checks spoil are taken, and do what they say."""
    estate = await make_estate(stage)
    wanted = {
        "PUT /owner/records/{record}": (409, "conflict"),
        "POST /owner/requests/{request}/approve": (409, "draft-changed"),
        "POST /owner/requests/{request}/return": (409, "not-in-this-state"),
        "POST /owner/grants/{grant}/keys": (409, "not-in-this-state"),
        "POST /owner/grants/{grant}/draft": (200, None),
    }
    self_record = (await stage.self_record()).id
    await stage.owner.edit(estate.record.id, estate.record.content | {"name": "Grace"})
    last = ("POST /owner/requests/{request}/refuse", "POST /owner/grants/{grant}/change")
    forms = [one for one in FORMS if one.name not in last and one.path not in _NOT_HERE]
    forms += [one for one in FORMS if one.name in last]
    for form in forms:
        body = _sound(form, estate, stage.owner.passphrase)
        if form.path == "/self":
            body |= {"record": self_record}
        if form.path.endswith("/revocations"):
            body = {"partner": estate.asked.key.did}
        answer = await stage.owner.send(form.method, form.at(estate), body)
        status, code = wanted.get(form.name, (None, None))
        if code is not None:
            expect_problem(answer, int(str(status)), code)
        else:
            expect(answer.status in (200, 201, 204), f"{form.name}: status {answer.status}")


@topic.check("HTTP-68", cases={form.name: form for form in FORMS if "{" in form.path})
async def what_is_not_there_is_not_found(stage: Stage, form: Form) -> None:
    """A sound body for a record, request or grant that does not exist is not-found."""
    estate = await _estate(stage)
    body = _sound(form, estate, stage.owner.passphrase)
    nobodys = dict.fromkeys(estate.ids, doors.NOBODYS)
    answer = await stage.owner.send(form.method, form.path.format(**nobodys), body)
    expect_problem(answer, 404, "not-found")
    await _unchanged(stage, estate)


@topic.check(
    "HTTP-68", cases={door.name: door for door in doors.OWNER if "{" in door.path and not door.takes}
)
async def what_is_not_there_is_not_shown(stage: Stage, door: doors.Door) -> None:
    """A record, request or grant that does not exist is not-found to the owner."""
    estate = await _estate(stage)
    if door.method == "GET":
        there = await stage.owner.send("GET", door.at(**estate.ids).removeprefix("/owner"))
        expect_status(there, 200)
    expect_problem(await stage.owner.send(door.method, door.at().removeprefix("/owner")), 404, "not-found")
    await _unchanged(stage, estate)


# Texts

_SHOWN: Final = {
    "letters": "Ada",
    "accents": "\u00c5se \u0141",
    "scripts": "\u0627\u0644\u0639\u0631\u0628\u064a\u0629 \u4e2d\u6587",
    "emoji": "\U0001f600",
    "joined-emoji": "\U0001f469\u200d\U0001f4bb",
    "joiner-of-a-script": "\u0646\u200c\u0627",
    "combined": "e\u0301",
    "one-sign": "!",
    "no-break-space": "a\u00a0b",
    "quotes": "\"'\\/<>&",
}
_UNSEEN: Final = {
    "empty": "",
    "space": " ",
    "spaces": " \u00a0\u2003 ",
    "only-a-joiner": "\u200d",
    "only-a-mark": "\u0301",
    "only-a-braille-blank": "\u2800",
    "nul": "a\0b",
    "bell": "a\x07b",
    "tab": "a\tb",
    "return": "a\rb",
    "line": "a\nb",
    "delete": "a\x7fb",
    "next-line": "a\u0085b",
    "line-separator": "a\u2028b",
    "paragraph-separator": "a\u2029b",
    "zero-width-space": "a\u200bb",
    "left-to-right-mark": "a\u200eb",
    "right-to-left-mark": "a\u200fb",
    "arabic-letter-mark": "a\u061cb",
    "embedding": "a\u202ab",
    "override": "a\u202eb",
    "pop": "a\u202cb",
    "isolate": "a\u2066b\u2069",
    "word-joiner": "a\u2060b",
    "invisible-times": "a\u2062b",
    "byte-order-mark": "a\ufeffb",
    "soft-hyphen": "a\u00adb",
    "tag": "a\U000e0041b",
    "private": "a\ue000b",
    "private-plane": "a\U0010fffdb",
    "unassigned": "a\U000e0fffb",
    "no-character": "a\uffffb",
    "hangul-filler": "a\u3164b",
    "half-width-filler": "a\uffa0b",
    "choseong-filler": "a\u115fb",
    "jungseong-filler": "a\u1160b",
}


@topic.check("ENC-10", cases=_SHOWN)
async def a_text_that_shows_what_it_holds_is_taken(stage: Stage, text: str) -> None:
    """A text of letters, marks, signs and the joiners that scripts need is taken as it is."""
    made = await stage.owner.do("POST", "/invitations", {"label": text})
    expect_equal(made["label"], text, "the label")


@topic.check("ENC-10", "ENC-11", cases=_UNSEEN)
async def a_text_that_cannot_be_seen_is_refused(stage: Stage, text: str) -> None:
    """A text that shows nothing, or holds what cannot be seen, is malformed at the owner's and at the vendor's door."""
    expect_problem(await stage.owner.send("POST", "/invitations", {"label": text}), 400, "malformed")
    estate = await _estate(stage)
    path = f"/requests/{estate.asked.id}/refuse"
    expect_problem(await stage.owner.send("POST", path, {"reason": text}), 400, "malformed")
    vendor = await _vendor(stage)
    invitation = await stage.once("invitation of bodies", stage.owner.invite)
    named: Document = {"id": vendor.key.did, "type": "Organization", "name": text}
    request = stage.request(vendor.key, estate.permissions, assignee=named)
    expect_problem(await stage.post_request(invitation, request), 400, "malformed")
    if "\n" not in text:
        request = stage.request(vendor.key, estate.permissions, benefit=text)
        expect_problem(await stage.post_request(invitation, request), 400, "malformed")
    await _unchanged(stage, estate)


@topic.check("ENC-12", "LIM-1", cases={"letters": "a", "wide": "\U0001f600", "accents": "\u00e9"})
async def a_text_is_measured_in_characters(stage: Stage, letter: str) -> None:
    """A label of 120 characters is taken and one of 121 is too-large, and so is a reason of 2,001."""
    expect_status(await stage.owner.send("POST", "/invitations", {"label": letter * 120}), 201)
    expect_problem(await stage.owner.send("POST", "/invitations", {"label": letter * 121}), 413, "too-large")
    path = f"/requests/{(await _estate(stage)).asked.id}/refuse"
    expect_problem(await stage.owner.send("POST", path, {"reason": letter * 2_001}), 413, "too-large")
    hidden = letter * 121 + "\u202e"
    expect_problem(await stage.owner.send("POST", "/invitations", {"label": hidden}), 413, "too-large")
