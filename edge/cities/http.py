"""Transport: the only socket to a city's HTTP server. Bytes out, bytes in, everything bounded.

One kept connection, prepared requests handed straight to the adapter: no proxy or credential of the environment
is read, no redirect is followed, TLS is verified. A request takes `timeout_s` in all, however slowly the answer
drips: a watchdog cuts the connection at the deadline, and `abort` does the same at once when the program ends.
"""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import connection, connectionpool
from urllib3.exceptions import HTTPError, NewConnectionError, SSLError
from urllib3.exceptions import TimeoutError as TimeoutException
from urllib3.response import BaseHTTPResponse
from urllib3.util import Timeout

from edge.cities.city import Request
from edge.cities.verdict import Answer

# An answer about one record is some hundred bytes.
ANSWER_MAX_BYTES = 1_000_000

# A TCP connection that takes longer has failed; the rest of `timeout_s` is for the answer.
CONNECT_MAX_S = 10.0

# A program that ends does not wait longer for a goodbye.
FAREWELL_S = 2.0

_CHUNK_BYTES = 65_536


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
        self._timeout = Timeout(connect=min(CONNECT_MAX_S, timeout_s), read=timeout_s)
        self._wire = _Wire()
        self._adapter = _Adapter(self._wire, ca_file or True, client_cert_file or None)
        self._known: dict[str, requests.PreparedRequest] = {}

    def post(self, request: Request) -> Answer:
        """Send and read the whole answer. Raises `TransportFault` and nothing else for what the network does."""
        prepared = self._prepared(request)
        self._wire.guard(self._timeout_s)
        try:
            answer = self._adapter.exchange(prepared, self._timeout)
            if self._wire.late or self._wire.aborted:
                raise TimeoutError("cut at the deadline")  # a cut may look like the end of a short answer
        except (requests.RequestException, HTTPError, OSError) as error:
            raise self._fault(error) from error
        else:
            return answer
        finally:
            self._wire.release()

    def _prepared(self, request: Request) -> requests.PreparedRequest:
        """An address is parsed and checked once: that is most of what preparing a request costs."""
        known = self._known.get(request.path)
        if known is None:
            headers = {"User-Agent": "parkbox", "Accept-Encoding": "identity"}
            known = requests.Request("POST", self._base_url + request.path, headers, data=b"-").prepare()
            self._known[request.path] = known
        known.headers.update(request.headers)
        known.headers["Content-Length"] = str(len(request.body))
        known.body = request.body
        return known

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
        if isinstance(error, SSLError):
            return TransportFault("TLS 证书或握手失败", "TLS failed", detail, sent=sent)
        if not sent:
            return TransportFault("连接不上市平台", "city not reachable", detail, sent=False)
        return TransportFault("连接中断", "connection cut", detail, sent=True)


def _bounded(response: BaseHTTPResponse) -> bytes:
    length = response.headers.get("Content-Length", "")
    if length.isdecimal() and int(length[:20]) > ANSWER_MAX_BYTES:
        raise _too_large()
    body = b""
    while chunk := response.read(_CHUNK_BYTES):  # the empty one after the last is where a cut answer is noticed
        body += chunk
        if len(body) > ANSWER_MAX_BYTES:
            raise _too_large()
    return body


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
    """One kept connection to one city, whose socket the wire knows; no retries of its own, no proxy. What is worked
    out of an address is worked out once, not in every request."""

    def __init__(self, wire: _Wire, verify: str | bool, cert: str | None) -> None:
        """`verify`: file of the only authorities that are believed, or True; `cert`: file of the box's own."""
        self._wire, self._verify, self._cert = wire, verify, cert
        self._pool: Any = None
        self._targets: dict[str, str] = {}
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pools(self._wire)

    def exchange(self, request: requests.PreparedRequest, timeout: Timeout) -> Answer:
        """As `send`, for the one thing that is needed: a status and a bounded body. No session's history, cookies,
        hooks or encodings are made for an answer that is JSON."""
        url = request.url or ""
        target = self._targets.get(url)
        if target is None:
            target = self._targets[url] = self.request_url(request, {})
        if self._pool is None:
            self._pool = self.get_connection_with_tls_context(request, verify=self._verify, cert=self._cert)
            self.cert_verify(self._pool, url, self._verify, self._cert)  # type: ignore[no-untyped-call]
        response = self._pool.urlopen(
            "POST", target, request.body, request.headers, retries=False, redirect=False, assert_same_host=False,
            timeout=timeout, preload_content=False, decode_content=False,
        )  # fmt: skip
        try:
            return Answer(response.status, _bounded(response))
        except BaseException:
            response.close()
            raise


def _pools(wire: _Wire) -> dict[str, Any]:
    """Pools whose connections tell the wire when they are made (TLS included) and when the first byte leaves. Head and
    body leave in one piece: one call, and no city that answers the head alone."""

    class Whole:
        held: bytearray | None = None
        sock: socket.socket | None

        def connect(self) -> None:
            super().connect()  # type: ignore[misc]
            wire.connected(self)  # type: ignore[arg-type]

        def request(self, *args: Any, **kwargs: Any) -> None:
            self.held = bytearray()
            try:
                super().request(*args, **kwargs)  # type: ignore[misc]
            finally:
                whole, self.held = self.held, None
            self.send(whole)

        def send(self, data: Any) -> None:
            if self.held is not None:
                self.held += data
                return
            if self.sock is None:
                self.connect()
            wire.sent = True
            super().send(data)  # type: ignore[misc]

    class Plain(Whole, connection.HTTPConnection): ...

    class Tls(Whole, connection.HTTPSConnection): ...

    class PlainPool(connectionpool.HTTPConnectionPool):
        ConnectionCls = Plain

    class TlsPool(connectionpool.HTTPSConnectionPool):
        ConnectionCls = Tls

    return {"http": PlainPool, "https": TlsPool}
