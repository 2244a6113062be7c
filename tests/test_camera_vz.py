"""VZ pushes and their dialects, from the manual's samples: what is read, when, and what is answered."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.camera_rig import JPEG, Rig, camera, play, post, vector, vz_push

R5 = vector("vz/push_AlarmInfoPlate_R5.json")
R5_SERIAL = "fe71e106-57263272"


def push(vendor: str, body: bytes, rig: Rig | None = None, **settings: Any) -> tuple[Rig, int, dict[str, Any]]:
    """One push to a fresh rig: the rig, the status and the reply."""
    rig = rig or Rig(camera(vendor, **settings))
    result: list[Any] = []

    async def story() -> None:
        answer = await rig.push(post(body))
        result.extend((answer.status, json.loads(answer.body or b"{}")))

    play(story)
    return rig, result[0], result[1]


def test_r5_sample_is_read_and_kept_closed() -> None:
    rig, status, reply = push("vz", R5, serial=R5_SERIAL)
    assert (status, reply) == (200, {"Response_AlarmInfoPlate": {"info": "no", "plateid": 21085}})
    (read,) = rig.sink.reads
    assert (read.lane, read.camera, read.read_id) == ("lane-in1", "in1", "read1")
    assert (read.plate_raw, read.no_plate, read.colour) == ("粤Z9065澳", False, "black")
    assert (read.confidence_pct, read.plate_width_px) == (96, 281)
    assert read.camera_time_ms == 1686299994687
    assert read.event_id == "21085@1686299994687"
    assert (read.picture, read.replay) == (False, False)
    assert rig.sink.alive == ["in1"]
    assert rig.sink.counts == []


def test_offline_noplate_sample() -> None:
    rig, status, reply = push("vz", vector("vz/push_AlarmInfoPlate_offline_noplate.json"))
    assert (status, reply) == (200, {"Response_AlarmInfoPlate": {"info": "no", "plateid": 123}})
    (read,) = rig.sink.reads
    assert (read.plate_raw, read.no_plate, read.colour) == ("_无_", True, "unknown")
    assert read.camera_time_ms == 1441815171672
    assert (read.confidence_pct, read.plate_width_px, read.replay) == (0, -1, False)


def test_qianyi_sample() -> None:
    rig, status, reply = push(
        "qianyi", vector("qianyi/push_AlarmInfoPlate.json"), serial="e10b2d6c8c07b422361457935b518642"
    )
    assert (status, reply) == (200, {"Response_AlarmInfoPlate": {"info": "no"}})
    (read,) = rig.sink.reads
    assert (read.no_plate, read.event_id, read.camera_time_ms) == (True, "@1569377000000", 1569377000000)


@pytest.mark.parametrize(
    ("vendor", "expected"),
    [
        ("vz", {"info": "no", "plateid": 21085}),
        ("boyue", {"info": "notopen", "plateid": 21085}),
        ("qianyi", {"info": "no", "plateid": 21085}),
        ("alphadigi", json.loads(vector("vz/reply_keep_closed.json"))["Response_AlarmInfoPlate"]),
    ],
)
def test_each_dialect_keeps_closed_in_its_own_words(vendor: str, expected: dict[str, Any]) -> None:
    _, status, reply = push(vendor, R5)
    assert (status, reply) == (200, {"Response_AlarmInfoPlate": expected})


@pytest.mark.parametrize("vendor", ["vz", "boyue", "alphadigi"])
def test_offline_record_is_history_and_asks_for_the_next(vendor: str) -> None:
    rig, status, reply = push(vendor, vz_push(plateid=123, isoffline=1), relay_is_barrier=True)
    assert (status, reply) == (200, json.loads(vector("vz/reply_offline_continue.json")))
    assert rig.sink.reads[0].replay
    assert rig.sink.asked == []


NO_PLATES = ["_无_", "无牌车", "无车牌", "无牌", "车牌", "-", "—", "null", "noPlate", "unknown", ""]


@pytest.mark.parametrize("plate", NO_PLATES)
def test_spellings_of_no_plate(plate: str) -> None:
    rig, _, _ = push("vz", vz_push(license=plate))
    assert rig.sink.reads[0].no_plate


@pytest.mark.parametrize(("vendor", "no_plate"), [("vz", True), ("boyue", True), ("qianyi", False)])
def test_type_31_is_no_plate_where_the_table_is_vz(vendor: str, no_plate: bool) -> None:
    rig, _, _ = push(vendor, vz_push(license="粤B12345", type=31))
    assert rig.sink.reads[0].no_plate is no_plate


@pytest.mark.parametrize(
    ("vendor", "colour_type", "plate_type", "colour"),
    [
        ("vz", 0, 0, "unknown"), ("vz", 1, 0, "blue"), ("vz", 2, 0, "yellow"), ("vz", 3, 0, "white"),
        ("vz", 4, 0, "black"), ("vz", 5, 0, "green"), ("vz", 6, 0, "yellow_green"), ("vz", 7, 0, "unknown"),
        ("vz", 0, 19, "green"), ("vz", 0, 20, "yellow_green"), ("vz", 0, 11, "unknown"), ("vz", 1, 19, "blue"),
        ("qianyi", 0, 11, "green"), ("qianyi", 0, 12, "yellow_green"), ("qianyi", 0, 7, "white"),
        ("qianyi", 0, 19, "unknown"), ("qianyi", 6, 0, "yellow_green"),
    ],
)  # fmt: skip
def test_colours_by_dialect(vendor: str, colour_type: int, plate_type: int, colour: str) -> None:
    rig, _, _ = push(vendor, vz_push(colorType=colour_type, type=plate_type))
    assert rig.sink.reads[0].colour == colour


@pytest.mark.parametrize("plate", ["鲁B12345", "豫A12345", "粤B12345", "京AD12345", "沪A1234警", "ABC123", "鲁B·12345"])
@pytest.mark.parametrize("charset", ["utf-8", "gb2312", "gb18030"])
def test_plates_in_either_charset(plate: str, charset: str) -> None:
    """鲁 and 豫 in GB2312 are valid UTF-8 as well: a strict decoder alone would take them for "³" and "ԥ"."""
    if charset == "gb2312" and "·" in plate:
        plate = plate.replace("·", "")
    for_wire = vz_push(charset, license=plate, plates=[], deviceName="IVS")
    rig, status, _ = push("vz", for_wire)
    assert status == 200
    assert rig.sink.reads[0].plate_raw == plate


def test_camera_clock_unset_and_in_milliseconds() -> None:
    unset = vz_push(timeStamp={"Timeval": {"sec": 0, "usec": 0}})
    millis = vz_push(timeStamp={"Timeval": {"sec": 1686299994687, "usec": 0}})
    negative = vz_push(timeStamp={"Timeval": {"sec": -5, "usec": 0}})
    assert push("vz", unset)[0].sink.reads[0].camera_time_ms == -1
    assert push("vz", unset)[0].sink.reads[0].event_id == "21085@0"
    assert push("boyue", millis)[0].sink.reads[0].camera_time_ms == 1686299994687
    assert push("vz", negative)[0].sink.reads[0].camera_time_ms == -1


def test_picture_is_given_after_the_read() -> None:
    rig, status, _ = push("vz", vz_push(picture=JPEG))
    assert status == 200
    assert rig.sink.reads[0].picture
    assert rig.sink.pictures == {"read1": JPEG}


@pytest.mark.parametrize("vendor", ["vz", "boyue", "alphadigi", "qianyi"])
def test_read_is_early_when_the_picture_comes_last(vendor: str) -> None:
    whole, _, _ = push(vendor, vz_push(picture=JPEG, picture_last=True))

    async def story() -> None:
        rig = Rig(camera(vendor, serial=R5_SERIAL))
        wire = rig.wire()
        request = post(vz_push(picture=JPEG, picture_last=True))
        begin = request.index(b'"imageFile": "') + len(b'"imageFile": "')
        wire.feed(request[:begin])
        assert rig.sink.reads == whole.sink.reads
        assert rig.sink.pictures == {}
        wire.feed(request[begin:])
        assert (await wire.answer()).status == 200
        assert rig.sink.pictures == {"read1": JPEG}
        assert len(rig.sink.reads) == 1
        wire.hang_up()

    play(story)


@pytest.mark.parametrize(
    ("settings", "changes"),
    [
        ({"serial": R5_SERIAL}, {"picture_last": False}),  # the serial number stands behind the picture
        ({}, {"picture_last": False}),  # so does the plate
    ],
)
def test_no_read_before_all_that_it_needs_is_there(settings: dict[str, Any], changes: dict[str, Any]) -> None:
    async def story() -> None:
        rig = Rig(camera("vz", **settings))
        wire = rig.wire()
        request = post(vz_push(picture=JPEG, **changes))
        wire.feed(request[:-10], [100] * 10)
        assert rig.sink.reads == []
        wire.feed(request[-10:])
        await wire.answer()
        assert len(rig.sink.reads) == 1
        wire.hang_up()

    play(story)


def test_a_record_that_could_be_a_replay_is_not_read_before_it_says_so() -> None:
    body = json.loads(vz_push(picture=JPEG, picture_last=True))
    plate = body["AlarmInfoPlate"]["result"]["PlateResult"]
    del plate["isoffline"]
    plate["isoffline"] = 1  # now behind the picture

    async def story() -> None:
        rig = Rig(camera("vz"))
        wire = rig.wire()
        request = post(json.dumps(body, ensure_ascii=False).encode())
        wire.feed(request[:-30])
        assert rig.sink.reads == []
        wire.feed(request[-30:])
        await wire.answer()
        assert rig.sink.reads[0].replay
        wire.hang_up()

    play(story)


def test_rest_that_contradicts_an_early_read_brings_no_picture_and_no_ok() -> None:
    body = vz_push(picture=JPEG, picture_last=True)
    end = body.rindex(b"}}}}")
    forged = body[:end] + ', "license": "粤B00000"'.encode() + body[end:]

    async def story() -> None:
        rig = Rig(camera("vz", relay_is_barrier=True))
        rig.sink.admits = True
        answer = await rig.push(post(forged), [1500])
        assert answer.status == 200
        assert json.loads(answer.body)["Response_AlarmInfoPlate"]["info"] == "no"
        assert [read.plate_raw for read in rig.sink.reads] == ["粤Z9065澳"]
        assert rig.sink.pictures == {}
        assert rig.sink.counted("damaged_after_read") == 1

    play(story)


@pytest.mark.parametrize("missing", [0, 1, 2, 3, 4, 5])
def test_boyue_json_without_its_end_is_completed(missing: int) -> None:
    body = vz_push(picture=JPEG, picture_last=True)
    assert body.endswith(b'"}}}}')
    cut = body[: len(body) - missing]
    rig, status, reply = push("boyue", cut)
    assert (status, reply["Response_AlarmInfoPlate"]["info"]) == (200, "notopen")
    assert rig.sink.reads[0].plate_raw == "粤Z9065澳"
    assert rig.sink.pictures == {"read1": JPEG}


def test_boyue_picture_that_is_cut_off_is_no_picture() -> None:
    rig, status, _ = push("boyue", vz_push(picture=JPEG, picture_last=True)[:-100])
    assert status == 200
    assert len(rig.sink.reads) == 1
    assert rig.sink.pictures == {}
    assert rig.sink.counted("picture_damaged") == 1


@pytest.mark.parametrize("vendor", ["vz", "alphadigi", "qianyi"])
def test_cut_off_json_of_others_is_refused(vendor: str) -> None:
    rig, status, reply = push(vendor, vz_push(picture=JPEG, picture_last=True)[:-5])
    assert (status, reply) == (400, {})
    assert rig.sink.reads == []
    assert rig.sink.counted("damaged") == 1


@pytest.mark.parametrize(
    "text",
    [
        base64.b64encode(JPEG).decode().replace("/", "\\/"),
        base64.b64encode(JPEG).decode().rstrip("="),
        base64.encodebytes(JPEG).decode().replace("\n", "\\r\\n"),
    ],
)
def test_base64_in_other_spellings(text: str) -> None:
    body = vz_push().replace(b'"imageFile": ""', f'"imageFile": "{text}"'.encode())
    rig, _, _ = push("vz", body)
    assert rig.sink.pictures == {"read1": JPEG}


@pytest.mark.parametrize("text", ["@0", "AAAA", "/9j/*2Q==", "\\u0041"])
def test_picture_that_is_none_costs_the_picture_only(text: str) -> None:
    body = vz_push().replace(b'"imageFile": ""', f'"imageFile": "{text}"'.encode())
    rig, status, _ = push("vz", body)
    assert status == 200
    assert len(rig.sink.reads) == 1
    assert rig.sink.pictures == {}
    assert rig.sink.counted("picture_damaged") == 1


@pytest.mark.parametrize("name", ["push_AlarmGioIn", "push_SerialData", "push_TriggerImage"])
def test_other_pushes_are_answered_and_counted(name: str) -> None:
    rig, status, reply = push("vz", vector(f"vz/{name}.json"))
    expected = json.loads(vector("vz/reply_to_SerialData.json")) if name == "push_SerialData" else {}
    assert (status, reply) == (200, expected)
    assert rig.sink.counts == [("in1", "other_event", name.removeprefix("push_"))]
    assert rig.sink.alive == ["in1"]
    assert rig.sink.reads == []


def test_unknown_json_is_answered_200_so_that_it_does_not_block_plates() -> None:
    rig, status, _ = push("vz", vector("rk_v5/keepalive.json"))
    assert status == 200
    assert rig.sink.counted("other_event") == 1


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"AlarmInfoPlate":' + b"[" * 60_000,
        b'{"AlarmInfoPlate":{}}', b'{"AlarmInfoPlate":{"result":{"PlateResult":{}}}}',
        vz_push(license="京" * 33), vz_push(license="a\x00b"), vz_push(plateid="9" * 200),
        b'{"x":"' + b"a" * 70_000 + b'"}',
    ],
)  # fmt: skip
def test_damaged_pushes_get_400(body: bytes) -> None:
    rig, status, reply = push("vz", body)
    assert (status, reply) == (400, {})
    assert rig.sink.reads == []
    assert rig.sink.counted("damaged") == 1


def test_a_push_of_another_vendor_is_refused() -> None:
    rig, status, _ = push("vz", vector("hikvision/anpr_noPlate.xml"))
    assert status == 400
    assert rig.sink.reads == []
