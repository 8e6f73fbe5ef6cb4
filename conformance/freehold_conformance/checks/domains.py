"""Vendors that a domain vouches for: where their document is looked for, what it must say, and what is not told."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import Callable
from typing import Any, Final

from ..cast.domain import Domain, Reply, Shop, document_of, domain, replying
from ..cast.stage import Stage
from ..check import Profile, Topic, expect, expect_equal, expect_problem, expect_status, object_of
from ..hands import receipt
from ..hands.edit import edited
from ..hands.encoding import Document, Json
from ..hands.keys import Key

topic = Topic(profile=Profile.DID_WEB)

_PAUSE_S: Final = 120


async def _wanted(stage: Stage) -> list[Document]:
    """Return permissions to ask for, on a record that all checks here share."""
    shown = await stage.once(
        "a record for domains", lambda: stage.person(name="Ada", email="ada@example.com")
    )
    return [shown.permission("delivery", ["name", "email"])]


async def _taken(stage: Stage, shop: Shop) -> None:
    """Check that a request of the vendor's is taken; it is refused then."""
    asked = await shop.ask(await _wanted(stage))
    await stage.owner.refuse(asked.id)


@topic.check("IDN-3", "IDN-13", "IDN-14", "HTTP-16", cases={"host": "", "path": ":shops:one"})
async def a_vendor_may_be_a_domain(stage: Stage, path: str) -> None:
    """A request of a did:web is verified by the document that stands where the DID says, looked up once."""
    async with domain() as at:
        shop = Shop.at(stage, at, path)
        vendor = await shop.relate(await _wanted(stage))
        expect_equal(len((await vendor.read("delivery"))["items"]), 1, "records on the page")
        expect_equal(len(at.asked), 1, "look-ups")
        where = "/.well-known/did.json" if not path else "/shops/one/did.json"
        expect_equal(at.asked[0].split("\r\n")[0], f"GET {where} HTTP/1.1", "what was asked for")
        told = object_of(await shop.by_did(vendor, "GET", ""))["receipt"]
        expect_equal(receipt.signers(told, vendor_key=shop.key.did), [receipt.DECISION], "who signed")
        expect_equal(told["versions"][0]["assigneeKey"], shop.key.did, "the key that asked, in the grant")


@topic.check("IDN-3")
async def a_vendor_is_shown_by_its_domain(stage: Stage) -> None:
    """The person is shown the domain, with port and path; that of one's own machine vouches for nothing."""
    async with domain() as at:
        shop = Shop.at(stage, at, ":shops:one")
        asked = await shop.ask(await _wanted(stage))
        shown = (await stage.owner.do("GET", f"/requests/{asked.id}"))["vendor"]
        named = {
            "id": shop.did,
            "name": "Conformance Shop",
            "vouched": False,
            "domain": f"{at.host}:{at.port}/shops/one",
        }
        expect_equal(shown, named, "the vendor")
        await stage.owner.refuse(asked.id)


@topic.check("IDN-19")
async def a_document_is_asked_for_plainly(stage: Stage) -> None:
    """Whoever fetches a document sends no cookie, no authorization, and asks for nothing compressed."""
    async with domain() as at:
        shop = Shop.at(stage, at)
        crumbs = replying(
            json.dumps(document_of(shop.did, shop.key)).encode(), headers=["Set-Cookie: a=b; Path=/"]
        )
        at.publish(shop.did, crumbs)
        for _ in range(2):
            await _taken(stage, shop)
        for head in at.asked:
            names = {
                line.partition(":")[0].lower(): line.partition(":")[2].strip()
                for line in head.split("\r\n")[1:]
            }
            sent = {
                "cookie",
                "authorization",
                "referer",
                "from",
                "forwarded",
                "x-forwarded-for",
                "via",
            } & names.keys()
            expect(not sent, f"headers {sorted(sent)}")
            encodings = names.get("accept-encoding", "identity")
            expect_equal(encodings, "identity", "Accept-Encoding")
            expect_equal(names["host"], f"{at.host}:{at.port}", "Host")


# What a document says


_Make = Callable[[str, Key], Json]


def _method(did: str, key: Key, **members: Json) -> Document:
    whole: Document = document_of(did, key)["verificationMethod"][0]
    return {**whole, **members}


_HOLDS: Final[dict[str, _Make]] = {
    "relative-names": lambda did, key: json.loads(json.dumps(document_of(did, key)).replace(f'"{did}#', '"#')),
    "the-older-type": lambda did, key: edited(document_of(did, key), "verificationMethod.0.type",
        "Ed25519VerificationKey2020"),
    "embedded": lambda did, key: {"id": did, **{use: [_method(did, key,
        id=f"{did}#key-1") if use == "assertionMethod" else f"{did}#key-2"] for use in ("assertionMethod",)},
        "verificationMethod": [_method(did, key, id=f"{did}#key-2")], "authentication": ["#key-2"],
        "capabilityInvocation": ["#key-2"]},
    "with-services": lambda did, key: document_of(did, key, service=[{"id": "#s", "type": "X",
        "serviceEndpoint": "https://a"}], alsoKnownAs=["https://a"]),
    "with-a-context": lambda did, key: {"@context": ["https://www.w3.org/ns/did/v1", "https://no.such/context"],
        **document_of(did, key)},
    "with-other-kinds-of-keys": lambda did, key: edited(document_of(did, key), "verificationMethod.1",
        {"id": "#jwk", "type": "JsonWebKey2020", "controller": did, "publicKeyJwk": {"kty": "EC"}}),
    "without-a-key-to-delegate": lambda did, key: document_of(did, key, capabilityDelegation=[]),
    "several-keys": lambda did, key: document_of(did, key, Key.fresh(), Key.fresh()),
    "a-long-document": lambda did, key: document_of(did, key, service=["x" * 60_000]),
}  # fmt: skip


@topic.check("IDN-15", "IDN-16", cases=_HOLDS)
async def what_a_document_may_say_is_taken(stage: Stage, make: _Make) -> None:
    """What in a document is not about Ed25519 keys is neither read nor refused; names may be relative."""
    async with domain() as at:
        shop = Shop.at(stage, at)
        at.publish(shop.did, make(shop.did, shop.key))
        await _taken(stage, shop)


_LISTED: Final[dict[str, tuple[_Make, int, str]]] = {
    "not-to-assert": (lambda did, key: document_of(did, key, assertionMethod=[]), 422, "unsupported"),
    "not-to-authenticate": (lambda did, key: document_of(did, key, authentication=[]), 422, "unsupported"),
    "not-to-invoke": (lambda did, key: document_of(did, key, capabilityInvocation=[]), 422, "unsupported"),
    "another-key-to-assert": (lambda did, key: document_of(did, key, Key.fresh(), assertionMethod=["#key-2"]), 401,
        "signature-invalid"),
    "another-key-under-its-name": (lambda did, key: document_of(did, Key.fresh(), key), 401, "signature-invalid"),
    "revoked": (lambda did, key: _beside(did, _method(did, key, revoked="2020-01-01T00:00:00Z")), 401,
        "signature-invalid"),
    "with-an-end": (lambda did, key: _beside(did, _method(did, key, expires="2999-01-01T00:00:00Z")), 401,
        "signature-invalid"),
    "embedded-elsewhere": (lambda did, key: {**document_of(did, key, Key.fresh(), assertionMethod=["#key-2"]),
        "keyAgreement": [_method(did, key, id="#key-9")]}, 401, "signature-invalid"),
}  # fmt: skip


def _beside(did: str, method: Document) -> Document:
    """Return a document that lists this method and a good one."""
    made: Document = edited(document_of(did, Key.fresh(), Key.fresh()), "verificationMethod.0", method)
    return made


@topic.check("IDN-16", "IDN-18", "REQ-18", "REQ-12", cases=_LISTED)
async def a_key_is_for_what_it_is_listed_under(stage: Stage, case: tuple[_Make, int, str]) -> None:
    """A key counts for what the document lists it under, under its name, and for nothing else."""
    make, status, code = case
    async with domain() as at:
        shop = Shop.at(stage, at)
        at.publish(shop.did, make(shop.did, shop.key))
        invitation = await stage.owner.invite()
        answer = await shop.post(await _wanted(stage), invitation)
        expect_problem(answer, status, code)
        shop.lists(shop.key)
        told = object_of(expect_status(await shop.post(await _wanted(stage), invitation), 202))
        await stage.owner.refuse(told["request"].rpartition("/")[2])


@topic.check("REQ-18", "REQ-12", "IDN-2", "PRF-13")
async def a_request_of_a_domain_is_signed_by_its_method(stage: Stage) -> None:
    """A request of a did:web is signed under a method of that DID; its key by itself is somebody else."""
    async with domain() as at, domain() as other:
        shop, stranger = Shop.at(stage, at), Shop.at(stage, other)
        wanted = await _wanted(stage)
        invitation = await stage.owner.invite()
        assignee = {"id": shop.did, "type": "Organization", "name": "Shop"}
        wrong = [
            stage.request(shop.key, wanted, assignee=assignee),
            stage.request(
                stranger.key, wanted, assignee=assignee, signing={"verificationMethod": stranger.method}
            ),
            stage.request(
                stranger.key, wanted, assignee=assignee, signing={"verificationMethod": shop.method}
            ),
            shop.signing(shop.key, "key-2").request(wanted),
            shop.signing(shop.key, "").request(wanted),
        ]
        for request in wrong:
            answer = await stage.post_request(invitation, request)
            expect_status(answer, 400, 401)
            expect_problem(answer, answer.status, "signature-invalid", "malformed")
        expect_equal(other.asked, [], "look-ups of another's document")
        expect_status(await shop.post(wanted, invitation), 202)
        await stage.owner.do("POST", "/revocations", {"vendor": shop.did})


@topic.check("REQ-18", "REQ-12", "IDN-21")
async def what_is_wrong_by_itself_is_worth_no_look(stage: Stage) -> None:
    """Everything else about a request is checked before its document is looked for; so is the invitation."""
    async with domain() as at:
        shop = Shop.at(stage, at)
        wanted = await _wanted(stage)
        invitation = await stage.owner.invite()
        zone = {"hours": {"days": ["Mo"], "from": "08:00", "to": "09:00", "timeZone": "Europe/Nowhere"}}
        made: list[tuple[Document, str]] = [
            (shop.request(wanted, created="2020-01-01T00:00:00Z"), "signature-stale"),
            (shop.request(wanted, expires="2020-01-01T00:00:00Z"), "request-incomplete"),
            (shop.request([{**wanted[0], "purpose": []}]), "request-incomplete"),
            (shop.request([{**wanted[0], "limits": zone}]), "malformed"),
            (shop.request([edited(wanted[0], "items.0.fields", ["noSuchTerm"])]), "undefined-term"),
            (edited(shop.request(wanted), "proof", []), "malformed"),
        ]
        for request, code in made:
            answer = await stage.post_request(invitation, request)
            expect_problem(answer, 401 if code == "signature-stale" else 400, code)
        expect_problem(await shop.post(wanted, "/i/" + "A" * 32), 404, "not-found")
        expect_equal(at.connections, 0, "connections to the domain")
        expect_status(await shop.post(wanted, invitation), 202)
        again = await shop.post(wanted, invitation)
        expect_problem(again, 404, "not-found")
        expect_equal(len(at.asked), 1, "look-ups")
        await stage.owner.do("POST", "/revocations", {"vendor": shop.did})


# What cannot be had


async def _slow(writer: asyncio.StreamWriter) -> None:
    for letter in b"HTTP/1.1 200 OK\r\n" * 3:
        writer.write(bytes([letter]))
        await writer.drain()
        await asyncio.sleep(1)


async def _hangs_up(writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _says_nothing(_: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


def _bytes(make: Callable[[str, Key], bytes]) -> Callable[[Domain, Shop], Reply]:
    return lambda _, shop: replying(make(shop.did, shop.key))


def _says(make: _Make) -> Callable[[Domain, Shop], Reply]:
    return _bytes(lambda did, key: json.dumps(make(did, key)).encode())


def _good(shop: Shop) -> bytes:
    return json.dumps(document_of(shop.did, shop.key)).encode()


_GONE: Final[dict[str, Callable[[Domain, Shop], Reply]]] = {
    "missing": lambda _, shop: replying(_good(shop), status="404 Not Found"),
    "failing": lambda _, shop: replying(_good(shop), status="500 Internal Server Error"),
    "accepted": lambda _, shop: replying(_good(shop), status="202 Accepted"),
    "redirected": lambda at, shop: replying(_good(shop), status="302 Found",
        headers=[f"Location: http://{at.host}:{at.port}/elsewhere"]),
    "compressed": lambda _, shop: replying(gzip.compress(_good(shop)), headers=["Content-Encoding: gzip"]),
    "too-large": lambda _, shop: replying(json.dumps(document_of(shop.did, shop.key, service=["x" * 70_000])).encode()),
    "said-to-be-large": lambda _, shop: replying(_good(shop), length=10**9),
    "broken-off": lambda _, shop: replying(_good(shop), length=len(_good(shop)) + 10),
    "slow": lambda *_: _slow,
    "silent": lambda *_: _says_nothing,
    "hanging-up": lambda *_: _hangs_up,
    "of-another-did": _says(lambda did, key: {**document_of(did, key), "id": "did:web:shop.example"}),
    "without-an-id": _says(lambda did, key: {name: one for name, one in document_of(did, key).items() if name != "id"}),
    "no-json": _bytes(lambda *_: b"<html>"),
    "an-array": _says(lambda did, key: [document_of(did, key)]),
    "a-key-twice": _bytes(lambda did, key: json.dumps(document_of(did, key)).encode().replace(b'"id"',
        b'"id": "x", "id"', 1)),
    "without-keys": _says(lambda did, _: {"id": did}),
    "another's-method": _says(lambda did, key: edited(document_of(did, key), "verificationMethod.0.controller",
        "did:web:shop.example")),
    "a-private-key": _says(lambda did, key: edited(document_of(did, key), "verificationMethod.0.secretKeyMultibase",
        "z3u2")),
    "one-name-for-two": _says(lambda did, key: edited(document_of(did, key), "verificationMethod.1", _method(did,
        Key.fresh()))),
    "an-undefined-method": _says(lambda did, key: document_of(did, key, authentication=["#key-1", "#key-7"])),
    "too-many-methods": _says(lambda did, key: document_of(did, *([key] + [Key.fresh() for _ in range(64)]))),
    "a-key-that-is-none": _says(lambda did, key: edited(document_of(did, key),
        "verificationMethod.0.publicKeyMultibase", "z6Mk")),
}  # fmt: skip


async def _no_texts() -> set[bytes]:
    return set()


async def _turns() -> asyncio.Semaphore:
    """Return what keeps this suite from asking for so many documents at once that the node makes them wait."""
    return asyncio.Semaphore(2)


@topic.check("IDN-20", "IDN-15", "IDN-17", "IDN-19", "HTTP-16", cases=_GONE)
async def what_cannot_be_had_is_one_refusal(stage: Stage, make: Callable[[Domain, Shop], Reply]) -> None:
    """What cannot be had, or does not hold, is did-unavailable, in one text and time; the invitation stays good."""
    async with await stage.once("turns to fail", _turns), domain() as at:
        shop = Shop.at(stage, at)
        at.publish(shop.did, make(at, shop))
        at.replies["/elsewhere"] = replying(_good(shop))
        wanted = await _wanted(stage)
        invitation = await stage.owner.invite()
        began = time.monotonic()
        answer = await shop.post(wanted, invitation)
        took = time.monotonic() - began
        expect_problem(answer, 503, "did-unavailable")
        expect_equal(answer.headers.get("retry-after"), str(_PAUSE_S), "Retry-After")
        expect(2.5 <= took <= 8, f"answered after {took:.1f} s")
        expect_equal(len(at.asked), 1, "look-ups")
        texts = await stage.once("what is said of documents that cannot be had", _no_texts)
        texts.add(answer.body)
        expect_equal(len(texts), 1, "different texts of the refusal")
        # Left alone for a while, even if it were better by now.
        shop.lists(shop.key)
        expect_problem(await shop.post(wanted, invitation), 503, "did-unavailable")
        expect_equal(at.connections, 1, "connections to the domain")
        other = stage.request(Key.fresh(), wanted)
        told = object_of(expect_status(await stage.post_request(invitation, other), 202))
        await stage.owner.refuse(told["request"].rpartition("/")[2])


@topic.check("IDN-20", slow=True)
async def what_could_not_be_had_can_come_again(stage: Stage) -> None:
    """After 120 s a host that failed is asked again, and the same request is taken at the same invitation."""
    async with domain() as at:
        shop = Shop.at(stage, at)
        at.replies.clear()
        request = shop.request(await _wanted(stage))
        invitation = await stage.owner.invite()
        expect_problem(await stage.post_request(invitation, request), 503, "did-unavailable")
        shop.lists(shop.key)
        await asyncio.sleep(_PAUSE_S - 10)
        expect_problem(await stage.post_request(invitation, request), 503, "did-unavailable")
        expect_equal(at.connections, 1, "connections to the domain")
        await asyncio.sleep(15)
        told = object_of(expect_status(await stage.post_request(invitation, request), 202))
        await stage.owner.refuse(told["request"].rpartition("/")[2])


_SPELLINGS: Final = (
    "did:web:Shop.example", "did:web:shop.example.", "did:web:shop.example%3A443", "did:web:shop.example%3a8443",
    "did:web:shop.example:8443%2Fa", "did:web:10.0.0.1", "did:web:169.254.169.254", "did:web:%5B%3A%3A1%5D",
        "did:web:0x7f000001",
    "did:web:2130706433", "did:web:127.1", "did:web:127.0.0.1%3A80", "did:web:shop.example:..",
        "did:web:shop.example::a",
    "did:web:shop.example:.a", "did:web:user%40shop.example", "did:web:shop.example%3A0",
        "did:web:shop.example%3A65536", "did:web:",
    "did:web:shop.example:a%2Fb", "did:web:-shop.example", "did:web:shop.1", "did:web:127.0.0.256",
)  # fmt: skip


@topic.check("IDN-12", cases={one: one for one in _SPELLINGS}, profile=Profile.CORE)
async def a_domain_has_one_spelling(stage: Stage, did: str) -> None:
    """A did:web of another spelling is malformed, and nothing is looked up; so no address stands behind a name."""
    key = Key.fresh()
    assignee: dict[str, Any] = {"id": did, "type": "Organization", "name": "Shop"}
    request = stage.request(
        key, await _wanted(stage), assignee=assignee, signing={"verificationMethod": f"{did}#key-1"}
    )
    began = time.monotonic()
    expect_problem(await stage.post_request(await stage.owner.invite(), request), 400, "malformed")
    expect(time.monotonic() - began < 2.5, "an answer that took as long as a look-up")


@topic.check(
    "IDN-19", "IDN-14", "IDN-20",
    profile=Profile.CORE, unless=Profile.DID_WEB, cases={"loopback": "", "a-name": "localhost"},
)  # fmt: skip
async def a_private_address_is_not_connected_to(stage: Stage, name: str) -> None:
    """A node that was not told to look up private hosts opens no connection to them, and says what it says of all."""
    async with domain("127.0.0.1" if name else None) as at:
        at.host = name or at.host
        shop = Shop.at(stage, at)
        invitation = await stage.owner.invite()
        answer = await shop.post(await _wanted(stage), invitation)
        expect_problem(answer, 503, "did-unavailable")
        nowhere = Shop(stage=stage, domain=at, did="did:web:no-such-host.invalid", key=Key.fresh())
        unknown = await nowhere.post(await _wanted(stage), invitation)
        expect_equal(
            (unknown.status, unknown.body),
            (answer.status, answer.body),
            "what is said of a name that is none",
        )
        expect_equal(at.connections, 0, "connections")
