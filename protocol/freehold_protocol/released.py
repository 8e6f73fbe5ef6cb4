"""Released documents: what leaves the node, built anew from records by allow-list.

Nothing is removed from a record; a new document is made, and only a path that the permission names is put
into it. What is not named cannot be forgotten to be left out.

Spec: specs/released.md
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from . import form
from .canonical import jcs, jcs_digest, without_proof
from .encoding import Document, Json, base64url_encode
from .errors import MalformedError, ReleaseError
from .keys import PublicKey, SigningKey
from .permission import Scalar
from .proof import sign_document, verify_signed_by

PAGE_TYPE: Final = "ReleasedPage"
_ABSENT: Final = object()
Alias = Callable[[str], str]
"""Maps an id of the owner's to the one this relationship's vendor knows."""
_OWNERS: Final = ("urn:uuid:", "urn:freehold:")
"""The owner's namespace: ids that the node made itself. All of them are replaced on release, at any depth."""


def project(content: Document, fields: Iterable[str], *, alias: Alias) -> Document:
    """Return a node's type and the leaves that the paths name; nothing else of it.

    A path goes through arrays transparently. A path that ends at a node and not at a leaf shows nothing, and
    of several paths each shows what it would show alone: fewer paths never show more.

    Args:
        content: What a record says: ``type`` and fields.
        fields: Paths such as ``address.postalCode``.
        alias: Applied to every id of the owner's namespace.

    Spec: specs/released.md#projection
    """
    tree = _Tree()
    for path in fields:
        branch = tree
        for term in path.split("."):
            branch = branch.below.setdefault(term, _Tree())
        branch.ends = True
    shown = _project_node(content, tree, alias)
    return shown if shown is not None else {"type": content["type"]}


@dataclass(slots=True)
class _Tree:
    """Paths by their first terms; ``ends`` where a path ends here, and so shows a leaf."""

    below: dict[str, _Tree] = field(default_factory=dict)
    ends: bool = False


def _project_node(node: Document, tree: _Tree, alias: Alias) -> Document | None:
    made: Document = {}
    for term, branch in tree.below.items():
        if term in node:
            value = _project_value(node[term], branch, alias)
            if value is not _ABSENT:
                made[term] = value
    return {"type": node["type"], **made} if made and "type" in node else (made or None)


def _project_value(value: Json, tree: _Tree, alias: Alias) -> Json:
    if isinstance(value, list):
        shown = [_project_value(item, tree, alias) for item in value]
        kept = [item for item in shown if item is not _ABSENT]
        return kept or _ABSENT
    if isinstance(value, dict):
        node = _project_node(value, tree, alias)
        return _ABSENT if node is None else node
    if value is None or not tree.ends:
        return _ABSENT
    if isinstance(value, str) and value.startswith(_OWNERS):
        return alias(value)
    return value


def leaves(content: Json, path: str) -> list[Scalar]:
    """Return the scalars at a path, through arrays."""
    found = [content]
    for term in path.split("."):
        found = [item for node in found for item in _flat(node.get(term) if isinstance(node, dict) else None)]
    return [value for value in found if isinstance(value, str | int | float)]


def _flat(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [] if value is None else [value]


def matches(content: Document, where: Iterable[tuple[str, Scalar]]) -> bool:
    """Whether content has each wanted scalar at its path, of the same JSON kind."""
    return all(any(_same(value, wanted) for value in leaves(content, path)) for path, wanted in where)


def _same(value: Scalar, wanted: Scalar) -> bool:
    return value == wanted and isinstance(value, bool) == isinstance(wanted, bool)


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """A document or page about to leave, and the bytes a ledger entry binds.

    ``unsigned`` is what the JCS bytes in ``canonical`` say; ``fields`` are the paths it was made by and
    ``count`` the records in it.
    """

    unsigned: Document
    canonical: bytes
    fields: tuple[str, ...]
    count: int

    def sign(self, key: SigningKey) -> bytes:
        """Return the JSON bytes to send, signed by the relationship's serving key.

        The proof has no time: the same content has the same bytes, whenever it is read.
        """
        return jcs(self.signed(key))

    def signed(self, key: SigningKey) -> Document:
        """Return the document with its proof."""
        return sign_document(self.unsigned, key)


def release_document(
    record_id: str, content: Document, *, fields: tuple[str, ...], key: SigningKey, alias: Alias
) -> Released:
    """Return one record as this relationship sees it.

    Args:
        record_id: The owner's id of the record; leaves only as its alias.
        content: What the record says.
        fields: Paths to show.
        key: The relationship's serving key, named as issuer.
        alias: As in project.

    Spec: specs/released.md#document
    """
    body: Document = {
        "@context": form.CONTEXT,
        "id": alias_urn(alias(record_id)),
        **project(content, fields, alias=alias),
        "issuer": key.did,
    }
    # Over the alias too, so that two vendors who see the same fields see different versions.
    unsigned = {**body, "version": base64url_encode(jcs_digest(body))}
    return Released(unsigned=unsigned, canonical=jcs(unsigned), fields=fields, count=1)


def release_page(
    items: list[Document], *, fields: tuple[str, ...], key: SigningKey, next_cursor: str | None
) -> Released:
    """Return a page of released documents, each signed by itself already.

    Spec: specs/released.md#page
    """
    unsigned: Document = {
        "@context": form.CONTEXT,
        "type": PAGE_TYPE,
        "issuer": key.did,
        "items": items,
    }
    if next_cursor is not None:
        unsigned["next"] = next_cursor
    return Released(unsigned=unsigned, canonical=jcs(unsigned), fields=fields, count=len(items))


def alias_urn(alias: str) -> str:
    """Return a record's id as a vendor sees it."""
    return f"urn:freehold:{alias}"


def verify_released(document: Document, *, key: PublicKey) -> Document:
    """Return the document without its proof, if the relationship's serving key issued it.

    Args:
        document: A released document or page, as received.
        key: The serving key that the grant names.

    Raises:
        ReleaseError: Another issuer, or a version that is not of this content.
        SignatureError: The proof does not verify.
        MalformedError: It does not have the form.

    Spec: specs/released.md#verification
    """
    verify_signed_by(document, key)
    unsigned = without_proof(document)
    if unsigned.get("issuer") != key.did:
        raise ReleaseError("the document names another issuer than its grant")
    if unsigned.get("type") == PAGE_TYPE:
        items = unsigned.get("items")
        if not isinstance(items, list):
            raise MalformedError("a page holds an array of items")
        for item in items:
            if not isinstance(item, dict) or item.get("type") == PAGE_TYPE:
                raise MalformedError("a page holds released documents")
            verify_released(item, key=key)
    else:
        body = {name: value for name, value in unsigned.items() if name != "version"}
        if unsigned.get("version") != base64url_encode(jcs_digest(body)):
            raise ReleaseError("the version is not of this content")
    return unsigned
