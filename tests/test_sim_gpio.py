"""The simulated RPi.GPIO against the documented behaviour of RPi.GPIO 0.7.1: names, errors, edges, bounce, release."""

from __future__ import annotations

import importlib.util
import os
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import hal_sim
from hal_sim.site.gpio_server import GpioServer
from hal_sim.site.pins import PinBank

PACKAGE = Path(hal_sim.__file__).parent / "rpi"
WITHIN_S = 5.0


class Pins:
    """A pin bank whose output changes can be waited for."""

    def __init__(self) -> None:
        self.bank = PinBank()
        self.changes: queue.Queue[tuple[int, int | None, int]] = queue.Queue()
        self.bank.output_watchers.append(lambda pin, level, t_ns: self.changes.put((pin, level, t_ns)))

    def next(self) -> tuple[int, int | None]:
        pin, level, _ = self.changes.get(timeout=WITHIN_S)
        return pin, level


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Pins, GpioServer]]:
    pins = Pins()
    served = GpioServer(tmp_path / "gpio.sock", pins.bank)
    served.start()
    monkeypatch.setenv("PARKBOX_SIM_GPIO", str(tmp_path / "gpio.sock"))
    yield pins, served
    served.stop()


@pytest.fixture
def gpio(server: tuple[Pins, GpioServer]) -> Iterator[Any]:
    """A fresh copy of the module, numbered as BCM, without warnings."""
    spec = importlib.util.spec_from_file_location("sim_gpio", PACKAGE / "RPi" / "GPIO.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.setwarnings(False)
    module.setmode(module.BCM)
    yield module
    module.setwarnings(False)
    if module._chip.sock is not None:
        try:
            module._chip.sock.shutdown(socket.SHUT_RDWR)  # as the end of the process does
        except OSError:
            assert served_ended(server), "the module's connection broke by itself"
        module._chip.sock.close()


def served_ended(server: tuple[Pins, GpioServer]) -> bool:
    return not server[1].connected


def wait(condition: Callable[[], bool]) -> None:
    """Until another thread has done its part; no sleeping, the condition is asked again and again."""
    tick = threading.Event()
    deadline_s = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < deadline_s, "not in time"
        tick.wait(0.001)


def test_constants_are_those_of_the_real_module(gpio: Any) -> None:
    assert (gpio.LOW, gpio.HIGH, gpio.OUT, gpio.IN) == (0, 1, 0, 1)
    assert (gpio.PUD_OFF, gpio.PUD_DOWN, gpio.PUD_UP) == (20, 21, 22)
    assert (gpio.RISING, gpio.FALLING, gpio.BOTH) == (31, 32, 33)
    assert (gpio.BOARD, gpio.BCM) == (10, 11)


def test_an_output_gets_level_and_direction_at_once(gpio: Any, server: tuple[Pins, GpioServer]) -> None:
    pins, _ = server
    gpio.setup(5, gpio.OUT, initial=gpio.HIGH)
    assert pins.next() == (5, 1)
    assert gpio.input(5) == 1
    gpio.output(5, gpio.LOW)
    assert pins.next() == (5, 0)


def test_lists_of_channels(gpio: Any, server: tuple[Pins, GpioServer]) -> None:
    pins, _ = server
    gpio.setup([5, 6], gpio.OUT, initial=0)
    gpio.output((5, 6), (0, 1))
    assert [pins.next() for _ in range(3)] == [(5, 0), (6, 0), (6, 1)]
    with pytest.raises(RuntimeError, match="Number of channels != number of values"):
        gpio.output([5, 6], [1])


def test_an_input_reads_the_sites_level_at_once_and_later(gpio: Any, server: tuple[Pins, GpioServer]) -> None:
    pins, _ = server
    pins.bank.drive(7, 0)
    gpio.setup(7, gpio.IN, pull_up_down=gpio.PUD_UP)
    assert gpio.input(7) == 0
    pins.bank.drive(7, 1)
    wait(lambda: gpio.input(7) == 1)


@pytest.mark.parametrize(("pull", "level"), [("PUD_UP", 1), ("PUD_DOWN", 0)])
def test_an_open_contact_reads_the_pull(gpio: Any, pull: str, level: int) -> None:
    gpio.setup(8, gpio.IN, pull_up_down=getattr(gpio, pull))
    assert gpio.input(8) == level


def test_board_numbers_are_the_headers(gpio: Any, server: tuple[Pins, GpioServer]) -> None:
    pins, _ = server
    gpio.cleanup()
    gpio.setmode(gpio.BOARD)
    gpio.setup(40, gpio.OUT, initial=1)  # physical pin 40 is GPIO 21
    assert pins.next() == (21, 1)
    with pytest.raises(ValueError, match="invalid on a Raspberry Pi"):
        gpio.setup(1, gpio.OUT)  # 3.3 V


def test_edges_reach_the_callback_with_the_channels_number(
    gpio: Any, server: tuple[Pins, GpioServer]
) -> None:
    pins, _ = server
    told: queue.Queue[tuple[int, int]] = queue.Queue()
    pins.bank.drive(9, 1)
    gpio.setup(9, gpio.IN)
    gpio.add_event_detect(9, gpio.BOTH, callback=lambda channel: told.put((channel, gpio.input(channel))))
    pins.bank.drive(9, 0)
    assert told.get(timeout=WITHIN_S) == (9, 0)
    pins.bank.drive(9, 1)
    assert told.get(timeout=WITHIN_S) == (9, 1)
    assert gpio.event_detected(9)
    assert not gpio.event_detected(9)


@pytest.mark.parametrize(("edge", "expected"), [("RISING", [1, 1]), ("FALLING", [0, 0])])
def test_only_the_asked_edge_is_told(
    gpio: Any, server: tuple[Pins, GpioServer], edge: str, expected: list[int]
) -> None:
    pins, _ = server
    pins.bank.drive(9, 1)
    gpio.setup(9, gpio.IN)
    gpio.setup(10, gpio.IN)
    seen: list[int] = []
    last = threading.Event()
    gpio.add_event_detect(9, getattr(gpio, edge), callback=lambda channel: seen.append(expected[0]))
    gpio.add_event_detect(10, gpio.BOTH, callback=lambda channel: last.set())
    for level in (0, 1, 0, 1):
        pins.bank.drive(9, level)
    pins.bank.drive(10, 0)
    assert last.wait(WITHIN_S)
    assert seen == expected


def test_bouncetime_swallows_edges_after_a_told_one(gpio: Any, server: tuple[Pins, GpioServer]) -> None:
    pins, _ = server
    pins.bank.drive(9, 1)
    gpio.setup(9, gpio.IN)
    gpio.setup(10, gpio.IN)
    seen: list[int] = []
    last = threading.Event()
    gpio.add_event_detect(9, gpio.BOTH, callback=seen.append, bouncetime=60_000)
    gpio.add_event_detect(10, gpio.BOTH, callback=lambda channel: last.set())
    for level in (0, 1, 0, 1, 0):
        pins.bank.drive(9, level)
    pins.bank.drive(10, 0)
    assert last.wait(WITHIN_S)
    assert seen == [9]
    assert gpio.input(9) == 0


def test_a_callback_may_use_the_module(gpio: Any, server: tuple[Pins, GpioServer]) -> None:
    pins, _ = server
    gpio.setup(9, gpio.IN)
    done = threading.Event()

    def callback(channel: int) -> None:
        gpio.setup(11, gpio.IN)
        done.set()

    gpio.add_event_detect(9, gpio.BOTH, callback=callback)
    pins.bank.drive(9, 0)
    assert done.wait(WITHIN_S)


def test_a_removed_detection_tells_nothing_and_may_be_added_again(
    gpio: Any, server: tuple[Pins, GpioServer]
) -> None:
    gpio.setup(9, gpio.IN)
    gpio.add_event_detect(9, gpio.BOTH)
    with pytest.raises(RuntimeError, match="Conflicting edge detection already enabled"):
        gpio.add_event_detect(9, gpio.BOTH)
    gpio.remove_event_detect(9)
    gpio.add_event_detect(9, gpio.RISING)


def test_errors_are_those_of_the_real_module(gpio: Any) -> None:
    with pytest.raises(RuntimeError, match="setup\\(\\) the GPIO channel first"):
        gpio.input(12)
    with pytest.raises(RuntimeError, match="not been set up as an OUTPUT"):
        gpio.output(12, 1)
    with pytest.raises(RuntimeError, match="as an input first"):
        gpio.add_event_detect(12, gpio.BOTH)
    with pytest.raises(ValueError, match="A different mode has already been set!"):
        gpio.setmode(gpio.BOARD)
    with pytest.raises(ValueError, match="pull_up_down parameter is not valid for outputs"):
        gpio.setup(12, gpio.OUT, pull_up_down=gpio.PUD_UP)
    with pytest.raises(ValueError, match="initial parameter is not valid for inputs"):
        gpio.setup(12, gpio.IN, initial=1)
    with pytest.raises(ValueError, match="invalid direction"):
        gpio.setup(12, 7)
    with pytest.raises(ValueError, match="should be either PUD_OFF, PUD_UP or PUD_DOWN"):
        gpio.setup(12, gpio.IN, pull_up_down=99)
    gpio.setup(12, gpio.IN)
    with pytest.raises(RuntimeError, match="not been set up as an OUTPUT"):
        gpio.output(12, 1)
    with pytest.raises(ValueError, match="RISING, FALLING or BOTH"):
        gpio.add_event_detect(12, 5)
    with pytest.raises(ValueError, match="Bouncetime must be greater than 0"):
        gpio.add_event_detect(12, gpio.BOTH, bouncetime=0)
    with pytest.raises(TypeError, match="Parameter must be callable"):
        gpio.add_event_detect(12, gpio.BOTH, callback="no")
    with pytest.raises(RuntimeError, match="add_event_detect first"):
        gpio.add_event_callback(12, print)
    gpio.cleanup()
    with pytest.raises(RuntimeError, match="set pin numbering mode"):
        gpio.setup(12, gpio.IN)


def test_warnings_of_reuse_and_of_useless_cleanup(gpio: Any, server: tuple[Pins, GpioServer]) -> None:
    gpio.setwarnings(True)
    gpio.setup(5, gpio.OUT, initial=0)
    with pytest.warns(RuntimeWarning, match="already in use"):
        gpio.setup(5, gpio.OUT, initial=0)
    gpio.cleanup(5)
    with pytest.warns(RuntimeWarning, match="nothing to clean up"):
        gpio.cleanup(5)


def test_cleanup_releases_outputs(gpio: Any, server: tuple[Pins, GpioServer]) -> None:
    pins, _ = server
    gpio.setup(5, gpio.OUT, initial=1)
    gpio.cleanup()
    assert [pins.next() for _ in range(2)] == [(5, 1), (5, None)]
    assert gpio.getmode() is None


def test_a_killed_program_leaves_no_relay_on(server: tuple[Pins, GpioServer]) -> None:
    pins, served = server
    program = "import RPi.GPIO as G, sys\nG.setmode(G.BCM)\nG.setup(5, G.OUT, initial=1)\nsys.stdin.read()"
    child = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        env=dict(os.environ) | {"PYTHONPATH": str(PACKAGE)},
    )
    assert child.stdin is not None
    with child.stdin:
        assert pins.next() == (5, 1)
        assert served.connected
        child.kill()
        child.wait(WITHIN_S)
    assert pins.next() == (5, None)
    assert served.wait_connected(False, WITHIN_S)


def test_when_the_simulator_is_gone_a_write_is_an_error(gpio: Any, server: tuple[Pins, GpioServer]) -> None:
    _, served = server
    gpio.setup(5, gpio.OUT, initial=0)
    served.stop()

    def refused() -> str:
        try:
            gpio.output(5, 1)
        except RuntimeError as error:
            return str(error)
        return ""

    wait(lambda: "the simulator is gone" in refused())


def test_without_a_simulator_setup_says_what_is_missing(gpio: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PARKBOX_SIM_GPIO")
    with pytest.raises(RuntimeError, match="PARKBOX_SIM_GPIO"):
        gpio.setup(5, gpio.OUT, initial=0)


def test_a_write_carries_the_writers_own_time(gpio: Any, server: tuple[Pins, GpioServer]) -> None:
    pins, _ = server
    before_ns = time.monotonic_ns()
    gpio.setup(5, gpio.OUT, initial=1)
    after_ns = time.monotonic_ns()
    _, _, t_ns = pins.changes.get(timeout=WITHIN_S)
    assert before_ns <= t_ns <= after_ns
