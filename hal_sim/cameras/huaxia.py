"""A 华夏智信 Huaxia camera in mode 5: a form per event, pictures in base64 with `-_.` for `+/=`.

Written from the field list of the document V1.12 as surveyed (d1). It opens its relay at whatever `gpio_data` an
answer carries, and pushes again until `error_num` is 0.
"""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

from hal_sim.cameras.event import CameraEvent, Push

PATH = "/camera"
WORDS = {
    "unknown": "", "blue": "蓝色", "yellow": "黄色", "white": "白色", "black": "黑色", "green": "绿色",
    "yellow_green": "黄绿色",
}  # fmt: skip
NO_PLATE = "无牌车"
OFFLINE_FROM = 5
"""Attempts after which the event is told as one of the time without a server."""


class Huaxia:
    def __init__(self, cam_id: str, ip: str = "192.168.55.100") -> None:
        self._cam_id, self._ip = cam_id, ip

    def plate_push(self, event: CameraEvent, attempt: int) -> Push:
        facts = {
            "type": "offline" if attempt >= OFFLINE_FROM else "online",
            "mode": "5",
            "plate_num": event.plate or NO_PLATE,
            "plate_color": WORDS[event.colour] if event.plate else "",
            "car_logo": "大众",
            "car_color": "白色",
            "vehicle_type": "小型车",
            "start_time": str(event.at_ms // 1000),
            "park_id": "1001",
            "cam_id": self._cam_id,
            "cam_ip": self._ip,
        }
        early = "&".join(f"{name}={quote(value, safe='')}" for name, value in facts.items())
        late = ""
        if event.picture is not None:
            late = f"&picture={_safe(event.picture.jpeg)}&closeup_pic={_safe(event.picture.plate_jpeg)}"
        return Push(PATH, "application/x-www-form-urlencoded", early.encode(), late.encode())

    def heartbeat(self, at_ms: int) -> Push:
        body = f"type=heartbeat&mode=5&park_id=1001&cam_id={self._cam_id}&cam_ip={self._ip}"
        return Push(PATH, "application/x-www-form-urlencoded", body.encode(), b"")

    def proper(self, status: int, body: bytes) -> bool:
        try:
            reply = json.loads(body)
        except ValueError:
            return False
        return status == 200 and isinstance(reply, dict) and str(reply.get("error_num")) == "0"

    def opens(self, body: bytes) -> bool:
        """Whether this answer closes the contact of relay 1."""
        for order in json.loads(body).get("gpio_data", []):
            if order.get("ionum") == "io1" and order.get("action") == "on":
                return True
        return False


def _safe(jpeg: bytes) -> str:
    return base64.b64encode(jpeg).decode().replace("+", "-").replace("/", "_").replace("=", ".")
