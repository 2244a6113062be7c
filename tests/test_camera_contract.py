"""One contract over every kind of camera that is read: by push, by VZ's TCP port, by Hikvision's alertStream.

Whatever a camera does, a car is read once or not at all, nothing is left waiting, and the next car is read.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from drivers.cameras import hik_stream, vz_tcp
from hal_sim.cameras.event import CameraEvent
from hal_sim.cameras.pictures import Picture
from tests.camera_kinds import KINDS, LIMIT_BYTES, PULLED, SLOW_S, CameraKind, camera_of
from tests.camera_rig import JPEG, jump, play

AT_MS = 1_715_075_283_847
PLATE_JPEG = JPEG[:400] + b"\xff\xd9"

IN_A_ROW_S = (0.01, 0.01, 0.01, 3600.0)
"""Pauses between connections: after the fourth failure in a row it would be an hour."""

Told = Callable[[Callable[[CameraKind], Awaitable[None]]], None]


@pytest.fixture(params=KINDS)
def told(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    """Runs a story with a camera that the box connects to anew without a pause."""
    for module in (hik_stream, vz_tcp):
        monkeypatch.setattr(module, "AGAIN_S", (0.01,))

    def run(story: Callable[[CameraKind], Awaitable[None]]) -> None:
        async def whole() -> None:
            async with camera_of(request.param, tmp_path) as camera:
                await story(camera)

        play(whole)

    return run


def car(number: int, plate: str = "鲁B12345", colour: str = "blue", **changes: Any) -> CameraEvent:
    """Another car each `number`; its picture differs too."""
    scene = JPEG[:-2] + number.to_bytes(2, "big") + JPEG[-2:]
    members: dict[str, Any] = {
        "number": number, "uuid": f"a0fe72d4-3652-464a-aebd-{number:012}", "plate": plate, "colour": colour,
        "at_ms": AT_MS + 1000 * number, "picture": Picture(scene, PLATE_JPEG, 1280, 720, (500, 400, 700, 460)),
    }  # fmt: skip
    return CameraEvent(**(members | changes))


def scene(event: CameraEvent) -> bytes:
    assert event.picture is not None
    return event.picture.jpeg


async def is_pictured(camera: CameraKind, event: CameraEvent) -> None:
    """Until the box keeps its picture."""
    await camera.sink.until(lambda: scene(event) in camera.sink.pictures.values())


async def is_read(camera: CameraKind, event: CameraEvent) -> None:
    """Told whole, it is one more read with its picture."""
    sink = camera.sink
    before = len(sink.reads)
    await camera.say(camera.message(event))
    await is_pictured(camera, event)
    assert [read.plate_raw for read in sink.reads[before:]] == [event.plate]
    assert sink.pictures[sink.reads[-1].read_id] == scene(event)


@pytest.mark.parametrize(("plate", "colour"), [("鲁B12345", "blue"), ("粤BD12345", "green"), ("", "unknown")])
def test_a_car_is_read_whole_with_its_picture(told: Told, plate: str, colour: str) -> None:
    async def story(camera: CameraKind) -> None:
        for number in (1, 2):  # simulated makes write every second one in another order
            event, sink = car(number, plate, colour), camera.sink
            await camera.say(camera.message(event))
            await is_pictured(camera, event)
            read = sink.reads[-1]
            assert len(sink.reads) == number
            assert (read.lane, read.camera, read.colour, read.replay) == ("lane1", "in1", colour, False)
            assert read.no_plate is (plate == "")
            assert plate in {"", read.plate_raw}
            assert 0 <= event.at_ms - read.camera_time_ms < 1000  # some tell whole seconds
            assert sink.pictures[read.read_id] == scene(event)
        assert (sink.asked, "in1" in sink.alive) == ([], True)  # nothing was asked that could open

    told(story)


def test_a_car_without_a_picture_is_read(told: Told) -> None:
    async def story(camera: CameraKind) -> None:
        await camera.say(camera.message(car(2, picture=None)))
        await camera.sink.until(lambda: len(camera.sink.reads) == 1)
        await is_read(camera, car(3, "鲁B33333"))
        assert len(camera.sink.pictures) == 1

    told(story)


def test_a_message_in_any_pieces_is_the_same_read(told: Told) -> None:
    async def story(camera: CameraKind) -> None:
        dice = random.Random(8)
        for number in (1, 2):
            event = car(number, f"鲁B0000{number}")
            raw = camera.message(event)
            sizes = [1] * 400 + [dice.randint(1, 700) for _ in range(40)]
            await camera.say(raw, sizes)
            await is_pictured(camera, event)
        assert [read.plate_raw for read in camera.sink.reads] == ["鲁B00001", "鲁B00002"]

    told(story)


def test_a_message_cut_off_anywhere_and_told_again_is_one_read_with_one_picture(told: Told) -> None:
    async def story(camera: CameraKind) -> None:
        sink = camera.sink
        for number in range(1, 13):
            event = car(number, f"鲁B{number:05}")
            raw = camera.message(event)
            await camera.say(raw[: len(raw) * number // 13])
            await camera.leave()
            await camera.say(raw)
            await is_pictured(camera, event)
        assert [read.plate_raw for read in sink.reads] == [f"鲁B{number:05}" for number in range(1, 13)]
        assert list(sink.pictures.values()) == [scene(car(number)) for number in range(1, 13)]

    told(story)


@pytest.mark.parametrize(
    "garbage",
    [b"", b"{", b"{}", b"[1]", b"\0" * 50, b"<a>", bytes(range(256)) * 4, "鲁B12345".encode(), b"\xff\xd8\xff\xd9",
     b'{"AlarmInfoPlate":{"result":{"PlateResult":{"license":' + b"[" * 2000],
)  # fmt: skip
def test_a_message_of_garbage_is_no_read_and_the_next_car_is_read(told: Told, garbage: bytes) -> None:
    async def story(camera: CameraKind) -> None:
        await camera.say(camera.framed(garbage))
        await is_read(camera, car(1))
        assert len(camera.sink.reads) == 1

    told(story)


def test_bytes_that_are_no_message_are_no_read_and_the_next_car_is_read(told: Told) -> None:
    async def story(camera: CameraKind) -> None:
        noise = random.Random(8).randbytes(900)
        others = (b"\r\nLinux 3.10 login: ", b"HTTP/1.1 400 Bad Request\r\n\r\n", noise, b"\0" * 900)
        for number, raw in enumerate(others, start=1):
            await is_read(camera, car(10 + number, f"鲁A0000{number}"))
            await camera.say(raw)
            await camera.leave()
            await is_read(camera, car(number, f"鲁B0000{number}"))
        assert len(camera.sink.reads) == 8

    told(story)


def test_a_message_that_never_ends_is_given_up_and_the_next_car_is_read(told: Told) -> None:
    async def story(camera: CameraKind) -> None:
        for number in (1, 2, 3):  # each time at once: it is not the connections that fail
            raw = camera.message(car(number, f"鲁B0000{number}"))
            await camera.say(raw[: len(raw) // 2])
            jump(SLOW_S)
            await camera.dropped()
            await is_read(camera, car(10 + number, f"鲁A0000{number}"))
        assert camera.sink.counted("slow") + camera.sink.counted("connection") >= 3
        assert len(camera.sink.pictures) == 3

    told(story)


def test_the_same_message_twice_is_one_read(told: Told) -> None:
    async def story(camera: CameraKind) -> None:
        first, second = car(1), car(2, "鲁B22222")
        for event in (first, second):
            await is_read(camera, event)
        for event in (first, second, first):
            await camera.say(camera.message(event))
        await camera.sink.until(lambda: camera.sink.counted("repeat") == 3)
        assert (len(camera.sink.reads), len(camera.sink.pictures)) == (2, 2)

    told(story)


def test_a_message_beyond_the_limit_keeps_no_picture_and_the_next_car_is_read(told: Told) -> None:
    async def story(camera: CameraKind) -> None:
        huge = car(1, picture=Picture(JPEG * (LIMIT_BYTES // len(JPEG) + 9), PLATE_JPEG, 1280, 720, (0, 0, 9, 9)))
        await camera.say(camera.message(huge))
        await camera.sink.until(lambda: camera.sink.counts != [])
        await camera.dropped()
        await is_read(camera, car(2, "鲁B22222"))
        assert list(camera.sink.pictures.values()) == [scene(car(2))]

    told(story)


@pytest.mark.parametrize("jpeg", [b"GIF89a" + bytes(500), bytes(300), b"\xff\xd9\xff\xd8" * 100])
def test_a_picture_that_is_none_costs_the_picture_and_not_the_car(told: Told, jpeg: bytes) -> None:
    async def story(camera: CameraKind) -> None:
        await camera.say(camera.message(car(1, picture=Picture(jpeg, jpeg, 1280, 720, (0, 0, 9, 9)))))
        await camera.sink.until(lambda: len(camera.sink.reads) == 1)
        await is_read(camera, car(2, "鲁B22222"))
        assert [read.plate_raw for read in camera.sink.reads] == ["鲁B12345", "鲁B22222"]
        assert len(camera.sink.pictures) == 1

    told(story)


@pytest.mark.parametrize("at_ms", [0, 4_102_444_800_000 + 86_400_000])
def test_a_clock_that_cannot_be_right_is_unknown_and_the_car_is_read(told: Told, at_ms: int) -> None:
    """1970, after a power cut; and 2100, after a mistake."""

    async def story(camera: CameraKind) -> None:
        await is_read(camera, car(1, at_ms=at_ms))
        await is_read(camera, car(2, "鲁B22222", at_ms=at_ms))
        assert [read.camera_time_ms for read in camera.sink.reads] == [-1, -1]
        await is_read(camera, car(3))  # set right meanwhile: the first car again, another time
        assert camera.sink.reads[-1].camera_time_ms > AT_MS

    told(story)


def test_a_camera_that_restarts_and_counts_anew_is_read_on(told: Told) -> None:
    async def story(camera: CameraKind) -> None:
        for turn in range(5):
            uuid = f"b1fe72d4-3652-464a-aebd-{turn:012}"
            picture = Picture(JPEG + bytes((turn,)) + b"\xff\xd9", PLATE_JPEG, 1280, 720, (0, 0, 9, 9))
            again = car(1, f"鲁B0000{turn}", uuid=uuid, at_ms=AT_MS + 60_000 * turn, picture=picture)
            await is_read(camera, again)
            await camera.leave()
        assert len(camera.sink.reads) == 5

    told(story)


@pytest.mark.parametrize("kind", PULLED)
def test_a_pulled_camera_that_ends_its_connections_in_any_way_is_back_at_once(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only failures in a row make the pauses longer: years of restarts do not."""
    for module in (hik_stream, vz_tcp):
        monkeypatch.setattr(module, "AGAIN_S", IN_A_ROW_S)

    async def story() -> None:
        async with camera_of(kind, tmp_path) as camera:
            for turn in range(9):
                await is_read(camera, car(turn, f"鲁B0000{turn}"))
                if turn % 3 == 0:
                    await camera.leave()
                elif turn % 3 == 1:
                    jump(SLOW_S)  # silence
                    await camera.dropped()
                else:
                    await camera.say(b"x" * (LIMIT_BYTES + 9000) if "hik" in kind else b"no frame of it")
                    await camera.dropped()

    play(story)


@pytest.mark.parametrize("kind", PULLED)
def test_a_byte_now_and_then_gains_no_time(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What pushes has one deadline for a whole request (test_camera_connection); these have one for a whole message."""
    for module in (hik_stream, vz_tcp):
        monkeypatch.setattr(module, "AGAIN_S", IN_A_ROW_S)

    async def story() -> None:
        async with camera_of(kind, tmp_path) as camera:
            await is_read(camera, car(1))
            raw = camera.message(car(2, "鲁B22222"))
            await camera.say(raw[:200])
            jump(SLOW_S * 2 / 3)
            await camera.say(raw[200:201])
            jump(SLOW_S * 2 / 3)
            await camera.dropped()
            await is_read(camera, car(3, "鲁B33333"))

    play(story)
