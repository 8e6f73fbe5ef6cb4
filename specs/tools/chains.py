"""JSON Schemas of what opens a grant and of what is written down under it: capabilities and ledgers."""

from __future__ import annotations

from typing import Final

from documents import MAX_PURPOSES, hours
from forms import ACTIONS, CODES, LIMITS, OURS, Schema, array, closed, const, one_of, pattern, ref, text

_DPV: Final = "https://w3id.org/dpv#"
_ZCAP: Final = "https://w3id.org/zcap/v1"
_SECOND: Final = {
    "DataIntegrityProof": "https://w3id.org/security/data-integrity/v2",
    "Ed25519Signature2020": "https://w3id.org/security/suites/ed25519-2020/v1",
}
_CHANGES: Final = (
    "approve", "narrow", "widen", "pause", "resume", "rotate", "end", "expire", "record-deleted", "vendor-keys",
)  # fmt: skip


def caveat() -> Schema:
    """Return one caveat of a link; its members are named by whole IRIs."""
    purposes = array(
        pattern(f"^{_DPV}[A-Z][A-Za-z]{{1,63}}$", "A purpose of DPV."), least=1, most=MAX_PURPOSES
    )
    kinds = (
        {"type": const(OURS + "PurposeLimit"), OURS + "purpose": {**purposes, "uniqueItems": True}},
        {"type": const(OURS + "HoursLimit"), **hours(OURS)},
        {"type": const(OURS + "CountLimit"), OURS + "reads": ref("#count")},
        {"type": const(OURS + "RateLimit"), OURS + "reads": ref("#count"), OURS + "per": ref("#duration")},
    )
    return {"oneOf": [closed(kind) for kind in kinds]}


def _suite(kind: str, cryptosuite: str | None) -> Schema:
    """Return what a capability says where its proof is of one suite."""
    contexts = const([_ZCAP, _SECOND[kind]])
    chain: Schema = {
        "type": "array",
        "prefixItems": [ref("#root")],
        "items": {"anyOf": [ref("#urn"), ref("capability")]},
        "minItems": 1,
        "maxItems": LIMITS["MAX_CHAIN_LINKS"] - 1,
    }
    members = {
        "type": const(kind),
        **({"cryptosuite": const(cryptosuite)} if cryptosuite else {}),
        "created": ref("#time"),
        "verificationMethod": ref("#method"),
        "proofPurpose": const("capabilityDelegation"),
        "capabilityChain": chain,
        "proofValue": ref("#proofValue"),
        **({"@context": contexts} if cryptosuite == "eddsa-jcs-2022" else {}),
    }
    return {"properties": {"@context": contexts, "proof": closed(members)}}


def capability() -> Schema:
    """Return a delegated link of a chain, its parents embedded in its proof."""
    made = closed(
        {
            "@context": {"type": "array"},
            "id": ref("#urn"),
            "parentCapability": {"anyOf": [ref("#root"), ref("#urn")]},
            "controller": ref("#didKey"),
            "invocationTarget": ref("#target"),
            "allowedAction": array(one_of(ACTIONS), least=1, most=len(ACTIONS), distinct=True),
            "expires": ref("#time"),
            "proof": {"type": "object"},
        },
        {
            "caveat": array(ref("caveat"), least=1, most=LIMITS["MAX_CAVEATS"], distinct=True),
            OURS + "generation": {"type": "string", "minLength": 1, "maxLength": 64},
        },
    )
    suites = (
        ("DataIntegrityProof", "eddsa-jcs-2022"),
        ("DataIntegrityProof", "eddsa-rdfc-2022"),
        ("Ed25519Signature2020", None),
    )
    return {**made, "oneOf": [_suite(*one) for one in suites]}


# Ledgers


def _entry(kind: str, required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    return closed({"number": ref("#number"), "time": ref("#time"), "kind": const(kind), **required}, optional)


def _kinds() -> dict[str, Schema]:
    who = {
        "who": ref("#did"),
        "chain": array(ref("#digest"), least=1, most=LIMITS["MAX_CHAIN_LINKS"]),
    }
    fields = LIMITS["MAX_ITEMS"] * LIMITS["MAX_FIELDS"]
    admitted = {
        **who,
        "action": one_of(ACTIONS),
        "permission": ref("#name"),
        "route": pattern("^/[A-Za-z0-9/{}._-]{0,199}$", "The template of the target, without ids."),
        "method": pattern("^[A-Z]{3,7}$", "The method of the invocation."),
        "fields": array(text(512), most=fields, distinct=True),
        "count": ref("#number"),
        "version": ref("#count"),
        "signature": ref("#digest"),
        "released": ref("#digest"),
        "status": one_of([200, 304]),
    }
    changed = {"grant": ref("#cid"), "version": ref("#count"), "epoch": ref("#number")}
    revoked = {"anyOf": [ref("#did"), ref("#urn"), ref("#digest")]}
    refused = {**who, "code": one_of(list(CODES)), "hour": ref("#time"), "count": ref("#count")}
    received = {"who": ref("#did"), "acknowledges": ref("#number"), "signature": ref("#digest")}
    return {
        "admitted": _entry("admitted", admitted, {"query": ref("#digest"), "repeatOf": ref("#number")}),
        "changed": _entry("changed", {"change": one_of(_CHANGES), **changed}),
        "revoked": _entry("changed", {"change": const("revoke"), **changed, "revoked": revoked}),
        "stated": _entry(
            "changed", {"change": one_of(["move", "restore"]), **changed, "statement": ref("#cid")}
        ),
        "refused": _entry("refused", refused, {"permission": ref("#name")}),
        "received": _entry("received", received),
        "erased": _entry("erased", {"erases": ref("#number"), "leaf": ref("#digest")}),
    }


def ledger_entry() -> Schema:
    """Return one line of a ledger: one of five kinds, a change in three forms."""
    kinds = _kinds()
    return {"oneOf": [{"$ref": f"#/$defs/{kind}"} for kind in kinds], "$defs": kinds}


def ledger_bundle() -> Schema:
    """Return a whole ledger that verifies offline."""
    one = {
        "oneOf": [
            closed({"entry": ref("ledger-entry"), "salt": ref("#digest"), "leaf": ref("#digest")}),
            closed({"entry": {"type": "null"}, "salt": {"type": "null"}, "leaf": ref("#digest")}),
        ]
    }
    return closed(
        {
            "type": const("LedgerBundle"),
            "origin": ref("#log"),
            "servingKey": ref("#didKey"),
            "checkpoint": ref("#checkpoint"),
            "entries": array(one),
        },
        {"holder": ref("#did"), "receipt": ref("receipt")},
        **{"not": {"required": ["holder", "receipt"]}},
    )


CHAINS: Final = {
    "capability": capability,
    "caveat": caveat,
    "ledger-entry": ledger_entry,
    "ledger-bundle": ledger_bundle,
}
