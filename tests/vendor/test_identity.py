from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from freehold_protocol.errors import FreeholdError, MalformedError, TooLargeError, UnsupportedError
from freehold_protocol.keys import SigningKey
from freehold_vendor import Ambient, VendorIdentity

KEY = SigningKey(bytes([1]) * 32)
POSIX = pytest.mark.skipif(os.name != "posix", reason="POSIX modes")


def test_it_comes_back_from_its_file(tmp_path: Path) -> None:
    made = VendorIdentity(KEY, "Chloé's Shop")
    made.save(tmp_path / "key.json")
    assert VendorIdentity.load(tmp_path / "key.json") == made
    assert VendorIdentity.load_or_generate(tmp_path / "key.json", "Another Name") == made


@POSIX
def test_only_its_owner_can_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    VendorIdentity(KEY, "Shop").save(path)
    assert path.stat().st_mode & 0o777 == 0o600
    for mode in (0o644, 0o640, 0o602):
        path.chmod(mode)
        with pytest.raises(PermissionError):
            VendorIdentity.load(path)


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    VendorIdentity(KEY, "Shop").save(tmp_path / "key.json")
    with pytest.raises(FileExistsError):
        VendorIdentity.generate("Shop").save(tmp_path / "key.json")
    assert VendorIdentity.load(tmp_path / "key.json").key == KEY


def test_generating_takes_the_randomness_it_is_given() -> None:
    fixed = Ambient(random_bytes=lambda count: bytes([1]) * count)
    assert VendorIdentity.generate("Shop", ambient=fixed).did == KEY.did
    assert VendorIdentity.generate("Shop").did != VendorIdentity.generate("Shop").did


def test_the_key_is_not_shown_by_repr() -> None:
    shown = repr(VendorIdentity(KEY, "Shop"))
    assert KEY.multikey not in shown
    assert repr(KEY.seed) not in shown


@pytest.mark.parametrize("name", ["", "  ", "x" * 121, "Shop\u202e", "Shop\x00"])
def test_a_name_that_a_person_could_not_read(name: str) -> None:
    with pytest.raises(MalformedError):
        VendorIdentity(KEY, name)


GOOD = {"type": "VendorIdentity", "name": "Shop", "key": KEY.multikey}


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", MalformedError),
        (b"[]", MalformedError),
        (b" " * 5000, TooLargeError),
        (json.dumps(GOOD | {"type": "Grant"}).encode(), MalformedError),
        (json.dumps(GOOD | {"more": 1}).encode(), MalformedError),
        (json.dumps(GOOD | {"key": KEY.public.multikey}).encode(), UnsupportedError),
        (json.dumps(GOOD | {"key": "z3u2"}).encode(), FreeholdError),
        (json.dumps(GOOD | {"key": 7}).encode(), MalformedError),
        (json.dumps(GOOD | {"name": None}).encode(), MalformedError),
    ],
)
def test_a_file_that_holds_something_else(tmp_path: Path, data: bytes, error: type[Exception]) -> None:
    path = tmp_path / "key.json"
    path.write_bytes(data)
    path.chmod(0o600)
    with pytest.raises(error):
        VendorIdentity.load(path)
