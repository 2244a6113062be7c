"""RK V5: what its firmware source generates, in its charsets, against its own reading of replies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hal_sim.cameras.event import CameraEvent
from hal_sim.cameras.pictures import Painter
from hal_sim.cameras.rk_v5 import TRIES, RkV5
from tests.camera_rig import Answer, Rig, camera, play, post, vector

ROM = "0123456789"
AT_MS = 1_715_075_283_000  # 2024-05-07 17:48:03 in Beijing


def send(body: bytes, *, admits: bool = False, vendor: str = "rk_v5", **settings: Any) -> tuple[Rig, Answer]:
    rig = Rig(camera(vendor, **settings))
    rig.sink.admits = admits
    got: list[Answer] = []

    async def story() -> None:
        got.append(await rig.push(post(body, "/cgi-bin/HTTP_Test1.cgi")))

    play(story)
    return rig, got[0]


def event(plate: str = "浙A12345", colour: str = "blue", *, picture: bool = True) -> CameraEvent:
    return CameraEvent(7, "", plate, colour, AT_MS, Painter(1).paint(plate, colour, 1) if picture else None)


def push(*, charset: str = "gb18030", attempt: int = 0, plate: str = "浙A12345", **changes: Any) -> bytes:
    document = json.loads(RkV5(ROM).plate_push(event(plate, picture=False), attempt).body.decode("gb18030"))
    document["AlarmInfoPlate"]["result"]["PlateResult"].update(changes)
    return json.dumps(document, ensure_ascii=False).encode(charset)


@pytest.mark.parametrize("charset", ["gb2312", "utf-8"])
@pytest.mark.parametrize("plate", ["浙A12345", "鲁B12345", "豫A12345"])
def test_both_charsets_whatever_the_header_says(plate: str, charset: str) -> None:
    rig, answer = send(push(charset=charset, plate=plate), serial=ROM)
    assert answer.status == 200
    (read,) = rig.sink.reads
    assert (read.plate_raw, read.colour, read.confidence_pct) == (plate, "blue", 95)
    assert (read.camera_time_ms, read.event_id) == (AT_MS, "2024-05-07 17:48:03")


def test_heartbeat_sample() -> None:
    rig, answer = send(vector("rk_v5/keepalive.json"), serial=ROM, relay_is_barrier=True, admits=True)
    assert (answer.status, json.loads(answer.body)) == (200, {"Response": {}})
    assert (rig.sink.alive, rig.sink.counts) == (["in1"], [])


def test_opens_in_the_documented_words_and_never_says_close() -> None:
    documented = json.loads(vector("rk_v5/reply_open.json"))["Response"]["barrier_control"]
    rig, answer = send(push(), relay_is_barrier=True, admits=True)
    assert json.loads(answer.body) == {"Response": {"barrier_control": documented}}
    assert rig.sink.asked == ["read1"]
    refused: tuple[dict[str, Any], ...] = ({"relay_is_barrier": True}, {"admits": True})
    for settings in refused:
        assert json.loads(send(push(), **settings)[1].body) == {"Response": {}}


def test_resent_result_is_history() -> None:
    rig, answer = send(push(attempt=TRIES), relay_is_barrier=True, admits=True)
    assert rig.sink.reads[0].replay
    assert json.loads(answer.body) == {"Response": {}}


def test_few_fields_of_data_type_3_are_enough() -> None:
    body = json.dumps(
        {"AlarmInfoPlate": {"resultType": 0, "seriaIno": ROM, "result": {"PlateResult": {
            "license": "浙A12345", "platecolor": "黄色", "recotime": "2024-05-07 17:48:03", "imageFile": ""}}}},
        ensure_ascii=False,
    ).encode("gb2312")  # fmt: skip
    rig, answer = send(body, serial=ROM)
    assert answer.status == 200
    (read,) = rig.sink.reads
    assert (read.plate_raw, read.colour, read.confidence_pct, read.picture) == ("浙A12345", "yellow", -1, False)


def test_io_report_is_accepted_and_is_no_read() -> None:
    rig, answer = send(json.dumps({"gpio_state": {"rom_id": ROM, "gpio_in1_statue": 1}}).encode(), serial=ROM)
    assert (answer.status, rig.sink.reads) == (200, [])
    assert rig.sink.counts == [("in1", "other_event", "gpio_state")]


@pytest.mark.parametrize("body", [b"[1]", b'{"AlarmInfoPlate": {}}', b'{"AlarmInfoPlate', b'{"KeepAlive": 5}'])
def test_damage(body: bytes) -> None:
    rig, answer = send(body)
    assert (answer.status, rig.sink.reads, rig.sink.counted("damaged")) == (400, [], 1)


def test_wrong_serial_is_refused() -> None:
    rig, answer = send(push(), serial="another")
    assert (answer.status, rig.sink.reads, rig.sink.counted("camera_refused")) == (403, [], 1)


def test_another_dialect_is_not_believed() -> None:
    rig, answer = send(push(), vendor="huaxia")
    assert (answer.status, rig.sink.reads) == (400, [])


@pytest.mark.parametrize(("plate", "admits"), [("浙A12345", True), ("浙A12345", False), ("", True)])
def test_simulated_camera_and_box_understand_each_other(plate: str, admits: bool) -> None:
    sim = RkV5(ROM)
    seen = event(plate)
    rig, answer = send(sim.plate_push(seen, 0).body, serial=ROM, relay_is_barrier=True, admits=admits)
    assert sim.proper(answer.status, answer.body)
    assert sim.opens(answer.body) is admits
    (read,) = rig.sink.reads
    assert (read.plate_raw, read.no_plate) == (plate, plate == "")
    assert seen.picture is not None
    assert rig.sink.pictures == {"read1": seen.picture.jpeg}


def test_read_is_early_when_no_serial_is_needed() -> None:
    pushed = RkV5(ROM).plate_push(event(), 0)

    async def story() -> None:
        rig = Rig(camera("rk_v5"))
        wire = rig.wire()
        request = post(pushed.body, "/x")
        cut = len(request) - len(pushed.late)
        wire.feed(request[:cut])
        assert [(read.plate_raw, read.picture) for read in rig.sink.reads] == [("浙A12345", True)]
        wire.feed(request[cut:])
        await wire.answer()
        assert len(rig.sink.reads) == len(rig.sink.pictures) == 1
        wire.hang_up()

    play(story)


def test_two_makes_at_one_address_need_the_id_in_the_path() -> None:
    async def story() -> None:
        rig = Rig(camera("rk_v5", "a"), camera("huaxia", "b"))
        assert (await rig.push(post(push(), "/x"))).status == 403
        assert (await rig.push(post(push(), "/x/a"))).status == 200
        assert [read.camera for read in rig.sink.reads] == ["a"]

    play(story)
