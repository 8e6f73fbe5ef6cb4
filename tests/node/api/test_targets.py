"""The form of a request's target: what the node routes is never more than what a capability can be compared with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from freehold_node.api.messages import check_target
from freehold_protocol.errors import DuplicateKeyError, FreeholdError, MalformedError
from freehold_protocol.target import is_plain
from hypothesis import given, settings
from hypothesis import strategies as st

ORIGIN = "https://127.0.0.1:8743"
REFUSED = {
    "16-query-duplicate-param": DuplicateKeyError,
    "18-dot-segment-hand-signed": MalformedError,
    "19-pct-dot-segment-hand-signed": MalformedError,
}


@pytest.mark.vectors
def test_targets_of_captured_requests(vectors: Path) -> None:
    """Refused at the door, before anything of the request is read; the protocol refuses the same ones."""
    for path in (vectors / "zcap").glob("*.json"):
        target = json.loads(path.read_text("utf-8"))["request"]["url"]
        if path.stem in REFUSED:
            with pytest.raises(FreeholdError) as raised:
                check_target(target)
            assert type(raised.value) is REFUSED[path.stem]
            assert not is_plain(ORIGIN + target)
        else:
            assert check_target(target) == target.partition("?")[0]
            assert is_plain(ORIGIN + target)


_PARTS = st.sampled_from(
    ["/", "?", "&", "a", "b=", ".", "..", "%2e", "%3A", "%61", "#", "\\", "a=1", "+", ":", '"', "é", "%ff=", "\n"]
)  # fmt: skip


@settings(max_examples=400)
@given(st.lists(_PARTS, max_size=8).map("".join))
def test_whatever_is_routed_is_plain(tail: str) -> None:
    """So what the gate compares is never refused for its form, after it has been routed."""
    try:
        check_target("/g" + tail)
    except FreeholdError:
        return
    assert is_plain(f"{ORIGIN}/g{tail}")
