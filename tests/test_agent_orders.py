"""Orders on their way from the agent to the lane program: kept connections, a lane that is away, slow or restarted."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from edge.agent.orders import LaneOrders
from edge.core.orders_flow import BookOrder, CouponOrder

ORDER = BookOrder(command_id="c1", source="city", city="shenzhen", who="w", why="y", action="confirm", code="A")
ANSWER = b'{"ok":true,"zh":"\xe5\xae\x8c\xe6\x88\x90","en":"done","reason":"","rest":7}\n'


class FakeLane:
    """A lane program's socket: keeps the lines, says what it is told to say; None hangs up."""

    def __init__(self, path: Path) -> None:
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen()
        self.lines: list[dict[str, Any]] = []
        self.connections = 0
        self.say: Callable[[], bytes | None] = lambda: ANSWER
        self.open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                line, _ = self._listener.accept()
                self.connections += 1
                self.open.append(line)
                self._threads.append(threading.Thread(target=self._serve, args=(line,), daemon=True))
                self._threads[-1].start()

    def _serve(self, line: socket.socket) -> None:
        with suppress(OSError), line.makefile("rb") as lines:
            for text in lines:
                self.lines.append(json.loads(text))
                said = self.say()
                if said is None:
                    line.shutdown(socket.SHUT_RDWR)
                    return
                line.sendall(said)

    def hang_up(self) -> None:
        for line in self.open:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()
        self.open.clear()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()
        for thread in self._threads:
            thread.join()


@pytest.fixture
def lane(tmp_path: Path) -> Iterator[FakeLane]:
    made = FakeLane(tmp_path / "lane.sock")
    yield made
    made.close()


def test_an_order_goes_as_the_lane_program_takes_it(lane: FakeLane, tmp_path: Path) -> None:
    orders = LaneOrders(tmp_path / "lane.sock")
    told = orders.ask(ORDER, 3.0)
    assert told is not None
    assert (told.ok, told.reason, told.rest) == (True, "", 7)
    coupon = CouponOrder(command_id="c2", who="w", why="y", coupon_no="1", plate="粤B88888", coupon="all", given_ms=1)
    assert orders.ask(coupon, 3.0) is not None
    assert [line["op"] for line in lane.lines] == ["book", "coupon"]
    assert lane.lines[0]["order"]["command_id"] == "c1"
    assert lane.connections == 1  # kept
    orders.close()


def test_after_a_restart_of_the_lane_program_the_order_is_sent_again_under_its_id(
    lane: FakeLane, tmp_path: Path
) -> None:
    orders = LaneOrders(tmp_path / "lane.sock")
    assert orders.ask(ORDER, 3.0) is not None
    lane.hang_up()
    assert orders.ask(ORDER, 3.0) is not None
    assert {line["order"]["command_id"] for line in lane.lines} == {"c1"}
    assert lane.connections == 2
    orders.close()


@pytest.mark.parametrize(
    "said",
    [
        None,
        b"{\n",
        b'{"ok":false,"zh":"3 \xe7\xa7\x92","en":"no result within 3 s"}\n',  # no reason: nobody knows
        b"x" * 100_000,
    ],
)
def test_no_answer_is_none(lane: FakeLane, tmp_path: Path, said: bytes | None) -> None:
    lane.say = lambda: said
    orders = LaneOrders(tmp_path / "lane.sock")
    assert orders.ask(ORDER, 1.0) is None
    orders.close()


def test_a_lane_program_that_is_away_or_silent_costs_no_more_than_the_time_given(
    lane: FakeLane, tmp_path: Path
) -> None:
    assert LaneOrders(tmp_path / "nobody.sock").ask(ORDER, 1.0) is None
    lane.say = lambda: b""
    orders = LaneOrders(tmp_path / "lane.sock")
    assert orders.ask(ORDER, 0.1) is None
    orders.close()
    assert orders.ask(ORDER, 1.0) is None
