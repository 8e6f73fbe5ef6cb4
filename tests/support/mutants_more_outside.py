"""Faults in HTTP, in what strangers and several vendors learn, and on the owner's routes."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from aiohttp import web
from freehold_node import condition, inbox, origins, records
from freehold_node.api import holding, messages, moving, open_routes, owning, problems, reading, server
from freehold_node.gate import Gate
from freehold_node.person_keys import PersonKeys
from freehold_node.records import Records
from freehold_protocol import encoding, errors, limits
from freehold_protocol.errors import ControllerError
from mutant import Mutants, edit, everywhere, wrap

mutants = Mutants()


# Messages


@mutants("HTTP-1", "takes a target with a slash at its end")
def closing_slashes() -> None:
    _targets(lambda target: target.rstrip("/") or "/")


@mutants("HTTP-1", "decodes a path")
def decoded_paths() -> None:
    _targets(lambda target: unquote(target.partition("?")[0]) + target[len(target.partition("?")[0]) :])


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


@mutants("HTTP-1", "lets a query name a key twice")
def keys_come_twice() -> None:
    edit(messages, "check_target", ("if len(set(keys)) != len(keys):", "if False:"))
    from freehold_node import view
    from freehold_protocol import target

    edit(view, "parse_selection", ("len(given) != len(pairs)", "False"))
    edit(target, "is_plain", ("return len(set(names)) == len(names)", "return True"))


@mutants("HTTP-1", "takes a fragment in a target")
def fragments() -> None:
    messages._FORBIDDEN = ()


@mutants("HTTP-3", "takes bodies of any size")
def large_bodies() -> None:
    edit(messages, "read_call", ("most: int = MAX_BODY_BYTES", "most: int = MAX_OWNER_BODY_BYTES"))
    edit(owning, "read_owned", (" if trusted else MAX_BODY_BYTES", ""))


@mutants("HTTP-3", "takes a body of any type")
def any_content_type() -> None:
    edit(messages, "read_document", ('"application/json",', '"application/json", "text/plain", "application/x-www-form-urlencoded", "",'))


@mutants("HTTP-3", "inflates a body")
def inflated_bodies() -> None:
    def make(old: Any, app: Any) -> Any:
        runner = old(app)
        runner._kwargs["auto_decompress"] = True
        return runner

    wrap(server, "make_runner", make)


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
    edit(reading, "read_records", ("return web.Response(status=304, headers=headers)", 'return web.Response(status=304, headers={k: v for k, v in headers.items() if k != "Cache-Control"})'))


@mutants("HTTP-5", "lets what is shown be kept for a minute")
def pages_may_be_kept() -> None:
    edit(reading, "read_records", ('"Cache-Control": "no-store"', '"Cache-Control": "max-age=60"'))


@mutants("HTTP-5", "lets what the person sees be kept")
def nothing_may_be_kept() -> None:
    edit(owning, "_done", ('{"Cache-Control": "no-store"}', "{}"))


@mutants("HTTP-5", "writes JSON as it comes")
def any_json() -> None:
    import json

    messages._json = lambda document: json.dumps(document).encode()
    edit(messages, "reply", ("jcs(document)", "_json(document)"))


@mutants("HTTP-6", "says what time it is")
def dates() -> None:
    edit(messages, "strip_headers", ('response.headers.pop("Date", None)', "pass"))


@mutants("HTTP-6", "says what software it is, of what is no HTTP")
def servers_of_bad_requests() -> None:
    edit(server._Unrouted, "_prepare_headers", ("await strip_headers(self._req, self)", "pass"), ("await super()._prepare_headers()", "await web.Response._prepare_headers(self)"))


@mutants("HTTP-7", "leaves the code to the body")
def codes_in_bodies() -> None:
    edit(problems, "problem_response", (", CODE: code", ""))


@mutants("HTTP-7", "adds which route it was")
def problems_with_instance() -> None:
    edit(problems, "problem_response", ('"detail": detail,', '"detail": detail, "instance": "/",'))


@mutants("HTTP-7", "does not say when to come again")
def no_retry_after() -> None:
    edit(problems, "problem_response", ("if status == 503:", "if False:"))


@mutants("HTTP-7", "calls a problem JSON")
def problems_as_json() -> None:
    edit(problems, "problem_response", ('"application/problem+json"', '"application/json"'))


@mutants("HTTP-8", "says of a method that a path does not have that there is nothing")
def methods_are_not_found() -> None:
    edit(messages, "guard", ('problem_response(405, "malformed", "this is not done with that method")', 'problem(NotFoundError("nothing here"), route=route)'))


@mutants("HTTP-8", "lets anything be expected")
def any_expectation() -> None:
    edit(server, "_expect", ('request.headers.get("Expect", "").lower() != "100-continue"', "False"))


@mutants("HTTP-10", "refuses a key of a query that it does not know, everywhere")
def unknown_keys_everywhere() -> None:
    def check(old: Any, target: str) -> Any:
        path, _, query = target.partition("?")
        known = ("fields", "where", "limit", "cursor", "first", "from", "after", "status")
        if "/records" not in path and any(part.partition("=")[0] not in known for part in query.split("&") if part):
            raise errors.MalformedError("an unknown key")
        return old(target)

    wrap(messages, "check_target", check)


@mutants("ENC-5", "takes a key twice in JSON")
def json_keys_come_twice() -> None:
    edit(encoding, "_refuse_duplicates", ("len(made) != len(pairs)", "False"))


@mutants("ENC-5", "passes over a byte order mark")
def byte_order_marks() -> None:
    edit(encoding, "parse_json", ('data.decode("utf-8")', 'data.decode("utf-8-sig")'))


@mutants("ENC-5", "reads JSON in UTF-16 too")
def other_encodings() -> None:
    edit(encoding, "parse_json", ('text = data.decode("utf-8")', 'text = data.decode("utf-16" if data[:2] in (b"\\xff\\xfe", b"\\xfe\\xff") else "utf-8")'))


@mutants("ENC-6", "takes a number that no double holds")
def infinite_numbers() -> None:
    encoding._finite = float


@mutants("ENC-6", "takes half a surrogate pair")
def lone_surrogates() -> None:
    edit(encoding, "parse_json", ('json.dumps(value, ensure_ascii=False).encode("utf-8")', "value = json.loads(json.dumps(value, ensure_ascii=False).encode('utf-8', 'replace'))"))


@mutants("ENC-7", "reads JSON of any depth")
def any_depth() -> None:
    limits.MAX_DEPTH = 900


@mutants("ENC-7", "reads JSON of any number of members")
def any_number_of_members() -> None:
    edit(encoding, "bound_members", ("members > max_members", "False"))


@mutants("ENC-8", "takes a time with an offset")
def times_with_offset() -> None:
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

    edit(form, "count", ("if not isinstance(value, int)", "if isinstance(value, float) and value.is_integer():\n        value = int(value)\n    if not isinstance(value, int)"))


@mutants("HTTP-13", "says in discovery which release it is")
def discovery_with_version() -> None:
    edit(open_routes, "discover", ('"protocol": list(VERSIONS),', '"protocol": list(VERSIONS), "software": "1.0",'))


@mutants("HTTP-14", "says how healthy the clock is")
def health_with_clock() -> None:
    edit(open_routes, "health", ('{"status": "ok"}', '{"status": "ok", "clock": "ok"}'))


# What strangers learn


@mutants("HTTP-11", "tells a stranger that a grant is another's")
def grants_are_told() -> None:
    holding.ControllerError = ControllerError
    edit(holding, "_vendor", ('if vendor != signer.did:\n        raise NotFoundError("nothing here")', 'if vendor != signer.did:\n        raise ControllerError("not yours")'))


@mutants("HTTP-11", "tells a stranger that a grant cannot be renewed by it")
def renewals_are_told() -> None:
    holding.ControllerError = ControllerError
    edit(holding, "renew", ('raise NotFoundError("nothing here")', 'raise ControllerError("not yours")'))


@mutants("HTTP-11", "uses up a stranger's message")
def strangers_are_written() -> None:
    edit(holding, "_vendor", ("    vendor = (await", "    await gate.spend(signer, owner=request.app[OWNER])\n    vendor = (await"), ("    await gate.spend(signer, owner=request.app[OWNER])\n    return vendor", "    return vendor"))


@mutants("HTTP-11", "tells in a detail what there is not")
def details_tell() -> None:
    edit(problems, "problem", ("status == 404 and not", "False and not"))
    inbox.NotFoundError = errors.NotFoundError
    edit(inbox.Inbox, "check_asked", ('"nothing here"', '"this is the request of another vendor"'))


@mutants("HTTP-41", "tells which of the owner's paths there are")
def owners_paths_are_told() -> None:
    edit(owning, "hide_owners_paths", ("await read_owned(request)", "pass"))


@mutants("HTTP-41", "reads what a stranger says to the owner's routes")
def strangers_bodies_are_read() -> None:
    edit(owning, "read_owned", ("    await gate.owner(", "    if call.body is not None:\n        read_document(call)\n    await gate.owner("))


@mutants("HTTP-41", "shows anyone the list of grants")
def grants_for_anyone() -> None:
    edit(owning, "list_grants", ("@owned\n", ""), ("request: web.Request, _: Document", "request: web.Request"))


@mutants("HTTP-41", "lets anyone mint invitations")
def invitations_for_anyone() -> None:
    edit(owning, "invite", ("@owned\n", ""), ("request: web.Request, body: Document", "request: web.Request"), ("    label =", "    body = read_document(await read_call(request))\n    label ="))


@mutants("HTTP-41", "says of the owner's routes without signature that they are malformed")
def owners_routes_are_malformed() -> None:
    edit(Gate, "owner", ("except FreeholdError as error:", "except MalformedError:\n        raise\n    except FreeholdError as error:"))
    import freehold_node.gate as module

    module.MalformedError = errors.MalformedError


# What several vendors learn


@mutants("PRV-1", "serves all vendors by one key")
def one_serving_key() -> None:
    _shared("serving")


@mutants("PRV-1", "decides for all vendors by one key")
def one_decision_key() -> None:
    _shared("decision")


@mutants("PRV-1", "makes one mark for all vendors")
def one_mark() -> None:
    _shared("generation")


def _shared(name: str) -> None:
    def derive(old: Any, self: Any, relationship: str, key_epoch: int) -> Any:
        from dataclasses import replace

        made = old(self, relationship, key_epoch)
        return replace(made, **{name: getattr(old(self, "00000000-0000-4000-8000-000000000000", key_epoch), name)})

    wrap(PersonKeys, "_derive", derive)


@mutants("PRV-1", "names all ledgers after the person")
def one_log() -> None:
    edit(inbox.Inbox, "draft_approval", ('"freehold/ledger/" + self._ambient.new_token()', '"freehold/ledger/" + base64url_encode(self._keys.records.public.raw)'))


@mutants("PRV-1", "names the person in a header")
def person_in_a_header() -> None:
    edit(reading, "read_records", ("ENTRY: str(admission.number)}", 'ENTRY: str(admission.number), "Freehold-Node": request.app[OWNER_KEY]}'))
    from freehold_node.api.keys import OWNER

    reading.OWNER_KEY = OWNER


@mutants("PRV-1", "draws ids from the number of grants")
def grants_are_counted() -> None:
    edit(inbox.Inbox, "draft_approval", ("grant_id=self._ambient.new_uuid()", "grant_id=f'00000000-0000-4000-8000-{now_us % 10**12:012}'"))


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
    edit(owning, "owned", ("condition.check(None)", "pass"))


@mutants("HTTP-56", "takes a weak tag for the strong one, to write")
def weak_conditions() -> None:
    edit(condition, "parse_if_match", ("if not found[1]:", "if True:"))


@mutants("HTTP-56", "takes a star for a tag, to write")
def stars_match_nothing() -> None:
    edit(condition, "parse_if_match", ("return Condition()", 'return Condition(frozenset({"*"}))'))


@mutants("HTTP-56", "reads the first line of If-Match")
def first_line_of_conditions() -> None:
    edit(owning, "conditional", ('", ".join(lines)', "lines[0]"))


@mutants("HTTP-56", "reads the first tag of If-Match")
def first_tag_of_conditions() -> None:
    edit(condition, "parse_if_match", ("return Condition(frozenset(tags))", "return Condition(frozenset([found_tag] if (found_tag := next(iter(_TAG.findall(value)), ('', ''))[1]) else []))"))


@mutants("HTTP-56", "passes over an If-Match that is none")
def malformed_conditions() -> None:
    edit(condition, "parse_if_match", ('raise MalformedError("If-Match is * or a list of entity tags")', "return NO_CONDITION"))


@mutants("HTTP-57", "compares If-Match before it writes")
def conditions_before_writing() -> None:
    import asyncio

    records.asyncio = asyncio
    edit(
        Records, "edit",
        ("        condition.check(before.cid)\n        if before.cid != previous:", "        if False:"),
        ("    return await self._write_and_tell(write)", "    row = await self._store.read(lambda reader: reader.record(self._owner, record_id))\n    if row is None:\n        raise NotFoundError('no such record')\n    condition.check(row.cid)\n    if row.cid != previous:\n        raise ConflictError('changed')\n    return await self._write_and_tell(write)"),
    )  # fmt: skip


@mutants("HTTP-58", "lets the last of two edits win")
def last_edit_wins() -> None:
    edit(Records, "edit", ("if before.cid != previous:", "if False:"))


@mutants("HTTP-59", "makes the tag of a grant of its ledger too")
def tags_of_ledgers() -> None:
    edit(owning, "show_grant", ("headers=_tagged(cid)", "headers=_tagged(found['root'])"))


@mutants("HTTP-59", "answers the owner that nothing changed")
def unchanged_for_the_owner() -> None:
    edit(owning, "show_record", ("    return reply(", "    if request.headers.get('If-None-Match') == etag(row.cid):\n        return web.Response(status=304, headers={'Cache-Control': 'no-store'})\n    return reply("))


@mutants("HTTP-68", "passes over members of a body that it does not know")
def unknown_members_of_bodies() -> None:
    import types

    from freehold_protocol import form

    def check(document: Any, *, required: Any, optional: Any = ()) -> Any:
        return form.check_members(document, required=required, optional=[*optional, *document])

    owning.form = types.SimpleNamespace(**{**vars(form), "check_members": check})


@mutants("REC-5", "lets what the person writes speak of its keeping")
def records_speak_of_their_keeping() -> None:
    edit(records, "_check_written", ("if told := KEEPING & plain.keys():", "plain = content_of(plain)\n    if told := set[str]():"))


@mutants("REC-6", "takes what no context defines")
def undefined_terms() -> None:
    edit(records, "_check_written", ('check_terms({"@context": form.CONTEXT, **plain})', "pass"))


@mutants("REC-7", "does not name the version before")
def records_without_previous() -> None:
    edit(Records, "_signed", ("previous=before.cid if before else None", "previous=None"))


@mutants("REC-7", "forgets earlier versions")
def records_without_history() -> None:
    edit(owning, "show_record", ("[parse_document(document) for document in history]", "[]"))


# Moving


@mutants("MOV-9", "writes no entry when a grant moves")
def moves_leave_no_entry() -> None:
    origins.append_changed = lambda *_, **__: None


@mutants("MOV-9", "moves without the passphrase")
def moves_without_passphrase() -> None:
    edit(moving, "add_origin", ("await check_passphrase(request, found)", "pass"))


@mutants("MOV-9", "states again what is stated")
def moves_again() -> None:
    edit(origins.Origins, "add", ("had = [one.grant for one in chosen if origin in origins_of(one, standing_grant(tx, one))]", "had = list[str]()"))


@mutants("MOV-5", "moves to any number of origins")
def moves_without_number() -> None:
    edit(origins.Origins, "_check_room", ("if full:", "if False:"))


@mutants("MOV-3", "states by the serving key where a grant is reached")
def moved_by_the_serving_key() -> None:
    from freehold_protocol import moved

    edit(origins.Origins, "_state", ("standing.key_epoch).decision", "standing.key_epoch).serving"))
    edit(moved, "verify_moved", ("verify_signed_by(moved.document, grant.decision_key)", "pass"))


@mutants("MOV-10", "does not tell the vendor where a grant is reached")
def moves_are_not_told() -> None:
    edit(holding, "show_grant", ('await inspection.statements(grant_id)', "[]"))


@mutants("GRA-2", "moves to an origin without encryption")
def moves_over_http() -> None:
    from freehold_protocol import grant

    edit(grant, "_is_origin", ('scheme == "https" or _LOOPBACK.match(host) is not None', "True"))
    wrap(origins, "parse_origin", lambda old, text: text if text.startswith("http://") else old(text))


@mutants("HTTP-63", "says of a target that is not a capability's that nothing is shared")
def another_code_for_targets() -> None:
    problems.STATUS[errors.TargetError] = 404


@mutants("HTTP-7", "says of what has expired that it is not signed")
def another_status_for_expiry() -> None:
    problems.STATUS[errors.ExpiredError] = 401


@mutants("HTTP-7", "says of a grant that is over that it is gone")
def gone() -> None:
    problems.STATUS[errors.EndedError] = 410

