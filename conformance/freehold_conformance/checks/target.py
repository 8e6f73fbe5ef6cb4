"""Request targets: what is routed is the text that was signed, and every text that could be another is refused."""

from __future__ import annotations

from typing import Final

from ..cast.doors import NOBODYS
from ..cast.holder import Holder
from ..cast.stage import Stage
from ..check import Topic, expect, expect_equal, expect_problem, expect_status
from ..hands import message
from ..wire import Answer

topic = Topic()

_TOO_LONG: Final = 5_096

# What comes after a path that exists, or in the place of a part of it; none of it is plain.
_BROKEN: Final = {
    "dot-dot": "/../{below}",
    "dot": "/./{below}",
    "empty-segment": "//{below}",
    "closing-slash": "/{below}/",
    "closing-dot": "/{below}/.",
    "closing-dot-dot": "/{below}/x/..",
    "escaped-dots": "/x/%2e%2e/{below}",
    "escaped-dots-in-capitals": "/x/%2E%2E/{below}",
    "half-escaped-dots": "/x/.%2e/{below}",
    "escaped-dot": "/%2e/{below}",
    "escaped-slash": "/x%2F{below}",
    "escaped-slash-in-small": "/x%2f{below}",
    "escaped-backslash": "/x%5C{below}",
    "backslash": "/x\\..\\{below}",
    "escaped-letter": "/%64elivery/{below}",
    "escaped-unreserved": "/%7E/{below}",
    "escaped-colon-in-small": "/urn%3auuid/{below}",
    "escaped-percent": "/%253A/{below}",
    "escaped-nul": "/%00/{below}",
    "escaped-space": "/%20/{below}",
    "escaped-line": "/%0d%0aX:%20y/{below}",
    "escaped-question-mark": "/{below}%3Fa",
    "escaped-fragment": "/{below}%23a",
    "escape-without-digits": "/{below}%",
    "escape-of-no-digits": "/{below}%zz",
    "overlong-dot": "/%c0%ae%c0%ae/{below}",
    "fragment": "/{below}#a",
    "fragment-in-a-query": "/{below}?a=b#c",
    "backslash-in-a-query": "/{below}?a=\\b",
    "parameter": "/{below};a=b",
    "plus": "/a+b/{below}",
    "star": "/*/{below}",
    "comma": "/a,b/{below}",
    "at-sign": "/a@b/{below}",
    "colon": "/a:b/{below}",
    "quote": '/"{below}"',
    "less-than": "/<{below}>",
    "bar": "/a|{below}",
    "brace": "/{{{below}}}",
    "caret": "/^{below}",
    "grave": "/`{below}`",
    "not-ascii": "/\u00e9/{below}",
    "full-width-dots": "/\uff0e\uff0e/{below}",
    "not-ascii-in-a-query": "/{below}?a=\u00e9",
}


async def _reader(stage: Stage, name: str = "holder of targets") -> Holder:
    async def make() -> Holder:
        shown = await stage.person(name="Ada")
        return await stage.relate([shown.permission("delivery", ["name"])])

    return await stage.once(name, make)


async def _by_holder(stage: Stage, target: str, method: str = "GET") -> Answer:
    """Send a target just as a holder signed it."""
    vendor = await _reader(stage)
    return await stage.wire.send(method, target, vendor.signed(method, target))


async def _by_owner(stage: Stage, target: str) -> Answer:
    """Send a target just as the owner signed it."""
    uri = stage.origin + target
    signed = message.sign(stage.owner.session.key, message.OWNER, "GET", uri, created_s=stage.now())
    return await stage.wire.send("GET", target, signed)


async def _by_asker(stage: Stage, target: str) -> Answer:
    """Send a target just as a vendor signed it by its DID."""
    vendor = await _reader(stage)
    signed = message.sign(vendor.key, message.DID, "GET", stage.origin + target, created_s=stage.now())
    return await stage.wire.send("GET", target, signed)


@topic.check("HTTP-1", cases=_BROKEN)
async def a_signed_target_that_is_not_plain_is_refused(stage: Stage, broken: str) -> None:
    """A target that could be normalised into another is malformed, though its sender signed just that text."""
    silent = await _reader(stage, "holder of broken targets")
    for below in ("/delivery" + broken.format(below="records"), broken.format(below="delivery/records")):
        target = silent.path(below)
        answer = await stage.wire.send("GET", target, silent.signed("GET", target))
        expect_problem(answer, 400, "malformed")
    expect_equal(len(await stage.owner.ledger(silent.grant)), 1, "entries of a grant that nobody read")
    expect_status(await _by_holder(stage, (await _reader(stage)).path("/delivery/records")), 200)
    expect_problem(await _by_owner(stage, "/owner" + broken.format(below="status")), 400, "malformed")


@topic.check("HTTP-1", cases=_BROKEN)
async def a_strangers_target_that_is_not_plain_is_refused(stage: Stage, broken: str) -> None:
    """A target that is not plain is malformed before it is routed, whatever family of paths it looks like."""
    expect_status(await stage.wire.send("GET", "/healthz"), 200)
    families = ("", "/.well-known", f"/g/{NOBODYS}/delivery", "/requests", "/i", "/owner", "/nothing")
    for family in families:
        for below in ("records", "healthz"):
            target = family + broken.format(below=below)
            expect_problem(await stage.wire.send("GET", target), 400, "malformed")
    expect_problem(await _by_asker(stage, "/requests" + broken.format(below=NOBODYS)), 400, "malformed")


@topic.check(
    "HTTP-1",
    cases={
        "absolute": "{origin}{target}",
        "absolute-elsewhere": "http://elsewhere.example{target}",
        "absolute-secure": "https://elsewhere.example{target}",
        "absolute-in-capitals": "HTTP://elsewhere.example{target}",
        "no-scheme": "//elsewhere.example{target}",
        "no-slash": "elsewhere{target}",
        "authority": "elsewhere.example:443",
        "asterisk": "*",
        "another-scheme": "file://{target}",
    },
)
async def only_the_origin_form_is_a_target(stage: Stage, form: str) -> None:
    """A target in the form for proxies is malformed, at an open path and at a signed one."""
    vendor = await _reader(stage)
    for target in ("/healthz", vendor.path("/delivery/records"), "/owner/status"):
        sent = form.format(origin=stage.origin, target=target)
        expect_problem(await stage.wire.send("GET", sent), 400, "malformed")
        expect_problem(await stage.wire.send("GET", sent, vendor.signed("GET", target)), 400, "malformed")
    expect_status(await stage.wire.send("GET", "/healthz"), 200)


@topic.check(
    "HTTP-1",
    cases={
        "twice": "a=b&a=b",
        "twice-escaped": "a=b&%61=b",
        "twice-without-a-value": "a&a",
        "twice-empty": "a=&b=&=&=",
        "twice-by-plus": "a+b=1&a%20b=1",
    },
)
async def a_query_names_a_key_once(stage: Stage, query: str) -> None:
    """A query that names a key twice is duplicate-key, whoever asks for whatever."""
    vendor = await _reader(stage)
    expect_status(await stage.wire.send("GET", "/healthz?a=b&b=a"), 200)
    expect_problem(await stage.wire.send("GET", f"/healthz?{query}"), 400, "duplicate-key")
    expect_problem(await stage.wire.send("GET", f"/g/{NOBODYS}?{query}"), 400, "duplicate-key")
    expect_problem(await _by_holder(stage, vendor.path(f"/delivery/records?{query}")), 400, "duplicate-key")
    expect_problem(await _by_holder(stage, vendor.path(f"/ledger/entries?{query}")), 400, "duplicate-key")
    expect_problem(await _by_owner(stage, f"/owner/status?{query}"), 400, "duplicate-key")


@topic.check("HTTP-1", "LIM-1")
async def a_target_has_a_length(stage: Stage) -> None:
    """A target of 5,096 characters is routed, and one of 5,097 is too-large, whatever it leads to."""
    for path in ("/healthz", f"/g/{NOBODYS}", "/owner/status", "/nothing"):
        longest = f"{path}?" + "a" * (_TOO_LONG - len(path) - 1)
        answer = await stage.wire.send("GET", longest)
        expect(answer.status != 413, f"a target of {len(longest)} characters is refused as too large")
        expect_problem(await stage.wire.send("GET", longest + "a"), 413, "too-large")
    expect_problem(await stage.wire.send("GET", "/" + "a" * _TOO_LONG), 413, "too-large")


@topic.check(
    "HTTP-10", cases={"flag": "x", "pair": "x=1", "escaped": "x=%2F%5C%00", "many": "&".join("abcdefgh")}
)
async def an_unknown_key_of_a_query_is_ignored(stage: Stage, query: str) -> None:
    """A key of a query that a route does not know changes nothing, but is refused in reading."""
    vendor = await _reader(stage)
    for target in (f"/healthz?{query}", f"/.well-known/freehold?{query}"):
        expect_status(await stage.wire.send("GET", target), 200)
    for below in ("", "/delivery", "/ledger/checkpoint", "/ledger/entries"):
        expect_status(await _by_holder(stage, vendor.path(f"{below}?{query}")), 200)
    expect_status(await _by_owner(stage, f"/owner/status?{query}"), 200)
    expect_problem(await _by_holder(stage, vendor.path(f"/delivery/records?{query}")), 400, "malformed")


@topic.check("HTTP-1", "INV-2")
async def the_text_that_was_signed_is_the_text_that_came(stage: Stage) -> None:
    """A signature over a spelling of the target that means the same is not one over the target that was sent."""
    vendor = await _reader(stage)
    target = vendor.path("/delivery/records")
    expect_status(await stage.wire.send("GET", target, vendor.signed("GET", target)), 200)
    for other in ("?", "/", "#", "?limit=50", "?fields=name"):
        signed = vendor.signed("GET", target + other)
        expect_problem(await stage.wire.send("GET", target, signed), 401, "signature-invalid")
    signed = vendor.signed("GET", target + "?limit=5&fields=name")
    moved = target + "?fields=name&limit=5"
    expect_problem(await stage.wire.send("GET", moved, signed), 401, "signature-invalid")
    escaped = vendor.signed("GET", target + "?fields=name")
    respelled = target + "?fields=%6Eame"
    expect_problem(await stage.wire.send("GET", respelled, escaped), 401, "signature-invalid")
    empty = vendor.signed("GET", target)
    expect_problem(await stage.wire.send("GET", target + "?", empty), 401, "signature-invalid")


# Where the node is

_FORWARDED: Final = {
    "host": {"host": "elsewhere.example"},
    "host-and-port": {"host": "elsewhere.example:8443"},
    "host-of-no-form": {"host": "a b"},
    "forwarded": {"forwarded": "for=10.0.0.1;host=elsewhere.example;proto=https"},
    "x-forwarded-host": {"x-forwarded-host": "elsewhere.example"},
    "x-forwarded-proto": {"x-forwarded-proto": "https"},
    "x-forwarded-port": {"x-forwarded-port": "443"},
    "x-forwarded-prefix": {"x-forwarded-prefix": "/owner"},
    "x-forwarded-for": {"x-forwarded-for": "127.0.0.1"},
    "x-original-url": {"x-original-url": "/owner/status"},
    "x-rewrite-url": {"x-rewrite-url": "/owner/status"},
    "x-real-ip": {"x-real-ip": "127.0.0.1"},
    "x-method-override": {"x-http-method-override": "DELETE", "x-method-override": "DELETE"},
    "all": {
        "host": "elsewhere.example",
        "forwarded": "host=elsewhere.example;proto=https",
        "x-forwarded-host": "elsewhere.example",
        "x-forwarded-proto": "https",
    },
}


@topic.check("HTTP-2", "INV-2", cases=_FORWARDED)
async def an_address_in_a_header_is_not_believed(stage: Stage, headers: dict[str, str]) -> None:
    """What was signed for the node's own origin passes whatever Host says, and for another origin never."""
    vendor = await _reader(stage)
    target = vendor.path("/delivery/records")
    elsewhere = ("http://elsewhere.example", "https://elsewhere.example", "http://elsewhere.example:8443")
    sent = vendor.signed("GET", target) | headers
    expect_status(await stage.wire.send("GET", target, sent), 200)
    for origin in elsewhere:
        sent = vendor.signed("GET", target, uri=origin + target) | headers
        expect_problem(await stage.wire.send("GET", target, sent), 401, "signature-invalid")
        by_did = message.sign(vendor.key, message.DID, "GET", origin + vendor.path(), created_s=stage.now())
        expect_problem(
            await stage.wire.send("GET", vendor.path(), by_did | headers), 401, "signature-invalid"
        )
        owners = message.sign(
            stage.owner.session.key, message.OWNER, "GET", f"{origin}/owner/status", created_s=stage.now()
        )
        expect_problem(
            await stage.wire.send("GET", "/owner/status", owners | headers), 401, "not-authenticated"
        )
    expect_status(await stage.owner.send("GET", "/status", headers=headers), 200)


@topic.check("HTTP-2", cases=_FORWARDED)
async def no_address_is_made_of_a_header(stage: Stage, headers: dict[str, str]) -> None:
    """Every address that a node tells is of its own origin, whatever a request says of where it went."""
    made = await stage.owner.do("POST", "/invitations", {"label": "conformance"}, headers=headers)
    expect(made["url"].startswith(stage.origin + "/i/"), "an invitation at another origin")
    status = await stage.owner.do("GET", "/status", headers=headers)
    expect(all("elsewhere" not in one for one in status["origins"]), "another origin in the status")
    vendor = await _reader(stage)
    renewed = await vendor.by_did("POST", vendor.path("/renew"), headers=headers)
    expect(b"elsewhere" not in expect_status(renewed, 200).body, "a capability for another origin")
    expect_equal(renewed.headers.get("location"), None, "Location of a renewal")
