"""One shape of errors over every route, whoever asks and whatever is wrong."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from freehold_node.api.problems import STATUS, problem, status_of
from freehold_node.api.routes import ROUTES, Route
from freehold_protocol.encoding import Document
from freehold_protocol.errors import BY_CODE, FreeholdError
from harness import Reply
from shop import OUTSIDER
from watch import Watched, before, check_problem, check_untouched, watched

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")
OPEN = {"discovery", "health"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def node(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watched]:
    async with watched(Path(tmp_path_factory.mktemp("errors"))) as found:
        yield found


def filled(route: Route, grant: str) -> str:
    """Return a path of a route: of a real grant, of a permission it gives, and of ids that nobody has."""
    values = {"grant": grant, "permission": "delivery", "alias": "zNobody", "number": "0"}
    values["capability"] = "urn%3Auuid%3A00000000-0000-4000-8000-000000000000"
    nobody = "00000000-0000-4000-8000-000000000000"
    return re.sub(
        r"\{(\w+)(:(?:[^{}]|\{[^}]*\})*)?\}", lambda found: values.get(found[1], nobody), route.path
    )


def check_shape(reply: Reply) -> None:
    code = reply.code
    assert code is not None
    expected = reply.status if reply.status in (405, 417) else status_of(BY_CODE[code])
    check_problem(reply, expected, code)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
async def test_every_route_refuses_strangers_in_one_shape(
    node: Watched, caplog: pytest.LogCaptureFixture, route: Route
) -> None:
    path, house = filled(route, node.held.grant), node.house
    earlier = await before(node, caplog)
    json_type = {"content-type": "application/json"}
    replies = [
        await house.send(route.method, path, {}),
        await house.send(route.method, path, json_type, b"{}"),
        await house.send(route.method, path, json_type, b"not JSON"),
        await house.send(route.method, path, {"content-type": "text/plain"}, b"{}"),
        await house.signed(OUTSIDER, route.method, path),
        await house.signed(OUTSIDER, route.method, path, {}),
        await house.send(route.method, path, {"capability-invocation": "zcap x"}),
    ]
    twice = await house.send(route.method, path + "?a=1&a=2", {})
    check_problem(twice, 400, "duplicate-key")
    for reply in replies:
        if route.spec in OPEN:
            assert reply.status == 200
        else:
            check_shape(reply)
            assert reply.status in ({401} if route.spec == "owner" else {400, 401, 404})
    await check_untouched(node, earlier, caplog, *(reply.body for reply in replies if route.spec not in OPEN))


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("path", sorted({route.path for route in ROUTES}))
async def test_other_methods_are_refused_in_the_same_shape(
    node: Watched, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    here = [route for route in ROUTES if route.path == path]
    known = {route.method for route in here} | {"HEAD" for route in here if route.spec == "reading"}
    target = filled(here[0], node.held.grant)
    owners = target.startswith("/owner/")
    earlier = await before(node, caplog)
    for method in METHODS:
        unsigned = await node.house.send(method, target, {})
        reply = await node.house.owner(method, target.removeprefix("/owner")) if owners else unsigned
        if owners and method != "HEAD":
            check_problem(unsigned, 401, "not-authenticated")
        if method == "HEAD":
            assert reply.status == (400 if "HEAD" in known else 405)
            assert reply.headers["Content-Type"] == "application/problem+json"
            assert reply.headers["Freehold-Code"] == "malformed"
            assert reply.body == b""
        elif method not in known:
            check_problem(reply, 405, "malformed")
    if not owners:
        await check_untouched(node, earlier, caplog)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.requirement("HTTP-41")
async def test_nobody_but_the_owner_learns_which_of_the_owners_paths_there_are(node: Watched) -> None:
    for path in ("/owner/nothing", "/owner/records/x/y", "/owner/status/more"):
        for method in ("GET", "POST", "PUT"):
            check_problem(await node.house.send(method, path, {}), 401, "not-authenticated")
            reply = await node.house.owner(method, path.removeprefix("/owner"))
            check_problem(reply, 404, "not-found")
        check_problem(await node.house.signed(OUTSIDER, "GET", path), 401, "not-authenticated")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "route",
    [route for route in ROUTES if route.spec == "owner" and (route.method != "GET" or "{" in route.path)],
    ids=lambda route: f"{route.method} {route.path}",
)
async def test_the_owners_own_mistakes_have_it_too(
    node: Watched, caplog: pytest.LogCaptureFixture, route: Route
) -> None:
    path = filled(route, "00000000-0000-4000-8000-000000000000").removeprefix("/owner")
    earlier = await before(node, caplog)
    wrong: list[Document] = [
        {},
        {"note": 1},
        {"digest": 1, "passphrase": 1},
        {"permissions": []},
        {"change": "pause"},
    ]
    refused = 0
    for body in [None, *wrong]:
        reply = await node.house.owner(route.method, path, body)
        if reply.status >= 400:
            check_shape(reply)
            refused += 1
    assert refused
    # To sign out everywhere is no mistake where nobody is signed in, and is written down all the same.
    done = {"owner_action"} if path == "/devices/sign-out" else set()
    await check_untouched(node, earlier, caplog, spent={"nonce"} | done)


def test_every_error_has_a_status_and_every_status_a_title() -> None:
    for code, error in BY_CODE.items():
        response = problem(error("told"), route="/owner")
        assert response.status == status_of(error)
        assert response.headers["Content-Type"] == "application/problem+json"
        assert f'"code": "{code}"'.encode() in bytes(response.body or b"")  # type: ignore[arg-type]
        assert response.headers["Freehold-Code"] == code
        assert (b'"title": "Failed"' in bytes(response.body or b"")) == (response.status == 500)  # type: ignore[arg-type]
        assert ("Retry-After" in response.headers) == (response.status == 503)
    assert STATUS[FreeholdError] == 500
