"""An RK camera with http_post_v5: AlarmInfoPlate in GB2312 under a header that says UTF-8, `seriaIno` at the end.

Members and their order are those that the published firmware source generates at `data_type` 0; its reply handler
is followed in `opens`, "close" included, which in one version of it opens.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from hal_sim.cameras.event import CameraEvent, Push

PATH = "/cgi-bin/HTTP_Test1.cgi"
WORDS = {
    "unknown": "", "blue": "蓝色", "yellow": "黄色", "white": "白色", "black": "黑色", "green": "绿色",
    "yellow_green": "黄绿",
}  # fmt: skip
CODES = {"unknown": 0, "blue": 1, "yellow": 2, "white": 3, "black": 4, "green": 5, "yellow_green": 6}
TRIES = 3
"""`push_num`: after so many the result goes to the store and comes again with resultType 1."""


class RkV5:
    def __init__(self, rom: str, ip: str = "192.168.1.100") -> None:
        self._rom, self._ip = rom, ip

    def plate_push(self, event: CameraEvent, attempt: int) -> Push:
        picture = event.picture
        left, top, right, bottom = picture.plate_box if picture is not None and event.plate else (0, 0, 0, 0)
        full = base64.b64encode(picture.jpeg).decode() if picture is not None else ""
        crop = base64.b64encode(picture.plate_jpeg).decode() if picture is not None else ""
        colour = CODES[event.colour] if event.plate else 0
        result: dict[str, Any] = {
            "bright": 0,
            "carBright": 0,
            "carColor": 0,
            "colorType": colour,
            "colorValue": colour,
            "confidence": 95 if event.plate else 0,
            "direction": 0,
            "imagePath": "",
            "license": event.plate,
            "location": {"RECT": {"bottom": bottom, "left": left, "right": right, "top": top}},
            "timeStamp": {"TimeVal": {"sec": 0, "usec": 0}},
            "timeUsed": 30,
            "triggerType": 1,
            "type": 0,
            "platecolor": WORDS[event.colour] if event.plate else "",
            "carLogo": 0,
            "CarType": 0,
            "plateBright": 0,
            "recotime": event.local.strftime("%Y-%m-%d %H:%M:%S"),
            "imageFile": full,
            "imageFileLen": len(full),
            "imageFragmentFile": crop,
            "imageFragmentFileLen": len(crop),
        }
        alarm = {
            "resultType": int(attempt >= TRIES),
            "channel": 0,
            "deviceName": "IVS",
            "ipaddr": self._ip,
            "result": {"PlateResult": result},
            "seriaIno": self._rom,
            "romid": self._rom,
            "sn": "SN0001",
            "nParkID": 1,
            "ParkID": "1",
            "ParkName": "",
            "ParkDoor": "",
        }
        # cJSON_Print: tabs and line ends
        text = json.dumps({"AlarmInfoPlate": alarm}, ensure_ascii=False, indent="\t")
        body = text.encode("gb18030")
        cut = body.index(b'"imageFile"') + len(b'"imageFile": "') + 1 if full else len(body)
        return Push(PATH, "application/json;charset=UTF-8", body[:cut], body[cut:])

    def heartbeat(self, at_ms: int) -> Push:
        body = json.dumps({"KeepAlive": {"ROMID": self._rom, "SN": "SN0001", "ipaddr": self._ip}}).encode()
        return Push(PATH, "application/json;charset=UTF-8", body, b"")

    def proper(self, status: int, body: bytes) -> bool:
        try:
            reply = json.loads(body)
        except ValueError:
            return False
        return status == 200 and isinstance(reply, dict) and isinstance(reply.get("Response"), dict)

    def opens(self, body: bytes) -> bool:
        """Whether this answer moves the barrier's relay."""
        response = json.loads(body).get("Response", {})
        action = response.get("barrier_control", {}).get("action")
        return action in ("open", "close") or response.get("Open") == 1
