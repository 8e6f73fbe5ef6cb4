"""The OpenAPI description is what a node does: schemathesis tries every operation of a real one over HTTP.

Signed requests are made of three kinds: good ones, good ones in which something was replaced, and such as the
description alone gives. Nothing is random: the same requests go out each time.
"""

from __future__ import annotations

import json
import re
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
from shop import COURIER

ROOT = Path(__file__).resolve().parents[2]
_REPEATED = re.compile(r"\{(\d+),(\d+)\}")
DESCRIPTION = json.loads((ROOT / "specs" / "openapi.json").read_text("utf-8"))


def smaller(value: Any) -> Any:
    """Return schemas that allow less: short arrays and texts, and no capability in a capability.

    Requests are made up by these, since by the true bounds most of the time would go into long ones.
    """
    if isinstance(value, list):
        return [smaller(one) for one in value if one != {"$ref": "#/components/schemas/capability"}]
    if not isinstance(value, dict):
        return value
    made = {name: smaller(one) for name, one in value.items()}
    if made.get("type") == "array" and "items" in made:
        made["maxItems"] = max(made.get("minItems", 0), min(made.get("maxItems", 2), 2))
    if isinstance(expression := made.get("pattern"), str):
        made["pattern"] = _REPEATED.sub(
            lambda found: f"{{{found[1]},{min(int(found[2]), int(found[1]) + 6)}}}", expression
        )
    return made


def operations_of(description: Any) -> dict[str, Any]:
    """Return every operation by its id."""
    found = schemathesis.openapi.from_dict(description).get_all_operations()
    return {one.ok().definition.raw["operationId"]: one.ok() for one in found}  # type: ignore[union-attr]


WHOLE = bundled(DESCRIPTION)
OPERATIONS, SMALLER = operations_of(WHOLE), operations_of(smaller(WHOLE))
CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
    response_schema_conformance,
]  # fmt: skip
STREAMS = {"listenToGrant", "listenToPermission"}
"""Their answers do not end."""
WITHOUT_SUCCESS = {
    "acceptKeys": "takes a did:web vendor whose document has changed: tests/node/test_did_web_vendors.py",
}
SLOW = {
    "approve",
    "acceptKeys",
    "addOrigin",
    "makeBackup",
    "exportAll",
    "changePassphrase",
    "printSheet",
    "confirmClock",
    "changeGrant",
}
"""They look at the passphrase, which is made to take long."""
EXAMPLES = 9
_FORM = "application/x-www-form-urlencoded"
MADE_UP = [
    (name, mode)
    for name, operation in sorted(OPERATIONS.items())
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    if name not in STREAMS and (mode.is_positive or operation.definition.raw["parameters"])
]


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


def is_page(case: Any) -> bool:
    """Whether a case is about what a browser is answered with a page."""
    return bool(case.operation.path == "/connect")


def sends(operation: Any) -> str | None:
    body = operation.definition.raw.get("requestBody")
    if body is None or _FORM in body["content"]:
        return None
    name: str = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    return name


def call(case: Any, running: Running, session: requests.Session, good: Good | None) -> Any:
    """Send a case, signed if a good one is given, and hold the answer against the description."""
    auth = Signing(running.house, good) if good is not None and good.who else None
    # Where the person signs in: under a literal address the browser is led there.
    base = running.house.base.replace("127.0.0.1", "localhost") if is_page(case) else running.house.base
    response = case.call(base_url=base, session=session, auth=auth, allow_redirects=False)
    case.validate_response(response, checks=CHECKS)
    if response.status_code >= 400 and case.method != "HEAD" and not is_page(case):
        assert response.headers["freehold-code"] == [response.json()["code"]]
    assert not {"date", "server"} & set(response.headers)
    return response


def case_of(operation: Any, good: Good) -> Any:
    kind = _FORM if good.form else "application/json"
    more = {"body": good.body, "media_type": kind} if good.body is not None else {}
    return operation.Case(path_parameters=good.escaped, query=good.query, headers=good.headers, **more)


@pytest.mark.requirement("HTTP-68")
@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - STREAMS - set(WITHOUT_SUCCESS)))
def test_a_good_request_succeeds_as_described(
    running: Running, scene: Scene, session: requests.Session, name: str
) -> None:
    running.run(scene.ready())
    good = running.run(scene.good(name))
    assert good.body is None or good.form or faults(str(sends(OPERATIONS[name])), good.body) == []
    response = call(case_of(OPERATIONS[name], good), running, session, good)
    assert 200 <= response.status_code < 300, response.text


@pytest.mark.requirement("HTTP-86", "HTTP-82")
def test_what_was_read_today_is_told_as_described(
    running: Running, scene: Scene, session: requests.Session
) -> None:
    """The lists of today have something in them, or nothing of their form would be tried."""
    running.run(scene.ready())
    partner = scene.held.delegate(COURIER, path="/delivery")
    assert running.run(partner.get("/delivery/records?fields=name")).status == 200
    good = running.run(scene.good("showToday"))
    told = call(case_of(OPERATIONS["showToday"], good), running, session, good).json()
    read = next(one for one in told["days"][0]["reads"] if scene.held.grant in one["grants"])
    assert set(read["fields"]) == {"name", "address.postalCode"}
    assert (read["reads"] > read["byPartners"] >= 1, told["days"][0]["vendors"] >= 1) == (True, True)
    assert any(scene.held.grant in one["grants"] for one in told["reads"])


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
        self.good, self.turn, self.whole = good, 1, False  # the first that is mixed is all good

    def mix(self, operation: Any, made: Any) -> Any:
        """Return the case to send; ``whole`` says afterwards whether its body is the one that was made up."""
        case = operation.Case(
            path_parameters=made.path_parameters, headers=made.headers, query=made.query, body=made.body,
            media_type=made.media_type,
        )  # fmt: skip
        self.turn += 1
        if self.turn % 4:
            case.path_parameters = self.good.escaped
        if self.turn % 2 == 0:
            case.query, case.headers = dict(self.good.query), dict(self.good.headers)
        self.whole = self.turn % 3 == 0
        if self.good.body is None or self.whole or not isinstance(case.body, dict):
            self.whole = True
            return case
        body = dict(self.good.body)
        if self.turn % 3 == 1 and (
            names := [name for name in case.body if name not in ("everything", "new")]
        ):
            name = names[self.turn // 3 % len(names)]
            body[name] = case.body[name]
        case.body = body
        return case


@pytest.mark.parametrize(("name", "mode"), MADE_UP)
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
    @given(case=SMALLER[name].as_strategy(generation_mode=mode))
    def try_it(case: Any) -> None:
        made_up = case.body
        if made_up == {"everything": True}:
            return  # it works, and leaves nothing for the others
        response = call(mixer.mix(operation, case), running, session, mixer.good)
        seen[response.status_code] += 1
        schema = sends(operation)
        if schema and mixer.whole and isinstance(made_up, dict | list | str | int | float | bool | None):
            assert not (faults(schema, made_up) and response.status_code < 300), made_up

    try_it()
    assert name in WITHOUT_SUCCESS or any(status < 300 for status in seen), seen


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
    @given(case=SMALLER[name].as_strategy(generation_mode=GenerationMode.POSITIVE))
    def try_it(case: Any) -> None:
        status = call(mixer.mix(operation, case), running, session, None).status_code
        assert not needs or status in (400, 401, 404, 413)

    try_it()
    if needs:
        assert call(case_of(operation, good), running, session, None).status_code in (400, 401)


def test_every_operation_is_tried_and_every_exception_has_its_place() -> None:
    assert set(WITHOUT_SUCCESS) < set(OPERATIONS)
    for reason in WITHOUT_SUCCESS.values():
        assert (ROOT / reason.rpartition(": ")[2]).is_file()


def another_body(answers: Any) -> None:
    answers["200"]["content"]["application/json"]["schema"] = {"required": ["surplus"]}


def another_type(answers: Any) -> None:
    answers["200"]["content"] = {"text/plain": {}}


def another_header(answers: Any) -> None:
    answers["200"]["headers"]["Freehold-Entry"] = {"$ref": "#/components/headers/Freehold-Entry"}


def another_status(answers: Any) -> None:
    answers["201"] = answers.pop("200")


@pytest.mark.parametrize("spoil", [another_body, another_type, another_header, another_status])
def test_a_description_that_says_something_else_is_found_out(
    running: Running, session: requests.Session, spoil: Any
) -> None:
    wrong = bundled(DESCRIPTION)
    spoil(wrong["paths"]["/owner/status"]["get"]["responses"])
    good = Good("owner")
    call(case_of(OPERATIONS["showStatus"], good), running, session, good)
    with pytest.raises(BaseException, match=r"(?i)schema|content|header|status"):
        call(case_of(operations_of(wrong)["showStatus"], good), running, session, good)
