from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pytest
from freehold_node.unlock import PassphraseSources, passphrase_from
from freehold_protocol.errors import PassphraseError

POSIX = pytest.mark.skipif(os.name != "posix", reason="POSIX modes and terminals")


def kept_in(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def typed(_label: str) -> str:
    return "typed"


def must_not_ask(_label: str) -> str:
    pytest.fail("the person was asked")


def test_the_order_of_the_sources(tmp_path: Path) -> None:
    option = kept_in(tmp_path / "option", b"from the option\n")
    named = kept_in(tmp_path / "named", b"from the named file")
    environment = {"FREEHOLD_PASSPHRASE_FILE": str(named), "FREEHOLD_PASSPHRASE": "from the variable"}

    def found(file: Path | None = None, **without: str) -> str:
        return passphrase_from(
            PassphraseSources(
                data_dir=tmp_path, file=file, environment=environment | without, prompt=must_not_ask
            )
        )

    assert found(option) == "from the option"
    assert found() == "from the named file"
    assert found(FREEHOLD_PASSPHRASE_FILE="") == "from the variable"
    assert passphrase_from(PassphraseSources(data_dir=tmp_path, prompt=typed)) == "typed"


def test_with_no_source_the_text_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(PassphraseError) as caught:
        passphrase_from(PassphraseSources(data_dir=tmp_path, environment={"FREEHOLD_PASSPHRASE": ""}))
    for name in ("FREEHOLD_PASSPHRASE_FILE", "FREEHOLD_PASSPHRASE,", "keyring", "terminal", str(tmp_path)):
        assert name in str(caught.value)


def test_the_passphrase_is_not_shown_by_repr(tmp_path: Path) -> None:
    sources = PassphraseSources(data_dir=tmp_path, environment={"FREEHOLD_PASSPHRASE": "hush"})
    assert "hush" not in repr(sources)


@pytest.mark.parametrize(
    ("content", "passphrase"),
    [
        (b"plain", "plain"),
        (b"closing line\n", "closing line"),
        (b"from Windows\r\n", "from Windows"),
        (b" spaces stay \n", " spaces stay "),
        (b"two ends\n\n", "two ends\n"),
        ("schön\n".encode(), "schön"),
        (b"x" * 1024 + b"\r\n", "x" * 1024),
    ],
)
def test_a_file_loses_its_closing_line_end_only(tmp_path: Path, content: bytes, passphrase: str) -> None:
    file = kept_in(tmp_path / "file", content)
    assert passphrase_from(PassphraseSources(data_dir=tmp_path, file=file)) == passphrase


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"\n", "empty"),
        (b"\xff", "UTF-8"),
        (b"x" * 1027, "too long"),
        (b"x" * 90_000, "too long"),
    ],
)
def test_an_unusable_file_ends_the_search(tmp_path: Path, content: bytes, said: str) -> None:
    file = kept_in(tmp_path / "file", content)
    environment = {"FREEHOLD_PASSPHRASE": "another"}
    sources = PassphraseSources(data_dir=tmp_path, file=file, environment=environment, prompt=must_not_ask)
    with pytest.raises(PassphraseError, match=said):
        passphrase_from(sources)


@pytest.mark.parametrize("name", ["missing", "", "missing/file", "nul\0"])
def test_a_file_that_cannot_be_read_ends_the_search(tmp_path: Path, name: str) -> None:
    sources = PassphraseSources(data_dir=tmp_path, file=tmp_path / name, prompt=must_not_ask)
    with pytest.raises(PassphraseError, match="cannot be read"):
        passphrase_from(sources)


@POSIX
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620, 0o602, 0o610, 0o601, 0o777])
def test_a_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    environment = {"FREEHOLD_PASSPHRASE_FILE": str(kept_in(tmp_path / "file", b"secret words", mode))}
    sources = PassphraseSources(data_dir=tmp_path, environment=environment, prompt=must_not_ask)
    with pytest.raises(PassphraseError, match="chmod 600") as caught:
        passphrase_from(sources)
    assert "secret" not in str(caught.value)


@POSIX
@pytest.mark.parametrize("mode", [0o400, 0o600, 0o700])
def test_a_file_of_the_owner_alone_is_read(tmp_path: Path, mode: int) -> None:
    file = kept_in(tmp_path / "file", b"words", mode)
    assert passphrase_from(PassphraseSources(data_dir=tmp_path, file=file)) == "words"


def nothing(_label: str) -> str:
    return ""


def closed(_label: str) -> str:
    raise EOFError


@pytest.mark.parametrize("prompt", [nothing, closed])
def test_a_person_who_types_nothing(tmp_path: Path, prompt: object) -> None:
    assert callable(prompt)
    with pytest.raises(PassphraseError, match="no passphrase was typed"):
        passphrase_from(PassphraseSources(data_dir=tmp_path, prompt=prompt))


SCRIPT = (
    "import pathlib, sys\n"
    "from freehold_node.unlock import PassphraseSources, passphrase_from\n"
    "from freehold_protocol.errors import PassphraseError\n"
    "try: print('got', passphrase_from(PassphraseSources.of_this_process(pathlib.Path(sys.argv[1]))))\n"
    "except PassphraseError as error: print('refused', error)\n"
)


def plain_environment() -> dict[str, str]:
    keyring_off = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    return {name: value for name, value in os.environ.items() if "FREEHOLD" not in name} | keyring_off


def test_a_service_without_a_terminal_is_not_asked(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    environment = plain_environment()
    for given, said in (({}, "refused no passphrase: set"), ({"FREEHOLD_PASSPHRASE": "words"}, "got words")):
        ran = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=environment | given,
            check=True,
        )
        assert ran.stdout.startswith(said)


@POSIX
def test_a_person_at_a_terminal_is_asked_without_echo(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, env=plain_environment(), start_new_session=True,
    ) as process:  # fmt: skip
        os.close(theirs)
        assert process.stdout is not None
        shown = b""
        while b"Passphrase: " not in shown:
            shown += os.read(ours, 100)
        os.write(ours, b"open sesame\n")
        assert process.stdout.read() == b"got open sesame\n"
    assert b"sesame" not in shown
    os.close(ours)


def test_the_keyring_comes_before_the_person(tmp_path: Path) -> None:
    keyring = pytest.importorskip("keyring", reason="the optional package keyring is not installed")
    backend = pytest.importorskip("keyring.backend")
    errors = pytest.importorskip("keyring.errors")

    class InMemory(backend.KeyringBackend):  # type: ignore[misc,name-defined]
        priority = 1
        locked = False
        kept: ClassVar[dict[tuple[str, str], str]] = {}

        def get_password(self, service: str, username: str) -> str | None:
            if self.locked:
                raise errors.KeyringLocked
            return self.kept.get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None:
            self.kept[service, username] = password

    before = keyring.get_keyring()
    keyring.set_keyring(InMemory())
    try:
        keyring.set_password("freehold", str(tmp_path), "from the keyring")
        sources = PassphraseSources(data_dir=tmp_path, prompt=must_not_ask)
        assert passphrase_from(sources) == "from the keyring"
        variable = {"FREEHOLD_PASSPHRASE": "from the variable"}
        assert (
            passphrase_from(PassphraseSources(data_dir=tmp_path, environment=variable)) == "from the variable"
        )
        assert passphrase_from(PassphraseSources(data_dir=tmp_path / "other", prompt=typed)) == "typed"
        InMemory.locked = True
        assert passphrase_from(PassphraseSources(data_dir=tmp_path, prompt=typed)) == "typed"
    finally:
        keyring.set_keyring(before)
