"""Which schema.org field each vCard property becomes, and why the others are left out.

Every field named here is a term of the context that records have.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from freehold_protocol.encoding import Document

from . import vcard_values as values
from .reasons import why
from .vcard_line import Line

Reader = Callable[[Line], "list[str] | list[Document]"]
MANY: Final[dict[str, tuple[str, Reader]]] = {
    "NICKNAME": ("alternateName", values.texts),
    "EMAIL": ("email", values.email),
    "TEL": ("telephone", values.telephone),
    "ADR": ("address", values.address),
    "TITLE": ("jobTitle", values.text),
    "ROLE": ("roleName", values.text),
    "ORG": ("worksFor", values.organization),
    "URL": ("url", values.web_address),
    "PHOTO": ("image", values.web_address),
    "LOGO": ("image", values.web_address),
    "NOTE": ("description", values.text),
    "LANG": ("knowsLanguage", values.one_line),
    "IMPP": ("sameAs", values.account),
    "SOCIALPROFILE": ("sameAs", values.account),
    "X-SOCIALPROFILE": ("sameAs", values.account),
    "CATEGORIES": ("keywords", values.texts),
}
"""Property to field; several lines or values become a list."""
ONE: Final[dict[str, tuple[str, Reader]]] = {
    "BDAY": ("birthDate", values.birth_date),
    "GENDER": ("gender", values.gender),
    "X-GENDER": ("gender", values.gender),
}
OF_ORGANIZATIONS: Final = {
    "alternateName", "email", "telephone", "faxNumber", "address", "url", "image", "description", "sameAs",
    "keywords",
}  # fmt: skip
KINDS: Final = {
    "individual": "Person",
    "person": "Person",
    "org": "Organization",
    "company": "Organization",
}
NO_RECORDS: Final = {"group", "location", "application", "device", "thing"}
KIND_NAMES: Final = ("KIND", "X-ADDRESSBOOKSERVER-KIND", "X-ABSHOWAS")
ABOUT_CARD: Final = {
    "REV", "PRODID", "PROFILE", "NAME", "SOURCE", "CLIENTPIDMAP", "MAILER", "CLASS", "CREATED", "LANGUAGE",
    "X-ABUID",
}  # fmt: skip
REASONS: Final = {
    **dict.fromkeys(ABOUT_CARD, why("about-card")),
    **dict.fromkeys(
        ("RELATED", "AGENT", "MEMBER", "X-ABRELATEDNAMES", "X-SPOUSE", "X-EVOLUTION-SPOUSE", "X-MANAGER",
         "X-EVOLUTION-MANAGER", "X-ASSISTANT", "X-EVOLUTION-ASSISTANT"),
        why("another-person"),
    ),
    **dict.fromkeys(
        ("ANNIVERSARY", "X-ANNIVERSARY", "X-EVOLUTION-ANNIVERSARY", "X-ABDATE", "DEATHDATE", "BIRTHPLACE",
         "DEATHPLACE"),
        why("date-without-field"),
    ),
    **dict.fromkeys(
        ("SORT-STRING", "X-EVOLUTION-FILE-AS", "X-PHONETIC-FIRST-NAME", "X-PHONETIC-LAST-NAME",
         "X-PHONETIC-MIDDLE-NAME", "X-MAIDENNAME"),
        why("name-kept-otherwise"),
    ),
    **dict.fromkeys(
        ("X-AIM", "X-ICQ", "X-MSN", "X-YAHOO", "X-JABBER", "X-SKYPE", "X-SKYPE-USERNAME", "X-GOOGLE-TALK",
         "X-GADUGADU", "X-GROUPWISE", "X-TWITTER", "X-QQ"),
        why("account-without-address"),
    ),
    **dict.fromkeys(("FBURL", "CALURI", "CALADRURI"), why("calendar-address")),
    **dict.fromkeys(("GEO", "TZ"), why("position-or-zone")),
    **dict.fromkeys(("KEY", "SOUND"), why("key-or-sound")),
    "VERSION": why("differs"),
    "LABEL": why("printed-address"),
    "X-ABADR": why("print-hint"),
    "X-ABLABEL": why("other-label"),
}  # fmt: skip
UNKNOWN: Final = why("no-field")
