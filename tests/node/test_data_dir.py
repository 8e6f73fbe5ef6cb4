from __future__ import annotations

import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from freehold_node.data_dir import (
    DataDirLock,
    bump_generation,
    make_data_dir,
    read_bounded,
    read_generation,
    write_durably,
)
from freehold_protocol.errors import ConflictError, MalformedError, NotFoundError

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes, limits and signals")


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@POSIX
def test_a_new_data_dir_is_private_and_an_old_one_is_left_as_it_is(tmp_path: Path) -> None:
    new = tmp_path / "a" / "b" / "data"
    make_data_dir(new)
    assert mode_of(new) == 0o700
    old = tmp_path / "old"
    old.mkdir(mode=0o750)
    make_data_dir(old)
    assert mode_of(old) == 0o750
    make_data_dir(new)


@pytest.mark.parametrize("below", ["", "data", "x/data"])
def test_a_file_in_the_way_is_named(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(MalformedError, match="is a file"):
        make_data_dir(tmp_path / "file" / below)


@POSIX
def test_written_files_are_private_and_leave_nothing_beside_them(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    write_durably(path, b"one", overwrite=False)
    assert (path.read_bytes(), mode_of(path)) == (b"one", 0o600)
    path.chmod(0o644)
    write_durably(path, b"two", overwrite=True)
    assert (path.read_bytes(), mode_of(path)) == (b"two", 0o600)
    assert names(tmp_path) == ["keys"]


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_bytes(b"old")
    with pytest.raises(ConflictError, match="never overwritten"):
        write_durably(path, b"new", overwrite=False)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["keys"]


@POSIX
@pytest.mark.parametrize("overwrite", [True, False])
def test_a_disk_without_room_leaves_the_old_file(tmp_path: Path, overwrite: bool) -> None:
    path = tmp_path / ("old" if overwrite else "new")
    (tmp_path / "old").write_bytes(b"old")
    script = (
        "import resource, sys, pathlib\n"
        "from freehold_node.data_dir import write_durably\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "try: write_durably(pathlib.Path(sys.argv[1]), b'x' * 200, overwrite=sys.argv[2] == 'True')\n"
        "except OSError as error: print(error.errno)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, path, str(overwrite)], capture_output=True, check=True
    )
    assert int(ran.stdout) > 0
    assert names(tmp_path) == ["old"]
    assert (tmp_path / "old").read_bytes() == b"old"


def test_read_bounded_reads_one_byte_too_many_at_most(tmp_path: Path) -> None:
    (tmp_path / "big").write_bytes(b"x" * 100)
    assert len(read_bounded(tmp_path / "big", 9)) == 10
    with pytest.raises(NotFoundError, match=r"there is no small in the data directory"):
        read_bounded(tmp_path / "small", 9)


def test_the_generation_only_rises(tmp_path: Path) -> None:
    assert [bump_generation(tmp_path) for _ in range(3)] == [1, 2, 3]
    assert read_generation(tmp_path) == 3
    assert bump_generation(tmp_path, at_least=1_795_000_000) == 1_795_000_000
    assert bump_generation(tmp_path, at_least=5) == 1_795_000_001
    assert (tmp_path / "generation").read_bytes() == b"1795000001\n"
    assert names(tmp_path) == ["generation"]
    if sys.platform != "win32":
        assert mode_of(tmp_path / "generation") == 0o600


def test_a_missing_generation_has_no_default(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_generation(tmp_path)


NO_GENERATION = [
    *(
        b"",
        b"\n",
        b"0",
        b"-1",
        b"+1",
        b"01",
        b" 1",
        b"1 ",
        b"1\n\n",
        b"1\r\n",
        b"1.0",
        b"1e3",
        b"1_0",
        b"0x1",
    ),
    *(b"one", "٣".encode(), b"\xff", b"9" * 19, b"9" * 5000),
]


@pytest.mark.parametrize("content", NO_GENERATION)
def test_a_damaged_generation_is_refused_and_never_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "generation").write_bytes(content)
    with pytest.raises(MalformedError):
        read_generation(tmp_path)
    with pytest.raises(MalformedError):
        bump_generation(tmp_path)
    assert (tmp_path / "generation").read_bytes() == content


def test_the_generation_ends_somewhere(tmp_path: Path) -> None:
    assert bump_generation(tmp_path, at_least=10**18 - 1) == 10**18 - 1
    with pytest.raises(MalformedError, match="greatest"):
        bump_generation(tmp_path)
    for at_least in (-1, 10**18):
        with pytest.raises(ValueError, match="18 digits"):
            bump_generation(tmp_path, at_least=at_least)


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    lock = DataDirLock(tmp_path)
    with lock:
        with pytest.raises(ConflictError, match="another Freehold process"), DataDirLock(tmp_path):
            pytest.fail("two holders")
        with pytest.raises(ConflictError, match="held already"), lock:
            pytest.fail("one lock, held twice")
        with pytest.raises(ConflictError), DataDirLock(tmp_path):
            pytest.fail("the failed attempts let go of the lock")
    with lock, pytest.raises(ConflictError), DataDirLock(tmp_path):
        pytest.fail("two holders")


def test_an_error_inside_lets_go_and_passes(tmp_path: Path) -> None:
    with pytest.raises(KeyError), DataDirLock(tmp_path):
        raise KeyError
    with DataDirLock(tmp_path):
        pass


def test_a_lock_needs_a_data_dir(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError), DataDirLock(tmp_path / "none"):
        pytest.fail("there is nothing to lock")


@POSIX
def test_another_process_is_named_and_a_killed_one_lets_go(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib\n"
        "from freehold_node.data_dir import DataDirLock\n"
        "with DataDirLock(pathlib.Path(sys.argv[1])):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(ConflictError, match=rf"process \(number {holder.pid}\) is using"):
            DataDirLock(tmp_path).__enter__()
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with DataDirLock(tmp_path):
            assert mode_of(tmp_path / "lock") == 0o600
