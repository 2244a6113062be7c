"""Eight brokers behind bad TLS, of which none may see a byte of MQTT; and the one that may."""

from __future__ import annotations

import errno
import ssl
import warnings
from pathlib import Path

import pytest

from edge.umqtt.simple import MQTTClient
from tests.mqtt_broker import Peer, broker
from tests.tls_certs import Authority


class Bad:
    """A server's TLS, in `folder`; `authority` is the one that the client trusts."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder)
        (folder / "other").mkdir()
        self.other = Authority(folder / "other")

    def context(self, kind: str) -> ssl.SSLContext:
        days = {"expired": (-30, -1), "not yet valid": (10, 20)}.get(kind, (-1, 365))
        hosts = ("evil.example",) if kind == "another host" else ("127.0.0.1", "localhost")
        signer = self.other if kind == "another authority" else self.authority
        pair = signer.issue(kind.replace(" ", "-"), hosts, days=days, self_signed=kind == "self-signed")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        if kind == "TLS 1.1":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # it is what this server is for
                context.set_ciphers("ALL:@SECLEVEL=0")
                context.minimum_version = ssl.TLSVersion.TLSv1
                context.maximum_version = ssl.TLSVersion.TLSv1_1
        return context


@pytest.fixture(scope="module")
def bad_tls(tmp_path_factory: pytest.TempPathFactory) -> Bad:
    return Bad(tmp_path_factory.mktemp("umqtt-tls"))


def trusting(bad: Bad, port: int, **params: object) -> MQTTClient:
    return MQTTClient("box", "127.0.0.1", port, ssl=True, ssl_params={"cafile": str(bad.authority.file), **params})


KINDS = ("another authority", "self-signed", "another host", "expired", "not yet valid", "TLS 1.1")


@pytest.mark.parametrize("kind", KINDS)
def test_a_broker_with_bad_tls_sees_no_mqtt(bad_tls: Bad, kind: str) -> None:
    seen: list[bytes] = []

    def script(peer: Peer) -> None:
        try:
            with bad_tls.context(kind).wrap_socket(peer._sock, server_side=True) as sock:
                seen.append(sock.recv(100))
        except (ssl.SSLError, ConnectionResetError):
            seen.append(b"")  # the client has left

    with broker(script) as served, pytest.raises(ssl.SSLError):
        trusting(bad_tls, served.port).connect()
    assert seen == [b""]


def test_a_broker_without_tls_sees_no_mqtt(bad_tls: Bad) -> None:
    seen: list[bytes] = []

    def script(peer: Peer) -> None:
        seen.append(peer._sock.recv(1000))
        peer.send(b"\x20\x02\x00\x00\xd0\x00")  # five bytes are the head of a record
        peer.closed()

    with broker(script) as served, pytest.raises(ssl.SSLError):
        trusting(bad_tls, served.port).connect()
    assert seen[0][:1] == b"\x16"  # a TLS handshake record


def test_a_broker_that_hangs_in_the_handshake_is_a_time_out(bad_tls: Bad) -> None:
    def script(peer: Peer) -> None:
        assert peer._bytes(1) == b"\x16"
        peer.closed()

    with broker(script) as served, pytest.raises(OSError, match="connect") as raised:
        trusting(bad_tls, served.port).connect(timeout=0.3)
    assert raised.value.errno == errno.ETIMEDOUT


@pytest.mark.parametrize("by", ["ssl=True", "a context"])
def test_a_broker_with_good_tls_is_talked_to(bad_tls: Bad, by: str) -> None:
    def script(peer: Peer) -> None:
        peer._sock = bad_tls.context("good").wrap_socket(peer._sock, server_side=True)
        peer.accept()
        peer.expect(b"\xe0\x00")
        peer.close()

    with broker(script) as served:
        if by == "ssl=True":
            box = trusting(bad_tls, served.port)
        else:
            context = ssl.create_default_context(cafile=str(bad_tls.authority.file))
            box = MQTTClient("box", "127.0.0.1", served.port, ssl=context)
        box.connect()
        box.disconnect()


def test_a_client_certificate_is_shown(bad_tls: Bad) -> None:
    certificate, key = bad_tls.authority.issue("box-certificate")
    names: list[object] = []

    def script(peer: Peer) -> None:
        context = bad_tls.context("mutual")
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(bad_tls.authority.file)
        sock = context.wrap_socket(peer._sock, server_side=True)
        peer._sock = sock
        peer.accept()
        names.append(sock.getpeercert())
        peer.closed()
        peer.close()

    with broker(script) as served:
        box = trusting(bad_tls, served.port, certfile=str(certificate), keyfile=str(key))
        box.connect()
        box.disconnect()
    assert "box-certificate" in str(names)


def test_an_unknown_setting_is_named(bad_tls: Bad) -> None:
    def script(peer: Peer) -> None:
        peer.closed()

    named = "ssl_params: cert_reqs not known, allowed: server_host"
    with broker(script) as served, pytest.raises(OSError, match=named):
        trusting(bad_tls, served.port, cert_reqs=0).connect()
