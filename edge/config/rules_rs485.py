"""Rules between RS485 lines, and signs on them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import asdict

from edge.config.issues import ConfigIssue
from edge.config.model import Config
from edge.config.rs485 import SIGN_WIDTH_PX, Sign, SignRows, template_issue

ADDRESS_MAX = {"olm": 255, "onbon": 0xFFFE}
"""One byte (DA of the 0x64 frame); two bytes, 0xFFFF is a broadcast that nobody answers."""
ADDRESS_UNSAID = {"olm": 0, "onbon": 0xFFFE}
"""What a sign without `address` is sent to."""
PLAIN_ROWS = SignRows()
"""Nobody chose these: a sign with fewer rows shows the first of them."""


def judge_rs485(config: Config) -> Iterator[ConfigIssue]:
    yield from _lines(config)
    yield from _through_cameras(config)
    known = {line.id for line in config.line}
    places: dict[tuple[str, str, int | None], str] = {}
    ids: dict[str, str] = {}
    for n, lane in enumerate(config.lane):
        for m, sign in enumerate(lane.sign):
            path = f"lane[{n}].sign[{m}]"
            if sign.id in ids:
                yield ConfigIssue(f"{path}.id", sign.id, f"与 {ids[sign.id]} 重复", f"same as {ids[sign.id]}")
            ids.setdefault(sign.id, f"{path}.id")
            if sign.line not in known:
                yield ConfigIssue(f"{path}.line", sign.line, f"没有此 [[line]]; 有 {_list(known)}",
                                  f"no [[line]] has this id; there are {_list(known)}")
            address = ADDRESS_UNSAID.get(sign.model) if sign.address is None else sign.address
            place = (sign.line, sign.model, address)
            if place in places:
                yield ConfigIssue(f"{path}.address", str(address), f"与 {places[place]} 相同",
                                  f"same as {places[place]} on this line: both would show it")
            places.setdefault(place, path)
            yield from _sign(path, sign)


def _lines(config: Config) -> Iterator[ConfigIssue]:
    ids: dict[str, str] = {}
    ports: dict[Path, str] = {}
    for n, line in enumerate(config.line):
        path = f"line[{n}]"
        if line.id in ids:
            yield ConfigIssue(f"{path}.id", line.id, f"与 {ids[line.id]} 重复", f"same as {ids[line.id]}")
        ids.setdefault(line.id, f"{path}.id")
        if not line.device:
            continue
        device = Path(line.device)
        if device.exists() and not device.is_char_device():
            yield ConfigIssue(f"{path}.device", line.device, "不是串口设备", "is no serial port")
            continue
        port = device.resolve()  # two names below /dev/serial may be one adapter
        if port in ports:
            yield ConfigIssue(f"{path}.device", line.device, f"与 {ports[port]} 是同一串口",
                              f"is the same port as {ports[port]}")
        ports.setdefault(port, f"{path}.device")


def _through_cameras(config: Config) -> Iterator[ConfigIssue]:
    """A line is a port of the box or of a VZ camera; nothing answers through a camera."""
    cameras = {camera.id: camera for lane in config.lane for camera in lane.camera}
    places: dict[tuple[str, int], str] = {}
    for n, line in enumerate(config.line):
        path = f"line[{n}]"
        if bool(line.device) == bool(line.camera):
            yield ConfigIssue(f"{path}.device", line.device, "device 与 camera 须有且仅有一个",
                              "exactly one of device and camera is needed")
        if not line.camera:
            continue
        camera = cameras.get(line.camera)
        if camera is None:
            yield ConfigIssue(f"{path}.camera", line.camera, f"没有此相机; 有 {_list(set(cameras))}",
                              f"no camera has this id; there are {_list(set(cameras))}")
        elif camera.vendor != "vz":
            yield ConfigIssue(f"{path}.camera", line.camera, f"{camera.vendor} 不能转发串口; 可用 vz",
                              f"{camera.vendor} passes no bytes on; vz does")
        place = (line.camera, line.channel)
        if place in places:
            same = places[place]
            yield ConfigIssue(f"{path}.channel", str(line.channel), f"与 {same} 相同", f"same as {same}")
        places.setdefault(place, path)
        yield from (
            ConfigIssue(f"board[{m}].line", board.line, "经相机的总线没有应答, 不能接板卡",
                        "nothing answers through a camera: no boards on this line")
            for m, board in enumerate(config.board) if board.line == line.id
        )
        for k, lane in enumerate(config.lane):
            for m, sign in enumerate(lane.sign):
                if sign.line == line.id and (sign.answers or sign.model == "onbon"):
                    name = "model" if sign.model == "onbon" else "answers"
                    value = sign.model if sign.model == "onbon" else "true"
                    yield ConfigIssue(f"lane[{k}].sign[{m}].{name}", value, "经相机的总线没有应答",
                                      "nothing answers through a camera")


def _sign(path: str, sign: Sign) -> Iterator[ConfigIssue]:
    most = ADDRESS_MAX.get(sign.model)
    if sign.address is not None and most is None:
        yield ConfigIssue(f"{path}.address", str(sign.address), f"{sign.model} 没有地址", f"{sign.model} has none")
    elif sign.address is not None and most is not None and sign.address > most:
        yield ConfigIssue(f"{path}.address", str(sign.address), f"{sign.model} 为 0..{most}",
                          f"for {sign.model} 0..{most}")
    if sign.voice and sign.model != "olm":
        yield ConfigIssue(f"{path}.voice", "true", f"{sign.model} 没有语音", f"{sign.model} does not speak")
    if sign.rows > 1 and sign.model == "aa55":
        yield ConfigIssue(f"{path}.rows", str(sign.rows), "aa55 只有 1 行", "aa55 has 1")
    if sign.model != "onbon" and sign.width_px != SIGN_WIDTH_PX:
        yield ConfigIssue(f"{path}.width_px", str(sign.width_px), "只用于 onbon", "is for onbon only")
    if sign.model == "onbon" and sign.answers:
        yield ConfigIssue(f"{path}.answers", "true", "onbon 总会应答, 无需再写", "onbon always answers: leave it out")
    for name, value in asdict(sign.show).items():
        if not isinstance(value, str) and len(value) > sign.rows and value != getattr(PLAIN_ROWS, name):
            yield ConfigIssue(f"{path}.show.{name}", f"{len(value)} 行", f"该屏只有 rows = {sign.rows} 行",
                              f"are more than rows = {sign.rows}")
        for row in (value,) if isinstance(value, str) else value:
            if (wrong := template_issue(row)) is not None:
                yield ConfigIssue(f"{path}.show.{name}", row, *wrong)


def _list(known: set[str]) -> str:
    return ", ".join(sorted(known)) or "无 none"
