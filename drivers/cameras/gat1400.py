"""GA/T 1400 视图库 pushes: the box is the server of `/VIID/System/Register`, `Keepalive`, `UnRegister` and
`/VIID/MotorVehicles`.

Vendors write numbers as strings or numbers and name the outer list differently. A reply never opens anything: the
standard has no such reply. The plate's colour is taken from `PlateClass` (GA/T 16.7), whose codes a published table
proves; `PlateColor`'s codes could not be proven and are not read.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Literal

import msgspec

from drivers.cameras.http import Head
from drivers.cameras.one_look import OneLook
from drivers.cameras.reading import (
    Damaged,
    Message,
    Reading,
    bounded_time_ms,
    event_key,
    is_no_plate,
    plate_text,
)

BEIJING = timezone(timedelta(hours=8))
"""PassTime and LocalTime are local, yyyyMMddHHmmss."""
STAMP = "%Y%m%d%H%M%S"

# GA/T 16.7: 01 large, 02 small, 16 learner's, 23 police, 51 large and 52 small new energy.
_CLASSES = {"01": "yellow", "02": "blue", "16": "yellow", "23": "white", "51": "yellow_green", "52": "green"}
NO_PLATE = ("0", "2")
"""HasPlate: 1 yes; 2, at some makes 0, no."""

VEHICLE, PLATE_CROP = "01", "02"
"""SubImageInfo.Type: the vehicle's large picture, the plate's small one."""

Text = str | int | None


class SubImage(msgspec.Struct):
    type: Text = msgspec.field(default=None, name="Type")
    data: str = msgspec.field(default="", name="Data")


class SubImages(msgspec.Struct):
    images: list[SubImage] = msgspec.field(default_factory=list, name="SubImageInfoObject")


class Vehicle(msgspec.Struct):
    id: Text = msgspec.field(default=None, name="MotorVehicleID")
    device: Text = msgspec.field(default=None, name="DeviceID")
    has_plate: Text = msgspec.field(default=None, name="HasPlate")
    plate_class: Text = msgspec.field(default=None, name="PlateClass")
    plate: str | None = msgspec.field(default=None, name="PlateNo")
    time: Text = msgspec.field(default=None, name="PassTime")
    images: SubImages = msgspec.field(default_factory=SubImages, name="SubImageList")


class Vehicles(msgspec.Struct):
    vehicles: list[Vehicle] = msgspec.field(default_factory=list, name="MotorVehicleObject")


class Device(msgspec.Struct):
    device: Text = msgspec.field(default=None, name="DeviceID")


class Document(msgspec.Struct):
    vehicles: Vehicles | None = msgspec.field(default=None, name="MotorVehicleListObject")
    vehicles_too: Vehicles | None = msgspec.field(default=None, name="MotorVehicleObjectList")
    alive: Device | None = msgspec.field(default=None, name="KeepaliveObject")
    register: Device | None = msgspec.field(default=None, name="RegisterObject")
    unregister: Device | None = msgspec.field(default=None, name="UnRegisterObject")


_DECODER = msgspec.json.Decoder(Document)


class GatMessage(msgspec.Struct, frozen=True, kw_only=True):
    kind: Literal["plate", "alive", "other"]
    serial: str
    what: str
    url: str
    wall_s: float
    vehicle: Vehicle = msgspec.field(default_factory=Vehicle)
    has_picture: bool = False

    def reading(self, vendor: str) -> Reading:
        if vendor != "gat1400":
            raise Damaged(f"a GA/T 1400 push from a camera configured as {vendor}")
        vehicle = self.vehicle
        raw = plate_text(vehicle.plate, "PlateNo")
        return Reading(
            event_id=event_key(_text(vehicle.id)),
            plate_raw=raw,
            no_plate=_text(vehicle.has_plate) in NO_PLATE or is_no_plate(raw),
            colour=_CLASSES.get(_text(vehicle.plate_class).zfill(2), "unknown"),
            camera_time_ms=_time_ms(_text(vehicle.time)),
            picture=self.has_picture,
        )

    def reply(self, vendor: str, opened: bool) -> bytes:
        at = datetime.fromtimestamp(self.wall_s, BEIJING).strftime(STAMP)
        status = {"RequestURL": self.url, "StatusCode": "0", "StatusString": "OK"}
        status |= {"Id": _text(self.vehicle.id) or self.serial, "LocalTime": at}
        return msgspec.json.encode({"ResponseStatusObject": status})


def _text(value: Text) -> str:
    return "" if value is None else str(value).strip()


def _time_ms(text: str) -> int:
    try:
        return bounded_time_ms(datetime.strptime(text, STAMP).replace(tzinfo=BEIJING).timestamp() * 1000)
    except ValueError:
        return -1


class GatPush:
    """One JSON body while it arrives."""

    def __init__(self, head: Head, *, serial_needed: bool, wall_s: Callable[[], float] = time.time) -> None:
        self._url = head.path.partition("?")[0][:200]
        self._sender = head.fields.get("user-identify", "")[:60]
        self._serial_needed = serial_needed
        self._wall_s = wall_s()
        self._look = OneLook("Data")
        self._scene = ""

    def early(self, body: bytearray, have: int) -> Message | None:
        """As soon as the first picture begins, if it stands behind the plate."""
        text = self._look.before(body, have)
        if text is None:
            return None
        try:
            message = self._understand(text)
        except Damaged:
            return None  # the whole body will say so
        vehicle = message.vehicle
        known = None not in (vehicle.id, vehicle.plate, vehicle.has_plate, vehicle.plate_class, vehicle.time)
        enough = message.kind == "plate" and known and (message.serial or not self._serial_needed)
        return msgspec.structs.replace(message, has_picture=True) if enough else None

    def finish(self, body: bytearray, have: int) -> Message:
        message = self._understand(self._look.whole(body, have))
        self._scene = _scene(message.vehicle.images.images)
        return msgspec.structs.replace(message, has_picture=self._look.has(self._scene))

    def picture(self, body: bytearray) -> bytes | None:
        return self._look.picture(body, self._scene)

    def _understand(self, text: str) -> GatMessage:
        try:
            document = _DECODER.decode(text)
        except (msgspec.MsgspecError, RecursionError) as error:
            raise Damaged(f"JSON: {error}"[:200]) from None
        found = document.vehicles or document.vehicles_too
        if found is not None:
            if len(found.vehicles) != 1:
                raise Damaged(f"MotorVehicleObject: {len(found.vehicles)} vehicles in one post, allowed is 1")
            (vehicle,) = found.vehicles
            if vehicle.plate is None and _text(vehicle.has_plate) not in NO_PLATE:
                raise Damaged("MotorVehicleObject.PlateNo is missing")
            return self._said("plate", "MotorVehicles", vehicle.device, vehicle)
        if document.alive is not None:
            return self._said("alive", "Keepalive", document.alive.device)
        if document.register is not None:
            return self._said("other", "Register", document.register.device)
        if document.unregister is not None:
            return self._said("other", "UnRegister", document.unregister.device)
        return self._said("other", self._url.rpartition("/")[2][:40] or "unknown", None)

    def _said(
        self, kind: Literal["plate", "alive", "other"], what: str, device: Text, vehicle: Vehicle | None = None
    ) -> GatMessage:
        return GatMessage(
            kind=kind, what=what, serial=_text(device) or self._sender, url=self._url, wall_s=self._wall_s,
            vehicle=vehicle or Vehicle(),
        )  # fmt: skip


def _scene(images: list[SubImage]) -> str:
    """The mark of the vehicle's picture, else of any other that is not the plate's crop."""
    with_data = [image for image in images if image.data]
    for image in with_data:
        if _text(image.type).zfill(2) == VEHICLE:
            return image.data
    return next((image.data for image in with_data if _text(image.type).zfill(2) != PLATE_CROP), "")
