"""Which fields serve a purpose, as far as the node knows: what else is asked for is marked, and easily left out.

The table is ours and small. It says what is needed to do the thing at all, not what a business would like to have.

Spec: specs/node/dashboard.md#fewer-fields
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_NAME: Final = ("name", "givenName", "familyName", "honorificPrefix", "honorificSuffix", "additionalName")
_POST: Final = tuple(
    f"address.{term}"
    for term in (
        "streetAddress", "postOfficeBoxNumber", "extendedAddress", "addressLocality", "addressRegion", "postalCode",
        "addressCountry",
    )
)  # fmt: skip
_REACHED: Final = ("email", "telephone")
_Fields = tuple[str, ...]
SERVING: Final[dict[str, dict[str, _Fields]]] = {
    "dpv:AccountManagement": {"Person": (*_NAME, "alternateName", "email")},
    "dpv:AgeVerification": {"Person": ("birthDate",)},
    "dpv:CommunicationForCustomerCare": {"Person": (*_NAME, *_REACHED), "Order": ("orderNumber",)},
    "dpv:CommunicationManagement": {"Person": (*_NAME, *_REACHED)},
    "dpv:CustomerCare": {"Person": (*_NAME, *_REACHED), "Order": ("orderNumber", "orderDate", "orderStatus")},
    "dpv:CustomerOrderManagement": {"Person": (*_NAME, *_POST, "email")},
    "dpv:DeliveryOfGoods": {
        "Person": (*_NAME, *_POST, "telephone"),
        "Organization": ("name", *_POST, "telephone"),
    },
    "dpv:DirectMarketing": {"Person": ("email",)},
    "dpv:IdentityVerification": {
        "Person": (*_NAME, *_POST, "birthDate", "birthPlace", "birthPlace.name", "nationality")
    },
    "dpv:PaymentManagement": {"Person": (*_NAME, *_POST), "BankAccount": ("identifier", "provider.name")},
    "dpv:ServiceRegistration": {"Person": (*_NAME, "email")},
}


def serves(purposes: Iterable[str], type_: str, path: str) -> bool | None:
    """Whether a field serves one of the purposes; None where the node does not know enough to say that it does not.

    Args:
        purposes: ``dpv:`` terms.
        type_: Of the records, such as ``Person``.
        path: Such as ``address.postalCode``.
    """
    tables = [SERVING.get(purpose, {}).get(type_) for purpose in purposes]
    if any(table is not None and path in table for table in tables):
        return True
    return None if None in tables else False
