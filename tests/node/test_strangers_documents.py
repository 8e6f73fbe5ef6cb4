"""Requests and credentials whose proofs are over canonical RDF, and poison in both: others are served meanwhile."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from freehold_node.context_files import FOLDER, INDEX
from freehold_protocol.encoding import Document, base64url_encode, format_time
from freehold_protocol.errors import MalformedError, NotFoundError
from freehold_protocol.keys import SigningKey
from freehold_protocol.proof import JCS, RDFC, Suite, add_proof, sign_document
from freehold_protocol.request import Request
from harness import ADA, START_S, Held, House, Reply, TestClock, make_keys, open_house, permission
from poison import KNOWS, twin_stars_document
from published import CITIZENSHIP, CREDENTIALS, EXAMPLES, contexts_of_examples, published
from signed_documents import STRANGER, VENDOR, make_request, with_member
from stuck import FOR_EVER, put_stuck_worker

SOON_S = 20
"""On however slow a machine: some tenths of a second are usual, and without a bound it takes years."""
DELIVERY = permission("delivery", ["name"])
ISSUER = SigningKey(bytes([9]) * 32)
CREDENTIAL: Document = {
    "@context": CREDENTIALS,
    "id": "urn:uuid:58172aac-d8ba-11ed-83dd-0b3aef56cc33",
    "type": ["VerifiableCredential"],
    "name": "Alumni Credential",
    "issuer": ISSUER.did,
    "validFrom": "2023-01-01T00:00:00Z",
    "validUntil": "2033-01-01T00:00:00Z",
    "credentialSubject": {"id": "did:example:abcdefgh"},
}


def request_of(suite: Suite, permissions: list[Document], key: SigningKey = VENDOR) -> Document:
    unsigned = {
        **{name: value for name, value in make_request(key).document.items() if name != "proof"},
        "permission": permissions,
    }
    return sign_document(unsigned, key, created_s=START_S, suite=suite)


async def post(house: House, document: Document) -> Reply:
    made = await house.own("POST", "/invitations", {"label": "Shop"})
    path = made["url"].removeprefix(house.base)
    return await house.send("POST", path, {"content-type": "application/json"}, json.dumps(document).encode())


# Requests


@pytest.mark.asyncio
async def test_a_request_over_canonical_rdf_is_granted_like_any_other(house: House) -> None:
    await house.import_file(ADA, me="Ada Example")
    document = request_of(RDFC, [DELIVERY])
    reply = await post(house, document)
    assert reply.status == 202, reply.body
    assert house.node.foreign.process_id is not None
    path = reply.json["request"].removeprefix(house.base)
    grant = await house.approve(path, [DELIVERY])
    told = await house.signed(VENDOR, "GET", path)
    assert told.json["receipt"]["request"] == document
    assert (await house.own("GET", f"/grants/{grant}"))["state"] == "live"
    Request.from_dict(document).verify(now_s=START_S)


@pytest.mark.asyncio
async def test_a_request_over_canonical_json_needs_no_other_process(house: House) -> None:
    assert (await post(house, request_of(JCS, [DELIVERY]))).status == 202
    assert house.node.foreign.process_id is None


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("path", "value", "outcome"),
    [
        ("benefit", "More", (401, "signature-invalid")),
        ("permission.0.items.0.fields", ["name", "email"], (401, "signature-invalid")),
        ("proof.verificationMethod", STRANGER.method, (401, "signature-invalid")),
        ("proof.created", format_time(START_S - 1), (401, "signature-invalid")),
        ("assignee.id", STRANGER.did, (401, "signature-invalid")),
        ("proof.cryptosuite", "ecdsa-rdfc-2019", (422, "unsupported")),
        ("@context", CREDENTIALS, (400, "malformed")),
    ],
)
async def test_a_request_that_was_changed_is_refused(
    house: House, path: str, value: Any, outcome: tuple[int, str]
) -> None:
    reply = await post(house, with_member(request_of(RDFC, [DELIVERY]), path, value))
    assert (reply.status, reply.code) == outcome


@pytest.mark.asyncio
async def test_a_poisonous_request_is_refused_soon(house: House) -> None:
    """By its form: nothing of what it holds is looked at."""
    proof = request_of(RDFC, [DELIVERY])["proof"]
    twins = twin_stars_document("x")
    began = time.perf_counter()
    for poison in (
        {**twins, "proof": proof},
        {**request_of(RDFC, [DELIVERY]), KNOWS: twins[KNOWS]},
        request_of(JCS, [{**DELIVERY, "limits": {KNOWS: twins[KNOWS]}}]) | {"proof": proof},
    ):
        assert (await post(house, poison)).status == 400
    assert time.perf_counter() - began < SOON_S
    assert house.node.foreign.process_id is None


@pytest.mark.asyncio
async def test_the_most_that_can_be_asked_is_told_apart_soon(house: House) -> None:
    """As many permissions as can be, with as many items, all of them alike: the riddle that a request can be."""
    many = [{**DELIVERY, "name": f"p{number}", "items": DELIVERY["items"] * 16} for number in range(16)]
    assert (await post(house, request_of(RDFC, [DELIVERY]))).status == 202  # the process is there
    request = request_of(RDFC, many)
    began = time.perf_counter()
    assert (await post(house, request)).status == 202
    assert time.perf_counter() - began < SOON_S


# Others are served meanwhile


async def reader(house: House) -> Held:
    await house.import_file(ADA, me="Ada Example")
    return await house.relate([DELIVERY])


@pytest.mark.asyncio
@pytest.mark.parametrize("way", ["request", "import"])
async def test_reads_are_served_while_a_document_takes_for_ever(
    house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, way: str
) -> None:
    """The document is worked on from before the first read until after the last; no read waits for it."""
    shop = await reader(house)
    begun = tmp_path / "begun"
    put_stuck_worker(monkeypatch, tmp_path, f"open({str(begun)!r}, 'x').close()\n{FOR_EVER}")
    house.node.foreign._job_s = 300
    if way == "request":
        poison = asyncio.create_task(post(house, request_of(RDFC, [DELIVERY])))
    else:
        poison = asyncio.create_task(preview(house, signed_credential()))
    while not begun.exists():
        await asyncio.sleep(0)
    for _ in range(20):
        assert (await shop.get("/delivery/records")).status == 200
    assert not poison.done()
    process_id = house.node.foreign.process_id
    assert process_id is not None
    os.kill(process_id, signal.SIGKILL)
    assert (await poison).status == (413 if way == "request" else 400)


@pytest.mark.asyncio
async def test_a_document_that_takes_too_long_is_given_up(
    house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put_stuck_worker(monkeypatch, tmp_path)
    house.node.foreign._job_s = 0.05
    reply = await post(house, request_of(RDFC, [DELIVERY]))
    assert (reply.status, reply.code) == (413, "too-large")
    assert house.node.foreign.process_id is None


@pytest.mark.asyncio
async def test_a_node_that_stops_waits_for_no_document(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put_stuck_worker(monkeypatch, tmp_path)
    async with open_house(tmp_path / "node") as house:
        house.node.foreign._job_s = 300
        going = asyncio.create_task(house.node.foreign.verify(request_of(RDFC, [DELIVERY])))
        while house.node.foreign.process_id is None:
            await asyncio.sleep(0)
    with pytest.raises(Exception, match="stops"):
        await going


# Credentials


def signed_credential(credential: Document = CREDENTIAL, key: SigningKey = ISSUER) -> Document:
    return sign_document(credential, key, created_s=START_S, suite=RDFC)


async def preview(house: House, *documents: Document) -> Reply:
    data = json.dumps(documents).encode()
    return await house.owner(
        "POST", "/import/preview", {"name": "wallet.json", "data": base64url_encode(data)}
    )


@pytest.mark.asyncio
@pytest.mark.parametrize("suite", [JCS, RDFC])
async def test_a_credential_is_attested_by_its_issuer(house: House, suite: Suite) -> None:
    signed = sign_document(CREDENTIAL, ISSUER, created_s=START_S, suite=suite)
    (shown,) = (await preview(house, signed)).json["found"]
    assert shown["label"] == f"Alumni Credential (attested by {ISSUER.did})"
    assert (shown["type"], shown["state"]) == ("Attestation", "new")
    data = json.dumps(signed).encode()
    assert (await house.import_file(data, name="wallet.json"))["added"] == 1
    assert (await house.import_file(data, name="wallet.json"))["same"] == 1
    (listed,) = (await house.own("GET", "/records"))["records"]
    record = (await house.own("GET", f"/records/{listed['id'].removeprefix('urn:uuid:')}"))["content"]
    assert record["attestedBy"] == ISSUER.did
    assert record["validThrough"] == "2033-01-01T00:00:00Z"
    assert json.loads(record["credential"]) == signed, "with the issuer's proof"


@pytest.mark.asyncio
async def test_what_is_shared_of_it_is_who_attests_it_and_never_the_credential(house: House) -> None:
    await house.import_file(json.dumps(signed_credential()).encode(), name="wallet.json")
    asked = permission("proof", ["name", "attestedBy"], type_="Attestation", about="any")
    shop = await house.relate([asked])
    assert await shop.contents("proof") == [
        {"type": "Attestation", "name": "Alumni Credential", "attestedBy": ISSUER.did}
    ]
    whole = permission("proof", ["credential"], type_="Attestation", about="any")
    reply = await post(house, {**request_of(JCS, [whole])})
    assert (reply.status, reply.code) == (400, "malformed")


@pytest.mark.asyncio
async def test_what_does_not_verify_is_left_out_and_named(house: House) -> None:
    good = signed_credential()
    reply = await preview(
        house,
        good,
        {**good, "name": "Doctor of Everything", "id": "urn:uuid:2"},
        signed_credential({**CREDENTIAL, "id": "urn:uuid:3"}, STRANGER),
        {**signed_credential({**CREDENTIAL, "id": "urn:uuid:4"}), "nmae": "x"},
        with_member(good, "proof.verificationMethod", "did:web:university.example#key"),
        with_member(good, "@context", [CREDENTIALS, EXAMPLES]),
        {**twin_stars_document(CREDENTIALS), "type": "VerifiableCredential", "proof": good["proof"]},
        add_proof({**good, "id": "urn:uuid:8"}, STRANGER),
    )
    assert [one["label"] for one in reply.json["found"]] == [f"Alumni Credential (attested by {ISSUER.did})"]
    reasons = {one["where"]: one["reason"] for one in reply.json["skipped"]}
    for number, reason in {
        2: "the signature does not verify",
        3: "not shown to be its issuer's",
        4: "no context defines 'nmae'",
        5: "only did:key",
        6: "nothing is fetched",
        7: "too alike",
        8: "the signature does not verify",
    }.items():
        assert reason in reasons[f"item {number}"], number
    assert ISSUER.did not in str(reasons)


@pytest.mark.asyncio
async def test_a_file_of_which_nothing_verifies_is_refused(house: House) -> None:
    reply = await preview(house, {**signed_credential(), "name": "Changed"})
    assert (reply.status, reply.code) == (400, "malformed")
    assert "its proof was not verified" in reply.json["detail"]
    assert (await house.own("GET", "/records"))["records"] == []


@pytest.mark.asyncio
async def test_several_proofs_one_of_them_the_issuer_s(house: House) -> None:
    both = add_proof(signed_credential(), STRANGER, suite=RDFC)
    (shown,) = (await preview(house, both)).json["found"]
    assert shown["label"].endswith(f"(attested by {ISSUER.did})")


@pytest.mark.asyncio
async def test_poison_in_a_file_is_refused_soon(house: House) -> None:
    await preview(house, signed_credential())  # the process is there
    poison = {**twin_stars_document(CREDENTIALS), "type": "VerifiableCredential"}
    began = time.perf_counter()
    reply = await preview(house, {**poison, "proof": signed_credential()["proof"]})
    assert "too alike" in reply.json["detail"]
    assert time.perf_counter() - began < SOON_S


@pytest.mark.asyncio
async def test_nobody_writes_an_attestation_by_hand(house: House) -> None:
    content = {"type": "Attestation", "name": "Doctor of Everything", "attestedBy": ISSUER.did}
    reply = await house.owner("POST", "/records", {"content": content})
    assert (reply.status, reply.code) == (400, "malformed")
    assert "imported with their proof" in reply.json["detail"]


@pytest.mark.asyncio
async def test_a_file_brings_no_more_credentials_than_are_looked_at(house: House) -> None:
    many = [
        sign_document({**CREDENTIAL, "id": f"urn:uuid:{number}"}, ISSUER, suite=JCS) for number in range(52)
    ]
    reply = (await preview(house, *many)).json
    assert len(reply["found"]) == 50
    assert [one["where"] for one in reply["skipped"]] == ["item 51", "item 52"]


# Contexts that the person added


def put_contexts(folder: Path, index: Any, **files: Any) -> None:
    (folder / FOLDER).mkdir(exist_ok=True)
    (folder / FOLDER / INDEX).write_text(index if isinstance(index, str) else json.dumps(index))
    for name, document in files.items():
        (folder / FOLDER / f"{name}.jsonld").write_text(
            document if isinstance(document, str) else json.dumps(document)
        )


@pytest.mark.vectors
@pytest.mark.asyncio
async def test_credentials_under_contexts_that_the_person_added(vectors: Path, tmp_path: Path) -> None:
    documents = published(vectors, EXAMPLES, CITIZENSHIP)
    keys = make_keys(tmp_path, random.Random(1))
    index = {EXAMPLES: "examples.jsonld", CITIZENSHIP: "citizenship.jsonld"}
    put_contexts(tmp_path, index, examples=documents[EXAMPLES], citizenship=documents[CITIZENSHIP])
    credential = {
        **CREDENTIAL,
        "@context": [CREDENTIALS, EXAMPLES],
        "credentialSubject": {"id": "did:example:a", "alumniOf": "The School of Examples"},
    }
    contexts = contexts_of_examples(vectors)
    signed = sign_document(credential, ISSUER, suite=RDFC, contexts=contexts)
    async with open_house(tmp_path, keys=keys, clock=TestClock()) as house:
        assert EXAMPLES in house.node.contexts.known
        (shown,) = (await preview(house, signed)).json["found"]
        assert shown["label"].endswith(f"(attested by {ISSUER.did})")


URL = "https://example.org/v1"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("index", "files", "error", "said"),
    [
        ("{", {}, MalformedError, "contexts/index.json"),
        ("[]", {}, MalformedError, "contexts/index.json"),
        ({URL: "a.jsonld"}, {}, NotFoundError, "contexts/a.jsonld is missing"),
        ({URL: "../a.jsonld"}, {}, MalformedError, "a file is named by"),
        ({URL: "/etc/passwd"}, {}, MalformedError, "a file is named by"),
        ({URL: ""}, {}, MalformedError, "a file is named by"),
        ({URL: 7}, {}, MalformedError, "a file is named by"),
        ({URL: "a.jsonld"}, {"a": "{"}, MalformedError, "contexts/a.jsonld: not JSON"),
        ({URL: "a.jsonld"}, {"a": {"terms": {}}}, MalformedError, "contexts/a.jsonld: a context is"),
        (
            {URL: "a.jsonld"},
            {"a": {"@context": "https://other.example"}},
            MalformedError,
            "nothing is fetched",
        ),
        (
            {URL: "a.jsonld"},
            {"a": {"@context": {"@base": URL}}},
            MalformedError,
            "contexts/a.jsonld: contexts that",
        ),
        ({CREDENTIALS: "a.jsonld"}, {"a": {"@context": {}}}, MalformedError, "not replaced"),
        ({"example": "a.jsonld"}, {"a": {"@context": {}}}, MalformedError, "absolute URL"),
    ],
)
async def test_what_is_wrong_with_a_context_is_said_at_the_start(
    tmp_path: Path, index: Any, files: dict[str, Any], error: type[Exception], said: str
) -> None:
    keys = make_keys(tmp_path, random.Random(1))
    put_contexts(tmp_path, index, **files)
    with pytest.raises(error, match=said):
        async with open_house(tmp_path, keys=keys):
            pytest.fail("it started")


@pytest.mark.asyncio
async def test_a_folder_without_an_index_is_an_error_and_no_folder_is_none(tmp_path: Path) -> None:
    keys = make_keys(tmp_path, random.Random(1))
    async with open_house(tmp_path, keys=keys) as house:
        assert not house.node.contexts.added
    (tmp_path / FOLDER).mkdir()
    with pytest.raises(NotFoundError, match="which context each file is"):
        async with open_house(tmp_path, keys=keys):
            pytest.fail("it started")
    put_contexts(tmp_path, {})
    async with open_house(tmp_path, keys=keys) as house:
        assert not house.node.contexts.added
