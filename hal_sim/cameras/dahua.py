"""A Dahua camera speaking ITSAPI: TollgateInfo with base64 pictures, KeepAlive; it re-sends until
`Result` is true.

Written from the ITSAPI field list as surveyed (5.1 to 5.5). Pictures are written after plate and snap
data, as the published fixture has them; firmwares with pictures first exist too, and every second push is
of that order.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from hal_sim.cameras.event import CameraEvent, Push

PLATE_PATH = "/NotificationInfo/TollgateInfo"
HEARTBEAT_PATH = "/NotificationInfo/KeepAlive"

COLOURS = {
    "unknown": "Other",
    "blue": "Blue",
    "yellow": "Yellow",
    "white": "White",
    "black": "Black",
    "green": "Green",
    "yellow_green": "YellowGreen",
}


class Dahua:
    def __init__(self, device_id: str) -> None:
        self._device_id = device_id

    def plate_push(self, event: CameraEvent, attempt: int) -> Push:
        facts = {"Plate": self._plate(event), "Vehicle": _vehicle(), "SnapInfo": self._snap(event)}
        pictures = _pictures(event)
        plate_first = event.number % 2 == 0
        picture = {**facts, **pictures} if plate_first else {**pictures, **facts}
        body = json.dumps({"Picture": picture}, ensure_ascii=False, separators=(",", ":")).encode()
        cut = body.find(b'"NormalPic"') if plate_first else len(body)
        return Push(PLATE_PATH, "application/json;charset=UTF-8", body[:cut], body[cut:])

    def _plate(self, event: CameraEvent) -> dict[str, Any]:
        picture = event.picture
        box = [0, 0, 0, 0]
        if picture is not None and event.plate:  # a grid of 8192 over the picture
            left, top, right, bottom = picture.plate_box
            box = [
                left * 8192 // picture.width,
                top * 8192 // picture.height,
                right * 8192 // picture.width,
                bottom * 8192 // picture.height,
            ]
        return {
            "IsExist": bool(event.plate),
            "PlateNumber": event.plate,
            "PlateColor": COLOURS[event.colour] if event.plate else "Other",
            "PlateType": "Normal",
            "Confidence": 204 if event.plate else 0,  # 0 to 255
            "BoundingBox": box,
            "UploadNum": event.number,
            "Channel": 0,
            "Region": "CHN",
        }

    def _snap(self, event: CameraEvent) -> dict[str, Any]:
        exact = event.local.strftime("%Y-%m-%d %H:%M:%S.") + f"{event.at_ms % 1000:03d}"
        return {
            "TriggerSource": "Video",
            "SnapTime": exact[:19],
            "AccurateTime": exact,
            "TimeZone": 8,
            "DSTTune": 0,
            "SnapAddress": "",
            "LanNo": 1,
            "Direction": "Obverse",
            "OpenStrobe": False,
            "AllowUser": False,
            "AllowUserEndTime": "",
            "BlockUser": False,
            "BlockUserEndTime": "",
            "DefenceCode": "SIM001",
            "DeviceID": self._device_id,
        }

    def heartbeat(self, at_ms: int) -> Push:
        body = json.dumps({"Active": "keepAlive", "DeviceID": self._device_id}).encode()
        return Push(HEARTBEAT_PATH, "application/json;charset=UTF-8", body, b"")

    def proper(self, status: int, body: bytes) -> bool:
        if status != 200:
            return False
        try:
            reply = json.loads(body)
        except ValueError:
            return False
        return isinstance(reply, dict) and reply.get("Result") is True


def _vehicle() -> dict[str, Any]:
    return {
        "VehicleColor": "Black",
        "VehicleSign": "Volkswagen",
        "VehicleType": "PassengerCar",
        "VehicleSeries": "",
        "Speed": 0,
        "VehicleBoundingBox": [2000, 1000, 5000, 6000],
    }


def _pictures(event: CameraEvent) -> dict[str, Any]:
    if event.picture is None:
        return {}
    stem = event.local.strftime("%Y%m%d%H%M%S") + f"{event.at_ms % 1000:03d}"
    full = base64.b64encode(event.picture.jpeg).decode()
    crop = base64.b64encode(event.picture.plate_jpeg).decode()
    return {
        "NormalPic": {"PicName": f"{stem}.jpg", "Content": full},
        "CutoutPic": {"PicName": f"{stem}_plate.jpg", "Content": crop},
        "VehiclePic": {"PicName": f"{stem}_car.jpg", "Content": crop},
    }
