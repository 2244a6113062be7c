"""QEMU's raspi3b: the board's own pins, card reader, USB and serial port, started from the image as it is flashed.

What differs from a board in the rain. QEMU runs no VideoCore firmware, so the kernel, initramfs and device tree of slot
A are handed to it, read out of the card's image, with the slot's own command line; config.txt has no say (its pulls).
The board's watchdog is left out (`LEFT_OUT`). Ethernet is a USB adapter, as the board's own chip is one.
"""

from __future__ import annotations

import subprocess
import threading
from pathlib import Path
from typing import Self

from tests.image_machine import BOOT_OFFSET, Machine

SLOT_OFFSET = BOOT_OFFSET + 131072 * 512
"""image/common: A_START."""
LEFT_OUT = "module_blacklist=bcm2835_wdt"
"""QEMU resets the machine in the moment in which this watchdog is armed, where the chip begins to count (10.0)."""
SHELL = "systemd.debug-shell=1 systemd.default_debug_tty=ttyS1 systemd.log_color=0"
BOOT_FILES = ("vmlinuz", "initrd.img", "bcm2837-rpi-3-b.dtb", "cmdline.txt")

REGISTERS = 0x3F200000
"""BCM2835 ARM Peripherals, 6.1: GPIO, at the address of the BCM2837."""
FUNCTION_SELECT, LEVEL = 0x00, 0x34
OUTPUT = 1


class Pi3(Machine):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder, size_gib=1)  # QEMU wants a power of two, and writes to its card reader are slow
        for name in BOOT_FILES:
            source = ["-i", f"{self.card}@@{SLOT_OFFSET}", f"::{name}"]
            subprocess.run(["mcopy", "-o", *source, str(folder / name)], check=True)

    def hardware(self) -> list[str]:
        words = (self.folder / "cmdline.txt").read_text("ascii").strip()
        return [
            "-M", "raspi3b", "-kernel", str(self.folder / "vmlinuz"), "-initrd", str(self.folder / "initrd.img"),
            "-dtb", str(self.folder / "bcm2837-rpi-3-b.dtb"), "-append", f"{words} {SHELL} {LEFT_OUT}",
            "-drive", f"if=sd,format=raw,file={self.card},cache=writeback",
            "-serial", "null", "-serial", "chardev:shell", "-device", "usb-net,netdev=net",
        ]  # fmt: skip

    def console(self) -> str:
        return "(a screen that nobody reads)"

    def function(self, pin: int) -> int:
        """What QEMU's chip was told that the pin is."""
        return self.monitor.word(REGISTERS + FUNCTION_SELECT + pin // 10 * 4) >> pin % 10 * 3 & 7

    def level(self, pin: int) -> int:
        """Of QEMU's chip, asked without the guest."""
        return self.monitor.word(REGISTERS + LEVEL) >> pin & 1


class Relays:
    """What the chip's pins did, one row a change: for each pin whether it was driven high. From a thread that asks all
    the time, so that nobody has to be there at the right moment; nobody else may use the monitor meanwhile."""

    EVERY_S = 0.02
    """A pulse is 3 s of the guest's time."""

    def __init__(self, machine: Pi3, *pins: int) -> None:
        self._machine, self._pins = machine, pins
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._look, name="relays")
        self.rows: list[tuple[bool, ...]] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stopping.wait(self.EVERY_S):
            row = tuple(self._machine.function(pin) == OUTPUT and self._machine.level(pin) == 1 for pin in self._pins)
            if row not in self.rows[-1:]:
                self.rows.append(row)
