"""`umqtt.robust`: `umqtt.simple` that connects again by itself. Interface of MicroPython's umqtt.robust 1.0.

A message of QoS 1 or 2 that was under way is sent again with its id and DUP; subscriptions are made again when the
broker has kept no session. A call gives up with `OSError` after PATIENCE: then the message is the caller's again.
"""

import random
import time

from . import packets, simple
from .stream import SLICE_MS, ticks_add, ticks_diff, ticks_ms

__all__ = ["MQTTClient"]

UNAVAILABLE = 3
"""CONNACK code "server unavailable" (3.2.2.3): the only refusal that passes by itself."""


class MQTTClient(simple.MQTTClient):
    DELAY = 2  # type: float
    """Seconds before the second attempt; doubled up to DELAY_MAX, each time a random part of it (full jitter)."""

    DELAY_MAX = 60  # type: float
    DEBUG = False
    PATIENCE = None  # type: float | None
    """Seconds after which a call gives up; None: 1.4 times `keepalive`, or 60 without one."""

    def __init__(self, *args: "object", **settings: "object") -> None:
        super().__init__(*args, **settings)  # type: ignore[arg-type]
        self._topics = {}  # type: dict[bytes, int]
        self._clean = False
        """What `connect` was asked for: a session that was to be clean is not left behind at the broker."""
        self._attempts = 0
        self._next_ms = 0
        """When the next attempt to connect is allowed; means something while `_attempts`."""
        self._up_ms = None  # type: int | None
        """When the connection was made that was last there; None once its loss is known."""

    def delay(self, i: int) -> None:
        """Before attempt `i` + 1; shorter once stopped."""
        due_ms = ticks_add(ticks_ms(), self._pause_ms(i))
        while not self._stream.stopped:
            left_ms = ticks_diff(due_ms, ticks_ms())
            if left_ms <= 0:
                return
            time.sleep(min(left_ms, SLICE_MS) / 1000)

    def log(self, in_reconnect: bool, e: Exception) -> None:
        if self.DEBUG:
            print("mqtt reconnect:" if in_reconnect else "mqtt:", repr(e))

    def reconnect(self) -> bool:
        """Connect as before, however long it takes. Whether the broker kept the session."""
        i = 0
        while True:
            try:
                return self._resume()
            except OSError as error:
                self.log(True, error)
                if self._stream.stopped:
                    raise
            i += 1
            self.delay(i)

    def connect(self, clean_session: bool = True, timeout: float | None = None) -> bool:
        self._clean = clean_session
        kept = super().connect(clean_session, timeout)
        self._attempts = 0
        self._up_ms = ticks_ms()
        return kept

    def disconnect(self) -> None:
        self._topics.clear()
        super().disconnect()

    def subscribe(self, topic: bytes | str, qos: int = 0) -> None:
        super().subscribe(topic, qos)
        self._topics[topic.encode() if isinstance(topic, str) else bytes(topic)] = qos

    def unsubscribe(self, topic: bytes | str) -> None:
        self._topics.pop(topic.encode() if isinstance(topic, str) else bytes(topic), None)
        super().unsubscribe(topic)

    def publish(self, topic: bytes | str, msg: bytes | str, retain: bool = False, qos: int = 0) -> None:
        simple._check_qos(qos)
        pid = self._next_pid() if qos else 0
        due_ms = ticks_add(ticks_ms(), self._patience_ms())
        dup = False
        while True:
            usual_ms = self._timeout_ms
            self._timeout_ms = max(1, min(usual_ms, ticks_diff(due_ms, ticks_ms())))
            try:
                if self.sock is not None and not qos:
                    self._notice_end()
                return self._publish(topic, msg, retain, qos, pid, dup)
            except (OSError, simple.MQTTException) as error:
                self.log(False, error)
                dup = True
                self._return(due_ms, error)
                usual_ms = self._timeout_ms
            finally:
                self._timeout_ms = usual_ms

    def wait_msg(self) -> int | None:
        """PATIENCE begins anew with each loss."""
        while True:
            try:
                return super().wait_msg()
            except (OSError, simple.MQTTException) as error:
                self.log(False, error)
                self._return(ticks_add(ticks_ms(), self._patience_ms()), error)

    def check_msg(self, attempts: int = 2) -> int | None:
        """Never sleeps: while the link is away it makes one attempt to connect when the time for one has come."""
        while attempts:
            try:
                if self.sock is not None:
                    return super().check_msg()
            except (OSError, simple.MQTTException) as error:
                self.log(False, error)
                if self._stream.stopped:
                    raise
            if self._attempts and ticks_diff(self._next_ms, ticks_ms()) > 0:
                return None
            try:
                self._resume()
            except OSError as error:
                self.log(True, error)
                if self._stream.stopped:
                    raise
                return None
            attempts -= 1
        return None

    # --- within ---------------------------------------------------------------------------------------------------

    def _patience_ms(self) -> int:
        if self.PATIENCE is not None:
            return round(self.PATIENCE * 1000)
        return self.keepalive * 1400 or 60_000

    def _pause_ms(self, attempt: int) -> int:
        most_s = min(float(self.DELAY_MAX), float(self.DELAY) * (1 << min(attempt - 1, 10)))
        return round(random.random() * most_s * 1000)

    def _notice_end(self) -> None:
        """A message of QoS 0 into a closed connection is lost without a word: look first what the broker has said."""
        super().check_msg()

    def _return(self, due_ms: int, error: Exception) -> None:
        """Back on line, or `error` once `due_ms` has come."""
        self._stream.close()
        while True:
            left_ms = ticks_diff(due_ms, ticks_ms())
            self._stream.heed()
            if left_ms <= 0:
                raise error
            wait_ms = ticks_diff(self._next_ms, ticks_ms()) if self._attempts else 0
            if wait_ms > 0:
                time.sleep(min(wait_ms, left_ms, SLICE_MS) / 1000)
                continue
            try:
                self._resume(left_ms / 1000)
            except OSError as again:
                self.log(True, again)
            else:
                return

    def _resume(self, within_s: float | None = None) -> bool:
        """One attempt: connect, and subscribe again when the session is gone. Only `OSError` says that it may be tried
        again; a refusal that will not pass is an `MQTTException`."""
        if self._up_ms is not None:
            lasted_ms = ticks_diff(ticks_ms(), self._up_ms)
            if not 0 <= lasted_ms < self.DELAY_MAX * 1000:  # below 0: MicroPython's counter has gone round
                self._attempts = 0
            self._up_ms = None
        self._attempts += 1
        self._next_ms = ticks_add(ticks_ms(), self._pause_ms(self._attempts))
        timeout = self.TIMEOUT if within_s is None else min(self.TIMEOUT, within_s)
        attempts = self._attempts
        try:
            kept = self.connect(self._clean, timeout)
            self._attempts = attempts  # one that is lost at once must not be followed by another at once
            self._limit_answers(round(self.TIMEOUT * 1000))  # not what was left for connecting
            if not kept:
                for topic, qos in tuple(self._topics.items()):
                    super().subscribe(topic, qos)
        except simple.MQTTException as refusal:
            self._attempts = attempts
            if refusal.args[0] == UNAVAILABLE or not isinstance(refusal.args[0], int):
                raise OSError(packets.CONNACK, str(refusal)) from refusal
            raise
        except OSError:
            self._attempts = attempts
            raise
        return kept
