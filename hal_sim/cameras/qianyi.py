"""A Qianyi (芊熠) camera: AlarmInfoPlate as VZ's with less in it and type numbers of its own.

Written from the one published push: no `plateid`, no `dec*`, no `isoffline`, a serial number of 32 hex digits, pictures
in front of the plate. A car without plate is `_无_`. Its type numbers differ where they matter (11 small and 12 large
new energy; VZ's 11 is Hong Kong). No heartbeat of it is published: it has none here.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from hal_sim.cameras.event import CameraEvent, Push

PATH = "/cgi-bin/plateresult.cgi"
COLOUR_TYPES = {"unknown": 0, "blue": 1, "yellow": 2, "white": 3, "black": 4, "green": 5, "yellow_green": 6}
PLATE_TYPES = {"blue": 1, "black": 2, "yellow": 3, "white": 5, "green": 11, "yellow_green": 12}
NO_PLATE_TEXT = "_无_"


class Qianyi:
    """`names_type_only`: tells the colour by the plate's type alone, as its tables allow."""

    def __init__(self, serial: str, ip: str = "192.168.1.100", *, names_type_only: bool = False) -> None:
        self._serial, self._ip, self._names_type_only = serial, ip, names_type_only

    def plate_push(self, event: CameraEvent, attempt: int) -> Push:
        picture = event.picture
        left, top, right, bottom = picture.plate_box if picture is not None and event.plate else (0, 0, 0, 0)
        full = picture.jpeg if picture is not None else b""
        crop = picture.plate_jpeg if picture is not None else b""
        known = bool(event.plate)
        result: dict[str, Any] = {
            "bright": 0,
            "carBright": 0,
            "carColor": 0,
            "colorType": COLOUR_TYPES[event.colour] if known and not self._names_type_only else 0,
            "colorValue": 0,
            "confidence": 97 if known else 0,
            "direction": 0,
            "imageFile": base64.b64encode(full).decode(),
            "imageFileLen": len(full),
            "imageFragmentFile": base64.b64encode(crop).decode(),
            "imageFragmentFileLen": len(crop),
            "imagePath": "",
            "license": event.plate or NO_PLATE_TEXT,
            "location": {"RECT": {"bottom": bottom, "left": left, "right": right, "top": top}},
            "timeStamp": {"Timeval": {"sec": event.at_ms // 1000, "usec": event.at_ms % 1000 * 1000}},
            "timeUsed": 0,
            "triggerType": 1,
            "type": PLATE_TYPES.get(event.colour, 0) if known else 0,
        }
        alarm = {
            "channel": 0, "deviceName": "IVS", "ipaddr": self._ip, "result": {"PlateResult": result},
            "serialno": self._serial,
        }  # fmt: skip
        body = json.dumps({"AlarmInfoPlate": alarm}, ensure_ascii=False, separators=(",", ":")).encode()
        return Push(PATH, "application/json", body, b"")

    def heartbeat(self, at_ms: int) -> Push:
        raise ValueError("qianyi: no heartbeat is published, set heartbeat_s = 0")

    def proper(self, status: int, body: bytes) -> bool:
        try:
            reply = json.loads(body)
        except ValueError:
            return False
        return status == 200 and isinstance(reply, dict) and "Response_AlarmInfoPlate" in reply
