"""The specification holds together: anchors, links, requirements, routes, and the worked examples are true."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from freehold_node.api.routes import ROUTES
from freehold_protocol.canonical import document_cid, jcs, without_proof
from freehold_protocol.capability import Capability
from freehold_protocol.delegation import verify_chain
from freehold_protocol.did_document import did_web_url, make_did_document
from freehold_protocol.encoding import Document, parse_document
from freehold_protocol.grant import TRANSITIONS, Grant, verify_grant
from freehold_protocol.keys import PublicKey, RelationshipKeys, SigningKey, record_key
from freehold_protocol.permission import RESERVED
from freehold_protocol.proof import verify_document, verify_proofs, verify_signed_by
from freehold_protocol.record import Record, content_of
from freehold_protocol.released import release_document, verify_released
from freehold_protocol.request import Request, matching_code

ROOT = Path(__file__).resolve().parents[1]
SPECS = ROOT / "specs"
PAGES = sorted(
    path.relative_to(SPECS).as_posix() for path in SPECS.rglob("*.md") if path.parts[-2] != "decisions"
)
LINKING = [
    *sorted(SPECS.rglob("*.md")),
    *(path for path in sorted(ROOT.glob("*.md"))),
]
SOURCES = [
    path
    for package in ("protocol", "node", "vendor", "conformance", "examples", "benchmarks")
    for path in sorted((ROOT / package).rglob("*.py"))
]
_FENCE = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_SPEC = re.compile(r"(specs/[\w/.-]+\.md)(?:#([\w-]+))?")
_DEFINED = re.compile(r"(?:^- \*\*|^### )([A-Z]{3,5})-(\d+)(?:\*\*| *$)", re.MULTILINE)
_NAMED = re.compile(r"\b([A-Z]{3,5})-(\d+)\b")


@cache
def text_of(path: Path) -> str:
    return path.read_text("utf-8")


def slug_of(heading: str) -> str:
    """Return the anchor that GitHub makes of a heading."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "")
    return re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-")


@cache
def anchors_of(path: Path) -> frozenset[str]:
    """Return every anchor of a page; a heading that comes again gets a number, as on GitHub."""
    seen: Counter[str] = Counter()
    anchors: set[str] = set()
    for heading in _HEADING.findall(_FENCE.sub("", text_of(path))):
        slug = slug_of(heading)
        anchors.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return frozenset(anchors)


@pytest.mark.parametrize(
    ("heading", "slug"),
    [
        ("First version", "first-version"),
        ("`eddsa-jcs-2022`", "eddsa-jcs-2022"),
        ("The person's own record", "the-persons-own-record"),
        ("Promised, and enforced", "promised-and-enforced"),
        ("LED-19", "led-19"),
        ("[Requests](requests.md) and *more*", "requests-and-more"),
        ("A / B", "a--b"),
    ],
)
def test_slugs_are_those_of_github(heading: str, slug: str) -> None:
    assert slug_of(heading) == slug


# What the code says of the pages


def spec_references() -> Iterator[tuple[str, str, str]]:
    for source in SOURCES:
        for line in text_of(source).splitlines():
            if "Spec: " in line:
                found = _SPEC.findall(line)
                assert found, f"{source.name}: a Spec line that names no page: {line.strip()}"
                yield from ((str(source.relative_to(ROOT)), page, anchor) for page, anchor in found)


def test_every_anchor_that_a_docstring_names_exists() -> None:
    references = list(spec_references())
    assert len(references) > 80
    missing = [
        f"{source}: {page}#{anchor}"
        for source, page, anchor in references
        if not (ROOT / page).is_file() or (anchor and anchor not in anchors_of(ROOT / page))
    ]
    assert missing == []


def test_every_module_of_the_protocol_names_its_page() -> None:
    silent = [
        path.name
        for path in (ROOT / "protocol" / "freehold_protocol").glob("*.py")
        if path.name != "__init__.py" and "Spec: specs/" not in text_of(path)
    ]
    assert silent == []


# What the pages say of each other


@pytest.mark.parametrize("page", LINKING, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in _LINK.findall(_FENCE.sub("", text_of(page))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            broken.append(link)
    assert broken == []


def requirements() -> Iterator[tuple[str, str, int]]:
    for page in PAGES:
        for prefix, number in _DEFINED.findall(_FENCE.sub("", text_of(SPECS / page))):
            yield page, prefix, int(number)


def test_requirements_are_numbered_once_and_without_gaps() -> None:
    found = list(requirements())
    ids = Counter((prefix, number) for _, prefix, number in found)
    assert [one for one, count in ids.items() if count > 1] == []
    page_of: dict[str, str] = {}
    for page, prefix, _ in found:
        assert page_of.setdefault(prefix, page) == page, f"{prefix} is defined on two pages"
    for prefix in page_of:
        numbers = [number for _, other, number in found if other == prefix]
        assert sorted(numbers) == list(range(1, len(numbers) + 1)), prefix
    assert len(found) > 250


def test_requirements_that_are_named_exist() -> None:
    known = {(prefix, number) for _, prefix, number in requirements()}
    prefixes = {prefix for prefix, _ in known}
    unknown = [
        f"{path.relative_to(ROOT)}: {prefix}-{number}"
        for path in [*LINKING, *SOURCES]
        for prefix, number in _NAMED.findall(text_of(path))
        if prefix in prefixes and (prefix, int(number)) not in known
    ]
    assert unknown == []


@pytest.mark.parametrize("folder", [SPECS, SPECS / "node"], ids=lambda path: path.name)
def test_the_overview_lists_every_page_with_its_requirements(folder: Path) -> None:
    overview = text_of(folder / "README.md")
    rows = dict(re.findall(r"^\| \[[^\]]+\]\(([\w-]+\.md)\) \| ([A-Z]*) *\|", overview, re.MULTILINE))
    prefix_of = {page: prefix for page, prefix, _ in requirements()}
    pages = {path.name: path.relative_to(SPECS).as_posix() for path in folder.glob("*.md")}
    assert rows == {name: prefix_of.get(page, "") for name, page in pages.items() if name != "README.md"}


def test_the_decisions_are_listed() -> None:
    listed = re.findall(r"\(([\w-]+\.md)\)", text_of(SPECS / "decisions" / "README.md"))
    pages = sorted(path.name for path in (SPECS / "decisions").glob("[0-9]*.md"))
    assert listed == pages
    for number, name in enumerate(pages, start=1):
        text = text_of(SPECS / "decisions" / name)
        assert name.startswith(f"{number:04}-")
        for part in ("**Context.**", "**Options.**", "**Outcome.**", "**What it costs.**"):
            assert part in text, name


def test_the_page_on_the_code_names_what_there_is() -> None:
    node, page = ROOT / "node" / "freehold_node", text_of(SPECS / "node" / "architecture.md")
    named = set(re.findall(r"`((?:[\w]+/)*(?:\w+\.py|\w+/))`", page))
    assert len(named) > 40
    assert [name for name in sorted(named) if not (node / name).exists()] == [
        "tests/",
        "tests/test_layering.py",
    ]
    operations = {f"api/owner/{path.name}" for path in (node / "api" / "owner").glob("[a-z]*.py")}
    subjects = {f"dashboard/{path.parent.name}/" for path in (node / "dashboard").glob("*/__init__.py")}
    assert operations | subjects <= named


# Routes


def sections_of(page: Path) -> dict[str, str]:
    """Return the text under each second-level heading, by its anchor."""
    parts = re.split(r"^## +(.+)$", text_of(page), flags=re.MULTILINE)
    return {slug_of(heading): body for heading, body in zip(parts[1::2], parts[2::2], strict=True)}


_ROUTE = re.compile(r"`(?:(GET)` and `)?(GET|HEAD|POST|PUT|DELETE) ([/…][^`?\s]*)(?:\?[^`]*)?`")
_BASES = ("/g/{grant}", "/g/{grant}/{permission}")


def documented() -> dict[tuple[str, str], str]:
    """Return (method, path) to the section that documents it; ``…`` stands for both bases of a ledger."""
    found: dict[tuple[str, str], str] = {}
    for section, text in sections_of(SPECS / "http.md").items():
        for first, second, path in _ROUTE.findall(text):
            paths = [base + path[1:] for base in _BASES] if path.startswith("…") else [path]
            for method in filter(None, (first, second)):
                found |= {(method, one): section for one in paths}
    return found


def template_of(path: str) -> str:
    return re.sub(r"\{(\w+)(?::(?:[^{}]|\{[^{}]*\})*)?\}", r"{\1}", path)


def test_every_route_is_documented_in_its_section_and_no_other() -> None:
    served = {(route.method, template_of(route.path)): route.spec for route in ROUTES}
    served |= {("HEAD", path): spec for (_, path), spec in served.items() if spec == "reading"}
    served |= {("POST", "/connect"): "connect"}  # of the pages the one that belongs to the protocol
    assert documented() == served


def test_no_permission_can_hide_a_route() -> None:
    after = {
        template_of(route.path).removeprefix("/g/{grant}/").partition("/")[0]
        for route in ROUTES
        if route.path.startswith("/g/{grant") and template_of(route.path) != "/g/{grant}"
    }
    assert after - {"{permission}"} <= RESERVED
    listed = re.search(r"\| `name` \| .*?none of (.*?), which", text_of(SPECS / "requests.md"))
    assert listed is not None
    assert set(re.findall(r"`([a-z]+)`", listed[1])) == RESERVED


# The life table


def test_the_page_has_the_table_of_a_grant_s_life() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \|(.*?)\| (.*?) \| (\w+) \| (\w*) *\| (dpv:\w+) \|$",
        text_of(SPECS / "grants.md"),
        re.MULTILINE,
    )
    listed = {
        change: (tuple(re.findall(r"\w+", before)), after.strip("`"), key, again == "anew", event)
        for change, before, after, key, again, event in rows
    }
    assert listed == {
        change: (rule.before, rule.after or "stays", rule.signer, rule.fresh, rule.event)
        for change, rule in TRANSITIONS.items()
    }


# Worked examples


SEED = bytes(range(32))
KEYS = RelationshipKeys.derive(SEED, "9b2f6c1e-0d3a-4c53-8a71-5e0f4d2c7b60")
VENDOR = SigningKey(bytes([2]) * 32)


def example(page: str) -> tuple[Document, str]:
    """Return the JSON of a page's worked example, and the text around it."""
    text = sections_of(SPECS / page)["worked-example"]
    block = re.search(r"^```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert block is not None, page
    return parse_document(block[1].encode()), text


@pytest.mark.parametrize(
    "page",
    ["errors", "limits", "encoding", "vocabulary", "proofs", "identity", "records", "requests", "grants", "rotation",
     "moving", "restoring", "capabilities", "http-signatures", "invocation", "released", "receipts", "ledger"],
)  # fmt: skip
def test_a_page_has_an_example(page: str) -> None:
    assert "worked-example" in sections_of(SPECS / f"{page}.md")


def test_the_example_of_identity() -> None:
    text = sections_of(SPECS / "identity.md")["worked-example"]
    told = [
        KEYS.decision.seed.hex(), KEYS.decision.did, KEYS.serving.seed.hex(), KEYS.serving.did, record_key(SEED).did,
        KEYS.alias_of(example("records.md")[0]["id"]), KEYS.generation_tag(1),
    ]  # fmt: skip
    assert [one for one in told if one not in text] == []
    document, _ = example("identity.md")
    did = "did:web:shop.example"
    assert document == make_did_document(did, {f"{did}#key-1": VENDOR.public})
    assert did_web_url(did) in text


def test_the_example_of_proofs() -> None:
    document, text = example("proofs.md")
    verified = verify_signed_by(document, VENDOR.public)
    assert document_cid(document) in text
    assert jcs(without_proof(document)).decode() in text
    for digest in (verified.signed[:32].hex(), verified.signed[32:].hex()):
        assert f"`{digest[:8]}…{digest[-6:]}`" in text


def test_the_examples_of_records_and_released_documents() -> None:
    record = Record.from_dict(example("records.md")[0])
    record.verify(record_key(SEED).public)
    shown = example("released.md")[0]
    verify_released(shown, key=KEYS.serving.public)
    grant = Grant.from_dict(example("grants.md")[0])
    made = release_document(
        record.id,
        content_of(record.document),
        fields=grant.permissions[0].fields,
        key=KEYS.serving,
        alias=KEYS.alias_of,
    )
    assert json.loads(made.sign(KEYS.serving)) == shown


def test_the_examples_of_requests_grants_and_receipts() -> None:
    document, text = example("requests.md")
    request = Request.from_dict(document)
    request.verify(now_s=request.created_s)
    assert request.vendor == VENDOR.did
    assert f"`{request.cid}`" in text
    assert f"`{matching_code(request.cid)}`" in text
    document, text = example("grants.md")
    grant = Grant.from_dict(document)
    verify_grant(grant, request=request)
    assert grant.decision_key == KEYS.decision.public
    assert f"`{grant.digest}`" in text
    assert f"`{grant.cid}`" in text
    paused = grant.changed("pause", nonce="cD5eF7gH9iK1lM3nP5qR7s", created_s=request.created_s + 86_400)
    receipts = sections_of(SPECS / "receipts.md")["worked-example"]
    for cid in (request.cid, grant.cid, paused.signed(KEYS.serving).cid):
        assert cid in receipts


def test_the_example_of_capabilities() -> None:
    document, text = example("capabilities.md")
    capability, grant = Capability.from_dict(document), Grant.from_dict(example("grants.md")[0])
    chain = verify_chain(
        capability, root_target=f"{grant.origins[0]}/g/{grant.id}", root_key=grant.serving_key
    )
    assert chain.controllers == (PublicKey.from_did(grant.vendor),)
    assert chain.generation == KEYS.generation_tag(1)
    assert f"`{chain.digests[0]}`" in text


def test_diagrams_hold_no_semicolon() -> None:
    """Mermaid takes it for the end of a line, and then shows an error in the place of the diagram."""
    for page in PAGES:
        for diagram in re.findall(
            r"^```mermaid\n(.*?)^```$", text_of(SPECS / page), re.MULTILINE | re.DOTALL
        ):
            assert ";" not in diagram, page


def test_every_json_of_the_pages_is_json() -> None:
    blocks: list[Any] = [
        json.loads(block)
        for page in PAGES
        for block in re.findall(r"^ *```json\n(.*?)^ *```$", text_of(SPECS / page), re.MULTILINE | re.DOTALL)
    ]
    assert len(blocks) >= 8
    for document in blocks:
        if isinstance(document, dict) and isinstance(document.get("proof"), list):
            verify_proofs(document)
        elif isinstance(document, dict) and "proof" in document:
            verify_document(document, purpose=document["proof"]["proofPurpose"])
