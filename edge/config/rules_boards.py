"""Rules of barriers and loops: pins, board or camera, each with what its driver needs and nothing of another's."""

from __future__ import annotations

from collections.abc import Iterator

from edge.config.issues import ConfigIssue
from edge.config.model import Barrier, Config, Loops

NEEDS = {
    (Barrier, "gpio"): ("open_pin",), (Barrier, "board"): ("board", "open_relay"),
    (Barrier, "camera"): (),
    (Loops, "gpio"): ("arrival_pin", "safety_pin"), (Loops, "board"): ("board", "arrival_input", "safety_input"),
}  # fmt: skip
UNLOOPED = ("arrival_pin", "arrival_input")
"""What a lane whose cameras tell of arrivals may do without."""
PINS = ("open_pin", "close_pin", "stop_pin", "limit_up_pin", "limit_down_pin", "arrival_pin", "safety_pin")
BOX_PINS = ("open_pin", "close_pin", "stop_pin")
RELAYS = ("open_relay", "close_relay", "stop_relay")
INPUTS = ("limit_up_input", "limit_down_input", "arrival_input", "safety_input")
FOREIGN = {
    "gpio": ("board", *RELAYS, *INPUTS), "board": PINS, "camera": ("board", *RELAYS, *INPUTS, *BOX_PINS),
}  # fmt: skip
"""What the driver has no use for. Limit switches on pins serve beside a camera too."""
REPLY_OPENS = ("vz", "boyue", "qianyi", "alphadigi", "dahua", "huaxia", "rk_v5")
"""Makes whose push is answered with an opening (CAMERAS a, c1, d); Hikvision's and GA/T 1400's have none."""
CLOSING = ("hikvision", "dahua")
"""Makes with a published order to close (CAMERAS b6, c2)."""
PULSE_STEP_MS = 100
"""A board counts its pulses in tenths of a second."""


def judge_boards(config: Config) -> Iterator[ConfigIssue]:
    lines = {line.id for line in config.line}
    owners: dict[tuple[str, str, int], str] = {}
    places: dict[tuple[str, int], str] = {}
    names: dict[str, str] = {}
    for n, board in enumerate(config.board):
        path = f"board[{n}]"
        if board.id in names:
            yield ConfigIssue(f"{path}.id", board.id, f"与 {names[board.id]} 重复", f"same as {names[board.id]}")
        names.setdefault(board.id, f"{path}.id")
        if board.line not in lines:
            yield ConfigIssue(f"{path}.line", board.line, f"没有此 [[line]]; 有 {_list(lines)}",
                              f"no [[line]] has this id; there are {_list(lines)}")
        place = (board.line, board.address)
        if place in places:
            yield ConfigIssue(f"{path}.address", str(board.address), f"与 {places[place]} 同一总线同一地址",
                              f"same as {places[place]} on this line: both would answer")
        places.setdefault(place, path)
    yield from _camera_barriers(config)
    models = {board.id: board.model for board in config.board}
    for n, lane in enumerate(config.lane):
        for name, section in (("barrier", lane.barrier), ("loops", lane.loops)):
            path = f"lane[{n}].{name}"
            yield from _section(path, section, UNLOOPED if lane.arrival == "camera" else ())
            if section.board is not None and section.board not in models:
                yield ConfigIssue(f"{path}.board", section.board, f"没有此 [[board]]; 有 {_list(set(models))}",
                                  f"no [[board]] has this id; there are {_list(set(models))}")
            elif section.board is not None:
                yield from _channels(path, section, section.board, models[section.board], owners)


def _camera_barriers(config: Config) -> Iterator[ConfigIssue]:
    """A lane has one barrier: by camera, and then by exactly one of them, or not by camera."""
    for n, lane in enumerate(config.lane):
        by_camera = lane.barrier.driver == "camera"
        chosen = [camera.id for camera in lane.camera if camera.relay_is_barrier]
        if by_camera and len(chosen) != 1:
            yield ConfigIssue(f"lane[{n}].barrier.driver", "camera",
                              f"本车道须恰有一台相机 relay_is_barrier = true; 现有 {len(chosen)} 台",
                              f"exactly one camera of the lane needs relay_is_barrier = true; there are {len(chosen)}")
        for m, camera in enumerate(lane.camera):
            path, client = f"lane[{n}].camera[{m}]", camera.client
            opens = client is not None and client.opens
            if camera.relay_is_barrier and not by_camera:
                yield ConfigIssue(f"{path}.relay_is_barrier", "true", "须 [lane.barrier] driver = \"camera\"",
                                  'needs driver = "camera" in [lane.barrier]: a lane has one barrier')
            if camera.relay_is_barrier and not opens and camera.vendor not in REPLY_OPENS:
                yield ConfigIssue(f"{path}.relay_is_barrier", "true", f"{camera.vendor} 的应答不能开闸",
                                  f"no reply opens at {camera.vendor}; its client with opens = true would")
            if client is not None and client.closes and not (opens and camera.vendor in CLOSING):
                yield ConfigIssue(f"{path}.client.closes", "true", f"须 opens = true, 仅用于 {', '.join(CLOSING)}",
                                  f"needs opens = true and is for {', '.join(CLOSING)} only")


def _section(path: str, section: Barrier | Loops, needless: tuple[str, ...]) -> Iterator[ConfigIssue]:
    for name in NEEDS[type(section), section.driver]:
        if getattr(section, name) is None and name not in needless:
            yield ConfigIssue(f"{path}.{name}", "", f"缺少; driver = \"{section.driver}\" 需要",
                              f'missing; driver = "{section.driver}" needs it')
    foreign = FOREIGN[section.driver]
    for name in foreign:
        value = getattr(section, name, None)
        if value is not None:
            other = "gpio" if name in PINS else "board"
            yield ConfigIssue(f"{path}.{name}", str(value), f"只用于 driver = \"{other}\"",
                              f'is for driver = "{other}" only')
    if isinstance(section, Barrier) and section.driver == "board" and section.pulse_ms % PULSE_STEP_MS:
        yield ConfigIssue(f"{path}.pulse_ms", str(section.pulse_ms), "板卡只能以 100 毫秒为单位",
                          "a board counts in steps of 100 ms")


def _channels(
    path: str, section: Barrier | Loops, board: str, model: str, owners: dict[tuple[str, str, int], str]
) -> Iterator[ConfigIssue]:
    for kind, names in (("relay", RELAYS), ("input", INPUTS)):
        for name in names:
            number = getattr(section, name, None)
            if number is None:
                continue
            if kind == "input" and model != "waveshare_relay_d":
                yield ConfigIssue(f"{path}.{name}", str(number), f"{model} 没有输入", f"{model} has no inputs")
            key = (board, kind, number)
            if key in owners:
                owner = owners[key]
                yield ConfigIssue(f"{path}.{name}", str(number), f"已用于 {owner}", f"already used by {owner}")
            owners.setdefault(key, f"{path}.{name}")


def _list(known: set[str]) -> str:
    return ", ".join(sorted(known)) or "无 none"
