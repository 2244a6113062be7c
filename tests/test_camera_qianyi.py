"""A simulated Qianyi camera against its one published push, and what the box makes of its own type numbers."""

from __future__ import annotations

import json

import pytest

from hal_sim.cameras.event import CameraEvent
from hal_sim.cameras.pictures import Painter
from hal_sim.cameras.qianyi import Qianyi
from hal_sim.cameras.sender import CameraSpec, vendor_of
from tests.camera_rig import Rig, camera, play, post, quiet, vector
from tests.camera_shape import shape

SERIAL = "e10b2d6c8c07b422361457935b518642"
AT_MS = 1_569_377_000_250
PAINTER = Painter(1)


def seen(plate: str, colour: str = "blue", number: int = 1) -> CameraEvent:
    return CameraEvent(number, "", plate, colour, AT_MS + number, PAINTER.paint(plate, colour, number))


def test_the_push_has_the_members_types_and_order_of_the_published_one() -> None:
    sample = json.loads(vector("qianyi/push_AlarmInfoPlate.json"))
    ours = json.loads(Qianyi(SERIAL).plate_push(seen("鲁B12345"), 0).body)
    assert shape(ours) == shape(sample)
    plate, published = (one["AlarmInfoPlate"]["result"]["PlateResult"] for one in (ours, sample))
    assert list(plate) == list(published)
    unread = json.loads(Qianyi(SERIAL).plate_push(seen(""), 0).body)["AlarmInfoPlate"]["result"]["PlateResult"]
    assert (unread["license"], unread["type"]) == (published["license"], published["type"])


@pytest.mark.parametrize("types_only", [False, True])
@pytest.mark.parametrize("colour", ["blue", "yellow", "white", "black", "green", "yellow_green"])
def test_the_box_reads_it_with_its_picture_in_its_own_table(colour: str, types_only: bool) -> None:
    async def story() -> None:
        rig = Rig(camera("qianyi", serial=SERIAL))
        event = seen("鲁BD12345" if colour == "green" else "鲁B12345", colour)
        sim = Qianyi(SERIAL, names_type_only=types_only)
        push = sim.plate_push(event, 0)
        request = post(push.body, push.path)
        for _ in range(2):  # pushed again: the same car
            answer = await rig.push(request)
            assert sim.proper(answer.status, answer.body)
            assert json.loads(answer.body)["Response_AlarmInfoPlate"]["info"] == "no"
        (read,) = rig.sink.reads
        assert (read.plate_raw, read.colour, read.camera_time_ms) == (event.plate, colour, event.at_ms)
        assert event.picture is not None
        assert list(rig.sink.pictures.values()) == [event.picture.jpeg]
        await quiet()

    play(story)


def test_a_car_without_plate_is_one() -> None:
    async def story() -> None:
        rig = Rig(camera("qianyi", serial=SERIAL))
        push = Qianyi(SERIAL).plate_push(seen(""), 0)
        await rig.push(post(push.body, push.path))
        (read,) = rig.sink.reads
        assert (read.no_plate, read.plate_raw) == (True, "_无_")
        await quiet()

    play(story)


def test_it_is_one_of_the_simulated_makes_and_has_no_heartbeat() -> None:
    sim = vendor_of(CameraSpec("c1", "qianyi", SERIAL))
    assert isinstance(sim, Qianyi)
    with pytest.raises(ValueError, match="no heartbeat is published"):
        sim.heartbeat(AT_MS)
