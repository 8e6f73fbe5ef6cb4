from __future__ import annotations

from typing import Any

import pytest
from freehold_node.cli.assignment import assigned
from freehold_node.cli.failure import Failure
from freehold_protocol.errors import MalformedError

HOME = {"type": "PostalAddress", "postalCode": "EX1 2AB", "streetAddress": "1 Row"}
WORK = {"type": "PostalAddress", "postalCode": "EX9 9ZZ"}
ADA: dict[str, Any] = {
    "type": "Person",
    "name": "Ada",
    "email": ["a@example.com", "b@example.com"],
    "address": HOME,
}


def changed(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in {**ADA, **members}.items() if value is not None}


@pytest.mark.parametrize(
    ("texts", "made"),
    [
        (["name=Ada Example"], changed(name="Ada Example")),
        (["name=a=b"], changed(name="a=b")),
        (["gender=f"], changed(gender="f")),
        (["email=c@example.com"], changed(email="c@example.com")),
        (["email="], changed(email=None)),
        (["gender="], ADA),
        (["email.2=c@example.com"], changed(email=["a@example.com", "c@example.com"])),
        (["email.3=c@example.com"], changed(email=["a@example.com", "b@example.com", "c@example.com"])),
        (["email.1="], changed(email="b@example.com")),
        (["email.1=", "email="], changed(email=None)),
        (["telephone.1=+44 1"], changed(telephone="+44 1")),
        (["address.postalCode=EX2"], changed(address={**HOME, "postalCode": "EX2"})),
        (["address.1.postalCode=EX2"], changed(address={**HOME, "postalCode": "EX2"})),
        (["address.2.postalCode=EX9 9ZZ"], changed(address=[HOME, WORK])),
        (["address.postalCode=", "address.streetAddress="], changed(address=None)),
        (["address.addressRegion="], ADA),
        (["worksFor.name=Workshop"], changed(worksFor={"type": "Organization", "name": "Workshop"})),
        (["worksFor.address.postalCode=EX1"],
         changed(worksFor={"type": "Organization", "address": {"type": "PostalAddress", "postalCode": "EX1"}})),
        (['knowsLanguage:=["en","fr"]'], changed(knowsLanguage=["en", "fr"])),
        (["address:={\"type\":\"PostalAddress\",\"postalCode\":\"X\"}"],
         changed(address={"type": "PostalAddress", "postalCode": "X"})),
    ],
)  # fmt: skip
def test_assigns(texts: list[str], made: dict[str, Any]) -> None:
    assert assigned(ADA, texts) == made
    assert ADA["address"] is HOME  # what was given is left as it was
    assert ADA["email"] == ["a@example.com", "b@example.com"]
    assert HOME["postalCode"] == "EX1 2AB"


@pytest.mark.parametrize(
    "text",
    ["name", "=x", ".=x", "name.=x", ".name=x", "1=x", "1.name=x", "email.0=x", "email.4=x", "email.4=",
     "email.x=1", "name.x=1", "name.1.name=x", "knowsLanguage:=[", "knowsLanguage:=", "address.2.3.name=x"],
)  # fmt: skip
def test_refuses_what_names_no_one_place(text: str) -> None:
    with pytest.raises((Failure, MalformedError)):
        assigned(ADA, [text])


def test_a_field_of_several_nodes_needs_a_number() -> None:
    content = {**ADA, "address": [HOME, WORK]}
    with pytest.raises(Failure, match="there are 2"):
        assigned(content, ["address.postalCode=X"])
    assert assigned(content, ["address.2.postalCode="])["address"] == HOME


@pytest.mark.parametrize("text", ["type=Organization", "id=urn:x", "proof=x", "source=x", "nosuchterm=x"])
def test_refuses_what_is_no_field(text: str) -> None:
    with pytest.raises(MalformedError):
        assigned(ADA, [text])
