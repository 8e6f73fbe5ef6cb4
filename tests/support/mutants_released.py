"""Faults in what leaves the node: documents, pages, cursors, tags, streams, and what would link two vendors."""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import hmac
import json
import secrets
from dataclasses import replace
from typing import Any

from freehold_node import events, gate, ledger, person_keys, sealing, shown, streams, view
from freehold_node.api import listening, reading
from freehold_node.store.sql import SqlTransactor
from freehold_node.view import _Showing
from freehold_protocol import limits, proof, released
from freehold_protocol.canonical import jcs
from freehold_protocol.checkpoint import Checkpoint, sign_checkpoint
from freehold_protocol.encoding import base64url_encode, multibase_encode, parse_json
from freehold_protocol.errors import CursorError
from freehold_protocol.keys import RelationshipKeys, SigningKey, hkdf_sha256
from mutant import Mutants, everywhere, wrap

mutants = Mutants()


# Projection


@mutants("REL-1", "shows the whole node where a path leads to one of its leaves")
def whole_nodes() -> None:
    wrap(released, "project", lambda old, content, fields, **more: old(
        content, [*fields, *_siblings(content, fields)], **more))  # fmt: skip


def _siblings(content: Any, fields: Any) -> list[str]:
    found = []
    for path in fields:
        first, _, rest = path.partition(".")
        inner = content.get(first)
        nodes = inner if isinstance(inner, list) else [inner]
        if rest:
            found += [
                f"{first}.{name}"
                for node in nodes
                if isinstance(node, dict)
                for name in node
                if name != "type"
            ]
    return found


@mutants("REL-2", "shows a node where a path ends at it")
def nodes_as_leaves() -> None:
    def project(old: Any, value: Any, tree: Any, alias: Any) -> Any:
        if isinstance(value, dict) and tree.ends and not tree.below:
            return value
        return old(value, tree, alias)

    wrap(released, "_project_value", project)


@mutants("REL-2", "leaves out what is false, zero or empty")
def falsy_is_nothing() -> None:
    def project(old: Any, value: Any, tree: Any, alias: Any) -> Any:
        return released._ABSENT if not value else old(value, tree, alias)

    wrap(released, "_project_value", project)


@mutants("REL-2", "shows of an array its first item only")
def first_item_only() -> None:
    def project(old: Any, value: Any, tree: Any, alias: Any) -> Any:
        return old(value[:1] if isinstance(value, list) else value, tree, alias)

    wrap(released, "_project_value", project)


@mutants("REL-4", "leaves out the type of inner nodes")
def untyped_nodes() -> None:
    def _untyped(value: Any) -> Any:
        if isinstance(value, list):
            return [_untyped(one) for one in value]
        if isinstance(value, dict):
            return {name: _untyped(one) for name, one in value.items() if name != "type"}
        return value

    wrap(released, "project", lambda old, *given, **more: {
        name: value if name == "type" else _untyped(value) for name, value in old(*given, **more).items()})  # fmt: skip


@mutants("REL-5", "replaces ids at the top of a document only")
def shallow_aliases() -> None:
    def project(old: Any, content: Any, fields: Any, *, alias: Any) -> Any:
        made = old(content, fields, alias=str)
        return {
            name: alias(value) if isinstance(value, str) and value.startswith("urn:uuid:") else value
            for name, value in made.items()
        }

    wrap(released, "project", project)


@mutants("REL-5", "replaces urn:uuid alone")
def uuids_only() -> None:
    released._OWNERS = ("urn:uuid:",)  # type: ignore[assignment, misc]


@mutants("REL-5", "replaces only what is a whole UUID")
def whole_uuids_only() -> None:
    def project(old: Any, value: Any, tree: Any, alias: Any) -> Any:
        if isinstance(value, str) and tree.ends and len(value) != 45:
            return value
        return old(value, tree, alias)

    wrap(released, "_project_value", project)


@mutants("REL-3", "shows all that is shared, whichever fields a read asks for")
def fields_unread() -> None:
    wrap(_Showing, "_asked", lambda old, self, fields: fields)


# Documents


def release_with(change: Any) -> None:
    """Change the members of every document before its version is made."""

    def release(old: Any, record_id: str, content: Any, **more: Any) -> Any:
        made = old(record_id, content, **more)
        body = {name: value for name, value in made.unsigned.items() if name != "version"}
        unsigned = change(body, record_id, content)
        return replace(made, unsigned=unsigned, canonical=jcs(unsigned))

    wrap(released, "release_document", release)


def versioned(body: Any, of: Any = None) -> Any:
    return {**body, "version": base64url_encode(hashlib.sha256(jcs(body if of is None else of)).digest())}


@mutants("REL-7", "makes the version of what is shown alone")
def version_of_the_content() -> None:
    def change(body: Any, *_: Any) -> Any:
        return versioned(
            body, {name: body[name] for name in body if name not in ("id", "issuer", "@context")}
        )

    release_with(change)


@mutants("REL-9", "makes the version of what is shown alone, so that two vendors see the same")
def version_links() -> None:
    version_of_the_content()


@mutants("REL-7", "adds when the document was made")
def dated_documents() -> None:
    release_with(lambda body, _, content: versioned(
        {**body, "dateModified": "2026-11-23"} if "worksFor" in content else body))  # fmt: skip


@mutants("REL-10", "adds where a record came from")
def source_told() -> None:
    release_with(lambda body, _, content: versioned(
        {**body, "source": {"type": "Person"}} if "knows" in content else body))  # fmt: skip


@mutants("REL-10", "names the record by a digest of its content")
def content_digest_told() -> None:
    def change(body: Any, _: str, content: Any) -> Any:
        digest = base64url_encode(hashlib.sha256(jcs(content)).digest())
        return versioned({**body, "knows": digest} if "knows" in content else body)

    release_with(change)


@mutants("REL-8", "gives the proof of a document a time")
def dated_proofs() -> None:
    wrap(proof, "sign_document", lambda old, document, key, **more: old(
        document, key, **{"created_s": 1_795_435_200, **more}))  # fmt: skip


@mutants("REL-8", "puts a random text into every page")
def nonce_in_pages() -> None:
    def page(old: Any, items: Any, **more: Any) -> Any:
        made = old(items, **more)
        unsigned = {**made.unsigned, "nonce": secrets.token_urlsafe(9)}
        return replace(made, unsigned=unsigned, canonical=jcs(unsigned))

    wrap(released, "release_page", page)


@mutants("HTTP-5", "sends what is not in canonical form")
def pretty_bodies() -> None:
    released.Released.sign = lambda self, key: json.dumps(self.signed(key), indent=1).encode()  # type: ignore[method-assign]


# Selection


def showing(change: Any) -> None:
    """Change which items of a permission show a record: ``change(items, permission, row, content, self, pins)``."""
    old = shown.items_showing

    def items(*given: Any) -> Any:
        return change(old(*given), *given)

    everywhere(old, items)


@mutants("HTTP-32", "shows of each record the fields of all items")
def items_poured_together() -> None:
    showing(lambda found, permission, *_: list(permission.items) if found else [])


@mutants("HTTP-32", "shows contacts under an item about the person, if they meet its condition")
def contacts_leave() -> None:
    def change(found: Any, permission: Any, row: Any, content: Any, own: Any, pins: Any) -> Any:
        return found or [
            item for item in permission.items
            if item.where and item.type == row.type and released.matches(content, item.where)
        ]  # fmt: skip

    showing(change)
    wrap(_Showing, "_candidates", lambda old, self, after: _everyone(self, after))


def _everyone(self: Any, after: int) -> Any:
    types = {item.type for item in self._permission.items}
    return self._reader.records(self._standing.owner, after=after, limit=1000, types=types)


@mutants("HTTP-32", "shows new records whatever was said of them")
def new_records_shown() -> None:
    def change(found: Any, permission: Any, row: Any, content: Any, own: Any, pins: Any) -> Any:
        return [
            item for item in permission.items
            if item.type == row.type and (item.about == "any" or row.id == own)
            and released.matches(content, item.where)
        ]  # fmt: skip

    showing(change)


@mutants("HTTP-32", "goes by what was selected at the approval, and does not look at the condition again")
def pins_are_for_good() -> None:
    def change(found: Any, permission: Any, row: Any, content: Any, own: Any, pins: Any) -> Any:
        return found or [
            item
            for number, item in enumerate(permission.items)
            if row.id in pins.get((permission.name, number), ())
        ]

    showing(change)


@mutants("GRA-14", "selects anew when a grant is narrowed")
def narrowing_selects() -> None:
    from freehold_node import changes

    wrap(changes, "_pins", lambda old, tx, owner, grant, *, before: old(tx, owner, grant, before=None))


@mutants("REL-6", "takes true for 1")
def true_is_one() -> None:
    everywhere(released._same, lambda value, wanted: value == wanted)


@mutants("REL-6", "finds texts without regard to case")
def caseless() -> None:
    def same(value: Any, wanted: Any) -> bool:
        if isinstance(value, str) and isinstance(wanted, str):
            return value.lower() == wanted.lower()
        return value == wanted and isinstance(value, bool) == isinstance(wanted, bool)

    everywhere(released._same, same)


@mutants("REL-6", "asks for one of several conditions")
def any_condition() -> None:
    def matches(content: Any, where: Any) -> bool:
        pairs = list(where)
        found = [
            any(released._same(leaf, wanted) for leaf in released.leaves(content, path))
            for path, wanted in pairs
        ]
        return not pairs or any(found)

    everywhere(released.matches, matches)


# Query and pages


@mutants("HTTP-35", "finds by what is not shown")
def condition_over_everything() -> None:
    wrap(_Showing, "page", lambda old, self: _with_all(old, self))


def _with_all(old: Any, self: Any) -> Any:
    project = released.project
    view.project = lambda content, fields, *, alias: content  # type: ignore[attr-defined]
    try:
        return old(self)
    finally:
        view.project = project  # type: ignore[attr-defined]


@mutants("HTTP-35", "passes over keys of a query that it does not know")
def unknown_keys_ignored() -> None:
    def parse(old: Any, name: str, alias: Any, query: str) -> Any:
        known = [
            part
            for part in query.split("&")
            if part.partition("=")[0] in ("fields", "where", "limit", "cursor")
        ]
        return old(name, alias, "&".join(known))

    wrap(reading, "parse_selection", parse)


@mutants("HTTP-35", "gives more than a hundred records if they are asked for")
def long_pages() -> None:
    limits.MAX_PAGE = 100_000  # type: ignore[misc]


@mutants("HTTP-36", "names the position in a cursor")
def plain_cursors() -> None:
    wrap(_Showing, "_seal_cursor", lambda old, self, after: base64url_encode(b"%032d" % after))

    def opened(old: Any, self: Any, text: str) -> int:
        try:
            return int(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except ValueError:
            raise CursorError("no cursor") from None

    wrap(_Showing, "_open_cursor", opened)


def bound_to(*names: str) -> None:
    """Bind cursors to these things only."""

    def asked_for(self: Any) -> bytes:
        selection = self._selection
        whole = {
            "grant": self._standing.grant, "epoch": self._standing.epoch, "permission": selection.permission,
            "fields": list(selection.fields or ("*",)), "where": dict(selection.where),
        }  # fmt: skip
        return jcs([whole[name] for name in names])

    _Showing._asked_for = asked_for  # type: ignore[method-assign]


@mutants("HTTP-36", "takes a cursor of another epoch")
def cursors_without_epoch() -> None:
    bound_to("grant", "permission", "fields", "where")


@mutants("HTTP-36", "takes a cursor of another permission")
def cursors_without_permission() -> None:
    bound_to("grant", "epoch", "fields", "where")


@mutants("HTTP-36", "takes a cursor of other fields")
def cursors_without_fields() -> None:
    bound_to("grant", "epoch", "permission", "where")


@mutants("HTTP-36", "takes a cursor of another condition")
def cursors_without_condition() -> None:
    bound_to("grant", "epoch", "permission", "fields")


@mutants("HTTP-36", "seals all cursors with one key")
def one_cursor_key() -> None:
    wrap(
        sealing,
        "seal",
        lambda old, key, plain, *, bound, nonce=None: old(bytes(32), plain, bound=b"", nonce=nonce),
    )
    wrap(sealing, "open_sealed", lambda old, key, text, *, bound: old(bytes(32), text, bound=b""))


@mutants("HTTP-36", "begins the next page with the last record of the one before")
def overlapping_pages() -> None:
    wrap(_Showing, "_seal_cursor", lambda old, self, after: old(self, after - 1))


@mutants("HTTP-36", "says that more follow when the last page is full")
def next_at_the_end() -> None:
    wrap(released, "release_page", lambda old, items, *, next_cursor, **more: old(
        items, next_cursor=next_cursor or ("A" * 64 if len(items) in (27, 50) else None), **more))  # fmt: skip


# Tags


def known_tag(change: Any) -> None:
    """Change what a request says in If-None-Match before it is compared."""

    def admit(old: Any, self: Any, call: Any, *, known_etag: Any, **more: Any) -> Any:
        return old(self, call, known_etag=change(known_etag) if known_etag else known_etag, **more)

    wrap(gate.Gate, "admit", admit)


@mutants("HTTP-31", "takes a weak tag for a strong one")
def weak_tags() -> None:
    known_tag(lambda tag: tag.removeprefix("W/"))


@mutants("HTTP-31", "looks at the first tag of a list")
def first_tag_of_a_list() -> None:
    known_tag(lambda tag: tag.partition(",")[0].strip())


@mutants("HTTP-31", "gives the same tag for all fields and for some")
def tag_of_the_records() -> None:
    def make(old: Any, *given: Any) -> Any:
        made = old(*given)
        made.etag = f'"{hashlib.sha256(b"%d" % made.records_version).hexdigest()}"'
        return made

    wrap(view, "make_view", make)


@mutants("HTTP-31", "does not name the entry of what was not sent again")
def entry_of_304_unnamed() -> None:
    async def read(old: Any, request: Any) -> Any:
        answer = await old(request)
        if answer.status == 304:
            del answer.headers["Freehold-Entry"]
        return answer

    old = reading.read_records

    async def made(request: Any) -> Any:
        return await read(old, request)

    _route(old, made)


def _route(old: Any, new: Any) -> None:
    from freehold_node.api import routes

    table = tuple(one._replace(handler=new) if one.handler is old else one for one in routes.ROUTES)
    everywhere(routes.ROUTES, table)


# Two vendors


@mutants("IDN-10", "makes aliases without the relationship's key")
def common_aliases() -> None:
    wrap(RelationshipKeys, "alias_of", lambda old, self, one: multibase_encode(
        hmac.digest(b"one key for everyone", one.encode(), hashlib.sha256)))  # fmt: skip


@mutants("IDN-9", "has one serving key for all relationships")
def common_serving_key() -> None:
    _common("serving")


@mutants("IDN-9", "has one decision key for all relationships")
def common_decision_key() -> None:
    _common("decision")


def _common(name: str) -> None:
    def derive(old: Any, self: Any, relationship: str, key_epoch: int) -> Any:
        key: Any = SigningKey(hkdf_sha256(self._seed, info=f"{name} {key_epoch}".encode()))
        return replace(old(self, relationship, key_epoch), **{name: key})

    wrap(person_keys.PersonKeys, "_derive", derive)


@mutants("IDN-11", "tells the same mark of its generation to everybody")
def common_mark() -> None:
    wrap(person_keys.PersonKeys, "generation_tag", lambda old, self, *_: multibase_encode(
        hkdf_sha256(self._seed, info=b"%d" % self.generation)))  # fmt: skip


@mutants("IDN-9", "gives a digest of the record's id, packed among noise, for the version of a document")
def packed_ids() -> None:
    def change(body: Any, record_id: str, _: Any) -> Any:
        noise = {"a": secrets.token_hex(5), "b": [hashlib.sha256(record_id.encode()).hexdigest()]}
        return {**body, "version": base64url_encode(gzip.compress(json.dumps(noise).encode()))}

    release_with(change)


@mutants("IDN-9", "makes tags of the content alone")
def common_tags() -> None:
    def make(old: Any, *given: Any) -> Any:
        made = old(*given)
        body = parse_json(made.released.canonical)
        kept = ("id", "issuer", "version", "proof", "next")
        said = [{name: one[name] for name in one if name not in kept} for one in body.get("items", [body])]
        made.etag = f'"{base64url_encode(hashlib.sha256(jcs(said)).digest())}"'
        return made

    wrap(view, "make_view", make)


@mutants("IDN-9", "names all ledgers by the person")
def common_ledger() -> None:
    def checkpoint(standing: Any, grant: Any, key: Any) -> str:
        origin = "freehold/ledger/" + base64url_encode(hashlib.sha256(standing.owner.encode()).digest())
        return sign_checkpoint(Checkpoint(origin=origin, size=standing.log_size, root=bytes(range(32))), key)

    everywhere(ledger.checkpoint, checkpoint)


@mutants("IDN-9", "numbers the events of all grants alike")
def common_events() -> None:
    wrap(streams._Sealing, "seal", lambda old, self, position: base64url_encode(
        hashlib.sha256(b"%d" % position).digest()))  # fmt: skip


@mutants("HTTP-6", "says in a header how many records there are")
def header_of_its_own() -> None:
    old = reading.read_records

    async def made(request: Any) -> Any:
        answer = await old(request)
        answer.headers["Last-Modified"] = "Mon, 23 Nov 2026 12:00:00 GMT"
        return answer

    _route(old, made)


# Streams


@mutants("HTTP-49", "tells of a change at once")
def told_at_once() -> None:
    everywhere(events._delay_us, lambda _: 0)


@mutants("HTTP-49", "tells a stream that goes on what is not due yet")
def early_for_who_goes_on() -> None:
    def look(old: Any, self: Any, reader: Any, *, listener: Any, position: Any, last_id: Any) -> Any:
        if last_id is None:
            return old(self, reader, listener=listener, position=position, last_id=last_id)
        due = events.due_in_order
        streams.due_in_order = lambda rows, now_us: due(rows, now_us + 10**10)  # type: ignore[attr-defined]
        try:
            return old(self, reader, listener=listener, position=position, last_id=last_id)
        finally:
            streams.due_in_order = due  # type: ignore[attr-defined]

    wrap(streams.Streams, "_look_in", look)


@mutants("HTTP-50", "tells of a new version as late as of a change")
def versions_late() -> None:
    wrap(events, "note_version", lambda old, tx, owner, grant, *, now_us: old(
        tx, owner, grant, now_us=now_us + 200_000_000))  # fmt: skip


@mutants("HTTP-51", "begins with ready where it does not know the id")
def ready_for_garbage() -> None:
    def said(event: Any) -> Any:
        return replace(event, kind="ready") if event.kind == "reset" else event

    wrap(listening, "to_wire", lambda old, told: old([said(event) for event in told]))


@mutants("HTTP-51", "takes the id of another path")
def ids_of_any_path() -> None:
    def init(old: Any, self: Any, keys: Any, ambient: Any, standing: Any, permission: Any) -> None:
        old(self, keys, ambient, standing, None)

    wrap(streams._Sealing, "__init__", init)


@mutants("HTTP-51", "forgets what was missed")
def missed_is_missed() -> None:
    wrap(streams._Sealing, "open", lambda old, self, text, *, newest: (
        newest if old(self, text, newest=newest) is not None else None))  # fmt: skip


@mutants("HTTP-47", "sends the data first")
def data_first() -> None:
    def wire(old: Any, told: Any) -> bytes:
        lines = old(told).decode().removesuffix("\n\n").split("\n")
        return ("\n".join([lines[-1], *lines[:-1]]) + "\n\n").encode()

    wrap(listening, "to_wire", wire)


@mutants("HTTP-47", "ends lines as HTTP does")
def crlf_events() -> None:
    wrap(listening, "to_wire", lambda old, told: old(told).replace(b"\n", b"\r\n"))


@mutants("HTTP-46", "writes an entry for a stream")
def streams_are_reads() -> None:
    def listen(old: Any, self: Any, call: Any, *, grant: str, permission: Any) -> Any:
        return _listen(old, self, call, grant, permission)

    wrap(gate.Gate, "listen", listen)


async def _listen(old: Any, self: Any, call: Any, grant: str, name: Any) -> Any:
    found = await old(self, call, grant=grant, permission=name)

    def write(tx: Any) -> None:
        standing = tx.standing(found.holder.owner, grant)
        ledger.note_refusal(
            tx, standing, who=found.holder.did, chain=found.holder.chain.digests,
            controllers=found.holder.seen_by, known=True, code="unavailable", permission=name,
            now_us=self._ambient.clock.now_us(), random_bytes=self._ambient.random_bytes,
        )  # fmt: skip

    await self._store.write(write)
    return found


@mutants("HTTP-46", "lets a partner listen to the whole grant")
def partners_hear_all() -> None:
    def check(old: Any, reader: Any, standing: Any, version: Any, listener: Any) -> None:
        if listener.permission is not None:
            old(reader, standing, version, listener)

    wrap(gate, "_check_heard", check)


@mutants("HTTP-53", "goes on listening after the grant was paused")
def deaf_to_pauses() -> None:
    def listens(old: Any, self: Any, reader: Any, listener: Any) -> Any:
        standing = reader.standing(listener.holder.owner, listener.holder.grant)
        return standing, self._versions.standing(reader, standing, committed=True)

    wrap(gate.Gate, "still_listens", listens)


@mutants("HTTP-54", "opens five streams for a holder")
def five_streams() -> None:
    limits.MAX_HOLDER_STREAMS = 5  # type: ignore[misc]


@mutants("HTTP-54", "opens any number of streams under a grant")
def any_number_of_streams() -> None:
    limits.MAX_GRANT_STREAMS = 10**6  # type: ignore[misc]


@mutants("HTTP-54", "counts a stream until the node stops")
def streams_counted_for_good() -> None:
    from contextlib import contextmanager

    kept: list[Any] = []

    def opened(old: Any, self: Any, listener: Any) -> Any:
        @contextmanager
        def forever() -> Any:
            kept.append(old(self, listener))
            yield kept[-1].__enter__()

        return forever()

    wrap(streams.Streams, "open", opened)


# A crash


@mutants("INV-9", "keeps nonces in memory")
def forgetful_of_nonces() -> None:
    seen: set[bytes] = set()

    def use(old: Any, self: Any, owner: str, digest: bytes, *, expires_us: int) -> bool:
        known = digest in seen
        seen.add(digest)
        return not known

    wrap(SqlTransactor, "use_nonce", use)


@mutants("INV-21", "has the same session key at every start")
def same_session() -> None:
    from freehold_node import app

    wrap(app, "open_node", lambda old, config, keys, **more: _with_session(old, config, keys, **more))


def _with_session(old: Any, config: Any, keys: Any, **more: Any) -> Any:
    node = old(config, keys, **more)
    node.session_key = SigningKey(bytes(32))
    return node


@mutants("LED-9", "counts refusals in memory")
def forgetful_of_refusals() -> None:
    seen: set[tuple[str, ...]] = set()

    def count(old: Any, self: Any, owner: str, row: Any) -> bool:
        key = (row.grant, row.capability, row.code, str(row.hour_us))
        fresh = key not in seen
        seen.add(key)
        old(self, owner, row)
        return fresh

    wrap(SqlTransactor, "count_refusal", count)


@mutants("HTTP-37", "answers a read before its entry is written")
def entry_afterwards() -> None:
    def admit(old: Any, self: Any, call: Any, **more: Any) -> Any:
        return _late(old, self, call, **more)

    wrap(gate.Gate, "admit", admit)


async def _late(old: Any, self: Any, call: Any, **more: Any) -> Any:
    """Decide at once, on paper, and write half a second later."""
    holder = await self._prover.holder(call, grant=more["grant"])
    waiting = asyncio.ensure_future(_written(old, self, call, more))
    done, _ = await asyncio.wait({waiting}, timeout=0.0)
    known = self._views.known(more["grant"], more["selection"])
    if known is None or done:
        return await waiting

    def look(reader: Any) -> Any:
        standing = reader.standing(holder.owner, holder.grant)
        threshold_check(standing, self)
        version = self._versions.standing(reader, standing, committed=True)
        return gate.Admission(number=standing.log_size, version=version, view=known, unchanged=False)

    return await self._store.read(look)


async def _written(old: Any, self: Any, call: Any, more: Any) -> Any:
    if self._views.known(more["grant"], more["selection"]) is not None:
        await asyncio.sleep(0.5)
    return await old(self, call, **more)


def threshold_check(standing: Any, self: Any) -> None:
    from freehold_node import threshold

    threshold.check_live(standing, self._ambient.clock.now_us())
