"""Set the project up in .venv beside this file, then run it: no other tool is needed.

    python3 run.py demo [ARGS]        five minutes in your browser: a node, a sample shop and its courier
    python3 run.py freehold ARGS      the freehold command
    python3 run.py conformance [ARGS] the conformance suite, against a node that is made for it and thrown away
    python3 run.py freehold-conformance ARGS    the same suite, against any node
    python3 run.py test [ARGS]        the tests; ARGS go to pytest
    python3 run.py check [--quick]    format, lint, types, layering and tests, as ./check

Standard library only. It has to parse on Python 3.8, so that an old Python gets a sentence, not a traceback.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 - says so to whoever runs an older one
    sys.exit(
        "Freehold needs Python 3.11 or later and this is Python {}.{} ({}).\n"
        "Run it with a later one, as in: python3.13 run.py".format(*sys.version_info[:2], sys.executable)
    )

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
UNFINISHED = VENV / "unfinished"
"""There from before anything is installed until everything is: who finds it starts over."""
EXTRAS = {"test": ("test",), "check": ("check", "test")}
"""What an extra of pyproject.toml brings along, itself included."""
CHECKS = {
    "format": ["ruff", "format", "--check", "."],
    "lint": ["ruff", "check", "."],
    "types": ["mypy"],
    "layering": ["pytest", "-q", "-n0", "tests/test_layering.py"],
    "tests": ["pytest"],
}
QUICK = ("format", "lint", "types", "layering")
FULL = ("format", "lint", "types", "tests")  # the layering is one of the tests


def main(arguments: list[str]) -> int:
    """Run the command the arguments name, and return its exit code."""
    command, rest = (arguments[0], arguments[1:]) if arguments else ("", [])
    if command == "demo":
        return hand_over(set_up("test"), ["-m", "freehold_node", "demo", *rest])
    if command == "freehold":
        return hand_over(set_up("test"), ["-m", "freehold_node", *rest])
    if command == "conformance":
        return hand_over(set_up("test"), [str(ROOT / "examples" / "judge_a_node.py"), *rest])
    if command == "freehold-conformance":
        return hand_over(set_up("test"), ["-m", "freehold_conformance", *rest])
    if command == "test":
        os.chdir(ROOT)
        keep_bytecode()
        return hand_over(set_up("test"), ["-m", "pytest", *rest])
    if command == "check" and rest in ([], ["--quick"]):
        os.chdir(ROOT)
        keep_bytecode()
        return check(active_python() or set_up("check"), QUICK if rest else FULL)
    print(__doc__)
    return 0 if command in ("-h", "--help", "help") else 2


def keep_bytecode() -> None:
    """Have Python keep what it compiles in .venv, for every process of the tests and for the next run."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = str(VENV / "bytecode")


def hand_over(python: Path, arguments: list[str]) -> int:
    """Become ``python ARGUMENTS``; on Windows, where that would return to the shell at once, wait for it."""
    command = [str(python), *arguments]
    if os.name == "nt":
        return subprocess.run(command, check=False).returncode
    return os.execv(python, command)


def check(python: Path, steps: tuple[str, ...]) -> int:
    """Run every step, also after one that failed, and say which did."""
    failed = []
    for step in steps:
        print(f"== {step}", flush=True)
        if subprocess.run([str(python), "-m", *CHECKS[step]], check=False).returncode:
            failed.append(step)
    print(f"check: {'failed: ' + ', '.join(failed) if failed else 'all is well'}")
    return 1 if failed else 0


def active_python() -> Path | None:
    """Return the running Python if its virtual environment has all tools and this very project."""
    if sys.prefix == sys.base_prefix:
        return None
    probe = "import hypothesis, mypy, pytest_asyncio, pytest_timeout, ruff, xdist, freehold_node as project"
    command = [sys.executable, "-c", probe + "; print(project.__file__, end='')"]
    ran = subprocess.run(command, cwd=ROOT.anchor, capture_output=True, text=True, check=False)
    here = ran.returncode == 0 and Path(ran.stdout).is_relative_to(ROOT)
    return Path(sys.executable) if here else None


def set_up(extra: str) -> Path:
    """Return the Python of .venv, after making or mending what is missing or out of date."""
    if not is_current(extra):
        with one_at_a_time():
            if not is_current(extra):  # another run may have done it meanwhile
                install(extra)
    return venv_python()


def venv_python() -> Path:
    """Return where the Python of .venv is, or would be."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def stamp(extra: str) -> Path:
    """Return the file that says for which fingerprint the extra was installed."""
    return VENV / f"installed-{extra}"


def fingerprint(extra: str) -> str:
    """Return what the installation depends on: the place, the Python, the declared dependencies."""
    parts = [str(ROOT), sys.version, sys.base_prefix, extra]
    digest = hashlib.sha256(
        "\0".join(parts).encode(errors="surrogateescape") + (ROOT / "pyproject.toml").read_bytes()
    )
    return digest.hexdigest()


def is_current(extra: str) -> bool:
    """Whether .venv holds what pyproject.toml asks for now."""
    try:
        return (
            stamp(extra).read_text() == fingerprint(extra)
            and venv_python().exists()
            and not UNFINISHED.exists()
        )
    except OSError:
        return False


def install(extra: str) -> None:
    """Install the project and the extra into .venv."""
    print(f"Setting up {VENV} (a minute or two, this once) ...", file=sys.stderr, flush=True)
    if not is_usable():
        run_quietly(
            [sys.executable, "-m", "venv", "--clear", str(VENV)], "the virtual environment cannot be made"
        )
    UNFINISHED.touch()
    pip = [str(venv_python()), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    run_quietly([*pip, "--editable", f".[{extra}]"], "the dependencies cannot be installed")
    for brought in EXTRAS[extra]:
        stamp(brought).write_text(fingerprint(brought))
    UNFINISHED.unlink()


def is_usable() -> bool:
    """Whether .venv is whole: nothing was interrupted, and it is of this Python and has a pip that starts."""
    if UNFINISHED.exists() or not venv_python().exists():
        return False
    probe = "import pip._internal.cli.main, sys; print(sys.version, sys.base_prefix, sep='\\0', end='')"
    try:
        ran = subprocess.run([str(venv_python()), "-c", probe], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return ran.stdout == f"{sys.version}\0{sys.base_prefix}"


def run_quietly(command: list[str], said: str) -> None:
    """Run the command without showing what it prints, unless it fails: then all of it is shown."""
    ran = subprocess.run(
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if ran.returncode:
        sys.stderr.write(ran.stdout.decode(errors="replace"))
        sys.exit(f"run.py: {said}; what was printed stands above")


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Keep a second run.py from starting over what the first one is still making; not on Windows."""
    with Path(__file__).open("rb") as file:
        if os.name != "nt":
            wait_for_lock(file.fileno())
        yield


def wait_for_lock(handle: int) -> None:
    """Lock the open file until it is closed; where the file system has no locks, go on without."""
    import fcntl

    with contextlib.suppress(OSError):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Waiting for another run.py that is setting up ...", file=sys.stderr, flush=True)
            fcntl.flock(handle, fcntl.LOCK_EX)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
