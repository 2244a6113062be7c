"""The configuration of the measured box: 1 to 4 lanes without limit switches, quick arms, nothing else switched on.

Three settings are shorter than a real site's, none is on the measured way: the arm takes 0.3 s, the hold time is 0.5 s
(the least that the config allows), a relay pulse lasts 100 ms.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hal_sim.site.lane import LanePins
from hal_sim.site.relays import pins_of

MOVE_S = 0.3
HOLD_S = 0.5
PARK_ID = "5e1a7c0d9b3f4e28a6d05c71f8e2b934"


@dataclass(frozen=True)
class City:
    """Where and as whom the agent reports."""

    url: str
    cno: str
    sub_code: str
    user: str
    password: str
    passkey: str


@dataclass(frozen=True)
class LaneSite:
    """One lane of the measured box as the bench sees it."""

    id: str
    direction: Literal["in", "out"]
    serial: str  # of its camera
    pins: LanePins


@dataclass(frozen=True)
class BoxSite:
    config: Path
    gpio_socket: Path
    port: int  # camera listener
    lanes: tuple[LaneSite, ...]


def write_box(
    folder: Path,
    directions: Sequence[Literal["in", "out"]],
    city: City | None = None,
    *,
    free_min: int = 1440,
    more: str = "",
) -> BoxSite:
    """Write the config of a new box into `folder`, which must not be in use. `more`: further tables of it."""
    folder.mkdir(parents=True, exist_ok=True)
    port, web_port = free_ports(2)
    lanes = tuple(
        LaneSite(f"{direction}{number + 1}", direction, f"bench{number:03d}-00000000", pins_of(number))
        for number, direction in enumerate(directions)
    )
    parts = [
        _table("box", id="BENCH", data_dir=str(folder / "data"), socket=str(folder / "lane.sock"), clock="trusted"),
        _table("lot", park_id=PARK_ID, code="BENCH", name="测量", total_stalls=100_000),
        _table("tariff", free_min=free_min),
        _table("listener", port=port),
        _table("web", port=web_port),
    ]
    if city is not None:
        parts.append(_table(
            "city.qingdao", url=city.url, cno=city.cno, sub_code=city.sub_code, user=city.user,
            password_file=_secret(folder / "password", city.password),
            passkey_file=_secret(folder / "passkey", city.passkey),
            batch=1,  # the heaviest way, and a backlog that lasts; batches are measured by themselves
        ))
    parts += [_lane(number, lane) for number, lane in enumerate(lanes, start=1)]
    config = folder / "box.toml"
    config.write_text("\n".join([*parts, more]), encoding="utf-8")
    return BoxSite(config, folder / "gpio.sock", port, lanes)


def _lane(number: int, lane: LaneSite) -> str:
    pins = lane.pins
    head = _table(
        "lane", many=True, id=lane.id, name=lane.id, number=number, direction=lane.direction,
        equipment_id=f"{number:032x}",
    )
    barrier = _table("lane.barrier", open_pin=pins.open, close_pin=pins.close, pulse_ms=100, move_s=MOVE_S)
    loops = _table("lane.loops", arrival_pin=pins.arrival, safety_pin=pins.safety, debounce_ms=0)
    camera = _table(
        "lane.camera", many=True, id=f"cam-{lane.id}", vendor="vz", serial=lane.serial, addresses=["127.0.0.1"],
        heartbeat_s=0,
    )
    return "\n".join((head, barrier, loops, camera, _table("lane.timing", hold_s=HOLD_S, unproven_hold_s=2)))


def _table(name: str, /, *, many: bool = False, **values: object) -> str:
    # JSON's strings, numbers and lists of them are TOML's too.
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return "\n".join([f"[[{name}]]" if many else f"[{name}]", *lines, ""])


def _secret(path: Path, value: str) -> str:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(value)
    return str(path)


def free_ports(count: int) -> list[int]:
    held = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(count)]
    try:
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in held]
    finally:
        for one in held:
            one.close()
