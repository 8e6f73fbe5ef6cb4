"""The sample shop and its courier that run beside the node, where ``freehold demo`` started them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources
from typing import Final

from aiohttp import web
from freehold_protocol.encoding import base64url_encode

BOOK: Final = "address-book.vcf"
ME: Final = "ada@example.com"
"""Which card of the sample address book is the person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleShop:
    """Where the two have their pages, who they are, and whether the node stays when the sample ends."""

    shop: str
    courier: str
    shop_did: str
    courier_did: str
    stays: bool


SAMPLE: web.AppKey[SampleShop] = web.AppKey("sample_shop", SampleShop)


def sample_book() -> bytes:
    """Return the address book of invented people."""
    return resources.files("freehold_node").joinpath("sample", BOOK).read_bytes()


def sample_digest() -> str:
    """Return its digest as the records from it have it."""
    return base64url_encode(hashlib.sha256(sample_book()).digest())
