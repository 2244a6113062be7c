"""The label sheet of a box: one HTML file without anything from outside, to be printed and stuck to the case.

The QR code opens the page; behind its `#` stands the serial number, so that one scan names the box too (the part
behind `#` is not sent to anybody, RFC 3986 3.5).
"""

from __future__ import annotations

import html
import io
from ipaddress import ip_address

import msgspec

from edge.config.check import page_url
from edge.config.model import Config
from edge.config.network import Network, own_address

LABEL_FILE = "label.html"
QR_SCALE_PX = 6


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """What stands on it; what is "" is left out."""

    serial: str
    box_id: str = ""
    lot: str = ""
    url: str = ""
    user: str = ""
    password: str = ""
    certificate: str = ""
    """SHA-256 fingerprint, as browsers show it."""
    evidence: str = ""
    """Fingerprint of the key that seals evidence pictures."""
    network: str = ""


ROWS = (
    ("serial", "序列号 serial"),
    ("box_id", "盒子 box"),
    ("lot", "车场 lot"),
    ("network", "网络 network"),
    ("url", "网页 page"),
    ("user", "用户 user"),
    ("password", "首次密码 first password"),
    ("certificate", "证书指纹 certificate SHA-256"),
    ("evidence", "取证公钥 evidence key"),
)

STYLE = """body{font:14px/1.4 sans-serif;margin:8mm}main{display:flex;gap:6mm;align-items:flex-start}
h1{font-size:18px;margin:0 0 3mm}th{text-align:left;padding-right:4mm;vertical-align:top;white-space:nowrap}
td{font-family:monospace;word-break:break-all;max-width:95mm}svg{width:38mm;height:38mm;flex:none}
@media print{body{margin:0}}"""


def label_of(serial: str, config: Config, network: Network | None) -> Label:
    """What is known of a box before it has run."""
    address = own_address(network) if network is not None else ""
    host = address or next(iter(config.web.names), "")
    if config.web.host not in ("0.0.0.0", "::"):
        host = "" if ip_address(config.web.host).is_loopback else config.web.host  # it listens there alone
    scheme = page_url(config.web).partition(":")[0]
    return Label(
        serial=serial,
        box_id=config.box.id,
        lot=config.lot.name,
        url=f"{scheme}://{host}:{config.web.port}/" if host else "",
        network=f"固定 static {address}" if address else "DHCP",
    )


def qr_text(label: Label) -> str:
    """What the code says: the page's address and the serial, or the serial alone while nobody knows the address."""
    return f"{label.url}#serial={label.serial}" if label.url else f"parkbox:{label.serial}"


def qr_svg(text: str) -> str:
    """An SVG element. Error correction Q: a quarter of a label in the rain may be unreadable."""
    import segno  # noqa: PLC0415 - most boots draw no label

    out = io.BytesIO()
    segno.make_qr(text, error="q").save(out, kind="svg", scale=QR_SCALE_PX, xmldecl=False, svgns=True, omitsize=True)
    return out.getvalue().decode()


def sheet(label: Label) -> bytes:
    """The HTML file."""
    rows = "".join(
        f"<tr><th>{html.escape(words)}</th><td>{html.escape(value)}</td></tr>\n"
        for name, words in ROWS
        if (value := getattr(label, name))
    )
    return (
        '<!doctype html>\n<html lang="zh-CN"><head><meta charset="utf-8">\n'
        f"<title>车场盒子 parkbox {html.escape(label.serial)}</title>\n<style>{STYLE}</style></head>\n"
        f"<body><main>{qr_svg(qr_text(label))}<div><h1>车场盒子 parking box</h1>\n<table>{rows}</table>"
        "</div></main></body></html>\n"
    ).encode()
