"""Deliveries go to public addresses alone, unless the operator allows private ones; never to metadata services."""

import ipaddress
import socket
from typing import Any

import pytest

from kiosk.exchange import addresses
from kiosk.exchange.addresses import AddressRefused, Resolver, refusal
from kiosk.exchange.target_setup import TargetWrong, parse_host_port, parse_url

pytestmark = pytest.mark.anyio

NEVER = [
    "169.254.169.254", "169.254.1.1", "100.100.100.200", "192.0.0.192", "0.0.0.0", "224.0.0.1", "255.255.255.255",
    "240.0.0.1", "::", "fe80::1", "ff02::1", "fd00:ec2::254", "::ffff:169.254.169.254", "2002:a9fe:a9fe::1",
    "64:ff9b::a9fe:a9fe", "192.0.2.1", "2001:db8::1", "198.18.0.1",
]  # fmt: skip
PRIVATE = [
    "127.0.0.1", "127.8.8.8", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "::1", "fd12:3456::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("address", NEVER)
@pytest.mark.parametrize("private_allowed", [True, False])
def test_some_addresses_are_never_allowed(address: str, private_allowed: bool) -> None:
    assert refusal(ipaddress.ip_address(address), private_allowed=private_allowed, encrypted=True)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_need_the_setting(address: str) -> None:
    parsed = ipaddress.ip_address(address)
    assert "KIOSK_PRIVATE_TARGETS" in refusal(parsed, private_allowed=False, encrypted=True)
    assert refusal(parsed, private_allowed=True, encrypted=False) == ""


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_need_encryption(address: str) -> None:
    parsed = ipaddress.ip_address(address)
    assert refusal(parsed, private_allowed=False, encrypted=True) == ""
    assert "encrypted" in refusal(parsed, private_allowed=True, encrypted=False)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://hmis.example/", "https://user:word@hmis.example/", "https://hmis.example/#part", "https://", "hmis",
        "https://127.1/", "https://0x7f000001/", "https://2130706433/", "https://0177.0.0.1/", "https://a.0x7f/",
        "https://hmis.example./", "https://ex%61mple.org/", "https://good.example\\@bad.example/",
        "https://hmis.example:99999/", "https://hmis.example:0/", "https://\u0967.example/", "https://a b/",
        "https://hmis.example/\n", "https://[fe80::1%25eth0]/", "https://-bad.example/", "https://a..b/",
    ],
)  # fmt: skip
def test_an_address_that_two_readers_could_read_differently_is_refused(url: str) -> None:
    with pytest.raises(TargetWrong):
        parse_url(url)


def test_a_usual_address_is_read() -> None:
    place = parse_url("https://HMIS.example:8443/in?token=x")
    assert (place.host, place.port, place.encrypted) == ("hmis.example", 8443, True)
    assert parse_url("http://[::1]:9/").host == "::1"
    place = parse_host_port("hl7.example:2575", tls=True)
    assert (place.host, place.port, place.encrypted) == ("hl7.example", 2575, True)


@pytest.mark.parametrize("text", ["hl7.example", "hl7.example:", "hl7.example:x", ":2575", "hl7.example:70000"])
def test_an_hl7_address_needs_a_host_and_a_port(text: str) -> None:
    with pytest.raises(TargetWrong):
        parse_host_port(text, tls=False)


def names(monkeypatch: pytest.MonkeyPatch, *rows: str) -> list[str]:
    """The system resolves every name to these addresses. Returns the names that were looked_up for."""
    looked_up: list[str] = []

    def look_up(host: str, port: int, **_options: Any) -> list[Any]:
        looked_up.append(host)
        if not rows:
            raise socket.gaierror("no such name")
        return [(0, 0, 0, "", (row, port)) for row in rows]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return looked_up


@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1", "169.254.169.254", "10.0.0.8"])
async def test_a_name_that_resolves_into_the_network_is_refused(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    names(monkeypatch, "8.8.8.8", address)
    resolver = Resolver(private_allowed=False)
    with pytest.raises(AddressRefused):
        await resolver.address_of(parse_url("https://rebound.example/"))
    resolver.close()


async def test_a_name_is_asked_for_once_in_half_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up = names(monkeypatch, "8.8.8.8")
    resolver, place = Resolver(private_allowed=False), parse_url("https://hmis.example/")
    assert [await resolver.address_of(place) for _ in range(3)] == ["8.8.8.8"] * 3
    assert looked_up == ["hmis.example"]
    monkeypatch.setattr(addresses, "KNOWN_FOR_S", -1.0)
    await resolver.address_of(place)
    assert len(looked_up) == 2
    resolver.close()


async def test_a_name_that_does_not_resolve_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch)
    resolver = Resolver(private_allowed=True)
    with pytest.raises(AddressRefused, match="does not resolve"):
        await resolver.address_of(parse_url("https://nowhere.example/"))
    resolver.close()
