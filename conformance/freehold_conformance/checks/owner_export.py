"""Taking everything out, the sample where there is none, the recovery sheet, and where the person is signed in."""

from __future__ import annotations

import io
import zipfile
from typing import Final

from ..cast.doors import NOBODYS
from ..cast.stage import Stage
from ..check import Failed, Topic, expect, expect_equal, expect_problem, expect_status
from ..hands.encoding import Json, cid, strict_json
from ..hands.ledger import judge

topic = Topic()

_MOST: Final = 512 * 2**20


def _opened(data: bytes) -> dict[str, bytes]:
    """Return the files in a ZIP file, each of which has to be whole."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            expect(
                sum(one.file_size for one in archive.infolist()) < _MOST, "an export that is far too large"
            )
            return {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, RuntimeError) as error:
        raise Failed(f"an export that is no sound ZIP file: {error}") from error


def _document(name: str, data: bytes) -> Json:
    try:
        return strict_json(data)
    except (ValueError, RecursionError) as error:
        raise Failed(f"{name} is no JSON: {error}") from error


@topic.check("HTTP-68", "HTTP-44")
async def everything_is_taken_out_but_keys(stage: Stage) -> None:
    """An export is a ZIP file of documents that each stand by themselves, of what there is and of nothing else."""
    shown = await stage.person(name="Ada", email="ada@example.com")
    gone = await stage.person(name="Grace")
    await stage.owner.delete(gone.id)
    vendor = await stage.relate([shown.permission("delivery", ["name"])])
    await vendor.read("delivery")
    for proof in ({}, {"passphrase": "x"}, {"passphrase": ""}):
        expect_problem(await stage.owner.send("POST", "/export", proof), 403, "passphrase-wrong")
    answer = await stage.owner.send("POST", "/export", {"passphrase": stage.owner.passphrase})
    expect_status(answer, 200)
    expect_equal(answer.headers.get("content-type"), "application/zip", "content type")
    expect_equal(answer.headers.get("cache-control"), "no-store", "Cache-Control")
    files = _opened(answer.body)
    documents = {
        name: _document(name, data) for name, data in files.items() if name.endswith(("json", "jsonld"))
    }
    found = [one for one in documents.values() if isinstance(one, dict)]
    record = (await stage.owner.show(shown.id))["record"]
    expect(record in found, "a record that is not in the export, as it was signed")
    ledgers = [one for one in found if one.get("type") == "LedgerBundle" and _is_of(one, vendor.grant)]
    expect_equal(len(ledgers), 1, "ledgers of a grant")
    expect(judge(ledgers[0]).is_intact, "a ledger that does not hold")
    versions = [cid(one) for one in (await stage.owner.grant(vendor.grant))["receipt"]["versions"]]
    expect_equal([cid(one) for one in ledgers[0]["receipt"]["versions"]], versions, "versions of the grant")
    secrets = (
        stage.owner.passphrase.encode(),
        gone.tag.encode(),
        vendor.capability["proof"]["proofValue"].encode(),
    )
    for name, data in files.items():
        expect(
            not any(secret in data for secret in secrets), f"{name} has what is secret, or what was deleted"
        )


def _is_of(bundle: Json, grant: str) -> bool:
    versions = bundle.get("receipt", {}).get("versions", ()) if isinstance(bundle, dict) else ()
    return any(one.get("id") == f"urn:uuid:{grant}" for one in versions)


@topic.check("HTTP-84", "HTTP-68")
async def where_there_is_no_sample_none_is_removed(stage: Stage) -> None:
    """A node that has no sample says so, and removing it finds nothing and takes nothing."""
    told = await stage.owner.do("GET", "/sample")
    expect_equal(sorted(told), ["sample"], "members")
    if told["sample"] is not None:
        names = ["grants", "records", "relationships", "vendors"]
        expect_equal(sorted(told["sample"]), names, "members of the sample")
        return
    shown = await stage.person(name="Ada")
    vendor = await stage.relate([shown.permission("delivery", ["name"])])
    expect_problem(await stage.owner.send("POST", "/sample/remove", {}), 404, "not-found")
    await vendor.read("delivery")
    await stage.owner.show(shown.id)


@topic.check("HTTP-90", "HTTP-44")
async def the_recovery_sheet_is_always_the_same(stage: Stage) -> None:
    """The sheet takes the passphrase, and has the same code each time."""
    for proof in ({}, {"passphrase": "x"}):
        expect_problem(await stage.owner.send("POST", "/recovery-sheet", proof), 403, "passphrase-wrong")
    sheets = [
        await stage.owner.do("POST", "/recovery-sheet", {"passphrase": stage.owner.passphrase})
        for _ in range(2)
    ]
    for one in sheets:
        expect_equal(sorted(one), ["day", "lines", "sheet"], "members")
        expect(all(line in one["sheet"] for line in one["lines"]), "a sheet without its code")
    expect(
        bool(sheets[0]["lines"]) and sheets[0]["lines"] == sheets[1]["lines"], "another code the second time"
    )


@topic.check("HTTP-88", "HTTP-87")
async def who_is_signed_in_is_told(stage: Stage) -> None:
    """The sessions and passkeys are told; the owner's tools are none of them, and none of another name is ended."""
    told = await stage.owner.do("GET", "/devices")
    expect_equal(sorted(told), ["passkeys", "sessions"], "members")
    expect(not any(one["this"] for one in told["sessions"]), "the owner's tools as a session")
    link = await stage.owner.do("POST", "/links", {})
    expect_equal(sorted(link), ["expires", "url"], "members of a link")
    another = await stage.owner.do("POST", "/links", {})
    expect(link["url"] != another["url"], "the same link twice")
    for kind in ("sessions", "passkeys"):
        answer = await stage.owner.send("DELETE", f"/devices/{kind}/{NOBODYS}")
        expect_problem(answer, 404, "not-found")
