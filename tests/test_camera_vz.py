"""VZ pushes and their dialects, from the manual's samples: what is read, when, and what is answered."""

from __future__ import annotations

import json

import pytest

from tests.camera_rig import JPEG, VZ_PATH, Rig, camera, play, post, vector, vz_push

R5 = vector("vz/push_AlarmInfoPlate_R5.json")


def test_r5_sample_is_read_and_kept_closed() -> None:
    async def story() -> None:
        rig = Rig(camera("vz", serial="fe71e106-57263272"))
        answer = await rig.push(post(R5))
        assert answer.status == 200
        assert json.loads(answer.body) == {"Response_AlarmInfoPlate": {"info": "no", "plateid": 21085}}
        (read,) = rig.sink.reads
        assert (read.lane, read.camera, read.read_id) == ("lane-in1", "in1", "read1")
        assert (read.plate_raw, read.no_plate, read.colour) == ("粤Z9065澳", False, "black")
        assert (read.confidence_pct, read.plate_width_px) == (96, 281)
        assert read.camera_time_ms == 1686299994687
        assert read.event_id == "21085@1686299994687"
        assert (read.picture, read.replay) == (False, False)
        assert rig.sink.alive == ["in1"]
        assert rig.sink.counts == []

    play(story)


def test_picture_is_given_after_the_read() -> None:
    async def story() -> None:
        rig = Rig(camera("vz"))
        answer = await rig.push(post(vz_push(picture=JPEG)))
        assert answer.status == 200
        assert rig.sink.reads[0].picture
        assert rig.sink.pictures == {"read1": JPEG}

    play(story)


@pytest.mark.parametrize("vendor", ["vz", "boyue", "alphadigi", "qianyi"])
def test_read_is_early_when_the_picture_comes_last(vendor: str) -> None:
    async def story() -> None:
        rig = Rig(camera(vendor, serial="fe71e106-57263272"))
        wire = rig.wire()
        request = post(vz_push(picture=JPEG, picture_last=True))
        wire.feed(request[: len(request) - 200])
        (read,) = rig.sink.reads
        assert (read.plate_raw, read.picture) == ("粤Z9065澳", True)
        assert rig.sink.pictures == {}
        wire.feed(request[-200:])
        assert (await wire.answer()).status == 200
        assert rig.sink.pictures == {"read1": JPEG}
        assert len(rig.sink.reads) == 1
        wire.hang_up()

    play(story)


def test_path_name() -> None:
    assert VZ_PATH.endswith("plateresult.php")
