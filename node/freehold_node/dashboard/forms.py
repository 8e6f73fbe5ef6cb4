"""What a browser sends with a form: bounded, and only from a page of ours.

Spec: specs/node/dashboard.md#forms
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web
from freehold_protocol.errors import MalformedError, TooLargeError

from ..api.messages import read_body

MAX_FORM_BYTES: Final = 256 * 1024
MAX_FIELDS: Final = 2000
TICK: Final = "yes"
"""What a box that is ticked sends; one that is not sends nothing."""
_URLENCODED: Final = "application/x-www-form-urlencoded"
SECRETS: Final = frozenset(
    {"csrf", "passphrase", "new_passphrase", "again", "code", "link", "credential", "ticket"}
)
"""Fields that are never put into a page again."""


class ForeignFormError(Exception):
    """A form that does not come from a page of ours, or from one of an earlier session. No answer of the protocol's."""


class Form(Mapping[str, str]):
    """The fields of a form; of a name that comes twice, the first."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._fields: dict[str, str] = {}
        for name, value in pairs:
            self._fields.setdefault(name, value)

    def __getitem__(self, name: str) -> str:
        return self._fields[name]

    def __iter__(self):  # type: ignore[no-untyped-def]  # noqa: ANN204
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def text(self, name: str, *, most: int = 2000) -> str:
        """Return a field without the spaces around it, "" if it is not there. Raises TooLargeError."""
        value = self._fields.get(name, "").strip()
        if len(value) > most:
            raise TooLargeError(f"{name} is longer than {most} characters")
        return value

    def ticked(self, prefix: str) -> frozenset[str]:
        """Return what follows the prefix in the names of the ticked boxes."""
        return frozenset(name.removeprefix(prefix) for name in self._fields if name.startswith(prefix))

    def kept(self) -> dict[str, str]:
        """Return the fields that may be put into a page again."""
        return {name: value for name, value in self._fields.items() if name not in SECRETS}


async def read_form(request: web.Request, *, most: int = MAX_FORM_BYTES) -> Form:
    """Return the form that was sent.

    Raises:
        MalformedError: It is no form, has too many fields, or is broken off.
        TooLargeError: It has more than most bytes.
    """
    if request.content_type != _URLENCODED:
        raise MalformedError("this is not a form of ours")
    body = await read_body(request, most=most)
    try:
        return Form(parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        raise MalformedError("the form cannot be read") from None


def _origin_of(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}"


def check_same_origin(request: web.Request, origin: str) -> None:
    """Check that a form was sent from a page of ours, as the browser says.

    Raises:
        ForeignFormError: It was sent from somewhere else, or the browser does not say.
    """
    sent_from = request.headers.get("Origin")
    if sent_from is None and (referer := request.headers.get("Referer")):
        sent_from = _origin_of(referer)
    if sent_from != origin or request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        raise ForeignFormError("this form was not sent from this page")
