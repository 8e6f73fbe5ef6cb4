"""Targets: what is one URL to everybody, and what is under what, by text alone."""

from __future__ import annotations

import pytest
from freehold_protocol import limits
from freehold_protocol.errors import DuplicateKeyError, FreeholdError, MalformedError, TooLargeError
from freehold_protocol.target import is_plain, lies_within, read_target
from hypothesis import given, settings
from hypothesis import strategies as st

BASE = "https://p3kx9.example.org/g/0e8d6f0b"

PLAIN = [
    BASE,
    "https://p3kx9.example.org",
    "https://p3kx9.example.org:8443/g/1",
    "http://127.0.0.1:8420/g/1",
    "http://[::1]:8420/g/1",
    f"{BASE}/delivery/records/zBTCxgFm",
    f"{BASE}/zcaps/revocations/urn%3Auuid%3A1",
    f"{BASE}/a.b/..c/.../-_~!$&'()*+,;=:@",
    f"{BASE}?purpose=research",
    f"{BASE}?a&b&c=",
    f"{BASE}?a=1&b=%26a=2",
    f"{BASE}?where=%7B%22a%22:1%7D",
    f"{BASE}?a=/../b?c",
]
NOT_PLAIN = [
    "",
    "/g/1",
    "p3kx9.example.org/g/1",
    "ftp://p3kx9.example.org/g/1",
    "urn:uuid:1",
    "HTTPS://p3kx9.example.org/g/1",
    "https://P3kx9.example.org/g/1",
    "https://user@p3kx9.example.org/g/1",
    "https://user:word@p3kx9.example.org/g/1",
    "https://p3kx9.example.org:0/g/1",
    "https://p3kx9.example.org:/g/1",
    "https://p3kx9.example.org:123456/g/1",
    "https:///g/1",
    "https://",
    f"{BASE}/",
    f"{BASE}//delivery",
    f"{BASE}/delivery//",
    f"{BASE}/.",
    f"{BASE}/..",
    f"{BASE}/./delivery",
    f"{BASE}/../9",
    f"{BASE}/a/../9",
    f"{BASE}/%2e%2e/9",
    f"{BASE}/%2E",
    f"{BASE}/a%2fb",
    f"{BASE}/a%2Fb",
    f"{BASE}/a%5cb",
    f"{BASE}/a%5Cb",
    f"{BASE}/%3a",
    f"{BASE}/%41",
    f"{BASE}/%",
    f"{BASE}/a\\b",
    f"{BASE}\\..\\9",
    f"{BASE}#part",
    f"{BASE}?a=b#part",
    f"{BASE}?a=\\",
    f"{BASE}?a=1&a=2",
    f"{BASE}?a=1&b=2&a=1",
    f"{BASE}?a&a",
    f"{BASE}?a=1&%61=2",
    f"{BASE}?a+b=1&a%20b=2",
    f"{BASE}?%C3%A9=1&%c3%a9=2",
    f"{BASE}?&&",
    f"{BASE} ",
    f" {BASE}",
    f"{BASE}\n",
    f"{BASE}/a\tb",
    f"{BASE}/a\x00",
    f"{BASE}/\x7f",
    f"{BASE}/é",
    f"{BASE}?a=é",
    f"{BASE}/\u2028",
]
NO_TARGET = [
    f"{BASE}?",
    f"{BASE}?a=1&",
    f"{BASE}?&a=1",
    f"{BASE}?=1",
    f"{BASE}?a=%",
    f"{BASE}?a=%4",
    f"{BASE}?a=%zz",
    f'{BASE}?a="',
    f"{BASE}?a=<b>",
    f"{BASE}?a={{b}}",
    f"{BASE}?a=[1]",
    f"{BASE}?a=b|c",
    f"{BASE}?a=b^c`",
]
"""A request may say these; a capability, whose target other suites sign as an IRI, may not."""


@pytest.mark.parametrize("url", PLAIN)
def test_what_is_one_url_to_everybody(url: str) -> None:
    assert read_target(url) == url
    assert is_plain(url)


@pytest.mark.parametrize("url", NOT_PLAIN)
def test_what_somebody_could_normalise(url: str) -> None:
    assert not is_plain(url)
    with pytest.raises(MalformedError):
        read_target(url)


@pytest.mark.parametrize("url", NO_TARGET)
def test_what_a_capability_s_target_does_not_hold(url: str) -> None:
    assert is_plain(url)
    with pytest.raises(MalformedError):
        read_target(url)


@pytest.mark.parametrize("value", [None, 1, [BASE], {"id": BASE}, True])
def test_a_target_is_a_text(value: object) -> None:
    with pytest.raises(MalformedError):
        read_target(value)


def test_a_key_that_comes_twice_says_so() -> None:
    with pytest.raises(DuplicateKeyError):
        read_target(f"{BASE}?a=1&%61=1")


def test_a_target_is_bounded() -> None:
    longest = BASE + "/" + "a" * (limits.MAX_TARGET_CHARS - len(BASE) - 1)
    assert read_target(longest) == longest
    with pytest.raises(TooLargeError):
        read_target(longest + "a")


@pytest.mark.parametrize(
    ("target", "within"),
    [
        (BASE, True),
        (BASE + "/a", True),
        (BASE + "/a/b?c=d", True),
        (BASE + "?c=d", True),
        (BASE + "0", False),
        (BASE + "&c=d", False),
        (BASE + "#a", False),
        (BASE[:-1], False),
        (BASE.upper(), False),
        (BASE.replace("https", "http"), False),
        ("https://evil.example/" + BASE, False),
        ("", False),
    ],
)
def test_what_lies_within_a_path(target: str, within: bool) -> None:
    assert lies_within(target, BASE) is within


@pytest.mark.parametrize(
    ("target", "within"),
    [
        (BASE + "?a=b", True),
        (BASE + "?a=b&c=d", True),
        (BASE + "?a=bc", False),
        (BASE + "?a=b/c", False),  # nothing but & may follow once there is a query
        (BASE + "?a=b?c", False),
        (BASE + "?c=d&a=b", False),  # text: the same query in another order is another
        (BASE + "/a?a=b", False),
        (BASE + "?A=b", False),
        (BASE + "?a=%62", False),
        (BASE, False),
    ],
)
def test_what_lies_within_a_query(target: str, within: bool) -> None:
    assert lies_within(target, BASE + "?a=b") is within


_PARTS = st.sampled_from(["/", "?", "&", "a", "b=", ".", "..", "%2e", "%3A", "%61", "#", "\\", "a=1", "+"])


@settings(max_examples=300)
@given(st.lists(_PARTS, max_size=8).map("".join))
def test_whatever_is_a_target_is_plain_and_within_itself(tail: str) -> None:
    url = BASE + tail
    try:
        read_target(url)
    except FreeholdError:
        return
    assert is_plain(url)
    assert lies_within(url, url)
    assert lies_within(url, BASE) is (tail == "" or tail[0] in "/?")
    segments = url.partition("?")[0].split("/")[3:]
    assert not {"", ".", ".."} & set(segments)


@settings(max_examples=200)
@given(st.lists(_PARTS, max_size=5).map("".join), st.lists(_PARTS, max_size=5).map("".join))
def test_narrowing_goes_on(first: str, second: str) -> None:
    """What lies within a link lies within every link before it, so that no step leads out again."""
    before, target = BASE + first, BASE + first + second
    if lies_within(before, BASE) and lies_within(target, before):
        assert lies_within(target, BASE)
