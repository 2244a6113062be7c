"""Rules between the settings of the Shenzhen platform, and its files: certificates, keys, secrets."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path

from edge.config.issues import ConfigIssue
from edge.config.model import Config
from edge.config.rules_files import authorities, certificate_with_key, readable
from edge.config.secrets import secret
from edge.config.shenzhen import Shenzhen, ShenzhenCallback

DES_KEY_BYTES = 8


def judge_shenzhen(config: Config) -> Iterator[ConfigIssue]:
    """All issues of `city.shenzhen` beyond types and ranges."""
    city = config.city.shenzhen
    if city is None:
        return
    place = "city.shenzhen"
    yield from secret(f"{place}.password_file", city.password_file)
    yield from _des_key(city)
    for name in ("sign_secret_file", "client_cert_file"):
        if getattr(city, name):
            yield from secret(f"{place}.{name}", getattr(city, name), lines=name == "client_cert_file")
    yield from authorities(f"{place}.ca_file", city.ca_file)
    for name in ("map_file", "price_sign_file"):
        yield from readable(f"{place}.site.{name}", getattr(city.site, name))
    if city.entrance_ids and len(city.entrance_ids) != len(config.lane):
        yield ConfigIssue(f"{place}.entrance_ids", f"{len(city.entrance_ids)} 个", "须与车道一样多",
                          f"must be as many as lanes, {len(config.lane)}")
    if city.callback is not None:
        yield from _callback(city.callback, config)
    yield from _ways(city)


def _ways(city: Shenzhen) -> Iterator[ConfigIssue]:
    """7.1.4.1.1 d): orders come by HTTPS, or over the TCP link."""
    if city.downlink in {"https", "both"} and city.callback is None:
        yield ConfigIssue("city.shenzhen.downlink", city.downlink, "缺少 [city.shenzhen.callback]",
                          "needs [city.shenzhen.callback]")
    if city.tcp is None and city.downlink in {"tcp", "both"}:
        yield ConfigIssue("city.shenzhen.downlink", city.downlink, "缺少 [city.shenzhen.tcp]",
                          "needs [city.shenzhen.tcp]")
    if city.downlink == "auto" and city.callback is None and city.tcp is None:
        yield ConfigIssue("city.shenzhen", "", "缺少 [city.shenzhen.callback] 或 [city.shenzhen.tcp]",
                          "needs [city.shenzhen.callback] or [city.shenzhen.tcp]: orders must reach the box (7.2.2)")
    if city.tcp is not None and not city.tcp.tls and not _loopback(city.tcp.host):
        yield ConfigIssue("city.shenzhen.tcp.tls", "false", "只可用于 127.0.0.1",
                          "only towards 127.0.0.1 or ::1 (7.1.4.1.3 2: TLS)")


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _callback(callback: ShenzhenCallback, config: Config) -> Iterator[ConfigIssue]:
    place = "city.shenzhen.callback"
    before = [
        *secret(f"{place}.key_file", callback.key_file, lines=True),
        *readable(f"{place}.cert_file", callback.cert_file),
    ]
    yield from before
    if not before:
        yield from certificate_with_key(f"{place}.cert_file", callback.cert_file, callback.key_file)
    if callback.token_file:
        yield from secret(f"{place}.token_file", callback.token_file)
    yield from authorities(f"{place}.client_ca_file", callback.client_ca_file)
    if not (callback.accept_login_token or callback.token_file or callback.client_ca_file):
        yield ConfigIssue(f"{place}.accept_login_token", "false", "平台无法证明身份",
                          "nothing proves who calls: set it, token_file or client_ca_file")
    for number, address in enumerate(callback.addresses):
        try:
            ip_network(address)
        except ValueError:
            yield ConfigIssue(f"{place}.addresses[{number}]", address, "须为 IP 地址或网段",
                              "must be an IP address or network")
    for name in ("web", "listener"):
        if callback.port and callback.port == getattr(config, name).port:
            yield ConfigIssue(f"{place}.port", str(callback.port), f"与 {name}.port 相同", f"same as {name}.port")


def _des_key(city: Shenzhen) -> Iterator[ConfigIssue]:
    place = "city.shenzhen.key_file"
    found = list(secret(place, city.key_file))
    yield from found
    if found:
        return
    try:
        des_key(Path(city.key_file).read_text(encoding="utf-8").strip(), city.key_form)
    except ValueError as error:
        yield ConfigIssue(place, city.key_file, "密钥格式不对", str(error))


def des_key(text: str, form: str) -> bytes:
    """The 8 key bytes (SC12). Raises `ValueError`, which never shows the key."""
    if form == "text":
        key = text.encode()[:DES_KEY_BYTES]
    else:
        try:
            key = bytes.fromhex(text) if form == "hex" else base64.b64decode(text, validate=True)
        except (ValueError, binascii.Error):
            raise ValueError(f"is not {form}") from None
    if len(key) != DES_KEY_BYTES:
        raise ValueError(f"gives {len(key)} bytes of key in the form {form}, needed are {DES_KEY_BYTES}")
    return key
