"""When a certificate ends: by the library that made it and by openssl."""

from __future__ import annotations

import base64
import datetime as dt
import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from edge.cities.shenzhen.x509_times import ends_ms
from tests.tls_certs import Authority


@pytest.mark.parametrize("days", [1, 365, 365 * 30])  # 2056 needs GeneralizedTime
def test_it_is_what_the_library_says(days: int, tmp_path: Path) -> None:
    cert, _ = Authority(tmp_path).issue("box", days=(-1, days))
    theirs = x509.load_pem_x509_certificate(cert.read_bytes()).not_valid_after_utc
    assert ends_ms(cert.read_text("ascii")) == [round(theirs.timestamp() * 1000)]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command here")
def test_it_is_what_openssl_says_of_its_own_rsa_certificate(tmp_path: Path) -> None:
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "k.pem", "-out", "c.pem",
               "-days", "77", "-subj", "/CN=box"]  # fmt: skip
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    said = subprocess.run(
        ["openssl", "x509", "-in", "c.pem", "-noout", "-enddate"], cwd=tmp_path, check=True, capture_output=True,
        text=True,
    ).stdout  # fmt: skip
    theirs = dt.datetime.strptime(said.strip(), "notAfter=%b %d %H:%M:%S %Y GMT").replace(tzinfo=dt.UTC)
    assert ends_ms((tmp_path / "c.pem").read_text("ascii")) == [round(theirs.timestamp() * 1000)]


def test_a_chain_has_several(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    cert, _ = authority.issue("box")
    assert len(ends_ms(cert.read_text("ascii") + authority.file.read_text("ascii"))) == 2


@pytest.mark.parametrize("pem", ["", "-----BEGIN CERTIFICATE-----\nAAAA", "x"])
def test_what_is_no_certificate_is_said_so(pem: str) -> None:
    with pytest.raises(ValueError):
        ends_ms(pem)


@given(st.binary(max_size=80))
def test_whatever_stands_there_is_an_answer_or_a_value_error(der: bytes) -> None:
    body = base64.encodebytes(der).decode()
    try:
        ends_ms(f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n")
    except ValueError:
        return
