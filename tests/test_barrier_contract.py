"""One contract over every barrier: pins, a board's relays, and a camera's relay by order or by reply."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from drivers.cameras.barrier import ByReply, CameraBarrier
from drivers.cameras.clients import CameraClients
from drivers.cameras.listener import CameraListener
from drivers.gpio import GpioBoard
from edge.config.model import Barrier, Camera, CameraClient, Gpio, Lane, Listener, Loops
from edge.core.events import AnyEvent, DeviceDown, DeviceUp
from edge.ports import BarrierPort, DeviceError
from hal_sim.cameras.http_gate import HttpGateCamera
from hal_sim.cameras.vz_tcp import VzTcpCamera
from tests.board_bench import BoardBench
from tests.camera_rig import Sink
from tests.gpio_fake import FakeGpio

WITHIN_S = 10.0
PASSWORD = "box-password"
OPEN_PIN, CLOSE_PIN = 17, 27


class Rig(Protocol):
    """A barrier and what its contacts did. `closes`: it has an order to go down."""

    barrier: BarrierPort
    closes: bool
    events: queue.Queue[AnyEvent]

    def do(self, verb: Callable[[], None]) -> None: ...

    def opened(self) -> int: ...

    def closed(self) -> int: ...


class Pins:
    closes = True

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        fake, self.ups = FakeGpio(), {OPEN_PIN: 0, CLOSE_PIN: 0}
        fake.watch = self._seen
        patch.setitem(sys.modules, "RPi.GPIO", fake)
        lane = Lane(
            id="in1", name="入口", number=1, direction="in",
            barrier=Barrier(open_pin=OPEN_PIN, close_pin=CLOSE_PIN, pulse_ms=100),
            loops=Loops(arrival_pin=23, safety_pin=24),
            camera=(Camera(id="c", vendor="vz", addresses=("127.0.0.1",)),),
        )  # fmt: skip
        self.events: queue.Queue[AnyEvent] = queue.Queue()
        self.board = GpioBoard(Gpio(), [lane])
        self.board.open(self.events.put)
        self.barrier = self.board.barrier("in1")

    def _seen(self, pin: int, level: int) -> None:
        self.ups[pin] += level

    def do(self, verb: Callable[[], None]) -> None:
        verb()

    def opened(self) -> int:
        return self.ups[OPEN_PIN]

    def closed(self) -> int:
        return self.ups[CLOSE_PIN]


class Relays:
    closes = True

    def __init__(self, folder: Path) -> None:
        self.bench = BoardBench(folder)
        self.bench.start()
        self.barrier: BarrierPort = self.bench.barrier
        self.events = self.bench.events

    def do(self, verb: Callable[[], None]) -> None:
        verb()

    def opened(self) -> int:
        return self.bench.board.closed.count(0)

    def closed(self) -> int:
        return self.bench.board.closed.count(1)


class ByOrder:
    """The box's connection to a simulated camera, on an event loop of its own."""

    def __init__(self, sim: VzTcpCamera | HttpGateCamera, folder: Path) -> None:
        self.sim = sim
        vendor: Any = getattr(sim, "vendor", "vz")
        self.closes = vendor != "vz"
        secret = folder / "password"
        secret.write_text(PASSWORD, encoding="utf-8")
        client = CameraClient(
            port=sim.port, user="box", password_file=str(secret), opens=True, closes=self.closes
        )
        camera = Camera(id="c", vendor=vendor, addresses=("127.0.0.1",), relay_is_barrier=True, client=client)
        self.events: queue.Queue[AnyEvent] = queue.Queue()
        self.loop = asyncio.new_event_loop()
        listener = CameraListener(Listener(port=0), [("in1", camera)], Sink(), lambda: "r", lambda: 0)
        self.clients = CameraClients(listener.desk, [("in1", camera)])
        self.by_camera = CameraBarrier("in1", "c", closes=self.closes)
        self.by_camera.mover = self.clients.of("c")
        self.barrier: BarrierPort = self.by_camera
        self.barrier.open(self.events.put)
        self._thread = threading.Thread(target=self.loop.run_forever, name="camera-barrier")
        self._thread.start()
        self._running = asyncio.run_coroutine_threadsafe(self.clients.run(), self.loop)
        self._desk = listener.desk

    def do(self, verb: Callable[[], None]) -> None:
        async def now() -> None:
            verb()

        asyncio.run_coroutine_threadsafe(now(), self.loop).result(WITHIN_S)

    def opened(self) -> int:
        return len(self.sim.pulses) if isinstance(self.sim, VzTcpCamera) else self.sim.opened

    def closed(self) -> int:
        return 0 if isinstance(self.sim, VzTcpCamera) else self.sim.closed

    def end(self) -> None:
        asyncio.run_coroutine_threadsafe(self._desk.close(), self.loop).result(WITHIN_S)
        self._running.cancel()
        asyncio.run_coroutine_threadsafe(self._rest(), self.loop).result(WITHIN_S)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(WITHIN_S)
        self.loop.close()
        self.sim.stop()

    async def _rest(self) -> None:
        """Everything cancelled has ended."""
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            await asyncio.wait(others, timeout=WITHIN_S)


class Reply:
    closes = False

    def __init__(self) -> None:
        self.events: queue.Queue[AnyEvent] = queue.Queue()
        self.waiting, self.given = 10, 0
        self.by_camera = CameraBarrier("in1", "c", closes=False)
        self.by_camera.mover = ByReply("in1", self._answer)
        self.barrier: BarrierPort = self.by_camera
        self.barrier.open(self.events.put)

    def _answer(self, lane: str) -> bool:
        assert lane == "in1"
        if not self.waiting:
            return False
        self.waiting, self.given = self.waiting - 1, self.given + 1
        return True

    def do(self, verb: Callable[[], None]) -> None:
        verb()

    def opened(self) -> int:
        return self.given

    def closed(self) -> int:
        return 0


def until(true: Callable[[], bool]) -> None:
    pause, ends_s = threading.Event(), time.monotonic() + WITHIN_S
    while not true():
        assert time.monotonic() < ends_s
        pause.wait(0.005)


@pytest.fixture(params=["pins", "board", "vz", "hikvision", "dahua", "reply"])
def any_barrier(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Rig]:
    if request.param == "pins":
        pins = Pins(monkeypatch)
        yield pins
        pins.board.close()
    elif request.param == "board":
        relays = Relays(tmp_path)
        yield relays
        relays.bench.close()
    elif request.param == "reply":
        yield Reply()
    else:
        is_vz = request.param == "vz"
        sim = VzTcpCamera("") if is_vz else HttpGateCamera(request.param, "box", PASSWORD)
        camera = ByOrder(sim, tmp_path)
        with contextlib.closing(contextlib.ExitStack()) as stack:
            stack.callback(camera.end)
            if isinstance(sim, VzTcpCamera):
                assert sim.wait(lambda: sim.beats > 0)
            yield camera


def test_one_order_is_one_opening(any_barrier: Rig) -> None:
    assert any_barrier.opened() == 0
    any_barrier.do(any_barrier.barrier.raise_arm)
    until(lambda: any_barrier.opened() == 1)
    assert any_barrier.closed() == 0
    assert not [event for event in any_barrier.events.queue if isinstance(event, DeviceDown)]


def test_down_is_an_order_only_where_there_is_one_and_never_opens(any_barrier: Rig) -> None:
    any_barrier.do(any_barrier.barrier.lower_arm)
    if any_barrier.closes:
        until(lambda: any_barrier.closed() == 1)
    any_barrier.do(any_barrier.barrier.stop_arm)
    assert (any_barrier.opened(), any_barrier.closed()) == (0, int(any_barrier.closes))


def test_up_right_after_down_ends_with_an_opening(any_barrier: Rig) -> None:
    """The reversal when a car comes under the arm."""
    any_barrier.do(any_barrier.barrier.lower_arm)
    any_barrier.do(any_barrier.barrier.raise_arm)
    until(lambda: any_barrier.opened() == 1)


@pytest.mark.parametrize("vendor", ["hikvision", "dahua"])
def test_a_slow_close_cannot_overtake_the_opening_behind_it(tmp_path: Path, vendor: str) -> None:
    """Each order is a connection of its own; the newest must arrive last, or the arm comes down on a car."""
    sim = HttpGateCamera(vendor, "box", PASSWORD)
    camera = ByOrder(sim, tmp_path)
    try:
        sim.gate.clear()  # it thinks about the close
        camera.do(camera.barrier.lower_arm)
        assert sim.wait(lambda: sim.held == 1)
        camera.do(camera.barrier.lower_arm)
        camera.do(camera.barrier.raise_arm)
        sim.gate.set()
        until(lambda: sim.opened == 1)
        assert sim.moves == ["close", "open"]  # the second close was out of date before it could go
    finally:
        camera.end()


# --- what only a camera's can do: be away ------------------------------------------------------------------------


def test_an_order_to_a_camera_that_is_away_is_a_fault_until_it_is_back_and_moves_nothing(tmp_path: Path) -> None:
    sim = VzTcpCamera("")
    camera = ByOrder(sim, tmp_path)
    try:
        assert sim.wait(lambda: sim.beats > 0)
        until(lambda: camera.clients.of("c").trouble() == "")
        sim.cut()
        until(lambda: camera.clients.of("c").trouble() != "")
        with pytest.raises(DeviceError, match=r"^c: open: not connected"):
            camera.do(camera.barrier.raise_arm)
        until(lambda: sim.connections == 2 and camera.clients.of("c").trouble() == "")
        camera.do(camera.by_camera.check)
        assert camera.events.get_nowait() == DeviceUp(lane="in1", code="barrier_down", device="c")
        camera.do(camera.barrier.raise_arm)
        until(lambda: sim.pulses != [])
        assert sim.pulses == [(0, 500)]  # the lost order does not come after
    finally:
        camera.end()


def test_a_camera_that_refuses_is_a_fault(tmp_path: Path) -> None:
    sim = HttpGateCamera("hikvision", "box", PASSWORD)
    sim.refuses = True
    camera = ByOrder(sim, tmp_path)
    try:
        camera.do(camera.barrier.raise_arm)
        until(lambda: camera.clients.of("c").trouble() != "")
        camera.do(camera.by_camera.check)
        down = camera.events.get_nowait()
        assert isinstance(down, DeviceDown)
        assert (down.code, down.device, down.lane) == ("barrier_down", "c", "in1")
        assert "open: 403" in down.detail
        camera.do(camera.by_camera.check)
        assert camera.events.empty()  # told once
    finally:
        camera.end()


def test_without_a_push_that_waits_no_reply_can_open() -> None:
    rig = Reply()
    rig.waiting = 0
    with pytest.raises(DeviceError, match="no push of the camera waits"):
        rig.barrier.raise_arm()
    rig.by_camera.check()
    assert rig.events.get_nowait() == DeviceUp(lane="in1", code="barrier_down", device="c")


def test_a_barrier_that_nothing_moves_says_so() -> None:
    with pytest.raises(DeviceError, match="never connected"):
        CameraBarrier("in1", "c", closes=False).raise_arm()
