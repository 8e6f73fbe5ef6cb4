"""Targets: compared as text, never normalised; what lies within one, and what only looks as if it did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from ..cast.stage import Stage
from ..cast.trace import expect_no_data, send
from ..check import Topic, expect, expect_problem
from .capability_scene import expect_takes, expect_turns_away, lent

topic = Topic()

_Target = Callable[[str], str]
"""Makes a target of that of the permission ``delivery``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """A target of a link, and what is said of it."""

    target: _Target
    status: int = 400
    code: str = "malformed"


def _scheme(new: str) -> _Target:
    return lambda target: new + target[target.index("://") :]


def _authority(change: Callable[[str], str]) -> _Target:
    def make(target: str) -> str:
        scheme, _, rest = target.partition("://")
        authority, slash, path = rest.partition("/")
        return f"{scheme}://{change(authority)}{slash}{path}"

    return make


def _tail(text: str) -> _Target:
    return lambda target: target + text


MALFORMED: Final[Mapping[str, Aim]] = {
    "scheme-in-capitals": Aim(target=_scheme("HTTP")),
    "another-scheme": Aim(target=_scheme("ftp")),
    "no-scheme": Aim(target=_scheme("")),
    "no-host": Aim(target=_authority(lambda _: "")),
    "host-in-capitals": Aim(target=_authority(lambda _: "NODE.example")),
    "user": Aim(target=_authority(lambda host: "user@" + host)),
    "user-and-password": Aim(target=_authority(lambda host: "user:word@" + host)),
    "nobody": Aim(target=_authority(lambda host: "@" + host)),
    "port-empty": Aim(target=_authority(lambda host: host.partition(":")[0] + ":")),
    "port-of-letters": Aim(target=_authority(lambda host: host.partition(":")[0] + ":http")),
    "fragment": Aim(target=_tail("#a")),
    "fragment-empty": Aim(target=_tail("#")),
    "closing-slash": Aim(target=_tail("/")),
    "empty-segment": Aim(target=_tail("//records")),
    "dot": Aim(target=_tail("/./records")),
    "dot-at-the-end": Aim(target=_tail("/.")),
    "dot-dot": Aim(target=_tail("/../news")),
    "dot-dot-at-the-end": Aim(target=_tail("/..")),
    "escaped-dots": Aim(target=_tail("/%2e%2e/news")),
    "escaped-dots-in-capitals": Aim(target=_tail("/%2E%2E/news")),
    "half-escaped-dots": Aim(target=_tail("/.%2e/news")),
    "escaped-slash": Aim(target=_tail("%2Frecords")),
    "escaped-backslash": Aim(target=_tail("%5Crecords")),
    "escaped-letter": Aim(target=_tail("/%72ecords")),
    "escaped-nothing": Aim(target=_tail("/%00")),
    "escape-in-small-letters": Aim(target=_tail("/a%3ab")),
    "broken-escape": Aim(target=_tail("/%3")),
    "backslash": Aim(target=_tail("\\..\\news")),
    "space": Aim(target=_tail("/a b")),
    "tab": Aim(target=_tail("/a\tb")),
    "line-break": Aim(target=_tail("\n")),
    "beyond-ascii": Aim(target=_tail("/r\u00e9cords")),
    "full-width-slash": Aim(target=_tail("\uff0frecords")),
    "quote": Aim(target=_tail('/"')),
    "angle": Aim(target=_tail("/<")),
    "query-without-a-name": Aim(target=_tail("/records?=1")),
    "query-empty": Aim(target=_tail("/records?")),
    "query-empty-part": Aim(target=_tail("/records?limit=1&")),
    "query-empty-part-between": Aim(target=_tail("/records?limit=1&&fields=name")),
    "query-twice": Aim(target=_tail("/records?limit=1&limit=2"), code="duplicate-key"),
    "query-twice-by-an-escape": Aim(target=_tail("/records?limit=1&%6Cimit=2"), code="duplicate-key"),
    "query-with-a-space": Aim(target=_tail("/records?limit= 1")),
    "query-with-a-fragment": Aim(target=_tail("/records?limit=1#a")),
    "too-long": Aim(target=_tail("/" + "a" * 1_000), status=413, code="too-large"),
}


@topic.check("CAP-7", cases=MALFORMED)
async def a_target_has_one_spelling(stage: Stage, aim: Aim) -> None:
    """A target that two readers could take for two is refused, in a link that was signed so."""
    scene = await lent(stage)
    holder = scene.targeted(aim.target(f"{scene.root}/delivery"))
    await expect_turns_away(scene, holder, aim.status, aim.code)


WIDER: Final[Mapping[str, _Target]] = {
    "another-host": _authority(lambda _: "other.example"),
    "another-port": _authority(lambda host: host.partition(":")[0] + ":9"),
    "another-scheme": _scheme("https"),
    "a-longer-host": _authority(lambda host: "sub." + host),
    "another-grant": lambda target: target[: target.index("/g/")] + "/g/00000000-0000-4000-8000-000000000000",
    "all-grants": lambda target: target[: target.index("/g/")] + "/g",
    "the-origin": lambda target: target[: target.index("/g/")],
    "the-owner-s": lambda target: target[: target.index("/g/")] + "/owner/records",
    "a-longer-grant": lambda target: target.removesuffix("/delivery") + "0/delivery",
    "a-shorter-grant": lambda target: target.removesuffix("/delivery")[:-1],
}


@topic.check("CAP-21", "CAP-8", cases=WIDER)
async def a_first_target_lies_within_the_grant(stage: Stage, target: _Target) -> None:
    """A link whose target is not that of the vendor's, nor goes on from it, is wider."""
    scene = await lent(stage)
    aimed = target(f"{scene.root}/delivery")
    holder = scene.targeted(aimed)
    # What is signed is at the origin of the link's own target, so that nothing but the target is wrong.
    scheme, _, rest = aimed.partition("://")
    uri = f"{scheme}://{rest.partition('/')[0]}{holder.path('/delivery/records')}"
    sent = await send(holder, "/delivery/records", uri=uri)
    expect_no_data(sent.answer, [scene.shown.tag])
    expect(sent.answer.status in (403, 404), f"status {sent.answer.status}")
    codes = ("capability-widened", "capability-invalid") if sent.answer.status == 403 else ("not-found",)
    expect_problem(sent.answer, sent.answer.status, *codes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Targets below the grant: of a link, of a link under it if there is one, and of a request.

    Attributes:
        code: The refusal; None where it is let pass.
    """

    link: str
    asks: str
    then: str | None = None
    code: str | None = None


_R: Final = "/delivery/records"
_MORE: Final = _R + "?limit=1&fields=name"
WAYS: Final[Mapping[str, Way]] = {
    "the-same": Way(link=_R, asks=_R),
    "a-segment-more": Way(link="/delivery", asks=_R),
    "a-query-more": Way(link=_R, asks=_R + "?limit=1"),
    "the-same-query": Way(link=_R + "?limit=1", asks=_R + "?limit=1"),
    "a-part-of-a-query-more": Way(link=_R + "?limit=1", asks=_R + "?limit=1&fields=name"),
    "two-links": Way(link="/delivery", then=_R, asks=_R),
    "two-links-to-a-query": Way(link=_R, then=_R + "?limit=1", asks=_R + "?limit=1&fields=name"),
    "two-links-in-a-query": Way(link=_R + "?limit=1", then=_R + "?limit=1&fields=name", asks=_MORE),
    "ask-above": Way(link=_R + "?limit=1", asks=_R, code="wrong-target"),
    "ask-another-permission": Way(link="/delivery", asks="/news/records", code="wrong-target"),
    "ask-a-prefix-without-slash": Way(link="/deliver", asks=_R, code="wrong-target"),
    "ask-a-path-that-goes-on": Way(link="/delivery/record", asks=_R, code="wrong-target"),
    "ask-a-number-that-goes-on": Way(link=_R + "?limit=1", asks=_R + "?limit=10", code="wrong-target"),
    "ask-another-value": Way(link=_R + "?fields=name", asks=_R + "?fields=email", code="wrong-target"),
    "ask-another-order": Way(link=_R + "?limit=1", asks=_R + "?fields=name&limit=1", code="wrong-target"),
    "ask-more-of-a-list": Way(link=_R + "?fields=name", asks=_R + "?fields=name,email", code="wrong-target"),
    "ask-another-spelling": Way(link=_R + "?fields=name", asks=_R + "?fields=nam%65", code="wrong-target"),
    "ask-another-path-with-the-query": Way(link="/delivery/x?limit=1", asks=_R + "?limit=1", code="wrong-target"),
    "ask-the-status": Way(link=_R, asks="/delivery", code="wrong-target"),
    "ask-the-ledger": Way(link=_R, asks="/delivery/ledger/checkpoint", code="wrong-target"),
    "link-above": Way(link=_R, then="/delivery", asks=_R, code="capability-widened"),
    "link-beside": Way(link="/delivery", then="/news", asks="/news/records", code="capability-widened"),
    "link-prefix-without-slash": Way(link="/deliver", then="/delivery", asks=_R, code="capability-widened"),
    "link-query-that-goes-on": Way(
        link=_R + "?limit=1", then=_R + "?limit=10", asks=_R + "?limit=10", code="capability-widened"
    ),
    "link-without-the-query": Way(link=_R + "?limit=1", then=_R, asks=_R, code="capability-widened"),
    "link-path-after-a-query": Way(
        link="/delivery?a=1", then="/delivery/records?a=1", asks=_R, code="capability-widened"
    ),
    "link-slash-after-a-query": Way(link=_R + "?limit=1", then=_R + "?limit=1/x", asks=_R, code="capability-widened"),
    "link-another-order": Way(
        link=_R + "?limit=1", then=_R + "?fields=name&limit=1", asks=_R, code="capability-widened"
    ),
    "link-more-before": Way(link=_R + "?limit=1", then=_R + "?fields=name", asks=_R, code="capability-widened"),
}  # fmt: skip


@topic.check("CAP-8", "CAP-9", "CAP-21", "INV-12", cases=WAYS)
async def what_lies_within_goes_on_with_a_slash_or_a_query(stage: Stage, way: Way) -> None:
    """A target lies within another if it is the same text or goes on with ``/`` or ``?``, and then with ``&``."""
    scene = await lent(stage)
    holder = scene.link(way.link)
    if way.then is not None:
        holder = holder.delegate(way.then, key=scene.second)
    if way.code is None:
        await expect_takes(holder, way.asks)
    else:
        await expect_turns_away(scene, holder, 403, way.code, below=way.asks)


@topic.check("CAP-9", "CAP-7")
async def a_colon_is_the_one_escape(stage: Stage) -> None:
    """``%3A`` may stand in a target, and means nothing else there than it says."""
    scene = await lent(stage)
    holder = scene.link("/delivery/records%3Aa")
    await expect_turns_away(scene, holder, 403, "wrong-target")


@topic.check(
    "CAP-9", "HTTP-1",
    cases={
        "dot-dot": "/delivery/../news/records", "escaped": "/delivery/%2e%2e/news/records",
        "empty": "/delivery//records", "backslash": "/delivery\\..\\news", "slash": "/delivery/records/",
        "letter": "/delivery/%72ecords", "dot": "/delivery/./records", "slash-escaped": "/delivery%2Frecords",
    },
)  # fmt: skip
async def a_signed_path_that_is_not_plain_is_refused(stage: Stage, below: str) -> None:
    """A path that could be normalised into another is refused though a holder of the grant signed it."""
    scene = await lent(stage)
    for holder in (scene.vendor, scene.link()):
        await expect_turns_away(scene, holder, 400, "malformed", below=below)


@topic.check(
    "HTTP-1", "CAP-9",
    cases={"plain": "limit=1&limit=2", "escaped": "limit=1&l%69mit=2", "fields": "fields=name&fields=name"},
)  # fmt: skip
async def a_signed_query_that_names_twice_is_refused(stage: Stage, query: str) -> None:
    """A query that says a name twice is refused, in one spelling or two."""
    scene = await lent(stage)
    await expect_turns_away(scene, scene.vendor, 400, "duplicate-key", below=f"{_R}?{query}")
