"""A Hikvision lot camera: ISAPI ANPR event as multipart, XML part first, then the pictures as they are.

Written from a DS-TCG405-E body as surveyed, element by element and with the vendor's own typos
(`vehicelRect`, `palteTypeByGAT`), and from measured headers (`boundary=boundary`, Content-Length in every
part). Chinese plates carry their colour as a prefix.
"""

from __future__ import annotations

from hal_sim.cameras.event import CameraEvent, Push

PLATE_PATH = "/anpr"
BOUNDARY = "boundary"

COLOURS = {
    "unknown": "unknown",
    "blue": "blue",
    "yellow": "yellow",
    "white": "white",
    "black": "black",
    "green": "newEnergyGreen",
    "yellow_green": "newEnergyYellowGreen",
}
PREFIXES = {"blue": "蓝", "yellow": "黄", "white": "白", "black": "黑", "green": "绿", "yellow_green": "黄绿"}
NO_PLATE_TEXT = "noPlate"

_HEAD = (
    "pilotsafebelt",
    "vicepilotsafebelt",
    "pilotsunvisor",
    "vicepilotsunvisor",
    "envprosign",
    "dangmark",
    "uphone",
    "pendant",
    "tissueBox",
    "frontChild",
    "label",
    "smoking",
    "perfumeBox",
    "pdvs",
    "helmet",
    "decoration",
)


def _tags(values: dict[str, object]) -> str:
    return "".join(f"<{name}>{value}</{name}>\n" for name, value in values.items())


def _inside(name: str, inner: str) -> str:
    return f"<{name}>\n{inner}</{name}>\n"


class Hikvision:
    """`serial` is the part of deviceUUID after the model; `ip` and `mac` name it too."""

    def __init__(
        self, serial: str, ip: str = "192.168.1.102", mac: str = "44:a6:42:f3:2a:d7", path: str = PLATE_PATH
    ) -> None:
        self._serial, self._ip, self._mac, self._path = serial, ip, mac, path

    def plate_push(self, event: CameraEvent, attempt: int) -> Push:
        xml = self._xml(event, posts=attempt + 1).encode()
        early = f"--{BOUNDARY}\r\n".encode() + _part("anpr.xml", "text/xml", xml)
        late = b""
        if event.picture is not None:
            pictures = (
                ("licensePlatePicture.jpg", event.picture.plate_jpeg),
                ("detectionPicture.jpg", event.picture.jpeg),
            )
            for name, jpeg in pictures:
                late += f"--{BOUNDARY}\r\n".encode() + _part(name, "image/jpeg", jpeg)
        # The boundary after the XML part tells the reader that it is whole.
        end = f"--{BOUNDARY}--\r\n".encode()
        mark = f"--{BOUNDARY}\r\n".encode()
        early, late = (early + mark, late[len(mark) :] + end) if late else (early + end, b"")
        return Push(
            self._path, f"multipart/form-data; boundary={BOUNDARY}", early, late, (("Connection", "close"),)
        )

    def document(self, event: CameraEvent) -> bytes:
        """The event alone, as a stream tells it."""
        return self._xml(event, posts=0).encode()

    def heartbeat(self, at_ms: int) -> Push:
        event = CameraEvent(0, "", "", "unknown", at_ms, None)
        xml = (
            self._envelope(event, 0, "videoloss", "inactive", "videoloss alarm") + "</EventNotificationAlert>"
        )
        return Push(
            self._path, 'application/xml; charset="UTF-8"', xml.encode(), b"", (("Connection", "close"),)
        )

    def proper(self, status: int, body: bytes) -> bool:
        return status == 200

    def _envelope(self, event: CameraEvent, posts: int, kind: str, state: str, text: str) -> str:
        time = event.local.strftime("%Y-%m-%dT%H:%M:%S.") + f"{event.at_ms % 1000:03d}+08:00"
        return (
            '<?xml version="1.0" encoding="utf-8"?>\n'
            '<EventNotificationAlert version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">\n'
            + _tags(
                {
                    "ipAddress": self._ip,
                    "ipv6Address": "::",
                    "protocol": "HTTP",
                    "macAddress": self._mac,
                    "dynChannelID": 1,
                    "channelID": 1,
                    "dateTime": time,
                    "activePostCount": posts,
                    "eventType": kind,
                    "eventState": state,
                    "eventDescription": text,
                    "channelName": "IP CAPTURE CAMERA",
                    "deviceID": 88,
                }
            )
        )

    def _xml(self, event: CameraEvent, posts: int) -> str:
        plate = PREFIXES.get(event.colour, "") + event.plate if event.plate else NO_PLATE_TEXT
        anpr = (
            _tags(
                {
                    "country": 59,
                    "licensePlate": plate,
                    "line": 1,
                    "direction": "forward",
                    "confidenceLevel": 98 if event.plate else 0,
                    "plateType": "unknown",
                    "plateColor": COLOURS[event.colour] if event.plate else "unknown",
                    "tailandStateID": 1,
                    "licenseBright": 173,
                }
            )
            + _tags(dict.fromkeys(_HEAD, "unknown"))
            + _tags(
                {
                    "pilotmask": "",
                    "vicepilotMask": "",
                    "plateCharBelieve": ",".join(["99"] * max(1, len(event.plate))),
                    "speedLimit": 0,
                }
            )
            + _inside(
                "illegalInfo", _tags({"illegalCode": 0, "illegalName": "Normal", "illegalDescription": ""})
            )
            + _tags(
                {
                    "vehicleType": "SUVMPV",
                    "featurePicFileName": 1,
                    "detectDir": 8,
                    "relaLaneDirectionType": 0,
                    "detectType": 1,
                    "barrierGateCtrlType": 1,
                    "alarmDataType": 0,
                    "dwIllegalTime": 0,
                }
            )
            + _VEHICLE_INFO
            + _inside("pictureInfoList", self._pictures(event))
            + _tags({"listType": "temporary", "originalLicensePlate": plate})
        )
        pictures = 0 if event.picture is None else 2
        return (
            self._envelope(event, posts, "ANPR", "active", "ANPR")
            + _inside("ANPR", anpr)
            + _tags(
                {"UUID": event.uuid, "picNum": pictures, "monitoringSiteID": "", "monitorDescription": ""}
            )
            + _GPS
            + _tags({"carDirectionType": 0, "deviceUUID": f"DS-TCG405-E {self._serial}"})
            + _inside(
                "VehicleGATInfo",
                _tags(
                    {
                        "palteTypeByGAT": 2,
                        "plateColorByGAT": -1,
                        "vehicleTypeByGAT": "K33",
                        "colorByGAT": "K",
                    }
                ),
            )
            + "</EventNotificationAlert>"
        )

    def _pictures(self, event: CameraEvent) -> str:
        picture = event.picture
        if picture is None:
            return ""
        left, top, right, bottom = picture.plate_box if event.plate else (0, 0, 0, 0)
        time = event.local.strftime("%Y%m%d%H%M%S") + f"{event.at_ms % 1000:03d}"
        plate = {  # a grid of 1000 over the picture
            "X": left * 1000 // picture.width,
            "Y": top * 1000 // picture.height,
            "width": (right - left) * 1000 // picture.width,
            "height": (bottom - top) * 1000 // picture.height,
        }
        empty = _tags({"x": 0, "y": 0, "width": 0, "height": 0})
        scene = (
            _tags(
                {
                    "fileName": "detectionPicture.jpg",
                    "type": "detectionPicture",
                    "dataType": 0,
                    "absTime": time,
                }
            )
            + _inside("plateRect", _tags(dict(plate)))
            + _inside("vehicelRect", _tags({"X": 271, "Y": 0, "width": 425, "height": 426}))
            + "".join(_inside(name, empty) for name in ("PilotRect", "VicepilotRect", "VehicelWindowRect"))
            + _tags({"capturePicSecurityCode": ""})
        )
        crop = _tags({"fileName": "licensePlatePicture.jpg", "type": "licensePlatePicture", "dataType": 0})
        return _inside("pictureInfo", scene) + _inside("pictureInfo", crop)


def _part(name: str, kind: str, data: bytes) -> bytes:
    head = (
        f'Content-Disposition: form-data; name="{name}"; filename="{name}"\r\n'
        f"Content-Type: {kind}\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data + b"\r\n"


_VEHICLE_INFO = _inside(
    "vehicleInfo",
    _tags(
        {
            "index": 0,
            "vehicleType": 1,
            "colorDepth": 0,
            "color": "unknown",
            "speed": 0,
            "length": 0,
            "vehicleLogoRecog": 0,
            "vehileSubLogoRecog": 0,
            "vehileModel": 0,
        }
    )
    + _inside("CarWindowFeature", _tags(dict.fromkeys(("tempPlate", "passCard", "carCard"), "unknown")))
    + _inside("CarBodyFeature", _tags(dict.fromkeys(("sparetire", "rack", "sunRoof", "words"), "unknown")))
    + _tags({"vehicleUseType": "unknown"}),
)

_ZERO_ANGLE = _tags({"degree": 0, "minute": 0, "sec": "0.000000"})
_GPS = _inside(
    "DeviceGPSInfo",
    _tags({"longitudeType": "E", "latitudeType": "S"})
    + _inside("Longitude", _ZERO_ANGLE)
    + _inside("Latitude", _ZERO_ANGLE),
)
