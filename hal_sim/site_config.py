"""The configuration of the simulated box: the shipped templates filled with free ports, pins and a fresh
data folder."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Literal

from hal_sim.board_run import BoardRun
from hal_sim.cameras.sender import CameraSpec
from hal_sim.free_ports import free_ports
from hal_sim.oss import OssBucket
from hal_sim.qingdao import Account
from hal_sim.site.lane import LanePins
from hal_sim.site.relays import pins_of

LANES_MAX = 4
VENDORS = ("vz", "hikvision", "dahua", "vz")
SERIALS = (
    "fe71e106-57263272",
    "20220323AIJ67694167",
    "1c11c9c4-8dbc-4391-0dd7-56764ba18dbc",
    "d85b1269-8f942256",
)


@dataclass(frozen=True)
class Times:
    """How fast the site runs. Headless squeezes everything that does not change what is decided."""

    speed: float
    arm_travel_s: float
    move_s: float
    hold_s: float
    unproven_hold_s: float
    read_s: float
    pulse_ms: int
    debounce_ms: int
    timeout_s: float
    retry_s: float
    stay_s: tuple[float, float]
    arrival_s: float
    read_delay_s: tuple[float, float]
    think_s: tuple[float, float]
    patience_s: float
    inside_max: int
    idle_s: float = 15.0


REAL = Times(
    speed=1.0, arm_travel_s=1.0, move_s=6.0, hold_s=1.5, unproven_hold_s=5.0, read_s=3.0, pulse_ms=500, debounce_ms=20,
    timeout_s=20.0, retry_s=10.0, stay_s=(15.0, 60.0), arrival_s=6.0, read_delay_s=(0.1, 0.4), think_s=(1.5, 4.0),
    patience_s=3.0, inside_max=100,
)  # fmt: skip
HEADLESS = Times(
    speed=6.0, arm_travel_s=0.25, move_s=1.5, hold_s=0.5, unproven_hold_s=2.0, read_s=1.0, pulse_ms=150, debounce_ms=10,
    timeout_s=3.0, retry_s=2.0, stay_s=(2.0, 6.0), arrival_s=0.0, read_delay_s=(0.07, 0.12), think_s=(0.05, 0.15),
    patience_s=1.5, inside_max=100, idle_s=1.5,
)  # fmt: skip


RESERVED_LANE = "in1"
_ROLE = 'role = "reserved"\n'
_BY_CAMERA = 'arrival = "camera"\n'
_RUSH_FLOW = """[flow]
keep_min = 0
[flow.saturated]
idle_s = {idle_s}
[flow.full]
out = 2
"""


SIGN_ANSWER_MS = 500
_BARRIER_PINS = ("open", "close", "limit_up", "limit_down")
_LOOP_PINS = ("arrival", "safety")


@dataclass(frozen=True)
class LaneSpec:
    id: str
    name: str
    direction: Literal["in", "out"]
    pins: LanePins
    camera: CameraSpec
    by_camera: bool = False
    """Its camera tells of arrivals; its arrival loop is not asked."""


@dataclass(frozen=True)
class SitePlan:
    """Where everything of one run is."""

    data_dir: Path
    config: Path
    lane_socket: Path
    gpio_socket: Path
    web_port: int
    listener_port: int
    lanes: tuple[LaneSpec, ...]


def lane_specs(count: int, *, by_camera: bool = False) -> tuple[LaneSpec, ...]:
    """Entry, exit, entry, exit. `by_camera`: the first one's arrivals are told by its camera."""
    if not 1 <= count <= LANES_MAX:
        raise ValueError(f"--lanes {count}: 允许 1 到 {LANES_MAX}, allowed 1 to {LANES_MAX}")
    specs = []
    for index in range(count):
        direction: Literal["in", "out"] = "in" if index % 2 == 0 else "out"
        turn = index // 2 + 1
        camera = CameraSpec(f"cam-{direction}{turn}", VENDORS[index], SERIALS[index])
        name = f"{'入口' if direction == 'in' else '出口'}{turn}"
        specs.append(LaneSpec(f"{direction}{turn}", name, direction, pins_of(index), camera, by_camera and not index))
    return tuple(specs)


def _loops_of(lane: LaneSpec) -> tuple[str, ...]:
    return tuple(name for name in _LOOP_PINS if name != "arrival" or not lane.by_camera)


def _on_pins(pins: LanePins, names: tuple[str, ...]) -> str:
    return "".join(f"{name}_pin = {getattr(pins, name)}\n" for name in names)


def write_secret(path: Path, value: str) -> Path:
    """A file that only its owner can read."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(value)
    return path


def write_site(
    data_dir: Path,
    lanes: tuple[LaneSpec, ...],
    times: Times,
    *,
    account: Account,
    city_url: str,
    mqtt_port: int,
    oss: OssBucket,
    oss_endpoint: str,
    season: tuple[str, ...],
    stalls: int,
    more: str = "",
    rush: bool = False,
    board: BoardRun | None = None,
) -> SitePlan:
    """Everything the two programs need, in `data_dir`. A data folder used before keeps its ledger.

    `more`: sections of other cities. `rush`: a small lot, and the first entrance is for reserved cars.
    `board`: its lane has no pins.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    lane_socket, gpio_socket = data_dir / "lane.sock", data_dir / "gpio.sock"
    gpio_socket.unlink(missing_ok=True)
    listener_port, web_port = free_ports(2)
    template = Template(files("hal_sim.config").joinpath("site.toml").read_text(encoding="utf-8"))
    text = template.substitute(
        data_dir=data_dir,
        socket=lane_socket,
        stalls=stalls,
        season=json.dumps(season, ensure_ascii=False),
        flow=_RUSH_FLOW.format(idle_s=times.idle_s) if rush else "[flow]\n",
        listener_port=listener_port,
        web_port=web_port,
        city_url=city_url,
        mqtt_port=mqtt_port,
        cno=account.cno,
        sub_code=account.sub_code,
        user=account.user,
        password_file=write_secret(data_dir / "password", account.password),
        passkey_file=write_secret(data_dir / "passkey", account.passkey),
        oss_endpoint=oss_endpoint,
        oss_region=oss.rules.region,
        oss_bucket=oss.rules.bucket,
        oss_key_id_file=write_secret(data_dir / "oss-key-id", oss.keys.key_id),
        oss_key_secret_file=write_secret(data_dir / "oss-key-secret", oss.keys.secret),
        timeout_s=times.timeout_s,
        retry_s=times.retry_s,
    )
    text += more
    lane_template = Template(files("hal_sim.config").joinpath("lane.toml").read_text(encoding="utf-8"))
    for number, lane in enumerate(lanes, start=1):
        text += lane_template.substitute(
            id=lane.id,
            name=lane.name,
            number=number,
            direction=lane.direction,
            flow=(_ROLE if rush and lane.id == RESERVED_LANE else "") + (_BY_CAMERA if lane.by_camera else ""),
            equipment_id=f"{number:032x}",
            barrier=board.barrier() if board and board.lane == lane.id else _on_pins(lane.pins, _BARRIER_PINS),
            loops=board.loops() if board and board.lane == lane.id else _on_pins(lane.pins, _loops_of(lane)),
            camera=lane.camera.id,
            vendor=lane.camera.vendor,
            serial=lane.camera.serial if lane.camera.vendor != "hikvision" else "",
            sign_ms=board.answer_ms if board and board.lane == lane.id else SIGN_ANSWER_MS,
            pulse_ms=max(200, times.pulse_ms) if board and board.lane == lane.id else times.pulse_ms,
            move_s=times.move_s,
            debounce_ms=times.debounce_ms,
            read_s=times.read_s,
            hold_s=times.hold_s,
            unproven_hold_s=times.unproven_hold_s,
        )
    config = data_dir / "site.toml"
    config.write_text(text, encoding="utf-8")
    return SitePlan(data_dir, config, lane_socket, gpio_socket, web_port, listener_port, lanes)
