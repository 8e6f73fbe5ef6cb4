"""A node that stops knows whether the owner's tools wait for an answer, and lets no more of them in."""

from __future__ import annotations

import stat
from pathlib import Path

from freehold_node.visitors import expect_visitors, leaving, visiting


def test_who_leaves_knows_of_visitors_and_lets_no_more_in(tmp_path: Path) -> None:
    expect_visitors(tmp_path)
    assert stat.S_IMODE((tmp_path / "visitors").stat().st_mode) == 0o600
    with visiting(tmp_path) as first, leaving(tmp_path) as is_alone:
        with visiting(tmp_path) as second:
            assert (first, second) == (True, True)
            assert not is_alone()
        assert not is_alone()
    with leaving(tmp_path) as is_alone:
        assert is_alone()
        with visiting(tmp_path) as is_let_in:
            assert not is_let_in
    with visiting(tmp_path) as is_let_in:
        assert is_let_in


def test_a_visit_makes_no_file(tmp_path: Path) -> None:
    with visiting(tmp_path) as first, visiting(tmp_path / "none") as second:
        assert (first, second) == (True, True)
    assert list(tmp_path.iterdir()) == []
