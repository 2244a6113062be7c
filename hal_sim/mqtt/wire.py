"""MQTT 3.1.1 packets as a broker and a platform need them: bytes in, fields out. Strict: what is wrong raises.

Clause numbers are those of the OASIS standard of 2014. Of QoS 2, wildcards and wills nothing is here: no platform that
is simulated needs them, and a client that uses one is told so.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, UNSUBSCRIBE, PINGREQ, DISCONNECT = 1, 2, 3, 4, 8, 9, 10, 12, 14
PACKET_MAX = 1_000_000

PINGRESP = b"\xd0\x00"


class Broken(Exception):
    """The client broke the protocol: the connection is closed (4.8)."""


@dataclass(frozen=True, slots=True)
class Hello:
    """CONNECT (3.1)."""

    client_id: str
    clean: bool
    keepalive_s: int
    user: str
    password: str


@dataclass(frozen=True, slots=True)
class Message:
    """PUBLISH (3.3). `number` 0 with QoS 0."""

    topic: str
    payload: bytes
    qos: int
    number: int


class Fields:
    """The inside of one packet, read from its beginning."""

    def __init__(self, body: bytes) -> None:
        self._body, self._at = body, 0

    def take(self, count: int) -> bytes:
        piece = self._body[self._at : self._at + count]
        if len(piece) != count:
            raise Broken("packet too short")
        self._at += count
        return piece

    def number(self) -> int:
        return int.from_bytes(self.take(2), "big")

    def text(self) -> str:
        try:
            return self.take(self.number()).decode("utf-8")
        except UnicodeDecodeError as error:
            raise Broken("text is not UTF-8 (1.5.3)") from error

    def rest(self) -> bytes:
        return self.take(len(self._body) - self._at)

    @property
    def done(self) -> bool:
        return self._at == len(self._body)


def read_packet(line: socket.socket) -> tuple[int, int, bytes] | None:
    """Type, flags and body; None when the client has closed between two packets."""
    head = line.recv(1)
    if not head:
        return None
    length, shift = 0, 0
    while True:
        (byte,) = _exactly(line, 1)
        length |= (byte & 0x7F) << shift
        if not byte & 0x80:
            break
        shift += 7
        if shift > 21:
            raise Broken("remaining length has more than 4 bytes (2.2.3)")
    if length > PACKET_MAX:
        raise Broken(f"packet of {length} bytes")
    return head[0] >> 4, head[0] & 0x0F, _exactly(line, length)


def read_hello(body: bytes) -> Hello:
    fields = Fields(body)
    if fields.text() != "MQTT" or fields.take(1) != b"\x04":
        raise Broken("not MQTT 3.1.1 (3.1.2)")
    (flags,) = fields.take(1)
    if flags & 0x01:
        raise Broken("reserved flag is set (MQTT-3.1.2-3)")
    if flags & 0x3C:
        raise Broken("a will is not simulated")
    if not flags & 0x80 and flags & 0x40:
        raise Broken("a password without a user (MQTT-3.1.2-22)")
    keepalive_s = fields.number()
    client_id = fields.text()
    user = fields.text() if flags & 0x80 else ""
    password = fields.text() if flags & 0x40 else ""
    if not fields.done:
        raise Broken("CONNECT is too long")
    clean = bool(flags & 0x02)
    if not client_id and not clean:
        raise Broken("no client id and no clean session (MQTT-3.1.3-7)")
    return Hello(client_id, clean, keepalive_s, user, password)


def read_message(flags: int, body: bytes) -> Message:
    qos = flags >> 1 & 3
    if qos > 1:
        raise Broken("QoS 2 is not simulated")
    if qos == 0 and flags & 8:
        raise Broken("DUP with QoS 0 (MQTT-3.3.1-2)")
    fields = Fields(body)
    topic = fields.text()
    if not topic or "+" in topic or "#" in topic:
        raise Broken(f"topic {topic!r} (MQTT-3.3.2-2)")
    number = _packet_id(fields) if qos else 0
    return Message(topic, fields.rest(), qos, number)


def read_topics(kind: int, flags: int, body: bytes) -> tuple[int, list[tuple[str, int]]]:
    """SUBSCRIBE and UNSUBSCRIBE: packet id, and each topic with its QoS (0 for the latter)."""
    if flags != 2:
        raise Broken("flags must be 0010 (MQTT-3.8.1-1, MQTT-3.10.1-1)")
    fields = Fields(body)
    number = _packet_id(fields)
    topics = []
    while not fields.done:
        topic = fields.text()
        qos = fields.take(1)[0] if kind == SUBSCRIBE else 0
        if not topic or qos > 2:
            raise Broken(f"topic {topic!r} with QoS {qos} (3.8.3)")
        topics.append((topic, qos))
    if not topics:
        raise Broken("no topic (MQTT-3.8.3-3, MQTT-3.10.3-2)")
    return number, topics


def read_number(body: bytes) -> int:
    fields = Fields(body)
    number = _packet_id(fields)
    if not fields.done:
        raise Broken("too long")
    return number


def connect(client_id: str, user: str, password: str, keepalive_s: int) -> bytes:
    """CONNECT of a clean session with a name and a password (3.1)."""
    parts = [each.encode() for each in (client_id, user, password)]
    body = b"\x00\x04MQTT\x04\xc2" + keepalive_s.to_bytes(2, "big")
    return _packet(0x10, body + b"".join(len(part).to_bytes(2, "big") + part for part in parts))


def subscribe(topic: str, number: int) -> bytes:
    """SUBSCRIBE with QoS 1 (3.8)."""
    name = topic.encode()
    return _packet(0x82, number.to_bytes(2, "big") + len(name).to_bytes(2, "big") + name + b"\x01")


def connack(kept: bool, code: int) -> bytes:
    return bytes((0x20, 2, int(kept and not code), code))


def ack(first: int, number: int, codes: bytes = b"") -> bytes:
    """PUBACK 0x40, SUBACK 0x90 with its codes, UNSUBACK 0xb0."""
    return bytes((first, 2 + len(codes))) + number.to_bytes(2, "big") + codes


def publish(topic: str, payload: bytes, number: int, *, again: bool) -> bytes:
    """PUBLISH with QoS 1."""
    name = topic.encode()
    body = len(name).to_bytes(2, "big") + name + number.to_bytes(2, "big") + payload
    return _packet(0x3A if again else 0x32, body)


def _packet(first: int, body: bytes) -> bytes:
    length, head = len(body), bytearray((first,))
    while True:
        length, low = divmod(length, 128)
        head.append(low | (0x80 if length else 0))
        if not length:
            return bytes(head) + body


def _packet_id(fields: Fields) -> int:
    number = fields.number()
    if not number:
        raise Broken("packet id 0 (MQTT-2.3.1-1)")
    return number


def _exactly(line: socket.socket, count: int) -> bytes:
    got = b""
    while len(got) < count:
        piece = line.recv(count - len(got))
        if not piece:
            raise ConnectionError("closed in the middle of a packet")
        got += piece
    return got
