"""What a demonstration plays: an address book, what the shop asks, what the person gives of it, and what is left.

Spec: specs/node/cli.md#demo
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Final

from freehold_protocol.encoding import Document

SHOP: Final = "Sample Shop"
Fields = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One permission that the shop asks for; with ``courier``, it may pass this on to its courier."""

    fields: Fields
    purpose: str
    courier: bool = False
    required: bool = False

    def to_permission(self, name: str, courier: str) -> Document:
        """Return the permission document, the courier named by its identity."""
        made: Document = {
            "name": name,
            "items": [{"type": "Person", "about": "self", "fields": list(self.fields)}],
            "purpose": [self.purpose],
            "retention": "P30D",
            "required": self.required,
        }
        return {**made, "recipients": [courier]} if self.courier else made


def _sample_address_book() -> bytes:
    return resources.files("freehold_node").joinpath("sample", "address-book.vcf").read_bytes()


DELIVERY: Final = "dpv:DeliveryOfGoods"
MARKETING: Final = "dpv:DirectMarketing"


def ask_for(fields: Mapping[str, Fields], *, courier: str) -> dict[str, Asked]:
    """Return what a shop asks for: what its courier gets, to deliver; the rest for its marketing."""
    return {
        name: Asked(fields=paths, purpose=DELIVERY, courier=True, required=True)
        if name == courier
        else Asked(fields=paths, purpose=MARKETING)
        for name, paths in fields.items()
    }


def _asked() -> dict[str, Asked]:
    fields: dict[str, Fields] = {
        "delivery": ("name", "address.streetAddress", "address.postalCode"),
        "marketing": ("email", "birthDate"),
    }
    return ask_for(fields, courier="delivery")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One play.

    Attributes:
        vcard: The address book, any file that can be imported.
        file_name: As the person calls it.
        me: Which card is the person: e-mail address, full name or number.
        asked: The permissions the shop asks for, by name.
        given: The fields the person approves of each; fewer than asked.
        kept: The fields that are left after narrowing; fewer than given.
        courier: The permission that the shop passes on to its courier.
        benefit: What the shop offers in return.
    """

    vcard: bytes = field(default_factory=_sample_address_book)
    file_name: str = "address-book.vcf"
    me: str = "ada@example.com"
    asked: Mapping[str, Asked] = field(default_factory=_asked)
    given: Mapping[str, Fields] = field(
        default_factory=lambda: {"delivery": ("name", "address.postalCode"), "marketing": ("email",)}
    )
    kept: Mapping[str, Fields] = field(
        default_factory=lambda: {"delivery": ("name",), "marketing": ("email",)}
    )
    courier: str = "delivery"
    benefit: str = "Free delivery, and ten percent off on your birthday"

    def __post_init__(self) -> None:
        asked = {name: one.fields for name, one in self.asked.items()}
        if not _within(self.given, asked) or not _within(self.kept, self.given):
            raise ValueError("what is given lies within what is asked, and what is kept within what is given")
        if (
            _size(self.kept) >= _size(self.given)
            or not all(self.given.values())
            or not all(self.kept.values())
        ):
            raise ValueError("narrowing takes a field away, and a permission has a field")
        if (
            self.courier not in self.kept
            or self.courier not in self.asked
            or not self.asked[self.courier].courier
        ):
            raise ValueError("the courier gets a permission that is kept and that names it")

    @property
    def other(self) -> str | None:
        """A permission that the courier must not get; one that the shop still has, if there is one."""
        names = [*self.kept, *self.asked]
        return next((name for name in names if name != self.courier), None)


def _within(inner: Mapping[str, Fields], outer: Mapping[str, Fields]) -> bool:
    return all(set(fields) <= set(outer.get(name, ())) for name, fields in inner.items())


def _size(permissions: Mapping[str, Fields]) -> int:
    return sum(map(len, permissions.values()))


def picks(permissions: Mapping[str, Fields]) -> list[str]:
    """Return the permissions as ``--give`` and ``--keep`` take them."""
    return [f"{name}={','.join(fields)}" for name, fields in permissions.items()]


def drops(scenario: Scenario) -> list[str]:
    """Return what the narrowing takes away, as ``--drop`` takes it."""
    found = []
    for name, fields in scenario.given.items():
        gone = [path for path in fields if path not in scenario.kept.get(name, ())]
        found += [name] if len(gone) == len(fields) else [f"{name}.{path}" for path in gone]
    return found
