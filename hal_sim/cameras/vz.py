"""A VZ camera (R5): AlarmInfoPlate as UTF-8 JSON with base64 pictures, multipart heartbeat.

Written from the VZ HTTP push manual as surveyed: JSON members as in its R5 sample. Firmwares differ in
the order of members, so both orders occur: alphabetical (picture before plate, serial last) and plate
first with the pictures at the end.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from hal_sim.cameras.event import CameraEvent, Push

PLATE_PATH = "/devicemanagement/php/plateresult.php"
HEARTBEAT_PATH = "/devicemanagement/php/receivedeviceinfo.php"

COLOUR_TYPES = {"unknown": 0, "blue": 1, "yellow": 2, "white": 3, "black": 4, "green": 5, "yellow_green": 6}
PLATE_TYPES = {"blue": 1, "yellow": 3, "white": 5, "black": 2, "green": 19, "yellow_green": 20}
NO_PLATE_TEXT = "_无_"
NO_PLATE_TYPE = 31  # car without plate

RESENDS_BEFORE_OFFLINE = 4
"""The camera's setting allows 0 to 4; after them the record is kept and pushed later with isoffline 1."""


class Vz:
    def __init__(self, serial: str, ip: str = "192.168.1.101") -> None:
        self._serial, self._ip = serial, ip

    def plate_push(self, event: CameraEvent, attempt: int) -> Push:
        result = self._result(event, attempt)
        plate_first = event.number % 2 == 0
        envelope: dict[str, Any] = {
            "channel": 0,
            "deviceName": "R5-V1.0",
            "ipaddr": self._ip,
            "result": {"PlateResult": result},
            "rule_id": 1,
            "serialno": self._serial,
            "user_data": "",
        }
        if plate_first:
            pictures = {name: result.pop(name) for name in tuple(result) if name.startswith("image")}
            result.update(pictures)
            rest = envelope.pop("result")
            envelope["result"] = rest
        text = json.dumps({"AlarmInfoPlate": envelope}, ensure_ascii=False, separators=(",", ":"))
        body = text.encode()
        cut = body.find(b'"imageFile"') if plate_first else len(body)
        return Push(PLATE_PATH, "application/json", body[:cut], body[cut:])

    def _result(self, event: CameraEvent, attempt: int) -> dict[str, Any]:
        picture = event.picture
        left, top, right, bottom = picture.plate_box if picture is not None and event.plate else (0, 0, 0, 0)
        rect = {"bottom": bottom, "left": left, "right": right, "top": top}
        plate = event.plate or NO_PLATE_TEXT
        colour = COLOUR_TYPES[event.colour] if event.plate else 0
        kind = PLATE_TYPES.get(event.colour, 0) if event.plate else NO_PLATE_TYPE
        at = event.local
        full = picture.jpeg if picture is not None else b""
        crop = picture.plate_jpeg if picture is not None else b""
        return {
            "bright": 0,
            "carBright": 0,
            "carColor": 255,
            "car_brand": {"brand": 255, "type": 255, "year": 65535},
            "carlocation": {"RECT": {"bottom": 0, "left": 0, "right": 0, "top": 0}},
            "clean_time": 0,
            "colorType": colour,
            "colorValue": 0,
            "confidence": 96 if event.plate else 0,
            "direction": 4,
            "feature_code": True,
            "imageFile": base64.b64encode(full).decode(),
            "imageFileLen": len(full),
            "imageFragmentFile": base64.b64encode(crop).decode(),
            "imageFragmentFileLen": len(crop),
            "gioouts": [{"ctrltype": 0, "ionum": str(number)} for number in range(3)],
            "is_fake_plate": 0,
            "isoffline": int(attempt > RESENDS_BEFORE_OFFLINE),
            "license": plate,
            "license_ext_type": 0,
            "location": {"RECT": rect},
            "plate_distance": 0,
            "plate_true_width": 25,
            "plateid": event.number,
            "plates": [
                {
                    "color": colour,
                    "license": plate,
                    "plate_width": right - left,
                    "pos": dict(rect),
                    "type": kind,
                }
            ],
            "timeStamp": {
                "Timeval": {
                    "decday": at.day,
                    "dechour": at.hour,
                    "decmin": at.minute,
                    "decmon": at.month,
                    "decsec": at.second,
                    "decyear": at.year,
                    "sec": event.at_ms // 1000,
                    "usec": event.at_ms % 1000 * 1000,
                }
            },
            "timeUsed": 0,
            "triggerType": 2,  # by IO: the loop's contact is wired to the camera too
            "type": kind,
        }

    def heartbeat(self, at_ms: int) -> Push:
        boundary = "------------------------caa771fe4a61f3d9"
        fields = {
            "device_name": "IVS",
            "ipaddr": self._ip,
            "port": "80",
            "user_name": "admin",
            "pass_wd": "admin",
            "serialno": self._serial,
            "channel_num": "1",
        }
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in fields.items()
        ]
        body = ("".join(parts) + f"--{boundary}--\r\n").encode()
        return Push(HEARTBEAT_PATH, f"multipart/form-data; boundary={boundary}", body, b"")

    def proper(self, status: int, body: bytes) -> bool:
        if status != 200:
            return False
        try:
            reply = json.loads(body)
        except ValueError:
            return False
        return isinstance(reply, dict) and "Response_AlarmInfoPlate" in reply


def serial_out(reply: bytes) -> dict[int, list[bytes]]:
    """What a reply makes the camera send out of its serial channels: base64 decoded strictly, cut to `dataLen`."""
    found: dict[int, list[bytes]] = {}
    response = json.loads(reply).get("Response_AlarmInfoPlate", {})
    for one in response.get("serialData", []):
        data = base64.b64decode(one["data"], validate=True)[: one["dataLen"]]
        found.setdefault(one["serialChannel"], []).append(data)
    return found
