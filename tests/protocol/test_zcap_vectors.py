"""Requests captured from another implementation (Digital Bazaar's), each judged at its own time, none skipped.

What is judged is all of the way that needs no node: the HTTP signature, the chain, the times, and what is asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from freehold_protocol.capability import from_wire
from freehold_protocol.encoding import Document
from freehold_protocol.errors import (
    ActionError,
    AttenuationError,
    CapabilityError,
    ControllerError,
    ExpiredError,
    FreeholdError,
    MalformedError,
    SignatureError,
    StaleSignatureError,
    TargetError,
    UnsupportedError,
)
from freehold_protocol.ezcap import parse_authorization, verify_ezcap
from freehold_protocol.http_signature import combine_headers
from freehold_protocol.invocation import parse_invocation
from freehold_protocol.keys import PublicKey
from zcap_judge import Asked, Judge

REFUSED: Mapping[str, type[FreeholdError]] = {
    "20-bad-wrong-action": ActionError,
    "22-bad-widened-invocation": TargetError,
    "24-bad-wrong-signer": ControllerError,
    "27-bad-signature-expired": StaleSignatureError,
    "29-bad-body-tampered": SignatureError,
    "31-bad-sig-bitflip": SignatureError,
    "36-bad-zcap-expired": ExpiredError,
    "39-bad-child-outlives-parent": AttenuationError,
    "41-bad-widened-action": AttenuationError,
    "43-bad-wrong-delegator": ControllerError,
    "45-bad-broken-chain-skipped": CapabilityError,
    "48-bad-other-root": CapabilityError,
    "50-bad-delegated-in-future": CapabilityError,
    "63-bad-revoke-by-evil": ControllerError,
}
"""What every implementation refuses, and why this one does."""

STRICTER: Mapping[str, tuple[type[FreeholdError], str]] = {
    "16-query-duplicate-param": (TargetError, "two programs would read two different values of one key"),
    "18-dot-segment-hand-signed": (
        TargetError,
        "what is routed could be another path than what was compared",
    ),
    "19-pct-dot-segment-hand-signed": (TargetError, "likewise, in another spelling"),
    "35-edge-long-signature-lifetime": (StaleSignatureError, "a signature lives 600 s, not 300 days"),
    "37-edge-zcap-expired-within-skew": (ExpiredError, "no skew for the end of what the node issued"),
    "53-caveat-jcs": (UnsupportedError, "a limit that is not understood is not enforced either"),
    "57-expires-offset-timezone": (MalformedError, "one spelling of a time, so that a capability has one"),
    "58-controller-array-action-string": (MalformedError, "one form of each member; one holder each link"),
}
"""What others accept and this one refuses, and why."""


def judge(case: Document) -> None:
    """Judge a request as a node would that controls the case's root; raises the refusal."""
    request, verifier = case["request"], case["verifier"]
    raw: list[str] = request["raw_headers"]
    asked = Asked(
        method=request["method"],
        target=request["url"],
        headers=combine_headers(zip(raw[::2], raw[1::2], strict=True)),
        body=None if request["body"] is None else request["body"].encode(),
    )
    root_key = PublicKey.from_did(verifier["root_capability"]["controller"])
    node = Judge(root_target=verifier["root_target"], root_key=root_key, now_s=case["now"])
    invocation = node.judge(asked, revokes="endpoint" in case)
    assert invocation.profile == "ezcap"
    assert invocation.action == verifier["expected_action"]


def cases(vectors: Path) -> dict[str, Document]:
    return {
        path.stem: json.loads(path.read_text("utf-8")) for path in sorted((vectors / "zcap").glob("*.json"))
    }


@pytest.mark.vectors
def test_every_case(vectors: Path, count_vectors: Callable[..., None]) -> None:
    found = cases(vectors)
    assert found.keys() >= REFUSED.keys() | STRICTER.keys()
    for name, case in found.items():
        verdict = case["expected"]["verdict"]
        if name in REFUSED:
            assert verdict == "reject", name
            error = REFUSED[name]
        elif name in STRICTER:
            assert verdict in ("accept", "policy-reject", "accept-with-skew-300"), name
            error = STRICTER[name][0]
        else:
            assert verdict == "accept", name
            judge(case)
            continue
        with pytest.raises(FreeholdError) as raised:
            judge(case)
        assert type(raised.value) is error, (name, raised.value)
    assert len(found) == 35
    count_vectors("zcap", len(found))


@pytest.mark.vectors
def test_the_bytes_under_every_signature(vectors: Path) -> None:
    """What they signed is rebuilt from the message and the target's own origin, whatever else is wrong with it."""
    good = 0
    for name, case in cases(vectors).items():
        request = case["request"]
        headers: dict[str, str] = request["headers"]
        body = None if request["body"] is None else request["body"].encode()
        if name == "29-bad-body-tampered":
            body = b'{"a":1}'  # what was signed
        signed = parse_authorization(request["method"], headers, body=body)
        assert case["signing_string"].startswith(f"(key-id): {signed.keyid}\n(created): {signed.created}\n")
        try:
            verify_ezcap(
                signed,
                PublicKey.from_method(signed.keyid),
                method=request["method"],
                target_uri=request["absolute_url"],
                headers=headers,
            )
            good += 1
        except SignatureError:
            assert name == "31-bad-sig-bitflip"
    assert good == 34


@pytest.mark.vectors
def test_a_capability_of_another_client_is_read_as_it_is(vectors: Path) -> None:
    for name, case in cases(vectors).items():
        document: Any = case["decoded_capability"]
        if document is None or name in STRICTER or name in REFUSED:
            continue
        header = case["request"]["headers"]["capability-invocation"]
        leaf = from_wire(header.partition('capability="')[2].partition('"')[0])
        assert leaf.document == document
        assert leaf.id == document["id"]
        assert leaf.target == document["invocationTarget"]


@pytest.mark.vectors
def test_the_replayed_case_is_two_equal_messages(vectors: Path) -> None:
    """Nothing in the bytes tells a replay; a node that is asked to write answers both alike, and once."""
    case = cases(vectors)["64-replay-source"]
    headers, now_s = case["request"]["headers"], case["now"]
    one, again = (parse_invocation("GET", headers, body=None, now_s=now_s) for _ in range(2))
    assert one.nonce is None
    assert one.signature_digest == again.signature_digest
