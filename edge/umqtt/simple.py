"""`umqtt.simple`: one connection, calls that wait for their answer, and for no answer longer than `TIMEOUT`.

Interface of MicroPython's umqtt.simple 1.8: the same names, arguments and return values. Beyond it: QoS 2 works both
ways, `wait_msg` and `check_msg` send the pings that `keepalive` promises, a silent link is an `OSError` before 1.5
times `keepalive` are over, and `stop` ends a waiting call from another thread.
"""

from . import packets
from .packets import MQTTException
from .stream import Stream, ticks_add, ticks_diff, ticks_ms, timed_out

TYPE_CHECKING = False
if TYPE_CHECKING:  # MicroPython has no typing
    import socket
    from collections.abc import Callable

__all__ = ["MQTTClient", "MQTTException"]


class MQTTClient:
    """`cb(topic: bytes, msg: bytes)` is called from `wait_msg`, `check_msg`, and any call that waits for an answer. It
    may publish; what it raises comes out of that call, and its message stays unacknowledged. One thread uses a client:
    only `stop` is for others."""

    TIMEOUT = 10  # type: float
    """Seconds that an answer of the broker may take (connection, acknowledgement, the rest of a packet)."""

    BYTES_MAX = 1_000_000
    """Largest packet that is taken; a larger one ends the connection before it is read."""

    def __init__(  # noqa: PLR0917 - the order of umqtt.simple's arguments
        self,
        client_id: bytes | str,
        server: str,
        port: int = 0,
        user: bytes | str | None = None,
        password: bytes | str | None = None,
        keepalive: int = 0,
        ssl: object = None,
        ssl_params: "dict[str, object] | None" = None,
    ) -> None:
        """`ssl`: an SSLContext, or True for a verifying one. Port 0: 1883, with TLS 8883. `keepalive` in s, 0: none."""
        self.client_id = client_id
        self.server = server
        self.port = port or (8883 if ssl else 1883)
        self.ssl = ssl
        self.ssl_params = ssl_params or {}
        self.pid = 0
        self.cb = None  # type: Callable[[bytes, bytes], object] | None
        self.user = user
        self.pswd = password
        self.keepalive = keepalive
        self.lw_topic = None  # type: bytes | str | None
        self.lw_msg = None  # type: bytes | str | None
        self.lw_qos = 0
        self.lw_retain = False
        self._stream = Stream(self.BYTES_MAX)
        self._timeout_ms = round(self.TIMEOUT * 1000)
        self._sent_ms = 0
        self._pinged_ms = None  # type: int | None
        self._answers = {}  # type: dict[int, tuple[int, int]]
        """Packet id -> (kind of answer that is awaited, kind or SUBACK code that came; -1 = none yet)."""
        self._received = set()  # type: set[int]
        """Ids of QoS 2 messages delivered and not yet released by the broker (4.3.3, method A)."""

    @property
    def sock(self) -> "socket.socket | None":
        """The socket for poll(); its blocking mode is ours."""
        return self._stream.sock

    def set_callback(self, f: "Callable[[bytes, bytes], object]") -> None:
        self.cb = f

    def set_last_will(self, topic: bytes | str, msg: bytes | str, retain: bool = False, qos: int = 0) -> None:
        if not topic:
            raise ValueError("last will topic: must not be empty")
        _check_qos(qos)
        self.lw_topic, self.lw_msg, self.lw_qos, self.lw_retain = topic, msg, qos, retain

    def connect(self, clean_session: bool = True, timeout: float | None = None) -> bool:
        """Whether the broker kept a session. `timeout` in seconds replaces TIMEOUT for this connection.

        Raises `OSError` when there is no connection, `MQTTException(code)` when the broker refuses (3.2.2.3).
        """
        within_ms = round((self.TIMEOUT if timeout is None else timeout) * 1000)
        self._limit_answers(within_ms)
        self._pinged_ms = None
        self._answers.clear()
        if clean_session:
            self._received.clear()
        will = None
        if self.lw_topic is not None:
            will = (self.lw_topic, self.lw_msg or b"", self.lw_qos, self.lw_retain)
        hello = packets.connect(self.client_id, clean_session, self.keepalive, will, self.user, self.pswd)
        due_ms = ticks_add(ticks_ms(), within_ms)
        self._stream.dial(self.server, self.port, self.ssl, self.ssl_params, within_ms)
        self._send(hello)
        taken = None
        while taken is None:
            taken = self._stream.take()
            if taken is None:
                self._rest(due_ms, due_ms, "no CONNACK")
        first, body = taken
        if first != packets.CONNACK:
            raise self._broken("packet type " + str(first >> 4) + " before CONNACK (MQTT-3.2.0-1)")
        flags, code = body[0], body[1]
        if flags > 1 or code > 5 or (code and flags) or (flags and clean_session):
            raise self._broken("CONNACK " + str(flags) + " " + str(code) + " (3.2.2)")
        if code:
            self._stream.close()
            raise MQTTException(code)
        if not flags:
            self._received.clear()
        return bool(flags)

    def disconnect(self) -> None:
        self._send(packets.BYE)
        self._stream.close()

    def stop(self) -> None:
        """From any thread or a signal handler: within a second the call under way, and every later one, ends with
        `OSError` (ECONNABORTED). Nothing is said to the broker, so the last will is published. For good: make a new
        client to go on. Only the resolution of a name and, on MicroPython, `connect` end in their own time."""
        self._stream.stopped = True

    def ping(self) -> None:
        """Its answer is watched for by every later call; none within TIMEOUT ends the connection."""
        self._send(packets.PING)
        if self._pinged_ms is None:
            self._pinged_ms = self._sent_ms

    def publish(self, topic: bytes | str, msg: bytes | str, retain: bool = False, qos: int = 0) -> None:
        """QoS 1 and 2 return when the broker has it. `OSError` when that is not known: it may or may not have it.

        Without an answer it is sent once more, with DUP, after half of TIMEOUT (4.4 leaves that to the sender).
        """
        if qos == 1:
            pid = self._next_pid()
            self._ask(packets.publish(topic, msg, retain, 1, pid), pid, packets.PUBACK)
            return
        _check_qos(qos)
        self._publish(topic, msg, retain, qos, self._next_pid() if qos else 0, False)

    def subscribe(self, topic: bytes | str, qos: int = 0) -> None:
        """Returns when granted; `MQTTException(128)` when refused (3.9.3). The broker may grant a lower QoS."""
        _check_qos(qos)
        if self.cb is None:
            raise ValueError("set_callback: must be called before subscribe")
        pid = self._next_pid()
        packet = packets.subscribe(topic, qos, pid)
        code = self._ask(packet, pid, packets.SUBACK)
        if code == 0x80:
            raise MQTTException(code)

    def unsubscribe(self, topic: bytes | str) -> None:
        pid = self._next_pid()
        self._ask(packets.unsubscribe(topic, pid), pid, packets.UNSUBACK)

    def wait_msg(self) -> int | None:
        """Wait for one packet and deliver it: its first byte with the flags, None for the answer to a ping."""
        while True:
            taken = self._stream.take()
            if taken is not None:
                return self._handle(*taken)
            self._rest(None, None, "")

    def check_msg(self) -> int | None:
        """As `wait_msg`, but None at once when no whole packet is here."""
        taken = self._stream.take()
        if taken is not None:
            return self._handle(*taken)
        self._duties(ticks_ms())
        return None

    # --- within ---------------------------------------------------------------------------------------------------

    def _send(self, packet: bytes) -> None:
        self._stream.send(packet, self._timeout_ms)
        self._sent_ms = ticks_ms()

    def _limit_answers(self, within_ms: int) -> None:
        """With a ping after 0.75 of `keepalive`, silence so ends within 1.25 of it."""
        self._timeout_ms = min(within_ms, self.keepalive * 500) if self.keepalive else within_ms

    def _next_pid(self) -> int:
        """1..65535, round and round, none that is still under way (2.3.1)."""
        pid = self.pid  # a user may have set it
        while True:
            pid = pid % 0xFFFF + 1
            if pid not in self._answers:
                self.pid = pid
                return pid

    def _publish(  # noqa: PLR0917 - as publish
        self, topic: bytes | str, msg: bytes | str, retain: bool, qos: int, pid: int, dup: bool
    ) -> None:
        packet = packets.publish(topic, msg, retain, qos, pid, dup)
        if qos == 0:
            self._send(packet)
        elif qos == 1:
            self._ask(packet, pid, packets.PUBACK)
        else:
            self._ask(packet, pid, packets.PUBREC)
            self._release(pid)

    def _release(self, pid: int) -> None:
        self._ask(packets.acknowledge(packets.PUBREL, pid), pid, packets.PUBCOMP)

    def _ask(self, packet: bytes, pid: int, kind: int) -> int:
        """Send, then handle what comes until the answer to `pid` is there; its code (SUBACK), else 0."""
        stream = self._stream
        self._send(packet)
        sent_ms = self._sent_ms
        if not stream.tls and not stream.partial:
            stream.wait(self._timeout_ms)  # the answer cannot be here yet: spare the look
        taken = stream.take()
        if taken is not None and taken[0] == kind and taken[1] == pid.to_bytes(2, "big"):
            return 0  # nearly always; what follows comes to the same at twice the price
        answers = self._answers
        answers[pid] = (kind, -1)
        try:
            due_ms = ticks_add(sent_ms, self._timeout_ms)
            repeat_ms = ticks_add(sent_ms, self._timeout_ms // 2)
            once = packet[0] & 0xF0 == packets.PUBLISH
            while True:
                if taken is not None:
                    self._handle(*taken)
                    code = answers.get(pid, (kind, -1))[1]
                    if code >= 0:
                        return code
                elif once and ticks_diff(repeat_ms, ticks_ms()) <= 0:
                    once = False
                    self._send(bytes((packet[0] | packets.DUP,)) + packet[1:])
                else:
                    self._rest(repeat_ms if once else due_ms, due_ms, "no answer to packet " + str(pid))
                taken = stream.take()
        finally:
            answers.pop(pid, None)

    def _rest(self, wake_ms: int | None, due_ms: int | None, what: str) -> None:
        """Wait for bytes until `wake_ms`, with the duties of the connection meanwhile; `OSError` at `due_ms`."""
        now_ms = ticks_ms()
        wait_ms = self._duties(now_ms)
        if due_ms is not None and ticks_diff(due_ms, now_ms) <= 0:
            self._stream.close()
            raise timed_out(what)
        if wake_ms is not None:
            wait_ms = min(wait_ms, max(1, ticks_diff(wake_ms, now_ms)))
        self._stream.wait(wait_ms)

    def _duties(self, now_ms: int) -> int:
        """Ping when due, and notice silence. Milliseconds until there is something to do again."""
        wait_ms = 60_000
        if self._stream.partial:
            left_ms = self._timeout_ms - ticks_diff(now_ms, self._stream.begun_ms)
            if left_ms <= 0:
                self._stream.close()
                raise timed_out("half a packet")
            wait_ms = left_ms
        if self._pinged_ms is not None:
            left_ms = self._timeout_ms - ticks_diff(now_ms, self._pinged_ms)
            if left_ms <= 0:
                self._stream.close()
                raise timed_out("no answer to the ping")
            wait_ms = min(wait_ms, left_ms)
        elif self.keepalive:
            left_ms = self.keepalive * 750 - ticks_diff(now_ms, self._sent_ms)
            if left_ms <= 0:
                self.ping()
                left_ms = self._timeout_ms
            wait_ms = min(wait_ms, left_ms)
        return wait_ms

    def _handle(self, first: int, body: bytes) -> int | None:
        """One whole packet from the broker."""
        kind = first & 0xF0
        try:
            if kind == packets.PUBLISH:
                self._deliver(first, body)
            elif kind == packets.PINGRESP:
                self._pinged_ms = None
                return None
            elif kind == packets.CONNACK:
                raise MQTTException("a second CONNACK (MQTT-3.2.0-1)")
            else:
                self._answer(kind, packets.check_pid(body[0] << 8 | body[1]), body)
        except MQTTException:
            self._stream.close()
            raise
        return first

    def _deliver(self, first: int, body: bytes) -> None:
        topic, msg, pid = packets.message(first, body)
        if self.cb is None:
            raise MQTTException("a message, and nothing was subscribed")
        qos = first & 0x06
        if qos == 4:
            if pid not in self._received:
                self.cb(topic, msg)
                self._received.add(pid)
            self._send(packets.acknowledge(packets.PUBREC, pid))
            return
        self.cb(topic, msg)
        if qos:
            self._send(packets.acknowledge(packets.PUBACK, pid))

    def _answer(self, kind: int, pid: int, body: bytes) -> None:
        if kind == packets.PUBREL:
            self._received.discard(pid)
            self._send(packets.acknowledge(packets.PUBCOMP, pid))
            return
        code = body[2] if kind == packets.SUBACK else 0
        if kind == packets.SUBACK and code not in (0, 1, 2, 0x80):
            raise MQTTException("SUBACK with code " + str(code) + " (MQTT-3.9.3-2)")
        awaited = self._answers.get(pid)
        if awaited is not None and awaited[0] == kind:
            self._answers[pid] = (kind, code)
        elif kind == packets.PUBREC:
            # Not ours any more (a session of before): the broker waits for this to forget it (4.3.3).
            self._send(packets.acknowledge(packets.PUBREL, pid))

    def _broken(self, how: str) -> MQTTException:
        self._stream.close()
        return MQTTException(how)


def _check_qos(qos: int) -> None:
    if qos not in (0, 1, 2):
        raise ValueError("qos: " + str(qos) + " is not allowed, 0, 1 or 2 is")
