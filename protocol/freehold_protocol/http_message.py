"""An HTTP message as a signature sees it: its headers, and the value of each component it can cover.

Spec: specs/http-signatures.md#components
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from . import limits
from .errors import DuplicateKeyError, MalformedError, SignatureError, TooLargeError, UnsupportedError
from .structured_field import (
    BareItem,
    Dictionary,
    Item,
    Token,
    parse_dictionary,
    parse_item,
    serialize_member,
    serialize_parameters,
)

MAX_VALUE_CHARS: Final = 2 * limits.MAX_CAPABILITY_WIRE_BYTES
"""Of one component; the longest is the header that carries a capability."""

COMPONENT_NAME: Final = r"@?[a-z0-9!#$%&'*+.^_`|~-]+"
"""Pattern of a header's name in lower case, or a derived component's."""
_COMPONENT_NAME = re.compile(COMPONENT_NAME)
_FIELD_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_URI = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/?#@\s]+)(?P<path>/[^?#\s]*)?(?P<query>\?[^#\s]*)?")
_DEFAULT_PORT: Final = {"http": ":80", "https": ":443"}
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPE = re.compile(rb"%(..)")
_FORM_SAFE: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789*-._")
_DIGESTS: Final = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A request, or with a status the response to it, as far as a signature can cover it.

    Args:
        method: As sent.
        target_uri: The node's origin and the request target as sent; never built from ``Host``.
        headers: Lower-case names to combined values, as ``combine_headers`` returns them.
        status: Of a response; None in a request.
    """

    method: str
    target_uri: str
    headers: Mapping[str, str]
    status: int | None = None


def combine_headers(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return lower-case names to values: unfolded, trimmed, those of one name joined with ``", "``.

    Raises:
        MalformedError: A name that is no token, or a value with CR, LF, NUL or a character outside ASCII.
        TooLargeError: A combined value of more than MAX_VALUE_CHARS.

    Spec: specs/http-signatures.md#header-values
    """
    combined: dict[str, str] = {}
    for name, value in pairs:
        if not _FIELD_NAME.fullmatch(name):
            raise MalformedError("not the name of a header")
        name = name.lower()
        value = _unfold(value) if "\r\n" in value else value.strip(" \t")
        combined[name] = checked(f"{combined[name]}, {value}" if name in combined else value)
    return combined


def _unfold(value: str) -> str:
    """Replace each obsolete line fold, with the white space around it, by one space."""
    first, *rest = value.split("\r\n")
    if not all(line.startswith((" ", "\t")) for line in rest):
        raise MalformedError("a header value holds a line break")
    return " ".join(line.strip(" \t") for line in (first, *rest)).strip(" ")


def checked(value: str) -> str:
    """Return the value if a line of a signature base can hold it.

    Raises:
        TooLargeError: More than MAX_VALUE_CHARS.
        MalformedError: CR, LF, NUL or a character outside ASCII.
    """
    if len(value) > MAX_VALUE_CHARS:
        raise TooLargeError(f"a header value or a URL has more than {MAX_VALUE_CHARS} characters")
    if not value.isascii() or "\n" in value or "\r" in value or "\0" in value:
        raise MalformedError("a header value or a URL holds a character that no signature can cover")
    return value


def text_of(value: BareItem | None) -> str | None:
    """Return the value if it is a quoted string or None.

    Raises:
        MalformedError: Another kind of value.
    """
    if value is None or (isinstance(value, str) and not isinstance(value, Token)):
        return value
    raise MalformedError("a string in quotes is needed here")


def component_of(item: Item) -> str:
    """Return the text of a component in a list: its name, then its parameters.

    Raises:
        MalformedError: Not a string, or no name of a component.
    """
    name = text_of(item.value)
    if name is None or not _COMPONENT_NAME.fullmatch(name):
        raise MalformedError("a component is a lower-case name in quotes")
    return name + serialize_parameters(item.parameters)


def identifier_of(component: str) -> str:
    """Return a component's text with its name in quotes; parameters are looked at only by Components.

    Raises:
        MalformedError: No name of a component.
    """
    name, semicolon, parameters = component.partition(";")
    if not _COMPONENT_NAME.fullmatch(name):
        raise MalformedError("a component is a lower-case name")
    return f'"{name}"{semicolon}{parameters}'


class Components:
    """The components of one message; what has to be parsed for them is parsed once."""

    __slots__ = ("_dictionaries", "_message", "_query")

    def __init__(self, message: Message) -> None:
        self._message = message
        self._dictionaries: dict[str, Dictionary] = {}
        self._query: list[tuple[str, str]] | None = None

    def value(self, component: str) -> str:
        """Return the value of a component. Raises as http_signature.signature_base."""
        if ";" in component:
            return self._with_parameters(component)
        if component.startswith("@"):
            return _derived(self._message, component)
        return self._field(component)

    def _field(self, name: str) -> str:
        try:
            return self._message.headers[name]
        except KeyError:
            raise SignatureError("the message lacks a header that the signature covers") from None

    def _with_parameters(self, component: str) -> str:
        identifier = identifier_of(component)
        item = parse_item(identifier)
        if serialize_member(item) != identifier:
            raise MalformedError("a component is not in its canonical spelling")
        name = component.partition(";")[0]
        names, wanted = tuple(item.parameters), next(iter(item.parameters.values()))
        if name == "@query-param" and names == ("name",):
            return self._query_parameter(text_of(wanted) or "")
        if not name.startswith("@") and names == ("key",):
            return self._dictionary_member(name, text_of(wanted) or "")
        raise UnsupportedError("a parameter of a component is not supported")

    def _dictionary_member(self, name: str, key: str) -> str:
        if name not in self._dictionaries:
            self._dictionaries[name] = parse_dictionary(self._field(name))
        member = self._dictionaries[name].get(key)
        if member is None:
            raise SignatureError("the message lacks a dictionary member that the signature covers")
        return serialize_member(member)

    def _query_parameter(self, wanted: str) -> str:
        if self._query is None:
            self._query = _form_pairs(_derived(self._message, "@query")[1:])
        values = [value for name, value in self._query if name == wanted]
        if len(values) > 1:
            raise DuplicateKeyError("a query parameter that comes twice cannot be covered by name")
        if not values:
            raise SignatureError("the message lacks a query parameter that the signature covers")
        return values[0]


def _form_pairs(query: str) -> list[tuple[str, str]]:
    if len(query) > limits.MAX_QUERY_CHARS:
        raise TooLargeError(f"a query has more than {limits.MAX_QUERY_CHARS} characters")
    pairs = (part.partition("=") for part in query.split("&") if part)
    return [(_form_text(name), _form_text(value)) for name, _, value in pairs]


def _form_text(text: str) -> str:
    """Return a name or value of a query, decoded and encoded again in the one way of RFC 9421, 2.2.8."""
    if _BAD_ESCAPE.search(text) or not text.isascii():
        raise MalformedError("a query holds a percent sign that begins no escape")
    data = text.replace("+", " ").encode("ascii")
    data = _ESCAPE.sub(lambda match: bytes([int(match[1], 16)]), data)
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedError("a query is not UTF-8") from None
    return "".join(chr(byte) if byte in _FORM_SAFE else f"%{byte:02X}" for byte in data)


def _derived(message: Message, name: str) -> str:
    """Return the value of a derived component, RFC 9421, 2.2."""
    derive = (_DERIVED if message.status is None else _OF_RESPONSE).get(name)
    if derive is None:
        raise UnsupportedError("a derived component is not supported in this kind of message")
    return derive(message)


def _uri(message: Message) -> re.Match[str]:
    match = _URI.fullmatch(checked(message.target_uri))
    if match is None:
        raise MalformedError("the target is not a URL of http or https without user and fragment")
    return match


def _authority(message: Message) -> str:
    uri = _uri(message)
    return uri["authority"].lower().removesuffix(_DEFAULT_PORT[uri["scheme"]])


_DERIVED: Final[dict[str, Callable[[Message], str]]] = {
    "@method": lambda message: message.method,
    "@target-uri": lambda message: message.target_uri,
    "@authority": _authority,
    "@scheme": lambda message: _uri(message)["scheme"],
    "@request-target": lambda message: (_uri(message)["path"] or "/") + (_uri(message)["query"] or ""),
    "@path": lambda message: _uri(message)["path"] or "/",
    "@query": lambda message: _uri(message)["query"] or "?",
}
_OF_RESPONSE: Final[dict[str, Callable[[Message], str]]] = {"@status": lambda message: str(message.status)}


def content_digest(body: bytes) -> str:
    """Return the Content-Digest of a body, by SHA-256."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def check_content_digest(value: str, body: bytes) -> None:
    """Check that a Content-Digest has a SHA-256 or SHA-512, and that each of these is the body's.

    Raises:
        SignatureError: A digest is not the body's.
        UnsupportedError: It has neither.
        MalformedError: Not a dictionary of bytes.

    Spec: specs/http-signatures.md#content-digest
    """
    digests = parse_dictionary(value)
    known = [(digests[name], hash_of) for name, hash_of in _DIGESTS.items() if name in digests]
    if not known:
        raise UnsupportedError("a Content-Digest needs sha-256 or sha-512")
    for digest, hash_of in known:
        if not isinstance(digest, Item) or not isinstance(digest.value, bytes) or digest.parameters:
            raise MalformedError("a digest is bytes without parameters")
        if digest.value != hash_of(body).digest():
            raise SignatureError("the body is not the one its digest names")
