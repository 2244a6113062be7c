"""TCP link: the socket under `link_talk`. Connects, verifies, reads and writes; connects again with full jitter (SC72).

One thread owns the connection; another carries orders to the lane program, so that a heartbeat never waits for a disk.
Every wait ends by itself or by a byte on a pipe that wakes the owner.
"""

from __future__ import annotations

import logging
import queue
import select
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress

from edge.cities.clock import Clock, Jitter
from edge.cities.shenzhen.desk import OrderDesk
from edge.cities.shenzhen.link_talk import LinkSettings, LinkTalk, Push, State
from edge.cities.tls import client_context
from edge.config.shenzhen import Shenzhen, ShenzhenTcp
from edge.ports import LinkView

log = logging.getLogger("parkbox.shenzhen.tcp")

CONNECT_S = 10.0
READ_BYTES = 65_536

# Orders that wait for the lane program; more than a platform has under way within its 3 s.
ORDERS_MAX = 200

# An order is answered within 3 s or not at all, so nobody waits longer for the last ones at the end.
END_S = 3.0

# A refused login starts at this many failures (bound 32 s with the defaults).
REFUSED_FAILURES = 6

NAME = "shenzhen-tcp"


class TcpLink:
    """`start`, `stop` and `view` are for any thread."""

    def __init__(
        self,
        settings: Shenzhen,
        talk: LinkSettings,
        desk: OrderDesk,
        clock: Clock,
        random: Jitter,
        *,
        died: Callable[[BaseException], None],
        changed: Callable[[], None],
    ) -> None:
        """Raises `OSError` or `ssl.SSLError` for a `ca_file` that cannot be used."""
        assert settings.tcp is not None
        self._settings, self._tcp, self._talk_settings = settings, settings.tcp, talk
        self._desk, self._clock, self._random, self._died, self._changed = desk, clock, random, died, changed
        self._context = _context(settings, settings.tcp)
        self._stopping = threading.Event()
        self._wake_in, self._wake_out = socket.socketpair()
        self._wake_in.setblocking(False)
        self._wake_out.setblocking(False)
        self._orders: queue.Queue[tuple[LinkTalk, Push] | None] = queue.Queue(ORDERS_MAX)
        self._answers: queue.SimpleQueue[tuple[LinkTalk, Push, bytes]] = queue.SimpleQueue()
        self._online = False
        self._trouble = ("", "")
        self._last_ok_wall_ms = 0
        self._failures = 0
        self._refused = False
        self._line: socket.socket | None = None
        self._threads = [
            threading.Thread(target=self._guarded, args=(work,), name=name, daemon=True)
            for name, work in ((NAME, self._run), (f"{NAME}-orders", self._work))
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Log out (7.1.4.2.5), end."""
        self._stopping.set()
        self._wake()
        plain = self._line
        if plain is not None and not self._online:  # in a handshake that may take long
            with suppress(OSError):
                socket.socket.shutdown(plain, socket.SHUT_RDWR)
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()
        self._wake_in.close()
        self._wake_out.close()

    def view(self) -> LinkView:
        zh, en = self._trouble
        if self._online:
            zh, en = "TCP 在线", "TCP online"
        elif zh:
            zh, en = f"TCP 离线: {zh}", f"TCP offline: {en}"
        else:
            zh, en = "TCP 正在连接", "TCP connecting"
        return LinkView(NAME, self._online, zh, en, self._last_ok_wall_ms)

    @property
    def down(self) -> str:
        """Why it is down when it has been for more than one try, else ""."""
        return "" if self._online or self._failures < 2 else " / ".join(self._trouble)

    # --- threads -----------------------------------------------------------------------------------------------------

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            self._died(error)
            raise

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                before, self._refused = self._failures, False
                try:
                    if self._clock_is_true():
                        self._connection()
                except (OSError, ssl.SSLError, ValueError) as error:
                    self._trouble = _in_words(error)
                self._failures = 1 if self._online else before + 1
                if self._refused:  # an account must not be locked by our repetitions (SC69)
                    self._failures = max(self._failures, REFUSED_FAILURES)
                self._show(online=False)
                self._rest()
        finally:
            self._orders.put(None)

    def _clock_is_true(self) -> bool:
        """Certificates and timestamps mean nothing without a clock."""
        if self._clock.wall_is_true():
            return True
        self._trouble = ("等待校时", "waits for the clock")
        return False

    def _rest(self) -> None:
        bound_s = min(
            self._settings.reconnect_max_s, self._settings.reconnect_min_s * 2 ** min(self._failures - 1, 30)
        )
        self._stopping.wait(self._random.uniform(0.0, bound_s))

    def _connection(self) -> None:
        tcp = self._tcp
        with socket.create_connection((tcp.host, tcp.port), timeout=CONNECT_S) as plain:
            self._line = plain
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._context is None:
                self._converse(plain)
                return
            name = tcp.server_name or tcp.host
            with self._context.wrap_socket(plain, server_hostname=name, do_handshake_on_connect=False) as secure:
                self._line = secure
                secure.do_handshake()
                self._converse(secure)

    def _converse(self, line: socket.socket) -> None:
        clock = self._clock
        line.settimeout(CONNECT_S)
        talk = LinkTalk(self._talk_settings, clock.mono_s(), clock.wall_ms())
        while not talk.closed():
            if self._stopping.is_set() and talk.state in {State.LOGIN, State.ONLINE}:
                talk.leave(clock.mono_s(), clock.wall_ms())
            self._send_answers(talk)
            talk.tick(clock.mono_s(), clock.wall_ms())
            out = talk.to_send()
            if out:
                line.sendall(out)
            if talk.closed():
                break
            data = self._wait(line, max(0.0, talk.deadline_s - clock.mono_s()))
            if data is None:
                continue
            for each in talk.received(data, clock.mono_s()):
                self._ordered(talk, each)
            if talk.state is State.ONLINE:
                self._last_ok_wall_ms = clock.wall_ms()
                self._trouble = ("", "")
                self._show(online=True)
        self._trouble = talk.why
        self._refused = talk.refused
        log.info("link ended: %s", talk.why[1])

    def _wait(self, line: socket.socket, seconds: float) -> bytes | None:
        """Bytes, or None when the time is over or somebody woke us."""
        if not (isinstance(line, ssl.SSLSocket) and line.pending()):
            ready, _, _ = select.select([line, self._wake_in], [], [], seconds)
            if self._wake_in in ready:
                with suppress(BlockingIOError):
                    self._wake_in.recv(4096)
            if line not in ready:
                return None
        line.setblocking(False)  # readable may mean a session ticket or half a TLS record: no bytes for us
        try:
            return line.recv(READ_BYTES)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        finally:
            line.settimeout(CONNECT_S)

    def _ordered(self, talk: LinkTalk, push: Push) -> None:
        try:
            self._orders.put_nowait((talk, push))
        except queue.Full:
            self._desk.counts["orders dropped: too many wait"] += 1

    def _work(self) -> None:
        bare = self._tcp.content == "data"
        while (order := self._orders.get()) is not None:
            talk, push = order
            data = self._desk.handle(push.command, push.data, bare=True, welcome=push.welcome)
            self._answers.put((talk, push, _bare(data) if bare else data))
            self._wake()

    def _send_answers(self, talk: LinkTalk) -> None:
        while not self._answers.empty():
            of, push, data = self._answers.get()
            if of is talk:  # an order of a line that is gone: the platform asks again on the new one
                talk.answer(push, data)

    def _show(self, *, online: bool) -> None:
        if online != self._online:
            self._online = online
            self._changed()

    def _wake(self) -> None:
        with suppress(BlockingIOError, OSError):  # a full pipe wakes as well; a closed one has nobody to wake
            self._wake_out.send(b"w")


def _context(settings: Shenzhen, tcp: ShenzhenTcp) -> ssl.SSLContext | None:
    return client_context(settings.ca_file, settings.client_cert_file) if tcp.tls else None


def _in_words(error: Exception) -> tuple[str, str]:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"平台证书不可信: {error.verify_message}", f"the platform's certificate is not trusted: {error}"
    if isinstance(error, ssl.SSLError):
        return "TLS 握手失败", f"TLS failed: {error}"
    return "连接不上平台", f"not reachable: {error}"


def _bare(data: bytes) -> bytes:
    """SC61: the data list alone."""
    start = data.index(b'"data":') + len(b'"data":')
    return data[start:-1]
