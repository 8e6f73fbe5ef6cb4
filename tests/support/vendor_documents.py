"""A small relationship made of protocol documents alone, for what a vendor does without a network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from freehold_protocol.capability import Capability, delegate
from freehold_protocol.checkpoint import Checkpoint, sign_checkpoint
from freehold_protocol.encoding import Document, base64url_encode, parse_document
from freehold_protocol.entry import Admitted, Changed
from freehold_protocol.grant import Grant, draft_grant
from freehold_protocol.keys import SigningKey
from freehold_protocol.ledger import entry_leaf, query_digest, released_digest
from freehold_protocol.merkle import root_of
from freehold_protocol.permission import Permission
from freehold_protocol.proof import sign_document
from freehold_protocol.released import release_document, release_page
from freehold_protocol.request import Request, sign_request
from freehold_vendor.delegation import Delegation
from freehold_vendor.held import HeldDelegation, HeldRequest
from freehold_vendor.release import Selection, Sent
from harness import permission

NOW_S = 1_795_435_200
BASE = "https://node.example"
SHOP, PARTNER = SigningKey(bytes([1]) * 32), SigningKey(bytes([2]) * 32)
DECISION, SERVING = SigningKey(bytes([3]) * 32), SigningKey(bytes([4]) * 32)
GRANT = "11111111-2222-4333-8444-555555555555"
ROOT = f"{BASE}/g/{GRANT}"
LOG = "freehold/ledger/" + "L" * 43
GIVEN = (Permission.from_dict(permission("delivery", ["name"], recipients=[PARTNER.did])),)
SALT = bytes([5]) * 32
SIGNATURE = base64url_encode(bytes([6]) * 32)


@lru_cache
def request() -> Request:
    return sign_request(
        SHOP,
        request_id="urn:uuid:22222222-2222-4333-8444-555555555555",
        nonce="n" * 32,
        name="Shop",
        permissions=GIVEN,
        created_s=NOW_S,
        expires_s=NOW_S + 86_400 * 30,
    )


@lru_cache
def versions() -> tuple[Grant, Grant]:
    first = draft_grant(
        request(),
        grant_id=GRANT,
        nonce="n" * 32,
        decision_key=DECISION.public,
        serving_key=SERVING.public,
        origins=(BASE,),
        log=LOG,
        created_s=NOW_S,
        not_before_s=NOW_S,
        expires_s=NOW_S + 86_400 * 30,
        permissions=GIVEN,
    ).signed(DECISION)
    return first, first.changed("pause", nonce="m" * 32, created_s=NOW_S + 60).signed(SERVING)


@lru_cache
def capability() -> Capability:
    return delegate(
        SERVING,
        capability_id="urn:uuid:33333333-2222-4333-8444-555555555555",
        controller=SHOP.public,
        target=ROOT,
        actions=("read",),
        created_s=NOW_S,
        expires_s=NOW_S + 86_400,
    )


@lru_cache
def delegation() -> Delegation:
    child = delegate(
        SHOP,
        capability_id="urn:uuid:44444444-2222-4333-8444-555555555555",
        controller=PARTNER.public,
        target=ROOT + "/delivery",
        actions=("read",),
        created_s=NOW_S,
        expires_s=NOW_S + 3600,
        parent=capability(),
    )
    return Delegation(permission="delivery", capability=child, serving_key=SERVING.public, log=LOG)


@dataclass(frozen=True)
class Read:
    """One read and its ledger of two entries: the approval, and the read itself."""

    sent: Sent
    page: Document
    document: Document
    shown: Document
    note: str


@lru_cache
def read() -> Read:
    """A read of a page, what came, and what the ledger shows of it."""
    selection = Selection(permission="delivery", limit=5)
    chain = tuple(link.verify()[1] for link in capability().links)
    sent = Sent(selection=selection, method="GET", who=SHOP.did, chain=chain, signature=SIGNATURE)
    one = release_document(
        "urn:uuid:x", {"type": "Person", "name": "Ada"}, fields=("name",), key=SERVING, alias=lambda _: "zAda"
    )
    document = parse_document(one.sign(SERVING))
    page = release_page([document], fields=("name",), key=SERVING, next_cursor=None)
    approved = Changed(number=0, time_s=NOW_S, change="approve", grant=versions()[0].cid, version=1, epoch=1)
    admitted = Admitted(
        number=1, time_s=NOW_S, who=SHOP.did, chain=chain, action="read", permission="delivery",
        route="/g/{grant}/{permission}/records", method="GET", fields=("name",), count=1, version=1,
        query=query_digest(SALT, selection.query), signature=SIGNATURE,
        released=released_digest(SALT, page.canonical),
    )  # fmt: skip
    leaves = [entry_leaf(approved.to_dict(), SALT), entry_leaf(admitted.to_dict(), SALT)]
    note = sign_checkpoint(Checkpoint(origin=LOG, size=2, root=root_of(leaves)), SERVING)
    shown: Document = {
        "number": 1,
        "leaf": base64url_encode(leaves[1]),
        "entry": admitted.to_dict(),
        "salt": base64url_encode(SALT),
        "size": 2,
        "proof": [base64url_encode(leaves[0])],
        "checkpoint": note,
    }
    return Read(sent, parse_document(page.sign(SERVING)), document, shown, note)


@lru_cache
def status() -> Document:
    """What a node tells a partner."""
    unsigned: Document = {
        "@context": "https://w3id.org/freehold/v1",
        "type": "GrantStatus",
        "grant": f"urn:uuid:{GRANT}",
        "version": 1,
        "state": "live",
        "expires": "2026-12-23T12:00:00Z",
        "permission": [GIVEN[0].to_dict()],
    }
    return sign_document(unsigned, SERVING, created_s=NOW_S)


def granted(*, versions: int = 1) -> HeldRequest:
    held = HeldRequest(
        request=request(),
        invitation=f"{BASE}/i/invitation",
        status_url=f"{BASE}/requests/1",
        versions=_versions(versions),
        origin=BASE,
        capability=capability(),
        checkpoint=read().note,
    )
    return replace(held, renounced=versions == 2)


def _versions(number: int) -> tuple[Grant, ...]:
    return versions()[:number]


def delegated() -> HeldDelegation:
    return HeldDelegation(delegation=delegation(), status=status(), checkpoint=read().note)
