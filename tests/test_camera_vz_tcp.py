"""VZ TCP 8131: frames byte for byte, a result as published, and a camera on a socket with its faults."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

import pytest

from drivers.cameras.listener import CameraListener
from drivers.cameras.reading import Damaged
from drivers.cameras.vz_frames import BEAT, Frames, command
from drivers.cameras.vz_tcp import VzTcp, understand
from edge.config.model import Camera, CameraClient, Listener
from hal_sim.cameras.event import CameraEvent
from hal_sim.cameras.pictures import Painter
from hal_sim.cameras.vz_tcp import VzTcpCamera
from tests.camera_client_rig import SERIAL, Telling, connected, on_thread, run, vz8131
from tests.camera_rig import JPEG, vector

__all__ = ["vz8131"]

AT_MS = 1_715_075_283_847
PAINTER = Painter(1)
LIMIT = 4_000_000


# --- bytes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("heartbeat", BEAT),
        ("req_getsn", command("getsn")),
        ("req_trigger", command("trigger")),
        ("req_ioctl_open", command("ioctl", id="132156", delay=500, io=0, value=2)),
        ("req_ivsresult_subscribe",
         command("ivsresult", id="132156", enable=True, format="json", image=True, image_type=0)),
        ("req_ttransmission_init", command("ttransmission", subcmd="init", data="rs485-1")),
        ("req_ttransmission_send",
         command("ttransmission", subcmd="send", datalen=6, data="QUJDREVG", comm="rs485-1")),
    ],
)  # fmt: skip
def test_frames_are_those_of_the_documentation(name: str, ours: bytes) -> None:
    assert ours == vector(f"vz/tcp8131_{name}.bin")


def test_frames_in_any_cut() -> None:
    stream = b"".join(vector(f"vz/tcp8131_{name}.bin") for name in ("resp_getsn", "heartbeat", "resp_ok"))
    for size in (1, 7, 8, 9, 50, len(stream)):
        frames, found = Frames(LIMIT), []
        for at in range(0, len(stream), size):
            found += frames.feed(stream[at : at + size])
        assert [kind for kind, _ in found] == [0, 1, 0]
        assert understand(found[0][1])[0].value == SERIAL
        assert understand(found[2][1])[0].state_code == 200


@pytest.mark.parametrize("raw", [b"HTTP/1.1", b"VZ\x02\0\0\0\0\0", b"VZ\0\0\x7f\xff\xff\xff"])
def test_what_is_no_frame_is_named(raw: bytes) -> None:
    with pytest.raises(Damaged, match="frame"):
        Frames(LIMIT).feed(raw)


def test_published_result_whose_plate_is_encrypted_is_refused_with_the_reason() -> None:
    with pytest.raises(Damaged, match="turn plate encryption off"):
        understand(vector("vz/tcp8131_ivs_result_published.json"))


def published(plate: str, **changes: Any) -> bytes:
    document = json.loads(vector("vz/tcp8131_ivs_result_published.json"))
    document["PlateResult"] |= {"enable_encrypt": 0, "license": plate}
    return json.dumps(document | changes, ensure_ascii=False).encode("gbk")


@pytest.mark.parametrize("plate", ["鲁B12345", "豫A12345", "粤BD12345"])
def test_published_result_with_a_plate_in_gbk_and_pictures_behind_it(plate: str) -> None:
    body = published(plate, fullImgSize=len(JPEG), clipImgSize=4) + b"\n\0" + JPEG + b"\xff\xd8\xff\xd9"
    told, jpeg = understand(body)
    assert told.plate is not None
    assert (told.plate.license, told.id, told.cmd, jpeg) == (plate, 65, "ivs_result", JPEG)


@pytest.mark.parametrize("size", [-1, 5])
def test_picture_longer_than_the_frame_is_damage(size: int) -> None:
    with pytest.raises(Damaged, match="fullImgSize"):
        understand(published("粤B12345", fullImgSize=size) + b"\0abcd")


# --- on a socket -----------------------------------------------------------------------------------------------------


def seen(number: int, plate: str, colour: str = "blue") -> CameraEvent:
    return CameraEvent(number, "", plate, colour, AT_MS + number, PAINTER.paint(plate, colour, number))


def test_results_come_with_their_picture(vz8131: VzTcpCamera) -> None:
    async def story() -> None:
        async with connected(vz8131, reads=True) as (sink, _):
            await on_thread(vz8131, lambda: vz8131.subscribed)
            first, second = seen(1, "鲁B12345"), seen(2, "")
            for event in (first, second, first):  # the last one is told again
                await asyncio.to_thread(vz8131.see, event)
            await sink.until(lambda: sink.counted("repeat") == 1)
            assert [(read.plate_raw, read.no_plate) for read in sink.reads] == [("鲁B12345", False), ("_无_", True)]
            assert sink.reads[0].colour == "blue"
            assert sink.reads[0].camera_time_ms == first.at_ms
            assert first.picture is not None
            assert second.picture is not None
            assert sink.pictures == {"read1": first.picture.jpeg, "read2": second.picture.jpeg}

    run(story)


def test_without_reads_it_does_not_subscribe_and_a_trigger_is_still_obeyed(vz8131: VzTcpCamera) -> None:
    async def story() -> None:
        async with connected(vz8131) as (_, clients):
            assert clients.trigger("lane1")
            assert not clients.trigger("another lane")
            await on_thread(vz8131, lambda: vz8131.triggers == 1)
            assert not vz8131.subscribed

    run(story)


def test_trigger_brings_the_picture_of_what_stands_there(vz8131: VzTcpCamera) -> None:
    async def story() -> None:
        vz8131.before = seen(5, "粤B12345")
        async with connected(vz8131, reads=True) as (sink, clients):
            await on_thread(vz8131, lambda: vz8131.subscribed)
            assert clients.trigger("lane1")
            await sink.until(lambda: "read1" in sink.pictures)
            assert sink.reads[0].plate_raw == "粤B12345"

    run(story)


def test_an_order_pulses_the_relay_once(vz8131: VzTcpCamera) -> None:
    async def story() -> None:
        async with connected(vz8131, relay=True, opens=True) as (_, clients):
            clients.of("in1").open_barrier()
            clients.trigger("lane1")  # behind it on the same wire
            await on_thread(vz8131, lambda: vz8131.triggers == 1)
            assert vz8131.pulses == [(0, 500)]

    run(story)


def test_an_admitted_car_is_not_opened_twice_when_commands_open(vz8131: VzTcpCamera) -> None:
    async def story() -> None:
        async with connected(vz8131, relay=True, opens=True, reads=True) as (sink, _):
            sink.admits = True
            await on_thread(vz8131, lambda: vz8131.subscribed)
            await asyncio.to_thread(vz8131.see, seen(1, "粤B12345"))
            await sink.until(lambda: "read1" in sink.pictures)
            assert sink.asked == []  # nobody waits for a verdict: the opening is the lane's own command

    run(story)


def test_after_a_cut_it_connects_anew_and_no_order_is_kept_for_later(vz8131: VzTcpCamera) -> None:
    async def story() -> None:
        async with connected(vz8131, relay=True, opens=True, reads=True) as (sink, clients):
            await asyncio.to_thread(vz8131.cut)
            await sink.until(lambda: sink.counted("connection") == 1)
            clients.of("in1").open_barrier()
            assert not clients.trigger("lane1")
            assert sink.counted("order_not_sent") == 2
            await on_thread(vz8131, lambda: vz8131.connections == 2 and vz8131.subscribed)
            await asyncio.to_thread(vz8131.see, seen(9, "粤B12345"))
            await sink.until(lambda: len(sink.reads) == 1)
            assert (vz8131.pulses, vz8131.triggers) == ([], 0)

    run(story)


@pytest.mark.parametrize(
    ("raw", "counter"),
    [(b"HTTP/1.1 400 Bad", "connection"), (b"VZ\0\0\0\0\0\x02{]", "damaged"), (b"VZ\0\0\0\0\0\x01\0", "damaged")],
)
def test_a_sick_camera_brings_a_counter_and_no_read(vz8131: VzTcpCamera, raw: bytes, counter: str) -> None:
    async def story() -> None:
        async with connected(vz8131, reads=True) as (sink, _):
            await asyncio.to_thread(vz8131.say, raw)
            await sink.until(lambda: sink.counted(counter) == 1)
            assert sink.reads == []

    run(story)


def test_a_refused_order_is_counted(vz8131: VzTcpCamera) -> None:
    async def story() -> None:
        async with connected(vz8131, relay=True, opens=True) as (sink, clients):
            vz8131.refuses = True
            clients.of("in1").open_barrier()
            await sink.until(lambda: sink.counted("order_refused") == 1)
            assert "ioctl: 404 Not Found" in sink.counts[-1][2]

    run(story)


def test_another_camera_at_the_address_is_not_believed(vz8131: VzTcpCamera) -> None:
    async def story() -> None:
        async with connected(vz8131, serial="another", reads=True) as (sink, _):
            await sink.until(lambda: sink.counted("connection") >= 1)
            assert any("630b5d5d" in detail for _, _, detail in sink.counts)

    run(story)


def test_bytes_for_the_sign_leave_with_their_exact_length(vz8131: VzTcpCamera) -> None:
    published_voice = bytes.fromhex("0064FFFF301201D4C1423132333435 2CBBB6D3ADB9E2C1D96A91")

    async def story() -> None:
        sink = Telling()
        camera = Camera(id="in1", vendor="vz", addresses=("127.0.0.1",), client=CameraClient(port=vz8131.port))
        desk = CameraListener(Listener(port=0), [("l", camera)], sink, lambda: "r", lambda: 0).desk
        client = VzTcp(desk, desk.registry.at("127.0.0.1")[0], vz8131.port, reads=False)
        assert not client.serial(published_voice)
        running = asyncio.create_task(client.run())
        await sink.until(lambda: bool(sink.alive))
        assert client.connected
        assert client.serial(published_voice)
        await on_thread(vz8131, lambda: vz8131.serial_out != b"")
        assert vz8131.serial_out == published_voice
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running

    run(story)
