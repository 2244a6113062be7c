"""The callback server over real TLS: token, paths, limits, slow senders, certificates, protocols."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.callback_rig import ORDER, WAIT_S, Rig
from tests.shenzhen_tools import platform_request
from tests.tls_certs import Authority


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(tmp_path)
    yield made
    made.server.stop()
    assert made.failed == []
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("shenzhen")]


@pytest.mark.parametrize("path", ["/1.0/6002", "/api/1.0/6002", "/api/6002", "/6002", "/api/1.0/6002/"])
def test_an_order_is_carried_out_below_every_prefix(rig: Rig, path: str) -> None:
    status, answer = rig.post(path)
    assert (status, answer["resultCode"], answer["data"][0]["code"]) == (200, 0, 0)
    assert len(rig.lane.orders) == 1


@pytest.mark.parametrize("shown", ["bearer T1", "Bearer T1", "bearerT1", "T1", " BEARER T1 "])
def test_the_token_in_every_form(rig: Rig, shown: str) -> None:
    assert rig.post(Authorization=shown)[0] == 200


@pytest.mark.parametrize("shown", ["", "bearer", "bearer ", "bearer T2", "T", "Basic T1", "bearer T1x"])
def test_without_the_token_nothing_is_carried_out(rig: Rig, shown: str) -> None:
    status, answer = rig.post(Authorization=shown)
    assert (status, answer["resultCode"], answer["data"]) == (401, 5, [])
    assert "3002" in answer["resultMsg"]
    assert rig.lane.orders == []


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/1.0/5004", {}, 404),
        ("/2.0/6002", {}, 404),
        ("/", {}, 404),
        ("/api/1.0/６００２", {}, 404),
        ("/1.0/6002", {"Transfer-Encoding": "chunked"}, 411),
        ("/1.0/6002", {"Content-Length": "x"}, 411),
        ("/1.0/6002", {"Content-Length": "10485761"}, 413),
    ],
)
def test_what_is_no_order_is_refused_before_it_is_read(
    rig: Rig, path: str, headers: dict[str, str], status: int
) -> None:
    line = rig.line()
    head = {"Authorization": "bearer T1", "Content-Length": "2", **headers}
    text = f"POST {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in head.items()) + "\r\n{}"
    line.sendall(text.encode())
    answer = http.client.HTTPResponse(line)
    answer.begin()
    assert (answer.status, json.loads(answer.read())["data"]) == (status, [])
    line.close()
    assert rig.lane.orders == []


def test_only_post(rig: Rig) -> None:
    line = rig.connect()
    line.request("GET", "/1.0/6002", headers={"Authorization": "bearer T1"})
    answer = line.getresponse()
    assert (answer.status, json.loads(answer.read())["resultCode"]) == (405, 5)
    line.close()


def test_a_connection_is_kept_for_many_orders(rig: Rig) -> None:
    line = rig.connect()
    for _ in range(5):
        line.request("POST", "/1.0/6002", platform_request([ORDER]), {"Authorization": "bearer T1"})
        assert json.loads(line.getresponse().read())["resultCode"] == 0
    line.close()
    assert len(rig.lane.orders) == 5


def test_ten_megabytes_are_read_and_a_byte_more_is_not(rig: Rig) -> None:
    body = platform_request([ORDER])
    body = body[:-1] + b" " * (10_485_760 - len(body)) + b"}"
    assert rig.post(body=body)[1]["resultCode"] == 0


@pytest.mark.parametrize("said", [b"", b"POST /1.0/6002 HT", b"POST /1.0/6002 HTTP/1.1\r\nContent-Length: 9\r\n"])
def test_a_slow_sender_is_cut_off(rig: Rig, said: bytes) -> None:
    """Also one that keeps dripping: the time is for the whole request. Idle lines may stay (IDLE_S)."""
    if not said:
        plain = socket.create_connection(("127.0.0.1", rig.server.port), timeout=WAIT_S)  # never a handshake
        assert plain.recv(1) == b""
        plain.close()
        return
    line = rig.line()
    line.sendall(said + (b"Authorization: bearer T1\r\n\r\n{" if b"Length" in said else b""))
    if b"Length" not in said:
        line.close()
        return
    try:
        assert line.recv(100) == b""
    except OSError:
        assert rig.desk.counts["connection too slow"] + rig.desk.counts["connection failed"] >= 1
    line.close()
    assert rig.lane.orders == []


def test_a_full_server_refuses_and_recovers(tmp_path: Path) -> None:
    rig = Rig(tmp_path, connections_max=1, slow_s=60.0)
    try:
        first = rig.line()
        with pytest.raises(OSError):
            rig.line()
        first.close()
        deadline = threading.Event()
        for _ in range(100):
            try:
                assert rig.post()[0] == 200
                break
            except OSError:
                deadline.wait(0.05)
        else:
            pytest.fail("still full")
    finally:
        rig.server.stop()


def test_addresses_by_setting(tmp_path: Path) -> None:
    rig = Rig(tmp_path, addresses=("192.0.2.0/24",))
    try:
        with pytest.raises(OSError):
            rig.post()
    finally:
        rig.server.stop()


def test_a_client_certificate_by_setting(tmp_path: Path) -> None:
    theirs = Authority(tmp_path, "Platform CA")
    rig = Rig(tmp_path, client_ca_file=str(theirs.file))
    try:
        with pytest.raises(OSError):
            rig.post()
        context = rig.context()
        context.load_cert_chain(*theirs.issue("platform"))
        line = http.client.HTTPSConnection("127.0.0.1", rig.server.port, context=context, timeout=WAIT_S)
        line.request("POST", "/1.0/6002", platform_request([ORDER]))
        assert line.getresponse().status == 200
        line.close()
    finally:
        rig.server.stop()


def test_a_new_certificate_is_used_at_once_and_a_broken_one_is_not(rig: Rig) -> None:
    def shown() -> bytes:
        line = rig.line()
        found = line.getpeercert(binary_form=True)
        line.close()
        assert found is not None
        return found

    before = shown()
    good = rig.cert_file.read_bytes()
    rig.cert_file.write_bytes(good[: len(good) // 2])
    assert shown() == before
    assert rig.server.certificate.trouble
    new_cert, new_key = rig.authority.issue("new", days=(-1, 10))
    new_key.replace(rig.key_file)
    new_cert.replace(rig.cert_file)
    assert shown() != before
    assert rig.server.certificate.trouble == ""
    now_ms = 1000 * int(__import__("time").time())
    assert "还有 9 天到期 / " in rig.server.certificate.ends_soon(now_ms)
    assert not rig.server.certificate.ended(now_ms)
    assert rig.server.certificate.ended(now_ms + 20 * 86_400_000)
    assert "has ended" in rig.server.certificate.ends_soon(now_ms + 20 * 86_400_000)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl command here")
@pytest.mark.parametrize(
    ("options", "welcome"),
    [
        (["-tls1_2"], True),
        (["-tls1_3"], True),
        (["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], False),
        (["-tls1", "-cipher", "ALL:@SECLEVEL=0"], False),
        (["-tls1_2", "-cipher", "AES128-SHA:AES256-SHA:@SECLEVEL=0"], False),
        (["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA384:@SECLEVEL=0"], False),
        (["-tls1_2", "-cipher", "aNULL:eNULL:@SECLEVEL=0"], False),
    ],
)
def test_no_weak_protocol_or_cipher(rig: Rig, options: list[str], welcome: bool) -> None:
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{rig.server.port}", "-brief", *options]
    done = subprocess.run(command, input=b"", capture_output=True, timeout=WAIT_S, check=False)
    assert (b"CONNECTION ESTABLISHED" in done.stderr) is welcome, done.stderr
