"""The page's server as a stranger with a socket sees it: what it serves, what it refuses, how it ends."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.config.model import Web
from edge.web import gate
from edge.web.server import PageServer
from tests.web_fakes import (
    READ_ID,
    TINY_JPEG,
    FakeSource,
    StreamClient,
    box,
    get,
    parsed,
    receive_all,
    send,
)
from tests.web_house import Client, House


@pytest.fixture(scope="module")
def source() -> FakeSource:
    fake = FakeSource(box())
    fake.pictures[READ_ID] = TINY_JPEG
    return fake


@pytest.fixture(scope="module")
def port(source: FakeSource, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    server = House(tmp_path_factory.mktemp("house"), source).server
    yield server.start()
    server.stop()


@pytest.fixture(scope="module")
def client(port: int) -> Client:
    client = Client(port)
    assert client.log_in("vera") == 200
    return client


def server_of(folder: Path, source: FakeSource, port: int = 0, **more: Any) -> PageServer:
    return House(folder, source, web=Web(port=port), **more).server


def status_of(answer: bytes) -> int:
    return parsed(answer)[0]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html"),
        ("/page.css", "text/css"),
        ("/page.js", "text/javascript"),
        ("/icon.svg", "image/svg+xml"),
        ("/healthz", "application/json"),
        ("/?from=home", "text/html"),
    ],
)
def test_serves_without_login(port: int, path: str, kind: str) -> None:
    status, headers, body = get(port, path)
    assert status == 200
    assert headers["content-type"].startswith(kind)
    assert int(headers["content-length"]) == len(body) > 0


def test_picture_comes_as_stored(client: Client) -> None:
    status, headers, body = client.ask("GET", f"/picture/{READ_ID}.jpg")
    assert (status, headers["content-type"], body) == (200, "image/jpeg", TINY_JPEG)


@pytest.mark.parametrize(
    "request_line",
    [b"GET / HTTP/1.1", b"GET /api/state HTTP/1.1", b"GET /none HTTP/1.1", b"POST / HTTP/1.1", b"nonsense"],
)
def test_every_answer_is_guarded(port: int, request_line: bytes) -> None:
    headers = parsed(send(port, request_line + b"\r\n\r\n"))[1]
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    # The page's own files hold nothing secret; a browser may keep them and asks whether they are the same.
    assert headers["cache-control"] == ("no-cache" if request_line.startswith(b"GET / ") else "no-store")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "BREW"])
@pytest.mark.parametrize("path", ["/", "/api/state", "/events", "/api/actions/open", "/none"])
def test_no_other_methods(port: int, method: str, path: str) -> None:
    status, headers, body = parsed(send(port, f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()))
    assert status == 405
    assert headers["allow"] == "GET, HEAD, POST"
    assert json.loads(body)["code"] == "method"


@pytest.mark.parametrize(
    ("path", "status"), [("/", 405), ("/api/state", 405), ("/api/actions/open", 401), ("/no", 404)]
)
def test_post_only_where_the_table_says(port: int, path: str, status: int) -> None:
    request = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{{}}".encode()
    assert status_of(send(port, request)) == status


@pytest.mark.parametrize(("path", "size"), [("/api/login", 70_000), ("/api/config", 600_000), ("/", 10**11)])
def test_an_oversized_body_is_refused_before_it_is_read(port: int, path: str, size: int) -> None:
    body = b"x" * min(size, 600_000)
    request = b"POST %s HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (path.encode(), size) + body
    assert status_of(send(port, request)) == 413


def test_a_body_that_does_not_come_is_cut_off(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "BODY_S", 0.05)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(b"POST /api/login HTTP/1.1\r\nContent-Length: 50\r\n\r\n{")
        assert status_of(receive_all(line)) == 408


def test_large_bodies_wait_for_their_turn_and_not_longer(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "BODY_S", 0.3)
    head = b"POST /api/config HTTP/1.1\r\nContent-Length: 200000\r\n\r\n"
    lines = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(gate.LARGE_AT_ONCE + 2)]
    for line in lines:
        line.sendall(head)
    assert {status_of(receive_all(line)) for line in lines} == {408}
    for line in lines:
        line.close()


def test_head_has_the_length_and_no_body(port: int) -> None:
    status, headers, body = parsed(send(port, b"HEAD / HTTP/1.1\r\n\r\n"))
    assert status == 200
    assert int(headers["content-length"]) == len(get(port, "/")[2])
    assert body == b""


@pytest.mark.parametrize(
    "path",
    [
        "/none",
        "/../../../etc/passwd",
        "/static/../server.py",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/picture/../../deliveries.db",
        "/picture/..%2f..%2fdeliveries.db.jpg",
        f"/picture/{READ_ID}",
        f"/picture/{READ_ID}.jpg/",
        f"/picture/{READ_ID[:-1]}.jpg",
        f"/picture/{READ_ID}0.jpg",
        f"/picture/{READ_ID.upper()}.jpg",
        f"/picture/{'g' * 32}.jpg",
        f"/picture/{'f' * 32}.jpg",
        "/server.py",
        "/page.js/",
        "//",
    ],
)
def test_unknown_paths_are_not_found(client: Client, path: str) -> None:
    status, _, body = client.ask("GET", path)
    assert status == 404
    assert json.loads(body)["code"] == "not_found"


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"\x00\x01\x02\xff\xfe garbage\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),  # a TLS hello on the plain port
        (b"GET /\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 400),
        (b"GET  / HTTP/1.1\r\n\r\n", 400),
        (b"GET http://127.0.0.1/ HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon here\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nBad\x00Name: 1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: \xff\xfe\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: minus\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /api/login HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /api/login HTTP/1.1\r\n\r\n", 411),
        (b"POST /api/login HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x", 400),
        (b"POST /api/login HTTP/1.1\r\nContent-Length: +2\r\n\r\n{}", 400),
        (b"POST /api/login HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 415),
        (b"GET /" + b"a" * 500 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 65 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nX: " + b"y" * 500_000 + b"\r\n\r\n", 431),
        (b"A" * 500_000, 431),
        (b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
        (b"GET /api/state HTTP/1.1\r\nHost: 127.0.0.1.evil.example:80\r\n\r\n", 421),
        (b"GET / HTTP/1.1\r\nHost: 192.168.1.9\r\n\r\n", 421),
        (b"GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", 200),
        (b"GET / HTTP/1.0\r\n\r\n", 200),
    ],
)
def test_judges_the_request(port: int, request_bytes: bytes, status: int) -> None:
    assert status_of(send(port, request_bytes)) == status


def test_half_a_request_that_ends_is_refused(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: local")
        line.shutdown(socket.SHUT_WR)
        assert status_of(receive_all(line)) == 400


def test_slow_sender_is_cut_off(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "HEAD_S", 0.05)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: local")
        assert status_of(receive_all(line)) == 408


def test_too_many_connections_are_told_so(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "CONNECTIONS_MAX", 0)
    assert status_of(send(port, b"GET / HTTP/1.1\r\n\r\n")) == 503


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(garbage=st.binary(min_size=1, max_size=400))
def test_garbage_gets_one_short_refusal(port: int, garbage: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(garbage + b"\r\n\r\n")
        line.shutdown(socket.SHUT_WR)
        assert status_of(receive_all(line)) in {400, 405, 411}


def test_a_name_of_the_config_opens_the_page(tmp_path: Path) -> None:
    server = House(tmp_path, FakeSource(box()), web=Web(port=0, names=("parkbox.local",))).server
    port = server.start()
    assert status_of(send(port, b"GET / HTTP/1.1\r\nHost: parkbox.local:8080\r\n\r\n")) == 200
    assert status_of(send(port, b"GET / HTTP/1.1\r\nHost: other.local\r\n\r\n")) == 421
    server.stop()


def test_one_address_cannot_take_all_connections(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "ADDRESS_MAX", 0)
    assert status_of(send(port, b"GET / HTTP/1.1\r\n\r\n")) == 503


def test_a_taken_port_is_named(port: int, source: FakeSource, tmp_path: Path) -> None:
    with pytest.raises(OSError, match=rf"web\.port {port}.*in use"):
        server_of(tmp_path, source, port).start()


def test_stop_ends_open_streams_and_frees_the_port(tmp_path: Path) -> None:
    source = FakeSource(box())
    first = server_of(tmp_path / "first", source)
    port = first.start()
    person = Client(port)
    person.log_in("vera")
    stream = StreamClient(port, cookie=person.cookie)
    stream.next_event("state")
    first.stop()
    with pytest.raises((EOFError, ConnectionError)):
        stream.next_event("none of this name")
    stream.close()
    second = server_of(tmp_path / "second", source, port)
    assert second.start() == port
    assert get(port, "/")[0] == 200
    second.stop()


def test_starts_once(tmp_path: Path) -> None:
    server = server_of(tmp_path, FakeSource(box()))
    server.start()
    with pytest.raises(RuntimeError, match="already started"):
        server.start()
    server.stop()
    server.stop()


def test_a_failing_source_ends_the_server_and_is_reported(tmp_path: Path) -> None:
    source = FakeSource(box())
    told: list[BaseException] = []
    heard = threading.Event()

    def on_failure(failure: BaseException) -> None:
        told.append(failure)
        heard.set()

    server = server_of(tmp_path, source, on_failure=on_failure)
    person = Client(server.start())
    person.log_in("vera")
    stream = StreamClient(person.port, cookie=person.cookie)
    stream.next_event("state")
    source.failure = OSError("deliveries.db: disk I/O error")
    assert heard.wait(10)
    assert told == [source.failure]
    with pytest.raises((EOFError, ConnectionError)):
        stream.next_event("none of this name")
    stream.close()
    server.stop()
