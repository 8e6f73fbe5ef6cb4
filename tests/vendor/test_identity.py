from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from freehold_protocol.did_document import USES, DidDocument
from freehold_protocol.errors import (
    FreeholdError,
    MalformedError,
    SignatureError,
    TooLargeError,
    UnsupportedError,
)
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


WEB = "did:web:shop.example"


@pytest.mark.parametrize("method", ["", f"{WEB}#key-1"])
def test_a_domain_may_vouch_for_it(tmp_path: Path, method: str) -> None:
    made = VendorIdentity(KEY, "Shop", WEB, method)
    assert (made.did, made.is_web) == (WEB, True)
    assert made.method == (method or f"{WEB}#{KEY.public.multikey}")
    assert made.did_document_url == "https://shop.example/.well-known/did.json"
    keys = DidDocument.from_dict(json.loads(json.dumps(made.did_document())), WEB).keys
    assert {use: keys.key(made.method, use=use) for use in USES} == dict.fromkeys(USES, KEY.public)
    assert KEY.multikey not in json.dumps(made.did_document())
    made.save(tmp_path / "key.json")
    assert VendorIdentity.load(tmp_path / "key.json") == made
    assert (
        VendorIdentity.load_or_generate(tmp_path / "key.json", "Another", did="did:web:other.example") == made
    )
    assert made.key_of(made.method) == KEY.public
    with pytest.raises(SignatureError):
        made.key_of(KEY.method)


def test_a_new_one_of_a_domain(tmp_path: Path) -> None:
    made = VendorIdentity.load_or_generate(tmp_path / "key.json", "Shop", did=WEB)
    assert made.did == WEB
    assert VendorIdentity.load(tmp_path / "key.json") == made
    assert VendorIdentity.generate("Shop", did=WEB).key != made.key


def test_a_key_by_itself_has_no_document(tmp_path: Path) -> None:
    made = VendorIdentity(KEY, "Shop")
    assert (made.did, made.method, made.is_web) == (KEY.did, KEY.method, False)
    assert made == VendorIdentity(KEY, "Shop", KEY.did, KEY.method)
    for ask in (made.did_document, lambda: made.did_document_url):
        with pytest.raises(TypeError):
            ask()
    made.save(tmp_path / "key.json")
    assert json.loads((tmp_path / "key.json").read_text()).keys() == {"type", "name", "key"}  # as ever


@pytest.mark.parametrize(
    ("did", "method", "error"),
    [
        ("did:example:shop", "", UnsupportedError),
        ("did:web:10.0.0.1", "", MalformedError),
        ("shop.example", "", FreeholdError),
        (SigningKey(bytes([2]) * 32).did, "", UnsupportedError),
        (WEB, "#key-1", MalformedError),
        (WEB, f"{WEB}:a#key-1", MalformedError),
        (WEB, f"{WEB}#key 1", MalformedError),
        ("", f"{WEB}#key-1", MalformedError),
    ],
)
def test_an_identity_that_nobody_could_look_up(did: str, method: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        VendorIdentity(KEY, "Shop", did, method)


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
        (json.dumps(GOOD | {"did": "shop.example"}).encode(), MalformedError),
        (json.dumps(GOOD | {"did": "did:web:Shop.example"}).encode(), MalformedError),
        (json.dumps(GOOD | {"did": "did:example:shop"}).encode(), UnsupportedError),
        (json.dumps(GOOD | {"did": WEB, "method": "did:web:other.example#key-1"}).encode(), MalformedError),
        (json.dumps(GOOD | {"method": f"{WEB}#key-1"}).encode(), MalformedError),
        (json.dumps(GOOD | {"did": 7}).encode(), MalformedError),
        (json.dumps(GOOD | {"did": WEB, "method": None}).encode(), MalformedError),
    ],
)
def test_a_file_that_holds_something_else(tmp_path: Path, data: bytes, error: type[Exception]) -> None:
    path = tmp_path / "key.json"
    path.write_bytes(data)
    path.chmod(0o600)
    with pytest.raises(error):
        VendorIdentity.load(path)
