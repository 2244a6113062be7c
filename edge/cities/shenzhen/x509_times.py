"""When certificates end, read from their DER. A library for it would cost the agent 9 MB.

Certificate = SEQUENCE { tbsCertificate SEQUENCE { [0] version?, serialNumber, signature, issuer, validity SEQUENCE {
notBefore, notAfter }, ... }, ... } (RFC 5280 4.1). Pure.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime

SEQUENCE, EXPLICIT_0, UTC_TIME, GENERALIZED_TIME = 0x30, 0xA0, 0x17, 0x18
BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


def ends_ms(pem: str) -> list[int]:
    """notAfter of every certificate of a PEM file, ms since 1970 UTC. Raises `ValueError`."""
    found = []
    for part in pem.split(BEGIN)[1:]:
        body, end, _ = part.partition(END)
        if not end:
            raise ValueError("a certificate has no end")
        try:
            found.append(_not_after_ms(ssl.PEM_cert_to_DER_cert(BEGIN + body + END)))
        except (IndexError, StopIteration) as error:
            raise ValueError("no certificate of RFC 5280") from error
    if not found:
        raise ValueError("no certificate in the file")
    return found


def _not_after_ms(der: bytes) -> int:
    ((_, certificate),) = _members(der)
    _, tbs = next(_members(certificate))
    members = [member for member in _members(tbs) if member[0] != EXPLICIT_0]
    kind, validity = members[3]  # serialNumber, signature, issuer, validity
    if kind != SEQUENCE:
        raise ValueError("validity is not where RFC 5280 puts it")
    _, (kind, text) = list(_members(validity))
    digits = text.decode("ascii")
    if kind == UTC_TIME:  # RFC 5280 4.1.2.5.1: YY from 50 on is 19YY
        digits = ("19" if int(digits[:2]) >= 50 else "20") + digits
    elif kind != GENERALIZED_TIME:
        raise ValueError(f"notAfter has tag {kind:#x}")
    return round(datetime.strptime(digits, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp() * 1000)


def _members(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each element, one after the other."""
    at = 0
    while at < len(der):
        tag, length, at = der[at], der[at + 1], at + 2
        if length & 0x80:
            count = length & 0x7F
            length, at = int.from_bytes(der[at : at + count], "big"), at + count
        if at + length > len(der):
            raise ValueError("an element is longer than what is around it")
        yield tag, der[at : at + length]
        at += length
