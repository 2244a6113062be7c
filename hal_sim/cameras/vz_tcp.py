"""A VZ camera's TCP port 8131: it answers commands, tells results with pictures, and counts what it was made to do.

Written from the survey's chapter a' and from a published result message; frames are packed and unpacked by hand here.
A trigger makes it tell what stands before it (`before`).
"""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any

from hal_sim.cameras.event import CameraEvent
from hal_sim.cameras.vz import COLOUR_TYPES, NO_PLATE_TEXT, NO_PLATE_TYPE, PLATE_TYPES


class VzTcpCamera:
    """Listens at 127.0.0.1, port 0. One client at a time; the newest counts, as in real cameras."""

    def __init__(self, serial: str) -> None:
        self._serial = serial
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.pulses: list[tuple[int, int]] = []  # (io, ms)
        self.serial_out = b""
        self.serial_frames: list[tuple[str, bytes]] = []
        self.serial_ready: set[str] = set()
        self.triggers = 0
        self.beats = 0
        self.connections = 0
        self.subscribed = False
        self.refuses = False  # answers every command with 404
        self.before: CameraEvent | None = None
        self._client: socket.socket | None = None
        self._changed = threading.Condition()
        self._sending = threading.Lock()
        """A camera never begins a frame within another."""
        self._stop = False
        self._serving = threading.Thread(target=self._serve, name="vz-tcp", daemon=True)
        self._serving.start()

    def wait(self, true: Callable[[], bool], within_s: float = 10.0) -> bool:
        with self._changed:
            return self._changed.wait_for(true, within_s)

    def stop(self) -> None:
        self._stop = True
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()
        self._serving.join(timeout=5)

    def cut(self) -> None:
        """The connection is gone, as when the camera restarts."""
        client = self._client
        if client is not None:
            try:
                client.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # the other side was quicker

    def say(self, raw: bytes, sizes: Sequence[int] = ()) -> None:
        """Any bytes, as a sick camera would; in pieces of `sizes`, the rest at once, and nothing else between them."""
        client, at = self._client, 0
        assert client is not None
        with self._sending:
            for size in (*sizes, len(raw)):
                client.sendall(raw[at : at + size])
                at += size

    def see(self, event: CameraEvent) -> None:
        """Tell a result to whoever subscribed."""
        if self.subscribed and self._client is not None:
            self.say(result_frame(event))

    def _serve(self) -> None:
        while not self._stop:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            with self._changed:
                self._client, self.subscribed = client, False
                self.serial_ready.clear()
                self.connections += 1
                self._changed.notify_all()
            with client:
                self._talk(client)

    def _talk(self, client: socket.socket) -> None:
        stream = client.makefile("rb")
        try:
            while len(head := stream.read(8)) == 8:
                if head[:2] != b"VZ":
                    return
                body = stream.read(int.from_bytes(head[4:], "big"))
                with self._changed:
                    if head[2] == 1:
                        self.beats += 1
                        self._send(client, head)
                    else:
                        self._obey(client, json.loads(body.decode("gbk")))
                    self._changed.notify_all()
        except OSError:
            return

    def _obey(self, client: socket.socket, order: dict[str, Any]) -> None:
        name = order["cmd"]
        if self.refuses:
            self._answer(client, {"cmd": name, "state_code": 404, "error_msg": "Not Found"})
        elif name == "getsn":
            self._answer(client, {"value": self._serial})
        elif name == "trigger":
            self.triggers += 1
            if self.before is not None and self.subscribed:
                self._send(client, result_frame(self.before))
        elif name == "ttransmission" and order["subcmd"] == "send":
            data = base64.b64decode(order["data"], validate=True)[: order["datalen"]]
            if order["comm"] in self.serial_ready:  # a port that nobody opened sends nothing
                self.serial_out += data
                self.serial_frames.append((order["comm"], data))
            self._done(client, order)
        else:
            if name == "ttransmission" and order["subcmd"] == "init":
                self.serial_ready.add(order["data"])
            elif name == "ivsresult":
                self.subscribed = bool(order["enable"])
            elif name == "ioctl" and order["value"] == 2:
                self.pulses.append((order["io"], order["delay"]))
            self._done(client, order)

    def _done(self, client: socket.socket, order: dict[str, Any]) -> None:
        self._answer(client, {"cmd": order["cmd"], "id": order.get("id", ""), "state_code": 200, "error_msg": "Sucess"})

    def _answer(self, client: socket.socket, document: dict[str, Any]) -> None:
        self._send(client, _framed(json.dumps(document).encode("gbk")))

    def _send(self, client: socket.socket, frame: bytes) -> None:
        with self._sending:
            client.sendall(frame)


def _framed(body: bytes) -> bytes:
    return b"VZ\x00\x00" + len(body).to_bytes(4, "big") + body


def result_frame(event: CameraEvent) -> bytes:
    """An `ivs_result` with the members of the published one, GBK, NUL, scene and plate picture."""
    picture = event.picture
    left, top, right, bottom = picture.plate_box if picture is not None and event.plate else (0, 0, 0, 0)
    full = picture.jpeg if picture is not None else b""
    crop = picture.plate_jpeg if picture is not None else b""
    document = {
        "PlateResult": {
            "featureCode": True,
            "timeUsed": 85,
            "plate_true_width": 0,
            "confidence": 100 if event.plate else 0,
            "bright": 0,
            "carBright": 0,
            "type": PLATE_TYPES.get(event.colour, 0) if event.plate else NO_PLATE_TYPE,
            "enable_encrypt": 0,
            "colorType": COLOUR_TYPES[event.colour] if event.plate else 0,
            "timeStamp": {"Timeval": {"sec": event.at_ms // 1000, "usec": event.at_ms % 1000 * 1000}},
            "fake_plate": 0,
            "license": event.plate or NO_PLATE_TEXT,
            "plate_distance": 0,
            "carColor": 0,
            "car_brand": {"year": 65535, "type": 255, "brand": 255},
            "colorValue": 0,
            "location": {"RECT": {"top": top, "left": left, "bottom": bottom, "right": right}},
            "triggerType": 8,
            "direction": 4,
        },
        "fullImgSize": len(full),
        "active_id": 1,
        "timeString": event.local.strftime("%Y-%m-%d %H:%M:%S"),
        "cmd": "ivs_result",
        "id": event.number,
        "imageformat": "jpg",
        "clipImgSize": len(crop),
    }
    text = json.dumps(document, ensure_ascii=False, indent=3) + "\n"
    return _framed(text.encode("gbk") + b"\0" + full + crop)
