"""One request of a browser: who it is, in which language, and what it can do and be shown.

Spec: specs/node/dashboard.md
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlencode

from aiohttp import web
from freehold_protocol.encoding import Document
from freehold_protocol.errors import NotAuthenticatedError, PassphraseError

from ..api.keys import DEVICES, PASSKEYS
from ..api.operation import Answer, Asked, Operation, Progress
from ..condition import NO_CONDITION, Condition
from ..devices import Devices, Session
from ..passkeys import Passkeys, host_of
from .addresses import Addresses
from .forms import Form
from .once import ONCE
from .page import HEADERS, Page, environment, respond_page
from .switching import FILLED, FILLED_IN
from .texts import Texts
from .words import Words

ADDRESSES: web.AppKey[Addresses] = web.AppKey("addresses", Addresses)
NOTHING: Final[Form] = Form([])
START: Final = "/my/today"


def is_ours(path: str) -> bool:
    """Whether a text is a path of the dashboard, and leads nowhere else."""
    return path.startswith("/my/") and "\\" not in path and not any(ord(char) < 33 for char in path)


@dataclass(slots=True, kw_only=True)
class Visit:
    """A request to the dashboard. ``origin`` is the one of ours it came to; ``form`` is empty for a GET."""

    request: web.Request
    origin: str
    language: str
    session: Session | None
    form: Form = field(default_factory=lambda: NOTHING)
    t: Texts = field(init=False)
    words: Words = field(init=False)

    def __post_init__(self) -> None:
        self.speak(self.language)

    def speak(self, language: str) -> None:
        """Answer in this language."""
        self.language = language
        self.t, self.words = Texts(language), Words(language)

    @property
    def query(self) -> Mapping[str, str]:
        return self.request.query

    @property
    def preset(self) -> Mapping[str, str]:
        """What a page is filled in with: the query, or what was there when the language was changed.

        It counts where a page of ours led here; a link in a letter ticks and fills in nothing.
        """
        if not self.is_led_by_us:
            return {}
        return self._filled or {} if self._brings_filled else self.query

    @property
    def _brings_filled(self) -> bool:
        """Whether the address has a key to what was filled in before the language was changed."""
        return self.session is not None and FILLED in self.query and self.is_led_by_us

    @property
    def _filled(self) -> Mapping[str, str] | None:
        """What there is under that key, None if there is nothing, or no more."""
        session, key = self.signed_in.id, self.query.get(FILLED, "")
        return self.request.app[FILLED_IN].of(session, self.request.path, key)

    @property
    def is_led_by_us(self) -> bool:
        """Whether a page of ours led here, as far as the browser says."""
        return self.request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"

    @property
    def params(self) -> Mapping[str, str]:
        """The variable parts of the path."""
        return self.request.match_info

    @property
    def devices(self) -> Devices:
        return self.request.app[DEVICES]

    @property
    def passkeys(self) -> Passkeys:
        return self.request.app[PASSKEYS]

    @property
    def signed_in(self) -> Session:
        """The session. Raises NotAuthenticatedError where there is none."""
        if self.session is None:
            raise NotAuthenticatedError("nobody is signed in")
        return self.session

    @property
    def is_fresh(self) -> bool:
        """Whether the person proved within the last minutes who they are."""
        return self.session is not None and self.devices.is_fresh(self.session)

    # What can be done

    async def does(
        self,
        operation: Operation,
        params: Mapping[str, str] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        body: Document | None = None,
        condition: Condition = NO_CONDITION,
        told: Progress | None = None,
    ) -> Answer:
        """Carry out one of the owner's operations for the person who is signed in.

        Raises:
            NotAuthenticatedError: Nobody is.
            FreeholdError: As the operation; PassphraseError where it takes a fresh proof that there is not.
        """
        asked = Asked(
            app=self.request.app, params=params or {}, query=query or {}, body=body or {}, condition=condition,
            fresh=self._prove, told=told, session=self.signed_in.id,
        )  # fmt: skip
        return await operation.perform(asked)

    async def once(self, work: Callable[[], Awaitable[str]]) -> str:
        """Do what a form asks for, which carries ``m.once()``, unless it was sent before; return where it leads.

        Raises:
            MalformedError: The form carries no key.
            FreeholdError: As the work.
        """
        return await self.request.app[ONCE].do(self.signed_in.id, self.form.get("once", ""), work)

    async def prove(self) -> None:
        """Take the passphrase in the form as a fresh proof, unless there is one.

        Raises:
            PassphraseError: It is wrong, or missing.
            TooManyAttemptsError: Too many were wrong.
        """
        await self._prove({})

    async def _prove(self, _: Document) -> None:
        session = self.signed_in
        if self.devices.is_fresh(session):
            return
        passphrase = self.form.get("passphrase", "")
        if not passphrase:
            raise PassphraseError("this takes your passphrase, anew")
        self.session = await self.devices.prove(session, passphrase)

    # What is shown

    @property
    def here(self) -> str:
        """The page that is looked at, with its query: of a form that was sent, the page it stood on."""
        if self.request.method == "GET":
            return self.request.path_qs if self.is_led_by_us else self.request.path
        here = self.form.get("here", "")
        return here if is_ours(here) else START

    def page(self, template: str, *, active: str = "", status: int = 200, **values: object) -> web.Response:
        """Return a page.

        Args:
            template: Its name, such as ``today.html``.
            active: Which place of the navigation it belongs to.
            status: Of the response.
            values: What the template is given, beside ``t``, ``words``, ``page``, ``csrf`` and ``fresh``.
        """
        frame = Page(
            language=self.language,
            active=active,
            path=self.here,
            signed_in=self.session is not None,
            csrf=self.session.form_key if self.session else "",
            waiting=self.request.get(WAITING, 0),
            once=self._once(),
            passkeys=host_of(self.origin) is not None,
            has_passkey=self.request.get(HAS_PASSKEY, False),
            banners=tuple(self._banners()),
        )
        html = environment().get_template(template).render(
            t=self.t, words=self.words, page=frame, csrf=frame.csrf, fresh=self.is_fresh,
            **values,
        )  # fmt: skip
        return respond_page(html, status=status)

    def _once(self) -> str:
        """Return what makes a form count once; who is not signed in sends none that needs it."""
        if self.session is None:
            return ""
        return self.form.get("once", "") or self.request.app[ONCE].new_key()

    def _banners(self) -> list[dict[str, str]]:
        said = self.preset.get("said", "")
        banners: list[dict[str, str]] = list(self.request.get(BANNERS, ()))
        if f"said.{said}" in self.t:
            banners.append({"kind": "success", "text": self.t(f"said.{said}")})
        if self._brings_filled and self._filled is None:
            banners.append({"kind": "warning", "text": self.t("base.filled_gone")})
        return banners

    def json(self, document: Document, *, status: int = 200) -> web.Response:
        """Return what a script of ours asked for."""
        return web.json_response(document, status=status, headers=HEADERS)

    def go(self, path: str, /, *, said: str | None = None, **query: str) -> web.Response:
        """Return the way to another page, which then says that something was done (``said.<name>`` of the texts)."""
        pairs = {**query, **({"said": said} if said else {})}
        location = path + ("?" + urlencode(pairs, quote_via=quote) if pairs else "")
        return web.Response(status=303, headers={**HEADERS, "Location": location})


WAITING: web.RequestKey[int] = web.RequestKey("waiting")
HAS_PASSKEY: web.RequestKey[bool] = web.RequestKey("has_passkey")
"""How many requests wait for the person, for the frame of the page."""
BANNERS: web.RequestKey[list[dict[str, str]]] = web.RequestKey("banners")
