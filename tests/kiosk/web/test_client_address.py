"""Whose request it is, with and without proxies in front, honest and forged."""

from typing import Any

import pytest

from kiosk.settings import SettingsWrong, load
from kiosk.web.client_address import address_to_count, client_address, networks_of

PROXIES = networks_of(["127.0.0.1/32", "10.0.0.0/8", "::1/128"])


def scope(peer: str | None, *forwarded: str) -> dict[str, Any]:
    headers = [(b"host", b"kiosk"), *((b"x-forwarded-for", value.encode()) for value in forwarded)]
    return {"type": "http", "client": (peer, 40000) if peer else None, "headers": headers}


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", [], "203.0.113.9"),
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),  # the caller wrote the header itself
        ("127.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("127.0.0.1", ["1.2.3.4, 198.51.100.1"], "198.51.100.1"),  # what the caller wrote stands before what is true
        ("127.0.0.1", ["1.2.3.4", "198.51.100.1"], "198.51.100.1"),  # the same in two lines
        ("127.0.0.1", ["198.51.100.1, 10.1.1.1"], "198.51.100.1"),  # two proxies in a row
        ("127.0.0.1", ["10.1.1.2, 10.1.1.1"], "10.1.1.2"),  # all of them inside: the farthest one
        ("127.0.0.1", ["198.51.100.1:5500"], "198.51.100.1"),
        ("127.0.0.1", ["[2001:db8::7]:5500"], "2001:db8::7"),
        ("::ffff:127.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("::1", ["2001:db8::7"], "2001:db8::7"),
        ("127.0.0.1", ["unknown"], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.1, <script>"], "127.0.0.1"),
        ("127.0.0.1", [""], "127.0.0.1"),
        ("127.0.0.1", [], "127.0.0.1"),
    ],
)
def test_the_caller_is_the_first_address_that_is_no_trusted_proxy(
    peer: str, forwarded: list[str], address: str
) -> None:
    assert str(client_address(scope(peer, *forwarded), PROXIES)) == address


def test_without_trusted_proxies_no_header_is_believed() -> None:
    assert str(client_address(scope("127.0.0.1", "198.51.100.1"), ())) == "127.0.0.1"


def test_a_server_that_knows_no_peer_gives_no_address() -> None:
    assert client_address(scope(None, "198.51.100.1"), PROXIES) is None
    assert address_to_count(scope(None), PROXIES) == ""


def test_a_header_without_end_is_read_from_its_end_alone() -> None:
    forged = ", ".join(["10.1.1.1"] * 5000)
    assert str(client_address(scope("127.0.0.1", f"1.2.3.4, {forged}"), PROXIES)) == "10.1.1.1"


def test_of_ipv6_the_network_of_a_household_is_counted() -> None:
    counted = {address_to_count(scope(f"2001:db8:1:2:{part}::9"), ()) for part in ("a", "b", "c")}
    assert counted == {"2001:db8:1:2::/64"}
    assert address_to_count(scope("2001:db8::9"), ()) == "2001:db8::/64"


def test_trusted_proxies_are_read_from_the_environment() -> None:
    assert load({}).trusted_proxies == ()
    found = load({"KIOSK_TRUSTED_PROXIES": "127.0.0.1, 10.1.2.3/8,::1"})
    assert found.trusted_proxies == ("127.0.0.1/32", "10.0.0.0/8", "::1/128")


@pytest.mark.parametrize("wrong", ["proxy.example", "10.0.0.0/33", "127.0.0.1;::1"])
def test_a_trusted_proxy_that_is_no_address_is_refused_in_one_line(wrong: str) -> None:
    with pytest.raises(SettingsWrong) as refused:
        load({"KIOSK_TRUSTED_PROXIES": wrong})
    assert "KIOSK_TRUSTED_PROXIES" in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1
