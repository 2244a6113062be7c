"""What the link checks share: the counts of the box, the place that a URL names, whom TLS believes."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

import msgspec

from edge.agent.link_steps import Failed, Place
from edge.cities.lean_requests import DEFAULT_CA_BUNDLE_PATH
from edge.cities.tls import client_context
from edge.ports import BoxView
from edge.web.api import ActionResult


def here(box: Callable[[], BoxView | None]) -> BoxView:
    """Raises `Failed`: the counts to send are the lane program's."""
    view = box()
    if view is None:
        raise Failed("车道程序没有应答, 不知场内车辆数", "the lane program does not answer: no counts")
    return view


def place_of(url: str, context: Callable[[], ssl.SSLContext], host: str = "") -> Place:
    """`host`: another one than that of `url`, with its scheme and port."""
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    return Place(url, host or parts.hostname or "", port, context if secure else None)


def trusted(ca_file: str = "") -> ssl.SSLContext:
    """`ca_file`: the only authorities; "" those that `requests`, over which the links go, brings along."""
    return client_context(ca_file or DEFAULT_CA_BUNDLE_PATH)


def plain_noted(result: ActionResult, url: str) -> ActionResult:
    if not result.ok or not url.startswith("http:"):
        return result
    zh = f"{result.zh}; 注意: 平台使用未加密的 http"
    return msgspec.structs.replace(
        result, zh=zh, en=f"{result.en}; note that the platform uses http without encryption"
    )
