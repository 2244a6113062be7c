"""Files that settings name: readable, an authority's certificates, a certificate with its key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edge.config.issues import ConfigIssue


def readable(path: str, name: str) -> Iterator[ConfigIssue]:
    """`path`: the setting; `name`: the file, "" is none."""
    if not name:
        return
    try:
        with Path(name).open("rb") as file:
            file.read(1)
    except OSError as error:
        yield ConfigIssue(path, name, "无法读取", f"cannot be read: {type(error).__name__}")


def authorities(path: str, name: str) -> Iterator[ConfigIssue]:
    """A PEM file of those whose certificates are believed."""
    if not name:
        return
    import ssl  # noqa: PLC0415 - OpenSSL is a tenth of the lane program's start, and most configurations name no file

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=name)
    except (ssl.SSLError, OSError) as error:
        yield ConfigIssue(path, name, "不是可用的 CA 证书", f"no usable PEM of authorities: {error}")


def certificate_with_key(path: str, certificate: str, key: str) -> Iterator[ConfigIssue]:
    import ssl  # noqa: PLC0415

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except (ssl.SSLError, OSError, ValueError) as error:
        yield ConfigIssue(path, certificate, "证书与私钥不可用",
                          f"certificate and key_file cannot be used together: {error}")
