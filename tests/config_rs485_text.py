"""Lines and signs of RS485 as text of a configuration."""

from __future__ import annotations

LINES = """
[[line]]
id = "rs485-1"
device = "/dev/serial/by-id/usb-1"
"""
SIGN = """
[[lane.sign]]
id = "sign-out"
line = "rs485-1"
model = "olm"
"""
CAMERA_LINE = """
[[line]]
id = "rs485-1"
camera = "cam-in1"
"""
