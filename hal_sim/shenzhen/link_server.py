"""The TLS TCP port of the platform: accepts links and knows the one that is logged in."""

from __future__ import annotations

import socket
import ssl
import threading
import time

from hal_sim.shenzhen.link import HEARTBEAT_LIMIT_S, Link
from hal_sim.shenzhen.platform import Platform

HANDSHAKE_S = 10.0


class LinkServer:
    """`start` and `stop`; `newest` is the link that orders go over."""

    def __init__(self, platform: Platform, tls: ssl.SSLContext, limit_s: float = HEARTBEAT_LIMIT_S) -> None:
        self._platform, self._tls, self._limit_s = platform, tls, limit_s
        self._changed = threading.Condition()
        self._open: dict[socket.socket, Link | None] = {}  # None while TLS is being agreed
        self._threads: list[threading.Thread] = []
        self._newest: Link | None = None
        self._listening: socket.socket | None = None

    def start(self, port: int = 0) -> int:
        """Listen on 127.0.0.1 (0 = any free port) and return the port."""
        if self._listening is not None:
            raise RuntimeError("TCP 已启动 the link server runs already")
        self._listening = socket.create_server(("127.0.0.1", port))
        thread = threading.Thread(target=self._accept, args=(self._listening,), name="shenzhen-link")
        thread.start()
        self._threads.append(thread)
        return int(self._listening.getsockname()[1])

    def stop(self) -> None:
        """Close the port and every link, and end every thread."""
        if self._listening is None:
            return
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()
        with self._changed:
            threads, self._threads = self._threads, []
        for thread in threads:
            thread.join()
        self._listening = None

    def cut(self) -> None:
        """Close every link now."""
        with self._changed:
            open_now = list(self._open.items())
        for connection, link in open_now:
            if link is not None:
                link.close()
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:  # the box has left already
                continue

    @property
    def newest(self) -> Link | None:
        """The link that logged in last and stands, None without one."""
        with self._changed:
            return self._newest if self._newest is not None and self._newest.logged_in else None

    def wait_logged_in(self, timeout_s: float) -> Link | None:
        """Wait for a link that is logged in."""
        ends_s = time.monotonic() + timeout_s
        with self._changed:
            while (link := self._newest) is None or not link.logged_in:
                if not self._changed.wait(max(0.0, ends_s - time.monotonic())):
                    return None
            return link

    def _logged_in(self, link: Link) -> None:
        with self._changed:
            self._newest = link
            self._changed.notify_all()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:  # the port was closed
                return
            thread = threading.Thread(target=self._serve, args=(connection,), name="shenzhen-link-connection")
            with self._changed:
                self._threads = [one for one in self._threads if one.is_alive()]
                self._threads.append(thread)
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with self._changed:
            self._open[connection] = None
        with self._platform.lock:
            self._platform.link_counts["accepted"] += 1
        try:
            connection.settimeout(HANDSHAKE_S)
            # The dup keeps `connection` valid for `cut`, which must be able to wake this thread.
            with self._tls.wrap_socket(connection.dup(), server_side=True) as secured:
                link = Link(self._platform, self._limit_s, self._logged_in)
                with self._changed:
                    self._open[connection] = link
                link.run(secured)
        except (ssl.SSLError, OSError) as error:  # no TLS, or not ours: the box refuses us or is none
            self._platform.tell("link", f"TLS 失败 failed: {error}")
        except BaseException as error:
            self._platform.broke(error)
            raise
        finally:
            with self._changed:
                del self._open[connection]
            connection.close()
