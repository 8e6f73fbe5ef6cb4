"""What can be written by hand: which kinds of records, which fields of each, and how each field is filled in.

A table of facts about the terms of the context. A field that is not in it stays as an import brought it.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final, Literal

from ...imports.mapping import NODE_TYPES

Input = Literal["text", "long", "date", "moment", "email", "tel", "url"]

ADDED: Final = ("Person", "Organization", "Place", "Event", "Order", "Product", "ProgramMembership")
"""Kinds of records that a person is offered to add."""
OFFERED: Final[dict[str, tuple[str, ...]]] = {
    "Person": (
        "name", "givenName", "familyName", "alternateName", "email", "telephone", "address", "birthDate", "gender",
        "nationality", "knowsLanguage", "height", "weight", "worksFor", "jobTitle", "url", "description",
    ),
    "Organization": ("name", "email", "telephone", "address", "url", "description"),
    "Place": ("name", "address", "telephone", "url", "description"),
    "Event": ("name", "startDate", "endDate", "location", "organizer", "description"),
    "Order": ("orderNumber", "orderDate", "seller", "orderedItem", "acceptedOffer", "orderStatus", "description"),
    "Product": ("name", "category", "brand", "model", "color", "description"),
    "ProgramMembership": ("name", "membershipNumber", "hostingOrganization", "validThrough", "description"),
    "PostalAddress": (
        "contactType", "streetAddress", "extendedAddress", "postOfficeBoxNumber", "postalCode", "addressLocality",
        "addressRegion", "addressCountry",
    ),
    "Offer": ("price", "priceCurrency"),
    "MonetaryAmount": ("value", "currency"),
    "QuantitativeValue": ("value", "unitCode"),
    "ParcelDelivery": ("trackingNumber",),
}  # fmt: skip
"""The fields that are offered for records, and for nodes in them, of each type, in their order."""
NESTED: Final[dict[str, tuple[str, ...]]] = {
    "Organization": ("name",),
    "Person": ("name", "email"),
    "Place": ("name", "address"),
    "Product": ("name", "sku"),
}
"""The same for nodes within records, where a record of its own has more."""
REPEATED: Final = frozenset(
    {
        "alternateName", "email", "telephone", "faxNumber", "address", "knowsLanguage", "nationality", "url", "sameAs",
        "keywords", "worksFor", "memberOf", "affiliation", "orderedItem", "jobTitle", "exceptDate", "additionalName",
    }
)  # fmt: skip
"""Fields of which there may be several."""
OPEN: Final = frozenset(
    ("address", "location", "seller", "orderedItem", "acceptedOffer", "hostingOrganization")
)
"""Nodes whose boxes are there before anybody asked for them."""
NODES: Final = NODE_TYPES

_OTHERS: Final[dict[str, Input]] = {
    **dict.fromkeys(("birthDate", "deathDate"), "date"),
    **dict.fromkeys(
        ("startDate", "endDate", "orderDate", "validFrom", "validThrough", "startTime", "endTime", "ownedFrom"),
        "moment",
    ),
    **dict.fromkeys(("telephone", "faxNumber"), "tel"),
    **dict.fromkeys(("url", "image", "sameAs"), "url"),
    "description": "long",
    "email": "email",
}  # fmt: skip
_TEXTS: Final = (
    *(
        "name",
        "givenName",
        "familyName",
        "additionalName",
        "honorificPrefix",
        "honorificSuffix",
        "alternateName",
    ),
    *(
        "contactType",
        "streetAddress",
        "postOfficeBoxNumber",
        "extendedAddress",
        "addressLocality",
        "addressRegion",
    ),
    *(
        "postalCode",
        "addressCountry",
        "gender",
        "nationality",
        "knowsLanguage",
        "jobTitle",
        "roleName",
        "vatID",
    ),
    *(
        "taxID",
        "keywords",
        "orderNumber",
        "orderStatus",
        "confirmationNumber",
        "sku",
        "model",
        "color",
        "category",
    ),
    *(
        "itemCondition",
        "price",
        "priceCurrency",
        "membershipNumber",
        "trackingNumber",
        "paymentMethod",
        "currency",
    ),
    *("value", "unitCode", "minPrice", "maxPrice", "bankAccountType", "identifier"),
)
INPUTS: Final[dict[str, Input]] = {**dict.fromkeys(_TEXTS, "text"), **_OTHERS}
"""How each field that is a text is filled in."""
_DATE: Final = re.compile(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", re.ASCII)
_MOMENT: Final = re.compile(
    _DATE.pattern + r"(T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)?)?",
    re.ASCII,
)
_CHECKS: Final[dict[Input, re.Pattern[str]]] = {
    "date": _DATE,
    "moment": _MOMENT,
    "email": re.compile(r"[^@\s]+@[^@\s]+"),
    "url": re.compile(r"https?://[^\s/]+\S*"),
}


def fits(kind: Input, value: str) -> bool:
    """Whether a value can be what such a field holds; a day must be one of the calendar."""
    check = _CHECKS.get(kind)
    if check is None:
        return True
    return check.fullmatch(value) is not None and (kind not in ("date", "moment") or _is_day(value))


def _is_day(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def offered_in(type_: str) -> tuple[str, ...]:
    """Return the fields that are offered in a node of a type within a record."""
    return NESTED.get(type_) or OFFERED.get(type_) or ("name",)
