"""Faults at the door: how messages are read, who is let in to the owner's routes, what strangers are told, updates."""

from __future__ import annotations

import asyncio
import json
import re
import zlib
from typing import Any

from aiohttp import web
from freehold_node import changes, condition, gate, inbox, records, relations
from freehold_node.api import holding, messages, operation, problems, server
from freehold_node.api.owner import deciding, importing
from freehold_protocol import (
    encoding,
    errors,
    form,
    invocation,
    limits,
)
from freehold_protocol.errors import (
    ControllerError,
    FreeholdError,
    MalformedError,
    NotAuthenticatedError,
    NotFoundError,
)
from mutant import Mutants, everywhere, wrap

mutants = Mutants()


# Targets


@mutants("HTTP-1", "takes dot segments in a target")
def takes_dot_segments() -> None:
    def check(old: Any, target: str) -> str:
        return old(target.replace("/../", "/x/").replace("/./", "/x/"))

    wrap(messages, "check_target", check)


@mutants("HTTP-1", "takes any escape in a path")
def takes_escapes() -> None:
    messages._TARGET = re.compile(
        r"(?P<path>(?:/(?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2})+)+|/)(?:\?(?P<query>[!-~]*))?\Z"
    )


@mutants("HTTP-1", "takes a closing slash")
def takes_a_closing_slash() -> None:
    wrap(messages, "check_target", lambda old, target: old(target.rstrip("/") or "/"))


@mutants("HTTP-1", "takes the absolute form of a target")
def takes_the_absolute_form() -> None:
    def check(old: Any, target: str) -> str:
        scheme, colon, rest = target.partition("://")
        return old("/" + rest.partition("/")[2] if colon else scheme)

    wrap(messages, "check_target", check)


@mutants("HTTP-1", "lets the last of two keys of a query win")
def takes_a_key_of_a_query_twice() -> None:
    def check(old: Any, target: str) -> str:
        path, _, _ = target.partition("?")
        return old(path)

    wrap(messages, "check_target", check)


@mutants("HTTP-1", "compares the keys of a query before they are decoded")
def compares_escaped_keys() -> None:
    messages.unquote_plus = lambda text: text  # type: ignore[assignment]


# Origins


@mutants("HTTP-2", "believes what a forwarded header says of its address")
def believes_forwarded_headers() -> None:
    async def told(request: web.Request) -> web.StreamResponse:
        answer = await owned_invite(request)
        host = request.headers.get("X-Forwarded-Host")
        if host and isinstance(answer, web.Response) and answer.body:
            found = json.loads(bytes(answer.body))  # type: ignore[arg-type]
            if "url" in found:
                found["url"] = f"https://{host}/i/" + found["url"].rpartition("/")[2]
                return messages.reply(found, status=201)
        return answer

    owned_invite = deciding.invite.handle
    _reroute("/owner/invitations", told)


def _reroute(path: str, handler: Any) -> None:
    server.ROUTES = tuple(  # type: ignore[misc]
        route._replace(handler=handler) if route.path == path else route for route in server.ROUTES
    )


@mutants("INV-2", "builds what was signed from Host")
def builds_the_target_from_host() -> None:
    messages._SIGNED = (*messages._SIGNED, "host")  # type: ignore[misc]

    def verify(old: Any, message: Any, key: Any, *, target_uri: str) -> None:
        host = message.headers.get("host")
        scheme, _, rest = target_uri.partition("://")
        path = "/" + rest.partition("/")[2]
        for uri in (target_uri, f"{scheme}://{host}{path}", f"https://{host}{path}"):
            try:
                return old(message, key, target_uri=uri)
            except FreeholdError as error:
                found = error
        raise found

    wrap(invocation.SignedMessage, "verify", verify)
    wrap(invocation.Invocation, "verify", verify)


# Bodies


@mutants("HTTP-3", "decompresses bodies")
def decompresses() -> None:
    old = messages.read_document

    def read(call: Any) -> Any:
        if call.body[:2] in (b"\x1f\x8b", b"x\x9c"):
            call = type(call)(
                method=call.method,
                target=call.target,
                headers=call.headers,
                body=zlib.decompressobj(47).decompress(call.body),
            )
        return old(call)

    everywhere(messages.read_document, read)


@mutants("HTTP-3", "takes a body of any declared type")
def takes_any_content_type() -> None:
    def read(_: Any, call: Any) -> Any:
        if call.body is None:
            raise MalformedError("a JSON body is missing")
        return encoding.parse_document(call.body, max_bytes=messages.MAX_OWNER_BODY_BYTES)

    wrap(messages, "read_document", read)


@mutants("HTTP-3", "takes a stranger's body of 16 MiB")
def takes_large_bodies() -> None:
    def read(old: Any, request: Any, *, most: int) -> Any:
        return old(request, most=messages.MAX_OWNER_BODY_BYTES)

    wrap(messages, "read_body", read)


@mutants("HTTP-3", "reads what has come when a body breaks off in time")
def waits_for_bodies_for_ever() -> None:
    messages.BODY_S = 3_600  # type: ignore[misc]


@mutants("HTTP-4", "waits a minute for a head")
def waits_for_heads() -> None:
    server.HEAD_S = 60.0  # type: ignore[misc]


@mutants("ENC-5", "lets the last of two members of one name win")
def duplicate_keys_win() -> None:
    wrap(encoding, "_refuse_duplicates", lambda _, pairs: dict(pairs))


@mutants("ENC-6", "takes NaN and Infinity for numbers")
def takes_nan() -> None:
    wrap(encoding, "_refuse_constant", lambda *_: 0.0)


@mutants("ENC-7", "measures how deep a document is a level too late")
def a_level_deeper() -> None:
    limits.MAX_DEPTH = 65  # type: ignore[misc]


@mutants("ENC-7", "allows ten times the members")
def ten_times_the_members() -> None:
    def bound(old: Any, value: Any, *, max_members: int = limits.MAX_MEMBERS) -> None:
        old(value, max_members=10 * max_members)

    wrap(encoding, "bound_members", bound)


@mutants("ENC-10", "takes marks and overrides of direction in texts")
def takes_overrides() -> None:
    form._SEEN_FORMAT.update("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")


@mutants("ENC-10", "takes a text that shows nothing")
def takes_blank_texts() -> None:
    everywhere(form._shows, lambda _: True)


@mutants("ENC-13", "passes over members that a body should not have")
def takes_more_members() -> None:
    def check(old: Any, document: Any, *, required: Any, optional: Any = ()) -> Any:
        if isinstance(document, dict):
            known = {name: value for name, value in document.items() if name in {*required, *optional}}
            return old(known, required=required, optional=optional)
        return old(document, required=required, optional=optional)

    wrap(form, "check_members", check)


@mutants("ENC-15", "takes true for 1")
def takes_true_for_one() -> None:
    wrap(form, "boolean", lambda _, value, what: bool(value))


@mutants("LIM-1", "allows a permission more than there may be")
def one_permission_more() -> None:
    limits.MAX_PERMISSIONS = 17  # type: ignore[misc]


@mutants("LIM-1", "allows a chain of eleven links")
def one_link_more() -> None:
    limits.MAX_CHAIN_LINKS = 11  # type: ignore[misc]


# Answers


@mutants("HTTP-5", "forgets that nobody may keep an answer, where there is no body")
def forgets_no_store() -> None:
    operation._NO_STORE = {}  # type: ignore[misc]


@mutants("HTTP-5", "writes JSON as it comes")
def json_as_it_comes() -> None:
    messages.jcs = lambda document: json.dumps(document).encode()  # type: ignore[assignment]


@mutants("HTTP-6", "tells the software in each answer")
def tells_its_software() -> None:
    async def strip(_: Any, response: Any) -> None:
        response.headers.pop("Date", None)

    everywhere(messages.strip_headers, strip)


@mutants("HTTP-6", "tells the clock to bytes that are no HTTP")
def tells_its_clock_to_noise() -> None:
    async def prepare(self: Any) -> None:
        await web.Response._prepare_headers(self)

    server._Unrouted._prepare_headers = prepare  # type: ignore[method-assign]


@mutants("HTTP-7", "leaves the code out of the header")
def no_code_in_the_header() -> None:
    def response(old: Any, status: int, code: str, detail: str) -> Any:
        made = old(status, code, detail)
        del made.headers[problems.CODE]
        return made

    wrap(problems, "problem_response", response)


@mutants("HTTP-7", "says in an error what was sent")
def echoes_what_was_sent() -> None:
    def problem(_: Any, error: FreeholdError, *, route: str) -> Any:
        found = error.__traceback__.tb_frame.f_locals if error.__traceback__ else {}
        request = found.get("request")
        sent = f"{request.raw_path} {dict(request.headers)}" if request is not None else ""
        return problems.problem_response(
            problems.status_of(type(error)), error.code, f"{error} {route} {sent}"
        )

    wrap(problems, "problem", problem)


@mutants("HTTP-7", "answers with members of its own")
def a_member_more() -> None:
    def response(old: Any, status: int, code: str, detail: str) -> Any:
        made = old(status, code, detail)
        made.body = json.dumps(json.loads(made.body) | {"instance": "x"}).encode()
        return made

    wrap(problems, "problem_response", response)


@mutants("HTTP-8", "answers another method as if the path were not there")
def no_405() -> None:
    def response(old: Any, status: int, code: str, detail: str) -> Any:
        return old(404, "not-found", detail) if status == 405 else old(status, code, detail)

    wrap(problems, "problem_response", response)


@mutants("ERR-4", "gives conflicts the status of a bad request")
def conflicts_are_400() -> None:
    problems.STATUS[errors.ConflictError] = 400


# Strangers


@mutants("HTTP-11", "tells a stranger that a grant is somebody else's")
def tells_whose_grant_it_is() -> None:
    async def vendor(request: web.Request, call: Any, grant_id: str) -> str:
        try:
            return await old(request, call, grant_id)
        except NotFoundError:
            await request.app[holding.INSPECTION].standing(grant_id)
            raise ControllerError("this grant is another's") from None

    old = holding._vendor
    everywhere(old, vendor)


@mutants("HTTP-11", "tells what a stranger looked for")
def says_what_is_missing() -> None:
    def problem(old: Any, error: FreeholdError, *, route: str) -> Any:
        made = problems.problem_response(problems.status_of(type(error)), error.code, str(error))
        return made if isinstance(error, NotFoundError) else old(error, route=route)

    wrap(problems, "problem", problem)


@mutants("HTTP-15", "says that an invitation was used")
def tells_used_invitations() -> None:
    async def receive(old: Any, self: Any, invitation: str, document: Any) -> Any:
        row = await self._store.read(lambda reader: reader.invitation(self._owner, invitation))
        if row is not None and row.request is not None:
            try:
                return await old(self, invitation, document)
            except NotFoundError:
                raise errors.ConflictError("this invitation was used") from None
        return await old(self, invitation, document)

    wrap(inbox.Inbox, "receive", receive)


@mutants("HTTP-20", "tells everyone how a request stands")
def tells_everyone_of_a_request() -> None:
    async def asked(*_: Any) -> None:
        return None

    inbox.Inbox.check_asked = asked  # type: ignore[method-assign]


@mutants("HTTP-26", "says to a stranger that a capability is good")
def strangers_revocations_are_told_apart() -> None:
    async def revoke(request: web.Request) -> web.StreamResponse:
        try:
            return await old(request)
        except NotFoundError:
            await request.app[holding.INSPECTION].standing(request.match_info["grant"])
            raise ControllerError("not yours") from None

    old = holding.revoke
    _reroute_all(old, revoke)


def _reroute_all(old: Any, new: Any) -> None:
    server.ROUTES = tuple(  # type: ignore[misc]
        route._replace(handler=new) if route.handler is old else route for route in server.ROUTES
    )


@mutants("HTTP-14", "says in its health how much there is")
def health_counts() -> None:
    async def health(request: web.Request) -> web.Response:
        told = await request.app[holding.INSPECTION].status_of_node()
        return messages.reply({"status": "ok", "records": told["records"]})

    _reroute("/healthz", health)


@mutants("HTTP-13", "names the node in its discovery document")
def discovery_names_the_node() -> None:
    async def discover(request: web.Request) -> web.Response:
        from freehold_node.api.open_routes import TEMPLATES, VERSIONS

        return messages.reply({"protocol": list(VERSIONS), "routes": TEMPLATES, "node": request.host})

    _reroute("/.well-known/freehold", discover)


# The owner


@mutants("HTTP-41", "tells a stranger which of the owner's paths there are")
def tells_the_owners_paths() -> None:
    @web.middleware
    async def through(request: web.Request, handler: Any) -> Any:
        return await handler(request)

    everywhere(operation.hide_owners_paths, through)


@mutants("HTTP-41", "takes any key's signature for the owner's")
def anybody_is_the_owner() -> None:
    async def owner(self: Any, call: Any, *, owner: str) -> None:
        try:
            self._prover.signer(call, tag=gate.TAG_OWNER)
        except FreeholdError as error:
            raise NotAuthenticatedError("not signed") from error

    gate.Gate.owner = owner  # type: ignore[method-assign]


@mutants("HTTP-41", "takes a signature of any kind for the owner's")
def any_tag_is_the_owners() -> None:
    async def owner(old: Any, self: Any, call: Any, *, owner: str) -> None:
        try:
            await old(self, call, owner=owner)
        except NotAuthenticatedError:
            signer = None
            for tag in (gate.TAG_DID, "zcap", "owner"):
                try:
                    signer = self._prover.signer(call, tag=tag)
                except FreeholdError:
                    continue
            if signer is None or signer.key != self._owner_key:
                raise

    wrap(gate.Gate, "owner", owner)


@mutants("HTTP-41", "reads a body before it asks who sent it")
def reads_before_it_asks() -> None:
    async def read(_: Any, request: web.Request) -> Any:
        call = await messages.read_call(request)
        if call.body is not None:
            messages.read_document(call)
        await request.app[operation.GATE].owner(call, owner=request.app[operation.OWNER])
        return call

    wrap(operation, "read_owned", read)


@mutants("HTTP-9", "takes an owner's message again")
def owners_messages_come_again() -> None:
    async def owner(old: Any, self: Any, call: Any, *, owner: str) -> None:
        try:
            await old(self, call, owner=owner)
        except errors.ReplayedError:
            return

    wrap(gate.Gate, "owner", owner)


@mutants("HTTP-44", "takes no passphrase for what gives")
def no_passphrase() -> None:
    async def check(*_: Any) -> None:
        return None

    everywhere(operation.check_passphrase, check)


@mutants("HTTP-44", "takes the passphrase for what takes away too")
def passphrase_for_everything() -> None:
    async def needs(*_: Any, **__: Any) -> bool:
        return True

    relations.Relations.needs_passphrase = needs  # type: ignore[method-assign]


@mutants("HTTP-43", "carries out a draft though the grant has changed since")
def drafts_outlive_versions() -> None:
    def commit(old: Any, tx: Any, standing: Any, draft: Any, **more: Any) -> Any:
        stands = changes.standing_grant(tx, standing)
        if draft.previous != stands.cid:
            now_s = more["now_us"] // 1_000_000
            draft = stands.changed(more["change"], nonce=more["ambient"].new_token(), created_s=now_s)
        return old(tx, standing, draft, **more)

    wrap(changes, "commit_change", commit)


@mutants("HTTP-68", "passes over what is too many in a body of the owner's")
def owners_bodies_have_more() -> None:
    takes_more_members()


# Updates


@mutants("HTTP-56", "matches a weak tag")
def weak_tags_match() -> None:
    old = condition.parse_if_match
    everywhere(old, lambda value: old(value.replace('W/"', '"') if value else value))


@mutants("HTTP-56", "looks at the first line of If-Match alone")
def first_line_alone() -> None:
    old = condition.parse_if_match
    everywhere(old, lambda value: old(value.split(", ")[0] if value else value))


@mutants("HTTP-56", "takes what is no tag for no condition")
def broken_conditions_are_none() -> None:
    old = condition.parse_if_match

    def parse(value: str | None) -> Any:
        try:
            return old(value)
        except MalformedError:
            return condition.NO_CONDITION

    everywhere(old, parse)


@mutants("HTTP-57", "compares the version before the transaction that writes")
def compares_too_early() -> None:
    async def edit(
        old: Any, self: Any, record_id: str, content: Any, *, previous: str, condition: Any
    ) -> Any:
        row = await self._store.read(lambda reader: reader.record(self._owner, record_id))
        if row is None:
            raise NotFoundError("no such record")
        condition.check(row.cid)
        if row.cid != previous:
            raise errors.ConflictError("changed since")
        await asyncio.sleep(0.01)
        row = await self._store.read(lambda reader: reader.record(self._owner, record_id))
        return await old(self, record_id, content, previous=row.cid, condition=gate_condition.NO_CONDITION)

    gate_condition = condition
    wrap(records.Records, "edit", edit)


@mutants("HTTP-58", "does not look at previous where there is a condition")
def previous_is_not_looked_at() -> None:
    async def edit(
        old: Any, self: Any, record_id: str, content: Any, *, previous: str, condition: Any
    ) -> Any:
        if condition.given:
            row = await self._store.read(lambda reader: reader.record(self._owner, record_id))
            previous = row.cid if row else previous
        return await old(self, record_id, content, previous=previous, condition=condition)

    wrap(records.Records, "edit", edit)


# Imports


@mutants("IMP-3", "imports what it shows in a preview")
def previews_import() -> None:
    async def preview(old: Any, self: Any, data: bytes, name: str, mapping: str | None) -> Any:
        shown = await old(self, data, name, mapping)
        await self.import_file(data, name, me=None, mapping=mapping)
        return shown

    wrap(records.Records, "preview", preview)


@mutants("IMP-6", "takes nobody for me where several are")
def me_is_not_looked_for() -> None:
    async def import_file(old: Any, self: Any, data: bytes, name: str, *, me: Any, mapping: Any) -> Any:
        del me
        return await old(self, data, name, me=None, mapping=mapping)

    wrap(records.Records, "import_file", import_file)


@mutants("IMP-2", "does not say what it leaves out")
def leaves_out_without_a_word() -> None:
    importing._skipped = lambda _: []  # type: ignore[assignment]
