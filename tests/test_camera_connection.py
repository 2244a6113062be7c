"""The listener's connections: heartbeats, deadlines, limits, pipelining, real sockets, what is left behind."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import pytest

from drivers.cameras.shares import Shares
from edge.config.model import Camera, Listener
from edge.ports import DeviceError
from tests.camera_rig import (
    BEAT,
    BEAT_SERIAL,
    JPEG,
    R5,
    R5_SERIAL,
    VZ_PATH,
    WAIT_S,
    Rig,
    camera,
    info,
    jump,
    no_socket_left,
    parse_answers,
    play,
    post,
    vector,
    vz_push,
)

__all__ = ["no_socket_left"]


# --- heartbeats ------------------------------------------------------------------------------------------------


ALPHADIGI_BEAT = vector("vz/reply_heartbeat_alphadigi.json")


@pytest.mark.parametrize(("vendor", "reply"), [("vz", b"{}"), ("alphadigi", ALPHADIGI_BEAT)])
def test_heartbeat_sample(vendor: str, reply: bytes) -> None:
    async def story() -> None:
        rig = Rig(camera(vendor, serial=BEAT_SERIAL))
        answer = await rig.push(BEAT)
        assert (answer.status, json.loads(answer.body)) == (200, json.loads(reply))
        assert (rig.sink.alive, rig.sink.counts) == (["in1"], [])

    play(story)


def test_comet_heartbeat_is_held_and_a_normal_one_is_not() -> None:
    async def story() -> None:
        rig = Rig(camera())
        await rig.push(BEAT)
        rig.clock_ms += 1000
        await rig.push(BEAT)
        rig.clock_ms += 10
        wire = rig.wire()
        wire.feed(BEAT)
        jump(29)
        await asyncio.sleep(0)
        assert wire.sent == b""
        jump(2)
        assert (await wire.answer()).body == b"{}"
        wire.hang_up()

    play(story)


def test_a_second_held_heartbeat_ends_the_first_unanswered() -> None:
    async def story() -> None:
        rig = Rig(camera())
        await rig.push(BEAT)
        first, second = rig.wire(), rig.wire()
        first.feed(BEAT)
        second.feed(BEAT)
        assert (first.ended, bytes(first.sent)) == (True, b"")
        assert (second.ended, bytes(second.sent)) == (False, b"")
        second.hang_up()

    play(story)


def test_passwords_are_in_no_log_line() -> None:
    async def story() -> None:
        rig = Rig(camera("vz", serial="other"))
        secret = BEAT.replace(b"\r\nadmin\r\n", b"\r\nS3cr3t-word\r\n")
        secret = secret.replace(b"Content-Length: 772", b"Content-Length: %d" % (772 + 12))
        await rig.push(secret)
        await rig.push(secret.replace(b"serialno", b"serialxx").replace(b"ipaddr", b"ipxxxx"))
        form = "Content-Type: application/x-www-form-urlencoded"
        await rig.push(post(b"user_name=admin&pass_wd=S3cr3t-word", VZ_PATH, form))
        assert rig.sink.counts != []
        assert [line for line in rig.sink.counts if "S3cr3t" in str(line)] == []

    play(story)


# --- requests --------------------------------------------------------------------------------------------------


def test_a_slow_sender_is_cut_by_one_deadline_for_the_whole_request() -> None:
    async def story() -> None:
        rig = Rig(camera("boyue"), listener=Listener(port=0, slow_s=10))
        wire = rig.wire()
        request = post(vz_push(picture=JPEG, picture_last=True))
        for at in range(0, 900, 100):
            wire.feed(request[at : at + 100])
            jump(1)
            await asyncio.sleep(0)
        assert wire.sent == b""
        wire.feed(request[900:2000])
        jump(1.1)
        answer = await wire.answer()
        assert (answer.status, answer.close) == (408, True)
        assert wire.wrote_eof
        wire.feed(request[2000:])
        jump(1.1)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert wire.ended
        assert [what for _, what, _ in rig.sink.counts] == ["damaged_after_read", "slow"]

    play(story)


@pytest.mark.parametrize("half", [b"P", b"POST /x HTTP/1.1\r\nHost: box\r\nContent-Le", b"\r\n"])
@pytest.mark.parametrize("kept", [False, True])
def test_half_a_header_is_cut_after_slow_s_from_its_first_byte(half: bytes, kept: bool) -> None:
    async def story() -> None:
        rig = Rig(camera(), listener=Listener(port=0, slow_s=10))
        wire = rig.wire()
        if kept:
            wire.feed(post(R5))
            await wire.answer()
            jump(60)  # idle between two requests is allowed
        answered = len(parse_answers(bytes(wire.sent)))
        wire.feed(half[:1])
        jump(9)
        wire.feed(half[1:])  # more of it gains no time
        await asyncio.sleep(0)
        assert not wire.wrote_eof
        jump(1.1)
        answers = await wire.answers(answered + 1)
        assert (answers[-1].status, answers[-1].close) == (408, True)
        jump(1.1)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert wire.ended
        assert [what for _, what, _ in rig.sink.counts] == ["slow"]

    play(story)


def test_silent_and_idle_connections_are_closed_without_a_word() -> None:
    async def story() -> None:
        rig = Rig(camera(), listener=Listener(port=0, slow_s=10))
        silent, kept = rig.wire(), rig.wire()
        kept.feed(post(R5))
        await kept.answer()
        jump(11)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert (silent.ended, bytes(silent.sent), kept.ended) == (True, b"", False)
        jump(110)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert kept.ended
        assert rig.sink.counts == []

    play(story)


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        (b"PUT / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", 405),
        (b"POST / HTTP/1.1\r\nHost: x\r\n\r\n", 411),
        (b"POST / HTTP/1.1\r\nContent-Length: 20000\r\nExpect: 100-continue\r\n\r\n", 413),
    ],
)
def test_what_is_no_push_gets_its_status_and_a_close(request_bytes: bytes, status: int) -> None:
    async def story() -> None:
        rig = Rig(camera(), listener=Listener(port=0, body_limit_bytes=10_000))
        wire = rig.wire()
        wire.feed(request_bytes)
        answer = await wire.answer()
        assert (answer.status, answer.close) == (status, True)
        assert b"100 Continue" not in wire.sent
        wire.feed(b"x" * 200_000)  # what still comes is thrown away
        wire.hang_up()
        assert rig.sink.counted("bad_request") == 1
        assert rig.sink.reads == []

    play(story)


def test_expect_is_told_to_continue() -> None:
    async def story() -> None:
        rig = Rig(camera())
        wire = rig.wire()
        head, _, body = post(R5, VZ_PATH, "Expect: 100-continue").partition(b"\r\n\r\n")
        wire.feed(head + b"\r\n\r\n")
        assert wire.sent == b"HTTP/1.1 100 Continue\r\n\r\n"
        wire.feed(body)
        assert (await wire.answer()).status == 200
        wire.hang_up()

    play(story)


def test_pipelined_pushes_are_answered_in_order() -> None:
    async def story() -> None:
        rig = Rig(camera())
        wire = rig.wire()
        bodies = [vz_push(plateid=number, picture=JPEG) for number in range(5)]
        wire.feed(b"".join(post(body) for body in bodies) + b"GET / HTTP/1.1\r\n\r\n")
        answers = await wire.answers(6)
        assert [answer.status for answer in answers] == [200] * 5 + [405]
        replies = [json.loads(answer.body)["Response_AlarmInfoPlate"]["plateid"] for answer in answers[:5]]
        assert replies == list(range(5))
        assert len(rig.sink.pictures) == 5
        wire.hang_up()

    play(story)


def test_chunked_push_with_a_picture() -> None:
    async def story() -> None:
        rig = Rig(camera("boyue"))
        body = vz_push(picture=JPEG, picture_last=True)
        chunks = b"".join(
            b"%x\r\n%b\r\n" % (len(body[at : at + 700]), body[at : at + 700]) for at in range(0, len(body), 700)
        )
        head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        answer = await rig.push(head + chunks + b"0\r\n\r\n", [300] * 20)
        assert (answer.status, answer.close) == (200, True)
        assert rig.sink.pictures == {"read1": JPEG}

    play(story)


def test_connections_over_the_limit_get_503_and_then_nothing() -> None:
    async def story() -> None:
        rig = Rig(camera(), listener=Listener(port=0, connections_max=4))
        wires = [rig.wire() for _ in range(21)]
        assert [wire.ended for wire in wires] == [False] * 20 + [True]
        assert [parse_answers(bytes(wire.sent)) for wire in wires[:4]] == [[]] * 4
        assert [parse_answers(bytes(wire.sent))[0].status for wire in wires[4:20]] == [503] * 16
        assert wires[20].sent == b""
        for wire in wires:
            wire.hang_up()
        assert (await rig.push(post(R5))).status == 200

    play(story)


def test_a_mad_camera_takes_no_other_cameras_places() -> None:
    """300 sockets from one address: the others push as ever, and it gets its own places back when it lets go."""

    async def story() -> None:
        other = Camera(id="out1", vendor="vz", addresses=("192.0.2.5",))
        rig = Rig(camera("vz", "in1"), other, listener=Listener(port=0, connections_max=64))
        mad = [rig.wire("::ffff:127.0.0.1") for _ in range(300)]
        assert [parse_answers(bytes(wire.sent)) for wire in mad[:32]] == [[]] * 32
        assert [parse_answers(bytes(wire.sent))[0].status for wire in mad[32:48]] == [503] * 16
        assert all(wire.ended and wire.sent == b"" for wire in mad[48:])
        assert {(who, what) for who, what, _ in rig.sink.counts} == {("in1", "too_many_connections")}
        good = rig.wire("192.0.2.5")
        good.feed(post(R5))
        assert (await good.answer()).status == 200
        assert [read.camera for read in rig.sink.reads] == ["out1"]
        for wire in (*mad, good):
            wire.hang_up()
        assert (await rig.push(post(R5))).status == 200

    play(story)


@pytest.mark.parametrize(
    ("connections_max", "cameras_at", "shares"),
    [
        (64, {"a": 1}, [64]),
        (64, {"a": 1, "b": 1, "c": 1}, [21, 21, 21]),
        (64, {"a": 3, "router": 1}, [48, 16]),
        (16, dict.fromkeys("abcdefgh", 1), [4] * 8),
        (64, {}, []),
    ],
)
def test_an_addresss_share_is_by_its_cameras_and_never_under_four(
    connections_max: int, cameras_at: dict[str, int], shares: list[int]
) -> None:
    made = Shares(connections_max, cameras_at)
    assert [made.of(address) for address in cameras_at] == shares
    assert made.of("192.0.2.9") == 0


# --- real sockets ----------------------------------------------------------------------------------------------


def test_over_a_real_socket_and_stop_leaves_nothing() -> None:
    async def story() -> None:
        rig = Rig(camera("boyue", serial=R5_SERIAL), listener=Listener(port=0))
        port = await rig.listener.start()
        picture = JPEG * 100
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in range(3):
            writer.write(post(vz_push(plateid=number, picture=picture, picture_last=True)))
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), WAIT_S)
            assert head.startswith(b"HTTP/1.1 200 ")
            await reader.readexactly(int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0]))
        assert rig.sink.pictures == {f"read{number}": picture for number in (1, 2, 3)}
        await rig.listener.stop()
        assert await asyncio.wait_for(reader.read(), WAIT_S) == b""
        writer.close()
        await writer.wait_closed()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)

    play(story)


def test_refusal_reaches_a_sender_that_is_still_sending() -> None:
    async def story() -> None:
        rig = Rig(camera(), listener=Listener(port=0, body_limit_bytes=10_000))
        port = await rig.listener.start()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(post(bytes(3_000_000)))
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), WAIT_S)
        assert head.startswith(b"HTTP/1.1 413 ")
        await asyncio.wait_for(writer.drain(), WAIT_S)
        assert b"\r\n\r\n" not in await asyncio.wait_for(reader.read(), WAIT_S)
        writer.close()
        await writer.wait_closed()
        await rig.listener.stop()

    play(story)


def test_port_in_use_is_a_device_error() -> None:
    async def story() -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            rig = Rig(camera(), listener=Listener(port=port))
            with pytest.raises(DeviceError, match=f"listener: cannot listen at 127.0.0.1 port {port}"):
                await rig.listener.start()
            await rig.listener.stop()

    play(story)


async def _bug() -> bool:
    raise RuntimeError("bug")


@pytest.mark.parametrize(("method", "answered"), [("on_picture", True), ("verdict", False)])
def test_a_failing_sink_is_shown_and_opens_nothing(
    method: str, answered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        rig = Rig(camera(relay_is_barrier=True))
        shown: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: shown.append(context))
        monkeypatch.setattr(rig.sink, method, lambda *_: _bug())
        wire = rig.wire()
        wire.feed(post(vz_push(picture=JPEG)))
        assert [info(answer) for answer in await wire.answers(1)] == (["no"] if answered else [])
        await asyncio.sleep(0)
        assert [str(context["exception"]) for context in shown] == ["bug"]
        wire.hang_up()

    play(story)
