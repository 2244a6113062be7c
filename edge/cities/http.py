"""Transport: the only socket to a city's HTTP server. Bytes out, bytes in, everything bounded.

One kept connection, made and kept by the pool of `requests`' adapter: no proxy or credential of the environment is
read, no redirect is followed, TLS is verified. What goes over it is written and read here (`_Pool`). A request takes
`timeout_s` in all, however slowly the answer drips: a watchdog cuts the connection at the deadline, and `abort` does
the same at once when the program ends.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from http.client import HTTPException, HTTPResponse, IncompleteRead
from typing import Any
from urllib.parse import urlsplit

from urllib3 import connection, connectionpool
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.exceptions import SSLError as UrllibTlsError
from urllib3.exceptions import TimeoutError as TimeoutException
from urllib3.util.ssl_match_hostname import CertificateError

from edge.cities.city import Request
from edge.cities.lean_requests import HTTPAdapter, PreparedRequest, RequestException
from edge.cities.lean_requests import Request as Preparing
from edge.cities.verdict import Answer

# An answer about one record is some hundred bytes.
ANSWER_MAX_BYTES = 1_000_000

# A TCP connection that takes longer has failed; the rest of `timeout_s` is for the answer.
CONNECT_MAX_S = 10.0

# A program that ends does not wait longer for a goodbye.
FAREWELL_S = 2.0


class TransportFault(Exception):
    """No answer came. `sent`: the request may have reached the city; False: it never left the box."""

    def __init__(self, zh: str, en: str, detail: str, *, sent: bool) -> None:
        super().__init__(f"{en}: {detail}")
        self.zh, self.en, self.sent = zh, en, sent


class HttpTransport:
    """`post` is for one thread; `abort` may come from any."""

    def __init__(
        self, base_url: str, timeout_s: float, *, ca_file: str = "", client_cert_file: str = ""
    ) -> None:
        """`ca_file`: the only authorities that are believed; "" those that `requests` brings along."""
        self._base_url = base_url.rstrip("/")
        self._timeout_s = timeout_s
        self._ca_file, self._client_cert_file = ca_file, client_cert_file
        self._wire = _Wire()
        self._adapter = _Adapter(self._wire, ca_file or True, client_cert_file or None)
        self._pool: _Pool | None = None
        self._targets: dict[str, str] = {}

    def post(self, request: Request) -> Answer:
        """Send and read the whole answer. Raises `TransportFault` and nothing else for what the network does."""
        self._wire.guard(self._timeout_s)
        try:
            answer = self._exchange(request)
            if self._wire.late or self._wire.aborted:
                raise TimeoutError("cut at the deadline")  # a cut may look like the end of a short answer
        except (RequestException, HTTPError, HTTPException, OSError, CertificateError) as error:
            raise self._fault(error) from error
        else:
            return answer
        finally:
            self._wire.release()

    def _exchange(self, request: Request) -> Answer:
        target = self._targets.get(request.path)
        if target is None:  # an address is parsed and judged once
            parsed = Preparing("POST", self._base_url + request.path).prepare()
            self._pool = self._pool or self._adapter.pool_of(parsed)
            host = urlsplit(parsed.url or "").netloc.rpartition("@")[2]
            target = self._targets[request.path] = f"POST {parsed.path_url} HTTP/1.1\r\nHost: {host}"
        assert self._pool is not None
        return self._pool.exchange(_head(target, request) + request.body, self._timeout_s)

    def abort(self) -> None:
        """Cut the request that is under way and refuse every later one."""
        self._wire.abort()

    def farewell(self, request: Request) -> Answer:
        """One last request after `abort`, on a connection of its own."""
        last = HttpTransport(
            self._base_url,
            min(FAREWELL_S, self._timeout_s),
            ca_file=self._ca_file,
            client_cert_file=self._client_cert_file,
        )
        try:
            return last.post(request)
        finally:
            last.close()

    def close(self) -> None:
        self._wire.close()
        self._adapter.close()

    def _fault(self, error: Exception) -> TransportFault:
        sent = self._wire.sent
        detail = f"{type(error).__name__}: {error}"
        if self._wire.aborted:
            return TransportFault("程序正在停止", "the program is ending", detail, sent=sent)
        refused = isinstance(error, NewConnectionError)  # for urllib3 a kind of time-out
        if self._wire.late or (isinstance(error, TimeoutError | TimeoutException) and not refused):
            seconds = f"{self._timeout_s:g} s"
            return TransportFault(f"超时 {seconds}", f"no answer within {seconds}", detail, sent=sent)
        if isinstance(error, ssl.SSLError | UrllibTlsError | CertificateError):
            return TransportFault("TLS 证书或握手失败", "TLS failed", detail, sent=sent)
        if not sent:
            return TransportFault("连接不上市平台", "city not reachable", detail, sent=False)
        return TransportFault("连接中断", "connection cut", detail, sent=True)


def _head(target: str, request: Request) -> bytes:
    """`target`: the lines that belong to the address. Raises `TransportFault` for a header that is none: a token comes
    from the city, and a line break in it would begin another header."""
    lines = [target, "User-Agent: parkbox", "Accept-Encoding: identity", f"Content-Length: {len(request.body)}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    if not all(line.isprintable() and line.isascii() for line in lines[1:]):
        raise TransportFault("请求头不合法 (令牌)", "a header that is none (the token)", "no ASCII text", sent=False)
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def _answer(sock: socket.socket) -> tuple[Answer, bool]:
    """The whole answer, and whether the connection ends with it. Raises `HTTPException` for one that is cut or none."""
    response = HTTPResponse(sock, method="POST")
    try:
        response.begin()
        if (response.length or 0) > ANSWER_MAX_BYTES:
            raise _too_large()
        body = response.read(ANSWER_MAX_BYTES + 1)
        if response.length:  # what was stated and has not come
            raise IncompleteRead(body, response.length)
        if len(body) > ANSWER_MAX_BYTES:
            raise _too_large()
        return Answer(response.status, body), response.will_close or not response.isclosed()
    finally:
        response.close()


def _too_large() -> TransportFault:
    return TransportFault("应答过大", "answer too large", f"over {ANSWER_MAX_BYTES} bytes", sent=True)


class _Wire:
    """The connection in use and its deadline; a thread of its own cuts it when the deadline has passed."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._connection: connection.HTTPConnection | None = None
        self._deadline_s: float | None = None
        self._thread: threading.Thread | None = None
        self._closed = False
        self._idle = False
        self.late = False
        self.sent = False
        self.aborted = False

    def guard(self, timeout_s: float) -> None:
        with self._changed:
            if self.aborted or self._closed:
                raise TransportFault("程序正在停止", "the program is ending", "transport closed", sent=False)
            self.late = self.sent = False
            self._deadline_s = time.monotonic() + timeout_s
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="city-watchdog", daemon=True)
                self._thread.start()
            if self._idle:  # else it wakes by itself at an earlier deadline: no switch of threads a request
                self._changed.notify()

    def release(self) -> None:
        with self._changed:
            self._deadline_s = None

    def connected(self, made: connection.HTTPConnection) -> None:
        with self._changed:
            self._connection = made
            if self.aborted or self.late:
                self._cut()

    def abort(self) -> None:
        with self._changed:
            self.aborted = True
            self._cut()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
        if self._connection is not None:
            self._connection.close()  # the pool would do it only when it is garbage

    def _cut(self) -> None:
        """Shut the plain socket below any TLS: the reading thread wakes up with an error at once."""
        sock = None if self._connection is None else self._connection.sock
        if sock is not None:
            try:
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
            except OSError:
                return  # the other side was faster

    def _watch(self) -> None:
        with self._changed:
            while not self._closed:
                if self._deadline_s is None:
                    self._idle = True
                    self._changed.wait()
                    self._idle = False
                    continue
                left_s = self._deadline_s - time.monotonic()
                if left_s > 0:
                    self._changed.wait(left_s)
                    continue
                self.late = True
                self._deadline_s = None
                self._cut()


class _Adapter(HTTPAdapter):
    """One kept connection to one city, whose socket the wire knows; no proxy."""

    def __init__(self, wire: _Wire, verify: str | bool, cert: str | None) -> None:
        """`verify`: file of the only authorities that are believed, or True; `cert`: file of the box's own."""
        self._wire, self._verify, self._cert = wire, verify, cert
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pools(self._wire)

    def pool_of(self, request: PreparedRequest) -> _Pool:
        pool = self.get_connection_with_tls_context(request, verify=self._verify, cert=self._cert)
        self.cert_verify(pool, request.url, self._verify, self._cert)  # type: ignore[no-untyped-call]
        assert isinstance(pool, _Pool)
        return pool


class _Pool(connectionpool.HTTPConnectionPool):
    """Makes and keeps the connection (address, TLS, whether the city has closed it). A request and its answer go over
    it without what a session adds for browsers' sake; that was two thirds of a report's processor time. Head and body
    leave in one piece: one call, and no city that answers the head alone."""

    wire: _Wire

    def exchange(self, whole: bytes, timeout_s: float) -> Answer:
        """Raises what `HTTPConnection.connect` and `_answer` raise."""
        line = self._get_conn()
        ends = True
        try:
            if line.is_closed:
                line.timeout = min(CONNECT_MAX_S, timeout_s)
                line.connect()
                self.wire.connected(line)  # type: ignore[arg-type]
            sock = line.sock  # type: ignore[attr-defined]
            sock.settimeout(timeout_s)
            self.wire.sent = True
            sock.sendall(whole)
            answer, ends = _answer(sock)
            return answer
        finally:
            if ends:
                line.close()
            self._put_conn(line)


def _pools(wire: _Wire) -> dict[str, Any]:
    """Pools that know the wire."""

    class Plain(_Pool): ...

    class Tls(_Pool, connectionpool.HTTPSConnectionPool): ...

    Plain.wire = Tls.wire = wire
    return {"http": Plain, "https": Tls}
