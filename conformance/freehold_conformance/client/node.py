"""The pretended node: it answers as an honest one does, unless a situation has it lie.

Spec: specs/http.md
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import secrets
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final
from urllib.parse import parse_qsl

from ..hands import grant as grants
from ..hands import proof, released
from ..hands.encoding import Document, base64url, cid, from_xsd_time, sha256, strict_json
from ..hands.heard import Heard, hear
from .relation import Relation, signature_digest
from .server import Came, Reply, Server
from .told import chain_digests, event, links_of, matching_code, problem

_LONGEST_WAIT_S: Final = 30
_PAGE: Final = 50


class Refusal(Exception):  # noqa: N818 - an answer, not an error of the suite's
    """The honest answer is no, with this code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A request that came, and what it says if it is signed."""

    came: Came
    heard: Heard | None


@dataclass(slots=True)
class Lie:
    """Alters the answers to requests that match ``METHOD target``; ``left`` says how many more, None all."""

    where: re.Pattern[str]
    told: Callable[[Came, Reply], Reply]
    left: int | None = None


@dataclass(slots=True)
class PretendNode:
    """A node of one person, on loopback.

    Attributes:
        seen: Every request, in order.
        relation: That of the request that came last.
        twist: Alters a page or document before it is bound by its entry and sent.
        on_request: What the person does when a request has come in; approves, if nothing else is said.
    """

    seen: list[Seen] = field(default_factory=list)
    relation: Relation | None = None
    lies: list[Lie] = field(default_factory=list)
    twist: Callable[[Document], Document] | None = None
    on_request: Callable[[Relation], None] = lambda relation: relation.approve()
    refused_by_person: bool = False
    invitation: str = ""
    is_stopped: bool = False
    _server: Server | None = None
    _nonces: set[tuple[str, str]] = field(default_factory=set)
    _answers: dict[str, Reply] = field(default_factory=dict)
    _requests: dict[str, Relation] = field(default_factory=dict)
    _listeners: list[asyncio.Queue[bytes | None]] = field(default_factory=list)
    _codes: dict[str, str] = field(default_factory=dict)
    cursors: dict[str, tuple[int, int]] = field(default_factory=dict)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def origin(self) -> str:
        return self._server.origin if self._server is not None else ""

    @property
    def failure(self) -> Exception | None:
        """What went wrong in making an answer, if anything did."""
        return self._server.failure if self._server is not None else None

    async def start(self, host: str = "127.0.0.1") -> None:
        self._server = Server(self.answer, host=host)
        await self._server.start()
        self.invitation = self.new_invitation()

    async def stop(self) -> None:
        """Close the address; again does nothing."""
        if self._server is not None and not self.is_stopped:
            self.is_stopped = True
            await self._server.stop()

    def new_invitation(self) -> str:
        return f"{self.origin}/i/{secrets.token_urlsafe(24)}"

    def lie(self, where: str, told: Callable[[Came, Reply], Reply], *, times: int | None = None) -> None:
        """Alter answers from now on."""
        self.lies.append(Lie(re.compile(where), told, times))

    def requests(self, where: str) -> list[Seen]:
        """Return the requests that came for ``METHOD target``."""
        return [one for one in self.seen if re.search(where, f"{one.came.method} {one.came.target}")]

    @property
    def person(self) -> Relation:
        """Return the relationship at hand; there is one as soon as a request came."""
        if self.relation is None:
            raise RuntimeError("nobody has asked yet")
        return self.relation

    # Answers

    async def answer(self, came: Came) -> Reply:
        signed = came.header("signature-input") is not None or came.header("signature") is not None
        heard = hear(
            came.method, came.origin + came.target, came.headers, came.body, now_s=time.time()
        ) if signed else None  # fmt: skip
        self.seen.append(Seen(came=came, heard=heard))
        try:
            reply = await self._honest(came, heard)
        except Refusal as refusal:
            reply = problem(str(refusal))
        for lie in self.lies:
            if lie.left != 0 and lie.where.search(f"{came.method} {came.target}"):
                lie.left = None if lie.left is None else lie.left - 1
                reply = lie.told(came, reply)
        return reply

    async def _honest(self, came: Came, heard: Heard | None) -> Reply:
        path = came.path
        if came.method == "POST" and re.fullmatch(r"/i/[A-Za-z0-9_-]+", path):
            return self._asked(came)
        if heard is None:
            raise Refusal("not-found" if path != "/" else "malformed")
        self._check_message(heard)
        if found := re.fullmatch(r"/requests/([a-z0-9-]+)", path):
            return await self._followed(came, heard, found[1])
        relation = self.relation
        if relation is None or not relation.versions or not path.startswith(relation.path):
            raise Refusal("not-found")
        return self._of_grant(came, heard, relation, path.removeprefix(relation.path))

    def _check_message(self, heard: Heard) -> None:
        if heard.faults:
            raise Refusal("signature-invalid")
        if (heard.keyid, heard.nonce) in self._nonces:
            raise Refusal("replayed")
        self._nonces.add((heard.keyid, heard.nonce))

    def _asked(self, came: Came) -> Reply:
        request = _document(came.body)
        vendor = request.get("assignee", {}).get("id", "")
        if not proof.is_proven(request, vendor):
            raise Refusal("signature-invalid")
        known = self._answers.get(came.path + cid(request))
        if known is not None:
            return known
        url = self._take_in(request)
        told = {"status": "waiting", "request": url, "code": matching_code(request)}
        made = self._answers[came.path + cid(request)] = Reply.of(told, 202, location=url)
        return made

    def _take_in(self, request: Document) -> str:
        """Let the person decide on a request; return where it is followed."""
        self.relation = relation = Relation(request=request, origin=self.origin)
        number = str(uuid.uuid4())
        self._requests[number] = relation
        self.on_request(relation)
        return f"{self.origin}/requests/{number}"

    def carry(self, text: str) -> dict[str, str]:
        """Do what a person does with a form that their browser carried; return the query it comes back with."""
        request = strict_json(text.encode())
        url = self._take_in(request)
        back = {"freehold-request": url, "freehold-challenge": str(request["connect"]["challenge"])}
        if not self.refused_by_person:
            back["freehold-code"] = self._codes[url.rpartition("/")[2]] = secrets.token_urlsafe(24)
        return back

    def _is_claimed(self, came: Came, number: str) -> bool:
        """Whether the vendor may be told of an approval; the right code makes it so for good."""
        query = dict(parse_qsl(came.target.partition("?")[2]))
        if number in self._codes and query.get("code") == self._codes[number]:
            del self._codes[number]
        return number not in self._codes

    async def _followed(self, came: Came, heard: Heard, number: str) -> Reply:
        relation = self._requests.get(number)
        if relation is None or heard.did != relation.vendor or heard.tag != "freehold-did":
            raise Refusal("not-found")
        if not self._is_claimed(came, number):
            return Reply.of({"status": "waiting"})
        wait = re.fullmatch(r"wait=([0-9]{1,4})", came.header("prefer") or "")
        ends_s = time.monotonic() + (min(int(wait[1]), _LONGEST_WAIT_S) if wait else 0)
        while not relation.versions and not self.refused_by_person and time.monotonic() < ends_s:
            self.changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, ends_s - time.monotonic())):
                    await self.changed.wait()
        if self.refused_by_person:
            return Reply.of({"status": "refused", "reason": "Not now."})
        return Reply.of(relation.approval() if relation.versions else {"status": "waiting"})

    # What is under the grant's URL

    def _of_grant(self, came: Came, heard: Heard, relation: Relation, rest: str) -> Reply:
        if heard.tag == "zcap":
            self._check_chain(heard, relation, came)
        elif heard.did != relation.vendor:
            raise Refusal("not-found")
        query = dict(parse_qsl(came.target.partition("?")[2], keep_blank_values=True))
        if rest == "" and came.method == "GET":
            return Reply.of(self._versions(relation, query))
        if rest == "/renew" and came.method == "POST" and heard.tag == "freehold-did":
            _check_live(relation)
            return Reply.of({"capability": relation.issue()})
        if came.method == "POST" and (found := re.fullmatch(r"/zcaps/revocations/(.+)", rest)):
            return self._revoke(came, relation)
        if found := re.fullmatch(r"(?:/[a-z-]+)?/ledger/(.+)", rest):
            return self._ledger(relation, found[1], query)
        if heard.tag != "zcap":
            raise Refusal("malformed")
        return self._under_capability(came, heard, relation, rest, query)

    def _under_capability(
        self, came: Came, heard: Heard, relation: Relation, rest: str, query: dict[str, str]
    ) -> Reply:
        if found := re.fullmatch(r"(?:/([a-z0-9-]+))?/events", rest):
            _check_live(relation)
            return self._events(came)
        if found := re.fullmatch(r"/([a-z0-9-]+)", rest):
            return self._status(relation, found[1])
        found = re.fullmatch(r"/([a-z0-9-]+)/records(?:/(z[A-Za-z0-9]+))?", rest)
        if found is None or came.method not in ("GET", "HEAD"):
            raise Refusal("not-found")
        _check_live(relation)
        given = relation.permission(found[1])
        if given is None:
            raise Refusal("not-shared")
        if heard.did not in (relation.vendor, *given.get("recipients", [])):
            raise Refusal("wrong-controller")
        return self._read(came, heard, relation, found[1], found[2], query)

    def _check_chain(self, heard: Heard, relation: Relation, came: Came) -> None:
        leaf = heard.capability
        if leaf is None:
            raise Refusal("not-found")
        links = links_of(leaf)
        if links[0] not in relation.issued:
            raise Refusal("not-found")
        for parent, link in pairwise(links):
            if not proof.is_proven(link, parent["controller"], purpose="capabilityDelegation"):
                raise Refusal("not-found")
        if leaf["controller"] != heard.did:
            raise Refusal("wrong-controller")
        url = came.origin + came.path
        if url != leaf["invocationTarget"] and not url.startswith(leaf["invocationTarget"] + "/"):
            raise Refusal("wrong-target")
        if relation.revoked & set(chain_digests(leaf)):
            raise Refusal("revoked")
        if relation.serving.method != links[0]["proof"]["verificationMethod"]:
            raise Refusal("revoked")
        if min(from_xsd_time(link["expires"]) for link in links) <= time.time():
            raise Refusal("capability-expired")

    def _versions(self, relation: Relation, query: dict[str, str]) -> Document:
        told = relation.told()
        if "from" not in query:
            return told
        since = int(query["from"]) if query["from"].isdigit() else 0
        if not 1 <= since <= len(relation.versions):
            raise Refusal("malformed")
        del told["receipt"]
        return {"versions": relation.versions[since:], **told}

    def _status(self, relation: Relation, permission: str) -> Reply:
        told = {
            "status": grants.status(relation.standing, relation.serving, permission, created_s=time.time()),
            "servingKey": relation.serving.did,
            "log": relation.log.origin,
            "checkpoint": relation.log.note(relation.serving),
        }
        return Reply.of(told)

    def _revoke(self, came: Came, relation: Relation) -> Reply:
        links = links_of(_document(came.body))
        if links[0] not in relation.issued:
            raise Refusal("not-found")
        relation.revoked.add(chain_digests(links[-1])[-1])
        return Reply(status=204, headers={"cache-control": "no-store"})

    def _ledger(self, relation: Relation, rest: str, query: dict[str, str]) -> Reply:
        log, key = relation.log, relation.serving
        if rest == "checkpoint":
            since = query.get("from")
            if since is None:
                return Reply.of(log.head(key))
            if not since.isdigit() or not 1 <= int(since) <= log.size:
                raise Refusal("malformed")
            return Reply.of(log.head(key, int(since)))
        if found := re.fullmatch(r"entries/([0-9]{1,9})", rest):
            if int(found[1]) >= log.size:
                raise Refusal("not-found")
            return Reply.of(log.shown(int(found[1]), key))
        if rest == "entries":
            first = int(query.get("first", "0"))
            kept = ("number", "leaf", "entry", "salt")
            entries = [
                {name: value for name, value in log.shown(number, key).items() if name in kept}
                for number in range(first, min(log.size, first + int(query.get("limit", "100"))))
            ]
            return Reply.of({"entries": entries, "size": log.size, "checkpoint": log.note(key)})
        raise Refusal("not-found")

    # Reading

    def _read(
        self,
        came: Came,
        heard: Heard,
        relation: Relation,
        name: str,
        alias: str | None,
        query: dict[str, str],
    ) -> Reply:
        fields = query["fields"].split(",") if "fields" in query else None
        given = relation.permission(name) or {}
        allowed = given["items"][0]["fields"]
        if fields is not None and not set(fields) <= set(allowed):
            raise Refusal("not-shared")
        document = self._shown(relation, name, alias, fields, query)
        if self.twist is not None:
            document = self.twist(document)
        etag = f'"{base64url(sha256(json.dumps(document, sort_keys=True).encode()))}"'
        unchanged = came.header("if-none-match") == etag
        number = relation.admit(
            document,
            who=heard.did,
            chain=chain_digests(heard.capability or {}),
            permission=name,
            route="/g/{grant}/{permission}/records" + ("" if alias is None else "/{alias}"),
            method=came.method,
            fields=list(fields or allowed),
            signature=signature_digest(heard.signature),
            status=304 if unchanged else 200,
            raw_query=came.target.partition("?")[2],
        )
        made = Reply.of(document).headed(freehold_entry=str(number), etag=etag)
        if unchanged:
            return Reply(status=304, headers=made.headers)
        return made

    def _shown(
        self,
        relation: Relation,
        name: str,
        alias: str | None,
        fields: list[str] | None,
        query: dict[str, str],
    ) -> Document:
        shown = relation.shown(name, fields)
        if alias is None:
            return self._page(relation, _matching(shown, query), query)
        for one in shown:
            if one["id"] == f"urn:freehold:{alias}":
                return one
        raise Refusal("not-found")

    def _page(self, relation: Relation, shown: list[Document], query: dict[str, str]) -> Document:
        limit, first = int(query.get("limit", _PAGE)), 0
        if "cursor" in query:
            epoch, first = self.cursors.get(query["cursor"], (-1, 0))
            if epoch != relation.epoch:
                raise Refusal("cursor-stale")
        cursor = None
        if first + limit < len(shown):
            cursor = secrets.token_urlsafe(24)
            self.cursors[cursor] = (relation.epoch, first + limit)
        return released.page(shown[first : first + limit], key=relation.serving, cursor=cursor)

    # Events

    def _events(self, came: Came) -> Reply:
        relation = self.person
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._listeners.append(queue)
        if came.header("last-event-id") is None:
            queue.put_nowait(event("ready"))

        async def stream(writer: asyncio.StreamWriter) -> None:
            writer.write(Reply(headers={"content-type": "text/event-stream", "cache-control": "no-store",
                                        "transfer-encoding": "chunked"}).head_bytes())  # fmt: skip
            try:
                while (said := await queue.get()) is not None:
                    writer.write(f"{len(said):x}\r\n".encode() + said + b"\r\n")
                    await writer.drain()
                    if relation.state != "live" and queue.empty():
                        break
                writer.write(b"0\r\n\r\n")
                await writer.drain()
            finally:
                self._listeners.remove(queue)

        return Reply(raw=stream)

    def say(self, kind: str, permission: str | None = None) -> None:
        """Tell every listener."""
        for queue in self._listeners:
            queue.put_nowait(event(kind, permission))

    def hang_up(self) -> None:
        """Close every stream of events, without a word."""
        for queue in self._listeners:
            queue.put_nowait(None)

    @property
    def listeners(self) -> int:
        return len(self._listeners)


def _check_live(relation: Relation) -> None:
    if relation.state != "live":
        raise Refusal(f"grant-{relation.state}")


def _document(body: bytes) -> Document:
    try:
        found: Any = strict_json(body)
    except ValueError:
        raise Refusal("malformed") from None
    if not isinstance(found, dict):
        raise Refusal("malformed")
    return found


def _matching(shown: list[Document], query: dict[str, str]) -> list[Document]:
    wanted = json.loads(query["where"]) if "where" in query else {}
    return [one for one in shown if all(one.get(name) == value for name, value in wanted.items())]
