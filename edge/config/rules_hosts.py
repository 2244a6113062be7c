"""Hosts and addresses that settings name: what can be no address at all is said before anybody tries it for a day."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from edge.config.issues import ConfigIssue
from edge.config.model import Config

LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
"""RFC 1123, 2.1."""


def judge_hosts(config: Config) -> Iterator[ConfigIssue]:
    yield from _own("listener.host", config.listener.host)
    qingdao, shenzhen = config.city.qingdao, config.city.shenzhen
    if qingdao is not None:
        yield from _url("city.qingdao.url", qingdao.url)
        if qingdao.oss is not None:
            yield from _url("city.qingdao.oss.endpoint", qingdao.oss.endpoint)
        if qingdao.mqtt is not None:
            yield from _peer("city.qingdao.mqtt.host", qingdao.mqtt.host)
    if shenzhen is not None:
        yield from _url("city.shenzhen.url", shenzhen.url)
        if shenzhen.tcp is not None:
            yield from _peer("city.shenzhen.tcp.host", shenzhen.tcp.host)
        if shenzhen.callback is not None:
            yield from _own("city.shenzhen.callback.host", shenzhen.callback.host)


def _own(path: str, host: str) -> Iterator[ConfigIssue]:
    """Where the box listens."""
    try:
        ip_address(host)
    except ValueError:
        yield ConfigIssue(path, host, "须为 IP 地址", "must be an IP address")


def _peer(path: str, host: str) -> Iterator[ConfigIssue]:
    if not _host(host):
        yield ConfigIssue(path, host, "不是主机名或 IP 地址", "is neither a host name nor an IP address")


def _url(path: str, url: str) -> Iterator[ConfigIssue]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        yield ConfigIssue(path, url, "地址有误", f"cannot be read: {error}")
        return
    if not _host(host):
        yield ConfigIssue(path, url, f"主机有误: {host!r}", f"no host name or IP address: {host!r}")
    if port == 0:
        yield ConfigIssue(path, url, "端口须为 1..65535", "the port must be 1..65535")
    if parts.username is not None:
        yield ConfigIssue(path, "(not shown)", "不可含账号", "must not hold a name or password")


def _host(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        labels = host.removesuffix(".").split(".")
        return len(host) <= 253 and not labels[-1].isdigit() and all(map(LABEL.fullmatch, labels))
    return True
