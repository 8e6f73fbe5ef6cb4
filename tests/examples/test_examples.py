"""Every example runs as it says, in a process of its own, against a real node."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

import pytest
from harness import ADA, House, open_house, permission

pytestmark = pytest.mark.asyncio
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


async def start(name: str, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(EXAMPLES / name),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def waiting_request(house: House) -> dict[str, str]:
    for _ in range(600):
        requests = (await house.own("GET", "/requests?status=waiting"))["requests"]
        if requests:
            found: dict[str, str] = requests[0]
            return found
        await asyncio.sleep(0.05)
    raise AssertionError("the example did not ask")


async def finish(process: asyncio.subprocess.Process) -> str:
    out, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, errors.decode()
    return out.decode()


@pytest.mark.parametrize("approved", [True, False])
@pytest.mark.parametrize("name", ["read_a_node.py", "read_without_asyncio.py"])
async def test_a_vendor_reads_a_node(tmp_path: Path, name: str, approved: bool) -> None:
    async with open_house(tmp_path / "node", real_time=True) as house:
        await house.import_file(ADA, me="Ada Example")
        invitation = (await house.own("POST", "/invitations", {"label": "Example"}))["url"]
        process = await start(name, invitation)
        request = await waiting_request(house)
        path = f"/requests/{request['id']}"
        if approved:
            await house.approve(path, [permission("delivery", ["name", "address.postalCode"])])
        else:
            await house.own("POST", f"{path}/refuse", {"reason": "Not today."})
        told = await finish(process)
    assert request["code"] in told
    if approved:
        assert "Ada Example {'postalCode': 'EX1 2AB', 'type': 'PostalAddress'}" in told
        assert re.search(r"Entry \d+ of the ledger|by entry \d+", told)
    else:
        assert "They said no. Not today." in told


@pytest.mark.parametrize("given", [["name", "address.postalCode"], ["name"], None])
async def test_an_outside_implementer_reads_and_proves(tmp_path: Path, given: list[str] | None) -> None:
    async with open_house(tmp_path / "node", real_time=True) as house:
        await house.import_file(ADA, me="Ada Example")
        invitation = (await house.own("POST", "/invitations", {"label": "Example"}))["url"]
        process = await start("from_the_specification.py", invitation)
        request = await waiting_request(house)
        path = f"/requests/{request['id']}"
        if given is None:
            await house.own("POST", f"{path}/refuse", {})
            _, errors = await asyncio.wait_for(process.communicate(), 60)
            assert process.returncode == 1
            assert "The person refused." in errors.decode()
            return
        await house.approve(path, [permission("delivery", given)])
        told = await finish(process)
    assert f"Matching code: {request['code']}" in told
    assert '"name": "Ada Example"' in told
    assert ("EX1 2AB" in told) == (len(given) == 2)
    assert "Entry 1 is in the ledger of 2 entries." in told


async def test_the_outside_implementer_uses_nothing_of_ours() -> None:
    source = (EXAMPLES / "from_the_specification.py").read_text("utf-8")
    imported = set(re.findall(r"^(?:from|import) (\w+)", source, re.MULTILINE))
    assert imported - sys.stdlib_module_names == {"nacl", "rfc8785"}


@pytest.mark.parametrize("name", ["read_a_node.py", "read_without_asyncio.py"])
@pytest.mark.parametrize("invitation", ["nonsense", "http://127.0.0.1:1/i/x", "file:///x"])
async def test_it_says_in_one_sentence_what_went_wrong(name: str, invitation: str) -> None:
    process = await start(name, invitation)
    _, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert re.fullmatch(r"It did not work: [^\n]+\n", errors.decode().replace("\r", ""))


async def test_a_vendors_own_test() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", str(EXAMPLES / "test_a_shop.py"),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=EXAMPLES.parent,
    )  # fmt: skip
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, out.decode()
    assert "1 passed" in out.decode()


async def test_a_node_is_made_judged_and_thrown_away() -> None:
    """Checks of a stranger, of a read and of what outlives a crash, which is the node's to restart."""
    process = await start("judge_a_node.py", "--only=HTTP-13 *", "--only=HTTP-32 only-what-was-given-comes")
    told = await finish(process)
    assert "ok     HTTP-32 only-what-was-given-comes" in told
    assert "No required check failed" in told


async def test_every_example_is_run_here() -> None:
    names = {
        "from_the_specification.py",
        "judge_a_node.py",
        "read_a_node.py",
        "read_without_asyncio.py",
        "test_a_shop.py",
    }
    assert {path.name for path in EXAMPLES.glob("*.py")} == names
