"""Vectors of specs/capabilities.md: roots, targets, the one form, chains and their narrowing, headers."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any, Final

from cases import Case, Json, Operation, refused, valid
from craft import (
    ED25519_2020,
    GONE,
    JCS,
    RDFC,
    Document,
    Key,
    b64u,
    bare,
    but,
    gzipped,
    hashed,
    jcs,
    put,
    sha256,
    wire,
)
from scene import (
    CAPABILITY,
    DELEGATED,
    GENERATION,
    GRANT_UUID,
    INTEGRITY,
    ORIGIN,
    PARTNER,
    ROOT_TARGET,
    SERVING,
    SERVING_1,
    SHOP,
    STRANGER,
    SUBPARTNER,
    SUITE_2020,
    VENDOR,
    ZCAP,
    capability,
    root_id,
)

NOW: Final = "2026-11-23T12:12:00Z"
_PERMISSION: Final = f"{ROOT_TARGET}/delivery"


def _roots() -> Iterator[Case]:
    for target in (
        ROOT_TARGET,
        "http://127.0.0.1:8420/g/a",
        "https://[2001:db8::1]/g/a",
        f"{ROOT_TARGET}/zcaps/revocations/urn%3Auuid%3A1",
        f"{ORIGIN}/g/a?x=1&y=(2)*'!~",
    ):
        yield valid("CAP-1 CAP-28", target, {"id": root_id(target)}, target=target)
    for name, text in (
        ("escapes in lower case", root_id(ROOT_TARGET).replace("%3A", "%3a")),
        ("what is not escaped", f"urn:zcap:root:{ROOT_TARGET}"),
        ("a letter escaped", root_id(ROOT_TARGET).replace("example", "%65xample")),
        ("another prefix", root_id(ROOT_TARGET).replace("root", "delegated")),
        ("no target", "urn:zcap:root:"), ("a broken escape", root_id(ROOT_TARGET) + "%2"),
        ("a target with a closing slash", root_id(ROOT_TARGET + "/")),
        ("a target with dots", root_id(ORIGIN + "/g/../x")), ("a line break", root_id(ROOT_TARGET) + "\n"),
    ):  # fmt: skip
        yield refused("malformed", "CAP-1 INV-11", f"an id: {name}", id=text)
    yield valid("CAP-1 INV-11", "an id", {"target": ROOT_TARGET}, id=root_id(ROOT_TARGET))


def _targets() -> Iterator[Case]:
    target: Json
    for target in (
        ROOT_TARGET, _PERMISSION, f"{_PERMISSION}/records?fields=name", "http://127.0.0.1:8420/g/a",
        "https://[2001:db8::1]:8443/g/a", ORIGIN, f"{ORIGIN}/g/urn%3Auuid%3A1", f"{ORIGIN}/a.b/..c/.d",
        f"{ORIGIN}/a?b", f"{ORIGIN}/a?b=%2F&c=/?:@", f"{ORIGIN}/~!$&'()*+,;=:@-._",
    ):  # fmt: skip
        yield valid("CAP-7", target, target=target)
    for name, target in (
        ("a closing slash", f"{ROOT_TARGET}/"), ("an empty segment", f"{ORIGIN}//g"),
        ("a dot segment", f"{ORIGIN}/g/./a"), ("two dots", f"{ORIGIN}/g/../a"),
        ("two dots at the end", f"{ORIGIN}/g/.."), ("an escaped dot", f"{ORIGIN}/g/%2e%2e/a"),
        ("an escaped slash", f"{ORIGIN}/g%2Fa"),
        ("an escaped letter", f"{ORIGIN}/%67"), ("the colon's escape in lower case", f"{ORIGIN}/a%3ab"),
        ("a host in upper case", "https://P3kx9.example.org/g"),
        ("a scheme in upper case", "HTTPS://p3kx9.example.org/g"),
        ("a user", "https://me@p3kx9.example.org/g"), ("a fragment", f"{ROOT_TARGET}#a"),
        ("another scheme", "ftp://p3kx9.example.org/g"), ("no scheme", "//p3kx9.example.org/g"),
        ("a path alone", "/g/a"), ("a space", f"{ORIGIN}/a b"), ("a backslash", f"{ORIGIN}/a\\b"),
        ("a line break", f"{ROOT_TARGET}\n"), ("a letter beyond ASCII", f"{ORIGIN}/ä"),
        ("an empty query", f"{ORIGIN}/a?"),
        ("a nameless part of a query", f"{ORIGIN}/a?b=1&"), ("a part without a name", f"{ORIGIN}/a?=1"),
        ("a broken escape in the query", f"{ORIGIN}/a?b=%2"), ("a quote in the query", f'{ORIGIN}/a?b="'),
        ("no host", "https:///g"), ("a number", 7), ("nothing", ""),
        ("a port with a leading zero", "https://a.example:0443/g"),
    ):  # fmt: skip
        yield refused("malformed", "CAP-7", name, target=target)
    for name, target in (
        ("a name twice", f"{ORIGIN}/a?b=1&b=2"),
        ("a name twice, once escaped", f"{ORIGIN}/a?b=1&%62=2"),
        ("a name twice, a plus for a space", f"{ORIGIN}/a?b+c=1&b%20c=2"),
    ):
        yield refused("duplicate-key", "CAP-7", name, target=target)
    room = 1_000 - len(ROOT_TARGET) - 1
    yield valid("CAP-7", "as long as may be", target=f"{ROOT_TARGET}/{'a' * room}")
    yield refused(
        "too-large", "CAP-7 LIM-1", "one character more", target=f"{ROOT_TARGET}/{'a' * (room + 1)}"
    )


def _within() -> Iterator[Case]:
    before = _PERMISSION
    for name, target, of in (
        ("the same", before, before), ("a segment below", f"{before}/records", before),
        ("a query", f"{before}?limit=1", before),
        ("a part of a query more", f"{before}?a=1&limit=1", f"{before}?a=1"),
        ("what a slash in a query means there", f"{before}?a=1&b=/x", f"{before}?a=1"),
    ):  # fmt: skip
        yield valid("CAP-8 INV-12", name, target=target, before=of)
    for name, target, of in (
        ("another permission that begins alike", f"{before}-2/records", before),
        ("above it", ROOT_TARGET, before), ("beside it", f"{ROOT_TARGET}/news", before),
        ("another origin", before.replace("https", "http"), before),
        ("another host", before.replace("p3kx9", "p3kx8"), before),
        ("a host that begins alike", f"{ORIGIN}.evil.example/g", ORIGIN),
        ("a port", before.replace(".org", ".org:8443"), before),
        ("a slash after a query", f"{before}?a=1/records", f"{before}?a=1"),
        ("a longer value in the query", f"{before}?a=12", f"{before}?a=1"),
        ("a second question mark", f"{before}?a=1?b=2", f"{before}?a=1"),
        ("parts in another order", f"{before}?b=2&a=1", f"{before}?a=1"),
        ("upper case", before.upper(), before),
        ("an escape of the same", before.replace("delivery", "deliver%79"), before),
    ):  # fmt: skip
        yield refused("wrong-target", "CAP-8 INV-12", name, target=target, before=of)
    for name, asked in (
        ("dots", f"{before}/../news"), ("two dots that lead back", f"{before}/records/../records"),
        ("an empty segment", f"{before}//records"), ("a closing slash", f"{before}/"),
        ("an escaped slash", f"{before}/a%2Fb"), ("an escaped dot", f"{before}/%2e%2e/news"),
        ("a fragment", f"{before}/records#a"),
        ("a backslash", f"{before}/a\\b"),
        ("a key of the query twice", f"{before}/records?limit=1&limit=2"),
        ("a key twice, once escaped", f"{before}/records?limit=1&%6Cimit=2"), ("a space", f"{before}/a b"),
    ):  # fmt: skip
        yield refused("wrong-target", "CAP-9", f"asked with {name}", target=asked, before=before)
    yield valid(
        "CAP-9",
        "asked with what a target may not carry in its query",
        target=f'{before}/records?where={{"name":"Ada"}}',
        before=before,
    )


def _chain_case(
    code: str, requirements: str, name: str, document: Json, output: Json = None, **given: Json
) -> Case:
    given = {"capability": document, "rootTarget": ROOT_TARGET, "rootKey": SERVING.did, "now": NOW} | given
    return (
        valid(requirements, name, output, **given)
        if code == "valid"
        else refused(code, requirements, name, **given)
    )


def _name(document: Document, key: Key, suite: str = JCS) -> str:
    options = but(document["proof"], {"proofValue": GONE})
    return b64u(sha256(hashed(bare(document), options, suite) + key.raw))


def _form() -> Iterator[Case]:
    first = _name(CAPABILITY, SERVING)
    told = {
        "digests": [first],
        "controllers": [VENDOR.did],
        "expires": "2026-11-30T12:11:00Z",
        "generation": CAPABILITY[GENERATION],
    }
    yield _chain_case(
        "valid", "CAP-2 CAP-4 CAP-16 CAP-18 CAP-24 CAP-27 PRF-9", "the vendor's", CAPABILITY, told
    )
    for suite in (RDFC, ED25519_2020):
        other = capability(suite=suite)
        yield _chain_case(
            "valid",
            "CAP-4 CAP-27 PRF-16 PRF-17",
            f"signed in {suite}",
            other,
            {"digests": [_name(other, SERVING, suite)]},
        )
    yield _chain_case("valid", "CAP-2", "without a mark", capability({GENERATION: GONE}))
    for name in (
        "@context",
        "id",
        "parentCapability",
        "controller",
        "invocationTarget",
        "allowedAction",
        "expires",
    ):
        yield _chain_case("malformed", "CAP-2 CAP-3", f"without {name}", capability({name: GONE}))
    for name, changes in (
        ("a member more", {"name": "x"}), ("an invoker", {"invoker": VENDOR.did}),
        ("a type", {"type": "Capability"}), ("@id for id", {"id": GONE, "@id": CAPABILITY["id"]}),
        ("an id in capitals", {"id": "urn:uuid:B7C9E2D4-52F6-4A0B-9C1D-3E8F7A6B5C40"}),
        ("one action as text", {"allowedAction": "read"}),
        ("no action", {"allowedAction": []}), ("an action twice", {"allowedAction": ["read", "read"]}),
        ("an action that is none", {"allowedAction": ["read", "delete"]}),
        ("two controllers", {"controller": [VENDOR.did]}),
        ("a time with an offset", {"expires": "2026-11-30T13:11:00+01:00"}),
        ("a time with a fraction", {"expires": "2026-11-30T12:11:00.000Z"}),
        ("a target with a closing slash", {"invocationTarget": ROOT_TARGET + "/"}),
        ("contexts in another order", {"@context": [INTEGRITY, ZCAP]}), ("one context", {"@context": ZCAP}),
        ("a context more", {"@context": [ZCAP, INTEGRITY, "https://w3id.org/freehold/v1"]}),
        ("the context of another suite", {"@context": [ZCAP, SUITE_2020]}),
        ("a mark that is no text", {GENERATION: 1}), ("a mark of 65 characters", {GENERATION: "z" * 65}),
        ("an empty mark", {GENERATION: ""}), ("caveats that are none", {"caveat": []}),
        ("a null", {"caveat": None}),
    ):  # fmt: skip
        yield _chain_case("malformed", "CAP-3 CAP-2", name, capability(changes))
    yield _chain_case(
        "unsupported", "CAP-2 IDN-3", "a controller with a did:web", capability({"controller": SHOP})
    )
    yield _chain_case(
        "unsupported",
        "CAP-4 PRF-10",
        "a proof of another suite",
        put(CAPABILITY, "proof/cryptosuite", "ecdsa-jcs-2019"),
    )
    yield _chain_case("malformed", "CAP-4", "a proof without created", put(CAPABILITY, "proof/created", GONE))
    yield _chain_case("malformed", "CAP-4", "a proof with a member more", capability(members={"domain": "x"}))
    yield _chain_case("malformed", "CAP-4", "a proof with a nonce", capability(members={"nonce": "x"}))
    for suite, names in ((RDFC, ("@context",)), (ED25519_2020, ("@context", "cryptosuite"))):
        for name in names:
            bad = put(
                capability(suite=suite), f"proof/{name}", [ZCAP, INTEGRITY] if name == "@context" else suite
            )
            code = "unsupported" if name == "cryptosuite" else "malformed"
            yield _chain_case(code, "CAP-4", f"{suite} with {name} in the proof", bad)
    yield _chain_case(
        "malformed",
        "CAP-4",
        "eddsa-jcs-2022 without @context in the proof",
        put(CAPABILITY, "proof/@context", GONE),
    )
    yield _chain_case(
        "malformed", "CAP-4 PRF-5", "two proofs", put(CAPABILITY, "proof", [CAPABILITY["proof"]])
    )
    both = {"allowedAction": ["write", "read"]}
    yield _chain_case("valid", "CAP-6", "actions in any order, in JSON", capability(both))
    for suite in (RDFC, ED25519_2020):
        yield _chain_case(
            "malformed",
            "CAP-6",
            f"actions in another order than the alphabet's, in {suite}",
            capability(both, suite=suite),
        )
        yield _chain_case(
            "valid",
            "CAP-6",
            f"actions in the alphabet's order, in {suite}",
            capability({"allowedAction": ["read", "write"]}, suite=suite),
        )
    yield _chain_case(
        "signature-invalid",
        "PRF-9 CAP-2",
        "a proof for another purpose",
        put(CAPABILITY, "proof/proofPurpose", "assertionMethod"),
    )
    for name, path, value in (
        ("another controller", "controller", STRANGER.did),
        ("more actions", "allowedAction", ["read", "write"]),
        ("a later end", "expires", "2026-12-30T12:11:00Z"),
        ("another mark", GENERATION, "zOther"),
    ):
        bad = but(CAPABILITY, {path: value})
        yield _chain_case("signature-invalid", "CAP-18 PRF-11", f"{name} than was signed", bad)


def _links(count: int, *, target: str = _PERMISSION, **changes: Json) -> Document:
    """Return a chain of that many delegated links below the first, alternating between two keys."""
    link, key = CAPABILITY, VENDOR
    keys = [PARTNER, SUBPARTNER]
    for number in range(count):
        heir = keys[number % 2]
        link = capability(
            {
                "id": f"urn:uuid:00000000-0000-4000-8000-{number:012}",
                "controller": heir.did,
                "invocationTarget": target,
            },
            key=key,
            parent=link,
            **changes,
        )
        key = heir
    return link


def _chains() -> Iterator[Case]:
    told = {
        "digests": [_name(CAPABILITY, SERVING), _name(DELEGATED, VENDOR)],
        "controllers": [VENDOR.did, PARTNER.did],
        "expires": "2026-11-24T12:11:00Z",
    }
    yield _chain_case(
        "valid", "CAP-16 CAP-18 CAP-21 CAP-25 CAP-27", "a link below the first", DELEGATED, told
    )
    for suite in (RDFC, ED25519_2020):
        mixed = capability(key=VENDOR, parent=CAPABILITY, suite=suite)
        yield _chain_case(
            "valid",
            "CAP-5 CAP-25",
            f"a link in {suite} below one in {JCS}",
            mixed,
            {"digests": [_name(CAPABILITY, SERVING), _name(mixed, VENDOR, suite)]},
        )
        below = capability(
            {"id": "urn:uuid:4f0c2b1a-7e6d-4c5b-8a9f-1e2d3c4b5a61", "controller": SUBPARTNER.did},
            key=PARTNER,
            parent=mixed,
        )
        yield _chain_case(
            "valid",
            "CAP-5",
            f"a link in {JCS} below one in {suite}",
            below,
            {"controllers": [VENDOR.did, PARTNER.did, SUBPARTNER.did]},
        )
    yield _chain_case("valid", "CAP-17", "ten links, root and leaf included", _links(8))
    yield _chain_case("capability-invalid", "CAP-17 LIM-1", "eleven links", _links(9))
    who = "wrong-controller"
    yield _chain_case(who, "CAP-18", "a first link that the vendor signed", capability(key=VENDOR))
    yield _chain_case(who, "CAP-18", "a first link that a stranger signed", capability(key=STRANGER))
    yield _chain_case(
        who, "CAP-18", "a second link that the node signed", capability(key=SERVING, parent=CAPABILITY)
    )
    yield _chain_case(
        who,
        "CAP-18",
        "a second link that its own controller signed",
        capability(key=PARTNER, parent=CAPABILITY),
    )
    yield _chain_case(who, "CAP-18 ROT-9", "under another serving key", CAPABILITY, rootKey=SERVING_1.did)
    forged = put(capability(key=STRANGER), "proof/verificationMethod", SERVING.method)
    yield _chain_case(
        "signature-invalid", "CAP-18 PRF-13", "a first link that says the node signed it", forged
    )
    lied = capability(key=VENDOR, parent=put(CAPABILITY, "invocationTarget", ORIGIN + "/g"))
    yield _chain_case(
        "capability-widened", "CAP-18 CAP-21", "a parent that was widened, and signed along", lied
    )
    lied = capability(key=VENDOR, parent=but(CAPABILITY, {"expires": "2026-12-30T12:11:00Z"}))
    yield _chain_case("signature-invalid", "CAP-18", "a parent that was lengthened, and signed along", lied)
    swapped = put(
        DELEGATED, "proof/capabilityChain/1", put(CAPABILITY, "proof/created", "2026-11-23T12:10:00Z")
    )
    yield _chain_case("signature-invalid", "CAP-18 CAP-16", "another parent than was signed along", swapped)
    bad = "capability-invalid"
    root = root_id(ROOT_TARGET)
    yield _chain_case(
        bad,
        "CAP-16",
        "another root",
        capability({"parentCapability": root_id(ROOT_TARGET + "/x")}, chain=[root_id(ROOT_TARGET + "/x")]),
    )
    yield _chain_case(
        bad,
        "CAP-16 MOV-6",
        "the root of another origin",
        CAPABILITY,
        rootTarget=f"https://elsewhere.example/g/{GRANT_UUID}",
    )
    yield _chain_case(bad, "CAP-16", "an empty chain", capability(chain=[]))
    yield _chain_case(
        bad,
        "CAP-16",
        "a chain that begins with the parent",
        capability(key=VENDOR, parent=CAPABILITY, chain=[CAPABILITY["id"], CAPABILITY]),
    )
    yield _chain_case(
        bad,
        "CAP-16",
        "a parent that the chain does not name",
        capability({"parentCapability": "urn:uuid:00000000-0000-4000-8000-000000000009"}),
    )
    yield _chain_case(
        bad,
        "CAP-16",
        "another parentCapability than the last",
        capability({"parentCapability": root}, key=VENDOR, parent=CAPABILITY),
    )
    yield _chain_case(
        bad,
        "CAP-16",
        "an id of its parent's",
        capability({"id": CAPABILITY["id"]}, key=VENDOR, parent=CAPABILITY),
    )
    yield _chain_case(
        bad,
        "CAP-16",
        "an id twice in the chain",
        capability(key=VENDOR, parent=CAPABILITY, chain=[root, root, CAPABILITY]),
    )
    yield _chain_case(
        bad,
        "CAP-16",
        "a link left out",
        capability(
            {"id": "urn:uuid:4f0c2b1a-7e6d-4c5b-8a9f-1e2d3c4b5a61", "controller": SUBPARTNER.did},
            key=PARTNER,
            parent=DELEGATED,
            chain=[root, DELEGATED],
        ),
    )
    yield _chain_case(
        "malformed",
        "CAP-2 CAP-16",
        "a parent that is not of the form",
        capability(key=VENDOR, parent=but(CAPABILITY, {"name": "x"})),
    )


def _narrowing() -> Iterator[Case]:
    wide = "capability-widened"

    def below(changes: Document, **how: Any) -> Document:
        return capability(changes, key=VENDOR, parent=CAPABILITY, **how)

    yield _chain_case(
        wide,
        "CAP-21",
        "a first link beside its root",
        capability({"invocationTarget": f"{ORIGIN}/g/another"}),
    )
    yield _chain_case(
        wide, "CAP-21", "a first link above its root", capability({"invocationTarget": f"{ORIGIN}/g"})
    )
    yield _chain_case(
        "valid",
        "CAP-21 CAP-23",
        "a first link for one permission",
        capability({"invocationTarget": _PERMISSION}),
    )
    yield _chain_case(
        wide,
        "CAP-21 CAP-8",
        "a target that only begins alike",
        below({"invocationTarget": ROOT_TARGET + "9"}),
    )
    yield _chain_case(wide, "CAP-21", "a target above", below({"invocationTarget": f"{ORIGIN}/g"}))
    yield _chain_case(
        wide,
        "CAP-21 MOV-14",
        "a target at another origin",
        below({"invocationTarget": f"https://elsewhere.example/g/{GRANT_UUID}/delivery"}),
    )
    yield _chain_case(wide, "CAP-21", "an action more", below({"allowedAction": ["read", "write"]}))
    yield _chain_case(wide, "CAP-21", "another action", below({"allowedAction": ["answer"]}))
    yield _chain_case(wide, "CAP-21", "a later end", below({"expires": "2026-11-30T12:11:01Z"}))
    yield _chain_case("valid", "CAP-21", "the same end", below({"expires": "2026-11-30T12:11:00Z"}))
    yield _chain_case(wide, "CAP-21", "made before its parent", below({}, created="2026-11-23T12:10:59Z"))
    yield _chain_case(wide, "CAP-21 CAP-2", "a mark", below({GENERATION: CAPABILITY[GENERATION]}))
    yield _chain_case(
        wide, "CAP-22", "an end at its beginning", capability({"expires": "2026-11-23T12:11:00Z"})
    )
    yield _chain_case(
        wide, "CAP-22", "an end before its beginning", capability({"expires": "2026-11-23T12:10:00Z"})
    )
    yield _chain_case("valid", "CAP-22", "ninety days", capability({"expires": "2027-02-21T12:11:00Z"}))
    yield _chain_case(
        wide, "CAP-22 LIM-1", "ninety days and a second", capability({"expires": "2027-02-21T12:11:01Z"})
    )
    middle = _links(1, target=_PERMISSION)
    wider = capability(
        {
            "id": "urn:uuid:4f0c2b1a-7e6d-4c5b-8a9f-1e2d3c4b5a61",
            "controller": SUBPARTNER.did,
            "invocationTarget": ROOT_TARGET,
        },
        key=PARTNER,
        parent=middle,
    )
    yield _chain_case(
        wide, "CAP-21 CAP-23", "a third link that is wider than the second and not than the first", wider
    )
    for name, code, now in (
        ("its last second", "valid", "2026-11-24T12:10:59Z"),
        ("its end", "capability-expired", "2026-11-24T12:11:00Z"),
        ("long after", "capability-expired", "2027-01-01T00:00:00Z"),
        ("60 s before it was made", "valid", "2026-11-23T12:10:00Z"),
        ("61 s before it was made", "capability-invalid", "2026-11-23T12:09:59Z"),
    ):  # fmt: skip
        yield _chain_case(code, "CAP-26", f"at {name}", DELEGATED, now=now)
    short = capability({"expires": "2026-11-23T12:30:00Z"})
    yield _chain_case(
        "capability-expired",
        "CAP-26",
        "a parent that is past its end",
        capability({"expires": "2026-11-23T12:30:00Z"}, key=VENDOR, parent=short),
        now="2026-11-23T12:30:00Z",
    )


def _headers() -> Iterator[Case]:
    data = jcs(CAPABILITY)

    def case(code: str, requirements: str, name: str, text: str, output: Json = None) -> Case:
        return (
            valid(requirements, name, output, text=text)
            if code == "valid"
            else refused(code, requirements, name, text=text)
        )

    whole = gzipped(data)
    yield case("valid", "CAP-30", "a capability", wire(CAPABILITY), {"capability": CAPABILITY})
    yield case("valid", "CAP-30", "of two links", wire(DELEGATED), {"capability": DELEGATED})
    stored = gzip.compress(data, 0, mtime=0)
    yield case(
        "valid",
        "CAP-30",
        "stored and not compressed",
        b64u(stored[:9] + b"\xff" + stored[10:]),
        {"capability": CAPABILITY},
    )
    text = b64u(whole)
    bad = "malformed"
    yield case(bad, "CAP-30", "with something after it", b64u(whole + b"\0"))
    yield case(bad, "CAP-30", "two gzip members", b64u(gzipped(data[:100]) + gzipped(data[100:])))
    yield case(bad, "CAP-30", "a gzip member that is cut short", b64u(whole[:-1]))
    yield case(bad, "CAP-30", "another check sum", b64u(whole[:-8] + bytes(4) + whole[-4:]))
    yield case(bad, "CAP-30", "another length", b64u(whole[:-4] + bytes(4)))
    yield case(bad, "CAP-30", "not gzip", b64u(data))
    yield case(bad, "CAP-30 ENC-2", "in base64 with padding", text + "=" * (-len(text) % 4 or 4))
    yield case(bad, "CAP-30", "nothing", "")
    yield case(bad, "CAP-30 ENC-5", "no object", b64u(gzipped(b"[]")))
    yield case(
        "duplicate-key",
        "CAP-30 ENC-5",
        "a key twice",
        b64u(gzipped(data.replace(b'"id"', b'"id":"urn:uuid:00000000-0000-4000-8000-000000000000","id"', 1))),
    )
    yield case("too-large", "CAP-30 LIM-1", "8,193 characters", "A" * 8_193)
    yield case(
        "too-large",
        "CAP-30 LIM-1",
        "more than 65,536 bytes inflated",
        b64u(gzipped(data + b"\n", repeats=260)),
    )
    yield case("valid", "CAP-30", "nearly as many bytes inflated", b64u(gzipped(data + b"\n", repeats=245)))


OPERATIONS = (
    Operation(
        name="root-id",
        description="Give the `id` of the root capability of a `target`, or the `target` of an `id`.",
        cases=tuple(_roots()),
    ),
    Operation(name="read-target", description="Read the `target` of a capability.", cases=tuple(_targets())),
    Operation(
        name="target-within",
        description="Say whether a request for `target` is within a capability whose target is "
        "`before`: `wrong-target` if not.",
        cases=tuple(_within()),
    ),
    Operation(
        name="verify-chain",
        description="Verify a `capability`, with the parents it embeds, under the root of "
        "`rootTarget` that `rootKey` controls, as of `now`. Output: for each link below the "
        "root, the first first, what names it for revoking (`digests`) and its `controllers`; when "
        "the chain `expires`; and the `generation` of the first.",
        cases=(*_form(), *_chains(), *_narrowing()),
    ),
    Operation(
        name="read-capability-header",
        description="Read the `text` of a capability as it stands in a header, without verifying a "
        "proof. Output: the `capability`.",
        cases=tuple(_headers()),
    ),
)
