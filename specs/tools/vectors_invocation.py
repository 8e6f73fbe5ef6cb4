"""Vectors of specs/invocation.md, and of the caveats and limits that are counted when something is invoked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from cases import Case, Json, Operation, refused, valid
from craft import Document, Key, b64, b64u, sha256, wire
from craft_http import AT, NONCE, digest_of, ezcap, signed
from scene import (
    CAPABILITY,
    DELEGATED,
    GRANT_UUID,
    ORIGIN,
    PARTNER,
    ROOT_TARGET,
    SERVING,
    STRANGER,
    SUBPARTNER,
    VENDOR,
    capability,
    root_id,
)

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
        ("at the least of its time", "valid", (AT, AT + 1), "2026-11-23T12:12:00Z"),
        ("for as long as may be", "valid", (AT, AT + 600), "2026-11-23T12:12:00Z"),
        ("for a second longer", "signature-stale", (AT, AT + 601), "2026-11-23T12:12:00Z"),
        ("for no time", "signature-stale", (AT, AT), "2026-11-23T12:12:00Z"),
        ("that ends before it begins", "signature-stale", (AT, AT - 1), "2026-11-23T12:12:00Z"),
        ("60 s before it begins", "valid", (AT, AT + 120), "2026-11-23T12:11:00Z"),
        ("61 s before it begins", "signature-stale", (AT, AT + 120), "2026-11-23T12:10:59Z"),
        ("59 s after its end", "valid", (AT, AT + 120), "2026-11-23T12:14:59Z"),
        ("60 s after its end", "signature-stale", (AT, AT + 120), "2026-11-23T12:15:00Z"),
        ("a day old", "signature-stale", (AT - 86_400, AT - 86_000), "2026-11-23T12:12:00Z"),
        ("of a day, still running", "signature-stale", (AT - 86_400, AT + 600), "2026-11-23T12:12:00Z"),
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
        ("the action first", f'zcap action="read",capability="{text}"'),
        ("a space after the comma", f'zcap capability="{text}", action="read"'),
        ("two spaces", f'zcap  capability="{text}",action="read"'),
        ("a parameter more", f'zcap capability="{text}",action="read",x="y"'),
        ("no action", f'zcap capability="{text}"'),
        ("an action in capitals", f'zcap capability="{text}",action="READ"'),
        ("an empty action", f'zcap capability="{text}",action=""'),
        ("no quotes", f"zcap capability={text},action=read"),
        ("another scheme", f'Zcap capability="{text}",action="read"'),
        ("padding", f'zcap capability="{text}=",action="read"'),
        ("an id and a capability", f'zcap id="{root_id(ROOT_TARGET)}",capability="{text}",action="read"'),
        ("a capability and an id", f'zcap capability="{text}",id="{root_id(ROOT_TARGET)}",action="read"'),
        ("nothing", ""),
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
        ("less", names.replace(" host", "")),
        ("without the target", names.replace(" (request-target)", "")),
        ("without the capability", names.replace(" capability-invocation", "")),
        ("in another order", "(created) (key-id) (expires) (request-target) host capability-invocation"),
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
        ("spaces after commas", form.replace(",", ", ")),
        ("another order", form.replace('keyId="{keyid}",', "") + ',keyId="{keyid}"'),
        ("an algorithm", form + ',algorithm="hs2019"'),
        ("numbers without quotes", form.replace('"{created}"', "{created}")),
        ("no created", form.replace(',created="{created}"', "")),
        ("no expires", form.replace(',expires="{expires}"', "")),
        ("the scheme in small letters", form.replace("Signature ", "signature ")),
        ("two spaces", form.replace("Signature ", "Signature  ")),
        ("keyid for keyId", form.replace("keyId", "keyid")),
        ("a leading zero", form.replace('"{created}"', '"0{created}"')),
        ("a fraction", form.replace('"{created}"', '"{created}.0"')),
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


_WHOLE: Final = (
    "`message` (whole, as it came at `origin`), as of `now`; `seen` are keys and nonces that came before."
)


OPERATIONS = (
    Operation(
        name="verify-invocation",
        description="Judge a request under a capability of the root of `rootTarget`, which "
        f"`rootKey` controls: {_WHOLE} Revocations, the grant and its generation are not asked. "
        "Output: the `action`, the `controllers` of the chain, the `profile` (`rfc9421` or "
        "`ezcap`) and, where there is one, the `nonce`.",
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
)
