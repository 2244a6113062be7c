"""The network file: a wrong one is told with field, value and what is allowed; a right one is what networkd reads."""

from __future__ import annotations

import pytest

from edge.config.issues import ConfigError
from edge.config.network import Network, networkd_text, read_network

STATIC = 'mode = "static"\naddress = "192.168.1.50/24"\n'


def lines(text: str) -> list[str]:
    return [line for line in networkd_text(read_network(text.encode())).splitlines() if not line.startswith("#")]


def test_nothing_is_dhcp_on_every_wired_interface() -> None:
    assert lines("") == ["[Match]", "Type=ether", "Name=e*", "", "[Network]", "DHCP=ipv4", "LinkLocalAddressing=yes",
                         "IPv6AcceptRA=no"]  # fmt: skip


def test_a_static_address() -> None:
    found = lines(STATIC + 'gateway = "192.168.1.1"\ndns = ["223.5.5.5", "114.114.114.114"]\ninterface = "end0"\n')
    assert found[2:7] == ["Name=end0", "", "[Network]", "Address=192.168.1.50/24", "Gateway=192.168.1.1"]
    assert found[7:] == ["LinkLocalAddressing=yes", "IPv6AcceptRA=no", "DNS=223.5.5.5", "DNS=114.114.114.114"]


def test_a_mark_in_front_by_windows() -> None:
    assert read_network(b"\xef\xbb\xbfmode = \"dhcp\"\r\n") == Network()


@pytest.mark.parametrize(
    ("text", "field", "said"),
    [
        ('mode = "auto"', "mode = 'auto'", "dhcp, static"),
        ('adress = "192.168.1.50/24"', "adress", "address"),
        ('mode = "static"', "address", "missing"),
        ('mode = "static"\naddress = "192.168.1.50"', "address = 192.168.1.50", "prefix"),
        ('mode = "static"\naddress = "192.168.1.256/24"', "address = 192.168.1.256/24", "prefix"),
        ('mode = "static"\naddress = "192.168.1.50/32"', "address = 192.168.1.50/32", "8..30"),
        ('mode = "static"\naddress = "192.168.1.0/24"', "address = 192.168.1.0/24", "host"),
        ('mode = "static"\naddress = "192.168.1.255/24"', "address = 192.168.1.255/24", "host"),
        ('mode = "static"\naddress = "127.0.0.1/8"', "address = 127.0.0.1/8", "host"),
        (STATIC + 'gateway = "192.168.2.1"', "gateway = 192.168.2.1", "192.168.1.0/24"),
        (STATIC + 'gateway = "192.168.1.50"', "gateway = 192.168.1.50", "another"),
        (STATIC + 'gateway = "router"', "gateway = router", "192.168.1.1"),
        ('address = "192.168.1.50/24"', "address = 192.168.1.50/24", "static"),
        ('dns = ["223.5.5.5", "dns.example"]', "dns[1] = dns.example", "IPv4"),
        ('dns = ["1.1.1.1", "1.1.1.2", "1.1.1.3", "1.1.1.4"]', "dns", "0..3"),
        ('interface = "eth0\\nDHCP=yes"', "interface", "control"),
        ('interface = "eth0 x"', "interface", "interface such as"),
        ('ntp = ["-x"]', "ntp[0]", "host name"),
        ("mode = ", "parkbox-network.toml", "TOML"),
        ("mode = [[[[", "parkbox-network.toml", "TOML"),
    ],
)
def test_a_wrong_one(text: str, field: str, said: str) -> None:
    with pytest.raises(ConfigError) as found:
        read_network(text.encode())
    assert field in str(found.value) and said in str(found.value)


def test_all_errors_at_once() -> None:
    with pytest.raises(ConfigError) as found:
        read_network(b'mode = "x"\ninterface = ""\ndns = [1]\n')
    assert len(found.value.issues) == 3


def test_no_text_at_all() -> None:
    with pytest.raises(ConfigError, match="UTF-8"):
        read_network(b"mode = \xff")
