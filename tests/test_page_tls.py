"""The page with TLS: a certificate of the box's own or a given one, and a cookie that never travels without it."""

from __future__ import annotations

import http.client
import json
import ssl
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import pytest

from edge.agent.page import Page
from edge.config.load import load
from edge.config.model import Config, Web
from edge.page_certificate import CERTIFICATE, KEY, fingerprint, make
from hal_sim.site.pins import PinBank
from tests.program_site import write_config
from tests.web_fakes import FakeSource, box, send
from tests.web_house import FakeDesk


@contextmanager
def page_on(folder: Path, web: Web) -> Iterator[tuple[Config, int]]:
    folder.mkdir(exist_ok=True)
    path, _, _ = write_config(folder, PinBank())
    config = msgspec.structs.replace(load(path), web=web)
    failures: list[BaseException] = []
    page = Page(config, FakeSource(box()), FakeDesk(), changed=lambda: None, on_failure=failures.append)
    try:
        yield config, page.start()
    finally:
        page.stop()
    assert failures == []


def ask(port: int, certificate: Path, method: str, path: str, body: object = None) -> http.client.HTTPResponse:
    context = ssl.create_default_context(cafile=str(certificate))
    line = http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=context)
    try:
        headers = {"Content-Type": "application/json"}
        line.request(method, path, None if body is None else json.dumps(body), headers)
        answer = line.getresponse()
        answer.read()
        return answer
    finally:
        line.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tls")


def test_the_box_makes_its_own_certificate_once(folder: Path) -> None:
    web = Web(port=0, tls="own", names=("parkbox.local",))
    with page_on(folder, web) as (config, port):
        data = Path(config.box.data_dir)
        certificate = data / CERTIFICATE
        assert stat.S_IMODE((data / KEY).stat().st_mode) == 0o600
        first = fingerprint(certificate)
        assert ask(port, certificate, "GET", "/healthz").status == 200  # verified: chain, name and dates
        user, password = (data / "first-password").read_text("utf-8").split()
        answer = ask(port, certificate, "POST", "/api/login", {"user": user, "password": password})
        cookie = answer.getheader("Set-Cookie", "")
        assert answer.status == 200
        assert cookie.startswith("__Host-parkbox=")
        assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
        with suppress(ConnectionError):  # hung up on at once is as good
            assert b"HTTP" not in send(port, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    with page_on(folder, web) as (config, port):
        assert fingerprint(Path(config.box.data_dir) / CERTIFICATE) == first
        assert ask(port, Path(config.box.data_dir) / CERTIFICATE, "GET", "/").status == 200


def test_old_tls_is_refused(folder: Path) -> None:
    with page_on(folder, Web(port=0, tls="own")) as (config, port):
        context = ssl.create_default_context(cafile=str(Path(config.box.data_dir) / CERTIFICATE))
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
        context.set_ciphers("DEFAULT@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        line = http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=context)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            line.request("GET", "/healthz")
        line.close()


def test_a_given_certificate_is_used(folder: Path) -> None:
    given = folder / "given"
    make(given, "GIVEN", ["lot.example"])
    web = Web(port=0, tls="given", certificate_file=str(given / CERTIFICATE), key_file=str(given / KEY))
    with page_on(folder / "other", web) as (_, port):
        assert ask(port, given / CERTIFICATE, "GET", "/healthz").status == 200


def test_the_first_password_is_in_its_file_and_in_no_log(
    folder: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    with page_on(folder / "third", Web(port=0)) as (config, _):
        password = (Path(config.box.data_dir) / "first-password").read_text("utf-8").split()[1]
    assert password not in caplog.text
    assert password not in "".join(capsys.readouterr())  # no terminal: it is for the console
