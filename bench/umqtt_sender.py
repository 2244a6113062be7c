"""The other end of a flood of MQTT messages: all bytes are made before the first is sent.

    python -m bench.umqtt_sender TOPIC SIZE QOS COUNT

Prints its port; answers one CONNECT and one SUBSCRIBE, sends, reads the PUBACKs of QoS 1, prints `all`, and waits for
the client's end. Not a broker: it believes what it is sent.
"""

from __future__ import annotations

import socket
import sys
import threading

PUBACK_BYTES = 4


def packet(topic: bytes, size: int, qos: int, pid: int) -> bytes:
    body = len(topic).to_bytes(2, "big") + topic + (pid.to_bytes(2, "big") if qos else b"") + bytes(size)
    length = bytes((len(body),)) if len(body) < 128 else bytes((len(body) & 127 | 128, len(body) >> 7))
    return bytes((0x30 | qos << 1,)) + length + body


def main(topic: str, size: str, qos: str, count: str) -> None:
    messages = b"".join(packet(topic.encode(), int(size), int(qos), n % 65_535 + 1) for n in range(int(count)))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        sock, _ = listener.accept()
    with sock:
        sock.recv(1000)
        sock.sendall(b"\x20\x02\x00\x00")
        asked = sock.recv(1000)
        sock.sendall(b"\x90\x03" + asked[2:4] + bytes((int(qos),)))
        sending = threading.Thread(target=sock.sendall, args=(messages,))
        sending.start()
        awaited = int(count) * PUBACK_BYTES if int(qos) else 0
        while awaited:
            data = sock.recv(min(65_536, awaited))
            if not data:
                raise ConnectionError("the client left before it had answered all")
            awaited -= len(data)
        sending.join()
        print("all", flush=True)
        while sock.recv(1000):
            pass


if __name__ == "__main__":
    main(*sys.argv[1:])
