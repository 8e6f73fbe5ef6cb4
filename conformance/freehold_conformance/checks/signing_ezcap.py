"""The form of deployed ZCAP clients: its one spelling, what it covers, and that a repetition is told and counted."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

from ..cast.holder import Holder
from ..cast.stage import Stage
from ..cast.trace import expect_admitted, send
from ..check import Profile, Topic, expect, expect_equal, expect_problem, expect_status, object_of
from ..hands import capability as capabilities
from ..hands import message
from ..hands.encoding import jcs, sha256
from ..hands.keys import Key
from .capability_scene import READ, Lent, expect_takes, expect_turns_away, lend, lent
from .matrix_scene import caveat
from .signing_scene import (
    CONTROLLER,
    INVALID,
    MALFORMED,
    STALE,
    TOO_LARGE,
    UNSUPPORTED,
    Outcome,
    expect_outcome,
)

topic = Topic(profile=Profile.EZCAP)

_NAMES: Final = ("(key-id)", "(created)", "(expires)", "(request-target)", "host", "capability-invocation")


def _old(holder: Holder) -> Holder:
    """Return the same holder, signing as ZCAP clients do."""
    return replace(holder, ezcap=True)


def _fresh(scene: Lent) -> Holder:
    """Return a holder of a link of its own, whose bytes nobody else sends."""
    return _old(scene.link())


@topic.check(
    "INV-14", "INV-15", cases={"vendor": "vendor", "partner": "partner", "two-links-down": "further"}
)
async def a_zcap_client_reads(stage: Stage, who: str) -> None:
    """Whoever holds a link reads by this form as by the other, with an entry like any."""
    scene = await lent(stage)
    first = scene.link()
    holders = {
        "vendor": scene.vendor, "partner": first, "further": first.delegate("/delivery", key=scene.second),
    }  # fmt: skip
    holder = _old(holders[who])
    for method, below in (("GET", READ), ("HEAD", READ), ("GET", f"{READ}?fields=name&limit=7")):
        sent = await send(holder, below, method=method)
        page = await holders[who].read("delivery")
        ledger = await stage.owner.ledger(scene.vendor.grant)
        expect_admitted(ledger, sent, fields=["name"], count=1, version=1, page=page)
    expect_status(await holder.get("/delivery"), 200)


_Change = Callable[[str], str]


def _put(pattern: str, by: str) -> _Change:
    def change(text: str) -> str:
        made, count = re.subn(pattern, by, text, count=1)
        if not count:
            raise ValueError("nothing to change")
        return made

    return change


SPELLINGS: Final[Mapping[str, tuple[_Change, tuple[Outcome, ...]]]] = {
    "scheme-in-small-letters": (_put("^Signature", "signature"), (MALFORMED,)),
    "another-scheme": (_put("^Signature", "Bearer"), (MALFORMED,)),
    "two-spaces": (_put("^Signature ", "Signature  "), (MALFORMED,)),
    "a-space-after-a-comma": (_put('",headers', '", headers'), (MALFORMED,)),
    "a-space-around-an-equals-sign": (_put("keyId=", "keyId = "), (MALFORMED,)),
    "a-comma-at-the-end": (_put("$", ","), (MALFORMED,)),
    "an-algorithm": (_put("$", ',algorithm="hs2019"'), (MALFORMED,)),
    "key-name-in-small-letters": (_put("keyId", "keyid"), (MALFORMED,)),
    "no-key": (_put('keyId="[^"]*",', ""), (MALFORMED,)),
    "no-beginning": (_put(',created="[0-9]*"', ""), (MALFORMED,)),
    "no-end": (_put(',expires="[0-9]*"', ""), (MALFORMED,)),
    "no-names": (_put('headers="[^"]*",', ""), (MALFORMED,)),
    "no-signature": (_put('signature="[^"]*",', ""), (MALFORMED,)),
    "one-twice": (_put('(,created="[0-9]*")', r"\1\1"), (MALFORMED, (400, "duplicate-key"))),
    "another-order": (_put('^Signature (keyId="[^"]*"),(headers="[^"]*")', r"Signature \2,\1"), (MALFORMED,)),
    "time-without-quotes": (_put('created="([0-9]*)"', r"created=\1"), (MALFORMED,)),
    "time-with-a-fraction": (_put('created="([0-9]*)"', r'created="\1.5"'), (MALFORMED,)),
    "time-with-a-zero": (_put('created="', 'created="0'), (MALFORMED,)),
    "time-negative": (_put('created="', 'created="-'), (MALFORMED,)),
    "signature-not-padded": (_put('=+",created', '",created'), (MALFORMED,)),
    "signature-in-the-alphabet-of-urls": (_put('signature="..', 'signature="-_'), (MALFORMED,)),
    "signature-short": (_put('signature="[^"]*"', 'signature="AAAA"'), (MALFORMED, INVALID)),
    "signature-of-nothing": (_put('signature="[^"]*"', f'signature="{"A" * 86}=="'), (INVALID,)),
    "a-did-for-a-key": (_put('#[^"]*"', '"'), (MALFORMED,)),
    "another-fragment": (_put('#[^"]*"', '#key-1"'), (MALFORMED,)),
    "a-key-of-a-domain": (_put('keyId="[^"]*"', 'keyId="did:web:a.example#b"'), (UNSUPPORTED, CONTROLLER)),
    "too-long": (_put('keyId="', f'keyId="{"a" * 1_024}'), (TOO_LARGE,)),
    "names-twice": (_put("host", "host host"), (INVALID,)),
    "names-in-capitals": (_put("host", "Host"), (INVALID, MALFORMED)),
    "names-in-two-spaces": (_put("host", " host"), (INVALID, MALFORMED)),
}  # fmt: skip


@topic.check("INV-14", cases=SPELLINGS)
async def an_authorization_has_one_spelling(stage: Stage, case: tuple[_Change, tuple[Outcome, ...]]) -> None:
    """Other members, or these written otherwise, are refused."""
    change, outcomes = case
    scene = await lent(stage)
    holder = _fresh(scene)
    target = holder.path(READ)
    signed = holder.signed("GET", target)
    wrong = signed | {"authorization": change(signed["authorization"])}
    expect_outcome(await stage.wire.send("GET", target, wrong), *outcomes)
    expect_status(await stage.wire.send("GET", target, signed), 200)


COVERED: Final[Mapping[str, tuple[str, ...]]] = {
    **{f"without-{name.strip('()')}": tuple(one for one in _NAMES if one != name) for name in _NAMES},
    "another-order": _NAMES[::-1],
    "two-turned-round": (*_NAMES[:4], _NAMES[5], _NAMES[4]),
    "nothing": (),
    "a-digest-without-a-body": (*_NAMES, "digest"),
    "a-type-without-a-body": (*_NAMES, "content-type"),
    "accept": (*_NAMES, "accept"),
    "date-for-created": (*_NAMES, "date"),
}


@topic.check("INV-14", "INV-1", cases=COVERED)
async def it_covers_just_these_in_this_order(stage: Stage, names: tuple[str, ...]) -> None:
    """A signature over less, over more or in another order is refused though it verifies."""
    scene = await lent(stage)
    holder = _fresh(scene)
    target = holder.path(READ)
    signed = holder.signed("GET", target, names=names) | {"accept": "", "date": ""}
    expect_outcome(await stage.wire.send("GET", target, signed), INVALID, *([] if names else [MALFORMED]))
    await expect_takes(holder)


_Signing = Callable[[Holder], dict[str, Any]]


def _host(change: Callable[[str], str]) -> _Signing:
    return lambda holder: {"host": change(urlsplit(holder.origin).netloc)}


WRONG: Final[Mapping[str, tuple[_Signing, Outcome]]] = {
    "another-host": (_host(lambda _: "evil.example"), INVALID),
    "host-in-capitals": (_host(lambda host: host.upper() + "."), INVALID),
    "host-of-another-port": (_host(lambda host: host.partition(":")[0] + ":9"), INVALID),
    "another-key": (lambda _: {"key": Key.fresh()}, CONTROLLER),
    "too-long": (lambda _: {"expires_s": time.time() + 601}, STALE),
    "past": (lambda _: {"created_s": time.time() - 700, "expires_s": time.time() - 100}, STALE),
    "past-for-a-minute": (lambda _: {"created_s": time.time() - 120, "expires_s": time.time() - 61}, STALE),
    "of-the-future": (lambda _: {"created_s": time.time() + 65}, STALE),
    "ends-when-made": (lambda _: {"expires_s": time.time()}, STALE),
    "another-query": (lambda holder: {"uri": f"{holder.origin}{holder.path(READ)}?limit=1"}, INVALID),
    "another-path": (lambda holder: {"uri": f"{holder.origin}{holder.path('/news/records')}"}, INVALID),
    "another-action": (lambda _: {"action": "write"}, (403, "wrong-action")),
}


@topic.check("INV-17", "INV-15", "INV-12", cases=WRONG)
async def it_is_of_now_and_for_this_target(stage: Stage, case: tuple[_Signing, Outcome]) -> None:
    """Times, key, host, path and query are held to what the other form is held to."""
    signing, outcome = case
    scene = await lent(stage)
    holder = _fresh(scene)
    await expect_turns_away(scene, holder, *outcome, **signing(holder))
    await expect_takes(holder)


@topic.check("INV-17", cases={"nearly-ahead": (55, 600), "nearly-past": (-100, -55), "long": (0, 600)})
async def its_times_have_the_same_minute(stage: Stage, times: tuple[int, int]) -> None:
    """A minute is allowed at each end."""
    now = time.time()
    holder = _fresh(await lent(stage))
    await expect_takes(holder, created_s=now + times[0], expires_s=now + times[1])


@topic.check("INV-15", "INV-17", "HTTP-2")
async def what_is_not_signed_says_nothing(stage: Stage) -> None:
    """Host, Date and whatever a caller adds change nothing; a method that is not upper case is refused."""
    scene = await lent(stage)
    for headers in (
        {"host": "evil.example"}, {"date": "Thu, 01 Jan 1970 00:00:00 GMT"}, {"x-forwarded-host": "evil.example"},
        {"content-type": "text/plain"}, {"digest": "SHA-256=AAAA"},
    ):  # fmt: skip
        holder = _fresh(scene)
        target = holder.path(READ)
        answer = await stage.wire.send("GET", target, holder.signed("GET", target) | headers)
        expect(answer.status == 200 or "digest" in headers, f"status {answer.status} with {sorted(headers)}")
    holder = _fresh(scene)
    target = holder.path(READ)
    lower = await stage.wire.send("get", target, holder.signed("GET", target))
    expect(lower.status >= 400, "a method in small letters is taken")


@topic.check("INV-18", "INV-5")
async def a_message_is_signed_in_one_form(stage: Stage) -> None:
    """Both forms at once are refused, even where both are good; and a read in the other's place too."""
    scene = await lent(stage)
    new = scene.link()
    old = _old(new)
    target = new.path(READ)
    both = old.signed("GET", target) | new.signed("GET", target)
    expect_outcome(await stage.wire.send("GET", target, both), MALFORMED)
    expect_status(await stage.wire.send("GET", target, old.signed("GET", target)), 200)


@topic.check("INV-14", "INV-5", cases={"renew": ("POST", "/renew"), "grant": ("GET", "")})
async def it_is_taken_under_a_capability_alone(stage: Stage, case: tuple[str, str]) -> None:
    """A DID and the owner do not sign so."""
    method, below = case
    scene = await lent(stage)
    target = scene.vendor.path(below)
    signed = _old(scene.vendor).signed(method, target)
    del signed["capability-invocation"]
    expect_outcome(await stage.wire.send(method, target, signed), MALFORMED)
    owner = message.invoke_ezcap(
        stage.owner.session.key, scene.vendor.capability, "GET", f"{stage.origin}/owner/status",
        created_s=time.time(),
    )  # fmt: skip
    expect_problem(await stage.wire.send("GET", "/owner/status", owner), 401, "not-authenticated")


@topic.check("INV-19", "LED-5", "HTTP-31")
async def a_repeated_read_is_admitted_and_told(stage: Stage) -> None:
    """The same bytes again are another read: another entry, which names the first as what it repeats."""
    scene = await lend(stage)
    holder = _fresh(scene)
    target = holder.path(READ)
    signed = holder.signed("GET", target)
    answers = [expect_status(await stage.wire.send("GET", target, signed), 200) for _ in range(3)]
    numbers = [int(one.headers["freehold-entry"]) for one in answers]
    expect_equal(len(set(numbers)), 3, "entries of three reads")
    ledger = {one["number"]: one["entry"] for one in await stage.owner.ledger(scene.vendor.grant)}
    repeats = [ledger[number].get("repeatOf") for number in numbers]
    expect_equal(repeats, [None, numbers[0], numbers[0]], "what each says that it repeats")
    names = {ledger[number]["signature"] for number in numbers}
    expect_equal(len(names), 1, "signatures that the entries name")
    other = await holder.get(READ, created_s=time.time() - 5)
    number = int(expect_status(other, 200).headers["freehold-entry"])
    again = {one["number"]: one["entry"] for one in await stage.owner.ledger(scene.vendor.grant)}
    expect("repeatOf" not in again[number], "another message is said to be a repetition")


@topic.check("INV-19", "CAP-15", "REQ-10")
async def a_repeated_read_counts_again(stage: Stage) -> None:
    """A repetition uses up what a read uses up, and stops where a read stops."""
    scene = await lend(stage)
    holder = _old(scene.link(caveats=[caveat("CountLimit", reads=2)]))
    target = holder.path(READ)
    signed = holder.signed("GET", target)
    for _ in range(2):
        expect_status(await stage.wire.send("GET", target, signed), 200)
    for _ in range(2):
        expect_problem(await stage.wire.send("GET", target, signed), 403, "limit-reached")


@topic.check("INV-19", "HTTP-38", cases={"paused": "pause", "ended": "end"})
async def a_repetition_is_decided_anew(stage: Stage, change: str) -> None:
    """What was answered once is refused when it comes again after a withdrawal."""
    scene = await lend(stage)
    holder = _fresh(scene)
    target = holder.path(READ)
    signed = holder.signed("GET", target)
    expect_status(await stage.wire.send("GET", target, signed), 200)
    await stage.owner.change(scene.vendor.grant, change)
    code = "grant-paused" if change == "pause" else "grant-ended"
    expect_problem(await stage.wire.send("GET", target, signed), 403, code)


@topic.check("INV-19", "LED-5")
async def repetitions_at_once_have_an_entry_each(stage: Stage) -> None:
    """Of the same bytes at once each has its entry, and all but one say which they repeat."""
    scene = await lend(stage)
    holder = _fresh(scene)
    target = holder.path(READ)
    signed = holder.signed("GET", target)
    answers = await asyncio.gather(*(stage.wire.send("GET", target, signed) for _ in range(6)))
    numbers = [int(expect_status(one, 200).headers["freehold-entry"]) for one in answers]
    ledger = {one["number"]: one["entry"] for one in await stage.owner.ledger(scene.vendor.grant)}
    repeats = sorted(str(ledger[number].get("repeatOf")) for number in numbers)
    expect_equal(repeats, [str(min(numbers))] * 5 + ["None"], "what each says that it repeats")


def _digest(body: bytes, kind: str) -> str:
    standard = base64.b64encode(sha256(body)).decode()
    multihash = base64.urlsafe_b64encode(b"\x12\x20" + sha256(body)).rstrip(b"=").decode()
    short = base64.urlsafe_b64encode(b"\x12\x1f" + sha256(body)[:31]).rstrip(b"=").decode()
    return {
        "multihash": f"mh=u{multihash}", "bare": f"SHA-256={standard}", "colons": f"SHA-256=:{standard}:",
        "another-base": "mh=z" + multihash, "padded": f"mh=u{multihash}=", "cut": f"mh=u{short}",
        "sha-512": f"SHA-512={base64.b64encode(hashlib.sha512(body).digest()).decode()}",
        "multihash-of-sha-512": "mh=u"
        + base64.urlsafe_b64encode(b"\x13\x40" + hashlib.sha512(body).digest()).rstrip(b"=").decode(),
        "not-padded": f"SHA-256={standard.rstrip('=')}",
    }[kind]  # fmt: skip


DIGESTS: Final[Mapping[str, tuple[str, bool, tuple[Outcome, ...]]]] = {
    **{kind: (kind, True, ((204, ""),)) for kind in ("multihash", "bare", "colons")},
    **{f"wrong-{kind}": (kind, False, (INVALID,)) for kind in ("multihash", "bare", "colons")},
    "another-base": ("another-base", True, (UNSUPPORTED, MALFORMED, INVALID)),
    "padded": ("padded", True, (MALFORMED, INVALID, UNSUPPORTED)),
    "cut": ("cut", True, (MALFORMED, INVALID, UNSUPPORTED)),
    "not-padded": ("not-padded", True, (MALFORMED, INVALID, UNSUPPORTED)),
    "sha-512": ("sha-512", True, (UNSUPPORTED,)),
    "multihash-of-sha-512": ("multihash-of-sha-512", True, (UNSUPPORTED,)),
}


@topic.check("INV-16", cases=DIGESTS)
async def a_body_has_a_signed_digest(stage: Stage, case: tuple[str, bool, tuple[Outcome, ...]]) -> None:
    """The digest is in one of three spellings, covered, and of the very bytes that came."""
    kind, right, outcomes = case
    scene = await lent(stage)
    holder, target, body = _revocation(scene)
    said = _digest(body if right else body + b" ", kind)
    signed = _signed_post(holder, target, said)
    answer = await stage.wire.send("POST", target, signed, body)
    if outcomes[0][0] == 204:
        expect_status(answer, 204)
        await expect_turns_away(scene, holder, 403, "revoked")
    else:
        expect_outcome(answer, *outcomes)
        await expect_takes(holder)


def _revocation(scene: Lent) -> tuple[Holder, str, bytes]:
    holder = scene.link()
    target = holder.path(f"/zcaps/revocations/{capabilities.encoded(holder.capability['id'])}")
    return holder, target, jcs(holder.capability)


def _signed_post(
    holder: Holder, target: str, digest: str | None, *, kind: str | None = "application/json"
) -> dict[str, str]:
    """Return the headers of a revocation by the root of its own URL; what is None is neither sent nor covered."""
    now, url = int(time.time()), holder.origin + target
    sent = {"capability-invocation": message.invoking(capabilities.root_id(url), "write")}
    sent |= {name: value for name, value in (("content-type", kind), ("digest", digest)) if value is not None}
    values = {
        "(key-id)": holder.key.method, "(created)": str(now), "(expires)": str(now + 600),
        "(request-target)": f"post {target}", "host": urlsplit(holder.origin).netloc, **sent,
    }  # fmt: skip
    base = "\n".join(f"{name}: {value}" for name, value in values.items())
    signature = base64.b64encode(holder.key.sign(base.encode())).decode()
    sent["authorization"] = (
        f'Signature keyId="{holder.key.method}",headers="{" ".join(values)}",signature="{signature}",'
        f'created="{now}",expires="{now + 600}"'
    )
    return sent


@topic.check("INV-16", cases={"digest": {"digest": None}, "type": {"kind": None}})
async def a_body_s_headers_are_both_covered(stage: Stage, parts: dict[str, None]) -> None:
    """A body whose type or digest is not signed is refused."""
    scene = await lent(stage)
    holder, target, body = _revocation(scene)
    given: dict[str, Any] = {"digest": _digest(body, "multihash"), **parts}
    signed = _signed_post(holder, target, given.pop("digest"), **given)
    expect_outcome(await stage.wire.send("POST", target, signed, body), INVALID, MALFORMED)
    late = signed | {"content-type": "application/json", "digest": _digest(body, "multihash")}
    expect_outcome(await stage.wire.send("POST", target, late, body), INVALID, MALFORMED)
    await expect_takes(holder)


@topic.check("INV-16")
async def a_body_of_its_own_beside_a_read_is_refused(stage: Stage) -> None:
    """A read that comes with a body nobody signed is refused."""
    holder = _fresh(await lent(stage))
    target = holder.path(READ)
    signed = holder.signed("GET", target)
    answer = await stage.wire.send("GET", target, signed | {"content-type": "application/json"}, b"{}")
    expect_outcome(answer, INVALID, MALFORMED)


@topic.check("INV-19", "HTTP-27")
async def a_repeated_write_is_answered_as_the_first_was(stage: Stage) -> None:
    """A revocation that comes again byte for byte is 204 again, and adds no entry."""
    scene = await lend(stage)
    holder, target, body = _revocation(scene)
    signed = _signed_post(holder, target, _digest(body, "multihash"))
    expect_status(await stage.wire.send("POST", target, signed, body), 204)
    before = len(await stage.owner.ledger(scene.vendor.grant))
    for _ in range(3):
        expect_status(await stage.wire.send("POST", target, signed, body), 204)
    expect_equal(len(await stage.owner.ledger(scene.vendor.grant)), before, "entries")


@topic.check("INV-14", "HTTP-22")
async def a_zcap_client_sees_what_a_holder_sees(stage: Stage) -> None:
    """Status, grant and ledger answer this form too."""
    scene = await lent(stage)
    vendor = _old(scene.vendor)
    for below in ("", "/delivery", "/ledger/entries", "/ledger/checkpoint", "/delivery/ledger/entries/0"):
        expect(
            "checkpoint" in object_of(expect_status(await vendor.get(below), 200)),
            f"no checkpoint at {below!r}",
        )
