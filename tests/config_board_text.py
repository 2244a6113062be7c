"""A lane on an RS485 board as text of a configuration."""

from __future__ import annotations

from tests.config_text import GOOD

TEMPLATE = """
[[line]]
id = "bus"
device = "{tty}"
baud = 115200

[[board]]
id = "relays"
line = "bus"
model = "waveshare_relay_d"
"""
BOARDS = TEMPLATE.format(tty="/dev/ttyUSB0")
BARRIER = """driver = "board"
board = "relays"
open_relay = 0
close_relay = 1
limit_up_input = 2
pulse_ms = 500
"""
LOOPS = """driver = "board"
board = "relays"
arrival_input = 0
safety_input = 1
debounce_ms = 0
"""


def one_lane(barrier: str = BARRIER, loops: str = LOOPS, boards: str = BOARDS) -> str:
    """The shipped configuration with one lane, on a board."""
    head = GOOD[: GOOD.index("[[lane]]")].replace("emergency_pin = 26", "")
    lane = GOOD[GOOD.index("[[lane]]") : GOOD.index("[lane.barrier]")]
    camera = GOOD[GOOD.index("[[lane.camera]]") :]
    camera = camera[: camera.index("[[lane]]")]
    return f"{head}{lane}[lane.barrier]\n{barrier}[lane.loops]\n{loops}{camera}{boards}"
