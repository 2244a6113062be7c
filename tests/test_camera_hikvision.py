"""Hikvision ISAPI pushes: samples, namespaces, multipart deviations, hostile XML."""

from __future__ import annotations

from typing import Any

import pytest

from drivers.cameras.hikvision import without_colour
from tests.camera_rig import JPEG, Answer, Rig, camera, play, post, vector

CN = vector("hikvision/anpr_cn_colour_prefix.xml")
SERIAL = "DS-TCG405-E 20220323AIJ67694167"
UUID = "a0fe72d4-3652-464a-aebd-3f9190010236"
XML_TYPE = 'Content-Type: application/xml; charset="UTF-8"'


def send(request: bytes, **settings: Any) -> tuple[Rig, Answer]:
    rig = Rig(camera("hikvision", **settings))
    answers: list[Answer] = []

    async def story() -> None:
        answers.append(await rig.push(request))

    play(story)
    return rig, answers[0]


def xml_push(body: bytes, **settings: Any) -> tuple[Rig, Answer]:
    return send(post(body, "/anpr", XML_TYPE), **settings)


def multipart(
    *parts: bytes, boundary: str = "boundary", end: bool = True, parameter: str = "boundary=boundary"
) -> bytes:
    delimiter = f"--{boundary}".encode()
    body = b"".join(delimiter + b"\r\n" + part + b"\r\n" for part in parts) + (delimiter + b"--\r\n" if end else b"")
    return post(body, "/anpr", f"Content-Type: multipart/form-data; {parameter}")


def part(name: str, content: bytes, kind: str = "image/jpeg", gap: str = " ") -> bytes:
    head = f'Content-Disposition: form-data;{gap}name="{name}";{gap}filename="{name}"\r\nContent-Type: {kind}\r\n\r\n'
    return head.encode() + content


@pytest.mark.parametrize("name", ["post_multipart_three_parts", "post_multipart_dash_boundary_octet"])
def test_multipart_samples(name: str) -> None:
    rig, answer = send(vector(f"hikvision/{name}.http"), serial=SERIAL)
    assert (answer.status, answer.body, answer.close) == (200, b"", True)
    (read,) = rig.sink.reads
    assert (read.plate_raw, read.no_plate, read.colour) == ("浙AX2P12", False, "blue")
    assert (read.event_id, read.confidence_pct, read.replay) == (UUID, 98, False)
    assert read.camera_time_ms == 1715078883847  # 2024-05-07T17:48:03.847+07:00
    assert read.picture
    assert rig.sink.pictures == {"read1": b"\xff\xd8\xff\xd9"}
    assert rig.sink.counts == []


@pytest.mark.parametrize(
    ("name", "plate", "no_plate", "colour"),
    [
        ("anpr_DS-TCG405-E", "2กก1234", False, "unknown"),
        ("anpr_noPlate", "noPlate", True, "unknown"),
        ("anpr_unknown", "unknown", True, "unknown"),
        ("anpr_cn_colour_prefix", "浙AX2P12", False, "blue"),
        ("anpr_old_ver10_ns", "浙AX2P12", False, "blue"),
    ],
)
def test_xml_samples(name: str, plate: str, no_plate: bool, colour: str) -> None:
    rig, answer = xml_push(vector(f"hikvision/{name}.xml"))
    assert answer.status == 200
    (read,) = rig.sink.reads
    assert (read.plate_raw, read.no_plate, read.colour, read.picture) == (plate, no_plate, colour, False)


def test_old_camera_is_known_by_its_mac_and_its_events_by_their_time() -> None:
    rig, answer = xml_push(vector("hikvision/anpr_old_ver10_ns.xml"), serial="44:a6:42:f3:2a:d7")
    assert answer.status == 200
    assert rig.sink.reads[0].event_id == "1@2021-05-07T17:48:03+08:00"


def test_other_event_at_the_same_url() -> None:
    rig, answer = xml_push(vector("hikvision/other_event_same_url_fielddetection.xml"))
    assert answer.status == 200
    assert rig.sink.counts == [("in1", "other_event", "fielddetection")]
    assert rig.sink.reads == []


def test_video_loss_is_a_heartbeat() -> None:
    xml = (
        b"<EventNotificationAlert><eventType>videoloss</eventType><eventState>inactive</eventState>"
        b"</EventNotificationAlert>"
    )
    rig, answer = xml_push(xml)
    assert answer.status == 200
    assert rig.sink.alive == ["in1"]
    assert rig.sink.counts == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"http://www.isapi.org/ver20/XMLSchema", b"http://www.hikvision.com/ver20/XMLSchema"),
        (b"licensePlate>", b"plateNumber>"),
        (b"<confidenceLevel>98<", b"<confidenceLevel>97.6<"),
        (b'<?xml version="1.0" encoding="utf-8"?>\n', b""),
    ],
)
def test_variants_read_the_same(old: bytes, new: bytes) -> None:
    rig, answer = xml_push(CN.replace(old, new))
    assert answer.status == 200
    (read,) = rig.sink.reads
    assert (read.plate_raw, read.event_id, read.confidence_pct) == ("浙AX2P12", UUID, 98)


def test_prefixed_names_from_a_recorder() -> None:
    xml = CN.replace(b"<", b"<ns1:").replace(b"<ns1:/", b"</ns1:").replace(b"<ns1:?", b"<?")
    rig, answer = xml_push(xml.replace(b"xmlns=", b"xmlns:ns1="))
    assert answer.status == 200
    assert rig.sink.reads[0].plate_raw == "浙AX2P12"


def test_gb2312_xml_whatever_it_declares() -> None:
    text = CN.decode()
    for declared in ("utf-8", "GB2312"):
        rig, _ = xml_push(text.replace("utf-8", declared, 1).replace("蓝浙", "蓝鲁").encode("gb2312"))
        assert rig.sink.reads[0].plate_raw == "鲁AX2P12"


def test_history_is_a_replay() -> None:
    rig, _ = xml_push(CN.replace(b"<alarmDataType>0<", b"<alarmDataType>1<"))
    assert rig.sink.reads[0].replay


@pytest.mark.parametrize(
    ("written", "plate", "colour"),
    [
        ("蓝浙AX2P12", "浙AX2P12", "blue"), ("黄粤B1234学", "粤B1234学", "yellow"),
        ("绿京AD12345", "京AD12345", "green"),
        ("黄绿京A12345D", "京A12345D", "yellow_green"), ("白WJ12345", "WJ12345", "white"),
        ("黑A12345", "黑A12345", "unknown"), ("蓝黑A12345", "黑A12345", "blue"), ("黑粤Z1234港", "粤Z1234港", "black"),
        ("黑224578使", "224578使", "black"), ("浙AX2P12", "浙AX2P12", "unknown"), ("noPlate", "noPlate", "unknown"),
        ("蓝", "蓝", "unknown"), ("", "", "unknown"),
    ],
)  # fmt: skip
def test_colour_in_front_of_the_plate(written: str, plate: str, colour: str) -> None:
    assert without_colour(written) == (plate, colour)


@pytest.mark.parametrize(
    ("camera_word", "colour"),
    [
        ("blue", "blue"), ("yellow", "yellow"), ("white", "white"), ("black", "black"), ("green", "green"),
        ("newEnergyGreen", "green"), ("newEnergyYellowGreen", "yellow_green"), ("golden", "unknown"), ("x", "unknown"),
    ],
)  # fmt: skip
def test_colour_words(camera_word: str, colour: str) -> None:
    xml = CN.decode().replace("<plateColor>blue<", f"<plateColor>{camera_word}<").replace("蓝浙", "浙")
    rig, _ = xml_push(xml.encode())
    assert rig.sink.reads[0].colour == colour


def test_read_is_ready_when_the_xml_is_and_before_the_pictures() -> None:
    request = vector("hikvision/post_multipart_three_parts.http")
    end = request.index(b"</EventNotificationAlert>") + len(b"</EventNotificationAlert>")

    async def story() -> None:
        rig = Rig(camera("hikvision", serial=SERIAL))
        wire = rig.wire()
        wire.feed(request[: end - 1])
        assert rig.sink.reads == []
        wire.feed(request[end - 1 : end])
        assert [read.plate_raw for read in rig.sink.reads] == ["浙AX2P12"]
        wire.feed(request[end:])
        await wire.answer()
        assert len(rig.sink.reads) == 1
        assert rig.sink.pictures == {"read1": b"\xff\xd8\xff\xd9"}

    play(story)


XML_PART = part("anpr.xml", CN, "text/xml")
BIG = JPEG + JPEG


@pytest.mark.parametrize(
    "request_bytes",
    [
        multipart(XML_PART, part("licensePlatePicture.jpg", BIG), part("detectionPicture.jpg", JPEG)),
        multipart(XML_PART, part("detectionPicture.jpg", JPEG), part("vehiclePicture.jpg", BIG)),
        multipart(XML_PART, part("detectionPicture.jpg", JPEG, "application/octet-stream", gap="")),
        multipart(XML_PART, part("2023081114023616000te10ogXYg", JPEG)),
        multipart(XML_PART, part("x", b"\xff\xd8short"), part("y", JPEG)),
        multipart(XML_PART, part("detectionPicture.jpg", JPEG), end=False),
        multipart(XML_PART, part("detectionPicture.jpg", JPEG), parameter='boundary="boundary"'),
        multipart(XML_PART, part("detectionPicture.jpg", JPEG), boundary="--x", parameter="boundary=--x;charset=x"),
        multipart(XML_PART.replace(b"text/xml", b"text/xml\r\nContent-Length: 7"), part("detectionPicture", JPEG)),
    ],
)
def test_scene_picture_is_found_in_odd_multiparts(request_bytes: bytes) -> None:
    rig, answer = send(request_bytes)
    assert answer.status == 200
    assert len(rig.sink.reads) == 1
    assert rig.sink.pictures == {"read1": JPEG}


@pytest.mark.parametrize(
    ("request_bytes", "counted"),
    [
        (multipart(XML_PART, part("detectionPicture.jpg", JPEG[:-2]), end=False), "picture_damaged"),
        (multipart(XML_PART, part("detectionPicture.jpg", JPEG), parameter="x=y"), "picture_damaged"),
        (multipart(XML_PART, *[part("p", JPEG)] * 25), "picture_damaged"),
        (multipart(XML_PART, part("licensePlatePicture.jpg", JPEG)), None),
    ],
)
def test_no_scene_picture_costs_the_picture_only(request_bytes: bytes, counted: str | None) -> None:
    rig, answer = send(request_bytes)
    assert answer.status == 200
    assert len(rig.sink.reads) == 1
    assert rig.sink.pictures == {}
    assert [what for _, what, _ in rig.sink.counts] == ([counted] if counted else [])


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE EventNotificationAlert [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>'
    b"<EventNotificationAlert><eventType>ANPR</eventType><ANPR><licensePlate>&b;</licensePlate></ANPR>"
    b"</EventNotificationAlert>"
)
FILE = BOMB.replace(b'<!ENTITY b "&a;&a;&a;&a;&a;">', b'<!ENTITY b SYSTEM "file:///etc/hostname">')


@pytest.mark.parametrize(
    "xml",
    [
        BOMB,
        FILE,
        CN[:-10],
        CN.replace(b"</ANPR>", b""),
        CN.replace(b"<country>", b"<country>&b;"),
        CN.replace(b"<line>1</line>", b"<a>" * 40 + b"</a>" * 40),
        CN.replace(b"<line>1</line>", b"<line>" + b"1" * 70_000 + b"</line>"),
        b"<EventNotificationAlert><eventType>ANPR</eventType></EventNotificationAlert>",
        b"",
        b"\xff\xd8\xff\xd9",
        vector("vz/push_AlarmInfoPlate_R5.json"),
    ],
)
def test_damaged_and_hostile_xml_is_refused(xml: bytes) -> None:
    rig, answer = xml_push(xml)
    assert answer.status == 400
    assert rig.sink.reads == []
    assert rig.sink.counted("damaged") == 1
