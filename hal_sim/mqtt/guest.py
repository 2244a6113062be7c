"""The simulated platform at a broker that is not ours: one line to mosquitto, orders out, the box's replies in.

It stands where `Broker` stands in a platform: `start`, `stop`, `publish`, and `heard` for what comes. QoS 1 both ways.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

from hal_sim.mqtt import wire

WITHIN_S = 10.0
PINGLESS = 0
"""No keepalive: nobody cuts a line on 127.0.0.1, and there is one thing less to go wrong in the simulator."""


class Guest:
    """`publish` is for any thread; `heard(user, topic, payload)` comes from the guest's own."""

    def __init__(
        self, user: str, heard: Callable[[str, str, bytes], None], broke: Callable[[BaseException], None]
    ) -> None:
        """`user`: whose topics they are. `broke` is told a line that ends before `stop`."""
        self._user, self._heard, self._broke = user, heard, broke
        self._lock = threading.Lock()
        self._last_number = 0
        self._stopping = False
        self._line: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def start(self, port: int, name: str, password: str, topic: str) -> None:
        """Take `topic`. Raises `OSError` or `wire.Broken` when the broker does not have it so."""
        line = socket.create_connection(("127.0.0.1", port), WITHIN_S)
        try:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line.sendall(wire.connect(f"city-{name}", name, password, PINGLESS))
            _expect(line, wire.CONNACK, b"\x00\x00")
            line.sendall(wire.subscribe(topic, 1))
            _expect(line, wire.SUBACK, b"\x00\x01\x01")
        except BaseException:
            line.close()
            raise
        line.settimeout(None)
        self._line = line
        self._thread = threading.Thread(target=self._run, args=(line,), name="sim-guest")
        self._thread.start()

    def stop(self) -> None:
        """Again is harmless."""
        line, self._line = self._line, None
        if line is None or self._thread is None:
            return
        self._stopping = True
        line.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        line.close()

    def publish(self, topic: str, payload: bytes) -> None:
        """Raises `OSError` when the broker has gone."""
        with self._lock:
            if self._line is None:
                raise ConnectionError("the line to the broker is not open")
            self._last_number = self._last_number % 0xFFFF + 1
            self._line.sendall(wire.publish(topic, payload, self._last_number, again=False))

    def _run(self, line: socket.socket) -> None:
        try:
            while (packet := wire.read_packet(line)) is not None:
                kind, flags, body = packet
                if kind == wire.PUBLISH:
                    message = wire.read_message(flags, body)
                    self._heard(self._user, message.topic, message.payload)
                    if message.qos:
                        with self._lock:
                            line.sendall(wire.ack(0x40, message.number))
                elif kind != wire.PUBACK:
                    raise wire.Broken(f"packet type {kind} from a broker")
            if not self._stopping:
                raise ConnectionError("the broker has closed the line")
        except OSError as error:
            if not self._stopping:
                self._broke(error)
        except BaseException as error:
            self._broke(error)
            raise


def _expect(line: socket.socket, kind: int, body: bytes) -> None:
    packet = wire.read_packet(line)
    if packet is None or packet[0] != kind or packet[2] != body:
        raise wire.Broken(f"the broker answers {packet}, not type {kind} with {body!r}")
