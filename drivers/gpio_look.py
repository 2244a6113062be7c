"""What would drive the header pins here, and whether they are free: for `parkbox check`, without touching one.

RPi.GPIO finds edges through /sys/class/gpio, which counts lines from another base since kernel 6.6, and knows no RP1,
the Pi 5's chip: there it must be rpi-lgpio, which installs under the same name. Whether a line is taken is asked of the
kernel (GPIO_GET_CHIPINFO, GPIO_V2_GET_LINEINFO of linux/gpio.h): a question, no request; the line stays as it is.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Callable, Iterable
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import NamedTuple

CHIPINFO, CHIPINFO_BYTES = 0x8044B401, 68
LINEINFO, LINEINFO_BYTES = 0xC100B405, 256
USED = 1 << 0
HEADER = ("pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1")
"""Labels of the chips whose lines 0 to 27 are the header's BCM numbers: Pi 1 to 3, 4, 5."""
KERNEL_LGPIO = (6, 6)
OLD, NEW = "RPi.GPIO", "rpi-lgpio"
IMAGE = "parkbox-gpiod"
"""The image's: `drivers.gpiod_pins` under RPi.GPIO's name (image/root)."""


class Taken(NamedTuple):
    """A pin that somebody holds; `by` as the kernel names him, "" when he gave no name."""

    pin: int
    by: str


class GpioLook(NamedTuple):
    model: str
    """Of the Raspberry Pi, "" on any other machine."""
    kernel: str
    library: str
    """The distribution that `import RPi.GPIO` takes, "" without one."""
    version: str
    fit: bool
    """It finds edges on this model and kernel."""
    chip: str
    """The header's chip, "" when none was found or may be read."""
    why: str
    """Why no pin could be looked at, "" when they were."""
    taken: tuple[Taken, ...]


class Lines(NamedTuple):
    """One GPIO chip of the machine. `holder(pin)`: None = free. Raises `OSError`."""

    label: str
    holder: Callable[[int], str | None]


def installed() -> tuple[str, str]:
    """Distribution and version behind `import RPi.GPIO`; empty without one. Imports nothing of it."""
    found = packages_distributions().get("RPi", [])
    name = next((name for name in found if name in {OLD, NEW, IMAGE}), "")
    return (name, version(name)) if name else ("", "")


def chips(dev: Path = Path("/dev")) -> Iterable[Lines]:
    """Raises `OSError` for a chip that may not be opened."""
    for path in sorted(dev.glob("gpiochip*")):
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            info = fcntl.ioctl(fd, CHIPINFO, bytes(CHIPINFO_BYTES))
            yield Lines(text(info[32:64]), lambda pin, fd=fd: holder_in(_line(fd, pin)))  # type: ignore[misc]
        finally:
            os.close(fd)


def _line(fd: int, pin: int) -> bytes:
    asked = bytearray(LINEINFO_BYTES)
    struct.pack_into("=I", asked, 64, pin)
    return fcntl.ioctl(fd, LINEINFO, bytes(asked))


def holder_in(info: bytes) -> str | None:
    """Of a gpio_v2_line_info: name 32, consumer 32, offset 4, attributes 4, flags 8."""
    (flags,) = struct.unpack_from("=Q", info, 72)
    return text(info[32:64]) if flags & USED else None


def text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("ascii", "replace")


def model_of(root: Path = Path("/")) -> str:
    """"" when it is no Raspberry Pi."""
    try:
        name = text((root / "proc/device-tree/model").read_bytes())
    except OSError:
        return ""
    return name if name.startswith("Raspberry Pi") else ""


def must_be_lgpio(model: str, kernel: str) -> bool:
    numbers = [int("".join(char for char in part if char.isdigit()) or 0) for part in kernel.split(".")[:2]]
    return model.startswith("Raspberry Pi 5") or tuple(numbers) >= KERNEL_LGPIO


def look(
    pins: Iterable[int], *, model: str | None = None, kernel: str | None = None,
    library: tuple[str, str] | None = None, machine: Callable[[], Iterable[Lines]] = chips,
) -> GpioLook:  # fmt: skip
    """What is known of these pins (BCM numbers) here."""
    model = model_of() if model is None else model
    kernel = os.uname().release if kernel is None else kernel
    name, number = installed() if library is None else library
    fit = name in {NEW, IMAGE} or (name == OLD and not must_be_lgpio(model, kernel))
    chip, why, taken = "", "", []
    try:
        for lines in machine():
            if lines.label in HEADER:
                chip = lines.label
                taken = [Taken(pin, by) for pin in sorted(pins) if (by := lines.holder(pin)) is not None]
                break
        else:
            why = "no header chip among /dev/gpiochip*"
    except OSError as error:
        why = str(error)
    return GpioLook(model, kernel, name, number, fit, chip, why, tuple(taken))
