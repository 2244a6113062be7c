"""Huaxia mode 5: the documented forms, the published replies, damage."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest

from hal_sim.cameras.event import CameraEvent
from hal_sim.cameras.huaxia import Huaxia
from hal_sim.cameras.pictures import Painter
from tests.camera_rig import JPEG, Answer, Rig, camera, play, post, vector

ONLINE = vector("huaxia/mode5_online.form").strip()
HEARTBEAT = vector("huaxia/mode5_heartbeat.form").strip()
ACK = json.loads(vector("huaxia/mode5_reply_ack.json"))
OPEN = json.loads(vector("huaxia/mode5_reply_open_published.json"))
CAM = "9a6c8e0b1f2d"


def send(body: bytes, *, admits: bool = False, vendor: str = "huaxia", **settings: Any) -> tuple[Rig, Answer]:
    rig = Rig(camera(vendor, **settings))
    rig.sink.admits = admits
    got: list[Answer] = []

    async def story() -> None:
        got.append(await rig.push(post(body, "/camera")))

    play(story)
    return rig, got[0]


def test_documented_form() -> None:
    rig, answer = send(ONLINE, serial=CAM)
    assert (answer.status, json.loads(answer.body)) == (200, ACK)
    (read,) = rig.sink.reads
    assert (read.plate_raw, read.no_plate, read.colour, read.replay) == ("粤B12345", False, "blue", False)
    assert read.camera_time_ms == 1552544543000
    assert rig.sink.pictures == {"read1": b"\xff\xd8\xff\xd9\xfb\xef\xff"}  # what `_9j_2fvv_w..` is as base64
    assert rig.sink.counts == []


def test_heartbeat_never_opens() -> None:
    rig, answer = send(HEARTBEAT, serial=CAM, relay_is_barrier=True, admits=True)
    assert json.loads(answer.body) == ACK
    assert (rig.sink.alive, rig.sink.reads) == (["in1"], [])


def test_opens_in_the_published_words_only_when_its_relay_is_the_barrier() -> None:
    rig, answer = send(ONLINE, relay_is_barrier=True, admits=True)
    assert json.loads(answer.body) == OPEN
    assert rig.sink.asked == ["read1"]
    assert json.loads(send(ONLINE, relay_is_barrier=True, admits=False)[1].body) == ACK
    rig, answer = send(ONLINE, admits=True)
    assert json.loads(answer.body) == ACK
    assert rig.sink.asked == []


def test_offline_record_is_history() -> None:
    record = ONLINE.replace(b"type=online", b"type=offline")
    rig, answer = send(record, relay_is_barrier=True, admits=True)
    assert json.loads(answer.body) == ACK
    assert rig.sink.reads[0].replay
    assert rig.sink.asked == []


@pytest.mark.parametrize("charset", ["utf-8", "gb2312"])
@pytest.mark.parametrize("plate", ["鲁B12345", "豫A12345", "粤BD12345"])
def test_plate_percent_encoded_or_bare_in_both_charsets(plate: str, charset: str) -> None:
    written = plate.encode(charset)
    for form in (quote(written).encode(), written):
        rig, _ = send(ONLINE.replace(b"%E7%B2%A4B12345", form))
        assert rig.sink.reads[0].plate_raw == plate


@pytest.mark.parametrize(
    ("word", "colour"),
    [("蓝色", "blue"), ("黄", "yellow"), ("白牌", "white"), ("黑色", "black"), ("绿色", "green"),
     ("黄绿色", "yellow_green"), ("渐变绿色", "green"), ("红色", "unknown"), ("", "unknown")],
)  # fmt: skip
def test_colours_are_words(word: str, colour: str) -> None:
    rig, _ = send(ONLINE.replace(b"%E8%93%9D%E8%89%B2", quote(word).encode()))
    assert rig.sink.reads[0].colour == colour


def test_no_plate() -> None:
    rig, _ = send(ONLINE.replace(b"%E7%B2%A4B12345", quote("无牌车").encode()))
    assert rig.sink.reads[0].no_plate


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (ONLINE.replace(b"mode=5", b"mode=3"), "mode: '3', allowed is 5"),
        (ONLINE.replace(b"type=online", b"type=other"), "type: 'other'"),
        (ONLINE.replace(b"plate_num=", b"plate=") + b"&x=1", "plate_num is missing"),
        (b"&".join(b"f%d=1" % n for n in range(80)), "over 60 fields"),
        (b"{}", "type: ''"),
    ],
)
def test_damage_is_named_and_refused(body: bytes, says: str) -> None:
    rig, answer = send(body)
    assert answer.status == 400
    assert rig.sink.reads == []
    ((_, what, detail),) = rig.sink.counts
    assert what == "damaged"
    assert says in detail


def test_damaged_picture_keeps_the_read() -> None:
    rig, answer = send(ONLINE.replace(b"picture=_9j_2fvv_w..", b"picture=!!!!"))
    assert answer.status == 200
    assert len(rig.sink.reads) == 1
    assert rig.sink.pictures == {}
    assert rig.sink.counted("picture_damaged") == 1


def test_read_is_early_and_whole_in_any_cut() -> None:
    safe = base64.b64encode(JPEG).translate(bytes.maketrans(b"+/=", b"-_."))
    request = post(ONLINE.replace(b"_9j_2fvv_w..", safe), "/camera")
    begin = request.index(b"&picture=") + len(b"&picture=") + 1

    async def story() -> None:
        rig = Rig(camera("huaxia", serial=CAM))
        wire = rig.wire()
        wire.feed(request[:begin])
        assert [(read.plate_raw, read.picture) for read in rig.sink.reads] == [("粤B12345", True)]
        wire.feed(request[begin:])
        await wire.answer()
        assert (len(rig.sink.reads), rig.sink.pictures) == (1, {"read1": JPEG})
        wire.hang_up()

    play(story)


def test_repeat_is_one_read() -> None:
    async def story() -> None:
        rig = Rig(camera("huaxia"))
        for _ in range(2):
            await rig.push(post(ONLINE, "/camera"))
        assert (len(rig.sink.reads), rig.sink.counted("repeat")) == (1, 1)

    play(story)


def test_another_dialect_is_not_believed() -> None:
    rig, answer = send(ONLINE, vendor="vz")
    assert (answer.status, rig.sink.reads) == (400, [])


@pytest.mark.parametrize(("plate", "admits"), [("浙AD12345", True), ("浙AD12345", False), ("", True)])
def test_simulated_camera_and_box_understand_each_other(plate: str, admits: bool) -> None:
    sim = Huaxia(CAM)
    picture = Painter(1).paint(plate, "green", 1)
    push = sim.plate_push(CameraEvent(1, "", plate, "green", 1_715_075_283_847, picture), 0)
    rig, answer = send(push.body, serial=CAM, relay_is_barrier=True, admits=admits)
    assert sim.proper(answer.status, answer.body)
    assert sim.opens(answer.body) is admits
    (read,) = rig.sink.reads
    assert (read.plate_raw if plate else "", read.no_plate) == (plate, plate == "")
    assert rig.sink.pictures == {"read1": picture.jpeg}
    _, answer = send(sim.heartbeat(0).body, serial=CAM, relay_is_barrier=True, admits=True)
    assert sim.proper(answer.status, answer.body)
    assert not sim.opens(answer.body)
