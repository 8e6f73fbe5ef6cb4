"""Who signed a request, and of when it is: proofs, keys and times."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ..cast import asker
from ..cast.stage import DAY_S, Stage
from ..check import Topic, expect_problem, expect_status
from ..hands import proof
from ..hands.edit import ABSENT, edited
from ..hands.encoding import Document, Json, from_multibase, multibase, xsd_time
from ..hands.keys import Key

topic = Topic()

_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
"""Of the group of Ed25519."""


def _resigned(request: Document, key: Key, **options: Json) -> Document:
    """Return the request with a proof of other options; None leaves one out."""
    unsigned = {name: value for name, value in request.items() if name != "proof"}
    chosen = {name: value for name, value in request["proof"].items() if name != "proofValue"} | options
    chosen = {name: value for name, value in chosen.items() if value is not None}
    value = key.sign(proof.signed_bytes(unsigned, chosen))
    return {**unsigned, "proof": {**chosen, "proofValue": multibase(value)}}


# Proofs


_ALTERED: Final[dict[str, tuple[str, Any]]] = {
    "id": ("id", "urn:uuid:00000000-0000-4000-8000-000000000000"),
    "nonce": ("nonce", "A" * 32),
    "expires": ("expires", "2030-01-01T00:00:00Z"),
    "vendor's-name": ("assignee.name", "Another Shop"),
    "a-field": ("permission.0.items.0.fields", ["name", "email", "telephone"]),
    "about": ("permission.0.items.0.about", "self"),
    "no-condition": ("permission.0.items.0.where", ABSENT),
    "new-records": ("permission.0.items.0.newRecords", True),
    "purpose": ("permission.0.purpose", ["dpv:Marketing"]),
    "retention": ("permission.0.retention", "P31D"),
    "a-partner": ("permission.0.recipients", [Key(bytes(31) + b"\x71").did]),
    "permission's-name": ("permission.0.name", "delivery2"),
    "required": ("permission.0.required", True),
    "a-limit": ("permission.0.limits", {"reads": 5}),
    "benefit": ("benefit", "A million"),
    "terms": ("terms", "Others"),
    "contact": ("contact", "b@example.com"),
}  # fmt: skip


@topic.check("REQ-12", "PRF-7", "PRF-11", cases=_ALTERED)
async def an_altered_request_is_refused(stage: Stage, case: tuple[str, Any]) -> None:
    """A request of which anything was altered after it was signed does not verify, whatever it is."""
    key = Key.fresh()
    request = await asker.request_of(stage, key)
    await asker.refused_then_taken(stage, key, edited(request, *case), 401, "signature-invalid")


_OPTIONS: Final[dict[str, tuple[Document, tuple[int, ...], tuple[str, ...]]]] = {
    "for-capabilities": ({"proofPurpose": "capabilityDelegation"}, (401,), ("signature-invalid",)),
    "to-authenticate": ({"proofPurpose": "authentication"}, (401,), ("signature-invalid",)),
    "no-purpose": ({"proofPurpose": None}, (400,), ("malformed",)),
    "another-suite": ({"cryptosuite": "eddsa-jcs-2019"}, (422,), ("unsupported",)),
    "suite-of-another-curve": ({"cryptosuite": "ecdsa-jcs-2019"}, (422,), ("unsupported",)),
    "suite-of-capabilities": ({"type": "Ed25519Signature2020", "cryptosuite": None}, (422, 400), ("unsupported",
        "malformed")),
    "no-suite": ({"cryptosuite": None}, (400, 422), ("malformed", "unsupported")),
    "another-type": ({"type": "JsonWebSignature2020"}, (422, 400), ("unsupported", "malformed")),
    "no-context": ({"@context": None}, (401, 400), ("signature-invalid", "malformed")),
    "another-context": ({"@context": "https://w3id.org/security/data-integrity/v2"}, (401, 400),
        ("signature-invalid", "malformed")),
    "context-in-an-array": ({"@context": [proof.CONTEXT]}, (401, 400), ("signature-invalid", "malformed")),
    "no-time": ({"created": None}, (401, 400), ("signature-invalid", "malformed")),
    "another-time": ({"created": "2026-01-01T00:00:00Z"}, (401,), ("signature-invalid",)),
    "no-time-at-all": ({"created": "now"}, (400,), ("malformed",)),
    "an-unknown-member": ({"domain": "shop.example"}, (400,), ("malformed",)),
    "an-end": ({"expires": "2030-01-01T00:00:00Z"}, (400,), ("malformed",)),
    "an-id": ({"id": "urn:x"}, (400,), ("malformed",)),
    "a-chain": ({"previousProof": "urn:x"}, (400,), ("malformed",)),
    "method-of-no-key": ({"verificationMethod": "did:example:1#a"}, (422, 401, 400), ("unsupported",
        "signature-invalid", "malformed")),
    "method-that-is-a-number": ({"verificationMethod": 7}, (400,), ("malformed",)),
}  # fmt: skip


@topic.check("PRF-5", "PRF-6", "PRF-9", "PRF-10", "PRF-12", "REQ-12", cases=_OPTIONS)
async def a_proof_of_another_form_is_refused(
    stage: Stage, case: tuple[Document, tuple[int, ...], tuple[str, ...]]
) -> None:
    """A proof by the right key that is for something else, of another time or of another form is refused."""
    options, statuses, codes = case
    key = Key.fresh()
    request = _resigned(await asker.request_of(stage, key), key, **options)
    invitation = await stage.owner.invite()
    answer = await stage.post_request(invitation, request)
    expect_status(answer, *statuses)
    expect_problem(answer, answer.status, *codes)
    asked = await asker.take(stage, invitation, key, await asker.request_of(stage, key))
    await stage.owner.refuse(asked.id)


def _plus_order(value: str) -> str:
    """Return the other signature that a careless verifier takes: S and the order of the group."""
    signature = from_multibase(value)
    s = int.from_bytes(signature[32:], "little") + _ORDER
    return multibase(signature[:32] + s.to_bytes(32, "little"))


_VALUES: Final[dict[str, tuple[Callable[[str], Json], tuple[int, ...]]]] = {
    "of-zeros": (lambda _: multibase(bytes(64)), (401,)),
    "with-the-order-added": (_plus_order, (401,)),
    "cut": (lambda value: multibase(from_multibase(value)[:-1]), (400, 401)),
    "longer": (lambda value: multibase(from_multibase(value) + b"\0"), (400, 401)),
    "one-bit-other": (lambda value: multibase(bytes([from_multibase(value)[0] ^ 1]) + from_multibase(value)[1:]),
        (401,)),
    "in-base64url": (lambda value: "u" + value[1:], (400,)),
    "without-a-prefix": (lambda value: value[1:], (400,)),
    "with-a-letter-that-is-none": (lambda value: value[:-1] + "0", (400,)),
    "empty": (lambda _: "", (400,)),
    "null": (lambda _: None, (400,)),
    "too-long": (lambda _: "z" + "1" * 300, (400, 413)),
}  # fmt: skip


@topic.check("PRF-8", "PRF-14", "ENC-1", cases=_VALUES)
async def a_signature_that_is_none_is_refused(
    stage: Stage, case: tuple[Callable[[str], Json], tuple[int, ...]]
) -> None:
    """A signature that is not of this request by this key, in the one spelling, is refused."""
    make, statuses = case
    key = Key.fresh()
    request = await asker.request_of(stage, key)
    invitation = await stage.owner.invite()
    answer = await stage.post_request(
        invitation, edited(request, "proof.proofValue", make(request["proof"]["proofValue"]))
    )
    expect_status(answer, *statuses)
    expect_problem(answer, answer.status, "malformed", "signature-invalid", "too-large")
    await stage.owner.refuse((await asker.take(stage, invitation, key, request)).id)


@topic.check("REQ-12", "PRF-15", "IDN-2", cases={"its-own-method": True, "the-vendor's-method": False})
async def a_request_by_another_key_is_refused(stage: Stage, own: bool) -> None:
    """A request is signed by the vendor that it names, and by nobody else in its name."""
    key, other = Key.fresh(), Key.fresh()
    request = await asker.request_of(stage, key)
    method = other.method if own else key.method
    forged = _resigned(request, other, verificationMethod=method)
    await asker.refused_then_taken(stage, key, forged, 401, "signature-invalid")


_METHODS: Final[dict[str, Callable[[Key], str]]] = {
    "no-fragment": lambda key: key.did,
    "another-fragment": lambda key: f"{key.did}#key-1",
    "another-key's-fragment": lambda key: f"{key.did}#{Key(bytes(32)).did.removeprefix('did:key:')}",
    "twice": lambda key: f"{key.method}#x",
    "with-a-query": lambda key: f"{key.did}?a=b#{key.did.removeprefix('did:key:')}",
    "with-a-space": lambda key: f"{key.method} ",
}


@topic.check("IDN-2", "PRF-13", cases=_METHODS)
async def a_key_has_one_method(stage: Stage, method: Callable[[Key], str]) -> None:
    """The verification method of a did:key is the DID, # and the key again; no other spelling is one."""
    key = Key.fresh()
    request = _resigned(await asker.request_of(stage, key), key, verificationMethod=method(key))
    invitation = await stage.owner.invite()
    answer = await stage.post_request(invitation, request)
    expect_status(answer, 400, 401)
    expect_problem(answer, answer.status, "malformed", "signature-invalid")


_OTHER_KEYS: Final[dict[str, tuple[str, tuple[int, ...]]]] = {
    "p-256": ("did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169", (422,)),
    "secp256k1": ("did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme", (422,)),
    "x25519": ("did:key:z6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc", (422,)),
    "another-method": ("did:example:123", (422,)),
    "did-jwk": ("did:jwk:eyJrdHkiOiJPS1AifQ", (422,)),
    "cut": ("did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2do", (400, 422)),
    "base64url": ("did:key:u7QEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", (400, 422)),
}


@topic.check("IDN-1", "IDN-3", cases=_OTHER_KEYS)
async def a_key_of_another_kind_is_refused(stage: Stage, case: tuple[str, tuple[int, ...]]) -> None:
    """A vendor whose identity is of another kind than this protocol has is refused."""
    did, statuses = case
    key = Key.fresh()
    assignee: Document = {"id": did, "type": "Organization", "name": "Shop"}
    method = f"{did}#{did.rpartition(':')[2]}"
    request = stage.request(
        key, await asker.wanted(stage), assignee=assignee, signing={"verificationMethod": method}
    )
    answer = await stage.post_request(await stage.owner.invite(), request)
    expect_status(answer, *statuses)
    expect_problem(answer, answer.status, "unsupported" if answer.status == 422 else "malformed")


@topic.check("PRF-5", cases={"an-array-of-one": 1, "of-two": 2, "of-none": 0})
async def a_request_has_one_proof(stage: Stage, number: int) -> None:
    """An array of proofs is refused, even of one that is good."""
    key = Key.fresh()
    request = await asker.request_of(stage, key)
    await asker.refused_then_taken(
        stage, key, {**request, "proof": [request["proof"]] * number}, 400, "malformed"
    )


@topic.check("REQ-12")
async def a_proof_is_of_one_request(stage: Stage) -> None:
    """The proof of one request proves no other."""
    key = Key.fresh()
    one, other = await asker.request_of(stage, key), await asker.request_of(stage, key)
    await asker.refused_then_taken(stage, key, {**one, "proof": other["proof"]}, 401, "signature-invalid")


# Times


_TIMES: Final[dict[str, tuple[float, float, str]]] = {
    "made-long-ago": (-DAY_S - 120, 30 * DAY_S, "signature-stale"),
    "made-last-year": (-365 * DAY_S, 30 * DAY_S, "signature-stale"),
    "made-tomorrow": (DAY_S, 30 * DAY_S, "signature-stale"),
    "made-too-early": (120, 30 * DAY_S, "signature-stale"),
    "over": (-3600, -60, "request-incomplete"),
    "over-as-it-begins": (-60, -60, "request-incomplete"),
    "before-it-was-made": (-60, -120, "request-incomplete"),
    "for-ever": (-60, 3_660 * DAY_S + 60, "request-incomplete"),
    "until-9999": (-60, 251_000_000_000, "request-incomplete"),
}
_IN_TIME: Final[dict[str, tuple[float, float]]] = {
    "now": (0, DAY_S),
    "almost-a-day-ago": (-DAY_S + 120, 30 * DAY_S),
    "by-a-clock-that-is-fast": (30, 30 * DAY_S),
    "for-ten-years": (-60, 3_660 * DAY_S - 60),
    "for-a-minute": (-60, 60),
}


def _timed(now: float, case: tuple[float, ...]) -> Document:
    return {"created": xsd_time(now + case[0]), "expires": xsd_time(min(now + case[1], 253_402_300_799))}


@topic.check("REQ-13", "REQ-14", "HTTP-16", cases=_TIMES)
async def a_request_of_another_time_is_refused(stage: Stage, case: tuple[float, float, str]) -> None:
    """A request that was not made now is stale; one that ends in the past, or hardly ever, is incomplete."""
    key = Key.fresh()
    status = 401 if case[2] == "signature-stale" else 400
    request = await asker.request_of(stage, key, **_timed(stage.now(), case[:2]))
    await asker.refused_then_taken(stage, key, request, status, case[2])


@topic.check("REQ-13", "REQ-14", cases=_IN_TIME)
async def a_request_of_its_time_is_taken(stage: Stage, case: tuple[float, float]) -> None:
    """A request of the last day, or of a minute ahead, for at most 3,660 days, is taken."""
    key = Key.fresh()
    request = await asker.request_of(stage, key, **_timed(stage.now(), case))
    await stage.owner.refuse((await asker.take(stage, await stage.owner.invite(), key, request)).id)
