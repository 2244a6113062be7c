"""The transport against a raw socket server on the loopback: every way in which an answer can fail to come."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from edge.cities.http import ANSWER_MAX_BYTES, HttpTransport, TransportFault
from edge.cities.qingdao.envelope import Request

REQUEST = Request("carIn", "/thirdAPI/carIn", '{"车":1}'.encode(), "ABCDEF", "T", "s" * 32, "i" * 32)
SHORT_S = 0.3
LONG_S = 20.0
Serve = Callable[[socket.socket], None]


class Server:
    """Each connection is served by the next function of `plan`, the last one again and again."""

    def __init__(self, *plan: Serve) -> None:
        self.plan = list(plan)
        self.requests: list[bytes] = []
        self.connections = 0
        self.ending = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            conn, _ = self._listener.accept()
            if self.ending.is_set():
                conn.close()
                return
            serve = self.plan[min(self.connections, len(self.plan) - 1)]
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(conn, serve))
            self._threads.append(thread)
            thread.start()

    def _serve(self, conn: socket.socket, serve: Serve) -> None:
        with conn:
            while request := read_request(conn):
                self.requests.append(request)
                try:
                    serve(conn)
                except OSError:
                    return  # the client has left, as it should

    def close(self) -> None:
        self.ending.set()
        with socket.create_connection(self._listener.getsockname()):
            pass
        for thread in self._threads:
            thread.join(10)
        self._listener.close()


def read_request(conn: socket.socket) -> bytes:
    """One request with its body; empty when the client has closed."""
    data = b""
    try:
        while b"\r\n\r\n" not in data:
            got = conn.recv(65536)
            if not got:
                return b""
            data += got
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split()[0])
        while len(body) < length:
            body += conn.recv(65536)
    except OSError:
        return b""
    return head + b"\r\n\r\n" + body


def answers(data: bytes) -> Serve:
    return lambda conn: conn.sendall(data)


def ok(body: bytes, status: str = "200 OK", extra: str = "") -> Serve:
    return answers(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode() + body)


def cut(data: bytes) -> Serve:
    def serve(conn: socket.socket) -> None:
        conn.sendall(data)
        conn.shutdown(socket.SHUT_RDWR)

    return serve


Make = Callable[..., tuple[Server, HttpTransport]]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[tuple[Server, HttpTransport]] = []

    def build(*plan: Serve, timeout_s: float = LONG_S, path: str = "") -> tuple[Server, HttpTransport]:
        server = Server(*plan)
        made.append((server, HttpTransport(server.url + path, timeout_s)))
        return made[-1]

    yield build
    for server, transport in made:
        transport.close()
        server.close()


def fault(transport: HttpTransport) -> TransportFault:
    with pytest.raises(TransportFault) as caught:
        transport.post(REQUEST)
    return caught.value


def test_bytes_out_and_bytes_in_over_one_kept_connection(make: Make) -> None:
    server, transport = make(ok(b'{"result_code":0}'), path="/api/")
    for _ in range(3):
        answer = transport.post(REQUEST)
        assert (answer.status, answer.body) == (200, b'{"result_code":0}')
    assert server.connections == 1
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /api/thirdAPI/carIn HTTP/1.1"
    assert "sn: ABCDEF" in lines
    assert "Content-Type: application/json;charset=UTF-8" in lines
    assert body == REQUEST.body


def test_a_kept_connection_that_the_city_has_closed_is_made_anew(make: Make) -> None:
    closing = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
    server, transport = make(cut(closing), ok(b"{}"))
    assert transport.post(REQUEST).body == b"{}"
    assert transport.post(REQUEST).body == b"{}"
    assert server.connections == 2


@pytest.mark.parametrize("status", ["500 Internal Server Error", "404 Not Found", "503 Busy"])
def test_other_statuses_are_answers_too(make: Make, status: str) -> None:
    _, transport = make(ok(b"no", status))
    assert transport.post(REQUEST).status == int(status[:3])


def test_a_redirect_is_not_followed(make: Make) -> None:
    server, transport = make(ok(b"", "307 Temporary Redirect", "Location: http://127.0.0.1:1/\r\n"))
    assert transport.post(REQUEST).status == 307
    assert len(server.requests) == 1


@pytest.mark.parametrize("token", ["T\r\nX-Made-Up: 1", "T\n", "\x00", "令牌"])
def test_a_token_that_would_be_another_header_is_not_sent(make: Make, token: str) -> None:
    server, transport = make(ok(b"{}"))
    with pytest.raises(TransportFault) as fault:
        transport.post(Request("carIn", "/thirdAPI/carIn", b"{}", token))
    assert not fault.value.sent
    assert "令牌" in fault.value.zh
    assert server.requests == []
    assert transport.post(REQUEST).status == 200


@pytest.mark.parametrize("connection", ["", "Connection: close\r\n"])
def test_an_answer_in_chunks_is_whole_and_the_connection_stays_unless_the_city_ends_it(
    make: Make, connection: str
) -> None:
    head = f"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n{connection}Transfer-Encoding: chunked\r\n\r\n"
    server, transport = make(lambda conn: conn.sendall(head.encode() + b'3\r\n{"a\r\n5;x=1\r\n":1} \r\n0\r\n\r\n'))
    for _ in range(2):
        assert transport.post(REQUEST).body == b'{"a":1} '
    assert server.connections == (2 if connection else 1)


def test_the_environments_proxy_is_not_used(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    _, transport = make(ok(b"{}"))
    assert transport.post(REQUEST).status == 200


def test_a_port_where_nobody_listens_was_not_sent_to() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    transport = HttpTransport(url, LONG_S)
    found = fault(transport)
    assert (found.sent, found.zh) == (False, "连接不上市平台")
    transport.close()


def test_a_name_that_does_not_exist_was_not_sent_to() -> None:
    transport = HttpTransport("http://parkbox.invalid", LONG_S)  # RFC 6761: never resolves
    assert fault(transport).sent is False
    transport.close()


@pytest.mark.parametrize(
    ("serve", "timeout_s", "zh"),
    [
        (lambda _: None, SHORT_S, "超时 0.3 s"),
        (answers(b"no TLS here, sorry\r\n"), LONG_S, "TLS 证书或握手失败"),
    ],
)
def test_without_a_tls_handshake_nothing_was_sent(serve: Serve, timeout_s: float, zh: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer_hello() -> None:
            conn, _ = listener.accept()
            with conn, contextlib.suppress(ConnectionResetError):  # the client leaves as it likes
                conn.recv(65536)
                serve(conn)
                conn.recv(65536)

        thread = threading.Thread(target=answer_hello)
        thread.start()
        transport = HttpTransport(f"https://127.0.0.1:{listener.getsockname()[1]}", timeout_s)
        found = fault(transport)
        transport.close()
        thread.join(10)
    assert (found.sent, found.zh) == (False, zh)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01 this is no HTTP\r\n\r\n",
    ],
)
def test_an_answer_cut_off_or_mangled_may_have_arrived(make: Make, data: bytes) -> None:
    _, transport = make(cut(data))
    assert fault(transport).sent is True


def test_silence_ends_at_the_time_out(make: Make) -> None:
    server, transport = make(lambda _: None, timeout_s=SHORT_S)
    began_s = time.monotonic()
    found = fault(transport)
    assert (found.sent, found.zh) == (True, "超时 0.3 s")
    assert SHORT_S * 0.9 <= time.monotonic() - began_s < LONG_S / 2
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "start", [b"HTTP/1.1 200 OK\r\nX-Drip: ", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"]
)
def test_an_answer_that_drips_for_ever_ends_at_the_time_out(make: Make, start: bytes) -> None:
    ended = threading.Event()

    def drip(conn: socket.socket) -> None:
        conn.sendall(start)
        try:
            while not ended.wait(SHORT_S / 10):  # each byte would begin a read time-out anew
                conn.sendall(b"x")
        finally:
            ended.set()

    _, transport = make(drip, timeout_s=SHORT_S)
    found = fault(transport)
    assert (found.sent, found.en) == (True, "no answer within 0.3 s")
    assert ended.wait(10)


def test_a_late_cut_does_not_harm_the_next_request(make: Make) -> None:
    _, transport = make(lambda _: None, ok(b"{}"), timeout_s=SHORT_S)
    assert fault(transport).sent is True
    assert transport.post(REQUEST).body == b"{}"


def test_an_answer_over_the_limit_is_not_read_to_its_end(make: Make) -> None:
    big = ANSWER_MAX_BYTES + 1
    _, transport = make(answers(f"HTTP/1.1 200 OK\r\nContent-Length: {100 * big}\r\n\r\n".encode() + b"x" * big))
    found = fault(transport)
    assert (found.sent, found.zh) == (True, "应答过大")


def test_an_answer_without_stated_length_is_limited_too(make: Make) -> None:
    chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    _, transport = make(answers(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 60))
    assert fault(transport).zh == "应答过大"


def test_an_answer_whose_head_is_cut_off_has_no_body(make: Make) -> None:
    _, transport = make(cut(b"HTTP/1.1 200 OK\r\nContent-Le"))
    assert transport.post(REQUEST).body == b""  # which the conversation calls unreadable


def test_an_answer_at_the_limit_is_read(make: Make) -> None:
    _, transport = make(ok(b"x" * ANSWER_MAX_BYTES))
    assert len(transport.post(REQUEST).body) == ANSWER_MAX_BYTES


def test_abort_ends_a_request_at_once_and_refuses_later_ones(make: Make) -> None:
    reached = threading.Event()
    _, transport = make(lambda _: reached.set())
    found: list[TransportFault] = []
    thread = threading.Thread(target=lambda: found.append(fault(transport)))
    began_s = time.monotonic()
    thread.start()
    assert reached.wait(10)
    transport.abort()
    thread.join(10)
    assert not thread.is_alive()
    assert time.monotonic() - began_s < LONG_S / 2
    assert (found[0].sent, found[0].zh) == (True, "程序正在停止")
    assert fault(transport).sent is False
