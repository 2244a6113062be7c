"""What the pins over libgpiod say where there are none. With pins: `tests/test_image_boot.py`, on gpio-sim."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivers import gpiod_pins
from drivers.gpio_look import IMAGE, look
from drivers.gpiod_pins import Pins, header_chip


def test_no_chip_is_said_with_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"pinctrl-rp1.*seen: none"):
        header_chip(tmp_path)


def test_something_else_is_not_taken_for_a_chip(tmp_path: Path) -> None:
    (tmp_path / "gpiochip0").write_bytes(b"")
    with pytest.raises(RuntimeError, match="seen: gpiochip0: "):
        header_chip(tmp_path)


def test_a_pin_that_was_not_set_up_is_refused() -> None:
    pins = Pins()
    with pytest.raises(RuntimeError, match="pin 17 is not set up"):
        pins.input(17)
    with pytest.raises(RuntimeError, match="pin 17 is not set up"):
        pins.output(17, gpiod_pins.HIGH)
    with pytest.raises(RuntimeError, match="pin 17 is not set up as an input"):
        pins.add_event_detect(17, gpiod_pins.BOTH, print)
    pins.cleanup()


@pytest.mark.parametrize("edge", [31, 32], ids=["rising", "falling"])
def test_one_edge_alone_is_refused(edge: int) -> None:
    with pytest.raises(ValueError, match="allowed: BOTH"):
        Pins().add_event_detect(17, edge, print)


def test_board_numbers_are_refused() -> None:
    gpiod_pins.setmode(gpiod_pins.BCM)
    with pytest.raises(ValueError, match="allowed: BCM"):
        gpiod_pins.setmode(10)


def test_a_failed_request_leaves_nothing_behind() -> None:
    def none() -> str:
        raise RuntimeError("no header chip")

    pins = Pins(none)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="no header chip"):
            pins.setup(17, gpiod_pins.OUT, initial=gpiod_pins.LOW)
    pins.cleanup()


def test_a_check_knows_the_images_library_and_finds_it_fit() -> None:
    found = look((17,), model="Raspberry Pi 5 Model B", kernel="7.3.4", library=(IMAGE, "1"), machine=list)
    assert (found.library, found.fit) == (IMAGE, True)
