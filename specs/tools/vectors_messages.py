"""Vectors of whole requests that revoke, and of those that a DID or the owner signs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from cases import Case, Json, Operation, refused, valid
from craft import GONE, Document, Key, but, jcs
from craft_http import NONCE, ezcap, signed
from scene import (
    CAPABILITY,
    DELEGATED,
    GRANT_UUID,
    ORIGIN,
    PARTNER,
    ROOT_TARGET,
    SERVING,
    SHOP,
    STRANGER,
    VENDOR,
    capability,
    root_id,
)
from vectors_identity import shop_document
from vectors_invocation import _WHOLE, NOW, READ


def _revocations() -> Iterator[Case]:
    path = f"/g/{GRANT_UUID}/zcaps/revocations/"

    def case(
        code: str,
        requirements: str,
        name: str,
        *,
        key: Key = VENDOR,
        of: Document = DELEGATED,
        root: str | None = None,
        action: str = "write",
        target: str | None = None,
        body: str | None = None,
        form: str = "ezcap",
        **how: Any,
    ) -> Case:
        where = target or path + of["id"].replace(":", "%3A")
        invocation = f'zcap id="{root or root_id(ORIGIN + where)}",action="{action}"'
        text = body if body is not None else jcs(of).decode()
        if form == "ezcap":
            message = ezcap(key, where, invocation, method="POST", body=text, **how)
        else:
            message = signed(key, where, tag="zcap", invocation=invocation, method="POST", body=text, **how)
        given = {
            "message": message,
            "origin": ORIGIN,
            "rootTarget": ROOT_TARGET,
            "rootKey": SERVING.did,
            "now": NOW,
        }
        digest = {"revoked": DELEGATED["id"]} if of is DELEGATED else None
        return (
            valid(requirements, name, digest, **given)
            if code == "valid"
            else refused(code, requirements, name, **given)
        )

    yield case("valid", "INV-11 CAP-28 HTTP-26", "by the vendor, of what it delegated")
    yield case("valid", "INV-11 CAP-28", "the same, signed by RFC 9421", form="rfc9421")
    yield case("valid", "CAP-28 CAP-29", "by its own controller, who renounces", key=PARTNER)
    yield case("valid", "CAP-28", "by the root's controller", key=SERVING)
    yield case("valid", "CAP-28", "by the vendor, of its own", of=CAPABILITY)
    yield case("not-found", "CAP-28 HTTP-26", "by a stranger", key=STRANGER)
    yield case("not-found", "CAP-28 HTTP-26", "by the partner, of the vendor's", key=PARTNER, of=CAPABILITY)
    forged = capability(key=STRANGER)
    yield case("not-found", "HTTP-26", "of a capability that the node did not issue", key=VENDOR, of=forged)
    yield case("wrong-target", "HTTP-26 INV-11", "under the root of the grant", root=root_id(ROOT_TARGET))
    yield case(
        "wrong-target",
        "HTTP-26 INV-11",
        "under the root of another capability's revocation",
        root=root_id(ORIGIN + path + "urn%3Auuid%3A1"),
    )
    yield case("wrong-action", "HTTP-26", "for another action", action="read")
    yield case(
        "malformed",
        "HTTP-26",
        "another id in the path than in the body",
        target=path + CAPABILITY["id"].replace(":", "%3A"),
    )
    yield case(
        "malformed",
        "INV-11 CAP-1",
        "under a root in another spelling",
        root=root_id(ORIGIN + path + DELEGATED["id"].replace(":", "%3A")).replace("%3A", "%3a"),
    )
    yield case("malformed", "CAP-2 HTTP-26", "of what is no capability", body="{}")
    yield case(
        "signature-invalid",
        "INV-16",
        "of another body than was signed",
        sent={"body": jcs(CAPABILITY).decode()},
    )


def _by_did() -> Iterator[Case]:
    target = "/requests/5d1f0c7e-91aa-4d0c-8a43-7c2b9be5f610"

    def case(code: str, requirements: str, name: str, message: str, **given: Json) -> Case:
        given = {
            "message": message,
            "origin": ORIGIN,
            "tag": "freehold-did",
            "did": VENDOR.did,
            "now": NOW,
        } | given
        return (
            valid(requirements, name, **given)
            if code == "valid"
            else refused(code, requirements, name, **given)
        )

    def get(key: Key = VENDOR, **how: Any) -> str:
        return signed(key, target, tag=how.pop("tag", "freehold-did"), **how)

    yield case("valid", "INV-20 INV-1 INV-5", "by a DID", get())
    yield case("not-found", "INV-20", "by another DID", get(STRANGER))
    yield case(
        "signature-invalid",
        "INV-20",
        "by another key under this name",
        get(STRANGER, params={"keyid": VENDOR.method}),
    )
    yield case("malformed", "INV-5", "the tag of a capability", get(tag="zcap"))
    yield case("malformed", "INV-5", "the tag of the owner", get(tag="freehold-owner"))
    yield case(
        "malformed", "INV-5 HTTP-20", "not signed", get(sent={"signature": None, "signature-input": None})
    )
    yield case(
        "signature-invalid",
        "INV-1",
        "more is covered",
        get(covered=["@method", "@target-uri", "x-a"], headers=[("X-A", "b")]),
    )
    yield case("signature-invalid", "INV-1", "less is covered", get(covered=["@target-uri"]))
    yield case("signature-invalid", "INV-2", "for another target", get(sent={"target": target[:-1] + "1"}))
    yield case("signature-stale", "INV-6", "too old", get(), now="2026-11-23T12:30:00Z")
    yield case("replayed", "INV-8", "once more", get(), seen=[{"key": VENDOR.did, "nonce": NONCE}])
    yield case("malformed", "INV-18 INV-14", "in the form of ZCAP clients", ezcap(VENDOR, target, READ))
    listed = shop_document()
    shop = {"did": SHOP, "didDocument": json.dumps(listed)}
    named = {"keyid": f"{SHOP}#key-1"}
    yield case("valid", "INV-20 IDN-22 IDN-18", "by a did:web", get(params=named), **shop)
    yield case(
        "not-found",
        "INV-20",
        "by a did:web, with another name of a key",
        get(params={"keyid": f"{SHOP}#key-2"}),
        **shop,
    )
    yield case("not-found", "INV-20", "by a did:web, with its did:key", get(), **shop)
    yield case(
        "not-found",
        "INV-20 IDN-18",
        "by a did:web, with a key that is for other uses",
        get(params=named),
        did=SHOP,
        didDocument=json.dumps(but(listed, {"authentication": GONE})),
    )
    yield case("not-found", "INV-20", "by a did:web, which did not sign", get(STRANGER, params=named), **shop)
    yield case(
        "not-found",
        "INV-20",
        "by another did:web",
        get(params={"keyid": "did:web:other.example#key-1"}),
        **shop,
    )
    owner = {"tag": "freehold-owner", "did": SERVING.did}
    yield case("valid", "INV-21", "by the owner's session key", get(SERVING, tag="freehold-owner"), **owner)
    yield case(
        "not-authenticated",
        "INV-21 HTTP-41",
        "by another key than the session's",
        get(VENDOR, tag="freehold-owner"),
        **owner,
    )


OPERATIONS = (
    Operation(
        name="verify-revocation",
        description="Judge a request that revokes the capability in its body, in the form of ZCAP "
        "clients, which invoke a root by its id: `message`, `origin`, `rootTarget`, `rootKey` and "
        "`now` as in verify-invocation. Output: the id that is `revoked`.",
        cases=tuple(_revocations()),
    ),
    Operation(
        name="verify-signed-message",
        description="Judge a request that a `did` signs under a `tag`, by its did:key or by its "
        f"`didDocument` (JSON text): {_WHOLE}",
        cases=tuple(_by_did()),
    ),
)
