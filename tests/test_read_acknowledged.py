"""A camera that got a 200 forgets its push: whatever it told is durable by then, and no 200 is given before."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.camera_rig import JPEG, R5, Rig, camera, info, jump, play, post, vz_push
from tests.program_rig import box_in, platform_on

PLATES = [f"鲁A{number:05d}" for number in range(6)]


def test_a_read_without_a_car_is_in_the_ledger_when_its_camera_has_the_200(tmp_path: Path) -> None:
    """Nobody decides about it, so nothing hurries its fact to the disk; the power may go in the next moment."""
    with platform_on() as (_, url), box_in(tmp_path, directions=("in",), city_url=url) as box, box.lane() as lane:
        lane.await_ready()
        bay = box.bays["in1"]
        for plate in PLATES:
            status, _ = box.push(bay.camera.read(plate))
            kept = [row.body["plate"] for row in box.facts() if row.kind == "ReadTaken"]
            assert (status, plate in kept) == (200, True)
        assert box.view()["counters"].get("in1.not_kept_in_time", 0) == 0


def test_the_answer_waits_for_the_reads_before_it() -> None:
    async def story() -> None:
        rig = Rig(camera())
        rig.sink.kept_gate = asyncio.Event()
        wire = rig.wire()
        wire.feed(post(R5))
        jump(3.9)
        await asyncio.sleep(0)
        assert wire.sent == b""
        rig.sink.kept_gate.set()
        assert (await wire.answer()).status == 200
        wire.hang_up()

    play(story)


def test_no_200_from_a_disk_that_hangs_and_the_camera_may_push_again() -> None:
    async def story() -> None:
        rig = Rig(camera())
        rig.sink.kept_gate = asyncio.Event()
        wire = rig.wire()
        wire.feed(post(R5))
        await asyncio.sleep(0)
        jump(4.1)
        answer = await wire.answer()
        assert (answer.status, answer.close, rig.sink.counted("not_kept_in_time")) == (503, True, 1)
        wire.hang_up()
        rig.sink.kept_gate.set()
        assert (await rig.push(post(R5))).status == 200
        assert len(rig.sink.reads) == 1

    play(story)


def test_a_repeat_waits_for_the_picture_of_the_first() -> None:
    """The camera gave up on the first and got its 200 for the second: the picture is durable by then."""

    async def story() -> None:
        rig = Rig(camera())
        rig.sink.picture_gate = asyncio.Event()
        first, second = rig.wire(), rig.wire()
        first.feed(post(vz_push(picture=JPEG)))
        await asyncio.sleep(0)
        first.hang_up()
        second.feed(post(vz_push(picture=JPEG)))
        jump(2)
        await asyncio.sleep(0)
        assert second.sent == b""
        rig.sink.picture_gate.set()
        assert (await second.answer()).status == 200
        assert rig.sink.pictures == {"read1": JPEG}
        second.hang_up()

    play(story)


def test_an_opened_arm_waits_for_no_disk() -> None:
    async def story() -> None:
        rig = Rig(camera(relay_is_barrier=True))
        rig.sink.admits, rig.sink.kept_gate = True, asyncio.Event()
        assert info(await rig.push(post(R5))) == "ok"

    play(story)
