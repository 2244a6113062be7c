"""The listener: who is believed, what repeats, when an arm may open."""

from __future__ import annotations

import asyncio
import json

import pytest

from edge.config.model import Camera
from tests.camera_rig import (
    BEAT,
    JPEG,
    R5,
    R5_SERIAL,
    VZ_PATH,
    Rig,
    camera,
    info,
    jump,
    no_socket_left,
    play,
    post,
    vector,
    vz_push,
)

__all__ = ["no_socket_left"]


# --- who is believed -------------------------------------------------------------------------------------------


def test_strangers_are_refused_before_a_byte_is_read() -> None:
    async def story() -> None:
        rig = Rig(camera())
        wire = rig.wire("192.0.2.9")
        assert (await wire.answer()).status == 403
        assert wire.ended
        assert rig.sink.counts == [("", "camera_refused", "address 192.0.2.9 belongs to no camera")]
        assert (rig.sink.reads, rig.sink.alive) == ([], [])

    play(story)


@pytest.mark.parametrize("peer", ["::ffff:127.0.0.1", "127.0.0.1"])
def test_an_address_is_known_in_either_spelling(peer: str) -> None:
    async def story() -> None:
        rig = Rig(camera())
        wire = rig.wire(peer)
        wire.feed(post(R5))
        assert (await wire.answer()).status == 200
        wire.hang_up()

    play(story)


def test_foreign_serial_is_refused_and_never_a_read() -> None:
    async def story() -> None:
        rig = Rig(camera("vz", serial="00000000-00000000"))
        for body in (R5, vz_push(picture=JPEG, picture_last=True)):
            assert (await rig.push(post(body), [1700])).status == 403
        assert (await rig.push(BEAT)).status == 403
        assert (rig.sink.reads, rig.sink.alive) == ([], [])
        assert rig.sink.counted("camera_refused") == 3

    play(story)


def test_serial_tells_cameras_of_one_address_apart() -> None:
    async def story() -> None:
        rig = Rig(
            camera("vz", "in1", serial=R5_SERIAL),
            camera("boyue", "out1", serial="b"),
            camera("dahua", "d1", serial="c"),
        )
        assert info(await rig.push(post(R5))) == "no"
        assert info(await rig.push(post(vz_push(serialno="b")))) == "notopen"
        assert (await rig.push(post(vz_push(serialno="x")))).status == 403
        assert [(read.camera, read.lane) for read in rig.sink.reads] == [("in1", "lane-in1"), ("out1", "lane-out1")]

    play(story)


@pytest.mark.parametrize("path", ["/cam/out1", "/cam/out1" + VZ_PATH, "/x/y/out1", "/out1?a=b"])
def test_path_names_the_camera(path: str) -> None:
    async def story() -> None:
        rig = Rig(camera("vz", "in1"), camera("boyue", "out1"))
        assert info(await rig.push(post(R5, path))) == "notopen"
        assert [read.camera for read in rig.sink.reads] == ["out1"]

    play(story)


def test_path_that_names_nobody_or_somebody_else() -> None:
    async def story() -> None:
        elsewhere = Camera(id="out1", vendor="vz", addresses=("192.0.2.5",))
        rig = Rig(camera("vz", "in1"), elsewhere)
        assert (await rig.push(post(R5, "/cam/nobody"))).status == 404
        assert (await rig.push(post(R5, "/cam/out1"))).status == 403
        assert (await rig.push(post(R5, "/cam"))).status == 404
        assert rig.sink.reads == []

    play(story)


def test_two_cameras_that_nothing_tells_apart_are_refused() -> None:
    async def story() -> None:
        rig = Rig(camera("vz", "in1"), camera("vz", "out1"))
        assert (await rig.push(post(R5))).status == 403
        assert rig.sink.reads == []

    play(story)


def test_vendors_behind_one_address_are_told_apart() -> None:
    async def story() -> None:
        rig = Rig(
            camera("vz", "v", serial=R5_SERIAL),
            camera("hikvision", "h", serial="DS-TCG405-E 20220323AIJ67694167"),
            camera("dahua", "d", serial="1c11c9c4-8dbc-4391-0dd7-56764ba18dbc"),
        )
        await rig.push(post(R5))
        await rig.push(vector("hikvision/post_multipart_three_parts.http"))
        await rig.push(post(vector("dahua/itsapi_TollgateInfo_allfields.json"), "/NotificationInfo/TollgateInfo"))
        assert [read.camera for read in rig.sink.reads] == ["v", "h", "d"]

    play(story)


def test_an_address_that_is_none_is_named() -> None:
    with pytest.raises(ValueError, match=r"camera in1: addresses: 'camera\.local' is not an IP address"):
        Rig(Camera(id="in1", vendor="vz", addresses=("camera.local",)))


# --- repeats ---------------------------------------------------------------------------------------------------


def test_a_resend_is_no_second_read_and_gets_the_same_answer() -> None:
    async def story() -> None:
        rig = Rig(camera())
        first = await rig.push(post(vz_push(picture=JPEG)))
        assert await rig.push(post(vz_push(picture=JPEG))) == first
        assert len(rig.sink.reads) == 1
        assert rig.sink.counted("repeat") == 1
        assert rig.sink.pictures == {"read1": JPEG}

    play(story)


def test_plate_id_that_starts_again_is_a_new_read() -> None:
    async def story() -> None:
        rig = Rig(camera())
        await rig.push(post(R5))
        await rig.push(post(vz_push(timeStamp={"Timeval": {"sec": 1686300000, "usec": 0}})))
        await rig.push(post(vz_push(license="粤B00000")))
        assert len(rig.sink.reads) == 3

    play(story)


def test_a_resend_brings_the_picture_that_the_first_one_lost() -> None:
    async def story() -> None:
        rig = Rig(camera("boyue"))
        request = post(vz_push(picture=JPEG, picture_last=True))
        wire = rig.wire()
        wire.feed(request[:-500])
        wire.hang_up()
        assert len(rig.sink.reads) == 1
        assert rig.sink.counted("damaged_after_read") == 1
        await rig.push(request)
        assert len(rig.sink.reads) == 1
        assert rig.sink.pictures == {"read1": JPEG}

    play(story)


def test_only_the_last_256_are_remembered() -> None:
    async def story() -> None:
        rig = Rig(camera())
        for number in range(257):
            await rig.push(post(vz_push(plateid=number)))
        await rig.push(post(vz_push(plateid=1)))
        assert len(rig.sink.reads) == 257
        await rig.push(post(vz_push(plateid=0)))
        assert len(rig.sink.reads) == 258

    play(story)


# --- the reply is the gate -------------------------------------------------------------------------------------


@pytest.mark.parametrize("vendor", ["vz", "boyue", "qianyi", "alphadigi"])
@pytest.mark.parametrize(("relay", "admits"), [(True, True), (True, False), (False, True), (False, False)])
def test_ok_only_for_an_admitted_car_at_a_relay_that_is_the_barrier(vendor: str, relay: bool, admits: bool) -> None:
    async def story() -> None:
        rig = Rig(camera(vendor, relay_is_barrier=relay))
        rig.sink.admits = admits
        answer = await rig.push(post(R5))
        assert (info(answer) == "ok") is (relay and admits)
        assert rig.sink.asked == (["read1"] if relay else [])

    play(story)


def test_a_late_verdict_keeps_closed_and_is_counted() -> None:
    async def story() -> None:
        rig = Rig(camera(relay_is_barrier=True))
        rig.sink.admits, rig.sink.verdict_gate = True, asyncio.Event()
        wire = rig.wire()
        wire.feed(post(R5))
        await asyncio.sleep(0)
        assert wire.sent == b""
        jump(0.79)
        await asyncio.sleep(0)
        assert wire.sent == b""
        jump(0.02)
        assert info(await wire.answer()) == "no"
        assert rig.sink.counted("verdict_late") == 1
        wire.hang_up()

    play(story)


def test_a_quick_resend_gets_the_ok_again_and_an_aged_one_does_not() -> None:
    async def story() -> None:
        rig = Rig(camera(relay_is_barrier=True))
        rig.sink.admits = True
        assert info(await rig.push(post(R5))) == "ok"
        rig.clock_ms += 5000
        assert info(await rig.push(post(R5))) == "ok"
        rig.clock_ms += 1
        assert info(await rig.push(post(R5))) == "no"
        replay = await rig.push(post(vz_push(isoffline=1)))
        assert "ContinuePushOffline" in json.loads(replay.body)["Response_AlarmInfoPlate"]
        assert len(rig.sink.reads) == 1

    play(story)


def test_a_refused_car_stays_refused_for_its_resend() -> None:
    async def story() -> None:
        rig = Rig(camera(relay_is_barrier=True))
        assert info(await rig.push(post(R5))) == "no"
        rig.sink.admits = True
        assert info(await rig.push(post(R5))) == "no"

    play(story)


def test_answer_waits_for_the_durable_picture_but_not_for_ever() -> None:
    async def story() -> None:
        rig = Rig(camera())
        rig.sink.picture_gate = asyncio.Event()
        wire = rig.wire()
        wire.feed(post(vz_push(picture=JPEG)))
        await asyncio.sleep(0)
        assert wire.sent == b""
        jump(4.1)
        assert (await wire.answer()).status == 503
        assert rig.sink.pictures == {}
        rig.sink.picture_gate.set()
        await rig.listener.stop()
        assert rig.sink.pictures == {"read1": JPEG}

    play(story)


def test_a_picture_that_cannot_be_kept_is_counted_and_answered() -> None:
    async def story() -> None:
        rig = Rig(camera())
        rig.sink.picture_error = OSError(28, "No space left on device")
        assert (await rig.push(post(vz_push(picture=JPEG)))).status == 200
        assert rig.sink.counted("picture_lost") == 1
        rig.sink.picture_error = None
        await rig.push(post(vz_push(picture=JPEG)))
        assert rig.sink.pictures == {"read1": JPEG}

    play(story)


