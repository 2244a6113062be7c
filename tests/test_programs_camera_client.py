"""The lane program connects to its camera by itself: no read, so it asks; an admitted car, so its relay is pulsed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hal_sim.cameras.event import CameraEvent
from hal_sim.cameras.pictures import Painter
from hal_sim.cameras.vz_tcp import VzTcpCamera
from tests.program_rig import Box, box_in, until

SERIAL = "test0000-00000000"


@pytest.fixture
def asked_camera() -> Iterator[VzTcpCamera]:
    sim = VzTcpCamera(SERIAL)
    yield sim
    sim.stop()


@contextmanager
def lane_with(sim: VzTcpCamera, folder: Path) -> Iterator[Box]:
    """A lane program whose entry has this camera and opens by its relay."""
    with box_in(folder / "box", directions=("in",)) as box:
        text = box.config.read_text(encoding="utf-8")
        client = f"client = {{port = {sim.port}, reads = true, opens = true}}"
        more = f"heartbeat_s = 0\nrelay_is_barrier = true\n{client}"
        pins = text[text.index("open_pin") : text.index("\n", text.index("close_pin")) + 1]
        text = text.replace(pins, 'driver = "camera"\n', 1).replace("heartbeat_s = 0", more, 1)
        box.config.write_text(text, encoding="utf-8")
        with box.lane() as lane:
            lane.await_ready()
            assert sim.wait(lambda: sim.subscribed)
            yield box
            assert lane.stop() == 0


def test_a_car_that_nobody_read_is_asked_for_and_let_in_by_the_camera_s_relay(
    tmp_path: Path, asked_camera: VzTcpCamera
) -> None:
    picture = Painter(1).paint("粤B12345", "blue", 1)
    asked_camera.before = CameraEvent(7, "", "粤B12345", "blue", 1_715_075_283_847, picture)
    with lane_with(asked_camera, tmp_path) as box:
        box.bays["in1"].loop("arrival", on=True)
        assert asked_camera.wait(lambda: asked_camera.triggers == 1 and asked_camera.pulses != [])
        assert asked_camera.pulses == [(0, 500)]
        reads = [fact.body["plate_raw"] for fact in box.facts() if fact.kind == "ReadTaken"]
        assert reads == ["粤B12345"]


def test_an_order_to_open_asks_for_a_picture_and_opens_by_the_camera_s_relay(
    tmp_path: Path, asked_camera: VzTcpCamera
) -> None:
    with lane_with(asked_camera, tmp_path) as box:
        until(lambda: box.lane_view("in1")["state"] == "down" or None, "the world read")
        answer = box.command("c1", "in1", "open", why="test")
        assert answer["ok"], answer
        assert asked_camera.wait(lambda: asked_camera.triggers == 1 and asked_camera.pulses != [])
        assert asked_camera.pulses == [(0, 500)]
