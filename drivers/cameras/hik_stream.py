"""Hikvision's alertStream: the box pulls the camera's events (CAMERAS b4), for cameras that cannot push to it.

    GET /ISAPI/Event/notification/alertStream ──► 401 ──► the same with digest ──► multipart/mixed without end
    part  XML: videoloss/inactive (the heartbeat), ANPR, others      part  JPEG: belongs to the ANPR before it

A read goes to the lane as soon as its XML is whole; its pictures follow. No whole part for SILENT_S is a half-open
connection: made anew. A refused login is never tried again by itself (five lock the camera for half an hour).
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path

from drivers.cameras import multipart
from drivers.cameras.chunks import Chunks
from drivers.cameras.cut import checked_jpeg
from drivers.cameras.desk import Desk, Taken
from drivers.cameras.digest import Login, LoginRefused, Request, answer_to
from drivers.cameras.hikvision import HikMessage, message_of
from drivers.cameras.identify import Known, Refused
from drivers.cameras.parts import Part, Parts
from drivers.cameras.reading import Damaged

STREAM = Request("GET", "/ISAPI/Event/notification/alertStream")
CONNECT_S = 5.0
SILENT_S = 30.0
"""Cameras tell "no video loss" every few seconds; a stream silent for so long is dead (CAMERAS b4)."""
AGAIN_S = (1.0, 2.0, 5.0, 10.0, 30.0)
"""The last one repeats: some lot cameras answer 500 to every try, and are to push instead."""
READ_BYTES = 65_536
HEAD_BYTES = 8_192
Answered = tuple[int, dict[str, str], asyncio.StreamReader, asyncio.StreamWriter]
"""Status, fields in lower case, and the connection."""
JPEG_START, JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
XML_END = b"EventNotificationAlert>"


def complete(content: bytes) -> bool:
    """An event or a picture that ends as one does."""
    return content.endswith(JPEG_END) if content.startswith(JPEG_START) else content.rstrip().endswith(XML_END)


class HikStream:
    """One camera's events, on the lane's event loop. `refused(why)`: the login is wrong, no more tries."""

    def __init__(  # noqa: PLR0917 - one camera's stream
        self, desk: Desk, known: Known, port: int, user: str, password_file: str, refused: Callable[[str], None]
    ) -> None:
        self._desk, self._known, self._port, self._refused = desk, known, port, refused
        self._login = Login(user, Path(password_file).read_text(encoding="utf-8").strip())
        self._taken: Taken | None = None
        self._best: tuple[bool, bytes] | None = None  # of the read before: is it the scene by name, its bytes
        self._spoke = False  # the camera, on this connection

    async def run(self) -> None:
        """Until cancelled; for ever idle after a refused login."""
        failures = 0
        while True:
            self._spoke = False
            try:
                await self._one_connection()
                self._count("connection", "ended by the camera")
            except LoginRefused as error:
                self._refused(str(error))
                await asyncio.Event().wait()
            except TimeoutError:
                self._count("connection", f"silent for {SILENT_S:.0f} s")
            except (OSError, Damaged, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
                self._count("connection", f"{type(error).__name__}: {error}")
            finally:
                self._settle()
            if self._spoke:  # however it ended: only failures in a row make the pauses longer
                failures = 0
            await asyncio.sleep(AGAIN_S[min(failures, len(AGAIN_S) - 1)])
            failures += 1

    async def _one_connection(self) -> None:
        """Until the camera ends it. Raises whatever else ended it."""
        status, fields, reader, writer = await self._ask_in_time("")
        if status == 401:
            writer.close()
            challenge = fields.get("www-authenticate", "")
            status, fields, reader, writer = await self._ask_in_time(answer_to(challenge, STREAM, self._login))
        try:
            if status == 401:
                raise LoginRefused(f"user {self._login.user!r}: the camera refuses this login")
            if status != 200:
                raise Damaged(f"alertStream answered {status}: let this camera push instead")
            coding = fields.get("transfer-encoding", "").lower()
            if coding not in ("", "chunked"):
                raise Damaged(f"transfer-encoding: {coding[:40]!r}, allowed is chunked or none")
            boundary = multipart.boundary_of(fields.get("content-type", ""))
            parts = Parts(boundary, self._desk.limits.body_limit_bytes, complete)
            await self._listen(reader, parts, Chunks() if coding else None)
        finally:
            writer.close()

    async def _ask_in_time(self, login: str) -> Answered:
        try:
            async with asyncio.timeout(CONNECT_S):
                return await self._ask(login)
        except TimeoutError:
            raise ConnectionError(f"no answer within {CONNECT_S:.0f} s") from None

    async def _ask(self, login: str) -> Answered:
        address = self._known.camera.addresses[0]
        reader, writer = await asyncio.open_connection(address, self._port, limit=HEAD_BYTES)
        try:
            lines = [f"{STREAM.method} {STREAM.path} HTTP/1.1", f"Host: {address}", "Accept: multipart/mixed"]
            lines += [f"Authorization: {login}"] if login else []
            writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except BaseException:
            writer.close()
            raise
        first, *rest = head.split("\r\n")
        found = re.fullmatch(r"HTTP/1\.[01] (\d{3})(?: .*)?", first)
        if found is None:
            writer.close()
            raise Damaged(f"answer {first[:60]!r} is no HTTP")
        pairs = (line.partition(":") for line in rest if ":" in line)
        return int(found[1]), {name.strip().lower(): value.strip() for name, _, value in pairs}, reader, writer

    async def _listen(self, reader: asyncio.StreamReader, parts: Parts, chunks: Chunks | None) -> None:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + SILENT_S
        while chunks is None or not chunks.ended:
            async with asyncio.timeout_at(until_s):
                data = await reader.read(READ_BYTES)
            if not data:
                return
            for part in parts.feed(chunks.feed(data) if chunks is not None else data):
                self._spoke = True
                until_s = loop.time() + SILENT_S
                await self._take(part)

    async def _take(self, part: Part) -> None:
        self._desk.sink.on_alive(self._known.camera.id)
        if part.content.startswith(JPEG_START):
            self._picture(part)
            return
        if not part.content.strip():
            return
        self._settle()
        try:
            message = message_of(part.content)
            if message.kind == "plate":
                await self._read(message)
            elif message.kind == "other":
                self._count("other_event", message.what)
        except Damaged as error:
            self._count("damaged", str(error))

    async def _read(self, message: HikMessage) -> None:
        try:
            self._taken = self._desk.take((self._known,), message)
        except Refused as error:
            raise Damaged(str(error)) from None
        if not message.has_picture:
            self._settle()

    # --- pictures: which one it is shows when the next XML comes, or the camera has said how many there are --------

    def _picture(self, part: Part) -> None:
        """The detection picture, else the largest that is not the plate's crop."""
        if self._taken is None or part.named("licensePlate"):
            return
        scene = part.named("detectionPicture")
        if self._best is None or (scene, len(part.content)) > (self._best[0], len(self._best[1])):
            self._best = (scene, part.content)
        if scene:
            self._settle()

    def _settle(self) -> None:
        taken, best, self._taken, self._best = self._taken, self._best, None, None
        if taken is not None:
            self._desk.spawn(self._keep(taken, best[1] if best is not None else b""))

    async def _keep(self, taken: Taken, jpeg: bytes) -> None:
        await self._desk.sink.quiet()  # the arm goes first
        picture = None
        if jpeg:
            try:
                picture = checked_jpeg(jpeg)
            except Damaged as error:
                self._count("picture_damaged", f"read {taken.seen.read_id}: {error}")
        await self._desk.settle(taken, picture)  # no reply moves anything here; opening is an order of its own

    def _count(self, what: str, detail: str) -> None:
        self._desk.sink.count(self._known.camera.id, what, detail)
