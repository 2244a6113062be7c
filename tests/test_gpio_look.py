"""`parkbox check` on GPIO: which library drives the pins, whether they are free, and what is said off a Pi."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from drivers import gpio_look
from drivers.gpio_look import GpioLook, Lines, Taken, chips, holder_in, look, model_of
from edge.commands.check import pins_of, run, told
from edge.config.load import load
from tests.config_text import GOOD

PI4, PI5 = "Raspberry Pi 4 Model B Rev 1.4", "Raspberry Pi 5 Model B Rev 1.0"
OLD, NEW = ("RPi.GPIO", "0.7.1"), ("rpi-lgpio", "0.6")
HEADER = Path("/usr/include/linux/gpio.h")


def header_chip(**taken: str) -> list[Lines]:
    held = {int(name[1:]): by for name, by in taken.items()}
    return [Lines("brcmvirt-gpio", lambda pin: "somebody"), Lines("pinctrl-bcm2711", held.get)]


@pytest.mark.parametrize(
    ("model", "kernel", "library", "fit"),
    [
        (PI4, "6.1.21-v8+", OLD, True),
        (PI4, "6.6.31+rpt-rpi-v8", OLD, False),
        (PI4, "6.12.1", OLD, False),
        (PI4, "5.15.0", NEW, True),
        (PI5, "6.1.0", OLD, False),
        (PI5, "6.6.0", NEW, True),
        (PI4, "6.1.0", ("", ""), False),
    ],
)
def test_the_library_must_find_edges_on_this_model_and_kernel(
    model: str, kernel: str, library: tuple[str, str], fit: bool
) -> None:
    seen = look([17], model=model, kernel=kernel, library=library, machine=header_chip)
    assert seen.fit is fit
    assert any(" ! " in line for line in told(seen, [17])) is not fit


def test_pins_that_somebody_holds_are_named_with_who() -> None:
    seen = look([17, 4, 27], model=PI4, kernel="6.1", library=OLD, machine=lambda: header_chip(p4="onewire@0", p27=""))
    assert seen.taken == (Taken(4, "onewire@0"), Taken(27, ""))
    words = "\n".join(told(seen, [4, 17, 27]))
    assert "BCM 4 已被占用 is taken by onewire@0" in words
    assert "BCM 27 已被占用 is taken by ?" in words
    assert "BCM 17 " not in words
    free = told(look([17], model=PI4, kernel="6.1", library=OLD, machine=header_chip), [17])
    assert free == [
        f"  GPIO: RPi.GPIO 0.7.1 ({PI4}, 内核 kernel 6.1)", "    引脚空闲 pins are free: BCM 17 (pinctrl-bcm2711)",
    ]


def test_a_chip_that_may_not_be_read_is_said_and_is_no_claim() -> None:
    def refused() -> list[Lines]:
        raise PermissionError(13, "Permission denied", "/dev/gpiochip0")

    words = told(look([17], model=PI4, kernel="6.1", library=OLD, machine=refused), [17])
    assert "could not be looked at: [Errno 13] Permission denied" in words[-1]
    assert not any("free" in line for line in words)
    assert "no header chip" in look([17], model=PI4, kernel="6.1", library=OLD, machine=list).why


def test_off_a_pi_it_is_said_plainly_and_the_configuration_is_fit_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpio_look, "model_of", lambda: "")
    path = tmp_path / "box.toml"
    path.write_text(GOOD, encoding="utf-8")
    assert run(path) == 0
    out = capsys.readouterr().out
    assert "本机不是树莓派, 未查引脚  this machine is no Raspberry Pi" in out
    assert f"BCM {', '.join(map(str, pins_of(load(path))))};" in out


def test_the_model_is_the_device_trees(tmp_path: Path) -> None:
    tree = tmp_path / "proc/device-tree"
    tree.mkdir(parents=True)
    for name, model in ((PI4, PI4), ("Radxa ROCK 4C+", "")):
        (tree / "model").write_bytes(name.encode() + b"\0")
        assert model_of(tmp_path) == model
    assert model_of(tmp_path / "none") == ""


def test_a_machine_without_chips_has_none(tmp_path: Path) -> None:
    assert list(chips(tmp_path)) == []


def test_the_kernels_own_header_has_these_numbers_and_places(tmp_path: Path) -> None:
    if shutil.which("gcc") is None or not HEADER.exists():
        pytest.skip(f"gcc or {HEADER} is not there: apt-get install gcc linux-libc-dev")
    source = tmp_path / "says.c"
    source.write_text(
        """#include <linux/gpio.h>
#include <stdio.h>
#include <string.h>
int main(void) {
  struct gpio_v2_line_info line; memset(&line, 0, sizeof line);
  printf("%lu %zu %lu %zu\\n", (unsigned long)GPIO_GET_CHIPINFO_IOCTL, sizeof(struct gpiochip_info),
         (unsigned long)GPIO_V2_GET_LINEINFO_IOCTL, sizeof line);
  printf("%zu %llu\\n", __builtin_offsetof(struct gpio_v2_line_info, offset),
         (unsigned long long)GPIO_V2_LINE_FLAG_USED);
  strcpy(line.consumer, "spi0 CS0"); line.flags = GPIO_V2_LINE_FLAG_USED;
  fwrite(&line, sizeof line, 1, stdout);
  line.flags = GPIO_V2_LINE_FLAG_INPUT;
  fwrite(&line, sizeof line, 1, stdout);
  return 0; }""",
        encoding="utf-8",
    )
    subprocess.run(["gcc", "-o", str(tmp_path / "says"), str(source)], check=True)
    said = subprocess.run([str(tmp_path / "says")], check=True, capture_output=True).stdout
    numbers, places, structs = said.split(b"\n", 2)
    assert list(map(int, numbers.split())) == [
        gpio_look.CHIPINFO, gpio_look.CHIPINFO_BYTES, gpio_look.LINEINFO, gpio_look.LINEINFO_BYTES,
    ]  # fmt: skip
    assert list(map(int, places.split())) == [64, gpio_look.USED]
    assert holder_in(structs[: gpio_look.LINEINFO_BYTES]) == "spi0 CS0"
    assert holder_in(structs[gpio_look.LINEINFO_BYTES :]) is None
    assert struct.calcsize("=32s32sIIQ") == 80  # where the attributes begin


def test_what_is_not_known_of_a_look_is_not_claimed() -> None:
    seen = GpioLook("", "6.1", "", "", False, "", "no header chip among /dev/gpiochip*", ())
    assert not any("free" in line or "taken" in line for line in told(seen, [17]))
