"""MQTT 3.1.1 packets as bytes: made, and judged when they come. No socket, no clock, no state.

Section numbers are those of the OASIS standard MQTT Version 3.1.1. Texts may be `str` (sent as UTF-8) or `bytes`.
"""

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = 0x80, 0x90, 0xA0, 0xB0, 0xC0, 0xD0, 0xE0

DUP = 0x08
"""Flag of a PUBLISH: perhaps sent before (3.3.1.1)."""

PING = b"\xc0\x00"
BYE = b"\xe0\x00"

LENGTH_MAX = 268_435_455
"""Table 2.4: four bytes of seven bits."""

_printable = getattr(str, "isprintable", None)
"""CPython's; MicroPython has none."""

OF_TWO = (CONNACK, PUBACK, PUBREC, PUBREL | 2, PUBCOMP, UNSUBACK)
"""First bytes of the packets whose body is always two bytes."""

_FIXED_SIZE = {CONNACK: 2, PUBACK: 2, PUBREC: 2, PUBREL: 2, PUBCOMP: 2, UNSUBACK: 2, PINGRESP: 0}


class MQTTException(Exception):
    """The broker refused (`args[0]` is its CONNACK code, 1..5) or broke the protocol (`args[0]` says how)."""


def text(value: bytes | str, name: str) -> bytes:
    """A length-prefixed string (1.5.3), encoded first and then measured. `ValueError` over 65,535 bytes."""
    data = _plain(value)
    if len(data) > 0xFFFF:
        raise ValueError(name + ": " + str(len(data)) + " bytes are not allowed, up to 65535 are")
    return len(data).to_bytes(2, "big") + data


def packet(first: int, body: bytes) -> bytes:
    """Fixed header and body as one piece, so that it goes out in one write."""
    size = len(body)
    if size <= 0x7F:
        return (first << 8 | size).to_bytes(2, "big") + body
    if size > LENGTH_MAX:
        raise ValueError("packet: " + str(size) + " bytes are not allowed, up to " + str(LENGTH_MAX) + " are")
    head = bytearray((first,))
    while size > 0x7F:
        head.append(size & 0x7F | 0x80)
        size >>= 7
    head.append(size)
    return bytes(head) + body


def connect(  # noqa: PLR0917 - the order of the packet's fields
    client_id: bytes | str,
    clean_session: bool,
    keepalive_s: int,
    will: "tuple[bytes | str, bytes | str, int, bool] | None",
    user: bytes | str | None,
    password: bytes | str | None,
) -> bytes:
    """CONNECT (3.1). `will` is topic, message, QoS, retain."""
    if not 0 <= keepalive_s <= 0xFFFF:
        raise ValueError("keepalive: " + str(keepalive_s) + " s is not allowed, 0..65535 is")
    if password is not None and user is None:
        raise ValueError("password: needs a user (MQTT-3.1.2-22)")
    flags = 0x02 if clean_session else 0
    payload = text(client_id, "client_id")
    if will is not None:
        topic, message, qos, retain = will
        flags |= 0x04 | qos << 3 | (0x20 if retain else 0)
        payload += text(topic, "last will topic") + text(message, "last will message")
    if user is not None:
        flags |= 0x80
        payload += text(user, "user")
    if password is not None:
        flags |= 0x40
        payload += text(password, "password")
    return packet(CONNECT, b"\x00\x04MQTT\x04" + bytes((flags,)) + keepalive_s.to_bytes(2, "big") + payload)


def publish(  # noqa: PLR0917 - the order of MQTTClient.publish
    topic: bytes | str, message: bytes | str, retain: bool, qos: int, pid: int, again: bool = False
) -> bytes:
    """PUBLISH (3.3). `again` sets DUP: sent before, no answer seen (MQTT-3.3.1-1)."""
    data = message if type(message) is bytes else _plain(message)
    name = topic if type(topic) is bytes else _plain(topic)
    size = len(name)
    if not 0 < size <= 0xFFFF:
        raise ValueError("topic: " + str(size) + " bytes are not allowed, 1 to 65535 are (MQTT-4.7.3-1)")
    if b"+" in name or b"#" in name:
        raise ValueError("topic: " + repr(topic) + " has a wildcard, which a message may not (MQTT-3.3.2-2)")
    first = PUBLISH | qos << 1
    if retain:
        first |= 1
    if again and qos:
        first |= DUP
    if not qos:
        return packet(first, size.to_bytes(2, "big") + name + data)
    return packet(first, size.to_bytes(2, "big") + name + pid.to_bytes(2, "big") + data)


def _plain(value: bytes | str) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)


def subscribe(topic: bytes | str, qos: int, pid: int) -> bytes:
    """SUBSCRIBE to one topic filter (3.8)."""
    return packet(SUBSCRIBE | 2, pid.to_bytes(2, "big") + text(topic, "topic") + bytes((qos,)))


def unsubscribe(topic: bytes | str, pid: int) -> bytes:
    """UNSUBSCRIBE from one topic filter (3.10)."""
    return packet(UNSUBSCRIBE | 2, pid.to_bytes(2, "big") + text(topic, "topic"))


def acknowledge(kind: int, pid: int) -> bytes:
    """PUBACK, PUBREC, PUBREL or PUBCOMP."""
    return bytes((kind | (2 if kind == PUBREL else 0), 2, pid >> 8, pid & 0xFF))


def check_first(first: int) -> None:
    """The first byte of a packet from a broker: `MQTTException` unless it is one that a broker may send (2.2).

    DUP at QoS 0 is let pass: it says nothing (3.3.1.1), and brokers that forward it exist.
    """
    kind, flags = first & 0xF0, first & 0x0F
    if kind == PUBLISH:
        if flags & 0x06 == 0x06:
            raise MQTTException("PUBLISH with QoS 3 (MQTT-3.3.1-4)")
    elif kind not in _FIXED_SIZE and kind != SUBACK:
        raise MQTTException("a broker does not send packet type " + str(kind >> 4))
    elif flags != (2 if kind == PUBREL else 0):
        raise MQTTException("packet type " + str(kind >> 4) + " with flags " + str(flags) + " (MQTT-2.2.2-2)")


def check_size(first: int, size: int, most: int) -> None:
    """The remaining length of a packet, before any of it is read."""
    fixed = _FIXED_SIZE.get(first & 0xF0)
    if fixed is not None and size != fixed:
        raise MQTTException("packet type " + str(first >> 4) + " of length " + str(size))
    if size > most:
        raise MQTTException("packet of " + str(size) + " bytes, up to " + str(most) + " are taken")
    if first & 0xF0 == SUBACK and size != 3:  # one filter a SUBSCRIBE, so one code (MQTT-3.8.4-5)
        raise MQTTException("SUBACK of length " + str(size))


def message(first: int, body: bytes) -> "tuple[bytes, bytes, int]":
    """Topic, message and packet id (0 at QoS 0) of a PUBLISH. `MQTTException` when it is malformed."""
    size = len(body)
    if size < 2:
        raise MQTTException("PUBLISH without a topic")
    at = 2 + (body[0] << 8 | body[1])
    topic = body[2:at]
    if len(topic) != at - 2 or at == 2:
        raise MQTTException("PUBLISH with a topic cut off or empty")
    check_topic(topic)
    if not first & 0x06:
        return topic, body[at:], 0
    if size < at + 2:
        raise MQTTException("PUBLISH without a packet id")
    return topic, body[at + 2 :], check_pid(body[at] << 8 | body[at + 1])


def check_pid(pid: int) -> int:
    """`pid`; `MQTTException` when it is 0 (MQTT-2.3.1-1)."""
    if not pid:
        raise MQTTException("packet id 0")
    return pid


def check_topic(topic: bytes) -> None:
    """A topic name from a broker (1.5.3, 3.3.2.1): UTF-8, no wildcard, none of the characters that the standard bans or
    advises to refuse (U+0000, control characters, non-characters)."""
    try:
        name = topic.decode("utf-8")
    except UnicodeError as error:
        raise MQTTException("topic is not UTF-8") from error
    if "+" in name or "#" in name:
        raise MQTTException("topic with a wildcard (MQTT-3.3.2-2)")
    if _printable is not None and _printable(name):  # nothing of what follows is printable
        return
    for char in name:
        code = ord(char)
        if code < 0x20 or 0x7F <= code <= 0x9F or 0xD800 <= code <= 0xDFFF:
            raise MQTTException("topic with control character U+" + hex(code))
        if 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE:
            raise MQTTException("topic with non-character U+" + hex(code))
