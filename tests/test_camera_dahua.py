"""Dahua ITSAPI pushes: samples, heartbeats, plates in hex and GB2312, exact replies."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.camera_rig import JPEG, Rig, camera, play, post, vector

ALL = vector("dahua/itsapi_TollgateInfo_allfields.json")
MINIMAL = vector("dahua/itsapi_TollgateInfo_minimal_published.json")
DEVICE = "1c11c9c4-8dbc-4391-0dd7-56764ba18dbc"
PATH = "/NotificationInfo/TollgateInfo"


def send(body: bytes, path: str = PATH, *, admits: bool = False, **settings: Any) -> tuple[Rig, int, Any]:
    rig = Rig(camera("dahua", **settings))
    rig.sink.admits = admits
    result: list[Any] = []

    async def story() -> None:
        answer = await rig.push(post(body, path))
        result.extend((answer.status, json.loads(answer.body or b"null")))

    play(story)
    return rig, result[0], result[1]


def changed(**plate: Any) -> bytes:
    push = json.loads(ALL)
    push["Picture"]["Plate"].update(plate)
    return json.dumps(push, ensure_ascii=False).encode()


def test_sample_with_all_fields() -> None:
    rig, status, reply = send(ALL, serial=DEVICE)
    assert status == 200
    assert reply == json.loads(vector("dahua/itsapi_TollgateInfo_reply_closed.json"))
    (read,) = rig.sink.reads
    assert (read.plate_raw, read.no_plate, read.colour) == ("浙A12345", False, "blue")
    assert (read.confidence_pct, read.event_id) == (80, "17@2024-05-07 17:48:03.847")
    assert read.camera_time_ms == 1715075283847  # 17:48:03.847 in Beijing
    assert rig.sink.pictures == {"read1": b"\xff\xd8\xff\xd9"}
    assert rig.sink.counts == []


def test_published_minimal_sample() -> None:
    rig, status, reply = send(MINIMAL, serial=DEVICE)
    assert (status, reply["Result"], reply["OpenStrobe"]) == (200, True, False)
    (read,) = rig.sink.reads
    assert (read.plate_raw, read.colour, read.event_id) == ("ITS123", "unknown", "@2026-10-02 13:24:56.123")
    assert rig.sink.pictures == {"read1": b"\xff\xd8\xff\xd9"}


def test_opens_only_when_admitted_and_its_relay_is_the_barrier() -> None:
    rig, _, reply = send(ALL, relay_is_barrier=True, admits=True)
    assert reply == json.loads(vector("dahua/itsapi_TollgateInfo_reply_open.json"))
    assert rig.sink.asked == ["read1"]
    assert send(ALL, relay_is_barrier=True, admits=False)[2]["OpenStrobe"] is False
    rig, _, reply = send(ALL, relay_is_barrier=False, admits=True)
    assert reply["OpenStrobe"] is False
    assert rig.sink.asked == []


@pytest.mark.parametrize(
    ("path", "body", "reply"),
    [
        ("KeepAlive", "itsapi_KeepAlive_intelbras", "itsapi_KeepAlive_reply"),
        ("KeepAlive", "itsapi_KeepAlive_spec", "itsapi_KeepAlive_reply"),
        ("DeviceInfo", "itsapi_DeviceInfo_intelbras", "itsapi_DeviceInfo_reply"),
    ],
)
def test_heartbeats(path: str, body: str, reply: str) -> None:
    rig, status, answer = send(vector(f"dahua/{body}.json"), f"/NotificationInfo/{path}", serial=DEVICE)
    assert (status, answer) == (200, json.loads(vector(f"dahua/{reply}.json")))
    assert rig.sink.alive == ["in1"]
    assert rig.sink.counts == []


@pytest.mark.parametrize("path", ["ParkingInfo", "AlarmInfo"])
def test_other_notifications_are_accepted_so_that_they_end(path: str) -> None:
    rig, status, reply = send(b'{"Whatever": 1}', f"/NotificationInfo/{path}")
    assert (status, reply["Result"]) == (200, True)
    assert rig.sink.counts == [("in1", "other_event", path)]
    assert rig.sink.reads == []


@pytest.mark.parametrize(
    "written", ["浙A12345", "浙A12345".encode().hex(), "浙A12345".encode("gb2312").hex().upper()]
)
def test_plate_in_plain_and_in_hex(written: str) -> None:
    rig, _, _ = send(changed(PlateNumber=written))
    assert rig.sink.reads[0].plate_raw == "浙A12345"


@pytest.mark.parametrize("written", ["046XRW", "ABCDEF12", "AB12CD34EF56"])
def test_plain_plates_of_hex_digits_stay(written: str) -> None:
    rig, _, _ = send(changed(PlateNumber=written))
    assert rig.sink.reads[0].plate_raw == written


@pytest.mark.parametrize("plate", ["鲁B12345", "豫A12345", "粤B12345"])
def test_gb2312_body(plate: str) -> None:
    rig, _, _ = send(ALL.decode().replace("浙A12345", plate).encode("gb2312"))
    assert rig.sink.reads[0].plate_raw == plate


@pytest.mark.parametrize(
    "plate",
    [
        {"IsExist": False, "PlateNumber": ""}, {"IsExist": False, "PlateNumber": None}, {"PlateNumber": "--"},
        {"PlateNumber": "unlicensed"}, {"PlateNumber": "Unlicensed"},
    ],
)  # fmt: skip
def test_no_plate(plate: dict[str, Any]) -> None:
    rig, status, _ = send(changed(**plate))
    assert status == 200
    assert rig.sink.reads[0].no_plate


def test_confidence_is_on_a_scale_of_255() -> None:
    assert [send(changed(Confidence=value))[0].sink.reads[0].confidence_pct for value in (0, 255, 256, -1)] == [
        0, 100, -1, -1,
    ]  # fmt: skip


def test_read_is_early_when_the_plate_stands_before_the_pictures() -> None:
    push = json.loads(MINIMAL)
    push["Picture"]["NormalPic"]["Content"] = base64.b64encode(JPEG).decode()
    request = post(json.dumps(push).encode(), PATH)
    begin = request.index(b'"Content": "') + len(b'"Content": "') + 1

    async def story() -> None:
        rig = Rig(camera("dahua", serial=DEVICE))
        wire = rig.wire()
        wire.feed(request[:begin])
        assert [(read.plate_raw, read.picture) for read in rig.sink.reads] == [("ITS123", True)]
        wire.feed(request[begin:])
        await wire.answer()
        assert len(rig.sink.reads) == 1
        assert rig.sink.pictures == {"read1": JPEG}
        wire.hang_up()

    play(story)


def test_picture_in_a_later_push_of_the_same_record_is_kept() -> None:
    push = json.loads(ALL)
    without = {"Picture": {key: push["Picture"][key] for key in ("Plate", "SnapInfo")}}

    async def story() -> None:
        rig = Rig(camera("dahua"))
        first = await rig.push(post(json.dumps(without).encode(), PATH))
        assert rig.sink.pictures == {}
        again = await rig.push(post(ALL, PATH))
        assert again == first
        assert len(rig.sink.reads) == 1
        assert rig.sink.pictures == {"read1": b"\xff\xd8\xff\xd9"}

    play(story)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[1]", b'{"Picture": 1}', b'{"Picture": {"Plate": {}}}', changed(PlateNumber="x" * 65)]
)
def test_damaged_pushes_get_400(body: bytes) -> None:
    rig, status, reply = send(body)
    assert (status, reply) == (400, None)
    assert rig.sink.reads == []
    assert rig.sink.counted("damaged") == 1
