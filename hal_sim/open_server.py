"""A threaded HTTP server of a simulator that can be stopped at any moment, also while its answers hang.

Threads are joined at the stop, so every open connection is known and can be cut to wake the thread behind it.
"""

from __future__ import annotations

import socket
import ssl
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

STOP_POLL_S = 0.02  # how late `stop` may be; 0.5 s is the library's own figure


class OpenServer(ThreadingHTTPServer):
    """On 127.0.0.1. `broke` is told a mistake of the simulator itself; `release` ends what its weather holds."""

    daemon_threads = False  # server_close waits for them: no thread outlives the server
    request_queue_size = 128

    def __init__(
        self,
        port: int,
        handler: type[BaseHTTPRequestHandler],
        *,
        broke: Callable[[BaseException], None],
        release: Callable[[], None],
    ) -> None:
        self.closing = threading.Event()
        self._broke, self._release = broke, release
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(("127.0.0.1", port), handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def end_connections(self) -> None:
        """Wake every handler: those that read see the end, those that hang are released and see `closing`."""
        self.closing.set()
        with self._open_lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:  # its client has left already: nothing waits there
                    continue
        self._release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if isinstance(error, ConnectionError | ssl.SSLError | TimeoutError):
            return  # a client that leaves in the middle, or refuses our certificate, is no mistake of ours
        self._broke(error if error is not None else RuntimeError("unknown"))
        super().handle_error(request, client_address)


class Running:
    """A server and the thread it runs in, from now until `stop`."""

    def __init__(self, server: OpenServer, name: str) -> None:
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": STOP_POLL_S}, name=name)
        self._thread.start()
        self.port = int(server.server_address[1])

    def stop(self) -> None:
        """Close every connection, also those that hang, and end every thread."""
        self._server.shutdown()
        self._thread.join()
        self._server.end_connections()
        self._server.server_close()
