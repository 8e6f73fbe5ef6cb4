"""Vectors of specs/invocation.md, and of the caveats and limits that are counted when something is invoked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from cases import Case, Json, Operation, refused, valid
from craft import GONE, Document, Key, b64, b64u, but, jcs, sha256, wire
from craft_http import AT, NONCE, digest_of, ezcap, signed
from scene import (
    CAPABILITY,
    DELEGATED,
    DPV,
    GRANT_UUID,
    ORIGIN,
    PARTNER,
    ROOT_TARGET,
    SERVING,
    SHOP,
    STRANGER,
    SUBPARTNER,
    TERM,
    VENDOR,
    capability,
    root_id,
)
from vectors_identity import shop_document

TARGET: Final = f"/g/{GRANT_UUID}/delivery/records?limit=50"
NOW: Final = "2026-11-23T12:12:00Z"


def invoked(document: Document, action: str = "read") -> str:
    """Return the value of Capability-Invocation."""
    return f'zcap capability="{wire(document)}",action="{action}"'


READ: Final = invoked(CAPABILITY)


def read(key: Key = VENDOR, target: str = TARGET, **how: Any) -> str:
    """Return a read under the vendor's capability."""
    return signed(key, target, tag="zcap", **({"invocation": READ} | how))


def _case(code: str, requirements: str, name: str, message: str, output: Json = None, **given: Json) -> Case:
    given = {
        "message": message,
        "origin": ORIGIN,
        "rootTarget": ROOT_TARGET,
        "rootKey": SERVING.did,
        "now": NOW,
    } | given
    return (
        valid(requirements, name, output, **given)
        if code == "valid"
        else refused(code, requirements, name, **given)
    )


def _covered() -> Iterator[Case]:
    told = {"action": "read", "controllers": [VENDOR.did], "nonce": NONCE, "profile": "rfc9421"}
    yield _case("valid", "INV-1 INV-2 INV-10 INV-12 SIG-15 SIG-18", "a read", read(), told)
    yield _case("valid", "INV-12", "HEAD is a read", read(method="HEAD"))
    partner = read(PARTNER, invocation=invoked(DELEGATED))
    yield _case(
        "valid", "INV-12 CAP-25", "a partner's read", partner, {"controllers": [VENDOR.did, PARTNER.did]}
    )
    order = ("capability-invocation", "@target-uri", "@method")
    yield _case("valid", "INV-1", "the same components in another order", read(covered=order))
    yield _case(
        "valid",
        "SIG-18 SIG-13",
        "parameters in another order",
        read(
            params={"created": None, "expires": None, "tag": None}
            | {"tag": "zcap", "expires": AT + 120, "created": AT}
        ),
    )
    yield _case(
        "valid",
        "INV-1",
        "headers that are not covered",
        read(headers=[("X-Forwarded-Host", "evil.example"), ("Date", "Mon, 01 Jan 2001 00:00:00 GMT")]),
    )
    wrong = "signature-invalid"
    for less in ("@method", "@target-uri", "capability-invocation"):
        yield _case(
            wrong, "INV-1", f"{less} is not covered", read(covered=[one for one in order if one != less])
        )
    yield _case(wrong, "INV-1", "nothing is covered", read(covered=[]))
    for more in ("host", "@authority", "@path"):
        yield _case(
            wrong,
            "INV-1",
            f"{more} is covered too",
            read(covered=[*order, more], headers=[]) if more != "host" else _with_host(),
        )
    yield _case(
        wrong, "INV-2", "another target than was signed", read(sent={"target": TARGET.replace("50", "51")})
    )
    yield _case(
        wrong,
        "INV-2",
        "the target's parts in another spelling",
        read(sent={"target": TARGET.replace("limit=50", "limit=5%30")}),
    )
    yield _case(
        wrong, "INV-2", "signed for another origin, which Host names too", read(origin="https://evil.example")
    )
    yield _case("valid", "INV-2 SIG-8", "Host says something else", read(sent={"host": "evil.example"}))
    yield _case(wrong, "INV-1", "another method than was signed", read(sent={"method": "HEAD"}))
    other = invoked(capability({"allowedAction": ["read", "write"]}))
    yield _case(
        wrong,
        "INV-1 CAP-19",
        "another capability than was signed",
        read(sent={"capability-invocation": other}),
    )
    yield _case(
        wrong,
        "INV-4 PRF-13",
        "a keyid that names the controller, and a stranger's signature",
        read(STRANGER, params={"keyid": VENDOR.method}),
    )
    yield _case(wrong, "INV-4", "no keyid", read(params={"keyid": None}))
    yield _case(wrong, "INV-4", "no alg", read(params={"alg": None}))
    yield _case("unsupported", "INV-4 SIG-16", "another alg", read(params={"alg": "ecdsa-p256-sha256"}))
    yield _case(
        "malformed", "INV-4 PRF-13", "a keyid without its fragment", read(params={"keyid": VENDOR.did})
    )
    yield _case("malformed", "INV-5", "the tag of a DID's message", read(params={"tag": "freehold-did"}))
    yield _case("malformed", "INV-5", "no tag", read(params={"tag": None}))
    yield _case("malformed", "INV-5", "not signed", read(sent={"signature": None, "signature-input": None}))


def _with_host() -> str:
    return signed(
        VENDOR,
        TARGET,
        tag="zcap",
        invocation=READ,
        covered=["@method", "@target-uri", "capability-invocation", "x-a"],
        headers=[("X-A", "b")],
    )


def _bodies() -> Iterator[Case]:
    target, body = f"/g/{GRANT_UUID}/messages", '{"text":"Hello."}'
    writing = invoked(capability({"allowedAction": ["read", "write"]}), "write")

    def write(**how: Any) -> str:
        return signed(
            VENDOR, target, tag="zcap", **({"method": "POST", "invocation": writing, "body": body} | how)
        )

    yield _case("valid", "INV-1 INV-3 SIG-19 SIG-20", "a write", write(), {"action": "write"})
    wrong = "signature-invalid"
    yield _case(
        wrong, "INV-3", "another body than was signed", write(sent={"body": body.replace("Hello", "Hallo")})
    )
    yield _case(wrong, "INV-3", "white space more in the body", write(sent={"body": body + " "}))
    plain = ["@method", "@target-uri", "capability-invocation"]
    yield _case(wrong, "INV-1 INV-3", "a body that is not covered", write(covered=plain))
    yield _case(
        wrong, "INV-1 INV-3", "a body whose type is not covered", write(covered=[*plain, "content-digest"])
    )
    yield _case(
        wrong, "INV-1 INV-3", "a body whose digest is not covered", write(covered=[*plain, "content-type"])
    )
    yield _case(wrong, "INV-3", "the digest and no body", write(sent={"body": None}))
    yield _case(wrong, "INV-3", "a body and no digest", write(sent={"content-digest": None}))
    yield _case(wrong, "INV-1", "another type than was signed", write(sent={"content-type": "text/plain"}))
    evil = body.replace("Hello", "Hallo")
    yield _case(
        wrong,
        "INV-1 INV-3",
        "another body with its own digest",
        write(sent={"body": evil, "content-digest": digest_of(evil.encode())}),
    )


def _times(profile: str) -> Iterator[Case]:
    """Yield both profiles' times: they are judged alike."""

    def at(created: Json, expires: Json) -> str:
        if profile == "rfc9421":
            return read(params={"created": created, "expires": expires})
        return ezcap(VENDOR, TARGET, READ, values={"created": created, "expires": expires})

    rule = "INV-6" if profile == "rfc9421" else "INV-17 INV-6"
    for name, code, times, now in (
        ("at the least of its time", "valid", (AT, AT + 1), "2026-11-23T12:12:00Z"), ("for as long as may be", "valid", (AT, AT + 600), "2026-11-23T12:12:00Z"), ("for a second longer", "signature-stale", (AT, AT + 601), "2026-11-23T12:12:00Z"),
        ("for no time", "signature-stale", (AT, AT), "2026-11-23T12:12:00Z"), ("that ends before it begins", "signature-stale", (AT, AT - 1), "2026-11-23T12:12:00Z"), ("60 s before it begins", "valid", (AT, AT + 120), "2026-11-23T12:11:00Z"),
        ("61 s before it begins", "signature-stale", (AT, AT + 120), "2026-11-23T12:10:59Z"), ("59 s after its end", "valid", (AT, AT + 120), "2026-11-23T12:14:59Z"), ("60 s after its end", "signature-stale", (AT, AT + 120), "2026-11-23T12:15:00Z"),
        ("a day old", "signature-stale", (AT - 86_400, AT - 86_000), "2026-11-23T12:12:00Z"), ("of a day, still running", "signature-stale", (AT - 86_400, AT + 600), "2026-11-23T12:12:00Z"),
    ):  # fmt: skip
        yield _case(code, rule, f"{profile}: a signature {name}", at(*times), now=now)
    if profile == "rfc9421":
        yield _case("signature-stale", "INV-4 INV-6", "no created", at(None, AT + 120))
        yield _case("signature-stale", "INV-4 INV-6", "no expires", at(AT, None))


def _nonces() -> Iterator[Case]:
    yield _case("valid", "INV-8", "the longest nonce", read(params={"nonce": "-_" * 32}))
    for name, nonce in (
        ("15 characters", "a" * 15),
        ("65 characters", "a" * 65),
        ("another alphabet", "a" * 16 + "+"),
        ("none", None),
        ("an empty one", ""),
    ):
        yield _case(
            "malformed",
            "INV-8 INV-4" if nonce is None else "INV-8",
            f"a nonce: {name}",
            read(params={"nonce": nonce}),
        )
    yield _case(
        "replayed",
        "INV-8",
        "the second message of a key and nonce",
        read(),
        seen=[{"key": VENDOR.did, "nonce": NONCE}],
    )
    yield _case(
        "replayed",
        "INV-8",
        "the same nonce, for another target",
        read(target=f"/g/{GRANT_UUID}/delivery/records"),
        seen=[{"key": VENDOR.did, "nonce": NONCE}],
    )
    yield _case(
        "valid", "INV-8", "the nonce of another key", read(), seen=[{"key": PARTNER.did, "nonce": NONCE}]
    )
    yield _case(
        "valid",
        "INV-8",
        "the nonce in other letters",
        read(),
        seen=[{"key": VENDOR.did, "nonce": NONCE.lower()}],
    )


def _headers() -> Iterator[Case]:
    text = wire(CAPABILITY)
    for name, value in (
        ("the action first", f'zcap action="read",capability="{text}"'), ("a space after the comma", f'zcap capability="{text}", action="read"'), ("two spaces", f'zcap  capability="{text}",action="read"'), ("a parameter more", f'zcap capability="{text}",action="read",x="y"'),
        ("no action", f'zcap capability="{text}"'), ("an action in capitals", f'zcap capability="{text}",action="READ"'), ("an empty action", f'zcap capability="{text}",action=""'), ("no quotes", f"zcap capability={text},action=read"), ("another scheme", f'Zcap capability="{text}",action="read"'),
        ("padding", f'zcap capability="{text}=",action="read"'), ("an id and a capability", f'zcap id="{root_id(ROOT_TARGET)}",capability="{text}",action="read"'), ("a capability and an id", f'zcap capability="{text}",id="{root_id(ROOT_TARGET)}",action="read"'), ("nothing", ""),
    ):  # fmt: skip
        yield _case(
            "malformed",
            "INV-11 INV-10" if " id" in name or "an id" in name else "INV-10",
            f"Capability-Invocation: {name}",
            read(invocation=value),
        )
    yield _case("malformed", "INV-10", "no Capability-Invocation", signed(VENDOR, TARGET, tag="zcap"))
    yield _case(
        "malformed", "INV-10", "Capability-Invocation twice", read(headers=[("Capability-Invocation", READ)])
    )
    yield _case(
        "malformed",
        "INV-10 CAP-30",
        "a capability that is not gzip",
        read(invocation='zcap capability="e30",action="read"'),
    )
    yield _case(
        "too-large",
        "INV-10 CAP-30 LIM-1",
        "a capability that is too long",
        read(invocation=f'zcap capability="{"A" * 8_300}",action="read"'),
    )


def _decided() -> Iterator[Case]:
    who, where, what = "wrong-controller", "wrong-target", "wrong-action"
    yield _case(who, "INV-12", "signed by a stranger", read(STRANGER))
    yield _case(who, "INV-12", "signed by the node", read(SERVING))
    yield _case(
        who,
        "INV-12",
        "a partner's capability, signed by the vendor",
        read(VENDOR, invocation=invoked(DELEGATED)),
    )
    yield _case(who, "INV-12", "the vendor's capability, signed by the partner", read(PARTNER))
    yield _case(
        where,
        "INV-12 INV-13 CAP-23",
        "a partner reads another permission",
        read(PARTNER, f"/g/{GRANT_UUID}/news/records", invocation=invoked(DELEGATED)),
    )
    yield _case(
        where,
        "INV-12",
        "another grant",
        read(target="/g/0e8d6f0b-3b7e-4a55-b0f1-6d2f5a9c4e19/delivery/records"),
    )
    yield _case(
        where,
        "INV-12 CAP-9",
        "dots in the path",
        read(PARTNER, f"/g/{GRANT_UUID}/delivery/../news/records", invocation=invoked(DELEGATED)),
    )
    yield _case(where, "INV-12 CAP-9", "a key of the query twice", read(target=f"{TARGET}&limit=1"))
    yield _case(
        where,
        "INV-12 CAP-8",
        "a permission that begins alike",
        read(PARTNER, f"/g/{GRANT_UUID}/delivery-2/records", invocation=invoked(DELEGATED)),
    )
    yield _case(
        what, "INV-12", "an action that the capability has not", read(invocation=invoked(CAPABILITY, "write"))
    )
    yield _case(what, "INV-12", "an action that nothing is", read(invocation=invoked(CAPABILITY, "delete")))
    yield _case(
        "capability-expired",
        "CAP-26 INV-6",
        "a capability that is past its end, signed in time",
        read(invocation=invoked(capability({"expires": "2026-11-23T12:12:00Z"}))),
    )
    yield _case(
        "wrong-controller",
        "CAP-18",
        "a capability that the vendor made itself",
        read(invocation=invoked(capability(key=VENDOR))),
    )
    wide = capability({"invocationTarget": f"{ORIGIN}/g"}, key=VENDOR, parent=CAPABILITY)
    yield _case(
        "capability-widened",
        "CAP-21",
        "a capability that the vendor widened",
        read(PARTNER, invocation=invoked(wide)),
    )
    mine = capability(
        {"id": "urn:uuid:4f0c2b1a-7e6d-4c5b-8a9f-1e2d3c4b5a61", "controller": SUBPARTNER.did},
        key=PARTNER,
        parent=DELEGATED,
    )
    yield _case(
        "valid",
        "CAP-25",
        "what a partner delegated further",
        read(SUBPARTNER, invocation=invoked(mine)),
        {"controllers": [VENDOR.did, PARTNER.did, SUBPARTNER.did]},
    )


def _ezcap() -> Iterator[Case]:
    told = {"action": "read", "controllers": [VENDOR.did], "profile": "ezcap"}
    get = ezcap(VENDOR, TARGET, READ)
    yield _case("valid", "INV-14 INV-15 INV-17", "ezcap: a read", get, told)
    yield _case(
        "valid", "INV-19", "ezcap: the same once more", get, told, seen=[{"key": VENDOR.did, "nonce": NONCE}]
    )
    for suite in ("eddsa-rdfc-2022", "Ed25519Signature2020"):
        below = capability(key=VENDOR, parent=CAPABILITY, suite=suite)
        yield _case(
            "valid",
            "INV-14 CAP-5",
            f"ezcap: a partner's read, delegated in {suite}",
            ezcap(PARTNER, TARGET, invoked(below)),
            {"controllers": [VENDOR.did, PARTNER.did]},
        )
    yield _case(
        "valid",
        "INV-15 INV-17",
        "ezcap: Host and Date say something else",
        ezcap(VENDOR, TARGET, READ, sent={"host": "evil.example"}, headers=[("Date", "yesterday")]),
    )
    wrong, bad = "signature-invalid", "malformed"
    yield _case(
        wrong,
        "INV-15",
        "ezcap: another target than was signed",
        ezcap(VENDOR, TARGET, READ, sent={"target": TARGET.replace("50", "51")}),
    )
    yield _case(
        wrong,
        "INV-15",
        "ezcap: another method than was signed",
        ezcap(VENDOR, TARGET, READ, sent={"method": "HEAD"}),
    )
    yield _case(
        wrong,
        "INV-15",
        "ezcap: signed for another host, which Host names too",
        ezcap(VENDOR, TARGET, READ, origin="https://evil.example"),
    )
    yield _case(
        wrong,
        "INV-15",
        "ezcap: another capability than was signed",
        ezcap(
            VENDOR,
            TARGET,
            READ,
            sent={"capability-invocation": invoked(capability({"allowedAction": ["read", "write"]}))},
        ),
    )
    yield _case(
        wrong,
        "INV-14 PRF-13",
        "ezcap: a keyId that names the controller, and a stranger's signature",
        ezcap(STRANGER, TARGET, READ, values={"keyid": VENDOR.method}),
    )
    yield _case(
        "wrong-controller", "INV-14 INV-12", "ezcap: signed by a stranger", ezcap(STRANGER, TARGET, READ)
    )
    names = "(key-id) (created) (expires) (request-target) host capability-invocation"
    for name, covered in (
        ("less", names.replace(" host", "")), ("without the target", names.replace(" (request-target)", "")), ("without the capability", names.replace(" capability-invocation", "")), ("in another order", "(created) (key-id) (expires) (request-target) host capability-invocation"),
        ("more", names + " date"), ("a body that is not there", names + " content-type digest"),
    ):  # fmt: skip
        yield _case(
            wrong,
            "INV-14",
            f"ezcap: what is covered: {name}",
            ezcap(VENDOR, TARGET, READ, covered=covered, headers=[("Date", "x")] if name == "more" else []),
        )
    form = 'Signature keyId="{keyid}",headers="{names}",signature="{signature}",created="{created}",expires="{expires}"'
    for name, spelling in (
        ("spaces after commas", form.replace(",", ", ")), ("another order", form.replace('keyId="{keyid}",', "") + ',keyId="{keyid}"'), ("an algorithm", form + ',algorithm="hs2019"'), ("numbers without quotes", form.replace('"{created}"', "{created}")), ("no created", form.replace(',created="{created}"', "")),
        ("no expires", form.replace(',expires="{expires}"', "")), ("the scheme in small letters", form.replace("Signature ", "signature ")), ("two spaces", form.replace("Signature ", "Signature  ")), ("keyid for keyId", form.replace("keyId", "keyid")), ("a leading zero", form.replace('"{created}"', '"0{created}"')), ("a fraction", form.replace('"{created}"', '"{created}.0"')),
    ):  # fmt: skip
        yield _case(
            bad, "INV-14", f"ezcap: spelled with {name}", ezcap(VENDOR, TARGET, READ, spelling=spelling)
        )
    yield _case(
        "too-large",
        "INV-14 LIM-1",
        "ezcap: more than 1,024 characters",
        ezcap(VENDOR, TARGET, READ, values={"keyid": "did:key:z" + "a" * 1_000}),
    )
    both = read(headers=[("Authorization", _header_of(get, "Authorization"))])
    yield _case(bad, "INV-18", "a message in both forms", both)
    half = ezcap(VENDOR, TARGET, READ, headers=[("Signature", _header_of(read(), "Signature"))])
    yield _case(bad, "INV-18", "one form, and half of the other", half)
    yield _case(
        bad, "INV-15", "ezcap: a method in small letters", ezcap(VENDOR, TARGET, READ, sent={"method": "get"})
    )


def _header_of(message: str, name: str) -> str:
    return next(line.partition(": ")[2] for line in message.split("\r\n") if line.startswith(name + ": "))


def _ezcap_bodies() -> Iterator[Case]:
    target, body = f"/g/{GRANT_UUID}/messages", '{"text":"Hello."}'
    writing = invoked(capability({"allowedAction": ["read", "write"]}), "write")

    def write(**how: Any) -> str:
        return ezcap(VENDOR, target, writing, **({"method": "POST", "body": body} | how))

    digest = b64(sha256(body.encode()))
    yield _case("valid", "INV-16 INV-14", "ezcap: a write", write(), {"action": "write"})
    yield _case("valid", "INV-16", "ezcap: SHA-256, bare", write(digest=f"SHA-256={digest}"))
    yield _case("valid", "INV-16", "ezcap: SHA-256, between colons", write(digest=f"SHA-256=:{digest}:"))
    wrong, bad = "signature-invalid", "malformed"
    yield _case(wrong, "INV-16", "ezcap: another body", write(sent={"body": body.replace("Hello", "Hallo")}))
    yield _case(
        wrong, "INV-16", "ezcap: a digest of another body", write(digest=f"SHA-256={b64(sha256(b'x'))}")
    )
    yield _case(wrong, "INV-16", "ezcap: no digest", write(sent={"digest": None}))
    yield _case(wrong, "INV-16", "ezcap: no content-type", write(sent={"content-type": None}))
    yield _case(
        wrong,
        "INV-16 INV-14",
        "ezcap: a body that is not covered",
        write(covered="(key-id) (created) (expires) (request-target) host capability-invocation"),
    )
    yield _case(
        wrong, "INV-16", "ezcap: another type than was signed", write(sent={"content-type": "text/plain"})
    )
    yield _case("unsupported", "INV-16", "ezcap: SHA-512", write(digest="SHA-512=" + "A" * 86 + "=="))
    yield _case(
        "unsupported",
        "INV-16",
        "ezcap: a multihash of another hash",
        write(digest="mh=u" + b64u(b"\x13\x40" + bytes(64))),
    )
    yield _case(bad, "INV-16", "ezcap: a multihash in another base", write(digest="mh=z" + "1" * 40))
    yield _case(
        bad, "INV-16 ENC-3", "ezcap: SHA-256 without padding", write(digest=f"SHA-256={digest.rstrip('=')}")
    )


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


def _allowed() -> Iterator[Case]:
    def case(code: str, requirements: str, name: str, **given: Json) -> Case:
        given = {"now": NOW, "purposes": ["dpv:DeliveryOfGoods"], "admitted": []} | given
        return (
            valid(requirements, name, **given)
            if code == "valid"
            else refused(code, requirements, name, **given)
        )

    def caveat(kind: str, **members: Json) -> Document:
        return {"type": TERM + kind, **{TERM + name.rstrip("_"): value for name, value in members.items()}}

    delivery, marketing = DPV + "DeliveryOfGoods", DPV + "Marketing"
    for_delivery = caveat("PurposeLimit", purpose=[delivery])
    yield case("valid", "CAP-10", "a purpose that is among those of the caveat", caveats=[for_delivery])
    yield case(
        "valid",
        "CAP-10",
        "fewer purposes than the caveat has",
        caveats=[caveat("PurposeLimit", purpose=[delivery, marketing])],
    )
    yield case(
        "wrong-purpose",
        "CAP-10 CAP-14",
        "another purpose",
        caveats=[for_delivery],
        purposes=["dpv:Marketing"],
    )
    yield case(
        "wrong-purpose",
        "CAP-10 CAP-14",
        "a purpose more",
        caveats=[for_delivery],
        purposes=["dpv:DeliveryOfGoods", "dpv:Marketing"],
    )
    yield case(
        "wrong-purpose",
        "CAP-11",
        "a purpose below that of the caveat",
        caveats=[caveat("PurposeLimit", purpose=[marketing])],
        purposes=["dpv:DirectMarketing"],
    )
    yield case(
        "wrong-purpose",
        "CAP-14",
        "the second of two caveats",
        caveats=[caveat("PurposeLimit", purpose=[delivery]), caveat("PurposeLimit", purpose=[marketing])],
    )
    hours: Document = {"days": ["Mo", "Tu"], "from_": "08:00", "to": "13:12", "timeZone": "Europe/Berlin"}
    for name, code, now in (
        ("before the hour there", "outside-hours", "2026-11-23T06:59:59Z"), ("at the hour there", "valid", "2026-11-23T07:00:00Z"), ("in the last minute there", "valid", "2026-11-23T12:11:59Z"), ("at the end there", "outside-hours", "2026-11-23T12:12:00Z"), ("on another day", "outside-hours", "2026-11-25T10:00:00Z"),
        ("in summer time there", "valid", "2026-07-20T06:00:00Z"), ("before it, in summer time", "outside-hours", "2026-07-20T05:59:59Z"),
    ):  # fmt: skip
        yield case(
            code,
            "CAP-10 REQ-10",
            f"a caveat of hours, {name}",
            caveats=[caveat("HoursLimit", **hours)],
            now=now,
        )
        yield case(
            code,
            "REQ-10",
            f"hours of a permission, {name}",
            limits={"hours": {name.rstrip("_"): value for name, value in hours.items()}},
            now=now,
        )
    late: Document = {"days": ["Mo"], "from_": "22:00", "to": "00:00", "timeZone": "Europe/Berlin"}
    yield case(
        "valid",
        "REQ-10",
        "a day that has begun there and not in UTC",
        caveats=[caveat("HoursLimit", **{**late, "from_": "00:00", "to": "01:00"})],
        now="2026-11-22T23:30:00Z",
    )
    yield case(
        "valid",
        "REQ-10",
        "until the end of the day",
        caveats=[caveat("HoursLimit", **late)],
        now="2026-11-23T22:59:59Z",
    )
    yield case(
        "outside-hours",
        "REQ-10",
        "after the end of the day",
        caveats=[caveat("HoursLimit", **late)],
        now="2026-11-23T23:00:00Z",
    )
    old, new = "2026-11-22T12:11:59Z", "2026-11-23T12:11:00Z"
    for name, code, requirements, count, rate, seen in (
        ("none so far", "valid", "CAP-10", 1, None, []), ("as many as may be", "limit-reached", "CAP-10 CAP-15", 2, None, [old, new]), ("one less", "valid", "CAP-10", 3, None, [old, new]), ("within the window", "limit-reached", "CAP-10 CAP-15", None, 1, [new]),
        ("before the window", "valid", "CAP-10", None, 1, [old]), ("some within and some before", "valid", "CAP-10", None, 2, [old, old, new]),
    ):  # fmt: skip
        both = ([caveat("CountLimit", reads=count)] if count else []) + (
            [caveat("RateLimit", per="P1D", reads=rate)] if rate else []
        )
        yield case(code, requirements, f"a caveat of reads: {name}", caveats=both, admitted=seen)
        limits: Document = {"reads": count} if count else {"rate": {"reads": rate, "per": "P1D"}}
        yield case(code, "REQ-10", f"reads of a permission: {name}", limits=limits, admitted=seen)
    bad = "malformed"
    count, one = caveat("CountLimit", reads=5), caveat("CountLimit", reads=1)
    yield case("valid", "CAP-12", "caveats in their order", caveats=[one, count])
    yield case(bad, "CAP-12", "caveats in another order", caveats=[count, one])
    yield case(bad, "CAP-12", "a caveat twice", caveats=[count, count])
    yield case(
        bad,
        "CAP-12 CAP-10",
        "purposes in another order",
        caveats=[caveat("PurposeLimit", purpose=[marketing, delivery])],
    )
    yield case(
        bad,
        "CAP-12",
        "days in another order",
        caveats=[caveat("HoursLimit", **{**hours, "days": ["Tu", "Mo"]})],
    )
    yield case(bad, "CAP-11 CAP-12", "a day as hours", caveats=[caveat("RateLimit", per="PT24H", reads=1)])
    yield case(
        bad, "CAP-11 CAP-12", "an hour as minutes", caveats=[caveat("RateLimit", per="PT60M", reads=1)]
    )
    yield case(
        "valid", "CAP-11", "minutes that are no hours", caveats=[caveat("RateLimit", per="PT90M", reads=1)]
    )
    yield case(bad, "CAP-10 ENC-13", "a member more", caveats=[{**count, TERM + "per": "P1D"}])
    yield case(bad, "CAP-10", "a name that is no IRI", caveats=[{"type": TERM + "CountLimit", "reads": 5}])
    yield case(bad, "CAP-10", "none", caveats=[])
    yield case("unsupported", "CAP-13", "a caveat of another kind", caveats=[caveat("WeatherLimit", reads=1)])
    yield case(
        "unsupported",
        "CAP-13",
        "a kind by its short name",
        caveats=[{"type": "CountLimit", TERM + "reads": 5}],
    )
    yield case(
        "undefined-term",
        "CAP-10 VOC-19",
        "a purpose by its short name",
        caveats=[caveat("PurposeLimit", purpose=["dpv:DeliveryOfGoods"])],
    )
    many = sorted((caveat("CountLimit", reads=n) for n in range(11, 20)), key=jcs)
    yield case("valid", "CAP-10", "eight caveats", caveats=many[:8])
    yield case("too-large", "CAP-10 LIM-1", "nine caveats", caveats=many)


_WHOLE: Final = (
    "`message` (whole, as it came at `origin`), as of `now`; `seen` are keys and nonces that came before."
)
OPERATIONS = (
    Operation(
        name="verify-invocation",
        description=f"Judge a request under a capability of the root of `rootTarget`, which `rootKey` controls: {_WHOLE} Revocations, the grant and its generation are not asked. "
        "Output: the `action`, the `controllers` of the chain, the `profile` (`rfc9421` or `ezcap`) and, where there is one, the `nonce`.",
        cases=(
            *_covered(),
            *_bodies(),
            *_times("rfc9421"),
            *_nonces(),
            *_headers(),
            *_decided(),
            *_ezcap(),
            *_ezcap_bodies(),
            *_times("ezcap"),
        ),
    ),
    Operation(
        name="verify-revocation",
        description="Judge a request that revokes the capability in its body, in the form of ZCAP clients, which invoke a root by its id: `message`, `origin`, `rootTarget`, `rootKey` and "
        "`now` as in verify-invocation. Output: the id that is `revoked`.",
        cases=tuple(_revocations()),
    ),
    Operation(
        name="verify-signed-message",
        description=f"Judge a request that a `did` signs under a `tag`, by its did:key or by its `didDocument` (JSON text): {_WHOLE}",
        cases=tuple(_by_did()),
    ),
    Operation(
        name="check-limits",
        description="Say whether a read may pass `now` under the `limits` of a permission with these `purposes`, or under the `caveats` of one link, where reads were `admitted` before at these "
        "times (under that permission, or that link).",
        cases=tuple(_allowed()),
    ),
)
