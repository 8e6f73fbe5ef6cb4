"""DID documents of ``did:web``: where one stands, and which Ed25519 keys it lists for what.

A domain vouches for what stands there now, and may let something else stand there tomorrow. So a document is read
when somebody is met, and what it listed then is kept (``DidKeys``): that is what later signatures are held against.

Spec: specs/identity.md#domains
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from . import form, limits
from .canonical import jcs
from .encoding import Document, Json, parse_document
from .errors import DuplicateKeyError, MalformedError, SignatureError, TooLargeError, UnsupportedError
from .keys import PublicKey

Use = Literal["assertionMethod", "authentication", "capabilityInvocation", "capabilityDelegation"]
"""What a DID document lists a key for; the names of DID Core."""
USES: Final[tuple[Use, ...]] = get_args(Use)
CONTEXTS: Final = ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"]

_WEB: Final = "did:web:"
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# The last label begins with a letter: what ends in a number is taken for an IPv4 address, in whatever spelling.
_NAME: Final = rf"(?:{_LABEL}\.)*[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?"
_OCTET: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_DID_WEB = re.compile(
    rf"did:web:(?:(?P<loopback>127(?:\.{_OCTET}){{3}})|(?P<name>{_NAME}))"
    r"(?:%3A(?P<port>[1-9][0-9]{0,4}))?(?P<path>(?::[A-Za-z0-9_-][A-Za-z0-9._-]*)*)\Z",
    re.ASCII,
)
_MAX_HOST_CHARS: Final = 253
_MAX_PORT: Final = 65_535
_IMPLIED_PORT: Final = {"https": "443", "http": "80"}
_FRAGMENT = re.compile(r"#[A-Za-z0-9._-]{1,100}\Z", re.ASCII)
_KINDS: Final = ("Multikey", "Ed25519VerificationKey2020")
_ED25519: Final = "z6Mk"  # how every Multikey of this kind begins
_MAX_KEY_CHARS: Final = 100
_SECRETS: Final = ("secretKeyMultibase", "privateKeyMultibase")
_ENDED: Final = ("revoked", "expires")


def is_web(did: str) -> bool:
    """Whether a DID, or a method of one, is of ``did:web``."""
    return did.startswith(_WEB)


def did_of(method: str) -> str:
    """Return the DID of a verification method."""
    return method.partition("#")[0]


def did_web_url(did: str) -> str:
    """Return where the DID document of a ``did:web`` stands.

    A domain's stands at https. Only a literal loopback address, for trying things out, stands at http: like the
    origin of a node, it is reached by nobody else.

    Raises:
        MalformedError: Not in the one spelling there is: a host in lower case (no address but of 127.0.0.0/8), a
            port after ``%3A`` unless it goes without saying, segments of a path without escapes.
        UnsupportedError: Another DID method.

    Spec: specs/identity.md#domains
    """
    if not is_web(did):
        raise UnsupportedError("only did:web identifiers have a document to be looked at")
    match = _DID_WEB.match(form.did(did, "the identifier"))
    if match is None or len(match["name"] or "") > _MAX_HOST_CHARS:
        raise MalformedError("the did:web is not in its one spelling, such as did:web:shop.example")
    scheme, host = ("http", match["loopback"]) if match["loopback"] else ("https", match["name"])
    port, path = match["port"], match["path"].replace(":", "/") or "/.well-known"
    if port is not None and (int(port) > _MAX_PORT or port == _IMPLIED_PORT[scheme]):
        raise MalformedError("a did:web names a port up to 65535, and not the one that goes without saying")
    return f"{scheme}://{host}{f':{port}' if port else ''}{path}/did.json"


def read_did(value: Json, what: str) -> str:
    """Return a DID of any method; a ``did:web`` only in its one spelling.

    Raises:
        MalformedError: No DID.
    """
    did = form.did(value, what)
    if is_web(did):
        did_web_url(did)
    return did


def domain_of(did: str) -> str:
    """Return what a person knows a ``did:web`` by: ``shop.example``, with port and path where it has them.

    The path belongs to it: at a host of many, the host alone says nothing.

    Raises:
        MalformedError: As did_web_url.
        UnsupportedError: Likewise.
    """
    return did_web_url(did).partition("://")[2].removesuffix("/did.json").removesuffix("/.well-known")


def is_vouched(did: str) -> bool:
    """Whether a domain stands behind a DID; nobody does behind a key, or an address of one's own machine."""
    return is_web(did) and did_web_url(did).startswith("https:")


@dataclass(frozen=True, slots=True, kw_only=True)
class DidKeys:
    """The Ed25519 keys of a DID, by what each is for: as a document listed them once, and as they are kept.

    ``uses`` maps the fragments of verification methods, with ``#``, to keys.
    """

    did: str
    uses: Mapping[Use, Mapping[str, PublicKey]]

    @classmethod
    def from_text(cls, text: str) -> DidKeys:
        """Parse what ``text`` gave. Raises MalformedError and its subclasses."""
        found = form.check_members(parse_document(text.encode()), required=("id", *USES))
        uses: dict[Use, dict[str, PublicKey]] = {}
        for use in USES:
            if not isinstance(listed := found[use], dict):
                raise MalformedError("keys stand under the names of their methods")
            uses[use] = {fragment: PublicKey.from_multikey(key) for fragment, key in listed.items()}
        return cls(did=read_did(found["id"], "id"), uses=uses)

    @property
    def text(self) -> str:
        """The keys as canonical JSON: the same text for the same keys."""
        listed = {use: {name: key.multikey for name, key in self.uses[use].items()} for use in USES}
        return jcs({"id": self.did, **listed}).decode()

    def key(self, method: str, *, use: Use) -> PublicKey:
        """Return the key of a verification method, if it is listed for this use.

        Raises:
            SignatureError: It is not.
        """
        did, _, fragment = method.partition("#")
        found = self.uses[use].get("#" + fragment) if did == self.did else None
        if found is None:
            raise SignatureError(f"the DID document lists no such key for {use}")
        return found

    def controls(self, key: PublicKey, *, delegating: bool = False) -> bool:
        """Whether a key may invoke capabilities and, where that matters, delegate them."""
        return key in self.controllers and (
            not delegating or key in self.uses["capabilityDelegation"].values()
        )

    @property
    def controllers(self) -> tuple[PublicKey, ...]:
        """The keys that may invoke capabilities, in the order of their methods' names."""
        listed = self.uses["capabilityInvocation"]
        return tuple(dict.fromkeys(listed[name] for name in sorted(listed)))

    @property
    def all(self) -> tuple[PublicKey, ...]:
        """Every key, for whatever use."""
        return tuple(dict.fromkeys(key for listed in self.uses.values() for key in listed.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class DidDocument:
    """A parsed DID document; ``document`` as it came, ``keys`` what of it counts here."""

    document: Document
    did: str
    keys: DidKeys

    @classmethod
    def from_dict(cls, document: Json, did: str) -> DidDocument:
        """Parse the document of a DID. What is not about Ed25519 keys is neither read nor refused.

        Raises:
            MalformedError: It is another DID's, holds a private key, or is not of the form where it counts.
            TooLargeError: It lists too many methods or keys.
            UnsupportedError: It lists no Ed25519 key for any use, or another kind of key as one.

        Spec: specs/identity.md#did-documents
        """
        if not isinstance(document, dict) or document.get("id") != did:
            raise MalformedError("this is not the document of that DID")
        known = _Methods(did)
        listed = _array(document.get("verificationMethod", []), "verificationMethod")
        defined = {known.add(one) for one in listed}
        uses = {use: dict(_listed(_array(document.get(use, []), use), known, defined)) for use in USES}
        keys = DidKeys(did=did, uses=uses)
        if not keys.all:
            raise UnsupportedError("the DID document lists no Ed25519 key for any use")
        if sum(map(len, uses.values())) > limits.MAX_DID_KEYS:
            raise TooLargeError(f"the DID document lists keys for more than {limits.MAX_DID_KEYS} uses")
        return cls(document=document, did=did, keys=keys)


class _Methods:
    """The verification methods of one document as they are read: a name stands for one thing only."""

    def __init__(self, did: str) -> None:
        self._did = did
        self._known: dict[str, PublicKey | None] = {}

    def add(self, value: Json) -> str | None:
        """Read a method, and return its name (``#key-1``) if it is this DID's.

        Raises:
            MalformedError: And its subclasses: it does not have the form, or its name stands for another already.
            TooLargeError: There are too many.
            UnsupportedError: An Ed25519VerificationKey2020 holds another kind of key.
        """
        if not isinstance(value, dict):
            raise MalformedError("a verification method is an object")
        key = self._key(value) if value.get("type") in _KINDS else None
        name = self.name(value.get("id"))
        if name is None:
            if key is not None:
                raise MalformedError("a verification method is not named by its DID")
            return None
        if name in self._known and self._known[name] != key:
            raise DuplicateKeyError("two verification methods have one name")
        self._known[name] = key
        if len(self._known) > limits.MAX_DID_METHODS:
            raise TooLargeError(f"a DID document has at most {limits.MAX_DID_METHODS} verification methods")
        return name

    def name(self, value: Json) -> str | None:
        """Return the fragment by which this document names a method, absolute or not; None for another DID's."""
        if not isinstance(value, str):
            return None
        name = value.removeprefix(self._did)
        return name if _FRAGMENT.match(name) else None

    def key_of(self, name: str) -> PublicKey | None:
        """Return the key of a method that was added; None where it is of another kind, or no longer good."""
        return self._known[name]

    def _key(self, method: Document) -> PublicKey | None:
        if method.get("controller") != self._did:
            raise MalformedError("a verification method is controlled by somebody else")
        if any(name in method for name in _SECRETS):
            raise MalformedError("the DID document publishes a private key")
        text = method.get("publicKeyMultibase")
        if not isinstance(text, str):
            raise MalformedError("a verification method has no publicKeyMultibase")
        if method["type"] == "Multikey" and not text.startswith(_ED25519):
            return None
        if len(text) > _MAX_KEY_CHARS:
            raise TooLargeError("a publicKeyMultibase is too long")
        key = PublicKey.from_multikey(text)
        # When it ends or ended is not asked: what is pinned here is held to be good until its owner changes it.
        return None if any(name in method for name in _ENDED) else key


def _array(value: Json, what: str) -> tuple[Json, ...]:
    return form.array(value, what, lambda one: one, most=limits.MAX_DID_METHODS)


def _listed(
    values: tuple[Json, ...], known: _Methods, defined: set[str | None]
) -> Iterator[tuple[str, PublicKey]]:
    """Yield name and key of each method that one relationship refers to or embeds.

    What is embedded counts where it stands and nowhere else.
    """
    for value in values:
        if isinstance(value, str):
            name = known.name(value)
            if name is not None and name not in defined:
                raise MalformedError("a relationship refers to a method that the document does not define")
        else:
            name = known.add(value)
        key = None if name is None else known.key_of(name)
        if name is not None and key is not None:
            yield name, key


def method_of(did: str, key: PublicKey) -> str:
    """Return the verification method by which a document lists a key, if its publisher chose no other name."""
    return f"{did}#{key.multikey}"


def make_did_document(did: str, keys: Mapping[str, PublicKey]) -> Document:
    """Return the document to publish at ``did_web_url(did)``; each key is listed for everything a vendor does.

    Args:
        did: A did:web.
        keys: By verification method, ``did:web:shop.example#key-1``; see method_of.

    Raises:
        MalformedError: And its subclasses: it could not be read back.
        UnsupportedError: Another DID method, or no key.

    Spec: specs/identity.md#did-documents
    """
    did_web_url(did)
    if any(did_of(method) != did for method in keys):
        raise MalformedError("a verification method is named by its DID, whole")
    document: Document = {
        "@context": CONTEXTS,
        "id": did,
        "verificationMethod": [
            {"id": method, "type": "Multikey", "controller": did, "publicKeyMultibase": key.multikey}
            for method, key in keys.items()
        ],
        **{use: list(keys) for use in USES},
    }
    return DidDocument.from_dict(document, did).document
