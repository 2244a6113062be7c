"""A certificate that the box makes itself, for a page that is opened by address in the lot's own network.

Run as a program of its own (`python -m edge.page_certificate FOLDER BOX [NAME...]`): cryptography costs 12 MB,
and the agent needs it once in a life. The key is made first and is of mode 0600; who trusts the box compares the
fingerprint that the log shows at each start.
"""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import ssl
import sys
from collections.abc import Sequence
from pathlib import Path

from edge.config.durable import write_private

CERTIFICATE, KEY = "page.crt", "page.key"
YEARS = 20
BEGIN = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
"""Before every box: at its first start a box has no clock yet (DESIGN 4)."""


def make(folder: Path, box_id: str, names: Sequence[str]) -> None:
    """EC P-256, self-signed, for these names and addresses and for loopback."""
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"parkbox {box_id}")])
    alternatives: list[x509.GeneralName] = []
    for one in dict.fromkeys([*names, "localhost", "127.0.0.1", "::1"]):
        try:
            alternatives.append(x509.IPAddress(ipaddress.ip_address(one)))
        except ValueError:
            alternatives.append(x509.DNSName(one))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGIN)
        .not_valid_after(BEGIN.replace(year=BEGIN.year + YEARS))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_private(folder / KEY, private)
    write_private(folder / CERTIFICATE, certificate.public_bytes(pem))


def fingerprint(certificate: Path) -> str:
    """SHA-256 over the certificate's DER form, as browsers show it."""
    der = ssl.PEM_cert_to_DER_cert(certificate.read_text(encoding="ascii").partition("\n\n")[0])
    text = hashlib.sha256(der).hexdigest().upper()
    return ":".join(text[at : at + 2] for at in range(0, len(text), 2))


if __name__ == "__main__":
    make(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
