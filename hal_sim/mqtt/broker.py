"""A broker on 127.0.0.1 that lives inside a simulated platform: QoS 1 both ways, sessions that outlive their lines.

A thread a connection. The platform publishes with `publish` and hears of every message through `heard`. Weather:
`cut` breaks every line, `deaf` lets messages in and tells nobody that they came, neither client nor platform.
"""

from __future__ import annotations

import socket
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from hal_sim.mqtt import wire

FIRST_PACKET_S = 10.0  # 3.1.4: a client that sends no CONNECT in reasonable time is hung up on

BAD_LOGIN = 4  # 3.2.2.3


@dataclass(slots=True)
class Session:
    """What the broker keeps of a client (4.1)."""

    topics: dict[str, int] = field(default_factory=dict)
    unacknowledged: OrderedDict[int, tuple[str, bytes, bool]] = field(default_factory=OrderedDict)
    """Packet id -> topic, payload, sent before."""
    last_number: int = 0
    line: socket.socket | None = None


class Broker:
    """`start`, `stop`, `publish`, `cut` are for any thread; `heard(user, topic, payload)` comes from a client's."""

    def __init__(
        self,
        may_enter: Callable[[str, str, str], bool],
        heard: Callable[[str, str, bytes], None],
        broke: Callable[[BaseException], None],
    ) -> None:
        """`may_enter`: client id, user, password. `broke` is told a mistake of the simulator itself."""
        self._may_enter, self._heard, self._broke = may_enter, heard, broke
        self._lock = threading.Condition()
        self._sessions: dict[str, Session] = {}
        self._lines: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listening: socket.socket | None = None
        self.deaf = False
        self.violations: list[str] = []

    def start(self, port: int = 0) -> int:
        """The port (0: any free one)."""
        self._listening = socket.create_server(("127.0.0.1", port))
        self._begin(self._accept, self._listening)
        return int(self._listening.getsockname()[1])

    def stop(self) -> None:
        if self._listening is None:
            return
        listening, self._listening = self._listening, None
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        self.cut()
        with self._lock:
            threads, self._threads = self._threads, []
        for thread in threads:
            thread.join()

    def cut(self) -> None:
        """Break every line now; sessions stay."""
        with self._lock:
            lines = list(self._lines)
        for line in lines:
            try:
                line.shutdown(socket.SHUT_RDWR)
            except OSError:  # its client has left already
                continue

    def publish(self, topic: str, payload: bytes) -> int:
        """To everybody who subscribed; how many that are. Those away get it when they come back (4.4)."""
        with self._lock:
            sessions = [session for session in self._sessions.values() if topic in session.topics]
            for session in sessions:
                session.last_number = session.last_number % 0xFFFF + 1
                session.unacknowledged[session.last_number] = (topic, payload, False)
                self._deliver(session)
        return len(sessions)

    def waiting(self) -> int:
        """Messages that no client has acknowledged."""
        with self._lock:
            return sum(len(session.unacknowledged) for session in self._sessions.values())

    def wait_subscribed(self, topic: str, within_s: float) -> bool:
        """Whether somebody who is on line takes `topic`, as soon as somebody does."""
        with self._lock:
            return self._lock.wait_for(
                lambda: any(topic in each.topics and each.line is not None for each in self._sessions.values()),
                within_s,
            )

    # --- within ------------------------------------------------------------------------------------------------------

    def _begin(self, work: Callable[[socket.socket], None], line: socket.socket) -> None:
        thread = threading.Thread(target=work, args=(line,), name="sim-broker")
        with self._lock:
            self._threads.append(thread)
        thread.start()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                line, _ = listening.accept()
            except OSError:
                return  # stopped
            with self._lock:
                if self._listening is None:
                    line.close()
                    return
                self._lines.add(line)
            self._begin(self._guarded, line)

    def _guarded(self, line: socket.socket) -> None:
        try:
            self._serve(line)
        except wire.Broken as broken:
            self.violations.append(str(broken))
        except OSError:
            pass  # why: a line that breaks is what clients do; the session stays
        except BaseException as error:
            self._broke(error)
            raise
        finally:
            with self._lock:
                self._lines.discard(line)
                for session in self._sessions.values():
                    if session.line is line:
                        session.line = None
                line.close()

    def _serve(self, line: socket.socket) -> None:
        line.settimeout(FIRST_PACKET_S)
        first = wire.read_packet(line)
        if first is None:
            return
        if first[0] != wire.CONNECT:
            raise wire.Broken("the first packet must be CONNECT (MQTT-3.1.0-1)")
        hello = wire.read_hello(first[2])
        if not self._may_enter(hello.client_id, hello.user, hello.password):
            line.sendall(wire.connack(False, BAD_LOGIN))
            return
        line.settimeout(hello.keepalive_s * 1.5 or None)  # 3.1.2.10
        session = self._enter(hello, line)
        while (packet := wire.read_packet(line)) is not None and packet[0] != wire.DISCONNECT:
            self._packet(session, hello.user, line, *packet)
        if hello.clean:
            with self._lock:
                self._sessions.pop(hello.client_id, None)

    def _enter(self, hello: wire.Hello, line: socket.socket) -> Session:
        with self._lock:
            kept = self._sessions.get(hello.client_id)
            if kept is not None and kept.line is not None:  # MQTT-3.1.4-2: the older one is hung up on
                kept.line.shutdown(socket.SHUT_RDWR)
                kept.line = None
            session = kept if kept is not None and not hello.clean else Session()
            self._sessions[hello.client_id] = session
            line.sendall(wire.connack(session is kept, 0))
            session.line = line
            for number, (topic, payload, _) in list(session.unacknowledged.items()):
                line.sendall(wire.publish(topic, payload, number, again=True))
                session.unacknowledged[number] = (topic, payload, True)
            self._lock.notify_all()
        return session

    def _packet(  # noqa: PLR0917 - one packet of one client
        self, session: Session, user: str, line: socket.socket, kind: int, flags: int, body: bytes
    ) -> None:
        if kind == wire.PUBLISH:
            message = wire.read_message(flags, body)
            if self.deaf:
                return
            self._heard(user, message.topic, message.payload)
            if message.qos:
                self._send(line, wire.ack(0x40, message.number))
        elif kind == wire.PUBACK:
            with self._lock:
                session.unacknowledged.pop(wire.read_number(body), None)
                self._lock.notify_all()
        elif kind in (wire.SUBSCRIBE, wire.UNSUBSCRIBE):
            self._topics(session, line, kind, *wire.read_topics(kind, flags, body))
        elif kind == wire.PINGREQ:
            self._send(line, wire.PINGRESP)
        else:
            raise wire.Broken(f"packet type {kind} from a client")

    def _topics(
        self, session: Session, line: socket.socket, kind: int, number: int, topics: list[tuple[str, int]]
    ) -> None:
        with self._lock:
            if kind == wire.UNSUBSCRIBE:
                for topic, _ in topics:
                    session.topics.pop(topic, None)
                line.sendall(wire.ack(0xB0, number))
                return
            codes = bytes(0x80 if "+" in topic or "#" in topic else min(qos, 1) for topic, qos in topics)
            session.topics.update({topic: code for (topic, _), code in zip(topics, codes, strict=True) if code != 0x80})
            line.sendall(wire.ack(0x90, number, codes))
            self._lock.notify_all()

    def _deliver(self, session: Session) -> None:
        """The newest message of a session, if its client is there. Under the lock."""
        number, (topic, payload, _) = next(reversed(session.unacknowledged.items()))
        if session.line is None:
            return
        try:
            session.line.sendall(wire.publish(topic, payload, number, again=False))
        except OSError:
            return  # it stays unacknowledged, and its client gets it when it is back
        session.unacknowledged[number] = (topic, payload, True)

    def _send(self, line: socket.socket, packet: bytes) -> None:
        with self._lock:
            line.sendall(packet)
