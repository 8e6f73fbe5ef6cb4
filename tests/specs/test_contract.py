"""The OpenAPI description is what a node does: schemathesis tries every operation of a real one over HTTP.

Signed requests are made of three kinds: good ones, good ones in which something was replaced, and such as the
description alone gives. Nothing is random: the same requests go out each time.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from contract import Good, Running, Scene, Signing, listen
from hypothesis import HealthCheck, Phase, given, settings
from schemas_read import bundled, faults
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

ROOT = Path(__file__).resolve().parents[2]
DESCRIPTION = json.loads((ROOT / "specs" / "openapi.json").read_text("utf-8"))
API = schemathesis.openapi.from_dict(bundled(DESCRIPTION))
OPERATIONS = {found.ok().definition.raw["operationId"]: found.ok() for found in API.get_all_operations()}
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip
STREAMS = {"listenToGrant", "listenToPermission"}
"""Their answers do not end."""
WITHOUT_SUCCESS = {
    "acceptKeys": "takes a did:web vendor whose document has changed: tests/node/test_did_web_vendors.py",
}
SLOW = {"approve", "acceptKeys", "addOrigin", "makeBackup", "confirmClock", "changeGrant"}
"""They look at the passphrase, which is made to take long."""
EXAMPLES = 9


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(Path(tmp_path_factory.mktemp("contract")) / "node").open() as found:
        yield found


@pytest.fixture(scope="module")
def scene(running: Running) -> Scene:
    return Scene(running.house)


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as made:
        made.trust_env = False
        yield made


def sends(operation: Any) -> str | None:
    body = operation.definition.raw.get("requestBody")
    if body is None:
        return None
    name: str = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    return name


def call(case: Any, running: Running, session: requests.Session, good: Good | None) -> Any:
    """Send a case, signed if a good one is given, and hold the answer against the description."""
    auth = Signing(running.house, good) if good is not None and good.who else None
    response = case.call(base_url=running.house.base, session=session, auth=auth, allow_redirects=False)
    case.validate_response(response, checks=CHECKS)
    if response.status_code >= 400 and case.method != "HEAD":
        assert response.headers["freehold-code"] == [response.json()["code"]]
    assert not {"date", "server"} & set(response.headers)
    return response


def case_of(operation: Any, good: Good) -> Any:
    more = {"body": good.body, "media_type": "application/json"} if good.body is not None else {}
    return operation.Case(path_parameters=good.escaped, query=good.query, headers=good.headers, **more)


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - STREAMS - set(WITHOUT_SUCCESS)))
def test_a_good_request_succeeds_as_described(
    running: Running, scene: Scene, session: requests.Session, name: str
) -> None:
    running.run(scene.ready())
    good = running.run(scene.good(name))
    assert good.body is None or faults(str(sends(OPERATIONS[name])), good.body) == []
    response = call(case_of(OPERATIONS[name], good), running, session, good)
    assert 200 <= response.status_code < 300, response.text


@pytest.mark.parametrize("name", sorted(STREAMS))
def test_a_stream_opens_as_described(running: Running, scene: Scene, name: str) -> None:
    running.run(scene.ready())
    operation = OPERATIONS[name]
    path = operation.path.format(**running.run(scene.good(name)).escaped)
    reply = running.run(listen(scene, path))
    described = operation.definition.raw["responses"]["200"]
    assert reply.status == 200
    assert [reply.headers["Content-Type"].partition(";")[0]] == list(described["content"])
    assert reply.headers["Cache-Control"] == "no-store"
    fields = dict(line.split(": ", 1) for line in reply.body.decode().splitlines() if line)
    assert faults("event", json.loads(fields["data"])) == []


class Mixer:
    """Puts what is known to be good into what was made up, in turn more and less of it."""

    def __init__(self, good: Good) -> None:
        self.good, self.turn, self.whole = good, 0, False

    def mix(self, case: Any) -> None:
        """Change a case; ``whole`` says afterwards whether its body is still the one that was made up."""
        self.turn += 1
        if self.turn % 4:
            case.path_parameters = self.good.escaped
        self.whole = self.turn % 3 == 0
        if self.good.body is None or self.whole or not isinstance(case.body, dict):
            self.whole = True
            return
        body = dict(self.good.body)
        if self.turn % 3 == 1 and (made := [name for name in case.body if name != "everything"]):
            name = made[self.turn // 3 % len(made)]
            body[name] = case.body[name]
        case.body = body


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=str)
@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - STREAMS))
def test_signed_requests_are_answered_as_described(
    running: Running, scene: Scene, session: requests.Session, name: str, mode: GenerationMode
) -> None:
    running.run(scene.ready())
    operation, seen = OPERATIONS[name], Counter[int]()
    mixer = Mixer(running.run(scene.good(name)))

    @settings(
        max_examples=EXAMPLES // 3 if name in SLOW else EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def try_it(case: Any) -> None:
        mixer.mix(case)
        made_up = case.body
        if made_up == {"everything": True}:
            return  # it works, and leaves nothing for the others
        response = call(case, running, session, mixer.good)
        seen[response.status_code] += 1
        schema = sends(operation)
        if schema and mixer.whole and isinstance(made_up, dict | list | str | int | float | bool | None):
            assert not (faults(schema, made_up) and response.status_code < 300), made_up

    try_it()


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_requests_without_a_signature_are_refused_as_described(
    running: Running, scene: Scene, session: requests.Session, name: str
) -> None:
    running.run(scene.ready())
    operation = OPERATIONS[name]
    good = running.run(scene.good(name))
    needs = bool(operation.definition.raw["security"])
    mixer = Mixer(good)

    @settings(
        max_examples=EXAMPLES // 2,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    def try_it(case: Any) -> None:
        mixer.mix(case)
        status = call(case, running, session, None).status_code
        assert not needs or status in (400, 401, 404, 413)

    try_it()
    if needs:
        assert call(case_of(operation, good), running, session, None).status_code in (400, 401)


def test_every_operation_is_tried_and_every_exception_has_its_place() -> None:
    assert set(WITHOUT_SUCCESS) < set(OPERATIONS)
    for reason in WITHOUT_SUCCESS.values():
        assert (ROOT / reason.rpartition(": ")[2]).is_file()
