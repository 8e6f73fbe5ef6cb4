"""Connect in a request: a page of the vendor's, and a challenge; the vectors have the many ways to be no page."""

from __future__ import annotations

import pytest
from freehold_protocol import limits
from freehold_protocol.connect import RETURNED, Connect, read_return_to
from freehold_protocol.encoding import Json
from freehold_protocol.errors import MalformedError, TooLargeError
from freehold_protocol.keys import SigningKey
from freehold_protocol.permission import Permission
from freehold_protocol.request import Request, sign_request
from harness import START_S, permission

KEY = SigningKey(b"\x01" * 32)
CONNECT = Connect(return_to="https://shop.example/returned", challenge="c" * 32)


def request(connect: Connect | None) -> Request:
    return sign_request(
        KEY,
        request_id="urn:uuid:5d1f0c7e-91aa-4d0c-8a43-7c2b9be5f610",
        nonce="n" * 32,
        name="Shop",
        permissions=(Permission.from_dict(permission("delivery", ["name"])),),
        created_s=START_S,
        expires_s=START_S + 86_400,
        connect=connect,
    )


def test_it_is_signed_and_read_back() -> None:
    made = request(CONNECT)
    made.verify(now_s=START_S)
    assert Request.from_dict(made.document).connect == CONNECT
    assert made.document["connect"] == CONNECT.to_dict()
    bare = request(None)
    assert (bare.connect, "connect" in bare.document) == (None, False)
    assert bare.cid != made.cid


@pytest.mark.parametrize("name", RETURNED)
@pytest.mark.parametrize("query", ["{}=x", "a=b&{}", "{}", "%66{}"])
def test_a_page_names_nothing_that_the_node_adds(name: str, query: str) -> None:
    spelled = query.format(name.removeprefix("f") if query.startswith("%66") else name)
    with pytest.raises(MalformedError):
        read_return_to(f"https://shop.example/?{spelled}", vendor=KEY.did)


@pytest.mark.parametrize(
    "value", [None, 1, [], "", "x", "https://", "https:///", "https://[::1", "https://a..b/"]
)
def test_what_is_no_page_is_refused(value: Json) -> None:
    with pytest.raises(MalformedError):
        read_return_to(value, vendor=KEY.did)


def test_a_page_has_a_bound() -> None:
    page = "https://shop.example/".ljust(limits.MAX_RETURN_CHARS, "a")
    assert read_return_to(page, vendor=KEY.did) == page
    with pytest.raises(TooLargeError):
        read_return_to(page + "a", vendor=KEY.did)


def test_an_address_has_no_names_below_it() -> None:
    with pytest.raises(MalformedError):
        read_return_to("http://x.127.0.0.1:8430/", vendor="did:web:127.0.0.1%3A8430")
    assert read_return_to("https://a.b.shop.example/", vendor="did:web:shop.example:ada")
