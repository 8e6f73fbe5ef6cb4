"""Links of a chain in every suite, as ZCAP clients in the field write them, and what else they could be spelled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from freehold_protocol.capability import CONTEXTS_2020, Capability
from freehold_protocol.encoding import Document, multibase_encode
from freehold_protocol.keys import SigningKey
from freehold_protocol.proof import ED25519_2020, JCS, RDFC, Suite, hash_to_sign
from signed_documents import SERVING, make_capability

SUITES: tuple[Suite, ...] = (JCS, RDFC, ED25519_2020)


def make_link(suite: Suite, key: SigningKey = SERVING, **members: Any) -> Capability:
    """Return a capability signed in a suite; in the one that is never issued here, as others do it."""
    if suite != ED25519_2020:
        return make_capability(key, suite=suite, **members)
    document = make_capability(key, suite=RDFC, **members).document
    return Capability.from_dict(signed_2020(document, key))


def signed_2020(document: Document, key: SigningKey) -> Document:
    """Return a capability with a proof of Ed25519Signature2020 in place of its own."""
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    unsigned["@context"] = CONTEXTS_2020
    options = {
        name: value
        for name, value in document["proof"].items()
        if name not in ("@context", "cryptosuite", "proofValue")
    } | {"type": ED25519_2020, "verificationMethod": key.method}
    hashed = hash_to_sign(unsigned, {**options, "@context": CONTEXTS_2020}, suite=ED25519_2020)
    return {**unsigned, "proof": {**options, "proofValue": multibase_encode(key.sign(hashed))}}


Respell = Callable[[Document], Document]


def _of_first_caveat(change: Callable[[Document], Document]) -> Respell:
    return lambda document: {**document, "caveat": [change(document["caveat"][0]), *document["caveat"][1:]]}


_OURS = "https://w3id.org/freehold/v1#"

SAME_GRAPH: dict[str, Respell] = {
    "actions in another order": lambda document: {
        **document, "allowedAction": document["allowedAction"][::-1],
    },
    "an action twice": lambda document: {
        **document, "allowedAction": [*document["allowedAction"], document["allowedAction"][0]],
    },
    "a controller in an array": lambda document: {**document, "controller": [document["controller"]]},
    "a target in an array": lambda document: {**document, "invocationTarget": [document["invocationTarget"]]},
    "a parent in an array": lambda document: {**document, "parentCapability": [document["parentCapability"]]},
    "an end in an array": lambda document: {**document, "expires": [document["expires"]]},
    "caveats in another order": lambda document: {**document, "caveat": document["caveat"][::-1]},
    "days in another order": _of_first_caveat(
        lambda caveat: {**caveat, _OURS + "days": caveat[_OURS + "days"][::-1]}
    ),
    "a day twice": _of_first_caveat(lambda caveat: {**caveat, _OURS + "days": caveat[_OURS + "days"] * 2}),
    "an hour in an array": _of_first_caveat(lambda caveat: {**caveat, _OURS + "from": [caveat[_OURS + "from"]]}),
    "a type in an array": _of_first_caveat(lambda caveat: {**caveat, "type": [caveat["type"]]}),
    "a type by its keyword": _of_first_caveat(
        lambda caveat: {("@type" if name == "type" else name): value for name, value in caveat.items()}
    ),
    "an id by its keyword": lambda document: {
        ("@id" if name == "id" else name): value for name, value in document.items()
    },
    "a mark in an array": lambda document: {**document, _OURS + "generation": [document[_OURS + "generation"]]},
    "a purpose of the proof in an array": lambda document: {
        **document, "proof": {**document["proof"], "proofPurpose": ["capabilityDelegation"]},
    },
    "the contexts in the proof": lambda document: {
        **document, "proof": {**document["proof"], "@context": document["@context"]},
    },
    "a proof in an array": lambda document: {**document, "proof": [document["proof"]]},
}  # fmt: skip
"""Other spellings of a capability with two days in its first caveat that the same graph stands behind."""
