"""Faults in HTTP, in what strangers and several vendors learn, and on the owner's routes."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from freehold_node import condition, inbox, origins
from freehold_node.api import holding, messages, operation, problems, reading, server
from freehold_node.api.owner import granting, moving, recording
from freehold_node.gate import Gate
from freehold_node.records import Records
from freehold_protocol import encoding, errors, limits
from freehold_protocol.errors import ControllerError
from mutant import Mutants, edit, everywhere, wrap

mutants = Mutants()


# Messages


@mutants("HTTP-1", "takes two slashes for one")
def double_slashes() -> None:
    _targets(lambda target: target.replace("//", "/"))


def _targets(plain: Any) -> None:
    """Route and judge another target than the one that came."""
    from aiohttp.web_urldispatcher import UrlDispatcher

    wrap(messages, "check_target", lambda old, target: old(plain(target)))

    async def resolve(self: Any, request: Any) -> Any:
        target = plain(request.raw_path)
        return await _resolve(self, request if target == request.raw_path else request.clone(rel_url=target))

    _resolve = UrlDispatcher.resolve
    UrlDispatcher.resolve = resolve


@mutants("HTTP-1", "takes a fragment in a target")
def fragments() -> None:
    messages._FORBIDDEN = ()


@mutants("HTTP-3", "compares a body with its digest when it has inflated it")
def digests_of_inflated_bodies() -> None:
    import gzip

    async def read(old: Any, request: Any, *, most: int) -> bytes:
        body = await old(request, most=most)
        if request.headers.get("Content-Encoding") == "gzip":
            return gzip.decompress(body)
        return body

    wrap(messages, "read_body", read)


@mutants("HTTP-5", "lets refusals be kept")
def refusals_may_be_kept() -> None:
    edit(problems, "problem_response", ('"Cache-Control": "no-store", ', ""))


@mutants("HTTP-5", "lets it be kept that nothing changed")
def unchanged_may_be_kept() -> None:
    edit(
        reading,
        "read_records",
        (
            "return web.Response(status=304, headers=headers)",
            'return web.Response(status=304, headers={k: v for k, v in headers.items() if k != "Cache-Control"})',
        ),
    )


@mutants("HTTP-5", "lets what is shown be kept for a minute")
def pages_may_be_kept() -> None:
    edit(reading, "read_records", ('"Cache-Control": "no-store"', '"Cache-Control": "max-age=60"'))


@mutants("HTTP-5", "lets what the person sees be kept")
def nothing_may_be_kept() -> None:
    edit(operation, "respond", ("headers=_NO_STORE | tagged", "headers=tagged"))


@mutants("HTTP-6", "says what time it is")
def dates() -> None:
    edit(messages, "strip_headers", ('response.headers.pop("Date", None)', "pass"))


@mutants("HTTP-7", "does not say when to come again")
def no_retry_after() -> None:
    edit(problems, "problem_response", ("if status == 503:", "if False:"))


@mutants("HTTP-7", "calls a problem JSON")
def problems_as_json() -> None:
    edit(problems, "problem_response", ('"application/problem+json"', '"application/json"'))


@mutants("HTTP-8", "lets anything be expected")
def any_expectation() -> None:
    edit(server, "_expect", ('request.headers.get("Expect", "").lower() != "100-continue"', "False"))


@mutants("HTTP-10", "refuses a key of a query that it does not know, everywhere")
def unknown_keys_everywhere() -> None:
    def check(old: Any, target: str) -> Any:
        path, _, query = target.partition("?")
        known = ("fields", "where", "limit", "cursor", "first", "from", "after", "status")
        if "/records" not in path and any(
            part.partition("=")[0] not in known for part in query.split("&") if part
        ):
            raise errors.MalformedError("an unknown key")
        return old(target)

    wrap(messages, "check_target", check)


@mutants("ENC-5", "passes over a byte order mark")
def byte_order_marks() -> None:
    edit(encoding, "parse_json", ('data.decode("utf-8")', 'data.decode("utf-8-sig")'))


@mutants("ENC-5", "reads JSON in UTF-16 too")
def other_encodings() -> None:
    edit(
        encoding,
        "parse_json",
        (
            'text = data.decode("utf-8")',
            'text = data.decode("utf-16" if data[:2] in (b"\\xff\\xfe", b"\\xfe\\xff") else "utf-8")',
        ),
    )


@mutants("ENC-6", "takes a number that no double holds")
def infinite_numbers() -> None:
    encoding._finite = float


@mutants("ENC-6", "takes half a surrogate pair")
def lone_surrogates() -> None:
    edit(
        encoding,
        "parse_json",
        (
            'json.dumps(value, ensure_ascii=False).encode("utf-8")',
            "value = json.loads(json.dumps(value, ensure_ascii=False).encode('utf-8', 'replace'))",
        ),
    )


@mutants("ENC-7", "reads JSON of any depth")
def any_depth() -> None:
    limits.MAX_DEPTH = 900


@mutants("ENC-8", "takes a time with an offset")
def times_with_an_offset_of_nothing() -> None:
    from datetime import datetime

    def parse(old: Any, text: Any) -> int:
        if isinstance(text, str) and text.endswith("+00:00"):
            return int(datetime.fromisoformat(text).timestamp())
        return int(old(text))

    wrap(encoding, "parse_time", parse)


@mutants("ENC-8", "takes a time with a fraction")
def times_with_fraction() -> None:
    import re

    def parse(old: Any, text: Any) -> int:
        return int(old(re.sub(r"\.\d+Z\Z", "Z", text) if isinstance(text, str) else text))

    wrap(encoding, "parse_time", parse)


@mutants("ENC-15", "takes 2.0 for a whole number")
def whole_numbers_with_a_point() -> None:
    from freehold_protocol import form

    edit(
        form,
        "count",
        (
            "if not isinstance(value, int)",
            "if isinstance(value, float) and value.is_integer():\n        value = int(value)\n    if not isinstance(value, int)",
        ),
    )


# What strangers learn


@mutants("HTTP-11", "tells a stranger that a grant cannot be renewed by it")
def renewals_are_told() -> None:
    holding.ControllerError = ControllerError
    edit(holding, "renew", ('raise NotFoundError("nothing here")', 'raise ControllerError("not yours")'))


@mutants("INV-8", "uses up a stranger's message")
def strangers_are_written() -> None:
    edit(
        holding,
        "_vendor",
        (
            "    vendor = (await",
            "    await gate.spend(signer, owner=request.app[OWNER])\n    vendor = (await",
        ),
        ("    await gate.spend(signer, owner=request.app[OWNER])\n    return vendor", "    return vendor"),
    )


@mutants("HTTP-41", "shows anyone the list of grants")
def grants_for_anyone() -> None:
    _for_anyone("/owner/grants")


@mutants("HTTP-41", "lets anyone mint invitations")
def invitations_for_anyone() -> None:
    _for_anyone("/owner/invitations")


def _for_anyone(path: str) -> None:
    async def read(old: Any, request: Any) -> Any:
        return await (messages.read_call(request) if request.path == path else old(request))

    wrap(operation, "read_owned", read)


@mutants("HTTP-41", "says of the owner's routes without signature that they are malformed")
def owners_routes_are_malformed() -> None:
    edit(
        Gate,
        "owner",
        (
            "except FreeholdError as error:",
            "except MalformedError:\n        raise\n    except FreeholdError as error:",
        ),
    )
    import freehold_node.gate as module

    module.MalformedError = errors.MalformedError


# What several vendors learn


@mutants("PRV-1", "names the person in a header")
def person_in_a_header() -> None:
    edit(
        reading,
        "read_records",
        (
            "ENTRY: str(admission.number)}",
            'ENTRY: str(admission.number), "Freehold-Node": request.app[OWNER_KEY]}',
        ),
    )
    from freehold_node.api.keys import OWNER

    reading.OWNER_KEY = OWNER


@mutants("PRV-1", "signs what it shows with nonces of the minute")
def nonces_of_the_minute() -> None:
    import hashlib
    import time

    def token(self: Any) -> str:
        return encoding.base64url_encode(hashlib.sha256(b"%d" % (time.time() // 60)).digest())

    edit(inbox.Inbox, "draft_approval", ("nonce=self._ambient.new_token()", "nonce=token(self)"))
    inbox.token = token


# The owner


@mutants("HTTP-56", "does not look at If-Match for records")
def conditions_of_records() -> None:
    edit(Records, "edit", ("condition.check(before.cid)", "pass"))


@mutants("HTTP-56", "does not look at If-Match when a record is deleted")
def conditions_of_deletions() -> None:
    edit(Records, "delete", ("condition.check(row.cid)", "pass"))


@mutants("HTTP-56", "does not look at If-Match for who the person is")
def conditions_of_self() -> None:
    edit(Records, "choose_self", ("condition.check(owner.self_record if owner else None)", "pass"))


@mutants("HTTP-56", "does not look at If-Match for grants")
def conditions_of_grants() -> None:
    from freehold_node import changes

    everywhere(changes.check_standing, lambda *_: None)


@mutants("HTTP-56", "does not look at If-Match where nothing has a tag")
def conditions_elsewhere() -> None:
    edit(
        condition.Condition,
        "check",
        ("standing is None or (self.tags", "standing is not None and (self.tags"),
    )


@mutants("HTTP-56", "takes a star for a tag, to write")
def stars_match_nothing() -> None:
    edit(condition, "parse_if_match", ("return Condition()", 'return Condition(frozenset({"*"}))'))


@mutants("HTTP-56", "reads the first tag of If-Match")
def first_tag_of_conditions() -> None:
    edit(
        condition,
        "parse_if_match",
        (
            "return Condition(frozenset(tags))",
            "return Condition(frozenset([found_tag] if (found_tag := next(iter(_TAG.findall(value)), ('', ''))[1]) else []))",
        ),
    )


@mutants("HTTP-59", "makes the tag of a grant of its ledger too")
def tags_of_ledgers() -> None:
    edit(granting, "show_grant", ("tag=cid", "tag=found['root']"))


@mutants("HTTP-59", "answers the owner that nothing changed")
def unchanged_for_the_owner() -> None:
    def after(handler: Any) -> Any:
        async def handle(request: web.Request) -> web.StreamResponse:
            answer: web.StreamResponse = await handler(request)
            if answer.headers.get("ETag") and request.headers.get("If-None-Match") == answer.headers["ETag"]:
                return web.Response(status=304, headers={"Cache-Control": "no-store"})
            return answer

        return handle

    server.ROUTES = tuple(  # type: ignore[misc]
        route._replace(handler=after(route.handler)) if route.spec == "owner" else route
        for route in server.ROUTES
    )


@mutants("REC-7", "forgets earlier versions")
def records_without_history() -> None:
    edit(recording, "show_record", ("[parse_document(document) for document in history]", "[]"))


# Moving


@mutants("MOV-9", "moves without the passphrase")
def moves_without_passphrase() -> None:
    edit(moving, "add_origin", ("await asked.prove()", "pass"))


@mutants("MOV-3", "states by the serving key where a grant is reached")
def moved_by_the_serving_key() -> None:
    from freehold_protocol import moved

    edit(origins.Origins, "_state", ("standing.key_epoch).decision", "standing.key_epoch).serving"))
    edit(moved, "verify_moved", ("verify_signed_by(moved.document, grant.decision_key)", "pass"))


@mutants("MOV-10", "does not tell the vendor where a grant is reached")
def moves_are_not_told() -> None:
    edit(holding, "show_grant", ("await inspection.statements(grant_id)", "[]"))


@mutants("GRA-2", "moves to an origin without encryption")
def moves_over_http() -> None:
    from freehold_protocol import grant

    edit(grant, "_is_origin", ('scheme == "https" or _LOOPBACK.match(host) is not None', "True"))
    wrap(origins, "parse_origin", lambda old, text: text if text.startswith("http://") else old(text))


@mutants("CAP-9", "says of a target that is not a capability's that nothing is shared")
def another_code_for_targets() -> None:
    problems.STATUS[errors.TargetError] = 404


@mutants("CAP-26", "says of what has expired that it is not signed")
def another_status_for_expiry() -> None:
    problems.STATUS[errors.ExpiredError] = 401


@mutants("HTTP-7", "says of a grant that is over that it is gone")
def gone() -> None:
    problems.STATUS[errors.EndedError] = 410
