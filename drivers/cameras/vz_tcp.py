"""VZ over TCP 8131: the box connects, the camera tells its results, and takes orders (CAMERAS a').

One connection, kept by heartbeats, made anew when it is silent or cut. What it can be asked: `trigger` (read and push
now), `pulse` (close relay 0 for a time: the barrier, where it hangs there), `serial` (bytes out of its RS485). An order
goes out at once or not at all: nothing is kept for a connection that comes later, because an arm opened late is
opened for another car.
"""

import asyncio
import base64
import time

import msgspec

from drivers.cameras.cut import checked_jpeg
from drivers.cameras.desk import Desk
from drivers.cameras.identify import Known, Refused
from drivers.cameras.reading import Damaged, decode_text
from drivers.cameras.vz import PlateResult, VzMessage
from drivers.cameras.vz_frames import BEAT, HEARTBEAT, Frames, command

BEAT_S = 5.0
"""Published clients send theirs every few seconds; the camera drops a silent client."""
SILENT_S = 30.0
"""No whole frame from the camera for so long, its answers to our heartbeats included: the connection is dead."""
CONNECT_S = 5.0
AGAIN_S = (1.0, 2.0, 5.0, 10.0)
"""Pauses before the next connection; the last one repeats. A camera restarts in about a minute."""
READ_BYTES = 65_536

REFUSED_S = 5.0
"""An opening that the camera refused is a fault for so long; then the next one is tried."""

PULSE_MS = 500
"""What the camera's own "ok" does: 500 ms on relay 0 (firmware source, CAMERAS a7)."""

SERIAL_PORTS = {1: "rs485-1", 2: "rs485-2"}
"""The second one is RS485 or RS232 by a jumper."""


class Told(msgspec.Struct):
    """A frame's JSON. `PlateResult` is HTTP's, without `plateid`: the result's own `id` is beside it."""

    cmd: str = ""
    id: int | str | None = None
    plate: PlateResult | None = msgspec.field(default=None, name="PlateResult")
    full_bytes: int = msgspec.field(default=0, name="fullImgSize")
    value: str = ""
    state_code: int = 200
    error: str = msgspec.field(default="", name="error_msg")


class Encrypted(msgspec.Struct):
    enable_encrypt: int = 0


class _Whole(msgspec.Struct):
    plate: Encrypted = msgspec.field(default_factory=Encrypted, name="PlateResult")


_DECODER = msgspec.json.Decoder(Told, strict=False)
_WHOLE = msgspec.json.Decoder(_Whole, strict=False)


def understand(body: bytes) -> tuple[Told, bytes]:
    """A data frame's JSON and the scene picture, b"" if there is none. Raises `Damaged`."""
    text, _, rest = body.partition(b"\0")
    json = decode_text(text)
    try:
        told = _DECODER.decode(json)
        if told.plate is not None and _WHOLE.decode(json).plate.enable_encrypt:
            raise Damaged("PlateResult.license is encrypted: turn plate encryption off in the camera")
    except (msgspec.MsgspecError, RecursionError) as error:
        raise Damaged(f"JSON: {error}"[:200]) from None
    if told.full_bytes < 0 or told.full_bytes > len(rest):
        raise Damaged(f"fullImgSize: {told.full_bytes}, there are {len(rest)} bytes")
    return told, rest[: told.full_bytes]


class VzTcp:
    """One camera's connection, on the lane's event loop. `reads`: subscribe to its results."""

    def __init__(self, desk: Desk, known: Known, port: int, *, reads: bool) -> None:
        self._desk, self._known, self._port, self._reads = desk, known, port, reads
        self._writer: asyncio.StreamWriter | None = None
        self._trouble = ""  # before the first connection was tried there is none
        self._refused, self._refused_s = "", 0.0
        self._opened: set[int] = set()  # channels of this connection
        self._spoke = False  # the camera, on this connection

    @property
    def connected(self) -> bool:
        return self._writer is not None

    # --- orders --------------------------------------------------------------------------------------------------

    def trigger(self) -> bool:
        """Read and push now. False: there is no connection, nothing was sent."""
        return self._send(command("trigger"), "trigger")

    def open_barrier(self) -> bool:
        """One pulse on relay 0. Never repeated by itself."""
        return self._send(command("ioctl", id="open", delay=PULSE_MS, io=0, value=2), "open")

    def close_barrier(self) -> bool:
        """Its protocol has pulses of relays and no close; the config's rules keep `closes` from VZ."""
        return False

    def trouble(self) -> str:
        if self._writer is None:
            return self._trouble
        return self._refused if self._refused and time.monotonic() - self._refused_s < REFUSED_S else ""

    def serial(self, data: bytes, channel: int = 1) -> bool:
        """Bytes out of the camera's RS485, exactly these: `datalen` is their number before base64."""
        port = SERIAL_PORTS[channel]
        if self._writer is not None and channel not in self._opened:
            self._opened.add(channel)
            self._send(command("ttransmission", subcmd="init", data=port), "serial")
        text = base64.b64encode(data).decode("ascii")
        return self._send(
            command("ttransmission", subcmd="send", datalen=len(data), data=text, comm=port), "serial"
        )

    def _send(self, data: bytes, what: str) -> bool:
        if self._writer is None or self._writer.is_closing():
            self._count("order_not_sent", what)
            return False
        self._writer.write(data)
        return True

    # --- the connection ------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled."""
        failures = 0
        while True:
            self._spoke = False
            try:
                await self._one_connection()
                self._trouble = "not connected: ended by the camera"
            except TimeoutError:
                self._fail(f"silent for {SILENT_S:.0f} s")
            except (OSError, Damaged, asyncio.IncompleteReadError) as error:
                self._fail(f"{type(error).__name__}: {error}")
            if self._spoke:  # however it ended: only failures in a row make the pauses longer
                failures = 0
            await asyncio.sleep(AGAIN_S[min(failures, len(AGAIN_S) - 1)])
            failures += 1

    def _fail(self, why: str) -> None:
        self._trouble = f"not connected: {why}"
        self._count("connection", why)

    async def _one_connection(self) -> None:
        """Until the camera ends it. Raises whatever else ended it."""
        address = self._known.camera.addresses[0]
        try:
            async with asyncio.timeout(CONNECT_S):
                reader, writer = await asyncio.open_connection(address, self._port)
        except TimeoutError:
            raise ConnectionError(f"no answer within {CONNECT_S:.0f} s") from None
        frames = Frames(self._desk.limits.body_limit_bytes)
        beating = asyncio.ensure_future(self._beat(writer))
        try:
            writer.write(command("getsn"))
            if self._reads:
                writer.write(
                    command("ivsresult", id="1", enable=True, format="json", image=True, image_type=0)
                )
            writer.write(command("ttransmission", subcmd="init", data=SERIAL_PORTS[1]))
            self._opened = {1}
            self._writer = writer
            loop = asyncio.get_running_loop()
            until_s = loop.time() + SILENT_S
            while True:
                async with asyncio.timeout_at(until_s):
                    data = await reader.read(READ_BYTES)
                if not data:
                    if self._spoke:
                        self._count("connection", "ended by the camera")
                    return
                for kind, body in frames.feed(data):
                    self._spoke = True
                    until_s = loop.time() + SILENT_S
                    await self._take(kind, body)
        finally:
            self._writer = None
            beating.cancel()
            writer.close()

    async def _beat(self, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            writer.write(BEAT)
            await asyncio.sleep(BEAT_S)

    async def _take(self, kind: int, body: bytes) -> None:
        self._desk.sink.on_alive(self._known.camera.id)
        if kind == HEARTBEAT:
            return
        try:
            told, jpeg = understand(body)
            if told.plate is not None:
                await self._read(told, jpeg)
        except Damaged as error:
            self._count("damaged", str(error))
            return
        if told.cmd in ("", "getsn") and told.value and self._known.camera.serial not in ("", told.value):
            raise Damaged(f"serial {told.value[:60]!r}, the config says {self._known.camera.serial!r}")
        if told.state_code != 200:
            refused = f"{told.cmd[:40]}: {told.state_code} {told.error[:100]}"
            if told.cmd == "ioctl":
                self._refused, self._refused_s = refused, time.monotonic()
            self._count("order_refused", refused)

    async def _read(self, told: Told, jpeg: bytes) -> None:
        assert told.plate is not None
        plate = msgspec.structs.replace(told.plate, plateid=told.id)
        message = VzMessage(kind="plate", serial=self._known.camera.serial, plate=plate, has_picture=jpeg != b"")
        try:
            taken = self._desk.take((self._known,), message)
        except Refused as error:
            raise Damaged(str(error)) from None
        picture = None
        if jpeg:
            await self._desk.sink.quiet()
            try:
                picture = checked_jpeg(jpeg)
            except Damaged as error:
                self._count("picture_damaged", f"read {taken.seen.read_id}: {error}")
        # No reply moves anything here; opening is an order of its own.
        await self._desk.settle(taken, picture)

    def _count(self, what: str, detail: str) -> None:
        self._desk.sink.count(self._known.camera.id, what, detail)


