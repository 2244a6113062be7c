"""Camera tests' rig: a recording sink, a wire without a network, and a runner that fails on left-over tasks."""

from __future__ import annotations

import asyncio
import base64
import json
import os
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from drivers.cameras.connection import Connection
from drivers.cameras.listener import CameraListener
from edge.config.model import Camera, Listener
from edge.core.events import AnyEvent, PlateRead

VECTORS = Path(__file__).parent / "vectors" / "cameras"
WAIT_S = 10.0
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 8 + b"\xff\xd9"
VZ_PATH = "/devicemanagement/php/plateresult.php"
READ_ID = "read1"


class Sink:
    """Keeps all it is told."""

    def __init__(self) -> None:
        self.reads: list[PlateRead] = []
        self.pictures: dict[str, bytes] = {}
        self.alive: list[str] = []
        self.counts: list[tuple[str, str, str]] = []
        self.asked: list[str] = []
        self.admits = False
        self.verdict_gate: asyncio.Event | None = None
        self.picture_gate: asyncio.Event | None = None
        self.kept_gate: asyncio.Event | None = None
        self.picture_error: OSError | None = None

    def on_read(self, event: AnyEvent) -> None:
        assert isinstance(event, PlateRead)
        self.reads.append(event)

    async def quiet(self) -> None:
        """Nothing waits for a disk here."""

    async def kept(self) -> None:
        if self.kept_gate is not None:
            await self.kept_gate.wait()

    def on_picture(self, read_id: str, jpeg: bytes) -> Awaitable[None]:
        return self._keep(read_id, jpeg)

    async def _keep(self, read_id: str, jpeg: bytes) -> None:
        if self.picture_gate is not None:
            await self.picture_gate.wait()
        if self.picture_error is not None:
            raise self.picture_error
        assert read_id not in self.pictures
        self.pictures[read_id] = jpeg

    def verdict(self, read_id: str) -> Awaitable[bool]:
        self.asked.append(read_id)
        return self._judge()

    async def _judge(self) -> bool:
        if self.verdict_gate is not None:
            await self.verdict_gate.wait()
        return self.admits

    def on_alive(self, camera: str) -> None:
        self.alive.append(camera)

    def count(self, camera: str, what: str, detail: str = "") -> None:
        self.counts.append((camera, what, detail))

    def counted(self, what: str) -> int:
        return sum(1 for _, name, _ in self.counts if name == what)


class Answer(NamedTuple):
    status: int
    body: bytes
    close: bool


class Wire(asyncio.Transport):
    """What a connection writes to and reads from; hands over bytes only while the connection reads."""

    def __init__(self, protocol: Connection, peer: str = "127.0.0.1") -> None:
        super().__init__({"peername": (peer, 50000)})
        self._protocol = protocol
        self._waiting = bytearray()
        self._paused = False
        self.sent = bytearray()
        self.ended = False
        self.wrote_eof = False
        self.changed = asyncio.Event()
        protocol.connection_made(self)

    def feed(self, data: bytes, sizes: Sequence[int] = ()) -> None:
        """Give `data` in pieces of `sizes`, the rest at once."""
        at = 0
        for size in (*sizes, len(data)):
            self._waiting += data[at : at + size]
            at += size
            self._deliver()

    def _deliver(self) -> None:
        while self._waiting and not self._paused and not self.ended:
            place = memoryview(self._protocol.get_buffer(-1))
            count = min(len(place), len(self._waiting))
            place[:count] = self._waiting[:count]
            del place
            del self._waiting[:count]
            self._protocol.buffer_updated(count)

    def hang_up(self) -> None:
        """The sender is gone."""
        if not self.ended:
            self.ended = True
            self._protocol.connection_lost(None)

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        assert not self.ended
        assert not self.wrote_eof
        self.sent += data
        self.changed.set()

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.wrote_eof = True

    def pause_reading(self) -> None:
        self._paused = True

    def resume_reading(self) -> None:
        self._paused = False
        asyncio.get_running_loop().call_soon(self._deliver)

    def is_closing(self) -> bool:
        return self.ended

    def close(self) -> None:
        self.abort()

    def abort(self) -> None:
        self.changed.set()
        self.hang_up()

    async def answers(self, count: int) -> list[Answer]:
        """The first `count` answers, as soon as they are there."""
        while len(found := parse_answers(bytes(self.sent))) < count and not self.ended:
            self.changed.clear()
            await asyncio.wait_for(self.changed.wait(), WAIT_S)
        return found

    async def answer(self) -> Answer:
        (first,) = await self.answers(1)
        return first


def parse_answers(raw: bytes) -> list[Answer]:
    """Whole responses; anything else on the wire fails here."""
    found = []
    while raw:
        head, separator, rest = raw.partition(b"\r\n\r\n")
        if not separator:
            break
        lines = head.decode("ascii").split("\r\n")
        version, status, _ = lines[0].split(" ", 2)
        assert version == "HTTP/1.1"
        fields = dict(line.split(": ", 1) for line in lines[1:])
        length = int(fields.get("Content-Length", "0"))
        if len(rest) < length:
            break
        if status != "100":
            found.append(Answer(int(status), rest[:length], fields["Connection"] == "close"))
        raw = rest[length:]
    return found


class Rig:
    """A listener without a socket, its sink, and a clock."""

    def __init__(self, *cameras: Camera, listener: Listener | None = None) -> None:
        self.sink = Sink()
        self.clock_ms = 1_000_000
        self._ids = 0
        self.listener = CameraListener(
            listener or Listener(port=0),
            [(f"lane-{camera.id}", camera) for camera in cameras],
            self.sink,
            self.new_id,
            lambda: self.clock_ms,
        )

    def new_id(self) -> str:
        self._ids += 1
        return f"read{self._ids}"

    def wire(self, peer: str = "127.0.0.1") -> Wire:
        return Wire(self.listener.connection(), peer)

    async def push(self, request: bytes, sizes: Sequence[int] = ()) -> Answer:
        """One request on a new wire, and its answer."""
        wire = self.wire()
        wire.feed(request, sizes)
        answer = await wire.answer()
        wire.hang_up()
        return answer


class JumpLoop(asyncio.SelectorEventLoop):
    """A loop whose clock can be put forward: deadlines come due without waiting for them."""

    ahead_s = 0.0

    def time(self) -> float:
        return super().time() + self.ahead_s


def jump(seconds: float) -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, JumpLoop)
    loop.ahead_s += seconds


def play(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a test's coroutine; an exception in a callback or a task that is left over fails it."""
    troubles: list[object] = []

    async def whole() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: troubles.append(context))
        await story()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert left == set()

    with asyncio.Runner(loop_factory=JumpLoop) as runner:
        runner.run(whole())
    assert troubles == []


async def quiet() -> None:
    """Until no task but this one is left."""
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        _, pending = await asyncio.wait(others, timeout=WAIT_S)
        assert pending == set()


def camera(vendor: Any = "vz", name: str = "in1", **settings: Any) -> Camera:
    return Camera(id=name, vendor=vendor, addresses=("127.0.0.1",), **settings)


def post(body: bytes, path: str = VZ_PATH, *headers: str) -> bytes:
    """A request as a camera writes it."""
    lines = [f"POST {path} HTTP/1.1", "Host: 192.0.2.1", f"Content-Length: {len(body)}", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


def vector(name: str) -> bytes:
    return (VECTORS / name).read_bytes()


def vz_push(
    charset: str = "utf-8", *, picture: bytes | None = None, picture_last: bool = False, **changes: Any
) -> bytes:
    """The manual's R5 push with some fields changed; key order is the manual's unless `picture_last`."""
    push = json.loads(vector("vz/push_AlarmInfoPlate_R5.json"))
    alarm = push["AlarmInfoPlate"]
    for outside in ("serialno",):
        if outside in changes:
            alarm[outside] = changes.pop(outside)
    plate = alarm["result"]["PlateResult"]
    plate.update(changes)
    if picture is not None:
        plate["imageFile"] = base64.b64encode(picture).decode("ascii")
        plate["imageFileLen"] = len(picture)
    if picture_last:
        plate["imageFile"] = plate.pop("imageFile")
        alarm["result"] = alarm.pop("result")
    return json.dumps(push, ensure_ascii=False).encode(charset)


R5 = vector("vz/push_AlarmInfoPlate_R5.json")
R5_SERIAL = "fe71e106-57263272"
BEAT = vector("vz/push_heartbeat_multipart.http")
BEAT_SERIAL = "d85b1269-8f942256"


def open_sockets() -> int:
    names = (os.path.join("/proc/self/fd", name) for name in os.listdir("/proc/self/fd"))
    return sum(1 for name in names if os.path.islink(name) and os.readlink(name).startswith("socket:"))


@pytest.fixture(autouse=True)
def no_socket_left() -> Iterator[None]:
    """For the files that import it."""
    before = open_sockets()
    yield
    assert open_sockets() == before


def info(answer: Answer) -> str:
    """The gate word of a VZ reply."""
    word = json.loads(answer.body)["Response_AlarmInfoPlate"]["info"]
    assert isinstance(word, str)
    return word
