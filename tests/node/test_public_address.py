from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from freehold_node.public_address import is_public
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8", "1.1.1.1", "93.184.216.34", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1",
        "192.0.1.0", "198.17.0.1", "198.20.0.1", "223.255.255.255", "2606:4700::1111", "2a00:1450::1", "2001:200::1",
        "64:ff9b::808:808",
    ],
)  # fmt: skip
def test_addresses_of_the_public_internet(address: str) -> None:
    assert is_public(address)


@pytest.mark.requirement("IDN-19")
@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.1.2.3",
        "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.9", "192.0.0.170", "192.0.2.1",
        "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1",
        "239.255.255.255", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "::ffff:0:8.8.8.8",
        "fe80::1", "fe80::1%eth0", "2606:4700::1111%eth0", "fec0::1", "fc00::1", "fd12:3456::1", "ff02::1", "ff0e::1",
        "100::1", "2001::1", "2001:0:4136:e378::1", "2001:20::1", "2001:db8::1", "2002:a00:1::1", "2002:808:808::1",
        "3fff::1", "5f00::1", "4000::1", "64:ff9b::a00:1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::808:808",
        "2606:4700::5efe:10.0.0.1", "2606:4700::200:5efe:10.0.0.1",
        "", "shop.example", "127.1", "0x7f000001", "2130706433", "010.0.0.1", "1.1.1.1 ", "1.1.1.1\n", "[2606:4700::1]",
    ],
)  # fmt: skip
def test_everything_else(address: str) -> None:
    assert not is_public(address)


@given(st.ip_addresses())
def test_never_more_than_python_knows_to_be_global(address: IPv4Address | IPv6Address) -> None:
    found = ip_address(str(address))
    if is_public(str(address)):
        assert found.is_global
        assert not found.is_multicast
        assert not found.is_private
        assert not found.is_loopback
        assert not found.is_link_local


@given(st.integers(0, 2**32 - 1))
def test_an_address_within_another_counts(number: int) -> None:
    inner = IPv4Address(number)
    assert is_public(str(IPv6Address(int(IPv6Address("64:ff9b::")) + number))) == is_public(str(inner))
    assert not is_public(f"::ffff:{inner}")
