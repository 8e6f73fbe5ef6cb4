"""The way to the node: the daemon if there is one, the same application in process if there is none."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from freehold_node import app, visitors
from freehold_node.app import Node, open_node
from freehold_node.cli import owner_client
from freehold_node.cli.inner_node import InnerNode
from freehold_node.cli.owner_client import OwnerClient
from freehold_node.config import Config
from freehold_node.data_dir import DataDirLock
from freehold_node.keystore import Keys
from freehold_protocol.keys import SigningKey
from harness import PASSPHRASE, House, free_port, open_house
from shell import Beside, Shell


def session(shell: Shell, **members: Any) -> None:
    """Write the session file of a node that is not there."""
    told = {
        "origin": "http://127.0.0.1:1",
        "connect": "http://127.0.0.1:1",
        "key": SigningKey(bytes(32)).multikey,
        "pid": 1,
    }
    (shell.folder / "session.json").write_text(json.dumps(told | members))


@pytest.mark.asyncio
async def test_talks_to_the_daemon_without_a_passphrase(house: House, beside: Beside) -> None:
    told = await asyncio.to_thread(beside.shell.ok, "status", passphrase=None)
    assert told["running"]
    assert told["origins"] == [house.base]


@pytest.mark.asyncio
async def test_signs_for_the_origin_and_connects_to_where_the_node_listens(
    shell: Shell, key_store: tuple[Path, Keys]
) -> None:
    config = Config(data_dir=shell.folder, port=free_port(), origins=("https://ada.example",))
    async with open_node(config, key_store[1]) as node:
        await node.listen()
        told = await asyncio.to_thread(shell.ok, "status", passphrase=None)
    assert told["running"]
    assert told["origins"] == ["https://ada.example"]


def test_is_the_node_where_none_runs(shell: Shell) -> None:
    first = shell.ok("records", "add", "name=Ada")
    assert [one["id"] for one in shell.ok("records")["records"]] == [first["id"]]
    assert not shell.ok("status")["running"]
    assert not (shell.folder / "session.json").exists()
    with DataDirLock(shell.folder):
        pass  # and has let go


def test_what_it_decides_is_for_the_configured_origin(shell: Shell) -> None:
    shell.environment = {"FREEHOLD_ORIGIN": "https://ada.example"}
    assert shell.ok("invite", "Shop")["url"].startswith("https://ada.example/i/")


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"origin":1}', '{"origin":"x","connect":"y","key":"z"}', "x" * 9000, "\x00\xff"],
)
def test_passes_over_a_session_file_that_says_nothing(shell: Shell, text: str) -> None:
    (shell.folder / "session.json").write_text(text)
    assert not shell.ok("status")["running"]


@pytest.mark.parametrize("connect", ["http://127.0.0.1:1", "http://127.0.0.1:x", "nonsense", "http://[::1"])
def test_passes_over_the_session_of_a_node_that_died(shell: Shell, connect: str) -> None:
    session(shell, connect=connect)
    assert not shell.ok("status")["running"]


class Stranger(BaseHTTPRequestHandler):
    """Something else, which took a dead node's port: no JSON, a status of its own choice."""

    status = 404

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(b"<html>")

    def log_message(self, *_: Any) -> None: ...


@contextmanager
def listening(status: int) -> Iterator[str]:
    handler = type("Handler", (Stranger,), {"status": status})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("status", [301, 400, 401, 404, 500])
def test_passes_over_a_stranger_at_a_dead_nodes_port(shell: Shell, status: int) -> None:
    with listening(status) as url:
        session(shell, connect=url)
        assert not shell.ok("status")["running"]


def test_passes_over_a_port_that_says_nothing_like_http(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            for _ in range(2):  # the look whether somebody is there, and the call
                peer = server.accept()[0]
                peer.sendall(b"220 ready\r\n")
                peer.close()

        thread = threading.Thread(target=answer)
        thread.start()
        session(shell, connect=f"http://127.0.0.1:{server.getsockname()[1]}")
        assert not shell.ok("status")["running"]
        thread.join()


@pytest.mark.asyncio
async def test_another_node_at_a_dead_nodes_port_is_not_taken_for_it(
    house: House, shell: Shell, tmp_path: Path
) -> None:
    other = Shell(tmp_path / "other")
    assert (await asyncio.to_thread(other, "init", passphrase="pw")).code == 0
    session(other, origin=house.base, connect=house.base)
    told = await asyncio.to_thread(other.ok, "status", passphrase="pw")
    assert not told["running"]
    assert told["records"] == 0


def test_says_who_has_the_data_directory(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owner_client, "_PAUSE_S", 0.001)
    with DataDirLock(shell.folder):
        ran = shell("status", "--json", passphrase=None)  # nobody is asked for anything in vain
    assert (ran.code, ran.out) == (3, "")
    assert ran.error["code"] == "conflict"
    assert str(os.getpid()) in ran.error["detail"]


def test_waits_for_a_node_that_is_about_to_let_go(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = DataDirLock(shell.folder)
    lock.__enter__()
    waited = threading.Event.wait

    def wait(self: threading.Event, timeout: float | None = None) -> bool:
        if timeout == owner_client._PAUSE_S:
            lock.__exit__(None, None, None)
            return False
        return waited(self, timeout)

    monkeypatch.setattr(threading.Event, "wait", wait)
    assert not shell.ok("status")["running"]


@pytest.mark.parametrize(("passphrase", "code"), [("wrong", "passphrase-wrong"), (None, "passphrase-wrong")])
def test_a_passphrase_that_is_wrong_or_missing_has_its_exit_code(
    shell: Shell, passphrase: str | None, code: str
) -> None:
    ran = shell("records", "--json", passphrase=passphrase)
    assert (ran.code, ran.out, ran.error["code"]) == (4, "", code)


def test_asks_for_the_passphrase_once_in_a_terminal(shell: Shell) -> None:
    assert shell("records", passphrase=None, secrets=[PASSPHRASE]).code == 0
    assert shell.asked == ["Passphrase: "]


def test_says_how_to_begin_where_there_is_no_node(tmp_path: Path) -> None:
    for folder in (tmp_path / "nowhere", tmp_path):
        for command in (["status"], ["serve", "--json"], ["change-passphrase"], ["dashboard"]):
            ran = Shell(folder)(*command)
            assert ran.code == 3
            assert "freehold init" in ran.err


def test_a_damaged_key_store_is_no_wrong_passphrase(shell: Shell) -> None:
    (shell.folder / "keystore.json").write_text("{}")
    assert shell("status").code == 1


@pytest.mark.asyncio
async def test_says_that_the_node_stopped_while_it_worked(
    house: House, beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(self: Node) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(type(house.node.inspection), "grants", lambda _: dies(house.node))
    ran = await beside("grants", "--json", passphrase=None)
    assert (ran.code, ran.out) == (3, "")


@pytest.mark.asyncio
async def test_a_node_that_stops_answers_who_came_before(
    shell: Shell, key_store: tuple[Path, Keys], monkeypatch: pytest.MonkeyPatch
) -> None:
    send, leaving = OwnerClient._send, visitors.leaving
    found, stops = threading.Event(), threading.Event()

    def sends(self: OwnerClient, *call: Any) -> Any:
        found.set()
        assert stops.wait(10)
        return send(self, *call)

    def stopping(folder: Path) -> Any:
        assert not (folder / "session.json").exists()
        stops.set()
        return leaving(folder)

    monkeypatch.setattr(OwnerClient, "_send", sends)
    monkeypatch.setattr(app, "leaving", stopping)
    async with open_house(shell.folder, keys=key_store[1], real_time=True) as house:
        client = OwnerClient(shell.folder, never, ambient=house.node.ambient)
        asking = asyncio.create_task(asyncio.to_thread(client.get, "/status"))
        assert await asyncio.to_thread(found.wait, 10)
    assert (await asking)["origins"] == [house.base]


@pytest.mark.asyncio
async def test_a_node_that_stops_does_not_wait_for_ever(
    shell: Shell, key_store: tuple[Path, Keys], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "_VISITS_END_S", 0.05)
    visitors.expect_visitors(shell.folder)
    with visitors.visiting(shell.folder):
        async with asyncio.timeout(10), open_house(shell.folder, keys=key_store[1]):
            pass
        with DataDirLock(shell.folder):
            pass


def never() -> AbstractContextManager[object]:
    raise AssertionError("the daemon is there")


@pytest.mark.asyncio
async def test_the_node_may_end_between_two_calls(shell: Shell, key_store: tuple[Path, Keys]) -> None:
    def inner() -> InnerNode:
        return InnerNode(Config(data_dir=shell.folder, port=free_port()), key_store[1])

    async with open_house(shell.folder, keys=key_store[1], real_time=True) as house:
        client = OwnerClient(shell.folder, inner, ambient=house.node.ambient)
        await asyncio.to_thread(client.get, "/status")
        assert client.has_daemon
    with client:
        await asyncio.to_thread(client.get, "/status")
        assert not client.has_daemon


def test_two_commands_at_once_both_work(shell: Shell) -> None:
    command = [sys.executable, "-m", "freehold_node", "records", "add", "--json"]
    environment = {**os.environ, "FREEHOLD_DATA": str(shell.folder), "FREEHOLD_PASSPHRASE": PASSPHRASE}
    processes = [
        subprocess.Popen(
            [*command, f"name=Person {number}"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for number in range(3)
    ]
    for process in processes:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
    assert len(shell.ok("records")["records"]) == 3
