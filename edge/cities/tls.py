"""TLS: the contexts of every line to and from a city. TLS 1.2 or 1.3, forward secrecy, nothing unverified.

A client takes a certificate only from the authorities of its `ca_file` (or the system's list without one), in time and
for the very name. GB/T 22239 level 2 leaves no weaker choice, and no setting turns it off.
"""

from __future__ import annotations

import ssl

# Forward secrecy and authenticated encryption only, for TLS 1.2; those of 1.3 have both.
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


def client_context(ca_file: str = "", client_cert_file: str = "") -> ssl.SSLContext:
    """Raises `OSError` or `ssl.SSLError` for files that cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # demands a certificate and checks the name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        context.load_verify_locations(cafile=ca_file)
    else:
        context.load_default_certs()
    if client_cert_file:
        context.load_cert_chain(client_cert_file)
    return context


def server_context(cert_file: str, key_file: str, client_ca_file: str = "") -> ssl.SSLContext:
    """`client_ca_file`: then a client certificate is demanded. Raises `OSError` or `ssl.SSLError`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHERS)
    context.set_ecdh_curve("prime256v1")  # every client has it, and the list stays as short as Mozilla asks
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.load_cert_chain(cert_file, key_file)
    if client_ca_file:
        context.load_verify_locations(cafile=client_ca_file)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
