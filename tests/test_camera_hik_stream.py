"""Hikvision's alertStream: parts in any cut and with wrong lengths, and a camera on a socket with its faults."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.cameras import hik_stream
from drivers.cameras.chunks import Chunks
from drivers.cameras.clients import CameraClients
from drivers.cameras.hikvision import message_of
from drivers.cameras.parts import Parts
from drivers.cameras.reading import Damaged
from edge.config.model import Camera, CameraClient
from hal_sim.cameras.event import CameraEvent
from hal_sim.cameras.hik_stream import HikStreamCamera
from hal_sim.cameras.pictures import Painter
from tests.camera_client_rig import Telling, plugged, run
from tests.camera_rig import vector

PASSWORD = "pa:ss wörd"
AT_MS = 1_715_075_283_847
PAINTER = Painter(1)
WITHIN_S = 20.0
LIMIT = 1_000_000


# --- parts -----------------------------------------------------------------------------------------------------------


def complete(content: bytes) -> bool:
    return content.rstrip().endswith((b"</a>", b"EventNotificationAlert>"))


def cut(stream: bytes, size: int) -> list[bytes]:
    parts = Parts(b"boundary", LIMIT, complete)
    pieces = (stream[at : at + size] for at in range(0, len(stream), size))
    return [part.content.rstrip(b"\r\n") for piece in pieces for part in parts.feed(piece)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000, 100_000])
def test_the_sample_stream_in_any_cut(size: int) -> None:
    body = vector("hikvision/alertStream.http").partition(b"\r\n\r\n")[2]
    kinds = [message_of(content).kind for content in cut(body, size) if content.lstrip().startswith(b"<")]
    assert kinds[:2] == ["alive", "plate"]


PUBLISHED = vector("hikvision/alertStream_published_parts.bin")


@pytest.mark.parametrize("size", [1, 3, 64, 5000])
@pytest.mark.parametrize("lengths", [True, False])
def test_published_parts_of_three_cameras_in_any_cut(size: int, lengths: bool) -> None:
    """Contents that end with LF and with CR LF, and a boundary at once behind them; also without lengths."""
    stream = PUBLISHED if lengths else re.sub(rb"Content-Length: \d+\r\n", b"", PUBLISHED)
    messages = [message_of(content) for content in cut(stream + b"--boundary\r\n", size)]
    kinds = [(one.kind, one.what) for one in messages]
    assert kinds == [("other", "VMD"), ("alive", "videoloss"), ("other", "duration")]


def test_published_parts_wait_for_nothing() -> None:
    assert len(cut(PUBLISHED, 1)) == 3


def test_a_boundary_twice_is_one() -> None:
    """Some firmware writes it so behind an event (toxuin/alarmserver #51)."""
    twice = PUBLISHED.replace(b"--boundary\r\n", b"--boundary\r\n--boundary\r\n")
    for size in (1, 64, 5000):
        assert cut(twice, size) == cut(PUBLISHED, size)


@given(st.lists(st.binary(max_size=40)), st.lists(st.integers(1, 30), max_size=40))
def test_chunks_are_what_they_carry_in_any_cut(pieces: list[bytes], sizes: list[int]) -> None:
    told = b"".join(b"%X;x=1\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece) + b"0\r\n\r\n"
    chunks, got, at = Chunks(), b"", 0
    for size in (*sizes, len(told)):
        got += chunks.feed(told[at : at + size])
        at += size
    assert (got, chunks.ended) == (b"".join(pieces), True)


@pytest.mark.parametrize("raw", [b"\r\n", b"x\r\n", b"-1\r\n", b"1\r\nab\r\n", b"1" * 16 + b"\r\n", b"1" * 300])
def test_what_is_no_chunk_is_damage(raw: bytes) -> None:
    with pytest.raises(Damaged, match="chunk"):
        Chunks().feed(raw)


@pytest.mark.parametrize("length", [None, 3, 11, 12, 13, 500])
def test_a_part_is_whole_whatever_its_length_says(length: int | None) -> None:
    """Right (12), too short, too long, and none: the next boundary tells."""
    said = b"" if length is None else b"Content-Length: %d\r\n" % length
    one = b"--boundary\r\nContent-Type: text/xml\r\n" + said + b"\r\n" + b"<a>hello</a>" + b"\r\n"
    stream = one + b'--boundary\r\nContent-Disposition: form-data; name="x"; filename=y.jpg\r\n\r\nZ\r\n--boundary--'
    for size in (1, 5, len(stream)):
        assert cut(stream, size) == [b"<a>hello</a>", b"Z"]


def test_a_right_length_waits_for_nothing() -> None:
    parts = Parts(b"boundary", LIMIT, complete)
    assert [part.content for part in parts.feed(b"--boundary\r\nContent-Length: 7\r\n\r\n<a></a>")] == [b"<a></a>"]


@pytest.mark.parametrize(
    "stream",
    [
        b"x" * (LIMIT + 1),
        b"--boundary\r\n" + b"y" * 5000,
        b"--boundary\r\nContent-Length: 2000000\r\n\r\n",
        b"--boundary\r\n\r\n" + b"z" * (LIMIT + 5000),
        b"--boundary\r\n\r\n" + b"z" * (LIMIT + 1) + b"\r\n--boundary",
    ],
)
def test_what_is_too_long_is_damage(stream: bytes) -> None:
    with pytest.raises(Damaged):
        list(Parts(b"boundary", LIMIT, complete).feed(stream))


# --- on a socket -----------------------------------------------------------------------------------------------------


@pytest.fixture
def camera() -> Iterator[HikStreamCamera]:
    sim = HikStreamCamera("box", PASSWORD)
    yield sim
    sim.stop()


@contextlib.asynccontextmanager
async def connected(
    sim: HikStreamCamera, folder: Path, password: str = PASSWORD
) -> AsyncIterator[tuple[Telling, CameraClients]]:
    secret = folder / "password"
    secret.write_text(password, encoding="utf-8")
    client = CameraClient(port=sim.port, user="box", password_file=str(secret), reads=True)
    settings = Camera(id="in1", vendor="hikvision", addresses=("127.0.0.1",), client=client)
    async with plugged(settings) as plug:
        yield plug


async def on_thread(sim: HikStreamCamera, true: Callable[[], bool]) -> None:
    assert await asyncio.to_thread(sim.wait, true, WITHIN_S)


def seen(number: int, plate: str, colour: str = "blue") -> CameraEvent:
    uuid = f"a0fe72d4-3652-464a-aebd-{number:012}"
    return CameraEvent(number, uuid, plate, colour, AT_MS + number, PAINTER.paint(plate, colour, number))


@pytest.mark.parametrize("lengths", [True, False])
def test_a_read_comes_with_its_scene_and_a_repeat_is_one(
    camera: HikStreamCamera, tmp_path: Path, lengths: bool
) -> None:
    camera.lengths = lengths

    async def story() -> None:
        async with connected(camera, tmp_path) as (sink, _):
            await on_thread(camera, lambda: camera.streams == 1)
            first, second = seen(1, "鲁B12345"), seen(2, "鲁BD12345", "green")
            for event in (first, second, first):
                await asyncio.to_thread(camera.see, event)
            await asyncio.to_thread(camera.beat)
            await asyncio.to_thread(camera.beat)  # without lengths a part ends where the next begins
            await sink.until(lambda: sink.counted("repeat") == 1 and len(sink.pictures) == 2)
            assert [(read.plate_raw, read.colour) for read in sink.reads] == [
                ("鲁B12345", "blue"), ("鲁BD12345", "green"),
            ]  # fmt: skip
            assert sink.reads[0].camera_time_ms == first.at_ms
            assert first.picture is not None
            assert second.picture is not None
            assert sink.pictures == {"read1": first.picture.jpeg, "read2": second.picture.jpeg}
            assert camera.wrong_logins == 0

    run(story)


def test_a_stream_that_was_cut_or_fell_silent_is_made_anew(
    camera: HikStreamCamera, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half-open: the camera is gone and nobody says so."""
    monkeypatch.setattr(hik_stream, "SILENT_S", 0.3)
    monkeypatch.setattr(hik_stream, "AGAIN_S", (0.01,))

    async def story() -> None:
        async with connected(camera, tmp_path) as (sink, _):
            await on_thread(camera, lambda: camera.streams == 1)
            await sink.until(lambda: any("silent for" in str(line) for line in sink.counts))
            await on_thread(camera, lambda: camera.streams >= 2)
            camera.cut()
            before = camera.streams
            await on_thread(camera, lambda: camera.streams > before)

    run(story)


def test_a_refused_login_is_tried_once_and_ends_the_orders_too(camera: HikStreamCamera, tmp_path: Path) -> None:
    async def story() -> None:
        async with connected(camera, tmp_path, password="wrong") as (sink, clients):
            await sink.until(lambda: sink.counted("login_refused") == 1)
            assert clients.of("in1").open_barrier() is False
            assert "refuses the login" in clients.of("in1").trouble()
            await sink.until(lambda: sink.counted("order_not_sent") == 1)
        assert camera.wrong_logins == 1

    run(story)


def test_damage_in_the_stream_is_counted_and_the_next_car_is_read(camera: HikStreamCamera, tmp_path: Path) -> None:
    async def story() -> None:
        async with connected(camera, tmp_path) as (sink, _):
            await on_thread(camera, lambda: camera.streams == 1)
            whole = camera.make.document(seen(1, "鲁B12345"))
            await asyncio.to_thread(camera.say, camera.part("application/xml", whole[:600]))
            await asyncio.to_thread(camera.say, camera.part("application/xml", whole.replace(b"ANPR<", b"VMD<", 1)))
            await asyncio.to_thread(camera.see, seen(3, "鲁B99999"))
            await asyncio.to_thread(camera.beat)
            await sink.until(lambda: any(read.plate_raw == "鲁B99999" for read in sink.reads))
            assert sink.counted("damaged") >= 1

    run(story)


def test_a_camera_that_has_no_stream_is_told_to_push(camera: HikStreamCamera, tmp_path: Path) -> None:
    camera.status = 500

    async def story() -> None:
        async with connected(camera, tmp_path) as (sink, _):
            await sink.until(lambda: any("alertStream answered 500: let this camera push" in str(line)
                                         for line in sink.counts))  # fmt: skip

    run(story)
