"""Signs through a camera's RS485: exact bytes out of VZ's TCP serial and out of its HTTP replies, and what is lost."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from drivers.cameras.clients import CameraClients
from drivers.cameras.mailbox import FRAMES_MAX, LIVES_MS, Mailbox
from drivers.cameras.serial_port import GRACE_S, CameraPort, PortOfCamera, SerialThroughCameras
from drivers.cameras.vz_dialects import dialect_of, plate_reply
from drivers.rs485.line import SerialLine
from drivers.signs import olm
from drivers.signs.sign import Face, LaneSign
from edge.config.check import summary
from edge.config.load import load
from edge.config.model import CameraClient
from edge.config.rs485 import Line, Sign
from edge.lane.devices import LaneDevices
from hal_sim.cameras.vz import serial_out
from hal_sim.cameras.vz_tcp import VzTcpCamera
from hal_sim.rs485.signs import OlmSign
from tests.camera_client_rig import connected, on_thread, run, vz8131
from tests.camera_rig import BEAT, Rig, camera, play, post, quiet, vector, vz_push
from tests.config_rs485_text import CAMERA_LINE, SIGN
from tests.config_text import GOOD
from tests.rs485_bench import vectors

__all__ = ["vz8131"]

VOICE = next(bytes.fromhex(row["hex"]) for row in vectors("signs") if row["meaning"] == "say 欢迎光临,请入场停车")
LINE = Line(id="bus", camera="in1", gap_ms=0)


def test_a_reply_with_a_voice_frame_is_the_documented_one() -> None:
    box = Mailbox(lambda: 0, lambda camera, detail: None)
    box.put("cam", 1, VOICE)
    made = json.loads(box.with_mail("cam", plate_reply(dialect_of("vz"), None, replay=False, opened=True)))
    documented = json.loads(vector("vz/reply_open_with_rs485_voice.json"))["Response_AlarmInfoPlate"]
    del documented["channelNum"]  # 0, where it is not said
    assert made == {"Response_AlarmInfoPlate": documented}


def test_two_channels_look_as_published() -> None:
    box = Mailbox(lambda: 0, lambda camera, detail: None)
    box.put("cam", 1, b"one")
    box.put("cam", 2, b"second")
    (made,) = json.loads(box.with_mail("cam", b"{}")).values()
    (published,) = json.loads(vector("vz/reply_serialData_two_channels.json")).values()
    assert [list(one) for one in made["serialData"]] == [list(one) for one in published["serialData"]]
    assert [one["serialChannel"] for one in made["serialData"]] == [0, 1]
    assert [one["dataLen"] for one in made["serialData"]] == [3, 6]
    assert "info" not in made


def test_bytes_that_nobody_fetched_in_time_are_lost_and_counted() -> None:
    now, lost = [0], list[str]()
    box = Mailbox(lambda: now[0], lambda camera, detail: lost.append(f"{camera}: {detail}"))
    box.put("cam", 1, b"old")
    now[0] = LIVES_MS + 1
    box.put("cam", 1, b"new")
    assert serial_out(box.with_mail("cam", b"{}")) == {0: [b"new"]}
    assert lost == ["cam: 1 frames, no request within 10 s"]
    assert box.with_mail("cam", b"{}") == b"{}"  # once
    for number in range(FRAMES_MAX + 2):
        box.put("cam", 1, bytes((number,)))
    assert serial_out(box.with_mail("cam", b"{}")) == {0: [bytes((n,)) for n in range(2, FRAMES_MAX + 2)]}
    assert lost[1:] == ["cam: too many wait"] * 2


def test_what_waits_goes_with_the_reply_to_the_next_plate_and_opens_nothing() -> None:
    async def story() -> None:
        rig = Rig(camera())
        rig.listener.desk.mail.put("in1", 1, VOICE)
        answer = await rig.push(post(vz_push()))
        assert serial_out(answer.body) == {0: [VOICE]}
        assert json.loads(answer.body)["Response_AlarmInfoPlate"]["info"] == "no"
        answer = await rig.push(post(vz_push(plateid=7)))
        assert serial_out(answer.body) == {}
        await quiet()

    play(story)


def test_a_held_heartbeat_is_answered_at_once_and_a_normal_ones_reply_carries_nothing() -> None:
    """VZ executes the replies of comet heartbeats only; the first after a pause may be a normal one."""
    async def story() -> None:
        rig = Rig(camera())
        desk = rig.listener.desk
        desk.mail.put("in1", 1, b"first")
        assert (await rig.push(BEAT)).body == b"{}"
        rig.clock_ms += 10
        assert serial_out((await rig.push(BEAT)).body) == {0: [b"first"]}  # comet, and it waits already
        rig.clock_ms += 10
        wire = rig.wire()
        wire.feed(BEAT)
        await asyncio.sleep(0)
        assert wire.sent == b""
        desk.mail.put("in1", 2, b"second")
        desk.answer_held("in1")
        assert serial_out((await wire.answer()).body) == {1: [b"second"]}
        wire.hang_up()
        desk.mail.put("in1", 1, b"third")
        desk.answer_held("in1")  # nobody is there: it waits
        assert desk.mail.waits("in1")

    play(story)


async def shown(line: SerialLine, sign: LaneSign, face: Face) -> str:
    """What came of it, off the loop: the line's thread needs the loop."""
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    outcomes: list[str] = []

    def tell(outcome: str) -> None:
        outcomes.append(outcome)
        loop.call_soon_threadsafe(told.set)

    await asyncio.to_thread(sign.show, face, tell)
    async with asyncio.timeout(20):
        await told.wait()
    return outcomes[0]


def test_a_sign_on_a_cameras_tcp_serial_shows_rows_and_speaks(vz8131: VzTcpCamera) -> None:
    async def story() -> None:
        async with connected(vz8131) as (_, clients):
            through = SerialThroughCameras(Rig(camera()).listener.desk, clients)
            port = PortOfCamera(asyncio.get_running_loop(), through, "in1", 2)
            line = SerialLine(LINE, open_port=lambda settings: port())
            line.open(lambda event: None)
            sign = LaneSign("lane1", Sign(id="s", line="bus", model="olm", voice=True), line)
            assert await shown(line, sign, Face(("鲁B12345", "欢迎光临"), "欢迎光临,请入场停车")) == "sent"
            await on_thread(vz8131, lambda: len(vz8131.serial_frames) == 3)
            heard = OlmSign()
            for comm, frame in vz8131.serial_frames:
                assert comm == "rs485-2"
                heard.hear(frame)
            assert (heard.rows, heard.said) == (["鲁B12345", "欢迎光临"], ["欢迎光临,请入场停车"])
            assert vz8131.serial_frames[-1][1] == olm.speak(0, "欢迎光临,请入场停车".encode("gbk"))
            await asyncio.to_thread(line.close)

    run(story)


def test_a_camera_that_is_not_connected_is_a_line_that_is_down_but_not_at_the_start() -> None:
    async def story() -> None:
        now = [0.0]
        never = camera(client=CameraClient())
        desk = Rig(never).listener.desk
        through = SerialThroughCameras(desk, CameraClients(desk, [("lane1", never)]))
        port = PortOfCamera(asyncio.get_running_loop(), through, "in1", 1, lambda: now[0])
        with pytest.raises(OSError, match="not connected"):
            await asyncio.to_thread(port().write, b"text")
        now[0] = GRACE_S + 1
        with pytest.raises(OSError, match="camera in1: not connected"):
            port()

    run(story)


def test_a_port_whose_loop_has_ended_is_gone() -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    with pytest.raises(OSError, match="closed"):
        CameraPort(loop, lambda data: "").write(b"text")


def test_the_configuration_names_the_camera_and_the_lane_opens_such_a_line(tmp_path: Path) -> None:
    path = tmp_path / "box.toml"
    path.write_text(GOOD + SIGN + CAMERA_LINE + "channel = 2\n", encoding="utf-8")
    config = load(path)
    assert "  485 总线 line rs485-1: 相机 camera cam-in1 RS485-2 9600 8N1" in summary(config)
    assert set(LaneDevices(config).lines) == {"rs485-1"}
