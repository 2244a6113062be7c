"""`parkbox check CONFIG`: what the configuration says, and what this machine has for its header pins."""

from __future__ import annotations

import sys
from pathlib import Path

from drivers.gpio_look import NEW, OLD, GpioLook, look, must_be_lgpio
from edge.config.check import explain, summary
from edge.config.issues import ConfigError
from edge.config.load import load
from edge.config.model import Config

PINS = ("open_pin", "close_pin", "stop_pin", "limit_up_pin", "limit_down_pin", "arrival_pin", "safety_pin")


def run(path: Path) -> int:
    """Exit code: 0 fit to run, 2 not. What the machine lacks is said and is no error: it may be another one."""
    try:
        config = load(path)
    except ConfigError as error:
        print(explain(error), file=sys.stderr)
        return 2
    lines = summary(config)
    if pins := pins_of(config):
        lines += told(look(pins), pins)
    print("\n".join(lines))
    return 0


def pins_of(config: Config) -> list[int]:
    """BCM numbers that the configuration uses, in order."""
    found = {getattr(section, name, None) for lane in config.lane for section in (lane.barrier, lane.loops)
             for name in PINS}  # fmt: skip
    return sorted(pin for pin in {*found, config.gpio.emergency_pin} if pin is not None)


def told(seen: GpioLook, pins: list[int]) -> list[str]:
    """In words: the library, then the pins."""
    named = ", ".join(map(str, pins))
    if not seen.model:
        return [
            "  GPIO: 本机不是树莓派, 未查引脚  this machine is no Raspberry Pi: its pins were not looked at",
            f"    BCM {named}; Pi 5 或内核 >= 6.6 用 {NEW}, 其余用 {OLD}  {NEW} on a Pi 5 or kernel >= 6.6, else {OLD}",
        ]
    machine = f"{seen.model}, 内核 kernel {seen.kernel}"
    needs = must_be_lgpio(seen.model, seen.kernel)
    lines = [f"  GPIO: {seen.library} {seen.version} ({machine})" if seen.library else f"  GPIO: {machine}"]
    if not seen.library:
        wanted = NEW if needs else f"{OLD} 或 or {NEW}"
        lines.append(f"    ! 没有 GPIO 库, 请安装  no GPIO library, install: {wanted}")
    elif not seen.fit:
        lines.append(f"    ! {OLD} 在此机型或内核上检测不到边沿, 请换成  finds no edges on this machine, use: {NEW}")
    if seen.why:
        lines.append(f"    ! 未能查引脚 pins could not be looked at: {seen.why}")
    elif seen.taken:
        lines += [f"    ! BCM {one.pin} 已被占用 is taken by {one.by or '?'} ({seen.chip})" for one in seen.taken]
        lines.append("      车道程序正在运行时由它占用  a running lane program holds its own")
    else:
        lines.append(f"    引脚空闲 pins are free: BCM {named} ({seen.chip})")
    return lines
