"""A camera that speaks GA/T 1400: MotorVehicles with base64 pictures, Keepalive; written from the survey (d5).

Every second push writes its numbers as strings, as some makes do.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from hal_sim.cameras.event import CameraEvent, Push

CONTENT_TYPE = "application/VIID+JSON;charset=utf-8"
CLASSES = {"blue": "02", "yellow": "01", "white": "23", "green": "52", "yellow_green": "51"}


class Gat1400:
    def __init__(self, device_id: str) -> None:
        self._device_id = device_id

    def plate_push(self, event: CameraEvent, attempt: int) -> Push:
        stamp = event.local.strftime("%Y%m%d%H%M%S")
        number: Any = 1 if event.number % 2 else "1"
        vehicle: dict[str, Any] = {
            "MotorVehicleID": f"{self._device_id}02{stamp}{event.number % 100_000:05d}02{event.number % 100_000:05d}",
            "InfoKind": number,
            "SourceID": f"{self._device_id}02{stamp}{event.number % 100_000:05d}",
            "DeviceID": self._device_id,
            "LaneNo": number,
            "HasPlate": ("1" if event.plate else "2") if event.number % 2 else (1 if event.plate else 2),
            "PlateClass": CLASSES.get(event.colour, "99") if event.plate else "99",
            "PlateColor": "99",
            "PlateNo": event.plate,
            "PassTime": stamp,
        }
        if event.picture is not None:
            pictures = (("01", event.picture.jpeg), ("02", event.picture.plate_jpeg))
            vehicle["SubImageList"] = {"SubImageInfoObject": [
                {"ImageID": f"{stamp}{kind}", "DeviceID": self._device_id, "Type": kind, "FileFormat": "Jpeg",
                 "ShotTime": stamp, "Data": base64.b64encode(data).decode()}
                for kind, data in pictures
            ]}  # fmt: skip
        document = {"MotorVehicleListObject": {"MotorVehicleObject": [vehicle]}}
        body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        cut = body.find(b'"Data"') + len(b'"Data":"') + 1 if event.picture is not None else len(body)
        return self._push("/VIID/MotorVehicles", body[:cut], body[cut:])

    def heartbeat(self, at_ms: int) -> Push:
        body = json.dumps({"KeepaliveObject": {"DeviceID": self._device_id}}).encode()
        return self._push("/VIID/System/Keepalive", body, b"")

    def _push(self, path: str, early: bytes, late: bytes) -> Push:
        return Push(path, CONTENT_TYPE, early, late, (("User-Identify", self._device_id),))

    def proper(self, status: int, body: bytes) -> bool:
        try:
            said = json.loads(body)["ResponseStatusObject"]["StatusCode"]
        except (ValueError, KeyError, TypeError):
            return False
        return status == 200 and str(said) == "0"
