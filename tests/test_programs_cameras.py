"""Some hundred bad inputs at the listener, the lane's socket and the page: no crash, no gate, all of it counted."""

from __future__ import annotations

import json
import random
import socket
from contextlib import ExitStack
from pathlib import Path

from tests.program_books import at_city
from tests.program_rig import Box, Driver, box_in, platform_on, until
from tests.program_site import Push, exchange

CAR = "鲁A00001"
SPARE = "in3"  # its camera is the mad one: a bad read must not be the next car's at the lane that is watched
EACH = 120
BODY_LIMIT = 4_000_000  # config default
LINE_LIMIT = 64 * 1024  # the socket's


def bad_requests(box: Box, dice: random.Random) -> list[bytes]:
    """Binary, cut, lied about, from strangers, and good ones with some bytes changed."""
    camera = box.bays[SPARE].camera
    found = [dice.randbytes(dice.randrange(1, 2000)) for _ in range(EACH // 4)]
    found += [b"POST /x HTTP/1.1\r\nContent-Length: %s\r\n\r\n{}" % length for length in (b"-1", b"abc", b"1e3", b"")]
    found += [
        b"POST /x HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (BODY_LIMIT + 1),
        b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /x HTTP/1.1\r\n" + b"X-Long: " + b"a" * 100_000 + b"\r\n\r\n",
        b"\r\n" * 50,
        b"POST " + b"/" * 5000 + b" HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
    ]
    while len(found) < EACH:
        push = camera.read(f"鲁C{len(found):05d}")
        body = bytearray(push.body)
        for _ in range(dice.choice((1, 5, 100))):
            place = dice.randrange(len(body))
            body[place : place + dice.choice((0, 1, 1, 40))] = dice.randbytes(dice.choice((0, 1, 3)))
        head = f"POST {push.path} HTTP/1.1\r\nContent-Type: {push.content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        found.append(head.encode() + bytes(body))
    return found


def bad_lines(dice: random.Random) -> list[bytes]:
    command = {"command_id": "x", "lane": "in1", "action": "open", "who": "t"}
    orders: list[object] = [
        {}, [], 7, "open", None, {"op": "open"}, {"op": "command"}, {"op": "command", "command": {}},
        {"op": "command", "command": command | {"action": "explode"}},
        {"op": "command", "command": command | {"command_id": ""}},
        {"op": "command", "command": command | {"age_s": 11.0, "command_id": "old"}},
        {"op": "command", "command": command | {"lane": "nowhere", "command_id": "y"}},
        {"op": "command", "command": command | {"extra": 1, "action": ["open"]}},
        {"op": "view", "extra": True},
    ]  # fmt: skip
    found = [json.dumps(order).encode() for order in orders] * 3
    found += [b"[" * 30_000, b'{"op":' * 5_000, b"\xff\xfe\x00", b"{" + b" " * (LINE_LIMIT + 10) + b"}"]
    while len(found) < EACH:
        found.append(bytes(byte for byte in dice.randbytes(dice.randrange(1, 500)) if byte != 0x0A) or b"?")
    return found


def bad_visits(dice: random.Random) -> list[bytes]:
    found = [
        b"GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /%00%ff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999\r\n\r\n",
        b"GET /picture/" + b"a" * 3000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 5000 + b"\r\n",
    ]
    found += [dice.randbytes(dice.randrange(1, 800)) for _ in range(EACH // 2)]
    return found


def test_bad_input_everywhere(tmp_path: Path) -> None:
    dice = random.Random(20261122)
    with platform_on() as (platform, url), box_in(tmp_path, directions=("in", "out", "in"), city_url=url) as box:
        with box.lane() as lane, box.agent() as agent, ExitStack() as slow:
            lane.await_ready()
            agent.await_ready()
            before = dict(box.view()["counters"])
            hanging = [
                slow.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
                for port in (box.listener_port, box.web_port) * 3
            ]
            for sock in hanging:  # these never finish their request
                sock.sendall(b"POST /devicemanagement/php/plateresult.php HTTP/1.1\r\nContent-Le")
            for request in bad_requests(box, dice):
                status, _ = cut_off(box.listener_port, request)
                assert status in (0, *range(200, 600))
            repeats(box)
            for line in bad_lines(dice):
                answer = json.loads(box.ask_raw(line + b"\n"))
                assert answer["ok"] is False, line[:100]
            for visit in bad_visits(dice):
                cut_off(box.web_port, visit)
            view = box.view()
            after = view["counters"]
            assert (lane.alive, agent.alive) == (True, True)
            assert [bay.raised for bay in box.bays.values()] == [0, 0, 0]
            assert view["parked"] == 0
            for name in ("socket_bad_line", "socket_line_too_long"):
                assert after[name] > before.get(name, 0)
            assert refused(after) - refused(before) > EACH // 4
            for sock in hanging:
                assert until_closed(sock), "a sender that does not finish is cut off"
            Driver(box, box.bays["in1"], CAR).drive(lane)
            until(lambda: at_city(platform).total() == 1, "the good car at the city")
            assert box.view()["parked"] == 1
            assert agent.stop() == 0
            assert lane.stop() == 0
        assert [fact.body["plate"] for fact in box.facts() if fact.kind == "Passed"] == [CAR]


def refused(counters: dict[str, int]) -> int:
    """What the listener counted: `<camera>.<what>`."""
    return sum(number for name, number in counters.items() if "." in name)


def until_closed(sock: socket.socket) -> bool:
    """True when the other side ends the connection, with or without an answer; `TimeoutError` if it does not."""
    try:
        while sock.recv(65536):
            continue
    except ConnectionResetError:
        return True
    return True


def repeats(box: Box) -> None:
    """The same event again and again, and older ones after newer: every one has its proper reply, one read each."""
    camera = box.bays[SPARE].camera
    pushes = [camera.read(f"鲁D{number:05d}") for number in range(5)]
    for push in [*pushes, *reversed(pushes), *pushes]:
        status, body = push.send(box.listener_port)
        assert (status, b"Response_AlarmInfoPlate" in body) == (200, True)
    plates = {f"鲁D{number:05d}" for number in range(5)}
    until(lambda: plates <= {str(fact.body.get("plate")) for fact in box.facts()}, "reads on record")
    reads = [fact.body["plate"] for fact in box.facts() if fact.kind == "ReadTaken" and fact.body["plate"] in plates]
    assert sorted(reads) == sorted(plates)


def cut_off(port: int, request: bytes) -> tuple[int, bytes]:
    """Send it whole and close the sending side: nobody waits for what does not come."""
    return exchange(port, request, hang_up=True)


def test_a_stranger_s_push_is_refused(tmp_path: Path) -> None:
    with box_in(tmp_path) as box, box.lane() as lane:
        lane.await_ready()
        known = box.bays["in1"].camera.read(CAR)
        stranger = Push(known.path, known.content_type, known.body.replace(b"test0000-00000000", b"fake0000-00000000"))
        assert stranger.body != known.body
        box.bays["in1"].loop("arrival", on=True)
        status, _ = stranger.send(box.listener_port)
        assert status in range(400, 500)
        assert box.view()["counters"].get("reads", 0) == 0
        assert box.bays["in1"].raised == 0
        box.bays["in1"].loop("arrival", on=False)
        assert lane.stop() == 0
