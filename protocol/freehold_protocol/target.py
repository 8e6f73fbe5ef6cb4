"""Targets: the URLs under which capabilities are invoked, compared as text and never normalised.

A text that two programs could read in two ways is refused, so that what was signed, what was delegated and
what is routed are the same characters.

Spec: specs/capabilities.md#targets
"""

from __future__ import annotations

import re
from typing import Final

from . import limits
from .encoding import Json
from .errors import DuplicateKeyError, MalformedError, TooLargeError

# RFC 3986, but no user, no upper-case host, no empty segment, and of the escapes in a path only the colon's. There is
# one way only to match a text, so what was matched is never given back: a third of the cost, at every request.
_ORIGIN: Final = r"https?://(?:[a-z0-9][a-z0-9.-]*|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?"
_PATH: Final = r"(?P<path>(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@-]++|%3A)++)*+)"
_TARGET = re.compile(
    rf"{_ORIGIN}{_PATH}(?:\?(?P<query>(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]++|%[0-9A-Fa-f]{{2}})++))?\Z", re.ASCII
)
# What is requested may carry more in its query: visible ASCII without "#" and "\".
_REQUESTED = re.compile(rf"{_ORIGIN}{_PATH}(?:\?(?P<query>[!\"$-\[\]-~]*+))?\Z", re.ASCII)
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")


def read_target(value: Json) -> str:
    """Return the target of a capability: a URL with plain segments and, at most, a query of distinct keys.

    Raises:
        MalformedError: No such URL, or one that somebody could normalise.
        DuplicateKeyError: Its query names a key twice.
        TooLargeError: More than ``limits.MAX_TARGET_CHARS``.
    """
    if not isinstance(value, str):
        raise MalformedError("invocationTarget is a text")
    if len(value) > limits.MAX_TARGET_CHARS:
        raise TooLargeError(f"invocationTarget has more than {limits.MAX_TARGET_CHARS} characters")
    match = _TARGET.match(value)
    if match is None or _has_dots(match["path"]):
        raise MalformedError("invocationTarget is a URL that cannot be normalised")
    names = query_names(match["query"] or "-")
    if "" in names:
        raise MalformedError("invocationTarget has a nameless part in its query")
    if len(set(names)) != len(names):
        raise DuplicateKeyError("invocationTarget names a key of its query twice")
    return value


def is_plain(uri: str) -> bool:
    """Whether a request's URL means one thing only: no dot or empty segments, no key of its query twice."""
    match = _REQUESTED.match(uri)
    if match is None or _has_dots(match["path"]):
        return False
    query = match["query"] or ""
    if "&" not in query:
        return True
    names = query_names(query)
    return len(set(names)) == len(names)


def lies_within(target: str, before: str) -> bool:
    """Whether a target is another one, or extends it: by ``/`` or ``?``, and once that has a ``?``, by ``&``."""
    if target == before:
        return True
    return target.startswith(before + "&" if "?" in before else (before + "/", before + "?"))


def _has_dots(path: str) -> bool:
    return "/." in path and not {".", ".."}.isdisjoint(path.split("/"))


def query_names(query: str) -> list[str]:
    """Return the keys of a query as a server reads them: decoded, so that no spelling hides a repetition."""
    return [_decoded(pair.partition("=")[0]) for pair in query.split("&")]


def _decoded(name: str) -> str:
    data = _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), name.replace("+", " ").encode("ascii"))
    return data.decode("utf-8", "replace")
