"""What a node and our own library sign, in the hands of the packages around ``ezcap``, and the other way round."""

from __future__ import annotations

import asyncio
import json
import os
import re
from pathlib import Path

import pytest
from ezcap import SUITES, Answer, verdict
from ezcap_scene import Scene
from freehold_protocol.capability import Capability, root_id
from freehold_protocol.caveat import Caveat, CountCaveat, HoursCaveat, PurposeCaveat, RateCaveat
from freehold_protocol.encoding import Document
from freehold_protocol.permission import Hours
from harness import Held
from node_packages import EZCAP
from shop import COURIER, DRIVER, keys_of, kinds

pytestmark = pytest.mark.asyncio
SPECS = Path(__file__).resolve().parents[2] / "specs"
WEEK = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"]
CAVEATS: tuple[Caveat, ...] = (
    PurposeCaveat(purposes=frozenset({"dpv:DeliveryOfGoods"})),
    HoursCaveat(hours=Hours.from_dict({"days": WEEK, "from": "00:00", "to": "00:00", "timeZone": "UTC"})),
    RateCaveat(reads=100, seconds=3600),
    CountCaveat(reads=2),
)


def held_by(scene: Scene, capability: Document) -> Held:
    """Return our own kind of holder of what ezcap passed on to the driver."""
    return Held(
        house=scene.house, key=DRIVER, grant=scene.held.grant, capability=Capability.from_dict(capability)
    )


async def test_the_page_of_the_specification_runs(scene: Scene, node_js: str) -> None:
    """The example for existing clients, as it stands there, with nothing but its three variables."""
    (source,) = re.findall(r"```js\n(.*?)```", (SPECS / "zcap-clients.md").read_text("utf-8"), re.DOTALL)
    given = {
        "CAPABILITY": json.dumps(scene.issued),
        "SEED": scene.held.key.seed.hex(),
        "PARTNER": COURIER.did,
    }
    process = await asyncio.create_subprocess_exec(
        node_js, "--input-type=module", cwd=EZCAP, env=os.environ | given,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        out, errors = await asyncio.wait_for(process.communicate(source.encode()), 60)
    finally:
        if process.returncode is None:
            process.kill()
    assert (process.returncode, out.decode()) == (0, "[ 'Ada Example' ]\n"), errors.decode()
    assert (await kinds(scene.house, scene.held.grant))[-1] == "changed revoke"


async def test_their_verifiers_accept_what_is_signed_here(scene: Scene) -> None:
    page = (await scene.held.get("/delivery/records")).json
    receipt = (await scene.held.get("")).json["receipt"]
    for document in (page, page["items"][0], receipt["request"], *receipt["versions"]):
        assert await verdict(scene.pipe, document) == (True, []), document["type"]
    changed = page["items"][0] | {"name": "Eve Example"}
    assert not (await verdict(scene.pipe, changed))[0]


async def test_their_verifiers_accept_our_capabilities(scene: Scene) -> None:
    grant = scene.url("")
    root = {
        "@context": "https://w3id.org/zcap/v1",
        "id": root_id(grant),
        "controller": (await keys_of(scene.house, scene.held.grant)).serving.did,
        "invocationTarget": grant,
    }
    courier = scene.held.delegate(COURIER, path="/delivery", caveats=CAVEATS)
    driver = courier.delegate(DRIVER, path="/delivery/records")
    for one in (scene.held, courier, driver):
        assert await verdict(scene.pipe, one.capability.document, root=root) == (True, [])
    for suite in SUITES:
        made = await scene.courier(suite).delegate(courier.capability.document, DRIVER)
        assert await verdict(scene.pipe, made, root=root) == (True, []), suite
    wider = driver.delegate(COURIER, path="/delivery").capability.document
    elsewhere = root | {"controller": COURIER.did}
    assert not (await verdict(scene.pipe, wider, root=root))[0]
    assert not (await verdict(scene.pipe, courier.capability.document, root=elsewhere))[0]


@pytest.mark.parametrize("suite", SUITES)
async def test_one_chain_of_both_kinds_of_clients(scene: Scene, suite: str) -> None:
    """Ours passes on to ezcap, that to ours; each link is invoked in both ways of signing a request."""
    first = scene.held.delegate(COURIER, path="/delivery")
    second = await scene.courier(suite).delegate(first.capability.document, DRIVER)
    ours = held_by(scene, second)
    assert (await ours.get("/delivery/records")).status == 200
    third = ours.delegate(COURIER, path="/delivery/records")
    assert (await third.get("/delivery/records")).status == 200
    for client, capability in ((scene.driver(), second), (scene.courier(), third.capability.document)):
        assert (await client.request(scene.url(), capability)).names == ["Ada Example"]


@pytest.mark.parametrize("suite", SUITES)
async def test_caveats_are_kept_by_a_client_that_does_not_know_them(scene: Scene, suite: str) -> None:
    first = scene.held.delegate(COURIER, path="/delivery", caveats=CAVEATS)
    made = [await scene.courier(suite).delegate(first.capability.document, DRIVER) for _ in range(2)]

    async def read(capability: Document) -> Answer:
        return await scene.driver().request(scene.url(), capability)

    codes = [(await read(capability)).code for capability in (*made, *made)]
    assert codes == [None, None, "limit-reached", "limit-reached"]
    without = {name: value for name, value in first.capability.document.items() if name != "caveat"}
    freed = await scene.courier(suite).delegate(without, DRIVER)
    assert (await read(freed)).code == "not-found"
