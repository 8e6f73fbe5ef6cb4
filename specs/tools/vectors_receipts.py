"""Vectors of specs/receipts.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from cases import Case, Json, Operation, refused, valid
from craft import GONE, RDFC, Document, Key, but, cid
from scene import (
    DECISION,
    DECISION_1,
    GRANT,
    PARTNER,
    PAUSED,
    PERSON_2,
    REQUEST,
    SERVING,
    SHOP,
    STRANGER,
    SUBPARTNER,
    VENDOR,
    after,
    grant,
    request,
    rotated,
)


def _receipt(versions: list[Document], asked: Document = REQUEST) -> Document:
    return {"type": "Receipt", "request": asked, "versions": versions}


_RESUMED: Final = after(PAUSED, {"state": "live", "created": "2026-11-25T12:00:00Z"}, key=DECISION)


def _back(key: str, value: str, signer: tuple[Key, ...]) -> Document:
    """Return a change of keys, after another, that brings a key back."""
    first = rotated(GRANT)
    return rotated(
        first,
        {
            "created": "2026-11-26T12:00:00Z",
            "assigner": PERSON_2.did,
            "servingKey": SUBPARTNER.did,
            key: value,
        },
        keys=signer,
    )


def _receipts() -> Iterator[Case]:
    def case(code: str, requirements: str, name: str, receipt: Json, output: Json = None) -> Case:
        return (
            valid(requirements, name, output, receipt=receipt)
            if code == "valid"
            else refused(code, requirements, name, receipt=receipt)
        )

    whole = [GRANT, PAUSED, _RESUMED]
    yield case(
        "valid",
        "RCP-1 RCP-2 RCP-3 RCP-4",
        "three versions",
        _receipt(whole),
        {"cid": cid(_RESUMED), "state": "live", "version": 3},
    )
    yield case(
        "valid",
        "RCP-5 RCP-3",
        "its beginning",
        _receipt(whole[:2]),
        {"cid": cid(PAUSED), "state": "paused", "version": 2},
    )
    bad = "receipt-invalid"
    yield case(bad, "RCP-3", "no version", _receipt([]))
    yield case(bad, "RCP-3 GRA-16", "a version left out", _receipt([GRANT, _RESUMED]))
    yield case(bad, "RCP-3 GRA-16", "the first left out", _receipt(whole[1:]))
    yield case(bad, "RCP-1 RCP-3", "the newest first", _receipt(whole[::-1]))
    yield case(bad, "RCP-3 REQ-12", "a request that another signed", _receipt(whole, request(key=STRANGER)))
    yield case(bad, "RCP-2 RCP-3 GRA-5", "another request", _receipt(whole, request({"benefit": "Nothing."})))
    yield case(
        bad,
        "RCP-2 PRF-4",
        "the request with another proof of the same key",
        _receipt(whole, request(suite=RDFC)),
    )
    yield case(bad, "RCP-3 REQ-14", "a request for longer than may be", _of_long_request())
    yield case(
        bad,
        "RCP-3 GRA-8",
        "a version that its key may not sign",
        _receipt([*whole[:2], after(PAUSED, {"state": "live"}, key=SERVING)]),
    )
    yield case("malformed", "RCP-1 ENC-13", "a member more", {**_receipt(whole), "proof": {}})
    yield case("malformed", "RCP-1 ENC-13", "without the request", but(_receipt(whole), {"request": GONE}))
    yield case("malformed", "RCP-1", "another type", {**_receipt(whole), "type": "LedgerBundle"})
    yield case("malformed", "RCP-1", "versions that are one", {**_receipt(whole), "versions": GRANT})
    changed = rotated(GRANT)
    yield case("valid", "RCP-3 ROT-4", "a change of keys", _receipt([GRANT, changed]), {"cid": cid(changed)})
    new = rotated(
        changed,
        {"created": "2026-11-26T12:00:00Z", "assigner": PERSON_2.did, "servingKey": SUBPARTNER.did},
        keys=(DECISION_1, PERSON_2),
    )
    yield case("valid", "ROT-4", "two changes of keys", _receipt([GRANT, changed, new]))
    for name, member, value, signer in (
        ("the first decision key", "assigner", DECISION, DECISION),
        ("the first serving key", "servingKey", SERVING, PERSON_2),
        ("the first serving key, as decision key", "assigner", SERVING, SERVING),
        ("the first decision key, as serving key", "servingKey", DECISION, PERSON_2),
    ):  # fmt: skip
        yield case(
            bad,
            "ROT-4 RCP-3",
            f"{name} comes back",
            _receipt([GRANT, changed, _back(member, value.did, (DECISION_1, signer))]),
        )
    shop = request(
        {"assignee": {"id": SHOP, "type": "Organization", "name": "Example Shop"}},
        members={"verificationMethod": f"{SHOP}#key-1"},
    )
    named: Document = {"request": cid(shop), "assignee": SHOP, "assigneeKey": VENDOR.did}
    yield case(
        "valid",
        "RCP-3 RCP-4",
        "of a did:web, by the key that the person named",
        _receipt([grant(named)], shop),
    )
    yield case(
        bad,
        "RCP-3 RCP-4",
        "of a did:web, by another key than the person named",
        _receipt([grant(named | {"assigneeKey": PARTNER.did})], shop),
    )


def _of_long_request() -> Document:
    asked = request({"expires": "2040-01-01T00:00:00Z"})
    return _receipt([grant({"request": cid(asked)})], asked)


def _continued() -> Iterator[Case]:
    def case(
        code: str, name: str, held: list[Document], versions: list[Document], output: Json = None
    ) -> Case:
        given = {"receipt": _receipt(held), "versions": versions}
        return (
            valid("RCP-9", name, output, **given)
            if code == "valid"
            else refused(code, "RCP-9", name, **given)
        )

    last = {"cid": cid(_RESUMED), "version": 3}
    bad = "receipt-invalid"
    yield case("valid", "two versions more", [GRANT], [PAUSED, _RESUMED], last)
    yield case("valid", "nothing more", [GRANT], [], {"version": 1})
    yield case("valid", "one that is held already comes again", [GRANT, PAUSED], [PAUSED, _RESUMED], last)
    yield case(
        bad,
        "another in the place of one that is held",
        [GRANT, PAUSED],
        [after(GRANT, {"state": "ended"}, key=SERVING)],
    )
    yield case(bad, "one is left out", [GRANT], [_RESUMED])
    yield case(bad, "in another order", [GRANT], [_RESUMED, PAUSED])
    yield case(
        bad, "signed by a key that may not", [GRANT, PAUSED], [after(PAUSED, {"state": "live"}, key=SERVING)]
    )
    changed = rotated(GRANT)
    yield case(
        bad,
        "a key comes back that was given up",
        [GRANT, changed],
        [_back("servingKey", SERVING.did, (DECISION_1, PERSON_2))],
    )


OPERATIONS = (
    Operation(
        name="verify-receipt",
        description="Verify a `receipt` offline. Output: `cid`, `version` and `state` of the version that stands."
        "Verify a `receipt` offline. Output: `cid`, `version` and `state` of the version that stands.",
        cases=tuple(_receipts()),
    ),
    Operation(
        name="continue-receipt",
        description="Add `versions` to a `receipt` that holds already. Output: as verify-receipt.",
        cases=tuple(_continued()),
    ),
)
