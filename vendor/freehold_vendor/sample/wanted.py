"""What the sample shop asks for: a little more than it needs, as many shops do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from freehold_protocol.encoding import Document

DAYS: Final = 30
"""How long the shop asks to read, and how long it promises to keep at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One permission that is asked for, and whether the courier gets it too."""

    name: str
    fields: tuple[str, ...]
    purpose: str
    required: bool
    courier: bool

    def to_permission(self, courier: str | None) -> Document:
        """Return the permission's document; courier is its DID, or None where there is no courier."""
        made: Document = {
            "name": self.name,
            "items": [{"type": "Person", "about": "self", "fields": list(self.fields)}],
            "purpose": [self.purpose],
            "retention": f"P{DAYS}D",
            "required": self.required,
        }
        return {**made, "recipients": [courier]} if self.courier and courier else made


WANTED: Final = (
    Wanted(
        name="delivery",
        fields=(
            *("name", "address.streetAddress", "address.postalCode", "address.addressLocality"),
            *("address.addressCountry", "email", "birthDate"),
        ),
        purpose="dpv:DeliveryOfGoods",
        required=True,
        courier=True,
    ),
    Wanted(
        name="marketing",
        fields=("name", "email", "birthDate"),
        purpose="dpv:DirectMarketing",
        required=False,
        courier=False,
    ),
)
HANDED_ON: Final = next(one.name for one in WANTED if one.courier)
