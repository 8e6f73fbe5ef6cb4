"""The library's answers about targets, capabilities and caveats."""

from __future__ import annotations

from freehold_protocol.capability import Capability, from_wire, root_id, target_of_root
from freehold_protocol.delegation import verify_chain
from freehold_protocol.encoding import Document, Json, format_time, parse_time
from freehold_protocol.errors import TargetError
from freehold_protocol.keys import PublicKey
from freehold_protocol.target import is_plain, lies_within, read_target


def root(given: Document) -> Json:
    return {"target": target_of_root(given["id"])} if "id" in given else {"id": root_id(given["target"])}


def target(given: Document) -> Json:
    read_target(given["target"])


def target_within(given: Document) -> Json:
    if not (lies_within(given["target"], given["before"]) and is_plain(given["target"])):
        raise TargetError("not within")


def chain(given: Document) -> Json:
    found = verify_chain(
        Capability.from_dict(given["capability"]),
        root_target=given["rootTarget"],
        root_key=PublicKey.from_did(given["rootKey"]),
    )
    found.check_now(parse_time(given["now"]))
    return {
        "digests": list(found.digests),
        "controllers": [key.did for key in found.controllers],
        "expires": format_time(found.expires_s),
        "generation": found.generation,
    }


def header(given: Document) -> Json:
    return {"capability": from_wire(given["text"]).document}


OPERATIONS = {
    "root-id": root,
    "read-target": target,
    "target-within": target_within,
    "verify-chain": chain,
    "read-capability-header": header,
}
