"""Site: the lot, its tariff and its devices as the city is told of them. Pure.

A device is the box (0701), the gate of each lane (0201) and its cameras. A gate without a configured
`equipment_id`, and all else, gets an id that is always the same for the same lot, kind and name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Literal

import msgspec

from edge.cities.city import Maker, Things
from edge.cities.qingdao.dictionaries import ENTRANCE, EXIT, OFFLINE, ONLINE, DeviceType, IoType
from edge.cities.qingdao.fields import yuan
from edge.cities.qingdao.messages import EquipInfo, EquipStatus, ParkInfo, StandardInfo
from edge.config.model import Config, Lot, Tariff
from edge.core.tariff_param import read_param
from edge.core.tariff_words import plan_zh
from edge.ports import BoxView

# Faults (`core.faults`) with which a gate cannot do its work: the city's 离线.
GATE_DOWN = frozenset({"barrier_down", "arm_no_up", "arm_no_down"})

NAME_MAX = 20  # equip_code and equip_name: String 20

DAY_H = 24


class Device(msgspec.Struct, frozen=True):
    id: str
    code: str
    name: str
    type_class: DeviceType
    father_id: str | None = None
    lane: str = ""
    channel_no: int = 0  # QC45
    io_type: IoType = 0  # 未启用: no lane of its own
    camera: str = ""


def makers(config: Config, box: Callable[[], BoxView | None]) -> dict[str, Maker]:
    """What `Reports` needs beside lot and counts. `box`: the lane program's view, None while it does not answer."""
    city = config.city.qingdao
    if city is None:
        raise ValueError("city.qingdao: is missing, and nothing can be told to a city without it")
    devices = devices_of(config, city.camera_class)
    return {
        "equipinfo": lambda wall_ms: [(each.id, _info(each, config.lot.park_id, wall_ms)) for each in devices],
        "equipstatus": lambda wall_ms: states(devices, box(), wall_ms),
        "standardinfo": lambda wall_ms: [standard(config.lot, config.tariff, wall_ms)],
    }


def lot_maker(lot: Lot) -> Maker:
    def make(wall_ms: int) -> Things:
        message = ParkInfo(
            item_id=lot.park_id,
            park_code=lot.code,
            park_name=lot.name,
            total_count=lot.total_stalls,
            timestamp=wall_ms,
        )
        return [(lot.park_id, message)]

    return make


def devices_of(config: Config, camera_class: DeviceType | Literal[""]) -> list[Device]:
    park_id = config.lot.park_id
    box = Device(device_id(park_id, "box", config.box.id), config.box.id, _name("车场盒子", config.box.id), "0701")
    found = [box]
    for lane in config.lane:
        io_type = ENTRANCE if lane.direction == "in" else EXIT
        gate_id = lane.equipment_id or device_id(park_id, "gate", f"{config.box.id} {lane.id}")
        name = _name(lane.name, "道闸")
        found.append(Device(gate_id, lane.id, name, "0201", box.id, lane.id, lane.number, io_type))
        if camera_class == "":
            continue
        name = _name(lane.name, "相机")
        for camera in lane.camera:
            camera_id = device_id(park_id, "camera", f"{config.box.id} {camera.id}")
            place = (box.id, lane.id, lane.number, io_type, camera.id)
            found.append(Device(camera_id, camera.id, name, camera_class, *place))
    return _with_own_codes(found)


def device_id(park_id: str, kind: str, name: str) -> str:
    return hashlib.blake2b(f"{park_id} {kind} {name}".encode(), digest_size=16, person=b"qingdao-device").hexdigest()


def states(devices: list[Device], view: BoxView | None, wall_ms: int) -> Things:
    """The box is online: it speaks. While the lane program does not answer, no gate and no camera works."""
    faults = {(fault.code, fault.device) for fault in view.faults} if view is not None else set()

    def works(device: Device) -> bool:
        if not device.lane or view is None:
            return not device.lane
        if not device.camera:
            return not any(code in GATE_DOWN and place.partition("/")[0] == device.lane for code, place in faults)
        silent_at = device.camera if device.camera == device.lane else f"{device.lane}/{device.camera}"
        return not any(
            code == "listener_down" or (code == "camera_silent" and place == silent_at) for code, place in faults
        )

    return [
        (
            device.id,
            EquipStatus(
                equipment_id=device.id,
                equipment_state=ONLINE if works(device) else OFFLINE,
                timestamp=wall_ms,
            ),
        )
        for device in devices
    ]


def standard(lot: Lot, tariff: Tariff, wall_ms: int) -> tuple[str, StandardInfo]:
    standard_id = device_id(lot.park_id, "tariff", "")
    message = StandardInfo(
        item_id=standard_id,
        park_id=lot.park_id,
        charge_standard_name="临时车收费标准",
        charge_standard_content=tariff_text(tariff),
        timestamp=wall_ms,
    )
    return standard_id, message


def tariff_text(tariff: Tariff) -> str:
    """QC79: readable Chinese text; the same rules as `core.tariff`, as a board at the entry would put them."""
    if tariff.param:
        return plan_zh(read_param(tariff.param))
    parts = [f"{tariff.free_min}分钟以内(含)免费" if tariff.free_min else "无免费时间"]
    if tariff.first_period_min:
        parts.append(f"首{tariff.first_period_min}分钟{yuan(tariff.first_fen)}元")
    after = "之后" if tariff.first_period_min else ""
    unit = f"{tariff.unit_min}分钟"
    parts.append(f"{after}每{unit}{yuan(tariff.unit_fen)}元, 不足{unit}按{unit}计")
    if tariff.daily_cap_fen:
        parts.append(f"每{DAY_H}小时最高{yuan(tariff.daily_cap_fen)}元")
    return "; ".join(parts)


def _info(device: Device, park_id: str, wall_ms: int) -> EquipInfo:
    return EquipInfo(
        item_id=device.id,
        equip_code=device.code,
        equip_name=device.name,
        type_class=device.type_class,
        father_id=device.father_id,
        park_id=park_id,
        timestamp=wall_ms,
        channel_no=device.channel_no,
        io_type=device.io_type,
    )


def _name(first: str, last: str) -> str:
    """Cut so that what tells devices apart stays."""
    return f"{first[: NAME_MAX - 1 - len(last)]} {last}" if len(last) < NAME_MAX - 1 else last[:NAME_MAX]


def _with_own_codes(devices: list[Device]) -> list[Device]:
    """equip_code is unique in the lot: a name that two devices of the box have gives way to the id's beginning."""
    taken: set[str] = set()
    found = []
    for device in devices:
        code = device.code if device.code not in taken else device.id[:NAME_MAX]
        taken.add(code)
        found.append(msgspec.structs.replace(device, code=code))
    return found
