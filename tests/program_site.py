"""The site around a box under test: its config, one bay a lane (loops, relays), one VZ camera a lane."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from hal_sim.cameras.event import CameraEvent
from hal_sim.cameras.pictures import Picture
from hal_sim.cameras.vz import PLATE_PATH, Vz
from hal_sim.free_ports import free_ports
from hal_sim.site.lane import LanePins
from hal_sim.site.pins import PinBank
from hal_sim.site.relays import pins_of

ACCOUNT = {
    "cno": "880001", "sub_code": "0000001", "user": "parkbox", "password": "Parkbox-1", "passkey": "0123456789abcdef",
}  # fmt: skip
PARK_ID = "5e1a7c0d9b3f4e28a6d05c71f8e2b934"
REPLY_S = 5.0

JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 80 + b"\xff\xd9"  # marks of a JPEG; nobody here looks into it
PICTURE = Picture(JPEG, JPEG[:600] + b"\xff\xd9", 1280, 720, (500, 400, 640, 440))


@dataclass(frozen=True)
class Push:
    """One HTTP request of a camera."""

    path: str
    content_type: str
    body: bytes

    def send(self, port: int) -> tuple[int, bytes]:
        """(0, b"") when nobody answers or the answer is cut off."""
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: {self.content_type}\r\n"
            f"Content-Length: {len(self.body)}\r\nConnection: close\r\n\r\n"
        )
        return exchange(port, head.encode() + self.body)


def exchange(port: int, request: bytes, *, hang_up: bool = False) -> tuple[int, bytes]:
    """Send these bytes as they are; status and body of the answer. `hang_up`: say that no more will come."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=REPLY_S) as sock:
            sock.sendall(request)
            if hang_up:
                sock.shutdown(socket.SHUT_WR)
            response = http.client.HTTPResponse(sock)
            response.begin()
            return response.status, response.read()
    except (OSError, http.client.HTTPException):
        return 0, b""


class Camera:
    """Makes events; each has a number of its own."""

    def __init__(self, serial: str) -> None:
        self.vendor = Vz(serial)
        self._numbers = itertools.count(1000)

    def read(self, plate: str, picture: Picture | None = PICTURE) -> Push:
        at_ms = time.time_ns() // 1_000_000
        event = CameraEvent(next(self._numbers), str(uuid.uuid4()), plate, "blue", at_ms, picture)
        return Push(PLATE_PATH, "application/json", self.vendor.plate_push(event, 0).body)


class Bay:
    """One lane's wires: loops that the test drives, relays that the box drives; the arm follows at once."""

    def __init__(self, lane_id: str, direction: str, pins: LanePins, bank: PinBank, camera: Camera) -> None:
        self.id, self.direction, self.pins, self.camera, self._bank = lane_id, direction, pins, camera, bank
        self.arm_up = False
        self.raised = 0
        self.on_raise: Callable[[Bay], None] = lambda bay: None
        self._level: dict[int, int | None] = {}
        self._lock = threading.Lock()
        bank.output_watchers.append(self._on_output)
        self.loop("arrival", on=False)
        self.loop("safety", on=False)

    def loop(self, name: str, *, on: bool) -> None:
        pin = self.pins.arrival if name == "arrival" else self.pins.safety
        level = self.pins.occupied_level if on else 1 - self.pins.occupied_level
        self._bank.drive(pin, level)

    def at_rest(self) -> bool:
        """Every relay of this lane is off, or nobody drives it."""
        levels = {self._bank.output(pin) for pin in (self.pins.open, self.pins.close) if pin is not None}
        return self.pins.relay_on_level not in levels

    def _on_output(self, pin: int, level: int | None, t_ns: int) -> None:
        if pin not in (self.pins.open, self.pins.close):
            return
        with self._lock:
            before, self._level[pin] = self._level.get(pin), level
        if level != self.pins.relay_on_level or before == level:
            return
        if pin == self.pins.open:
            self.raised += 1
            self.on_raise(self)  # before the car may go
        self.arm_up = pin == self.pins.open


def write_config(
    folder: Path,
    bank: PinBank,
    *,
    directions: Sequence[str] = ("in", "out"),
    city_url: str = "",
    clock: str = "trusted",
    data_dir: Path | None = None,
    free_min: int = 1440,
    extra: str = "",
) -> tuple[Path, list[Bay], tuple[int, int]]:
    """Lanes `in1`, `out2`, ... without limit switches, quick arms. Ports: listener, page."""
    listener_port, web_port = free_ports(2)
    data, lane_socket = str(data_dir or folder / "data"), str(folder / "lane.sock")
    parts = [
        _table("box", id="TEST", data_dir=data, socket=lane_socket, clock=clock),
        _table("lot", park_id=PARK_ID, code="TEST", name="试验", total_stalls=1000),
        _table("tariff", free_min=free_min),
        _table("listener", port=listener_port, slow_s=1),
        _table("web", port=web_port),
    ]
    if city_url:
        parts.append(_table(
            "city.qingdao", url=city_url, cno=ACCOUNT["cno"], sub_code=ACCOUNT["sub_code"], user=ACCOUNT["user"],
            password_file=_secret(folder / "password", ACCOUNT["password"]),
            passkey_file=_secret(folder / "passkey", ACCOUNT["passkey"]), timeout_s=2, retry_s=0.5,
        ))  # fmt: skip
    bays = []
    for index, direction in enumerate(directions):
        pins, lane_id, serial = pins_of(index), f"{direction}{index + 1}", f"test{index:04d}-00000000"
        bays.append(Bay(lane_id, direction, pins, bank, Camera(serial)))
        parts += [
            _table("lane", many=True, id=lane_id, name=lane_id, number=index + 1, direction=direction),
            _table("lane.barrier", open_pin=pins.open, close_pin=pins.close, pulse_ms=100, move_s=0.3),
            _table("lane.loops", arrival_pin=pins.arrival, safety_pin=pins.safety, debounce_ms=0),
            _table("lane.camera", many=True, id=f"cam-{lane_id}", vendor="vz", serial=serial, addresses=["127.0.0.1"],
                   heartbeat_s=0),
            # Reads of one plate a moment apart are two cars' here: a test's camera sees a new program's car anew.
            _table("lane.timing", hold_s=0.5, unproven_hold_s=2, read_s=1, same_plate_s=0),
        ]  # fmt: skip
    config = folder / "box.toml"
    config.write_text("\n".join([*parts, extra]), encoding="utf-8")
    return config, bays, (listener_port, web_port)


def _table(name: str, /, *, many: bool = False, **values: object) -> str:
    # JSON's strings, numbers and lists of them are TOML's too.
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return "\n".join([f"[[{name}]]" if many else f"[{name}]", *lines, ""])


def _secret(path: Path, value: str) -> str:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(value)
    return str(path)
