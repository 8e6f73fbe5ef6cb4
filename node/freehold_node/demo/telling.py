"""How what came is told: values, requests over the network, and entries of the ledger, a line each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from freehold_protocol.encoding import Document

from .expectation import Values

SHORT: Final = 8
"""So much of an id or a key is enough to tell it from others here."""
_PATH_CHARS: Final = 16


def lines_of(read: Mapping[str, Values]) -> list[str]:
    """Return each field that was read, of all permissions, with its values."""
    return [f"{path}: {'; '.join(found)}" for values in read.values() for path, found in values.items()]


def short_key(did: str) -> str:
    """Return what a key is called here."""
    return "key " + did.removeprefix("did:key:")[:SHORT]


def path_of(url: str) -> str:
    """Return the beginning of a URL's path."""
    path = "/" + url.split("/", 3)[3]
    return path[:_PATH_CHARS] + "..." if len(path) > _PATH_CHARS else path


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Tells entries of one grant's ledger; ``names`` says what the holders of keys are called."""

    grant: str
    names: Mapping[str, str]

    def _name(self, body: Document) -> str:
        return self.names.get(body["who"], short_key(body["who"])) if "who" in body else "you"

    def over_the_wire(self, entry: Document) -> str:
        """Return the request that made an entry; empty if none did."""
        body, who, number = entry["entry"], self._name(entry["entry"]), entry["number"]
        if body["kind"] == "admitted":
            route = str(body["route"]).replace("{grant}", self.grant[:SHORT])
            path = route.replace("{permission}", body["permission"])
            return f"{who} -> node: {body['method']} {path} -> {body['status']}, entry {number}"
        if body["kind"] == "refused":
            asked = body.get("permission") or "something not shared"
            return f"{who} -> node: {asked} refused with {body['code']}, entry {number}"
        return ""

    def in_the_ledger(self, entry: Document) -> str:
        """Return what an entry says."""
        body, who = entry["entry"], self._name(entry["entry"])
        if body["kind"] == "admitted":
            said = f"{who} read {', '.join(body['fields'])} ({body['permission']})"
        elif body["kind"] == "refused":
            said = f"{who} was refused ({body['code']})"
        else:
            said = f"{who}: {body.get('change', body['kind'])}"
        return f"entry {entry['number']}: {said}"
