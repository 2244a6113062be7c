"""A lane wired to a board in place of pins: the configuration that says so, and the same verbs and events."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.config.check import summary
from edge.config.line_times import worst_ms
from edge.config.load import load
from edge.config.model import Config
from edge.core.events import AnyEvent, DeviceDown, LimitChanged, LoopChanged
from edge.lane.devices import LaneDevices
from edge.lane.setup import lane_settings
from hal_sim.rs485.boards import RelayBoard
from hal_sim.rs485.bus import Bus
from tests.config_board_text import BARRIER, BOARDS, LOOPS, TEMPLATE, one_lane
from tests.config_text import GOOD, issues_of

WITHIN_S = 10.0


class BoardSite:
    def __init__(self, folder: Path) -> None:
        self.board = RelayBoard()
        self.bus = Bus(folder / "tty", [self.board])
        path = folder / "box.toml"
        # A healthy board is no board that is quick: its simulation shares a busy machine.
        boards = TEMPLATE.format(tty=self.bus.path) + "answer_ms = 1000\n"
        path.write_text(one_lane(boards=boards), encoding="utf-8")
        self.config: Config = load(path)
        self.devices = LaneDevices(self.config)
        self.events: queue.Queue[AnyEvent] = queue.Queue()

    def next(self, count: int) -> list[AnyEvent]:
        return [self.events.get(timeout=WITHIN_S) for _ in range(count)]


@pytest.fixture
def board_site(tmp_path: Path) -> Iterator[BoardSite]:
    site = BoardSite(tmp_path)
    site.bus.plug()
    site.devices.open(site.events.put, site.events.put)
    yield site
    site.devices.close()
    site.bus.unplug()


def test_loops_limit_and_barrier_work_without_one_pin(board_site: BoardSite) -> None:
    lane = board_site.config.lane[0].id
    assert set(map(str, board_site.next(3))) == set(map(str, [
        LoopChanged(lane=lane, loop="arrival", occupied=False),
        LoopChanged(lane=lane, loop="safety", occupied=False),
        LimitChanged(lane=lane, end="up", active=False),
    ]))  # fmt: skip
    board_site.board.inputs[1] = True
    assert board_site.next(1) == [LoopChanged(lane=lane, loop="safety", occupied=True)]
    board_site.devices.barriers[lane].raise_arm()
    board_site.board.inputs[2] = True
    assert board_site.next(1) == [LimitChanged(lane=lane, end="up", active=True)]
    assert board_site.board.closed == [0]
    board_site.devices.close()
    assert not any(board_site.board.on(relay) for relay in range(8))
    assert not [event for event in board_site.events.queue if isinstance(event, DeviceDown)]  # an end is no fault


def test_the_lane_is_told_what_is_wired(board_site: BoardSite) -> None:
    settings = lane_settings(board_site.config.lane[0])
    assert (settings.has_close, settings.has_stop) == (True, False)
    assert (settings.has_limit_up, settings.has_limit_down) == (True, False)
    zh, en = [line for line in summary(board_site.config) if ": relays " in line and "0, " in line]
    assert "relays 开 0, 关 1, 上限位 2, 触发地感 0, 防砸地感 1" in zh
    assert "relays open 0, close 1, up 2, arrival 0, safety 1" in en


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        (one_lane(BARRIER.replace("open_relay = 0\n", "")), "lane[0].barrier.open_relay", 'driver = "board" needs it'),
        (one_lane(BARRIER + "open_pin = 17\n"), "lane[0].barrier.open_pin", 'driver = "gpio" only'),
        (one_lane(BARRIER.replace('"board"', '"gpio"')), "lane[0].barrier.open_pin", 'driver = "gpio" needs it'),
        (one_lane(BARRIER.replace("close_relay = 1", "close_relay = 0")), "lane[0].barrier.close_relay",
         "already used by lane[0].barrier.open_relay"),
        (one_lane(BARRIER.replace("pulse_ms = 500", "pulse_ms = 550")), "lane[0].barrier.pulse_ms", "steps of 100 ms"),
        (one_lane(BARRIER.replace('"relays"', '"other"')), "lane[0].barrier.board", "there are relays"),
        (one_lane(loops=LOOPS.replace("safety_input = 1", "safety_input = 2")), "lane[0].loops.safety_input",
         "already used by lane[0].barrier.limit_up_input"),
        (one_lane(loops=LOOPS.replace("safety_input = 1", "safety_input = 8")), "lane[0].loops.safety_input", "0..7"),
        (one_lane(boards=BOARDS.replace("relay_d", "relay")), "lane[0].loops.safety_input", "has no inputs"),
        (one_lane(boards=BOARDS + BOARDS[BOARDS.index("[[board]]") :]), "board[1].address", "both would answer"),
        (one_lane(boards=BOARDS.replace('line = "bus"', 'line = "x"')), "board[0].line", "there are bus"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_what_is_allowed(tmp_path: Path, text: str, path: str, words: str) -> None:
    assert words in issues_of(tmp_path, text)[path]


@pytest.mark.parametrize(
    ("baud", "extra", "edge_ms", "order_ms"),
    [
        # Inputs and relays are looked at.
        # 8 characters at 9600 8N1 are 8.33 ms, the rest 5 ms (3.65 ms would do), the answer 60 ms: 73.3 an exchange.
        (9600, "", 50 + 2 * 73.3, 3 * 73.3),
        (115200, "", 50 + 2 * 65.7, 3 * 65.7),
        # A sign of the same line: 149 characters and the rest, no answer.
        (9600, '[[lane.sign]]\nid = "s"\nline = "bus"\nmodel = "olm"\n', 50 + 160.2 + 2 * 73.3, 160.2 + 2 * 73.3),
    ],
)
def test_the_worst_case_is_told(tmp_path: Path, baud: int, extra: str, edge_ms: float, order_ms: float) -> None:
    path = tmp_path / "box.toml"
    lines = BOARDS.replace("115200", str(baud))
    path.write_text(one_lane(boards=extra + lines), encoding="utf-8")
    config = load(path)
    edge, order = worst_ms(config, config.lane[0])
    assert edge == pytest.approx(edge_ms, abs=0.3)
    assert order == pytest.approx(order_ms, abs=0.3)
    assert any(f"loop edge {edge_ms:.0f} ms" in line for line in summary(config))


GPIO_BARRIER = "open_pin = 17\nclose_pin = 27\nmove_s = 6.0\n"
SLOW = BOARDS.replace("115200", "1200") + "answer_ms = 1000\npoll_ms = 1000\n"


def test_with_only_its_loops_on_a_board_the_worst_case_is_told_too(tmp_path: Path) -> None:
    path = tmp_path / "box.toml"
    path.write_text(one_lane(barrier=GPIO_BARRIER), encoding="utf-8")
    worst = [line for line in summary(load(path)) if "worst case" in line]
    assert worst == ["    485 最坏: 地感变化 116 ms  worst case: loop edge 116 ms"]


@pytest.mark.parametrize(("move_s", "slow"), [(6.0, True), (30.0, False)])
def test_a_worst_case_longer_than_the_arm_takes_to_a_roof_is_a_warning(
    tmp_path: Path, move_s: float, slow: bool
) -> None:
    """6 s with the half on top is an arm that falls in 4 s, and 0.4 of that are 1600 ms; 2083 ms are too many."""
    path = tmp_path / "box.toml"
    text = one_lane(barrier=GPIO_BARRIER.replace("6.0", str(move_s)), boards=SLOW)
    path.write_text(text, encoding="utf-8")
    config = load(path)
    assert worst_ms(config, config.lane[0])[0] == pytest.approx(1000 + 66.7 + 1000 + 29.2, abs=1)
    said = [line for line in summary(config) if "too slow" in line]
    assert bool(said) is slow
    assert not slow or "2096 ms, 至多 1600 ms" in said[0]


def test_every_poll_of_the_line_counts(tmp_path: Path) -> None:
    """Three boards whose inputs are read: the third may be behind the other two."""
    more = "".join(
        BOARDS[BOARDS.index("[[board]]") :].replace('"relays"', f'"b{n}"') + f"address = {n}\n" for n in (2, 3)
    )
    path = tmp_path / "box.toml"
    lanes = GOOD[GOOD.index("[[lane]]") :]
    text = one_lane(boards=BOARDS + more)
    second = lanes[lanes.index("[[lane]]", 5) :]
    head = second[: second.index("[lane.barrier]")]
    camera = second[second.index("[[lane.camera]]") :]
    barrier, loops = BARRIER.replace('"relays"', '"b2"'), LOOPS.replace('"relays"', '"b3"')
    path.write_text(f"{text}\n{head}[lane.barrier]\n{barrier}[lane.loops]\n{loops}{camera}", encoding="utf-8")
    config = load(path)
    assert worst_ms(config, config.lane[1])[0] == pytest.approx(50 + 5 * 65.7, abs=0.3)
