from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nacl.bindings as sodium
import pytest
from freehold_node.data_dir import read_generation
from freehold_node.keystore import (
    Keys,
    change_passphrase,
    check_passphrase,
    create_keystore,
    open_keystore,
    recreate_keystore,
)
from freehold_protocol.canonical import jcs
from freehold_protocol.encoding import base64url_decode, base64url_encode
from freehold_protocol.errors import (
    ConflictError,
    MalformedError,
    NotFoundError,
    PassphraseError,
    TooLargeError,
    UnsupportedError,
)
from freehold_protocol.keys import hkdf_sha256

PASSPHRASE = "correct horse battery staple"
Change = Callable[[dict[str, Any]], object]


def counting(start: int = 0) -> Callable[[int], bytes]:
    """A source of bytes that never gives the same twice."""
    counter = iter(range(start, start + 1000))
    return lambda size: hashlib.shake_256(str(next(counter)).encode()).digest(size)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Keys]:
    folder = tmp_path_factory.mktemp("made")
    return folder, create_keystore(folder, PASSPHRASE, random=counting())


@pytest.fixture
def changed(made: tuple[Path, Keys], tmp_path: Path) -> Callable[..., Path]:
    """Make a folder with a copy of the key store, changed, its checksum put right if asked."""

    def make(change: Change, *, checksum: bool) -> Path:
        document = json.loads((made[0] / "keystore.json").read_bytes())
        change(document)
        if checksum:
            signed = {name: value for name, value in document.items() if name != "checksum"}
            document["checksum"] = base64url_encode(hashlib.sha256(jcs(signed)).digest())
        (tmp_path / "keystore.json").write_text(json.dumps(document))
        return tmp_path

    return make


def test_what_was_made_opens(made: tuple[Path, Keys]) -> None:
    folder, keys = made
    assert open_keystore(folder, PASSPHRASE) == keys
    assert len(keys.seed) == len(keys.database_key) == 32
    assert keys.seed != keys.database_key
    assert read_generation(folder) == 1
    check_passphrase(folder, PASSPHRASE)


@pytest.mark.skipif(os.name != "posix", reason="POSIX modes")
def test_only_the_owner_may_read_the_file(made: tuple[Path, Keys]) -> None:
    assert (made[0] / "keystore.json").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in made[0].iterdir()) == ["generation", "keystore.json"]


def test_no_key_is_shown_by_repr_or_stands_in_the_file(made: tuple[Path, Keys]) -> None:
    folder, keys = made
    assert repr(keys) == "Keys()"
    content = (folder / "keystore.json").read_bytes()
    for secret in (keys.seed, keys.database_key, PASSPHRASE.encode()):
        for shown in (secret, secret.hex().encode(), base64url_encode(secret).encode()):
            assert shown not in content


def test_the_file_is_what_the_specification_says(made: tuple[Path, Keys]) -> None:
    """Opened by hand from the written form, so that another implementation can."""
    folder, keys = made
    document = json.loads((folder / "keystore.json").read_bytes())
    checksum = base64url_decode(document.pop("checksum"))
    assert checksum == hashlib.sha256(jcs(document)).digest()
    ciphertext = base64url_decode(document.pop("ciphertext"))
    kdf = document["kdf"]
    assert (document["version"], kdf["name"], kdf["passes"], kdf["memoryBytes"]) == (
        1,
        "argon2id",
        3,
        67108864,
    )
    key = sodium.crypto_pwhash_alg(
        32,
        PASSPHRASE.encode(),
        base64url_decode(kdf["salt"]),
        3,
        67108864,
        sodium.crypto_pwhash_ALG_ARGON2ID13,
    )
    plain = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
        ciphertext, jcs(document), base64url_decode(document["nonce"]), key
    )
    assert plain == keys.seed + keys.database_key


@pytest.mark.parametrize("wrong", ["Correct horse battery staple", PASSPHRASE + " ", PASSPHRASE + "\n", "x"])
def test_a_wrong_passphrase_is_told_from_damage(made: tuple[Path, Keys], wrong: str) -> None:
    with pytest.raises(PassphraseError, match="the passphrase is wrong"):
        check_passphrase(made[0], wrong)


@pytest.mark.parametrize("passphrase", ["", "\ud800", "x" * 1025, "é" * 513])
def test_some_passphrases_cannot_be(made: tuple[Path, Keys], tmp_path: Path, passphrase: str) -> None:
    with pytest.raises(PassphraseError):
        open_keystore(made[0], passphrase)
    with pytest.raises(PassphraseError):
        create_keystore(tmp_path, passphrase, random=counting())
    with pytest.raises(PassphraseError):
        change_passphrase(made[0], PASSPHRASE, passphrase, random=counting())
    assert list(tmp_path.iterdir()) == []
    check_passphrase(made[0], PASSPHRASE)


def test_an_accent_counts_the_same_however_it_was_typed(tmp_path: Path) -> None:
    create_keystore(tmp_path, "caf\u00e9", random=counting())
    check_passphrase(tmp_path, "cafe\u0301")


def test_a_key_store_is_never_overwritten(made: tuple[Path, Keys]) -> None:
    folder, keys = made
    before = (folder / "keystore.json").read_bytes(), read_generation(folder)
    with pytest.raises(ConflictError):
        create_keystore(folder, PASSPHRASE, random=counting(50))
    with pytest.raises(ConflictError):
        recreate_keystore(folder, "other", keys.seed, random=counting(50))
    assert ((folder / "keystore.json").read_bytes(), read_generation(folder)) == before


def test_without_a_key_store(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no keystore\.json"):
        open_keystore(tmp_path, PASSPHRASE)
    with pytest.raises(NotFoundError):
        change_passphrase(tmp_path, PASSPHRASE, "new", random=counting())
    assert list(tmp_path.iterdir()) == []


def test_the_seed_alone_brings_back_every_key(made: tuple[Path, Keys], tmp_path: Path) -> None:
    keys = made[1]
    again = recreate_keystore(
        tmp_path, "new", keys.seed, random=counting(90), generation_at_least=1_795_000_000
    )
    assert again == keys == open_keystore(tmp_path, "new")
    assert keys.database_key == hkdf_sha256(keys.seed, info=b"freehold/v1/database")
    assert read_generation(tmp_path) == 1_795_000_000


def test_recovery_beside_an_old_generation_raises_it(tmp_path: Path) -> None:
    (tmp_path / "generation").write_text("7\n")
    recreate_keystore(tmp_path, "new", bytes(32), random=counting())
    assert read_generation(tmp_path) == 8


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_seed_has_32_bytes(tmp_path: Path, size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        recreate_keystore(tmp_path, "new", bytes(size), random=counting())
    assert list(tmp_path.iterdir()) == []


def test_changing_the_passphrase_keeps_the_keys(tmp_path: Path) -> None:
    keys = create_keystore(tmp_path, "old", random=counting())
    before = json.loads((tmp_path / "keystore.json").read_bytes())
    with pytest.raises(PassphraseError):
        change_passphrase(tmp_path, "wrong", "new", random=counting(70))
    assert json.loads((tmp_path / "keystore.json").read_bytes()) == before
    change_passphrase(tmp_path, "old", "new", random=counting(70))
    after = json.loads((tmp_path / "keystore.json").read_bytes())
    assert open_keystore(tmp_path, "new") == keys
    with pytest.raises(PassphraseError):
        open_keystore(tmp_path, "old")
    assert (before["nonce"], before["kdf"]["salt"]) != (after["nonce"], after["kdf"]["salt"])
    assert read_generation(tmp_path) == 1


def flipped(text: str) -> str:
    return ("B" if text[0] == "A" else "A") + text[1:]


@pytest.mark.parametrize("name", ["nonce", "ciphertext", "checksum"])
def test_a_flipped_character_is_damage(changed: Callable[..., Path], name: str) -> None:
    folder = changed(lambda document: document.update({name: flipped(document[name])}), checksum=False)
    with pytest.raises(MalformedError, match="damaged"):
        open_keystore(folder, PASSPHRASE)


ON_PURPOSE: dict[str, Change] = {
    "nonce": lambda d: d.update(nonce=flipped(d["nonce"])),
    "salt": lambda d: d["kdf"].update(salt=flipped(d["kdf"]["salt"])),
    "ciphertext": lambda d: d.update(ciphertext=flipped(d["ciphertext"])),
    "passes": lambda d: d["kdf"].update(passes=4),
}


@pytest.mark.parametrize("change", ON_PURPOSE.values(), ids=ON_PURPOSE)
def test_every_part_of_the_file_is_authenticated(changed: Callable[..., Path], change: Change) -> None:
    with pytest.raises(PassphraseError):
        open_keystore(changed(change, checksum=True), PASSPHRASE)


MALFORMED: dict[str, Change] = {
    "100 GB": lambda d: d["kdf"].update(memoryBytes=100 * 2**30),
    "over the memory bound": lambda d: d["kdf"].update(memoryBytes=512 * 2**20 + 1),
    "under the memory bound": lambda d: d["kdf"].update(memoryBytes=64 * 2**20 - 1),
    "memory below 0": lambda d: d["kdf"].update(memoryBytes=-1),
    "memory beyond 64 bits": lambda d: d["kdf"].update(memoryBytes=2**53 - 1),
    "memory is a float": lambda d: d["kdf"].update(memoryBytes=67108864.5),
    "memory is text": lambda d: d["kdf"].update(memoryBytes="67108864"),
    "too many passes": lambda d: d["kdf"].update(passes=11),
    "too few passes": lambda d: d["kdf"].update(passes=2),
    "passes is true": lambda d: d["kdf"].update(passes=True),
    "another kdf": lambda d: d["kdf"].update(name="scrypt"),
    "kdf is a list": lambda d: d.update(kdf=[]),
    "kdf has more": lambda d: d["kdf"].update(threads=4),
    "kdf has less": lambda d: d["kdf"].pop("salt"),
    "short salt": lambda d: d["kdf"].update(salt="AAAA"),
    "no base64url": lambda d: d["kdf"].update(salt="+" * 22),
    "salt is a number": lambda d: d["kdf"].update(salt=5),
    "short nonce": lambda d: d.update(nonce=""),
    "nonce is null": lambda d: d.update(nonce=None),
    "short ciphertext": lambda d: d.update(ciphertext=d["ciphertext"][:-4]),
    "long ciphertext": lambda d: d.update(ciphertext=d["ciphertext"] + "AAAA"),
    "a member more": lambda d: d.update(note="x"),
    "a member less": lambda d: d.pop("nonce"),
    "version 0": lambda d: d.update(version=0),
    "version is true": lambda d: d.update(version=True),
    "version is text": lambda d: d.update(version="1"),
    "no version": lambda d: d.pop("version"),
}


@pytest.mark.parametrize("change", MALFORMED.values(), ids=MALFORMED)
def test_a_hostile_file_is_refused_before_any_work(changed: Callable[..., Path], change: Change) -> None:
    with pytest.raises(MalformedError):
        open_keystore(changed(change, checksum=True), PASSPHRASE)


def test_a_later_version_is_not_called_damaged(changed: Callable[..., Path]) -> None:
    with pytest.raises(UnsupportedError, match="version 2"):
        open_keystore(changed(lambda d: d.update(version=2, more=1), checksum=True), PASSPHRASE)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"{",
        b"\xff\xfe",
        b'{"version":1,"version":1}',
        b'{"version":NaN}',
        b"[" * 3000,
    ],
)
def test_no_file_causes_another_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "keystore.json").write_bytes(content)
    with pytest.raises(MalformedError):
        open_keystore(tmp_path, PASSPHRASE)


def test_a_large_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "keystore.json").write_bytes(b" " * 10_000)
    with pytest.raises(TooLargeError):
        open_keystore(tmp_path, PASSPHRASE)


@pytest.mark.parametrize("size", [1, 100, 300, -1])
def test_a_file_cut_short_is_malformed(made: tuple[Path, Keys], tmp_path: Path, size: int) -> None:
    whole = (made[0] / "keystore.json").read_bytes().rstrip()
    (tmp_path / "keystore.json").write_bytes(whole[:size])
    with pytest.raises(MalformedError):
        open_keystore(tmp_path, PASSPHRASE)


@pytest.mark.skipif(sys.platform != "linux", reason="bounds the address space of a process")
def test_too_little_memory_is_said(made: tuple[Path, Keys]) -> None:
    script = (
        "import pathlib, resource, sys\n"
        "from freehold_node.keystore import open_keystore\n"
        "from freehold_protocol.errors import UnavailableError\n"
        "pages = int(pathlib.Path('/proc/self/statm').read_text().split()[0])\n"
        "bound = pages * resource.getpagesize() + 30 * 2**20\n"
        "resource.setrlimit(resource.RLIMIT_AS, (bound, bound))\n"
        "try: open_keystore(pathlib.Path(sys.argv[1]), sys.argv[2])\n"
        "except UnavailableError as error: print(error)\n"
    )
    command = [sys.executable, "-c", script, str(made[0]), PASSPHRASE]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "64 MiB" in ran.stdout
