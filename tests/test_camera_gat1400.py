"""GA/T 1400 pushes: the published vehicle, registration and keep-alive, vendors' variants, damage."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from hal_sim.cameras.event import CameraEvent
from hal_sim.cameras.gat1400 import Gat1400
from hal_sim.cameras.pictures import Painter
from tests.camera_rig import JPEG, Answer, Rig, camera, play, post, vector

VEHICLES = vector("gat1400/POST_VIID_MotorVehicles.json")
DEVICE = "65010000001190000001"
PAINTER = Painter(1)


def send(
    body: bytes, path: str = "/VIID/MotorVehicles", vendor: str = "gat1400", **settings: Any
) -> tuple[Rig, Answer]:
    rig = Rig(camera(vendor, **settings))
    got: list[Answer] = []

    async def story() -> None:
        got.append(await rig.push(post(body, path, "Content-Type: application/VIID+JSON", f"User-Identify: {DEVICE}")))

    play(story)
    return rig, got[0]


def changed(**members: Any) -> bytes:
    document = json.loads(VEHICLES)
    document["MotorVehicleListObject"]["MotorVehicleObject"][0] |= members
    return json.dumps(document, ensure_ascii=False).encode()


def test_published_vehicle() -> None:
    rig, answer = send(VEHICLES, serial=DEVICE)
    (read,) = rig.sink.reads
    assert (read.plate_raw, read.no_plate, read.colour) == ("苏NF5676", False, "unknown")
    assert read.event_id == "330101010012100000010220171018080608022060269899"
    assert read.camera_time_ms == 1473688867000  # 2016-09-12 22:01:07 in Beijing
    said = json.loads(answer.body)["ResponseStatusObject"]
    sample = json.loads(vector("gat1400/reply_ResponseStatus.json"))["ResponseStatusObject"]
    assert said.keys() == sample.keys()
    assert (said["RequestURL"], said["StatusCode"], said["StatusString"]) == ("/VIID/MotorVehicles", "0", "OK")
    assert len(said["LocalTime"]) == len(sample["LocalTime"])


@pytest.mark.parametrize(("name", "counts"), [("Register", [("in1", "other_event", "Register")]), ("Keepalive", [])])
def test_registration_and_keepalive(name: str, counts: list[tuple[str, str, str]]) -> None:
    rig, answer = send(vector(f"gat1400/POST_VIID_System_{name}.json"), f"/VIID/System/{name}", serial=DEVICE)
    said = json.loads(answer.body)["ResponseStatusObject"]
    assert (answer.status, said["StatusCode"], said["Id"]) == (200, "0", DEVICE)
    assert (rig.sink.alive, rig.sink.counts) == (["in1"], counts)


def test_a_stranger_is_refused() -> None:
    rig, answer = send(VEHICLES, serial="65010000001190000002")
    assert (answer.status, rig.sink.reads) == (403, [])


@pytest.mark.parametrize(
    ("code", "colour"),
    [("01", "yellow"), ("02", "blue"), (2, "blue"), ("16", "yellow"), ("23", "white"), ("51", "yellow_green"),
     ("52", "green"), ("99", "unknown")],
)  # fmt: skip
def test_colour_by_plate_class(code: Any, colour: str) -> None:
    assert send(changed(PlateClass=code))[0].sink.reads[0].colour == colour


@pytest.mark.parametrize("members", [{"HasPlate": "2"}, {"HasPlate": 0, "PlateNo": None}, {"PlateNo": "无牌"}])
def test_no_plate(members: dict[str, Any]) -> None:
    assert send(changed(**members))[0].sink.reads[0].no_plate


def test_the_other_name_of_the_list() -> None:
    rig, _ = send(changed().replace(b"MotorVehicleListObject", b"MotorVehicleObjectList"))
    assert rig.sink.reads[0].plate_raw == "苏NF5676"


def test_the_vehicle_s_picture_is_kept_and_not_the_plate_s() -> None:
    pictures = (("02", b"\xff\xd8"), (1, JPEG))
    images = [{"Type": kind, "Data": base64.b64encode(data).decode()} for kind, data in pictures]
    rig, _ = send(changed(SubImageList={"SubImageInfoObject": images}))
    assert rig.sink.pictures == {"read1": JPEG}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"MotorVehicleListObject":{"MotorVehicleObject":[]}}', "0 vehicles"),
        (b'{"MotorVehicleListObject":{"MotorVehicleObject":[{"PlateNo":"A"},{"PlateNo":"B"}]}}', "2 vehicles"),
        (b'{"MotorVehicleListObject":{"MotorVehicleObject":[{"HasPlate":1}]}}', "PlateNo is missing"),
        (b"[", "JSON"),
    ],
)
def test_damage(body: bytes, says: str) -> None:
    rig, answer = send(body)
    assert (answer.status, rig.sink.reads) == (400, [])
    assert says in rig.sink.counts[0][2]


def test_another_dialect_is_not_believed() -> None:
    assert send(VEHICLES, vendor="rk_v5")[0].sink.reads == []


@pytest.mark.parametrize(("number", "plate"), [(1, "浙AD12345"), (2, "浙AD12345"), (3, ""), (4, "")])
def test_simulated_camera_and_box_understand_each_other(number: int, plate: str) -> None:
    sim = Gat1400(DEVICE)
    picture = PAINTER.paint(plate, "green", 1)
    push = sim.plate_push(CameraEvent(number, "", plate, "green", 1_715_075_283_000, picture), 0)

    async def story() -> None:
        rig = Rig(camera("gat1400", serial=DEVICE))
        wire = rig.wire()
        request = post(push.body, push.path)
        cut = len(request) - len(push.late)
        wire.feed(request[:cut])
        (read,) = rig.sink.reads  # before the picture
        assert (read.plate_raw, read.no_plate, read.camera_time_ms) == (plate, not plate, 1_715_075_283_000)
        wire.feed(request[cut:])
        answer = await wire.answer()
        assert sim.proper(answer.status, answer.body)
        assert (len(rig.sink.reads), rig.sink.pictures) == (1, {"read1": picture.jpeg})
        wire.hang_up()
        beat = sim.heartbeat(0)
        answer = await rig.push(post(beat.body, beat.path))
        assert sim.proper(answer.status, answer.body)

    play(story)
