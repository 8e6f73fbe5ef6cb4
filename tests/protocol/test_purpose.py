"""Purposes, held against DPV's own file."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from freehold_protocol import purpose
from freehold_protocol.errors import UndefinedTermError

ROOT = Path(__file__).resolve().parents[2]
VECTORS = Path(os.environ.get("FREEHOLD_VECTORS", ROOT.parent / "shared" / "vectors"))
DPV = "https://w3id.org/dpv#"
ALL = sorted(purpose.BROADER)


@pytest.mark.vectors
def test_table_is_that_of_dpv(count_vectors: Callable[..., None]) -> None:
    path = VECTORS / "dpv" / "2.3" / "dpv" / "modules" / "purposes.jsonld"
    if not path.exists():
        pytest.skip("DPV's file of purposes is not in FREEHOLD_VECTORS")
    nodes = {node["@id"]: node for node in json.loads(path.read_text(encoding="utf-8"))}
    purposes = {iri for iri, node in nodes.items() if DPV + "Purpose" in node["@type"]}
    above = ("http://www.w3.org/2004/02/skos/core#broader", "http://www.w3.org/2000/01/rdf-schema#subClassOf")
    published = {
        iri.removeprefix(DPV): {
            parent["@id"].removeprefix(DPV)
            for relation in above
            for parent in nodes[iri].get(relation, [])
            if parent["@id"] in purposes
        }
        for iri in purposes
    }
    assert {name: set(parents) for name, parents in purpose.BROADER.items()} == published
    count_vectors("dpv", len(published))


@pytest.mark.parametrize(
    ("broader", "narrower"),
    [
        ("Marketing", "TargetedAdvertising"),
        ("Marketing", "DirectMarketing"),
        ("Advertising", "TargetedAdvertising"),
        ("Personalisation", "TargetedAdvertising"),
        ("ServiceManagement", "DeliveryOfGoods"),
        ("ServiceProvision", "SellDataToThirdParties"),
        ("FulfilmentOfObligation", "LegalCompliance"),
        ("EnforceSecurity", "AgeVerification"),
    ],
)
def test_covers(broader: str, narrower: str) -> None:
    assert purpose.covers(f"dpv:{broader}", f"dpv:{narrower}")
    assert not purpose.covers(f"dpv:{narrower}", f"dpv:{broader}")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("DeliveryOfGoods", "Marketing"),
        ("DirectMarketing", "TargetedAdvertising"),
        ("AgeVerification", "IdentityVerification"),
        ("LegalCompliance", "FulfilmentOfContractualObligation"),
    ],
)
def test_neither_covers_the_other(one: str, other: str) -> None:
    assert not purpose.covers(f"dpv:{one}", f"dpv:{other}")
    assert not purpose.covers(f"dpv:{other}", f"dpv:{one}")


UNKNOWN = [
    "",
    "dpv:",
    "Marketing",
    "dpv:marketing",
    "dpv:Marketing ",
    " dpv:Marketing",
    "dpv:dpv:Marketing",
    "dpv:Marketing\n",
    "DPV:Marketing",
    "https://w3id.org/dpv#Marketing",
    "dpv:Purpose",
    "dpv:Sector",
    "dpv:LegalObligation",
    "dpv:ConsentGiven",
    "dvp:Marketing",
]


@pytest.mark.parametrize("unknown", UNKNOWN)
def test_the_table_is_closed(unknown: str) -> None:
    assert not purpose.is_known(unknown)
    assert not purpose.covers(unknown, "dpv:Marketing")
    assert not purpose.covers("dpv:Marketing", unknown)
    assert not purpose.covers(unknown, unknown)
    with pytest.raises(UndefinedTermError):
        purpose.label(unknown)


@pytest.mark.parametrize("name", ALL)
def test_every_purpose(name: str) -> None:
    term = f"dpv:{name}"
    assert purpose.is_known(term)
    assert purpose.covers(term, term)
    assert purpose.label(term)[0].isupper()
    for parent in purpose.BROADER[name]:
        assert purpose.covers(f"dpv:{parent}", term)
        assert not purpose.covers(term, f"dpv:{parent}"), "the hierarchy has a circle"


def test_labels() -> None:
    assert set(purpose._LABELS) <= set(purpose.BROADER)
    assert len(set(map(purpose.label, (f"dpv:{name}" for name in ALL)))) == len(ALL)
    assert purpose.label("dpv:DeliveryOfGoods") == "Deliver what you ordered"
    assert purpose.label("dpv:ImproveInternalCRMProcesses") == "Improve internal CRM processes"
    assert purpose.label("dpv:ProtectionOfIPR") == "Protection of IPR"
    assert purpose.label("dpv:Counterterrorism") == "Counterterrorism"
