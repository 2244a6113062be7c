"""The GPIO driver over a fake `RPi.GPIO`: safe levels, pulses, loops, lost edges, broken pins."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from drivers.gpio import GpioBoard
from edge.config.model import Barrier, Camera, Gpio, Lane, Loops
from edge.core.events import AnyEvent, DeviceDown, DeviceUp, Emergency, LimitChanged, LoopChanged
from edge.ports import DeviceError
from tests.gpio_fake import FakeGpio

LANE = Lane(
    id="in1", name="入口", number=1, direction="in",
    barrier=Barrier(open_pin=17, close_pin=27, stop_pin=22, limit_up_pin=5, active="low", pulse_ms=500),
    loops=Loops(arrival_pin=23, safety_pin=24, debounce_ms=20),
    camera=(Camera(id="c", vendor="vz", addresses=("127.0.0.1",)),),
)  # fmt: skip
OUTPUTS = (17, 27, 22)
ON, OFF = 0, 1  # low-active relays
OCCUPIED, CLEAR = 0, 1  # low-active contacts
WAIT_S = 5.0


class Rig:
    """A board with its own clock; pulses end when the test says so."""

    def __init__(self, fake: FakeGpio) -> None:
        self.fake, self.now_ms = fake, 0
        self.events: queue.Queue[AnyEvent] = queue.Queue()
        self.timers: list[Callable[[], None]] = []
        self.board = GpioBoard(
            Gpio(emergency_pin=26), [LANE], after=self._after, mono_ms=lambda: self.now_ms
        )

    def _after(self, _seconds: float, what: Callable[[], None]) -> Callable[[], None]:
        self.timers.append(what)
        return lambda: self.timers.remove(what) if what in self.timers else None

    def edges(self, pin: int) -> int:
        return self.board.edges[pin]

    def next(self) -> AnyEvent:
        return self.events.get(timeout=WAIT_S)

    def until(self, wanted: AnyEvent) -> None:
        """The next event of this kind must be this one."""
        while True:
            event = self.next()
            if type(event) is type(wanted):
                assert event == wanted
                return


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeGpio:
    module = FakeGpio()
    monkeypatch.setitem(sys.modules, "RPi.GPIO", module)
    return module


@pytest.fixture
def rig(fake: FakeGpio) -> Iterator[Rig]:
    rig = Rig(fake)
    rig.board.open(rig.events.put)
    while not rig.events.empty():
        rig.events.get()
    yield rig
    rig.board.close()


def test_open_sets_every_relay_off_and_reports_every_input(fake: FakeGpio) -> None:
    rig = Rig(fake)
    fake_levels_before = dict(fake.level)
    rig.board.open(rig.events.put)
    assert fake_levels_before == {}
    assert [fake.level[pin] for pin in OUTPUTS] == [OFF, OFF, OFF]
    assert all(level == OFF for pin, level in fake.history if pin in OUTPUTS)
    seen = [rig.next() for _ in range(4)]
    assert LoopChanged(lane="in1", loop="arrival", occupied=False) in seen
    assert LoopChanged(lane="in1", loop="safety", occupied=False) in seen
    assert LimitChanged(lane="in1", end="up", active=False) in seen
    assert Emergency(active=False) in seen
    rig.board.close()


def test_a_raise_is_on_the_pin_when_the_call_returns_and_ends_by_itself(rig: Rig) -> None:
    rig.board.barrier("in1").raise_arm()
    assert rig.fake.level[17] == ON
    rig.timers[0]()
    assert rig.fake.level[17] == OFF


def test_open_and_close_are_never_on_together(rig: Rig) -> None:
    barrier = rig.board.barrier("in1")
    del rig.fake.history[:]
    barrier.lower_arm()
    barrier.raise_arm()
    assert rig.fake.history == [(27, ON), (27, OFF), (17, ON)]


def test_close_ends_a_running_pulse_and_gives_the_pins_back(rig: Rig) -> None:
    rig.board.barrier("in1").raise_arm()
    rig.board.close()
    assert [rig.fake.level[pin] for pin in OUTPUTS] == [OFF, OFF, OFF]
    assert rig.fake.cleaned
    assert rig.fake.callbacks == {}


def test_an_order_to_a_closed_board_is_a_named_error(rig: Rig) -> None:
    rig.board.close()
    with pytest.raises(DeviceError, match="pin 17: not open"):
        rig.board.barrier("in1").raise_arm()


def test_an_occupied_edge_is_told_at_once_and_a_bounce_never_as_clear(rig: Rig) -> None:
    rig.fake.drive(24, OCCUPIED)
    assert rig.next() == LoopChanged(lane="in1", loop="safety", occupied=True)
    for _ in range(10):  # 10 ms of bouncing
        rig.now_ms += 1
        rig.fake.drive(24, CLEAR)
        rig.now_ms += 1
        rig.fake.drive(24, OCCUPIED)
    assert rig.events.empty()
    rig.fake.drive(24, CLEAR)
    rig.now_ms += 30
    assert rig.next() == LoopChanged(lane="in1", loop="safety", occupied=False)


def test_every_edge_of_two_loops_that_bounce_at_once_is_counted_and_none_is_told(rig: Rig) -> None:
    """2,000 edges each (a second at 1 kHz), on two threads as fast as they go: within the rest of 20 ms."""
    rig.fake.drive(23, OCCUPIED)
    rig.fake.drive(24, OCCUPIED)
    for _ in range(2):
        assert isinstance(rig.next(), LoopChanged)

    def bounce(pin: int) -> None:
        for step in range(2_000):
            rig.fake.drive(pin, CLEAR if step % 2 == 0 else OCCUPIED)

    hands = [threading.Thread(target=bounce, args=(pin,)) for pin in (23, 24)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join(WAIT_S)
    assert (rig.edges(23), rig.edges(24)) == (2_001, 2_001)
    assert rig.events.empty()


def test_a_lost_edge_is_found_by_looking(rig: Rig) -> None:
    rig.fake.drive(23, OCCUPIED, edge=False)
    assert rig.next() == LoopChanged(lane="in1", loop="arrival", occupied=True)


def test_a_pin_that_cannot_be_read_is_unknown_and_a_named_fault(rig: Rig) -> None:
    rig.fake.broken.add(24)
    first, second = rig.next(), rig.next()
    assert first == DeviceDown(code="loops_down", device="gpio:24", detail="input/output error")
    assert second == LoopChanged(lane="in1", loop="safety", occupied=None)
    rig.now_ms += 1000
    rig.fake.broken.clear()
    rig.until(DeviceUp(code="loops_down", device="gpio:24"))
    rig.now_ms += 1000
    rig.until(LoopChanged(lane="in1", loop="safety", occupied=False))


def test_an_unreadable_emergency_input_neither_begins_nor_ends_an_emergency(rig: Rig) -> None:
    rig.fake.drive(26, 0)
    assert rig.next() == Emergency(active=True)
    rig.fake.broken.add(26)
    assert rig.next() == DeviceDown(code="loops_down", device="gpio:26", detail="input/output error")
    rig.fake.broken.clear()
    assert rig.next() == DeviceUp(code="loops_down", device="gpio:26")
    assert rig.next() == Emergency(active=True)


def test_a_pin_used_twice_is_refused(fake: FakeGpio) -> None:
    with pytest.raises(DeviceError, match="pins used twice: 23"):
        GpioBoard(Gpio(emergency_pin=23), [LANE])
    assert fake.history == []


def test_a_pin_that_cannot_be_taken_releases_the_others(fake: FakeGpio) -> None:
    fake.broken.add(24)
    rig = Rig(fake)
    with pytest.raises(DeviceError, match="Cannot allocate pin 24"):
        rig.board.open(rig.events.put)
    assert fake.cleaned
    assert [fake.level[pin] for pin in OUTPUTS] == [OFF, OFF, OFF]


def test_pins_that_were_never_had_are_not_given_back(fake: FakeGpio, caplog: pytest.LogCaptureFixture) -> None:
    """No chip: the error of opening says so, and closing has nothing to add."""
    fake.broken |= {*OUTPUTS, 5, 23, 24, 26}
    rig = Rig(fake)
    with pytest.raises(DeviceError, match="Cannot allocate pin 17"):
        rig.board.open(rig.events.put)
    rig.board.close()
    assert caplog.records == []
    assert fake.cleaned


def test_pins_that_are_lost_are_told_in_a_line_each(
    fake: FakeGpio, rig: Rig, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(pin: int, *_: int) -> None:
        raise OSError(f"pin {pin}: no such device")

    rig.board.barrier("in1").raise_arm()
    monkeypatch.setattr(fake, "output", gone)
    monkeypatch.setattr(fake, "remove_event_detect", gone)
    rig.board.close()
    told = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert told == [
        "lane in1: a running pulse could not be ended: pin 17: no such device",
        *(f"pin {pin} could not be switched off: pin {pin}: no such device" for pin in OUTPUTS),
        *(f"pin {pin}: edge detection could not be ended: pin {pin}: no such device" for pin in (23, 24, 5, 26)),
    ]
    assert all(record.exc_info is None for record in caplog.records)
    assert fake.cleaned


def test_a_missing_library_is_named_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "RPi.GPIO", None)
    board = GpioBoard(Gpio(), [LANE])
    with pytest.raises(DeviceError, match="rpi-lgpio"):
        board.open(lambda event: None)
