"""The box's own network: a small TOML file that a technician writes on the boot partition, and what systemd-networkd
(systemd.network(5)) and chronyd are told in consequence.

    mode = "static"
    address = "192.168.1.50/24"
    gateway = "192.168.1.1"
    dns = ["223.5.5.5"]

Without a file, or with `mode = "dhcp"`, the address comes from the site's DHCP server, and the interface keeps a
link-local address (169.254.x.x) beside it, by which a laptop on a plain cable reaches the box in any case.
"""

from __future__ import annotations

import ipaddress
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, inspect

from edge.config.base import HostName, Section
from edge.config.issues import ConfigError, ConfigIssue
from edge.config.toml_words import toml_zh
from edge.config.walk import walk

NETWORK_FILE = "parkbox-network.toml"
SIZE_LIMIT_BYTES = 20_000
"""A full one takes 300."""

IP4_ZH, IP4_EN = "须为 IPv4 地址, 如 192.168.1.1", "must be an IPv4 address such as 192.168.1.1"


class Network(Section, frozen=True, kw_only=True):
    """Every setting of the file."""

    mode: Literal["dhcp", "static"] = "dhcp"
    interface: Annotated[
        str, Meta(pattern=r"^[A-Za-z0-9_.*-]{1,15}$", description="an interface such as eth0, * for any letters")
    ] = "e*"
    """The wired one is eth0 or end0 by board and kernel: both begin with e."""
    address: str = ""
    """With its prefix, 192.168.1.50/24; only with mode static."""
    gateway: str = ""
    """Only with mode static; "": nothing beyond this network, and no city."""
    dns: Annotated[tuple[str, ...], Meta(max_length=3)] = ()
    """With dhcp they go before what the server tells."""
    ntp: Annotated[tuple[HostName, ...], Meta(max_length=4)] = ()
    """Clocks of the site, beside those of the image."""


def load_network(path: Path) -> Network:
    """Raises `ConfigError` with every issue; paths in it begin with the file's name."""
    name = path.name
    try:
        if path.stat().st_size > SIZE_LIMIT_BYTES:
            raise ConfigError([ConfigIssue(name, f"{path.stat().st_size} bytes", f"最多 {SIZE_LIMIT_BYTES} 字节",
                                           f"at most {SIZE_LIMIT_BYTES} bytes")])  # fmt: skip
        return read_network(path.read_bytes(), name)
    except OSError as error:
        raise ConfigError([ConfigIssue(name, "", f"无法读取: {error.strerror}", f"cannot be read: {error}")]) from error


def read_network(data: bytes, name: str = NETWORK_FILE) -> Network:
    """Raises `ConfigError` with every issue."""
    try:
        raw = tomllib.loads(data.decode("utf-8-sig"))  # Windows' editors put a mark in front
    except UnicodeDecodeError as error:
        raise ConfigError([ConfigIssue(name, f"byte {error.start}", "须为 UTF-8", "must be UTF-8")]) from error
    except (ValueError, RecursionError) as error:
        raise ConfigError([ConfigIssue(name, "", toml_zh(error), f"TOML syntax: {error}")]) from error
    issues = [
        msgspec.structs.replace(issue, path=f"{name}: {issue.path}")
        for issue in walk(raw, inspect.type_info(Network), "")
    ]
    if not issues:
        network = msgspec.convert(raw, Network)
        issues = [msgspec.structs.replace(issue, path=f"{name}: {issue.path}") for issue in _judge(network)]
        if not issues:
            return network
    raise ConfigError(issues)


def _judge(network: Network) -> Iterator[ConfigIssue]:
    """What no single type says."""
    for number, server in enumerate(network.dns):
        if not _is_address(server):
            yield ConfigIssue(f"dns[{number}]", server, IP4_ZH, IP4_EN)
    if network.mode == "dhcp":
        for name in ("address", "gateway"):
            if value := getattr(network, name):
                yield ConfigIssue(name, value, "mode 为 dhcp 时不可设置", "only with mode = \"static\"")
        return
    if not network.address:
        yield ConfigIssue("address", "", "缺少; mode 为 static 时须有", "missing: mode static needs it")
        return
    try:
        own = ipaddress.IPv4Interface(network.address)
    except ValueError:
        own = None
    if own is None or "/" not in network.address:
        yield ConfigIssue("address", network.address, "须为地址/前缀, 如 192.168.1.50/24",
                          "must be an address with its prefix such as 192.168.1.50/24")  # fmt: skip
        return
    if not 8 <= own.network.prefixlen <= 30:
        yield ConfigIssue("address", network.address, "前缀须为 8..30", "the prefix must be 8..30")
        return
    if own.ip in (own.network.network_address, own.network.broadcast_address) or not _usable(own.ip):
        yield ConfigIssue("address", network.address, "不是主机地址", "is no address of a host")
    if not network.gateway:
        return
    if not _is_address(network.gateway):
        yield ConfigIssue("gateway", network.gateway, IP4_ZH, IP4_EN)
    elif ipaddress.IPv4Address(network.gateway) not in own.network or network.gateway == str(own.ip):
        yield ConfigIssue("gateway", network.gateway, f"须为 {own.network} 中的另一地址",
                          f"must be another address of {own.network}")  # fmt: skip


def _is_address(text: str) -> bool:
    try:
        return _usable(ipaddress.IPv4Address(text))
    except ValueError:
        return False


def _usable(address: ipaddress.IPv4Address) -> bool:
    return not (address.is_multicast or address.is_unspecified or address.is_loopback)


def networkd_text(network: Network) -> str:
    """A .network file for systemd-networkd, systemd.network(5)."""
    lines = ["# 由 parkbox first-boot 生成 made by parkbox first-boot at each boot", "[Match]", "Type=ether",
             f"Name={network.interface}", "", "[Network]"]  # fmt: skip
    if network.mode == "dhcp":
        lines += ["DHCP=ipv4"]
    else:
        lines += [f"Address={network.address}"]
        lines += [f"Gateway={network.gateway}"] if network.gateway else []
    # A laptop on a plain cable: both ends take a link-local address when nobody gives one.
    lines += ["LinkLocalAddressing=yes", "IPv6AcceptRA=no"]
    lines += [f"DNS={server}" for server in network.dns]
    return "\n".join(lines) + "\n"


def chrony_text(network: Network) -> str:
    """A .sources file for chronyd (chrony.conf(5), sourcedir)."""
    return "".join(f"server {server} iburst\n" for server in network.ntp)


def own_address(network: Network) -> str:
    """The address without prefix, "" when somebody else hands it out."""
    return network.address.partition("/")[0] if network.mode == "static" else ""
