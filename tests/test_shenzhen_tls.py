"""Eight bad TLS servers, and the one good: neither the uplink nor the TCP link gives a password away to a bad one.

Judged by what arrives at the server: a login with the password, or nothing.
"""

from __future__ import annotations

import random
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from edge.cities.http import HttpTransport, TransportFault
from edge.cities.shenzhen.conversation import Account, Conversation
from edge.cities.shenzhen.desk import OrderDesk
from edge.cities.shenzhen.link_talk import LinkSettings
from edge.cities.shenzhen.tcp import TcpLink
from edge.config.shenzhen import ShenzhenTcp
from tests.shenzhen_tools import HandClock, Lane, settings
from tests.tls_certs import Authority

WAIT_S = 10.0
PASSWORD = "PASSWORD-ON-THE-WIRE"


class BadServer:
    """One connection after the other: handshake as told, then read until the peer has gone."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.heard = b""
        self.met = threading.Event()
        self.got = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with suppress(OSError):
            while True:
                line, _ = self._listener.accept()
                line.settimeout(WAIT_S)
                with suppress(OSError, ssl.SSLError):
                    if self._context is not None:
                        line = self._context.wrap_socket(line, server_side=True)
                    else:
                        line.sendall(b"who needs TLS\n")
                    while data := line.recv(65_536):
                        self.heard += data
                        if PASSWORD.encode() in self.heard:
                            self.got.set()
                line.close()
                self.met.set()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


def context(cert: tuple[Path, Path], version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if version is not None:
        made.set_ciphers("ALL:@SECLEVEL=0")
        made.minimum_version = made.maximum_version = version
    made.load_cert_chain(*cert)
    return made


def anonymous() -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.maximum_version = ssl.TLSVersion.TLSv1_2
    made.set_ciphers("aNULL:@SECLEVEL=0")
    return made


KINDS: dict[str, Callable[[Path, Authority], ssl.SSLContext | None]] = {
    "good": lambda folder, ca: context(ca.issue("server")),
    "other authority of the same name": lambda folder, ca: context(_other(folder).issue("server")),
    "signed by itself": lambda folder, ca: context(ca.issue("server", self_signed=True)),
    "name of another host": lambda folder, ca: context(ca.issue("server", ("platform.example",))),
    "expired": lambda folder, ca: context(ca.issue("server", days=(-300, -1))),
    "not yet valid": lambda folder, ca: context(ca.issue("server", days=(1, 300))),
    "TLS 1.1": lambda folder, ca: context(ca.issue("server"), ssl.TLSVersion.TLSv1_1),
    "no certificate": lambda folder, ca: anonymous(),
    "no TLS": lambda folder, ca: None,
}


def _other(folder: Path) -> Authority:
    other = folder / "other"
    other.mkdir()
    return Authority(other)


@pytest.fixture(params=sorted(KINDS))
def peer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, BadServer, Authority]]:
    authority = Authority(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # TLS 1.1 is what this test is about
        made = KINDS[request.param](tmp_path, authority)
    server = BadServer(made)
    yield request.param, server, authority
    server.close()


def test_the_tcp_link_gives_its_password_to_the_good_one_alone(peer: tuple[str, BadServer, Authority]) -> None:
    kind, server, authority = peer
    given = settings(
        ca_file=str(authority.file),
        tcp=ShenzhenTcp(host="127.0.0.1", port=server.port),
        reconnect_max_s=0.01,
        reconnect_min_s=0.01,
    )
    desk = OrderDesk(given, Lane().ask, HandClock(), lambda: "")
    failed: list[BaseException] = []
    link = TcpLink(
        given,
        LinkSettings("u", PASSWORD),
        desk,
        HandClock(),
        random.Random(1),
        died=failed.append,
        changed=lambda: None,
    )
    link.start()
    try:
        if kind == "good":
            assert server.got.wait(WAIT_S)
        else:
            assert server.met.wait(WAIT_S)
    finally:
        link.stop()
    assert failed == []
    assert (PASSWORD.encode() in server.heard) is (kind == "good")
    assert link.view().online is False


def test_the_uplink_gives_its_password_to_the_good_one_alone(peer: tuple[str, BadServer, Authority]) -> None:
    kind, server, authority = peer
    transport = HttpTransport(f"https://127.0.0.1:{server.port}/api", 1.0, ca_file=str(authority.file))
    request = Conversation(Account("u", PASSWORD)).login(1_790_000_000_000)
    with pytest.raises(TransportFault) as caught:  # the good one never answers
        transport.post(request)
    assert caught.value.sent is (kind == "good")
    transport.close()
    if kind == "good":
        assert server.got.wait(WAIT_S)
    else:
        assert server.met.wait(WAIT_S)
    assert (PASSWORD.encode() in server.heard) is (kind == "good")
