"""Chains: the published cases of another implementation, and that every link is signed by and narrows the last."""

from __future__ import annotations

from typing import Any

import pytest
from freehold_protocol import limits
from freehold_protocol.capability import Capability, root_id
from freehold_protocol.delegation import check_links, verify_chain
from freehold_protocol.errors import (
    AttenuationError,
    CapabilityError,
    ControllerError,
    ExpiredError,
    FreeholdError,
    SignatureError,
)
from freehold_protocol.keys import SigningKey
from signed_documents import (
    DAY_S,
    NOW_S,
    ORIGIN,
    PARTNER,
    SERVING,
    STRANGER,
    TARGET,
    VENDOR,
    make_capability,
    with_member,
)

FIRST = make_capability(generation="zGeneration", actions=("read", "answer"))
FAR_S = NOW_S + limits.MAX_CAPABILITY_DAYS * DAY_S


def under_first(**members: Any) -> Capability:
    given: dict[str, Any] = {
        "number": 2,
        "controller": PARTNER,
        "parent": FIRST,
        "target": f"{TARGET}/delivery",
    }
    return make_capability(members.pop("key", VENDOR), **(given | members))


def verify(leaf: Capability) -> Any:
    return verify_chain(leaf, root_target=TARGET, root_key=SERVING.public)


def test_a_chain() -> None:
    leaf = under_first(actions=("answer",), expires_s=NOW_S + DAY_S, created_s=NOW_S + 5)
    chain = verify(leaf)
    assert chain.leaf == leaf
    assert chain.controllers == (VENDOR.public, PARTNER.public)
    assert chain.digests == (FIRST.verify()[1], leaf.verify()[1])
    assert chain.expires_s == NOW_S + DAY_S
    assert chain.created_s == NOW_S + 5
    assert chain.generation == "zGeneration"
    alone = verify(FIRST)
    assert alone.controllers == (VENDOR.public,)
    assert alone.expires_s == FIRST.expires_s
    assert leaf.links[0].verify() == (SERVING.public, alone.digests[0])


def test_the_longest_chain() -> None:
    leaf, key = FIRST, VENDOR
    for number in range(2, limits.MAX_CHAIN_LINKS):
        holder = SigningKey(bytes([50 + number]) * 32)
        leaf = make_capability(key, number=number, controller=holder, parent=leaf)
        key = holder
    chain = verify(leaf)
    assert len(chain.controllers) == len(chain.digests) == 9
    assert len(set(chain.digests)) == 9


@pytest.mark.parametrize(
    ("made", "error"),
    [
        # Signed by someone else than the controller before
        (lambda: make_capability(VENDOR), ControllerError),
        (lambda: make_capability(STRANGER), ControllerError),
        (lambda: under_first(key=SERVING), ControllerError),
        (lambda: under_first(key=PARTNER), ControllerError),
        (lambda: under_first(key=STRANGER), ControllerError),
        (lambda: under_first(parent=make_capability(STRANGER)), ControllerError),
        # Another root
        (lambda: make_capability(root_target=TARGET + "0", target=TARGET + "0"), CapabilityError),
        (lambda: make_capability(root_target=ORIGIN), CapabilityError),
        (
            lambda: make_capability(root_target=f"{TARGET}/delivery", target=f"{TARGET}/delivery"),
            CapabilityError,
        ),
        # A target that is not under the one before
        (lambda: make_capability(target=ORIGIN), AttenuationError),
        (lambda: make_capability(target=TARGET + "0"), AttenuationError),
        (lambda: make_capability(target=TARGET.replace("https", "http")), AttenuationError),
        (lambda: under_first(target=TARGET + "0"), AttenuationError),
        (lambda: under_first(target=f"{ORIGIN}/g/other"), AttenuationError),
        (
            lambda: make_capability(
                PARTNER, number=3, parent=under_first(), target=f"{TARGET}/delivery2", controller=STRANGER
            ),
            AttenuationError,
        ),
        (
            lambda: make_capability(
                PARTNER, number=3, parent=under_first(), target=TARGET, controller=STRANGER
            ),
            AttenuationError,
        ),
        # More actions, longer, earlier
        (lambda: under_first(actions=("write",)), AttenuationError),
        (lambda: under_first(actions=("read", "write")), AttenuationError),
        (lambda: under_first(expires_s=FIRST.expires_s + 1), AttenuationError),
        (lambda: under_first(created_s=NOW_S - 1), AttenuationError),
        (lambda: under_first(created_s=FIRST.expires_s), AttenuationError),
        (lambda: make_capability(expires_s=NOW_S), AttenuationError),
        (lambda: make_capability(expires_s=NOW_S - 1), AttenuationError),
        (lambda: make_capability(expires_s=FAR_S + 1), AttenuationError),
        # The node's mark
        (lambda: under_first(generation="zGeneration"), AttenuationError),
        (lambda: under_first(generation="zOther"), AttenuationError),
    ],
)
def test_what_is_no_chain(made: Any, error: type[FreeholdError]) -> None:
    with pytest.raises(FreeholdError) as raised:
        verify(made())
    assert type(raised.value) is error


@pytest.mark.parametrize(
    "made",
    [
        lambda: make_capability(expires_s=FAR_S),
        lambda: make_capability(target=f"{TARGET}/delivery/records/z1"),
        lambda: under_first(target=TARGET),
        lambda: under_first(expires_s=FIRST.expires_s),
        lambda: under_first(actions=("answer", "read")),
        lambda: under_first(controller=VENDOR),
    ],
)
def test_what_is_just_a_chain(made: Any) -> None:
    assert verify(made()).digests


@pytest.mark.requirement("SEC-6")
def test_the_links_are_looked_at_before_any_signature() -> None:
    """What a stranger learns of a node by its refusals is nothing: these need no key of the node."""
    wide = under_first(actions=("write",))
    spoiled = Capability.from_dict(with_member(wide.document, "proof.proofValue", "z111"))
    with pytest.raises(AttenuationError):
        check_links(spoiled, root_target=TARGET)
    with pytest.raises(AttenuationError):
        verify(spoiled)
    check_links(under_first(), root_target=TARGET)


@pytest.mark.requirement("CAP-19")
def test_the_root_s_link_is_verified_before_the_others() -> None:
    """A stranger costs a node one verification: a chain that somebody made up ends at its first link."""
    invented = make_capability(STRANGER, controller=STRANGER)
    leaf = make_capability(STRANGER, number=2, parent=invented)
    broken = Capability.from_dict(with_member(leaf.document, "proof.proofValue", "z111"))
    with pytest.raises(ControllerError):
        verify(broken)
    # Not even that, where the first link does not name the root's key.
    unreadable = Capability.from_dict(with_member(invented.document, "proof.proofValue", "no proof at all"))
    with pytest.raises(ControllerError):
        verify(unreadable)
    with pytest.raises(SignatureError):
        verify(Capability.from_dict(with_member(FIRST.document, "proof.proofValue", "z111")))


@pytest.mark.parametrize("path", ["proof.proofValue", "proof.capabilityChain.1.proof.proofValue"])
def test_every_proof_is_verified(path: str) -> None:
    leaf = under_first()
    value = (
        FIRST.document["proof"]["proofValue"]
        if path == "proof.proofValue"
        else leaf.document["proof"]["proofValue"]
    )
    with pytest.raises(SignatureError):
        verify(Capability.from_dict(with_member(leaf.document, path, value)))


def test_a_parent_s_proof_is_under_its_child_s() -> None:
    """The same parent signed again, with other bytes: the child's signature is over the one it embeds."""
    other = make_capability(generation="zOther", actions=("read", "answer"))
    assert other.id == FIRST.id
    swapped = with_member(under_first().document, "proof.capabilityChain.1", other.document)
    with pytest.raises(SignatureError):
        verify(Capability.from_dict(swapped))


# Time


@pytest.mark.parametrize(
    ("now_s", "error"),
    [
        (NOW_S, None),
        (FIRST.expires_s - 1, None),
        (FIRST.expires_s, ExpiredError),
        (FIRST.expires_s + limits.CLOCK_SKEW_S, ExpiredError),
        (NOW_S - limits.CLOCK_SKEW_S, None),
        (NOW_S - limits.CLOCK_SKEW_S - 1, CapabilityError),
    ],
)
def test_times_are_checked_at_every_use(now_s: int, error: type[FreeholdError] | None) -> None:
    chain = verify(FIRST)
    if error is None:
        chain.check_now(now_s)
    else:
        with pytest.raises(FreeholdError) as raised:
            chain.check_now(now_s)
        assert type(raised.value) is error


def test_the_first_to_expire_and_the_last_to_be_made_count() -> None:
    leaf = under_first(expires_s=NOW_S + 10, created_s=NOW_S + 5)
    chain = verify(leaf)
    with pytest.raises(ExpiredError):
        chain.check_now(NOW_S + 10)
    with pytest.raises(CapabilityError, match="future"):
        chain.check_now(NOW_S + 4 - limits.CLOCK_SKEW_S)


def test_a_chain_of_another_grant_of_the_same_node() -> None:
    with pytest.raises(CapabilityError):
        verify_chain(FIRST, root_target=f"{ORIGIN}/g/other", root_key=SERVING.public)
    with pytest.raises(ControllerError):
        verify_chain(FIRST, root_target=TARGET, root_key=STRANGER.public)
    assert root_id(TARGET) == FIRST.chain[0]
